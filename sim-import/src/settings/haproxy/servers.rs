//! `server`, `server-template` and `default-server`: who serves, and with which parameters.

use super::sections::Section;
use super::words::Line;
use crate::names::{fresh, name_of};
use crate::settings::system::{Kind, Place, Server, System};

/// Servers of a template that are written one by one; more are one entry with a count.
const ONE_BY_ONE: u32 = 50;
/// Servers that a scenario may have of one entry.
const COUNT_MAX: u32 = 1_000_000;

/// A server with what stands at it.
pub(super) struct Member {
    pub server: Server,
    pub params: Vec<Param>,
}

/// A parameter of a server; flags have no value.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Param {
    pub name: &'static str,
    pub value: String,
    pub place: Place,
}

impl Member {
    pub(super) fn param(&self, name: &str) -> Option<&Param> {
        self.params.iter().find(|param| param.name == name)
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.param(name).is_some()
    }
}

/// What becomes of a parameter.
enum Fate {
    /// The reader has a use for it.
    Used,
    /// It bears on load and is not simulated.
    Missing(&'static str),
    Ignored,
}
use Fate::{Ignored, Missing, Used};

/// Parameters of servers: how many words follow each, and what becomes of it.
const PARAMS: &[(&str, usize, Fate)] = &[
    ("weight", 1, Used),
    ("maxconn", 1, Used),
    ("minconn", 1, Used),
    ("maxqueue", 1, Used),
    ("backup", 0, Used),
    ("disabled", 0, Used),
    ("check", 0, Used),
    ("port", 1, Used),
    ("inter", 1, Used),
    ("fastinter", 1, Used),
    ("downinter", 1, Used),
    ("fall", 1, Used),
    ("rise", 1, Used),
    ("slowstart", 1, Used),
    ("observe", 1, Used),
    ("error-limit", 1, Used),
    ("on-error", 1, Used),
    ("cookie", 1, Used),
    ("addr", 1, Used),
    (
        "agent-check",
        0,
        Missing("a server's own word on its weight and state"),
    ),
    ("agent-addr", 1, Ignored),
    ("agent-inter", 1, Ignored),
    ("agent-port", 1, Ignored),
    ("agent-send", 1, Ignored),
    (
        "track",
        1,
        Missing("another server's checks decide: it has its own here"),
    ),
    ("on-marked-down", 1, Used),
    (
        "on-marked-up",
        1,
        Missing("sessions of backups are not cut when a server is back: they go on to their end"),
    ),
    ("init-state", 1, Missing("it is up from the start")),
    (
        "init-addr",
        1,
        Missing("it has its address, and is up, from the start"),
    ),
    (
        "redir",
        1,
        Missing("clients are sent to the server by themselves"),
    ),
    ("pool-conn-name", 1, Ignored),
    (
        "pool-low-conn",
        1,
        Missing("connections that are kept: link.connections says that they are"),
    ),
    (
        "pool-max-conn",
        1,
        Missing("connections that are kept: link.connections says that they are"),
    ),
    (
        "pool-purge-delay",
        1,
        Missing("connections that are kept: link.connections says that they are"),
    ),
    (
        "max-reuse",
        1,
        Missing("connections that are kept: link.connections says that they are"),
    ),
    (
        "strict-maxconn",
        0,
        Missing("connections that are kept count against maxconn"),
    ),
    ("resolvers", 1, Ignored),
    ("resolve-net", 1, Ignored),
    ("resolve-opts", 1, Ignored),
    ("resolve-prefer", 1, Ignored),
    ("non-stick", 0, Missing("its sessions are not remembered")),
    ("alpn", 1, Ignored),
    ("allow-0rtt", 0, Ignored),
    ("ca-file", 1, Ignored),
    ("cc", 1, Ignored),
    ("check-alpn", 1, Ignored),
    ("check-pool-conn-name", 1, Ignored),
    ("check-proto", 1, Ignored),
    ("check-reuse-pool", 0, Ignored),
    ("check-send-proxy", 0, Ignored),
    ("check-sni", 1, Ignored),
    ("check-sni-auto", 0, Ignored),
    ("check-ssl", 0, Ignored),
    ("check-via-socks4", 0, Ignored),
    ("ciphers", 1, Ignored),
    ("ciphersuites", 1, Ignored),
    ("client-sigalgs", 1, Ignored),
    ("crl-file", 1, Ignored),
    ("crt", 1, Ignored),
    ("curves", 1, Ignored),
    ("ech", 1, Ignored),
    ("force-sslv3", 0, Ignored),
    ("force-tlsv10", 0, Ignored),
    ("force-tlsv11", 0, Ignored),
    ("force-tlsv12", 0, Ignored),
    ("force-tlsv13", 0, Ignored),
    ("guid", 1, Ignored),
    ("hash-key", 1, Ignored),
    ("id", 1, Ignored),
    ("idle-ping", 1, Ignored),
    ("log-bufsize", 1, Ignored),
    ("log-proto", 1, Ignored),
    ("namespace", 1, Ignored),
    ("npn", 1, Ignored),
    ("proto", 1, Ignored),
    ("proxy-v2-options", 1, Ignored),
    ("renegotiate", 0, Ignored),
    ("send-proxy", 0, Ignored),
    ("send-proxy-v2", 0, Ignored),
    ("send-proxy-v2-ssl", 0, Ignored),
    ("send-proxy-v2-ssl-cn", 0, Ignored),
    ("shard", 1, Ignored),
    ("sigalgs", 1, Ignored),
    ("sni", 1, Ignored),
    ("sni-auto", 0, Ignored),
    ("socks4", 1, Ignored),
    ("source", 1, Ignored),
    ("usesrc", 1, Ignored),
    ("interface", 1, Ignored),
    ("ssl", 0, Ignored),
    ("ssl-max-ver", 1, Ignored),
    ("ssl-min-ver", 1, Ignored),
    ("ssl-reuse", 0, Ignored),
    ("sslv3", 0, Ignored),
    ("stick", 0, Ignored),
    ("tcp-md5sig", 1, Ignored),
    ("tcp-ut", 1, Ignored),
    ("tfo", 0, Ignored),
    ("tls-tickets", 0, Ignored),
    ("tlsv10", 0, Ignored),
    ("tlsv11", 0, Ignored),
    ("tlsv12", 0, Ignored),
    ("tlsv13", 0, Ignored),
    ("verify", 1, Ignored),
    ("verifyhost", 1, Ignored),
    ("ws", 1, Ignored),
];

/// The servers of a section, in their order.
pub(super) fn members(section: &Section, system: &mut System) -> Vec<Member> {
    let mut defaults: Vec<Param> = Vec::new();
    let mut taken = Vec::new();
    let mut found = Vec::new();
    // What stands in `defaults` is remarked once, there.
    let mut quiet = System::default();
    let above = section
        .above
        .iter()
        .flat_map(|lines| lines.iter())
        .map(|line| (line, false));
    for (line, is_own) in above.chain(section.own.iter().map(|line| (line, true))) {
        let system = if is_own { &mut *system } else { &mut quiet };
        let (first, of) = match line.word(0) {
            "default-server" => {
                apply(line, 1, &mut defaults, system);
                continue;
            }
            "server" => (3, None),
            "server-template" => (4, Some(range(line.word(2)))),
            "dispatch" => (2, None),
            _ => continue,
        };
        let mut params = defaults.clone();
        apply(line, first, &mut params, system);
        let address = line.word(first - 1);
        let title = if line.word(0) == "dispatch" {
            "dispatch"
        } else {
            line.word(1)
        };
        let mut add = |name: &str, count: Option<(u32, u32)>, taken: &mut Vec<String>| {
            let mut server = Server {
                name: fresh(&name_of(name, "server"), taken),
                address: address.to_owned(),
                place: line.place.clone(),
                keys: Vec::new(),
            };
            if let Some((first, count)) = count {
                let key =
                    |name, value| crate::settings::system::Key::said(name, value, &line.place);
                server
                    .keys
                    .extend([key("count", count), key("first", first)]);
            }
            found.push(Member {
                server,
                params: params.clone(),
            });
        };
        match of {
            None => add(title, None, &mut taken),
            Some(Some((first, last))) if last - first < ONE_BY_ONE => {
                for number in first..=last {
                    add(&format!("{title}{number}"), None, &mut taken);
                }
            }
            Some(Some((first, last))) => add(title, Some((first, last - first + 1)), &mut taken),
            Some(None) => {
                let why = "how many they are cannot be read: one is taken";
                system.remark(Kind::Missing, &line.place, line.text(), why);
                add(title, None, &mut taken);
            }
        }
        if of.is_some() {
            let why = "so many addresses are taken: how many the name resolves to is known only when it runs";
            system.remark(
                Kind::Read,
                &line.place,
                format!("server-template {title}"),
                why,
            );
        } else if is_host_name(address) {
            let why = "a name: it is one server, at the first address that it resolves to";
            system.remark(
                Kind::Read,
                &line.place,
                format!("server {title} {address}"),
                why,
            );
        }
    }
    found
}

/// Remarks of what a `defaults` section says of servers.
pub(super) fn remarks(section: &Section, system: &mut System) {
    for line in section
        .own
        .iter()
        .filter(|line| line.word(0) == "default-server")
    {
        apply(line, 1, &mut Vec::new(), system);
    }
}

/// The numbers of a template: `5`, or `1-5`.
fn range(text: &str) -> Option<(u32, u32)> {
    let (first, last) = match text.split_once('-') {
        Some((first, last)) => (first.parse().ok()?, last.parse().ok()?),
        None => (1, text.parse().ok()?),
    };
    (first <= last && last - first < COUNT_MAX).then_some((first, last))
}

/// Lays the parameters of a line upon those that are there.
fn apply(line: &Line, from: usize, params: &mut Vec<Param>, system: &mut System) {
    let mut words = line.from(from).iter();
    while let Some(word) = words.next() {
        let (word, negated) = match word.strip_prefix("no-") {
            Some(rest) => (rest, true),
            None => (word.as_str(), false),
        };
        // `enabled` takes `disabled` back.
        let (word, negated) = if word == "enabled" {
            ("disabled", true)
        } else {
            (word, negated)
        };
        let what = |value: &str| {
            let of = if line.word(0) == "default-server" {
                "default-server"
            } else {
                line.word(1)
            };
            format!("{of} {word} {value}").trim_end().to_owned()
        };
        // Those that are formats have what they are for in parentheses.
        let format = word.starts_with("set-proxy-v2-tlv-fmt");
        let known = PARAMS.iter().find(|(name, ..)| *name == word);
        let Some((name, args, fate)) = known else {
            if format {
                words.next();
            } else {
                system.remark(Kind::Unknown, &line.place, what(""), "");
            }
            continue;
        };
        params.retain(|param| param.name != *name);
        if negated {
            continue;
        }
        let value = if *args == 1 {
            words.next().cloned().unwrap_or_default()
        } else {
            String::new()
        };
        match fate {
            Used => params.push(Param {
                name,
                value,
                place: line.place.clone(),
            }),
            Missing(why) => system.remark(Kind::Missing, &line.place, what(&value), *why),
            Ignored => system.remark(Kind::Ignored, &line.place, *name, ""),
        }
    }
}

/// Whether an address is a name.
fn is_host_name(address: &str) -> bool {
    let socket = ["unix@", "abns@", "abnsz@", "fd@", "sockpair@", "/"];
    if socket.iter().any(|start| address.starts_with(start)) || address.matches(':').count() > 1 {
        return false;
    }
    let address = address.rsplit('@').next().unwrap_or_default();
    let host = address.split(':').next().unwrap_or_default();
    let of_ip = host
        .bytes()
        .all(|b| b.is_ascii_digit() || b == b'.' || b == b'*');
    !host.is_empty() && !of_ip && host != "localhost"
}

#[cfg(test)]
mod tests {
    use super::super::sections::sections;
    use super::super::words::{Lacking, lines};
    use super::*;

    fn read(text: &str) -> (Vec<Member>, System) {
        let mut system = System::default();
        let all = lines(text, &"t".into(), &|_| None, &mut Lacking::default()).expect("valid");
        let found = sections(all, &mut system).expect("valid");
        let members = members(found.last().expect("one"), &mut system);
        (members, system)
    }

    #[test]
    fn defaults_of_servers_count_for_those_behind_them() {
        let (found, _) = read(
            "defaults\n default-server check inter 5s\nbackend b\n server a 1.1.1.1:1\n\
             default-server inter 1s disabled\n server b 1.1.1.2:1 no-check enabled weight 3\n",
        );
        let value =
            |index: usize, name: &str| found[index].param(name).map(|param| param.value.as_str());
        assert_eq!(
            (value(0, "inter"), value(1, "inter")),
            (Some("5s"), Some("1s"))
        );
        assert!(found[0].has("check") && !found[0].has("disabled"));
        assert!(!found[1].has("check") && !found[1].has("disabled"));
        assert_eq!(value(1, "weight"), Some("3"));
    }

    #[test]
    fn templates_are_as_many_servers() {
        let (found, _) =
            read("backend b\n server-template web 2-4 h:1 check\n server-template x 100 h:1\n");
        let names: Vec<&str> = found.iter().map(|m| m.server.name.as_str()).collect();
        assert_eq!(names, ["web2", "web3", "web4", "x"]);
        assert_eq!(found[3].server.keys[0].value, "100");
        let (_, system) = read("backend b\n server-template web many h:1\n");
        assert_eq!(system.remarks[0].kind, Kind::Missing);
    }

    #[test]
    fn parameters_with_and_without_values_are_told_apart() {
        let (found, system) = read(
            "backend b\n server a 1.1.1.1:1 ssl verify none sni str(x) check frob track b/c source 0.0.0.0 usesrc clientip weight 7\n",
        );
        assert_eq!(
            found[0].param("weight").map(|param| param.value.as_str()),
            Some("7")
        );
        let of = |kind: Kind| -> Vec<&str> {
            let own = system
                .remarks
                .iter()
                .filter(move |remark| remark.kind == kind);
            own.map(|remark| remark.what.as_str()).collect()
        };
        assert_eq!(of(Kind::Unknown), ["a frob"]);
        assert_eq!(of(Kind::Missing), ["a track b/c"]);
        assert_eq!(
            of(Kind::Ignored),
            ["ssl", "verify", "sni", "source", "usesrc"]
        );
    }
}
