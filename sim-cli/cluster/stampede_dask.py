#!/usr/bin/env python3
"""Runs a sweep of Stampede on a Dask cluster, from one machine to many.

    pip install distributed
    python stampede_dask.py plan.toml out                              # this machine
    python stampede_dask.py plan.toml out --cluster tcp://head:8786    # a cluster that runs already
    python stampede_dask.py plan.toml out --cluster ssh:head,n1,n2     # scheduler first; pip install asyncssh
    python stampede_dask.py plan.toml out --cluster slurm              # as Slurm jobs: pip install dask-jobqueue

Workers need the program `stampede` of the same version, and nothing else: the plan travels with its
scenario, and rows travel back. Only this script writes files, each by renaming, so that it can be ended
at any time and started again: parts that are there are not run twice. The table has the same bytes as
from `stampede sweep plan.toml -o out` on one machine.

Who reaches the ports of a Dask cluster can run code on it: Dask asks nobody for a password. On this
machine the script listens to this machine only. For others set up TLS first: the book, "Run a sweep on a
cluster", says how.
"""

import argparse
import json
import os
import pathlib
import secrets
import subprocess
import sys
import zlib

try:
    import dask
    from distributed import Client, LocalCluster, as_completed
except ModuleNotFoundError as missing:
    # What the script is and takes can be read without.
    if not {"-h", "--help"} & set(sys.argv[1:]):
        sys.exit(f"error: the module {missing.name} is missing\nhelp: pip install distributed")


def run_shard(program, plan, shard, of):
    """One part of the plan, on a worker: a journal as bytes."""
    command = [program, "sweep", "-", "--shard", f"{shard}/{of}", "--out", "-", "--threads", "1", "--quiet"]
    done = subprocess.run(command, input=plan, capture_output=True)
    # 6: some cells failed, which is recorded in their rows.
    if done.returncode not in (0, 6):
        raise RuntimeError(f"shard {shard}/{of}: exit {done.returncode}: {done.stderr.decode(errors='replace').strip()}")
    return done.stdout


def cluster_of(name, workers):
    """What `--cluster` means."""
    if name == "local":
        return LocalCluster(n_workers=workers, threads_per_worker=1, dashboard_address=None)
    if name.startswith("ssh:"):
        from distributed import SSHCluster

        # The first host runs the scheduler, the others workers; a host may be named twice. Users, ports
        # and keys come from ~/.ssh/config.
        return SSHCluster(
            name.removeprefix("ssh:").split(","),
            connect_options={"known_hosts": os.environ.get("STAMPEDE_KNOWN_HOSTS", ())},
            worker_options={"nthreads": 1},
        )
    if name == "slurm":
        from dask_jobqueue import SLURMCluster

        # Queue, account, memory and the like: the file jobqueue.yaml of dask-jobqueue.
        cluster = SLURMCluster(cores=1, processes=1, **dask.config.get("stampede.slurm", {}))
        cluster.adapt(minimum=1, maximum=workers)
        return cluster
    return name


def write_whole(path, content):
    """A file that appears as a whole, or not at all, and stays when the power goes."""
    # Under this name the program takes away what a script that was killed left behind, once it is old.
    part = path.with_name(f".stampede-part-{secrets.token_hex(8)}.new")
    with open(part, "xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    part.rename(path)


def journal(folder, shard, of):
    """Where a part is kept: the name that `stampede sweep --shard` uses."""
    if of == 1:
        return folder / "cells.journal"
    return folder / f"shard-{shard:0{len(str(of - 1))}}-of-{of}.journal"


def records(content):
    """The records of a journal whose checksums are right; a torn or damaged line is as if it were not there."""
    for line in content.split(b"\n")[:-1]:
        checksum, record = line[:8], line[9:]
        if checksum == b"%08x" % zlib.crc32(record):
            yield json.loads(record)


def is_complete(path, shard, of):
    """Whether a journal holds all cells of its part, each undamaged."""
    if not path.exists():
        return False
    head, *rows = list(records(path.read_bytes())) or [{}]
    cells = {row.get("cell") for row in rows}
    return "cells" in head and cells.issuperset(range(shard, head["cells"], of))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("plan", help="a plan, as for `stampede sweep`")
    parser.add_argument("folder", type=pathlib.Path, help="where results go; an earlier run is continued")
    parser.add_argument("--shards", type=int, default=64, help="parts of the plan: some seconds of work each (default 64)")
    parser.add_argument("--cluster", default="local", help="local, tcp://HOST:PORT, ssh:HOST,HOST,… or slurm")
    parser.add_argument("--workers", type=int, default=os.cpu_count(), help="processes, where this script starts them")
    parser.add_argument("--program", default=os.environ.get("STAMPEDE", "stampede"), help="the program, as workers find it")
    arguments = parser.parse_args()
    program, folder, of = arguments.program, arguments.folder, arguments.shards

    # The plan with everything it needs. A mistake in it is told here, once.
    bundle = subprocess.run([program, "sweep", arguments.plan, "--bundle"], stdout=subprocess.PIPE)
    if bundle.returncode:
        sys.exit(bundle.returncode)
    folder.mkdir(parents=True, exist_ok=True)
    kept = folder / "plan.toml"
    if not kept.exists():
        write_whole(kept, bundle.stdout)
    elif kept.read_bytes() != bundle.stdout:
        sys.exit(f"error: {folder} holds another plan: choose another folder, or remove this one")

    todo = [shard for shard in range(of) if not is_complete(journal(folder, shard, of), shard, of)]
    print(f"{of - len(todo)} of {of} shards done, {len(todo)} to run", flush=True)
    if todo:
        # A shard that was being run when its worker was lost is no suspect: machines go.
        dask.config.set({"distributed.scheduler.allowed-failures": 20})
        with Client(cluster_of(arguments.cluster, arguments.workers)) as client:
            # A queue may take its time to give the first.
            client.wait_for_workers(1)
            [plan] = client.scatter([bundle.stdout], broadcast=False)
            futures = {
                client.submit(run_shard, program, plan, shard, of, pure=False, retries=3): shard for shard in todo
            }
            for future in as_completed(list(futures)):
                shard = futures.pop(future)
                write_whole(journal(folder, shard, of), future.result())
                # What is on disk need not stay in the memory of a worker.
                future.release()
                print(f"shard {shard}/{of} done, {len(futures)} to go", flush=True)
    sys.exit(subprocess.run([program, "sweep", "merge", str(folder), "--quiet"]).returncode)


if __name__ == "__main__":
    main()
