//! Settings of other programs: they are read or refused with reasons, and what was read is a scenario.

use sim_core::scenario::{NoFiles, Scenario, Source};
use sim_import::settings::{FORMATS, Files, Surroundings, import};

/// Codes of what a file may rightly ask for and a scenario refuses: what the program itself refuses, names that are
/// too long, values out of range.
const REFUSED: &[&str] = &["E013", "E017", "E018", "E021", "E022", "E023", "E024"];

/// Files that others include: all hold the same bytes.
struct Beside<'a>(&'a str);

impl Files for Beside<'_> {
    fn read(&self, _: &str) -> Result<Option<String>, String> {
        Ok(Some(self.0.to_owned()))
    }
    fn matching(&self, pattern: &str) -> Result<Vec<String>, String> {
        Ok(vec![pattern.replace('*', "a")])
    }
}

/// A text, in the format it looks like, or else in the one that its length says.
pub fn settings(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let variable = |name: &str| name.len().is_multiple_of(2).then(|| "7".to_owned());
    let around = Surroundings {
        title: "fuzz",
        files: &Beside("server 192.0.2.9; weight 3;"),
        variable: &variable,
    };
    let sources = [Source::new("fuzz", &*text)];
    let named = [None, Some(&FORMATS[data.len() % FORMATS.len()])];
    for format in named {
        let Ok(imported) = import(&sources, format, &around) else {
            continue;
        };
        let source = Source::new("imported.toml", imported.scenario);
        let read = Scenario::read(source.clone(), &[], &NoFiles).and_then(|s| s.model());
        if let Err(problems) = read {
            let wrong = problems
                .problems
                .iter()
                .find(|p| !REFUSED.contains(&p.code));
            assert!(wrong.is_none(), "{problems}\n{}", source.text);
        }
    }
}
