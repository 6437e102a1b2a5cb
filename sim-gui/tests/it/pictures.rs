//! Pictures of the window, drawn without a graphics driver and compared with those that were
//! looked at: the incident at its moments, light and dark, and every panel.
//!
//! A picture differs when more than a few of its pixels do. `UPDATE_PICTURES=1` writes them anew;
//! look at them before they are committed.

use crate::raster::{Image, Textures};
use crate::screen::settle;
use eframe::egui::Theme;
use egui_kittest::{Harness, kittest::Queryable as _};
use sim_gui::command::Command;
use sim_gui::experiment::{Draft, Experiment};
use sim_gui::panel::PANELS;
use sim_gui::playback::Edit;
use sim_gui::settings::{Looks, Settings};
use sim_gui::{App, Opening};
use std::fs;
use std::path::{Path, PathBuf};

const SIZE: [usize; 2] = [1280, 800];
/// As small as a window is made, and a large one.
const NARROW: [usize; 2] = [900, 640];
const WIDE: [usize; 2] = [1680, 960];
const LARGE: [usize; 2] = [1920, 1080];
const PHONE: [usize; 2] = [390, 844];
/// Both looks, with what pictures in them are called.
const DARK_AND_LIGHT: [(Looks, &str); 2] = [(Looks::Dark, "dark"), (Looks::Light, "light")];
/// What is looked at by both, with what pictures of it are called.
const DESK_AND_PHONE: [(Looks, [usize; 2], &str); 3] = [
    (Looks::Dark, SIZE, "dark"),
    (Looks::Light, SIZE, "light"),
    (Looks::Dark, PHONE, "phone"),
];
/// A pixel differs when one of its colours does by more than this.
const FAR: u8 = 40;
/// Share of pixels that may differ: corners of letters, on another processor.
const FEW: f64 = 0.001;

struct Window {
    harness: Harness<'static, App>,
    textures: Textures,
    size: [usize; 2],
}

impl Window {
    fn open(scenario: &str, looks: Looks) -> Self {
        Self::sized(scenario, looks, SIZE)
    }

    fn sized(scenario: &str, looks: Looks, size: [usize; 2]) -> Self {
        Self::begun(Some(scenario), looks, size)
    }

    /// The opening scene.
    fn scene(looks: Looks, size: [usize; 2]) -> Self {
        Self::begun(None, looks, size)
    }

    fn begun(scenario: Option<&str>, looks: Looks, size: [usize; 2]) -> Self {
        let textures = Textures::default();
        let opening = Opening {
            scenario: scenario.map(str::to_owned),
            settings: Settings {
                looks,
                ..Settings::default()
            },
            sliced: true,
            ..Opening::default()
        };
        let mut harness = Harness::builder()
            .with_size([size[0] as f32, size[1] as f32])
            .with_max_steps(8)
            .with_theme(if looks == Looks::Light {
                Theme::Light
            } else {
                Theme::Dark
            })
            .renderer(textures.clone())
            .build_eframe(move |cc| App::new(&cc.egui_ctx, opening));
        settle(&mut harness);
        Self {
            harness,
            textures,
            size,
        }
    }

    fn perform(&mut self, command: Command) {
        self.harness.state_mut().perform(command);
        self.harness.run_steps(3);
        settle(&mut self.harness);
    }

    fn go(&mut self, at: &str) {
        let moment = sim_gui::dialog::moment(self.harness.state().state(), at).expect("a moment");
        self.perform(Command::Seek(moment));
    }

    /// Waits until every branch is simulated to its end, so that nothing on screen says how far.
    fn explored(&mut self) {
        loop {
            self.harness.run_steps(1);
            let report = self
                .harness
                .state()
                .state()
                .report
                .as_ref()
                .expect("a report");
            if report.branches.iter().all(|branch| branch.finished) {
                self.harness.run_steps(3);
                return;
            }
        }
    }

    /// Waits until the experiment is over. How long it took is a digit or two of the picture.
    fn finished(&mut self) {
        while self
            .harness
            .state()
            .state()
            .experiment
            .as_ref()
            .is_some_and(Experiment::is_running)
        {
            self.harness.run_steps(1);
        }
        self.harness.run_steps(3);
    }

    fn picture(&self) -> Image {
        let shapes = self.harness.output().shapes.clone();
        half(&self.textures.draw(&self.harness.ctx, shapes, self.size))
    }
}

/// Half the size, which is enough to see what changed: each pixel the mean of four.
fn half(image: &Image) -> Image {
    let [width, height] = [image.size[0] / 2, image.size[1] / 2];
    let mean = |at: usize| {
        let corner = (at / width * 2) * image.size[0] + at % width * 2;
        let four = [0, 1, image.size[0], image.size[0] + 1].map(|step| image.pixels[corner + step]);
        [0, 1, 2].map(|i| (four.iter().map(|pixel| u32::from(pixel[i])).sum::<u32>() / 4) as u8)
    };
    Image {
        size: [width, height],
        pixels: (0..width * height).map(mean).collect(),
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/pictures")
}

fn write(path: &Path, image: &Image) {
    let file = fs::File::create(path).expect("a writable folder");
    let mut encoder = png::Encoder::new(file, image.size[0] as u32, image.size[1] as u32);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_compression(png::Compression::High);
    let mut writer = encoder.write_header().expect("a header");
    writer
        .write_image_data(image.pixels.as_flattened())
        .expect("an image");
}

fn read(path: &Path) -> Option<Vec<u8>> {
    let file = std::io::BufReader::new(fs::File::open(path).ok()?);
    let mut reader = png::Decoder::new(file).read_info().ok()?;
    let mut bytes = vec![0; reader.output_buffer_size()?];
    reader.next_frame(&mut bytes).ok()?;
    Some(bytes)
}

/// Compares with the picture of this name; what is wrong, if anything.
fn compare(name: &str, image: &Image) -> Option<String> {
    let path = folder().join(format!("{name}.png"));
    if std::env::var_os("UPDATE_PICTURES").is_some() {
        fs::create_dir_all(folder()).expect("a writable folder");
        write(&path, image);
        return None;
    }
    let Some(known) = read(&path) else {
        return Some(format!("{name}: there is no such picture"));
    };
    let new = image.pixels.as_flattened();
    if known.len() != new.len() {
        return Some(format!("{name}: another size"));
    }
    let far = |(a, b): (&[u8], &[u8])| a.iter().zip(b).any(|(a, b)| a.abs_diff(*b) > FAR);
    let differing = known
        .chunks(3)
        .zip(new.chunks(3))
        .filter(|pair| far(*pair))
        .count();
    let share = differing as f64 / (known.len() / 3) as f64;
    (share > FEW).then(|| {
        write(&folder().join(format!("{name}.new.png")), image);
        format!(
            "{name}: {:.2} % of the pixels differ, see {name}.new.png",
            share * 100.0
        )
    })
}

/// The incident's moments, by what happens there.
const MOMENTS: [(&str, &str); 8] = [
    ("1-quiet", "12:15"),
    ("2-slow", "12:20"),
    ("3-skew", "12:25"),
    ("4-down", "12:30:50"),
    ("5-called", "12:35"),
    ("6-cause", "12:40"),
    ("7-corrected", "13:20"),
    ("8-cold", "14:10"),
];

#[test]
fn the_incident_looks_as_it_did() {
    let mut wrong = Vec::new();
    let mut window = Window::open("incident", Looks::Dark);
    window.explored();
    for (name, at) in MOMENTS {
        window.go(at);
        wrong.extend(compare(&format!("incident-{name}-dark"), &window.picture()));
    }
    window.perform(Command::Director);
    window.go("12:30:08");
    wrong.extend(compare("director-dark", &window.picture()));
    window.perform(Command::Theme);
    wrong.extend(compare("director-light", &window.picture()));
    window.perform(Command::Director);
    for (name, at) in MOMENTS {
        window.go(at);
        wrong.extend(compare(
            &format!("incident-{name}-light"),
            &window.picture(),
        ));
    }
    window.go("12:25");
    window.perform(Command::Edit(Edit::set(
        "service.web.server.web-1.weight",
        "3",
    )));
    window.explored();
    window.go("12:45");
    wrong.extend(compare("futures-light", &window.picture()));
    window.perform(Command::Theme);
    wrong.extend(compare("futures-dark", &window.picture()));
    // The crosshair with its table, in a stretch that is shown larger in the lanes as well.
    let moment = |minutes: u64| sim_core::time::Instant(minutes * 60_000_000_000);
    window.perform(Command::Zoom(Some((moment(8), moment(40)))));
    let plot = window
        .harness
        .get_by_label("plot: Requests/s to servers")
        .rect();
    window.harness.hover_at(plot.center());
    window.harness.run_steps(8);
    wrong.extend(compare("crosshair-dark", &window.picture()));
    window.perform(Command::Theme);
    window.harness.run_steps(4);
    wrong.extend(compare("crosshair-light", &window.picture()));
    window.perform(Command::Theme);
    // A stretch that is measured, with pinned lanes.
    window.harness.remove_cursor();
    window.perform(Command::Zoom(None));
    for lane in ["server web/web-1", "balancer web-lb-1"] {
        window.perform(Command::Pin(lane.to_owned()));
    }
    window.perform(Command::Mark(Some((moment(16), moment(36)))));
    window.harness.run_steps(4);
    wrong.extend(compare("measured-dark", &window.picture()));
    window.perform(Command::Theme);
    wrong.extend(compare("measured-light", &window.picture()));
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn a_lesson_looks_as_it_did() {
    let mut wrong = Vec::new();
    for (looks, size, suffix) in DESK_AND_PHONE {
        let mut window = Window::sized("incident", looks, size);
        window.perform(Command::Panel("lesson"));
        window.explored();
        window.go("12:25:12");
        // Until what is asked about no longer pulses.
        window.harness.run_steps(30);
        wrong.extend(compare(
            &format!("lesson-asked-{suffix}"),
            &window.picture(),
        ));
        if suffix == "light" {
            window.perform(Command::ClassMode);
            for (answer, votes) in [4, 9, 11].into_iter().enumerate() {
                for _ in 0..votes {
                    window.perform(Command::Vote(1, answer, true));
                }
            }
            window.harness.run_steps(30);
            wrong.extend(compare("lesson-class-light", &window.picture()));
            window.perform(Command::ClassMode);
        }
        let rights = [1, 2, 0, 2, 2, 1];
        for (card, answer) in rights.into_iter().enumerate() {
            window.perform(Command::Answer(card, answer, true));
        }
        window.go("14:44");
        window.perform(Command::Continue);
        wrong.extend(compare(
            &format!("lesson-score-{suffix}"),
            &window.picture(),
        ));
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_card_of_a_server_looks_as_it_did() {
    let mut wrong = Vec::new();
    for (looks, size, suffix) in DESK_AND_PHONE {
        let mut window = Window::sized("incident", looks, size);
        window.explored();
        window.go("12:25");
        window.perform(Command::Select(Some(sim_gui::state::Thing::Server(0))));
        let field = "what if service.web.server.web-1.weight";
        window.harness.get_by_label(field).focus();
        window.harness.run_steps(2);
        let select_all = eframe::egui::Modifiers::COMMAND;
        window
            .harness
            .key_press_modifiers(select_all, eframe::egui::Key::A);
        window.harness.run_steps(2);
        window.harness.get_by_label(field).type_text("3");
        window.harness.run_steps(3);
        window.harness.key_press(eframe::egui::Key::Enter);
        window.harness.run_steps(3);
        settle(&mut window.harness);
        wrong.extend(compare(&format!("card-{suffix}"), &window.picture()));
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_opening_scene_looks_as_it_did() {
    let mut wrong = Vec::new();
    let mut window = Window::scene(Looks::Dark, SIZE);
    // Its picture stops by itself.
    let playing = |window: &Window| {
        let report = window.harness.state().state().report.as_ref();
        report.is_some_and(|report| report.transport.playing || !report.settled)
    };
    while playing(&window) {
        window.harness.run_steps(1);
    }
    // What flies is counted from rates that are simulated by then.
    window.explored();
    wrong.extend(compare("opening-dark", &window.picture()));
    window.perform(Command::Theme);
    wrong.extend(compare("opening-light", &window.picture()));
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn several_sources_and_a_breaker_look_as_they_did() {
    let mut wrong = Vec::new();
    for (looks, suffix) in DARK_AND_LIGHT {
        let mut window = Window::open("first", looks);
        window.perform(Command::OpenText(crate::flow::SOURCES.to_owned()));
        window.explored();
        window.perform(Command::Speed(1.0));
        window.go("12:03:20");
        wrong.extend(compare(&format!("sources-{suffix}"), &window.picture()));
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn on_a_large_screen_it_looks_as_it_did() {
    let mut wrong = Vec::new();
    for (looks, suffix) in DARK_AND_LIGHT {
        let mut window = Window::sized("incident", looks, LARGE);
        window.explored();
        window.go("12:30:50");
        wrong.extend(compare(&format!("large-down-{suffix}"), &window.picture()));
        window.go("12:25");
        window.perform(Command::Edit(Edit::set(
            "service.web.server.web-1.weight",
            "3",
        )));
        window.explored();
        window.go("12:45");
        wrong.extend(compare(
            &format!("large-futures-{suffix}"),
            &window.picture(),
        ));
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn on_a_phone_all_stands_in_one_column() {
    let mut wrong = Vec::new();
    let mut window = Window::sized("incident", Looks::Dark, PHONE);
    window.explored();
    window.go("12:25");
    wrong.extend(compare("phone-dark", &window.picture()));
    window.perform(Command::Theme);
    wrong.extend(compare("phone-light", &window.picture()));
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_panel_looks_as_it_did() {
    let mut wrong = Vec::new();
    for (looks, suffix) in DARK_AND_LIGHT {
        let mut window = Window::open("first", looks);
        window.explored();
        window.go("12:10");
        // What is on every picture of the incident needs none of its own.
        let always = ["event_log", "topology", "timeline", "plots", "lesson"];
        let pictured = |name| !always.contains(&name);
        for panel in PANELS.iter().filter(|panel| pictured(panel.name)) {
            window.perform(Command::Panel("topology"));
            window.perform(Command::Panel(panel.name));
            if panel.name == "inspector" {
                window.perform(Command::Select(Some(sim_gui::state::Thing::Server(0))));
                // The card that comes with it has pictures of its own.
                window.perform(Command::Escape);
            }
            if panel.name == "gallery" {
                // Until the pictures of what is seen are made.
                window.harness.run_steps(500);
            }
            wrong.extend(compare(
                &format!("panel-{}-{suffix}", panel.name),
                &window.picture(),
            ));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn forms_questions_and_help_look_as_they_did() {
    let mut wrong = Vec::new();
    for (looks, suffix) in DARK_AND_LIGHT {
        let mut window = Window::open("incident", looks);
        window.explored();
        window.go("12:25");
        window.perform(Command::Panel("scenario"));
        window.harness.get_by_label("Form").click();
        window.harness.run_steps(3);
        wrong.extend(compare(&format!("form-{suffix}"), &window.picture()));
        for (name, command) in [("help", Command::Help), ("palette", Command::Palette)] {
            window.perform(Command::Panel("topology"));
            window.harness.state_mut().perform(command);
            window.harness.run_steps(4);
            wrong.extend(compare(&format!("{name}-{suffix}"), &window.picture()));
            window.harness.key_press(eframe::egui::Key::Escape);
            window.harness.run_steps(3);
        }
        // An answer explained, with the plot that shows it.
        window.perform(Command::Panel("topology"));
        window.perform(Command::Panel("lesson"));
        window.go("12:25:12");
        window.perform(Command::Answer(1, 2, true));
        window.go("12:30:32");
        wrong.extend(compare(&format!("explained-{suffix}"), &window.picture()));
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn experiments_look_as_they_did() {
    let mut wrong = Vec::new();
    for (looks, suffix) in DARK_AND_LIGHT {
        let mut window = Window::open("first", looks);
        window.explored();
        window.perform(Command::Panel("experiments"));
        let mut look = |window: &Window, what: &str| {
            wrong.extend(compare(
                &format!("experiments-{what}-{suffix}"),
                &window.picture(),
            ));
        };
        look(&window, "form");
        let model = window
            .harness
            .state()
            .state()
            .model()
            .expect("a model")
            .clone();
        let scenario = window
            .harness
            .state()
            .state()
            .scenario
            .clone()
            .expect("read");
        let mut map = Draft::load(&model, &scenario);
        map.vary.push(map.next_axis(&model));
        let drafts = [
            ("comparison", Draft::policies(&model)),
            ("lines", Draft::load(&model, &scenario)),
            ("map", map),
        ];
        for (what, mut draft) in drafts {
            draft.replications = "5".to_owned();
            window.perform(Command::Experiment(Box::new(draft)));
            window.finished();
            look(&window, what);
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_doctor_looks_as_it_did() {
    let mut wrong = Vec::new();
    for (looks, suffix) in DARK_AND_LIGHT {
        let mut window = Window::open("first", looks);
        window.perform(Command::OpenText(crate::doctor::SHOP.to_owned()));
        window.explored();
        window.perform(Command::Doctor);
        let running = |window: &Window| {
            let doctor = window.harness.state().state().doctor.as_ref();
            doctor.is_some_and(sim_gui::doctor::Examined::is_running)
        };
        while running(&window) {
            window.harness.run_steps(1);
        }
        window.harness.run_steps(3);
        wrong.extend(compare(&format!("doctor-{suffix}"), &window.picture()));
        let mark = "line 11: weight-skew";
        window.harness.get_by_label_contains(mark).click();
        window.harness.run_steps(4);
        wrong.extend(compare(&format!("doctor-line-{suffix}"), &window.picture()));
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn what_is_watched_looks_as_it_did() {
    let mut wrong = Vec::new();
    let sizes = [
        (Looks::Dark, SIZE, "dark"),
        (Looks::Light, SIZE, "light"),
        (Looks::Dark, NARROW, "narrow"),
        (Looks::Light, WIDE, "wide"),
    ];
    for (looks, size, suffix) in sizes {
        let mut window = Window::sized("first", looks, size);
        window.perform(Command::OpenText(crate::watched::STORM.to_owned()));
        window.explored();
        let mut look = |window: &Window, what: &str| {
            wrong.extend(compare(
                &format!("watched-{what}-{suffix}"),
                &window.picture(),
            ));
        };
        window.go("12:01:27");
        look(&window, "known");
        window.go("12:01:05");
        window.perform(Command::Edit(Edit::set("client.retry", "none")));
        window.explored();
        window.go("12:04");
        look(&window, "futures");
        window.perform(Command::Panel("experiments"));
        window.harness.get_by_label("Point of no return").click();
        window.harness.run_steps(3);
        look(&window, "form");
        let state = window.harness.state().state();
        let mut draft = Draft::deadline(state.model().expect("a model"), state);
        draft.replications = "5".to_owned();
        window.perform(Command::Experiment(Box::new(draft)));
        window.finished();
        window.perform(Command::Show(0, None));
        look(&window, "deadline");
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn a_change_of_the_picture_is_noticed() {
    let mut window = Window::open("first", Looks::Dark);
    window.explored();
    window.go("12:10");
    let before = window.picture();
    window.perform(Command::Theme);
    let after = window.picture();
    let differing = before
        .pixels
        .iter()
        .zip(&after.pixels)
        .filter(|(a, b)| a != b)
        .count();
    assert!(differing > before.pixels.len() / 2, "light is not dark");
    let lit = before
        .pixels
        .iter()
        .filter(|p| p.iter().any(|v| *v > 150))
        .count();
    assert!(lit > 1000, "there is text: {lit}");
}
