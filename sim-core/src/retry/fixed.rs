//! Retries after a fixed pause.

use super::{ATTEMPTS, Retry, RetryDef};
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
        ],
    },
    check: |_| Ok(()),
    build: |params| {
        Box::new(Fixed {
            attempts: params.integer("attempts") as u32,
            pause: params.span("pause"),
        })
    },
};

#[derive(Debug)]
struct Fixed {
    attempts: u32,
    pause: Duration,
}

impl Retry for Fixed {
    fn attempts(&self) -> u32 {
        self.attempts
    }
    fn pause(&self, _: u32, _: Duration, _: &mut Draws) -> Duration {
        self.pause
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draws::Stream;

    #[test]
    fn every_pause_is_the_same() {
        let rule = Fixed {
            attempts: 4,
            pause: Duration::from_millis(20),
        };
        let mut draws = Stream::new(1, 0, "retries").at(0);
        for attempt in 1..4 {
            assert_eq!(
                rule.pause(attempt, Duration(attempt.into()), &mut draws),
                Duration::from_millis(20)
            );
        }
    }
}
