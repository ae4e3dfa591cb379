# SPDX-License-Identifier: MIT
"""SIGHUP: what can change does, what can't says so, what is wrong changes
nothing."""
import os
import signal

import svm
from http_unix import Client
from test_auth import ADMIN, KEY, Tcp, free_port

OTHER = "aaaabbbbccccddddaaaabbbbccccdddd"


def write(inst, text):
    d = inst.home / "c/stacyvm"
    d.mkdir(exist_ok=True)
    (d / "config.yaml").write_text(text)


def reloads(inst):
    return [r for r in inst.api("GET", "/audit?action=config.reload",
                                check=200).json()]


def hup(inst):
    """Reload, and wait until it is through; the record of it."""
    before = len(reloads(inst))
    os.kill(inst.daemon_pid(), signal.SIGHUP)
    svm.wait_for(lambda: len(reloads(inst)) > before, "the reload")
    return reloads(inst)[-1]


def value(inst, key):
    return inst.api("GET", "/config", check=200).json()[key]


def test_what_can_change_changes(inst):
    write(inst, "defaults:\n  memory_mb: 300\n")
    inst.start()
    assert inst.sandbox(provider="mock")["memory_mb"] == 300
    write(inst, "defaults:\n  memory_mb: 400\n  ttl: 2h\n"
                "server:\n  preview_domain: example.org\n")
    r = hup(inst)
    assert r["result"] == "ok"
    assert r["target"] == "defaults.ttl defaults.memory_mb"
    assert inst.sandbox(provider="mock")["memory_mb"] == 400
    assert value(inst, "defaults.ttl")["value"] == "2h0m0s"
    assert value(inst, "defaults.memory_mb")["origin"].endswith(
        "config.yaml:2")
    # This one can't: it keeps its value, and the log says so.
    assert value(inst, "server.preview_domain")["value"] in (None, "")
    assert "need a restart to change: server.preview_domain" in inst.log()
    assert hup(inst)["target"] in (None, "")


def test_a_bad_configuration_changes_nothing(inst):
    write(inst, "defaults:\n  memory_mb: 300\n")
    inst.start()
    for bad in ("defaults:\n  memory_mb: many\n",
                "defaults:\n  memory_mb: 400\n  ttl: 48h\n",
                "defaults: [\n",
                "defaults:\n  memory_mb: 400\nnonsense: 1\n",
                "defaults:\n  memory_mb: 400\n"
                "logging:\n  file: /proc/none/such\n"):
        write(inst, bad)
        assert hup(inst)["result"] != "ok", bad
        assert value(inst, "defaults.memory_mb")["value"] == 300, bad
    assert "is kept as it was" in inst.log()
    assert inst.sandbox(provider="mock")["memory_mb"] == 300


def test_the_log_moves_and_changes_its_level(inst, tmp_path):
    inst.env.pop("STACYVM_LOGGING_LEVEL")
    one, two = tmp_path / "one", tmp_path / "two"
    write(inst, f"logging:\n  file: {one}\n")
    inst.start()
    assert "ready pid=" in one.read_text()
    os.rename(one, tmp_path / "rotated")
    hup(inst)
    assert "SIGHUP" in one.read_text(), "reopened for who rotates by hand"
    write(inst, f"logging:\n  file: {two}\n  level: debug\n")
    hup(inst)
    inst.sandbox(provider="mock")
    assert "creating -> running" in two.read_text()


def start_tcp(new_instance, text):
    port = free_port()
    inst = new_instance(env={"STACYVM_SERVER_PORT": str(port)})
    write(inst, text)
    inst.start()
    return inst, Tcp(inst, port)


def test_keys_are_exchanged(new_instance):
    inst, tcp = start_tcp(new_instance, f"auth:\n  api_key: {KEY}\n")
    old, new = tcp.by(X_API_Key=KEY), tcp.by(X_API_Key=OTHER)
    old("GET", "/health", check=200)
    new("GET", "/health", check=401)
    write(inst, f"auth:\n  api_key: {OTHER}\n  admin_api_key: {ADMIN}\n")
    r = hup(inst)
    assert r["target"] == "auth.api_key auth.admin_api_key"
    old("GET", "/health", check=401)
    new("GET", "/health", check=200)
    assert KEY not in inst.log() and OTHER not in inst.log()


def test_streams_end_with_their_key(new_instance):
    """What was begun with a key doesn't outlive it; others go on."""
    inst, tcp = start_tcp(new_instance, f"auth:\n  api_key: {KEY}\n")
    old = tcp.by(X_API_Key=KEY, X_User_ID="alice")
    box = old("POST", "/sandboxes", {}, check=201).json()["id"]
    ws = old.ws(f"/sandboxes/{box}/exec/ws")
    ws.send('{"command": "echo on; cat", "tty": false}')
    with Client(("127.0.0.1", tcp.port)) as c, inst.client() as mine:
        for who, headers in ((c, old.headers), (mine, {})):
            who.begin("GET", "/api/v1/events?since=1h", None, headers)
        seen = {id(w): w.sock.recv(4096) for w in (c, mine)}
        assert all(b"200 OK" in t for t in seen.values()), seen
        write(inst, "defaults:\n  ttl: 2h\n" f"auth:\n  api_key: {KEY}\n")
        hup(inst)
        inst.exec(box, "true")
        c.sock.settimeout(20)
        while b"exec.completed" not in seen[id(c)]:
            seen[id(c)] += c.sock.recv(4096)
        write(inst, f"auth:\n  api_key: {OTHER}\n")
        hup(inst)
        while data := c.sock.recv(4096):
            seen[id(c)] += data  # to its end
        inst.exec(box, "echo for us alone")
        mine.sock.settimeout(20)
        while seen[id(mine)].count(b"exec.completed") < 2:
            seen[id(mine)] += mine.sock.recv(4096)
    ws.c.sock.settimeout(20)
    try:
        while ws.c.sock.recv(4096):
            pass
    except ConnectionError:
        pass


def test_authentication_is_not_switched_off(new_instance):
    """Open connections were let in because a key would be asked for."""
    inst, tcp = start_tcp(new_instance, f"auth:\n  api_key: {KEY}\n")
    tcp("GET", "/health", check=401)
    write(inst, "defaults:\n  memory_mb: 333\n")
    assert hup(inst)["target"] == "defaults.memory_mb"
    tcp("GET", "/health", check=401)
    tcp.by(X_API_Key=KEY)("GET", "/health", check=200)
    assert "need a restart to change: auth.api_key" in inst.log()


def test_rate_limit_and_hosts(new_instance):
    inst, tcp = start_tcp(new_instance, "")
    tcp("GET", "/health", check=200)
    away = {"Host": "box.example.org"}
    r = tcp.client.request("GET", "/api/v1/health", headers=away)
    assert r.status == 403
    write(inst, "server:\n  allowed_hosts: [box.example.org]\n"
                "rate_limit:\n  enabled: true\n  burst: 30\n"
                "  requests_per_minute: 60\n")
    hup(inst)
    r = tcp.client.request("GET", "/api/v1/health", headers=away)
    assert r.status == 200
    guest = tcp.by(X_User_ID="guest")
    codes = {guest("GET", "/health").status for _ in range(100)}
    assert codes == {200, 429}
