//! The layout, without a display: no text lies upon another, and none is cut without an ellipsis, whatever is shown and
//! however wide the window.

use crate::screen::{opening, perform, settle, window};
use eframe::egui::{Pos2, Rect, Shape, vec2};
use egui_kittest::{Harness, kittest::Queryable as _};
use sim_gui::command::Command;
use sim_gui::playback::Edit;
use sim_gui::{App, Opening};
use std::fmt::Write as _;

/// Services one behind the other, each with as many servers; all names are long.
fn tiers(tiers: usize, servers: usize) -> String {
    let name = |tier: usize| format!("recommendation-service-tier-{tier}");
    let mut text = format!(
        "title = \"A scenario with a long title, and names that are long as well\"\n\
         horizon = \"4m\"\nclock = \"08:00\"\n[[traffic]]\nname = \"visitors-from-everywhere\"\n\
         to = \"{}\"\nrate = 60\n",
        name(1)
    );
    for tier in 1..=tiers {
        let service = name(tier);
        let _ = write!(
            text,
            "[service.{service}]\ndemand = \"5ms\"\n[service.{service}.balancer]\nmax_connections = 4000\n\
             [[service.{service}.server]]\nname = \"{service}-eu-central\"\ncount = {servers}\nworkers = 2\n\
             queue = {{ limit = 1000 }}\nmemory = {{ base = \"512MiB\", per_in_service = \"4MiB\", per_queued = \"128KiB\", \
             per_abandoned = \"64KiB\", limit = \"2GiB\" }}\n"
        );
        if tier < tiers {
            let to = name(tier + 1);
            let _ = write!(
                text,
                "[[service.{service}.call]]\nto = \"{to}\"\nat = \"after\"\n"
            );
        }
    }
    text
}

/// A text on the screen: what it says, where it is, and what of that is seen.
struct Seen {
    words: String,
    place: Rect,
    clip: Rect,
}

fn texts(harness: &Harness<'_, App>) -> Vec<Seen> {
    fn walk(shape: &Shape, clip: Rect, found: &mut Vec<Seen>) {
        match shape {
            Shape::Vec(shapes) => shapes.iter().for_each(|shape| walk(shape, clip, found)),
            Shape::Text(text) => {
                for row in &text.galley.rows {
                    let place = row.rect().translate(text.pos.to_vec2());
                    let words = row.text();
                    if !words.trim().is_empty() && clip.intersect(place).is_positive() {
                        found.push(Seen {
                            words: words.trim().to_owned(),
                            place,
                            clip,
                        });
                    }
                }
            }
            _ => {}
        }
    }
    let mut found = Vec::new();
    for clipped in &harness.output().shapes {
        walk(&clipped.shape, clipped.clip_rect, &mut found);
    }
    found
}

/// Texts of what is drawn last, which lies over all else, that lie upon one another within a rectangle.
pub(crate) fn texts_within(harness: &Harness<'_, App>, place: Rect) -> Vec<String> {
    let inside = |seen: &Seen| place.contains_rect(seen.place.shrink(1.0));
    let mut texts: Vec<Seen> = texts(harness).into_iter().filter(inside).collect();
    // What it lies upon was drawn before it: from its title on.
    let title = texts
        .iter()
        .rposition(|seen| seen.words.starts_with("What if, from"));
    texts.drain(..title.unwrap_or(0));
    let mut wrong = Vec::new();
    for (i, one) in texts.iter().enumerate() {
        for other in &texts[..i] {
            let both = one.place.shrink(1.0).intersect(other.place.shrink(1.0));
            if both.width() > 1.5 && both.height() > 3.0 {
                wrong.push(format!("{:?} lies upon {:?}", one.words, other.words));
            }
        }
    }
    wrong
}

/// What is wrong with the texts on the screen; `wide`: the picture may be moved sideways under its frame.
fn wrong(harness: &Harness<'_, App>, wide: bool) -> Vec<String> {
    let texts = texts(harness);
    let screen = Rect::from_min_size(Pos2::ZERO, harness.ctx.content_rect().size());
    let mut wrong = Vec::new();
    for (i, one) in texts.iter().enumerate() {
        // A pixel of a letter's box is empty.
        let seen = one.place.shrink(1.0).intersect(one.clip);
        let cut = one.place.left() < one.clip.left() - 2.0
            || one.place.right() > one.clip.right().min(screen.right()) + 2.0;
        // What is scrolled downwards or sideways is cut at the edge of its frame, and moves on.
        if cut && !wide {
            wrong.push(format!(
                "{:?} is cut: {:?} in {:?}",
                one.words, one.place, one.clip
            ));
        }
        for other in &texts[..i] {
            let both = seen.intersect(other.place.shrink(1.0).intersect(other.clip));
            if both.width() > 1.5 && both.height() > 3.0 {
                wrong.push(format!(
                    "{:?} lies upon {:?} at {both:?}",
                    one.words, other.words
                ));
            }
        }
    }
    wrong
}

pub(crate) const WIDTHS: [(f32, f32); 6] = [
    (390.0, 844.0),
    (900.0, 560.0),
    (1280.0, 800.0),
    (1440.0, 900.0),
    (1920.0, 1080.0),
    (2560.0, 1440.0),
];

/// Looks at a window in every width.
fn in_every_width(harness: &mut Harness<'static, App>, what: &str, all: &mut Vec<String>) {
    for (width, height) in WIDTHS {
        harness.set_size(vec2(width, height));
        harness.run_steps(6);
        let middle = (width - 246.0 - 404.0).max(330.0);
        let found = wrong(harness, middle < 1500.0 && what.starts_with("deep"));
        all.extend(
            found
                .into_iter()
                .take(4)
                .map(|words| format!("{what}, {width}: {words}")),
        );
    }
}

fn check(tiers_: usize) {
    let mut all = Vec::new();
    let mut harness = window(opening("first"));
    for servers in [1, 2, 8, 400] {
        let text = tiers(tiers_, servers);
        harness.state_mut().perform(Command::OpenText(text));
        harness.run_steps(2);
        settle(&mut harness);
        assert!(harness.state().state().problems.is_none(), "it runs");
        perform(&mut harness, Command::SeekBy(60.0));
        let depth = if tiers_ > 1 { "deep" } else { "flat" };
        let what = format!("{depth}, {tiers_} tiers of {servers}");
        in_every_width(&mut harness, &what, &mut all);
    }
    assert!(all.is_empty(), "{} wrong:\n{}", all.len(), all.join("\n"));
}

#[test]
fn one_tier_fits_every_window() {
    check(1);
}

#[test]
fn three_tiers_fit_every_window() {
    check(3);
}

#[test]
fn six_tiers_fit_every_window() {
    check(6);
}

#[test]
fn two_futures_fit_every_window() {
    let mut all = Vec::new();
    let mut harness = window(Opening {
        at: Some("12:25".to_owned()),
        ..opening("incident")
    });
    let edit = Edit::set("service.web.server.web-1.weight", "3");
    perform(&mut harness, Command::Edit(edit));
    perform(&mut harness, Command::SeekBy(20.0 * 60.0));
    in_every_width(&mut harness, "two futures", &mut all);
    perform(&mut harness, Command::Director);
    in_every_width(&mut harness, "two futures and a director", &mut all);
    perform(&mut harness, Command::Director);
    for lane in ["server web/web-3", "alert slow"] {
        perform(&mut harness, Command::Pin(lane.to_owned()));
    }
    in_every_width(&mut harness, "two futures and pinned lanes", &mut all);
    assert!(all.is_empty(), "{} wrong:\n{}", all.len(), all.join("\n"));
}

#[test]
fn the_opening_scene_fits_every_window_and_leads_on() {
    let mut all = Vec::new();
    let mut harness = window(Opening {
        scenario: None,
        ..opening("incident")
    });
    assert!(harness.state().state().welcome);
    let question =
        "How does one wrong number in a balancer's settings take a whole site offline, for hours?";
    assert!(harness.query_by_label(question).is_some());
    in_every_width(&mut harness, "opening scene", &mut all);
    assert!(all.is_empty(), "{} wrong:\n{}", all.len(), all.join("\n"));
    // The picture moves, and stops before the first question: nothing of what is asked is told.
    let playing = |harness: &Harness<'_, App>| {
        let report = harness.state().state().report.as_ref();
        report.expect("a report").transport.playing
    };
    assert!(playing(&harness));
    let mut frames = 0;
    while playing(&harness) {
        harness.run_steps(5);
        frames += 1;
        assert!(frames < 20_000, "it stops by itself");
    }
    settle(&mut harness);
    let at = harness.state().state().label(harness.state().state().now());
    assert_eq!(at, "12:19:48");
    harness.get_by_label("Take the lesson").click();
    harness.run_steps(3);
    let state = harness.state().state();
    assert!(!state.welcome && state.settings.is_open("lesson"));
    assert!(playing(&harness));
    // It is not shown to whoever asks for something.
    assert!(!window(opening("incident")).state().state().welcome);
}

#[test]
fn a_lesson_fits_every_window() {
    let mut all = Vec::new();
    let mut harness = window(Opening {
        at: Some("12:25:20".to_owned()),
        ..opening("incident")
    });
    perform(&mut harness, Command::Panel("lesson"));
    in_every_width(&mut harness, "question", &mut all);
    perform(&mut harness, Command::ClassMode);
    in_every_width(&mut harness, "before a class", &mut all);
    perform(&mut harness, Command::ClassMode);
    perform(&mut harness, Command::Answer(1, 2, true));
    perform(&mut harness, Command::SeekBy(6.0 * 60.0));
    perform(&mut harness, Command::SeekBy(-45.0));
    in_every_width(&mut harness, "explained", &mut all);
    assert!(all.is_empty(), "{} wrong:\n{}", all.len(), all.join("\n"));
}

#[test]
fn the_gallery_fits_every_window() {
    let mut all = Vec::new();
    let mut harness = window(opening("first"));
    perform(&mut harness, Command::Panel("gallery"));
    harness.run_steps(200);
    in_every_width(&mut harness, "gallery", &mut all);
    assert!(all.is_empty(), "{} wrong:\n{}", all.len(), all.join("\n"));
    // By level.
    let count = |harness: &Harness<'_, App>| harness.query_all_by_label_contains("open ").count();
    let every = count(&harness);
    harness.get_by_label_contains("first steps (").click();
    harness.run_steps(4);
    assert!((5..every / 2).contains(&count(&harness)), "{every}");
    assert!(harness.query_by_label_contains("open mm1: ").is_none());
}

#[test]
fn the_day_is_watched_without_questions() {
    let mut harness = window(Opening {
        scenario: None,
        ..opening("incident")
    });
    harness.get_by_label("Watch the day").click();
    harness.run_steps(3);
    let state = harness.state().state();
    assert!(!state.welcome && !state.settings.is_open("lesson"));
    assert!(state.report.as_ref().expect("a report").transport.playing);
}
