//! Shapes painted as lines and polygons, so that they look the same with every font.

use eframe::egui::{self, Color32, Painter, Pos2, Rect, Shape, Stroke, Vec2, pos2, vec2};

/// A shape.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Icon {
    /// A disc: up, normal.
    Disc,
    /// A ring: not there.
    Ring,
    /// A cross: down.
    Cross,
    /// A triangle: overloaded, an alert.
    Triangle,
    /// A broken ring: starting.
    Dashed,
    /// Two bars in a ring: taken out of rotation.
    Halted,
    /// An arrow to the right: what people did.
    Arrow,
    /// Play.
    Play,
    /// Pause.
    Pause,
    /// One event forward.
    Step,
    /// To the next event of the event log.
    Next,
    /// To the previous one.
    Previous,
    /// To the beginning.
    First,
    /// To the end.
    Last,
    /// Again and again.
    Loop,
    /// Take back.
    Undo,
    /// Make again.
    Redo,
    /// A fork.
    Fork,
    /// A tick: done, right.
    Tick,
    /// A square: a batch of settings.
    Square,
}

impl Icon {
    /// Paints the shape into the middle of a rectangle.
    #[allow(clippy::too_many_lines, reason = "a list of shapes, each a few lines")]
    pub fn paint(self, painter: &Painter, rect: Rect, colour: Color32) {
        let c = rect.center();
        let r = rect.width().min(rect.height()) / 2.0;
        let line = Stroke::new((r * 0.28).max(1.2), colour);
        let polygon = |points: Vec<Pos2>| {
            painter.add(Shape::convex_polygon(points, colour, Stroke::NONE));
        };
        let right = |x: f32, size: f32| {
            vec![
                c + vec2(x - size * 0.5, -size * 0.62),
                c + vec2(x + size * 0.6, 0.0),
                c + vec2(x - size * 0.5, size * 0.62),
            ]
        };
        let left = |x: f32, size: f32| {
            vec![
                c + vec2(x + size * 0.5, -size * 0.62),
                c + vec2(x + size * 0.5, size * 0.62),
                c + vec2(x - size * 0.6, 0.0),
            ]
        };
        let bar = |x: f32| {
            let size = vec2(r * 0.26, r * 1.3);
            painter.rect_filled(Rect::from_center_size(c + vec2(x, 0.0), size), 0.5, colour);
        };
        match self {
            Self::Disc => drop(painter.circle_filled(c, r * 0.72, colour)),
            Self::Ring => drop(painter.circle_stroke(c, r * 0.62, line)),
            Self::Cross => {
                let d = r * 0.62;
                painter.line_segment([c + vec2(-d, -d), c + vec2(d, d)], thick(line));
                painter.line_segment([c + vec2(-d, d), c + vec2(d, -d)], thick(line));
            }
            Self::Triangle => polygon(vec![
                c + vec2(0.0, -r * 0.82),
                c + vec2(r * 0.86, r * 0.68),
                c + vec2(-r * 0.86, r * 0.68),
            ]),
            Self::Dashed => {
                for i in 0..8 {
                    let angle = std::f32::consts::TAU * i as f32 / 8.0;
                    painter.circle_filled(c + Vec2::angled(angle) * r * 0.66, r * 0.17, colour);
                }
            }
            Self::Halted => {
                painter.circle_stroke(c, r * 0.74, line);
                for x in [-0.22, 0.22] {
                    let size = vec2(r * 0.2, r * 0.66);
                    let bar = Rect::from_center_size(c + vec2(x * r, 0.0), size);
                    painter.rect_filled(bar, 0.0, colour);
                }
            }
            Self::Arrow => {
                painter.line_segment([c + vec2(-r * 0.8, 0.0), c + vec2(r * 0.3, 0.0)], line);
                polygon(right(r * 0.35, r * 0.8));
            }
            Self::Play => polygon(right(0.0, r * 1.25)),
            Self::Pause => [-0.36, 0.36].map(|x| bar(x * r)).into_iter().collect(),
            Self::Step => {
                bar(-r * 0.62);
                polygon(right(r * 0.2, r));
            }
            Self::Next | Self::Last => {
                if self == Self::Next {
                    polygon(right(-r * 0.42, r * 0.8));
                    polygon(right(r * 0.38, r * 0.8));
                } else {
                    polygon(right(-r * 0.22, r));
                    bar(r * 0.6);
                }
            }
            Self::Previous | Self::First => {
                if self == Self::Previous {
                    polygon(left(r * 0.42, r * 0.8));
                    polygon(left(-r * 0.38, r * 0.8));
                } else {
                    polygon(left(r * 0.22, r));
                    bar(-r * 0.6);
                }
            }
            Self::Loop => {
                let points: Vec<Pos2> = (0..=20)
                    .map(|i| c + Vec2::angled(0.6 + i as f32 * 0.26) * r * 0.66)
                    .collect();
                let tip = points[0];
                painter.add(Shape::line(points, line));
                polygon(vec![
                    tip + vec2(-r * 0.42, -r * 0.02),
                    tip + vec2(r * 0.3, r * 0.12),
                    tip + vec2(r * 0.12, -r * 0.5),
                ]);
            }
            Self::Undo | Self::Redo => {
                let side = if self == Self::Undo { 1.0 } else { -1.0 };
                let at = |x: f32, y: f32| c + vec2(x * side * r, y * r);
                let points: Vec<Pos2> = (0..=12)
                    .map(|i| {
                        let turn = Vec2::angled(-1.57 + i as f32 * 0.26) * 0.5;
                        at(0.1 + turn.x, 0.1 + turn.y)
                    })
                    .collect();
                let mut whole = vec![at(-0.35, -0.4)];
                whole.extend(points);
                whole.push(at(-0.45, 0.6));
                painter.add(Shape::line(whole, line));
                polygon(vec![at(-0.85, -0.4), at(-0.25, -0.82), at(-0.25, 0.02)]);
            }
            Self::Fork => {
                let (start, middle) = (c + vec2(-r * 0.8, 0.0), c + vec2(-r * 0.1, 0.0));
                painter.line_segment([start, middle], line);
                for y in [-0.55, 0.55] {
                    painter.line_segment([middle, c + vec2(r * 0.7, y * r)], line);
                    painter.circle_filled(c + vec2(r * 0.7, y * r), r * 0.22, colour);
                }
            }
            Self::Tick => {
                let points = vec![
                    c + vec2(-r * 0.65, 0.0),
                    c + vec2(-r * 0.15, r * 0.5),
                    c + vec2(r * 0.7, -r * 0.5),
                ];
                painter.add(Shape::line(points, thick(line)));
            }
            Self::Square => {
                let square = Rect::from_center_size(c, Vec2::splat(r * 1.2));
                painter.rect_filled(square, 1.0, colour);
            }
        }
    }
}

fn thick(line: Stroke) -> Stroke {
    Stroke::new(line.width * 1.25, line.color)
}

/// A button that shows a shape; `name` is what it is called.
pub fn button(ui: &mut egui::Ui, icon: Icon, name: &str, hint: &str) -> egui::Response {
    wide_button(ui, icon, name, hint, 30.0, false)
}

/// The same of another width, and perhaps emphasised.
pub fn wide_button(
    ui: &mut egui::Ui,
    icon: Icon,
    name: &str,
    hint: &str,
    width: f32,
    strong: bool,
) -> egui::Response {
    let p = crate::theme::Palette::of(ui);
    let (rect, response) = ui.allocate_exact_size(vec2(width, 26.0), egui::Sense::click());
    let visuals = ui.style().interact(&response);
    let (fill, ink) = if strong {
        (p.accent, p.on_accent)
    } else {
        (visuals.weak_bg_fill, p.text)
    };
    let fill = if strong && response.hovered() {
        crate::theme::mix(fill, p.text, 0.15)
    } else {
        fill
    };
    ui.painter().rect_filled(rect, 5.0, fill);
    if response.has_focus() || !strong {
        let stroke = if response.has_focus() {
            Stroke::new(2.0, p.accent)
        } else {
            visuals.bg_stroke
        };
        ui.painter()
            .rect_stroke(rect, 5.0, stroke, egui::StrokeKind::Inside);
    }
    icon.paint(
        ui.painter(),
        Rect::from_center_size(rect.center(), Vec2::splat(14.0)),
        ink,
    );
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, name));
    response.on_hover_text(hint)
}

/// A shape beside text, as tall as the text.
pub fn inline(ui: &mut egui::Ui, icon: Icon, colour: Color32, size: f32) {
    let (rect, _) = ui.allocate_exact_size(vec2(size, size), egui::Sense::hover());
    icon.paint(
        ui.painter(),
        Rect::from_center_size(pos2(rect.center().x, rect.center().y), Vec2::splat(size)),
        colour,
    );
}
