//! The report of a run: one page that stands alone, and a draft of a postmortem.
//!
//! Nothing is judged twice: the verdict, the incidents and the warnings are those of the summary, and
//! what is found here besides is read off the time line and named with its numbers and times.
//!
//! | file | what for |
//! |---|---|
//! | `html` | the page, section by section |
//! | `markdown` | the draft of a postmortem |
//! | `words` | the verdict in a sentence, key figures, moments |
//! | `story` | events in two lanes, numbered; spells in which the site was not normal |
//! | `factors`, `shares`, `limits` | what contributed, with its evidence |
//! | `times` | time to detect, mitigate and recover |
//! | `windows`, `panels` | what is drawn: figures over windows of the time line |
//! | `chart`, `lanes` | pictures of them, each for a wide and a narrow screen |
//! | `tables` | servers, percentiles, futures |
//! | `data` | what is drawn, for the script and for other programs |

mod chart;
mod data;
mod factors;
mod html;
mod lanes;
mod limits;
mod markdown;
mod panels;
mod shares;
mod story;
mod tables;
mod times;
mod windows;
mod words;

use crate::engine::Simulation;
use crate::scenario::Scenario;
use crate::summary::Summary;

/// One run of which is reported.
#[derive(Clone, Copy)]
pub struct Future<'a> {
    /// What it is called beside another one, such as `as it went`.
    pub name: &'a str,
    /// What was simulated.
    pub scenario: &'a Scenario,
    /// The run, at its end.
    pub simulation: &'a Simulation,
    /// Its figures.
    pub summary: &'a Summary,
}

/// What a report is made from.
pub struct Page<'a> {
    /// The run.
    pub run: Future<'a>,
    /// Another one, that shares its past.
    pub beside: Option<Future<'a>>,
    /// Commands that give the same figures again, as they are typed.
    pub commands: Vec<String>,
}

impl Page<'_> {
    /// The whole as one HTML file that needs no other and no network.
    pub fn html(&self) -> String {
        html::page(self)
    }

    /// A draft of a postmortem in Markdown: what is known is filled in, what only the team knows is
    /// marked as to be filled.
    pub fn markdown(&self) -> String {
        markdown::draft(self)
    }

    /// The chart of the story alone, as an SVG file.
    pub fn svg(&self) -> String {
        lanes::file(&self.run)
    }
}
