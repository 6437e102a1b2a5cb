//! Apache 2.4.71, as it was observed.

use super::{every, fates, requests_at, tried};

/// Members a and b, of which some refuse connections from the start until a moment, in seconds.
fn apache(requests: &str, settings: &str, refusing: &[(&str, f64)]) -> String {
    let mut text = format!(
        "{requests}[service.web]\ndemand = \"1ms\"\n\
         balancer.dialect = {{ kind = \"apache\", {settings} }}\n\
         server = [{{ name = \"a\", workers = 9 }}, {{ name = \"b\", workers = 9 }}]\n"
    );
    for (server, until) in refusing {
        for (at, action) in [(0.0, "crash"), (*until, "restart")] {
            text += &format!(
                "[[timeline]]\nat = \"{at:.3}s\"\ndo = \"{action}\"\ntarget = \"service.web.server.{server}\"\n"
            );
        }
    }
    text
}

fn seconds(n: u32) -> String {
    requests_at(every(1.0, n).map(|at| at + 0.001))
}

/// A28.
#[test]
fn turns() {
    let requests = requests_at(every(0.01, 12));
    let servers = "server = [{ name = \"a\", workers = 9, weight = 3 }, { name = \"b\", workers = 9, weight = 2 }, { name = \"c\", workers = 9 }]\n";
    let text = format!(
        "{requests}[service.web]\ndemand = \"1ms\"\nbalancer.dialect = \"apache\"\n{servers}"
    );
    assert_eq!(tried(&fates(&text)), "a b a c b a a b a c b a");
}

/// A29: one refuses; nobody notices, and it is left alone for a minute though it works from 5 s on.
#[test]
fn a_member_that_refuses_is_left_alone_for_a_minute() {
    let fates = fates(&apache(&seconds(70), "", &[("a", 5.0)]));
    assert!(fates.iter().all(|fate| fate.outcome == "succeeded"));
    let at_a = fates
        .iter()
        .filter(|fate| fate.tried.contains(&"a".to_owned()));
    let mut moments = at_a.map(|fate| fate.arrived_s);
    assert_eq!(moments.next(), Some(0.001));
    let back = moments.next().expect("it comes back");
    assert!((60.0..62.0).contains(&back), "{back}");
}

/// A29: both refuse; every request tries both, so that the first after they work is served.
#[test]
fn all_in_error_state_are_tried_by_every_request() {
    let both = [("a", 3.5), ("b", 3.5)];
    let fates = fates(&apache(&seconds(6), "", &both));
    assert_eq!(tried(&fates[..4]), "ab ba ab ba");
    let first = fates.iter().position(|fate| fate.outcome == "succeeded");
    assert_eq!(first, Some(4));
    let text = apache(
        &seconds(8),
        "retry = \"4500ms\", forcerecovery = false",
        &both,
    );
    let fates = super::fates(&text);
    let first = fates.iter().position(|fate| fate.outcome == "succeeded");
    assert_eq!(
        (first, fates[1].tried.len()),
        (Some(5), 0),
        "after its time"
    );
}

/// A29: an error is passed on, and counts where its status is listed.
#[test]
fn errors_are_passed_on() {
    for (settings, expected) in [("", "a b a b"), ("failonstatus = true", "a b b b")] {
        let text = apache(&seconds(4), settings, &[]);
        let text = text.replace("name = \"a\",", "name = \"a\", errors.rate = 1.0,");
        let fates = fates(&text);
        assert_eq!(
            (tried(&fates).as_str(), fates[0].outcome),
            (expected, "errored")
        );
    }
}

/// A29: who takes too long is given up at each turn, stays, and nobody else is tried.
#[test]
fn a_member_that_hangs_stays() {
    let text = apache(&seconds(4), "timeout = \"1s\"", &[]);
    let text = text.replace("name = \"a\",", "name = \"a\", speed = 0.0001,");
    let fates = fates(&text);
    assert_eq!(tried(&fates), "a b a b");
    assert!((fates[0].took_s - 1.0).abs() < 1e-9 && fates[0].outcome == "errored");
}

/// Where failontimeout is set, it goes.
#[test]
fn failontimeout_takes_out_who_hangs() {
    let text = apache(&seconds(5), "timeout = \"1s\", failontimeout = true", &[]);
    let text = text.replace("name = \"a\",", "name = \"a\", speed = 0.0001,");
    let fates = fates(&text);
    assert_eq!(tried(&fates), "a b b b b");
    assert_eq!(fates[0].outcome, "errored");
}

#[test]
fn maxattempts_is_how_many_others_are_tried() {
    let refusing = [("a", 50.0)];
    for (settings, first, ok) in [
        ("", "ab", 4),
        ("maxattempts = 0", "a", 3),
        ("maxattempts = 1", "ab", 4),
    ] {
        let fates = fates(&apache(&seconds(4), settings, &refusing));
        let well = fates.iter().filter(|fate| fate.outcome == "succeeded");
        assert_eq!(
            (fates[0].tried.concat().as_str(), well.count()),
            (first, ok),
            "{settings}"
        );
    }
}

/// A spare takes the place of one in error state, a standby waits for all to be.
#[test]
fn backups_are_standbys_or_spares() {
    for (settings, expected) in [
        ("", "a b b b b"),
        (", backups = \"hot-spare\"", "a b c b c"),
    ] {
        let text = apache(&seconds(5), &format!("failonstatus = true{settings}"), &[]);
        let text = text
            .replace("name = \"a\",", "name = \"a\", errors.rate = 1.0,")
            .replace(
                "{ name = \"b\", workers = 9 }]",
                "{ name = \"b\", workers = 9 }, { name = \"c\", workers = 9, backup = true }]",
            );
        assert_eq!(tried(&fates(&text)), expected);
    }
}

/// A time of nothing is over by the next turn.
#[test]
fn without_a_pause_nobody_is_left_alone() {
    let text = apache(&seconds(4), "failonstatus = true, retry = \"0s\"", &[]);
    let text = text.replace("name = \"a\",", "name = \"a\", errors.rate = 1.0,");
    assert_eq!(tried(&fates(&text)), "a b a b");
}
