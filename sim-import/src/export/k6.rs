//! A script for k6: an executor for each source of requests.

use super::Target;
use super::subject::{Subject, param};
use super::ways::{Way, sources};
use sim_core::ids::Id;
use sim_core::model::{Client, Source};
use sim_core::time::{Duration, Instant};
use std::fmt::Write;

pub(super) static TARGET: Target = Target {
    name: "k6",
    about: "A load test: a script for k6 with an executor for each source, against BASE_URL.",
    concerns,
    beside: "balancers and servers are what is tested, and the time line, alerts and expectations no part of the load",
    write,
};

/// What visitors do.
fn concerns(pattern: &str) -> bool {
    [
        "traffic.NAME.",
        "client.",
        "class.NAME.client.",
        "class.NAME.share",
    ]
    .iter()
    .any(|start| pattern.starts_with(start))
}

/// How long k6 waits for an answer unless it is told otherwise.
const PATIENCE: Duration = Duration::from_secs(60);
/// Stages that are written of a rate that goes on and on.
const STAGES_MAX: usize = 10_000;
/// Spans in which requests may be counted so that their numbers are whole, in seconds.
const UNITS: &[u32] = &[1, 10, 60, 600, 3600];

fn write(subject: &mut Subject<'_>) -> String {
    let model = subject.model;
    let mut scenarios = String::new();
    let mut functions = String::new();
    let mut names = Vec::new();
    for service in &model.services {
        for (way, source) in sources(service, subject) {
            let name = identifier(&way.name, &mut names);
            let client = source
                .clients
                .first()
                .map(|id| &model.clients[id.position()]);
            let timeout = client.and_then(|client| patience(client, &way, subject));
            if let Some((executor, sleep)) = executor(&way, source, timeout, subject) {
                let _ = write!(
                    scenarios,
                    "    '{}': {{\n{executor}      exec: '{name}',\n    }},\n",
                    way.name
                );
                let only = way.alone || model.sources.len() == 1;
                let path = if only { "/" } else { &way.prefix };
                functions += &function(&name, path, timeout, &sleep, way.class.as_deref());
            }
        }
    }
    format!(
        "import http from 'k6/http';\nimport {{ sleep }} from 'k6';\n\n\
         // Where requests go: k6 run -e BASE_URL=http://… SCRIPT\nconst BASE_URL = __ENV.BASE_URL;\n\n\
         export const options = {{\n  discardResponseBodies: true,\n  scenarios: {{\n{scenarios}  }},\n}};\n{functions}"
    )
}

/// A name that is one in JavaScript, and no other source has.
fn identifier(name: &str, taken: &mut Vec<String>) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
    let mut own: String = "ask_".chars().chain(name.chars().map(plain)).collect();
    while taken.contains(&own) {
        own.push('_');
    }
    taken.push(own.clone());
    own
}

/// How long a caller waits for an answer.
fn patience(client: &Client, way: &Way<'_>, subject: &mut Subject<'_>) -> Option<Duration> {
    let mut sections = vec!["client".to_owned(), format!("{}.client", way.path)];
    sections.extend(
        way.class
            .as_ref()
            .map(|class| format!("class.{class}.client")),
    );
    let key = if client.timeout.is_some() {
        "timeout"
    } else {
        "deadline"
    };
    for section in &sections {
        subject.take(&format!("{section}.{key}"));
        // Who gives up closes the connection.
        if client.cancel {
            subject.take(&format!("{section}.cancel"));
        }
        let why = "a request is tried once";
        subject.refuse(&format!("{section}.retry"), why);
        subject.refuse(&format!("{section}.deadline"), why);
    }
    client.timeout.or(client.deadline)
}

/// The executor of a source, and how long its users pause; `None` if it has none.
fn executor(
    way: &Way<'_>,
    source: &Source,
    timeout: Option<Duration>,
    subject: &mut Subject<'_>,
) -> Option<(String, String)> {
    let at = format!("{}.arrivals", way.path);
    for key in ["name", "to", "class"] {
        subject.take(&format!("{}.{key}", way.path));
    }
    let arrivals = &source.arrivals;
    let row = &arrivals.def.row;
    let of = |name| param(row, &arrivals.params, name);
    let horizon = time(subject.model.horizon);
    match row.name {
        "closed" => {
            subject.take_kind(&at);
            subject.take(&format!("{at}.users"));
            let pause = think(source, &at, subject);
            let users = of("users");
            let text = format!(
                "      executor: 'constant-vus',\n      vus: {users},\n      duration: '{horizon}',\n"
            );
            return Some((text, pause));
        }
        "deterministic" => subject.take(&at),
        _ if !arrivals.def.uses_rate => {
            subject.refuse(
                &at,
                "no executor sends requests at given moments: this source is left out",
            );
            subject.refuse(&way.path, "this source is left out");
            return None;
        }
        name => {
            let why = "executors send requests evenly spaced";
            subject.refuse(&at, why);
            subject.remark(format!("{name}: {why}"));
        }
    }
    subject.take(&format!("{}.rate", way.path));
    Some((open(source, timeout, subject), String::new()))
}

/// An executor by rate.
fn open(source: &Source, timeout: Option<Duration>, subject: &mut Subject<'_>) -> String {
    let rate = &source.rate;
    let end = Instant(subject.model.horizon.0);
    let corners = rate
        .corners_from(Instant::ZERO)
        .take_while(|corner| corner.at < end);
    let mut corners: Vec<(Instant, f64)> = corners
        .take(STAGES_MAX + 1)
        .map(|corner| (corner.at, corner.rate_hz))
        .collect();
    if corners.len() > STAGES_MAX {
        subject.remark(format!(
            "of the rate of {} the first {STAGES_MAX} stages are written",
            source.name
        ));
    }
    corners.push((end, rate.at(end)));
    let most = corners.iter().map(|(_, rate)| *rate).fold(0.0, f64::max);
    let whole = |unit: f64| {
        let mut all = corners.iter();
        all.all(|(_, rate)| (rate * unit - (rate * unit).round()).abs() < 1e-6)
    };
    let unit = UNITS.iter().copied().find(|unit| whole(f64::from(*unit)));
    if unit.is_none() {
        subject.remark(format!(
            "rates of {} are rounded to whole requests an hour",
            source.name
        ));
    }
    let unit = unit.unwrap_or(3600);
    let count = |rate: f64| (rate * f64::from(unit)).round();
    let users = (most * timeout.unwrap_or(PATIENCE).as_secs_f64())
        .ceil()
        .max(1.0);
    let mut text = if rate.varies() {
        let mut text = format!(
            "      executor: 'ramping-arrival-rate',\n      startRate: {},\n      stages: [\n",
            count(corners[0].1)
        );
        for pair in corners.windows(2) {
            // Whole microseconds: a jump takes a nanosecond here, and no time there.
            let [from, to] = [pair[0].0, pair[1].0].map(|at| at.0 / 1000);
            let long = Duration((to - from) * 1000);
            let _ = writeln!(
                text,
                "        {{ target: {}, duration: '{}' }},",
                count(pair[1].1),
                time(long)
            );
        }
        text + "      ],\n"
    } else {
        format!(
            "      executor: 'constant-arrival-rate',\n      rate: {},\n      duration: '{}',\n",
            count(corners[0].1),
            time(subject.model.horizon)
        )
    };
    let _ = write!(
        text,
        "      timeUnit: '{unit}s',\n      // As many as can wait for an answer at once.\n      preAllocatedVUs: {users},\n"
    );
    text
}

/// How a user pauses between an answer and the next request, in seconds.
fn think(source: &Source, at: &str, subject: &mut Subject<'_>) -> String {
    let arrivals = &source.arrivals;
    let think = arrivals.params.distribution("think");
    let built = think.build();
    let mean = built.mean_ns() / 1e9;
    let path = format!("{at}.think");
    let name = think.def.row.name;
    if built.constant_ns().is_some() {
        subject.take(&path);
        if mean > 0.0 {
            return mean.to_string();
        }
        return String::new();
    }
    if name == "exponential" {
        subject.take(&path);
        return format!("-Math.log(1 - Math.random()) * {mean}");
    }
    subject.refuse(&path, "its mean stands for it");
    mean.to_string()
}

fn function(
    name: &str,
    path: &str,
    timeout: Option<Duration>,
    sleep: &str,
    class: Option<&str>,
) -> String {
    let mut params = Vec::new();
    params.extend(timeout.map(|span| format!("timeout: '{}'", time(span))));
    params.extend(class.map(|class| format!("tags: {{ class: '{class}' }}")));
    let params = if params.is_empty() {
        String::new()
    } else {
        format!(", {{ {} }}", params.join(", "))
    };
    let mut text =
        format!("\nexport function {name}() {{\n  http.get(`${{BASE_URL}}{path}`{params});\n");
    if !sleep.is_empty() {
        let _ = writeln!(text, "  sleep({sleep});");
    }
    text + "}\n"
}

/// A time as k6 reads it.
fn time(span: Duration) -> String {
    match span.0 {
        ns if ns % 1_000_000_000 == 0 => format!("{}s", ns / 1_000_000_000),
        ns if ns % 1_000_000 == 0 => format!("{}ms", ns / 1_000_000),
        ns => format!("{}us", ns / 1_000),
    }
}
