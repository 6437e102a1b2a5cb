//! Whether what was measured agrees with what was expected.

use crate::statistics::{Moments, student_quantile};

/// How much may be spent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Effort {
    /// Minutes in all: for continuous integration.
    Fast,
    /// As much as the classes ask for.
    Full,
}

/// How strictly a figure is compared; see [`crate::verify`].
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Class {
    /// Exact and without chance.
    Exact,
    /// Exact reference, light tail.
    A,
    /// Exact reference, high load or heavy tail.
    B,
    /// A limit or approximation, within a relative tolerance.
    C(f64),
    /// A simulation by others with the standard error it states.
    D(f64),
    /// A simulation by others, within a relative tolerance.
    Within(f64),
}

/// What a comparison says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// They agree.
    Passed,
    /// They do not.
    Failed,
    /// The measurement is too imprecise for its class to say.
    Imprecise,
}

/// A comparison.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Judged {
    /// The reference.
    pub expected: f64,
    /// Mean over replications.
    pub measured: f64,
    /// Half-width of its 95 % interval.
    pub half_width: f64,
    /// Its standard error.
    pub standard_error: f64,
    /// How far it may be from the reference.
    pub tolerance: f64,
    /// The verdict.
    pub verdict: Verdict,
    /// Whether an error of 2 % would have been seen.
    pub sight: Sight,
}

/// Whether a comparison would have seen an error of 2 %.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Sight {
    /// A reference 2 % higher, and one 2 % lower, would have been refused.
    Sharp,
    /// The measurement is precise enough, but the reference itself is not known so exactly.
    Loose,
    /// The measurement is not precise enough.
    Wide,
}

/// Relative error of a reference that a comparison should see.
const SHARP: f64 = 0.02;

impl Class {
    /// As written behind a demand: `A`, `C 1%`, `D 0.0005`, `within 3%`, `=`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let share = |text: &str| {
            let number: f64 = text.trim().strip_suffix('%')?.trim().parse().ok()?;
            Some(number / 100.0)
        };
        let (word, rest) = text.trim().split_once(' ').unwrap_or((text.trim(), ""));
        match word {
            "=" => Some(Self::Exact),
            "A" => Some(Self::A),
            "B" => Some(Self::B),
            "C" => share(rest).map(Self::C),
            "D" => rest.trim().parse().ok().map(Self::D),
            "within" => share(rest).map(Self::Within),
            _ => None,
        }
    }

    /// The letter shown.
    pub fn letter(self) -> &'static str {
        match self {
            Self::Exact => "=",
            Self::A => "A",
            Self::B => "B",
            Self::C(_) => "C",
            Self::D(_) | Self::Within(_) => "D",
        }
    }

    /// Largest standard error, relative to the reference.
    fn precision(self, effort: Effort) -> f64 {
        match (self, effort) {
            (Self::Exact, _) => f64::INFINITY,
            (Self::A, Effort::Full) => 0.0025,
            (Self::A | Self::D(_), _) => 0.004,
            (Self::B, _) => 0.01,
            // What is within the tolerance by luck alone says nothing.
            (Self::C(tolerance) | Self::Within(tolerance), _) => 0.5 * tolerance,
        }
    }

    /// How far a mean with this standard error may be from the reference.
    fn tolerance(self, expected: f64, se: f64) -> f64 {
        match self {
            Self::Exact => 1e-9 * expected.abs(),
            Self::A => (4.0 * se).max(1e-3 * expected.abs()),
            Self::B => 4.0 * se,
            Self::C(tolerance) | Self::Within(tolerance) => tolerance * expected.abs(),
            Self::D(other) => 4.0 * (se * se + other * other).sqrt(),
        }
    }
}

/// Compares the values of the replications with the reference.
pub(super) fn judge(values: &[f64], expected: f64, class: Class, effort: Effort) -> Judged {
    let moments = Moments::of(values);
    let (measured, n) = (moments.mean(), values.len() as f64);
    let se = if values.len() > 1 {
        moments.standard_error()
    } else {
        0.0
    };
    let half_width = if values.len() > 1 {
        student_quantile(0.975, n - 1.0) * se
    } else {
        0.0
    };
    let agrees = |reference: f64| {
        let distance = (measured - reference).abs();
        // Not a number agrees with nothing.
        distance <= class.tolerance(reference, se)
    };
    // A reference of zero, such as a correlation, is measured on the scale of one.
    let scale = if expected == 0.0 { 1.0 } else { expected.abs() };
    let precise = se <= class.precision(effort) * scale;
    let sharp = if !agrees(expected) {
        // It has refused one.
        true
    } else if expected == 0.0 {
        4.0 * se <= SHARP
    } else {
        !agrees(expected * (1.0 + SHARP)) && !agrees(expected * (1.0 - SHARP))
    };
    let exact = matches!(class, Class::Exact | Class::A | Class::B);
    let sight = match sharp {
        true => Sight::Sharp,
        false if !exact && 4.0 * se <= SHARP * scale => Sight::Loose,
        false => Sight::Wide,
    };
    Judged {
        expected,
        measured,
        half_width,
        standard_error: se,
        tolerance: class.tolerance(expected, se),
        verdict: match (agrees(expected), precise) {
            (false, _) => Verdict::Failed,
            (true, false) => Verdict::Imprecise,
            (true, true) => Verdict::Passed,
        },
        sight,
    }
}

impl Sight {
    /// The mark shown.
    pub fn mark(self) -> char {
        match self {
            Self::Sharp => ' ',
            Self::Loose => '≈',
            Self::Wide => '~',
        }
    }
}

impl Verdict {
    /// The word shown.
    pub fn word(self) -> &'static str {
        match self {
            Self::Passed => "pass",
            Self::Failed => "FAIL",
            Self::Imprecise => "imprecise",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(values: &[f64], expected: f64, class: &str) -> (Verdict, bool) {
        let class = Class::parse(class).unwrap_or_else(|| panic!("{class:?}"));
        let judged = judge(values, expected, class, Effort::Full);
        (judged.verdict, judged.sight == Sight::Sharp)
    }

    /// Mean 1 and standard error 0.002.
    const PRECISE: &[f64] = &[0.992, 1.008, 0.996, 1.004, 0.994, 1.006, 1.002, 0.998];

    #[test]
    fn a_reference_two_per_cent_off_is_refused() {
        for class in ["A", "B", "C 1%", "D 0.0005", "within 1%", "="] {
            let exact = if class == "=" {
                &[1.0, 1.0][..]
            } else {
                PRECISE
            };
            assert_eq!(
                verdict(exact, 1.0, class),
                (Verdict::Passed, true),
                "{class}"
            );
            for wrong in [0.98, 1.02] {
                assert_eq!(verdict(exact, wrong, class).0, Verdict::Failed, "{class}");
            }
        }
    }

    #[test]
    fn what_is_too_imprecise_does_not_pass() {
        let wide = [0.9, 1.1, 0.95, 1.05];
        for class in ["A", "B", "C 1%"] {
            let (verdict, sharp) = verdict(&wide, 1.0, class);
            assert_eq!(
                (verdict, sharp),
                (Verdict::Imprecise, class == "C 1%"),
                "{class}"
            );
        }
    }

    #[test]
    fn what_would_not_see_two_per_cent_says_whose_fault_it_is() {
        let sight = |values: &[f64], class: &str| {
            let class = Class::parse(class).unwrap_or_else(|| panic!("{class:?}"));
            judge(values, 1.0, class, Effort::Full).sight
        };
        assert_eq!(sight(PRECISE, "B"), Sight::Sharp);
        assert_eq!(sight(PRECISE, "C 5%"), Sight::Loose);
        assert_eq!(sight(PRECISE, "D 0.02"), Sight::Loose);
        let wide = [0.95, 1.05, 0.975, 1.025];
        for class in ["A", "B", "C 5%", "D 0.02"] {
            assert_eq!(sight(&wide, class), Sight::Wide, "{class}");
        }
    }

    #[test]
    fn nonsense_agrees_with_nothing() {
        assert_eq!(verdict(&[f64::NAN, 1.0], 1.0, "A").0, Verdict::Failed);
        assert_eq!(Class::parse("F"), None);
        assert_eq!(Class::parse("C"), None);
    }
}
