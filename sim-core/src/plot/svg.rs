//! A drawing in SVG: shapes and texts on white, in colours that everybody can tell apart.
//!
//! Coordinates are pixels from the upper left corner. Whatever comes from a scenario passes through
//! [`xml`]; numbers are written with two decimals at most, so that the same data gives the same
//! bytes. Series differ by colour, by dash and by mark: a plot must survive a black-and-white printer.

use crate::text::xml;
use std::fmt::Write as _;

/// Fonts, the common ones of each system first.
const FONTS: &str = "Helvetica Neue, Helvetica, Arial, Liberation Sans, DejaVu Sans, sans-serif";

/// Text and axes.
pub const INK: &str = "#1a1a1a";
/// Text of less weight: notes, ticks.
pub const FADED: &str = "#595959";
/// Lines behind the data.
pub const GRID: &str = "#e3e3e3";

/// How a series looks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Look {
    /// Its colour.
    pub colour: &'static str,
    /// Its dash pattern; empty for a solid line.
    pub dash: &'static str,
    /// The shape of its points.
    pub mark: Mark,
}

/// The shape of a point.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mark {
    /// A disc.
    Disc,
    /// A square.
    Square,
    /// A triangle that points up.
    Triangle,
    /// A square on its corner.
    Diamond,
}

const fn look(colour: &'static str, dash: &'static str, mark: Mark) -> Look {
    Look { colour, dash, mark }
}

/// Looks of series in their order; they repeat after the last. The colours are those of Okabe and
/// Ito (Color Universal Design, 2008), without its yellow, which is lost on white.
pub const LOOKS: [Look; 7] = [
    look("#0072B2", "", Mark::Disc),
    look("#D55E00", "7 3", Mark::Square),
    look("#009E73", "2 3", Mark::Triangle),
    look("#CC79A7", "9 3 2 3", Mark::Diamond),
    look("#56B4E9", "4 2", Mark::Square),
    look("#E69F00", "12 4", Mark::Triangle),
    look("#1a1a1a", "1 2", Mark::Disc),
];

impl Look {
    /// Of series number `index`.
    pub fn of(index: usize) -> Self {
        LOOKS[index % LOOKS.len()]
    }
}

/// Which part of a text stands at its coordinates.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Anchor {
    /// Its beginning.
    Start,
    /// Its middle.
    Middle,
    /// Its end.
    End,
}

/// How a text looks.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Font {
    /// Height in pixels.
    pub size: f64,
    /// Colour.
    pub colour: &'static str,
    /// Whether it is bold.
    pub bold: bool,
}

/// The title.
pub const TITLE: Font = font(15.0, INK, true);
/// Names of axes and series.
pub const LABEL: Font = font(12.0, INK, false);
/// Ticks and notes.
pub const SMALL: Font = font(11.0, FADED, false);

const fn font(size: f64, colour: &'static str, bold: bool) -> Font {
    Font { size, colour, bold }
}

impl Font {
    /// The same in another colour.
    #[must_use]
    pub const fn in_colour(self, colour: &'static str) -> Self {
        Self { colour, ..self }
    }

    /// About how wide a text is: enough for margins and for deciding what fits.
    pub fn width(self, text: &str) -> f64 {
        let letters: f64 = text
            .chars()
            .map(|c| match c {
                'i' | 'j' | 'l' | '.' | ',' | ':' | ';' | '\'' | '|' | ' ' => 0.3,
                'm' | 'w' | 'M' | 'W' | '%' => 0.88,
                c if c.is_ascii_uppercase() => 0.7,
                _ => 0.57,
            })
            .sum();
        letters * self.size * if self.bold { 1.08 } else { 1.0 }
    }
}

/// A stroke.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Pen {
    /// Colour.
    pub colour: &'static str,
    /// Width in pixels.
    pub width: f64,
    /// Dash pattern; empty for a solid line.
    pub dash: &'static str,
}

impl Pen {
    /// A thin solid line.
    pub const fn thin(colour: &'static str) -> Self {
        Self {
            colour,
            width: 1.0,
            dash: "",
        }
    }

    fn attributes(self) -> String {
        let dash = if self.dash.is_empty() {
            String::new()
        } else {
            format!(" stroke-dasharray=\"{}\"", self.dash)
        };
        format!(
            "fill=\"none\" stroke=\"{}\" stroke-width=\"{}\"{dash}",
            self.colour,
            short(self.width)
        )
    }
}

/// A drawing in the making.
#[derive(Clone, Debug)]
pub struct Drawing {
    width: f64,
    height: f64,
    body: String,
}

impl Drawing {
    /// An empty sheet of so many pixels.
    pub fn new(width: f64, height: f64) -> Self {
        Self {
            width,
            height,
            body: String::new(),
        }
    }

    /// A straight line.
    pub fn line(&mut self, from: (f64, f64), to: (f64, f64), pen: Pen) {
        self.push(&format!(
            "<line x1=\"{}\" y1=\"{}\" x2=\"{}\" y2=\"{}\" {}/>",
            short(from.0),
            short(from.1),
            short(to.0),
            short(to.1),
            pen.attributes()
        ));
    }

    /// A line through points.
    pub fn path(&mut self, points: &[(f64, f64)], pen: Pen) {
        if points.len() > 1 {
            self.push(&format!(
                "<polyline points=\"{}\" stroke-linejoin=\"round\" {}/>",
                points_text(points),
                pen.attributes()
            ));
        }
    }

    /// A filled area within points.
    pub fn area(&mut self, points: &[(f64, f64)], fill: &str, opacity: f64) {
        if points.len() > 2 {
            self.push(&format!(
                "<polygon points=\"{}\" fill=\"{fill}\" fill-opacity=\"{}\"/>",
                points_text(points),
                short(opacity)
            ));
        }
    }

    /// A filled rectangle; `about` shows when the pointer rests upon it, and may be empty.
    pub fn rectangle(&mut self, corner: (f64, f64), size: (f64, f64), fill: &str, about: &str) {
        let title = title(about);
        self.push(&format!(
            "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" fill=\"{fill}\" shape-rendering=\"crispEdges\">{title}</rect>",
            short(corner.0),
            short(corner.1),
            short(size.0),
            short(size.1)
        ));
    }

    /// A point of a series; `about` shows when the pointer rests upon it, and may be empty.
    pub fn mark(&mut self, at: (f64, f64), look: Look, about: &str) {
        let (x, y) = at;
        let title = title(about);
        let fill = look.colour;
        let corners = match look.mark {
            Mark::Disc => {
                self.push(&format!(
                    "<circle cx=\"{}\" cy=\"{}\" r=\"3.5\" fill=\"{fill}\">{title}</circle>",
                    short(x),
                    short(y)
                ));
                return;
            }
            Mark::Square => vec![
                (x - 3.2, y - 3.2),
                (x + 3.2, y - 3.2),
                (x + 3.2, y + 3.2),
                (x - 3.2, y + 3.2),
            ],
            Mark::Triangle => vec![(x, y - 4.4), (x + 4.2, y + 3.2), (x - 4.2, y + 3.2)],
            Mark::Diamond => vec![(x, y - 4.6), (x + 4.6, y), (x, y + 4.6), (x - 4.6, y)],
        };
        self.push(&format!(
            "<polygon points=\"{}\" fill=\"{fill}\">{title}</polygon>",
            points_text(&corners)
        ));
    }

    /// A white disc with a thick edge, upon which a number can stand.
    pub fn disc_with_edge(&mut self, at: (f64, f64), radius: f64, edge: &str, about: &str) {
        self.push(&format!(
            "<circle cx=\"{}\" cy=\"{}\" r=\"{}\" fill=\"#ffffff\" stroke=\"{edge}\" stroke-width=\"2\">{}</circle>",
            short(at.0),
            short(at.1),
            short(radius),
            title(about)
        ));
    }

    /// A white square with a thick edge, as wide as that disc.
    pub fn box_with_edge(&mut self, at: (f64, f64), radius: f64, edge: &str, about: &str) {
        self.push(&format!(
            "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" fill=\"#ffffff\" stroke=\"{edge}\" stroke-width=\"2\">{}</rect>",
            short(at.0 - radius),
            short(at.1 - radius),
            short(2.0 * radius),
            short(2.0 * radius),
            title(about)
        ));
    }

    /// What `draw` draws, as a link to a place of the page it stands in.
    pub fn linked(&mut self, target: &str, label: &str, draw: impl FnOnce(&mut Self)) {
        self.push(&format!(
            "<a href=\"{}\" aria-label=\"{}\">",
            xml(target),
            xml(label)
        ));
        draw(self);
        self.push("</a>");
    }

    /// A text; `at` is on its base line.
    pub fn text(&mut self, at: (f64, f64), anchor: Anchor, font: Font, text: &str) {
        if text.is_empty() {
            return;
        }
        self.push(&format!(
            "<text x=\"{}\" y=\"{}\" {}>{}</text>",
            short(at.0),
            short(at.1),
            text_attributes(anchor, font),
            xml(text)
        ));
    }

    /// A text that reads from below, with its middle at `at`.
    pub fn upright_text(&mut self, at: (f64, f64), font: Font, text: &str) {
        let (x, y) = (short(at.0), short(at.1));
        self.push(&format!(
            "<text x=\"{x}\" y=\"{y}\" transform=\"rotate(-90 {x} {y})\" {}>{}</text>",
            text_attributes(Anchor::Middle, font),
            xml(text)
        ));
    }

    /// The whole as a file, with a title and a description for those who do not see it.
    pub fn finish(self, title: &str, about: &str) -> String {
        self.finish_as(title, about, "img")
    }

    /// The same with another role than that of a picture: what has links in it is a `group`.
    pub fn finish_as(self, title: &str, about: &str, role: &str) -> String {
        let (width, height) = (short(self.width), short(self.height));
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" font-family=\"{FONTS}\" role=\"{role}\">\n<title>{}</title>\n<desc>{}</desc>\n<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n{}</svg>\n",
            xml(title),
            xml(about),
            self.body
        )
    }

    fn push(&mut self, element: &str) {
        self.body.push_str(element);
        self.body.push('\n');
    }
}

fn text_attributes(anchor: Anchor, font: Font) -> String {
    let anchor = match anchor {
        Anchor::Start => "",
        Anchor::Middle => " text-anchor=\"middle\"",
        Anchor::End => " text-anchor=\"end\"",
    };
    let bold = if font.bold {
        " font-weight=\"bold\""
    } else {
        ""
    };
    format!(
        "font-size=\"{}\" fill=\"{}\"{anchor}{bold}",
        short(font.size),
        font.colour
    )
}

fn title(about: &str) -> String {
    if about.is_empty() {
        String::new()
    } else {
        format!("<title>{}</title>", xml(about))
    }
}

fn points_text(points: &[(f64, f64)]) -> String {
    let mut text = String::with_capacity(points.len() * 14);
    for (i, (x, y)) in points.iter().enumerate() {
        let gap = if i == 0 { "" } else { " " };
        // Writing to a `String` cannot fail.
        let _ = write!(text, "{gap}{},{}", short(*x), short(*y));
    }
    text
}

/// A coordinate: two decimals, and no zeros that say nothing.
fn short(value: f64) -> String {
    let text = format!("{value:.2}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" {
        "0".to_owned()
    } else {
        text.to_owned()
    }
}

/// `text` cut to `letters` characters, with an ellipsis where something is missing.
pub fn cut(text: &str, letters: usize) -> String {
    if text.chars().count() <= letters {
        return text.to_owned();
    }
    let mut kept: String = text.chars().take(letters.saturating_sub(1)).collect();
    kept.push('…');
    kept
}

/// A path cut to its last words, with at most `letters` characters where a word allows: of a path, the
/// end says more.
pub fn cut_start(text: &str, letters: usize) -> String {
    let all = text.chars().count();
    if all <= letters {
        return text.to_owned();
    }
    let kept: String = text.chars().skip(all - letters.saturating_sub(1)).collect();
    let whole = kept.split_once('.').map_or(&kept[..], |(_, words)| words);
    format!("…{whole}")
}

/// `text` no wider than `room` pixels in a font, without its middle where it would be: both ends of
/// a title say what it is about.
pub fn fitted(text: &str, font: Font, room: f64) -> String {
    if font.width(text) <= room {
        return text.to_owned();
    }
    let letters: Vec<char> = text.chars().collect();
    let shortened = |kept: usize| -> String {
        let end = kept / 2;
        let start = letters[..kept - end].iter();
        let end = letters[letters.len() - end..].iter();
        start.chain(['…'].iter()).chain(end).collect()
    };
    (0..letters.len())
        .rev()
        .map(shortened)
        .find(|text| font.width(text) <= room)
        .unwrap_or_default()
}

/// Contrast of two colours written `#rrggbb`, from 1 (the same) to 21 (black on white), after the
/// Web Content Accessibility Guidelines 2.1.
pub fn contrast(one: &str, other: &str) -> f64 {
    let (one, other) = (luminance(one), luminance(other));
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

fn luminance(colour: &str) -> f64 {
    let channel = |at: usize| {
        let value = colour
            .get(at..at + 2)
            .and_then(|digits| u8::from_str_radix(digits, 16).ok())
            .unwrap_or(0);
        let value = f64::from(value) / 255.0;
        if value <= 0.03928 {
            value / 12.92
        } else {
            libm::pow((value + 0.055) / 1.055, 2.4)
        }
    };
    0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_cannot_break_out() {
        let mut drawing = Drawing::new(10.0, 10.0);
        drawing.text((1.0, 2.0), Anchor::End, LABEL, "a < b & \"c\"\u{1}</text>");
        let svg = drawing.finish("<script>", "x");
        assert!(svg.contains("a &lt; b &amp; &quot;c&quot; &lt;/text&gt;</text>"));
        assert!(!svg.contains("<script>"));
    }

    #[test]
    fn coordinates_are_short() {
        assert_eq!(short(1.0), "1");
        assert_eq!(short(-0.001), "0");
        assert_eq!(short(2.345_6), "2.35");
        assert_eq!(short(100.0), "100");
    }

    /// Text must be readable for everybody; lines and marks need less (WCAG 2.1, 1.4.3 and 1.4.11).
    #[test]
    fn colours_stand_out_on_white() {
        assert!((contrast("#000000", "#ffffff") - 21.0).abs() < 0.1);
        for text in [INK, FADED] {
            assert!(contrast(text, "#ffffff") >= 4.5, "{text}");
        }
        for look in &LOOKS[..4] {
            assert!(contrast(look.colour, "#ffffff") >= 2.9, "{look:?}");
        }
    }

    #[test]
    fn no_two_looks_are_alike() {
        for (i, one) in LOOKS.iter().enumerate() {
            for other in &LOOKS[..i] {
                assert_ne!(one.colour, other.colour);
                assert_ne!(one.dash, other.dash);
            }
        }
    }
}
