"""How far it is, in notebooks and on terminals."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any, Union

#: How progress is shown: by itself (`None`), always, never, or by a function of what is done and of how much there is.
Progress = Union[bool, Callable[[int, int], object], None]

# Nothing is shown before: what is over soon needs no progress.
_PATIENCE_S = 1.0


def shown(progress: Progress, name: str) -> Shown | None:
    """Who is told how far it is."""
    if progress is None:
        progress = _in_notebook() or sys.stderr.isatty()
    if progress is False:
        return None
    return Shown(name, progress if callable(progress) else None)


def _in_notebook() -> bool:
    """Whether outputs go to a notebook."""
    modules: Any = sys.modules
    shell = modules["IPython"].get_ipython() if "IPython" in modules else None
    return shell is not None and "IPKernelApp" in shell.config


class Shown:
    """A line that is written anew; in a notebook, an output."""

    def __init__(self, name: str, function: Callable[[int, int], object] | None) -> None:
        self.name = name
        self.function = function
        self.begun = time.monotonic()
        self.handle: Any = None
        self.written = False

    def __call__(self, done: int, of: int) -> None:
        if self.function is not None:
            self.function(done, of)
            return
        wall = time.monotonic() - self.begun
        if wall < _PATIENCE_S or not of:
            return
        share = min(done / of, 1.0)
        left = f"{wall / share - wall:.0f} s left" if share > 0 else ""
        bar = "█" * round(30 * share) + "░" * (30 - round(30 * share))
        self._write(f"{self.name} {bar} {share:4.0%}  {left}")

    def _write(self, line: str) -> None:
        if _in_notebook():
            modules: Any = sys.modules
            display = modules["IPython.display"].display
            output = {"text/plain": line}
            if self.handle is None:
                self.handle = display(output, raw=True, display_id=True)
            else:
                self.handle.update(output, raw=True)
        else:
            sys.stderr.write(f"\r{line}\x1b[K")
            sys.stderr.flush()
            self.written = True

    def finish(self) -> None:
        """Takes away what was shown."""
        if self.written:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
        if self.handle is not None:
            self.handle.update({"text/plain": ""}, raw=True)
