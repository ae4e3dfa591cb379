# SPDX-License-Identifier: MIT
"""A daemon that stops owes everybody an answer, soon, that says what became
of what they asked for."""
import json
import os
import resource
import signal
import threading
import time

import pytest

from registry import Rogue
from svm import API, descendants, hurried, pid_alive, wait_for
from test_images import FAULTS, docker_archive, refs
from test_pull import PULL, big_image

SOON = 60 # s: before the daemon's patience ends
PATIENT = {"http_shutdown": 100000} # ms; it has 10 s otherwise


@pytest.fixture
def rogue():
    r = Rogue()
    yield r
    r.stop()


@pytest.fixture
def inst(new_instance):
    return patient(new_instance)


def patient(new_instance, **times):
    kw = hurried(**{**PATIENT, **times})
    kw["env"]["STACYVM_REGISTRIES_PULL"] = "true"
    return new_instance(**kw).start()


class Call(threading.Thread):
    """A call that is not over when the daemon stops."""

    def __init__(self, inst, path, body):
        super().__init__(daemon=True)
        self.client, self.reply, self.took = inst.client(90), None, None
        self.path, self.body = API + path, body
        self.start()

    def run(self):
        self.client.begin("POST", self.path, self.body)
        self.reply = self.client.reply("POST")
        self.ended = time.monotonic()


def stop(inst):
    """Without waiting: the calls wait."""
    pid = inst.daemon_pid()
    os.kill(pid, signal.SIGTERM)
    return pid, time.monotonic()


def told(inst, call, words):
    """The answer to `call`: 503 with a way out, soon."""
    pid, begun = stop(inst)
    call.join(90)
    assert call.reply, "cut off without a word"
    e = call.reply.json()
    assert (call.reply.status, e["code"]) == (503, "UNAVAILABLE"), e
    assert words in e["message"] and e["remediation"], e
    assert "retry-after" in call.reply.headers
    assert call.ended - begun < SOON, "it waited"
    wait_for(lambda: not pid_alive(pid), "the daemon to be gone")
    assert time.monotonic() - begun < SOON, "it waited"
    inst.drop_client()
    return e


def output(inst, sid, path):
    r = inst.api("GET", f"/sandboxes/{sid}/files?path={path}")
    return r.body if r.status == 200 else None


def test_plain_exec(inst):
    """It says that the command goes on, and it does."""
    sid = inst.sandbox()["id"]
    call = Call(inst, f"/sandboxes/{sid}/exec", {
        "command": "touch began; while [ ! -e go ]; do sleep 0.05; done; "
                   "echo done | tee ended"})
    wait_for(lambda: output(inst, sid, "/workspace/began") is not None,
             "the command to begin")
    e = told(inst, call, "goes on")
    inst.start()
    assert output(inst, sid, "/workspace/ended") is None
    inst.api("PUT", f"/sandboxes/{sid}/files?path=/workspace/go", b"",
             check=200)
    wait_for(lambda: output(inst, sid, "/workspace/ended") == b"done\n",
             "the command to end")
    session = e["remediation"].split(sid + "/")[1]
    assert inst.ok("attach", f"{sid}/{session}").text == "done\n"


def test_setup(inst):
    """What was only half made is gone, with what it had begun."""
    inst.api("POST", "/templates", {"name": "slow", "image": "host",
                                    "setup": ["sleep 1000"]}, check=201)
    call = Call(inst, "/templates/slow/spawn", {})
    wait_for(lambda: "sleep" in descendants().values(), "setup to run")
    told(inst, call, "is removed")
    inst.start()
    assert inst.api("GET", "/sandboxes", check=200).json() == []
    assert inst.box_dirs() == []


@pytest.fixture
def stuck(rogue):
    """A reference whose download stops half-way until `go`."""
    image, go = big_image(), threading.Event()
    ref, data = rogue.put("app", "1", image), image.layers[0]
    rogue.go, rogue.stuck = go, rogue.blob("app", data)

    def half(h):
        h.send_response(200)
        h.send_header("Content-Length", str(len(data)))
        h.end_headers()
        h.wfile.write(data[:len(data) // 2])
        h.wfile.flush()
        go.wait(60)

    rogue.routes[rogue.stuck] = half
    yield ref
    go.set()


@pytest.mark.parametrize("path, field", [
    (PULL, "ref"),
    pytest.param("/sandboxes", "image", marks=pytest.mark.native)])
def test_pull(inst, rogue, stuck, path, field):
    call = Call(inst, path, {field: stuck})
    wait_for(lambda: rogue.count(rogue.stuck), "the download to begin")
    told(inst, call, "stopping")
    inst.start()
    assert refs(inst) == []


def last_record(call):
    """Its stream is whole, and the last record is an error with a way out."""
    call.join(90)
    assert call.reply.status == 200
    last = json.loads(call.reply.body.rstrip().rsplit(b"\n", 1)[-1])
    assert (last["type"], last["code"]) == ("error", "UNAVAILABLE"), last
    assert "stopping" in last["message"] and last["remediation"], last


def test_frames_of_a_pull(inst, rogue, stuck):
    call = Call(inst, PULL + "?frames=full", {"ref": stuck})
    wait_for(lambda: "image.progress" in inst.api(
        "GET", "/events?since=0&follow=false").text, "the download to begin")
    _, begun = stop(inst)
    last_record(call)
    assert call.ended - begun < SOON, "it waited"


def test_import_of_half_an_archive(inst):
    """Nobody sends the other half."""
    before = set(inst.children_of(inst.daemon_pid()))
    c = inst.client()
    c.send(f"POST {API}/images/import?name=x HTTP/1.1\r\nHost: localhost\r\n"
           "Content-Length: 1000000\r\n\r\n".encode() + b"\0" * 512)
    wait_for(lambda: set(inst.children_of(inst.daemon_pid())) - before,
             "the unpacker")
    _, begun = stop(inst)
    r = c.reply("POST")
    assert (r.status, r.json()["code"]) == (503, "UNAVAILABLE"), r
    assert r.json()["remediation"] and time.monotonic() - begun < SOON


@pytest.mark.skipif(not FAULTS.exists(),
                    reason="no build with FAULTS=1 (make FAULTS=1)")
def test_an_import_about_to_be_stored(new_instance):
    """The daemon learns that it must stop while the layers are put in
    place: nothing came of it, and what to do is said too."""
    inst = new_instance(binary=FAULTS)
    fifo, hits = inst.base / "fifo", inst.base / "hits"
    os.mkfifo(fifo)
    inst.start(env={"STACYVM_FAULT": "import.rename@1=hold,"
                    f"http.shutdown={PATIENT['http_shutdown']}",
                    "STACYVM_FAULT_FIFO": str(fifo),
                    "STACYVM_FAULT_LOG": str(hits)})
    call = Call(inst, "/images/import?name=x", docker_archive())
    pid = inst.daemon_pid()
    wait_for(lambda: hits.exists() and "import.rename" in hits.read_text(),
             "the layers to be put in place")
    os.kill(pid, signal.SIGTERM)
    wait_for(lambda: "stopping: SIGTERM" in inst.log(), "it to be told")
    os.close(os.open(fifo, os.O_WRONLY))  # it goes on
    call.join(90)
    e = call.reply.json()
    assert (call.reply.status, e["code"]) == (503, "UNAVAILABLE"), e
    assert "stopping" in e["message"] and e["remediation"], e
    wait_for(lambda: not pid_alive(pid), "the daemon to be gone")
    inst.drop_client()
    inst.start()
    assert refs(inst) == []


def test_half_an_upload(new_instance):
    """Whoever is not done in time is told so: nothing is just cut off."""
    inst = patient(new_instance, http_shutdown=500)
    sid = inst.sandbox()["id"]
    c = inst.client()
    c.send(f"PUT {API}/sandboxes/{sid}/files?path=/workspace/f HTTP/1.1\r\n"
           "Host: localhost\r\nContent-Length: 100\r\n\r\nhalf".encode())
    assert inst.api("GET", "/health").status == 200
    stop(inst)
    r = c.reply("PUT")
    assert (r.status, r.json()["code"]) == (503, "UNAVAILABLE"), r
    wait_for(lambda: not inst.daemon_pid(), "the daemon to be gone")
    inst.drop_client()
    inst.start()
    assert output(inst, sid, "/workspace/f") is None


def test_a_limit_on_files_does_not_end_the_daemon(inst):
    """What a sandbox writes is lost from its log, and nothing else is."""
    inst.start()
    s = inst.sandbox()["id"]
    pid = inst.daemon_pid()
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (300 << 10, 300 << 10))
    inst.exec(s, "seq 1 200000")
    assert inst.exec(s, "echo on").json()["stdout"] == "on\n"
    assert inst.daemon_pid() == pid
