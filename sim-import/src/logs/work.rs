//! What a part of a log says of the work at some of its servers: how many workers they have, and what groups of routes
//! demand.

use super::demand::{Demand, law};
use super::sketch::Sketch;
use super::sweep::{STEPS, ServerTally, Stretch, least_of};
use super::workers::{Workers, fit, mean_demand_s};

/// Times from which a demand can be taken.
const TIMES_MIN: u64 = 50;
/// By how much times may grow with the number in flight before that is taken for waiting.
const GROWTH: f64 = 0.05;
/// Standard errors by which two means of the same demand may differ.
const SURE: f64 = 3.0;

/// Workers, and a demand for each group of routes; nothing where the part does not say.
#[derive(Clone, PartialEq, Debug, Default)]
pub(crate) struct Work {
    pub workers: Option<Workers>,
    pub demands: Vec<Option<Demand>>,
}

/// What `part` says of the servers that are `meant`, and of groups of routes.
pub(crate) fn work(part: &Stretch, meant: impl Fn(usize) -> bool, groups: &[Vec<usize>]) -> Work {
    let mut tally = ServerTally::default();
    let servers = part.servers.iter().enumerate();
    for (_, server) in servers.filter(|(number, _)| meant(*number)) {
        tally.merge(server);
    }
    let workers = fit(&tally);
    let times: Vec<(u64, Sketch)> = (groups.iter())
        .map(|routes| times_of_the_free(part, routes, workers))
        .collect();
    let factor = factor(&tally, workers, &times);
    let demands = times
        .iter()
        .map(|(_, times)| (times.count() > 0 && times.mean_s() > 0.0).then(|| law(times, factor)));
    Work {
        demands: demands.collect(),
        workers,
    }
}

/// How many requests there were, and the times of those who found a free worker; where workers cannot be told, of those
/// whose times are as short as those of requests that found nobody.
fn times_of_the_free(part: &Stretch, routes: &[usize], workers: Option<Workers>) -> (u64, Sketch) {
    let mut steps: [Sketch; STEPS] = Default::default();
    for route in routes.iter().filter_map(|route| part.routes.get(*route)) {
        for (own, other) in steps.iter_mut().zip(&route.service) {
            own.merge(other);
        }
    }
    let number = workers.and_then(|workers| workers.number);
    let mut times = Sketch::default();
    let mut first = None;
    for (place, step) in steps
        .iter()
        .enumerate()
        .filter(|(_, step)| step.count() > 0)
    {
        let free = if let Some(number) = number {
            least_of(place + 1) <= number
        } else {
            let mean = *first.get_or_insert(step.mean_s());
            step.mean_s() <= mean * (1.0 + GROWTH)
        };
        if free || times.count() < TIMES_MIN {
            times.merge(step);
        } else {
            break;
        }
    }
    (steps.iter().map(Sketch::count).sum(), times)
}

/// By what demands are to be multiplied, so that their mean is that of all requests. Those who waited tell no time of their
/// own, but all together kept so many workers busy for so long: with the number of workers, that is a mean over all of
/// them (the utilisation law), and not only over those who found a free one. 1 where the two differ by more than chance.
fn factor(tally: &ServerTally, workers: Option<Workers>, times: &[(u64, Sketch)]) -> f64 {
    let Some(number) = workers
        .filter(|own| own.between.0 == own.between.1)
        .and_then(|own| own.number)
    else {
        return 1.0;
    };
    let all: f64 = times.iter().map(|(count, _)| *count as f64).sum();
    let (mut mean, mut variance) = (0.0, 0.0);
    for (count, times) in times.iter().filter(|(_, times)| times.count() > 0) {
        let share = *count as f64 / all;
        let deviation = share * times.mean_s() * times.variation();
        mean += share * times.mean_s();
        variance += deviation * deviation / times.count() as f64;
    }
    let factor = mean_demand_s(tally, number) / mean;
    let error = variance.sqrt() / mean;
    if factor.is_finite() && (factor - 1.0).abs() <= SURE * error {
        factor
    } else {
        1.0
    }
}
