//! Outlier detection in sweeps, as Envoy and gRPC do it: what the rows of both share.
//!
//! Every so often, at multiples of `interval`, the attempts of the last interval are looked at together: a server
//! whose success rate is far below that of the others, or which fails too often, is taken out, and those whose time is over
//! come back. Nobody comes back between two sweeps. The programs differ in their guards, in the order of these
//! steps, and in what is looked at between sweeps.

use super::{Candidate, HealthRule, Kind, News, Seen, Standing, percent};
use crate::draws::Stream;
use crate::extension::Params;
use crate::outcome::Outcome;
use crate::time::{Duration, Instant};

/// One of the two algorithms of a sweep.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Algorithm {
    /// Success rate: thousandths of the standard deviation below the mean that make an outlier.
    /// Failure percentage: percent of failures.
    pub(super) limit: f64,
    /// Percent of the outliers that are taken out; of the others nothing is told.
    pub(super) enforcing: f64,
    /// So many servers with enough attempts there must be.
    pub(super) hosts: usize,
    /// So many attempts are enough.
    pub(super) volume: u64,
}

/// Failures in a row that take a server out at once.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Row {
    pub(super) length: u64,
    pub(super) enforcing: f64,
}

/// What a program does its own way.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Program {
    /// Compares the share that would be out with the limit, forgets ejections one sweep after the return, brings
    /// back before it takes out.
    Envoy,
    /// Compares the share that is out with the limit, brings back after it took out.
    Grpc,
}

/// A detector's settings.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Settings {
    pub(super) program: Program,
    pub(super) interval: Duration,
    pub(super) base: Duration,
    pub(super) max: Duration,
    pub(super) jitter: Duration,
    /// Percent of the servers in rotation that may be out.
    pub(super) max_ejected: f64,
    pub(super) always_one: bool,
    pub(super) success_rate: Option<Algorithm>,
    pub(super) failure_percentage: Option<Algorithm>,
    pub(super) row_5xx: Option<Row>,
    pub(super) row_gateway: Option<Row>,
    /// Whether a passed check brings a server back.
    pub(super) checks_bring_back: bool,
    /// The status of what a server answers with an error.
    pub(super) status: u16,
}

/// Makes settings of a row's parameters.
pub(super) type Reader = fn(&Params) -> Settings;

/// A detector of one instance.
#[derive(Clone, Debug)]
pub(super) struct Detector {
    read: Reader,
    settings: Settings,
    servers: Vec<Record>,
    /// Servers in rotation, and those out.
    in_rotation: usize,
    out: usize,
    /// The next sweep, while there is anything to sweep.
    next: Option<Instant>,
    /// Whether the interval is another than that of the next sweep.
    other_rhythm: bool,
}

/// What is known of a server.
#[derive(Clone, Debug, Default)]
struct Record {
    in_rotation: bool,
    /// Whether the rules before left it.
    fit: bool,
    /// Attempts since the last sweep, and those of them that succeeded.
    attempts: u64,
    succeeded: u64,
    in_row: u64,
    gateway_in_row: u64,
    /// Since when it is out, and how much longer than its times out say.
    out: Option<(Instant, Duration)>,
    /// How many base times the next one lasts, less one.
    times: u64,
    back: Option<Instant>,
    /// A check says that it is well.
    passed: bool,
}

impl Detector {
    pub(super) fn new(params: &Params, read: Reader, servers: usize) -> Self {
        Self {
            read,
            settings: read(params),
            servers: vec![Record::default(); servers],
            in_rotation: servers,
            out: 0,
            next: None,
            other_rhythm: false,
        }
    }

    /// The status that an end stands for; `None`: it says nothing of the server.
    fn status(&self, outcome: Outcome) -> Option<u16> {
        match outcome {
            Outcome::Succeeded => Some(200),
            Outcome::Errored => Some(self.settings.status),
            Outcome::Rejected | Outcome::Refused | Outcome::Reset | Outcome::ConnectTimedOut => {
                Some(503)
            }
            Outcome::Shed => Some(429),
            Outcome::TimedOut => Some(504),
            Outcome::Abandoned => Some(503),
            Outcome::Cancelled | Outcome::Unavailable => None,
        }
    }

    fn failed(&self, status: u16) -> bool {
        match self.settings.program {
            Program::Envoy => status >= 500,
            Program::Grpc => status >= 400,
        }
    }

    /// Whether one more may be taken out.
    fn has_room(&self) -> bool {
        let all = self.in_rotation.max(1) as f64;
        let share = |out: usize| 100.0 * out as f64 / all;
        match self.settings.program {
            Program::Envoy => {
                share(self.out + 1) <= self.settings.max_ejected
                    || self.settings.always_one && self.out == 0
            }
            Program::Grpc => share(self.out) < self.settings.max_ejected,
        }
    }

    /// How long a server is out that was taken out so many times.
    fn lasts(&self, times: u64) -> Duration {
        let most = self.settings.max.max(self.settings.base).0;
        Duration(self.settings.base.0.saturating_mul(times).min(most))
    }

    /// Takes a server out if the limit and chance allow it. Whether it did.
    fn eject(
        &mut self,
        now: Instant,
        server: usize,
        enforcing: f64,
        cause: &str,
        news: &mut Vec<News>,
    ) -> bool {
        if self.servers[server].out.is_some() || !self.has_room() {
            return false;
        }
        // A rule has no draws of its own; moments differ from seed to seed as what they are made of.
        let mut draws = Stream::new(now.0, server as u64, "outlier").at(self.servers[server].times);
        if draws.uniform() * 100.0 >= enforcing {
            return false;
        }
        let jitter = draws.uniform() * (self.settings.jitter.0 as f64 + 1.0);
        let jitter = Duration(jitter as u64).min(self.settings.jitter);
        let Settings { base, max, .. } = self.settings;
        let record = &mut self.servers[server];
        let times = record.times;
        let more = match self.settings.program {
            Program::Envoy => base.0.saturating_mul(times) < max.0.saturating_add(base.0),
            Program::Grpc => true,
        };
        record.times = times.saturating_add(u64::from(more));
        record.out = Some((now, jitter));
        self.out += 1;
        let lasts = self.lasts(self.servers[server].times);
        let cause = format!("{cause}: out for {lasts} and until the next sweep");
        news.push(News::of_server(Kind::Ejected, server, cause));
        true
    }

    fn bring_back(&mut self, now: Instant, server: usize, cause: &str, news: &mut Vec<News>) {
        let record = &mut self.servers[server];
        (record.out, record.back) = (None, Some(now));
        (record.in_row, record.gateway_in_row) = (0, 0);
        self.out -= 1;
        let cause = cause.to_owned();
        news.push(News::of_server(Kind::Readmitted, server, cause));
    }

    /// Brings back those whose time is over.
    fn bring_back_due(&mut self, now: Instant, news: &mut Vec<News>) {
        for server in 0..self.servers.len() {
            let record = &self.servers[server];
            let Some((since, jitter)) = record.out else {
                continue;
            };
            let until = since + self.lasts(record.times) + jitter;
            let over = match self.settings.program {
                Program::Envoy => until <= now,
                Program::Grpc => until < now,
            };
            if over {
                self.bring_back(now, server, "its time out is over at this sweep", news);
            }
        }
    }

    /// Servers with enough attempts in the last interval, each with its success rate in percent.
    fn rates(&self, volume: u64) -> Vec<(usize, f64)> {
        let rate = |(server, record): (usize, &Record)| {
            let enough = record.attempts >= volume.max(1) && record.out.is_none();
            enough.then(|| {
                (
                    server,
                    100.0 * record.succeeded as f64 / record.attempts as f64,
                )
            })
        };
        self.servers.iter().enumerate().filter_map(rate).collect()
    }

    /// The servers that an algorithm looks at: none where they are too few.
    fn looked_at(&self, algorithm: Option<Algorithm>) -> Vec<(usize, f64)> {
        let rates = algorithm.map(|algorithm| (algorithm.hosts, self.rates(algorithm.volume)));
        let enough = rates.filter(|(hosts, rates)| rates.len() >= *hosts);
        enough.map(|(_, rates)| rates).unwrap_or_default()
    }

    fn by_success_rate(&mut self, now: Instant, rates: &[(usize, f64)], news: &mut Vec<News>) {
        let Some(algorithm) = self.settings.success_rate.filter(|_| !rates.is_empty()) else {
            return;
        };
        let least = threshold(rates, algorithm.limit / 1000.0);
        for &(server, rate) in rates {
            if rate < least {
                let cause = format!("success rate {rate:.1} % below {least:.1} %");
                self.eject(now, server, algorithm.enforcing, &cause, news);
            }
        }
    }

    fn by_failure_percentage(
        &mut self,
        now: Instant,
        rates: &[(usize, f64)],
        news: &mut Vec<News>,
    ) {
        let Some(algorithm) = self.settings.failure_percentage else {
            return;
        };
        for &(server, rate) in rates {
            let failures = 100.0 - rate;
            let too_many = match self.settings.program {
                Program::Envoy => failures >= algorithm.limit,
                Program::Grpc => failures > algorithm.limit,
            };
            if too_many {
                let record = &self.servers[server];
                let failed = (record.attempts - record.succeeded) as usize;
                let cause = percent(failed, record.attempts as usize);
                let cause = format!("{cause} attempts failed in an interval");
                self.eject(now, server, algorithm.enforcing, &cause, news);
            }
        }
    }

    /// Lets a sweep make up for times out.
    fn forgive(&mut self, now: Instant) {
        let interval = self.settings.interval;
        for record in &mut self.servers {
            let due = record.out.is_none()
                && match self.settings.program {
                    Program::Envoy => record.back.is_some_and(|back| now.since(back) >= interval),
                    Program::Grpc => true,
                };
            record.times = record.times.saturating_sub(u64::from(due));
        }
    }

    fn sweep(&mut self, now: Instant, news: &mut Vec<News>) {
        let envoy = self.settings.program == Program::Envoy;
        if envoy {
            self.bring_back_due(now, news);
        }
        // Both look at the servers as they are before either takes one out.
        let by_rate = self.looked_at(self.settings.success_rate);
        let by_failures = self.looked_at(self.settings.failure_percentage);
        self.by_success_rate(now, &by_rate, news);
        self.by_failure_percentage(now, &by_failures, news);
        self.forgive(now);
        if !envoy {
            self.bring_back_due(now, news);
        }
        let mut busy = self.out > 0;
        for record in &mut self.servers {
            busy |= record.attempts > 0 || record.times > 0;
            (record.attempts, record.succeeded) = (0, 0);
        }
        self.next = busy.then(|| self.sweep_after(now));
    }

    fn sweep_after(&self, now: Instant) -> Instant {
        let interval = self.settings.interval.0;
        Instant((now.0 / interval + 1).saturating_mul(interval))
    }

    /// The sweep that is due, if one is.
    fn catch_up(&mut self, now: Instant, news: &mut Vec<News>) {
        if self.next.is_some_and(|next| next <= now) {
            self.sweep(now, news);
        }
        if std::mem::take(&mut self.other_rhythm) && self.next.is_some() {
            self.next = Some(self.sweep_after(now));
        }
    }

    /// What failures in a row come to. Whether the server was taken out.
    fn count_row(
        &mut self,
        now: Instant,
        server: usize,
        status: u16,
        news: &mut Vec<News>,
    ) -> bool {
        let failed = self.failed(status);
        let gateway = matches!(status, 502..=504);
        let record = &mut self.servers[server];
        record.in_row = if failed { record.in_row + 1 } else { 0 };
        record.gateway_in_row = if gateway {
            record.gateway_in_row + 1
        } else {
            0
        };
        let (all, gateway) = (record.in_row, record.gateway_in_row);
        let mut out = false;
        if let Some(row) = self.settings.row_gateway
            && gateway == row.length
            && self.servers[server].out.is_none()
        {
            let cause = format!("{gateway} gateway failures in a row");
            out |= self.eject(now, server, row.enforcing, &cause, news);
            self.servers[server].gateway_in_row = 0;
        }
        if let Some(row) = self.settings.row_5xx
            && all == row.length
            && self.servers[server].out.is_none()
        {
            let cause = format!("{all} answers of 5xx in a row");
            out |= self.eject(now, server, row.enforcing, &cause, news);
            self.servers[server].in_row = 0;
        }
        out
    }
}

/// The success rate below which a server is an outlier: the mean less so many standard deviations.
fn threshold(rates: &[(usize, f64)], deviations: f64) -> f64 {
    let n = rates.len() as f64;
    let mean = rates.iter().map(|(_, rate)| rate).sum::<f64>() / n;
    let squares = rates.iter().map(|(_, rate)| (rate - mean) * (rate - mean));
    mean - deviations * libm::sqrt(squares.sum::<f64>() / n)
}

impl HealthRule for Detector {
    fn adopt(&mut self, params: &Params) {
        let before = self.settings.interval;
        self.settings = (self.read)(params);
        self.other_rhythm |= self.settings.interval != before;
    }

    fn judge(&mut self, now: Instant, standing: &mut Standing, news: &mut Vec<News>) {
        self.in_rotation = 0;
        for record in &mut self.servers {
            record.in_rotation = false;
        }
        for server in 0..standing.servers.len() {
            let candidate = standing.servers[server];
            self.take_note(server, &candidate);
        }
        for server in 0..standing.servers.len() {
            self.judge_one(now, server, &mut standing.servers[server], news);
        }
    }

    fn judge_one(
        &mut self,
        now: Instant,
        server: usize,
        candidate: &mut Candidate,
        news: &mut Vec<News>,
    ) -> bool {
        self.take_note(server, candidate);
        self.catch_up(now, news);
        let record = &mut self.servers[server];
        let passed = std::mem::take(&mut record.passed) && record.fit;
        if passed && record.out.is_some() {
            self.bring_back(now, server, "a check says that it is well", news);
        }
        candidate.open &= self.servers[server].out.is_none();
        true
    }

    fn ended(&mut self, seen: &Seen, news: &mut Vec<News>) -> bool {
        let Seen { now, server, .. } = *seen;
        let Some(status) = self.status(seen.outcome) else {
            return false;
        };
        let failed = self.failed(status);
        let record = &mut self.servers[server];
        record.attempts += 1;
        record.succeeded += u64::from(!failed);
        let awake = self.next.is_some();
        if !awake {
            self.next = Some(self.sweep_after(now));
        }
        self.count_row(now, server, status, news) || !awake
    }

    fn checked(&mut self, server: usize, passed: bool, _: &mut Vec<News>) -> bool {
        let record = &mut self.servers[server];
        record.passed = passed && self.settings.checks_bring_back && record.out.is_some();
        record.passed
    }

    fn due(&self) -> Option<Instant> {
        self.next
    }

    fn come_due(&self, now: Instant, servers: &mut Vec<u32>) {
        if self.next.is_some_and(|next| next <= now) {
            servers.extend(0..self.servers.len() as u32);
        }
    }

    fn forget(&mut self) {
        self.servers.fill(Record::default());
        (self.out, self.next, self.other_rhythm) = (0, None, false);
    }

    fn clone_box(&self) -> Box<dyn HealthRule> {
        Box::new(self.clone())
    }
}

impl Detector {
    /// A server as the rules before left it.
    fn take_note(&mut self, server: usize, candidate: &Candidate) {
        let record = &mut self.servers[server];
        self.in_rotation -= usize::from(record.in_rotation);
        self.in_rotation += usize::from(candidate.in_rotation);
        record.in_rotation = candidate.in_rotation;
        record.fit = candidate.open;
    }
}
