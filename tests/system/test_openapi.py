# SPDX-License-Identifier: MIT
"""The OpenAPI document and the daemon agree: every route in it is called and
every reply held against its schema."""
import io
import re
import tarfile

import pytest

import svm
from registry import Image, Rogue

METHODS = ("get", "put", "post", "patch", "delete")
TYPES = {
    "object": dict, "array": list, "string": str, "boolean": bool,
    "null": type(None),
}


class Mismatch(AssertionError):
    pass


def is_type(value, name):
    if name in ("integer", "number"):
        return (isinstance(value, (int, float)) and
                not isinstance(value, bool) and
                (name == "number" or float(value).is_integer()))
    return isinstance(value, TYPES[name])


KNOWN = {"type", "enum", "pattern", "format", "required", "properties",
         "additionalProperties", "items", "$ref"}


def check(value, schema, doc, where="reply"):
    """As much of JSON Schema as the document uses; the rest is an error."""
    assert set(schema) <= KNOWN, set(schema) - KNOWN
    if "$ref" in schema:
        node = doc
        for part in schema["$ref"].removeprefix("#/").split("/"):
            node = node[part]
        check(value, node, doc, where)
        return
    types = schema.get("type", [])
    types = [types] if isinstance(types, str) else types
    if types and not any(is_type(value, t) for t in types):
        raise Mismatch(f"{where}: {value!r} is no {types}")
    if "enum" in schema and value not in schema["enum"]:
        raise Mismatch(f"{where}: {value!r} is not one of {schema['enum']}")
    if "pattern" in schema and not re.search(schema["pattern"], value):
        raise Mismatch(f"{where}: {value!r} does not match")
    if schema.get("format") == "date-time" and not re.fullmatch(
            r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", value):
        raise Mismatch(f"{where}: {value!r} is no time")
    if isinstance(value, dict):
        for key in schema.get("required", []):
            if key not in value:
                raise Mismatch(f"{where}: {key} is missing in {value}")
        for key, item in value.items():
            sub = schema.get("properties", {}).get(
                key, schema.get("additionalProperties", {}))
            check(item, sub, doc, f"{where}.{key}")
    if isinstance(value, list) and "items" in schema:
        for i, item in enumerate(value):
            check(item, schema["items"], doc, f"{where}[{i}]")


@pytest.fixture(scope="module")
def shared(provider):
    i = svm.Instance(provider, env={"STACYVM_REGISTRIES_PULL": "true",
                                     "STACYVM_SERVER_PORT": str(svm.free_port())})
    i.start()
    yield i
    i.stop()


@pytest.fixture(scope="module")
def doc(shared):
    return shared.api("GET", "/openapi.json", check=200).json()


def operations(doc):
    return {(m.upper(), path): op for path, item in doc["paths"].items()
            for m, op in item.items()}


def test_the_validator_can_fail(doc):
    schema = {"$ref": "#/components/schemas/FileInfo"}
    good = {"name": "a", "path": "/a", "size": 1, "is_dir": False,
            "mode": "0644", "mod_time": "2026-01-02T03:04:05.678Z",
            "type": "file"}
    check(good, schema, doc)
    for key, bad in (("name", None), ("size", "1"), ("size", 1.5),
                     ("is_dir", 0), ("mode", "644"), ("type", "link"),
                     ("mod_time", "yesterday")):
        with pytest.raises(Mismatch):
            check({**good, key: bad}, schema, doc)
    with pytest.raises(Mismatch):
        check({k: v for k, v in good.items() if k != "path"}, schema, doc)
    with pytest.raises(Mismatch):
        check([1], {"type": "array", "items": {"type": "string"}}, doc)


def test_the_document_is_sound(doc):
    assert doc["openapi"].startswith("3.1.")
    assert doc["info"]["title"] and doc["info"]["version"]
    ids = [op["operationId"] for op in operations(doc).values()]
    assert len(ids) == len(set(ids))
    for (method, path), op in operations(doc).items():
        assert method.lower() in METHODS and path.startswith("/api/v1/")
        assert op["summary"], path
        inside = {p["name"] for p in op["parameters"] if p["in"] == "path"}
        assert inside == set(re.findall(r"{(\w+)}", path)), path
        assert "default" in op["responses"] and len(op["responses"]) == 2
    refs = set(re.findall(r'#/components/schemas/(\w+)', repr(doc)))
    assert refs <= set(doc["components"]["schemas"])
    assert set(doc["components"]["schemas"]) - refs <= {"Error", "Object"}


def test_it_has_exactly_the_routes_there_are(shared, doc):
    """405 names what a path allows; nothing else is there."""
    for path, item in doc["paths"].items():
        r = shared.api("TRACE", re.sub(r"{\w+}", "x",
                                       path).removeprefix("/api/v1"))
        assert r.status == 405, path
        allowed = set(r.headers["allow"].split(", ")) - {"HEAD"}
        # A path with a parameter also answers what a literal one allows.
        mine = {m.upper() for m in item}
        assert mine <= allowed, path


def archive():
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as t:
        info = tarfile.TarInfo("etc/os-release")
        info.size = 3
        t.addfile(info, io.BytesIO(b"ID=x"[:3]))
    return out.getvalue()


def calls(sid, session, ref):
    """(method, route, path, body): every route once, destroyers last."""
    box = f"/sandboxes/{sid}"
    files = box + "/files"
    simple = ["/health", "/live", "/ready", "/metrics",
              "/metrics/prometheus", "/openapi.json", "/config", "/doctor",
              "/providers", "/pool/status", "/snapshots", "/images",
              "/sandboxes", "/audit", "/audit/verify"]
    for path in simple:
        yield "GET", path, path, None
    yield "GET", "/events", "/events?since=0&follow=false", None
    yield "GET", "/providers/{name}", "/providers/mock", None
    yield "POST", "/providers/test", "/providers/test", None
    yield ("POST", "/images/import", "/images/import?name=openapi:1",
           archive())
    yield "POST", "/images/pull", "/images/pull", {"ref": ref}
    yield "GET", "/images", "/images", None
    one, route = "/quotas/openapi", "/quotas/{owner}"
    yield "PUT", route, one, {"max_sandboxes": 9}
    yield "GET", "/quotas", "/quotas", None
    yield "GET", "/quotas/summary", "/quotas/summary", None
    yield "GET", route, one, None
    yield "GET", route + "/usage", one + "/usage", None
    yield "DELETE", route, one, None
    yield "POST", "/sandboxes/admission", "/sandboxes/admission", {}
    yield "POST", "/sandboxes", "/sandboxes", {
        "provider": "mock", "name": "openapi-two", "metadata": {"a": "b"}}
    template = "/templates/openapi%20one"
    yield "POST", "/templates", "/templates", {"name": "openapi one",
                                               "image": "host"}
    yield "GET", "/templates", "/templates", None
    yield "GET", "/templates/{name}", template, None
    yield "PUT", "/templates/{name}", template, {"image": "host"}
    yield "POST", "/templates/{name}/spawn", template + "/spawn", {
        "name": "openapi-three"}
    yield "DELETE", "/templates/{name}", template, None
    yield "DELETE", "/sandboxes/{id}", "/sandboxes/openapi-three", None
    for end in ("", "/stats", "/logs", "/sessions"):
        yield "GET", "/sandboxes/{id}" + end, box + end, None
    yield "GET", "/sandboxes/{id}/preview", box + "/preview?port=80", None
    yield "PATCH", "/sandboxes/{id}", box, {"metadata": {"a": "b"}}
    yield "POST", "/sandboxes/{id}/extend", box + "/extend", {"ttl": "1h"}
    yield "POST", "/sandboxes/{id}/exec", box + "/exec", {"command": "echo"}
    yield "GET", "/sandboxes/{id}/exec/ws", box + "/exec/ws", "ws"
    one, route = f"{box}/sessions/{session}", "/sandboxes/{id}/sessions/{sid}"
    yield "GET", route, one, None
    yield "GET", route + "/ws", one + "/ws", "ws"
    yield "POST", route + "/resize", one + "/resize", {"cols": 9, "rows": 9}
    yield "POST", route + "/signal", one + "/signal", {"signal": "WINCH"}
    yield "DELETE", route, one, None
    route = "/sandboxes/{id}/files"
    yield "POST", route, files, {"path": "/workspace/a", "content": "x"}
    yield "PUT", route, files + "?path=/workspace/b", b"raw"
    yield "GET", route, files + "?path=/workspace/b", None
    yield "GET", route + "/list", files + "/list?path=/workspace", None
    yield "POST", route + "/move", files + "/move", {
        "old_path": "/workspace/a", "new_path": "/workspace/c"}
    yield "POST", route + "/chmod", files + "/chmod", {
        "path": "/workspace/c", "mode": "600"}
    yield "GET", route + "/stat", files + "/stat?path=/workspace/c", None
    yield ("GET", route + "/glob", files + "/glob?pattern=/workspace/*",
           None)
    yield ("GET", route + "/archive", files + "/archive?path=/workspace",
           None)
    yield ("PUT", route + "/archive",
           files + "/archive?path=/workspace/unpacked", archive())
    yield "DELETE", route, files + "?path=/workspace/c", None
    yield "DELETE", "/images/{ref}", "/images/openapi:1", None
    yield "POST", "/images/prune", "/images/prune", None
    yield "DELETE", "/sandboxes", "/sandboxes", None
    yield "DELETE", "/sandboxes/{id}", "/sandboxes/openapi-two", None


def reply_schema(op, r):
    """The schema of a JSON reply, None for others; checks status and type."""
    status, said = next((int(s), v) for s, v in op["responses"].items()
                        if s != "default")
    assert r.status == status, r
    if "content" not in said:
        return None
    (kind, content), = said["content"].items()
    assert r.headers["content-type"].split(";")[0] == kind, r.headers
    return content.get("schema")


def test_every_route_answers_as_documented(shared, doc, box):
    ops = operations(doc)
    session = shared.exec(box, "sleep 1000", tty=True,
                          detach=True).json()["session_id"]
    missing = set(ops)
    registry = Rogue()
    ref = registry.put("openapi", "2", Image([archive()]))
    for method, route, path, body in calls(box, session, ref):
        op = ops[method, "/api/v1" + route]
        missing.discard((method, "/api/v1" + route))
        if body == "ws":
            ws = shared.ws(path)
            assert reply_schema(op, ws.response) is None
            ws.close()
            continue
        r = shared.api(method, path, body)
        schema = reply_schema(op, r)
        if schema:
            check(r.json(), schema, doc, f"{method} {route}")
    registry.stop()
    assert not missing, f"routes no call was made to: {sorted(missing)}"


def test_errors_are_as_documented(shared, doc, box):
    schema = {"$ref": "#/components/schemas/Error"}
    for method, path, body, status in (
            ("GET", "/sandboxes/sb-00000000", None, 404),
            ("GET", f"/sandboxes/{box}/files", None, 400),
            ("POST", "/sandboxes", {"ttl": "x"}, 400),
            ("PATCH", "/sandboxes", None, 405),
            ("GET", "/nowhere", None, 404)):
        r = shared.api(method, path, body, check=status)
        check(r.json(), schema, doc)
