//! Lanes of alerts: pending hatched, firing solid.

use crate::playback::{BranchReport, Stood, stood};
use crate::state::{State, Stretch};
use crate::theme::{Palette, mix};
use eframe::egui::{Color32, Painter, Rangef, Rect, Stroke, pos2, vec2};
use sim_core::record::AlertState;
use sim_core::time::Instant;

/// Alerts with a lane each; more share one.
pub(super) const ALERTS: usize = 3;

/// How an alert stood, or the worst of all, as far as it may be seen.
pub(super) fn stretches(state: &State, branch: &BranchReport, alert: Option<usize>) -> Vec<Stood> {
    stood(branch, alert, state.visible_until(branch))
}

/// Fills a stretch of a lane; the colour that words on it stand upon.
pub(super) fn fill(painter: &Painter, stretch: Rect, state: AlertState, p: &Palette) -> Color32 {
    let solid = mix(p.sunken, p.warn, 0.85);
    if state == AlertState::Firing {
        painter.rect_filled(stretch, 1.0, solid);
        return solid;
    }
    let ground = mix(p.sunken, p.warn, 0.18);
    painter.rect_filled(stretch, 1.0, ground);
    let clipped = painter.with_clip_rect(stretch.intersect(painter.clip_rect()));
    let height = stretch.height();
    let mut x = stretch.left() - height;
    while x < stretch.right() {
        let line = [pos2(x, stretch.bottom()), pos2(x + height, stretch.top())];
        clipped.line_segment(line, Stroke::new(1.3, solid));
        x += 4.0;
    }
    ground
}

/// How it stands, in a word.
pub(super) fn word(state: AlertState) -> &'static str {
    match state {
        AlertState::Inactive => "quiet",
        AlertState::Pending => "pending",
        AlertState::Firing => "firing",
    }
}

/// A sample of a stretch, for the key.
pub(super) fn sample(painter: &Painter, left: f32, y: f32, state: AlertState, p: &Palette) {
    let sample = Rect::from_center_size(pos2(left + 8.0, y), vec2(16.0, 9.0));
    fill(painter, sample, state, p);
}

/// Where a stretch lies in a lane: never so narrow that it cannot be seen; nothing beyond its edges.
pub(super) fn place(stood: &Stood, lane: Rect, shown: Stretch) -> Option<Rect> {
    let (left, right) = (shown.x(lane, stood.from), shown.x(lane, stood.until));
    let place = Rect::from_x_y_ranges(Rangef::new(left, right.max(left + 1.5)), lane.y_range());
    Some(place.intersect(lane)).filter(Rect::is_positive)
}

/// What a lane says of a moment: every alert of it that was pending or firing then.
pub(super) fn told(
    state: &State,
    branch: &BranchReport,
    alert: Option<usize>,
    at: Instant,
) -> Option<String> {
    let each = match alert {
        Some(alert) => alert..alert + 1,
        None => 0..branch.model.alerts.len(),
    };
    let until = state.visible_until(branch);
    let mut lines = Vec::new();
    for alert in each {
        let one = &branch.model.alerts[alert];
        for stood in stood(branch, Some(alert), until) {
            if (stood.from..=stood.until).contains(&at) {
                let end = if stood.until == until {
                    String::new()
                } else {
                    format!(" to {}", state.label(stood.until))
                };
                lines.push(format!(
                    "alert {}: {} from {}{end}\n{}",
                    one.name,
                    word(stood.state),
                    state.label(stood.from),
                    one.text
                ));
            }
        }
    }
    lines.truncate(6);
    (!lines.is_empty()).then(|| lines.join("\n"))
}
