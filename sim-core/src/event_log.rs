//! The event log of a run: every change of state, with its cause.
//!
//! What there is to know about a kind of event, for the log itself and for whoever shows it, stands
//! in its row of [`KINDS`]; a new kind is a row, and a place that tells of it.

pub mod fold;

use crate::ids::ServerId;
use crate::time::Instant;

/// The table of kinds: the enumeration and its rows, from one list.
macro_rules! kinds {
    ($($kind:ident { name: $name:literal, about: $about:literal, $($rest:tt)* })*) => {
        /// A kind of event in the event log.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        #[repr(u8)]
        pub enum Kind {
            $(#[doc = concat!("`", $name, "`: ", $about, ".")] $kind,)*
        }

        /// Every kind, in the order of the enumeration.
        pub static KINDS: &[KindDef] = &[$(KindDef {
            kind: Kind::$kind,
            name: $name,
            about: $about,
            $($rest)*
            ..PLAIN
        }),*];
    };
}

/// What most kinds have in common.
const PLAIN: KindDef = KindDef {
    kind: Kind::Note,
    name: "",
    about: "",
    words: "",
    alone: "",
    subject: Subject::Machine,
    look: Look::Change,
    sign: '→',
    weight: 0,
    headline: Headline::Never,
    ends: None,
    marked: false,
    told_only: false,
};

kinds! {
    Alert {
        name: "alert",
        about: "an alert fires",
        words: "alert {subject} fires",
        subject: Subject::Alert,
        look: Look::Warning,
        sign: '▲',
        weight: 2,
        headline: Headline::First,
        marked: true,
    }
    Resolved {
        name: "resolved",
        about: "an alert's condition no longer holds",
        words: "alert {subject} resolved",
        subject: Subject::Alert,
        look: Look::Recovery,
        sign: '●',
        weight: 1,
        ends: Some(Kind::Alert),
    }
    Pending {
        name: "pending",
        about: "an alert's condition holds, but not yet for long enough",
        words: "alert {subject} pending",
        subject: Subject::Alert,
        look: Look::Change,
        sign: '△',
        weight: 0,
    }
    RuleFailed {
        name: "rule-failed",
        about: "a rule of Prometheus cannot be evaluated: series do not fit each other, or it would take too long; told once of each",
        words: "rule {subject} cannot be evaluated",
        subject: Subject::Alert,
        look: Look::Warning,
        sign: '▲',
        weight: 2,
    }
    Paged {
        name: "paged",
        about: "somebody is notified of an alert that fires",
        words: "somebody is paged: {subject}",
        subject: Subject::Alert,
        look: Look::Warning,
        sign: '▲',
        weight: 2,
    }
    Acknowledged {
        name: "acknowledged",
        about: "somebody who was paged begins to look",
        words: "{subject}: somebody looks",
        subject: Subject::Runbook,
        look: Look::Change,
        sign: '→',
        weight: 2,
        told_only: true,
    }
    Diagnosed {
        name: "diagnosed",
        about: "somebody who was paged knows the cause",
        words: "{subject}: cause found",
        subject: Subject::Runbook,
        look: Look::Change,
        sign: '→',
        weight: 2,
        told_only: true,
    }
    Undone {
        name: "undone",
        about: "what a runbook changed on some servers is taken back, because an alert fires",
        words: "{subject}: taken back",
        alone: "{subject}: {cause}",
        subject: Subject::Runbook,
        look: Look::Warning,
        sign: '▲',
        weight: 3,
        headline: Headline::First,
        marked: true,
    }
    Handled {
        name: "handled",
        about: "all steps of a runbook are done",
        words: "{subject}: all steps done",
        subject: Subject::Runbook,
        look: Look::Change,
        sign: '→',
        weight: 2,
        told_only: true,
    }
    Crash {
        name: "crash",
        about: "a server or a balancer instance crashes",
        words: "{subject} crashes",
        look: Look::Failure,
        sign: '✖',
        weight: 2,
        headline: Headline::First,
        marked: true,
    }
    Restart {
        name: "restart",
        about: "a server or a balancer instance begins to start again, after a crash or because it is stopped and started",
        words: "{subject} restarts",
        look: Look::Start,
        sign: '◌',
        weight: 0,
        marked: true,
    }
    Up {
        name: "up",
        about: "it serves again",
        words: "{subject} is up",
        look: Look::Recovery,
        sign: '●',
        weight: 1,
        ends: Some(Kind::Crash),
    }
    Warm {
        name: "warm",
        about: "it runs at full speed again",
        words: "{subject} is warm",
        look: Look::Recovery,
        sign: '●',
        weight: 0,
    }
    Ejected {
        name: "ejected",
        about: "a balancer instance takes a server out after failed probes or attempts",
        words: "{subject} taken out",
        look: Look::Warning,
        sign: '▲',
        weight: 0,
    }
    Readmitted {
        name: "readmitted",
        about: "a balancer instance takes it back",
        words: "{subject} taken back",
        look: Look::Recovery,
        sign: '●',
        weight: 0,
        ends: Some(Kind::Ejected),
    }
    Takeover {
        name: "takeover",
        about: "a standby balancer instance takes over",
        words: "{subject} takes over",
        look: Look::Start,
        sign: '●',
        weight: 3,
    }
    Drain {
        name: "drain",
        about: "taken out of rotation by hand",
        words: "{subject} drained",
        look: Look::Halt,
        sign: '→',
        weight: 3,
    }
    Undrain {
        name: "undrain",
        about: "put back into rotation by hand",
        words: "{subject} back in rotation",
        look: Look::Halt,
        sign: '→',
        weight: 3,
        ends: Some(Kind::Drain),
    }
    Added {
        name: "added",
        about: "a server is added",
        words: "{subject} added",
        look: Look::Start,
        sign: '→',
        weight: 3,
        marked: true,
    }
    Removed {
        name: "removed",
        about: "a server is removed",
        words: "{subject} removed",
        look: Look::Halt,
        sign: '→',
        weight: 3,
    }
    Scaled {
        name: "scaled",
        about: "an autoscaler asks for another number of servers",
        words: "servers of {subject}: {cause}",
        subject: Subject::Service,
        look: Look::Change,
        sign: '→',
        weight: 3,
        marked: true,
    }
    Deploy {
        name: "deploy",
        about: "a new release begins to be put on servers, or goes on after its canary",
        words: "deployment of {subject}",
        alone: "deployment of {subject}: {cause}",
        subject: Subject::Service,
        look: Look::Change,
        sign: '→',
        weight: 3,
        marked: true,
    }
    Rollback {
        name: "rollback",
        about: "too much failed at the canary of a release, or an alert began to fire: the old one comes back",
        words: "deployment of {subject} goes back",
        subject: Subject::Service,
        look: Look::Warning,
        sign: '▲',
        weight: 3,
        headline: Headline::First,
        marked: true,
    }
    Deployed {
        name: "deployed",
        about: "a release, the new one or again the old one, is on all servers",
        words: "deployment of {subject} done",
        subject: Subject::Service,
        look: Look::Recovery,
        sign: '●',
        weight: 2,
    }
    Flush {
        name: "flush",
        about: "the caches of a server are emptied",
        words: "caches of {subject} emptied",
        look: Look::Halt,
        sign: '→',
        weight: 3,
        marked: true,
    }
    Unprovided {
        name: "unprovided",
        about: "a server that an autoscaler asked for is not to be had, and asked for again",
        words: "{subject} is not to be had",
        look: Look::Warning,
        sign: '▲',
        weight: 2,
    }
    Slow {
        name: "slow",
        about: "a speed is changed by the time line",
        words: "{subject} changes speed",
        alone: "{subject}: {cause}",
        look: Look::Warning,
        sign: '→',
        weight: 3,
    }
    Set {
        name: "set",
        about: "settings are changed",
        words: "set {subject}",
        alone: "{cause}",
        subject: Subject::Settings,
        look: Look::Change,
        sign: '→',
        weight: 3,
        marked: true,
    }
    Note {
        name: "note",
        about: "a remark of the time line",
        words: "{cause}",
        subject: Subject::Remark,
        look: Look::Change,
        sign: '→',
        weight: 3,
        told_only: true,
    }
    Down {
        name: "down",
        about: "the site goes down: goodput below 5 % for 30 s",
        words: "site down",
        subject: Subject::Site("SITE DOWN"),
        look: Look::Failure,
        sign: '✖',
        weight: 2,
        headline: Headline::FirstAndLast,
        marked: true,
    }
    Degraded {
        name: "degraded",
        about: "service is worse than agreed, or partly back, for 30 s",
        words: "site degraded",
        subject: Subject::Site("DEGRADED"),
        look: Look::Warning,
        sign: '▲',
        weight: 2,
        headline: Headline::FirstAndLast,
    }
    Normal {
        name: "normal",
        about: "goodput of 98 % and all objectives met, for 2 minutes",
        words: "site normal",
        subject: Subject::Site("NORMAL"),
        look: Look::Recovery,
        sign: '●',
        weight: 2,
        headline: Headline::FirstAndLast,
        marked: true,
    }
    Opened {
        name: "opened",
        about: "a circuit breaker opens: it refuses everything for a while",
        words: "circuit breaker of {subject} opens",
        look: Look::Warning,
        sign: '▲',
        weight: 1,
        headline: Headline::First,
    }
    Closed {
        name: "closed",
        about: "a circuit breaker trusts again",
        words: "circuit breaker of {subject} closes",
        look: Look::Recovery,
        sign: '●',
        weight: 1,
        ends: Some(Kind::Opened),
    }
    Panic {
        name: "panic",
        about: "too few servers are healthy for a balancer instance to go by that",
        words: "{subject} in panic",
        look: Look::Warning,
        sign: '▲',
        weight: 2,
        marked: true,
    }
    Calm {
        name: "calm",
        about: "enough servers are healthy again",
        words: "{subject} goes by health again",
        look: Look::Recovery,
        sign: '●',
        weight: 1,
        ends: Some(Kind::Panic),
    }
    Failover {
        name: "failover",
        about: "a balancer instance sends to servers of other priorities than before",
        words: "{subject} changes priorities",
        weight: 2,
    }
    Partition {
        name: "partition",
        about: "a link is cut: what is sent over it vanishes",
        words: "{subject} is cut",
        subject: Subject::Link,
        look: Look::Warning,
        sign: '▲',
        weight: 3,
        marked: true,
    }
    Degrade {
        name: "degrade",
        about: "a link gets slower or lossy",
        words: "{subject} gets worse",
        subject: Subject::Link,
        look: Look::Warning,
        sign: '▲',
        weight: 3,
        marked: true,
    }
    Heal {
        name: "heal",
        about: "a fault of a server or a link is over",
        words: "{subject} is mended",
        subject: Subject::MachineOrLink,
        look: Look::Recovery,
        sign: '●',
        weight: 3,
    }
    Fault {
        name: "fault",
        about: "a fault of no kind of its own befalls a server or a link",
        words: "{subject}: {cause}",
        subject: Subject::MachineOrLink,
        look: Look::Warning,
        sign: '▲',
        weight: 3,
        marked: true,
    }
}

/// A row of [`KINDS`].
#[derive(Debug)]
pub struct KindDef {
    /// Which.
    pub kind: Kind,
    /// The word used in expectations and files.
    pub name: &'static str,
    /// When it is told.
    pub about: &'static str,
    /// What happened, beside the cause: `{subject}` and `{cause}` stand for those of the event.
    pub words: &'static str,
    /// The same where the cause is not beside it; empty: the same words.
    pub alone: &'static str,
    /// Whom it happens to.
    pub subject: Subject,
    /// Its shape and colour.
    pub look: Look,
    /// A sign in a text that says at a glance whether things get worse or better.
    pub sign: char,
    /// How much it matters where not all events can be shown; more matters more.
    pub weight: u8,
    /// Which of a kind's events tell the whole run in short.
    pub headline: Headline,
    /// The kind whose state this one ends, for the same subject.
    pub ends: Option<Kind>,
    /// Whether it is marked in plots over time.
    pub marked: bool,
    /// Whether it is a word of people that changes nothing.
    pub told_only: bool,
}

/// Whom events of a kind happen to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Subject {
    /// A server or a balancer instance.
    Machine,
    /// An alert.
    Alert,
    /// A runbook.
    Runbook,
    /// A service.
    Service,
    /// A link between machines.
    Link,
    /// A server, or a link between machines.
    MachineOrLink,
    /// The whole site, which is in this state until the next event of such a kind.
    Site(&'static str),
    /// The whole site; the subject is what was set, as `path = value`.
    Settings,
    /// The whole site; the subject is of no account.
    Remark,
}

/// The shape and colour of a kind of event.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Look {
    /// Something fails.
    Failure,
    /// Something gets worse, or might.
    Warning,
    /// Something is well again.
    Recovery,
    /// Something begins, or is new.
    Start,
    /// Something is put aside or back by hand.
    Halt,
    /// Something is changed or said.
    Change,
}

/// Which of a kind's events tell the whole run in short.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Headline {
    /// None.
    Never,
    /// The first of each subject.
    First,
    /// The first and the last.
    FirstAndLast,
}

impl Kind {
    /// Its row.
    pub fn def(self) -> &'static KindDef {
        &KINDS[self as usize]
    }

    /// The word used in expectations and files.
    pub fn name(self) -> &'static str {
        self.def().name
    }

    /// Whether it ends what `other` began.
    pub fn ends(self, other: Self) -> bool {
        self.def().ends == Some(other)
    }

    /// The word of the site's state from here on, where it is one.
    pub fn site_state(self) -> Option<&'static str> {
        match self.def().subject {
            Subject::Site(state) => Some(state),
            _ => None,
        }
    }
}

/// Who acts: a column of the event log.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Actor {
    /// The machines.
    System,
    /// The people.
    People,
    /// An autoscaler, which does what people do.
    Autoscaler,
}

impl Actor {
    /// The word used in files and on screen.
    pub fn name(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::People => "people",
            Self::Autoscaler => "autoscaler",
        }
    }
}

/// One event of the event log.
#[derive(Clone, PartialEq, Debug)]
pub struct Event {
    /// When.
    pub at: Instant,
    /// What.
    pub kind: Kind,
    /// Who did it.
    pub by: Actor,
    /// Whom it happened to: a server, a balancer instance, an alert; `site` for the whole.
    pub subject: String,
    /// The server it happened to, if it is one: two services may have servers of one name.
    pub server: Option<ServerId>,
    /// Why, with numbers, as a phrase that can follow the subject.
    pub cause: String,
}

/// What is said of an action that found nothing to do: whom it concerned and what each is already,
/// in a few words such as `up` or `not there`.
pub fn nothing_to_do(verb: &str, whom: &[(String, &'static str)]) -> String {
    /// So many names are written out for each reason.
    const NAMES: usize = 3;
    let mut reasons: Vec<&str> = Vec::new();
    for (_, reason) in whom {
        if !reasons.contains(reason) {
            reasons.push(reason);
        }
    }
    let parts = reasons.into_iter().map(|reason| {
        let of = whom.iter().filter(|(_, other)| *other == reason);
        let names: Vec<&str> = of.map(|(name, _)| name.as_str()).collect();
        let more = names.len().saturating_sub(NAMES);
        let listed = match names.as_slice() {
            [one] => return format!("{one} is {reason}"),
            [rest @ .., last] if more == 0 => format!("{} and {last}", rest.join(", ")),
            _ => format!("{} and {more} more", names[..NAMES].join(", ")),
        };
        format!("{listed} are {reason}")
    });
    let parts: Vec<String> = parts.collect();
    format!("nothing to {verb}: {}", parts.join("; "))
}

impl Event {
    /// What happened and, where that does not say it already, why: for two columns.
    pub fn words(&self) -> (String, &str) {
        let words = self.kind.def().words;
        let why = if words.contains("{cause}") {
            ""
        } else {
            &self.cause
        };
        (self.filled(words), why)
    }

    /// What happened, in one phrase.
    pub fn phrase(&self) -> String {
        let def = self.kind.def();
        self.filled(if def.alone.is_empty() {
            def.words
        } else {
            def.alone
        })
    }

    /// Names and causes may hold braces of their own: the template is walked, not searched twice.
    fn filled(&self, template: &str) -> String {
        let mut text = String::new();
        let mut rest = template;
        while let Some((before, after)) = rest.split_once('{') {
            let (name, after) = after.split_once('}').unwrap_or((after, ""));
            text.push_str(before);
            text.push_str(if name == "cause" {
                &self.cause
            } else {
                &self.subject
            });
            rest = after;
        }
        text.push_str(rest);
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_stand_in_the_order_of_the_kinds_and_say_everything() {
        for (number, def) in KINDS.iter().enumerate() {
            assert_eq!(def.kind as usize, number);
            assert!(!def.name.is_empty() && !def.about.is_empty() && !def.words.is_empty());
            assert!(KINDS[..number].iter().all(|other| other.name != def.name));
            for part in [def.words, def.alone] {
                let holes: Vec<&str> = part.split('{').skip(1).collect();
                let known =
                    |hole: &&str| hole.starts_with("subject}") || hole.starts_with("cause}");
                assert!(holes.iter().all(known), "{part:?}");
            }
        }
    }

    #[test]
    fn who_found_nothing_to_do_says_why() {
        let whom = |names: &[(&str, &'static str)]| {
            let names = names
                .iter()
                .map(|(name, reason)| ((*name).to_owned(), *reason));
            nothing_to_do("restart", &names.collect::<Vec<_>>())
        };
        assert_eq!(whom(&[("a", "up")]), "nothing to restart: a is up");
        assert_eq!(
            whom(&[("a", "up"), ("d", "not there"), ("b", "up"), ("c", "up")]),
            "nothing to restart: a, b and c are up; d is not there"
        );
        assert_eq!(
            whom(&[
                ("a", "up"),
                ("b", "up"),
                ("c", "up"),
                ("d", "up"),
                ("e", "up")
            ]),
            "nothing to restart: a, b, c and 2 more are up"
        );
    }

    #[test]
    fn a_phrase_holds_what_it_is_about() {
        let event = |kind| Event {
            at: Instant(0),
            kind,
            by: Actor::System,
            subject: "web-{1}".to_owned(),
            server: None,
            cause: "speed × 0.5".to_owned(),
        };
        assert_eq!(event(Kind::Slow).phrase(), "web-{1}: speed × 0.5");
        assert_eq!(
            event(Kind::Slow).words(),
            ("web-{1} changes speed".to_owned(), "speed × 0.5")
        );
        assert_eq!(event(Kind::Note).words(), ("speed × 0.5".to_owned(), ""));
        assert_eq!(event(Kind::Down).phrase(), "site down");
        assert!(Kind::Undrain.ends(Kind::Drain) && !Kind::Drain.ends(Kind::Drain));
    }
}
