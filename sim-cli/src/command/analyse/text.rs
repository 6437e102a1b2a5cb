//! The analysis of a series for people.

use super::column::Column;
use crate::args::{AnalyseArgs, LeaveOut};
use crate::exit::Failure;
use crate::table::Table;
use crate::terminal::{BOLD, Out, YELLOW};
use sim_core::metric::Unit;
use sim_core::readable;
use sim_core::statistics::{Analysis, Interval, Stationarity};
use sim_core::text::shown;
use std::io::Write;

pub(super) fn write(
    column: &Column,
    found: &Analysis,
    args: &AnalyseArgs,
    out: &mut Out,
) -> Result<(), Failure> {
    head(column, found, args, out)?;
    let mut table = Table::default();
    table.row(["mean, by", "estimate", "half-width", "relative"]);
    for by in &found.means {
        let mut row = vec![by.method.to_owned()];
        match &by.interval {
            Ok(interval) => row.extend(around(interval)),
            Err(why) => row.extend([String::new(), format!("no interval: {why}")]),
        }
        table.row(row);
    }
    writeln!(out, "{}", table.text(2))?;
    mser5(found, args, out)?;
    match &found.stationarity {
        Ok(test) => stationarity(test, args.precision, out)?,
        Err(why) => writeln!(out, "  Heidelberger–Welch   {why}")?,
    }
    writeln!(out)?;
    quantiles(found, args, out)
}

fn head(
    column: &Column,
    found: &Analysis,
    args: &AnalyseArgs,
    out: &mut Out,
) -> Result<(), Failure> {
    let name = (column.name.as_ref()).map_or(String::new(), |name| format!("   {}", shown(name)));
    writeln!(out, "{BOLD}{}{BOLD:#}{name}", shown(&args.file))?;
    let mut words = vec![format!("{} values", found.count)];
    if found.skipped > 0 {
        words.push(format!("the first {} left out", found.skipped));
    }
    if column.empty > 0 {
        words.push(format!("{} empty cells left out", column.empty));
    }
    let words = words.join(" · ");
    let neighbours = found.lag_1.filter(|r| r.is_finite());
    writeln!(
        out,
        "  {words}\n  mean {} · deviation {} · from {} to {} · correlation of neighbours {}\n",
        number(found.moments.mean()),
        number(found.moments.deviation()),
        number(found.range.0),
        number(found.range.1),
        neighbours.map_or("–".to_owned(), |r| format!("{r:.2}")),
    )?;
    Ok(())
}

fn mser5(found: &Analysis, args: &AnalyseArgs, out: &mut Out) -> Result<(), Failure> {
    let words = match found.mser5 {
        Some(0) => "leaves nothing out".to_owned(),
        Some(count) if args.warm_up == LeaveOut::Auto => format!("left out the first {count}"),
        Some(count) => format!("would leave out the first {count}: --warm-up auto does"),
        None => "finds no end of a warm-up: too few values, or they never settle".to_owned(),
    };
    writeln!(out, "  MSER-5               {words}")?;
    Ok(())
}

fn stationarity(test: &Stationarity, precision: f64, out: &mut Out) -> Result<(), Failure> {
    let p = if test.p < 0.001 {
        "p < 0.001".to_owned()
    } else {
        format!("p {:.3}", test.p)
    };
    let statistic = format!("Cramér–von Mises {:.3}, {p}", test.statistic);
    let Some(interval) = test.mean else {
        writeln!(
            out,
            "  Heidelberger–Welch   {YELLOW}not stationary{YELLOW:#}, not even without the first half: {statistic}"
        )?;
        return Ok(());
    };
    let from = match test.skipped {
        0 => "from the start".to_owned(),
        count => format!("without the first {count}"),
    };
    if !interval.varies() {
        writeln!(
            out,
            "  Heidelberger–Welch   stationary {from}: {statistic}\n                       no half-width: nothing varied"
        )?;
        return Ok(());
    }
    let relative = interval.relative();
    let (share, than) = (relative_text(relative), readable::share(precision));
    let enough = if relative <= precision {
        format!("within the {than} asked for")
    } else {
        format!("{YELLOW}more than the {than} asked for{YELLOW:#}")
    };
    writeln!(
        out,
        "  Heidelberger–Welch   stationary {from}: {statistic}\n                       half-width {share} of the mean: {enough}"
    )?;
    Ok(())
}

fn quantiles(found: &Analysis, args: &AnalyseArgs, out: &mut Out) -> Result<(), Failure> {
    let mut table = Table::default();
    let level = format!("{} interval", readable::share(args.confidence));
    table.row(["quantile", "value", &level, "ranks", "by"]);
    for quantile in &found.quantiles {
        let mut row = vec![readable::share(quantile.p), number(quantile.value)];
        match &quantile.by.interval {
            Ok(interval) => row.extend([
                format!("{} to {}", number(interval.low), number(interval.high)),
                (quantile.ranks).map_or("–".to_owned(), |(low, high)| format!("{low} to {high}")),
                quantile.by.method.to_owned(),
            ]),
            Err(why) => row.push(format!("no interval: {why}")),
        }
        table.row(row);
    }
    write!(out, "{}", table.text(2))?;
    Ok(())
}

/// An estimate, its half-width, and that as a share of it.
fn around(interval: &Interval) -> [String; 3] {
    let half = interval.half_width();
    let (mean, half) = readable::with_half_width(Unit::Count, interval.mean, half);
    let relative = relative_text(interval.relative());
    [mean, format!("± {half}"), relative]
}

fn relative_text(relative: f64) -> String {
    if relative.is_finite() {
        readable::share(relative)
    } else {
        "–".to_owned()
    }
}

/// A value to four digits.
fn number(value: f64) -> String {
    let scientific = format!("{value:.3e}");
    let magnitude = scientific
        .rsplit_once('e')
        .and_then(|(_, power)| power.parse::<i32>().ok())
        .unwrap_or(0);
    if !(-4..7).contains(&magnitude) {
        return scientific;
    }
    let digits = (3 - magnitude).max(0) as usize;
    let text = format!("{value:.digits$}");
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
}
