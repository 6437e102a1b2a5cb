//! Events on two lines: system above and people below; of two futures a line each.
//!
//! None vanishes: where several lie upon each other the gravest is drawn, with how many there are.

use super::super::Cx;
use super::super::event_log;
use super::STRIP;
use crate::command::Command;
use crate::playback::{BranchReport, Told, letter, told};
use crate::state::{State, Stretch};
use crate::theme::{Palette, bold_font, font, mix};
use eframe::egui::{self, Align2, Rect, Sense, Stroke, Vec2, pos2, vec2};
use sim_core::event_log::Look;
use sim_core::model::Actor;

/// How far apart marks are at least.
const APART: f32 = 14.0;
/// Events of a mark that are told one by one.
const LINES: usize = 8;

/// Events at one place.
struct Mark<'a> {
    x: f32,
    told: Vec<Told<'a>>,
}

/// How much an event matters where it lies upon others.
fn gravity(told: &Told<'_>) -> u8 {
    match told.event.kind.def().look {
        _ if told.hollow => 0,
        Look::Failure if told.event.kind.site_state().is_none() => 6,
        Look::Failure => 5,
        Look::Warning => 4,
        Look::Change => 3,
        Look::Recovery => 2,
        Look::Start | Look::Halt => 1,
    }
}

/// Events as marks at their true places: the gravest first, and each of the others with the one it would lie upon.
fn marks<'a>(events: Vec<Told<'a>>, body: Rect, shown: Stretch) -> Vec<Mark<'a>> {
    let x = |told: &Told<'_>| shown.x(body, told.event.at);
    let mut graver = events;
    graver.retain(|told| shown.has(told.event.at));
    graver.sort_by_key(|told| (std::cmp::Reverse(gravity(told)), told.event.at));
    // Places by pixel: the number of the mark there.
    let mut places: Vec<Option<usize>> = vec![None; body.width().max(0.0) as usize + 2];
    let mut marks: Vec<Mark<'a>> = Vec::new();
    for told in graver {
        let at = x(&told);
        let pixel = ((at - body.left()).max(0.0) as usize).min(places.len() - 1);
        let reach = APART as usize;
        let near = pixel.saturating_sub(reach)..(pixel + reach + 1).min(places.len());
        let nearest = near
            .filter_map(|place| Some((place.abs_diff(pixel), places[place]?)))
            .min();
        if let Some((_, mark)) = nearest {
            marks[mark].told.push(told);
        } else {
            places[pixel] = Some(marks.len());
            marks.push(Mark {
                x: at,
                told: vec![told],
            });
        }
    }
    marks.sort_by(|a, b| a.x.total_cmp(&b.x));
    marks
}

/// Draws the lines and their events.
pub(super) fn draw(ui: &mut egui::Ui, cx: &mut Cx<'_>, branch: &BranchReport, body: Rect) {
    for (i, (name, events)) in lines(cx.state, branch).into_iter().enumerate() {
        let p = Palette::of(ui);
        let y = body.top() + STRIP * (i as f32 + 0.5);
        ui.painter()
            .hline(body.x_range(), y, Stroke::new(1.0, p.line));
        let end = pos2(body.left() - 10.0, y);
        ui.painter()
            .text(end, Align2::RIGHT_CENTER, name, font(11.0), p.weak);
        for found in marks(events, body, cx.state.stretch()) {
            mark(ui, cx, &found, (y, i));
        }
    }
}

/// What the lines are called, and the events of each.
fn lines<'a>(state: &'a State, branch: &'a BranchReport) -> Vec<(String, Vec<Told<'a>>)> {
    let Some(view) = state.view() else {
        return Vec::new();
    };
    let all = told(state.event_log(branch), view);
    if let Some(beside) = state.beside()
        && let Some(other) = state.branch(beside.branch)
    {
        let name = |branch| format!("events {}", letter(branch));
        let others = told(state.event_log(other), beside);
        return vec![(name(view.branch), all), (name(beside.branch), others)];
    }
    let (people, system) = all.into_iter().partition(|t| t.event.by == Actor::People);
    let name = |actor: Actor| actor.name().to_owned();
    vec![(name(Actor::System), system), (name(Actor::People), people)]
}

fn mark(ui: &egui::Ui, cx: &mut Cx<'_>, mark: &Mark<'_>, (y, line): (f32, usize)) {
    let p = Palette::of(ui);
    let first = &mark.told[0];
    let ahead = mark.told.iter().all(|told| told.ahead);
    let (icon, colour) = event_log::look_of(first, p);
    let spot = Rect::from_center_size(pos2(mark.x, y), Vec2::splat(16.0));
    let id = ui.scope_id().with(("mark", first.event.at.0, line));
    let response = ui.interact(spot, id, Sense::click());
    let disc = if response.hovered() || response.has_focus() {
        p.text
    } else {
        mix(p.panel, colour, if ahead { 0.35 } else { 0.9 })
    };
    let painter = ui.painter();
    painter.circle_filled(spot.center(), 8.0, p.panel);
    painter.circle_stroke(spot.center(), 7.0, Stroke::new(1.5, disc));
    let ink = if ahead {
        mix(p.panel, colour, 0.5)
    } else {
        colour
    };
    icon.paint(painter, spot.shrink(4.2), ink);
    if mark.told.len() > 1 {
        let at = spot.right_top() + vec2(0.0, 1.5);
        let words = mark.told.len().min(99).to_string();
        let galley = painter.layout_no_wrap(words, bold_font(8.5), p.text);
        let plate = Rect::from_center_size(at, galley.size() + vec2(3.0, -1.0));
        painter.rect_filled(plate, 4.0, p.panel);
        painter.galley(at - galley.size() / 2.0, galley, p.text);
    }
    let words = |told: &Told<'_>| format!("{} {}", cx.state.label(told.event.at), told.words());
    let mut others: Vec<&Told<'_>> = mark.told.iter().collect();
    others.sort_by_key(|told| told.event.at);
    let mut each: Vec<String> = others.iter().take(LINES).map(|told| words(told)).collect();
    if others.len() > LINES {
        each.push(format!("and {} more", others.len() - LINES));
    }
    response.widget_info(|| {
        let mut name = format!("go to {}", words(first));
        if mark.told.len() > 1 {
            name = format!("{name}; here: {}", each.join(", "));
        }
        egui::WidgetInfo::labeled(egui::Role::Button, true, name)
    });
    if response.clicked() {
        cx.does(Command::Seek(first.event.at));
    }
    response.on_hover_text(each.join("\n"));
}

#[cfg(test)]
mod tests {
    use super::*;
    use sim_core::event_log::{Event, Kind};
    use sim_core::time::Instant;
    use std::sync::Arc;

    #[test]
    fn of_events_close_together_the_gravest_is_drawn_and_none_vanishes() {
        let event = |at: u64, kind| {
            Arc::new(Event {
                at: Instant(at),
                kind,
                by: Actor::System,
                subject: "web-1".to_owned(),
                server: None,
                cause: String::new(),
            })
        };
        let events = [
            event(100, Kind::Alert),
            event(103, Kind::Crash),
            event(105, Kind::Down),
            event(500, Kind::Normal),
        ];
        let told = events.iter().map(|event| Told {
            event,
            branch: None,
            ahead: false,
            hollow: false,
        });
        let body = Rect::from_min_size(pos2(10.0, 0.0), vec2(1000.0, 20.0));
        let whole = |from: u64, to: u64| Stretch {
            from: Instant(from),
            to: Instant(to),
        };
        // Larger, there is room for each, and what lies outside is not drawn.
        let larger = marks(told.clone().collect(), body, whole(90, 190));
        let places: Vec<_> = larger.iter().map(|m| (m.x, m.told.len())).collect();
        assert_eq!(places, [(110.0, 1), (140.0, 1), (160.0, 1)]);
        let marks = marks(told.collect(), body, whole(0, 1000));
        let found: Vec<_> = marks.iter().map(|m| (m.x, m.told.len())).collect();
        assert_eq!(found, [(113.0, 3), (510.0, 1)]);
        assert_eq!(marks[0].told[0].event.kind, Kind::Crash);
    }
}
