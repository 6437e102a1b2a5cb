//! Guards where attempts pass them: at callers, at balancer instances, at servers.
//!
//! A *post* is one of these three places. A *chain* is the list of guards that stand at a post of
//! one kind of caller, one balancer or one server, with a state of each guard for each owner: each
//! calling server, each balancer instance. An attempt passes the guards of a chain in their order.
//! A guard may let it wait: it is then *held*, and goes on when its time has come or another attempt
//! has ended. When an attempt leaves a post, each guard that it passed there is told how it ended.

mod change;
mod deadline;
mod fast;
mod figures;
mod passing;
mod starting;

pub(super) use change::Whose;
pub(super) use fast::FastAttempt;
pub use figures::GuardFigures;

use super::Simulation;
use super::attempt::Call;
use super::slab::{Handle, Slot};
use crate::draws::{Draws, Stream};
use crate::extension::Configured;
use crate::guard::{Guard, GuardDef, News, Sees};
use crate::ids::{ClientId, ServerId, ServiceId, Table};
use crate::model::{Asker, Client, Model, OwnRules};
use std::collections::{BTreeMap, VecDeque};

/// Where guards stand.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Post {
    Caller,
    Balancer,
    Server,
}

/// Guards, their states, and which of them each attempt has passed.
#[derive(Clone)]
pub(super) struct Guards {
    /// Whether there are any: where there are none, nothing is kept.
    pub any: bool,
    /// Whether there are callers whose copies know each other: their attempts are watched in the same way.
    ties: bool,
    /// Whether any stand now at posts of each kind.
    stand: [bool; 3],
    /// Chains of callers: one for each kind that calls from servers, one for all kinds from outside
    /// that have the same guards, so that these can share them.
    callers: Vec<Chain>,
    /// The chain of each kind of caller, and its first owner there.
    of_client: Table<ClientId, (u32, u32)>,
    /// Which owner of a balancer's guards the instance is that the fast path uses.
    pub fast_owner: Table<ServiceId, u32>,
    balancers: Table<ServiceId, Chain>,
    servers: Table<ServerId, Chain>,
    /// Servers with guards.
    guarded_servers: u32,
    visits: Table<Slot, Visits>,
    /// Guards at which somebody waits, and who has just let another go: (chain, row, state).
    to_wake: Vec<(Seat, usize)>,
    /// What guards had to say on the fast path.
    kept_news: Vec<(Seat, News)>,
    streams: [Stream; 3],
}

/// The guards of a post of one kind of caller, one balancer or one server.
#[derive(Clone, Default)]
struct Chain {
    rows: Vec<Row>,
    owners: usize,
    /// Whether its owners are kinds of callers from outside.
    outside: bool,
}

/// A guard with the states of all owners.
#[derive(Clone)]
struct Row {
    guard: Configured<GuardDef>,
    sees: Sees,
    /// One for each owner, or one for all.
    states: Vec<State>,
    passed: u64,
    refused: u64,
    held: u64,
    dimmed: u64,
}

/// A guard of one owner.
#[derive(Clone)]
struct State {
    guard: Box<dyn Guard>,
    /// Attempts that it has passed and that have not left the post.
    in_flight: u32,
    /// How many of them are of each class or key, where the guard tells these apart.
    alike: BTreeMap<u64, u32>,
    /// Attempts that wait here until another ends, those that are gone since included.
    line: VecDeque<Handle>,
    /// Those of them that still wait.
    waiting: u32,
}

/// A chain, and which of its owners.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Seat {
    post: Post,
    chain: u32,
    owner: u32,
}

impl Seat {
    /// The only one at a server.
    fn at_server(server: ServerId) -> Self {
        Self {
            post: Post::Server,
            chain: server.0,
            owner: 0,
        }
    }
}

/// What an attempt does at each post.
#[derive(Clone, Default)]
struct Visits {
    posts: [Visit; 3],
    held: Option<Hold>,
}

/// Where an attempt is held, and when that ends at the latest.
#[derive(Clone, Copy)]
struct Hold {
    post: Post,
    until: u64,
    /// Whether it waits for another to end, rather than for time to pass.
    in_line: bool,
}

#[derive(Clone, Copy, Default)]
struct Visit {
    seat: Option<Seat>,
    /// Guards passed, and when: those before `delayed_by` on arrival, the others when it went on.
    passed: usize,
    arrived: u64,
    went_on: u64,
    delayed_by: usize,
}

impl State {
    fn new(guard: &Configured<GuardDef>) -> Self {
        Self {
            guard: guard.build(),
            in_flight: 0,
            alike: BTreeMap::new(),
            line: VecDeque::new(),
            waiting: 0,
        }
    }

    /// One more is past the guard.
    fn enters(&mut self, alike: Option<u64>) {
        self.in_flight += 1;
        if let Some(alike) = alike {
            *self.alike.entry(alike).or_default() += 1;
        }
    }

    /// One fewer is past the guard.
    fn leaves(&mut self, alike: Option<u64>) {
        self.in_flight -= 1;
        if let Some(alike) = alike
            && let Some(count) = self.alike.get_mut(&alike)
        {
            *count -= 1;
            if *count == 0 {
                self.alike.remove(&alike);
            }
        }
    }
}

impl Row {
    fn new(guard: &Configured<GuardDef>, owners: usize) -> Self {
        let states = if guard.shared() { 1 } else { owners };
        Self {
            guard: guard.clone(),
            sees: guard.sees(),
            states: (0..states).map(|_| State::new(guard)).collect(),
            passed: 0,
            refused: 0,
            held: 0,
            dimmed: 0,
        }
    }

    fn state(&mut self, owner: u32) -> &mut State {
        // A shared one has a single state.
        let last = self.states.len() - 1;
        &mut self.states[(owner as usize).min(last)]
    }
}

impl Chain {
    fn new(guards: &[Configured<GuardDef>], owners: usize) -> Self {
        Self {
            rows: guards.iter().map(|guard| Row::new(guard, owners)).collect(),
            owners,
            outside: false,
        }
    }

    /// Whether it consists of these guards.
    fn is(&self, guards: &[Configured<GuardDef>]) -> bool {
        let pairs = self.rows.iter().zip(guards);
        self.rows.len() == guards.len() && pairs.into_iter().all(|(row, g)| row.guard == *g)
    }

    /// Takes on other guards; those that stay what and where they were keep their states.
    fn adopt(&mut self, guards: &[Configured<GuardDef>]) {
        let owners = self.owners;
        let mut old = std::mem::take(&mut self.rows).into_iter();
        self.rows = guards
            .iter()
            .map(|guard| {
                let same = old.next().filter(|row| row.guard == *guard);
                same.unwrap_or_else(|| Row::new(guard, owners))
            })
            .collect();
    }

    /// One more owner; its number.
    fn join(&mut self) -> u32 {
        for row in &mut self.rows {
            if !row.guard.shared() || row.states.is_empty() {
                let state = State::new(&row.guard);
                row.states.push(state);
            }
        }
        self.owners += 1;
        self.owners as u32 - 1
    }

    /// An owner has lost what its guards had learnt.
    fn forget(&mut self, owner: u32) {
        for row in &mut self.rows {
            if !row.guard.shared() {
                let fresh = row.guard.build();
                row.state(owner).guard = fresh;
            }
        }
    }
}

impl Guards {
    pub(super) fn new(model: &Model, replication: u64) -> Self {
        let instances = |b: &crate::model::Balancer| (b.instances + b.standby.count) as usize;
        let mut calling = Table::<ClientId, usize>::filled(model.clients.len(), 0);
        for service in &model.services {
            for ask in service.asks() {
                calling[ask.client] = match ask.by {
                    Asker::Server => service.servers.len(),
                    Asker::Balancer => instances(&service.balancer),
                };
            }
            for (client, _) in service.balancer.client.iter().flat_map(OwnRules::clients) {
                calling[client] = instances(&service.balancer);
            }
        }
        let balancers = model.services.iter().map(|service| &service.balancer);
        let servers = model.servers.iter().map(|server| &server.params.guards);
        let stream = |post| Stream::new(model.seed, replication, &format!("guards/{post}"));
        let guarded = |server: &crate::model::Server| u32::from(!server.params.guards.is_empty());
        let mut guards = Self {
            any: false,
            ties: model.clients.iter().any(ties),
            stand: [false; 3],
            callers: Vec::new(),
            of_client: Table::default(),
            fast_owner: Table::filled(model.services.len(), 0),
            balancers: balancers
                .map(|b| Chain::new(&b.guards, instances(b)))
                .collect(),
            servers: servers.map(|guards| Chain::new(guards, 1)).collect(),
            guarded_servers: model.servers.iter().map(guarded).sum(),
            visits: Table::default(),
            to_wake: Vec::new(),
            kept_news: Vec::new(),
            streams: ["callers", "balancers", "servers"].map(stream),
        };
        let shares = shares(model);
        for ((id, servers), client) in calling.enumerate().zip(&model.clients) {
            let seat = if let Some(with) = shares.get(&id) {
                guards.of_client[*with]
            } else if *servers > 0 {
                guards.callers.push(Chain::new(&client.guards, *servers));
                (guards.callers.len() as u32 - 1, 0)
            } else {
                guards.join_outside(&client.guards)
            };
            guards.of_client.push(seat);
        }
        guards.look_for_any();
        guards
    }

    /// A kind of caller from outside joins those with the same guards: which chain, and as which
    /// owner.
    fn join_outside(&mut self, guards: &[Configured<GuardDef>]) -> (u32, u32) {
        let like = |chain: &Chain| chain.outside && chain.is(guards);
        let found = self.callers.iter().position(like);
        let chain = found.unwrap_or_else(|| {
            self.callers.push(Chain {
                outside: true,
                ..Chain::new(guards, 0)
            });
            self.callers.len() - 1
        });
        (chain as u32, self.callers[chain].join())
    }

    /// Once there were guards, their books are kept to the end: attempts that met them are still
    /// there when they are gone.
    fn look_for_any(&mut self) {
        let stands = |chain: &Chain| !chain.rows.is_empty();
        self.stand = [
            self.callers.iter().any(stands),
            self.balancers.iter().any(stands),
            self.guarded_servers > 0,
        ];
        self.any |= self.ties || self.stand.contains(&true);
    }

    /// Other guards stand at a seat.
    fn adopt(&mut self, seat: Seat, new: &[Configured<GuardDef>]) {
        let chain = self.chain(seat);
        let before = !chain.rows.is_empty();
        chain.adopt(new);
        if seat.post == Post::Server {
            self.guarded_servers += u32::from(!new.is_empty());
            self.guarded_servers -= u32::from(before);
        }
    }

    fn chain(&mut self, seat: Seat) -> &mut Chain {
        match seat.post {
            Post::Caller => &mut self.callers[seat.chain as usize],
            Post::Balancer => &mut self.balancers[ServiceId(seat.chain as u16)],
            Post::Server => &mut self.servers[ServerId(seat.chain)],
        }
    }

    /// The draws that belong to a guard of a post and one attempt of request `number`.
    fn draws(&self, post: Post, row: usize, number: u64, attempt: u32) -> Draws {
        draws_of(self.streams[post as usize], row, number, attempt)
    }

    fn visit(&mut self, post: Post, attempt: Handle) -> &mut Visit {
        &mut self.visits[attempt.slot()].posts[post as usize]
    }

    /// An attempt begins: it has been nowhere yet.
    #[inline]
    pub(super) fn begin(&mut self, attempt: Handle) {
        if self.any {
            *self.visits.with_room(attempt.slot(), Visits::default()) = Visits::default();
        }
    }

    /// Another attempt stands for an attempt at its caller.
    pub(super) fn hand_over(&mut self, from: Handle, to: Handle) {
        if self.any {
            let visit = std::mem::take(self.visit(Post::Caller, from));
            *self.visit(Post::Caller, to) = visit;
        }
    }

    /// Whether an attempt has left behind which others wait.
    #[inline]
    pub(super) fn somebody_may_go_on(&self) -> bool {
        !self.to_wake.is_empty()
    }

    /// Bytes held, for the report on memory.
    pub(super) fn bytes(&self) -> usize {
        let chains = (self.callers.iter())
            .chain(self.balancers.iter())
            .chain(self.servers.iter());
        let states = chains.flat_map(|chain| &chain.rows).map(|row| {
            let line = |state: &State| {
                size_of::<State>()
                    + state.line.capacity() * size_of::<Handle>()
                    + state.alike.len() * size_of::<(u64, u32)>()
            };
            row.states.iter().map(line).sum::<usize>()
        });
        states.sum::<usize>() + self.visits.len() * size_of::<Visits>()
    }
}

/// Callers that pass the guards of another, which comes before them: balancers, for requests of a class
/// with rules but no guards of its own.
fn shares(model: &Model) -> BTreeMap<ClientId, ClientId> {
    let own = model
        .services
        .iter()
        .filter_map(|s| s.balancer.client.as_ref());
    let of = |own: &OwnRules| {
        let with = own.client;
        let shares = own.by_class.iter().filter(|class| !class.own_guards);
        let pairs: Vec<_> = shares.map(|class| (class.client, with)).collect();
        pairs
    };
    own.flat_map(of).collect()
}

/// Whether the copies that a caller sends know each other.
fn ties(client: &Client) -> bool {
    client.hedge.is_some_and(|hedge| hedge.tied)
}

/// The draws that belong to one guard of a list and one attempt of request `number`. The source of a
/// request stands from bit 48 of its number on; a scenario has at most 1 000 of them, which leaves the
/// upper four bits for the at most 16 guards of a list.
fn draws_of(stream: Stream, row: usize, number: u64, attempt: u32) -> Draws {
    stream.of_attempt(number.wrapping_add((row as u64) << 60), attempt)
}

impl Simulation {
    /// The chain that stands at an attempt's post, and whose it is; `None`: there is none.
    fn seat(&self, post: Post, handle: Handle) -> Option<Seat> {
        let attempt = &self.attempts[handle];
        if !attempt.purpose.is_request() {
            return None;
        }
        let (chain, owner, stands) = match post {
            Post::Caller => {
                let call = &self.calls[attempt.call];
                let (chain, owner) = self.caller_seat(call);
                let rows = &self.guards.callers[chain as usize].rows;
                (chain, owner, !rows.is_empty())
            }
            Post::Balancer => {
                let first = self.balancers.of(attempt.service).next()?;
                let rows = &self.guards.balancers[attempt.service].rows;
                let owner = attempt.instance.0 - first.0;
                (u32::from(attempt.service.0), owner, !rows.is_empty())
            }
            Post::Server => {
                let rows = &self.guards.servers[attempt.server].rows;
                (attempt.server.0, 0, !rows.is_empty())
            }
        };
        stands.then_some(Seat { post, chain, owner })
    }

    /// The chain of a call's caller, and which owner that is: of callers within, the calling server by
    /// its number within its service.
    fn caller_seat(&self, call: &Call) -> (u32, u32) {
        let (chain, first) = self.guards.of_client[call.client];
        (chain, first + self.calling_machine(call))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_guard_draws_what_another_draws() {
        let stream = Stream::new(5, 0, "guards/callers");
        let mut seen = std::collections::BTreeMap::new();
        for source in [0, 1, 2, 999] {
            for count in [0, 1, 255, (1_u64 << 40) - 1] {
                for row in 0..16 {
                    for attempt in [1, 2, 255, 256, 257, 512, 1000] {
                        let who = (source, count, row, attempt);
                        let mut draws = draws_of(stream, row, source << 48 | count, attempt);
                        let before = seen.insert(draws.bits(), who);
                        assert_eq!(before, None, "{who:?} draws what another draws");
                    }
                }
            }
        }
    }
}
