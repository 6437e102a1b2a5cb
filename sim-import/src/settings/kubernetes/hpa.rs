//! Horizontal pod autoscalers.

use super::objects::{Object, seconds};
use super::workload::Workload;
use crate::settings::system::{Key, Kind, Place, System};
use crate::settings::yaml::Node;
use std::fmt::Write;

/// The most replicas an autoscaler may ask for.
pub(super) fn most(object: Object<'_>) -> Option<(u64, Place)> {
    let most = object.node.get("spec")?.count("maxReplicas")?;
    Some((most, object.place_of(&["maxReplicas"]).clone()))
}

/// Whether it scales a workload.
pub(super) fn scales(object: Object<'_>, workload: &Workload<'_>) -> bool {
    let target = object.spec(&["scaleTargetRef"]);
    let of = |name: &str| target.and_then(|target| target.word(name));
    object.kind() == "HorizontalPodAutoscaler"
        && of("name").as_deref() == Some(&workload.object.name())
        && of("kind").is_none_or(|kind| kind == workload.object.kind())
}

/// The key `autoscaler` of the service.
pub(super) fn autoscaler(
    object: Object<'_>,
    workload: &Workload<'_>,
    system: &mut System,
) -> Option<Key> {
    let spec = object.node.get("spec")?;
    let (most, _) = most(object)?;
    let metric = metric(object, workload, system)?;
    let mut value = format!(
        "{{ kind = \"kubernetes-hpa\", min = {}, max = {most}, {metric}",
        spec.count("minReplicas").unwrap_or(1).max(1),
    );
    for (direction, prefix) in [("scaleUp", "up"), ("scaleDown", "down")] {
        if let Some(rules) = spec.at(&["behavior", direction]) {
            behaviour(rules, prefix, &mut value, system);
        }
    }
    if workload.object.spec(&["replicas"]).is_some() {
        let why = "each time the manifest is applied it sets the number of pods back, whatever the autoscaler made of it";
        system.remark(
            Kind::Read,
            workload.object.place_of(&["replicas"]),
            "replicas beside an autoscaler",
            why,
        );
    }
    Some(Key::said("autoscaler", value + " }", object.place()))
}

/// Metric and target, of the first metric that can be simulated.
fn metric(object: Object<'_>, workload: &Workload<'_>, system: &mut System) -> Option<String> {
    // Version 1 has processors only.
    if let Some(target) = object.spec(&["targetCPUUtilizationPercentage"]) {
        return Some(utilisation(target, workload, system));
    }
    let mut found = None;
    for metric in object
        .spec(&["metrics"])
        .map(Node::items)
        .unwrap_or_default()
    {
        let kind = metric.word("type").unwrap_or_default();
        let read = match kind.as_str() {
            "Resource" | "ContainerResource" => {
                let resource = metric
                    .get("resource")
                    .or_else(|| metric.get("containerResource"))?;
                let target = resource
                    .at(&["target", "averageUtilization"])
                    .or_else(|| resource.get("targetAverageUtilization"));
                match (resource.word("name").as_deref(), target) {
                    (Some("cpu"), Some(target)) => Some(utilisation(target, workload, system)),
                    _ => None,
                }
            }
            "Pods" => requests(metric),
            _ => None,
        };
        match (read, &found) {
            (Some(read), None) => found = Some(read),
            (Some(_), Some(_)) => {
                let why = "of several metrics the one that asks for the most counts; the first is simulated";
                system.remark(
                    Kind::Missing,
                    &metric.place,
                    format!("a further metric, {kind}"),
                    why,
                );
            }
            (None, _) => {
                let why = "what it measures does not occur here";
                system.remark(
                    Kind::Missing,
                    &metric.place,
                    format!("a metric of type {kind}"),
                    why,
                );
            }
        }
    }
    if found.is_none() {
        let why = "none of its metrics can be simulated: the number of pods stays";
        system.remark(
            Kind::Missing,
            object.place(),
            "HorizontalPodAutoscaler",
            why,
        );
    }
    found
}

/// Requests per second and pod, where the metric's name says that.
fn requests(metric: &Node) -> Option<String> {
    let name = metric
        .at(&["pods", "metric", "name"])
        .or_else(|| metric.at(&["pods", "metricName"]));
    let name = name.and_then(Node::text)?;
    let target = metric
        .at(&["pods", "target", "averageValue"])
        .or_else(|| metric.at(&["pods", "targetAverageValue"]))?;
    let text = target.text()?;
    let value = match text.strip_suffix('m') {
        Some(thousandths) => thousandths.parse::<f64>().ok()? / 1000.0,
        None => text.parse().ok()?,
    };
    name.contains("request")
        .then(|| format!("metric = \"requests\", target = {value}"))
}

/// A target in per cent of what pods ask for, as a share of what they can do.
fn utilisation(target: &Node, workload: &Workload<'_>, system: &mut System) -> String {
    let percent = target.as_number().unwrap_or(80.0);
    let share = workload.asked_share();
    let of_all = (percent / 100.0 * share.unwrap_or(1.0)).clamp(0.01, 1e6);
    let why = match share {
        Some(share) => format!("of the processors a pod asks for, which are {:.0} % of its limit: {:.4} of its workers busy", share * 100.0, of_all),
        None => "of the processors a pod asks for; without a limit (or a request) these are taken for all that it has".to_owned(),
    };
    system.remark(
        Kind::Read,
        &target.place,
        format!("a target of {percent} %"),
        why,
    );
    format!("target = {}", (of_all * 1e4).round() / 1e4)
}

fn behaviour(rules: &Node, prefix: &str, value: &mut String, system: &mut System) {
    if let Some(window) = rules.number("stabilizationWindowSeconds") {
        let _ = write!(value, ", {prefix}_window = {}", seconds(window));
    }
    if let Some(select) = rules.word("selectPolicy") {
        let _ = write!(
            value,
            ", {prefix}_select = \"{}\"",
            select.to_ascii_lowercase()
        );
    }
    let Some(policies) = rules.get("policies") else {
        return;
    };
    // What is written replaces the defaults, both of them.
    let mut limits = [None, None];
    for policy in policies.items() {
        let (Some(kind), Some(most)) = (policy.word("type"), policy.number("value")) else {
            continue;
        };
        let place = usize::from(kind == "Percent");
        let period = policy.number("periodSeconds").unwrap_or(15.0);
        if limits[place].is_some() {
            system.remark(
                Kind::Missing,
                &policy.place,
                format!("a further policy of type {kind}"),
                "the first counts",
            );
        } else {
            limits[place] = Some((most, period));
        }
    }
    for (name, limit) in ["pods", "percent"].into_iter().zip(limits) {
        match limit {
            Some((most, period)) => {
                let _ = write!(
                    value,
                    ", {prefix}_{name} = {most}, {prefix}_{name}_period = {}",
                    seconds(period)
                );
            }
            None => {
                let _ = write!(value, ", {prefix}_{name} = 0");
            }
        }
    }
}
