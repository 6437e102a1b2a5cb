//! The scenario as a form: every value that its text sets, with the widget of its kind. A change is
//! written into the text where the value stands; remarks and order stay.

use super::super::Cx;
use crate::form::{self, Field};
use crate::theme::{Palette, font};
use crate::value::written;
use eframe::egui::{self, RichText};
use sim_core::scenario::{Source, Written, key_rows, outline};

pub(super) fn draw(ui: &mut egui::Ui, cx: &mut Cx<'_>, typed: &mut String) {
    let name = cx.state.source.name.clone();
    let json = std::path::Path::new(&name).extension();
    if json.is_some_and(|ending| ending.eq_ignore_ascii_case("json")) {
        return super::super::nothing(ui, "The form is for scenarios in TOML; this one is JSON.");
    }
    let fresh = (cx.local.outline.as_ref()).is_some_and(|(text, _)| text == typed);
    if !fresh {
        let found = outline(&Source::new(name, typed.clone()));
        cx.local.outline = Some((typed.clone(), found));
    }
    let values = cx
        .local
        .outline
        .as_ref()
        .and_then(|(_, found)| found.clone());
    let Some(values) = values else {
        let why =
            "The text cannot be read as it stands: mend it under Text, and its values are here.";
        return super::super::nothing(ui, why);
    };
    ui.horizontal(|ui| {
        let search = egui::TextEdit::singleline(&mut cx.local.filter)
            .hint_text("find a value")
            .desired_width(180.0);
        ui.add(search)
            .widget_info(|| egui::WidgetInfo::labeled(egui::Role::TextInput, true, "find a value"));
        let p = Palette::of(ui);
        let hint = "What is not written has its default: add it under Text.";
        ui.label(RichText::new(hint).font(font(11.0)).color(p.weak));
    });
    let wanted = cx.local.filter.trim().to_lowercase();
    let mut change = None;
    egui::ScrollArea::vertical()
        .id_salt("values")
        .auto_shrink([false, false])
        .show(ui, |ui| {
            let mut before = String::new();
            let shown = values
                .iter()
                .filter(|w| w.path.to_lowercase().contains(&wanted));
            for value in shown {
                let (thing, name) = split(&value.path);
                if thing != before {
                    ui.add_space(4.0);
                    super::super::heading(ui, &thing);
                    before = thing;
                }
                if let Some(new) = one(ui, value, &name, cx) {
                    let new = written(&key_rows()[value.row], &new);
                    change = Some((value.place.clone(), new));
                }
            }
        });
    if let Some((place, new)) = change
        && typed.get(place.clone()).is_some()
    {
        typed.replace_range(place, &new);
    }
}

fn one(ui: &mut egui::Ui, value: &Written, name: &str, cx: &mut Cx<'_>) -> Option<String> {
    let field = Field {
        name,
        path: &value.path,
        row: &key_rows()[value.row],
        value: Some(&value.value),
        hint: "What is changed is written into the text; Run runs it.",
        style: &form::PANEL,
    };
    form::field(ui, &field, cx.local)
}

/// What a value belongs to, and what it is called there.
fn split(path: &str) -> (String, String) {
    let words: Vec<&str> = path.split('.').collect();
    let belongs = match words.as_slice() {
        ["service", _, "server", _, _, ..] => 4,
        ["service", _, "balancer" | "call", _, ..] => 3,
        [
            "service" | "traffic" | "class" | "alert" | "slo" | "timeline" | "expect",
            _,
            _,
            ..,
        ] => 2,
        [_, _, ..] => 1,
        _ => 0,
    };
    let thing = match belongs {
        0 => "scenario".to_owned(),
        n => words[..n].join(" "),
    };
    (thing, words[belongs..].join(" "))
}

#[cfg(test)]
mod tests {
    use super::split;

    #[test]
    fn a_value_is_called_by_what_it_belongs_to() {
        for (path, thing, name) in [
            ("horizon", "scenario", "horizon"),
            ("client.retry.attempts", "client", "retry attempts"),
            ("traffic.all.rate", "traffic all", "rate"),
            ("service.web.demand", "service web", "demand"),
            (
                "service.web.balancer.policy",
                "service web balancer",
                "policy",
            ),
            (
                "service.web.server.a.queue.limit",
                "service web server a",
                "queue limit",
            ),
        ] {
            assert_eq!(split(path), (thing.to_owned(), name.to_owned()));
        }
    }
}
