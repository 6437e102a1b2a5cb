"""The command, beside which the package is held."""

import os
import shutil
import subprocess
from collections.abc import Callable

import pytest

SMALL = """
title = "small"
clock = "12:00"
horizon = "60s"
[[traffic]]
to = "web"
rate = 150
[service.web]
demand = { kind = "exponential", mean = "10ms" }
[[service.web.server]]
name = "web"
count = 2
workers = 1
"""


@pytest.fixture(scope="session")
def program() -> str:
    """The program: `STAMPEDE`, or `stampede` on the path."""
    found = shutil.which(os.environ.get("STAMPEDE", "stampede"))
    assert found, "STAMPEDE names the program that the package is compared with"
    return found


@pytest.fixture
def stampede_says(program: str) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs the command."""

    def says(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([program, *words], capture_output=True, text=True, encoding="utf-8")

    return says
