//! Verdicts on the end of a run: one closed list. When which is given stands in the summary's table.

/// A verdict, from what should worry least to what should worry most.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[repr(u8)]
pub enum Verdict {
    /// All is well.
    Stable,
    /// Not yet well, and on the way.
    Recovering,
    /// Not all is well.
    Degraded,
    /// More is asked for than can be done.
    Overloaded,
    /// A machine crashes again and again.
    CrashLooping,
    /// Overload that outlives its trigger.
    Metastable,
    /// Next to nothing is answered.
    Down,
}

impl Verdict {
    /// All of them, by their numbers.
    pub const ALL: [Self; 7] = [
        Self::Stable,
        Self::Recovering,
        Self::Degraded,
        Self::Overloaded,
        Self::CrashLooping,
        Self::Metastable,
        Self::Down,
    ];

    /// The word used in files, in expectations and on screen.
    pub fn word(self) -> &'static str {
        VERDICTS[self as usize].0
    }

    /// The verdict of a word.
    pub fn find(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|verdict| verdict.word() == word)
    }
}

/// Every verdict with its meaning.
pub static VERDICTS: &[(&str, &str)] = &[
    (
        "STABLE",
        "at the end requests are answered in time, nothing grows, and the site is normal",
    ),
    (
        "RECOVERING",
        "at the end enough can be done and things get better: a backlog shrinks, goodput rises, or all is well but not yet for long enough to be called normal",
    ),
    (
        "DEGRADED",
        "at the end requests fail, wait or miss an objective, and the sentence says why; some are answered",
    ),
    (
        "OVERLOADED",
        "at the end first attempts ask for more than what is up, in rotation and warm can do",
    ),
    (
        "CRASH-LOOPING",
        "at the end a machine crashes, comes back and crashes again, and requests fail",
    ),
    (
        "METASTABLE",
        "a trigger was and is gone, first attempts ask for less than can be done, and goodput still does not return: shed load or stop retries",
    ),
    (
        "DOWN",
        "at the end less than a twentieth of the requests is answered, and the sentence says why",
    ),
];

#[cfg(test)]
mod tests {
    use super::{VERDICTS, Verdict};

    #[test]
    fn words_stand_in_the_order_of_the_verdicts() {
        assert_eq!(VERDICTS.len(), Verdict::ALL.len());
        for (number, verdict) in Verdict::ALL.into_iter().enumerate() {
            assert_eq!(verdict as usize, number);
            assert_eq!(Verdict::find(verdict.word()), Some(verdict));
        }
        assert_eq!(Verdict::find("FINE"), None);
    }
}
