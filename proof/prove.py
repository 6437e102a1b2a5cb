"""Real programs beside Stampede: each case is given to both, and what they did is compared.

    prove.py [--only WORD] [--write PAGE] TRIED

TRIED is the program that runs scenarios (`benches --bin tried`). Prints a table `case · real · simulated ·
verdict`; fails where one differs. What was observed is kept beside the cases (`cases/*.seen.json`), so that
without the programs the same cases are compared with that.
"""

import argparse
import asyncio
import json
import math
import os
import subprocess
import sys
import tempfile
import time
import tomllib
from pathlib import Path

import callers
import channels
import pools
from backends import Backends
from client import send
from programs import programs
from scenario import scenario

HERE = Path(__file__).parent
# How rarely two equal laws may be called different.
RARE = 0.001


def cases():
    """All cases, with names for their servers."""
    for file in sorted((HERE / "cases").glob("*.toml")):
        book = tomllib.loads(file.read_text())
        for case in book.pop("case"):
            case = {**book, **case, "file": file.stem}
            case["servers"] = [{"name": "abcdefghij"[i], **server} for i, server in enumerate(case["servers"])]
            yield case


# --- what is seen ---------------------------------------------------------------------------------------

OUTCOMES = {"succeeded": "ok", "none": "-"}


def told(case, requests):
    """What is compared of requests: servers tried by each, whether it went well, and when it ended."""
    requests = requests[case.get("from_n", 0) :]
    seen = {
        "tried": ["".join(r["tried"]) or "-" for r in requests],
        "well": [r["well"] for r in requests],
        "took_s": [round(r["took_s"], 2) for r in requests],
    }
    if case.get("compare") == "back":
        seen["back_s"] = back(requests)
    return seen


def back(requests):
    """When server a, which was down from the beginning, was first sent something."""
    return next((round(r["arrived_s"], 2) for r in requests if "a" in r["tried"]), None)


async def observe(program, case, folder, port):
    """What the real program does."""
    first_port = port + 1
    servers = list(zip(case["servers"], range(first_port, first_port + len(case["servers"]))))
    service_s = case["requests"].get("service_s", 0.0)
    async with Backends(case["servers"], first_port, service_s) as backends:
        await program.start(case, folder, port, servers)
        try:
            await asyncio.sleep(case.get("settle_s", 0.05))
            answers = await send(port, case["requests"], 0)
        finally:
            program.stop()
        refused = {at: rules["name"] for rules, at in servers if rules.get("refuses")}
        hits = {}
        for number, name, at in sorted(backends.hits, key=lambda hit: hit[2]):
            hits.setdefault(number, []).append(name)
    return told(
        case,
        [
            {"tried": hits.get(a["number"], []), "well": 200 <= a["status"] < 400, "took_s": a["took_s"]}
            for a in answers
        ],
    ), sorted(refused.values())


async def observe_caller(case, port):
    """What a client library does: when each of its attempts came to the server, by call."""
    async with Backends(case["servers"], port, 0.0) as backends:
        for number in range(case["requests"]["n"]):
            backends.number = number
            await asyncio.to_thread(callers.call, case["retry"], f"http://127.0.0.1:{port}/", case.get("settings", {}))
        hits = {}
        for number, _, at in backends.hits:
            hits.setdefault(number, []).append(at)
        calls = [hits.get(i, []) for i in range(case["requests"]["n"])]
        if not all(calls):
            raise RuntimeError(f"{case['retry']} never came to the server")
        return {"pauses": [pauses(moments) for moments in calls]}


async def observe_pool(case, port):
    """How the callers of a library's pool fare."""
    service_s = case["requests"]["service_s"]
    moments_s = [i * case["requests"]["gap_s"] for i in range(case["requests"]["n"])]
    async with Backends(case["servers"], port, service_s):
        fare = pools.POOLS[case["pool"]][1]
        url = f"http://127.0.0.1:{port}/"
        ends = await asyncio.to_thread(fare, url, case.get("settings", {}), moments_s, service_s)
        return told(case, [{"tried": [], **end} for end in ends])


async def observe_breaker(case, port):
    """What comes through the breaker of a library, and how its callers fare."""
    requests = case["requests"]
    moments_s = [i * requests["gap_s"] for i in range(requests["n"])]
    async with Backends(case["servers"], port, requests.get("service_s", 0.0)) as backends:
        begin_s = time.time() + 1.5
        for backend in backends.all:
            backend.begun = begin_s
        url, settings = f"http://127.0.0.1:{port}/", case.get("settings", {})
        ends = await asyncio.to_thread(callers.through_breaker, case["breaker"], url, settings, moments_s, begin_s)
        hits = {}
        for number, name, _ in backends.hits:
            hits.setdefault(number, []).append(name)
        return told(case, [{"tried": hits.get(i, []), **end} for i, end in enumerate(ends)])


async def observe_channel(case, port):
    """What a channel of gRPC does."""
    return told(case, await channels.observe(case, port))


def pauses(moments):
    return [round(after - before, 3) for before, after in zip(moments, moments[1:])]


# Runs of a scenario whose moments are drawn.
RUNS = 60


def simulate(tried, all_cases, folder):
    """What Stampede does, case by case; of requests one after the other the first so many."""
    files = []
    for i, case in enumerate(all_cases):
        for seed in range(RUNS if case.get("compare") == "back" else 1):
            file = os.path.join(folder, f"{i}-{seed}.toml")
            Path(file).write_text(f"seed = {seed}\n" * (seed > 0) + scenario(case))
            files.append((case, file))
    names = "\n".join(file for _, file in files)
    done = subprocess.run([tried], input=names, capture_output=True, text=True, check=True)
    runs = {}
    for (case, file), line in zip(files, done.stdout.splitlines()):
        number = int(Path(file).name.split("-")[0])
        runs.setdefault(number, []).append(simulated(case, json.loads(line)))
    for number, case in enumerate(all_cases):
        first, *others = runs[number]
        if others:
            first["backs_s"] = [run.get("back_s") for run in runs[number]]
        yield first


def simulated(case, one):
    """What is compared of a run."""
    if "error" in one:
        return {"error": one["error"]}
    if case["program"] == "caller":
        return {"pauses": [pauses(r["sent_s"]) for r in one["requests"]]}
    begun = [r for r in one["requests"] if r["arrived_s"] >= case.get("begin_s", 0.0)]
    return told(case, [{**r, "well": r["outcome"] == "succeeded"} for r in begun[: case["requests"]["n"]]])


# --- the comparison -------------------------------------------------------------------------------------


def without(tried, names):
    """Servers that nobody could see being tried, since nothing listens there, are left out."""
    return ["".join(c for c in word if c not in names) or "-" for word in tried]


def shares(tried):
    last = [word[-1] for word in tried if word != "-"]
    return {name: last.count(name) for name in sorted(set(last))}


def chance(one, other):
    """How likely two such counts are under one law: chi squared of two samples."""
    names = sorted(set(one) | set(other))
    a, b = [one.get(n, 0) for n in names], [other.get(n, 0) for n in names]
    total_a, total_b = sum(a), sum(b)
    if not total_a or not total_b:
        # Nobody was served in one of them.
        return float(total_a == total_b)
    if len(names) < 2:
        return 1.0
    k = math.sqrt(total_b / total_a)
    chi = sum((k * x - y / k) ** 2 / (x + y) for x, y in zip(a, b))
    freedom = len(names) - 1
    # Wilson and Hilferty's approximation of the upper tail.
    z = ((chi / freedom) ** (1 / 3) - (1 - 2 / (9 * freedom))) / math.sqrt(2 / (9 * freedom))
    return 0.5 * math.erfc(z / math.sqrt(2))


def compare(case, real, simulated, unseen):
    """What is shown of both, and whether they agree."""
    if "error" in simulated:
        return "", simulated["error"].split("\n")[0], False
    how = case.get("compare", "tried")
    if how == "pauses":
        one, other = real["pauses"], simulated["pauses"]
        return spans(one), spans(other), all(is_one_of(call, other) for call in one)
    if how == "back":
        one, others = real["back_s"], simulated["backs_s"]
        if None in (one, *others):
            return f"at {one} s", "not in all runs", False
        first, last = min(others), max(others)
        within = first * (1 - BEYOND) <= one <= last * (1 + BEYOND) + LATE_S
        return f"back after {one:.2f} s", f"after {first:.2f}-{last:.2f} s", within
    mine = without(simulated["tried"], unseen)
    if how == "shares":
        one, other = shares(real["tried"]), shares(mine)
        return counted(one), counted(other), chance(one, other) > RARE
    if how == "counts":
        one, other = shares(real["tried"]), shares(mine)
        return counted(one), counted(other), one == other
    if how == "turns":
        # Where a rotation begins is drawn at each start.
        one, other = "".join(real["tried"]), "".join(mine)
        half = one[len(one) // 2 :]
        return one, other, any(turned(other, i) == half for i in range(len(other) - len(half) + 1))
    if how == "goodput":
        # So are those that fail, as far as they depend on it.
        one, other = sum(real["well"]), sum(simulated["well"])
        return f"{one} of {len(real['well'])} well", f"{other} of {len(mine)} well", abs(one - other) <= 1
    ends = lambda seen: "".join("+" if well else "x" for well in seen["well"])
    one, other = (ends(real), ends(simulated))
    agree = one == other and late(case, real, simulated)
    if how == "outcomes":
        return one, other, agree
    show = lambda tried, ended: " ".join(tried) + ("" if set(ended) == {"+"} else f"  {ended}")
    return show(real["tried"], one), show(mine, other), agree and real["tried"] == mine


def spans(calls):
    """Attempts, and each pause from the shortest to the longest."""
    numbers = sorted({len(call) + 1 for call in calls})
    most = max(numbers) - 1
    each = [[call[k] for call in calls if len(call) > k] for k in range(most)]
    told = [f"{min(of):.2f}" if max(of) - min(of) < 0.02 else f"{min(of):.2f}-{max(of):.2f}" for of in each]
    word = "attempt" if numbers == [1] else "attempts"
    return f"{'/'.join(map(str, numbers))} {word}" + (f", pauses {', '.join(told)} s" if told else "")


# A pause here takes this long more at most, on a machine that does other things; and is drawn, so that the
# longest of so many may be passed by this share.
LATE_S, BEYOND = 0.15, 0.05


def is_one_of(call, others):
    """Whether a call has as many attempts as some of the others, and its pauses lie among theirs."""
    alike = [other for other in others if len(other) == len(call)]
    each = zip(call, zip(*alike))
    return bool(alike) and all(
        min(of) * (1 - BEYOND) - 0.02 <= pause <= max(of) * (1 + BEYOND) + LATE_S for pause, of in each
    )


def turned(text, i):
    """The later half of a sequence, from `i` on."""
    return text[i : i + len(text) - len(text) // 2]


def late(case, real, simulated):
    """Whether each request took as long in both, but for what a shared machine adds."""
    slack = case.get("slack_s", 0.3)
    return all(abs(one - other) <= slack for one, other in zip(real["took_s"], simulated["took_s"]))


def counted(of):
    return " ".join(f"{name} {n}" for name, n in of.items())


# --- the table ------------------------------------------------------------------------------------------


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", default="")
    parser.add_argument("--write")
    parser.add_argument("--port", type=int, default=18100)
    parser.add_argument("tried")
    args = parser.parse_args()
    chosen = [c for c in cases() if args.only in f"{c['file']} {c['name']}"]
    known = programs()
    rows, differ = [], 0
    with tempfile.TemporaryDirectory() as folder:
        simulated = list(simulate(args.tried, chosen, folder))
        for i, (case, mine) in enumerate(zip(chosen, simulated)):
            seen = seen_before(case)
            version, look = real_one(case, known)
            # A busy machine delays this or that: what differs is looked at again before it is called so.
            for again in range(3 if version else 0):
                place = os.path.join(folder, f"real-{i}-{again}")
                os.mkdir(place)
                port = args.port + (i * 16) % 4000
                try:
                    real, unseen = asyncio.run(look(place, port))
                except RuntimeError as why:
                    print(f"{why}: compared with what was observed before", file=sys.stderr)
                    break
                seen = {"version": version, "seen": real, "unseen": unseen}
                if compare(case, real, mine, unseen)[2]:
                    break
            if seen is not None:
                # What a build without the programs needs to compare by itself.
                seen["scenario"] = scenario(case)
                seen["n"], seen["begin_s"] = case["requests"]["n"], case.get("begin_s", 0.0)
                if "from_n" in case:
                    seen["from_n"] = case["from_n"]
                seen["compare"] = case.get("compare", "tried")
                keep(case, seen)
            if seen is None:
                rows.append((case, "not observed", "", "-", ""))
                continue
            one, other, agree = compare(case, seen["seen"], mine, seen["unseen"])
            differ += not agree
            rows.append((case, one, other, "same" if agree else "DIFFERS", seen["version"]))
            print(f"{case['file']:8} {case['name']:52} {one[:60]:60} {other[:60]:60} {rows[-1][3]}", flush=True)
    print(f"{len(rows)} cases, {differ} differ")
    if args.write:
        write(args.write, rows)
    sys.exit(differ > 0)


def real_one(case, known):
    """The version of the real program or library, none where it is not there; and what it does in a folder and on ports."""
    kind = case["program"]
    of_library = {
        "caller": (callers.version, "retry", observe_caller),
        "pool": (pools.version, "pool", observe_pool),
        "breaker": (callers.breaker_version, "breaker", observe_breaker),
        "channel": (channels.version, "dialect", observe_channel),
    }
    if kind in of_library:
        version, key, observe_it = of_library[kind]

        async def look(_, port):
            refusing = [server["name"] for server in case["servers"] if server.get("refuses")]
            return await observe_it(case, port), refusing if kind == "channel" else []

        return version(case[key]), look
    program = known.get(kind)
    return program and program.version, lambda folder, port: observe(program, case, folder, port)


def seen_file(case):
    return HERE / "cases" / f"{case['file']}.seen.json"


def seen_before(case):
    file = seen_file(case)
    return json.loads(file.read_text()).get(case["name"]) if file.exists() else None


def keep(case, seen):
    file = seen_file(case)
    book = json.loads(file.read_text()) if file.exists() else {}
    book[case["name"]] = seen
    file.write_text(json.dumps(book, indent=1, sort_keys=True) + "\n")


def library_of(case):
    """What is told of beside a version."""
    names = {"caller": "retry", "pool": "pool", "breaker": "breaker"}
    return {"channel": "grpcio"}.get(case["program"]) or case[names.get(case["program"], "program")]


def write(page, rows):
    """The rows as a page of the book, behind what is written by hand."""
    head = Path(page).read_text().split("<!-- rows -->")[0] + "<!-- rows -->\n"
    out = [head]
    for file in dict.fromkeys(case["file"] for case, *_ in rows):
        own = [row for row in rows if row[0]["file"] == file]
        names = sorted({f"{library_of(row[0])} {row[4]}" for row in own})
        out.append(f"\n## {file}\n\nObserved: {', '.join(names)}.\n")
        out.append("\n| case | real | simulated | verdict |\n|---|---|---|---|\n")
        for case, one, other, verdict, _ in own:
            short = lambda text: text if len(text) < 90 else text[:87] + "…"
            out.append(f"| {case['name']} | `{short(one)}` | `{short(other)}` | {verdict} |\n")
    Path(page).write_text("".join(out))


if __name__ == "__main__":
    main()
