//! Routes: time-outs and tries of a way in.

use super::generic::of_number;
use super::{span, typed};
use crate::export::routes::ends;
use crate::export::said::{Said, unquoted, words};
use crate::export::subject::{Subject, param};
use crate::export::ways::{Way, apart};
use crate::export::yaml::{Map, Yaml, add, map, plain, text};
use sim_core::model::{Client, Service};
use sim_core::time::Duration;

/// What a route says of its requests.
#[derive(Clone, Default)]
pub(super) struct Rules {
    timeout: Option<Duration>,
    per_try: Option<Duration>,
    retry_on: Option<Vec<String>>,
    retries: Option<String>,
    base: Option<Duration>,
    longest: Option<Duration>,
    previous: bool,
}

impl Rules {
    pub(super) fn of(said: &mut Said) -> Self {
        Self {
            timeout: said.span("timeout"),
            per_try: said.some_span("per_try_timeout"),
            retry_on: said.words("retry_on").filter(|words| !words.is_empty()),
            retries: said.number("num_retries"),
            base: said.span("base_interval"),
            longest: said.some_span("max_interval"),
            previous: said.flag("previous_hosts"),
        }
    }

    /// The rules with what differs for the requests of a way.
    pub(super) fn apart(
        &self,
        way: &Way<'_>,
        service: &Service,
        subject: &mut Subject<'_>,
    ) -> Self {
        let mut rules = self.clone();
        let Some((client, path)) = apart(way, service, subject) else {
            return rules;
        };
        let mut says = |key: &str| {
            let path = format!("{path}.{key}");
            let says = subject.says(&path);
            if says {
                subject.take(&path);
            }
            says
        };
        if says("deadline") {
            rules.timeout = Some(client.deadline.unwrap_or(Duration::ZERO));
        }
        if says("timeout") {
            rules.per_try = client.timeout;
        }
        let known = ["envoy", "none"].contains(&client.retry.def.row.name);
        if known && says("retry") {
            rules.tries(client);
        }
        // Limits of retries are the cluster's.
        if says("guards.envoy-retry-limit") {
            return rules;
        }
        rules
    }

    fn tries(&mut self, client: &Client) {
        let row = &client.retry.def.row;
        let of = |name| param(row, &client.retry.params, name);
        if row.name == "none" {
            self.retry_on = None;
            return;
        }
        let time = |name| Duration::parse(unquoted(&of(name))).ok();
        self.retry_on = Some(words(&of("retry_on")));
        self.retries = Some((of_number(&of("attempts")) - 1.0).to_string());
        self.base = time("base_interval");
        self.longest = time("max_interval").filter(|span| !span.is_zero());
        self.previous = of("avoid") == "\"all\"";
    }
}

pub(super) fn route(parts: &[(&Service, f64)], prefix: &str, rules: &Rules, hashes: bool) -> Yaml {
    let mut action = Map::new();
    if let [(only, _)] = parts {
        add(&mut action, "cluster", text(&only.name));
    } else {
        let mut before = 0;
        let each = ends(parts).into_iter().map(|(to, end)| {
            let weight = end - std::mem::replace(&mut before, end);
            map([("name", text(&to.name)), ("weight", plain(weight))])
        });
        let clusters = map([("clusters", Yaml::List(each.collect()))]);
        add(&mut action, "weighted_clusters", clusters);
    }
    if let Some(timeout) = rules.timeout {
        add(&mut action, "timeout", span(timeout));
    }
    let mut policy = Map::new();
    if let Some(words) = &rules.retry_on {
        add(&mut policy, "retry_on", text(&words.join(",")));
        if let Some(retries) = &rules.retries {
            add(&mut policy, "num_retries", plain(retries));
        }
    }
    if let Some(per_try) = rules.per_try {
        add(&mut policy, "per_try_timeout", span(per_try));
    }
    if let Some(base) = rules.base.filter(|_| rules.retry_on.is_some()) {
        let mut pauses = Map::new();
        add(&mut pauses, "base_interval", span(base));
        if let Some(longest) = rules.longest {
            add(&mut pauses, "max_interval", span(longest));
        }
        add(&mut policy, "retry_back_off", Yaml::Map(pauses));
    }
    if rules.previous && rules.retry_on.is_some() {
        let kind = typed("retry.host.previous_hosts.v3.PreviousHostsPredicate", []);
        let predicate = map([
            ("name", text("envoy.retry_host_predicates.previous_hosts")),
            ("typed_config", kind),
        ]);
        add(
            &mut policy,
            "retry_host_predicate",
            Yaml::List(vec![predicate]),
        );
        // Tries of a choice that falls upon one of them again.
        add(&mut policy, "host_selection_retry_max_attempts", plain(10));
    }
    if !policy.is_empty() {
        add(&mut action, "retry_policy", Yaml::Map(policy));
    }
    if hashes {
        let source = map([("connection_properties", map([("source_ip", plain(true))]))]);
        add(&mut action, "hash_policy", Yaml::List(vec![source]));
    }
    map([
        ("match", map([("prefix", text(prefix))])),
        ("route", Yaml::Map(action)),
    ])
}
