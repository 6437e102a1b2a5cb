//! The ring of `hash-type consistent`, and the functions that keys are hashed with.
//!
//! Each server has a point for each sixteenth of its weight, at places that follow from its number alone, so
//! that a server which comes or goes moves its own keys only. A key belongs to the nearest point, on
//! whichever side of it.

/// Length of the ring.
const LENGTH: f64 = 4_294_967_296.0;

/// How many numbers of points each server has to itself.
const POINTS: u32 = 4096;

#[derive(Clone, Default, Debug)]
pub(super) struct Ring {
    /// Points in ascending order, each with its server.
    points: Vec<(u32, u32)>,
}

impl Ring {
    /// The ring of servers that have so many points each.
    pub(super) fn new(weights: &[u64]) -> Self {
        let mut points = Vec::new();
        for (server, &weight) in weights.iter().enumerate() {
            let server = server as u32;
            let number = (server + 1).wrapping_mul(POINTS);
            points.extend((0..weight as u32).map(|i| (avalanche(number.wrapping_add(i)), server)));
        }
        // Of equal points that of the server before others comes first.
        points.sort_unstable();
        Self { points }
    }

    /// Servers in the order in which a hash meets them: that of the nearest point, and then along the ring,
    /// once around. Servers with several points are met several times.
    pub(super) fn from(&self, hash: u32) -> impl Iterator<Item = usize> {
        let after = self.points.partition_point(|&(point, _)| point < hash);
        let count = self.points.len().max(1);
        let before = (after + count - 1) % count;
        let nearest = match (self.points.get(before), self.points.get(after % count)) {
            (Some(&(behind, _)), Some(&(ahead, _)))
                if hash.wrapping_sub(behind) <= ahead.wrapping_sub(hash) =>
            {
                before
            }
            _ => after % count,
        };
        let (first, rest) = self.points.split_at(nearest);
        let way = rest.iter().chain(first);
        way.map(|&(_, server)| server as usize)
    }

    /// The part of the ring that is nearest to the points of each server.
    pub(super) fn shares(&self, servers: usize) -> Vec<f64> {
        let mut shares = vec![0.0; servers];
        let Some(&(last, last_server)) = self.points.last() else {
            return shares;
        };
        let (mut before, mut before_server) = (last, last_server);
        for &(point, server) in &self.points {
            let gap = point.wrapping_sub(before);
            let gap = if gap == 0 && self.points.len() == 1 {
                LENGTH
            } else {
                f64::from(gap)
            };
            // Half a gap belongs to either end.
            shares[before_server as usize] += gap / 2.0 / LENGTH;
            shares[server as usize] += gap / 2.0 / LENGTH;
            (before, before_server) = (point, server);
        }
        shares
    }

    /// The server of the last point.
    pub(super) fn last(&self) -> Option<usize> {
        self.points.last().map(|&(_, server)| server as usize)
    }

    pub(super) fn bytes(&self) -> usize {
        self.points.capacity() * size_of::<(u32, u32)>()
    }
}

/// Bob Jenkins' full avalanche of 32 bits, followed by the program's multiplication that spreads it over the ring.
pub(super) fn avalanche(number: u32) -> u32 {
    let mut a = number;
    a = a.wrapping_add(0x7ed5_5d16).wrapping_add(a << 12);
    a = (a ^ 0xc761_c23c) ^ (a >> 19);
    a = a.wrapping_add(0x1656_67b1).wrapping_add(a << 5);
    a = a.wrapping_add(0xd3a2_646c) ^ (a << 9);
    a = a.wrapping_add(0xfd70_46c5).wrapping_add(a << 3);
    a = (a ^ 0xb55a_4f09) ^ (a >> 16);
    a.wrapping_mul(3_221_225_473)
}

/// How the bytes of a key become a number.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Function {
    Sdbm,
    Djb2,
    Wt6,
    Crc32,
}

impl Function {
    pub(super) fn of(self, bytes: &[u8]) -> u32 {
        match self {
            Self::Sdbm => bytes.iter().fold(0, |hash: u32, &byte| {
                // 65599 = 2¹⁶ + 2⁶ - 1.
                hash.wrapping_mul(65_599).wrapping_add(u32::from(byte))
            }),
            Self::Djb2 => bytes.iter().fold(5381, |hash: u32, &byte| {
                hash.wrapping_mul(33).wrapping_add(u32::from(byte))
            }),
            Self::Wt6 => wt6(bytes),
            Self::Crc32 => !bytes.iter().fold(!0, |crc: u32, &byte| {
                (0..8).fold(crc ^ u32::from(byte), |crc, _| {
                    (crc >> 1) ^ ((crc & 1) * 0xedb8_8320)
                })
            }),
        }
    }
}

/// Two registers that rotate by as much as the hash so far says.
fn wt6(bytes: &[u8]) -> u32 {
    let (mut one, mut other) = (0xa53c_965a_u32, 0x5ca6_953a_u32);
    let (mut one_turn, mut other_turn) = (6, 18);
    for &byte in bytes {
        let flipped = !(one ^ u32::from(byte));
        let added = !other.wrapping_add(u32::from(byte));
        one = added.rotate_left(one_turn);
        other = flipped.rotate_left(other_turn);
        let turns = ((one >> 16) ^ other) & 0xffff;
        (one_turn, other_turn) = (turns & 31, turns >> 11);
    }
    one ^ other
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_of_texts_are_those_that_are_published() {
        // CRC-32 of "123456789" is the check value of its catalogue; the others by hand.
        assert_eq!(Function::Crc32.of(b"123456789"), 0xcbf4_3926);
        assert_eq!(Function::Djb2.of(b"a"), 177_670);
        assert_eq!(Function::Sdbm.of(b"ab"), 97 * 65_599 + 98);
    }

    #[test]
    fn shares_are_those_of_choices() {
        let ring = Ring::new(&[16, 48, 0, 16]);
        let shares = ring.shares(4);
        assert!((shares.iter().sum::<f64>() - 1.0).abs() < 1e-9);
        let mut picked = [0.0; 4];
        let keys = 100_000_u32;
        for key in 0..keys {
            let hash = (u64::from(key) * (1 << 32) / u64::from(keys)) as u32;
            let server = ring.from(hash).next().expect("a point");
            picked[server] += 1.0 / f64::from(keys);
        }
        for (share, picked) in shares.iter().zip(picked) {
            // 80 ends of parts, each wrong by at most a step.
            assert!(
                (share - picked).abs() < 80.0 / f64::from(keys),
                "{shares:?}"
            );
        }
        assert_eq!(Ring::new(&[0, 1]).shares(2), [0.0, 1.0]);
        assert_eq!(Ring::new(&[0]).from(7).next(), None);
    }
}
