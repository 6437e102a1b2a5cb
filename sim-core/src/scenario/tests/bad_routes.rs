//! Bad input that concerns routes of a balancer, and services without servers.

use super::*;

/// A service `shop` beside `web`, whose balancer has these routes.
fn routes(list: &str) -> String {
    format!(
        "[service.web.balancer]\nroutes = {list}\n[service.shop]\ndemand = \"1ms\"\n\
         server = [{{ name = \"shop\", workers = 1 }}]\n"
    )
}

#[test]
fn mistakes_about_routes_get_their_problems() {
    let to = "to = \"shop\"";
    for (list, code, words) in [
        ("[{}]".to_owned(), "E011", "`to` is missing"),
        (
            r#"[{ to = "shoop" }]"#.to_owned(),
            "E020",
            "did you mean \"shop\"",
        ),
        (r#"[{ to = "web" }]"#.to_owned(), "E025", "web → web"),
        (format!("[{{ {to}, class = \"vip\" }}]"), "E020", "no class"),
        (format!("[{{ {to}, class = [] }}]"), "E013", "names nobody"),
        (format!("[{{ {to}, share = \"120%\" }}]"), "E013", "0 to 1"),
        (format!("[{{ {to}, share = \"much\" }}]"), "E012", "a share"),
        (format!("[{{ {to}, key = 3 }}]"), "E010", "key"),
        (
            format!("[{{ {to} }}, {{ {to}, share = 0.1 }}]"),
            "E017",
            "no request is left",
        ),
        (
            format!("[{{ {to}, class = \"all\" }}, {{ {to}, class = \"all\" }}]"),
            "E017",
            "no request is left",
        ),
        (
            format!("[{{ {to}, share = 0.6 }}, {{ {to}, share = 0.5 }}]"),
            "E021",
            "more than 1",
        ),
        (
            format!(
                "[{{ {to}, link = {{ connections = {{ kind = \"shared\", of = \"source\" }} }} }}]"
            ),
            "E017",
            "each balancer instance, keeps its own",
        ),
        (
            format!("[{{ {to} }}]\nlink = {{ delay = \"1ms\" }}\nbalances = \"connections\""),
            "E017",
            "does not look at requests",
        ),
    ] {
        refused(&small_and(&routes(&list)), code, words);
    }
}

#[test]
fn a_service_without_servers_sends_everything_on() {
    let router = |keys: &str, list: &str| {
        let servers = "server = [{ name = \"s\", workers = 1 }]";
        format!(
            "horizon = \"1m\"\nclass = {{ a = {{ share = 0.5 }}, b = {{ share = 0.5 }} }}\n\
             traffic = [{{ to = \"web\", rate = 10 }}]\n[service.web]\n{keys}\n\
             [service.web.balancer]\nroutes = [{list}]\n[service.shop]\ndemand = \"1ms\"\n{servers}\n"
        )
    };
    let all = "{ to = \"shop\", class = \"a\" }, { to = \"shop\", share = 1 }";
    model(&router("", all));
    let some = "{ to = \"shop\", class = \"a\" }, { to = \"shop\", share = 0.9 }";
    refused(&router("", some), "E022", "of the class `b`");
    refused(&router("", ""), "E022", "has no servers");
    let demand = "demand = \"1ms\"";
    refused(&router(demand, all), "E017", "`demand` has no effect");
    let call = "call = [{ to = \"shop\" }]";
    refused(&router(call, all), "E017", "`call` has no effect");
    let policy = format!("{all}]\npolicy = \"random\"\nhealth = [\"checks\"");
    refused(&router("", &policy), "E017", "`policy` has no effect");
    refused(&router("", &policy), "E017", "`health` has no effect");
    let set =
        "[[timeline]]\nat = \"5s\"\nset = { \"service.web.balancer.routes.1.share\" = 0.5 }\n";
    refused(&(router("", all) + set), "E022", "of the class `b`");
    let link = "[[timeline]]\nat = \"5s\"\ndo = \"partition\"\n\
        target = \"service.web.balancer.routes.shoop.link\"\n";
    refused(&(router("", all) + link), "E020", "service of its routes");
}
