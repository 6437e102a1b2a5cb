//! A picture of a model, made of the model: what it is built of, what is planned to come, and how it begins when it is
//! simulated for a moment.
//!
//! Only what can be seen is simulated, one model at a time, some thousand events with each frame, and kept as a few numbers.

use crate::panel::topology::depths;
use crate::playback::source_at;
use crate::theme::{Palette, mix};
use eframe::egui::{Color32, Painter, Rect, Shape, Stroke, Vec2, pos2, vec2};
use sim_core::engine::Simulation;
use sim_core::metric::Scope;
use sim_core::model::Model;
use sim_core::outcome::Outcome;
use sim_core::readable;
use sim_core::scenario::Scenario;
use sim_core::time::{Duration, Instant};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Size of a picture.
pub(super) const SIZE: Vec2 = vec2(156.0, 46.0);
/// Events that a model is simulated for, and how often it is asked in a frame whether that is enough: every 32 events.
const EVENTS: u64 = 120_000;
const LOOKS: u32 = 200;
/// Points of a curve.
const POINTS: usize = 56;
/// Servers of a service drawn one by one.
const SERVERS: usize = 8;

/// What a model is built of.
#[derive(Clone, PartialEq, Debug)]
struct Service {
    column: usize,
    /// Place among the services of its column, and how many there are.
    row: (usize, usize),
    instances: usize,
    servers: usize,
    /// Services that it asks.
    asks: Vec<usize>,
    /// Whether sources ask it.
    asked: bool,
}

/// A picture of a model, as numbers.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Thumb {
    services: Vec<Service>,
    columns: usize,
    sources: usize,
    /// What is planned to come over the whole run, as shares of the most; nothing where no rate says.
    planned: Vec<f32>,
    /// When the time line does something, as shares of the run.
    entries: Vec<f32>,
    /// Answered and failed requests over the first moments, as shares of the most of both together.
    answered: Vec<f32>,
    failed: Vec<f32>,
    /// How long those are.
    seen: Duration,
}

impl Thumb {
    fn of(model: &Model) -> Self {
        let depths = depths(model);
        let service = |(number, service): (usize, &sim_core::model::Service)| {
            let peers = (0..depths.len()).filter(|other| depths[*other] == depths[number]);
            let before = peers.clone().filter(|other| *other < number).count();
            let asks = service.asks().map(|ask| ask.to.0 as usize);
            Service {
                column: depths[number],
                row: (before, peers.count()),
                instances: service.balancer.instances as usize,
                servers: service.servers.len(),
                asks: asks.collect(),
                asked: model
                    .sources
                    .iter()
                    .any(|source| source.to.0 as usize == number),
            }
        };
        let horizon = model.horizon.0.max(1);
        let at = |point: usize| Instant(horizon / POINTS as u64 * point as u64);
        let rate = |at: Instant| {
            let each = 0..model.sources.len();
            each.map(|source| source_at(model, source, at).rate.at(at))
                .sum()
        };
        let planned: Vec<f64> = (0..POINTS).map(|point| rate(at(point))).collect();
        Self {
            services: model.services.iter().enumerate().map(service).collect(),
            columns: depths.iter().max().map_or(1, |deepest| deepest + 1),
            sources: model.sources.len(),
            planned: shares(&planned, planned.iter().copied().fold(0.0, f64::max)),
            entries: model
                .timeline
                .iter()
                .map(|entry| (entry.at.0 as f64 / horizon as f64) as f32)
                .collect(),
            answered: Vec::new(),
            failed: Vec::new(),
            seen: Duration::ZERO,
        }
    }

    /// What a simulation has come to, point by point.
    fn see(&mut self, simulation: &Simulation) {
        let history = simulation.recorder().history();
        let len = history.len();
        self.seen = Duration(len as u64 * history.interval_ns());
        let points = len.min(POINTS);
        let point = |point: usize| {
            let range = point * len / points..(point + 1) * len / points;
            let total = history.total(Scope::Site, range);
            let window = total.window();
            let answered = window.outcome_hz(Outcome::Succeeded).unwrap_or(0.0);
            let all = window.ended() as f64 / window.span_s.max(1e-9);
            (answered, all - answered)
        };
        let (answered, failed): (Vec<f64>, Vec<f64>) = (0..points).map(point).unzip();
        let most = answered.iter().zip(&failed).map(|(a, f)| a + f);
        let most = most.fold(0.0, f64::max);
        (self.answered, self.failed) = (shares(&answered, most), shares(&failed, most));
    }

    /// What it shows, in words.
    pub(super) fn words(&self) -> String {
        let plural = |count: usize, word: &str| match count {
            1 => format!("1 {word}"),
            several => format!("{several} {word}s"),
        };
        let servers = self.services.iter().map(|service| service.servers).sum();
        let built = format!(
            "{}, {}, {}",
            plural(self.sources, "source"),
            plural(self.services.len(), "service"),
            plural(servers, "server")
        );
        let failed = self.failed.iter().any(|share| *share > 0.0);
        let seen = match self.answered.as_slice() {
            [] => "nothing is simulated of it yet".to_owned(),
            _ => format!(
                "simulated for its first {}: {}",
                readable::span(self.seen),
                if failed {
                    "some requests fail"
                } else {
                    "no request fails"
                }
            ),
        };
        format!(
            "{built}; {seen}; below, the planned rate over the whole run, with a tick for each entry of its time line"
        )
    }

    /// Draws it.
    pub(super) fn draw(&self, painter: &Painter, rect: Rect, p: &Palette) {
        painter.rect_filled(rect, 4.0, p.sunken);
        let inner = rect.shrink2(vec2(6.0, 5.0));
        let (left, right) = inner.split_left_right_at_fraction(0.5);
        self.topology(painter, left.with_max_x(left.right() - 5.0), p);
        let (upper, lower) = right.split_top_bottom_at_fraction(0.62);
        self.look(painter, upper.with_max_y(upper.bottom() - 3.0), p);
        self.plan(painter, lower.with_min_y(lower.top() + 2.0), p);
    }

    fn topology(&self, painter: &Painter, rect: Rect, p: &Palette) {
        let column = (rect.width() - 10.0) / self.columns as f32;
        let place = |service: &Service| {
            let height = rect.height() / service.row.1 as f32;
            let min = pos2(
                rect.left() + 10.0 + column * service.column as f32,
                rect.top() + height * service.row.0 as f32,
            );
            Rect::from_min_size(min, vec2(column, height))
        };
        let balancer = |service: &Service| {
            let place = place(service);
            pos2(place.left() + (column * 0.3).min(12.0), place.center().y)
        };
        let servers_x = |service: &Service| place(service).right() - (column * 0.22).min(8.0);
        let line = Stroke::new(1.0, mix(p.sunken, p.weak, 0.5));
        let source = |number: usize| {
            let shown = self.sources.min(6);
            let step = (rect.height() / shown.max(1) as f32).min(8.0);
            let top = rect.center().y - step * (shown as f32 - 1.0) / 2.0;
            pos2(rect.left() + 3.0, top + step * number as f32)
        };
        for service in &self.services {
            for number in (0..self.sources.min(6)).filter(|_| service.asked) {
                painter.line_segment([source(number), balancer(service)], line);
            }
            for to in service.asks.iter().filter_map(|to| self.services.get(*to)) {
                let from = pos2(servers_x(service), place(service).center().y);
                painter.line_segment([from, balancer(to)], line);
            }
            let shown = service.servers.min(SERVERS);
            let step = (place(service).height() / shown.max(1) as f32).min(7.0);
            let top = place(service).center().y - step * (shown as f32 - 1.0) / 2.0;
            for number in 0..shown {
                let at = pos2(servers_x(service), top + step * number as f32);
                painter.line_segment([balancer(service), at], line);
                let side = (step - 1.0).clamp(1.5, 4.5);
                let square = Rect::from_center_size(at, Vec2::splat(side));
                painter.rect_filled(square, 1.0, p.good);
            }
            if service.servers > SERVERS {
                // More than can be told apart: a second column says so.
                let middle = pos2(servers_x(service) + 4.5, place(service).center().y);
                let bar = Rect::from_center_size(middle, vec2(2.0, step * shown as f32));
                painter.rect_filled(bar, 1.0, p.good);
            }
            for instance in 0..service.instances.min(3) {
                let at = balancer(service) + vec2(1.5, 1.5) * instance as f32;
                painter.circle_filled(at, 2.8, p.accent);
            }
        }
        for number in 0..self.sources.min(6) {
            painter.circle_filled(source(number), 2.0, p.text);
        }
    }

    /// Answered requests as an area, with those that failed on top.
    fn look(&self, painter: &Painter, rect: Rect, p: &Palette) {
        painter.hline(
            rect.x_range(),
            rect.bottom(),
            Stroke::new(1.0, mix(p.sunken, p.weak, 0.4)),
        );
        let step = rect.width() / self.answered.len().max(1) as f32;
        for (i, (answered, failed)) in self.answered.iter().zip(&self.failed).enumerate() {
            let x = rect.left() + step * i as f32;
            let y = |share: f32| rect.bottom() - rect.height() * share;
            // Without a seam to the next one, and nothing where there is nothing.
            let bar = |from: f32, to: f32, ink: Color32| {
                let place = Rect::from_min_max(pos2(x, y(to)), pos2(x + step + 0.6, y(from)));
                if to > from {
                    painter.rect_filled(place, 0.0, ink);
                }
            };
            bar(0.0, *answered, mix(p.sunken, p.good, 0.7));
            bar(*answered, answered + failed, p.bad);
        }
    }

    /// What is planned to come, and when something is done.
    fn plan(&self, painter: &Painter, rect: Rect, p: &Palette) {
        let x = |share: f32| rect.left() + rect.width() * share;
        let points = self.planned.iter().enumerate().map(|(i, share)| {
            let y = rect.bottom() - 1.0 - (rect.height() - 2.0) * share;
            pos2(x(i as f32 / (POINTS - 1) as f32), y)
        });
        painter.add(Shape::line(points.collect(), Stroke::new(1.2, p.accent)));
        for share in &self.entries {
            painter.vline(x(*share), rect.y_range(), Stroke::new(1.0, p.now));
        }
    }
}

fn shares(values: &[f64], most: f64) -> Vec<f32> {
    if most > 0.0 {
        values.iter().map(|value| (value / most) as f32).collect()
    } else {
        Vec::new()
    }
}

/// Pictures that are made, and the one that is being made.
#[derive(Default)]
pub struct Thumbs {
    made: BTreeMap<&'static str, Option<Thumb>>,
    making: Option<(&'static str, Box<Simulation>)>,
}

impl Thumbs {
    /// The picture of a model, as far as it is made.
    pub(super) fn get(&self, name: &str) -> Option<&Thumb> {
        self.made.get(name)?.as_ref()
    }

    /// Works for one frame on the first of these that is not made; whether something is left.
    pub(super) fn work(&mut self, seen: &[&'static str]) -> bool {
        if self.making.is_none() {
            let next = seen.iter().find(|name| !self.made.contains_key(*name));
            let Some(name) = next else {
                return false;
            };
            let model = crate::MODELS.find(name).and_then(|source| {
                let scenario = Scenario::read(source, &[], &crate::MODELS).ok()?;
                scenario.model().ok()
            });
            self.made.insert(name, model.as_ref().map(Thumb::of));
            let Some(model) = model else {
                return true;
            };
            let simulation = Simulation::new(Arc::new(model), 0);
            self.making = Some((name, Box::new(simulation)));
            return true;
        }
        if let Some((name, simulation)) = &mut self.making {
            let mut looks = 0;
            let end = Instant(simulation.model().horizon.0);
            let goes_on = simulation.run_while(end, || {
                looks += 1;
                looks < LOOKS
            });
            if let Some(Some(thumb)) = self.made.get_mut(name) {
                thumb.see(simulation);
            }
            if !goes_on || simulation.events() >= EVENTS {
                self.making = None;
            }
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(names: &[&'static str]) -> Thumbs {
        let mut thumbs = Thumbs::default();
        while thumbs.work(names) {
            let making = thumbs.making.as_ref();
            let events = making.map_or(0, |(_, simulation)| simulation.events());
            assert!(events < 2 * EVENTS, "it ends");
        }
        thumbs
    }

    #[test]
    fn a_picture_is_of_its_model_and_always_the_same() {
        let names = [
            "cascade",
            "three-layers",
            "mm1",
            "incident",
            "flapping-breaker",
        ];
        let (first, second) = (made(&names), made(&names));
        assert!(first.made == second.made);
        let of = |name: &str| first.get(name).expect("a picture");
        assert_eq!(of("three-layers").services.len(), 4 - 1);
        assert_eq!(of("three-layers").columns, 3);
        assert_eq!(of("mm1").services[0].servers, 1);
        assert!(!of("incident").entries.is_empty());
        for name in names {
            let thumb = of(name);
            assert!(
                thumb.answered.len() <= POINTS && thumb.answered.len() > 4,
                "{name}"
            );
            let sums = thumb.answered.iter().zip(&thumb.failed).map(|(a, f)| a + f);
            let most = sums.fold(0.0, f32::max);
            assert!((most - 1.0).abs() < 1e-4, "{name}: {most}");
        }
        assert!(of("cascade").words().contains("simulated for its first "));
    }

    #[test]
    fn what_is_seen_in_a_picture_is_what_the_simulation_counts() {
        let thumbs = made(&["retry-storm"]);
        let thumb = thumbs.get("retry-storm").expect("a picture");
        let source = crate::MODELS.find("retry-storm").expect("a model");
        let scenario = Scenario::read(source, &[], &crate::MODELS).expect("read");
        let mut simulation = Simulation::new(Arc::new(scenario.model().expect("valid")), 0);
        simulation.run_until(Instant(thumb.seen.0));
        let mut again = Thumb::of(simulation.model());
        again.see(&simulation);
        assert_eq!(again.seen, thumb.seen);
        assert_eq!(
            (again.answered, again.failed),
            (thumb.answered.clone(), thumb.failed.clone())
        );
    }
}
