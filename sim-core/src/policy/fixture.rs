//! One fleet for the tests of all policies, chosen so that policies differ on it.

use super::{FleetView, Job, Lines, Oracle, POLICIES, Policy, Report};
use crate::draws::Stream;
use crate::extension::{ParamKind, ParamValue, Params};
use crate::time::{Duration, Instant};

/// A fleet as a policy sees it.
pub(crate) struct Fleet {
    pub(crate) eligible: Vec<u32>,
    pub(crate) in_flight: Vec<u32>,
    pub(crate) weights: Vec<f64>,
    pub(crate) in_system: Vec<u32>,
    pub(crate) work_ns: Vec<f64>,
    pub(crate) reports: Vec<Report>,
}

impl Fleet {
    /// `n` idle servers of weight 1.
    pub(crate) fn of(n: usize) -> Self {
        Self {
            eligible: (0..n as u32).collect(),
            in_flight: vec![0; n],
            weights: vec![1.0; n],
            in_system: vec![0; n],
            work_ns: vec![0.0; n],
            reports: vec![Report::default(); n],
        }
    }

    pub(crate) fn view(&self) -> FleetView<'_> {
        FleetView {
            now: Instant::ZERO,
            eligible: &self.eligible,
            narrowed: false,
            reported: false,
            in_flight: &self.in_flight,
            weights: &self.weights,
            lines: Lines::default(),
            oracle: self,
        }
    }
}

impl Oracle for Fleet {
    fn in_system(&self, server: usize) -> u32 {
        self.in_system[server]
    }
    fn work_left_ns(&self, server: usize) -> f64 {
        self.work_ns[server]
    }
    fn probe(&self, server: usize) -> (u32, Option<f32>) {
        (self.in_system[server], Some(self.work_ns[server] as f32))
    }
    fn report(&self, server: usize) -> Report {
        self.reports[server]
    }
}

/// A policy by its name, numbers given as `name=value` behind it and the rest at their defaults.
pub(crate) fn build(text: &str) -> Box<dyn Policy> {
    build_for(text, 16, 0)
}

/// The same for so many servers, placed as in a replication.
pub(crate) fn build_for(text: &str, servers: usize, replication: u64) -> Box<dyn Policy> {
    let mut words = text.split(' ');
    let name = words.next().expect("a name");
    let given: Vec<(&str, &str)> = words.filter_map(|w| w.split_once('=')).collect();
    let def = POLICIES
        .iter()
        .find(|p| p.row.name == name)
        .unwrap_or_else(|| panic!("no policy {name}"));
    let values = def.row.params.iter().map(|param| {
        let text = given
            .iter()
            .find(|(n, _)| *n == param.name)
            .map(|(_, v)| *v)
            .or(param.default)
            .or(matches!(param.kind, ParamKind::Code { .. })
                .then_some("fn pick() { return any(); }"))
            .expect("given or default");
        let value = match param.kind {
            ParamKind::Integer { .. } => ParamValue::Integer(text.parse().expect("a number")),
            ParamKind::Number { .. } => ParamValue::Number(text.parse().expect("a number")),
            ParamKind::Flag => ParamValue::Flag(text == "true"),
            ParamKind::Span { .. } => ParamValue::Span(span(text)),
            ParamKind::Code { .. } => ParamValue::Text(text.into()),
            ParamKind::Numbers { .. } => ParamValue::Numbers([].into()),
            ParamKind::Spans => {
                let members = text.trim_matches(['[', ']']).split(',');
                ParamValue::Spans(members.filter(|m| !m.is_empty()).map(span).collect())
            }
            ParamKind::Choice(words) => ParamValue::Choice(
                words
                    .iter()
                    .position(|w| *w == text)
                    .expect("a listed word"),
            ),
            other => panic!("the fixture does not read {other:?}"),
        };
        (param.name, value)
    });
    let mut policy = (def.build)(&Params::new(values.collect()));
    policy.place_servers(servers, &|i| {
        Stream::new(1, replication, &format!("ring/{i}"))
    });
    policy
}

fn span(text: &str) -> Duration {
    Duration::parse(text).expect("a span of time")
}

/// The choice of a fresh policy.
pub(crate) fn pick(policy: &str, fleet: &Fleet) -> Option<usize> {
    let mut policy = build(policy);
    policy.on_fleet_changed(&fleet.view());
    policy.pick(
        &fleet.view(),
        &Job {
            key: 7,
            ..Job::default()
        },
        &mut Stream::new(1, 0, "policy").at(0),
    )
}

/// The first `n` choices on idle servers of these weights, as letters.
pub(crate) fn sequence(policy: &str, weights: &[f64], n: u64) -> String {
    let fleet = Fleet {
        weights: weights.to_vec(),
        ..Fleet::of(weights.len())
    };
    sequence_from(policy, &fleet, None, n)
}

/// The first `n` choices on a fleet of one of several instances that starts so far into a round.
pub(crate) fn sequence_from(policy: &str, fleet: &Fleet, start: Option<f64>, n: u64) -> String {
    let mut policy = build(policy);
    if let Some(share) = start {
        policy.start_apart(share);
    }
    policy.on_fleet_changed(&fleet.view());
    (0..n)
        .map(|i| {
            let server = policy.pick(
                &fleet.view(),
                &Job {
                    key: i,
                    ..Job::default()
                },
                &mut Stream::new(1, 0, "policy").at(i),
            );
            char::from(b'a' + server.expect("a server") as u8)
        })
        .collect()
}
