# SPDX-License-Identifier: MIT
"""Ctrl-C in the midst of a large copy: it leaves at once, and nothing of it
stays, neither under the name nor under another."""
import os
import select
import signal
import subprocess
import threading

import pytest

from svm import SANITIZED, wait_for

# 1 GiB takes its time; what is taken back is the same of less.
SIZES = pytest.mark.parametrize("size", [
    pytest.param(48 << 20, id="48M"),
    pytest.param(1 << 30, id="1G", marks=pytest.mark.skipif(
        not os.environ.get("STACYVM_TEST_BIG") or SANITIZED,
        reason="1 GiB takes its time: make check-full, STACYVM_TEST_BIG=1"))])


@pytest.fixture
def box(new_instance):
    i = new_instance(env={"STACYVM_PROVIDERS_NATIVE_DISK_MB": "2048"}).start()
    i.box = i.spawn()
    return i


def names(inst):
    return [f["name"] for f in inst.api(
        "GET", f"/sandboxes/{inst.box}/files/list?path=/workspace",
        check=200).json()]


def used(inst):
    """Bytes of the disk that are in use; of the mock's, of what is there."""
    return int(inst.exec(inst.box, "du -sk /workspace | cut -f1").json()[
        "stdout"])


def still_works(inst):
    inst.ok("cp", "-", f"{inst.box}:after", input="x")
    assert inst.ok("files", "cat", inst.box, "after").text == "x"
    assert inst.api("GET", "/health", check=200).json()["status"] == "ok"
    inst.ok("files", "rm", inst.box, "after")


def feed(fd, size):
    block = bytes(1 << 20)
    try:
        for _ in range(size >> 20):
            view = memoryview(block)
            while view:
                view = view[os.write(fd, view):]
    except BrokenPipeError:
        pass


@SIZES
@pytest.mark.parametrize("before", [None, "before"])
def test_on_its_way_in(box, before, size):
    """All but the end has been sent when it is interrupted."""
    inst = box
    if before:
        inst.ok("files", "write", inst.box, "big", input=before)
    there, space = names(inst), used(inst)
    p = inst.popen("cp", "-", f"{inst.box}:big", stdin=subprocess.PIPE)
    feeder = threading.Thread(target=feed, args=(p.stdin.fileno(), size))
    feeder.start()
    feeder.join(300)
    assert not feeder.is_alive()
    wait_for(lambda: used(inst) > space + (size >> 11), "half of it to be in")
    p.send_signal(signal.SIGINT)
    assert p.wait(30) == 130  # the other end of the pipe is still open
    p.communicate()
    wait_for(lambda: names(inst) == there, "the half file to go")
    wait_for(lambda: used(inst) == space, "its space to be given back")
    if before:
        assert inst.ok("files", "cat", inst.box, "big").text == before
    still_works(inst)


@SIZES
@pytest.mark.parametrize("before", [None, "before"])
def test_on_its_way_out(box, tmp_path, before, size):
    inst = box
    inst.exec(inst.box, f"head -c {size} /dev/zero >/workspace/big")
    target = tmp_path / "big"
    for _ in range(20):  # until it isn't done before it is interrupted
        if before:
            target.write_text(before)
        elif target.exists():
            target.unlink()
        there = sorted(os.listdir(tmp_path))
        p = inst.popen("cp", f"{inst.box}:big", target)
        wait_for(lambda: p.poll() is not None or
                 sorted(os.listdir(tmp_path)) != there, "it to begin")
        if p.poll() is None:
            p.send_signal(signal.SIGINT)
        if p.wait(60) == 130:
            break
    assert p.returncode == 130, p.communicate()
    p.communicate()
    assert sorted(os.listdir(tmp_path)) == there
    if before:
        assert target.read_text() == before
    assert used(inst) >= size >> 10
    still_works(inst)


def test_nobody_reads_on(box):
    """Who reads standard output has stopped doing so: the pipe is full."""
    inst = box
    inst.exec(inst.box, "head -c 48M /dev/zero >/workspace/big")
    p = inst.popen("cp", f"{inst.box}:big", "-", stdout=subprocess.PIPE)
    end = os.open(f"/proc/self/fd/{p.stdout.fileno()}", os.O_WRONLY)
    wait_for(lambda: not select.select([], [end], [], 0)[1],
             "the pipe to be full")
    os.close(end)
    p.send_signal(signal.SIGINT)
    assert p.wait(30) == 130
    p.communicate()
    still_works(inst)
