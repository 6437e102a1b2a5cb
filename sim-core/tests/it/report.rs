//! The report of a run: one page that stands alone, with a row for each number, and factors that are
//! there only where their evidence is.

use sim_core::engine::Simulation;
use sim_core::metric::Unit;
use sim_core::plot::axis::Axis;
use sim_core::plot::lines::{Lines, Point, Series};
use sim_core::report::Picture;
use sim_core::report::page::{Future, Page};
use sim_core::report::sheet::{Block, Sheet, Table};
use sim_core::scenario::{NoFiles, Scenario, Source};
use sim_core::summary::Summary;
use std::path::Path;
use std::sync::Arc;

/// Reports on a run of a scenario.
fn report<T>(name: &str, text: &str, of: impl Fn(&Page<'_>) -> T) -> T {
    let source = Source::new(name, text);
    let scenario = Scenario::read(source, &[], &NoFiles).unwrap_or_else(|p| panic!("{p}"));
    let model = scenario.model().unwrap_or_else(|p| panic!("{p}"));
    let mut simulation = Simulation::new(Arc::new(model), 0);
    simulation.run();
    let summary = Summary::of(&simulation, scenario.hash());
    let run = Future {
        name: "as it went",
        scenario: &scenario,
        simulation: &simulation,
        summary: &summary,
    };
    of(&Page {
        run,
        beside: Some(Future {
            name: "the same",
            ..run
        }),
        commands: vec!["stampede report x.toml --set 'a=<b>'".to_owned()],
    })
}

fn html(page: &Page<'_>) -> String {
    page.html()
}

fn svg(page: &Page<'_>) -> String {
    page.svg()
}

fn model(path: &str) -> String {
    let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("../models");
    std::fs::read_to_string(models.join(path)).expect("a model")
}

const HEALTHY: &str = "horizon = \"5m\"\ntraffic = [{ to = \"web\", rate = 50 }]\n\
    [service.web]\ndemand = \"10ms\"\nserver = [{ name = \"web\", count = 2, workers = 4 }]\n";

/// What would be obeyed if it were not written out.
const HOSTILE: &str = r#"
title    = "</title><script>alert(1)</script> & \"more\" `code`"
question = "</p><img src=x onerror=alert(2)> ` odd"
horizon  = "3m"
# </script></pre><b>a comment</b>
[[traffic]]
to   = "web"
rate = 300
[service.web]
demand = "10ms"
server = [{ name = "s", workers = 1, queue.limit = 20 }]
[[timeline]]
at   = "1m"
do   = "note"
note = "<a href='//else.where'>click</a> | _x_ `y` & \"z\""
[[alert]]
name = "failing"
when = "failed > 20%"
over = "10s"
for  = "10s"
"#;

#[test]
fn the_incident_is_told_with_its_factors() {
    let (html, again, draft) = report("incident.toml", &model("incident/incident.toml"), |page| {
        (page.html(), page.html(), page.markdown())
    });
    assert_eq!(html, again);
    assert!(html.len() < 1_500_000, "{} bytes", html.len());
    for wanted in [
        "**Shares out of proportion** (12:10). `web-1` was sent 97.1 % of the attempts that reached a server of `web` in the 20s from 12:10, and had 50 % of the capacity that was up (workers times speed).",
        "**A full queue** (12:19:05). The queue of `web-1` was seen full at 12:19:05 for the first time: 1000 waited, which is its limit.",
        "**Crash** (12:30:03). `web-1` crashed at 12:30:03: out of memory: 2048 MiB of 2048.",
        "**Servers that were not up** (12:30:04). `web` had 3 of 4 servers up at fewest (first at 12:30:04), and fewer than at the start for 1h29m56s in all, from 12:30:04 on.",
        "Callers made 1.00 attempts per request until 12:18:48, a fifth more or beyond that from 12:19 on, and 3.02 at most: 26 641 for the 8827 requests that came in the 20s from 12:49:40.",
        "The site was down or degraded from 12:18:48 to 14:43:58, for 2h25m10s. 1 976 607 of the 4 384 022 requests that ended failed (45.1 %).",
        "| detected | after 1m (12:19:48) |",
        "| first change by people | after 56m12s (13:15) |",
    ] {
        assert!(draft.contains(wanted), "{wanted} in\n{draft}");
    }
    // After the crash the servers that are left get more than before: that is no factor of its own.
    assert_eq!(draft.matches("Shares out of proportion").count(), 1);
    assert!(draft.contains("To be filled in by the team"));
}

#[test]
fn nothing_is_explained_where_nothing_went_wrong() {
    let (html, draft) = report("healthy.toml", HEALTHY, |page| {
        (page.html(), page.markdown())
    });
    assert!(html.contains("there is nothing to explain"), "{html}");
    assert!(draft.contains("Nothing of what is looked for was found."));
    assert!(html.contains("No incident."));
}

#[test]
fn every_number_of_the_chart_has_its_row() {
    let html = report("incident.toml", &model("incident/incident.toml"), html);
    let mut links = 0;
    for link in html.split("href=\"#").skip(1) {
        let target = link.split('"').next().unwrap_or_default();
        assert_eq!(
            html.matches(&format!("id=\"{target}\"")).count(),
            1,
            "{target}"
        );
        links += 1;
    }
    assert!(links > 20, "{links} links");
}

#[test]
fn nothing_is_fetched_and_no_text_is_obeyed() {
    let (html, svg, draft) = report("x.toml", HOSTILE, |page| {
        (page.html(), page.svg(), page.markdown())
    });
    let elsewhere = html.replace("http://www.w3.org/2000/svg", "");
    assert!(
        !elsewhere.contains("http:") && !elsewhere.contains("https:"),
        "{html}"
    );
    for obeyed in [
        "<script>alert",
        "<img",
        "</title><script",
        "<a href='",
        "<b>",
    ] {
        assert!(!html.contains(obeyed), "{obeyed} in\n{html}");
        assert!(!svg.contains(obeyed), "{obeyed} in\n{svg}");
    }
    assert_eq!(html.matches("<script").count(), 2);
    assert_eq!(html.matches("</script>").count(), 2);
    assert!(html.contains("--set 'a=&lt;b&gt;'"));
    assert!(
        draft.contains("\\<script\\>alert(1)\\</script\\> \\& \"more\""),
        "{draft}"
    );
    assert!(draft.contains("\\| \\_x\\_"), "{draft}");
}

#[test]
fn one_server_and_many_servers_fit_on_a_page() {
    let one = report("one.toml", HOSTILE, html);
    assert!(!one.contains("chart-shares"));
    let text = "clock = \"23:00\"\nhorizon = \"2h\"\ntraffic = [{ to = \"web\", rate = 50 }]\n\
        [service.web]\ndemand = \"10ms\"\nserver = [{ name = \"web\", count = 400, workers = 2 }]\n";
    let many = report("many.toml", text, html);
    assert!(many.len() < 1_500_000, "{} bytes", many.len());
    assert!(many.contains("The 40 of 400 servers where most waited"));
    assert!(many.contains("the other 360, together"));
    assert!(many.contains("waiting at the other 395"));
    assert!(many.contains("00:00 +1d"));
}

#[test]
fn a_picture_of_the_story_stands_alone() {
    let svg = report("incident.toml", &model("incident/incident.toml"), svg);
    assert!(svg.starts_with("<svg xmlns=") && svg.ends_with("</svg>\n"));
    assert!(!svg.contains("href"), "no table is there to lead to");
    assert!(svg.contains(">people<") && svg.contains(">down<"), "{svg}");
    assert!(!svg.contains("NaN") && !svg.contains("inf\""), "{svg}");
}

#[test]
fn a_sheet_holds_what_fits_and_says_what_does_not() {
    let lines = |points: usize| Lines {
        title: "a < b".to_owned(),
        note: "note".to_owned(),
        x: Axis::linear("load", 0.0, points as f64),
        figure: "p99".to_owned(),
        unit: Unit::Time,
        legend: "by".to_owned(),
        joined: true,
        series: ["one", "two"]
            .map(|name| Series {
                name: name.to_owned(),
                points: (0..points)
                    .map(|at| Point {
                        x: at as f64,
                        mean: (at % 7 != 3).then_some(at as f64),
                        interval: None,
                        about: format!("point {at}"),
                    })
                    .collect(),
            })
            .to_vec(),
    };
    let mut table = Table::new("cells", &["cell", "a", "b"]);
    table.rows = (0..20_000)
        .map(|at| vec![at.to_string(), "<b>".repeat(9)])
        .collect();
    let sheet = Sheet {
        title: "<i>".to_owned(),
        what: "sweep of everything".to_owned(),
        blocks: vec![
            Block::Verdict("it".to_owned(), "1 234 is `fine` & <well>".to_owned()),
            Block::Picture(Picture::Lines(lines(20))),
            Block::Picture(Picture::Lines(lines(20_000))),
            Block::Table(table),
        ],
        commands: vec!["stampede sweep 'a <b>'".to_owned()],
        ..Sheet::default()
    };
    let html = sheet.html();
    assert!(html.len() < 1_500_000, "{} bytes", html.len());
    assert_eq!(
        html.matches("<svg").count(),
        2,
        "wide and narrow of the first"
    );
    assert!(html.contains("is too large for a page"));
    assert!(html.contains("more rows: the table in the folder"));
    assert!(html.contains("1\u{202f}234 is <code>fine</code> &amp; &lt;well&gt;"));
    assert!(html.contains("Sweep of everything, by Stampede"));
    assert!(html.contains("stampede sweep 'a &lt;b&gt;'"));
    for obeyed in ["<i>", "<b>", "<well>", "NaN", "<script"] {
        assert!(!html.contains(obeyed), "{obeyed}");
    }
    assert_eq!(html, sheet.html());
}
