# SPDX-License-Identifier: MIT
"""Somebody sets the clock on the wall: lives, silence, sessions and records
go by clocks that nobody can set."""
import time
from datetime import datetime, timezone

import pytest

import svm
from svm import API, wait_for

DAY = 86400


@pytest.fixture(params=[1, -1], ids=["forward", "back"])
def jumps(request, new_instance, tmp_path):
    """An instance and what sets its clock a day forward, or back."""
    file = tmp_path / "jump"
    short = svm.hurried(http_keepalive=300)
    short["env"]["STACYVM_FAULT_CLOCK"] = str(file)
    inst = new_instance(**short).start()

    def jump():
        file.write_text(str(request.param * DAY * 10**9))
        assert abs(now(inst) - time.time() - request.param * DAY) < 3600

    return inst, jump


def seconds(text):
    return datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone(
        timezone.utc).timestamp()


def now(inst):
    """What time the daemon believes it is: that of its newest record."""
    inst.api("POST", "/sandboxes", {"provider": "none-such"}, check=400)
    r = inst.api("GET", "/audit?limit=1000", check=200).json()
    return seconds(max(r, key=lambda x: x["seq"])["time"])


def state(inst, sid):
    r = inst.api("GET", f"/sandboxes/{sid}")
    return r.json()["state"] if r.status == 200 else r.status


def test_lives(jumps):
    """Who has an hour keeps it, who has seconds ends."""
    inst, jump = jumps
    long = inst.sandbox(ttl="1h")["id"]
    short = inst.sandbox(ttl="3s")["id"]
    begun = time.monotonic()
    jump()
    wait_for(lambda: state(inst, short) == 404, "the short life to end")
    assert time.monotonic() - begun < 60
    assert state(inst, long) == "running"
    assert inst.exec(long, "echo on").json()["stdout"] == "on\n"
    # It may be longer still, and asking for that never ends it.
    inst.api("POST", f"/sandboxes/{long}/extend", {"ttl": "2h"}, check=200)
    assert state(inst, long) == "running"
    # New ones are what they are anywhere.
    new = inst.sandbox(ttl="1h")
    left = seconds(new["expires_at"]) - seconds(new["created_at"])
    assert abs(left - 3600) < 60, new
    # The next daemon knows only the new time.
    inst.kill_daemon()
    inst.start()
    assert state(inst, long) == state(inst, new["id"]) == "running"
    inst.api("POST", f"/sandboxes/{long}/extend", {"ttl": "3h"}, check=200)
    assert inst.exec(long, "echo on").json()["stdout"] == "on\n"


def test_silence_and_sessions(jumps):
    """Signs of life come as before, and a terminal goes on."""
    inst, jump = jumps
    sid = inst.sandbox(ttl="1h")["id"]
    inst.exec(sid, "sleep 1000", tty=True, detach=True)
    with inst.client() as c:
        c.begin("POST", f"{API}/sandboxes/{sid}/exec", {
            "command": "until [ -e go ]; do sleep 0.05; done; sleep 1; echo done",
            "timeout": "1m"})
        jump()
        begun = time.monotonic()
        assert inst.exec(sid, "touch go").json()["exit_code"] == 0
        r = c.reply("POST")
        assert r.json()["stdout"] == "done\n" and r.status == 200, r
        assert 102 in r.interim
        assert time.monotonic() - begun < 60
    [session] = inst.api("GET", f"/sandboxes/{sid}/sessions", check=200).json()
    assert session["state"] == "running"
    r = inst.exec(sid, "sleep 1000", timeout="500ms")
    assert r.status == 408 or r.json().get("timeout"), r


def test_records(jumps):
    """They stay in the order in which things happened, and whole."""
    inst, jump = jumps
    one = inst.sandbox(ttl="1h", name="one")["id"]
    jump()
    two = inst.sandbox(ttl="1h", name="two")["id"]
    inst.api("DELETE", f"/sandboxes/{one}", check=200)
    rows = inst.api("GET", "/audit?limit=1000", check=200).json()
    rows.sort(key=lambda r: r["seq"])
    seen = [(r["action"], r["sandbox_id"]) for r in rows
            if r["action"] in ("sandbox.create", "sandbox.destroy") and
            r["sandbox_id"]]
    assert seen == [("sandbox.create", one), ("sandbox.create", two),
                    ("sandbox.destroy", one)]
    assert inst.api("GET", "/audit/verify", check=200).json()["ok"]
    text = inst.api("GET", "/events?since=0&follow=false", check=200).text
    ids = [int(x[3:]) for x in text.split("\n") if x.startswith("id:")]
    assert ids == sorted(ids) and len(set(ids)) == len(ids) > 2, ids
