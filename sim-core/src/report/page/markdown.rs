//! A draft of a postmortem: what the run shows is filled in; what only the team can know is marked.

use super::factors::factors;
use super::story::Story;
use super::tables;
use super::{Future, Page, words};
use crate::event_log::Actor;
use crate::report::markup::Table;
use std::fmt::Write as _;

/// What stands where the team must write.
const TO_FILL: &str = "> **To be filled in by the team.**";

/// The whole draft.
pub(super) fn draft(page: &Page<'_>) -> String {
    let run = &page.run;
    let mut text = format!("# Postmortem (draft): {}\n\n", plain(&run.title()));
    let _ = writeln!(
        text,
        "Drafted by Stampede {} from a simulated run of `{}`, {} to {}, seed {}, digest `{}`. Figures are those of the simulation.\n",
        run.summary.version,
        code(&run.summary.scenario),
        run.at_s(0.0),
        run.at_s(run.summary.horizon_s),
        run.summary.seed,
        run.summary.digest
    );
    section(&mut text, "Summary");
    let _ = writeln!(text, "{}\n", prose(&words::verdict(run)));
    if let Some(end) = words::at_the_end(run) {
        let _ = writeln!(text, "At the end: {}\n", prose(&end));
    }
    section(&mut text, "Impact");
    for (name, value) in words::key_figures(run) {
        let _ = writeln!(text, "- {name}: {value}");
    }
    text.push('\n');
    if let Some(objectives) = tables::objectives(run) {
        table(&mut text, &objectives);
    }
    let _ = writeln!(text, "Customers and revenue:\n\n{TO_FILL}\n");
    section(&mut text, "Timeline");
    timeline(&mut text, run);
    section(&mut text, "Contributing factors");
    contributed(&mut text, run);
    section(&mut text, "Detection, mitigation, recovery");
    match tables::incidents(run) {
        Some(incidents) => table(&mut text, &incidents),
        None => text.push_str("The site was normal all the time.\n\n"),
    }
    if let Some(other) = &page.beside {
        section(&mut text, "What would have been");
        let _ = writeln!(text, "{}\n", prose(&words::two_futures(run, other)));
        table(&mut text, &tables::futures(run, other));
    }
    for heading in ["What went well", "What went badly", "Where we were lucky"] {
        section(&mut text, heading);
        let _ = writeln!(text, "{TO_FILL}\n");
    }
    section(&mut text, "Action items");
    let _ = writeln!(
        text,
        "{TO_FILL}\n\n| what | who | until when | which factor it answers |\n| --- | --- | --- | --- |\n|  |  |  |  |\n"
    );
    section(&mut text, "The same again");
    let _ = writeln!(text, "```console");
    for command in &page.commands {
        let _ = writeln!(text, "$ {}", crate::text::shown(command));
    }
    text.push_str("```\n");
    text
}

fn section(text: &mut String, heading: &str) {
    let _ = writeln!(text, "## {heading}\n");
}

fn timeline(text: &mut String, run: &Future<'_>) {
    let story = Story::of(run);
    if story.rows.is_empty() {
        text.push_str("Nothing happened in this run: no alert, no crash, no change.\n\n");
        return;
    }
    text.push_str("| when | people | system |\n| --- | --- | --- |\n");
    for row in &story.rows {
        let mut what = format!("{} {}", row.sign, plain(&row.what));
        if !row.why.is_empty() {
            what = format!("{what}: {}", plain(&row.why));
        }
        let at = plain(&run.at(row.at));
        let _ = if row.by == Actor::People {
            writeln!(text, "| {at} | {what} |  |")
        } else {
            writeln!(text, "| {at} |  | {what} |")
        };
    }
    text.push('\n');
    if story.left_out > 0 {
        let _ = writeln!(text, "{} more lines are left out.\n", story.left_out);
    }
}

fn contributed(text: &mut String, run: &Future<'_>) {
    let found = factors(run);
    if found.is_empty() {
        text.push_str("Nothing of what is looked for was found.\n\n");
        return;
    }
    for (i, factor) in found.iter().enumerate() {
        let at = factor.at.map_or("over the run".to_owned(), |at| run.at(at));
        let _ = writeln!(
            text,
            "{}. **{}** ({at}). {}",
            i + 1,
            factor.title,
            prose(&factor.says)
        );
    }
    let _ = writeln!(
        text,
        "\nWhich of these was the root cause, and why it was possible:\n\n{TO_FILL}\n"
    );
}

fn table(text: &mut String, table: &Table) {
    let line = |cells: &[String]| {
        let cells: Vec<String> = cells.iter().map(|c| plain(c)).collect();
        format!("| {} |\n", cells.join(" | "))
    };
    text.push_str(&line(&table.head));
    let _ = writeln!(text, "|{}", " --- |".repeat(table.head.len()));
    for row in &table.rows {
        text.push_str(&line(row));
    }
    text.push('\n');
}

/// A text in which nothing means anything to Markdown.
fn plain(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '|' | '#' | '&' => {
                safe.push('\\');
                safe.push(c);
            }
            c if c.is_control() => safe.push(' '),
            c => safe.push(c),
        }
    }
    safe
}

/// What stands between backticks.
fn code(text: &str) -> String {
    text.replace('`', "'")
}

/// A sentence whose code stays code.
fn prose(text: &str) -> String {
    let parts: Vec<&str> = text.split('`').collect();
    if parts.len().is_multiple_of(2) {
        return plain(text);
    }
    let part = |(i, part): (usize, &&str)| {
        if i % 2 == 1 {
            format!("`{part}`")
        } else {
            plain(part)
        }
    };
    parts.iter().enumerate().map(part).collect()
}
