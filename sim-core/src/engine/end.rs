//! Why runs are over.

/// Why a run is over.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum End {
    /// The horizon was reached.
    Horizon,
    /// The limit on events was reached first.
    EventLimit,
    /// The limit on requests and attempts in flight was reached first.
    InFlightLimit,
    /// Events followed one another without time going on: a loop without any delay.
    Stalled,
}

impl End {
    /// A sentence for the warning that belongs to an early end; `None` for the horizon.
    pub fn warning(self) -> Option<&'static str> {
        match self {
            Self::Horizon => None,
            Self::EventLimit => Some("the run ended early: it reached limits.events"),
            Self::InFlightLimit => Some(
                "the run ended early: requests and attempts in flight reached limits.in_flight",
            ),
            Self::Stalled => Some(
                "the run ended early: time stood still, because some loop has no delay at all (users who never think, refused at once?)",
            ),
        }
    }
}
