//! JSON Schema of scenarios, from the sections and the tables of extension rows.

use crate::experiment::sweep::PlanSpec;
use crate::extension::{ExtensionRow, ParamDef, ParamKind};
use crate::scenario::extensions::param_default;
use crate::scenario::section::{Form, KeyDef, Limits, Section, SectionDef, from};
use crate::scenario::sections::Top;
use crate::scenario::tree::{Node, Value as Written, default_value};
use crate::scenario::{ExtensionTable, plug_tables};
use serde_json::{Map, Value, json};

const SPAN: &str = r"^\s*(0|([0-9][0-9_]*(\.[0-9]*)?\s*(ns|us|µs|ms|s|m|h|d)\s*)+)$";
const CLOCK: &str = r"^\s*[0-9]{1,2}:[0-9]{1,2}(:[0-9]{1,2})?\s*$";

/// JSON Schema (2020-12) of scenarios: editors complete and check with it.
pub fn schema() -> Value {
    let mut defs = Map::new();
    for table in plug_tables() {
        defs.insert(table.name.to_owned(), extension_table(table));
    }
    let mut top = section(Top::def(), &mut defs);
    if let Some(object) = top.as_object_mut() {
        object.remove("required");
        object.insert(
            "anyOf".to_owned(),
            json!([{ "required": ["horizon", "traffic", "service"] }, { "required": ["base"] }]),
        );
        object.insert(
            "$schema".to_owned(),
            json!("https://json-schema.org/draft/2020-12/schema"),
        );
        object.insert("title".to_owned(), json!("Stampede scenario"));
        object.insert("$defs".to_owned(), Value::Object(defs));
    }
    top
}

/// JSON Schema (2020-12) of plans.
pub fn plan_schema() -> Value {
    let mut defs = Map::new();
    let mut top = section(PlanSpec::def(), &mut defs);
    if let Some(object) = top.as_object_mut() {
        object.insert(
            "$schema".to_owned(),
            json!("https://json-schema.org/draft/2020-12/schema"),
        );
        object.insert("title".to_owned(), json!("Stampede plan"));
        object.insert("$defs".to_owned(), Value::Object(defs));
    }
    top
}

fn section(def: &'static SectionDef, defs: &mut Map<String, Value>) -> Value {
    let mut properties = Map::new();
    let mut required = Vec::new();
    for key in def.keys {
        properties.insert(key.name.to_owned(), key_schema(key, defs));
        if key.default.is_none() {
            required.push(json!(key.name));
        }
    }
    let mut object = json!({ "type": "object", "description": def.about.trim(), "properties": properties, "additionalProperties": false });
    if !required.is_empty() {
        object["required"] = Value::Array(required);
    }
    object
}

/// A reference to a section, which is defined on its first use.
fn reference(def: &'static SectionDef, defs: &mut Map<String, Value>) -> Value {
    if !defs.contains_key(def.name) {
        // Marked before it is built, so that a section within itself would not go on for ever.
        defs.insert(def.name.to_owned(), Value::Null);
        let built = section(def, defs);
        defs.insert(def.name.to_owned(), built);
    }
    json!({ "$ref": format!("#/$defs/{}", def.name) })
}

fn key_schema(key: &KeyDef, defs: &mut Map<String, Value>) -> Value {
    let mut schema = form_schema(&(key.form)(), &key.limits, defs);
    if let Some(object) = schema.as_object_mut() {
        let unit = if key.unit.is_empty() {
            String::new()
        } else {
            format!(" Unit: {}.", key.unit)
        };
        object.insert(
            "description".to_owned(),
            json!(format!("{}{unit}", key.about.trim())),
        );
        if let Some(default) = key.default {
            object.insert("default".to_owned(), written(&default_value(default)));
        }
    }
    schema
}

/// A server copied from another by `like` needs no keys of its own, which a schema cannot know.
fn relaxed(mut schema: Value, def: &SectionDef) -> Value {
    if def.keys.iter().any(|k| k.name == "like")
        && let Some(object) = schema.as_object_mut()
    {
        object.remove("required");
    }
    schema
}

fn form_schema(form: &Form, limits: &Limits, defs: &mut Map<String, Value>) -> Value {
    match form {
        Form::Text => json!({ "type": "string" }),
        Form::Name => json!({ "type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9_-]{0,99}$" }),
        Form::Names => {
            let name = form_schema(&Form::Name, limits, defs);
            json!({ "anyOf": [name.clone(), { "type": "array", "minItems": 1, "items": name }] })
        }
        Form::Paths => json!({ "type": "array", "items": { "type": "string" } }),
        Form::Count => bounds(json!({ "type": "integer" }), limits),
        Form::Number => bounds(json!({ "type": "number" }), limits),
        Form::Ratio => {
            json!({ "anyOf": [bounds(json!({ "type": "number" }), limits), { "type": "string", "pattern": r"^\s*[0-9.]+\s*%\s*$" }] })
        }
        Form::Span => json!({ "anyOf": [{ "type": "string", "pattern": SPAN }, { "const": 0 }] }),
        Form::Moment => {
            json!({ "anyOf": [{ "type": "string", "pattern": SPAN }, { "type": "string", "pattern": CLOCK }, { "const": 0 }] })
        }
        Form::Clock => json!({ "type": "string", "pattern": CLOCK }),
        Form::Size => {
            json!({ "anyOf": [{ "type": "number", "minimum": 0 }, { "type": "string", "pattern": r"^\s*[0-9.]+\s*([kMGT]?B|[KMGT]iB)\s*$" }] })
        }
        Form::Flag => json!({ "type": "boolean" }),
        Form::Word(words) => {
            let words: Vec<Value> = words
                .iter()
                .map(|(word, about)| json!({ "const": word, "description": about }))
                .collect();
            json!({ "oneOf": words })
        }
        Form::Extension(table) => json!({ "$ref": format!("#/$defs/{}", table.name) }),
        Form::Extensions(table) => {
            json!({ "type": "array", "items": { "$ref": format!("#/$defs/{}", table.name) } })
        }
        Form::Rate => {
            let corner = json!({ "type": "array", "minItems": 2, "maxItems": 2 });
            json!({ "anyOf": [{ "type": "number", "minimum": 0 }, { "type": "array", "minItems": 1, "items": corner }, { "$ref": "#/$defs/profiles" }] })
        }
        Form::Threshold => json!({ "type": ["number", "string"] }),
        Form::Table(def) | Form::Override(def) => reference(def, defs),
        Form::Tables(def) => {
            let items = reference(def, defs);
            if let Some(item) = defs.get_mut(def.name) {
                *item = relaxed(item.take(), def);
            }
            json!({ "type": "array", "items": items })
        }
        Form::Named(def) => {
            json!({ "type": "object", "additionalProperties": reference(def, defs) })
        }
        Form::Sets => json!({ "type": "object" }),
        Form::Any(_) => json!({}),
        Form::Optional(inner) => {
            json!({ "anyOf": [{ "const": "none" }, form_schema(inner, limits, defs)] })
        }
    }
}

fn bounds(mut schema: Value, limits: &Limits) -> Value {
    schema[if limits.above_min {
        "exclusiveMinimum"
    } else {
        "minimum"
    }] = number(limits.min);
    if limits.max < 1e18 {
        schema["maximum"] = number(limits.max);
    }
    schema
}

/// Whole bounds are written as whole numbers.
fn number(value: f64) -> Value {
    if value.fract() == 0.0 && value.abs() < 1e15 {
        json!(value as i64)
    } else {
        json!(value)
    }
}

fn extension_table(table: ExtensionTable) -> Value {
    let rows = (table.rows)();
    let mut forms = Vec::new();
    for row in &rows {
        if row.params.iter().all(|p| p.default.is_some()) {
            forms.push(json!({ "const": row.name, "description": row.about }));
        }
    }
    if table.bare_span {
        forms.push(
            json!({ "type": "string", "pattern": SPAN, "description": "Always the same time." }),
        );
        forms.push(json!({ "const": 0 }));
    }
    forms.extend(rows.iter().map(|row| extension_schema(row)));
    json!({ "anyOf": forms, "description": format!("A {}: its name, or a table with `kind` and parameters.", table.noun) })
}

fn extension_schema(row: &ExtensionRow) -> Value {
    let mut properties = Map::new();
    properties.insert("kind".to_owned(), json!({ "const": row.name }));
    let mut required = vec![json!("kind")];
    for param in row.params {
        properties.insert(param.name.to_owned(), param_schema(param));
        let in_file = match param.kind {
            ParamKind::Moments { file } => Some((file, "A text with one time a line, in seconds")),
            ParamKind::Code { file, .. } => Some((file, "A text")),
            _ => None,
        };
        if let Some((file, what)) = in_file {
            let about = format!("{what}, in place of `{}`.", param.name);
            properties.insert(
                file.to_owned(),
                json!({ "type": "string", "description": about }),
            );
        } else if param.default.is_none() {
            required.push(json!(param.name));
        }
    }
    json!({ "type": "object", "description": row.about, "properties": properties, "required": required, "additionalProperties": false })
}

fn param_schema(param: &ParamDef) -> Value {
    let range = |min: f64, max: f64| bounds(json!({ "type": "number" }), &from(min, max));
    let span = json!({ "anyOf": [{ "type": "string", "pattern": SPAN }, { "const": 0 }] });
    let mut schema = match param.kind {
        ParamKind::Number { min, max, unit: "" } => {
            json!({ "anyOf": [range(min, max), { "type": "string", "pattern": "%" }] })
        }
        ParamKind::Number { min, max, .. } => range(min, max),
        ParamKind::Integer { min, max, .. } => {
            bounds(json!({ "type": "integer" }), &from(min as f64, max as f64))
        }
        ParamKind::Span { .. } => span,
        ParamKind::Choice(words) => json!({ "enum": words }),
        ParamKind::Words(words) => {
            json!({ "type": "array", "items": { "enum": words }, "uniqueItems": true })
        }
        ParamKind::Flag => json!({ "type": "boolean" }),
        ParamKind::Distribution => json!({ "$ref": "#/$defs/distributions" }),
        ParamKind::Distributions => {
            json!({ "type": "array", "items": { "$ref": "#/$defs/distributions" } })
        }
        ParamKind::Spans | ParamKind::Moments { .. } => json!({ "type": "array", "items": span }),
        ParamKind::Code { .. } => json!({ "type": "string" }),
        ParamKind::Numbers { min, max } => json!({ "type": "array", "items": range(min, max) }),
    };
    schema["description"] = json!(param.about);
    if let Some(default) = param.default {
        schema["default"] = written(&param_default(param, default));
    }
    schema
}

fn written(node: &Node) -> Value {
    match &node.value {
        Written::Text(text) => json!(text),
        Written::Integer(i) => i64::try_from(*i).map_or_else(|_| json!(*i as f64), |i| json!(i)),
        Written::Float(f) => json!(f),
        Written::Flag(flag) => json!(flag),
        Written::List(items) => Value::Array(items.iter().map(written).collect()),
        Written::Moments(times) => times.iter().map(|time| json!(time.to_string())).collect(),
        Written::Table(entries) => Value::Object(
            entries
                .iter()
                .map(|e| (e.key.clone(), written(&e.node)))
                .collect(),
        ),
    }
}
