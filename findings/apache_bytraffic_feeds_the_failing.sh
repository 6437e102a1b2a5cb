#!/usr/bin/env bash
# Apache: bytraffic gives nearly all requests to the member that fails, and all to one that comes back
#
# Program   Apache httpd 2.4.71 (Debian's apache2-bin), mod_proxy_balancer with
#           "lbmethod=bytraffic", two members of equal load factor whose answers
#           have 10 kB.
# Expected  The documentation says that the method is as byrequests, but weighted
#           by bytes. A member whose every answer is a 503 should get its half of
#           the requests; one that was away for a while should have its half
#           again when it is back.
# Seen      Both well: 50 and 50 of 100.
#           a answers 503 with 20 bytes: 977 of the next 1000 requests go to it and
#           fail, where byrequests fails 500. Short answers count as little work.
#           a is away for 500 requests, then back: the next 500 all go to a, and
#           none to b. What a did not carry it has to make up for; nothing ages.
#           An hour's outage is paid back in an hour.
# Matters   The balancer works as an amplifier of both: one broken release on one
#           of two members takes the site down instead of half of it, and the
#           member that has just started, with cold caches, gets twice its load
#           for as long as it was away. A model of this method needs the bytes of
#           every answer, errors as well, from the start of the process on.
. "$(dirname "$0")/common.sh"

deb_unpack_here() {
    need apt-get dpkg
    mkdir -p "$work/apache"
    (cd "$work/apache" && apt-get -qq download apache2-bin=2.4.71-1~deb12u1 libapr1 libaprutil1 &&
        for package in ./*.deb; do dpkg -x "$package" .; done) >"$work/deb.log" 2>&1 ||
        cannot "apt could not fetch apache2-bin 2.4.71 (Debian 12)"
}
deb_unpack_here
need python3
root="$work/apache"
libraries=$(find "$root/usr/lib" -maxdepth 1 -name '*-linux-gnu')
say "$(LD_LIBRARY_PATH=$libraries "$root/usr/sbin/apache2" -v | head -n 1)"

# member NAME PORT: answers 10 kB, or 503 with 20 bytes while the file NAME.bad is there.
cat >"$work/member.py" <<'PY'
import http.server, os, sys
name, port, bad = sys.argv[1], int(sys.argv[2]), sys.argv[3]
class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        status, size = (503, 20) if os.path.exists(bad) else (200, 10000)
        self.send_response(status)
        self.send_header("Content-Length", str(size))
        self.send_header("X-Name", name)
        self.end_headers()
        self.wfile.write(b"x" * size)
    def log_message(self, *_):
        pass
http.server.ThreadingHTTPServer(("127.0.0.1", port), Answer).serve_forever()
PY
member() {
    start "$1.log" python3 "$work/member.py" "$1" "$2" "$work/$1.bad"
    wait_port "$2"
}

# ask N: how many of N sequential requests each member answered, with which status
ask() {
    python3 - "$front" "$1" <<'PY'
import collections, http.client, sys
seen = collections.Counter()
for _ in range(int(sys.argv[2])):
    link = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]), timeout=10)
    link.request("GET", "/")
    reply = link.getresponse()
    reply.read()
    seen[f"{reply.getheader('X-Name')}:{reply.status}"] += 1
    link.close()
print(*(f"{key}={seen[key]}" for key in sorted(seen)))
PY
}

# round METHOD: the shares of both members, well, with a failing, and with a back from an outage
round() {
    read -r front a b <<<"$(free_ports 3)"
    local modules="$root/usr/lib/apache2/modules" module
    {
        for module in mpm_event authz_core proxy proxy_http proxy_balancer slotmem_shm lbmethod_byrequests lbmethod_bytraffic; do
            say "LoadModule ${module}_module $modules/mod_$module.so"
        done
        say "ServerRoot $work"
        say "DefaultRuntimeDir $work"
        say "PidFile $work/$1.pid"
        say "ErrorLog $work/$1.error"
        say "ServerName web"
        if [ "$(id -u)" = 0 ]; then say "User nobody"; say "Group nogroup"; fi
        say "Listen 127.0.0.1:$front"
        say "<Proxy balancer://web>"
        say "  BalancerMember http://127.0.0.1:$a retry=1"
        say "  BalancerMember http://127.0.0.1:$b retry=1"
        say "  ProxySet lbmethod=$1"
        say "</Proxy>"
        say "ProxyPass / balancer://web/"
    } >"$work/$1.conf"
    member a "$a"; local pid_a=$started
    member b "$b"; local pid_b=$started
    start "$1.log" env LD_LIBRARY_PATH="$libraries" "$root/usr/sbin/apache2" -DFOREGROUND -f "$work/$1.conf"
    local apache=$started
    wait_port "$front"
    well=$(ask 100)
    touch "$work/a.bad"
    failing=$(ask 1000)
    rm "$work/a.bad"
    ask 1000 >/dev/null
    stop "$pid_a"
    away=$(ask 500)
    member a "$a"; pid_a=$started
    sleep 2
    back=$(ask 500)
    later=$(ask 200)
    stop "$apache"; stop "$pid_a"; stop "$pid_b"
    say "$1: both well $well"
    say "  a answers 503: of 1000 $failing"
    say "  a away: $away; then a is back: of the next 500 $back; later $later"
}

round byrequests
same=no
[ "$failing" = "a:503=500 b:200=500" ] && [ "$back" = "a:200=250 b:200=250" ] && same=yes
round bytraffic
failed=${failing#a:503=}
failed=${failed%% *}
if [ "$same" = yes ] && [ "$well" = "a:200=50 b:200=50" ] && [ "$failed" -gt 950 ] && [ "$back" = "a:200=500" ]; then
    say "SAME: who answers little gets nearly everything"
else
    say "CHANGED"
    exit 1
fi
