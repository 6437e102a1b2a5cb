//! The page, section by section. Everything from a scenario passes through `xml`.

use super::chart::{Canvas, NARROW, Size, WIDE};
use super::data::Data;
use super::factors::{factors, is_harmless};
use super::panels::{self, Panel, panels};
use super::story::{Row, Story};
use super::tables;
use super::windows::{Window, windows};
use super::{Future, Page, lanes, words};
use crate::report::markup::{self, Html, SOURCE_MAX, prose, table, xml};

/// Windows that are drawn, and those of the tables below the pictures.
const DRAWN: usize = 240;
const TABLED: usize = 30;
const SCRIPT: &str = include_str!("page.js");

/// The whole page.
pub(super) fn page(page: &Page<'_>) -> String {
    let run = &page.run;
    let story = Story::of(run);
    let canvas = lanes::canvas(run, &story);
    let spans = windows(run.simulation, DRAWN, 1);
    let mut drawn = panels(run, &spans);
    let beside = page.beside.as_ref();
    let compared = beside.map_or_else(Vec::new, |other| panels::futures(run, other, &spans));
    let mut html = Html::default();
    head(&mut html, run);
    html.raw("<main>");
    summary(&mut html, run);
    html.heading("story", "The story");
    story_chart(&mut html, run, &story, &canvas);
    for panel in &drawn {
        figure(&mut html, run, panel, &spans, &canvas);
    }
    story_table(&mut html, run, &story);
    contributed(&mut html, run);
    html.heading("times", "Time to detect, mitigate and recover");
    match tables::incidents(run) {
        Some(incidents) => table(&mut html, &incidents),
        None => html.paragraph("The site was normal all the time: there was nothing to detect."),
    }
    if let Some(other) = beside {
        html.heading("futures", "Futures beside each other");
        html.paragraph(&words::two_futures(run, other));
        table(&mut html, &tables::futures(run, other));
        for panel in &compared {
            figure(&mut html, run, panel, &spans, &canvas);
        }
    }
    figures(&mut html, run);
    reproduce(&mut html, page);
    html.raw("</main>");
    drawn.extend(compared);
    html.raw(&format!(
        "<script type=\"application/json\" id=\"data\">{}</script>",
        Data::of(run, &drawn, &spans).text()
    ));
    html.raw(&format!("<script>\n{SCRIPT}</script>"));
    html.raw("</body>\n</html>");
    html.text
}

fn head(html: &mut Html, run: &Future<'_>) {
    let what = "report of a simulated run";
    markup::head(html, &run.title(), what, run.scenario.question(), true);
    let summary = run.summary;
    html.raw(&format!(
        "<p class=\"facts\">Simulated by Stampede {}. Scenario <code>{}</code>, {} to {}, seed {}, digest <code>{}</code>.</p>\n</header>",
        xml(summary.version),
        xml(&summary.scenario),
        xml(&run.at_s(0.0)),
        xml(&run.at_s(summary.horizon_s)),
        summary.seed,
        xml(&summary.digest)
    ));
}

fn summary(html: &mut Html, run: &Future<'_>) {
    html.heading("verdict", "Verdict");
    html.raw(&format!(
        "<p class=\"verdict\">{}</p>",
        prose(&words::verdict(run))
    ));
    if let Some(end) = words::at_the_end(run) {
        html.paragraph(&format!("At the end: {end}"));
    }
    html.raw("<dl class=\"key\">");
    for (name, value) in words::key_figures(run) {
        html.raw(&format!(
            "<div><dt>{}</dt><dd>{}</dd></div>",
            xml(name),
            xml(&value)
        ));
    }
    html.raw("</dl>");
}

fn story_chart(html: &mut Html, run: &Future<'_>, story: &Story, canvas: &Canvas<'_>) {
    html.raw("<figure id=\"chart-story\">\n<div class=\"plot\">");
    for size in [WIDE, NARROW] {
        let svg = lanes::draw(run, story, canvas, &size, true);
        picture(html, &size, &svg, (0.0, 1.0));
    }
    html.raw("</div>");
    html.raw(&controls("What happened when", None));
    html.raw("</figure>");
}

/// A picture, with where its frame begins and ends: shares of its width and height.
fn picture(html: &mut Html, size: &Size, svg: &str, (top, bottom): (f64, f64)) {
    let (left, right) = (size.left / size.width, 1.0 - size.right / size.width);
    html.raw(&format!(
        "<div class=\"{}\" data-left=\"{left:.4}\" data-right=\"{right:.4}\" data-top=\"{top:.4}\" data-bottom=\"{bottom:.4}\">\n{svg}</div>",
        size.class
    ));
}

/// What only works with the script, and is shown by it.
fn controls(title: &str, windows: Option<usize>) -> String {
    let slider = windows.map_or_else(String::new, |count| {
        format!(
            "<label>Moment in: {title} <input type=\"range\" min=\"0\" max=\"{}\" value=\"0\"></label>\n<output></output>\n",
            count.saturating_sub(1)
        )
    });
    format!(
        "<div class=\"controls\" hidden>\n{slider}<button type=\"button\" data-save=\"svg\" aria-label=\"Save as SVG: {title}\">SVG</button>\n<button type=\"button\" data-save=\"png\" aria-label=\"Save as PNG: {title}\">PNG</button>\n</div>"
    )
}

fn figure(html: &mut Html, run: &Future<'_>, panel: &Panel, spans: &[Window], canvas: &Canvas<'_>) {
    let id = panel.id;
    html.raw(&format!(
        "<figure id=\"chart-{id}\" data-chart=\"{id}\">\n<div class=\"plot\">"
    ));
    for size in [WIDE, NARROW] {
        let (svg, within) = canvas.draw(panel, spans, &size);
        picture(html, &size, &svg, within);
    }
    html.raw("</div>");
    html.raw(&controls(panel.title, Some(spans.len())));
    // The same figures over fewer windows: a table of hundreds of rows is read by nobody.
    let step = spans.len().div_ceil(TABLED).max(1);
    let kept: Vec<usize> = (0..spans.len()).step_by(step).collect();
    let every: Vec<Window> = kept.iter().map(|i| spans[*i].clone()).collect();
    let mut thinned = panel.clone();
    for line in &mut thinned.lines {
        line.values = kept.iter().map(|i| line.values[*i]).collect();
    }
    let mut figures = tables::panel(run, &thinned, &every);
    let width = spans
        .first()
        .map_or(0.0, |w| w.until.since(w.from).as_secs_f64());
    figures.caption = format!(
        "{}; {} from each moment on",
        figures.caption,
        words::span_s(width)
    );
    html.raw(&format!(
        "<details>\n<summary>{} as a table</summary>",
        xml(panel.title)
    ));
    table(html, &figures);
    html.raw("</details>\n</figure>");
}

fn story_table(html: &mut Html, run: &Future<'_>, story: &Story) {
    if story.rows.is_empty() {
        html.paragraph("Nothing happened in this run: no alert, no crash, no change.");
        return;
    }
    html.raw("<section class=\"box\" tabindex=\"0\" aria-label=\"Events in order of time\">\n<table class=\"story\">\n<caption>Events in order of time</caption>");
    html.raw("<thead><tr><th scope=\"col\">no.</th><th scope=\"col\">when</th><th scope=\"col\">who</th><th scope=\"col\">what, and why</th></tr></thead>\n<tbody>");
    for row in &story.rows {
        html.raw(&story_row(run, row));
    }
    html.raw("</tbody>\n</table>\n</section>");
    if story.left_out > 0 {
        html.paragraph(&format!(
            "{} more lines are left out; events.csv of `stampede run -o DIR` has every event.",
            story.left_out
        ));
    }
}

fn story_row(run: &Future<'_>, row: &Row) -> String {
    let (id, number) = row.number.map_or_else(
        || (String::new(), String::new()),
        |number| (format!(" id=\"event-{number}\""), number.to_string()),
    );
    let why = if row.why.is_empty() {
        String::new()
    } else {
        format!("<span class=\"why\">: {}</span>", xml(&row.why))
    };
    format!(
        "<tr{id} class=\"{}\"><td>{number}</td><td>{}</td><td>{}</td><td><span aria-hidden=\"true\">{}</span> {}{why}</td></tr>",
        row.by.name(),
        xml(&run.at(row.at)),
        row.by.name(),
        row.sign,
        xml(&row.what)
    )
}

fn contributed(html: &mut Html, run: &Future<'_>) {
    html.heading("factors", "What contributed");
    if is_harmless(run) {
        html.paragraph("No incident, no crash, and less than 1 % of the requests failed: there is nothing to explain.");
        return;
    }
    let found = factors(run);
    if found.is_empty() {
        html.paragraph("None of the things that are looked for was found: shares out of proportion, full queues and connections, amplification, crashes, servers that were not up, work for nobody, more asked than can be done.");
        return;
    }
    html.raw("<ol class=\"factors\">");
    for factor in &found {
        let at = factor.at.map_or("over the run".to_owned(), |at| run.at(at));
        html.raw(&format!(
            "<li><strong>{}</strong> <span class=\"when\">{}</span><br>{}</li>",
            xml(factor.title),
            xml(&at),
            prose(&factor.says)
        ));
    }
    html.raw("</ol>");
}

fn figures(html: &mut Html, run: &Future<'_>) {
    html.heading("servers", "Servers");
    table(html, &tables::servers(run));
    html.heading("percentiles", "Response times");
    table(html, &tables::percentiles(run));
    if let Some(objectives) = tables::objectives(run) {
        table(html, &objectives);
    }
    if let Some(expectations) = tables::expectations(run) {
        table(html, &expectations);
    }
    if !run.summary.warnings.is_empty() {
        html.raw("<h3>What to know before believing these figures</h3>\n<ul>");
        for warning in &run.summary.warnings {
            html.raw(&format!(
                "<li><code>{}</code>: {}</li>",
                xml(warning.code),
                prose(&warning.message)
            ));
        }
        html.raw("</ul>");
    }
}

fn reproduce(html: &mut Html, page: &Page<'_>) {
    let run = &page.run;
    html.heading("again", "The same again");
    markup::commands(html, &page.commands);
    html.paragraph(&format!(
        "Digest `{}`, seed {}, replication {}, scenario `{}` (hash `{}`), Stampede {}, {} events.",
        run.summary.digest,
        run.summary.seed,
        run.summary.replication,
        run.summary.scenario,
        run.summary.scenario_hash,
        run.summary.version,
        crate::readable::number(run.summary.events as f64)
    ));
    let mut room = SOURCE_MAX;
    for source in run.scenario.sources() {
        let name = format!("Scenario: {}", source.name);
        markup::source(html, &name, &source.text, &mut room);
    }
}
