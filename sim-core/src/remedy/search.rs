//! Selection, final and pairs: successive halving (Jamieson and Talwalkar, Non-stochastic Best Arm Identification and
//! Hyperparameter Optimization, AISTATS 2016) under common random numbers.

use super::order::{Key, NOTHING, order};
use super::{Candidate, Damage, Made, Sets, candidates};
pub use crate::doctor::Read;
use crate::experiment::{Control, Pair, paired, simulate};
use crate::model::Model;
use crate::scenario::Problems;
use crate::statistics::Interval;
use crate::summary::Summary;
use std::sync::Arc;

/// What is asked.
#[derive(Clone, PartialEq, Debug)]
pub struct RemedyPlan {
    /// What is to be saved.
    pub damage: Damage,
    /// Rows that propose, by their names; empty: all.
    pub only: Vec<String>,
    /// Changes that are asked for by hand: a path and a value each.
    pub tries: Vec<(String, String)>,
    /// Replications of the final, numbered from 0. Those of the selection come after them.
    pub replications: u64,
    /// Candidates that come into the final, at least 1.
    pub keep: usize,
    /// Candidates that seemed to make it worse and come there too, the worst of each row.
    pub worst: usize,
    /// The best candidates of which pairs are tried.
    pub combine: usize,
    /// How surely all intervals of savings together cover.
    pub level: f64,
}

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

/// Looks for what saves most. `read` gives the scenario with sets applied.
///
/// # Errors
/// The problems of the scenario as it is, and of what was asked for by hand.
pub fn remedy(
    read: &Read<'_>,
    plan: &RemedyPlan,
    control: &Control<'_>,
) -> Result<Remedies, Problems> {
    let scenario = read(&[])?;
    let model = model_with(read, &[])?;
    let made = candidates((&scenario, &model), &plan.only, &plan.tries, read)?;
    let mut search = Search::new(model, made, plan, control);
    search.run(read);
    Ok(search.found())
}

/// The model with sets applied. What a scenario expects of itself need not hold, or make sense, for other settings.
pub(super) fn model_with(read: &Read<'_>, sets: &[(String, String)]) -> Result<Model, Problems> {
    let mut all = sets.to_vec();
    all.push(("expect".to_owned(), "[]".to_owned()));
    read(&all)?.model()
}

/// How many go on after a round: the better quarter of many, the better half of few.
fn next(alive: usize, keep: usize) -> usize {
    let part = if alive > 4 * keep { 4 } else { 2 };
    alive.div_ceil(part).max(keep).min(alive)
}

/// The damages of a run, in their order.
type Values = Vec<Option<f64>>;

struct Search<'a> {
    plan: &'a RemedyPlan,
    control: &'a Control<'a>,
    /// The one that is saved, and the others.
    damages: Vec<Damage>,
    candidates: Vec<Candidate>,
    /// The system as it is, then that of each candidate, then of each pair.
    models: Vec<Arc<Model>>,
    /// By model: the replications of the selection, and of the final.
    selection: Vec<Vec<Values>>,
    finals: Vec<Vec<Values>>,
    /// The candidates of each pair, with what it sets.
    pairs: Vec<([usize; 2], Sets)>,
    /// The numbers of the models in the final.
    best: Vec<usize>,
    worst: Vec<usize>,
    runs: u64,
    interrupted: bool,
}

impl<'a> Search<'a> {
    fn new(model: Model, made: Vec<Made>, plan: &'a RemedyPlan, control: &'a Control<'a>) -> Self {
        let mut damages = vec![plan.damage.clone()];
        damages.extend(plan.damage.beside(&model));
        let mut models = vec![Arc::new(model)];
        models.extend(made.iter().map(|made| Arc::clone(&made.model)));
        Self {
            plan,
            control,
            damages,
            selection: vec![Vec::new(); models.len()],
            finals: vec![Vec::new(); models.len()],
            candidates: made.into_iter().map(|made| made.candidate).collect(),
            models,
            pairs: Vec::new(),
            best: Vec::new(),
            worst: Vec::new(),
            runs: 0,
            interrupted: false,
        }
    }

    fn run(&mut self, read: &Read<'_>) {
        let keep = self.plan.keep.max(1);
        let (finals, whole) = self.simulate(&[0], 0, self.plan.replications);
        self.store(&[0], finals, true);
        // Where there is no damage nothing can be saved, and nothing is looked for.
        if !whole || self.as_is(0).is_none_or(|damage| damage == 0.0) {
            return;
        }
        let mut alive: Vec<usize> = (1..self.models.len()).collect();
        // Where all come into the final, and no pairs are to be chosen, there is nothing to select.
        if alive.len() <= keep && self.plan.combine < 2 {
            self.best = alive;
            return self.decide();
        }
        let (mut first, mut count) = (self.plan.replications, 1);
        while !alive.is_empty() {
            let mut who = vec![0];
            who.extend(&alive);
            self.hope(alive.len(), count);
            let (seen, whole) = self.simulate(&who, first, count);
            self.store(&who, seen, false);
            if !whole {
                return;
            }
            if alive.len() <= keep {
                break;
            }
            alive = self.several(self.ordered(alive.clone()), next(alive.len(), keep));
            (first, count) = (first + count, count * 2);
            if alive.len() <= keep {
                break;
            }
        }
        self.choose(alive, read);
        self.decide();
    }

    /// The final.
    fn decide(&mut self) {
        let pairs = self.models.len() - self.pairs.len()..self.models.len();
        let who: Vec<usize> = (self.best.iter().chain(&self.worst).copied())
            .chain(pairs)
            .collect();
        self.control.hope(0);
        let (finals, _) = self.simulate(&who, 0, self.plan.replications);
        self.store(&who, finals, true);
    }

    /// Tells how many runs will follow a round with so many candidates, as far as that is known.
    fn hope(&self, mut alive: usize, mut count: u64) {
        let keep = self.plan.keep.max(1);
        let mut runs = 0;
        while next(alive, keep) > keep {
            (alive, count) = (next(alive, keep), count * 2);
            runs += (alive as u64 + 1) * count;
        }
        let finals = alive.min(keep) + self.plan.worst;
        self.control
            .hope(runs + finals as u64 * self.plan.replications);
    }

    /// Who comes into the final, by what the selection saw and nothing else.
    fn choose(&mut self, alive: Vec<usize>, read: &Read<'_>) {
        let something = NOTHING * self.as_is(0).unwrap_or(0.0).abs();
        let saves = |search: &Self, who: usize| search.selected(who, 0) > something;
        let best = self.ordered(alive);
        self.best = best.into_iter().filter(|who| saves(self, *who)).collect();
        let mut worst = self.ordered((1..self.models.len()).collect());
        worst.reverse();
        let mut rows: Vec<&str> = Vec::new();
        for who in worst {
            let (saved, row) = (self.selected(who, 0), self.candidates[who - 1].row);
            let harms = saved.is_finite() && saved < -something;
            if harms && self.worst.len() < self.plan.worst && !rows.contains(&row) {
                rows.push(row);
                self.worst.push(who);
            }
        }
        let damage = self.as_is(0).unwrap_or(0.0);
        let several: Vec<usize> = self.best.iter().take(self.plan.combine).copied().collect();
        for (at, &one) in several.iter().enumerate() {
            for &other in &several[at + 1..] {
                let better = self.selected(one, 0).max(self.selected(other, 0));
                // Where the better one leaves nothing, two cannot save more.
                if damage - better <= something {
                    continue;
                }
                let both = self.candidates[one - 1].with(&self.candidates[other - 1]);
                let Some(sets) = both else { continue };
                if let Ok(model) = model_with(read, &sets) {
                    self.models.push(Arc::new(model));
                    self.finals.push(Vec::new());
                    self.selection.push(Vec::new());
                    self.pairs.push(([one, other], sets));
                }
            }
        }
    }

    /// The first so many; of those of one row that save the same two first, as long as there are others: ten limits that all
    /// save everything tell less than five remedies.
    fn several(&self, ordered: Vec<usize>, many: usize) -> Vec<usize> {
        let something = NOTHING * self.as_is(0).unwrap_or(0.0).abs();
        let row = |who: usize| self.candidates[who - 1].row;
        let alike = |one: usize, other: usize| {
            let gap = self.selected(one, 0) - self.selected(other, 0);
            row(one) == row(other) && gap.abs() <= something
        };
        let (mut first, mut others): (Vec<usize>, Vec<usize>) = (Vec::new(), Vec::new());
        for who in ordered {
            let same = first.iter().filter(|other| alike(who, **other)).count();
            let into = if same < (many / 4).max(2) {
                &mut first
            } else {
                &mut others
            };
            into.push(who);
        }
        first.extend(others);
        first.truncate(many);
        first
    }

    /// Runs replications of several models, all of one before the next; whether all came to their end. What is cut off is
    /// still whole: each of them has as many.
    fn simulate(&mut self, who: &[usize], first: u64, count: u64) -> (Vec<Values>, bool) {
        let (control, jobs) = (self.control, who.len() * count as usize);
        control.plan(jobs as u64);
        let mut seen = control.map(jobs, |i| {
            let model = &self.models[who[i % who.len()]];
            let replication = first + (i / who.len()) as u64;
            let values = observe(model, replication, &self.damages, control)?;
            control.did_one();
            Some(values)
        });
        self.runs += seen.len() as u64;
        let whole = seen.len() == jobs;
        self.interrupted |= !whole;
        seen.truncate(seen.len() / who.len().max(1) * who.len());
        (seen, whole)
    }

    fn store(&mut self, who: &[usize], seen: Vec<Values>, is_final: bool) {
        let into = if is_final {
            &mut self.finals
        } else {
            &mut self.selection
        };
        for (i, values) in seen.into_iter().enumerate() {
            into[who[i % who.len()]].push(values);
        }
    }

    /// A damage as it is, on average over the final.
    fn as_is(&self, damage: usize) -> Option<f64> {
        mean(self.finals[0].iter().map(|values| values[damage]))
    }

    /// What a candidate saved of a damage in the selection; the least of all where that is not known.
    fn selected(&self, who: usize, damage: usize) -> f64 {
        saved(&self.selection[0], &self.selection[who], damage).unwrap_or(f64::NEG_INFINITY)
    }

    /// Models in the order of what they saved in the selection.
    fn ordered(&self, who: Vec<usize>) -> Vec<usize> {
        self.order(who, &|who, damage| self.selected(who, damage))
    }

    /// By the damage that is saved, the cost, and the other damages.
    fn order(&self, who: Vec<usize>, saved: &dyn Fn(usize, usize) -> f64) -> Vec<usize> {
        let by: Vec<_> = (0..self.damages.len())
            .map(|damage| move |who: usize| saved(who, damage))
            .collect();
        let alike = |damage: usize| NOTHING * self.as_is(damage).unwrap_or(0.0).abs();
        let cost = |who: usize| {
            let candidate = self.candidates.get(who - 1);
            candidate.map_or(0.0, |candidate| -f64::from(candidate.cost as u8))
        };
        let mut keys = vec![
            Key {
                value: &by[0],
                alike: alike(0),
            },
            Key {
                value: &cost,
                alike: 0.0,
            },
        ];
        for (at, value) in by.iter().enumerate().skip(1) {
            keys.push(Key {
                value,
                alike: alike(at),
            });
        }
        order(who, &keys)
    }

    fn found(&self) -> Remedies {
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

/// Runs a replication to its end and looks at its damages; `None` if told to stop. One that ends early says nothing.
fn observe(
    model: &Arc<Model>,
    replication: u64,
    damages: &[Damage],
    control: &Control<'_>,
) -> Option<Values> {
    let simulation = simulate(model, replication, control.cancel)?;
    let summary = Summary::of(&simulation, 0);
    let of = |damage: &Damage| {
        damage
            .of(&simulation, &summary)
            .filter(|_| summary.complete)
    };
    Some(damages.iter().map(of).collect())
}

/// What one saves of a damage against another, on average over the replications that it has.
fn saved(as_is: &[Values], with: &[Values], damage: usize) -> Option<f64> {
    mean(
        with.iter()
            .zip(as_is)
            .map(|(with, as_is)| Some(as_is[damage]? - with[damage]?)),
    )
}

/// `None` where there is none, or one is missing.
fn mean(values: impl Iterator<Item = Option<f64>>) -> Option<f64> {
    let values: Vec<f64> = values.collect::<Option<_>>()?;
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

#[cfg(test)]
mod tests {
    use super::next;

    #[test]
    fn many_are_quartered_and_few_are_halved() {
        let mut alive = vec![200];
        while *alive.last().unwrap_or(&0) > 8 {
            alive.push(next(alive[alive.len() - 1], 8));
        }
        assert_eq!(alive, [200, 50, 13, 8]);
        assert_eq!([next(20, 8), next(8, 8), next(3, 8)], [10, 8, 3]);
    }
}
