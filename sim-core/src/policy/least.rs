//! The server of least cost, and which of equals.
//!
//! Two ways to the same server. A scan looks at every eligible server. A tree keeps the least cost
//! below each node, how many servers share it and which is their first: a change of one server costs a walk from leaf to
//! root instead, and a choice nothing, or a walk back where several are equal. Which of several equals it is takes one draw
//! either way, and equals count in their order; so a choice never depends on the way it came about.

use super::FleetView;
use crate::draws::Draws;
use crate::extension::{ParamDef, ParamKind};
use std::hint::select_unpredictable;

/// The parameter of policies that may find several servers equally good.
pub(super) const TIES: ParamDef = ParamDef {
    name: "ties",
    about: "Which of equals: a random one, or the first in order.",
    kind: ParamKind::Choice(&["random", "first"]),
    default: Some("random"),
};

/// Fleets of at most so many servers are scanned: a tree would cost more than it saves.
pub(super) const SMALL: usize = 16;

/// Which of so many equals is taken: with random ties each with the same chance, otherwise the first.
#[inline]
pub(super) fn rank(equals: usize, random_ties: bool, draws: &mut Draws) -> usize {
    if random_ties && equals > 1 {
        draws.below(equals)
    } else {
        0
    }
}

/// The server of least cost among `servers`; those without a cost are not considered. Costs are not
/// negative.
#[expect(
    clippy::float_cmp,
    reason = "costs that are computed alike are equal to the bit"
)]
pub(super) fn scan(
    servers: &[u32],
    cost: impl Fn(usize) -> Option<f64>,
    random_ties: bool,
    draws: &mut Draws,
) -> Option<usize> {
    let costs = || {
        let cost_of = |&server: &u32| Some((server as usize, cost(server as usize)?));
        servers.iter().filter_map(cost_of)
    };
    let mut found = None;
    let (mut least, mut equals) = (f64::INFINITY, 0);
    for (server, cost) in costs() {
        if found.is_none() || cost < least {
            (found, least, equals) = (Some(server), cost, 1);
        } else if cost == least {
            equals += 1;
        }
    }
    match rank(equals, random_ties, draws) {
        0 => found,
        rank => {
            let mut cheapest = costs().filter(|&(_, cost)| cost == least);
            cheapest.nth(rank).map(|(server, _)| server)
        }
    }
}

/// What knows the cheapest of many servers without looking at each.
pub(super) trait Ranked: Sized {
    type Cost;

    /// So many servers with these costs; without a cost a server is not picked.
    fn new(servers: usize, cost: impl Fn(usize) -> Option<Self::Cost>) -> Self;

    /// Whether a server may be picked.
    fn has(&self, server: usize) -> bool;

    /// A server has another cost, or none.
    fn set(&mut self, server: usize, cost: Option<Self::Cost>);

    /// Of the eligible servers, where there are many.
    fn of(fleet: &FleetView<'_>, cost: impl Fn(usize) -> Option<Self::Cost>) -> Option<Self> {
        let servers = fleet.weights.len();
        (servers > SMALL).then(|| {
            let mut eligible = vec![false; servers];
            for &server in fleet.eligible {
                eligible[server as usize] = true;
            }
            Self::new(servers, |server| {
                eligible[server].then(|| cost(server)).flatten()
            })
        })
    }

    /// What was known, after some of the servers became eligible or ceased to be: those, or all where it is
    /// not known which.
    fn after(
        known: Option<Self>,
        fleet: &FleetView<'_>,
        changed: Option<&[u32]>,
        cost: impl Fn(usize) -> Option<Self::Cost>,
    ) -> Option<Self> {
        match (known, changed) {
            (Some(mut known), Some(changed)) => {
                for server in changed {
                    let eligible = fleet.eligible.binary_search(server).is_ok();
                    let server = *server as usize;
                    known.set(server, eligible.then(|| cost(server)).flatten());
                }
                Some(known)
            }
            _ => Self::of(fleet, cost),
        }
    }
}

/// The least cost below a node, how many servers share it and which is the first of them.
#[derive(Clone, Copy, Debug)]
struct Node {
    /// An instant, or the bits of a float that is not negative: they compare as the float does.
    cost: u64,
    equals: u32,
    first: u32,
}

/// Of a server that may not be picked: dearer than any that may.
const ABSENT: Node = Node {
    cost: u64::MAX,
    equals: 0,
    first: u32::MAX,
};

impl Node {
    fn of(server: usize, cost: Option<u64>) -> Self {
        cost.map_or(ABSENT, |cost| Self {
            cost,
            equals: 1,
            first: server as u32,
        })
    }

    /// What is above two nodes. Which of them wins is a coin toss: both cases take the same steps.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "most of what a change costs")]
    fn above(self, other: Self) -> Self {
        let [own, others] = [self.cost <= other.cost, other.cost <= self.cost];
        let equals = |is_least, node: Self| select_unpredictable(is_least, node.equals, 0);
        let first = |is_least, node: Self| select_unpredictable(is_least, node.first, u32::MAX);
        Self {
            cost: self.cost.min(other.cost),
            equals: equals(own, self) + equals(others, other),
            first: first(own, self).min(first(others, other)),
        }
    }
}

/// The costs of all servers, with the least of them at hand.
#[derive(Clone, Debug)]
pub(super) struct Tree {
    /// All nodes but the root, siblings side by side: the servers, of which there is room for a power of two, then
    /// what is above each pair of them, and so on. A walk upwards ends where the list does.
    nodes: Vec<Node>,
    root: Node,
}

impl Tree {
    /// For how many servers there is room: the place of the first node above them.
    #[inline]
    fn servers(&self) -> usize {
        self.nodes.len() / 2 + 1
    }

    /// A server has another cost, a whole number, or none.
    #[inline]
    pub(super) fn set_whole(&mut self, server: usize, cost: Option<u64>) {
        let servers = self.servers();
        let nodes = &mut self.nodes[..];
        let mut node = Node::of(server, cost);
        let mut place = server;
        while let Some(own) = nodes.get_mut(place) {
            *own = node;
            let Some(&sibling) = nodes.get(place ^ 1) else {
                break;
            };
            node = node.above(sibling);
            place = servers + place / 2;
        }
        self.root = node;
    }

    /// The cost of a server where costs are whole numbers; none of one that is not picked.
    #[inline]
    pub(super) fn whole(&self, server: usize) -> Option<u64> {
        let node = self.nodes[server];
        (node.equals > 0).then_some(node.cost)
    }

    /// The first server in order of least cost, where costs are whole numbers and none counts as less than
    /// `floor`; and that cost.
    pub(super) fn first_above(&self, floor: u64) -> Option<(usize, u64)> {
        let most = self.root.cost.max(floor);
        if self.root.cost >= floor {
            return (self.root.equals > 0).then_some((self.root.first as usize, most));
        }
        let mut place = self.nodes.len();
        while let Some(pair) = place.checked_sub(self.servers()) {
            let left = self.nodes[2 * pair];
            place = 2 * pair + usize::from(left.cost > most);
        }
        Some((place, most))
    }

    /// The server of least cost.
    #[inline]
    pub(super) fn pick(&self, random_ties: bool, draws: &mut Draws) -> Option<usize> {
        let Node {
            cost,
            equals,
            first,
        } = self.root;
        if equals == 0 {
            return None;
        }
        let mut rank = rank(equals as usize, random_ties, draws) as u32;
        if rank == 0 {
            return Some(first as usize);
        }
        let mut place = self.nodes.len();
        while let Some(pair) = place.checked_sub(self.servers()) {
            let left = self.nodes[2 * pair];
            let before = select_unpredictable(left.cost == cost, left.equals, 0);
            let right = rank >= before;
            rank = select_unpredictable(right, rank.wrapping_sub(before), rank);
            place = 2 * pair + usize::from(right);
        }
        Some(place)
    }
}

impl Ranked for Tree {
    type Cost = f64;

    fn new(servers: usize, cost: impl Fn(usize) -> Option<f64>) -> Self {
        let size = servers.next_power_of_two().max(2);
        let cost = |server: usize| (server < servers).then(|| cost(server)).flatten();
        let node = |server| Node::of(server, cost(server).map(f64::to_bits));
        let mut nodes: Vec<Node> = (0..size).map(node).collect();
        nodes.reserve_exact(size - 1);
        for pair in 0..size - 1 {
            nodes.push(nodes[2 * pair].above(nodes[2 * pair + 1]));
        }
        let root = nodes.pop().expect("there are two servers at least");
        Self { nodes, root }
    }

    #[inline]
    fn has(&self, server: usize) -> bool {
        server < self.servers() && self.nodes[server].equals > 0
    }

    #[inline]
    fn set(&mut self, server: usize, cost: Option<f64>) {
        self.set_whole(server, cost.map(f64::to_bits));
    }
}

/// Whether costs of present loads say what a policy is to choose by: not for a copy that is kept from
/// some servers, and not where loads are those of the last report.
#[inline]
pub(super) fn is_plain(fleet: &FleetView<'_>) -> bool {
    !fleet.narrowed && !fleet.reported
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draws::Stream;

    #[test]
    fn tree_and_scan_choose_the_same_server_with_the_same_draws() {
        let mut draws = Stream::new(1, 0, "least").at(0);
        for servers in (1..40).chain([63, 64, 65, 200]) {
            for span in [1, 2, 5, 1_000_000] {
                let mut costs: Vec<Option<f64>> = vec![None; servers];
                let all: Vec<u32> = (0..servers as u32).collect();
                let mut tree = Tree::new(servers, |_| None);
                for step in 0..200 {
                    let server = draws.below(servers);
                    costs[server] = (draws.below(4) > 0).then(|| draws.below(span) as f64 / 3.0);
                    if step % 50 == 49 {
                        tree = Tree::new(servers, |server| costs[server]);
                    } else {
                        tree.set(server, costs[server]);
                    }
                    assert_eq!(tree.has(server), costs[server].is_some());
                    assert!(!tree.has(2 * servers + 2), "no such server");
                    for random_ties in [false, true] {
                        let of_tree = || Stream::new(2, 0, "ties").at(step);
                        let (mut one, mut other) = (of_tree(), of_tree());
                        assert_eq!(
                            tree.pick(random_ties, &mut one),
                            scan(&all, |server| costs[server], random_ties, &mut other),
                            "{servers} servers, costs below {span}, step {step}"
                        );
                        assert_eq!(one.bits(), other.bits(), "as many draws");
                    }
                }
            }
        }
    }

    #[test]
    fn each_of_equals_has_the_same_chance() {
        let cost = |server: usize| Some(if server.is_multiple_of(3) { 1.0 } else { 2.0 });
        let tree = Tree::new(30, cost);
        let mut times = [0_u32; 30];
        for i in 0..10_000 {
            let mut draws = Stream::new(1, 0, "equals").at(i);
            times[tree.pick(true, &mut draws).expect("there are some")] += 1;
        }
        for (server, &times) in times.iter().enumerate() {
            // Five standard deviations of a binomial of 10 000 draws and a chance of 1/10 are 150.
            let near = if server.is_multiple_of(3) {
                850..1150
            } else {
                0..1
            };
            assert!(near.contains(&times), "{server}: {times}");
        }
    }
}
