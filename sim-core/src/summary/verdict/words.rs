//! Parts of sentences, so that one figure never reads in two ways.

use super::evidence::Evidence;
use crate::readable;
use crate::time::{Duration, Instant};

/// A share of one in per cent.
pub(super) fn share(part: f64) -> String {
    if part > 0.0 && part < 0.0005 {
        return "less than 0.1 %".to_owned();
    }
    if part < 1.0 && part > 0.9995 {
        return "more than 99.9 %".to_owned();
    }
    // Three digits are plenty for what is measured over half a minute.
    readable::share((part * 1000.0).round() / 1000.0)
}

/// A rate per second.
pub(super) fn rate(hz: f64) -> String {
    let rounded = if hz >= 100.0 { hz.round() } else { hz };
    format!("{}/s", readable::short(rounded))
}

/// A load: so many times what can be done.
pub(super) fn times(load: f64) -> String {
    if load.is_infinite() {
        "more than nothing".to_owned()
    } else if load > 0.0 && load < 0.005 {
        "less than 0.01".to_owned()
    } else if (load - 1.0).abs() < 0.005 {
        // On which side of one it is matters more than where it lies.
        let digits = format!("{load:.3}");
        match digits.as_str() {
            "1.000" if load > 1.0 => "just above 1".to_owned(),
            "1.000" if load < 1.0 => "just below 1".to_owned(),
            "1.000" => "1.00".to_owned(),
            _ => digits,
        }
    } else if load >= 100.0 {
        readable::short(load.round())
    } else {
        format!("{load:.2}")
    }
}

/// The first few of some names.
pub(super) fn quoted(names: &[String]) -> String {
    let names = names.iter().take(3);
    let quoted: Vec<String> = names.map(|name| format!("`{name}`")).collect();
    quoted.join(", ")
}

/// A span of time.
pub(super) fn of_time(seconds: f64) -> String {
    let rounded = if seconds >= 10.0 {
        seconds.round()
    } else {
        seconds
    };
    readable::span(Duration::from_secs_f64(rounded.max(0.0)))
}

/// A moment of the run.
pub(super) fn moment(e: &Evidence<'_>, at_s: f64) -> String {
    readable::moment(Instant(Duration::from_secs_f64(at_s).0), e.model.clock)
}

/// ` since 5m (for 3m)`, or nothing where it is not known.
pub(super) fn since(e: &Evidence<'_>, at_s: Option<f64>) -> String {
    match at_s {
        Some(at_s) if at_s > 0.0 => format!(" since {}", moment(e, at_s)),
        Some(_) => " since the start".to_owned(),
        None => String::new(),
    }
}

/// ` since 5m` of several things, or `, the last since 5m` where not all began at once.
pub(super) fn since_all(e: &Evidence<'_>, at_s: impl Iterator<Item = f64> + Clone) -> String {
    let first = since(e, at_s.clone().min_by(f64::total_cmp));
    let last = since(e, at_s.max_by(f64::total_cmp));
    if first == last {
        last
    } else {
        format!(", the last{last}")
    }
}

/// The share of each of several things: `5 %`, or `5 % to 50 %` where they differ.
pub(super) fn shares(parts: impl Iterator<Item = f64> + Clone) -> String {
    let least = share(parts.clone().min_by(f64::total_cmp).unwrap_or(0.0));
    let most = share(parts.max_by(f64::total_cmp).unwrap_or(0.0));
    if least == most {
        most
    } else {
        format!("{least} to {most}")
    }
}

/// So many of something.
pub(super) fn counted(count: usize, one: &str, many: &str) -> String {
    format!(
        "{} {}",
        readable::number(count as f64),
        if count == 1 { one } else { many }
    )
}

/// `a`, `a and b`, `a, b and 7 more`.
pub(super) fn list(names: &[&str]) -> String {
    match names {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [one, two] => format!("{one} and {two}"),
        [one, two, three] => format!("{one}, {two} and {three}"),
        [one, two, rest @ ..] => format!("{one}, {two} and {} more", rest.len()),
    }
}
