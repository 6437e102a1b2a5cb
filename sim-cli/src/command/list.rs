//! `stampede list`: what scenarios can use.

use crate::args::{ListArgs, ListFormat};
use crate::catalogue::{Entry, List, lists};
use crate::exit::{Exit, Failure};
use crate::table::{Table, wrap};
use crate::terminal::{self, BOLD, DIM, Out};
use std::io::Write;

/// Columns of text.
const WIDTH: usize = 100;
/// Names longer than this have a line of their own.
const NAME_WIDTH: usize = 24;

/// Prints one list, or what there is to list.
pub(crate) fn run(args: &ListArgs, out: &mut Out) -> Result<Exit, Failure> {
    let lists = lists();
    let Some(list) = args
        .table
        .as_ref()
        .and_then(|name| lists.iter().find(|list| list.name == name))
    else {
        return overview(&lists, args.format, out);
    };
    let mut entries = list.entries();
    if let Some(filter) = &args.filter {
        entries.retain(|entry| entry.name.contains(filter.as_str()));
        if entries.is_empty() {
            return Err(Failure::new(
                Exit::NotFound,
                format!("no entry of {} contains {filter:?}", list.name),
            )
            .help(format!("`stampede list {}` shows all", list.name)));
        }
    }
    match args.format {
        ListFormat::Json => writeln!(out, "{}", terminal::json(&entries))?,
        ListFormat::Text => {
            writeln!(out, "{BOLD}{}{BOLD:#}: {}\n", list.name, list.about)?;
            for entry in &entries {
                write_entry(entry, out)?;
            }
        }
    }
    Ok(Exit::Ok)
}

fn overview(lists: &[List], format: ListFormat, out: &mut Out) -> Result<Exit, Failure> {
    match format {
        ListFormat::Json => {
            let entries: Vec<Entry> = lists
                .iter()
                .map(|list| Entry {
                    name: list.name.to_owned(),
                    about: list.about.clone(),
                    ..Entry::default()
                })
                .collect();
            writeln!(out, "{}", terminal::json(&entries))?;
        }
        ListFormat::Text => {
            let mut table = Table::default();
            for list in lists {
                table.row([
                    list.name.to_owned(),
                    list.entries().len().to_string(),
                    list.about.clone(),
                ]);
            }
            write!(out, "{}", table.text(2))?;
            writeln!(
                out,
                "{DIM}next: stampede list policies   stampede explain power-of-d{DIM:#}"
            )?;
        }
    }
    Ok(Exit::Ok)
}

/// A line below an entry.
pub(crate) fn write_note(text: &str, out: &mut Out) -> Result<(), Failure> {
    let indent = NAME_WIDTH + 4;
    let text = wrap(text, WIDTH, indent);
    writeln!(out, "{:indent$}{DIM}{text}{DIM:#}", "")?;
    Ok(())
}

/// An entry with its properties and parameters.
pub(crate) fn write_entry(entry: &Entry, out: &mut Out) -> Result<(), Failure> {
    let indent = NAME_WIDTH + 4;
    let about = wrap(&entry.about, WIDTH, indent);
    if entry.name.chars().count() > NAME_WIDTH {
        writeln!(out, "  {BOLD}{}{BOLD:#}\n{:indent$}{about}", entry.name, "")?;
    } else {
        writeln!(out, "  {BOLD}{:<NAME_WIDTH$}{BOLD:#}  {about}", entry.name)?;
    }
    let facts = entry
        .facts
        .iter()
        .map(|f| format!("{}: {}", f.name, f.value));
    let source = (!entry.source.is_empty()).then(|| format!("source: {}", entry.source));
    for text in facts.chain(source) {
        write_note(&text, out)?;
    }
    let width = entry
        .params
        .iter()
        .map(|param| param.name.len())
        .max()
        .unwrap_or(0);
    for param in &entry.params {
        let mut words = vec![param.kind.clone()];
        words.extend(
            [&param.range, &param.unit]
                .into_iter()
                .filter(|text| !text.is_empty())
                .cloned(),
        );
        words.push(
            param
                .default
                .map_or("must be written".to_owned(), |default| {
                    format!("default {default}")
                }),
        );
        let text = format!("{} ({})", param.about, words.join(", "));
        writeln!(
            out,
            "{:indent$}{:<width$}  {}",
            "",
            param.name,
            wrap(&text, WIDTH, indent + width + 2)
        )?;
    }
    Ok(())
}
