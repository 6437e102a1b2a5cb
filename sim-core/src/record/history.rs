//! The time line of a run: counters for every interval.
//!
//! Intervals are kept in sealed chunks that clones of a simulation share, so that a fork or a key
//! frame copies pointers and not hours of data. Memory is bounded when the run begins: an interval
//! is widened, and servers are recorded less often, until the whole fits.

use super::Layout;
use super::columns::Columns;
use crate::ids::{ClassId, ServiceId};
use crate::machine::MachineState;
use crate::outcome::Outcome;
use std::ops::Range;
use std::sync::Arc;

/// Intervals in a chunk.
const CHUNK: usize = 256;

/// Counters of one flow (service, class, from outside or not) in an interval.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct FlowInterval {
    /// Requests that arrived.
    pub arrived: u32,
    /// Attempts begun.
    pub attempts: u32,
    /// Requests that ended, by outcome.
    pub outcomes: [u32; Outcome::COUNT],
    /// In flight at the end.
    pub in_flight: u32,
    /// Where the response times end in the chunk's list.
    pub(crate) buckets_end: u32,
}

/// Counters of one server in an interval.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct ServerInterval {
    /// Attempts sent to it.
    pub attempts: u32,
    /// Attempts answered.
    pub succeeded: u32,
    /// Attempts that ended otherwise.
    pub failed: u32,
    /// At the server at the end, waiting or in service.
    pub in_system: u32,
    /// Waiting at the end.
    pub queue_len: u32,
    /// Busy workers, averaged.
    pub busy: f32,
    /// Number of workers.
    pub workers: u32,
    /// [`crate::engine::MachineState`] at the end, as its number.
    pub state: u8,
}

impl ServerInterval {
    /// What the server was doing at the end.
    pub fn state(&self) -> MachineState {
        MachineState::ALL[self.state as usize]
    }
}

/// Counters of one server in several intervals.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct ServerTotal {
    /// Attempts sent to it.
    pub attempts: u64,
    /// Attempts answered.
    pub succeeded: u64,
    /// Attempts that ended otherwise.
    pub failed: u64,
    /// Busy workers, added up over the intervals.
    pub busy: f64,
    /// Workers, added up.
    pub workers: f64,
    /// At the server at the end, waiting or in service.
    pub in_system: u32,
    /// Waiting at the end.
    pub queue_len: u32,
}

/// Counters of one service in an interval.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct ServiceInterval {
    /// Attempts begun.
    pub attempts: u32,
    /// Waiting at its servers at the end.
    pub queue_len: u32,
    /// Busy workers, averaged.
    pub busy: f32,
    /// Workers of servers that are there.
    pub workers: f32,
    /// Servers up at the end.
    pub up: u32,
}

/// Counters of one balancer instance in an interval.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct InstanceInterval {
    /// Attempts it held at the end.
    pub connections: u32,
    /// Attempts waiting in it at the end.
    pub waiting: u32,
    /// [`crate::engine::MachineState`] at the end, as its number.
    pub state: u8,
}

/// Good and all requests of an objective in an interval.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct SloInterval {
    /// Requests that were good.
    pub good: u32,
    /// Requests that ended.
    pub total: u32,
}

#[derive(Clone, Debug)]
struct Chunk {
    flows: Vec<FlowInterval>,
    /// Response times of all flows one after the other: (coarse bucket, count).
    buckets: Vec<(u16, u16)>,
    services: Vec<ServiceInterval>,
    servers: ServerTable,
    instances: Vec<InstanceInterval>,
    ways: Vec<u32>,
    slos: Vec<SloInterval>,
}

/// Records of servers: their fields as columns.
type ServerTable = Columns<{ ServerColumns::COUNT }>;

impl Chunk {
    fn new(servers: usize) -> Self {
        Self {
            flows: Vec::new(),
            buckets: Vec::new(),
            services: Vec::new(),
            servers: ServerTable::new(servers),
            instances: Vec::new(),
            ways: Vec::new(),
            slos: Vec::new(),
        }
    }

    fn with_same_room(&self) -> Self {
        Self {
            flows: Vec::with_capacity(self.flows.len()),
            buckets: Vec::with_capacity(self.buckets.len()),
            services: Vec::with_capacity(self.services.len()),
            servers: self.servers.with_same_room(),
            instances: Vec::with_capacity(self.instances.len()),
            ways: Vec::with_capacity(self.ways.len()),
            slos: Vec::with_capacity(self.slos.len()),
        }
    }

    fn bytes(&self) -> usize {
        self.flows.capacity() * size_of::<FlowInterval>()
            + self.buckets.capacity() * size_of::<(u16, u16)>()
            + self.services.capacity() * size_of::<ServiceInterval>()
            + self.servers.room()
            + self.instances.capacity() * size_of::<InstanceInterval>()
            + self.ways.capacity() * size_of::<u32>()
    }
}

/// The time line of a run.
#[derive(Clone, Debug)]
pub struct History {
    pub(super) layout: Layout,
    pub(super) interval_ns: u64,
    pub(super) stride: usize,
    sealed: Vec<Arc<Chunk>>,
    open: Chunk,
    /// The servers' records that come next.
    pub(crate) server_columns: ServerColumns,
    intervals: usize,
    /// Width of the last interval, where the run ended before it was full.
    cut_to_ns: Option<u64>,
}

/// The servers' records of one interval, field by field in the order of the servers, as they are
/// written.
#[derive(Clone, Debug)]
pub(crate) struct ServerColumns([Vec<u32>; Self::COUNT]);

impl ServerColumns {
    const COUNT: usize = 7;

    fn new(servers: usize) -> Self {
        Self(std::array::from_fn(|_| vec![0; servers]))
    }

    /// The columns, all of one length: attempts, succeeded, failed, in the system, waiting, busy
    /// workers as the bits of an `f32`, and workers times four plus state.
    pub(crate) fn fields(&mut self) -> [&mut [u32]; Self::COUNT] {
        self.0.each_mut().map(Vec::as_mut_slice)
    }

    /// A record from its fields.
    fn record(fields: [u32; Self::COUNT]) -> ServerInterval {
        let [
            attempts,
            succeeded,
            failed,
            in_system,
            queue_len,
            busy,
            workers_and_state,
        ] = fields;
        ServerInterval {
            attempts,
            succeeded,
            failed,
            in_system,
            queue_len,
            busy: f32::from_bits(busy),
            workers: workers_and_state >> 2,
            state: (workers_and_state & 3) as u8,
        }
    }
}

/// Bytes that one record of a server takes, unless its counts go beyond 65 535; often it is half.
pub(crate) const SERVER_BYTES: usize = 16;

/// What the engine hands over at the end of an interval.
pub(crate) struct Closing<'a> {
    pub flows: &'a mut dyn Iterator<Item = (FlowInterval, &'a [(u16, u16)])>,
    pub services: &'a [ServiceInterval],
    pub instances: &'a [InstanceInterval],
    /// Attempts on each way from an instance to a server.
    pub ways: &'a [u32],
    pub slos: &'a [SloInterval],
}

impl History {
    pub(crate) fn new(layout: Layout, interval_ns: u64, stride: usize) -> Self {
        Self {
            open: Chunk::new(layout.servers),
            server_columns: ServerColumns::new(layout.servers),
            layout,
            interval_ns,
            stride,
            sealed: Vec::new(),
            intervals: 0,
            cut_to_ns: None,
        }
    }

    /// Width of an interval in nanoseconds; the last one of a run may be narrower.
    pub fn interval_ns(&self) -> u64 {
        self.interval_ns
    }

    /// Width of this interval in nanoseconds: that of all but for the last one of a run, which ends
    /// when the run does.
    pub fn width_ns(&self, interval: usize) -> u64 {
        match self.cut_to_ns {
            Some(width) if interval + 1 == self.intervals => width,
            _ => self.interval_ns,
        }
    }

    /// When this interval ends, in nanoseconds.
    pub fn end_ns(&self, interval: usize) -> u64 {
        interval as u64 * self.interval_ns + self.width_ns(interval)
    }

    /// Closed intervals so far.
    pub fn len(&self) -> usize {
        self.intervals
    }

    /// Whether no interval is closed yet.
    pub fn is_empty(&self) -> bool {
        self.intervals == 0
    }

    /// Servers are recorded at the end of every so many-th interval.
    pub fn server_stride(&self) -> usize {
        self.stride
    }

    fn at(&self, interval: usize) -> (&Chunk, usize) {
        let chunk = self
            .sealed
            .get(interval / CHUNK)
            .map_or(&self.open, |sealed| sealed);
        (chunk, interval % CHUNK)
    }

    /// The rows of requests from outside.
    pub(crate) fn flows(&self) -> std::iter::StepBy<std::ops::Range<usize>> {
        (0..self.layout.flows()).step_by(2)
    }

    /// Counters of a flow.
    pub fn flow(&self, interval: usize, flow: usize) -> &FlowInterval {
        let (chunk, row) = self.at(interval);
        &chunk.flows[row * self.layout.flows() + flow]
    }

    /// Counters of the requests of a class that come to a service from outside.
    pub fn from_outside(&self, interval: usize, to: ServiceId, class: ClassId) -> &FlowInterval {
        self.flow(interval, usize::from(self.layout.flow(to, class, false)))
    }

    /// Response times of a flow's answered requests: (coarse bucket, count), ascending.
    pub(super) fn buckets(&self, interval: usize, flow: usize) -> &[(u16, u16)] {
        let (chunk, row) = self.at(interval);
        let index = row * self.layout.flows() + flow;
        let start = index
            .checked_sub(1)
            .map_or(0, |before| chunk.flows[before].buckets_end);
        &chunk.buckets[start as usize..chunk.flows[index].buckets_end as usize]
    }

    /// Counters of a service.
    pub fn service(&self, interval: usize, service: usize) -> &ServiceInterval {
        let (chunk, row) = self.at(interval);
        &chunk.services[row * self.layout.services + service]
    }

    /// How many intervals the servers' record that is written at the end of this one covers; 0 where
    /// none is written then.
    pub(super) fn server_record_len(&self, interval: usize) -> usize {
        let rest = (interval + 1) % self.stride;
        let is_last = self.cut_to_ns.is_some() && interval + 1 == self.intervals;
        match rest {
            0 => self.stride,
            rest if is_last => rest,
            _ => 0,
        }
    }

    /// Counters of a server over the last [`History::server_stride`] intervals, at the end of a run
    /// over what is left of them; `None` before the first such record.
    pub fn server(&self, interval: usize, server: usize) -> Option<ServerInterval> {
        let (table, row) = self.server_row(interval)?;
        table.get(row, server).map(ServerColumns::record)
    }

    /// Where the latest records of servers at the end of an interval stand; `None` before the first.
    fn server_row(&self, interval: usize) -> Option<(&ServerTable, usize)> {
        // A chunk's records of servers follow one another without the intervals between.
        let per_chunk = CHUNK / self.stride;
        let is_cut =
            !(interval + 1).is_multiple_of(self.stride) && self.server_record_len(interval) > 0;
        let record = ((interval + 1) / self.stride + usize::from(is_cut)).checked_sub(1)?;
        let chunk = self
            .sealed
            .get(record / per_chunk)
            .map_or(&self.open, |sealed| sealed);
        Some((&chunk.servers, record % per_chunk))
    }

    /// The records of all servers of some intervals, each taken together.
    pub(crate) fn server_totals(&self, intervals: Range<usize>) -> Vec<ServerTotal> {
        let mut totals = vec![ServerTotal::default(); self.layout.servers];
        for interval in intervals.clone() {
            let Some((table, row)) = self.server_row(interval) else {
                continue;
            };
            // A record of several intervals counts once, at their end.
            let covers = self.server_record_len(interval) as u64;
            if covers > 0 {
                let wide = (covers - 1) * self.interval_ns + self.width_ns(interval);
                let part = wide as f64 / self.interval_ns as f64;
                table.each(row, 0, |i, n| totals[i].attempts += u64::from(n));
                table.each(row, 1, |i, n| totals[i].succeeded += u64::from(n));
                table.each(row, 2, |i, n| totals[i].failed += u64::from(n));
                let busy = |n| part * f64::from(f32::from_bits(n));
                table.each(row, 5, |i, n| totals[i].busy += busy(n));
                table.each(row, 6, |i, n| totals[i].workers += part * f64::from(n >> 2));
            }
            if interval + 1 == intervals.end {
                table.each(row, 3, |i, n| totals[i].in_system = n);
                table.each(row, 4, |i, n| totals[i].queue_len = n);
            }
        }
        totals
    }

    /// Counters of a balancer instance.
    pub fn instance(&self, interval: usize, instance: usize) -> &InstanceInterval {
        let (chunk, row) = self.at(interval);
        &chunk.instances[row * self.layout.instances + instance]
    }

    /// Where an instance's ways to its servers lie among all ways, in the order of the servers; empty where they are
    /// not counted: an instance alone sends what its servers get, and of very many ways none is drawn.
    pub fn ways_of(&self, instance: usize) -> Range<usize> {
        self.layout.ways_of(instance)
    }

    /// Attempts sent on a way from a balancer instance to a server.
    pub fn way(&self, interval: usize, way: usize) -> u32 {
        let (chunk, row) = self.at(interval);
        chunk.ways[row * self.layout.ways() + way]
    }

    /// Counters of an objective.
    pub fn slo(&self, interval: usize, slo: usize) -> &SloInterval {
        let (chunk, row) = self.at(interval);
        &chunk.slos[row * self.layout.slos + slo]
    }

    /// Whether servers are recorded at the end of the interval that is about to close.
    pub(crate) fn servers_are_due(&self) -> bool {
        self.cut_to_ns.is_some() || (self.intervals + 1).is_multiple_of(self.stride)
    }

    /// The span that a record of servers about to be written covers, in nanoseconds.
    pub(crate) fn server_span_ns(&self) -> u64 {
        match self.cut_to_ns {
            Some(width) => (self.intervals % self.stride) as u64 * self.interval_ns + width,
            None => self.interval_ns * self.stride as u64,
        }
    }

    /// Keeps the servers' records of the interval about to close, as they stand in
    /// `server_columns`.
    pub(crate) fn push_servers(&mut self) {
        self.open.servers.push(&self.server_columns.0);
    }

    /// The interval that is about to close is the last one of the run.
    pub(crate) fn cut_to(&mut self, width_ns: u64) {
        self.cut_to_ns = Some(width_ns);
    }

    /// When the last interval that closed ended, in nanoseconds.
    pub(crate) fn closed_ns(&self) -> u64 {
        self.intervals as u64 * self.interval_ns
    }

    /// Closes an interval.
    pub(crate) fn close(&mut self, closing: Closing<'_>) {
        for (mut flow, buckets) in closing.flows {
            self.open.buckets.extend_from_slice(buckets);
            flow.buckets_end = self.open.buckets.len() as u32;
            self.open.flows.push(flow);
        }
        self.open.services.extend_from_slice(closing.services);
        self.open.instances.extend_from_slice(closing.instances);
        self.open.ways.extend_from_slice(closing.ways);
        self.open.slos.extend_from_slice(closing.slos);
        self.intervals += 1;
        if self.intervals.is_multiple_of(CHUNK) {
            // The next chunk will be about as large: room for it at once, instead of by doubling.
            let next = self.open.with_same_room();
            self.sealed
                .push(Arc::new(std::mem::replace(&mut self.open, next)));
        }
    }

    /// Bytes held.
    pub(crate) fn bytes(&self) -> usize {
        self.shared_bytes() + self.open.bytes()
    }

    /// Bytes of the sealed part, which clones share.
    pub(crate) fn shared_bytes(&self) -> usize {
        self.sealed.iter().map(|chunk| chunk.bytes()).sum()
    }
}
