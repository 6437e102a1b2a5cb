//! Texts of strangers are shown, and what is no scenario is neither printed nor taken for one.

use crate::stampede::{Folder, Ran};

/// What a terminal, a reader's eye or a spreadsheet would obey.
const ESCAPE: &str =
    "\u{1b}[2J\u{1b}]0;owned\u{7}\r\u{9b}31m\u{202e}gnp.\u{2066}\u{200f}\u{feff}\u{8}";

/// A scenario with `ESCAPE` wherever a text may stand; as JSON, which can hold anything.
fn scenario() -> String {
    let text =
        |begin: &str, end: &str| serde_json::json!(format!("{begin}{ESCAPE}\n{end}")).to_string();
    format!(
        r#"{{
  "title": {title}, "question": {question}, "horizon": "30s", "clock": "12:00",
  "traffic": [{{"to": "web", "rate": 20}}],
  "client": {{"timeout": "1s"}},
  "service": {{"web": {{"demand": "10ms", "server": [{{"name": "a", "workers": 1}}]}}}},
  "timeline": [
    {{"at": "5s", "do": "note", "note": {note}}},
    {{"at": "6s", "set": {{"service.web.server.a.workers": 2}}, "note": {note}}}
  ],
  "alert": [{{"name": "calm", "when": "p99 < 2s"}}],
  "expect": [{{"that": "p99 < 2s"}}]
}}"#,
        title = text("=HYPERLINK(1)", "title"),
        question = text("+why", "question"),
        note = text("=1+1", "12:00:07   system   ✖ web-1 crashes"),
    )
}

fn obeyed(text: &str) -> Option<char> {
    text.chars().find(|&c| {
        c.is_control() && c != '\n'
            || ('\u{200b}'..='\u{200f}').contains(&c)
            || ('\u{2028}'..='\u{202e}').contains(&c)
            || ('\u{2060}'..='\u{206f}').contains(&c)
            || c == '\u{feff}'
    })
}

fn check(what: &str, text: &str) {
    assert_eq!(obeyed(text), None, "{what}:\n{text:?}");
    let forged = text
        .lines()
        .any(|line| line.trim_start().starts_with("12:00:07   system"));
    assert!(!forged, "{what}: a line that nothing wrote:\n{text}");
}

fn check_cells(what: &str, csv: &str) {
    for line in csv.lines() {
        for cell in line.split(',') {
            let cell = cell.trim_matches('"');
            let formula = cell.starts_with(['=', '+', '-', '@']);
            assert!(!formula || cell.parse::<f64>().is_ok(), "{what}: {line}");
        }
    }
}

const COMMANDS: [&[&str]; 13] = [
    &["run", "h.json"],
    &["run", "h.json", "--event-log"],
    &["run", "h.json", "--format", "json"],
    &["run", "h.json", "--format", "csv"],
    &["run", "h.json", "-o", "run"],
    &["run", "h.json", "--replications", "2", "-o", "replications"],
    &["run", "h.json", "--replications", "2", "--format", "csv"],
    &[
        "compare",
        "h.json",
        "n.json",
        "--replications",
        "2",
        "-o",
        "compare",
    ],
    &[
        "compare",
        "h.json",
        "--vary",
        "title==1+1,\"\u{1b}[31m\"",
        "--replications",
        "2",
        "--format",
        "csv",
    ],
    &[
        "stress",
        "h.json",
        "--until",
        "p99 > 1s",
        "--replications",
        "2",
        "--tolerance",
        "20%",
        "-o",
        "stress",
    ],
    &[
        "sweep",
        "--scenario",
        "h.json",
        "--vary",
        "title==1+1,@x",
        "--replications",
        "2",
        "-o",
        "sweep",
    ],
    &["check", "h.json"],
    &["check", "h.json", "--format", "json"],
];

#[test]
fn texts_are_shown_and_not_obeyed() {
    let folder = Folder::with("h.json", scenario());
    folder.write("n.json", scenario());
    for args in COMMANDS {
        let Ran { code, out, err } = folder.run(args);
        assert_eq!(code, 0, "{args:?}: {err}");
        check(&format!("{args:?}"), &out);
        check(&format!("{args:?}"), &err);
        if args.contains(&"csv") {
            check_cells(&format!("{args:?}"), &out);
        }
    }
    let mut files = 0;
    for name in ["run", "replications", "compare", "stress", "sweep"] {
        for file in folder.list(name) {
            let text = folder.read(&format!("{name}/{file}"));
            check(&format!("{name}/{file}"), &text);
            files += 1;
            if file.ends_with(".csv") {
                check_cells(&format!("{name}/{file}"), &text);
            }
        }
    }
    assert!(files > 15, "{files}");
    // It is shown, not lost.
    let ran = folder.run(&["run", "h.json"]);
    assert!(
        ran.out
            .contains("=HYPERLINK(1)\\u001B[2J\\u001B]0;owned\\u0007\\r\\u009B31m\\u202Egnp."),
        "{}",
        ran.out
    );
    let events = folder.read("run/events.csv");
    assert!(events.contains("'=1+1\\u001B[2J"), "{events}");
}

#[cfg(unix)]
#[test]
fn names_of_files_are_shown_and_not_obeyed() {
    let name = "a\u{1b}[31m\u{202e}.json";
    let folder = Folder::with(name, scenario());
    folder.write(
        "bad\u{1b}[31m.toml",
        "horizon = \"\u{1b}[31m\"\n\u{1b}[2J = 1\n",
    );
    folder.write("trace\u{1b}[31m.toml", "horizon = \"1s\"\ntraffic = [{ to = \"a\", arrivals = { kind = \"trace\", file = \"t\u{202e}\" } }]\n[service.a]\ndemand = \"1ms\"\nserver = [{ name = \"a\", workers = 1 }]\n");
    folder.write("t\u{202e}", "\u{1b}[31mx\n");
    let commands: [&[&str]; 6] = [
        &["run", name],
        &["run", name, "nothing\u{1b}[31m.toml"],
        &["check", name],
        &["check", "bad\u{1b}[31m.toml"],
        &["check", "trace\u{1b}[31m.toml"],
        &["compare", name, "--vary", "seed=\u{1b}[31m"],
    ];
    for args in commands {
        let ran = folder.run(args);
        check(&format!("{args:?}"), &ran.out);
        check(&format!("{args:?}"), &ran.err);
    }
}
