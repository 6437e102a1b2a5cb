//! A value and the ways to give it another: a text for everything, and beside it what its kind allows:
//! a box to tick, a list to choose from, a slider.
//!
//! What a kind allows comes from the tables of the core, as do unit, range and help.

use crate::local::Local;
use crate::theme::{Palette, font, mono};
use crate::value::unquoted;
use eframe::egui::{self, RichText, Slider};
use sim_core::scenario::{Input, KeyRow};
use sim_core::time::Duration;
use std::fmt::Write as _;
use std::ops::RangeInclusive;

/// Least width of a slider that can be aimed at.
const SLIDER_FROM: f32 = 40.0;
/// From here on a range has no end.
const NO_BOUND: f64 = 1e18;
/// Ranges up to this length are shown from end to end; of longer ones, what is about the value.
const WHOLE_RANGE: f64 = 1000.0;

/// A value in a form.
pub struct Field<'a> {
    /// What it is called here.
    pub name: &'a str,
    /// Its path.
    pub path: &'a str,
    /// Its row of the table of keys.
    pub row: &'a KeyRow,
    /// What is written; `None` where the default holds.
    pub value: Option<&'a str>,
    /// What a change does, for the help.
    pub hint: &'a str,
    /// How it is laid out.
    pub style: &'static Style,
}

/// How fields are laid out in a form.
pub struct Style {
    /// Width of the name before each.
    name_width: f32,
    /// Width kept for the unit behind it; without any it is in the help alone.
    unit_width: Option<f32>,
    /// What a field is, for those who cannot see it.
    what: &'static str,
    /// The same of its slider.
    slider: &'static str,
}

/// In a panel.
pub const PANEL: Style = Style {
    name_width: 128.0,
    unit_width: Some(84.0),
    what: "parameter",
    slider: "slider of",
};

/// On a card, where there is little room.
pub const CARD: Style = Style {
    name_width: 96.0,
    unit_width: None,
    what: "what if",
    slider: "what if, slider of",
};

impl Field<'_> {
    /// The value as it is typed: without the quotes of a text.
    fn current(&self) -> String {
        self.value
            .map_or_else(|| self.row.default.clone().unwrap_or_default(), unquoted)
    }

    /// Unit, range, default and meaning.
    fn help(&self) -> String {
        let row = self.row;
        let mut help = format!("{}\n{}\n", self.path, row.about);
        for (label, text) in [
            ("what", &row.kind),
            ("unit", &row.unit),
            ("range", &row.range),
        ] {
            if !text.is_empty() {
                let _ = writeln!(help, "{label}: {text}");
            }
        }
        if let Some(default) = &row.default {
            let _ = writeln!(help, "default: {default}");
        }
        help.push_str(self.hint);
        help
    }
}

/// Draws a field; the value that was chosen, once it is.
pub fn field(ui: &mut egui::Ui, field: &Field<'_>, local: &mut Local) -> Option<String> {
    let p = Palette::of(ui);
    let (current, help) = (field.current(), field.help());
    let typing = local.typing.as_ref().filter(|(path, _)| path == field.path);
    let mut typed = typing.map_or_else(|| current.clone(), |(_, text)| text.clone());
    let mut chosen = None;
    ui.horizontal(|ui| {
        let colour = if field.value.is_some() {
            p.text
        } else {
            p.weak
        };
        let words = RichText::new(field.name).font(font(12.0)).color(colour);
        let left = egui::Layout::left_to_right(egui::Align::Center);
        ui.allocate_ui_with_layout(egui::vec2(field.style.name_width, 20.0), left, |ui| {
            ui.set_min_width(field.style.name_width);
            ui.add(egui::Label::new(words).truncate())
                .on_hover_text(&help);
        });
        let room = ui.available_width() - field.style.unit_width.unwrap_or(4.0);
        chosen = match &field.row.input {
            Input::Flag => tick(ui, field, &current),
            Input::Words(words) => {
                let words = words.iter().map(|word| (*word, (*word).to_owned()));
                choose(ui, field, &current, room, words, local)
            }
            Input::Kinds(kinds) => {
                let half = (room * 0.5).max(70.0);
                let from_list = choose(ui, field, &current, half, kinds.iter().cloned(), local);
                from_list
                    .or_else(|| text(ui, field, &current, &mut typed, room - half - 8.0, local))
            }
            Input::Number { min, max, whole } => {
                let range = (*min, *max);
                let slider = Sliding::of_number(&current, &typed, range, *whole);
                slide(ui, field, slider, &current, &mut typed, room, local)
            }
            Input::Span => {
                let slider = Sliding::of_span(&current, &typed);
                slide(ui, field, slider, &current, &mut typed, room, local)
            }
            Input::Text => {
                let measured = ["size", "threshold"]
                    .iter()
                    .any(|kind| field.row.kind.starts_with(kind));
                let slider = Sliding::of_measured(&current, &typed).filter(|_| measured);
                slide(ui, field, slider, &current, &mut typed, room, local)
            }
        };
        let unit = if field.row.unit.is_empty() {
            &field.row.kind
        } else {
            &field.row.unit
        };
        // A list of words says itself what there is.
        if field.style.unit_width.is_some()
            && !matches!(field.row.input, Input::Words(_) | Input::Flag)
        {
            let unit = RichText::new(unit).font(font(11.0)).color(p.weak);
            ui.add(egui::Label::new(unit).truncate())
                .on_hover_text(&help);
        }
    });
    chosen
}

/// A box to tick.
fn tick(ui: &mut egui::Ui, field: &Field<'_>, current: &str) -> Option<String> {
    let mut on = current == "true";
    let word = if on { "yes" } else { "no" };
    let response = ui.checkbox(&mut on, word);
    let name = named(field);
    response.widget_info(|| egui::WidgetInfo::selected(egui::Role::CheckBox, true, on, &name));
    let changed = response.changed();
    response.on_hover_text(field.help());
    changed.then(|| on.to_string())
}

/// A list to choose from. What still lacks a parameter is put into the text to be completed.
fn choose(
    ui: &mut egui::Ui,
    field: &Field<'_>,
    current: &str,
    width: f32,
    choices: impl Iterator<Item = (&'static str, String)>,
    local: &mut Local,
) -> Option<String> {
    let mut chosen = None;
    let word = kind_of(current);
    let list = egui::ComboBox::from_id_salt(("choices", field.path))
        .width(width)
        .selected_text(RichText::new(word).font(mono(11.5)));
    let shown = list.show_ui(ui, |ui| {
        for (name, written) in choices {
            if ui.selectable_label(name == word, name).clicked() && name != word {
                chosen = Some(written);
            }
        }
    });
    let name = format!("choices of {}", field.path);
    shown
        .response
        .widget_info(|| egui::WidgetInfo::labeled(egui::Role::ComboBox, true, &name));
    shown.response.on_hover_text(field.help());
    let written = chosen?;
    if written.contains("=  }") || written.contains("= ,") {
        local.typing = Some((field.path.to_owned(), written));
        ui.memory_mut(|memory| memory.request_focus(text_id(ui, field)));
        return None;
    }
    Some(written)
}

/// The kind of an extension value: its name, or what its table says.
pub(crate) fn kind_of(value: &str) -> &str {
    let named = value.split_once("kind = \"").map(|(_, rest)| rest);
    let word = named.and_then(|rest| rest.split_once('"'));
    word.map_or(value, |(word, _)| word)
}

/// The value as text: Enter chooses it.
fn text(
    ui: &mut egui::Ui,
    field: &Field<'_>,
    current: &str,
    typed: &mut String,
    width: f32,
    local: &mut Local,
) -> Option<String> {
    let edit = egui::TextEdit::singleline(typed)
        .id(text_id(ui, field))
        .font(egui::FontSelection::FontId(mono(11.5)))
        .align(egui::Align2::LEFT_CENTER)
        .desired_width(width.max(40.0) - 8.0);
    let response = ui.add(edit);
    let name = named(field);
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::TextInput, true, &name));
    if response.changed() {
        local.typing = Some((field.path.to_owned(), typed.clone()));
    }
    let mut chosen = None;
    if response.lost_focus() {
        if ui.input(|i| i.key_pressed(egui::Key::Enter)) && typed != current {
            chosen = Some(typed.clone());
        }
        local.typing = None;
    }
    response.on_hover_text(field.help());
    chosen
}

fn text_id(ui: &egui::Ui, field: &Field<'_>) -> egui::Id {
    ui.make_persistent_id((field.style.what, field.path))
}

/// What it is called for those who cannot see it.
fn named(field: &Field<'_>) -> String {
    format!("{} {}", field.style.what, field.path)
}

/// A slider, as far as there is room for one, and the text.
fn slide(
    ui: &mut egui::Ui,
    field: &Field<'_>,
    sliding: Option<Sliding>,
    current: &str,
    typed: &mut String,
    room: f32,
    local: &mut Local,
) -> Option<String> {
    let width = room * 0.45;
    let Some(sliding) = sliding.filter(|_| width >= SLIDER_FROM) else {
        return text(ui, field, current, typed, room, local);
    };
    let mut value = sliding.value;
    ui.spacing_mut().slider_width = width;
    let slider = Slider::new(&mut value, sliding.range.clone())
        .logarithmic(sliding.log)
        .smallest_positive(1e-9)
        // Drawing a value that lies elsewhere, or between its steps, must not change it.
        .clamping(egui::SliderClamping::Edits)
        .show_value(false);
    let slider = match sliding.what {
        What::Whole => slider.integer(),
        What::Number | What::Span | What::Measured(_) => slider,
    };
    let response = ui.add(slider);
    let name = format!("{} {}", field.style.slider, field.path);
    response.widget_info(|| egui::WidgetInfo::slider(true, value, &name));
    local.sliding |= response.has_focus();
    if response.changed() {
        *typed = sliding.text(value);
        local.typing = Some((field.path.to_owned(), typed.clone()));
    }
    // While it is dragged nothing is decided yet; an arrow key decides at once.
    let decided = response.drag_stopped() || response.changed() && !response.dragged();
    response.on_hover_text(field.help());
    if decided && typed != current {
        local.typing = None;
        return Some(typed.clone());
    }
    text(ui, field, current, typed, room - width - 8.0, local)
}

/// Where a slider stands, and what it goes through.
#[derive(Clone, PartialEq, Debug)]
struct Sliding {
    value: f64,
    range: RangeInclusive<f64>,
    log: bool,
    what: What,
}

#[derive(Clone, PartialEq, Debug)]
enum What {
    Number,
    Whole,
    /// In seconds.
    Span,
    /// In a unit of its own, such as `GiB`.
    Measured(String),
}

impl Sliding {
    /// Of a number within `limits`; none where the value is no number.
    fn of_number(current: &str, typed: &str, limits: (f64, f64), whole: bool) -> Option<Self> {
        let number = |text: &str| match text.trim().strip_suffix('%') {
            Some(percent) => percent.trim().parse::<f64>().ok().map(|p| p / 100.0),
            None => text.trim().parse::<f64>().ok(),
        };
        let now = number(current).filter(|n| n.is_finite())?;
        let what = if whole { What::Whole } else { What::Number };
        let (min, max) = limits;
        // A seed, say: any number is as good as another. And what is not allowed is no place to begin.
        if max >= NO_BOUND || !(min..=max).contains(&now) {
            return None;
        }
        let (range, log) = if max - min <= WHOLE_RANGE {
            (min..=max, false)
        } else if now > 0.0 {
            let least = if whole {
                (now / 10.0).floor()
            } else {
                now / 10.0
            };
            (least.max(min)..=(now * 10.0).min(max), true)
        } else {
            (min..=(min + 10.0).min(max), false)
        };
        let value = number(typed).unwrap_or(now);
        Some(Self {
            value,
            range,
            log,
            what,
        })
    }

    /// Of a span; none where the value is none, or nothing.
    fn of_span(current: &str, typed: &str) -> Option<Self> {
        let seconds = |text: &str| Duration::parse(text).ok().map(Duration::as_secs_f64);
        let now = seconds(current).filter(|s| *s > 0.0)?;
        Some(Self {
            value: seconds(typed).unwrap_or(now),
            range: now / 10.0..=now * 10.0,
            log: true,
            what: What::Span,
        })
    }

    /// Of an amount with its unit, such as a size; none where it is no such amount.
    fn of_measured(current: &str, typed: &str) -> Option<Self> {
        let parts = |text: &str| {
            let text = text.trim();
            let end = text.find(|c: char| !(c.is_ascii_digit() || c == '.'));
            let (number, unit) = text.split_at(end.unwrap_or(text.len()));
            let unit = unit.trim().to_owned();
            let fits = unit.chars().all(|c| c.is_ascii_alphabetic() || c == '%');
            Some((number.parse::<f64>().ok().filter(|_| fits)?, unit))
        };
        let (now, unit) = parts(current).filter(|(now, _)| *now > 0.0)?;
        let typed = parts(typed).filter(|(_, other)| *other == unit);
        Some(Self {
            value: typed.map_or(now, |(number, _)| number),
            range: now / 10.0..=now * 10.0,
            log: true,
            what: What::Measured(unit),
        })
    }

    /// A value as it is written, to three digits: a slider is no finer.
    fn text(&self, value: f64) -> String {
        let value = value.clamp(*self.range.start(), *self.range.end());
        let rounded: f64 = format!("{value:.2e}").parse().unwrap_or(value);
        match &self.what {
            What::Whole if value >= 1000.0 => format!("{rounded:.0}"),
            What::Whole => format!("{value:.0}"),
            What::Number => rounded.to_string(),
            What::Measured(unit) => format!("{rounded}{unit}"),
            What::Span => Duration::from_nanos_f64(rounded * 1e9).to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slider_goes_through_short_ranges_and_about_the_value_in_long_ones() {
        let share = Sliding::of_number("20%", "20%", (0.0, 1.0), false).expect("a number");
        assert_eq!((share.value, share.range), (0.2, 0.0..=1.0));
        let weight = Sliding::of_number("100", "100", (0.0, 1e9), false).expect("a number");
        assert_eq!((weight.range.clone(), weight.log), (10.0..=1000.0, true));
        let few = Sliding::of_number("4", "4", (1.0, 1e6), true).expect("a number");
        assert_eq!(few.range, 1.0..=40.0);
        let odd = Sliding::of_number("25", "25", (1.0, 1e6), true).expect("a number");
        assert_eq!(odd.range, 2.0..=250.0);
        let beyond = Sliding::of_number("100000000", "100000000", (1.0, 1e6), true);
        assert_eq!(beyond, None);
        let nothing = Sliding::of_number("0", "0", (0.0, 1e9), true).expect("a number");
        assert_eq!(nothing.range, 0.0..=10.0);
        assert_eq!(Sliding::of_number("none", "none", (0.0, 1.0), true), None);
        assert_eq!(Sliding::of_number("42", "42", (0.0, f64::MAX), true), None);
        let span = Sliding::of_span("250ms", "250ms").expect("a span");
        assert_eq!(span.range, 0.025..=2.5);
        assert_eq!(Sliding::of_span("none", "none"), None);
        assert_eq!(Sliding::of_span("0s", "0s"), None);
        let size = Sliding::of_measured("2GiB", "2GiB").expect("a size");
        assert_eq!((size.value, size.range.clone()), (2.0, 0.2..=20.0));
        assert_eq!(size.text(3.456), "3.46GiB");
        let plain = Sliding::of_measured("40", "55").expect("a number");
        assert_eq!((plain.value, plain.text(61.2)), (55.0, "61.2".to_owned()));
        assert_eq!(Sliding::of_measured("none", "none"), None);
        assert_eq!(Sliding::of_measured("{ a = 1 }", ""), None);
    }

    #[test]
    fn what_a_slider_says_is_what_a_scenario_takes() {
        let weight = Sliding::of_number("100", "100", (0.0, 1e9), false).expect("a number");
        assert_eq!(weight.text(123.4), "123");
        assert_eq!(weight.text(12.34), "12.3");
        let share = Sliding::of_number("0.2", "0.2", (0.0, 1.0), false).expect("a number");
        assert_eq!(share.text(0.1234), "0.123");
        assert_eq!(share.text(0.5), "0.5");
        assert_eq!(share.text(0.0), "0");
        assert_eq!(share.text(7.0), "1");
        let few = Sliding::of_number("4", "4", (1.0, 1e6), true).expect("a number");
        assert_eq!(few.text(7.4), "7");
        let many = Sliding::of_number("400", "400", (1.0, 1e6), true).expect("a number");
        assert_eq!(many.text(1234.0), "1230");
        let span = Sliding::of_span("250ms", "250ms").expect("a span");
        assert_eq!(span.text(0.1234), "123ms");
        assert_eq!(span.text(1.26), "1s260ms");
    }

    #[test]
    fn the_kind_of_a_value_is_its_name_or_in_its_table() {
        assert_eq!(kind_of("random"), "random");
        assert_eq!(kind_of("{ kind = \"power-of-d\", d = 3 }"), "power-of-d");
        assert_eq!(kind_of("10ms"), "10ms");
    }
}
