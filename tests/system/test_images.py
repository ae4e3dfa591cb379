# SPDX-License-Identifier: MIT
"""Images: every format in, the same image out; layers unpacked once and shared
read-only; hostile, foreign and broken archives refused with nothing left."""
import gzip
import hashlib
import io
import json
import lzma
import os
import platform
import shutil
import socket
import subprocess
import tarfile
import threading

import pytest

import svm
from svm import API, wait_for

BUSYBOX = "/bin/busybox"
MACHINE = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(),
                                                      platform.machine())
FAULTS = svm.BUILD_FAULTS / "stacyvm"
IMPORT = "/images/import"


# -- archives

def digest(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def tar(*members):
    """(name, bytes | None for a directory | ("->", target))..."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as t:
        for name, what in members:
            info = tarfile.TarInfo(name)
            info.mode = 0o755
            if what is None:
                info.type = tarfile.DIRTYPE
                t.addfile(info)
            elif isinstance(what, tuple):
                info.type, info.linkname = tarfile.SYMTYPE, what[1]
                t.addfile(info)
            else:
                info.size = len(what)
                t.addfile(info, io.BytesIO(what))
    return out.getvalue()


def layers(marker=b"m"):
    """A base with a shell, and a layer that changes, hides and closes."""
    box = open(BUSYBOX, "rb").read() if os.path.exists(BUSYBOX) else b"none"
    base = tar(("bin", None), ("bin/busybox", box),
               *((f"bin/{n}", ("->", "busybox"))
                 for n in ("sh", "cat", "ls", "test", "id", "env")),
               ("etc", None), ("etc/gone", b"1"), ("etc/kept", b"base"),
               ("data", None), ("data/old", b"1"))
    top = tar(("etc/.wh.gone", b""), ("data", None), ("data/.wh..wh..opq", b""),
              ("data/new", b"new"), ("etc/top", marker))
    return [base, top]


def config(blobs, arch=MACHINE):
    return json.dumps({
        "architecture": arch, "os": "linux",
        "config": {"Env": ["FROM_IMAGE=yes"], "Cmd": ["sh"],
                   "WorkingDir": "/"},
        "rootfs": {"type": "layers", "diff_ids": [digest(b) for b in blobs]},
    }).encode()


def docker_archive(blobs=None, tag="t:1", **kw):
    blobs = blobs or layers()
    c = config(blobs, **kw)
    name = digest(c)[7:] + ".json"
    manifest = [{"Config": name, "RepoTags": [tag] if tag else None,
                 "Layers": [f"l{i}/layer.tar" for i in range(len(blobs))]}]
    return tar(*((f"l{i}/layer.tar", b) for i, b in enumerate(blobs)),
               (name, c), ("manifest.json", json.dumps(manifest).encode()))


def oci_archive(blobs=None, pack=gzip.compress, tag="o:1", **kw):
    blobs = blobs or layers()
    packed = [pack(b) for b in blobs]
    c = config(blobs, **kw)
    manifest = json.dumps({
        "schemaVersion": 2, "config": {"digest": digest(c), "size": len(c)},
        "layers": [{"digest": digest(p), "size": len(p)} for p in packed],
    }).encode()
    index = {"schemaVersion": 2, "manifests": [{
        "digest": digest(manifest), "size": len(manifest),
        "annotations": {"org.opencontainers.image.ref.name": tag}}]}
    return tar(("oci-layout", b'{"imageLayoutVersion":"1.0.0"}'),
               ("index.json", json.dumps(index).encode()),
               *((f"blobs/sha256/{digest(d)[7:]}", d)
                 for d in [c, manifest, *packed]))


def zstd(data):
    if not shutil.which("zstd"):
        pytest.skip("needs zstd")
    return subprocess.run(["zstd", "-qc"], input=data, stdout=subprocess.PIPE,
                          check=True).stdout


# -- helpers

def import_(inst, data, name=None, check=201, query=""):
    q = f"?name={name}" if name else "?x="
    r = inst.api("POST", IMPORT + q + query, data)
    assert r.status == check, r
    return r.json()


def refs(inst):
    return sorted(i["ref"] for i in inst.api("GET", "/images", check=200).json())


def stored_layers(inst):
    return sorted(os.listdir(inst.state / "images/layers"))


def tmp_empty(inst):
    wait_for(lambda: not os.listdir(inst.state / "images/tmp"),
             "images/tmp to be empty")


def running(inst, image):
    if not os.path.exists(BUSYBOX):
        pytest.skip("needs busybox-static")
    return inst.sandbox(image=image)["id"]


def out(inst, sid, command):
    r = inst.exec(sid, command).json()
    assert r["exit_code"] == 0, r
    return r["stdout"].strip()


def check_tree(inst, sid):
    """What the two layers of layers() must look like from inside."""
    assert out(inst, sid, "cat /etc/kept") == "base"
    assert out(inst, sid, "cat /etc/top") == "m"
    assert out(inst, sid, "test ! -e /etc/gone && echo hidden") == "hidden"
    assert out(inst, sid, "ls /data") == "new"
    assert out(inst, sid, "echo $FROM_IMAGE") == "yes"


# -- formats

@pytest.mark.parametrize("kind", [
    "docker", "docker-gz", "docker-xz", "docker-zstd", "oci", "oci-zstd",
    "oci-plain"])
def test_formats(inst, kind):
    inst.start()
    data = {
        "docker": lambda: docker_archive(),
        "docker-gz": lambda: gzip.compress(docker_archive()),
        "docker-xz": lambda: lzma.compress(docker_archive()),
        "docker-zstd": lambda: zstd(docker_archive()),
        "oci": lambda: oci_archive(),
        "oci-zstd": lambda: oci_archive(pack=zstd),
        "oci-plain": lambda: oci_archive(pack=bytes),
    }[kind]()
    image = import_(inst, data, "mine:1")
    assert image["ref"] == "mine:1"
    assert image["digest"] == digest(config(layers()))
    assert image["layers"] == 2
    assert image["architecture"] == MACHINE
    assert stored_layers(inst) == sorted(
        digest(b).replace(":", "-") for b in layers())
    tmp_empty(inst)


@pytest.mark.native
@pytest.mark.parametrize("make", [docker_archive, oci_archive])
def test_runs(inst, make):
    inst.start()
    ref = import_(inst, make())["ref"]
    check_tree(inst, running(inst, ref))
    assert inst.api("GET", "/images").json()[0]["in_use"] is True


@pytest.mark.native
def test_rootfs_runs(inst):
    """A plain tar of a root file system is one layer."""
    inst.start()
    import_(inst, gzip.compress(layers()[0]), "plain")
    sid = running(inst, "docker.io/library/plain:latest")
    assert out(inst, sid, "cat /etc/kept") == "base"


@pytest.mark.native
def test_layers_are_read_only_and_shared(inst):
    inst.start()
    import_(inst, docker_archive())
    a, b = running(inst, "t:1"), running(inst, "t:1")
    out(inst, a, "echo mine > /workspace/x; echo changed > /newfile")
    assert out(inst, b, "test ! -e /newfile && echo clean") == "clean"
    for layer in stored_layers(inst):
        assert not (inst.state / "images/layers" / layer / "newfile").exists()


@pytest.mark.native
def test_layer_twice(inst):
    """An overlay refuses a directory that stands twice: it is used once."""
    inst.start()
    base, top = layers()
    image = import_(inst, docker_archive([top, base, top]))
    assert image["layers"] == 2
    check_tree(inst, running(inst, "t:1"))


@pytest.mark.native
def test_directory(inst):
    """An absolute directory is a layer as it is, and stays as it is."""
    inst.start()
    root = inst.base / "root"
    root.mkdir()
    with tarfile.open(fileobj=io.BytesIO(layers()[0])) as t:
        t.extractall(root)
    before = sorted(p.name for p in root.rglob("*"))
    sid = running(inst, str(root))
    assert out(inst, sid, "cat /etc/kept") == "base"
    inst.exec(sid, "echo x > /newfile")
    assert sorted(p.name for p in root.rglob("*")) == before


def test_directory_refused(inst):
    inst.start()
    plain = inst.base / "file"
    plain.write_text("x")
    for image, status in (("/nowhere/at/all", 503), (str(plain), 503),
                          ("/", 400), (str(inst.state), 400),
                          (str(inst.state / "images"), 400),
                          (str(inst.base), 400), ("/a:b", 400),
                          ("/" + "x" * 300, 400)):
        r = inst.api("POST", "/sandboxes", {"image": image,
                                            "provider": inst.provider})
        if inst.provider == "mock" and r.status == 201:
            pytest.skip("the mock provider takes any image")
        assert r.status == status, (image, r)


# -- names

def test_names(inst):
    inst.start()
    data = docker_archive()
    assert import_(inst, data)["ref"] == "t:1"
    assert import_(inst, data, "docker.io/library/x")["ref"] == "x:latest"
    assert import_(inst, data, "localhost:5000/a/b:c")["ref"] == \
        "localhost:5000/a/b:c"
    rootfs = tar(("f", b"x"))
    assert import_(inst, rootfs, query="&fallback=file")["ref"] == \
        "file:latest"
    for bad in ("host", "../x", "a%20b", "x:", "A:b:c", "%1b[31m", "x" * 600,
                "sha256:" + "0" * 64):
        assert import_(inst, data, bad, check=400)["code"] == "BAD_REQUEST"
    assert "--name" in import_(inst, rootfs, check=400)["remediation"]
    # One set of layers under all of the names.
    assert len(stored_layers(inst)) == 3


def test_unknown(inst):
    inst.start()
    r = inst.api("POST", "/sandboxes", {"image": "python:3.12",
                                        "provider": "native"})
    assert r.status == 503, r
    if "native" in default_usable(inst):
        assert "stacyvm image import" in r.json()["remediation"]
    assert inst.api("DELETE", "/images/nothing").status == 404


def default_usable(inst):
    return [p["name"] for p in inst.api("GET", "/providers").json()
            if p["healthy"]]


def test_remove_and_prune(inst):
    inst.start()
    import_(inst, docker_archive())
    import_(inst, docker_archive([layers()[0], tar(("z", b"z"))], tag="u:1"))
    assert len(stored_layers(inst)) == 3
    assert inst.api("DELETE", "/images/t:1", check=200).json() == \
        {"status": "removed"}
    # The base layer is the other one's too.
    assert len(stored_layers(inst)) == 2
    assert inst.api("DELETE", "/images/t:1").status == 404
    r = inst.api("POST", "/images/prune", check=200).json()
    assert r["removed"] == 1 and r["bytes"] > 0
    assert refs(inst) == [] and stored_layers(inst) == []
    tmp_empty(inst)


@pytest.mark.native
def test_in_use(inst):
    inst.start()
    import_(inst, docker_archive())
    sid = running(inst, "t:1")
    r = inst.api("DELETE", "/images/t:1")
    assert r.status == 409 and r.json()["code"] == "CONFLICT"
    assert inst.api("POST", "/images/prune").json()["removed"] == 0
    # A new image takes the name; what the sandbox runs on stays.
    import_(inst, docker_archive(layers(b"second")))
    assert digest(config(layers())) in refs(inst)
    assert inst.api("POST", "/images/prune").json()["removed"] == 1
    check_tree(inst, sid)
    inst.kill_daemon()
    inst.start()
    check_tree(inst, sid)
    inst.api("DELETE", f"/sandboxes/{sid}", check=200)
    assert inst.api("POST", "/images/prune").json()["removed"] == 1
    assert stored_layers(inst) == []


def test_survives_restart(inst):
    inst.start()
    before = import_(inst, docker_archive())
    inst.kill_daemon()
    inst.start()
    after = inst.api("GET", "/images").json()
    assert after == [before]


# -- what is refused

def hostile():
    yield "dotdot", tar(("../escaped", b"x"))
    yield "link", tar(("out", ("->", "/tmp")), ("out/escaped", b"x"))
    yield "relative link", tar(("out", ("->", "../../..")), ("out/x", b"x"))
    blobs = layers()
    yield "wrong digest", docker_archive(blobs).replace(
        digest(blobs[1])[7:].encode(), b"0" * 64)
    yield "missing layer", tar(*(
        (m.name, tarfile.open(fileobj=io.BytesIO(docker_archive()))
         .extractfile(m.name).read())
        for m in tarfile.open(fileobj=io.BytesIO(docker_archive()))
        if m.name != "l1/layer.tar"))
    yield "foreign", docker_archive(arch="s390x")
    yield "oci foreign", oci_archive(arch="s390x")
    yield "cut", docker_archive()[:-200000]
    yield "cut gzip", gzip.compress(docker_archive())[:-5000]
    yield "twice compressed", gzip.compress(gzip.compress(tar(("a", b"x"))))
    yield "empty", b""
    yield "text", b"hello\n" * 1000
    yield "not json", tar(("manifest.json", b'[{"Layers":["x"],'), ("x", b""))


@pytest.mark.parametrize("name,data", [pytest.param(n, d, id=n)
                                       for n, d in hostile()])
def test_refused(shared, name, data):
    if name == "not json":
        # A file system may hold such a file: it is one layer then.
        import_(shared, data, "odd")
        shared.api("DELETE", "/images/odd", check=200)
        return
    r = import_(shared, data, "evil", check=400)
    assert r["code"] == "BAD_REQUEST" and r["message"]
    assert refs(shared) == [] and stored_layers(shared) == []
    tmp_empty(shared)
    assert not os.path.exists("/tmp/escaped")


def test_bomb(shared):
    """1.1 GiB of zeros in 1 MiB."""
    head = tarfile.TarInfo("zeros")
    head.size = 1100 << 20
    z = io.BytesIO()
    with gzip.GzipFile(fileobj=z, mode="wb", compresslevel=1) as g:
        g.write(head.tobuf())
        for _ in range(1100):
            g.write(bytes(1 << 20))
        g.write(bytes(1024))
    r = shared.api("POST", IMPORT + "?name=bomb", z.getvalue())
    assert r.status == 413, r
    assert "bomb" in r.json()["message"]
    tmp_empty(shared)


# -- streams, crowds, ends

def test_progress(inst):
    inst.start()
    blob = tar(("big", os.urandom(40 << 20)))
    with inst.client() as c:
        r = c.request("POST", API + IMPORT + "?name=big&frames=full", blob)
    assert r.status == 200, r
    assert r.headers["content-type"] == "application/x-ndjson"
    lines = [json.loads(l) for l in r.body.splitlines() if l.strip()]
    assert lines[0]["type"] == "progress"
    assert lines[-1]["type"] == "image"
    assert lines[-1]["image"]["ref"] == "big:latest"
    unpacked = [l["bytes"] for l in lines if l.get("stage") == "unpack"]
    assert unpacked == sorted(unpacked) and unpacked[-1] >= 32 << 20


def test_same_at_once(inst):
    """All of them succeed and share the layers."""
    inst.start()
    data, got = docker_archive(), []

    def go():
        with inst.client() as c:
            got.append(c.request("POST", API + IMPORT, data).status)

    threads = [threading.Thread(target=go) for _ in range(6)]
    [t.start() for t in threads]
    [t.join() for t in threads]
    assert got == [201] * 6
    assert refs(inst) == ["t:1"] and len(stored_layers(inst)) == 2
    tmp_empty(inst)


def test_client_leaves(inst):
    inst.start()
    s = socket.socket(socket.AF_UNIX)
    s.connect(inst.socket)
    s.sendall(b"POST /api/v1/images/import?name=x HTTP/1.1\r\nHost: localhost"
              b"\r\nContent-Length: 100000000\r\n\r\n" + bytes(300000))
    wait_for(lambda: os.listdir(inst.state / "images/tmp"), "the import")
    daemon = inst.daemon_pid()

    def workers():
        found = []
        for pid in inst.children_of(daemon):
            try:
                with open(f"/proc/{pid}/cmdline", "rb") as f:
                    found += [pid] if b"__unpack" in f.read() else []
            except OSError:
                pass  # it ended just now
        return found

    assert wait_for(workers, "the worker")
    s.close()
    wait_for(lambda: not workers(), "the worker to be gone")
    tmp_empty(inst)
    assert refs(inst) == []


def test_worker_is_confined(inst):
    """What the kernel says of a worker that waits for its archive."""
    inst.start()
    s = socket.socket(socket.AF_UNIX)
    s.connect(inst.socket)
    s.sendall(b"POST /api/v1/images/import?name=x HTTP/1.1\r\nHost: localhost"
              b"\r\nContent-Length: 100000000\r\n\r\n" + bytes(3000))
    daemon = inst.daemon_pid()

    def confined():
        for pid in inst.children_of(daemon):
            try:
                cmd = open(f"/proc/{pid}/cmdline", "rb").read()
                status = open(f"/proc/{pid}/status").read()
            except OSError:
                continue
            if b"__unpack" in cmd and "Seccomp:\t2" in status:
                return status
        return None

    if svm.SANITIZED:
        pytest.skip("the filter is off under sanitizers")
    status = wait_for(confined, "a confined worker")
    assert "NoNewPrivs:\t1" in status
    if svm.IS_ROOT:  # who has no capabilities can't empty the set, nor use it
        assert "CapBnd:\t0000000000000000" in status
    # CHOWN, DAC_OVERRIDE, FOWNER, SYS_ADMIN (trusted.*), MKNOD at most.
    allowed = 1 << 0 | 1 << 1 | 1 << 3 | 1 << 21 | 1 << 27
    caps = int(status.split("CapEff:")[1].split()[0], 16)
    assert caps & ~allowed == 0
    s.close()


def test_command_line(inst):
    inst.start()
    archive = inst.base / "shell.tar.gz"
    archive.write_bytes(gzip.compress(layers()[0]))
    inst.ok("image", "import", archive)
    assert refs(inst) == ["shell:latest"]
    tree = inst.base / "tree"
    tree.mkdir()
    (tree / "file").write_text("x")
    inst.ok("image", "import", tree, "--name", "tree:2")
    inst.ok("image", "import", "-", "--name", "piped",
            input=docker_archive())
    assert refs(inst) == ["piped:latest", "shell:latest", "tree:2"]
    assert "tree:2" in inst.ok("image", "ls").text
    inst.ok("image", "rm", "tree:2")
    inst.ok("image", "prune", "--yes") if "--yes" in \
        inst.run("image", "prune", "-h").text else inst.ok("image", "prune")
    assert refs(inst) == []


# -- faults

@pytest.mark.skipif(not FAULTS.exists(),
                    reason="no build with FAULTS=1 (make FAULTS=1)")
@pytest.mark.parametrize("label", ["import.layer", "import.rename",
                                   "import.row"])
@pytest.mark.parametrize("action", ["kill", "ENOSPC"])
def test_fault(new_instance, label, action):
    """Death or a full disk in the middle: no image, nothing left, and the next
    try works."""
    inst = new_instance(binary=FAULTS)
    log = inst.base / "faults"
    inst.start(env={"STACYVM_FAULT": f"{label}={action}",
                    "STACYVM_FAULT_LOG": str(log)})
    if action == "kill":
        with pytest.raises(OSError):
            inst.api("POST", IMPORT, docker_archive())
        inst.drop_client()
    else:
        r = inst.api("POST", IMPORT, docker_archive())
        assert r.status == 507 and r.json()["code"] == "NO_SPACE", r
        tmp_empty(inst)
        assert refs(inst) == [] and stored_layers(inst) == []
        inst.kill_daemon()
    assert label in log.read_text().split()
    inst.start()
    assert refs(inst) == []
    tmp_empty(inst)
    wait_for(lambda: not stored_layers(inst), "orphaned layers to be gone")
    assert import_(inst, docker_archive())["layers"] == 2
