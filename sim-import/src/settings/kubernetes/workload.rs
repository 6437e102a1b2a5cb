//! Workloads: Deployments and the like, as servers.

use super::objects::{Object, cores, memory, part_of, seconds, selects};
use crate::names::name_of;
use crate::settings::system::{Key, Kind, Place, Server, System};
use crate::settings::yaml::Node;

/// Kinds that run pods which may serve.
pub(super) const WORKLOADS: &[&str] = &[
    "Deployment",
    "StatefulSet",
    "DaemonSet",
    "ReplicaSet",
    "ReplicationController",
    "Rollout",
    "DeploymentConfig",
    "Pod",
];

/// A workload with what selects its pods.
pub(super) struct Workload<'n> {
    pub object: Object<'n>,
    /// The pods' specification.
    pub pod: &'n Node,
    pub labels: Option<&'n Node>,
    /// How many there are from the start.
    pub replicas: u64,
}

/// Reads a workload; `None` for what runs no pods.
pub(super) fn workload(object: Object<'_>) -> Option<Workload<'_>> {
    let kind = object.kind();
    if !WORKLOADS.contains(&kind.as_str()) {
        return None;
    }
    let template = object.spec(&["template"]);
    let (pod, labels) = match template {
        Some(template) => (template.get("spec")?, template.at(&["metadata", "labels"])),
        None => (
            object.node.get("spec")?,
            object.node.at(&["metadata", "labels"]),
        ),
    };
    let replicas = object
        .node
        .get("spec")
        .and_then(|spec| spec.count("replicas"));
    Some(Workload {
        object,
        pod,
        labels,
        replicas: replicas.unwrap_or(1),
    })
}

impl<'n> Workload<'n> {
    /// Whether a selector means its pods.
    pub(super) fn is_selected(&self, selector: &Node) -> bool {
        selects(selector, self.labels)
    }

    /// The container that serves: the first with ports, or the first at all.
    pub(super) fn container(&self) -> Option<&'n Node> {
        let all = self
            .pod
            .get("containers")
            .map(Node::items)
            .unwrap_or_default();
        let serves = all
            .iter()
            .find(|container| container.get("ports").is_some());
        serves.or(all.first())
    }

    /// What its container may use, or asks for: `limits` or `requests`, `cpu` or `memory`.
    pub(super) fn resource(&self, kind: &str, what: &str) -> Option<&'n Node> {
        self.container()?.at(&["resources", kind, what])
    }

    /// The share of what a pod can do that it asks for; 1 where nothing limits it.
    pub(super) fn asked_share(&self) -> Option<f64> {
        let of = |kind| {
            self.resource(kind, "cpu")
                .and_then(Node::text)
                .as_deref()
                .and_then(cores)
        };
        Some(of("requests")? / of("limits")?)
    }

    /// The probe of a kind, such as `readinessProbe`.
    pub(super) fn probe(&self, kind: &str) -> Option<&'n Node> {
        self.container()?.get(kind)
    }

    /// Its servers: those that are there, and those that an autoscaler may add up to `most`.
    pub(super) fn servers(&self, most: Option<(u64, Place)>, system: &mut System) -> Vec<Server> {
        let place = self.object.place_of(&["replicas"]);
        let mut keys = Vec::new();
        self.liveness(&mut keys, system);
        self.start(&mut keys, system);
        self.limits(system);
        self.changes(system);
        let name = name_of(&self.object.name(), "pod");
        let server = |name: String, count: u64, place: &Place, extra: Vec<Key>| Server {
            name,
            address: format!("{} of {}", plural(count), self.object.name()),
            place: place.clone(),
            keys: [vec![Key::said("count", count, place)], keys.clone(), extra].concat(),
        };
        let mut servers = Vec::new();
        if self.replicas > 0 {
            servers.push(server(name.clone(), self.replicas, place, Vec::new()));
        }
        if let Some((most, place)) = most
            && most > self.replicas
        {
            let absent = vec![Key::said("present", "false", &place)];
            servers.push(server(
                format!("{name}-spare"),
                most - self.replicas,
                &place,
                absent,
            ));
        }
        servers
    }

    fn liveness(&self, keys: &mut Vec<Key>, system: &mut System) {
        let Some(probe) = self.probe("livenessProbe") else {
            return;
        };
        let timing = Timing::of(probe);
        let value = format!(
            "{{ probe = \"{}\", interval = {}, timeout = {}, fall = {} }}",
            timing.probe(),
            seconds(timing.period_s),
            seconds(timing.timeout_s.min(timing.period_s)),
            timing.fall
        );
        keys.push(Key::said("liveness", value, &probe.place));
        keys.push(Key::implied("restart", "\"crash-loop\""));
        let startup = self.probe("startupProbe").is_some();
        if let Some(delay) = probe.get("initialDelaySeconds").filter(|_| !startup) {
            let why =
                "a server is probed from the moment it is up here; its time to start is `boot`";
            system.remark(
                Kind::Read,
                &delay.place,
                "livenessProbe.initialDelaySeconds",
                why,
            );
        }
    }

    fn start(&self, keys: &mut Vec<Key>, system: &mut System) {
        if let Some(probe) = self.probe("startupProbe") {
            let timing = Timing::of(probe);
            let delay = probe.number("initialDelaySeconds").unwrap_or(0.0);
            let most = delay + timing.period_s * timing.fall as f64;
            let why = format!(
                "a pod that is not up after {most} s is killed; how long it takes is `boot`, which is assumed"
            );
            system.remark(Kind::Read, &probe.place, "startupProbe", why);
        }
        keys.push(Key::assumed("boot", "\"10s\""));
    }

    fn limits(&self, system: &mut System) {
        if let Some(limit) = self.resource("limits", "cpu") {
            let what = format!("limits.cpu {}", limit.text().unwrap_or_default());
            let why = "how much of a request is computing is in no manifest: `workers` and `demand` stand for it";
            system.remark(Kind::Read, &limit.place, what, why);
        }
        if let Some(limit) = self.resource("limits", "memory") {
            let text = limit.text().unwrap_or_default();
            let why = match memory(&text) {
                Some(size) => format!(
                    "how much a request takes is in no manifest; with it, the server's `memory = {{ per_in_service = …, limit = \"{size}\" }}` and a crash rule say what happens"
                ),
                None => "it is no quantity of memory".to_owned(),
            };
            system.remark(
                Kind::Missing,
                &limit.place,
                format!("limits.memory {text}"),
                why,
            );
        }
    }

    /// How it is deployed and drained: that happens when somebody does it.
    fn changes(&self, system: &mut System) {
        if let Some(rolling) = self.object.spec(&["strategy", "rollingUpdate"]) {
            let of = |name: &str| rolling.word(name).unwrap_or_else(|| "25%".to_owned());
            let surge = part_of(&of("maxSurge"), self.replicas, true);
            let out = part_of(&of("maxUnavailable"), self.replicas, false);
            if let (Some(surge), Some(out)) = (surge, out) {
                let why = format!(
                    "a deployment is an entry of the time line: do = \"deploy\", max_surge = {surge}, max_unavailable = {out}"
                );
                system.remark(Kind::Read, &rolling.place, "strategy", why);
            }
        }
        for (path, why) in [
            (
                &["terminationGracePeriodSeconds"][..],
                "a server that leaves finishes what it has, however long that takes",
            ),
            (&["topologySpreadConstraints"], "which node a pod is on"),
            (&["affinity"], "which node a pod is on"),
            (&["nodeSelector"], "which node a pod is on"),
        ] {
            if let Some(found) = self.pod.at(path) {
                system.remark(Kind::Missing, &found.place, path.join("."), why);
            }
        }
        if let Some(stop) = self
            .container()
            .and_then(|c| c.at(&["lifecycle", "preStop"]))
        {
            let why =
                "a server that leaves gets nothing from the moment on, so that it need not wait";
            system.remark(Kind::Missing, &stop.place, "lifecycle.preStop", why);
        }
    }
}

fn plural(count: u64) -> String {
    if count == 1 {
        "a pod".to_owned()
    } else {
        format!("{count} pods")
    }
}

/// The timing of a probe, with the program's defaults.
pub(super) struct Timing<'n> {
    node: &'n Node,
    pub period_s: f64,
    pub timeout_s: f64,
    pub fall: u64,
    pub rise: u64,
}

impl<'n> Timing<'n> {
    pub(super) fn of(node: &'n Node) -> Self {
        let seconds =
            |name: &str, default: f64| node.number(name).filter(|s| *s >= 1.0).unwrap_or(default);
        let count =
            |name: &str, default: u64| node.count(name).filter(|n| *n > 0).unwrap_or(default);
        Self {
            node,
            period_s: seconds("periodSeconds", 10.0),
            timeout_s: seconds("timeoutSeconds", 1.0),
            fall: count("failureThreshold", 3),
            rise: count("successThreshold", 1),
        }
    }

    /// What it does: only a connection, or a request.
    pub(super) fn probe(&self) -> &'static str {
        if self.node.get("tcpSocket").is_some() {
            "connect"
        } else {
            "request"
        }
    }
}
