//! Randomness: every draw is a pure function of (seed, replication, concern, number, position).
//!
//! There is no generator whose state could be advanced by one event too many. A [`Stream`] is a
//! key derived from the seed, the replication and a name such as `demand/web`; asked for number
//! `n` it hands out [`Draws`], a short sequence of its own. The n-th request therefore has the same
//! demand whatever the policy did before it, and an added draw in one place moves nothing elsewhere.
//!
//! The generator is `SplitMix64` (Steele, Lea and Flood, "Fast splittable pseudorandom number
//! generators", OOPSLA 2014, with the published mixing constants): the first draws of numbers 0, 1,
//! 2 … are its very sequence, and the second draws the same sequence from a place far away.
//! Exponential and normal variates come from 256-layer ziggurats (Marsaglia and Tsang, "The
//! ziggurat method", J. Stat. Softw. 5(8), 2000) whose rare branches use the `libm` crate, so that
//! the same seed gives the same bits on every processor and in the browser.

use rand::distr::OpenClosed01;
use rand::rand_core::utils::fill_bytes_via_next_word;
use rand::{RngExt, TryRng};
use std::convert::Infallible;

/// Step between the sequences of neighbouring numbers: the published one.
const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;
/// Attempts of a request that are told apart by their numbers within one stream.
const ATTEMPTS_IN_BLOCK: u32 = 256;
/// Step within a sequence.
const INCREMENT: u64 = 0xD605_1F31_9D5C_8C1D;

/// The finaliser of `SplitMix64`: a bijection of `u64` whose output bits each depend on all input bits.
pub(crate) const fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// The key of one concern within one replication of one seed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stream {
    key: u64,
}

impl Stream {
    /// The stream for `concern`, for instance `arrivals/shoppers`.
    pub fn new(seed: u64, replication: u64, concern: &str) -> Self {
        let mut key = mix(seed.wrapping_add(GOLDEN));
        key = mix(key
            ^ replication
                .wrapping_mul(0xD1B5_4A32_D192_ED03)
                .wrapping_add(GOLDEN));
        for byte in concern.bytes() {
            key = mix(key.wrapping_add(GOLDEN) ^ u64::from(byte));
        }
        Self { key }
    }

    /// The draws that belong to `number` (of a request, of an arrival, …).
    #[inline]
    pub fn at(self, number: u64) -> Draws {
        Draws {
            state: self.key.wrapping_add(number.wrapping_mul(GOLDEN)),
        }
    }

    /// The stream of a branch: what a clone draws from once it goes a way of its own.
    pub(crate) fn branched(self, branch: u64) -> Self {
        Self {
            key: mix(self.key ^ mix(branch.wrapping_add(GOLDEN))),
        }
    }

    /// The draws that belong to one attempt of request `number`; those of attempt 0 are the request's
    /// own, [`Stream::at`].
    ///
    /// The number of a request from outside has its source in the upper 16 bits and counts its
    /// requests in the lower 40. Between them is room for 256 attempts; each further block of
    /// 256 has a stream of its own, so that no attempt meets the numbers of another source.
    #[inline]
    pub(crate) fn of_attempt(self, number: u64, attempt: u32) -> Draws {
        let within = u64::from(attempt % ATTEMPTS_IN_BLOCK) << 40;
        self.block(attempt / ATTEMPTS_IN_BLOCK)
            .at(number.wrapping_add(within))
    }

    /// The stream of a block of attempts; that of the first is this one.
    #[inline]
    fn block(self, block: u32) -> Self {
        if block == 0 {
            return self;
        }
        Self {
            key: mix(self.key ^ mix(u64::from(block).wrapping_mul(GOLDEN))),
        }
    }
}

/// A short sequence of random numbers belonging to one thing.
///
/// It is a generator of the crate `rand`, so that whatever takes one takes this: distributions of
/// `rand` and `rand_distr`, choices and shuffles of slices. The variates that enter a run are this
/// type's own, for reasons that ARCHITECTURE.md gives.
///
/// ```
/// use rand::RngExt;
/// use rand::seq::{IndexedRandom, SliceRandom};
/// use rand_distr::{Distribution, Gamma};
/// use sim_core::draws::Stream;
///
/// let stream = Stream::new(42, 0, "demand/web");
/// let gamma = Gamma::new(2.0, 5.0)?;
/// let demand_ms = gamma.sample(&mut stream.at(7));
/// // What belongs to a number is the same whenever, and however often, it is asked for.
/// assert_eq!(demand_ms, gamma.sample(&mut stream.at(7)));
///
/// let mut draws = stream.at(8);
/// let mut servers = ["web-1", "web-2", "web-3"];
/// servers.shuffle(&mut draws);
/// assert!(servers.contains(servers.choose(&mut draws).expect("there are three")));
/// assert!((1..=6).contains(&draws.random_range(1..=6)));
/// # Ok::<(), rand_distr::GammaError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Draws {
    state: u64,
}

impl Draws {
    /// The draws at this position of the number so many before.
    pub(crate) fn of_number_before(&self, distance: u64) -> Self {
        Self {
            state: self.state.wrapping_sub(distance.wrapping_mul(GOLDEN)),
        }
    }

    /// 64 uniform bits.
    #[inline]
    pub fn bits(&mut self) -> u64 {
        // An odd increment unlike GOLDEN: no multiple of one that could ever be reached is a small
        // multiple of the other, so the sequences of neighbouring numbers do not meet.
        self.state = self.state.wrapping_add(INCREMENT);
        mix(self.state)
    }

    /// Uniform in `[0, 1)`, a multiple of 2⁻⁵³.
    #[inline]
    pub fn uniform(&mut self) -> f64 {
        self.random()
    }

    /// Uniform in `(0, 1]`: safe to take the logarithm of.
    #[inline]
    pub fn uniform_positive(&mut self) -> f64 {
        self.sample(OpenClosed01)
    }

    /// Uniform in `0..n`; `n` must not be zero. One draw always, so that sequences stay aligned;
    /// the bias of the multiply-and-shift is below n · 2⁻⁶⁴.
    #[inline]
    pub fn below(&mut self, n: usize) -> usize {
        debug_assert!(n > 0, "an empty range has no members");
        ((u128::from(self.bits()) * n as u128) >> 64) as usize
    }

    /// True with probability `p`.
    #[inline]
    pub fn chance(&mut self, p: f64) -> bool {
        self.uniform() < p
    }

    /// Exponential with mean 1.
    #[inline]
    pub fn exponential(&mut self) -> f64 {
        let table: &Ziggurat = &EXPONENTIAL;
        loop {
            let bits = self.bits();
            let layer = (bits & 0xFF) as usize;
            let x = (bits >> 11) as f64 * (1.0 / (1_u64 << 53) as f64) * table.x[layer];
            if x < table.x[layer + 1] {
                return x;
            }
            if layer == 0 {
                // The tail is exponential again.
                return EXPONENTIAL_TAIL - libm::log(self.uniform_positive());
            }
            if table.f[layer + 1] + (table.f[layer] - table.f[layer + 1]) * self.uniform()
                < libm::exp(-x)
            {
                return x;
            }
        }
    }

    /// Normal with mean 0 and variance 1.
    pub fn normal(&mut self) -> f64 {
        let table: &Ziggurat = &NORMAL;
        loop {
            let bits = self.bits();
            let layer = (bits & 0xFF) as usize;
            let sign = if bits & 0x100 == 0 { 1.0 } else { -1.0 };
            let x = (bits >> 11) as f64 * (1.0 / (1_u64 << 53) as f64) * table.x[layer];
            if x < table.x[layer + 1] {
                return sign * x;
            }
            if layer == 0 {
                return sign * self.normal_tail();
            }
            if table.f[layer + 1] + (table.f[layer] - table.f[layer + 1]) * self.uniform()
                < libm::exp(-0.5 * x * x)
            {
                return sign * x;
            }
        }
    }

    /// Marsaglia's method for |Z| beyond the last layer.
    fn normal_tail(&mut self) -> f64 {
        loop {
            let x = -libm::log(self.uniform_positive()) / NORMAL_TAIL;
            let y = -libm::log(self.uniform_positive());
            if 2.0 * y > x * x {
                return NORMAL_TAIL + x;
            }
        }
    }
}

/// The interface to `rand`; a generator that cannot fail is then an `Rng` as well.
impl TryRng for Draws {
    type Error = Infallible;

    #[inline]
    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok((self.bits() >> 32) as u32)
    }

    #[inline]
    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(self.bits())
    }

    fn try_fill_bytes(&mut self, dst: &mut [u8]) -> Result<(), Infallible> {
        fill_bytes_via_next_word(dst, || self.try_next_u64())
    }
}

/// Where the tail begins and the area of each of the 256 layers, for exp(-x): Marsaglia and Tsang.
const EXPONENTIAL_TAIL: f64 = 7.697_117_470_131_05;
const EXPONENTIAL_AREA: f64 = 0.003_949_659_822_581_556;
/// The same for exp(-x²/2).
const NORMAL_TAIL: f64 = 3.654_152_885_361_009;
const NORMAL_AREA: f64 = 0.004_928_673_233_974_658;

static EXPONENTIAL: Ziggurat = Ziggurat::new(EXPONENTIAL_TAIL, EXPONENTIAL_AREA, false);
static NORMAL: Ziggurat = Ziggurat::new(NORMAL_TAIL, NORMAL_AREA, true);

/// Right edges `x` of the layers, widest first, and the density `f` there.
struct Ziggurat {
    x: [f64; 257],
    f: [f64; 257],
}

impl Ziggurat {
    /// The tables, worked out by the compiler. Layers need not be exact to the last bit: what
    /// counts is that every build has the same ones.
    const fn new(tail: f64, area: f64, normal: bool) -> Self {
        let mut x = [0.0; 257];
        let mut f = [1.0; 257];
        f[1] = density(tail, normal);
        x[1] = tail;
        // The bottom layer holds the tail as well: a strip of the same area would be this wide.
        x[0] = area / f[1];
        f[0] = density(x[0], normal);
        let mut i = 2;
        while i < 256 {
            f[i] = area / x[i - 1] + f[i - 1];
            let exponent = -constant::ln(f[i]);
            x[i] = if normal {
                constant::sqrt(2.0 * exponent)
            } else {
                exponent
            };
            i += 1;
        }
        Self { x, f }
    }
}

const fn density(x: f64, normal: bool) -> f64 {
    constant::exp(if normal { -0.5 * x * x } else { -x })
}

/// Functions the compiler can evaluate, for tables; accurate to a few units in the last place.
mod constant {
    /// eˣ for |x| < 100: the series for x/64, squared six times.
    pub(super) const fn exp(x: f64) -> f64 {
        let x = x / 64.0;
        let (mut sum, mut term, mut n) = (1.0, 1.0, 1.0);
        while n < 24.0 {
            term *= x / n;
            sum += term;
            n += 1.0;
        }
        let mut i = 0;
        while i < 6 {
            sum *= sum;
            i += 1;
        }
        sum
    }

    /// ln y for y in (0.0001, 1]: Newton's method on the exponential.
    pub(super) const fn ln(y: f64) -> f64 {
        let mut x = 0.0;
        let mut i = 0;
        while i < 40 {
            let e = exp(x);
            x += 2.0 * (y - e) / (y + e);
            i += 1;
        }
        x
    }

    /// √y for y in [0, 100]: Newton's method.
    pub(super) const fn sqrt(y: f64) -> f64 {
        if y <= 0.0 {
            return 0.0;
        }
        let mut x = 1.0;
        let mut i = 0;
        while i < 60 {
            x = 0.5 * (x + y / x);
            i += 1;
        }
        x
    }
}

#[cfg(test)]
mod tests;
