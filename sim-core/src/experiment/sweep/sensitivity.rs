//! What each path of a design explains of the variance of each figure, from the rows of a sweep.

use super::plan::Plan;
use super::row::Row;
use crate::statistics::{BASE_POINTS_MIN, BasePoint, SobolIndex, sobol};
use crate::text::Csv;
use std::io::{self, Write};

/// What each path explains of a figure, in the order of [`Plan::columns`].
pub type Explained = Vec<SobolIndex>;

/// What is known of the sensitivity of a figure.
#[derive(Clone, PartialEq, Debug)]
pub struct Sensitivity {
    /// The figure, by its place among [`Plan::measures`].
    pub measure: usize,
    /// Base points of which all cells have the figure.
    pub used: usize,
    /// Base points of the plan.
    pub of: usize,
    /// The indices; absent where the figure does not vary, or is known at too few points.
    pub explained: Option<Explained>,
}

impl Sensitivity {
    /// Why there are no indices.
    pub fn why(&self) -> String {
        if (self.used as u64) < BASE_POINTS_MIN {
            return format!(
                "{} of {} base points have the figure in all of their cells, and it takes {BASE_POINTS_MIN}",
                self.used, self.of
            );
        }
        "it is the same in all cells".to_owned()
    }
}

/// The sensitivity of each figure, from the complete rows of a plan in their order; nothing where the plan is no design
/// for it.
pub fn sensitivity(plan: &Plan, rows: &[Row]) -> Vec<Sensitivity> {
    if !plan.is_sobol() || rows.len() != plan.cells() {
        return Vec::new();
    }
    let block = plan.columns().len() + 2;
    let of_measure = |measure: usize| {
        let point = |cells: &[Row]| {
            let figures = cells.iter().map(|row| row.figures[measure].mean);
            let figures = figures.collect::<Option<Vec<f64>>>()?;
            Some(BasePoint {
                a: figures[0],
                b: figures[1],
                mixed: figures[2..].to_vec(),
            })
        };
        let points: Vec<BasePoint> = rows.chunks_exact(block).filter_map(point).collect();
        Sensitivity {
            measure,
            used: points.len(),
            of: rows.len() / block,
            explained: sobol(&points, plan.confidence()),
        }
    };
    (0..plan.measures().len()).map(of_measure).collect()
}

/// Writes the sensitivity of each figure as CSV.
///
/// # Errors
/// Those of the writer.
pub fn write_sensitivity(plan: &Plan, rows: &[Row], out: &mut dyn Write) -> io::Result<()> {
    let mut csv = Csv::new(out);
    csv.write_record([
        "measure",
        "path",
        "first",
        "first.low",
        "first.high",
        "total",
        "total.low",
        "total.high",
        "base_points",
    ])?;
    for Sensitivity {
        measure,
        used,
        explained,
        ..
    } in sensitivity(plan, rows)
    {
        for (at, path) in plan.columns().into_iter().enumerate() {
            let index = explained.as_ref().map(|indices| indices[at]);
            let shares = index.map(|index| [index.first, index.total]);
            let fields = shares.into_iter().flatten();
            let fields = fields.flat_map(|share| [share.value, share.ends.0, share.ends.1]);
            let mut fields: Vec<String> = fields.map(|number| format!("{number:?}")).collect();
            fields.resize(6, String::new());
            let mut record = vec![plan.measures()[measure].path().to_owned(), path.to_owned()];
            record.extend(fields);
            record.push(used.to_string());
            csv.write_record(record)?;
        }
    }
    csv.flush()
}
