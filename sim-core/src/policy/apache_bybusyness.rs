//! Apache's `bybusyness`: fewest requests under way, whatever the load factor; of equals who is due in a round robin.
//!
//! Every member's status grows by its load factor with each choice, and the chosen one pays the total, so that
//! idle members have turns in proportion to their factors.

use super::{Farm, FleetView, Job, Policy, PolicyDef, no_conditions};
use crate::draws::Draws;
use crate::extension::ExtensionRow;

pub(super) static POLICY: PolicyDef = PolicyDef {
    row: ExtensionRow {
        name: "apache-bybusyness",
        about: "Fewest in flight, as Apache's bybusyness: weights decide between equals only, as turns do.",
        source: "Apache 2.4.71, mod_lbmethod_bybusyness, observed",
        params: &[],
    },
    farm: Farm::Unknown,
    follows_load: true,
    familiar: None,
    check: no_conditions,
    heeds_weights: true,
    by_weight: false,
    build: &|_| Box::new(ByBusyness { status: Vec::new() }),
};

#[derive(Clone, Debug)]
struct ByBusyness {
    status: Vec<f64>,
}

impl Policy for ByBusyness {
    fn pick(&mut self, fleet: &FleetView<'_>, _: &Job, _: &mut Draws) -> Option<usize> {
        self.status.resize(fleet.weights.len(), 0.0);
        let mut total = 0.0;
        let mut best: Option<usize> = None;
        for &server in fleet.eligible {
            let server = server as usize;
            self.status[server] += fleet.weights[server];
            total += fleet.weights[server];
            let better = |than: usize| {
                let (its, least) = (fleet.in_flight[server], fleet.in_flight[than]);
                its < least || its == least && self.status[server] > self.status[than]
            };
            if best.is_none_or(better) {
                best = Some(server);
            }
        }
        self.status[best?] -= total;
        best
    }

    fn clone_box(&self) -> Box<dyn Policy> {
        Box::new(self.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{Fleet, build, sequence};
    use crate::draws::Stream;
    use crate::policy::Job;

    /// A30.
    #[test]
    fn idle_members_take_turns_and_busy_ones_wait() {
        assert_eq!(sequence("apache-bybusyness", &[1.0; 3], 6), "abcabc");
        assert_eq!(sequence("apache-bybusyness", &[3.0, 2.0, 1.0], 6), "abacba");
        let mut policy = build("apache-bybusyness");
        let mut fleet = Fleet::of(3);
        let mut kept_open = String::new();
        for i in 0..7 {
            let draws = &mut Stream::new(1, 0, "apache").at(i);
            let server = policy.pick(&fleet.view(), &Job::default(), draws);
            let server = server.expect("all are eligible");
            fleet.in_flight[server] += 1;
            kept_open.push(char::from(b'a' + server as u8));
        }
        assert_eq!(kept_open, "abcabca");
    }
}
