//! Requests on their way: from visitors to a balancer, to a server, and back.
//!
//! What passes a way is counted from its rate over time, so the n-th request is at the same place whenever the same moment
//! is shown, played or gone back to. Up to a number that can be told apart each mark is a request; of more, each stands for
//! two, four, eight … A flight takes as long on the clock on the wall at any speed.

use super::along;
use super::layout::Layout;
use crate::playback::breaker::{Breaker, Post, Throw};
use crate::playback::transport::played_as_fast_as_possible;
use crate::playback::{BranchReport, Column, View};
use crate::state::State;
use crate::theme::Palette;
use eframe::egui::{self, Painter, Pos2, Rect, Vec2, pos2, vec2};
use sim_core::engine::MachineState;
use sim_core::outcome::Outcome;
use sim_core::time::Instant;
use std::cell::RefCell;
use std::collections::BTreeMap;

/// Seconds on the clock on the wall that a flight takes.
const FLIGHT_S: f64 = 0.9;
/// Marks of requests on their way at once, about; answers and failures are about as many again.
const MARKS: f64 = 160.0;
/// Rows after which counting begins anew: counts stay small, and little is added up.
const ANCHOR: usize = 64;
/// Marks in a heap before a dead balancer at most, and flights that it holds.
const HEAP: u64 = 48;
const HEAP_FLIGHTS: f64 = 4.0;

/// Numbers of those that began their flight within a stretch of time that ends now.
#[derive(Clone, Copy, PartialEq, Debug)]
struct Passing {
    first: f64,
    last: f64,
}

impl Passing {
    /// Of a rate, row by row, at a moment, for flights of so many nanoseconds.
    fn at(at: Instant, row_ns: u64, flight_ns: f64, rate: impl Fn(usize) -> f64) -> Self {
        let row = (at.0 / row_ns) as usize;
        let within = (at.0 % row_ns) as f64;
        let per_ns = |row| rate(row) * 1e-9;
        let anchor = row - row % ANCHOR;
        let before: f64 = (anchor..row).map(|row| per_ns(row) * row_ns as f64).sum();
        let last = before + per_ns(row) * within;
        // Back from now, row by row.
        let (mut left, mut first) = (flight_ns, last);
        let (mut row, mut span) = (row, within);
        loop {
            let part = left.min(span);
            first -= per_ns(row) * part;
            left -= part;
            if left <= 0.0 || row == 0 {
                return Self { first, last };
            }
            (row, span) = (row - 1, row_ns as f64);
        }
    }

    fn len(self) -> f64 {
        self.last - self.first
    }

    /// Every so many-th of them: its number, and how much of the flight is behind it.
    fn each(self, every: f64) -> impl Iterator<Item = (i64, f32)> {
        let number = |count: f64| (count / every).floor() as i64;
        let numbers = (number(self.first)..number(self.last)).map(|before| before + 1);
        numbers.map(move |number| {
            let gone = (self.last - number as f64 * every) / self.len();
            (number, gone.clamp(0.0, 1.0) as f32)
        })
    }
}

/// Rates of a branch at a moment.
struct Rates<'a> {
    branch: &'a BranchReport,
    at: Instant,
    flight_ns: f64,
}

impl Rates<'_> {
    fn passing(&self, rate: impl Fn(usize) -> f64) -> Passing {
        // What is not simulated yet goes on as before.
        let known = self.branch.series.len();
        let row_ns = self.branch.series.row_ns();
        let rate = |row: usize| known.checked_sub(1).map_or(0.0, |last| rate(row.min(last)));
        Passing::at(self.at, row_ns, self.flight_ns, rate)
    }

    fn of(&self, column: Option<Column>, row: usize) -> f64 {
        let value = column.and_then(|column| self.branch.series.value(column, row));
        value.unwrap_or(0.0).max(0.0)
    }

    fn source(&self, source: usize, name: &str, row: usize) -> f64 {
        self.of(Column::source(source, name), row)
    }

    fn server(&self, server: usize, name: &str, row: usize) -> f64 {
        self.of(Column::server(server, name), row)
    }

    /// What a balancer instance sends to a server of its service.
    fn way(&self, view: &View, instance: usize, local: usize, row: usize) -> f64 {
        if let Some(way) = self.branch.series.way(instance, local) {
            return self.of(Some(way), row);
        }
        let service = view.snapshot.instances[instance].service;
        let peers = view
            .snapshot
            .instances
            .iter()
            .filter(|i| i.service == service);
        let servers = &self.branch.model.services[service as usize].servers;
        let server = servers
            .get(local)
            .map_or(0.0, |id| self.server(id.0 as usize, "attempts_hz", row));
        server / peers.count().max(1) as f64
    }

    /// Of what fails, the share that somebody gave up waiting for; the rest was turned away or broken off.
    fn given_up(&self, row: usize) -> f64 {
        let slow = [
            Outcome::TimedOut,
            Outcome::Abandoned,
            Outcome::ConnectTimedOut,
        ];
        let of = |outcome| self.of(Some(Column::Outcome(outcome)), row);
        let failed = Outcome::ALL
            .into_iter()
            .filter(|o| *o != Outcome::Succeeded);
        let all: f64 = failed.map(of).sum();
        let slow: f64 = slow.into_iter().map(of).sum();
        if all > 0.0 { slow / all } else { 0.0 }
    }
}

/// What flies.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    Request,
    /// A further attempt.
    Retry,
    Answer,
    /// Turned away, or broken off: it bounces and falls.
    TurnedAway,
    /// Given up: it fades.
    GivenUp,
}

/// A way with what passes it.
struct Stream {
    kind: Kind,
    from: Pos2,
    to: Pos2,
    passing: Passing,
}

/// Everything that is on its way in a picture.
pub(crate) struct Flow {
    streams: Vec<Stream>,
    heaps: Vec<(Rect, Passing)>,
    /// A mark stands for so many.
    pub(super) every: u64,
}

impl Flow {
    /// What is on its way at the moment of a view; nothing where nothing may move.
    pub(super) fn of(
        state: &State,
        branch: &BranchReport,
        view: &View,
        layout: &Layout,
        breakers: &[Breaker],
    ) -> Self {
        let mut flow = Self {
            streams: Vec::new(),
            heaps: Vec::new(),
            every: 1,
        };
        let transport = state.report.as_ref().map(|report| report.transport);
        if state.settings.reduced_motion || branch.series.is_empty() {
            return flow;
        }
        let speed = transport.map_or(1.0, |transport| transport.speed);
        let speed = if speed.is_finite() {
            speed
        } else {
            played_as_fast_as_possible(Instant(branch.model.horizon.0))
        };
        let rates = Rates {
            branch,
            at: view.at,
            flight_ns: FLIGHT_S * speed * 1e9,
        };
        flow.between(&rates, view, layout);
        flow.outside(&rates, view, layout, breakers);
        let most = |kinds: &[Kind]| {
            let of = flow.streams.iter().filter(|s| kinds.contains(&s.kind));
            of.map(|stream| stream.passing.len()).sum::<f64>()
        };
        let there = most(&[Kind::Request, Kind::Retry]);
        let back = most(&[Kind::Answer, Kind::TurnedAway, Kind::GivenUp]);
        let many = there.max(back) / MARKS;
        flow.every = (many.ceil().max(1.0) as u64).next_power_of_two();
        flow
    }

    fn add(&mut self, kind: Kind, from: Pos2, to: Pos2, passing: Passing) {
        if passing.len() > 0.0 {
            self.streams.push(Stream {
                kind,
                from,
                to,
                passing,
            });
        }
    }

    /// Between balancer instances and servers.
    fn between(&mut self, rates: &Rates<'_>, view: &View, layout: &Layout) {
        for edge in &layout.edges {
            let sent = |row| rates.way(view, edge.instance, edge.local, row);
            // Of what a server answers, each instance gets the share that it sends.
            let share = |row| {
                let all = rates.server(edge.server, "attempts_hz", row);
                if all > 0.0 {
                    (sent(row) / all).min(1.0)
                } else {
                    0.0
                }
            };
            let failed = |row| rates.server(edge.server, "failed_hz", row) * share(row);
            let answered = |row| (sent(row) - failed(row)).max(0.0);
            let (from, to) = (edge.from, edge.to);
            self.add(Kind::Request, from, to, rates.passing(sent));
            self.add(Kind::Answer, to, from, rates.passing(answered));
            let gone = |row| failed(row) * rates.given_up(row);
            self.add(Kind::GivenUp, to, from, rates.passing(gone));
            let gone = |row| failed(row) * (1.0 - rates.given_up(row));
            self.add(Kind::TurnedAway, to, from, rates.passing(gone));
        }
        for map in &layout.maps {
            let sent = |row| {
                let each = map.servers.iter();
                each.map(|local| rates.way(view, map.instance, *local, row))
                    .sum()
            };
            self.add(Kind::Request, map.from, map.to, rates.passing(sent));
        }
    }

    /// Between each source and the balancer instances that it asks.
    fn outside(&mut self, rates: &Rates<'_>, view: &View, layout: &Layout, breakers: &[Breaker]) {
        let servers = |instance: usize| {
            let service = view.snapshot.instances[instance].service as usize;
            rates.branch.model.services[service].servers.len()
        };
        // Of each instance it is wanted for every source and everything that flies.
        let known = RefCell::new(BTreeMap::new());
        let sends = |instance: usize, row: usize| {
            *known
                .borrow_mut()
                .entry((instance, row))
                .or_insert_with(|| {
                    let each = 0..servers(instance);
                    each.map(|local| rates.way(view, instance, local, row))
                        .sum::<f64>()
                })
        };
        for way in &layout.ways_in {
            let post = Post::Source(way.source);
            let mut own = breakers.iter().filter(|breaker| breaker.post == post);
            let open = own.any(|breaker| breaker.throw == Throw::Open);
            let others = layout.ways_in.iter().filter(|o| o.source == way.source);
            let alone = others.clone().count() == 1;
            // To each what it sends on; where none does, to all the same.
            let share = |row: usize| {
                if alone {
                    return 1.0;
                }
                let all: f64 = others.clone().map(|other| sends(other.instance, row)).sum();
                if all > 0.0 {
                    sends(way.instance, row) / all
                } else {
                    1.0 / others.clone().count() as f64
                }
            };
            let of = |name, row| rates.source(way.source, name, row) * share(row);
            // What an open circuit breaker turns away never leaves its source, further attempts neither.
            let kept = |row| if open { of("shed_hz", row) } else { 0.0 };
            let offered = |row| (of("offered_hz", row) - kept(row)).max(0.0);
            let again = |row| (of("attempts_hz", row) - of("offered_hz", row)).max(0.0);
            let retries = |row| if open { 0.0 } else { again(row) };
            let answered = |row| of("goodput_hz", row);
            let (from, to) = (way.from, way.to);
            self.add(Kind::Request, from, to, rates.passing(offered));
            self.add(Kind::Retry, from, to, rates.passing(retries));
            self.add(Kind::Answer, to, from, rates.passing(answered));
            let switch = from + vec2(super::breaker::SIZE.x + 4.0, 0.0);
            self.add(Kind::TurnedAway, switch, from, rates.passing(kept));
            let slow = |row| (of("failed_hz", row) - kept(row)).max(0.0) * rates.given_up(row);
            self.add(Kind::GivenUp, to, from, rates.passing(slow));
            if view.snapshot.instances[way.instance].state == MachineState::Up {
                continue;
            }
            let all = |row| offered(row) + retries(row);
            self.add(Kind::TurnedAway, to, from, rates.passing(all));
            let long = Rates {
                flight_ns: rates.flight_ns * HEAP_FLIGHTS,
                ..*rates
            };
            let heap = Rect::from_min_max(pos2(from.x, to.y - 30.0), to);
            self.heaps.push((heap, long.passing(all)));
        }
    }

    /// Draws it.
    pub(super) fn draw(&self, painter: &Painter, p: &Palette) {
        let every = self.every as f64;
        for (place, passing) in &self.heaps {
            let count = (passing.len() / every).min(HEAP as f64) as u64;
            for number in 0..count {
                painter.circle_filled(heaped(*place, number), 2.6, p.bad);
            }
        }
        for stream in &self.streams {
            let (from, to) = (stream.from, stream.to);
            let aside = vec2(0.0, 4.0);
            for (number, gone) in stream.passing.each(every) {
                match stream.kind {
                    Kind::Request => {
                        painter.circle_filled(along(from, to, gone) - aside, 2.6, p.accent);
                    }
                    Kind::Retry => {
                        // A loop below the way of first attempts.
                        let loop_ = vec2(0.0, 26.0 * (std::f32::consts::PI * gone).sin());
                        let at = along(from, to, gone) + loop_;
                        painter.rect_filled(
                            Rect::from_center_size(at, Vec2::splat(5.0)),
                            0.0,
                            p.warn,
                        );
                    }
                    Kind::Answer => {
                        painter.circle_filled(along(from, to, gone) + aside, 2.0, p.good);
                    }
                    Kind::GivenUp => {
                        let ink = p.warn.gamma_multiply(1.0 - gone);
                        painter.circle_filled(along(from, to, gone * 0.5) + aside, 2.4, ink);
                    }
                    Kind::TurnedAway => {
                        // Each leaves at an angle of its own, and falls.
                        let angle = (number.rem_euclid(7) as f32 - 3.0) / 3.0;
                        let back = if to.x < from.x { -1.0 } else { 1.0 };
                        let x = back * (14.0 + 30.0 * gone) * (1.0 + 0.3 * angle);
                        let y = -22.0 * gone * (1.0 - angle * 0.4) + 78.0 * gone * gone;
                        let ink = p.bad.gamma_multiply(1.0 - gone * gone);
                        painter.circle_filled(from + vec2(x * gone, y), 2.4, ink);
                    }
                }
            }
        }
    }

    /// Whether anything of a kind is on its way.
    fn has(&self, kind: Kind) -> bool {
        self.streams.iter().any(|stream| stream.kind == kind)
    }

    /// What marks mean, of those that there are in any of several pictures: a word, a colour, and whether it is a square.
    pub(super) fn key(
        flows: &[(usize, Self)],
        p: &Palette,
    ) -> Vec<(&'static str, egui::Color32, bool)> {
        let entries = [
            (Kind::Retry, "tried again", p.warn, true),
            (Kind::Answer, "answer", p.good, false),
            (Kind::GivenUp, "given up, fades", p.warn, false),
            (Kind::TurnedAway, "turned away, falls", p.bad, false),
        ];
        let has = |kind| flows.iter().any(|(_, flow)| flow.has(kind));
        let there = entries.into_iter().filter(|(kind, ..)| has(*kind));
        there
            .map(|(_, word, ink, square)| (word, ink, square))
            .collect()
    }
}

/// Where a mark of a heap lies: rows of eight, from the ground up, each a little narrower.
fn heaped(place: Rect, number: u64) -> Pos2 {
    let mut row = 0;
    let mut left = number;
    while left >= 12 - row.min(10) {
        left -= 12 - row.min(10);
        row += 1;
    }
    let right = place.right() - 5.0 - row as f32 * 3.0;
    pos2(
        right - left as f32 * 6.0,
        place.bottom() + 26.0 - row as f32 * 5.5,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROW: u64 = 5_000_000_000;

    #[test]
    fn as_many_fly_as_the_rate_says_and_each_goes_from_end_to_end() {
        let at = |s: f64| Passing::at(Instant((s * 1e9) as u64), ROW, 2e9, |_| 50.0);
        let now = at(12.0);
        assert!((now.len() - 100.0).abs() < 1e-6, "{now:?}");
        assert_eq!(now.each(1.0).count(), 100);
        assert_eq!(now.each(4.0).count(), 25);
        // A tenth of a second later each is a twentieth further.
        let before: Vec<_> = now.each(4.0).collect();
        let later = at(12.1);
        for (number, gone) in later.each(4.0) {
            if let Some((_, was)) = before.iter().find(|(other, _)| *other == number) {
                assert!((gone - was - 0.05).abs() < 1e-3, "{number}: {was} {gone}");
            }
        }
    }

    #[test]
    fn rates_that_change_are_counted_row_by_row() {
        let rate = |row: usize| [0.0, 10.0, 100.0][row.min(2)];
        let passing = Passing::at(Instant(11_000_000_000), ROW, 3e9, rate);
        // One second of 100 a second, two of 10.
        assert!((passing.len() - 120.0).abs() < 1e-6, "{passing:?}");
        let nothing = Passing::at(Instant(3_000_000_000), ROW, 9e9, rate);
        assert_eq!(nothing.each(1.0).count(), 0);
        // At the very beginning.
        let begin = Passing::at(Instant(0), ROW, 9e9, |_| 7.0);
        assert_eq!(begin.each(1.0).count(), 0);
    }

    #[test]
    fn a_heap_has_its_place() {
        let place = Rect::from_min_max(pos2(0.0, 0.0), pos2(100.0, 30.0));
        let all: Vec<Pos2> = (0..HEAP).map(|number| heaped(place, number)).collect();
        for (i, one) in all.iter().enumerate() {
            assert!(all[i + 1..].iter().all(|other| other.distance(*one) > 4.0));
        }
    }
}
