"""The same bytes as the command."""

import pathlib
import re

import pytest

import stampede
from conftest import SMALL

POLICIES = ["random", "round-robin"]
POLICY = "service.web.balancer.policy"
RATE = "traffic.traffic.rate"


def without_host(printed: str) -> str:
    """What is printed, without what depends on the machine."""
    text, count = re.subn(r',\n  "host": \{[^}]*\}\n\}\n$', "\n}\n", printed)
    assert count == 1, printed[-400:]
    return text


def test_the_incident(stampede_says):
    run = stampede.run("incident")
    assert run.digest == "34a4fa1ba3f46f05"
    assert run.json() == without_host(stampede_says("run", "incident", "--format", "json", "-q").stdout)


@pytest.fixture
def small(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    pathlib.Path("small.toml").write_text(SMALL)
    return "small.toml"


def test_experiments(small, stampede_says):
    cases = [
        (stampede.run(small, replications=5, threads=1), ["run", small, "--replications=5"]),
        (stampede.run(small, theory=True, seed=3), ["run", small, "--theory", "--seed=3"]),
        (
            stampede.compare(small, vary={POLICY: POLICIES}, replications=5, measure=["p99", "wait_s.mean"]),
            ["compare", small, f"--vary={POLICY}=random,round-robin", "--replications=5", "--measure=p99,wait_s.mean"],
        ),
        (
            stampede.stress(small, until="p99 > 200ms", replications=3, set={"horizon": "10s"}),
            ["stress", small, "--until=p99 > 200ms", "--replications=3", "--set=horizon=10s"],
        ),
        (
            stampede.stress(small, hysteresis=True, steps=3, hold="5s", replications=2),
            ["stress", small, "--hysteresis", "--steps=3", "--hold=5s", "--replications=2"],
        ),
        (
            stampede.remedy(small, only="policy", by="p99", replications=3, try_={RATE: [50, 60]}),
            ["remedy", small, "--only=policy", "--by=p99", "--replications=3", f"--try={RATE}=50,60"],
        ),
    ]
    for found, words in cases:
        told = stampede_says(*words, "--format", "json", "-q")
        assert found.json() == without_host(told.stdout), words
        assert found.exit == told.returncode, words


def test_files(small, stampede_says):
    cases = [
        (stampede.run(small, log_requests=7), ["run", small, "--log-requests=7"]),
        (stampede.run(small, replications=3), ["run", small, "--replications=3"]),
        (
            stampede.sweep(scenario=small, vary={RATE: "50..150/3", POLICY: POLICIES}, replications=3, measure="p99"),
            ["sweep", f"--scenario={small}", f"--vary={RATE}=50..150/3", f"--vary={POLICY}=random,round-robin"]
            + ["--replications=3", "--measure=p99"],
        ),
    ]
    for number, (found, words) in enumerate(cases):
        folder = pathlib.Path(f"out-{number}")
        assert stampede_says(*words, "-q", "-o", str(folder)).returncode == 0
        found.save(f"found-{number}")
        compared = 0
        for file in folder.iterdir():
            # The log was asked for by an option there and by a key here, and journals are in the order of their ends.
            if file.suffix == ".journal" or number == 0 and file.name == "scenario.toml":
                continue
            if number == 0 and file.name == "summary.json":
                continue
            assert (pathlib.Path(f"found-{number}") / file.name).read_bytes() == file.read_bytes(), file
            compared += 1
        assert compared >= 4


def test_verify(stampede_says):
    words = ["verify", "--fast", "--case=P26", "--threads=2", "-q", "--format=json"]
    found = stampede.verify(fast=True, case="P26", threads=2)
    assert found.json() == stampede_says(*words).stdout
    assert len(found.comparisons()) == len(found.figures) > 1


def test_import_and_calibrate(tmp_path, stampede_says):
    settings = tmp_path / "nginx.conf"
    settings.write_text("upstream u { server a:80; server b:80 weight=2; }\nserver { location / { proxy_pass http://u; } }\n")
    found = stampede.import_(settings)
    assert found.json() == stampede_says("import", str(settings), "--format=json").stdout
    assert stampede.run(found.scenario).requests.arrived > 0
    log = tmp_path / "access.csv"
    rows = (f"{1_700_000_000 + i * 0.05:.3f},{0.004 + i % 7 / 1000},200" for i in range(4000))
    log.write_text("time,duration,status\n" + "\n".join(rows) + "\n")
    found = stampede.calibrate(log, columns="time=time,duration=duration,status=status", arrivals="profile")
    words = ["calibrate", str(log), "--columns=time=time,duration=duration,status=status", "--arrivals=profile"]
    assert found.json() == stampede_says(*words, "--format=json").stdout
    assert stampede.run(found.scenario).requests.arrived > 0


def test_the_number_of_threads_changes_nothing():
    one, two = (stampede.compare(SMALL, vary={POLICY: POLICIES}, replications=6, threads=n) for n in (1, 2))
    assert one.json() == two.json()
