//! Where requests go by class and by key: calls between services, and routes of a balancer.

use crate::support::{service, summary};
use sim_core::summary::{ClassFigures, Summary};

/// Two applications behind one proxy, the second half of whose requests goes to the second; the
/// first application hangs from the second minute to the seventh. `client` is how the proxy calls it.
fn hangs(client: &str) -> Summary {
    summary(&format!(
        r#"
horizon = "10m"
class = {{ a = {{ share = 0.5 }}, b = {{ share = 0.5 }} }}
traffic = [{{ to = "proxy", rate = 200 }}]
client = {{ timeout = "10s" }}
[service.proxy]
demand = "1ms"
server = [{{ name = "proxy", workers = 512 }}]
call = [{{ to = "app-a", class = "a", client = {{ {client} }} }}, {{ to = "app-b", class = ["b"] }}]
[service.app-a]
demand = "50ms"
server = [{{ name = "app-a", workers = 20 }}]
[service.app-b]
demand = "50ms"
server = [{{ name = "app-b", workers = 20 }}]
[[timeline]]
at = "2m"
do = "slow"
target = "service.app-a.server.app-a"
factor = 0.0001
for = "5m"
[[expect]]
that = "whole(goodput(b)) during 3m..7m < 50%"
"#
    ))
}

fn class<'a>(summary: &'a Summary, name: &str) -> &'a ClassFigures {
    summary.classes.get(name).expect("a class")
}

fn availability(summary: &Summary, name: &str) -> f64 {
    class(summary, name).availability.unwrap_or(1.0)
}

/// Each class calls its own service, and no other.
#[test]
fn a_call_by_class_is_made_for_that_class_only() {
    let well = hangs("timeout = \"1s\", guards = [{ kind = \"concurrency-limit\", limit = 50 }]");
    for (name, to) in [("a", "app-a"), ("b", "app-b")] {
        let (from, asked) = (&class(&well, name).requests, &service(&well, to).requests);
        assert!(asked.arrived + 20 >= from.arrived, "{name}: {from:?}");
        assert!(asked.arrived <= from.arrived, "{name}: {asked:?}");
    }
}

/// The incident of many gateways: what waits for a backend that hangs fills the proxy, which has
/// no room for anybody else.
#[test]
fn an_application_that_hangs_takes_the_other_down_through_their_proxy() {
    let hung = hangs("");
    assert!(hung.expectations[0].passed, "{:?}", hung.expectations);
    assert!(availability(&hung, "b") < 0.5, "{:?}", class(&hung, "b"));
}

/// A bulkhead: of the proxy's 512 places at most 100 wait for one application.
#[test]
fn a_limit_for_the_calls_to_one_application_saves_the_other() {
    let kept = hangs("guards = [{ kind = \"concurrency-limit\", limit = 100 }]");
    assert!(!kept.expectations[0].passed, "{:?}", kept.expectations);
    assert!(availability(&kept, "b") > 0.9999, "{:?}", class(&kept, "b"));
    // Half of the run lies in the incident, in which nearly nobody of class a is answered.
    let a = availability(&kept, "a");
    assert!((0.49..0.55).contains(&a), "{a}");
    let limit = kept.guards.iter().find(|guard| guard.at.contains("app-a"));
    assert!(
        limit.is_some_and(|guard| guard.refused > 25_000),
        "{limit:?}"
    );
}
