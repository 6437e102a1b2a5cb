//! Faults that are upon servers and links now: who begins and ends them, and what they come to.
//!
//! A fault of a kind that is there already takes its place; faults of different kinds add up. Each has
//! a number, by which its end finds it.

use super::Simulation;
use super::event::{Event, Machine};
use crate::distribution::{Distribution, DistributionDef};
use crate::event_log::Kind;
use crate::extension::Configured;
use crate::fault::{Effect, FaultDef};
use crate::model::{Actor, Afflicted, Course, LinkTarget};
use crate::time::Duration;
use std::collections::BTreeMap;
use std::sync::Arc;

/// All faults that are there now.
#[derive(Clone, Default)]
pub(super) struct Faults {
    of: BTreeMap<Afflicted, Vec<Fault>>,
    /// Faults so far.
    begun: u32,
    /// Those that come later or again.
    episodes: Vec<Episode>,
    /// Times drawn for them.
    drawn: u64,
}

/// A fault that comes to several, perhaps to each at another moment, and perhaps again.
#[derive(Clone)]
struct Episode {
    /// What it befalls, and for how long this time; absent: that was healed, and is spared from then on.
    of: Vec<Option<(Afflicted, Option<u64>)>>,
    fault: Configured<FaultDef>,
    lasts: Option<Arc<dyn Distribution>>,
    skew: Option<Arc<dyn Distribution>>,
    repeat: Option<Arc<dyn Distribution>>,
    by: Actor,
    cause: String,
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

    /// What would still come to something does not; whether anything would have.
    fn stop(&mut self, of: Afflicted) -> bool {
        let all = self.episodes.iter_mut().flat_map(|episode| &mut episode.of);
        let mut found = false;
        for place in all.filter(|place| place.is_some_and(|(other, _)| other == of)) {
            (*place, found) = (None, true);
        }
        found
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
    /// A fault befalls servers or links, now or, as its course says, a little later and again.
    pub(super) fn afflict(
        &mut self,
        all: &[Afflicted],
        fault: &Configured<FaultDef>,
        course: &Course,
        by: Actor,
        note: &str,
    ) {
        let law = |of: &Option<Configured<DistributionDef>>| -> Option<Arc<dyn Distribution>> {
            of.as_ref().map(|law| law.build().into())
        };
        let cause = if note.is_empty() {
            fault.words()
        } else {
            note.to_owned()
        };
        let episode = self.faults.episodes.len() as u32;
        self.faults.episodes.push(Episode {
            of: all.iter().map(|&of| Some((of, None))).collect(),
            fault: fault.clone(),
            lasts: law(&course.lasts),
            skew: law(&course.skew),
            repeat: law(&course.repeat),
            by,
            cause,
        });
        self.fault_comes(episode);
        let there = &mut self.faults.episodes[episode as usize];
        if there.skew.is_none() && there.repeat.is_none() {
            // It never comes back to what it was.
            self.faults.episodes.pop();
        }
    }

    /// A fault comes to all that it befalls.
    pub(super) fn fault_comes(&mut self, episode: u32) {
        let there = &self.faults.episodes[episode as usize];
        let (lasts, skew) = (there.lasts.clone(), there.skew.clone());
        let repeat = there.repeat.clone();
        let places = there.of.len();
        let mut over = 0;
        for place in 0..places {
            let later = self.episode_time(skew.as_deref()).unwrap_or(0);
            let lasts = self.episode_time(lasts.as_deref());
            over = over.max(later.saturating_add(lasts.unwrap_or(0)));
            let there = &mut self.faults.episodes[episode as usize];
            if let Some((_, length)) = &mut there.of[place] {
                *length = lasts;
                match later {
                    0 => self.fault_begins(episode, place as u32),
                    later => self.after(later, Event::FaultBegins(episode, place as u32)),
                }
            }
        }
        let again = self.episode_time(repeat.as_deref());
        let there = &self.faults.episodes[episode as usize];
        if let Some(again) = again
            && there.of.iter().any(Option::is_some)
        {
            self.after(again.max(over).max(1), Event::FaultComes(episode));
        }
    }

    /// A time that a law of an episode says.
    fn episode_time(&mut self, law: Option<&dyn Distribution>) -> Option<u64> {
        let law = law?;
        self.faults.drawn += 1;
        let mut draws = self.streams.episodes.at(self.faults.drawn);
        Some(Duration::from_nanos_f64(law.sample_ns(&mut draws)).0)
    }

    /// A fault befalls one of those that it comes to, unless that was healed meanwhile.
    pub(super) fn fault_begins(&mut self, episode: u32, place: u32) {
        let there = &self.faults.episodes[episode as usize];
        let Some((of, lasts)) = there.of[place as usize] else {
            return;
        };
        let (fault, by, cause) = (there.fault.clone(), there.by, there.cause.clone());
        let number = self.faults.begin(of, &fault);
        self.tell_of_afflicted(fault.def.told.0, by, of, cause);
        self.feel(of);
        if let Some(lasts) = lasts {
            let end = match of {
                Afflicted::Server(server) => Event::FaultEnds(server, number),
                Afflicted::Link(_) => Event::LinkFaultEnds(number),
            };
            self.after(lasts, end);
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
            let stopped = self.faults.stop(of);
            if self.faults.of.remove(&of).is_none() && !stopped {
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
