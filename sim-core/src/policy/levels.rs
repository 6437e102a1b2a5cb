//! Servers by a small whole number each, such as the attempts that they have: the least, and which of equals.
//!
//! A level for each number, with a bit for each server. A change of one server moves a bit; a choice
//! finds the lowest level with a server and counts bits there, where a [`Tree`] walks between leaf and root. Numbers
//! beyond the levels, of which there are few unless all servers are far behind, are kept in a tree.
//! Equals count in their order here too, so that the choice is the same.

use super::least::{Ranked, Tree, rank};
use crate::draws::Draws;

/// Numbers below this have a level: a bit for each in one word.
const LEVELS: usize = 64;
/// Servers of a word.
const WORD: usize = 64;
/// Words that are counted together, so that a choice among very many servers need not count them all.
const BLOCK: usize = 16;

/// Of a server that may not be picked.
const ABSENT: u32 = u32::MAX;

/// The numbers of all servers, with the least of them at hand.
#[derive(Clone, Debug)]
pub(super) struct Levels {
    /// The number of each server.
    numbers: Vec<u32>,
    /// Levels with a server.
    occupied: u64,
    /// A row for each level, in one piece since they are read together: how many servers it has, which, a bit
    /// each, and where there are several blocks how many each of them has.
    rows: Vec<u64>,
    /// Words of a row that say which servers.
    words: usize,
    /// Words of a row.
    width: usize,
    /// Those with a larger number than there are levels.
    beyond: Option<Tree>,
}

impl Levels {
    /// A server comes to a level.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "most of what a change costs")]
    fn enter(&mut self, level: usize, server: usize) {
        let row = &mut self.rows[level * self.width..][..self.width];
        row[0] += 1;
        row[1 + server / WORD] |= 1 << (server % WORD);
        if self.words > BLOCK {
            row[1 + self.words + server / WORD / BLOCK] += 1;
        }
        self.occupied |= 1 << level;
    }

    /// A server goes from its level.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "most of what a change costs")]
    fn leave(&mut self, level: usize, server: usize) {
        let row = &mut self.rows[level * self.width..][..self.width];
        row[0] -= 1;
        row[1 + server / WORD] &= !(1 << (server % WORD));
        if self.words > BLOCK {
            row[1 + self.words + server / WORD / BLOCK] -= 1;
        }
        if row[0] == 0 {
            self.occupied &= !(1 << level);
        }
    }

    /// The same beyond the levels.
    #[cold]
    #[inline(never)]
    fn set_beyond(&mut self, server: usize, number: Option<u32>) {
        let servers = self.numbers.len();
        let tree = (self.beyond).get_or_insert_with(|| Tree::new(servers, |_| None));
        tree.set_whole(server, number.map(u64::from));
    }

    /// The server of the least number.
    #[inline]
    pub(super) fn pick(&self, random_ties: bool, draws: &mut Draws) -> Option<usize> {
        if self.occupied == 0 {
            return (self.beyond.as_ref()).and_then(|tree| tree.pick(random_ties, draws));
        }
        let level = self.occupied.trailing_zeros() as usize;
        let row = &self.rows[level * self.width..][..self.width];
        let mut rank = rank(row[0] as usize, random_ties, draws) as u64;
        let mut word = 0;
        if self.words > BLOCK {
            for &servers in &row[1 + self.words..] {
                if rank < servers {
                    break;
                }
                rank -= servers;
                word += BLOCK;
            }
        }
        for &members in &row[1 + word..] {
            let sums = sums(members);
            let here = sums >> 56;
            if rank < here {
                return Some(word * WORD + nth(members, sums, rank));
            }
            rank -= here;
            word += 1;
        }
        unreachable!("a row has as many servers as it says")
    }
}

impl Ranked for Levels {
    type Cost = u32;

    fn new(servers: usize, number: impl Fn(usize) -> Option<u32>) -> Self {
        let words = servers.div_ceil(WORD);
        let blocks = if words > BLOCK {
            words.div_ceil(BLOCK)
        } else {
            0
        };
        let width = 1 + words + blocks;
        let mut levels = Self {
            numbers: vec![ABSENT; servers],
            occupied: 0,
            rows: vec![0; LEVELS * width],
            words,
            width,
            beyond: None,
        };
        for server in 0..servers {
            levels.set(server, number(server));
        }
        levels
    }

    #[inline]
    fn has(&self, server: usize) -> bool {
        self.numbers.get(server).is_some_and(|&n| n != ABSENT)
    }

    #[inline]
    fn set(&mut self, server: usize, number: Option<u32>) {
        let now = number.unwrap_or(ABSENT);
        let before = std::mem::replace(&mut self.numbers[server], now);
        let level = |number: u32| Some(number as usize).filter(|&level| level < LEVELS);
        match (level(before), level(now)) {
            (Some(before), Some(now)) => {
                self.leave(before, server);
                self.enter(now, server);
            }
            (Some(before), None) => {
                self.leave(before, server);
                self.set_beyond(server, number);
            }
            (None, Some(now)) => {
                self.set_beyond(server, None);
                self.enter(now, server);
            }
            (None, None) => self.set_beyond(server, number),
        }
    }
}

/// How many bits are set in each byte of a word and those below it.
#[inline]
fn sums(word: u64) -> u64 {
    let pairs = word - ((word >> 1) & 0x5555_5555_5555_5555);
    let fours = (pairs & 0x3333_3333_3333_3333) + ((pairs >> 2) & 0x3333_3333_3333_3333);
    let bytes = (fours + (fours >> 4)) & 0x0f0f_0f0f_0f0f_0f0f;
    bytes.wrapping_mul(EACH)
}

/// A one in each byte.
const EACH: u64 = 0x0101_0101_0101_0101;

/// The place of a set bit of a word, counted from the lowest, with these sums.
#[inline]
fn nth(word: u64, sums: u64, rank: u64) -> usize {
    // The highest bit of each byte that ends before the one looked for: no byte borrows of the next.
    let passed = (((rank * EACH) | (0x80 * EACH)) - sums) & (0x80 * EACH);
    let shift = ((passed >> 7).wrapping_mul(EACH) >> 56) * 8;
    let below = ((sums << 8) >> shift) & 0xff;
    let mut byte = word >> shift;
    for _ in below..rank {
        byte &= byte - 1;
    }
    shift as usize + byte.trailing_zeros() as usize
}

#[cfg(test)]
mod tests {
    use super::super::least::scan;
    use super::*;
    use crate::draws::Stream;

    #[test]
    fn each_bit_of_a_word_is_found() {
        let mut draws = Stream::new(1, 0, "bits").at(0);
        let drawn = (0..200).map(|_| draws.bits() & draws.bits());
        for word in [1, u64::MAX, 1 << 63, 0x8000_0000_0000_0001]
            .into_iter()
            .chain(drawn)
        {
            let places = (0..64).filter(|place| (word >> place) & 1 == 1);
            for (rank, place) in places.enumerate() {
                assert_eq!(
                    nth(word, sums(word), rank as u64),
                    place,
                    "{word:x}, {rank}"
                );
            }
            assert_eq!((sums(word) >> 56) as u32, word.count_ones());
        }
    }

    #[test]
    fn levels_and_scan_choose_the_same_server_with_the_same_draws() {
        let mut draws = Stream::new(1, 0, "levels").at(0);
        for servers in [1, 2, 17, 63, 64, 65, 200, 1023, 1025, 3000] {
            for span in [1, 2, 5, 70, 1_000_000] {
                let mut numbers: Vec<Option<u32>> = vec![None; servers];
                let all: Vec<u32> = (0..servers as u32).collect();
                let mut levels = Levels::new(servers, |_| None);
                for step in 0..300 {
                    for _ in 0..=servers / 50 {
                        let server = draws.below(servers);
                        numbers[server] = (draws.below(4) > 0).then(|| draws.below(span) as u32);
                        levels.set(server, numbers[server]);
                        assert_eq!(levels.has(server), numbers[server].is_some());
                    }
                    if step % 50 == 49 {
                        levels = Levels::new(servers, |server| numbers[server]);
                    }
                    assert!(!levels.has(servers), "no such server");
                    for random_ties in [false, true] {
                        let ties = || Stream::new(2, 0, "ties").at(step);
                        let (mut one, mut other) = (ties(), ties());
                        let cost = |server: usize| numbers[server].map(f64::from);
                        assert_eq!(
                            levels.pick(random_ties, &mut one),
                            scan(&all, cost, random_ties, &mut other),
                            "{servers} servers, numbers below {span}, step {step}"
                        );
                        assert_eq!(one.bits(), other.bits(), "as many draws");
                    }
                }
            }
        }
    }
}
