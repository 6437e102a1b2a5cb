//! A lesson over the run: predict, observe, explain. It stands across the window in large letters; what it asks about
//! pulses on the stage.

use super::{Cx, PanelDef, Place};
use crate::command::{self, Command};
use crate::icon::{self, Icon};
use crate::lesson::{Answers, Card, Lesson};
use crate::playback::{View, letter};
use crate::state::State;
use crate::theme::{Palette, bold_font, font, mix};
use eframe::egui::{self, Key, Rect, RichText, Sense, Stroke, StrokeKind, pos2, vec2};
use sim_core::readable;
use sim_core::summary::Summary;
use std::fmt::Write as _;

/// The row of this panel.
pub static PANEL: PanelDef = PanelDef {
    name: "lesson",
    title: "Lesson",
    about: "Questions to answer before time goes on, and what the run says to them.",
    place: Place::Over,
    draw,
    text,
};

/// Keys of the answers, in their order.
pub const LETTERS: [Key; 6] = [Key::A, Key::B, Key::C, Key::D, Key::E, Key::F];

/// How much larger letters are before a class.
const PROJECTED: f32 = 1.5;
/// Below this width answers stand one below the other.
const NARROW: f32 = 640.0;
/// How long something pulses, in seconds, and how long each pulse takes.
const PULSES_S: f64 = 5.6;
const PULSE_S: f64 = 1.4;

/// The card of a moment: the last one that has come.
pub fn current(state: &State, lesson: &Lesson) -> Option<usize> {
    let clock = state.model()?.clock;
    let now = state.now();
    lesson.cards.iter().rposition(|card| card.at(clock) <= now)
}

/// Whether a card's answer is locked and the time of its explanation has come.
fn is_told(state: &State, number: usize, card: &Card) -> bool {
    let clock = state.model().and_then(|model| model.clock);
    state.answers.is_locked(number) && card.until(clock) <= state.now()
}

/// The lesson that is being taken.
fn taken(state: &State) -> Option<&Lesson> {
    state.lesson.as_ref().filter(|_| state.is_taught())
}

/// The card that is being explained.
pub(crate) fn explained(state: &State) -> Option<&Card> {
    let lesson = taken(state)?;
    let number = current(state, lesson)?;
    let card = &lesson.cards[number];
    is_told(state, number, card).then_some(card)
}

/// The card whose question is open, and how many answers it has.
pub(crate) fn asked(state: &State) -> Option<(usize, &Card)> {
    let lesson = taken(state).filter(|_| !state.welcome)?;
    let number = current(state, lesson)?;
    let card = &lesson.cards[number];
    (!state.answers.is_locked(number)).then_some((number, card))
}

/// What Continue does next.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Next {
    /// Let time run: to the next question, or to where the answer is seen.
    Play,
    /// Lock the answer of a card.
    Lock(usize, usize),
    /// Show what came of it all.
    Recap,
}

/// What comes next; nothing while an answer is missing, and after the recap.
pub(crate) fn next(state: &State, recap: bool) -> Option<Next> {
    let lesson = taken(state)?;
    let Some(number) = current(state, lesson) else {
        return Some(Next::Play);
    };
    if !state.answers.is_locked(number) {
        let answer = state.answers.choice(number)?;
        return Some(Next::Lock(number, answer));
    }
    let last = number + 1 == lesson.cards.len();
    match (is_told(state, number, &lesson.cards[number]), last) {
        (true, true) => (!recap).then_some(Next::Recap),
        _ => Some(Next::Play),
    }
}

/// Opens the plots where an explanation begins, which one of them shows.
fn open_plots(cx: &mut Cx<'_>, lesson: &Lesson) {
    let card = explained(cx.state).and_then(|_| current(cx.state, lesson));
    let begins = card != std::mem::replace(&mut cx.local.explained, card) && card.is_some();
    let plots = super::plots::PANEL.name;
    if begins && !cx.state.settings.is_open(plots) {
        cx.does(Command::Panel(plots));
    }
}

/// The room that it takes in a window, as it was drawn last.
pub(crate) fn height(ui: &egui::Ui) -> f32 {
    let kept: Option<f32> = ui.data(|data| data.get_temp(height_id()));
    kept.unwrap_or(150.0)
}

fn height_id() -> egui::Id {
    egui::Id::unique("lesson-height")
}

/// Sizes of letters: they follow the width, and are larger before a class.
struct Type {
    question: f32,
    text: f32,
    small: f32,
}

impl Type {
    fn of(ui: &egui::Ui, class: bool) -> Self {
        let scale = if class { PROJECTED } else { 1.0 };
        let large = ui.available_width() >= NARROW;
        let of = |large_size: f32, size: f32| if large { large_size } else { size } * scale;
        Self {
            question: of(19.0, 16.0),
            text: of(15.0, 14.0),
            small: of(12.0, 12.0),
        }
    }
}

fn draw(ui: &mut egui::Ui, cx: &mut Cx<'_>) {
    let state = cx.state;
    let Some(lesson) = &state.lesson else {
        return super::nothing(ui, "This scenario has no lesson.");
    };
    open_plots(cx, lesson);
    // Whoever goes back from the end sees the questions again.
    cx.local.recap &= next(state, false) == Some(Next::Recap);
    let size = Type::of(ui, state.answers.class);
    let most = ui.ctx().content_rect().height() * 0.5;
    let area = egui::ScrollArea::vertical().max_height(most);
    let inside = area.show(ui, |ui| {
        steps(ui, cx, lesson);
        let number = current(state, lesson);
        match number {
            _ if cx.local.recap => recap(ui, cx, lesson, &size),
            None => begin(ui, cx, lesson, &size),
            Some(number) => show_card(ui, cx, lesson, number, &size),
        }
    });
    let wanted = inside.content_size.y.min(most);
    if (wanted - height(ui)).abs() > 0.5 {
        ui.data_mut(|data| data.insert_temp(height_id(), wanted));
        ui.ctx().request_repaint();
    }
}

/// One mark for each card, teachers may jump; and at the right what a teacher needs.
fn steps(ui: &mut egui::Ui, cx: &mut Cx<'_>, lesson: &Lesson) {
    let p = Palette::of(ui);
    let clock = cx.state.model().and_then(|model| model.clock);
    let now = cx.state.now();
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = 5.0;
        for (i, card) in lesson.cards.iter().enumerate() {
            let come = card.at(clock) <= now;
            let given = cx.state.answers.given.get(i).copied().flatten();
            let told = card.until(clock) <= now || cx.local.teacher;
            let (fill, words) = match given {
                Some((answer, true)) if told && answer + 1 == card.right => (p.good, "right"),
                Some((_, true)) if told => (p.warn, "not right"),
                Some((_, true)) => (p.accent, "answered"),
                _ if come => (p.now, "open"),
                _ => (p.line, "to come"),
            };
            let (rect, response) = ui.allocate_exact_size(vec2(21.0, 21.0), Sense::click());
            ui.painter()
                .circle_stroke(rect.center(), 9.5, Stroke::new(2.0, fill));
            ui.painter().text(
                rect.center(),
                egui::Align2::CENTER_CENTER,
                i + 1,
                bold_font(11.0),
                p.text,
            );
            let name = format!("question {}: {words}", i + 1);
            response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, &name));
            if (come || cx.local.teacher) && response.on_hover_text(&name).clicked() {
                cx.does(Command::Seek(card.at(clock)));
            }
        }
        ui.add_space(8.0);
        let room = ui.available_width().max(90.0);
        let title = crate::fit::galley(ui.painter(), &lesson.title, &font(12.0), p.weak, room);
        ui.label(title);
        ui.add_space(8.0);
        let toggle = |ui: &mut egui::Ui, on: bool, word: &str, about: &str| {
            let button = egui::Button::selectable(on, RichText::new(word).font(font(11.0)));
            ui.add(button).on_hover_text(about).clicked()
        };
        if let Some(class) = command::find("class-mode")
            && toggle(ui, cx.state.answers.class, "class", class.about)
        {
            cx.does(Command::ClassMode);
        }
        if toggle(
            ui,
            cx.local.teacher,
            "teacher",
            "Shows all answers, and lets you jump",
        ) {
            cx.local.teacher = !cx.local.teacher;
        }
        if cx.local.teacher && toggle(ui, false, "Copy the answers as CSV", "For a table") {
            cx.does(Command::Copy(cx.state.answers.csv(lesson)));
        }
        if toggle(
            ui,
            false,
            "Close the lesson",
            "The run goes on without questions",
        ) {
            cx.does(Command::Panel(PANEL.name));
        }
    });
    ui.add_space(4.0);
}

fn label(ui: &mut egui::Ui, text: &str, face: egui::FontId, ink: egui::Color32) {
    ui.add(egui::Label::new(RichText::new(text).font(face).color(ink)).wrap());
}

/// The button that goes on, which Enter does as well.
fn go_on(ui: &mut egui::Ui, cx: &mut Cx<'_>, word: &str, size: &Type) {
    let p = Palette::of(ui);
    let can = next(cx.state, cx.local.recap).is_some();
    let ink = if can { p.on_accent } else { p.weak };
    let words = RichText::new(word).font(bold_font(size.text)).color(ink);
    let fill = if can { p.accent } else { p.raised };
    let button = egui::Button::new(words)
        .fill(fill)
        .min_size(vec2(150.0, 38.0));
    let hint = command::hint("continue");
    if ui.add_enabled(can, button).on_hover_text(hint).clicked() {
        cx.does(Command::Continue);
    }
}

/// Before the first question.
fn begin(ui: &mut egui::Ui, cx: &mut Cx<'_>, lesson: &Lesson, size: &Type) {
    let p = Palette::of(ui);
    label(ui, &lesson.title, bold_font(size.question), p.text);
    let words = "Time stops at each question. Answer with A, B or C before you go on; then see whether you were right.";
    label(ui, words, font(size.text), p.weak);
    ui.add_space(4.0);
    let playing = (cx.state.report.as_ref()).is_some_and(|r| r.transport.playing);
    if !playing {
        go_on(ui, cx, "Begin", size);
    }
}

fn show_card(ui: &mut egui::Ui, cx: &mut Cx<'_>, lesson: &Lesson, number: usize, size: &Type) {
    let p = Palette::of(ui);
    let card = &lesson.cards[number];
    let locked = cx.state.answers.is_locked(number);
    let told = is_told(cx.state, number, card) || cx.local.teacher;
    label(ui, &card.question, bold_font(size.question), p.text);
    ui.add_space(6.0);
    answers(ui, cx, card, number, told, size);
    ui.add_space(6.0);
    if told {
        label(ui, &card.explain, font(size.text), p.text);
        ui.add_space(4.0);
    }
    ui.horizontal_wrapped(|ui| {
        let last = number + 1 == lesson.cards.len();
        if told && locked {
            go_on(
                ui,
                cx,
                if last { "How did I do?" } else { "Continue" },
                size,
            );
            tries(ui, cx, card);
        } else if locked {
            go_on(ui, cx, &format!("Play to {}", card.until), size);
            aside(ui, "Locked. What happens says whether it is right.", size);
        } else if cx.state.answers.class {
            go_on(ui, cx, "Lock the votes", size);
            let votes: u32 = cx.state.answers.votes_of(number).iter().sum();
            let words = format!("{votes} votes. A, B, C add one, with Shift they take one back.");
            aside(ui, &words, size);
        } else {
            go_on(ui, cx, "Continue", size);
        }
    });
}

/// A remark beside a button.
fn aside(ui: &mut egui::Ui, words: &str, size: &Type) {
    let p = Palette::of(ui);
    let room = ui.available_width().max(120.0);
    let face = font(size.small);
    let galley = crate::fit::galley(ui.painter(), words, &face, p.weak, room);
    ui.label(galley);
}

/// The answers: beside each other where there is room.
fn answers(
    ui: &mut egui::Ui,
    cx: &mut Cx<'_>,
    card: &Card,
    number: usize,
    told: bool,
    size: &Type,
) {
    let width = ui.available_width();
    let gap = 8.0;
    let columns = if width < NARROW {
        1
    } else {
        card.answers.len()
    };
    let each = (width - gap * (columns - 1) as f32) / columns as f32;
    let ink = Palette::of(ui).text;
    let room = each - 56.0;
    let galleys: Vec<_> = (card.answers.iter())
        .map(|answer| {
            ui.painter()
                .layout(answer.clone(), font(size.text), ink, room)
        })
        .collect();
    let tallest = galleys.iter().map(|galley| galley.size().y);
    let height = tallest.fold(0.0, f32::max).max(size.text * 1.6) + 16.0;
    let rows = card.answers.len().div_ceil(columns);
    let whole = vec2(width, height * rows as f32 + gap * (rows - 1) as f32);
    let (whole, _) = ui.allocate_exact_size(whole, Sense::hover());
    for (i, galley) in galleys.into_iter().enumerate() {
        let (row, column) = ((i / columns) as f32, (i % columns) as f32);
        let at = whole.min + vec2(column * (each + gap), row * (height + gap));
        let rect = Rect::from_min_size(at, vec2(each, height));
        let right = told.then_some(i + 1 == card.right);
        answer(ui, cx, (number, i), rect, galley, right, size);
    }
}

/// An answer: its letter, its words and, before a class, its votes.
fn answer(
    ui: &mut egui::Ui,
    cx: &mut Cx<'_>,
    (card, i): (usize, usize),
    rect: Rect,
    galley: std::sync::Arc<egui::Galley>,
    right: Option<bool>,
    size: &Type,
) {
    let p = Palette::of(ui);
    let answers = &cx.state.answers;
    let locked = answers.is_locked(card);
    let chosen = answers.choice(card) == Some(i);
    let id = ui.scope_id().with(("answer", card, i));
    let response = ui.interact(rect, id, Sense::click());
    let painter = ui.painter();
    let fill = match right {
        Some(true) => p.tint(p.good, 0.22),
        _ if chosen => p.tint(p.accent, 0.22),
        _ if response.hovered() && !locked => mix(p.raised, p.text, 0.06),
        _ => p.raised,
    };
    painter.rect_filled(rect, 7.0, fill);
    let votes = answers.votes_of(card);
    if answers.class {
        let most = votes.iter().max().copied().unwrap_or(0).max(1);
        let share = votes.get(i).copied().unwrap_or(0) as f32 / most as f32;
        let bar = Rect::from_min_size(
            pos2(rect.left(), rect.bottom() - 5.0),
            vec2(rect.width() * share, 5.0),
        );
        painter.rect_filled(bar, 2.0, p.accent);
    }
    let (width, edge) = match right {
        Some(true) => (2.0, p.good),
        Some(false) if chosen => (2.0, p.bad),
        _ if chosen || response.has_focus() => (2.0, p.accent),
        _ => (1.0, p.line),
    };
    painter.rect_stroke(rect, 7.0, Stroke::new(width, edge), StrokeKind::Inside);
    let spot = pos2(rect.left() + 22.0, rect.center().y);
    let mark = Rect::from_center_size(spot, vec2(16.0, 16.0));
    match right {
        Some(true) => Icon::Tick.paint(painter, mark, p.good),
        Some(false) if chosen => Icon::Cross.paint(painter, mark, p.bad),
        _ => {
            let ink = if chosen { p.accent } else { p.weak };
            painter.circle_stroke(spot, 12.0, Stroke::new(1.5, ink));
            let letter = LETTERS.get(i).map_or("", |key| key.name());
            let face = bold_font(13.0);
            painter.text(spot, egui::Align2::CENTER_CENTER, letter, face, ink);
        }
    }
    let words = galley.text().to_owned();
    let at = pos2(rect.left() + 42.0, rect.center().y - galley.size().y / 2.0);
    painter.galley(at, galley, p.text);
    let mut name = words;
    if answers.class {
        let count = votes.get(i).copied().unwrap_or(0);
        let end = rect.right_top() + vec2(-8.0, 4.0);
        let face = bold_font(size.small);
        painter.text(end, egui::Align2::RIGHT_TOP, count, face, p.accent);
        let _ = write!(name, ", votes: {count}");
    }
    response.widget_info(|| {
        egui::WidgetInfo::selected(egui::Role::RadioButton, !locked, chosen, &name)
    });
    if response.clicked() && !locked {
        cx.does(if cx.state.answers.class {
            Command::Vote(card, i, true)
        } else {
            Command::Answer(card, i, false)
        });
    }
}

/// What a card suggests to try.
fn tries(ui: &mut egui::Ui, cx: &mut Cx<'_>, card: &Card) {
    let (Some(edit), Some(at)) = (&card.edit, &card.edit_at) else {
        return;
    };
    let p = Palette::of(ui);
    icon::inline(ui, Icon::Fork, p.accent, 13.0);
    // In two lines where there is little room, rather than cut.
    let button = egui::Button::new(format!("Try it: {edit} at {at}")).wrap();
    if ui.add(button).clicked() {
        cx.does(Command::Try(at.clone(), edit.clone()));
    }
}

/// How many answers were right, of how many.
pub(crate) fn score(answers: &Answers, lesson: &Lesson) -> (usize, usize) {
    let right = lesson.cards.iter().enumerate().filter(|(i, card)| {
        let given = answers.given.get(*i).copied().flatten();
        given.is_some_and(|(answer, locked)| locked && answer + 1 == card.right)
    });
    (right.count(), lesson.cards.len())
}

/// How long it took to detect, to mitigate and to recover: a label and a value each.
pub(crate) fn times(summary: &Summary) -> [(&'static str, String); 3] {
    let response = &summary.response;
    let said = |time: Option<f64>, never: &str| {
        time.map_or_else(|| never.to_owned(), |s| readable::time((s * 1e9).round()))
    };
    [
        (
            "to detect",
            said(response.time_to_detect_s, "nobody was told"),
        ),
        (
            "to mitigate",
            said(response.time_to_mitigate_s, "not until now"),
        ),
        (
            "to recover",
            said(response.time_to_recover_s, "not until now"),
        ),
    ]
}

/// What came of it all: the score, and what the incident took.
fn recap(ui: &mut egui::Ui, cx: &mut Cx<'_>, lesson: &Lesson, size: &Type) {
    let p = Palette::of(ui);
    let (right, of) = score(&cx.state.answers, lesson);
    let words = format!("{right} of {of} right.");
    label(ui, &words, bold_font(size.question), p.text);
    for (i, card) in lesson.cards.iter().enumerate() {
        let given = cx.state.answers.given.get(i).copied().flatten();
        let sound = given.is_some_and(|(answer, _)| answer + 1 == card.right);
        ui.horizontal(|ui| {
            let (icon, ink) = if sound {
                (Icon::Tick, p.good)
            } else {
                (Icon::Cross, p.bad)
            };
            icon::inline(ui, icon, ink, 13.0);
            let words = format!("{}  {}", card.question, card.answers[card.right - 1]);
            let words = RichText::new(words).font(font(size.small)).color(p.weak);
            ui.add(egui::Label::new(words).truncate());
        });
    }
    ui.add_space(4.0);
    let views = [cx.state.view(), cx.state.beside()];
    for view in views.into_iter().flatten() {
        let words = took(cx.state, view);
        label(ui, &words, bold_font(size.text), p.text);
    }
    ui.add_space(4.0);
    ui.horizontal_wrapped(|ui| {
        let again = egui::Button::new("Take it again").min_size(vec2(120.0, 34.0));
        if ui.add(again).clicked() {
            cx.does(Command::TakeLesson);
        }
        let other = egui::Button::new("Another model …").min_size(vec2(120.0, 34.0));
        if ui.add(other).clicked() {
            cx.does(Command::Panel("gallery"));
        }
        if ui
            .add(egui::Button::new("Ask what if").min_size(vec2(120.0, 34.0)))
            .on_hover_text("Ends the lesson: click a server, and change something")
            .clicked()
        {
            cx.does(Command::Panel(PANEL.name));
        }
    });
}

/// What the incident took, in a sentence.
fn took(state: &State, view: &View) -> String {
    let times = times(&view.summary).map(|(label, value)| format!("{value} {label}"));
    let times = match view.summary.incidents.first() {
        Some(_) => times.join(", "),
        None => "no incident".to_owned(),
    };
    let whose = match state.beside() {
        Some(_) => format!("{}: ", letter(view.branch)),
        None => String::new(),
    };
    format!("{whose}{times}.")
}

/// A ring about what is asked about. It pulses for a few seconds and then stands still.
pub(super) fn pulse(
    ui: &egui::Ui,
    cx: &mut Cx<'_>,
    view: &View,
    thing: impl Fn(&str) -> Option<Rect>,
) {
    let main = cx.state.view().map(|view| view.branch);
    let card = asked(cx.state).filter(|_| main == Some(view.branch));
    let Some((number, Some(name))) = card.map(|(i, card)| (i, card.thing.as_deref())) else {
        cx.local.pulse = None;
        return;
    };
    let Some(rect) = thing(name) else {
        return;
    };
    let p = Palette::of(ui);
    let now = cx.state.time_s;
    let since = match cx.local.pulse {
        Some((card, since)) if card == number => since,
        _ => now,
    };
    cx.local.pulse = Some((number, since));
    let ring = Stroke::new(3.0, p.now);
    ui.painter()
        .rect_stroke(rect.expand(4.0), 10.0, ring, StrokeKind::Outside);
    let gone = now - since;
    if cx.state.settings.reduced_motion || gone > PULSES_S {
        return;
    }
    let part = ((gone % PULSE_S) / PULSE_S) as f32;
    let ring = Stroke::new(3.0, p.now.gamma_multiply(1.0 - part));
    ui.painter().rect_stroke(
        rect.expand(4.0 + 22.0 * part),
        12.0,
        ring,
        StrokeKind::Outside,
    );
    ui.ctx().request_repaint();
}

fn text(state: &State) -> String {
    let Some(lesson) = &state.lesson else {
        return String::new();
    };
    let Some(number) = current(state, lesson) else {
        return format!("{}: {} questions\n", lesson.title, lesson.cards.len());
    };
    let card = &lesson.cards[number];
    let mut text = format!("Question {}: {}\n", number + 1, card.question);
    for (i, answer) in card.answers.iter().enumerate() {
        let letter = LETTERS.get(i).map_or("", |key| key.name());
        let _ = writeln!(text, "  {letter}. {answer}");
    }
    if is_told(state, number, card) {
        let letter = LETTERS.get(card.right - 1).map_or("", |key| key.name());
        let _ = writeln!(text, "  right: {letter}. {}", card.explain);
        let plot = super::plots::PLOTS
            .iter()
            .find(|plot| plot.name == card.plot);
        if let Some(plot) = plot {
            let _ = writeln!(text, "  see the plot: {}", plot.title);
        }
        let (right, of) = score(&state.answers, lesson);
        let _ = writeln!(text, "  {right} of {of} right so far");
    }
    text
}
