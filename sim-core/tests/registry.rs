//! Rows that a program adds. In a process of its own, since a row has a name in every scenario of its process.

use sim_core::prelude::*;
use sim_core::scenario::plug_tables;
use std::sync::Arc;

/// Retries that keep away from where they were, and a server that crashes.
fn eventful(policy: &str) -> String {
    format!(
        r#"
horizon = "20s"
client = {{ timeout = "80ms", retry = {{ kind = "fixed", attempts = 3, avoid = "previous" }} }}
traffic = [{{ to = "web", rate = 300 }}]
[service.web]
demand = {{ kind = "exponential", mean = "9ms" }}
balancer = {{ policy = {policy}, instances = 2, pending_queue = {{ limit = 50 }} }}
server = [{{ name = "w", count = 4, workers = 1, max_connections = 5 }}]
[[timeline]]
at = "5s"
do = "crash"
target = "service.web.server.w-2"
"#
    )
}

fn run(text: &str) -> Simulation {
    let model = parse(text).unwrap_or_else(|problems| panic!("{problems}"));
    let mut simulation = Simulation::new(Arc::new(model), 0);
    simulation.run();
    simulation
}

/// Two choices as a row that a program adds, with a parameter.
#[derive(Clone, Debug)]
struct Two {
    margin: u32,
}

impl Policy for Two {
    fn pick(&mut self, fleet: &FleetView<'_>, _: &Job, draws: &mut Draws) -> Option<usize> {
        let n = fleet.eligible.len();
        let first = draws.below(n);
        let best = fleet.eligible[first] as usize;
        if n == 1 {
            return Some(best);
        }
        let second = draws.below(n - 1);
        let other = fleet.eligible[second + usize::from(second >= first)] as usize;
        let better = fleet.in_flight[other] + self.margin < fleet.in_flight[best];
        Some(if better { other } else { best })
    }
    fn on_finished(&mut self, _: Instant, _: usize, _: u32, _: Outcome, _: Duration) {}
    fn clone_box(&self) -> Box<dyn Policy> {
        Box::new(self.clone())
    }
}

static TWO: PolicyDef = PolicyDef::new(
    ExtensionRow {
        name: "test-two",
        about: "Two choices.",
        source: "",
        params: &[ParamDef::count(
            "margin",
            (0, 9),
            "attempts",
            "0",
            "By how many fewer.",
        )],
    },
    &|params| {
        Box::new(Two {
            margin: params.integer("margin") as u32,
        })
    },
);

#[test]
fn a_row_that_a_program_adds_is_a_row_like_any_other() {
    register(&TWO).expect("a name that nobody has");
    let own = run(&eventful("\"test-two\"")).digest();
    assert_eq!(own, run(&eventful("\"power-of-d\"")).digest());
    let other = "{ kind = \"test-two\", margin = 2 }";
    assert_ne!(own, run(&eventful(other)).digest());
    // By `--set`, in the lists, in the schema.
    let set = (
        "service.web.balancer.policy".to_owned(),
        "test-two".to_owned(),
    );
    let text = Source::new("s.toml", eventful("\"random\""));
    let scenario = Scenario::read(text, &[set], &NoFiles).expect("a scenario");
    assert!(scenario.to_toml().contains("test-two"));
    let tables = plug_tables();
    let policies = tables.iter().find(|table| table.name == "policies");
    let rows = (policies.expect("there are policies").rows)();
    assert!(rows.iter().any(|row| row.name == "test-two"));
    assert!(
        sim_core::reference::schema()
            .to_string()
            .contains("test-two")
    );
    // What is wrong with its parameters is told as of any.
    let problems = parse(&eventful("{ kind = \"test-two\", margin = 10 }"));
    assert!(
        problems
            .expect_err("10")
            .to_string()
            .contains("0 to 9 attempts")
    );
    // The same name again takes its place.
    register(&TWO).expect("its own name");
    let rows = |name: &str| {
        let tables = plug_tables();
        let policies = tables.iter().find(|table| table.name == "policies");
        let rows = (policies.expect("there are policies").rows)();
        rows.iter().filter(|row| row.name == name).count()
    };
    assert_eq!(rows("test-two"), 1);
}

const fn named(name: &'static str, params: &'static [ParamDef]) -> PolicyDef {
    let row = ExtensionRow {
        name,
        about: "",
        source: "",
        params,
    };
    PolicyDef::new(row, &|_| Box::new(Two { margin: 0 }))
}

#[test]
fn a_row_with_a_wrong_name_is_refused() {
    static RANDOM: PolicyDef = named("random", &[]);
    static LOUD: PolicyDef = named("Loud", &[]);
    static KIND: PolicyDef = named("test-kind", &[ParamDef::flag("kind", "")]);
    static TWICE: PolicyDef = named(
        "test-twice",
        &[ParamDef::flag("a", ""), ParamDef::flag("a", "")],
    );
    for (def, says) in [
        (&RANDOM, "\"random\" is a name of the program's own"),
        (
            &LOUD,
            "\"Loud\" is no name of a row: small letters and digits, joined by `-`",
        ),
        (&KIND, "\"kind\" is no name of a parameter"),
        (&TWICE, "there are two parameters \"a\""),
    ] {
        let refused = register(def).expect_err(says);
        assert!(refused.contains(says), "{refused}");
    }
}

/// Refuses everything above two in flight.
#[derive(Clone, Debug)]
struct AtMostTwo;

impl Guard for AtMostTwo {
    fn admit(&mut self, asked: &Admission, _: &mut Draws) -> Verdict {
        if asked.in_flight < 2 {
            Verdict::Pass
        } else {
            Verdict::Refuse
        }
    }
    fn gauge(&self, _: Instant) -> (&'static str, f64) {
        ("limit", 2.0)
    }
    fn clone_box(&self) -> Box<dyn Guard> {
        Box::new(self.clone())
    }
}

static AT_MOST_TWO: GuardDef = GuardDef::new(
    ExtensionRow {
        name: "test-at-most-two",
        about: "Two.",
        source: "",
        params: &[],
    },
    |_| Box::new(AtMostTwo),
);

/// Always the same.
#[derive(Debug)]
struct Same(f64);

impl Distribution for Same {
    fn sample_ns(&self, _: &mut Draws) -> f64 {
        self.0
    }
    fn mean_ns(&self) -> f64 {
        self.0
    }
    fn cv2(&self) -> f64 {
        0.0
    }
    fn moment(&self, _: u32) -> f64 {
        1.0
    }
    fn below(&self, ns: f64) -> f64 {
        f64::from(ns >= self.0)
    }
}

static SAME: DistributionDef = DistributionDef::new(
    ExtensionRow {
        name: "test-same",
        about: "Same.",
        source: "",
        params: &[ParamDef::span("value", Duration(1), "9ms", "What.")],
    },
    |params| Box::new(Same(params.span("value").0 as f64)),
);

#[test]
fn guards_and_distributions_too() {
    register(&AT_MOST_TWO).expect("a name that nobody has");
    register(&SAME).expect("a name that nobody has");
    let digest = |guard: &str, demand: &str| {
        let text = eventful("\"random\"").replace("instances = 2", &format!("guards = [{guard}]"));
        run(&text.replace("{ kind = \"exponential\", mean = \"9ms\" }", demand)).digest()
    };
    let own = digest("\"test-at-most-two\"", "\"test-same\"");
    let theirs = "{ kind = \"concurrency-limit\", limit = 2 }";
    assert_eq!(own, digest(theirs, "\"9ms\""));
    assert_ne!(
        own,
        digest("{ kind = \"concurrency-limit\", limit = 3 }", "\"9ms\"")
    );
    assert_ne!(own, digest(theirs, "\"8ms\""));
    // A law within a law.
    let within =
        "{ kind = \"shifted\", by = \"1ms\", of = { kind = \"test-same\", value = \"8ms\" } }";
    assert_eq!(own, digest(theirs, within));
}
