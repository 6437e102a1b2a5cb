//! Remedies: single changes of a system, and pairs of them, ranked by what they save.
//!
//! ```text
//! row ─► candidates: what could be changed, with paths and values
//!     ─► selection: all once, the better quarter twice more, its better quarter four times more …
//!     ─► final: the best few, the worst few and pairs of the best, in replications of their own
//!     ─► ranking: what each saves, with its interval, and what makes it worse
//! ```
//!
//! All runs of a replication have the same random numbers, so that what differs is the change. Nothing that the
//! final replications say decided what was run in them: their intervals mean what they say, although the
//! candidates were chosen for being the best.
//!
//! | file | what for |
//! |---|---|
//! | `rows` | the table: a row for each kind of change |
//! | `journal` | what was run so far, for a search that goes on |
//! | `subject` | what rows look at: the model, and what is written |
//! | `cost` | what a change costs, by its path |
//! | `damage` | what is saved |
//! | `order` | who comes first |
//! | `search` | selection, final, pairs: what is run |
//! | `ranking` | what comes of it |
//! | `words` | the answer in a sentence |

mod cost;
mod damage;
mod journal;
mod order;
mod ranking;
mod rows;
mod search;
mod subject;
#[cfg(test)]
mod tests;
mod words;

pub use cost::Cost;
pub use damage::Damage;
pub use journal::{Known, Mismatch};
pub use ranking::{Remedies, Remedy, Seen};
pub use search::{Read, RemedyPlan};
pub use subject::Subject;

use crate::experiment::Control;
use crate::model::Model;
use crate::scenario::{Problems, Scenario};
use std::sync::Arc;

/// Paths with values, as `--set` takes them.
pub type Sets = Vec<(String, String)>;

/// A kind of change.
pub struct Row {
    /// Its name.
    pub name: &'static str,
    /// What is changed, and when that is proposed, in a sentence.
    pub about: &'static str,
    /// Who recommends it: a book, a paper, a program.
    pub source: &'static str,
    proposes: fn(&Subject<'_>) -> Vec<Proposal>,
}

/// What a row proposes: the change in words, and what is set.
type Proposal = (String, Sets);

/// Every row, what is nearest to the cause first: of those that save and cost the same, the earlier comes first.
pub static ROWS: &[&Row] = &[
    &rows::weight::WEIGHTS,
    &rows::limit::LIMITS,
    &rows::queue::QUEUES,
    &rows::policy::POLICY,
    &rows::health::HEALTH,
    &rows::retry::RETRIES,
    &rows::retry::BUDGETS,
    &rows::time::TIMEOUTS,
    &rows::shed::SHEDDING,
    &rows::balancer::BALANCER,
    &rows::restart::RESTART,
    &rows::timeline::CANARY,
    &rows::doubt::DOCTOR,
    &rows::timeline::RESPONSE,
    &rows::alerting::ALERTING,
    &rows::size::CAPACITY,
    &rows::balancer::STANDBY,
];

/// The name of the row of what was asked for by hand.
pub const TRIED: &str = "tried";

/// A change that can be made.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Candidate {
    /// The name of its row, or [`TRIED`].
    pub row: &'static str,
    /// What is changed, in words.
    pub words: String,
    /// What is set.
    pub sets: Sets,
    /// What it costs.
    pub cost: Cost,
}

impl Candidate {
    fn new(row: &'static str, words: String, sets: Sets) -> Self {
        Self {
            row,
            words,
            cost: Cost::of(&sets),
            sets,
        }
    }

    /// One that was asked for by hand.
    pub fn tried(path: &str, value: &str) -> Self {
        let words = format!("{path} = {value}");
        Self::new(TRIED, words, vec![(path.to_owned(), value.to_owned())])
    }

    /// Both at once; `None` where they concern the same values.
    pub(crate) fn with(&self, other: &Self) -> Option<Sets> {
        let meet = |(one, _): &(String, String), (other, _): &(String, String)| {
            let (one, other) = (words_of(one), words_of(other));
            let mut pairs = one.iter().zip(&other);
            pairs.all(|(a, b)| a == b || *a == "*" || *b == "*" || in_group(a, b) || in_group(b, a))
        };
        let meets = |one| other.sets.iter().any(|other| meet(one, other));
        if self.sets.iter().any(meets) {
            return None;
        }
        Some(self.sets.iter().chain(&other.sets).cloned().collect())
    }
}

/// Looks for what saves most. `read` gives the scenario with sets applied.
///
/// # Errors
/// The problems of the scenario as it is, and of what was asked for by hand.
pub fn remedy(
    read: &Read<'_>,
    plan: &RemedyPlan,
    control: &Control<'_>,
) -> Result<Remedies, Problems> {
    let hunt = Hunt::new(read, plan)?;
    Ok(hunt.run(control, &Known::default(), &|_| {}))
}

/// A search that can go on where it was ended: what it tries is known, and nothing was run.
pub struct Hunt<'a> {
    read: &'a Read<'a>,
    plan: &'a RemedyPlan,
    model: Model,
    made: Vec<Made>,
    header: journal::Header,
}

impl<'a> Hunt<'a> {
    /// Works out what is tried.
    ///
    /// # Errors
    /// The problems of the scenario as it is, and of what was asked for by hand.
    pub fn new(read: &'a Read<'a>, plan: &'a RemedyPlan) -> Result<Self, Problems> {
        let scenario = read(&[])?;
        let model = search::model_with(read, &[])?;
        let made = candidates((&scenario, &model), &plan.only, &plan.tries, read)?;
        let candidates: Vec<&Candidate> = made.iter().map(|made| &made.candidate).collect();
        let header = journal::Header::of(&scenario, plan, &candidates);
        Ok(Self {
            read,
            plan,
            model,
            made,
            header,
        })
    }

    /// The first line of its journal, with its end.
    pub fn first_line(&self) -> String {
        self.header.line()
    }

    /// Reads what of it was run before.
    ///
    /// # Errors
    /// Why that is no journal of this search.
    pub fn known(&self, bytes: &[u8]) -> Result<Known, Mismatch> {
        let damages = 1 + self.plan.damage.beside(&self.model).len();
        self.header.read(bytes, damages)
    }

    /// Looks for what saves most. Each run that is not known is told to `keep`, as a line of the journal, from whatever
    /// thread made it.
    pub fn run(
        self,
        control: &Control<'_>,
        known: &Known,
        keep: &(dyn Fn(&str) + Sync),
    ) -> Remedies {
        let memory = search::Memory { known, keep };
        let mut search = search::Search::new(self.model, self.made, self.plan, control, memory);
        search.run(self.read);
        search.found()
    }
}

fn words_of(path: &str) -> Vec<&str> {
    path.split('.').collect()
}

/// Whether a server's name is one of those that are written together.
fn in_group(server: &str, written: &str) -> bool {
    let number = server
        .strip_prefix(written)
        .and_then(|rest| rest.strip_prefix('-'));
    number.is_some_and(|number| !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()))
}

/// A candidate with the model that it makes.
#[derive(Clone, Debug)]
pub(crate) struct Made {
    pub candidate: Candidate,
    pub model: Arc<Model>,
}

/// What can be changed in a system. Rows propose a lot: what does not fit the rest of the scenario, what changes nothing,
/// and what another candidate does already is left out. What was asked for by hand stays, and must fit.
pub(crate) fn candidates(
    (scenario, model): (&Scenario, &Model),
    only: &[String],
    tries: &[(String, String)],
    read: &Read<'_>,
) -> Result<Vec<Made>, Problems> {
    let mut made: Vec<Made> = Vec::new();
    for (path, value) in tries {
        let candidate = Candidate::tried(path, value);
        let model = Arc::new(search::model_with(read, &candidate.sets)?);
        made.push(Made { candidate, model });
    }
    let subject = Subject::of(scenario, model);
    let wanted = |row: &&&Row| only.is_empty() || only.iter().any(|name| name == row.name);
    for row in ROWS.iter().filter(wanted) {
        for (words, sets) in (row.proposes)(&subject) {
            let Ok(changed) = search::model_with(read, &sets) else {
                continue;
            };
            let known = changed == *model || made.iter().any(|other| *other.model == changed);
            if !sets.is_empty() && !known {
                made.push(Made {
                    candidate: Candidate::new(row.name, words, sets),
                    model: Arc::new(changed),
                });
            }
        }
    }
    Ok(made)
}
