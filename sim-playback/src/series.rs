//! Figures over time, for plots and lanes: one row for each stretch of the time line.
//!
//! Rows are computed once, by the core's metrics, as a simulation passes them, and kept in blocks
//! that everybody shares: handing them to the screen copies pointers.

use super::condition::queue_share;
use super::sources::Sources;
use sim_core::engine::{MachineState, Simulation};
use sim_core::metric::{MetricDef, Scope, Unit, Window, burn_rate};
use sim_core::model::{Model, ServerId};
use sim_core::outcome::Outcome;
use sim_core::record::history::{History, InstanceInterval};
use sim_core::time::Instant;
use std::ops::Range;
use std::sync::Arc;

/// Rows in a block.
const BLOCK: usize = 64;
/// Rows that a whole run is divided into, at most about.
const ROWS: u64 = 2048;
/// Numbers kept for servers of one run, at most about: beyond, rows are longer.
const SERVER_NUMBERS: usize = 2_000_000;
/// Servers that have figures of their own over time; further ones count in the service's.
pub const SERVERS_MAX: usize = 1000;
/// Balancer instances that have.
pub const INSTANCES_MAX: usize = 64;

/// Metrics of the whole site, in the order of their columns.
pub const SITE: &[&str] = &[
    "offered_hz",
    "goodput_hz",
    "goodput",
    "failed",
    "failed_hz",
    "p50",
    "p90",
    "p99",
    "in_flight",
    "queue_len",
    "amplification",
    "attempts_hz",
    "utilisation",
];
/// Metrics of each server, in the order of their columns; the state follows them.
pub const SERVER: &[&str] = &[
    "attempts_hz",
    "queue_len",
    "utilisation",
    "in_flight",
    "failed_hz",
];
const SERVER_WIDTH: usize = SERVER.len() + 1;
/// Figures of each balancer instance: attempts held, attempts waiting, the number of its state.
const INSTANCE_WIDTH: usize = 3;
/// Figures of each source, per second: requests that came, attempts, requests that succeeded, that failed, and of these those
/// that some guard turned away.
pub const SOURCE: &[&str] = &[
    "offered_hz",
    "attempts_hz",
    "goodput_hz",
    "failed_hz",
    "shed_hz",
];
/// Figures of each service: how full the queues of its servers are, and the share of them that is not up.
const SERVICE_WIDTH: usize = 2;

/// What one column holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Column {
    /// A metric of the site, by its position in [`SITE`].
    Site(usize),
    /// Requests per second that ended so.
    Outcome(Outcome),
    /// How fast the error budget of an objective is spent.
    Burn(usize),
    /// A metric of a server, by its position in [`SERVER`].
    Server(usize, usize),
    /// The number of a server's state at the end of the row.
    State(usize),
    /// The highest value of a metric among all servers.
    Highest(usize),
    /// The median of a metric over all servers.
    Median(usize),
    /// Attempts that a balancer instance holds at the end of the row.
    Held(usize),
    /// Attempts that wait in a balancer instance at the end of the row.
    Pending(usize),
    /// The number of a balancer instance's state at the end of the row.
    InstanceState(usize),
    /// How full the queues of a service's servers are on average, of those that are up.
    Fullness(usize),
    /// The share of a service's servers that is not up, of those that are there.
    NotUp(usize),
    /// Attempts per second on a way, by its number: see [`Series::way`].
    Way(usize),
    /// A figure of a source, by its position in [`SOURCE`].
    Source(usize, usize),
}

impl Column {
    /// The column of a metric of the site.
    pub fn site(name: &str) -> Option<Self> {
        SITE.iter().position(|n| *n == name).map(Self::Site)
    }

    /// The column of a metric of a server.
    pub fn server(server: usize, name: &str) -> Option<Self> {
        SERVER
            .iter()
            .position(|n| *n == name)
            .map(|m| Self::Server(server, m))
    }

    /// The column of a figure of a source.
    pub fn source(source: usize, name: &str) -> Option<Self> {
        let figure = SOURCE.iter().position(|n| *n == name);
        figure.map(|figure| Self::Source(source, figure))
    }

    /// How its values are written.
    pub fn unit(self) -> Unit {
        let unit = |name| MetricDef::find(name).map_or(Unit::Count, |m| m.unit);
        match self {
            Self::Site(m) => unit(SITE[m]),
            Self::Server(_, m) | Self::Highest(m) | Self::Median(m) => unit(SERVER[m]),
            Self::Outcome(_) | Self::Way(_) | Self::Source(..) => Unit::Hertz,
            Self::Fullness(_) | Self::NotUp(_) => Unit::Ratio,
            Self::Burn(_)
            | Self::State(_)
            | Self::Held(_)
            | Self::Pending(_)
            | Self::InstanceState(_) => Unit::Count,
        }
    }
}

/// Where the columns of a model lie.
#[derive(Clone, Debug)]
pub struct Shape {
    /// Objectives.
    pub slos: Vec<f64>,
    /// Servers with columns of their own.
    pub servers: usize,
    /// Services.
    pub services: usize,
    /// Sources, and how what comes is told apart by them.
    pub sources: Sources,
    /// The numbers of the ways from each balancer instance with columns of its own to its servers; none where they are not
    /// counted one by one.
    pub ways: Vec<Range<usize>>,
    /// Intervals of the time line in a row.
    pub stride: usize,
    /// Nanoseconds of a row.
    pub row_ns: u64,
}

impl Shape {
    /// The shape for a model with this time line.
    pub fn of(model: &Model, history: &History, instances: usize) -> Self {
        let interval_ns = history.interval_ns();
        let servers = model.servers.len().min(SERVERS_MAX);
        let rows = ROWS
            .min((SERVER_NUMBERS / (servers * SERVER_WIDTH).max(1)) as u64)
            .max(256);
        let stride = (model.horizon.0 / interval_ns.max(1)).div_ceil(rows).max(1);
        Self {
            slos: model.slos.iter().map(|slo| slo.objective).collect(),
            servers,
            services: model.services.len(),
            sources: Sources::of(model),
            ways: (0..instances.min(INSTANCES_MAX))
                .map(|instance| history.ways_of(instance))
                .collect(),
            stride: stride as usize,
            row_ns: stride * interval_ns,
        }
    }

    fn width(&self) -> usize {
        SITE.len()
            + Outcome::COUNT
            + self.slos.len()
            + 2 * SERVER.len()
            + self.servers * SERVER_WIDTH
            + self.ways.len() * INSTANCE_WIDTH
            + self.services * SERVICE_WIDTH
            + self.ways_len()
            + self.sources.len() * SOURCE.len()
    }

    fn ways_len(&self) -> usize {
        self.ways.last().map_or(0, |ways| ways.end)
    }

    fn position(&self, column: Column) -> Option<usize> {
        let outcomes = SITE.len();
        let slos = outcomes + Outcome::COUNT;
        let fleet = slos + self.slos.len();
        let servers = fleet + 2 * SERVER.len();
        let instances = servers + self.servers * SERVER_WIDTH;
        let services = instances + self.ways.len() * INSTANCE_WIDTH;
        let ways = services + self.services * SERVICE_WIDTH;
        let of_instance = |i: usize, field| {
            (i < self.ways.len()).then_some(instances + i * INSTANCE_WIDTH + field)
        };
        let of_service =
            |s: usize, field| (s < self.services).then_some(services + s * SERVICE_WIDTH + field);
        match column {
            Column::Site(m) => Some(m),
            Column::Outcome(o) => Some(outcomes + o as usize),
            Column::Highest(m) => Some(fleet + m),
            Column::Median(m) => Some(fleet + SERVER.len() + m),
            Column::Burn(i) => (i < self.slos.len()).then_some(slos + i),
            Column::Server(s, m) => (s < self.servers).then_some(servers + s * SERVER_WIDTH + m),
            Column::State(s) => {
                (s < self.servers).then_some(servers + s * SERVER_WIDTH + SERVER.len())
            }
            Column::Held(i) => of_instance(i, 0),
            Column::Pending(i) => of_instance(i, 1),
            Column::InstanceState(i) => of_instance(i, 2),
            Column::Fullness(s) => of_service(s, 0),
            Column::NotUp(s) => of_service(s, 1),
            Column::Way(way) => (way < self.ways_len()).then_some(ways + way),
            Column::Source(source, figure) => {
                let sources = ways + self.ways_len();
                (source < self.sources.len()).then_some(sources + source * SOURCE.len() + figure)
            }
        }
    }
}

fn number(value: Option<f64>) -> f32 {
    value.map_or(f32::NAN, |v| v as f32)
}

fn of(name: &str, window: &Window<'_>) -> f32 {
    number(MetricDef::find(name).and_then(|metric| (metric.of)(window)))
}

/// Figures over time of one branch, as far as it has been simulated.
#[derive(Clone, Debug)]
pub struct Series {
    shape: Arc<Shape>,
    full: Vec<Arc<[f32]>>,
    open: Vec<f32>,
    rows: usize,
}

impl Series {
    /// No rows yet.
    pub fn new(shape: Shape) -> Self {
        Self {
            shape: Arc::new(shape),
            full: Vec::new(),
            open: Vec::new(),
            rows: 0,
        }
    }

    /// Rows so far.
    pub fn len(&self) -> usize {
        self.rows
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// Length of a row.
    pub fn row_ns(&self) -> u64 {
        self.shape.row_ns
    }

    /// Servers with figures of their own.
    pub fn servers(&self) -> usize {
        self.shape.servers
    }

    /// Balancer instances with figures of their own.
    pub fn instances(&self) -> usize {
        self.shape.ways.len()
    }

    /// The way from a balancer instance to a server of its service, by the server's position there; nothing where ways
    /// are not counted: an instance alone sends what its servers get.
    pub fn way(&self, instance: usize, local: usize) -> Option<Column> {
        let ways = self.shape.ways.get(instance)?;
        let way = ways.start + local;
        (way < ways.end).then_some(Column::Way(way))
    }

    /// Whether the figures of a source are an estimate: another asks the same service for the same.
    pub fn source_is_estimated(&self, source: usize) -> bool {
        self.shape.sources.is_estimated(source)
    }

    /// Objectives.
    pub fn slos(&self) -> usize {
        self.shape.slos.len()
    }

    /// Rows that end at `at` or before.
    pub fn rows_until(&self, at: Instant) -> usize {
        ((at.0 / self.shape.row_ns) as usize).min(self.rows)
    }

    /// The end of a row.
    pub fn end_of(&self, row: usize) -> Instant {
        Instant((row as u64 + 1) * self.shape.row_ns)
    }

    fn row(&self, row: usize) -> &[f32] {
        let width = self.shape.width();
        let block = self
            .full
            .get(row / BLOCK)
            .map_or(&self.open[..], |full| full);
        let start = row % BLOCK * width;
        &block[start..start + width]
    }

    /// A value, or nothing where there was nothing to take it from.
    pub fn value(&self, column: Column, row: usize) -> Option<f64> {
        if row >= self.rows {
            return None;
        }
        let value = self.row(row)[self.shape.position(column)?];
        (!value.is_nan()).then_some(f64::from(value))
    }

    /// The values of a column, row by row; a gap is not a number.
    pub fn column(&self, column: Column) -> impl Iterator<Item = f32> + '_ {
        let position = self.shape.position(column);
        (0..self.rows).map(move |row| position.map_or(f32::NAN, |p| self.row(row)[p]))
    }

    /// The first row from `from` on in which two branches differ.
    pub fn first_difference(&self, other: &Self, from: usize) -> Option<usize> {
        let same = |a: &[f32], b: &[f32]| {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.to_bits() == b.to_bits())
        };
        (from..self.rows.min(other.rows)).find(|&row| !same(self.row(row), other.row(row)))
    }

    /// Forgets every row that ends after `at`: the part of a branch that a fork does not share.
    pub fn truncate(&mut self, at: Instant) {
        let rows = self.rows_until(at);
        if rows >= self.rows {
            return;
        }
        let width = self.shape.width();
        let (blocks, rest) = (rows / BLOCK, rows % BLOCK);
        if let Some(block) = self.full.get(blocks) {
            self.open = block[..rest * width].to_vec();
        } else {
            self.open.truncate(rest * width);
        }
        self.full.truncate(blocks);
        self.rows = rows;
    }

    /// Adds the rows that a simulation has completed.
    pub fn follow(&mut self, simulation: &Simulation) {
        let history = simulation.recorder().history();
        while (self.rows + 1) * self.shape.stride <= history.len() {
            self.add_row(simulation);
        }
    }

    fn add_row(&mut self, simulation: &Simulation) {
        let history = simulation.recorder().history();
        let range = self.rows * self.shape.stride..(self.rows + 1) * self.shape.stride;
        let site = history.total(Scope::Site, range.clone());
        let window = site.window();
        self.open.extend(SITE.iter().map(|name| of(name, &window)));
        self.open
            .extend(Outcome::ALL.map(|outcome| number(window.outcome_hz(outcome))));
        for (i, &objective) in self.shape.slos.iter().enumerate() {
            let (mut good, mut total) = (0, 0);
            for interval in range.clone() {
                let counts = history.slo(interval, i);
                good += u64::from(counts.good);
                total += u64::from(counts.total);
            }
            self.open.push(number(burn_rate(good, total, objective)));
        }
        let fleet = self.open.len();
        self.open.extend([f32::NAN; 2 * SERVER.len()]);
        let servers = self.open.len();
        for server in 0..self.shape.servers {
            let total = history.total(Scope::Server(ServerId(server as u32)), range.clone());
            let window = total.window();
            self.open
                .extend(SERVER.iter().map(|name| of(name, &window)));
            let state = history
                .server(range.end - 1, server)
                .map(|record| record.state);
            self.open.push(state.map_or(f32::NAN, f32::from));
        }
        for metric in 0..SERVER.len() {
            let values = self.open[servers + metric..].iter().step_by(SERVER_WIDTH);
            let mut values: Vec<f32> = values.copied().filter(|v| v.is_finite()).collect();
            values.sort_by(f32::total_cmp);
            self.open[fleet + metric] = values.last().copied().unwrap_or(f32::NAN);
            let middle = values.get(values.len() / 2).copied().unwrap_or(f32::NAN);
            self.open[fleet + SERVER.len() + metric] = middle;
        }
        self.add_machines(simulation, range);
        self.rows += 1;
        if self.rows.is_multiple_of(BLOCK) {
            self.full.push(std::mem::take(&mut self.open).into());
        }
    }

    /// The part of a row that tells of balancer instances, services, and the ways between.
    fn add_machines(&mut self, simulation: &Simulation, range: Range<usize>) {
        let history = simulation.recorder().history();
        for instance in 0..self.shape.ways.len() {
            let InstanceInterval {
                connections,
                waiting,
                state,
            } = *history.instance(range.end - 1, instance);
            let fields = [connections as f32, waiting as f32, f32::from(state)];
            self.open.extend(fields);
        }
        let model = simulation.model();
        for service in &model.services {
            let (mut there, mut up, mut full) = (0_u32, 0_u32, 0.0);
            for id in &service.servers {
                let Some(record) = history.server(range.end - 1, id.0 as usize) else {
                    continue;
                };
                there += u32::from(record.state() != MachineState::Absent);
                if record.state() == MachineState::Up {
                    up += 1;
                    let limit = model.servers[id.0 as usize].params.queue_limit;
                    full += queue_share(f64::from(record.queue_len), limit);
                }
            }
            let share = |part: f64, of: u32| {
                if of == 0 {
                    f32::NAN
                } else {
                    (part / f64::from(of)) as f32
                }
            };
            self.open.push(share(full, up));
            self.open.push(share(f64::from(there - up), there));
        }
        let span_ns: u64 = range.clone().map(|i| history.width_ns(i)).sum();
        for way in 0..self.shape.ways_len() {
            let sent: u64 = range.clone().map(|i| u64::from(history.way(i, way))).sum();
            self.open.push((sent as f64 * 1e9 / span_ns as f64) as f32);
        }
        let sources = self.shape.sources.row(model, history, range);
        self.open
            .extend(sources.map(|count| (count * 1e9 / span_ns as f64) as f32));
    }

    /// Bytes held, counting what branches share once for each.
    pub fn bytes(&self) -> usize {
        (self.full.len() * BLOCK * self.shape.width() + self.open.capacity()) * size_of::<f32>()
    }
}
