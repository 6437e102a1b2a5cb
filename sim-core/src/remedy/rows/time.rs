//! Time-outs of callers.

use super::{Proposal, Row, Subject};
use crate::time::Duration;

pub(in crate::remedy) static TIMEOUTS: Row = Row {
    name: "timeouts",
    about: "Lets callers wait shorter or longer, tell servers when they give up, or give up in all after a time.",
    source: "Beyer et al., Site Reliability Engineering, 2016, chapter 22: latency and deadlines",
    proposes,
};

/// So many times as long.
const FACTORS: [f64; 3] = [0.25, 0.5, 2.0];

fn proposes(subject: &Subject<'_>) -> Vec<Proposal> {
    let mut found = Vec::new();
    for caller in subject.callers() {
        let whose = &caller.whose;
        for factor in FACTORS {
            let mut sets = Vec::new();
            for path in subject.caller_paths(&caller, "timeout") {
                let written = subject
                    .value(&path)
                    .and_then(|text| Duration::parse(text).ok());
                // Calls and proxies have one place for it; visitors one for all, and others for classes.
                let own = caller.client.timeout.filter(|_| caller.path != "client");
                let written = written.or(own);
                if let Some(span) = written {
                    let scaled = Duration::from_secs_f64(span.as_secs_f64() * factor);
                    sets.push((path, scaled.to_string()));
                }
            }
            found.push((format!("{whose}: time-outs {factor} times as long"), sets));
        }
        if let Some(timeout) = caller.client.timeout {
            let cancel = subject.for_callers(&caller, "cancel", "true");
            found.push((format!("{whose}: giving up stops the work"), cancel));
            let deadline = subject.for_callers(&caller, "deadline", &timeout.to_string());
            found.push((
                format!("{whose}: {timeout} for all attempts together"),
                deadline,
            ));
        }
    }
    found
}
