//! What the monitoring knows at the moment shown, beside what is true then.

use crate::icon::Icon;
use crate::playback::{BranchReport, View};
use crate::state::State;
use crate::theme::{Palette, bold_font, font};
use eframe::egui::{self, Rect, RichText, Sense, Vec2, pos2, vec2};
use sim_core::alert_rule::Watched;
use sim_core::engine::Look;
use sim_core::metric::Scope;
use sim_core::readable;
use sim_core::summary::AlertNow;

/// Alerts of which it is shown at most.
const ROWS: usize = 12;

/// Rows of what is known: all alerts, or those about one thing.
pub(super) fn rows<'a>(
    view: &'a View,
    branch: &'a BranchReport,
    about: Option<Scope>,
) -> impl Iterator<Item = &'a AlertNow> {
    let watched = move |now: &AlertNow| branch.model.alerts[now.alert].watched.metric();
    let fits = move |now: &&AlertNow| {
        about.is_none_or(|about| watched(now).is_some_and(|(_, scope)| scope == about))
    };
    view.known.iter().filter(fits)
}

/// Its words: what is known and how old that is, and what is true.
fn words(view: &View, branch: &BranchReport, now: &AlertNow) -> [String; 2] {
    let age = now.as_of.map_or_else(String::new, |at| {
        format!(", {} old", readable::span(view.at.since(at)))
    });
    let truth = now.truth.as_ref().map(|look| look.value.clone());
    let known = if truth.is_none() && branch.model.alerts[now.alert].watched == Watched::Expression
    {
        "too many series".to_owned()
    } else {
        format!("{}{age}", now.known.value)
    };
    [known, truth.unwrap_or_else(|| "–".to_owned())]
}

/// Draws it: an alert a row; nothing where there is no monitoring.
pub(super) fn draw(ui: &mut egui::Ui, state: &State, about: Option<Scope>) {
    let Some((view, branch)) = state.view().zip(state.main()) else {
        return;
    };
    let all: Vec<&AlertNow> = rows(view, branch, about).collect();
    if all.is_empty() {
        return;
    }
    let p = Palette::of(ui);
    ui.add_space(4.0);
    line(
        ui,
        &["alert", "known then", "true now"].map(|head| (head.to_owned(), false)),
        true,
    );
    for now in all.iter().take(ROWS) {
        let alert = &branch.model.alerts[now.alert];
        let [known, truth] = words(view, branch, now);
        let holds = |look: Option<&Look>| look.is_some_and(|look| look.holds);
        let cells = [
            (alert.name.clone(), false),
            (known, holds(Some(&now.known))),
            (truth, holds(now.truth.as_ref())),
        ];
        let [_, (known, _), (truth, _)] = &cells;
        line(ui, &cells, false).on_hover_text(format!(
            "{}: {}\nKnown then, by what had been scraped and could be seen: {known}\nTrue now, of the same window up to \
             this moment: {truth}\nA triangle says that the condition holds.",
            alert.name, alert.text
        ));
    }
    if all.len() > ROWS {
        let more = format!("{} more alerts", all.len() - ROWS);
        ui.label(RichText::new(more).font(font(11.0)).color(p.weak));
    }
}

/// Three cells, each cut short where there is no room; those in which a condition holds with a triangle.
fn line(ui: &mut egui::Ui, cells: &[(String, bool); 3], head: bool) -> egui::Response {
    let p = Palette::of(ui);
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), 16.0), Sense::hover());
    let widths = [0.30, 0.42, 0.28];
    let mut left = rect.left();
    for (i, ((text, holds), share)) in cells.iter().zip(widths).enumerate() {
        let width = rect.width() * share;
        let face = if head || i == 0 {
            font(11.5)
        } else {
            bold_font(12.0)
        };
        let colour = if head || i == 0 { p.weak } else { p.text };
        let mut job = egui::text::LayoutJob::simple_singleline(text.clone(), face, colour);
        job.wrap = egui::text::TextWrapping::truncate_at_width(width - 20.0);
        let galley = ui.painter().layout_job(job);
        if *holds {
            let spot = Rect::from_center_size(pos2(left + 4.0, rect.center().y), Vec2::splat(8.5));
            Icon::Triangle.paint(ui.painter(), spot, p.warn);
        }
        let indent = if i == 0 { 0.0 } else { 12.0 };
        let at = pos2(left + indent, rect.center().y - galley.size().y / 2.0);
        ui.painter().galley(at, galley, colour);
        left += width;
    }
    let [(alert, _), (known, _), (truth, _)] = cells;
    let name = format!("alert {alert}: known {known}; true {truth}");
    if !head {
        response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Label, true, &name));
    }
    response
}

/// The same in words.
pub(super) fn text(state: &State, about: Option<Scope>) -> String {
    let Some((view, branch)) = state.view().zip(state.main()) else {
        return String::new();
    };
    let line = |now: &AlertNow| {
        let alert = &branch.model.alerts[now.alert];
        let [known, truth] = words(view, branch, now);
        format!(
            "alert {} ({}): known {known}; true {truth}\n",
            alert.name, alert.text
        )
    };
    rows(view, branch, about).map(line).collect()
}
