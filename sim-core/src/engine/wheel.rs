//! Timers that rarely come due, and whatever is far away: a wheel of slices of time.
//!
//! Patience, copies of hedged requests and thoughts of a million users would make the
//! [heap](super::heap) large, and most of them are stale long before they come due. Each is put, unsorted,
//! into the slice of time it falls into. When a slice begins, what is still fresh in it goes into the heap,
//! which is small and has the last word on order; the rest is forgotten unseen.
//!
//! Slices are longer the farther away they are: an eighth to a sixty-fourth of the time to go, so that nearly
//! all of a timer's life is over when its slice begins. A stale timer is no event, so that it makes no
//! difference when it is found to be stale.

use super::event_queue::NEVER;
use super::heap::Entry;
use super::timer_fifo::THICK;

/// Slices of a level, a power of two: as many as may be in use at once.
const SLICES: u64 = 64;
/// Each level has slices that are longer by this power of two than those of the level below.
const STEP: u32 = 3;
/// Slices of so many entries keep their room when they are emptied.
const SMALL: usize = 1024;

/// See the module's documentation.
#[derive(Clone)]
pub(super) struct Wheel {
    levels: Vec<Level>,
    /// When the earliest slice begins that has anything in it.
    next: u64,
    len: usize,
    /// Entries that were left when stale ones were dropped last.
    left: usize,
}

/// Slices of one length.
#[derive(Clone, Default)]
struct Level {
    /// Those that something was ever put into, by the lowest bits of their numbers.
    slices: Vec<Vec<Entry>>,
    /// A bit for each that is not empty.
    occupied: u64,
}

impl Default for Wheel {
    fn default() -> Self {
        Self {
            levels: Vec::new(),
            next: NEVER,
            len: 0,
            left: 0,
        }
    }
}

impl Wheel {
    /// Whether something due so long from now is far enough away for a slice.
    #[inline]
    pub(super) fn takes(delay: u64) -> bool {
        delay >= SLICES / 8
    }

    /// When the earliest slice begins that has anything in it.
    pub(super) fn next(&self) -> u64 {
        self.next
    }

    /// Puts an entry into its slice; true if that is now the earliest.
    pub(super) fn push(&mut self, now: u64, entry: Entry) -> bool {
        // From 8 to below 64 slices from now: of those not yet begun no two share a place.
        let level = ((entry.time - now).ilog2() - 3) / STEP;
        if level as usize >= self.levels.len() {
            self.levels.resize_with(level as usize + 1, Level::default);
        }
        let shift = STEP * level;
        let number = entry.time >> shift;
        let place = number % SLICES;
        let level = &mut self.levels[level as usize];
        if level.slices.is_empty() {
            level.slices.resize_with(SLICES as usize, Vec::new);
        }
        level.slices[place as usize].push(entry);
        level.occupied |= 1 << place;
        self.len += 1;
        let earlier = number << shift < self.next;
        if earlier {
            self.next = number << shift;
        }
        earlier
    }

    /// Empties the earliest slices, up to one with something fresh in it, which goes where `put` says.
    pub(super) fn turn(&mut self, fresh: impl Fn(&Entry) -> bool, mut put: impl FnMut(Entry)) {
        let mut found = false;
        while !found && self.next < NEVER {
            let at = self.next;
            for level in 0..self.levels.len() {
                let shift = STEP * level as u32;
                let place = (at >> shift) % SLICES;
                let level = &mut self.levels[level];
                if level.occupied >> place & 1 == 0 || at >> shift << shift != at {
                    continue;
                }
                level.occupied &= !(1 << place);
                let slice = &mut level.slices[place as usize];
                self.len -= slice.len();
                for entry in slice.drain(..).filter(&fresh) {
                    found = true;
                    put(entry);
                }
                if slice.capacity() > SMALL {
                    *slice = Vec::new();
                }
            }
            self.find_next(at);
        }
    }

    /// Looks for the earliest slice with anything in it; none begins before `from`.
    fn find_next(&mut self, from: u64) {
        self.next = NEVER;
        for (shift, level) in (0..).step_by(STEP as usize).zip(&self.levels) {
            if level.occupied != 0 {
                let first = from.div_ceil(1 << shift);
                let ahead = level.occupied.rotate_right((first % SLICES) as u32);
                let number = first + u64::from(ahead.trailing_zeros());
                self.next = self.next.min(number << shift);
            }
        }
    }

    /// Drops all stale entries, once so many have come that most of them may be stale. True if the
    /// earliest slice may be another.
    pub(super) fn thin(&mut self, fresh: impl Fn(&Entry) -> bool) -> bool {
        if self.len <= THICK.max(2 * self.left) {
            return false;
        }
        let from = self.next;
        self.len = 0;
        for level in &mut self.levels {
            for (place, slice) in level.slices.iter_mut().enumerate() {
                slice.retain(&fresh);
                slice.shrink_to(2 * slice.len());
                self.len += slice.len();
                if slice.is_empty() {
                    level.occupied &= !(1 << place);
                }
            }
        }
        self.left = self.len;
        self.find_next(from);
        true
    }

    /// Bytes held.
    pub(super) fn bytes(&self) -> usize {
        let slices = self.levels.iter().flat_map(|level| &level.slices);
        let entries: usize = slices.map(Vec::capacity).sum();
        entries * size_of::<Entry>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draws::Stream;
    use crate::engine::Event;

    /// Entries come out as those of a sorted list do, whatever their distance, and as long as they are fresh.
    #[test]
    fn what_is_fresh_comes_out_before_it_is_due() {
        let mut draws = Stream::new(3, 0, "wheel").at(0);
        let stale = |entry: &Entry| entry.sequence.is_multiple_of(3);
        for reach in [6, 20, 40, 62] {
            let (mut wheel, mut due, mut waiting) = (Wheel::default(), Vec::new(), Vec::new());
            let mut now = draws.below(1000) as u64;
            for sequence in 0..20_000_u64 {
                let delay = draws.bits() >> (64 - 3 - draws.below(reach - 3));
                if draws.below(3) > 0 && Wheel::takes(delay) && now + delay < NEVER / 2 {
                    let entry = Entry {
                        time: now + delay,
                        sequence,
                        event: Event::Poll,
                    };
                    let before = wheel.next();
                    assert_eq!(wheel.push(now, entry), wheel.next() < before);
                    waiting.push((entry.time, sequence));
                } else {
                    now += delay.min(NEVER / 4 - now / 2) / 8;
                    while wheel.next() <= now {
                        wheel.turn(|e| !stale(e), |e| due.push((e.time, e.sequence)));
                    }
                }
                if sequence % 500 == 499 {
                    wheel.thin(|e| !stale(e));
                }
                assert!(wheel.next() > now);
                // All that is due was put out; what is to come may have been.
                waiting.retain(|&(time, _)| time > now);
                due.retain(|&(time, _)| time > now);
                if sequence % 100 == 0 {
                    let mut rest = due.clone();
                    let all = wheel.levels.iter().flat_map(|l| l.slices.iter().flatten());
                    rest.extend(all.map(|e| (e.time, e.sequence)));
                    rest.retain(|(_, sequence)| !sequence.is_multiple_of(3));
                    rest.sort_unstable();
                    let mut expected = waiting.clone();
                    expected.retain(|(_, sequence)| !sequence.is_multiple_of(3));
                    expected.sort_unstable();
                    assert_eq!(rest, expected, "reach {reach}, at {sequence}");
                }
            }
        }
    }

    #[test]
    fn stale_entries_do_not_gather() {
        let mut wheel = Wheel::default();
        for i in 0..1_000_000_u64 {
            let (time, event) = (3_600_000_000_000 + i * 1000, Event::Poll);
            wheel.push(
                i * 1000,
                Entry {
                    time,
                    sequence: i,
                    event,
                },
            );
            if i % 1000 == 0 {
                wheel.thin(|entry| entry.time < i * 1000);
            }
        }
        assert!(wheel.bytes() < 8_000_000, "{}", wheel.bytes());
    }
}
