//! Every command in README.md and in the book, run for real.
//!
//! In a ```` ```console ```` block a line `$ stampede …` is a command; what follows is its output. It is
//! run in a folder of the page's own and must end with exit code 0, or with that of a line
//! `# exit N` below it. Output that is shown must be what comes out, standard output before standard
//! error: `…` within a line stands for anything, a line of `…` for any lines, and widths of columns do
//! not matter. A block
//! ```` ```toml,file=NAME ```` is written into the page's folder first, and logs beside the page are there.

#![cfg(unix)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// How README.md calls the program before it is installed.
const FROM_SOURCE: &str = "cargo run --release -p sim-cli -- ";
/// Other commands that may be shown; they are not run here.
const NOT_RUN: [&str; 5] = ["cargo ", "mdbook ", "git ", "rustup ", "sim-gui/"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn pages() -> Vec<PathBuf> {
    fn collect(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).expect("a readable folder") {
            let path = entry.expect("a readable folder").path();
            if path.is_dir() {
                collect(&path, found);
            } else if path.extension().is_some_and(|ending| ending == "md") {
                found.push(path);
            }
        }
    }
    let mut found = vec![root().join("README.md"), root().join("models/README.md")];
    collect(&root().join("docs/src"), &mut found);
    found.sort();
    found
}

/// A part of a page, in its order.
enum Step {
    File {
        name: String,
        text: String,
    },
    Command {
        line: usize,
        command: String,
        exit: i32,
        shown: Vec<String>,
    },
}

fn steps(page: &str) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut lines = page.lines().enumerate();
    while let Some((_, line)) = lines.next() {
        let Some(info) = line.strip_prefix("```") else {
            continue;
        };
        let block: Vec<(usize, &str)> = lines
            .by_ref()
            .take_while(|(_, line)| *line != "```")
            .collect();
        if let Some(name) = info.split(',').find_map(|word| word.strip_prefix("file=")) {
            let lines: Vec<&str> = block.iter().map(|(_, line)| *line).collect();
            let text = lines.join("\n") + "\n";
            steps.push(Step::File {
                name: name.to_owned(),
                text,
            });
        } else if info == "console" {
            for (number, line) in block {
                if let Some(command) = line.strip_prefix("$ ") {
                    steps.push(Step::Command {
                        line: number + 1,
                        command: command.to_owned(),
                        exit: 0,
                        shown: Vec::new(),
                    });
                } else if let Some(Step::Command { exit, shown, .. }) = steps.last_mut() {
                    match line.strip_prefix("# exit ") {
                        Some(code) => *exit = code.parse().expect("a number after `# exit`"),
                        None => shown.push(line.to_owned()),
                    }
                }
            }
        }
    }
    steps
}

/// Whether a line matches what is shown of it.
fn line_matches(shown: &str, line: &str) -> bool {
    let mut parts = shown.split('…');
    let first = parts.next().unwrap_or("");
    let Some(mut rest) = line.strip_prefix(first) else {
        return false;
    };
    let parts: Vec<&str> = parts.collect();
    let Some((last, middle)) = parts.split_last() else {
        return rest.is_empty();
    };
    for part in middle {
        let Some(at) = rest.find(part) else {
            return false;
        };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

/// A line whose columns are one blank apart.
fn narrow(line: &str) -> String {
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The first line that is shown and did not come out; `None` when all is well.
fn mismatch<'a>(shown: &'a [String], output: &[&str]) -> Option<&'a str> {
    let Some((first, others)) = shown.split_first() else {
        return (!output.is_empty()).then_some("(the end)");
    };
    if first.trim() == "…" {
        let mut complaint = None;
        for skipped in 0..=output.len() {
            match mismatch(others, &output[skipped..]) {
                None => return None,
                worse => complaint = complaint.or(worse),
            }
        }
        return complaint;
    }
    match output.split_first() {
        Some((line, rest)) if line_matches(&narrow(first), &narrow(line)) => mismatch(others, rest),
        _ => Some(first),
    }
}

/// Runs the commands of one page; what is wrong with it.
fn try_page(page: &Path, number: usize) -> Vec<String> {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"))
        .join(format!("book-{}-{number}", std::process::id()));
    fs::create_dir_all(&folder).expect("a folder for the page");
    for entry in fs::read_dir(page.parent().expect("a folder")).expect("a readable folder") {
        let path = entry.expect("a readable folder").path();
        if let Some(name) = path
            .file_name()
            .filter(|name| name.to_string_lossy().ends_with(".gz"))
        {
            fs::copy(&path, folder.join(name)).expect("a log of the page");
        }
    }
    let program = Path::new(env!("CARGO_BIN_EXE_stampede"));
    let path = format!(
        "{}:{}",
        program.parent().expect("a folder").display(),
        std::env::var("PATH").unwrap_or_default()
    );
    let mut complaints = Vec::new();
    for step in steps(&fs::read_to_string(page).expect("a readable page")) {
        let (line, command, exit, shown) = match step {
            Step::File { name, text } => {
                fs::write(folder.join(name), text).expect("a file of the page");
                continue;
            }
            Step::Command {
                line,
                command,
                exit,
                shown,
            } => (line, command, exit, shown),
        };
        let place = format!("{}:{line}: $ {command}", page.display());
        let command = command
            .strip_prefix(FROM_SOURCE)
            .map_or(command.clone(), |rest| format!("stampede {rest}"));
        if NOT_RUN.iter().any(|begin| command.starts_with(begin)) {
            continue;
        }
        let output = Command::new("sh")
            .args(["-c", &command])
            .current_dir(&folder)
            .env("PATH", &path)
            .env("NO_COLOR", "1")
            .env_remove("CLICOLOR_FORCE")
            .output()
            .expect("sh runs");
        let text = format!(
            "{}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
        if output.status.code() != Some(exit) {
            complaints.push(format!(
                "{place}\nexit {:?} instead of {exit}:\n{text}",
                output.status.code()
            ));
        }
        let lines: Vec<&str> = text.trim_end().lines().collect();
        let until = shown
            .iter()
            .rposition(|line| !line.trim().is_empty())
            .map_or(0, |at| at + 1);
        if until > 0
            && let Some(missing) = mismatch(&shown[..until], &lines)
        {
            complaints.push(format!("{place}\nthis line is shown and did not come out in its place:\n{missing}\nwhat came out:\n{text}"));
        }
    }
    fs::remove_dir_all(&folder).expect("the page's folder goes away");
    complaints
}

#[test]
fn commands_in_the_book_do_what_it_says() {
    let pages = pages();
    let next = AtomicUsize::new(0);
    let complaints = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some((number, page)) = {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    pages.get(number).map(|page| (number, page))
                } {
                    let found = try_page(page, number);
                    complaints.lock().expect("no page panicked").extend(found);
                }
            });
        }
    });
    let complaints = complaints.into_inner().expect("no page panicked");
    assert!(complaints.is_empty(), "{}", complaints.join("\n\n"));
}

/// Commands stand in blocks that are run.
#[test]
fn commands_are_in_console_blocks() {
    for page in pages() {
        let text = fs::read_to_string(&page).expect("a readable page");
        let mut block = None;
        for (number, line) in text.lines().enumerate() {
            match (line.strip_prefix("```"), block) {
                (Some(_), Some(_)) => block = None,
                (Some(info), None) => block = Some(info),
                (None, inside) => assert!(
                    inside == Some("console") || !line.starts_with("$ "),
                    "{}:{}: a command outside of a ```console block",
                    page.display(),
                    number + 1
                ),
            }
        }
        assert!(block.is_none(), "{}: a block does not end", page.display());
    }
}

/// Links between pages lead somewhere, and every page is in the table of contents.
#[test]
fn links_lead_somewhere() {
    let mut complaints = Vec::new();
    let summary =
        fs::read_to_string(root().join("docs/src/SUMMARY.md")).expect("a table of contents");
    let extra =
        ["ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md"].map(|name| root().join(name));
    for page in pages().iter().chain(&extra) {
        let text = fs::read_to_string(page).expect("a readable page");
        let folder = page.parent().expect("a folder");
        for link in text
            .split("](")
            .skip(1)
            .filter_map(|rest| rest.split(')').next())
        {
            let file = link.split('#').next().unwrap_or(link);
            if !file.is_empty() && !file.contains("://") && !folder.join(file).exists() {
                complaints.push(format!("{}: {link}", page.display()));
            }
        }
        if let Ok(inside) = page.strip_prefix(root().join("docs/src"))
            && inside != Path::new("SUMMARY.md")
            && !summary.contains(&format!("({})", inside.display()))
        {
            complaints.push(format!("{} is not in SUMMARY.md", inside.display()));
        }
    }
    assert!(complaints.is_empty(), "{complaints:#?}");
}

/// The generated pages are what the program would write now.
#[test]
fn generated_pages_are_up_to_date() {
    let page = fs::read_to_string(root().join("docs/src/reference/tables.md"))
        .expect("the generated page");
    let output = Command::new(env!("CARGO_BIN_EXE_stampede"))
        .arg("docs-reference")
        .output()
        .expect("it runs");
    let now = String::from_utf8(output.stdout).expect("text");
    let (header, body) = page
        .split_once("-->\n\n")
        .expect("a header that says how to regenerate it");
    assert!(header.contains("stampede docs-reference"));
    assert!(
        body == now,
        "docs/src/reference/tables.md is out of date; its first line says how to write it anew"
    );
}

#[test]
fn the_comparison_is_strict_where_it_should_be() {
    let shown = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
    let differs = |pattern: &str, output: &[&str]| mismatch(&shown(pattern), output).is_some();
    assert!(!differs("a\n…\nd", &["a", "b", "c", "d"]));
    assert!(!differs("a …ms b", &["a 3 ms b"]));
    assert!(!differs("…", &[]));
    assert!(!differs("  a  b", &["a b"]));
    assert!(
        differs("a", &["a", "b"]),
        "what follows must be shown or left out with …"
    );
    assert!(differs("a\n…\ne", &["a", "d"]));
    assert!(differs("a …ms b", &["a 3 ms c"]));
    assert!(differs("b\n…", &["a", "b"]));
}
