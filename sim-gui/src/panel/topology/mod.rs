//! The topology: sources, balancer instances and servers, with what is in flight between them.

mod breaker;
pub(crate) mod card;
mod dots;
mod flow;
mod layout;
pub(crate) mod what_if;

use super::{Cx, PanelDef, Place};
use crate::command::Command;
pub(crate) use crate::playback::server_now;
use crate::playback::{
    BranchReport, Expected, View, breakers, danger, letter, site_now, source_now, way_now, ways_now,
};
use crate::state::{Condition, State, Thing};
use crate::theme::{Palette, bold_font, font};
pub(crate) use card::look;
use eframe::egui::{
    self, Align2, Color32, Pos2, Rect, Sense, Shape, Stroke, StrokeKind, Vec2, pos2, vec2,
};
pub(crate) use flow::Flow;
use layout::Layout;
pub(crate) use layout::depths;
use sim_core::engine::InstanceSnapshot;
use sim_core::model::Balancer;
use sim_core::readable;
use std::fmt::Write as _;

/// The row of this panel.
pub static PANEL: PanelDef = PanelDef {
    name: "topology",
    title: "Topology",
    about: "Sources, balancer instances and servers, and a sample of the requests between them.",
    place: Place::Middle,
    draw,
    text,
};

fn draw(ui: &mut egui::Ui, cx: &mut Cx<'_>) {
    let Some(view) = cx.state.view() else {
        return super::nothing(ui, cx.state.waiting_words());
    };
    let rect = ui.available_rect_before_wrap();
    ui.allocate_rect(rect, Sense::hover());
    let beside = cx.state.beside().filter(|_| cx.state.settings.split);
    let height = dots::legend_height(rect.size(), beside.is_some());
    let legend = rect.with_min_y(rect.bottom() - height);
    let whole = Rect::from_min_max(rect.min, pos2(rect.right(), legend.top() - 2.0));
    let whole = told_of_both(ui, cx.state, whole);
    let whole = captioned(ui, cx.state, view, whole);
    let beside = cx.state.beside().filter(|_| cx.state.settings.split);
    let shown = [Some(view), beside].into_iter().flatten();
    let models = shown.filter_map(|view| cx.state.branch(view.branch));
    let least = models.map(|branch| layout::least_width(&branch.model));
    let least = least.fold(0.0, f32::max);
    let flying = if whole.width() >= least {
        pictures(ui, cx, (view, beside), whole)
    } else {
        // What cannot be read in so little room is moved under it.
        let scope = egui::UiBuilder::new().max_rect(whole);
        let moved = ui.scope_builder(scope, |ui| {
            let height = whole.height() - 12.0;
            let area = egui::ScrollArea::horizontal().show(ui, |ui| {
                let (wide, _) = ui.allocate_exact_size(vec2(least, height), Sense::hover());
                pictures(ui, cx, (view, beside), wide)
            });
            area.inner
        });
        moved.inner
    };
    let ghost = what_if::expected(cx.state, cx.local, view).is_some();
    dots::legend(ui, legend, cx.state, (view, beside), ghost, &flying);
}

/// The future shown, or two of them one above the other; what flies in each.
fn pictures(
    ui: &mut egui::Ui,
    cx: &mut Cx<'_>,
    (view, beside): (&View, Option<&View>),
    whole: Rect,
) -> Vec<(usize, Flow)> {
    let Some(beside) = beside else {
        let flow = picture(ui, cx, view, whole, "");
        return flow.map(|flow| (view.branch, flow)).into_iter().collect();
    };
    let middle = painter_middle(ui, whole);
    let upper = Rect::from_min_max(whole.min, pos2(whole.right(), middle - 4.0));
    let lower = Rect::from_min_max(pos2(whole.left(), middle + 4.0), whole.max);
    let p = Palette::of(ui);
    ui.painter()
        .hline(whole.x_range(), middle, Stroke::new(1.0, p.line));
    let mut flying = Vec::new();
    for (view, rect) in [(view, upper), (beside, lower)] {
        let rest = branch_title(ui, cx.state, view, rect);
        let flow = picture(ui, cx, view, rest, &format!("{}: ", letter(view.branch)));
        flying.extend(flow.map(|flow| (view.branch, flow)));
    }
    flying
}

/// Two futures in one sentence, above the picture; the rest of the rectangle.
fn told_of_both(ui: &egui::Ui, state: &State, rect: Rect) -> Rect {
    let Some(sentence) = state.sentence() else {
        return rect;
    };
    let p = Palette::of(ui);
    let face = bold_font(13.5);
    let galley = (ui.painter()).layout(sentence.clone(), face, p.text, rect.width() - 16.0);
    let plate = Rect::from_min_size(rect.min, vec2(rect.width(), galley.size().y + 10.0));
    ui.painter().rect_filled(plate, 5.0, p.tint(p.accent, 0.14));
    ui.painter()
        .galley(plate.min + vec2(8.0, 5.0), galley, p.text);
    let id = ui.scope_id().with("sentence");
    ui.interact(plate, id, Sense::hover())
        .widget_info(|| egui::WidgetInfo::labeled(egui::Role::Label, true, &sentence));
    rect.with_min_y(plate.bottom() + 8.0)
}

/// What is happening and why, above the picture while there is a director; the rest of the rectangle. Its room is kept in
/// quiet times, so that nothing moves when something happens.
fn captioned(ui: &egui::Ui, state: &State, view: &View, rect: Rect) -> Rect {
    // On a low stage the machines need the room.
    let least = if state.beside().is_some() {
        300.0
    } else {
        200.0
    };
    if !state.director || rect.height() < least {
        return rect;
    }
    let p = Palette::of(ui);
    let plate = rect.with_max_y(rect.top() + 28.0);
    if let Some(words) = crate::director::caption(state, view) {
        let whose = state.beside().map(|_| format!("{}: ", letter(view.branch)));
        let words = format!("{}{words}", whose.unwrap_or_default());
        ui.painter().rect_filled(plate, 5.0, p.tint(p.now, 0.16));
        let room = plate.width() - 20.0;
        let galley = crate::fit::galley(ui.painter(), &words, &bold_font(14.0), p.text, room);
        let at = pos2(
            plate.left() + 10.0,
            plate.center().y - galley.size().y / 2.0,
        );
        ui.painter().galley(at, galley, p.text);
        let id = ui.scope_id().with("caption");
        let response = ui.interact(plate, id, Sense::hover());
        response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Label, true, &words));
        response.on_hover_text(words);
    }
    rect.with_min_y(plate.bottom() + 8.0)
}

fn painter_middle(ui: &egui::Ui, rect: Rect) -> f32 {
    ui.painter().round_to_pixel_center(rect.center().y)
}

/// Which branch a picture is of; the rest of the rectangle.
fn branch_title(ui: &egui::Ui, state: &State, view: &View, rect: Rect) -> Rect {
    let p = Palette::of(ui);
    let badge = Rect::from_min_size(rect.min + vec2(0.0, 1.0), vec2(18.0, 18.0));
    letter_badge(ui.painter(), badge, view.branch, p);
    let (word, icon, colour) = super::banner::site_look(view.site, p);
    let end = pos2(rect.right() - 2.0, badge.center().y);
    let drawn = ui
        .painter()
        .text(end, Align2::RIGHT_CENTER, word, bold_font(11.5), colour);
    let spot = Rect::from_center_size(pos2(drawn.left() - 10.0, end.y), Vec2::splat(11.0));
    icon.paint(ui.painter(), spot, colour);
    let words = branch_words(state, view.branch);
    let start = badge.right() + 7.0;
    let room = spot.left() - start - 8.0;
    let galley = crate::fit::galley(ui.painter(), &words, &bold_font(12.5), p.text, room);
    let at = pos2(start, badge.center().y - galley.size().y / 2.0);
    let place = Rect::from_min_size(at, galley.size());
    ui.painter().galley(at, galley, p.text);
    let id = ui.scope_id().with(("branch", view.branch));
    ui.interact(place, id, Sense::hover()).on_hover_text(words);
    rect.with_min_y(rect.top() + 24.0)
}

/// A branch's letter in a disc.
pub(crate) fn letter_badge(painter: &egui::Painter, rect: Rect, branch: usize, p: &Palette) {
    let fill = if branch == 0 { p.weak } else { p.accent };
    painter.circle_filled(rect.center(), rect.height() / 2.0, fill);
    let ink = if branch == 0 { p.panel } else { p.on_accent };
    painter.text(
        rect.center(),
        Align2::CENTER_CENTER,
        letter(branch),
        bold_font(11.0),
        ink,
    );
}

/// What a branch is, in few words.
pub(crate) fn branch_words(state: &State, branch: usize) -> String {
    let Some(report) = state.branch(branch) else {
        return String::new();
    };
    let own = &report.edits[report.edits.len() - report.own_edits.min(report.edits.len())..];
    if own.is_empty() {
        return "as it was".to_owned();
    }
    let words: Vec<String> = own.iter().map(|edited| edited.edit.words()).collect();
    format!("{} at {}", words.join(", "), state.label(report.from))
}

/// Sources, instances and servers of a branch; what flies between them.
pub(crate) fn picture(
    ui: &mut egui::Ui,
    cx: &mut Cx<'_>,
    view: &View,
    rect: Rect,
    prefix: &str,
) -> Option<Flow> {
    let branch = cx.state.branch(view.branch)?;
    let layout = Layout::of(&branch.model, view, rect.shrink2(vec2(4.0, 2.0)));
    let expected = what_if::expected(cx.state, cx.local, view);
    edges(ui, branch, view, &layout, expected);
    for &(source, rect) in &layout.sources {
        source_box(ui, cx, branch, view, source, rect, prefix);
    }
    for &(instance, rect) in &layout.instances {
        instance_box(ui, cx, branch, view, instance, rect, prefix);
    }
    for &(server, rect) in &layout.servers {
        card::server(ui, cx, branch, view, server, rect, prefix);
    }
    for &(server, rect) in &layout.cells {
        card::cell(ui, cx, branch, view, server, rect, prefix);
    }
    dots::draw(ui, cx.state, branch, view, &layout);
    let breakers = breakers(branch, view);
    let flow = Flow::of(cx.state, branch, view, &layout, &breakers);
    flow.draw(ui.painter(), Palette::of(ui));
    rates(ui, branch, view, &layout);
    breaker::draw(ui, cx.state, &breakers, &layout, prefix);
    crate::panel::lesson::pulse(ui, cx, view, |name| layout.place_of(name, branch, view));
    let main = cx.state.view().map(|view| view.branch);
    if let Some(Thing::Server(selected)) = cx.state.selected
        && main == Some(view.branch)
    {
        let mut drawn = layout.servers.iter().chain(&layout.cells);
        if let Some((_, rect)) = drawn.find(|(server, _)| *server == selected) {
            what_if::draw(ui, cx, view, *rect);
        }
    }
    Some(flow)
}

/// A point of the curve between two places.
pub(crate) fn along(from: Pos2, to: Pos2, t: f32) -> Pos2 {
    let reach = vec2((to.x - from.x) * 0.5, 0.0);
    let left = 1.0 - t;
    // A cubic Bézier curve that leaves and arrives level.
    let weights = [
        left * left * left,
        3.0 * left * left * t,
        3.0 * left * t * t,
        t * t * t,
    ];
    let points = [from, from + reach, to - reach, to];
    let sum = points
        .iter()
        .zip(weights)
        .map(|(point, weight)| point.to_vec2() * weight);
    sum.fold(Vec2::ZERO, |a, b| a + b).to_pos2()
}

/// Ways, as wide as what goes over them; `expected`: what would, as a ghost upon them.
fn edges(
    ui: &egui::Ui,
    branch: &BranchReport,
    view: &View,
    layout: &Layout,
    expected: Option<&Expected>,
) {
    let p = Palette::of(ui);
    let painter = ui.painter();
    let line = |a: Pos2, b: Pos2, width: f32, colour: Color32| {
        let points = (0..=16).map(|i| along(a, b, i as f32 / 16.0)).collect();
        painter.add(Shape::line(points, Stroke::new(width, colour)));
    };
    let offered = site_now(branch, view, "offered_hz").unwrap_or(0.0);
    let attempts = site_now(branch, view, "attempts_hz")
        .unwrap_or(offered)
        .max(1e-9);
    for link in &layout.links {
        line(link.0, link.1, 3.0, p.line);
    }
    for edge in &layout.edges {
        // Where ways are not counted one by one, they are drawn as if all were the same.
        let even = || {
            let all = server_now(branch, view, edge.server, "attempts_hz")?;
            Some(all / layout.instances_of(edge.service).max(1) as f64)
        };
        let rate = way_now(branch, view, edge.instance, edge.local);
        let rate = rate.or_else(even).unwrap_or(0.0);
        let share = (rate / attempts).min(1.0) as f32;
        let width = 1.0 + 13.0 * share.sqrt() * layout.scale;
        let state = Condition::of(
            &view.snapshot.servers[edge.server],
            &branch.model.servers[edge.server],
        );
        let colour = match state {
            Condition::Down | Condition::Starting => crate::theme::mix(p.panel, p.bad, 0.30),
            Condition::Full => crate::theme::mix(p.panel, p.warn, 0.34),
            _ => crate::theme::mix(p.panel, p.accent, 0.26),
        };
        line(
            edge.from,
            edge.to,
            width,
            if rate > 0.0 { colour } else { p.line },
        );
    }
    let Some((over, sent)) = expected.and_then(|e| Some((e.over, e.sent.as_ref()?))) else {
        return;
    };
    for edge in &layout.edges {
        // Of several instances each is taken to send the same: which of them will is not known.
        let all = sent.get(edge.server).copied().unwrap_or(0) as f64 / over.as_secs_f64();
        let share = all / layout.instances_of(edge.service).max(1) as f64 / attempts;
        let width = 1.0 + 13.0 * share.min(1.0).sqrt() as f32 * layout.scale;
        for side in [-0.5, 0.5] {
            let aside = vec2(0.0, side * (width + 3.0));
            let points = (0..=16).map(|i| along(edge.from, edge.to, i as f32 / 16.0) + aside);
            let points: Vec<Pos2> = points.collect();
            painter.extend(Shape::dashed_line(
                &points,
                Stroke::new(1.4, p.now),
                6.0,
                4.0,
            ));
        }
    }
}

/// Where a rate is written on its way, by preference: in the middle, and apart from others.
const SPOTS: [f32; 7] = [0.5, 0.62, 0.38, 0.74, 0.28, 0.84, 0.2];

/// Requests per second on the way from each balancer instance to each server: each its own.
fn rates(ui: &egui::Ui, branch: &BranchReport, view: &View, layout: &Layout) {
    if layout.edges.len() > 16 {
        return;
    }
    let p = Palette::of(ui);
    let painter = ui.painter();
    // Nothing is written over a box.
    let boxes = layout.instances.iter().chain(&layout.servers);
    let mut taken: Vec<Rect> = boxes.map(|(_, rect)| *rect).collect();
    for edge in &layout.edges {
        let Some(rate) = way_now(branch, view, edge.instance, edge.local) else {
            continue;
        };
        let words = format!("{}/s", readable::short(rate.round()));
        let galley = painter.layout_no_wrap(words, font(11.0), p.text);
        let plate = |spot: f32| {
            let at = along(edge.from, edge.to, spot);
            Rect::from_center_size(at, galley.size() + vec2(8.0, 2.0))
        };
        let free = |plate: &Rect| taken.iter().all(|other| !other.intersects(*plate));
        // What has no room is in the words of its balancer instance.
        let Some(plate) = SPOTS.into_iter().map(plate).find(free) else {
            continue;
        };
        taken.push(plate);
        painter.rect_filled(plate, 4.0, p.panel.gamma_multiply(0.85));
        painter.galley(plate.min + vec2(4.0, 1.0), galley, p.text);
    }
}

/// A frame that can be selected; whether it was clicked.
pub(crate) fn selectable(
    ui: &mut egui::Ui,
    cx: &mut Cx<'_>,
    rect: Rect,
    thing: Thing,
    name: &str,
    outline: Color32,
) -> egui::Response {
    let p = Palette::of(ui);
    let id = ui
        .scope_id()
        .with((thing_number(thing), rect.min.y.to_bits()));
    let response = ui.interact(rect, id, Sense::click());
    let selected = cx.state.selected == Some(thing);
    let width = if selected { 2.5 } else { 1.5 };
    let colour = if selected || response.has_focus() {
        p.accent
    } else {
        outline
    };
    ui.painter().rect_filled(
        rect,
        7.0,
        if response.hovered() {
            crate::theme::mix(p.raised, p.text, 0.04)
        } else {
            p.raised
        },
    );
    ui.painter()
        .rect_stroke(rect, 7.0, Stroke::new(width, colour), StrokeKind::Inside);
    response.widget_info(|| egui::WidgetInfo::selected(egui::Role::Button, true, selected, name));
    if response.clicked() {
        cx.does(Command::Select(Some(thing)));
    }
    response
}

fn thing_number(thing: Thing) -> (u8, usize) {
    match thing {
        Thing::Server(i) => (0, i),
        Thing::Instance(i) => (1, i),
        Thing::Source(i) => (2, i),
    }
}

/// Height of a line in a box.
const LINE: f32 = 15.0;

/// Where a line of so many lies in a box.
fn line_of(rect: Rect, line: usize, lines: usize) -> f32 {
    rect.center().y + LINE * (line as f32 - (lines as f32 - 1.0) / 2.0)
}

/// Room before and after what is written in a box.
const INDENT: f32 = 8.0;

/// A line of a box: ways to say it, of which the first that fits is taken; whether it is bold; its colour.
type Line = (Vec<String>, bool, Color32);

/// Lines of a box, as many as there is room for.
fn lines(ui: &egui::Ui, rect: Rect, lines: &[Line]) {
    let most = (rect.height() / LINE).max(1.0) as usize;
    let shown = &lines[..lines.len().min(most)];
    let room = rect.width() - 2.0 * INDENT;
    for (row, (ways, bold, colour)) in shown.iter().enumerate() {
        let y = line_of(rect, row, shown.len());
        let face = if *bold { bold_font(12.0) } else { font(11.0) };
        let lay = |text: &String| {
            ui.painter()
                .layout_no_wrap(text.clone(), face.clone(), *colour)
        };
        let whole = ways.iter().map(lay).find(|galley| galley.size().x <= room);
        // A name may be cut in its middle.
        let cut = || {
            let last = ways.last().map_or("", String::as_str);
            crate::fit::galley(ui.painter(), last, &face, *colour, room)
        };
        let galley = whole.unwrap_or_else(cut);
        let at = pos2(rect.left() + INDENT, y - galley.size().y / 2.0);
        ui.painter().galley(at, galley, *colour);
    }
}

fn source_box(
    ui: &mut egui::Ui,
    cx: &mut Cx<'_>,
    branch: &BranchReport,
    view: &View,
    source: usize,
    rect: Rect,
    prefix: &str,
) {
    let p = Palette::of(ui);
    let name = &branch.model.sources[source].name;
    let rate = source_now(branch, view, source, "offered_hz");
    let rate = rate.map(|rate| readable::short(rate.round()));
    let words = rate.as_ref().map(|rate| format!("{rate} req/s"));
    let about = source_words(branch, view, source);
    let label = format!("{prefix}source {name} {about}");
    let response = selectable(ui, cx, rect, Thing::Source(source), &label, p.line);
    let mut rows = vec![(vec![name.clone()], true, p.text)];
    rows.extend(
        rate.zip(words)
            .map(|(rate, words)| (vec![words, format!("{rate}/s")], false, p.weak)),
    );
    lines(ui, rect, &rows);
    response.on_hover_text(label);
}

fn instance_box(
    ui: &mut egui::Ui,
    cx: &mut Cx<'_>,
    branch: &BranchReport,
    view: &View,
    instance: usize,
    rect: Rect,
    prefix: &str,
) {
    let p = Palette::of(ui);
    let snapshot = &view.snapshot.instances[instance];
    let balancer = &branch.model.services[snapshot.service as usize].balancer;
    let (word, icon, colour) = card::machine_look(snapshot.state, p);
    let up = snapshot.state.serves();
    let outline = if up { p.accent } else { colour };
    let label = format!(
        "{prefix}balancer {} {}, {} connections, {} servers eligible",
        snapshot.name,
        if up { "up" } else { word },
        snapshot.connections,
        snapshot.eligible
    );
    let dangers = danger::of_instance(snapshot, balancer);
    let label = dangers.iter().fold(label, |words, danger| {
        format!("{words}, {}", danger.words(view.at))
    });
    let response = selectable(ui, cx, rect, Thing::Instance(instance), &label, outline);
    let mut rows: Vec<Line> = vec![(vec![snapshot.name.clone()], true, p.text)];
    if up {
        let policy = balancer.policy.def.row.name.to_owned();
        rows.push((vec![policy], false, p.weak));
    } else {
        rows.push((vec![word.to_owned()], true, colour));
    }
    let number = readable::number(f64::from(snapshot.connections));
    let of = balancer
        .max_connections
        .map(|most| readable::number(f64::from(most)));
    let held = match of {
        Some(most) => vec![
            format!("{number} of {most} held"),
            format!("{number}/{most}"),
            number,
        ],
        None => vec![format!("{number} held"), number],
    };
    let gauge = Gauge::of(balancer, snapshot);
    // Each where there is room for it.
    let room = (rect.height() / LINE) as usize;
    let left = dangers
        .iter()
        .filter_map(|danger| danger.left(view.at))
        .min();
    let sends = sends(branch, view, instance);
    let mut bar = None;
    if room >= 3 {
        let ink = gauge
            .as_ref()
            .filter(|_| up)
            .map_or(p.weak, |gauge| gauge.words_ink(p));
        rows.push((held, false, ink));
    }
    if let Some(gauge) = gauge.filter(|_| room >= 5) {
        bar = Some((rows.len(), gauge.share, gauge.tick, gauge.ink(p)));
        rows.push((vec![String::new()], false, p.weak));
        match left {
            Some(left) => {
                let words = format!("dies in {}", danger::countdown(left));
                rows.push((vec![words], true, p.bad));
            }
            None => rows.extend(
                gauge
                    .words()
                    .map(|words| (words, false, gauge.words_ink(p))),
            ),
        }
    }
    if rows.len() < room {
        let eligible = format!("{} eligible", snapshot.eligible);
        let both = sends
            .as_ref()
            .map(|(all, _)| format!("{eligible}, {all}/s sent"));
        let number = snapshot.eligible.to_string();
        let words = both.into_iter().chain([eligible, number]).collect();
        rows.push((words, false, p.weak));
    }
    lines(ui, rect, &rows);
    if let Some((row, share, tick, ink)) = bar {
        let y = line_of(rect, row, rows.len());
        let track = Rect::from_x_y_ranges(
            rect.left() + INDENT..=rect.right() - INDENT,
            y - 4.0..=y + 4.0,
        );
        card::bar(ui.painter(), track, share, ink, tick.as_slice(), p);
    }
    let label = sends.map_or(label.clone(), |(all, each)| {
        format!("{label}\nsends {all}/s: {each}")
    });
    if !up {
        let spot = Rect::from_center_size(rect.right_top() + vec2(-13.0, 13.0), Vec2::splat(12.0));
        icon.paint(ui.painter(), spot, colour);
    }
    response.on_hover_text(label);
}

/// How much of what it can hold a balancer instance holds.
struct Gauge {
    share: f32,
    /// Where it dies.
    tick: Option<f32>,
    /// The most that it bears, where it may hold more.
    most: Option<f64>,
    /// How near it is to that.
    near: f64,
}

impl Gauge {
    /// Nothing where it can hold any number.
    fn of(balancer: &Balancer, now: &InstanceSnapshot) -> Option<Self> {
        let held = f64::from(now.connections);
        let taken = balancer.max_connections.map(f64::from);
        let most =
            danger::most_held(balancer).filter(|most| taken.is_none_or(|taken| *most < taken));
        // Without a limit there is room to see how far beyond it is.
        let whole = taken.or(most.map(|most| most * 1.25))?.max(1.0);
        Some(Self {
            share: (held / whole) as f32,
            tick: most.map(|most| (most / whole) as f32),
            most,
            near: most.map_or(0.0, |most| held / most.max(1.0)),
        })
    }

    fn ink(&self, p: &Palette) -> Color32 {
        card::danger_ink(self.near, p)
    }

    /// The colour of words about it: quiet while nothing is near.
    fn words_ink(&self, p: &Palette) -> Color32 {
        match self.ink(p) {
            calm if calm == p.accent => p.weak,
            ink => ink,
        }
    }

    fn words(&self) -> Option<Vec<String>> {
        let most = readable::number(self.most?);
        Some(vec![format!("dies above {most}"), format!("max {most}")])
    }
}

/// What a source sends, and what becomes of it.
fn source_words(branch: &BranchReport, view: &View, source: usize) -> String {
    let of = |name| source_now(branch, view, source, name);
    let Some((rate, failed)) = of("offered_hz").zip(of("failed_hz")) else {
        return String::new();
    };
    let write = |rate: f64| readable::short(rate.round());
    let divided = if branch.series.source_is_estimated(source) {
        ", of what several sources ask for divided as their planned rates are"
    } else {
        ""
    };
    format!(
        "{} req/s, {} of them fail a second{divided}",
        write(rate),
        write(failed)
    )
}

/// Servers that are named in what an instance sends.
const NAMED: usize = 12;

/// What a balancer instance sends, together and to each server, in words.
fn sends(branch: &BranchReport, view: &View, instance: usize) -> Option<(String, String)> {
    let rates = ways_now(branch, view, instance)?;
    let service = view.snapshot.instances[instance].service as usize;
    let servers = &branch.model.services[service].servers;
    let write = |rate: f64| readable::short(rate.round());
    let mut each: Vec<String> = (servers.iter().zip(&rates).take(NAMED))
        .map(|(id, rate)| {
            let name = &branch.model.servers[id.0 as usize].name;
            format!("{name} {}/s", write(*rate))
        })
        .collect();
    if rates.len() > NAMED {
        let rest = rates[NAMED..].iter().sum();
        each.push(format!("others {}/s", write(rest)));
    }
    Some((write(rates.iter().sum()), each.join(", ")))
}

fn text(state: &State) -> String {
    let mut text = String::new();
    for view in [state.view(), state.beside()].into_iter().flatten() {
        let Some(branch) = state.branch(view.branch) else {
            continue;
        };
        let _ = writeln!(
            text,
            "{} ({}), {}",
            letter(view.branch),
            branch_words(state, view.branch),
            crate::state::site_word(view.site)
        );
        for (number, instance) in view.snapshot.instances.iter().enumerate() {
            let sends = sends(branch, view, number);
            let sends = sends.map_or_else(String::new, |(all, each)| {
                format!(", sends {all}/s: {each}")
            });
            let balancer = &branch.model.services[instance.service as usize].balancer;
            let dangers = danger::of_instance(instance, balancer);
            let dangers = dangers.iter().fold(String::new(), |words, danger| {
                format!("{words}, {}", danger.words(view.at))
            });
            let _ = writeln!(
                text,
                "  balancer {}: {}, {} connections, {} waiting, {} servers eligible{dangers}{sends}",
                instance.name,
                instance.state.name(),
                instance.connections,
                instance.waiting,
                instance.eligible
            );
        }
        for (number, source) in branch.model.sources.iter().enumerate() {
            let words = source_words(branch, view, number);
            let _ = writeln!(text, "  source {}: {words}", source.name);
        }
        for breaker in breakers(branch, view) {
            let _ = writeln!(text, "  {}", breaker::words(state, &breaker));
        }
        for (i, server) in view.snapshot.servers.iter().enumerate() {
            let name = &branch.model.servers[i].name;
            let words = card::words(branch, view, i);
            let _ = writeln!(text, "  server {name}: {words}, weight {}", server.weight);
        }
    }
    text
}
