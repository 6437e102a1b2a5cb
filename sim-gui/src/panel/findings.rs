//! What the doctor found: as a list, and as marks beside the lines of the text.

use super::{Cx, progress};
use crate::command::{self, Command};
use crate::doctor::Examined;
use crate::experiment::Over;
use crate::icon::{self, Icon};
use crate::theme::{Palette, bold_font, font};
use eframe::egui::{self, Rect, RichText, Sense, vec2};
use sim_core::doctor::Finding;

/// Width of what a mark shows when it is clicked.
const WIDTH: f32 = 400.0;

/// How far the doctor is or what came of it, in a line, with what can be done about it.
pub(crate) fn status(ui: &mut egui::Ui, cx: &mut Cx<'_>) {
    let Some(examined) = &cx.state.doctor else {
        return;
    };
    let p = Palette::of(ui);
    if examined.is_running() {
        let stop = ("stop-doctor", Command::StopDoctor);
        return progress::draw(ui, cx, &examined.report, stop);
    }
    ui.horizontal_wrapped(|ui| {
        let dangerous = examined.dangerous().count() > 0;
        let (shape, colour) = match examined.report.over {
            _ if examined.stale => (Icon::Ring, p.weak),
            Some(Over::Broken) => (Icon::Cross, p.bad),
            _ if dangerous => (Icon::Triangle, p.warn),
            Some(Over::Complete) => (Icon::Tick, p.good),
            _ => (Icon::Square, p.warn),
        };
        icon::inline(ui, shape, colour, 12.0);
        let ink = if examined.stale { p.weak } else { p.text };
        let words = RichText::new(examined.headline()).font(bold_font(12.5));
        ui.label(words.color(ink));
        if (examined.stale || examined.report.over != Some(Over::Complete))
            && ui
                .button("Examine again")
                .on_hover_text(command::hint("doctor"))
                .clicked()
        {
            cx.does(Command::Doctor);
        }
    });
}

/// All findings, what costs most first.
pub(crate) fn list(ui: &mut egui::Ui, cx: &mut Cx<'_>) {
    let state = cx.state;
    let Some(examined) = &state.doctor else {
        return;
    };
    ui.add_space(4.0);
    super::heading(ui, "Doctor");
    status(ui, cx);
    ui.add_space(4.0);
    for (number, finding) in examined.findings().iter().enumerate() {
        if finding.matters() || cx.local.quiet {
            ui.push_id(("finding", number), |ui| {
                one(ui, cx, examined, number, finding);
            });
            ui.add_space(8.0);
        }
    }
    if examined.findings().iter().any(|finding| !finding.matters()) {
        ui.checkbox(&mut cx.local.quiet, "doubts of which nothing came");
    }
}

/// A finding: the rule, what is odd, what was seen, and what mends it.
fn one(ui: &mut egui::Ui, cx: &mut Cx<'_>, examined: &Examined, number: usize, finding: &Finding) {
    let p = Palette::of(ui);
    let matters = finding.matters() && !examined.stale;
    let ink = if examined.stale { p.weak } else { p.text };
    ui.horizontal_wrapped(|ui| {
        let (shape, colour) = if matters {
            (Icon::Triangle, p.warn)
        } else {
            (Icon::Ring, p.weak)
        };
        icon::inline(ui, shape, colour, 12.0);
        let name = format!("{}  {}", number + 1, finding.rule.id);
        ui.label(RichText::new(name).font(bold_font(13.0)).color(ink));
        if let Some(line) = examined.line(finding) {
            let words = RichText::new(format!("line {line}")).font(font(11.5));
            let link = ui.add_enabled(!examined.stale, egui::Link::new(words));
            if link.on_hover_text("Shows the line in the text").clicked() {
                cx.does(Command::Line(line));
            }
        }
    });
    ui.label(
        RichText::new(&finding.doubt.says)
            .font(font(12.5))
            .color(ink),
    );
    for line in finding.words() {
        ui.label(RichText::new(line).font(font(12.0)).color(ink));
    }
    let about = RichText::new(finding.rule.about).font(font(11.5));
    ui.label(about.color(p.weak))
        .on_hover_text(format!("source: {}", finding.rule.source));
    if !examined.stale {
        mends(ui, cx, examined, number, finding);
    }
}

/// The button that writes what mends into the text, and what is left to people's hands.
fn mends(
    ui: &mut egui::Ui,
    cx: &mut Cx<'_>,
    examined: &Examined,
    number: usize,
    finding: &Finding,
) {
    let p = Palette::of(ui);
    let mended = examined.mended(finding);
    for (path, value) in &mended.by_hand {
        let words = RichText::new(format!("by hand: {path} = {value}")).font(font(11.5));
        ui.label(words.color(p.weak));
    }
    if !mended.lines.is_empty() {
        let lines: Vec<String> = mended.lines.iter().map(usize::to_string).collect();
        let word = if lines.len() == 1 { "line" } else { "lines" };
        let hint = format!(
            "Writes the change into {word} {}; Run runs it",
            lines.join(", ")
        );
        let button = egui::Button::new(format!("Mend {word} {}", lines.join(", ")));
        if ui.add(button).on_hover_text(hint).clicked() {
            cx.does(Command::Mend(number));
            egui::Popup::close_all(ui.ctx());
        }
    }
}

/// Lines with findings that matter, each with the number of the one that costs most.
pub(crate) fn lines(examined: &Examined) -> Vec<(usize, Vec<usize>)> {
    let mut lines: Vec<(usize, Vec<usize>)> = Vec::new();
    for (number, finding) in examined.dangerous().filter(|_| !examined.stale) {
        let Some(line) = examined.line(finding) else {
            continue;
        };
        match lines.iter_mut().find(|(known, _)| *known == line) {
            Some((_, numbers)) => numbers.push(number),
            None => lines.push((line, vec![number])),
        }
    }
    lines
}

/// A mark in a rectangle beside a line: the pointer on it shows what was found there, a click
/// keeps that open.
pub(crate) fn mark(ui: &mut egui::Ui, cx: &mut Cx<'_>, rect: Rect, line: usize, numbers: &[usize]) {
    let state = cx.state;
    let Some(examined) = &state.doctor else {
        return;
    };
    let p = Palette::of(ui);
    let response = ui.interact(rect, ui.scope_id().with(("finding", line)), Sense::click());
    let rules = numbers.iter().map(|n| examined.findings()[*n].rule.id);
    let rules: Vec<&str> = rules.collect();
    let name = format!("line {line}: {}", rules.join(", "));
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, &name));
    let size = if response.hovered() || response.has_focus() {
        13.0
    } else {
        11.0
    };
    let place = Rect::from_center_size(rect.center(), vec2(size, size));
    Icon::Triangle.paint(ui.painter(), place, p.warn);
    let open = egui::Popup::is_id_open(ui.ctx(), egui::Popup::default_response_id(&response));
    if !open {
        let words = numbers.iter().map(|number| {
            let finding = &examined.findings()[*number];
            let seen = finding.words().join("\n");
            format!("{}: {}\n{seen}", finding.rule.id, finding.doubt.says)
        });
        let words: Vec<String> = words.collect();
        response.clone().on_hover_text(words.join("\n\n"));
    }
    egui::Popup::from_toggle_button_response(&response)
        .align(egui::RectAlign::BOTTOM_START)
        .gap(6.0)
        .close_behavior(egui::PopupCloseBehavior::CloseOnClickOutside)
        .show(|ui| {
            ui.set_max_width(WIDTH);
            for (i, number) in numbers.iter().enumerate() {
                if i > 0 {
                    ui.separator();
                }
                one(ui, cx, examined, *number, &examined.findings()[*number]);
            }
        });
}

/// What mending saves, in a few words for the end of the line.
pub(crate) fn beside(examined: &Examined, numbers: &[usize]) -> String {
    let Some(finding) = numbers.first().and_then(|n| examined.findings().get(*n)) else {
        return String::new();
    };
    let gain = finding.gain().unwrap_or_default();
    let more = match numbers.len() - 1 {
        0 => String::new(),
        n => format!("; {n} more"),
    };
    format!("{}: {gain}{more}", finding.rule.id)
}
