//! Stampede's window: pick a model, watch its story, scrub through its day.
//!
//! The engine runs on a thread of its own and hands over a finished [`Run`]; the window only shows
//! figures that the core has computed. Everything here works without a display, for tests.

mod chart;
mod run;

pub use run::{Run, Worker};

use eframe::egui::{self, Color32, RichText};
use sim_core::library::Library;
use sim_core::story::Kind;
use sim_core::time::Instant;

/// Every file below `models/`, embedded when the program was built.
static MODELS: Library = Library::new(include!(concat!(env!("OUT_DIR"), "/models.rs")));

/// The window's state.
pub struct App {
    model: String,
    worker: Worker,
    /// Where the cursor is, in intervals of the time line.
    cursor: usize,
}

impl App {
    /// A window that shows a model by its name.
    pub fn new(model: &str) -> Self {
        Self {
            model: model.to_owned(),
            worker: Worker::start(&MODELS, model),
            cursor: 0,
        }
    }

    /// The finished run, once there is one.
    pub fn run(&self) -> Option<&Run> {
        self.worker.run()
    }

    fn open(&mut self, model: &str) {
        *self = Self::new(model);
    }
}

impl eframe::App for App {
    fn logic(&mut self, ctx: &egui::Context, _: &mut eframe::Frame) {
        if self.worker.poll() {
            self.cursor = self
                .run()
                .map_or(0, |run| run.intervals().saturating_sub(1));
        }
        if self.worker.is_busy() {
            ctx.request_repaint_after(std::time::Duration::from_millis(50));
        }
    }

    fn ui(&mut self, ui: &mut egui::Ui, _: &mut eframe::Frame) {
        let mut chosen = None;
        egui::Panel::left("models")
            .default_size(190.0)
            .show(ui, |ui| {
                ui.heading("Models");
                egui::ScrollArea::vertical().show(ui, |ui| {
                    for name in MODELS.names() {
                        if ui.selectable_label(name == self.model, name).clicked() {
                            chosen = Some(name);
                        }
                    }
                });
            });
        if let Some(name) = chosen {
            self.open(name);
        }
        egui::CentralPanel::default().show(ui, |ui| match self.worker.state() {
            run::State::Running => {
                ui.horizontal(|ui| {
                    ui.spinner();
                    ui.label(format!("simulating {} …", self.model));
                });
            }
            run::State::Failed(problem) => {
                ui.label(RichText::new("This scenario cannot be run").heading());
                ui.label(RichText::new(problem.as_str()).monospace());
            }
            run::State::Done(run) => show_run(ui, run, &mut self.cursor),
        });
    }
}

fn show_run(ui: &mut egui::Ui, run: &Run, cursor: &mut usize) {
    ui.heading(run.title());
    ui.label(run.figures());
    ui.add_space(6.0);
    let last = run.intervals().saturating_sub(1);
    let at = run.instant(*cursor);
    ui.horizontal(|ui| {
        ui.label("Time");
        ui.spacing_mut().slider_width = (ui.available_width() - 90.0).max(80.0);
        ui.add(egui::Slider::new(cursor, 0..=last).show_value(false));
        ui.label(RichText::new(run.label(at)).monospace());
    });
    for series in run.series() {
        chart::show(ui, &series, *cursor);
    }
    ui.add_space(6.0);
    show_servers(ui, run, *cursor);
    ui.add_space(6.0);
    show_story(ui, run, at);
}

/// Servers shown one by one; larger fleets are for the plots.
const SERVERS_SHOWN: usize = 12;

fn show_servers(ui: &mut egui::Ui, run: &Run, cursor: usize) {
    let servers = run.servers(cursor);
    egui::Grid::new("servers")
        .striped(true)
        .num_columns(5)
        .show(ui, |ui| {
            for head in ["server", "state", "attempts/s", "waiting", "busy"] {
                ui.label(RichText::new(head).weak());
            }
            ui.end_row();
            for server in servers.iter().take(SERVERS_SHOWN) {
                ui.label(&server.name);
                // The word tells the state; colour only repeats it.
                let colour = if server.up {
                    ui.visuals().text_color()
                } else {
                    ui.visuals().error_fg_color
                };
                ui.colored_label(colour, server.state);
                ui.monospace(format!("{:.0}", server.attempts_hz));
                ui.monospace(format!("{}", server.queue_len));
                ui.monospace(format!("{:.0} %", server.utilisation * 100.0));
                ui.end_row();
            }
        });
    if servers.len() > SERVERS_SHOWN {
        ui.weak(format!("and {} more", servers.len() - SERVERS_SHOWN));
    }
}

fn show_story(ui: &mut egui::Ui, run: &Run, at: Instant) {
    ui.label(RichText::new("Story").strong());
    egui::ScrollArea::vertical()
        .auto_shrink([false, false])
        .show(ui, |ui| {
            for event in run.story().filter(|event| event.at <= at) {
                ui.horizontal_wrapped(|ui| {
                    ui.monospace(run.label(event.at));
                    let colour = match event.kind {
                        Kind::Crash | Kind::Down => ui.visuals().error_fg_color,
                        Kind::Alert | Kind::Degraded => ui.visuals().warn_fg_color,
                        Kind::Normal | Kind::Up => Color32::from_rgb(0x2E, 0x9E, 0x6B),
                        _ => ui.visuals().text_color(),
                    };
                    ui.colored_label(colour, event.kind.name());
                    // An empty label would still be a word for the wrapping, and overlap its neighbours.
                    if !event.subject.is_empty() {
                        ui.label(&event.subject);
                    }
                    ui.weak(&event.cause);
                });
            }
        });
}
