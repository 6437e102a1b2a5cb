//! A plan written out again, with its scenario and every value of its axes.

use super::plan::{Plan, path_text};
use crate::scenario::canonical::{fingerprint, quoted, value_text};
use std::fmt::Write as _;

/// What plans of this form begin with.
const HEAD: &str = "# A plan with everything it needs, as `stampede sweep --bundle` writes it.\n";

impl Plan {
    /// The plan with everything it needs, in one fixed form: what travels to other machines.
    pub fn to_toml(&self) -> String {
        plan_text(self)
    }

    /// Identifies the plan: scenario, cells in their order, measures, replications and confidence.
    pub fn hash(&self) -> u64 {
        fingerprint(&body_text(self))
    }
}

/// The whole.
fn plan_text(plan: &Plan) -> String {
    let mut out = String::from(HEAD);
    // Writing to a `String` cannot fail.
    if !plan.title.is_empty() {
        let _ = writeln!(out, "title = {}", quoted(&plan.title));
    }
    let _ = writeln!(out, "name = {}", quoted(&plan.name));
    out.push_str(&body_text(plan));
    out
}

/// What is simulated and measured, without names.
fn body_text(plan: &Plan) -> String {
    let mut out = settings_text(plan);
    for axis in &plan.axes {
        out.push_str("\n[[axis]]\n");
        let part = |c: usize| {
            let column = &axis.columns[c];
            let values: Vec<String> = axis
                .points
                .iter()
                .map(|point| value_text(&point[c]))
                .collect();
            let path = path_text(&column.path);
            let mut lines = vec![format!("path = {}", quoted(&path))];
            if column.name != path {
                lines.push(format!("name = {}", quoted(&column.name)));
            }
            if column.log {
                lines.push("spacing = \"log\"".to_owned());
            }
            lines.push(format!("values = [{}]", values.join(", ")));
            lines
        };
        if axis.columns.len() == 1 {
            for line in part(0) {
                let _ = writeln!(out, "{line}");
            }
        } else {
            if axis.sobol {
                out.push_str("design = \"sobol\"\n");
            }
            out.push_str("zip = [\n");
            for c in 0..axis.columns.len() {
                let _ = writeln!(out, "  {{ {} }},", part(c).join(", "));
            }
            out.push_str("]\n");
        }
    }
    out.push('\n');
    out.push_str(&plan.scenario.to_toml_below("scenario"));
    out
}

/// What every cell has in common: the beginning of its identity.
pub(super) fn common_text(plan: &Plan) -> String {
    format!("{:016x}\n{}", plan.scenario_hash, settings_text(plan))
}

fn settings_text(plan: &Plan) -> String {
    let measures: Vec<String> = plan.measures.iter().map(|m| quoted(m.path())).collect();
    let precision = plan.precision.map_or(String::new(), |precision| {
        format!(
            "precision = {:?}\nmax_replications = {}\n",
            precision.relative, precision.max_replications
        )
    });
    format!(
        "replications = {}\n{precision}confidence = {:?}\nmeasures = [{}]\n",
        plan.replications,
        plan.confidence,
        measures.join(", ")
    )
}
