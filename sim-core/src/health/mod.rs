//! Health rules: who of its servers a balancer instance may pick, and with which weight.
//!
//! A rule knows what its own instance has seen and nothing else: results of its checks, ends of its
//! attempts, and when a server came into its sight again. The rules of an instance act in the order
//! in which a scenario lists them, on a list of [`Candidate`]s that each of them narrows, widens or
//! weighs. Each instance has rules of its own, so that two may well judge a server differently.
//!
//! A rule does nothing by itself. It is told of results and ends, it is asked for its judgement
//! whenever something may have changed, and it says when it wants to be asked again.

use crate::extension::{Configured, Def, ExtensionRow, ParamProblem, Params, Registry};
use crate::outcome::Outcome;
use crate::time::{Duration, Instant};
use std::fmt::Debug;

mod checks;
mod due;
mod envoy_health_checks;
mod envoy_outlier_detection;
mod envoy_priorities;
mod envoy_slow_start;
mod error_state;
mod fail_duration;
mod first_backup;
mod grpc_connection_backoff;
mod grpc_outlier_detection;
mod haproxy_checks;
mod hot_spares;
mod max_fails;
mod outlier_detection;
mod own;
mod panic;
mod priorities;
mod slow_start;
mod sweeping;
mod update_merge_window;

pub use checks::{Checks, Phase, Probe};
pub(crate) use own::OWN_KEYS;
pub use own::OwnHealth;

/// Every health rule a scenario can name.
pub static HEALTH_RULES: &[&HealthDef] = &[
    &checks::RULE,
    &outlier_detection::RULE,
    &max_fails::RULE,
    &fail_duration::RULE,
    &error_state::RULE,
    &slow_start::RULE,
    &panic::RULE,
    &priorities::RULE,
    &haproxy_checks::RULE,
    &first_backup::RULE,
    &envoy_outlier_detection::RULE,
    &envoy_health_checks::RULE,
    &grpc_outlier_detection::RULE,
    &grpc_connection_backoff::RULE,
    &hot_spares::RULE,
    &update_merge_window::RULE,
    &envoy_priorities::RULE,
    &envoy_slow_start::RULE,
];

/// A row of [`HEALTH_RULES`].
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a fact of its own about a rule"
)]
pub struct HealthDef {
    /// Name, description, parameters.
    pub row: ExtensionRow,
    /// Conditions between parameters.
    pub check: fn(&Params) -> Result<(), ParamProblem>,
    /// Makes the rule of one instance, for so many servers.
    pub build: fn(&Params, usize) -> Box<dyn HealthRule>,
    /// The probes that the instance is to send, if the rule wants any.
    pub checks: fn(&Params) -> Option<Checks>,
    /// Whether it wants to hear how attempts end: the fast path does not tell.
    pub watches: bool,
    /// Whether it wants to hear of each that is sent; one that watches may.
    pub counts_sent: bool,
    /// Whether it goes by its own checks of a server alone: nothing else changes what it says.
    pub by_checks: bool,
    /// Whether it holds a connection to each server, and wants to hear of it.
    pub connects: bool,
    /// Whether it decides about priorities, and about backups with them; otherwise servers of a
    /// lower priority serve only while there are no others.
    pub levels: bool,
    /// Parameters that a server may have of its own.
    pub own: &'static [&'static str],
    /// Whether all it does is to change weights, so that it needs a policy that heeds them.
    pub weighs: bool,
}

/// A row that needs nothing special: the others say what is different.
const PLAIN: HealthDef = HealthDef {
    row: ExtensionRow {
        name: "",
        about: "",
        source: "",
        params: &[],
    },
    check: |_| Ok(()),
    build: |_, _| unreachable!("each row says what it builds"),
    checks: |_| None,
    watches: false,
    counts_sent: false,
    by_checks: false,
    connects: false,
    levels: false,
    own: &[],
    weighs: false,
};

/// Every row there is, those that were added among them.
static ROWS: Registry<HealthDef> = Registry::of(HEALTH_RULES);

impl Def for HealthDef {
    fn registry() -> &'static Registry<Self> {
        &ROWS
    }
    fn row(&self) -> &ExtensionRow {
        &self.row
    }
    fn check(&self, params: &Params) -> Result<(), ParamProblem> {
        (self.check)(params)
    }
}

impl Configured<HealthDef> {
    /// The rule of one instance, for so many servers.
    pub fn build(&self, servers: usize) -> Box<dyn HealthRule> {
        (self.def.build)(&self.params, servers)
    }

    /// The probes that it wants.
    pub fn checks(&self) -> Option<Checks> {
        (self.def.checks)(&self.params)
    }
}

/// A server, as it is handed from rule to rule.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Candidate {
    /// Present and not taken out of rotation by hand.
    pub in_rotation: bool,
    /// At its connection limit: not to be picked now, but not ill.
    pub full: bool,
    /// Its priority: 0 before 1 before 2.
    pub level: u32,
    /// Whether it may be picked, as far as the rules before say. Only ever true in rotation.
    pub open: bool,
    /// The part of its weight that counts, above 0 and at most 1.
    pub factor: f64,
}

/// What the rules work on.
#[derive(Clone, Debug, Default)]
pub struct Standing {
    /// All servers of the service, by position.
    pub servers: Vec<Candidate>,
    /// Levels in use, ascending, each with its share of the attempts in percent; empty while no
    /// rule has decided about levels, or when none has anybody to offer.
    pub levels: Vec<(u32, u32)>,
}

/// Whether a level is among those in use, or nobody has decided about levels.
fn considered(levels: &[(u32, u32)], level: u32) -> bool {
    levels.is_empty() || levels.iter().any(|(used, _)| *used == level)
}

/// An attempt that has ended, as its instance saw it.
#[derive(Clone, Copy, Debug)]
pub struct Seen {
    /// Now.
    pub now: Instant,
    /// At which server, by position.
    pub server: usize,
    /// How.
    pub outcome: Outcome,
}

/// What a rule has to tell of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// A server is taken out.
    Ejected,
    /// It is taken back.
    Readmitted,
    /// Too few servers are healthy.
    Panic,
    /// They are enough again.
    Calm,
    /// Other priorities are in use, or in other shares.
    Failover,
}

/// Something that a reader of the event log wants to know.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct News {
    /// What.
    pub kind: Kind,
    /// Which server, by position; none where it is about the instance.
    pub server: Option<usize>,
    /// Why, with numbers.
    pub cause: String,
    /// Whether the instance breaks off what it has at the server.
    pub breaks_off: bool,
}

impl News {
    fn of_server(kind: Kind, server: usize, cause: String) -> Self {
        let server = Some(server);
        Self {
            kind,
            server,
            cause,
            breaks_off: false,
        }
    }

    fn of_instance(kind: Kind, cause: String) -> Self {
        let server = None;
        Self {
            kind,
            server,
            cause,
            breaks_off: false,
        }
    }
}

/// A health rule, with what one balancer instance has seen.
pub trait HealthRule: Debug + Send + Sync {
    /// Other parameters; what it has seen stays.
    fn adopt(&mut self, params: &Params);

    /// What differs at a server, whatever that is: its parameters, those that it has of its own among them,
    /// and whether it is checked. Told after other parameters, of those at which anything differs.
    fn adopt_server(&mut self, server: usize, params: &Params, checked: bool) {
        let _ = (server, params, checked);
    }

    /// Narrows, widens or weighs the candidates.
    fn judge(&mut self, now: Instant, standing: &mut Standing, news: &mut Vec<News>);

    /// The same for one server of those judged last, which comes from the rules before otherwise than then,
    /// or of which the rule itself thinks otherwise now. False: that concerns other servers, and all are to
    /// be judged anew.
    fn judge_one(
        &mut self,
        now: Instant,
        server: usize,
        candidate: &mut Candidate,
        news: &mut Vec<News>,
    ) -> bool;

    /// A check of a server has passed or failed. Whether it judges differently now.
    fn checked(&mut self, server: usize, passed: bool, news: &mut Vec<News>) -> bool {
        let _ = (server, passed, news);
        false
    }

    /// A check of a server has failed because it was answered with an error. Whether it judges differently now.
    fn checked_with_error(&mut self, server: usize, news: &mut Vec<News>) -> bool {
        self.checked(server, false, news)
    }

    /// Whether the next check of a server may turn its judgement, or bring that closer: results so
    /// far have begun to speak against it.
    fn doubts(&self, server: usize) -> bool {
        let _ = server;
        false
    }

    /// Whether a server is out, and none of its checks has passed since.
    fn is_out(&self, server: usize) -> bool {
        let _ = server;
        false
    }

    /// The instance sends an attempt to a server. Whether it judges differently now.
    fn sent(&mut self, now: Instant, server: usize, news: &mut Vec<News>) -> bool {
        let _ = (now, server, news);
        false
    }

    /// When it wants the connection to a server opened, if it does.
    fn connects_at(&self, server: usize) -> Option<Instant> {
        let _ = server;
        None
    }

    /// The instance begins to open it, and has drawn a number from 0 to 1 for that. How long it waits for an answer.
    fn connect(&mut self, now: Instant, server: usize, point: f64) -> Duration {
        let _ = (now, server, point);
        Duration::ZERO
    }

    /// It is open, or that failed. Whether it judges differently now.
    fn connected(&mut self, now: Instant, server: usize, open: bool, news: &mut Vec<News>) -> bool {
        let _ = (now, server, open, news);
        false
    }

    /// The connection to a server has broken. Whether it judges differently now.
    fn disconnected(&mut self, now: Instant, server: usize, news: &mut Vec<News>) -> bool {
        let _ = (now, server, news);
        false
    }

    /// An attempt at a server has ended. Whether it judges differently now.
    fn ended(&mut self, seen: &Seen, news: &mut Vec<News>) -> bool {
        let _ = (seen, news);
        false
    }

    /// The same, told by one who knows whether the sender, the balancer itself, goes on to another try: for rules to
    /// which that makes a difference.
    fn ended_and(&mut self, seen: &Seen, again: bool, news: &mut Vec<News>) -> bool {
        let _ = again;
        self.ended(seen, news)
    }

    /// When to be asked again at the latest: always later than it was asked last.
    fn due(&self) -> Option<Instant> {
        None
    }

    /// Adds the servers, by position, on whose account it wants to be asked by now.
    fn come_due(&self, now: Instant, servers: &mut Vec<u32>) {
        let _ = (now, servers);
    }

    /// The instance has crashed: what only it knew is gone.
    fn forget(&mut self) {}

    /// A copy, for forks.
    fn clone_box(&self) -> Box<dyn HealthRule>;
}

impl Clone for Box<dyn HealthRule> {
    fn clone(&self) -> Self {
        self.clone_box()
    }
}

/// A share of servers as readers write it.
fn percent(part: usize, whole: usize) -> String {
    format!("{part} of {whole}")
}

#[cfg(test)]
mod tests {
    use super::testing::{at, candidates, judge};
    use super::*;
    use crate::extension::testing::{check_rows, example};

    #[test]
    fn rows_are_well_formed() {
        check_rows(HEALTH_RULES);
    }

    #[test]
    fn a_rule_that_has_seen_nothing_leaves_equal_servers_alone() {
        for def in HEALTH_RULES {
            let mut rule = (def.build)(&example(&def.row), 4);
            let (standing, news) = judge(&mut rule, 0, candidates(4));
            assert_eq!(standing.servers, candidates(4), "{}", def.row.name);
            assert_eq!((news, rule.due()), (vec![], None), "{}", def.row.name);
        }
    }

    #[test]
    fn a_copy_goes_on_like_the_original() {
        for def in HEALTH_RULES {
            let mut original = (def.build)(&example(&def.row), 4);
            let go_on = |rule: &mut Box<dyn HealthRule>, i: u64| {
                let mut news = Vec::new();
                let server = (i % 4) as usize;
                let outcome = if i.is_multiple_of(3) {
                    Outcome::Succeeded
                } else {
                    Outcome::Reset
                };
                let now = at(500 * i);
                let seen = Seen {
                    now,
                    server,
                    outcome,
                };
                rule.ended(&seen, &mut news);
                rule.checked(server, i.is_multiple_of(5), &mut news);
                let mut servers = candidates(4);
                servers[(i / 7 % 4) as usize].in_rotation = i % 7 > 2;
                servers[(i / 7 % 4) as usize].open = i % 7 > 2;
                let (standing, more) = judge(rule, 500 * i, servers);
                (news, standing.servers, more, rule.due())
            };
            for i in 0..40 {
                go_on(&mut original, i);
            }
            let mut copy = original.clone();
            for i in 40..120 {
                let (a, b) = (go_on(&mut original, i), go_on(&mut copy, i));
                assert_eq!(a, b, "{} at {i}", def.row.name);
            }
        }
    }
}

/// What the tests of all rows share.
#[cfg(test)]
mod testing {
    use super::{Candidate, HealthDef, HealthRule, News, Standing};
    use crate::extension::testing::example;
    use crate::extension::{ParamValue, Params};
    use crate::time::{Duration, Instant};

    pub(super) fn at(millis: u64) -> Instant {
        Instant::ZERO + Duration::from_millis(millis)
    }

    /// So many healthy servers of the best level.
    pub(super) fn candidates(servers: usize) -> Vec<Candidate> {
        let one = Candidate {
            in_rotation: true,
            full: false,
            level: 0,
            open: true,
            factor: 1.0,
        };
        vec![one; servers]
    }

    /// What a rule makes of candidates at a time, and what it tells.
    pub(super) fn judge(
        rule: &mut Box<dyn HealthRule>,
        millis: u64,
        servers: Vec<Candidate>,
    ) -> (Standing, Vec<News>) {
        let (mut standing, mut news) = (Standing::default(), Vec::new());
        standing.servers = servers;
        rule.judge(at(millis), &mut standing, &mut news);
        (standing, news)
    }

    /// Positions of the servers that are open.
    pub(super) fn open(standing: &Standing) -> Vec<usize> {
        let servers = standing.servers.iter().enumerate();
        servers.filter(|(_, s)| s.open).map(|(i, _)| i).collect()
    }

    /// Parameters of a row, some of them given and the rest as by default.
    pub(super) fn params(def: &HealthDef, some: &[(&'static str, ParamValue)]) -> Params {
        let example = example(&def.row);
        let values = example.iter().map(|(name, value)| {
            let given = some.iter().find(|(given, _)| *given == name);
            (
                name,
                given.map_or_else(|| value.clone(), |(_, v)| v.clone()),
            )
        });
        let params = Params::new(values.collect());
        assert_eq!((def.check)(&params), Ok(()));
        params
    }

    /// A rule with some of its parameters, and the defaults for the rest.
    pub(super) fn rule(
        def: &HealthDef,
        servers: usize,
        some: &[(&'static str, ParamValue)],
    ) -> Box<dyn HealthRule> {
        (def.build)(&params(def, some), servers)
    }
}
