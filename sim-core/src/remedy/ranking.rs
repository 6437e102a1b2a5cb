//! From the runs to the answer: what each change saves, with its interval, who comes first, and which pairs gain.

use super::order::NOTHING;
use super::search::{Search, mean, saved};
use super::{Candidate, Damage, Sets};
use crate::experiment::{Pair, paired};
use crate::statistics::Interval;

/// What the selection saw of a candidate.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Seen {
    /// Replications of the selection.
    pub replications: u64,
    /// What it saved in them, on average; `None` where a run had no such figure or did not reach its horizon.
    pub saved: Option<f64>,
}

/// What the final says of a candidate, or of two at once.
#[derive(Clone, PartialEq, Debug)]
pub struct Remedy {
    /// The numbers of its candidates: one, or two.
    pub of: Vec<usize>,
    /// What is set.
    pub sets: Sets,
    /// The damage with it, on average.
    pub damage: Option<f64>,
    /// What is saved, replication by replication; its interval has the level at which Holm's procedure tests it.
    pub saved: Pair,
    /// What is saved as a share of the damage as it is.
    pub share: Option<f64>,
    /// What is saved of the other damages, on average, in their order.
    pub beside: Vec<Option<f64>>,
    /// Of two at once: by how much more they save than the better of both alone.
    pub gain: Option<Interval>,
}

impl Remedy {
    /// What is saved, on average.
    pub fn mean(&self) -> Option<f64> {
        self.saved
            .range()
            .map(|range| range.mean)
            .or(self.saved.difference.mean())
    }
}

/// What mends, and what makes it worse.
#[derive(Clone, PartialEq, Debug)]
pub struct Remedies {
    /// What is saved.
    pub damage: Damage,
    /// Other damages, told beside.
    pub beside: Vec<Damage>,
    /// Everything that was tried.
    pub candidates: Vec<Candidate>,
    /// What the selection saw of each.
    pub seen: Vec<Seen>,
    /// Candidates in the order of the selection, the best first: all that there is to tell when it was stopped before the final.
    pub selected: Vec<usize>,
    /// The damages as it is, on average over the final: the one that is saved first, the others in their order.
    pub as_is: Vec<Option<f64>>,
    /// The best, best first, those of which no difference shows last.
    pub ranked: Vec<Remedy>,
    /// Those at the head that save as much as the first, as far as it matters.
    pub peers: usize,
    /// Two at once that save surely more than either alone, best first.
    pub pairs: Vec<Remedy>,
    /// Pairs that were tried.
    pub pairs_tried: usize,
    /// What surely makes it worse, worst first.
    pub harmful: Vec<Remedy>,
    /// Replications of the final that are whole.
    pub replications: u64,
    /// Runs that were made.
    pub runs: u64,
    /// Runs that all candidates with all replications would have taken.
    pub grid: u64,
    /// The level of the intervals.
    pub level: f64,
    /// Whether it was stopped.
    pub interrupted: bool,
}

impl Search<'_> {
    pub(super) fn found(&self) -> Remedies {
        let singles = self
            .best
            .iter()
            .chain(&self.worst)
            .map(|&who| (who, vec![who - 1], self.candidates[who - 1].sets.clone()));
        let first_pair = self.models.len() - self.pairs.len();
        let both = self.pairs.iter().enumerate().map(|(at, (of, sets))| {
            (
                first_pair + at,
                of.map(|who| who - 1).to_vec(),
                sets.clone(),
            )
        });
        let all: Vec<(usize, Vec<usize>, Sets)> = singles.chain(both).collect();
        let series = all
            .iter()
            .map(|(who, ..)| [self.series(*who), self.series(0)]);
        let differences = paired(series.collect(), self.plan.level);
        let mut known: Vec<(usize, Remedy)> = Vec::new();
        for ((who, of, sets), saved) in all.into_iter().zip(differences) {
            known.push((who, self.remedy(who, of, sets, saved)));
        }
        let of = |who: usize| {
            known
                .iter()
                .find(|(other, _)| *other == who)
                .map(|(_, remedy)| remedy)
        };
        let value = |who: usize, damage: usize| {
            saved(&self.finals[0], &self.finals[who], damage).unwrap_or(f64::NEG_INFINITY)
        };
        let sign = |who: &usize| of(*who).map_or(0, |remedy| remedy.saved.sign());
        let remedies = |who: &[usize]| -> Vec<Remedy> {
            who.iter().filter_map(|who| of(*who)).cloned().collect()
        };
        let whole = self.whole();
        let singles = self.order(self.best.clone(), &value);
        let (mut ranked, none): (Vec<usize>, Vec<usize>) = (singles.iter().copied())
            .filter(|who| whole > 0 && sign(who) >= 0)
            .partition(|who| sign(who) > 0);
        let something = NOTHING * self.as_is(0).unwrap_or(0.0).abs();
        let most = ranked.first().map_or(0.0, |who| value(*who, 0));
        let peers = ranked
            .iter()
            .take_while(|who| value(**who, 0) >= most - something)
            .count();
        ranked.extend(none);
        let mut harmful: Vec<usize> = self.best.iter().chain(&self.worst).copied().collect();
        harmful.retain(|who| sign(who) < 0);
        harmful.sort_by(|a, b| value(*a, 0).total_cmp(&value(*b, 0)));
        let pairs = self.gains((first_pair..self.models.len()).collect(), &value);
        let pairs = pairs.into_iter().filter_map(|(who, gain)| {
            let pair = of(who)?.clone();
            Some(Remedy {
                gain: Some(gain),
                ..pair
            })
        });
        Remedies {
            damage: self.plan.damage.clone(),
            beside: self.damages[1..].to_vec(),
            seen: (1..=self.candidates.len())
                .map(|who| self.seen(who))
                .collect(),
            selected: (self.ordered((1..=self.candidates.len()).collect()).iter())
                .map(|who| who - 1)
                .collect(),
            as_is: (0..self.damages.len())
                .map(|damage| self.as_is(damage))
                .collect(),
            ranked: remedies(&ranked),
            peers,
            pairs: pairs.collect(),
            pairs_tried: self.pairs.len(),
            harmful: remedies(&harmful),
            replications: whole as u64,
            runs: self.runs,
            grid: (self.candidates.len() as u64 + 1) * self.plan.replications,
            level: self.plan.level,
            interrupted: self.interrupted,
            candidates: self.candidates.clone(),
        }
    }

    /// The damages of a model in the final; `None` for a replication without one.
    fn series(&self, who: usize) -> Vec<Option<f64>> {
        let all = self.finals[who].iter().take(self.whole());
        all.map(|values| values[0]).collect()
    }

    /// Replications of the final that all have which are in it.
    fn whole(&self) -> usize {
        self.finals.iter().skip(1).map(Vec::len).max().unwrap_or(0)
    }

    fn remedy(&self, who: usize, of: Vec<usize>, sets: Sets, difference: Pair) -> Remedy {
        let damage = mean(self.finals[who].iter().map(|values| values[0]));
        let saved = |at| saved(&self.finals[0], &self.finals[who], at);
        let as_is = self.as_is(0).filter(|damage| *damage != 0.0);
        Remedy {
            of,
            sets,
            damage,
            share: as_is.and_then(|as_is| Some(saved(0)? / as_is.abs())),
            beside: (1..self.damages.len()).map(saved).collect(),
            saved: difference,
            gain: None,
        }
    }

    /// Pairs that surely save more than the better of both alone, best first, and by how much.
    fn gains(
        &self,
        pairs: Vec<usize>,
        value: &dyn Fn(usize, usize) -> f64,
    ) -> Vec<(usize, Interval)> {
        let first = pairs.first().copied().unwrap_or(0);
        let better = |pair: usize| {
            let [one, other] = self.pairs[pair - first].0;
            if value(one, 0) >= value(other, 0) {
                one
            } else {
                other
            }
        };
        let series = pairs
            .iter()
            .map(|&pair| [self.series(pair), self.series(better(pair))]);
        let gains = paired(series.collect(), self.plan.level);
        let mut found: Vec<(usize, Interval)> = pairs
            .into_iter()
            .zip(gains)
            .filter(|(_, gain)| gain.sign() > 0)
            .filter_map(|(pair, gain)| Some((pair, gain.range()?)))
            .collect();
        found.sort_by(|a, b| value(b.0, 0).total_cmp(&value(a.0, 0)).then(a.0.cmp(&b.0)));
        found
    }

    fn seen(&self, who: usize) -> Seen {
        Seen {
            replications: self.selection[who].len() as u64,
            saved: saved(&self.selection[0], &self.selection[who], 0),
        }
    }
}
