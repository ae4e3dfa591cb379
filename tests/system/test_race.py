# SPDX-License-Identifier: MIT
"""Everybody does everything to one sandbox at once: what must hold then.

Run by the thread sanitizer too (check-full), for which the daemon's own
threads matter and the provider does not."""
import json
import signal
import sqlite3
import threading

import pytest

from svm import API, wait_for

ROUNDS, CALLERS = 12, 6


def race(inst, sid, seen, gone):
    """One caller's turn.  seen: (what, status, body); gone is set once a
    DELETE was answered."""
    base = f"{API}/sandboxes/{sid}"
    calls = (
        ("exec", "POST", base + "/exec", {"command": "echo well"}),
        ("extend", "POST", base + "/extend", {"ttl": "1h"}),
        ("write", "POST", base + "/files", {"path": "/workspace/f",
                                            "content": "x"}),
        ("label", "PATCH", base, {"name": "raced",
                                  "metadata": {"k": "x"}}),
        ("get", "GET", base, None),
        ("list", "GET", API + "/sandboxes", None),
    )

    def go(which):
        with inst.client() as c:
            for i in range(len(calls)):
                name, method, path, body = calls[(i + which) % len(calls)]
                was_gone = gone.is_set()
                r = c.request(method, path, body)
                seen.append((name, r.status, r.body, was_gone))
                if i != which % len(calls):
                    continue
                # Half of them let it expire, half destroy it.
                if which % 2:
                    r = c.request("POST", base + "/extend", {"ttl": "1ms"})
                    seen.append(("expire", r.status, r.body, False))
                else:
                    r = c.request("DELETE", base)
                    seen.append(("destroy", r.status, r.body, False))
                    if r.status == 200:
                        gone.set()
    return go


def check(sid, seen):
    for name, status, body, was_gone in seen:
        assert status in (200, 404, 409), (name, status, body)
        if name == "destroy":
            assert status == 200, body
        if name == "exec" and status == 200:
            assert json.loads(body)["stdout"] == "well\n", body
        if was_gone:  # asked after a DELETE was answered
            if name == "list":
                assert sid.encode() not in body, "listed after its end"
            else:
                assert status == 404, (name, status, body)


@pytest.mark.seconds(120)
def test_all_at_once_on_one_id(new_instance):
    inst = new_instance()
    inst.start()
    other = inst.sandbox()["id"]
    for _ in range(ROUNDS):
        sid = inst.sandbox(ttl="1h")["id"]
        seen, gone = [], threading.Event()
        go = race(inst, sid, seen, gone)
        threads = [threading.Thread(target=go, args=(i,))
                   for i in range(CALLERS)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        assert len(seen) == CALLERS * 7, "a caller got no answer"
        check(sid, seen)
        ends = [e for e in events(inst, sid)
                if e in ("sandbox.destroyed", "sandbox.expired")]
        assert "sandbox.destroyed" in ends, ends
        assert len(ends) == len(set(ends)), f"ended twice: {ends}"
    assert inst.exec(other, "echo well").json()["stdout"] == "well\n"
    assert inst.api("GET", "/audit/verify", check=200).json()["ok"]
    inst.destroy_all()
    wait_for(lambda: inst.api("GET", "/sandboxes").json() == [],
             "every row to be gone")
    inst.kill_daemon(signal.SIGTERM)
    inst.check_sanitizers()


def events(inst, sid):
    """Types of all that happened to it, from the store."""
    with sqlite3.connect(inst.state / "db") as db:
        return [t for t, in db.execute(
            "SELECT type FROM events WHERE sandbox_id = ?", (sid,))]
