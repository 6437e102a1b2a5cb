//! The published facts about nginx that are the policy's alone; numbers are those of the cases.

use super::*;
use crate::draws::Stream;
use crate::policy::fixture::{Fleet, build};

fn letter(server: Option<usize>) -> char {
    server.map_or('-', |server| char::from(b'a' + server as u8))
}

/// Servers at the addresses of the cases.
const ADDRESSES: [&str; 3] = ["127.0.0.1:18101", "127.0.0.1:18102", "127.0.0.1:18103"];

struct Case {
    policy: Box<dyn Policy>,
    fleet: Fleet,
    count: u64,
}

impl Case {
    fn new(policy: &str, weights: &[f64]) -> Self {
        let fleet = Fleet {
            weights: weights.to_vec(),
            ..Fleet::of(weights.len())
        };
        let mut policy = build(policy);
        policy.name_servers(&ADDRESSES[..weights.len().min(3)]);
        policy.on_fleet_changed(&fleet.view());
        let count = 0;
        Self {
            policy,
            fleet,
            count,
        }
    }

    fn pick(&mut self, key: u64) -> char {
        let job = Job {
            key,
            ..Job::default()
        };
        self.count += 1;
        let draws = &mut Stream::new(1, 0, "nginx").at(self.count);
        letter(self.policy.pick(&self.fleet.view(), &job, draws))
    }

    fn picks(&mut self, keys: impl Iterator<Item = u64>) -> String {
        keys.map(|key| self.pick(key)).collect()
    }

    /// Attempts that stay in flight.
    fn kept_open(&mut self, n: u64) -> String {
        let mut picks = String::new();
        for _ in 0..n {
            let pick = self.pick(0);
            self.fleet.in_flight[(pick as u8 - b'a') as usize] += 1;
            picks.push(pick);
        }
        picks
    }
}

#[test]
fn turns() {
    for (name, weights, picks) in [
        ("1 rr-two-equal", &[1.0, 1.0][..], "ababababab"),
        (
            "3 rr-weights-4321",
            &[4.0, 3.0, 2.0, 1.0],
            "abcabdacbaabcabdacba",
        ),
        ("5:1:1", &[5.0, 1.0, 1.0], "aabacaaaabacaa"),
        ("A1", &[3.0, 2.0, 1.0], "abacbaabacba"),
    ] {
        for policy in ["nginx-round-robin", "nginx-least-conn"] {
            let got = Case::new(policy, weights).picks(0..picks.len() as u64);
            assert_eq!(got, picks, "{name} {policy}");
        }
    }
}

#[test]
fn fewest_connections() {
    for (name, weights, picks) in [
        ("45 lc-three-equal", &[1.0, 1.0, 1.0][..], "abccbaa"),
        ("A6", &[2.0, 1.0], "ababaaaba"),
    ] {
        let got = Case::new("nginx-least-conn", weights).kept_open(picks.len() as u64);
        assert_eq!(got, picks, "{name}");
    }
}

/// Which of the keys "1" to "20" go where.
#[test]
fn hashes() {
    for (name, policy, last, picks) in [
        ("47 hash-3", "nginx-hash", 1.0, "bcbabaaccacaccbcabbc"),
        (
            "49 hash-weight-10",
            "nginx-hash",
            10.0,
            "ccccbaccccccccccccbc",
        ),
        (
            "53 chash-3",
            "nginx-hash consistent=true",
            1.0,
            "caccaabaaaacaabbcbaa",
        ),
        (
            "55 chash-weight-10",
            "nginx-hash consistent=true",
            10.0,
            "cccccaccccccacbcccca",
        ),
    ] {
        let got = Case::new(policy, &[1.0, 1.0, last]).picks(1..=20);
        assert_eq!(got, picks, "{name}");
    }
}

#[test]
fn case_51_an_empty_key_takes_turns() {
    let fleet = Fleet::of(3);
    let params = Params::new(vec![
        ("max_fails", crate::extension::ParamValue::Integer(1)),
        ("errors", crate::extension::ParamValue::Choice(0)),
    ]);
    let mut peers = Peers::new(&params);
    peers.reweigh(&fleet.weights);
    for consistent in [false, true] {
        let method = hash::Hash::of(consistent, &ADDRESSES, &fleet.weights);
        let pick = |_| letter(method.choose(&mut peers, &fleet.view(), b"", None));
        assert_eq!((0..6).map(pick).collect::<String>(), "abcabc");
    }
}

#[test]
fn addresses() {
    let ip = |octets: [u8; 4]| u64::from(u32::from_be_bytes(octets));
    let mut case = Case::new("nginx-ip-hash", &[1.0; 3]);
    let picks = case.picks((1..=30).map(|i| ip([127, 0, i, 2])));
    assert_eq!(picks, "abc".repeat(10), "59 ip-hash-3");
    let mut case = Case::new("nginx-ip-hash", &[1.0; 2]);
    let picks = case.picks((1..=10).map(|i| ip([10, 1, 1, i])));
    assert_eq!(picks, "b".repeat(10), "61 ip-hash-slash-24");
}

/// A7: where most servers are banned, keys stick to nothing.
#[test]
fn twenty_in_vain_are_followed_by_turns() {
    for policy in ["nginx-hash", "nginx-hash consistent=true", "nginx-ip-hash"] {
        let mut case = Case::new(policy, &[1.0; 60]);
        case.fleet.eligible = vec![10, 40];
        let keys = (0..60).map(|i| 256 * i);
        let of_key = |case: &mut Case, key| case.picks([key; 6].into_iter());
        let seen: Vec<String> = keys.map(|key| of_key(&mut case, key)).collect();
        let alternates = |picks: &String| {
            let picks = picks.as_bytes();
            picks.windows(2).all(|pair| pair[0] != pair[1])
        };
        let sticks = |picks: &String| picks.bytes().all(|pick| pick == picks.as_bytes()[0]);
        let (some, others) = (seen.iter().any(alternates), seen.iter().any(sticks));
        assert!(some && others, "{policy}: {seen:?}");
    }
}

/// A7: the next point is where the key goes without its server.
#[test]
fn a_key_whose_server_is_tried_goes_where_it_goes_without_that_server() {
    for policy in ["nginx-hash consistent=true", "nginx-hash", "nginx-ip-hash"] {
        let mut case = Case::new(policy, &[1.0; 3]);
        for key in (0..30).map(|i| 256 * i) {
            let own = (case.pick(key) as u8 - b'a') as usize;
            case.fleet.eligible = (0..3).filter(|&s| s as usize != own).collect();
            let without = case.pick(key);
            let job = Job {
                key,
                previous: Some(own),
                ..Job::default()
            };
            let draws = &mut Stream::new(1, 0, "nginx").at(key);
            let again = case.policy.pick(&case.fleet.view(), &job, draws);
            assert_eq!(letter(again), without, "{policy} {key}");
            case.fleet.eligible = vec![0, 1, 2];
        }
    }
}

/// Shares of the first server among so many picks of idle ones.
fn share(policy: &str, weights: &[f64], picks: u64) -> f64 {
    let picked = Case::new(policy, weights).picks(0..picks);
    picked.matches('a').count() as f64 / picks as f64
}

/// Chances are worked out: with two draws the second, other one wins; after 20 in vain turns decide. Five
/// standard deviations; the neighbouring rule is outside of them.
#[test]
fn draws() {
    let near = |share: f64, chance: f64, n: f64| {
        (share - chance).abs() < 5.0 * (chance * (1.0 - chance) / n).sqrt()
    };
    // A repeated draw of b has the chance 10/11, twenty times in a row: then a has 1 turn of 11.
    let in_vain = std::iter::repeat_n(10.0 / 11.0, 20).product::<f64>();
    let ten_to_one = 10.0 / 11.0 * (1.0 - in_vain + in_vain / 11.0);
    for (name, policy, weights, chance, neighbour) in [
        (
            "65 random-two-idle-inverts",
            "nginx-random two=true",
            [1.0, 2.0],
            2.0 / 3.0,
            "nginx-random",
        ),
        (
            "A45 3:1",
            "nginx-random two=true",
            [3.0, 1.0],
            0.25,
            "nginx-random",
        ),
        (
            "A45 plain",
            "nginx-random",
            [3.0, 1.0],
            0.75,
            "nginx-random two=true",
        ),
        (
            "A45 10:1",
            "nginx-random two=true",
            [1.0, 10.0],
            ten_to_one,
            "nginx-random",
        ),
    ] {
        let n = 40_000;
        let drawn = share(policy, &weights, n);
        assert!(
            near(drawn, chance, n as f64),
            "{name}: {drawn} is not {chance}"
        );
        let other = share(neighbour, &weights, n);
        assert!(
            !near(other, chance, n as f64),
            "{name}: {neighbour} passes too"
        );
    }
}

#[test]
fn case_67_two_draws_under_load_follow_the_weights() {
    for _ in 0..4 {
        let mut picks: Vec<char> = Case::new("nginx-random two=true", &[1.0, 2.0])
            .kept_open(3)
            .chars()
            .collect();
        picks.sort_unstable();
        assert_eq!(picks, ['a', 'b', 'b']);
    }
}

/// After a failure of a server of weight 100 that may fail once: what it gets of each 50.
#[test]
fn an_effective_weight_climbs_by_one_with_each_turn() {
    let mut case = Case::new("nginx-round-robin", &[100.0, 100.0]);
    assert_eq!(case.pick(0), 'a');
    case.policy.on_failed(0, Outcome::Reset, true);
    let picks = case.picks(0..200);
    let got: Vec<usize> = (picks.as_bytes().chunks(50))
        .map(|fifty| String::from_utf8_lossy(fifty).matches('a').count())
        .collect();
    assert_eq!(got, [8, 22, 25, 25]);
    // An answer that is an error is a failure only where it is tried again.
    let mut case = Case::new("nginx-round-robin", &[100.0, 100.0]);
    case.policy.on_failed(0, Outcome::Errored, false);
    assert_eq!(case.picks(0..50).matches('a').count(), 25);
}

#[test]
fn a_ring_of_great_weights_has_a_limit_and_leaves_nobody_out() {
    let case = Case::new("nginx-hash consistent=true", &[1e9, 1.0, 1e8]);
    let bytes = case.policy.shared_bytes();
    assert!(bytes < 8 * (hash::MOST_POINTS as usize + 9), "{bytes}");
}
