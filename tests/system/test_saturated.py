# SPDX-License-Identifier: MIT
"""Clients that never read take every stream, event and WebSocket slot there
is: the others are served as ever, and memory stays bounded."""
import contextlib
import pathlib
import resource
import time

import pytest

import svm
from http_unix import Client, WebSocket
from svm import API, wait_for

pytestmark = [pytest.mark.native, pytest.mark.seconds(240)]

STREAMS, EVENTS, WEBSOCKETS = 256, 2048, 256  # lib/api/limits.h
BOXES = 12  # an agent has sessions of its own to count
# "At once" on a machine that does other work, under a sanitizer too.
PROMPT = 10


def resident(pid):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) << 10
    return 0


def bounded(daemon):
    """Two full queues for each stream, and what else it has."""
    most = (STREAMS + WEBSOCKETS) * 2 * (256 << 10) + (64 << 20)
    assert resident(daemon) < most * (4 if svm.SANITIZED else 1)


def descriptors(n):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < n:
        pytest.skip(f"needs {n} descriptors, RLIMIT_NOFILE is {hard}")
    if soft < n:
        resource.setrlimit(resource.RLIMIT_NOFILE, (n, hard))


def stalled_stream(inst, box):
    c = inst.client().connect()
    c.begin("POST", f"{API}/sandboxes/{box}/exec",
            {"command": "yes", "stream": True})
    return c


def stalled_websocket(inst, box):
    w = WebSocket(inst.socket, f"{API}/sandboxes/{box}/exec/ws")
    assert w.response.status == 101, w.response
    w.send({"type": "start", "command": "yes"})
    return w


def stalled_subscriber(inst):
    c = inst.client().connect()
    c.begin("GET", f"{API}/events")
    return c


def others_are_served(inst, box):
    with inst.client(timeout=PROMPT) as c:
        for _ in range(20):
            began = time.monotonic()
            assert c.request("GET", f"{API}/health").status == 200
            assert time.monotonic() - began < PROMPT
        r = c.request("POST", f"{API}/sandboxes/{box}/exec",
                      {"command": "echo fine"})
        assert r.status == 200 and r.json()["stdout"] == "fine\n", r
        assert c.request("GET", f"{API}/sandboxes").status == 200


def refused(inst, begin):
    c = begin()
    r = c.reply() if isinstance(c, Client) else c.response
    assert r.status == 429 and "retry-after" in r.headers, r
    c.close()


def test_the_others_are_served(new_instance):
    descriptors(8192)
    inst = new_instance()
    inst.start()
    daemon = inst.daemon_pid()
    boxes = [inst.sandbox(pids=512, memory_mb=512)["id"]
             for _ in range(BOXES)]
    free = inst.sandbox()["id"]
    with contextlib.ExitStack() as held:
        def hold(c):
            held.callback(c.close)
            return c

        for i in range(STREAMS):
            c = hold(stalled_stream(inst, boxes[i % BOXES]))
            assert c.head().status == 200
        bounded(daemon)
        for i in range(WEBSOCKETS):
            hold(stalled_websocket(inst, boxes[i % BOXES]))
        bounded(daemon)
        for _ in range(EVENTS):
            assert hold(stalled_subscriber(inst)).head().status == 200
        others_are_served(inst, free)
        refused(inst, lambda: stalled_stream(inst, free))
        refused(inst, lambda: stalled_subscriber(inst))
        refused(inst, lambda: WebSocket(
            inst.socket, f"{API}/sandboxes/{free}/exec/ws"))
        others_are_served(inst, free)
        bounded(daemon)

    # Gone with them are their commands; what they held is free again.
    def there_is_room():
        c = stalled_stream(inst, free)
        status = c.head().status
        c.close()
        return status == 200

    wait_for(there_is_room, "a stream to be free", 60)
    wait_for(lambda: "yes" not in svm.descendants().values(),
             "the streamed commands to end", 60)
    others_are_served(inst, free)
