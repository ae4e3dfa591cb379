# SPDX-License-Identifier: MIT
"""Job control: what has taken the terminal is stopped, continued and ended by
a shell (leader.py)."""
import os
import signal
import sys

import pytest

import svm
from screen import RESTORED, Screen
from test_tui_data import configure

LEADER = os.path.join(os.path.dirname(__file__), "leader.py")

# What each shows when it is there, and what leaves it.
PROGRAMS = {
    "tui": (["tui"], "FLEET", "send q"),
    "list": (["list", "--watch"], "q quit", "send q"),
    "top": (["top"], "q quit", "send q"),
    "console": (["console"], "stacyvm>", "send ^D"),
    "exec": (["exec", "-it", "a", "--", "sh", "-c",
              "echo re''ady; read x; echo $x$x; read x </workspace/f; echo $x$x; "
              "exec cat"], "ready", "send ^D"),
    "spawn": (["spawn", "--rm", "-it", "--", "sh", "-c",
               "echo re''ady; read x; echo $x$x; exec cat"], "ready", "send ^D"),
}


def begin(inst, name, place="fg"):
    """Of both: the screen, and the leader's process."""
    argv, shown, _ = PROGRAMS[name]
    inst.exec(inst.sandbox(name="a")["id"], "mkfifo f")
    s = Screen(inst, sys.executable, "-B", LEADER, place, inst.binary, *argv,
               shell=True)
    if place == "bg":
        s.step("wait [1] stopped SIGTSTP")
    elif name == "tui":
        s.step("wait live", "send 2", f"wait {shown}")
    else:
        s.step(f"wait {shown}")
    return s, s.pid()


def stop(s, leader, how):
    if how == "^Z":
        s.step("send ^Z")
    else:
        os.kill(leader, signal.SIGUSR2)
    s.step("wait [1] stopped")


STOPS = [("tui", "^Z"), ("tui", "STOP"), ("list", "^Z"), ("list", "STOP"),
         ("top", "^Z"), ("console", "^Z"), ("console", "STOP"),
         ("exec", "STOP"), ("spawn", "STOP")]


# In front of the dashboard, with the terminal as the shell had it: the keys
# that bring each, and what is typed there.
IN_FRONT = {
    "editor": (["send f", "wait 0644", "send e", "wait your turn"],
               ["send here\\r", "wait herehere", "send ^D",
                "wait saved /workspace/e"]),
    "command": (["send \\e[17~", "wait your turn"],
                ["send here\\r", "wait herehere", "send ^D",
                 "wait FLEET"]),
    "enter": (["send \\e[18~", "wait Enter goes back"], ["send \\r", "wait FLEET"]),
}


@pytest.mark.parametrize("then", ["fg", "TERM"])
@pytest.mark.parametrize("what", IN_FRONT)
def test_what_is_in_front_of_the_dashboard_is_stopped(inst, tmp_path, what,
                                                      then):
    """^Z is for both, and the dashboard has heard of none afterwards."""
    turn = tmp_path / "turn"
    turn.write_text('#!/bin/sh\necho your turn\n'
                    'while read x; do echo $x$x; done\n'
                    '[ -z "$1" ] || echo mine >>"$1"\n')
    turn.chmod(0o755)
    inst.env["VISUAL"] = str(turn)
    configure(inst, f"""
commands:
  turn: {{key: F6, run: [{turn}]}}
  fail: {{key: F7, run: [sh, -c, 'exit 7']}}
""")
    inst.start()
    s, leader = begin(inst, "tui")
    inst.exec("a", "echo old >e; chmod 644 e")
    begins, goes_on = IN_FRONT[what]
    with s:
        s.step(*begins, "send ^Z", "wait [1] stopped SIGTSTP")
        # A read of the terminal that hasn't been yet takes what comes next.
        svm.wait_for(lambda: all_stopped(inst, leader), "all of it to stop")
        if then == "TERM":
            s.end("send TERM\\r", "wait [2] ended 143, modes as before",
                  RESTORED, "exit 0")
            return
        s.step("send fg\\r", *goes_on, "prop alt 1")
        s.end("send q", "wait [2] ended 0, modes as before", RESTORED,
              "exit 0")


@pytest.mark.parametrize("sig", ["TERM", "HUP"])
@pytest.mark.parametrize("name,how", STOPS)
def test_what_is_stopped_is_ended(inst, name, how, sig):
    """kill %1 of what was stopped, and is continued in the background."""
    inst.start()
    s, leader = begin(inst, name)
    with s:
        stop(s, leader, how)
        code = 128 + getattr(signal, "SIG" + sig)
        s.end(f"send {sig}\\r", f"wait [2] ended {code}, modes as before",
              RESTORED, "exit 0")


@pytest.mark.parametrize("name", PROGRAMS)
def test_begun_in_the_background_it_is_ended(inst, name):
    inst.start()
    s, _ = begin(inst, name, "bg")
    with s:
        s.end("send TERM\\r", "wait [2] ended 143, modes as before",
              RESTORED, "exit 0")


@pytest.mark.parametrize("name", ["tui", "list", "console", "spawn"])
def test_begun_in_the_background_it_comes_to_the_front(inst, name):
    """It takes the terminal then."""
    inst.start()
    _, shown, leave = PROGRAMS[name]
    s, _ = begin(inst, name, "bg")
    with s:
        s.step("send fg\\r")
        if name == "tui":
            s.step("wait live", "send 2")
        s.step(f"wait {shown}")
        if name == "spawn":
            s.step("send here\\r", "wait herehere")
        s.end(leave, "wait [2] ended 0, modes as before", RESTORED, "exit 0")


def test_a_command_of_the_console_is_ended_with_it(inst):
    inst.start()
    s, _ = begin(inst, "console")
    with s:
        s.step("send top\\r", "wait q quit", "send ^Z",
               "wait [1] stopped SIGTSTP", "send bg\\r",
               "wait [2] stopped SIGTSTP", "gone q quit", "send fg\\r",
               "wait q quit", "send ^Z", "wait [3] stopped SIGTSTP")
        s.end("send TERM\\r", "wait [4] ended 143, modes as before",
              RESTORED, "exit 0")


@pytest.mark.parametrize("name", PROGRAMS)
def test_in_the_background_it_stops_again(inst, name):
    """Nothing is painted there, and fg brings it back, with its modes."""
    inst.start()
    s, leader = begin(inst, name)
    _, shown, leave = PROGRAMS[name]
    with s:
        stop(s, leader, "STOP")
        s.step("send bg\\r", "wait [2] stopped SIGTSTP", f"gone {shown}",
               "send bg\\r", "wait [3] stopped SIGTSTP", f"gone {shown}",
               "send fg\\r")
        if name in ("exec", "spawn"):
            s.step("send here\\r", "wait herehere")
        else:
            s.step(f"wait {shown}")
        if name == "exec":
            inst.exec("a", "echo more >/workspace/f")
            s.step("wait moremore")
        s.end(leave, "wait [4] ended 0, modes as before", RESTORED, "exit 0")


@pytest.mark.parametrize("name", ["tui", "list", "exec"])
def test_whose_terminal_is_taken_paints_no_more(inst, name):
    """Nobody has stopped it, or says that it isn't in front any more."""
    inst.start()
    s, leader = begin(inst, name)
    with s:
        if name == "exec":
            s.step("send here\\r", "wait herehere")
        os.kill(leader, signal.SIGUSR1)
        svm.wait_for(lambda: in_front(leader), "the leader in front")
        if name == "exec":
            inst.exec("a", "echo more >/workspace/f")
        else:
            inst.sandbox(name="another")
        new = "moremore" if name == "exec" else "another"
        s.step("wait [1] stopped SIGTSTP", f"gone {new}", "send fg\\r",
               f"wait {new}")
        s.end(PROGRAMS[name][2], "wait [2] ended 0, modes as before",
              RESTORED, "exit 0")


def all_stopped(inst, leader):
    """Whether its job is, and what that has started."""
    job, = inst.children_of(leader)
    return all(svm.processes()[pid][1] == "T"
               for pid in [job, *inst.children_of(job)])


def in_front(pid):
    """Whether the foreground of its terminal is its process group."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return fields[2] == fields[5]
