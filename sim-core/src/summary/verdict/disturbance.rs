//! Disturbances: what somebody or something did to a system, from when to when. Read off the event
//! log, which says when, and the present state, which says whether it still stands.

use crate::engine::Simulation;
use crate::event_log::{Event, Kind};
use crate::model::{Action, Actor};
use std::collections::BTreeMap;

/// Something that was done to a system.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Disturbance {
    /// What, as a phrase: `db slow`, `web-1 down`, `traffic.shop.rate set`.
    pub what: String,
    /// When it began, in seconds.
    pub from_s: f64,
    /// When it was over; absent while it lasts.
    pub until_s: Option<f64>,
}

/// A machine that crashes again and again.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct CrashLoop {
    /// Its name.
    pub machine: String,
    /// How often it crashed by itself.
    pub crashes: usize,
    /// When the last three crashes were, in seconds.
    pub last_s: [f64; 3],
    /// Why, the last time.
    pub cause: String,
}

/// A change of a setting.
pub(super) struct SetTo {
    /// When, in seconds.
    pub at_s: f64,
    /// The path that was set.
    pub path: String,
    /// To what.
    pub value: String,
    /// What people say of it.
    pub note: String,
}

/// What the event log tells of disturbances.
#[derive(Default)]
pub(super) struct Told {
    pub disturbances: Vec<Disturbance>,
    pub loops: Vec<CrashLoop>,
    /// Settings that were changed, in order of time.
    pub sets: Vec<SetTo>,
    /// The latest event of a kind about a subject, with its time in seconds.
    latest: BTreeMap<(Kind, String), f64>,
    /// The latest moment at which somebody or something changed what the system is made of.
    pub changed_s: Option<f64>,
}

impl Told {
    /// When something of a kind last happened to a subject.
    pub(super) fn since(&self, kind: Kind, subject: &str) -> Option<f64> {
        self.latest.get(&(kind, subject.to_owned())).copied()
    }

    /// Reads the event log. Names that two machines share say nothing, since events go by name.
    pub(super) fn of(simulation: &Simulation, is_ambiguous: impl Fn(&str) -> bool) -> Self {
        let mut told = Self::default();
        let mut open: BTreeMap<(Kind, String), usize> = BTreeMap::new();
        let mut crashes: BTreeMap<String, Vec<(f64, String)>> = BTreeMap::new();
        for event in simulation.recorder().event_log() {
            let at_s = event.at.as_secs_f64();
            if is_ambiguous(&event.subject) {
                continue;
            }
            told.latest
                .insert((event.kind, event.subject.clone()), at_s);
            if let Some(word) = begins(event.kind) {
                let key = (event.kind, event.subject.clone());
                open.entry(key).or_insert_with(|| {
                    told.disturbances.push(Disturbance {
                        what: format!("{} {word}", event.subject),
                        from_s: at_s,
                        until_s: None,
                    });
                    told.disturbances.len() - 1
                });
            }
            for kind in ended_by(event.kind) {
                if let Some(index) = open.remove(&(*kind, event.subject.clone())) {
                    told.disturbances[index].until_s = Some(at_s);
                }
            }
            if event.kind == Kind::Crash && !is_planned(simulation, event) {
                let spells = crashes.entry(event.subject.clone()).or_default();
                spells.push((at_s, event.cause.clone()));
            }
            if event.kind == Kind::Takeover {
                // The spare stands where the crashed one did: `in place of web-lb-1`.
                let other = event.cause.trim_start_matches("in place of ").to_owned();
                if let Some(index) = open.remove(&(Kind::Crash, other)) {
                    told.disturbances[index].until_s = Some(at_s);
                }
            }
            if event.kind == Kind::Set {
                for (path, value) in assignments(&event.subject) {
                    told.sets.push(SetTo {
                        at_s,
                        path,
                        value,
                        note: event.cause.clone(),
                    });
                }
            }
            let by_itself = matches!(event.kind, Kind::Crash | Kind::Up)
                && crashes.get(&event.subject).is_some_and(|c| c.len() > 1);
            if changes(event.kind) && !by_itself {
                told.changed_s = Some(at_s);
            }
        }
        told.slowness_ends(simulation, &open);
        for (i, first) in told.sets.iter().enumerate() {
            if told.sets[..i].iter().any(|set| set.path == first.path) {
                continue;
            }
            // Set twice: what the first brought is over when the last says otherwise.
            let last = told.sets.iter().rfind(|set| set.path == first.path);
            let last = last.filter(|last| last.value != first.value);
            told.disturbances.push(Disturbance {
                what: format!("{} = {}", first.path, first.value),
                from_s: first.at_s,
                until_s: last.map(|last| last.at_s),
            });
        }
        for (machine, mut spells) in crashes {
            let count = spells.len();
            if let [.., a, b, c] = spells.as_mut_slice() {
                told.loops.push(CrashLoop {
                    machine,
                    crashes: count,
                    last_s: [a.0, b.0, c.0],
                    cause: std::mem::take(&mut c.1),
                });
            }
        }
        told
    }

    /// A speed that is that of the settings again is no disturbance any more.
    fn slowness_ends(&mut self, simulation: &Simulation, open: &BTreeMap<(Kind, String), usize>) {
        let model = simulation.model();
        for service in simulation.standing().services {
            for server in service.servers {
                let name = &model.servers[server.id.0 as usize].name;
                if server.slowed_to < 1.0 {
                    continue;
                }
                if let Some(&index) = open.get(&(Kind::Slow, name.clone())) {
                    self.disturbances[index].until_s = self.since(Kind::Slow, name);
                }
            }
        }
    }
}

/// What an event of a kind begins, in a word.
fn begins(kind: Kind) -> Option<&'static str> {
    match kind {
        Kind::Crash => Some("down"),
        Kind::Drain => Some("drained"),
        Kind::Removed => Some("removed"),
        Kind::Slow => Some("slow"),
        Kind::Partition => Some("cut"),
        Kind::Degrade => Some("degraded"),
        _ => None,
    }
}

/// Whose spells an event of a kind ends.
fn ended_by(kind: Kind) -> &'static [Kind] {
    match kind {
        Kind::Up => &[Kind::Crash],
        Kind::Undrain => &[Kind::Drain],
        Kind::Added => &[Kind::Removed, Kind::Drain],
        Kind::Heal => &[Kind::Partition, Kind::Degrade],
        _ => &[],
    }
}

/// Whether an event of a kind changes what the system is made of.
fn changes(kind: Kind) -> bool {
    begins(kind).is_some()
        || !ended_by(kind).is_empty()
        || matches!(kind, Kind::Set | Kind::Takeover)
}

/// Whether the time line, or somebody, made it crash.
fn is_planned(simulation: &Simulation, event: &Event) -> bool {
    if event.by == Actor::People {
        return true;
    }
    let mut entries = simulation.model().timeline.iter();
    entries.any(|e| e.at == event.at && matches!(e.action, Action::Crash(_)))
}

/// The assignments of a change of settings, as the event log writes them: `path = value, path = value`.
pub(super) fn assignments(text: &str) -> Vec<(String, String)> {
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
    let pair = |part: &String| {
        let (path, value) = part.split_once(" = ")?;
        Some((path.trim().to_owned(), value.trim().to_owned()))
    };
    parts.iter().filter_map(pair).collect()
}
