"""Policies in Python."""

import os
import pathlib

import pytest

import stampede

SCENARIO = """
horizon = "20s"
client = { timeout = "80ms", retry = { kind = "fixed", attempts = 3, avoid = "previous" } }
traffic = [{ to = "web", rate = 300 }]
[service.web]
demand = { kind = "exponential", mean = "9ms" }
balancer = { policy = "random", instances = 2, pending_queue = { limit = 50 } }
server = [{ name = "w", count = 4, workers = 1, max_connections = 5 }]
[[timeline]]
at = "5s"
do = "crash"
target = "service.web.server.w-2"
"""

POLICY = "service.web.balancer.policy"

# The power of two choices, with the same draws as the program's own.
ROOT = pathlib.Path(os.environ.get("STAMPEDE_PAGES", pathlib.Path(__file__).parents[2]))
SCRIPT = (ROOT / "sim-core/tests/less-of-two.policy").read_text(encoding="utf-8")


def less_of_two(fleet, margin=0):
    first = fleet.below(len(fleet))
    best = fleet.eligible(first)
    if len(fleet) == 1:
        return best
    second = fleet.below(len(fleet) - 1)
    other = fleet[second + (second >= first)]
    return other if fleet.in_flight(other) + margin < fleet.in_flight(best) else best


def digest(policy, **options):
    return stampede.run(SCENARIO, set={POLICY: policy}, **options).digest


def test_python_script_and_the_programs_own_make_the_same_run(tmp_path):
    stampede.policy("test-two")(less_of_two)
    own = digest("power-of-d")
    assert digest("test-two") == own
    assert digest({"kind": "script", "code": SCRIPT}) == own
    (tmp_path / "two.policy").write_text(SCRIPT)
    (tmp_path / "two.toml").write_text(SCENARIO.replace('policy = "random"', 'policy = { kind = "script", file = "two.policy" }'))
    assert stampede.run(tmp_path / "two.toml").digest == own
    # A neighbouring rule is another run, and a parameter is one of the scenario.
    assert digest({"kind": "test-two", "margin": 1}) != own


def test_any_number_of_threads():
    stampede.policy("test-two")(less_of_two)
    runs = [
        stampede.compare(SCENARIO, vary={POLICY: ["test-two", "power-of-d"]}, replications=6, measure="p99", threads=threads)
        for threads in (1, 2)
    ]
    assert str(runs[0]) == str(runs[1])
    swept = stampede.sweep(
        scenario=SCENARIO,
        vary={POLICY: [{"kind": "test-two", "margin": margin} for margin in range(3)]},
        measure="p99",
        replications=2,
    )
    assert len(swept.cells()) == 3


def test_a_class_keeps_and_hears():
    heard = []

    @stampede.policy("test-hears")
    class Hears:
        """Whoever answered faster lately, of two."""

        def __init__(self, weight=0.1):
            self.weight = weight
            self.lately = {}

        def pick(self, fleet):
            a, b = fleet.any(), fleet.any()
            return min(a, b, key=lambda server: self.lately.get(server, 0))

        def assigned(self, server, in_flight):
            heard.append(("assigned", server, in_flight))

        def finished(self, server, in_flight, took, ok):
            heard.append(("finished", server, in_flight, took, ok))
            before = self.lately.get(server, 0)
            self.lately[server] = before + self.weight * (took - before)

        def changed(self, fleet):
            heard.append(("changed", list(fleet), [fleet.weight(server) for server in fleet]))

    first = digest("test-hears")
    assert {"assigned", "finished", "changed"} == {what for what, *_ in heard}
    assert ("changed", [0, 2, 3], [1.0, 1.0, 1.0]) in heard
    assert digest("test-hears") == first
    assert digest({"kind": "test-hears", "weight": 0.9}) != first


def test_what_it_raises_is_raised():
    class Odd(Exception):
        pass

    @stampede.policy("test-raises")
    def raises(fleet):
        if fleet.now() > 3:
            raise Odd("after three seconds")
        return fleet.any()

    with pytest.raises(Odd, match="after three seconds"):
        digest("test-raises")
    with pytest.raises(Odd):
        stampede.compare(SCENARIO, vary={POLICY: ["random", "test-raises"]}, replications=3)
    # And is forgotten.
    assert digest("random")


@pytest.mark.parametrize(
    ("answer", "error", "says"),
    [
        ("one", TypeError, "pick() gave one; a server's number or None is wanted"),
        (4, ValueError, "pick() gave 4, which is no server that may be picked now"),
    ],
)
def test_what_is_no_server_is_refused(answer, error, says):
    stampede.policy("test-answers")(lambda fleet: answer)
    with pytest.raises(error, match="pick") as raised:
        digest("test-answers")
    assert str(raised.value) == says


def test_names_and_parameters_are_checked():
    for name, says in [("random", "name of the program's own"), ("Mine", "small letters")]:
        with pytest.raises(ValueError, match=says):
            stampede.policy(name)(less_of_two)
    with pytest.raises(TypeError, match="'margin' needs a number as its default"):
        stampede.policy("test-mine")(lambda fleet, margin: 0)
    with pytest.raises(stampede.ScenarioError, match="has no parameter `other`"):
        stampede.policy("test-two")(less_of_two)
        digest({"kind": "test-two", "other": 1})


def test_a_name_can_be_given_again():
    stampede.policy("test-again")(lambda fleet: fleet.eligible(0))
    first = digest("test-again")
    stampede.policy("test-again")(lambda fleet: fleet.any())
    assert digest("test-again") != first
    assert digest("test-again") == digest("random")
