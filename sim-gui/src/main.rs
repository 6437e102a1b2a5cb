//! Opens Stampede's window.

fn main() -> eframe::Result {
    let viewport = eframe::egui::ViewportBuilder::default()
        .with_title("Stampede")
        .with_inner_size([1280.0, 800.0]);
    let options = eframe::NativeOptions {
        viewport,
        ..eframe::NativeOptions::default()
    };
    eframe::run_native(
        "stampede",
        options,
        Box::new(|_| Ok(Box::new(sim_gui::App::new("incident")))),
    )
}
