//! Ranking and selection with an indifference zone: the fully sequential procedure KN.
//!
//! S.-H. Kim and B. L. Nelson, "A fully sequential procedure for indifference-zone selection in
//! simulation", ACM TOMACS 11(3), 2001. Observations of different systems may depend on each other, as they do
//! under common random numbers: all that enters is the variance of differences.

use super::Moments;

/// The constant `h²` of KN: how many times the variance of a difference, over the square of the indifference,
/// a pair may take, for so many systems, observations of the first stage and confidence.
pub fn kn_h2(systems: usize, first_stage: u64, level: f64) -> f64 {
    let df = first_stage.saturating_sub(1).max(1) as f64;
    let share = 2.0 * (1.0 - level) / systems.saturating_sub(1).max(1) as f64;
    // With c = 1, as the paper recommends: eta = ((2α/(k − 1))^(−2/(n₀ − 1)) − 1) / 2.
    (libm::pow(share, -2.0 / df) - 1.0) * df
}

/// A system that is out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Dropped {
    /// After so many observations.
    pub after: u64,
    /// Which system was surely better, unless by less than the indifference.
    pub by: usize,
}

/// The procedure, fed with an observation of every system that is left at a time. The least mean is the best.
#[derive(Clone, PartialEq, Debug)]
pub struct Knockout {
    indifference: f64,
    first_stage: u64,
    h2: f64,
    /// Observations of the first stage, by system; empty once the variances of differences are known.
    first: Vec<Vec<f64>>,
    /// `h² · S²` of each pair.
    spread: Vec<Vec<f64>>,
    sums: Vec<f64>,
    taken: u64,
    dropped: Vec<Option<Dropped>>,
    best: Option<usize>,
}

impl Knockout {
    /// Before the first observation of two or more systems.
    pub fn new(systems: usize, indifference: f64, level: f64, first_stage: u64) -> Self {
        assert!(systems > 1, "a selection is among several");
        assert!(indifference > 0.0, "an indifference is above zero");
        let first_stage = first_stage.max(2);
        Self {
            indifference,
            first_stage,
            h2: kn_h2(systems, first_stage, level),
            first: vec![Vec::new(); systems],
            spread: Vec::new(),
            sums: vec![0.0; systems],
            taken: 0,
            dropped: vec![None; systems],
            best: None,
        }
    }

    /// [`kn_h2`] of this selection.
    pub fn h2(&self) -> f64 {
        self.h2
    }

    /// Systems that are not out, in their order.
    pub fn left(&self) -> Vec<usize> {
        let all = 0..self.dropped.len();
        all.filter(|&i| self.dropped[i].is_none()).collect()
    }

    /// What became of each.
    pub fn dropped(&self) -> &[Option<Dropped>] {
        &self.dropped
    }

    /// The selected system, once there is one.
    pub fn best(&self) -> Option<usize> {
        self.best
    }

    /// Observations of each that it will take at most: known after the first stage, until one is selected.
    pub fn most(&self) -> Option<u64> {
        let left = self.left();
        let pairs = left.iter().flat_map(|&i| left.iter().map(move |&j| (i, j)));
        let most = pairs.map(|(i, j)| self.spread.get(i)?.get(j).copied());
        let most = most.collect::<Option<Vec<f64>>>()?;
        if self.best.is_some() {
            return None;
        }
        let most = most.into_iter().fold(0.0, f64::max);
        // One more than every pair has room for.
        let needed = (most / (self.indifference * self.indifference)) as u64;
        Some(needed.saturating_add(1).max(self.first_stage))
    }

    /// Takes an observation of each system that is left, in their order.
    pub fn take(&mut self, values: &[f64]) {
        let left = self.left();
        assert_eq!(left.len(), values.len(), "one of each that is left");
        self.taken += 1;
        for (&system, &value) in left.iter().zip(values) {
            self.sums[system] += value;
            if self.taken <= self.first_stage {
                self.first[system].push(value);
            }
        }
        if self.taken < self.first_stage || self.best.is_some() {
            return;
        }
        if self.taken == self.first_stage {
            self.end_first_stage();
        }
        self.screen(&left);
    }

    fn end_first_stage(&mut self) {
        let first = std::mem::take(&mut self.first);
        let variance = |one: &[f64], other: &[f64]| {
            let differences: Vec<f64> = one.iter().zip(other).map(|(a, b)| a - b).collect();
            Moments::of(&differences).variance()
        };
        let row = |one: &Vec<f64>| {
            let spread = |other: &Vec<f64>| self.h2 * variance(one, other);
            first.iter().map(spread).collect()
        };
        self.spread = first.iter().map(row).collect();
    }

    /// Drops whoever is behind another by more than chance explains.
    fn screen(&mut self, left: &[usize]) {
        let taken = self.taken as f64;
        let mean = |system: usize| self.sums[system] / taken;
        // The room that a pair has left: it shrinks to nothing.
        let room = |i: usize, j: usize| {
            let full = self.spread[i][j] / (self.indifference * self.indifference);
            (self.indifference / (2.0 * taken) * (full - taken)).max(0.0)
        };
        let behind = |&i: &usize| {
            let ahead = |&&j: &&usize| mean(i) > mean(j) + room(i, j);
            let by = left
                .iter()
                .filter(ahead)
                .min_by(|a, b| mean(**a).total_cmp(&mean(**b)))?;
            let after = self.taken;
            Some((i, Dropped { after, by: *by }))
        };
        let out: Vec<(usize, Dropped)> = left.iter().filter_map(behind).collect();
        for (system, dropped) in out {
            self.dropped[system] = Some(dropped);
        }
        let left = self.left();
        if left.len() > 1 && self.most().is_some_and(|most| self.taken < most) {
            return;
        }
        // Those that are left beside it are the same in every observation.
        let mean = |system: &usize| self.sums[*system] / taken;
        let best = left
            .iter()
            .min_by(|a, b| mean(a).total_cmp(&mean(b)).then(a.cmp(b)));
        self.best = best.copied();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draws::Stream;

    #[test]
    fn the_constants_are_those_computed_elsewhere() {
        for (systems, first_stage, h2) in [
            (2, 10, 6.012_905),
            (2, 20, 5.211_225),
            (5, 20, 9.015_056),
            (10, 10, 15.463_502),
            (10, 20, 11.511_485),
            (10, 30, 10.552_446),
            (20, 30, 12.644_094),
        ] {
            let found = kn_h2(systems, first_stage, 0.95);
            assert!(
                (found - h2).abs() < 5e-7,
                "{systems} {first_stage}: {found}"
            );
        }
    }

    /// How often the best of normal systems, which is better than each other by the indifference exactly, is
    /// selected, and how many observations that takes on average. `shared` is the standard deviation of what all
    /// systems have in common.
    fn selected(shared: f64, decide: impl Fn(&mut Knockout, usize) -> usize) -> (f64, f64) {
        const SYSTEMS: usize = 5;
        const INDIFFERENCE: f64 = 0.5;
        let repeats = 1000;
        let (mut right, mut observations) = (0.0, 0.0);
        for repeat in 0..repeats {
            let mut knockout = Knockout::new(SYSTEMS, INDIFFERENCE, 0.95, 10);
            let stream = Stream::new(7, repeat, "selection");
            let best = (repeat % SYSTEMS as u64) as usize;
            let mut at = 0;
            let answer = loop {
                let common = shared * stream.at(1_000_000 + at).normal();
                let value = |system: usize| {
                    let mean = if system == best { 0.0 } else { INDIFFERENCE };
                    let own = stream.at(at * SYSTEMS as u64 + system as u64).normal();
                    mean + common + own
                };
                let left = knockout.left();
                observations += left.len() as f64;
                knockout.take(&left.into_iter().map(value).collect::<Vec<f64>>());
                at += 1;
                let answer = decide(&mut knockout, at as usize);
                if answer < SYSTEMS {
                    break answer;
                }
            };
            right += f64::from(u8::from(answer == best));
        }
        (right / repeats as f64, observations / repeats as f64)
    }

    fn when_it_says(knockout: &mut Knockout, _: usize) -> usize {
        knockout.best().unwrap_or(usize::MAX)
    }

    #[test]
    fn the_best_is_selected_as_often_as_promised() {
        for shared in [0.0, 3.0] {
            let (right, observations) = selected(shared, when_it_says);
            assert!(right >= 0.95, "{right}");
            // What all have in common costs nothing.
            assert!((100.0..300.0).contains(&observations), "{observations}");
        }
    }

    #[test]
    fn whoever_decides_after_the_first_stage_is_wrong_more_often() {
        let (right, _) = selected(0.0, |knockout, taken| {
            let mean = |system: &usize| knockout.sums[*system];
            let best = (0..5).min_by(|a, b| mean(a).total_cmp(&mean(b)));
            best.filter(|_| taken == 10).unwrap_or(usize::MAX)
        });
        assert!(right < 0.8, "{right}");
    }

    #[test]
    fn those_that_are_always_equal_end_it() {
        let mut knockout = Knockout::new(3, 0.1, 0.95, 5);
        for value in [3.0, 1.0, 2.0, 5.0, 4.0] {
            assert_eq!(knockout.best(), None);
            knockout.take(&[value + 1.0, value, value]);
        }
        assert_eq!(
            knockout.best(),
            Some(1),
            "the first of two that are the same"
        );
        assert_eq!(knockout.dropped()[0], Some(Dropped { after: 5, by: 1 }));
        assert_eq!(knockout.left(), [1, 2]);
    }

    #[test]
    fn it_ends_when_it_says() {
        let mut knockout = Knockout::new(2, 0.2, 0.95, 10);
        let stream = Stream::new(1, 0, "selection");
        let mut most = None;
        for at in 0.. {
            // No difference: nothing is dropped early.
            let value = |system: u64| stream.at(2 * at + system).normal();
            knockout.take(&[value(0), value(1)]);
            if at == 9 {
                most = knockout.most();
            }
            if knockout.best().is_some() {
                assert!(Some(at + 1) <= most, "{at} of {most:?}");
                break;
            }
        }
    }
}
