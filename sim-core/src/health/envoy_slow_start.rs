//! Envoy's `slow_start_config`: weight · max(`min_weight_percent`, (time / window)^(1 / `aggression`)).
//!
//! Time is counted from the last time that a server's checks began to pass. A return from an ejection is no such time: the rule
//! stands behind `checks` and before outlier detection. Envoy works a weight out when a server has had its turn; here it rises in
//! `steps`, which are small. Its policies take turns by weight as long as anybody starts slowly.

use super::slow_start::{Curve, Law, SlowStart};
use super::{HealthDef, PLAIN};
use crate::extension::{ExtensionRow, ParamDef, ParamKind, Params};
use crate::time::Duration;

pub(super) static RULE: HealthDef = HealthDef {
    row: ExtensionRow {
        name: "envoy-slow-start",
        about: "A server that is new, or left by the rules before it again, gets a weight that rises as a power of the time passed.",
        source: "Envoy 1.40, slow_start_config, load_balancer_impl.cc (applySlowStartFactor)",
        params: &[
            ParamDef {
                name: "slow_start_window",
                about: "Time until it has its full weight.",
                kind: ParamKind::Span {
                    min: Duration::from_millis(1),
                },
                default: None,
            },
            ParamDef {
                name: "aggression",
                about: "How fast it rises at first: in proportion to time with 1, faster with more.",
                kind: ParamKind::Number {
                    min: 0.001,
                    max: 1000.0,
                    unit: "",
                },
                default: Some("1"),
            },
            ParamDef {
                name: "min_weight_percent",
                about: "The least part of its weight that it gets.",
                kind: ParamKind::Number {
                    min: 0.1,
                    max: 100.0,
                    unit: "%",
                },
                default: Some("10"),
            },
            ParamDef {
                name: "steps",
                about: "In how many steps of equal length the weight rises.",
                kind: ParamKind::Integer {
                    min: 1,
                    max: 1000,
                    unit: "steps",
                },
                default: Some("60"),
            },
        ],
    },
    build: |params, servers| Box::new(SlowStart::new(params, read, servers)),
    weighs: true,
    ..PLAIN
};

fn read(params: &Params) -> Curve {
    Curve {
        over: params.span("slow_start_window"),
        steps: params.integer("steps"),
        law: Law::Power {
            least: params.number("min_weight_percent") / 100.0,
            exponent: 1.0 / params.number("aggression"),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extension::ParamValue;
    use crate::health::testing::{candidates, judge, rule};

    /// The factor of a server so many seconds after it came back, with a window of a minute.
    fn factor(age: u64, aggression: f64, least: f64) -> f64 {
        let some = [
            (
                "slow_start_window",
                ParamValue::Span(Duration::from_secs(60)),
            ),
            ("aggression", ParamValue::Number(aggression)),
            ("min_weight_percent", ParamValue::Number(least)),
        ];
        let mut rule = rule(&RULE, 2, &some);
        judge(&mut rule, 0, candidates(2));
        let mut out = candidates(2);
        out[1].open = false;
        judge(&mut rule, 1_000, out);
        judge(&mut rule, 8_000, candidates(2));
        judge(&mut rule, 8_000 + 1000 * age, candidates(2))
            .0
            .servers[1]
            .factor
    }

    /// The factors from which the turns of cases 221 to 231 follow; `envoy_round_robin` has the turns.
    #[test]
    fn cases_221_to_231_slow_start_factors() {
        for (age, aggression, least, expected) in [
            (12, 1.0, 10.0, 0.2),
            (65, 1.0, 10.0, 1.0),
            (26, 2.0, 10.0, libm::sqrt(26.0 / 60.0)),
            (30, 1.0, 35.0, 0.5),
            (10, 1.0, 35.0, 0.35),
            (40, 1.0, 10.0, 40.0 / 60.0),
        ] {
            let found = factor(age, aggression, least);
            assert!((found - expected).abs() < 1e-9, "{age}: {found}");
        }
    }

    #[test]
    fn case_229_ss_active_hc() {
        let some = [(
            "slow_start_window",
            ParamValue::Span(Duration::from_secs(10)),
        )];
        let mut rule = rule(&RULE, 2, &some);
        let mut factor_at = |millis, passes: bool| {
            let mut servers = candidates(2);
            servers[0].open = passes;
            judge(&mut rule, millis, servers).0.servers[0].factor
        };
        factor_at(0, false);
        // It passes at 8 s: its window starts then.
        assert!((factor_at(8_000, true) - 0.1).abs() < 1e-9);
        assert!((factor_at(13_000, true) - 0.5).abs() < 1e-9);
        // Failing again takes it out of it, and it starts anew.
        factor_at(14_000, false);
        assert!((factor_at(19_000, true) - 0.1).abs() < 1e-9);
    }
}
