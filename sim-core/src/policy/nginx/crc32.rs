//! The checksum of ISO 3309, as in Ethernet and gzip: what nginx hashes with.

/// Of the four bits that leave a sum.
const NIBBLES: [u32; 16] = {
    let mut table = [0; 16];
    let mut i = 0;
    while i < 16 {
        let mut sum = i as u32;
        let mut bit = 0;
        while bit < 4 {
            sum = (sum >> 1) ^ (0xEDB8_8320 & (sum & 1).wrapping_neg());
            bit += 1;
        }
        table[i] = sum;
        i += 1;
    }
    table
};

/// A sum that is being formed.
#[derive(Clone, Copy)]
pub(super) struct Crc32(u32);

impl Crc32 {
    pub(super) const NEW: Self = Self(u32::MAX);

    /// With these bytes behind those before.
    pub(super) fn and(self, bytes: &[u8]) -> Self {
        let add = |sum: u32, byte: &u8| {
            let sum = sum ^ u32::from(*byte);
            let sum = (sum >> 4) ^ NIBBLES[(sum & 15) as usize];
            (sum >> 4) ^ NIBBLES[(sum & 15) as usize]
        };
        Self(bytes.iter().fold(self.0, add))
    }

    pub(super) fn sum(self) -> u32 {
        !self.0
    }
}

#[test]
fn the_check_value_of_the_catalogue() {
    assert_eq!(Crc32::NEW.and(b"1234").and(b"56789").sum(), 0xCBF4_3926);
}
