//! Clusters: their policy and zones, and what goes into them from elsewhere.

use super::endpoints::assignment;
use super::generic::{client, guards, health, of_number};
use super::params::{checks, common, limits, of_policy, outliers};
use super::{span, typed};
use crate::export::said::{Counterpart, Said, balancer, chosen, policy};
use crate::export::subject::{Subject, param};
use crate::export::yaml::{Map, Yaml, add, map, plain, text};
use sim_core::model::Service;

pub(super) const POLICIES: &[Counterpart] = &[
    policy("envoy-round-robin", "ROUND_ROBIN", true),
    policy("envoy-least-request", "LEAST_REQUEST", true),
    policy("envoy-ring-hash", "RING_HASH", true),
    policy("maglev", "MAGLEV", true),
    policy("round-robin", "ROUND_ROBIN", false),
    policy("weighted-round-robin", "ROUND_ROBIN", true),
    policy("random", "RANDOM", false),
    policy("power-of-d", "LEAST_REQUEST", false),
    policy("ring-hash", "RING_HASH", true),
];
/// A cluster, and whether it chooses by keys.
pub(super) fn cluster(
    service: &Service,
    said: &mut Said,
    subject: &mut Subject<'_>,
) -> (Yaml, bool) {
    let weighs = choice(service, said, subject);
    health(service, said, subject);
    guards(service, said, subject);
    client(service, said, subject);
    zones(service, said, subject);
    let mut fields = Map::new();
    add(&mut fields, "name", text(&service.name));
    add(&mut fields, "type", plain("STRICT_DNS"));
    if let Some(connect) = said.span("connect_timeout") {
        add(&mut fields, "connect_timeout", span(connect));
    }
    let chosen = said.word("lb_policy");
    let policy = chosen.clone().unwrap_or_else(|| "ROUND_ROBIN".to_owned());
    if let Some(word) = &chosen {
        add(&mut fields, "lb_policy", plain(word));
    }
    let hashes = ["RING_HASH", "MAGLEV"].contains(&policy.as_str());
    if hashes {
        subject.remark("keys of requests are addresses of clients here");
    }
    of_policy(&policy, said, &mut fields);
    common(hashes, said, &mut fields);
    limits(said, &mut fields);
    outliers(said, &mut fields);
    checks(said, &mut fields);
    if said.word("protocol").as_deref() == Some("http2") {
        let options = typed(
            "upstreams.http.v3.HttpProtocolOptions",
            [(
                "explicit_http_config",
                map([("http2_protocol_options", map([]))]),
            )],
        );
        add(
            &mut fields,
            "typed_extension_protocol_options",
            map([(
                "envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
                options,
            )]),
        );
    }
    add(
        &mut fields,
        "load_assignment",
        assignment(service, weighs, said, subject),
    );
    (Yaml::Map(fields), hashes)
}

/// The policy of what is no dialect of its own; whether weights count.
pub(super) fn choice(service: &Service, said: &mut Said, subject: &mut Subject<'_>) -> bool {
    let path = format!("{}.policy", balancer(service));
    let Some(found) = chosen(service, POLICIES, subject) else {
        return true;
    };
    said.put("lb_policy", found.word, &path);
    let own = &service.balancer.policy;
    let row = &own.def.row;
    let of = |name| param(row, &own.params, name);
    let names: &[(&str, &str)] = match row.name {
        "envoy-least-request" => &[
            ("choice_count", "choice_count"),
            ("active_request_bias", "active_request_bias"),
        ],
        "envoy-ring-hash" => &[
            ("minimum_ring_size", "minimum_ring_size"),
            ("maximum_ring_size", "maximum_ring_size"),
            ("hash_balance_factor", "hash_balance_factor"),
        ],
        "maglev" => &[
            ("table", "table_size"),
            ("hash_balance_factor", "hash_balance_factor"),
        ],
        "power-of-d" => &[("d", "choice_count")],
        _ => &[],
    };
    for (own, name) in names {
        said.put(name, of(own), &format!("{path}.{own}"));
    }
    let bound: f64 = of_number(&of("bound"));
    if row.name == "ring-hash" && bound >= 1.0 {
        said.put(
            "hash_balance_factor",
            (bound * 100.0).round().to_string(),
            &format!("{path}.bound"),
        );
    }
    found.weighs
}

pub(super) fn zones(service: &Service, said: &mut Said, subject: &mut Subject<'_>) {
    let at = format!("{}.by_zone", balancer(service));
    if let Some(split) = service.balancer.by_zone.filter(|_| subject.says(&at)) {
        said.imply("locality_weighted", "true");
        let factor = (split.overprovisioning * 100.0).round();
        said.put(
            "overprovisioning_factor",
            factor.to_string(),
            &format!("{at}.overprovisioning"),
        );
        if split.random_start {
            subject.take(&format!("{at}.start"));
        }
    }
}
