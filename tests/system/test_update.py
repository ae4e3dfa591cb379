# SPDX-License-Identifier: MIT
"""PATCH /sandboxes/{id}: another name, other metadata, while it lives."""
import json
import signal
import sqlite3
import threading

import pytest

from svm import API, hurried, wait_for


@pytest.fixture
def inst(new_instance):
    """Whose sandboxes cost nothing."""
    i = new_instance(provider="mock")
    i.start()
    return i


@pytest.fixture
def impatient(new_instance):
    """One that soon gives up waiting for who else writes the database."""
    return new_instance(provider="mock", **hurried(store_busy=500)).start()


def patch(inst, sid, body, check=200, **kw):
    r = inst.api("PATCH", f"/sandboxes/{sid}", body, check=check, **kw)
    return r.json()


def get(inst, sid):
    return inst.api("GET", f"/sandboxes/{sid}", check=200).json()


def refused(inst, sid, body, status=400, code="BAD_REQUEST", **kw):
    before = get(inst, sid)
    e = patch(inst, sid, body, status, **kw)
    assert e["code"] == code and e["message"], e
    assert get(inst, sid) == before, "refused, and yet something changed"
    return e


def test_what_is_named_changes_and_nothing_else(inst):
    sid = inst.sandbox(name="one", metadata={"a": "1", "b": "2"},
                       ttl="1h")["id"]
    before = get(inst, sid)
    o = patch(inst, sid, {"name": "two", "metadata": {"a": "x=y", "c": "",
                                                      "b": None, "no": None}})
    assert o == get(inst, sid)
    assert o == {**before, "name": "two",
                 "metadata": {"a": "x=y", "c": ""}}
    assert get(inst, "two") == o
    inst.api("GET", "/sandboxes/one", check=404)
    assert [b["id"] for b in inst.api(
        "GET", "/sandboxes?metadata.a=x%3Dy").json()] == [sid]
    # By its name as well.
    assert patch(inst, "two", {"name": None}) == {
        k: v for k, v in o.items() if k != "name"}
    inst.api("GET", "/sandboxes/two", check=404)
    patch(inst, sid, {"name": "three"})
    assert "name" not in patch(inst, sid, {"name": ""})
    assert patch(inst, sid, {"metadata": None})["metadata"] == {}


def test_what_is_not_named_stays(inst):
    sid = inst.sandbox(name="one", metadata={"a": "1"})["id"]
    before = get(inst, sid)
    for body in ({}, None, {"metadata": {}}, {"surprise": [1]},
                 {"state": "error", "owner_id": "eve", "id": "sb-00000000"}):
        assert patch(inst, sid, body) == before
    assert patch(inst, sid, {"name": "one"}) == before, "its own name"


def test_what_a_spawn_refuses(inst):
    sid = inst.sandbox(name="one", metadata={"a": "1"})["id"]
    inst.sandbox(name="taken")
    for name in ("Upper", "-x", "x" * 64, "a b", 7, True, ["x"], "ä"):
        refused(inst, sid, {"name": name})
    for metadata in ("x", ["a"], 1, {"k": 1}, {"k": {"x": "y"}}, {"": "x"},
                     {"k=": "x"}, {"k" * 129: "x"}, {"k": "x" * 4097},
                     {f"k{i}": "" for i in range(64)}):
        refused(inst, sid, {"metadata": metadata})
        # Whole or not at all.
        refused(inst, sid, {"name": "good", "metadata": metadata})
    refused(inst, sid, [])
    e = refused(inst, sid, {"name": "taken"}, 409, "CONFLICT")
    assert "taken" in e["message"] and e["remediation"]
    # What is removed makes room.
    full = {f"k{i}": "" for i in range(64)}
    assert patch(inst, sid, {"metadata": {**full, "a": None}})[
        "metadata"] == full


def test_owners_are_apart(inst):
    alice, bob = {"X-User-ID": "alice"}, {"X-User-ID": "bob"}
    a = inst.api("POST", "/sandboxes", {"name": "web"}, alice).json()["id"]
    b = inst.api("POST", "/sandboxes", {"name": "db"}, bob).json()["id"]
    # A name is taken for its owner only, whoever asks.
    assert patch(inst, b, {"name": "web"}, headers=alice)["name"] == "web"
    assert get(inst, b)["owner_id"] == "bob"
    inst.api("POST", "/sandboxes", {"name": "web"}, bob, check=409)
    assert patch(inst, "web", {"metadata": {"x": "1"}},
                 headers=bob)["id"] == b
    assert get(inst, a)["metadata"] == {}


def test_there_is_none(inst):
    assert patch(inst, "sb-00000000", {"name": "x"}, 404)[
        "code"] == "NOT_FOUND"
    sid = inst.sandbox()["id"]
    inst.api("DELETE", f"/sandboxes/{sid}", check=200)
    patch(inst, sid, {"name": "x"}, 404)


def test_warm_copies_are_nobodys(inst):
    inst.api("POST", "/templates", {"name": "t", "image": "host",
                                    "provider": "mock", "pool_size": 1},
             check=201)
    wait_for(lambda: inst.api("GET", "/pool/status").json()["warm"][0][
        "ready"] == 1, "a warm copy")
    with sqlite3.connect(inst.state / "db") as db:
        (sid,), = db.execute("SELECT id FROM sandboxes").fetchall()
    patch(inst, sid, {"name": "x"}, 404)
    o = inst.api("POST", "/templates/t/spawn", {}, check=201).json()
    assert o["id"] == sid
    # From then on it is one like others, and a claim is told once.
    assert patch(inst, sid, {"name": "mine"})["metadata"] == {"template": "t"}
    assert [e["type"] for e in events(inst, sid)] == [
        "sandbox.created", "sandbox.running", "sandbox.updated"]
    inst.api("DELETE", "/templates/t", check=200)


def test_a_copy_on_its_way_to_somebody_is_left_alone(inst):
    inst.api("POST", "/templates", {"name": "t", "image": "host",
                                    "provider": "mock", "pool_size": 1},
             check=201)
    wait_for(lambda: inst.api("GET", "/pool/status").json()["warm"][0][
        "ready"] == 1, "a warm copy")
    got = []

    def claim():
        with inst.client() as c:
            got.append(c.request("POST", API + "/templates/t/spawn", {}))

    with sqlite3.connect(inst.state / "db", isolation_level=None) as db:
        db.execute("BEGIN IMMEDIATE")  # its new row can't be stored yet
        t = threading.Thread(target=claim)
        t.start()
        (o,) = wait_for(lambda: inst.api("GET", "/sandboxes").json(),
                        "the claim")
        e = refused(inst, o["id"], {"name": "x"}, 409, "CONFLICT")
        assert "creating" in e["message"]
        db.execute("ROLLBACK")
    db.close()
    t.join()
    assert got[0].status == 201 and got[0].json()["id"] == o["id"]
    patch(inst, o["id"], {"name": "x"})
    assert [e["type"] for e in events(inst, o["id"])] == [
        "sandbox.created", "sandbox.running", "sandbox.updated"]
    inst.api("DELETE", "/templates/t", check=200)


def test_one_that_is_made_is_left_alone(new_instance):
    i = new_instance(provider="mock")
    i.start()
    with i.client() as c:
        # Its setup keeps it creating.
        i.api("POST", "/templates", {
            "name": "slow", "image": "host", "provider": "mock",
            "setup": ["sleep 1000"]}, check=201)
        t = threading.Thread(target=lambda: c.request(
            "POST", API + "/sandboxes", {"template": "slow"}))
        t.start()
        (o,) = wait_for(lambda: [b for b in i.api(
            "GET", "/sandboxes").json() if b["state"] == "creating"],
            "one that is being made")
        e = patch(i, o["id"], {"name": "x"}, 409)
        assert "creating" in e["message"] and e["remediation"]
        assert e["code"] == "CONFLICT" and "name" not in get(i, o["id"])
        i.api("DELETE", f"/sandboxes/{o['id']}", check=200)
        t.join()
    i.api("DELETE", "/templates/slow", check=200)


def test_one_that_ends_is_left_alone(inst):
    sid = inst.sandbox(name="one")["id"]
    ended = []

    def end():
        with inst.client() as c:
            ended.append(c.request("DELETE", f"{API}/sandboxes/{sid}").status)

    with sqlite3.connect(inst.state / "db", isolation_level=None) as db:
        db.execute("BEGIN IMMEDIATE")  # its end can't be stored yet
        t = threading.Thread(target=end)
        t.start()
        wait_for(lambda: get(inst, sid)["state"] == "destroying", "its end")
        e = refused(inst, sid, {"name": "x"}, 409, "CONFLICT")
        assert "destroying" in e["message"]
        db.execute("ROLLBACK")
    db.close()
    t.join()
    assert ended == [200]


def events(inst, sid):
    r = inst.api("GET", f"/events?follow=false&since=0&sandbox_id={sid}")
    return [json.loads(line[5:]) for line in r.body.decode().splitlines()
            if line.startswith("data:")]


def test_it_is_told_and_recorded(inst):
    sid = inst.sandbox(metadata={"old": "secret-1"})["id"]
    patch(inst, sid, {"name": "web", "metadata": {"task": "secret-2",
                                                  "old": None}},
          headers={"X-User-ID": "alice"})
    patch(inst, sid, {"name": "web"})
    told = [e["data"] for e in events(inst, sid)
            if e["type"] == "sandbox.updated"]
    assert told == [{"changed": ["name", "metadata.old", "metadata.task"]}], \
        "once: the second changed nothing"
    trail = inst.api("GET", "/audit?action=sandbox.update").json()
    assert [(r["actor"], r["target"], r["result"]) for r in trail][0] == (
        "alice", "name=web metadata.old metadata.task", "ok")
    assert len(trail) == 2 and "secret" not in json.dumps(trail)
    refused(inst, sid, {"name": "No"})
    wait_for(lambda: [r for r in inst.api(
        "GET", "/audit?action=sandbox.update").json()
        if r["result"] == "BAD_REQUEST"], "the refusal on record")


def test_the_answer_survives_any_death(inst):
    sid = inst.sandbox(name="one", metadata={"a": "1"})["id"]
    o = patch(inst, sid, {"name": "two", "metadata": {"b": "2"}})
    inst.kill_daemon(signal.SIGKILL)
    inst.start()
    assert get(inst, sid) == o and get(inst, "two") == o
    assert inst.api("POST", "/sandboxes", {"name": "one"}).status == 201
    # A tombstone too.
    inst.api("DELETE", f"/sandboxes/{sid}", check=200)
    (dead,) = [b for b in inst.api("GET", "/sandboxes?all=true").json()
               if b["id"] == sid]
    assert (dead["name"], dead["metadata"]) == ("two", {"a": "1", "b": "2"})


def test_what_cannot_be_stored_did_not_happen(impatient):
    inst = impatient
    sid = inst.sandbox(name="one", metadata={"a": "1"})["id"]
    with sqlite3.connect(inst.state / "db", isolation_level=None) as db:
        db.execute("BEGIN IMMEDIATE")  # and nobody else may write
        refused(inst, sid, {"name": "two", "metadata": {"a": "2"}}, 503,
                "UNAVAILABLE")
        db.execute("ROLLBACK")
    db.close()
    assert get(inst, "one")["id"] == sid
    assert patch(inst, sid, {"name": "two"})["metadata"] == {"a": "1"}


def test_of_several_that_cannot_be_stored_none_did_happen(impatient):
    inst = impatient
    sid = inst.sandbox(name="one", metadata={"a": "1"})["id"]
    before, got = get(inst, sid), []

    def go(body):
        with inst.client() as c:
            got.append(c.request("PATCH", f"{API}/sandboxes/{sid}",
                                 body).status)

    threads = [threading.Thread(target=go, args=(b,)) for b in (
        {"name": "two"}, {"metadata": {"a": "2"}}, {"name": "three"})]
    with sqlite3.connect(inst.state / "db", isolation_level=None) as db:
        db.execute("BEGIN IMMEDIATE")  # and nobody else may write
        for t in threads:
            now = get(inst, sid)
            t.start()
            wait_for(lambda: get(inst, sid) != now or not t.is_alive(),
                     "it to take effect")
        for t in threads:
            t.join()
        db.execute("ROLLBACK")
    db.close()
    assert got == [503] * 3 and get(inst, sid) == before
    # One that follows tells what really changed.
    patch(inst, sid, {"name": "two"})
    assert [e["data"] for e in events(inst, sid)][-1] == {"changed": ["name"]}


def test_many_want_one_name(inst):
    ids = [inst.sandbox()["id"] for _ in range(8)]
    got = []

    def go(sid):
        with inst.client() as c:
            got.append(c.request("PATCH", f"{API}/sandboxes/{sid}",
                                 {"name": "it"}).status)

    threads = [threading.Thread(target=go, args=(i,)) for i in ids]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert sorted(got) == [200] + [409] * 7
