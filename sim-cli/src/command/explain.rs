//! `stampede explain`: what a word means, wherever it occurs.

use super::list::{write_entry, write_note};
use crate::args::ExplainArgs;
use crate::catalogue::{Entry, lists};
use crate::exit::{Exit, Failure};
use crate::terminal::{DIM, Out};
use sim_core::scenario::{meaning, suggest};
use std::io::Write;

/// Explains every word, from every list that holds it.
pub(crate) fn run(args: &ExplainArgs, out: &mut Out) -> Result<Exit, Failure> {
    if args.expand {
        return expand(&args.words, out);
    }
    let lists: Vec<(&str, Vec<Entry>)> = lists()
        .iter()
        .map(|list| (list.name, list.entries()))
        .collect();
    for word in &args.words {
        let mut found = false;
        for (list, entries) in &lists {
            let meant: Vec<&Entry> = entries
                .iter()
                .filter(|entry| is_meant(entry, word))
                .collect();
            if meant.is_empty() {
                continue;
            }
            writeln!(out, "{DIM}{list}{DIM:#}")?;
            // A key that stands in several places is told once, with all of them.
            let same = |a: &Entry, b: &Entry| a.about == b.about && a.facts == b.facts;
            for (i, entry) in meant.iter().enumerate() {
                if meant[..i].iter().any(|before| same(before, entry)) {
                    continue;
                }
                write_entry(entry, out)?;
                let others = meant[i + 1..].iter().filter(|other| same(entry, other));
                let others: Vec<&str> = others.map(|other| other.name.as_str()).collect();
                if !others.is_empty() {
                    write_note(&format!("the same: {}", others.join(", ")), out)?;
                }
            }
            found = true;
        }
        if !found {
            let names = lists
                .iter()
                .flat_map(|(_, entries)| entries.iter().map(|entry| entry.name.as_str()));
            // Everything there is would be no help: only what is near.
            let near = suggest(word, names);
            let near = near.split_once('?').map_or(
                "`stampede list` shows what there is".to_owned(),
                |(near, _)| format!("{near}?"),
            );
            return Err(
                Failure::new(Exit::NotFound, format!("nothing is called {word:?}")).help(near),
            );
        }
    }
    Ok(Exit::Ok)
}

/// Prints what dialects stand for.
fn expand(words: &[String], out: &mut Out) -> Result<Exit, Failure> {
    for word in words {
        let keys = meaning(word)
            .map_err(|problems| Failure::new(Exit::Invalid, problems.to_string().trim_end()))?;
        writeln!(out, "{DIM}# {word}, below [service.NAME.balancer]{DIM:#}")?;
        write!(out, "{keys}")?;
    }
    Ok(Exit::Ok)
}

/// Whether the word is the entry's name, or the end of it; where the name leaves open what stands
/// there, as in `service.NAME.demand`, anything may.
fn is_meant(entry: &Entry, word: &str) -> bool {
    if entry.name.eq_ignore_ascii_case(word) {
        return true;
    }
    let open = |part: &str| part.bytes().all(|byte| byte.is_ascii_uppercase());
    let mut name = entry.name.rsplit('.');
    let mut words = word.rsplit('.');
    name.next() == words.next()
        && words.all(|word| {
            name.next()
                .is_some_and(|part| part == word || open(part) && !word.is_empty())
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_found_with_real_names_or_without_its_beginning() {
        let entry = Entry {
            name: "service.NAME.balancer.policy".to_owned(),
            ..Entry::default()
        };
        for word in [
            "policy",
            "balancer.policy",
            "service.web.balancer.policy",
            "service.NAME.balancer.policy",
        ] {
            assert!(is_meant(&entry, word), "{word}");
        }
        for word in [
            "",
            "balancer",
            "web.policy",
            "service..balancer.policy",
            "the.service.web.balancer.policy",
        ] {
            assert!(!is_meant(&entry, word), "{word}");
        }
    }
}
