//! Histograms of times with a stated error.
//!
//! Buckets have a fixed relative width, like the mantissa of a floating-point number: a
//! [`Histogram`] splits every power of two into 128 buckets, so a quantile is off by at most
//! 0.8 %, and by far less after interpolation; below 256 ns it is exact. Windows of the time line
//! use 16 buckets to the power of two. Counts add, in any order, to the same result.

const FINE_BITS: u32 = 7;
const COARSE_SHIFT: u32 = 3;
const COARSE_BITS: u32 = FINE_BITS - COARSE_SHIFT;

/// A bucket with more than so many times what its neighbours have holds many equal times, unless the difference is
/// within so many standard deviations of chance.
const LUMP: f64 = 3.0;
const LUMP_BY_CHANCE: f64 = 6.0;

/// Number of coarse buckets: enough for every `u64`.
pub(crate) const COARSE_LEN: usize =
    ((64 - FINE_BITS as usize) << COARSE_BITS) + (1 << COARSE_BITS);

/// The bucket of a time in nanoseconds.
#[inline]
pub(crate) fn bucket(ns: u64) -> usize {
    let shift = (ns | 1).ilog2().saturating_sub(FINE_BITS);
    ((shift as usize) << FINE_BITS) + (ns >> shift) as usize
}

/// The coarse bucket that holds a fine one.
#[inline]
pub(crate) fn coarse(bucket: usize) -> usize {
    bucket >> COARSE_SHIFT
}

/// Lower edge and width of bucket `index` where every power of two has `1 << bits` buckets and
/// the finest bucket is `unit` wide.
fn edges(index: usize, bits: u32, unit: f64) -> (f64, f64) {
    let shift = (index >> bits).saturating_sub(1);
    let width = (1_u64 << shift) as f64 * unit;
    ((index - (shift << bits)) as f64 * width, width)
}

/// Quantiles of a sequence of counted buckets, for ascending shares: the ⌈nq⌉-th smallest value of
/// `total`, taken as evenly spread within its bucket. `None` when there are no values.
fn quantiles<const N: usize>(
    counts: impl Iterator<Item = u64>,
    total: u64,
    shares: [f64; N],
    bits: u32,
    unit: f64,
) -> Option<[f64; N]> {
    if total == 0 {
        return None;
    }
    let ranks = shares.map(|q| ((total as f64 * q).ceil() as u64).clamp(1, total));
    let mut values = [0.0; N];
    let (mut found, mut below) = (0, 0);
    for (index, count) in counts.enumerate().filter(|(_, count)| *count > 0) {
        while found < N && ranks[found] <= below + count {
            let (lower, width) = edges(index, bits, unit);
            // Values are whole nanoseconds: a bucket one wide holds a single value.
            let width = if width <= 1.0 { 0.0 } else { width };
            values[found] = lower + width * ((ranks[found] - below) as f64 - 0.5) / count as f64;
            found += 1;
        }
        if found == N {
            break;
        }
        below += count;
    }
    Some(values)
}

/// The `q`-quantile of coarse counts; `None` when there are none.
pub(crate) fn coarse_quantile_ns(counts: &[u32], q: f64) -> Option<f64> {
    let counted = counts.iter().map(|&count| u64::from(count));
    let unit = f64::from(1_u32 << COARSE_SHIFT);
    let total = counted.clone().sum();
    quantiles(counted, total, [q], COARSE_BITS, unit).map(|[value]| value)
}

/// Times in nanoseconds, counted in buckets; sum, smallest and largest are exact.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Histogram {
    counts: Vec<u64>,
    sum: u128,
    max: u64,
}

impl Histogram {
    /// Largest relative error of a quantile.
    pub const RELATIVE_ERROR: f64 = 1.0 / (1 << FINE_BITS) as f64;

    /// Counts a time whose bucket is known.
    #[inline]
    pub(crate) fn record_at(&mut self, bucket: usize, ns: u64) {
        if let Some(count) = self.counts.get_mut(bucket) {
            *count += 1;
        } else {
            self.extend_to(bucket);
        }
        self.sum += u128::from(ns);
        self.max = self.max.max(ns);
    }

    /// Counts a time larger than all before.
    #[cold]
    #[inline(never)]
    fn extend_to(&mut self, bucket: usize) {
        self.counts
            .resize(((bucket >> FINE_BITS) + 1) << FINE_BITS, 0);
        self.counts[bucket] = 1;
    }

    /// Counts a time.
    #[inline]
    pub fn record(&mut self, ns: u64) {
        self.record_at(bucket(ns), ns);
    }

    /// Adds the counts of another.
    pub fn merge(&mut self, other: &Self) {
        if other.counts.len() > self.counts.len() {
            self.counts.resize(other.counts.len(), 0);
        }
        for (mine, theirs) in self.counts.iter_mut().zip(&other.counts) {
            *mine += theirs;
        }
        self.sum += other.sum;
        self.max = self.max.max(other.max);
    }

    /// How many times were counted.
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// How many times lie beyond `ns`, those of its bucket taken as evenly spread.
    pub fn beyond_ns(&self, ns: f64) -> f64 {
        let at = bucket(ns.max(0.0) as u64);
        let above: u64 = self.counts.iter().skip(at + 1).sum();
        let (lower, width) = edges(at, FINE_BITS, 1.0);
        let within = self.counts.get(at).copied().unwrap_or(0) as f64;
        let part = if width > 1.0 {
            ((lower + width - ns) / width).clamp(0.0, 1.0)
        } else {
            0.0
        };
        above as f64 + within * part
    }

    /// What was counted since `earlier`, an earlier state of the same histogram. The largest is that of
    /// all.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        let before = earlier.counts.iter().copied().chain(std::iter::repeat(0));
        Self {
            counts: self
                .counts
                .iter()
                .zip(before)
                .map(|(now, before)| now.saturating_sub(before))
                .collect(),
            sum: self.sum.saturating_sub(earlier.sum),
            max: self.max,
        }
    }

    /// The exact mean in nanoseconds.
    pub fn mean_ns(&self) -> Option<f64> {
        let count = self.count();
        (count > 0).then(|| self.sum as f64 / count as f64)
    }

    /// The exact sum in nanoseconds.
    pub fn sum_ns(&self) -> u128 {
        self.sum
    }

    /// The variance in squared nanoseconds, each time taken as the middle of its bucket: off by
    /// less than 0.001 % where the times spread over many buckets, and exact where all are equal.
    pub fn variance_ns2(&self) -> Option<f64> {
        let middles = || {
            let counted = self.counts.iter().enumerate().filter(|(_, n)| **n > 0);
            counted.map(|(index, &count)| {
                let (lower, width) = edges(index, FINE_BITS, 1.0);
                let middle = lower + if width > 1.0 { 0.5 * width } else { 0.0 };
                (middle, count as f64)
            })
        };
        let count = self.count() as f64;
        if count <= 0.0 {
            return None;
        }
        let mean = middles().map(|(middle, n)| middle * n).sum::<f64>() / count;
        let squares = middles().map(|(middle, n)| n * (middle - mean) * (middle - mean));
        Some(squares.sum::<f64>() / count)
    }

    /// Each bucket that is not empty: its lower and upper edge in nanoseconds, and how many times are in it.
    pub fn buckets_ns(&self) -> impl Iterator<Item = (f64, f64, u64)> {
        let counted = self.counts.iter().enumerate().filter(|(_, n)| **n > 0);
        counted.map(|(index, &count)| {
            let (lower, width) = edges(index, FINE_BITS, 1.0);
            (lower, lower + width, count)
        })
    }

    /// How many times of zero were counted.
    pub fn zeros(&self) -> u64 {
        self.counts.first().copied().unwrap_or(0)
    }

    /// The exact maximum in nanoseconds.
    pub fn max_ns(&self) -> Option<u64> {
        (self.count() > 0).then_some(self.max)
    }

    /// The `q`-quantile in nanoseconds, within [`Histogram::RELATIVE_ERROR`].
    pub fn quantile_ns(&self, q: f64) -> Option<f64> {
        self.quantiles_ns([q]).map(|[value]| value)
    }

    /// Quantiles for ascending shares, in one pass.
    pub fn quantiles_ns<const N: usize>(&self, shares: [f64; N]) -> Option<[f64; N]> {
        debug_assert!(shares.is_sorted(), "one pass finds ascending quantiles");
        let counts = self.counts.iter().copied();
        let values = quantiles(counts, self.count(), shares, FINE_BITS, 1.0)?;
        Some(values.map(|ns| ns.min(self.max as f64)))
    }

    /// Between which times the `q`-quantile surely lies, in nanoseconds, where many equal times may make up its bucket:
    /// the bucket's edges. Where its neighbours have about as many, the times are spread within it, and both are the
    /// quantile itself.
    pub fn quantile_bounds_ns(&self, q: f64) -> Option<(f64, f64)> {
        let ns = self.quantile_ns(q)?;
        let at = bucket(ns as u64);
        let count = |index: Option<usize>| {
            let count = index.and_then(|index| self.counts.get(index));
            count.copied().unwrap_or(0) as f64
        };
        let beside = count(at.checked_sub(1)).max(count(Some(at + 1)));
        let here = count(Some(at));
        if here <= LUMP * beside || here - beside <= LUMP_BY_CHANCE * (beside + 1.0).sqrt() {
            return Some((ns, ns));
        }
        let (lower, width) = edges(at, FINE_BITS, 1.0);
        let last = lower + (width - 1.0).max(0.0);
        Some((lower, last.min(self.max as f64)))
    }

    /// Bytes held.
    pub(crate) fn bytes(&self) -> usize {
        self.counts.capacity() * size_of::<u64>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_beyond_a_quantile_is_its_share() {
        let mut histogram = Histogram::default();
        (0..100_000_u64).for_each(|i| histogram.record(i * 37));
        for q in [0.1, 0.5, 0.9, 0.999] {
            let ns = histogram.quantile_ns(q).expect("values");
            let beyond = histogram.beyond_ns(ns) / 1e5;
            assert!((beyond - (1.0 - q)).abs() < 2e-5, "{q}: {beyond}");
        }
        assert!(histogram.beyond_ns(1e12).abs() < 1e-12);
        assert!(Histogram::default().beyond_ns(0.0).abs() < 1e-12);
    }

    #[test]
    fn what_came_since_is_the_difference() {
        let mut histogram = Histogram::default();
        (0..500_u64).for_each(|i| histogram.record(i * 1000));
        let earlier = histogram.clone();
        let mut later = Histogram::default();
        for i in 0..900_u64 {
            histogram.record(i * 7000);
            later.record(i * 7000);
        }
        let since = histogram.since(&earlier);
        assert_eq!((since.count(), since.sum_ns()), (900, later.sum_ns()));
        assert_eq!(since.quantile_ns(0.9), later.quantile_ns(0.9));
    }

    #[test]
    fn buckets_are_contiguous_and_hold_what_they_say() {
        let mut last = 0;
        for ns in (0..100_000).chain([1 << 20, (1 << 40) + 12_345, u64::MAX]) {
            let index = bucket(ns);
            assert!(
                index == last || index == last + 1 || ns >= 1 << 20,
                "gap at {ns}"
            );
            last = index;
            let (lower, width) = edges(index, FINE_BITS, 1.0);
            assert!(
                lower <= ns as f64 && (ns as f64) < lower + width || ns == u64::MAX,
                "{ns}: [{lower}, +{width})"
            );
            assert!(coarse(index) < COARSE_LEN);
            let (lower, width) = edges(coarse(index), COARSE_BITS, f64::from(1 << COARSE_SHIFT));
            assert!(
                lower <= ns as f64 && (ns as f64) <= lower + width,
                "coarse {ns}: [{lower}, +{width})"
            );
        }
    }

    #[test]
    fn quantiles_are_within_the_stated_error() {
        let mut histogram = Histogram::default();
        let mut coarse_counts = vec![0; COARSE_LEN];
        for i in 1..=100_000_u64 {
            histogram.record(i * 1000);
            coarse_counts[coarse(bucket(i * 1000))] += 1;
        }
        for q in [0.001, 0.5, 0.9, 0.99, 0.999, 1.0] {
            let exact = q * 1e8;
            let got = histogram.quantile_ns(q).expect("not empty");
            assert!(
                (got / exact - 1.0).abs() < Histogram::RELATIVE_ERROR / 4.0,
                "{q}: {got} for {exact}"
            );
            let got = coarse_quantile_ns(&coarse_counts, q).expect("not empty");
            assert!(
                (got / exact - 1.0).abs() < 0.02,
                "coarse {q}: {got} for {exact}"
            );
        }
        assert_eq!(histogram.mean_ns(), Some(50_000_500.0));
        let variance = histogram.variance_ns2().expect("not empty");
        assert!((variance / (1e16 / 12.0) - 1.0).abs() < 1e-4, "{variance}");
        histogram.record(0);
        assert_eq!(histogram.zeros(), 1);
        assert_eq!(Histogram::default().quantile_ns(0.5), None);
    }

    #[test]
    fn equal_times_are_known_as_well_as_their_bucket() {
        let mut histogram = Histogram::default();
        (0..10_000_u64).for_each(|i| histogram.record(10_000_000 + 5000 * (i % 50 / 49)));
        let (low, high) = histogram.quantile_bounds_ns(0.5).expect("values");
        assert!(low <= 1e7 && 1e7 <= high, "{low} to {high}");
        assert!(high / low - 1.0 < Histogram::RELATIVE_ERROR);
        let mut spread = Histogram::default();
        (0..100_000_u64).for_each(|i| spread.record(i * 100));
        let (low, high) = spread.quantile_bounds_ns(0.9).expect("values");
        assert!((low - 9e6).abs() < 9e3 && (high - low).abs() < 1e-9);
        assert_eq!(Histogram::default().quantile_bounds_ns(0.5), None);
    }

    #[test]
    fn merging_is_counting_together() {
        let (mut a, mut b, mut both) = (
            Histogram::default(),
            Histogram::default(),
            Histogram::default(),
        );
        for i in 0..1000_u64 {
            let ns = i * i * 977;
            if i % 3 == 0 { &mut a } else { &mut b }.record(ns);
            both.record(ns);
        }
        a.merge(&b);
        assert_eq!(a, both);
    }
}
