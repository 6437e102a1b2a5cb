//! Guards where attempts pass them: at callers, at balancer instances, at servers.
//!
//! A *post* is one of these three places. A *chain* is the list of guards that stand at a post of
//! one kind of caller, one balancer or one server, with a state of each guard for each owner: each
//! calling server, each balancer instance. An attempt passes the guards of a chain in their order.
//! A guard may let it wait: it is then *held*, and goes on when its time has come or another attempt
//! has ended. When an attempt leaves a post, each guard that it passed there is told how it ended.

use super::Simulation;
use super::attempt::{Call, Place, Purpose};
use super::event::Event;
use super::slab::{Handle, Slot};
use crate::draws::{Draws, Stream};
use crate::event_log::Kind;
use crate::extension::Configured;
use crate::guard::{Admission, Asked, Ended, Guard, GuardDef, News, Verdict};
use crate::ids::{ClientId, Id, InstanceId, ServerId, ServiceId, Table};
use crate::model::{Actor, Asker, Model};
use crate::outcome::Outcome;
use crate::time::{Duration, Instant};
use std::collections::VecDeque;

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
    /// Chains of callers: one for each kind that calls from servers, one for all kinds from outside
    /// that have the same guards, so that these can share them.
    callers: Vec<Chain>,
    /// The chain of each kind of caller, and its first owner there.
    of_client: Table<ClientId, (u32, u32)>,
    /// Which owner of a balancer's guards the instance is that the fast path uses.
    pub fast_owner: Table<ServiceId, u32>,
    balancers: Table<ServiceId, Chain>,
    servers: Table<ServerId, Chain>,
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
    /// One for each owner, or one for all.
    states: Vec<State>,
    passed: u64,
    refused: u64,
    held: u64,
}

/// A guard of one owner.
#[derive(Clone)]
struct State {
    guard: Box<dyn Guard>,
    /// Attempts that it has passed and that have not left the post.
    in_flight: u32,
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

/// Whose guards are meant.
#[derive(Clone, Copy)]
pub(super) enum Whose {
    Caller(ClientId),
    Balancer(ServiceId),
    Server(ServerId),
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

/// Who was not let pass on the fast path: by which guard, and what it said.
pub(super) struct Stopped {
    seat: Seat,
    row: usize,
    verdict: Verdict,
}

/// What became of an attempt that was asked to pass.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Passage {
    Through,
    Held,
    Refused,
}

/// What is known of a guard over the whole run, all owners together.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize)]
pub struct GuardFigures {
    /// Where it stands: `traffic.shop`, `service.web.balancer`, `service.web.server.web-1`.
    pub at: String,
    /// Its row in [`crate::guard::GUARDS`].
    pub kind: &'static str,
    /// Attempts passed, those that waited included.
    pub passed: u64,
    /// Attempts turned away.
    pub refused: u64,
    /// Attempts that had to wait.
    pub held: u64,
}

impl State {
    fn new(guard: &Configured<GuardDef>) -> Self {
        Self {
            guard: guard.build(),
            in_flight: 0,
            line: VecDeque::new(),
            waiting: 0,
        }
    }
}

impl Row {
    fn new(guard: &Configured<GuardDef>, owners: usize) -> Self {
        let states = if guard.shared() { 1 } else { owners };
        Self {
            guard: guard.clone(),
            states: (0..states).map(|_| State::new(guard)).collect(),
            passed: 0,
            refused: 0,
            held: 0,
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
        }
        let balancers = model.services.iter().map(|service| &service.balancer);
        let servers = model.servers.iter().map(|server| &server.params.guards);
        let stream = |post| Stream::new(model.seed, replication, &format!("guards/{post}"));
        let mut guards = Self {
            any: false,
            callers: Vec::new(),
            of_client: Table::default(),
            fast_owner: Table::filled(model.services.len(), 0),
            balancers: balancers
                .map(|b| Chain::new(&b.guards, instances(b)))
                .collect(),
            servers: servers.map(|guards| Chain::new(guards, 1)).collect(),
            visits: Table::default(),
            to_wake: Vec::new(),
            kept_news: Vec::new(),
            streams: ["callers", "balancers", "servers"].map(stream),
        };
        for (client, servers) in model.clients.iter().zip(&calling) {
            let seat = if *servers > 0 {
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
        self.any |= self.callers.iter().any(stands)
            || self.balancers.iter().any(stands)
            || self.servers.iter().any(stands);
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

    /// As [`Simulation::enter`] at a caller from outside and at the only balancer instance of a
    /// service, for the first attempt of a request that begins now. Who was not let pass; nothing is
    /// written down for one that was.
    pub(super) fn pass_fast(
        &mut self,
        number: u64,
        client: ClientId,
        service: ServiceId,
        until: u64,
        now: u64,
    ) -> Option<Stopped> {
        let ordinal = 1;
        let asked = Admission {
            now: Instant(now),
            attempt: ordinal,
            in_flight: 0,
            waiting: 0,
            until: (until != u64::MAX).then_some(Instant(until)),
        };
        for seat in self.fast_seats(client, service) {
            let stream = self.streams[seat.post as usize];
            for (i, row) in self.chain(seat).rows.iter_mut().enumerate() {
                let state = row.state(seat.owner);
                let asked = Admission {
                    in_flight: state.in_flight,
                    waiting: state.waiting,
                    ..asked
                };
                let verdict = state
                    .guard
                    .admit(&asked, &mut draws_of(stream, i, number, ordinal));
                if verdict != Verdict::Pass {
                    return Some(Stopped {
                        seat,
                        row: i,
                        verdict,
                    });
                }
                state.in_flight += 1;
                row.passed += 1;
            }
        }
        None
    }

    /// The chains of a caller from outside and of the only instance of a balancer.
    fn fast_seats(&self, client: ClientId, service: ServiceId) -> [Seat; 2] {
        let (chain, owner) = self.of_client[client];
        let caller = Seat {
            post: Post::Caller,
            chain,
            owner,
        };
        let balancer = Seat {
            post: Post::Balancer,
            chain: u32::from(service.0),
            owner: self.fast_owner[service],
        };
        [caller, balancer]
    }

    /// As [`Simulation::leave`] at both, for one that was passed when it began and has succeeded.
    pub(super) fn leave_fast(
        &mut self,
        client: ClientId,
        service: ServiceId,
        begun: u64,
        now: u64,
    ) {
        let [caller, balancer] = self.fast_seats(client, service);
        let chains = [
            (balancer, &mut self.balancers[service]),
            (caller, &mut self.callers[caller.chain as usize]),
        ];
        for (seat, chain) in chains {
            for (i, row) in chain.rows.iter_mut().enumerate() {
                let state = row.state(seat.owner);
                let has_news = state.guard.ended(&Ended {
                    now: Instant(now),
                    passed: Instant(begun),
                    outcome: Outcome::Succeeded,
                    in_flight: state.in_flight,
                });
                state.in_flight -= 1;
                if state.waiting > 0 {
                    self.to_wake.push((seat, i));
                }
                if has_news && let Some(news) = state.guard.news() {
                    self.kept_news.push((seat, news));
                }
            }
        }
    }

    /// Whether callers of this kind give up no later than those above them.
    fn inherits_deadline(&self, client: ClientId) -> bool {
        let (chain, _) = self.of_client[client];
        let rows = &self.callers[chain as usize].rows;
        rows.iter().any(|row| row.guard.def.keeps_deadlines)
    }

    /// Bytes held, for the report on memory.
    pub(super) fn bytes(&self) -> usize {
        let chains = (self.callers.iter())
            .chain(self.balancers.iter())
            .chain(self.servers.iter());
        let states = chains.flat_map(|chain| &chain.rows).map(|row| {
            let line =
                |state: &State| size_of::<State>() + state.line.capacity() * size_of::<Handle>();
            row.states.iter().map(line).sum::<usize>()
        });
        states.sum::<usize>() + self.visits.len() * size_of::<Visits>()
    }
}

/// The draws that belong to one guard of a list and one attempt of request `number`. The source of a
/// request stands from bit 48 of its number on; a scenario has at most 1 000 of them, which leaves the
/// upper four bits for the at most 16 guards of a list.
fn draws_of(stream: Stream, row: usize, number: u64, attempt: u32) -> Draws {
    stream.of_attempt(number.wrapping_add((row as u64) << 60), attempt)
}

impl Simulation {
    /// An attempt comes to a post. Where it may not go on at once that is seen to, and false.
    #[inline]
    pub(super) fn enter(&mut self, post: Post, handle: Handle) -> bool {
        !self.guards.any || self.enter_chain(post, handle)
    }

    #[inline(never)]
    fn enter_chain(&mut self, post: Post, handle: Handle) -> bool {
        let Some(seat) = self.seat(post, handle) else {
            return true;
        };
        let now = self.now;
        *self.guards.visit(post, handle) = Visit {
            seat: Some(seat),
            arrived: now,
            went_on: now,
            ..Visit::default()
        };
        self.ask(post, handle, seat) == Passage::Through
    }

    /// The chain that stands at an attempt's post, and whose it is; `None`: there is none.
    fn seat(&self, post: Post, handle: Handle) -> Option<Seat> {
        let attempt = &self.attempts[handle];
        if attempt.purpose != Purpose::Request {
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

    /// Asks the guards of a chain that an attempt has not passed yet.
    fn ask(&mut self, post: Post, handle: Handle, seat: Seat) -> Passage {
        loop {
            let row = self.guards.visit(post, handle).passed;
            if row >= self.guards.chain(seat).rows.len() {
                return Passage::Through;
            }
            let verdict = self.verdict(handle, seat, row, false);
            match self.obey(handle, seat, row, verdict) {
                Passage::Through => {}
                stopped => return stopped,
            }
        }
    }

    /// Does what a guard has said of an attempt.
    fn obey(&mut self, handle: Handle, seat: Seat, row: usize, verdict: Verdict) -> Passage {
        let row_of = &mut self.guards.chain(seat).rows[row];
        match verdict {
            Verdict::Pass => {
                self.pass_one(handle, seat);
                Passage::Through
            }
            Verdict::Delay(span) => {
                row_of.held += 1;
                self.pass_one(handle, seat);
                self.hold(handle, seat, span, false);
                Passage::Held
            }
            Verdict::Wait(longest) => {
                row_of.held += 1;
                let state = row_of.state(seat.owner);
                state.waiting += 1;
                state.line.push_back(handle);
                self.hold(handle, seat, longest, true);
                Passage::Held
            }
            Verdict::Refuse | Verdict::Stop => {
                row_of.refused += 1;
                self.turn_away(handle, seat);
                Passage::Refused
            }
        }
    }

    /// A guard has not let pass an attempt on the fast path, which goes on by the general one.
    #[cold]
    #[inline(never)]
    pub(super) fn stop_fast(&mut self, handle: Handle, stopped: &Stopped) {
        let &Stopped { seat, row, verdict } = stopped;
        let attempt = &mut self.attempts[handle];
        let index = attempt.instance;
        (attempt.place, attempt.server) = (Place::Underway, ServerId::NONE);
        if seat.post == Post::Caller {
            // It has not come to the balancer.
            attempt.instance = InstanceId::NONE;
            let instance = &mut self.balancers[index];
            instance.connections -= 1;
            instance.attempts -= 1;
        }
        self.spell_out(handle);
        if seat.post == Post::Caller {
            *self.guards.visit(Post::Balancer, handle) = Visit::default();
        }
        self.guards.visit(seat.post, handle).passed = row;
        if self.obey(handle, seat, row, verdict) == Passage::Through {
            unreachable!("it was not let pass");
        }
    }

    /// Writes down which guards an attempt has passed whose call was elided until now: all where it
    /// has been.
    pub(super) fn note_elided_visits(&mut self, handle: Handle) {
        self.guards.begin(handle);
        if !self.guards.any {
            return;
        }
        let begun = self.attempts[handle].begun;
        for post in [Post::Caller, Post::Balancer] {
            let at_balancer = self.attempts[handle].instance != InstanceId::NONE;
            if post == Post::Balancer && !at_balancer {
                continue;
            }
            if let Some(seat) = self.seat(post, handle) {
                let passed = self.guards.chain(seat).rows.len();
                *self.guards.visit(post, handle) = Visit {
                    seat: Some(seat),
                    passed,
                    arrived: begun,
                    went_on: begun,
                    delayed_by: 0,
                };
            }
        }
    }

    /// Writes down what guards had to say on the fast path.
    pub(super) fn tell_kept_news(&mut self) {
        while let Some((seat, news)) = self.guards.kept_news.pop() {
            self.tell_news(seat, news);
        }
    }

    /// What a guard says to an attempt; `waits`: it is one of those that wait there.
    fn verdict(&mut self, handle: Handle, seat: Seat, row: usize, waits: bool) -> Verdict {
        let attempt = &self.attempts[handle];
        let ordinal = self.attempts.cold(handle).ordinal;
        let number = attempt.number;
        let def = self.guards.chain(seat).rows[row].guard.def;
        if def.asked == Asked::BeforePause && ordinal > 1 {
            // It was asked when the caller decided to try again.
            return Verdict::Pass;
        }
        let until = if def.keeps_deadlines {
            self.until(handle)
        } else {
            None
        };
        let mut draws = self.guards.draws(seat.post, row, number, ordinal);
        let now = Instant(self.now);
        let state = self.guards.chain(seat).rows[row].state(seat.owner);
        let asked = Admission {
            now,
            attempt: ordinal,
            in_flight: state.in_flight,
            waiting: state.waiting - u32::from(waits),
            until,
        };
        state.guard.admit(&asked, &mut draws)
    }

    /// An attempt has passed one more guard.
    fn pass_one(&mut self, handle: Handle, seat: Seat) {
        let visit = self.guards.visit(seat.post, handle);
        let row = visit.passed;
        visit.passed += 1;
        let row = &mut self.guards.chain(seat).rows[row];
        row.passed += 1;
        row.state(seat.owner).in_flight += 1;
    }

    /// An attempt stays where it is for now.
    fn hold(&mut self, handle: Handle, seat: Seat, span: Duration, in_line: bool) {
        let (post, until) = (seat.post, self.now.saturating_add(span.0));
        self.guards.visits[handle.slot()].held = Some(Hold {
            post,
            until,
            in_line,
        });
        self.attempts[handle].place = match seat.post {
            Post::Server => Place::HeldAtServer,
            Post::Caller | Post::Balancer => Place::Held,
        };
        let then = if in_line {
            Event::Overdue(handle)
        } else {
            Event::Admitted(handle)
        };
        self.events.schedule(until, then);
    }

    /// The time of an attempt that was delayed has come.
    pub(super) fn admitted(&mut self, handle: Handle) {
        if let Some(hold) = self.hold_that_ends(handle, false) {
            self.go_on(hold.post, handle);
        }
    }

    /// What holds an attempt, if that ends now; timers of earlier holds are void.
    fn hold_that_ends(&self, handle: Handle, in_line: bool) -> Option<Hold> {
        let hold = self.guards.visits.get(handle.slot())?.held?;
        (hold.until == self.now && hold.in_line == in_line).then_some(hold)
    }

    /// A held attempt goes on with the guards behind.
    fn go_on(&mut self, post: Post, handle: Handle) {
        let now = self.now;
        let visits = &mut self.guards.visits[handle.slot()];
        visits.held = None;
        let visit = &mut visits.posts[post as usize];
        visit.went_on = now;
        visit.delayed_by = visit.passed.saturating_sub(1);
        let Some(seat) = visit.seat else { return };
        self.attempts[handle].place = Place::Underway;
        if self.ask(post, handle, seat) != Passage::Through {
            return;
        }
        match post {
            Post::Caller => self.depart(handle),
            Post::Balancer => self.choose(handle),
            Post::Server => self.welcome(handle),
        }
    }

    /// An attempt has waited at a guard for as long as that allows.
    pub(super) fn overdue(&mut self, handle: Handle) {
        let Some(hold) = self.hold_that_ends(handle, true) else {
            return;
        };
        let visit = *self.guards.visit(hold.post, handle);
        let Some(seat) = visit.seat else { return };
        self.guards.chain(seat).rows[visit.passed].refused += 1;
        self.turn_away(handle, seat);
    }

    /// An attempt is held no longer.
    fn let_loose(&mut self, handle: Handle) {
        let visits = &mut self.guards.visits[handle.slot()];
        let Some(hold) = visits.held.take().filter(|hold| hold.in_line) else {
            return;
        };
        let visit = visits.posts[hold.post as usize];
        let Some(seat) = visit.seat else { return };
        let state = self.guards.chain(seat).rows[visit.passed].state(seat.owner);
        state.waiting -= 1;
        // It is not searched for in the line, but passed over when it comes to the front. Many of
        // that kind are cleared away at once.
        if state.line.len() > 64 + 2 * state.waiting as usize {
            let mut line = std::mem::take(&mut state.line);
            line.retain(|&other| self.is_in_line(other, seat, visit.passed));
            self.guards.chain(seat).rows[visit.passed]
                .state(seat.owner)
                .line = line;
        }
    }

    /// Whether an attempt still waits at a guard.
    fn is_in_line(&self, handle: Handle, seat: Seat, row: usize) -> bool {
        self.attempts.contains(handle) && {
            let visits = &self.guards.visits[handle.slot()];
            let visit = visits.posts[seat.post as usize];
            let waits = |hold: Hold| hold.in_line && hold.post == seat.post;
            // Where all share a guard, the line is of all owners.
            let same = |at: Seat| at.chain == seat.chain;
            visits.held.is_some_and(waits) && visit.passed == row && visit.seat.is_some_and(same)
        }
    }

    /// A guard has turned an attempt away: those before it learn nothing from that.
    fn turn_away(&mut self, handle: Handle, seat: Seat) {
        self.leave(seat.post, handle, Outcome::Cancelled);
        match seat.post {
            Post::Caller => {
                let attempt = &mut self.attempts[handle];
                (attempt.place, attempt.outcome) = (Place::Answered, Outcome::Shed);
                self.answer(handle);
            }
            Post::Balancer => self.reply(handle, Outcome::Shed),
            Post::Server => self.send_away(handle, Outcome::Shed),
        }
    }

    /// An attempt leaves a post: the guards that it passed learn how it ended, as seen from there.
    #[inline]
    pub(super) fn leave(&mut self, post: Post, handle: Handle, outcome: Outcome) {
        if self.guards.any {
            self.leave_chain(post, handle, outcome);
        }
    }

    #[inline(never)]
    fn leave_chain(&mut self, post: Post, handle: Handle, outcome: Outcome) {
        let Some(visits) = self.guards.visits.get(handle.slot()) else {
            return;
        };
        if visits.held.is_some_and(|hold| hold.post == post) {
            self.let_loose(handle);
        }
        let visit = std::mem::take(self.guards.visit(post, handle));
        let Some(seat) = visit.seat else { return };
        let now = Instant(self.now);
        for row in 0..visit.passed {
            let passed = if row < visit.delayed_by {
                visit.arrived
            } else {
                visit.went_on
            };
            let state = self.guards.chain(seat).rows[row].state(seat.owner);
            let has_news = state.guard.ended(&Ended {
                now,
                passed: Instant(passed),
                outcome,
                in_flight: state.in_flight,
            });
            state.in_flight -= 1;
            let news = has_news.then(|| state.guard.news()).flatten();
            if state.waiting > 0 {
                self.guards.to_wake.push((seat, row));
            }
            if let Some(news) = news {
                self.tell_news(seat, news);
            }
        }
    }

    /// Lets those go on that waited for another to end, once the present event is done.
    #[inline]
    pub(super) fn wake_held(&mut self) {
        while let Some((seat, row)) = self.guards.to_wake.pop() {
            self.wake(seat, row);
        }
    }

    #[cold]
    fn wake(&mut self, seat: Seat, row: usize) {
        loop {
            let rows = &mut self.guards.chain(seat).rows;
            // Settings may have changed since.
            let Some(state) = rows.get_mut(row).map(|row| row.state(seat.owner)) else {
                return;
            };
            let Some(&handle) = state.line.front() else {
                return;
            };
            if !self.is_in_line(handle, seat, row) {
                let rows = &mut self.guards.chain(seat).rows;
                rows[row].state(seat.owner).line.pop_front();
                continue;
            }
            let verdict = self.verdict(handle, seat, row, true);
            let row_of = &mut self.guards.chain(seat).rows[row];
            match verdict {
                Verdict::Wait(_) => return,
                Verdict::Refuse | Verdict::Stop => {
                    row_of.refused += 1;
                    self.turn_away(handle, seat);
                    continue;
                }
                Verdict::Pass | Verdict::Delay(_) => {}
            }
            let state = row_of.state(seat.owner);
            state.line.pop_front();
            state.waiting -= 1;
            // A shared guard has a line of all owners.
            let own = self.guards.visit(seat.post, handle).seat.unwrap_or(seat);
            self.pass_one(handle, own);
            self.go_on(seat.post, handle);
        }
    }

    /// Writes down what a guard has to say.
    fn tell_news(&mut self, seat: Seat, news: News) {
        let kind = if news.closed_to_all {
            Kind::Opened
        } else {
            Kind::Closed
        };
        let subject = self.owner_name(seat);
        self.tell(kind, Actor::System, &subject, news.cause);
    }

    /// Whose guards they are.
    fn owner_name(&self, seat: Seat) -> String {
        match seat.post {
            Post::Server => self.model.servers[seat.chain as usize].name.clone(),
            Post::Balancer => {
                let first = self.balancers.of(ServiceId(seat.chain as u16)).next();
                let index = first.map_or(0, |first| first.0) + seat.owner;
                self.balancers[InstanceId(index)].name.clone()
            }
            Post::Caller => self.caller_name(seat),
        }
    }

    fn caller_name(&self, seat: Seat) -> String {
        let outside = self.guards.callers[seat.chain as usize].outside;
        let is_it = |(_, at): &(ClientId, &(u32, u32))| {
            at.0 == seat.chain && (!outside || at.1 == seat.owner)
        };
        let Some((client, _)) = self.guards.of_client.enumerate().find(is_it) else {
            return String::new();
        };
        let of = |source: &&crate::model::Source| source.clients.contains(&client);
        if let Some(source) = self.model.sources.iter().find(of) {
            return source.name.clone();
        }
        let calling = self.model.services.iter().find_map(|service| {
            let ask = service.asks().find(|ask| ask.client == client)?;
            let to = &self.model.services[ask.to.position()].name;
            let from = match ask.by {
                Asker::Server => {
                    let server = service.servers[seat.owner as usize];
                    self.model.servers[server.position()].name.clone()
                }
                Asker::Balancer => format!("{}-lb-{}", service.name, seat.owner + 1),
            };
            Some(format!("{from} to {to}"))
        });
        calling.unwrap_or_default()
    }

    /// Whether a caller's guards, those that are asked before the pause, allow one more attempt.
    pub(super) fn may_try_again(&mut self, handle: Handle) -> bool {
        if !self.guards.any {
            return true;
        }
        let call = &self.calls[handle];
        let (chain, owner) = self.caller_seat(call);
        let post = Post::Caller;
        let seat = Seat { post, chain, owner };
        let (number, attempt) = (call.number, call.attempts + 1);
        let now = Instant(self.now);
        for position in 0..self.guards.chain(seat).rows.len() {
            let mut draws = self.guards.draws(post, position, number, attempt);
            let row = &mut self.guards.chain(seat).rows[position];
            if row.guard.def.asked != Asked::BeforePause {
                continue;
            }
            let state = row.state(seat.owner);
            let asked = Admission {
                now,
                attempt,
                in_flight: state.in_flight,
                waiting: state.waiting,
                until: None,
            };
            if state.guard.admit(&asked, &mut draws) != Verdict::Pass {
                row.refused += 1;
                return false;
            }
        }
        true
    }

    /// The moment after which nobody waits for an attempt's answer: its caller, or one further up;
    /// `None`: somebody always will.
    fn until(&self, handle: Handle) -> Option<Instant> {
        let attempt = &self.attempts[handle];
        if attempt.call.is_elided() || !self.calls.contains(attempt.call) {
            return Some(Instant::ZERO);
        }
        let call = &self.calls[attempt.call];
        let caller = &self.callers[call.client];
        let own = attempt.begun.saturating_add(caller.timeout);
        let whole = call.arrived.saturating_add(caller.deadline);
        let above = if call.parent.is_none() {
            None
        } else if self.attempts.contains(call.parent) {
            self.until(call.parent)
        } else {
            Some(Instant::ZERO)
        };
        let until = own.min(whole).min(above.map_or(u64::MAX, |until| until.0));
        (until != u64::MAX).then_some(Instant(until))
    }

    /// When a caller gives up an attempt because those above it would, if its guards say so.
    pub(super) fn inherited_deadline(&self, handle: Handle) -> Option<u64> {
        let call = &self.calls[self.attempts[handle].call];
        let inherits =
            self.guards.any && !call.parent.is_none() && self.guards.inherits_deadline(call.client);
        inherits
            .then(|| self.until(handle))
            .flatten()
            .map(|at| at.0)
    }

    /// Whether a worker may begin with an attempt that has waited for it. Where not, it leaves by
    /// an event of its own: the worker's owner is half-way through a step.
    #[inline]
    pub(super) fn may_start(&mut self, handle: Handle) -> bool {
        !self.guards.any || self.may_start_guarded(handle)
    }

    #[inline(never)]
    fn may_start_guarded(&mut self, handle: Handle) -> bool {
        let attempt = &self.attempts[handle];
        if attempt.place != Place::Queued || attempt.purpose != Purpose::Request {
            return true;
        }
        // One on the fast path has met no guards at a server, and may stand where none did.
        let visits = self.guards.visits.get(handle.slot());
        let Some(seat) = visits.and_then(|visits| visits.posts[Post::Server as usize].seat) else {
            return true;
        };
        for row in 0..self.guards.chain(seat).rows.len() {
            if self.guards.chain(seat).rows[row].guard.def.keeps_deadlines
                && self.verdict(handle, seat, row, false) != Verdict::Pass
            {
                self.guards.chain(seat).rows[row].refused += 1;
                self.attempts[handle].place = Place::Expired;
                self.events.soon(self.now, Event::Expired(handle));
                return false;
            }
        }
        true
    }

    /// An attempt that no worker may begin with leaves its server.
    pub(super) fn expired(&mut self, handle: Handle) {
        if self.attempts[handle].place == Place::Expired {
            self.leave(Post::Server, handle, Outcome::Shed);
            self.send_away(handle, Outcome::Shed);
        }
    }

    /// What the guards of a server, or of those who call from it, had learnt is gone.
    pub(super) fn server_forgets(&mut self, server: ServerId) {
        if !self.guards.any {
            return;
        }
        self.guards.servers[server].forget(0);
        let (service, local) = (self.fleet[server].service, self.fleet[server].local);
        for call in &self.services[service].settings.calls {
            let (chain, _) = self.guards.of_client[call.client];
            self.guards.callers[chain as usize].forget(local.0);
        }
    }

    /// What the guards of a balancer instance, or of its routes, had learnt is gone.
    pub(super) fn instance_forgets(&mut self, instance: InstanceId) {
        let service = self.balancers[instance].service;
        let owner = self.balancers.number_of(instance);
        self.guards.balancers[service].forget(owner);
        for route in &self.services[service].settings.balancer.routes {
            let (chain, _) = self.guards.of_client[route.client];
            self.guards.callers[chain as usize].forget(owner);
        }
    }

    /// The guards of a kind of caller, a balancer or a server are others now. Whoever is past them
    /// counts as passed by all of the new ones; whoever is held asks anew.
    pub(super) fn change_guards(&mut self, whose: Whose, new: &[Configured<GuardDef>]) {
        let (post, chain) = match whose {
            Whose::Caller(client) => (Post::Caller, self.guards.of_client[client].0),
            Whose::Balancer(service) => (Post::Balancer, u32::from(service.0)),
            Whose::Server(server) => (Post::Server, server.0),
        };
        let owner = 0;
        if self.guards.chain(Seat { post, chain, owner }).is(new) {
            return;
        }
        self.spell_out_all(|_| true);
        let all: Vec<Handle> = self.attempts.iter().map(|(handle, _)| handle).collect();
        let there: Vec<Handle> = (all.iter().copied())
            .filter(|&handle| self.is_there(whose, handle))
            .collect();
        let first_ever = !self.guards.any;
        for &handle in &there {
            self.detach(post, handle);
        }
        match whose {
            Whose::Caller(client) if self.guards.callers[chain as usize].outside => {
                self.guards.of_client[client] = self.guards.join_outside(new);
            }
            _ => self.guards.chain(Seat { post, chain, owner }).adopt(new),
        }
        self.guards.look_for_any();
        if first_ever {
            for handle in all {
                self.guards.begin(handle);
            }
        }
        for handle in there {
            self.attach(post, handle);
        }
    }

    /// Whether an attempt has come to where somebody's guards stand, and not left again.
    fn is_there(&self, whose: Whose, handle: Handle) -> bool {
        let attempt = &self.attempts[handle];
        attempt.purpose == Purpose::Request
            && match whose {
                Whose::Caller(client) => {
                    self.calls.contains(attempt.call) && self.calls[attempt.call].client == client
                }
                Whose::Balancer(service) => {
                    attempt.service == service
                        && attempt.instance != InstanceId::NONE
                        && attempt.place != Place::AtBalancer
                }
                Whose::Server(server) => attempt.server == server && attempt.place.is_at_server(),
            }
    }

    /// The guards of a post forget an attempt, which learns of no end.
    fn detach(&mut self, post: Post, handle: Handle) {
        let slot = handle.slot();
        let visits = self.guards.visits.with_room(slot, Visits::default());
        let visit = visits.posts[post as usize];
        let hold = visits.held.filter(|hold| hold.post == post);
        let Some(seat) = visit.seat else { return };
        let rows = &mut self.guards.chain(seat).rows;
        for row in &mut rows[..visit.passed] {
            row.state(seat.owner).in_flight -= 1;
        }
        if hold.is_some_and(|hold| hold.in_line) {
            rows[visit.passed].state(seat.owner).waiting -= 1;
        }
    }

    /// An attempt finds other guards at its post.
    fn attach(&mut self, post: Post, handle: Handle) {
        let (slot, now) = (handle.slot(), self.now);
        let seat = self.seat(post, handle);
        let visits = &mut self.guards.visits[slot];
        let held = visits.held.is_some_and(|hold| hold.post == post);
        let before = visits.posts[post as usize];
        let visit = &mut visits.posts[post as usize];
        *visit = Visit {
            // Where no guards stand any more, whoever was held goes on all the same.
            seat: seat.or(before.seat.filter(|_| held)),
            arrived: now,
            went_on: now,
            ..Visit::default()
        };
        if held {
            // One event later it asks the guards that stand there now.
            visits.held = Some(Hold {
                post,
                until: now,
                in_line: false,
            });
            self.events.soon(now, Event::Admitted(handle));
        } else if let Some(seat) = seat {
            let rows = &mut self.guards.chain(seat).rows;
            for row in &mut *rows {
                row.state(seat.owner).in_flight += 1;
            }
            let passed = rows.len();
            self.guards.visit(post, handle).passed = passed;
        }
    }

    /// What each guard did so far, all owners together.
    pub fn guard_figures(&self) -> Vec<GuardFigures> {
        let figures = |at: String, chain: &Chain| {
            let of = |row: &Row| GuardFigures {
                at: at.clone(),
                kind: row.guard.def.row.name,
                passed: row.passed,
                refused: row.refused,
                held: row.held,
            };
            chain.rows.iter().map(of).collect::<Vec<_>>()
        };
        let mut found = Vec::new();
        for (position, chain) in self.guards.callers.iter().enumerate() {
            let of = self.guards.of_client.enumerate();
            let names: Vec<String> = (of.filter(|(_, at)| at.0 as usize == position))
                .map(|(client, _)| self.client_name(client))
                .collect();
            let name = match names.as_slice() {
                [first, _, _, _, ..] => format!("{first} and {} others", names.len() - 1),
                few => few.join(", "),
            };
            found.extend(figures(name, chain));
        }
        for (service, chain) in self.guards.balancers.enumerate() {
            let name = &self.model.services[service.position()].name;
            found.extend(figures(format!("service.{name}.balancer"), chain));
        }
        for (server, chain) in self.guards.servers.enumerate() {
            let params = &self.model.servers[server.position()];
            let service = &self.model.services[params.service.position()].name;
            found.extend(figures(
                format!("service.{service}.server.{}", params.name),
                chain,
            ));
        }
        found
    }

    /// A kind of caller, by its path.
    fn client_name(&self, client: ClientId) -> String {
        for source in &self.model.sources {
            if let Some(class) = source.clients.iter().position(|id| *id == client) {
                let alone = self.model.classes.len() == 1;
                return if alone {
                    format!("traffic.{}", source.name)
                } else {
                    format!("traffic.{}.{}", source.name, self.model.classes[class].name)
                };
            }
        }
        for service in &self.model.services {
            if let Some(ask) = service.asks().find(|ask| ask.client == client) {
                return ask.path(service, &self.model);
            }
        }
        String::new()
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
