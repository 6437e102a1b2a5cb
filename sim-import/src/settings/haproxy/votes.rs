//! What servers of a backend have in common, which is the dialect's; what others have is written at them, where a
//! server has a key for it.

use super::servers::{Member, Param};
use super::units::time;
use crate::settings::system::{Key, Kind, System};

/// Parameters that a server can have for itself, with their keys and the unit of their values.
const OWN: &[(&str, &str, Unit)] = &[
    ("inter", "health.interval", Unit::Span),
    ("fastinter", "health.fast_interval", Unit::Span),
    ("downinter", "health.down_interval", Unit::Span),
    ("fall", "health.fall", Unit::Count),
    ("rise", "health.rise", Unit::Count),
    ("slowstart", "health.slow_start", Unit::Span),
    ("maxqueue", "max_pending", Unit::Count),
];

#[derive(Clone, Copy)]
enum Unit {
    Span,
    Count,
}

/// Takes stock of servers, and keeps what differs at each.
pub(super) struct Votes<'m> {
    members: &'m [Member],
    /// Keys of servers, by their position.
    own: Vec<(usize, Key)>,
}

impl<'m> Votes<'m> {
    pub(super) fn of(members: &'m [Member]) -> Self {
        Self {
            members,
            own: Vec::new(),
        }
    }

    pub(super) fn members(&self) -> &'m [Member] {
        self.members
    }

    /// What differs at servers, by their position.
    pub(super) fn into_own(self) -> Vec<(usize, Key)> {
        self.own
    }

    /// The value that most servers have that come into question; `None` if most have none, which is `default`. Of the
    /// others it is written at each what it has, or told that it is taken to be like the rest.
    pub(super) fn common(
        &mut self,
        name: &str,
        counts: impl Fn(&Member) -> bool,
        default: &str,
        system: &mut System,
    ) -> Option<Param> {
        let in_use = |member: &&Member| counts(member) && !member.has("disabled");
        let mut voters: Vec<&Member> = self.members.iter().filter(in_use).collect();
        if voters.is_empty() {
            voters = self
                .members
                .iter()
                .filter(|member| counts(member))
                .collect();
        }
        let value = |member: &Member| member.param(name).map(|param| param.value.clone());
        let mut counted: Vec<(Option<String>, usize)> = Vec::new();
        for member in &voters {
            let own = value(member);
            match counted.iter_mut().find(|(other, _)| *other == own) {
                Some((_, times)) => *times += 1,
                None => counted.push((own, 1)),
            }
        }
        // Of those that as many have, something said before nothing, and then the first.
        let most = counted.iter().map(|(_, times)| *times).max()?;
        let mut best = counted.iter().filter(|(_, times)| *times == most);
        let chosen = best
            .clone()
            .find(|(value, _)| value.is_some())
            .or(best.next())?
            .0
            .clone();
        for (index, member) in self.members.iter().enumerate() {
            if !counts(member) || value(member) == chosen {
                continue;
            }
            if let Some(key) = own_key(member, name, default) {
                self.own.push((index, key));
                continue;
            }
            let (place, own) = match member.param(name) {
                Some(param) => (&param.place, format!("{name} {}", param.value)),
                None => (&member.server.place, format!("{name}: {default}")),
            };
            let taken = match &chosen {
                Some(value) => format!("{name} {value}"),
                None => default.to_owned(),
            };
            let why = format!(
                "all servers of a backend are alike in this here, and most have {}",
                taken.trim_end()
            );
            let what = format!("{} {}", member.server.name, own.trim_end());
            system.remark(Kind::Missing, place, what, why);
        }
        let mut own = voters.iter().filter(|member| value(member) == chosen);
        own.next()?.param(name).cloned()
    }
}

/// The key by which a server says what it has of a parameter, written or by default; `None` where it has no such key, or
/// its value is none.
fn own_key(member: &Member, name: &str, default: &str) -> Option<Key> {
    if name == "check" {
        return (!member.has("check"))
            .then(|| Key::said("health.check", "false", &member.server.place));
    }
    let (_, path, unit) = OWN.iter().find(|(own, ..)| *own == name)?;
    let (text, place) = match member.param(name) {
        Some(param) => (param.value.as_str(), &param.place),
        None => (default, &member.server.place),
    };
    let value = match unit {
        Unit::Span => format!("\"{}\"", time(text)?),
        Unit::Count => text.parse::<u32>().ok()?.to_string(),
    };
    Some(Key::said(path, value, place))
}
