//! The horizontal pod autoscaler of Kubernetes.
//!
//! Every `sync` it works out from the readings how many pods would bring the mean to the target, and lets
//! go of the answer where the ratio is within the tolerance. What it does not know it takes for what
//! holds it back: pods that are not ready, or not measured, count as idle where it would add and as
//! busy, or not at all, where it would take away. The answer is then held against those of the last while (the lowest
//! counts on the way up, the highest on the way down), against what may change within a period, and
//! against `min` and `max`.
//!
//! Numbers are cut as there: utilisation to a whole per cent, other metrics to thousandths.
//!
//! The behaviour is that of a `spec.behavior` with the documented defaults. One that is left out
//! altogether follows an older rule, whose limit upwards is the larger of twice the pods and 4.

use super::{
    Autoscaler, AutoscalerDef, MAX, METRIC, MIN, Member, MemberState, Reading, SERVERS_MAX, Seen,
    Timing, Wish,
};
use crate::extension::{ExtensionRow, ParamDef, ParamKind, ParamProblem, Params};
use crate::time::{Duration, Instant};

const SECOND: Duration = Duration::from_secs(1);
/// Words of `up_select` and `down_select`.
const SELECT: &[&str] = &["max", "min", "disabled"];

pub(super) static AUTOSCALER: AutoscalerDef = AutoscalerDef {
    row: ExtensionRow {
        name: "kubernetes-hpa",
        about: "The horizontal pod autoscaler of Kubernetes: the number of pods times the metric over its target, rounded up.",
        source: "Kubernetes 1.33, Horizontal Pod Autoscaling, and pkg/controller/podautoscaler (replica_calculator.go, horizontal.go)",
        params: &[
            MIN,
            MAX,
            METRIC,
            ParamDef {
                name: "target",
                about: "What the mean over the servers is to be: a share, which counts in whole per cent, or requests per second.",
                kind: ParamKind::Number {
                    min: 0.01,
                    max: 1e6,
                    unit: "",
                },
                default: None,
            },
            ParamDef::span("sync", SECOND, "15s", "Time between its decisions."),
            ParamDef::span(
                "interval",
                SECOND,
                "15s",
                "Servers are measured over intervals of this length (metrics-server's `metric-resolution`).",
            ),
            ParamDef::span(
                "lag",
                Duration::ZERO,
                "10s",
                "How long after the end of an interval its reading is known (the kubelet looks every 10 s).",
            ),
            ParamDef::number(
                "tolerance",
                (0.0, 10.0),
                "",
                "0.1",
                "Nothing changes while the metric differs from the target by no more than this share of it.",
            ),
            ParamDef::span(
                "cpu_initialization",
                Duration::ZERO,
                "5m",
                "Only with the metric `utilisation`: so long after its start a pod counts only while it is ready, and with a reading that began since.",
            ),
            ParamDef::span(
                "initial_readiness",
                Duration::ZERO,
                "30s",
                "Only with the metric `utilisation`: a pod that stopped being ready no later than this after its start has never been ready.",
            ),
            ParamDef::span(
                "up_window",
                Duration::ZERO,
                "0s",
                "On the way up the lowest answer of the last while counts (`stabilizationWindowSeconds`).",
            ),
            ParamDef::choice(
                "up_select",
                SELECT,
                "max",
                "Which of the two limits upwards holds: the one that allows more, the one that allows less, or neither, and nothing is added.",
            ),
            ParamDef::count(
                "up_pods",
                (0, SERVERS_MAX),
                "servers",
                "4",
                "At most so many are added within `up_pods_period`; 0 for no such limit.",
            ),
            ParamDef::span(
                "up_pods_period",
                SECOND,
                "15s",
                "The period that `up_pods` is counted over.",
            ),
            ParamDef::number(
                "up_percent",
                (0.0, 1e6),
                "per cent",
                "100",
                "At most so many per cent are added within `up_percent_period`; 0 for no such limit.",
            ),
            ParamDef::span(
                "up_percent_period",
                SECOND,
                "15s",
                "The period that `up_percent` is counted over.",
            ),
            ParamDef::span(
                "down_window",
                Duration::ZERO,
                "5m",
                "On the way down the highest answer of the last while counts.",
            ),
            ParamDef::choice(
                "down_select",
                SELECT,
                "max",
                "Which of the two limits downwards holds: the one that allows more, the one that allows less, or neither, and nothing is taken away.",
            ),
            ParamDef::count(
                "down_pods",
                (0, SERVERS_MAX),
                "servers",
                "0",
                "At most so many are taken away within `down_pods_period`; 0 for no such limit.",
            ),
            ParamDef::span(
                "down_pods_period",
                SECOND,
                "15s",
                "The period that `down_pods` is counted over.",
            ),
            ParamDef::number(
                "down_percent",
                (0.0, 100.0),
                "per cent",
                "100",
                "At most so many per cent are taken away within `down_percent_period`; 0 for no such limit.",
            ),
            ParamDef::span(
                "down_percent_period",
                SECOND,
                "15s",
                "The period that `down_percent` is counted over.",
            ),
        ],
    },
    timing: |params| Timing {
        period: params.span("sync"),
        interval: params.span("interval"),
        lag: params.span("lag"),
    },
    build: |params| {
        Box::new(Hpa {
            settings: Settings::of(params),
            begun: false,
            answers: Vec::new(),
            added: Vec::new(),
            taken: Vec::new(),
        })
    },
    check: |params| {
        /// As Kubernetes has it; answers of that time are kept.
        const WINDOW_MAX: Duration = Duration::from_secs(3600);
        for name in [
            "up_window",
            "down_window",
            "up_pods_period",
            "up_percent_period",
            "down_pods_period",
            "down_percent_period",
        ] {
            if params.span(name) > WINDOW_MAX {
                return Err(ParamProblem {
                    param: name,
                    message: format!("`{name}` is at most {WINDOW_MAX}"),
                });
            }
        }
        for (pods, percent, select) in [
            ("up_pods", "up_percent", "up_select"),
            ("down_pods", "down_percent", "down_select"),
        ] {
            let none = params.integer(pods) == 0 && params.number(percent) <= 0.0;
            if none && params.choice(select) != DISABLED {
                return Err(ParamProblem {
                    param: percent,
                    message: format!(
                        "without `{pods}` and `{percent}` nothing could change: write {select} = \"disabled\""
                    ),
                });
            }
        }
        Ok(())
    },
};

/// The position in [`SELECT`].
const DISABLED: usize = 2;

#[derive(Clone, Debug)]
struct Hpa {
    settings: Settings,
    begun: bool,
    /// What the metric asked for, before anything held it back, and when.
    answers: Vec<(Instant, u32)>,
    /// Servers added and taken away, and when.
    added: Vec<(Instant, u32)>,
    taken: Vec<(Instant, u32)>,
}

#[derive(Clone, Debug)]
struct Settings {
    min: u32,
    max: u32,
    target: Target,
    tolerance: f64,
    cpu_initialization: Duration,
    initial_readiness: Duration,
    up: Direction,
    down: Direction,
}

/// What the mean over the servers is to be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Target {
    /// Busy workers in whole per cent.
    Utilisation(u64),
    /// Requests per second, in thousandths.
    Requests(u64),
}

/// How fast the number may change in one direction.
#[derive(Clone, Debug)]
struct Direction {
    window: Duration,
    select: Select,
    limits: Vec<Limit>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Select {
    Most,
    Least,
    Disabled,
}

/// A limit of how much may change within a period.
#[derive(Clone, Copy, Debug)]
struct Limit {
    amount: Amount,
    period: Duration,
}

#[derive(Clone, Copy, Debug)]
enum Amount {
    Pods(u32),
    Percent(f64),
}

impl Settings {
    fn of(params: &Params) -> Self {
        let (min, max) = super::bounds(params);
        let target = params.number("target");
        let direction = |name: &str| {
            let key = |rest: &str| format!("{name}_{rest}");
            let pods = u32::try_from(params.integer(&key("pods"))).unwrap_or(u32::MAX);
            let percent = params.number(&key("percent"));
            let mut limits = Vec::new();
            if pods > 0 {
                limits.push(Limit {
                    amount: Amount::Pods(pods),
                    period: params.span(&key("pods_period")),
                });
            }
            if percent > 0.0 {
                limits.push(Limit {
                    amount: Amount::Percent(percent),
                    period: params.span(&key("percent_period")),
                });
            }
            Direction {
                window: params.span(&key("window")),
                select: [Select::Most, Select::Least, Select::Disabled]
                    [params.choice(&key("select"))],
                limits,
            }
        };
        Self {
            min,
            max,
            target: match params.choice("metric") {
                0 => Target::Utilisation(((target * 100.0).round() as u64).max(1)),
                _ => Target::Requests(((target * 1000.0).round() as u64).max(1)),
            },
            tolerance: params.number("tolerance"),
            cpu_initialization: params.span("cpu_initialization"),
            initial_readiness: params.span("initial_readiness"),
            up: direction("up"),
            down: direction("down"),
        }
    }

    /// Whether a measured pod is left out for not being ready.
    fn is_unready(&self, seen: &Seen<'_>, pod: &Member, reading: &Reading) -> bool {
        // Other metrics than processor time do not ask.
        if !matches!(self.target, Target::Utilisation(_)) {
            return false;
        }
        let ready = pod.state == MemberState::Ready;
        let Some(started) = pod.started else {
            return false;
        };
        if seen.now.since(started) < self.cpu_initialization {
            return !ready || reading.at < pod.since + seen.interval;
        }
        !ready && started + self.initial_readiness > pod.since
    }

    /// The ratio of the metric to its target over the pods that count, and the metric in words.
    fn ratio(&self, counted: &[Counted]) -> (f64, String) {
        match self.target {
            Target::Utilisation(target) => {
                let (mut used, mut whole) = (0_u64, 0_u64);
                for pod in counted {
                    let size = u64::from(pod.workers) * 1000;
                    whole = whole.saturating_add(size);
                    used = used.saturating_add(match pod.as_if {
                        AsIf::Measured(reading) => reading.busy_milli,
                        AsIf::Idle => 0,
                        AsIf::Busy => size.saturating_mul(target.max(100)) / 100,
                    });
                }
                let percent = used.saturating_mul(100) / whole.max(1);
                (
                    percent as f64 / target as f64,
                    format!("utilisation {percent} %, wanted {target} %"),
                )
            }
            Target::Requests(target) => {
                let sum = counted.iter().fold(0_u64, |sum, pod| {
                    sum.saturating_add(match pod.as_if {
                        AsIf::Measured(reading) => reading.requests_milli_hz,
                        AsIf::Idle => 0,
                        AsIf::Busy => target,
                    })
                });
                let mean = sum / counted.len().max(1) as u64;
                let hz = |milli: u64| milli as f64 / 1000.0;
                (
                    mean as f64 / target as f64,
                    format!("{} requests/s a server, wanted {}", hz(mean), hz(target)),
                )
            }
        }
    }

    /// How many servers the metric asks for; absent: there is nothing to go by.
    fn asked(&self, seen: &Seen<'_>) -> Option<(u32, String)> {
        let current = seen.current();
        let (mut counted, mut unready, mut missing) = (Vec::new(), Vec::new(), Vec::new());
        for pod in seen.members {
            let of = |as_if| Counted {
                workers: pod.workers,
                as_if,
            };
            match pod.reading {
                _ if pod.state == MemberState::Pending => unready.push(of(AsIf::Idle)),
                None => missing.push(of(AsIf::Idle)),
                Some(reading) if self.is_unready(seen, pod, &reading) => {
                    unready.push(of(AsIf::Idle));
                }
                Some(reading) => counted.push(of(AsIf::Measured(reading))),
            }
        }
        if counted.is_empty() {
            return None;
        }
        let (first, why) = self.ratio(&counted);
        let small = |ratio: f64| (1.0 - self.tolerance..=1.0 + self.tolerance).contains(&ratio);
        let with_unready = !unready.is_empty() && first > 1.0;
        if !with_unready && missing.is_empty() {
            let asked = if small(first) {
                current
            } else {
                times(first, counted.len())
            };
            return Some((asked, why));
        }
        // What is not known is taken for what holds it back.
        let why = format!(
            "{why}; {} not ready, {} not measured",
            unready.len(),
            missing.len()
        );
        let utilisation = matches!(self.target, Target::Utilisation(_));
        if first < 1.0 {
            for pod in &mut missing {
                pod.as_if = AsIf::Busy;
            }
        }
        let differs = (first - 1.0).abs() > 0.0;
        if differs || !utilisation {
            counted.append(&mut missing);
        }
        if with_unready {
            counted.append(&mut unready);
        }
        let (second, _) = self.ratio(&counted);
        let turned = (first < 1.0 && second > 1.0) || (first > 1.0 && second < 1.0);
        if small(second) || turned {
            return Some((current, why));
        }
        let asked = times(second, counted.len());
        let turned = (second < 1.0 && asked > current) || (second > 1.0 && asked < current);
        Some((if turned { current } else { asked }, why))
    }
}

/// A pod that enters the metric.
#[derive(Clone, Copy, Debug)]
struct Counted {
    workers: u32,
    as_if: AsIf,
}

/// What a pod is taken for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum AsIf {
    Measured(Reading),
    Idle,
    Busy,
}

/// So many times a ratio, rounded up.
fn times(ratio: f64, pods: usize) -> u32 {
    (ratio * pods as f64).ceil() as u32
}

impl Direction {
    /// The answer of `limits` that counts, each being as many servers as it allows in the end.
    fn limit(&self, up: bool, allowed: impl Iterator<Item = u32>) -> Option<u32> {
        match (self.select, up) {
            (Select::Disabled, _) => None,
            (Select::Most, true) | (Select::Least, false) => allowed.max(),
            (Select::Least, true) | (Select::Most, false) => allowed.min(),
        }
    }
}

/// How much has changed within a period.
fn within(changes: &[(Instant, u32)], now: Instant, period: Duration) -> u32 {
    let recent = changes.iter().filter(|(at, _)| now.since(*at) < period);
    recent.fold(0, |sum, (_, change)| sum.saturating_add(*change))
}

impl Hpa {
    /// The answer of the last while that is closest to leaving everything as it is.
    fn stabilised(&self, now: Instant, current: u32, asked: u32) -> u32 {
        let last = |window: Duration| {
            let recent = self.answers.iter();
            let recent = recent.filter(move |(at, _)| now.since(*at) < window);
            recent.map(|(_, answer)| *answer).chain([asked])
        };
        let low = last(self.settings.up.window).min().unwrap_or(asked);
        let high = last(self.settings.down.window).max().unwrap_or(asked);
        current.max(low).min(high)
    }

    /// What may come of it within the limits of each direction.
    fn limited(&self, now: Instant, current: u32, wanted: u32) -> u32 {
        let Settings { min, max, .. } = self.settings;
        let start = |period| {
            let (added, taken) = (
                within(&self.added, now, period),
                within(&self.taken, now, period),
            );
            i64::from(current) - i64::from(added) + i64::from(taken)
        };
        let whole = |servers: f64| servers.clamp(0.0, f64::from(u32::MAX)) as u32;
        if wanted > current {
            let up = &self.settings.up;
            let allowed = up.limits.iter().map(|limit| {
                let start = start(limit.period) as f64;
                match limit.amount {
                    Amount::Pods(pods) => whole(start + f64::from(pods)),
                    Amount::Percent(percent) => whole((start * (1.0 + percent / 100.0)).ceil()),
                }
            });
            let limit = up.limit(true, allowed).unwrap_or(current).max(current);
            return wanted.min(limit.min(max));
        }
        if wanted < current {
            let down = &self.settings.down;
            let allowed = down.limits.iter().map(|limit| {
                let start = start(limit.period) as f64;
                match limit.amount {
                    Amount::Pods(pods) => whole(start - f64::from(pods)),
                    Amount::Percent(percent) => whole(start * (1.0 - percent / 100.0)),
                }
            });
            let limit = down.limit(false, allowed).unwrap_or(current).min(current);
            return wanted.max(limit.max(min));
        }
        wanted
    }

    /// Forgets what no window and no period looks at any more.
    fn tidy(&mut self, now: Instant) {
        let Settings { up, down, .. } = &self.settings;
        let window = up.window.max(down.window);
        self.answers.retain(|(at, _)| now.since(*at) < window);
        let limits = up.limits.iter().chain(&down.limits);
        let period = limits
            .map(|limit| limit.period)
            .max()
            .unwrap_or(Duration::ZERO);
        for changes in [&mut self.added, &mut self.taken] {
            changes.retain(|(at, _)| now.since(*at) < period);
        }
    }
}

impl Autoscaler for Hpa {
    fn adopt(&mut self, params: &Params) {
        self.settings = Settings::of(params);
    }

    fn decide(&mut self, seen: &Seen<'_>) -> Option<Wish> {
        let (now, current) = (seen.now, seen.current());
        let Settings { min, max, .. } = self.settings;
        self.tidy(now);
        if !std::mem::replace(&mut self.begun, true) {
            // Where it begins is the first answer: nothing is taken away within the first window.
            self.answers.push((now, current));
        }
        let (servers, why) = if current > max {
            (max, format!("at most {max}"))
        } else if current < min {
            (min, format!("at least {min}"))
        } else {
            let (asked, why) = self.settings.asked(seen)?;
            let wanted = self.stabilised(now, current, asked);
            self.answers.push((now, asked));
            let servers = self.limited(now, current, wanted);
            let why = if servers == asked {
                why
            } else {
                format!("{why}: {asked} would do")
            };
            (servers, why)
        };
        if servers > current {
            self.added.push((now, servers - current));
        } else if servers < current {
            self.taken.push((now, current - servers));
        }
        Some(Wish { servers, why })
    }

    fn clone_box(&self) -> Box<dyn Autoscaler> {
        Box::new(self.clone())
    }
}

#[cfg(test)]
mod tests;
