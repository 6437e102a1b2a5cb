//! `CoDel`, controlled delay: the least wait of late says whether a queue only stands.
//!
//! A queue that takes up bursts is empty again soon; one that stands makes everybody wait for
//! nothing. As long as every wait of an `interval` was above `target`, one attempt is discarded, and
//! further ones ever sooner: the n-th of a row follows the one before after `interval` / √n. The first
//! short wait, or a queue with no more than one waiting, ends it. Soon after such a time, the next begins
//! where that left off.
//!
//! Nichols, Jacobson, `McGregor` and Iyengar, "Controlled Delay Active Queue Management", RFC 8289, 2018,
//! section 5, a request being a packet of full size: at most one that waits is at most one packet's
//! worth. The RFC looks once when a packet leaves and drops several at a time; here each attempt is
//! looked at by itself, with the same result.

use super::{Admission, Bounding, Guard, GuardDef, PLAIN, Stands, Verdict};
use crate::draws::Draws;
use crate::extension::{ExtensionRow, ParamDef, ParamKind, ParamProblem, Params};
use crate::time::{Duration, Instant};

/// The wait that is acceptable.
pub(super) const TARGET: ParamDef = ParamDef {
    name: "target",
    about: "The least wait within an interval that is still no overload.",
    kind: ParamKind::Span { min: Duration(1) },
    default: Some("5ms"),
};

/// How long it must be exceeded.
pub(super) const INTERVAL: ParamDef = ParamDef {
    name: "interval",
    about: "How long waits must stay above the target until something is done.",
    kind: ParamKind::Span { min: Duration(1) },
    default: Some("100ms"),
};

pub(super) static GUARD: GuardDef = GuardDef {
    row: ExtensionRow {
        name: "codel",
        about: "Discards waiting work, more and more often, while even the shortest wait of an interval is above a target.",
        source: "RFC 8289, 2018, section 5",
        params: &[TARGET, INTERVAL],
    },
    stands: Stands::AtServers,
    watches_queue: true,
    check,
    build: |params| {
        Box::new(Codel {
            target: params.span("target"),
            interval: params.span("interval"),
            above_from: None,
            dropping: false,
            drop_next: 0,
            dropped: false,
            count: 0,
            last_count: 0,
        })
    },
    bounds: Bounding::Perhaps,
    ..PLAIN
};

/// A target above the interval would never be seen to be exceeded for long.
pub(super) fn check(params: &Params) -> Result<(), ParamProblem> {
    let [target, interval] = ["target", "interval"].map(|name| params.span(name));
    if target >= interval {
        return Err(ParamProblem {
            param: "target",
            message: format!("target = {target} is not below interval = {interval}"),
        });
    }
    Ok(())
}

#[derive(Clone, Debug)]
struct Codel {
    target: Duration,
    interval: Duration,
    /// When waits will have been above the target for an interval, if they stay there.
    above_from: Option<u64>,
    dropping: bool,
    /// When the next is due, while dropping; afterwards when it would have been.
    drop_next: u64,
    /// Whether the one before was discarded in its turn: the next is planned if this one waited too.
    dropped: bool,
    /// Discarded since dropping began, and what it began with.
    count: u64,
    last_count: u64,
}

impl Codel {
    /// Whether waits have been above the target for an interval, up to this one.
    fn stands(&mut self, now: u64, waited: Duration, queued: u32) -> bool {
        if waited < self.target || queued <= 1 {
            self.above_from = None;
            return false;
        }
        let full = now.saturating_add(self.interval.0);
        now >= *self.above_from.get_or_insert(full)
    }

    /// When the one after the `count`-th is due.
    fn after(&self, moment: u64) -> u64 {
        let pause = self.interval.0 as f64 / libm::sqrt(self.count as f64);
        moment.saturating_add(pause as u64)
    }
}

impl Guard for Codel {
    fn admit(&mut self, _: &Admission, _: &mut Draws) -> Verdict {
        Verdict::Pass
    }

    fn begins(&mut self, asked: &Admission, waited: Duration) -> bool {
        let now = asked.now.0;
        let stands = self.stands(now, waited, asked.load.queued);
        let dropped = std::mem::take(&mut self.dropped);
        if self.dropping {
            if !stands {
                self.dropping = false;
                return true;
            }
            if dropped {
                self.drop_next = self.after(self.drop_next);
            }
            if now < self.drop_next {
                return true;
            }
            self.count += 1;
            self.dropped = true;
            return false;
        }
        if !stands {
            return true;
        }
        let more = self.count - self.last_count;
        let soon = now.saturating_sub(self.drop_next) < self.interval.0.saturating_mul(16);
        self.dropping = true;
        self.count = if more > 1 && soon { more } else { 1 };
        self.last_count = self.count;
        self.drop_next = self.after(now);
        false
    }

    fn gauge(&self, _: Instant) -> (&'static str, f64) {
        ("dropping", f64::from(u8::from(self.dropping)))
    }

    fn clone_box(&self) -> Box<dyn Guard> {
        Box::new(self.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::super::Load;
    use super::super::testing::{asked, guard};
    use super::*;

    fn begins(codel: &mut Box<dyn Guard>, at: u64, waited: u64, queued: u32) -> bool {
        let load = Load {
            queued,
            ..Load::default()
        };
        let asked = Admission {
            load,
            ..asked(at, 1)
        };
        codel.begins(&asked, Duration::from_millis(waited))
    }

    /// When it discards, of one that begins each millisecond.
    fn discarded(codel: &mut Box<dyn Guard>, from: u64, until: u64, waited: u64) -> Vec<u64> {
        let dropped = |at: &u64| !begins(codel, *at, waited, 9);
        (from..until).filter(dropped).collect()
    }

    #[test]
    fn the_control_law_by_hand() {
        // The first long wait is at 0, so an interval has passed at 100. Then 100 + 100/√1 = 200,
        // + 100/√2 = 270.71, + 100/√3 = 328.45, + 100/√4 = 378.45, + 100/√5 = 423.17, each seen at the
        // next whole millisecond.
        let mut codel = guard(&GUARD, &[]);
        let expected = [100, 200, 271, 329, 379, 424];
        assert_eq!(discarded(&mut codel, 0, 460, 20), expected);
    }

    #[test]
    fn a_short_wait_ends_it_and_the_next_time_begins_where_it_left_off() {
        let mut codel = guard(&GUARD, &[]);
        discarded(&mut codel, 0, 460, 20);
        assert!(discarded(&mut codel, 460, 470, 4).is_empty());
        // Six were discarded, five more than the one it began with: the second is due 100/√5 ms after
        // the first, not 100 ms; the third 100/√6 = 40.82 ms after 614.72.
        let expected = [570, 615, 656];
        assert_eq!(discarded(&mut codel, 470, 690, 20), expected);
        // Sixteen intervals later nothing is left of that.
        assert!(discarded(&mut codel, 690, 2500, 4).is_empty());
        assert_eq!(discarded(&mut codel, 2500, 2750, 20), [2600, 2700]);
    }

    #[test]
    fn a_burst_and_the_last_one_waiting_are_left_alone() {
        let mut codel = guard(&GUARD, &[]);
        for at in 0..1000 {
            // Every ninety milliseconds somebody hardly waits.
            let waited = if at % 90 == 0 { 4 } else { 200 };
            assert!(begins(&mut codel, at, waited, 9), "{at}");
        }
        for at in 1000..2000 {
            assert!(begins(&mut codel, at, 200, 1), "{at}");
        }
    }

    #[test]
    fn a_target_that_is_never_exceeded_for_long_is_refused() {
        let spans = |target, interval| {
            let spans = [("target", target), ("interval", interval)];
            let value = |ms| crate::extension::ParamValue::Span(Duration::from_millis(ms));
            let values = spans.map(|(name, ms)| (name, value(ms)));
            check(&Params::new(values.to_vec())).map_err(|problem| problem.message)
        };
        assert_eq!(spans(5, 6), Ok(()));
        let message = "target = 100ms is not below interval = 100ms";
        assert_eq!(spans(100, 100), Err(message.to_owned()));
    }
}
