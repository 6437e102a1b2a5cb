//! Client libraries: which failures each tries again after, and after which pauses.
//!
//! A row for a library says what that version was seen to do. Its parts are [`Pauses`], by the number of
//! failures so far, and a function from what the library sees of a failure to whether it goes on.
//!
//! The simulator knows how an attempt ended; a library sees a status or an error of its socket. What
//! a server answers with an error has the `status` that the scenario gives; who is turned away
//! because something is full, or because no server is there, gets 503, and who is turned away by
//! admission control 429.

use super::{Failed, Retry, Terms};
use crate::draws::Draws;
use crate::extension::{ParamDef, ParamKind, ParamProblem, Params};
use crate::outcome::Outcome;
use crate::time::Duration;

pub(super) mod aiohttp_retry;
pub(super) mod aws_sdk_js;
pub(super) mod axios_retry;
pub(super) mod azure_core;
pub(super) mod backoff;
pub(super) mod backon;
pub(super) mod botocore_adaptive;
pub(super) mod botocore_dynamodb;
pub(super) mod botocore_legacy;
pub(super) mod botocore_legacy_dynamodb;
pub(super) mod botocore_standard;
pub(super) mod cockatiel;
pub(super) mod elastic_transport;
pub(super) mod envoy;
pub(super) mod google_api_core;
pub(super) mod got;
pub(super) mod grpc;
pub(super) mod httpx;
pub(super) mod ky;
pub(super) mod openai;
pub(super) mod p_retry;
pub(super) mod pymongo;
pub(super) mod redis_py;
pub(super) mod requests;
pub(super) mod resilience4j;
pub(super) mod retry_policies;
pub(super) mod rust_backoff;
pub(super) mod stamina;
pub(super) mod tenacity;
pub(super) mod tower;
pub(super) mod undici;
pub(super) mod urllib3;

/// What a library sees of a failure.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Answer {
    /// An answer with this status.
    Status(u16),
    /// The connection was refused.
    Refused,
    /// The connection broke.
    Reset,
    /// There was no answer in time.
    TimedOut,
    /// There was no connection in time.
    Unconnected,
}

/// What a library is asked about.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen {
    pub answer: Answer,
    /// Which try failed, from 1.
    pub attempt: u32,
    /// Whether the request may not be sent twice without harm, as with POST.
    pub post: bool,
    /// The words that the row's list of them has, a bit for each.
    pub words: u64,
}

impl Seen {
    /// The status, 0 where there is no answer.
    pub(super) fn status(self) -> u16 {
        match self.answer {
            Answer::Status(status) => status,
            _ => 0,
        }
    }

    /// Whether the connection failed before or after it stood.
    pub(super) fn is_broken(self) -> bool {
        matches!(self.answer, Answer::Refused | Answer::Reset)
    }

    /// Whether something took too long.
    pub(super) fn is_late(self) -> bool {
        matches!(self.answer, Answer::TimedOut | Answer::Unconnected)
    }

    /// Whether the request cannot have been sent.
    pub(super) fn is_unsent(self) -> bool {
        matches!(self.answer, Answer::Refused | Answer::Unconnected)
    }
}

/// What is random in a pause `v = base · factorⁿ⁻¹` after failure `n`.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum Jitter {
    /// min(cap, v) · U(low, high).
    Times(f64, f64),
    /// min(cap, v + U(0, this)), in milliseconds.
    Plus(f64),
    /// min(cap, v · U(0, 1)): what is drawn beyond the cap is the cap.
    BeforeCap,
    /// min(cap, v) · U(0, 1), cut to whole milliseconds.
    WholeMillis,
    /// v + v · U(0, this), in which the share of v's whole seconds is cut to whole seconds.
    WholeSecondsAndRest(f64),
    /// The decorrelated jitter of Polly.Contrib: differences of 2ᵗ · tanh √(4t) at n − 1 + U(0, 1),
    /// times base / 1.4, at most the cap.
    SmoothDecorrelated,
}

/// Nothing is random.
pub(super) const EXACT: Jitter = Jitter::Times(1.0, 1.0);
/// Full jitter.
pub(super) const FULL: Jitter = Jitter::Times(0.0, 1.0);

/// Pauses of a library.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Pauses {
    /// `v` after the first failure, in milliseconds.
    pub base_ms: f64,
    /// What `v` is multiplied by after each further failure.
    pub factor: f64,
    /// The most that `v` becomes, in milliseconds.
    pub cap_ms: f64,
    pub jitter: Jitter,
    /// Whether the first further try is made at once all the same.
    pub first_at_once: bool,
}

/// No pause.
pub(super) const AT_ONCE: Pauses = Pauses {
    base_ms: 0.0,
    factor: 1.0,
    cap_ms: f64::INFINITY,
    jitter: EXACT,
    first_at_once: false,
};

/// Pauses that double without end.
pub(super) const fn doubling(base_ms: f64, jitter: Jitter) -> Pauses {
    Pauses {
        base_ms,
        factor: 2.0,
        jitter,
        ..AT_ONCE
    }
}

/// A pause is no longer than ten years, of which [`MEMORY_END`](super::MEMORY_END) has room.
const LONGEST_MS: f64 = 315_360_000_000.0;

impl Pauses {
    /// The same, but never longer before its jitter.
    pub(super) const fn up_to(self, cap_ms: f64) -> Self {
        Self { cap_ms, ..self }
    }

    /// `v` by multiplication, which ends where it no longer matters.
    fn uncapped_ms(&self, attempt: u32) -> f64 {
        let mut pause_ms = self.base_ms;
        for _ in 1..attempt {
            if pause_ms >= LONGEST_MS || pause_ms == 0.0 {
                break;
            }
            pause_ms *= self.factor;
        }
        pause_ms.min(LONGEST_MS)
    }

    /// The pause after a failure, in milliseconds.
    fn draw_ms(&self, attempt: u32, memory: &mut u64, draws: &mut Draws) -> f64 {
        if self.first_at_once && attempt == 1 {
            return 0.0;
        }
        let v = self.uncapped_ms(attempt);
        let capped = v.min(self.cap_ms);
        match self.jitter {
            Jitter::Times(low, high) if low >= high => capped * low,
            Jitter::Times(low, high) => capped * (low + (high - low) * draws.uniform()),
            Jitter::Plus(most) => (v + most * draws.uniform()).min(self.cap_ms),
            Jitter::BeforeCap => (v * draws.uniform()).min(self.cap_ms),
            Jitter::WholeMillis => libm::floor(capped * draws.uniform()),
            Jitter::WholeSecondsAndRest(most) => {
                let (share, seconds) = (most * draws.uniform(), libm::floor(v / 1000.0));
                let rest = v - 1000.0 * seconds;
                (v + 1000.0 * libm::floor(seconds * share) + rest * share).min(LONGEST_MS)
            }
            Jitter::SmoothDecorrelated => {
                // What was drawn before is remembered in millionths of the base.
                let before = *memory as f64 / SMOOTH_UNIT;
                let t = f64::from(attempt.min(36) - 1) + draws.uniform();
                let now = libm::exp2(t) * libm::tanh(libm::sqrt(4.0 * t));
                *memory = (now * SMOOTH_UNIT) as u64;
                ((now - before).max(0.0) / 1.4 * self.base_ms).min(self.cap_ms)
            }
        }
    }

    /// Between which times the pause after failure `attempt` lies, in words.
    fn words(&self, attempt: u32) -> String {
        let of = |ms: f64| Duration::from_nanos_f64(ms * 1e6);
        let v = self.uncapped_ms(attempt);
        let capped = v.min(self.cap_ms);
        let (low, high) = match self.jitter {
            _ if self.first_at_once && attempt == 1 => (0.0, 0.0),
            Jitter::Times(low, high) => (low * capped, high * capped),
            Jitter::Plus(most) => (capped, (v + most).min(self.cap_ms)),
            Jitter::BeforeCap | Jitter::WholeMillis => (0.0, capped),
            Jitter::WholeSecondsAndRest(most) => (v, v * (1.0 + most)),
            Jitter::SmoothDecorrelated => return format!("about {}", of(capped)),
        };
        if low >= high {
            of(low).to_string()
        } else {
            format!("{} to {}", of(low), of(high))
        }
    }
}

/// Parts of the base that are remembered.
const SMOOTH_UNIT: f64 = 1e6;

/// Whether a failure is one of some kind, as the library sees it.
pub(super) type Kind = fn(Seen) -> bool;

/// What a library makes of a `Retry-After` of an answer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hint {
    /// Answers whose header it looks at.
    pub of: Kind,
    /// Those of them that it tries again after because they have the header.
    pub makes_count: Kind,
    /// What becomes of the pause.
    pub pause: Hinted,
    /// It does not try again when asked to wait for longer than so many milliseconds.
    pub longest_ms: f64,
}

/// A pause by a `Retry-After`.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum Hinted {
    /// What is asked for, at most so many milliseconds, in place of its own.
    Replaces(f64),
    /// The longer of both, at most so many milliseconds longer than its own.
    AtLeast(f64),
}

/// It waits as long as it is asked to, after whatever it tries again after.
pub(super) const OBEDIENT: Hint = Hint {
    of: |_| true,
    makes_count: |_| false,
    pause: Hinted::Replaces(f64::INFINITY),
    longest_ms: f64::INFINITY,
};

/// What a library does, put together from the parameters of its row.
#[derive(Clone, Copy, Debug)]
pub(super) struct Library {
    pub pauses: Pauses,
    /// Failures after which the pauses are others.
    pub special: Option<(Kind, Pauses)>,
    pub counts: Kind,
    /// A request that would still pause so long after it began is given up.
    pub within: Duration,
    pub lockstep: bool,
    /// The words of the row's list, handed to `counts` with what is seen.
    pub words: u64,
    /// What it makes of a `Retry-After`; a row with one has the parameter.
    pub hint: Option<Hint>,
}

/// A library that tries again at once, whatever has failed.
pub(super) const EAGER: Library = Library {
    pauses: AT_ONCE,
    special: None,
    counts: |_| true,
    within: Duration(u64::MAX),
    lockstep: false,
    words: 0,
    hint: None,
};

/// Statuses that an error of a server can have.
const STATUSES: &[(&str, u16)] = &[
    ("400", 400),
    ("404", 404),
    ("408", 408),
    ("409", 409),
    ("429", 429),
    ("500", 500),
    ("501", 501),
    ("502", 502),
    ("503", 503),
    ("504", 504),
];

pub(super) const STATUS: ParamDef = ParamDef {
    name: "status",
    about: "The status of what a server answers with an error.",
    kind: ParamKind::Choice(&[
        "400", "404", "408", "409", "429", "500", "501", "502", "503", "504",
    ]),
    default: Some("503"),
};

pub(super) const METHOD: ParamDef = ParamDef {
    name: "method",
    about: "Which requests they are: \"get\", and the like that may be sent twice, or \"post\".",
    kind: ParamKind::Choice(&["get", "post"]),
    default: Some("get"),
};

pub(super) const RETRY_AFTER: ParamDef = ParamDef {
    name: "retry_after",
    about: "What answers that are errors, or that turn away, ask for by `Retry-After`, in whole seconds; 0s: they have none.",
    kind: ParamKind::Span {
        min: Duration::ZERO,
    },
    default: Some("0s"),
};

/// Of a row with this parameter.
pub(super) fn whole_seconds(params: &Params) -> Result<(), ParamProblem> {
    if params
        .span(RETRY_AFTER.name)
        .0
        .is_multiple_of(1_000_000_000)
    {
        return Ok(());
    }
    Err(ParamProblem {
        param: RETRY_AFTER.name,
        message: "the header says whole seconds".to_owned(),
    })
}

/// The status of a server's errors, of a row that has this parameter.
pub(super) fn status_of(params: &Params) -> u16 {
    STATUSES[params.choice(STATUS.name)].1
}

/// Attempts of a library, which makes so many by default.
pub(super) const fn attempts(default: &'static str) -> ParamDef {
    most_attempts(default, 1000)
}

/// The same, of which it makes no more than `max` whatever is asked for.
pub(super) const fn most_attempts(default: &'static str, max: u64) -> ParamDef {
    ParamDef {
        kind: ParamKind::Integer {
            min: 1,
            max,
            unit: "attempts",
        },
        default: Some(default),
        ..super::ATTEMPTS
    }
}

/// The bucket that the AWS SDKs pay retries from: to them an error with the status 429 is throttling.
pub(super) fn aws_tokens(params: &Params) -> &'static [&'static str] {
    if status_of(params) == 429 {
        &["{ kind = \"aws-retry-tokens\", errors = \"throttling\" }"]
    } else {
        &["{ kind = \"aws-retry-tokens\" }"]
    }
}

fn has(params: &Params, name: &str) -> bool {
    params.iter().any(|(known, _)| known == name)
}

/// A caller that uses a library.
#[derive(Debug)]
pub(super) struct Client {
    terms: Terms,
    rules: Library,
    status: u16,
    post: bool,
    /// What a `Retry-After` asks for and what is made of it, where there is one.
    asked: Option<(f64, Hint)>,
}

impl Client {
    pub(super) fn new(params: &Params, library: Library) -> Self {
        let terms = Terms {
            within: library.within,
            lockstep: library.lockstep,
            ..Terms::of(params)
        };
        let status = if has(params, STATUS.name) {
            status_of(params)
        } else {
            503
        };
        let asked = library.hint.and_then(|hint| {
            let asked = params.span(RETRY_AFTER.name);
            (!asked.is_zero()).then(|| (asked.as_secs_f64() * 1e3, hint))
        });
        Self {
            terms,
            rules: library,
            status,
            asked,
            post: has(params, METHOD.name) && params.choice(METHOD.name) == 1,
        }
    }

    /// What the library sees.
    fn sees(&self, failed: Failed) -> Seen {
        let answer = match failed.outcome {
            Outcome::Errored | Outcome::Succeeded => Answer::Status(self.status),
            Outcome::Rejected | Outcome::Unavailable | Outcome::Abandoned => Answer::Status(503),
            Outcome::Shed => Answer::Status(429),
            Outcome::Refused => Answer::Refused,
            Outcome::Reset | Outcome::Cancelled => Answer::Reset,
            Outcome::TimedOut => Answer::TimedOut,
            Outcome::ConnectTimedOut => Answer::Unconnected,
        };
        Seen {
            answer,
            attempt: failed.attempt,
            post: self.post,
            words: self.rules.words,
        }
    }

    /// What an answer asks for, in milliseconds, of those whose header counts.
    fn asked_by(&self, seen: Seen) -> Option<(f64, Hint)> {
        self.asked
            .filter(|(_, hint)| seen.status() > 0 && (hint.of)(seen))
    }

    fn pauses_after(&self, seen: Seen) -> &Pauses {
        match &self.rules.special {
            Some((of, pauses)) if of(seen) => pauses,
            _ => &self.rules.pauses,
        }
    }
}

impl Retry for Client {
    fn terms(&self) -> Terms {
        self.terms
    }

    fn counts(&self, failed: Failed) -> bool {
        let seen = self.sees(failed);
        match self.asked_by(seen) {
            Some((asked_ms, hint)) if asked_ms > hint.longest_ms => false,
            Some((_, hint)) if (hint.makes_count)(seen) => true,
            _ => (self.rules.counts)(seen),
        }
    }

    fn pause(&self, failed: Failed, memory: &mut u64, draws: &mut Draws) -> Duration {
        let seen = self.sees(failed);
        let pauses = self.pauses_after(seen);
        let own_ms = pauses.draw_ms(failed.attempt, memory, draws);
        let pause_ms = match self.asked_by(seen) {
            None => own_ms,
            Some((asked_ms, hint)) => match hint.pause {
                Hinted::Replaces(cap_ms) => asked_ms.min(cap_ms),
                Hinted::AtLeast(excess_ms) => own_ms.max(asked_ms.min(own_ms + excess_ms)),
            },
        };
        Duration::from_nanos_f64(pause_ms.min(LONGEST_MS) * 1e6)
    }
}

/// What there is to see of a failure, with its words.
const ANSWERS: &[(&str, Answer)] = &[
    ("400", Answer::Status(400)),
    ("404", Answer::Status(404)),
    ("408", Answer::Status(408)),
    ("409", Answer::Status(409)),
    ("429", Answer::Status(429)),
    ("500", Answer::Status(500)),
    ("501", Answer::Status(501)),
    ("502", Answer::Status(502)),
    ("503", Answer::Status(503)),
    ("504", Answer::Status(504)),
    ("refused", Answer::Refused),
    ("reset", Answer::Reset),
    ("no answer in time", Answer::TimedOut),
    ("no connection in time", Answer::Unconnected),
];

/// The rules of a library in words, asked of the library itself.
pub(super) fn rules(library: Library) -> Vec<(&'static str, String)> {
    let seen = |answer, attempt, post| Seen {
        answer,
        attempt,
        post,
        words: library.words,
    };
    let after = |post| {
        let counted = ANSWERS
            .iter()
            .filter(|(_, answer)| (library.counts)(seen(*answer, 1, post)));
        let words: Vec<&str> = counted.map(|(word, _)| *word).collect();
        if words.is_empty() {
            "nothing".to_owned()
        } else {
            words.join(", ")
        }
    };
    let pauses = |pauses: &Pauses| {
        let mut words: Vec<String> = (1..=4).map(|n| pauses.words(n)).collect();
        if words.iter().all(|other| *other == words[0]) {
            words.truncate(1);
        }
        let mut text = words.join("; ");
        if pauses.cap_ms < f64::INFINITY {
            let cap = Duration::from_nanos_f64(pauses.cap_ms * 1e6);
            text += " …; grows to ";
            text += &cap.to_string();
        } else if words.len() > 1 {
            text += " …; grows without end";
        }
        text
    };
    let (get, post) = (after(false), after(true));
    let mut rules = vec![("tries again after", get.clone())];
    if get != post {
        rules.push(("with POST after", post));
    }
    rules.push(("pauses", pauses(&library.pauses)));
    if let Some((of, others)) = &library.special {
        let which = ANSWERS
            .iter()
            .filter(|(_, answer)| of(seen(*answer, 1, false)));
        let which: Vec<&str> = which.map(|(word, _)| *word).collect();
        rules.push((
            "other pauses",
            format!("after {}: {}", which.join(", "), pauses(others)),
        ));
    }
    if let Some(hint) = library.hint {
        rules.push(("Retry-After", hint_in_words(&library, hint)));
    }
    if library.within < Duration(u64::MAX) {
        rules.push((
            "gives up",
            format!(
                "a pause that would end more than {} after the request began",
                library.within
            ),
        ));
    }
    if library.lockstep {
        rules.push(("pauses are", "the same for all its requests".to_owned()));
    }
    rules
}

fn hint_in_words(library: &Library, hint: Hint) -> String {
    let span = |ms: f64| Duration::from_nanos_f64(ms * 1e6).to_string();
    let statuses = |kind: &dyn Fn(Seen) -> bool| -> Vec<&str> {
        let seen = |answer| Seen {
            answer,
            attempt: 1,
            post: false,
            words: library.words,
        };
        let those = (ANSWERS.iter()).filter(|(_, answer)| {
            let seen = seen(*answer);
            seen.status() > 0 && kind(seen)
        });
        those.map(|(word, _)| *word).collect()
    };
    let mut text = match hint.pause {
        Hinted::Replaces(cap) if cap < f64::INFINITY => {
            format!("replaces the pause, at most {}", span(cap))
        }
        Hinted::Replaces(_) => "replaces the pause".to_owned(),
        Hinted::AtLeast(excess) => {
            format!(
                "the pause is no shorter, and at most {} longer",
                span(excess)
            )
        }
    };
    let all = statuses(&|_| true).len();
    let of = statuses(&|seen| (hint.of)(seen));
    if of.len() < all {
        text.push_str("; of ");
        text.push_str(&of.join(", "));
        text.push_str(" only");
    }
    let more = statuses(&|seen| (hint.of)(seen) && (hint.makes_count)(seen));
    if more.len() == all {
        text += "; with it all that is answered counts";
    } else if !more.is_empty() {
        text.push_str("; with it ");
        text.push_str(&more.join(", "));
        text.push_str(" count");
    }
    if hint.longest_ms < f64::INFINITY {
        text += "; not tried again when it asks for more than ";
        text += &span(hint.longest_ms);
    }
    text
}

#[cfg(test)]
mod tests;
