//! Retries after a fixed pause.

use super::{ATTEMPTS, AVOID, DEMAND, Failed, PLAIN, Retry, RetryDef, Terms};
use crate::draws::Draws;
use crate::extension::{ExtensionRow, ParamDef, ParamKind};
use crate::time::Duration;

pub(super) static RETRY: RetryDef = RetryDef {
    row: ExtensionRow {
        name: "fixed",
        about: "Tries again after the same pause every time.",
        source: "",
        params: &[
            ATTEMPTS,
            ParamDef {
                name: "pause",
                about: "Time between a failure and the next attempt; zero tries again at once.",
                kind: ParamKind::Span {
                    min: Duration::ZERO,
                },
                default: Some("0s"),
            },
            DEMAND,
            AVOID,
        ],
    },
    build: |params| {
        Box::new(Fixed {
            terms: Terms::of(params),
            pause: params.span("pause"),
        })
    },
    ..PLAIN
};

#[derive(Debug)]
struct Fixed {
    terms: Terms,
    pause: Duration,
}

impl Retry for Fixed {
    fn terms(&self) -> Terms {
        self.terms
    }
    fn pause(&self, _: Failed, _: &mut u64, _: &mut Draws) -> Duration {
        self.pause
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::failed;
    use super::*;
    use crate::draws::Stream;

    #[test]
    fn every_pause_is_the_same() {
        let rule = Fixed {
            terms: Terms::ONCE,
            pause: Duration::from_millis(20),
        };
        let mut draws = Stream::new(1, 0, "retries").at(0);
        for attempt in 1..4 {
            assert_eq!(
                rule.pause(failed(attempt), &mut attempt.into(), &mut draws),
                Duration::from_millis(20)
            );
        }
    }
}
