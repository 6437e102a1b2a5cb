//! A trace: requests at given moments, for instance those of an access log.

use super::{ArrivalDef, Arrivals};
use crate::extension::{ExtensionRow, ParamDef, ParamKind, ParamProblem, Params};

pub(super) static ARRIVAL: ArrivalDef = ArrivalDef {
    row: ExtensionRow {
        name: "trace",
        about: "Requests at given moments, for instance those of an access log.",
        source: "",
        params: &[ParamDef {
            name: "times",
            about: "When requests come, counted from the start of the run, in ascending order. In their place, `file` names a file beside the scenario with a time in each line, in any order: seconds or a span since the start, seconds since 1970, or the date of an access log, counted from the first; whole seconds of a clock are spread evenly.",
            kind: ParamKind::Moments { file: "file" },
            default: None,
        }],
    },
    uses_rate: false,
    happens_once: Some("it replays a trace"),
    check,
    build: |params| Arrivals::Trace(params.spans("times").clone()),
};

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
