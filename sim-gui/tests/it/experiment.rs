//! Experiments without a screen: what the window runs is what the command runs, to the byte.

use sim_core::experiment::sweep::{self, Arguments, Plan as SweepPlan, Shard, write_rows};
use sim_core::experiment::{Control, Measure, Plan, WarmUp, compare, variants, warmed};
use sim_core::report::{ComparisonReport, write_comparison};
use sim_core::scenario::{Scenario, Source};
use sim_gui::experiment::{
    Draft, Experiment, Field, Found, Kind, Over, Prepared, Report, Runner, Subject, Vary, choices,
    outcome, prepare, runner,
};
use sim_gui::{App, MODELS, Opening};
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

const SLICE: Duration = Duration::from_millis(20);
const POLICY: &str = "service.web.balancer.policy";

/// A window, for its state: subjects are made from it.
fn app(scenario: &str) -> App {
    let opening = Opening {
        scenario: Some(scenario.to_owned()),
        sliced: true,
        ..Opening::default()
    };
    App::new(&eframe::egui::Context::default(), opening)
}

fn subject(scenario: &str) -> Subject {
    Subject::of(app(scenario).state(), 0).expect("it can be read")
}

fn comparison() -> Draft {
    Draft {
        kind: Kind::Comparison,
        branches: vec![0],
        vary: vec![Vary::list(POLICY, "round-robin, random,least-in-flight")],
        measures: vec!["p99".to_owned(), "availability".to_owned()],
        acts: Vec::new(),
        between: String::new(),
        replications: "6".to_owned(),
    }
}

fn load() -> Draft {
    Draft {
        kind: Kind::Sweep,
        vary: vec![
            Vary::list(POLICY, "random, round-robin"),
            Vary::range("rate_factor", ["0.5", "1.5"], 3),
        ],
        replications: "5".to_owned(),
        ..comparison()
    }
}

fn made(draft: &Draft, subject: &Subject) -> Prepared {
    prepare(draft, std::slice::from_ref(subject)).unwrap_or_else(|wrong| panic!("{wrong:?}"))
}

/// Runs it to its end; every report on the way.
fn reports(mut runner: impl Runner) -> Vec<Report> {
    let mut reports = Vec::new();
    loop {
        match runner.poll(SLICE) {
            Some(report) => {
                let over = report.over.is_some();
                reports.push(report);
                if over {
                    return reports;
                }
            }
            None => std::thread::yield_now(),
        }
    }
}

fn quiet() -> runner::Waker {
    Arc::new(|| {})
}

fn csv(draft: &Draft, subject: &Subject, prepared: &Prepared, report: Report) -> String {
    let experiment = Experiment {
        draft: draft.clone(),
        prepared: prepared.clone(),
        command: outcome::command(draft, std::slice::from_ref(subject)),
        report,
    };
    experiment.csv().expect("there is a table").1
}

/// The same by the core alone, as the command does it.
fn compared_by_the_core() -> String {
    let vary = [(
        POLICY.to_owned(),
        "round-robin,random,least-in-flight".to_owned(),
    )];
    let mut read = |_: usize, sets: &[(String, String)]| {
        let scenario = Scenario::read(MODELS.find("first").expect("a model"), sets, &MODELS)?;
        let model = scenario.model()?;
        Ok::<_, sim_core::scenario::Problems>((scenario, model))
    };
    let mut found = variants(1, &vary, &mut read).expect("three variants");
    let models: Vec<_> = found.iter().map(|v| v.model.clone()).collect();
    let warm_up = WarmUp::alike(&models);
    for (variant, model) in found.iter_mut().zip(warmed(&models, &warm_up)) {
        variant.model = model;
    }
    let plan = Plan {
        measures: ["p99", "availability"]
            .map(|path| Measure::parse(path, &models[0]).expect("a figure"))
            .to_vec(),
        first: 0,
        replications: 6,
        level: 0.95,
        precision: None,
        estimand: sim_core::experiment::Estimand::ByNature,
    };
    let cancel = AtomicBool::new(false);
    let control = Control::new(NonZeroUsize::MIN, &cancel, &|_| {});
    let report = ComparisonReport::of(&compare(found, &plan, &control), &warm_up);
    let mut bytes = Vec::new();
    write_comparison(&report, &mut bytes).expect("memory");
    String::from_utf8(bytes).expect("text")
}

/// The models by their names, as the command finds them.
struct Models;

impl sim_core::scenario::Files for Models {
    fn read(&self, name: &str) -> Result<Source, String> {
        MODELS.find(name).ok_or_else(|| name.to_owned())
    }
}

fn swept_by_the_core() -> String {
    let arguments = Arguments {
        scenario: "first".to_owned(),
        vary: vec![
            (POLICY.to_owned(), "random,round-robin".to_owned()),
            ("rate_factor".to_owned(), "0.5..1.5/3".to_owned()),
        ],
        measures: vec!["p99".to_owned(), "availability".to_owned()],
        replications: Some(5),
        ..Arguments::default()
    };
    let text = arguments.plan_text().expect("a plan");
    let plan = SweepPlan::read(&Source::new("the arguments", text), &Models).expect("a plan");
    let mut rows = Vec::new();
    let stop = AtomicBool::new(false);
    let done = &mut |row| {
        rows.push(row);
        Ok::<(), ()>(())
    };
    sweep::run(&plan, &Shard::WHOLE.cells(&plan), 1, &stop, done).expect("nothing fails");
    let mut bytes = Vec::new();
    write_rows(&plan, &rows, &mut bytes).expect("memory");
    String::from_utf8(bytes).expect("text")
}

#[test]
fn what_the_window_finds_is_what_the_command_finds() {
    let subject = subject("first");
    for (draft, expected) in [
        (comparison(), compared_by_the_core()),
        (load(), swept_by_the_core()),
    ] {
        let prepared = made(&draft, &subject);
        let both: [Vec<Report>; 2] = [
            reports(runner::Sliced::start(&prepared)),
            reports(runner::Threaded::start(&prepared, quiet())),
        ];
        for reports in both {
            let last = reports.last().expect("a report").clone();
            assert_eq!(last.over, Some(Over::Complete));
            assert_eq!(last.progress.done, prepared.runs());
            assert_eq!(csv(&draft, &subject, &prepared, last), expected);
        }
    }
}

#[test]
fn results_come_on_the_way_and_say_what_is_missing() {
    let subject = subject("first");
    let prepared = made(&comparison(), &subject);
    let mut runner = runner::Sliced::start(&prepared);
    // Nothing is done before it is polled, and little at a time.
    let mut polls = 0;
    let mut partial = 0;
    loop {
        polls += 1;
        let Some(report) = runner.poll(Duration::from_millis(1)) else {
            continue;
        };
        if let Found::Compared(found) = &report.found {
            let whole = found.runs[0].len();
            assert!(found.runs.iter().all(|runs| runs.len() == whole));
            if (1..5).contains(&whole) {
                partial += 1;
                let why = found.compared[0].estimates[0].reason();
                assert!(why.is_some(), "no interval from {whole} replications");
            }
        }
        if report.over.is_some() {
            break;
        }
    }
    assert!(polls > 20, "slices are short: {polls} polls");
    assert!(partial > 0, "something could be seen before the end");
}

#[test]
fn stopping_keeps_what_is_complete() {
    let subject = subject("first");
    for draft in [comparison(), load()] {
        let draft = Draft {
            replications: "200".to_owned(),
            ..draft
        };
        let prepared = made(&draft, &subject);
        let sliced: Box<dyn Runner> = Box::new(runner::Sliced::start(&prepared));
        let woken = Arc::new(AtomicU64::new(0));
        let count = Arc::clone(&woken);
        let waker: runner::Waker = Arc::new(move || {
            count.fetch_add(1, Ordering::Relaxed);
        });
        let threaded: Box<dyn Runner> = Box::new(runner::Threaded::start(&prepared, waker));
        for mut runner in [sliced, threaded] {
            let mut last = None;
            while last.as_ref().is_none_or(|r: &Report| r.progress.done < 4) {
                last = runner.poll(SLICE).or(last);
            }
            runner.stop();
            let mut end = runner.poll(SLICE);
            while end.as_ref().is_none_or(|report| report.over.is_none()) {
                std::thread::yield_now();
                end = runner.poll(SLICE).or(end);
            }
            let end = end.expect("a last report");
            assert_eq!(end.over, Some(Over::Stopped));
            if let Found::Compared(found) = end.found {
                let whole = found.runs[0].len();
                assert!((1..200).contains(&whole), "{whole}");
            }
        }
        assert!(woken.load(Ordering::Relaxed) > 0, "the screen is woken");
    }
}

/// What is refused, and where.
fn refused(draft: &Draft) -> (Field, String) {
    let found = prepare(draft, &[subject("first")]).expect_err("it is refused");
    let first = found.first().expect("a reason");
    (first.field, format!("{} {}", first.message, first.help))
}

#[test]
fn what_is_wrong_is_said_at_its_field_in_the_words_of_the_command() {
    for base in [comparison(), load()] {
        let with = |change: &dyn Fn(&mut Draft)| {
            let mut draft = base.clone();
            change(&mut draft);
            refused(&draft)
        };
        let (field, words) = with(&|d| d.vary[0] = Vary::list(POLICY, "random, least-in-fligth"));
        assert_eq!(field, Field::Values(0), "{words}");
        assert!(words.contains("error[E014]: unknown policy"), "{words}");
        assert!(words.contains("least-in-flight"), "it suggests: {words}");
        let (field, words) = with(&|d| d.vary[0].path = "service.web.balancer.polcy".to_owned());
        assert_eq!(field, Field::Path(0), "{words}");
        let (field, words) = with(&|d| d.measures = vec!["p98".to_owned()]);
        assert_eq!(field, Field::Measures, "{words}");
        assert!(
            words.contains("no figure of the summary is called"),
            "{words}"
        );
        for wrong in ["", "0", "-3", "many", "1e99"] {
            let (field, words) = with(&|d| d.replications = wrong.to_owned());
            assert_eq!(field, Field::Replications, "{words}");
        }
        let (field, words) = with(&|d| d.vary[0].path = " ".to_owned());
        assert_eq!((field, words.is_empty()), (Field::Path(0), false));
    }
    let mut draft = load();
    draft.vary[1] = Vary::range("rate_factor", ["0.5", "lots"], 3);
    assert_eq!(refused(&draft).0, Field::Values(1));
    let mut draft = comparison();
    draft.vary[0].list = "random".to_owned();
    let (field, words) = refused(&draft);
    assert_eq!(field, Field::Values(0));
    assert!(
        words.contains("one variant alone cannot be compared"),
        "{words}"
    );
    draft.vary.clear();
    assert_eq!(refused(&draft).0, Field::Scenarios);
}

#[test]
fn what_is_proposed_can_be_run_with_every_model() {
    for name in MODELS.names() {
        let source = MODELS.find(name).expect("a model");
        let scenario = Scenario::read(source, &[], &MODELS).expect("valid");
        let model = scenario.model().expect("valid");
        let subject = subject(name);
        for draft in [Draft::policies(&model), Draft::load(&model, &scenario)] {
            let prepared = prepare(&draft, std::slice::from_ref(&subject));
            assert!(prepared.is_ok(), "{name}: {draft:?}: {prepared:?}");
        }
    }
}

#[test]
fn what_can_be_picked_is_there() {
    for name in ["first", "incident"] {
        let subject = subject(name);
        let (scenario, model) = subject.read(&[]).expect("valid");
        let paths = choices::paths(&model);
        assert!(paths.len() > 20, "{name}: {}", paths.len());
        assert_eq!(paths[0].text.rsplit('.').next(), Some("policy"));
        for choice in choices::values(&paths[0].text) {
            let set = [(paths[0].text.clone(), choice.text.clone())];
            let read = subject.read(&set);
            assert!(read.is_ok(), "{name}: {set:?}: {:?}", read.err());
        }
        // A value that stands there already can be set where it stands.
        let texts: Vec<String> = paths.iter().map(|choice| choice.text.clone()).collect();
        let values = scenario.values_at(sim_core::time::Instant::ZERO, &texts);
        for (path, value) in texts.into_iter().zip(values) {
            if let Some(value) = value {
                let set = [(path, value)];
                let read = subject.read(&set);
                assert!(read.is_ok(), "{name}: {set:?}: {:?}", read.err());
            }
        }
        for choice in choices::measures(&model) {
            let parsed = Measure::parse(&choice.text, &model);
            assert!(parsed.is_ok(), "{name}: {parsed:?}");
        }
    }
}

#[test]
fn the_command_says_the_same() {
    let subject = subject("first");
    let subjects = std::slice::from_ref(&subject);
    assert_eq!(
        outcome::command(&comparison(), subjects),
        "stampede compare first --vary 'service.web.balancer.policy=round-robin, random,least-in-flight' \
         --measure p99,availability --replications 6"
    );
    assert_eq!(
        outcome::command(&load(), subjects),
        "stampede sweep --scenario first --vary 'service.web.balancer.policy=random, round-robin' \
         --vary rate_factor=0.5..1.5/3 --measure p99 --measure availability --replications 5"
    );
    let Prepared::Sweep { plan } = made(&load(), &subject) else {
        panic!("a sweep");
    };
    // A plan that was saved is the same plan, wherever it is read.
    let saved = Source::new("saved.toml", plan.to_toml());
    let again = SweepPlan::read(&saved, &sim_core::scenario::NoFiles).expect("complete");
    assert_eq!(again.hash(), plan.hash());
}
