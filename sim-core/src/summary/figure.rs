//! Figures by their path: what expectations, comparisons and sweeps name.

use super::Summary;
use serde::Serialize;

impl Summary {
    /// The figure at a dotted path of the JSON form, such as `response_time_s.p99`; `None` where
    /// there is none or nothing was measured.
    pub fn figure(&self, path: &str) -> Option<f64> {
        let words: Vec<&str> = path.split('.').collect();
        match words.as_slice() {
            ["offered_load"] => self.offered_load,
            ["offered_hz"] => Some(self.offered_hz),
            ["goodput_hz"] => Some(self.goodput_hz),
            ["throughput_hz"] => Some(self.throughput_hz),
            ["availability"] => self.availability,
            ["wasted_work"] => self.wasted_work,
            ["waited"] => self.waited,
            ["first_crash_s"] => self.first_crash_s,
            ["events"] => Some(self.events as f64),
            ["horizon_s"] => Some(self.horizon_s),
            ["measured_from_s"] => Some(self.measured_from_s),
            ["peak_in_flight"] => Some(self.peak_in_flight as f64),
            ["users_left"] => self.users_left.map(|users| users as f64),
            ["sessions", rest @ ..] => leaf(&self.sessions, rest),
            ["response", rest @ ..] => leaf(&self.response, rest),
            ["requests", rest @ ..] => leaf(&self.requests, rest),
            ["attempts", rest @ ..] => leaf(&self.attempts, rest),
            ["response_time_s", rest @ ..] => leaf(&self.response_time_s, rest),
            ["wait_s", rest @ ..] => leaf(&self.wait_s, rest),
            ["wait_all_s", rest @ ..] => leaf(&self.wait_all_s, rest),
            ["classes", name, rest @ ..] => leaf(self.classes.get(name)?, rest),
            ["services", name, "servers", server, rest @ ..] => {
                leaf(self.services.get(name)?.servers.get(server)?, rest)
            }
            ["services", name, "balancers", instance, rest @ ..] => {
                leaf(self.services.get(name)?.balancers.get(instance)?, rest)
            }
            ["guards", number, rest @ ..] => leaf(self.guards.get(position(number)?)?, rest),
            ["connections", number, rest @ ..] => {
                leaf(self.connections.get(position(number)?)?, rest)
            }
            [
                "services",
                name,
                "number",
                word @ ("at" | "at_most"),
                number,
            ] => {
                let of = self.services.get(name)?.number.as_ref()?;
                of.share(word, position(number)?)
            }
            ["services", name, rest @ ..] => leaf(self.services.get(name)?, rest),
            ["machines", name, rest @ ..] => leaf(self.machines.get(name)?, rest),
            ["slos", name, rest @ ..] => leaf(self.slos.get(name)?, rest),
            _ => None,
        }
    }
}

fn position(number: &str) -> Option<usize> {
    number.parse().ok()
}

/// The number at `path` below a part of the summary.
fn leaf(part: &impl Serialize, path: &[&str]) -> Option<f64> {
    let value = serde_json::to_value(part).ok()?;
    path.iter()
        .try_fold(&value, |value, word| value.get(word))?
        .as_f64()
}
