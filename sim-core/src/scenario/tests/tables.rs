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
