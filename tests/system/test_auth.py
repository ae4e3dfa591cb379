# SPDX-License-Identifier: MIT
"""Who may call: keys, owners, the rate limit, web pages."""
import json
import re

import pytest

import svm
from http_unix import Client, WebSocket
from svm import API, free_port, wait_for
from test_images import tar

KEY = "0123456789abcdef0123456789abcdef"
ADMIN = "fedcba9876543210fedcba9876543210"
GUESSES = 100  # wrong keys in a row that are still looked at


class Tcp:
    """An instance reached over TCP as somebody."""

    def __init__(self, inst, port, **headers):
        self.inst, self.port = inst, port
        self.headers = {k.replace("_", "-"): v for k, v in headers.items()}
        self.client = Client(("127.0.0.1", port), 60)

    def __call__(self, method, path, body=None, check=None, **headers):
        r = self.client.request(method, API + path, body, {
            **self.headers, **{k.replace("_", "-"): v
                               for k, v in headers.items()}})
        if check is not None:
            assert r.status == check, (method, path, r)
        return r

    def by(self, **headers):
        return Tcp(self.inst, self.port, **headers)

    def ws(self, path):
        return WebSocket(("127.0.0.1", self.port), API + path,
                         headers=self.headers)


def start(new_instance, **env):
    port = free_port()
    inst = new_instance(env={
        "STACYVM_SERVER_PORT": str(port),
        **{"STACYVM_" + k: v for k, v in env.items()}})
    inst.start()
    return Tcp(inst, port)


@pytest.fixture(scope="module")
def server(provider):
    """One with both keys, shared by tests that guess little."""
    port = free_port()
    inst = svm.Instance(provider, env={
        "STACYVM_SERVER_PORT": str(port), "STACYVM_AUTH_API_KEY": KEY,
        "STACYVM_AUTH_ADMIN_API_KEY": ADMIN})
    inst.start()
    yield Tcp(inst, port)
    inst.stop()


@pytest.fixture
def alice(server):
    return server.by(X_API_Key=KEY, X_User_ID="alice")


@pytest.fixture
def bob(server):
    return server.by(X_API_Key=KEY, X_User_ID="bob")


@pytest.fixture
def admin(server):
    return server.by(X_API_Key=ADMIN)


@pytest.fixture
def box(alice, admin):
    """A sandbox of alice's."""
    sid = alice("POST", "/sandboxes", {"name": "mine"}, check=201).json()["id"]
    yield sid
    admin("DELETE", f"/sandboxes/{sid}", check=200)


def routes(prefix):
    """(method, path) of every route, from the daemon's own table."""
    text = (svm.ROOT / "daemon/routes.c").read_text()
    text = text.replace("ID ", 'SB "/{id}" ').replace("SB ", 'V1 "/sandboxes" ')
    text = text.replace("ID,", 'V1 "/sandboxes/{id}",')
    text = text.replace("SB,", 'V1 "/sandboxes",')
    found = [(m, re.sub(r'"\s*"', "", path)) for m, path in
             re.findall(r'\{ "(\w+)",\s*V1 ("[^,]*),', text)]
    found = [(m, p.strip('"')) for m, p in found]
    assert ("GET", "/sandboxes/{id}/files/list") in found, found
    return [(m, p) for m, p in found if p.startswith(prefix)]


def fill(path, sid="sb-00000000"):
    return path.replace("{id}", sid).replace("{sid}", "ex-00000000") \
        .replace("{name}", "mock").replace("{ref}", "x").replace("{owner}", "x")


def is_ws(path):
    return path.endswith("/ws")


# -- keys

def test_every_route_needs_a_key(server):
    for method, path in routes("/"):
        r = server(method, fill(path))
        assert r.status == (200 if path == "/live" else 401), (path, r)
        if r.status == 401:
            assert r.json()["code"] == "UNAUTHORIZED"
            assert r.json()["remediation"]
            assert r.headers["www-authenticate"].startswith("Bearer")
    assert server("GET", "/no/such/route").status == 401
    assert server("PATCH", "/health").status == 401


@pytest.mark.parametrize("headers, status", [
    ({"X_API_Key": KEY}, 200),
    ({"Authorization": "Bearer " + KEY}, 200),
    ({"Authorization": "bearer  " + KEY}, 200),
    ({"X_API_Key": ADMIN}, 200),
    ({"Authorization": "Bearer " + ADMIN}, 200),
    ({"X_Admin_API_Key": ADMIN}, 200),
    ({"X_API_Key": KEY, "X_Admin_API_Key": ADMIN}, 200),
    ({"X_API_Key": KEY[:-1]}, 401),
    ({"X_API_Key": KEY + "0"}, 401),
    ({"X_API_Key": KEY.upper()}, 401),
    ({"X_API_Key": ""}, 401),
    ({"X_Admin_API_Key": KEY}, 401),
    ({"X_API_Key": KEY, "X_Admin_API_Key": "guess"}, 401),
    ({"X_API_Key": "guess", "X_Admin_API_Key": ADMIN}, 401),
    ({"Authorization": "Basic " + KEY}, 401),
    ({"Authorization": KEY}, 401),
    ({"Authorization": "Bearer"}, 401),
    ({"Cookie": "X-API-Key=" + KEY}, 401),
])
def test_keys(server, headers, status):
    assert server("GET", "/health", **headers).status == status


def test_key_in_the_query_is_none(server):
    assert server("GET", f"/health?api_key={KEY}&X-API-Key={KEY}").status == 401


def test_unix_socket_needs_no_key(server):
    server.inst.api("GET", "/health", check=200)
    server.inst.api("GET", "/health", headers={"X-API-Key": "whatever"},
                    check=200)


def test_websocket_needs_a_key(server, box, alice):
    assert server.ws(f"/sandboxes/{box}/exec/ws").response.status == 401
    ws = alice.ws(f"/sandboxes/{box}/exec/ws")
    assert ws.response.status == 101
    ws.close()


def test_large_upload_without_key_sees_the_status(server, box):
    """The 401 arrives although the body was never read."""
    body = b"x" * (8 << 20)
    with Client(("127.0.0.1", server.port), 60) as c:
        r = c.request("PUT", f"{API}/sandboxes/{box}/files?path=/tmp/x", body)
        assert r.status == 401
        assert r.headers["connection"] == "close"


def test_bad_owner(server, alice):
    for bad in ("a b", "a/b", "a\\b", "x" * 129, "../x", "\x7f"):
        r = alice("GET", "/sandboxes", X_User_ID=bad)
        assert r.status == 400 and r.json()["code"] == "BAD_REQUEST", bad
    alice("GET", "/sandboxes", X_User_ID="alice@example.com", check=200)


def test_wrong_keys_are_limited_and_logged(new_instance):
    server = start(new_instance, AUTH_API_KEY=KEY)
    statuses = [server("GET", "/health", X_API_Key=f"guess-{i}").status
                for i in range(GUESSES + 20)]
    assert statuses[:GUESSES] == [401] * GUESSES
    assert 429 in statuses
    r = None

    def refused():
        nonlocal r
        for i in range(10):
            server("GET", "/health", X_API_Key=f"more-{i}")
        r = server("GET", "/health", X_API_Key=KEY)
        return r.status == 429
    # Or the right key could be guessed after all.
    wait_for(refused, "the right key to be refused too")
    assert int(r.headers["retry-after"]) >= 1
    assert r.json()["code"] == "RESOURCE_LIMIT"
    server.inst.api("GET", "/health", check=200)  # over the socket
    wait_for(lambda: server("GET", "/health", X_API_Key=KEY).status == 200,
             "the right key to work again")
    # Who is not let in writes into nobody's stream of events.
    assert "resource.limit" not in server.inst.api(
        "GET", "/events?since=0&follow=false").text
    log = server.inst.log()
    assert "wrong key" in log
    assert "guess-" not in log and KEY not in log


def test_no_key_is_no_guess(new_instance):
    server = start(new_instance, AUTH_API_KEY=KEY)
    for _ in range(GUESSES + 50):
        assert server("GET", "/health").status == 401
    server("GET", "/health", X_API_Key=KEY, check=200)


def test_key_is_never_shown(server, admin):
    text = admin("GET", "/config", check=200).text
    assert KEY not in text and ADMIN not in text
    assert KEY not in server.inst.ok("config", "get").text


@pytest.mark.root
def test_key_lifts_the_uid_rule(new_instance):
    """Another user on the machine may call with the key, and only so."""
    import os
    import sys
    code = ("import socket, sys\n"
            "s = socket.create_connection(('127.0.0.1', int(sys.argv[1])))\n"
            "s.sendall(b'GET /api/v1/health HTTP/1.1\\r\\nHost: localhost\\r\\n'"
            "          b'X-API-Key: ' + sys.argv[2].encode() + b'\\r\\n"
            "Connection: close\\r\\n\\r\\n')\n"
            "print(s.makefile('rb').read().decode())\n")

    def as_nobody(port, key):
        p = svm.Popen([sys.executable, "-S", "-c", code, str(port), key],
                      stdout=-1, stderr=-1, cwd="/",
                      preexec_fn=lambda: (os.setgroups([]), os.setgid(65534),
                                          os.setuid(65534)))
        out, err = p.communicate(timeout=60)
        p._tracked_end()
        assert not p.returncode, err
        return int(out.split()[1])

    server = start(new_instance, AUTH_API_KEY=KEY)
    assert as_nobody(server.port, KEY) == 200
    assert as_nobody(server.port, "x") == 401
    server = start(new_instance, AUTH_API_KEY=KEY, AUTH_ENABLED="false")
    assert as_nobody(server.port, KEY) == 403


# -- configuration

def refuses(inst, **env):
    r = inst.must_fail("serve", env={"STACYVM_" + k: v
                                     for k, v in env.items()})
    return r.errtext


def test_refuses_to_start(inst):
    assert "auth.api_key" in refuses(inst, AUTH_ENABLED="true")
    assert "the same" in refuses(inst, AUTH_API_KEY=KEY, AUTH_ADMIN_API_KEY=KEY)
    text = refuses(inst, SERVER_HOST="0.0.0.0", SERVER_PORT="1")
    assert "server.allow_unauthenticated: true" in text
    text = refuses(inst, SERVER_HOST="0.0.0.0", SERVER_PORT="1",
                   AUTH_API_KEY=KEY, AUTH_ENABLED="false")
    assert "server.allow_unauthenticated: true" in text
    assert "authentication" in refuses(inst, SERVER_CORS_ALLOWED_ORIGINS="*")
    assert "rate_limit.burst" in refuses(inst, RATE_LIMIT_BURST="0")


def test_key_opens_other_addresses(new_instance):
    server = start(new_instance, AUTH_API_KEY=KEY, SERVER_HOST="0.0.0.0")
    assert server("GET", "/health").status == 401
    server("GET", "/health", X_API_Key=KEY, Host="sandboxes.example",
           check=200)


def test_written_off(new_instance):
    server = start(new_instance, AUTH_API_KEY=KEY, AUTH_ENABLED="false")
    server("GET", "/health", check=200)
    assert "keeps authentication off" in server.inst.log()


# -- owners

def test_every_route_of_another_owner(bob, box):
    """403 for all of them, whatever they would do."""
    for method, path in routes("/sandboxes/{id}"):
        if is_ws(path):
            r = bob.ws(fill(path, box)).response
        else:
            r = bob(method, fill(path, box), b"{}")
        assert r.status == 403, (method, path, r)
        assert r.json()["code"] == "FORBIDDEN"


def test_owner_sees_own_alone(alice, bob, admin, server, box):
    def ids(who, query=""):
        return [s["id"] for s in who("GET", "/sandboxes" + query,
                                     check=200).json()]
    assert ids(alice) == [box]
    assert ids(bob) == [] == ids(bob, "?owner=alice")
    assert ids(admin) == [box] == ids(admin, "?owner=alice")
    assert ids(server.by(X_API_Key=KEY)) == []
    assert [s["id"] for s in server.inst.api("GET", "/sandboxes").json()] == [box]
    alice("GET", f"/sandboxes/{box}", check=200)
    admin("GET", f"/sandboxes/{box}", check=200)


def test_destroyed_ones_are_listed_to_their_owner(alice, bob, box):
    alice("DELETE", f"/sandboxes/{box}", check=200)
    assert box in alice("GET", "/sandboxes?all=true").text
    assert box not in bob("GET", "/sandboxes?all=true").text


def test_owner_without_user_id(server, admin):
    r = server("POST", "/sandboxes", {}, check=201, X_API_Key=KEY).json()
    assert r["owner_id"] == "api-key"
    server("GET", f"/sandboxes/{r['id']}", check=200, X_API_Key=KEY)
    r2 = server("POST", "/sandboxes", {"owner_id": " carol "}, check=201,
                X_API_Key=KEY).json()
    assert r2["owner_id"] == "carol"
    r3 = server("POST", "/sandboxes", {"owner_id": "carol"}, check=201,
                X_API_Key=KEY, X_User_ID="dave").json()
    assert r3["owner_id"] == "dave"
    for s in (r, r2, r3):
        admin("DELETE", f"/sandboxes/{s['id']}", check=200)


def test_names_are_the_owners(alice, bob, admin, box):
    r = bob("GET", "/sandboxes/mine")
    assert r.status == 404, r
    his = bob("POST", "/sandboxes", {"name": "mine"}, check=201).json()["id"]
    assert bob("GET", "/sandboxes/mine", check=200).json()["id"] == his
    assert alice("GET", "/sandboxes/mine", check=200).json()["id"] == box
    assert alice("POST", "/sandboxes", {"name": "mine"}).status == 409
    # Nobody's in particular: refused, not guessed.
    assert admin("DELETE", "/sandboxes/mine").status == 409
    assert admin("GET", "/sandboxes/mine", check=200,
                 X_User_ID="bob").json()["id"] == his
    bob("DELETE", "/sandboxes/mine", check=200)
    assert admin("GET", "/sandboxes/mine", check=200).json()["id"] == box


def test_delete_of_unknown_is_no_oracle(bob, box):
    bob("DELETE", "/sandboxes/sb-00000000", check=200)
    assert bob("DELETE", f"/sandboxes/{box}").status == 403
    bob("DELETE", "/sandboxes/mine", check=200)  # not his: not there


def test_events_are_the_owners(alice, bob, admin, box):
    query = "/events?since=0&follow=false"
    assert box in alice("GET", query).text
    assert box in admin("GET", query).text
    assert box not in bob("GET", query).text
    assert box not in bob("GET", f"{query}&sandbox_id={box}").text


def test_what_everybody_shares_is_told_to_everybody(new_instance):
    """Images that are here and common templates; but who tried to pull what,
    and whose template is whose, is nobody else's business."""
    server = start(new_instance, AUTH_API_KEY=KEY, AUTH_ADMIN_API_KEY=ADMIN,
                   REGISTRIES_PULL="true")
    admin = server.by(X_API_Key=ADMIN)
    alice, bob = (server.by(X_API_Key=KEY, X_User_ID=o)
                  for o in ("alice", "bob"))
    admin("POST", "/templates", {"name": "common", "image": "host"},
          check=201)
    alice("POST", "/templates", {"name": "hers", "image": "host"}, check=201)
    admin("POST", "/images/import?name=shared", tar(("f", b"x")), check=201)
    r = alice("POST", "/images/pull", {"ref": "127.0.0.1:1/secret:1"})
    assert r.status >= 400
    admin("DELETE", "/images/shared", check=200)

    def seen(who):
        text = who("GET", "/events?since=0&follow=false", check=200).text
        found = [json.loads(line[6:]) for line in text.splitlines()
                 if line.startswith("data: ")]
        return [(e["type"], e["data"].get("name") or e["data"].get("ref"))
                for e in found if e["type"].split(".")[0] in (
                    "template", "image")]

    wait_for(lambda: any(t == "image.failed" for t, _ in seen(admin)),
             "the events to be stored")
    shared = [("template.saved", "common"),
              ("image.saved", "shared:latest"),
              ("image.deleted", "shared:latest")]
    assert seen(bob) == shared
    hers = [e for e in seen(alice) if e not in shared]
    assert hers[0] == ("template.saved", "hers")
    assert hers[-1] == ("image.failed", "127.0.0.1:1/secret:1")
    assert sorted(seen(admin)) == sorted(shared + hers)
    # Nobody is called so: it can't be asked for.
    assert bob("GET", "/events", X_User_ID="/").status == 400


def test_templates_are_the_owners(new_instance):
    """Names are an owner's own and come before everybody's, which are the
    admin's to change; nobody notices what others have."""
    server = start(new_instance, AUTH_API_KEY=KEY, AUTH_ADMIN_API_KEY=ADMIN)

    def callers():
        return [server.by(X_API_Key=KEY, X_User_ID="alice"),
                server.by(X_API_Key=KEY, X_User_ID="bob"),
                server.by(X_API_Key=ADMIN)]

    alice, bob, admin = callers()

    def names(who):
        return [t["name"] for t in who("GET", "/templates", check=200).json()]

    def save(who, name, ttl, check):
        return who("POST", "/templates", {"name": name, "image": "host",
                                          "ttl": ttl}, check=check).json()

    def ttl(who, name):
        return who("GET", "/templates/" + name, check=200).json()["ttl"]

    assert "owner_id" not in save(admin, "shared", "10m", 201)
    assert save(alice, "own", "11m", 201)["owner_id"] == "alice"
    # Everybody's is read by all, spawned from by all, changed by the admin.
    assert (names(alice), names(bob)) == (["own", "shared"], ["shared"])
    for method, body in (("PUT", {"image": "host"}), ("DELETE", None)):
        r = bob(method, "/templates/shared", body, check=403)
        assert r.json()["code"] == "FORBIDDEN" and r.json()["remediation"]
    assert ttl(admin, "shared") == "10m"
    sid = bob("POST", "/templates/shared/spawn", check=201).json()["id"]
    bob("DELETE", "/sandboxes/" + sid, check=200)
    # Alice's is nothing to bob, whatever he tries, and a name of his own.
    for method, end, body in (("GET", "", None), ("DELETE", "", None),
                              ("PUT", "", {"image": "host"}),
                              ("POST", "/spawn", None)):
        assert bob(method, "/templates/own" + end, body).status == 404
    assert bob("POST", "/sandboxes", {"template": "own"}).status == 404
    save(bob, "own", "12m", 201)
    assert (ttl(alice, "own"), ttl(bob, "own")) == ("11m", "12m")
    # One's own comes before everybody's.
    save(bob, "shared", "13m", 201)
    assert names(bob) == ["own", "shared"]
    assert (ttl(bob, "shared"), ttl(alice, "shared")) == ("13m", "10m")
    save(admin, "shared", "14m", 200)
    assert (ttl(bob, "shared"), ttl(alice, "shared")) == ("13m", "14m")
    # The admin sees all, and acts for whom the request names.
    assert sorted(names(admin)) == ["own", "own", "shared", "shared"]
    admin("DELETE", "/templates/own", X_User_ID="bob", check=200)
    assert (names(alice), names(bob)) == (["own", "shared"], ["shared"])
    # All of it is there after a restart.
    before = admin("GET", "/templates").json()
    server.inst.kill_daemon()
    server.inst.start()
    alice, bob, admin = callers()
    assert admin("GET", "/templates").json() == before
    bob("DELETE", "/templates/shared", check=200)
    assert ttl(bob, "shared") == "14m"
    admin("DELETE", "/templates/own", check=200)
    admin("DELETE", "/templates/shared", check=200)
    assert names(admin) == []


def test_warm_copies_are_their_owners(new_instance):
    """Whoever has a template of that name, it is their own copy they get; and
    the pool is no way around an owner's limit."""
    server = start(new_instance, AUTH_API_KEY=KEY, AUTH_ADMIN_API_KEY=ADMIN)
    admin = server.by(X_API_Key=ADMIN)
    alice = server.by(X_API_Key=KEY, X_User_ID="alice")
    bob = server.by(X_API_Key=KEY, X_User_ID="bob")
    admin("PUT", "/quotas/alice", {"max_sandboxes": 2}, check=200)

    def ready(n):
        def is_so():
            w = admin("GET", "/metrics", check=200).json()["warm"]
            return w["ready"] == n and not w["making"]
        wait_for(is_so, f"{n} warm copies")

    alice("POST", "/templates", {"name": "t", "image": "host",
                                 "pool_size": 5}, check=201)
    ready(2)
    bob("POST", "/templates", {"name": "t", "image": "host"}, check=201)
    other = bob("POST", "/templates/t/spawn", check=201).json()["id"]
    ready(2)
    mine = alice("POST", "/templates/t/spawn", check=201).json()["id"]
    ready(1)
    claims = admin("GET", "/metrics").json()["warm"]["claims"]
    assert claims == 1, "bob's spawn took a copy of alice's"
    for who in (alice, bob):
        who("DELETE", "/templates/t", check=200)
    ready(0)
    alice("DELETE", "/sandboxes/" + mine, check=200)
    bob("DELETE", "/sandboxes/" + other, check=200)


def test_templates_of_an_owner_on_the_command_line(new_instance):
    """--owner acts for them, with the admin key or over the socket."""
    server = start(new_instance, AUTH_API_KEY=KEY, AUTH_ADMIN_API_KEY=ADMIN)
    inst = server.inst
    inst.ok("template", "create", "t", "--image", "host", "--memory", "100m")
    inst.ok("template", "create", "t", "--image", "host", "--memory", "200m",
            "--owner", "alice")
    alice = server.by(X_API_Key=KEY, X_User_ID="alice")

    def memory(*args):
        return inst.ok("template", "show", "t", "--json",
                       *args).json()["memory_mb"]

    assert (memory(), memory("--owner", "alice")) == (100, 200)
    assert alice("GET", "/templates/t").json()["memory_mb"] == 200
    rows = inst.ok("template", "ls", "--json").json()
    assert [t.get("owner_id") for t in rows] == [None, "alice"]
    [t] = inst.ok("template", "ls", "--owner", "alice", "--json").json()
    assert t["owner_id"] == "alice"
    assert inst.ok("template", "ls", "--owner", "bob", "--json").json() == []
    (inst.home / "edit").write_text("#!/bin/sh\nsed -i s/200/300/ $1\n")
    (inst.home / "edit").chmod(0o755)
    inst.env["EDITOR"] = str(inst.home / "edit")
    inst.ok("template", "edit", "t", "--owner", "alice")
    assert (memory(), memory("--owner", "alice")) == (100, 300)
    for bad in ("", "a b", "\u00e4", "a\nb"):
        assert inst.must_fail("template", "rm", "t", "--owner", bad).code == 2
    inst.ok("template", "rm", "t", "--owner", "alice")
    assert alice("GET", "/templates/t").json()["memory_mb"] == 100
    inst.ok("template", "rm", "t")


def test_copies_obey_the_quota_of_their_owner(new_instance):
    """What the owner could not spawn is not kept ready either."""
    server = start(new_instance, AUTH_API_KEY=KEY, AUTH_ADMIN_API_KEY=ADMIN)
    admin = server.by(X_API_Key=ADMIN)
    alice = server.by(X_API_Key=KEY, X_User_ID="alice")
    admin("PUT", "/quotas/alice", {"max_memory_mb": 100}, check=200)
    body = {"name": "t", "image": "host", "pool_size": 1, "memory_mb": 200}
    alice("POST", "/templates", body, check=201)

    def warm():
        return admin("GET", "/metrics", check=200).json()["warm"]

    wait_for(lambda: warm()["failures"] or warm()["ready"], "an attempt")
    assert warm()["ready"] == 0
    alice("POST", "/templates/t/spawn", check=429)
    alice("POST", "/templates", {"name": "t", "memory_mb": 100}, check=200)
    wait_for(lambda: warm()["ready"] == 1, "a copy within the quota")
    status = alice("GET", "/pool/status", check=200).json()["warm"]
    assert [(t["template"], t["owner_id"]) for t in status] == [("t", "alice")]
    bob = server.by(X_API_Key=KEY, X_User_ID="bob")
    assert bob("GET", "/pool/status", check=200).json()["warm"] == []
    alice("DELETE", "/templates/t", check=200)
    wait_for(lambda: not warm()["ready"], "the copy to go")


def test_an_owner_cannot_use_up_all_templates(new_instance):
    server = start(new_instance, AUTH_API_KEY=KEY, AUTH_ADMIN_API_KEY=ADMIN)

    def fill_up(owner):
        who = server.by(X_API_Key=KEY, X_User_ID=owner)
        n = 0
        while (r := who("POST", "/templates", {
                "name": f"t{n}", "image": "host"})).status == 201:
            n += 1
        assert (r.status, r.json()["code"]) == (429, "RESOURCE_LIMIT"), r
        # What is there may still be changed.
        if n:
            who("POST", "/templates", {"name": "t0", "ttl": "1m"}, check=200)
        return n, r.json()["message"]

    n, message = fill_up("alice")
    assert n == 100 and "alice" in message
    assert fill_up("bob")[0] == 100
    for i in range(8):
        fill_up(f"o{i}")
    n, message = fill_up("late")
    assert n == 0 and "together" in message
    admin = server.by(X_API_Key=ADMIN)
    admin("POST", "/templates", {"name": "shared", "image": "host"}, check=201)


def test_isolation_off(new_instance):
    server = start(new_instance, AUTH_API_KEY=KEY,
                   AUTH_OWNER_ISOLATION="false")
    a = server.by(X_API_Key=KEY, X_User_ID="alice")
    b = server.by(X_API_Key=KEY, X_User_ID="bob")
    sid = a("POST", "/sandboxes", {}, check=201).json()["id"]
    b("GET", f"/sandboxes/{sid}", check=200)
    assert len(b("GET", "/sandboxes").json()) == 1


# -- rate limit

def test_rate_limit(new_instance):
    server = start(new_instance, RATE_LIMIT_ENABLED="true",
                   RATE_LIMIT_REQUESTS_PER_MINUTE="30", RATE_LIMIT_BURST="5")
    a = server.by(X_User_ID="alice")
    for left in range(4, -1, -1):
        r = a("GET", "/health", check=200)
        assert r.headers["x-ratelimit-limit"] == "30"
        assert int(r.headers["x-ratelimit-remaining"]) == left
        assert 0 < int(r.headers["x-ratelimit-reset"]) <= 10
    r = a("GET", "/health", check=429)
    assert r.json()["code"] == "RESOURCE_LIMIT"
    assert r.headers["retry-after"] in ("1", "2")
    assert r.headers["x-ratelimit-remaining"] == "0"
    server.by(X_User_ID="bob")("GET", "/health", check=200)
    a("GET", "/live", check=200)
    wait_for(lambda: a("GET", "/health").status == 200, "a new token")


# -- web pages

PAGE = "https://app.example"


def test_cors(new_instance):
    server = start(new_instance, AUTH_API_KEY=KEY,
                   SERVER_CORS_ALLOWED_ORIGINS=PAGE)
    ask = {"Access_Control_Request_Method": "POST",
           "Access_Control_Request_Headers": "x-api-key"}
    r = server("OPTIONS", "/sandboxes", Origin=PAGE, **ask)
    assert r.status == 200, r
    assert r.headers["access-control-allow-origin"] == PAGE
    assert r.headers["vary"] == "Origin"
    assert {"POST", "PATCH"} <= set(
        r.headers["access-control-allow-methods"].split(", "))
    assert "X-API-Key" in r.headers["access-control-allow-headers"]
    r = server("OPTIONS", "/sandboxes", Origin="https://evil.example", **ask)
    assert r.status == 403
    assert "access-control-allow-origin" not in r.headers
    # An OPTIONS that is no preflight is like any other request.
    assert server("OPTIONS", "/sandboxes", Origin=PAGE).status == 401
    r = server("GET", "/health", Origin=PAGE)  # errors can be read as well
    assert r.status == 401
    assert r.headers["access-control-allow-origin"] == PAGE
    r = server("DELETE", "/sandboxes", Origin=PAGE, X_API_Key=KEY, check=200)
    assert r.headers["access-control-allow-origin"] == PAGE
    r = server("DELETE", "/sandboxes", Origin="https://evil.example",
               X_API_Key=KEY, check=403)
    for odd in ("null", PAGE + ".evil.example", "http://app.example",
                PAGE + ":8443"):
        r = server("GET", "/health", Origin=odd, X_API_Key=KEY, check=200)
        assert "access-control-allow-origin" not in r.headers, odd


def test_cors_is_off(server):
    r = server("OPTIONS", "/sandboxes", Origin=PAGE,
               Access_Control_Request_Method="POST")
    assert r.status == 401
    assert "access-control-allow-origin" not in r.headers


def test_hosts_and_origins_without_auth(new_instance):
    server = start(new_instance, SERVER_ALLOWED_HOSTS="box.example")
    server("GET", "/health", check=200)
    server("GET", "/health", check=200, Host="box.example:80")
    r = server("GET", "/health", check=403, Host="rebound.example")
    assert r.json()["code"] == "FORBIDDEN"
    server("DELETE", "/sandboxes", check=200)
    server("DELETE", "/sandboxes", check=200, Origin="http://localhost:3000")
    server("DELETE", "/sandboxes", check=200, Origin="https://box.example")
    server("DELETE", "/sandboxes", check=403, Origin="https://evil.example")
    server("DELETE", "/sandboxes", check=403, Origin="null")
    server("DELETE", "/sandboxes", check=200, Sec_Fetch_Mode="cors")


# -- the command line

def test_command_line(server, box):
    inst, url = server.inst, f"http://127.0.0.1:{server.port}"
    r = inst.run("--server", url, "list")
    assert r.code != 0 and "API key" in r.errtext, r
    me = {"STACYVM_SERVER": url, "STACYVM_USER_ID": "alice"}
    assert box in inst.ok("--api-key", KEY, "list", env=me).text
    me["STACYVM_API_KEY"] = KEY
    assert box in inst.ok("list", env=me).text
    inst.ok("exec", "mine", "--", "true", env=me)
    me["STACYVM_USER_ID"] = "bob"
    assert box not in inst.ok("list", env=me).text
    r = inst.run("exec", box, "--", "true", env=me)
    assert r.code != 0 and "another owner" in r.errtext, r
    assert box in inst.ok("list", env={**me, "STACYVM_API_KEY": ADMIN}).text
