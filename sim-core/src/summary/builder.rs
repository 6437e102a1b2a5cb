//! From the counters of a run to its figures.

use super::{
    Attempts, BalancerFigures, ClassFigures, HostFigures, Named, NumberFigures, Outcomes, Requests,
    Response, SCHEMA_VERSION, ServerFigures, ServiceFigures, SloFigures, StoryFigures, Summary,
    Times, TriesFigures, incident, known, verdict, warning,
};
use crate::engine::{End, Simulation};
use crate::event_log::Kind;
use crate::histogram::Histogram;
use crate::ids::{ClassId, HostId, Id, ServiceId};
use crate::model::Host;
use crate::outcome::Outcome;
use crate::time::SECOND;

/// Most events of the event log that a summary lists; the event log has all.
const STORY_MAX: usize = 1000;

/// The figures of a run so far.
pub(super) fn summary(simulation: &Simulation, scenario_hash: u64, unanswered: bool) -> Summary {
    Builder {
        simulation,
        unanswered: if unanswered {
            simulation.unanswered().collect()
        } else {
            Vec::new()
        },
        span_s: span_s(simulation),
    }
    .summary(scenario_hash)
}

/// The times at a path of the summary.
pub(super) fn times(simulation: &Simulation, path: &str) -> Option<Histogram> {
    let builder = Builder {
        simulation,
        unanswered: Vec::new(),
        span_s: span_s(simulation),
    };
    let model = simulation.model();
    let service = |name: &str| model.services.iter().position(|s| s.name == name);
    let words: Vec<&str> = path.split('.').collect();
    match words.as_slice() {
        ["response_time_s"] => Some(builder.response_time(&builder.outside())),
        ["wait_s"] => Some(simulation.recorder().waits(|_, _| true)),
        ["wait_all_s"] => Some(builder.wait_all()),
        ["classes", name, "response_time_s"] => {
            let class = model.classes.iter().position(|c| c.name == *name)?;
            Some(builder.response_time(&builder.of_class(class)))
        }
        ["services", name, "response_time_s"] => {
            Some(builder.response_time(&builder.of_service(service(name)?)))
        }
        ["services", name, "wait_s"] => {
            let id = ServiceId::at(service(name)?);
            Some(simulation.recorder().waits(|of, _| of == id))
        }
        ["services", name, "wait_all_s"] => Some(builder.wait_of_all(service(name)?)),
        ["classes", name, "wait_s"] => {
            let class = model.classes.iter().position(|c| c.name == *name)?;
            let id = ClassId::at(class);
            Some(simulation.recorder().waits(|_, of| of == id))
        }
        _ => None,
    }
}

/// Measured time in seconds.
fn span_s(simulation: &Simulation) -> f64 {
    simulation.now().as_secs_f64() - measured_from_s(simulation)
}

fn measured_from_s(simulation: &Simulation) -> f64 {
    simulation.recorder().measure_from as f64 / SECOND as f64
}

struct Builder<'a> {
    simulation: &'a Simulation,
    /// Unanswered calls that count with their age: their row of counters, and nanoseconds.
    unanswered: Vec<(u16, u64)>,
    span_s: f64,
}

impl Builder<'_> {
    fn summary(&self, scenario_hash: u64) -> Summary {
        let (sim, model) = (self.simulation, self.simulation.model());
        let recorder = sim.recorder();
        let outside = self.outside();
        let requests = self.requests(&outside);
        let services: Vec<(String, ServiceFigures)> = (0..model.services.len())
            .map(|i| (model.services[i].name.clone(), self.service(i)))
            .collect();
        let wait = recorder.waits(|_, _| true);
        let (mut served, mut wasted, mut answered) = (0, 0, 0);
        for i in 0..model.services.len() {
            let (all, unwanted) = sim.work_ns(ServiceId::at(i));
            served += all;
            wasted += unwanted;
            answered += sim.service_answers(ServiceId::at(i));
        }
        let judged = verdict::judge(sim);
        let incidents = incident::find(sim);
        let mut summary = Summary {
            schema_version: SCHEMA_VERSION,
            version: env!("CARGO_PKG_VERSION"),
            scenario: model.name.clone(),
            scenario_hash: format!("{scenario_hash:016x}"),
            seed: model.seed,
            replication: sim.replication(),
            complete: sim.end() == Some(End::Horizon),
            horizon_s: sim.now().as_secs_f64(),
            measured_from_s: measured_from_s(sim),
            digest: format!("{:016x}", sim.digest()),
            events: sim.events(),
            verdict: judged.as_ref().map(|judged| judged.word),
            verdict_because: judged.map(|judged| judged.because),
            attempts: self.attempts(&outside, &requests),
            response_time_s: Times::of(&self.response_time(&outside)),
            wait_s: Times::of(&wait),
            wait_all_s: Times::of(&self.wait_all()),
            waited: waited(&wait),
            offered_load: services
                .iter()
                .filter_map(|(_, s)| s.offered_load)
                .max_by(f64::total_cmp),
            offered_hz: self.rate(requests.arrived),
            goodput_hz: self.goodput_hz(&outside),
            throughput_hz: self.rate(answered),
            availability: ratio(requests.succeeded, requests.succeeded + requests.failed),
            wasted_work: (served > 0).then(|| wasted as f64 / served as f64),
            peak_in_flight: sim.footprint().0 as u64,
            users_left: sim.users_left(),
            sessions: sim.sessions(),
            first_crash_s: (recorder.event_log())
                .find(|event| event.kind == Kind::Crash)
                .map(|event| event.at.as_secs_f64()),
            percentile_error: Histogram::RELATIVE_ERROR,
            classes: Named(
                (0..model.classes.len())
                    .map(|i| (model.classes[i].name.clone(), self.class(i)))
                    .collect(),
            ),
            services: Named(services),
            machines: self.machines(),
            guards: sim.guard_figures(),
            connections: sim.pool_figures(),
            slos: self.slos(),
            alerts: known::alerts(sim),
            response: Response::of(sim, &incidents),
            incidents,
            expectations: Vec::new(),
            warnings: Vec::new(),
            event_log: recorder
                .event_log()
                .take(STORY_MAX)
                .map(event_log)
                .collect(),
            requests,
        };
        warning::find(&mut summary, sim);
        summary.expectations = model
            .expectations
            .iter()
            .map(|e| e.check(&summary, sim))
            .collect();
        summary
    }

    /// Rows of counters of requests from outside.
    fn outside(&self) -> Vec<u16> {
        let layout = &self.simulation.recorder().layout;
        (0..layout.flows() as u16).step_by(2).collect()
    }

    fn of_class(&self, class: usize) -> Vec<u16> {
        let layout = &self.simulation.recorder().layout;
        (0..layout.services)
            .map(|s| layout.flow(ServiceId::at(s), ClassId::at(class), false))
            .collect()
    }

    fn of_service(&self, id: usize) -> Vec<u16> {
        let layout = &self.simulation.recorder().layout;
        (0..2 * layout.classes)
            .map(|i| (id * 2 * layout.classes + i) as u16)
            .collect()
    }

    /// Waits at the servers of all services, in vain or not.
    fn wait_all(&self) -> Histogram {
        let recorder = self.simulation.recorder();
        let mut wait = recorder.waits(|_, _| true);
        for service in &recorder.services {
            wait.merge(&service.wait_in_vain);
        }
        wait
    }

    /// Waits at the servers of a service, in vain or not.
    fn wait_of_all(&self, id: usize) -> Histogram {
        let recorder = self.simulation.recorder();
        let mut wait = recorder.waits(|of, _| of == ServiceId::at(id));
        wait.merge(&recorder.services[ServiceId::at(id)].wait_in_vain);
        wait
    }

    fn rate(&self, count: u64) -> f64 {
        if self.span_s > 0.0 {
            count as f64 / self.span_s
        } else {
            0.0
        }
    }

    /// Answers in time per second of the measured time, whenever the requests arrived: what the time
    /// line adds up to.
    fn goodput_hz(&self, flows: &[u16]) -> f64 {
        let recorder = self.simulation.recorder();
        self.rate(
            flows
                .iter()
                .map(|&f| recorder.flow(f).measured_answers())
                .sum(),
        )
    }

    fn requests(&self, flows: &[u16]) -> Requests {
        let mut counts = [0; Outcome::COUNT];
        let mut arrived = 0;
        for &flow in flows {
            let flow = self.simulation.recorder().flow(flow);
            arrived += flow.measured_arrived();
            for (count, more) in counts.iter_mut().zip(flow.measured) {
                *count += more;
            }
        }
        let ended: u64 = counts.iter().sum();
        let succeeded = counts[Outcome::Succeeded as usize];
        let failed = ended - succeeded;
        Requests {
            arrived,
            succeeded,
            failed,
            in_flight: arrived - ended,
            lost: if failed > 0 { arrived - succeeded } else { 0 },
            outcomes: outcomes(&counts),
        }
    }

    fn response_time(&self, flows: &[u16]) -> Histogram {
        let mut histogram = Histogram::default();
        for &flow in flows {
            histogram.merge(&self.simulation.recorder().flow(flow).response_time);
        }
        for (_, age) in self.unanswered.iter().filter(|(f, _)| flows.contains(f)) {
            histogram.record(*age);
        }
        histogram
    }

    /// Attempts of requests from outside. Their ends are counted by service; where a service is
    /// also called by others the two cannot be told apart, and all of its attempts count.
    fn attempts(&self, flows: &[u16], requests: &Requests) -> Attempts {
        let recorder = self.simulation.recorder();
        let total = flows
            .iter()
            .map(|&f| recorder.flow(f).measured_attempts())
            .sum();
        let mut counts = [0; Outcome::COUNT];
        for (i, service) in recorder.services.iter().enumerate() {
            if self
                .simulation
                .model()
                .sources
                .iter()
                .any(|s| s.to.0 as usize == i)
            {
                for (count, more) in counts.iter_mut().zip(service.attempt_outcomes) {
                    *count += more;
                }
            }
        }
        Attempts {
            total,
            per_request: ratio(total, requests.arrived),
            outcomes: outcomes(&counts),
        }
    }

    fn class(&self, class: usize) -> ClassFigures {
        let flows = self.of_class(class);
        let requests = self.requests(&flows);
        let wait = (self.simulation.recorder()).waits(|_, of| of == ClassId::at(class));
        ClassFigures {
            response_time_s: Times::of(&self.response_time(&flows)),
            wait_s: Times::of(&wait),
            waited: waited(&wait),
            goodput_hz: self.goodput_hz(&flows),
            availability: ratio(requests.succeeded, requests.succeeded + requests.failed),
            requests,
        }
    }

    fn machines(&self) -> Named<HostFigures> {
        let (sim, model) = (self.simulation, self.simulation.model());
        let figures = |(position, host): (usize, &Host)| {
            let (cores, utilisation) = sim.host_figures(HostId::at(position));
            let figures = HostFigures {
                cores,
                utilisation,
                servers: Vec::new(),
            };
            (host.name.clone(), figures)
        };
        let mut machines: Vec<_> = model.hosts.iter().enumerate().map(figures).collect();
        for server in &model.servers {
            if let Some(host) = server.params.host {
                let service = &model.services[server.service.position()].name;
                let on_it = &mut machines[host.position()].1.servers;
                on_it.push(format!("{service}/{}", server.name));
            }
        }
        Named(machines)
    }

    fn service(&self, id: usize) -> ServiceFigures {
        let sim = self.simulation;
        let flows = self.of_service(id);
        let requests = self.requests(&flows);
        let recorded = &sim.recorder().services[ServiceId::at(id)];
        let total = sim.service_attempts(ServiceId::at(id));
        let (served, wasted) = sim.work_ns(ServiceId::at(id));
        let service = &sim.model().services[id];
        let servers = sim.server_figures(ServiceId::at(id));
        let sent: u64 = servers.iter().map(|s| s.attempts).sum();
        let wait = sim.recorder().waits(|of, _| of == ServiceId::at(id));
        let down: u64 = servers.iter().map(|s| s.downtime_ns).sum();
        let figures = service.servers.iter().zip(&servers).map(|(id, figures)| {
            let server = &sim.model().servers[id.0 as usize];
            (server.name.clone(), self.server(figures, sent))
        });
        ServiceFigures {
            attempts: Attempts {
                total,
                per_request: ratio(total, requests.arrived),
                outcomes: outcomes(&recorded.attempt_outcomes),
            },
            response_time_s: Times::of(&self.response_time(&flows)),
            wait_s: Times::of(&wait),
            wait_all_s: Times::of(&self.wait_of_all(id)),
            waited: waited(&wait),
            offered_load: self.offered_load(id, &servers),
            wasted_work: (served > 0).then(|| wasted as f64 / served as f64),
            fairness: self.fairness(id, &servers),
            number: (self.simulation.numbers_ns(ServiceId::at(id)))
                .and_then(|spent_ns| NumberFigures::of(&spent_ns)),
            crashes: servers.iter().map(|s| s.crashes).sum(),
            downtime_s: down as f64 / SECOND as f64,
            tries: service.balancer.client.as_ref().map(|_| {
                let recorder = sim.recorder();
                let tries = recorder.flow(recorder.layout.tries(ServiceId::at(id)));
                let (asked, total) = (tries.measured_arrived(), tries.measured_attempts());
                TriesFigures {
                    asked,
                    total,
                    per_attempt: ratio(total, asked),
                }
            }),
            servers: Named(figures.collect()),
            balancers: self.balancers(id),
            requests,
        }
    }

    /// Work asked for ÷ work that the servers could have done while they were there: λ × mean demand ÷
    /// capacity where nothing changes.
    fn offered_load(&self, id: usize, servers: &[crate::engine::ServerFigures]) -> Option<f64> {
        let service = &self.simulation.model().services[id];
        let weighs = service.balancer.policy.def.heeds_weights;
        // Weight 0 that was never sent to was no help, however idle it was.
        let helps = |place: usize, figures: &crate::engine::ServerFigures| {
            let params = &self.simulation.model().servers[service.servers[place].position()].params;
            !weighs || params.weight > 0.0 || figures.attempts > 0
        };
        let own = servers
            .iter()
            .enumerate()
            .filter(|(place, s)| helps(*place, s));
        let capacity_ns: f64 = own.map(|(_, s)| s.capacity_ns).sum();
        let work_ns = self.simulation.offered_ns(ServiceId::at(id));
        (capacity_ns > 0.0 && work_ns.is_finite()).then(|| work_ns / capacity_ns)
    }

    fn fairness(&self, id: usize, servers: &[crate::engine::ServerFigures]) -> Option<f64> {
        let model = self.simulation.model();
        let of = |(i, figures): (usize, &crate::engine::ServerFigures)| {
            let params = &model.servers[model.services[id].servers[i].0 as usize].params;
            figures.attempts as f64 / (params.speed * f64::from(params.workers))
        };
        let loads: Vec<f64> = servers.iter().enumerate().map(of).collect();
        let (sum, squares) = loads
            .iter()
            .fold((0.0, 0.0), |(s, q), x| (s + x, q + x * x));
        (squares > 0.0).then(|| sum * sum / (loads.len() as f64 * squares))
    }

    fn server(&self, figures: &crate::engine::ServerFigures, sent: u64) -> ServerFigures {
        let mean = |area: u128| {
            if self.span_s > 0.0 {
                area as f64 / SECOND as f64 / self.span_s
            } else {
                0.0
            }
        };
        ServerFigures {
            utilisation: if figures.worker_ns > 0 {
                (figures.busy_ns as f64 / figures.worker_ns as f64).min(1.0)
            } else {
                0.0
            },
            mean_in_system: mean(figures.in_system_ns),
            mean_queue_len: mean(figures.queued_ns),
            attempts: figures.attempts,
            succeeded: figures.succeeded,
            failed: figures.failed,
            share: ratio(figures.attempts, sent),
            crashes: figures.crashes,
            downtime_s: figures.downtime_ns as f64 / SECOND as f64,
        }
    }

    fn balancers(&self, id: usize) -> Named<BalancerFigures> {
        let instances = self.simulation.instances_snapshot();
        let of_service = instances.into_iter().filter(|i| i.service as usize == id);
        Named(
            of_service
                .map(|instance| {
                    let measured = instance.measured;
                    let figures = BalancerFigures {
                        attempts: measured.attempts,
                        utilisation: if self.span_s > 0.0 {
                            (measured.busy_ns as f64 / SECOND as f64 / self.span_s).min(1.0)
                        } else {
                            0.0
                        },
                        crashes: measured.crashes,
                        downtime_s: measured.downtime_ns as f64 / SECOND as f64,
                    };
                    (instance.name, figures)
                })
                .collect(),
        )
    }

    fn slos(&self) -> Named<SloFigures> {
        let of = |(slo, count): (&crate::model::Slo, &crate::record::SloCount)| {
            let layout = &self.simulation.recorder().layout;
            let late = self.unanswered.iter().filter(|(flow, age)| {
                let class = layout.class_from_outside(*flow);
                class.is_some_and(|class| count.is_missed(class, *age))
            });
            let attained = ratio(count.good, count.total + late.count() as u64);
            let figures = SloFigures {
                objective: slo.objective,
                attained,
                met: attained.map(|a| a >= slo.objective),
                budget_spent: attained.map(|a| (1.0 - a) / (1.0 - slo.objective)),
            };
            (slo.name.clone(), figures)
        };
        Named(
            self.simulation
                .model()
                .slos
                .iter()
                .zip(&self.simulation.recorder().slos)
                .map(of)
                .collect(),
        )
    }
}

fn event_log(event: &crate::event_log::Event) -> StoryFigures {
    StoryFigures {
        at_s: event.at.as_secs_f64(),
        kind: event.kind.name(),
        by: event.by.name(),
        subject: event.subject.clone(),
        cause: event.cause.clone(),
    }
}

fn outcomes(counts: &[u64; Outcome::COUNT]) -> Outcomes {
    Named(
        Outcome::ALL
            .iter()
            .zip(counts)
            .map(|(outcome, &count)| (outcome.name().to_owned(), count))
            .collect(),
    )
}

/// The share of times that are not zero.
fn waited(wait: &Histogram) -> Option<f64> {
    ratio(wait.count() - wait.zeros(), wait.count())
}

fn ratio(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

impl Times {
    fn of(histogram: &Histogram) -> Self {
        let seconds = |ns: f64| ns / SECOND as f64;
        let variance = histogram.variance_ns2();
        let quantiles = histogram.quantiles_ns([0.5, 0.9, 0.95, 0.99, 0.999]);
        let [p50, p90, p95, p99, p999] = match quantiles {
            Some(values) => values.map(|ns| Some(seconds(ns))),
            None => [None; 5],
        };
        Self {
            count: histogram.count(),
            mean: histogram.mean_ns().map(seconds),
            variance: variance.map(|ns2| seconds(seconds(ns2))),
            deviation: variance.map(|ns2| seconds(libm::sqrt(ns2))),
            p50,
            p90,
            p95,
            p99,
            p999,
            max: histogram.max_ns().map(|ns| seconds(ns as f64)),
        }
    }
}
