# SPDX-License-Identifier: MIT
"""Quotas, admission, and the queue of spawns."""
import json
import signal
import threading

import pytest

import svm
from svm import API, wait_for

KEY = "0123456789abcdef0123456789abcdef"


def spawn(inst, owner=None, **fields):
    return inst.api("POST", "/sandboxes", fields,
                    headers={"X-User-ID": owner} if owner else None)


def put(inst, owner, **quota):
    return inst.api("PUT", f"/quotas/{owner}", quota, check=200).json()


def events(inst, *types):
    text = inst.api("GET", "/events?since=0&follow=false", check=200).text
    found = [json.loads(line[6:]) for line in text.splitlines()
             if line.startswith("data: ")]
    return [e for e in found if not types or e["type"] in types]


def events_soon(inst, count, *types):
    """The same once there are so many: answers don't wait for events."""
    return wait_for(lambda: len(found := events(inst, *types)) >= count
                    and found, f"{count} of {types}")


def waiting(inst, owner):
    return inst.api("GET", f"/quotas/{owner}/usage",
                    check=200).json()["waiting_spawns"]


class Spawner(threading.Thread):
    """A spawn on a connection of its own, which may have to wait."""

    def __init__(self, inst, owner, **fields):
        super().__init__(daemon=True)
        self.client, self.owner, self.reply = inst.client(90), owner, None
        self.fields = fields
        self.start()

    def run(self):
        try:
            self.client.begin("POST", API + "/sandboxes", self.fields,
                              {"X-User-ID": self.owner})
            self.reply = self.client.reply("POST")
        except (OSError, ConnectionError):
            pass

    def leave(self):
        self.client.sock.shutdown(2)
        self.join(60)
        self.client.close()

    def done(self, status=None):
        self.join(60)
        assert self.reply is not None, "no reply"
        if status:
            assert self.reply.status == status, self.reply
        return self.reply


def queued(inst, owner, **fields):
    """A Spawner that certainly waits."""
    before = waiting(inst, owner)
    s = Spawner(inst, owner, **fields)
    wait_for(lambda: waiting(inst, owner) == before + 1 or s.reply,
             f"{owner} to wait")
    assert s.reply is None, s.reply
    return s


def test_a_spawn_says_that_it_waits(full):
    inst, taken = full()
    c = inst.client()
    c.begin("POST", API + "/sandboxes?frames=full", {"owner_id": "b"})
    lines = c.chunks(c.head())
    assert json.loads(next(lines)) == {
        "type": "progress", "stage": "queue", "waiting": 1}
    destroy(inst, taken[0])
    assert json.loads(next(lines))["stage"] == "create"
    assert json.loads(next(lines))["sandbox"]["owner_id"] == "b"
    c.close()


def destroy(inst, sandbox):
    inst.api("DELETE", f"/sandboxes/{sandbox['id']}", check=200)


def test_admission_is_the_spawn_but_for_its_image(shared):
    """What would be a mistake there is one here; no image is looked for."""
    for body, status in (({"image": "nowhere/none:1"}, 200),
                         ({"image": 5}, 400), ({"name": "No"}, 400),
                         ({"provider": "none"}, 400), ({"ttl": "x"}, 400),
                         ({"env": {"A": 1}}, 400), ({"network": "moon"}, 400),
                         ({"network": "bridge"}, 501)):
        r = shared.api("POST", "/sandboxes/admission", body)
        assert r.status == status, (body, r)


@pytest.fixture
def full(new_instance):
    """Makes an instance with a queue, and the sandboxes that fill it."""
    def make(places=1, short=None, **env):
        short = short or {"env": {}}
        inst = new_instance(**{**short, "env": {
            **short["env"], "STACYVM_DEFAULTS_MAX_SANDBOXES": str(places),
            "STACYVM_DEFAULTS_SPAWN_OVERFLOW": "queue",
            **{"STACYVM_" + k: v for k, v in env.items()}}})
        inst.start()
        taken = [spawn(inst, "x").json() for _ in range(places)]
        return inst, taken
    return make


# -- quotas

def test_put_get_list_delete(inst):
    inst.start()
    assert inst.api("GET", "/quotas", check=200).json() == []
    assert inst.api("GET", "/quotas/alice").status == 404
    q = put(inst, "alice@example.com", max_sandboxes=2, max_ttl="90m",
            max_exec_timeout="", max_memory_mb=512, surprise=[1])
    assert {k: v for k, v in q.items() if not k.endswith("_at")} == {
        "owner_id": "alice@example.com", "max_sandboxes": 2,
        "max_ttl": "1h30m0s", "max_exec_timeout": "0s", "max_memory_mb": 512,
        "max_vcpus": 0}
    again = put(inst, "alice@example.com", max_vcpus=1)
    assert again["max_sandboxes"] == 0 and again["max_ttl"] == "0s"
    assert again["created_at"] == q["created_at"]
    put(inst, "aaron", max_ttl="1h")
    assert inst.api("GET", "/quotas/alice%40example.com").json() == again
    assert [q["owner_id"] for q in inst.api("GET", "/quotas/").json()] == [
        "aaron", "alice@example.com"]
    assert inst.api("DELETE", "/quotas/aaron", check=200).json() == {
        "status": "deleted"}
    inst.api("DELETE", "/quotas/aaron", check=200)
    assert inst.api("GET", "/quotas/aaron").status == 404
    seen = [(e["type"], e["data"]["owner_id"]) for e in
            events_soon(inst, 4, "quota.saved", "quota.deleted")]
    assert seen[:4] == [("quota.saved", "alice@example.com"),
                        ("quota.saved", "alice@example.com"),
                        ("quota.saved", "aaron"), ("quota.deleted", "aaron")]


def test_summary_is_strict(inst):
    inst.start()
    assert inst.api("GET", "/quotas/summary", check=200).json() == {
        "total": 0, "with_max_sandboxes": 0, "with_max_ttl": 0,
        "with_max_exec_timeout": 0}
    put(inst, "a", max_sandboxes=1, max_ttl="1h")
    put(inst, "b", max_sandboxes=1, max_exec_timeout="1m")
    put(inst, "c")
    assert inst.api("GET", "/quotas/summary", check=200).json() == {
        "total": 3, "with_max_sandboxes": 2, "with_max_ttl": 1,
        "with_max_exec_timeout": 1}
    assert inst.api("PUT", "/quotas/summary", {}).status == 400


@pytest.mark.parametrize("body", [
    "[]", "{", '{"max_sandboxes":"2"}', '{"max_sandboxes":-1}',
    '{"max_sandboxes":1e99}', '{"max_ttl":5}', '{"max_ttl":"-1h"}',
    '{"max_ttl":"soon"}', '{"max_memory_mb":1.5}', '{"max_vcpus":100000}',
    '{"owner_id":"bob"}'])
def test_bad_quotas(shared, body):
    r = shared.api("PUT", "/quotas/alice", body)
    assert r.status == 400 and r.json()["code"] == "BAD_REQUEST", r
    assert shared.api("GET", "/quotas/alice").status == 404


@pytest.mark.parametrize("owner", ["a%20b", "a%2Fb", "%5C", "x" * 129,
                                   "..%2f..", "%C3%A9"])
def test_bad_owners(shared, owner):
    for method in ("GET", "PUT", "DELETE"):
        assert shared.api(method, f"/quotas/{owner}", "{}").status == 400
    assert shared.api("GET", f"/quotas/{owner}/usage").status == 400


def test_quotas_survive_the_daemon(inst):
    inst.start()
    q = put(inst, "alice", max_sandboxes=1)
    inst.kill_daemon(signal.SIGKILL)
    inst.start()
    assert inst.api("GET", "/quotas/alice", check=200).json() == q


def test_sandboxes(inst):
    inst.start()
    put(inst, "alice", max_sandboxes=1)
    first = spawn(inst, "alice").json()
    r = spawn(inst, "alice")
    assert r.status == 429 and r.json()["code"] == "RESOURCE_LIMIT", r
    assert r.headers["retry-after"]
    assert spawn(inst, "bob").status == 201
    u = inst.api("GET", "/quotas/alice/usage", check=200).json()
    assert u["active_sandboxes"] == 1 and u["max_sandboxes"] == 1
    assert u["memory_mb"] == first["memory_mb"]
    destroy(inst, first)
    assert spawn(inst, "alice").status == 201
    put(inst, "alice", max_sandboxes=2)
    assert spawn(inst, "alice").status == 201


def test_quota_wins_over_the_default(new_instance):
    inst = new_instance(env={
        "STACYVM_DEFAULTS_MAX_SANDBOXES_PER_OWNER": "1"}).start()
    put(inst, "alice", max_sandboxes=2)
    assert [spawn(inst, "alice").status for _ in range(3)] == [201, 201, 429]
    assert [spawn(inst, "bob").status for _ in range(2)] == [201, 429]
    inst.api("DELETE", "/quotas/alice", check=200)
    assert spawn(inst, "alice").status == 429


def test_ttl_memory_and_processors(inst):
    inst.start()
    put(inst, "alice", max_ttl="10m", max_memory_mb=256, max_vcpus=1)
    assert spawn(inst, "alice", ttl="11m").status == 400
    assert spawn(inst, "alice", memory_mb=257).status == 429
    assert spawn(inst, "alice", vcpus=2).status == 429
    # What was not asked for is cut to what is allowed.
    s = spawn(inst, "alice").json()
    assert s["memory_mb"] == 256
    assert _life(s) == 600
    for ttl in ("10m", "11m", "2562047h"): # clipped to the maximum life
        r = inst.api("POST", f"/sandboxes/{s['id']}/extend", {"ttl": ttl},
                     check=200).json()
        assert 595 <= _life(r) <= 600
    assert spawn(inst, "bob", ttl="11m", memory_mb=512).status == 201


def _life(s):
    from datetime import datetime
    t = [datetime.fromisoformat(s[k].replace("Z", "+00:00"))
         for k in ("created_at", "expires_at")]
    return round((t[1] - t[0]).total_seconds())


def test_exec_timeout(inst):
    inst.start()
    put(inst, "alice", max_exec_timeout="300ms")
    s = spawn(inst, "alice").json()
    for timeout in ("", "1h"):
        r = inst.exec(s["id"], "sleep 100", timeout=timeout)
        assert r.status == 408 and "300ms" in r.text, r
    other = spawn(inst, "bob").json()
    assert inst.exec(other["id"], "sleep 0.5", timeout="1h").status == 200


def test_command_line(inst):
    inst.start()
    r = inst.must_fail("quota", "set", "alice")
    assert "quota rm" in r.errtext
    r = inst.ok("--json", "quota", "set", "alice", "--max-sandboxes", "1",
                "--max-ttl", "2h", "--max-memory", "1g").json()
    assert (r["max_sandboxes"], r["max_ttl"], r["max_memory_mb"]) == (
        1, "2h0m0s", 1024)
    line = inst.ok("quota", "ls").text.splitlines()[1].split()
    assert line == ["alice", "1", "2h0m0s", "-", "1024", "-"]
    spawn(inst, "alice")
    assert inst.ok("--json", "quota", "get", "alice").json()[
        "active_sandboxes"] == 1
    r = inst.must_fail("spawn", env={"STACYVM_USER_ID": "alice"})
    assert "no more are allowed" in r.errtext
    inst.must_fail("quota", "set", "a/b", "--max-vcpus", "1")
    inst.must_fail("quota", "set", "alice", "--max-ttl", "soon")
    assert inst.ok("quota", "rm", "alice").text == "alice\n"
    assert inst.ok("--json", "quota", "ls").json() == []


def test_quotas_need_the_admin_key(new_instance):
    import test_auth
    server = test_auth.start(new_instance, AUTH_API_KEY=KEY,
                             AUTH_ADMIN_API_KEY=KEY[::-1])
    for method, path in (("GET", "/quotas"), ("GET", "/quotas/summary"),
                         ("GET", "/quotas/a"), ("PUT", "/quotas/a"),
                         ("DELETE", "/quotas/a"), ("GET", "/quotas/a/usage")):
        assert server(method, path).status == 401
        r = server(method, path, "{}", X_API_Key=KEY, X_User_ID="a")
        assert r.status == 403 and r.json()["code"] == "FORBIDDEN", r
        r = server(method, path, "{}", X_Admin_API_Key=KEY[::-1])
        assert r.status in (200, 404), r


# -- admission

def ask(inst, owner=None, **fields):
    return inst.api("POST", "/sandboxes/admission", fields, check=200,
                    headers={"X-User-ID": owner} if owner else None).json()


def test_admission_is_strict(inst):
    inst.start()
    assert ask(inst) == {
        "allowed": True, "queueable": False, "reason": "",
        "active_sandboxes": 0, "max_sandboxes": 0,
        "active_owner_sandboxes": 0, "max_owner_sandboxes": 0,
        "max_ttl": "24h0m0s"}
    put(inst, "alice", max_sandboxes=1, max_ttl="1h", max_memory_mb=64)
    spawn(inst, "bob")
    spawn(inst, "alice")
    got = ask(inst, owner_id="alice")
    assert got.pop("reason")
    assert got == {
        "allowed": False, "queueable": False, "active_sandboxes": 2,
        "max_sandboxes": 0, "active_owner_sandboxes": 1,
        "max_owner_sandboxes": 1, "max_ttl": "1h0m0s"}
    assert ask(inst, "bob")["allowed"] is True
    assert ask(inst, "bob", ttl="25h")["allowed"] is False
    put(inst, "carol", max_memory_mb=64)
    assert ask(inst, "carol", memory_mb=64)["allowed"] is True
    assert "memory_mb" in ask(inst, "carol", memory_mb=65)["reason"]
    for bad in ({"ttl": "soon"}, {"ttl": "-1s"}, {"owner_id": "a b"}, "[]"):
        assert inst.api("POST", "/sandboxes/admission", bad).status == 400


def test_admission_knows_the_queue(full):
    inst, taken = full(DEFAULTS_MAX_SPAWN_QUEUE="1")
    got = ask(inst, "alice")
    assert (got["allowed"], got["queueable"]) == (False, True)
    s = queued(inst, "bob")
    assert ask(inst, "alice")["queueable"] is False
    assert ask(inst, "alice", ttl="99h")["queueable"] is False
    r = spawn(inst, "alice")
    assert r.status == 429 and "waiting" in r.json()["message"], r
    destroy(inst, taken[0])
    s.done(201)


# -- the queue

def test_waits_for_a_place(full):
    inst, taken = full()
    s = queued(inst, "alice", name="patient")
    destroy(inst, taken[0])
    assert s.done(201).json()["name"] == "patient"
    log = events_soon(inst, 2, "spawn.queued", "spawn.dequeued",
                      "spawn.queue_timeout")
    assert [e["type"] for e in log] == ["spawn.queued", "spawn.dequeued"]
    assert log[1]["data"]["owner_id"] == "alice"
    assert log[1]["data"]["reason"] == "admitted"


def test_owners_take_turns(full):
    inst, taken = full()
    a = [queued(inst, "alice", name=f"a{i}") for i in range(3)]
    b = [queued(inst, "bob", name=f"b{i}") for i in range(2)]
    # Each is told of the own queue alone.
    assert [(e["data"]["owner_id"], e["data"]["waiting"])
            for e in events_soon(inst, 5, "spawn.queued")] == [
        ("alice", 1), ("alice", 2), ("alice", 3), ("bob", 1), ("bob", 2)]
    holder, order = taken[0], []
    for _ in range(5):
        destroy(inst, holder)
        got = wait_for(lambda: [s for s in a + b if s.reply and
                                s.reply.json()["name"] not in order],
                       "the next to be served")
        assert len(got) == 1, "one place, one sandbox"
        holder = got[0].done(201).json()
        order.append(holder["name"])
    assert order == ["a0", "b0", "a1", "b1", "a2"]


def test_an_owner_at_its_limit_stands_in_nobodys_way(full):
    inst, taken = full(2, DEFAULTS_MAX_SANDBOXES_PER_OWNER="2")
    put(inst, "x", max_sandboxes=1)
    first = queued(inst, "x")      # came first, may not
    second = queued(inst, "alice")
    destroy(inst, taken[0])
    second.done(201)
    assert first.reply is None
    destroy(inst, taken[1])
    first.done(201)


def test_a_quota_below_what_is_in_use(inst):
    """What is there goes on; nothing is added before it has room again."""
    inst.start()
    put(inst, "alice", max_sandboxes=3, max_memory_mb=256)
    boxes = [spawn(inst, "alice", memory_mb=256).json() for _ in range(3)]
    put(inst, "alice", max_sandboxes=1, max_memory_mb=128)
    usage = inst.api("GET", "/quotas/alice/usage", check=200).json()
    assert (usage["active_sandboxes"], usage["max_sandboxes"],
            usage["memory_mb"], usage["max_memory_mb"]) == (3, 1, 768, 128)
    while boxes:
        assert spawn(inst, "alice").status == 429
        for s in boxes:
            assert inst.exec(s["id"], "true").status == 200
        destroy(inst, boxes.pop())
    s = spawn(inst, "alice").json()
    assert s["memory_mb"] == 128
    assert spawn(inst, "alice").status == 429
    assert spawn(inst, "bob").status == 201


def test_a_raised_quota_lets_go(new_instance):
    inst = new_instance(env={"STACYVM_DEFAULTS_SPAWN_OVERFLOW": "queue"})
    inst.start()
    put(inst, "alice", max_sandboxes=1)
    spawn(inst, "alice")
    s = queued(inst, "alice")
    put(inst, "alice", max_sandboxes=2)
    s.done(201)


def test_a_reload_lets_go(inst):
    import test_reload
    text = "defaults: {spawn_overflow: queue, max_sandboxes: %d}\n"
    test_reload.write(inst, text % 1)
    inst.start()
    spawn(inst, "alice")
    s = queued(inst, "bob")
    test_reload.write(inst, text % 2)
    test_reload.hup(inst)
    s.done(201)


def test_waits_in_vain(full):
    inst, taken = full(DEFAULTS_SPAWN_QUEUE_TIMEOUT="1s")
    r = Spawner(inst, "alice").done(429).json()
    assert r["code"] == "RESOURCE_LIMIT" and "waited 1s" in r["message"], r
    assert [e["type"] for e in events_soon(
        inst, 2, "spawn.queued", "spawn.dequeued", "spawn.queue_timeout")] == [
            "spawn.queued", "spawn.queue_timeout"]
    assert waiting(inst, "alice") == 0
    destroy(inst, taken[0])
    assert spawn(inst, "alice").status == 201


def test_who_leaves_leaves_the_queue(full):
    inst, taken = full()
    gone = [queued(inst, "alice") for _ in range(3)]
    stays = queued(inst, "alice")
    for s in gone:
        s.leave()
    wait_for(lambda: waiting(inst, "alice") == 1, "the leavers to be gone")
    destroy(inst, taken[0])
    box = stays.done(201).json()
    living = inst.api("GET", "/sandboxes").json()
    assert [s["id"] for s in living] == [box["id"]]
    assert {e["data"].get("reason")
            for e in events_soon(inst, 4, "spawn.dequeued")} == {"its caller went away", "admitted"}


def test_a_place_that_is_not_taken_goes_to_the_next(full):
    inst, taken = full(2)
    destroy(inst, taken[1])
    spawn(inst, "alice", name="same")
    fails = queued(inst, "alice", name="same")
    next_one = queued(inst, "bob")
    destroy(inst, taken[0])
    fails.done(409)
    next_one.done(201)


def test_waiting_is_not_silent(full):
    inst, taken = full(short=svm.hurried(http_keepalive=300))
    with inst.client() as c:
        c.begin("POST", API + "/sandboxes", {}, {"X-User-ID": "alice"})
        c.sock.settimeout(60)
        assert c._line() == "HTTP/1.1 102 Processing"  # within a minute
        assert c._line() == ""
        destroy(inst, taken[0])
        assert c.reply("POST").status == 201


def test_shutdown_tells_those_who_wait(full):
    inst, taken = full()
    s = queued(inst, "alice")
    inst.kill_daemon(signal.SIGTERM)
    r = s.done(503)
    assert "stopping" in r.json()["message"]
    inst.start()
    assert len(inst.api("GET", "/sandboxes").json()) == 1


def test_killed_while_spawns_wait(full):
    inst, taken = full(2)
    waiters = [queued(inst, o) for o in ("alice", "bob", "alice")]
    inst.kill_daemon(signal.SIGKILL)
    for s in waiters:
        s.join(60)
        assert s.reply is None
    inst.start()
    living = {s["id"] for s in inst.api("GET", "/sandboxes").json()}
    assert living == {s["id"] for s in taken}
    assert waiting(inst, "alice") == 0
    destroy(inst, taken[0])
    assert spawn(inst, "alice").status == 201
    queued(inst, "bob").leave()


def test_no_place_is_lost_in_a_storm(full):
    """Spawners, leavers and destroyers at once; never more than the limit."""
    inst, taken = full(3, DEFAULTS_MAX_SPAWN_QUEUE="100")
    for s in taken:
        destroy(inst, s)
    stop = threading.Event()
    too_many, served = [], []

    def watch():
        with inst.client() as c:
            while not stop.is_set():
                there = c.request("GET", API + "/sandboxes").json()
                if len(there) > 3:
                    too_many.append(len(there))
                # Whose answer was on its way when its caller left.
                for s in there:
                    if s.get("owner_id") == "z" and s["state"] == "running":
                        c.request("DELETE", f"{API}/sandboxes/{s['id']}")

    def customer(owner):
        with inst.client(90) as c:
            for i in range(8):
                r = c.request("POST", API + "/sandboxes", {},
                              {"X-User-ID": owner})
                assert r.status == 201, r
                served.append(owner)
                c.request("DELETE", f"{API}/sandboxes/{r.json()['id']}")

    def fickle():
        for i in range(8):
            with inst.client(90) as c:
                c.begin("POST", API + "/sandboxes", {}, {"X-User-ID": "z"})
                c.sock.settimeout(0.02)
                try:
                    c.reply("POST")
                except (OSError, ConnectionError):
                    pass

    threads = [threading.Thread(target=customer, args=(f"o{i % 3}",))
               for i in range(6)] + [threading.Thread(target=fickle)
                                     for _ in range(2)]
    watcher = threading.Thread(target=watch)
    for t in (watcher, *threads):
        t.start()
    for t in threads:
        t.join(100)
    stop.set()
    watcher.join(20)
    assert not too_many, too_many
    assert len(served) == 48
    # A fickle caller may have got one and gone: those live until their end.
    for s in inst.api("GET", "/sandboxes").json():
        destroy(inst, s)
    assert all(spawn(inst, "end").status == 201 for _ in range(3))
    assert ask(inst)["active_sandboxes"] == 3
