//! What everybody simulates, and what must come out.

/// Arrivals a second and server; the demand is one second on average.
pub const LOAD: f64 = 0.9;

/// Servers with one worker and an endless queue, first come, first served; Poisson arrivals;
/// exponential demand. With two servers and more, a request goes to the shorter of two different
/// queues drawn at random, to the first drawn if they are equal.
pub struct Work {
    pub name: &'static str,
    pub about: &'static str,
    pub servers: usize,
    /// The mean response time, in units of the demand.
    pub mean_response: f64,
    /// Variance of the mean over n requests, times n: they depend on each other.
    pub variance: f64,
}

/// The work, in the order of the tables.
pub const WORK: [Work; 2] = [
    Work {
        name: "W1",
        about: "100 servers behind power of two choices, load 0.9",
        servers: 100,
        // 40 million requests of the bare loop; 2.614 for endlessly many servers (Mitzenmacher, "The
        // power of two choices in randomized load balancing", IEEE TPDS 12(10), 2001).
        mean_response: 2.645,
        // The spread of 100 runs of a million requests is 0.02.
        variance: 400.0,
    },
    Work {
        name: "W2",
        about: "one server, load 0.9: M/M/1",
        servers: 1,
        mean_response: 10.0,
        // Waiting times of M/M/1: ρ(2 + 5ρ − 4ρ² + ρ³) / (1 − ρ)⁴ (Daley, "The serial correlation
        // coefficients of waiting times in a stationary single server queue", J. Austral. Math. Soc.
        // 8, 1968); what the demand adds is small beside it.
        variance: 35_900.0,
    },
];

impl Work {
    /// How far the mean of so many requests may be from the right one: four standard errors, which
    /// chance exceeds once in 15 000 times, and what a start with empty queues takes off it.
    pub fn tolerance(&self, requests: u64, runs: usize) -> f64 {
        let error = (self.variance / (requests as f64 * runs as f64)).sqrt();
        4.0 * error + self.variance / self.mean_response / requests as f64
    }
}

/// What a run found.
#[derive(Clone, Copy, Debug)]
pub struct Ran {
    /// Requests simulated.
    pub requests: u64,
    /// Their mean response time, in units of the demand.
    pub mean_response: f64,
}
