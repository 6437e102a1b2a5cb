//! Lessons: questions that stop the run until they are answered, and what the run says to them.
//!
//! A lesson is a file beside its scenario with the ending `.lesson`, as TOML. Each card stops time
//! at `at`, asks, locks the answer, and explains from `until` on. What it claims are expectations
//! in the words of a scenario; a test runs them all.

use crate::files;
use serde::Deserialize;
use sim_core::time::{Clock, Duration, Instant};
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
    /// The lesson beside a scenario's file, if there is one.
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub fn beside(name: &str) -> Result<Option<Self>, String> {
        let stem = name
            .strip_suffix(".toml")
            .or_else(|| name.strip_suffix(".json"))
            .unwrap_or(name);
        let path = format!("{stem}.lesson");
        match files::lesson(&path) {
            Some(text) => Self::read(&text)
                .map(Some)
                .map_err(|why| format!("{path}: {why}")),
            None => Ok(None),
        }
    }

    /// Reads a lesson.
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub fn read(text: &str) -> Result<Self, String> {
        let lesson: Self = toml::from_str(text).map_err(|error| error.to_string())?;
        for (i, card) in lesson.cards.iter().enumerate() {
            if card.right == 0 || card.right > card.answers.len() {
                return Err(format!(
                    "card {}: `right` is {} of {} answers",
                    i + 1,
                    card.right,
                    card.answers.len()
                ));
            }
            if card.edit.is_some() != card.edit_at.is_some() {
                return Err(format!(
                    "card {}: `edit` and `edit_at` belong together",
                    i + 1
                ));
            }
        }
        Ok(lesson)
    }
}

impl Card {
    /// When time stops for it, in a run with this clock.
    pub fn at(&self, clock: Option<Clock>) -> Instant {
        moment(&self.at, clock)
    }

    /// When it is explained.
    pub fn until(&self, clock: Option<Clock>) -> Instant {
        moment(&self.until, clock)
    }
}

/// A moment as a lesson writes it: a time of day, or a span since the start.
pub fn moment(text: &str, clock: Option<Clock>) -> Instant {
    let parts: Vec<u32> = text
        .split(':')
        .filter_map(|part| part.parse().ok())
        .collect();
    match (clock, parts.as_slice()) {
        (Some(clock), [hours, minutes]) => clock.instant((hours * 60 + minutes) * 60),
        (Some(clock), [hours, minutes, seconds]) => {
            clock.instant((hours * 60 + minutes) * 60 + seconds)
        }
        _ => Duration::parse(text).map_or(Instant::ZERO, |span| Instant(span.0)),
    }
}

/// What was answered to the cards of a lesson.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Answers {
    /// The answer chosen for each card; locked ones come with `true`.
    pub given: Vec<Option<(usize, bool)>>,
}

impl Answers {
    /// No answers yet to so many cards.
    pub fn none(cards: usize) -> Self {
        Self {
            given: vec![None; cards],
        }
    }

    /// Whether a card's answer is locked.
    pub fn is_locked(&self, card: usize) -> bool {
        matches!(self.given.get(card), Some(Some((_, true))))
    }

    /// All answers as a table: card, question, answer, whether it is right.
    pub fn csv(&self, lesson: &Lesson) -> String {
        let quoted = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
        let mut csv = String::from("card,question,answer,right\n");
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
            let _ = writeln!(
                csv,
                "{},{},{},{right}",
                i + 1,
                quoted(&card.question),
                quoted(answer.map_or("", String::as_str))
            );
        }
        csv
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lesson_that_cannot_be_is_refused() {
        let card = "title = \"t\"\n[[card]]\nat = \"1m\"\nuntil = \"2m\"\nquestion = \"?\"\nanswers = [\"a\"]\nplot = \"load\"\nexplain = \"e\"\n";
        assert!(Lesson::read(&format!("{card}right = 1\n")).is_ok());
        assert!(Lesson::read(&format!("{card}right = 2\n")).is_err());
        assert!(Lesson::read(&format!("{card}right = 1\nedit = \"x.y = 1\"\n")).is_err());
        assert!(Lesson::read(&format!("{card}right = 1\nrite = 1\n")).is_err());
    }

    #[test]
    fn answers_become_a_table() {
        let text = "title = \"t\"\n[[card]]\nat = \"1m\"\nuntil = \"2m\"\nquestion = \"a, b?\"\nanswers = [\"a\", \"b\"]\nright = 2\nplot = \"load\"\nexplain = \"e\"\n";
        let lesson = Lesson::read(text).expect("valid");
        let mut answers = Answers::none(1);
        answers.given[0] = Some((1, true));
        assert_eq!(
            answers.csv(&lesson),
            "card,question,answer,right\n1,\"a, b?\",\"b\",yes\n"
        );
    }
}
