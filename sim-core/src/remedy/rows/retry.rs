//! Retries of callers, and what keeps them within bounds.

use super::{Proposal, Row, Subject, set};

pub(in crate::remedy) static RETRIES: Row = Row {
    name: "retries",
    about: "Lets callers not try again, try once more only, or pause longer and by chance.",
    source: "Brooker, Timeouts, retries and backoff with jitter, Amazon Builders' Library, 2019",
    proposes: retries,
};

fn retries(subject: &Subject<'_>) -> Vec<Proposal> {
    let mut found = Vec::new();
    for caller in subject.callers() {
        let whose = &caller.whose;
        let all = |value: &str| subject.for_callers(&caller, "retry", value);
        let terms = caller.client.retry.build().terms();
        let backoff = |attempts: u32, base: &str, cap: &str| {
            all(&format!(
                "{{ kind = \"exponential-backoff\", attempts = {attempts}, base = \"{base}\", cap = \"{cap}\", jitter = \"full\" }}"
            ))
        };
        if caller.client.tries_again() {
            found.push((format!("{whose}: no retries"), all("none")));
            found.push((
                format!("{whose}: one retry at most"),
                backoff(2, "1s", "5s"),
            ));
            found.push((
                format!("{whose}: retries after longer pauses"),
                backoff(terms.attempts, "5s", "1m"),
            ));
        } else {
            found.push((format!("{whose}: one retry"), backoff(2, "100ms", "1s")));
        }
    }
    found
}

pub(in crate::remedy) static BUDGETS: Row = Row {
    name: "budgets",
    about: "Bounds retries to a share of requests, or lets callers stop asking while most fails.",
    source: "Beyer et al., Site Reliability Engineering, 2016, chapter 21, Handling Overload; Nygard, Release It!, 2nd edition, 2018, chapter 5: circuit breaker",
    proposes: budgets,
};

const GUARDS: [(&str, &str, bool); 4] = [
    (
        "a retry budget of 10 %",
        "{ kind = \"retry-budget\", ratio = \"10%\" }",
        true,
    ),
    (
        "a retry budget of 1 %",
        "{ kind = \"retry-budget\", ratio = \"1%\" }",
        true,
    ),
    ("a circuit breaker", "{ kind = \"circuit-breaker\" }", false),
    (
        "an adaptive throttle",
        "{ kind = \"adaptive-throttle\" }",
        false,
    ),
];

fn budgets(subject: &Subject<'_>) -> Vec<Proposal> {
    let mut found = Vec::new();
    // What has guards already is not put in their place.
    for caller in subject
        .callers()
        .iter()
        .filter(|caller| caller.client.guards.is_empty())
    {
        for (words, guard, of_retries) in GUARDS {
            if !of_retries || caller.client.tries_again() {
                let path = format!("{}.guards", caller.path);
                found.push((
                    format!("{}: {words}", caller.whose),
                    set(path, format!("[{guard}]")),
                ));
            }
        }
    }
    found
}
