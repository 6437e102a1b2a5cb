//! What a run keeps in memory: peak resident bytes beside those of a smaller run of the same kind.
//!
//! `cargo run --release -p benches --bin memory [-- part of a name]`
//!
//! Each run is a process of its own, which tells its peak (`VmHWM`, Linux only) when it is done.
#![expect(
    clippy::print_stdout,
    reason = "a table on the terminal is all it does"
)]

use benches::w1;
use std::process::Command;

/// Something that takes memory: a run, and what of it is divided by what.
struct Row {
    name: &'static str,
    wanted: &'static str,
    /// The scenario in some size.
    text: fn(u64) -> String,
    /// Two sizes; the least is 0 where the whole peak is meant.
    sizes: [u64; 2],
    unit: &'static str,
}

/// A scenario of 100 servers of one worker, with keys of client, service and servers of its own.
fn scenario(horizon: &str, rate: f64, servers: u64, keys: [&str; 3], demand: &str) -> String {
    let [head, service, server] = keys;
    format!(
        "horizon = \"{horizon}\"\nlimits = {{ in_flight = 100_000_000 }}\n{head}\n\
         traffic = [{{ to = \"web\", rate = {rate} }}]\n[service.web]\n\
         demand = {demand}\nbalancer.policy = {{ kind = \"power-of-d\", d = 2 }}\n{service}\n\
         server = [{{ name = \"web\", count = {servers}, workers = 1{server} }}]\n"
    )
}

const EXPONENTIAL: &str = "{ kind = \"exponential\", mean = \"10ms\" }";

/// Requests that pile up: so many in flight at the end.
fn piled(requests: u64, keys: [&str; 3]) -> String {
    let rate = requests as f64 / 10.0;
    scenario("10s", rate, 100, keys, "\"100s\"")
}

const TIMEOUT: &str = "client.timeout = \"1s\"";

#[rustfmt::skip]
const ROWS: &[Row] = &[
    Row { name: "a request in flight, plain", wanted: "<= 130", unit: "B", sizes: [100_000, 1_100_000],
        text: |n| piled(n, ["client.timeout = \"60s\"", "", ""]) },
    Row { name: "a request in flight, two instances", wanted: "<= 130", unit: "B", sizes: [100_000, 1_100_000],
        text: |n| piled(n, ["client.timeout = \"60s\"", "balancer.instances = 2", ""]) },
    Row { name: "a request in flight, a delay", wanted: "", unit: "B", sizes: [100_000, 1_100_000],
        text: |n| piled(n, ["client.timeout = \"60s\"", "link = { delay = \"1ms\" }", ""]) },
    Row { name: "a request in flight, general path", wanted: "<= 130", unit: "B", sizes: [100_000, 1_100_000],
        text: |n| piled(n, ["client.timeout = \"60s\"", "balancer.cost = \"1ns\"", ""]) },
    Row { name: "a server, at the start", wanted: "", unit: "B", sizes: [1_000, 101_000],
        text: |n| scenario("1s", 90.0, n, [TIMEOUT, "", ""], EXPONENTIAL) },
    Row { name: "a server, in a run of 50 requests each", wanted: "<= 1000", unit: "B", sizes: [1_000, 101_000],
        text: |n| scenario("550ms", 90.0 * n as f64, n, [TIMEOUT, "", ""], EXPONENTIAL) },
    Row { name: "patience of an hour, 5 M requests", wanted: "<= 12", unit: "MB", sizes: [0, 5_000_000],
        text: |n| scenario(&format!("{}s", n / 9000), 9000.0, 100,
            [TIMEOUT, "", ", queue = { patience = { kind = \"exponential\", mean = \"1h\" } }"], EXPONENTIAL) },
    Row { name: "hedging after an hour, 5 M requests", wanted: "<= 12", unit: "MB", sizes: [0, 5_000_000],
        text: |n| scenario(&format!("{}s", n / 9000), 9000.0, 100,
            ["client.timeout = \"2h\"\nclient.hedge = { after = \"1h\" }", "", ""], EXPONENTIAL) },
    Row { name: "24 h of 100 servers by the second", wanted: "<= 40", unit: "MB", sizes: [0, 24],
        text: |n| scenario(&format!("{n}h"), 100.0, 100, [TIMEOUT, "", ""], EXPONENTIAL) },
    Row { name: "100 servers, 1 M requests", wanted: "<= 4", unit: "MB", sizes: [0, 1_000_000],
        text: |n| scenario(&format!("{}s", n / 9000), 9000.0, 100, [TIMEOUT, "", ""], EXPONENTIAL) },
    Row { name: "1 server, startup", wanted: "", unit: "MB", sizes: [0, 1],
        text: |n| scenario("1s", 90.0, n, [TIMEOUT, "", ""], EXPONENTIAL) },
];

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [one, path] = &arguments[..]
        && one == "--one"
    {
        let text = std::fs::read_to_string(path).expect("the scenario to run");
        w1::run(&w1::read(&text), 0);
        println!("{}", own_peak());
        return;
    }
    let name = arguments.first().cloned().unwrap_or_default();
    println!("{:<44} {:>10}    wanted", "what", "takes");
    for row in ROWS.iter().filter(|row| row.name.contains(&name)) {
        let [few, many] = row.sizes;
        let whole = peak(&(row.text)(many));
        let takes = match few {
            0 => whole / 1e6,
            few => (whole - peak(&(row.text)(few))) / (many - few) as f64,
        };
        println!(
            "{:<44} {takes:>10.1} {:<2} {}",
            row.name, row.unit, row.wanted
        );
    }
}

/// The peak of a run in a process of its own, in bytes.
fn peak(text: &str) -> f64 {
    let path = std::env::temp_dir().join(format!("memory-{}.toml", std::process::id()));
    std::fs::write(&path, text).expect("room for a scenario");
    let program = std::env::current_exe().expect("the path of this program");
    let out = Command::new(program).arg("--one").arg(&path).output();
    let out = out.expect("the run to start");
    std::fs::remove_file(&path).expect("the scenario to be there still");
    let told = String::from_utf8_lossy(&out.stdout);
    told.trim().parse().unwrap_or(f64::NAN)
}

/// The peak of this process so far, in bytes.
fn own_peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    let number = line.and_then(|line| line.split_whitespace().nth(1));
    number
        .and_then(|kilo| kilo.parse::<u64>().ok())
        .unwrap_or(0)
        * 1024
}
