//! A scenario with every path that is written in it, and which of them a target has taken.

use super::Left;
use super::kinds::{kinds, pattern};
use sim_core::extension::{ExtensionRow, ParamKind, ParamValue, Params};
use sim_core::model::{Model, Service};
use sim_core::scenario::{Source, outline, quoted};

/// What a target writes from.
pub(super) struct Subject<'m> {
    pub model: &'m Model,
    pub remarks: Vec<String>,
    written: Vec<Line>,
}

/// A value that is written.
struct Line {
    path: String,
    pattern: String,
    value: String,
    taken: bool,
    why: Option<String>,
}

impl<'m> Subject<'m> {
    /// `text` is the scenario in its fixed form.
    pub(super) fn new(model: &'m Model, text: &str) -> Self {
        let source = Source::new("scenario.toml", text);
        let values = outline(&source).unwrap_or_default().into_iter();
        let values = values.map(|found| (found.place.start, found.path, found.value));
        let kinds = kinds(text).into_iter();
        let kinds = kinds.map(|kind| (kind.at, kind.path, quoted(&kind.name)));
        let mut all: Vec<_> = values.chain(kinds).collect();
        all.sort();
        let written = all
            .into_iter()
            .flat_map(|(_, path, value)| lines(path, value));
        let written = written.collect();
        Self {
            model,
            remarks: Vec::new(),
            written,
        }
    }

    /// The value at a path.
    pub(super) fn value(&self, path: &str) -> Option<&str> {
        let line = self.written.iter().find(|line| line.path == path)?;
        Some(&line.value)
    }

    /// Whether anything is written at or below a path.
    pub(super) fn says(&self, path: &str) -> bool {
        self.written.iter().any(|line| is_at(&line.path, path))
    }

    /// The paths with their values below a path.
    pub(super) fn below(&self, path: &str) -> Vec<(String, String)> {
        let start = format!("{path}.");
        let own = self.written.iter().filter_map(|line| {
            let rest = line.path.strip_prefix(&start)?;
            Some((rest.to_owned(), line.value.clone()))
        });
        own.collect()
    }

    /// What is at or below a path has its counterpart.
    pub(super) fn take(&mut self, path: &str) {
        for line in self
            .written
            .iter_mut()
            .filter(|line| is_at(&line.path, path))
        {
            line.taken = true;
        }
    }

    /// The name of a row at a path has its counterpart; its parameters are another matter.
    pub(super) fn take_kind(&mut self, path: &str) {
        let kind = format!("{path}.kind");
        let own = |line: &&mut Line| line.path == path || line.path == kind;
        for line in self.written.iter_mut().filter(own) {
            line.taken = true;
        }
    }

    /// Backups have their counterpart, of which there is one level.
    pub(super) fn take_backups(&mut self, service: &Service) {
        self.take_of_servers(service, "backup", &[]);
        for line in self.of_servers(service, "priority") {
            line.taken = matches!(line.value.as_str(), "0" | "1");
            line.why = Some("there is one level of backups".to_owned());
        }
    }

    /// Why what is at or below a path has none; the first reason counts.
    pub(super) fn refuse(&mut self, path: &str, why: &str) {
        for line in self
            .written
            .iter_mut()
            .filter(|line| is_at(&line.path, path))
        {
            line.why.get_or_insert_with(|| why.to_owned());
        }
    }

    /// The same for a key of all servers of a service whose value is none of those that are refused.
    pub(super) fn take_of_servers(&mut self, service: &Service, key: &str, refused: &[&str]) {
        for line in self.of_servers(service, key) {
            line.taken |= !refused.contains(&line.value.as_str());
        }
    }

    /// Why a key of servers has no counterpart.
    pub(super) fn refuse_of_servers(&mut self, service: &Service, key: &str, why: &str) {
        for line in self.of_servers(service, key) {
            line.why.get_or_insert_with(|| why.to_owned());
        }
    }

    fn of_servers(&mut self, service: &Service, key: &str) -> impl Iterator<Item = &mut Line> {
        let key = key.to_owned();
        let start = format!("service.{}.server.", service.name);
        self.written.iter_mut().filter(move |line| {
            let rest = line.path.strip_prefix(start.as_str());
            rest.and_then(|rest| rest.split_once('.'))
                .is_some_and(|(_, rest)| rest == key)
        })
    }

    /// Services; of those without servers it is remarked that they are no `pool`.
    pub(super) fn services(&mut self, pool: &str) -> &'m [Service] {
        let model = self.model;
        for service in (model.services.iter()).filter(|service| service.servers.is_empty()) {
            let name = &service.name;
            self.remark(format!(
                "{name} has no servers of its own, and is no {pool}: its routes lead to others"
            ));
        }
        &model.services
    }

    pub(super) fn remark(&mut self, text: impl Into<String>) {
        let text = text.into();
        if !self.remarks.contains(&text) {
            self.remarks.push(text);
        }
    }

    /// What was not taken, of what concerns the target. Parameters of one row are one value.
    pub(super) fn left(self, concerns: fn(&str) -> bool) -> Vec<Left> {
        let mut left: Vec<Left> = Vec::new();
        let own = self.written.into_iter();
        for line in own.filter(|line| !line.taken && concerns(&line.pattern)) {
            let why = line.why.unwrap_or_else(|| reason(&line.pattern).to_owned());
            left.push(Left {
                path: line.path,
                value: line.value,
                why,
            });
        }
        left
    }
}

/// The lines of a value: one, or one for each member of a list of rules that are names.
fn lines(path: String, value: String) -> Vec<Line> {
    let line = |path: String, value| Line {
        pattern: pattern(&path),
        path,
        value,
        taken: false,
        why: None,
    };
    let is_list = path.ends_with(".health") || path.ends_with(".guards");
    if !is_list || !value.starts_with('[') || value == "[]" {
        return vec![line(path, value)];
    }
    let names = super::said::words(&value).into_iter();
    let of = |name: String| line(format!("{path}.{name}"), quoted(&name));
    names.map(of).collect()
}

/// Whether a path is another, or below it.
fn is_at(path: &str, above: &str) -> bool {
    path.strip_prefix(above)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// Why keys of a kind have no counterpart, where a target has nothing better to say.
fn reason(pattern: &str) -> &'static str {
    const REASONS: &[(&str, &str)] = &[
        ("client.", "how callers behave is theirs to say"),
        ("class.", "how callers behave is theirs to say"),
        ("traffic.", "how callers behave is theirs to say"),
        (
            "service.NAME.balancer.dialect",
            "it describes the program or its servers, or is of another program",
        ),
        (
            "service.NAME.balancer.routes",
            "no way leads along this route",
        ),
        ("service.NAME.balancer.link.delay", "it is of the network"),
        ("service.NAME.balancer.link.loss", "it is of the network"),
        (
            "service.NAME.balancer.link.retransmit",
            "it is of the network",
        ),
        ("service.NAME.balancer.cost", "it is of the machine"),
        ("service.NAME.balancer.queue_limit", "it is of the machine"),
        ("service.NAME.balancer.memory", "it is of the machine"),
        ("service.NAME.balancer.crash", "it is of the machine"),
        ("service.NAME.balancer.restart", "it is of the machine"),
        ("service.NAME.balancer.boot", "it is of the machine"),
        (
            "service.NAME.balancer.down_behaviour",
            "it is of the machine",
        ),
        (
            "service.NAME.balancer.standby",
            "it is said where balancers are deployed",
        ),
        (
            "service.NAME.balancer.instances",
            "it is said where balancers are deployed",
        ),
        (
            "service.NAME.balancer.instance_selection",
            "it is said where balancers are deployed",
        ),
    ];
    let found = REASONS.iter().find(|(start, _)| pattern.starts_with(start));
    found.map_or("nothing there means the same", |(_, why)| why)
}

/// A parameter of a row, as a scenario writes it; empty for what has no short form.
pub(super) fn param(row: &ExtensionRow, params: &Params, name: &str) -> String {
    let def = row.params.iter().find(|def| def.name == name);
    let value = params.iter().find(|(own, _)| *own == name);
    let (Some(def), Some((_, value))) = (def, value) else {
        return String::new();
    };
    match (value, def.kind) {
        (ParamValue::Number(number), _) => number.to_string(),
        (ParamValue::Integer(number), _) => number.to_string(),
        (ParamValue::Span(span), _) => format!("\"{span}\""),
        (ParamValue::Flag(flag), _) => flag.to_string(),
        (ParamValue::Choice(place), ParamKind::Choice(words)) => quoted(words[*place]),
        (ParamValue::Words(bits), ParamKind::Words(words)) => {
            let own = words
                .iter()
                .enumerate()
                .filter(|(place, _)| bits >> place & 1 == 1);
            let own: Vec<String> = own.map(|(_, word)| quoted(word)).collect();
            format!("[{}]", own.join(", "))
        }
        _ => String::new(),
    }
}
