//! The incident playing, as a small animated picture (APNG) for the README.
//!
//! ```text
//! cargo run --release -p sim-gui --example animation -- docs/src/images/incident-playing.png
//! ```
//!
//! It needs neither a display nor a graphics driver. Each picture is the window at a given moment of the run, so that the
//! same bytes come out every time.

#![allow(clippy::print_stdout, reason = "it says what it wrote")]

#[path = "../tests/it/raster.rs"]
mod raster;

use eframe::egui::Theme;
use egui_kittest::Harness;
use raster::{Image, Textures};
use sim_core::time::Instant;
use sim_gui::command::Command;
use sim_gui::settings::{Looks, Settings};
use sim_gui::{App, Opening};
use std::collections::BTreeMap;
use std::error::Error;
use std::fs::File;
use std::io::BufWriter;

const SIZE: [usize; 2] = [1000, 640];
/// Stretches of the day: from and until, in seconds of the run, which begins at 12:10, and the step from picture to picture.
const STRETCHES: [(u64, u64, u64); 3] = [(510, 1170, 30), (1170, 1250, 4), (1250, 9420, 195)];
/// How long a picture stays, and the last one, in hundredths of a second.
const STAYS: u16 = 12;
const LAST: u16 = 250;
/// Colours that are told apart; one more means that a pixel is as before.
const COLOURS: usize = 255;

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args().nth(1);
    let path = path.ok_or("which file is to be written?")?;
    let textures = Textures::default();
    let mut harness = window(&textures);
    settle(&mut harness, |report| {
        report.branches.iter().all(|b| b.finished)
    });
    for command in [Command::Director, Command::Speed(120.0), Command::Director] {
        harness.state_mut().perform(command);
    }
    let mut frames = Vec::new();
    for (from, until, step) in STRETCHES {
        for at in (from..until).step_by(step as usize) {
            let seek = Command::Seek(Instant(at * 1_000_000_000));
            harness.state_mut().perform(seek);
            harness.run_steps(3);
            settle(&mut harness, |report| report.settled);
            let shapes = harness.output().shapes.clone();
            frames.push(textures.draw(&harness.ctx, shapes, SIZE));
        }
    }
    write(&path, &frames)?;
    let bytes = std::fs::metadata(&path)?.len();
    println!("{path}: {} pictures, {} kB", frames.len(), bytes / 1000);
    Ok(())
}

fn window(textures: &Textures) -> Harness<'static, App> {
    let open = ["topology", "timeline"].map(str::to_owned);
    let opening = Opening {
        scenario: Some("incident".to_owned()),
        settings: Settings {
            looks: Looks::Dark,
            open: open.into(),
            ..Settings::default()
        },
        sliced: true,
        ..Opening::default()
    };
    Harness::builder()
        .with_size([SIZE[0] as f32, SIZE[1] as f32])
        .with_max_steps(8)
        .with_theme(Theme::Dark)
        .renderer(textures.clone())
        .build_eframe(move |cc| App::new(&cc.egui_ctx, opening))
}

/// Draws until playback is so far.
fn settle(harness: &mut Harness<'_, App>, done: impl Fn(&sim_gui::playback::Report) -> bool) {
    loop {
        harness.run_steps(1);
        if harness.state().state().report.as_ref().is_some_and(&done) {
            harness.run_steps(3);
            return;
        }
    }
}

/// A colour of which near ones are the same.
fn coarse(pixel: [u8; 3]) -> [u8; 3] {
    pixel.map(|value| value & 0xF8 | value >> 5)
}

/// The most frequent colours of all pictures.
fn palette(frames: &[Image]) -> Vec<[u8; 3]> {
    let mut counts: BTreeMap<[u8; 3], u64> = BTreeMap::new();
    for pixel in frames.iter().flat_map(|frame| &frame.pixels) {
        *counts.entry(coarse(*pixel)).or_default() += 1;
    }
    let mut all: Vec<_> = counts.into_iter().collect();
    all.sort_by_key(|(colour, count)| (std::cmp::Reverse(*count), *colour));
    all.into_iter()
        .take(COLOURS)
        .map(|(colour, _)| colour)
        .collect()
}

/// The colours of a picture as places in the palette, each the nearest.
fn indexed(frame: &Image, palette: &[[u8; 3]], known: &mut BTreeMap<[u8; 3], u8>) -> Vec<u8> {
    let nearest = |colour: [u8; 3]| {
        let far = |other: &[u8; 3]| {
            let apart = other
                .iter()
                .zip(colour)
                .map(|(a, b)| i32::from(*a) - i32::from(b));
            apart.map(|apart| apart * apart).sum::<i32>()
        };
        let all = palette.iter().enumerate();
        all.min_by_key(|(_, other)| far(other))
            .map_or(0, |(i, _)| i as u8)
    };
    let place = |pixel: &[u8; 3]| {
        let colour = coarse(*pixel);
        *known.entry(colour).or_insert_with(|| nearest(colour))
    };
    frame.pixels.iter().map(place).collect()
}

fn write(path: &str, frames: &[Image]) -> Result<(), Box<dyn Error>> {
    let palette = palette(frames);
    let same = palette.len() as u8;
    let mut known = BTreeMap::new();
    let frames: Vec<Vec<u8>> = frames
        .iter()
        .map(|f| indexed(f, &palette, &mut known))
        .collect();
    let [width, height] = SIZE;
    let file = BufWriter::new(File::create(path)?);
    let mut encoder = png::Encoder::new(file, width as u32, height as u32);
    encoder.set_color(png::ColorType::Indexed);
    encoder.set_depth(png::BitDepth::Eight);
    let mut colours = palette.as_flattened().to_vec();
    colours.extend([0; 3]);
    encoder.set_palette(colours);
    let mut clear = vec![255; palette.len()];
    clear.push(0);
    encoder.set_trns(clear);
    encoder.set_compression(png::Compression::High);
    encoder.set_filter(png::Filter::NoFilter);
    encoder.set_animated(frames.len() as u32, 0)?;
    encoder.set_blend_op(png::BlendOp::Over)?;
    encoder.set_dispose_op(png::DisposeOp::None)?;
    let mut writer = encoder.write_header()?;
    for (i, frame) in frames.iter().enumerate() {
        let last = i + 1 == frames.len();
        writer.set_frame_delay(if last { LAST } else { STAYS }, 100)?;
        let Some(before) = i.checked_sub(1).map(|before| &frames[before]) else {
            writer.write_image_data(frame)?;
            continue;
        };
        // The part that differs, and in it only what does.
        let differs = |at: usize| frame[at] != before[at];
        let rows = (0..height).filter(|y| (0..width).any(|x| differs(y * width + x)));
        let columns = (0..width).filter(|x| (0..height).any(|y| differs(y * width + x)));
        let edge = |mut of: Box<dyn Iterator<Item = usize> + '_>| {
            let first = of.next().unwrap_or(0);
            (first, of.last().unwrap_or(first) + 1)
        };
        let ((top, bottom), (left, right)) = (edge(Box::new(rows)), edge(Box::new(columns)));
        // Back to the corner first: a part must lie within the picture at every step.
        writer.set_frame_position(0, 0)?;
        writer.set_frame_dimension((right - left) as u32, (bottom - top) as u32)?;
        writer.set_frame_position(left as u32, top as u32)?;
        let part = (top..bottom).flat_map(|y| (left..right).map(move |x| y * width + x));
        let part: Vec<u8> = part
            .map(|at| if differs(at) { frame[at] } else { same })
            .collect();
        writer.write_image_data(&part)?;
    }
    writer.finish()?;
    Ok(())
}
