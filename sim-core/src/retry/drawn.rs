//! Retries after a pause of any law.

use super::{ATTEMPTS, AVOID, DEMAND, Failed, PLAIN, Retry, RetryDef, Terms};
use crate::distribution::Distribution;
use crate::draws::Draws;
use crate::extension::{ExtensionRow, ParamDef, ParamKind};
use crate::time::Duration;

pub(super) static RETRY: RetryDef = RetryDef {
    row: ExtensionRow {
        name: "drawn",
        about: "Tries again after a pause of any law, drawn anew for each try: people who come back when they come back.",
        source: "",
        params: &[
            ATTEMPTS,
            ParamDef {
                name: "pause",
                about: "The law of the time between a failure and the next attempt.",
                kind: ParamKind::Distribution,
                default: None,
            },
            DEMAND,
            AVOID,
        ],
    },
    build: |params| {
        Box::new(Drawn {
            terms: Terms::of(params),
            pause: params.distribution("pause").build(),
        })
    },
    ..PLAIN
};

#[derive(Debug)]
struct Drawn {
    terms: Terms,
    pause: Box<dyn Distribution>,
}

impl Retry for Drawn {
    fn terms(&self) -> Terms {
        self.terms
    }
    fn pause(&self, _: Failed, _: &mut u64, draws: &mut Draws) -> Duration {
        Duration::from_nanos_f64(self.pause.sample_ns(draws))
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::failed;
    use super::*;
    use crate::draws::Stream;
    use crate::extension::testing::example;

    #[test]
    fn pauses_follow_the_law() {
        let params = example(&RETRY.row);
        let law = params.distribution("pause").build();
        let (rule, stream, n) = ((RETRY.build)(&params), Stream::new(4, 0, "retries"), 50_000);
        let sum: f64 = (0..n)
            .map(|number| rule.pause(failed(1), &mut 0, &mut stream.at(number)))
            .map(|pause| pause.0 as f64)
            .sum();
        let error = law.mean_ns() * (law.cv2() / n as f64).sqrt();
        assert!((sum / n as f64 - law.mean_ns()).abs() <= 4.0 * error + 0.5);
    }
}
