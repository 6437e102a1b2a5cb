//! Names, and lists of them, as scenarios have them.

use sim_core::scenario::quoted;

/// A name that paths can hold, from any text: what is no letter, digit, `-` or `_` becomes `-`.
pub(crate) fn name_of(text: &str, or: &str) -> String {
    let mut name = String::new();
    for c in text.chars().take(80) {
        let fits = c.is_ascii_alphanumeric() || c == '_';
        if fits {
            name.push(c);
        } else if !name.is_empty() && !name.ends_with('-') {
            name.push('-');
        }
    }
    let name = name.trim_matches(['-', '_']);
    if name.is_empty() { or } else { name }.to_owned()
}

/// A name that is not taken yet, with a number where it has to be; it is taken from now on.
pub(crate) fn fresh(name: &str, taken: &mut Vec<String>) -> String {
    let free = |name: &str| !taken.iter().any(|other| other == name);
    let mut free_name = name.to_owned();
    let mut number = 2;
    while !free(&free_name) {
        free_name = format!("{name}-{number}");
        number += 1;
    }
    taken.push(free_name.clone());
    free_name
}

/// Words as a list of a scenario, each once.
pub(crate) fn list(words: impl IntoIterator<Item = impl AsRef<str>>) -> String {
    let mut all: Vec<String> = Vec::new();
    for word in words {
        let word = quoted(word.as_ref());
        if !all.contains(&word) {
            all.push(word);
        }
    }
    format!("[{}]", all.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_fit_into_paths() {
        assert_eq!(name_of("10.1.0.11:8080", "x"), "10-1-0-11-8080");
        assert_eq!(name_of("[fd00::2]:80", "x"), "fd00-2-80");
        assert_eq!(name_of("/", "root"), "root");
        assert_eq!(name_of("ä", "x"), "x");
        let mut taken = vec!["web".to_owned()];
        assert_eq!(fresh("web", &mut taken), "web-2");
        assert_eq!(fresh("web", &mut taken), "web-3");
        assert_eq!(list(["a", "b", "a"]), "[\"a\", \"b\"]");
    }
}
