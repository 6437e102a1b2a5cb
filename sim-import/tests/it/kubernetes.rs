//! Manifests of Kubernetes, and Istio's rules.

use crate::world::{World, format_of, import, try_import};
use sim_core::time::Instant;
use sim_import::settings::Kind;

const SHOP: &str = include_str!("testdata/shop.yaml");
const MESH: &str = include_str!("testdata/mesh.yaml");

#[test]
fn an_ingress_a_service_a_deployment_and_their_autoscaler() {
    let shop = import("shop.yaml", SHOP);
    assert_eq!(shop.model.services.len(), 2, "{}", shop.imported.scenario);
    let pods: Vec<_> = shop
        .model
        .servers
        .iter()
        .filter(|s| s.name.starts_with("front"))
        .map(|s| s.present)
        .collect();
    assert_eq!(pods.iter().filter(|present| **present).count(), 4);
    assert_eq!(pods.len(), 12);
    // 60 % of 300m, of 1.5 processors.
    shop.says("[service.front]", "autoscaler = { kind = \"kubernetes-hpa\", min = 3, max = 12, target = 0.12, up_window = \"30s\", up_pods = 2, up_pods_period = \"20s\", up_percent = 0 }");
    shop.says("[service.front.balancer]", "health = [{ kind = \"checks\", probe = \"request\", interval = \"4s\", timeout = \"2s\", fall = 2, rise = 1 }]");
    shop.says("[service.front.balancer.dialect]", "kind = \"nginx\"");
    shop.says(
        "[service.front.balancer.dialect]",
        "proxy_read_timeout = \"45s\"",
    );
    shop.says("[service.front.balancer.dialect]", "max_fails = 0");
    let scenario = &shop.imported.scenario;
    assert!(scenario.contains("{ kind = \"limit-req\", rate = 50, burst = 250, nodelay = true, by = \"key\", shared = true }"), "{scenario}");
    shop.says(
        "[[service.front.server]]",
        "liveness = { probe = \"connect\", interval = \"20s\", timeout = \"1s\", fall = 5 }",
    );
    shop.says("[[service.front.server]]", "restart = \"crash-loop\"");
    // Asked for from within, without a probe.
    shop.says("[service.stock.balancer.dialect]", "kind = \"kube-proxy\"");
    shop.says("[service.stock.balancer]", "health = []");
    shop.remarks(Kind::Read, 7, "sets the number of pods back");
    shop.remarks(Kind::Read, 8, "max_surge = 2, max_unavailable = 1");
    shop.remarks(Kind::Missing, 19, "512MiB");
    shop.remarks(Kind::Missing, 59, "a metric of type Resource");
    shop.remarks(Kind::Missing, 101, "PodDisruptionBudget");
    shop.remarks(Kind::Unknown, 106, "Widget");
    shop.remarks(Kind::Missing, 83, "affinity: cookie");
    shop.remarks(Kind::Missing, 98, "it is not in these files");
}

#[test]
fn a_rule_splits_requests_among_subsets() {
    let mesh = import("mesh.yaml", MESH);
    let names: Vec<_> = mesh
        .model
        .services
        .iter()
        .map(|s| s.name.as_str())
        .collect();
    assert_eq!(names, ["pay-old", "pay-new"]);
    let rates: Vec<f64> = mesh
        .model
        .sources
        .iter()
        .map(|s| s.rate.at(Instant(0)))
        .collect();
    assert!((rates[0] / rates[1] - 4.0).abs() < 0.1, "{rates:?}");
    let old = "[service.pay-old.balancer.dialect]";
    for line in [
        "lb_policy = \"LEAST_REQUEST\"",
        "max_connections = 30",
        "consecutive_5xx = 4",
        "healthy_panic_threshold = 0",
        "timeout = \"0s\"",
        "num_retries = 2",
        "retry_on = [\"connect-failure\"]",
    ] {
        mesh.says(old, line);
    }
    mesh.says(
        "[service.pay-new.balancer.dialect]",
        "lb_policy = \"RING_HASH\"",
    );
    // What subsets serve is as many pods as their labels find.
    assert_eq!(mesh.model.servers.len(), 3);
}

#[test]
fn what_is_not_rendered_is_said() {
    let text = "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: {{ .Values.name }}\n";
    let world = World(vec![("chart.yaml", text)]);
    let problem = try_import(&world, &[]).expect_err("a template");
    assert!(
        problem.why.contains("has not been rendered"),
        "{}",
        problem.why
    );
    assert_eq!(problem.place.map(|place| place.line), Some(4));
    assert_eq!(format_of("a", "kind: x\n"), None);
}

#[test]
fn lists_pods_alone_and_the_first_version() {
    let text = "apiVersion: v1\nkind: List\nitems:\n- apiVersion: apps/v1\n  kind: Deployment\n  metadata: { name: a }\n  spec: { replicas: 2, template: { metadata: { labels: { app: a } }, spec: { containers: [ { name: a, resources: { requests: { cpu: 100m } } } ] } } }\n- apiVersion: autoscaling/v1\n  kind: HorizontalPodAutoscaler\n  metadata: { name: a }\n  spec: { scaleTargetRef: { kind: Deployment, name: a }, maxReplicas: 5, targetCPUUtilizationPercentage: 55 }\n";
    let read = import("list.yaml", text);
    read.says(
        "[service.a]",
        "autoscaler = { kind = \"kubernetes-hpa\", min = 1, max = 5, target = 0.55 }",
    );
    read.remarks(Kind::Read, 4, "as if there were one");
}
