// Build-time helper of both front ends: writes the list of every model, with its text, as Rust.
//
// A build script includes this file and calls `embed`; the program then has
// `include!(concat!(env!("OUT_DIR"), "/models.rs"))` as a list of (path, text).

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

/// Endings of what is embedded: scenarios, the traces they refer to, and lessons beside them.
const ENDINGS: [&str; 5] = ["toml", "json", "csv", "txt", "lesson"];

/// Writes `models.rs` into the build's folder.
pub(crate) fn embed(models: &Path) -> io::Result<()> {
    let models = models.canonicalize()?;
    println!("cargo::rerun-if-changed={}", models.display());
    let mut files = Vec::new();
    collect(&models, &mut files)?;
    // Folders are read in any order; the program's lists have one, and begin with what it is about.
    files.sort();
    let first = [models.join("incident"), models.join("lesson")];
    files.sort_by_key(|file| {
        let place = first.iter().position(|folder| file.starts_with(folder));
        place.unwrap_or(first.len())
    });
    let mut code = String::from("&[\n");
    for file in files {
        let path = file.strip_prefix(&models).map_err(io::Error::other)?;
        let path: Vec<_> = path.iter().map(|part| part.to_string_lossy()).collect();
        writeln!(
            code,
            "    ({:?}, include_str!({:?})),",
            path.join("/"),
            file.display().to_string()
        )
        .map_err(io::Error::other)?;
    }
    code.push_str("]\n");
    let out = env::var_os("OUT_DIR").ok_or_else(|| io::Error::other("OUT_DIR is set by cargo"))?;
    fs::write(Path::new(&out).join("models.rs"), code)
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else if path
            .extension()
            .is_some_and(|e| ENDINGS.iter().any(|known| e == *known))
        {
            files.push(path);
        }
    }
    Ok(())
}
