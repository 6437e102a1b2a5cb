//! The rate of a source over time: one straight line after another, which may repeat for ever.
//!
//! What repeats is kept once, so that a run may hold any number of turns: each question takes the steps
//! of two turns at most, and whole turns in between are one multiplication.

use crate::time::{Duration, Instant, SECOND};
use std::sync::Arc;

/// A corner of a piecewise-linear rate.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct RatePoint {
    /// When.
    pub at: Instant,
    /// Requests per second, zero or more.
    pub rate_hz: f64,
}

/// Requests per second over time, piecewise linear: constant after the last corner, or beginning anew.
#[derive(Clone, PartialEq, Debug)]
pub struct Rate {
    /// Never empty, ascending; the first is at zero. Of a line that repeats, those of one turn.
    corners: Arc<[RatePoint]>,
    /// After what the line begins anew.
    turn: Option<Turn>,
}

/// One time through a line that repeats.
#[derive(Clone, Copy, PartialEq, Debug)]
struct Turn {
    /// How long it takes, in nanoseconds: longer than until its last corner.
    ns: u64,
    /// Requests expected in it.
    expected: f64,
}

/// A place on the line: the corner before it, and when the turn began that it is in.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Place {
    turn_ns: u64,
    corner: usize,
}

impl Rate {
    /// The same at all times.
    pub fn constant(rate_hz: f64) -> Self {
        let at = Instant::ZERO;
        Self::line(vec![RatePoint { at, rate_hz }])
    }

    /// From corner to corner, and constant after the last.
    pub fn line(corners: Vec<RatePoint>) -> Self {
        Self::new(corners, None)
    }

    /// From corner to corner, from the last to the first, and so on for ever; `turn` is the time from a
    /// corner to its next return.
    pub fn repeating(corners: Vec<RatePoint>, turn: Duration) -> Self {
        let (ns, expected) = (turn.0, 0.0);
        let mut rate = Self::new(corners, Some(Turn { ns, expected }));
        let expected = rate.walked(Place::default(), 0, ns);
        rate.turn = Some(Turn { ns, expected });
        rate
    }

    fn new(corners: Vec<RatePoint>, turn: Option<Turn>) -> Self {
        assert!(
            corners.first().is_some_and(|first| first.at.0 == 0)
                && corners.windows(2).all(|pair| pair[0].at < pair[1].at)
                && turn.is_none_or(|turn| corners.iter().all(|corner| corner.at.0 < turn.ns)),
            "corners begin at zero and ascend within a turn"
        );
        Self {
            corners: corners.into(),
            turn,
        }
    }

    /// The same shape, so many times as high.
    #[must_use]
    pub fn scaled(self, factor: f64) -> Self {
        let mut corners = self.corners.to_vec();
        for corner in &mut corners {
            corner.rate_hz *= factor;
        }
        match self.turn {
            None => Self::line(corners),
            Some(turn) => Self::repeating(corners, Duration(turn.ns)),
        }
    }

    /// Whether it is written as one number.
    pub fn is_constant(&self) -> bool {
        self.corners.len() == 1
    }

    /// Whether it is not the same at all times.
    pub fn varies(&self) -> bool {
        let first = self.corners[0].rate_hz.to_bits();
        (self.corners.iter()).any(|corner| corner.rate_hz.to_bits() != first)
    }

    /// Whether nothing ever comes.
    pub fn is_zero(&self) -> bool {
        self.corners.iter().all(|corner| corner.rate_hz <= 0.0)
    }

    /// The rate at the start of a run.
    pub fn initial_hz(&self) -> f64 {
        self.corners[0].rate_hz
    }

    /// Corners of the line, or of one turn.
    pub fn pieces(&self) -> usize {
        self.corners.len()
    }

    /// The rate at a moment.
    pub fn at(&self, at: Instant) -> f64 {
        let place = self.place_at(at.0);
        let here = self.corner(place);
        match self.following(place) {
            Some(next) => between(here, self.corner(next), at.0),
            None => here.rate_hz,
        }
    }

    /// The corners from a moment on, with the one at or before it; without end where the line repeats.
    pub fn corners_from(&self, at: Instant) -> impl Iterator<Item = RatePoint> {
        let places =
            std::iter::successors(Some(self.place_at(at.0)), |place| self.following(*place));
        places.map(|place| self.corner(place))
    }

    /// Requests expected between two moments, in nanoseconds.
    pub fn expected(&self, from: u64, until: u64) -> f64 {
        let mut turns = 0.0;
        let mut from = from.min(until);
        if let Some(turn) = self.turn
            && (until - from) / turn.ns > 2
        {
            let whole = (until - from) / turn.ns;
            turns = whole as f64 * turn.expected;
            from += whole * turn.ns;
        }
        turns + self.walked(self.place_at(from), from, until)
    }

    /// When `gap` more requests will have been expected since `from`, in nanoseconds; `None`: never.
    /// `place` is one at or before `from`, and is brought to it.
    pub fn reached(&self, place: &mut Place, from: u64, gap: f64) -> Option<u64> {
        if let Some(at) = self.reached_on_level(*place, from, gap) {
            return Some(at);
        }
        self.bring(place, from);
        if self.turn.is_some_and(|turn| turn.expected <= 0.0) {
            return None;
        }
        let (mut place, mut at, mut gap) = (*place, from, gap);
        let mut steps = 0;
        loop {
            let here = self.corner(place);
            let Some(following) = self.following(place) else {
                return (here.rate_hz > 0.0).then(|| later(at, gap / here.rate_hz));
            };
            let next = self.corner(following);
            let rate = between(here, next, at);
            let slope = (next.rate_hz - here.rate_hz) / (next.at - here.at).as_secs_f64();
            let span = (next.at.0 - at) as f64 / SECOND as f64;
            let expected = (rate + 0.5 * slope * span) * span;
            if expected >= gap && expected > 0.0 {
                // The root of rate·x + slope·x²/2 = gap, in the form that does not cancel.
                let x = 2.0 * gap / (rate + (rate * rate + 2.0 * slope * gap).max(0.0).sqrt());
                return Some(later(at, x).min(next.at.0));
            }
            gap -= expected;
            (at, place) = (next.at.0, following);
            steps += 1;
            if let Some(turn) = self.turn
                && steps == 2 * self.corners.len()
            {
                let whole = (gap / turn.expected).floor().max(0.0);
                let Some(passed) = (turn.ns).checked_mul(whole as u64) else {
                    return Some(u64::MAX);
                };
                let Some(later) = at.checked_add(passed) else {
                    return Some(u64::MAX);
                };
                gap = (gap - whole * turn.expected).max(0.0);
                (at, place.turn_ns) = (later, place.turn_ns + passed);
            }
        }
    }

    /// The same where the rate is level at the place, to the last bit, with fewer divisions; `None` where it
    /// is not, or not for long enough.
    #[inline]
    fn reached_on_level(&self, place: Place, from: u64, gap: f64) -> Option<u64> {
        let [here, next] = self.corners.get(place.corner..)?.first_chunk()?;
        let level = here.rate_hz.to_bits() == next.rate_hz.to_bits();
        if !level || place.turn_ns > 0 || from < here.at.0 || from >= next.at.0 {
            return None;
        }
        let expected = here.rate_hz * ((next.at.0 - from) as f64 / SECOND as f64);
        let reached = expected >= gap && expected > 0.0;
        reached.then(|| later(from, gap / here.rate_hz).min(next.at.0))
    }

    /// The place of a moment, in nanoseconds.
    fn place_at(&self, at: u64) -> Place {
        let turn_ns = self.turn.map_or(0, |turn| at / turn.ns * turn.ns);
        let after = self.corners.partition_point(|c| c.at.0 <= at - turn_ns);
        let corner = after.saturating_sub(1);
        Place { turn_ns, corner }
    }

    /// Brings a place at or before a moment to it: step by step where it is near.
    fn bring(&self, place: &mut Place, at: u64) {
        if let Some(turn) = self.turn
            && (at.saturating_sub(place.turn_ns)) / 2 > turn.ns
        {
            *place = self.place_at(at);
            return;
        }
        while let Some(next) = self.following(*place) {
            if self.corner(next).at.0 > at {
                break;
            }
            *place = next;
        }
    }

    fn corner(&self, place: Place) -> RatePoint {
        let RatePoint { at, rate_hz } = self.corners[place.corner];
        let at = Instant(at.0 + place.turn_ns);
        RatePoint { at, rate_hz }
    }

    /// The corner after a place; `None` after the last, and at the end of time.
    fn following(&self, place: Place) -> Option<Place> {
        let corner = place.corner + 1;
        if corner < self.corners.len() {
            let at = self.corners[corner].at.0;
            let there = place.turn_ns.checked_add(at).is_some();
            return there.then_some(Place { corner, ..place });
        }
        let turn_ns = place.turn_ns.checked_add(self.turn?.ns)?;
        Some(Place { turn_ns, corner: 0 })
    }

    /// Requests expected between two moments, piece by piece; `place` is that of the first.
    fn walked(&self, mut place: Place, from: u64, until: u64) -> f64 {
        let (mut at, mut total) = (from, 0.0);
        while at < until {
            let here = self.corner(place);
            let following = self.following(place);
            let next = following.map(|place| self.corner(place));
            let end = next.map_or(until, |next| until.min(next.at.0));
            let (first, last) = match next {
                Some(next) => (between(here, next, at), between(here, next, end)),
                None => (here.rate_hz, here.rate_hz),
            };
            total += 0.5 * (first + last) * (end - at) as f64 / SECOND as f64;
            at = end;
            place = following.unwrap_or(place);
        }
        total
    }
}

fn later(at: u64, seconds: f64) -> u64 {
    at.saturating_add(Duration::from_secs_f64(seconds).0)
}

/// The rate at a moment between two corners.
fn between(here: RatePoint, next: RatePoint, at: u64) -> f64 {
    let share = (at - here.at.0) as f64 / (next.at.0 - here.at.0) as f64;
    here.rate_hz + (next.rate_hz - here.rate_hz) * share
}

#[cfg(test)]
mod tests {
    use super::*;

    fn points(corners: &[(u64, f64)]) -> Vec<RatePoint> {
        let point = |&(at, rate_hz)| RatePoint {
            at: Instant(at),
            rate_hz,
        };
        corners.iter().map(point).collect()
    }

    /// Up from 1 to 3 per second and down again within four seconds: eight requests.
    fn tent() -> Rate {
        let half = 2 * SECOND;
        Rate::repeating(points(&[(0, 1.0), (half, 3.0)]), Duration(2 * half))
    }

    #[test]
    fn what_repeats_is_the_same_in_every_turn() {
        for turn in [0, 1, 7, 1_000_000_000] {
            let start = turn * 4 * SECOND;
            for (second, rate) in [(0, 1.0), (1, 2.0), (2, 3.0), (3, 2.0)] {
                let at = Instant(start + second * SECOND);
                assert!(
                    (tent().at(at) - rate).abs() < 1e-12,
                    "turn {turn}, {second} s"
                );
            }
        }
        let times: Vec<u64> = tent()
            .corners_from(Instant(5 * SECOND))
            .take(4)
            .map(|corner| corner.at.0 / SECOND)
            .collect();
        assert_eq!(times, [4, 6, 8, 10]);
    }

    #[test]
    fn a_gap_ends_where_as_much_is_expected() {
        // From near to very far, over turns without number.
        for gap in [0.1, 1.0, 7.5, 8.0, 16.3, 100.0, 8e6 + 3.0] {
            for from in [0, SECOND, 7 * SECOND + 5, 4_000_000_001 * SECOND] {
                let mut place = Place::default();
                let at = tent().reached(&mut place, from, gap).expect("some time");
                let expected = tent().expected(from, at);
                assert!(
                    (expected - gap).abs() < 1e-7 + 1e-12 * gap,
                    "{gap} after {from}: {expected} until {at}"
                );
                let again = tent().reached(&mut place, from, gap);
                assert_eq!(again, Some(at), "the place was brought there");
            }
        }
    }

    #[test]
    fn nothing_never_comes_and_the_end_of_time_is_no_trap() {
        let never = Rate::repeating(points(&[(0, 0.0)]), Duration(1));
        assert_eq!(never.reached(&mut Place::default(), 5, 1.0), None);
        assert!(never.is_zero());
        let fast = Rate::repeating(points(&[(0, 1e-9), (500, 2e-9)]), Duration(1000));
        let at = fast.reached(&mut Place::default(), u64::MAX - 10, 1e3);
        assert!(at.is_none_or(|at| at >= u64::MAX - 10), "{at:?}");
        assert_eq!(fast.reached(&mut Place::default(), 0, 1e30), Some(u64::MAX));
    }

    #[test]
    fn a_line_ends_constant() {
        let line = Rate::line(points(&[(0, 0.0), (SECOND, 2.0)])).scaled(2.0);
        assert!((line.at(Instant(SECOND / 2)) - 2.0).abs() < 1e-12);
        assert!((line.at(Instant(90 * SECOND)) - 4.0).abs() < 1e-12);
        assert!((line.expected(0, 3 * SECOND) - 10.0).abs() < 1e-12);
        let at = line.reached(&mut Place::default(), 0, 10.0);
        assert_eq!(at, Some(3 * SECOND));
    }
}
