//! What a check of a backend's servers is.

use super::sections::Section;
use super::words::Line;

/// Checks that speak the server's protocol beside HTTP.
pub(super) const PROTOCOLS: &[&str] = &[
    "mysql-check",
    "pgsql-check",
    "redis-check",
    "ldap-check",
    "smtpchk",
    "spop-check",
    "ssl-hello-chk",
];

/// How a backend checks.
pub(super) enum Check<'s> {
    /// By opening a connection.
    Connect,
    /// By `option httpchk`.
    Http(&'s Line),
    /// By a question in the server's own protocol, which the server's process answers too.
    Protocol(&'s Line),
}

impl<'s> Check<'s> {
    /// The last word on it counts.
    pub(super) fn of(section: &'s Section) -> Self {
        for line in section.lines().rev() {
            if line.word(0) != "option" {
                continue;
            }
            let name = line.word(1);
            let counts = || section.option(name).is_some();
            if name == "httpchk" && counts() {
                return Self::Http(line);
            }
            if PROTOCOLS.contains(&name) && counts() {
                return Self::Protocol(line);
            }
            // A script that asks something is answered by the server's process.
            let asks = || {
                section
                    .lines()
                    .any(|line| line.word(0) == "tcp-check" && line.word(1).starts_with("send"))
            };
            if name == "tcp-check" && counts() {
                return if asks() {
                    Self::Protocol(line)
                } else {
                    Self::Connect
                };
            }
        }
        Self::Connect
    }

    /// Whether what it asks for is to be found at one server only, as with clusters of databases.
    pub(super) fn finds_a_leader(&self, section: &Section) -> bool {
        let Self::Http(option) = self else {
            return false;
        };
        let send = section
            .lines()
            .filter(|line| line.word(0) == "http-check" && line.word(1) == "send");
        let words = option
            .words
            .iter()
            .chain(send.flat_map(|line| line.words.iter()));
        let leads = [
            "/primary",
            "/master",
            "/leader",
            "/read-write",
            "/standby-leader",
        ];
        words
            .map(|word| word.trim_end_matches('/'))
            .any(|word| leads.contains(&word))
    }
}
