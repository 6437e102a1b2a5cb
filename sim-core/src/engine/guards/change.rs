//! Guards that change while time runs, and what a crash makes them forget.

use super::{Hold, Post, Seat, Visit, Visits, ties};
use crate::engine::Simulation;
use crate::engine::attempt::Place;
use crate::engine::event::Event;
use crate::engine::slab::Handle;
use crate::extension::Configured;
use crate::guard::GuardDef;
use crate::ids::{ClientId, InstanceId, ServerId, ServiceId};
use crate::model::{Client, OwnRules};

/// Whose guards are meant.
#[derive(Clone, Copy)]
pub(in crate::engine) enum Whose {
    Caller(ClientId),
    Balancer(ServiceId),
    Server(ServerId),
}

impl Simulation {
    /// What the guards of a server, or of those who call from it, had learnt is gone.
    pub(in crate::engine) fn server_forgets(&mut self, server: ServerId) {
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

    /// What the guards of a balancer instance, of its routes or of its own tries, had learnt is gone.
    pub(in crate::engine) fn instance_forgets(&mut self, instance: InstanceId) {
        let service = self.balancers[instance].service;
        let owner = self.balancers.number_of(instance);
        self.guards.balancers[service].forget(owner);
        let balancer = &self.services[service].settings.balancer;
        let routes = balancer.routes.iter().map(|route| route.client);
        let own = balancer.client.iter().flat_map(OwnRules::clients);
        for client in routes.chain(own.map(|(client, _)| client)) {
            let (chain, _) = self.guards.of_client[client];
            self.guards.callers[chain as usize].forget(owner);
        }
    }

    /// The guards of a kind of caller, a balancer or a server are others now. Whoever is past them
    /// counts as passed by all of the new ones; whoever is held asks anew.
    pub(in crate::engine) fn change_guards(&mut self, whose: Whose, new: &[Configured<GuardDef>]) {
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
        let mut there = match whose {
            Whose::Server(server) => self.residents(server),
            _ => self.attempts_where(|_| true),
        };
        there.retain(|&handle| self.is_there(whose, handle));
        for &handle in &there {
            self.detach(post, handle);
        }
        match whose {
            Whose::Caller(client) if self.guards.callers[chain as usize].outside => {
                self.guards.of_client[client] = self.guards.join_outside(new);
            }
            _ => self.guards.adopt(Seat { post, chain, owner }, new),
        }
        self.look_for_guards();
        for handle in there {
            self.attach(post, handle);
        }
    }

    /// Keeps books from now on, if there is anything to be watched.
    fn look_for_guards(&mut self) {
        let first_ever = !self.guards.any;
        self.guards.look_for_any();
        if first_ever && self.guards.any {
            for handle in self.attempts_where(|_| true) {
                self.guards.begin(handle);
                self.note_key(handle);
            }
            self.refresh_fast_services();
        }
    }

    /// A kind of caller has other manners: its copies may know each other now.
    pub(in crate::engine) fn watch_copies(&mut self, client: &Client) {
        if ties(client) && !self.guards.ties {
            self.guards.ties = true;
            self.look_for_guards();
        }
    }

    /// Whether an attempt has come to where somebody's guards stand, and not left again.
    fn is_there(&self, whose: Whose, handle: Handle) -> bool {
        let attempt = &self.attempts[handle];
        attempt.purpose.is_request()
            && match whose {
                Whose::Caller(client) => {
                    self.calls.contains(attempt.call)
                        && self.pass_as_one(self.calls[attempt.call].client, client)
                }
                Whose::Balancer(service) => {
                    attempt.service == service
                        && attempt.instance != InstanceId::NONE
                        && attempt.place != Place::AtBalancer
                }
                Whose::Server(server) => attempt.server == server && attempt.place.is_at_server(),
            }
    }

    /// Whether what befalls the guards of one kind of caller befalls those of another: of callers from
    /// outside each goes its own way.
    fn pass_as_one(&self, one: ClientId, other: ClientId) -> bool {
        let chain = self.guards.of_client[one].0;
        one == other
            || chain == self.guards.of_client[other].0
                && !self.guards.callers[chain as usize].outside
    }

    /// The guards of a post forget an attempt, which learns of no end.
    fn detach(&mut self, post: Post, handle: Handle) {
        let slot = handle.slot();
        let visits = self.guards.visits.with_room(slot, Visits::default());
        let visit = visits.posts[post as usize];
        let hold = visits.held.filter(|hold| hold.post == post);
        let Some(seat) = visit.seat else { return };
        for row in 0..visit.passed {
            let alike = self.alike(handle, seat, row);
            self.guards.chain(seat).rows[row]
                .state(seat.owner)
                .leaves(alike);
        }
        let rows = &mut self.guards.chain(seat).rows;
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
            let passed = self.guards.chain(seat).rows.len();
            for row in 0..passed {
                let alike = self.alike(handle, seat, row);
                self.guards.chain(seat).rows[row]
                    .state(seat.owner)
                    .enters(alike);
            }
            self.guards.visit(post, handle).passed = passed;
        }
    }
}
