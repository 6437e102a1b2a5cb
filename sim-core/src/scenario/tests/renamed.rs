//! Keys that had another name.

use super::*;

const OLD: &str = r#"
horizon = "1h"
traffic = [{ to = "web", rate = 100 }]
[service.web]
demand = "10ms"
balancer = { pool = { limit = 5 }, spread = "random", door = "black-hole" }
[[service.web.server]]
name = "web"
count = 3
workers = 4
door = "black-hole"
[[timeline]]
at = "5m"
lane = "system"
set = { "service.web.server.door" = "refuse", "service.web.balancer.pool.limit" = 6 }
"#;

fn read(text: &str, sets: &[(String, String)]) -> Result<Scenario, Problems> {
    Scenario::read(Source::new("old.toml", text), sets, &NoFiles)
}

const MOVED: &str = r#"
horizon = "1h"
traffic = [{ to = "web", rate = 100 }]
[service.web]
demand = "10ms"
network = { kind = "exponential", mean = "5ms" }
[[service.web.server]]
name = "web"
workers = 4
[[timeline]]
at = "5m"
set = { "service.web.network.mean" = "6ms" }
[[timeline]]
at = "6m"
[timeline.set.service.web]
network = "7ms"
"#;

/// A key that stands in a table of its section now, in a file and in paths.
#[test]
fn keys_that_have_moved_are_read_where_they_were() {
    let today = MOVED
        .replace("network = {", "link.delay = {")
        .replace("network.mean", "link.delay.mean")
        .replace("network = \"7ms\"", "link = { delay = \"7ms\" }");
    let (old, new) = (read(MOVED, &[]), read(&today, &[]));
    let (old, new) = (old.expect("the old place"), new.expect("the new place"));
    assert_eq!(old.model(), new.model());
    assert!(new.warnings().is_empty());
    let warnings = old.warnings();
    // A path in parts is understood later, when nobody reads remarks any more.
    assert_eq!(warnings.len(), 2, "{warnings:#?}");
    let expected =
        "old.toml:6: `network` is now called `link.delay`; the next version refuses the old name";
    assert!(warnings.iter().any(|w| w == expected), "{warnings:#?}");
    let set = [("service.web.network".to_owned(), "1ms".to_owned())];
    let set = read(&today, &set).expect("an old path");
    assert_eq!(set.warnings().len(), 1);
    let both = MOVED.replace("network = {", "link = { delay = \"1ms\" }\nnetwork = {");
    let problems = read(&both, &[]).expect_err("two values for one key");
    assert!(problems.has("E019"), "{problems}");
}

/// The same text with the names of today.
fn today(text: &str) -> String {
    text.replace("pool", "pending_queue")
        .replace("spread", "instance_selection")
        .replace("door", "down_behaviour")
        .replace("lane", "by")
}

#[test]
fn old_names_are_read_and_the_new_ones_named() {
    let (old, new) = (read(OLD, &[]), read(&today(OLD), &[]));
    let (old, new) = (old.expect("old names"), new.expect("new names"));
    assert_eq!(old.model(), new.model());
    assert_eq!(old.hash(), new.hash());
    assert!(new.warnings().is_empty());
    let warnings = old.warnings();
    assert_eq!(warnings.len(), 7, "{warnings:#?}");
    let expected =
        "old.toml:6: `pool` is now called `pending_queue`; the next version refuses the old name";
    assert!(warnings.iter().any(|w| w == expected), "{warnings:#?}");
}

#[test]
fn old_names_are_read_in_paths_from_outside() {
    let set = [(
        "service.web.balancer.pool".to_owned(),
        "{ limit = 9 }".to_owned(),
    )];
    let scenario = read(&today(OLD), &set).expect("an old path");
    assert_eq!(scenario.warnings().len(), 1);
    let pending = scenario.model().expect("a model").services[0]
        .balancer
        .pending_queue;
    assert_eq!(pending.map(|queue| queue.limit), Some(9));
}

#[test]
fn old_names_are_read_in_values_from_outside() {
    let set = [(
        "service.web.balancer".to_owned(),
        "{ spread = \"random\" }".to_owned(),
    )];
    let scenario = read(&today(OLD), &set).expect("an old name in a table");
    let selection = scenario.model().expect("a model").services[0]
        .balancer
        .instance_selection;
    assert_eq!(selection, crate::model::InstanceSelection::Random);
    assert_eq!(scenario.warnings().len(), 1);
}

#[test]
fn both_names_at_once_are_refused() {
    let both = OLD.replace(
        "door = \"black-hole\" }",
        "door = \"refuse\", down_behaviour = \"refuse\" }",
    );
    let problems = read(&both, &[]).expect_err("two values for one key");
    assert!(problems.has("E019"), "{problems}");
}

#[test]
fn a_retry_budget_has_become_a_guard() {
    let old = "horizon = \"1h\"\ntraffic = [{ to = \"web\", rate = 100 }]\n\
        client = { retry_budget = { ratio = \"20%\" }, guards = [\"deadline\"] }\n\
        [service.web]\ndemand = \"10ms\"\nserver = [{ name = \"s\", workers = 4 }]\n\
        call = [{ to = \"db\", client = { retry_budget = { reserve = 3 } } }]\n\
        [service.db]\ndemand = \"10ms\"\nserver = [{ name = \"d\", workers = 4 }]\n";
    let budget = |rest: &str| format!("{{ kind = \"retry-budget\", {rest} }}");
    let new = old
        .replace(
            "retry_budget = { ratio = \"20%\" }, guards = [\"deadline\"]",
            &{ format!("guards = [\"deadline\", {}]", budget("ratio = 0.2")) },
        )
        .replace(
            "retry_budget = { reserve = 3 }",
            &format!("guards = [{}]", budget("reserve = 3, shared = true")),
        );
    let (old, new) = (read(old, &[]), read(&new, &[]));
    let old = old.expect("old keys");
    assert_eq!(old.model(), new.expect("new keys").model());
    let warnings = old.warnings();
    assert_eq!(warnings.len(), 2, "{warnings:#?}");
    assert!(warnings[0].starts_with("old.toml:3: `retry_budget` is now a guard"));
}
