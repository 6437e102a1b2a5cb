//! Which servers an instance uses, where each is to use only some: deterministic subsetting.
//!
//! Instances are dealt out in rounds. For each round the servers are shuffled and cut into as many
//! subsets of the wanted size as there are, and each instance of the round gets one. All servers are then used by
//! equally many instances, but for those left over in a round and for a round that is not full, where subsets drawn at random would
//! leave some servers with half as much as others. An instance keeps its subset, whoever of it is up.
//!
//! *Site Reliability Engineering*, O'Reilly 2016, chapter 20, "A subset selection algorithm:
//! deterministic subsetting".

use crate::draws::Stream;
use crate::ids::{Id, LocalId, ServiceId, Table};
use crate::model::Model;

/// The servers that an instance of a service uses; `None`: all of them.
pub(super) fn subset(
    model: &Model,
    replication: u64,
    service: ServiceId,
    number: u32,
) -> Option<Table<LocalId, bool>> {
    let service = &model.services[service.position()];
    let size = service.balancer.subset? as usize;
    let servers = service.servers.len();
    if size >= servers {
        return None;
    }
    let concern = format!("subset/{}", service.name);
    let stream = Stream::new(model.seed, replication, &concern);
    let mut used = Table::filled(servers, false);
    for server in members(stream, servers, size, number as usize) {
        used[LocalId::at(server)] = true;
    }
    Some(used)
}

/// The members of an instance's subset of so many servers.
fn members(stream: Stream, servers: usize, size: usize, number: usize) -> Vec<usize> {
    let subsets = servers / size;
    let (round, place) = (number / subsets, number % subsets);
    let mut order: Vec<usize> = (0..servers).collect();
    let mut draws = stream.at(round as u64);
    for last in (1..servers).rev() {
        order.swap(last, draws.below(last + 1));
    }
    order[place * size..(place + 1) * size].to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_servers_are_used_by_equally_many_instances() {
        let stream = Stream::new(1, 0, "subset/web");
        // 12 instances of 4 of 24 servers are two full rounds.
        let mut used = [0; 24];
        for number in 0..12 {
            let members = members(stream, 24, 4, number);
            assert_eq!(members.len(), 4);
            for server in members {
                used[server] += 1;
            }
        }
        assert_eq!(used, [2; 24]);
        assert_ne!(
            members(stream, 24, 4, 0),
            members(stream, 24, 4, 6),
            "rounds are shuffled anew"
        );
    }

    #[test]
    fn those_left_over_are_others_in_each_round() {
        let stream = Stream::new(1, 0, "subset/web");
        let left = |round: usize| {
            let mut used: Vec<usize> = (0..3)
                .flat_map(|i| members(stream, 10, 3, 3 * round + i))
                .collect();
            used.sort_unstable();
            used.dedup();
            assert_eq!(used.len(), 9);
            (0..10).find(|server| !used.contains(server))
        };
        let mut lefts: Vec<_> = (0..40).map(left).collect();
        lefts.sort_unstable();
        lefts.dedup();
        assert!(lefts.len() > 6, "{lefts:?}");
    }
}
