//! Running the command.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

/// A scenario that is over in no time and whose every figure is plain.
pub(crate) const SMALL: &str = r#"
title = "small"
clock = "12:00"
horizon = "60s"
[[traffic]]
to = "web"
arrivals = "deterministic"
rate = 100
[service.web]
demand = "10ms"
[[service.web.server]]
name = "web"
count = 2
workers = 1
"#;

/// What a run of the command gave.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ran {
    /// Asserts the exit code; everything is shown when it is another one.
    pub(crate) fn code(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{}\n{}", self.out, self.err);
        self
    }
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).expect("output is text");
        Self {
            code: output.status.code().unwrap_or(-1),
            out: text(output.stdout),
            err: text(output.stderr),
        }
    }
}

/// Ends a command that runs as Ctrl-C does; what it had said by then.
#[cfg(unix)]
pub(crate) fn interrupted(child: Child) -> Ran {
    let sent = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status()
        .expect("kill starts");
    assert!(sent.success());
    let ended = child.wait_with_output();
    ended.expect("the command ends").into()
}

/// A folder of its own for a test.
pub(crate) struct Folder {
    pub(crate) path: PathBuf,
}

impl Folder {
    pub(crate) fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let name = format!(
            "it-{}-{}",
            std::process::id(),
            NUMBER.fetch_add(1, Ordering::Relaxed)
        );
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        fs::create_dir_all(&path).expect("a folder can be made");
        Self { path }
    }

    /// A folder with one file in it.
    pub(crate) fn with(name: &str, text: impl AsRef<[u8]>) -> Self {
        let folder = Self::new();
        folder.write(name, text);
        folder
    }

    pub(crate) fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        let path = self.path.join(name);
        let folder = path.parent().expect("it is in the folder");
        fs::create_dir_all(folder).expect("a folder can be made");
        fs::write(path, text).expect("a file can be written");
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// Names of what is in a folder below, in order.
    pub(crate) fn list(&self, name: &str) -> Vec<String> {
        let entries =
            fs::read_dir(self.path.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
        let mut names: Vec<String> = entries
            .map(|e| {
                e.expect("readable")
                    .file_name()
                    .to_string_lossy()
                    .into_owned()
            })
            .collect();
        names.sort();
        names
    }

    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_stampede"));
        command.current_dir(&self.path).args(args);
        for variable in ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE"] {
            command.env_remove(variable);
        }
        command
    }

    pub(crate) fn run(&self, args: &[&str]) -> Ran {
        self.command(args)
            .stdin(Stdio::null())
            .output()
            .expect("the command starts")
            .into()
    }

    pub(crate) fn run_with_input(&self, args: &[&str], input: &[u8]) -> Ran {
        let mut child = self
            .command(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the command starts");
        child
            .stdin
            .take()
            .expect("piped")
            .write_all(input)
            .expect("input is read");
        child.wait_with_output().expect("the command ends").into()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What cannot be removed stays below the build's folder, where it harms nobody.
        drop(fs::remove_dir_all(&self.path));
    }
}

/// Runs the command where no file matters.
pub(crate) fn stampede(args: &[&str]) -> Ran {
    Folder::new().run(args)
}
