//! The window without a display.

use egui_kittest::Harness;
use egui_kittest::kittest::Queryable as _;

/// A window that shows a model, once its run is finished.
fn finished(model: &str) -> Harness<'static, sim_gui::App> {
    let model = model.to_owned();
    let mut harness = Harness::builder()
        .with_size([1280.0, 800.0])
        .with_max_steps(4)
        .build_eframe(move |_| sim_gui::App::new(&model));
    for _ in 0..2000 {
        harness.run_steps(1);
        if harness.state().run().is_some() {
            harness.run_steps(2);
            return harness;
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    panic!("no result after 40 s");
}

#[test]
fn a_model_opens_and_shows_the_figures_of_the_summary() {
    let harness = finished("mm1");
    let figures = harness.state().run().expect("finished").figures();
    assert!(
        harness.query_by_label(&figures).is_some(),
        "{figures:?} is on the screen"
    );
}

#[test]
fn another_model_opens_by_its_name() {
    let mut harness = finished("mm1");
    harness.get_by_label("power-of-two").click();
    harness.run_steps(2);
    assert!(harness.state().run().is_none(), "the old run is gone");
}
