//! The answer in words: the same in the command and elsewhere.

use super::{Remedies, Remedy, cost};
use crate::readable::{counted, share};
use crate::statistics::Interval;

impl Remedy {
    /// What is saved, and half of its interval; without one where it is the same in all replications, and `None` where
    /// nothing can be said.
    pub fn saved_text(&self, found: &Remedies) -> Option<(String, Option<String>)> {
        self.saved.range().map(|range| found.texts(&range))
    }

    /// The arguments that set it, as they are typed.
    pub fn arguments(&self) -> Vec<String> {
        self.sets.iter().map(cost::typed).collect()
    }

    /// What is changed, in words.
    pub fn words(&self, found: &Remedies) -> String {
        let words = self
            .of
            .iter()
            .map(|of| found.candidates[*of].words.as_str());
        words.collect::<Vec<_>>().join(" + ")
    }

    /// The dearest of what is changed.
    pub fn cost(&self, found: &Remedies) -> Option<super::Cost> {
        self.of.iter().map(|of| found.candidates[*of].cost).max()
    }
}

impl Remedies {
    /// A mean and half of its interval, without that where it is nothing.
    pub fn texts(&self, range: &Interval) -> (String, Option<String>) {
        let (mean, half) = self.damage.with_half_width(range.mean, range.half_width());
        (mean, (range.half_width() > 0.0).then_some(half))
    }

    /// The answer in a sentence.
    pub fn verdict(&self) -> String {
        let noun = self.damage.noun();
        let as_is = self.as_is.first().copied().flatten();
        let Some(as_is) = as_is else {
            return if self.interrupted {
                "interrupted before anything was found".to_owned()
            } else {
                format!("there is no {noun} to measure")
            };
        };
        if as_is == 0.0 {
            return format!("there is nothing to save: {}", self.damage.none());
        }
        if self.candidates.is_empty() {
            return format!(
                "there is no change that fits, for {} {noun}",
                self.damage.text(as_is)
            );
        }
        let tried = counted(self.candidates.len(), "change");
        if self.replications == 0 {
            return if self.interrupted {
                "interrupted before the final: what the selection saw has no intervals".to_owned()
            } else {
                format!(
                    "none of {tried} saves any of {} {noun}",
                    self.damage.text(as_is)
                )
            };
        }
        let Some(best) = self.ranked.first().filter(|best| best.saved.sign() > 0) else {
            return format!(
                "none of {tried} surely saves any of {} {noun}",
                self.damage.text(as_is)
            );
        };
        let saved = best.saved_text(self).map_or(String::new(), |(mean, half)| {
            half.map_or(mean.clone(), |half| format!("{mean} ± {half}"))
        });
        let part = best
            .share
            .map_or(String::new(), |part| format!(" ({})", share(part)));
        let others = match self.peers {
            0 | 1 => String::new(),
            2 => "; another change saves as much".to_owned(),
            peers => format!("; {} other changes save as much", peers - 1),
        };
        format!(
            "{} saves {saved} of {} {noun}{part}{others}",
            best.words(self),
            self.damage.text(as_is)
        )
    }
}
