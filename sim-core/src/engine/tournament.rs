//! A tournament tree: the earliest of many times, one slot each.
//!
//! The next completions of servers live here. Setting a slot replays its matches up to the root;
//! nothing is searched for and nothing moves. Among tens to thousands of slots no heap and no
//! calendar queue was faster, because of properties worth keeping:
//!
//! - a node is one word, the time in its upper bits and the slot in its lower ones: a match is one
//!   load and one branchless minimum, and loads do not depend on matches. Comparing (time,
//!   sequence) as one `u128` makes LLVM branch on coin tosses, which doubles the cost of a run;
//! - a match is played even when its winner is the one from before. Stopping early saves matches
//!   but costs a misprediction, which is dearer.
//!
//! Equal times are rare, so the sequence is looked at on a cold path only. Empty slots would be
//! equal to each other all the time; their words hold distinct times beyond all real ones instead.
//!
//! The upper bits do not hold all times: among 100 000 slots they reach over 39 hours. Words
//! therefore count from a base, times out of reach share one code, and when the earliest is out of
//! reach the base moves.

use std::hint::select_unpredictable;

/// The minimum over a fixed number of slots, ordered by (time, sequence).
#[derive(Clone, Debug)]
pub(crate) struct Tournament {
    /// The earliest below each node. The slots come first, then their matches, round by round, and the
    /// root last: with `size` slots, a power of two, `n` and its rival, next to it, meet at
    /// `size + n / 2`. So a walk upwards ends where the words do.
    words: Vec<u64>,
    /// Time and sequence of each slot; the sequence decides between equal times and is unique
    /// among the slots that are not empty.
    entries: Vec<(u64, u64)>,
    /// Bits of a word that hold the slot.
    bits: u32,
    /// The code of times out of reach; larger ones are those of empty slots.
    far: u64,
    /// The time whose code is zero; no later than any that is set.
    base: u64,
    /// The earliest time and its slot; `u64::MAX` when all are empty.
    earliest: (u64, u32),
    /// No match between equal times later than this was ever decided by their sequence.
    tied: u64,
}

const EMPTY: (u64, u64) = (u64::MAX, u64::MAX);

impl Tournament {
    /// `slots` empty slots.
    pub(crate) fn new(slots: usize) -> Self {
        let mut tournament = Self {
            words: Vec::new(),
            entries: Vec::new(),
            bits: 0,
            far: 0,
            base: 0,
            earliest: (u64::MAX, 0),
            tied: 0,
        };
        tournament.grow(slots.max(2));
        tournament
    }

    /// The earliest time, its sequence, and its slot; `(u64::MAX, u64::MAX, _)` when all slots are
    /// empty.
    pub(crate) fn first(&self) -> (u64, u64, u32) {
        let slot = self.earliest.1;
        let (time, sequence) = self.entries[slot as usize];
        (time, sequence, slot)
    }

    /// The earliest time and its slot; `u64::MAX` when all are empty.
    #[inline]
    pub(crate) fn earliest(&self) -> (u64, u32) {
        self.earliest
    }

    /// Gives a slot a time; `u64::MAX` empties it.
    #[inline]
    pub(crate) fn set(&mut self, slot: usize, time: u64, sequence: u64) {
        self.entries[slot] = (time, sequence);
        match time.checked_sub(self.base) {
            Some(code) if code < self.far => self.play(slot, code),
            _ => self.set_far(slot, time),
        }
    }

    /// As [`Tournament::set`], where a slot may have that time already. If it does, its matches end as they did, unless
    /// somebody is there at the same time.
    #[inline]
    pub(crate) fn renew(&mut self, slot: usize, time: u64, sequence: u64) {
        let entry = &mut self.entries[slot];
        if entry.0 == time && time > self.tied && time < u64::MAX {
            entry.1 = sequence;
        } else {
            self.set(slot, time, sequence);
        }
    }

    /// Empties a slot.
    #[inline]
    pub(crate) fn clear(&mut self, slot: usize) {
        if self.entries[slot] != EMPTY {
            self.entries[slot] = EMPTY;
            self.play(slot, (u64::MAX >> self.bits) - slot as u64);
        }
    }

    /// Makes room for `slots` slots, the new ones empty.
    pub(crate) fn grow(&mut self, slots: usize) {
        assert!(slots <= 1 << 31, "slot numbers have 31 bits");
        let size = slots.next_power_of_two();
        if size > self.entries.len() {
            self.entries.resize(size, EMPTY);
            self.bits = size.ilog2();
            self.far = (u64::MAX >> self.bits) - size as u64;
            self.rebuild();
        }
    }

    /// A slot has a new word: its matches are played.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "most of what a completion costs")]
    fn play(&mut self, slot: usize, code: u64) {
        let size = self.entries.len();
        let same_time = size as u64;
        let words = &mut self.words[..];
        let mut node = slot;
        let mut best = code << self.bits | slot as u64;
        while let Some(word) = words.get_mut(node) {
            *word = best;
            // The root alone has no rival.
            let Some(&rival) = words.get(node ^ 1) else {
                break;
            };
            if (rival ^ best) < same_time {
                return self.play_with_ties(slot);
            }
            best = select_unpredictable(rival < best, rival, best);
            node = size + node / 2;
        }
        let code = best >> self.bits;
        if code >= self.far {
            return self.settle();
        }
        self.earliest = (self.base + code, (best & (same_time - 1)) as u32);
    }

    /// A slot has a time that is not within reach: never, too late, or before the base.
    #[inline(never)]
    fn set_far(&mut self, slot: usize, time: u64) {
        if time == u64::MAX {
            self.entries[slot] = EMPTY;
        } else if time < self.base {
            self.base = time;
            return self.rebuild();
        }
        self.play(slot, self.code_of(slot, time));
    }

    /// The code of a slot with a time no earlier than the base.
    fn code_of(&self, slot: usize, time: u64) -> u64 {
        match time {
            u64::MAX => (u64::MAX >> self.bits) - slot as u64,
            time => (time - self.base).min(self.far),
        }
    }

    /// The matches of a slot, with the sequence deciding between equal times.
    #[cold]
    #[inline(never)]
    fn play_with_ties(&mut self, slot: usize) {
        let size = self.entries.len();
        let mut node = size + slot / 2;
        while node < self.words.len() {
            self.words[node] = self.winner_of(node);
            node = size + node / 2;
        }
        self.settle();
    }

    /// Who wins the match at a node.
    fn winner_of(&mut self, node: usize) -> u64 {
        let size = self.entries.len();
        let slots = size as u64 - 1;
        let first = 2 * (node - size);
        let (left, right) = (self.words[first], self.words[first + 1]);
        let key = |word: u64| (word >> self.bits, self.entries[(word & slots) as usize]);
        let [one, other] = [key(left), key(right)];
        if (one.0, one.1.0) == (other.0, other.1.0) {
            self.tied = self.tied.max(one.1.0);
        }
        if other < one { right } else { left }
    }

    /// The root says who is first; if that is out of reach, words count from it henceforth.
    #[inline(never)]
    fn settle(&mut self) {
        let root = self.words[self.words.len() - 1];
        if root >> self.bits == self.far {
            let times = self.entries.iter().map(|entry| entry.0);
            self.base = times.min().unwrap_or(0);
            return self.rebuild();
        }
        let slot = root & (self.entries.len() as u64 - 1);
        self.earliest = (self.entries[slot as usize].0, slot as u32);
    }

    /// All words, from the entries.
    fn rebuild(&mut self) {
        let size = self.entries.len();
        self.words = vec![0; 2 * size - 1];
        for slot in 0..size {
            let code = self.code_of(slot, self.entries[slot].0);
            self.words[slot] = code << self.bits | slot as u64;
        }
        for node in size..self.words.len() {
            self.words[node] = self.winner_of(node);
        }
        let slot = self.words[self.words.len() - 1] & (size as u64 - 1);
        self.earliest = (self.entries[slot as usize].0, slot as u32);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draws::{Draws, Stream};

    /// The same by looking at every slot.
    struct Naive(Vec<(u64, u64)>);

    impl Naive {
        fn assert_agrees(&self, tournament: &Tournament, context: &str) {
            let (time, sequence, slot) = tournament.first();
            let first = *self.0.iter().min().expect("at least one slot");
            assert_eq!((time, sequence), first, "{context}");
            if first != EMPTY {
                assert_eq!(self.0[slot as usize], first, "{context}: another slot");
            }
        }
    }

    /// Plays random operations; times are drawn below `span`, so that a small one makes many ties.
    fn check(slots: usize, span: usize, operations: u64, draws: &mut Draws) {
        let mut tournament = Tournament::new(slots);
        let mut naive = Naive(vec![EMPTY; slots]);
        for sequence in 0..operations {
            let context = format!("{slots} slots, times below {span}, operation {sequence}");
            let len = naive.0.len();
            match draws.below(16) {
                0 if len < 3 * slots => {
                    naive.0.resize(len + draws.below(4), EMPTY);
                    tournament.grow(naive.0.len());
                }
                1..=4 => {
                    let slot = draws.below(len);
                    naive.0[slot] = EMPTY;
                    tournament.clear(slot);
                }
                // Half of the times replace the earliest, as a simulation does.
                kind => {
                    let (time, first) = (draws.below(span) as u64, tournament.first());
                    let replace = kind % 2 == 0 && first.0 < u64::MAX;
                    let (slot, time) = if replace {
                        (
                            first.2 as usize,
                            first.0.saturating_add(time).min(u64::MAX - 1),
                        )
                    } else {
                        (draws.below(len), time)
                    };
                    naive.0[slot] = (time, sequence);
                    tournament.set(slot, time, sequence);
                    // The same time once more, with another sequence, for this slot or another.
                    let slot = if kind < 8 { slot } else { draws.below(len) };
                    if naive.0[slot] != EMPTY && kind < 12 {
                        naive.0[slot].1 = operations + sequence;
                        tournament.renew(slot, naive.0[slot].0, operations + sequence);
                    }
                }
            }
            naive.assert_agrees(&tournament, &context);
        }
    }

    #[test]
    fn it_agrees_with_looking_at_every_slot() {
        let mut draws = Stream::new(1, 0, "tournament").at(0);
        for slots in (1..20).chain([31, 32, 33, 100, 128, 200]) {
            for span in [1, 2, 5, 50, 1_000_000_000, usize::MAX / 4] {
                check(slots, span, 400, &mut draws);
            }
        }
    }

    #[test]
    fn equal_times_go_by_sequence_not_by_slot() {
        let mut tournament = Tournament::new(5);
        for (slot, sequence) in [(2, 30), (0, 40), (4, 10), (1, 20), (3, 50)] {
            tournament.set(slot, 7, sequence);
        }
        let mut order = Vec::new();
        while tournament.first().0 < u64::MAX {
            let (_, sequence, slot) = tournament.first();
            order.push((sequence, slot));
            tournament.clear(slot as usize);
        }
        assert_eq!(order, [(10, 4), (20, 1), (30, 2), (40, 0), (50, 3)]);
    }

    #[test]
    fn empty_is_never() {
        for slots in [0, 1, 2, 3, 8] {
            let mut tournament = Tournament::new(slots);
            assert_eq!((tournament.first().0, tournament.first().1), EMPTY);
            tournament.set(0, u64::MAX, 3);
            assert_eq!(
                (tournament.first().0, tournament.first().1),
                EMPTY,
                "setting to never is emptying"
            );
            tournament.set(0, u64::MAX - 1, 4);
            assert_eq!(
                tournament.first(),
                (u64::MAX - 1, 4, 0),
                "the last moment that is a time"
            );
        }
    }

    #[test]
    fn growing_keeps_what_is_there() {
        let mut tournament = Tournament::new(1);
        tournament.set(0, 5, 1);
        let before = tournament.clone();
        tournament.grow(1000);
        assert_eq!(tournament.first(), (5, 1, 0));
        tournament.set(999, 4, 2);
        assert_eq!(tournament.first(), (4, 2, 999));
        tournament.grow(3);
        assert_eq!(tournament.first(), (4, 2, 999), "growing never shrinks");
        assert_eq!(before.first(), (5, 1, 0), "a clone goes its own way");
    }
}
