//! No retries: the first failure is final.

use super::{Failed, PLAIN, Retry, RetryDef, Terms};
use crate::draws::Draws;
use crate::extension::ExtensionRow;
use crate::time::Duration;

pub(super) static RETRY: RetryDef = RetryDef {
    row: ExtensionRow {
        name: "none",
        about: "The first failure is final.",
        source: "",
        params: &[],
    },
    build: |_| Box::new(NoRetry),
    ..PLAIN
};

#[derive(Debug)]
struct NoRetry;

impl Retry for NoRetry {
    fn terms(&self) -> Terms {
        Terms::ONCE
    }
    fn pause(&self, _: Failed, _: &mut u64, _: &mut Draws) -> Duration {
        Duration::ZERO
    }
}
