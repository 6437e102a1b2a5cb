//! `stampede import`: files, folders, streams, and doors that lead to it.

use crate::stampede::Folder;
use serde_json::Value;

const SHOP: &str = "events { worker_connections 64; }\nhttp {\n    include pools/*.conf;\n    server {\n        location / {\n            proxy_pass http://shop;\n            proxy_cache all;\n        }\n    }\n}\n";
const POOL: &str = "upstream shop { server 192.0.2.1:80; server 192.0.2.2:80; }\n";

fn site() -> Folder {
    let folder = Folder::with("site/nginx.conf", SHOP);
    folder.write("site/pools/shop.conf", POOL);
    folder
}

#[test]
fn a_folder_becomes_a_scenario_that_runs() {
    let folder = site();
    let made = folder.run(&["import", "site", "-o", "shop.toml"]).code(0);
    assert_eq!(made.out, "");
    for line in [
        "nginx: 1 service, 2 servers, 1 way in",
        "site/nginx.conf:7  proxy_cache all: answers",
        "next: stampede run ./shop.toml",
    ] {
        assert!(made.err.contains(line), "{line}: {}", made.err);
    }
    let text = folder.read("shop.toml");
    assert!(
        text.contains("# site/pools/shop.conf:1 192.0.2.2:80"),
        "{text}"
    );
    let ran = folder
        .run(&[
            "run",
            "shop.toml",
            "--set",
            "horizon=20s",
            "--set",
            "warm_up=1s",
        ])
        .code(0);
    assert!(
        ran.out
            .contains("! assumed: nobody has measured traffic.shop.rate = 160"),
        "{}",
        ran.out
    );
    // Never over what is there.
    let again = folder.run(&["import", "site", "-o", "shop.toml"]).code(5);
    assert!(again.err.contains("is there already"), "{}", again.err);
}

#[test]
fn programs_get_all_of_it() {
    let folder = site();
    let made = folder
        .run(&["import", "site/nginx.conf", "--format", "json"])
        .code(0);
    let all: Value = serde_json::from_str(&made.out).expect("JSON");
    assert_eq!(all["formats"][0], "nginx");
    assert_eq!(all["assumed"][0], "traffic.shop.rate = 160");
    let remark = &all["remarks"][0];
    assert_eq!(
        (remark["file"].as_str(), remark["line"].as_u64()),
        (Some("site/nginx.conf"), Some(7))
    );
    assert_eq!(remark["kind"], "not simulated");
}

#[test]
fn what_cannot_be_read_is_named_by_file_and_line() {
    let folder = site();
    folder.write("torn.conf", "upstream a {\n    server 192.0.2.1;\n");
    folder.write(
        "chart.yaml",
        "apiVersion: v1\nkind: Service\nmetadata: { name: {{ .x }} }\n",
    );
    folder.write("notes.txt", "buy milk\n");
    folder.write("app.template", "upstream a { server ${HOST}; }\n");
    for (args, code, words) in [
        (
            &["import", "torn.conf"][..],
            3,
            "torn.conf:1: a { without its }",
        ),
        (
            &["import", "chart.yaml"],
            3,
            "chart.yaml:3: `{{ .` is a mark of a template (Helm)",
        ),
        (
            &["import", "notes.txt"],
            3,
            "notes.txt:1: its format is not recognised",
        ),
        (
            &["import", "gone.conf"],
            5,
            "cannot read gone.conf: no such file",
        ),
        (
            &["import", "app.template"],
            3,
            "these have no value: HOST (line 1)",
        ),
        (
            &["import", "notes.txt", "--as", "nginx"],
            3,
            "notes.txt:1: the directive `buy` has no end",
        ),
        (
            &["import", "site", "--as", "tomcat"],
            2,
            "invalid value 'tomcat'",
        ),
    ] {
        let ran = folder.run(args).code(code);
        assert!(ran.err.contains(words), "{args:?}: {}", ran.err);
        assert_eq!(ran.out, "", "{args:?}");
    }
    folder
        .run(&["import", "app.template", "--env", "HOST=192.0.2.1"])
        .code(0);
}

#[test]
fn wrong_doors_lead_here() {
    let folder = site();
    folder.write("shop.conf", POOL);
    for args in [
        &["run", "site/nginx.conf"][..],
        &["check", "site/nginx.conf"],
        &["new", "mine", "--from", "site/nginx.conf"],
    ] {
        let ran = folder.run(args).code(3);
        assert!(
            ran.err.contains("is an nginx configuration"),
            "{args:?}: {}",
            ran.err
        );
        assert!(
            ran.err
                .contains("stampede import site/nginx.conf -o mine.toml"),
            "{args:?}: {}",
            ran.err
        );
    }
}
