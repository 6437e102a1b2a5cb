"""Policies of one's own, in Python."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any, TypeVar

from . import _native

Made = TypeVar("Made", bound=Callable[..., Any])


def policy(name: str, *, about: str = "") -> Callable[[Made], Made]:
    """Gives a class, or a function, a name as a policy in scenarios.

    >>> @stampede.policy("less-of-two")
    ... def pick(fleet):
    ...     a, b = fleet.any(), fleet.any()
    ...     return b if fleet.in_flight(b) < fleet.in_flight(a) else a

    A function is called for each request with a `Fleet` and gives the number of a server, one of those that may be
    picked, or `None`. Of a class there is an object for each balancer instance, which is asked `pick(fleet)` and, where it
    has these methods, told `assigned(server, in_flight)`, `finished(server, in_flight, took, ok)` and `changed(fleet)`.
    Arguments with a number as default, of the class or behind the fleet, are parameters of the policy in scenarios:
    `{"kind": "mine", "margin": 2}`.

    Random numbers are asked of the fleet, so that a run stays the same whenever it is run. What is raised ends the run
    and is raised by the command. A name that was given before is given to the new one.
    """

    def add(made: Made) -> Made:
        summary = about or (inspect.getdoc(made) or "").partition("\n")[0] or "A policy in Python."
        parameters = _parameters(made)
        make: Callable[..., Any] = made if isinstance(made, type) else functools.partial(_Asked, made)
        _native.add_policy(name, summary, parameters, make)
        return made

    return add


class _Asked:
    """A function as a policy."""

    def __init__(self, function: Callable[..., Any], **parameters: float) -> None:
        self.pick = functools.partial(function, **parameters) if parameters else function


def _parameters(made: Callable[..., Any]) -> list[tuple[str, float]]:
    """Arguments that a scenario can set, with their defaults."""
    arguments = list(inspect.signature(made).parameters.values())
    if not isinstance(made, type):
        # The first is the fleet.
        arguments = arguments[1:]
    found = []
    for argument in arguments:
        if isinstance(argument.default, bool) or not isinstance(argument.default, (int, float)):
            raise TypeError(f"{argument.name!r} needs a number as its default, so that a scenario can set another")
        found.append((argument.name, float(argument.default)))
    return found
