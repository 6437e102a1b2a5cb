//! Traces: the moments of a file's lines, as logs have them.
//!
//! A line begins with a time since the start of the run (`1.5`, `1500ms`), or with seconds since 1970; or it
//! holds a date, as the logs of nginx, Apache, `HAProxy` and Envoy do. Moments of a clock are counted from the
//! first one. Logs are written when requests end, which is why their lines need no order here; and most know
//! whole seconds only: what comes within one is spread over it evenly, for it did not come at once.

use crate::date;
use crate::time::Duration;

/// Seconds since 1970 begin here; no run is as long.
const EPOCH: f64 = 4e8;
const SECOND: i64 = 1_000_000_000;
const SECOND_LONG: i128 = SECOND as i128;

/// What was read of a trace.
#[derive(PartialEq, Debug)]
pub(super) struct Trace {
    /// In ascending order, from the start of the run.
    pub times: Vec<Duration>,
    /// What the author should know.
    pub remark: Option<String>,
}

/// Where a line's time comes from.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Clock {
    /// The run's.
    Run,
    /// The day's.
    Wall,
}

/// Reads a trace.
///
/// # Errors
/// The first line that has no time, and how many there are. Nothing of what they hold is repeated.
pub(super) fn read(text: &str) -> Result<Trace, String> {
    // Logs are long: a moment takes eight bytes here, and the room for them is made once.
    let mut times: Vec<i64> = Vec::with_capacity(text.bytes().filter(|b| *b == b'\n').count() + 1);
    let (mut clock, mut mixed) = (None, false);
    let (mut first_bad, mut bad) = (0, 0);
    let mut fields = false;
    // Spreadsheets begin a text with a mark of its encoding.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let first = line.split([' ', '\t', ',', ';']).next().unwrap_or(line);
        let plain = plain(first);
        let alone = plain.is_some() && first.len() == line.len();
        let found = plain.or_else(|| Some((moment_in(line)?, Clock::Wall)));
        let most = i128::from(i64::MAX);
        let time = found.and_then(|(time, of)| Some((i64::try_from(time.min(most)).ok()?, of)));
        if let Some((time, of)) = time {
            fields |= !alone;
            mixed |= clock.replace(of).is_some_and(|before| before != of);
            times.push(time);
        } else {
            bad += 1;
            first_bad = if bad == 1 { number + 1 } else { first_bad };
        }
    }
    // The names of a table's columns.
    let head = text.lines().next().unwrap_or_default();
    if (first_bad, bad) == (1, 1)
        && !times.is_empty()
        && !head.contains(|c: char| c.is_ascii_digit())
    {
        bad = 0;
    }
    if bad > 0 {
        let more = match bad - 1 {
            0 => String::new(),
            _ if times.is_empty() => String::new(),
            1 => ", nor has one other line".to_owned(),
            count => format!(", nor have {count} other lines"),
        };
        return Err(format!("line {first_bad} has no time{more}"));
    }
    if mixed {
        return Err("some lines have a date, others a time since the start".to_owned());
    }
    times.sort_unstable();
    let whole = times.iter().all(|time| time % SECOND == 0);
    let shared = times.windows(2).any(|pair| pair[0] == pair[1]);
    let mut remark =
        fields.then(|| "of a trace only times are used, no durations, classes or keys".to_owned());
    if clock == Some(Clock::Wall) {
        let start = times.first().copied().unwrap_or(0);
        for time in &mut times {
            // A log may go from before 1970 to far beyond: ten years are the most that is simulated.
            *time = time.saturating_sub(start);
        }
        if whole {
            spread(&mut times);
        }
    } else if whole && shared {
        remark = Some("all times of the trace are whole seconds, and some are equal: requests of one second come at once; times of day would be spread over their second".to_owned());
    }
    let times = times.into_iter();
    let times = times.map(|time| Duration(time.unsigned_abs())).collect();
    Ok(Trace { times, remark })
}

/// A number of seconds, or a span with its unit.
fn plain(text: &str) -> Option<(i128, Clock)> {
    let Ok(number) = text.parse::<f64>() else {
        let span = Duration::parse(text).ok()?;
        return Some((i128::from(span.0), Clock::Run));
    };
    if !number.is_finite() || number < 0.0 {
        return None;
    }
    // Milli-, micro- and nanoseconds since 1970 are as common as seconds.
    let scale = [1.0, 1e3, 1e6, 1e9];
    if number < EPOCH {
        return Some((i128::from(Duration::from_secs_f64(number).0), Clock::Run));
    }
    let scale = scale.iter().rev().find(|scale| number >= EPOCH * **scale)?;
    // Digits are kept: a float of nanoseconds since 1970 knows 256 ns only.
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let unit = SECOND_LONG / *scale as i128;
    let digits: String = fraction
        .chars()
        .chain("000000000".chars())
        .take(9)
        .collect();
    let part = digits.parse::<i128>().ok()? * unit / SECOND_LONG;
    Some((whole.parse::<i128>().ok()? * unit + part, Clock::Wall))
}

/// Spreads equal times, all of whole seconds, over their second.
fn spread(times: &mut [i64]) {
    for same in times.chunk_by_mut(|one, other| one == other) {
        let count = same.len() as i128;
        for (place, time) in (0..).zip(same) {
            *time = time.saturating_add((place * SECOND_LONG / count) as i64);
        }
    }
}

/// The moment that a line of a log holds, in nanoseconds since 1970: `2025-03-03T09:00:03.5+01:00`,
/// with a blank for the `T` too, or `03/Mar/2025:09:00:03 +0000`.
pub(super) fn moment_in(line: &str) -> Option<i128> {
    // A date stands near the front, or behind an address and a name.
    let end = line
        .char_indices()
        .nth(400)
        .map_or(line.len(), |(at, _)| at);
    let line = &line.as_bytes()[..end];
    (0..line.len())
        .filter(|&at| {
            line[at].is_ascii_digit() && (at == 0 || !line[at - 1].is_ascii_alphanumeric())
        })
        .find_map(|at| date::iso(&line[at..]).or_else(|| date::common(&line[at..])))
        .map(|date| date.ns)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(text: &str) -> Vec<f64> {
        let trace = read(text).unwrap_or_else(|why| panic!("{why}: {text}"));
        trace.times.iter().map(|time| time.as_secs_f64()).collect()
    }

    #[test]
    fn moments_of_logs_are_found() {
        let at = |text: &str| moment_in(text).map(|ns| ns / 1_000_000);
        for (line, wanted) in [
            ("1970-01-01T00:00:00Z", 0),
            ("2025-03-03T09:00:03Z GET /", 1_740_992_403_000),
            (
                "{\"time\":\"2025-03-03 10:00:03.250+01:00\"}",
                1_740_992_403_250,
            ),
            ("2025-03-03 09:00:03,250 INFO", 1_740_992_403_250),
            (
                "192.0.2.1 - - [03/Mar/2025:09:00:03 +0000] \"GET / HTTP/1.1\" 200 1",
                1_740_992_403_000,
            ),
            (
                "haproxy[7]: 192.0.2.1:5 [03/Mar/2025:09:00:03.655] web",
                1_740_992_403_655,
            ),
            ("x [03/Mar/2025:04:00:03 -0500] y", 1_740_992_403_000),
            ("2024-02-29T00:00:00Z", 1_709_164_800_000),
        ] {
            assert_eq!(at(line), Some(wanted), "{line}");
        }
        for line in [
            "",
            "1.5",
            "2025-13-03T09:00:03Z",
            "2025-03-03",
            "10.0.0.1 GET /",
            "03/Mars/2025:09:00:03",
        ] {
            assert_eq!(at(line), None, "{line}");
        }
    }

    #[test]
    fn traces_are_as_logs_are() {
        assert_eq!(seconds("# start\n0.5\n1\n\n1.25\n"), [0.5, 1.0, 1.25]);
        assert_eq!(seconds("2s\n500ms\n1m\n"), [0.5, 2.0, 60.0], "in any order");
        assert_eq!(seconds("1.0 0.031\n2.0 0.015\n"), [1.0, 2.0], "columns");
        assert_eq!(seconds("\u{feff}1.0\r\n2.0\r\n"), [1.0, 2.0], "a mark");
        assert_eq!(seconds("time,duration\n1.0,0.031\n"), [1.0], "a head");
        assert_eq!(
            seconds("1740992403\n1740992401\n"),
            [0.0, 2.0],
            "seconds since 1970"
        );
        assert_eq!(
            seconds("1740992403123\n1740992403623\n"),
            [0.0, 0.5],
            "milliseconds"
        );
        assert_eq!(
            seconds("1740992403.123456789\n1740992403.123456790\n"),
            [0.0, 1e-9]
        );
        let log = "a [03/Mar/2025:09:00:03 +0000]\na [03/Mar/2025:09:00:01 +0000]\na [03/Mar/2025:09:00:03 +0000]\n";
        assert_eq!(seconds(log), [0.0, 2.0, 2.5], "spread over their second");
        assert!(
            read("1\n1\n2\n").expect("a trace").remark.is_some(),
            "bursts of a rounded log"
        );
        assert!(read("0.5\n0.5\n2\n").expect("a trace").remark.is_none());
    }

    #[test]
    fn what_has_no_time_is_counted_and_not_repeated() {
        for (text, wanted) in [
            ("root:x:0:0\n", "line 1 has no time"),
            ("secret\n", "line 1 has no time"),
            ("1\nsecret\n3\n", "line 2 has no time"),
            (
                "1\nsecret\n-3\ninf\n",
                "line 2 has no time, nor have 2 other lines",
            ),
            (
                "1\n2025-03-03T09:00:03Z\n",
                "some lines have a date, others a time since the start",
            ),
        ] {
            assert_eq!(read(text).expect_err(text), wanted);
        }
    }
}
