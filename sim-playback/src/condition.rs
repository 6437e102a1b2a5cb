//! What a server is like at a moment, in one word.

use super::{BranchReport, Column};
use sim_core::engine::{MachineState, ServerSnapshot};
use sim_core::event_log::Kind;
use sim_core::model::Server;
use sim_core::time::Instant;

/// A server's condition in one word: what its machine does, and how full it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Condition {
    /// Serving, with room.
    Ok,
    /// All workers are busy, and at least as many requests wait as are served.
    Busy,
    /// The queue is at 90 % of its limit or more.
    Full,
    /// The queue has no limit, and a thousand or more wait.
    Flooded,
    /// Serving more slowly after a start.
    Warming,
    /// Taken out of rotation by hand.
    Drained,
    /// Crashed.
    Down,
    /// Starting.
    Starting,
    /// Not there.
    Absent,
}

/// Share of a queue's limit from which it is called full.
const FULL: f64 = 0.9;
/// So many waiting where there is no limit are drawn as a full queue.
const MANY: f64 = 1000.0;

/// How full a queue is: of its limit, or of a thousand where there is none.
pub fn queue_share(queue_len: f64, limit: u32) -> f64 {
    let whole = if limit == u32::MAX {
        MANY
    } else {
        f64::from(limit.max(1))
    };
    (queue_len / whole).min(1.0)
}

impl Condition {
    /// A server at a moment.
    pub fn of(server: &ServerSnapshot, model: &Server) -> Self {
        if server.state == MachineState::Up && server.drained {
            return Self::Drained;
        }
        let busy = f64::from(server.busy) / f64::from(server.workers.max(1));
        match Self::from_figures(server.state, f64::from(server.queue_len), busy, model) {
            Self::Ok if server.warmth < 0.999 => Self::Warming,
            condition => condition,
        }
    }

    /// The same from what is recorded.
    pub fn from_figures(state: MachineState, queue_len: f64, busy: f64, model: &Server) -> Self {
        let (limit, workers) = (
            f64::from(model.params.queue_limit),
            f64::from(model.params.workers),
        );
        match state {
            MachineState::Down => Self::Down,
            MachineState::Booting => Self::Starting,
            MachineState::Absent => Self::Absent,
            MachineState::Up if queue_len > 0.0 && queue_len >= FULL * limit => Self::Full,
            MachineState::Up if model.params.queue_limit == u32::MAX && queue_len >= MANY => {
                Self::Flooded
            }
            MachineState::Up if queue_len >= workers && busy > 0.95 => Self::Busy,
            MachineState::Up => Self::Ok,
        }
    }

    /// The word on screen.
    pub fn word(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::Busy => "BUSY",
            Self::Full => "FULL",
            Self::Flooded => "FLOODED",
            Self::Warming => "WARMING",
            Self::Drained => "DRAINED",
            Self::Down => "DOWN",
            Self::Starting => "STARTING",
            Self::Absent => "ABSENT",
        }
    }
}

/// What a server was like, row by row of a branch's figures: a lane.
pub struct Lane<'a> {
    branch: &'a BranchReport,
    server: usize,
    model: &'a Server,
    drained: Vec<(Instant, Instant)>,
}

impl<'a> Lane<'a> {
    /// The lane of a server.
    pub fn of(branch: &'a BranchReport, server: usize) -> Self {
        let model = &branch.model.servers[server];
        Self {
            branch,
            server,
            model,
            drained: drained(branch, &model.name),
        }
    }

    /// Its condition in a row.
    pub fn at(&self, row: usize) -> Option<Condition> {
        let series = &self.branch.series;
        let state = series.value(Column::State(self.server), row)?;
        let state = *MachineState::ALL.get(state as usize)?;
        let value = |name| Some(series.value(Column::server(self.server, name)?, row));
        let queue = value("queue_len")?.unwrap_or(0.0);
        let busy = value("utilisation")?.unwrap_or(0.0);
        let at = series.end_of(row);
        let out = |(from, to): &(Instant, Instant)| *from < at && at <= *to;
        if state == MachineState::Up && self.drained.iter().any(out) {
            return Some(Condition::Drained);
        }
        Some(Condition::from_figures(state, queue, busy, self.model))
    }
}

/// When a server was out of rotation by hand: the event log tells it.
fn drained(branch: &BranchReport, server: &str) -> Vec<(Instant, Instant)> {
    let mut stretches = Vec::new();
    let mut since = None;
    for event in branch.event_log.iter().filter(|e| e.subject == server) {
        if event.kind == Kind::Drain {
            since = Some(event.at);
        } else if event.kind.ends(Kind::Drain) {
            stretches.extend(since.take().map(|from| (from, event.at)));
        }
    }
    stretches.extend(since.map(|from| (from, Instant(u64::MAX))));
    stretches
}
