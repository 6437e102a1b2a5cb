//! What an experiment found: printed block by block, and written as a page.

use crate::args::PageArgs;
use crate::exit::{Exit, Failure};
use crate::files;
use crate::part::write_whole;
use crate::table::Table;
use crate::terminal::{BOLD, DIM, GREEN, RED, YELLOW, say};
use sim_core::report::sheet::{Block, Sheet};
use sim_core::text::{shell_word, shown};
use std::io::{self, Write};
use std::path::{Path, absolute};

/// The page in a folder of results.
pub(crate) const PAGE: &str = "report.html";

/// Options with a value, and others, that say where results go, how they look, or how fast they come: they change none
/// of them.
const WITH_VALUE: [&str; 7] = [
    "--output",
    "--out",
    "--report",
    "--format",
    "--progress",
    "--threads",
    "--color",
];
const ALONE: [&str; 2] = ["--force", "--quiet"];

/// Prints the blocks that a terminal can show.
pub(crate) fn print(blocks: &[Block], out: &mut dyn Write) -> io::Result<()> {
    for block in blocks {
        match block {
            Block::Verdict(about, says) if about.is_empty() => {
                writeln!(out, "{BOLD}{}{BOLD:#}", shown(says))?;
            }
            Block::Verdict(about, says) => {
                writeln!(out, "{BOLD}{}: {}{BOLD:#}", shown(about), shown(says))?;
            }
            Block::Lead(strong, says) => {
                writeln!(out, "{BOLD}{}{BOLD:#} {}", shown(strong), shown(says))?;
            }
            Block::Heading(text) => writeln!(out, "\n{BOLD}{}{BOLD:#}", shown(text))?,
            Block::Alarm(text) => writeln!(out, "\n{RED}{}{RED:#}", shown(text))?,
            Block::Sentence(text) => writeln!(out, "  {}", shown(text))?,
            Block::Note(text) => writeln!(out, "  {DIM}{}{DIM:#}", shown(text))?,
            Block::Warning(text) => writeln!(out, "  {YELLOW}!{YELLOW:#} {}", shown(text))?,
            Block::Check(holds, count, that) => {
                let (color, mark) = match holds {
                    Some(true) => (GREEN, "✓"),
                    Some(false) => (RED, "✗"),
                    None => (YELLOW, "–"),
                };
                writeln!(out, "  {color}{mark}{color:#} {count}   {}", shown(that))?;
            }
            Block::Table(table) => rows(table, out)?,
            Block::Gap => writeln!(out)?,
            Block::Section(_) | Block::Picture(_) | Block::Code(..) => {}
        }
    }
    Ok(())
}

/// Tells the blocks on standard error.
pub(crate) fn say_all(blocks: &[Block]) {
    let mut text = Vec::new();
    // Writing to memory cannot fail.
    drop(print(blocks, &mut text));
    for line in String::from_utf8_lossy(&text).lines() {
        say(line);
    }
}

fn rows(table: &sim_core::report::sheet::Table, out: &mut dyn Write) -> io::Result<()> {
    let mut text = Table::default();
    if !table.bare {
        text.row(table.head.iter().map(String::as_str));
    }
    let most = if table.most == 0 {
        table.rows.len()
    } else {
        table.most
    };
    for row in table.rows.iter().take(most) {
        text.row(row.iter().map(|cell| shown(cell).into_owned()));
    }
    let head = usize::from(!table.bare);
    for (at, line) in text.text(2).lines().enumerate() {
        writeln!(out, "{line}")?;
        let under = at.checked_sub(head).and_then(|at| table.under.get(at));
        for typed in under.into_iter().flatten() {
            writeln!(out, "      {DIM}{}{DIM:#}", shown(typed))?;
        }
    }
    if let Some(more) = table.rows.len().checked_sub(most).filter(|more| *more > 0) {
        writeln!(out, "  … {more} more")?;
    }
    Ok(())
}

/// The command as it was typed, without what changes no figure.
pub(crate) fn command() -> String {
    let typed = std::env::args_os().skip(1);
    of_words(typed.map(|word| word.to_string_lossy().into_owned()), false)
}

/// The same where `-o` changes what is found.
pub(crate) fn command_with_output() -> String {
    let typed = std::env::args_os().skip(1);
    of_words(typed.map(|word| word.to_string_lossy().into_owned()), true)
}

pub(crate) fn of_words(typed: impl Iterator<Item = String>, output: bool) -> String {
    let mut typed = typed.peekable();
    let mut kept = vec!["stampede".to_owned()];
    while let Some(word) = typed.next() {
        if word == "--" {
            kept.push(word);
            kept.extend(typed.by_ref().map(|word| shell_word(&word).into_owned()));
            break;
        }
        let name = word.split_once('=').map_or(&*word, |(name, _)| name);
        let is_output = name.starts_with("--out");
        if WITH_VALUE.contains(&name) && !(output && is_output) {
            if name == word {
                typed.next();
            }
            continue;
        }
        if ALONE.contains(&&*word) {
            continue;
        }
        // Short ones can stand together: `-qo DIR`.
        let short = word.strip_prefix('-').filter(|rest| !rest.starts_with('-'));
        let rest = short.map(|rest| rest.trim_start_matches('q'));
        match (short, rest) {
            (Some(short), Some("")) if !short.is_empty() => {}
            (_, Some(rest)) if output && rest.starts_with('o') => {
                kept.push(shell_word(&format!("-{rest}")).into_owned());
            }
            (_, Some("o")) => drop(typed.next()),
            (_, Some(rest)) if rest.starts_with('o') => {}
            _ => kept.push(shell_word(&word).into_owned()),
        }
    }
    kept.join(" ")
}

/// Refuses a page that could not be written beside the output, before an hour is simulated.
pub(crate) fn check(args: &PageArgs, output: Option<&Path>) -> Result<(), Failure> {
    let Some(path) = &args.report else {
        return Ok(());
    };
    let refuse = |why: &str| {
        let message = format!("--report {}: {why}", path.display());
        Err(Failure::new(Exit::Usage, message))
    };
    if path == Path::new("-") {
        return refuse("a page is a file; one of this name is ./-");
    }
    let whole = |path: &Path| absolute(path).unwrap_or_else(|_| path.to_owned());
    if output.is_some_and(|output| whole(output) == whole(path)) {
        return refuse("that is where -o goes");
    }
    if path.is_dir() || path.file_name().is_none() {
        return refuse("a page is a file, and this is a folder");
    }
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    if !folder.is_dir() {
        let message = format!("cannot write {}: there is no such folder", path.display());
        return Err(Failure::new(Exit::Io, message));
    }
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    files::spare_inputs(folder, |input| input == name)
}

/// Writes the page where one was asked for, and says where it is; an older one gives way.
pub(crate) fn write(
    args: &PageArgs,
    sheet: &Sheet,
    (quiet, out): (bool, &mut dyn Write),
) -> Result<(), Failure> {
    let Some(path) = &args.report else {
        return Ok(());
    };
    // What was printed stays if this fails.
    out.flush()?;
    write_whole(path, sheet.html().as_bytes())
        .map_err(|error| Failure::io(format!("cannot write {}", path.display()), &error))?;
    if !quiet {
        writeln!(out, "{DIM}report in {}{DIM:#}", path.display())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{ALONE, WITH_VALUE, of_words};
    use crate::args::Cli;
    use clap::CommandFactory;

    #[test]
    fn what_changes_no_figure_is_an_option_of_its_kind() {
        let cli = Cli::command();
        let below = cli
            .get_subcommands()
            .flat_map(clap::Command::get_subcommands);
        let commands: Vec<_> = cli.get_subcommands().chain(below).chain([&cli]).collect();
        let takes_value = |name: &str| {
            let long = name.strip_prefix("--");
            let args = commands.iter().flat_map(|command| command.get_arguments());
            let mut named = args.filter(|arg| {
                let aliases = arg.get_all_aliases().unwrap_or_default();
                arg.get_long() == long || aliases.iter().any(|alias| Some(*alias) == long)
            });
            let takes = |arg: &clap::Arg| arg.get_action().takes_values();
            let first = named.next().map(takes);
            assert!(named.all(|arg| Some(takes(arg)) == first), "{name}");
            first
        };
        for name in WITH_VALUE {
            assert_eq!(takes_value(name), Some(true), "{name}");
        }
        for name in ALONE {
            assert_eq!(takes_value(name), Some(false), "{name}");
        }
    }

    #[test]
    fn a_command_keeps_what_changes_figures() {
        let typed = |text: &str| of_words(text.split(' ').map(str::to_owned), false);
        for (given, kept) in [
            ("compare a b -o out --force", "stampede compare a b"),
            (
                "compare a --report=x.html --set seed=7",
                "stampede compare a --set seed=7",
            ),
            (
                "-qo out stress a --range -1..2",
                "stampede stress a --range -1..2",
            ),
            (
                "stress a -oout --threads 3 -q --path b",
                "stampede stress a --path b",
            ),
            (
                "run --progress none - --replications 9",
                "stampede run - --replications 9",
            ),
            ("run -- --output -o", "stampede run -- --output -o"),
            ("run a*b", "stampede run 'a*b'"),
        ] {
            assert_eq!(typed(given), kept, "{given}");
        }
        let typed = "calibrate a.log -qo b.toml --report c".split(' ');
        assert_eq!(
            of_words(typed.map(str::to_owned), true),
            "stampede calibrate a.log -o b.toml"
        );
    }
}
