"""Settings, imported and real: the program is started from a file and `stampede import` reads the very same one.

    settings.py [--only WORD] [--counted] [--seconds S] STAMPEDE

Every service of the file gets requests at random moments, all at once; then the imported scenario is run, with what no
file says (rates, times of service) as it was here. Shares of servers and statuses are compared, a row for each service;
fails where one differs. What was observed is kept in `settings/seen.json`, and compared with where a program is missing.
With `--counted` services whose shares or ends are judged by time are left out, and what was observed is not kept. `--seconds` is
how long requests come.
"""

import argparse
import asyncio
import json
import signal
import subprocess
import sys
import tempfile
import tomllib
from contextlib import AsyncExitStack
from pathlib import Path

from backends import Backends
from client import at_random
from programs import programs
from scenario import toml
from shares import both, counted, differences, summed

HERE = Path(__file__).parent / "settings"
SEEN = HERE / "seen.json"
FIRST_PORT = 18500
# How long a server takes unless the case says otherwise.
SERVICE_S = 0.02
# As many runs say what the shares are, and how far chance moves them.
RUNS = 20


# --- the real program -----------------------------------------------------------------------------------


async def observe(program, file, book, folder):
    """What the program does with the requests of all services, by service: shares of servers, and statuses."""
    async with AsyncExitStack() as stack:
        behind = {}
        for i, (name, case) in enumerate(file["service"].items()):
            servers = [{"name": letter, **rules} for letter, rules in zip("abcdef", case["servers"])]
            backends = Backends(servers, FIRST_PORT + 10 * i + 1, case.get("service_s", SERVICE_S))
            behind[name] = await stack.enter_async_context(backends)
        await program.start_from(HERE / file["name"], folder, FIRST_PORT)
        stack.callback(program.stop)
        # Checks have found out who is dead.
        await asyncio.sleep(2)
        answers = await asyncio.gather(
            *(
                at_random(FIRST_PORT + 10 * i, book["rate"], book["seconds"], f"{file['name']} {name}")
                for i, name in enumerate(file["service"])
            )
        )
    seen = {}
    for (name, backends), own in zip(behind.items(), answers):
        hits = [server for number, server, _ in backends.hits if number >= 0]
        seen[name] = {"servers": counted(hits), "ends": counted([str(a["status"]) for a in own])}
    return seen


# --- the imported scenario ------------------------------------------------------------------------------


def imported(stampede, file, folder):
    """The scenario, and by service the names of its servers, as letters in the order of the file."""
    out = f"{folder}/imported.toml"
    subprocess.run([stampede, "import", HERE / file["name"], "-q", "-o", out], check=True)
    tables = tomllib.loads(Path(out).read_text())["service"]
    letters = {name: {own["name"]: x for own, x in zip(table["server"], "abcdef")} for name, table in tables.items()}
    return out, letters


def sets(file, book, letters):
    """What no file says, and what the servers do."""
    yield "assumed", []
    yield "warm_up", "0s"
    yield "horizon", f"{book['seconds']}s"
    crashes = []
    for name, case in file["service"].items():
        service = f"service.{name}"
        usual_s = case.get("service_s", SERVICE_S)
        yield f"traffic.{name}.rate", book["rate"]
        yield f"{service}.demand", f"{usual_s}s"
        if "key" in case:
            yield f"traffic.{name}.key", case["key"]
        yield f"{service}.server.*.workers", 1000
        for key, value in file.get("set", {}).items():
            yield f"{service}.balancer.dialect.{key}", value
        for server, rules in zip(letters[name], case["servers"]):
            if "service_s" in rules:
                yield f"{service}.server.{server}.speed", usual_s / rules["service_s"]
            if "status" in rules:
                yield f"{service}.server.{server}.errors.rate", 1
                if file["program"] != "nginx":
                    yield f"{service}.balancer.dialect.status", str(rules["status"])
            if rules.get("refuses"):
                crashes.append({"at": "0s", "do": "crash", "target": f"{service}.server.{server}"})
    yield "timeline", crashes


def simulate(stampede, file, book, folder):
    """Runs of the imported scenario: of each what `observe` tells, and what was set in it."""
    scenario, letters = imported(stampede, file, folder)
    values = [f"{path}={toml(value)}" for path, value in sets(file, book, letters)]
    words = [word for value in values for word in ("--set", value)]
    runs = []
    for number in range(RUNS):
        how = ["--replication", str(number), "--format", "json", "--progress", "none", "-q"]
        done = subprocess.run([stampede, "run", scenario, *words, *how], capture_output=True, text=True)
        if not done.stdout:
            raise RuntimeError(done.stderr)
        services = json.loads(done.stdout)["services"]
        runs.append({name: told(services[name], letters[name]) for name in file["service"]})
    return runs, values


def told(service, letters):
    servers = {letters[name]: figures["attempts"] for name, figures in service["servers"].items()}
    ends = service["requests"]["outcomes"]
    return {"servers": servers, "ends": {name: count for name, count in ends.items() if count}}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", default="")
    parser.add_argument("--counted", action="store_true")
    parser.add_argument("--seconds", type=float)
    parser.add_argument("stampede")
    args = parser.parse_args()
    # Whoever stops this stops the program that it started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    book = tomllib.loads((HERE / "cases.toml").read_text())
    book["seconds"] = args.seconds or book["seconds"]
    kept = json.loads(SEEN.read_text()) if SEEN.exists() else {}
    known, rows, differ = programs(), 0, 0
    print(f"{'file':12} {'service':8} {'real: % of tries by server | of ends':42} {'imported: the same':42} verdict")
    for file in book["file"]:
        if args.only not in file["name"]:
            continue
        judged = {name: case for name, case in file["service"].items() if not (args.counted and case.get("timed"))}
        with tempfile.TemporaryDirectory() as folder:
            runs, values = simulate(args.stampede, file, book, folder)
            program, seen = known.get(file["program"]), kept.get(file["name"])
            # A busy machine delays this or that: what differs is looked at again before it is called so.
            for _ in range(2 if program else 0):
                now = asyncio.run(observe(program, file, book, folder))
                seen = {"version": program.version, "set": values, "seen": now}
                of = lambda name: [run[name] for run in runs]
                if not any(list(differences(case, now[name], of(name))) for name, case in judged.items()):
                    break
        if not seen:
            print(f"{file['name']}: not observed")
            continue
        kept[file["name"]] = seen
        for name, case in judged.items():
            own = [run[name] for run in runs]
            wrong = list(differences(case, seen["seen"][name], own))
            rows, differ = rows + 1, differ + bool(wrong)
            verdict = "; ".join(wrong) or "same"
            print(f"{file['name']:12} {name:8} {both(seen['seen'][name]):42} {both(summed(own)):42} {verdict}", flush=True)
    if not args.counted:
        SEEN.write_text(json.dumps(kept, indent=1) + "\n")
    print(f"{rows} services, {differ} differ")
    sys.exit(differ > 0)


if __name__ == "__main__":
    main()
