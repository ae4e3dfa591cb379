# SPDX-License-Identifier: MIT
"""Bodies that nobody means well with, on every route that takes JSON (by the
daemon's own OpenAPI document); and owners whose names look like paths."""
import json
import os
import urllib.parse

import pytest

DEEP = 100_000
HUGE = ["1e999", "-1e999", "1" + "0" * 400, "9223372036854775808", "-1",
        "1.5", "1e-5"]
# Data keeps a NUL (API.md 1).
DATA = {"content", "stdin"}


def routes(doc):
    """(method, route, schema) of each with a JSON body."""
    for route, item in doc["paths"].items():
        for method, op in item.items():
            content = op.get("requestBody", {}).get("content", {})
            schema = content.get("application/json", {}).get("schema")
            if schema:
                name = schema["$ref"].rsplit("/", 1)[1]
                yield (method.upper(), route.removeprefix("/api/v1"),
                       doc["components"]["schemas"][name])


GOOD = {"ref": "localhost:1/none:1", "name": "bad-bodies", "image": "host",
        "command": "true", "path": "/workspace/f", "mode": "644",
        "old_path": "/workspace/none", "new_path": "/workspace/f",
        "signal": "INT", "cols": 80, "rows": 24}


def good(schema):
    return {k: GOOD[k] for k in schema.get("required", ())}


def fill(route, box):
    return (route.replace("{id}", box).replace("{sid}", "ex-00000000")
            .replace("{owner}", "bad-bodies").replace("{name}", "bad-bodies"))


def with_raw(body, key, raw):
    """JSON text of the object, one member's value as it is given."""
    members = [f"{json.dumps(k)}:{json.dumps(v)}"
               for k, v in body.items() if k != key]
    return "{" + ",".join(members + [f"{json.dumps(key)}:{raw}"]) + "}"


@pytest.fixture(scope="module")
def doc(shared):
    return shared.api("GET", "/openapi.json", check=200).json()


@pytest.fixture
def refuse(shared, doc, box):
    """For all routes: every text that a maker gives is a 400, and the daemon
    is the same one afterwards."""
    shared.api("POST", "/templates", {"name": "bad-bodies", "image": "host"})
    pid = shared.daemon_pid()
    seen = set()

    def go(make):
        for method, route, schema in routes(doc):
            for text in make(schema):
                raw = text if isinstance(text, bytes) else text.encode()
                r = shared.api(method, fill(route, box), raw)
                shown = (method, route, raw[:200])
                assert r.status == 400, (shown, r)
                assert r.json()["code"] == "BAD_REQUEST", (shown, r)
                assert len(r.body) < 2000, (shown, r)
                seen.add(route)
        return seen

    yield go
    assert len(seen) >= 10, f"a document without routes? {seen}"
    assert shared.daemon_pid() == pid
    assert shared.exec(box, "echo well").json()["stdout"] == "well\n"
    shared.api("DELETE", "/templates/bad-bodies", check=200)


def test_deep(refuse):
    refuse(lambda schema: (
        "[" * DEEP, '{"a":' * DEEP, '{"a":' + "[" * DEEP + "]" * DEEP + "}",
        '{"a":' * DEEP + "1" + "}" * DEEP,
        # one too many
        '{"a":' + "[" * 64 + "]" * 64 + "}"))


def test_deep_enough(shared):
    """What is within the limit is no mistake: unknown keys are ignored."""
    text = '{"a":' + "[" * 63 + "]" * 63 + "}"
    shared.api("POST", "/sandboxes/admission", text.encode(), check=200)


def test_duplicates(refuse):
    """Readers of JSON disagree about which one counts."""
    def make(schema):
        body = good(schema)
        for key in schema["properties"]:
            value = json.dumps(body.get(key, "x"))
            yield with_raw(body, key, f"{value},{json.dumps(key)}:{value}")
        yield with_raw(body, "unknown", '{"a":1,"b":[{"c":1,"c":1}]}')
        yield with_raw(body, "metadata", '{"a":"1","a":"1"}')
        # the same name, written in another way
        yield with_raw(body, "unknown", r'{"a":1,"\u0061":2}')
    refuse(make)


def test_numbers(refuse):
    def make(schema):
        for key, kind in schema["properties"].items():
            if kind.get("type") == "integer":
                for number in HUGE:
                    yield with_raw(good(schema), key, number)
            elif kind.get("type") in ("string", "boolean", "array", "object"):
                yield with_raw(good(schema), key, "1e999")
                yield with_raw(good(schema), key, "1" * 5000)
        yield with_raw(good(schema), "unknown", "01")
        yield with_raw(good(schema), "unknown", "1.")
        yield with_raw(good(schema), "unknown", "+1")
        yield with_raw(good(schema), "unknown", "NaN")
    refuse(make)


def test_what_is_no_object(refuse):
    refuse(lambda schema: ("[]", '"x"', "1", "null", "true", "{} {}", "{}x",
                           "{", '{"a"}', "{'a':1}", '{"a":1,}', "\0", "{}\0",
                           b"\xff", b'{"a":"\xc3"}'))


def test_strings(refuse):
    def make(schema):
        for key, kind in schema["properties"].items():
            if kind.get("type") == "string" and key not in DATA:
                yield with_raw(good(schema), key, r'"a\u0000b"')
            yield with_raw(good(schema), key, r'"\ud800"')
            yield with_raw(good(schema), key, '"\n"')
            yield with_raw(good(schema), key, r'"\x"')
    refuse(make)


# -- owners

PATHS = ["..", ".", "...", ".hidden", "~", "~root", "-rf", "$HOME", "`id`",
         "$(id)", "%2e%2e", "%2F", "a%00b", "CON", "*", "?", "'", '"', ";",
         "a;b", "<x>", "{}", "0", "null", "sb-00000000", "lock", "db",
         "x" * 128]
BAD = ["/", "../x", "/etc/passwd", "a/b", "..\\x", "\\", "a b", "a\tb",
       "\x7f", "x" * 129]


def quoted(owner):
    return urllib.parse.quote(owner, safe="").replace(".", "%2E")


def files(inst):
    return sorted(os.path.join(top, f) for top, dirs, names in
                  os.walk(inst.base) for f in dirs + names)


def test_owners_that_look_like_paths(inst):
    """An owner is text: it becomes no file, reaches no other route, and what
    belongs to it is found again by a daemon that did not see it come."""
    inst.start()
    inst.api("GET", "/sandboxes")
    ids = {}
    before = {f for f in files(inst) if "/boxes/" not in f and
              "/logs/" not in f and "/db" not in f}
    for owner in PATHS:
        user = {"X-User-ID": owner}
        r = inst.api("PUT", "/quotas/" + quoted(owner), {"max_vcpus": 3})
        assert r.status == 200 and r.json()["owner_id"] == owner, r
        box = inst.api("POST", "/sandboxes", {"memory_mb": 64}, user,
                       check=201).json()
        assert box["owner_id"] == owner
        ids[owner] = box["id"]
    inst.kill_daemon()
    inst.start()
    for owner, sid in ids.items():
        q = urllib.parse.quote_plus(owner)
        got = inst.api("GET", f"/sandboxes?owner={q}", check=200).json()
        assert [b["id"] for b in got] == [sid], owner
        at = "/quotas/" + quoted(owner)
        assert inst.api("GET", at, check=200).json()["max_vcpus"] == 3
        usage = inst.api("GET", at + "/usage", check=200).json()
        assert usage["active_sandboxes"] == 1, owner
    quotas = inst.api("GET", "/quotas", check=200).json()
    assert {q["owner_id"] for q in quotas} == set(PATHS)
    for owner, sid in ids.items():
        inst.api("DELETE", f"/sandboxes/{sid}", check=200)
        inst.api("DELETE", "/quotas/" + quoted(owner), check=200)
    after = {f for f in files(inst) if "/boxes/" not in f and
             "/logs/" not in f and "/db" not in f}
    assert after <= before | {f for f in after if "/r/" in f}, after - before


@pytest.mark.parametrize("owner", BAD)
def test_owners_that_are_none(shared, owner):
    for r in (shared.api("POST", "/sandboxes", {"owner_id": owner}),
              shared.api("POST", "/sandboxes/admission", {"owner_id": owner}),
              shared.api("PUT", "/quotas/" + quoted(owner), {}),
              shared.api("GET", "/quotas/" + quoted(owner) + "/usage"),
              shared.api("DELETE", "/quotas/" + quoted(owner))):
        assert (r.status, r.json()["code"]) == (400, "BAD_REQUEST"), r
    if "\t" not in owner and "\x7f" not in owner: # no header is that
        r = shared.api("POST", "/sandboxes", {}, {"X-User-ID": owner})
        assert (r.status, r.json()["code"]) == (400, "BAD_REQUEST"), r
