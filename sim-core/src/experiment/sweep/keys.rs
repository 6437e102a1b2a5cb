//! Every key of a plan: one definition for its reader, the schema and the reference.

use crate::scenario::compound::{Optional, Sets, Table, Tables, Word, Words};
use crate::scenario::kinds::{Count, Flag, Name, Ratio, Text};
use crate::scenario::section::{Cx, Form, KeyDef, Reads, from, section};
use crate::scenario::sections::LimitsSpec;
use crate::scenario::tree::Node;

section! {
    /// A plan: one scenario, the axes along which it is varied, and what is measured. Every combination of the axes' values is a cell.
    PlanSpec {
        /// A name for people.
        title: Text = "";
        /// What plots and messages call the plan; when absent, the name of its file.
        name: Optional<Name> = "none";
        /// The scenario: a file beside the plan, the name of a model that comes with the program, or a table that holds the scenario itself.
        scenario: ScenarioRef;
        /// Replications of each cell. Replication n draws the same random numbers in every cell.
        replications: Count = "10", in from(1.0, 1e6), unit "replications";
        /// Go on with each cell, in waves of ten and for ten replications at least, until every interval's half-width is at most this share of its mean; `replications` is then how many come first.
        precision: Optional<Ratio> = "none", in from(0.0001, 0.5);
        /// With `precision`: replications of a cell at most.
        max_replications: Count = "1000", in from(10.0, 1e6), unit "replications";
        /// Key of all random streams; when absent, the scenario's.
        seed: Optional<Count> = "none", in from(0.0, 1.8446744073709552e19);
        /// Confidence of the intervals.
        confidence: Ratio = "95%", in from(0.5, 0.9999);
        /// Figures of the summary, by the paths that expectations use.
        measures: Measures = r#"["availability", "goodput_hz", "response_time_s.mean", "response_time_s.p99"]"#;
        /// New values of keys, by path, for every cell.
        set: Sets = "{}";
        /// What bounds each run: keys that differ from the scenario's `limits`.
        limits: Table<LimitsSpec> = "{}";
        /// The axes; the last one varies fastest.
        axis: Tables<AxisSpec>;
    }
}

section! {
    /// An axis: one path with its values, several that go together (`zip`), or a sample of many at once (`latin_hypercube`).
    AxisSpec {
        /// What is varied: a path, as `--set` takes it.
        path: Optional<Text> = "none";
        /// What its column is called; the path when absent.
        name: Optional<Text> = "none";
        /// Its values, in their order.
        values: Values = "none";
        /// First value of a range: a number, a time span, a share or a size.
        from: Bound = "none";
        /// Last value of a range, of the same kind.
        to: Bound = "none";
        /// How many values a range has, both ends included.
        count: Optional<Count> = "none", in from(2.0, 1e6), unit "values";
        /// In place of `count`: the distance of neighbours on a linear range.
        step: Bound = "none";
        /// How values lie between the ends of a range, and on a plot.
        spacing: Word<Spacing> = "linear";
        /// Rounds the values of a range to whole numbers; equal ones are taken once.
        whole: Flag = "false";
        /// Paths that go together: the n-th value of each makes the n-th point of the axis.
        zip: Tables<PartSpec> = "[]";
        /// Paths that are sampled together: each value range is cut into as many strata as there are samples, and each stratum is used once.
        latin_hypercube: Tables<PartSpec> = "[]";
        /// With `latin_hypercube`: how many points.
        samples: Optional<Count> = "none", in from(1.0, 1e6), unit "points";
        /// What the points are, together. With `sobol` and `latin_hypercube`, `samples` is the number of base points.
        design: Word<Design> = "plain";
        /// With `latin_hypercube`: which random sample.
        seed: Count = "1", in from(0.0, 1.8446744073709552e19);
    }
}

section! {
    /// A path of a `zip` or a `latin_hypercube`. A sample needs no `count`: `from` and `to`, or `values` of which each is taken equally often.
    PartSpec {
        /// What is varied: a path, as `--set` takes it.
        path: Optional<Text> = "none";
        /// What its column is called; the path when absent.
        name: Optional<Text> = "none";
        /// Its values, in their order.
        values: Values = "none";
        /// First value of a range.
        from: Bound = "none";
        /// Last value of a range, of the same kind.
        to: Bound = "none";
        /// How many values a range has, both ends included.
        count: Optional<Count> = "none", in from(2.0, 1e6), unit "values";
        /// In place of `count`: the distance of neighbours on a linear range.
        step: Bound = "none";
        /// How values lie between the ends of a range, and on a plot.
        spacing: Word<Spacing> = "linear";
        /// Rounds the values of a range to whole numbers; in a sample, each value.
        whole: Flag = "false";
    }
}

/// How values lie between the ends of a range.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Spacing {
    Linear,
    Log,
}

impl Words for Spacing {
    const WORDS: &'static [(&'static str, Self, &'static str)] = &[
        ("linear", Self::Linear, "equal distances"),
        ("log", Self::Log, "equal ratios; both ends above zero"),
    ];
}

/// What the points of an axis are, together.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Design {
    Plain,
    Sobol,
}

impl Words for Design {
    const WORDS: &'static [(&'static str, Self, &'static str)] = &[
        ("plain", Self::Plain, "points, each for itself"),
        (
            "sobol",
            Self::Sobol,
            "for Sobol indices (Saltelli 2010): of each base point two independent points, and the first of them with each path in turn as in the second",
        ),
    ];
}

/// Defines kinds of values that are kept as written until more is known.
macro_rules! kept {
    ($($name:ident, $form:literal;)*) => { $(
        /// Kept as written.
        pub(crate) struct $name;

        impl Reads for $name {
            type Out = Node;
            fn read(node: &Node, _: &KeyDef, _: &mut Cx<'_>) -> Option<Node> {
                Some(node.clone())
            }
            fn form() -> Form {
                Form::Any($form)
            }
        }
    )* };
}

kept! {
    ScenarioRef, "file, name or table";
    Measures, "list of paths";
    Values, "list of any values";
    Bound, "number, time span, share or size";
}
