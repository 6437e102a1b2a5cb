//! Our distributions beside those of `rand_distr`, drawn by another generator: two samples of the
//! same law do not differ by more than chance, and those of a law with one parameter wrong by 5 % do.

use crate::support::model;
use rand::rngs::Xoshiro256PlusPlus;
use rand::{RngExt, SeedableRng};
use rand_distr::{
    Bernoulli, Distribution as _, Exp, Exp1, Gamma, LogNormal, Normal, Pareto, StandardNormal,
    Uniform, Weibull,
};
use sim_core::distribution::DISTRIBUTIONS;
use sim_core::draws::Stream;

/// Values in each sample: enough for a wrong cv of a hyperexponential, which shows least.
const DRAWS: usize = 1_000_000;

/// Nanoseconds in a millisecond, the unit below.
const MS: f64 = 1e6;

type Sampler = Box<dyn FnMut(&mut Xoshiro256PlusPlus) -> f64>;

/// A distribution of a scenario, and the same law put together from `rand_distr`, in milliseconds.
struct Twin {
    name: &'static str,
    /// The parameters: how they are written in a scenario, and by how much a wrong one is off.
    params: &'static [Param],
    /// What else is written.
    rest: &'static str,
    /// The sampler for values of the parameters.
    theirs: fn(&[f64]) -> Sampler,
}

struct Param {
    name: &'static str,
    value: f64,
    /// `"ms"` for times.
    unit: &'static str,
}

const fn span(name: &'static str, value: f64) -> Param {
    Param {
        name,
        value,
        unit: "ms",
    }
}

const fn plain(name: &'static str, value: f64) -> Param {
    Param {
        name,
        value,
        unit: "",
    }
}

fn exponential(mean: f64) -> Exp<f64> {
    Exp::new(1.0 / mean).expect("a positive rate")
}

/// With this probability exponential of the one mean, otherwise of the other.
fn mixture(probability: f64, one: f64, other: f64) -> Sampler {
    let is_one = Bernoulli::new(probability).expect("a probability");
    let (one, other) = (exponential(one), exponential(other));
    Box::new(move |rng| {
        if is_one.sample(rng) {
            one.sample(rng)
        } else {
            other.sample(rng)
        }
    })
}

static TWINS: &[Twin] = &[
    Twin {
        name: "constant",
        params: &[span("value", 20.0)],
        rest: "",
        theirs: |p| {
            let law = Normal::new(p[0], 0.0).expect("no deviation");
            Box::new(move |rng| law.sample(rng))
        },
    },
    Twin {
        name: "exponential",
        params: &[span("mean", 20.0)],
        rest: "",
        theirs: |p| {
            let law = exponential(p[0]);
            Box::new(move |rng| law.sample(rng))
        },
    },
    Twin {
        name: "lognormal",
        params: &[span("mean", 20.0), plain("cv", 1.2)],
        rest: "",
        theirs: |p| {
            let law = LogNormal::from_mean_cv(p[0], p[1]).expect("positive");
            Box::new(move |rng| law.sample(rng))
        },
    },
    Twin {
        name: "uniform",
        params: &[span("low", 20.0), span("high", 60.0)],
        rest: "",
        theirs: |p| {
            let law = Uniform::new(p[0], p[1]).expect("in order");
            Box::new(move |rng| law.sample(rng))
        },
    },
    Twin {
        name: "erlang",
        params: &[span("mean", 20.0), plain("stages", 20.0)],
        rest: "",
        theirs: |p| {
            let law = Gamma::new(p[1], p[0] / p[1]).expect("positive");
            Box::new(move |rng| law.sample(rng))
        },
    },
    Twin {
        name: "hyperexponential",
        params: &[span("mean", 20.0), plain("cv", 2.0)],
        rest: "",
        // Whitt 1982: balanced means.
        theirs: |p| {
            let cv2 = p[1] * p[1];
            let long = (1.0 - ((cv2 - 1.0) / (cv2 + 1.0)).sqrt()) / 2.0;
            mixture(long, p[0] / (2.0 * long), p[0] / (2.0 * (1.0 - long)))
        },
    },
    Twin {
        name: "bimodal",
        params: &[
            span("short", 20.0),
            span("long", 60.0),
            plain("probability_of_long", 0.3),
        ],
        rest: "",
        theirs: |p| {
            let (short, long) = (p[0], p[1]);
            let is_long = Bernoulli::new(p[2]).expect("a probability");
            Box::new(move |rng| if is_long.sample(rng) { long } else { short })
        },
    },
    Twin {
        name: "weibull",
        params: &[span("mean", 20.0), plain("shape", 1.5)],
        rest: "",
        theirs: |p| {
            let scale = p[0] / libm::tgamma(1.0 + 1.0 / p[1]);
            let law = Weibull::new(scale, p[1]).expect("positive");
            Box::new(move |rng| law.sample(rng))
        },
    },
    Twin {
        name: "pareto",
        params: &[span("mean", 20.0), plain("shape", 3.0)],
        rest: "",
        theirs: |p| {
            let least = p[0] * (p[1] - 1.0) / p[1];
            let law = Pareto::new(least, p[1]).expect("positive");
            Box::new(move |rng| law.sample(rng))
        },
    },
    Twin {
        name: "bounded-pareto",
        params: &[
            span("least", 20.0),
            span("greatest", 160.0),
            plain("shape", 1.0),
        ],
        rest: "",
        // A Pareto law, given that it stays below its bound.
        theirs: |p| {
            let (law, bound) = (Pareto::new(p[0], p[2]).expect("positive"), p[1]);
            Box::new(move |rng| {
                let mut draws = rng.sample_iter(law);
                draws.find(|value| *value <= bound).expect("one of them is")
            })
        },
    },
    Twin {
        name: "mixed-exponential",
        params: &[
            span("short", 20.0),
            span("long", 200.0),
            plain("probability_of_long", 0.3),
        ],
        rest: "",
        theirs: |p| mixture(p[2], p[1], p[0]),
    },
    Twin {
        name: "normal",
        params: &[span("mean", 20.0), plain("cv", 0.7)],
        rest: "",
        // Given that it is no negative time.
        theirs: |p| {
            let law = Normal::new(p[0], p[0] * p[1]).expect("positive");
            Box::new(move |rng| {
                let mut draws = rng.sample_iter(law);
                draws.find(|value| *value >= 0.0).expect("one of them is")
            })
        },
    },
    Twin {
        name: "empirical",
        params: &[],
        rest: "values = [\"20ms\", \"40ms\", \"90ms\"], probabilities = [0, 0.8, 1]",
        theirs: |_| {
            let is_low = Bernoulli::new(0.8).expect("a probability");
            let low = Uniform::new(20.0, 40.0).expect("in order");
            let high = Uniform::new(40.0, 90.0).expect("in order");
            Box::new(move |rng| {
                if is_low.sample(rng) {
                    low.sample(rng)
                } else {
                    high.sample(rng)
                }
            })
        },
    },
    Twin {
        name: "mixture",
        params: &[],
        rest: "weights = [3, 1], of = [{ kind = \"exponential\", mean = \"20ms\" }, { kind = \"exponential\", mean = \"90ms\" }]",
        theirs: |_| mixture(0.25, 90.0, 20.0),
    },
    Twin {
        name: "shifted",
        params: &[span("by", 20.0)],
        rest: ", of = { kind = \"exponential\", mean = \"20ms\" }",
        theirs: |p| {
            let (by, law) = (p[0], exponential(20.0));
            Box::new(move |rng| by + law.sample(rng))
        },
    },
    Twin {
        name: "truncated",
        params: &[span("min", 20.0), span("max", 60.0)],
        rest: ", of = { kind = \"exponential\", mean = \"30ms\" }",
        theirs: |p| {
            let (min, max, law) = (p[0], p[1], exponential(30.0));
            Box::new(move |rng| {
                loop {
                    let value = law.sample(rng);
                    if (min..=max).contains(&value) {
                        return value;
                    }
                }
            })
        },
    },
    // What comes in runs is worth fewer values; here hardly fewer.
    Twin {
        name: "correlated",
        params: &[],
        rest: "correlation = 0.05, of = { kind = \"exponential\", mean = \"30ms\" }",
        theirs: |_| {
            let law = exponential(30.0);
            Box::new(move |rng| law.sample(rng))
        },
    },
];

impl Twin {
    fn values(&self) -> Vec<f64> {
        self.params.iter().map(|param| param.value).collect()
    }

    /// Draws of the core, in ascending order.
    fn ours(&self) -> Vec<f64> {
        let write = |p: &Param| match p.unit {
            "" => format!("{} = {}", p.name, p.value),
            unit => format!("{} = \"{}{unit}\"", p.name, p.value),
        };
        let params: Vec<String> = self.params.iter().map(write).collect();
        let model = model(&format!(
            "horizon = \"1s\"\ntraffic = [{{ to = \"web\", rate = 1 }}]\n[service.web]\n\
             demand = {{ kind = \"{}\", {} }}\nserver = [{{ name = \"a\", workers = 1 }}]\n",
            self.name,
            params.join(", ") + self.rest
        ));
        let law = model.services[0].demand.build();
        let stream = Stream::new(17, 0, self.name);
        sorted(|number| law.sample_ns(&mut stream.at(number)) / MS)
    }

    /// Draws of the law put together from `rand_distr`, in ascending order.
    fn theirs(&self, values: &[f64]) -> Vec<f64> {
        let mut sampler = (self.theirs)(values);
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(4);
        sorted(|_| sampler(&mut rng))
    }
}

fn sorted(mut draw: impl FnMut(u64) -> f64) -> Vec<f64> {
    let mut sample: Vec<f64> = (0..DRAWS as u64).map(&mut draw).collect();
    sample.sort_unstable_by(f64::total_cmp);
    sample
}

/// The greatest distance between the distribution functions of two sorted samples.
fn distance(a: &[f64], b: &[f64]) -> f64 {
    let (mut i, mut j, mut greatest) = (0, 0, 0.0_f64);
    while i < a.len() && j < b.len() {
        // What differs by rounding alone is a tie.
        let least = a[i].min(b[j]);
        let value = least + least.abs() * 1e-12;
        while i < a.len() && a[i] <= value {
            i += 1;
        }
        while j < b.len() && b[j] <= value {
            j += 1;
        }
        let apart = i as f64 / a.len() as f64 - j as f64 / b.len() as f64;
        greatest = greatest.max(apart.abs());
    }
    greatest
}

/// What two samples of one law exceed with probability 0.001: Smirnov's limit law, for which
/// Q(1.9495) = 0.001. Where values repeat it is exceeded even less.
fn critical() -> f64 {
    1.9495 * (2.0 / DRAWS as f64).sqrt()
}

#[test]
fn every_distribution_follows_the_law_of_its_counterpart() {
    for def in DISTRIBUTIONS {
        let twin = TWINS.iter().find(|twin| twin.name == def.row.name);
        let twin = twin.unwrap_or_else(|| panic!("{} has no counterpart", def.row.name));
        let d = distance(&twin.ours(), &twin.theirs(&twin.values()));
        assert!(d < critical(), "{}: {d}", twin.name);
    }
}

#[test]
fn a_parameter_wrong_by_a_twentieth_is_found_out() {
    for twin in TWINS {
        let ours = twin.ours();
        for wrong in 0..twin.params.len() {
            let mut values = twin.values();
            values[wrong] *= 1.05;
            let d = distance(&ours, &twin.theirs(&values));
            let name = twin.params[wrong].name;
            assert!(d > critical(), "{} {name}: {d}", twin.name);
        }
    }
}

#[test]
fn ziggurats_follow_their_laws() {
    let stream = Stream::new(17, 0, "ziggurats");
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(4);
    let exponential = sorted(|number| stream.at(number).exponential());
    assert!(distance(&exponential, &sorted(|_| rng.sample(Exp1))) < critical());
    let normal = sorted(|number| stream.at(number).normal());
    assert!(distance(&normal, &sorted(|_| rng.sample(StandardNormal))) < critical());
    // The draws of a stream are a generator like any other.
    let through_ours = sorted(|number| stream.at(number).sample(StandardNormal));
    assert!(distance(&normal, &through_ours) < critical());
}
