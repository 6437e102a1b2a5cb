//! From a draft to what is run, or to what is wrong with it, in the words of the command.

use super::draft::{Draft, Kind};
use super::subject::Subject;
use crate::{act, moment};
use sim_core::doctor::Examination;
use sim_core::edit::Edit;
use sim_core::experiment::sweep::{self, Arguments};
use sim_core::experiment::{
    DeadlinePlan, DeadlineSteps, Measure, Plan, Unfit, Variant, WarmUp, variants,
};
use sim_core::model::Model;
use sim_core::scenario::Scenario;
use sim_core::scenario::{Problem, Problems, Source};
use sim_core::time::Instant;
use std::sync::Arc;

/// The level of intervals, as of the command.
const LEVEL: f64 = 0.95;
/// Replications at most, as of the command.
const REPLICATIONS_MAX: u64 = 1_000_000;

/// What is run.
#[derive(Clone, Debug)]
pub enum Prepared {
    /// A comparison.
    Comparison {
        /// What is compared.
        variants: Vec<Variant>,
        /// How.
        plan: Plan,
        /// What is left out at the start of every run.
        warm_up: WarmUp,
    },
    /// A sweep.
    Sweep {
        /// The plan.
        plan: Arc<sweep::Plan>,
    },
    /// A search for the last moment at which something helps.
    Deadline(Arc<LastMoment>),
    /// What the doctor tries.
    Examination(Arc<Examination>),
}

/// A search for the last moment at which something helps.
#[derive(Debug)]
pub struct LastMoment {
    /// The scenario as it is without.
    pub scenario: Scenario,
    /// What it amounts to.
    pub model: Arc<Model>,
    /// What is asked.
    pub plan: DeadlinePlan,
}

impl Prepared {
    /// Runs that it takes.
    pub fn runs(&self) -> u64 {
        match self {
            Self::Comparison { variants, plan, .. } => variants.len() as u64 * plan.replications,
            Self::Sweep { plan } => plan.cells() as u64 * plan.replications(),
            Self::Deadline(of) => of.plan.runs(),
            Self::Examination(examination) => examination.runs(),
        }
    }

    /// What is measured.
    pub fn measures(&self) -> &[Measure] {
        match self {
            Self::Comparison { plan, .. } => &plan.measures,
            Self::Sweep { plan } => plan.measures(),
            Self::Deadline(of) => std::slice::from_ref(&of.plan.measure),
            Self::Examination(_) => &[],
        }
    }
}

/// Where something is wrong.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Field {
    /// Which scenarios.
    Scenarios,
    /// The n-th path.
    Path(usize),
    /// The values of the n-th path.
    Values(usize),
    /// The n-th of what is done.
    Act(usize),
    /// The part of the run.
    Between,
    /// The measures.
    Measures,
    /// How many replications.
    Replications,
}

/// What is wrong with a draft.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refusal {
    /// Where.
    pub field: Field,
    /// What.
    pub message: String,
    /// What is allowed; empty where that is plain.
    pub help: String,
}

impl Refusal {
    fn new(field: Field, message: impl Into<String>, help: impl Into<String>) -> Self {
        Self {
            field,
            message: message.into(),
            help: help.into(),
        }
    }

    /// The first of several problems, as the command tells it.
    fn of(field: Field, problem: &Problem) -> Self {
        let message = format!("error[{}]: {}", problem.code, problem.message);
        Self::new(field, message, problem.help.clone().unwrap_or_default())
    }
}

/// Makes what is run of a draft. `subjects` are the scenarios that it names, in its order.
///
/// # Errors
/// What is wrong, and where.
pub fn prepare(draft: &Draft, subjects: &[Subject]) -> Result<Prepared, Vec<Refusal>> {
    let replications = replications(&draft.replications).map_err(|refusal| vec![refusal])?;
    for (i, vary) in draft.vary.iter().enumerate() {
        if vary.path.trim().is_empty() {
            let message = "what is varied is missing";
            let help = "a path, such as service.web.balancer.policy";
            return Err(vec![Refusal::new(Field::Path(i), message, help)]);
        }
    }
    match draft.kind {
        Kind::Comparison => comparison(draft, subjects, replications),
        Kind::Sweep => sweep(draft, subjects),
        Kind::Deadline => deadline(draft, subjects, replications),
    }
}

fn replications(typed: &str) -> Result<u64, Refusal> {
    let known = typed.trim().parse::<u64>().ok();
    known
        .filter(|n| (1..=REPLICATIONS_MAX).contains(n))
        .ok_or_else(|| {
            Refusal::new(
                Field::Replications,
                format!("{typed:?} is no number of replications"),
                format!("a whole number, 1 to {REPLICATIONS_MAX}; intervals need 5 or more"),
            )
        })
}

fn comparison(
    draft: &Draft,
    subjects: &[Subject],
    replications: u64,
) -> Result<Prepared, Vec<Refusal>> {
    let varied = draft.varied();
    let index = |path: &str| varied.iter().position(|(known, _)| known == path);
    let mut last: (usize, Vec<(String, String)>) = (0, Vec::new());
    let mut read = |number: usize, sets: &[(String, String)]| {
        last = (number, sets.to_vec());
        subjects[number].read(sets)
    };
    let found = variants(subjects.len(), &varied, &mut read);
    let found = found.map_err(|unfit| match unfit {
        Unfit::Usage {
            message,
            help,
            path,
        } => {
            let of_path = path.as_deref().and_then(index).map(Field::Values);
            let last = varied.len().checked_sub(1).map(Field::Values);
            let field = of_path.or(last).unwrap_or(Field::Scenarios);
            vec![Refusal::new(field, message, help)]
        }
        Unfit::Refused(problems) => {
            let (number, sets) = &last;
            vec![culprit(&subjects[*number], sets, &problems)]
        }
    })?;
    let models: Vec<_> = found.iter().map(|variant| variant.model.clone()).collect();
    let mut measures: Vec<Measure> = Vec::new();
    for path in &draft.measures {
        for model in &models {
            let measure = Measure::parse(path, model).map_err(|why| {
                let message = format!("{}: {why}", model.name);
                vec![Refusal::new(Field::Measures, message, "")]
            })?;
            if !measures.contains(&measure) {
                measures.push(measure);
            }
        }
    }
    if measures.is_empty() {
        measures = Measure::defaults(&models[0]);
    }
    let warm_up = WarmUp::alike(&models);
    let variants = Variant::warmed(&found, &warm_up);
    let plan = Plan {
        measures,
        first: 0,
        replications,
        level: LEVEL,
        precision: None,
        estimand: sim_core::experiment::Estimand::ByNature,
    };
    Ok(Prepared::Comparison {
        variants,
        plan,
        warm_up,
    })
}

/// Which of several sets is refused, found by trying each alone.
fn culprit(subject: &Subject, sets: &[(String, String)], problems: &Problems) -> Refusal {
    let alone = sets.iter().position(|set| {
        let found = subject.read(std::slice::from_ref(set));
        found.is_err_and(|alone| {
            alone.problems.first().map(|p| p.code) == first(problems).map(|p| p.code)
        })
    });
    let Some(problem) = first(problems) else {
        return Refusal::new(Field::Scenarios, "the scenario is invalid", "");
    };
    let field = match alone {
        Some(at) if problem.code.starts_with("E04") => Field::Path(at),
        Some(at) => Field::Values(at),
        None if sets.is_empty() => Field::Scenarios,
        None => Field::Values(sets.len() - 1),
    };
    Refusal::of(field, problem)
}

fn first(problems: &Problems) -> Option<&Problem> {
    problems.problems.first()
}

/// The arguments that a draft of a sweep amounts to.
pub(super) fn arguments(draft: &Draft, subject: &Subject) -> Arguments {
    let vary = draft.varied();
    let seeds = vary.iter().any(|(path, _)| path == "seed");
    Arguments {
        scenario: subject.argument.clone(),
        vary,
        measures: draft.measures.clone(),
        replications: draft.replications.trim().parse().ok(),
        precision: None,
        max_replications: None,
        sobol: None,
        seed: subject.seed.filter(|_| !seeds),
        sets: Vec::new(),
    }
}

fn sweep(draft: &Draft, subjects: &[Subject]) -> Result<Prepared, Vec<Refusal>> {
    let Some(subject) = subjects.first() else {
        let message = "no scenario is chosen";
        return Err(vec![Refusal::new(Field::Scenarios, message, "")]);
    };
    let text = arguments(draft, subject).plan_text().map_err(|misused| {
        let at = draft
            .vary
            .iter()
            .position(|v| v.path.trim() == misused.path);
        let field = Field::Values(at.unwrap_or(0));
        vec![Refusal::new(field, misused.message, misused.help)]
    })?;
    let source = Source::new("the arguments", text);
    match sweep::Plan::read(&source, &subject.files()) {
        Ok(plan) => Ok(Prepared::Sweep {
            plan: Arc::new(plan),
        }),
        Err(problems) => {
            let told = |problem: &Problem| Refusal::of(place(problem, &source.text), problem);
            Err(problems.problems.iter().map(told).collect())
        }
    }
}

fn deadline(
    draft: &Draft,
    subjects: &[Subject],
    replications: u64,
) -> Result<Prepared, Vec<Refusal>> {
    let one = |refusal| vec![refusal];
    let Some(subject) = subjects.first() else {
        let message = "no scenario is chosen";
        return Err(one(Refusal::new(Field::Scenarios, message, "")));
    };
    let refused = |problems: Problems| one(culprit(subject, &[], &problems));
    let (scenario, model) = subject.read(&[]).map_err(refused)?;
    let model = Arc::new(model);
    let mut edits: Vec<Edit> = Vec::new();
    for (i, typed) in draft.acts.iter().enumerate() {
        let edit = act::parse(&model, typed.trim()).ok_or_else(|| {
            let message = match typed.trim() {
                "" => "what is done is missing".to_owned(),
                typed => format!("{typed:?} is nothing that can be done"),
            };
            let help = "a change such as web-1.weight = 3, or an act such as restart web-1";
            one(Refusal::new(Field::Act(i), message, help))
        })?;
        edits.push(edit);
    }
    if edits.is_empty() {
        let message = "what is done is missing";
        return Err(one(Refusal::new(Field::Act(0), message, "")));
    }
    let path = draft
        .measures
        .first()
        .map_or("requests.lost", String::as_str);
    let measure = Measure::parse(path, &model).and_then(Measure::as_damage);
    let measure = measure.map_err(|why| one(Refusal::new(Field::Measures, why, "")))?;
    let between = between(&draft.between, &model);
    let unfit = |why: String| {
        let help = "two moments with dots between, such as 12:20..13:00 or 20m..1h";
        one(Refusal::new(Field::Between, why, help))
    };
    let plan = between.and_then(|between| DeadlinePlan::new(edits, measure, between, &model));
    let plan = DeadlinePlan {
        replications,
        level: LEVEL,
        ..plan.map_err(unfit)?
    };
    let with = |edits: &[Edit]| {
        let plan = DeadlinePlan {
            edits: edits.to_vec(),
            ..plan.clone()
        };
        DeadlineSteps::new(&scenario, &model, &plan).map(|_| ())
    };
    if let Err(problems) = with(&plan.edits) {
        // Which of several is refused is found by trying each alone.
        let each = plan.edits.chunks(1);
        let at = each.into_iter().position(|alone| with(alone).is_err());
        let told =
            first(&problems).map(|problem| Refusal::of(Field::Act(at.unwrap_or(0)), problem));
        return Err(told.into_iter().collect());
    }
    Ok(Prepared::Deadline(Arc::new(LastMoment {
        scenario,
        model,
        plan,
    })))
}

/// The part of a run, as typed; `None` for all of it.
fn between(typed: &str, model: &Model) -> Result<Option<(Instant, Instant)>, String> {
    if typed.trim().is_empty() {
        return Ok(None);
    }
    let (from, until) = typed.split_once("..").ok_or("the dots are missing")?;
    let read = |text: &str| moment::parse(text, model.clock);
    Ok(Some((read(from)?, read(until)?)))
}

/// The field that a problem of a plan is about, by the line it points at.
fn place(problem: &Problem, text: &str) -> Field {
    let own = problem.labels.iter().find(|label| label.source == 0);
    let Some(start) = own.map(|label| label.span.start) else {
        return Field::Values(0);
    };
    let before = &text[..text.floor_char_boundary(start)];
    let axis = before.matches("[[axis]]").count().saturating_sub(1);
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    let line = text[line_start..].lines().next().unwrap_or("");
    match line.split([' ', '=']).next().unwrap_or("") {
        "path" => Field::Path(axis),
        "measures" => Field::Measures,
        "replications" => Field::Replications,
        "scenario" | "name" => Field::Scenarios,
        _ => Field::Values(axis),
    }
}
