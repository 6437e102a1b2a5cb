//! A plan from arguments, as the text that could have been written.

use crate::args::SweepArgs;
use crate::exit::{Exit, Failure};
use std::fmt::Write as _;
use std::path::Path;

/// The plan that the arguments describe.
pub(super) fn plan_text(args: &SweepArgs) -> Result<String, Failure> {
    let scenario = args.scenario.as_deref().unwrap_or_default();
    if scenario == "-" {
        return Err(Failure::new(
            Exit::Usage,
            "a scenario from standard input cannot be varied by arguments",
        )
        .help("write a plan with a table [scenario], and pass that: stampede sweep -"));
    }
    if let Some((path, _)) = args
        .sets
        .iter()
        .find(|(path, _)| args.vary.iter().any(|(varied, _)| varied == path))
    {
        let message = format!("{path} is both set and varied");
        return Err(Failure::new(Exit::Usage, message).help("leave out one of --set and --vary"));
    }
    // Writing to a `String` cannot fail.
    let mut text = format!("scenario = {}\n", quoted(scenario));
    // Called as the scenario is, where that can be a name.
    let name = Path::new(scenario).file_stem().unwrap_or_default();
    let name = name
        .to_string_lossy()
        .replace(|c: char| !c.is_ascii_alphanumeric(), "-");
    let name = name.trim_start_matches('-');
    if !name.is_empty() && name.len() <= 100 {
        let _ = writeln!(text, "name = {}", quoted(name));
    }
    if let Some(replications) = args.replications {
        let _ = writeln!(text, "replications = {replications}");
    }
    if let Some(seed) = args.seed {
        let _ = writeln!(text, "seed = {seed}");
    }
    if !args.measure.is_empty() {
        let measures: Vec<String> = args.measure.iter().map(|path| quoted(path)).collect();
        let _ = writeln!(text, "measures = [{}]", measures.join(", "));
    }
    if !args.sets.is_empty() {
        text.push_str("\n[set]\n");
        for (path, value) in &args.sets {
            let _ = writeln!(text, "{} = {}", quoted(path), value_text(value));
        }
    }
    for (path, values) in &args.vary {
        let _ = writeln!(
            text,
            "\n[[axis]]\npath = {}\n{}",
            quoted(path),
            axis_text(values)?
        );
    }
    Ok(text)
}

/// The values of an axis: a range, or a list.
fn axis_text(values: &str) -> Result<String, Failure> {
    let Some((from, rest)) = values.split_once("..") else {
        let values: Vec<String> = split(values).into_iter().map(value_text).collect();
        return Ok(format!("values = [{}]", values.join(", ")));
    };
    let parts = rest.split_once('/').and_then(|(to, count)| {
        let (count, spacing) = match count.trim().split_once(' ') {
            Some((count, "log")) => (count, "\nspacing = \"log\""),
            Some(_) => return None,
            None => (count.trim(), ""),
        };
        count.parse::<u64>().ok().map(|count| (to, count, spacing))
    });
    let Some((to, count, spacing)) = parts else {
        return Err(Failure::new(Exit::Usage, format!("{values:?} is no range"))
            .help("FROM..TO/COUNT, such as 100..900/9, or \"1..1000/7 log\" for equal ratios"));
    };
    Ok(format!(
        "from = {}\nto = {}\ncount = {count}{spacing}",
        value_text(from),
        value_text(to)
    ))
}

/// The parts between commas that stand in no bracket and no quotation.
fn split(text: &str) -> Vec<&str> {
    let (mut depth, mut quote, mut start) = (0_i32, false, 0);
    let mut parts = Vec::new();
    for (at, c) in text.char_indices() {
        match c {
            '"' => quote = !quote,
            '[' | '{' if !quote => depth += 1,
            ']' | '}' if !quote => depth -= 1,
            ',' if !quote && depth == 0 => {
                parts.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts
}

/// A value in TOML: what is a number, a flag, a list, a table or a quotation stays so, everything
/// else is a text.
fn value_text(value: &str) -> String {
    let value = value.trim();
    let plain = value.parse::<i128>().is_ok()
        || value.parse::<f64>().is_ok_and(f64::is_finite)
            && !value.ends_with('.')
            && !value.starts_with('.')
        || ["true", "false"].contains(&value)
        || value.starts_with(['[', '{', '"']);
    if plain {
        value.to_owned()
    } else {
        quoted(value)
    }
}

fn quoted(text: &str) -> String {
    let mut result = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => result.extend(['\\', c]),
            c if c.is_control() => {
                let _ = write!(result, "\\u{:04X}", c as u32);
            }
            c => result.push(c),
        }
    }
    result + "\""
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_become_toml() {
        let axis = |text: &str| axis_text(text).expect("fine");
        assert_eq!(
            axis("random,power-of-d"),
            "values = [\"random\", \"power-of-d\"]"
        );
        assert_eq!(
            axis("random,{ kind = \"power-of-d\", d = 3 },1,0.5,true,1s"),
            "values = [\"random\", { kind = \"power-of-d\", d = 3 }, 1, 0.5, true, \"1s\"]"
        );
        assert_eq!(axis("100..900/9"), "from = 100\nto = 900\ncount = 9");
        assert_eq!(
            axis("1ms..1s/4 log"),
            "from = \"1ms\"\nto = \"1s\"\ncount = 4\nspacing = \"log\""
        );
        for wrong in ["1..2", "1..2/x", "1..2/3 lag"] {
            assert!(axis_text(wrong).is_err(), "{wrong}");
        }
    }
}
