//! `stampede doctor`: findings with their lines, for people and for programs.

use crate::stampede::Folder;
use serde_json::Value;

/// One server gets nearly all.
const SHOP: &str = "upstream shop {\n    server 192.0.2.1 weight=90;\n    server 192.0.2.2;\n    server 192.0.2.3;\n}\nserver { location / { proxy_pass http://shop; proxy_read_timeout 4s; } }\n";

/// Time enough to see it.
const SHORT: [&str; 4] = ["--set", "horizon=1m", "--set", "warm_up=10s"];

fn doctor(folder: &Folder, args: &[&str], code: i32) -> String {
    let args = [&["doctor"], args, &SHORT[..], &["--progress", "none"]].concat();
    folder.run(&args).code(code).out
}

#[test]
fn settings_are_named_by_their_own_lines_and_mended_in_their_own_words() {
    let folder = Folder::with("shop.conf", SHOP);
    let text = doctor(&folder, &["shop.conf"], 6);
    let first: Vec<&str> = text.lines().skip(2).take(5).collect();
    assert_eq!(first[0].trim(), "1  weight-skew  shop.conf:2", "{text}");
    assert!(first[1].contains("97.8 % of the weight of shop"), "{text}");
    assert!(
        first[3].contains("with service.shop.server.192-0-2-1.weight = 1:"),
        "{text}"
    );
    assert!(first[4].contains("saves "), "{text}");
    // The worst comes in the first line, with what it costs; what all of it rests on in the last.
    let line = text.lines().next().unwrap_or_default();
    let worst = "192-0-2-1 has 97.8 % of the weight of shop and 33.3 % of what its servers can do: at 90 % of what it can do, that costs ";
    assert!(
        line.starts_with(worst) && line.contains(" % of all requests ("),
        "{text}"
    );
    let last = text.lines().last().unwrap_or_default();
    assert!(
        last.contains("nobody has measured traffic.shop.rate = "),
        "{text}"
    );
    let diff = doctor(&folder, &["shop.conf", "--fix"], 6);
    assert!(
        diff.contains("-    server 192.0.2.1 weight=90;\n+    server 192.0.2.1 weight=1;\n"),
        "{diff}"
    );
    assert_eq!(folder.read("shop.conf"), SHOP, "nothing is written");
    // A name from the root on is one for whoever stands there.
    let whole = folder.path.join("shop.conf").display().to_string();
    let diff = doctor(&folder, &[&whole, "--fix"], 6);
    assert!(
        diff.starts_with(&format!("--- a{whole}\n+++ b{whole}\n")),
        "{diff}"
    );
}

#[test]
fn programs_get_places_and_figures() {
    let folder = Folder::with("shop.conf", SHOP);
    let json: Value = serde_json::from_str(&doctor(&folder, &["shop.conf", "--format", "json"], 6))
        .expect("JSON");
    let first = &json[0];
    assert_eq!(
        (first["file"].as_str(), first["line"].as_u64()),
        (Some("shop.conf"), Some(2))
    );
    let failed = |what: &str| first[what]["failed"].as_f64().expect("a share");
    let saves = first["saves"][0].as_f64().expect("a share");
    assert!(
        (failed("as_is") - failed("changed") - saves).abs() < 1e-9,
        "{first}"
    );
    let sarif: Value =
        serde_json::from_str(&doctor(&folder, &["shop.conf", "--format", "sarif"], 6))
            .expect("JSON");
    assert_eq!(sarif["version"], "2.1.0");
    let place = &sarif["runs"][0]["results"][0]["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], "shop.conf");
    assert_eq!(place["region"]["startLine"], 2);
}

#[test]
fn a_scenario_is_named_by_its_lines_and_changed_where_values_stand() {
    let scenario = "horizon = \"1m\"\nwarm_up = \"10s\"\ntraffic = [{ to = \"web\", rate = 60, client = { timeout = \"1s\", cancel = true } }]\n[service.web]\ndemand = { kind = \"exponential\", mean = \"50ms\" }\nbalancer = { policy = \"weighted-round-robin\", health = [\"checks\"] }\n[[service.web.server]]\nname = \"a\"\nworkers = 2\nqueue = { limit = 20 }\nweight = 40\n[[service.web.server]]\nname = \"b\"\ncount = 2\nlike = \"a\"\nweight = 1\n";
    let folder = Folder::with("web.toml", scenario);
    let text = doctor(&folder, &["web.toml"], 6);
    assert!(text.contains("weight-skew  web.toml:11"), "{text}");
    let diff = doctor(&folder, &["web.toml", "--fix"], 6);
    assert!(diff.contains("-weight = 40\n+weight = 1\n"), "{diff}");
    let well = scenario.replace("weight = 40", "weight = 1");
    folder.write("well.toml", well);
    let text = doctor(&folder, &["well.toml"], 0);
    assert!(text.starts_with("nothing dangerous found"), "{text}");
    folder.run(&["doctor", "gone.conf"]).code(5);
    folder
        .run(&["doctor", "well.toml", "--replications", "2"])
        .code(2);
}
