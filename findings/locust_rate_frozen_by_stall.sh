#!/usr/bin/env bash
# locust: Requests/s stays at 100 while nothing is answered, and is 0 when answers are back
#
# Program   locust 2.47.0 (PyPI), headless, --csv; ten FastHttpUsers with
#           constant_pacing(0.1), thus 100 requests a second, against a server
#           that answers at once, except that it holds everything for 20 s.
# Expected  The documentation says that the history file has the current values of
#           a sliding window of ten seconds. Ten seconds into the stall the rate
#           should be 0, and climb from the first second after it.
# Seen      Seconds since the first request; the stall lasts from 15 to 35:
#             16 to 34  Requests/s 100.0 in every line, while the request count
#                       beside it stays at 1510
#             36 to 38  Requests/s 0, while the server answers 100 a second
#             39 to 47  5, 15, 25 and so on; from 49 on 100 again
#           The window ends two seconds before the last answer, not now. Without
#           answers it stands still, and the first answer moves it to where
#           nothing was answered.
# Matters   The rate says the opposite of what happens, for as long as a stall
#           lasts: a full hang, the very thing an overload test looks for, looks
#           like a good steady state, and the recovery like the outage. A check
#           that ends a test when the rate falls would do so after the recovery.
#           Take differences of "Total Request Count" instead. Runs in which
#           some requests are still answered, or time out, were not tried.
. "$(dirname "$0")/common.sh"

pip_install locust==2.47.0
export HOME="$work"
say "$("$work/venv/bin/locust" --version | cut -d' ' -f1-2)"

port=$(free_ports 1)
cat >"$work/server.py" <<'PY'
import asyncio, sys, time

first = None

async def serve(reader, writer):
    global first
    try:
        while await reader.readuntil(b"\r\n\r\n"):
            first = first or time.monotonic()
            age = time.monotonic() - first
            if 15 <= age < 35:
                await asyncio.sleep(35 - age)
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
            await writer.drain()
            print(time.time(), flush=True)
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    writer.close()

async def main():
    async with await asyncio.start_server(serve, "127.0.0.1", int(sys.argv[1])) as server:
        await server.serve_forever()

asyncio.run(main())
PY
cat >"$work/users.py" <<'PY'
from locust import FastHttpUser, constant_pacing, task

class Caller(FastHttpUser):
    wait_time = constant_pacing(0.1)

    @task
    def get(self):
        self.client.get("/")
PY
start answers.log "$python" "$work/server.py" "$port"
wait_port "$port"
(cd "$work" && venv/bin/locust -f users.py --headless --users 10 --spawn-rate 10 --run-time 50s \
    --host "http://127.0.0.1:$port" --csv run) >"$work/locust.log" 2>&1 ||
    cannot "locust did not run: $(tail -n 3 "$work/locust.log")"

"$python" - "$work/answers.log" "$work/run_stats_history.csv" <<'PY'
import csv, sys

answers = [float(line) for line in open(sys.argv[1])]
begin = answers[0]
answers = [at - begin for at in answers]
rows = {}
for row in csv.DictReader(open(sys.argv[2])):
    rows[int(row["Timestamp"]) + 1 - begin] = float(row["Requests/s"]), int(row["Total Request Count"])

def in_window(at):
    """Answers a second in the ten seconds before; a row's stamp is cut to seconds, it may be 1 s older."""
    return sum(at - 10 <= a < at for a in answers) / 10

print("  second  answered/s by the server,  locust's    locust's")
print("          window of 10 s             Requests/s  request count")
for at in sorted(rows):
    if 13 <= at < 49 and (int(at) % 4 == 2 or 34 <= at < 40):
        print(f"  {at:6.1f}  {in_window(at):25.1f}  {rows[at][0]:10.1f}  {rows[at][1]:13}")
stalled = [rate for at, (rate, _) in rows.items() if 17 <= at <= 34]
empty = [rate for at, (rate, _) in rows.items() if 27 <= at <= 34]
counts = {count for at, (_, count) in rows.items() if 17 <= at <= 34}
back = [rate for at, (rate, _) in rows.items() if 36.1 <= at < 38.1]
served = sum(36 <= a < 38 for a in answers) / 2
later = [rate for at, (rate, _) in rows.items() if at >= 49]
print(f"  17 to 34 s: Requests/s {min(stalled):.1f} to {max(stalled):.1f}, expected 0 from 27 s on; request counts seen {counts}")
print(f"  36 to 38 s: Requests/s {min(back):.1f} to {max(back):.1f}, the server answers {served:.0f} a second, expected 10 to 40")
print(f"  from 49 s: Requests/s {min(later):.1f} to {max(later):.1f}")
same = (
    len(stalled) >= 15 and len(empty) >= 6 and 90 < min(stalled) and max(stalled) < 110 and len(counts) == 1
    and not [a for a in answers if 17 <= a <= 34] and max(back) < 20 and min(back) < 6 and served > 80 and min(later) > 80
)
print("SAME: the rate stands still during the stall and is near 0 after it" if same else "CHANGED")
sys.exit(not same)
PY
