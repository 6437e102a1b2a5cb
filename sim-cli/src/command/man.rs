//! `stampede man`: manual pages, made of the definitions that help and completions are made of.

use crate::args::{Cli, ManArgs};
use crate::exit::{Exit, Failure};
use crate::files;
use crate::part::write_whole;
use crate::terminal::{self, Out};
use clap::CommandFactory;
use clap_mangen::Man;
use std::io::{self, Write};

/// Prints the page of a command, or writes all of them.
pub(crate) fn run(args: &ManArgs, out: &mut Out) -> Result<Exit, Failure> {
    let mut cli = Cli::command().disable_help_subcommand(true);
    // Only then do commands know their whole name and the options of those above them.
    cli.build();
    let Some(folder) = &args.output else {
        let mut command = &cli;
        for name in &args.command {
            command = command.find_subcommand(name).ok_or_else(|| {
                let message = format!("{} has no command {name:?}", shown(command));
                Failure::new(Exit::NotFound, message).help("`stampede --help` shows all of them")
            })?;
        }
        out.write_all(&page(command)?.1)?;
        return Ok(Exit::Ok);
    };
    let mut pages = Vec::new();
    collect(&cli, &mut pages)?;
    files::make_folders(folder)
        .map_err(|error| Failure::io(format!("cannot create {}", folder.display()), &error))?;
    for (name, text) in pages {
        let path = folder.join(name);
        write_whole(&path, &text)
            .map_err(|error| Failure::io(format!("cannot write {}", path.display()), &error))?;
        writeln!(out, "{}", terminal::place(&path))?;
    }
    Ok(Exit::Ok)
}

/// The pages of a command and of those below it.
fn collect(command: &clap::Command, pages: &mut Vec<(String, Vec<u8>)>) -> io::Result<()> {
    pages.push(page(command)?);
    let below = command.get_subcommands();
    for command in below.filter(|command| !command.is_hide_set()) {
        collect(command, pages)?;
    }
    Ok(())
}

/// The name of a page, and what stands in it.
fn page(command: &clap::Command) -> io::Result<(String, Vec<u8>)> {
    let man = Man::new(command.clone())
        .source(concat!("stampede ", env!("CARGO_PKG_VERSION")))
        // Without a word in this place the next would take it.
        .date(" ")
        .manual("Stampede");
    let mut text = Vec::new();
    man.render(&mut text)?;
    Ok((man.get_filename(), text))
}

fn shown(command: &clap::Command) -> &str {
    command.get_bin_name().unwrap_or("stampede")
}
