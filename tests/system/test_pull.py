# SPDX-License-Identifier: MIT
"""Pulling: from the distribution's registry, and from registries that lie,
stall, redirect and ask for passwords they should not get."""
import base64
import gzip
import json
import os
import shutil
import subprocess
import threading
import time
import warnings

import pytest

import svm

from registry import MACHINE, Distribution, Image, Rogue, digest, index_of
from screen import Screen
from svm import wait_for
from test_images import layers, out, refs, running, stored_layers, tar

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    try:
        import crypt # gone in Python 3.13
    except ImportError:
        crypt = None

PULL = "/images/pull"
BIG = os.urandom(3 << 20)  # several reports, several reads


@pytest.fixture
def inst(new_instance):
    return new_instance(env={"STACYVM_REGISTRIES_PULL": "true"}).start()


@pytest.fixture
def registry(tmp_path):
    if not Distribution.PROGRAM:
        pytest.skip("needs docker-registry")
    r = Distribution(tmp_path)
    yield r
    r.stop()


@pytest.fixture
def rogue():
    r = Rogue()
    yield r
    r.stop()


def big_image(data=BIG, **kw):
    return Image([tar(("data", data))], pack=lambda b: gzip.compress(b, 0), **kw)


def pull(inst, ref, check=201):
    r = inst.api("POST", PULL, {"ref": ref})
    assert r.status == check, r
    return r.json()


def refused(inst, ref, status, code, words=""):
    e = pull(inst, ref, status)
    assert e["code"] == code, e
    assert words in e["message"], e
    assert refs(inst) == []
    return e


def frames(inst, ref):
    r = inst.api("POST", PULL + "?frames=full", {"ref": ref}, check=200)
    return [json.loads(line) for line in r.body.splitlines() if line.strip()]


def downloads(inst):
    return sorted(os.listdir(inst.state / "images/downloads"))


# -- the distribution's registry

@pytest.mark.parametrize("oci", [True, False])
def test_pull(inst, registry, oci):
    image = Image(layers(), oci=oci)
    ref = registry.push("team/app", "1", image)
    got = pull(inst, ref)
    assert got["ref"] == ref
    assert got["digest"] == digest(image.config)
    assert got["layers"] == 2
    assert stored_layers(inst) == sorted(
        digest(b).replace(":", "-") for b in layers())
    wait_for(lambda: not downloads(inst), "downloads to be swept")
    again = pull(inst, ref, 200)
    assert again["digest"] == got["digest"]


@pytest.mark.parametrize("oci", [True, False])
def test_index_by_platform(inst, registry, oci):
    ours = Image(layers(), oci=oci)
    other = Image(layers(b"x"), oci=oci, arch="sparc64")
    for i in (other, ours):
        for b in i.blobs():
            registry.push_blob("multi", b)
        registry.push_manifest("multi", digest(i.manifest), i.type, i.manifest)
    kind, index = index_of([other, ours], oci)
    registry.push_manifest("multi", "all", kind, index)
    assert pull(inst, f"{registry.host}/multi:all")["digest"] == digest(ours.config)
    kind, index = index_of([other], oci)
    registry.push_manifest("multi", "none", kind, index)
    e = pull(inst, f"{registry.host}/multi:none", 400)
    assert f"linux/{MACHINE}" in e["message"], e


def test_by_digest(inst, registry):
    image = Image(layers())
    registry.push("pinned", "x", image)
    ref = f"{registry.host}/pinned@{digest(image.manifest)}"
    assert pull(inst, ref)["ref"] == ref
    assert refs(inst) == [ref]
    missing = f"{registry.host}/pinned@sha256:{'0' * 64}"
    assert pull(inst, missing, 404)["code"] == "NOT_FOUND"


def test_new_tag_brings_the_new_layer_only(inst, registry):
    one, two = Image(layers(b"1")), Image(layers(b"2"))
    ref = registry.push("app", "t", one)
    pull(inst, ref)
    registry.push("app", "t", two)
    events = frames(inst, ref)
    assert events[-1]["type"] == "image" and events[-1]["newer"], events
    fetched = {e["layer"] for e in events if e.get("stage") == "download"}
    assert fetched == {1}, events
    wait_for(lambda: len(stored_layers(inst)) == 2,
             "the layer nobody needs to go")


def test_progress(inst, registry):
    image = big_image()
    events = frames(inst, registry.push("big", "1", image))
    steps = [e for e in events if e["type"] == "progress" and
             e["stage"] == "download"]
    assert steps[-1]["bytes"] == steps[-1]["total"] == len(image.layers[0])
    assert [e["bytes"] for e in steps] == sorted(e["bytes"] for e in steps)
    assert len(steps) > 2
    assert events[-1]["image"]["digest"] == digest(image.config)


def test_a_spawn_says_how_far_its_image_is(inst, rogue):
    ref = rogue.put("wanted", "1", big_image())
    r = inst.api("POST", "/sandboxes?frames=full", {"image": ref}, check=200)
    got = [json.loads(x) for x in r.body.splitlines() if x.strip()]
    stages = list(dict.fromkeys(f.get("stage") for f in got))
    assert stages[0] == "download" and stages[-2] == "create", stages
    assert got[-1]["type"] == "sandbox", got
    bad = inst.api("POST", "/sandboxes?frames=full",
                   {"image": rogue.host + "/none:1"})
    assert bad.status == 503, "before anything was told it is plain"


def test_what_watchers_see(inst, rogue):
    """Progress, the image, its failure and its end, without asking."""
    def events(kind):
        text = inst.api("GET", f"/events?since=0&follow=false&type={kind}",
                        check=200).text
        return [json.loads(x[6:])["data"] for x in text.split("\n")
                if x.startswith("data: ")]

    image = big_image()
    ref = rogue.put("watched", "1", image)
    began = time.monotonic()
    pull(inst, ref)
    steps, took = events("image.progress"), time.monotonic() - began
    assert len(steps) <= 1 + took / 2, "one every two seconds"
    first = steps[0]
    assert (first["ref"], first["stage"], first["layers"]) == (
        ref, "download", 1)
    assert 0 < first["bytes"] <= first["total"] == len(image.layers[0])
    [saved] = events("image.saved")
    assert (saved["ref"], saved["digest"]) == (ref, digest(image.config))
    assert saved["size_bytes"] > 0
    pull(inst, f"{rogue.host}/nobody/nothing", 404)
    # Who asked is answered at once, watchers when it is on record.
    [failed] = wait_for(lambda: events("image.failed"), "the event")
    assert failed["ref"] == f"{rogue.host}/nobody/nothing:latest"
    assert failed["code"] == "NOT_FOUND" and failed["error"]
    inst.api("POST", "/images/prune", check=200)
    [deleted] = wait_for(lambda: events("image.deleted"), "the event")
    assert deleted == {"ref": ref, "digest": digest(image.config),
                       "size_bytes": saved["size_bytes"]}


def test_unknown_images(inst, registry):
    for ref in ("nobody/nothing", "nothing:3"):
        e = pull(inst, f"{registry.host}/{ref}", 404)
        assert e["code"] == "NOT_FOUND", e


@pytest.mark.parametrize("ref", ["", "A/b", "x y", f"sha256:{'0' * 64}",
                                 "a:b:c/x", "h.x:99999999/a", "../../x"])
def test_bad_references(inst, ref):
    assert pull(inst, ref, 400)["code"] == "BAD_REQUEST"


def test_password(new_instance, tmp_path):
    if not Distribution.PROGRAM or not crypt:
        pytest.skip("needs docker-registry and Python's crypt")
    hashed = crypt.crypt("secret", crypt.mksalt(crypt.METHOD_BLOWFISH,
                                                rounds=16))  # quick
    (tmp_path / "users").write_text(f"me:{hashed}\n")
    r = Distribution(tmp_path, tmp_path / "users")
    try:
        basic_auth(new_instance, r)
    finally:
        r.stop()


def basic_auth(new_instance, r):
    key = base64.b64encode(b"me:secret").decode()
    r.auth = f"Basic {key}"
    ref = r.push("private", "1", Image(layers()))
    inst = new_instance(env={"STACYVM_REGISTRIES_PULL": "true"}).start()
    e = pull(inst, ref, 503)
    assert "docker login" in e["remediation"], e
    write_config(inst, {"auths": {r.host: {"auth": key}}})
    assert pull(inst, ref)["ref"] == ref


def write_config(inst, value):
    (inst.home / ".docker").mkdir(exist_ok=True)
    (inst.home / ".docker/config.json").write_text(json.dumps(value))


# -- spawn

@pytest.mark.native
def test_spawn_pulls(inst, registry):
    ref = registry.push("app", "1", Image(layers()))
    sid = running(inst, ref)
    assert out(inst, sid, "cat /etc/top") == "m"
    assert out(inst, sid, "echo $FROM_IMAGE") == "yes"


@pytest.mark.native
def test_a_spawn_shows_what_it_downloads(inst, rogue):
    image, go = big_image(), threading.Event()
    ref = rogue.put("app", "1", image)
    data = image.layers[0]

    def slow(h):
        h.send_response(200)
        h.send_header("Content-Length", str(len(data)))
        h.end_headers()
        h.wfile.write(data[:len(data) // 2])
        go.wait(60)
        h.wfile.write(data[len(data) // 2:])

    rogue.routes[rogue.blob("app", data)] = slow
    s = Screen(inst, "spawn", "--image", ref, size="24x120")
    s.step("wait downloading the image", "wait  MiB of 3.0 MiB")
    go.set()
    s.end("wait next:  stacyvm shell", "gone downloading", "exit 0")


@pytest.mark.native
def test_one_download_for_all(inst, rogue):
    """Spawns and pulls of one image wait for the same pull."""
    image, go = big_image(), threading.Event()
    ref = rogue.put("app", "1", image)
    blob = rogue.blob("app", image.layers[0])

    def slow(h):
        go.wait(60)
        h.reply(200, image.layers[0])

    rogue.routes[blob] = slow
    replies = []

    def ask(path, body):
        with inst.client() as c:
            replies.append(c.request("POST", svm.API + path, body).status)

    threads = [threading.Thread(target=ask, args=a) for a in
               [("/sandboxes", {"image": ref})] * 3 + [(PULL, {"ref": ref})] * 2]
    for t in threads:
        t.start()
    wait_for(lambda: rogue.count(blob), "the download to begin")
    assert inst.api("GET", "/health").status == 200  # nothing is locked
    go.set()
    for t in threads:
        t.join(60)
    # The image has no program but spawns run the agent alone.
    assert sorted(replies) == [201] * 5, replies
    assert rogue.count(blob) == 1
    assert rogue.count("/v2/app/manifests/1") <= 2


@pytest.mark.native
def test_the_callers_leaving(inst, rogue):
    """A spawn's pull goes on without it; a pull's own ends, and its bytes
    serve the next."""
    image, go = big_image(), threading.Event()
    ref = rogue.put("app", "1", image)
    blob = rogue.blob("app", image.layers[0])

    def slow(h):
        go.wait(60)
        h.serve_range(image.layers[0])

    rogue.routes[blob] = slow
    c = inst.client()
    c.begin("POST", svm.API + "/sandboxes", {"image": ref})
    wait_for(lambda: rogue.count(blob), "the download to begin")
    c.close()
    go.set()
    wait_for(lambda: refs(inst) == [ref], "the pull to go on")
    assert inst.api("GET", "/sandboxes").json() == []

    inst.api("DELETE", "/images/" + ref.replace("/", "%2F"), check=200)
    data, half = image.layers[0], len(image.layers[0]) // 2
    go.clear()

    def stalls(h):
        h.send_response(200)
        h.send_header("Content-Length", str(len(data)))
        h.end_headers()
        h.wfile.write(data[:half])
        h.wfile.flush()
        go.wait(60)

    rogue.routes[blob] = stalls
    part = inst.state / "images/downloads" / (
        digest(data).replace(":", "-") + ".part")
    c = inst.client()
    c.begin("POST", svm.API + PULL, {"ref": ref})
    wait_for(lambda: part.exists() and part.stat().st_size == half, "half of it")
    c.close()
    wait_for(lambda: "nobody waits" in inst.log(), "the pull to end")
    go.set()
    rogue.routes[blob] = lambda h: h.serve_range(data)
    pull(inst, ref)
    assert rogue.seen[-1][1].get("Range") == f"bytes={half}-"


@pytest.mark.native
def test_spawn_without_reach(inst):
    e = inst.api("POST", "/sandboxes", {"image": "127.0.0.1:1/app:2"}, check=503)
    e = e.json()
    assert e["code"] == "UNAVAILABLE"
    assert ("docker save '127.0.0.1:1/app:2' | stacyvm image import - --name "
            "'127.0.0.1:1/app:2'") in e["remediation"], e


@pytest.mark.native
def test_spawn_of_what_no_registry_has(inst, registry):
    e = inst.api("POST", "/sandboxes", {"image": f"{registry.host}/no:1"},
                 check=503).json()
    assert e["code"] == "UNAVAILABLE", e


def test_pulling_can_be_forbidden(new_instance):
    i = new_instance().start()
    e = i.api("POST", PULL, {"ref": "127.0.0.1:1/x"}, check=503).json()
    assert "registries.pull" in e["remediation"], e


# -- a registry that lies

def test_wrong_digest(inst, rogue):
    image = big_image()
    ref = rogue.put("app", "1", image)
    bad = bytearray(image.layers[0])
    bad[-100] ^= 1
    rogue.routes[rogue.blob("app", image.layers[0])] = bytes(bad)
    refused(inst, ref, 400, "BAD_REQUEST", "has the digest")
    assert not [d for d in downloads(inst) if d.endswith(".part")]
    assert stored_layers(inst) == []


@pytest.mark.parametrize("what", ["manifest", "config"])
def test_wrong_documents(inst, rogue, what):
    image = Image(layers())
    ref = rogue.put("app", "1", image)
    if what == "manifest":
        ref = f"{rogue.host}/app@{digest(image.manifest)}"
        rogue.routes[f"/v2/app/manifests/{digest(image.manifest)}"] = (
            image.manifest + b" ")
    else:
        rogue.routes[rogue.blob("app", image.config)] = (
            image.config[:-1] + b" }")[:len(image.config)]
    refused(inst, ref, 400, "BAD_REQUEST", "digest")


def test_short_and_long_bodies(inst, rogue):
    image = big_image()
    ref = rogue.put("app", "1", image)
    blob = rogue.blob("app", image.layers[0])
    rogue.routes[blob] = b""
    refused(inst, ref, 503, "UNAVAILABLE", "bytes of")
    rogue.routes[blob] = image.layers[0] + b"more"
    refused(inst, ref, 502, "PROVIDER_ERROR", "sends more than")


def test_broken_off_again_and_again(inst, rogue):
    """Each try goes on where the last one was cut."""
    image = big_image()
    data = image.layers[0]
    ref = rogue.put("app", "1", image)
    blob = rogue.blob("app", data)
    step = len(data) // 4 + 1

    def cuts(h):
        r = h.headers.get("Range")
        h.cut(data, step, int(r.split("=")[1].rstrip("-")) if r else 0)

    rogue.routes[blob] = cuts
    assert pull(inst, ref)["digest"] == digest(image.config)
    assert rogue.count(blob) == 4


def test_resumed_by_the_next_pull(inst, rogue):
    image = big_image()
    data = image.layers[0]
    ref = rogue.put("app", "1", image)
    blob = rogue.blob("app", data)
    first = []

    def cuts(h):
        if first:
            h.reply(500, b"")
        else:
            first.append(1)
            h.cut(data, 1 << 20)

    rogue.routes[blob] = cuts
    refused(inst, ref, 503, "UNAVAILABLE")
    inst.kill_daemon()
    inst.start()
    rogue.routes[blob] = lambda h: h.serve_range(data)
    pull(inst, ref)
    assert rogue.seen[-1][1]["Range"] == f"bytes={1 << 20}-"


def test_bad_part_is_fetched_anew(inst, rogue):
    """What is found on disk is no better than what comes."""
    image = big_image()
    data = image.layers[0]
    ref = rogue.put("app", "1", image)
    name = digest(data).replace(":", "-")
    (inst.state / "images/downloads" / f"{name}.part").write_bytes(b"x" * 1000)
    pull(inst, ref)
    assert rogue.count(rogue.blob("app", data)) == 2


def test_huge_documents(inst, rogue):
    image = Image(layers())
    ref = rogue.put("app", "1", image)

    def endless(h):
        h.send_response(200)
        h.send_header("Transfer-Encoding", "chunked")
        h.end_headers()
        for _ in range(80):
            h.wfile.write(b"10000\r\n" + b" " * 65536 + b"\r\n")

    rogue.routes["/v2/app/manifests/1"] = endless
    refused(inst, ref, 413, "TOO_LARGE", "larger than")
    rogue.routes["/v2/app/manifests/1"] = lambda h: h.reply(
        200, b"{}", **{f"X{i}": "y" * 1000 for i in range(90)})
    refused(inst, ref, 413, "TOO_LARGE", "headers")


@pytest.mark.parametrize("manifest", [
    b"", b"[]", b"{", b"null", b'{"schemaVersion":1,"fsLayers":[]}',
    b'{"manifests":[]}', b'{"manifests":7}', b'{"config":{},"layers":[]}',
    json.dumps({"config": {"digest": "sha256:" + "0" * 64, "size": 5},
                "layers": [{"digest": "sha512:" + "0" * 128, "size": 5}]}).encode(),
    json.dumps({"config": {"digest": "sha256:" + "0" * 64, "size": 5},
                "layers": [{"digest": "sha256:" + "0" * 64, "size": 1 << 50}]}).encode(),
    json.dumps({"config": {"digest": "sha256:" + "0" * 64, "size": 5},
                "layers": [{"digest": "sha256:../../../x", "size": 5}]}).encode(),
])
def test_nonsense_manifests(inst, rogue, manifest):
    rogue.routes["/v2/app/manifests/1"] = manifest
    r = inst.api("POST", PULL, {"ref": f"{rogue.host}/app:1"})
    assert r.status in (400, 501), r
    assert refs(inst) == []


def test_redirects(inst, rogue):
    """Blob storage is elsewhere; it does not get the registry's token."""
    store = Rogue()
    image = Image(layers())
    ref = rogue.put("app", "1", image)
    blob = rogue.blob("app", image.layers[0])
    token(rogue, image)
    store.routes["/blob"] = image.layers[0]
    needs = rogue.routes[blob]

    def moved(h):
        if "Authorization" not in h.headers:
            return needs(h)
        return h.reply(307, b"", Location=store.url + "/blob?signed=1")

    rogue.routes[blob] = moved
    pull(inst, ref)
    assert len(store.seen) == 1
    assert "Authorization" not in store.seen[0][1]
    store.stop()


def test_redirect_games(inst, rogue):
    ref = f"{rogue.host}/app:1"
    here = "/v2/app/manifests/1"
    rogue.routes[here] = lambda h: h.reply(302, b"", Location=here)
    refused(inst, ref, 502, "PROVIDER_ERROR", "circles")
    assert len(rogue.seen) < 10
    for to in ("file:///etc/passwd", "ftp://127.0.0.1/x", "gopher://x/",
               "http://u:p@127.0.0.1/"):
        rogue.routes[here] = lambda h, to=to: h.reply(302, b"", Location=to)
        refused(inst, ref, 502, "PROVIDER_ERROR", "sends us to")


# -- authentication

def token(rogue, image, name="app", user=None):
    """Make all routes ask for a token, as the public registries do."""
    def guard(route):
        def guarded(h):
            if h.headers.get("Authorization") != "Bearer t0ken":
                return h.reply(
                    401, b"{}", WWW_Authenticate=f'Bearer realm="{rogue.url}/token"'
                    f',service="here, there",scope="repository:{name}:pull"')
            if callable(route):
                return route(h)
            return h.reply(200, route)
        return guarded

    for path in list(rogue.routes):
        rogue.routes[path] = guard(rogue.routes[path])

    def give(h):
        if user and h.headers.get("Authorization") != f"Basic {user}":
            return h.reply(401, b"{}")
        return h.reply(200, b'{"token":"t0ken"}')

    rogue.routes["/token"] = give


def test_token(inst, rogue):
    image = Image(layers())
    ref = rogue.put("app", "1", image)
    token(rogue, image)
    pull(inst, ref)
    asked = [p for p in rogue.paths() if p.startswith("/token")]
    assert asked == ["/token?scope=repository%3Aapp%3Apull&"
                     "service=here%2C%20there"]


def test_token_for_a_user(inst, rogue):
    image = Image(layers())
    ref = rogue.put("app", "1", image)
    key = base64.b64encode(b"me:pass").decode()
    token(rogue, image, user=key)
    e = pull(inst, ref, 503)
    assert "docker login" in e["remediation"], e
    write_config(inst, {"auths": {}, "credHelpers": {rogue.host: "vault"}})
    e = pull(inst, ref, 503)
    assert "the helper 'vault'" in e["remediation"], e
    write_config(inst, {"auths": {f"https://{rogue.host}/v1/": {"auth": key}}})
    pull(inst, ref)
    sent = {p.split("?")[0]: h.get("Authorization") for p, h in rogue.seen}
    assert sent["/token"] == f"Basic {key}"
    assert all(v != f"Basic {key}" for p, v in sent.items() if p != "/token")


def test_401_loops(inst, rogue):
    image = Image(layers())
    ref = rogue.put("app", "1", image)
    here = "/v2/app/manifests/1"
    rogue.routes[here] = lambda h: h.reply(
        401, b"", WWW_Authenticate=f'Bearer realm="{rogue.url}/token"')
    rogue.routes["/token"] = b'{"token":"useless"}'
    refused(inst, ref, 503, "UNAVAILABLE", "does not let us have")
    assert rogue.count(here) <= 3
    rogue.routes["/token"] = rogue.routes[here]
    refused(inst, ref, 503, "UNAVAILABLE", "does not let us have")
    assert len(rogue.seen) < 20


@pytest.mark.parametrize("reply", [
    b"", b"{}", b'{"token":"a\\r\\nX-Evil: 1"}', b'{"token":7}', b"x" * 300000])
def test_bad_tokens(inst, rogue, reply):
    image = Image(layers())
    ref = rogue.put("app", "1", image)
    token(rogue, image)
    rogue.routes["/token"] = reply
    r = inst.api("POST", PULL, {"ref": ref})
    assert r.status in (400, 413, 502), r
    assert not any("X-Evil" in h for _, h in rogue.seen)


@pytest.mark.parametrize("realm", ["file:///etc/passwd", "", "nonsense",
                                   "http://me@127.0.0.1/"])
def test_realm_games(inst, rogue, realm):
    rogue.routes["/v2/app/manifests/1"] = lambda h: h.reply(
        401, b"", WWW_Authenticate=f'Bearer realm="{realm}"')
    r = inst.api("POST", PULL, {"ref": f"{rogue.host}/app:1"})
    assert r.status in (502, 503), r


# -- time

def test_slow_drip(new_instance, rogue):
    """A byte now and then is silence.  (The next try brings none: how often
    it is tried again is another test's.)"""
    inst = new_instance(env={"STACYVM_REGISTRIES_PULL": "true",
                             "STACYVM_REGISTRIES_TIMEOUT": "1s"}).start()
    image = Image(layers())
    ref = rogue.put("app", "1", image)
    blob = rogue.blob("app", image.layers[0])
    stop = threading.Event()

    def drip(h):
        h.send_response(200)
        h.send_header("Content-Length", str(len(image.layers[0])))
        h.end_headers()
        while not stop.wait(0.2):
            h.wfile.write(b"x" if rogue.count(blob) == 1 else b"")
            h.wfile.flush()

    rogue.routes[blob] = drip
    refused(inst, ref, 503, "UNAVAILABLE", "too slowly")
    assert rogue.count(blob) == 2
    stop.set()


# -- TLS, mirrors

@pytest.fixture
def tls(tmp_path):
    if not shutil.which("openssl"):
        pytest.skip("needs openssl")
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes",
                    "-keyout", key, "-out", cert, "-days", "2", "-subj",
                    "/CN=test", "-addext", "subjectAltName=IP:127.0.0.1"],
                   check=True, stderr=subprocess.DEVNULL)
    r = Rogue((cert, key))
    yield r, cert
    r.stop()


def test_tls_is_verified(new_instance, tls):
    rogue, cert = tls
    ref = rogue.put("app", "1", Image(layers()))
    env = {"STACYVM_REGISTRIES_PULL": "true",
           "STACYVM_REGISTRIES_INSECURE": "other.example"}
    i = new_instance(env=env).start()
    e = refused(i, ref, 503, "UNAVAILABLE", "certificate")
    assert "SSL_CERT_FILE" in e["remediation"], e
    assert rogue.seen == []
    j = new_instance(env={**env, "SSL_CERT_FILE": str(cert)}).start()
    assert pull(j, ref)["ref"] == ref


def test_https_does_not_become_http(new_instance, tls, rogue):
    """Neither by a redirect nor for a token."""
    secure, cert = tls
    i = new_instance(env={"STACYVM_REGISTRIES_PULL": "true",
                          "STACYVM_REGISTRIES_INSECURE": "other.example",
                          "SSL_CERT_FILE": str(cert)}).start()
    here = "/v2/app/manifests/1"
    secure.routes[here] = lambda h: h.reply(302, b"", Location=rogue.url + "/x")
    refused(i, f"{secure.host}/app:1", 502, "PROVIDER_ERROR", "not https")
    secure.routes[here] = lambda h: h.reply(
        401, b"", WWW_Authenticate=f'Bearer realm="{rogue.url}/token"')
    refused(i, f"{secure.host}/app:1", 502, "PROVIDER_ERROR", "not https")
    assert rogue.seen == []


def test_mirrors(new_instance, rogue):
    """docker.io's short names go to its mirror; one that fails is passed."""
    image = Image(layers())
    rogue.put("library/alpine", "latest", image)
    rogue.put("me/x", "1", image)
    dead = Rogue()
    i = new_instance(env={
        "STACYVM_REGISTRIES_PULL": "true",
        "STACYVM_REGISTRIES_MIRRORS":
            f"{dead.url},{rogue.url}/,other.example={dead.url}"}).start()
    assert pull(i, "alpine")["ref"] == "alpine:latest"
    assert pull(i, "docker.io/me/x:1")["ref"] == "me/x:1"
    assert dead.count("/v2/library/alpine/manifests/latest") == 1
    dead.stop()


# -- the worker

def test_worker_is_confined(inst, rogue):
    """From outside: no capability, no new privileges, a filter."""
    image, go = big_image(), threading.Event()
    ref = rogue.put("app", "1", image)
    blob = rogue.blob("app", image.layers[0])

    def slow(h):
        go.wait(60)
        h.reply(200, image.layers[0])

    rogue.routes[blob] = slow
    c = inst.client()
    c.begin("POST", svm.API + PULL, {"ref": ref})
    wait_for(lambda: rogue.count(blob), "the download to begin")
    pids = [p for p in inst.children_of(inst.daemon_pid())
            if b"__pull" in open(f"/proc/{p}/cmdline", "rb").read()]
    assert len(pids) == 1
    status = dict(line.split(":\t", 1) for line in
                  open(f"/proc/{pids[0]}/status") if ":\t" in line)
    assert int(status["CapEff"], 16) == int(status["CapPrm"], 16) == 0
    assert int(status["CapBnd"], 16) == 0 or not svm.IS_ROOT
    assert status["NoNewPrivs"].strip() == "1"
    assert status["Seccomp"].strip() == "2" or svm.SANITIZED
    # It dies with its daemon.
    inst.kill_daemon()
    wait_for(lambda: not svm.pid_alive(pids[0]), "the worker to be gone")
    go.set()
    c.close()


# -- the command line

def test_cli(inst, registry):
    ref = registry.push("cli/app", "1", Image(layers()))
    r = inst.ok("image", "pull", ref)
    assert r.text.strip() == ref
    assert inst.ok("image", "ls", "-q").text.strip() == ref
    assert inst.ok("image", "pull", "--json", ref).json()["ref"] == ref
    r = inst.must_fail("image", "pull", f"{registry.host}/no:1")
    assert "the registry has no" in r.errtext
