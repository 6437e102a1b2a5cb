//! minimal
#![allow(clippy::print_stdout)]
use sim_core::scenario::{Files, Scenario, Source};
use std::sync::Arc;
struct Disk;
impl Files for Disk { fn read(&self, name: &str) -> Result<Source, String> { std::fs::read_to_string(name).map(|t| Source::new(name, t)).map_err(|e| e.to_string()) } }
fn main() {
    let mut a = std::env::args().skip(2);
    let file = a.next().unwrap();
    let mut sets = vec![];
    let mut rep = 0;
    while let Some(x) = a.next() { let v = a.next().unwrap(); match x.as_str() { "--set" => { let (p, v) = v.split_once('=').unwrap(); sets.push((p.to_string(), v.to_string())) } "--seed" => sets.push(("seed".into(), v)), "--replication" => rep = v.parse().unwrap(), _ => panic!() } }
    let s = match Scenario::read(Disk.read(&file).unwrap(), &sets, &Disk) { Ok(s) => s, Err(p) => { eprintln!("{p}"); std::process::exit(3) } };
    let m = match s.model() { Ok(s) => s, Err(p) => { eprintln!("{p}"); std::process::exit(3) } };
    let t = std::time::Instant::now();
    let mut sim = sim_core::engine::Simulation::new(Arc::new(m), rep);
    sim.run();
    let w = t.elapsed().as_secs_f64();
    let sum = sim_core::summary::Summary::of(&sim, s.hash());
    println!("{}", sum.to_json());
    eprintln!("{w:.2} s  {:.0} req/s", sum.requests.arrived as f64 / w);
}
