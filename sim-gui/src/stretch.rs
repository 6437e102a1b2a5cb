//! The stretch of the run that is marked, and the one that the lanes show: what is asked of them, and the keys that move them.

use crate::app::App;
use crate::command::{Command, LANE_KEYS};
use crate::playback::{Request, View};
use eframe::egui;
use sim_core::time::Instant;

/// How much larger or smaller a key shows the lanes.
const STEP: f64 = 1.4;
/// The share of what is shown by which a key moves them.
const SHIFT: f64 = 0.15;
/// How often a stretch is measured while it is being simulated, about.
const MEASURED: u64 = 16;

/// What is measured: a stretch, the number of changes by then, and the futures with how far each is known in it.
pub(crate) type Measuring = ((Instant, Instant), u64, Vec<(usize, Instant)>);

impl App {
    /// Asks what happened in the marked stretch, once for each stretch of what is shown.
    pub(crate) fn measure(&mut self) {
        // Once it is marked: it is counted where pictures are made, where there are no threads.
        if self
            .ctx
            .input(|i| !i.pointer.any_down() && !i.pointer.any_released())
        {
            self.local.marking = None;
        }
        if self.local.marking.is_some() {
            return;
        }
        let Some((stretch, report)) = self.state.measurable().zip(self.state.report.as_ref())
        else {
            return;
        };
        let known = |view: &View| {
            let branch = report.branches.get(view.branch);
            let explored = branch.map_or(Instant::ZERO, |branch| branch.explored);
            // Where it is still being simulated, a few times on the way.
            let step = ((stretch.1.0 - stretch.0.0) / MEASURED).max(1);
            if explored < stretch.1 {
                Instant(explored.0 / step * step)
            } else {
                stretch.1
            }
        };
        let shown = report.views.iter().map(|view| (view.branch, known(view)));
        let wanted = (stretch, report.edits_seen, shown.collect());
        if self.measured.as_ref() != Some(&wanted)
            && let Some(worker) = &mut self.worker
        {
            worker.send(Request::Measure(stretch.0, stretch.1));
            self.measured = Some(wanted);
        }
    }

    /// Keys that move the lanes.
    pub(crate) fn lane_keys(&self, ctx: &egui::Context, todo: &mut Vec<Command>) {
        // With Shift and the like they are other commands.
        if ctx.input(|i| i.modifiers.any()) {
            return;
        }
        let stretch = self.state.stretch();
        let about = self.state.hovered.unwrap_or_else(|| self.state.now());
        let horizon = self.state.horizon();
        ctx.input_mut(|input| {
            for (key, ..) in LANE_KEYS {
                if !input.consume_key(egui::Modifiers::NONE, key) {
                    continue;
                }
                let shown = match key {
                    egui::Key::W => stretch.closer(about, STEP),
                    egui::Key::S => stretch.closer(about, 1.0 / STEP),
                    egui::Key::A => stretch.later(-SHIFT, horizon),
                    _ => stretch.later(SHIFT, horizon),
                };
                todo.push(Command::Zoom(Some((shown.from, shown.to))));
            }
        });
    }
}
