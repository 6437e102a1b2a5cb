//! Texts that are no scenarios: a balancer's configuration, a log, a table, a secret.
//!
//! They are named in one sentence, and none of what they hold is repeated: whoever can make a scenario
//! name a file (`base = "…"`) need not be who may read it.

use super::Source;
use super::problem::{Problem, suggest};
use super::section::Section;
use super::sections::Top;
use super::trace::moment_in;
use super::tree::Node;

/// Lines looked at.
const LINES: usize = 200;
/// Lines that are no TOML, from which on a text is not taken for one with slips.
const SLIPS: usize = 4;
/// Keys of a plan: what reads plans knows what to say of them.
const PLAN: [&str; 5] = ["axis", "measures", "scenario", "replications", "confidence"];

/// Words for what `import` reads.
const IMPORTED: [&str; 6] = [
    "nginx",
    "HAProxy",
    "Envoy",
    "Kubernetes",
    "Traefik",
    "Caddy",
];

/// What a text is that could not be parsed; `bad` are the lines where the parser stumbled, from 1.
pub(super) fn unparsed(source: &Source, bad: &[usize], referred: bool) -> Option<Problem> {
    // JSON with a slip is shown as a slip where JSON is what is read.
    let own = |what: &String| source.is_json() && what == "JSON";
    if let Some(what) = of_text(&source.text).filter(|what| !own(what)) {
        return Some(refusal(
            source,
            &format!("is {what}, and no scenario"),
            &what,
        ));
    }
    let lines = source.text.lines().filter(|line| !line.trim().is_empty());
    // The parser gives up counting after some.
    let most = bad.len() > SLIPS && bad.len() * 2 >= lines.count().min(LINES / 10);
    let line = bad.first()?;
    match (most, referred) {
        (true, _) => Some(refusal(
            source,
            "is no scenario: most of its lines are no TOML",
            "",
        )),
        (false, true) => {
            let what = format!("is not well-formed: the parser stumbles at line {line}");
            Some(
                refusal(source, &what, "")
                    .help(format!("`stampede check {}` shows the line", source.name)),
            )
        }
        (false, false) => None,
    }
}

/// What a text is that is well-formed, and holds nothing of a scenario.
pub(super) fn parsed(source: &Source, tree: &Node, referred: bool) -> Option<Problem> {
    let keys = tree.entries();
    let has = |key: &str| tree.entry(key).is_some();
    let known = Top::def().keys.iter().map(|key| key.name);
    if referred {
        // Misspelt, they are still told where they stand.
        let parts = ["traffic", "service"];
        let part =
            |key: &str| parts.contains(&key) || suggest(key, parts).starts_with("did you mean");
        let whole = has("horizon") && keys.iter().any(|entry| part(&entry.key));
        if whole || has("base") || PLAN.iter().any(|key| has(key)) {
            return None;
        }
    } else {
        let meant = |key: &str| {
            PLAN.contains(&key)
                || known.clone().any(|k| k == key)
                || suggest(key, known.clone()).starts_with("did you mean")
        };
        if keys.is_empty() || keys.iter().any(|entry| meant(&entry.key)) {
            return None;
        }
    }
    match of_keys(&has) {
        Some(what) => Some(refusal(
            source,
            &format!("is {what}, and no scenario"),
            what,
        )),
        None => Some(refusal(
            source,
            "is no scenario: it holds none of its keys",
            "",
        )),
    }
}

fn refusal(source: &Source, what: &str, kind: &str) -> Problem {
    let problem = Problem::new("E004", format!("{} {what}", source.name));
    if kind.contains("log") {
        problem.help(format!(
            "`stampede calibrate {}` makes a scenario of it; its times alone are arrivals = {{ kind = \"trace\", file = {0:?} }}",
            source.name
        ))
    } else if kind.contains("JSON") {
        problem.help("a scenario in JSON is a file that ends in .json")
    } else if IMPORTED.iter().any(|own| kind.contains(own)) {
        problem.help(format!(
            "`stampede import {} -o mine.toml` makes a scenario of it",
            source.name
        ))
    } else {
        problem.help("`stampede new mine` writes a scenario to begin with, and `stampede import` makes one of settings of balancers")
    }
}

/// What a well-formed file of another program is, by its keys.
fn of_keys(has: &dyn Fn(&str) -> bool) -> Option<&'static str> {
    let all = |keys: &[&str]| keys.iter().all(|key| has(key));
    let kinds: [(&[&str], &str); 9] = [
        (&["apiVersion", "kind"], "a Kubernetes object"),
        (&["static_resources"], "an Envoy configuration"),
        (&["admin", "apps"], "a Caddy configuration"),
        (&["scrape_configs"], "a Prometheus configuration"),
        (&["package", "dependencies"], "a manifest of Cargo"),
        (&["workspace"], "a manifest of Cargo"),
        (&["name", "version"], "a package's manifest"),
        (&["entryPoints"], "a Traefik configuration"),
        (&["http"], "a Traefik configuration"),
    ];
    kinds
        .iter()
        .find(|(keys, _)| all(keys))
        .map(|(_, what)| *what)
}

/// What a text is, by its lines.
fn of_text(text: &str) -> Option<String> {
    let lines: Vec<&str> = text
        .lines()
        .filter(|line| !line.trim().is_empty())
        .take(LINES)
        .collect();
    let plain: Vec<&str> = lines
        .iter()
        .map(|line| line.trim())
        .filter(|line| !line.starts_with(['#', ';']))
        .collect();
    let first = plain.first().copied().unwrap_or_default();
    let any = |is: &dyn Fn(&str) -> bool| plain.iter().any(|line| is(line));
    let most = |is: &dyn Fn(&str) -> bool| {
        !plain.is_empty() && plain.iter().filter(|line| is(line)).count() * 10 >= plain.len() * 7
    };
    let word = |line: &str| line.split_whitespace().next().map(str::to_owned);
    let begins = |line: &str, words: &[&str]| word(line).is_some_and(|w| words.contains(&&*w));
    let what = if lines.first().is_some_and(|line| line.starts_with("#!")) {
        "a script"
    } else if first.starts_with("-----BEGIN") {
        "a key or a certificate"
    } else if any(&|line| line.starts_with("<VirtualHost") || line.starts_with("<Proxy")) {
        "a configuration of Apache"
    } else if first.starts_with('<') {
        "a page in XML or HTML"
    } else if any(&|line| {
        let opens = line.ends_with('{') || line.ends_with('}') && line.contains(" {");
        opens && begins(line, &["upstream", "server", "location", "http", "events"])
    }) && any(&|line| line.trim_end_matches(['}', ' ']).ends_with(';'))
    {
        "an nginx configuration"
    } else if lines.iter().any(|line| {
        !line.starts_with([' ', '\t'])
            && begins(
                line,
                &["global", "defaults", "frontend", "backend", "listen"],
            )
    }) && any(&|line| begins(line, &["bind", "server", "balance", "mode", "timeout"]))
    {
        "an HAProxy configuration"
    } else if any(&|line| begins(line, &["reverse_proxy"])) && any(&|line| line.ends_with('{')) {
        "a Caddy configuration"
    } else if most(&|line| line.starts_with('{') && line.ends_with('}')) && plain.len() > 1 {
        "a log, with JSON in each line"
    } else if first.starts_with('{') || first.starts_with('[') && first.contains(['{', '"']) {
        "JSON"
    } else if most(&|line| moment_in(line).is_some()) {
        "a log"
    } else if most(&is_yaml) {
        return Some(of_yaml(&plain).to_owned());
    } else if plain.len() > 1 && is_table(&plain) {
        "a table"
    } else {
        return None;
    };
    Some(what.to_owned())
}

fn is_yaml(line: &str) -> bool {
    let line = line.strip_prefix("- ").unwrap_or(line);
    let key = line.split(':').next().unwrap_or_default();
    line == "---"
        || line == "-"
        || line.starts_with('-') && !line.contains('=')
        || line.len() > key.len()
            && !key.is_empty()
            && !key.contains(['=', '['])
            && matches!(line.as_bytes().get(key.len() + 1), None | Some(b' '))
}

fn of_yaml(lines: &[&str]) -> &'static str {
    let has = |key: &str| {
        lines.iter().any(|line| {
            let rest = line.strip_prefix(key);
            rest.is_some_and(|rest| rest.starts_with(':'))
        })
    };
    of_keys(&has).unwrap_or(if has("services") {
        "a Compose file"
    } else {
        "YAML"
    })
}

/// Whether all lines have the same fields, between commas, semicolons or tabs.
fn is_table(lines: &[&str]) -> bool {
    [',', ';', '\t'].iter().any(|separator| {
        let fields = |line: &str| line.matches(*separator).count();
        let count = fields(lines[0]);
        count > 0
            && lines
                .iter()
                .all(|line| fields(line) == count && !line.contains(" = "))
    })
}
