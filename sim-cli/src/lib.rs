//! `stampede`: the command line of the simulator, and its commands for other programs.
//!
//! The front end translates: arguments and files into a scenario, figures into text. Every figure
//! it shows comes from the core. [`main`] is the program; [`answer`] runs one of its commands inside another
//! program, such as the Python package, which so has every option, every check and every word of it.

mod args;
mod catalogue;
mod command;
mod deliver;
mod diagnostics;
mod drive;
mod embedded;
mod exit;
mod experiment;
mod files;
mod folder;
mod host;
mod input;
mod inside;
mod interrupt;
mod journal;
mod log_files;
mod part;
mod place;
mod progress;
mod report;
mod settings_files;
mod sheet;
mod table;
mod terminal;

pub use inside::{Answer, Inside, Refusal, answer};

use args::{Cli, Command, When};
use clap::Parser;
use exit::{Exit, Failure};
use std::io::Write;
use std::process::ExitCode;
use terminal::Out;

/// The program.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(message) => {
            // Help comes this way too. With standard error gone nobody can be told.
            let printed = message.print().and_then(|()| std::io::stdout().flush());
            return match printed {
                _ if message.use_stderr() => Exit::Usage,
                Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
                    let failure = Failure::from(error);
                    terminal::say_failure(&failure);
                    failure.exit
                }
                _ => Exit::Ok,
            }
            .into();
        }
    };
    terminal::choose_colors(match cli.color {
        When::Auto => anstream::ColorChoice::Auto,
        When::Always => anstream::ColorChoice::Always,
        When::Never => anstream::ColorChoice::Never,
    });
    if cli.confine {
        input::confine();
    }
    let done = std::panic::catch_unwind(|| {
        let mut out = Out::new();
        let exit = run(&cli, &mut out)?;
        out.flush()?;
        Ok(exit)
    });
    match done {
        Ok(Ok(exit)) => exit.into(),
        Ok(Err(failure)) => {
            terminal::say_failure(&failure);
            failure.exit.into()
        }
        Err(_) => {
            terminal::say_failure(
                &Failure::new(Exit::Internal, "this is a mistake of the program")
                    .help("please report it, with the scenario and the lines above"),
            );
            Exit::Internal.into()
        }
    }
}

/// Does what was asked for.
fn run(cli: &Cli, out: &mut Out) -> Result<Exit, Failure> {
    if cli.version.asked {
        return command::version::run(cli.version.verbose, out);
    }
    let Some(command) = &cli.command else {
        let failure = Failure::new(Exit::Usage, "a command is missing");
        return Err(failure.help("`stampede --help` shows all of them"));
    };
    match command {
        Command::Run(args) => command::run::run(args, cli.quiet, out),
        #[cfg(feature = "watch")]
        Command::Watch(args) => command::watch::run(args, cli.quiet, out),
        Command::Report(args) => command::report::run(args, cli.quiet, out),
        Command::Compare(args) => command::compare::run(args, cli.quiet, out),
        Command::Stress(args) => command::stress::run(args, cli.quiet, out),
        Command::Deadline(args) => command::deadline::run(args, cli.quiet, out),
        Command::Rare(args) => command::rare::run(args, cli.quiet, out),
        Command::Remedy(args) => command::remedy::run(args, cli.quiet, out),
        Command::Sweep(args) => command::sweep::run(args, cli.quiet, out),
        Command::Test(args) => command::test::run(args, cli.quiet, out),
        Command::Analyse(args) => command::analyse::run(args, out),
        Command::Verify(args) => command::verify::run(args, cli.quiet, out),
        Command::Check(args) => command::check::run(args, cli.quiet, out),
        Command::New(args) => command::new::run(args, cli.quiet, out),
        Command::Calibrate(args) => command::calibrate::run(args, cli.quiet, out),
        Command::Replay(args) => command::replay::run(args, cli.quiet, out),
        Command::Import(args) => command::import::run(args, cli.quiet, out),
        Command::Export(args) => command::export::run(args, cli.quiet, out),
        Command::Doctor(args) => command::doctor::run(args, cli.quiet, out),
        Command::List(args) => command::list::run(args, out),
        Command::Explain(args) => command::explain::run(args, out),
        Command::Schema(args) => command::schema::run(args, out),
        Command::Completions(args) => command::completions::run(args, out),
        Command::Man(args) => command::man::run(args, out),
        Command::DocsReference => command::reference::run(out),
    }
}
