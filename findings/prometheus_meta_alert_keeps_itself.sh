#!/usr/bin/env bash
# Prometheus: an alert on "some alert fires" keeps itself firing for good
#
# Program   promtool 3.5.3 (Debian 3.5.3+ds1-6), rule tests.
# Expected  A meta-alert, count(ALERTS{alertstate="firing"}) > 0, resolves once
#           what it reports has resolved.
# Seen      A target is down for two minutes of an hour. The alert on it resolves
#           at once; the meta-alert still fires 50 minutes later, with the value 1:
#           its own series in ALERTS is what it counts. With its own name excluded
#           (alertname!="Something") it resolves as expected.
# Matters   "Notify when anything fires" rules and dashboards counting alerts are
#           written this way. A simulation that derives the meta-alert from the
#           other alerts alone shows a recovery that the real one never reports.
. "$(dirname "$0")/common.sh"

deb_unpack promtool=3.5.3+ds1-6 forky
promtool="$work/deb/usr/bin/promtool"
"$promtool" --version 2>&1 | head -n 1

cat >"$work/rules.yml" <<'YML'
groups:
- name: meta
  rules:
  - { alert: Down, expr: "up == 0" }
  - { alert: Something, expr: 'count(ALERTS{alertstate="firing"}) > 0' }
  - { alert: Others, expr: 'count(ALERTS{alertstate="firing",alertname!~"Something|Others"}) > 0' }
YML
cat >"$work/test.yml" <<'YML'
rule_files: [rules.yml]
evaluation_interval: 1m
tests:
- interval: 1m
  input_series: [ { series: up, values: "1 0 0 1x100" } ]
  alert_rule_test:
  - { eval_time: 2m, alertname: Down, exp_alerts: [ { exp_labels: {} } ] }
  - { eval_time: 2m, alertname: Others, exp_alerts: [ { exp_labels: {} } ] }
  - { eval_time: 10m, alertname: Down, exp_alerts: [] }
  - { eval_time: 10m, alertname: Others, exp_alerts: [] }
  - { eval_time: 50m, alertname: Something, exp_alerts: [ { exp_labels: {} } ] }
  promql_expr_test:
  - { expr: 'count(ALERTS{alertstate="firing"})', eval_time: 50m, exp_samples: [ { value: 1 } ] }
YML
if "$promtool" test rules "$work/test.yml" >"$work/out" 2>&1; then
    say "down from 1m to 3m: the alert on it and the one that excludes itself are silent at 10m, the meta-alert fires at 50m"
    say "SEEN: the meta-alert counts itself, and never resolves"
else
    cat "$work/out"
    say "CHANGED"
    exit 1
fi
