//! Ingresses: which requests from outside go to which Service, and how the controller is told to treat them.

use super::objects::{Object, seconds};
use crate::names::list;
use crate::settings::system::{Key, Kind, Place, System};
use crate::settings::yaml::Node;

/// A path of an ingress.
pub(super) struct Path<'n> {
    pub ingress: Object<'n>,
    pub service: String,
    pub hint: String,
    pub place: Place,
}

/// All paths of ingresses.
pub(super) fn paths<'n>(objects: &[Object<'n>]) -> Vec<Path<'n>> {
    let mut found = Vec::new();
    for ingress in objects
        .iter()
        .copied()
        .filter(|object| object.kind() == "Ingress")
    {
        let mut add = |backend: &Node, path: &str, host: &str| {
            // Before networking.k8s.io/v1 the name stood alone.
            let name = backend
                .at(&["service", "name"])
                .or_else(|| backend.get("serviceName"));
            if let Some(service) = name.and_then(Node::text) {
                let hint = if path.trim_matches('/').is_empty() {
                    host
                } else {
                    path
                };
                let hint = if hint.is_empty() {
                    service.clone()
                } else {
                    hint.to_owned()
                };
                found.push(Path {
                    ingress,
                    service,
                    hint,
                    place: backend.place.clone(),
                });
            }
        };
        for name in ["defaultBackend", "backend"] {
            if let Some(backend) = ingress.spec(&[name]) {
                add(backend, "", "");
            }
        }
        for rule in ingress
            .spec(&["rules"])
            .map(Node::items)
            .unwrap_or_default()
        {
            let host = rule.word("host").unwrap_or_default();
            for path in rule
                .at(&["http", "paths"])
                .map(Node::items)
                .unwrap_or_default()
            {
                if let Some(backend) = path.get("backend") {
                    add(backend, &path.word("path").unwrap_or_default(), &host);
                }
            }
        }
    }
    found
}

/// Whether the controller is nginx, as it is unless something else is named.
pub(super) fn is_nginx(ingress: Object<'_>) -> bool {
    let class = ingress.spec(&["ingressClassName"]).and_then(Node::text);
    let old = ingress
        .annotation("kubernetes.io/ingress.class")
        .and_then(Node::text);
    class.or(old).is_none_or(|class| class.contains("nginx"))
}

/// What the controller keeps of each request, whatever is annotated: connections within 5 s, and two more tries,
/// no server ever banned, one state for all workers.
pub(super) fn defaults() -> Vec<Key> {
    vec![
        Key::implied("max_fails", 0),
        Key::implied("zone", "true"),
        Key::implied("proxy_connect_timeout", "\"5s\""),
        Key::implied("proxy_next_upstream_tries", 3),
    ]
}

const PREFIX: &str = "nginx.ingress.kubernetes.io/";

/// What annotations say: parameters of the dialect, and guards of the way.
pub(super) struct Annotated {
    pub params: Vec<Key>,
    pub guards: Vec<String>,
    pub guards_at: Option<Place>,
    /// Whether requests have keys that decide or are counted by.
    pub keyed: bool,
}

/// Annotations that have no bearing on load.
const IGNORED: &[&str] = &[
    "rewrite-target",
    "proxy-body-size",
    "ssl-redirect",
    "force-ssl-redirect",
    "use-regex",
    "enable-cors",
    "cors-allow-origin",
    "cors-allow-methods",
    "cors-allow-headers",
    "backend-protocol",
    "configuration-snippet",
    "server-snippet",
    "app-root",
    "proxy-buffer-size",
    "proxy-buffering",
    "client-body-buffer-size",
    "whitelist-source-range",
    "auth-type",
    "auth-secret",
    "auth-realm",
    "proxy-ssl-verify",
    "secure-backends",
];

/// Reads the annotations of an ingress for nginx.
pub(super) fn annotated(ingress: Object<'_>, system: &mut System) -> Annotated {
    let mut found = Annotated {
        params: Vec::new(),
        guards: Vec::new(),
        guards_at: None,
        keyed: false,
    };
    let entries = ingress
        .node
        .at(&["metadata", "annotations"])
        .map(Node::entries)
        .unwrap_or_default();
    let number = |name: &str| {
        ingress
            .annotation(&format!("{PREFIX}{name}"))
            .and_then(Node::as_number)
    };
    for entry in entries {
        let Some(name) = entry.key.strip_prefix(PREFIX) else {
            continue;
        };
        let (node, place) = (&entry.node, &entry.place);
        let value = node.as_number();
        let text = node.text().unwrap_or_default();
        let mut param =
            |param: &str, value: String| found.params.push(Key::said(param, value, place));
        match (name, value) {
            ("proxy-read-timeout", Some(s)) => param("proxy_read_timeout", seconds(s)),
            ("proxy-connect-timeout", Some(s)) => param("proxy_connect_timeout", seconds(s)),
            ("proxy-next-upstream-tries", Some(tries)) => {
                param("proxy_next_upstream_tries", tries.to_string());
            }
            ("proxy-next-upstream-timeout", Some(s)) => {
                param("proxy_next_upstream_timeout", seconds(s));
            }
            ("proxy-next-upstream", _) => {
                param("proxy_next_upstream", list(text.split_whitespace()));
            }
            ("upstream-hash-by", _) => {
                param("balance", "\"hash consistent\"".to_owned());
                found.keyed = true;
            }
            ("limit-rps" | "limit-rpm", Some(rate)) => {
                let rate = if name == "limit-rpm" {
                    rate / 60.0
                } else {
                    rate
                };
                let burst = rate * number("limit-burst-multiplier").unwrap_or(5.0);
                let rate = (rate * 1000.0).floor() / 1000.0;
                found.guards.push(format!(
                    "{{ kind = \"limit-req\", rate = {rate}, burst = {burst:.0}, nodelay = true, by = \"key\", shared = true }}"
                ));
                found.guards_at = Some(place.clone());
                found.keyed = true;
            }
            ("limit-connections", Some(most)) => {
                if let Some(guard) = system.limit_conn(place, name, most, true) {
                    found.guards.push(guard);
                    found.guards_at = Some(place.clone());
                    found.keyed = true;
                }
            }
            ("limit-burst-multiplier", _) => {}
            _ if IGNORED.contains(&name) => system.remark(Kind::Ignored, place, name, ""),
            _ => system.remark(
                Kind::Missing,
                place,
                format!("{name}: {text}"),
                "what this annotation does is not simulated",
            ),
        }
    }
    found
}
