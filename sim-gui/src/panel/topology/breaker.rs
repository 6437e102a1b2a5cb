//! Circuit breakers on the stage: a switch on the way before which each stands.

use super::layout::Layout;
use crate::playback::breaker::Post;
use crate::playback::{Breaker, Throw};
use crate::state::State;
use crate::theme::Palette;
use eframe::egui::{self, Color32, Painter, Pos2, Rect, Sense, Stroke, StrokeKind, Vec2, vec2};

/// Size of a switch.
pub(super) const SIZE: Vec2 = vec2(22.0, 14.0);

/// Draws those of a future.
pub(super) fn draw(
    ui: &egui::Ui,
    state: &State,
    breakers: &[Breaker],
    layout: &Layout,
    prefix: &str,
) {
    let p = Palette::of(ui);
    let mut taken: Vec<Rect> = Vec::new();
    for breaker in breakers {
        let Some(box_) = place_of(breaker, layout) else {
            continue;
        };
        // What comes in is stopped before the box, what goes out behind it.
        let outwards = breaker.to.is_some();
        let at = if outwards {
            box_.right_center() + vec2(SIZE.x / 2.0 + 2.0, 0.0)
        } else {
            box_.left_center() - vec2(SIZE.x / 2.0 + 2.0, 0.0)
        };
        let mut place = Rect::from_center_size(at, SIZE);
        // Of several at one place each has its own.
        while taken.iter().any(|other| other.intersects(place)) {
            place = place.translate(vec2(0.0, SIZE.y + 2.0));
        }
        taken.push(place);
        let ink = ink(breaker.throw, p);
        ui.painter().rect_filled(place, 4.0, p.panel);
        ui.painter()
            .rect_stroke(place, 4.0, Stroke::new(1.0, ink), StrokeKind::Inside);
        switch(ui.painter(), place.center(), breaker.throw, ink);
        let words = format!("{prefix}{}", words(state, breaker));
        let id = ui
            .scope_id()
            .with(("breaker", &breaker.of, place.min.y.to_bits()));
        let response = ui.interact(place, id, Sense::hover());
        response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Label, true, &words));
        response.on_hover_text(words);
    }
}

/// The box at which a breaker stands, where it has one.
fn place_of(breaker: &Breaker, layout: &Layout) -> Option<Rect> {
    let (boxes, number) = match breaker.post {
        Post::Source(source) => (&layout.sources, source),
        Post::Instance(instance) => (&layout.instances, instance),
        Post::Server(server) => (&layout.servers, server),
    };
    let found = boxes.iter().find(|(i, _)| *i == number);
    found.map(|(_, rect)| *rect)
}

/// The colour of a switch.
fn ink(throw: Throw, p: &Palette) -> Color32 {
    match throw {
        Throw::Closed => p.good,
        Throw::HalfOpen => p.warn,
        Throw::Open => p.bad,
    }
}

/// A switch: two contacts, and a lever that lies between them, is raised, or is about to fall.
fn switch(painter: &Painter, at: Pos2, throw: Throw, ink: Color32) {
    let (left, right) = (at - vec2(6.0, 0.0), at + vec2(6.0, 0.0));
    let end = match throw {
        Throw::Closed => right,
        Throw::HalfOpen => right - vec2(0.5, 3.0),
        Throw::Open => right - vec2(3.0, 5.0),
    };
    painter.line_segment([left, end], Stroke::new(1.8, ink));
    for contact in [left, right] {
        painter.circle_filled(contact, 1.9, ink);
    }
}

/// A sample of each kind, for the legend.
pub(super) fn samples(painter: &Painter, at: Pos2, p: &Palette) {
    for (i, throw) in THROWS.into_iter().enumerate() {
        let at = at + vec2(7.0 + STEP * i as f32, 1.0);
        switch(painter, at, throw, ink(throw, p));
    }
}

/// Room that the samples take, and what they are.
pub(super) const SAMPLES: f32 = STEP * 3.0;
pub(super) const SAMPLES_ARE: &str = "breaker: closed, half-open, open";
const STEP: f32 = 19.0;
const THROWS: [Throw; 3] = [Throw::Closed, Throw::HalfOpen, Throw::Open];

/// A breaker in words.
pub(super) fn words(state: &State, breaker: &Breaker) -> String {
    let head = format!(
        "circuit breaker of {}: {}",
        breaker.of,
        breaker.throw.word()
    );
    match (&breaker.opened, breaker.throw) {
        (Some((since, why, until)), Throw::Open) => format!(
            "{head} since {} ({why}), refuses everything until {}",
            state.label(*since),
            state.label(*until)
        ),
        (Some((since, why, _)), _) => format!(
            "{head}, opened at {} ({why}), lets trials through",
            state.label(*since)
        ),
        (None, _) => format!("{head}, lets everything through"),
    }
}
