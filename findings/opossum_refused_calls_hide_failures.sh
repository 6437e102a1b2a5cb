#!/usr/bin/env bash
# opossum: calls that an open breaker refused count as good ones, and keep it closed in the next outage
#
# Program   opossum 10.0.0 (npm), class CircuitBreaker, defaults but for a
#           resetTimeout of 3 s; one call each 10 ms.
# Expected  The breaker opens when more than half of the calls of the last ten
#           seconds fail. A new one opens at the first failure. After an outage
#           that the breaker has cut short, and 0.2 s of good answers, a second
#           outage should open it about as soon as its failures outnumber those
#           20 answers.
# Seen      First outage: 1 call fails, 252 are refused. The service works for
#           20 calls, then fails for good: 272 calls in a row reach it and fail,
#           for 3.5 s, before the breaker opens. On a busier machine, where fewer
#           timers of 10 ms end in 3 s, 217 and 237.
#           The rate is failures by calls, and a call that the open breaker
#           refused is a call, but no failure; closing forgets none of them. The
#           busier the caller and the longer it was refused, the more failures the
#           next opening takes: at least one for each refusal of the window.
# Matters   Outages come in series: a service that restarts, answers the trial and
#           falls over again gets the full load of everybody for seconds, just
#           where the breaker was meant to keep it away. With the default
#           resetTimeout of 30 s ten seconds of refusals are in the window, and
#           half of ten seconds' calls must fail. A model of the breaker that
#           counts what has ended opens ten times as early.
. "$(dirname "$0")/common.sh"

npm_install opossum@10.0.0
say "opossum 10.0.0 on node $(node --version)"

cat >"$work/npm/run.js" <<'JS'
const Breaker = require('opossum');
let works = false;
const breaker = new Breaker(async () => { if (!works) throw new Error('down'); }, { resetTimeout: 3000 });
const seen = { failed: 0, refused: 0, good: 0 };
const once = async () => {
  try {
    await breaker.fire();
    seen.good++;
    return 'good';
  } catch (error) {
    const how = error.code === 'EOPENBREAKER' ? 'refused' : 'failed';
    seen[how]++;
    return how;
  }
};
const pause = () => new Promise(done => setTimeout(done, 10));

(async () => {
  // The first outage: until the breaker tries again, and the service works by then.
  let first;
  for (let calls = 0; !works || first !== 'good'; calls++) {
    works = breaker.halfOpen;
    first = await once();
    await pause();
  }
  const outage = { ...seen };
  for (let calls = 0; calls < 19; calls++) { await once(); await pause(); }
  works = false;
  const before = seen.failed, began = Date.now();
  while (!breaker.opened) { await once(); await pause(); }
  const failed = seen.failed - before;
  console.log(`first outage: ${outage.failed} failed, ${outage.refused} refused`);
  console.log(`second outage, after 20 good calls: expected about 21 failures until it opens, seen ${failed} in ${((Date.now() - began) / 1000).toFixed(1)} s`);
  const same = outage.failed === 1 && outage.refused > 100 && failed > outage.refused;
  console.log(same ? 'SAME: each refused call makes up for a failure' : 'CHANGED');
  process.exit(same ? 0 : 1);
})();
JS
(cd "$work/npm" && node run.js)
