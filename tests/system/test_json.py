# SPDX-License-Identifier: MIT
"""--json: one document on standard output, or one a line, and nothing else;
an error is one on standard error."""
import json
import socket

import pytest

# One document each, in this order, against one daemon; BOX is a sandbox.
DOCUMENTS = [
    "daemon start", "daemon status", "list", "inspect BOX", "extend BOX 9m",
    "rename BOX json", "label BOX a=b", "top -n 1", "audit ls", "audit verify",
    "files ls BOX", "files stat BOX /", "files glob BOX nothing*", "image ls",
    "image prune --yes", "template ls", "template create J --image host",
    "template show J", "template rm --confirm=J J", "pool status", "quota ls",
    "quota set jo --max-sandboxes 1", "quota get jo", "quota rm jo",
    "provider ls", "provider show mock", "provider test mock", "doctor",
    "support bundle", "version", "config get", "config get ui.theme",
    "config set ui.theme mono", "config unset ui.theme", "config lint",
    "prune --yes", "kill BOX", "db backup b.db", "db check", "daemon stop",
    "daemon stop", "db restore b.db --confirm=b.db",
]
LINES = ["logs BOX", "events", "audit export", "daemon logs"]
# ... and those with nothing to say.
SILENT = ["cp BOX:f here", "files mv BOX f g", "files chmod BOX 600 g",
          "files rm BOX g", "files write BOX h", "wait BOX --for running"]

# Against a daemon that is not there, and one that says nothing.
FAILING = DOCUMENTS[1:31] + LINES[:3] + SILENT + [
    "exec BOX true", "shell BOX", "attach BOX", "spawn", "preview BOX 80",
    "image pull x", "image rm x", "bench -n 1"]
NEED_NO_DAEMON = {"doctor", "support bundle", "version", "config get"}
GROUPS = {"audit", "config", "daemon", "files", "image", "pool", "provider",
          "quota", "support", "template"}


def run(inst, line, box, **kw):
    words = [w.replace("BOX", box) for w in line.split()]
    return inst.run("--json", *words, **kw)


def test_json_is_all_of_standard_output(inst):
    inst.start()
    box = inst.sandbox()["id"]
    inst.exec(box, "echo x; echo x >f")
    for line in LINES:
        r = run(inst, line, box)
        said = [json.loads(one) for one in r.out.splitlines()]
        assert r.code == 0 and said and r.err == b"", r
    for line in SILENT:
        r = run(inst, line, box)
        assert (r.code, r.out, r.err) == (0, b"", b""), r
    for line in DOCUMENTS:
        r = run(inst, line, box)
        assert r.code == 0 and r.err == b"", r
        json.loads(r.out)
    assert json.loads(inst.ok("--json", "db", "check").out)["problems"] == []
    # Of several, those that went are told, and why the others didn't.
    inst.ok("template", "create", "K", "--image", "host")
    r = inst.run("template", "rm", "--json", "--confirm=K", "K", "none")
    assert r.code == 1 and json.loads(r.out) == {"removed": ["K"]}, r
    assert json.loads(r.err)["error"]["exit"] == 3


def failed(r, *statuses):
    said = json.loads(r.err)["error"]
    assert r.code in statuses and r.out == b"", r
    assert said["exit"] == r.code and said["code"] and said["message"], r


@pytest.mark.parametrize("line", FAILING)
def test_an_error_is_json(inst, line, tmp_path):
    box = "sb-00000001"
    verb = line.split()[0]
    ours = verb in ("exec", "shell", "attach")
    name = " ".join(line.split()[:2])
    words = line.replace("BOX", box).split()
    if not NEED_NO_DAEMON & {verb, name}:
        gone = "--server", f"unix:{tmp_path}/none"
        r = inst.run(*gone, "--json", *words)
        failed(r, 125 if ours else 5)
        with socket.socket(socket.AF_UNIX) as s:
            s.bind(str(tmp_path / "mute"))
            s.listen(64)
            r = inst.run("--server", f"unix:{tmp_path}/mute", "--timeout",
                         "50ms", "--json", *words)
            failed(r, 124)
    # Wherever it stands.
    at = 2 if verb in GROUPS else 1
    r = inst.run(*words[:at], "--nonsense", "--json", *words[at:])
    failed(r, 125 if ours else 2)
    assert "--nonsense" in json.loads(r.err)["error"]["message"]
