//! What is left when the screen is gone: the run in one line, and the command that runs it.

use super::app::App;
use sim_core::readable::share;
use sim_core::text::shell_word;
use sim_core::time::Instant;

/// The run in one line: its verdict at the end, or how far it was watched.
pub(super) fn line(app: &App) -> String {
    let name = &app.name;
    let Some((view, branch)) = app.shown() else {
        return format!("{name}: left before anything was shown");
    };
    let summary = &view.summary;
    let horizon = Instant(branch.model.horizon.0);
    let Some(end) = view.end else {
        let (at, end) = (app.label(view.at), app.label(horizon));
        let served = match summary.availability {
            Some(served) => format!("availability {} so far", share(served)),
            None => "no request has ended yet".to_owned(),
        };
        return format!("{name}: watched until {at} of {end}, {served}");
    };
    if let Some(why) = end.warning() {
        return format!("{name}: INCOMPLETE: {why}");
    }
    match (summary.verdict, &summary.verdict_because) {
        (Some(verdict), Some(because)) => format!("{name}: {verdict}: {because}"),
        (Some(verdict), None) => format!("{name}: {verdict}"),
        (None, _) => format!("{name}: no verdict: too little to judge by"),
    }
}

/// The command that does the same run, and tells all of it.
pub(super) fn command(scenario: &str, sets: &[(String, String)]) -> String {
    let mut command = format!("stampede run {}", shell_word(scenario));
    for (path, value) in sets {
        let set = format!("{path}={value}");
        command.push_str(" --set ");
        command.push_str(&shell_word(&set));
    }
    command
}
