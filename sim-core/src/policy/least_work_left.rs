//! Least work left, by the servers' true state.
//!
//! An oracle: it knows the remaining work of every server. With one worker per server and first
//! come, first served it assigns each request to the server that a single shared queue would have
//! given it, so the farm behaves exactly like G/G/c.
//!
//! What is left to do shrinks all the time, but at servers of one worker and speed 1 it shrinks alike: the
//! instant at which each would be empty stays where it is, and ranks them. Where there are many servers,
//! these instants are kept in a tree; the policy is told which servers to look at anew. Servers with another
//! speed, with several workers, with work that stands still are kept apart, and looked at for each choice.

use super::least::{Ranked, SMALL, Tree, is_plain, scan};
use super::{Farm, FleetView, Job, Policy, PolicyDef, no_conditions};
use crate::draws::Draws;
use crate::extension::ExtensionRow;

pub(super) static POLICY: PolicyDef = PolicyDef {
    row: ExtensionRow {
        name: "least-work-left",
        about: "The eligible server that would be empty first (an oracle: no real balancer knows this). Weights are ignored.",
        source: "Harchol-Balter, \"Performance Modeling and Design of Computer Systems\", 2013, chapter 24",
        params: &[],
    },
    farm: Farm::Central,
    follows_load: true,
    familiar: None,
    check: no_conditions,
    heeds_weights: false,
    by_weight: false,
    build: &|_| {
        Box::new(LeastWorkLeft {
            told: false,
            book: None,
        })
    },
};

#[derive(Clone, Debug)]
struct LeastWorkLeft {
    /// Whether it is told of servers whose work is another.
    told: bool,
    /// What it knows of them, where there are many.
    book: Option<Book>,
}

/// When the eligible servers would be empty.
#[derive(Clone, Debug)]
struct Book {
    /// Of those of which it is known.
    tree: Tree,
    /// The others.
    apart: Vec<u32>,
    known: Vec<Known>,
    /// Servers to look at before the next choice.
    stale: Vec<u32>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Known {
    eligible: bool,
    is_stale: bool,
    is_apart: bool,
}

impl Book {
    /// Of so many servers, none of them eligible.
    fn new(servers: usize) -> Self {
        Self {
            tree: Tree::new(servers, |_| None),
            apart: Vec::new(),
            known: vec![Known::default(); servers],
            stale: Vec::new(),
        }
    }

    /// A server is to be looked at.
    fn mark(&mut self, server: usize) {
        if !std::mem::replace(&mut self.known[server].is_stale, true) {
            self.stale.push(server as u32);
        }
    }

    /// Looks at what has changed.
    fn refresh(&mut self, fleet: &FleetView<'_>) {
        while let Some(number) = self.stale.pop() {
            let server = number as usize;
            let known = &mut self.known[server];
            known.is_stale = false;
            let empty_at = fleet.oracle.empty_at(server).filter(|_| known.eligible);
            let apart = known.eligible && empty_at.is_none();
            if std::mem::replace(&mut known.is_apart, apart) != apart {
                if apart {
                    self.apart.push(number);
                } else {
                    self.apart.retain(|&other| other != number);
                }
            }
            // Those that are empty by now are alike.
            let level = |at: u64| at.max(fleet.now.0);
            if self.tree.whole(server).map(level) != empty_at.map(level) {
                self.tree.set_whole(server, empty_at);
            }
        }
    }

    /// The server that would be empty first; the first in order of several.
    fn pick(&mut self, fleet: &FleetView<'_>) -> Option<usize> {
        self.refresh(fleet);
        let now = fleet.now.0;
        let known = self.tree.first_above(now);
        let known = known.map(|(server, at)| ((at - now) as f64, server));
        let apart = self.apart.iter().map(|&server| {
            let server = server as usize;
            (fleet.oracle.work_left_ns(server), server)
        });
        let first = known.into_iter().chain(apart);
        let first = first.min_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        first.map(|(_, server)| server)
    }
}

impl Policy for LeastWorkLeft {
    fn pick(&mut self, fleet: &FleetView<'_>, _: &Job, draws: &mut Draws) -> Option<usize> {
        match &mut self.book {
            Some(book) if is_plain(fleet) => book.pick(fleet),
            _ => {
                let cost = |server: usize| Some(fleet.oracle.work_left_ns(server));
                scan(fleet.eligible, cost, false, draws)
            }
        }
    }
    fn tracks_queues(&self) -> bool {
        true
    }
    fn hear_of_queues(&mut self, told: bool) {
        self.told = told;
        self.book = self.book.take().filter(|_| told);
    }
    fn on_queue(&mut self, server: usize, _: u32) {
        if let Some(book) = &mut self.book {
            book.mark(server);
        }
    }
    fn on_fleet_changed(&mut self, fleet: &FleetView<'_>) {
        let servers = fleet.weights.len();
        self.book = (self.told && servers > SMALL).then(|| Book::new(servers));
        self.on_eligible_changed(fleet, Some(fleet.eligible));
    }
    fn on_eligible_changed(&mut self, fleet: &FleetView<'_>, changed: Option<&[u32]>) {
        match (&mut self.book, changed) {
            (Some(book), Some(changed)) => {
                for &server in changed {
                    let eligible = fleet.eligible.binary_search(&server).is_ok();
                    book.known[server as usize].eligible = eligible;
                    book.mark(server as usize);
                }
            }
            (None, Some(_)) => {}
            (_, None) => self.on_fleet_changed(fleet),
        }
    }
    fn clone_box(&self) -> Box<dyn Policy> {
        Box::new(self.clone())
    }
}

#[cfg(test)]
mod tests {
    use crate::policy::fixture::{Fleet, pick};

    #[test]
    fn looks_at_work_and_not_at_numbers() {
        let fleet = Fleet {
            in_system: vec![1, 3, 2],
            work_ns: vec![9e9, 1e9, 5e9],
            ..Fleet::of(3)
        };
        assert_eq!(pick("least-work-left", &fleet), Some(1));
    }
}
