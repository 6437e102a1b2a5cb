"""Scenarios, as files, names, texts and values of Python."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from typing import Any, Union

#: A scenario: the name of a model that comes with the package, the path of a file, the text of one (TOML or JSON, of
#: more than one line), a tree of dicts, or a `Scenario`.
ScenarioLike = Union[str, "os.PathLike[str]", Mapping[str, Any], "Scenario"]

#: A value of a key: text as it would be written after `=` on the command line, or a value of Python.
Value = Any


class Scenario:
    """A scenario that is put together step by step.

    >>> web = Scenario(horizon="1m")
    >>> web.traffic("web", rate=80).service("web", demand="10ms")
    ... web.server("web", "a", workers=1)

    Every method takes further keys, as the reference names them. `Scenario(base="incident")` begins with another one:
    keys are then laid upon it.
    """

    def __init__(self, tree: Mapping[str, Any] | None = None, *, name: str = "scenario", **keys: Value) -> None:
        self.name = name
        self.tree: dict[str, Any] = _copy({**(tree or {}), **keys})
        #: Texts that the scenario refers to, such as traces, by the names it has for them.
        self.files: dict[str, str] = {}

    def set(self, path: str, value: Value) -> Scenario:
        """Sets a key of the scenario itself, such as `client.timeout`."""
        *above, last = path.split(".")
        place = self.tree
        for word in above:
            place = place.setdefault(word, {})
            if not isinstance(place, dict):
                raise TypeError(f"{path}: {word} is no table")
        place[last] = _copy(value)
        return self

    def service(self, name: str, **keys: Value) -> Scenario:
        """A service, or further keys of it."""
        self.tree.setdefault("service", {}).setdefault(name, {}).update(_copy(keys))
        return self

    def server(self, service: str, name: str, **keys: Value) -> Scenario:
        """A server of a service; with `count`, several alike."""
        self.service(service)
        servers = self.tree["service"][service].setdefault("server", [])
        servers.append({"name": name, **_copy(keys)})
        return self

    def balancer(self, service: str, policy: Value = None, **keys: Value) -> Scenario:
        """The balancer before a service."""
        self.service(service)
        balancer = self.tree["service"][service].setdefault("balancer", {})
        balancer.update({} if policy is None else {"policy": _copy(policy)}, **_copy(keys))
        return self

    def traffic(self, to: str, **keys: Value) -> Scenario:
        """A source of requests, such as `rate=100`."""
        return self._add("traffic", {"to": to, **keys})

    def client(self, **keys: Value) -> Scenario:
        """How callers behave, such as `timeout="1s"`."""
        self.tree.setdefault("client", {}).update(_copy(keys))
        return self

    def at(self, at: str, **keys: Value) -> Scenario:
        """What happens at a moment: `set={"client.timeout": "1s"}`, or `do="restart", target="…"`."""
        return self._add("timeline", {"at": at, **keys})

    def alert(self, name: str, when: str, **keys: Value) -> Scenario:
        """Somebody is told when a condition holds. What is called `for` is `for_` here."""
        return self._add("alert", {"name": name, "when": when, **keys})

    def slo(self, name: str, **keys: Value) -> Scenario:
        """An objective, such as `good="response_time < 1s", objective=0.99`."""
        return self._add("slo", {"name": name, **keys})

    def expect(self, that: str) -> Scenario:
        """What is to hold at the end of a run, such as `availability > 99%`."""
        return self._add("expect", {"that": that})

    def file(self, name: str, text: str) -> Scenario:
        """A text that the scenario refers to by this name, such as a trace."""
        self.files[name] = text
        return self

    def _add(self, key: str, entry: Mapping[str, Value]) -> Scenario:
        entry = {name.removesuffix("_"): value for name, value in entry.items()}
        self.tree.setdefault(key, []).append(_copy(entry))
        return self

    def to_json(self) -> str:
        """The scenario as text, which the command reads as well."""
        return json.dumps(self.tree, indent=2, ensure_ascii=False, default=_plain)

    def __repr__(self) -> str:
        return f"Scenario({self.tree!r}, name={self.name!r})"


def given(scenario: ScenarioLike, number: int = 0) -> tuple[str, list[tuple[str, str]]]:
    """The argument that means a scenario, and the texts that it names."""
    also = "" if number == 0 else f"-{number + 1}"
    if isinstance(scenario, Mapping):
        scenario = Scenario(scenario, name=f"scenario{also}")
    if isinstance(scenario, Scenario):
        name = f"{scenario.name}.json"
        return name, [(name, scenario.to_json()), *scenario.files.items()]
    if isinstance(scenario, str) and "\n" in scenario:
        name = f"scenario{also}.json" if scenario.lstrip().startswith("{") else f"scenario{also}.toml"
        return name, [(name, scenario)]
    return os.fspath(scenario), []


def written(value: Value) -> str:
    """A value as it is written after `=` on the command line."""
    if isinstance(value, str):
        return value
    return _toml(value)


def _toml(value: Value) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, Mapping):
        entries = (f"{_key(str(key))} = {_toml(entry)}" for key, entry in value.items())
        return "{ " + ", ".join(entries) + " }"
    if isinstance(value, Sequence):
        return "[" + ", ".join(_toml(entry) for entry in value) + "]"
    return repr(_plain(value))


def _key(key: str) -> str:
    bare = key.replace("-", "").replace("_", "")
    return key if bare.isascii() and bare.isalnum() else json.dumps(key, ensure_ascii=False)


def _plain(value: Value) -> int | float | list[Any]:
    """A number, or an array of them, of NumPy or the like."""
    if isinstance(value, (int, float)):
        return value
    plain = value.tolist() if hasattr(value, "tolist") else None
    if isinstance(plain, (int, float, list)):
        return plain
    raise TypeError(f"{value!r} is no value of a scenario")


def _copy(value: Value) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _copy(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [_copy(entry) for entry in value]
    return value
