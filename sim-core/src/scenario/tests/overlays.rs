//! Bases and traces.

use super::*;
use crate::arrival::Arrivals;
use crate::scenario::tree::Value;
use std::sync::Arc;

struct Shelf(Vec<(&'static str, String)>);

impl Files for Shelf {
    fn read(&self, name: &str) -> Result<Source, String> {
        let found = self.0.iter().find(|(n, _)| *n == name);
        found
            .map(|(n, text)| Source::new(*n, text.clone()))
            .ok_or_else(|| "there is none".to_owned())
    }
}

fn read(text: &str, shelf: &Shelf) -> Result<Model, Problems> {
    Scenario::read(Source::new("over.toml", text), &[], shelf)?.model()
}

#[test]
fn an_overlay_changes_its_base() {
    let shelf = Shelf(vec![("incident", DESIGN.to_owned())]);
    let text = "base = \"incident\"\ntitle = \"What if\"\n[set]\n\"service.web.server.web-1.weight\" = 1\nclient.timeout = \"3s\"\n\
                [[timeline]]\nat = \"12:20\"\ndo = \"crash\"\ntarget = \"service.web.server.web-2\"\n[[expect]]\nthat = \"never(alert)\"\n";
    let model = read(text, &shelf).unwrap_or_else(|p| panic!("{p}"));
    assert_eq!(
        (model.name.as_str(), model.title.as_str()),
        ("over", "What if")
    );
    assert_eq!(model.servers[0].params.weight, 1.0);
    assert_eq!(model.clients[0].timeout, Some(Duration::from_secs(3)));
    assert_eq!(model.timeline.len(), 3);
    assert_eq!(
        model
            .expectations
            .iter()
            .map(|e| e.that.as_str())
            .collect::<Vec<_>>(),
        ["never(alert)"]
    );
    let bare = read("base = \"incident\"", &shelf).expect("valid");
    assert!(
        bare.expectations.is_empty(),
        "what the base expects of itself need not hold here"
    );
}

#[test]
fn an_overlay_adds_servers_like_those_of_its_base() {
    let shelf = Shelf(vec![("incident", DESIGN.to_owned())]);
    let text = "base = \"incident\"\n[set]\n\"service.web.server.spare.weight\" = 5\n\
                [[service.web.server]]\nname = \"spare\"\nlike = \"web-2\"\npresent = false\n";
    let (base, model) = (
        read("base = \"incident\"", &shelf).expect("valid"),
        read(text, &shelf).unwrap_or_else(|p| panic!("{p}")),
    );
    assert_eq!(model.servers.len(), base.servers.len() + 1);
    let named = |model: &Model, name: &str| {
        let server = model.servers.iter().find(|server| server.name == name);
        server.unwrap_or_else(|| panic!("no {name}")).clone()
    };
    let (like, spare) = (named(&base, "web-2"), named(&model, "spare"));
    assert_eq!(like.params.workers, spare.params.workers);
    assert_eq!((spare.params.weight, spare.present), (5.0, false));
}

#[test]
fn bad_overlays_are_refused() {
    let shelf = Shelf(vec![
        ("incident", DESIGN.to_owned()),
        ("a", "base = \"b\"".to_owned()),
        ("b", "base = \"a\"".to_owned()),
    ]);
    for (text, code) in [
        ("base = \"incidnt\"", "E050"),
        ("base = \"a\"", "E051"),
        ("base = \"incident\"\nhorizon = \"1h\"", "E052"),
        ("base = \"incident\"\n[set]\nseed = 1\n\"seed\" = 2", "E001"),
        ("base = \"incident\"\nservice = 3", "E012"),
        ("base = \"incident\"\nservice.web = 3", "E012"),
        ("base = \"incident\"\n[service.web]", "E012"),
        (
            "base = \"incident\"\n[[service.wbe.server]]\nname = \"x\"\nlike = \"web-1\"",
            "E020",
        ),
        (
            "base = \"incident\"\n[[service.web.server]]\nname = \"x\"\nlike = \"x-1\"\nworkers = 1",
            "E020",
        ),
        (
            "base = \"incident\"\n[service.web]\ndemand = \"1s\"\n[[service.web.server]]\nname = \"x\"\nlike = \"web-1\"",
            "E052",
        ),
        (
            "base = \"incident\"\n[set]\n\"service.web.server.web-8.weight\" = 2",
            "E020",
        ),
    ] {
        let problems = read(text, &shelf).expect_err(text);
        assert!(problems.has(code), "{text}: {problems}");
        assert_eq!(problems.problems.len(), 1, "{problems}");
    }
}

#[test]
fn traces_come_from_a_file_or_stand_in_the_scenario() {
    let shelf = Shelf(vec![
        ("log", "# times\n0\n1.5\n2\n".to_owned()),
        ("bad", "1\nx\n".to_owned()),
    ]);
    let with = |arrivals: &str| {
        SMALL.replace(
            "rate = 100",
            &format!("arrivals = {{ kind = \"trace\", {arrivals} }}"),
        )
    };
    let from_file = read(&with("file = \"log\""), &shelf).unwrap_or_else(|p| panic!("{p}"));
    assert_eq!(
        from_file,
        read(&with("times = [\"0s\", \"1.5s\", \"2s\"]"), &shelf).expect("valid")
    );
    assert!(
        read(&with("file = \"bad\""), &shelf)
            .expect_err("no time")
            .has("E053")
    );
    assert!(
        read(&with("file = \"gone\""), &shelf)
            .expect_err("no file")
            .has("E053")
    );
}

#[test]
fn samples_come_from_a_file_wherever_a_law_stands() {
    let shelf = Shelf(vec![
        ("times", "0.003\n1ms\n".to_owned()),
        ("table", "ms,part\n1ms,0\n2ms,0.5\n9ms,1\n".to_owned()),
        ("bad", "1\n2\nx3\n".to_owned()),
        ("less", "1ms,0.2\n2ms,1\n".to_owned()),
    ]);
    let with = |law: &str| SMALL.replace("demand = \"10ms\"", &format!("demand = {law}"));
    for (file, inline) in [
        ("times", "values = [\"1ms\", \"3ms\"]"),
        (
            "table",
            "values = [\"1ms\", \"2ms\", \"9ms\"], probabilities = [0.0, 0.5, 1.0]",
        ),
    ] {
        let law = |of: &str| format!("{{ kind = \"empirical\", {of} }}");
        let nested = |of: &str| {
            let of = law(of);
            format!("{{ kind = \"truncated\", max = \"5ms\", of = {of} }}")
        };
        let file = format!("file = \"{file}\"");
        for (file, inline) in [(law(&file), law(inline)), (nested(&file), nested(inline))] {
            let file = read(&with(&file), &shelf).unwrap_or_else(|p| panic!("{p}"));
            assert_eq!(file, read(&with(&inline), &shelf).expect("valid"));
        }
    }
    for (of, code, words) in [
        ("file = \"bad\"", "E053", "line 3"),
        ("file = \"gone\"", "E053", "cannot be read"),
        ("file = \"less\"", "E017", "from 0.2 to 1"),
        ("file = 3", "E012", "a text"),
        ("file = \"times\", values = [\"1s\"]", "E017", "either"),
    ] {
        let text = with(&format!("{{ kind = \"empirical\", {of} }}"));
        let problems = read(&text, &shelf).expect_err(of);
        assert!(problems.has(code), "{of}: {problems}");
        assert!(problems.to_string().contains(words), "{of}: {problems}");
        assert_eq!(problems.problems.len(), 1, "{problems}");
    }
}

/// A long trace takes eight bytes a request, once for text, model and whatever is made of them.
#[test]
fn traces_of_files_are_kept_once_and_small() {
    let shelf = Shelf(vec![("log", "0.5\n0\n".repeat(1000))]);
    let text = SMALL.replace(
        "rate = 100",
        "arrivals = { kind = \"trace\", file = \"log\" }",
    );
    let scenario = Scenario::read(Source::new("over.toml", text), &[], &shelf);
    let scenario = scenario.unwrap_or_else(|p| panic!("{p}")).clone();
    let model = scenario.model().unwrap_or_else(|p| panic!("{p}"));
    let Arrivals::Trace(times) = model.sources[0].arrivals.build() else {
        panic!("no trace")
    };
    assert_eq!((times.len(), size_of_val(&*times)), (2000, 16_000));
    assert!(times[..1000].iter().all(|time| time.is_zero()));
    let traffic = scenario.tree.get("traffic").expect("traffic").items();
    let written = traffic[0].get("arrivals").and_then(|a| a.get("times"));
    let Some(Value::Moments(written)) = written.map(|node| &node.value) else {
        panic!("not as moments")
    };
    assert!(Arc::ptr_eq(written, &times));
}
