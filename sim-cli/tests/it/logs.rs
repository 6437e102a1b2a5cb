//! `stampede calibrate`, `stampede replay` and `stampede import --log`: what logs say, and who else reads them.

use crate::stampede::Folder;
use serde_json::Value;
use std::fs;
use std::path::Path;

/// Three servers of two workers behind nginx, 6860 requests with a mean demand of 198 ms.
const LOG: &str = "shop.log.gz";
const SETTINGS: &str = "upstream shop {\n    least_conn;\n    server 127.0.0.1:9201;\n    server 127.0.0.1:9202;\n    server 127.0.0.1:9203;\n}\nserver { location / { proxy_pass http://shop; } }\n";
/// One line, of a route that is no number.
const LINE: &str = "127.0.0.1 - - [29/Nov/2026:06:54:45 +0000] \"GET /a HTTP/1.1\" 200 3 \"-\" \"-\" 1795935285.015 0.153 \"127.0.0.1:81\" \"0.152\" \"200\"\n";
const WRK: &str = "Running 10s test @ http://127.0.0.1:8080/\n  2 threads and 10 connections\n  Thread Stats   Avg      Stdev     Max   +/- Stdev\n    Latency    12.00ms    4.00ms  64.00ms   90.00%\n    Req/Sec   400.00     20.00   500.00     70.00%\n  Latency Distribution\n     50%   11.00ms\n     75%   13.00ms\n     90%   16.00ms\n     99%   30.00ms\n  8000 requests in 10.00s, 1.00MB read\nRequests/sec:    800.00\nTransfer/sec:    100.00KB\n";

fn folder() -> Folder {
    let folder = Folder::with("shop.conf", SETTINGS);
    let log = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../docs/src/how-to")
        .join(LOG);
    fs::copy(log, folder.path.join(LOG)).expect("the log of the book");
    folder
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).expect("JSON")
}

#[test]
fn a_log_alone_is_a_scenario_that_can_be_trusted() {
    let folder = folder();
    let told = folder.run(&["calibrate", LOG, "-o", "mine.toml"]).code(0);
    assert!(told.err.contains("trust     to be trusted"), "{}", told.err);
    assert!(
        told.err.contains("all servers together: 2 workers"),
        "{}",
        told.err
    );
    assert!(!folder.read("mine.toml").contains("assumed"));
    let run = folder
        .run(&["run", "mine.toml", "--format", "json", "-q"])
        .code(0);
    let mean = json(&run.out)["response_time_s"]["mean"]
        .as_f64()
        .expect("a mean");
    // What nginx logged: 212 ms.
    assert!((0.19..0.235).contains(&mean), "{mean}");
    let all = json(
        &folder
            .run(&["calibrate", LOG, "--format", "json"])
            .code(0)
            .out,
    );
    assert_eq!(all["measured"]["workers"]["number"], 2);
    assert_eq!(all["check"]["trusted"], true);
    assert_eq!(all["files"][0]["requests"], 6860);
    // Never over what is there.
    folder.run(&["calibrate", LOG, "-o", "mine.toml"]).code(5);
}

#[test]
fn settings_and_a_log_leave_nothing_to_assume() {
    let folder = folder();
    folder
        .run(&["import", "shop.conf", "-o", "bare.toml"])
        .code(0);
    let whole = folder
        .run(&["import", "shop.conf", "--log", LOG, "-o", "shop.toml"])
        .code(0);
    assert!(
        whole.err.contains("held out  2163 requests"),
        "{}",
        whole.err
    );
    assert!(folder.read("bare.toml").contains("assumed"));
    assert!(!folder.read("shop.toml").contains("assumed"));
    // The same by a scenario upon the other.
    let over = folder
        .run(&[
            "calibrate",
            LOG,
            "--scenario",
            "bare.toml",
            "-o",
            "over.toml",
        ])
        .code(0);
    assert!(
        over.err.contains("service.shop.server.*.workers = 2"),
        "{}",
        over.err
    );
    let digest = |scenario: &str| {
        let run = folder
            .run(&["run", scenario, "--format", "json", "-q"])
            .code(0);
        json(&run.out)["digest"].clone()
    };
    assert_eq!(digest("over.toml"), digest("shop.toml"));
    let test = Folder::with("shop.conf", SETTINGS);
    test.write("wrk.txt", WRK);
    let text = test
        .run(&["import", "shop.conf", "--load-test", "wrk.txt"])
        .code(0)
        .out;
    assert!(text.contains("rate = 800 "), "{text}");
    assert!(text.contains("\"service.shop.demand\","), "{text}");
    assert!(!text.contains("\"traffic.shop.rate\","), "{text}");
}

#[test]
fn a_log_is_sent_through_a_scenario() {
    let folder = folder();
    folder
        .run(&["import", "shop.conf", "--log", LOG, "-o", "shop.toml"])
        .code(0);
    let replay = |more: &[&str]| {
        let args = [
            &[
                "replay",
                LOG,
                "--scenario",
                "shop.toml",
                "--format",
                "json",
                "-q",
            ],
            more,
        ]
        .concat();
        json(&folder.run(&args).code(0).out)
    };
    let once = replay(&[]);
    assert_eq!(once["requests"]["arrived"], 6860);
    assert_eq!(once["digest"], replay(&[])["digest"]);
    assert_eq!(
        replay(&["--rate-factor", "2"])["requests"]["arrived"],
        2 * 6860
    );
    let half = replay(&["--rate-factor", "0.5"])["requests"]["arrived"].clone();
    assert!(
        (3200..3660).contains(&half.as_u64().expect("a number")),
        "{half}"
    );
    // What is written of the run is a scenario that says the same.
    folder
        .run(&["replay", LOG, "--scenario", "shop.toml", "-o", "out", "-q"])
        .code(0);
    let again = folder
        .run(&["run", "out/scenario.toml", "--format", "json", "-q"])
        .code(0);
    assert_eq!(json(&again.out)["digest"], once["digest"]);
    folder
        .run(&[
            "replay",
            LOG,
            "--scenario",
            "shop.toml",
            "--rate-factor",
            "0",
        ])
        .code(2);
    let other = folder
        .run(&["replay", LOG, "--scenario", "services-in-turn"])
        .code(4);
    assert!(other.err.contains("services-in-turn"), "{}", other.err);
}

#[test]
fn wrong_doors_lead_to_the_right_ones() {
    let folder = folder();
    folder.write("access.log", LINE.repeat(5));
    folder.write("wrk.txt", WRK);
    folder.write("bytes", [1, 255, 0, 7]);
    folder.write("old.log.gz", [0x1f, 0x8b, 8, 0, 255]);
    folder.write("empty", "\n");
    for (args, code, words) in [
        (
            &["run", "old.log.gz"][..],
            3,
            "if it is a log, `stampede calibrate old.log.gz`",
        ),
        (
            &["check", "./old.log.gz"],
            3,
            "cannot read ./old.log.gz: it is packed",
        ),
        (&["run", "bytes"], 3, "cannot read bytes: it is not text"),
        (&["import", "empty"], 3, "it is empty"),
        (&["new", "shop.conf"], 3, "stampede import shop.conf"),
        (&["sweep", "shop.conf"], 3, "stampede import shop.conf"),
        (
            &["replay", LOG, "--scenario", "incident"],
            3,
            "is left out with --set 'timeline=[]' --no-expect",
        ),
        (
            &["run", "./access.log"],
            3,
            "stampede calibrate ./access.log",
        ),
        (&["check", "access.log"], 3, "stampede calibrate access.log"),
        (&["import", "access.log"], 3, "it is a log (nginx)"),
        (&["import", "wrk.txt"], 3, "it is a report of wrk"),
        (&["calibrate", "shop.conf"], 3, "stampede import shop.conf"),
        (
            &["calibrate", "access.log", "wrk.txt"],
            3,
            "stampede calibrate wrk.txt",
        ),
        (&["calibrate", "gone.log"], 5, "gone.log"),
        (
            &["calibrate", LOG, "--scenario", "incident", "--classes", "2"],
            2,
            "--classes",
        ),
        (
            &["import", "shop.conf", "--log", LOG, "--log-format", "%%"],
            3,
            "it has no time",
        ),
        (&["calibrate", LOG, "--arrivals", "trace"], 2, "-o FILE"),
        (
            &["calibrate", "access.log", "--log-format", "no format"],
            3,
            "$request_time",
        ),
    ] {
        let ran = folder.run(args).code(code);
        assert!(ran.err.contains(words), "{args:?}: {}", ran.err);
        assert_eq!(ran.out, "", "{args:?}");
    }
    let test = folder.run(&["calibrate", "wrk.txt"]).code(0);
    assert!(test.out.contains("rate = 800"), "{}", test.out);
    assert!(test.err.contains("hidden"), "{}", test.err);
    let none = folder.run(&["calibrate", "access.log"]).code(3);
    assert!(none.err.contains("that is no rate"), "{}", none.err);
    // Too little to check, and said so.
    folder.write(
        "access.log",
        format!("{LINE}{}", LINE.replace("5285.015", "5287.015")),
    );
    let few = folder.run(&["calibrate", "access.log"]).code(0);
    assert!(few.err.contains("not checked: "), "{}", few.err);
}

#[test]
fn what_is_no_request_is_counted_by_line() {
    let folder = Folder::new();
    let own = LINE.replace("\"127.0.0.1:81\" \"0.152\"", "\"-\" \"-\"");
    folder.write(
        "mixed.log",
        format!(
            "{LINE}{own}nonsense\n{}",
            LINE.replace("5285.015", "5287.015")
        ),
    );
    let told = folder.run(&["calibrate", "mixed.log"]).code(0).err;
    assert!(told.contains("4 lines, 3 requests"), "{told}");
    assert!(told.contains("1 not read"), "{told}");
    assert!(told.contains("(line 3)"), "{told}");
    assert!(
        told.contains("1 more were answered by the balancer itself"),
        "{told}"
    );
}
