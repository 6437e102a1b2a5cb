//! Lessons: questions that stop the run until they are answered, and what the run says to them.
//!
//! A lesson is a file beside its scenario with the ending `.lesson`, as TOML. Each card stops time
//! at `at`, asks, locks the answer, and explains from `until` on. What it claims are expectations
//! in the words of a scenario; a test runs them all.

use crate::panel::plots::PLOTS;
use crate::{files, moment};
use serde::Deserialize;
use sim_core::time::{Clock, Instant};
use std::fmt::Write as _;

/// A lesson.
#[derive(Clone, PartialEq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lesson {
    /// Its title.
    pub title: String,
    /// Its cards, in order of time.
    #[serde(rename = "card")]
    pub cards: Vec<Card>,
}

/// A question.
#[derive(Clone, PartialEq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Card {
    /// When time stops for it.
    pub at: String,
    /// When it is explained.
    pub until: String,
    /// What is asked.
    pub question: String,
    /// What can be answered.
    pub answers: Vec<String>,
    /// The right answer, counted from 1.
    pub right: usize,
    /// What is asked about: a server, a balancer instance or a source, by its name.
    pub thing: Option<String>,
    /// The plot that shows it.
    pub plot: String,
    /// Why.
    pub explain: String,
    /// Expectations that must hold for what is said.
    #[serde(default)]
    pub claims: Vec<String>,
    /// A change to try, and when.
    pub edit: Option<String>,
    /// When the change is made.
    pub edit_at: Option<String>,
    /// Expectations that must hold in the future with the change.
    #[serde(default)]
    pub claims_of_edit: Vec<String>,
}

impl Lesson {
    /// The lesson beside the file of a scenario with this clock, if there is one.
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub fn beside(name: &str, clock: Option<Clock>) -> Result<Option<Self>, String> {
        let path = path_beside(name).unwrap_or_else(|| format!("{name}.lesson"));
        match files::lesson(&path) {
            Some(text) => Self::read(&text, clock)
                .map(Some)
                .map_err(|why| format!("{path}: {why}")),
            None => Ok(None),
        }
    }

    /// Reads a lesson for a run with this clock.
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub fn read(text: &str, clock: Option<Clock>) -> Result<Self, String> {
        let lesson: Self = toml::from_str(text).map_err(|error| error.to_string())?;
        let mut free = None;
        for (i, card) in lesson.cards.iter().enumerate() {
            let number = i + 1;
            let (at, until) = card
                .check(clock)
                .map_err(|why| format!("card {number}: {why}"))?;
            if free.is_some_and(|free| at <= free) {
                return Err(format!(
                    "card {number}: `at` is {:?}, which is not after `until` of card {i}: its explanation would never be seen",
                    card.at
                ));
            }
            free = Some(until);
        }
        Ok(lesson)
    }
}

impl Card {
    /// When it asks and when it explains, if all of it can be.
    fn check(&self, clock: Option<Clock>) -> Result<(Instant, Instant), String> {
        let moment = |key: &str, text: &str| {
            moment::parse(text, clock).map_err(|why| format!("`{key}`: {why}"))
        };
        if self.right == 0 || self.right > self.answers.len() {
            let answers = self.answers.len();
            return Err(format!("`right` is {} of {answers} answers", self.right));
        }
        if self.edit.is_some() != self.edit_at.is_some() {
            return Err("`edit` and `edit_at` belong together".to_owned());
        }
        if let Some(at) = &self.edit_at {
            moment("edit_at", at)?;
        }
        if !PLOTS.iter().any(|plot| plot.name == self.plot) {
            let names: Vec<&str> = PLOTS.iter().map(|plot| plot.name).collect();
            let names = names.join(", ");
            return Err(format!(
                "`plot`: there is none called {:?}; there are {names}",
                self.plot
            ));
        }
        let (at, until) = (moment("at", &self.at)?, moment("until", &self.until)?);
        if until <= at {
            return Err(format!(
                "`until` is {:?}, which is not after {:?}",
                self.until, self.at
            ));
        }
        Ok((at, until))
    }

    /// When time stops for it, in a run with this clock.
    pub fn at(&self, clock: Option<Clock>) -> Instant {
        known(&self.at, clock)
    }

    /// When it is explained.
    pub fn until(&self, clock: Option<Clock>) -> Instant {
        known(&self.until, clock)
    }
}

/// The path of a lesson beside a scenario.
pub(crate) fn path_beside(name: &str) -> Option<String> {
    let stem = name.strip_suffix(".toml");
    let stem = stem.or_else(|| name.strip_suffix(".json"))?;
    Some(format!("{stem}.lesson"))
}

/// A moment that was checked when the lesson was read; one that is none never comes.
fn known(text: &str, clock: Option<Clock>) -> Instant {
    moment::parse(text, clock).unwrap_or(Instant(u64::MAX))
}

/// What was answered to the cards of a lesson.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Answers {
    /// The answer chosen for each card; locked ones come with `true`.
    pub given: Vec<Option<(usize, bool)>>,
    /// Before a class: votes for each answer of each card.
    pub votes: Vec<Vec<u32>>,
    /// Whether a class votes instead of one person.
    pub class: bool,
}

impl Answers {
    /// No answers yet to the cards of a lesson, if there is one.
    pub fn none(lesson: Option<&Lesson>) -> Self {
        let cards = lesson.map_or(&[][..], |lesson| &lesson.cards);
        Self {
            given: vec![None; cards.len()],
            votes: cards.iter().map(|c| vec![0; c.answers.len()]).collect(),
            class: false,
        }
    }

    /// Whether a card's answer is locked.
    pub fn is_locked(&self, card: usize) -> bool {
        matches!(self.given.get(card), Some(Some((_, true))))
    }

    /// The votes for each answer of a card.
    pub fn votes_of(&self, card: usize) -> &[u32] {
        self.votes.get(card).map_or(&[], |votes| votes)
    }

    /// The answer that is chosen for a card: of a class, the one with most votes, the first of several.
    pub fn choice(&self, card: usize) -> Option<usize> {
        let given = self.given.get(card).copied().flatten();
        if !self.class || self.is_locked(card) {
            return given.map(|(answer, _)| answer);
        }
        let votes = self.votes_of(card);
        let most = votes.iter().max().copied().filter(|most| *most > 0)?;
        votes.iter().position(|votes| *votes == most)
    }

    /// A vote more for an answer, or one less. Once the answer is locked, none counts.
    pub fn vote(&mut self, card: usize, answer: usize, more: bool) {
        if self.is_locked(card) {
            return;
        }
        let votes = self.votes.get_mut(card);
        if let Some(votes) = votes.and_then(|votes| votes.get_mut(answer)) {
            *votes = if more {
                votes.saturating_add(1)
            } else {
                votes.saturating_sub(1)
            };
        }
    }

    /// All answers as a table: card, question, answer, whether it is right; votes where a class voted.
    pub fn csv(&self, lesson: &Lesson) -> String {
        let quoted = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
        let votes = if self.class { ",votes" } else { "" };
        let mut csv = format!("card,question,answer,right{votes}\n");
        for (i, card) in lesson.cards.iter().enumerate() {
            let given = self
                .given
                .get(i)
                .copied()
                .flatten()
                .filter(|(_, locked)| *locked);
            let answer = given.and_then(|(answer, _)| card.answers.get(answer));
            let right = given.map_or("", |(answer, _)| {
                if answer + 1 == card.right {
                    "yes"
                } else {
                    "no"
                }
            });
            let _ = write!(
                csv,
                "{},{},{},{right}",
                i + 1,
                quoted(&card.question),
                quoted(answer.map_or("", String::as_str))
            );
            if self.class {
                let votes: Vec<String> = self.votes_of(i).iter().map(u32::to_string).collect();
                let _ = write!(csv, ",{}", votes.join(" "));
            }
            csv.push('\n');
        }
        csv
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CARD: &str = "[[card]]\nat = \"1m\"\nuntil = \"2m\"\nquestion = \"?\"\nanswers = [\"a\"]\nright = 1\nplot = \"load\"\nexplain = \"e\"\n";

    #[test]
    fn a_lesson_that_cannot_be_is_refused() {
        let lesson = format!("title = \"t\"\n{CARD}");
        assert!(Lesson::read(&lesson, None).is_ok());
        let refused = |text: &str, said: &[&str]| {
            let why = Lesson::read(text, None).expect_err(text);
            for words in said {
                assert!(why.contains(words), "{words:?} in {why:?}");
            }
        };
        for (from, to, said) in [
            ("right = 1", "right = 2", &["card 1", "`right`"][..]),
            (
                "right = 1",
                "right = 1\nedit = \"x.y = 1\"",
                &["card 1", "`edit_at`"],
            ),
            ("right = 1", "right = 1\nrite = 1", &["rite"]),
            (
                "\"load\"",
                "\"lood\"",
                &["card 1", "`plot`", "\"lood\"", "load, failed"],
            ),
            ("\"1m\"", "\"12:xx\"", &["card 1", "`at`", "12:xx"]),
            (
                "\"2m\"",
                "\"4000000000:00\"",
                &["card 1", "`until`", "4000000000:00"],
            ),
            ("\"2m\"", "\"1m\"", &["card 1", "`until`", "not after"]),
        ] {
            assert!(lesson.contains(from));
            refused(&lesson.replace(from, to), said);
        }
        // The second begins when the first is to be explained.
        let second = CARD.replace("\"2m\"", "\"3m\"").replace("\"1m\"", "\"2m\"");
        refused(&format!("{lesson}{second}"), &["card 2", "`at`", "card 1"]);
        let later = second.replace("\"2m\"", "\"2m1s\"");
        assert!(Lesson::read(&format!("{lesson}{later}"), None).is_ok());
    }

    #[test]
    fn answers_become_a_table() {
        let text = "title = \"t\"\n[[card]]\nat = \"1m\"\nuntil = \"2m\"\nquestion = \"a, b?\"\nanswers = [\"a\", \"b\"]\nright = 2\nplot = \"load\"\nexplain = \"e\"\n";
        let lesson = Lesson::read(text, None).expect("valid");
        let mut answers = Answers::none(Some(&lesson));
        answers.given[0] = Some((1, true));
        assert_eq!(
            answers.csv(&lesson),
            "card,question,answer,right\n1,\"a, b?\",\"b\",yes\n"
        );
    }

    #[test]
    fn a_class_votes_until_the_answer_is_locked() {
        let text = "title = \"t\"\n[[card]]\nat = \"1m\"\nuntil = \"2m\"\nquestion = \"?\"\nanswers = [\"a\", \"b\"]\nright = 2\nplot = \"load\"\nexplain = \"e\"\n";
        let lesson = Lesson::read(text, None).expect("valid");
        let mut answers = Answers::none(Some(&lesson));
        answers.class = true;
        assert_eq!(answers.choice(0), None);
        for (answer, more) in [
            (0, true),
            (1, true),
            (1, true),
            (1, true),
            (1, false),
            (0, false),
            (0, false),
        ] {
            answers.vote(0, answer, more);
        }
        assert_eq!(
            (answers.votes_of(0), answers.choice(0)),
            (&[0, 2][..], Some(1))
        );
        // There is no such answer, and no such card.
        answers.vote(0, 2, true);
        answers.vote(1, 0, true);
        answers.given[0] = Some((1, true));
        answers.vote(0, 0, true);
        assert_eq!(
            answers.csv(&lesson),
            "card,question,answer,right,votes\n1,\"?\",\"b\",yes,0 2\n"
        );
    }
}
