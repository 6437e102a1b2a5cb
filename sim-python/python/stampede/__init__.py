"""Stampede: what happens to this fleet, behind this balancer, when the rush comes?

A deterministic simulation of load balancing under overload. Functions are the commands of `stampede`: the same
options by the same names, the same figures to the last digit, the same words where something is wrong.

>>> import stampede
>>> run = stampede.run("incident")
>>> run.digest
'34a4fa1ba3f46f05'
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeVar, Union, overload

from . import _native
from ._errors import Failed, FileError, Interrupted, NotFound, ScenarioError, StampedeError, UsageError, error_of
from ._native import Fleet, Table
from ._policy import policy
from ._progress import Progress, shown
from ._results import (
    Comparison,
    Figures,
    Histogram,
    Imported,
    Printed,
    Remedies,
    Replications,
    Result,
    Run,
    Selection,
    Stress,
    Sweep,
    Verification,
)
from ._scenario import Scenario, ScenarioLike, Value, given, written

__all__ = [
    "Comparison",
    "Failed",
    "Figures",
    "FileError",
    "Fleet",
    "Histogram",
    "Imported",
    "Interrupted",
    "NotFound",
    "Printed",
    "Remedies",
    "Replications",
    "Result",
    "Run",
    "Scenario",
    "ScenarioError",
    "Selection",
    "StampedeError",
    "StampedeWarning",
    "Stress",
    "Sweep",
    "Table",
    "UsageError",
    "Verification",
    "calibrate",
    "command",
    "compare",
    "import_",
    "policy",
    "remedy",
    "run",
    "stress",
    "sweep",
    "verify",
]

Found = TypeVar("Found", bound=Result)

Path = Union[str, "os.PathLike[str]"]
Sets = Union[Mapping[str, Value], None]
#: Paths of figures, such as `p99` or `services.web.utilisation`.
Measures = Union[str, Sequence[str], None]
Texts = list[tuple[str, str]]


class StampedeWarning(UserWarning):
    """Something in a scenario may not be meant."""


@overload
def run(
    scenario: ScenarioLike,
    *,
    set: Sets = None,
    seed: int | None = None,
    replications: None = None,
    replication: int | None = None,
    log_requests: int | None = None,
    theory: bool = False,
    no_expect: bool = False,
    output: Path | None = None,
    force: bool = False,
    progress: Progress = None,
) -> Run: ...


@overload
def run(
    scenario: ScenarioLike,
    *,
    set: Sets = None,
    seed: int | None = None,
    replications: int,
    replication: int | None = None,
    measure: Measures = None,
    confidence: float | None = None,
    precision: float | None = None,
    max_replications: int | None = None,
    warm_up: str | None = None,
    estimand: Literal["steady", "horizon"] | None = None,
    threads: int | None = None,
    theory: bool = False,
    no_expect: bool = False,
    output: Path | None = None,
    force: bool = False,
    progress: Progress = None,
) -> Replications: ...


@overload
def run(scenario: ScenarioLike, *, precision: float, progress: Progress = None, **options: Any) -> Replications: ...


def run(
    scenario: ScenarioLike,
    *,
    set: Sets = None,
    seed: int | None = None,
    replications: int | None = None,
    precision: float | None = None,
    log_requests: int | None = None,
    progress: Progress = None,
    **options: Any,
) -> Run | Replications:
    """Simulates a scenario and tells what happened.

    With `replications` (or `precision`), several runs and intervals for their figures, on `threads` threads.
    `log_requests=N` keeps every N-th request: `Run.request_log()`.
    """
    name, texts = given(scenario)
    sets = dict(set or {})
    if log_requests is not None:
        sets["record.every_nth_request"] = log_requests
    several = replications is not None or precision is not None
    words = ["run", name, *_words(set=sets, seed=seed, replications=replications, precision=precision, **options)]
    kind: type[Run | Replications] = Replications if several else Run
    return _found(kind, words, texts, progress)


@overload
def compare(
    *scenarios: ScenarioLike,
    vary: Mapping[str, Sequence[Value]] | None = None,
    set: Sets = None,
    seed: int | None = None,
    replications: int | None = None,
    measure: Measures = None,
    confidence: float | None = None,
    precision: float | None = None,
    max_replications: int | None = None,
    warm_up: str | None = None,
    estimand: Literal["steady", "horizon"] | None = None,
    threads: int | None = None,
    no_expect: bool = False,
    output: Path | None = None,
    force: bool = False,
    progress: Progress = None,
) -> Comparison: ...


@overload
def compare(
    *scenarios: ScenarioLike,
    vary: Mapping[str, Sequence[Value]] | None = None,
    set: Sets = None,
    seed: int | None = None,
    replications: int | None = None,
    confidence: float | None = None,
    max_replications: int | None = None,
    select: str,
    indifference: Value,
    warm_up: str | None = None,
    estimand: Literal["steady", "horizon"] | None = None,
    threads: int | None = None,
    no_expect: bool = False,
    output: Path | None = None,
    force: bool = False,
    progress: Progress = None,
) -> Selection: ...


def compare(
    *scenarios: ScenarioLike,
    vary: Mapping[str, Sequence[Value]] | None = None,
    set: Sets = None,
    seed: int | None = None,
    replications: int | None = None,
    measure: Measures = None,
    confidence: float | None = None,
    precision: float | None = None,
    max_replications: int | None = None,
    select: str | None = None,
    indifference: Value | None = None,
    warm_up: str | None = None,
    estimand: Literal["steady", "horizon"] | None = None,
    threads: int | None = None,
    no_expect: bool = False,
    output: Path | None = None,
    force: bool = False,
    progress: Progress = None,
) -> Comparison | Selection:
    """Simulates variants under the same random numbers, and tells which is better.

    Variants are several scenarios, or all combinations of the values in `vary`, such as
    `{"service.web.balancer.policy": ["random", "power-of-d"]}`.

    With `select`, a figure, and `indifference`, a difference in it that does not matter, the best variant is
    selected with a guarantee: a `Selection`.
    """
    words = _words(**_options(locals(), "scenarios", "progress", vary=_axes(vary)))
    names, texts = _all_given(scenarios)
    words = ["compare", *names, *words]
    if select is not None:
        return _found(Selection, words, texts, progress)
    return _found(Comparison, words, texts, progress)


def sweep(
    plan: ScenarioLike | None = None,
    *,
    scenario: ScenarioLike | None = None,
    vary: Mapping[str, str | Sequence[Value]] | None = None,
    measure: Measures = None,
    replications: int | None = None,
    precision: float | None = None,
    max_replications: int | None = None,
    sobol: int | None = None,
    set: Sets = None,
    seed: int | None = None,
    threads: int | None = None,
    output: Path | None = None,
    force: bool = False,
    cluster: Any = None,
    shards: int = 64,
    progress: Progress = None,
) -> Sweep:
    """Simulates a scenario in many variants: every combination of values along its axes.

    What is run is a `plan`: a file, the name of one that comes with the package, a text, or a tree of dicts; or a
    `scenario` with axes in `vary`, each a list of values or a range such as `"100..900/9"`.

    With `output`, everything is kept in this folder, and the same call goes on where an earlier one ended. With
    `cluster`, a client of Dask, the cells are run there, in so many `shards`: with the same bytes as here.
    """
    subject = scenario if plan is None else plan
    if subject is None:
        raise UsageError("a sweep takes a plan, or a scenario and what to vary")
    name, texts = given(subject)
    axes = {path: values if isinstance(values, str) else _joined(values) for path, values in (vary or {}).items()}
    what = [name] if plan is not None else ["--scenario", name]
    what += _words(
        vary=axes,
        measure=measure,
        replications=replications,
        precision=precision,
        max_replications=max_replications,
        sobol=sobol,
        set=set,
        seed=seed,
    )
    if cluster is not None:
        from ._cluster import sweep_on

        if output is not None or threads is not None:
            raise UsageError("output and threads mean nothing on a cluster")
        return sweep_on(cluster, what, texts, shards, progress)
    options = _words(threads=threads, output=output, force=force)
    return _found(Sweep, ["sweep", *what, *options], texts, progress)


def stress(
    scenario: ScenarioLike,
    *,
    until: str | Sequence[str] | None = None,
    path: str | None = None,
    range: str | None = None,
    tolerance: float | None = None,
    hysteresis: bool = False,
    map: bool = False,
    steps: int | None = None,
    hold: str | None = None,
    healthy: float | None = None,
    triggers: Sequence[Value] | None = None,
    slow_to: float | None = None,
    trigger_path: str | None = None,
    watch: str | None = None,
    set: Sets = None,
    seed: int | None = None,
    no_expect: bool = False,
    replications: int | None = None,
    confidence: float | None = None,
    threads: int | None = None,
    output: Path | None = None,
    force: bool = False,
    progress: Progress = None,
) -> Stress:
    """Finds the load at which a system breaks; with `hysteresis` or `map`, whether it recovers."""
    listed = None if triggers is None else _joined(triggers)
    words = _words(**_options(locals(), "scenario", "progress", "listed", triggers=listed))
    name, texts = given(scenario)
    return _found(Stress, ["stress", name, *words], texts, progress)


def remedy(
    scenario: ScenarioLike,
    *,
    try_: Mapping[str, Sequence[Value]] | None = None,
    only: str | Sequence[str] | None = None,
    by: str | None = None,
    keep: int | None = None,
    worst: int | None = None,
    combine: int | None = None,
    resume: Path | None = None,
    set: Sets = None,
    seed: int | None = None,
    no_expect: bool = False,
    replications: int | None = None,
    confidence: float | None = None,
    threads: int | None = None,
    output: Path | None = None,
    force: bool = False,
    progress: Progress = None,
) -> Remedies:
    """Finds the changes that save most, and those that make it worse."""
    words = _words(**_options(locals(), "scenario", "progress", try_=_axes(try_)))
    name, texts = given(scenario)
    return _found(Remedies, ["remedy", name, *words], texts, progress)


def verify(
    *,
    fast: bool = False,
    case: str | Sequence[str] | None = None,
    seed: int | None = None,
    shift: float | None = None,
    threads: int | None = None,
    progress: Progress = None,
) -> Verification:
    """Measures the engine against queueing theory and published tables."""
    options = _words(fast=fast, case=case, seed=seed, shift=shift, threads=threads)
    return _found(Verification, ["verify", "--format", "json", *options], [], progress)


def import_(
    *files: Path,
    as_: str | None = None,
    env: Mapping[str, str] | None = None,
    log: Path | Sequence[Path] | None = None,
    log_format: str | None = None,
    columns: str | None = None,
    load_test: Path | None = None,
    output: Path | None = None,
) -> Imported:
    """Makes a scenario of settings of other programs: nginx, HAProxy, Envoy, Kubernetes and others.

    With `log` or `load_test`, what no settings say is taken from there.
    """
    options = _words(
        as_=as_, env=env, log=log, log_format=log_format, columns=columns, load_test=load_test, output=output
    )
    return _found(Imported, ["import", *_paths(files), "--format", "json", *options], [], False)


def calibrate(
    *logs: Path,
    scenario: ScenarioLike | None = None,
    log_format: str | None = None,
    columns: str | None = None,
    classes: int | None = None,
    arrivals: Literal["auto", "trace", "profile"] | None = None,
    output: Path | None = None,
) -> Imported:
    """Makes a scenario of access logs or reports of load tests, and says how far to trust it.

    With `scenario`, what that one lacks is filled in instead.
    """
    name, texts = (None, []) if scenario is None else given(scenario)
    options = _words(
        scenario=name, log_format=log_format, columns=columns, classes=classes, arrivals=arrivals, output=output
    )
    return _found(Imported, ["calibrate", *_paths(logs), "--format", "json", *options], texts, False)


def command(*words: str, progress: Progress = False) -> Printed:
    """Does what `stampede WORDS…` does, and gives what it prints: for commands that have no function here."""
    return _found(Printed, list(words), [], progress)


def _found(kind: type[Found], words: list[str], texts: Texts, progress: Progress) -> Found:
    """Runs a command."""
    told = shown(progress, words[0])
    try:
        answer = _native.command(words, texts, told)
    finally:
        if told is not None:
            told.finish()
    if isinstance(answer, _native.Refusal):
        raise error_of(answer)
    for warning in answer.warnings:
        warnings.warn(warning, StampedeWarning, stacklevel=3)
    return kind(answer)


def _all_given(scenarios: Sequence[ScenarioLike]) -> tuple[list[str], Texts]:
    names: list[str] = []
    texts: Texts = []
    for number, scenario in enumerate(scenarios):
        name, own = given(scenario, number)
        if any(text[0] == name for text in texts):
            raise UsageError(f"two scenarios are called {name!r}: Scenario(name=…) names one")
        names.append(name)
        texts += own
    return names, texts


def _paths(paths: Sequence[Path]) -> list[str]:
    return [os.fspath(path) for path in paths]


def _axes(axes: Mapping[str, Sequence[Value]] | None) -> dict[str, str] | None:
    return None if axes is None else {path: _joined(values) for path, values in axes.items()}


def _joined(values: Sequence[Value]) -> str:
    """Values as a list of the command line."""
    return ",".join(map(written, [values] if isinstance(values, str) else values))


def _options(said: Mapping[str, Any], *others: str, **otherwise: Any) -> dict[str, Any]:
    """All that a function was called with but for `others`: an option that is in its signature is passed on."""
    return {name: value for name, value in said.items() if name not in others} | otherwise


def _words(**options: Any) -> list[str]:
    """Options as words of the command line: `--name=value`, and `--name=path=value` for each of a table."""
    words: list[str] = []
    for name, value in options.items():
        option = "--" + name.removesuffix("_").replace("_", "-")
        if value is None or value is False:
            continue
        if value is True:
            words.append(option)
        elif isinstance(value, Mapping):
            words += [f"{option}={path}={written(entry)}" for path, entry in value.items()]
        elif isinstance(value, (list, tuple)):
            words += [f"{option}={os.fspath(entry)}" for entry in value]
        elif isinstance(value, os.PathLike):
            words.append(f"{option}={os.fspath(value)}")
        else:
            words.append(f"{option}={written(value)}")
    return words
