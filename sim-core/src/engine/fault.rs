//! Faults that are upon servers and links now: who begins and ends them, and what they come to.
//!
//! A fault of a kind that is there already takes its place; faults of different kinds add up. Each has
//! a number, by which its end finds it.

use super::Simulation;
use super::event::{Event, Machine};
use crate::event_log::Kind;
use crate::extension::Configured;
use crate::fault::{Effect, FaultDef};
use crate::model::{Actor, Afflicted, LinkTarget};
use crate::time::Duration;
use std::collections::BTreeMap;

/// All faults that are there now.
#[derive(Clone, Default)]
pub(super) struct Faults {
    of: BTreeMap<Afflicted, Vec<Fault>>,
    /// Faults so far.
    begun: u32,
}

#[derive(Clone)]
struct Fault {
    number: u32,
    def: &'static FaultDef,
    effect: Effect,
}

impl Faults {
    /// What the faults of something come to.
    pub(super) fn effect(&self, of: Afflicted) -> Effect {
        let faults = self.of.get(&of).into_iter().flatten();
        faults.fold(Effect::NONE, |all, fault| all.and(&fault.effect))
    }

    /// What those of several links come to, for what runs over all of them.
    pub(super) fn effect_of_links(&self, links: &[LinkTarget]) -> Effect {
        let each = links.iter().map(|&link| self.effect(Afflicted::Link(link)));
        each.fold(Effect::NONE, |all, effect| all.and(&effect))
    }

    /// Whether anything is upon a server's own link.
    pub(super) fn is_upon(&self, link: LinkTarget) -> bool {
        self.of.contains_key(&Afflicted::Link(link))
    }

    /// The links on which something lies.
    pub(super) fn links(&self) -> impl Iterator<Item = (LinkTarget, Effect)> {
        self.of.keys().filter_map(|&of| match of {
            Afflicted::Link(link) => Some((link, self.effect(of))),
            Afflicted::Server(_) => None,
        })
    }

    fn begin(&mut self, of: Afflicted, fault: &Configured<FaultDef>) -> u32 {
        self.begun += 1;
        let there = self.of.entry(of).or_default();
        there.retain(|other| other.def.row.name != fault.def.row.name);
        there.push(Fault {
            number: self.begun,
            def: fault.def,
            effect: fault.effect(),
        });
        self.begun
    }

    /// Ends a fault, unless that has happened.
    fn end(&mut self, of: Afflicted, number: u32) -> Option<&'static FaultDef> {
        let there = self.of.get_mut(&of)?;
        let place = there.iter().position(|fault| fault.number == number)?;
        let ended = there.remove(place);
        if there.is_empty() {
            self.of.remove(&of);
        }
        Some(ended.def)
    }
}

impl Simulation {
    /// A fault befalls servers or links.
    pub(super) fn afflict(
        &mut self,
        all: &[Afflicted],
        fault: &Configured<FaultDef>,
        lasts: Option<Duration>,
        by: Actor,
        note: &str,
    ) {
        for &of in all {
            let number = self.faults.begin(of, fault);
            let cause = if note.is_empty() {
                fault.words()
            } else {
                note.to_owned()
            };
            self.tell_of_afflicted(fault.def.told.0, by, of, cause);
            self.feel(of);
            if let Some(lasts) = lasts {
                let end = match of {
                    Afflicted::Server(server) => Event::FaultEnds(server, number),
                    Afflicted::Link(_) => Event::LinkFaultEnds(number),
                };
                self.after(lasts.0, end);
            }
        }
    }

    /// A fault that was there for a time ends.
    pub(super) fn fault_ends(&mut self, of: Afflicted, number: u32) {
        if let Some(def) = self.faults.end(of, number) {
            if self.faults.of.contains_key(&of) {
                // Nothing is as it was yet.
                let (kind, name) = (def.row.name, self.afflicted_name(of));
                let words = format!("{kind} of {name} is over, another fault goes on");
                self.tell(Kind::Note, Actor::System, "", words);
            } else {
                let (_, kind, words) = def.told;
                self.tell_of_afflicted(kind, Actor::System, of, words.to_owned());
            }
            self.feel(of);
        }
    }

    /// The same for a fault of a link, known by its number alone.
    pub(super) fn link_fault_ends(&mut self, number: u32) {
        let mut all = self.faults.of.iter();
        let found = all.find(|(_, faults)| faults.iter().any(|fault| fault.number == number));
        if let Some((&of, _)) = found {
            self.fault_ends(of, number);
        }
    }

    /// All faults of servers or links end.
    pub(super) fn heal(&mut self, all: &[Afflicted], by: Actor, note: &str) {
        let mut well = Vec::new();
        for &of in all {
            if self.faults.of.remove(&of).is_none() {
                well.push((self.afflicted_name(of), "without a fault"));
                continue;
            }
            let cause = if note.is_empty() {
                "as it was before"
            } else {
                note
            };
            self.tell_of_afflicted(Kind::Heal, by, of, cause.to_owned());
            self.feel(of);
        }
        self.tell_nothing_done("heal", &well, by, note);
    }

    /// Something feels that its faults are others.
    fn feel(&mut self, of: Afflicted) {
        match of {
            Afflicted::Link(link) => self.link_changed(link),
            Afflicted::Server(server) => {
                let effect = self.faults.effect(of);
                self.fleet.cold[server].slow = effect.speed;
                if self.fleet.cold[server].more_errors.to_bits() == effect.errors.to_bits() {
                    return self.speed_changed(server);
                }
                self.fleet.cold[server].more_errors = effect.errors;
                self.fleet.cold[server].adopt_errors();
                self.speed_changed(server);
                self.refresh_fast_server(server);
            }
        }
    }

    fn tell_of_afflicted(&mut self, kind: Kind, by: Actor, of: Afflicted, cause: String) {
        match of {
            Afflicted::Server(server) => self.tell_of_server(kind, by, server, cause),
            Afflicted::Link(link) => self.tell(kind, by, &self.link_name(link), cause),
        }
    }

    fn afflicted_name(&self, of: Afflicted) -> String {
        match of {
            Afflicted::Server(server) => self.name_of(Machine::Server(server)),
            Afflicted::Link(link) => self.link_name(link),
        }
    }
}
