//! Restarts by hand, and what people do where there is nothing to do.

use crate::support::{at, fates, run, server, service, start, summary, times, told, traced};
use sim_core::event_log::Kind;

/// Four servers, and what is done to them; 100 requests a second for five minutes.
fn fleet(server: &str, entry: &str) -> String {
    format!(
        "horizon = \"5m\"\ntraffic = [{{ to = \"web\", rate = 100 }}]\n\
         [service.web]\ndemand = {{ kind = \"exponential\", mean = \"20ms\" }}\n\
         [[service.web.server]]\nname = \"p\"\ncount = 4\nworkers = 2\n{server}\n\
         [[timeline]]\nat = \"1m\"\n{entry}\n"
    )
}

const BOOT: &str = "boot = \"20s\"\nwarm_up = { from = 0.1, over = \"60s\" }";

const ALL: &str = "do = \"restart\"\ntarget = \"service.web.server\"";

/// Servers that are up at some moments, in seconds.
fn up_at(text: &str, moments: &[f64]) -> Vec<usize> {
    let mut simulation = start(text);
    let up = |moment: &f64| {
        simulation.run_until(at(*moment));
        let servers = simulation.snapshot().servers;
        servers.iter().filter(|s| s.state.serves()).count()
    };
    moments.iter().map(up).collect()
}

#[test]
fn a_restart_stops_what_is_up_and_starts_it() {
    let text = fleet(BOOT, ALL);
    assert_eq!(up_at(&text, &[59.9, 60.1, 79.9, 80.1]), [4, 0, 0, 4]);
    let simulation = run(&text);
    assert_eq!(times(&simulation, Kind::Restart), [60.0; 4]);
    assert_eq!(times(&simulation, Kind::Up), [80.0; 4]);
    assert_eq!(times(&simulation, Kind::Warm), [140.0; 4]);
    // 20 s of 100 requests a second meet nobody; none of that is a crash.
    let summary = summary(&text);
    let failed = service(&summary, "web").requests.failed;
    assert!((1850..2200).contains(&failed), "{failed}");
    assert_eq!(times(&simulation, Kind::Crash), [0.0; 0]);
    assert_eq!(server(&summary, "web", "p-1").crashes, 0);
}

#[test]
fn a_restart_cuts_off_what_is_in_flight_as_a_crash_does() {
    for (at, keeps, expected) in [
        ("5ms", false, ("reset", 5.0)),
        ("15ms", false, ("succeeded", 10.0)),
        // What waits and survives is served after the boot of 50 ms.
        ("5ms", true, ("reset", 5.0)),
    ] {
        let rest = format!(
            "[service.web]\ndemand = \"10ms\"\n\
             server = [{{ name = \"s\", workers = 1, boot = \"50ms\", crash_keeps_queue = {keeps} }}]\n\
             [[timeline]]\nat = \"{at}\"\ndo = \"restart\"\ntarget = \"service.web.server.s\"\n"
        );
        let text = traced("1s", &["0s", "2ms", "30ms"], &rest);
        let fates = fates(&text);
        assert_eq!(fates[0], expected, "{at}");
        let second = match (at, keeps) {
            ("5ms", true) => ("succeeded", 65.0),
            ("5ms", false) => ("reset", 5.0),
            _ => ("reset", 15.0),
        };
        assert_eq!(fates[1], second, "{at} {keeps}");
        assert_eq!(fates[2], ("refused", 30.0), "{at}");
    }
}

#[test]
fn restarts_leave_no_trace_in_the_count_of_crashes() {
    // Growing pauses: 10 s after the first crash, 20 s after the next. A restart between does not count.
    let rule = "restart = { kind = \"crash-loop\", first = \"10s\", factor = 2, cap = \"5m\", immediate = 0, reset = \"10m\" }";
    let crash = |at: &str| {
        format!(
            "[[timeline]]\nat = \"{at}\"\ndo = \"crash\"\ntarget = \"service.web.server.p-1\"\n"
        )
    };
    let entries = format!(
        "do = \"restart\"\ntarget = \"service.web.server.p-1\"\n{}{}",
        crash("70s"),
        crash("100s")
    );
    let simulation = run(&fleet(rule, &entries));
    assert_eq!(times(&simulation, Kind::Up), [60.0, 80.0, 120.0]);
}

#[test]
fn a_fleet_is_restarted_server_by_server() {
    let text = fleet(BOOT, &format!("{ALL}\nevery = \"30s\"\nnote = \"rolled\""));
    let restarts = told(&run(&text), Kind::Restart);
    let expected = [(60.0, "p-1"), (90.0, "p-2"), (120.0, "p-3"), (150.0, "p-4")];
    let expected = expected.map(|(at, name)| (at, name.to_owned(), "rolled".to_owned()));
    assert_eq!(restarts, expected);
    assert_eq!(up_at(&text, &[61.0, 81.0, 151.0]), [3, 4, 3]);
    // The end of the run ends the row.
    let late = text.replace("at = \"1m\"", "at = \"230s\"");
    assert_eq!(times(&run(&late), Kind::Restart), [230.0, 260.0, 290.0]);
    // Other actions can take their time as well.
    for (action, kind) in [
        ("crash", Kind::Crash),
        ("drain", Kind::Drain),
        ("remove", Kind::Removed),
    ] {
        let text = text.replace("\"restart\"", &format!("\"{action}\""));
        assert_eq!(
            times(&run(&text), kind),
            [60.0, 90.0, 120.0, 150.0],
            "{action}"
        );
    }
}

#[test]
fn balancer_instances_are_restarted_too() {
    let balancer =
        "balancer = { instances = 2, boot = \"5s\", standby = { count = 1, takeover = \"2s\" } }";
    let text = |entry: &str| {
        let entry = format!("do = \"restart\"\ntarget = \"service.web.balancer\"\n{entry}");
        fleet("", &entry).replacen("[[service", &format!("{balancer}\n[[service"), 1)
    };
    let simulation = run(&text(""));
    let restarts = told(&simulation, Kind::Restart);
    let names: Vec<&str> = restarts.iter().map(|(_, name, _)| name.as_str()).collect();
    assert_eq!(names, ["web-lb-1", "web-lb-2"]);
    assert_eq!(times(&simulation, Kind::Up), [65.0, 65.0]);
    // A spare takes the place of one that is away for long, however it went.
    assert_eq!(times(&simulation, Kind::Takeover), [62.0]);
    assert_eq!(times(&simulation, Kind::Crash), [0.0; 0]);
    let rolled = run(&text("every = \"10s\""));
    // The spare is in use when its turn comes, and restarted like the others.
    assert_eq!(times(&rolled, Kind::Restart), [60.0, 70.0, 80.0]);
    let quiet = run(&text("when = \"down\""));
    assert_eq!(times(&quiet, Kind::Restart), [0.0; 0]);
    let note = told(&quiet, Kind::Note);
    assert_eq!(
        note[0].2,
        "nothing to restart: web-lb-1 and web-lb-2 are up"
    );
}

#[test]
fn what_is_never_restarted_is_not_stopped_either() {
    let text = fleet(
        "restart = \"never\"",
        &ALL.replace("server\"", "server.p-1\""),
    );
    let simulation = run(&text);
    assert_eq!(times(&simulation, Kind::Restart), [0.0; 0]);
    let note = &told(&simulation, Kind::Note)[0].2;
    assert_eq!(note, "p-1 cannot be restarted: restart = \"never\"");
}

#[test]
fn an_action_that_finds_nothing_to_do_says_so() {
    let entry = |at: u32, what: &str, rest: &str| {
        format!(
            "[[timeline]]\nat = \"{at}s\"\ndo = \"{what}\"\ntarget = \"service.web.server.p-1\"\n{rest}\n"
        )
    };
    let notes = |entries: &[(&str, &str)]| -> Vec<String> {
        let entries = (100..)
            .zip(entries)
            .map(|(at, (what, rest))| entry(at, what, rest));
        let text = fleet("boot = \"500ms\"", "do = \"note\"\nnote = \"x\"\n")
            + &entries.collect::<String>();
        let notes = told(&run(&text), Kind::Note);
        notes[1..].iter().map(|note| note.2.clone()).collect()
    };
    let nothing = |verb: &str, why: &str| [format!("nothing to {verb}: p-1 is {why}")];
    let down = "when = \"down\"";
    for (entries, verb, why) in [
        (&[("crash", ""), ("crash", "")][..], "crash", "down"),
        (&[("add", "")], "add", "there"),
        (&[("remove", ""), ("remove", "")], "remove", "not there"),
        (&[("remove", ""), ("restart", "")], "restart", "not there"),
        (&[("remove", ""), ("undrain", "")], "undrain", "not there"),
        (&[("restart", down)], "restart", "up"),
        (&[("drain", ""), ("drain", "")], "drain", "out of rotation"),
        (&[("undrain", "")], "undrain", "in rotation"),
        (&[("heal", "")], "heal", "without a fault"),
    ] {
        assert_eq!(notes(entries), nothing(verb, why), "{entries:?}");
    }
    // Of its own note nothing is lost.
    assert_eq!(
        notes(&[("add", "note = \"help comes\"")]),
        ["help comes (nothing to add: p-1 is there)"]
    );
    // While it boots it is started already.
    let twice = ALL.to_owned() + "\n[[timeline]]\nat = \"61s\"\n" + ALL;
    let simulation = run(&fleet("boot = \"5s\"", &twice));
    assert_eq!(
        told(&simulation, Kind::Note)[0].2,
        "nothing to restart: p-1, p-2, p-3 and 1 more are starting"
    );
}

/// Two takeovers can be under way for one outage; the second finds the place taken and takes no spare.
#[test]
fn no_spare_is_lost_where_restarts_follow_one_another() {
    let balancer =
        "balancer = { instances = 3, boot = \"20s\", standby = { count = 2, takeover = \"10s\" } }";
    let entry = "do = \"restart\"\ntarget = \"service.web.balancer\"\nevery = \"15s\"\n\
                 [[timeline]]\nat = \"3m\"\ndo = \"crash\"\ntarget = \"service.web.balancer\"";
    let text = fleet("", entry).replacen("[[service", &format!("{balancer}\n[[service"), 1);
    let simulation = run(&text);
    let takeovers = times(&simulation, Kind::Takeover);
    // Whoever was replaced is a spare when it is back: when all in use crash, there are two.
    let late = takeovers.iter().filter(|at| **at > 180.0);
    assert_eq!(late.count(), 2, "{takeovers:?}");
    assert!(takeovers.len() > 3, "{takeovers:?}");
}
