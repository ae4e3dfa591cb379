# SPDX-License-Identifier: MIT
"""Templates and warm copies: the contract, and that no copy is had twice."""
import json
import os
import signal
import sqlite3
import threading
import urllib.parse

import pytest

import svm
from screen import Screen
from svm import wait_for


def path(name, end=""):
    return "/templates/" + urllib.parse.quote(name, safe="") + end


def save(inst, check=None, headers=None, **fields):
    r = inst.api("POST", "/templates", fields, headers=headers)
    assert r.status in ((check,) if check else (200, 201)), r
    return r.json()


def spawn(inst, source, check=201, **fields):
    return inst.api("POST", path(source, "/spawn"), fields,
                    check=check).json()


def warm(inst):
    return inst.api("GET", "/metrics", check=200).json()["warm"]


def ready(inst, n):
    """Wait until exactly n copies are ready and nothing is on its way."""
    wait_for(lambda: (w := warm(inst))["ready"] == n and not w["making"]
             and len(inst.box_dirs()) >= n, f"{n} warm copies")


def allowed(inst, **fields):
    """Would it be admitted?  The reason is empty then, and only then."""
    a = inst.api("POST", "/sandboxes/admission", fields, check=200).json()
    assert (a["reason"] == "") == a["allowed"] and not (
        a["allowed"] and a["queueable"]), a
    return a["allowed"]


def agents_of(inst):
    """Pids of the first processes of all boxes, from their rows."""
    with sqlite3.connect(inst.state / "db") as db:
        pids = [p for p, in db.execute("SELECT pid FROM sandboxes WHERE pid")]
    assert pids and all(map(svm.pid_alive, pids))
    return pids


def listed(inst):
    return [o["id"] for o in inst.api("GET", "/sandboxes", check=200).json()]


@pytest.fixture
def inst(new_instance):
    """Boxes are counted by their directories: without spares among them."""
    i = new_instance(spares=0)
    i.start()
    yield i
    if not i.answers():
        i.start()
    for t in i.api("GET", "/templates", check=200).json():
        i.api("DELETE", path(t["name"]), check=200)
    wait_for(lambda: not warm(i)["ready"] and not warm(i)["making"],
             "no warm copy left")


# -- the contract

def test_defaults_and_both_spellings(inst):
    t = save(inst, 201, name="plain", image="host")
    assert {"memory_mb": 1024, "vcpus": 1, "cpu_cores": 1, "ttl": "30m",
            "ttl_seconds": 1800, "env": {}, "metadata": {}, "setup": [],
            "pool_size": 0, "version": "1"}.items() <= t.items()
    assert t["created_at"].endswith("Z")
    t = save(inst, 201, name="theirs", image="host", cpu_cores=2,
             ttl_seconds=5400, version=3)
    assert (t["vcpus"], t["cpu_cores"]) == (2, 2)
    assert (t["ttl"], t["ttl_seconds"], t["version"]) == ("1h30m0s", 5400, "3")
    assert save(inst, 201, name="as-written", image="host",
                ttl="90m")["ttl"] == "90m"
    names = [t["name"] for t in inst.api("GET", "/templates").json()]
    assert names == ["as-written", "plain", "theirs"], "sorted by name"
    assert inst.api("GET", "/templates/").json() == \
        inst.api("GET", "/templates").json()


def test_upsert_keeps_what_is_absent(inst):
    first = save(inst, 201, name="a b", image="host", memory_mb=256,
                 env={"A": "1"}, setup=["true"], ttl="45m")
    then = save(inst, 200, name="a b", description="said", memory_mb=0,
                ttl="", env=None)
    assert then == {**first, "description": "said",
                    "updated_at": then["updated_at"]}
    # An object that was fetched, changed in either spelling and sent back.
    back = save(inst, 200, **{**then, "cpu_cores": 4, "ttl_seconds": 60})
    assert (back["vcpus"], back["ttl"]) == (4, "1m0s")
    assert inst.api("GET", path("a b"), check=200).json() == back
    put = inst.api("PUT", path("a b"), {"image": "host"}, check=200).json()
    assert (put["env"], put["setup"], put["vcpus"], put["description"]) == (
        {}, [], 1, "")
    assert put["created_at"] == first["created_at"]
    r = inst.api("POST", "/templates", {"name": "a b", "image": "host"},
                 headers={"If-None-Match": "*"})
    assert (r.status, r.json()["code"]) == (409, "CONFLICT")
    assert inst.api("DELETE", path("a b"), check=200).json() == {
        "status": "deleted"}
    for method, end, body in (("GET", "", None), ("DELETE", "", None),
                              ("PUT", "", {"image": "host"}),
                              ("POST", "/spawn", None)):
        r = inst.api(method, path("a b", end), body)
        assert (r.status, r.json()["code"]) == (404, "NOT_FOUND"), r


@pytest.mark.parametrize("body", [
    {}, {"name": "x"}, {"image": "host"}, {"name": "", "image": "host"},
    {"name": "a/b", "image": "host"}, {"name": "..", "image": "host"},
    {"name": "x" * 65, "image": "host"}, {"name": "\u00fc", "image": "host"},
    {"name": 5, "image": "host"}, {"name": "x", "image": ["host"]},
    {"name": "x", "image": "host", "memory_mb": -1},
    {"name": "x", "image": "host", "cpu_cores": 0.5},
    {"name": "x", "image": "host", "ttl": "soon"},
    {"name": "x", "image": "host", "ttl_seconds": -5},
    {"name": "x", "image": "host", "ttl_seconds": 1e18},
    {"name": "x", "image": "host", "setup": "true"},
    {"name": "x", "image": "host", "setup": [1]},
    {"name": "x", "image": "host", "setup": ["true"] * 65},
    b'{"name": "x", "image": "host", "version": 1e999}',
    {"name": "x", "image": "host", "env": {"A": 1}},
    {"name": "x", "image": "host", "env": {"A=B": "1"}},
    {"name": "x", "image": "host", "network": "moon"},
    {"name": "x", "image": "host", "network": {"allow": [{}]}},
    {"name": "x", "image": "host", "pool_size": 101},
    {"name": "x", "image": "host", "pool_size": "3"}], ids=str)
def test_refused(shared, body):
    r = shared.api("POST", "/templates", body)
    assert (r.status, r.json()["code"]) == (400, "BAD_REQUEST"), r
    assert shared.api("GET", "/templates").json() == []


def test_admission_asks_for_what_the_template_does(inst):
    save(inst, name="big", image="host", memory_mb=4096, ttl="3h")
    alice = {"X-User-ID": "alice"}

    def ask(**fields):
        return inst.api("POST", "/sandboxes/admission", fields, alice,
                        check=200).json()

    assert ask(template="big")["allowed"]
    inst.api("PUT", "/quotas/alice", {"max_memory_mb": 1024}, check=200)
    a = ask(template="big")
    assert not a["allowed"] and "memory_mb" in a["reason"]
    assert ask(template="big", memory_mb=512)["allowed"], "the request wins"
    assert ask()["allowed"]
    r = inst.api("POST", "/sandboxes/admission", {"template": "none"})
    assert (r.status, r.json()["code"]) == (404, "NOT_FOUND")


def test_pool_status(inst):
    save(inst, name="plain", image="host")
    save(inst, name="w", image="host", pool_size=2)
    ready(inst, 2)

    def pool():
        s = inst.api("GET", "/pool/status", check=200).json()
        assert (s["enabled"], s["vms"]) == (False, 0)
        return s["warm"]

    assert pool() == [{"template": "w", "wanted": 2, "ready": 2,
                       "refilling": 0, "claimed": 0}]
    spawn(inst, "w")
    save(inst, 200, name="w", description="counts on")
    ready(inst, 2)
    assert [(t["ready"], t["claimed"]) for t in pool()] == [(2, 1)]


def test_templates_outlive_the_daemon(inst):
    t = save(inst, name="kept", image="host", env={"\u2028": "\u00e9"},
             setup=["a", "b"], network={"allow": ["example.org"]})
    inst.kill_daemon()
    inst.start()
    assert inst.api("GET", path("kept"), check=200).json() == t


# -- spawns

def test_flow_of_published_clients(inst):
    """They send every field they know, and alpine:latest as the image."""
    save(inst, name="web", image="alpine:latest", description="", provider="",
         memory_mb=300, cpu_cores=1, ttl_seconds=600)
    o = spawn(inst, "web", image="alpine:latest", provider="", memory_mb=0,
              vcpus=0, ttl="", template="", metadata={}, owner_id="")
    assert (o["image"], o["memory_mb"]) == ("host", 300)
    assert o["metadata"] == {"template": "web"} and o["template"] == "web"
    o = inst.sandbox(template="web", image="alpine:latest", memory_mb=200,
                     metadata={"a": "b", "template": "other"}, name="mine")
    assert (o["memory_mb"], o["name"]) == (200, "mine")
    assert o["metadata"] == {"a": "b", "template": "web"}
    r = inst.api("POST", path("web", "/spawn"), None)
    assert r.status == 201, "the body is optional"
    r = inst.api("POST", path("web", "/spawn"),
                 {"image": "docker.io/library/alpine:latest"})
    assert r.status == 503, "that image was insisted on"
    assert inst.api("POST", "/sandboxes", {"template": "no"}).status == 404


def test_setup_and_environment(inst):
    save(inst, name="set", image="host", env={"A": "t", "B": "t"},
         setup=["echo one >f", "echo $A $B >>f"])
    o = spawn(inst, "set", env={"B": "mine", "C": "new"})
    r = inst.exec(o["id"], "cat f; echo $A $B $C").json()
    assert r["stdout"] == "one\nt mine\nt mine new\n"


def test_failing_setup_fails_the_spawn(inst):
    save(inst, name="bad", image="host",
         setup=["true", "echo the reason; exit 7", "touch never"])
    r = inst.api("POST", path("bad", "/spawn"), {})
    assert (r.status, r.json()["code"]) == (502, "PROVIDER_ERROR")
    for word in ("2 of 3", "status 7", "the reason"):
        assert word in r.json()["message"], r
    assert listed(inst) == [] and inst.box_dirs() == []


def frames(inst, target, **fields):
    """What is told on the way: the lines of frames=full."""
    r = inst.api("POST", target + "?frames=full", fields, check=200)
    assert r.headers["content-type"] == "application/x-ndjson"
    return [json.loads(x) for x in r.body.splitlines() if x.strip()]


def test_a_spawn_says_how_far_it_is(inst):
    save(inst, name="set", image="host", setup=["true", "true"])
    got = frames(inst, path("set", "/spawn"), name="told")
    sid = got[-1]["sandbox"]["id"]
    step = {"type": "progress", "stage": "setup", "commands": 2}
    assert got[:-1] == [{"type": "progress", "stage": "create", "id": sid},
                        {**step, "command": 1}, {**step, "command": 2}]
    assert got[-1]["type"] == "sandbox"
    assert got[-1]["sandbox"]["state"] == "running"
    assert got[-1]["sandbox"]["timings"]["total_ms"] > 0
    plain = frames(inst, "/sandboxes", image="host")
    assert [f.get("stage") for f in plain] == ["create", None]


def test_a_spawn_that_fails_says_so_in_its_last_frame(inst):
    save(inst, name="bad", image="host", setup=["echo the reason; exit 7"])
    last = frames(inst, path("bad", "/spawn"))[-1]
    assert (last["type"], last["code"]) == ("error", "PROVIDER_ERROR"), last
    assert "the reason" in last["message"] and last["remediation"]
    assert listed(inst) == [] and inst.box_dirs() == []
    wait_for(lambda: '"status":502' in inst.api(
        "GET", "/events?since=0&follow=false&type=operation.failed",
        check=200).text.replace(" ", ""), "the event")
    r = inst.api("POST", "/sandboxes?frames=full", {"ttl": "never"})
    assert r.status == 400, "nothing was told before"


def test_caller_leaves_during_setup(inst):
    save(inst, name="slow", image="host", setup=["sleep 1000"])
    c = inst.client()
    c.begin("POST", svm.API + path("slow", "/spawn"), {"name": "half"})
    wait_for(lambda: [o for o in inst.api("GET", "/sandboxes").json()
                      if o["state"] == "creating"] and inst.box_dirs(),
             "setup to run")
    c.close()
    wait_for(lambda: not listed(inst) and not inst.box_dirs(),
             "the half-made sandbox to go")


# -- warm copies

def test_a_claim_is_the_callers_own(inst):
    save(inst, name="w", image="host", pool_size=2, env={"A": "t", "B": "t"},
         setup=["echo done >f"], ttl="20m")
    ready(inst, 2)
    assert listed(inst) == [] and inst.api(
        "GET", "/sandboxes?all=true").json() == [], "hidden"
    before = inst.box_dirs()
    o = spawn(inst, "w", name="own", owner_id="alice", ttl="10m",
              metadata={"k": "v"}, env={"B": "mine", "C": "new"})
    assert o["id"] in before and warm(inst)["claims"] == 1
    assert (o["name"], o["owner_id"]) == ("own", "alice")
    assert o["metadata"] == {"k": "v", "template": "w"}
    got = inst.api("GET", "/sandboxes/own", check=200).json()
    assert (got["id"], got["expires_at"]) == (o["id"], o["expires_at"])
    r = inst.exec(o["id"], "cat f; echo $A $B $C")
    assert r.json()["stdout"] == "done\nt mine new\n"
    r = inst.exec(o["id"], "echo $B", env={"B": "call"})
    assert r.json()["stdout"] == "call\n", "a call's own wins"
    ready(inst, 2)
    # All of it survives the daemon.
    inst.kill_daemon()
    inst.start()
    assert inst.api("GET", "/sandboxes/own").json()["owner_id"] == "alice"
    assert inst.exec("own", "echo $B $C").json()["stdout"] == "mine new\n"
    assert listed(inst) == [o["id"]]
    ready(inst, 2)
    events = inst.api("GET", "/events?since=0&follow=false").text
    assert events.count("sandbox.created") == 1, "of the claimed one only"


def test_ttl_of_a_claim_reaches_the_agent(inst):
    save(inst, name="w", image="host", pool_size=1)
    ready(inst, 1)
    agents = agents_of(inst)
    o = spawn(inst, "w", ttl="1s")
    assert warm(inst)["claims"] == 1
    inst.kill_daemon()  # the agent alone must end it
    wait_for(lambda: not any(map(svm.pid_alive, agents)), "the agent to end",
             30)
    inst.start()
    assert inst.api("GET", f"/sandboxes/{o['id']}").status == 404


def test_what_differs_is_no_claim(inst):
    save(inst, name="w", image="host", pool_size=1, memory_mb=256)
    ready(inst, 1)
    for field in ({"memory_mb": 128}, {"vcpus": 2}, {"pids": 50},
                  {"disk_mb": 64}, {"read_only_rootfs": True}):
        o = spawn(inst, "w", **field)
        inst.api("DELETE", f"/sandboxes/{o['id']}", check=200)
    assert warm(inst)["claims"] == 0 and warm(inst)["misses"] == 5
    taken = spawn(inst, "w", name="twin")
    ready(inst, 1)
    assert taken["name"] == "twin" and spawn(inst, "w", 409, name="twin")
    assert warm(inst)["ready"] == 1, "a refused spawn takes none"


def test_change_and_delete(inst):
    save(inst, name="w", image="host", pool_size=2)
    ready(inst, 2)
    first = inst.box_dirs()
    save(inst, 200, name="w", description="other words", ttl="5m")
    ready(inst, 2)
    assert inst.box_dirs() == first, "nothing they are made of has changed"
    save(inst, 200, name="w", env={"NEW": "1"})
    wait_for(lambda: len(inst.box_dirs()) == 2 and
             not set(inst.box_dirs()) & set(first), "new copies")
    o = spawn(inst, "w")
    assert inst.exec(o["id"], "echo $NEW").json()["stdout"] == "1\n"
    save(inst, 200, name="w", pool_size=1)
    wait_for(lambda: len(inst.box_dirs()) == 2, "the pool to shrink")
    inst.api("DELETE", path("w"), check=200)
    wait_for(lambda: inst.box_dirs() == [o["id"]], "the copies to go")
    assert listed(inst) == [o["id"]], "a claimed one stays"


@pytest.mark.seconds(240)
def test_fifty_at_once(inst):
    save(inst, name="w", image="host", pool_size=8, memory_mb=64,
         setup=["echo fresh >f"])
    ready(inst, 8)
    ids, failed = [], []

    def one(i):
        try:
            with inst.client(120) as c:
                r = c.request("POST", svm.API + path("w", "/spawn"),
                              {"name": f"n{i}"})
                assert r.status == 201, r
                sid = r.json()["id"]
                assert r.json()["name"] == f"n{i}"
                # Whoever had it before would have left a mark.
                r = c.request("POST", f"{svm.API}/sandboxes/{sid}/exec",
                              {"command": f"cat f mine; echo {i} >mine"})
                assert r.json()["stdout"] == "fresh\n", r
                ids.append(sid)
        except Exception as e:  # pylint: disable=broad-except
            failed.append(e)

    threads = [threading.Thread(target=one, args=(i,)) for i in range(50)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not failed, failed
    assert len(set(ids)) == 50, "one was handed out twice"
    w = warm(inst)
    assert w["claims"] >= 8 and w["claims"] + w["misses"] == 50
    assert sorted(listed(inst)) == sorted(ids)
    ready(inst, 8)


def test_limits_count_copies(new_instance):
    inst = new_instance(env={"STACYVM_DEFAULTS_MAX_SANDBOXES": "3"})
    inst.start()
    save(inst, name="w", image="host", pool_size=5)
    ready(inst, 3)
    r = inst.api("POST", "/sandboxes", {})
    assert (r.status, r.json()["code"]) == (429, "RESOURCE_LIMIT"), r
    assert not allowed(inst) and not allowed(inst, template="w", vcpus=2)
    ids = []
    for _ in range(3):
        assert allowed(inst, template="w")
        ids.append(spawn(inst, "w")["id"])
    assert warm(inst)["claims"] == 3, "a claim needs no other place"
    assert not allowed(inst, template="w")
    assert spawn(inst, "w", 429) and warm(inst)["ready"] == 0
    inst.api("DELETE", f"/sandboxes/{ids[0]}", check=200)
    ready(inst, 1)
    inst.api("DELETE", path("w"), check=200)
    wait_for(lambda: inst.box_dirs() == sorted(ids[1:]), "the copy to go")


def test_owner_limit_counts_at_the_claim(new_instance):
    inst = new_instance(env={"STACYVM_DEFAULTS_MAX_SANDBOXES_PER_OWNER": "1"})
    inst.start()
    save(inst, name="w", image="host", pool_size=2)
    ready(inst, 2)
    assert allowed(inst, template="w", owner_id="a")
    spawn(inst, "w", owner_id="a")
    assert not allowed(inst, template="w", owner_id="a")
    spawn(inst, "w", 429, owner_id="a")
    assert allowed(inst, template="w", owner_id="b")
    spawn(inst, "w", owner_id="b")
    inst.api("DELETE", path("w"), check=200)


def test_who_waits_gets_the_copy_that_is_made_meanwhile(new_instance):
    """A copy has its place: nobody need go before it is handed out."""
    inst = new_instance(spares=0, env={
        "STACYVM_DEFAULTS_MAX_SANDBOXES": "1",
        "STACYVM_DEFAULTS_SPAWN_OVERFLOW": "queue"})
    inst.start()
    save(inst, name="w", image="host", pool_size=1, setup=["sleep 4"])
    wait_for(lambda: warm(inst)["making"], "the copy to be on its way")
    a = inst.api("POST", "/sandboxes/admission", {"template": "w"},
                 check=200).json()
    assert (a["allowed"], a["queueable"]) == (False, True), a
    spawn(inst, "w")
    text = wait_for(lambda: "data:" in (t := inst.api(
        "GET", "/events?since=0&follow=false&type=spawn.dequeued",
        check=200).text) and t, "the event")
    assert text.count("data:") == 1 and "a warm copy is ready" in text
    assert warm(inst)["claims"] == 1
    inst.api("DELETE", path("w"), check=200)


def test_a_copy_that_died_is_replaced(inst):
    save(inst, name="w", image="host", pool_size=1)
    ready(inst, 1)
    old = inst.box_dirs()
    for p in agents_of(inst):
        os.kill(p, signal.SIGKILL)
    wait_for(lambda: inst.box_dirs() and inst.box_dirs() != old and
             warm(inst)["ready"] == 1, "another copy")
    spawn(inst, "w")


# -- the command line

def editor(inst, script):
    path = inst.home / "edit"
    path.write_text("#!/bin/sh\n" + script)
    path.chmod(0o755)
    inst.env.update(EDITOR=str(path), TMPDIR=str(inst.home))


def drafts(inst):
    return sorted(inst.home.glob("stacyvm-edit-*"))


def test_edit(inst):
    t = save(inst, name="py 3", image="host", memory_mb=256, version="3",
             description="it's: #1 \u2028", setup=["a\nb  c\n", "- x", "true"],
             env={"A: b": " x ", "B": "no"}, metadata={"k": "null"},
             network={"allow": ["example.org"]})
    editor(inst, 'cp "$1" "$HOME/seen"')
    inst.ok("template", "edit", "py 3")
    assert inst.api("GET", path("py 3")).json() == t
    seen = (inst.home / "seen").read_text()
    assert "memory_mb: 256" in seen and "created_at" not in seen
    # Saved as it is but for a comment, it says the same.
    editor(inst, 'echo "# hello" >>"$1"')
    inst.ok("template", "edit", "py 3")
    now = inst.api("GET", path("py 3")).json()
    assert {**now, "updated_at": 0} == {**t, "updated_at": 0}
    editor(inst, 'sed -i -e "s/^memory_mb:.*/memory_mb: 300/" '
           '-e "/^version/d" "$1"')
    inst.ok("template", "edit", "py 3")
    now = inst.api("GET", path("py 3")).json()
    assert (now["memory_mb"], now["version"]) == (300, "1")
    assert now["setup"] == t["setup"] and now["env"] == t["env"]
    editor(inst, 'sed -i "s/300/301/" "$1"; cp "$1" "$HOME/seen"')
    inst.ok("template", "edit", "py 3", "--json")
    assert (inst.home / "seen").read_text().startswith("{")
    assert inst.api("GET", path("py 3")).json()["memory_mb"] == 301
    assert drafts(inst) == []
    assert inst.must_fail("template", "edit", "none").code == 3


@pytest.mark.parametrize("script,words", [
    ('echo "memory_mb: [" >>"$1"', "template.yaml:"),
    ('sed -i "s/^memory_mb:.*/memory_mb: lots/" "$1"', "memory_mb"),
    ('sed -i "s/^name:.*/name: other/" "$1"',
     "the template 't' can't be renamed to 'other' by editing it: clone it"),
    ('echo "vcpus: 3" >>"$1"', "template.yaml:16: the same key stands twice"),
    ('echo "- x" >"$1"', "template.yaml:1: this must be \"key: value\" lines")])
def test_what_was_edited_is_kept(inst, script, words):
    t = save(inst, name="t", image="host", memory_mb=256)
    editor(inst, script)
    r = inst.must_fail("template", "edit", "t")
    assert r.code == 1 and words in r.errtext, r
    [draft] = drafts(inst)
    assert f"{draft}/template.yaml" in r.errtext
    assert (draft / "template.yaml").read_text()
    assert inst.api("GET", path("t")).json() == t


def test_edit_does_not_write_over_others(inst):
    save(inst, name="t", image="host")
    editor(inst, f'{inst.binary} template create t --memory 99m -q >/dev/null;'
           ' echo "pids: 99" >>"$1"')
    r = inst.must_fail("template", "edit", "t")
    assert r.code == 6 and "by another" in r.errtext
    assert inst.api("GET", path("t")).json()["memory_mb"] == 99
    assert "pids: 99" in (drafts(inst)[0] / "template.yaml").read_text()


def test_edit_again(inst):
    save(inst, name="t", image="host", memory_mb=256)
    editor(inst, """
if [ -e "$HOME/once" ]; then sed -i 's/: lots/: 300/' "$1"
else sed -i 's/^memory_mb:.*/memory_mb: lots/' "$1"; : >"$HOME/once"; fi
""")
    Screen(inst, "template", "edit", "t").end(
        "wait Edit again? [Y/n]\nwait memory_mb\nsend \\r\nexit 0\n")
    assert inst.api("GET", path("t")).json()["memory_mb"] == 300


def test_fields_from_yaml(inst):
    text = "image: host\nmemory_mb: 70\nenv: {A: '1'}\nsetup:\n- echo a\n"
    inst.ok("template", "create", "y", "-f", "-", input=text)
    t = inst.api("GET", path("y")).json()
    assert (t["memory_mb"], t["env"], t["setup"]) == (70, {"A": "1"},
                                                      ["echo a"])
    shown = inst.ok("template", "show", "y", "--json").text
    inst.ok("template", "create", "z", "-f", "-", input=shown)
    r = inst.must_fail("template", "create", "x", "-f", "-",
                       input="image: host\nimage: host\n")
    assert "twice" in r.errtext


def test_pool_status_on_the_command_line(inst):
    save(inst, name="w", image="host", pool_size=1)
    ready(inst, 1)
    [head, row] = inst.ok("pool", "status").text.strip().split("\n")
    assert head.split() == ["TEMPLATE", "OWNER", "WANTED", "READY",
                            "REFILLING", "CLAIMED"]
    assert row.split() == ["w", "1", "1", "0", "0"]
    assert inst.ok("pool", "status", "--json").json()["warm"][0]["ready"] == 1


# -- death

@pytest.mark.seconds(300)
def test_kill_during_refill_and_claims(inst):
    """Nothing that was answered is lost, and nothing is had twice."""
    save(inst, name="w", image="host", pool_size=4, memory_mb=64,
         setup=["echo fresh >f"])
    ready(inst, 4)
    answered = {}
    for turn in range(6):
        begun = threading.Event()

        def claims():
            try:
                with inst.client() as c:
                    for i in range(6):
                        r = c.request("POST", svm.API + path("w", "/spawn"),
                                      {"owner_id": f"o{turn}-{i}"})
                        if r.status == 201:
                            answered[r.json()["id"]] = f"o{turn}-{i}"
                        if i == turn % 3:
                            begun.set()
            except OSError:
                pass
            begun.set()

        t = threading.Thread(target=claims)
        had = len(answered)
        t.start()
        begun.wait(60)
        inst.kill_daemon()
        t.join()
        assert len(answered) > had, "nothing was claimed in this turn"
        inst.start()
        there = {o["id"]: o for o in inst.api("GET", "/sandboxes").json()}
        for sid, owner in answered.items():
            assert there[sid]["owner_id"] == owner, "an answer was lost"
        for sid, o in there.items():
            assert o.get("owner_id"), f"a copy is shown unclaimed: {o}"
        ready(inst, 4)
        assert len(inst.box_dirs()) == len(there) + 4
    for sid in list(answered)[:4]:
        assert inst.exec(sid, "cat f").json()["stdout"] == "fresh\n"


def test_template_deleted_while_no_daemon_looks(inst):
    """Copies of a template that is another one now are not adopted."""
    save(inst, name="w", image="host", pool_size=2)
    ready(inst, 2)
    old = inst.box_dirs()
    save(inst, 200, name="w", memory_mb=77)  # and at once
    inst.kill_daemon()
    inst.start()
    wait_for(lambda: len(inst.box_dirs()) == 2 and warm(inst)["ready"] == 2
             and not set(old) & set(inst.box_dirs()), "only new copies")
    assert spawn(inst, "w")["memory_mb"] == 77
