//! Bad input that concerns links, zones and what a time line does to them.

use super::*;

#[test]
#[expect(clippy::too_many_lines, reason = "a table of mistakes")]
fn mistakes_about_links_get_their_problems() {
    for (more, code, words) in [
        (
            "[[timeline]]\nat = \"1m\"\ndo = \"partition\"\ntarget = \"service.web\"",
            "E040",
            "service.NAME.link",
        ),
        (
            "[[timeline]]\nat = \"1m\"\ndo = \"heal\"\ntarget = \"service.wep.link\"",
            "E020",
            "did you mean \"web\"",
        ),
        (
            "[[timeline]]\nat = \"1m\"\ndo = \"partition\"\ntarget = \"service.web.zone.a.link\"",
            "E020",
            "no zone",
        ),
        (
            "[[timeline]]\nat = \"1m\"\ndo = \"partition\"\ntarget = \"service.web.server.web-7.link\"",
            "E020",
            "web-1",
        ),
        (
            "[[timeline]]\nat = \"1m\"\ndo = \"partition\"\ntarget = \"service.web.call.db.link\"",
            "E020",
            "service that it calls",
        ),
        (
            "[[timeline]]\nat = \"1m\"\ndo = \"crash\"\ntarget = \"service.web.link\"",
            "E040",
            "no target",
        ),
        (
            "[[timeline]]\nat = \"1m\"\ndo = \"degrade\"\ntarget = \"service.web.link\"\nloss = 0",
            "E031",
            "how much worse",
        ),
        (
            "[[timeline]]\nat = \"1m\"\ndo = \"partition\"\ntarget = \"service.web.link\"\nloss = 0.1",
            "E031",
            "no effect",
        ),
        (
            "[[timeline]]\nat = \"1m\"\ndo = \"heal\"\ntarget = \"service.web.link\"\nfor = \"1m\"",
            "E031",
            "no effect",
        ),
        (
            "[[timeline]]\nat = \"1m\"\ndo = \"degrade\"\ntarget = \"service.web.link\"\nloss = 1.5",
            "E013",
            "0 to 1",
        ),
        ("[service.web.zone.a]", "E017", "no server stands"),
        (
            "[[timeline]]\nat = \"1m\"\ndo = \"crash\"\ntarget = \"zone.east\"",
            "E020",
            "no zone is called `east`",
        ),
        (
            "[[timeline]]\nat = \"1m\"\ndo = \"crash\"\ntarget = \"service.web.zone.east\"",
            "E020",
            "zone = \"east\"",
        ),
        (
            "[[timeline]]\nat = \"1m\"\ndo = \"partition\"\ntarget = \"service.web.link\"\nfor = \"0s\"",
            "E013",
            "above 0s",
        ),
        (
            "[[timeline]]\nat = \"1m\"\ndo = \"partition\"\ntarget = \"service.web.link\"\nrepeat = \"1m\"",
            "E031",
            "`for` is missing",
        ),
        (
            "[[timeline]]\nat = \"1m\"\ndo = \"crash\"\ntarget = \"service.web.server\"\nrepeat = \"1m\"",
            "E031",
            "`repeat` has no effect",
        ),
        (
            "[[timeline]]\nat = \"1m\"\nfault = \"health-path\"\ntarget = \"service.web.server\"",
            "E011",
            "answer",
        ),
        (
            "[[timeline]]\nat = \"1m\"\nset = { \"service.web.server.web-1.zone\" = \"b\" }",
            "E042",
            "cannot change",
        ),
        (
            "[[timeline]]\nat = \"1m\"\nset = { \"service.web.balancer.link\" = { loss = 0.1 } }",
            "E042",
            "one of its keys",
        ),
        (
            "[[expect]]\nthat = \"count(partition.service.web.zone.a.link) == 0\"",
            "E033",
            "no zone",
        ),
        (
            "[[service.web.call]]\nto = \"web\"\nlink = { loss = 2 }",
            "E013",
            "0 to 1",
        ),
        (
            "[[service.web.server]]\nname = \"x\"\nworkers = 1\nlink = { connect_timeout = \"0s\" }",
            "E013",
            "above 0",
        ),
        (
            "[[service.web.server]]\nname = \"x\"\nworkers = 1\nlink = { delay = \"-1s\" }",
            "E015",
            "no time span",
        ),
        (
            "[[service.web.server]]\nname = \"x\"\nworkers = 1\nlink = \"5ms\"",
            "E012",
            "a table is wanted",
        ),
    ] {
        refused(&small_and(more), code, words);
    }
}

#[test]
fn mistakes_about_connections_get_their_problems() {
    for (more, code, words) in [
        (
            "[service.web.balancer]\nbalances = \"connections\"",
            "E017",
            "callers keep no connections",
        ),
        (
            "[service.web.link]\nconnections = \"shared\"\n[service.web.balancer]\nbalances = \"connections\"\nlink = { connections = \"shared\" }",
            "E017",
            "keeps none of its own",
        ),
        (
            "[service.web.link]\nconnections = \"shared\"\n[service.web.balancer]\nbalances = \"connections\"\n[[service.web.server]]\nname = \"x\"\nworkers = 1\nlink = { connections = \"shared\" }",
            "E017",
            "keeps none of its own",
        ),
        (
            "[service.web.balancer]\nbalances = \"packets\"",
            "E014",
            "requests, connections",
        ),
        (
            "[service.web.link]\nconnections = { kind = \"shared\", jitter = 0.1 }",
            "E017",
            "no max_age",
        ),
        (
            "[service.web.link]\nconnections = { kind = \"shared\", keep = 3 }",
            "E010",
            "keep",
        ),
        (
            "[service.web.link]\nconnections = { kind = \"per-request\", keep = -1 }",
            "E013",
            "0 to 4000000000",
        ),
        (
            "[service.web.link]\nconnections = { limit = 3 }",
            "E011",
            "which kind of connections",
        ),
        (
            "[service.web.link]\nconnections = \"http2\"",
            "E014",
            "shared",
        ),
        (
            "[service.web.balancer]\nlink = { connections = { kind = \"shared\", of = \"source\" } }",
            "E017",
            "keeps its own",
        ),
    ] {
        refused(&small_and(more), code, words);
    }
}

#[test]
fn mistakes_about_faults_get_their_problems() {
    let entry = |rest: &str| format!("[[timeline]]\nat = \"1m\"\n{rest}");
    let server = "target = \"service.web.server.web-1\"";
    for (rest, code, words) in [
        (format!("{server}\nfault = \"tired\""), "E014", "slow"),
        (format!("{server}\nfault = \"slow\""), "E011", "factor"),
        (
            format!("{server}\nfault = {{ kind = \"errors\", rate = 2 }}"),
            "E013",
            "0 to 1",
        ),
        ("fault = \"gray\"".to_owned(), "E031", "`target` is missing"),
        (
            format!("{server}\nfault = \"partition\""),
            "E040",
            "is no link",
        ),
        (
            "target = \"service.web.link\"\nfault = \"gray\"".to_owned(),
            "E031",
            "befalls servers",
        ),
        (
            "target = \"service.web.balancer\"\nfault = \"gray\"".to_owned(),
            "E031",
            "only servers",
        ),
        (
            format!("{server}\ndo = \"crash\"\nfault = \"gray\""),
            "E031",
            "not both",
        ),
        (
            format!("{server}\nfault = \"gray\"\nset = {{ \"client.timeout\" = \"1s\" }}"),
            "E031",
            "not both",
        ),
        (
            format!("{server}\nfault = \"gray\"\nfactor = 0.5"),
            "E031",
            "`factor` has no effect",
        ),
        (
            "target = \"service.web.link\"\nfault = { kind = \"degrade\", loss = 0 }".to_owned(),
            "E031",
            "how much worse",
        ),
    ] {
        refused(&small_and(&entry(&rest)), code, words);
    }
}
