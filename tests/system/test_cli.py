# SPDX-License-Identifier: MIT
"""The command line, subcommand by subcommand, against a real daemon."""
import fcntl
import json
import os
import re
import resource
import signal
import socket
import struct
import subprocess
import tarfile
import termios
import time

import pytest
from screen import Screen
from terminal import Terminal
import svm

ROOT = svm.ROOT


# -- the frame: help, usage, errors

def commands(shared):
    text = shared.ok("help").text
    block = text.split("Commands:\n")[1].split("\n\n")[0]
    return [line.split()[0] for line in block.splitlines()]


def test_help_of_everything(shared):
    names = commands(shared)
    assert {"spawn", "exec", "shell", "attach", "list", "inspect", "kill",
            "extend", "prune", "wait", "cp", "files", "logs", "events",
            "image", "provider", "daemon", "serve", "doctor", "config",
            "bench", "version", "help"} <= set(names)
    for name in names:
        text = shared.ok("help", name).text
        assert text == shared.ok(name, "--help").text
        assert f"Usage: stacyvm {name}" in text
        assert not re.search(" $", text, re.M), name
    for topic in ("exit-codes", "env", "formats"):
        assert shared.ok("help", topic).text


def test_who_acts_is_never_left_out(shared):
    """What no header can carry is refused, not ignored."""
    for env in ({"STACYVM_USER_ID": "a\nb"}, {"STACYVM_API_KEY": "k\x01"}):
        r = shared.must_fail("list", env=env)
        assert "control character" in r.errtext, r
    sid = shared.ok("spawn", "-q", env={"STACYVM_USER_ID": "ann"}).text.strip()
    owner = shared.api("GET", f"/sandboxes/{sid}").json()["owner_id"]
    assert owner == "ann"
    shared.ok("kill", sid)


def test_usage_errors(inst):
    r = inst.must_fail("spwan")
    assert r.code == 2 and 'Did you mean "spawn"' in r.errtext
    assert inst.must_fail("list", "--jsn").code == 2
    r = inst.must_fail("list", "--color=purple")
    assert r.code == 2 and "auto|always|never" in r.errtext
    assert inst.must_fail("list", "--progress", "loud").code == 2
    r = inst.must_fail("help", "nope")
    assert r.code == 2 and "help help" not in r.errtext
    assert inst.must_fail("logs", "x", "--grep", "(").code == 2
    assert inst.must_fail("logs", "x", "--tail", "-3").code == 2
    assert inst.must_fail("kill").code == 2
    assert inst.must_fail("extend", "x", "never").code == 2
    assert inst.must_fail("exec", "x").code == 125
    assert inst.must_fail("spawn", "alpine").code == 2
    assert inst.must_fail("spawn", "--ttl", "10").code == 2
    assert inst.must_fail("files", "nope").code == 2
    assert not (inst.runtime / "stacyvm.sock").exists(), "it started a daemon"


def test_version(inst):
    assert inst.ok("--version").text == inst.ok("version").text
    assert inst.must_fail("list", "--version").code == 2


def test_help_wins_over_what_is_wrong(inst):
    for args in (("list", "--bogus", "--help"), ("list", "-h", "--bogus"),
                 ("kill", "--bogus", "x", "-h"), ("exec", "-h", "--bogus")):
        assert "Usage: stacyvm" in inst.ok(*args).text
    # There it may be a word of the command's.
    r = inst.must_fail("exec", "--bogus", "x", "ls", "--help")
    assert r.code == 125 and "--bogus" in r.errtext


def test_a_list_says_what_it_cannot_sort_by(shared, box):
    for key in ("state", "metadata.nothing", "nonsense"):
        r = shared.ok("list", "--sort", key)
        assert box in r.text
        assert (f"has '{key}'" in r.errtext) == (key != "state")


def test_a_list_is_in_the_dashboards_orders(inst):
    """The names that its sort menu has, beside the fields of the API."""
    inst.start()
    long = inst.spawn("--ttl", "1h", "--memory", "64", "--name", "long")
    short = inst.spawn("--ttl", "10m", "--memory", "128", "--name", "short")
    for key, ids in (("ttl", [short, long]), ("age", [long, short]),
                     ("memory", [long, short]), ("name", [long, short])):
        r = inst.ok("list", "--sort", key, "-q")
        assert (r.text.split(), r.errtext) == (ids, ""), key


def test_who_forces_colours(shared, box):
    def coloured(**env):
        return "\x1b[" in shared.ok("list", env=env).text

    for name in ("FORCE_COLOR", "CLICOLOR_FORCE"):
        assert coloured(**{name: "1"})
        assert not coloured(**{name: "0"}) and not coloured(**{name: ""})
        assert not coloured(**{name: "1", "NO_COLOR": "1"})


def test_errors_as_json(shared):
    r = shared.must_fail("inspect", "sb-00000000", "--json")
    e = json.loads(r.err)["error"]
    assert e["code"] == "NOT_FOUND" and e["exit"] == r.code == 3


def test_no_daemon(inst):
    env = {"STACYVM_NO_AUTOSTART": "1"}
    r = inst.must_fail("list", env=env)
    assert r.code == 5 and "daemon start" in r.errtext
    assert inst.must_fail("exec", "sb-00000000", "true", env=env).code == 125
    assert inst.run("daemon", "status").code == 5
    assert inst.ok("daemon", "stop").text == "not running\n"
    r = inst.run("doctor", env=env)
    assert r.code == 5 and "not running" in r.text and "state" in r.text


def test_a_stale_socket_is_no_daemon(inst):
    inst.runtime.mkdir(mode=0o700)
    s = socket.socket(socket.AF_UNIX)
    s.bind(inst.socket)
    s.close()
    inst.ok("list")


def test_a_daemon_that_can_not_start_says_why(inst):
    r = inst.must_fail("list", env={"STACYVM_SERVER_PORT": "many"})
    assert r.code == 5 and "did not start" in r.errtext
    assert "server.port" in r.errtext.lower() or "PORT" in r.errtext
    assert "error" not in r.errtext, "a line of the log"
    inst.state.mkdir(mode=0o700, exist_ok=True)
    (inst.state / "db").write_bytes(b"junk")
    r = inst.must_fail("list")
    assert r.code == 5 and "not a database" in r.errtext
    assert "\n  the database is damaged; move" in r.errtext


def test_daemon_commands(inst):
    assert "started" in inst.ok("daemon", "start").text
    assert "already running" in inst.ok("daemon", "start").text
    one = inst.ok("daemon", "status", "--json").json()
    assert one["status"] == "ok"
    sid = inst.spawn()
    assert "started" in inst.ok("daemon", "restart").text
    two = inst.ok("daemon", "status", "--json").json()
    assert two["pid"] != one["pid"]
    assert sid in inst.ok("list", "-q").text.split()
    assert inst.ok("daemon", "logs", "-n", "5").text
    inst.ok("kill", sid)
    inst.ok("daemon", "stop")
    assert not svm.pid_alive(two["pid"])


# -- sandboxes

def test_spawn_list_inspect_kill(shared):
    sid = shared.ok("spawn", "--name", "cli-one", "-l", "task=cli", "--ttl",
                    "10m", "--memory", "64m").text.strip()
    try:
        assert re.fullmatch(r"sb-[0-9a-f]{8}", sid)
        rows = shared.ok("list", "--json").json()
        row = next(x for x in rows if x["id"] == sid)
        assert row["memory_mb"] == 64 and row["metadata"] == {"task": "cli"}
        assert sid in shared.ok("list", "--filter", "metadata.task=cli",
                                "-q").text
        assert shared.ok("list", "--filter", "state=paused", "-q").text == ""
        assert shared.ok("list", "--filter", "id=" + sid[:8], "--format",
                         "{{name}}\\t{{.state}}").text == "cli-one\trunning\n"
        plain = shared.ok("list", "--plain").text.splitlines()
        assert plain[0].split("\t")[0] == "ID"
        assert shared.ok("list", "--json=id,state").json()[0].keys() == \
            {"id", "state"}
        for name in (sid, sid[:10], "cli-one"):
            assert shared.ok("inspect", "--json", name).json()["id"] == sid
        assert shared.must_fail("kill", sid[:10]).code == 3
        assert shared.must_fail("kill", "sb-").code == 3
        extended = shared.ok("extend", sid[:10], "1h", "--json").json()
        assert extended["expires_at"] > row["expires_at"]
    finally:
        assert shared.ok("kill", "cli-one").text == "cli-one\n"
    assert shared.must_fail("inspect", sid).code == 3
    assert shared.must_fail("kill", sid).code == 3
    shared.ok("kill", "--force", sid)


def test_kill_several(shared):
    a, b = shared.spawn(), shared.spawn()
    r = shared.run("kill", a, "sb-00000000", b)
    assert r.code == 1 and r.text.split() == [a, b]
    assert "2 of 3" in r.errtext
    c, d = shared.spawn(), shared.spawn()
    assert shared.ok("kill", "-", input=f"{c}\n{d}\n").text.split() == [c, d]


def test_an_ambiguous_prefix_names_the_candidates(shared, box):
    other = shared.spawn()
    try:
        r = shared.must_fail("inspect", "sb-")
        assert r.code == 6 and box in r.errtext and other in r.errtext
    finally:
        shared.ok("kill", other)


def test_wait_and_prune(shared):
    sid = shared.spawn("--ttl", "2s")
    shared.ok("wait", "--for", "running", sid)
    assert shared.run("wait", "--timeout", "100ms", sid).code == 124
    shared.ok("wait", "--timeout", "60s", sid)
    r = shared.run("wait", "--for", "running", sid)
    assert r.code in (3, 6), r
    assert shared.ok("prune", "--yes", "--json").json()["pruned"] >= 0


# -- exec

def test_exec_status_and_streams(shared, box):
    r = shared.run("exec", box, "--", "sh", "-c",
                   "echo out; echo err >&2; exit 7")
    assert (r.code, r.out, r.err) == (7, b"out\n", b"err\n")
    assert shared.run("exec", box, "nosuch-program").code == 127
    assert shared.run("exec", box, "/etc").code == 126
    assert shared.run("exec", box, "--", "sh", "-c",
                      "kill -9 $$").code == 128 + 9
    r = shared.run("exec", box, "--timeout", "300ms", "sleep", "60")
    assert r.code == 124
    assert shared.must_fail("exec", "sb-00000000", "true").code == 125
    assert shared.ok("exec", "-w", "/tmp", box, "pwd").text.endswith("/tmp\n")
    assert shared.ok("exec", "-e", "A=b c", box, "--", "sh", "-c",
                     'echo "$A"').text == "b c\n"
    assert shared.must_fail("exec", "-w", "/nowhere", box, "pwd").code == 125


def test_exec_is_byte_exact(shared, box):
    data = os.urandom(300_000) + bytes(range(256))
    assert shared.ok("exec", box, "cat", input=data).out == data
    assert shared.ok("exec", "-n", box, "cat", input=b"not read").out == b""
    r = shared.ok("exec", box, "--", "sh", "-c",
                  "head -c 2000000 /dev/zero; head -c 1000 /dev/zero >&2")
    assert len(r.out) == 2_000_000 and len(r.err) == 1000


def test_exec_streams_live(shared, box):
    p = shared.popen("exec", box, "--", "sh", "-c", "echo one; read x; echo $x",
                     stdin=subprocess.PIPE)
    assert p.stdout.readline() == b"one\n"
    p.stdin.write(b"two\n")
    p.stdin.flush()
    assert p.stdout.readline() == b"two\n"
    assert p.wait(60) == 0
    p.communicate()


def test_ctrl_c_goes_to_the_command_first(shared, box):
    p = shared.popen("exec", box, "--", "sh", "-c",
                     "trap 'echo caught; exit 3' INT; echo ready; "
                     "while :; do sleep 0.05; done")
    assert p.stdout.readline() == b"ready\n"
    p.send_signal(signal.SIGINT)
    out, _ = p.communicate(timeout=60)
    assert (p.returncode, out) == (3, b"caught\n")


def test_the_second_ctrl_c_leaves(shared, box):
    p = shared.popen("exec", box, "--", "sh", "-c",
                     "trap 'echo caught' INT; echo ready; "
                     "while :; do sleep 0.05; done")
    assert p.stdout.readline() == b"ready\n"
    p.send_signal(signal.SIGINT)
    assert p.stdout.readline() == b"caught\n"
    p.send_signal(signal.SIGINT)
    p.communicate(timeout=60)
    assert p.returncode == 130


def test_a_closed_pipe_ends_it_quietly(shared, box):
    p = shared.popen("exec", box, "yes")
    p.stdout.read(10)
    p.stdout.close()
    err = p.stderr.read()
    assert p.wait(60) == 128 + signal.SIGPIPE and err == b""
    p.stderr.close()


def test_a_part_of_a_copy_does_not_stay(shared, box, tmp_path):
    """What was whole stays, what broke off doesn't look whole."""
    shared.exec(box, "mkdir -p d; echo a >d/a; head -c 4194304 /dev/zero >d/b")

    def small_files():
        resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))

    r = shared.run("cp", "-r", f"{box}:/workspace/d", str(tmp_path),
                   preexec_fn=small_files)
    assert r.code == 1 and "File too large" in r.errtext, r
    assert [p.name for p in (tmp_path / "d").iterdir()] in ([], ["a"])


def test_a_file_that_may_not_grow_is_a_failure(new_instance, tmp_path):
    """`ulimit -f`: an error that says so, not an end by SIGXFSZ."""
    inst = new_instance()
    inst.start()
    box = inst.sandbox()["id"]
    inst.exec(box, "head -c 100000 /dev/zero >big")
    config = tmp_path / "config" / "stacyvm" / "config.yaml"
    config.parent.mkdir(parents=True)
    config.write_text("# %s\n" % ("x" * 2000))
    there = tmp_path / "there"
    there.mkdir()
    env = {"XDG_CONFIG_HOME": str(tmp_path / "config")}

    def small_files():
        resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 10, 1 << 10))

    for argv, code in (
            (["cp", f"{box}:/workspace/big", "big"], 1),
            (["cp", "-r", f"{box}:/workspace/big", "big2"], 1),
            (["config", "set", "ui.theme", "mono"], 1),
            (["tui", "--dump", "--frames", "1"], 1),
            (["exec", box, "--", "cat", "big"], 125)):
        with open(tmp_path / "out", "wb") as out:
            r = inst.run(*argv, preexec_fn=small_files, stdout=out, env=env,
                         cwd=str(there))
        assert r.code == code and b"File too large" in r.err, (argv, r)
        assert not list(there.iterdir()), argv
        assert [f.name for f in config.parent.iterdir()] == ["config.yaml"]


def test_no_place_for_the_configuration(inst):
    """The directory that can't be made, why, and what to set."""
    r = inst.run("config", "set", "ui.theme", "mono",
                 env={"XDG_CONFIG_HOME": "", "HOME": "/proc/nope"})
    assert r.code == 1 and r.errtext == (
        "stacyvm: can't make the directory '/proc/nope' for "
        "'/proc/nope/.config/stacyvm': No such file or directory\n"
        "  set HOME to a directory of yours, or name one with "
        "XDG_CONFIG_HOME\n")


def test_too_few_open_files_are_an_error_that_says_so(new_instance):
    """`ulimit -n 20`: what is needed, what there is, what to do."""
    inst = new_instance()

    def few(most):
        return lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (20, most))

    for argv, code in ((["list"], 5), (["exec", "x", "true"], 125),
                       (["daemon", "start"], 5), (["serve"], 5)):
        r = inst.run(*argv, preexec_fn=few(20))
        assert r.code == code and r.errtext.count("\n") == 3, r
        for text in ("needs 64 open files", "20 files may be open",
                     "ulimit -Hn", "prlimit --pid $$"):
            assert text in r.errtext, r
    assert not (inst.state / "logs").exists()
    inst.ok("version", preexec_fn=few(20))
    inst.ok("list", preexec_fn=few(64))
    inst.ok("list", preexec_fn=few(20))
    inst.ok("daemon", "stop")
    inst.ok("list", preexec_fn=few(1024)) # as many as it may


def test_a_full_disk_is_a_failure(shared, box):
    with open("/dev/full", "wb") as full:
        r = shared.run("exec", box, "echo", "x", stdout=full)
        assert r.code == 125 and b"No space" in r.err
        r = shared.run("list", stdout=full)
        assert r.code == 1 and b"No space" in r.err
        r = shared.run("tui", "--dump", stdout=full)
        assert r.code == 1 and b"standard output" in r.err
        r = shared.run("files", "cat", box, "/usr/bin/env", stdout=full)
        assert r.code == 1 and b"standard output" in r.err
    r = shared.must_fail("cp", f"{box}:/usr/bin/env", "/dev/full")
    assert "No space" in r.errtext and "'/dev/full'" in r.errtext


def test_a_closed_output_is_a_failure(shared, box):
    """What can't be printed is never a success; what prints nothing is."""
    closed = {"preexec_fn": lambda: os.close(1)}
    for words in (["list", "-q"], ["list"], ["list", "--json"], ["version"],
                  ["inspect", box], ["config", "get", "server.port"],
                  ["--help"],
                  ["list", "--help"], ["completion", "bash"],
                  ["tui", "--dump"], ["doctor"],
                  ["files", "cat", box, "/usr/bin/env"]):
        r = shared.must_fail(*words, **closed)
        assert r.code == 1 and "Bad file descriptor" in r.errtext, r
    r = shared.must_fail("exec", box, "echo", "x", **closed)
    assert r.code == 125 and "Bad file descriptor" in r.errtext, r
    assert shared.ok("exec", box, "true", **closed).err == b""


def test_a_daemon_starts_without_an_output(inst):
    inst.must_fail("list", preexec_fn=lambda: os.close(1))
    pid = inst.daemon_pid()
    inst.ok("exec", inst.spawn(), "true")
    assert inst.daemon_pid() == pid


def test_logs_name_their_limit(shared, box):
    text = " ".join(shared.ok("logs", "--help").text.split())
    assert "at most 10000" in text
    r = shared.must_fail("logs", box, "-n", "10001")
    assert r.code == 2 and "10000" in r.errtext


def test_a_lost_daemon_is_a_failure(inst):
    sid = inst.spawn()
    p = inst.popen("exec", sid, "--", "sh", "-c", "echo ready; exec sleep 60")
    assert p.stdout.readline() == b"ready\n"
    inst.kill_daemon()
    _, err = p.communicate(timeout=60)
    assert p.returncode == 125 and b"lost the daemon" in err
    inst.ok("kill", sid)


@pytest.mark.parametrize("args,said", [
    (("spawn", "--memory", "0"), "--memory"),
    (("spawn", "--disk", "0m"), "--disk"),
    (("spawn", "--vcpus", "0"), "--vcpus"),
    (("spawn", "--pids", "0"), "--pids"),
    (("spawn", "--ttl", "0s"), "--ttl"),
    (("spawn", "--image", ""), "--image is empty"),
    (("spawn", "--template", ""), "--template is empty"),
    (("spawn", "--provider", ""), "--provider is empty"),
    (("spawn", "--network", ""), "--network is empty"),
    (("spawn", "--name", "", "--rm", "--", "true"), "--name is empty"),
    (("spawn", "-l", "novalue"), "'novalue' is not KEY=VALUE"),
    (("spawn", "-l", "=x"), "'=x' is not KEY=VALUE"),
    (("files", "glob", "BOX"), "no pattern given"),
    (("files", "cat", "BOX"), "no path given"),
    (("cp", "a", "b"), "one of the two must be ID:/path"),
    (("logs", "BOX", "-n", "10001"), "10000"),
    (("logs", "BOX", "-n", "99999999999999999999"), "--tail"),
    (("extend", "BOX", "0"), "'0' is not a duration"),
    (("rename", "BOX"), "needs a name, or --clear"),
    (("rename", "--clear", "BOX", "x"), "exclude each other"),
    (("label", "BOX", "key"), "'key' is neither KEY=VALUE nor KEY-"),
    (("label", "BOX", "=x"), "'=x' is neither"),
    (("label", "BOX", "--", "-"), "'-' is neither"),
    (("label", "BOX", "k=\udcff"), "is neither KEY=VALUE"), # no UTF-8
    (("label", "BOX", "a=1", "b=2", "a-"), "'a' is there twice"),
    (("wait", "BOX", "--for", "dead"), "'dead' is no state"),
    (("prune", "BOX"), "prune takes no arguments"),
])
def test_what_makes_no_sense_is_refused(shared, box, args, said):
    """Here, with the name of what is wrong, and nothing is done."""
    before = shared.ok("list", "-q").text
    r = shared.must_fail(*(box if a == "BOX" else a for a in args))
    assert said in r.errtext and r.out == b"", r
    assert r.code == (125 if "--rm" in args else 2), r
    assert shared.ok("list", "-q").text == before


def test_rename_and_label(shared, box):
    assert shared.ok("rename", box, "web-1").text == f"{box} is named web-1\n"
    assert shared.ok("inspect", "web-1", "--json").json()["id"] == box
    r = shared.ok("label", "web-1", "task=ci", "eq=a=b", "odd=\x1b[31m")
    assert r.text == (f"{box} has the labels task=ci eq=a=b odd=^[[31m\n")
    got = shared.ok("label", box[:10], "task-", "none-", "x=",
                    "--json=metadata").json()
    assert got == {"metadata": {"eq": "a=b", "odd": "\x1b[31m", "x": ""}}
    assert shared.ok("list", "--filter", "metadata.eq=a=b",
                     "-q").text == box + "\n"
    other = shared.spawn("--name", "other")
    try:
        r = shared.must_fail("rename", box, "other")
        assert r.code == 6 and "'other' is there already" in r.errtext
    finally:
        shared.ok("kill", other)
    r = shared.must_fail("rename", box, "No")
    assert r.code == 2 and "name 'No'" in r.errtext
    whole = shared.ok("rename", "web-1", "", "--json").json()
    assert whole == shared.api("GET", f"/sandboxes/{box}").json()
    assert "name" not in whole
    shared.ok("rename", box, "web-2")
    assert shared.ok("rename", "--clear", "web-2").text == (
        f"{box} has no name\n")
    assert shared.ok("label", box, "eq-", "odd-", "x-").text == (
        f"{box} has no labels\n")
    for command in ("rename", "label"):
        assert shared.must_fail(command, "nobody", "x=1").code == 3


def test_files_rm_goes_on(shared, box):
    for name in "abc":
        shared.ok("files", "write", box, name, input=b"x")
    r = shared.must_fail("files", "rm", box, "a", "nosuch", "/etc", "c")
    assert r.code == 1, r
    assert "/workspace/nosuch" in r.errtext and "'/etc'" in r.errtext, r
    assert shared.ok("files", "ls", box, "-q").text == "b\n"
    assert shared.must_fail("files", "rm", box, "nosuch").code == 3


def test_cp_tells_what_it_left_out(shared, box, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "file").write_text("x")
    r = shared.ok("cp", "-r", tmp_path, f"{box}:/tmp/tree")
    assert "1 devices, pipes or sockets were left out" in r.errtext, r
    assert shared.ok("files", "ls", box, "/tmp/tree", "-q").text == "file\n"


def test_cp_of_what_is_not_there(shared, box, tmp_path):
    r = shared.must_fail("cp", tmp_path / "none", f"{box}:/tmp")
    assert f"can't open '{tmp_path}/none'" in r.errtext, r


def test_cp_waits_for_no_pipe(shared, box, tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    r = shared.must_fail("cp", pipe, f"{box}:/tmp/x", timeout=60)
    assert r.code == 1 and "is a named pipe" in r.errtext, r
    r = shared.must_fail("cp", f"{box}:/etc/hosts", pipe, timeout=60)
    assert r.code == 1 and f"can't open '{pipe}'" in r.errtext, r
    # One that is open already is read to its end.
    reader, writer = os.pipe()
    os.write(writer, b"from a pipe\n")
    os.close(writer)
    p = shared.popen("cp", f"/dev/fd/{reader}", f"{box}:/tmp/from-pipe",
                     pass_fds=[reader])
    os.close(reader)
    assert p.wait(timeout=60) == 0, p.stderr.read()
    assert shared.ok("files", "cat", box, "/tmp/from-pipe").text == (
        "from a pipe\n")


def test_a_command_line_is_no_program(shared, box):
    r = shared.must_fail("exec", box, "echo hi")
    assert r.code == 127 and "echo hi: not found" in r.errtext
    assert "sh -c" in r.errtext, r
    for args in (("exec", box, "nosuch"), ("exec", box, "no such", "x"),
                 ("-q", "exec", box, "echo hi")):
        assert "sh -c" not in shared.must_fail(*args).errtext
    r = shared.must_fail("exec", box, "-w", "/no/such", "--", "true")
    assert r.code == 125 and "'/no/such'" in r.errtext, r


def test_waiting_blames_nobody(shared, box):
    r = shared.must_fail("wait", box, "--timeout", "50ms")
    assert r.code == 124 and f"'{box}' did not end" in r.errtext, r
    assert "daemon" not in r.errtext


def test_extend_tells_when_it_gave_less(shared, box):
    assert shared.ok("extend", box, "2h").errtext == ""
    r = shared.ok("extend", box, "9000h")
    assert "sooner than asked for" in r.errtext and box in r.text, r


def test_spawn_rm(shared):
    before = set(shared.ok("list", "-q").text.split())
    r = shared.run("spawn", "--rm", "--", "sh", "-c", "echo hi; exit 5")
    assert (r.code, r.text) == (5, "hi\n")
    assert shared.run("spawn", "--rm", "--", "nosuch-program").code == 127
    p = shared.popen("spawn", "--rm", "--", "sh", "-c",
                     "echo ready; exec sleep 60")
    assert p.stdout.readline() == b"ready\n"
    p.send_signal(signal.SIGINT)
    p.communicate(timeout=60)
    assert p.returncode == 130
    assert shared.must_fail("spawn", "--rm").code == 125
    assert shared.must_fail("spawn", "--rm", "--provider", "nosuch", "--",
                            "true").code == 125
    assert set(shared.ok("list", "-q").text.split()) == before


# -- terminals

EVIL = r"\033]2;PWN\007\033[6nred\033[31m 1%%\r99%% caf\303\251\202\n"


@pytest.mark.parametrize("args", [("exec", "BOX"), ("spawn", "--rm")])
@pytest.mark.parametrize("to", ["", " >&2"])
def test_output_acts_on_no_terminal(shared, box, args, to):
    """What a command without a terminal writes is text on ours; a pipe and a
    file get the bytes."""
    args = [box if a == "BOX" else a for a in args]
    command = ("--", "sh", "-c", f"printf '{EVIL}'{to}")
    t = Terminal(shared, *args, *command)
    text = t.rest()
    assert t.end() == 0
    assert "\x07" not in text and "\x1b]" not in text, text
    assert "^[]2;PWN^G^[[6nred^[[31m 1%\r99% caf\u00e9\\x82\n" in text, text
    r = shared.ok(*args, *command)
    assert "\x1b]2;PWN\x07" in (r.errtext if to else r.text)


def test_exec_with_a_terminal(shared, box):
    t = Terminal(shared, "exec", "-t", box, "--", "sh", "-c",
                 "stty size; read x; while [ \"$(stty size)\" = '30 100' ]; "
                 "do :; done; stty size; exit 9")
    t.expect(b"30 100")
    fcntl.ioctl(t.master, termios.TIOCSWINSZ,
                struct.pack("HHHH", 40, 120, 0, 0))
    os.kill(t.p.pid, signal.SIGWINCH)
    t.send(b"\r")
    t.expect(b"40 120")
    assert t.end() == 9
    r = shared.must_fail("exec", "-t", box, "true")
    assert r.code == 125 and "terminal" in r.errtext


def test_shell_detach_and_attach(shared, box):
    t = Terminal(shared, "shell", box)
    t.send(b"echo mark-$((40+2))\r")
    t.expect(b"mark-42")
    t.send(b"\x1d")
    t.expect(b"stacyvm attach " + box.encode())
    assert t.end() == 0
    t = Terminal(shared, "attach", box)
    t.expect(b"Ctrl-] leaves")
    t.expect(b"mark-42")
    t.send(b"exit 4\r")
    assert t.end() == 4


def test_attach_asks_nothing_again(shared, box):
    """The terminal would answer, and the shell take that for typing."""
    ask = b"printf '\\033[6n\\033[31m\\033]52;c;YQ==\\007'; echo as''ked\r"
    t = Terminal(shared, "shell", box)
    t.send(ask)
    t.expect(b"\x1b[6n\x1b[31m\x1b]52;c;YQ==\x07asked")
    t.send(b"\x1d")
    assert t.end() == 0
    t = Terminal(shared, "attach", box)
    t.expect(b"\x1b[31masked")
    t.send(ask)
    t.expect(b"\x1b[6n\x1b[31m\x1b]52;c;YQ==\x07asked")
    t.send(b"exit 4\r")
    assert t.end() == 4


def test_shell_without_a_terminal(shared, box):
    assert shared.ok("shell", box, input="echo $((40+2))\n").text == "42\n"


def test_attach_read_only(shared, box):
    t = Terminal(shared, "shell", box)
    t.send(b"echo on-$((1))\r")
    t.expect(b"on-1")
    w = Terminal(shared, "attach", "--read-only", box)
    w.expect(b"on-1")
    w.send(b"exit 3\r\x1d")
    assert w.end() == 0
    t.send(b"exit 4\r")
    assert t.end() == 4


def test_who_is_sent_away_is_told_why(shared, box):
    t = Terminal(shared, "shell", box)
    t.send(b"echo on-$((1))\r")
    t.expect(b"on-1")
    w = Terminal(shared, "attach", "--takeover", box)
    w.expect(b"on-1")
    said = t.rest()
    assert "another viewer took the session over; it goes on" in said
    assert f"stacyvm attach {box}/ex-" in said
    assert t.end() != 0
    w.send(b"exit 4\r")
    assert w.end() == 4


def test_a_killed_daemon_restores_the_terminal(inst):
    sid = inst.spawn()
    t = Terminal(inst, "shell", sid)
    t.send(b"echo up-$((1))\r")
    t.expect(b"up-1")
    inst.kill_daemon()
    t.expect(b"stacyvm attach " + sid.encode() + b"/ex-")
    assert t.end() == 125
    inst.ok("kill", sid)


# -- files

def test_files(shared, box):
    f = lambda *a, **kw: shared.ok("files", *a, **kw)  # noqa: E731
    data = os.urandom(100_000)
    f("write", box, "dir/a.bin", input=data)
    assert f("cat", box, "/workspace/dir/a.bin").out == data
    assert f("cat", f"{box}:dir/a.bin").out == data
    assert f("stat", box, "dir/a.bin", "--json").json()["size"] == 100_000
    f("chmod", box, "755", "dir/a.bin")
    f("mv", box, "dir/a.bin", "dir/b.bin")
    row = f("ls", box, "dir", "--json").json()[0]
    assert (row["name"], row["mode"]) == ("b.bin", "0755")
    assert f("glob", box, "/workspace/**/*.bin").text == \
        "/workspace/dir/b.bin\n"
    r = shared.must_fail("files", "rm", box, "dir")
    assert r.code == 6 and "-r" in r.errtext
    f("rm", "-r", box, "dir")
    assert shared.must_fail("files", "cat", box, "dir/b.bin").code == 3
    assert shared.must_fail("files", "rm", box, "dir").code == 3
    f("rm", "-f", box, "dir")


def test_cp(shared, box, tmp_path):
    data = os.urandom(3_000_000)
    src = tmp_path / "src.bin"
    src.write_bytes(data)
    src.chmod(0o750)
    shared.ok("cp", src, f"{box}:")
    assert shared.ok("files", "stat", box, "src.bin",
                     "--json").json()["mode"] == "0750"
    shared.ok("cp", f"{box}:src.bin", tmp_path / "back.bin")
    assert (tmp_path / "back.bin").read_bytes() == data
    assert shared.ok("cp", f"{box}:src.bin", "-").out == data
    # Permissions as cp has them: the other's and the umask's, or its own.
    shared.ok("files", "chmod", box, "755", "src.bin")
    for there, umask, mode in ((None, 0o022, 0o755), (None, 0o077, 0o700),
                               (0o640, 0o022, 0o640)):
        back = tmp_path / f"back{umask}{there}"
        if there:
            back.write_bytes(b"")
            back.chmod(there)
        old = os.umask(umask)
        try:
            shared.ok("cp", f"{box}:src.bin", back)
        finally:
            os.umask(old)
        assert back.stat().st_mode & 0o777 == mode
        back.unlink()
    shared.ok("cp", "-", f"{box}:/tmp/in", input=b"from a pipe")
    assert shared.ok("files", "cat", box, "/tmp/in").out == b"from a pipe"
    assert shared.must_fail("cp", f"{box}:nope", tmp_path / "x").code == 3
    assert not (tmp_path / "x").exists()
    assert shared.must_fail("cp", "a", "b").code == 2
    assert shared.must_fail("cp", tmp_path, f"{box}:").code == 1
    r = shared.must_fail("cp", f"{box}:src.bin", "/dev/full")
    assert "No space" in r.errtext
    assert sorted(os.listdir(tmp_path)) == ["back.bin", "src.bin"]


def test_cp_recursive(shared, box, tmp_path):
    tree = tmp_path / "tree"
    (tree / "sub" / "empty").mkdir(parents=True)
    (tree / "sub" / "file").write_text("text")
    (tree / ("n" * 120)).write_text("long name")
    (tree / "link").symlink_to("sub/file")
    (tree / "sub" / "file").chmod(0o600)
    shared.ok("cp", "-r", tree, f"{box}:")
    out = tmp_path / "out"
    out.mkdir()
    shared.ok("cp", "-r", f"{box}:tree", out)
    back = out / "tree"
    assert (back / "sub" / "file").read_text() == "text"
    assert (back / "sub" / "file").stat().st_mode & 0o777 == 0o600
    assert (back / ("n" * 120)).read_text() == "long name"
    assert os.readlink(back / "link") == "sub/file"
    assert (back / "sub" / "empty").is_dir()


# -- the rest

def test_logs_of_some_lines(shared, box):
    shared.ok("exec", box, "--", "sh", "-c", "echo red; echo green; echo blue")
    assert shared.ok("logs", box, "--grep", "^(red|blue)$").text == "red\nblue\n"
    line = shared.ok("logs", box, "--json", "--grep", "gr").json()
    assert line["line"] == "green" and line["stream"] == "stdout"
    assert shared.ok("logs", box, "-n", "1").text == "blue\n"
    assert shared.ok("logs", box, "-n", "0").text == ""


def test_logs_have_times_and_streams(shared, box):
    shared.ok("exec", box, "--", "sh", "-c", "echo out; echo err >&2")
    rows = shared.ok("logs", box, "-t").text.splitlines()
    times = [row.split(" ")[0] for row in rows]
    assert sorted(row.split(" ")[1] for row in rows) == ["err", "out"]
    assert all(re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", t)
               for t in times) and times == sorted(times)
    assert shared.ok("logs", box, "--stream", "stderr").text == "err\n"
    assert shared.ok("logs", box, "--stream", "pty").text == ""
    objects = [json.loads(x) for x in
               shared.ok("logs", box, "--json").text.splitlines()]
    assert sorted((o["stream"], o["line"]) for o in objects) == [
        ("stderr", "err"), ("stdout", "out")]
    assert [o["time"] for o in objects] == times
    assert shared.ok("logs", box, "--format", "{{stream}}:{{line}}",
                     "--stream", "stderr").text.strip() == "stderr:err"
    shared.exec(box, "echo terminal", tty=True, detach=True)
    svm.wait_for(lambda: "terminal" in shared.ok("logs", box).text,
                 "the terminal's output")
    assert shared.ok("logs", box, "--stream", "pty").text == "terminal\n"
    assert "terminal" in shared.ok("logs", box, "--since", times[-1]).text
    assert shared.ok("logs", box, "--since", "1h", "-n", "1").text.count(
        "\n") == 1
    assert shared.ok("logs", box, "--since", "2100-01-01T00:00:00Z").text == ""
    for bad in (("--since", "yesterday"), ("--since", "-5m"),
                ("--stream", "stdin")):
        r = shared.must_fail("logs", box, *bad)
        assert r.code == 2 and bad[1] in r.errtext, r


def test_timeout_of_all_commands(shared, box):
    """--timeout before the command is the caller's patience: the command is
    killed with its caller, and the sandbox of --rm goes too."""
    r = shared.must_fail("--timeout", "300ms", "exec", box, "--", "sleep", "31")
    assert r.code == 124 and "--timeout" in r.errtext
    show = "cat /proc/[0-9]*/cmdline | tr '\\0' ' '"
    svm.wait_for(lambda: "sleep 31" not in shared.ok(
        "exec", box, "--", "sh", "-c", show).text, "the end of the command")
    before = shared.ok("list", "-q").text
    r = shared.must_fail("--timeout", "1s", "spawn", "--rm", "--", "sleep", "31")
    assert r.code == 124
    assert shared.ok("list", "-q").text == before


def test_logs_and_events(shared, box):
    shared.ok("exec", box, "--", "sh", "-c",
              r"echo line-one; printf 'evil \033[31m\n'")
    text = shared.ok("logs", box, "--tail", "10").text
    assert "line-one" in text and "\033" not in text and "^[" in text
    events = [json.loads(x) for x in
              shared.ok("events", "--sandbox", box,
                        "--json").text.splitlines()]
    kinds = [e["type"] for e in events]
    assert kinds[0] == "sandbox.created" and "exec.completed" in kinds
    assert shared.ok("events", "--since", str(events[-1]["id"]), "--type",
                     "sandbox.created").text == ""


def test_events_and_logs_follow(shared, box):
    e = shared.popen("events", "-f", "--sandbox", box, "--since", "1h")
    assert b"sandbox.created" in e.stdout.readline()
    logs = shared.popen("logs", "-f", box)
    shared.ok("exec", box, "echo", "followed")
    while b"followed" not in logs.stdout.readline():
        pass
    while b"exec.completed" not in e.stdout.readline():
        pass
    for p in (e, logs):
        p.terminate()
        p.communicate()
        assert p.returncode == -signal.SIGTERM


def test_images(shared, tmp_path):
    if "images" not in next(
            x for x in shared.ok("provider", "ls", "--json").json()
            if x["name"] == shared.provider)["capabilities"]:
        pytest.skip(f"provider {shared.provider} has no images")
    root = tmp_path / "rootfs"
    (root / "etc").mkdir(parents=True)
    (root / "etc" / "motd").write_text("hello")
    assert "mini" in shared.ok("image", "import", root, "--name",
                               "mini").text
    assert "mini" in shared.ok("image", "ls").text
    with tarfile.open(tmp_path / "second.tar", "w") as t:
        t.add(root, arcname=".")
    shared.ok("image", "import", tmp_path / "second.tar")
    refs = shared.ok("image", "ls", "-q").text.split()
    assert len(refs) >= 2
    shared.ok("image", "rm", *refs)
    assert shared.ok("image", "ls", "--json").json() == []
    shared.ok("image", "prune", "-y")
    assert shared.must_fail("image", "rm", "nosuch").code == 3


def test_providers_doctor_bench(shared):
    names = [x["name"] for x in shared.ok("provider", "ls", "--json").json()]
    assert "mock" in names and "native" in names
    shared.ok("provider", "test", shared.provider)
    shown = shared.ok("provider", "show", shared.provider, "--json").json()
    assert shown["config"]["enabled"] is True and shown["healthy"] is True
    assert "capabilities" in shared.ok("provider", "show", "mock").text
    assert shared.must_fail("provider", "show", "a/b").code == 3
    assert shared.must_fail("provider", "test", "nosuch").code == 3
    assert shared.provider in shared.ok("doctor").text
    rows = shared.ok("bench", "-n", "2", "--json").json()
    assert all(row["n"] == 2 and row["median_ms"] > 0 for row in rows)


def test_config_and_version(shared):
    assert "30m" in shared.ok("config", "get", "defaults.ttl").text
    shared.ok("config", "path")
    bad = shared.home / "bad.yaml"
    bad.write_text("server:\n  prot: 1\n")
    r = shared.must_fail("config", "lint", bad)
    assert "prot" in r.errtext + r.text
    assert shared.ok("version").text.startswith("stacyvm ")


def test_hostile_names_reach_no_terminal(shared, box):
    evil = "/workspace/\x1b[2Jevil\u202e"
    shared.api("POST", f"/sandboxes/{box}/files",
               {"path": evil, "content": "x"}, check=200)
    for args in (("files", "ls", box), ("files", "glob", box, "/workspace/*")):
        text = shared.ok(*args).text
        assert "evil" in text and "\x1b" not in text and "\u202e" not in text
