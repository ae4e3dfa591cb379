# SPDX-License-Identifier: MIT
"""Ctrl-C in the midst of a large copy: it leaves at once, and nothing of it
stays, neither under the name nor under another."""
import os
import signal
import subprocess
import threading

import pytest

from svm import wait_for

# 1 GiB takes its time; what is taken back is the same of less.
SIZE = (1 << 30) if os.environ.get("STACYVM_TEST_BIG") else (48 << 20)


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


@pytest.mark.parametrize("before", [None, "before"])
def test_on_its_way_in(box, before):
    """All but the end has been sent when it is interrupted."""
    inst = box
    if before:
        inst.ok("files", "write", inst.box, "big", input=before)
    there, space = names(inst), used(inst)
    p = inst.popen("cp", "-", f"{inst.box}:big", stdin=subprocess.PIPE)
    feeder = threading.Thread(target=feed, args=(p.stdin.fileno(), SIZE))
    feeder.start()
    feeder.join(300)
    assert not feeder.is_alive()
    wait_for(lambda: used(inst) > space + (SIZE >> 11), "half of it to be in")
    p.send_signal(signal.SIGINT)
    assert p.wait(30) == 130  # the other end of the pipe is still open
    p.communicate()
    wait_for(lambda: names(inst) == there, "the half file to go")
    wait_for(lambda: used(inst) == space, "its space to be given back")
    if before:
        assert inst.ok("files", "cat", inst.box, "big").text == before
    still_works(inst)


@pytest.mark.parametrize("before", [None, "before"])
def test_on_its_way_out(box, tmp_path, before):
    inst = box
    inst.exec(inst.box, f"head -c {SIZE} /dev/zero >/workspace/big")
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
    assert used(inst) >= SIZE >> 10
    still_works(inst)
