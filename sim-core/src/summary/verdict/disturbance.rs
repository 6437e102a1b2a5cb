//! Disturbances: what somebody or something did to a system, from when to when. Read off the event
//! log, which says when, and the present state, which says whether it still stands.

use crate::engine::{Simulation, Standing};
use crate::event_log::{Event, Kind};
use crate::ids::{Id, ServerId, ServiceId};
use crate::model::{Action, Actor, Model, Rollout};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Something that was done to a system.
pub(super) struct Disturbance<'a> {
    what: What<'a>,
    /// When it began, in seconds.
    pub from_s: f64,
    /// When it was over; absent while it lasts.
    pub until_s: Option<f64>,
}

/// What was done. Of a hundred thousand disturbances at most one is told, so none is put into words before.
enum What<'a> {
    /// The event that began it, and a word on that.
    Began(&'a Event, &'static str),
    /// A setting, by its number among [`Told::sets`].
    Set(usize),
}

impl<'a> Disturbance<'a> {
    /// A deployment of a service.
    pub(super) fn deployed(&self) -> Option<&'a str> {
        match &self.what {
            What::Began(event, _) if event.kind == Kind::Deploy => Some(&event.subject),
            _ => None,
        }
    }

    /// Whether it is a link that is cut.
    pub(super) fn is_cut(&self) -> bool {
        matches!(&self.what, What::Began(event, _) if event.kind == Kind::Partition)
    }
}

/// So many times its rhythm after a crash a machine that crashes again and again would have crashed again.
pub(super) const DUE: f64 = 1.5;

/// A machine that crashes again and again.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct CrashLoop {
    /// Its name, and which server it is; absent for an instance of a balancer.
    pub machine: String,
    pub server: Option<ServerId>,
    /// How often it crashed by itself.
    pub crashes: usize,
    /// When the last three crashes were, in seconds.
    pub last_s: [f64; 3],
    /// Why, the last time.
    pub cause: String,
}

/// What is asked of a server: when it last happened. The rest is only asked of balancer instances and
/// links, which are few.
const ASKED_OF_SERVERS: [Kind; 4] = [Kind::Removed, Kind::Drain, Kind::Ejected, Kind::Slow];

/// A change of a setting.
pub(super) struct SetTo {
    /// When, in seconds.
    pub at_s: f64,
    /// The path that was set.
    pub path: String,
    /// To what.
    pub value: String,
    /// What people say of it.
    pub note: String,
}

/// Whom an event is about: servers by number, since two services may have servers of one name.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Whom<'a> {
    Server(ServerId),
    Named(&'a str),
}

/// What has begun and is not over: its place among the disturbances. Never walked.
type Open<'a> = HashMap<(Kind, Whom<'a>), usize>;

impl<'a> Whom<'a> {
    fn of(event: &'a Event) -> Self {
        event
            .server
            .map_or(Self::Named(&event.subject), Self::Server)
    }
}

/// What the event log tells of disturbances.
pub(super) struct Told<'a> {
    model: &'a Model,
    /// Names that servers of several services have.
    shared: BTreeSet<&'a str>,
    pub disturbances: Vec<Disturbance<'a>>,
    pub loops: Vec<CrashLoop>,
    /// Settings that were changed, in order of time.
    pub sets: Vec<SetTo>,
    /// The latest event of a kind about somebody, as far as it is asked, with its time in seconds.
    /// Looked up and never walked, so its order does not matter, and it may be large.
    latest: HashMap<(Kind, Whom<'a>), f64>,
    /// When machines that crashed by themselves were last up again. Looked up and never walked.
    latest_up: HashMap<Whom<'a>, f64>,
    /// Moments at which somebody or something changed what the system is made of, each once.
    pub changes_s: Vec<f64>,
    /// The last of them that was no help, or that nobody knows to be one.
    pub harms_s: Option<f64>,
}

impl<'a> Told<'a> {
    /// What was done, as a phrase: `db slow`, `web-1 down`, `traffic.shop.rate = 9`.
    pub(super) fn what(&self, disturbance: &Disturbance<'_>) -> String {
        match disturbance.what {
            What::Began(event, word) => {
                format!("{} {word}", full_name(self.model, &self.shared, event))
            }
            What::Set(number) => {
                let set = &self.sets[number];
                format!("{} = {}", set.path, set.value)
            }
        }
    }

    /// The key that was set, where it was a setting.
    pub(super) fn key(&self, disturbance: &Disturbance<'_>) -> Option<&str> {
        match disturbance.what {
            What::Set(number) => self.sets[number].path.rsplit('.').next(),
            What::Began(..) => None,
        }
    }

    /// The service that something was done to, where its name or its server tells.
    pub(super) fn whose(
        &self,
        disturbance: &Disturbance<'_>,
        instances: &[(String, ServiceId)],
    ) -> Option<ServiceId> {
        let named = |name: &str| {
            let mut services = self.model.services.iter();
            services.position(|s| s.name == name).map(ServiceId::at)
        };
        let path = match &disturbance.what {
            What::Began(event, _) => match event.server {
                Some(server) => return Some(self.model.servers[server.position()].service),
                None => event.subject.as_str(),
            },
            What::Set(number) => self.sets[*number].path.as_str(),
        };
        if let Some(rest) = path.strip_prefix("service.") {
            return named(rest.split('.').next().unwrap_or_default());
        }
        let instance = instances.iter().find(|(name, _)| name == path);
        instance.map(|(_, of)| *of).or_else(|| named(path))
    }

    /// When something of a kind last happened to what has this name and is no server.
    pub(super) fn since(&self, kind: Kind, subject: &str) -> Option<f64> {
        self.latest.get(&(kind, Whom::Named(subject))).copied()
    }

    /// Since when a balancer instance that does not serve is down: it crashed, or was restarted.
    pub(super) fn down_since(&self, instance: &str) -> Option<f64> {
        let up = self.since(Kind::Up, instance).unwrap_or(0.0);
        let went = [Kind::Crash, Kind::Restart].map(|kind| self.since(kind, instance));
        let went = || went.into_iter().flatten();
        // The restart that brought it up is none that took it away; what is gone as soon as it is up is.
        let later = went().filter(|&at| at > up).min_by(f64::total_cmp);
        later.or_else(|| went().find(|&at| at >= up))
    }

    /// When something of one of [`ASKED_OF_SERVERS`] last happened to a server.
    pub(super) fn since_of(&self, kind: Kind, server: ServerId) -> Option<f64> {
        debug_assert!(ASKED_OF_SERVERS.contains(&kind), "{kind:?} is not kept");
        self.latest.get(&(kind, Whom::Server(server))).copied()
    }

    /// Reads the event log, beside what stands now.
    pub(super) fn of(simulation: &'a Simulation, standing: &Standing) -> Self {
        let model: &Model = simulation.model();
        let mut told = Self {
            model,
            shared: shared_names(model),
            disturbances: Vec::new(),
            loops: Vec::new(),
            sets: Vec::new(),
            latest: HashMap::new(),
            latest_up: HashMap::new(),
            changes_s: Vec::new(),
            harms_s: None,
        };
        let mut open: Open<'_> = HashMap::new();
        let mut crashes: BTreeMap<Whom, Vec<&Event>> = BTreeMap::new();
        for event in simulation.recorder().event_log() {
            let at_s = event.at.as_secs_f64();
            let whom = Whom::of(event);
            let let_go = event.kind == Kind::Removed && event.by == Actor::Autoscaler;
            if let_go {
                // It was there as long as it was wanted, and is a place for another again.
                told.latest.remove(&(Kind::Removed, whom));
            } else if event.server.is_none() || ASKED_OF_SERVERS.contains(&event.kind) {
                told.latest.insert((event.kind, whom), at_s);
            }
            // What crashed is down already.
            let back = event.kind == Kind::Restart && open.contains_key(&(Kind::Crash, whom));
            let replaced = event.kind == Kind::Removed && is_replaced(simulation, &open, event);
            let meant = back || let_go || replaced;
            if let Some(word) = begins(event.kind).filter(|_| !meant) {
                let key = (event.kind, whom);
                open.entry(key).or_insert_with(|| {
                    told.disturbances.push(Disturbance {
                        what: What::Began(event, word),
                        from_s: at_s,
                        until_s: None,
                    });
                    told.disturbances.len() - 1
                });
            }
            for kind in ended_by(event.kind) {
                let stays = event.kind == Kind::Deployed && stays_changed(simulation, &told, event);
                if let Some(index) = open.remove(&(*kind, whom)).filter(|_| !stays) {
                    told.disturbances[index].until_s = Some(at_s);
                }
            }
            if event.kind == Kind::Crash && !is_planned(simulation, event) {
                crashes.entry(whom).or_default().push(event);
            }
            if event.kind == Kind::Up && crashes.contains_key(&whom) {
                told.latest_up.insert(whom, at_s);
            }
            if event.kind == Kind::Takeover {
                // The spare stands where the crashed one did: `in place of web-lb-1`.
                let other = event.cause.trim_start_matches("in place of ");
                for away in [Kind::Crash, Kind::Restart] {
                    if let Some(index) = open.remove(&(away, Whom::Named(other))) {
                        told.disturbances[index].until_s = Some(at_s);
                    }
                }
            }
            if event.kind == Kind::Set {
                for (path, value) in assignments(&event.subject) {
                    told.sets.push(SetTo {
                        at_s,
                        path,
                        value,
                        note: event.cause.clone(),
                    });
                }
            }
            let by_itself = matches!(event.kind, Kind::Crash | Kind::Restart | Kind::Up)
                && crashes.get(&whom).is_some_and(|of_it| of_it.len() > 1);
            if changes(event.kind) && !by_itself {
                if told.changes_s.last() != Some(&at_s) {
                    told.changes_s.push(at_s);
                }
                if ended_by(event.kind).is_empty() {
                    told.harms_s = Some(at_s);
                }
            }
        }
        let now_s = simulation.now().as_secs_f64();
        for of_it in crashes.values() {
            told.changes_s.extend(back_for_good(&told, of_it, now_s));
        }
        told.slowness_ends(standing, &open);
        told.sets_begin();
        told.loops = crashes
            .into_values()
            .filter_map(|of_it| told.loop_of(&of_it))
            .collect();
        told.loops.sort_by(|a, b| a.machine.cmp(&b.machine));
        told
    }

    /// Settings that were changed are disturbances, until they are what they were.
    fn sets_begin(&mut self) {
        let mut last: BTreeMap<&str, &SetTo> = BTreeMap::new();
        last.extend(self.sets.iter().map(|set| (set.path.as_str(), set)));
        let mut seen: BTreeSet<&str> = BTreeSet::new();
        let firsts = self.sets.iter().enumerate();
        for (number, first) in firsts.filter(|(_, set)| seen.insert(&set.path)) {
            // Set twice: what the first brought is over when the last says otherwise.
            let last = last.get(first.path.as_str());
            let last = last.filter(|last| last.value != first.value);
            self.disturbances.push(Disturbance {
                what: What::Set(number),
                from_s: first.at_s,
                until_s: last.map(|last| last.at_s),
            });
        }
    }

    /// The loop that three crashes or more of a machine are.
    fn loop_of(&self, crashes: &[&Event]) -> Option<CrashLoop> {
        let [.., a, b, c] = crashes else {
            return None;
        };
        Some(CrashLoop {
            machine: full_name(self.model, &self.shared, c).into_owned(),
            server: c.server,
            crashes: crashes.len(),
            last_s: [a, b, c].map(|event| event.at.as_secs_f64()),
            cause: c.cause.clone(),
        })
    }

    /// A speed that is that of the settings again is no disturbance any more.
    fn slowness_ends(&mut self, standing: &Standing, open: &Open<'_>) {
        let servers = standing.services.iter().flat_map(|s| &s.servers);
        for server in servers.filter(|s| s.slowed_to >= 1.0) {
            if let Some(&index) = open.get(&(Kind::Slow, Whom::Server(server.id))) {
                self.disturbances[index].until_s = self.since_of(Kind::Slow, server.id);
            }
        }
    }
}

/// Names that servers of several services have.
fn shared_names(model: &Model) -> BTreeSet<&str> {
    if model.services.len() == 1 {
        return BTreeSet::new();
    }
    let mut seen = BTreeSet::new();
    let names = model.servers.iter().map(|s| s.name.as_str());
    names.filter(|name| !seen.insert(*name)).collect()
}

/// The name of what an event is about, with its service where another has a server of that name.
fn full_name<'e>(model: &Model, shared: &BTreeSet<&str>, event: &'e Event) -> Cow<'e, str> {
    let name = &event.subject;
    match event.server {
        Some(server) if shared.contains(name.as_str()) => {
            let service = model.servers[server.position()].service;
            let service = &model.services[service.position()].name;
            Cow::Owned(format!("{name} of {service}"))
        }
        _ => Cow::Borrowed(name),
    }
}

/// When a machine that crashed several times came back, if by its own rhythm it would have crashed again since.
fn back_for_good(told: &Told<'_>, crashes: &[&Event], now_s: f64) -> Option<f64> {
    let [.., before, last] = crashes else {
        return None;
    };
    let at_s = last.at.as_secs_f64();
    // The longer of the last two pauses: it may as well be the next.
    let first = crashes.len().checked_sub(3).map(|at| crashes[at]);
    let pause_s = |from: &Event, to: &Event| to.at.as_secs_f64() - from.at.as_secs_f64();
    let rhythm_s = first.map_or(0.0, |first| pause_s(first, before));
    let rhythm_s = rhythm_s.max(pause_s(before, last));
    let up_s = told
        .latest_up
        .get(&Whom::of(last))
        .copied()
        .filter(|up_s| *up_s > at_s)?;
    (now_s - at_s > DUE * rhythm_s).then_some(up_s)
}

/// What an event of a kind begins, in a word.
fn begins(kind: Kind) -> Option<&'static str> {
    match kind {
        Kind::Crash => Some("down"),
        Kind::Restart => Some("restarted"),
        Kind::Drain => Some("drained"),
        Kind::Removed => Some("removed"),
        Kind::Slow => Some("slow"),
        Kind::Partition => Some("cut"),
        Kind::Degrade => Some("degraded"),
        Kind::Deploy => Some("deployed anew"),
        _ => None,
    }
}

/// Whose spells an event of a kind ends.
fn ended_by(kind: Kind) -> &'static [Kind] {
    match kind {
        Kind::Up => &[Kind::Crash, Kind::Restart],
        Kind::Undrain => &[Kind::Drain],
        Kind::Added => &[Kind::Removed, Kind::Drain],
        Kind::Heal => &[Kind::Slow, Kind::Partition, Kind::Degrade],
        Kind::Deployed => &[Kind::Deploy],
        _ => &[],
    }
}

/// Whether a server is removed by a deployment of its service, which is the disturbance then.
fn is_replaced(simulation: &Simulation, open: &Open<'_>, event: &Event) -> bool {
    let Some(server) = event.server.filter(|_| event.by == Actor::System) else {
        return false;
    };
    let model = simulation.model();
    let service = model.servers[server.position()].service;
    let name = model.services[service.position()].name.as_str();
    open.contains_key(&(Kind::Deploy, Whom::Named(name)))
}

/// Whether a deployment that is through has left another release than there was: one that went back has not,
/// and one that only starts servers anew has not.
fn stays_changed(simulation: &Simulation, told: &Told<'_>, done: &Event) -> bool {
    let since = |kind| told.since(kind, &done.subject);
    let begun = since(Kind::Deploy);
    if since(Kind::Rollback).is_some_and(|back| begun.is_none_or(|begun| back >= begun)) {
        return false;
    }
    let model = simulation.model();
    let of_it = |plan: &Rollout| {
        let service = plan.servers.first();
        let service = service.map(|s| model.servers[s.position()].service);
        service.is_some_and(|s| model.services[s.position()].name == done.subject)
    };
    let before = model.timeline.iter().filter(|entry| entry.at <= done.at);
    let mut plans = before.filter_map(|entry| match &entry.action {
        Action::Deploy(plan) if of_it(plan) => Some(plan),
        _ => None,
    });
    plans
        .next_back()
        .is_none_or(|plan| plan.text != Rollout::NOTHING_NEW)
}

/// Whether an event of a kind changes what the system is made of.
fn changes(kind: Kind) -> bool {
    begins(kind).is_some()
        || !ended_by(kind).is_empty()
        || matches!(kind, Kind::Set | Kind::Takeover)
}

/// Whether the time line, or somebody, made it crash.
fn is_planned(simulation: &Simulation, event: &Event) -> bool {
    if event.by == Actor::People {
        return true;
    }
    let mut entries = simulation.model().timeline.iter();
    entries.any(|e| e.at == event.at && matches!(e.action, Action::Crash(_)))
}

/// The assignments of a change of settings, as the event log writes them: `path = value, path = value`.
pub(super) fn assignments(text: &str) -> Vec<(String, String)> {
    let mut parts = vec![String::new()];
    let mut depth = 0_i32;
    for sign in text.chars() {
        match sign {
            '{' | '[' => depth += 1,
            '}' | ']' => depth -= 1,
            // Only a comma outside of a value parts two assignments.
            ',' if depth == 0 => {
                parts.push(String::new());
                continue;
            }
            _ => {}
        }
        if let Some(part) = parts.last_mut() {
            part.push(sign);
        }
    }
    let pair = |part: &String| {
        let (path, value) = part.split_once(" = ")?;
        Some((path.trim().to_owned(), value.trim().to_owned()))
    };
    parts.iter().filter_map(pair).collect()
}
