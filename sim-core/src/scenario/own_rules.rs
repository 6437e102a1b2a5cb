//! Rules of a balancer towards its own servers, from sections to the model.

use super::clients::{client, find_class};
use super::problem::Problem;
use super::section::Cx;
use super::sections::BalancerSpec;
use super::services::{Known, join};
use crate::model::{ClassRules, Client, OwnRules, Service};

/// The rules of an instance itself, where any are written: those of all requests, and, laid upon them, those
/// of some classes.
pub(crate) fn own_rules(
    spec: &BalancerSpec,
    known: &Known<'_>,
    clients: &mut Vec<Client>,
    cx: &mut Cx<'_>,
) -> Option<Option<OwnRules>> {
    if !spec.client.written && !spec.class.written {
        return Some(None);
    }
    let below = spec.client.get()?;
    let of_all = client(std::iter::once(below), cx)?;
    let guards = of_all.guards.clone();
    let mut own = OwnRules {
        client: join(of_all, spec.client.span, clients, cx)?,
        by_class: Vec::new(),
    };
    let mut whole = true;
    let mut written = Vec::new();
    for (name, span, spec) in spec.class.get()? {
        match find_class(name, *span, known.classes, cx) {
            Some(class) => written.push((class, spec)),
            None => whole = false,
        }
    }
    written.sort_by_key(|(class, _)| *class);
    for (class, spec) in written {
        let above = spec.client.get()?;
        let Some(client) = client([below, above].into_iter(), cx) else {
            whole = false;
            continue;
        };
        own.by_class.push(ClassRules {
            class,
            own_guards: above.get("guards").is_some() || client.guards != guards,
            client: join(client, spec.span, clients, cx)?,
        });
    }
    whole.then_some(Some(own))
}

/// What a balancer has rules for, and who shares its guards, is settled before the start.
pub(crate) fn stay(new: &mut Service, old: &Service, cx: &mut Cx<'_>) -> Option<()> {
    let name = &new.name;
    match (&mut new.balancer.client, &old.balancer.client) {
        (None, None) => Some(()),
        (Some(new), Some(old)) => {
            for (new, old) in new.by_class.iter_mut().zip(&old.by_class) {
                if new.own_guards && !old.own_guards {
                    let what = format!(
                        "a class at the balancer of `{name}` passes the guards of its other tries, and would get some of its own"
                    );
                    let help = format!(
                        "write the `guards` of that class in service.{name}.balancer.class in the scenario itself"
                    );
                    cx.push(Problem::new("E017", what).help(help));
                    return None;
                }
                new.own_guards = old.own_guards;
            }
            Some(())
        }
        _ => {
            let what = format!("the balancer of `{name}` has no rules of its own to change");
            let help = format!("write service.{name}.balancer.client in the scenario itself");
            cx.push(Problem::new("E017", what).help(help));
            None
        }
    }
}
