//! The waiting room of a server.

use super::Simulation;
use super::attempt::Place;
use super::fleet::Waiting;
use super::slab::{Handle, Slot};
use crate::discipline::{Order, Waiting as Ranked};
use crate::ids::{Id, ServerId};
use crate::time::Duration;
use std::cmp::Reverse;

impl Simulation {
    /// Puts an attempt where its server's discipline wants it.
    pub(super) fn enqueue(&mut self, handle: Handle) {
        let now = self.now;
        let slot = handle.slot();
        let attempt = &mut self.attempts[handle];
        if attempt.place != Place::Interrupted {
            attempt.place = Place::Queued;
        }
        let (server, demand_ns, class) = (attempt.server, attempt.demand_ns, attempt.class);
        let s = &mut self.fleet.servers[server];
        s.begin_wait(demand_ns, now);
        match s.waiting {
            Waiting::Fifo | Waiting::Turning => {
                if s.waiting == Waiting::Turning && s.queue_len == 1 {
                    self.fleet.cold[server].stood_from = attempt.mark;
                }
                attempt.before = s.tail;
                attempt.behind = Slot::NONE;
                let tail = std::mem::replace(&mut s.tail, slot);
                if tail == Slot::NONE {
                    s.head = slot;
                } else {
                    self.attempts[tail].behind = slot;
                }
            }
            Waiting::Lifo => {
                attempt.before = Slot::NONE;
                attempt.behind = s.head;
                let head = std::mem::replace(&mut s.head, slot);
                if head == Slot::NONE {
                    s.tail = slot;
                } else {
                    self.attempts[head].before = slot;
                }
            }
            Waiting::Ranked | Waiting::Preemptive => {
                let (resumed, arrived_ns) = (attempt.place == Place::Interrupted, attempt.mark);
                let rank = match self.fleet.cold[server].params.discipline.order() {
                    Order::Ranked(rank) | Order::Preemptive(rank) => rank(&Ranked {
                        priority: self.classes[class].priority,
                        demand_ns,
                        arrived_ns,
                    }),
                    Order::Deadline => self.until(handle).map_or(u64::MAX, |until| until.0),
                    _ => unreachable!("the order was copied from the discipline"),
                };
                let cold = &mut self.fleet.cold[server];
                self.fleet.started += 1;
                // Whoever was interrupted goes on before others of its rank.
                let turn = if resumed { 0 } else { self.fleet.started };
                cold.ranked.push(Reverse((rank, turn, handle)));
            }
            Waiting::Pile => {
                let pile = &mut self.fleet.cold[server].pile;
                attempt.before = Slot::at(pile.len());
                pile.push(slot);
            }
            Waiting::Shared => unreachable!("nobody waits where all share"),
        }
    }

    /// Puts an interrupted request where it goes on before all others that wait.
    pub(super) fn enqueue_first(&mut self, handle: Handle) {
        let server = self.attempts[handle].server;
        match self.fleet[server].waiting {
            Waiting::Fifo => {}
            Waiting::Turning if !self.takes_newest(server) => {}
            _ => return self.enqueue(handle),
        }
        let slot = handle.slot();
        let attempt = &mut self.attempts[handle];
        attempt.before = Slot::NONE;
        let s = &mut self.fleet[server];
        s.begin_wait(attempt.demand_ns, self.now);
        attempt.behind = std::mem::replace(&mut s.head, slot);
        match attempt.behind {
            Slot::NONE => s.tail = slot,
            next => self.attempts[next].before = slot,
        }
    }

    /// Takes a random one out of the pile, which must not be empty.
    fn take_from_pile(&mut self, server: ServerId) -> Slot {
        let cold = &mut self.fleet.cold[server];
        cold.picked += 1;
        let number = (u64::from(server) << 40) + cold.picked;
        let place = self.streams.order.at(number).below(cold.pile.len());
        let slot = cold.pile[place];
        self.leave_pile(server, place);
        slot
    }

    /// Closes the gap in the pile with its last.
    fn leave_pile(&mut self, server: ServerId, place: usize) {
        let pile = &mut self.fleet.cold[server].pile;
        pile.swap_remove(place);
        if let Some(&moved) = pile.get(place) {
            self.attempts[moved].before = Slot::at(place);
        }
    }

    /// Whether the next of a queue whose order turns is the one that came last.
    fn takes_newest(&self, server: ServerId) -> bool {
        let (s, cold) = (&self.fleet[server], &self.fleet.cold[server]);
        let stood = Duration(self.now - cold.stood_from);
        cold.params.discipline.takes_newest(s.queue_len, stood)
    }

    /// Takes the last of a list, which must not be empty.
    fn take_last(&mut self, server: ServerId) -> Slot {
        let s = &mut self.fleet[server];
        let slot = s.tail;
        if s.head == slot {
            (s.head, s.tail) = (Slot::NONE, Slot::NONE);
        } else {
            s.tail = self.attempts[slot].before;
            self.attempts[s.tail].behind = Slot::NONE;
        }
        slot
    }

    /// Takes the next waiting request out of the queue.
    #[inline]
    pub(super) fn dequeue(&mut self, server: ServerId) -> Option<Slot> {
        let s = &self.fleet[server];
        if s.queue_len == 0 {
            return None;
        }
        let slot = if matches!(s.waiting, Waiting::Ranked | Waiting::Preemptive) {
            loop {
                let Reverse((_, _, handle)) = self.fleet.cold[server].ranked.pop()?;
                if self.attempts.contains(handle) && self.attempts[handle].place.is_queued() {
                    break handle.slot();
                }
            }
        } else if s.waiting == Waiting::Pile {
            self.take_from_pile(server)
        } else if s.waiting == Waiting::Turning && self.takes_newest(server) {
            self.take_last(server)
        } else {
            let s = &mut self.fleet[server];
            let slot = s.head;
            s.head = self.attempts[slot].behind;
            // The new head's link to the one before is left as it is: it would cost a look at a
            // record that nothing else touches now.
            if s.head == Slot::NONE {
                s.tail = Slot::NONE;
            }
            slot
        };
        let s = &mut self.fleet[server];
        s.end_wait(self.attempts[slot].demand_ns, self.now);
        Some(slot)
    }

    /// Takes a given request out of the queue.
    pub(super) fn unqueue(&mut self, handle: Handle) {
        let attempt = &mut self.attempts[handle];
        // A ranked entry stays in the heap and is skipped when it surfaces.
        attempt.place = Place::Underway;
        let (server, before, behind, demand_ns) = (
            attempt.server,
            attempt.before,
            attempt.behind,
            attempt.demand_ns,
        );
        let s = &mut self.fleet[server];
        s.end_wait(demand_ns, self.now);
        if matches!(s.waiting, Waiting::Ranked | Waiting::Preemptive) {
            return;
        }
        if s.waiting == Waiting::Pile {
            return self.leave_pile(server, before.position());
        }
        // The head's link to the one before may be left over from when it had one.
        let before = if s.head == handle.slot() {
            Slot::NONE
        } else {
            before
        };
        if before == Slot::NONE {
            s.head = behind;
        } else {
            self.attempts[before].behind = behind;
        }
        if behind == Slot::NONE {
            s.tail = before;
        } else {
            self.attempts[behind].before = before;
        }
    }
}
