//! What a page or a folder has of pictures, and the plots of a sweep: lines for one axis, heat maps for two, and lines for two when one of them has
//! few values. More axes make no picture.

use crate::experiment::Measure;
use crate::experiment::sweep::axis::Axis as Varied;
use crate::experiment::sweep::value::{Kind, cell_text, number_of};
use crate::experiment::sweep::{Figure, Plan, Row};
use crate::metric::Unit;
use crate::plot::axis::{Axis, Shown};
use crate::plot::heat_map::{HeatMap, Spot};
use crate::plot::intervals::Intervals;
use crate::plot::lines::{Lines, Point, Series};
use crate::plot::svg::LOOKS;
use crate::readable;
use crate::report::words;

/// What is drawn.
#[derive(Clone, PartialEq, Debug)]
pub enum Picture {
    /// Of several things, one below the other.
    Intervals(Intervals),
    /// Along one axis.
    Lines(Lines),
    /// Over two.
    HeatMap(HeatMap),
}

impl Picture {
    /// As a file.
    pub fn svg(&self) -> String {
        match self {
            Self::Intervals(intervals) => intervals.svg(),
            Self::Lines(lines) => lines.svg(),
            Self::HeatMap(map) => map.svg(),
        }
    }

    /// As a file for a narrow screen; a map has none, and scrolls there.
    pub fn narrow(&self) -> Option<String> {
        match self {
            Self::Intervals(intervals) => Some(intervals.narrow()),
            Self::Lines(lines) => Some(lines.narrow()),
            Self::HeatMap(_) => None,
        }
    }

    /// What stands below it.
    pub fn caption(&self) -> String {
        match self {
            Self::Intervals(intervals) => intervals.title.clone(),
            Self::Lines(lines) => format!("{}: {}", lines.title, lines.note),
            Self::HeatMap(map) => format!("{}: {}", map.title, map.note),
        }
    }
}

/// The plot that says most of measure number `measure`, of the rows that are there: what is still to
/// come has no value, and nothing to say about it. Lines where they can be told apart; `None` where
/// a plan has too many axes.
pub fn picture(plan: &Plan, rows: &[Row], measure: usize) -> Option<Picture> {
    let mut by_number: Vec<Option<&Row>> = vec![None; plan.cells()];
    for row in rows {
        by_number[row.cell] = Some(row);
    }
    let drawn = Drawn {
        plan,
        rows: &by_number,
        m: measure,
        measure: plan.measures().get(measure)?,
    };
    match &plan.axes[..] {
        [axis] if axis.sample => drawn.scatter(0).map(Picture::Lines),
        [_] => Some(Picture::Lines(drawn.lines(0, None))),
        [_, _] => Some(Picture::HeatMap(drawn.heat_map())),
        _ => None,
    }
}

/// Every plot of a sweep that is complete: its file's name, and what is drawn.
pub fn pictures(plan: &Plan, rows: &[Row]) -> Vec<(String, Picture)> {
    if rows.len() != plan.cells() {
        return Vec::new();
    }
    let rows: Vec<Option<&Row>> = rows.iter().map(Some).collect();
    let mut files = Vec::new();
    for (m, measure) in plan.measures().iter().enumerate() {
        let picture = Drawn {
            plan,
            rows: &rows,
            m,
            measure,
        };
        let name = file_name(measure.path());
        match &plan.axes[..] {
            [axis] if axis.sample => {
                for column in 0..axis.columns.len() {
                    if let Some(points) = picture.scatter(column) {
                        let by = file_name(&axis.columns[column].name);
                        files.push((format!("{name}.by-{by}.svg"), Picture::Lines(points)));
                    }
                }
            }
            [_] => {
                let lines = picture.lines(0, None);
                files.push((format!("{name}.lines.svg"), Picture::Lines(lines)));
            }
            [_, _] => {
                let map = picture.heat_map();
                files.push((format!("{name}.heat-map.svg"), Picture::HeatMap(map)));
                if let Some((along, by)) = along_and_by(&plan.axes[0], &plan.axes[1]) {
                    let lines = picture.lines(along, Some(by));
                    files.push((format!("{name}.lines.svg"), Picture::Lines(lines)));
                }
            }
            _ => {}
        }
    }
    files
}

/// One measure of a sweep.
struct Drawn<'a> {
    plan: &'a Plan,
    /// By the cells' numbers.
    rows: &'a [Option<&'a Row>],
    m: usize,
    measure: &'a Measure,
}

impl Drawn<'_> {
    /// Lines along one axis, one for each point of the other.
    fn lines(&self, along: usize, by: Option<usize>) -> Lines {
        let axis = &self.plan.axes[along];
        let (x, places) = across(axis);
        let series = (0..by.map_or(1, |by| self.plan.axes[by].points.len()))
            .map(|s| {
                let points = places
                    .iter()
                    .enumerate()
                    .map(|(p, x)| self.point(*x, self.number(along, p, by.map(|by| (by, s)))));
                Series {
                    name: by.map_or(String::new(), |by| words(&self.plan.axes[by])[s].clone()),
                    points: points.collect(),
                }
            })
            .collect();
        Lines {
            title: self.title(),
            note: self.note("band: the % interval"),
            x,
            figure: self.measure.path().to_owned(),
            unit: self.measure.unit(),
            joined: true,
            legend: by.map_or(String::new(), |by| label(&self.plan.axes[by])),
            series,
        }
    }

    /// The points of a sample along one of its paths; `None` where that takes no numbers.
    fn scatter(&self, column: usize) -> Option<Lines> {
        let axis = &self.plan.axes[0];
        let one = Varied {
            columns: vec![axis.columns[column].clone()],
            points: axis
                .points
                .iter()
                .map(|point| vec![point[column].clone()])
                .collect(),
            ..axis.clone()
        };
        let mut order: Vec<(f64, usize)> = words(&one)
            .iter()
            .enumerate()
            .map(|(at, text)| number_of(text).map(|(value, _)| (value, at)))
            .collect::<Option<_>>()?;
        order.sort_by(|a, b| a.0.total_cmp(&b.0));
        // Values of which each is taken several times share a place.
        let mut distinct = order.clone();
        distinct.dedup_by(|a, b| a.0.to_bits() == b.0.to_bits());
        let sorted = Varied {
            points: distinct
                .iter()
                .map(|(_, at)| one.points[*at].clone())
                .collect(),
            ..one
        };
        let (x, places) = across(&sorted);
        let points = order.iter().map(|(value, at)| {
            let place = distinct.partition_point(|(other, _)| other < value);
            self.point(places[place], *at)
        });
        Some(Lines {
            title: self.title(),
            note: self.note("bar: the % interval"),
            x,
            figure: self.measure.path().to_owned(),
            unit: self.measure.unit(),
            joined: false,
            legend: String::new(),
            series: vec![Series {
                name: String::new(),
                points: points.collect(),
            }],
        })
    }

    /// The second axis lies across, the first upward.
    fn heat_map(&self) -> HeatMap {
        let (upward, across) = (&self.plan.axes[0], &self.plan.axes[1]);
        let spots = (0..upward.points.len())
            .map(|y| {
                let spot = |x: usize| {
                    let row = self.rows[self.number(1, x, Some((0, y)))];
                    Spot {
                        value: row.and_then(|row| row.figures[self.m].mean),
                        about: row.map_or(String::new(), |row| self.about(row)),
                    }
                };
                (0..across.points.len()).map(spot).collect()
            })
            .collect();
        HeatMap {
            title: self.title(),
            note: self.note("the % intervals are in the table"),
            across: (label(across), words(across)),
            upward: (label(upward), words(upward)),
            figure: self.measure.path().to_owned(),
            unit: self.measure.unit(),
            ends: None,
            spots,
        }
    }

    /// A cell's figure at a place along an axis.
    fn point(&self, x: f64, cell: usize) -> Point {
        let figure = self.rows[cell].map_or_else(Figure::default, |row| row.figures[self.m]);
        Point {
            x,
            mean: figure.mean,
            interval: figure.interval,
            about: self.rows[cell].map_or(String::new(), |row| self.about(row)),
        }
    }

    /// The number of the cell at these points of one or two axes.
    fn number(&self, axis: usize, point: usize, other: Option<(usize, usize)>) -> usize {
        let mut points = vec![0; self.plan.axes.len()];
        points[axis] = point;
        if let Some((axis, point)) = other {
            points[axis] = point;
        }
        points
            .iter()
            .zip(&self.plan.axes)
            .fold(0, |number, (point, axis)| {
                number * axis.points.len() + point
            })
    }

    fn title(&self) -> String {
        format!("{}: {}", self.plan.title(), self.measure.path())
    }

    fn note(&self, intervals: &str) -> String {
        let replications = match (self.plan.precision(), self.plan.replications()) {
            (None, 1) => "1 replication".to_owned(),
            (None, n) => format!("mean of {}", readable::counted(n as usize, "replication")),
            (Some(precision), _) => format!(
                "mean of replications until within {}",
                readable::share(precision.relative)
            ),
        };
        let level = format!("{} %", self.plan.confidence() * 100.0);
        let intervals = intervals.replace('%', &level);
        format!("{replications}; {intervals}; the same random numbers in every cell")
    }

    /// What a cell is, and what came of it.
    fn about(&self, row: &Row) -> String {
        let values: Vec<String> = self
            .plan
            .columns()
            .iter()
            .zip(&row.values)
            .map(|(name, value)| format!("{name} = {value}"))
            .collect();
        let figure = &row.figures[self.m];
        let found = match (figure.mean, figure.interval) {
            (Some(mean), Some(ends)) => words::with_interval(self.measure, mean, ends),
            (Some(mean), None) => self.measure.text(mean),
            _ => row.notes.clone(),
        };
        format!("cell {}: {}\n{found}", row.cell, values.join(", "))
    }
}

/// Along which of two axes lines run, and by which they differ.
fn along_and_by(first: &Varied, second: &Varied) -> Option<(usize, usize)> {
    let few = |axis: &Varied| axis.points.len() <= LOOKS.len();
    let numeric = |axis: &Varied| numbers(axis).is_some();
    // Words make lines that differ; numbers make an axis to run along.
    match (numeric(first), numeric(second)) {
        (true, false) if few(second) => Some((0, 1)),
        (true, true) if few(second) && first.points.len() >= second.points.len() => Some((0, 1)),
        (_, true) if few(first) => Some((1, 0)),
        _ => None,
    }
}

/// What is written along an axis: paths that go together are named by the first.
fn label(axis: &Varied) -> String {
    let more = axis.columns.len() - 1;
    let first = axis.columns.first().map_or("", |column| &column.name);
    if more == 0 {
        first.to_owned()
    } else {
        format!("{first} and {more} more")
    }
}

fn words(axis: &Varied) -> Vec<String> {
    axis.points
        .iter()
        .map(|point| point.first().map_or(String::new(), cell_text))
        .collect()
}

/// The values of an axis as numbers that ascend.
fn numbers(axis: &Varied) -> Option<(Vec<f64>, Kind)> {
    let read: Vec<(f64, Kind)> = words(axis)
        .iter()
        .map(|text| number_of(text))
        .collect::<Option<_>>()?;
    let ascending = read
        .windows(2)
        .all(|pair| pair[0].0 < pair[1].0 && pair[0].1 == pair[1].1);
    let kind = read.first().map(|(_, kind)| *kind)?;
    (ascending && read.len() > 1).then(|| (read.into_iter().map(|(n, _)| n).collect(), kind))
}

/// The axis of a plot, and where its points stand.
fn across(axis: &Varied) -> (Axis, Vec<f64>) {
    let Some((mut values, kind)) = numbers(axis) else {
        let places = (0..axis.points.len()).map(|i| i as f64).collect();
        return (Axis::words(label(axis), &words(axis)), places);
    };
    let log = axis.columns.first().is_some_and(|column| column.log);
    let mut name = label(axis);
    if kind == Kind::Span {
        let shown = Shown::of(Unit::Time, values.last().copied().unwrap_or(0.0));
        for value in &mut values {
            *value *= shown.factor;
        }
        name = shown.label(&name);
    }
    (Axis::at_values(name, &values, log), values)
}

/// A path as the name of a file.
fn file_name(path: &str) -> String {
    let safe = |c: char| {
        if c.is_ascii_alphanumeric() || ['.', '-', '_'].contains(&c) {
            c
        } else {
            '_'
        }
    };
    path.chars().map(safe).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::sweep::{Shard, run};
    use crate::scenario::{NoFiles, Source};
    use std::sync::atomic::AtomicBool;

    const PLAN: &str = r#"
        measures = ["response_time_s.mean", "availability"]
        axis = [{ path = "traffic.traffic.rate", values = [100, 200, 300] }, { path = "service.web.balancer.policy", values = ["random", "round-robin"] }]
        [scenario]
        horizon = "1s"
        traffic = [{ to = "web", rate = 200 }]
        [scenario.service.web]
        demand = { kind = "exponential", mean = "10ms" }
        server = [{ name = "a", workers = 2 }, { name = "b", workers = 2 }]
    "#;

    #[test]
    fn a_picture_of_some_rows_leaves_the_others_open() {
        let plan = Plan::read(&Source::new("plan.toml", PLAN), &NoFiles)
            .unwrap_or_else(|problems| panic!("{problems}"));
        let mut rows = Vec::new();
        let all = Shard::WHOLE.cells(&plan);
        run(&plan, &all, 2, &AtomicBool::new(false), &mut |row| {
            rows.push(row);
            Ok::<(), ()>(())
        })
        .expect("nothing fails here");
        let Some(Picture::HeatMap(map)) = picture(&plan, &rows[..3], 0) else {
            panic!("two axes make a heat map");
        };
        let spots: Vec<_> = map.spots.iter().flatten().collect();
        assert_eq!(spots.len(), plan.cells());
        assert_eq!(spots.iter().filter(|spot| spot.value.is_some()).count(), 3);
        assert!(
            spots
                .iter()
                .all(|s| s.value.is_some() || s.about.is_empty())
        );
        assert!(picture(&plan, &rows, plan.measures().len()).is_none());
    }
}
