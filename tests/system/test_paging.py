# SPDX-License-Identifier: MIT
"""What is longer than the screen goes through the user's pager."""
import subprocess

import pytest
from terminal import Terminal
import svm

MARKS = "sh -c 'echo PAGED; cat'"


def on_tty(inst, *args, code=0, env=None, **size):
    """All that a subcommand writes to a terminal that can."""
    t = Terminal(inst, *args, env={"TERM": "xterm-256color", **(env or {})},
                 **size)
    text = t.rest()
    assert t.end() == code, text
    return text


def test_less_shows_it_and_leaves_the_terminal_as_it_was(shared):
    t = Terminal(shared, "help", env={"TERM": "xterm-256color"}, rows=14)
    t.expect(b"disposable sandboxes")
    t.expect(b":")
    assert b"Options of all" not in t.text
    # Ctrl-C is less's: it goes on, and so do we.  What is typed with it may
    # be dropped.
    t.send(b"\x03")
    svm.wait_for(lambda: t.send(b" ") or b"Options of all" in t.now(),
                 "the next pages")
    assert t.p.poll() is None
    t.send(b"q")
    t.rest()
    assert t.end() == 0


def test_what_fits_is_printed_and_that_is_all(shared):
    text = on_tty(shared, "list", "--filter", "id=sb-none", rows=24)
    assert "ID  NAME" in text and "(END)" not in text


@pytest.mark.parametrize("args", [
    ("list",), ("list", "--json"), ("inspect", "BOX"), ("logs", "BOX"),
    ("events",), ("events", "--json"), ("audit", "ls"), ("audit", "export"),
    ("template", "ls"), ("image", "ls"), ("provider", "ls"),
    ("provider", "show", "mock"), ("quota", "ls"), ("config", "get"),
    ("daemon", "logs"), ("doctor",), ("completion", "bash"), (),
    ("help",), ("help", "spawn"), ("help", "keys"), ("help", "env"),
    ("spawn", "--help"), ("files", "ls", "BOX"),
    ("files", "glob", "BOX", "/*"), ("files", "cat", "BOX", "a"),
    ("tui", "--print-keys"), ("console", "-c", "list"),
], ids=" ".join)
def test_what_is_paged(shared, box, args):
    args = [box if a == "BOX" else a for a in args]
    shared.ok("files", "write", box, "a", input="a\n")
    assert "PAGED\n" in on_tty(shared, *args, env={"PAGER": MARKS})


@pytest.mark.parametrize("args", [
    ("version",), ("spawn", "--json", "--ttl", "1m"),
    ("exec", "BOX", "true"), ("daemon", "status"), ("prune", "--yes"),
    ("logs", "-f", "BOX"), ("events", "-f", "--timeout", "1s"),
    ("list", "--watch", "--timeout", "1s"), ("top", "-n", "1"),
], ids=" ".join)
def test_what_is_not_paged(shared, args):
    box = shared.spawn("--ttl", "2s") if "-f" in args else shared.spawn()
    args = [box if a == "BOX" else a for a in args]
    t = Terminal(shared, *args, env={"TERM": "xterm-256color",
                                     "PAGER": MARKS})
    text = t.rest()
    t.end()
    assert "PAGED" not in text
    shared.run("kill", box)


@pytest.mark.parametrize("env", [
    {"PAGER": ""}, {"PAGER": "cat"}, {"STACYVM_PAGER": "", "PAGER": MARKS},
    {"TERM": "dumb", "PAGER": MARKS}, {"TERM": "", "PAGER": MARKS},
    {"ACCESSIBLE": "1", "PAGER": MARKS},
], ids=str)
def test_when_there_is_no_pager(shared, env):
    assert "PAGED" not in on_tty(shared, "help", env=env)


def test_no_pager_but_for_a_person(shared):
    env = {"TERM": "xterm-256color", "PAGER": MARKS}
    assert "PAGED" not in on_tty(shared, "--no-pager", "help", env=env)
    assert "PAGED" not in on_tty(shared, "help", "--no-pager", env=env)
    assert "PAGED" not in shared.ok("help", env=env).text
    t = Terminal(shared, "help", env=env, stdin=subprocess.DEVNULL)
    assert "PAGED" not in t.rest()
    t.end()


def test_which_pager(shared, tmp_path):
    seen = tmp_path / "seen"
    script = tmp_path / "pager"
    script.write_text(f"#!/bin/sh\nenv >{seen}\ncat\necho \"args $*\"\n")
    script.chmod(0o755)
    env = {"PAGER": "false", "STACYVM_PAGER": f"{script} -x 'a b'"}
    text = on_tty(shared, "list", "--api-key", "very-secret", env=env)
    assert "ID " in text and "args -x a b\n" in text
    assert "LESS=FRX\n" in seen.read_text()
    assert "very-secret" not in seen.read_text()
    on_tty(shared, "list", env={**env, "LESS": "-S"})
    assert "LESS=-S\n" in seen.read_text()


@pytest.mark.parametrize("name", ["no-such-program -x", "/etc/passwd"])
def test_a_pager_that_can_not_be_run_loses_nothing(shared, name):
    text = on_tty(shared, "help", "exit-codes", env={"PAGER": name})
    assert "interrupted\n" in text


def test_no_less_is_no_matter(shared, tmp_path):
    (tmp_path / "cat").symlink_to("/bin/cat")
    text = on_tty(shared, "help", "exit-codes", env={"PATH": str(tmp_path)})
    assert "interrupted\n" in text and ": not found" not in text


def test_who_leaves_early_is_no_failure(shared, box):
    shared.ok("files", "write", box, "big", input="line\n" * 400000)
    for args in (("files", "cat", box, "big"), ("help",)):
        text = on_tty(shared, *args, env={"PAGER": "head -n 1"})
        assert len(text.splitlines()) == 1, text


def test_waiting_is_not_told_over_the_pager(inst):
    inst.start()
    box = inst.sandbox(name="web")["id"]
    # More than a pipe holds, and little enough to be sent before it is read.
    inst.ok("files", "write", box, "big", input="line\n" * 20000)
    pid = inst.daemon_pid()
    text = on_tty(inst, "files", "cat", "web", "big", "big", env={
        "PAGER": f"sleep 0.2; kill -STOP {pid}; (sleep 1; kill -CONT {pid}) & "
                 "cat >/dev/null; wait; echo READ"})
    assert "READ" in text and "waiting" not in text, text


def test_the_status_is_the_command_s_own(shared, box):
    text = on_tty(shared, "inspect", box, "sb-00000000", code=3,
                  env={"PAGER": "sh -c 'cat; echo END; exit 9'"})
    # The error comes when the pager has left the screen.
    assert text.index("END") < text.index("stacyvm: ")
    assert on_tty(shared, "list", env={"PAGER": "sh -c 'cat; exit 9'"})
    assert "Commands:" in on_tty(shared, "files", code=2,
                                 env={"PAGER": "sh -c 'cat; exit 9'"})


def test_a_table_is_as_wide_as_the_screen(shared):
    sid = shared.spawn("--name", "n" * 50)
    env = {"PAGER": "cat -u"}
    text = on_tty(shared, "list", env=env, cols=70)
    assert all(len(line) <= 80 for line in text.splitlines()), text
    assert "n~" in text and "\x1b[32mrunning" in text
    assert "\x1b[" not in on_tty(shared, "list",
                                 env={**env, "NO_COLOR": "1"})
    shared.ok("kill", sid)


def test_a_signal_leaves_no_pager_behind(shared, box):
    """Who is killed while somebody reads waits for the reader: two can't read
    one terminal."""
    shared.ok("files", "write", box, "big", input="line\n" * 400000)
    t = Terminal(shared, "files", "cat", box, "big",
                 env={"TERM": "xterm-256color",
                      "PAGER": "sh -c 'echo PAGED; read x </dev/tty; "
                               "echo ENDED'"})
    t.expect(b"PAGED")
    t.p.terminate()
    with pytest.raises(subprocess.TimeoutExpired):
        t.p.wait(0.5)
    t.send(b"\n")
    t.expect(b"ENDED")
    assert t.end() == -15


def test_files_on_a_terminal_are_text(shared, box):
    """What a program in there wrote can't act on the terminal; a pipe gets
    the bytes."""
    evil = "\x1b]0;title\x07\x1b[2Jred\u202ecod\x9b1m caf\u00e9\n"
    shared.ok("files", "write", box, "evil", input=evil)
    for env in ({}, {"PAGER": "cat"}, {"PAGER": "cat -u"}):
        text = on_tty(shared, "files", "cat", box, "evil", env=env)
        for bad in "\x07\u202e\x9b":
            assert bad not in text
        assert "^[[2Jred\\u{202e}cod\\u{9b}1m caf\u00e9" in text
    assert shared.ok("files", "cat", box, "evil").text == evil
    # A character that comes in two pieces is one.
    shared.ok("files", "write", box, "wide", input="a" + "\u00e9" * 200000)
    text = on_tty(shared, "files", "cat", box, "wide", env={"PAGER": "cat"})
    assert text == "a" + "\u00e9" * 200000


def test_json_of_hostile_names_reaches_no_terminal(shared, box):
    evil = "/workspace/\x7f\x9b2Jevil\u202e"
    shared.api("POST", f"/sandboxes/{box}/files",
               {"path": evil, "content": "x"}, check=200)
    for args in (("files", "ls", box, "--json"),
                 ("files", "glob", box, "/workspace/*", "--json")):
        r = shared.ok(*args)
        assert not set("\x7f\x9b\u202e") & set(r.text)
        assert any(evil.endswith(x if isinstance(x, str) else x["name"])
                   for x in r.json())
