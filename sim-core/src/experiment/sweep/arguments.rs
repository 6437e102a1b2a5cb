//! A plan from arguments, as the text that could have been written.

use crate::experiment::split;
use crate::scenario::quoted;
use std::fmt::Write as _;

/// A plan in the words of `stampede sweep --scenario … --vary …`.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Arguments {
    /// The scenario: a file or the name of a model.
    pub scenario: String,
    /// Axes: a path, and its values as `a,b,c`, `FROM..TO/COUNT` or `FROM..TO/COUNT log`.
    pub vary: Vec<(String, String)>,
    /// What is measured; those of a plan that says nothing, when empty.
    pub measures: Vec<String>,
    /// Replications of each cell; with a precision, how many at least.
    pub replications: Option<u64>,
    /// Go on until every interval's half-width is at most this share of its mean.
    pub precision: Option<f64>,
    /// Replications of a cell at most.
    pub max_replications: Option<u64>,
    /// Base points of a design for Sobol indices, of all axes together.
    pub sobol: Option<u64>,
    /// Another seed than the scenario's.
    pub seed: Option<u64>,
    /// New values for all cells.
    pub sets: Vec<(String, String)>,
}

/// Why arguments make no plan.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Misused {
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub help: String,
    /// The path it is about.
    pub path: String,
}

impl Arguments {
    /// The plan as a text.
    ///
    /// # Errors
    /// When something is both set and varied, or a range is none.
    pub fn plan_text(&self) -> Result<String, Misused> {
        if let Some((path, _)) = self
            .sets
            .iter()
            .find(|(path, _)| self.vary.iter().any(|(varied, _)| varied == path))
        {
            return Err(Misused {
                message: format!("{path} is both set and varied"),
                help: "leave out one of --set and --vary".to_owned(),
                path: path.clone(),
            });
        }
        // Writing to a `String` cannot fail.
        let mut text = format!("scenario = {}\n", quoted(&self.scenario));
        // Called as the scenario is, where that can be a name.
        let name = stem(&self.scenario).replace(|c: char| !c.is_ascii_alphanumeric(), "-");
        let name = name.trim_start_matches('-');
        if !name.is_empty() && name.len() <= 100 {
            let _ = writeln!(text, "name = {}", quoted(name));
        }
        if let Some(replications) = self.replications {
            let _ = writeln!(text, "replications = {replications}");
        }
        if let Some(precision) = self.precision {
            let _ = writeln!(text, "precision = {precision:?}");
        }
        if let Some(most) = self.max_replications {
            let _ = writeln!(text, "max_replications = {most}");
        }
        if let Some(seed) = self.seed {
            let _ = writeln!(text, "seed = {seed}");
        }
        if !self.measures.is_empty() {
            let measures: Vec<String> = self.measures.iter().map(|path| quoted(path)).collect();
            let _ = writeln!(text, "measures = [{}]", measures.join(", "));
        }
        if !self.sets.is_empty() {
            text.push_str("\n[set]\n");
            for (path, value) in &self.sets {
                let _ = writeln!(text, "{} = {}", quoted(path), value_text(value));
            }
        }
        if let Some(samples) = self.sobol {
            let _ = writeln!(
                text,
                "\n[[axis]]\ndesign = \"sobol\"\nsamples = {samples}\nlatin_hypercube = ["
            );
            for (path, values) in &self.vary {
                let values = part_text(path, values)?;
                let _ = writeln!(text, "  {{ path = {}, {values} }},", quoted(path));
            }
            text.push_str("]\n");
            return Ok(text);
        }
        for (path, values) in &self.vary {
            let values = axis_text(path, values)?;
            let _ = writeln!(text, "\n[[axis]]\npath = {}\n{values}", quoted(path));
        }
        Ok(text)
    }
}

/// A file's name without folder and ending.
fn stem(path: &str) -> &str {
    let file = path.rsplit('/').next().unwrap_or(path);
    match file.rsplit_once('.') {
        Some((stem, _)) if !stem.is_empty() => stem,
        _ => file,
    }
}

/// The values of an axis: a range, or a list.
fn axis_text(path: &str, values: &str) -> Result<String, Misused> {
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
        return Err(Misused {
            message: format!("{values:?} is no range"),
            help: "FROM..TO/COUNT, such as 100..900/9, or \"1..1000/7 log\" for equal ratios"
                .to_owned(),
            path: path.to_owned(),
        });
    };
    Ok(format!(
        "from = {}\nto = {}\ncount = {count}{spacing}",
        value_text(from),
        value_text(to)
    ))
}

/// The values of a path of a sample: the ends of a range, or a list.
fn part_text(path: &str, values: &str) -> Result<String, Misused> {
    let Some((from, to)) = values.split_once("..") else {
        return axis_text(path, values);
    };
    let (to, spacing) = match to.trim().split_once(' ') {
        Some((to, "log")) => (to, ", spacing = \"log\""),
        Some(_) => ("/", ""),
        None => (to, ""),
    };
    if to.contains('/') {
        return Err(Misused {
            message: format!("{values:?} is no range of a sample"),
            help: "FROM..TO, such as 100..900, or \"1..1000 log\" for equal ratios; how many values are tried says --sobol".to_owned(),
            path: path.to_owned(),
        });
    }
    Ok(format!(
        "from = {}, to = {}{spacing}",
        value_text(from),
        value_text(to)
    ))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_become_toml() {
        let axis = |text: &str| axis_text("path", text).expect("fine");
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
            assert!(axis_text("path", wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn ranges_of_a_sample_have_no_count() {
        let part = |text: &str| part_text("path", text).expect("fine");
        assert_eq!(part("100..900"), "from = 100, to = 900");
        assert_eq!(
            part("1ms..1s log"),
            "from = \"1ms\", to = \"1s\", spacing = \"log\""
        );
        assert_eq!(part("a,b"), "values = [\"a\", \"b\"]");
        for wrong in ["1..2/3", "1..2 lag", "1..2/3 log"] {
            assert!(part_text("path", wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_plan_is_called_as_its_scenario() {
        for (scenario, name) in [
            ("incident", "incident"),
            ("dir/my.toml", "my"),
            ("../-x", "x"),
        ] {
            assert_eq!(stem(scenario).trim_start_matches('-'), name);
        }
        let arguments = Arguments {
            scenario: "a/b.toml".to_owned(),
            vary: vec![("x".to_owned(), "1,2".to_owned())],
            sets: vec![("x".to_owned(), "3".to_owned())],
            ..Arguments::default()
        };
        let refused = arguments.plan_text().expect_err("set and varied");
        assert_eq!(refused.message, "x is both set and varied");
    }
}
