//! Opens Stampede's window.

#[cfg(not(target_arch = "wasm32"))]
fn main() -> eframe::Result {
    use eframe::egui::{ViewportBuilder, vec2};
    if std::env::args().skip(1).any(|a| a == "--help" || a == "-h") {
        use std::io::Write as _;
        let _ = std::io::stdout().write_all(USAGE.as_bytes());
        return Ok(());
    }
    let opening = match opening(std::env::args().skip(1)) {
        Ok(opening) => opening,
        Err(usage) => {
            use std::io::Write as _;
            let _ = std::io::stderr().write_all(usage.as_bytes());
            std::process::exit(2);
        }
    };
    let viewport = ViewportBuilder::default()
        .with_title("Stampede")
        .with_inner_size(vec2(1280.0, 800.0))
        .with_min_inner_size(vec2(900.0, 560.0));
    let options = eframe::NativeOptions {
        viewport,
        ..eframe::NativeOptions::default()
    };
    eframe::run_native(
        "stampede",
        options,
        Box::new(|cc| Ok(Box::new(sim_gui::App::new(&cc.egui_ctx, opening)))),
    )
}

#[cfg(not(target_arch = "wasm32"))]
const USAGE: &str = "\
usage: sim-gui [SCENARIO] [--seed N] [--at TIME] [--dark | --light] [--reduced-motion]

SCENARIO is a model that comes with the program (incident by default), a file,
or a link that the window has copied.
";

#[cfg(not(target_arch = "wasm32"))]
fn opening(mut arguments: impl Iterator<Item = String>) -> Result<sim_gui::Opening, String> {
    use sim_gui::settings::{Looks, Settings};
    let mut opening = sim_gui::Opening::default();
    let kept = sim_gui::files::kept_settings();
    let mut settings = kept.map_or_else(Settings::default, |text| Settings::from_text(&text));
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--at" => match arguments.next() {
                Some(at) => opening.at = Some(at),
                None => return Err(format!("--at needs a time\n{USAGE}")),
            },
            "--seed" => match arguments.next().map(|seed| (seed.parse().ok(), seed)) {
                Some((Some(seed), _)) => opening.seed = Some(seed),
                Some((None, typed)) => {
                    return Err(format!(
                        "--seed takes a whole number, not {typed:?}\n{USAGE}"
                    ));
                }
                None => return Err(format!("--seed needs a number\n{USAGE}")),
            },
            "--dark" => settings.looks = Looks::Dark,
            "--light" => settings.looks = Looks::Light,
            "--reduced-motion" => settings.reduced_motion = true,
            option if option.starts_with('-') => {
                return Err(format!("unknown option {option}\n{USAGE}"));
            }
            link if link.contains('#') && !std::path::Path::new(link).exists() => {
                let link = sim_gui::link::read(link);
                opening = sim_gui::Opening {
                    seed: opening.seed.or(link.seed),
                    at: opening.at.or(link.at),
                    ..link
                };
            }
            scenario => opening.scenario = Some(scenario.to_owned()),
        }
    }
    (opening.settings, opening.keep) = (settings, true);
    Ok(opening)
}

#[cfg(target_arch = "wasm32")]
fn main() {
    sim_gui::web::start();
}
