//! The doctor in the window: what `stampede doctor` finds in the text of the scenario, in the background.

use crate::app::App;
use crate::experiment::{Found, Prepared, Report};
use crate::files;
use crate::panel;
use sim_core::doctor::{Examination, Finding, Mended, Places, REPLICATIONS, mend, verdict};
use sim_core::scenario::{Problems, Scenario, Source};
use std::fmt::Write as _;
use std::sync::Arc;

/// What the doctor says of a text.
pub struct Examined {
    /// The text that was examined.
    pub source: Source,
    /// Whether the text has been changed since, so that its lines may be others.
    pub stale: bool,
    /// How far it is, and what was found.
    pub report: Report,
    places: Places,
}

impl Examined {
    /// Looks for what is odd in a text; and what is to be run to try it. The text's own seed counts,
    /// as for the command.
    ///
    /// # Errors
    /// The problems of the text.
    pub fn of(source: Source) -> Result<(Self, Prepared), Problems> {
        let read = |sets: &[(String, String)]| {
            let neighbours = files::Neighbours::of(&source.name);
            Scenario::read(source.clone(), sets, &neighbours)
        };
        let examination = Examination::of(&read, REPLICATIONS)?;
        let prepared = Prepared::Examination(Arc::new(examination));
        let examined = Self {
            places: Places::of(&source),
            report: Report::new(&prepared),
            stale: false,
            source,
        };
        Ok((examined, prepared))
    }

    /// What was found by now, what costs most first.
    pub fn findings(&self) -> &[Finding] {
        match &self.report.found {
            Found::Examined(found) => found,
            _ => &[],
        }
    }

    /// Those that matter, with their numbers.
    pub fn dangerous(&self) -> impl Iterator<Item = (usize, &Finding)> {
        let all = self.findings().iter().enumerate();
        all.filter(|(_, finding)| finding.matters())
    }

    /// The line of the text that a finding is about.
    pub fn line(&self, finding: &Finding) -> Option<usize> {
        let place = self.places.of_path(&finding.doubt.path)?;
        Some(place.line)
    }

    /// The text with what would mend a finding.
    pub fn mended(&self, finding: &Finding) -> Mended {
        mend(&self.source, &finding.doubt.cure)
    }

    /// Whether it is still going on.
    pub fn is_running(&self) -> bool {
        self.report.over.is_none()
    }

    /// What came of it, in a line.
    pub fn headline(&self) -> String {
        let words = verdict(self.findings());
        if self.stale {
            format!("before the text was changed: {words}")
        } else {
            words
        }
    }

    /// Everything in words.
    pub fn words(&self) -> String {
        if self.is_running() {
            return format!("{}\n", self.report.words());
        }
        let mut text = format!("{}\n", self.headline());
        for (number, finding) in self.dangerous() {
            let line = self.line(finding);
            let place = line.map_or(String::new(), |line| format!("  line {line}"));
            let _ = writeln!(text, "{}  {}{place}", number + 1, finding.rule.id);
            let _ = writeln!(text, "  {}", finding.doubt.says);
            for line in finding.words() {
                let _ = writeln!(text, "  {line}");
            }
        }
        text
    }
}

impl App {
    /// The text of the scenario as it is typed.
    fn typed(&self) -> &str {
        self.local.text.as_ref().unwrap_or(&self.state.source.text)
    }

    /// Looks for what is dangerous in the text as it is typed.
    pub(crate) fn examine(&mut self) {
        self.state.settings.show(panel::find("scenario"));
        let source = Source::new(self.state.source.name.clone(), self.typed());
        match Examined::of(source) {
            Ok((examined, prepared)) => {
                self.examiner = Some(self.runner_of(&prepared));
                self.state.doctor = Some(examined);
                // Those of a text that could not be examined before.
                if self.state.report.is_some() {
                    self.state.problems = None;
                }
                self.state.settings.show(panel::find("problems"));
            }
            Err(problems) => {
                self.state.problems = Some(Arc::new(problems));
                self.state.settings.show(panel::find("problems"));
                self.say("the text has problems: they come first");
            }
        }
    }

    pub(crate) fn stop_examining(&mut self) {
        match &mut self.examiner {
            Some(examiner) => examiner.stop(),
            None => self.say("the doctor is not looking for anything"),
        }
    }

    /// Notices that the text is another than the one examined, or the same again.
    pub(crate) fn compare_with_examined(&mut self) {
        let typed = self.local.text.as_ref();
        let typed = typed.unwrap_or(&self.state.source.text);
        if let Some(examined) = &mut self.state.doctor {
            examined.stale = examined.source.text != *typed;
        }
    }

    /// Writes what would mend a finding into the text, where its values stand.
    pub(crate) fn mend(&mut self, number: usize) {
        self.compare_with_examined();
        let Some(examined) = self.state.doctor.as_ref().filter(|e| !e.stale) else {
            return self.say("the text has been changed since: let it be examined again");
        };
        let Some(finding) = examined.findings().get(number) else {
            return;
        };
        let mended = examined.mended(finding);
        let Some(line) = mended.lines.first().copied() else {
            return self.say("what would mend it is not written in this text: write it by hand");
        };
        self.local.text = (mended.text != self.state.source.text).then_some(mended.text);
        self.local.line = Some(line);
        self.say(format!(
            "line {line} is changed; Run runs it, Revert takes it back"
        ));
    }
}
