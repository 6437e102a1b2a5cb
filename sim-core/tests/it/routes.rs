//! Where requests go by class and by key: calls between services, and routes of a balancer.

use crate::support::{fates, server, service, summary, traced};
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

/// Requests at the given times to a router without servers, which sends all to `app` (10 ms, one
/// worker); `route` is what is written of the route, `app` of the server, `more` of the rest.
fn routed(times: &[&str], route: &str, app: &str, more: &str) -> String {
    traced(
        "2s",
        times,
        &format!(
            "[service.web.balancer]\nroutes = [{{ to = \"app\", {route} }}]\n\
             [service.app]\ndemand = \"10ms\"\n\
             server = [{{ name = \"app\", workers = 1, {app} }}]\n{more}"
        ),
    )
}

#[test]
fn a_router_needs_no_servers_and_takes_no_time() {
    let text = routed(&["0s", "0s", "1s"], "", "", "");
    let expected = [
        ("succeeded", 10.0),
        ("succeeded", 20.0),
        ("succeeded", 1010.0),
    ];
    assert_eq!(fates(&text), expected);
    let seen = summary(&text);
    for name in ["web", "app"] {
        let figures = service(&seen, name);
        assert_eq!(figures.requests.arrived, 3, "{name}");
        assert_eq!(
            figures.attempts.outcomes.get("succeeded"),
            Some(&3),
            "{name}"
        );
    }
}

/// The router's own time, the links on the way and those behind it all count, each once.
#[test]
fn a_request_takes_the_time_of_both_hops() {
    let route = "link = { delay = \"5ms\" }";
    let more = "[service.web]\nlink = { delay = \"20ms\" }\n[service.app.balancer]\ncost = \"3ms\"";
    let text = routed(&["0s"], route, "", more).replace(
        "[service.web.balancer]",
        "[service.web.balancer]\ncost = \"1ms\"",
    );
    // There and back: 2 · 20 + 1 + 2 · 5 + 3 + 10.
    assert_eq!(fates(&text), [("succeeded", 64.0)]);
}

#[test]
fn what_the_other_service_says_is_passed_on_and_silence_is_an_error_of_the_proxy() {
    let fate = |route: &str, app: &str, more: &str| {
        let text = routed(&["100ms", "100ms"], route, app, more);
        *fates(&text).last().expect("two requests")
    };
    let down = "[[timeline]]\nat = \"50ms\"\ndo = \"crash\"\ntarget = \"service.app.server\"";
    let away = "[[timeline]]\nat = \"50ms\"\ndo = \"drain\"\ntarget = \"service.app.server\"";
    let limit = "guards = [{ kind = \"concurrency-limit\", limit = 1 }]";
    assert_eq!(fate("", "errors = { rate = 1 }", ""), ("errored", 120.0));
    assert_eq!(fate("", "queue = { limit = 0 }", ""), ("rejected", 100.0));
    assert_eq!(fate("", limit, ""), ("shed", 100.0));
    assert_eq!(fate("", "", away), ("unavailable", 100.0));
    // The proxy's own limit for the service, and its own patience.
    assert_eq!(
        fate(&format!("client = {{ {limit} }}"), "", ""),
        ("shed", 100.0)
    );
    let impatient = "client = { timeout = \"4ms\" }";
    assert_eq!(fate(impatient, "", ""), ("errored", 104.0));
    assert_eq!(fate("", "", down), ("errored", 100.0));
    let lost = "link = { loss = 1, connect_timeout = \"30ms\" }";
    assert_eq!(fate(lost, "", ""), ("errored", 130.0));
    let late = down.replace("50ms", "105ms");
    assert_eq!(fate("", "", &late), ("errored", 105.0));
}

/// As `proxy_next_upstream` does: the caller never hears of the server that was down.
#[test]
fn a_route_may_try_another_server() {
    let more = "[[timeline]]\nat = \"0s\"\ndo = \"crash\"\ntarget = \"service.app.server.app-1\"";
    let times = ["1ms", "100ms", "200ms", "300ms"];
    let tries = |route| fates(&routed(&times, route, "count = 2", more));
    let failed = |fates: &[(&str, f64)]| fates.iter().filter(|fate| fate.0 == "errored").count();
    assert_eq!(failed(&tries("")), 2);
    let again = "client = { retry = { kind = \"fixed\", attempts = 2 } }";
    assert_eq!(failed(&tries(again)), 0);
}

/// A caller that hangs up ends the call along the route; whether the server hears of it is the
/// route's `cancel`.
#[test]
fn a_caller_that_hangs_up_ends_the_call_along_the_route() {
    let after = |cancel: &str| {
        let route = format!("client = {{ cancel = {cancel} }}");
        let more = "[client]\ntimeout = \"4ms\"";
        let text = routed(&["0s", "5ms"], &route, "", more).replace("\"10ms\"", "\"100ms\"");
        let seen = summary(&text);
        let app = service(&seen, "app");
        assert_eq!(app.requests.outcomes.get("cancelled"), Some(&2));
        assert_eq!(fates(&text), [("timed_out", 4.0), ("timed_out", 9.0)]);
        (server(&seen, "app", "app").utilisation * 2000.0).round()
    };
    assert_eq!((after("false"), after("true")), (200.0, 8.0));
}

/// A crash of the router cuts its callers off, and nobody waits for what it had asked.
#[test]
fn a_crash_of_the_router_resets_what_it_has_sent_on() {
    let more = "[[timeline]]\nat = \"5ms\"\ndo = \"crash\"\ntarget = \"service.web.balancer\"";
    let text = routed(&["0s", "0s", "7ms"], "", "", more);
    let expected = [("reset", 5.0), ("reset", 5.0), ("refused", 7.0)];
    assert_eq!(fates(&text), expected);
    let seen = summary(&text);
    let app = service(&seen, "app");
    assert_eq!(app.requests.outcomes.get("cancelled"), Some(&2));
}

#[test]
fn what_was_sent_on_counts_as_a_connection_of_the_router() {
    let more = "[service.web]\nlink = {}";
    let text = routed(&["0s", "0s", "0s", "15ms"], "", "", more).replace(
        "[service.web.balancer]",
        "[service.web.balancer]\nmax_connections = 2",
    );
    let expected = [
        ("succeeded", 10.0),
        ("succeeded", 20.0),
        ("rejected", 0.0),
        ("succeeded", 30.0),
    ];
    assert_eq!(fates(&text), expected);
}

/// A gateway with routes for two classes and servers of its own for the third.
#[test]
fn the_first_route_for_a_class_takes_it_and_the_rest_stays() {
    let seen = summary(
        "horizon = \"60s\"\nwarm_up = \"1s\"\n\
         class = { a = { share = 0.5 }, b = { share = 0.3 }, c = { share = 0.2 } }\n\
         traffic = [{ to = \"web\", rate = 300 }]\n\
         [service.web]\ndemand = \"1ms\"\nserver = [{ name = \"s\", workers = 4 }]\n\
         [service.web.balancer]\n\
         routes = [{ class = \"a\", to = \"x\" }, { class = [\"a\", \"b\"], to = \"y\" }]\n\
         [service.x]\ndemand = \"1ms\"\nserver = [{ name = \"x\", workers = 4 }]\n\
         [service.y]\ndemand = \"1ms\"\nserver = [{ name = \"y\", workers = 4 }]\n",
    );
    let of = |name| class(&seen, name).requests.arrived;
    assert_eq!(service(&seen, "x").requests.arrived, of("a"));
    assert_eq!(service(&seen, "y").requests.arrived, of("b"));
    assert_eq!(
        service(&seen, "web").requests.arrived,
        of("a") + of("b") + of("c")
    );
    assert_eq!(server(&seen, "web", "s").attempts, of("c"));
}

/// Requests of a canary and of all, with keys as written, and shares that the time line may change.
fn canary(keys: &str, more: &str) -> (u64, u64) {
    let seen = summary(&format!(
        "horizon = \"100s\"\ntraffic = [{{ to = \"web\", rate = 200, key = {keys} }}]\n\
         [service.web]\ndemand = \"1ms\"\nserver = [{{ name = \"s\", workers = 4 }}]\n\
         [service.web.balancer]\n\
         routes = [{{ share = \"20%\", to = \"canary\" }}, {{ share = 0.3, to = \"next\" }}]\n\
         [service.canary]\ndemand = \"1ms\"\nserver = [{{ name = \"c\", workers = 4 }}]\n\
         [service.next]\ndemand = \"1ms\"\nserver = [{{ name = \"n\", workers = 4 }}]\n{more}"
    ));
    let all = service(&seen, "web").requests.arrived;
    let kept = server(&seen, "web", "s").attempts;
    let sent = |name| service(&seen, name).requests.arrived;
    assert_eq!(sent("canary") + sent("next") + kept, all);
    (sent("canary"), all)
}

/// Each request draws its key, so that the canary's part is binomial: four standard deviations.
#[test]
fn a_share_of_unique_keys_is_a_share_of_the_requests() {
    let (canary, all) = canary("\"unique\"", "");
    let (n, p) = (all as f64, 0.2);
    let bound = 4.0 * (n * p * (1.0 - p)).sqrt();
    assert!((canary as f64 - n * p).abs() < bound, "{canary} of {all}");
}

#[test]
fn a_key_stays_on_its_side() {
    let (one, all) = canary("{ kind = \"uniform\", n = 1 }", "");
    assert!(one == 0 || one == all, "{one} of {all}");
    // A larger share takes keys from the others and gives none back: the only key goes over once.
    let more = "[[timeline]]\nat = \"50s\"\n\
        set = { \"service.web.balancer.routes.canary.share\" = 0.7 }\n";
    let (with_more, _) = canary("{ kind = \"uniform\", n = 1 }", more);
    assert!(with_more >= one, "{one}, then {with_more}");
}

/// The incident of the gateway, told with routes: a connection limit of the proxy fills up, and a
/// bulkhead keeps it from that.
#[test]
fn a_bulkhead_at_a_route_saves_the_other_routes() {
    let gateway = |client: &str| {
        summary(&format!(
            "horizon = \"6m\"\nclass = {{ a = {{ share = 0.5 }}, b = {{ share = 0.5 }} }}\n\
             traffic = [{{ to = \"proxy\", rate = 100 }}]\nclient = {{ timeout = \"20s\" }}\n\
             [service.proxy.balancer]\nmax_connections = 512\n\
             routes = [{{ class = \"a\", to = \"app-a\", client = {{ {client} }} }}, {{ to = \"app-b\" }}]\n\
             [service.app-a]\ndemand = \"50ms\"\nserver = [{{ name = \"app-a\", workers = 20 }}]\n\
             [service.app-b]\ndemand = \"50ms\"\nserver = [{{ name = \"app-b\", workers = 20 }}]\n\
             [[timeline]]\nat = \"1m\"\ndo = \"slow\"\ntarget = \"service.app-a.server\"\n\
             factor = 0.0001\nfor = \"4m\"\n"
        ))
    };
    let alone = gateway("");
    let rejected = service(&alone, "proxy").attempts.outcomes.get("rejected");
    assert!(rejected.is_some_and(|n| *n > 5000), "{rejected:?}");
    assert!(availability(&alone, "b") < 0.8);
    let kept = gateway("guards = [{ kind = \"concurrency-limit\", limit = 100 }]");
    assert!(availability(&kept, "b") > 0.9999);
    let limit = kept.guards.iter().find(|guard| guard.refused > 0);
    let at = limit.map(|guard| guard.at.as_str());
    assert_eq!(at, Some("service.proxy.balancer.routes.app-a"));
}

/// Each instance has guards of its own at a route, and loses what they had learnt with a crash.
#[test]
fn instances_have_their_own_guards_at_a_route() {
    let limit = "client = { guards = [{ kind = \"concurrency-limit\", limit = 1 }] }";
    let refused = |instances: u32| {
        let text = routed(&["0s", "0s", "0s", "0s"], limit, "", "").replace(
            "[service.web.balancer]",
            &format!("[service.web.balancer]\ninstances = {instances}"),
        );
        fates(&text).iter().filter(|fate| fate.0 == "shed").count()
    };
    assert_eq!((refused(1), refused(2)), (3, 2));
}

/// A route's link can be cut by its name, and alone.
#[test]
fn the_link_of_a_route_can_be_cut() {
    let more = "[client]\ntimeout = \"50ms\"\n[[timeline]]\nat = \"500ms\"\ndo = \"partition\"\n\
        target = \"service.web.balancer.routes.app.link\"\n\
        [[expect]]\nthat = \"count(partition.service.web.balancer.routes.app.link) == 1\"\n";
    let text = routed(&["0s", "600ms"], "", "", more);
    assert_eq!(fates(&text), [("succeeded", 10.0), ("timed_out", 650.0)]);
    assert!(summary(&text).expectations[0].passed);
}

#[test]
fn routes_lead_from_router_to_router() {
    let more = "[service.app.balancer]\nroutes = [{ class = \"all\", to = \"end\" }]\n\
        [service.end]\ndemand = \"7ms\"\nserver = [{ name = \"e\", workers = 1 }]";
    assert_eq!(fates(&routed(&["0s"], "", "", more)), [("succeeded", 7.0)]);
}

/// What a route takes is no load of the service's own servers, before a change of its share and
/// after it: at one request each 10 ms of 5 ms, half of a worker, and a quarter for half the time.
#[test]
fn a_route_takes_its_part_of_the_offered_load() {
    let load = |share: &str, later: &str| {
        let seen = summary(&format!(
            "horizon = \"400s\"\ntraffic = [{{ to = \"web\", rate = 100, arrivals = \"deterministic\" }}]\n\
             [service.web]\ndemand = \"5ms\"\nserver = [{{ name = \"s\", workers = 1 }}]\n\
             [service.web.balancer]\nroutes = [{{ to = \"x\", share = {share} }}]\n\
             [service.x]\ndemand = \"1ms\"\nserver = [{{ name = \"x\", workers = 1 }}]\n\
             [[timeline]]\nat = \"200s\"\n\
             set = {{ \"service.web.balancer.routes.x.share\" = {later} }}\n"
        ));
        service(&seen, "web").offered_load.unwrap_or(0.0)
    };
    for (share, later, expected) in [("0", "0", 0.5), ("0.5", "0.5", 0.25), ("0", "0.5", 0.375)] {
        let load = load(share, later);
        assert!(
            (load - expected).abs() < 1e-4,
            "{share}, then {later}: {load}"
        );
    }
}
