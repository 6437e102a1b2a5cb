//! Futures: the branches of a run, their figures side by side, and what can be tried.

use super::topology::{branch_words, letter_badge};
use super::{Cx, PanelDef, Place};
use crate::command::Command;
use crate::playback::{Edit, View, letter};
use crate::state::{State, server_path, site_word};
use crate::theme::{Palette, bold_font, font};
use eframe::egui::{self, Align2, Color32, RichText, Sense, pos2, vec2};
use sim_core::policy::PolicyDef;
use sim_core::readable;
use sim_core::summary::Summary;
use std::fmt::Write as _;

/// The row of this panel.
pub static PANEL: PanelDef = PanelDef {
    name: "futures",
    title: "Futures",
    about: "What would have been: branches of the run, their figures and differences.",
    place: Place::RightBelow,
    draw,
    text,
};

/// A figure that is compared.
pub struct Figure {
    /// What it is.
    pub label: &'static str,
    /// Its value.
    pub value: fn(&Summary) -> Option<f64>,
    /// How it is written.
    pub write: fn(f64) -> String,
    /// Whether less is better.
    pub less_is_better: bool,
}

fn seconds(s: f64) -> String {
    readable::time(s * 1e9)
}

/// Every figure that is compared.
pub static FIGURES: &[Figure] = &[
    Figure {
        label: "availability",
        value: |s| s.availability,
        write: readable::share,
        less_is_better: false,
    },
    Figure {
        label: "requests lost",
        value: |s| Some(s.requests.lost as f64),
        write: readable::short,
        less_is_better: true,
    },
    Figure {
        label: "response time p50",
        value: |s| s.response_time_s.p50,
        write: seconds,
        less_is_better: true,
    },
    Figure {
        label: "response time p99",
        value: |s| s.response_time_s.p99,
        write: seconds,
        less_is_better: true,
    },
    Figure {
        label: "answered per second",
        value: |s| Some(s.goodput_hz),
        write: readable::short,
        less_is_better: false,
    },
    Figure {
        label: "attempts per request",
        value: |s| s.attempts.per_request,
        write: readable::number,
        less_is_better: true,
    },
    Figure {
        label: "error budgets spent",
        value: |s| s.slos.0.first().and_then(|(_, slo)| slo.budget_spent),
        // Of a budget that is long gone nobody wants to know how many per cent.
        write: readable::number,
        less_is_better: true,
    },
];

/// A line of the comparison, written.
struct Compared {
    label: &'static str,
    a: String,
    b: String,
    /// What B has more or less, with its sign, or `same`; and whether that is better.
    difference: Option<(String, bool)>,
}

impl Compared {
    fn of(figure: &Figure, a: &Summary, b: &Summary) -> Self {
        let write = |s: &Summary| (figure.value)(s).map_or_else(|| "–".to_owned(), figure.write);
        Self {
            label: figure.label,
            a: write(a),
            b: write(b),
            difference: difference(figure, a, b),
        }
    }

    fn words(&self) -> String {
        let difference = self.difference.as_ref();
        let difference = difference.map_or("no difference", |(words, _)| words);
        format!("{}: {} and {}, {difference}", self.label, self.a, self.b)
    }
}

/// A difference, written with its sign; and whether it is better.
fn difference(figure: &Figure, a: &Summary, b: &Summary) -> Option<(String, bool)> {
    let (a, b) = ((figure.value)(a)?, (figure.value)(b)?);
    let difference = b - a;
    let mut words = (figure.write)(difference.abs());
    if words == (figure.write)(0.0) {
        return Some(("same".to_owned(), false));
    }
    // A difference of two shares is counted in points, not in per cent of anything.
    if let Some(points) = words.strip_suffix(" %") {
        words = format!("{points} pts");
    }
    let sign = if difference < 0.0 { "−" } else { "+" };
    Some((
        format!("{sign}{words}"),
        (difference < 0.0) == figure.less_is_better,
    ))
}

fn draw(ui: &mut egui::Ui, cx: &mut Cx<'_>) {
    let Some(view) = cx.state.view() else {
        return super::nothing(ui, "No run yet.");
    };
    egui::ScrollArea::vertical()
        .auto_shrink([false, false])
        .show(ui, |ui| {
            branches(ui, cx, view);
            if let Some(beside) = cx.state.beside() {
                compare(ui, cx.state, view, beside);
            } else {
                ui.add_space(4.0);
                let p = Palette::of(ui);
                let words = "Try something at this moment: the same visitors, another future.";
                ui.label(RichText::new(words).font(font(12.0)).color(p.weak));
            }
            tries(ui, cx);
        });
}

fn branches(ui: &mut egui::Ui, cx: &mut Cx<'_>, view: &View) {
    let p = Palette::of(ui);
    let Some(report) = &cx.state.report else {
        return;
    };
    for number in 0..report.branches.len() {
        let shown = report.views.iter().any(|view| view.branch == number);
        ui.horizontal(|ui| {
            let (rect, _) = ui.allocate_exact_size(vec2(18.0, 18.0), Sense::hover());
            letter_badge(ui.painter(), rect, number, p);
            let words = branch_words(cx.state, number);
            let name = format!("future {}: {words}", letter(number));
            let room = ui.available_width() - if number > 0 { 34.0 } else { 0.0 };
            let (rect, response) = ui.allocate_exact_size(vec2(room, 22.0), Sense::click());
            let painter = ui.painter().with_clip_rect(rect.intersect(ui.clip_rect()));
            let fill = if shown {
                p.tint(p.accent, 0.20)
            } else if response.hovered() {
                p.raised
            } else {
                p.panel
            };
            painter.rect_filled(rect, 5.0, fill);
            if response.has_focus() {
                painter.rect_stroke(
                    rect,
                    5.0,
                    egui::Stroke::new(2.0, p.accent),
                    egui::StrokeKind::Inside,
                );
            }
            painter.text(
                pos2(rect.left() + 8.0, rect.center().y),
                Align2::LEFT_CENTER,
                &words,
                font(12.0),
                p.text,
            );
            response
                .widget_info(|| egui::WidgetInfo::selected(egui::Role::Button, true, shown, &name));
            if response
                .on_hover_text("Shows it beside the main future")
                .clicked()
            {
                if number == 0 || number == view.branch {
                    cx.does(Command::Show(number, None));
                } else {
                    cx.does(Command::Show(
                        report.branches[number].parent.unwrap_or(0),
                        Some(number),
                    ));
                }
            }
            if number > 0
                && ui
                    .small_button("×")
                    .on_hover_text(format!("Close future {}", letter(number)))
                    .clicked()
            {
                cx.does(Command::Close(number));
            }
        });
    }
}

/// Figures of two futures up to the same moment.
fn compare(ui: &mut egui::Ui, state: &State, a: &View, b: &View) {
    let p = Palette::of(ui);
    ui.add_space(4.0);
    let (rect, _) = ui.allocate_exact_size(
        vec2(ui.available_width(), 18.0 * (FIGURES.len() as f32 + 2.0)),
        Sense::hover(),
    );
    let painter = ui.painter();
    // In a narrow panel the columns are as close as what stands in them allows.
    let close = rect.width() < 330.0;
    let columns = [
        rect.right() - if close { 146.0 } else { 168.0 },
        rect.right() - if close { 78.0 } else { 88.0 },
        rect.right() - 4.0,
    ];
    let put = |x: f32, y: f32, text: &str, bold: bool, colour: Color32| {
        let face = if bold { bold_font(12.0) } else { font(12.0) };
        painter.text(pos2(x, y), Align2::RIGHT_CENTER, text, face, colour);
    };
    let mut y = rect.top() + 9.0;
    let until = format!("until {}", state.label_to_second(a.at));
    painter.text(
        pos2(rect.left(), y),
        Align2::LEFT_CENTER,
        until,
        font(11.0),
        p.weak,
    );
    put(columns[0], y, &letter(a.branch).to_string(), true, p.text);
    put(columns[1], y, &letter(b.branch).to_string(), true, p.accent);
    put(columns[2], y, "difference", false, p.weak);
    y += 18.0;
    painter.text(
        pos2(rect.left(), y),
        Align2::LEFT_CENTER,
        "state",
        font(12.0),
        p.weak,
    );
    put(
        columns[0],
        y,
        &site_word(a.site).to_lowercase(),
        false,
        super::banner::site_look(a.site, p).2,
    );
    put(
        columns[1],
        y,
        &site_word(b.site).to_lowercase(),
        false,
        super::banner::site_look(b.site, p).2,
    );
    let line = egui::Rect::from_x_y_ranges(rect.x_range(), y - 9.0..=y + 9.0);
    let states = [a, b].map(|view| site_word(view.site).to_lowercase());
    named(
        ui,
        line,
        "state",
        &format!("state: {} and {}", states[0], states[1]),
    );
    for figure in FIGURES {
        y += 18.0;
        painter.hline(
            rect.x_range(),
            y - 9.0,
            egui::Stroke::new(1.0, crate::theme::mix(p.panel, p.line, 0.5)),
        );
        let row = Compared::of(figure, &a.summary, &b.summary);
        // What is cut here is in the words under the pointer.
        let wide = painter
            .layout_no_wrap(row.a.clone(), font(12.0), p.text)
            .size()
            .x;
        let room = columns[0] - wide - 8.0 - rect.left();
        let label = crate::fit::galley(painter, row.label, &font(12.0), p.weak, room);
        painter.galley(pos2(rect.left(), y - label.size().y / 2.0), label, p.weak);
        put(columns[0], y, &row.a, false, p.text);
        put(columns[1], y, &row.b, false, p.text);
        if let Some((words, better)) = &row.difference {
            let colour = match (words.as_str(), better) {
                ("same", _) => p.weak,
                (_, true) => p.good,
                _ => p.bad,
            };
            put(columns[2], y, words, words != "same", colour);
        }
        let line = egui::Rect::from_x_y_ranges(rect.x_range(), y - 9.0..=y + 9.0);
        named(ui, line, row.label, &row.words());
    }
    for words in verdicts(a, b) {
        let words = RichText::new(words).font(font(11.5)).color(p.text);
        ui.add(egui::Label::new(words).wrap());
    }
    if let Some(at) = state.branch(b.branch).and_then(|branch| branch.parts_at) {
        let words = format!(
            "the futures part at {}; visitors and their wishes are the same",
            state.label(at)
        );
        ui.label(RichText::new(words).font(font(11.0)).color(p.weak));
    }
}

/// The verdict of each future so far, with what stands behind it.
fn verdicts(a: &View, b: &View) -> Vec<String> {
    let of = |view: &View| {
        let (word, because) = super::inspector::verdict(&view.summary)?;
        Some(format!("{}: {word}: {because}", letter(view.branch)))
    };
    [a, b].into_iter().filter_map(of).collect()
}

/// What is painted in a place, for whoever cannot see it.
fn named(ui: &egui::Ui, rect: egui::Rect, id: &str, words: &str) {
    let response = ui.interact(rect, ui.scope_id().with(id), Sense::hover());
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Label, true, words));
    response.on_hover_text(words);
}

/// What can be tried now, from what the scenario itself does later.
fn tries(ui: &mut egui::Ui, cx: &mut Cx<'_>) {
    let tries = suggestions(cx.state);
    if tries.is_empty() {
        return;
    }
    let p = Palette::of(ui);
    ui.add_space(6.0);
    let words = format!("What if, at {}:", cx.state.label_to_second(cx.state.now()));
    ui.label(RichText::new(words).font(bold_font(12.0)).color(p.text));
    ui.horizontal_wrapped(|ui| {
        for (label, edit) in tries {
            let button = egui::Button::new(RichText::new(&label).font(font(12.0)));
            if ui.add(button).on_hover_text(edit.words()).clicked() {
                cx.does(Command::Edit(edit));
            }
        }
    });
}

/// Things worth trying at this moment: what the time line will do later, now; the usual measures.
pub fn suggestions(state: &State) -> Vec<(String, Edit)> {
    let Some((view, branch)) = state.view().zip(state.main()) else {
        return Vec::new();
    };
    let mut tries: Vec<(String, Edit)> = Vec::new();
    let later = branch
        .model
        .timeline
        .iter()
        .filter(|entry| entry.at > view.at);
    for entry in later.filter(|_| !state.hides_the_future()) {
        if let sim_core::model::Action::Set { text, .. } = &entry.action {
            for set in split_sets(text) {
                let (path, value) = set;
                let edit = Edit::set(path, value);
                if !tries.iter().any(|(_, known)| known.replaces(&edit)) {
                    tries.push((edit.words(), edit));
                }
            }
        }
    }
    tries.truncate(4);
    let retries = branch
        .model
        .clients
        .iter()
        .any(sim_core::model::Client::tries_again);
    if retries {
        tries.push(("no retries".to_owned(), Edit::set("client.retry", "none")));
    }
    if let Some(crate::state::Thing::Server(i)) = state.selected
        && let Some(server) = branch.model.servers.get(i)
    {
        let service = &branch.model.services[server.service.0 as usize].name;
        let path = server_path(service, &server.name);
        tries.push((format!("drain {}", server.name), Edit::act("drain", path)));
    }
    let mut familiar = PolicyDef::familiar().into_iter();
    if let Some(service) = branch.model.services.first()
        && let Some(policy) = familiar.find(|policy| policy.follows_load)
        && policy.row.name != service.balancer.policy.def.row.name
    {
        let path = format!("service.{}.balancer.policy", service.name);
        let name = policy.row.name;
        tries.push((name.to_owned(), Edit::set(path, name)));
    }
    tries
}

/// The assignments of a time line's entry, as the event log writes them: `path = value, path = value`.
fn split_sets(text: &str) -> Vec<(String, String)> {
    let mut parts = vec![String::new()];
    let mut depth = 0_i32;
    for sign in text.chars() {
        match sign {
            '{' | '[' => depth += 1,
            '}' | ']' => depth -= 1,
            // Only a comma outside of a value parts two assignments.
            ',' if depth == 0 => {
                parts.push(String::new());
                continue;
            }
            _ => {}
        }
        if let Some(part) = parts.last_mut() {
            part.push(sign);
        }
    }
    let set = |part: &String| {
        let (path, value) = part.split_once(" = ")?;
        Some((path.trim().to_owned(), value.trim().to_owned()))
    };
    parts.iter().filter_map(set).collect()
}

fn text(state: &State) -> String {
    let Some(view) = state.view() else {
        return String::new();
    };
    let mut text = String::new();
    for number in 0..state.report.as_ref().map_or(0, |r| r.branches.len()) {
        let _ = writeln!(text, "{}: {}", letter(number), branch_words(state, number));
    }
    if let Some(beside) = state.beside() {
        if let Some(sentence) = state.sentence() {
            let _ = writeln!(text, "{sentence}");
        }
        for figure in FIGURES {
            let row = Compared::of(figure, &view.summary, &beside.summary);
            let _ = writeln!(text, "{}", row.words());
        }
        for words in verdicts(view, beside) {
            let _ = writeln!(text, "{words}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::split_sets;

    #[test]
    fn entries_of_the_time_line_come_apart() {
        let sets = split_sets(
            "service.web.server.*.max_connections = 80, client.retry = { kind = \"fixed\", attempts = 2 }",
        );
        assert_eq!(sets.len(), 2, "{sets:?}");
        assert_eq!(sets[1].1, "{ kind = \"fixed\", attempts = 2 }");
    }
}
