//! A picture of what is known, for a screen of any size.
//!
//! | file | draws |
//! |---|---|
//! | `plan` | nothing: it says what goes where, and what is left out of small screens |
//! | `look` | nothing: colours, bars, and texts cut to their place |
//! | `axis` | nothing: which stretch of time a column stands for; the hours below |
//! | `header` | clock, state and key figures |
//! | `rates` | requests per second |
//! | `servers` | what each server was and is like |
//! | `story` | the event log |
//! | `help` | the keys |

mod axis;
mod header;
mod help;
mod look;
mod plan;
mod rates;
mod servers;
mod story;

use self::axis::Axis;
use self::look::{Look, WEAK, cut, width};
use self::plan::Plan;
use super::app::{App, label};
use ratatui_core::buffer::Buffer;
use ratatui_core::layout::Rect;
use ratatui_core::style::{Color, Style};
use sim_core::time::Instant;
use sim_playback::{BranchReport, View};

/// Columns and lines below which nothing can be read.
const LEAST: (u16, u16) = (40, 10);

/// What every part of the picture reads.
struct Scene<'a> {
    app: &'a App,
    view: &'a View,
    branch: &'a BranchReport,
    look: Look,
}

/// Draws what is known.
pub(super) fn draw(app: &App, colours: bool, buffer: &mut Buffer) {
    let area = *buffer.area();
    let look = Look { colours };
    if area.width < LEAST.0 || area.height < LEAST.1 {
        let (columns, lines) = LEAST;
        for (y, text) in [
            format!("{}x{} is too small:", area.width, area.height),
            format!("{columns}x{lines} at least"),
        ]
        .iter()
        .enumerate()
        .take(usize::from(area.height))
        {
            put(
                buffer,
                (area.x, area.y + y as u16),
                area.width,
                text,
                Style::new(),
            );
        }
        return;
    }
    let Some((view, branch)) = app.shown() else {
        let text = waiting(app);
        return put(buffer, (area.x, area.y), area.width, &text, Style::new());
    };
    let scene = Scene {
        app,
        view,
        branch,
        look,
    };
    if app.help {
        return help::draw(&scene, area, buffer);
    }
    let plan = Plan::of(&scene, area);
    header::draw(&scene, plan.header, buffer);
    let axis = Axis::of(&scene, &plan);
    rates::draw(&scene, &plan, &axis, buffer);
    axis.draw(&scene, &plan, buffer);
    servers::draw(&scene, &plan, &axis, buffer);
    story::strip(&scene, &plan, &axis, buffer);
    story::list(&scene, plan.story, buffer);
    foot(&scene, plan.foot, buffer);
}

/// Why there is nothing to see yet.
fn waiting(app: &App) -> String {
    let on_the_way = app.report.as_ref().and_then(|report| {
        let branch = report.branches.first()?;
        Some((branch, report.transport.goal, branch.explored))
    });
    match on_the_way {
        Some((branch, goal, explored)) if goal > Instant::ZERO => {
            let label = |at| label(at, branch.model.clock);
            format!(
                "{}: simulated to {}, on the way to {} …",
                app.name,
                label(explored),
                label(goal)
            )
        }
        _ => format!("{}: simulating the first moment …", app.name),
    }
}

/// What came of the run, once it is over, in at most three lines.
fn closing(scene: &Scene<'_>, columns: u16) -> Vec<String> {
    let most = if scene.view.end.is_some() { 3 } else { 0 };
    let mut lines = look::wrapped(&scene.app.verdict(), columns);
    if lines.len() > most && most > 0 {
        let rest = lines.split_off(most - 1).join(" ");
        lines.push(cut(&rest, columns));
    }
    lines.truncate(most);
    lines
}

/// The keys that are needed most; at the end of the run, what came of it.
fn foot(scene: &Scene<'_>, area: Rect, buffer: &mut Buffer) {
    let mut area = area;
    for line in closing(scene, area.width) {
        put(
            buffer,
            (area.x, area.y),
            area.width,
            &line,
            scene.look.bold(None),
        );
        area = below(area, 1);
    }
    let playing = scene
        .app
        .report
        .as_ref()
        .is_some_and(|report| report.transport.playing);
    let play = if playing { "pause" } else { "play" };
    let keys = [
        ("Space", play),
        ("←→", "10 s"),
        (", .", "event"),
        ("[ ]", "speed"),
        ("Z", "zoom"),
        ("?", "keys"),
        ("Q", "leave"),
    ];
    let mut x = area.x;
    for (key, does) in keys {
        let long = width(key) + 1 + width(does);
        if x + long > area.right() {
            break;
        }
        put(
            buffer,
            (x, area.y),
            area.right() - x,
            key,
            scene.look.bold(None),
        );
        x += width(key) + 1;
        put(buffer, (x, area.y), area.right() - x, does, WEAK);
        x += width(does) + 3;
    }
}

/// Writes a text into a place of so many columns; what does not fit is cut, and says so.
fn put(buffer: &mut Buffer, (x, y): (u16, u16), columns: u16, text: &str, style: Style) {
    if columns > 0 && y < buffer.area().bottom() {
        let text = cut(text, columns);
        buffer.set_stringn(x, y, text, usize::from(columns), style);
    }
}

/// The same, flush right.
fn put_right(buffer: &mut Buffer, (x, y): (u16, u16), columns: u16, text: &str, style: Style) {
    let long = width(text).min(columns);
    put(buffer, (x + columns - long, y), long, text, style);
}

/// An area without its first lines.
fn below(area: Rect, lines: u16) -> Rect {
    let lines = lines.min(area.height);
    Rect::new(area.x, area.y + lines, area.width, area.height - lines)
}

/// Colours of what is fine, doubtful and wrong; those of the terminal's own scheme.
const GOOD: Color = Color::Green;
const DOUBT: Color = Color::Yellow;
const BAD: Color = Color::Red;
/// What people did.
const PEOPLE: Color = Color::Cyan;
