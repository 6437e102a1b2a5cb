"""The examples of the pages, run as they stand."""

import os
import pathlib
import re

import pytest

ROOT = pathlib.Path(os.environ.get("STAMPEDE_PAGES", pathlib.Path(__file__).parents[2]))
PAGES = ["README.md", "sim-python/README.md", "docs/src/how-to/from-python.md"]


@pytest.mark.filterwarnings("ignore::stampede.StampedeWarning")
@pytest.mark.parametrize("page", PAGES)
def test_examples_run(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    examples = re.findall(r"```python\n(.*?)```", (ROOT / page).read_text(encoding="utf-8"), re.DOTALL)
    assert examples
    for example in examples:
        exec(compile(example, page, "exec"), {})
