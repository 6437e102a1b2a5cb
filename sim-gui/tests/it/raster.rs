//! A renderer without a graphics driver: triangles filled on the processor, for pictures in tests.
//!
//! It does what a graphics card does with the window's meshes: vertex colours times a texture,
//! blended, pixel by pixel. Slow and simple; a picture takes a fraction of a second.

use eframe::egui::{self, Color32, Pos2, Rect, TextureId};
use egui_kittest::TestRenderer;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

/// An image: width, height, and colours row by row.
#[derive(Clone)]
pub(crate) struct Image {
    pub(crate) size: [usize; 2],
    pub(crate) pixels: Vec<[u8; 3]>,
}

/// Textures as they are told to the renderer.
#[derive(Clone, Default)]
pub(crate) struct Textures(Rc<RefCell<BTreeMap<u64, egui::ColorImage>>>);

impl TestRenderer for Textures {
    fn handle_delta(&mut self, delta: &mut egui::TexturesDelta) {
        let mut textures = self.0.borrow_mut();
        #[allow(
            clippy::iter_over_hash_type,
            reason = "textures do not depend on each other"
        )]
        for (id, deltas) in std::mem::take(&mut delta.set) {
            let TextureId::Managed(id) = id else { continue };
            for delta in deltas {
                patch(&mut textures, id, delta);
            }
        }
        delta.clear();
    }
}

fn patch(textures: &mut BTreeMap<u64, egui::ColorImage>, id: u64, delta: egui::epaint::ImageDelta) {
    let egui::ImageData::Color(image) = delta.image;
    match (delta.pos, textures.get_mut(&id)) {
        (Some([x, y]), Some(texture)) => {
            for row in 0..image.size[1] {
                for column in 0..image.size[0] {
                    let to = (y + row) * texture.size[0] + x + column;
                    texture.pixels[to] = image.pixels[row * image.size[0] + column];
                }
            }
        }
        _ => drop(textures.insert(id, (*image).clone())),
    }
}

impl Textures {
    /// Fills what was drawn last.
    pub(crate) fn draw(
        &self,
        ctx: &egui::Context,
        shapes: Vec<egui::epaint::ClippedShape>,
        size: [usize; 2],
    ) -> Image {
        let mut image = Image {
            size,
            pixels: vec![[0; 3]; size[0] * size[1]],
        };
        let textures = self.0.borrow();
        for primitive in ctx.tessellate(shapes, 1.0) {
            let egui::epaint::Primitive::Mesh(mesh) = primitive.primitive else {
                continue;
            };
            let TextureId::Managed(id) = mesh.texture_id else {
                continue;
            };
            let Some(texture) = textures.get(&id) else {
                continue;
            };
            for corners in mesh.indices.chunks_exact(3) {
                let corners = [0, 1, 2].map(|i| mesh.vertices[corners[i] as usize]);
                triangle(&mut image, primitive.clip_rect, corners, texture);
            }
        }
        image
    }
}

fn triangle(
    image: &mut Image,
    clip: Rect,
    corners: [egui::epaint::Vertex; 3],
    texture: &egui::ColorImage,
) {
    let [a, b, c] = corners.map(|corner| corner.pos);
    let cross = |o: Pos2, p: Pos2, q: Pos2| (p.x - o.x) * (q.y - o.y) - (p.y - o.y) * (q.x - o.x);
    let area = cross(a, b, c);
    if area == 0.0 {
        return;
    }
    let bounds = Rect::from_points(&[a, b, c]).intersect(clip);
    let (width, height) = (image.size[0] as f32, image.size[1] as f32);
    let columns = bounds.left().max(0.0) as usize..bounds.right().ceil().clamp(0.0, width) as usize;
    let rows = bounds.top().max(0.0) as usize..bounds.bottom().ceil().clamp(0.0, height) as usize;
    for y in rows {
        for x in columns.clone() {
            let at = Pos2::new(x as f32 + 0.5, y as f32 + 0.5);
            if !clip.contains(at) {
                continue;
            }
            let weights = [cross(b, c, at), cross(c, a, at), cross(a, b, at)].map(|w| w / area);
            // An edge that two triangles share belongs to one of them.
            if weights
                .iter()
                .any(|w| *w < 0.0 || (*w == 0.0 && area < 0.0))
            {
                continue;
            }
            let mix = |of: &dyn Fn(&egui::epaint::Vertex) -> f32| -> f32 {
                corners
                    .iter()
                    .zip(weights)
                    .map(|(corner, weight)| of(corner) * weight)
                    .sum()
            };
            let texel = sample(texture, mix(&|v| v.uv.x), mix(&|v| v.uv.y));
            let pixel = &mut image.pixels[y * image.size[0] + x];
            let alpha = mix(&|v| f32::from(v.color.a())) * f32::from(texel.a()) / (255.0 * 255.0);
            for (i, value) in pixel.iter_mut().enumerate() {
                let ink = mix(&|v| f32::from(v.color.to_array()[i]))
                    * f32::from(texel.to_array()[i])
                    / 255.0;
                *value = (ink + f32::from(*value) * (1.0 - alpha))
                    .round()
                    .clamp(0.0, 255.0) as u8;
            }
        }
    }
}

fn sample(texture: &egui::ColorImage, u: f32, v: f32) -> Color32 {
    let at = |share: f32, size: usize| ((share * size as f32) as usize).min(size - 1);
    let (x, y) = (at(u, texture.size[0]), at(v, texture.size[1]));
    texture.pixels[y * texture.size[0] + x]
}
