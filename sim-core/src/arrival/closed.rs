//! Closed arrivals: a fixed number of users who think, ask, and wait for the answer.
//!
//! A slow system is asked less often, which hides overload: Schroeder, Wierman and Harchol-Balter,
//! "Open versus closed: a cautionary tale", NSDI 2006.

use super::{ArrivalDef, Arrivals};
use crate::extension::{ExtensionRow, ParamDef, ParamKind};
use std::sync::Arc;

pub(super) static ARRIVAL: ArrivalDef = ArrivalDef {
    row: ExtensionRow {
        name: "closed",
        about: "A fixed number of users who think, ask, wait for the answer, and think again.",
        source: "Schroeder, Wierman and Harchol-Balter, Open versus closed: a cautionary tale, NSDI 2006",
        params: &[
            ParamDef {
                name: "users",
                about: "How many users there are.",
                kind: ParamKind::Integer {
                    min: 1,
                    max: 10_000_000,
                    unit: "users",
                },
                default: None,
            },
            ParamDef {
                name: "think",
                about: "Time between an answer and the same user's next request; \"0s\" asks again at once.",
                kind: ParamKind::Distribution,
                default: None,
            },
            ParamDef::number(
                "leave",
                (0.0, 1.0),
                "",
                "0",
                "Probability that a user whose request failed, all tries included, does not come back.",
            ),
        ],
    },
    uses_rate: false,
    heeds_factor: false,
    happens_once: None,
    check: |_| Ok(()),
    build: |params| Arrivals::Closed {
        users: params.integer("users") as u32,
        think: Arc::from(params.distribution("think").build()),
        leave: params.number("leave"),
    },
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extension::testing::example;

    #[test]
    fn users_and_think_time_are_taken_over() {
        let Arrivals::Closed {
            users,
            think,
            leave,
        } = (ARRIVAL.build)(&example(&ARRIVAL.row))
        else {
            panic!("not closed")
        };
        assert_eq!((users, think.constant_ns(), leave), (1000, Some(1e9), 0.0));
    }
}
