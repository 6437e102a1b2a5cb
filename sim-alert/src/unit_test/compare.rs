//! What is expected and what there is.

use super::Difference;
use super::read::Pairs;
use crate::eval::Sample;
use crate::number;

/// Alerts with their annotations, in any order.
pub(super) fn alerts(
    line: usize,
    what: String,
    expected: &[(Pairs, Pairs)],
    found: Vec<(Pairs, Pairs)>,
) -> Option<Difference> {
    let (mut expected, mut found) = (expected.to_vec(), found);
    expected.sort();
    found.sort();
    let show = |alerts: &[(Pairs, Pairs)]| {
        let each = alerts.iter();
        each.map(|(labels, annotations)| {
            format!("{} with annotations {}", shown(labels), shown(annotations))
        })
        .collect()
    };
    (expected != found).then(|| Difference {
        line,
        what,
        expected: show(&expected),
        found: show(&found),
        failed: false,
    })
}

fn shown(pairs: &Pairs) -> String {
    let pairs: Vec<String> = pairs
        .iter()
        .map(|(name, text)| format!("{name}={text:?}"))
        .collect();
    format!("{{{}}}", pairs.join(", "))
}

/// Samples, in any order.
pub(super) fn samples(
    line: usize,
    what: String,
    expected: &[Sample],
    found: Vec<Sample>,
    fuzzy: bool,
) -> Option<Difference> {
    let (mut expected, mut found) = (expected.to_vec(), found);
    for samples in [&mut expected, &mut found] {
        samples.sort_by(|a, b| {
            let by_labels = a.labels.cmp(&b.labels);
            by_labels.then_with(|| a.value.total_cmp(&b.value))
        });
    }
    let same = expected.len() == found.len()
        && expected.iter().zip(&found).all(|(expected, found)| {
            expected.labels == found.labels && equal(expected.value, found.value, fuzzy)
        });
    let show = |samples: &[Sample]| {
        let each = samples.iter();
        each.map(|sample| format!("{} {}", sample.labels, number::show(sample.value)))
            .collect()
    };
    (!same).then(|| Difference {
        line,
        what,
        expected: show(&expected),
        found: show(&found),
        failed: false,
    })
}

/// Equal, or neighbours among floating-point numbers.
fn equal(a: f64, b: f64, fuzzy: bool) -> bool {
    a == b || (a.is_nan() && b.is_nan()) || (fuzzy && (a.next_up() == b || a.next_down() == b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_are_equal_if_asked_for() {
        let near = 1.0_f64.next_up();
        assert!(equal(1.0, near, true) && !equal(1.0, near, false));
        assert!(!equal(1.0, near.next_up(), true));
        assert!(equal(f64::NAN, f64::NAN, false) && equal(0.0, -0.0, false));
    }
}
