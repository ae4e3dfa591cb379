# SPDX-License-Identifier: MIT
"""A private stacyvm for a test: directories, daemon, and the proof that
nothing is left of it.  conftest.py turns it into fixtures."""
import ctypes
import fcntl
import json
import os
import pathlib
import random
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import sys
import termios
import time

import pytest

from http_unix import Client, WebSocket

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("STACYVM_TEST_BUILD", ROOT / "build")).resolve()
BUILD_FAULTS = pathlib.Path(os.environ.get("STACYVM_TEST_BUILD_FAULTS",
                                           ROOT / "build-faults")).resolve()
STACYVM = BUILD / "stacyvm"
SANITIZED = "address" in BUILD.name
IS_ROOT = os.geteuid() == 0


def _is_whole_root():
    """Root who can be others and mount: not the one of `unshare -r`."""
    try:
        os.seteuid(65534)
        os.seteuid(0)
    except OSError:
        return False
    return IS_ROOT


IS_WHOLE_ROOT = _is_whole_root()
API = "/api/v1"
_PR_SET_CHILD_SUBREAPER = 36


class Timeout(AssertionError):
    pass


def wait_for(condition, what, timeout=60):
    """Poll until condition() is true and return its value.  The deadline is
    generous: it is there to end a hang, not to measure."""
    deadline = time.monotonic() + timeout
    step = 0.002
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise Timeout(f"waited {timeout} s for: {what}")
        time.sleep(step)
        step = min(step * 1.5, 0.1)


def wait_until_stalled(sock, quiet=0.3):
    """Until nothing more has come for us, who do not read, for a while."""
    seen = [-1, time.monotonic()]

    def stalled():
        waiting = bytearray(4)
        fcntl.ioctl(sock.fileno(), termios.FIONREAD, waiting)
        waiting = int.from_bytes(waiting, sys.byteorder)
        if waiting != seen[0]:
            seen[:] = [waiting, time.monotonic()]
        return waiting and time.monotonic() - seen[1] > quiet

    wait_for(stalled, "the sender to stall")


def free_port():
    """One that nobody has, and that the kernel gives to nobody who asks for
    any: it would, to the test beside us, before the daemon is there."""
    with open("/proc/sys/net/ipv4/ip_local_port_range") as f:
        low, _ = map(int, f.read().split())
    for _ in range(1000):
        port = random.randrange(min(10000, low - 1), low)
        with socket.socket() as s:
            try:
                s.bind(("127.0.0.1", port))
                return port
            except OSError:
                pass
    raise AssertionError("no port is free")


def become_reaper():
    """Every orphan below us becomes our child: what a test leaves running is
    found, whatever it did to hide."""
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _stat(pid):
    try:
        with open(f"/proc/{pid}/stat", "rb") as f:
            text = f.read().decode(errors="replace")
    except OSError:
        return None
    name, rest = text[text.index("(") + 1:text.rindex(")")], text[text.rindex(")") + 2:]
    fields = rest.split()
    return name, fields[0], int(fields[1])


def pid_alive(pid):
    """Whether pid runs; a zombie is gone, but for one whose other threads
    still die: they hold its locks and sockets."""
    s = _stat(pid)
    if not s or s[1] not in "ZX":
        return bool(s)
    try:
        return os.listdir(f"/proc/{pid}/task") != [str(pid)]
    except OSError:
        return False


def processes():
    """pid -> (name, state, parent) of everything there is."""
    table = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit() and (s := _stat(entry)):
            table[int(entry)] = s
    return table


def begun(pid):
    """When it did, in ticks of the kernel; later than any when it is gone."""
    try:
        text = pathlib.Path(f"/proc/{pid}/stat").read_text(errors="replace")
        return int(text.rpartition(")")[2].split()[19])
    except OSError:
        return float("inf")


def descendants(of=None, zombies=False):
    """pid -> name of all that descends from a process (default: us)."""
    of = of or os.getpid()
    table = processes()
    found, grew = {of}, True
    while grew:
        more = {p for p, (_, _, parent) in table.items() if parent in found}
        grew = not more <= found
        found |= more
    return {p: table[p][0] for p in found
            if p != of and p in table and (zombies or table[p][1] not in "ZX")}


def directories(of):
    """The entries of a directory that are some; none when it is gone."""
    try:
        with os.scandir(of) as entries:
            return [e for e in entries if e.is_dir(follow_symlinks=False)]
    except OSError:
        return []


def reap():
    """Collect orphans that ended and that no Popen object waits for."""
    for pid, (_, state, parent) in processes().items():
        if parent == os.getpid() and state == "Z" and pid not in _popen_pids:
            try:
                os.waitpid(pid, os.WNOHANG)
            except ChildProcessError:
                pass


_popen_pids = set()
_live = set()


class Popen(subprocess.Popen):
    def __init__(self, *args, **kw):
        super().__init__(*args, **kw)
        _popen_pids.add(self.pid)

    def _tracked_end(self):
        if self.returncode is not None:
            _popen_pids.discard(self.pid)

    def wait(self, timeout=None):
        code = super().wait(timeout)
        self._tracked_end()
        return code


def hurried(**times):
    """For Instance(): the program with fault points, in which these times
    (`spare_idle` is "spare.idle") last so many milliseconds."""
    binary = BUILD_FAULTS / "stacyvm"
    if not binary.exists():
        pytest.skip("no build with FAULTS=1 (make FAULTS=1)")
    return {"binary": binary, "env": {"STACYVM_FAULT": ",".join(
        f"{name.replace('_', '.')}={ms}" for name, ms in times.items())}}


class Result:
    def __init__(self, argv, code, out, err):
        self.argv, self.code, self.out, self.err = argv, code, out, err

    @property
    def text(self):
        return self.out.decode(errors="replace")

    @property
    def errtext(self):
        return self.err.decode(errors="replace")

    def json(self):
        return json.loads(self.out)

    def __repr__(self):
        return (f"<{' '.join(map(str, self.argv))}: exit {self.code}\n"
                f"out: {self.text[-2000:]}\nerr: {self.errtext[-2000:]}>")


class Instance:
    """One state directory with its daemon, started by the first use."""

    def __init__(self, provider, binary=None, env=None, base=None,
                 spares=None):
        self.spares = spares  # None: as the program has it
        self.binary = str(binary or STACYVM)
        self.provider = provider
        self.base = pathlib.Path(base or tempfile.mkdtemp(prefix="svm-"))
        self.owns_base = base is None
        self.state, self.runtime = self.base / "s", self.base / "r"
        self.home = self.base / "h"
        self.home.mkdir(exist_ok=True, mode=0o700)
        (self.home / "c").mkdir(exist_ok=True)
        self.socket = str(self.runtime / "stacyvm.sock")
        self.env = {
            "PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
            "HOME": str(self.home), "XDG_CONFIG_HOME": str(self.home / "c"),
            "STACYVM_STATE_DIR": str(self.state),
            "STACYVM_RUNTIME_DIR": str(self.runtime),
            "STACYVM_SERVER_PORT": "0", "LC_ALL": "C.UTF-8", "TERM": "dumb",
            "STACYVM_PROVIDERS_MOCK_ENABLED": "true",
            "STACYVM_PROVIDERS_DEFAULT": provider,
            "STACYVM_LOGGING_LEVEL": "debug",
            "STACYVM_REGISTRIES_PULL": "false", # nothing leaves the machine
            "ASAN_OPTIONS": f"log_path={self.base}/asan:abort_on_error=0",
            "TSAN_OPTIONS": f"log_path={self.base}/asan:halt_on_error=0",
            "LSAN_OPTIONS": f"suppressions={ROOT}/tests/lsan.supp:"
                            "print_suppressions=0",
            "UBSAN_OPTIONS": f"log_path={self.base}/asan:print_stacktrace=1",
        }
        for k in ("STACYVM_TEST_RUN",):
            if k in os.environ:
                self.env[k] = os.environ[k]
        if spares is not None:
            self.env["STACYVM_PROVIDERS_NATIVE_SPARES"] = str(spares)
        self.env.update(env or {})
        self._client = None
        _live.add(self)

    # -- the command line

    def popen(self, *args, env=None, **kw):
        kw.setdefault("stdin", subprocess.DEVNULL)
        kw.setdefault("stdout", subprocess.PIPE)
        kw.setdefault("stderr", subprocess.PIPE)
        kw.setdefault("cwd", str(self.home))
        return Popen([self.binary, *map(str, args)],
                     env={**self.env, **(env or {})}, **kw)

    def run(self, *args, input=None, check=None, timeout=60, env=None, **kw):
        """Run a subcommand.  check: the exit status it must have."""
        if input is not None:
            kw["stdin"] = subprocess.PIPE
            input = input.encode() if isinstance(input, str) else input
        p = self.popen(*args, env=env, **kw)
        try:
            out, err = p.communicate(input, timeout)
        except subprocess.TimeoutExpired:
            p.kill()
            out, err = p.communicate()
            raise Timeout(f"{args}: still running after {timeout} s\n"
                          f"{out[-1000:]!r}\n{err[-1000:]!r}")
        r = Result(args, p.returncode, out or b"", err or b"")
        assert r.code >= 0, f"died from signal {-r.code}: {r}"
        if check is not None:
            assert r.code == check, r
        return r

    def ok(self, *args, **kw):
        return self.run(*args, check=0, **kw)

    def must_fail(self, *args, **kw):
        """Refused, and said why: not crashed (run() sees to that)."""
        r = self.run(*args, **kw)
        assert r.code != 0, f"should have been refused: {r}"
        assert r.err, f"failed without a word: {r}"
        return r

    def spawn(self, *args, **kw):
        """A sandbox's id."""
        return self.ok("spawn", "-q", *args, **kw).text.strip()

    # -- REST

    def client(self, timeout=60):
        """A fresh connection."""
        return Client(self.socket, timeout)

    def api(self, method, path, body=None, headers=None, check=None):
        if not self._client:
            self._client = self.client()
        r = self._client.request(method, API + path, body, headers)
        if check is not None:
            assert r.status == check, r
        return r

    def ws(self, path):
        return WebSocket(self.socket, API + path)

    def exec(self, sid, command, **fields):
        return self.api("POST", f"/sandboxes/{sid}/exec",
                        {"command": command, **fields})

    def sandbox(self, **fields):
        """Spawn over REST; the object."""
        return self.api("POST", "/sandboxes", fields, check=201).json()

    # -- the daemon

    def start(self, **kw):
        self.ok("daemon", "start", **kw)
        return self

    def answers(self):
        """Whether a daemon answers on the socket."""
        try:
            with self.client(10) as c:
                return c.request("GET", API + "/live").status == 200
        except OSError:
            return False

    def daemon_pid(self):
        """The pid that holds the listening socket, or None."""
        found = set()
        for pid, name in descendants().items():
            try:
                cmd = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes()
                env = pathlib.Path(f"/proc/{pid}/environ").read_bytes()
            except OSError:
                continue
            if (name.startswith("stacyvm") and b"\0serve" in cmd and
                    f"STACYVM_STATE_DIR={self.state}\0".encode() in env):
                found.add(pid)
        # A child that it has just forked looks the same, but is younger.
        return min(found, key=lambda pid: (begun(pid), pid), default=None)

    def kill_daemon(self, sig=signal.SIGKILL):
        pid = self.daemon_pid()
        assert pid, "no daemon to kill"
        os.kill(pid, sig)
        wait_for(lambda: not pid_alive(pid), f"daemon {pid} to be gone")
        self.drop_client()
        reap()
        return pid

    def children_of(self, pid, name=None):
        return [p for p, (n, s, parent) in processes().items()
                if parent == pid and s not in "ZX" and (not name or name in n)]

    def drop_client(self):
        if self._client:
            self._client.close()
        self._client = None

    def log(self, most=sys.maxsize):
        """What the daemon logged: of each file the end."""
        text = ""
        for f in sorted(self.state.glob("logs/*")) if self.state.exists() else []:
            if f.is_file():
                text += f"--- {f}\n" + f.read_text(errors="replace")[-most:]
        return text

    # -- the end

    def destroy_all(self):
        for box in self.api("GET", "/sandboxes", check=200).json():
            self.api("DELETE", f"/sandboxes/{box['id']}", check=200)

    def stop(self):
        """Destroy all, stop the daemon, and prove that nothing is left."""
        self.drop_client()
        try:
            if self.box_dirs() and not self.answers():
                self.start()
            if self.answers():
                self.destroy_all()
                self.drop_client()
                self.kill_daemon(signal.SIGTERM)
            # The instance's own outlive it on purpose; empty by now.
            for path in self.check_nothing_left():
                if os.path.exists(path):
                    os.rmdir(path)
        finally:
            _live.discard(self)
            if not _live:
                self.kill_strays()
            self.check_sanitizers()
            if self.owns_base:
                shutil.rmtree(self.base, ignore_errors=True)

    @staticmethod
    def kill_strays():
        """A failed test must not disturb the next one."""
        for pid in descendants():
            if pid not in _popen_pids:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
        reap()

    def instance_id(self):
        f = self.state / "instance-id"
        return f.read_text().strip() if f.exists() else None

    def cgroups(self):
        """Directories of this instance below /sys/fs/cgroup."""
        iid = self.instance_id()
        if not iid or not os.path.isdir("/sys/fs/cgroup"):
            return []
        found, todo = [], ["/sys/fs/cgroup"]
        while todo:
            for e in directories(todo.pop()):
                (found if iid in e.name else todo).append(e.path)
        return found

    def box_cgroups(self, of=None):
        """Those of single sandboxes."""
        return [e.path for c in of or self.cgroups() for e in directories(c)
                if "sb-" in e.name]

    def mounts(self):
        with open("/proc/self/mountinfo") as f:
            return [line for line in f if f"{self.base}/" in line]

    def box_dirs(self):
        boxes = self.state / "boxes"
        return sorted(p.name for p in boxes.iterdir()) if boxes.exists() else []

    def agent_of(self, sid):
        """A native sandbox's agent, by the name that it has for everybody;
        those that it forked have it too."""
        name = f"{sid}@{self.instance_id()}".encode()
        table, named = processes(), set()
        for pid in descendants():
            try:
                with open(f"/proc/{pid}/cmdline", "rb") as f:
                    if name in f.read().split(b"\0"):
                        named.add(pid)
            except OSError:
                pass
        return next((p for p in named
                     if p in table and table[p][2] not in named), None)

    def made_ahead(self):
        """The spare boxes there have been."""
        return re.findall(r"sandbox=(\S+) is made ahead", self.log())

    def check_nothing_left(self, daemon=False):
        """No process, mount, cgroup or directory of a sandbox is left; the
        instance's own cgroups."""
        def strays():
            reap()
            left = {p: n for p, n in descendants().items()
                    if p not in _popen_pids}
            if daemon and (pid := self.daemon_pid()):
                left = {p: n for p, n in left.items()
                        if p != pid and p not in self.children_of(pid)}
            return left

        if len(_live) == 1:
            try:
                wait_for(lambda: not strays(), "")
            except Timeout:
                raise AssertionError(f"left running: {strays()}") from None
        assert not self.mounts(), self.mounts()
        cgroups = self.cgroups()
        if cgroups:
            wait_for(lambda: not self.box_cgroups(cgroups),
                     f"those of sandboxes to be gone: {cgroups}")
        assert not self.box_dirs(), f"left in boxes/: {self.box_dirs()}"
        return cgroups

    def check_sanitizers(self):
        reports = [f.read_text(errors="replace")
                   for f in self.base.glob("asan*")]
        assert not reports, "sanitizer report:\n" + "\n".join(reports)[:8000]
