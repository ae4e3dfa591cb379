# SPDX-License-Identifier: MIT
"""Boxes made ahead: handed out once, exactly as asked for, gone with the
daemon that made them."""
import concurrent.futures
import os
import signal

import pytest

import svm
from svm import API, wait_for

@pytest.fixture
def warm(new_instance, provider):
    """A daemon that has just made a spare box of the default shape."""
    if provider != "native":
        pytest.skip("only native boxes are made ahead")
    inst = new_instance(spares=1)
    inst.start()
    inst.first = inst.sandbox(ttl="1h")["id"]
    wait_for(inst.made_ahead, "a spare box")
    return inst


def test_the_next_spawn_takes_it(warm):
    spare, = warm.made_ahead()
    box = warm.sandbox(ttl="1h", env={"A": "1"}, name="n")
    assert box["id"] == spare
    assert box["timings"]["clone_ms"] == box["timings"]["mounts_ms"] == 0
    r = warm.exec(spare, "echo $A $(cat /etc/hostname) $(hostname)").json()
    assert r["stdout"] == f"1 {spare} {spare}\n", r
    first = warm.api("GET", f"/sandboxes/{warm.first}").json()["posture"]
    assert box["posture"] == first
    wait_for(lambda: len(warm.made_ahead()) == 2, "another one")
    assert warm.made_ahead()[1] != spare


@pytest.mark.parametrize("other", [
    {"memory_mb": 64}, {"vcpus": 2}, {"disk_mb": 32}, {"pids": 33},
    {"read_only_rootfs": True}])
def test_another_shape_is_made_as_asked(warm, other):
    spare, = warm.made_ahead()
    box = warm.sandbox(ttl="1h", **other)
    assert box["id"] != spare and box["timings"]["clone_ms"] > 0
    # The one nobody will ask for makes room for one of the new shape.
    wait_for(lambda: spare not in warm.box_dirs(), "the old spare to go")
    wait_for(lambda: len(warm.made_ahead()) == 2, "another one")
    assert warm.sandbox(ttl="1h", **other)["id"] == warm.made_ahead()[1]


def test_one_that_was_killed_is_not_given(warm):
    spare, = warm.made_ahead()
    pid = wait_for(lambda: warm.agent_of(spare), "its agent")
    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: not svm.pid_alive(pid), "it to end")
    box = warm.sandbox(ttl="1h")
    assert box["id"] != spare
    assert warm.exec(box["id"], "echo hi").json()["stdout"] == "hi\n"
    wait_for(lambda: spare not in warm.box_dirs(), "what is left of it to go")


def test_it_ends_with_its_daemon(warm):
    spare, = warm.made_ahead()
    pid = wait_for(lambda: warm.agent_of(spare), "its agent")
    warm.kill_daemon()
    wait_for(lambda: not svm.pid_alive(pid), "the spare's agent to leave")
    warm.start()
    assert warm.exec(warm.first, "echo on").json()["stdout"] == "on\n"
    wait_for(lambda: spare not in warm.box_dirs(), "its directory to go")
    assert warm.api("GET", f"/sandboxes/{spare}").status == 404


def test_a_stop_takes_it_away(warm):
    spare, = warm.made_ahead()
    warm.kill_daemon(signal.SIGTERM)
    assert warm.box_dirs() == [warm.first]
    assert warm.agent_of(spare) is None
    warm.start()


def test_nobody_gets_the_same(warm):
    def spawn(_):
        with warm.client() as c:
            return c.request("POST", API + "/sandboxes", {"ttl": "1h"})
    with concurrent.futures.ThreadPoolExecutor(12) as pool:
        got = list(pool.map(spawn, range(24)))
    assert [r.status for r in got] == [201] * 24
    ids = {r.json()["id"] for r in got}
    assert len(ids) == 24 and warm.first not in ids
    for sid in ids:
        r = warm.exec(sid, "hostname").json()
        assert r["stdout"] == sid + "\n"


def test_nobody_sees_or_reaches_it(warm):
    spare, = warm.made_ahead()
    listed = [b["id"] for b in warm.api("GET", "/sandboxes").json()]
    assert listed == [warm.first]
    warm.api("DELETE", f"/sandboxes/{spare}")  # there is none, so it is gone
    assert warm.api("GET", f"/sandboxes/{spare}").status == 404
    assert warm.api("POST", f"/sandboxes/{spare}/exec",
                    {"command": "id"}).status == 404
    assert warm.sandbox(ttl="1h")["id"] == spare


def test_none_unless_wanted(new_instance, provider):
    if provider != "native":
        pytest.skip("only native boxes are made ahead")
    inst = new_instance(spares=0)
    inst.start()
    for _ in range(2):
        box = inst.sandbox(ttl="1h")
        assert box["timings"]["clone_ms"] > 0
    assert not inst.made_ahead()


def test_it_goes_when_nobody_spawns(new_instance, provider):
    """Five minutes (here three seconds) after the last spawn, and none takes
    its place until somebody spawns again."""
    if provider != "native":
        pytest.skip("only native boxes are made ahead")
    inst = new_instance(spares=1, **svm.hurried(spare_idle=3000))
    inst.start()
    first = inst.sandbox(ttl="1h")["id"]
    spare, = wait_for(inst.made_ahead, "a spare box")
    pid = wait_for(lambda: inst.agent_of(spare), "its agent")
    wait_for(lambda: inst.box_dirs() == [first], "the spare to go")
    assert not svm.pid_alive(pid) and inst.made_ahead() == [spare]
    box = inst.sandbox(ttl="1h")
    assert box["id"] != spare and box["timings"]["clone_ms"] > 0
    wait_for(lambda: len(inst.made_ahead()) == 2, "another one")


@pytest.mark.root
@pytest.mark.parametrize("blocks, kept", [(63, False), (64, True)])
def test_none_of_few_ids(new_instance, provider, blocks, kept):
    """Where there are few, the next sandbox may need those of a spare."""
    if provider != "native":
        pytest.skip("only native boxes are made ahead")
    inst = new_instance(spares=1, env={
        "STACYVM_PROVIDERS_NATIVE_BASE_UID": str(0xfffe0000 - blocks * 65536)})
    inst.start()
    if kept:
        inst.sandbox(ttl="1h")
        wait_for(inst.made_ahead, "a spare box")
        return
    for _ in range(5):
        box = inst.sandbox(ttl="1h")
        assert box["timings"]["clone_ms"] > 0
        assert inst.exec(box["id"], "echo hi").json()["stdout"] == "hi\n"
    assert not inst.made_ahead()
