//! A table in which each server has as many places as its weight says, spread out.

/// A table has at most so many places: weights that would need more lose their finer steps.
const MOST: u64 = 1 << 20;

/// The table for these weights: whoever is owed a turn gets the next place, those before others first.
///
/// After each place every server is owed its weight more, and who gets it a whole table's worth less. A
/// server that is owed a whole turn comes before one that is owed part of one, and both before one in debt.
pub(super) fn table(weights: &[u64]) -> Vec<u32> {
    let mut weights = weights.to_vec();
    let divisor = weights
        .iter()
        .fold(0, |a, &b| greatest_common_divisor(a, b))
        .max(1);
    let mut total: u64 = weights.iter().map(|weight| weight / divisor).sum();
    if weights
        .iter()
        .all(|&weight| weight == 0 || weight == divisor)
    {
        // All owed alike: each in its turn.
        let there = (0..).zip(&weights).filter(|(_, weight)| **weight > 0);
        return there.map(|(server, _)| server).collect();
    }
    let coarser = divisor * total.div_ceil(MOST).max(1);
    for weight in &mut weights {
        *weight = weight.div_ceil(coarser);
    }
    total = weights.iter().sum();
    // Who may have a place, and who is overdue; and when others come to be, after so many places.
    let (mut ready, mut overdue) = (Index::default(), Index::default());
    let mut at = std::collections::BTreeSet::new();
    let mut had = vec![0_u64; weights.len()];
    // The place from which a server is owed something after so many turns.
    let from = |turns: u64, weight: u64| (turns * total).div_ceil(weight).max(1);
    for (server, &weight) in weights.iter().enumerate().filter(|(_, w)| **w > 0) {
        at.insert((from(0, weight), server, false));
        at.insert((from(1, weight), server, true));
    }
    let mut table = Vec::with_capacity(total as usize);
    for place in 1..=total {
        while let Some(&(when, server, late)) = at.first()
            && when <= place
        {
            at.pop_first();
            (if late { &mut overdue } else { &mut ready }).insert(server);
        }
        let Some(&server) = overdue.first().or_else(|| ready.first()) else {
            break;
        };
        let weight = weights[server];
        let turns = had[server];
        for late in [false, true] {
            let queue = if late { &mut overdue } else { &mut ready };
            queue.remove(&server);
            at.remove(&(from(turns + u64::from(late), weight), server, late));
            at.insert((from(turns + 1 + u64::from(late), weight), server, late));
        }
        had[server] += 1;
        table.push(server as u32);
    }
    table
}

type Index = std::collections::BTreeSet<usize>;

fn greatest_common_divisor(a: u64, b: u64) -> u64 {
    if b == 0 {
        a
    } else {
        greatest_common_divisor(b, a % b)
    }
}

#[cfg(test)]
mod tests {
    use super::table;

    /// The same, place by place, as it is defined.
    fn slowly(weights: &[i64]) -> Vec<u32> {
        let total: i64 = weights.iter().sum();
        let mut owed = vec![0; weights.len()];
        let mut table = Vec::new();
        for _ in 0..total {
            let mut best: Option<(i64, usize)> = None;
            for (server, &weight) in weights.iter().enumerate().filter(|(_, w)| **w > 0) {
                owed[server] += weight;
                let turns = (owed[server] + total) / total;
                if best.is_none_or(|(most, _)| turns > most) {
                    best = Some((turns, server));
                }
            }
            let (_, server) = best.expect("somebody");
            owed[server] -= total;
            table.push(server as u32);
        }
        table
    }

    #[test]
    fn places_are_those_of_the_definition() {
        for weights in [
            vec![3, 2, 1],
            vec![5, 1, 1],
            vec![7, 0, 3, 11],
            vec![1; 9],
            vec![2, 3],
            vec![100, 1, 37, 5, 5],
        ] {
            let unsigned: Vec<u64> = weights.iter().map(|&w| w as u64).collect();
            assert_eq!(table(&unsigned), slowly(&weights), "{weights:?}");
            let scaled: Vec<u64> = unsigned.iter().map(|w| w * 16).collect();
            assert_eq!(table(&scaled), slowly(&weights), "{weights:?}");
        }
    }

    #[test]
    fn a_table_has_a_limit_and_leaves_nobody_out() {
        let mut weights = vec![4095; 1000];
        weights[7] = 1;
        let table = table(&weights);
        assert!(table.len() < 1_100_000, "{}", table.len());
        assert!(table.contains(&7));
        assert!(super::table(&[0, 0]).is_empty() && super::table(&[]).is_empty());
    }
}
