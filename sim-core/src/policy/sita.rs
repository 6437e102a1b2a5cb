//! Size interval task assignment: each server has jobs of its own sizes.
//!
//! Short jobs never wait behind long ones, which is what matters where sizes differ by orders of
//! magnitude; where they do not, it is worse than looking at loads. It needs to know sizes, and the right
//! cut-offs: with those of equal work (SITA-E) the small jobs' server is as busy as the large jobs'. Without cut-offs they are
//! learned: the work met so far is kept by size, in classes of an eighth of an octave, and a job goes to the server where the work of
//! smaller ones ends; of a class that spans servers jobs are dealt at random, so that jobs of one size are shared by all.
//!
//! A server that cannot be picked is stood in for by the next larger, and by the largest of the smaller where there is none.

use super::{Farm, FleetView, Job, Policy, PolicyDef};
use crate::draws::Draws;
use crate::extension::{ExtensionRow, ParamDef, ParamKind, ParamProblem, Params};
use crate::time::Duration;
use std::sync::Arc;

/// Classes of size within an octave, and all of them.
const PER_OCTAVE: u32 = 8;
const CLASSES: usize = (64 * PER_OCTAVE) as usize;

pub(super) static POLICY: PolicyDef = PolicyDef {
    row: ExtensionRow {
        name: "sita",
        about: "Each server, or group of neighbours, gets the requests of one interval of sizes, smallest first; it knows the demand of each, and weights are ignored.",
        source: "Harchol-Balter, Crovella and Murta, \"On choosing a task assignment policy for a distributed server system\", JPDC 59, 1999",
        params: &[
            ParamDef {
                name: "cutoffs",
                about: "Demands at which intervals end, ascending: n of them make n + 1 groups of servers, in order and as equal as can be. None: an interval for each server, learned so that all get the same work.",
                kind: ParamKind::Spans,
                default: Some("[]"),
            },
            ParamDef {
                name: "within",
                about: "Which server of its group a request gets: a random one, or the one with fewest attempts in flight, the first of equals.",
                kind: ParamKind::Choice(&["random", "least-in-flight"]),
                default: Some("random"),
            },
        ],
    },
    farm: Farm::Unknown,
    follows_load: false,
    familiar: None,
    check,
    heeds_weights: false,
    by_weight: false,
    build: &|params| {
        let cutoffs = Arc::clone(params.spans("cutoffs"));
        Box::new(Sita {
            learned: cutoffs.is_empty().then(Learned::new).map(Box::new),
            cutoffs,
            least_of_group: params.choice("within") == 1,
        })
    },
};

fn check(params: &Params) -> Result<(), ParamProblem> {
    let cutoffs = params.spans("cutoffs");
    if cutoffs.is_sorted_by(|one, other| one < other) {
        return Ok(());
    }
    Err(ParamProblem {
        param: "cutoffs",
        message: "cut-offs ascend, each above the one before".to_owned(),
    })
}

#[derive(Clone, Debug)]
struct Sita {
    cutoffs: Arc<[Duration]>,
    /// Where there are no cut-offs.
    learned: Option<Box<Learned>>,
    least_of_group: bool,
}

impl Policy for Sita {
    fn pick(&mut self, fleet: &FleetView<'_>, job: &Job, draws: &mut Draws) -> Option<usize> {
        let servers = fleet.weights.len();
        if let Some(learned) = &mut self.learned {
            let place = learned.place(job.demand, draws.uniform());
            let server = ((place * servers as f64) as usize).min(servers - 1);
            return Some(from(fleet.eligible, server) as usize);
        }
        let groups = self.cutoffs.len() + 1;
        let group = self.cutoffs.partition_point(|end| *end < job.demand);
        let start = group * servers / groups;
        let end = (group + 1) * servers / groups;
        let position = |server: usize| fleet.eligible.partition_point(|&s| (s as usize) < server);
        let members = &fleet.eligible[position(start)..position(end)];
        let chosen = match members.len() {
            0 => from(fleet.eligible, start),
            1 => members[0],
            _ if self.least_of_group => {
                let in_flight = |&&server: &&u32| fleet.in_flight[server as usize];
                *members.iter().min_by_key(in_flight)?
            }
            several => members[draws.below(several)],
        };
        Some(chosen as usize)
    }
    fn on_fleet_changed(&mut self, _: &FleetView<'_>) {}
    fn clone_box(&self) -> Box<dyn Policy> {
        Box::new(self.clone())
    }
}

/// The first eligible server from one on, or the last before it.
fn from(eligible: &[u32], server: usize) -> u32 {
    let place = eligible.partition_point(|&other| (other as usize) < server);
    eligible[place.min(eligible.len() - 1)]
}

/// The work met so far, by size.
#[derive(Clone, Debug)]
struct Learned {
    work: Box<[f64; CLASSES]>,
    /// The share of the work in smaller classes, as of when it was last summed up.
    below: Box<[f64; CLASSES + 1]>,
    jobs: u64,
    /// It is summed up again after so many jobs.
    due: u64,
}

impl Learned {
    fn new() -> Self {
        Self {
            work: Box::new([0.0; CLASSES]),
            below: Box::new([0.0; CLASSES + 1]),
            jobs: 0,
            due: 1,
        }
    }

    /// Where a job comes among all work by size, from 0 to below 1; `share` says where within its class.
    fn place(&mut self, demand: Duration, share: f64) -> f64 {
        let class = class(demand);
        self.work[class] += demand.0.max(1) as f64;
        self.jobs += 1;
        if self.jobs >= self.due {
            self.sum_up();
        }
        let (from, to) = (self.below[class], self.below[class + 1]);
        from + share * (to - from)
    }

    /// Works out the shares; again after an eighth as many more jobs.
    fn sum_up(&mut self) {
        self.due = self.jobs + 1 + self.jobs / 8;
        let total: f64 = self.work.iter().sum();
        let mut sum = 0.0;
        for (class, work) in self.work.iter().enumerate() {
            sum += work;
            self.below[class + 1] = sum / total;
        }
    }
}

/// The class of a size.
fn class(demand: Duration) -> usize {
    let ns = demand.0.max(1);
    let octave = ns.ilog2();
    // The bits after the first say where in the octave it is.
    let eighth = (u128::from(ns) << 3 >> octave) as u32 - PER_OCTAVE;
    (octave * PER_OCTAVE + eighth) as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draws::Stream;
    use crate::policy::fixture::{Fleet, build};

    fn choose(policy: &mut Box<dyn Policy>, fleet: &Fleet, number: u64, demand: Duration) -> usize {
        let job = Job {
            demand,
            ..Job::default()
        };
        let draws = &mut Stream::new(1, 0, "p").at(number);
        let choice = policy.pick(&fleet.view(), &job, draws);
        choice.expect("somebody is eligible")
    }

    #[test]
    fn classes_are_eighths_of_octaves_in_order() {
        let mut before = 0;
        for ns in (1..5000).chain([1 << 40, u64::MAX / 3, u64::MAX]) {
            let class = class(Duration(ns));
            assert!(class >= before && class < CLASSES, "{ns}");
            before = class;
        }
        assert_eq!(class(Duration(0)), 0);
        assert_eq!(class(Duration(15)) + 1, class(Duration(16)));
        assert_eq!(
            class(Duration(16)) + PER_OCTAVE as usize,
            class(Duration(32))
        );
        assert_eq!(class(Duration(1000)), class(Duration(1010)));
    }

    #[test]
    fn sizes_go_to_their_intervals_and_past_who_is_out() {
        let mut fleet = Fleet::of(4);
        let mut policy = build("sita cutoffs=[10ms,100ms,1s]");
        policy.on_fleet_changed(&fleet.view());
        let sizes = [1, 10, 11, 500, 5000].map(Duration::from_millis);
        let of = |policy: &mut Box<dyn Policy>, fleet: &Fleet| {
            sizes.map(|size| choose(policy, fleet, 0, size))
        };
        assert_eq!(of(&mut policy, &fleet), [0, 0, 1, 2, 3]);
        fleet.eligible = vec![0, 2];
        assert_eq!(of(&mut policy, &fleet), [0, 0, 2, 2, 2]);
    }

    #[test]
    fn groups_are_neighbours_and_share_their_interval() {
        let mut fleet = Fleet::of(5);
        fleet.in_flight = vec![1, 0, 3, 2, 2];
        for (within, small, large) in [
            ("random", vec![0, 1], vec![2, 3, 4]),
            ("least-in-flight", vec![1], vec![3]),
        ] {
            let mut policy = build(&format!("sita cutoffs=[10ms] within={within}"));
            let mut met = |size| {
                let mut met: Vec<usize> = (0..100)
                    .map(|i| choose(&mut policy, &fleet, i, Duration::from_millis(size)))
                    .collect();
                met.sort_unstable();
                met.dedup();
                met
            };
            assert_eq!((met(1), met(99)), (small, large), "{within}");
        }
        // More groups than servers: some intervals share one.
        let two = Fleet::of(2);
        let mut policy = build("sita cutoffs=[1ms,2ms,3ms,4ms]");
        let of = [1, 2, 3, 4, 5].map(|ms| choose(&mut policy, &two, 0, Duration::from_millis(ms)));
        assert!(of.is_sorted() && of[0] == 0 && of[4] == 1, "{of:?}");
    }

    #[test]
    fn learned_cutoffs_give_all_servers_the_same_work() {
        let fleet = Fleet::of(4);
        let mut policy = build("sita");
        let mut draws = Stream::new(1, 0, "sizes").at(0);
        let (mut work, mut largest) = ([0.0; 4], [0.0_f64; 4]);
        for i in 0..40_000 {
            // Pareto of shape 1.5, cut at 1e6 times the least.
            let size = (1e6 * libm::pow(draws.uniform_positive(), -1.0 / 1.5)).min(1e12);
            let server = choose(&mut policy, &fleet, i, Duration(size as u64));
            // What was learned while there was little to learn from does not count.
            if i >= 10_000 {
                work[server] += size;
                largest[server] = largest[server].max(size);
            }
        }
        let total: f64 = work.iter().sum();
        // The last server has few and large jobs: its share is the least certain.
        assert!(
            work.iter().all(|w| (w / total - 0.25).abs() < 0.07),
            "{work:?}"
        );
        assert!(largest.is_sorted() && largest[0] < 1e7, "{largest:?}");
        // Jobs of one size are shared by all.
        let mut policy = build("sita");
        let mut times = [0; 4];
        for i in 0..4000 {
            times[choose(&mut policy, &fleet, i, Duration(1000))] += 1;
        }
        assert!(times.iter().all(|t| (850..1150).contains(t)), "{times:?}");
    }

    #[test]
    fn cutoffs_that_do_not_ascend_are_refused() {
        use crate::extension::{Def, ParamValue};
        let of = |ms: [u64; 2]| {
            let spans = ms.map(Duration::from_millis);
            let cutoffs = ParamValue::Spans(spans.into());
            POLICY.check(&Params::new(vec![("cutoffs", cutoffs)]))
        };
        assert!(of([1, 2]).is_ok());
        assert!(of([2, 1]).is_err() && of([2, 2]).is_err());
    }
}
