//! Bad input: each kind gives a pointed problem.

use super::*;

#[test]
#[expect(clippy::too_many_lines, reason = "a table: one row a mistake")]
fn each_mistake_gets_its_problem() {
    for (from, to, code, words) in [
        ("rate = 100", "rate = nan", "E003", "finite"),
        ("rate = 100", "rate = -1", "E013", "0 to"),
        (
            "rate = 100",
            "rate = 1e300",
            "E013",
            "1e300 is out of range for `rate`",
        ),
        ("rate = 100", "rate = \"fast\"", "E012", "corners"),
        ("rate = 100", "rate = []", "E013", "corner"),
        (
            "rate = 100",
            "rate = { kind = \"wave\", mean = 1, period = \"999ns\" }",
            "E013",
            "1us or more",
        ),
        (
            "rate = 100",
            "rate = { kind = \"diurnal\", times = [\"1h\", \"25h\"], rates = [1, 2] }",
            "E017",
            "not within the period",
        ),
        (
            "rate = 100",
            "rate = { kind = \"flash-crowd\", base = 1, peak = 0.5, at = \"1m\" }",
            "E013",
            "1 to",
        ),
        (
            "rate = 100",
            "arrivals = { kind = \"clock\", every = \"1us\", jobs = 3 }",
            "E013",
            "1ms or more",
        ),
        (
            "rate = 100",
            "rate = 100\narrivals = { kind = \"reconnect\", clients = 3, at = \"1s\" }",
            "E027",
            "no `rate`",
        ),
        (
            "demand = \"10ms\"",
            "demand = { kind = \"mixture\", of = [\"1ms\"] }",
            "E017",
            "two or more",
        ),
        (
            "demand = \"10ms\"",
            "demand = { kind = \"truncated\", of = \"1ms\", min = \"2ms\" }",
            "E017",
            "0.01 %",
        ),
        (
            "demand = \"10ms\"",
            "demand = { kind = \"empirical\", values = [\"1ms\", \"2ms\"], probabilities = [0, 0.9] }",
            "E017",
            "the greatest, with 1",
        ),
        (
            "demand = \"10ms\"",
            "demand = { kind = \"shifted\", of = [], by = \"1ms\" }",
            "E012",
            "a name or a table",
        ),
        (
            "rate = 100",
            "rate = [[\"5m\", 1], [\"1m\", 2]]",
            "E028",
            "order",
        ),
        (
            "rate = 100",
            "rate = [[\"12:30\", 1]]",
            "E015",
            "no `clock`",
        ),
        ("rate = 100", "", "E027", "need a `rate`"),
        (
            "rate = 100",
            "rate = 1\narrivals = { kind = \"closed\", users = 3, think = \"1s\" }",
            "E027",
            "no `rate`",
        ),
        (
            "rate = 100",
            "rate = 1\nclient = { timeout = \"1s\", hedge = { after = \"1s\" } }",
            "E017",
            "no copy would ever go out",
        ),
        (
            "rate = 100",
            "rate = 1\nclient = { hedge = { after = \"1s\", copies = 1 } }",
            "E013",
            "2 to 100",
        ),
        (
            "demand = \"10ms\"",
            "demand = \"10ms\"\nautoscaler = { kind = \"kubernetes-hpa\", target = 0.5 }",
            "E011",
            "kubernetes-hpa needs `max`",
        ),
        (
            "demand = \"10ms\"",
            "demand = \"10ms\"\nautoscaler = { kind = \"kubernetes-hpa\", target = 0.5, min = 3, max = 2 }",
            "E017",
            "at most 2 servers are fewer than at least 3",
        ),
        (
            "demand = \"10ms\"",
            "demand = \"10ms\"\nautoscaler = { kind = \"kubernetes-hpa\", target = 0.5, min = 3000, max = 3000 }",
            "E017",
            "at least 3000 servers are wanted",
        ),
        (
            "demand = \"10ms\"",
            "demand = \"10ms\"\nautoscaler = { kind = \"kubernetes-hpa\", target = 0.5, max = 2, lag = \"1h\" }",
            "E017",
            "at most 2m30s later",
        ),
        (
            "demand = \"10ms\"",
            "demand = \"10ms\"\nautoscaler = { kind = \"kubernetes-hpa\", target = 0.5, max = 2, up_window = \"2h\" }",
            "E017",
            "`up_window` is at most 1h",
        ),
        (
            "demand = \"10ms\"",
            "demand = \"10ms\"\nautoscaler = { kind = \"kubernetes-hpa\", target = 0.5, max = 2, down_percent = 0 }",
            "E017",
            "write down_select = \"disabled\"",
        ),
        (
            "demand = \"10ms\"",
            "demand = \"10ms\"\nautoscaler = { kind = \"target-tracking\", target = 0, max = 2 }",
            "E013",
            "0.01 to",
        ),
        (
            "demand = \"10ms\"",
            "demand = \"10ms\"\nautoscaler = { kind = \"kubernetes-hpa\", target = 0.5, max = 3 }\n[[timeline]]\nat = \"1m\"\ndo = \"deploy\"\ntarget = \"service.web.server\"",
            "E017",
            "has an autoscaler",
        ),
        (
            "demand = \"10ms\"",
            "demand = \"10ms\"\ncall = [{ to = \"db\", cache = { capacity = 0 } }]\n[service.db]\ndemand = \"1ms\"\nserver = [{ name = \"d\", workers = 1 }]",
            "E013",
            "capacity",
        ),
        (
            "demand = \"10ms\"",
            "demand = \"10ms\"\nprovisioning = { time = \"1m\" }",
            "E017",
            "nobody asks for servers",
        ),
        (
            "demand = \"10ms\"",
            "demand = \"10ms\"\ncall = [{ to = \"web\", class = \"vip\" }]",
            "E020",
            "no class",
        ),
        (
            "demand = \"10ms\"",
            "demand = \"10ms\"\ncall = [{ to = \"web\", class = [\"all\", \"all\"] }]",
            "E019",
            "twice",
        ),
        (
            "demand = \"10ms\"",
            "demand = \"10ms\"\ncall = [{ to = \"web\", class = [] }]",
            "E013",
            "names nobody",
        ),
        (
            "demand = \"10ms\"",
            "demand = \"10ms\"\ncall = [{ to = \"web\", class = 3 }]",
            "E012",
            "a text",
        ),
        (
            "rate = 100",
            "rate = 1\narrivals = \"trace\"",
            "E011",
            "times",
        ),
        ("rate = 100", "rate = 1\nclass = \"vip\"", "E020", "all"),
        (
            "to = \"web\"",
            "to = \"wbe\"",
            "E020",
            "did you mean \"web\"",
        ),
        ("horizon = \"1h\"", "", "E011", "horizon"),
        ("horizon = \"1h\"", "horizon = \"0s\"", "E013", "above"),
        (
            "horizon = \"1h\"",
            "horizon = \"11000d\"",
            "E013",
            "at most",
        ),
        (
            "horizon = \"1h\"",
            "horizon = \"99999999999d\"",
            "E015",
            "no time span",
        ),
        ("horizon = \"1h\"", "horizon = 60", "E012", "unit"),
        (
            "horizon = \"1h\"",
            "horizon = \"1h\"\nwarm_up = \"2h\"",
            "E017",
            "warm-up",
        ),
        (
            "horizon = \"1h\"",
            "horizn = \"1h\"",
            "E010",
            "did you mean \"horizon\"",
        ),
        (
            "horizon = \"1h\"",
            "horizon = \"1h\"\nseed = -1",
            "E013",
            "seed",
        ),
        (
            "horizon = \"1h\"",
            "horizon = \"1h\"\nseed = 18446744073709551616",
            "E013",
            "seed",
        ),
        (
            "horizon = \"1h\"",
            "horizon = \"1h\"\nset = { a = 1 }",
            "E052",
            "base",
        ),
        ("workers = 4", "", "E011", "workers"),
        ("workers = 4", "workers = 0", "E013", "1 to"),
        ("workers = 4", "workers = 4.0", "E016", "write 4"),
        ("workers = 4", "workers = \"4\"", "E012", "quotation"),
        ("workers = 4", "workers = 4\nweight = 0", "E023", "weight 0"),
        ("workers = 4", "workers = 4\nspeed = 0", "E013", "above 0"),
        (
            "workers = 4",
            "workers = 4\nerrors = { rate = 1.5 }",
            "E013",
            "0 to 1",
        ),
        (
            "workers = 4",
            "workers = 4\nerrors = { rate = \"150%\" }",
            "E013",
            "0 to 1",
        ),
        (
            "workers = 4",
            "workers = 4\nqueue = { limit = 9, discipline = \"fiffo\" }",
            "E014",
            "did you mean \"fifo\"",
        ),
        (
            "workers = 4",
            "workers = 4\ncrash = [{ when = \"memory\", above = \"1GiB\" }]",
            "E017",
            "memory",
        ),
        (
            "workers = 4",
            "workers = 4\ncrash = [{ when = \"memroy\", above = 1 }]",
            "E014",
            "memory",
        ),
        (
            "workers = 4",
            "workers = 4\ncrash = [{ when = \"queue_age\", above = 5 }]",
            "E012",
            "unit",
        ),
        (
            "workers = 4",
            "workers = 4\ncrash = [{ when = \"utilisation\", above = 5 }]",
            "E013",
            "never",
        ),
        (
            "workers = 4",
            "workers = 4\nmemory = { base = \"2GiB\", limit = \"1GiB\" }",
            "E017",
            "limit",
        ),
        (
            "workers = 4",
            "workers = 4\nmemory = { per_abandoned = \"64 KB of session\", limit = \"1GiB\" }",
            "E015",
            "bytes",
        ),
        (
            "workers = 4",
            "workers = 4\nmemory = { per_abandoned = \"64KiB\", release = \"0s\", limit = \"1GiB\" }",
            "E013",
            "above 0",
        ),
        (
            "demand = \"10ms\"",
            "demand = \"10ms\"\nbalancer = { crash = [{ when = \"memory\", above = \"1GiB\" }] }",
            "E017",
            "the balancer has no `memory`",
        ),
        (
            "demand = \"10ms\"",
            "demand = \"10ms\"\nbalancer = { memory = { base = \"2GiB\", per_connection = \"1KiB\", limit = \"1GiB\" } }",
            "E017",
            "idle balancer",
        ),
        (
            "demand = \"10ms\"",
            "demand = \"10ms\"\nbalancer = { memory = { limit = \"1GiB\" } }",
            "E011",
            "per_connection",
        ),
        (
            "workers = 4",
            "workers = 4\nlike = \"web\"",
            "E026",
            "circle",
        ),
        ("workers = 4", "workers = 4\nlike = \"wib\"", "E020", "web"),
        ("count = 3", "count = 1000000000", "E013", "count"),
        ("name = \"web\"", "name = \"web.1\"", "E018", "letters"),
        ("demand = \"10ms\"", "", "E011", "demand"),
        (
            "demand = \"10ms\"",
            "demand = \"lognormel\"",
            "E014",
            "did you mean \"lognormal\"",
        ),
        (
            "demand = \"10ms\"",
            "demand = { kind = \"lognormal\", mean = \"1ms\", cv = 1, c = 2 }",
            "E010",
            "cv",
        ),
        (
            "demand = \"10ms\"",
            "demand = { mean = \"1ms\" }",
            "E011",
            "kind",
        ),
        (
            "demand = \"10ms\"",
            "demand = { kind = \"exponential\" }",
            "E011",
            "mean",
        ),
        ("demand = \"10ms\"", "demand = \"10\"", "E015", "unit"),
        (
            "demand = \"10ms\"",
            "demand = \"10ms\"\ncall = [{ to = \"web\", parallel = true }]",
            "E017",
            "none before it",
        ),
        (
            "demand = \"10ms\"",
            "demand = \"10ms\"\ncall = [{ to = \"web\" }]",
            "E025",
            "web → web",
        ),
        (
            "demand = \"10ms\"",
            "demand = \"10ms\"\ncall = [{ to = \"db\" }]",
            "E020",
            "no service",
        ),
        (
            "demand = \"10ms\"",
            "demand = \"10ms\"\ncall = [{ to = \"web\", probability = 2 }]",
            "E013",
            "probability",
        ),
        ("[service.web]", "[service.\"we b\"]", "E018", "name"),
        (
            "[service.web]",
            "[service.\"we\\u001Bb\"]",
            "E018",
            "\"we\\u001Bb\" cannot",
        ),
        ("[[traffic]]", "[traffic]", "E012", "list of tables"),
    ] {
        assert!(SMALL.contains(from), "{from}");
        refused(&SMALL.replace(from, to), code, words);
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table: one row a mistake")]
fn mistakes_in_what_is_added_get_their_problems() {
    for (more, code, words) in [
        (
            "[[service.web.server]]\nname = \"web-2\"\nworkers = 1",
            "E019",
            "web-2",
        ),
        (
            "[class.a]\nshare = 0.5\n[class.b]\nshare = 0.4",
            "E021",
            "0.9",
        ),
        ("[service.db]\ndemand = \"1ms\"", "E022", "no servers"),
        (
            "[[timeline]]\nat = \"2h\"\ndo = \"note\"\nnote = \"x\"",
            "E030",
            "after the end",
        ),
        (
            "[[timeline]]\nat = \"1m\"",
            "E031",
            "`set`, `do` or `fault`",
        ),
        (
            "[[timeline]]\nat = \"1m\"\ndo = \"crash\"",
            "E031",
            "target",
        ),
        (
            "[[timeline]]\nat = \"1m\"\ndo = \"crsh\"\ntarget = \"service.web.server\"",
            "E014",
            "crash",
        ),
        (
            "[[timeline]]\nat = \"1m\"\ndo = \"crash\"\ntarget = \"service.web.server.web-7\"",
            "E020",
            "web-1",
        ),
        (
            "[[timeline]]\nat = \"1m\"\ndo = \"crash\"\ntarget = \"web-1\"",
            "E040",
            "target",
        ),
        (
            "[[timeline]]\nat = \"1m\"\ndo = \"slow\"\ntarget = \"service.web.server\"",
            "E031",
            "factor",
        ),
        (
            "[[timeline]]\nat = \"1m\"\ndo = \"crash\"\nwhen = \"down\"\ntarget = \"service.web.server\"",
            "E031",
            "`when` has no effect",
        ),
        (
            "[[timeline]]\nat = \"1m\"\ndo = \"restart\"\nwhen = \"up\"\ntarget = \"service.web.server\"",
            "E014",
            "always",
        ),
        (
            "[[timeline]]\nat = \"1m\"\ndo = \"slow\"\nfactor = 0.5\nevery = \"1s\"\ntarget = \"service.web.server\"",
            "E031",
            "`every` has no effect",
        ),
        (
            "[[timeline]]\nat = \"1m\"\ndo = \"restart\"\nevery = \"0s\"\ntarget = \"service.web.server\"",
            "E013",
            "every",
        ),
        (
            "[[timeline]]\nat = \"1m\"\ndo = \"deploy\"\ntarget = \"service.web.server\"\nmax_surge = \"many\"",
            "E012",
            "no number of servers",
        ),
        (
            "[[timeline]]\nat = \"1m\"\ndo = \"deploy\"\ntarget = \"service.web.server\"\nmax_unavailable = \"101%\"",
            "E012",
            "no number of servers",
        ),
        (
            "[[timeline]]\nat = \"1m\"\ndo = \"deploy\"\ntarget = \"service.web.server\"\nset = { \"service.web.demand\" = \"1ms\" }",
            "E031",
            "and nothing else",
        ),
        (
            "[[timeline]]\nat = \"1m\"\ndo = \"deploy\"\ntarget = \"service.web.server.web-1\"\nset = { \"service.web.server.speed\" = 2 }",
            "E031",
            "and nothing else",
        ),
        (
            "[[timeline]]\nat = \"1m\"\ndo = \"deploy\"\ntarget = \"service.web.balancer\"",
            "E031",
            "only servers",
        ),
        (
            "[[timeline]]\nat = \"1m\"\ndo = \"deploy\"\ntarget = \"service.web.server\"\ncanary = { servers = 1 }",
            "E011",
            "watch",
        ),
        (
            "[[timeline]]\nat = \"1m\"\ndo = \"restart\"\ntarget = \"service.web.server\"\nmin_ready = \"1s\"",
            "E031",
            "`min_ready` has no effect",
        ),
        (
            "[[timeline]]\nat = \"1m\"\ndo = \"flush\"\ntarget = \"service.web.server\"",
            "E031",
            "have no cache",
        ),
        (
            "[[timeline]]\nat = \"1m\"\ndo = \"drain\"\ntarget = \"service.web.balancer\"",
            "E031",
            "only servers",
        ),
        (
            "[[timeline]]\nat = \"1m\"\ndo = \"crash\"\ntarget = \"service.web.server\"\nset = { \"client.timeout\" = \"1s\" }",
            "E031",
            "not both",
        ),
        (
            "[[timeline]]\nat = \"1m\"\nset = { horizon = \"2h\" }",
            "E042",
            "cannot change",
        ),
        (
            "[[timeline]]\nat = \"1m\"\nset = { \"service.web.server.web.count\" = 9 }",
            "E042",
            "cannot change",
        ),
        (
            "[[timeline]]\nat = \"1m\"\nset = { \"service.web.balancer.standby\" = { count = 1 } }",
            "E042",
            "one of its keys",
        ),
        (
            "[[timeline]]\nat = \"1m\"\nset = { \"service.web.server.*.weight\" = 0 }",
            "E023",
            "after this",
        ),
        (
            "[[timeline]]\nat = \"1m\"\nset = { \"service.web.server.web-1.wieght\" = 0 }",
            "E040",
            "weight",
        ),
        (
            "[[timeline]]\nat = \"1m\"\nset = { \"service.web.server.web-1.weight\" = -1 }",
            "E013",
            "0 to",
        ),
        (
            "[[alert]]\nname = \"a\"\nwhen = \"p99\"",
            "E032",
            "threshold",
        ),
        (
            "[[alert]]\nname = \"a\"\nwhen = \"p99 > 2s\"\n[[alert]]\nname = \"a\"\nwhen = \"p99 > 1s\"",
            "E019",
            "first here",
        ),
        (
            "[[slo]]\nname = \"a\"\nobjective = 1.0",
            "E013",
            "objective",
        ),
        (
            "[[slo]]\nname = \"a\"\nobjective = 0.9\ngood = \"fast\"",
            "E032",
            "succeeded",
        ),
        (
            "[client]\nretry = { kind = \"exponential-backoff\", attempts = 0 }",
            "E013",
            "attempts",
        ),
        (
            "[[expect]]\nthat = \"verdict == METASTABEL\"",
            "E033",
            "METASTABLE",
        ),
        (
            "[[expect]]\nthat = \"verdict > STABLE\"",
            "E032",
            "verdict == STABLE",
        ),
        ("[client]\ntimeot = \"1s\"", "E010", "timeout"),
    ] {
        let problems = parse(&small_and(more)).expect_err(more);
        if words == "first here" {
            assert!(
                problems
                    .problems
                    .iter()
                    .any(|p| p.labels.iter().any(|l| l.text == words)),
                "{problems}"
            );
        } else {
            refused(&small_and(more), code, words);
        }
    }
}

#[test]
fn a_million_servers_are_allowed_and_one_more_is_not() {
    let text = SMALL.replace("count = 3", "count = 1000000");
    assert_eq!(model(&text).servers.len(), 1_000_000);
    refused(
        &format!("{text}[[service.web.server]]\nname = \"x\"\nworkers = 1\n"),
        "E024",
        "1000000",
    );
}

/// Each of them has an event of its own from the start: a fleet of them is refused, not begun.
#[test]
fn too_many_workers_that_break_down_are_refused_with_their_number() {
    let fleet = |count: u32, workers: u32| {
        format!(
            "horizon = \"1s\"\ntraffic = [{{ to = \"web\", rate = 1 }}]\n[service.web]\ndemand = \"1ms\"\n\
             [[service.web.server]]\nname = \"w\"\ncount = {count}\nworkers = {workers}\n\
             breakdowns = {{ every = \"1h\", repair = \"1m\" }}\n"
        )
    };
    assert_eq!(model(&fleet(4, 1_000_000)).servers.len(), 4);
    refused(
        &fleet(1000, 100_000),
        "E024",
        "100000000 in all; at most 4000000 workers may",
    );
    refused(
        &format!(
            "{}[[service.web.server]]\nname = \"x\"\nworkers = 1\nbreakdowns = {{ every = \"1h\", repair = \"1m\" }}\n",
            fleet(4, 1_000_000)
        ),
        "E024",
        "1 servers of 1 workers that break down, 4000001 in all",
    );
}

#[test]
fn circles_of_calls_through_several_services_are_found() {
    let more = |to: &str| {
        format!(
            "[[service.web.call]]\nto = \"a\"\n[service.a]\ndemand = \"1ms\"\nserver = [{{ name = \"a\", workers = 1 }}]\ncall = [{{ to = \"b\" }}]\n\
             [service.b]\ndemand = \"1ms\"\nserver = [{{ name = \"b\", workers = 1 }}]\n{to}"
        )
    };
    model(&small_and(&more("")));
    refused(
        &small_and(&more("call = [{ to = \"web\" }]")),
        "E025",
        "web → a → b → web",
    );
}

#[test]
fn all_problems_are_reported_at_once_and_in_order() {
    let text = SMALL
        .replace("rate = 100", "rate = -1")
        .replace("workers = 4", "workers = 0\nwait = 3")
        .replace("\"web\"\nrate", "\"wbe\"\nrate");
    let problems = parse(&text).expect_err("four mistakes");
    let codes: Vec<&str> = problems.problems.iter().map(|p| p.code).collect();
    assert_eq!(codes, ["E020", "E013", "E013", "E010"], "{problems}");
}

#[test]
fn problems_point_at_the_exact_bytes() {
    let text = SMALL.replace("to = \"web\"", "to = \"wbe\"");
    let problems = parse(&text).expect_err("misspelt");
    let label = &problems.problems[0].labels[0];
    assert_eq!(&text[label.span.clone()], "\"wbe\"");
    assert!(
        problems
            .to_string()
            .starts_with("scenario.toml:4:6: error[E020]: no service is called `wbe`"),
        "{problems}"
    );
    let text = small_and("[[alert]]\nname = \"a\"\nwhen = \"p98 > 2s\"");
    let problems = parse(&text).expect_err("misspelt");
    assert_eq!(&text[problems.problems[0].labels[0].span.clone()], "p98");
}

#[test]
fn a_hundred_mistakes_are_cut_short() {
    let text = small_and(
        &(0..100)
            .map(|i| format!("[[alert]]\nname = \"a{i}\"\nwhen = \"nothing > {i}\"\n"))
            .collect::<String>(),
    );
    let problems = parse(&text).expect_err("many mistakes");
    assert_eq!(
        (problems.problems.len(), problems.left_out),
        (PROBLEMS_MAX, 50)
    );
}

#[test]
fn hostile_nesting_and_nothing_at_all_are_refused() {
    let deep = 100_000;
    for (name, text) in [
        (
            "a.toml",
            format!("a = {}{}", "[".repeat(deep), "]".repeat(deep)),
        ),
        ("a.toml", format!("a{} = 1", ".a".repeat(deep))),
        ("a.toml", format!("a = {}", "{ a = ".repeat(deep))),
        (
            "a.toml",
            format!("a = {}{}", "[".repeat(50), "]".repeat(50)),
        ),
        ("a.json", format!("{{\"a\": {}", "[".repeat(deep))),
        (
            "a.json",
            format!("{{\"a\": {}{}}}", "[".repeat(200), "]".repeat(200)),
        ),
        ("a.json", "{\"a\": 1, \"a\": 2}".to_owned()),
        ("a.json", "[]".to_owned()),
        ("a.json", "{\"horizon\": null}".to_owned()),
        ("a.json", "{\"seed\": 1e999}".to_owned()),
        ("a.json", String::new()),
        ("a.toml", String::new()),
        ("a.toml", "horizon".to_owned()),
    ] {
        let problems = Scenario::read(Source::new(name, text), &[], &NoFiles).expect_err("bad");
        assert!(!problems.problems.is_empty());
        let _ = problems.to_string();
    }
}

#[test]
fn large_bad_scenarios_are_refused_without_a_hang() {
    let wrong: String = (0..20_000).map(|i| format!("[[timeline]]\nat = \"1m\"\ndo = \"crash\"\ntarget = \"service.web.server.wrong-{i}\"\n")).collect();
    refused(
        &small_and(&wrong).replace("count = 3", "count = 1000"),
        "E020",
        "further problems",
    );
    let like: String = (0..20_000)
        .map(|i| {
            format!(
                "[[service.web.server]]\nname = \"s-{i}\"\nlike = \"s-{}\"\n",
                i + 1
            )
        })
        .collect();
    refused(&small_and(&like), "E020", "s-20000");
    let text = small_and(&format!(
        "{like}[[service.web.server]]\nname = \"s-20000\"\nworkers = 7\n"
    ));
    assert!(
        model(&text).servers[3..]
            .iter()
            .all(|s| s.params.workers == 7)
    );
    refused(
        &small_and(&format!("title2 = \"{}\"", "x".repeat(1 << 20))),
        "E002",
        "64 KiB",
    );
}

/// Each of its words once.
const MISSPELT: &str = "horizon = \"1s\"\ntraffic = [{ to = \"web\", rate = 1 }]\n\
     service = { web = { demand = \"1s\", server = [{ name = \"s\", workers = 1 }] } }\n";

#[test]
fn what_is_missing_for_a_reason_that_was_told_is_not_told() {
    let told = |text: &str| -> Vec<String> {
        let problems = parse(text).expect_err("a mistake");
        let problems = problems.problems.into_iter();
        problems
            .map(|p| format!("{} {}", p.code, p.message))
            .collect()
    };
    let misspelt = SMALL.replace("workers = 4", "wokrers = 4");
    assert_eq!(told(&misspelt), ["E010 unknown key `wokrers`"]);
    for (key, wrong) in [
        ("traffic", "trafic"),
        ("service", "servcie"),
        ("demand", "demnad"),
        ("server", "sevrer"),
    ] {
        let misspelt = MISSPELT.replace(key, wrong);
        assert_eq!(told(&misspelt), [format!("E010 unknown key `{wrong}`")]);
    }
    // Another key's absence has nothing to do with it.
    let other = SMALL.replace("workers = 4", "spede = 4");
    let all = told(&other);
    assert_eq!(all.len(), 2, "{all:?}");
    let circle = SMALL.replace(
        "workers = 4",
        "like = \"b\"\n[[service.web.server]]\nname = \"b\"\nlike = \"web-1\"",
    );
    assert_eq!(told(&circle), ["E026 `like` goes round in a circle"]);
}

#[test]
fn servers_of_a_group_are_named_where_another_is_meant() {
    let set = [("service.web.server.web-7.weight", "1")];
    let told = with_sets(SMALL, &set).expect_err("no such server");
    let told = told.to_string();
    assert!(told.contains("web, web-1, web-2, web-3"), "{told}");
}
