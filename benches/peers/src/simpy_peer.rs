//! `SimPy`, where there is a Python: in a virtual environment of its own, which lives as long as the
//! benchmark, from a pinned package whose hash is checked.

use crate::work::{Ran, Work};
use std::path::PathBuf;
use std::process::Command;

const PROGRAM: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/simpy_loop.py");
const REQUIREMENTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/requirements.txt");

/// The virtual environment; its folder goes when it is dropped.
pub struct Environment(PathBuf);

impl Environment {
    /// Makes one; the reason when there is no Python, or the package cannot be had.
    pub fn new() -> Result<Self, String> {
        let folder = format!("stampede-peers-{}", std::process::id());
        let environment = Self(std::env::temp_dir().join(folder));
        let folder = environment.0.as_os_str();
        spoken(Command::new("python3").args(["-m", "venv"]).arg(folder))?;
        spoken(
            Command::new(environment.python())
                .args(["-m", "pip", "install", "--quiet", "--require-hashes"])
                .args(["--disable-pip-version-check", "-r", REQUIREMENTS]),
        )?;
        Ok(environment)
    }

    fn python(&self) -> PathBuf {
        self.0.join("bin").join("python3")
    }

    /// Runs until so many requests have arrived and been answered; with nanoseconds of CPU.
    pub fn run(&self, work: &Work, requests: u64, seed: u64) -> (Ran, u64) {
        let mut command = Command::new(self.python());
        command.arg(PROGRAM);
        command.args([work.servers as u64, requests, seed].map(|number| number.to_string()));
        let told = spoken(&mut command).unwrap_or_else(|problem| panic!("SimPy: {problem}"));
        let mut numbers = told.split_whitespace().map(str::parse::<f64>);
        let (Some(Ok(cpu_s)), Some(Ok(mean_response))) = (numbers.next(), numbers.next()) else {
            panic!("SimPy said {told:?}");
        };
        let ran = Ran {
            requests,
            mean_response,
        };
        (ran, (cpu_s * 1e9) as u64)
    }
}

impl Drop for Environment {
    fn drop(&mut self) {
        // What cannot be removed is left to whoever cleans up the temporary folder.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// What a command that must succeed says.
fn spoken(command: &mut Command) -> Result<String, String> {
    let out = command.output().map_err(|error| error.to_string())?;
    if out.status.success() {
        Ok(String::from_utf8_lossy(&out.stdout).into_owned())
    } else {
        let complaint = String::from_utf8_lossy(&out.stderr);
        Err(complaint.trim().to_owned())
    }
}
