//! Measuring in turns: A B A B …, in CPU time of the thread.
//!
//! On a shared machine a slow minute would otherwise be blamed on whoever ran in it. The minimum
//! of the repetitions is about what a quiet machine gives, the median what this one gave; the
//! ratio is taken within each round, between runs that are a moment apart, and its median reported.

use rustix::time::{ClockId, clock_gettime};

/// A program that is measured.
pub struct Contestant<'a> {
    /// Its name in the table.
    pub name: &'a str,
    /// Simulates so many requests once and returns how many it did.
    pub run: Box<dyn FnMut() -> u64 + 'a>,
}

/// A contestant's figures.
#[derive(Clone, PartialEq, Debug)]
pub struct Score {
    /// Nanoseconds of CPU a request, a value a round.
    pub ns_per_request: Vec<f64>,
    /// The same divided by the first contestant's in the same round.
    pub ratio: Vec<f64>,
}

impl Score {
    /// The smallest, middle and largest of some values.
    pub fn spread(values: &[f64]) -> [f64; 3] {
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        [
            sorted[0],
            sorted[sorted.len() / 2],
            sorted[sorted.len() - 1],
        ]
    }
}

/// Runs all contestants in turns, `rounds` times after one round that is not counted.
pub fn contest(contestants: &mut [Contestant<'_>], rounds: usize) -> Vec<Score> {
    let mut scores = vec![
        Score {
            ns_per_request: Vec::new(),
            ratio: Vec::new()
        };
        contestants.len()
    ];
    for round in 0..=rounds {
        let mut first = 0.0;
        for (i, contestant) in contestants.iter_mut().enumerate() {
            let start = cpu_ns();
            let requests = (contestant.run)();
            let ns = (cpu_ns() - start) as f64 / requests as f64;
            if i == 0 {
                first = ns;
            }
            if round > 0 {
                scores[i].ns_per_request.push(ns);
                scores[i].ratio.push(ns / first);
            }
        }
    }
    scores
}

/// Nanoseconds of CPU that this thread has used.
pub fn cpu_ns() -> u64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

/// Seconds of CPU that this process has used, all of its threads.
pub fn process_s() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contestants_take_turns() {
        let order = std::cell::RefCell::new(String::new());
        let contestant = |name| {
            let order = &order;
            let run = move || {
                order.borrow_mut().push_str(name);
                crate::bare::run(2, 1000, 1).count
            };
            Contestant {
                name,
                run: Box::new(run),
            }
        };
        let scores = contest(&mut [contestant("a"), contestant("b")], 2);
        assert_eq!(*order.borrow(), "ababab");
        assert!(
            scores
                .iter()
                .all(|score| score.ns_per_request.len() == 2 && score.ratio.len() == 2)
        );
    }

    #[test]
    fn spread_is_least_middle_greatest() {
        assert_eq!(Score::spread(&[3.0, 1.0, 2.0]).map(|v| v as u32), [1, 2, 3]);
    }
}
