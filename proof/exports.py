"""Exports, accepted and obeyed: what `stampede export` writes is given to the real programs.

    exports.py [--only WORD] [--counted] [--seconds S] [--also FILE]... [--types FOLDER] STAMPEDE

All models, all scenarios of `exports/`, and settings that are imported first, are exported; each program must accept the text. A load
test must be accepted by the types that k6 publishes, and plan as many requests as the scenario has. Then programs are started from the exports
of `exports/`, with servers behind them that do as the scenario says, and get its requests at random; shares of servers and ends
are compared with runs of the scenario. `--counted` leaves out what is judged by time, `--seconds` is how long
requests come. Fails where anything differs.
"""

import argparse
import asyncio
import json
import random
import re
import shutil
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
from shares import both, counted, differences, summed

HERE = Path(__file__).parent
CASES = HERE / "exports"
LOAD = CASES / "load.toml"
# Where exports listen from here on, in place of port 80.
FIRST_PORT = 18800
ENDINGS = {"nginx": "conf", "haproxy": "cfg", "envoy": "yaml"}
RUNS = 20
# How often is looked again where something differs: a busy machine delays this or that.
LOOKS = 3


def ask(stampede, *words):
    done = subprocess.run([stampede, *map(str, words)], capture_output=True, text=True)
    if not done.stdout and done.returncode:
        raise SystemExit(done.stderr)
    return done.stdout


# --- the text of an export, where it is run --------------------------------------------------------------


def listens(number):
    return FIRST_PORT + int(number) - 80


def in_place(program, text):
    """An export as it can be started here: on loopback, on ports of its own, with servers that have addresses."""
    if program == "nginx":
        text = re.sub(r"listen (\d+);", lambda found: f"listen 127.0.0.1:{listens(found[1])};", text)
        text = re.sub(r"server [a-zA-Z][^\s:;{]*:", "server 127.0.0.1:", text)
        return "daemon off; pid nginx.pid;\n" + text.replace("http {\n", "http {\n    access_log off;\n", 1)
    if program == "haproxy":
        text = re.sub(r"bind :(\d+)", lambda found: f"bind 127.0.0.1:{listens(found[1])}", text)
        return re.sub(r"(    server \S+) [a-zA-Z][^\s:]*:", r"\1 127.0.0.1:", text)
    own = r'address: "0\.0\.0\.0"(\s+)port_value: (\d+)'
    return re.sub(own, lambda found: f'address: "127.0.0.1"{found[1]}port_value: {listens(found[2])}', text)


def port(program, text, service, source):
    """Where the requests of a source have to go."""
    if program == "nginx":
        return FIRST_PORT
    if program == "haproxy":
        for frontend in re.split(r"^frontend ", text, flags=re.M)[1:]:
            name, at = re.match(r"(\S+)\s+bind 127.0.0.1:(\d+)", frontend).groups()
            if source == name or f"acl {source} " in frontend:
                return int(at)
    for name, at in re.findall(r'- name: "([^"]*)"\s+address:\s+socket_address:\s+address: "127.0.0.1"\s+port_value: (\d+)', text):
        if name in (service, "all"):
            return int(at)
    raise RuntimeError(f"nothing listens for {source}")


# --- whether programs take it ----------------------------------------------------------------------------


def subjects(stampede, files, folder):
    """Everything that is exported: a name, and a file with a scenario."""
    models = [file for file in sorted((HERE.parent / "models").rglob("*.toml")) if file.parent.name != "plan"]
    given = [Path(file) for file in files]
    for file in [*models, *sorted(CASES.glob("*.toml")), *sorted((HERE / "settings").glob("*")), *given]:
        if file.name in ("cases.toml", "seen.json"):
            continue
        if file.suffix != ".toml":
            own = folder / f"{file.name}.toml"
            ask(stampede, "import", file, "-q", "-o", own)
            yield file.name, own
        else:
            yield file.stem if file in models else file.name, file


def accepted(stampede, known, subjects, folder, only):
    """Gives everything to every program; how many exports, and how many were not accepted."""
    all_of_them, refused = 0, 0
    for name, file in subjects:
        for program in known:
            if only not in f"{name} {program.name}":
                continue
            text = json.loads(ask(stampede, "export", file, "--as", program.name, "--format", "json"))["text"]
            own = folder / f"export.{ENDINGS[program.name]}"
            own.write_text(in_place(program.name, text))
            all_of_them += 1
            complaint = program.complaint(own, folder)
            if complaint:
                refused += 1
                print(f"{name}: {program.name} {program.version} does not accept it: {complaint[:300]}")
    return all_of_them, refused


# --- load tests ------------------------------------------------------------------------------------------


def load_tests(stampede, node_modules, subjects, folder, only):
    """All load tests, read by k6's types; and whether they plan as many requests as come: how many tests, and how many not."""
    own = folder / "k6"
    own.mkdir()
    (own / "node_modules").symlink_to(node_modules.absolute())
    shutil.copy(HERE / "plan.mjs", own)
    tests = {}
    for name, file in subjects:
        if only in f"{name} k6":
            text = json.loads(ask(stampede, "export", file, "--as", "k6", "--format", "json"))["text"]
            typed = "/** @type {import('k6/options').Options} */\nexport const options"
            tests[name] = own / f"{name}.js"
            tests[name].write_text(text.replace("export const options", typed, 1))
    if not tests:
        return 0, 0
    flags = "--noEmit --allowJs --checkJs --strict --target es2022 --module esnext --moduleResolution bundler --types k6"
    words = [node_modules / ".bin" / "tsc", *flags.split(), *(path.name for path in tests.values())]
    done = subprocess.run(words, cwd=own, capture_output=True, text=True)
    print(done.stdout, end="")
    wrong = len({line.split("(")[0] for line in done.stdout.splitlines() if ": error " in line})
    if LOAD.name in tests:
        words = ["node", "plan.mjs", tests[LOAD.name].name]
        planned = json.loads(subprocess.run(words, cwd=own, capture_output=True, text=True, check=True).stdout)
        services = run(stampede, LOAD, 0)["services"]
        print(f"{'source':10} planned by the load test, and come in the scenario")
        for name, count in planned.items():
            came = services[name]["requests"]["arrived"]
            # One more or less, at the beginning or the end of a stretch, and what rounding of curves makes.
            near = abs(count - came) <= 2 + came / 1000
            wrong += not near
            print(f"{name:10} {count:8.1f} {came:6} {'same' if near else 'DIFFERS'}")
    return len(tests), wrong


# --- whether they do as the scenario -----------------------------------------------------------------------


def run(stampede, file, number, *words):
    how = ["--replication", number, "--format", "json", "--progress", "none", "-q"]
    return json.loads(ask(stampede, "run", file, *words, *how))


def seconds(span):
    number, unit = re.fullmatch(r"([\d.]+)(ms|s)", span).groups()
    return float(number) * {"ms": 0.001, "s": 1.0}[unit]


class Group:
    """A service that requests come to, with all servers that they can go to, as letters."""

    def __init__(self, name, scenario):
        self.name = name
        table = scenario["service"][name]
        # The rate of each in the end: before, nobody comes.
        self.sources = [(own["name"], own["rate"][-1][1]) for own in scenario["traffic"] if own["to"] == name]
        routes = table.get("balancer", {}).get("routes", [])
        self.services = [route["to"] for route in routes] or [name]
        down = {entry["target"].rsplit(".", 1)[1] for entry in scenario.get("timeline", [])}
        self.letters, self.rules = {}, []
        for service in self.services:
            for server in scenario["service"][service]["server"]:
                letter = "abcdef"[len(self.letters)]
                self.letters[service, server["name"]] = letter
                takes_s = seconds(scenario["service"][service]["demand"]) / server.get("speed", 1.0)
                rules = {"name": letter, "service_s": takes_s}
                if "errors" in server:
                    rules["status"] = 503
                if server["name"] in down:
                    rules["refuses"] = True
                self.rules.append(rules)
        first = next(iter(self.letters))[1]
        self.first_port = int(first.rsplit("-", 1)[1])

    def told(self, figures):
        """Tries by server, and ends, of a run."""
        services = figures["services"]
        servers = {
            letter: services[service]["servers"][name]["attempts"] for (service, name), letter in self.letters.items()
        }
        ends = services[self.name]["requests"]["outcomes"]
        return {"servers": servers, "ends": {name: count for name, count in ends.items() if count}}

    def lacks(self, left):
        """Whether something of its balancers has no counterpart; the status of servers is theirs."""
        own = [line["path"] for line in left if not line["path"].endswith(".dialect.status")]
        return [path for path in own if any(path.startswith(f"service.{name}.balancer.") for name in [self.name, *self.services])]


def addresses(seed):
    draw = random.Random(seed)
    while True:
        yield "127." + ".".join(str(draw.randint(1, 254)) for _ in range(3))


async def observe(program, text, groups, begin_s, lasts_s, folder):
    """What the program does with the requests of all groups."""
    file = folder / f"obeyed.{ENDINGS[program.name]}"
    file.write_text(in_place(program.name, text))
    placed = file.read_text()
    behind = []
    async with AsyncExitStack() as stack:
        for group in groups:
            behind.append(await stack.enter_async_context(Backends(group.rules, group.first_port, 0.0)))
        await program.start_from(file, str(folder), port(program.name, placed, groups[0].name, groups[0].sources[0][0]))
        stack.callback(program.stop)
        await asyncio.sleep(begin_s)
        ways = [(group, *source) for group in groups for source in group.sources]

        def send(group, source, rate):
            at = port(program.name, placed, group.name, source)
            senders = addresses(source)
            return at_random(at, rate, lasts_s, f"{program.name} {source}", f"/{source}", group.name, senders)

        answers = await asyncio.gather(*(send(*way) for way in ways))
    seen = {}
    for group, backends in zip(groups, behind):
        hits = [server for number, server, _ in backends.hits if number >= 0]
        own = [answer for (of, *_), each in zip(ways, answers) if of is group for answer in each]
        seen[group.name] = {"servers": counted(hits), "ends": counted([str(answer["status"]) for answer in own])}
    return seen


def obeyed(stampede, known, args, folder):
    """Starts programs from exports and compares; how many services, and how many differ."""
    rows = differ = 0
    print(f"{'file':12} {'program':16} {'service':8} {'real: % of tries by server | of ends':42} {'scenario: the same':42} verdict")
    for case in tomllib.loads((CASES / "cases.toml").read_text())["file"]:
        file = CASES / case["name"]
        scenario = tomllib.loads(file.read_text())
        wanted = [program for program in known if program.name in case["programs"] and args.only in f"{case['name']} {program.name}"]
        if not wanted:
            continue
        names = dict.fromkeys(own["to"] for own in scenario["traffic"])
        groups = [Group(name, scenario) for name in names if not (args.counted and name in case["timed"])]
        begin_s = seconds(scenario["traffic"][0]["rate"][-1][0])
        figures = [run(stampede, file, number, "--set", f"horizon={begin_s + args.seconds}s") for number in range(RUNS)]
        for program in wanted:
            export = json.loads(ask(stampede, "export", file, "--as", program.name, "--format", "json"))
            lacking = {group.name: group.lacks(export["left"]) for group in groups}
            own = [group for group in groups if not lacking[group.name]]
            runs = {group.name: [group.told(each) for each in figures] for group in own}
            wrong_of = lambda group, seen: list(differences({"servers": group.rules}, seen[group.name], runs[group.name]))
            for _ in range(LOOKS):
                seen = asyncio.run(observe(program, export["text"], own, begin_s, args.seconds, folder))
                if not any(wrong_of(group, seen) for group in own):
                    break
            for group in groups:
                title = f"{case['name']:12} {program.name + ' ' + program.version:16} {group.name:8}"
                if lacking[group.name]:
                    print(f"{title} has no counterpart: {lacking[group.name][0]}")
                    continue
                wrong = wrong_of(group, seen)
                rows, differ = rows + 1, differ + bool(wrong)
                real, ours = both(seen[group.name]), both(summed(runs[group.name]))
                print(f"{title} {real:42} {ours:42} {'; '.join(wrong) or 'same'}", flush=True)
    return rows, differ


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", default="")
    parser.add_argument("--counted", action="store_true")
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--types", type=Path, help="a folder node_modules with TypeScript and k6's types")
    parser.add_argument("--also", action="append", default=[], help="scenarios or settings to be exported as well")
    parser.add_argument("stampede")
    args = parser.parse_args()
    # Whoever stops this stops the programs that it started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    known = [program for name, program in programs().items() if name in ENDINGS]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        exported = list(subjects(args.stampede, args.also, folder))
        exports, refused = accepted(args.stampede, known, exported, folder, args.only)
        tests, wrong = load_tests(args.stampede, args.types, exported, folder, args.only) if args.types else (0, 0)
        services, differ = obeyed(args.stampede, known, args, folder)
    print(f"{exports} exports, {refused} not accepted; {tests} load tests, {wrong} wrong; {services} services, {differ} differ")
    sys.exit(refused + wrong + differ > 0)


if __name__ == "__main__":
    main()
