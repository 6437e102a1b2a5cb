//! Pictures of a watched run, and what keys do.

use super::app::{App, Next};
use super::draw::draw;
use super::keys::KEYS;
use crate::exit::Exit;
use crate::input::Input;
use ratatui_core::backend::TestBackend;
use ratatui_core::terminal::Terminal;
use ratatui_crossterm::crossterm::event::{Event, KeyCode, KeyEvent, KeyModifiers};
use sim_core::engine::Simulation;
use sim_core::export;
use sim_core::readable;
use sim_core::scenario::{Scenario, Source};
use sim_core::summary::Summary;
use sim_core::time::{Clock, Duration as Span, Instant};
use sim_playback::Request;
use sim_playback::worker::{Sliced, Worker};
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

fn scenario(text: &str) -> Scenario {
    let input = if text.contains('\n') {
        Input::alone(Source {
            name: "test.toml".to_owned(),
            text: text.to_owned(),
        })
    } else {
        Input::open(text, &[]).expect("a model that comes with the program")
    };
    input.scenario(&[]).expect("a scenario")
}

/// A run that is watched, step by step.
struct Watched {
    app: App,
    playback: Sliced,
}

impl Watched {
    fn of(scenario: Scenario) -> Self {
        let app = App::new(scenario.name(), scenario.title());
        let playback = Sliced::start(scenario).expect("a valid scenario");
        let mut watched = Self { app, playback };
        watched.ask(Request::Seek(Instant::ZERO));
        watched
    }

    fn ask(&mut self, request: Request) {
        self.playback.send(request);
        self.settle();
    }

    fn settle(&mut self) {
        loop {
            if let Some(report) = self.playback.poll(Duration::from_millis(20)) {
                let settled = report.settled;
                self.app.take(report);
                if settled {
                    return;
                }
            }
        }
    }

    /// Lets playback simulate ahead to the end of the run.
    fn explore(&mut self) {
        while self.playback.is_busy() {
            if let Some(report) = self.playback.poll(Duration::from_millis(50)) {
                self.app.take(report);
            }
        }
    }

    fn press(&mut self, code: KeyCode, held: KeyModifiers) -> Option<Exit> {
        match self.app.event(&Event::Key(KeyEvent::new(code, held))) {
            Next::Nothing => None,
            Next::Ask(request) => {
                self.ask(request);
                None
            }
            Next::Leave(exit) => Some(exit),
        }
    }

    fn picture(&self, columns: u16, lines: u16) -> String {
        let backend = TestBackend::new(columns, lines);
        let Ok(mut terminal) = Terminal::new(backend);
        let Ok(_) = terminal.draw(|frame| draw(&self.app, false, frame.buffer_mut()));
        terminal.backend().to_string()
    }

    fn now(&self) -> String {
        let (view, _) = self.app.shown().expect("something is shown");
        self.app.label(view.at)
    }
}

/// A time of day of the incident.
fn clock(time: &str) -> Instant {
    let start_s = Clock::parse_time_of_day("12:10").expect("a time of day");
    let clock = Clock { start_s };
    clock.instant(Clock::parse_time_of_day(time).expect("a time of day"))
}

/// Compares with a picture that was looked at.
fn compare(name: &str, picture: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("src/command/watch/pictures")
        .join(name)
        .with_extension("txt");
    if std::env::var_os("UPDATE_PICTURES").is_some() {
        fs::write(&path, picture).expect("a place for pictures");
    }
    let kept = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        kept == picture,
        "{name} is drawn otherwise; UPDATE_PICTURES=1 writes it anew:\n{picture}"
    );
}

#[test]
fn the_incident_looks_as_it_did() {
    let mut watched = Watched::of(scenario("incident"));
    for (time, name) in [("12:29", "1229"), ("12:31", "1231"), ("13:20", "1320")] {
        watched.ask(Request::Seek(clock(time)));
        for (columns, lines) in [(40, 10), (80, 24), (160, 50)] {
            let picture = watched.picture(columns, lines);
            compare(&format!("incident-{name}-{columns}"), &picture);
            assert_eq!(picture, watched.picture(columns, lines));
        }
    }
    watched.ask(Request::Seek(clock("15:00")));
    compare("incident-end-80", &watched.picture(80, 24));
}

/// The last rows of the time line, as `timeline.csv` has them.
fn rows(simulation: &Simulation, count: usize, column: &str) -> Vec<f64> {
    let mut csv = Vec::new();
    export::timeline(simulation, &mut csv).expect("memory takes it");
    let csv = String::from_utf8(csv).expect("numbers are text");
    let mut lines = csv.lines();
    let mut head = lines.next().expect("a head").split(',');
    let place = head.position(|name| name == column).expect("the column");
    let values = lines.map(|line| line.split(',').nth(place).and_then(|v| v.parse().ok()));
    let values: Vec<f64> = values.map(|value| value.unwrap_or(0.0)).collect();
    values[values.len() - count..].to_vec()
}

#[test]
fn figures_are_those_of_the_time_line_and_the_summary() {
    let scenario = scenario("incident");
    let model = Arc::new(scenario.model().expect("a valid scenario"));
    let hash = scenario.hash();
    let mut watched = Watched::of(scenario);
    let mut simulation = Simulation::new(Arc::clone(&model), 0);
    for time in ["12:29", "12:31", "13:20"] {
        let at = clock(time);
        watched.ask(Request::Seek(at));
        simulation.run_until(at);
        let picture = watched.picture(160, 50);
        let line = |name: &str| {
            let mut lines = picture.lines().rev();
            lines
                .find(|line| line.starts_with(&format!("\"{name}")))
                .unwrap_or_else(|| panic!("{time}: {name}\n{picture}"))
                .to_owned()
        };
        // A row of the picture is so many of the time line.
        let (view, branch) = watched.app.shown().expect("something is shown");
        let stride = branch.series.row_ns() / simulation.recorder().history().interval_ns();
        for (name, column) in [
            ("offered", "offered_hz"),
            ("goodput", "goodput_hz"),
            ("failed", "failed_hz"),
        ] {
            assert_eq!(
                branch.series.rows_until(at) as u64 * branch.series.row_ns(),
                at.0
            );
            let rows = rows(&simulation, stride as usize, column);
            let mean = rows.iter().sum::<f64>() / rows.len() as f64;
            let mean = if mean >= 100.0 { mean.round() } else { mean };
            let shown = format!(" {}/s ", readable::short(mean));
            assert!(
                line(name).contains(&shown),
                "{time}: {shown} in {}",
                line(name)
            );
        }
        let summary = Summary::of(&simulation, hash);
        assert_eq!(*view.summary, summary);
        let second = picture.lines().nth(1).expect("two lines");
        let lost = format!(
            "lost so far {} ",
            readable::short(summary.requests.lost as f64)
        );
        let served = readable::share(summary.availability.expect("requests have ended"));
        for shown in [
            lost,
            format!("availability {served} "),
            format!("\"{time}:00 "),
        ] {
            assert!(second.contains(&shown), "{time}: {shown} in {second}");
        }
        for (server, now) in model.servers.iter().zip(simulation.snapshot().servers) {
            let busy = format!("▏{}/{} ", now.busy, now.workers);
            let line = line(&server.name);
            assert!(line.contains(&busy), "{time}: {busy} in {line}");
            let queue = format!("▏{}/", readable::short(f64::from(now.queue_len)));
            assert!(line.contains(&queue), "{time}: {queue} in {line}");
        }
        let latest = simulation
            .recorder()
            .event_log()
            .last()
            .expect("something happened");
        let words = sim_playback::event_words(latest);
        let words: String = words.chars().take(30).collect();
        assert!(picture.contains(&words), "{time}: {words}\n{picture}");
    }
}

#[test]
fn nothing_of_the_future_is_shown() {
    let minutes = |minutes: u64| Instant(Span::from_secs(60 * minutes).0);
    let mut watched = Watched::of(scenario("first"));
    watched.ask(Request::Seek(minutes(9)));
    let before = watched.picture(120, 40);
    assert!(before.contains("alert slow fires"), "{before}");
    watched.explore();
    assert_eq!(before, watched.picture(120, 40), "known to its end");
    watched.ask(Request::Seek(minutes(25)));
    assert_ne!(before, watched.picture(120, 40));
    watched.ask(Request::Seek(minutes(9)));
    assert_eq!(before, watched.picture(120, 40), "seen and gone back");
}

const MANY: &str = r#"
horizon = "60s"
title = "many \u001B[31m and \u001B]0;gone\u0007 服务器"

[[traffic]]
to = "web"
rate = 4200

[client]
timeout = "1s"

[service.web]
balancer = { policy = "random" }
demand = { kind = "exponential", mean = "50ms" }
server = [{ name = "web", count = 200, workers = 1, queue = { limit = 10 } }]

[[timeline]]
at     = "20s"
do     = "crash"
target = "service.web.server.web-7"
"#;

#[test]
fn of_many_servers_the_hottest_come_first_and_the_rest_is_counted() {
    let mut watched = Watched::of(scenario(MANY));
    watched.ask(Request::Seek(Instant(Span::from_secs(30).0)));
    let picture = watched.picture(80, 24);
    let rest = picture
        .lines()
        .find(|line| line.contains("more:"))
        .expect("the rest is counted");
    let servers = picture
        .lines()
        .filter(|line| line.starts_with("\"web-") && !line.contains("balancer"))
        .count();
    assert!(
        rest.contains(&format!("… and {} more: ", 200 - servers)),
        "{rest}"
    );
    assert!(
        !picture.contains('\u{1b}') && picture.contains("\\u001B[31m"),
        "{picture}"
    );
    compare("many-80", &picture);
}

#[test]
fn every_size_is_drawn() {
    let mut watched = Watched::of(scenario(MANY));
    watched.ask(Request::Seek(Instant(Span::from_secs(30).0)));
    for help in [false, true] {
        watched.app.help = help;
        for columns in [
            1, 20, 39, 40, 41, 59, 60, 61, 99, 100, 129, 130, 131, 200, 400,
        ] {
            for lines in [1, 2, 9, 10, 11, 12, 13, 15, 20, 28, 44, 100] {
                let picture = watched.picture(columns, lines);
                let told = columns < 40 || lines < 10;
                assert!(
                    !told || columns < 20 || picture.contains("too small"),
                    "{picture}"
                );
            }
        }
    }
}

#[test]
fn keys_play_go_and_leave() {
    let mut watched = Watched::of(scenario("first"));
    let plain = KeyModifiers::NONE;
    watched.press(KeyCode::Right, plain);
    assert_eq!(watched.now(), "12:00:10");
    watched.press(KeyCode::Right, KeyModifiers::SHIFT);
    assert_eq!(watched.now(), "12:01:50");
    watched.press(KeyCode::Left, plain);
    assert_eq!(watched.now(), "12:01:40");
    watched.press(KeyCode::Char('.'), plain);
    let first = watched.now();
    assert!(first.as_str() > "12:01:40", "{first}");
    watched.press(KeyCode::Char('.'), plain);
    watched.press(KeyCode::Char(','), plain);
    assert_eq!(watched.now(), first);
    let speed = |watched: &Watched| watched.app.report.as_ref().map(|r| r.transport.speed);
    watched.press(KeyCode::Char(']'), plain);
    assert_eq!(speed(&watched), Some(300.0));
    watched.press(KeyCode::Char('['), plain);
    assert_eq!(speed(&watched), Some(60.0));
    watched.press(KeyCode::Char('?'), plain);
    let help = watched.picture(100, 30);
    for row in KEYS {
        assert!(help.contains(row.title), "{help}");
    }
    compare("help-80", &watched.picture(80, 24));
    compare("help-100", &help);
    watched.press(KeyCode::Esc, plain);
    assert!(watched.picture(80, 24).contains("leave"));
    watched.press(KeyCode::Home, plain);
    assert_eq!(watched.now(), "12:00");
    let left = watched.press(KeyCode::Char('q'), plain);
    assert_eq!(left, Some(Exit::Ok));
    assert!(
        watched
            .app
            .verdict()
            .starts_with("first: watched until 12:00 of 12:30, ")
    );
    let interrupted = watched.press(KeyCode::Char('c'), KeyModifiers::CONTROL);
    assert_eq!(interrupted, Some(Exit::Interrupted));
    watched.press(KeyCode::End, plain);
    let summary = &watched.app.shown().expect("something is shown").0.summary;
    let verdict = summary
        .verdict
        .expect("a run of half an hour has a verdict");
    assert!(
        watched
            .app
            .verdict()
            .starts_with(&format!("first: {verdict}: "))
    );
}
