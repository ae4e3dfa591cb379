# SPDX-License-Identifier: MIT
"""Workloads that take all they can: the sandbox suffers, and nobody else.

While each of them rages, the daemon answers, a neighbour sandbox runs
commands, and another can be spawned; afterwards the sandbox can be destroyed
and nothing of it is left.
"""
import itertools
import json
import os
import pathlib
import shutil
import socket
import subprocess
import threading
import time

import pytest

import svm
from svm import API, wait_for

pytestmark = [pytest.mark.native, pytest.mark.seconds(180)]
# A bound on "answers", wide enough for a loaded machine under a sanitizer.
PATIENCE = 30

PYTHON = "/usr/bin/python3"


@pytest.fixture
def victim(new_instance):
    """A sandbox with narrow limits, and a neighbour."""
    inst = new_instance()
    inst.start()
    inst.neighbour = inst.sandbox()["id"]
    inst.victim = inst.sandbox(memory_mb=64, disk_mb=16, pids=64, vcpus=1)["id"]
    yield inst


def rage(inst, command, **fields):
    """Run the abuse in the background; the thread's result is its reply."""
    box = {}

    def go():
        with inst.client(timeout=120) as c:
            try:
                box["reply"] = c.request(
                    "POST", f"{API}/sandboxes/{inst.victim}/exec",
                    {"command": command, "timeout": "60s", **fields})
            except OSError as e:
                box["reply"] = e
    t = threading.Thread(target=go)
    t.box = box
    t.start()
    return t


def others_work(inst):
    with inst.client(timeout=PATIENCE) as c:
        assert c.request("GET", API + "/health").status == 200
        r = c.request("POST", f"{API}/sandboxes/{inst.neighbour}/exec",
                      {"command": "echo fine"})
        assert r.status == 200 and r.json()["stdout"] == "fine\n", r
        r = c.request("POST", API + "/sandboxes", {})
        assert r.status == 201, r
        r = c.request("DELETE", f"{API}/sandboxes/{r.json()['id']}")
        assert r.status == 200, r


def destroy(inst, thread=None):
    inst.api("DELETE", f"/sandboxes/{inst.victim}", check=200)
    if thread:
        thread.join(PATIENCE)
        assert not thread.is_alive(), "the call was never answered"
    inst.api("GET", f"/sandboxes/{inst.victim}", check=404)
    others_work(inst)


def posture(inst):
    return inst.api("GET", f"/sandboxes/{inst.victim}").json()["posture"]


def limited(inst, what):
    """Skip where the host gives no such limit, as posture says."""
    p = posture(inst)
    there = (p.get("disk") == "limited" if what == "disk" else
             p.get("limits") == "cgroup" and p["cgroup"].get("memory_bytes"))
    if not there:
        pytest.skip(f"no limit on {what} here; posture says limits: "
                    f"{p.get('limits')}, disk: {p.get('disk')}")


def test_fork_bomb(victim):
    t = rage(victim, ":(){ :|:& };: ; sleep 30", timeout="20s")
    for _ in range(5):
        others_work(victim)
    pids = victim.api("GET", f"/sandboxes/{victim.victim}/stats").json()
    assert pids.get("pids", 0) <= 64 + 2, pids
    destroy(victim, t)


def test_memory_hog(victim):
    limited(victim, "memory")
    r = victim.exec(victim.victim, f"{PYTHON} -c \"x = [bytearray(1 << 20) "
                    "for i in range(4096)]\" || tail /dev/zero")
    assert r.status == 200 and r.json()["exit_code"] != 0, r
    others_work(victim)
    # The sandbox itself outlives its hog.
    r = victim.exec(victim.victim, "echo back")
    assert r.status == 200 and r.json()["stdout"] == "back\n", r
    destroy(victim)


def test_shared_memory_hog(victim):
    """Files of /dev/shm and /tmp count as well."""
    r = victim.exec(victim.victim,
                    "head -c 1G /dev/zero > /dev/shm/x; "
                    "head -c 1G /dev/zero > /tmp/x; "
                    "cat /dev/shm/x /tmp/x 2>/dev/null | wc -c")
    if r.status == 200:
        assert int(r.json()["stdout"] or 0) < 256 << 20, r
    others_work(victim)
    destroy(victim)


def test_disk_filler(victim):
    limited(victim, "disk")
    r = victim.exec(victim.victim, "head -c 64M /dev/zero > /workspace/x; "
                    "wc -c < /workspace/x")
    assert r.status == 200 and int(r.json()["stdout"]) <= 16 << 20, r
    r = victim.api("PUT", f"/sandboxes/{victim.victim}/files?path=/workspace/y",
                   b"x" * (24 << 20))
    assert r.status == 507, r
    r = victim.exec(victim.victim, "rm /workspace/x; echo ok > /workspace/z; "
                    "cat /workspace/z")
    assert r.json()["stdout"] == "ok\n", r
    destroy(victim)


def test_inode_filler(victim):
    limited(victim, "disk")
    r = victim.exec(victim.victim,
                    "mkdir /workspace/d && cd /workspace/d && "
                    "seq 400000 | xargs touch")
    assert r.status == 200 and r.json()["exit_code"] != 0, r
    # -U: sorting would take memory, of which little is left.
    r = victim.exec(victim.victim, "ls -U /workspace/d | wc -l")
    assert r.status == 200, r
    if r.json()["exit_code"] == 0:
        assert int(r.json()["stdout"]) < 400000, r
    others_work(victim)
    destroy(victim)


def test_output_flood(victim):
    """Nobody reads it: it stops or is cut, and memory stays bounded."""
    daemon = victim.daemon_pid()
    threads = [rage(victim, "yes", timeout="10s") for _ in range(3)]
    with victim.client() as c:
        c.begin("POST", f"{API}/sandboxes/{victim.victim}/exec",
                {"command": "yes stream", "stream": True})
        assert c.head().status == 200
        for _ in range(5):
            others_work(victim)
        rss = resident(daemon)
    for t in threads:
        t.join(90)
        assert not t.is_alive()
    assert rss < (1024 if svm.SANITIZED else 128) << 20, rss
    destroy(victim)


def resident(pid):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) << 10
    return 0


def test_file_descriptors(victim):
    t = rage(victim, f"{PYTHON} -c \"import os,time\nf=[]\ntry:\n"
             " while 1: f.append(os.pipe())\nexcept OSError: pass\n"
             "time.sleep(20)\"", timeout="15s")
    others_work(victim)
    destroy(victim, t)


def test_terminals(victim):
    """ptys are counted for the whole machine: a sandbox has its own few."""
    t = rage(victim, f"{PYTHON} -c \"import os,time\nf=[]\ntry:\n"
             " while 1: f.append(os.openpty())\nexcept OSError: pass\n"
             "print(len(f), flush=True); time.sleep(20)\"", timeout="15s")
    a, b = os.openpty()  # the host's
    os.close(a)
    os.close(b)
    ws = victim.ws(f"/sandboxes/{victim.neighbour}/exec/ws")
    ws.send({"type": "start", "command": "echo terminal", "tty": True})
    text = "".join(m.get("data", "") for m in ws.messages())
    assert "terminal" in text
    others_work(victim)
    destroy(victim, t)


INOTIFY = """
import ctypes, time
c = ctypes.CDLL(None)
n = 0
while c.inotify_init() >= 0:
    n += 1
print(n, flush=True)
time.sleep(20)
"""


def test_inotify_instances(victim):
    import ctypes
    libc = ctypes.CDLL(None)
    victim.api("POST", f"/sandboxes/{victim.victim}/files",
               {"path": "/workspace/i.py", "content": INOTIFY}, check=200)
    t = rage(victim, f"{PYTHON} /workspace/i.py", timeout="15s")
    for _ in range(5):
        fd = libc.inotify_init()
        assert fd >= 0, "the host has no inotify instance left"
        os.close(fd)
        others_work(victim)
    destroy(victim, t)


def test_log_flood(victim):
    """Background output goes to a bounded ring."""
    r = victim.exec(victim.victim, "(yes flood | head -c 50M) & echo started")
    assert r.status == 200 and "started" in r.json()["stdout"], r
    others_work(victim)
    size = sum(f.stat().st_size for f in victim.state.rglob("*") if f.is_file()
               and "images" not in f.parts)
    assert size < 64 << 20, size
    destroy(victim)


def test_many_sleeping_clients(victim):
    """Connections that send nothing, or half a head, block nobody."""
    idle = [victim.client().connect() for _ in range(200)]
    for c in idle[::2]:
        c.send(b"POST /api/v1/sandboxes HTTP/1.1\r\nHost: l")
    others_work(victim)
    for c in idle:
        c.close()
    destroy(victim)


def test_tree_of_deep_directories(victim):
    """Deleting what the sandbox left is not the daemon's stack's problem."""
    r = victim.exec(victim.victim,
                    "cd /workspace; i=0; while [ $i -lt 3000 ]; do mkdir d && "
                    "cd d || break; i=$((i+1)); done; echo $i")
    assert r.status == 200, r
    r = victim.api("DELETE",
                   f"/sandboxes/{victim.victim}/files?path=/workspace/d&recursive=true")
    assert r.status in (200, 400, 413), r
    destroy(victim)


def test_signals_to_everything(victim):
    """kill -9 -1 inside reaches the workload, not the agent or the host."""
    victim.exec(victim.victim, "kill -9 -1")
    r = wait_for(lambda: (x := victim.exec(victim.victim, "echo alive")) and
                 x.status == 200 and x, "the sandbox to answer")
    assert r.json()["stdout"] == "alive\n"
    destroy(victim)


def test_the_agent_is_not_held_up_by_a_changed_dev(victim):
    """A FIFO in the place of /dev/null: the agent must not open it."""
    r = victim.exec(victim.victim, "mv /dev /old && mkdir /dev && "
                                   "mkfifo -m 666 /dev/null")
    assert r.status == 200 and r.json()["exit_code"] == 0, r
    for _ in range(2):
        r = victim.exec(victim.victim, "cat; echo alive")
        assert r.status == 200 and r.json()["stdout"] == "alive\n", r
    destroy(victim)


def test_commands_die_before_the_agent(victim):
    """Out of memory, the kernel takes a command, not the agent."""
    if posture(victim)["mode"] == "rootless-single-id":
        pytest.skip("with a single id the agent may not rate its commands")
    r = victim.exec(victim.victim, "cat /proc/self/oom_score_adj")
    assert int(r.json()["stdout"]) > 0, r
    destroy(victim)


@pytest.mark.parametrize("word", [
    {"type": "signal", "signal": "WINCH"},
    {"type": "resize", "cols": 80, "rows": 24}])
def test_words_by_the_thousand(victim, word):
    """Each takes a connection to the agent; one client gets a few at once."""
    w = victim.ws(f"/sandboxes/{victim.victim}/exec/ws")
    w.send({"type": "start", "command": "sleep 1000", "tty": True})
    next(w.messages())
    text = json.dumps(word).encode()
    many = (bytes([0x81, 0x80 | len(text)]) + bytes(4) + text) * 200
    over = threading.Event()

    def flood():
        try:
            while not over.is_set():
                w.c.sock.sendall(many)
        except OSError:
            pass  # closed below

    t = threading.Thread(target=flood)
    t.start()
    fds, daemon = 0, victim.daemon_pid()
    try:
        for _ in range(20):
            fds = max(fds, len(os.listdir(f"/proc/{daemon}/fd")))
            r = victim.exec(victim.victim, "echo here")
            assert r.status == 200 and r.json()["stdout"] == "here\n", r
            others_work(victim)
    finally:
        over.set()
        w.c.sock.shutdown(socket.SHUT_RDWR)
        t.join()
        w.close()
    assert fds < 400, f"{fds} descriptors"
    destroy(victim)


BOMB = r"""
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>
/* A chain: each process forks the next one and ends, so that who is stopped
 * or killed by number is gone already. */
static void chain(int wakers)
{
	for (;;) {
		pid_t pid = fork();
		if (pid > 0)
			_exit(0);
		if (pid == 0)
			setsid();
		if (wakers)
			kill(-1, SIGCONT);
	}
}
int main(int argc, char **argv)
{
	int chains = atoi(argv[1]), wakers = atoi(argv[2]);
	signal(SIGTERM, SIG_IGN);
	signal(SIGCHLD, SIG_IGN);
	for (int i = 0; i < wakers; i++)
		if (!fork())
			for (;;)
				kill(-1, SIGCONT);
	for (int i = 0; i < chains; i++)
		if (!fork())
			chain(wakers);
	for (;;)
		pause();
}
"""


def forks_on(name):
    """Whether processes of that name are born from now on, or don't end: each
    may be dead before its entry is read, and the last resort is answered
    when all are dying, which takes as long as they wait for a processor."""
    now = time.clock_gettime(time.CLOCK_BOOTTIME)
    tick = os.sysconf("SC_CLK_TCK")
    born, looks = [], itertools.count()

    def over():
        alive = False
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                text = pathlib.Path(f"/proc/{pid}/stat").read_text()
            except OSError:
                continue
            comm, _, rest = text.partition("(")[2].rpartition(") ")
            fields = rest.split()
            if comm == name:
                alive |= fields[0] not in "ZX"
                if int(fields[19]) > (now + 0.1) * tick:
                    born.append(text)
        return born or (not alive and next(looks) >= 15)

    svm.wait_for(over, "the bomb's last processes to end")
    return born


@pytest.fixture
def bomb(new_instance, tmp_path):
    """Sets it off in a fresh sandbox, with a second to live; what has become
    of another command there, and of processes of the bomb."""
    cc = shutil.which("cc") or pytest.skip("needs a C compiler")
    name = f"bomb-{os.getpid() % 10000}"
    (tmp_path / "bomb.c").write_text(BOMB)
    subprocess.run([cc, "-O2", "-o", tmp_path / name, tmp_path / "bomb.c"],
                   check=True)

    def go(chains, wakers, pids, inst=None):
        if not inst:
            inst = new_instance()
            inst.start()
        inst.neighbour = inst.sandbox()["id"]
        inst.victim = inst.sandbox(memory_mb=256, pids=pids, vcpus=2)["id"]
        inst.ok("cp", tmp_path / name, f"{inst.victim}:/workspace/{name}")
        inst.exec(inst.victim, f"chmod 755 /workspace/{name}")
        other = inst.exec(inst.victim, "sleep 1000", detach=True).json()
        with inst.client(timeout=100) as c:
            r = c.request("POST", f"{API}/sandboxes/{inst.victim}/exec",
                          {"command": f"exec /workspace/{name} {chains} "
                                      f"{wakers}", "timeout": "1s"})
        assert r.status == 408, r
        assert not forks_on(name)
        state = inst.api("GET", f"/sandboxes/{inst.victim}/sessions/"
                         f"{other['session_id']}", check=200).json()["state"]
        others_work(inst)
        destroy(inst)
        return state

    return go


@pytest.mark.parametrize("pids", [64, 256, 2048])
def test_a_timeout_ends_who_forks_away_from_it(bomb, pids):
    """All of it, and nothing else."""
    assert bomb(8, 0, pids) == "running"


@pytest.mark.parametrize("chains,wakers,pids", [(4, 4, 64), (32, 16, 2048)])
def test_a_timeout_ends_who_is_revived(bomb, chains, wakers, pids):
    """Its processes continue each other while they are being stopped."""
    bomb(chains, wakers, pids)


@pytest.mark.skipif(not (svm.BUILD_FAULTS / "stacyvm").exists(),
                    reason="no build with FAULTS=1 (make FAULTS=1)")
def test_a_timeout_has_a_last_resort(bomb, new_instance):
    """Who can't be killed process by process takes all others along."""
    inst = new_instance(binary=svm.BUILD_FAULTS / "stacyvm")
    inst.start(env={"STACYVM_FAULT": "agent.kill.sweep=EIO,agent.resort=1000"})
    assert bomb(4, 0, 256, inst) != "running"
