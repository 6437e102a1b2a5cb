//! Scratch of panels: what is being typed, searched and looked at. Nothing is lost with it but
//! what was typed and not run or applied yet: above all the text of the scenario, in `text`.

use crate::experiment::{Draft, Field};
use crate::panel::gallery::{Level, Thumbs};
use crate::playback::Edit;
use sim_core::scenario::Written;
use sim_core::time::Instant;
use std::collections::BTreeMap;

/// Scratch of panels.
#[derive(Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "what is open and what is shut do not exclude one another"
)]
pub struct Local {
    /// The scenario's text as it is being edited; `None` while it is as opened.
    pub text: Option<String>,
    /// The line of the text that is to be brought into sight.
    pub line: Option<usize>,
    /// Whether doubts of which nothing came are shown as well.
    pub quiet: bool,
    /// Whether the scenario is shown as a form.
    pub form: bool,
    /// The values of a text, so that they are looked for once; `None` where it cannot be read.
    pub outline: Option<(String, Option<Vec<Written>>)>,
    /// The seed that is being typed.
    pub seed: Option<String>,
    /// What is being searched in the palette.
    pub search: String,
    /// Events of The event log so far, as they were brought into sight.
    pub event_log_seen: usize,
    /// For whom models are shown; for everybody where nothing is chosen.
    pub level: Option<Level>,
    /// Pictures of models.
    pub thumbs: Thumbs,
    /// The path of a file to open, as it is typed.
    pub path: String,
    /// The line chosen in the palette.
    pub chosen: usize,
    /// Where a loop begins whose end is not marked yet.
    pub loop_from: Option<Instant>,
    /// Where a stretch begins that is being marked in plots.
    pub brush: Option<Instant>,
    /// Where a stretch begins that is being marked to be measured.
    pub marking: Option<Instant>,
    /// Whether the lanes had the pointer or the focus in the last frame.
    pub over_lanes: bool,
    /// The moment under the pointer in this frame.
    pub pointed: Option<Instant>,
    /// Parameters being typed: path and text.
    pub typing: Option<(String, String)>,
    /// Whether a slider had the focus in the last frame.
    pub sliding: bool,
    /// What is being put together on the card of a server.
    pub what_if: Option<WhatIf>,
    /// What is being searched among the parameters.
    pub filter: String,
    /// Values at a moment, so that they are read once.
    pub values: BTreeMap<String, ValuesAt>,
    /// Whether the answers of all cards are shown.
    pub teacher: bool,
    /// Whether the score of the lesson is shown.
    pub recap: bool,
    /// The card whose thing pulses, and since when, in seconds.
    pub pulse: Option<(usize, f64)>,
    /// The card whose explanation was begun.
    pub explained: Option<usize>,
    /// The plot that was brought into sight for it.
    pub explains: Option<&'static str>,
    /// The experiment that is being put together, and how it is looked at.
    pub lab: Lab,
}

/// What is being put together on the card of a server, and not made yet.
#[derive(Clone, PartialEq, Debug)]
pub struct WhatIf {
    /// The path of the server.
    pub path: String,
    /// What is to be changed.
    pub edits: Vec<Edit>,
    /// What was asked about last: of which branch, when, with which changes.
    pub asked: Option<(usize, Instant, Vec<Edit>)>,
}

/// Parameters read at a moment of a branch.
pub struct ValuesAt {
    /// Which branch, and when.
    pub key: (usize, Instant, usize),
    /// Rows: path, key row number, value.
    pub rows: Vec<(String, usize, Option<String>)>,
}

/// Scratch of the panel of experiments.
#[derive(Default)]
pub struct Lab {
    /// What is being put together; `None` before anybody has touched it.
    pub draft: Option<Draft>,
    /// Whether it can be seen although there are results.
    pub open: bool,
    /// For which field something is being picked.
    pub picking: Option<Field>,
    /// What is being searched there.
    pub filter: String,
    /// Number of the measure that is looked at.
    pub measure: usize,
    /// Whether differences are drawn in place of means.
    pub differences: bool,
    /// Whether all pairs are listed.
    pub pairs: bool,
}
