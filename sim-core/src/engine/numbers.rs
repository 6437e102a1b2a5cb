//! How long how many requests were at a service's servers.
//!
//! Kept only where a service asks for it, and there nothing goes the fast path: whoever does not ask pays
//! nothing.

/// Time with each number of requests there, waiting or in service.
#[derive(Clone, Default)]
pub(super) struct Numbers {
    present: usize,
    /// By number: time there, in nanoseconds, less now where it is the present one, wrapping.
    spent: Vec<u64>,
}

impl Numbers {
    /// From now on, beginning with as many as there are.
    pub(super) fn begin(&mut self, now: u64) {
        self.spent.clear();
        self.go(0, now);
    }

    /// One more comes.
    pub(super) fn more(&mut self, now: u64) {
        self.spent[self.present] = self.spent[self.present].wrapping_add(now);
        self.go(1, now);
    }

    /// One fewer is there.
    pub(super) fn fewer(&mut self, now: u64) {
        self.spent[self.present] = self.spent[self.present].wrapping_add(now);
        self.go(-1, now);
    }

    fn go(&mut self, by: isize, now: u64) {
        self.present = self.present.saturating_add_signed(by);
        if self.present >= self.spent.len() {
            self.spent.resize(self.present + 1, 0);
        }
        self.spent[self.present] = self.spent[self.present].wrapping_sub(now);
    }

    /// Time with each number of requests up to now, in nanoseconds; the last number is the greatest there was.
    pub(super) fn spent_ns(&self, now: u64) -> Vec<u64> {
        let mut spent = self.spent.clone();
        if let Some(present) = spent.get_mut(self.present) {
            *present = present.wrapping_add(now);
        }
        spent
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_is_counted_by_number_and_from_the_warm_up_on() {
        let mut numbers = Numbers::default();
        numbers.begin(0);
        numbers.more(10);
        numbers.more(15);
        numbers.fewer(30);
        assert_eq!(numbers.spent_ns(32), [10, 5 + 2, 15]);
        numbers.begin(40);
        numbers.fewer(45);
        assert_eq!(numbers.spent_ns(100), [55, 5]);
    }
}
