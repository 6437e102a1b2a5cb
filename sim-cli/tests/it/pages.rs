//! `--report`: results of experiments as pages that say what the command prints.

use crate::experiments::QUEUE;
use crate::stampede::{Folder, SMALL};

/// What would be obeyed if it were not written out.
const HOSTILE: &str = "title = \"</title><script>alert(1)</script>\"\nquestion = \"<img src=x onerror=alert(2)> & `code`\"\n# </pre><b>\n";

const POLICIES: &str = "service.web.balancer.policy=random,round-robin";

fn folder() -> Folder {
    let queue = QUEUE.replace("title = \"queue\"\n", HOSTILE);
    let folder = Folder::with("q.toml", queue);
    folder.write("small.toml", SMALL);
    folder
}

/// The elements of a page, and whether each ends where it may.
fn unclosed(page: &str) -> Vec<String> {
    let mut open: Vec<String> = Vec::new();
    let mut wrong = Vec::new();
    let style = page.find("</style>").expect("a style");
    for tag in page[style..].split('<').skip(1) {
        let Some((tag, _)) = tag.split_once('>') else {
            wrong.push(tag.to_owned());
            continue;
        };
        let name = tag.split([' ', '\n']).next().unwrap_or_default();
        if let Some(name) = name.strip_prefix('/') {
            if name != "style" && open.pop().as_deref() != Some(name) {
                wrong.push(tag.to_owned());
            }
        } else if !tag.ends_with('/') && name != "br" {
            open.push(name.to_owned());
        }
    }
    // What was opened before the style ended.
    for name in &open {
        wrong.push(format!("{name} stays open"));
    }
    wrong.retain(|tag| !["/head", "/html"].contains(&tag.as_str()));
    wrong
}

/// What a reader sees, with one blank between words.
fn seen(page: &str) -> String {
    let mut text = String::new();
    for part in page.split('<').skip(1) {
        let (_, after) = part.split_once('>').expect("an end of a tag");
        text.push(' ');
        text.push_str(after);
    }
    let text = text.replace('\u{202f}', " ");
    let text = text.replace("&lt;", "<").replace("&gt;", ">");
    words(&text.replace("&quot;", "\"").replace("&amp;", "&"))
}

fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What was printed, cell by cell, is on the page.
fn says_the_same(page: &str, printed: &str) {
    let seen = seen(page);
    // What stands in backticks is code there.
    let printed = printed.replace('`', " ");
    for line in printed.lines() {
        let begins = |word: &str| line.starts_with(word);
        if ["results in", "report in", "next:"].into_iter().any(begins)
            || line.contains("written to")
        {
            continue;
        }
        for cell in line.split("  ") {
            let cell = words(cell.trim_start_matches([' ', '!', '✓', '✗', '–']));
            let about = cell.split_once(": ").map_or("", |(_, says)| says);
            assert!(
                seen.contains(&cell) || !about.is_empty() && seen.contains(about),
                "{cell:?} is not in\n{seen}"
            );
        }
    }
}

/// Runs a command with a page, again on other threads, and with a folder where it has one; the page.
fn page(args: &[&str], code: i32, has_folder: bool) -> String {
    let folder = folder();
    let with = |more: &[&str]| folder.run(&[args, more].concat()).code(code);
    let ran = with(&["--report", "one.html"]);
    assert!(ran.out.contains("report in one.html"), "{}", ran.out);
    let page = folder.read("one.html");
    with(&["--threads", "3", "--report=two.html", "--quiet"]);
    assert_eq!(folder.read("two.html"), page, "{args:?}");
    if has_folder {
        with(&["-o", "kept"]);
        assert_eq!(folder.read("kept/report.html"), page, "{args:?}");
        let report = folder.run(&["report", "kept"]).code(2);
        assert!(report.err.contains("kept/report.html"), "{}", report.err);
    }
    assert_eq!(unclosed(&page), Vec::<String>::new(), "{args:?}");
    says_the_same(&page, &ran.out);
    assert!(page.starts_with("<!DOCTYPE html>"));
    assert!(page.contains("default-src 'none'"));
    assert!(page.len() < 1_500_000);
    for never in ["<script", "<img", "<link", "src=", "https:", "</pre><b>"] {
        // What is written out is a text like others.
        let never_in = page.replace("&lt;img src=x", "");
        assert!(!never_in.contains(never), "{never} in {args:?}");
    }
    let fetched = page.replace("xmlns=\"http://www.w3.org/2000/svg\"", "");
    assert!(!fetched.contains("http:"), "{args:?}");
    for option in ["--report", "--threads", "-o kept"] {
        assert!(!page.contains(option), "{option} in {args:?}");
    }
    page
}

#[test]
fn a_comparison() {
    let args = [
        "compare",
        "q.toml",
        "--vary",
        POLICIES,
        "--replications",
        "5",
        "--measure",
        "p90,availability",
        "--pairs",
    ];
    let page = page(&args, 0, true);
    assert!(page.contains(&format!("stampede {}", args.join(" "))));
    assert_eq!(page.matches("<svg").count(), 4, "wide and narrow");
    assert!(page.contains("seed 1"), "{page}");
}

#[test]
fn replications() {
    let page = page(&["run", "q.toml", "--replications", "6"], 6, true);
    assert!(page.contains("hash <code>"), "{page}");
    assert!(page.contains("&lt;script&gt;alert(1)"), "{page}");
}

#[test]
fn breaking_points_ramps_and_maps() {
    let stress = ["stress", "q.toml", "--replications", "5"];
    let with = |more: &[&'static str]| [&stress[..], more].concat();
    page(&with(&["--until", "p90 > 50ms"]), 0, true);
    page(
        &with(&["--hysteresis", "--steps", "4", "--hold", "10s"]),
        0,
        true,
    );
    let map = page(
        &with(&["--map", "--steps", "3", "--triggers", "1s,2s"]),
        0,
        true,
    );
    assert!(map.contains("class=\"scroll map\""), "{map}");
}

#[test]
fn the_last_moment_and_remedies() {
    let change = "service.web.balancer.policy=round-robin";
    let deadline = [
        "deadline",
        "q.toml",
        "--change",
        change,
        "--replications",
        "5",
    ];
    page(&[&deadline[..], &["--moments", "3"]].concat(), 0, true);
    let remedy = ["remedy", "q.toml", "--only", "policy", "--by", "p99"];
    page(&[&remedy[..], &["--replications", "5"]].concat(), 0, true);
}

#[test]
fn a_sweep_whole_and_merged() {
    let sweep = [
        "sweep",
        "--scenario",
        "q.toml",
        "--vary",
        "traffic.traffic.rate=100,200",
        "--vary",
        POLICIES,
        "--measure",
        "mean",
        "--replications",
        "5",
    ];
    let page = page(&sweep, 0, true);
    assert!(page.contains("stampede sweep plan.toml"));
    let folder = folder();
    for shard in ["0/2", "1/2"] {
        folder
            .run(&[&sweep[..], &["--shard", shard, "-o", "parts"]].concat())
            .code(0);
    }
    let refused = folder.run(
        &[
            &sweep[..],
            &["--shard", "0/2", "-o", "x", "--report", "p.html"],
        ]
        .concat(),
    );
    assert!(refused.code(2).err.contains("--shard"));
    folder.run(&["sweep", "merge", "parts"]).code(0);
    assert_eq!(folder.read("parts/report.html"), page);
}

#[test]
fn doctor_and_logs() {
    let short = ["--set", "horizon=30s", "--set", "warm_up=5s"];
    let ran = page(
        &[&["doctor", "q.toml", "--all"][..], &short].concat(),
        0,
        false,
    );
    assert!(ran.contains("Search for dangerous settings"), "{ran}");
    let folder = folder();
    let line = |second: u32| {
        format!(
            "127.0.0.1 - - [29/Nov/2026:06:54:45 +0000] \"GET /<b> HTTP/1.1\" 200 3 \"-\" \"-\" 1795935{second}.015 0.153 \"127.0.0.1:81\" \"0.152\" \"200\"\n"
        )
    };
    folder.write("a.log", (285..385).map(line).collect::<String>());
    let told = folder
        .run(&["calibrate", "a.log", "--report", "log.html"])
        .code(0);
    let page = folder.read("log.html");
    says_the_same(&page, &told.err);
    assert_eq!(unclosed(&page), Vec::<String>::new());
    assert!(!page.contains("<b>"), "{page}");
}

#[test]
fn what_cannot_be_a_page_is_refused_before_anything_runs() {
    let folder = folder();
    let refused = |args: &[&str], code: i32, why: &str| {
        let ran = folder.run(args).code(code);
        assert!(ran.err.contains(why), "{}", ran.err);
    };
    refused(
        &["run", "q.toml", "--report", "x.html"],
        2,
        "add --replications",
    );
    let many = [
        "run",
        "q.toml",
        "small.toml",
        "--replications",
        "2",
        "--report",
        "x.html",
    ];
    refused(&many, 2, "several scenarios");
    let one = ["run", "q.toml", "--replications", "2", "--report"];
    let with = |path: &'static str| [&one[..], &[path]].concat();
    refused(&with("-"), 2, "a page is a file");
    refused(&with("."), 2, "this is a folder");
    refused(&with("nowhere/x.html"), 5, "no such folder");
    refused(&with("q.toml"), 2, "is read by this command");
    for output in ["new", "./new"] {
        refused(
            &[&with("new")[..], &["-o", output]].concat(),
            2,
            "that is where -o goes",
        );
    }
    refused(
        &["calibrate", "a.log", "-o", "b.toml", "--report", "b.toml"],
        2,
        "that is where -o goes",
    );
    assert!(!folder.path.join("new").exists() && !folder.path.join("b.toml").exists());
    assert!(folder.read("q.toml").contains("<script>"));
}
