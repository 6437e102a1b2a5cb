//! The hash ring in whole runs: which keys move, and how much a server is given.

use crate::support::{check_books, log, start};

/// Keys at random for servers of these names.
fn ring(policy: &str, names: &[&str]) -> String {
    let mut text = format!(
        "horizon = \"20s\"\nrecord = {{ every_nth_request = 1 }}\n\
         traffic = [{{ to = \"web\", rate = 200, key = {{ kind = \"zipf\", n = 500, s = 0.8 }} }}]\n\
         [service.web]\ndemand = \"1ms\"\nbalancer = {{ policy = {{ kind = \"ring-hash\", {policy} }} }}\n"
    );
    for name in names {
        text += &format!("[[service.web.server]]\nname = \"{name}\"\nworkers = 50\n");
    }
    text
}

/// The name of the server of each request.
fn servers<'n>(text: &str, names: &[&'n str]) -> Vec<&'n str> {
    log(text)
        .iter()
        .map(|row| names[row.server.expect("a server") as usize])
        .collect()
}

#[test]
fn keys_stay_with_their_servers_by_name() {
    let few = ["a", "b", "c", "d"];
    let before = servers(&ring("points = 9", &few), &few);
    assert!(few.iter().all(|name| before.contains(name)));
    let other_order = ["d", "b", "a", "c"];
    let same = servers(&ring("points = 9", &other_order), &other_order);
    assert_eq!(before, same, "the order of the file does not matter");
    let more = ["a", "new", "b", "c", "d"];
    let after = servers(&ring("points = 9", &more), &more);
    let moved = before.iter().zip(&after).filter(|(was, is)| was != is);
    let to: Vec<&str> = moved.map(|(_, is)| *is).collect();
    assert!(!to.is_empty() && to.iter().all(|name| *name == "new"));
}

#[test]
fn a_server_that_is_added_and_drained_while_time_runs_moves_its_own_keys_only() {
    let names = ["a", "b", "late"];
    let text =
        ring("points = 9", &names).replace("name = \"late\"", "name = \"late\"\npresent = false");
    let changes = "[[timeline]]\nat = \"8s\"\ndo = \"add\"\ntarget = \"service.web.server.late\"\n\
        [[timeline]]\nat = \"14s\"\ndo = \"drain\"\ntarget = \"service.web.server.late\"\n";
    let two = servers(&text, &names);
    let three = servers(&ring("points = 9", &names), &names);
    let changed = log(&format!("{text}{changes}"));
    assert_eq!(changed.len(), two.len());
    let mut moved = 0;
    for (i, row) in changed.iter().enumerate() {
        let there = (8_000_000_000..14_000_000_000).contains(&row.arrived_ns);
        let expected = if there { three[i] } else { two[i] };
        assert_eq!(
            names[row.server.expect("one") as usize],
            expected,
            "{row:?}"
        );
        moved += u32::from(there && three[i] != two[i]);
    }
    assert!(moved > 50, "{moved}");
}

/// Nothing ends, so that after every event no server holds more than its bound.
#[test]
fn no_server_exceeds_its_bound_at_any_step() {
    for bound in ["1", "1.25", "3"] {
        let text = ring(
            &format!("points = 2, bound = {bound}"),
            &["a", "b", "c", "d", "e"],
        )
        .replace("\"1ms\"", "\"1h\"");
        let bound: f64 = bound.parse().expect("a number");
        let mut simulation = start(&text);
        let mut uneven = false;
        while simulation.step().is_some() {
            let held: Vec<u32> = simulation
                .snapshot()
                .servers
                .iter()
                .map(|server| server.in_system)
                .collect();
            let most = (bound * f64::from(held.iter().sum::<u32>()) / 5.0).ceil();
            assert!(held.iter().all(|n| f64::from(*n) <= most), "{held:?}");
            uneven |= held.iter().any(|n| f64::from(*n) + 1.0 > most) && most > 100.0;
        }
        assert!(uneven || bound > 2.0, "the bound was never reached");
        check_books(&simulation, &text);
    }
}
