//! What is generated from the definitions is complete.

use super::*;
use crate::scenario::keys;

#[test]
fn the_schema_knows_every_key_and_kind() {
    let text = schema().to_string();
    for row in keys() {
        let last = row.path.rsplit('.').next().expect("a path");
        assert!(text.contains(&format!("\"{last}\"")), "{}", row.path);
    }
    for table in plug_tables() {
        for row in (table.rows)() {
            assert!(
                text.contains(&format!("{{\"const\":\"{}\"}}", row.name)),
                "{}",
                row.name
            );
        }
    }
}

#[test]
fn the_reference_names_everything() {
    let text = markdown();
    for word in [
        "horizon",
        "power-of-d",
        "queue_age",
        "goodput",
        "alert",
        "E025",
        "services.SERVICE.servers.SERVER.crashes",
    ] {
        assert!(
            text.contains(&format!("`{word}`")) || text.contains(word),
            "{word}"
        );
    }
}
