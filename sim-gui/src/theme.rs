//! Colours, type and spacing, declared once.
//!
//! The hues descend from Okabe and Ito's palette for colour-blind readers ("Color Universal
//! Design", 2008), darkened for light ground and lightened for dark; a test computes the contrast
//! of every pair that is used for text. No state is told by colour alone: shape and word go with it.

use eframe::egui::{
    self, Color32, CornerRadius, FontData, FontDefinitions, FontFamily, FontId, Margin, Stroke,
    TextStyle, Theme, Visuals,
};
use std::sync::Arc;

/// Every colour of a theme.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Palette {
    /// Behind everything.
    pub ground: Color32,
    /// Of panels.
    pub panel: Color32,
    /// Of things that stand out of a panel: cards, buttons.
    pub raised: Color32,
    /// Of things that lie in a panel: plots, empty bars, fields.
    pub sunken: Color32,
    /// Thin lines between things.
    pub line: Color32,
    /// Text.
    pub text: Color32,
    /// Text that explains.
    pub weak: Color32,
    /// What can be acted on, and what is selected.
    pub accent: Color32,
    /// Text upon the accent.
    pub on_accent: Color32,
    /// All is well.
    pub good: Color32,
    /// Worse than it should be.
    pub warn: Color32,
    /// Down, failed.
    pub bad: Color32,
    /// Starting, warming up.
    pub start: Color32,
    /// The moment shown.
    pub now: Color32,
    /// Lines of plots.
    pub series: [Color32; 6],
}

const fn rgb(hex: u32) -> Color32 {
    Color32::from_rgb((hex >> 16) as u8, (hex >> 8) as u8, hex as u8)
}

/// On dark ground.
pub static DARK: Palette = Palette {
    ground: rgb(0x0C1017),
    panel: rgb(0x121822),
    raised: rgb(0x1C2533),
    sunken: rgb(0x0A0E15),
    line: rgb(0x2B3647),
    text: rgb(0xE8ECF2),
    weak: rgb(0x9CA9BA),
    accent: rgb(0x56B4E9),
    on_accent: rgb(0x06141F),
    good: rgb(0x35C29A),
    warn: rgb(0xF0B63A),
    bad: rgb(0xFF7B63),
    start: rgb(0xA9A5F5),
    now: rgb(0xF29BC9),
    series: [
        rgb(0xFF8C42),
        rgb(0x56B4E9),
        rgb(0x35C29A),
        rgb(0xF0E05A),
        rgb(0xD990C0),
        rgb(0xB9C4D2),
    ],
};

/// On light ground.
pub static LIGHT: Palette = Palette {
    ground: rgb(0xEEF1F5),
    panel: rgb(0xFBFCFD),
    raised: rgb(0xEDF0F4),
    sunken: rgb(0xF4F6F9),
    line: rgb(0xCBD3DD),
    text: rgb(0x18202C),
    weak: rgb(0x546172),
    accent: rgb(0x0067A3),
    on_accent: rgb(0xFFFFFF),
    good: rgb(0x006B52),
    warn: rgb(0x8A5300),
    bad: rgb(0xB3281C),
    start: rgb(0x5447B0),
    now: rgb(0xA8307A),
    series: [
        rgb(0xC24E00),
        rgb(0x0067A3),
        rgb(0x00785C),
        rgb(0x7D6B00),
        rgb(0xA0487F),
        rgb(0x4C5867),
    ],
};

impl Palette {
    /// The palette of what is being drawn.
    pub fn of(ui: &egui::Ui) -> &'static Self {
        if ui.visuals().dark_mode {
            &DARK
        } else {
            &LIGHT
        }
    }

    /// A colour mixed into the panel's ground: a tint that text can stand on.
    pub fn tint(&self, colour: Color32, share: f32) -> Color32 {
        mix(self.panel, colour, share)
    }
}

/// A mixture of two colours: all of `a` at 0, all of `b` at 1.
pub fn mix(a: Color32, b: Color32, share: f32) -> Color32 {
    let one = |a: u8, b: u8| (f32::from(a) + (f32::from(b) - f32::from(a)) * share).round() as u8;
    Color32::from_rgb(one(a.r(), b.r()), one(a.g(), b.g()), one(a.b(), b.b()))
}

/// The bold face.
pub fn bold() -> FontFamily {
    FontFamily::Name("bold".into())
}

/// Text of a size.
pub fn font(size: f32) -> FontId {
    FontId::new(size, FontFamily::Proportional)
}

/// Bold text of a size.
pub fn bold_font(size: f32) -> FontId {
    FontId::new(size, bold())
}

/// Letters of one width.
pub fn mono(size: f32) -> FontId {
    FontId::new(size, FontFamily::Monospace)
}

/// Installs type and both themes.
pub fn install(ctx: &egui::Context) {
    let mut fonts = FontDefinitions::empty();
    let files: [(&str, &'static [u8]); 3] = [
        ("inter", include_bytes!("../assets/fonts/Inter-Regular.otf")),
        (
            "inter-bold",
            include_bytes!("../assets/fonts/Inter-SemiBold.otf"),
        ),
        ("mono", include_bytes!("../assets/fonts/DejaVuSansMono.ttf")),
    ];
    for (name, bytes) in files {
        fonts
            .font_data
            .insert(name.to_owned(), Arc::new(FontData::from_static(bytes)));
    }
    let list = |names: &[&str]| names.iter().map(|&n| n.to_owned()).collect::<Vec<_>>();
    fonts
        .families
        .insert(FontFamily::Proportional, list(&["inter", "mono"]));
    fonts
        .families
        .insert(FontFamily::Monospace, list(&["mono", "inter"]));
    fonts
        .families
        .insert(bold(), list(&["inter-bold", "inter", "mono"]));
    ctx.set_fonts(fonts);
    for (theme, palette) in [(Theme::Dark, &DARK), (Theme::Light, &LIGHT)] {
        ctx.set_visuals_of(theme, visuals(theme, palette));
    }
    ctx.all_styles_mut(|style| {
        style.text_styles = [
            (TextStyle::Heading, bold_font(15.0)),
            (TextStyle::Body, font(13.0)),
            (TextStyle::Button, font(13.0)),
            (TextStyle::Small, font(11.0)),
            (TextStyle::Monospace, mono(12.0)),
        ]
        .into();
        style.spacing.item_spacing = egui::vec2(6.0, 5.0);
        style.spacing.button_padding = egui::vec2(8.0, 3.0);
        style.spacing.interact_size.y = 24.0;
        style.spacing.menu_margin = Margin::same(6);
        style.spacing.window_margin = Margin::same(12);
        style.spacing.icon_spacing = 6.0;
        style.spacing.scroll = egui::style::ScrollStyle::thin();
        style.animation_time = 0.08;
    });
}

fn visuals(theme: Theme, p: &Palette) -> Visuals {
    let mut v = if theme == Theme::Dark {
        Visuals::dark()
    } else {
        Visuals::light()
    };
    v.panel_fill = p.panel;
    v.window_fill = p.panel;
    v.window_stroke = Stroke::new(1.0, p.line);
    v.window_corner_radius = CornerRadius::same(8);
    v.menu_corner_radius = CornerRadius::same(6);
    v.extreme_bg_color = p.sunken;
    v.faint_bg_color = mix(p.panel, p.raised, 0.5);
    v.code_bg_color = p.sunken;
    v.hyperlink_color = p.accent;
    v.warn_fg_color = p.warn;
    v.error_fg_color = p.bad;
    v.weak_text_color = Some(p.weak);
    v.selection.bg_fill = mix(p.panel, p.accent, 0.30);
    v.selection.stroke = Stroke::new(1.0, p.accent);
    let radius = CornerRadius::same(5);
    let w = &mut v.widgets;
    for (widget, fill, line) in [
        (&mut w.noninteractive, p.panel, p.line),
        (&mut w.inactive, p.raised, p.line),
        (&mut w.hovered, mix(p.raised, p.accent, 0.15), p.accent),
        (&mut w.active, mix(p.raised, p.accent, 0.30), p.accent),
        (&mut w.open, mix(p.raised, p.accent, 0.15), p.line),
    ] {
        widget.bg_fill = fill;
        widget.weak_bg_fill = fill;
        widget.bg_stroke = Stroke::new(1.0, line);
        widget.corner_radius = radius;
        widget.fg_stroke = Stroke::new(1.0, p.text);
        widget.expansion = 0.0;
    }
    v
}

/// The contrast of two colours, from 1 to 21 (WCAG 2.2, section 1.4.3).
pub fn contrast(a: Color32, b: Color32) -> f64 {
    let (a, b) = (luminance(a), luminance(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

fn luminance(colour: Color32) -> f64 {
    let linear = |byte: u8| {
        let c = f32::from(byte) / 255.0;
        f64::from(if c <= 0.04045 {
            c / 12.92
        } else {
            ((c + 0.055) / 1.055).powf(2.4)
        })
    };
    0.2126 * linear(colour.r()) + 0.7152 * linear(colour.g()) + 0.0722 * linear(colour.b())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_text_can_be_read() {
        for (name, p) in [("dark", &DARK), ("light", &LIGHT)] {
            let grounds = [p.ground, p.panel, p.raised, p.sunken];
            for ground in grounds {
                assert!(
                    contrast(p.text, ground) >= 7.0,
                    "{name}: text on {ground:?}"
                );
                for ink in [p.weak, p.accent, p.good, p.warn, p.bad, p.start, p.now] {
                    let found = contrast(ink, ground);
                    assert!(found >= 4.5, "{name}: {ink:?} on {ground:?}: {found:.2}");
                }
                for ink in p.series {
                    let found = contrast(ink, ground);
                    assert!(
                        found >= 3.0,
                        "{name}: line {ink:?} on {ground:?}: {found:.2}"
                    );
                }
            }
            assert!(
                contrast(p.on_accent, p.accent) >= 4.5,
                "{name}: text on the accent"
            );
            for state in [p.good, p.warn, p.bad, p.start] {
                assert!(
                    contrast(p.text, p.tint(state, 0.16)) >= 7.0,
                    "{name}: on a tint"
                );
            }
        }
    }

    #[test]
    fn contrast_is_that_of_the_standard() {
        assert!((contrast(Color32::BLACK, Color32::WHITE) - 21.0).abs() < 0.01);
        assert!((contrast(rgb(0x777777), Color32::WHITE) - 4.48).abs() < 0.01);
    }

    /// Two kinds of colour blindness, simulated (Viénot, Brettel and Mollon, 1999): states that
    /// mean opposite things stay apart.
    #[test]
    fn good_and_bad_differ_for_colour_blind_readers() {
        let seen = |c: Color32, protan: bool| {
            let (r, g, b) = (f32::from(c.r()), f32::from(c.g()), f32::from(c.b()));
            if protan {
                [
                    0.112 * r + 0.888 * g,
                    0.112 * r + 0.888 * g,
                    0.004 * r - 0.004 * g + b,
                ]
            } else {
                [
                    0.293 * r + 0.707 * g,
                    0.293 * r + 0.707 * g,
                    -0.022 * r + 0.022 * g + b,
                ]
            }
        };
        for p in [&DARK, &LIGHT] {
            for protan in [true, false] {
                for (a, b) in [
                    (p.good, p.bad),
                    (p.accent, p.bad),
                    (p.series[0], p.series[1]),
                ] {
                    let (a, b) = (seen(a, protan), seen(b, protan));
                    let apart: f32 = a.iter().zip(b).map(|(a, b)| (a - b).abs()).sum();
                    assert!(apart > 60.0, "{a:?} and {b:?}: {apart}");
                }
            }
        }
    }
}
