//! The answer for programs.

use super::Answer;
use serde::Serialize;
use sim_core::experiment::Stop;
use sim_core::remedy::{Cost, Remedy, Sets};
use sim_core::report::Head;
use sim_core::text::Csv;
use std::io::{self, Write};

/// Everything.
#[derive(Serialize)]
pub(super) struct Report<'a> {
    #[serde(flatten)]
    head: Head,
    scenario: &'a str,
    scenario_hash: String,
    seed: u64,
    /// One sentence.
    verdict: &'a str,
    /// What is saved: a figure, or `downtime`.
    by: &'a str,
    /// The damage as it is, on average over the final.
    as_is: Option<f64>,
    /// Runs that were made, and what all changes with all replications would have taken.
    runs: u64,
    grid: u64,
    /// How many at the head save as much as the first.
    peers: usize,
    /// What saves, best first; no difference shows for the last.
    ranked: Vec<Json<'a>>,
    /// Two at once that save more than either.
    pairs: Vec<Json<'a>>,
    pairs_tried: usize,
    /// What makes it worse, worst first.
    harmful: Vec<Json<'a>>,
    /// Everything that was tried, in the order of the selection.
    tried: Vec<Tried<'a>>,
}

/// A change in the final.
#[derive(Serialize)]
struct Json<'a> {
    kinds: Vec<&'a str>,
    change: String,
    sets: Vec<String>,
    arguments: Vec<String>,
    cost: Option<&'static str>,
    effect: &'static str,
    damage: Option<f64>,
    saved: Option<f64>,
    low: Option<f64>,
    high: Option<f64>,
    p_adjusted: Option<f64>,
    share: Option<f64>,
    withheld: Option<&'static str>,
    /// Of two at once: more than the better of both, with its interval.
    gain: Option<[f64; 3]>,
    beside: Vec<Beside<'a>>,
}

#[derive(Serialize)]
struct Beside<'a> {
    by: &'a str,
    as_is: Option<f64>,
    saved: Option<f64>,
}

/// What the selection saw of a change.
#[derive(Serialize)]
struct Tried<'a> {
    kind: &'a str,
    change: &'a str,
    sets: Vec<String>,
    cost: &'static str,
    replications: u64,
    saved: Option<f64>,
}

fn sets(sets: &Sets) -> Vec<String> {
    sets.iter()
        .map(|(path, value)| format!("{path} = {value}"))
        .collect()
}

/// What is known of a change for certain.
fn effect(remedy: &Remedy) -> &'static str {
    match remedy.saved.sign() {
        1 => "saves",
        -1 => "worse",
        _ if remedy.saved.range().is_some() => "no-difference",
        _ => "unknown",
    }
}

impl Answer<'_> {
    pub(super) fn report<'a>(&'a self, verdict: &'a str) -> Report<'a> {
        let found = self.found;
        let stop = if found.interrupted {
            Stop::Interrupted
        } else {
            Stop::Planned
        };
        let json =
            |remedies: &'a [Remedy]| remedies.iter().map(|remedy| self.json(remedy)).collect();
        let tried = |of: &usize| {
            let (candidate, seen) = (&found.candidates[*of], found.seen[*of]);
            Tried {
                kind: candidate.row,
                change: &candidate.words,
                sets: sets(&candidate.sets),
                cost: candidate.cost.name(),
                replications: seen.replications,
                saved: seen.saved,
            }
        };
        Report {
            head: Head::of("remedy", found.level, 0, found.replications, stop),
            scenario: self.scenario.name(),
            scenario_hash: format!("{:016x}", self.scenario.hash()),
            seed: self.model.seed,
            verdict,
            by: found.damage.name(),
            as_is: found.as_is.first().copied().flatten(),
            runs: found.runs,
            grid: found.grid,
            peers: found.peers,
            ranked: json(&found.ranked),
            pairs: json(&found.pairs),
            pairs_tried: found.pairs_tried,
            harmful: json(&found.harmful),
            tried: found.selected.iter().map(tried).collect(),
        }
    }

    fn json<'a>(&'a self, remedy: &'a Remedy) -> Json<'a> {
        let found = self.found;
        let range = remedy.saved.range();
        let beside = found.beside.iter().enumerate().map(|(at, damage)| Beside {
            by: damage.name(),
            as_is: found.as_is[at + 1],
            saved: remedy.beside[at],
        });
        Json {
            kinds: remedy
                .of
                .iter()
                .map(|of| found.candidates[*of].row)
                .collect(),
            change: remedy.words(found),
            sets: sets(&remedy.sets),
            arguments: remedy.arguments(),
            cost: remedy.cost(found).map(Cost::name),
            effect: effect(remedy),
            damage: remedy.damage,
            saved: remedy.mean(),
            low: range.map(|range| range.low),
            high: range.map(|range| range.high),
            p_adjusted: remedy.saved.p_adjusted,
            share: remedy.share,
            withheld: match range {
                Some(_) => None,
                None => remedy
                    .saved
                    .difference
                    .reason()
                    .map(sim_core::statistics::Withheld::code),
            },
            gain: remedy.gain.map(|gain| [gain.mean, gain.low, gain.high]),
            beside: beside.collect(),
        }
    }

    /// A row for each change in the final, then one for each that was tried, with what the selection saw.
    pub(super) fn csv(&self, out: &mut dyn Write) -> io::Result<()> {
        let found = self.found;
        let mut csv = Csv::new(out);
        csv.write_record([
            "stage",
            "rank",
            "kind",
            "change",
            "cost",
            "effect",
            "replications",
            "saved",
            "low",
            "high",
            "p_adjusted",
            "share",
            "sets",
        ])?;
        let text = |value: Option<f64>| value.map_or(String::new(), |value| format!("{value:?}"));
        let stages = [
            ("ranked", &found.ranked),
            ("pair", &found.pairs),
            ("harmful", &found.harmful),
        ];
        for (stage, remedies) in stages {
            for (at, remedy) in remedies.iter().enumerate() {
                let json = self.json(remedy);
                csv.write_record([
                    stage.to_owned(),
                    (at + 1).to_string(),
                    json.kinds.join(" + "),
                    json.change,
                    json.cost.unwrap_or_default().to_owned(),
                    json.effect.to_owned(),
                    found.replications.to_string(),
                    text(json.saved),
                    text(json.low),
                    text(json.high),
                    text(json.p_adjusted),
                    text(json.share),
                    json.sets.join("; "),
                ])?;
            }
        }
        for (at, of) in found.selected.iter().enumerate() {
            let (candidate, seen) = (&found.candidates[*of], found.seen[*of]);
            let none = String::new;
            csv.write_record([
                "selection".to_owned(),
                (at + 1).to_string(),
                candidate.row.to_owned(),
                candidate.words.clone(),
                candidate.cost.name().to_owned(),
                none(),
                seen.replications.to_string(),
                text(seen.saved),
                none(),
                none(),
                none(),
                none(),
                sets(&candidate.sets).join("; "),
            ])?;
        }
        csv.flush()
    }
}
