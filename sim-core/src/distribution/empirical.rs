//! An empirical law: what was measured, as a list of values or as a table of quantiles.

use super::{Distribution, DistributionDef};
use crate::draws::Draws;
use crate::extension::{ExtensionRow, ParamDef, ParamKind, ParamProblem, Params};
use crate::time::Duration;

pub(super) static DISTRIBUTION: DistributionDef = DistributionDef {
    row: ExtensionRow {
        name: "empirical",
        about: "What was measured: values of which each comes equally often, or quantiles with straight lines between them.",
        source: "",
        params: &[
            ParamDef {
                name: "values",
                about: "The times: with `probabilities` in ascending order, without them in any. In their place, `file` names a file beside the scenario with a time in each line, in seconds or with a unit; with a second column those are probabilities.",
                kind: ParamKind::Moments { file: "file" },
                default: None,
            },
            ParamDef::of(
                "probabilities",
                ParamKind::Numbers { min: 0.0, max: 1.0 },
                "[]",
                "The part of all times that is at most the value at the same place, from 0 to 1, ascending: the distribution function at these values, with straight lines between. Without them each value comes equally often, and nothing between them.",
            ),
        ],
    },
    check,
    build: |params| {
        Box::new(Empirical::new(
            params.spans("values"),
            params.numbers("probabilities"),
        ))
    },
};

fn check(params: &Params) -> Result<(), ParamProblem> {
    let (values, probabilities) = (params.spans("values"), params.numbers("probabilities"));
    let problem = |param, message: String| Err(ParamProblem { param, message });
    if values.is_empty() {
        return problem("values", "there is no value".to_owned());
    }
    if probabilities.is_empty() {
        return Ok(());
    }
    if values.len() != probabilities.len() {
        let (values, probabilities) = (values.len(), probabilities.len());
        let message = format!(
            "{values} values and {probabilities} probabilities; each value has one, or none has"
        );
        return problem("probabilities", message);
    }
    if let Some([before, after, ..]) = values.windows(2).find(|pair| pair[0] > pair[1]) {
        let message = format!("values must ascend, but {after} follows {before}");
        return problem("values", message);
    }
    let mut pairs = probabilities.windows(2);
    if let Some([before, after, ..]) = pairs.find(|pair| pair[0] >= pair[1]) {
        let message = format!("probabilities must ascend, but {after} follows {before}");
        return problem("probabilities", message);
    }
    let ends = (probabilities[0], probabilities[probabilities.len() - 1]);
    if ends != (0.0, 1.0) {
        let message = format!(
            "they go from {} to {}; the first value is that which nothing lies below, with 0, the last the greatest, with 1",
            ends.0, ends.1
        );
        return problem("probabilities", message);
    }
    Ok(())
}

/// A part of the law: values evenly between two, or always one.
#[derive(Debug)]
struct Part {
    /// The probability of all parts up to the end of this one.
    upto: f64,
    low_ns: f64,
    high_ns: f64,
}

#[derive(Debug)]
struct Empirical {
    /// In ascending order.
    parts: Vec<Part>,
}

impl Empirical {
    fn new(values: &[Duration], probabilities: &[f64]) -> Self {
        let ns = |value: &Duration| value.0 as f64;
        if probabilities.is_empty() {
            let mut sorted: Vec<f64> = values.iter().map(ns).collect();
            sorted.sort_unstable_by(f64::total_cmp);
            let count = sorted.len() as f64;
            let mut parts: Vec<Part> = Vec::new();
            for (place, &value) in sorted.iter().enumerate() {
                let upto = (place + 1) as f64 / count;
                match parts.last_mut() {
                    Some(last) if last.low_ns.to_bits() == value.to_bits() => last.upto = upto,
                    _ => parts.push(Part {
                        upto,
                        low_ns: value,
                        high_ns: value,
                    }),
                }
            }
            return Self { parts };
        }
        let pairs = values.windows(2).zip(&probabilities[1..]);
        let part = |(pair, &upto): (&[Duration], &f64)| Part {
            upto,
            low_ns: ns(&pair[0]),
            high_ns: ns(&pair[1]),
        };
        Self {
            parts: pairs.map(part).collect(),
        }
    }

    /// Probability and bounds of each part.
    fn weighed(&self) -> impl Iterator<Item = (f64, f64, f64)> {
        let before = [0.0]
            .into_iter()
            .chain(self.parts.iter().map(|part| part.upto));
        let both = self.parts.iter().zip(before);
        both.map(|(part, before)| (part.upto - before, part.low_ns, part.high_ns))
    }

    /// The mean of the k-th power over that of `unit`: of values evenly between two, the mean of
    /// all products of so many factors that are the one or the other.
    fn power(&self, k: u32, unit: f64) -> f64 {
        let of = |(weight, low, high): (f64, f64, f64)| {
            let (low, high) = (low / unit, high / unit);
            let product = |i: u32| libm::pow(low, f64::from(i)) * libm::pow(high, f64::from(k - i));
            weight * (0..=k).map(product).sum::<f64>() / f64::from(k + 1)
        };
        self.weighed().map(of).sum()
    }
}

impl Distribution for Empirical {
    fn sample_ns(&self, draws: &mut Draws) -> f64 {
        let point = draws.uniform();
        let place = self.parts.partition_point(|part| part.upto <= point);
        let place = place.min(self.parts.len() - 1);
        let part = &self.parts[place];
        let before = place.checked_sub(1).map_or(0.0, |p| self.parts[p].upto);
        let within = (point - before) / (part.upto - before);
        part.low_ns + (part.high_ns - part.low_ns) * within
    }
    fn below(&self, ns: f64) -> f64 {
        let place = self.parts.partition_point(|part| part.high_ns <= ns);
        let before = place.checked_sub(1).map_or(0.0, |p| self.parts[p].upto);
        match self.parts.get(place) {
            Some(part) if ns > part.low_ns => {
                let within = (ns - part.low_ns) / (part.high_ns - part.low_ns);
                before + (part.upto - before) * within
            }
            _ => before,
        }
    }
    fn corners_ns(&self) -> Vec<f64> {
        let both = self
            .parts
            .iter()
            .flat_map(|part| [part.low_ns, part.high_ns]);
        both.collect()
    }
    fn mean_ns(&self) -> f64 {
        self.power(1, 1.0)
    }
    fn cv2(&self) -> f64 {
        if self.constant_ns().is_some() {
            return 0.0;
        }
        // Deviations from the mean, so that small ones keep their digits.
        let mean = self.mean_ns();
        let of = |(weight, low, high): (f64, f64, f64)| {
            let (low, high) = (low / mean - 1.0, high / mean - 1.0);
            weight * (low * low + low * high + high * high) / 3.0
        };
        self.weighed().map(of).sum()
    }
    fn moment(&self, k: u32) -> f64 {
        self.power(k, self.mean_ns())
    }
    fn constant_ns(&self) -> Option<f64> {
        let (first, last) = (self.parts.first()?, self.parts.last()?);
        (first.low_ns.to_bits() == last.high_ns.to_bits()).then_some(first.low_ns)
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{assert_moments, share_below};
    use super::*;
    use crate::extension::ParamValue::{Numbers, Spans};

    fn params(values: &[u64], probabilities: &[f64]) -> Params {
        let values: Vec<Duration> = values.iter().map(|ms| Duration::from_millis(*ms)).collect();
        Params::new(vec![
            ("values", Spans(values.into())),
            ("probabilities", Numbers(probabilities.into())),
        ])
    }

    #[test]
    fn each_value_of_a_sample_comes_equally_often() {
        let law = (DISTRIBUTION.build)(&params(&[9, 1, 2, 1, 7], &[]));
        // Mean 20/5, squares 136/5.
        assert_moments(law.as_ref(), 4e6, 27.2 / 16.0 - 1.0, 0.01);
        for (bound, share) in [(1.5, 0.4), (2.5, 0.6), (7.5, 0.8), (9.5, 1.0)] {
            let found = share_below(law.as_ref(), bound * 1e6);
            assert!((found - share).abs() < 0.005, "{bound}: {found}");
            assert!((law.below(bound * 1e6) - share).abs() < 1e-12);
        }
    }

    #[test]
    fn quantiles_are_joined_by_straight_lines() {
        // Half between 0 and 2, four tenths between 2 and 4, a tenth between 4 and 24.
        let law = (DISTRIBUTION.build)(&params(&[0, 2, 4, 24], &[0.0, 0.5, 0.9, 1.0]));
        // Mean 0.5 + 1.2 + 1.4; squares 0.5·4/3 + 0.4·28/3 + 0.1·(16 + 96 + 576)/3.
        let (mean, second) = (3.1, 2.0 / 3.0 + 11.2 / 3.0 + 68.8 / 3.0);
        assert_moments(law.as_ref(), mean * 1e6, second / mean / mean - 1.0, 0.05);
        for (bound, share) in [
            (1.0, 0.25),
            (2.0, 0.5),
            (3.0, 0.7),
            (4.0, 0.9),
            (14.0, 0.95),
        ] {
            let found = share_below(law.as_ref(), bound * 1e6);
            assert!((found - share).abs() < 0.005, "{bound}: {found}");
            assert!((law.below(bound * 1e6) - share).abs() < 1e-12, "{bound}");
        }
    }

    #[test]
    fn a_value_may_hold_a_part_of_the_probability() {
        let law = (DISTRIBUTION.build)(&params(&[1, 1, 3], &[0.0, 0.5, 1.0]));
        assert_moments(law.as_ref(), 1.5e6, (0.5 + 13.0 / 6.0) / 2.25 - 1.0, 0.01);
        let found = share_below(law.as_ref(), 1e6 + 1.0);
        assert!((found - 0.5).abs() < 0.005, "{found}");
    }

    #[test]
    fn tables_that_are_no_distribution_function_are_refused() {
        for (values, probabilities, param) in [
            (&[][..], &[][..], "values"),
            (&[1, 2], &[0.0], "probabilities"),
            (&[1, 2], &[0.1, 1.0], "probabilities"),
            (&[1, 2], &[0.0, 0.9], "probabilities"),
            (&[1, 2, 3], &[0.0, 0.0, 1.0], "probabilities"),
            (&[2, 1], &[0.0, 1.0], "values"),
        ] {
            let found = check(&params(values, probabilities)).map_err(|p| p.param);
            assert_eq!(found, Err(param), "{values:?} {probabilities:?}");
        }
        assert_eq!(check(&params(&[3, 1], &[])), Ok(()));
        assert_eq!(check(&params(&[1, 1], &[0.0, 1.0])), Ok(()));
    }
}
