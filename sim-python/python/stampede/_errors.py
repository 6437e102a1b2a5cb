"""What goes wrong, in the words of the command."""

from __future__ import annotations

import json
from typing import Any

from ._native import Refusal


class StampedeError(Exception):
    """A command did not do what was asked. `exit` is its exit code, `help` what to do about it."""

    #: The exit code of the command.
    exit: int = 1

    def __init__(self, message: str, help: str = "", problems: list[dict[str, Any]] | None = None) -> None:
        super().__init__(message, help, problems or [])
        self.message = message
        self.help = help
        #: What is wrong with scenarios, each with its code, message, help and places (file, line, column).
        self.problems = problems or []

    def __str__(self) -> str:
        return f"{self.message}\nhelp: {self.help}" if self.help else self.message


class UsageError(StampedeError, ValueError):
    """The arguments make no sense."""

    exit = 2


class ScenarioError(StampedeError, ValueError):
    """A scenario is invalid. `problems` says what is wrong with it, and where."""

    exit = 3


class NotFound(StampedeError, LookupError):
    """No model, table or figure has this name."""

    exit = 4


class FileError(StampedeError, OSError):
    """A file could not be read or written."""

    exit = 5

    # An error of the system would number its arguments.
    def __new__(cls, *arguments: Any) -> FileError:
        return OSError.__new__(cls)


class Failed(StampedeError):
    """Something does not hold that should, and there is nothing to show for it."""

    exit = 6


class Interrupted(StampedeError):
    """It was stopped before it was done."""

    exit = 130


_KINDS: list[type[StampedeError]] = [UsageError, ScenarioError, NotFound, FileError, Failed, Interrupted]


def error_of(refusal: Refusal) -> StampedeError:
    """The exception that says what the command would have said."""
    kind = next((kind for kind in _KINDS if kind.exit == refusal.exit), StampedeError)
    problems = [problem for list in refusal.problems for problem in json.loads(list)]
    return kind(refusal.message, refusal.help, problems)
