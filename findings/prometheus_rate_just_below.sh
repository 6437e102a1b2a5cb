#!/usr/bin/env bash
# Prometheus: of two alerts that ask the same, one fires and one never does
#
# Program   promtool 3.5.3 (Debian 3.5.3+ds1-6), rule tests.
# Expected  rate(x[1m]) is increase(x[1m]) divided by 60 seconds. A counter that
#           goes up by exactly one a second meets ">= 1" of the one and ">= 60" of
#           the other, or neither.
# Seen      A counter of 15 more every 15 s, for 50 minutes: increase over 1m, 5m
#           is exactly 60, 300; rate over 1m, 2m, 5m is 0.9999999999999999. The
#           alert on the increase fires, that on the rate never. The extrapolation
#           multiplies by a quotient that does not come out even; the multiplication
#           by the width of the window hides that again, the rate does not.
# Matters   Thresholds at round numbers ("one error a second") with >= are common
#           in burn-rate alerts and in their tests, whose series are just such
#           straight lines. A model that computes the slope exactly fires here.
. "$(dirname "$0")/common.sh"

deb_unpack promtool=3.5.3+ds1-6 forky
promtool="$work/deb/usr/bin/promtool"
"$promtool" --version 2>&1 | head -n 1

cat >"$work/rules.yml" <<'YML'
groups:
- name: leak
  rules:
  - { alert: ByRate, expr: "rate(errors_total[1m]) >= 1" }
  - { alert: ByIncrease, expr: "increase(errors_total[1m]) >= 60" }
YML
cat >"$work/test.yml" <<'YML'
rule_files: [rules.yml]
evaluation_interval: 15s
tests:
- interval: 15s
  input_series: [ { series: errors_total, values: "100+15x200" } ]
  alert_rule_test:
  - { eval_time: 40m, alertname: ByRate, exp_alerts: [] }
  - { eval_time: 40m, alertname: ByIncrease, exp_alerts: [ { exp_labels: {} } ] }
  promql_expr_test:
  - { expr: "rate(errors_total[1m]) < 1", eval_time: 10m, exp_samples: [ { value: 0.9999999999999999 } ] }
  - { expr: "rate(errors_total[2m]) < 1", eval_time: 20m, exp_samples: [ { value: 0.9999999999999999 } ] }
  - { expr: "rate(errors_total[5m]) < 1", eval_time: 30m, exp_samples: [ { value: 0.9999999999999999 } ] }
  - { expr: "increase(errors_total[1m]) == 60", eval_time: 10m, exp_samples: [ { value: 60 } ] }
  - { expr: "increase(errors_total[5m]) == 300", eval_time: 30m, exp_samples: [ { value: 300 } ] }
YML
if "$promtool" test rules "$work/test.yml" >"$work/out" 2>&1; then
    say "one more a second: rate below 1 over 1m, 2m and 5m, the alert on it silent; increase 60 and 300, the alert on it firing"
    say "SEEN: the alert on rate >= 1 never fires, that on increase >= 60 does"
else
    cat "$work/out"
    say "CHANGED"
    exit 1
fi
