//! The waiting room of a server.

use super::Simulation;
use super::slab::Handle;
use super::state::{NIL, Place, Waiting};
use crate::discipline::{Order, Waiting as Ranked};
use std::cmp::Reverse;

impl Simulation {
    /// Puts an attempt where its server's discipline wants it.
    pub(super) fn enqueue(&mut self, handle: Handle) {
        let now = self.now;
        let index = handle.index();
        let attempt = &mut self.attempts[handle];
        attempt.place = Place::Queued;
        let (server, demand_ns, class) = (attempt.server, attempt.demand_ns, attempt.class);
        let s = &mut self.servers[server as usize];
        s.queue_len += 1;
        s.area_queued = s.area_queued.wrapping_sub(now);
        s.queued_ns = s.queued_ns.saturating_add(demand_ns);
        match s.waiting {
            Waiting::Fifo => {
                attempt.before = s.tail;
                attempt.behind = NIL;
                let tail = std::mem::replace(&mut s.tail, index);
                if tail == NIL {
                    s.head = index;
                } else {
                    self.attempts[tail].behind = index;
                }
            }
            Waiting::Lifo => {
                attempt.before = NIL;
                attempt.behind = s.head;
                let head = std::mem::replace(&mut s.head, index);
                if head == NIL {
                    s.tail = index;
                } else {
                    self.attempts[head].before = index;
                }
            }
            Waiting::Ranked => {
                let rest = &mut self.rests[server as usize];
                let Order::Ranked(rank) = rest.params.discipline.order() else {
                    unreachable!("the order was copied from the discipline")
                };
                let rank = rank(&Ranked {
                    priority: self.classes[class as usize].priority,
                    demand_ns,
                });
                self.started += 1;
                rest.ranked.push(Reverse((rank, self.started, handle)));
            }
            Waiting::Shared => unreachable!("nobody waits where all share"),
        }
    }

    /// Takes the next waiting request out of the queue.
    #[inline]
    pub(super) fn dequeue(&mut self, server: u32) -> Option<u32> {
        let s = &mut self.servers[server as usize];
        if s.queue_len == 0 {
            return None;
        }
        let index = if s.waiting == Waiting::Ranked {
            loop {
                let Reverse((_, _, handle)) = self.rests[server as usize].ranked.pop()?;
                if self.attempts.contains(handle) && self.attempts[handle].place == Place::Queued {
                    break handle.index();
                }
            }
        } else {
            let index = s.head;
            s.head = self.attempts[index].behind;
            // The new head's link to the one before is left as it is: it would cost a look at a
            // record that nothing else touches now.
            if s.head == NIL {
                s.tail = NIL;
            }
            index
        };
        let s = &mut self.servers[server as usize];
        s.queue_len -= 1;
        s.area_queued = s.area_queued.wrapping_add(self.now);
        s.queued_ns = s.queued_ns.saturating_sub(self.attempts[index].demand_ns);
        Some(index)
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
        let s = &mut self.servers[server as usize];
        s.queue_len -= 1;
        s.area_queued = s.area_queued.wrapping_add(self.now);
        s.queued_ns = s.queued_ns.saturating_sub(demand_ns);
        if s.waiting == Waiting::Ranked {
            return;
        }
        // The head's link to the one before may be left over from when it had one.
        let before = if s.head == handle.index() {
            NIL
        } else {
            before
        };
        if before == NIL {
            s.head = behind;
        } else {
            self.attempts[before].behind = behind;
        }
        if behind == NIL {
            s.tail = before;
        } else {
            self.attempts[behind].before = before;
        }
    }
}
