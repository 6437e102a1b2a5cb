//! Clock, state of the site, and the key figures.

use super::{BAD, DOUBT, GOOD, Scene, WEAK, put, put_right, width};
use ratatui_core::buffer::Buffer;
use ratatui_core::layout::Rect;
use sim_core::event_log;
use sim_playback::transport::speed_words;
use sim_playback::{figures, site_word};

/// Columns below which labels are shortened.
const SHORT: u16 = 110;

/// Draws two lines.
pub(super) fn draw(scene: &Scene<'_>, area: Rect, buffer: &mut Buffer) {
    let Scene {
        app, view, look, ..
    } = scene;
    let right = transport(scene);
    let room = area.width.saturating_sub(width(&right) + 2);
    put(buffer, (area.x, area.y), room, &app.name, look.bold(None));
    let after = width(&app.name) + 3;
    if after < room {
        put(
            buffer,
            (area.x + after, area.y),
            room - after,
            &app.title,
            WEAK,
        );
    }
    put_right(
        buffer,
        (area.x, area.y),
        area.width,
        &right,
        look.bold(None),
    );

    let y = area.y + 1;
    let clock = clock(scene);
    put(buffer, (area.x, y), area.width, &clock, look.bold(None));
    let mut x = area.x + width(&clock) + 2;
    let site = view.site.def();
    let colour = match site.look {
        event_log::Look::Failure => BAD,
        event_log::Look::Recovery => GOOD,
        _ => DOUBT,
    };
    let state = format!("{} {}", site.sign, site_word(view.site));
    put(
        buffer,
        (x, y),
        area.right() - x,
        &state,
        look.bold(Some(colour)),
    );
    x += width(&state) + 3;
    for (label, value) in figures(Some(scene.branch), view) {
        let label = if area.width < SHORT {
            short(label)
        } else {
            label
        };
        let long = width(label) + 1 + width(&value);
        if x + long > area.right() {
            break;
        }
        put(buffer, (x, y), area.right() - x, label, WEAK);
        x += width(label) + 1;
        put(buffer, (x, y), area.right() - x, &value, look.bold(None));
        x += width(&value) + 3;
    }
}

/// A label for a small screen.
fn short(label: &str) -> &str {
    let label = label.trim_end_matches(" now").trim_end_matches(" so far");
    label.trim_start_matches("servers ")
}

/// The moment shown, always as long.
fn clock(scene: &Scene<'_>) -> String {
    let label = scene.app.label(scene.view.at);
    if scene.branch.model.clock.is_some() && label.len() == 5 {
        format!("{label}:00")
    } else {
        label
    }
}

/// The seed, the speed, and whether time runs.
fn transport(scene: &Scene<'_>) -> String {
    let Some(report) = &scene.app.report else {
        return String::new();
    };
    let transport = report.transport;
    // What is on its way is worth a word once it takes longer than the next picture.
    let ahead_s = transport.goal.as_secs_f64() - scene.view.at.as_secs_f64();
    let slow = !transport.playing || ahead_s > transport.speed;
    let state = if !report.settled && slow && transport.goal != scene.view.at {
        format!("… to {}", scene.app.label(transport.goal))
    } else if scene.view.end.is_some() {
        "■ over".to_owned()
    } else if transport.playing {
        "▶ playing".to_owned()
    } else {
        "‖ paused".to_owned()
    };
    let pauses = if transport.pause_at_events {
        ", stops at events"
    } else {
        ""
    };
    let speed = speed_words(transport.speed);
    format!("seed {}  {speed}{pauses}  {state}", scene.view.summary.seed)
}
