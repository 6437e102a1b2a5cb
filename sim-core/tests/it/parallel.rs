//! Calls that go out side by side: the caller goes on when the last has returned.

use crate::support::{fates, log, server, service, summary, traced};

/// A front that calls `a` (100 ms), `b` (60 ms) and `c` (20 ms), each with what is written of it.
fn fork(times: &[&str], manners: &str, calls: [&str; 3], broken: &str) -> String {
    let mut text = traced(
        "2s",
        times,
        &format!(
            "client = {{ {manners} }}\n[service.web]\ndemand = \"10ms\"\n\
             server = [{{ name = \"s\", workers = 1 }}]\n"
        ),
    );
    for (to, keys) in ["a", "b", "c"].iter().zip(calls) {
        if keys != "-" {
            text += &format!("[[service.web.call]]\nto = \"{to}\"\n{keys}\n");
        }
    }
    for (name, demand) in [("a", "100ms"), ("b", "60ms"), ("c", "20ms")] {
        let errors = if name == broken {
            ", errors = { rate = 1 }"
        } else {
            ""
        };
        text += &format!(
            "[service.{name}]\ndemand = \"{demand}\"\n\
             server = [{{ name = \"{name}\", workers = 9{errors} }}]\n"
        );
    }
    text
}

fn ends(calls: [&str; 3]) -> Vec<f64> {
    let text = fork(&["0s"], "", calls, "");
    fates(&text).iter().map(|fate| fate.1).collect()
}

const BESIDE: &str = "parallel = true";

/// Time that workers of a service were busy, in milliseconds.
fn busy(text: &str, name: &str) -> f64 {
    let workers = if name == "web" { 1.0 } else { 9.0 };
    let of = if name == "web" { "s" } else { name };
    (server(&summary(text), name, of).utilisation * 2000.0 * workers).round()
}

#[test]
fn calls_side_by_side_take_as_long_as_the_longest() {
    assert_eq!(ends(["", "", ""]), [190.0], "in turn");
    assert_eq!(ends(["", BESIDE, BESIDE]), [110.0]);
    assert_eq!(ends(["", BESIDE, ""]), [130.0], "two, then one");
    assert_eq!(ends(["", "", BESIDE]), [170.0], "one, then two");
    let before = "at = \"before\"";
    let beside = "at = \"before\"\nparallel = true";
    assert_eq!(ends([before, beside, beside]), [110.0]);
    assert_eq!(ends([before, "", beside]), [170.0], "those before only");
}

#[test]
fn calls_that_are_not_made_leave_the_others_side_by_side() {
    let never = "probability = 0";
    let beside_never = "parallel = true\nprobability = 0";
    assert_eq!(ends([never, BESIDE, BESIDE]), [70.0]);
    assert_eq!(ends(["", beside_never, BESIDE]), [110.0]);
    assert_eq!(ends([never, beside_never, BESIDE]), [30.0]);
    assert_eq!(ends([never, beside_never, beside_never]), [10.0]);
}

#[test]
fn the_worker_waits_for_all_if_it_waits_for_one() {
    let ends = |calls| -> Vec<f64> {
        let text = fork(&["0s", "0s"], "", calls, "");
        fates(&text).iter().map(|fate| fate.1).collect()
    };
    let free = "hold = false";
    let free_beside = "hold = false\nparallel = true";
    assert_eq!(ends([free, free_beside, free_beside]), [110.0, 120.0]);
    assert_eq!(ends(["", BESIDE, BESIDE]), [110.0, 220.0]);
    assert_eq!(ends([free, free_beside, BESIDE]), [110.0, 220.0]);
    // Whose call is not made does not hold.
    let never = "parallel = true\nprobability = 0";
    assert_eq!(ends([free, free_beside, never]), [110.0, 120.0]);
}

#[test]
fn a_required_call_that_fails_calls_the_others_off() {
    let cancel = "client = { cancel = true }";
    let beside = "parallel = true\nclient = { cancel = true }";
    // The second of three returns first in time, then the third fails the visit.
    for (calls, a, b) in [
        (["", BESIDE, BESIDE], 100.0, 60.0),
        ([cancel, beside, BESIDE], 20.0, 20.0),
    ] {
        let text = fork(&["0s"], "", calls, "c");
        assert_eq!(fates(&text), [("errored", 30.0)]);
        assert_eq!([busy(&text, "a"), busy(&text, "b")], [a, b]);
        let figures = summary(&text);
        let outcomes = &service(&figures, "a").attempts.outcomes;
        assert_eq!(outcomes.get("cancelled"), Some(&1));
    }
    let text = fork(&["0s"], "", [cancel, beside, BESIDE], "b");
    assert_eq!(fates(&text), [("errored", 70.0)]);
    assert_eq!([busy(&text, "a"), busy(&text, "c")], [60.0, 20.0]);
    let text = fork(&["0s"], "", [cancel, beside, BESIDE], "a");
    assert_eq!(fates(&text), [("errored", 110.0)]);
}

#[test]
fn a_call_that_is_not_required_may_fail() {
    let optional = "parallel = true\nrequired = false";
    let text = fork(&["0s"], "", ["", BESIDE, optional], "c");
    assert_eq!(fates(&text), [("succeeded", 110.0)]);
    let text = fork(&["0s"], "", ["required = false", BESIDE, BESIDE], "a");
    assert_eq!(fates(&text), [("succeeded", 110.0)]);
}

#[test]
fn giving_up_calls_all_of_them_off() {
    let cancel = "client = { cancel = true }";
    let beside = "parallel = true\nclient = { cancel = true }";
    let text = fork(
        &["0s"],
        "timeout = \"50ms\", cancel = true",
        [cancel, beside, beside],
        "",
    );
    assert_eq!(fates(&text), [("timed_out", 50.0)]);
    // Begun at 10 ms; the third had returned.
    assert_eq!(
        ["a", "b", "c"].map(|name| busy(&text, name)),
        [40.0, 40.0, 20.0]
    );
    assert_eq!(busy(&text, "web"), 50.0);
}

#[test]
fn a_crash_calls_all_of_them_off() {
    let cancel = "client = { cancel = true }";
    let beside = "parallel = true\nclient = { cancel = true }";
    for (calls, a) in [
        ([cancel, beside, BESIDE], 20.0),
        (["", BESIDE, BESIDE], 100.0),
    ] {
        let text = format!(
            "{}[[timeline]]\nat = \"30ms\"\ndo = \"crash\"\ntarget = \"service.web.server.s\"\n",
            fork(&["0s"], "", calls, "")
        );
        assert_eq!(fates(&text), [("reset", 30.0)]);
        assert_eq!(busy(&text, "a"), a);
    }
}

/// A front on `visitors` servers that calls `a` (100 ms) twice side by side; at 30 ms something of `a`
/// crashes.
fn crash_below(manners: &str, visitors: u32, call: &str, balancer: &str, target: &str) -> String {
    traced(
        "2s",
        &["0s"],
        &format!(
            "client = {{ {manners} }}\n[service.web]\ndemand = \"10ms\"\n\
             server = [{{ name = \"s\", workers = 1, count = {visitors} }}]\n\
             [[service.web.call]]\nto = \"a\"\n{call}\n\
             [[service.web.call]]\nto = \"a\"\nparallel = true\n{call}\n\
             [service.a]\ndemand = \"100ms\"\nbalancer = {{ {balancer} }}\n\
             server = [{{ name = \"a\", workers = 9 }}]\n\
             [[timeline]]\nat = \"30ms\"\ndo = \"crash\"\ntarget = \"service.a.{target}\"\n"
        ),
    )
}

#[test]
fn a_crash_below_cuts_off_calls_side_by_side_at_one_moment() {
    for target in ["server.a", "balancer"] {
        for balancer in ["", "cost = \"30ms\""] {
            for cancel in [false, true] {
                let text = |manners, visitors, required| {
                    let call = format!("required = {required}\nclient = {{ cancel = {cancel} }}\n");
                    crash_below(manners, visitors, &call, balancer, target)
                };
                let fate = |text: &str| {
                    summary(text);
                    fates(text)[0]
                };
                // With a cost the attempts are still at the balancer when the server crashes.
                let late = target == "server.a" && !balancer.is_empty();
                let end = if late { 40.0 } else { 30.0 };
                assert_eq!(fate(&text("", 1, true)), ("errored", end), "{target}");
                // The first that fails does not end the visit; the second finds nobody there.
                let last = if late { 70.0 } else { 30.0 };
                assert_eq!(fate(&text("", 1, false)), ("succeeded", last), "{target}");
                // The answer of one copy calls off the other, whose calls are cut off besides.
                let hedged = "cancel = true, hedge = { after = \"0s\" }";
                assert_eq!(fate(&text(hedged, 2, false)).0, "succeeded", "{target}");
                assert_eq!(fate(&text(hedged, 2, true)).0, "errored", "{target}");
            }
        }
    }
}

#[test]
fn each_of_them_has_its_own_manners() {
    let hedged = "parallel = true\nclient = { hedge = { after = \"30ms\" } }";
    let impatient = "client = { timeout = \"40ms\", retry = { kind = \"fixed\", attempts = 2 } }\nrequired = false";
    let text = fork(&["0s"], "", [impatient, hedged, BESIDE], "");
    // Two timeouts of 40 ms.
    assert_eq!(fates(&text), [("succeeded", 90.0)]);
    let figures = summary(&text);
    let attempts = |name| service(&figures, name).attempts.total;
    assert_eq!([attempts("a"), attempts("b"), attempts("c")], [2, 2, 1]);
}

#[test]
fn a_change_holds_from_the_next_calls_on() {
    let text = format!(
        "{}[[timeline]]\nat = \"50ms\"\nset = {{ \"service.web.call.b.parallel\" = true }}\n",
        fork(&["0s", "500ms"], "", ["", "", BESIDE], "")
    );
    let ends: Vec<f64> = fates(&text).iter().map(|fate| fate.1).collect();
    assert_eq!(ends, [170.0, 610.0]);
    assert_eq!(log(&text).len(), 2);
}
