"""How commands are run: signals, threads, progress."""

import signal
import subprocess
import sys
import threading
import time

import pytest

import stampede
from conftest import SMALL

LONG = {"horizon": "10000h"}

WAITING = f"""
import signal, stampede
print("begun", flush=True)
try:
    stampede.run({SMALL!r}, set={LONG!r}, CALL)
except KeyboardInterrupt:
    print("ended", flush=True)
"""


@pytest.mark.parametrize("call", ["", "replications=1000, threads=2", "replications=3, threads=1"])
def test_ctrl_c_ends_within_a_second(call):
    child = subprocess.Popen([sys.executable, "-c", WAITING.replace("CALL", call)], stdout=subprocess.PIPE, text=True)
    assert child.stdout.readline() == "begun\n"
    time.sleep(1)
    begun = time.monotonic()
    child.send_signal(signal.SIGINT)
    assert child.communicate(timeout=30)[0] == "ended\n"
    assert time.monotonic() - begun < 1.5
    assert child.returncode == 0


def test_other_threads_of_python_go_on():
    counted = 0
    over = False

    def count():
        nonlocal counted
        while not over:
            counted += 1
            time.sleep(0.001)

    counter = threading.Thread(target=count)
    counter.start()
    begun = time.monotonic()
    while time.monotonic() - begun < 0.3:
        stampede.run(SMALL, set={"horizon": "10m"})
    over = True
    counter.join()
    assert counted > 30


def test_several_threads_run_at_once():
    digests = []
    threads = [threading.Thread(target=lambda: digests.append(stampede.run(SMALL).digest)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(digests) == 8 and len(set(digests)) == 1


def test_progress_is_told():
    told = []
    stampede.run(SMALL, set={"horizon": "30m"}, replications=60, threads=1, progress=lambda done, of: told.append((done, of)))
    assert told
    assert told == sorted(told) and all(of == 60 for _, of in told if of)


def test_what_progress_raises_ends_the_command():
    def fail(done, of):
        raise RuntimeError("enough")

    with pytest.raises(RuntimeError, match="enough"):
        stampede.run(SMALL, set=LONG, progress=fail)
