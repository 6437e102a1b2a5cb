//! Findings in words: the same in the command and in the window.

use super::{Effect, Figures, Finding, Outcome, RULES};
use crate::readable::{counted, share, short, time};
use crate::statistics::Interval;
use std::fmt::Write as _;

/// The worst that was found, with what it costs; how many more, of how many doubts nothing came, and how many were not
/// tried. What costs most comes first.
pub fn verdict(found: &[Finding]) -> String {
    let count = |which: fn(&Finding) -> bool| found.iter().filter(|f| which(f)).count();
    let matter = count(Finding::matters);
    let untried = count(|finding| finding.outcome == Outcome::Interrupted);
    let quiet = found.len() - matter - untried;
    let rules = counted(RULES.len(), "rule");
    let mut words = match (found.iter().find_map(worst), quiet) {
        (Some(worst), _) => worst,
        (None, 0) if untried > 0 => "nothing dangerous found so far".to_owned(),
        (None, 0) => format!("nothing dangerous found: none of {rules} doubts anything"),
        (None, quiet) => format!(
            "nothing dangerous found: {rules} raised {}, and nothing shows",
            counted(quiet, "doubt")
        ),
    };
    // Writing to a text cannot fail.
    if matter > 1 {
        let _ = write!(words, "; {} more found", matter - 1);
    }
    if matter > 0 && quiet > 0 {
        let _ = write!(words, "; {quiet} more doubted, and nothing found");
    }
    if untried > 0 {
        let _ = write!(words, "; interrupted, {untried} not tried");
    }
    words
}

/// What is odd and what that costs, if it matters.
fn worst(finding: &Finding) -> Option<String> {
    let Outcome::Tried { effect, .. } = &finding.outcome else {
        return None;
    };
    let costs = match effect {
        Effect::Fewer(i) => {
            let (mean, range) = ranged(i, share);
            format!("costs {mean} of all requests {range}")
        }
        Effect::Faster(i) => {
            let (mean, range) = ranged(i, seconds);
            format!("makes p99 {mean} longer {range}")
        }
        Effect::Worse(_) | Effect::None => return None,
    };
    Some(format!(
        "{}: {}, that {costs}",
        finding.doubt.says, finding.trial
    ))
}

impl Finding {
    /// What was tried, seen, and gained: a line each.
    pub fn words(&self) -> Vec<String> {
        let cure: Vec<String> = self
            .doubt
            .cure
            .iter()
            .map(|(path, value)| format!("{path} = {value}"))
            .collect();
        let more = cure.len().saturating_sub(2);
        let mut shown: Vec<String> = cure.into_iter().take(2).collect();
        if more > 0 {
            shown.push(format!("and {more} more alike"));
        }
        let cure = shown.join(", ");
        match &self.outcome {
            Outcome::Refused(why) => vec![format!("with {cure}: refused, {why}")],
            Outcome::Interrupted => vec!["interrupted before it was tried".to_owned()],
            Outcome::Tried {
                as_is,
                mended,
                effect,
            } => vec![
                format!("{}: {}", self.trial, figures(as_is)),
                format!("with {cure}: {}", figures(mended)),
                gain(effect),
            ],
        }
    }

    /// What mending gained, where it was tried.
    pub fn gain(&self) -> Option<String> {
        match &self.outcome {
            Outcome::Tried { effect, .. } => Some(gain(effect)),
            Outcome::Refused(_) | Outcome::Interrupted => None,
        }
    }
}

fn figures(figures: &Figures) -> String {
    let mut parts = Vec::new();
    if let Some(failed) = figures.failed {
        parts.push(format!("{} of requests fail", share(failed.max(0.0))));
    }
    if let Some(p99_s) = figures.p99_s {
        parts.push(format!("p99 {}", time(p99_s * 1e9)));
    }
    if let Some(goodput_hz) = figures.goodput_hz {
        parts.push(format!("{}/s answered", short(goodput_hz)));
    }
    parts.join(", ")
}

/// A mean, and where it lies.
fn ranged(i: &Interval, text: fn(f64) -> String) -> (String, String) {
    let range = if i.low < i.high {
        format!("({} to {})", text(i.low), text(i.high))
    } else {
        "in every replication".to_owned()
    };
    (text(i.mean), range)
}

fn seconds(seconds: f64) -> String {
    time(seconds * 1e9)
}

fn gain(effect: &Effect) -> String {
    match effect {
        Effect::Fewer(i) => {
            let (mean, range) = ranged(i, share);
            format!("saves {mean} of all requests {range}")
        }
        Effect::Faster(i) => {
            let (mean, range) = ranged(i, seconds);
            format!("p99 is {mean} shorter {range}")
        }
        Effect::Worse(i) => {
            let (mean, range) = ranged(i, share);
            format!("makes it worse: {mean} more of all requests fail {range}")
        }
        Effect::None => "no difference shows".to_owned(),
    }
}
