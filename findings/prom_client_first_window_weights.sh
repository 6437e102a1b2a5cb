#!/usr/bin/env bash
# prom-client: in a Summary's first window old observations count up to five times
#
# Program   prom-client 15.1.3 (npm), Summary with maxAgeSeconds and
#           ageBuckets 5 (the documentation's example; 600 there, 5 here).
# Expected  Percentiles of the observations of the last maxAgeSeconds, each
#           counted once.
# Seen      100 observations a second, of which one second in five is slow (1 s)
#           and the others are fast (10 to 11 ms), looked at after each five
#           seconds. A fifth of every window is slow: p75 should be fast, p90 slow.
#             slow second last    first window p90 0.011, next window p90 1.000
#             slow second first   first window p75 1.000, next window p75 0.011
#           The window begins with one digest that stands in all five places of
#           the ring, and an observation is put into it once for each place it
#           still has: five times in the first fifth of the window, once in the
#           last. The slow second has 1/15 or 5/15 of the weight, not 3/15.
# Matters   Each label set has its own ring, so with the example's ten minutes
#           this lasts ten minutes after each start, and again for every new
#           route or upstream server. These are the minutes in which a canary is
#           judged: slowness that sets in late in them is understated up to
#           threefold, a slow warm-up is overstated. Quantiles of a first window
#           must not be compared with later ones, nor a model be fitted to both.
. "$(dirname "$0")/common.sh"

npm_install prom-client@15.1.3 tdigest@0.1.3
say "prom-client 15.1.3 on node $(node --version)"

cat >"$work/npm/run.js" <<'JS'
const { Summary } = require('prom-client');
const until = at => new Promise(done => setTimeout(done, Math.max(0, at - Date.now())));

const quantiles = [0.5, 0.75, 0.9, 0.95];

async function look(name, slowSecond) {
  const summary = new Summary({
    name, help: 'latency', percentiles: quantiles, maxAgeSeconds: 5, ageBuckets: 5,
  });
  const began = Date.now();
  const windows = [];
  for (let second = 0; second < 10; second++) {
    await until(began + second * 1000 + 300); // well inside the second of a bucket
    const slow = second % 5 === slowSecond;
    for (let i = 0; i < 100; i++) summary.observe((slow ? 1 : 0.01) + ((i * 37) % 100) / 100_000);
    if (second % 5 === 4) {
      windows.push((await summary.get()).values.filter(v => v.labels.quantile).map(v => v.value));
    }
  }
  return windows;
}

(async () => {
  const [last, first] = await Promise.all([look('slow_last', 4), look('slow_first', 0)]);
  const show = (what, seen) => console.log(`  ${what}: ${quantiles.map((q, n) => `p${q * 100} ${seen[n].toFixed(3)}`).join(', ')}`);
  console.log('  400 fast and 100 slow in each; expected everywhere: p75 0.011, p90 1.000');
  show('slow second last,  first window', last[0]);
  show('slow second last,  next window ', last[1]);
  show('slow second first, first window', first[0]);
  show('slow second first, next window ', first[1]);
  const fast = x => x < 0.02, slow = x => x > 0.9;
  const same = fast(last[0][2]) && slow(first[0][1]) &&
    [last[1], first[1]].every(w => fast(w[1]) && slow(w[2]));
  console.log(same ? 'SAME: the first window weighs old observations more' : 'CHANGED');
  process.exit(same ? 0 : 1);
})();
JS
(cd "$work/npm" && node run.js)
