//! Who is told sooner, and looks sooner.

use super::{Proposal, Row, Subject, set};
use crate::time::Duration;

pub(in crate::remedy) static ALERTING: Row = Row {
    name: "alerting",
    about: "Lets alerts fire as soon as their condition holds, monitoring see what is scraped at once and more often, and people look, and know the cause, at once.",
    source: "Thurgood et al., The Site Reliability Workbook, 2018, chapter 5, Alerting on SLOs",
    proposes,
};

/// Time between scrapes that is often enough.
const OFTEN: Duration = Duration::from_secs(5);

fn proposes(subject: &Subject<'_>) -> Vec<Proposal> {
    let mut found = Vec::new();
    let mut at_once = |path: String, words: String| {
        if subject.has(&path) {
            found.push((words, set(path, "0s")));
        }
    };
    for alert in &subject.model.alerts {
        let name = &alert.name;
        at_once(
            format!("alert.{name}.for"),
            format!("alert {name} fires at once"),
        );
    }
    for runbook in &subject.model.runbooks {
        let name = &runbook.name;
        let path = |key: &str| format!("runbook.{name}.{key}");
        at_once(
            path("acknowledge"),
            format!("{name}: somebody looks at once"),
        );
        at_once(
            path("diagnose"),
            format!("{name}: the cause is known at once"),
        );
    }
    at_once(
        "monitoring.lag".to_owned(),
        "monitoring sees what is scraped at once".to_owned(),
    );
    let monitoring = subject.model.monitoring;
    if monitoring.is_some_and(|monitoring| monitoring.scrape > OFTEN) {
        let words = format!("monitoring scrapes every {OFTEN}");
        found.push((
            words,
            set("monitoring.scrape".to_owned(), OFTEN.to_string()),
        ));
    }
    found
}
