//! Dialects: real balancers by name, each a set of rows with the program's own words and defaults.
//!
//! A dialect has no mechanism. It says, in keys of a balancer, what the program does: which policy,
//! which health rules, how it tries again, what waits where. The scenario reader lays what is written
//! beside it upon that, and reads the whole as if all of it had been written. So whatever a dialect
//! does can also be said without it, and a reader can see what it stands for
//! (`stampede explain alb --expand`).

use crate::extension::{Configured, Def, ExtensionRow, ParamProblem, Params, Registry};

mod alb;
mod apache;
mod caddy;
mod envoy;
mod grpc;
mod haproxy;
mod kube_proxy;
mod nginx;

/// Every dialect a scenario can name.
pub static DIALECTS: &[&DialectDef] = &[
    &nginx::DIALECT,
    &haproxy::DIALECT,
    &envoy::DIALECT,
    &grpc::DIALECT,
    &caddy::DIALECT,
    &apache::DIALECT,
    &alb::DIALECT,
    &kube_proxy::DIALECT,
];

/// A row of [`DIALECTS`].
pub struct DialectDef {
    /// Name, description, parameters in the program's words.
    pub row: ExtensionRow,
    /// What the program refuses, between parameters.
    pub check: fn(&Params) -> Result<(), ParamProblem>,
    /// What it refuses of the servers that it is given: says what, and what would do.
    pub refuses: fn(&Params, &[Member]) -> Option<String>,
    /// What it stands for: keys of a balancer, as a scenario would write them below `[service.NAME.balancer]`.
    pub expand: fn(&Params) -> String,
}

/// A server, as far as a program looks at it before it starts.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Member {
    /// Its weight.
    pub weight: f64,
    /// Whether it serves only where no other can.
    pub backup: bool,
    /// Connections that an instance has to it at most.
    pub max_connections: Option<u32>,
}

/// Every row there is, those that were added among them. The built-in ones say in TOML what they stand for.
static ROWS: Registry<DialectDef> = Registry::of(if cfg!(feature = "toml") {
    DIALECTS
} else {
    &[]
});

impl Def for DialectDef {
    fn registry() -> &'static Registry<Self> {
        &ROWS
    }
    fn row(&self) -> &ExtensionRow {
        &self.row
    }
    fn check(&self, params: &Params) -> Result<(), ParamProblem> {
        (self.check)(params)
    }
}

impl Configured<DialectDef> {
    /// What it stands for.
    pub fn expand(&self) -> String {
        (self.def.expand)(&self.params)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extension::testing::{check_rows, example};

    #[test]
    fn rows_are_well_formed() {
        check_rows(DIALECTS);
    }

    #[test]
    fn each_runs_with_its_defaults_and_says_what_it_stands_for() {
        for def in DIALECTS {
            let name = def.row.name;
            let text = format!(
                "horizon = \"5s\"\ntraffic = [{{ to = \"web\", rate = 20 }}]\n\
                 [service.web]\ndemand = \"10ms\"\nbalancer.dialect = \"{name}\"\n\
                 server = [{{ name = \"a\", count = 3, workers = 1 }}]\n"
            );
            let by_name = crate::scenario::parse(&text).unwrap_or_else(|e| panic!("{name}: {e}"));
            let text = text.replace(&format!("balancer.dialect = \"{name}\"\n"), "");
            let spelt = format!(
                "{text}[service.web.balancer]\n{}",
                (def.expand)(&example(&def.row))
            );
            let spelt = crate::scenario::parse(&spelt).unwrap_or_else(|e| panic!("{name}: {e}"));
            let mut balancer = by_name.services[0].balancer.clone();
            assert!(balancer.dialect.take().is_some(), "{name}");
            assert_eq!(balancer, spelt.services[0].balancer, "{name}");
            assert_eq!(by_name.clients, spelt.clients, "{name}");
        }
    }
}
