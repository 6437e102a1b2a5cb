#!/usr/bin/env bash
# Artillery: p99 stays at 0.12 s while requests take five seconds
#
# Program   artillery 2.0.34 (npm), HTTP engine, phase of 100 arrivals a second
#           for 5 s, "http: {pool: 5}", against a server that answers each
#           request after 0.1 s without any limit of its own.
# Expected  pool sets how many connections are kept and shared, and arrivals do
#           not wait for answers. With 100 arrivals a second and room for 50, the
#           wait grows by half a second each second, up to five seconds; the
#           report's http.response_time should show it.
# Seen      http.response_time: median 102.5 ms, p99 107 to 125 ms.
#           vusers.session_length (one request each): median 2.7 to 2.9 s, p99
#           5.3 to 5.5 s. 500 answers of 500, no error, nothing skipped: the
#           report of a server that keeps up.
#           The value is the time from the request being sent to the first byte
#           of the answer. The wait for a free connection comes before that, and
#           so do name look-up, connect and TLS.
#           A server that takes 2 s for every second request, "timeout: 1": 250
#           of 500 requests fail with ETIMEDOUT, and p99 is below 0.13 s, that of
#           session_length below 0.14 s.
# Matters   The tool is open, so coordinated omission is not expected. It is back
#           through the pool and through the time-out. Percentiles from such a
#           report must not be used to calibrate a model of waiting, or to say
#           that an overloaded service meets its target: read session_length and
#           the error counters beside them.
# Note      The package is large (about 460 MB on disk while this runs).
. "$(dirname "$0")/common.sh"

need python3
npm_install artillery@2.0.34
artillery="$work/npm/node_modules/.bin/artillery"
export ARTILLERY_DISABLE_TELEMETRY=true HOME="$work"
say "artillery 2.0.34 on node $(node --version)"

read -r even odd <<<"$(free_ports 2)"
backend even.log "even:$even:0.1"

cat >"$work/odd.js" <<'JS'
let turn = 0;
require('http').createServer((request, answer) => {
  setTimeout(() => answer.end('odd'), turn++ % 2 ? 2000 : 100);
}).listen(Number(process.argv[2]), '127.0.0.1');
JS
start odd.log node "$work/odd.js" "$odd"
wait_port "$odd"

load() { # load NAME PORT HTTP-OPTIONS
    cat >"$work/$1.yml" <<CONF
config:
  target: "http://127.0.0.1:$2"
  http: {$3}
  phases: [{duration: 5, arrivalRate: 100}]
scenarios: [{flow: [{get: {url: "/"}}]}]
CONF
    "$artillery" run --quiet --output "$work/$1.json" "$work/$1.yml" >"$work/$1.out" 2>&1 ||
        cannot "artillery did not run: $(tail -n 3 "$work/$1.out")"
}
load pool "$even" "pool: 5, timeout: 30"
load late "$odd" "timeout: 1"

node - "$work" <<'JS'
const read = name => require(`${process.argv[2]}/${name}.json`).aggregate;
const line = name => {
  const { counters, summaries } = read(name);
  const time = summaries['http.response_time'];
  const session = summaries['vusers.session_length'];
  const errors = Object.keys(counters).filter(key => key.startsWith('errors.')).map(key => `${key}=${counters[key]}`);
  console.log(`  ${name}: requests ${counters['http.requests']}, answers ${counters['http.responses']}, ` +
    `${errors.join(' ') || 'no errors'}; response_time median ${time.median} p99 ${time.p99}; ` +
    `session_length median ${session.median} p99 ${session.p99} ms`);
  return { counters, time, session, errors };
};
const pool = line('pool');
const late = line('late');
console.log('  expected: p99 about 5000 ms with the pool, and at least 1000 ms where half of all requests time out');
const same = pool.errors.length === 0 && pool.counters['http.responses'] === 500 &&
  pool.time.p99 < 400 && pool.session.p99 > 4000 &&
  late.time.p99 < 400 && late.counters['errors.ETIMEDOUT'] >= 240;
console.log(same ? 'SAME: waiting and time-outs are in no response time' : 'CHANGED');
process.exit(same ? 0 : 1);
JS
