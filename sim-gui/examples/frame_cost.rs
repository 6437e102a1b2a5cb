//! What a picture costs the screen's thread, and how long a jump in time takes.
//!
//! ```text
//! cargo run --release -p sim-gui --example frame_cost
//! ```
//!
//! Pictures are laid out and cut into triangles as for a real screen, without one. The fleet has
//! 100 servers; a picture of plots with 10 000 points each is measured apart, since a run has at
//! most 2 048 rows.

#![allow(clippy::print_stdout, reason = "a measurement is printed")]
#![allow(clippy::disallowed_methods, reason = "a measurement reads the clock")]

use eframe::egui::{self, Rect, vec2};
use egui_kittest::Harness;
use sim_core::metric::Unit;
use sim_core::scenario::{NoFiles, Scenario, Source};
use sim_core::time::Instant;
use sim_gui::command::Command;
use sim_gui::playback::deck::Deck;
use sim_gui::plot::{self, Curve, Dash, Plot};
use sim_gui::{App, MODELS, Opening, theme};
use std::time::{Duration, Instant as Wall};

const FLEET: &str = r#"
horizon = "20m"
[[traffic]]
to = "web"
rate = 5000
[client]
timeout = "3s"
[service.web]
demand = { kind = "exponential", mean = "70ms" }
[service.web.balancer]
policy = "random"
[[service.web.server]]
name = "web"
count = 100
workers = 4
queue = { limit = 60 }
"#;

fn main() {
    pictures();
    plots();
    jumps();
}

fn median(mut times: Vec<Duration>) -> (f64, f64) {
    times.sort();
    let ms = |at: usize| times[at.min(times.len() - 1)].as_secs_f64() * 1e3;
    (ms(times.len() / 2), ms(times.len() * 95 / 100))
}

/// A whole window of 100 servers, at the end of the run.
fn pictures() {
    let mut harness = Harness::builder()
        .with_size([1280.0, 800.0])
        .build_eframe(|cc| {
            let opening = Opening {
                scenario: Some("first".to_owned()),
                sliced: true,
                ..Opening::default()
            };
            App::new(&cc.egui_ctx, opening)
        });
    harness
        .state_mut()
        .perform(Command::OpenText(FLEET.to_owned()));
    let settled = |harness: &Harness<'_, App>| {
        let report = harness.state().state().report.as_ref();
        report.is_some_and(|report| report.settled && report.branches[0].finished)
    };
    harness.run_steps(2);
    harness
        .state_mut()
        .perform(Command::Seek(Instant(600_000_000_000)));
    harness.state_mut().perform(Command::Reveal);
    while !settled(&harness) {
        harness.run_steps(1);
    }
    harness.run_steps(5);
    let (mut layout, mut triangles) = (Vec::new(), Vec::new());
    for _ in 0..120 {
        let begun = Wall::now();
        harness.run_steps(1);
        layout.push(begun.elapsed());
        let shapes = harness.output().shapes.clone();
        let begun = Wall::now();
        let meshes = harness.ctx.tessellate(shapes, 1.0);
        triangles.push(begun.elapsed());
        assert!(!meshes.is_empty());
    }
    let ((a, a95), (b, b95)) = (median(layout), median(triangles));
    println!(
        "100 servers, three plots: layout {a:.2} ms (95 %: {a95:.2}), triangles {b:.2} ms (95 %: {b95:.2})"
    );
}

/// Three plots of 10 000 points.
fn plots() {
    let ctx = egui::Context::default();
    theme::install(&ctx);
    let wave = |phase: f32| {
        (0..10_000)
            .map(|i| 50.0 + 40.0 * (i as f32 * 0.01 + phase).sin())
            .collect()
    };
    let curve = |phase: f32| Curve {
        label: "wave".to_owned(),
        colour: theme::DARK.accent,
        dash: Dash::Solid,
        values: wave(phase),
        now: Some(1.0),
        beside: false,
    };
    let mut times = Vec::new();
    for _ in 0..60 {
        let plots: Vec<Plot<'_>> = (0..3)
            .map(|i| Plot {
                title: "wave",
                unit: Unit::Hertz,
                log: false,
                curves: vec![curve(i as f32)],
                limits: Vec::new(),
                down: Vec::new(),
                marks: Vec::new(),
                now: Some(0.5),
                hovered: None,
                pointed: None,
                fork: None,
                start: 0.0,
                row: 1e-4,
                times: Vec::new(),
                accent: false,
            })
            .collect();
        let begun = Wall::now();
        let mut output = ctx.run_ui(egui::RawInput::default(), |ui| {
            for (i, plot) in plots.iter().enumerate() {
                let rect =
                    Rect::from_min_size(egui::pos2(0.0, 160.0 * i as f32), vec2(400.0, 150.0));
                plot::draw(ui.painter(), rect, plot, &theme::DARK);
            }
        });
        output.textures_delta.clear();
        let meshes = ctx.tessellate(std::mem::take(&mut output.shapes), 1.0);
        times.push(begun.elapsed());
        assert!(!meshes.is_empty());
    }
    let (m, m95) = median(times);
    println!("three plots of 10 000 points: {m:.2} ms (95 %: {m95:.2})");
}

/// Jumps to moments all over the incident.
fn jumps() {
    let source = MODELS
        .find("incident")
        .unwrap_or_else(|| Source::new("", ""));
    let Ok(scenario) = Scenario::read(source, &[], &NoFiles) else {
        return;
    };
    let Ok(mut deck) = Deck::new(scenario, 0, sim_gui::playback::worker::BUDGET) else {
        return;
    };
    while deck.work(&mut || false) {}
    let mut times = Vec::new();
    for i in 0..60_u64 {
        let at = Instant(deck.horizon().0 / 60 * ((i * 37) % 60) + 17_000_000_000);
        let begun = Wall::now();
        deck.seek(at);
        deck.finish_seeking();
        let views = deck.views();
        times.push(begun.elapsed());
        assert_eq!(views[0].at, at);
    }
    let frames = deck.branches()[0].frames();
    let (m, _) = median(times.clone());
    let worst = times.iter().max().map_or(0.0, |t| t.as_secs_f64() * 1e3);
    println!(
        "jumps within the incident: median {m:.0} ms, worst {worst:.0} ms; {} key frames, {} MB",
        frames.len(),
        frames.bytes() >> 20
    );
}
