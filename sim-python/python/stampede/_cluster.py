"""Sweeps on a cluster of Dask: the command's own contract, `sweep --shard` and `sweep merge`."""

from __future__ import annotations

import importlib
import pathlib
import tempfile
from typing import Any

from . import _native
from ._errors import UsageError, error_of
from ._progress import Progress, shown
from ._results import Sweep

#: Times that a shard is tried again before its failure is that of the sweep.
_RETRIES = 3


def sweep_on(client: Any, what: list[str], texts: list[tuple[str, str]], shards: int, progress: Progress) -> Sweep:
    """Runs a plan in parts on the workers of a client, and puts them together here.

    A worker needs this package, of the same version, and nothing else: the plan travels with its scenario, and rows
    travel back.
    """
    try:
        distributed: Any = importlib.import_module("distributed")
    except ModuleNotFoundError:
        raise UsageError("the module distributed is missing", "pip install distributed") from None
    if shards < 1:
        raise UsageError(f"{shards} shards are none")
    # A mistake in the plan is told here, once.
    bundle = _answer(["sweep", *what, "--bundle"], texts).printed
    told = shown(progress, "sweep")
    submit = dict(pure=False, retries=_RETRIES)
    futures = {client.submit(run_shard, bundle, shard, shards, **submit): shard for shard in range(shards)}
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        (folder / "plan.toml").write_text(bundle, encoding="utf-8")
        try:
            for done, future in enumerate(distributed.as_completed(list(futures)), 1):
                name = f"shard-{futures[future]}-of-{shards}.journal"
                (folder / name).write_text(future.result(), encoding="utf-8", newline="\n")
                # What is here need not stay in the memory of a worker.
                future.release()
                if told is not None:
                    told(done, shards)
        finally:
            client.cancel(list(futures))
            if told is not None:
                told.finish()
        return Sweep(_answer(["sweep", "merge", str(folder)], []))


def run_shard(bundle: str, shard: int, of: int) -> str:
    """One part of a plan, on a worker: its journal."""
    words = ["sweep", "plan.toml", f"--shard={shard}/{of}", "--output=-", "--threads=1"]
    return _answer(words, [("plan.toml", bundle)]).printed


def _answer(words: list[str], texts: list[tuple[str, str]]) -> _native.Answer:
    answer = _native.command(words, texts)
    if isinstance(answer, _native.Refusal):
        raise error_of(answer)
    return answer
