//! Routes of a balancer, from sections to the model, and services that need no servers.

use super::clients::{find_classes, find_service};
use super::links::inner_link;
use super::problem::{Problem, Span};
use super::section::Cx;
use super::sections::{BalancerSpec, RouteSpec, ServiceSpec};
use super::services::{Known, inner_client};
use crate::ids::Id;
use crate::model::{Class, ClassId, Client, Route, SHARE_TOLERANCE, Service};

/// Most routes of a balancer: each request looks along the list.
const ROUTES_MAX: usize = 1000;

pub(crate) fn routes(
    spec: &BalancerSpec,
    known: &Known<'_>,
    clients: &mut Vec<Client>,
    cx: &mut Cx<'_>,
) -> Option<Vec<Route>> {
    let written = spec.routes.get()?;
    if written.len() > ROUTES_MAX {
        let what = format!("{} routes; at most {ROUTES_MAX} are allowed", written.len());
        cx.push(Problem::new("E024", what).at(spec.routes.span));
        return None;
    }
    let read: Vec<_> = (written.iter())
        .map(|spec| route(spec, known, clients, cx))
        .collect();
    let routes: Vec<Route> = read.into_iter().collect::<Option<_>>()?;
    check_parts(written, &routes, known.classes, cx)?;
    Some(routes)
}

fn route(
    spec: &RouteSpec,
    known: &Known<'_>,
    clients: &mut Vec<Client>,
    cx: &mut Cx<'_>,
) -> Option<Route> {
    let to = (spec.to.get()).and_then(|to| find_service(to, spec.to.span, known.services, cx));
    let classes = find_classes(&spec.class, known.classes, cx);
    let client = inner_client(&spec.client, spec.span, clients, cx);
    Some(Route {
        to: to?,
        classes: classes?,
        share: spec.share.copied()?,
        client: client?,
        link: inner_link(&spec.link, cx)?,
    })
}

/// Each route must have a part of the keys of some class, and the parts of a class fit into a whole.
fn check_parts(
    written: &[RouteSpec],
    routes: &[Route],
    classes: &[&str],
    cx: &mut Cx<'_>,
) -> Option<()> {
    let mut taken = vec![0.0; classes.len()];
    for (spec, route) in written.iter().zip(routes) {
        let concerned = || (0..classes.len()).filter(|&class| route.concerns(ClassId::at(class)));
        let is_whole = |class: usize| taken[class] > 1.0 - SHARE_TOLERANCE;
        if concerned().all(is_whole) {
            let what = "no request is left for this route: those before it take all";
            let problem = Problem::new("E017", what).at(spec.span);
            cx.push(problem.help("the first route that takes a request counts"));
            return None;
        }
        let open: Vec<usize> = concerned().filter(|class| !is_whole(*class)).collect();
        for class in open {
            taken[class] += route.share.unwrap_or(1.0);
            if route.share.is_some() && taken[class] > 1.0 + SHARE_TOLERANCE {
                let what = format!(
                    "the shares of the routes for the class `{}` add up to more than 1",
                    classes[class]
                );
                let problem = Problem::new("E021", what).at(spec.share.span);
                cx.push(problem.help("a route without `share` takes all that is left"));
                return None;
            }
        }
    }
    Some(())
}

/// What is written of a service without servers must not be about servers.
pub(crate) fn check_without_servers(name: &str, spec: &ServiceSpec, cx: &mut Cx<'_>) -> Option<()> {
    let balancer = spec.balancer.get()?;
    let strays = [
        ("demand", spec.demand.written, spec.demand.span),
        ("call", spec.call.written, spec.call.span),
        ("policy", balancer.policy.written, balancer.policy.span),
        ("health", balancer.health.written, balancer.health.span),
        (
            "load_reports",
            balancer.load_reports.written,
            balancer.load_reports.span,
        ),
        ("subset", balancer.subset.written, balancer.subset.span),
        (
            "pending_queue",
            balancer.pending_queue.written,
            balancer.pending_queue.span,
        ),
        ("link", balancer.link.written, balancer.link.span),
        ("client", balancer.client.written, balancer.client.span),
        ("class", balancer.class.written, balancer.class.span),
    ];
    let mut clean = true;
    for (key, _, span) in strays.into_iter().filter(|(_, written, _)| *written) {
        let what = format!("`{key}` has no effect: the service `{name}` has no servers");
        cx.push(Problem::new("E017", what).at(span).help("leave it out"));
        clean = false;
    }
    clean.then_some(())
}

/// A service without servers must have routes for all requests.
pub(crate) fn check_nobody_left(
    service: &Service,
    span: Span,
    classes: &[Class],
    cx: &mut Cx<'_>,
) -> Option<()> {
    let left = |id: usize| service.balancer.kept(ClassId::at(id)) > 0.0;
    let class = (0..classes.len()).find(|&id| service.servers.is_empty() && left(id));
    let Some(class) = class else {
        return Some(());
    };
    let what = format!(
        "no route of `{}` takes all requests of the class `{}`, and it has no servers for the rest",
        service.name, classes[class].name
    );
    let help = format!(
        "end the list with a route without `share`, or add a [[service.{}.server]]",
        service.name
    );
    cx.push(Problem::new("E022", what).at(span).help(help));
    None
}
