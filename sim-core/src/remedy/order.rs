//! Who comes first. What differs by less than matters is no difference: of two that save the same, the cheaper comes first.

/// A part of the damage that does not matter.
pub(super) const NOTHING: f64 = 0.001;

/// One thing to order by: the values of all, of which more is better, and by how much two may differ and still be alike.
pub(super) struct Key<'a> {
    pub value: &'a dyn Fn(usize) -> f64,
    pub alike: f64,
}

/// `who`, best first: by the first key; those alike in it by the next; and those alike in all by their numbers.
pub(super) fn order(mut who: Vec<usize>, keys: &[Key<'_>]) -> Vec<usize> {
    let Some((key, others)) = keys.split_first() else {
        who.sort_unstable();
        return who;
    };
    who.sort_by(|&a, &b| (key.value)(b).total_cmp(&(key.value)(a)).then(a.cmp(&b)));
    let mut ordered = Vec::with_capacity(who.len());
    let mut rest = who.as_slice();
    while let Some(&best) = rest.first() {
        let least = (key.value)(best) - key.alike;
        // What cannot be compared stands alone.
        let alike = rest
            .iter()
            .take_while(|&&i| (key.value)(i) >= least)
            .count()
            .max(1);
        let (peers, worse) = rest.split_at(alike);
        ordered.extend(order(peers.to_vec(), others));
        rest = worse;
    }
    ordered
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn those_alike_are_ordered_by_what_they_cost() {
        let saved = [90.0, 99.96, 100.0, 50.0, 99.99];
        let cost = [0.0, -1.0, -2.0, 0.0, -1.0];
        let keys = [
            Key {
                value: &|i| saved[i],
                alike: 0.1,
            },
            Key {
                value: &|i| cost[i],
                alike: 0.0,
            },
        ];
        assert_eq!(order((0..5).collect(), &keys), [1, 4, 2, 0, 3]);
        let exact = [Key {
            value: &|i| saved[i],
            alike: 0.0,
        }];
        assert_eq!(order((0..5).collect(), &exact), [2, 4, 1, 0, 3]);
    }

    #[test]
    fn what_has_no_value_comes_last() {
        let saved = [f64::NEG_INFINITY, 1.0, f64::NEG_INFINITY];
        let keys = [Key {
            value: &|i| saved[i],
            alike: 0.5,
        }];
        assert_eq!(order(vec![0, 1, 2], &keys), [1, 0, 2]);
    }
}
