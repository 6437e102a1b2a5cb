//! What real programs were seen to do, against what scenarios that say the same do: the cases of `proof/`,
//! with what was observed when they were last run beside the programs.

use crate::dialects::{Fate, fates};
use serde_json::Value;
use std::fs;
use std::path::Path;

/// Later than the program by no more than this, in seconds: it ran on a shared machine.
const SLACK_S: f64 = 0.3;

#[derive(Clone)]
struct Case {
    name: String,
    compare: String,
    scenario: String,
    /// How many requests came, and how many of these are not compared: they came before a channel knew anything.
    n: usize,
    from_n: usize,
    begin_s: f64,
    tried: Vec<String>,
    well: Vec<bool>,
    took_s: Vec<f64>,
    /// Servers that nobody could see being tried.
    unseen: Vec<String>,
    /// Of a client library: between its attempts, by call.
    pauses: Vec<Vec<f64>>,
    /// When server a, which was down from the beginning, was first sent something.
    back_s: Option<f64>,
}

/// Runs of a scenario whose moments are drawn.
const RUNS: u64 = 60;

fn cases() -> Vec<Case> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../proof/cases");
    let mut files: Vec<_> = fs::read_dir(folder)
        .expect("the cases")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.to_string_lossy().ends_with(".seen.json"))
        .collect();
    files.sort();
    let mut all = Vec::new();
    for file in files {
        let book: Value = serde_json::from_str(&fs::read_to_string(&file).expect("a text"))
            .expect("what was observed is JSON");
        for (name, case) in book.as_object().expect("a table by name") {
            if case.get("scenario").is_none() {
                continue;
            }
            let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
            let words = |value: &Value| -> Vec<String> {
                let word = |v: &Value| v.as_str().expect("a word").to_owned();
                list(value).iter().map(word).collect()
            };
            let seen = &case["seen"];
            let flag = |v: &Value| v.as_bool().expect("yes or no");
            let number = |v: &Value| v.as_f64().expect("a number");
            let stem = file.file_name().expect("a name").to_string_lossy();
            all.push(Case {
                name: format!("{stem}: {name}"),
                compare: case["compare"].as_str().expect("how").to_owned(),
                scenario: case["scenario"].as_str().expect("a scenario").to_owned(),
                n: case["n"].as_u64().expect("a number") as usize,
                from_n: case["from_n"].as_u64().unwrap_or(0) as usize,
                begin_s: number(&case["begin_s"]),
                tried: words(&seen["tried"]),
                well: list(&seen["well"]).iter().map(flag).collect(),
                took_s: list(&seen["took_s"]).iter().map(number).collect(),
                unseen: words(&case["unseen"]),
                pauses: (list(&seen["pauses"]).iter())
                    .map(|call| list(call).iter().map(number).collect())
                    .collect(),
                back_s: seen["back_s"].as_f64(),
            });
        }
    }
    all
}

impl Case {
    /// What Stampede does, of as many requests.
    fn fates(&self) -> Vec<Fate> {
        let all = fates(&self.scenario);
        let begun = all
            .into_iter()
            .filter(|fate| fate.arrived_s >= self.begin_s);
        let n = if self.pauses.is_empty() {
            self.n
        } else {
            usize::MAX
        };
        begun.take(n).skip(self.from_n).collect()
    }

    /// Whether server a was first sent something when it is in some run.
    fn back_alike(&self) -> bool {
        let back = |seed: u64| -> Option<f64> {
            let fates = fates(&format!("seed = {seed}\n{}", self.scenario));
            let mut at_a = (fates.iter()).filter(|fate| fate.tried.iter().any(|name| name == "a"));
            at_a.next().map(|fate| fate.arrived_s)
        };
        let all: Option<Vec<f64>> = (1..=RUNS).map(back).collect();
        let (Some(all), Some(seen)) = (all, self.back_s) else {
            return false;
        };
        let first = all.iter().copied().fold(f64::MAX, f64::min);
        let last = all.iter().copied().fold(0.0, f64::max);
        (first * 0.95..=last * 1.05 + 0.15).contains(&seen)
    }

    /// The same with checks at a steady interval in place of pauses that grow.
    fn checked_steadily(&self) -> Self {
        let checks = "[{ kind = \"checks\", probe = \"connect\", interval = \"500ms\", fall = 1, rise = 1 }]";
        let health = format!("balancer.health = {checks}\nbalancer.dialect");
        Self {
            scenario: self.scenario.replacen("balancer.dialect", &health, 1),
            ..self.clone()
        }
    }

    /// What is done with a rule that no library has.
    fn otherwise(&self) -> Vec<Fate> {
        let start = self
            .scenario
            .find("\"retry\"")
            .or(self.scenario.find("retry = {"));
        let start = start.expect("a library");
        let end = start + self.scenario[start..].find('}').expect("its end") + 1;
        let rule = "retry = { kind = \"fixed\", attempts = 2, pause = \"50s\" }";
        let text = format!("{}{rule}{}", &self.scenario[..start], &self.scenario[end..]);
        fates(&text)
    }

    /// How it differs from what was seen, if it does.
    fn differs(&self, fates: &[Fate]) -> Option<String> {
        let seen = |fate: &Fate| {
            let tried = fate.tried.iter().filter(|name| !self.unseen.contains(name));
            match tried.map(String::as_str).collect::<String>() {
                none if none.is_empty() => "-".to_owned(),
                tried => tried,
            }
        };
        let mine: Vec<String> = fates.iter().map(seen).collect();
        let well: Vec<bool> = fates.iter().map(|f| f.outcome == "succeeded").collect();
        let ends = |tried: &[String]| -> Vec<char> {
            tried
                .iter()
                .filter_map(|word| word.chars().last())
                .collect()
        };
        let agree = match self.compare.as_str() {
            "pauses" => self.paused_alike(fates),
            "back" => self.back_alike(),
            "tried" => mine == self.tried && well == self.well && self.in_time(fates),
            "outcomes" => well == self.well && self.in_time(fates),
            "goodput" => {
                let count = |all: &[bool]| all.iter().filter(|well| **well).count();
                count(&well).abs_diff(count(&self.well)) <= 1
            }
            "turns" => {
                let (one, other) = (self.tried.concat(), mine.concat());
                other.contains(&one[one.len() / 2..])
            }
            "counts" => {
                let sorted = |tried: &[String]| {
                    let mut ends = ends(tried);
                    ends.sort_unstable();
                    ends
                };
                sorted(&self.tried) == sorted(&mine)
            }
            "shares" => chi_squared(&ends(&self.tried), &ends(&mine)),
            other => panic!("{}: what is {other}?", self.name),
        };
        let words = || {
            format!(
                "{}: seen {:?}, and here {mine:?} {well:?}",
                self.name, self.tried
            )
        };
        (!agree).then(words)
    }

    /// Whether each call made as many attempts as some do here, with pauses from the shortest to the longest
    /// of these: they are drawn, so that the longest may be passed by a little, and the machine was busy.
    fn paused_alike(&self, fates: &[Fate]) -> bool {
        let pauses = |fate: &Fate| -> Vec<f64> {
            let pairs = fate.sent_s.iter().zip(&fate.sent_s[1..]);
            pairs.map(|(before, after)| after - before).collect()
        };
        let mine: Vec<Vec<f64>> = fates.iter().map(pauses).collect();
        !self.pauses.is_empty()
            && self.pauses.iter().all(|call| {
                let alike = || mine.iter().filter(|other| other.len() == call.len());
                let within = |(k, pause): (usize, &f64)| {
                    let least = alike().map(|other| other[k]).fold(f64::MAX, f64::min);
                    let most = alike().map(|other| other[k]).fold(0.0, f64::max);
                    (least * 0.95 - 0.02..=most * 1.05 + 0.15).contains(pause)
                };
                alike().next().is_some() && call.iter().enumerate().all(within)
            })
    }

    fn in_time(&self, fates: &[Fate]) -> bool {
        let pairs = self.took_s.iter().zip(fates);
        pairs
            .into_iter()
            .all(|(seen, fate)| (seen - fate.took_s).abs() <= SLACK_S)
    }
}

/// Whether two samples may be of one law: chi squared stays below what one in a thousand exceeds.
fn chi_squared(one: &[char], other: &[char]) -> bool {
    let mut names: Vec<char> = one.iter().chain(other).copied().collect();
    names.sort_unstable();
    names.dedup();
    let count = |all: &[char], name: char| all.iter().filter(|c| **c == name).count() as f64;
    let k = (other.len() as f64 / one.len() as f64).sqrt();
    let terms = names.iter().map(|&name| {
        let (a, b) = (count(one, name), count(other, name));
        (k * a - b / k).powi(2) / (a + b)
    });
    let most = [0.0, 10.83, 13.82, 16.27, 18.47, 20.52];
    terms.sum::<f64>() <= most[names.len() - 1]
}

#[test]
fn what_the_programs_did_is_what_their_dialects_do() {
    let cases = cases();
    assert!(cases.len() >= 282, "{} cases", cases.len());
    let differ = |case: &Case| case.differs(&case.fates());
    let wrong: Vec<String> = cases.iter().filter_map(differ).collect();
    assert!(
        wrong.is_empty(),
        "{} of {}:\n{}",
        wrong.len(),
        cases.len(),
        wrong.join("\n")
    );
}

/// The comparison can fail: with the textbook's policy in place of the program's own, cases of every
/// program and of every kind do.
#[test]
fn a_neighbouring_rule_is_told_apart() {
    let mut told = std::collections::BTreeSet::new();
    // Breakers that never open: without them nothing differs.
    let mut closed = 0;
    for case in cases() {
        if case.compare == "pauses" {
            assert!(case.differs(&case.otherwise()).is_some(), "{}", case.name);
            continue;
        }
        if case.name.starts_with("breakers") {
            let lines = case.scenario.lines();
            let others = lines.filter(|line| !line.starts_with("client = "));
            let without = Case {
                scenario: others.collect::<Vec<_>>().join("\n"),
                ..case.clone()
            };
            closed += u32::from(case.differs(&without.fates()).is_none());
            continue;
        }
        if case.compare == "back" {
            assert!(!case.checked_steadily().back_alike(), "{}", case.name);
            continue;
        }
        for policy in [
            "round-robin",
            "weighted-round-robin",
            "weighted-random",
            "first",
        ] {
            let other = case.scenario.replacen(
                "balancer.dialect",
                &format!("balancer.policy = \"{policy}\"\nbalancer.dialect"),
                1,
            );
            if sim_core::scenario::parse(&other).is_err() {
                // The program's queues want its own policy.
                continue;
            }
            let fates = Case {
                scenario: other,
                ..case.clone()
            }
            .fates();
            if case.differs(&fates).is_some() {
                let program = case.name.split('.').next().expect("a program").to_owned();
                told.insert((program, case.compare.clone()));
            }
        }
    }
    assert_eq!(closed, 1);
    for program in ["nginx", "haproxy"] {
        for compare in ["tried", "shares"] {
            let one = (program.to_owned(), compare.to_owned());
            assert!(told.contains(&one), "{one:?}");
        }
    }
    for (program, compare) in [
        ("envoy", "turns"),
        ("envoy", "shares"),
        ("apache", "tried"),
        ("grpc", "tried"),
        ("grpc", "turns"),
        ("grpc", "shares"),
    ] {
        let one = (program.to_owned(), compare.to_owned());
        assert!(told.contains(&one), "{one:?}");
    }
}
