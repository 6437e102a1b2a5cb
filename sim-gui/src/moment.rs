//! Moments as people write them: in the palette, in links and in lessons.

use sim_core::time::{Clock, Duration, Instant};

/// A moment: a time of day where the run has a clock, or a span since its start.
///
/// # Errors
/// Says what a moment is.
pub fn parse(text: &str, clock: Option<Clock>) -> Result<Instant, String> {
    let text = text.trim();
    if let Ok(span) = Duration::parse(text) {
        return Ok(Instant(span.0));
    }
    match (clock, Clock::parse_time_of_day(text)) {
        (Some(clock), Ok(seconds)) => Ok(clock.instant(seconds)),
        (Some(_), Err(_)) => Err(format!(
            "{text:?} is no moment: that is a time of day such as \"12:30\" or \"12:30:05\", or a span since the start such as \"20m\""
        )),
        (None, _) => Err(format!(
            "{text:?} is no moment: in a run without a clock that is a span since the start such as \"20m\""
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_a_time_of_day_or_a_span() {
        let clock = Clock::parse_time_of_day("12:10").map(|start_s| Clock { start_s });
        let clock = clock.ok();
        let seconds = |text| parse(text, clock).map(|at| at.0 / 1_000_000_000);
        assert_eq!(seconds("12:25"), Ok(900));
        assert_eq!(seconds(" 12:25:07 "), Ok(907));
        assert_eq!(seconds("15m"), Ok(900));
        for bad in [
            "4000000000:00",
            "12:xx",
            "25:00",
            "12:",
            ":",
            "",
            "12:00:00:00",
            "soon",
            "-5m",
        ] {
            assert!(
                parse(bad, clock).is_err_and(|why| why.contains("12:30")),
                "{bad}"
            );
        }
        let why = parse("12:25", None).expect_err("there is no clock");
        assert!(why.contains("without a clock"), "{why}");
        assert_eq!(parse("20m", None), Ok(Instant(1_200_000_000_000)));
    }
}
