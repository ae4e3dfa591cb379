# SPDX-License-Identifier: MIT
"""The audit trail: complete, chained, and honest about what was cut off."""
import csv
import io
import json
import signal
import sqlite3
import threading
import time

import pytest
import svm
from test_auth import ADMIN, KEY, start

API = "/api/v1"


def records(inst, query=""):
    return inst.api("GET", f"/audit?limit=1000{query}", check=200).json()


def wait_record(inst, **want):
    """The newest record with these members, once it is there."""
    def find():
        return [r for r in records(inst)
                if all(r[k] == v for k, v in want.items())]
    return svm.wait_for(find, f"an audit record {want}")[-1]


def verify(inst):
    return inst.api("GET", "/audit/verify", check=200).json()


def test_what_is_recorded(inst):
    inst.start()
    sid = inst.api("POST", "/sandboxes", {"provider": "mock"},
                   {"X-User-ID": "alice", "X-Request-ID": "req-1"},
                   check=201).json()["id"]
    # Spawn and destroy are on record before they are answered.
    made = [r for r in records(inst) if r["action"] == "sandbox.create"]
    assert len(made) == 1
    assert made[0]["actor"] == "alice" and made[0]["request_id"] == "req-1"
    assert made[0]["sandbox_id"] == sid and made[0]["owner_id"] == "alice"
    assert made[0]["result"] == "ok"

    inst.exec(sid, "exit 3", env={"SECRET": "hunter2"}, stdin="hunter3")
    end = wait_record(inst, action="exec.end", sandbox_id=sid)
    assert end["target"] == "exit 3" and end["result"] == "exit 3"
    wait_record(inst, action="exec.start", sandbox_id=sid)
    inst.exec(sid, "sleep 60", timeout="50ms")
    wait_record(inst, action="exec.end", result="TIMEOUT")
    inst.exec(sid, "true; " + "x" * 5000)
    long = wait_record(inst, action="exec.start", sandbox_id=sid)
    assert long["target"].startswith("true; xxx")
    assert len(long["target"]) <= 512

    files = f"/sandboxes/{sid}/files"
    inst.api("POST", files, {"path": "/workspace/a", "content": "hunter4"},
             check=200)
    wait_record(inst, action="file.write", target="/workspace/a",
                result="ok")
    inst.api("PUT", files + "?path=/workspace/b", b"hunter5", check=200)
    wait_record(inst, action="file.write", target="/workspace/b")
    inst.api("POST", files + "/move",
             {"old_path": "/workspace/a", "new_path": "/workspace/c"},
             check=200)
    wait_record(inst, action="file.move",
                target="/workspace/a -> /workspace/c")
    inst.api("POST", files + "/chmod",
             {"path": "/workspace/c", "mode": "600"}, check=200)
    wait_record(inst, action="file.chmod", target="/workspace/c")
    inst.api("DELETE", files + "?path=/workspace/c", check=200)
    wait_record(inst, action="file.delete", target="/workspace/c")

    inst.api("POST", files, {"path": "/", "content": ""})
    wait_record(inst, action="file.write", target="/", result="BAD_REQUEST")
    inst.api("POST", f"/sandboxes/{sid}/extend", {"ttl": "1h"}, check=200)
    wait_record(inst, action="sandbox.extend", sandbox_id=sid)
    inst.api("POST", "/sandboxes", {"provider": "none-such"}, check=400)
    wait_record(inst, action="sandbox.create", result="BAD_REQUEST")

    inst.api("DELETE", f"/sandboxes/{sid}", headers={"X-User-ID": "bob"},
             check=200)
    gone = [r for r in records(inst) if r["action"] == "sandbox.destroy"]
    assert [(r["actor"], r["owner_id"]) for r in gone] == [("bob", "alice")]
    text = json.dumps(records(inst))
    for secret in ("hunter2", "hunter3", "hunter4", "hunter5"):
        assert secret not in text
    v = verify(inst)
    assert v["ok"] and v["records"] == v["last"] and v["first"] == 1


def test_commands_over_websocket(inst):
    inst.start()
    sid = inst.sandbox(provider="mock")["id"]
    ws = inst.ws(f"/sandboxes/{sid}/exec/ws")
    ws.send({"type": "start", "command": "exit 7"})
    list(ws.messages())
    ws.close()
    end = wait_record(inst, action="exec.end", sandbox_id=sid)
    assert end["target"] == "exit 7" and end["result"] == "exit 7"
    assert end["actor"].startswith("uid:") and end["request_id"]


def test_the_daemon_itself_is_an_actor(inst):
    inst.start()
    sid = inst.sandbox(provider="mock", ttl="1s")["id"]
    r = wait_record(inst, action="sandbox.destroy", sandbox_id=sid)
    assert r["actor"] == "daemon" and r["request_id"] is None
    assert "time to live" in r["target"]


def test_filters_and_formats(inst):
    inst.start()
    one = inst.sandbox(provider="mock")["id"]
    two = inst.sandbox(provider="mock")["id"]
    inst.exec(one, "echo 'a,\"b' =1")
    wait_record(inst, action="exec.end", sandbox_id=one)
    every = records(inst)
    assert [r["seq"] for r in every] == list(range(1, len(every) + 1))
    assert all(r["sandbox_id"] == one
               for r in records(inst, f"&sandbox_id={one}"))
    assert {r["sandbox_id"] for r in records(inst, "&action=sandbox.create")
            } == {one, two}
    assert records(inst, "&actor=nobody") == []
    assert records(inst, f"&since={every[-2]['seq']}") == every[-1:]
    assert records(inst, "&since=1h") == every
    assert records(inst, f"&since={every[-1]['time'][:4]}-01-01T00:00:00Z"
                   ) == every
    last = inst.api("GET", "/audit?limit=2", check=200).json()
    assert last == every[-2:]

    r = inst.api("GET", "/audit?format=jsonl", check=200)
    assert r.headers["content-type"] == "application/x-ndjson"
    assert [json.loads(x) for x in r.text.splitlines()] == every
    r = inst.api("GET", "/audit?format=csv", check=200)
    assert r.headers["content-type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(r.text)))
    assert [x["hash"] for x in rows] == [x["hash"] for x in every]
    assert [x["target"] for x in rows] == [x["target"] or "" for x in every]
    for bad in ("limit=x", "limit=999999", "format=xml", "since=yesterday"):
        assert inst.api("GET", f"/audit?{bad}").status == 400, bad
    for sid in (one, two):
        inst.api("DELETE", f"/sandboxes/{sid}", check=200)


def test_an_export_of_many_is_whole(inst):
    """More than one batch and more than what may be queued."""
    inst.start()
    sid = inst.sandbox(provider="mock")["id"]
    for i in range(1500):
        inst.api("POST", f"/sandboxes/{sid}/files",
                 {"path": f"/none/../{'d' * 200}/{i}", "mode": "bad"},
                 check=400)
    seqs = lambda: [json.loads(x)["seq"] for x in inst.api(
        "GET", "/audit?format=jsonl", check=200).text.splitlines()]
    svm.wait_for(lambda: len(seqs()) >= 1501, "all records")
    got = seqs()
    assert got == list(range(1, len(got) + 1))
    assert len(records(inst, "")) == 1000
    assert verify(inst)["ok"]


def tamper(inst, sql, *args):
    with sqlite3.connect(inst.state / "db") as db:
        assert db.execute(sql, args).rowcount
    db.close()


def some_records(inst, n=6):
    inst.start()
    for _ in range(n):
        inst.api("POST", "/sandboxes", {"provider": "none-such"}, check=400)
    svm.wait_for(lambda: len(records(inst)) >= n, "records")
    assert verify(inst)["ok"]


@pytest.mark.parametrize("column,value", [
    ("actor", "mallory"), ("owner", "mallory"), ("action", "file.read"),
    ("result", "ok"), ("target", None), ("target", ""), ("wall_ns", 1),
    ("sandbox_id", "sb-00000000"), ("request_id", "x"), ("total", 1),
    ("hash", b"\0" * 32), ("hash", b""), ("seq", 100)])
def test_a_changed_row_is_named(inst, column, value):
    some_records(inst)
    tamper(inst, f"UPDATE audit SET {column} = ? WHERE seq = 3", value)
    v = verify(inst)
    assert not v["ok"] and v["broken_at"] == 3, v
    assert v["problem"]


def test_removed_rows_are_named(inst):
    some_records(inst)
    tamper(inst, "DELETE FROM audit WHERE seq = 4")
    v = verify(inst)
    assert not v["ok"] and v["broken_at"] == 4, v


def test_a_shortened_trail_is_noticed(inst):
    """Also when the daemon goes on writing after it, restarted between."""
    some_records(inst, 6)
    inst.drop_client()
    inst.kill_daemon(signal.SIGTERM)
    tamper(inst, "DELETE FROM audit WHERE seq > 4")
    inst.start()
    assert verify(inst)["broken_at"] == 5
    inst.api("POST", "/sandboxes", {"provider": "none-such"}, check=400)
    svm.wait_for(lambda: verify(inst)["problem"] == "records are missing",
                 "the gap")
    assert verify(inst)["broken_at"] == 5


def test_a_forged_cut_is_noticed(inst):
    some_records(inst)
    with sqlite3.connect(inst.state / "db") as db:
        h = db.execute("SELECT hash FROM audit WHERE seq = 2").fetchone()[0]
        db.execute("DELETE FROM audit WHERE seq <= 2")
        db.execute("UPDATE audit_ends SET cut_seq = 2, cut_hash = ?", (h,))
    db.close()
    v = verify(inst)
    assert not v["ok"] and v["broken_at"] == 3, v


def test_retention_by_time_and_size(new_instance):
    inst = new_instance(env={"STACYVM_AUDIT_MAX_SIZE": "4000"})
    inst.start()
    for _ in range(100):
        inst.api("POST", "/sandboxes", {"provider": "none-such"}, check=400)
    svm.wait_for(lambda: records(inst)[-1]["seq"] >= 100, "records")
    inst.drop_client()
    inst.kill_daemon(signal.SIGTERM)
    inst.start()
    trim = wait_record(inst, action="audit.trim")
    assert trim["actor"] == "daemon" and trim["target"].startswith(
        "records 1 to ")
    left = records(inst)
    assert 10 < len(left) < 60, len(left)
    v = verify(inst)
    assert v["ok"] and v["first"] > 40, v
    assert v["checkpoint"]["seq"] == v["first"] - 1
    assert v["checkpoint"]["hash"] in trim["target"]

    inst.env["STACYVM_AUDIT_RETENTION"] = "1ms"
    inst.drop_client()
    inst.kill_daemon(signal.SIGTERM)
    inst.start()
    svm.wait_for(lambda: [r["action"] for r in records(inst)] ==
                 ["audit.trim"], "all others to be gone")
    v = verify(inst)
    assert v["ok"] and v["records"] == 1, v
    # What was cut off can't be cut off further in silence.
    tamper(inst, "DELETE FROM audit")
    assert not verify(inst)["ok"]


def test_kill_during_appends(inst):
    """Nothing that was answered is lost, and the chain is whole."""
    inst.start()
    answered = []
    for round in range(4):
        stop = threading.Event()

        def spawn():
            with inst.client() as c:
                while not stop.is_set():
                    try:
                        r = c.request("POST", API + "/sandboxes",
                                      {"provider": "mock"})
                        answered.append(r.json()["id"])
                        c.request("POST", API + "/sandboxes",
                                  {"provider": "none-such"})
                    except OSError:
                        return

        threads = [threading.Thread(target=spawn) for _ in range(3)]
        for t in threads:
            t.start()
        svm.wait_for(lambda n=len(answered): len(answered) > n + 6, "spawns")
        inst.kill_daemon(signal.SIGKILL)
        stop.set()
        for t in threads:
            t.join()
        inst.drop_client()
        inst.start()
        v = verify(inst)
        assert v["ok"], v
        made = {r["sandbox_id"] for r in map(json.loads, inst.api(
            "GET", "/audit?format=jsonl&action=sandbox.create",
            check=200).text.splitlines()) if r["result"] == "ok"}
        assert set(answered) <= made


def test_refused_calls_and_who_may_read(new_instance):
    tcp = start(new_instance, AUTH_API_KEY=KEY, AUTH_ADMIN_API_KEY=ADMIN)
    inst = tcp.inst
    alice = tcp.by(X_API_Key=KEY, X_User_ID="alice")
    mallory = tcp.by(X_API_Key="wrong-key-secret", X_User_ID="alice")
    sid = alice("POST", "/sandboxes", {"provider": "mock"},
                check=201).json()["id"]
    mallory("GET", f"/sandboxes/{sid}", check=401)
    r = wait_record(inst, action="sandbox.get", result="UNAUTHORIZED")
    assert r["actor"].startswith(("uid:", "ip:")), "a claim is no identity"
    for path in ("/audit", "/audit/verify"):
        alice("GET", path, check=403)
    r = wait_record(inst, action="audit.verify", result="FORBIDDEN")
    assert r["actor"] == "alice"
    tcp("GET", "/no-such", check=401)
    admin = tcp.by(X_API_Key=ADMIN, X_User_ID="bob")
    admin("DELETE", f"/sandboxes/{sid}", check=200)
    r = wait_record(inst, action="sandbox.destroy")
    assert (r["actor"], r["owner_id"]) == ("admin/bob", "alice")
    assert admin("GET", "/audit/verify", check=200).json()["ok"]
    assert "wrong-key-secret" not in json.dumps(records(inst))


def test_a_flood_of_refusals_is_bounded(new_instance):
    tcp = start(new_instance, AUTH_API_KEY=KEY)
    begun = time.monotonic()
    for _ in range(200):
        tcp("GET", "/health", check=401)
    took = time.monotonic() - begun
    n = len([r for r in records(tcp.inst) if r["result"] == "UNAUTHORIZED"])
    assert 0 < n <= 120 + 2 * took, n


def test_command_line(inst):
    sid = inst.spawn()
    inst.ok("exec", sid, "--", "true")
    wait_record(inst, action="exec.end", sandbox_id=sid)
    text = inst.ok("audit", "ls").text
    assert "sandbox.create" in text and sid in text
    rows = inst.ok("audit", "ls", "--json", "--sandbox", sid,
                   "--action", "exec.end").json()
    assert [r["target"] for r in rows] == ["true"]
    inst.ok("kill", sid)
    assert "sandbox.destroy" in inst.ok("audit", "ls", "--sandbox", sid).text
    lines = inst.ok("audit", "export").text.splitlines()
    assert [json.loads(x) for x in lines] == records(inst)
    assert inst.ok("audit", "export", "--as", "csv", "-n", "1"
                   ).text.startswith("seq,time,")
    assert inst.ok("audit", "verify", "--json").json()["ok"]
    tamper(inst, "UPDATE audit SET actor = 'eve' WHERE seq = 2")
    r = inst.must_fail("audit", "verify")
    assert r.code == 1 and "record 2" in r.errtext
