//! Findings as SARIF 2.1.0 (OASIS Standard, 2020), for tools that annotate code.

use serde_json::{Value, json};
use sim_core::doctor::{Finding, Places, RULES};

/// The log of a run.
pub(super) fn log(findings: &[&Finding], places: &Places) -> Value {
    let rules: Vec<Value> = RULES
        .iter()
        .map(|rule| json!({ "id": rule.id, "shortDescription": { "text": rule.about }, "help": { "text": format!("source: {}", rule.source) } }))
        .collect();
    let result = |finding: &&Finding| {
        let place = places.of_path(&finding.doubt.path);
        let text = format!("{}; {}", finding.doubt.says, finding.words().join("; "));
        let location = place.map(|place| {
            json!({ "physicalLocation": {
                "artifactLocation": { "uri": place.file.as_ref() },
                "region": { "startLine": place.line },
            } })
        });
        json!({
            "ruleId": finding.rule.id,
            "level": if finding.matters() { "warning" } else { "note" },
            "message": { "text": text },
            "locations": location.into_iter().collect::<Vec<_>>(),
        })
    };
    let results: Vec<Value> = findings.iter().map(result).collect();
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": { "name": "stampede", "version": env!("CARGO_PKG_VERSION"), "rules": rules } },
            "results": results,
        }],
    })
}
