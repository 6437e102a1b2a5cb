//! Kinds of single values a key can have: how each is read and what it becomes.

use super::problem::{Problem, Span as Place};
use super::section::{Cx, Form, KeyDef, Reads, mismatch};
use super::tree::{Node, Value};
use crate::text::{cited, shown};
use crate::time::{Clock as TimeOfDay, Duration, Instant, SECOND};

/// Any text.
pub(crate) struct Text;
/// A text of many lines, in a language of its own.
pub(crate) struct Document;
/// A name that events and paths can refer to.
pub(crate) struct Name;
/// A name, or a list of names.
pub(crate) struct Names;
/// Paths, each to a value of the scenario.
pub(crate) struct Paths;
/// A name of which more characters are allowed: of alerts and objectives.
pub(crate) struct Title;
/// A whole number.
pub(crate) struct Count;
/// A number.
pub(crate) struct Number;
/// A share of one.
pub(crate) struct Ratio;
/// A span of time.
pub(crate) struct Span;
/// A moment of the run.
pub(crate) struct Moment;
/// A time of day.
pub(crate) struct Clock;
/// Bytes.
pub(crate) struct Size;
/// Yes or no.
pub(crate) struct Flag;

/// Says that a number lies outside of its limits.
pub(crate) fn out_of_range(written: &str, what: &str, allowed: &str, span: Place) -> Problem {
    // A number of three hundred digits says less than its exponent.
    let short = (written.len() > 40)
        .then(|| written.parse::<f64>().ok())
        .flatten();
    let written = short.map_or_else(|| written.to_owned(), |number| format!("{number:e}"));
    Problem::new("E013", format!("{written} is out of range for `{what}`"))
        .at(span)
        .help(format!("allowed: {allowed}"))
}

fn limited(value: f64, written: &str, node: &Node, key: &KeyDef, cx: &mut Cx<'_>) -> Option<f64> {
    if key.limits.allow(value) {
        return Some(value);
    }
    let unit = if key.unit.is_empty() {
        String::new()
    } else {
        format!(" {}", key.unit)
    };
    cx.push(out_of_range(
        written,
        key.name,
        &format!("{}{unit}", key.limits.words()),
        node.span,
    ));
    None
}

/// A whole number without its limits.
pub(crate) fn whole(node: &Node, key: &KeyDef, cx: &mut Cx<'_>) -> Option<i128> {
    match &node.value {
        Value::Integer(i) => return Some(*i),
        Value::Float(f) if f.fract() == 0.0 && f.abs() < 1e15 => {
            cx.push(
                Problem::new("E016", format!("`{}` is a whole number", key.name))
                    .at(node.span)
                    .help(format!("write {f}")),
            );
        }
        Value::Text(text) if text.trim().parse::<i64>().is_ok() => {
            cx.push(
                mismatch(node, "a whole number", key)
                    .help(format!("write {} without quotation marks", text.trim())),
            );
        }
        _ => cx.push(mismatch(node, "a whole number", key)),
    }
    None
}

/// A number without its limits.
pub(crate) fn number(node: &Node, key: &KeyDef, cx: &mut Cx<'_>) -> Option<f64> {
    match &node.value {
        Value::Integer(i) => return Some(*i as f64),
        Value::Float(f) => return Some(*f),
        Value::Text(text) if text.trim().parse::<f64>().is_ok_and(f64::is_finite) => {
            cx.push(
                mismatch(node, "a number", key)
                    .help(format!("write {} without quotation marks", text.trim())),
            );
        }
        _ => cx.push(mismatch(node, "a number", key)),
    }
    None
}

/// How a number was written, as far as it matters in a message.
pub(crate) fn written(node: &Node) -> String {
    match &node.value {
        Value::Text(text) => format!("{text:?}"),
        Value::Integer(i) => i.to_string(),
        Value::Float(f) => f.to_string(),
        Value::Flag(flag) => flag.to_string(),
        Value::List(_) | Value::Moments(_) | Value::Table(_) => node.noun().to_owned(),
    }
}

/// A span without its limits.
pub(crate) fn span(node: &Node, what: &str, cx: &mut Cx<'_>) -> Option<Duration> {
    match &node.value {
        Value::Text(text) => match Duration::parse(text) {
            Ok(span) => return Some(span),
            Err(why) => cx.push(
                Problem::new("E015", format!("{} is no time span: {why}", cited(text)))
                    .at(node.span),
            ),
        },
        Value::Integer(0) => return Some(Duration::ZERO),
        Value::Integer(_) | Value::Float(_) => {
            let help = format!("write \"{}s\" or \"{}ms\"", written(node), written(node));
            cx.push(
                Problem::new("E012", format!("`{what}` is a time span and needs a unit"))
                    .at(node.span)
                    .help(help),
            );
        }
        _ => cx.push(
            Problem::new(
                "E012",
                format!("`{what}` is a time span, not {}", node.noun()),
            )
            .at(node.span)
            .help("such as \"250ms\""),
        ),
    }
    None
}

/// A moment: a clock time where there is a clock, or a span since the start.
pub(crate) fn moment(
    text: &str,
    place: Place,
    clock: Option<TimeOfDay>,
    cx: &mut Cx<'_>,
) -> Option<Instant> {
    let problem = if text.contains(':') {
        match (TimeOfDay::parse_time_of_day(text), clock) {
            (Ok(seconds), Some(clock)) => return Some(clock.instant(seconds)),
            (Ok(_), None) => Problem::new("E015", format!("{} is a clock time, but the scenario has no `clock`", cited(text)))
                .help("set `clock` to the time of day at the start, or write a span since the start such as \"5m\""),
            (Err(why), _) => Problem::new("E015", format!("{}: {why}", cited(text))),
        }
    } else {
        match Duration::parse(text) {
            Ok(span) => return Some(Instant(span.0)),
            Err(why) => {
                let help = if clock.is_some() {
                    "or a clock time such as \"12:30\""
                } else {
                    ""
                };
                Problem::new(
                    "E015",
                    format!("{} is no moment of the run: {why}", cited(text)),
                )
                .help(help)
            }
        }
    };
    cx.push(problem.at(place));
    None
}

/// A share of one: a number, or a text in per cent.
pub(crate) fn ratio_of_text(text: &str) -> Option<f64> {
    let text = text.trim();
    match text.strip_suffix('%') {
        // Divided, not multiplied by 0.01: "5%" and 0.05 must be the same number.
        Some(percent) => percent
            .trim()
            .parse::<f64>()
            .ok()
            .filter(|p| p.is_finite())
            .map(|p| p / 100.0),
        None => text.parse::<f64>().ok().filter(|r| r.is_finite()),
    }
}

/// Units of sizes.
const SIZES: [(&str, f64); 9] = [
    ("KiB", 1024.0),
    ("MiB", 1_048_576.0),
    ("GiB", 1_073_741_824.0),
    ("TiB", 1_099_511_627_776.0),
    ("kB", 1e3),
    ("MB", 1e6),
    ("GB", 1e9),
    ("TB", 1e12),
    ("B", 1.0),
];

/// Bytes written as `512MiB`.
pub(crate) fn size_of_text(text: &str) -> Option<f64> {
    let text = text.trim();
    let (unit, scale) = SIZES.iter().find(|(unit, _)| text.ends_with(unit))?;
    let digits = text.strip_suffix(unit)?.trim();
    digits
        .parse::<f64>()
        .ok()
        .filter(|n| n.is_finite() && *n >= 0.0)
        .map(|n| n * scale)
}

impl Reads for Text {
    type Out = String;
    fn read(node: &Node, key: &KeyDef, cx: &mut Cx<'_>) -> Option<String> {
        if node.as_text().is_none() {
            cx.push(mismatch(node, "a text", key));
        }
        // A line of a report, an event log or a table.
        node.as_text().map(|text| shown(text).into_owned())
    }
    fn form() -> Form {
        Form::Text
    }
}

impl Reads for Document {
    type Out = String;
    fn read(node: &Node, key: &KeyDef, cx: &mut Cx<'_>) -> Option<String> {
        if node.as_text().is_none() {
            cx.push(mismatch(node, "a text", key));
        }
        node.as_text().map(str::to_owned)
    }
    fn form() -> Form {
        Form::Text
    }
}

/// Whether `text` can be a name in paths and events.
pub(crate) fn is_name(text: &str) -> bool {
    text.len() <= 100
        && text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

/// Reports a text that cannot be a name.
pub(crate) fn check_name(text: &str, place: Place, cx: &mut Cx<'_>) -> bool {
    let fine = is_name(text);
    if !fine {
        let help = "a name has letters a to z, digits, `-` and `_`, begins with a letter or digit and has at most 100 characters";
        cx.push(
            Problem::new("E018", format!("{} cannot be a name", cited(text)))
                .at(place)
                .help(help),
        );
    }
    fine
}

impl Reads for Name {
    type Out = String;
    fn read(node: &Node, key: &KeyDef, cx: &mut Cx<'_>) -> Option<String> {
        let text = Text::read(node, key, cx)?;
        check_name(&text, node.span, cx).then_some(text)
    }
    fn form() -> Form {
        Form::Name
    }
}

impl Reads for Names {
    type Out = Vec<(String, Place)>;
    fn read(node: &Node, key: &KeyDef, cx: &mut Cx<'_>) -> Option<Self::Out> {
        let Value::List(items) = &node.value else {
            return Some(vec![(Name::read(node, key, cx)?, node.span)]);
        };
        if items.is_empty() {
            let what = format!("`{}` names nobody", key.name);
            let problem = Problem::new("E013", what).at(node.span);
            cx.push(problem.help("write a name, or leave the key out"));
            return None;
        }
        // Each is read, so that the problems of all are found.
        let name = |item: &Node, cx: &mut Cx<'_>| Some((Name::read(item, key, cx)?, item.span));
        let read: Vec<_> = items.iter().map(|item| name(item, cx)).collect();
        read.into_iter().collect()
    }
    fn form() -> Form {
        Form::Names
    }
}

impl Reads for Paths {
    type Out = Vec<(String, Place)>;
    fn read(node: &Node, key: &KeyDef, cx: &mut Cx<'_>) -> Option<Self::Out> {
        let Value::List(items) = &node.value else {
            cx.push(mismatch(node, "a list of paths", key));
            return None;
        };
        let path = |item: &Node, cx: &mut Cx<'_>| Some((Text::read(item, key, cx)?, item.span));
        let read: Vec<_> = items.iter().map(|item| path(item, cx)).collect();
        read.into_iter().collect()
    }
    fn form() -> Form {
        Form::Paths
    }
}

impl Reads for Title {
    type Out = String;
    fn read(node: &Node, key: &KeyDef, cx: &mut Cx<'_>) -> Option<String> {
        let text = Text::read(node, key, cx)?;
        if text.trim().is_empty()
            || text.len() > 200
            || text.contains(['(', ')', '"', '.'])
            || text.chars().any(char::is_control)
        {
            let help = "1 to 200 characters, none of them ( ) \" . or a line break: expectations and paths refer to it";
            cx.push(
                Problem::new("E018", format!("{} cannot be a name", cited(text)))
                    .at(node.span)
                    .help(help),
            );
            return None;
        }
        Some(text)
    }
    fn form() -> Form {
        Form::Text
    }
}

impl Reads for Count {
    type Out = u64;
    fn read(node: &Node, key: &KeyDef, cx: &mut Cx<'_>) -> Option<u64> {
        let value = whole(node, key, cx)?;
        limited(value as f64, &value.to_string(), node, key, cx)?;
        let fits = u64::try_from(value).ok();
        if fits.is_none() {
            cx.push(out_of_range(
                &value.to_string(),
                key.name,
                &format!("at most {}", u64::MAX),
                node.span,
            ));
        }
        fits
    }
    fn form() -> Form {
        Form::Count
    }
}

impl Reads for Number {
    type Out = f64;
    fn read(node: &Node, key: &KeyDef, cx: &mut Cx<'_>) -> Option<f64> {
        let value = number(node, key, cx)?;
        limited(value, &written(node), node, key, cx)
    }
    fn form() -> Form {
        Form::Number
    }
}

impl Reads for Ratio {
    type Out = f64;
    fn read(node: &Node, key: &KeyDef, cx: &mut Cx<'_>) -> Option<f64> {
        let value = match &node.value {
            Value::Integer(i) => *i as f64,
            Value::Float(f) => *f,
            Value::Text(text) if text.trim().ends_with('%') => match ratio_of_text(text) {
                Some(ratio) => ratio,
                None => {
                    cx.push(
                        Problem::new("E015", format!("{} is no percentage", cited(text)))
                            .at(node.span)
                            .help("such as \"5%\" or 0.05"),
                    );
                    return None;
                }
            },
            _ => {
                cx.push(mismatch(node, "a share", key).help("such as 0.05 or \"5%\""));
                return None;
            }
        };
        limited(value, &written(node), node, key, cx)
    }
    fn form() -> Form {
        Form::Ratio
    }
}

impl Reads for Span {
    type Out = Duration;
    fn read(node: &Node, key: &KeyDef, cx: &mut Cx<'_>) -> Option<Duration> {
        let value = span(node, key.name, cx)?;
        if key.limits.allow(value.as_secs_f64()) {
            return Some(value);
        }
        let bound = |s: f64| Duration::from_secs_f64(s).to_string();
        let allowed = match (key.limits.above_min, key.limits.max >= 1e10) {
            (true, true) => format!("above {}", bound(key.limits.min)),
            (false, true) => format!("{} or more", bound(key.limits.min)),
            (true, false) => format!(
                "above {}, at most {}",
                bound(key.limits.min),
                bound(key.limits.max)
            ),
            (false, false) => format!("{} to {}", bound(key.limits.min), bound(key.limits.max)),
        };
        cx.push(out_of_range(&written(node), key.name, &allowed, node.span));
        None
    }
    fn form() -> Form {
        Form::Span
    }
}

impl Reads for Moment {
    type Out = Instant;
    fn read(node: &Node, key: &KeyDef, cx: &mut Cx<'_>) -> Option<Instant> {
        match &node.value {
            Value::Text(text) => moment(text, node.span, cx.clock, cx),
            _ => span(node, key.name, cx).map(|s| Instant(s.0)),
        }
    }
    fn form() -> Form {
        Form::Moment
    }
}

impl Reads for Clock {
    type Out = TimeOfDay;
    fn read(node: &Node, key: &KeyDef, cx: &mut Cx<'_>) -> Option<TimeOfDay> {
        let text = Text::read(node, key, cx)?;
        match TimeOfDay::parse_time_of_day(&text) {
            Ok(start_s) => Some(TimeOfDay { start_s }),
            Err(why) => {
                cx.push(Problem::new("E015", format!("{}: {why}", cited(text))).at(node.span));
                None
            }
        }
    }
    fn form() -> Form {
        Form::Clock
    }
}

impl Reads for Size {
    type Out = f64;
    fn read(node: &Node, key: &KeyDef, cx: &mut Cx<'_>) -> Option<f64> {
        let value = match &node.value {
            Value::Text(text) => size_of_text(text),
            Value::Integer(i) => Some(*i as f64),
            Value::Float(f) => Some(*f),
            _ => None,
        };
        if let Some(value) = value {
            return limited(value, &written(node), node, key, cx);
        }
        cx.push(Problem::new("E015", format!("`{}` is a size", key.name)).at(node.span).help("bytes, or a number with B, kB, MB, GB, TB, KiB, MiB, GiB or TiB, such as \"512MiB\""));
        None
    }
    fn form() -> Form {
        Form::Size
    }
}

impl Reads for Flag {
    type Out = bool;
    fn read(node: &Node, key: &KeyDef, cx: &mut Cx<'_>) -> Option<bool> {
        if let Value::Flag(flag) = node.value {
            return Some(flag);
        }
        cx.push(mismatch(node, "true or false", key));
        None
    }
    fn form() -> Form {
        Form::Flag
    }
}

/// The longest moment that makes sense anywhere: ten years.
pub(crate) const TEN_YEARS_S: f64 = 10.0 * 365.25 * 86_400.0;

/// The same in nanoseconds.
pub(crate) const TEN_YEARS: Duration = Duration(3652 * 86_400 * SECOND + 43_200 * SECOND);
