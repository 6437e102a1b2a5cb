//! Bad input that concerns links, zones and what a time line does to them.

use super::*;

#[test]
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
