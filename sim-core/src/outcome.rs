//! How attempts and requests end: one closed list.

/// The end of an attempt or of a request.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
pub enum Outcome {
    /// Answered in time.
    Succeeded,
    /// Answered with an error.
    Errored,
    /// Connection refused: server or balancer is down.
    Refused,
    /// Turned away: a queue or a connection limit was full.
    Rejected,
    /// Turned away on purpose by admission control.
    Shed,
    /// No eligible server.
    Unavailable,
    /// The caller gave up waiting.
    TimedOut,
    /// Connection lost: server or balancer crashed with the attempt in flight.
    Reset,
    /// Called off by the caller for another reason than time.
    Cancelled,
    /// Left a server's queue: its patience ended before a worker was free.
    Abandoned,
    /// No connection within the time allowed: the request was lost on its way, or met silence.
    ConnectTimedOut,
}

impl Outcome {
    /// All of them, in the order of every table and file.
    pub const ALL: [Self; 11] = [
        Self::Succeeded,
        Self::Errored,
        Self::Refused,
        Self::Rejected,
        Self::Shed,
        Self::Unavailable,
        Self::TimedOut,
        Self::Reset,
        Self::Cancelled,
        Self::Abandoned,
        Self::ConnectTimedOut,
    ];

    /// Number of outcomes.
    pub const COUNT: usize = Self::ALL.len();

    /// The word used in files and on screen.
    pub fn name(self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::Errored => "errored",
            Self::Refused => "refused",
            Self::Rejected => "rejected",
            Self::Shed => "shed",
            Self::Unavailable => "unavailable",
            Self::TimedOut => "timed_out",
            Self::Reset => "reset",
            Self::Cancelled => "cancelled",
            Self::Abandoned => "abandoned",
            Self::ConnectTimedOut => "connect_timed_out",
        }
    }

    /// What it means, as a phrase.
    pub fn about(self) -> &'static str {
        match self {
            Self::Succeeded => "answered in time",
            Self::Errored => "answered with an error",
            Self::Refused => "connection refused: the server or the balancer is down",
            Self::Rejected => "turned away: a queue or a connection limit was full",
            Self::Shed => "turned away on purpose by admission control",
            Self::Unavailable => "no server to go to",
            Self::TimedOut => "the caller gave up waiting",
            Self::Reset => {
                "connection lost: the server or the balancer crashed with the attempt in flight"
            }
            Self::Cancelled => "called off by the caller for another reason than time",
            Self::Abandoned => "left a server's queue, its patience at an end",
            Self::ConnectTimedOut => {
                "no connection within the time allowed: lost on the way, or met with silence"
            }
        }
    }
}
