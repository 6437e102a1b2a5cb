//! Locust's `…_stats.csv` and `…_stats_history.csv`.

use super::text::count;
use super::{Latency, Results, Tester};

pub(super) static TESTER: Tester = Tester {
    name: "locust",
    about: "The tables `…_stats.csv` and `…_stats_history.csv` of Locust.",
    hides: "how many requests were to be sent: a user that waits for an answer drops what it should have sent; percentiles are rounded to two digits, and the rate is over the time between the first request and the last",
    recognises: |text| {
        let head = text
            .trim_start_matches('\u{feff}')
            .lines()
            .next()
            .unwrap_or("");
        head.starts_with("Type,Name,Request Count,")
            || head.starts_with("Timestamp,User Count,Type,Name,")
    },
    read,
};

fn read(text: &str) -> Result<Results, String> {
    let mut lines = text.trim_start_matches('\u{feff}').lines();
    let head = fields(lines.next().unwrap_or(""));
    let place = |name: &str| head.iter().position(|own| own == name);
    let name = place("Name").ok_or("it has no column `Name`")?;
    let rows: Vec<Vec<String>> = lines
        .map(fields)
        .filter(|row| row.get(name).is_some_and(|name| name == "Aggregated"))
        .collect();
    let last = rows.last().ok_or("it has no row `Aggregated`")?;
    let value = |row: &[String], name: &str| row.get(place(name)?)?.parse::<f64>().ok();
    let own = |names: [&str; 2]| names.iter().find_map(|name| value(last, name));
    let milli = |value: f64| value / 1e3;
    let mut results = Results {
        requests: count(own(["Request Count", "Total Request Count"])),
        errors: count(own(["Failure Count", "Total Failure Count"])),
        achieved_hz: value(last, "Requests/s"),
        mean_s: own(["Average Response Time", "Total Average Response Time"]).map(milli),
        max_s: own(["Max Response Time", "Total Max Response Time"]).map(milli),
        concurrency: count(value(last, "User Count")),
        latency: Latency::Hidden("a user that waits for an answer sends nothing, so that a stall is met by one request of each".to_owned()),
        ..Results::default()
    };
    for (place, name) in head.iter().enumerate() {
        let share = name
            .strip_suffix('%')
            .and_then(|share| share.parse::<f64>().ok());
        let time = last.get(place).and_then(|time| time.parse::<f64>().ok());
        results
            .quantiles
            .extend(share.map(|share| share / 100.0).zip(time.map(milli)));
    }
    if place("Timestamp").is_some() {
        let rows = rows
            .iter()
            .filter_map(|row| Some((value(row, "Timestamp")?, value(row, "Requests/s")?)));
        let rows: Vec<(f64, f64)> = rows.collect();
        let first = rows.first().map_or(0.0, |row| row.0);
        results.duration_s = rows.last().map(|row| row.0 - first);
        results.profile = rows.iter().map(|(at, rate)| (at - first, *rate)).collect();
        results.achieved_hz = results
            .requests
            .zip(results.duration_s.filter(|s| *s > 0.0))
            .map(|(count, seconds)| count as f64 / seconds);
        results.remarks.push("its percentiles are those of the last ten seconds, where it names them so, and not of the whole".to_owned());
    }
    Ok(results)
}

/// The fields of a line; quotes are taken off, and doubled ones within are one.
fn fields(line: &str) -> Vec<String> {
    let mut found = vec![String::new()];
    let mut inside = false;
    let mut letters = line.trim_end_matches('\r').chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '"' if inside && letters.peek() == Some(&'"') => {
                letters.next();
                push(&mut found, '"');
            }
            '"' => inside = !inside,
            ',' if !inside => found.push(String::new()),
            _ => push(&mut found, letter),
        }
    }
    found
}

fn push(fields: &mut [String], letter: char) {
    if let Some(last) = fields.last_mut() {
        last.push(letter);
    }
}
