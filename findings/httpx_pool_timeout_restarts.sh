#!/usr/bin/env bash
# httpx: a pool time-out of 0.3 s, and requests that wait for a second
#
# Program   httpx 0.28.1 with httpcore 1.0.9 (PyPI), Client with
#           max_connections=1 and timeout=Timeout(10, pool=0.3).
# Expected  A request that has waited for a connection for 0.3 s fails with
#           PoolTimeout. Of ten callers at once, of which each holds the only
#           connection for 0.15 s, two or three are served.
# Seen      All ten are served, and the last has waited for 1.4 s. Where the one
#           connection is held for 1.5 s, the others fail after 0.3 s. Whenever a
#           connection comes free all that wait are woken, one gets it, and the
#           others begin to wait anew, with all of their 0.3 s and in an order
#           that is not that of their arrival.
# Matters   The time-out bounds how long nothing moves and not how long anybody
#           waits: a pool that is too small shows as latency without an upper end
#           and not as errors, and a caller may be overtaken for ever. A model
#           with one time-out for each wait sees failures where there are none.
. "$(dirname "$0")/common.sh"

pip_install httpx==0.28.1 httpcore==1.0.9
say "httpx 0.28.1, httpcore 1.0.9"
ports=$(free_ports 1)

cat >"$work/run.py" <<'PY'
import http.server
import sys
import threading
import time

import httpx

hold_s = 0.15


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        time.sleep(hold_s)
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()


def run(hold, callers=10):
    global hold_s
    hold_s = hold
    ends = []
    timeout, limits = httpx.Timeout(10.0, pool=0.3), httpx.Limits(max_connections=1)
    with httpx.Client(limits=limits, timeout=timeout, trust_env=False) as client:

        def caller():
            asked = time.monotonic()
            try:
                client.get(f"http://127.0.0.1:{sys.argv[1]}/")
                ends.append((time.monotonic() - asked, True))
            except httpx.PoolTimeout:
                ends.append((time.monotonic() - asked, False))

        threads = [threading.Thread(target=caller) for _ in range(callers)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    well = [took - hold for took, good in ends if good]
    failed = [took for took, good in ends if not good]
    print(f"held for {hold} s: {len(well)} served, the longest wait {max(well):.2f} s; "
          f"{len(failed)} PoolTimeout" + (f", the last after {max(failed):.2f} s" if failed else ""))
    return well, failed


well, failed = run(0.15)
held, late = run(1.5)
same = len(well) == 10 and max(well) > 0.9 and len(held) == 1 and max(late) < 1.0
print("SAME: the pool time-out begins anew with each release" if same else "CHANGED")
sys.exit(not same)
PY
"$python" "$work/run.py" "$ports"
