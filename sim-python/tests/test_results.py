"""What is done with results."""

import pickle

import numpy
import pandas
import polars
import pyarrow
import pytest

import stampede
from conftest import SMALL


@pytest.fixture(scope="module")
def run():
    return stampede.run(SMALL, log_requests=10)


def test_figures_are_attributes(run):
    assert run.digest == run.summary["digest"] and len(run.digest) == 16
    assert 0 < run.response_time_s.p50 < run.response_time_s["p99"]
    assert run.services.web.servers["web-1"].utilisation == pytest.approx(0.75, abs=0.05)
    assert "availability" in dir(run)
    with pytest.raises(AttributeError, match="there is no figure 'beauty' here"):
        run.beauty  # noqa: B018
    assert "digest" in str(run) and "\x1b" not in str(run)
    assert repr(run) == f"<Run: scenario, seed 1, digest {run.digest}>"


def test_tables_are_read_by_those_who_know_arrow(run):
    timeline = run.timeline()
    assert len(timeline) == 60 and timeline.columns[:3] == ["start_s", "end_s", "clock"]
    assert timeline["start_s"][:2] == [0.0, 1.0] and timeline["clock"][0].startswith("12:00")
    arrow = pyarrow.table(timeline)
    assert arrow.num_rows == 60 and arrow.schema.field("goodput_hz").type == pyarrow.float64()
    assert polars.DataFrame(timeline)["offered_hz"].sum() == arrow["offered_hz"].to_numpy().sum()
    assert list(pandas.DataFrame.from_arrow(run.servers())["server"].unique()) == ["web-1", "web-2"]
    requests = polars.DataFrame(run.request_log())
    assert requests["attempts"].dtype == polars.Int64 and requests["outcome"].unique().to_list() == ["succeeded"]
    # A table may be handed over again and again.
    assert pyarrow.table(timeline).equals(arrow)
    assert run.log().columns == ["at_s", "clock", "kind", "by", "subject", "cause"]
    with pytest.raises(KeyError, match="no column is called"):
        timeline["beauty"]
    with pytest.raises(KeyError, match="there is no table 'beauty.csv'"):
        run.table("beauty")


def test_histograms_are_read_by_numpy(run):
    times = run.histogram()
    counts = numpy.asarray(times.counts)
    assert counts.dtype == numpy.uint64 and counts.sum() == run.response_time_s.count
    lower, upper = numpy.asarray(times.lower), numpy.asarray(times.upper)
    assert (lower < upper).all() and (upper[:-1] <= lower[1:]).all()
    mean = (counts * (lower + upper) / 2).sum() / counts.sum()
    assert mean == pytest.approx(run.response_time_s.mean, rel=0.01)
    assert len(run.histogram("services.web.wait_s")) > 0
    with pytest.raises(KeyError, match="services.web.wait_s"):
        run.histogram("beauty")


def test_results_are_pickled_whole(run):
    again = pickle.loads(pickle.dumps(run))
    assert again.json() == run.json() and again.files == run.files
    assert all(again.read(name) == run.read(name) for name in run.files)
    assert list(again.histogram().counts) == list(run.histogram().counts)
    assert pyarrow.table(again.timeline()).equals(pyarrow.table(run.timeline()))
    assert str(again) == str(run) and again.response_time_s.p99 == run.response_time_s.p99
    histogram = pickle.loads(pickle.dumps(run.histogram()))
    assert list(histogram.lower) == list(run.histogram().lower)


def test_notebooks_show_the_report(run):
    shown = run._repr_html_()
    assert shown.startswith('<iframe sandbox="allow-scripts"') and "&lt;svg" in shown
    assert "<svg" in run.html() and "stampede run scenario.toml" in run.html()
    assert run.svg().startswith("<svg") and run.markdown().startswith("# ")
    compared = stampede.compare(SMALL, vary={"traffic.traffic.rate": [90, 120]}, replications=3)
    assert "&lt;svg" in compared._repr_html_()
    assert set(compared.variants()["variant"]) == {"90", "120"}


def test_the_best_is_selected():
    found = stampede.compare(
        SMALL, vary={"traffic.traffic.rate": [90, 180]}, select="mean", indifference="2ms", estimand="horizon"
    )
    assert found.best == "90" and found.best in found.verdict
    assert set(found.variants()["variant"]) == {"90", "180"}


def test_a_design_tells_what_matters():
    vary = {"traffic.traffic.rate": "50..150", "horizon": "10s..60s"}
    swept = stampede.sweep(scenario=SMALL, vary=vary, measure="requests.arrived", replications=1, sobol=16)
    found = swept.sensitivity()
    assert list(found["path"]) == list(vary) and all(0 < total for total in found["total"])


def test_sweeps_are_tables():
    path = "service.web.balancer.policy"
    swept = stampede.sweep(
        scenario=SMALL, vary={path: ["random", "round-robin"], "traffic.traffic.rate": [100, 150]}, measure="p99"
    )
    cells = polars.DataFrame(swept)
    assert cells.shape[0] == 4 and cells["cell"].to_list() == [0, 1, 2, 3]
    numbers = [name for name in cells.columns if cells[name].dtype == polars.Float64]
    assert any("rate" in name for name in numbers), cells.columns
    assert cells["digest"].dtype == polars.String
    plan = {
        "title": "two",
        "scenario": {"horizon": "1s", "traffic": [{"to": "web", "rate": 10}]},
        "measures": ["requests.arrived"],
        "axis": [{"path": "seed", "values": [1, 2]}],
    }
    plan["scenario"]["service"] = {"web": {"demand": "5ms", "server": [{"name": "a", "workers": 1}]}}
    assert len(stampede.sweep(plan).cells()) == 2


def test_other_commands_are_there():
    assert "incident" in stampede.command("list", "models").json()
    assert "power-of-d" in str(stampede.command("explain", "power-of-d"))
