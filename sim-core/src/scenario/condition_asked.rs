//! A condition asked of a scenario from outside, in the words of its expectations.

use super::alarm::known;
use super::assemble::base;
use super::condition::Piece;
use super::expectation::expectation;
use super::problem::{Collector, Problems, Span};
use super::section::Cx;
use super::{Scenario, Source};
use crate::model::Expectation;

impl Scenario {
    /// Understands `text`, called `name` in messages, as an expectation of this scenario would be:
    /// `p99 > 2s`, `availability < 99%`, `count(crash) > 0`.
    ///
    /// # Errors
    /// Problems of the text, and those of the scenario.
    pub fn condition(&self, name: &str, text: &str) -> Result<Expectation, Problems> {
        let mut sources = self.sources.to_vec();
        sources.push(Source::new(name, text));
        let span = Span::new(sources.len() as u32 - 1, 0..text.len());
        let mut problems = Collector::default();
        let expr = self.understand(Piece::new(text, span), &mut problems);
        problems.finish(&sources)?;
        match expr {
            Some(expr) => Ok(Expectation {
                that: text.to_owned(),
                expr,
                line: 0,
            }),
            None => Err(Problems {
                sources,
                problems: Vec::new(),
                left_out: 0,
            }),
        }
    }

    fn understand(&self, text: Piece<'_>, problems: &mut Collector) -> Option<crate::expect::Expr> {
        let top = self.sections(problems)?;
        let base = base(self, &top, problems)?;
        let known = known(&top, &base)?;
        let clock = self.clock();
        expectation(text, &known, &mut Cx { problems, clock })
    }
}
