//! What differs from server to server in health rules, from sections to the model.

use super::problem::{Problem, Span};
use super::section::{Cx, Item};
use super::sections::{OwnHealthSpec, ServerSpec, ServiceSpec};
use crate::extension::ParamValue;
use crate::health::{HealthDef, OwnHealth};
use crate::model::{Balancer, Service};
use crate::time::Duration;

/// A key that is written at a server, its value and where that stands.
type Written = (&'static str, ParamValue, Span);

pub(crate) fn read(spec: &OwnHealthSpec) -> Option<OwnHealth> {
    Some(OwnHealth {
        checked: spec.check.copied()?,
        values: (written(spec)?.into_iter())
            .map(|(key, value, _)| (key, value))
            .collect(),
    })
}

/// The keys that are written, by the names of [`crate::health::OWN_KEYS`].
fn written(spec: &OwnHealthSpec) -> Option<Vec<Written>> {
    fn of<T: Copy>(
        key: &'static str,
        item: &Item<Option<T>>,
        value: fn(T) -> ParamValue,
    ) -> Option<Option<Written>> {
        let found = item.copied()?;
        Some(found.map(|found| (key, value(found), item.span)))
    }
    let count: fn(u64) -> ParamValue = ParamValue::Integer;
    let span: fn(Duration) -> ParamValue = ParamValue::Span;
    let all = [
        of("max_fails", &spec.max_fails, count)?,
        of("fail_timeout", &spec.fail_timeout, span)?,
        of("interval", &spec.interval, span)?,
        of("fast_interval", &spec.fast_interval, span)?,
        of("down_interval", &spec.down_interval, span)?,
        of("fall", &spec.fall, count)?,
        of("rise", &spec.rise, count)?,
        of("slow_start", &spec.slow_start, span)?,
    ];
    Some(all.into_iter().flatten().collect())
}

/// What differs at servers must differ for somebody.
pub(crate) fn check(
    written: &[(String, Span, ServiceSpec)],
    services: &[Service],
    cx: &mut Cx<'_>,
) -> Option<()> {
    let mut clean = true;
    for ((_, _, spec), service) in written.iter().zip(services) {
        for server in spec.server.get()? {
            clean &= check_one(server, service, cx).is_some();
        }
    }
    clean.then_some(())
}

/// The same of one server, or of those written with it.
pub(crate) fn check_one(spec: &ServerSpec, service: &Service, cx: &mut Cx<'_>) -> Option<()> {
    let (own_spec, balancer, name) = (spec.health.get()?, &service.balancer, &service.name);
    let mut clean = true;
    for (key, _, span) in written(own_spec)? {
        if !is_heeded(key, balancer) {
            let what = format!(
                "`{key}` of a server, and nothing at the balancer of `{name}` knows such a difference between servers"
            );
            let help = format!("{} do: stampede list health", heeding(key).join(", "));
            cx.push(Problem::new("E017", what).at(span).help(help));
            clean = false;
        }
    }
    let check = &own_spec.check;
    if !check.copied()? && balancer.checks().is_none() {
        let what = format!("the balancer of `{name}` checks no servers");
        cx.push(Problem::new("E017", what).at(check.span));
        clean = false;
    }
    let own = read(own_spec)?;
    let rules = balancer.health.iter();
    for problem in rules.filter_map(|rule| rule.check_at(&own).err()) {
        let span = own_spec.span;
        cx.push(Problem::new("E017", problem.message).at(span));
        clean = false;
    }
    check_line(spec, service, cx)?;
    clean.then_some(())
}

/// Whether a health rule or the policy makes something of a key.
fn is_heeded(key: &str, balancer: &Balancer) -> bool {
    let rules = balancer.health.iter();
    let counts = key == "max_fails";
    rules
        .flat_map(|rule| rule.def.heeds())
        .any(|heeded| heeded == key)
        || counts && balancer.policy.params.iter().any(|(name, _)| name == key)
}

/// The rules that heed a key.
fn heeding(key: &str) -> Vec<&'static str> {
    let all = crate::health::HEALTH_RULES.iter();
    let heeds = |def: &&&HealthDef| def.heeds().any(|heeded| heeded == key);
    all.filter(heeds).map(|def| def.row.name).collect()
}

/// Who waits for a server waits in the pending queue, and only where the server is full.
fn check_line(spec: &ServerSpec, service: &Service, cx: &mut Cx<'_>) -> Option<()> {
    if spec.max_pending.copied()?.is_none() {
        return Some(());
    }
    let (balancer, name) = (&service.balancer, &service.name);
    let what = if balancer.pending_queue.is_none() {
        format!("nobody waits at the balancer of `{name}`: it has no `pending_queue`")
    } else if !balancer.policy.build().sees_full() {
        format!(
            "to wait for one server is for policies that see servers at their limit, and `{}` does not",
            balancer.policy.def.row.name
        )
    } else if spec.max_connections.copied()?.is_none() {
        "nobody waits for a server without `max_connections`".to_owned()
    } else {
        return Some(());
    };
    cx.push(Problem::new("E017", what).at(spec.max_pending.span));
    None
}
