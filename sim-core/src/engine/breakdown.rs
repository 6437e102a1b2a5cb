//! Breakdowns: workers that fail, each on its own, and are repaired.
//!
//! A broken worker is one worker fewer. Its request goes on with another one, or waits before all
//! others; nothing is lost and the server stays up.

use super::Simulation;
use super::event::Event;
use super::state::{Failing, Waiting};
use crate::time::Duration;
use std::sync::Arc;

impl Simulation {
    /// Takes on a server's settings; changed ones begin anew with all workers in order.
    ///
    /// Workers that are added fail like the others. Which ones are taken away is not said, so that
    /// those which are left begin anew as well.
    pub(super) fn configure_breakdowns(&mut self, server: u32) {
        let cold = &mut self.servers_cold[server as usize];
        let (wanted, workers) = (cold.params.breakdowns.clone(), cold.params.workers);
        let planned = cold.breakdowns.as_ref().map_or(0, |b| b.workers);
        if cold.breakdowns.as_ref().map(|b| &b.settings) == wanted.as_ref() && planned <= workers {
            if let Some(failing) = &mut cold.breakdowns {
                failing.workers = workers;
                for _ in planned..workers {
                    self.plan_breakdown(server);
                }
            }
            return;
        }
        cold.broken = 0;
        cold.breakdown_generation += 1;
        cold.breakdowns = wanted.map(|settings| Failing {
            every: Arc::from(settings.every.build()),
            repair: Arc::from(settings.repair.build()),
            settings,
            workers,
        });
        if self.servers_cold[server as usize].breakdowns.is_some() {
            for _ in 0..workers {
                self.plan_breakdown(server);
            }
        }
    }

    fn plan_breakdown(&mut self, server: u32) {
        let generation = self.servers_cold[server as usize].breakdown_generation;
        if let Some(after) = self.breakdown_time(server, |failing| &failing.every) {
            let at = self.now.saturating_add(after);
            self.event_queue
                .schedule(at, Event::Breakdown { server, generation });
        }
    }

    fn breakdown_time(
        &mut self,
        server: u32,
        which: impl Fn(&Failing) -> &Arc<dyn crate::distribution::Distribution>,
    ) -> Option<u64> {
        let cold = &mut self.servers_cold[server as usize];
        let failing = cold.breakdowns.as_ref()?;
        cold.breakdown_draws += 1;
        let number = (u64::from(server) << 40) + cold.breakdown_draws;
        let mut draws = self.breakdown_stream.at(number);
        Some(Duration::from_nanos_f64(which(failing).sample_ns(&mut draws)).0)
    }

    /// A worker fails.
    pub(super) fn break_down(&mut self, server: u32, generation: u32) {
        if self.servers_cold[server as usize].breakdown_generation != generation {
            return;
        }
        self.servers_cold[server as usize].broken += 1;
        self.change_workers(server);
        if let Some(lasts) = self.breakdown_time(server, |failing| &failing.repair) {
            let at = self.now.saturating_add(lasts);
            self.event_queue
                .schedule(at, Event::Repaired { server, generation });
        }
    }

    /// A worker is repaired.
    pub(super) fn repaired(&mut self, server: u32, generation: u32) {
        if self.servers_cold[server as usize].breakdown_generation != generation {
            return;
        }
        self.servers_cold[server as usize].broken -= 1;
        self.change_workers(server);
        self.plan_breakdown(server);
    }

    /// The number of workers in order has changed.
    fn change_workers(&mut self, server: u32) {
        let cold = &self.servers_cold[server as usize];
        let workers = cold.params.workers.saturating_sub(cold.broken);
        let s = &mut self.servers[server as usize];
        s.advance(self.now);
        let busy = s.busy();
        s.workers = workers;
        while self.servers[server as usize].in_service > 0 && self.is_crowded(server) {
            self.interrupt_any(server);
        }
        if self.servers[server as usize].state.serves() {
            self.workers_freed(server, busy);
        } else {
            // Nothing is served; only the number that could be is another.
            let s = &mut self.servers[server as usize];
            let difference = u64::from(busy).wrapping_sub(u64::from(s.busy()));
            s.area_busy = s.area_busy.wrapping_add(difference.wrapping_mul(self.now));
            self.plan_completion(server);
        }
        if self.servers[server as usize].watched {
            self.watch_server(server);
        }
    }

    fn is_crowded(&self, server: u32) -> bool {
        let s = &self.servers[server as usize];
        s.waiting != Waiting::Shared && s.in_service + s.holding > s.workers
    }

    /// Interrupts one of the requests in service, each with the same chance.
    fn interrupt_any(&mut self, server: u32) {
        let cold = &mut self.servers_cold[server as usize];
        cold.picked += 1;
        let number = (u64::from(server) << 40) + cold.picked;
        let place = self
            .order_stream
            .at(number)
            .below(cold.in_service.len() + 1);
        let index = match place.checked_sub(1) {
            None => self.servers[server as usize].first,
            Some(other) => cold
                .in_service
                .iter()
                .nth(other)
                .map_or(self.servers[server as usize].first, |entry| entry.0.2),
        };
        self.interrupt_at(self.attempts.handle_at(index));
    }
}
