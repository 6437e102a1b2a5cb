//! What templates make of values (`template/template.go`).

use super::Piece;
use crate::number;

/// Most decimals of `printf`: no number has more, and a page is no place for them.
const DECIMALS_MAX: usize = 1000;

/// A row of the table of filters.
pub(crate) struct Filter {
    pub(crate) name: &'static str,
    pub(crate) run: fn(&[Piece]) -> Option<Piece>,
}

const fn text(name: &'static str, run: fn(&[Piece]) -> Option<Piece>) -> Filter {
    Filter { name, run }
}

/// Every filter.
pub(crate) static FILTERS: [Filter; 7] = [
    text("humanize", |of| number_text(of, humanize)),
    text("humanize1024", |of| number_text(of, humanize1024)),
    text("humanizeDuration", |of| number_text(of, duration)),
    text("humanizePercentage", |of| {
        number_text(of, |value| {
            format!("{}%", number::significant(value * 100.0, 4))
        })
    }),
    text("printf", printf),
    text("toLower", |of| words(of, str::to_lowercase)),
    text("toUpper", |of| words(of, str::to_uppercase)),
];

fn number_text(of: &[Piece], show: impl Fn(f64) -> String) -> Option<Piece> {
    let [piece] = of else { return None };
    let value = match piece {
        Piece::Number(value) => *value,
        Piece::Text(text) => number::float(text)?,
    };
    Some(Piece::Text(show(value)))
}

fn words(of: &[Piece], change: impl Fn(&str) -> String) -> Option<Piece> {
    match of {
        [Piece::Text(text)] => Some(Piece::Text(change(text))),
        _ => None,
    }
}

fn scaled(value: f64, by: f64, prefixes: &[&str]) -> String {
    let (mut value, mut prefix) = (value, "");
    for next in prefixes {
        if value.abs() < by {
            break;
        }
        prefix = next;
        value /= by;
    }
    format!("{}{prefix}", number::significant(value, 4))
}

fn humanize(value: f64) -> String {
    if value == 0.0 || !value.is_finite() {
        return number::significant(value, 4);
    }
    if value.abs() >= 1.0 {
        return scaled(value, 1000.0, &["k", "M", "G", "T", "P", "E", "Z", "Y"]);
    }
    let (mut value, mut prefix) = (value, "");
    for next in ["m", "u", "n", "p", "f", "a", "z", "y"] {
        if value.abs() >= 1.0 {
            break;
        }
        prefix = next;
        value *= 1000.0;
    }
    format!("{}{prefix}", number::significant(value, 4))
}

fn humanize1024(value: f64) -> String {
    if value.abs() <= 1.0 || !value.is_finite() {
        return number::significant(value, 4);
    }
    scaled(
        value,
        1024.0,
        &["ki", "Mi", "Gi", "Ti", "Pi", "Ei", "Zi", "Yi"],
    )
}

/// Seconds as days, hours, minutes and seconds; less than one with a prefix.
fn duration(value: f64) -> String {
    if !value.is_finite() {
        return number::significant(value, 4);
    }
    if value == 0.0 {
        return "0s".to_owned();
    }
    if value.abs() < 1.0 {
        return format!("{}s", humanize(value));
    }
    let sign = if value < 0.0 { "-" } else { "" };
    let whole = value.abs() as i64;
    let (days, hours) = (whole / 86_400, whole / 3600 % 24);
    let (minutes, seconds) = (whole / 60 % 60, whole % 60);
    if days > 0 {
        return format!("{sign}{days}d {hours}h {minutes}m {seconds}s");
    }
    if hours > 0 {
        return format!("{sign}{hours}h {minutes}m {seconds}s");
    }
    if minutes > 0 {
        return format!("{sign}{minutes}m {seconds}s");
    }
    format!("{sign}{}s", number::significant(value.abs(), 4))
}

/// What is wrong with a format of `printf`, whatever it is given.
pub(super) fn wrong_format(format: &str) -> Option<String> {
    let numbers = format.split("%.").skip(1);
    let digits = |text: &str| text.chars().take_while(char::is_ascii_digit).count();
    let mut numbers = numbers.map(|text| &text[..digits(text)]);
    // What is too long to be a number is too large, too.
    let too_many = |digits: &&str| {
        let count = digits.parse();
        !digits.is_empty() && count.map_or(true, |count: usize| count > DECIMALS_MAX)
    };
    let found = numbers.find(too_many)?;
    Some(format!(
        "printf asks for {found} decimals; allowed are {DECIMALS_MAX} at most"
    ))
}

/// Go's `printf` with `%.Nf`, `%f`, `%s`, `%v` and `%%`.
fn printf(of: &[Piece]) -> Option<Piece> {
    let (Piece::Text(format), arguments) = of.split_first()? else {
        return None;
    };
    let (mut out, mut rest, mut arguments) = (String::new(), format.as_str(), arguments.iter());
    while let Some(at) = rest.find('%') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let verb_at = rest.find(|letter: char| letter.is_ascii_alphabetic() || letter == '%')?;
        let (flags, verb) = (&rest[..verb_at], &rest[verb_at..=verb_at]);
        rest = &rest[verb_at + 1..];
        match (flags, verb) {
            ("", "%") => out.push('%'),
            ("", "v") => out.push_str(&arguments.next()?.show()),
            ("", "s") => match arguments.next()? {
                Piece::Text(text) => out.push_str(text),
                Piece::Number(_) => return None,
            },
            (_, "f") => {
                let decimals = match flags {
                    "" => 6,
                    _ => flags.strip_prefix('.')?.parse().ok()?,
                };
                if decimals > DECIMALS_MAX {
                    return None;
                }
                match arguments.next()? {
                    Piece::Number(value) if value.is_finite() => {
                        let shown = format!("{value:.decimals$}");
                        out.push_str(&shown);
                    }
                    Piece::Number(value) => out.push_str(&number::show(*value)),
                    Piece::Text(_) => return None,
                }
            }
            _ => return None,
        }
    }
    out.push_str(rest);
    arguments.next().is_none().then_some(Piece::Text(out))
}
