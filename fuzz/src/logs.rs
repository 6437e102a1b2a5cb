//! Logs and reports of load tests: they are read or refused with reasons, and what was read is a scenario.

use sim_core::scenario::{NoFiles, Scenario, Source};
use sim_import::loadtest;
use sim_import::logs::{Arrivals, Collector, Measured, Said, read};

/// A file, as a log and as a report.
pub fn logs(data: &[u8]) {
    let mut collector = Collector::default();
    if let Ok(figures) = read("fuzz", data, &Said::default(), &mut collector) {
        let told = figures.requests + figures.asides + figures.faulty();
        assert_eq!(told, figures.lines, "each line is told of once");
        let measured = Measured::of(collector, None);
        let _ = measured.check();
        let scenario = measured.scenario("fuzz", None, Arrivals::Auto);
        if let (Ok(scenario), true) = (scenario, measured.flaw().is_none()) {
            is_scenario(scenario.text);
        }
    }
    let text = String::from_utf8_lossy(data);
    if let Ok(test) = loadtest::read(&text, "fuzz") {
        is_scenario(test.scenario);
    }
}

fn is_scenario(text: String) {
    let source = Source::new("fuzz.toml", text);
    let read = Scenario::read(source.clone(), &[], &NoFiles).and_then(|scenario| scenario.model());
    if let Err(problems) = read {
        panic!("{problems}\n{}", source.text);
    }
}
