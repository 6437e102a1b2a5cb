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
            if std::path::Path::new(&file)
                .extension()
                .is_some_and(|e| e == "csv")
            {
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

/// Files of other programs, as users have them.
const FOREIGN: [(&str, &str, &str); 13] = [
    (
        "nginx.conf",
        "an nginx configuration",
        "upstream shop {\n    least_conn;\n    server 192.0.2.1:8080 weight=3;\n}\nserver {\n    listen 80;\n    location / { proxy_pass http://shop; }\n}\n",
    ),
    (
        "haproxy.cfg",
        "an HAProxy configuration",
        "global\n    maxconn 100\ndefaults\n    mode http\n    timeout connect 5s\nbackend web\n    balance roundrobin\n    server a 192.0.2.1:80 check\n",
    ),
    (
        "httpd.conf",
        "a configuration of Apache",
        "<VirtualHost *:80>\n  ProxyPass / balancer://shop/\n</VirtualHost>\n",
    ),
    (
        "envoy.yaml",
        "an Envoy configuration",
        "static_resources:\n  clusters:\n  - name: web\n    lb_policy: LEAST_REQUEST\n",
    ),
    (
        "deploy.yaml",
        "a Kubernetes object",
        "apiVersion: v1\nkind: Service\nmetadata:\n  name: web\n",
    ),
    ("some.yml", "YAML", "web:\n  image: x\n  ports:\n    - 80\n"),
    (
        "access.log",
        "a log",
        "192.0.2.1 - - [03/Mar/2025:09:00:03 +0000] \"GET / HTTP/1.1\" 200 9\n192.0.2.2 - - [03/Mar/2025:09:00:04 +0000] \"GET / HTTP/1.1\" 200 9\n",
    ),
    (
        "app.log",
        "a log, with JSON in each line",
        "{\"secret\": 1}\n{\"secret\": 2}\n",
    ),
    ("config.conf", "JSON", "{\n  \"secret\": 1\n}\n"),
    ("figures.csv", "a table", "time,secret\n1,2\n3,4\n"),
    (
        "page.html",
        "a page in XML or HTML",
        "<html><body>secret</body></html>\n",
    ),
    (
        "id_rsa",
        "a key or a certificate",
        "-----BEGIN OPENSSH PRIVATE KEY-----\nc2VjcmV0\n-----END OPENSSH PRIVATE KEY-----\n",
    ),
    (
        "Cargo.toml",
        "a manifest of Cargo",
        "[package]\nname = \"secret\"\n[dependencies]\nsecret = \"1\"\n",
    ),
];

#[test]
fn files_of_other_programs_are_named_in_one_error() {
    let folder = Folder::new();
    for (name, what, text) in FOREIGN {
        folder.write(name, text);
        let path = format!("./{name}");
        for args in [
            vec!["run", &path],
            vec!["check", &path],
            vec!["new", "mine", "--from", &path],
            vec!["sweep", &path],
        ] {
            let ran = folder.run(&args).code(3);
            assert_eq!(
                ran.err.matches("error[").count(),
                1,
                "{args:?}: {}",
                ran.err
            );
            assert!(
                ran.err
                    .contains(&format!("error[E004]: {path} is {what}, and no scenario")),
                "{args:?}: {}",
                ran.err
            );
            assert!(
                !ran.err.contains("secret") && !ran.err.contains("c2VjcmV0"),
                "{}",
                ran.err
            );
        }
        assert!(!folder.path.join("mine.toml").exists());
    }
    // A slip in a scenario is shown where it is.
    folder.write(
        "slip.toml",
        format!("{}\nworkers = = 1\n", crate::stampede::SMALL),
    );
    let ran = folder.run(&["check", "slip.toml"]).code(3);
    assert!(
        ran.err.contains("error[E001]") && ran.err.contains("workers = = 1"),
        "{}",
        ran.err
    );
    folder.write("slip.json", "{\n\"horizon\": \"10s\",\n\"traffic\": [\n");
    let ran = folder.run(&["check", "./slip.json"]).code(3);
    assert!(
        ran.err.contains("slip.json:") && !ran.err.contains("no scenario"),
        "{}",
        ran.err
    );
    folder.write("over.toml", "base = \"slip.json\"\n");
    let ran = folder.run(&["check", "over.toml"]).code(3);
    assert!(ran.err.contains("is not well-formed"), "{}", ran.err);
    let ran = folder.run(&["check", "-"]);
    assert_eq!(ran.code, 3);
}

/// A scenario names files that whoever wrote it may not read; whoever runs it may.
#[test]
fn what_a_scenario_refers_to_is_not_printed() {
    let secrets = [
        (
            "passwd",
            "root:x:0:0:secret:/root:/bin/sh\ndaemon:x:1:1:secret:/:/bin/sh\n",
        ),
        ("credentials.toml", "[registry]\ntoken = \"secret\"\n"),
        ("half.toml", "horizon = \"1s\"\ntoken = \"secret\"\n"),
        ("broken.toml", "a = 1\nb = \"secret\nc = 2\n"),
        ("key", "-----BEGIN KEY-----\nsecret\n-----END KEY-----\n"),
        (
            "settings.json",
            "{\"token\": \"secret\", \"other\": {\"deep\": [1, \"secret\"]}}",
        ),
        ("broken.json", "{\"token\": \"secret\", }}"),
    ];
    let folder = Folder::new();
    std::fs::create_dir(folder.path.join("mine")).expect("a folder can be made");
    for (name, text) in secrets {
        folder.write(name, text);
        let plain = "horizon = \"1s\"\n[service.a]\ndemand = \"1ms\"\nserver = [{ name = \"a\", workers = 1 }]\n";
        folder.write("mine/base.toml", format!("base = \"../{name}\"\n"));
        folder.write(
            "mine/trace.toml",
            format!("{plain}[[traffic]]\nto = \"a\"\narrivals = {{ kind = \"trace\", file = \"../{name}\" }}\n"),
        );
        folder.write(
            "mine/plan.toml",
            format!("scenario = \"../{name}\"\nmeasures = [\"availability\"]\n[[axis]]\npath = \"seed\"\nvalues = [1]\n"),
        );
        for (command, file, code) in [
            ("check", "base", "E004"),
            ("check", "trace", "E053"),
            ("run", "base", "E004"),
            ("sweep", "plan", "E004"),
        ] {
            let path = format!("mine/{file}.toml");
            let ran = folder.run(&[command, &path]).code(3);
            assert!(
                ran.err.contains(&format!("error[{code}]")),
                "{name} {file}: {}",
                ran.err
            );
            assert_eq!(
                ran.err.matches("error[").count(),
                1,
                "{name} {file}: {}",
                ran.err
            );
            assert!(
                !ran.err.contains("secret") && !ran.err.contains("token"),
                "{name} {file}: {}",
                ran.err
            );
            // Confined, it is not even looked at.
            let ran = folder.run(&[command, &path, "--confine"]).code(3);
            assert!(
                ran.err.contains("outside of the scenario's folder"),
                "{name} {file}: {}",
                ran.err
            );
        }
    }
}

#[test]
fn confined_scenarios_still_have_their_folder_and_the_models() {
    let folder = Folder::new();
    std::fs::create_dir(folder.path.join("mine")).expect("a folder can be made");
    folder.write("mine/a.toml", crate::stampede::SMALL);
    folder.write("outside.toml", crate::stampede::SMALL);
    folder.write("mine/b.toml", "base = \"a.toml\"\n");
    folder.write("mine/c.toml", "base = \"first\"\n");
    folder.write("mine/d.toml", "base = \"../outside.toml\"\n");
    folder.write("mine/f.toml", "base = \"../nowhere.toml\"\n");
    for path in [
        "mine/b.toml",
        "mine/c.toml",
        "./mine/../mine/b.toml",
        "mine/../mine/c.toml",
    ] {
        folder.run(&["check", path, "--confine"]).code(0);
    }
    folder.run(&["check", "mine/d.toml"]).code(0);
    let (there, not) = (
        folder.run(&["check", "mine/d.toml", "--confine"]),
        folder.run(&["check", "mine/f.toml", "--confine"]),
    );
    assert!(there.code == 3 && not.code == 3);
    assert!(
        there.err.contains("--confine") && not.err.contains("--confine"),
        "whether it exists is not told: {}",
        not.err
    );
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink("../outside.toml", folder.path.join("mine/link.toml"))
            .expect("a link");
        folder.write("mine/e.toml", "base = \"link.toml\"\n");
        folder.run(&["check", "mine/e.toml"]).code(0);
        folder.run(&["check", "mine/e.toml", "--confine"]).code(3);
    }
}

/// Each way in which a file cannot be had has its own words.
#[cfg(unix)]
#[test]
fn what_cannot_be_read_is_told_as_it_is() {
    let folder = Folder::new();
    let link = |to: &str, name: &str| {
        std::os::unix::fs::symlink(to, folder.path.join(name)).expect("a link");
    };
    link("loop.toml", "loop.toml");
    link("nowhere", "dangling.toml");
    std::fs::create_dir(folder.path.join("folder.toml")).expect("a folder can be made");
    for (args, words) in [
        (["run", "loop.toml"], "symbolic link"),
        (["run", "dangling.toml"], "it is a link to nothing"),
        (["run", "missing.toml"], "no such file"),
        (["run", "folder.toml"], "directory"),
        (["sweep", "loop.toml"], "symbolic link"),
    ] {
        let ran = folder.run(&args).code(5);
        assert!(ran.err.contains(words), "{args:?}: {}", ran.err);
        assert!(
            words == "no such file" || !ran.err.contains("no such file"),
            "{args:?}: {}",
            ran.err
        );
    }
    let traced = |file: &str| {
        folder.write(
            "t.toml",
            crate::stampede::SMALL.replace(
                "arrivals = \"deterministic\"\nrate = 100",
                &format!("arrivals = {{ kind = \"trace\", file = \"{file}\" }}"),
            ),
        );
        let ran = folder.run(&["check", "t.toml"]).code(3);
        assert_eq!(ran.err.matches("error[").count(), 1, "{}", ran.err);
        assert!(ran.err.contains("error[E053]"), "{}", ran.err);
        ran.err
    };
    assert!(traced("loop.toml").contains("symbolic link"));
    assert!(traced("folder.toml").contains("it is a folder"));
    assert!(traced("nothing.log").contains("neither such a file nor a model"));
}

#[cfg(target_os = "linux")]
#[test]
fn help_that_cannot_be_written_is_no_success() {
    let folder = Folder::new();
    for args in [["--help"], ["--version"], ["list"]] {
        let full = std::fs::OpenOptions::new()
            .write(true)
            .open("/dev/full")
            .expect("Linux has it");
        let ran: Ran = folder
            .command(&args)
            .stdout(full)
            .output()
            .expect("the command starts")
            .into();
        assert_eq!(ran.code, 5, "{args:?}: {}", ran.err);
        assert!(
            ran.err.contains("cannot write to standard output"),
            "{}",
            ran.err
        );
    }
}

/// An access log as it is: not in order, whole seconds, durations at the end of lines.
#[test]
fn logs_are_traces() {
    let mut log = String::new();
    for (address, second) in [(1, 3), (2, 1), (3, 7), (4, 7), (5, 2)] {
        use std::fmt::Write as _;
        writeln!(log, "198.51.100.{address} - - [03/Mar/2025:09:00:{second:02} +0000] \"GET /p HTTP/1.1\" 200 900 \"-\" \"agent\" 0.020").expect("a text");
    }
    let scenario = crate::stampede::SMALL.replace(
        "arrivals = \"deterministic\"\nrate = 100",
        "arrivals = { kind = \"trace\", file = \"access.log\" }",
    );
    let folder = Folder::with("t.toml", scenario);
    folder.write("access.log", log);
    let ran = folder
        .run(&["run", "t.toml", "-o", "out", "--log-requests", "1"])
        .code(0);
    assert!(
        ran.err.contains("only times are used, no durations"),
        "{}",
        ran.err
    );
    let requests = folder.read("out/requests.csv");
    let arrived: Vec<&str> = requests
        .lines()
        .skip(1)
        .map(|line| line.split(',').nth(4).expect("a column"))
        .collect();
    assert_eq!(arrived, ["0", "1", "2", "6", "6.5"]);
}
