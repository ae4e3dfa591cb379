# SPDX-License-Identifier: MIT
"""What an operator does: back up, restore, check, bundle, run as a service."""
import errno
import json
import os
import signal
import socket
import struct
import sqlite3
import subprocess
import tarfile
import threading

import pytest

import svm
from svm import ROOT

KEY = "0123456789abcdef0123456789abcdef"


def stop(inst):
    inst.drop_client()
    inst.kill_daemon(signal.SIGTERM)


def test_backup_while_it_writes(inst, tmp_path):
    inst.start()
    kept = inst.sandbox(provider="mock", name="kept")["id"]
    over = threading.Event()

    def write():
        with inst.client() as c:
            while not over.is_set():
                c.request("POST", "/api/v1/sandboxes", {"provider": "nope"})

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for i in range(3):
            inst.ok("db", "backup", tmp_path / f"b{i}")
    finally:
        over.set()
        writer.join()
    for i in range(3):
        r = inst.ok("db", "check", tmp_path / f"b{i}")
        assert "whole" in r.text and r.text.endswith("ok\n")
        assert (tmp_path / f"b{i}").stat().st_mode & 0o777 == 0o600
    with sqlite3.connect(tmp_path / "b2") as db:
        assert db.execute("SELECT name FROM sandboxes WHERE id = ?",
                          (kept,)).fetchone() == ("kept",)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["b0", "b1", "b2"]
    # The longest of names.
    longest = tmp_path / ("n" * 255)
    inst.ok("db", "backup", longest)
    assert longest.read_bytes().startswith(b"SQLite format 3\0")
    # Nothing is overwritten.
    r = inst.must_fail("db", "backup", tmp_path / "b0")
    assert r.code == 6
    assert inst.ok("db", "check").text.endswith("ok\n")


def test_restore(inst, tmp_path):
    inst.start()
    sid = inst.sandbox(provider="mock", name="kept")["id"]
    inst.ok("db", "backup", tmp_path / "b")
    r = inst.must_fail("db", "restore", tmp_path / "b", "--confirm=b")
    assert r.code == 6 and "another daemon" in r.errtext
    for i in range(3):
        inst.api("PUT", f"/quotas/late{i}", {"max_sandboxes": 1}, check=200)
    stop(inst)
    for args in ((), ("--confirm=a",), ("--confirm", tmp_path / "b")):
        assert inst.must_fail("db", "restore", tmp_path / "b", *args).code == 8
    inst.ok("db", "restore", tmp_path / "b", "--confirm=b")
    inst.start()
    assert inst.api("GET", "/quotas", check=200).json() == []
    # What lived then and lives still is found again.
    assert inst.api("GET", "/sandboxes/kept", check=200).json()["id"] == sid
    assert inst.exec(sid, "echo on").json()["stdout"] == "on\n"
    assert inst.ok("db", "check").code == 0
    assert inst.api("GET", "/audit/verify", check=200).json()["ok"]


def test_bad_copies_are_not_restored(inst, tmp_path):
    inst.start()
    inst.ok("db", "backup", tmp_path / "b")
    stop(inst)
    before = inst.ok("db", "check").text
    (tmp_path / "text").write_text("not a database, but of some length" * 99)
    with sqlite3.connect(tmp_path / "foreign") as db:
        db.execute("CREATE TABLE x (y)")
    with sqlite3.connect(tmp_path / "b") as db:
        db.execute("PRAGMA user_version = 999")
    torn = bytearray((tmp_path / "b").read_bytes())
    torn[4096 * 2:4096 * 4] = os.urandom(4096 * 2)
    (tmp_path / "torn").write_bytes(torn)
    for name in ("text", "foreign", "b", "torn", "none"):
        r = inst.must_fail("db", "restore", tmp_path / name,
                           f"--confirm={name}")
        assert r.code != 8
        assert inst.ok("db", "check").text == before, name
    assert inst.must_fail("db", "check", tmp_path / "torn").code == 1
    for args in ((), ("backup",), ("frobnicate",), ("check", "a", "b")):
        assert inst.run("db", *args).code == 2


def test_check_shows_nothing_raw(inst, tmp_path):
    """What a database calls its things is anybody's."""
    with sqlite3.connect(tmp_path / "evil") as db:
        db.execute('CREATE TABLE "\x1b[2Jx" (y)')
        db.execute('INSERT INTO "\x1b[2Jx" VALUES (NULL)')
        db.execute("PRAGMA writable_schema = 1")
        db.execute("UPDATE sqlite_master SET sql = "
                   "replace(sql, '(y)', '(y NOT NULL)')")
    r = inst.run("db", "check", tmp_path / "evil")
    assert r.code == 1 and "NULL value in ^[[2Jx.y" in r.text, r
    r = inst.run("--json", "db", "check", tmp_path / "evil")
    [problem] = json.loads(r.out)["problems"]
    assert "NULL value in ^[[2Jx.y" in problem and r.code == 1, r
    r = inst.must_fail("db", "restore", tmp_path / "evil", "--confirm=evil")
    assert "NULL value in ^[[2Jx.y" in r.errtext, r


def test_check_names_a_changed_audit_record(inst):
    inst.start()
    inst.sandbox(provider="mock")
    inst.destroy_all()
    stop(inst)
    with sqlite3.connect(inst.state / "db") as db:
        db.execute("UPDATE audit SET actor = 'eve' WHERE seq = 1")
    r = inst.run("db", "check")
    assert r.code == 1 and "broken at record 1" in r.text


def test_support_bundle(new_instance, tmp_path):
    inst = new_instance(env={"STACYVM_AUTH_ADMIN_API_KEY": KEY})
    inst.start()
    sid = inst.sandbox(provider="mock", env={"TOKEN": "hunter2"})["id"]
    inst.exec(sid, "echo hunter3 >/workspace/f; cat /workspace/f")
    out = tmp_path / "bundle.tar"
    assert inst.ok("support", "bundle", "-o", out).text.strip() == str(out)
    assert out.stat().st_mode & 0o777 == 0o600
    with tarfile.open(out) as t:
        parts = {m.name.removeprefix("stacyvm-support/"):
                 t.extractfile(m).read() for m in t.getmembers()}
    assert {"version.txt", "health.json", "doctor.json", "config.txt",
            "config-in-force.json", "db-check.txt", "metrics.json",
            "audit-verify.json", "logs/daemon.log"} <= set(parts)
    assert parts["db-check.txt"].endswith(b"ok\n")
    assert b"ready pid=" in parts["logs/daemon.log"]
    assert b"auth.admin_api_key = ***" in parts["config.txt"]
    whole = b"".join(parts.values())
    for secret in (KEY, "hunter2", "hunter3"):
        assert secret.encode() not in whole, secret
    assert inst.must_fail("support", "bundle", "-o", out).code == 6
    stop(inst)
    inst.ok("support", "bundle", "-o", tmp_path / "two.tar")
    assert not inst.answers(), "looking starts nothing"
    with tarfile.open(tmp_path / "two.tar") as t:
        text = t.extractfile("stacyvm-support/health.json").read()
    assert b"not available" in text


class Service:
    """The daemon as a service manager starts it, with sockets from 3 on."""

    def __init__(self, inst, *socks):
        self.p = inst.popen(
            "-c", 'export LISTEN_PID=$$ LISTEN_FDS=$1; shift; exec "$@"',
            "sh", str(len(socks)), inst.binary, "serve",
            pass_fds=range(3, 3 + len(socks)), executable="/bin/sh",
            preexec_fn=lambda: [os.dup2(fd, 3 + i, True) for i, fd in
                                enumerate([os.dup(s.fileno()) for s in socks
                                           ])])

    def stop(self):
        self.p.terminate()
        out, err = self.p.communicate(timeout=60)
        return self.p.returncode, err.decode()


def listener(inst):
    inst.runtime.mkdir(mode=0o700, exist_ok=True)
    s = socket.socket(socket.AF_UNIX)
    s.bind(inst.socket)
    s.listen()
    return s


def test_sockets_of_a_service_manager(inst):
    with listener(inst) as unix, socket.socket() as tcp:
        tcp.bind(("127.0.0.1", 0))
        tcp.listen()
        service = Service(inst, unix, tcp)
        # What came before it was ready is answered too.
        health = inst.api("GET", "/health", check=200).json()
        assert health["port"] == tcp.getsockname()[1]
        # A signal for the daemon is not for the manager.
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(inst.socket)
            assert struct.unpack("3i", s.getsockopt(
                socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[0] == service.p.pid
        sid = inst.sandbox(provider="mock")["id"]
        # No child has the sockets or the variables.
        inode = str(os.stat(inst.socket).st_ino)
        for pid in svm.descendants(service.p.pid):
            try:
                with open(f"/proc/{pid}/environ", "rb") as f:
                    assert b"LISTEN_" not in f.read(), pid
            except PermissionError:
                pass  # a launcher or agent in a user namespace of its own
        assert inode
        inst.drop_client()
        code, err = service.stop()
        assert code == 0, err
        assert os.path.exists(inst.socket), "the socket is the manager's"
        again = Service(inst, unix)
        assert inst.exec(sid, "echo on").json()["stdout"] == "on\n"
        inst.destroy_all()
        inst.drop_client()
        assert again.stop()[0] == 0
    os.unlink(inst.socket)


def test_inherited_sockets_obey_the_rules(inst):
    with listener(inst) as unix, socket.socket() as tcp:
        tcp.bind(("0.0.0.0", 0))
        tcp.listen()
        p = Service(inst, unix, tcp).p
        _, err = p.communicate(timeout=60)
        assert p.returncode != 0 and b"no authentication" in err
        with open("/dev/null") as null:
            p = Service(inst, null).p
            _, err = p.communicate(timeout=60)
            assert p.returncode != 0 and b"no listening socket" in err
    os.unlink(inst.socket)


def make(dest, target):
    """What is built is installed: nothing is made for it."""
    subprocess.run(["make", "-s", "-C", str(ROOT), "-o", "all",
                    f"B={svm.BUILD}", f"DESTDIR={dest}", "PREFIX=/opt/s",
                    target], check=True, capture_output=True)


def test_units_are_installed(tmp_path):
    make(tmp_path, "install")
    units = tmp_path / "opt/s/lib/systemd/user"
    service = (units / "stacyvm.service").read_text()
    assert "ExecStart=/opt/s/bin/stacyvm serve" in service
    assert "@" not in service
    assert "ListenStream=%t/stacyvm/stacyvm.sock" in (
        units / "stacyvm.socket").read_text()
    make(tmp_path, "uninstall")
    assert not list(units.iterdir())


# -- where the daemon lives

def emptied(cgroup):
    """Remove it, unless who was killed there has not quite gone."""
    try:
        os.rmdir(cgroup)
    except OSError as e:
        if e.errno != errno.EBUSY:
            raise
        return False
    return True


@pytest.mark.root
def test_a_start_moves_nobody_without_need(inst):
    """Processes make room where a cgroup has memory to hand on; and there
    once, however often a daemon is started."""
    tops = [x.split()[1] for x in open("/proc/self/mounts", encoding="utf-8")
            if x.split()[2] == "cgroup2"]
    if not tops or not os.access(tops[0], os.W_OK):
        pytest.skip("needs cgroup v2 at a place that can be written to")
    home = os.path.join(tops[0], f"svmtest-{inst.base.name}")
    os.mkdir(home)
    try:
        for _ in range(3):
            deepest = [d for d, _, _ in os.walk(home)][-1]
            subprocess.run(
                ["sh", "-c", 'echo $$ >"$0/cgroup.procs" && "$1" daemon start',
                 deepest, inst.binary], env=inst.env, check=True, timeout=60,
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
            inst.kill_daemon()
        with open(f"{home}/cgroup.controllers", encoding="ascii") as f:
            most = 1 if "memory" in f.read().split() else 0
        found = [d[len(home):] for d, _, _ in os.walk(home)][1:]
        assert len(found) <= most, found
    finally:
        for d, _, _ in reversed(list(os.walk(home))):
            svm.wait_for(lambda d=d: emptied(d), f"{d} to be empty")
