//! What servers remember of how long their answers took, for policies that probe them.
//!
//! A median of the last answers for each number of requests that was left behind: the answer to
//! "how long would it take now?" depends on how full a server is, so that an average of all would tell a busy server's past.

use super::Simulation;
use crate::ids::{LocalId, ServerId, ServiceId, Table};

/// Numbers of requests that are told apart: each up to 8, then two an octave.
const LEVELS: usize = 16;
/// Answers remembered for each.
const KEPT: usize = 3;

/// The last answers of a server.
#[derive(Clone, Default)]
pub(super) struct Latencies {
    /// In nanoseconds.
    last: [[f32; KEPT]; LEVELS],
    /// How many answers there were, up to twice as many as are kept.
    count: [u8; LEVELS],
}

fn level(requests: u32) -> usize {
    let level = if requests < 8 {
        requests
    } else {
        let octave = requests.ilog2();
        8 + 2 * (octave - 3) + (requests >> (octave - 1) & 1)
    };
    (level as usize).min(LEVELS - 1)
}

impl Latencies {
    fn note(&mut self, requests: u32, took_ns: u64) {
        let level = level(requests);
        let count = usize::from(self.count[level]);
        self.last[level][count % KEPT] = took_ns as f32;
        self.count[level] = if count + 1 == 2 * KEPT {
            KEPT
        } else {
            count + 1
        } as u8;
    }

    /// The median of the last answers when about so many requests were left behind.
    #[inline]
    pub(super) fn median_ns(&self, requests: u32) -> Option<f32> {
        let level = level(requests);
        if self.count[level] > 0 {
            return Some(self.median_of(level));
        }
        // The nearest level of which something is known, the lower of two.
        let known = |level: &usize| self.count[*level] > 0;
        let nearest = (1..LEVELS).find_map(|far| {
            let below = level.checked_sub(far).filter(known);
            below.or_else(|| Some(level + far).filter(|l| *l < LEVELS).filter(known))
        });
        nearest.map(|level| self.median_of(level))
    }

    #[inline]
    fn median_of(&self, level: usize) -> f32 {
        let [a, b, c] = self.last[level];
        match self.count[level] {
            1 => a,
            2 => f32::midpoint(a, b),
            _ => a.min(b).max(a.max(b).min(c)),
        }
    }
}

impl Simulation {
    /// Whether the policies of a service want to know how long answers of its servers take.
    pub(super) fn configure_latencies(&mut self, service: ServiceId) {
        let wanted = self
            .balancers
            .of_mut(service)
            .iter()
            .any(|i| i.policy.tracks_latency());
        let service = &mut self.services[service];
        service.tracks_latencies = wanted;
        if wanted != service.latencies.is_some() {
            let servers = service.servers.len();
            let none = || Box::new(Table::filled(servers, Latencies::default()));
            service.latencies = wanted.then(none);
        }
    }

    /// A server has answered a request that arrived there at some moment, and leaves so many behind.
    pub(super) fn note_latency(&mut self, server: ServerId, behind: u32, arrived: u64) {
        let s = &self.fleet[server];
        let local: LocalId = s.local;
        if let Some(latencies) = &mut self.services[s.service].latencies {
            latencies[local].note(behind, self.now - arrived);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_ascend_with_the_number_of_requests() {
        assert_eq!(
            [0, 7, 8, 11, 12, 15, 16, 23, 24].map(level),
            [0, 7, 8, 8, 9, 9, 10, 10, 11]
        );
        assert!((0..5000).map(level).is_sorted());
        assert_eq!(level(u32::MAX), LEVELS - 1);
    }

    #[test]
    fn the_median_of_the_last_three_at_the_nearest_number_known() {
        let mut latencies = Latencies::default();
        assert_eq!(latencies.median_ns(3), None);
        let mut after = |took| {
            latencies.note(2, took);
            latencies.median_ns(2)
        };
        let medians = [10, 30, 20, 1000, 1000, 5, 6, 7].map(|took| after(took).map(|m| m as u32));
        assert_eq!(medians, [10, 20, 20, 30, 1000, 1000, 6, 6].map(Some));
        latencies.note(40, 777);
        let of = [0, 2, 5, 9, 14, 20, 1000].map(|n| latencies.median_ns(n).map(|m| m as u32));
        assert_eq!(of, [6, 6, 6, 777, 777, 777, 777].map(Some));
    }
}
