//! The table of verdicts: which word, under which condition, in which sentence.

use super::calm::{backlog, failing, forgone, idle, just_over, objective, recovering, stable};
use super::clauses::fails;
use super::evidence::Evidence;
use super::faults::{balancer_down, crash_loop, cut, dead_in_rotation, errors, no_server};
use super::kept::kept_waiting;
use super::overload::{guarded, hot_server, overloaded, warming};
use super::recovery::draining;
use super::storm::{busy_for_nobody, holding, metastable};
use crate::ids::ServiceId;
use crate::verdict::Verdict as Word;

/// What a row finds.
pub(super) struct Found {
    /// The verdict; absent where the fact harms nobody, and is only worth a word beside another.
    pub word: Option<Word>,
    /// The sentence that stands behind it.
    pub because: String,
    /// Requests of the end that it costs, as far as can be told.
    pub lost: u64,
    /// The fact in a few words, to stand in the sentence of another verdict; empty where it would say
    /// nothing new there.
    pub aside: String,
    /// The service that it is about: its other troubles follow from it, and are not told beside it.
    pub about: Option<ServiceId>,
    /// Whether it is a fault that follows from no other, so that two of them at one service are both told.
    pub by_itself: bool,
}

impl Found {
    /// A verdict whose sentence says all.
    pub(super) fn new(word: Word, because: String, lost: u64) -> Self {
        Self {
            word: Some(word),
            because,
            lost,
            aside: String::new(),
            about: None,
            by_itself: false,
        }
    }

    /// The same, about a service.
    pub(super) fn of(self, service: ServiceId) -> Self {
        Self {
            about: Some(service),
            ..self
        }
    }

    /// Its sentence, with other facts beside it: one for each service that it is not about, and other faults. Those
    /// that cost most come first.
    fn beside(self, mut others: Vec<Self>) -> String {
        others.sort_by_key(|other| std::cmp::Reverse(other.lost));
        let mut told: Vec<ServiceId> = self.about.into_iter().collect();
        let mut asides: Vec<&str> = Vec::new();
        for other in &others {
            let is_news = other.about.is_none_or(|service| !told.contains(&service))
                || self.by_itself && other.by_itself && other.lost > 0;
            if is_news && asides.len() < ASIDES {
                asides.push(&other.aside);
                told.extend(other.about);
            }
        }
        if asides.is_empty() {
            return self.because;
        }
        format!("{}; besides, {}", self.because, asides.join(", and "))
    }
}

/// A row of [`ROWS`].
pub(super) struct Row {
    /// Situations that it is for, as the book lists them.
    pub situation: &'static str,
    /// What must be in evidence.
    pub evidence: &'static str,
    /// Whether it is a cause, of which several may stand at once: the one that costs most counts.
    pub cause: bool,
    /// The verdict and its sentence, where the evidence is there.
    of: Of,
}

/// Who looks for evidence.
enum Of {
    /// It is there or not.
    All(fn(&Evidence<'_>) -> Option<Found>),
    /// It may be there of several services: that which costs most comes first, and the others are told beside it.
    Each(fn(&Evidence<'_>) -> Vec<Found>),
}

impl Of {
    fn find(&self, e: &Evidence<'_>) -> Vec<Found> {
        match self {
            Self::All(find) => find(e).into_iter().collect(),
            Self::Each(find) => find(e),
        }
    }
}

/// A cause explains this share of the failures, or they are told as they are.
const EXPLAINS: f64 = 0.1;
/// Facts that a sentence takes beside its own.
const ASIDES: usize = 2;

/// The verdict: of the first rows whose evidence is there, and among causes the one that costs most.
pub(super) fn choose(e: &Evidence<'_>) -> Option<(Word, String)> {
    let mut asides: Vec<Found> = Vec::new();
    for rows in ROWS.chunk_by(|one, next| one.cause && next.cause) {
        let mut found: Vec<Found> = rows.iter().flat_map(|row| row.of.find(e)).collect();
        let mut best: Option<usize> = None;
        for (i, one) in found.iter().enumerate() {
            // The first of equals, as the table has them.
            let better = best.is_none_or(|at: usize| one.lost > found[at].lost);
            if one.word.is_some() && better {
                best = Some(i);
            }
        }
        let explains = |one: &Found| {
            !rows[0].cause || !fails(e) || one.lost as f64 >= EXPLAINS * e.failures() as f64
        };
        let chosen = best
            .filter(|&i| explains(&found[i]))
            .map(|i| found.remove(i));
        asides.extend(found.into_iter().filter(|one| !one.aside.is_empty()));
        if let Some((word, one)) = chosen.and_then(|one| Some((one.word?, one))) {
            return Some((word, one.beside(asides)));
        }
    }
    None
}

/// Every row, in order.
pub(super) static ROWS: &[Row] = &[
    Row {
        situation: "load that ended",
        evidence: "no request comes any more, and none is left",
        cause: false,
        of: Of::All(idle),
    },
    Row {
        situation: "crash loop",
        evidence: "one machine crashed by itself three times or more, goes on to, and requests fail",
        cause: true,
        of: Of::All(crash_loop),
    },
    Row {
        situation: "cut network",
        evidence: "a link is cut or degraded, and requests are lost or late over it",
        cause: true,
        of: Of::All(cut),
    },
    Row {
        situation: "balancer down",
        evidence: "no instance of a balancer that is asked is up, and requests fail",
        cause: true,
        of: Of::All(balancer_down),
    },
    Row {
        situation: "no server",
        evidence: "no server of a service that is asked is up and in rotation, and requests fail",
        cause: true,
        of: Of::Each(no_server),
    },
    Row {
        situation: "warm-up",
        evidence: "too little can be done now, enough once what has started is warm",
        cause: true,
        of: Of::All(warming),
    },
    Row {
        situation: "overload",
        evidence: "first attempts ask for more than can be done now, and it shows",
        cause: true,
        of: Of::Each(overloaded),
    },
    Row {
        situation: "wait on the way to servers",
        evidence: "a guard, or a limit of connections, makes many wait while servers have time, and fewer get through than ask",
        cause: true,
        of: Of::Each(kept_waiting),
    },
    Row {
        situation: "dead server in rotation",
        evidence: "a server that is not up is still sent to, and requests fail",
        cause: true,
        of: Of::All(dead_in_rotation),
    },
    Row {
        situation: "errors",
        evidence: "requests fail by errors of servers that answer with errors",
        cause: true,
        of: Of::Each(errors),
    },
    Row {
        situation: "one server overloaded",
        evidence: "a server is sent more than it can do, its service could do it all",
        cause: true,
        of: Of::All(hot_server),
    },
    Row {
        situation: "backlog that is worked off",
        evidence: "enough can be done, and goodput rises or fewer and fewer wait",
        cause: true,
        of: Of::All(draining),
    },
    Row {
        situation: "metastable",
        evidence: "a trigger is gone, first attempts ask for less than can be done, workers are busy all the same, goodput does not return",
        cause: true,
        of: Of::All(metastable),
    },
    Row {
        situation: "guards",
        evidence: "requests fail that guards turned away",
        cause: true,
        of: Of::All(guarded),
    },
    Row {
        situation: "work for nobody, without a trigger",
        evidence: "workers are busy with retries, with what nobody waits for or with slowing one another down, and nothing was seen that set it off",
        cause: true,
        of: Of::All(busy_for_nobody),
    },
    Row {
        situation: "held workers",
        evidence: "workers are busy waiting for another service",
        cause: true,
        of: Of::All(holding),
    },
    Row {
        situation: "service that nobody needs fails",
        evidence: "most requests to a service fail, and those from outside are answered without it",
        cause: true,
        of: Of::Each(forgone),
    },
    Row {
        situation: "fault that is just over",
        evidence: "requests fail that were under way when a fault ended, or none has ended since",
        cause: false,
        of: Of::All(just_over),
    },
    Row {
        situation: "failures of another kind",
        evidence: "requests fail, and no cause above explains a tenth of them",
        cause: false,
        of: Of::All(failing),
    },
    Row {
        situation: "standing backlog",
        evidence: "nothing fails, and many wait",
        cause: false,
        of: Of::All(backlog),
    },
    Row {
        situation: "objective missed",
        evidence: "nothing fails, and an objective is missed",
        cause: false,
        of: Of::All(objective),
    },
    Row {
        situation: "recovering at the end",
        evidence: "all is well, and the site is not yet called normal",
        cause: false,
        of: Of::All(recovering),
    },
    Row {
        situation: "all is well",
        evidence: "requests are answered in time, and nothing grows",
        cause: false,
        of: Of::All(stable),
    },
];
