//! What is generated from the definitions.

use super::*;

#[test]
fn every_default_is_readable_and_every_key_has_words() {
    let mut problems = Collector::default();
    for row in keys() {
        assert!(
            row.about.ends_with('.') || row.about.contains(": "),
            "{}: {:?}",
            row.path,
            row.about
        );
        assert!(!row.kind.is_empty(), "{}", row.path);
    }
    let tree = tree::parse(&Source::new("t.toml", SMALL), 0, &mut problems).expect("valid");
    sections::Top::read(
        &tree,
        &mut section::Cx {
            problems: &mut problems,
            clock: None,
        },
    )
    .expect("valid");
    assert!(problems.is_empty());
}

#[test]
fn codes_ascend() {
    assert!(CODES.windows(2).all(|pair| pair[0].code < pair[1].code));
}

#[test]
fn warnings_are_remarks_on_valid_scenarios() {
    let warnings = |text: &str| {
        Scenario::read(Source::new("t.toml", text), &[], &NoFiles)
            .expect("valid")
            .warnings()
    };
    assert!(warnings(SMALL).is_empty());
    assert!(warnings(&SMALL.replace("rate = 100", "rate = 0"))[0].contains("always 0"));
    assert!(
        warnings(&small_and(
            "[service.db]\ndemand = \"1ms\"\nserver = [{ name = \"db\", workers = 1 }]"
        ))[0]
            .contains("nobody asks")
    );
}

#[test]
#[expect(clippy::too_many_lines, reason = "a line for each way to be in vain")]
fn settings_that_nothing_gets_past_are_remarked_on() {
    let warnings = |client: &str, link: &str, service: &str, server: &str| {
        let text = format!(
            "horizon = \"1m\"\n[[traffic]]\nto = \"web\"\nrate = 1\nclient = {{ {client} }}\n\
             [service.web]\ndemand = \"200ms\"\nlink = {{ {link} }}\n{service}\n\
             server = [{{ name = \"s\", workers = 2, {server} }}]\n"
        );
        let read = Scenario::read(Source::new("t.toml", &text), &[], &NoFiles);
        read.unwrap_or_else(|problems| panic!("{problems}\n{text}"))
            .warnings()
    };
    let guard = "guards = [{ kind = \"deadline\", margin = \"1s\" }]";
    let balancer = format!("balancer = {{ {guard} }}");
    let margin = "its margin is 1s, and `traffic` waits 1s";
    for (client, link, service, server, expected) in [
        ("timeout = \"1s\"", "", "", guard, margin),
        ("timeout = \"1s\"", "", balancer.as_str(), "", margin),
        (
            "deadline = \"100ms\"",
            "",
            "",
            "",
            "an answer takes 200ms or longer, and `traffic` waits 100ms",
        ),
        (
            "timeout = \"150ms\"",
            "",
            "",
            "speed = 2, queue = { limit = 3 }",
            "",
        ),
        (
            "timeout = \"300ms\"",
            "delay = \"60ms\"",
            "",
            "",
            "an answer takes 320ms or longer",
        ),
        (
            "timeout = \"300ms\"",
            "delay = \"160ms\"",
            "",
            "",
            "the way there and back takes 320ms",
        ),
        (
            "timeout = \"9s\"",
            "delay = \"2s\", connect_timeout = \"1s\"",
            "",
            "",
            "one way takes 2s, connect_timeout is 1s",
        ),
        (
            "timeout = \"1s\"",
            "connect_timeout = \"2s\"",
            "",
            "",
            "connect_timeout of 2s to `web` never comes",
        ),
        (
            "deadline = \"1s\", retry = { kind = \"fixed\", pause = \"2s\" }",
            "",
            "",
            "",
            "never tries `web` again: the pause is 2s, and the deadline 1s",
        ),
        (
            "deadline = \"1s\", retry = { kind = \"fixed\", pause = \"500ms\" }",
            "",
            "",
            "",
            "",
        ),
        // One way less and nothing is certain.
        (
            "timeout = \"1s\"",
            "",
            "",
            "guards = [{ kind = \"deadline\", margin = \"999ms\" }]",
            "",
        ),
        (
            "timeout = \"300ms\"",
            "delay = { kind = \"exponential\", mean = \"9s\" }",
            "",
            "",
            "",
        ),
    ] {
        let found = warnings(client, link, service, server).join("\n");
        assert_eq!(
            found.is_empty(),
            expected.is_empty(),
            "{client} {link}: {found}"
        );
        assert!(found.contains(expected), "{client} {link}: {found}");
    }
    let probes =
        "balancer = { health = [{ kind = \"checks\", timeout = \"1s\", demand = \"2s\" }] }";
    let found = warnings("timeout = \"9s\"", "", probes, "").join("\n");
    assert!(
        found.contains("every probe of `web` fails: it takes 2s or longer, and its timeout is 1s"),
        "{found}"
    );
}

/// What the time line sets is looked at as well, and each remark says for when it holds.
#[test]
fn settings_in_vain_are_told_for_as_long_as_they_stand() {
    let warnings = |more: &str| {
        let text = format!(
            "horizon = \"1m\"\n[[traffic]]\nto = \"web\"\nrate = 1\n[client]\ntimeout = \"100ms\"\n\
             [service.web]\ndemand = \"200ms\"\nserver = [{{ name = \"s\", workers = 2 }}]\n{more}"
        );
        let read = Scenario::read(Source::new("t.toml", &text), &[], &NoFiles);
        read.unwrap_or_else(|problems| panic!("{problems}\n{text}"))
            .warnings()
    };
    let set = |at: &str, timeout: &str| {
        format!("[[timeline]]\nat = \"{at}\"\nset = {{ \"client.timeout\" = \"{timeout}\" }}\n")
    };
    let waits = |timeout: &str| {
        format!(
            "no request of `traffic` to `web` is answered in time: an answer takes 200ms or longer, and `traffic` waits {timeout}"
        )
    };
    let hopeless = waits("100ms");
    assert_eq!(warnings(""), std::slice::from_ref(&hopeless));
    // A set of something else changes nothing.
    let other = "[[timeline]]\nat = \"9s\"\nset = { \"service.web.server.s.weight\" = 2 }\n";
    assert_eq!(warnings(other), std::slice::from_ref(&hopeless));
    assert_eq!(warnings(&set("0s", "1s")), [""; 0]);
    assert_eq!(
        warnings(&set("9s", "1s")),
        [format!("as it is set until 9s, {hopeless}")]
    );
    assert_eq!(
        warnings(&(set("9s", "150ms") + &set("20s", "1s") + &set("30s", "100ms"))),
        [
            format!("as it is set until 9s and from 30s on, {hopeless}"),
            format!("as it is set from 9s to 20s, {}", waits("150ms"))
        ]
    );
    // With very many sets only the start is looked at.
    let many: String = (1..60).map(|n| set(&format!("{n}s"), "1s")).collect();
    assert_eq!(
        warnings(&many),
        [format!("as it is set until 1s, {hopeless}")]
    );
    // A server may become faster than its settings say, and a class may demand less than its service.
    let faster = "[[timeline]]\nat = \"9s\"\nfault = { kind = \"slow\", factor = 4 }\ntarget = \"service.web.server.s\"\n";
    assert_eq!(warnings(faster), [""; 0]);
    let lighter = "[class.small]\nshare = 1\ndemand = \"1ms\"\n";
    assert_eq!(warnings(lighter), [""; 0]);
}

#[test]
fn what_the_time_line_wakes_is_not_called_idle() {
    let warnings = |text: &str| {
        Scenario::read(Source::new("t.toml", text), &[], &NoFiles)
            .unwrap_or_else(|problems| panic!("{problems}\n{text}"))
            .warnings()
    };
    let asleep = small_and("").replace("rate = 100", "rate = 0");
    assert_eq!(warnings(&asleep), ["the rate of `traffic` is always 0"]);
    let set = |path: &str, value: u32| {
        format!("[[timeline]]\nat = \"1s\"\nset = {{ \"{path}\" = {value} }}\n")
    };
    let woken = format!("{asleep}\n{}", set("traffic.traffic.rate", 5));
    assert_eq!(warnings(&woken), [""; 0]);
    let other = format!("{asleep}\n{}", set("service.web.server.web-1.weight", 5));
    assert_eq!(warnings(&other), ["the rate of `traffic` is always 0"]);
}

#[test]
fn a_law_without_a_unit_is_called_by_its_key() {
    let text = SMALL.replace(
        "rate = 100",
        "rate = 100\nclient = { retry = { kind = \"drawn\", pause = 5 } }",
    );
    let problems = Scenario::read(Source::new("t.toml", &text), &[], &NoFiles)
        .and_then(|scenario| scenario.model())
        .expect_err("no unit");
    let found = problems.to_string();
    assert!(found.contains("`pause` is a time span"), "{found}");
}

#[test]
fn traces_of_which_nothing_comes_are_remarked_on() {
    let warnings = |times: &str| {
        let text = format!(
            "horizon = \"1m\"\n[[traffic]]\nto = \"web\"\narrivals = {{ kind = \"trace\", times = [{times}] }}\n\
             [service.web]\ndemand = \"1ms\"\nserver = [{{ name = \"s\", workers = 1 }}]\n"
        );
        let read = Scenario::read(Source::new("t.toml", &text), &[], &NoFiles);
        read.unwrap_or_else(|problems| panic!("{problems}"))
            .warnings()
    };
    assert_eq!(warnings(""), ["the trace of `traffic` has no request"]);
    assert_eq!(
        warnings("\"2m\", \"3m\""),
        ["no request of the trace of `traffic` comes: its first is at 2m, the horizon at 1m"]
    );
    assert_eq!(warnings("\"1s\", \"3m\""), [""; 0]);
}

#[test]
fn entries_that_are_sure_to_find_nothing_to_do_are_remarked_on() {
    let entry = |at: u32, what: &str| {
        format!(
            "[[timeline]]\nat = \"{at}s\"\ndo = \"{what}\"\ntarget = \"service.web.server.web-1\"\n"
        )
    };
    let warnings = |entries: &[&str], more: &str| {
        let entries = (1..).zip(entries).map(|(at, what)| entry(at, what));
        let text = small_and(&(entries.collect::<String>() + more));
        let scenario = Scenario::read(Source::new("t.toml", &text), &[], &NoFiles);
        scenario.expect("valid").warnings()
    };
    for (entries, expected) in [
        (
            &["add"][..],
            "at 1s there is nothing to add: web-1 is there",
        ),
        (
            &["remove", "remove"],
            "at 2s there is nothing to remove: web-1 is being removed or gone",
        ),
        (
            &["drain", "drain"],
            "at 2s there is nothing to drain: web-1 is out of rotation",
        ),
        (
            &["undrain"],
            "at 1s there is nothing to undrain: web-1 is in rotation",
        ),
        (
            &["restart\"\nwhen = \"down"],
            "at 1s there is nothing to restart: web-1 is up",
        ),
    ] {
        assert_eq!(warnings(entries, ""), [expected]);
    }
    // What cannot be known is left for the run to say.
    for entries in [
        &["crash", "crash", "restart", "restart"][..],
        &["crash", "restart\"\nwhen = \"down"],
        &[
            "drain", "remove", "restart", "undrain", "add", "drain", "undrain",
        ],
    ] {
        assert!(warnings(entries, "").is_empty(), "{entries:?}");
    }
    let set = "[[timeline]]\nat = \"0s\"\n\
        set = { \"service.web.server.web-1.crash\" = [{ when = \"in_flight\", above = 9 }] }\n";
    assert!(warnings(&["restart\"\nwhen = \"down"], set).is_empty());
    let late = "[[service.web.server]]\nname = \"late\"\nworkers = 1\npresent = false\n";
    let of_all = format!(
        "{late}{}",
        entry(9, "crash").replace("server.web-1", "server")
    );
    assert_eq!(
        warnings(&[], &of_all),
        ["at 9s there is nothing to crash: late is not there"]
    );
    let many = warnings(&["add"; 30], "");
    assert_eq!(many.len(), 11);
    assert_eq!(
        many[10],
        "20 more entries of the time line find nothing to do"
    );
}
