# SPDX-License-Identifier: MIT
"""What work took is given back when it is over: a daemon that is left open
for weeks stays as small as it was on the first day."""
import pathlib
import select
import subprocess
import sys

import pytest

import svm

sys.path.insert(0, str(svm.ROOT / "tests/bench"))
from measure import Memory  # noqa: E402

pytestmark = [pytest.mark.seconds(180),
              pytest.mark.skipif(svm.SANITIZED, reason="a sanitizer has a "
                                 "malloc of its own, which keeps memory")]

TOOL = str(svm.BUILD / "tests/bench/bench")
SANDBOXES, AT_ONCE, SUBSCRIBERS, STREAMS = 200, 50, 300, 20
# Of what malloc has given out: a quarter of a KiB for each sandbox would show.
KEPT_ALLOCATED = 48 << 10
KEPT_OWN_KIB = 256


def bench(*args):
    subprocess.run([TOOL, *map(str, args)], check=True, timeout=120,
                   stdout=subprocess.DEVNULL)


def work(inst):
    """Of everything that comes in numbers, a number."""
    bench("keep", inst.socket, SANDBOXES, inst.provider)
    bench("request", inst.socket, "/sandboxes", 2, 2)
    bench("drop", inst.socket, SANDBOXES)
    bench("spawns", inst.socket, AT_ONCE, inst.provider)
    bench("events", inst.socket, SUBSCRIBERS, 20, 1)
    ids = [inst.sandbox(ttl="1h")["id"] for _ in range(2)]
    for sid in ids:
        bench("stream", inst.socket, sid, 1 << 20, 1)
        bench("put", inst.socket, sid, "/tmp/f", 1 << 20, 1)
        bench("get", inst.socket, sid, "/tmp/f", 1)
        bench("exec", inst.socket, sid, 50)
    bench("streams", inst.socket, STREAMS, 1 << 20, 1, *ids)
    inst.destroy_all()
    inst.drop_client()


def allocated(inst, memory):
    """Bytes that malloc has given out, asked for in the same state."""
    memory.wait_for_rest()
    n = inst.api("GET", "/metrics", check=200).json()["memory_alloc"]
    inst.drop_client()
    return n


def test_memory_returns(inst):
    inst.start()
    memory = Memory(inst.daemon_pid())
    work(inst)
    before = allocated(inst, memory)
    own = memory.own()
    work(inst)
    kept = allocated(inst, memory) - before
    assert kept < KEPT_ALLOCATED, f"{kept} bytes are still in use"
    svm.wait_for(lambda: memory.own() < own + KEPT_OWN_KIB,
                 f"less than {own + KEPT_OWN_KIB} KiB of its own, "
                 f"{memory.own()} now", 10)


def switches(pid):
    """How often a thread of it has gone to sleep; and the threads."""
    found = {}
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        for line in (task / "status").read_text().splitlines():
            if line.startswith("voluntary_ctxt_switches"):
                found[task.name] = int(line.split()[1])
    return found


def test_sleeps_when_quiet(inst):
    """To give memory back it wakes up after work, and then no more."""
    inst.start()
    sid = inst.sandbox(ttl="1h")["id"]
    bench("exec", inst.socket, sid, 20)
    inst.drop_client()
    Memory(inst.daemon_pid()).wait_for_rest()

    def quiet():
        before = switches(inst.daemon_pid())
        select.select([], [], [], 2.5) # longer than what it waits for
        return switches(inst.daemon_pid()) == before

    svm.wait_for(quiet, "2.5 s without a wakeup", 30)
