//! What an experiment found, as a list of blocks: a terminal prints them, and a page shows them, so that both say the
//! same in the same words. What only one of them can show, a picture for example, the other leaves out.

use super::Picture;
pub use super::markup::Table;
use super::markup::{self, Html, prose, xml};
use crate::scenario::{SET_SOURCE, Scenario};

/// Bytes of pictures, and of rows of tables, that a page has at most.
const PICTURES_MAX: usize = 800_000;
const ROWS_MAX: usize = 300_000;

/// A part of what is told.
#[derive(Clone, PartialEq, Debug)]
pub enum Block {
    /// The answer, and whom it is about; that may be empty.
    Verdict(String, String),
    /// A sentence whose beginning has weight.
    Lead(String, String),
    /// What the next blocks are about, where a page has room for it.
    Section(String),
    /// What the next blocks are about.
    Heading(String),
    /// What the next blocks warn of.
    Alarm(String),
    /// A sentence.
    Sentence(String),
    /// What is good to know of the blocks around it.
    Note(String),
    /// What may not be meant, or not be believed.
    Warning(String),
    /// Something that was expected, and whether it holds; absent where that was not judged.
    Check(Option<bool>, String, String),
    /// Figures.
    Table(Table),
    /// A picture.
    Picture(Picture),
    /// Lines as they are typed, under a name.
    Code(String, String),
    /// An empty line.
    Gap,
}

/// All that is told of an experiment.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Sheet {
    /// What it is about.
    pub title: String,
    /// What was done, such as `comparison of 3 variants`.
    pub what: String,
    /// What the scenario asks.
    pub question: String,
    /// By which a reader knows what was simulated: scenario, seed, hash.
    pub facts: Vec<String>,
    /// What was found.
    pub blocks: Vec<Block>,
    /// Commands that give the same figures again, as they are typed.
    pub commands: Vec<String>,
    /// What was read: a name and a text.
    pub sources: Vec<(String, String)>,
}

impl Sheet {
    /// An empty one about a scenario.
    pub fn of(what: &str, scenario: &Scenario, seed: u64) -> Self {
        let title = match scenario.title() {
            "" => scenario.name(),
            title => title,
        };
        let mut sheet = Self {
            title: title.to_owned(),
            what: what.to_owned(),
            question: scenario.question().to_owned(),
            facts: vec![
                format!(
                    "scenario `{}` (hash `{:016x}`)",
                    scenario.name(),
                    scenario.hash()
                ),
                format!("seed {seed}"),
            ],
            ..Self::default()
        };
        sheet.read(scenario);
        sheet
    }

    /// Adds the texts that a scenario was read from, those that are not there already. What was set from outside
    /// stands in the command.
    pub fn read(&mut self, scenario: &Scenario) {
        for source in scenario.sources() {
            let one = (format!("Scenario: {}", source.name), source.text.clone());
            if source.name != SET_SOURCE && !self.sources.contains(&one) {
                self.sources.push(one);
            }
        }
    }

    /// What was found, in a sentence each.
    pub fn verdicts(&self) -> Vec<&str> {
        let mut found = Vec::new();
        for block in &self.blocks {
            if let Block::Verdict(_, says) = block {
                found.push(says.as_str());
            }
        }
        found
    }

    /// The whole as one HTML file that needs no other and no network.
    pub fn html(&self) -> String {
        let mut html = Html::default();
        markup::head(&mut html, &self.title, &self.what, &self.question, false);
        let mut first = self.what.chars();
        let what = first.next().map_or(String::new(), |letter| {
            letter.to_uppercase().chain(first).collect()
        });
        html.raw(&format!(
            "<p class=\"facts\">{}</p>\n</header>\n<main>",
            prose(&format!(
                "{what}, by Stampede {}: {}.",
                env!("CARGO_PKG_VERSION"),
                self.facts.join(", ")
            ))
        ));
        let verdicts = self.verdicts();
        html.heading(
            "verdict",
            if verdicts.is_empty() {
                "Figures"
            } else {
                "Verdict"
            },
        );
        match &verdicts[..] {
            [] => {}
            [says] => html.raw(&format!("<p class=\"verdict\">{}</p>", prose(says))),
            several => {
                html.raw("<ul class=\"verdicts\">");
                for says in several {
                    html.raw(&format!("<li>{}</li>", prose(says)));
                }
                html.raw("</ul>");
            }
        }
        let mut room = Room {
            pictures: PICTURES_MAX,
            rows: ROWS_MAX,
            sections: 0,
        };
        for block in &self.blocks {
            match block {
                // Of several each is told again where its figures are.
                Block::Verdict(_, says) if verdicts.len() > 1 => {
                    html.raw(&format!("<p><strong>{}</strong></p>", prose(says)));
                }
                Block::Verdict(..) => {}
                other => show(&mut html, other, &mut room),
            }
        }
        html.heading("again", "The same again");
        markup::commands(&mut html, &self.commands);
        let mut room = markup::SOURCE_MAX;
        for (name, text) in &self.sources {
            markup::source(&mut html, name, text, &mut room);
        }
        html.raw("</main>\n</body>\n</html>");
        html.text
    }
}

/// What still fits.
struct Room {
    pictures: usize,
    rows: usize,
    sections: usize,
}

fn show(html: &mut Html, block: &Block, room: &mut Room) {
    match block {
        Block::Verdict(..) | Block::Gap => {}
        Block::Lead(strong, says) => html.raw(&format!(
            "<p><strong>{}</strong>{}</p>",
            xml(strong),
            match says.trim() {
                "" => String::new(),
                says => format!(" {}", prose(says)),
            }
        )),
        Block::Section(text) => {
            room.sections += 1;
            html.heading(&format!("part-{}", room.sections), text);
        }
        Block::Heading(text) | Block::Alarm(text) => {
            html.raw(&format!("<h3>{}</h3>", xml(text)));
        }
        Block::Sentence(text) => html.paragraph(text),
        Block::Note(text) => html.raw(&format!("<p class=\"facts\">{}</p>", prose(text))),
        Block::Warning(text) => html.raw(&format!(
            "<p class=\"warn\"><strong>Note:</strong> {}</p>",
            prose(text)
        )),
        Block::Check(holds, count, that) => {
            let mark = match holds {
                Some(true) => "✓",
                Some(false) => "✗",
                None => "–",
            };
            html.raw(&format!(
                "<p>{mark} {}: <code>{}</code></p>",
                xml(count),
                xml(that)
            ));
        }
        Block::Table(table) => fitting(html, table, room),
        Block::Picture(picture) => figure(html, picture, room),
        Block::Code(name, lines) => markup::code(html, name, lines),
    }
}

/// A table with as many rows as there is room for.
fn fitting(html: &mut Html, table: &Table, room: &mut Room) {
    let mut kept = 0;
    for row in &table.rows {
        // A cell comes with marks around it.
        let bytes: usize = row.iter().map(|cell| cell.len() + 10).sum();
        if bytes > room.rows {
            break;
        }
        room.rows -= bytes;
        kept += 1;
    }
    let left_out = table.rows.len() - kept;
    if left_out == 0 {
        markup::table(html, table);
        return;
    }
    let mut short = table.clone();
    short.rows.truncate(kept);
    markup::table(html, &short);
    html.paragraph(&format!(
        "… {left_out} more rows: the table in the folder of `-o DIR` has them all."
    ));
}

fn figure(html: &mut Html, picture: &Picture, room: &mut Room) {
    let caption = picture.caption();
    let title = xml(&caption);
    let (wide, narrow) = (picture.svg(), picture.narrow());
    let bytes = wide.len() + narrow.as_ref().map_or(0, String::len);
    if bytes > room.pictures {
        html.paragraph(&format!(
            "The picture “{caption}” is too large for a page: it is in the folder of `-o DIR`."
        ));
        return;
    }
    room.pictures -= bytes;
    // Colours that mean something do not give way to those of the night.
    let map = if matches!(picture, Picture::HeatMap(_)) {
        " map"
    } else {
        ""
    };
    html.raw("<figure>\n<div class=\"plot\">");
    if let Some(narrow) = narrow {
        html.raw(&format!("<div class=\"wide{map}\">\n{wide}</div>"));
        html.raw(&format!("<div class=\"narrow{map}\">\n{narrow}</div>"));
    } else {
        html.raw(&format!(
            "<section class=\"scroll{map}\" tabindex=\"0\" aria-label=\"{title}\">\n{wide}</section>"
        ));
    }
    html.raw(&format!(
        "</div>\n<figcaption>{title}</figcaption>\n</figure>"
    ));
}
