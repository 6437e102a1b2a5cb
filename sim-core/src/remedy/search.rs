//! Selection, final and pairs: successive halving (Jamieson and Talwalkar, Non-stochastic Best Arm Identification and
//! Hyperparameter Optimization, AISTATS 2016) under common random numbers.

use super::journal::{Known, line_of};
use super::order::{Key, NOTHING, order};
use super::{Candidate, Damage, Made, Sets};
pub use crate::doctor::Read;
use crate::experiment::Control;
use crate::model::Model;
use crate::scenario::Problems;
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

/// Runs that were made before, and whom to tell of each that is made now.
#[derive(Clone, Copy)]
pub(super) struct Memory<'a> {
    pub known: &'a Known,
    pub keep: &'a (dyn Fn(&str) + Sync),
}

/// The damages of a run, in their order.
pub(super) type Values = Vec<Option<f64>>;

pub(super) struct Search<'a> {
    pub(super) plan: &'a RemedyPlan,
    control: &'a Control<'a>,
    memory: Memory<'a>,
    /// The one that is saved, and the others.
    pub(super) damages: Vec<Damage>,
    pub(super) candidates: Vec<Candidate>,
    /// The system as it is, then that of each candidate, then of each pair.
    pub(super) models: Vec<Arc<Model>>,
    /// By model: the replications of the selection, and of the final.
    pub(super) selection: Vec<Vec<Values>>,
    pub(super) finals: Vec<Vec<Values>>,
    /// The candidates of each pair, with what it sets.
    pub(super) pairs: Vec<([usize; 2], Sets)>,
    /// The numbers of the models in the final.
    pub(super) best: Vec<usize>,
    pub(super) worst: Vec<usize>,
    pub(super) runs: u64,
    pub(super) interrupted: bool,
}

impl<'a> Search<'a> {
    pub(super) fn new(
        model: Model,
        made: Vec<Made>,
        plan: &'a RemedyPlan,
        control: &'a Control<'a>,
        memory: Memory<'a>,
    ) -> Self {
        let mut damages = vec![plan.damage.clone()];
        damages.extend(plan.damage.beside(&model));
        let mut models = vec![Arc::new(model)];
        models.extend(made.iter().map(|made| Arc::clone(&made.model)));
        Self {
            plan,
            control,
            memory,
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

    pub(super) fn run(&mut self, read: &Read<'_>) {
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
        let who_len = who.len();
        control.plan(jobs as u64);
        let mut seen = control.map(jobs, |i| {
            let who = who[i % who.len()];
            let replication = first + (i / who_len) as u64;
            let values = if let Some(values) = self.memory.known.run(who, replication) {
                values.clone()
            } else {
                let model = &self.models[who];
                let values = observe(model, replication, &self.damages, control)?;
                (self.memory.keep)(&line_of(who, replication, &values));
                values
            };
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
    pub(super) fn as_is(&self, damage: usize) -> Option<f64> {
        mean(self.finals[0].iter().map(|values| values[damage]))
    }

    /// What a candidate saved of a damage in the selection; the least of all where that is not known.
    fn selected(&self, who: usize, damage: usize) -> f64 {
        saved(&self.selection[0], &self.selection[who], damage).unwrap_or(f64::NEG_INFINITY)
    }

    /// Models in the order of what they saved in the selection.
    pub(super) fn ordered(&self, who: Vec<usize>) -> Vec<usize> {
        self.order(who, &|who, damage| self.selected(who, damage))
    }

    /// By the damage that is saved, the cost, and the other damages.
    pub(super) fn order(&self, who: Vec<usize>, saved: &dyn Fn(usize, usize) -> f64) -> Vec<usize> {
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
}

/// Runs a replication to its end and looks at its damages; `None` if told to stop. One that ends early says nothing.
fn observe(
    model: &Arc<Model>,
    replication: u64,
    damages: &[Damage],
    control: &Control<'_>,
) -> Option<Values> {
    let simulation = control.simulate(model, replication)?;
    let summary = Summary::of(&simulation, 0);
    let of = |damage: &Damage| {
        damage
            .of(&simulation, &summary)
            .filter(|_| summary.complete)
    };
    Some(damages.iter().map(of).collect())
}

/// What one saves of a damage against another, on average over the replications that it has.
pub(super) fn saved(as_is: &[Values], with: &[Values], damage: usize) -> Option<f64> {
    mean(
        with.iter()
            .zip(as_is)
            .map(|(with, as_is)| Some(as_is[damage]? - with[damage]?)),
    )
}

/// `None` where there is none, or one is missing.
pub(super) fn mean(values: impl Iterator<Item = Option<f64>>) -> Option<f64> {
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
