//! Changes of settings that leave alone what they do not name.
//!
//! A [`Change`] replaces a whole part of the system, as it is after an entry of the time line. What people do when they are
//! woken comes at a time of its own, between entries that did not know of it, so that neither may undo the other. An
//! [`Edit`] therefore has a part before and after, and changes of any part that is there what differs between
//! the two, field by field; the last one who changes a field wins.

use super::{Balancer, Change, Class, Client, Host, ServerParams, Service, Source};
use std::sync::Arc;

/// A part of the system before and after a change.
#[derive(Clone, PartialEq, Debug)]
pub struct Edit {
    /// As it was.
    pub before: Change,
    /// As it is to be; the same part.
    pub after: Change,
}

impl Edit {
    /// The same change taken back.
    #[must_use]
    pub fn reversed(&self) -> Self {
        Self {
            before: self.after.clone(),
            after: self.before.clone(),
        }
    }

    /// The part as it is after this change, given what it is now.
    pub fn on(&self, present: &Change) -> Change {
        match (present, &self.before, &self.after) {
            (Change::Server(id, now), Change::Server(_, b), Change::Server(_, a)) => {
                Change::Server(*id, Arc::new(server(now, b, a)))
            }
            (Change::Balancer(id, now), Change::Balancer(_, b), Change::Balancer(_, a)) => {
                Change::Balancer(*id, Box::new(balancer(now, b, a)))
            }
            (Change::Service(id, now), Change::Service(_, b), Change::Service(_, a)) => {
                Change::Service(*id, Box::new(service(now, b, a)))
            }
            (Change::Client(id, now), Change::Client(_, b), Change::Client(_, a)) => {
                Change::Client(*id, Box::new(client(now, b, a)))
            }
            (Change::Source(id, now), Change::Source(_, b), Change::Source(_, a)) => {
                Change::Source(*id, Box::new(source(now, b, a)))
            }
            (Change::Class(id, now), Change::Class(_, b), Change::Class(_, a)) => {
                Change::Class(*id, Box::new(class(now, b, a)))
            }
            (Change::Host(id, now), Change::Host(_, b), Change::Host(_, a)) => {
                Change::Host(*id, Box::new(host(now, b, a)))
            }
            _ => unreachable!("both are of one part"),
        }
    }
}

/// Takes the fields that differ from `before` to `after`. All fields are named, so that none can be forgotten;
/// those after `but` stay as they are.
macro_rules! fields {
    ($name:ident, $of:ident { $($field:ident)* } but { $($left:ident)* }) => {
        #[allow(
            clippy::float_cmp,
            reason = "whether a value was changed, not whether two are near"
        )]
        fn $name(now: &$of, before: &$of, after: &$of) -> $of {
            let $of { $($field: _,)* $($left: _,)* } = now;
            let mut merged = now.clone();
            $(
                if before.$field != after.$field {
                    merged.$field.clone_from(&after.$field);
                }
            )*
            merged
        }
    };
}

fields!(server, ServerParams {
    weight speed workers queue_limit discipline patience breakdowns slowdown memory errors guards crash
    crash_keeps_queue down_behaviour restart boot warm_up priority max_connections min_connections health
    max_pending liveness link host
} but {});
fields!(balancer, Balancer {
    dialect policy instances instance_selection balances load_reports subset max_connections cost queue_limit
    pending_queue full_connections guards memory crash down_behaviour restart boot health standby link by_zone
    routes client
} but {});
// Its balancer is a part by itself; servers and numbers do not change while time runs.
fields!(service, Service {
    demand link zones calls autoscaler provisioning
} but { name balancer servers numbers });
fields!(client, Client { timeout deadline retry guards cancel hedge } but {});
fields!(source, Source { to arrivals rate trace_factor mix key clients } but { name });
fields!(class, Class { priority demand_factor demand } but { name });
fields!(host, Host { cores } but { name });
