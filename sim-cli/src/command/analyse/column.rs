//! One column of a text: a number a line, or a table.

use crate::exit::{Exit, Failure};
use sim_core::scenario::suggest;
use sim_core::text::shown;

/// Values of a series at most: 80 MB of them.
const VALUES_MAX: usize = 10_000_000;

/// A column of numbers.
#[derive(PartialEq, Debug)]
pub(super) struct Column {
    /// Its name, where there is a line of names.
    pub name: Option<String>,
    /// Its values, in order.
    pub values: Vec<f64>,
    /// Cells with nothing in them, which are left out.
    pub empty: usize,
}

/// Reads the column called `wanted`, or the only one there is.
pub(super) fn read(file: &str, text: &str, wanted: Option<&str>) -> Result<Column, Failure> {
    let refused = |what: String| Failure::new(Exit::Invalid, format!("{file}: {what}"));
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut lines = (1..).zip(text.lines()).filter(|(_, line)| {
        let line = line.trim();
        !line.is_empty() && !line.starts_with('#')
    });
    let Some(first) = lines.next() else {
        return Err(refused("it holds no values".to_owned()));
    };
    let separator = [',', ';', '\t'].into_iter().find(|s| first.1.contains(*s));
    let head = cells(first.1, separator);
    // Names are what is no number: a table that begins with numbers has none.
    let is_number = |cell: &String| cell.parse::<f64>().is_ok_and(f64::is_finite);
    let named = !head.iter().any(is_number);
    let at = pick(&head, named, wanted).map_err(|(what, help)| refused(what).help(help))?;
    let mut column = Column {
        name: named.then(|| head[at].clone()),
        values: Vec::new(),
        empty: 0,
    };
    for (line, text) in std::iter::once(first).filter(|_| !named).chain(lines) {
        let mut cells = cells(text, separator);
        if cells.len() != head.len() {
            let (has, first) = (cells.len(), head.len());
            let what = format!("line {line} has {has} cells where the first has {first}");
            return Err(refused(what));
        }
        let cell = cells.swap_remove(at);
        if cell.is_empty() {
            column.empty += 1;
            continue;
        }
        let value = number(&cell).map_err(|why| {
            let cell: String = cell.chars().take(40).collect();
            refused(format!("line {line}: {:?} {why}", shown(&cell)))
                .help("a series is finite numbers, with a point before their decimals")
        })?;
        if column.values.len() == VALUES_MAX {
            let what = format!("line {line}: more than {VALUES_MAX} values");
            return Err(refused(what).help("analyse every tenth, or means of ten"));
        }
        column.values.push(value);
    }
    Ok(column)
}

fn number(cell: &str) -> Result<f64, &'static str> {
    match cell.parse::<f64>() {
        Ok(value) if !value.is_finite() => Err("is not finite"),
        // Beyond these the squares of a variance have no numbers.
        Ok(value) if value != 0.0 && !(1e-100..=1e100).contains(&value.abs()) => {
            Err("is beyond what can be squared: 0, or 1e-100 to 1e100 either way")
        }
        Ok(value) => Ok(value),
        Err(_) => Err("is no number"),
    }
}

/// The column that is meant; or what is wrong, and what would help.
fn pick(head: &[String], named: bool, wanted: Option<&str>) -> Result<usize, (String, String)> {
    let name = |(at, name): (usize, &String)| {
        if named {
            shown(name).into_owned()
        } else {
            (at + 1).to_string()
        }
    };
    let names: Vec<String> = head.iter().enumerate().map(name).collect();
    let Some(wanted) = wanted else {
        if head.len() == 1 {
            return Ok(0);
        }
        let what = format!("it has {} columns", head.len());
        return Err((what, format!("--column with one of: {}", names.join(", "))));
    };
    if named && let Some(at) = head.iter().position(|name| name == wanted) {
        return Ok(at);
    }
    match wanted.parse::<usize>() {
        Ok(at) if (1..=head.len()).contains(&at) => Ok(at - 1),
        _ => {
            let what = format!("it has no column {:?}", shown(wanted));
            Err((what, suggest(wanted, names.iter().map(String::as_str))))
        }
    }
}

/// The cells of a line; quotes hold separators, and two of them within quotes stand for one.
fn cells(line: &str, separator: Option<char>) -> Vec<String> {
    let mut cells = vec![String::new()];
    let mut quoted = false;
    let mut signs = line.chars().peekable();
    while let Some(c) = signs.next() {
        if c == '"' && quoted && signs.peek() == Some(&'"') {
            signs.next();
            if let Some(cell) = cells.last_mut() {
                cell.push('"');
            }
        } else if c == '"' {
            quoted = !quoted;
        } else if Some(c) == separator && !quoted {
            cells.push(String::new());
        } else if let Some(cell) = cells.last_mut() {
            cell.push(c);
        }
    }
    cells.iter().map(|cell| cell.trim().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(text: &str, wanted: Option<&str>) -> Vec<f64> {
        read("f", text, wanted).expect("a column").values
    }

    #[test]
    fn numbers_a_line_and_columns_are_read() {
        assert_eq!(values("1\n2.5\n\n# so\n-3e2\n", None), [1.0, 2.5, -300.0]);
        assert_eq!(values("wait\n1\n2\n", None), [1.0, 2.0]);
        assert_eq!(values("a,b\n1,2\n3,4\n", Some("b")), [2.0, 4.0]);
        assert_eq!(values("\u{feff}a;b\r\n1;2\r\n", Some("1")), [1.0]);
        assert_eq!(values("1\t2\n3\t4\n", Some("2")), [2.0, 4.0]);
        assert_eq!(
            values("\"a \"\"b\"\", c\",d\n1,7\n", Some("a \"b\", c")),
            [1.0]
        );
        assert_eq!(values("\"a, b\",c\n\"x, y\",7\n", Some("c")), [7.0]);
        let some = read("f", "a,b\n1,\n2,5\n", Some("b")).expect("a column");
        assert_eq!((some.values, some.empty), (vec![5.0], 1));
    }

    #[test]
    fn what_is_wrong_is_pointed_at() {
        for (text, column, words) in [
            ("", None, "no values"),
            ("1\n2\nx1\n", None, "f: line 3: \"x1\" is no number"),
            ("1\nnan\n", None, "line 2: \"nan\" is not finite"),
            ("1\n-1e308\n", None, "line 2: \"-1e308\" is beyond"),
            ("1e-320\n", None, "line 1: \"1e-320\" is beyond"),
            ("1\n1,5\n", None, "line 2: \"1,5\" is no number"),
            ("a,b\n1,2\n", None, "2 columns"),
            ("a,b\n1,2\n3\n", Some("a"), "line 3 has 1 cells"),
            ("a,b\n1,2\n", Some("c"), "no column \"c\""),
            ("a,b\n1,2\n", Some("3"), "no column \"3\""),
        ] {
            let why = read("f", text, column).expect_err(text).message;
            assert!(why.contains(words), "{text:?}: {why}");
        }
    }
}
