#!/usr/bin/env bash
# opossum: a short burst over "capacity" opens the breaker of a healthy service
#
# Program   opossum 10.0.0 (npm), circuit breaker for Node.js.
# Expected  The documentation describes capacity as the number of calls that may
#           run at once, further ones being rejected until one has ended, and
#           the error threshold as about failures of the protected function. A
#           bulkhead that is full for a moment should cost the calls over it and
#           nothing else.
# Seen      capacity 10, threshold 50 %, resetTimeout 3 s, volumeThreshold 10; a
#           service that always succeeds in 50 ms; 30 calls at once: 10 succeed,
#           11 are rejected because the capacity is used up, and with the 11th of
#           these the breaker opens: the last 9 are rejected as "breaker is
#           open". All later calls are rejected too, until 3 s after the
#           opening, although the service never failed and is idle.
#           The same 30 calls without capacity: 30 succeed.
#           A rejection for capacity is counted as a failure of the service.
# Matters   Bulkhead and breaker are usually drawn as two layers, the outer one
#           protecting the inner one. In one object they feed each other: after
#           a quiet spell a burst of more than twice the capacity turns 50 ms of
#           overload into a whole open period (30 s by default) without any
#           traffic. A model that keeps the two apart does not show this outage.
#           An errorFilter that lets ESEMLOCKED pass avoids it.
. "$(dirname "$0")/common.sh"

npm_install opossum@10.0.0
say "opossum 10.0.0 on node $(node --version)"

cat >"$work/npm/run.js" <<'JS'
const CircuitBreaker = require('opossum');
const pause = ms => new Promise(done => setTimeout(done, ms));

async function burst(options) {
  let ran = 0;
  const service = async () => { ran++; await pause(50); return 'ok'; };
  const breaker = new CircuitBreaker(service, {
    timeout: 1000, errorThresholdPercentage: 50, resetTimeout: 3000, volumeThreshold: 10, ...options,
  });
  const results = await Promise.allSettled(Array.from({ length: 30 }, () => breaker.fire()));
  const began = Date.now();
  const seen = { ok: 0, ESEMLOCKED: 0, EOPENBREAKER: 0 };
  for (const r of results) seen[r.status === 'fulfilled' ? 'ok' : r.reason.code]++;
  let lost = 0;
  for (;;) {
    try { await breaker.fire(); break; } catch { lost++; await pause(50); }
  }
  const back = Date.now() - began - 50;
  const failures = ran - 1 - seen.ok;
  breaker.shutdown();
  return { ...seen, ranInService: ran - 1, failedInService: failures, laterRejected: lost, backAfterMs: back };
}

(async () => {
  const without = await burst({});
  const bounded = await burst({ capacity: 10 });
  const filtered = await burst({ capacity: 10, errorFilter: e => e.code === 'ESEMLOCKED' });
  console.log('no capacity          ', JSON.stringify(without));
  console.log('capacity 10          ', JSON.stringify(bounded));
  console.log('capacity 10 + filter ', JSON.stringify(filtered));
  console.log('expected for capacity 10: ok 10, ESEMLOCKED 20, EOPENBREAKER 0, laterRejected 0');
  const same = without.ok === 30 && bounded.ok === 10 && bounded.ESEMLOCKED === 11 &&
    bounded.EOPENBREAKER === 9 && bounded.failedInService === 0 && bounded.backAfterMs > 2500 &&
    filtered.ok === 10 && filtered.EOPENBREAKER === 0 && filtered.laterRejected === 0;
  console.log(same ? 'SAME: rejections of the bulkhead open the breaker' : 'CHANGED');
  process.exit(same ? 0 : 1);
})();
JS
(cd "$work/npm" && node run.js)
