//! Requests in flight: a sample of the real ones, each where it is.
//!
//! Size is the work left, hue the age, a square is a retry, a ring is work that nobody waits for
//! any more. Waiting requests stand in line before their server: a full queue reaches back to the
//! balancer.

use super::along;
use super::breaker;
use super::flow::Flow;
use super::layout::Layout;
use crate::playback::{BranchReport, View, has_breakers, letter};
use crate::state::State;
use crate::theme::{Palette, font, mix};
use eframe::egui::{self, Color32, Pos2, Rect, Shape, Stroke, Vec2, pos2, vec2};
use sim_core::engine::{AttemptSnapshot, Whereabouts};
use sim_core::readable;
use sim_core::time::Duration;
use std::collections::BTreeMap;

/// Age at which a request is drawn as old where no timeout says what old is.
const OLD_NS: f64 = 8e9;

/// The age at which callers give up, for the scale of hues.
fn patience_ns(branch: &BranchReport) -> f64 {
    let timeouts = branch
        .model
        .clients
        .iter()
        .filter_map(|client| client.timeout);
    timeouts.map(|t| t.0).min().map_or(OLD_NS, |ns| ns as f64)
}

fn hue(share: f32, p: &Palette) -> Color32 {
    let share = share.clamp(0.0, 1.0);
    if share < 0.5 {
        mix(p.accent, p.warn, share * 2.0)
    } else {
        mix(p.warn, p.bad, share * 2.0 - 1.0)
    }
}

/// Draws the sample.
#[allow(
    clippy::too_many_lines,
    reason = "each place of an attempt is a few lines"
)]
pub(super) fn draw(
    ui: &egui::Ui,
    state: &State,
    branch: &BranchReport,
    view: &View,
    layout: &Layout,
) {
    if state.settings.reduced_motion {
        return;
    }
    let p = Palette::of(ui);
    let painter = ui.painter();
    let patience = patience_ns(branch);
    let mut lines: BTreeMap<(u32, bool), Vec<&AttemptSnapshot>> = BTreeMap::new();
    let mut inside: BTreeMap<u32, Vec<&AttemptSnapshot>> = BTreeMap::new();
    let mut held: BTreeMap<u32, Vec<&AttemptSnapshot>> = BTreeMap::new();
    for attempt in &view.sample {
        match (attempt.place, attempt.server, attempt.instance) {
            (Whereabouts::Queued, Some(server), _) => {
                lines.entry((server, false)).or_default().push(attempt);
            }
            (Whereabouts::Lost, Some(server), _) => {
                lines.entry((server, true)).or_default().push(attempt);
            }
            (Whereabouts::InService | Whereabouts::Answered, Some(server), _) => {
                inside.entry(server).or_default().push(attempt);
            }
            (_, _, Some(instance)) => held.entry(instance).or_default().push(attempt),
            _ => {}
        }
    }
    let dot = |at: Pos2, attempt: &AttemptSnapshot| {
        let colour = hue((attempt.age_ns as f64 / patience) as f32, p);
        let radius = 1.6 + 2.4 * attempt.work_left as f32;
        if attempt.attempt == 0 {
            painter.circle_stroke(at, radius, Stroke::new(1.2, p.weak));
        } else if attempt.attempt > 1 {
            painter.rect_filled(
                Rect::from_center_size(at, Vec2::splat(radius * 1.8)),
                0.0,
                colour,
            );
        } else {
            painter.circle_filled(at, radius, colour);
        }
    };
    for ((server, lost), mut line) in lines {
        let edges: Vec<_> = layout
            .edges
            .iter()
            .filter(|e| e.server == server as usize)
            .collect();
        if edges.is_empty() {
            continue;
        }
        line.sort_by_key(|attempt| std::cmp::Reverse((attempt.age_ns, attempt.number)));
        let limit = branch.model.servers[server as usize]
            .params
            .queue_limit
            .clamp(1, 2000);
        let room = (f64::from(limit) / view.sample_every as f64).max(line.len() as f64);
        for (rank, attempt) in line.into_iter().enumerate() {
            let edge = edges[attempt.instance.unwrap_or(0) as usize % edges.len()];
            let t = 0.965 - 0.93 * (rank as f64 / room) as f32;
            // A line is as wide as it must be for its dots to be seen.
            let sway = ((attempt.number.wrapping_mul(0x9E37_79B9) >> 7) % 9) as f32 - 4.0;
            let wide = if lost { 1.1 } else { 0.8 };
            dot(
                along(edge.from, edge.to, t) + vec2(0.0, sway * wide),
                attempt,
            );
        }
    }
    for (server, mut attempts) in inside {
        let Some((_, rect)) = layout.servers.iter().find(|(s, _)| *s == server as usize) else {
            continue;
        };
        if rect.height() < 88.0 {
            continue;
        }
        attempts.sort_by_key(|attempt| attempt.number);
        let strip = Rect::from_min_max(
            pos2(rect.left() + 92.0, rect.bottom() - 22.0),
            pos2(rect.right() - 10.0, rect.bottom() - 6.0),
        );
        let pitch = (strip.width() / attempts.len() as f32).min(9.0);
        for (i, attempt) in attempts.into_iter().enumerate() {
            dot(
                pos2(strip.right() - pitch * (i as f32 + 0.5), strip.center().y),
                attempt,
            );
        }
    }
    for (instance, attempts) in held {
        let Some((_, rect)) = layout
            .instances
            .iter()
            .find(|(i, _)| *i == instance as usize)
        else {
            continue;
        };
        let per_row = ((rect.width() - 12.0) / 7.0).max(1.0) as usize;
        for (i, attempt) in attempts.into_iter().enumerate().take(per_row * 6) {
            let at = pos2((i % per_row) as f32, (i / per_row) as f32) * 7.0;
            dot(
                pos2(rect.left() + 9.0 + at.x, rect.bottom() + 7.0 + at.y),
                attempt,
            );
        }
    }
}

/// Height of a row of the legend.
const ROW: f32 = 17.0;
/// Widths that the legend wants, of one future and of two.
const WANTED: [f32; 2] = [980.0, 1180.0];

/// The share of the stage that the legend may take.
const MOST: f32 = 0.16;

/// Height of the legend in so much room.
pub(super) fn legend_height(room: Vec2, two: bool) -> f32 {
    let rows = (WANTED[usize::from(two)] / room.x.max(120.0)).ceil();
    let most = (room.y * MOST / ROW).floor().clamp(1.0, 5.0);
    ROW * rows.clamp(1.0, most) + 3.0
}

/// Entries one after the other, in as many rows as they need.
struct Entries<'a> {
    painter: egui::Painter,
    rect: Rect,
    at: Pos2,
    p: &'a Palette,
}

impl Entries<'_> {
    /// An entry: a mark of some width, and its words.
    fn entry(&mut self, width: f32, words: &str, mark: impl Fn(&egui::Painter, Pos2)) {
        let room = self.rect.width() - width - 10.0;
        let galley = crate::fit::galley(&self.painter, words, &font(10.5), self.p.weak, room);
        let end = self.at.x + width + galley.size().x;
        if end > self.rect.right() && self.at.x > self.rect.left() + 6.0 {
            self.at = pos2(self.rect.left() + 6.0, self.at.y + ROW);
        }
        // On a low stage the last of them give way.
        if self.at.y > self.rect.bottom() {
            return;
        }
        mark(&self.painter, self.at);
        let start = pos2(self.at.x + width, self.at.y - galley.size().y / 2.0);
        self.at.x = start.x + galley.size().x + 14.0;
        self.painter.galley(start, galley, self.p.weak);
    }
}

/// So many requests, in words.
fn many(every: u64) -> String {
    match every {
        1 => "1 request".to_owned(),
        every => format!("{every} requests"),
    }
}

/// What flies: how many each mark stands for, and what becomes of it.
fn on_their_way(flow: &mut Entries<'_>, flying: &[(usize, Flow)]) {
    let p = flow.p;
    let each = match flying {
        [] => return,
        [(a, first), (b, second)] if first.every != second.every => format!(
            "on the way: {} each in {}, {} in {}",
            many(first.every),
            letter(*a),
            many(second.every),
            letter(*b)
        ),
        [(_, first), ..] => format!("on the way: {} each", many(first.every)),
    };
    let dot = vec2(4.0, 0.0);
    flow.entry(13.0, &each, |painter, at| {
        painter.circle_filled(at + dot, 2.6, p.accent);
    });
    for (words, ink, square) in Flow::key(flying, p) {
        flow.entry(13.0, words, |painter, at| {
            if square {
                let square = Rect::from_center_size(at + dot, Vec2::splat(5.0));
                painter.rect_filled(square, 0.0, ink);
            } else {
                painter.circle_filled(at + dot, 2.4, ink);
            }
        });
    }
}

/// What the marks mean, of the futures that are drawn; `ghost`: what would be is drawn, too.
pub(super) fn legend(
    ui: &egui::Ui,
    rect: Rect,
    state: &State,
    (view, beside): (&View, Option<&View>),
    ghost: bool,
    flying: &[(usize, Flow)],
) {
    let p = Palette::of(ui);
    let Some(branch) = state.branch(view.branch) else {
        return;
    };
    let mut flow = Entries {
        painter: ui.painter().with_clip_rect(rect.intersect(ui.clip_rect())),
        rect,
        at: pos2(rect.left() + 6.0, rect.top() + 3.0 + ROW / 2.0),
        p,
    };
    if has_breakers(branch, view) {
        flow.entry(breaker::SAMPLES, breaker::SAMPLES_ARE, |painter, at| {
            breaker::samples(painter, at, p);
        });
    }
    if ghost {
        flow.entry(27.0, "to expect", |painter, at| {
            for y in [-3.0, 3.0] {
                let line = [at + vec2(0.0, y), at + vec2(21.0, y)];
                painter.extend(Shape::dashed_line(&line, Stroke::new(1.4, p.now), 6.0, 4.0));
            }
        });
    }
    if state.settings.reduced_motion {
        let words = "reduced motion: the thickness of a line is its share of the rate";
        return flow.entry(0.0, words, |_, _| {});
    }
    on_their_way(&mut flow, flying);
    // Each future is sampled by itself: a dot of one is not worth a dot of the other.
    let other = beside.and_then(|beside| Some((beside, state.branch(beside.branch)?)));
    let each = match other {
        Some((beside, _)) if beside.sample_every != view.sample_every => format!(
            "{} in {}, {} in {}",
            many(view.sample_every),
            letter(view.branch),
            many(beside.sample_every),
            letter(beside.branch)
        ),
        _ => many(view.sample_every),
    };
    let dot = vec2(4.0, 0.0);
    flow.entry(
        13.0,
        &format!("waiting or served: {each} each, size: work left"),
        |painter, at| {
            painter.circle_filled(at + dot, 3.6, p.accent);
        },
    );
    let patience = patience_ns(branch);
    let span = |patience| readable::span(Duration::from_nanos_f64(patience));
    let ages = match other.map(|(beside, branch)| (beside, patience_ns(branch))) {
        Some((beside, there)) if span(there) != span(patience) => format!(
            "age 0 to {} in {}, to {} in {}",
            span(patience),
            letter(view.branch),
            span(there),
            letter(beside.branch)
        ),
        _ => format!("age 0 to {}", span(patience)),
    };
    flow.entry(41.0, &ages, |painter, at| {
        for i in 0..24 {
            let share = i as f32 / 23.0;
            let step = Rect::from_min_size(at + vec2(i as f32 * 1.5, -3.0), vec2(1.6, 6.0));
            painter.rect_filled(step, 0.0, hue(share, p));
        }
    });
    flow.entry(13.0, "retry there", |painter, at| {
        let square = Rect::from_center_size(at + dot, Vec2::splat(6.5));
        painter.rect_filled(square, 0.0, p.accent);
    });
    flow.entry(13.0, "nobody waits for it", |painter, at| {
        painter.circle_stroke(at + dot, 3.2, Stroke::new(1.2, p.weak));
    });
}
