"""The tutorial, run cell by cell."""

import os
import pathlib

import nbclient
import nbformat

ROOT = pathlib.Path(os.environ.get("STAMPEDE_PAGES", pathlib.Path(__file__).parents[2]))


def test_the_tutorial_runs(tmp_path):
    notebook = nbformat.read(ROOT / "sim-python/tutorial.ipynb", as_version=4)
    nbformat.validate(notebook)
    client = nbclient.NotebookClient(
        notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}
    )
    client.execute()
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    data = [output.data for output in outputs if output.output_type == "execute_result"]
    assert "34a4fa1ba3f46f05" in data[0]["text/plain"]
    assert any("<iframe" in shown.get("text/html", "") for shown in data)
    assert any("response_time_s.p99: " in output.text for output in outputs if output.output_type == "stream")
