//! Moments of single requests, and what they say of the rate.

/// Corners of a profile at most.
const CORNERS: usize = 60;
/// Requests between two corners at least, so that the profile shows the rate and not chance.
const REQUESTS: usize = 100;

/// Seconds since 1970 of `2025-03-03T09:00:03.25+01:00`.
pub(super) fn moment(text: &str) -> Option<f64> {
    let (date, rest) = text.split_at_checked(19)?;
    let number = |from: usize, to: usize| -> Option<i64> {
        let digits = date.get(from..to)?;
        digits
            .bytes()
            .all(|byte| byte.is_ascii_digit())
            .then(|| digits.parse().ok())?
    };
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    if !(1..=12).contains(&month)
        || !(1..=31).contains(&day)
        || hour > 23
        || minute > 59
        || second > 60
    {
        return None;
    }
    let zone = rest.trim_start_matches(|c: char| c == '.' || c.is_ascii_digit());
    let fraction = &rest[..rest.len() - zone.len()];
    let fraction: f64 = if fraction.is_empty() {
        0.0
    } else {
        format!("0{fraction}").parse().ok()?
    };
    let east = match zone {
        "" | "Z" => 0,
        _ => {
            let (sign, digits) = (zone.get(..1)?, zone.get(1..)?.replace(':', ""));
            let digits: i64 = (digits.len() == 4).then(|| digits.parse().ok())??;
            let east = (digits / 100 * 60 + digits % 100) * 60;
            match sign {
                "+" => east,
                "-" => -east,
                _ => return None,
            }
        }
    };
    // H. Hinnant, "chrono-Compatible Low-Level Date Algorithms", `days_from_civil`.
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_year = (153 * (if month > 2 { month - 3 } else { month + 9 }) + 2) / 5 + day - 1;
    let of_era = year.rem_euclid(400);
    let days = era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468;
    let seconds = ((days * 24 + hour) * 60 + minute) * 60 + second - east;
    Some(seconds as f64 + fraction)
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
