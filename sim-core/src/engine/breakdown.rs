//! Breakdowns: workers that fail, each on its own, and are repaired.
//!
//! A broken worker is one worker fewer. Its request goes on with another one, or waits before all
//! others; nothing is lost and the server stays up.

use super::Simulation;
use super::event::Event;
use super::fleet::{Failing, Waiting};
use crate::ids::ServerId;
use crate::time::Duration;
use std::sync::Arc;

impl Simulation {
    /// Takes on a server's settings; changed ones begin anew with all workers in order.
    ///
    /// Workers that are added fail like the others. Which ones are taken away is not said, so that
    /// those which are left begin anew as well.
    pub(super) fn configure_breakdowns(&mut self, server: ServerId) {
        let cold = &mut self.fleet.cold[server];
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
        if self.fleet.cold[server].breakdowns.is_some() {
            for _ in 0..workers {
                self.plan_breakdown(server);
            }
        }
    }

    fn plan_breakdown(&mut self, server: ServerId) {
        let generation = self.fleet.cold[server].breakdown_generation;
        if let Some(after) = self.breakdown_time(server, |failing| &failing.every) {
            self.after(after, Event::Breakdown(server, generation));
        }
    }

    fn breakdown_time(
        &mut self,
        server: ServerId,
        which: impl Fn(&Failing) -> &Arc<dyn crate::distribution::Distribution>,
    ) -> Option<u64> {
        let cold = &mut self.fleet.cold[server];
        let failing = cold.breakdowns.as_ref()?;
        cold.breakdown_draws += 1;
        let number = (u64::from(server) << 40) + cold.breakdown_draws;
        let mut draws = self.streams.breakdowns.at(number);
        Some(Duration::from_nanos_f64(which(failing).sample_ns(&mut draws)).0)
    }

    /// A worker fails.
    pub(super) fn break_down(&mut self, server: ServerId, generation: u32) {
        if self.fleet.cold[server].breakdown_generation != generation {
            return;
        }
        self.fleet.cold[server].broken += 1;
        self.refresh_fast_server(server);
        self.change_workers(server);
        if let Some(lasts) = self.breakdown_time(server, |failing| &failing.repair) {
            self.after(lasts, Event::Repaired(server, generation));
        }
    }

    /// A worker is repaired.
    pub(super) fn repaired(&mut self, server: ServerId, generation: u32) {
        if self.fleet.cold[server].breakdown_generation != generation {
            return;
        }
        self.fleet.cold[server].broken -= 1;
        self.change_workers(server);
        self.refresh_fast_server(server);
        self.plan_breakdown(server);
    }

    /// The number of workers in order has changed.
    fn change_workers(&mut self, server: ServerId) {
        let cold = &self.fleet.cold[server];
        let workers = cold.params.workers.saturating_sub(cold.broken);
        let s = &mut self.fleet[server];
        s.advance(self.now);
        let busy = s.busy();
        s.workers = workers;
        while self.fleet[server].in_service > 0 && self.is_crowded(server) {
            self.interrupt_any(server);
        }
        if self.fleet[server].state.serves() {
            self.workers_freed(server, busy);
        } else {
            // Nothing is served; only the number that could be is another.
            let s = &mut self.fleet[server];
            s.busy_changed(busy, self.now);
            self.plan_completion(server);
        }
        self.tell_of_pace(server);
        self.watch_server(server);
    }

    fn is_crowded(&self, server: ServerId) -> bool {
        let s = &self.fleet[server];
        s.waiting != Waiting::Shared && s.in_service + s.holding > s.workers
    }

    /// Interrupts one of the requests in service, each with the same chance.
    fn interrupt_any(&mut self, server: ServerId) {
        let cold = &mut self.fleet.cold[server];
        cold.picked += 1;
        let number = (u64::from(server) << 40) + cold.picked;
        let place = self
            .streams
            .order
            .at(number)
            .below(cold.in_service.len() + 1);
        let slot = match place.checked_sub(1) {
            None => self.fleet.servers[server].first,
            Some(other) => cold
                .in_service
                .iter()
                .nth(other)
                .map_or(self.fleet.servers[server].first, |serving| serving.slot),
        };
        self.interrupt_at(self.attempts.handle_at(slot));
    }
}
