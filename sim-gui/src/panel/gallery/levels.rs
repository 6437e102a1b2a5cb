//! For whom models are, and what they are about: a line for each topic, and for each model that is for others than most of it.

/// How much somebody should know before.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Level {
    /// Nothing but what a server and a balancer are.
    First,
    /// What happens to systems under load, and what is done about it.
    Practice,
    /// Published results and closed forms.
    Research,
}

impl Level {
    /// All of them, from the first steps on.
    pub const ALL: [Self; 3] = [Self::First, Self::Practice, Self::Research];

    /// In words.
    pub fn word(self) -> &'static str {
        match self {
            Self::First => "first steps",
            Self::Practice => "practice",
            Self::Research => "research",
        }
    }
}

/// Topics: the folder of the models, its title, and what its models are for where none says otherwise.
pub(super) static TOPICS: &[(&str, &str, Level)] = &[
    (
        "incident",
        "The incident, and what would have helped",
        Level::Practice,
    ),
    ("lesson", "A first run", Level::First),
    ("overload", "Systems that fail under load", Level::Practice),
    (
        "health",
        "Checks, probes, ejection and coming back",
        Level::Practice,
    ),
    ("balancing", "Who gets which request", Level::Practice),
    ("elastic", "Servers that come and go", Level::Practice),
    ("reference", "Queues with a known answer", Level::Research),
    ("study", "Published results, reproduced", Level::Research),
];

/// Models that are for somebody else than most of their topic.
static LEVELS: &[(&str, Level)] = &[
    ("incident", Level::First),
    ("right-weights", Level::First),
    ("no-retries", Level::First),
    ("fix-at-1240", Level::First),
    ("twice-the-servers", Level::First),
    ("retry-storm", Level::First),
    ("slow-server", Level::First),
    ("cascade", Level::First),
    ("herd-after-reconnect", Level::First),
    ("fast-failing-server", Level::First),
    ("unequal-servers", Level::First),
    ("mm1", Level::Practice),
    ("mmc", Level::Practice),
    ("power-of-two", Level::Practice),
];

/// The topic of a model, by its path, and its level.
pub(super) fn of(path: &str, name: &str) -> Option<(usize, Level)> {
    let folder = path.split('/').next().unwrap_or("");
    let topic = TOPICS.iter().position(|(topic, ..)| *topic == folder)?;
    let own = LEVELS.iter().find(|(model, _)| *model == name);
    Some((topic, own.map_or(TOPICS[topic].2, |own| own.1)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MODELS;

    #[test]
    fn every_model_has_a_topic_and_a_level_and_every_line_a_model() {
        let names = MODELS.names();
        let mut seen = [0; TOPICS.len()];
        for name in &names {
            let path = MODELS.find(name).expect("a model").name;
            let (topic, _) = of(&path, name).unwrap_or_else(|| panic!("{path} has no topic"));
            seen[topic] += 1;
        }
        assert!(seen.iter().all(|models| *models > 0), "{seen:?}");
        for (i, (name, level)) in LEVELS.iter().enumerate() {
            assert!(names.contains(name), "{name} is no model");
            assert!(
                LEVELS[..i].iter().all(|(other, _)| other != name),
                "{name} twice"
            );
            let path = MODELS.find(name).expect("a model").name;
            let folder = path.split('/').next().unwrap_or("");
            let topic = TOPICS.iter().find(|(topic, ..)| *topic == folder);
            assert_ne!(topic.expect("a topic").2, *level, "{name} needs no line");
        }
    }
}
