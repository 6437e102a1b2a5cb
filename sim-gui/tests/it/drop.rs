//! Files dropped onto the window.

use crate::screen::{opening, settle, window};
use eframe::egui::{self, DroppedFile};
use egui_kittest::{Harness, kittest::Queryable as _};
use sim_gui::App;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What a system says was dropped.
#[derive(Debug)]
struct Dropped(PathBuf);

impl DroppedFile for Dropped {
    fn path(&self) -> &Path {
        &self.0
    }

    fn bytes(&self) -> Result<Vec<u8>, String> {
        std::fs::read(&self.0).map_err(|error| error.to_string())
    }
}

fn drop_file(harness: &mut Harness<'_, App>, path: &Path) {
    let file: egui::DroppedFileHandle = Arc::new(Dropped(path.to_path_buf()));
    harness.input_mut().dropped_files.push(file);
    harness.run_steps(3);
}

fn folder() -> PathBuf {
    let folder = std::env::temp_dir().join(format!("stampede-drop-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a writable folder");
    folder
}

#[test]
fn a_dropped_scenario_is_opened_with_what_stands_beside_it() {
    let folder = folder().join("fine");
    std::fs::create_dir_all(&folder).expect("a writable folder");
    let base = concat!(env!("CARGO_MANIFEST_DIR"), "/../models/lesson/first.toml");
    std::fs::copy(base, folder.join("mine.toml")).expect("a copy");
    let path = folder.join("changed.toml");
    let text = "base = \"mine.toml\"\ntitle = \"Dropped\"\nset = { seed = 7 }\n";
    std::fs::write(&path, text).expect("a writable file");
    let mut harness = window(opening("mm1"));
    drop_file(&mut harness, &path);
    settle(&mut harness);
    let state = harness.state().state();
    assert!(state.problems.is_none());
    assert_eq!(state.title(), "Dropped");
    assert_eq!(state.model().expect("a model").seed, 7);
    drop(harness);
    std::fs::remove_dir_all(folder).expect("it was made here");
}

#[test]
fn what_cannot_be_opened_is_said_and_what_was_open_stays() {
    let folder = folder();
    let binary = folder.join("picture.png");
    std::fs::write(&binary, b"\x89PNG\xff\xfe").expect("a writable file");
    let mut harness = window(opening("mm1"));
    for path in [folder.join("gone.toml"), binary.clone(), folder.clone()] {
        drop_file(&mut harness, &path);
        let state = harness.state().state();
        let message = state.message.clone().expect("a message").0;
        assert!(message.starts_with("cannot read "), "{message}");
        assert_eq!(state.name, "mm1");
        assert!(harness.query_by_label_contains(&message).is_some());
    }
    std::fs::remove_file(binary).expect("it was made here");
}

#[test]
fn a_dropped_text_that_is_no_scenario_shows_its_problems() {
    let path = folder().join("notes.toml");
    let text = "horizon = \"1m\"\nremember = \"the milk\"\n";
    std::fs::write(&path, text).expect("a writable file");
    let mut harness = window(opening("mm1"));
    drop_file(&mut harness, &path);
    assert!(harness.state().state().problems.is_some());
    assert!(
        harness
            .query_by_label_contains("unknown key `remember`")
            .is_some()
    );
    std::fs::remove_file(path).expect("it was made here");
}
