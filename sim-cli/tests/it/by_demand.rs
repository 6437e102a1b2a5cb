//! `run --by-demand`: response times by what was asked for.

use crate::experiments::json;
use crate::stampede::Folder;

/// Every other request asks for ten times as much; there is room for all.
const TWO: &str = "horizon = \"60s\"\n[class.small]\n[class.large]\ndemand_factor = 10\n\
    [[traffic]]\nname = \"s\"\nto = \"web\"\nrate = 5\narrivals = \"deterministic\"\nclass = \"small\"\n\
    [[traffic]]\nname = \"l\"\nto = \"web\"\nrate = 5\narrivals = \"deterministic\"\nclass = \"large\"\n\
    [service.web]\ndemand = \"2ms\"\nserver = [{ name = \"a\", workers = 10 }]\n";

#[test]
fn classes_of_demand_have_figures_of_their_own() {
    let folder = Folder::with("s.toml", TWO);
    let command = ["run", "s.toml", "-q", "--by-demand", "10ms"];
    let ran = folder.run(&command).code(0);
    let table = ran.out.split("Response time by demand").nth(1);
    let table = table.expect("below the report");
    assert!(table.contains("from 10 ms"), "{table}");
    let found = json(
        &folder
            .run(&[&command[..], &["--format", "json"]].concat())
            .code(0)
            .out,
    );
    let rows = found["by_demand"].as_array().expect("rows");
    assert_eq!(rows.len(), 2);
    for (row, demand) in rows.iter().zip([0.002, 0.02]) {
        assert_eq!(row["demand_s"], demand);
        assert_eq!(row["mean_s"], demand);
        assert_eq!(row["slowdown"], 1.0);
    }
    let without = json(
        &folder
            .run(&["run", "s.toml", "-q", "--format", "json"])
            .code(0)
            .out,
    );
    assert_eq!(without["digest"], found["digest"]);
    assert!(without.get("by_demand").is_none());
    let kept = ["-o", "out", "--log-requests", "100"];
    folder.run(&[&command[..], &kept].concat()).code(0);
    let csv = folder.read("out/by_demand.csv");
    assert!(csv.starts_with("from_s,to_s,requests,"), "{csv}");
    // The log is still of every hundredth request of each source.
    let logged = folder.read("out/requests.csv").lines().count();
    assert!((7..=9).contains(&logged), "{logged}");
}

#[test]
fn what_makes_no_classes_is_refused() {
    let folder = Folder::with("s.toml", TWO);
    for (text, why) in [
        ("1", "it takes 2 to 100 parts"),
        ("5ms,1ms", "each above the one before"),
        (
            "tenths",
            "a number of parts, such as 10, or bounds, such as 1ms,10ms",
        ),
    ] {
        let ran = folder.run(&["run", "s.toml", "--by-demand", text]).code(2);
        assert!(ran.err.contains(why), "{}", ran.err);
    }
    let several = ["run", "s.toml", "--replications", "5", "--by-demand", "10"];
    let ran = folder.run(&several).code(2);
    assert!(
        ran.err.contains("--by-demand is about one run"),
        "{}",
        ran.err
    );
}
