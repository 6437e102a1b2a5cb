//! `reverse_proxy`, in the words of the dialect.

use crate::names::{fresh, name_of};
use crate::settings::directive::Directive;
use crate::settings::system::{Key, Kind, Place, Server, Service, System};
use crate::settings::{Unreadable, words_of};
use sim_core::scenario::quoted;
use sim_core::time::Duration;

/// Servers of a range of ports at most.
const RANGE_MAX: u32 = 1000;

/// A service with what its way must know.
pub(super) struct Proxy {
    pub service: Service,
    /// Whether requests have keys that decide.
    pub keyed: bool,
}

/// Times by the words for them, with the dialect's.
const SPANS: &[(&str, &str)] = &[
    ("lb_try_duration", "lb_try_duration"),
    ("lb_try_interval", "lb_try_interval"),
    ("fail_duration", "fail_duration"),
    ("health_interval", "health_interval"),
    ("health_timeout", "health_timeout"),
    // Those of version 1.
    ("try_duration", "lb_try_duration"),
    ("try_interval", "lb_try_interval"),
    ("fail_timeout", "fail_duration"),
    ("health_check_interval", "health_interval"),
    ("health_check_timeout", "health_timeout"),
];

/// Counts likewise.
const COUNTS: &[&str] = &["lb_retries", "max_fails", "health_passes", "health_fails"];

/// What bears on load and is not simulated.
const MISSING: &[(&str, &str)] = &[
    (
        "lb_retry_match",
        "which requests may be sent again: those of `method` here",
    ),
    (
        "unhealthy_latency",
        "answers that are too slow do not count as failures",
    ),
    ("dynamic", "upstreams that are looked up while it runs"),
    ("handle_response", "another answer in place of a server's"),
    (
        "stream_timeout",
        "connections that became tunnels: an answer is one piece of work here",
    ),
    ("read_timeout", "an answer comes in one piece here"),
    ("write_timeout", "a request is sent in one piece here"),
    (
        "expect_continue_timeout",
        "a request is sent in one piece here",
    ),
    (
        "keepalive",
        "connections to servers cost nothing here unless link.connections says so",
    ),
    (
        "keepalive_interval",
        "connections to servers cost nothing here unless link.connections says so",
    ),
    (
        "keepalive_idle_conns",
        "connections to servers cost nothing here unless link.connections says so",
    ),
    (
        "keepalive_idle_conns_per_host",
        "connections to servers cost nothing here unless link.connections says so",
    ),
    (
        "max_conns_per_host",
        "requests that wait for one of so many connections",
    ),
    ("request_buffers", "requests come in one piece here"),
    ("response_buffers", "answers take no time to be sent here"),
];

const IGNORED: &[&str] = &[
    "flush_interval",
    "header_up",
    "header_down",
    "trusted_proxies",
    "method",
    "rewrite",
    "replace_status",
    "copy_response",
    "health_port",
    "health_status",
    "health_body",
    "health_headers",
    "health_method",
    "health_request_body",
    "health_follow_redirects",
    "health_upstream",
    "stream_close_delay",
    "stream_buffer_size",
    "verbose_logs",
    "buffer_requests",
    "buffer_responses",
    "max_buffer_size",
    "tls",
    "tls_insecure_skip_verify",
    "tls_server_name",
    "tls_client_auth",
    "tls_trust_pool",
    "tls_timeout",
    "tls_trusted_ca_certs",
    "tls_renegotiation",
    "tls_except_ports",
    "tls_curves",
    "versions",
    "compression",
    "resolvers",
    "local_address",
    "proxy_protocol",
    "network_proxy",
    "forward_proxy_url",
    "dial_fallback_delay",
    "max_response_header",
    "read_buffer",
    "write_buffer",
    "root",
    "split",
    "env",
    "index",
    "try_files",
    "resolve_root_symlink",
    "capture_stderr",
    "transparent",
    "websocket",
    "insecure_skip_verify",
    "header_upstream",
    "header_downstream",
    "without",
    "except",
    "upstream_headers",
];

/// Reads a directive that hands requests on; `None` if no servers can be told.
pub(super) fn proxy(
    directive: &Directive,
    hint: &str,
    taken: &mut Vec<String>,
    system: &mut System,
) -> Result<Option<Proxy>, Unreadable> {
    let mut reader = Reader {
        proxy: Proxy {
            service: Service::new(fresh(hint, taken), hint, &directive.place, "caddy"),
            keyed: false,
        },
        upstreams: Vec::new(),
        weights: Vec::new(),
        passive: Vec::new(),
        system,
    };
    if directive.name == "proxy" {
        let why = "a word of Caddy 1, which has not been kept up since 2020";
        reader
            .system
            .remark(Kind::Read, &directive.place, directive.text(), why);
    }
    let skipped = usize::from(directive.arg(0).starts_with(['/', '@', '*']));
    let own = directive.args.iter().skip(skipped);
    reader
        .upstreams
        .extend(own.map(|address| (address.clone(), directive.place.clone())));
    for setting in directive.inside() {
        reader.setting(setting);
    }
    reader.passive();
    reader.servers()?;
    if reader.proxy.service.servers.is_empty() {
        let why = "which servers get these requests is known only when it runs";
        reader
            .system
            .remark(Kind::Missing, &directive.place, directive.text(), why);
        return Ok(None);
    }
    Ok(Some(reader.proxy))
}

struct Reader<'s> {
    proxy: Proxy,
    upstreams: Vec<(String, Place)>,
    weights: Vec<(u32, Place)>,
    /// What counts failures, which works with `fail_duration` only.
    passive: Vec<Key>,
    system: &'s mut System,
}

impl Reader<'_> {
    fn setting(&mut self, setting: &Directive) {
        let (name, place) = (setting.name.as_str(), &setting.place);
        if let Some((_, param)) = SPANS.iter().find(|(own, _)| *own == name) {
            if let Some(span) = self.span(setting) {
                let key = Key::said(param, format!("\"{span}\""), place);
                self.proxy.service.params.push(key);
            }
            return;
        }
        if COUNTS.contains(&name) {
            return self.count(setting);
        }
        match name {
            "to" | "upstream" => {
                let own = setting
                    .args
                    .iter()
                    .map(|address| (address.clone(), place.clone()));
                self.upstreams.extend(own);
            }
            "lb_policy" | "policy" => self.policy(setting),
            "health_uri" | "health_path" | "health_check" => {
                self.proxy
                    .service
                    .params
                    .push(Key::said("health_uri", "true", place));
            }
            "unhealthy_status" => self
                .passive
                .push(Key::said("unhealthy_status", "true", place)),
            "unhealthy_request_count" | "max_conns" => match setting.arg(0).parse::<u32>() {
                Ok(most) if most > 0 => {
                    self.proxy
                        .service
                        .keys
                        .push(Key::said("max_connections", most, place));
                }
                _ => self.system.remark(
                    Kind::Missing,
                    place,
                    setting.text(),
                    "it is no whole number above 0",
                ),
            },
            "dial_timeout" => {
                if let Some(span) = self.span(setting).filter(|span| span.0 > 0) {
                    self.proxy.service.params.push(Key::said(
                        "dial_timeout",
                        format!("\"{span}\""),
                        place,
                    ));
                }
            }
            "response_header_timeout" => {
                if let Some(span) = self.span(setting).filter(|span| span.0 > 0) {
                    self.proxy.service.balancer.push(Key::said(
                        "client.timeout",
                        format!("\"{span}\""),
                        place,
                    ));
                }
            }
            "transport" => {
                for own in setting.inside() {
                    self.setting(own);
                }
            }
            _ => self.other(setting),
        }
    }

    /// What is no parameter.
    fn other(&mut self, setting: &Directive) {
        let (name, place) = (setting.name.as_str(), &setting.place);
        if name == "dynamic" && !setting.args.is_empty() {
            let why = "one server is taken for those that are looked up while it runs";
            self.system.remark(Kind::Read, place, setting.text(), why);
            let address = setting
                .args
                .get(1)
                .cloned()
                .unwrap_or_else(|| "dynamic".to_owned());
            self.upstreams.push((address, place.clone()));
        } else if let Some((_, why)) = MISSING.iter().find(|(own, _)| *own == name) {
            self.system
                .remark(Kind::Missing, place, setting.text(), *why);
        } else if IGNORED.contains(&name) {
            self.system
                .remark(Kind::Ignored, place, name.to_owned(), "");
        } else {
            self.system.remark(Kind::Unknown, place, setting.text(), "");
        }
    }

    /// A whole number that is a parameter of the dialect.
    fn count(&mut self, setting: &Directive) {
        let name = setting.name.as_str();
        match setting.arg(0).parse::<u32>() {
            Ok(0) => {}
            Ok(count) => {
                let most = if name == "lb_retries" { 999 } else { 10_000 };
                let key = Key::said(name, count.min(most), &setting.place);
                if name == "max_fails" {
                    self.passive.push(key);
                } else {
                    self.proxy.service.params.push(key);
                }
            }
            Err(_) => {
                let why = "it is no whole number";
                (self.system).remark(Kind::Missing, &setting.place, setting.text(), why);
            }
        }
    }

    fn span(&mut self, setting: &Directive) -> Option<Duration> {
        let span = time(setting.arg(0));
        if span.is_none() {
            let why = "it is no time: the default holds";
            self.system
                .remark(Kind::Missing, &setting.place, setting.text(), why);
        }
        span
    }

    fn policy(&mut self, setting: &Directive) {
        let place = &setting.place;
        let policy = match setting.arg(0) {
            "ip_hash" | "client_ip_hash" | "uri_hash" | "header" | "query" => "hash",
            policy => policy,
        };
        if !words_of("caddy", "lb_policy").contains(&policy) {
            let why = "such a policy is not simulated: random is taken";
            return self
                .system
                .remark(Kind::Missing, place, setting.text(), why);
        }
        self.proxy.keyed = matches!(policy, "hash" | "cookie");
        let params = &mut self.proxy.service.params;
        params.push(Key::said("lb_policy", quoted(policy), place));
        if let (true, Ok(choose)) = (policy == "random_choose", setting.arg(1).parse::<u32>()) {
            params.push(Key::said("choose", choose.clamp(2, 1000), place));
        }
        if policy == "weighted_round_robin" {
            let weights = setting.args.iter().skip(1).map(|word| word.parse::<u32>());
            self.weights = weights
                .map(|weight| (weight.unwrap_or(1), place.clone()))
                .collect();
        }
    }

    /// Failures that are counted only where they are remembered.
    fn passive(&mut self) {
        let params = &mut self.proxy.service.params;
        let remembered = params
            .iter()
            .any(|key| key.path == "fail_duration" && key.value != "\"0s\"");
        for key in self.passive.drain(..) {
            if remembered {
                params.push(key);
            } else if let Some(place) = &key.place {
                let why = "without fail_duration no failure is remembered: it has no effect";
                self.system.remark(Kind::Read, place, key.path, why);
            }
        }
        let asks = params.iter().any(|key| key.path == "health_uri");
        params.retain(|key| asks || !key.path.starts_with("health_"));
    }

    fn servers(&mut self) -> Result<(), Unreadable> {
        // What is said of all upstreams is written at each.
        let limits = std::mem::take(&mut self.proxy.service.keys);
        let mut taken = Vec::new();
        for (address, place) in std::mem::take(&mut self.upstreams) {
            if let Some(start) = address.find("{$") {
                let name = address[start + 2..].split('}').next().unwrap_or_default();
                let why = format!(
                    "the environment variable {name} has no value, and says who gets the requests"
                );
                let problem = Unreadable::new(place, &why);
                return Err(problem.help("give it with --env NAME=VALUE, or in the environment"));
            }
            if address.contains('{') {
                let why = "which server it is is known only when a request comes";
                self.system.remark(Kind::Missing, &place, address, why);
                continue;
            }
            let bare = address
                .split_once("://")
                .map_or(address.as_str(), |(_, rest)| rest);
            let bare = bare.split_once("unix/").map_or(bare, |(_, path)| path);
            for one in ports(bare) {
                if address.contains("srv") && address.contains("+http") || is_host_name(&one) {
                    let why = "a name: read as one server, whatever it resolves to";
                    self.system.remark(Kind::Read, &place, one.clone(), why);
                }
                let mut keys = limits.clone();
                if let Some((weight, place)) = self.weights.get(taken.len()) {
                    keys.push(Key::said("weight", weight, place));
                }
                self.proxy.service.servers.push(Server {
                    name: fresh(&name_of(&one, "server"), &mut taken),
                    address: one,
                    place: place.clone(),
                    keys,
                });
            }
        }
        Ok(())
    }
}

/// The addresses of a range of ports.
fn ports(address: &str) -> Vec<String> {
    let range = || {
        let (host, ports) = address.rsplit_once(':')?;
        let (first, last) = ports.split_once('-')?;
        let (first, last): (u32, u32) = (first.parse().ok()?, last.parse().ok()?);
        (first <= last && last - first < RANGE_MAX).then_some((host, first..=last))
    };
    match range() {
        Some((host, all)) => all.map(|port| format!("{host}:{port}")).collect(),
        None => vec![address.to_owned()],
    }
}

/// Whether an address is a name.
fn is_host_name(address: &str) -> bool {
    if address.starts_with(['/', '[']) || address.matches(':').count() > 1 {
        return false;
    }
    let host = address.split([':', '/']).next().unwrap_or_default();
    let of_ip = host.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    !host.is_empty() && !of_ip && host != "localhost"
}

/// A time as Go writes it: `1m30s`, `250ms`, `1.5s`, and days.
pub(super) fn time(text: &str) -> Option<Duration> {
    if text == "0" {
        return Some(Duration::ZERO);
    }
    let mut rest = text;
    let mut total = 0.0;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let number = rest
            .bytes()
            .take_while(|b| b.is_ascii_digit() || *b == b'.')
            .count();
        let value: f64 = rest[..number].parse().ok()?;
        rest = &rest[number..];
        let unit = rest
            .find(|c: char| c.is_ascii_digit() || c == '.')
            .unwrap_or(rest.len());
        let ns = match &rest[..unit] {
            "ns" => 1.0,
            "us" | "µs" => 1e3,
            "ms" => 1e6,
            "s" => 1e9,
            "m" => 6e10,
            "h" => 3.6e12,
            "d" => 8.64e13,
            _ => return None,
        };
        rest = &rest[unit..];
        total += value * ns;
    }
    // About 290 years, as far as Go counts.
    (total < 9.2e18).then_some(Duration(total.round() as u64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_those_of_go() {
        assert_eq!(time("1m30s"), Some(Duration::from_millis(90_000)));
        assert_eq!(time("1.5s"), Some(Duration::from_millis(1_500)));
        assert_eq!(time("2d"), Some(Duration::from_millis(172_800_000)));
        for wrong in ["", "5", "s", "1y", "-1s", "1e99h", "99999999d"] {
            assert_eq!(time(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_range_of_ports_is_as_many_servers() {
        assert_eq!(ports("web:8001-8003").len(), 3);
        assert_eq!(ports("web:1-99999"), ["web:1-99999"]);
        assert_eq!(ports("[::1]:80"), ["[::1]:80"]);
    }
}
