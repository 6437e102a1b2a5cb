//! Sessions: visitors who come by themselves, ask for one thing after another, and go.
//!
//! Neither open nor closed: how many visitors come does not depend on the system, how soon each asks
//! again does. Schroeder, Wierman and Harchol-Balter, "Open versus closed: a cautionary tale", NSDI 2006,
//! section 2, call this partly open.

use super::{ArrivalDef, Arrivals, Gaps, Lengths, Sessions};
use crate::draws::Draws;
use crate::extension::{ExtensionRow, ParamDef, ParamKind, ParamProblem, Params};
use std::sync::Arc;

pub(super) static ARRIVAL: ArrivalDef = ArrivalDef {
    row: ExtensionRow {
        name: "sessions",
        about: "Visitors who come as a Poisson stream, and each of whom asks for one thing after another: the next a while after the answer to the last, all under the key of the session. The rate still counts requests.",
        source: "Schroeder, Wierman and Harchol-Balter, Open versus closed: a cautionary tale, NSDI 2006, section 2 (partly-open)",
        params: &[
            ParamDef {
                name: "requests",
                about: "How many requests a session has: one of these numbers, all equally likely, so that one written twice comes twice as often. Of `geometric` lengths it is one number, their mean.",
                kind: ParamKind::Numbers {
                    min: 1.0,
                    max: Lengths::MOST as f64,
                },
                default: None,
            },
            ParamDef::choice(
                "lengths",
                &["listed", "geometric"],
                "listed",
                "Whether sessions have the numbers of requests that are written, or each request is the last with the same probability.",
            ),
            ParamDef {
                name: "think",
                about: "Time between an answer, or the last failed try, and the next request of the session.",
                kind: ParamKind::Distribution,
                default: None,
            },
            ParamDef::number(
                "leave",
                (0.0, 1.0),
                "",
                "0",
                "Probability that a visitor whose request failed, all tries included, goes without asking for the rest.",
            ),
        ],
    },
    uses_rate: true,
    heeds_factor: true,
    happens_once: None,
    check,
    build: |params| {
        let requests = lengths(params);
        Arrivals::Sessions(Arc::new(Sessions {
            gaps: Arc::new(Visitors {
                mean: requests.mean(),
                dispersion: requests.second_moment() / requests.mean(),
            }),
            requests,
            think: Arc::from(params.distribution("think").build()),
            leave: params.number("leave"),
        }))
    },
};

/// Longest mean of a geometric law: it is cut at ten times as much, which no digit shows.
const LONGEST_MEAN: f64 = 400.0;

fn check(params: &Params) -> Result<(), ParamProblem> {
    let problem = |message: String| {
        let param = "requests";
        Err(ParamProblem { param, message })
    };
    let numbers = params.numbers("requests");
    if numbers.is_empty() {
        return problem("at least one number of requests must be written".to_owned());
    }
    if params.choice("lengths") == 1 {
        if numbers.len() > 1 {
            return problem("geometric lengths have one mean, and so one number".to_owned());
        }
        if numbers[0] > LONGEST_MEAN {
            let longest = LONGEST_MEAN;
            return problem(format!(
                "the mean of geometric lengths is at most {longest}"
            ));
        }
        return Ok(());
    }
    match numbers.iter().find(|number| number.fract() != 0.0) {
        Some(part) => problem(format!("{part} is no whole number of requests")),
        None => Ok(()),
    }
}

fn lengths(params: &Params) -> Lengths {
    let numbers = params.numbers("requests");
    match params.choice("lengths") {
        0 => Lengths::Listed(numbers.iter().map(|number| *number as u16).collect()),
        _ => Lengths::Geometric { mean: numbers[0] },
    }
}

/// The gaps between visitors, in expected requests.
#[derive(Debug)]
struct Visitors {
    mean: f64,
    dispersion: f64,
}

impl Gaps for Visitors {
    fn gap(&self, _: u64, draws: &mut Draws) -> f64 {
        self.mean * draws.exponential()
    }
    /// Of clusters that come as a Poisson stream, over times beside which a session is short: the second
    /// moment of their sizes over the first (Daley and Vere-Jones, "An Introduction to the Theory of Point
    /// Processes", volume 1, 2003, section 6.3).
    fn dispersion(&self) -> f64 {
        self.dispersion
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draws::Stream;

    fn moments(lengths: &Lengths) -> (f64, f64) {
        let (stream, n) = (Stream::new(4, 0, "lengths"), 200_000);
        let draws = (0..n).map(|session| f64::from(lengths.draw(&mut stream.at(session))));
        let (sum, squares) = draws.fold((0.0, 0.0), |(sum, squares), x| (sum + x, squares + x * x));
        (sum / n as f64, squares / n as f64)
    }

    #[test]
    fn lengths_have_the_moments_that_they_state() {
        for lengths in [
            Lengths::Listed([8].into()),
            Lengths::Listed([1, 1, 2, 5, 40].into()),
            Lengths::Geometric { mean: 1.0 },
            Lengths::Geometric { mean: 5.5 },
            Lengths::Geometric { mean: 400.0 },
        ] {
            let (mean, second) = moments(&lengths);
            let variance = second - mean * mean;
            assert!(
                (mean - lengths.mean()).abs() <= 4.0 * (variance / 200_000.0).sqrt() + 1e-12,
                "{lengths:?}: {mean}"
            );
            assert!(
                (second / lengths.second_moment() - 1.0).abs() < 0.03,
                "{lengths:?}: {second}"
            );
        }
        // One request, always: no session at all.
        assert_eq!(moments(&Lengths::Geometric { mean: 1.0 }), (1.0, 1.0));
    }

    #[test]
    fn lengths_that_are_none_are_refused() {
        use crate::extension::ParamValue::{Choice, Numbers};
        let params = |numbers: &[f64], lengths| {
            check(&Params::new(vec![
                ("requests", Numbers(numbers.into())),
                ("lengths", Choice(lengths)),
            ]))
        };
        assert!(params(&[1.0, 40.0], 0).is_ok() && params(&[2.5], 1).is_ok());
        for (numbers, lengths) in [
            (&[] as &[f64], 0),
            (&[2.5], 0),
            (&[2.0, 3.0], 1),
            (&[401.0], 1),
        ] {
            assert!(params(numbers, lengths).is_err(), "{numbers:?} {lengths}");
        }
    }
}
