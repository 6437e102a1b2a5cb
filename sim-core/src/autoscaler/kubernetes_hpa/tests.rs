//! The documented examples, and counts worked out by hand.

use super::*;
use crate::extension::testing::example;

const MINUTE: u64 = 60;

/// The rule of a scenario's `{ kind = "kubernetes-hpa", target = 0.5, max = 100 }`, changed.
fn hpa(change: impl Fn(&mut Settings)) -> Hpa {
    let mut settings = Settings::of(&example(&AUTOSCALER.row));
    settings.min = 1;
    settings.max = 100;
    settings.target = Target::Utilisation(50);
    change(&mut settings);
    Hpa {
        settings,
        begun: false,
        answers: Vec::new(),
        added: Vec::new(),
        taken: Vec::new(),
    }
}

fn at(second: u64) -> Instant {
    Instant(second * 1_000_000_000)
}

/// A pod of one core that has long been ready, busy for so many thousandths.
fn busy(busy_milli: u64) -> Member {
    Member {
        state: MemberState::Ready,
        since: at(0),
        started: None,
        workers: 1,
        reading: Some(Reading {
            at: at(10_000),
            busy_milli,
            requests_milli_hz: busy_milli * 100,
        }),
    }
}

fn missing() -> Member {
    Member {
        reading: None,
        ..busy(0)
    }
}

fn pending() -> Member {
    Member {
        state: MemberState::Pending,
        reading: None,
        ..busy(0)
    }
}

/// What the metric asks for, before it is held back.
fn asked(rule: &Hpa, members: &[Member]) -> Option<u32> {
    let seen = Seen {
        now: at(10_000),
        interval: Duration::from_secs(15),
        members,
    };
    rule.settings.asked(&seen).map(|(asked, _)| asked)
}

/// What comes of a decision with so many pods that are so busy.
fn decide(rule: &mut Hpa, second: u64, pods: u32, busy_milli: u64) -> u32 {
    let members = vec![busy(busy_milli); pods as usize];
    let seen = Seen {
        now: at(second),
        interval: Duration::from_secs(15),
        members: &members,
    };
    rule.decide(&seen).expect("there are readings").servers
}

#[test]
fn the_ratio_times_the_pods_is_rounded_up() {
    let rule = hpa(|_| {});
    // 200m wanted, 100m measured, and the other way round: the documentation's example.
    let rule_200m = hpa(|s| s.target = Target::Utilisation(20));
    assert_eq!(asked(&rule_200m, &[busy(100); 4]), Some(2));
    assert_eq!(
        asked(
            &hpa(|s| s.target = Target::Utilisation(10)),
            &[busy(200); 4]
        ),
        Some(8)
    );
    // 3 × 70 / 50 = 4.2.
    assert_eq!(asked(&rule, &[busy(700); 3]), Some(5));
    // 61.9 % counts as 61: 10 × 61 / 50 = 12.2; as 61.9 it would still be 13, as 59.9 → 59 it is 11.8.
    assert_eq!(asked(&rule, &[busy(599); 10]), Some(12));
    // 60.9 % counts as 60, which asks for 12 pods exactly; without the cut it would be 13.
    assert_eq!(asked(&rule, &[busy(609); 10]), Some(12));
}

#[test]
fn within_the_tolerance_nothing_is_asked() {
    let rule = hpa(|_| {});
    // 55 of 50 is 1.1, and 1.1 is within; 56 is not.
    assert_eq!(asked(&rule, &[busy(550); 10]), Some(10));
    assert_eq!(asked(&rule, &[busy(560); 10]), Some(12));
    assert_eq!(asked(&rule, &[busy(450); 10]), Some(10));
    assert_eq!(asked(&rule, &[busy(440); 10]), Some(9));
}

#[test]
fn unready_pods_count_as_idle_on_the_way_up_and_not_at_all_on_the_way_down() {
    let rule = hpa(|_| {});
    // 3 × 100 over 5 is 60 %: 5 × 60 / 50 = 6, where the three by themselves ask for 6 as well.
    let up = [busy(1000), busy(1000), busy(1000), pending(), pending()];
    assert_eq!(asked(&rule, &up), Some(6));
    // 3 × 80 over 5 is 48 %, the other side of the target: it stays.
    let turned = [busy(800), busy(800), busy(800), pending(), pending()];
    assert_eq!(asked(&rule, &turned), Some(5));
    // 3 × 20 / 50 = 1.2: those on their way are not counted.
    let down = [busy(200), busy(200), busy(200), pending(), pending()];
    assert_eq!(asked(&rule, &down), Some(2));
}

#[test]
fn missing_metrics_count_as_idle_on_the_way_up_and_as_busy_on_the_way_down() {
    let rule = hpa(|_| {});
    // 4 × 100 over 5 is 80 %: 5 × 80 / 50 = 8.
    let up = [busy(1000), busy(1000), busy(1000), busy(1000), missing()];
    assert_eq!(asked(&rule, &up), Some(8));
    // (3 × 10 + 100) / 4 is 32 %: 4 × 32 / 50 = 2.56.
    let down = [busy(100), busy(100), busy(100), missing()];
    assert_eq!(asked(&rule, &down), Some(3));
    // (20 + 100) / 2 is 60 %, the other side: it stays.
    assert_eq!(asked(&rule, &[busy(200), missing()]), Some(2));
    assert_eq!(asked(&rule, &[missing(), missing()]), None);
}

#[test]
fn other_metrics_take_a_missing_pod_for_one_at_the_target_and_ask_nobody_whether_he_is_ready() {
    // 40 requests a second wanted.
    let rule = hpa(|s| s.target = Target::Requests(40_000));
    // 3 × 80 / 40 = 6.
    assert_eq!(asked(&rule, &[busy(800); 3]), Some(6));
    // (10 + 10 + 40) / 3 is 20: 3 × 20 / 40 = 1.5.
    assert_eq!(asked(&rule, &[busy(100), busy(100), missing()]), Some(2));
    let down = Member {
        state: MemberState::NotReady,
        ..busy(800)
    };
    assert_eq!(asked(&rule, &[down; 3]), Some(6));
}

#[test]
fn a_young_pod_counts_with_a_reading_that_began_since_it_was_ready() {
    let rule = hpa(|_| {});
    let young = |since: u64, state| Member {
        state,
        since: at(since),
        started: Some(at(9_900)),
        ..busy(1000)
    };
    let idle = |young: Member| asked(&rule, &[busy(1000), young]);
    // The reading is of 9985 to 10000: two pods ask for 4, one and an idle one for 2 × 50 / 50.
    assert_eq!(idle(young(9_985, MemberState::Ready)), Some(4));
    assert_eq!(idle(young(9_986, MemberState::Ready)), Some(2));
    assert_eq!(idle(young(9_950, MemberState::NotReady)), Some(2));
    // Later, one that is not ready counts if it ever was ready.
    let old = |since: u64| Member {
        state: MemberState::NotReady,
        since: at(since),
        started: Some(at(9_000)),
        ..busy(1000)
    };
    assert_eq!(idle(old(9_029)), Some(2));
    assert_eq!(idle(old(9_030)), Some(4));
}

#[test]
fn upwards_it_doubles_or_adds_four_in_15_s() {
    let mut rule = hpa(|_| {});
    // All busy: twice the pods are asked for at 50 %; with a target of 10 % ten times.
    rule.settings.target = Target::Utilisation(10);
    let mut pods = 1;
    let mut seen = Vec::new();
    for step in 1..=5 {
        pods = decide(&mut rule, step * 15, pods, 1000);
        seen.push(pods);
    }
    // 1 + 4, 5 × 2, 10 × 2, 20 × 2, 40 × 2.
    assert_eq!(seen, [5, 10, 20, 40, 80]);
    // Within the same 15 s nothing more: 7 s later the period began with 40.
    let mut rule = hpa(|s| s.target = Target::Utilisation(10));
    assert_eq!(decide(&mut rule, 15, 40, 1000), 80);
    assert_eq!(decide(&mut rule, 22, 80, 1000), 80);
    assert_eq!(decide(&mut rule, 30, 80, 1000), 100);
}

#[test]
fn downwards_the_highest_answer_of_five_minutes_counts() {
    let mut rule = hpa(|_| {});
    // Ten pods at first, then a load for four from minute 1, and for two from minute 3.
    let load = |second: u64| match second {
        0..60 => 500,
        60..180 => 200,
        _ => 100,
    };
    let mut pods = 10;
    let mut changes = Vec::new();
    for step in 1..=60 {
        let second = step * 15;
        let before = pods;
        // The same work over fewer pods.
        pods = decide(
            &mut rule,
            second,
            pods,
            load(second) * 10 / u64::from(before),
        );
        if pods != before {
            changes.push((second, pods));
        }
    }
    // The last answer of 10 is of second 45, the last of 4 of second 165: five minutes later each.
    assert_eq!(changes, [(345, 4), (465, 2)]);
}

#[test]
fn policies_limit_what_changes_within_their_period() {
    // One pod a minute, or 10 % in a minute, whichever is less; at most two in two minutes downwards.
    let limit = |amount, seconds| Limit {
        amount,
        period: Duration::from_secs(seconds),
    };
    let mut rule = hpa(|s| {
        s.up.limits = vec![
            limit(Amount::Pods(3), MINUTE),
            limit(Amount::Percent(10.0), MINUTE),
        ];
        s.up.select = Select::Least;
        s.down.window = Duration::ZERO;
        s.down.limits = vec![
            limit(Amount::Pods(2), 2 * MINUTE),
            limit(Amount::Percent(50.0), MINUTE),
        ];
        s.down.select = Select::Least;
    });
    // 15 × 1.1 = 16.5, rounded up; then nothing until the minute is over; then 17 × 1.1 = 18.7.
    let up: Vec<u32> = [(15, 15), (30, 17), (74, 17), (75, 17)]
        .map(|(second, pods)| decide(&mut rule, second, pods, 1000))
        .to_vec();
    assert_eq!(up, [17, 17, 17, 19]);
    let down: Vec<u32> = [(200, 19), (215, 17), (319, 17), (320, 17)]
        .map(|(second, pods)| decide(&mut rule, second, pods, 1))
        .to_vec();
    assert_eq!(down, [17, 17, 17, 15]);
    // With the larger of both, half of them may go at once.
    rule.settings.down.select = Select::Most;
    assert_eq!(decide(&mut rule, 900, 15, 1), 7);
    rule.settings.down.select = Select::Disabled;
    assert_eq!(decide(&mut rule, 1800, 15, 1), 15);
    rule.settings.up.select = Select::Disabled;
    assert_eq!(decide(&mut rule, 2800, 15, 1000), 15);
}

#[test]
fn a_window_upwards_waits_for_the_lowest_answer() {
    let mut rule = hpa(|s| s.up.window = Duration::from_secs(60));
    // Where it begins, 2, counts for a minute.
    let up: Vec<u32> = [15, 30, 45, 60, 74, 75]
        .map(|second| decide(&mut rule, second, 2, 1000))
        .to_vec();
    assert_eq!(up, [2, 2, 2, 2, 2, 4]);
}

#[test]
fn bounds_hold_at_once_and_whatever_is_asked() {
    assert_eq!(decide(&mut hpa(|s| s.min = 5), 0, 3, 0), 5);
    assert_eq!(decide(&mut hpa(|s| s.max = 2), 0, 3, 1000), 2);
    assert_eq!(decide(&mut hpa(|s| s.max = 4), 0, 3, 1000), 4);
    let mut rule = hpa(|s| s.down.window = Duration::ZERO);
    assert_eq!(decide(&mut rule, 0, 3, 0), 1);
}

#[test]
fn what_no_window_looks_at_is_forgotten() {
    let mut rule = hpa(|_| {});
    for second in 0..10_000 {
        decide(
            &mut rule,
            second,
            10,
            if second % 2 == 0 { 1000 } else { 10 },
        );
    }
    assert!(rule.answers.len() <= 301, "{}", rule.answers.len());
    assert!(rule.added.len() <= 16, "{}", rule.added.len());
}
