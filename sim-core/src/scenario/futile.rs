//! Settings that make a part dead, or that nothing gets past: only what is certain is told, with its
//! numbers.

use crate::arrival::Arrivals;
use crate::distribution::DistributionDef;
use crate::draws::Stream;
use crate::extension::{Configured, ParamValue};
use crate::guard::GuardDef;
use crate::health::Probe;
use crate::ids::{Id, ServiceId};
use crate::model::{Action, Change, Client, Link, Model, OwnRules, ServerParams, Service, Source};
use crate::outcome::Outcome;
use crate::retry::Failed;
use crate::time::{Duration, Instant};
use std::borrow::Cow;

/// Changes of settings that are looked at; with more only what holds until the first is told.
const PHASES: usize = 50;

/// What can be said of settings against one another, as they are at the start and as the time line sets
/// them.
pub(super) fn settings(model: &Model) -> Vec<String> {
    let traces = model.sources.iter();
    let traces = traces.filter_map(|source| trace(model, source));
    let end = Instant(model.horizon.0);
    let told = in_phases(model, of_phase);
    traces
        .chain(told.iter().map(|told| told.words(end)))
        .collect()
}

/// What is said of the settings at the start and of all that the time line makes of them.
pub(super) fn of_all_phases(model: &Model, of: impl Fn(&Model) -> Vec<String>) -> Vec<String> {
    let whole = [(Instant(0), Instant(model.horizon.0))];
    let told = in_phases(model, of).into_iter();
    told.filter(|told| told.spans == whole)
        .map(|told| told.text)
        .collect()
}

/// What is said of settings, with the times for which they stand.
fn in_phases(model: &Model, of: impl Fn(&Model) -> Vec<String>) -> Vec<Told> {
    let end = Instant(model.horizon.0);
    let sets = model.timeline.iter().filter(|entry| entry.at < end);
    let sets: Vec<(Instant, &[Change])> = sets
        .filter_map(|entry| match &entry.action {
            Action::Set { changes, .. } => Some((entry.at, changes.as_slice())),
            _ => None,
        })
        .collect();
    let mut told: Vec<Told> = Vec::new();
    let mut now = Cow::Borrowed(model);
    let mut from = Instant(0);
    for (until, changes) in sets.iter().copied().chain([(end, &[][..])]) {
        // Of several sets at one instant the last leaves what holds.
        if until > from {
            for text in of(&now) {
                let known = told.iter().position(|told| told.text == text);
                let known = known.unwrap_or_else(|| {
                    let spans = Vec::new();
                    told.push(Told { text, spans });
                    told.len() - 1
                });
                match told[known].spans.last_mut() {
                    Some(last) if last.1 == from => last.1 = until,
                    _ => told[known].spans.push((from, until)),
                }
            }
            if sets.len() > PHASES {
                break;
            }
        }
        for change in changes {
            change.apply(now.to_mut());
        }
        from = until;
    }
    told
}

/// Something that is certain while some settings stand.
struct Told {
    text: String,
    /// From when until when they do.
    spans: Vec<(Instant, Instant)>,
}

impl Told {
    fn words(&self, end: Instant) -> String {
        let start = Instant(0);
        let span = |&(from, until): &(Instant, Instant)| {
            let (at_first, to_end) = (from == start, until == end);
            let (from, until) = (Duration(from.0), Duration(until.0));
            match (at_first, to_end) {
                (true, _) => format!("until {until}"),
                (false, true) => format!("from {from} on"),
                (false, false) => format!("from {from} to {until}"),
            }
        };
        match self.spans.as_slice() {
            [whole] if *whole == (start, end) => self.text.clone(),
            spans => {
                let spans: Vec<String> = spans.iter().map(span).collect();
                format!("as it is set {}, {}", spans.join(" and "), self.text)
            }
        }
    }
}

/// What can be said while these settings stand.
fn of_phase(model: &Model) -> Vec<String> {
    let mut found = Vec::new();
    for asker in askers(model) {
        found.extend(asker.way());
        found.extend(asker.deadlines(model));
        found.extend(asker.retries());
    }
    found.extend(probes(model));
    found.extend(runs(model));
    found
}

/// Services whose demand comes in runs, that nobody from outside asks.
fn runs(model: &Model) -> Vec<String> {
    let asked = |id: usize| model.sources.iter().any(|s| s.to.position() == id);
    let services = model.services.iter().enumerate();
    let alone = services.filter(|(id, s)| !asked(*id) && s.demand.build().correlation() > 0.0);
    alone
        .map(|(_, service)| {
            format!(
                "the demand of `{}` is correlated from one request to the next, and only other services ask it: their calls stand in no order, so that each has a demand of its own",
                service.name
            )
        })
        .collect()
}

/// Whether the time line makes a server faster than its settings do.
fn is_hastened(model: &Model) -> bool {
    model.timeline.iter().any(|entry| match &entry.action {
        Action::Fault { fault, .. } => fault.effect().speed > 1.0,
        _ => false,
    })
}

/// A trace of which no request comes.
fn trace(model: &Model, source: &Source) -> Option<String> {
    let Arrivals::Trace(times) = source.arrivals.build() else {
        return None;
    };
    match times.first() {
        None => Some(format!("the trace of `{}` has no request", source.name)),
        Some(first) if first.0 > model.horizon.0 => Some(format!(
            "no request of the trace of `{}` comes: its first is at {}, the horizon at {}",
            source.name, *first, model.horizon
        )),
        Some(_) => None,
    }
}

/// Somebody who asks a service.
struct Asker<'m> {
    who: String,
    service: &'m Service,
    client: &'m Client,
    /// To the balancer of the service.
    link: Link,
    /// Least time of an answer: on the way, and at a server.
    way: Duration,
    served: Duration,
}

fn askers(model: &Model) -> Vec<Asker<'_>> {
    let mut all: Vec<Asker<'_>> = Vec::new();
    let mut add = |who: String,
                   to: &'_ crate::ids::ServiceId,
                   client: &crate::ids::ClientId,
                   own: Option<&Link>| {
        let service = &model.services[to.position()];
        let client = &model.clients[client.position()];
        // Callers of several classes are told of once where they behave alike.
        let known =
            |a: &Asker<'_>| a.who == who && a.service.name == service.name && a.client == client;
        if all.iter().any(known) {
            return;
        }
        let (way, served) = least(model, service);
        // A balancer that tries by itself is there already, its own work done.
        let link = own.map(|own| own.within(&service.link));
        let before = link
            .as_ref()
            .map_or(0, |link| 2 * one_way(link).0 + service.balancer.cost.0);
        let link = link.unwrap_or_default();
        let way = Duration(before + way.0);
        all.push(Asker {
            who,
            service,
            client,
            link,
            way,
            served,
        });
    };
    for source in &model.sources {
        for client in &source.clients {
            add(
                format!("`{}`", source.name),
                &source.to,
                client,
                Some(&Link::default()),
            );
        }
    }
    for (id, service) in model.services.iter().enumerate() {
        for (client, class) in service.balancer.client.iter().flat_map(OwnRules::clients) {
            let class = class.map(|class| &model.classes[class.position()].name);
            let class = class.map_or(String::new(), |name| format!(" for the class `{name}`"));
            let who = format!("the balancer of `{}`{class}", service.name);
            add(who, &ServiceId::at(id), &client, None);
        }
        for ask in service.asks().filter(|ask| ask.share > 0.0) {
            add(
                format!("`{}`", service.name),
                &ask.to,
                &ask.client,
                Some(ask.link),
            );
        }
    }
    all
}

/// The time of one way where it is always the same; zero where it may be shorter.
fn one_way(link: &Link) -> Duration {
    link.delay.as_ref().map_or(Duration::ZERO, constant)
}

fn constant(law: &Configured<DistributionDef>) -> Duration {
    Duration::from_nanos_f64(law.build().constant_ns().unwrap_or(0.0))
}

/// Least time between a balancer and a server and back, and least time of service.
fn least(model: &Model, service: &Service) -> (Duration, Duration) {
    let servers = || {
        service
            .servers
            .iter()
            .map(|id| &model.servers[id.position()])
    };
    let way = servers().map(|server| {
        let zone = server.zone.map(|zone| &service.zones[zone.position()].link);
        let wider = zone.map_or_else(
            || service.balancer.link.clone(),
            |zone| zone.within(&service.balancer.link),
        );
        Duration(2 * one_way(&server.params.link.within(&wider)).0)
    });
    let fastest = servers()
        .map(|server| server.params.speed)
        .fold(0.0, f64::max);
    let lightest = model
        .classes
        .iter()
        .map(|class| constant(class.demand_at(service)).0 as f64 * class.demand_factor);
    let lightest = lightest.fold(f64::INFINITY, f64::min);
    // Who sends everything on does nothing itself.
    let works = service.balancer.routes.is_empty() && fastest > 0.0 && !is_hastened(model);
    let served = if works { lightest / fastest } else { 0.0 };
    let way = if service.balancer.routes.is_empty() {
        way.min()
    } else {
        None
    };
    (
        way.unwrap_or(Duration::ZERO),
        Duration::from_nanos_f64(served),
    )
}

impl Asker<'_> {
    /// How long it waits for an attempt.
    fn patience(&self) -> Option<Duration> {
        let both = [self.client.timeout, self.client.deadline];
        both.into_iter().flatten().min()
    }

    /// What is longer on the way than it waits.
    fn way(&self) -> Option<String> {
        let (who, whom) = (&self.who, &self.service.name);
        if let Some(connect) = self.link.connect_timeout
            && one_way(&self.link) > connect
        {
            return Some(format!(
                "no request of {who} reaches `{whom}`: one way takes {}, connect_timeout is {}",
                one_way(&self.link),
                connect
            ));
        }
        let patience = self.patience()?;
        let told = patience;
        if self.way > patience {
            return Some(format!(
                "no request of {who} to `{whom}` is answered in time: the way there and back takes {}, and {who} waits {told}",
                self.way
            ));
        }
        let whole = Duration(self.way.0 + self.served.0);
        if whole > patience {
            return Some(format!(
                "no request of {who} to `{whom}` is answered in time: an answer takes {whole} or longer, and {who} waits {told}"
            ));
        }
        let connect = self
            .link
            .connect_timeout
            .filter(|connect| *connect >= patience)?;
        Some(format!(
            "connect_timeout of {connect} to `{whom}` never comes: {who} gives up after {told}"
        ))
    }

    /// Deadline guards that refuse all that it asks.
    fn deadlines(&self, model: &Model) -> Vec<String> {
        let Some(patience) = self.patience() else {
            return Vec::new();
        };
        let refuses = |guards: &[Configured<GuardDef>]| {
            let margins = guards.iter().filter(|guard| guard.def.keeps_deadlines);
            let margins = margins.filter_map(margin_of);
            margins.max().filter(|margin| *margin >= patience)
        };
        let (who, whom) = (&self.who, &self.service.name);
        let words = |place: String, margin: Duration| {
            format!(
                "the deadline guard {place} refuses all that {who} asks of `{whom}`: its margin is {margin}, and {who} waits {patience}"
            )
        };
        let mut found = Vec::new();
        if let Some(margin) = refuses(&self.client.guards) {
            found.push(words(format!("of {who}"), margin));
        }
        if let Some(margin) = refuses(&self.service.balancer.guards) {
            found.push(words("of the balancer".to_owned(), margin));
        }
        let servers = self
            .service
            .servers
            .iter()
            .map(|id| &model.servers[id.position()]);
        let at: Vec<_> = servers
            .filter_map(|s| Some((&s.name, refuses(&s.params.guards)?)))
            .collect();
        if let Some((name, margin)) = at.first() {
            let place = match at.len() {
                1 => format!("of {name}"),
                n => format!("of {name} and {} more", n - 1),
            };
            found.push(words(place, *margin));
        }
        found
    }

    /// Tries that never come.
    fn retries(&self) -> Option<String> {
        let deadline = self.client.deadline?;
        let retry = self.client.retry.build();
        if retry.terms().attempts < 2 {
            return None;
        }
        // A law that is not constant does not draw the same sixteen times.
        let first = Failed {
            attempt: 1,
            outcome: Outcome::Errored,
            alone: false,
        };
        let pauses = Stream::new(0, 0, "retries");
        let mut pauses = (0..16).map(|n| retry.pause(first, &mut 0, &mut pauses.at(n)));
        let first_pause = pauses.next()?;
        (pauses.all(|pause| pause == first_pause) && first_pause >= deadline).then(|| {
            format!(
                "{} never tries `{}` again: the pause is {}, and the deadline {}",
                self.who, self.service.name, first_pause, deadline
            )
        })
    }
}

fn margin_of(guard: &Configured<GuardDef>) -> Option<Duration> {
    let margin = guard.params.iter().find(|(name, _)| *name == "margin")?;
    match margin.1 {
        ParamValue::Span(margin) => Some(*margin),
        _ => None,
    }
}

/// Probes that cannot be answered in time.
fn probes(model: &Model) -> Vec<String> {
    let of = |service: &Service| {
        let checks = service.balancer.checks()?;
        let fastest = |params: &ServerParams| params.speed;
        let servers = service
            .servers
            .iter()
            .map(|id| &*model.servers[id.position()].params);
        let fastest = servers.map(fastest).fold(0.0, f64::max);
        let takes = Duration::from_nanos_f64(constant(&checks.demand).0 as f64 / fastest.max(1e-9));
        let told = fastest > 0.0 && !is_hastened(model);
        (told && takes > checks.timeout && checks.probe == Probe::Request).then(|| {
            format!(
                "every probe of `{}` fails: it takes {} or longer, and its timeout is {}",
                service.name, takes, checks.timeout
            )
        })
    };
    model.services.iter().filter_map(of).collect()
}
