#!/usr/bin/env bash
# prom-client: with 1 % of time-outs, p90 of 5 or 6 ms is 3118 ms if latencies are whole milliseconds
#
# Program   prom-client 15.1.3 (npm, with tdigest 0.1.3), Summary with default
#           settings, fed with latencies in whole milliseconds, as a difference
#           of two Date.now() gives them.
# Expected  The documentation says that a Summary calculates percentiles of the
#           observed values. If 99 % of them are 5 or 6, p90 is 6.
# Seen      100,000 observations each (1 % or 10 % of them slow), the exact value
#           in brackets:
#                                        p50       p75         p90          p95
#             5 or 6, 1 % 5000           5.5 (6)   147.4 (6)   3118.4 (6)   4108.7 (6)
#             5 to 14, 1 % 5000 to 5004  9.5 (10)  12.1 (12)   13.6 (14)    938.7 (14)
#             1, 10 % 100                10.9 (1)  60.4 (1)    90.1 (1)     100 (100)
#             the second row, each value with a fraction: right to 0.1
#           All observations of one value are one point of the digest, however
#           many they are, and percentiles lie on a straight line from the middle
#           of one point's share to the middle of the next. The last value before
#           a gap gives half of its share to values that nobody had.
# Matters   Time-outs, retries or cache misses beside fast answers are the shape
#           of overload. In the first row an alert "p90 above 1 s" fires with 1 %
#           of slow answers instead of 10 %, and a distribution fitted to these
#           quantiles has a middle that does not exist. The fewer different
#           values, the worse, so a faster service looks slower. Observing with
#           the fraction (startTimer, performance.now()) avoids it.
. "$(dirname "$0")/common.sh"

npm_install prom-client@15.1.3 tdigest@0.1.3
say "prom-client 15.1.3 on node $(node --version)"

cat >"$work/npm/run.js" <<'JS'
const { Summary, register } = require('prom-client');
const quantiles = [0.5, 0.75, 0.9, 0.95];
const N = 100_000;

// Every count-th observation is a slow one; all of it in a fixed order.
async function look(name, usual, slow, every, fraction) {
  register.clear();
  const summary = new Summary({ name: 'latency_ms', help: 'latency', percentiles: quantiles });
  const values = [];
  for (let i = 0; i < N; i++) {
    const from = i % every === every - 1 ? slow : usual;
    const base = from[Math.floor(i / 7) % from.length];
    values.push(fraction ? base + ((i * 7919) % 1000) / 1000 : base);
  }
  for (const value of values) summary.observe(value);
  const seen = (await summary.get()).values.filter(v => v.labels.quantile).map(v => v.value);
  values.sort((a, b) => a - b);
  const exact = quantiles.map(q => values[Math.ceil(q * N) - 1]);
  const show = list => list.map(x => x.toFixed(1).padStart(8)).join('');
  console.log(`  ${name.padEnd(40)} expected${show(exact)}   seen${show(seen)}`);
  return { exact, seen };
}

(async () => {
  const range = (a, b) => Array.from({ length: b - a + 1 }, (_, i) => a + i);
  console.log('  p50, p75, p90, p95 in ms');
  const two = await look('5 or 6, 1 % 5000', [5, 6], [5000], 100);
  const ten = await look('5 to 14, 1 % 5000 to 5004', range(5, 14), range(5000, 5004), 100);
  const hit = await look('1, 10 % 100', [1], [100], 10);
  const fine = await look('5 to 14, 1 % 5000 to 5004, fractions', range(5, 14), range(5000, 5004), 100, true);
  const same = two.seen[1] > 50 && two.seen[2] > 2500 && two.exact[2] === 6 &&
    ten.seen[3] > 700 && ten.exact[3] === 14 &&
    hit.seen[0] > 8 && hit.seen[1] > 50 && hit.exact[1] === 1 &&
    fine.seen.every((x, i) => Math.abs(x - fine.exact[i]) < 0.5);
  console.log(same ? 'SAME: percentiles lie where nothing was observed' : 'CHANGED');
  process.exit(same ? 0 : 1);
})();
JS
(cd "$work/npm" && node run.js)
