//! What settings say, whatever program they are of: services with their servers and the ways that
//! lead to them, as keys of a scenario, each with the place it was read from.

use std::fmt;

pub use sim_core::scenario::Place;

/// What is to be known about a reading, beside the scenario.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Remark {
    /// Where.
    pub place: Place,
    /// What kind of remark.
    pub kind: Kind,
    /// What stands there, in the words of the file.
    pub what: String,
    /// Why it is left out, or how it was read.
    pub why: String,
}

/// Kinds of remarks, in the order in which they are told.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Kind {
    /// It was read in a way that is not plain from the file.
    Read,
    /// It changes how the system behaves under load, and the scenario does not have it.
    Missing,
    /// It has no bearing on who serves what and when.
    Ignored,
    /// This program does not know it.
    Unknown,
}

/// Most that a scenario's `limit-conn` counts, as nginx does.
const IN_FLIGHT_MAX: f64 = 65_535.0;

impl Kind {
    /// What a list of such remarks is called.
    pub fn heading(self) -> &'static str {
        match self {
            Self::Read => "read so",
            Self::Missing => "not simulated",
            Self::Ignored => "without bearing on load",
            Self::Unknown => "not known",
        }
    }
}

/// Keys of requests that are assumed.
const CLIENTS: u32 = 1000;

/// A key with its value as a scenario writes it.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Key {
    /// Below its section, parts joined by dots.
    pub path: String,
    /// As TOML.
    pub value: String,
    /// Where it was read; `None` for what follows from the rest.
    pub place: Option<Place>,
    /// Whether nobody said it: a placeholder.
    pub assumed: bool,
}

impl Key {
    /// What a file says.
    pub(crate) fn said(path: &str, value: impl fmt::Display, place: &Place) -> Self {
        Self {
            path: path.to_owned(),
            value: value.to_string(),
            place: Some(place.clone()),
            assumed: false,
        }
    }

    /// What follows from other things, or from the program's own defaults.
    pub(crate) fn implied(path: &str, value: impl fmt::Display) -> Self {
        Self {
            path: path.to_owned(),
            value: value.to_string(),
            place: None,
            assumed: false,
        }
    }

    /// Keys of requests, such as addresses of clients, where something is counted by them or chosen by them.
    pub(crate) fn clients() -> Self {
        Self::assumed("key", format!("{{ kind = \"uniform\", n = {CLIENTS} }}"))
    }

    /// What the settings leave open.
    pub(crate) fn assumed(path: &str, value: impl fmt::Display) -> Self {
        Self {
            assumed: true,
            ..Self::implied(path, value)
        }
    }
}

/// A pool of servers behind a balancer.
#[derive(Clone, Debug)]
pub(crate) struct Service {
    pub name: String,
    /// The name in the file, for a comment.
    pub title: String,
    pub place: Place,
    /// The dialect of its balancer, with parameters.
    pub dialect: &'static str,
    pub params: Vec<Key>,
    /// Further keys of its balancer.
    pub balancer: Vec<Key>,
    /// Further keys of the service.
    pub keys: Vec<Key>,
    pub servers: Vec<Server>,
    /// Addresses at which others reach it, such as `:8080` or `shop`.
    pub listens: Vec<String>,
}

impl Service {
    pub(crate) fn new(name: String, title: &str, place: &Place, dialect: &'static str) -> Self {
        Self {
            name,
            title: title.to_owned(),
            place: place.clone(),
            dialect,
            params: Vec::new(),
            balancer: Vec::new(),
            keys: Vec::new(),
            servers: Vec::new(),
            listens: Vec::new(),
        }
    }
}

/// A server of a pool, or several that are alike.
#[derive(Clone, Debug)]
pub(crate) struct Server {
    pub name: String,
    /// Where it is reached, in the words of the file.
    pub address: String,
    pub place: Place,
    pub keys: Vec<Key>,
}

/// A way in: requests of one kind that come from outside.
#[derive(Clone, Debug)]
pub(crate) struct Way {
    pub name: String,
    pub place: Place,
    /// The service it leads to.
    pub to: String,
    /// Keys of its traffic.
    pub keys: Vec<Key>,
    /// What the balancer does with these requests other than with all, as keys below
    /// `balancer.class.NAME`; a class is made where there are any.
    pub apart: Vec<Key>,
    /// The share of requests that goes this way, where the settings say it.
    pub share: Option<f64>,
}

/// All that was read.
#[derive(Clone, Default, Debug)]
pub(crate) struct System {
    pub services: Vec<Service>,
    pub ways: Vec<Way>,
    /// Entries of the time line: the moment, what is done, to which path.
    pub deeds: Vec<Deed>,
    pub remarks: Vec<Remark>,
}

/// What is done to a server when the run begins.
#[derive(Clone, Debug)]
pub(crate) struct Deed {
    pub action: &'static str,
    pub target: String,
    pub place: Place,
    pub note: String,
}

impl System {
    /// Names of services that are taken.
    pub(crate) fn service_names(&self) -> Vec<String> {
        self.services
            .iter()
            .map(|service| service.name.clone())
            .collect()
    }

    /// Names of ways that are taken.
    pub(crate) fn way_names(&self) -> Vec<String> {
        self.ways.iter().map(|way| way.name.clone()).collect()
    }

    /// A guard that lets so many be in flight, of all or of each client. More than a scenario's limit can be are
    /// no limit that anybody meets, and are told.
    pub(crate) fn limit_conn(
        &mut self,
        place: &Place,
        what: &str,
        most: f64,
        of_each: bool,
    ) -> Option<String> {
        if most > IN_FLIGHT_MAX {
            let why = format!("more than {IN_FLIGHT_MAX} in flight, which nobody meets");
            self.remark(Kind::Missing, place, what, why);
            return None;
        }
        let (limit, by) = (most.floor(), if of_each { ", by = \"key\"" } else { "" });
        (limit >= 1.0)
            .then(|| format!("{{ kind = \"limit-conn\", limit = {limit}{by}, shared = true }}"))
    }

    pub(crate) fn remark(
        &mut self,
        kind: Kind,
        place: &Place,
        what: impl Into<String>,
        why: impl Into<String>,
    ) {
        self.remarks.push(Remark {
            place: place.clone(),
            kind,
            what: what.into(),
            why: why.into(),
        });
    }
}
