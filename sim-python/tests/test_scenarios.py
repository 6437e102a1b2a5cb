"""Scenarios of all kinds, and what is wrong with them."""

import pickle

import pytest

import stampede
from conftest import SMALL

TREE = {
    "title": "small",
    "clock": "12:00",
    "horizon": "60s",
    "traffic": [{"to": "web", "rate": 150}],
    "service": {
        "web": {
            "demand": {"kind": "exponential", "mean": "10ms"},
            "server": [{"name": "web", "count": 2, "workers": 1}],
        }
    },
}


def test_names_paths_texts_trees_and_builders_are_the_same(tmp_path):
    path = tmp_path / "small.toml"
    path.write_text(SMALL)
    built = stampede.Scenario(title="small", clock="12:00", horizon="60s").traffic("web", rate=150)
    built.service("web", demand={"kind": "exponential", "mean": "10ms"}).server("web", "web", count=2, workers=1)
    digests = {stampede.run(scenario).digest for scenario in (path, str(path), SMALL, TREE, built, built.to_json())}
    assert len(digests) == 1


def test_what_is_set_is_what_is_written():
    policy = {"kind": "power-of-d", "d": 3}
    changed = stampede.Scenario(TREE).balancer("web", policy).at("12:00:30", set={"traffic.traffic.rate": 200})
    path = "service.web.balancer.policy"
    by_set = stampede.run(TREE, set={path: policy, "timeline": [{"at": "12:00:30", "set": {"traffic.traffic.rate": 200}}]})
    assert stampede.run(changed).digest == by_set.digest != stampede.run(TREE).digest
    assert stampede.run(TREE, set={path: '{ kind = "power-of-d", d = 3 }'}).digest == stampede.run(TREE, set={path: policy}).digest
    assert stampede.run(TREE, seed=7).seed == 7


def test_a_scenario_names_its_files_and_its_base():
    trace = stampede.Scenario(TREE, name="mine").file("arrivals.csv", "0.5\n1.5\n2.5\n")
    trace.tree["traffic"] = [{"to": "web", "arrivals": {"kind": "trace", "file": "arrivals.csv"}}]
    run = stampede.run(trace)
    assert (run.scenario, run.requests.arrived) == ("mine", 3)
    upon = stampede.Scenario({"base": "mm1", "set": {"seed": 3}})
    assert stampede.run(upon).digest == stampede.run("mm1", seed=3).digest


def test_mistakes_are_told_in_the_words_of_the_command(tmp_path, monkeypatch, stampede_says):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "wrong.toml").write_text(SMALL.replace("workers", "wrokers"))
    with pytest.raises(stampede.ScenarioError) as wrong:
        stampede.run("wrong.toml")
    told = stampede_says("run", "wrong.toml", "--color=never")
    assert str(wrong.value) == told.stderr.rstrip("\n") and told.returncode == wrong.value.exit
    [problem] = wrong.value.problems
    assert problem["places"][0]["line"] == 13 and "workers" in problem["help"]
    with pytest.raises(stampede.NotFound, match="no model is called") as unknown:
        stampede.run("incidnet")
    assert "incident" in unknown.value.help
    with pytest.raises(stampede.UsageError, match="a confidence lies between"):
        stampede.run("mm1", replications=3, confidence=2)
    with pytest.raises(stampede.FileError, match="no such file"):
        stampede.run("./nowhere.toml")
    with pytest.raises(stampede.UsageError, match="unexpected argument"):
        stampede.run("mm1", wishes=3)
    again = pickle.loads(pickle.dumps(wrong.value))
    assert (str(again), again.problems) == (str(wrong.value), wrong.value.problems)
    assert issubclass(stampede.ScenarioError, ValueError) and issubclass(stampede.FileError, OSError)


def test_warnings_are_warnings():
    with pytest.warns(stampede.StampedeWarning, match="traffic offers"):
        run = stampede.run("incident")
    assert len(run.scenario_warnings) == 1


def test_what_does_not_hold_is_told_and_is_no_exception():
    scenario = stampede.Scenario(TREE).expect("availability < 10%")
    run = stampede.run(scenario)
    assert (run.exit, run.ok) == (6, False)
    assert stampede.run(scenario, no_expect=True).ok
