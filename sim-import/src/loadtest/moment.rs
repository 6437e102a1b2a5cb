//! Moments of single requests, and what they say of the rate.

use sim_core::date;

const SECOND: i128 = 1_000_000_000;
/// Corners of a profile at most.
const CORNERS: usize = 60;
/// Requests between two corners at least, so that the profile shows the rate and not chance.
const REQUESTS: usize = 100;

/// Seconds since 1970 of `2025-03-03T09:00:03.25+01:00`.
pub(super) fn moment(text: &str) -> Option<f64> {
    let read = date::iso(text.as_bytes())?;
    // A float of so many nanoseconds would know 256 of them only.
    let seconds = read.ns.div_euclid(SECOND) as f64 + read.ns.rem_euclid(SECOND) as f64 / 1e9;
    (read.end == text.len()).then_some(seconds)
}

/// The rate over time of requests that came at these moments: seconds since the first, and the rate from
/// then on. Also how long it went on.
pub(super) fn profile(mut moments: Vec<f64>) -> (Vec<(f64, f64)>, f64) {
    moments.sort_by(f64::total_cmp);
    let (Some(first), Some(last)) = (moments.first().copied(), moments.last().copied()) else {
        return (Vec::new(), 0.0);
    };
    let whole = last - first;
    let parts = (moments.len() / REQUESTS).clamp(1, CORNERS);
    let width = whole / parts as f64;
    if width <= 0.0 {
        return (Vec::new(), 0.0);
    }
    let mut counts = vec![0_u64; parts];
    for moment in &moments {
        let part = ((moment - first) / width) as usize;
        counts[part.min(parts - 1)] += 1;
    }
    let corners = counts.iter().enumerate();
    let corners = corners.map(|(part, count)| (part as f64 * width, *count as f64 / width));
    (corners.collect(), whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_have_zones() {
        for (text, wanted) in [
            ("2025-03-03T09:00:03Z", Some(1_740_992_403.0)),
            ("2025-03-03T10:00:03.25+01:00", Some(1_740_992_403.25)),
            ("2025-03-03T04:00:03-0500", Some(1_740_992_403.0)),
            ("2025-13-03T09:00:03Z", None),
            ("2025-03-03T09:00:03X", None),
            ("2025-03-03", None),
            ("2025-03-03T09:00:0é", None),
        ] {
            assert_eq!(moment(text), wanted, "{text}");
        }
    }

    #[test]
    fn a_profile_has_as_many_requests_as_came() {
        let moments: Vec<f64> = (0..1000).map(|n| f64::from(n) / 10.0).rev().collect();
        let (profile, whole) = profile(moments);
        assert!((whole - 99.9).abs() < 1e-9);
        assert_eq!(profile.len(), 10);
        assert!(
            profile.iter().all(|(_, rate)| (rate - 10.0).abs() < 0.3),
            "{profile:?}"
        );
    }
}
