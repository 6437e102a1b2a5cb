//! No retries: the first failure is final.

use super::{Retry, RetryDef, Terms};
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
    check: |_| Ok(()),
    build: |_| Box::new(NoRetry),
};

#[derive(Debug)]
struct NoRetry;

impl Retry for NoRetry {
    fn terms(&self) -> Terms {
        Terms::ONCE
    }
    fn pause(&self, _: u32, _: Duration, _: &mut Draws) -> Duration {
        Duration::ZERO
    }
}
