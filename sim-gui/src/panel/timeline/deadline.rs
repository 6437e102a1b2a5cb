//! The point of no return on the time line, once an experiment has found it: until when something helps, how surely, and
//! from when on it is too late.

use crate::experiment::Experiment;
use crate::state::{State, Stretch};
use crate::theme::{Palette, bold_font, mix};
use eframe::egui::{self, Rangef, Rect, Shape, Stroke, pos2};
use sim_core::report::DeadlineAnswer;
use sim_core::time::{Duration, Instant};

/// What is drawn of it.
pub(super) struct Marker<'a> {
    answer: DeadlineAnswer<'a>,
    /// The interval, or where it has none the earliest and the latest of the replications.
    band: (Instant, Instant),
    /// The last moment, where it is known with an interval.
    last: Option<Instant>,
}

impl<'a> Marker<'a> {
    /// What the latest experiment found; `None` where it found no such moment.
    pub(super) fn of(state: &'a State) -> Option<Self> {
        let answer = state
            .experiment
            .as_ref()
            .and_then(Experiment::last_moment)?;
        let last_s = &answer.found.last_s;
        let (low, high) = last_s.ends().or_else(|| answer.found.range_s())?;
        let at = |seconds: f64| Instant(Duration::from_secs_f64(seconds.max(0.0)).0);
        Some(Self {
            answer,
            band: (at(low), at(high)),
            last: last_s.interval().map(|interval| at(interval.mean)),
        })
    }

    /// The numbers, for the pointer.
    pub(super) fn told(&self) -> String {
        let answer = &self.answer;
        let range = answer
            .found
            .range_s()
            .map_or_else(String::new, |(first, last)| {
                let [first, last] = [first, last].map(|at_s| answer.at_s(at_s));
                format!("\nthe replications' moments: {first} to {last}")
            });
        format!("{}\n{}{range}", answer.verdict(), answer.difference())
    }

    /// Fills its lane: what is done helps, the interval, it is too late.
    pub(super) fn draw_lane(
        &self,
        painter: &egui::Painter,
        lane: Rect,
        shown: Stretch,
        p: &Palette,
    ) {
        let x = |at: Instant| shown.x(lane, at).clamp(lane.left(), lane.right());
        let (from, until) = self.answer.plan.between;
        let (low, high) = (x(self.band.0), x(self.band.1).max(x(self.band.0) + 2.0));
        // Where it can come too early, what lies before the last moment is not told by it.
        let early = self.answer.too_early().is_some();
        let helps = if early { p.line } else { p.good };
        let stretch =
            |from: f32, until: f32| Rect::from_x_y_ranges(Rangef::new(from, until), lane.y_range());
        let (before, after) = (stretch(x(from), low), stretch(high, x(until)));
        let fills = [mix(p.sunken, helps, 0.38), mix(p.sunken, p.bad, 0.30)];
        painter.rect_filled(before, 1.0, fills[0]);
        painter.rect_filled(after, 1.0, fills[1]);
        painter.rect_filled(stretch(low, high), 0.0, mix(p.sunken, p.bad, 0.85));
        let between = [self.band.0, self.band.1].map(|at| self.answer.at(at));
        let last = self.answer.last();
        let when = format!("until {}", last.unwrap_or_else(|| between.join(" to ")));
        let short = self.answer.act();
        // Whole where there is room for it, before the moment or after; in a small window the pointer says it.
        let words = [
            (before, format!("{short} helps {when}"), true),
            (after, format!("too late: {short} helps {when}"), false),
            (before, when.clone(), true),
            (after, format!("too late, {when}"), false),
            (after, "too late".to_owned(), false),
        ];
        let laid = words.into_iter().find_map(|(room, words, before)| {
            let galley = painter.layout_no_wrap(words, bold_font(9.5), p.text);
            (galley.size().x + 10.0 <= room.width()).then_some((room, galley, before))
        });
        if let Some((room, galley, before)) = laid {
            let left = if before {
                room.right() - 5.0 - galley.size().x
            } else {
                room.left() + 5.0
            };
            let top = lane.center().y - galley.size().y / 2.0;
            painter.galley(pos2(left, top), galley, p.text);
        }
    }

    /// The band and the moment across everything above.
    pub(super) fn draw_across(
        &self,
        painter: &egui::Painter,
        body: Rect,
        lanes: Rangef,
        shown: Stretch,
        p: &Palette,
    ) {
        let x = |at: Instant| shown.x(body, at);
        let painter = &painter.with_clip_rect(painter.clip_rect().intersect(body));
        let band = Rangef::new(x(self.band.0), x(self.band.1));
        painter.rect_filled(
            Rect::from_x_y_ranges(band, lanes),
            0.0,
            p.bad.gamma_multiply(0.14),
        );
        if let Some(last) = self.last {
            let line = [pos2(x(last), lanes.min), pos2(x(last), lanes.max)];
            painter.extend(Shape::dashed_line(&line, Stroke::new(1.5, p.bad), 4.0, 3.0));
        }
    }
}
