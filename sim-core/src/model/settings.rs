//! What settings consist of, as far as it can be changed one by one.

use super::{
    Balancer, BalancerMemory, Balances, Breakdowns, Cache, Call, Class, ClassId, Client, ClientId,
    CrashRule, DownBehaviour, Errors, Hedge, Host, HostId, InstanceSelection, Link, Liveness,
    Memory, OutOfService, OwnRules, PendingQueue, Provisioning, Rate, Route, ServerParams, Service,
    ServiceId, Slowdown, Source, SplitByZone, Standby, WarmUp, Zone,
};
use crate::extension::{Configured, Def, ParamValue, Params};
use crate::health::{OWN_KEYS, OwnHealth, Probe};
use crate::time::Duration;
use std::sync::Arc;

/// A setting before and after a change, in each state that it may be found in. Of two that fit, the last counts.
pub(super) type Cases<'a, T> = Vec<(&'a T, &'a T)>;

/// A setting, which may consist of others.
pub(super) trait Setting: Clone + PartialEq {
    /// Whether both consist of the same settings.
    fn is_like(&self, _: &Self) -> bool {
        false
    }

    /// Changes the settings that it consists of one by one, given cases that are like it.
    fn each(&self, _: &Cases<'_, Self>) -> Self {
        self.clone()
    }
}

/// A setting after a change, given what it is now.
pub(super) fn merged<T: Setting>(now: &T, cases: &Cases<'_, T>) -> T {
    let known = cases.iter().rfind(|(before, _)| *before == now);
    if let Some((_, after)) = known {
        return (*after).clone();
    }
    let Some((before, after)) = differing(cases) else {
        return now.clone();
    };
    if !now.is_like(before) || !now.is_like(after) {
        return after.clone();
    }
    let like = |(before, after): &(&T, &T)| now.is_like(before) && now.is_like(after);
    now.each(&cases.iter().copied().filter(like).collect())
}

/// The last case in which something changes.
fn differing<'a, T: PartialEq>(cases: &Cases<'a, T>) -> Option<(&'a T, &'a T)> {
    cases
        .iter()
        .rfind(|(before, after)| before != after)
        .copied()
}

/// What of the cases belongs to something that they have a part in.
fn inner<'a, T, P>(cases: &Cases<'a, T>, of: impl Fn(&'a T) -> Option<&'a P>) -> Cases<'a, P> {
    let both = |(before, after): &(&'a T, &'a T)| Some((of(before)?, of(after)?));
    cases.iter().filter_map(both).collect()
}

/// Structures of settings. All fields are named, so that none can be forgotten. Those after `as` say what it is about:
/// where they differ, it is another one; those after `but` do not change while time runs, or not with it.
macro_rules! tables {
    ($($of:ident { $($field:ident)* } $(as { $($same:ident)* })? $(but { $($left:ident)* })?;)*) => { $(
        impl Setting for $of {
            fn is_like(&self, other: &Self) -> bool {
                let _ = other;
                true $($(&& self.$same == other.$same)*)?
            }

            fn each(&self, cases: &Cases<'_, Self>) -> Self {
                let $of { $($field: _,)* $($($same: _,)*)? $($($left: _,)*)? } = self;
                let mut changed = self.clone();
                $(changed.$field = merged(&self.$field, &inner(cases, |it| Some(&it.$field)));)*
                changed
            }
        }
    )* };
}

tables! {
    ServerParams {
        weight speed workers queue_limit discipline patience breakdowns slowdown memory errors guards crash
        crash_keeps_queue down_behaviour restart boot warm_up priority max_connections min_connections health
        max_pending liveness link host
    };
    Balancer {
        dialect policy instances instance_selection balances load_reports subset max_connections cost queue_limit
        pending_queue full_connections guards memory crash down_behaviour restart boot health standby link by_zone
        routes client
    };
    Service { demand link zones calls autoscaler provisioning } but { name balancer servers numbers };
    Client { timeout deadline retry guards cancel hedge };
    Source { to arrivals rate trace_factor mix key clients } but { name };
    Class { priority demand_factor demand } but { name };
    Host { cores } but { name };
    Breakdowns { every repair };
    Slowdown { contention coherence };
    Memory { base per_in_service per_queued per_abandoned release limit };
    Errors { rate demand };
    CrashRule { above hold } as { gauge };
    WarmUp { from over };
    Liveness { probe interval timeout fall demand };
    PendingQueue { limit timeout per_server out_of_service };
    BalancerMemory { base per_connection limit };
    Standby { count takeover };
    SplitByZone { overprovisioning random_start };
    Link { delay loss retransmit connect_timeout connections };
    Zone { link weight } as { name };
    Route { classes share link } as { to client };
    Call { classes before probability parallel hold required cache link } as { to client };
    Cache { capacity ttl coalesce shared };
    Provisioning { time failure pause };
    Hedge { after copies distinct own_demand tied failure_sends };
}

/// What is one value; of lists of numbers each means something only beside the others.
macro_rules! values {
    ($($of:ty)*) => { $(impl Setting for $of {})* };
}

values! {
    bool u32 f64 Duration ParamValue Rate ServiceId HostId Balances DownBehaviour InstanceSelection OutOfService Probe
    OwnRules Vec<f64> Vec<ClassId> Vec<ClientId>
}

impl<D: Def> Setting for Configured<D> {
    fn is_like(&self, other: &Self) -> bool {
        let names = self.params.iter().map(|(name, _)| name);
        self.def.row().name == other.def.row().name
            && names.eq(other.params.iter().map(|(name, _)| name))
    }

    fn each(&self, cases: &Cases<'_, Self>) -> Self {
        let value = |(i, (name, now))| {
            let cases = inner(cases, |it: &Self| {
                it.params.iter().nth(i).map(|(_, value)| value)
            });
            (name, merged(now, &cases))
        };
        let params = Params::new(self.params.iter().enumerate().map(value).collect());
        match (self.def.check(&params), differing(cases)) {
            // Values that do not fit together: those of the change do.
            (Err(_), Some((_, after))) => after.clone(),
            _ => Self {
                def: self.def,
                params,
            },
        }
    }
}

impl Setting for OwnHealth {
    fn is_like(&self, _: &Self) -> bool {
        true
    }

    fn each(&self, cases: &Cases<'_, Self>) -> Self {
        let checked = merged(&self.checked, &inner(cases, |it| Some(&it.checked)));
        let value = |&(key, _): &(&'static str, _)| {
            let own = |it: &Self| {
                let found = it.values.iter().find(|(name, _)| *name == key);
                found.map(|(_, value)| value.clone())
            };
            let cases: Vec<_> = cases.iter().map(|(b, a)| (own(b), own(a))).collect();
            let cases = cases.iter().map(|(b, a)| (b, a)).collect();
            Some((key, merged(&own(self), &cases)?))
        };
        Self {
            checked,
            values: OWN_KEYS.iter().filter_map(value).collect(),
        }
    }
}

impl<T: Setting> Setting for Option<T> {
    fn is_like(&self, other: &Self) -> bool {
        self.is_some() && other.is_some()
    }

    fn each(&self, cases: &Cases<'_, Self>) -> Self {
        let now = self.as_ref()?;
        Some(merged(now, &inner(cases, Option::as_ref)))
    }
}

/// What only stands elsewhere.
macro_rules! pointers {
    ($($pointer:ident)*) => { $(
        impl<T: Setting> Setting for $pointer<T> {
            fn is_like(&self, _: &Self) -> bool {
                true
            }

            fn each(&self, cases: &Cases<'_, Self>) -> Self {
                Self::new(merged(&**self, &inner(cases, |it| Some(&**it))))
            }
        }
    )* };
}

pointers! { Arc Box }

/// Lists of tables and rows, each of which is the same as the one that stands in its place.
macro_rules! lists {
    ($($of:ty $(where $row:ident)?),*) => { $(
        impl $(<$row: Def>)? Setting for Vec<$of> {
            fn is_like(&self, other: &Self) -> bool {
                let mut pairs = self.iter().zip(other);
                self.len() == other.len() && pairs.all(|(one, other)| one.is_like(other))
            }

            fn each(&self, cases: &Cases<'_, Self>) -> Self {
                let changed = |(i, now)| merged(now, &inner(cases, |it: &Self| it.get(i)));
                self.iter().enumerate().map(changed).collect()
            }
        }
    )* };
}

lists! { Configured<D> where D, CrashRule, Zone, Route, Call }

#[cfg(test)]
mod tests {
    use super::*;
    use crate::distribution::{DISTRIBUTIONS, DistributionDef};
    use crate::time::SECOND;

    fn after<T: Setting>(now: &T, cases: &[(T, T)]) -> T {
        merged(now, &cases.iter().map(|(b, a)| (b, a)).collect())
    }

    fn slowdown(contention: f64, coherence: f64) -> Slowdown {
        Slowdown {
            contention,
            coherence,
        }
    }

    #[test]
    fn a_change_of_one_setting_leaves_the_other_alone() {
        let change = [(slowdown(0.0, 0.0), slowdown(0.0, 1.0))];
        assert_eq!(after(&slowdown(5.0, 0.0), &change), slowdown(5.0, 1.0));
        // Whatever has become of the one that is changed.
        assert_eq!(after(&slowdown(5.0, 7.0), &change), slowdown(5.0, 1.0));
        let none = [(None, Some(slowdown(0.0, 1.0)))];
        assert_eq!(
            after(&Some(slowdown(5.0, 7.0)), &none),
            Some(slowdown(0.0, 1.0))
        );
    }

    #[test]
    fn in_a_state_that_is_known_it_becomes_what_is_known() {
        // What is twice the other one has to be known.
        let double = |n: f64| (slowdown(n, 0.0), slowdown(n, 2.0 * n));
        let cases = [double(1.0), double(2.0), double(3.0)];
        assert_eq!(after(&slowdown(2.0, 0.0), &cases), slowdown(2.0, 4.0));
        // Nothing is to be done in a state that needs nothing.
        let cases = [double(1.0), (slowdown(2.0, 9.0), slowdown(2.0, 9.0))];
        assert_eq!(after(&slowdown(2.0, 9.0), &cases), slowdown(2.0, 9.0));
        // Of two that fit, the last counts; of none, the last that changes anything.
        let cases = [(1_u32, 2), (1, 3), (4, 5), (6, 6)];
        assert_eq!([1, 6, 7].map(|now| after(&now, &cases)), [3, 6, 5]);
    }

    fn uniform(low: u64, high: u64) -> Configured<DistributionDef> {
        let mut rows = DISTRIBUTIONS.iter().copied();
        let span = |seconds| ParamValue::Span(Duration(seconds * SECOND));
        Configured {
            def: rows.find(|def| def.row.name == "uniform").expect("a row"),
            params: Params::new(vec![("low", span(low)), ("high", span(high))]),
        }
    }

    #[test]
    fn parameters_of_a_row_change_one_by_one_as_long_as_they_fit_together() {
        let change = [(uniform(1, 6), uniform(1, 3))];
        assert_eq!(after(&uniform(2, 6), &change), uniform(2, 3));
        assert_eq!(after(&uniform(5, 6), &change), uniform(1, 3));
        let constant = crate::distribution::always(Duration(SECOND));
        assert_eq!(after(&constant, &change), uniform(1, 3));
    }

    #[test]
    fn keys_of_servers_own_keep_their_order() {
        let own = |values: &[(&'static str, u64)]| OwnHealth {
            checked: true,
            values: (values.iter())
                .map(|&(key, value)| (key, ParamValue::Integer(value)))
                .collect(),
        };
        let change = [(own(&[]), own(&[("fall", 3)]))];
        let now = own(&[("max_fails", 1), ("rise", 2)]);
        let all = own(&[("max_fails", 1), ("fall", 3), ("rise", 2)]);
        assert_eq!(after(&now, &change), all);
        let back = [(own(&[("fall", 3)]), own(&[]))];
        assert_eq!(after(&all, &back), now);
    }

    #[test]
    fn lists_change_in_their_places() {
        let delays = |all: &[Option<u64>]| -> Vec<Zone> {
            let zone = |(i, delay): (usize, &Option<u64>)| Zone {
                name: i.to_string(),
                link: Link {
                    retransmit: delay.map(Duration),
                    ..Link::default()
                },
                weight: 1.0,
            };
            all.iter().enumerate().map(zone).collect()
        };
        let change = [(delays(&[Some(1), Some(1)]), delays(&[Some(1), Some(2)]))];
        let now = delays(&[Some(9), Some(8)]);
        assert_eq!(after(&now, &change), delays(&[Some(9), Some(2)]));
        // One more of them is another list.
        assert_eq!(after(&delays(&[None]), &change), change[0].1);
    }
}
