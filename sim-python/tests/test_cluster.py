"""Sweeps on a cluster: the same bytes as here."""

import pytest

import stampede
from conftest import SMALL

AXES = {"traffic.traffic.rate": "50..150/5", "service.web.balancer.policy": ["random", "round-robin"]}


def test_a_sweep_on_workers_has_the_same_bytes():
    import distributed

    here = stampede.sweep(scenario=SMALL, vary=AXES, measure="p99", replications=3)
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster,
        distributed.Client(cluster) as client,
    ):
        there = stampede.sweep(scenario=SMALL, vary=AXES, measure="p99", replications=3, cluster=client, shards=4)
        with pytest.raises(stampede.ScenarioError):
            stampede.sweep(scenario=SMALL, vary={"beauty": [1, 2]}, cluster=client)
    assert there.csv() == here.csv()
    assert there.read("report.html") == here.read("report.html")
    with pytest.raises(stampede.UsageError, match="threads mean nothing on a cluster"):
        stampede.sweep(scenario=SMALL, vary=AXES, cluster=client, threads=2)
