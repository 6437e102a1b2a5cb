#!/usr/bin/env bash
# promtool: what an expression gives depends on which other checks stand in the file
#
# Program   promtool 3.5.3 (Debian 3.5.3+ds1-6), rule tests.
# Expected  promql_expr_test asks an expression at a moment; the samples up to that
#           moment decide.
# Seen      A series with a point every 10 s, evaluation_interval 1m. `a` asked at
#           50s is 0, the point of 0s, though there are points at 10s to 50s. With a
#           second check in the file, of anything at 1m, the same question gives 5.
#           Points are loaded only up to the last whole evaluation interval that any
#           check needs. And `interval` of a rule group is not heeded: a rule of a
#           group with interval 1h has been evaluated at 7m.
# Matters   Tests of alerts whose scrape interval is below the evaluation interval
#           pass or fail by checks that have nothing to do with them.
. "$(dirname "$0")/common.sh"

deb_unpack promtool=3.5.3+ds1-6 forky
promtool="$work/deb/usr/bin/promtool"
"$promtool" --version 2>&1 | head -n 1

cat >"$work/rules.yml" <<'YML'
groups:
- name: hourly
  interval: 1h
  rules: [ { record: evaluated_at, expr: "time()" } ]
YML
asked() { # value of `a` at 50s, further checks
    cat <<YML
rule_files: [rules.yml]
evaluation_interval: 1m
tests:
- interval: 10s
  input_series: [ { series: a, values: "0+1x100" } ]
  promql_expr_test:
  - { expr: a, eval_time: 50s, exp_samples: [ { labels: a, value: $1 } ] }
$2
YML
}
asked 0 "" >"$work/alone.yml"
asked 5 '  - { expr: "vector(1)", eval_time: 1m, exp_samples: [ { value: 1 } ] }' >"$work/beside.yml"
asked 5 '  - { expr: evaluated_at, eval_time: 7m, exp_samples: [ { labels: evaluated_at, value: 420 } ] }' >"$work/hourly.yml"
for file in alone beside hourly; do
    if ! "$promtool" test rules "$work/$file.yml" >"$work/out" 2>&1; then
        say "$file:"
        cat "$work/out"
        say "CHANGED"
        exit 1
    fi
done
say "a at 50s: 0 alone, 5 beside a check of something else at 1m; a group of interval 1h was evaluated at 7m"
say "SEEN: the answer depends on the other checks of the file"
