//! Texts that keep within their room: cut in the middle, since names differ most at their ends.

use eframe::egui::{Color32, FontId, Galley, Painter};
use std::sync::Arc;

/// A text of one line that is no wider than its room, with an ellipsis in its middle where it had to be cut.
pub(crate) fn galley(
    painter: &Painter,
    text: &str,
    face: &FontId,
    ink: Color32,
    room: f32,
) -> Arc<Galley> {
    let lay = |text: String| painter.layout_no_wrap(text, face.clone(), ink);
    let whole = lay(text.to_owned());
    if whole.size().x <= room {
        return whole;
    }
    let signs: Vec<char> = text.chars().collect();
    let cut = |kept: usize| {
        let (head, tail) = (kept.div_ceil(2), kept / 2);
        let mut text: String = signs[..head].iter().collect();
        text.push('…');
        text.extend(&signs[signs.len() - tail..]);
        text
    };
    let (mut fits, mut too_many) = (0, signs.len());
    while too_many - fits > 1 {
        let kept = usize::midpoint(fits, too_many);
        if lay(cut(kept)).size().x <= room {
            fits = kept;
        } else {
            too_many = kept;
        }
    }
    lay(cut(fits))
}
