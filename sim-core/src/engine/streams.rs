//! Streams of random numbers, one for each concern. Those that belong to one source or service are
//! kept there.

use crate::draws::Stream;

/// See the module's documentation.
#[derive(Clone)]
pub(super) struct Streams {
    pub requests: Stream,
    pub policy: Stream,
    pub retries: Stream,
    pub faults: Stream,
    pub calls: Stream,
    pub probes: Stream,
    pub phases: Stream,
    pub levels: Stream,
    pub patience: Stream,
    pub breakdowns: Stream,
    pub order: Stream,
    pub idle: Stream,
    pub selection: Stream,
    pub boot: Stream,
    pub episodes: Stream,
    pub provisioning: Stream,
    pub reconnects: Stream,
}

impl Streams {
    /// Draws of its own from here on; see [`super::branch`]. Streams of requests go on: requests to come
    /// have other numbers.
    pub(super) fn branch_off(&mut self, branch: u64) {
        let Self {
            requests: _,
            policy: _,
            retries: _,
            faults: _,
            calls: _,
            levels: _,
            patience: _,
            selection: _,
            probes,
            phases,
            breakdowns,
            order,
            idle,
            boot,
            episodes,
            provisioning,
            reconnects,
        } = self;
        for stream in [
            probes,
            phases,
            breakdowns,
            order,
            idle,
            boot,
            episodes,
            provisioning,
            reconnects,
        ] {
            *stream = stream.branched(branch);
        }
    }

    pub(super) fn new(seed: u64, replication: u64) -> Self {
        let stream = |concern| Stream::new(seed, replication, concern);
        Self {
            requests: stream("requests"),
            policy: stream("policy"),
            retries: stream("retries"),
            faults: stream("faults"),
            calls: stream("calls"),
            probes: stream("probes"),
            phases: stream("probes/phase"),
            levels: stream("levels"),
            patience: stream("patience"),
            breakdowns: stream("breakdowns"),
            order: stream("order"),
            idle: stream("idle"),
            selection: stream("spread"),
            boot: stream("boot"),
            episodes: stream("episodes"),
            provisioning: stream("provisioning"),
            reconnects: stream("reconnects"),
        }
    }
}
