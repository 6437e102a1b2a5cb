//! Manifests of Kubernetes, Istio's rules among them: several objects are one system.
//!
//! ```text
//! Ingress ─► Service ─► Deployment (and the like) ◄─ HorizontalPodAutoscaler
//!               ▲
//!        VirtualService, DestinationRule
//! ```

mod hpa;
mod ingress;
mod istio;
mod objects;
mod traffic_policy;
mod workload;

use super::system::{Key, Kind, Place, Server, Service, System, Way};
use super::yaml::{self, Node};
use super::{Format, Surroundings, Unreadable};
use crate::names::{fresh, name_of};
use ingress::{Path, annotated};
use objects::{Object, objects, seconds};
use sim_core::scenario::Source;
use workload::{Timing, Workload, workload};

pub(super) const FORMAT: Format = Format {
    name: "kubernetes",
    about: "Manifests of Kubernetes: Deployment, Service, Ingress, HorizontalPodAutoscaler, and Istio's rules.",
    recognises,
    read,
};

fn recognises(source: &Source) -> bool {
    let begins = |word: &str| {
        let json = format!("\"{word}\"");
        source.text.lines().any(|line| {
            line.starts_with(&format!("{word}:")) || line.trim_start().starts_with(&json)
        })
    };
    begins("apiVersion") && begins("kind")
}

/// Kinds that say nothing of who serves what.
const IGNORED: &[&str] = &[
    "Namespace",
    "ConfigMap",
    "Secret",
    "ServiceAccount",
    "Role",
    "RoleBinding",
    "ClusterRole",
    "ClusterRoleBinding",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "StorageClass",
    "CustomResourceDefinition",
    "IngressClass",
    "PriorityClass",
    "ServiceMonitor",
    "PodMonitor",
    "PrometheusRule",
    "Certificate",
    "Issuer",
    "ClusterIssuer",
    "Kustomization",
    "LimitRange",
];

/// Kinds that have a bearing on load and are not simulated.
const MISSING: &[(&str, &str)] = &[
    (
        "PodDisruptionBudget",
        "how many pods a drain of nodes may take at once",
    ),
    ("NetworkPolicy", "who may reach whom"),
    ("ResourceQuota", "how much a namespace may ask for"),
    ("Job", "work that nobody asks for over the network"),
    ("CronJob", "work that nobody asks for over the network"),
    ("Gateway", "ports and certificates of the way in"),
    ("HTTPRoute", "rules of the Gateway API"),
    (
        "VerticalPodAutoscaler",
        "requests of processors that change while it runs",
    ),
    ("ScaledObject", "an autoscaler of KEDA"),
    ("EnvoyFilter", "pieces of Envoy's configuration"),
    ("Sidecar", "what a proxy is told of"),
    ("ServiceEntry", "services outside of the cluster"),
    ("PeerAuthentication", "certificates between services"),
];

fn read(
    sources: &[Source],
    around: &Surroundings<'_>,
    system: &mut System,
) -> Result<(), Unreadable> {
    let mut all = Vec::new();
    for source in sources {
        all.extend(yaml::read(source, around)?);
    }
    let objects = objects(&all);
    Cluster::new(&objects, system).read(system);
    Ok(())
}

struct Cluster<'n> {
    objects: &'n [Object<'n>],
    workloads: Vec<Workload<'n>>,
    paths: Vec<Path<'n>>,
    taken: Vec<String>,
    ways: Vec<String>,
}

impl<'n> Cluster<'n> {
    fn new(objects: &'n [Object<'n>], system: &System) -> Self {
        Self {
            objects,
            workloads: objects.iter().copied().filter_map(workload).collect(),
            paths: ingress::paths(objects),
            taken: system.service_names(),
            ways: system.way_names(),
        }
    }

    fn of_kind(&self, kind: &str) -> Vec<Object<'n>> {
        self.objects
            .iter()
            .copied()
            .filter(|object| object.kind() == kind)
            .collect()
    }

    fn read(mut self, system: &mut System) {
        let rules = istio::Rules::of(self.objects);
        for object in self.of_kind("Service") {
            if !rules.has(&object.name()) {
                self.service(object, system);
            }
        }
        rules.read(&mut self, system);
        self.unselected(system);
        for path in &self.paths {
            let known = system
                .services
                .iter()
                .any(|service| service.title == path.service);
            if !known {
                let what = format!("a path to the Service {}", path.service);
                system.remark(Kind::Missing, &path.place, what, "it is not in these files");
            }
        }
        for object in self.objects {
            let kind = object.kind();
            let what = format!("{kind} {}", object.name());
            let of_istio = ["DestinationRule", "VirtualService"].contains(&kind.as_str());
            let used = of_istio
                || workload::WORKLOADS.contains(&kind.as_str())
                || ["Service", "Ingress", "HorizontalPodAutoscaler"].contains(&kind.as_str());
            if used {
                continue;
            }
            if let Some((_, why)) = MISSING.iter().find(|(own, _)| *own == kind) {
                system.remark(Kind::Missing, object.place(), what, *why);
            } else if IGNORED.contains(&kind.as_str()) {
                system.remark(Kind::Ignored, object.place(), kind, "");
            } else {
                system.remark(Kind::Unknown, object.place(), what, "");
            }
        }
    }

    /// A Service with the workloads that its selector means.
    fn service(&mut self, object: Object<'n>, system: &mut System) {
        let name = object.name();
        let selected = self.selected(object.spec(&["selector"]), &[]);
        if selected.is_empty() {
            let why = "no workload in these files has its labels";
            system.remark(
                Kind::Missing,
                object.place(),
                format!("Service {name}"),
                why,
            );
            return;
        }
        self.pool(&name, object.place(), &selected, Some(object), system);
    }

    /// Positions of the workloads with all these labels.
    pub(super) fn selected(&self, selector: Option<&Node>, more: &[&Node]) -> Vec<usize> {
        let Some(selector) = selector else {
            return Vec::new();
        };
        let all = self.workloads.iter().enumerate();
        let own = all.filter(|(_, workload)| {
            workload.is_selected(selector) && more.iter().all(|labels| workload.is_selected(labels))
        });
        own.map(|(index, _)| index).collect()
    }

    /// Servers and autoscaler of workloads, into a service.
    pub(super) fn fill(&self, service: &mut Service, workloads: &[usize], system: &mut System) {
        for index in workloads {
            let workload = &self.workloads[*index];
            let scaler = self
                .objects
                .iter()
                .copied()
                .find(|object| hpa::scales(*object, workload));
            let most = scaler.and_then(hpa::most);
            service.servers.extend(workload.servers(most, system));
            if let Some(key) = scaler.and_then(|scaler| hpa::autoscaler(scaler, workload, system)) {
                service.keys.push(key);
            }
        }
    }

    /// A service of workloads: behind ingresses, or called by its name.
    fn pool(
        &mut self,
        name: &str,
        place: &Place,
        workloads: &[usize],
        object: Option<Object<'n>>,
        system: &mut System,
    ) {
        let paths: Vec<usize> = (0..self.paths.len())
            .filter(|index| self.paths[*index].service == name)
            .collect();
        let by_nginx = paths
            .first()
            .is_some_and(|first| ingress::is_nginx(self.paths[*first].ingress));
        let dialect = if by_nginx { "nginx" } else { "kube-proxy" };
        let own_name = fresh(&name_of(name, "service"), &mut self.taken);
        let mut service = Service::new(own_name, name, place, dialect);
        self.fill(&mut service, workloads, system);
        self.readiness(&mut service, workloads, by_nginx, system);
        if let Some(object) = object {
            address(object, &mut service, system);
        }
        if by_nginx {
            service.params.extend(ingress::defaults());
        } else if let Some(first) = paths.first() {
            let why = "its controller is not nginx: a server is drawn for each request";
            system.remark(Kind::Read, &self.paths[*first].place, "an ingress", why);
        }
        for index in &paths {
            let path = &self.paths[*index];
            let annotated = annotated(path.ingress, system);
            if *index == paths[0] && by_nginx {
                service.params.extend(annotated.params);
            }
            let hint = if paths.len() == 1 {
                name_of(name, "service")
            } else {
                name_of(&path.hint, "path")
            };
            let mut way = Way {
                name: fresh(&hint, &mut self.ways),
                place: path.place.clone(),
                to: service.name.clone(),
                keys: Vec::new(),
                apart: Vec::new(),
                share: None,
            };
            if annotated.keyed {
                way.keys.push(Key::clients());
            }
            if let Some(at) = &annotated.guards_at {
                way.keys.push(Key::said(
                    "client.guards",
                    format!("[{}]", annotated.guards.join(", ")),
                    at,
                ));
            }
            system.ways.push(way);
        }
        if paths.is_empty() {
            let kind = object
                .and_then(|object| object.spec(&["type"]))
                .and_then(Node::text);
            if !matches!(kind.as_deref(), Some("LoadBalancer" | "NodePort")) {
                let why =
                    "who calls it is in no manifest: requests are assumed to come from outside";
                system.remark(Kind::Read, place, format!("Service {name}"), why);
            }
            system.ways.push(Way {
                name: fresh(&name_of(name, "service"), &mut self.ways),
                place: place.clone(),
                to: service.name.clone(),
                keys: Vec::new(),
                apart: Vec::new(),
                share: None,
            });
        }
        system.services.push(service);
    }

    /// Readiness probes decide who is an endpoint.
    fn readiness(
        &self,
        service: &mut Service,
        workloads: &[usize],
        by_nginx: bool,
        system: &mut System,
    ) {
        let probe = workloads
            .iter()
            .find_map(|index| self.workloads[*index].probe("readinessProbe"));
        let Some(probe) = probe else {
            let what = format!("no readinessProbe in {}", service.title);
            system.remark(
                Kind::Read,
                &service.place,
                what,
                "a pod that is up is always an endpoint",
            );
            service.balancer.push(Key::implied("health", "[]"));
            return;
        };
        let timing = Timing::of(probe);
        let timeout_s = timing.timeout_s.min(timing.period_s);
        if by_nginx {
            let value = format!(
                "[{{ kind = \"checks\", probe = \"{}\", interval = {}, timeout = {}, fall = {}, rise = {} }}]",
                timing.probe(),
                seconds(timing.period_s),
                seconds(timeout_s),
                timing.fall,
                timing.rise
            );
            service
                .balancer
                .push(Key::said("health", value, &probe.place));
            return;
        }
        for (name, value) in [
            ("period", seconds(timing.period_s)),
            ("timeout", seconds(timeout_s)),
            ("failure_threshold", timing.fall.to_string()),
            ("success_threshold", timing.rise.to_string()),
        ] {
            service.params.push(Key::said(name, value, &probe.place));
        }
    }

    /// Workloads that no Service means: a system of them alone, or what gets no requests.
    fn unselected(&mut self, system: &mut System) {
        let services = self.of_kind("Service");
        for index in 0..self.workloads.len() {
            let workload = &self.workloads[index];
            let object = workload.object;
            let meant = services.iter().any(|service| {
                service
                    .spec(&["selector"])
                    .is_some_and(|selector| workload.is_selected(selector))
            });
            let name = object.name();
            let has_servers = system.services.iter().any(|s| {
                s.servers.iter().any(|server| {
                    server.place.file == object.place().file
                        && server.address.ends_with(&format!("of {name}"))
                })
            });
            if meant || has_servers {
                continue;
            }
            let what = format!("{} {name}", object.kind());
            if services.is_empty() {
                let why = "no Service is in these files: it is read as if there were one";
                system.remark(Kind::Read, object.place(), what, why);
                self.pool(&name, object.place(), &[index], None, system);
            } else {
                system.remark(
                    Kind::Read,
                    object.place(),
                    what,
                    "no Service means its pods: they get no requests, and are left out",
                );
            }
        }
    }
}

/// What a Service says beside its selector.
fn address(object: Object<'_>, service: &mut Service, system: &mut System) {
    if let Some(affinity) = object.spec(&["sessionAffinity"])
        && affinity.text().as_deref() == Some("ClientIP")
    {
        let why = "clients that stay at a pod: `policy = { kind = \"sticky\" }` of the balancer, with keys of the traffic";
        system.remark(
            Kind::Missing,
            &affinity.place,
            "sessionAffinity ClientIP",
            why,
        );
    }
    if object.spec(&["clusterIP"]).and_then(Node::text).as_deref() == Some("None") {
        let why = "clients of a headless Service choose among its addresses themselves: a draw is assumed";
        system.remark(
            Kind::Read,
            object.place_of(&["clusterIP"]),
            "clusterIP None",
            why,
        );
    }
    service.listens.push(object.name());
}

/// Servers that no file names.
fn unnamed(place: &Place) -> Server {
    Server {
        name: "pod".to_owned(),
        address: "not in these files".to_owned(),
        place: place.clone(),
        keys: vec![Key::assumed("count", 2)],
    }
}
