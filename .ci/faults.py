"""Faults: what a sweep must survive. Called by .ci/distributed, with the program as its argument.

Only processes that this script started, or that those started, are ever killed, by their ids.
"""

import os
import pathlib
import pwd
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import kubernetes_validate
import psutil
import yaml

ROOT = pathlib.Path(__file__).resolve().parent.parent
CLUSTER = ROOT / "sim-cli" / "cluster"
DRIVER = CLUSTER / "stampede_dask.py"
PROGRAM = sys.argv[1]
PROGRAM_NAME = os.path.basename(PROGRAM)
SHARDS = 24
PLAN = """
title = "What faults must not change"
replications = 5
measures = ["response_time_s.mean", "response_time_s.p99", "availability"]

[[axis]]
path = "traffic.traffic.rate"
name = "rate"
from = 100
to = 1200
step = 100

[[axis]]
path = "service.web.balancer.policy"
name = "policy"
values = ["random", "power-of-d", "round-robin", "least-in-flight"]

[scenario]
horizon = "60s"
warm_up = "2s"
traffic = [{ to = "web", rate = 1000 }]
client = { timeout = "200ms" }

[scenario.service.web]
demand = { kind = "exponential", mean = "10ms" }
server = [{ name = "s", count = 10, workers = 1, queue = { limit = 100 } }]
"""

work = pathlib.Path(tempfile.mkdtemp(prefix="stampede-faults-"))
started = []
counts = {"passed": 0, "failed": 0}


def check(what, fine, detail=""):
    counts["passed" if fine else "failed"] += 1
    print(f"{'ok' if fine else 'FAILED'}: {what} {detail}", flush=True)


def start(*command, **options):
    process = subprocess.Popen([str(part) for part in command], **options)
    started.append(process)
    return process


def run(*command, **options):
    return subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=300, **options)


def program_of(process):
    """The name of a process, which may end while it is looked at."""
    try:
        return process.name()
    except psutil.NoSuchProcess:
        return None


def children(process, program):
    """Processes below one of ours, by the name of their program."""
    try:
        below = psutil.Process(process.pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []
    return [child for child in below if program_of(child) == program]


def kill(process):
    """Kills a process and all that it started."""
    try:
        below = psutil.Process(process.pid).children(recursive=True)
    except psutil.NoSuchProcess:
        below = []
    for one in below:
        try:
            one.kill()
        except psutil.NoSuchProcess:
            pass
    process.kill()
    process.wait()


def until(what, condition, seconds=120):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = condition()
        if found:
            return found
        time.sleep(0.02)
    raise TimeoutError(what)


def journals(folder):
    return len(list(folder.glob("shard-*.journal")))


def kill_simulator(*owners):
    """Kills a simulator that one of these runs, as soon as there is one."""
    victim = until("a simulator", lambda: next((c for o in owners for c in children(o, PROGRAM_NAME)), None))
    victim.send_signal(signal.SIGKILL)


def of_slurm(environment, node=None):
    """Processes of our Slurm, which lets go of what it starts: they know our configuration's path."""
    # Raw, because a process that gives itself a title blanks the beginning.
    wanted = [b"SLURM_CONF=" + environment["SLURM_CONF"].encode()]
    wanted += [b"SLURMD_NODENAME=" + node.encode()] if node else []
    found = []
    for process in psutil.process_iter():
        try:
            its = pathlib.Path(f"/proc/{process.pid}/environ").read_bytes().split(b"\0")
        except OSError:
            continue
        if all(entry in its for entry in wanted):
            found.append(process)
    return found


def kill_all(processes):
    for process in processes:
        try:
            process.kill()
        except psutil.NoSuchProcess:
            pass


def tables(folder):
    """Every result with its bytes."""
    return {p.name: p.read_bytes() for p in sorted(folder.iterdir()) if p.suffix in (".csv", ".svg", ".parquet")}


def same(what, folder, reference):
    found = tables(folder)
    different = [name for name in reference if found.get(name) != reference[name]]
    check(what, found.keys() == reference.keys() and not different, ", ".join(different))


def local(plan):
    """One machine: one thread, two, seven, without fused multiplication, and killed midway."""
    folders = {}
    for name, threads, more in [
        ("one thread", 1, {}),
        ("two threads", 2, {}),
        ("seven threads", 7, {}),
        ("without FMA", 2, {"GLIBC_TUNABLES": "glibc.cpu.hwcaps=-FMA,-AVX2,-AVX512F"}),
    ]:
        folder = work / name.replace(" ", "-")
        done = run(PROGRAM, "sweep", plan, "-o", folder, "-j", threads, "-q", env={**os.environ, **more})
        if done.returncode:
            raise RuntimeError(done.stderr)
        folders[name] = folder
    reference = tables(folders["one thread"])
    for name, folder in folders.items():
        same(name, folder, reference)

    folder = work / "killed"
    kills = 0
    for lines in [5, 12, 25, 40]:
        sweep = start(PROGRAM, "sweep", plan, "-o", folder, "-j", "2", "-q", stdout=subprocess.DEVNULL)
        journal = folder / "cells.journal"
        until("cells", lambda: sweep.poll() is not None or journal.exists() and journal.read_bytes().count(b"\n") > lines)
        if sweep.poll() is None:
            kills += 1
            kill(sweep)
    done = run(PROGRAM, "sweep", plan, "-o", folder, "-j", "2")
    cells = [line for line in journal.read_bytes().split(b"\n")[1:] if line]
    same(f"killed {kills} times and continued", folder, reference)
    check("no cell was run twice", kills > 0 and len(cells) == len(set(cells)) == 48, f"{len(cells)} records")
    check("continuing is told", "cells were there already" in done.stderr, done.stderr.strip())
    return reference


def driver(plan, folder, *more, **options):
    return start(
        sys.executable, DRIVER, plan, folder, "--shards", SHARDS, "--program", PROGRAM, *more,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options,
    )


def dask_cluster(port):
    """A scheduler and two workers, as on three machines."""
    environment = {**os.environ, "PYTHONWARNINGS": "ignore"}
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "env": environment, "cwd": work}
    scheduler = start(sys.executable, "-m", "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", port, "--no-dashboard", **quiet)
    address = f"tcp://127.0.0.1:{port}"
    workers = [dask_worker(address, quiet) for _ in range(2)]
    return address, scheduler, workers, quiet


def dask_worker(address, quiet):
    return start(
        sys.executable, "-m", "distributed.cli.dask_worker", address, "--host", "127.0.0.1", "--nthreads", "1", "--no-nanny",
        "--no-dashboard", "--death-timeout", "20", **quiet,
    )


def dask(plan, reference):
    folder = work / "dask-local"
    client = driver(plan, folder, "--cluster", "local", "--workers", "2")
    output, _ = client.communicate(timeout=300)
    check("Dask on this machine ends well", client.returncode == 0, output[-300:] if client.returncode else "")
    same("Dask on this machine", folder, reference)

    port = 18790 + os.getpid() % 1000
    address, scheduler, workers, quiet = dask_cluster(port)
    folder = work / "dask-faults"
    client = driver(plan, folder, "--cluster", address)
    until("some shards", lambda: journals(folder) >= 3)
    kill(workers[0])
    workers[0] = dask_worker(address, quiet)
    until("more shards", lambda: journals(folder) >= 7)
    kill_simulator(*workers)
    until("more shards", lambda: journals(folder) >= 11)
    kill(client)
    had = journals(folder)
    check("the client was killed midway", 11 <= had < SHARDS, f"{had} of {SHARDS} shards")

    client = driver(plan, folder, "--cluster", address)
    until("more shards", lambda: journals(folder) >= min(had + 3, SHARDS - 2))
    kill(scheduler)
    output, _ = client.communicate(timeout=120)
    resumed = int(re.search(r"(\d+) of \d+ shards done", output).group(1))
    check("a second client continues", resumed == had, f"{resumed} shards were there")
    check("the client of a lost scheduler ends with an error", client.returncode != 0)
    for worker in workers:
        kill(worker)

    address, scheduler, workers, _ = dask_cluster(port + 1)
    client = driver(plan, folder, "--cluster", address)
    output, _ = client.communicate(timeout=300)
    check("a third client ends well", client.returncode == 0, output[-300:] if client.returncode else "")
    same("Dask with worker, simulator, client and scheduler killed", folder, reference)
    # A script that was killed may leave a part, under a name that the program knows and takes away.
    known = r"plan\.toml|cells\.csv|report\.html|.*\.svg|shard-\d+-of-\d+\.journal|\.stampede-part-[0-9a-f]+\.new"
    others = [p.name for p in folder.iterdir() if not re.fullmatch(known, p.name)]
    check("nothing half-written stands for a result", not others, str(others))

    other = work / "other.toml"
    other.write_text(plan.read_text().replace("replications = 5", "replications = 6"))
    client = driver(other, folder, "--cluster", address)
    output, _ = client.communicate(timeout=120)
    check("another plan in the same folder is refused", client.returncode == 1 and "another plan" in output, output.strip())

    broken = work / "broken"
    broken.write_text(f'#!/bin/sh\ncase "$*" in *--bundle*) exec {PROGRAM} "$@";; esac\necho "out of luck" >&2\nexit 9\n')
    broken.chmod(0o755)
    client = start(
        sys.executable, DRIVER, plan, work / "never", "--shards", "2", "--program", broken, "--cluster", address,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )
    output, _ = client.communicate(timeout=120)
    check("what always fails is told, and ends", client.returncode != 0 and "out of luck" in output)
    for process in [*workers, scheduler]:
        kill(process)


SSHD_CONF = """
Port {port}
ListenAddress 127.0.0.1
HostKey {home}/host
PidFile none
AuthorizedKeysFile {home}/user.pub
StrictModes no
PermitRootLogin prohibit-password
PasswordAuthentication no
UsePAM no
"""


def ssh_hosts():
    """Three hosts that are this machine, behind a server of our own: where the driver finds its settings."""
    home = work / "ssh"
    (home / ".ssh").mkdir(parents=True)
    port = 23800 + os.getpid() % 1000
    for key in ("host", "user"):
        run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", home / key)
    (home / "sshd_config").write_text(SSHD_CONF.format(port=port, home=home))
    user = pwd.getpwuid(os.getuid()).pw_name
    (home / ".ssh" / "config").write_text(
        f"Host head n0 n1\n  HostName 127.0.0.1\n  Port {port}\n  User {user}\n  IdentityFile {home}/user\n"
    )
    host_key = (home / "host.pub").read_text()
    (home / ".ssh" / "known_hosts").write_text(
        "".join(f"{name} {host_key}" for name in ("head", "n0", "n1", f"[127.0.0.1]:{port}"))
    )
    if os.getuid() == 0:
        pathlib.Path("/run/sshd").mkdir(exist_ok=True)
    server = start("/usr/sbin/sshd", "-D", "-e", "-f", home / "sshd_config", stderr=open(home / "log", "w"))
    until("the SSH server", lambda: "listening" in (home / "log").read_text(), 20)
    return server, {**os.environ, "HOME": str(home)}


def ssh(plan, reference):
    server, environment = ssh_hosts()
    folder = work / "dask-ssh"
    client = driver(plan, folder, "--cluster", "ssh:head,n0,n1", env=environment)
    until("some shards", lambda: journals(folder) >= 3)
    worker = until("a worker", lambda: next((p for p in children(server, "python") if children(p, PROGRAM_NAME)), None))
    kill_all([*worker.children(recursive=True), worker])
    output, _ = client.communicate(timeout=240)
    check("Dask over SSH ends well", client.returncode == 0, output[-600:] if client.returncode else "")
    same("Dask over SSH with a worker killed", folder, reference)
    until("no process on the hosts", lambda: not children(server, "python"), 30)
    kill(server)


SLURM_CONF = """
ClusterName=faults
SlurmctldHost=localhost
SlurmUser={user}
SlurmdUser=root
SlurmctldPort={port}
StateSaveLocation={work}/slurm/state
SlurmdSpoolDir={work}/slurm/spool-%n
SlurmctldPidFile={work}/slurm/ctld.pid
SlurmdPidFile={work}/slurm/%n.pid
SlurmctldLogFile={work}/slurm/ctld.log
SlurmdLogFile={work}/slurm/%n.log
AuthType=auth/munge
AuthInfo=socket={work}/slurm/munge.socket,cred_expire=5
CryptoType=crypto/munge
ProctrackType=proctrack/pgid
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
SchedulerType=sched/backfill
SchedulerParameters=sched_interval=1,bf_interval=1
SelectType=select/linear
ReturnToService=2
SlurmdTimeout=6
InactiveLimit=0
MinJobAge=30
KillWait=1
MpiDefault=none
NodeName=n0 NodeHostname=localhost Port={port0} CPUs=1 RealMemory=900 State=UNKNOWN
NodeName=n1 NodeHostname=localhost Port={port1} CPUs=1 RealMemory=900 State=UNKNOWN
PartitionName=all Nodes=n0,n1 Default=YES MaxTime=INFINITE State=UP
"""


def slurm_cluster():
    """A controller and two nodes on this machine, with keys of their own."""
    home = work / "slurm"
    for folder in ("state", "spool-n0", "spool-n1"):
        (home / folder).mkdir(parents=True)
    port = 26800 + os.getpid() % 1000 * 3
    user = pwd.getpwuid(os.getuid()).pw_name
    conf = home / "slurm.conf"
    conf.write_text(SLURM_CONF.format(user=user, work=work, port=port, port0=port + 1, port1=port + 2))
    key = home / "munge.key"
    key.write_bytes(os.urandom(128))
    key.chmod(0o600)
    work.chmod(0o755)
    home.chmod(0o755)
    environment = {**os.environ, "SLURM_CONF": str(conf)}
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "env": environment}
    start(
        "/usr/sbin/munged", "--foreground", "--force", f"--socket={home}/munge.socket", f"--key-file={key}",
        f"--pid-file={home}/munge.pid", f"--log-file={home}/munge.log", f"--seed-file={home}/munge.seed", **quiet,
    )
    until("the keys", lambda: (home / "munge.socket").exists(), 20)
    start("slurmctld", "-D", **quiet)
    nodes = {name: start("slurmd", "-D", "-N", name, **quiet) for name in ("n0", "n1")}
    until("two idle nodes", lambda: run("sinfo", "-h", "-t", "idle", "-o", "%D", env=environment).stdout.strip() == "2", 60)
    return environment, nodes, quiet


def steps_above(processes):
    """Slurm's keepers of these processes, as far as both are still there."""
    steps = []
    for one in processes:
        try:
            steps += [p for p in [one, *one.parents()] if program_of(p) == "slurmstepd"]
        except psutil.NoSuchProcess:
            pass
    return steps


def slurm(plan, reference):
    environment, nodes, quiet = slurm_cluster()
    environment["STAMPEDE"] = PROGRAM
    folder = work / "slurm-faults"
    logs = work / "slurm" / "%A_%a.log"

    def submit(array):
        return start(
            "sbatch", "--wait", f"--array={array}", f"--output={logs}", CLUSTER / "stampede.sbatch", plan, folder, SHARDS,
            env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )

    complete = lambda: sum(1 for p in folder.glob("shard-*.journal") if p.read_bytes().count(b"\n") == 3)
    array = submit(f"0-{SHARDS - 1}")
    until("some shards", lambda: folder.exists() and complete() >= 3)
    victim = until("a simulator", lambda: next((p for p in of_slurm(environment) if program_of(p) == PROGRAM_NAME), None))
    kill_all([victim])
    until("more shards", lambda: complete() >= 6)
    # The node goes, with what it ran, and comes back.
    on_n0 = until("work on n0", lambda: [p for p in of_slurm(environment, "n0") if p.pid != nodes["n0"].pid])
    kill(nodes["n0"])
    kill_all(steps_above(on_n0) + on_n0)
    until("the loss to be noticed", lambda: "n0" in run("sinfo", "-h", "-t", "down", "-o", "%N", env=environment).stdout, 60)
    nodes["n0"] = start("slurmd", "-D", "-N", "n0", **quiet)
    output, _ = array.communicate(timeout=240)
    check("a Slurm array ends well", array.returncode == 0, output.strip())
    done = run(PROGRAM, "sweep", "merge", folder, "-q")
    check("its shards are merged", done.returncode == 0, done.stderr.strip())
    same("Slurm with a simulator and a node killed", folder, reference)

    # Part of the array is gone: merge says so, and only that part is submitted again.
    lost = sorted(folder.glob("shard-*.journal"))[5]
    lost.unlink()
    done = run(PROGRAM, "sweep", "merge", folder, "-q")
    check("a missing shard is told", done.returncode == 5 and "2 cells are missing: 5, 29" in done.stderr, done.stderr.strip())
    array = submit("5")
    array.communicate(timeout=120)
    done = run(PROGRAM, "sweep", "merge", folder, "-q")
    same("Slurm with one shard submitted again", folder, reference)

    folder = work / "dask-slurm"
    client = driver(
        plan, folder, "--cluster", "slurm", "--workers", "2", cwd=work,
        env={**environment, "DASK_STAMPEDE__SLURM": "{'memory': '500MB', 'interface': 'lo', 'walltime': '00:10:00'}"},
    )
    output, _ = client.communicate(timeout=240)
    check("Dask on Slurm ends well", client.returncode == 0, output[-600:] if client.returncode else "")
    same("Dask on Slurm", folder, reference)


def kubernetes(plan, reference):
    """The manifest against the schema of its kind, and its command line by a stand-in for the cluster."""
    manifest = yaml.safe_load((CLUSTER / "kubernetes.yaml").read_text())
    kubernetes_validate.validate(manifest, "1.33", strict=True)
    check("the Kubernetes manifest fits its schema", True)
    wrong = yaml.safe_load((CLUSTER / "kubernetes.yaml").read_text())
    wrong["spec"]["backoffLimitPerIndx"] = 5
    try:
        kubernetes_validate.validate(wrong, "1.33", strict=True)
        check("a misspelt field is noticed", False)
    except kubernetes_validate.ValidationError:
        check("a misspelt field is noticed", True)
    folder = work / "kubernetes"
    folder.mkdir()
    container = manifest["spec"]["template"]["spec"]["containers"][0]
    command = [*container["command"], *container["args"]]
    replaced = [
        part.replace("stampede sweep", f"{PROGRAM} sweep").replace("/plan/plan.toml", str(plan)).replace("/out", str(folder))
        for part in command
    ]
    completions = manifest["spec"]["completions"]
    codes = [run(*replaced, env={**os.environ, "JOB_COMPLETION_INDEX": str(index)}).returncode for index in range(completions)]
    check(f"all {completions} indexes end well", not any(codes), str([code for code in codes if code]))
    run(PROGRAM, "sweep", "merge", folder, "-q")
    same("Kubernetes' command line, index by index", folder, reference)


def main():
    plan = work / "plan.toml"
    plan.write_text(PLAN)
    begun = time.monotonic()
    only = sys.argv[2:]
    try:
        reference = local(plan)
        for part in (kubernetes, dask, ssh, slurm):
            if only and part.__name__ not in only:
                continue
            part(plan, reference)
            print(f"{part.__name__}: {time.monotonic() - begun:.0f} s so far", flush=True)
    finally:
        for process in reversed(started):
            if process.poll() is None:
                kill(process)
        # Slurm's steps fork on their way: look until nothing new has come for a while.
        quiet = 0
        while quiet < 10:
            left = of_slurm({"SLURM_CONF": str(work / "slurm" / "slurm.conf")})
            kill_all(left)
            quiet = 0 if left else quiet + 1
            time.sleep(0.1)
    print(f"faults: {counts['passed']} passed, {counts['failed']} failed")
    if counts["failed"]:
        sys.exit(f"what is left of it is in {work}")
    shutil.rmtree(work, ignore_errors=True)


main()
