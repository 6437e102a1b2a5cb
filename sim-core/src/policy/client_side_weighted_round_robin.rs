//! Client-side weighted round robin: turns in proportion to what servers say they can do.
//!
//! Servers report with their answers how many requests they get done and how busy they are; requests a second by utilisation is what each
//! could do if it were fully used, and its weight. A server that is half as fast is twice as busy with the same
//! requests and gets half as many. Errors count as utilisation, so that a server which fails fast does not look able. A weight is used only when a
//! server has reported for a while (`blackout`), anew after each absence, and is forgotten when it falls silent (`expiry`); servers without one count as the mean of the
//! others, and with fewer than two weights all have the same turns; so have copies of a request, and servers of several
//! priorities in use at once.
//!
//! Turns are those of gRPC's static stride scheduler: rounds over all servers, in each of which a server is passed over as often as its weight is below the largest.

use super::{Farm, FleetView, Job, Policy, PolicyDef, Report, START, no_conditions, starts_apart};
use crate::draws::Draws;
use crate::extension::{ExtensionRow, ParamDef, ParamKind};
use crate::outcome::Outcome;
use crate::time::{Duration, Instant};

/// What the largest weight is scaled to.
const FULL: u64 = u16::MAX as u64;

pub(super) static POLICY: PolicyDef = PolicyDef {
    row: ExtensionRow {
        name: "client-side-weighted-round-robin",
        about: "Turns in proportion to requests a second by utilisation, as servers report both; configured weights are ignored.",
        source: "gRPC proposal A58, weighted_round_robin, as in grpc-go 1.6x; Envoy, client_side_weighted_round_robin",
        params: &[
            ParamDef {
                name: "update",
                about: "How often weights are worked out anew, from what was reported since.",
                kind: ParamKind::Span {
                    min: Duration(1_000_000),
                },
                default: Some("1s"),
            },
            ParamDef {
                name: "blackout",
                about: "A weight is not used before its server has reported for so long.",
                kind: ParamKind::Span {
                    min: Duration::ZERO,
                },
                default: Some("10s"),
            },
            ParamDef {
                name: "expiry",
                about: "A weight is not used once its server has reported nothing for so long.",
                kind: ParamKind::Span { min: Duration(1) },
                default: Some("3m"),
            },
            ParamDef {
                name: "penalty",
                about: "What a share of errors among the requests adds to the utilisation, times this.",
                kind: ParamKind::Number {
                    min: 0.0,
                    max: 1000.0,
                    unit: "",
                },
                default: Some("1"),
            },
            ParamDef {
                name: "reports",
                about: "How servers report: with each answer, to the instance that gets it, or out of band to all.",
                kind: ParamKind::Choice(&["with-answers", "out-of-band"]),
                default: Some("with-answers"),
            },
            START,
        ],
    },
    farm: Farm::Unknown,
    follows_load: false,
    familiar: None,
    check: no_conditions,
    heeds_weights: false,
    by_weight: false,
    build: &|params| {
        Box::new(ByUtilisation {
            update_ns: params.span("update").0,
            blackout_ns: params.span("blackout").0,
            expiry_ns: params.span("expiry").0,
            penalty: params.number("penalty"),
            with_answers: params.choice("reports") == 0,
            apart: starts_apart(params),
            start: None,
            servers: Vec::new(),
            members: Vec::new(),
            strides: Vec::new(),
            due: Instant::ZERO,
            stale: true,
            turn: 0,
        })
    },
};

#[derive(Clone, Debug)]
struct ByUtilisation {
    update_ns: u64,
    blackout_ns: u64,
    expiry_ns: u64,
    penalty: f64,
    with_answers: bool,
    apart: bool,
    /// Where in a round it is still to start.
    start: Option<f64>,
    servers: Vec<Known>,
    /// Those that take turns, and how much of each round is theirs; nothing where all have the same.
    members: Vec<u32>,
    strides: Vec<u16>,
    /// When weights are worked out next.
    due: Instant,
    /// Whether others take turns since.
    stale: bool,
    turn: u64,
}

/// What is known of a server.
#[derive(Clone, Copy, Default, Debug)]
struct Known {
    /// What it had reported when it was last looked at.
    report: Report,
    /// Whether it has answered since.
    answered: bool,
    weight: f64,
    /// When it last reported something, and since when it has done so without falling silent.
    last: Option<Instant>,
    since: Option<Instant>,
}

impl ByUtilisation {
    /// Works out weights from what has been reported since the last time.
    fn weigh(&mut self, fleet: &FleetView<'_>) {
        // The first update comes when there is something to compare with.
        let elapsed_ns = fleet.now.0.saturating_sub(self.due.0) + self.update_ns;
        self.due = Instant(fleet.now.0.saturating_add(self.update_ns));
        for (server, known) in self.servers.iter_mut().enumerate() {
            let answered = std::mem::take(&mut known.answered);
            if self.with_answers && !answered {
                continue;
            }
            let report = fleet.oracle.report(server);
            let before = std::mem::replace(&mut known.report, report);
            let failed = f64::from(report.failed.wrapping_sub(before.failed));
            let all = f64::from(report.succeeded.wrapping_sub(before.succeeded)) + failed;
            let busy_ns = report.busy_ns.wrapping_sub(before.busy_ns) as f64;
            let capacity_ns = elapsed_ns as f64 * f64::from(report.workers);
            let utilisation = busy_ns / capacity_ns;
            if all > 0.0 && utilisation > 0.0 {
                known.weight = all / (utilisation + self.penalty * failed / all);
                known.last = Some(fleet.now);
                known.since = known.since.or(known.last);
            }
        }
    }

    /// The weight of a server as it may be used now; 0: none.
    fn usable(&mut self, server: usize, now: Instant) -> f64 {
        let known = &mut self.servers[server];
        let age = |at: Option<Instant>| at.map_or(u64::MAX, |at| now.0.saturating_sub(at.0));
        if age(known.last) >= self.expiry_ns {
            known.since = None;
            return 0.0;
        }
        if known.since.is_none() || age(known.since) < self.blackout_ns {
            return 0.0;
        }
        known.weight
    }

    /// Works out whose turns are how many.
    fn schedule(&mut self, fleet: &FleetView<'_>) {
        self.stale = false;
        // Who was away has to report for a while again: its connection is another.
        for &server in fleet.eligible {
            if !self.members.is_empty() && self.members.binary_search(&server).is_err() {
                self.servers[server as usize].since = None;
            }
        }
        self.members.clear();
        self.members.extend_from_slice(fleet.eligible);
        self.strides.clear();
        let members = fleet.eligible.iter();
        let weights: Vec<f64> = members
            .map(|&server| self.usable(server as usize, fleet.now))
            .collect();
        let most = weights.iter().copied().fold(0.0, f64::max);
        let known = weights.iter().filter(|weight| **weight > 0.0).count();
        if known < 2 {
            return;
        }
        let scale = FULL as f64 / most;
        let mean = weights.iter().sum::<f64>() / known as f64;
        let strides = weights.iter().map(|&weight| {
            let weight = if weight > 0.0 { weight } else { mean };
            // Nobody is left out for being weak.
            (weight * scale).round().max(1.0) as u16
        });
        self.strides.extend(strides);
        if self.strides.iter().all(|stride| *stride == self.strides[0]) {
            self.strides.clear();
        }
    }
}

impl Policy for ByUtilisation {
    fn pick(&mut self, fleet: &FleetView<'_>, _: &Job, _: &mut Draws) -> Option<usize> {
        if fleet.narrowed {
            let place = self.turn % fleet.eligible.len() as u64;
            self.turn = self.turn.wrapping_add(1);
            return Some(fleet.eligible[place as usize] as usize);
        }
        let due = fleet.now >= self.due;
        if due {
            self.weigh(fleet);
        }
        if due || self.stale {
            self.schedule(fleet);
        }
        if let Some(share) = self.start.take() {
            self.turn = (share * self.members.len() as f64) as u64;
        }
        let n = self.members.len() as u64;
        loop {
            let (round, place) = (self.turn / n, self.turn % n);
            self.turn = self.turn.wrapping_add(1);
            if let Some(&stride) = self.strides.get(place as usize) {
                let stride = u64::from(stride);
                // Half a round lies between the passes of neighbours.
                let phase = (stride * (round % FULL) + place * (FULL / 2)) % FULL;
                if phase < FULL - stride {
                    continue;
                }
            }
            return Some(self.members[place as usize] as usize);
        }
    }
    fn start_apart(&mut self, share: f64) {
        self.start = self.apart.then_some(share);
    }
    fn observes(&self) -> bool {
        self.with_answers
    }
    fn on_finished(&mut self, _: Instant, server: usize, _: u32, outcome: Outcome, _: Duration) {
        self.servers[server].answered |= matches!(outcome, Outcome::Succeeded | Outcome::Errored);
    }
    fn on_fleet_changed(&mut self, fleet: &FleetView<'_>) {
        if self.servers.is_empty() {
            self.due = Instant(fleet.now.0.saturating_add(self.update_ns));
            let known = |server| Known {
                report: fleet.oracle.report(server),
                ..Known::default()
            };
            self.servers = (0..fleet.weights.len()).map(known).collect();
        }
        self.stale = true;
    }
    fn clone_box(&self) -> Box<dyn Policy> {
        Box::new(self.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draws::Stream;
    use crate::policy::fixture::{Fleet, build};

    const SECOND: u64 = 1_000_000_000;

    /// A fleet of servers that get some requests done a second, some of which fail, at some utilisation.
    struct Play {
        policy: Box<dyn Policy>,
        fleet: Fleet,
        now: u64,
        servers: Vec<(u32, u32, f64)>,
    }

    impl Play {
        fn new(text: &str, servers: &[(u32, u32, f64)]) -> Self {
            let mut fleet = Fleet::of(servers.len());
            for report in &mut fleet.reports {
                report.workers = 2;
            }
            let mut policy = build(text);
            policy.on_fleet_changed(&fleet.view());
            Self {
                policy,
                fleet,
                now: 0,
                servers: servers.to_vec(),
            }
        }

        /// The first `n` choices after so many seconds of such work.
        fn after(&mut self, seconds: u64, n: usize) -> String {
            let mut choices = String::new();
            for _ in 0..seconds {
                self.now += SECOND;
                for (server, (all, failed, utilisation)) in self.servers.iter().enumerate() {
                    let report = &mut self.fleet.reports[server];
                    report.succeeded += all - failed;
                    report.failed += failed;
                    report.busy_ns += (utilisation * 2e9) as u64;
                    if *all > 0 {
                        let (now, took) = (Instant(self.now), Duration(1));
                        (self.policy).on_finished(now, server, 0, Outcome::Succeeded, took);
                    }
                }
                choices = (0..n).map(|_| self.choose()).collect();
            }
            choices
        }

        fn choose(&mut self) -> char {
            let view = FleetView {
                now: Instant(self.now),
                ..self.fleet.view()
            };
            let draws = &mut Stream::new(1, 0, "p").at(0);
            let choice = self.policy.pick(&view, &Job::default(), draws);
            char::from(b'a' + choice.expect("a server") as u8)
        }

        /// Shares of the three servers after so many seconds.
        fn shares(&mut self, seconds: u64) -> [f64; 3] {
            let choices = self.after(seconds, 6000);
            ['a', 'b', 'c'].map(|name| choices.matches(name).count() as f64 / 6000.0)
        }
    }

    fn near(shares: [f64; 3], expected: [f64; 3]) {
        let close = shares
            .iter()
            .zip(expected)
            .all(|(s, e)| (s - e).abs() < 0.002);
        assert!(close, "{shares:?} instead of {expected:?}");
    }

    #[test]
    fn turns_are_equal_until_the_blackout_is_over_and_then_by_weight() {
        // 100 a second at 0.25, 0.5 and 0.5: the first could do twice as much.
        let servers = [(100, 0, 0.25), (100, 0, 0.5), (100, 0, 0.5)];
        let mut play = Play::new("client-side-weighted-round-robin", &servers);
        assert_eq!(play.after(10, 6), "abcabc");
        near(play.shares(1), [0.5, 0.25, 0.25]);
        let mut play = Play::new("client-side-weighted-round-robin blackout=0s", &servers);
        near(play.shares(1), [0.5, 0.25, 0.25]);
    }

    const BARE: &str = "client-side-weighted-round-robin blackout=0s";

    #[test]
    fn cases_317_323_wrr_stride_1_10() {
        let servers = [(10, 0, 1.0), (10, 0, 0.1)];
        let turns = Play::new(BARE, &servers).after(1, 22);
        assert_eq!(turns, "bbbbbbbbbabbbbbbbbbbab");
        let turns = Play::new(BARE, &servers).after(1, 1100);
        assert_eq!(turns.matches('a').count(), 100);
    }

    #[test]
    fn case_319_wrr_blackout() {
        let servers = [(10, 0, 1.0), (10, 0, 0.1)];
        let mut play = Play::new("client-side-weighted-round-robin", &servers);
        // Reports begin with the first second, so that the tenth after them is the eleventh.
        assert_eq!(play.after(10, 100).matches('a').count(), 50);
        assert_eq!(play.after(1, 1100).matches('a').count(), 100);
    }

    #[test]
    fn case_321_wrr_one_weight_only() {
        let servers = [(10, 0, 1.0), (0, 0, 0.0), (0, 0, 0.0)];
        assert_eq!(Play::new(BARE, &servers).after(1, 9), "abcabcabc");
    }

    #[test]
    fn case_325_wrr_stride_3_2_1() {
        let servers = [(300, 0, 1.0), (200, 0, 1.0), (100, 0, 1.0)];
        assert_eq!(Play::new(BARE, &servers).after(1, 12), "abcaababcaab");
    }

    #[test]
    fn case_327_wrr_stride_1_5() {
        let servers = [1, 2, 3, 4, 5].map(|weight| (100 * weight, 0, 1.0));
        let turns = Play::new(BARE, &servers).after(1, 1000);
        for (i, name) in ['a', 'b', 'c', 'd', 'e'].into_iter().enumerate() {
            let share = turns.matches(name).count() as f64 / 1000.0;
            assert!(
                (share - (i + 1) as f64 / 15.0).abs() < 0.002,
                "{name} {share}"
            );
        }
    }

    /// 1000 a second at half of what it can is a weight of 2000, its errors not counted: as 500 at a quarter, and
    /// half of 1000 at a quarter.
    #[test]
    fn case_301_cswrr_weight() {
        let servers = [(1000, 100, 0.5), (500, 0, 0.25), (1000, 0, 0.25)];
        let text = "client-side-weighted-round-robin blackout=0s penalty=0";
        near(Play::new(text, &servers).shares(1), [0.25, 0.25, 0.5]);
    }

    #[test]
    fn who_was_away_has_to_report_for_a_while_again() {
        let servers = [(100, 0, 0.25), (100, 0, 0.5), (100, 0, 0.5)];
        let mut play = Play::new("client-side-weighted-round-robin blackout=2s", &servers);
        near(play.shares(5), [0.5, 0.25, 0.25]);
        let mut with = |eligible: &[u32], seconds: u64| {
            play.fleet.eligible = eligible.to_vec();
            play.policy.on_fleet_changed(&play.fleet.view());
            play.shares(seconds)
        };
        near(with(&[1, 2], 1), [0.0, 0.5, 0.5]);
        // The mean of the others until then.
        near(with(&[0, 1, 2], 3), [1.0 / 3.0; 3]);
        near(with(&[0, 1, 2], 1), [0.5, 0.25, 0.25]);
    }

    #[test]
    fn errors_count_as_utilisation() {
        // a fails half of its requests and is therefore hardly busy.
        let servers = [(100, 50, 0.1), (100, 0, 0.6), (100, 0, 0.6)];
        let mut play = Play::new("client-side-weighted-round-robin blackout=0s", &servers);
        near(play.shares(1), [1.0 / 3.0; 3]);
        let without = "client-side-weighted-round-robin blackout=0s penalty=0";
        near(Play::new(without, &servers).shares(1), [0.75, 0.125, 0.125]);
    }

    #[test]
    fn who_says_nothing_counts_as_the_mean_and_silence_expires() {
        let servers = [(100, 0, 0.25), (100, 0, 0.5), (0, 0, 0.0)];
        let text = "client-side-weighted-round-robin blackout=0s expiry=5s";
        let mut play = Play::new(text, &servers);
        near(play.shares(1), [4.0 / 9.0, 2.0 / 9.0, 3.0 / 9.0]);
        play.servers = vec![(0, 0, 0.0); 3];
        near(play.shares(4), [4.0 / 9.0, 2.0 / 9.0, 3.0 / 9.0]);
        near(play.shares(1), [1.0 / 3.0; 3]);
    }

    #[test]
    fn reports_come_with_answers_or_to_all() {
        for (reports, shares) in [
            ("with-answers", [1.0 / 3.0; 3]),
            ("out-of-band", [0.5, 0.25, 0.25]),
        ] {
            let text = format!("client-side-weighted-round-robin blackout=0s reports={reports}");
            let mut play = Play::new(&text, &[(0, 0, 0.0); 3]);
            // Others' requests: this instance gets no answer.
            for (server, busy_ns) in [SECOND / 2, SECOND, SECOND].into_iter().enumerate() {
                let report = &mut play.fleet.reports[server];
                (report.succeeded, report.busy_ns) = (100, busy_ns);
            }
            near(play.shares(1), shares);
        }
    }
}
