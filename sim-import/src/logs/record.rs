//! One line of a log, as what it tells of one request.

/// What a line's time stamp is the time of.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) enum Stamp {
    /// The request's first byte came.
    Begin,
    /// The answer's last byte went.
    #[default]
    End,
}

/// What a line tells of a request. Texts are those of the line; nothing is copied.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Record<'a> {
    /// The moment that was written, in nanoseconds since 1970; nothing without one.
    pub at_ns: Option<i64>,
    /// What happened then.
    pub stamp: Stamp,
    /// Whether the moment is known to the second only.
    pub whole_second: bool,
    /// From the request's first byte to the answer's last.
    pub duration_ns: Option<u64>,
    /// The time at servers, over all tries, with what it waited in the balancer's queue.
    pub upstream_ns: Option<u64>,
    /// The time at the server of the last try alone.
    pub service_ns: Option<u64>,
    /// Time in a queue of the balancer's.
    pub queued_ns: u64,
    /// Status of the answer, 0 where none was written; nothing where the format has none.
    pub status: Option<u16>,
    /// The method, where it is known.
    pub method: &'a [u8],
    /// The path with its query.
    pub path: &'a [u8],
    /// Who served the last try.
    pub server: &'a [u8],
    /// Tries at servers; 0 where the format does not tell.
    pub tries: u32,
    /// Whether the client left before the answer was complete.
    pub left: bool,
    /// Whether the balancer answered by itself, and no server had the request.
    pub local: bool,
}

impl Record<'_> {
    /// Whether a body is sent before a server has anything to do.
    pub(crate) fn uploads(&self) -> bool {
        matches!(self.method, b"POST" | b"PUT" | b"PATCH")
    }
}
