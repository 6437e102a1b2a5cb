//! What servers of a backend have in common: the dialect has one value for all of them.

use super::servers::{Member, Param};
use crate::settings::system::{Kind, System};

/// What servers have in common, since the dialect has one value for all of them.
pub(super) struct Votes<'m> {
    pub members: &'m [Member],
}

impl Votes<'_> {
    /// The value that most servers have that come into question, which is told of the others; `None` if most have
    /// none, which is `default`.
    pub(super) fn common(
        &self,
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
        for member in self
            .members
            .iter()
            .filter(|member| counts(member) && value(member) != chosen)
        {
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
