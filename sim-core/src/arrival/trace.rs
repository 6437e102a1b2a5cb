//! A trace: requests at given moments, for instance those of an access log.
//!
//! A factor multiplies requests and leaves their moments alone, so that bursts stay where they were: each
//! comes as many times as the factor has whole parts, and once more with the probability that is left. Which
//! ones do is drawn by their number: those of a smaller factor are among those of a greater one.

use super::{ArrivalDef, Arrivals};
use crate::draws::Draws;
use crate::extension::{ExtensionRow, ParamDef, ParamKind, ParamProblem, Params};

pub(super) static ARRIVAL: ArrivalDef = ArrivalDef {
    row: ExtensionRow {
        name: "trace",
        about: "Requests at given moments, for instance those of an access log.",
        source: "",
        params: &[ParamDef {
            name: "times",
            about: "When requests come, counted from the start of the run, in ascending order. In their place, `file` names a file beside the scenario with a time in each line, in any order: seconds or a span since the start, seconds since 1970, or the date of an access log, counted from the first; whole seconds of a clock are spread evenly. `rate_factor` multiplies requests, not the pace: with 2 each comes twice, with 0.1 a random tenth of them comes.",
            kind: ParamKind::Moments { file: "file" },
            default: None,
        }],
    },
    uses_rate: false,
    heeds_factor: true,
    happens_once: Some("it replays a trace"),
    check,
    build: |params| Arrivals::Trace(params.spans("times").clone()),
};

/// How often a recorded request comes when there are to be `factor` times as many.
pub(crate) fn copies(factor: f64, draws: &mut Draws) -> u64 {
    factor as u64 + u64::from(draws.chance(factor.fract()))
}

fn check(params: &Params) -> Result<(), ParamProblem> {
    let times = params.spans("times");
    if let Some(i) = times.windows(2).position(|pair| pair[0] > pair[1]) {
        let message = format!(
            "times must ascend, but number {} ({}) lies before number {} ({})",
            i + 2,
            times[i + 1],
            i + 1,
            times[i]
        );
        return Err(ParamProblem {
            param: "times",
            message,
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draws::Stream;
    use crate::extension::ParamValue;
    use crate::time::Duration;

    fn times(seconds: &[u64]) -> Params {
        let spans: Vec<Duration> = seconds.iter().map(|s| Duration::from_secs(*s)).collect();
        Params::new(vec![("times", ParamValue::Spans(spans.into()))])
    }

    #[test]
    fn moments_are_taken_over() {
        let Arrivals::Trace(moments) = (ARRIVAL.build)(&times(&[1, 1, 4])) else {
            panic!("no trace")
        };
        assert_eq!(*moments, [1, 1, 4].map(Duration::from_secs));
    }

    #[test]
    fn a_greater_factor_adds_requests_and_takes_none_away() {
        let stream = Stream::new(1, 0, "copies");
        let copies = |factor: f64| -> Vec<u64> {
            let of = |i| copies(factor, &mut stream.at(i));
            (0..10_000).map(of).collect()
        };
        assert!(copies(1.0).iter().all(|&n| n == 1));
        assert!(copies(3.0).iter().all(|&n| n == 3));
        let mut before = copies(0.01);
        for factor in [0.25, 0.5, 0.99, 1.0, 1.5, 2.0, 2.25] {
            let now = copies(factor);
            assert!(before.iter().zip(&now).all(|(before, now)| before <= now));
            // Five standard deviations of 10 000 throws of a coin.
            let sum = now.iter().sum::<u64>() as f64;
            assert!((sum - 10_000.0 * factor).abs() < 250.0, "{factor}: {sum}");
            before = now;
        }
    }

    #[test]
    fn moments_out_of_order_are_pointed_at() {
        assert_eq!(check(&times(&[])), Ok(()));
        assert_eq!(check(&times(&[0, 3, 3, 9])), Ok(()));
        let problem = check(&times(&[0, 3, 2])).expect_err("out of order");
        assert_eq!(
            problem.message,
            "times must ascend, but number 3 (2s) lies before number 2 (3s)"
        );
    }
}
