"""Logs that real programs write, in front of servers that are known, and what is made of them.

    logs.py [--only WORD] [--seconds S] [--counted] STAMPEDE

Each program stands before two servers of four workers and gets requests at random. `stampede calibrate` reads its log
and is to find rate, demand and workers; `stampede import --log` makes a scenario of settings and log, which is to say how
long requests take at half as much load again. Then they really come. All programs run side by side, for a few minutes. With `--counted`
only what is counted is compared, which no busy machine can change: requests, and what became of each line.
"""

import argparse
import asyncio
import json
import math
import random
import signal
import subprocess
import sys
import tempfile
from contextlib import AsyncExitStack
from pathlib import Path

from backends import Backends
from client import at_random
from programs import programs

HERE = Path(__file__).parent / "logs"
WORKERS, SERVERS = 4, 2
MEAN_S = 0.1
# The share of what the servers can do that comes at first, and by how much more comes then.
LOAD, MORE = 0.55, 1.5
# How far what is found may be from what is so, and what is foretold from what comes.
FOUND, FORETOLD = 0.10, 0.15
# How often requests are sent again where what comes differs from what was foretold.
TRIES = 3


def exponential(draw):
    return lambda: draw.expovariate(1 / MEAN_S)


def lognormal(draw):
    """Of variation 0.7."""
    deviation = math.sqrt(math.log(1 + 0.7**2))
    return lambda: draw.lognormvariate(math.log(MEAN_S) - deviation**2 / 2, deviation)


# Settings, the port that the program listens on, the law of demand, and the file with the log.
LABS = {
    "nginx": ("nginx.conf", 18700, exponential, "access.log"),
    "haproxy": ("haproxy.cfg", 18710, lognormal, "haproxy.log"),
    "envoy": ("envoy.yaml", 18720, exponential, "envoy.log"),
}


async def load(program, rate, seconds, seed, folder):
    """Requests through a program: the times of service, and of the answers, in seconds."""
    file, port, law, _ = LABS[program.name]
    folder.mkdir()
    draw = random.Random(f"{program.name} {seed}")
    servers = [{"name": name, "workers": WORKERS, "service_s": law(draw)} for name in "ab"]
    async with AsyncExitStack() as stack:
        backends = await stack.enter_async_context(Backends(servers, port + 1, 0.0))
        await program.start_from(HERE / file, str(folder), port)
        stack.callback(program.stop)
        answers = await at_random(port, rate, seconds, f"{seed} {program.name}")
        # The log is written by and by.
        await asyncio.sleep(11)
    if any(answer["status"] != 200 for answer in answers):
        raise RuntimeError(f"{program.name}: not all were answered")
    return sorted(backends.served), sorted(answer["took_s"] for answer in answers)


async def loads(known, rate, seconds, seed, folder):
    folder.mkdir()
    each = [load(program, rate, seconds, seed, folder / program.name) for program in known]
    return await asyncio.gather(*each)


def quantile(values, share):
    return values[min(len(values) - 1, math.ceil(share * len(values)) - 1)]


def mean(values):
    return sum(values) / len(values)


def ask(stampede, *words):
    done = subprocess.run([stampede, *map(str, words)], capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(done.stderr)
    return done.stdout


def calibrated(stampede, program, folder):
    """The log that was written, and what `calibrate` says of it."""
    log = folder / "learn" / program.name / LABS[program.name][-1]
    return log, json.loads(ask(stampede, "calibrate", log, "--format", "json"))


def counts(stampede, program, before, folder):
    """What was counted in the log beside what was sent: name, one, other, whether that is the same."""
    log, found = calibrated(stampede, program, folder)
    sent, lines = len(before[0]), len(log.read_bytes().splitlines())
    file, measured = found["files"][0], found["measured"]
    # Whoever looks whether the program listens leaves without a request, which HAProxy writes down.
    for name, one, other in (
        ("requests", measured["requests"] - measured["left"], sent),
        ("lines told of", file["requests"] + file["asides"], lines),
        ("faulty lines", len(file["faults"]), 0),
        ("failed", measured["failed"], 0),
        ("tried again", sum(measured["retried"]), 0),
    ):
        yield name, str(one), str(other), one == other


def rows(stampede, program, before, after, rate, seconds, folder):
    """What was found beside what is so: name, one, other, whether that is near enough."""
    file = LABS[program.name][0]
    served, _ = before
    log, found = calibrated(stampede, program, folder)
    measured = found["measured"]
    demand = measured["classes"][0]["demand"]
    near = lambda one, other, most: abs(one / other - 1) <= most

    def row(name, one, other, most):
        if one is None:
            return name, "not found", f"{other:.4g}", False
        return name, f"{one:.4g}", f"{other:.4g}", near(one, other, most)

    yield row("rate, 1/s", measured["rate_hz"], len(served) / seconds, FOUND)
    yield row("mean demand, s", demand["mean_s"], mean(served), FOUND)
    yield row("p99 of demand, s", demand["p99_s"], quantile(served, 0.99), FOUND)
    yield row("workers", measured["workers"]["number"], WORKERS, FOUND)
    if not found["check"]:
        yield "held out", found["no_check"], "", False
    for figure in (found["check"] or {"figures": []})["figures"]:
        low, high = figure["between_s"]
        name = f"held out: {figure['figure']}, s"
        yield name, f"{low:.4g} to {high:.4g}", f"{figure['observed_s']:.4g}", low <= figure["observed_s"] <= high
    scenario = folder / f"{program.name}.toml"
    scenario.unlink(missing_ok=True)
    ask(stampede, "import", HERE / file, "--log", log, "-q", "-o", scenario)
    foretold = json.loads(
        ask(stampede, "run", scenario, "--set", f"rate_factor={MORE}", "--set", "horizon=2h", "--format", "json", "-q")
    )["response_time_s"]
    took = after[1]
    yield row(f"mean at {MORE} of it, s", foretold["mean"], mean(took), FORETOLD)
    yield row(f"p90 at {MORE} of it, s", foretold["p90"], quantile(took, 0.9), FORETOLD)


def timed(known, before, rate, args, folder):
    """The rows of all programs. A busy machine makes everybody wait: what differs is looked at again, with the very same requests."""
    for number in range(TRIES):
        after = asyncio.run(loads(known, rate * MORE, args.seconds, "more", folder / f"more-{number}"))
        each = zip(known, before, after)
        found = [list(rows(args.stampede, *own, rate, args.seconds, folder)) for own in each]
        if all(near for own in found for *_, near in own):
            break
    return found


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", default="")
    parser.add_argument("--seconds", type=float, default=120.0)
    parser.add_argument("--counted", action="store_true")
    parser.add_argument("stampede")
    args = parser.parse_args()
    # Whoever stops this stops the programs that it started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    known = [program for name, program in programs().items() if name in LABS and args.only in name]
    if not known:
        print("no programs: nothing can be compared", file=sys.stderr)
        return
    rate, differ, count = LOAD * WORKERS * SERVERS / MEAN_S, 0, 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        before = asyncio.run(loads(known, rate, args.seconds, "learn", folder / "learn"))
        if args.counted:
            found = [list(counts(args.stampede, *each, folder)) for each in zip(known, before)]
        else:
            found = timed(known, before, rate, args, folder)
        print(f"{'program':16} {'figure':20} {'found':>20} {'is':>10}  verdict")
        for program, own in zip(known, found):
            title = f"{program.name} {program.version}"
            for figure, one, real, near in own:
                count, differ = count + 1, differ + (not near)
                print(f"{title:16} {figure:20} {one:>20} {real:>10}  {'same' if near else 'DIFFERS'}", flush=True)
    print(f"{count} figures, {differ} differ")
    sys.exit(differ > 0)


if __name__ == "__main__":
    main()
