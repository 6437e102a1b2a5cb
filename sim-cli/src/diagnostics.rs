//! Problems of a scenario: with the line and a caret for people, as JSON for programs.

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use serde::Serialize;
use sim_core::scenario::{Label, Problem, Problems, Source};
use sim_core::text::shown;
use std::ops::Range;

/// All problems as text, the way the compiler would show them.
pub(crate) fn render(problems: &Problems) -> String {
    let renderer = Renderer::styled();
    let mut text = String::new();
    for problem in &problems.problems {
        text.push_str(&renderer.render(&[group(problem, &problems.sources)]));
        text.push_str("\n\n");
    }
    let count = problems.problems.len() + problems.left_out;
    let name = problems
        .sources
        .first()
        .map_or("the scenario", |source| &source.name);
    let more = if problems.left_out > 0 {
        format!(", of which {} are shown", problems.problems.len())
    } else {
        String::new()
    };
    let noun = if count == 1 { "problem" } else { "problems" };
    let total = [Group::with_title(
        Level::ERROR.primary_title(format!("{count} {noun} in {}{more}", shown(name))),
    )];
    text.push_str(&renderer.render(&total));
    text
}

fn group<'a>(problem: &'a Problem, sources: &'a [Source]) -> Group<'a> {
    let mut group = Group::with_title(
        Level::ERROR
            .primary_title(shown(&problem.message))
            .id(problem.code),
    );
    for (number, source) in sources.iter().enumerate() {
        let mut labels = problem
            .labels
            .iter()
            .enumerate()
            .filter(|(_, label)| label.source == number)
            .peekable();
        if labels.peek().is_none() {
            continue;
        }
        let mut snippet = Snippet::source(&*source.text).path(shown(&source.name));
        for (i, label) in labels {
            let kind = if i == 0 {
                AnnotationKind::Primary
            } else {
                AnnotationKind::Context
            };
            let annotation = kind.span(whole_characters(&source.text, &label.span));
            snippet = snippet.annotation(if label.text.is_empty() {
                annotation
            } else {
                annotation.label(shown(&label.text))
            });
        }
        group = group.element(snippet);
    }
    match &problem.help {
        Some(help) => group.element(Level::HELP.message(shown(help))),
        None => group,
    }
}

/// The span, widened to whole characters within the text.
fn whole_characters(text: &str, span: &Range<usize>) -> Range<usize> {
    let mut start = span.start.min(text.len());
    while !text.is_char_boundary(start) {
        start -= 1;
    }
    let mut end = span.end.clamp(start, text.len());
    while !text.is_char_boundary(end) {
        end += 1;
    }
    start..end
}

/// A problem for programs.
#[derive(Serialize)]
pub(crate) struct ProblemJson<'a> {
    code: &'a str,
    message: &'a str,
    help: Option<&'a str>,
    places: Vec<PlaceJson<'a>>,
}

/// A place for programs; lines and columns count from 1, columns count characters.
#[derive(Serialize)]
struct PlaceJson<'a> {
    file: &'a str,
    line: usize,
    column: usize,
    end_line: usize,
    end_column: usize,
    text: &'a str,
}

/// All problems for programs.
pub(crate) fn to_json(problems: &Problems) -> Vec<ProblemJson<'_>> {
    problems
        .problems
        .iter()
        .map(|problem| problem_json(problem, &problems.sources))
        .collect()
}

fn problem_json<'a>(problem: &'a Problem, sources: &'a [Source]) -> ProblemJson<'a> {
    let places = problem
        .labels
        .iter()
        .filter_map(|label| place_json(label, sources))
        .collect();
    ProblemJson {
        code: problem.code,
        message: &problem.message,
        help: problem.help.as_deref(),
        places,
    }
}

fn place_json<'a>(label: &'a Label, sources: &'a [Source]) -> Option<PlaceJson<'a>> {
    let source = sources.get(label.source)?;
    let (line, column) = source.line_column(label.span.start);
    let (end_line, end_column) = source.line_column(label.span.end);
    Some(PlaceJson {
        file: &source.name,
        line,
        column,
        end_line,
        end_column,
        text: &label.text,
    })
}
