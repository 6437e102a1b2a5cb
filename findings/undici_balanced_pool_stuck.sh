#!/usr/bin/env bash
# undici: after one outage BalancedPool gives the recovered upstream 14 % for good
#
# Program   undici 7.30.2 (npm), class BalancedPool, two upstreams, no options;
#           8.13.1 on node 24 gave the same figures.
# Expected  The class spreads requests over its upstreams and lowers the weight
#           of one whose connections fail. When it works again and answers
#           everything, its weight should come back, and with it its half.
# Seen      Both up: 100 and 100 of 200 sequential requests. Upstream a stops:
#           9 of the next 200 requests fail, the others go to b. a is back:
#           12.9 to 14.4 % of each following 1000 requests go to a, for all
#           5000 watched, none of which failed.
#           Four callers at once: 29 % of the first 1000, then 36 to 38 %. Eight
#           at once: 43 %, then half again.
#           Weights go from 100 down by 15 with each failed connect or broken
#           connection (7 of them: 1), and up by 15 with each new connection,
#           never with an answer. With one caller one connection is enough, so
#           the weight stays at 1 + 15 = 16, and 16 / 116 = 13.8 %.
# Matters   Recovery depends on how many connections are opened, thus on the
#           concurrency of the caller: the calmer the client, the longer the
#           other upstream carries everything. A fleet that is sized by the equal
#           shares before the outage stays lopsided while its connections live. A
#           model of passive health needs a rule for the way back, and "successes
#           heal" is not this one.
. "$(dirname "$0")/common.sh"

npm_install undici@7.30.2
say "undici 7.30.2 on node $(node --version)"

cat >"$work/npm/run.js" <<'JS'
const { BalancedPool } = require('undici');
const http = require('http');

const listen = (name, port) => new Promise(done => {
  const server = http.createServer((request, answer) => answer.end(name));
  server.keepAliveTimeout = 120000;
  server.listen(port, '127.0.0.1', () => done(server));
});
const close = server => new Promise(done => { server.close(done); server.closeAllConnections(); });

async function run(callers) {
  let a = await listen('a', 0);
  const b = await listen('b', 0);
  const port = a.address().port;
  const pool = new BalancedPool([`http://127.0.0.1:${port}`, `http://127.0.0.1:${b.address().port}`]);
  const ask = async total => {
    const seen = { a: 0, b: 0, failed: 0 };
    const caller = async () => {
      for (let i = 0; i < total / callers; i++) {
        try {
          const answer = await pool.request({ path: '/', method: 'GET' });
          seen[await answer.body.text()]++;
        } catch { seen.failed++; }
      }
    };
    await Promise.all(Array.from({ length: callers }, caller));
    return seen;
  };
  const before = await ask(200);
  await close(a);
  const during = await ask(200);
  a = await listen('a', port);
  const after = [];
  for (let i = 0; i < 5; i++) after.push(await ask(1000));
  await pool.destroy();
  await close(a);
  await close(b);
  const shares = after.map(seen => seen.a / 10);
  const failed = after.reduce((sum, seen) => sum + seen.failed, 0);
  console.log(`${callers} callers: before ${JSON.stringify(before)}, a down ${JSON.stringify(during)},`);
  console.log(`  a back: share of a in each 1000, expected 50 %, seen ${shares.join(' % ')} %, failed ${failed}`);
  return { shares, failed };
}

(async () => {
  const one = await run(1);
  const four = await run(4);
  const eight = await run(8);
  const within = (result, low, high) => result.failed === 0 && result.shares.every(x => x >= low && x <= high);
  const same = within(one, 10, 18) && within({ ...four, shares: four.shares.slice(1) }, 25, 45) && eight.shares.slice(1).every(x => x >= 48 && x <= 52);
  console.log(same ? 'SAME: the share of a recovered upstream depends on new connections only' : 'CHANGED');
  process.exit(same ? 0 : 1);
})();
JS
(cd "$work/npm" && node run.js)
