//! Axes: lists, ranges, paths that go together, and Latin hypercubes, all as lists of points.

use super::keys::{AxisSpec, Design, PartSpec, Spacing};
use super::range::{Range, rounded, spaced};
use super::value::{Quantity, quantity};
use crate::draws::Stream;
use crate::scenario::problem::{Collector, Problem, Span};
use crate::scenario::section::Item;
use crate::scenario::set::{Assignment, Segment, split};
use crate::scenario::tree::{Node, Value};
use crate::statistics::BASE_POINTS_MIN;
use crate::text::cited;

/// Cells of a plan, and values of an axis: beyond it the table of results would be useless.
pub(crate) const CELLS_MAX: usize = 1_000_000;

/// A column of the table of cells: what is varied.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Column {
    /// What it is called.
    pub name: String,
    /// What it sets.
    pub path: Vec<Segment>,
    /// Where the path stands.
    pub span: Span,
    /// Whether neighbours on its range differ by a ratio.
    pub log: bool,
}

/// Columns that vary together, and the points they take.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Axis {
    pub columns: Vec<Column>,
    /// One value for each column, for each point.
    pub points: Vec<Vec<Node>>,
    /// Whether the points are a sample, in no order.
    pub sample: bool,
    /// Whether they are those of Sobol indices: for each base point two points, and the first of them with each path
    /// in turn as in the second.
    pub sobol: bool,
    /// Where it stands.
    pub span: Span,
}

impl Axis {
    /// What point number `point` sets.
    pub(crate) fn assignments(&self, point: usize) -> impl Iterator<Item = Assignment> {
        self.columns
            .iter()
            .zip(&self.points[point])
            .map(|(column, value)| Assignment {
                path: column.path.clone(),
                value: value.clone(),
            })
    }
}

/// The keys of one path, wherever they stand.
struct Part<'a> {
    span: Span,
    path: &'a Item<Option<String>>,
    name: &'a Item<Option<String>>,
    values: &'a Item<Node>,
    from: &'a Item<Node>,
    to: &'a Item<Node>,
    count: &'a Item<Option<u64>>,
    step: &'a Item<Node>,
    spacing: &'a Item<Spacing>,
    whole: &'a Item<bool>,
}

macro_rules! part {
    ($spec:expr) => {
        Part {
            span: $spec.span,
            path: &$spec.path,
            name: &$spec.name,
            values: &$spec.values,
            from: &$spec.from,
            to: &$spec.to,
            count: &$spec.count,
            step: &$spec.step,
            spacing: &$spec.spacing,
            whole: &$spec.whole,
        }
    };
}

/// Reads an axis; `None` after a problem.
pub(crate) fn axis(spec: &AxisSpec, problems: &mut Collector) -> Option<Axis> {
    let (zip, cube) = (spec.zip.get()?, spec.latin_hypercube.get()?);
    let own = part!(spec);
    let kinds = [
        spec.path.written,
        spec.zip.written,
        spec.latin_hypercube.written,
    ];
    if kinds.iter().filter(|written| **written).count() != 1 {
        problems.push(
            Problem::new(
                "E060",
                "an axis has either a `path`, or `zip`, or `latin_hypercube`",
            )
            .at(spec.span)
            .help(
                "path = \"client.timeout\" with values = [\"1s\", \"2s\"], or from, to and count",
            ),
        );
        return None;
    }
    if !spec.path.written {
        for (key, written, span) in own.keys() {
            if written {
                let message = format!("`{key}` belongs to each path of the axis, not beside them");
                problems.push(Problem::new("E060", message).at(span));
            }
        }
    }
    let sobol = spec.design.copied()? == Design::Sobol;
    if sobol && spec.path.written {
        problems.push(
            Problem::new(
                "E060",
                "a design is of several paths: `latin_hypercube`, or `zip`",
            )
            .at(spec.design.span),
        );
    }
    if spec.latin_hypercube.written {
        return hypercube(spec, cube, sobol, problems);
    }
    if spec.samples.written || spec.seed.written {
        let span = if spec.samples.written {
            spec.samples.span
        } else {
            spec.seed.span
        };
        problems.push(
            Problem::new("E060", "`samples` and `seed` are for a `latin_hypercube`").at(span),
        );
    }
    if spec.zip.written {
        return zipped(spec, zip, sobol, problems);
    }
    let (column, values) = (own.column(problems), own.points(problems));
    Some(Axis {
        columns: vec![column?],
        points: values?.into_iter().map(|value| vec![value]).collect(),
        sample: false,
        sobol: false,
        span: spec.span,
    })
}

fn zipped(
    spec: &AxisSpec,
    parts: &[PartSpec],
    sobol: bool,
    problems: &mut Collector,
) -> Option<Axis> {
    let read: Vec<_> = parts
        .iter()
        .map(|spec| {
            let part = part!(spec);
            (part.column(problems), part.points(problems))
        })
        .collect();
    let (columns, lists): (Vec<_>, Vec<_>) = read.into_iter().unzip();
    let columns = columns.into_iter().collect::<Option<Vec<_>>>()?;
    let lists = lists.into_iter().collect::<Option<Vec<_>>>()?;
    let Some(length) = lists.first().map(Vec::len) else {
        problems.push(Problem::new("E060", "`zip` holds no path").at(spec.zip.span));
        return None;
    };
    for (list, part) in lists.iter().zip(parts) {
        if list.len() != length {
            let message = format!(
                "{} values beside {length}: paths that go together have as many values each",
                list.len()
            );
            problems.push(
                Problem::new("E060", message)
                    .at(part.span)
                    .label(parts[0].span, "the first path"),
            );
            return None;
        }
    }
    let block = columns.len() + 2;
    if sobol && !length.is_multiple_of(block) {
        let message = format!(
            "{length} points are no design of {} paths: it has {block} points for each base point",
            columns.len()
        );
        problems.push(
            Problem::new("E060", message)
                .at(spec.design.span)
                .help("the points of `latin_hypercube` are made for it"),
        );
        return None;
    }
    let points = (0..length)
        .map(|i| lists.iter().map(|list| list[i].clone()).collect())
        .collect();
    Some(Axis {
        columns,
        points,
        sample: sobol,
        sobol,
        span: spec.span,
    })
}

/// A Latin hypercube (M. D. `McKay`, Beckman and Conover, Technometrics 21(2), 1979): of the n strata of
/// each path, each is taken once, in an order of its own.
fn hypercube(
    spec: &AxisSpec,
    parts: &[PartSpec],
    sobol: bool,
    problems: &mut Collector,
) -> Option<Axis> {
    let samples = spec.samples.copied()?.map(|n| n as usize);
    if samples.is_none() {
        problems.push(
            Problem::new(
                "E011",
                "`samples` is missing: how many points the sample has",
            )
            .at(spec.span),
        );
    }
    if parts.is_empty() {
        problems.push(
            Problem::new("E060", "`latin_hypercube` holds no path").at(spec.latin_hypercube.span),
        );
    }
    let seed = spec.seed.copied()?;
    if sobol {
        check_sobol(spec, samples, parts.len(), problems);
    }
    // Beyond it nothing is made, and nothing grows.
    let block = if sobol { parts.len() + 2 } else { 1 };
    let samples = samples.filter(|n| n.saturating_mul(block) <= CELLS_MAX);
    let read: Vec<_> = parts
        .iter()
        .map(|spec| {
            let part = part!(spec);
            for (key, written, span) in part.keys() {
                if written && (key == "count" || key == "step") {
                    let message = format!(
                        "`{key}` is of no use here: `samples` says how many points there are"
                    );
                    problems.push(Problem::new("E060", message).at(span));
                }
            }
            let column = part.column(problems);
            let range = part.range(problems);
            column.zip(range).zip(samples).map(|((column, range), n)| {
                // Keyed by the name: adding a path leaves the values of the others as they are.
                let stream = Stream::new(seed, 0, &format!("latin hypercube/{}", column.name));
                let values = range.sample(&stratified(stream, n));
                // The second of two independent points.
                let others = sobol.then(|| {
                    let stream = Stream::new(seed, 1, &format!("latin hypercube/{}", column.name));
                    range.sample(&stratified(stream, n))
                });
                (column, values, others.unwrap_or_default())
            })
        })
        .collect();
    let read = read.into_iter().collect::<Option<Vec<_>>>()?;
    let samples = samples.filter(|_| !read.is_empty())?;
    // Point `point` of a base point: the first, the second, and the first with a path of the second.
    let at = |i: usize, point: usize| -> Vec<Node> {
        let paths = read.iter().enumerate();
        let value = |(path, (_, first, second)): (usize, &(Column, Vec<Node>, Vec<Node>))| {
            let of = if point == 1 || point == path + 2 {
                second
            } else {
                first
            };
            of[i].clone()
        };
        paths.map(value).collect()
    };
    let points = (0..samples)
        .flat_map(|i| (0..block).map(move |point| (i, point)))
        .map(|(i, point)| at(i, point))
        .collect();
    Some(Axis {
        columns: read.into_iter().map(|(column, ..)| column).collect(),
        points,
        sample: true,
        sobol,
        span: spec.span,
    })
}

/// Refuses what gives no Sobol indices.
fn check_sobol(spec: &AxisSpec, samples: Option<usize>, paths: usize, problems: &mut Collector) {
    if paths == 1 {
        let message = "one path explains everything: a `sobol` design has two or more";
        problems.push(Problem::new("E060", message).at(spec.latin_hypercube.span));
    }
    if let Some(samples) = samples.filter(|n| (*n as u64) < BASE_POINTS_MIN) {
        let message = format!(
            "{samples} base points are too few for Sobol indices: {BASE_POINTS_MIN} or more"
        );
        problems.push(
            Problem::new("E060", message)
                .at(spec.samples.span)
                .help("some hundred: intervals shrink with the root of the number"),
        );
    }
    if samples.is_some_and(|n| n.saturating_mul(paths + 2) > CELLS_MAX) {
        let message = format!("the design has more than {CELLS_MAX} points");
        problems.push(
            Problem::new("E024", message)
                .at(spec.samples.span)
                .help(format!("{} points for each base point", paths + 2)),
        );
    }
}

/// One number in each of `n` strata of the unit interval, shuffled (Fisher and Yates).
fn stratified(stream: Stream, n: usize) -> Vec<f64> {
    let mut draws = stream.at(0);
    let mut strata: Vec<usize> = (0..n).collect();
    for last in (1..n).rev() {
        strata.swap(last, draws.below(last + 1));
    }
    strata
        .into_iter()
        .map(|stratum| (stratum as f64 + draws.uniform()) / n as f64)
        .collect()
}

impl Part<'_> {
    /// Keys that say something about one path, whether they are written, and where.
    fn keys(&self) -> [(&'static str, bool, Span); 8] {
        [
            ("name", self.name.written, self.name.span),
            ("values", self.values.written, self.values.span),
            ("from", self.from.written, self.from.span),
            ("to", self.to.written, self.to.span),
            ("count", self.count.written, self.count.span),
            ("step", self.step.written, self.step.span),
            ("spacing", self.spacing.written, self.spacing.span),
            ("whole", self.whole.written, self.whole.span),
        ]
    }

    fn column(&self, problems: &mut Collector) -> Option<Column> {
        let Some(path) = self.path.get()? else {
            problems.push(Problem::new("E011", "`path` is missing: what is varied").at(self.span));
            return None;
        };
        let place = self.path.span;
        let quoted = (place.end - place.start) as usize == path.len() + 2;
        let span = if quoted {
            place.part(1, path.len() + 1)
        } else {
            place
        };
        let name = self.name.get()?.clone().unwrap_or_else(|| path.clone());
        if name.trim().is_empty() || name.len() > 200 || name.chars().any(char::is_control) {
            problems.push(
                Problem::new(
                    "E018",
                    format!("{} cannot be the name of a column", cited(name)),
                )
                .at(self.name.span)
                .help("1 to 200 characters without line breaks"),
            );
            return None;
        }
        Some(Column {
            name,
            path: split(path, span, problems)?,
            span,
            log: self.spacing.copied()? == Spacing::Log,
        })
    }

    /// The values of an axis or of a path that goes with others.
    fn points(&self, problems: &mut Collector) -> Option<Vec<Node>> {
        match self.range(problems)? {
            Range::List(values) => Some(values),
            Range::Between {
                from,
                to,
                log,
                whole,
            } => {
                let numbers = self.numbers(from, to, log, problems)?;
                let mut values: Vec<Node> = numbers
                    .into_iter()
                    .map(|number| from.node(number, whole))
                    .collect();
                if whole {
                    values.dedup_by(|a, b| a.value == b.value);
                }
                Some(values)
            }
        }
    }

    fn numbers(
        &self,
        from: Quantity,
        to: Quantity,
        log: bool,
        problems: &mut Collector,
    ) -> Option<Vec<f64>> {
        let count = self.count.copied()?;
        match (count, self.step.written) {
            (Some(count), false) => Some(spaced(from.number, to.number, count as usize, log)),
            (None, true) => {
                let step = quantity(self.step.get()?, "step", problems)?;
                let steps = (to.number - from.number) / step.number;
                let fine =
                    step.kind == from.kind && !log && steps > 0.0 && steps < CELLS_MAX as f64;
                if !fine {
                    problems.push(
                        Problem::new("E060", "`step` does not lead from `from` to `to`")
                            .at(self.step.span)
                            .help("a step of the same kind, in the direction of `to`, on a linear range; or `count`"),
                    );
                    return None;
                }
                let count = libm::floor(steps + 1e-9) as usize;
                Some(
                    (0..=count)
                        .map(|i| rounded(from.number + step.number * i as f64))
                        .collect(),
                )
            }
            _ => {
                problems.push(
                    Problem::new("E060", "a range needs either `count` or `step`")
                        .at(self.from.span)
                        .help("count = 9"),
                );
                None
            }
        }
    }

    /// A list, or the two ends of a range.
    fn range(&self, problems: &mut Collector) -> Option<Range> {
        let ends = self.from.written || self.to.written;
        if self.values.written == ends {
            problems.push(
                Problem::new("E060", "a path needs either `values`, or `from` and `to`")
                    .at(if ends { self.values.span } else { self.span })
                    .help("values = [1, 2, 4], or from = 1, to = 4, count = 7"),
            );
            return None;
        }
        if self.values.written {
            for (key, written, span) in self.keys() {
                if written && ["count", "step", "whole"].contains(&key) {
                    let message = format!("`{key}` is for ranges, not for a list of values");
                    problems.push(Problem::new("E060", message).at(span));
                }
            }
            return self.list(problems).map(Range::List);
        }
        for (key, item) in [("from", self.from), ("to", self.to)] {
            if !item.written {
                problems.push(
                    Problem::new("E011", format!("`{key}` is missing: an end of the range"))
                        .at(self.span),
                );
            }
        }
        if !self.from.written || !self.to.written {
            return None;
        }
        let (from, to) = (
            quantity(self.from.get()?, "from", problems),
            quantity(self.to.get()?, "to", problems),
        );
        let (from, to) = (from?, to?);
        let (log, whole) = (self.spacing.copied()? == Spacing::Log, self.whole.copied()?);
        let Some((from, to)) = from.alike(to) else {
            problems.push(
                Problem::new(
                    "E060",
                    format!("`from` is {}, `to` is {}", from.kind.noun(), to.kind.noun()),
                )
                .at(self.to.span)
                .label(self.from.span, "the other end"),
            );
            return None;
        };
        if log && (from.number <= 0.0 || to.number <= 0.0) {
            problems.push(
                Problem::new("E060", "a logarithmic range has both ends above zero")
                    .at(self.from.span),
            );
            return None;
        }
        Some(Range::Between {
            from,
            to,
            log,
            whole,
        })
    }

    fn list(&self, problems: &mut Collector) -> Option<Vec<Node>> {
        let node = self.values.get()?;
        match &node.value {
            Value::List(items) if items.is_empty() => {
                problems.push(
                    Problem::new("E060", "an axis without values has no cells").at(node.span),
                );
                None
            }
            Value::List(items) if items.len() > CELLS_MAX => {
                problems.push(
                    Problem::new("E013", format!("{} values", items.len()))
                        .at(node.span)
                        .help(format!("allowed: at most {CELLS_MAX}")),
                );
                None
            }
            Value::List(items) => Some(items.clone()),
            _ => {
                problems.push(
                    Problem::new("E012", format!("`values` is a list, not {}", node.noun()))
                        .at(node.span)
                        .help("values = [1, 2, 4]"),
                );
                None
            }
        }
    }
}
