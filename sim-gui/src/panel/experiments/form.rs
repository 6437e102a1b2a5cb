//! What is asked for: kind, scenario, paths with values, measures, replications.

use super::{Cx, draft, refusals, run};
use crate::experiment::choices::{self, Choice};
use crate::experiment::{Draft, Field, Kind, Spread, Vary};
use crate::panel::topology::branch_words;
use crate::playback::letter;
use crate::theme::{Palette, bold_font, font, mono};
use eframe::egui::{self, RichText};
use sim_core::experiment::split;
use sim_core::readable;

/// Width of the words before fields.
const WORDS: f32 = 92.0;
/// Choices listed at most at a time.
const LISTED: usize = 60;

pub(super) fn draw(ui: &mut egui::Ui, cx: &mut Cx<'_>) {
    let Some(mut draft) = draft(cx) else {
        return;
    };
    let before = draft.clone();
    let p = Palette::of(ui);
    egui::Frame::new()
        .fill(p.sunken)
        .corner_radius(6)
        .inner_margin(egui::Margin::symmetric(10, 8))
        .show(ui, |ui| {
            ui.set_width(ui.available_width());
            ui.spacing_mut().item_spacing.y = 6.0;
            kind(ui, cx, &mut draft);
            scenarios(ui, cx, &mut draft);
            for i in 0..draft.vary.len() {
                axis(ui, cx, &mut draft, i);
            }
            if draft.kind == Kind::Deadline {
                acts(ui, cx, &mut draft);
            }
            measures(ui, cx, &mut draft);
            last_line(ui, cx, &mut draft);
        });
    if draft != before {
        cx.local.lab.draft = Some(draft);
    }
}

/// A row: words, then what belongs to them.
fn row(ui: &mut egui::Ui, words: &str, fields: impl FnOnce(&mut egui::Ui)) {
    let p = Palette::of(ui);
    ui.horizontal(|ui| {
        let slot = egui::vec2(WORDS, 22.0);
        let layout = egui::Layout::left_to_right(egui::Align::Center);
        ui.allocate_ui_with_layout(slot, layout, |ui| {
            ui.set_min_width(WORDS);
            ui.label(RichText::new(words).font(font(12.0)).color(p.weak));
        });
        fields(ui);
    });
}

fn kind(ui: &mut egui::Ui, cx: &Cx<'_>, draft: &mut Draft) {
    let kinds = [
        (
            Kind::Comparison,
            "Comparison",
            "A few variants: which is better, by how much, for sure?",
        ),
        (
            Kind::Sweep,
            "Sweep",
            "One or two axes: how do figures change along them?",
        ),
        (
            Kind::Deadline,
            "Point of no return",
            "Something that is done: until when does it still help?",
        ),
    ];
    row(ui, "experiment", |ui| {
        // In a small window one below the other.
        ui.horizontal_wrapped(|ui| {
            for (kind, word, about) in kinds {
                let button = egui::Button::selectable(draft.kind == kind, word);
                if ui.add(button).on_hover_text(about).clicked() {
                    draft.turn(kind, cx.state);
                }
            }
        });
    });
}

/// Which scenarios, where there is a choice.
fn scenarios(ui: &mut egui::Ui, cx: &Cx<'_>, draft: &mut Draft) {
    let Some(report) = cx.state.report.as_ref() else {
        return;
    };
    let edited = |branch: usize| branch == 0 || !report.branches[branch].edits.is_empty();
    let branches: Vec<usize> = (0..report.branches.len()).filter(|b| edited(*b)).collect();
    draft.branches.retain(|branch| branches.contains(branch));
    if branches.len() > 1 {
        for branch in branches {
            let title = if branch == 0 { "scenario" } else { "" };
            row(ui, title, |ui| {
                ui.style_mut().wrap_mode = Some(egui::TextWrapMode::Truncate);
                let words = match branch {
                    0 => "as opened".to_owned(),
                    n => format!("future {}: {}", letter(n), branch_words(cx.state, n)),
                };
                let mut chosen = draft.branches.contains(&branch);
                match draft.kind {
                    Kind::Comparison => {
                        if ui.checkbox(&mut chosen, words).changed() {
                            draft.branches.retain(|known| *known != branch);
                            draft.branches.extend(chosen.then_some(branch));
                            draft.branches.sort_unstable();
                        }
                    }
                    Kind::Sweep | Kind::Deadline => {
                        if ui
                            .radio(draft.branches.first() == Some(&branch), words)
                            .clicked()
                        {
                            draft.branches = vec![branch];
                        }
                    }
                }
            });
        }
    } else if draft.branches.is_empty() {
        draft.branches = vec![0];
    }
    refusals(ui, cx.state, Field::Scenarios);
}

/// A field for one line of text.
fn field(ui: &mut egui::Ui, text: &mut String, name: &str, width: f32) -> egui::Response {
    let edit = egui::TextEdit::singleline(text)
        .font(egui::FontSelection::FontId(mono(12.0)))
        .align(egui::Align2::LEFT_CENTER)
        .desired_width(width);
    let response = ui.add(edit);
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::TextInput, true, name));
    response
}

/// Opens and closes the list of what can be picked for a field.
fn pick(ui: &mut egui::Ui, cx: &mut Cx<'_>, of: Field, name: &str) {
    let open = cx.local.lab.picking == Some(of);
    let button = egui::Button::new(RichText::new("Pick").font(font(12.0))).selected(open);
    let response = ui.add(button);
    response.widget_info(|| egui::WidgetInfo::selected(egui::Role::Button, true, open, name));
    if response.on_hover_text(name).clicked() {
        cx.local.lab.picking = (!open).then_some(of);
        cx.local.lab.filter.clear();
    }
}

/// The list of what can be picked; the one that was.
fn list(
    ui: &mut egui::Ui,
    cx: &mut Cx<'_>,
    of: Field,
    all: &[Choice],
    chosen: &dyn Fn(&str) -> bool,
) -> Option<String> {
    if cx.local.lab.picking != Some(of) {
        return None;
    }
    let p = Palette::of(ui);
    let mut picked = None;
    ui.horizontal(|ui| {
        ui.add_space(WORDS);
        egui::Frame::new()
            .fill(p.panel)
            .stroke(egui::Stroke::new(1.0, p.line))
            .corner_radius(5)
            .inner_margin(6)
            .show(ui, |ui| {
                ui.vertical(|ui| {
                    ui.set_width(ui.available_width());
                    if all.len() > 8 {
                        let filter = egui::TextEdit::singleline(&mut cx.local.lab.filter)
                            .hint_text("A part of the name or of what it means")
                            .desired_width(f32::INFINITY);
                        ui.add(filter).widget_info(|| {
                            egui::WidgetInfo::labeled(egui::Role::TextInput, true, "search choices")
                        });
                    }
                    let wanted = cx.local.lab.filter.to_lowercase();
                    let fits = |choice: &&Choice| {
                        let text = format!("{} {}", choice.text, choice.about).to_lowercase();
                        wanted.split(' ').all(|word| text.contains(word))
                    };
                    let found: Vec<&Choice> = all.iter().filter(fits).collect();
                    egui::ScrollArea::vertical()
                        .id_salt(("choices", format!("{of:?}")))
                        .max_height(168.0)
                        .min_scrolled_height(168.0)
                        .auto_shrink([false, true])
                        .show(ui, |ui| {
                            ui.spacing_mut().item_spacing.y = 1.0;
                            if found.is_empty() {
                                ui.label(RichText::new("Nothing fits.").color(p.weak));
                            }
                            for choice in found.iter().take(LISTED) {
                                if line(ui, choice, chosen(&choice.text)) {
                                    picked = Some(choice.text.clone());
                                }
                            }
                            if found.len() > LISTED {
                                let more = format!("… {} more: type a part", found.len() - LISTED);
                                ui.label(RichText::new(more).font(font(11.5)).color(p.weak));
                            }
                        });
                });
            });
    });
    picked
}

fn line(ui: &mut egui::Ui, choice: &Choice, chosen: bool) -> bool {
    let p = Palette::of(ui);
    let mut job = egui::text::LayoutJob::default();
    let format = |font_id, color| egui::TextFormat {
        font_id,
        color,
        ..Default::default()
    };
    let mark = if chosen { "✓ " } else { "  " };
    job.append(mark, 0.0, format(mono(12.0), p.accent));
    job.append(&choice.text, 0.0, format(mono(12.0), p.text));
    job.append(&choice.about, 12.0, format(font(11.5), p.weak));
    let button = egui::Button::selectable(chosen, job)
        .truncate()
        .min_size(egui::vec2(ui.available_width(), 20.0))
        .right_text("");
    let response = ui.add(button);
    response.widget_info(|| {
        egui::WidgetInfo::selected(
            egui::Role::Button,
            true,
            chosen,
            format!("pick {}", choice.text),
        )
    });
    response.on_hover_text(&choice.about).clicked()
}

fn axis(ui: &mut egui::Ui, cx: &mut Cx<'_>, draft: &mut Draft, i: usize) {
    let Some(mut vary) = draft.vary.get(i).cloned() else {
        return;
    };
    let mut removed = false;
    row(ui, if i == 0 { "vary" } else { "and" }, |ui| {
        let width = ui.available_width() - 84.0;
        field(ui, &mut vary.path, &format!("path {}", i + 1), width);
        pick(ui, cx, Field::Path(i), &format!("pick path {}", i + 1));
        let close = ui.small_button("×");
        close.widget_info(|| {
            egui::WidgetInfo::labeled(egui::Role::Button, true, format!("remove path {}", i + 1))
        });
        removed = close.on_hover_text("Do not vary this").clicked();
    });
    if cx.local.lab.picking == Some(Field::Path(i))
        && let Some(model) = cx.state.model()
    {
        let paths = choices::paths(model);
        let path = vary.path.clone();
        if let Some(picked) = list(ui, cx, Field::Path(i), &paths, &|text| text == path) {
            vary = suggestion(cx, draft.kind, &picked).unwrap_or(vary);
            cx.local.lab.picking = None;
        }
    }
    refusals(ui, cx.state, Field::Path(i));
    values(ui, cx, draft.kind, &mut vary, i);
    if removed {
        draft.vary.remove(i);
        cx.local.lab.picking = None;
    } else {
        draft.vary[i] = vary;
    }
}

/// A path with values to begin with: some of those it may take, or around the one it has.
fn suggestion(cx: &Cx<'_>, kind: Kind, path: &str) -> Option<Vary> {
    let offered = choices::values(path);
    let now = sim_core::time::Instant::ZERO;
    let first = path.replace(".server.*.", ".server.0.");
    let written = cx
        .state
        .scenario
        .as_ref()?
        .values_at(now, &[path.to_owned(), first]);
    let default = choices::row_of(path).and_then(|row| row.default.clone());
    let own = written.into_iter().flatten().next().or(default);
    let own = own.unwrap_or_default().trim_matches('"').to_owned();
    if !offered.is_empty() {
        let mut values = vec![own.as_str()];
        values.extend(
            offered
                .iter()
                .map(|c| c.text.as_str())
                .filter(|v| *v != own),
        );
        values.retain(|value| !value.is_empty());
        return Some(Vary::list(path, values[..values.len().min(3)].join(", ")));
    }
    let digits = own.trim_end_matches(|c: char| c.is_alphabetic() || c == '%');
    let unit = &own[digits.len()..];
    let Ok(value) = digits.parse::<f64>() else {
        return Some(Vary::list(path, own));
    };
    let whole = choices::row_of(path).is_some_and(|row| row.kind.contains("whole"));
    let write = |factor: f64| {
        let number = value * factor;
        let number = if whole {
            number.round().max(1.0)
        } else {
            number
        };
        format!("{number}{unit}")
    };
    if kind == Kind::Sweep && value > 0.0 && !whole {
        return Some(Vary::range(path, [&write(0.5), &write(2.0)], 5));
    }
    let mut values = [0.5, 1.0, 2.0].map(write).to_vec();
    values.dedup();
    Some(Vary::list(path, values.join(", ")))
}

fn values(ui: &mut egui::Ui, cx: &mut Cx<'_>, kind: Kind, vary: &mut Vary, i: usize) {
    let offered = choices::values(vary.path.trim());
    row(ui, "values", |ui| {
        if kind == Kind::Sweep {
            for (spread, word) in [
                (Spread::List, "List"),
                (Spread::Range, "Range"),
                (Spread::Log, "Log range"),
            ] {
                let words = RichText::new(word).font(font(12.0));
                let button = egui::Button::selectable(vary.spread == spread, words);
                let response = ui.add(button);
                let chosen = vary.spread == spread;
                response.widget_info(|| {
                    let name = format!("values {}: {word}", i + 1);
                    egui::WidgetInfo::selected(egui::Role::Button, true, chosen, name)
                });
                if response.clicked() {
                    vary.spread = spread;
                }
            }
        } else {
            vary.spread = Spread::List;
        }
        if vary.spread == Spread::List {
            let width = ui.available_width() - if offered.is_empty() { 8.0 } else { 60.0 };
            field(ui, &mut vary.list, &format!("values {}", i + 1), width)
                .on_hover_text("Values with commas between; a value may be a table: { kind = \"fixed\", attempts = 3 }");
            if !offered.is_empty() {
                pick(ui, cx, Field::Values(i), &format!("pick values {}", i + 1));
            }
        } else {
            let p = Palette::of(ui);
            for (part, (word, width)) in [("from", 64.0), ("to", 64.0), ("values", 36.0)]
                .into_iter()
                .enumerate()
            {
                if part < 2 {
                    ui.label(RichText::new(word).font(font(12.0)).color(p.weak));
                }
                field(
                    ui,
                    &mut vary.range[part],
                    &format!("{word} of path {}", i + 1),
                    width,
                );
            }
            ui.label(RichText::new("values").font(font(12.0)).color(p.weak));
        }
    });
    let known = vary.clone();
    if let Some(picked) = list(ui, cx, Field::Values(i), &offered, &|text| known.has(text)) {
        vary.toggle(&picked);
    }
    refusals(ui, cx.state, Field::Values(i));
}

/// What is done, and in which part of the run it is tried.
fn acts(ui: &mut egui::Ui, cx: &Cx<'_>, draft: &mut Draft) {
    let (mut removed, mut more) = (None, false);
    let count = draft.acts.len();
    for (i, act) in draft.acts.iter_mut().enumerate() {
        row(ui, if i == 0 { "do" } else { "and" }, |ui| {
            let width = ui.available_width() - 84.0;
            field(ui, act, &format!("act {}", i + 1), width).on_hover_text(
                "A change such as web-1.weight = 3, or an act such as restart web-1",
            );
            if i + 1 == count {
                let button = ui.small_button("+");
                let name = "one more act";
                button.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, name));
                more = button
                    .on_hover_text("One more, done at the same moment")
                    .clicked();
            }
            if count > 1 {
                let close = ui.small_button("×");
                let name = format!("remove act {}", i + 1);
                close.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, &name));
                if close.on_hover_text("Do not do this").clicked() {
                    removed = Some(i);
                }
            }
        });
        refusals(ui, cx.state, Field::Act(i));
    }
    if let Some(i) = removed {
        draft.acts.remove(i);
    }
    if more {
        draft.acts.push(String::new());
    }
    row(ui, "between", |ui| {
        let width = ui.available_width() - 84.0;
        field(ui, &mut draft.between, "between", width).on_hover_text(
            "The moments that are tried, such as 12:20..13:00; empty for all of the run",
        );
    });
    refusals(ui, cx.state, Field::Between);
}

fn measures(ui: &mut egui::Ui, cx: &mut Cx<'_>, draft: &mut Draft) {
    row(ui, "measure", |ui| {
        let mut text = draft.measures.join(", ");
        let width = ui.available_width() - 60.0;
        if field(ui, &mut text, "measures", width).changed() {
            let parts = text.split(',').map(|part| part.trim_start().to_owned());
            draft.measures = parts.collect();
            if draft.measures.iter().all(String::is_empty) {
                draft.measures.clear();
            }
        }
        pick(ui, cx, Field::Measures, "pick measures");
    });
    if cx.local.lab.picking == Some(Field::Measures)
        && let Some(model) = cx.state.model()
    {
        let all = choices::measures(model);
        let known = draft.measures.clone();
        let chosen = |text: &str| known.iter().any(|measure| measure == text);
        if let Some(picked) = list(ui, cx, Field::Measures, &all, &chosen) {
            if chosen(&picked) {
                draft.measures.retain(|measure| *measure != picked);
            } else {
                draft.measures.push(picked);
            }
        }
    }
    refusals(ui, cx.state, Field::Measures);
}

/// Replications, one more path, and the button that begins.
fn last_line(ui: &mut egui::Ui, cx: &mut Cx<'_>, draft: &mut Draft) {
    let p = Palette::of(ui);
    let most = match draft.kind {
        Kind::Comparison => 3,
        Kind::Sweep => 2,
        Kind::Deadline => 0,
    };
    row(ui, "replications", |ui| {
        field(ui, &mut draft.replications, "number of replications", 52.0)
            .on_hover_text("Runs of each variant or cell; intervals need at least 5");
        if draft.vary.len() < most {
            let words = if draft.vary.is_empty() {
                "+ vary a path"
            } else {
                "+ one more path"
            };
            if ui.button(RichText::new(words).font(font(12.0))).clicked()
                && let Some(model) = cx.state.model()
            {
                let next = draft.next_axis(model);
                draft.vary.push(next);
            }
        }
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            let words = RichText::new("Run")
                .font(bold_font(13.0))
                .color(p.on_accent);
            let button = egui::Button::new(words)
                .fill(p.accent)
                .min_size(egui::vec2(64.0, 26.0));
            let response = ui.add(button);
            response.widget_info(|| {
                egui::WidgetInfo::labeled(egui::Role::Button, true, "run the experiment")
            });
            if response.clicked() {
                let mut asked = draft.clone();
                asked.measures.retain(|measure| !measure.trim().is_empty());
                run(cx, asked);
            }
            if let Some(runs) = count(draft) {
                ui.label(RichText::new(runs).font(font(12.0)).color(p.weak));
            }
        });
    });
    refusals(ui, cx.state, Field::Replications);
}

/// How many runs that would be, where that is known.
fn count(draft: &Draft) -> Option<String> {
    if draft.kind == Kind::Deadline {
        return None;
    }
    let values = |vary: &Vary| match vary.spread {
        Spread::List => Some(split(&vary.list).len()),
        _ => vary.range[2].trim().parse().ok(),
    };
    let cells: Option<usize> = draft
        .vary
        .iter()
        .map(values)
        .try_fold(1, |all, n| n.and_then(|n| usize::checked_mul(all, n)));
    let scenarios = match draft.kind {
        Kind::Comparison => draft.branches.len(),
        Kind::Sweep | Kind::Deadline => 1,
    };
    let cells = cells?.checked_mul(scenarios)?;
    let replications: usize = draft.replications.trim().parse().ok()?;
    let noun = match draft.kind {
        Kind::Comparison => "variant",
        Kind::Sweep | Kind::Deadline => "cell",
    };
    let runs = cells.checked_mul(replications)?;
    Some(format!(
        "{} × {replications} = {}",
        readable::counted(cells, noun),
        readable::counted(runs, "run")
    ))
}
