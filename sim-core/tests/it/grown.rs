//! Random scenarios from the list of keys.
//!
//! One of the swarm is the seed, and keys grow on it: each is drawn from the list that the parser is made
//! from, gets a value that its kind allows, and stays if the whole is still a scenario. So a new key, or
//! a new row of a table, is tried as soon as it exists, beside everything else.

use crate::swarm::{Swarm, swarm};
use proptest::prelude::*;
use sim_core::crash::SERVER_GAUGES;
use sim_core::metric::METRICS;
use sim_core::scenario::{Files, Input, KeyRow, Scenario, Source, key_rows};

/// A scenario of the swarm and what shall grow on it: numbers of keys, each with what its dice show.
#[derive(Clone, Debug)]
pub(crate) struct Grown {
    swarm: Swarm,
    wishes: Vec<(usize, u64)>,
}

/// What has grown.
pub(crate) struct Plant {
    pub scenario: Scenario,
    /// The keys that found a place, by their numbers in the list of keys.
    pub keys: Vec<usize>,
}

/// Random scenarios. Those of one number wish for keys of their own, so that the first few hundred wish
/// for all.
pub(crate) fn grown(number: u64) -> impl Strategy<Value = Grown> {
    let own = (number as usize * OWN..).take(OWN);
    let own: Vec<usize> = own.map(|key| key % key_rows().len()).collect();
    let dice = prop::collection::vec(any::<u64>(), OWN);
    let others = prop::collection::vec((0..key_rows().len(), any::<u64>()), 0..9);
    (swarm(), dice, others).prop_map(move |(swarm, dice, others)| {
        let own = own.iter().copied().zip(dice);
        Grown {
            swarm,
            wishes: own.chain(others).collect(),
        }
    })
}

/// Wishes that come in turn.
const OWN: usize = 37;

/// How often a key that does not fit is tried with another name and another value.
const TRIES: usize = 100;

/// Tables that are there only where they are written, with what they must have.
const TABLES: &[(&str, &str)] = &[
    ("hedge", "{ after = \"2ms\" }"),
    ("breakdowns", "{ every = \"300ms\", repair = \"40ms\" }"),
    (
        "balancer.memory",
        "{ per_connection = \"1MiB\", limit = \"30MiB\" }",
    ),
    ("memory", "{ base = \"1MiB\", limit = \"9MiB\" }"),
    ("crash", "[{ when = \"in_flight\", above = 9 }]"),
    ("cache", "{ capacity = 5 }"),
    ("pending_queue", "{ limit = 5 }"),
    ("warm_up", "{ from = 0.3, over = \"90ms\" }"),
    ("liveness", "{ interval = \"50ms\", timeout = \"20ms\" }"),
    ("monitoring", "{ scrape = \"20ms\" }"),
    ("group", "{ interval = \"200ms\" }"),
];

/// Rules of Prometheus, of which some know what there is and others do not.
const RULES: &str = "groups:\n- name: g\n  rules:\n\
    \x20 - { record: failed, expr: 'sum(rate(http_requests_total{code!=\"200\"}[1m]))' }\n\
    \x20 - { alert: Failing, expr: failed > 1, for: 50ms }\n\
    \x20 - { alert: Slow, expr: 'histogram_quantile(0.9, sum by (le) (http_request_duration_seconds_bucket)) > 0.01' }\n\
    \x20 - { alert: Gone, expr: 'up == 0 or server_queue_length > 5 or balancer_connections > 9' }\n\
    \x20 - { alert: Foreign, expr: node_load1 > 5 }\n";

/// Files that scenarios of this kind name.
pub(crate) struct Beside(pub String);

impl Files for Beside {
    fn read(&self, name: &str) -> Result<Source, String> {
        let text = match name {
            "below.toml" => &self.0,
            "times.txt" => "0.1\n0.25\n0.25\n1.5\n",
            "rules.yml" => RULES,
            "sample.txt" => "0.001\n0.004\n0.004\n0.03\n",
            _ => return Err(format!("there is no {name}")),
        };
        Ok(Source::new(name, text))
    }
}

impl Grown {
    /// What grows of it; where the parts of the swarm's do not go together, on its plainest form.
    pub(crate) fn grow(&self) -> Plant {
        let of = |swarm: &Swarm| {
            let bed = Bed {
                text: swarm.text(),
                sets: Vec::new(),
                overlay: None,
            };
            bed.scenario().map(|scenario| (bed, scenario))
        };
        let seed = of(&self.swarm).or_else(|| of(&self.swarm.plain()));
        let (mut bed, mut scenario) = seed.expect("the plainest form is a scenario");
        let mut keys = Vec::new();
        for &(number, seed) in &self.wishes {
            let mut dice = Dice(seed);
            let row = &key_rows()[number];
            let fits = (0..TRIES).find_map(|_| {
                let tried = bed.with(row, &mut dice);
                tried.scenario().map(|scenario| (tried, scenario))
            });
            if let Some(fits) = fits {
                (bed, scenario) = fits;
                keys.push(number);
            }
        }
        Plant { scenario, keys }
    }
}

/// A text with sets, perhaps below another.
#[derive(Clone)]
struct Bed {
    text: String,
    sets: Vec<(String, String)>,
    overlay: Option<String>,
}

impl Bed {
    fn scenario(&self) -> Option<Scenario> {
        let (text, below) = match &self.overlay {
            None => (&self.text, ""),
            Some(over) => (over, self.text.as_str()),
        };
        let source = Source::new("grown.toml", text.as_str());
        let scenario = Scenario::read(source, &self.sets, &Beside(below.to_owned())).ok()?;
        scenario.model().is_ok().then_some(scenario)
    }

    /// With a key more.
    fn with(&self, row: &KeyRow, dice: &mut Dice) -> Self {
        let mut bed = self.clone();
        match row.path.as_str() {
            "base" => bed.overlay = Some("base = \"below.toml\"\n".to_owned()),
            "set" => {
                let (path, value) = assignment(dice, |row| !row.path.contains("NAME"));
                bed.overlay = Some(format!(
                    "base = \"below.toml\"\n[set]\n\"{path}\" = {value}\n"
                ));
            }
            path if path.rsplit('.').next() == Some("like") => {
                let number = bed.text.matches("like = ").count();
                bed.text +=
                    &format!("[[service.web.server]]\nname = \"twin{number}\"\nlike = \"s0\"\n");
            }
            // A source beside the others: nearly all of these have no rate.
            "traffic.NAME.arrivals.users"
            | "traffic.NAME.arrivals.think"
            | "traffic.NAME.arrivals.every"
            | "traffic.NAME.arrivals.jobs"
            | "traffic.NAME.arrivals.first"
            | "traffic.NAME.arrivals.skew"
            | "traffic.NAME.arrivals.clients"
            | "traffic.NAME.arrivals.at"
            | "traffic.NAME.arrivals.jitter"
            | "traffic.NAME.arrivals.leave"
            | "traffic.NAME.arrivals.times" => {
                let kind = row.of_kind.expect("it is a parameter");
                let arrivals = choice(row, kind, dice);
                let rate = if kind == "sessions" {
                    "rate = 90\n"
                } else {
                    ""
                };
                bed.text += &format!("[[traffic]]\nto = \"web\"\n{rate}arrivals = {arrivals}\n");
            }
            path => {
                bed.make_room(path);
                if let Some(key) = path.strip_prefix("timeline.NAME.") {
                    bed.text += &entry(key, row, dice);
                } else if let Some(key) = path.strip_prefix("runbook.NAME.step.NAME.") {
                    let number = bed.text.matches("[[runbook]]").count();
                    bed.text += &step(key, row, number, dice);
                } else if let Some(key) = path.strip_prefix("monitoring.rules.NAME.") {
                    let own = match key {
                        "text" => format!("text = {RULES:?}"),
                        "name" => "name = \"r\", file = \"rules.yml\"".to_owned(),
                        _ => "file = \"rules.yml\"".to_owned(),
                    };
                    let rules = format!("[{{ {own}, skip_unknown = true }}]");
                    bed.set("monitoring.rules".to_owned(), rules);
                } else {
                    let (path, value) = assign(row, dice);
                    bed.make_whole(&path);
                    bed.watch(&path, &value);
                    bed.set(path, value);
                }
            }
        }
        bed
    }

    /// A rule of an alert watches what it can.
    fn watch(&mut self, path: &str, rule: &str) {
        let Some(alert) = path.strip_suffix(".rule") else {
            return;
        };
        let when = match rule {
            _ if rule.contains("burn-rate") => "\"quick\"",
            _ if rule.contains("absence") => "\"in_flight\"",
            _ if rule.contains("promql") => "\"sum(up) < 9\"",
            _ => "\"p99 > 20ms\"",
        };
        let over = format!("{alert}.over");
        self.sets.retain(|(path, _)| *path != over);
        self.set(format!("{alert}.when"), when.to_owned());
    }

    /// Adds what people do about an alert, and what tells them of it.
    fn make_room_for_response(&mut self, path: &str) {
        let rule = path.starts_with("alert.NAME.rule") || path == "alert.NAME.keep";
        let book = path.starts_with("runbook.") || path == "monitoring.responders";
        if book {
            // It answers the alert by the name that it has in the text.
            self.sets.retain(|(path, _)| {
                !(path.starts_with("alert.") && path.rsplit('.').next() == Some("name"))
            });
        }
        let mut room = |wanted: bool, mark: &str, text: &str| {
            if wanted && !self.text.contains(mark) {
                self.text += text;
            }
        };
        let monitoring = "[monitoring]\nscrape = \"20ms\"\n";
        let aborted = path.ends_with(".canary.abort_on");
        let watched = rule || book || aborted || path.starts_with("monitoring");
        room(watched, "[monitoring]", monitoring);
        let alert = "[[alert]]\nname = \"slow\"\nwhen = \"p99 > 20ms\"\n";
        room(watched, "[[alert]]", alert);
        let lost = "[[alert]]\nname = \"lost\"\nwhen = \"in_flight(s0-1)\"\nrule = \"absence\"\n";
        room(path == "monitoring.stale", "in_flight(s0-1)", lost);
        let slo = "[[slo]]\nname = \"quick\"\nobjective = 0.9\n";
        room(rule, "[[slo]]", slo);
        let note = "[[runbook]]\nname = \"aid\"\non = \"slow\"\n[[runbook.step]]\ndo = \"note\"\nnote = \"x\"\n";
        room(book, "[[runbook]]", note);
    }

    /// Adds that what a path leads through.
    fn make_room(&mut self, path: &str) {
        self.make_room_for_response(path);
        let lacks = |what: &str| !self.text.contains(what);
        let text = match path {
            _ if path.starts_with("class.") && lacks("[class.") => {
                "[class.a]\nshare = 0.8\n[class.b]\nshare = 0.2\n"
            }
            _ if path.contains(".call.") && lacks("[[service.web.call]]") => {
                "[[service.web.call]]\nto = \"deep\"\n[service.deep]\ndemand = \"3ms\"\n[[service.deep.server]]\nname = \"db\"\nworkers = 2\n"
            }
            _ if path.contains(".balancer.class.") && lacks("balancer.class.") => {
                let classes = if lacks("[class.") {
                    "[class.a]\nshare = 0.8\n[class.b]\nshare = 0.2\n"
                } else {
                    ""
                };
                self.text += classes;
                "[service.web.balancer.class.a]\nclient = {}\n[service.web.balancer.class.b]\nclient = {}\n"
            }
            _ if path.contains(".routes.") && lacks("routes") => {
                "[[service.web.balancer.routes]]\nto = \"far\"\nshare = 0.4\n[service.far]\ndemand = \"7ms\"\n[[service.far.server]]\nname = \"db\"\nworkers = 2\n"
            }
            _ if path.contains(".zone.") && lacks("[service.web.zone.") => {
                "[service.web.zone.a]\nlink = { delay = \"1ms\" }\n"
            }
            _ if path.starts_with("machine.") && lacks("[machine.") => "[machine.box]\ncores = 1\n",
            // Of other rules none has a window of its own.
            "alert.NAME.over" if lacks("\"wide\"") => {
                "[[alert]]\nname = \"wide\"\nwhen = \"p99 > 20ms\"\n"
            }
            _ if path.starts_with("alert.") && lacks("[[alert]]") => {
                "[[alert]]\nname = \"slow\"\nwhen = \"p99 > 20ms\"\n"
            }
            _ if path.starts_with("slo.") && lacks("[[slo]]") => {
                "[[slo]]\nname = \"quick\"\nobjective = 0.9\n"
            }
            _ if path.starts_with("expect.") && lacks("[[expect]]") => {
                "[[expect]]\nthat = \"availability > 50%\"\n"
            }
            _ => "",
        };
        self.text += text;
        if path.ends_with(".zone.NAME.weight") || path.contains(".by_zone") {
            // Weights are for traffic that is split, and then every server stands in a zone.
            let split = "service.web.balancer.by_zone".to_owned();
            self.set(split, "{ start = \"first\" }".to_owned());
            for table in 0..self.text.matches("[[service.web.server]]").count() {
                let zone = format!("service.web.server.{table}.zone");
                self.set(zone, "\"a\"".to_owned());
            }
        }
        let scaler = "service.web.autoscaler";
        if path.contains(".provisioning.") && !self.sets.iter().any(|(path, _)| path == scaler) {
            let rule =
                "{ kind = \"target-tracking\", max = 5, target = 0.1, period = \"1s\", above = 1 }";
            self.set(scaler.to_owned(), rule.to_owned());
        }
        if text.is_empty() {
            return;
        }
        let (machine, zone) = ("service.web.server.0.machine", "service.web.server.0.zone");
        if path.starts_with("machine.") {
            self.set(machine.to_owned(), "\"box\"".to_owned());
        } else if path.contains(".zone.") {
            self.set(zone.to_owned(), "\"a\"".to_owned());
        }
    }

    /// Sets the tables that a path leads through as a whole, with what they must have.
    fn make_whole(&mut self, path: &str) {
        for (table, whole) in TABLES {
            let Some((above, below)) = path.split_once(&format!(".{table}.")) else {
                continue;
            };
            // A rule of a list is written with all of it.
            let above = format!("{above}.{table}");
            if !below.is_empty() && !self.sets.iter().any(|(path, _)| *path == above) {
                self.set(above, (*whole).to_owned());
            }
        }
    }

    fn set(&mut self, path: String, value: String) {
        self.sets.retain(|(other, _)| *other != path);
        self.sets.push((path, value));
    }
}

/// A runbook of one step with a key.
fn step(key: &str, row: &KeyRow, number: usize, dice: &mut Dice) -> String {
    let head = format!("[[runbook]]\nname = \"book-{number}\"\non = \"slow\"\n[[runbook.step]]\n");
    let weight = "{ \"service.web.server.*.weight\" = 2 }";
    let other = format!(
        "[[alert]]\nname = \"other-{number}\"\nwhen = \"failed > 50%\"\nover = \"1s\"\n{head}set = {weight}\n"
    );
    let canary = |servers: &str, watch: &str| {
        format!(
            "{other}canary = {{ servers = {servers}, watch = {watch}, abort_on = \"other-{number}\" }}\n"
        )
    };
    let value = match row.of_kind {
        Some(kind) => choice(row, kind, dice),
        None if key == "set" => String::new(),
        None => value(row, dice),
    };
    let step = match key {
        "set" => {
            let (path, value) = assignment(dice, |row| row.live);
            format!("set = {{ \"{path}\" = {value} }}\n")
        }
        "undo" => {
            let entry =
                format!("[[timeline]]\nname = \"push-{number}\"\nat = \"100ms\"\nset = {weight}\n");
            return format!("{entry}{head}undo = \"push-{number}\"\n");
        }
        "canary" | "canary.abort_on" => return canary("1", "\"90ms\""),
        "canary.servers" => return canary(&value, "\"90ms\""),
        "canary.watch" => return canary("1", &value),
        "canary.failed" => {
            format!(
                "do = \"deploy\"\ntarget = \"service.web.server\"\ncanary = {{ servers = 1, watch = \"90ms\", failed = {value} }}\n"
            )
        }
        "max_surge" | "max_unavailable" | "min_ready" => {
            format!("do = \"deploy\"\ntarget = \"service.web.server\"\n{key} = {value}\n")
        }
        "do" => format!("do = {value}\ntarget = \"service.web.server\"\n"),
        "target" => "do = \"restart\"\ntarget = \"service.web.server\"\n".to_owned(),
        "when" | "every" => {
            format!("do = \"restart\"\ntarget = \"service.web.server\"\n{key} = {value}\n")
        }
        "note" => format!("do = \"note\"\nnote = {value}\n"),
        _ => {
            // A law is written whole, whichever parameter of it is meant.
            let key = key.split('.').next().unwrap_or(key);
            format!("do = \"note\"\nnote = \"x\"\n{key} = {value}\n")
        }
    };
    head + &step
}

/// An entry of the time line with a key.
#[expect(clippy::too_many_lines, reason = "a table")]
fn entry(key: &str, row: &KeyRow, dice: &mut Dice) -> String {
    let owner = dice.of(&[
        "service.web.server",
        "service.web.server.s0-1",
        "service.web.server.s0-2",
        "service.web.balancer",
        "service.web.link",
        "service.web.balancer.link",
        "service.web.server.s0-1.link",
        "service.web.zone.a",
        "zone.a",
        "service.web.zone.a.link",
        "service.web.call.db.link",
        "service.web.balancer.routes.app.link",
        "machine.box",
    ]);
    let mut entry = format!(
        "[[timeline]]\nat = \"{}ms\"\ntarget = \"{owner}\"\n",
        dice.below(2000)
    );
    let deed = dice.of(&[
        "crash",
        "restart",
        "drain",
        "undrain",
        "add",
        "remove",
        "slow",
        "partition",
        "degrade",
        "heal",
    ]);
    let factor = "factor = 0.4\n";
    let loss = "delay = \"2ms\"\nloss = 0.2\n";
    match (key, row.of_kind) {
        ("set", _) => {
            let (path, value) = assignment(dice, |row| row.live);
            return format!(
                "[[timeline]]\nat = \"{}ms\"\nset = {{ \"{path}\" = {value} }}\n",
                dice.below(2000)
            );
        }
        ("fault", _) => entry += &format!("fault = {}\n", value(row, dice)),
        (_, Some(kind))
            if ["for.", "skew.", "repeat."]
                .iter()
                .any(|law| key.starts_with(law)) =>
        {
            let (law, _) = key.split_once('.').expect("it begins so");
            entry += &format!("fault = \"gray\"\n{law} = {}\n", choice(row, kind, dice));
            if law == "repeat" {
                entry += "for = \"90ms\"\n";
            }
        }
        (_, Some(kind)) => entry += &format!("fault = {}\n", choice(row, kind, dice)),
        ("do", _) => entry += &format!("do = {}\n", value(row, dice)),
        ("factor", _) => entry += "do = \"slow\"\n",
        ("delay" | "loss", _) => entry += "do = \"degrade\"\n",
        ("for" | "skew" | "repeat", _) => {
            entry += "fault = \"gray\"\n";
            if key == "repeat" {
                entry += "for = \"90ms\"\n";
            }
        }
        ("when", _) => entry += "do = \"restart\"\n",
        ("canary" | "canary.servers" | "canary.watch" | "canary.failed", _) => {
            let of = |name: &str, usual: &str, dice: &mut Dice| {
                let own = key.rsplit('.').next() == Some(name);
                let value = if own {
                    value(row, dice)
                } else {
                    usual.to_owned()
                };
                format!("{name} = {value}")
            };
            let parts = [("servers", "1"), ("watch", "\"50ms\""), ("failed", "0.1")];
            let parts = parts.map(|(name, usual)| of(name, usual, dice));
            entry += &format!("do = \"deploy\"\ncanary = {{ {} }}\n", parts.join(", "));
        }
        ("canary.abort_on", _) => {
            entry += "do = \"deploy\"\ncanary = { servers = 1, watch = \"50ms\", abort_on = \"slow\" }\n";
        }
        ("canary.then.NAME.servers", _) => {
            entry += &format!(
                "do = \"deploy\"\ncanary = {{ servers = 1, watch = \"50ms\", then = [{{ servers = {} }}] }}\n",
                value(row, dice)
            );
        }
        ("canary.then.NAME.watch", _) => {
            entry += &format!(
                "do = \"deploy\"\ncanary = {{ servers = 1, watch = \"50ms\", then = [{{ servers = 2, watch = {} }}] }}\n",
                value(row, dice)
            );
        }
        ("max_surge" | "max_unavailable" | "min_ready", _) => entry += "do = \"deploy\"\n",
        _ => entry += &format!("do = \"{deed}\"\n"),
    }
    let own = row.of_kind.is_none()
        && !key.starts_with("canary")
        && !matches!(key, "fault" | "do" | "target" | "at");
    if own {
        entry += &format!("{key} = {}\n", value(row, dice));
    }
    if entry.contains("do = \"slow\"") && key != "factor" {
        entry += factor;
    }
    if entry.contains("do = \"degrade\"") && !matches!(key, "delay" | "loss") {
        entry += loss;
    }
    entry
}

/// A path and a value for a random key of some.
fn assignment(dice: &mut Dice, of: fn(&KeyRow) -> bool) -> (String, String) {
    let rows: Vec<&KeyRow> = key_rows().iter().filter(|row| of(row)).collect();
    assign(rows[dice.below(rows.len())], dice)
}

/// A path and a value for a key.
fn assign(row: &KeyRow, dice: &mut Dice) -> (String, String) {
    let Some(kind) = row.of_kind else {
        return (named(&row.path, dice), value(row, dice));
    };
    let (above, _) = row.path.rsplit_once('.').expect("it is a parameter");
    let chosen = choice(row, kind, dice);
    match above.strip_suffix(&format!(".{kind}")) {
        Some(list) => (named(list, dice), format!("[{chosen}]")),
        None => (named(above, dice), chosen),
    }
}

/// A row with all it must have, that parameter, and some others.
fn choice(row: &KeyRow, kind: &str, dice: &mut Dice) -> String {
    let (above, _) = row.path.rsplit_once('.').expect("it is a parameter");
    let params = key_rows().iter().filter(|param| {
        param.of_kind == Some(kind) && param.path.rsplit_once('.').is_some_and(|(a, _)| a == above)
    });
    let mut text = format!("{{ kind = \"{kind}\"");
    for param in params {
        let (_, name) = param.path.rsplit_once('.').expect("it is a parameter");
        // Some go together, and their defaults are for longer runs.
        let pair = kind == "burn-rate"
            || kind == "step-scaling" && (name.starts_with("up_") || name.starts_with("down_"));
        if param.path == row.path || param.default.is_none() || pair || dice.below(4) == 0 {
            let value = match (kind, name) {
                ("trace", "times") if dice.below(3) == 0 => {
                    text += ", file = \"times.txt\"";
                    continue;
                }
                ("empirical", "values") if dice.below(3) == 0 && !text.contains("values") => {
                    text += ", file = \"sample.txt\"";
                    break;
                }
                ("empirical", "values") => "[\"1ms\", \"3ms\", \"20ms\"]".to_owned(),
                ("empirical", "probabilities") => "[0, 0.8, 1]".to_owned(),
                ("burn-rate", "long") => dice.of(&["\"3s\"", "\"40s\""]).to_owned(),
                ("burn-rate", "short") => dice.of(&["\"150ms\"", "\"1s\""]).to_owned(),
                ("mixture", "weights") => "[3, 1]".to_owned(),
                ("sessions", "requests") => dice.of(&["[3]", "[1, 4]", "[40]"]).to_owned(),
                ("sessions", "lengths") if text.contains(", 4]") => "\"listed\"".to_owned(),
                ("step-scaling", "up_from") => "[0.5]".to_owned(),
                ("step-scaling", "up_by") => "[2]".to_owned(),
                ("step-scaling", "down_from") => "[0.2]".to_owned(),
                ("step-scaling", "down_by") => "[1]".to_owned(),
                ("trace", "times") => dice.of(&["[\"100ms\", \"1s\"]", "[\"0s\"]"]).to_owned(),
                _ => value(param, dice),
            };
            text += &format!(", {name} = {value}");
        }
    }
    text + " }"
}

/// A path with names in place of the words in capitals.
fn named(path: &str, dice: &mut Dice) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('.') {
        let name = match (part, parts.last().copied()) {
            ("NAME", Some("service")) => {
                dice.of(&["web", "web", "web", "db", "app", "deep", "far"])
            }
            ("NAME", Some("class")) => dice.of(&["a", "b"]),
            ("NAME", Some("zone")) => "a",
            ("NAME", Some("machine")) => "box",
            ("NAME", _) => dice.of(&["0", "0", "0", "1", "2"]),
            _ => part,
        };
        parts.push(name);
    }
    parts.join(".")
}

/// A value that a key's kind allows.
fn value(row: &KeyRow, dice: &mut Dice) -> String {
    let (_, key) = row.path.rsplit_once('.').unwrap_or(("", &row.path));
    if row.kind.ends_with(", or none") && dice.below(8) == 0 {
        return "\"none\"".to_owned();
    }
    if row.path == "horizon" {
        return dice.of(&["\"2s\"", "\"700ms\"", "\"1ns\""]).to_owned();
    }
    if row.path == "class.NAME.share" {
        return dice.of(&["0.8", "0.2"]).to_owned();
    }
    if let Some((_, whole)) = TABLES
        .iter()
        .find(|(table, _)| *table == key && row.input == Input::Text)
    {
        return (*whole).to_owned();
    }
    match &row.input {
        Input::Flag => dice.of(&["true", "false"]).to_owned(),
        Input::Words(words) => format!("{:?}", dice.of(words)),
        Input::Span => {
            let spans = [
                "0s", "1ns", "1ms", "4ms", "30ms", "150ms", "1s", "3s", "40s", "1h",
            ];
            format!("{:?}", dice.of(&spans))
        }
        Input::Number { min, max, whole } => number(*min, *max, *whole, dice),
        Input::Kinds(kinds) => {
            let kinds: Vec<&str> = kinds.iter().map(|(kind, _)| *kind).collect();
            of_kind(&row.path, dice.of(&kinds), dice)
        }
        Input::Text => text(row, key, dice),
    }
}

/// A row of a table by its name.
fn of_kind(path: &str, kind: &str, dice: &mut Dice) -> String {
    let param = key_rows().iter().find(|param| {
        let above = param.path.rsplit_once('.').map(|(above, _)| above);
        param.of_kind == Some(kind)
            && above.is_some_and(|a| a == path || a == format!("{path}.{kind}"))
    });
    match param {
        Some(param) => choice(param, kind, dice),
        None => format!("{kind:?}"),
    }
}

fn number(min: f64, max: f64, whole: bool, dice: &mut Dice) -> String {
    let steps: &[f64] = if whole {
        &[0.0, 1.0, 2.0, 5.0, 30.0]
    } else {
        &[0.0, 0.001, 0.1, 0.3, 1.0, 2.5, 80.0]
    };
    let most = max <= 1.0 || (!whole && dice.below(4) == 0);
    let value = if most && dice.below(4) == 0 {
        max
    } else {
        (min + dice.of(steps)).min(max)
    };
    if whole {
        format!("{value:.0}")
    } else {
        format!("{value:?}")
    }
}

/// Lists of paths.
const PATHS: &[&str] = &[
    "[]",
    "[\"service.web.demand\"]",
    "[\"service.web.server.*.workers\"]",
    "[\"nothing.is.here\"]",
];

/// What is written where a form knows nothing.
#[expect(clippy::too_many_lines, reason = "a table of what is written")]
fn text(row: &KeyRow, key: &str, dice: &mut Dice) -> String {
    const LAWS: &[&str] = &[
        "\"4ms\"",
        "\"0s\"",
        "{ kind = \"exponential\", mean = \"6ms\" }",
        "{ kind = \"pareto\", mean = \"5ms\", shape = 1.2 }",
        "{ kind = \"uniform\", low = \"0s\", high = \"90ms\" }",
        "{ kind = \"empirical\", file = \"sample.txt\" }",
        "{ kind = \"truncated\", of = { kind = \"pareto\", mean = \"5ms\", shape = 1.2 }, max = \"40ms\" }",
        "{ kind = \"correlated\", correlation = 0.7, of = { kind = \"exponential\", mean = \"6ms\" } }",
    ];
    let metric = || METRICS.iter().map(|metric| metric.name);
    let words: &[&str] = match (row.kind.trim_end_matches(", or none"), key) {
        ("distribution" | "distribution of times", _) => LAWS,
        ("list of distributions of times", _) => {
            let (one, other) = (dice.of(LAWS), dice.of(LAWS));
            return format!("[{one}, {other}]");
        }
        ("size", _) => &["0", "1", "\"1MiB\"", "\"9MiB\"", "\"8GiB\""],
        ("moment", _) => &["\"0s\"", "\"300ms\"", "\"2s\"", "\"9s\""],
        ("clock time", _) => &["\"12:00\"", "\"23:59:59\""],
        ("list of time spans", _) => &[
            "[\"5ms\", \"40ms\"]",
            "[\"0s\"]",
            "[]",
            "[\"90ms\", \"1ms\"]",
        ],
        ("script", _) => &[
            "\"fn pick() { return any(); }\"",
            "\"let n = 0; fn pick() { n += 1; return eligible(n % count()); } fn changed() { n = 0; }\"",
            "\"let l = each(0); fn finished(s, n, t, ok) { l[s] += t; if !ok { l[s] += 1; } } \
             fn pick() { let best = none; for s in eligible { if best == none || l[s] < l[best] { best = s; } } return best; }\"",
        ],
        ("list of paths", _) => PATHS,
        ("list of numbers", _) => &["[1, 3]", "[0, 4]", "[0.5]", "[2, 1, 0]"],
        ("threshold", _) => &["3", "0.5", "\"20ms\"", "\"90%\"", "\"9MiB\"", "0"],
        ("rate", _) => {
            return match dice.below(3) {
                0 => dice.of(&["0", "90", "900.5"]).to_owned(),
                1 => "[[\"0s\", 50], [\"500ms\", 700], [\"500ms\", 0], [\"1s\", 300]]".to_owned(),
                _ => {
                    let kind = dice.of(&["surge", "wave", "diurnal", "flash-crowd"]);
                    of_kind(&row.path, kind, dice)
                }
            };
        }
        (kind, _) if kind.starts_with("list of words: ") => {
            let words = kind["list of words: ".len()..].split(", ");
            let some: Vec<String> = words
                .filter(|_| dice.below(3) == 0)
                .map(|word| format!("{word:?}"))
                .collect();
            return format!("[{}]", some.join(", "));
        }
        (kind, _) if kind.starts_with("list of ") => {
            let rows = key_rows()
                .iter()
                .filter(|param| param.path.starts_with(&row.path) && param.of_kind.is_some());
            let rows: Vec<&KeyRow> = rows.collect();
            let some = (0..dice.below(4)).map(|_| rows[dice.below(rows.len())]);
            let some: Vec<&KeyRow> = some.collect();
            let list: Vec<String> = some
                .into_iter()
                .map(|param| choice(param, param.of_kind.unwrap_or(""), dice))
                .collect();
            return format!("[{}]", list.join(", "));
        }
        (_, "to") => &["\"web\"", "\"db\"", "\"app\"", "\"deep\"", "\"far\""],
        (_, "class") => &["\"a\"", "\"b\"", "\"all\"", "[\"a\", \"b\"]"],
        (_, "zone") => &["\"a\"", "\"b\"", "\"c\""],
        (_, "machine") => &["\"box\""],
        (_, "like") => &["\"s0\"", "\"s1\""],
        (_, "good") => &["\"succeeded\"", "\"response_time < 20ms\""],
        (_, "that") => &[
            "\"availability > 50%\"",
            "\"first(crashed) in 0s..1s\"",
            "\"response_time.p99 < 1s\"",
            "\"verdict = STABLE\"",
        ],
        (_, "when") if row.path.starts_with("alert") => {
            let metric: Vec<&str> = metric().collect();
            let metric = dice.of(&metric);
            let whose = dice.of(&["", "(s0-1)", "(web)", "(a)"]);
            return format!(
                "\"{metric}{whose} {}\"",
                dice.of(&["> 20ms", "> 5", "< 80%", "> 0"])
            );
        }
        (_, "when") => {
            let gauges: Vec<&str> = SERVER_GAUGES.iter().map(|gauge| gauge.name).collect();
            return format!("{:?}", dice.of(&gauges));
        }
        (_, "on") => &["\"slow\"", "\"s0\"", "\"other\""],
        (_, "name") => &["\"s0\"", "\"other\"", "\"a-b_c\""],
        _ => &[
            "\"some words\"",
            "\"\"",
            "\"α → β\"",
            "1",
            "true",
            "{}",
            "[]",
        ],
    };
    dice.of(words).to_owned()
}

/// A few random choices, one after another.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % bound as u64) as usize
    }

    fn of<T: Copy>(&mut self, options: &[T]) -> T {
        options[self.below(options.len())]
    }
}
