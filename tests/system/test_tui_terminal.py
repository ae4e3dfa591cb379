# SPDX-License-Identifier: MIT
"""Real programs in the dashboard's live terminal."""
import hashlib
import os
import shutil
import socket
import subprocess

import pytest

import svm
from screen import DRIVER, RESTORED, Screen, drive
from terminal import Terminal
from test_tui_data import configure

OPEN = "send t\nwait TERMINAL\nwait leaves\nwait $\n"
LEAVE = f"send ^]\nwait left\nsend q\nexit 0\n{RESTORED}"


def needs(program):
    return pytest.mark.skipif(not shutil.which(program),
                              reason=f"no {program} on this host")


def resident_kb(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as f:
        return int(f.read().split("VmRSS:")[1].split()[0])


@needs("vim")
def test_vim(inst):
    inst.start()
    s = inst.sandbox()["id"]
    inst.exec(s, "seq -f 'line %g' 200 >/workspace/f")
    drive(inst, f"""
wait ▌ {s}
{OPEN}send vi -u NONE -N /workspace/f\\r
wait line 24
send G
wait line 200
send ggOtyped ^V\\x1b\\e:wq\\r
wait -N /workspace/f
send echo do''ne\\r
wait done
{LEAVE}""")
    r = inst.exec(s, "head -1 /workspace/f; wc -l </workspace/f")
    assert r.json()["stdout"] == "typed \x1b\n201\n"


@needs("less")
def test_less(inst):
    """Scrolls, searches, and gives the screen back."""
    inst.start()
    s = inst.sandbox()["id"]
    inst.exec(s, "seq -f 'line %g' 500 >/workspace/f")
    drive(inst, f"""
wait ▌ {s}
{OPEN}send echo be''fore; LESS= less /workspace/f\\r
wait line 24
gone before
send /line 333\\r
wait line 345
send g
wait line 1
gone line 345
send q
wait before
gone line 24
{LEAVE}""")


@needs("top")
def test_top(inst):
    inst.start()
    s = inst.sandbox()["id"]
    drive(inst, f"""
wait ▌ {s}
{OPEN}send top -d 1\\r
wait load average
wait PID
send q
wait $
send echo do''ne\\r
wait done
{LEAVE}""")


@needs("tmux")
def test_tmux(inst):
    """A terminal in a terminal: splits, and a resize reaches the innermost."""
    inst.start()
    s = inst.sandbox()["id"]
    drive(inst, f"""
wait ▌ {s}
{OPEN}send TMUX_TMPDIR=/tmp tmux -f /dev/null new 'sh -i'\\r
wait [0]
send ^B"
send stty size\\r
wait 12 76
size 24 120
send until stty size | grep -w 8; do :; done\\r
wait 8 76
send ^B&
wait (y/n)
send y
gone [0]
{LEAVE}""")


def test_size_on_four_paths(inst):
    """With -t, by itself, without a terminal, and in the dashboard."""
    inst.start()
    s = inst.sandbox()["id"]
    for argv in (["exec", "-t", s, "--", "stty", "size"],
                 ["shell", s]):
        with Screen(inst, *argv, size="31x97") as t:
            if argv[0] == "shell":
                t.step("wait $\nsend stty size\\r\n", "wait 31 97")
                t.step("size 20 50\nsend until stty size | grep 20; do :; done"
                     "\\r\n", "wait 20 50")
                t.end("send exit\\r\nexit 0\n")
            else:
                t.step("wait 31 97")
                t.end("exit 0\n")
    r = inst.run("exec", s, "--", "sh", "-c", "stty size; true")
    assert r.code == 0 and not r.text and "stty:" in r.errtext, r
    with Screen(inst, "tui") as t:
        t.step(f"wait ▌ {s}\n{OPEN}send stty size\\r\n", "wait 26 76")
        t.step("size 24 80\nsend until stty size | grep 18; do :; done\\r\n",
             "wait 18 78")
        t.end(LEAVE)


def test_no_path_has_a_size_of_zero(inst):
    """A terminal that says nothing about its size counts as 24x80: nothing in
    a sandbox sees a terminal of 0x0."""
    inst.start()
    s = inst.sandbox()["id"]
    size = "stty size"
    for argv in (["exec", "-t", s, "--", "sh", "-c", size], ["shell", s]):
        t = Terminal(inst, *argv, rows=0, cols=0)
        if argv[0] == "shell":
            t.expect(b"$ ")
            t.send(size.encode() + b"; exit\n")
        t.expect(b"24 80\r\n")
        t.rest()
        assert t.end() == 0
    # Input that comes from elsewhere is no reason either.
    r, w = os.pipe()
    os.write(w, size.encode() + b"; exit\n")
    os.close(w)
    t = Terminal(inst, "shell", s, rows=0, cols=0, stdin=r)
    os.close(r)
    text = t.rest()
    t.end()
    assert "0 0" not in text, text
    r = inst.run("exec", s, "--", "sh", "-c", size, input="x\n")
    assert "0 0" not in r.text and "stty:" in r.errtext, r
    t = Terminal(inst, "tui", rows=0, cols=0,
                 env={"TERM": "xterm-256color"})
    t.expect(s.encode())
    t.send(b"t")
    t.expect(b"leaves")
    t.expect(b"$")
    t.send(b"stty size | sed 's/^/is /'\r")
    t.expect(b"is 18 78")
    t.send(b"\x1d")
    t.expect(b"left")
    t.send(b"q")
    t.rest()
    assert t.end() == 0


def test_whoever_was_active_sets_the_size(inst):
    """Who was active last sets the size, and the other one says so."""
    inst.start()
    s = inst.sandbox()["id"]
    with Screen(inst, "tui") as t:
        t.step(f"wait ▌ {s}\n{OPEN}send echo he''re\\r\n", "wait here")
        [e] = inst.api("GET", f"/sandboxes/{s}/sessions").json()
        with Screen(inst, "attach", f"{s}/{e['id']}", size="20x50") as other:
            other.step("wait here")
            t.step("wait [another viewer 50x20]")
            other.step("size 21 51")
            t.step("wait [another viewer 51x21]",
                   "send stty size\\r\n", "wait 26 76",
                   "gone another viewer")
        inst.api("POST", f"/sandboxes/{s}/sessions/{e['id']}/resize",
                 {"cols": 44, "rows": 11}, check=200)
        t.step("wait [another viewer 44x11]")
        t.end("send ^]\nwait left\nsend q\nexit 0\n" + RESTORED)


def test_a_replay_is_not_answered(inst):
    """Whoever comes back types nothing by what was asked before."""
    inst.start()
    s = inst.sandbox()["id"]
    inst.exec(s, "cat >/workspace/ask <<'EOF'\nstty -echo -icanon\n"
                 "printf '\\033[c\\033[6n'\n"
                 "until [ \"$(dd bs=1 count=1 2>/dev/null)\" = R ]\n"
                 "do :; done\nstty sane\necho answ''ered\nEOF")
    with Screen(inst, "tui") as t:
        t.step(f"wait ▌ {s}\n{OPEN}send sh /workspace/ask\\r\n",
               "wait answered")
        t.end("send ^]", "wait left", "send q", "exit 0")
    with Screen(inst, "tui") as t:
        t.step(f"wait ▌ {s}\nsend t\nwait leaves\nwait answered\n",
               "send echo o''k >/workspace/did\\r\n")
        svm.wait_for(lambda: inst.exec(s, "cat /workspace/did").json()
                     ["stdout"] == "ok\n", "the command that was typed", 20)
        t.end("send ^]", "wait left", "send q", "exit 0")


def test_names_of_sessions(inst):
    """Numbers, a click makes a new one, and the name that attach needs."""
    inst.start()
    s = inst.sandbox()["id"]
    with Screen(inst, "tui") as t:
        t.step(f"wait ▌ {s}\n{OPEN}send echo fi''rst\r\n", "wait first",
               "wait TERMINAL s1* +new")
        [one] = inst.api("GET", f"/sandboxes/{s}/sessions", check=200).json()
        sid = one["id"]
        # Column 42 is the border of the files: TERMINAL begins at 44.
        t.step("send \\e[<0;58;4M\\e[<0;58;4m", "wait TERMINAL s1 s2* +new",
               "gone first", "wait $", "send ^]", "wait s2 is ex-",
               "send {", "wait first", f"wait s1 is {sid}")
        with Screen(inst, "attach", f"{s}/{sid}") as other:
            other.step("wait first", "send exit\\r", "exit 0")
        t.step("wait [exited 0 in")
        t.end("send q", "exit 0", RESTORED)


def test_paste(inst):
    """400 kB arrive as they are, though the program reads slowly."""
    inst.start()
    s = inst.sandbox()["id"]
    text = "".join(f"{i:06d} paste me, all of me, häns → 漢字\n"
                   for i in range(9000))
    data = text.encode()
    assert len(data) > 400_000
    # As many lines of the script as their length asks for.
    script = "".join(
        "send " + "".join(f"\\x{b:02x}" for b in data[i:i + 900]) + "\n"
        for i in range(0, len(data), 900))
    inst.exec(s, f"cat >/workspace/take <<'EOF'\nstty -echo -icanon\n"
                 f"echo rea''dy\nhead -c {len(data)} | sha256sum\nstty sane\n"
                 "EOF")
    drive(inst, f"""
wait ▌ {s}
{OPEN}send sh /workspace/take\\r
wait ready
send \\e[200~
{script}send \\e[201~
wait {hashlib.sha256(data).hexdigest()}
{LEAVE}""", seconds=60)


def test_much_output(inst):
    """100 MB go by; what is kept of it is bounded."""
    inst.start()
    s = inst.sandbox()["id"]
    with Screen(inst, "tui", seconds=110) as t:
        t.step(f"wait ▌ {s}\n{OPEN}send echo go''es\\r\n", "wait goes")
        before = resident_kb(t.pid())
        t.step("send yes $(seq 20) | head -c 100000000; echo; echo o''ver\\r\n",
             "wait over")
        grown = resident_kb(t.pid()) - before
        t.end("send echo al''ive\\r\nwait alive\n" + LEAVE)
    if not svm.SANITIZED:
        assert grown < 16 * 1024, f"{grown} kB more than before"


def test_long_lines_and_broken_utf8(inst):
    inst.start()
    s = inst.sandbox()["id"]
    inst.exec(s, r"head -c 1048576 /dev/zero | tr '\0' x >/workspace/long; "
                 r"i=0; while [ $i -lt 300 ]; do printf '\360\237\245\260"
                 r"\342\200\213\342\200\256\314\201\360\237'; i=$((i+1)); "
                 r"done >/workspace/cut")
    drive(inst, f"""
wait ▌ {s}
{OPEN}send cat /workspace/long /workspace/cut; printf '\\\\033[1;2;3;4;5;6;7;8;9;10;11;12;13;14;15;16;17;18m\\\\033[m'; clear; echo ov''er\\r
wait over
{LEAVE}""", seconds=60)


def test_wide_characters(inst):
    """Columns are where the program thinks they are."""
    inst.start()
    s = inst.sandbox()["id"]
    drive(inst, f"""
wait ▌ {s}
{OPEN}send clear; printf '漢字ab|\\\\r\\\\033[5Gc\\\\n'; echo do''ne\\r
wait done
wait 漢字cb|
{LEAVE}""")


def test_paste_nobody_reads(inst):
    """What can't be kept of it is counted on the screen."""
    inst.start()
    s = inst.sandbox()["id"]
    script = ("send " + "x" * 900 + "\n") * 3500
    drive(inst, f"""
wait ▌ {s}
{OPEN}send stty -icanon -echo; echo rea''dy; sleep 1000\\r
wait ready
send \\e[200~
{script}send \\e[201~
wait bytes not sent: it does not read
{LEAVE}""", seconds=40)


def test_mouse(inst):
    """A program that asks for the mouse gets clicks, in its own places."""
    inst.start()
    s = inst.sandbox()["id"]
    inst.exec(s, r"cat >/workspace/take <<'EOF'" "\n"
              r"stty -echo -icanon; printf '\033[?1000h\033[?1006hrea''dy\n'"
              "\n"
              r"head -c 9 | od -An -c | tr -d ' '; "
              r"printf '\033[?1000l'; stty sane" "\nEOF")
    # Column 42 is the border of the files: 44 is the terminal's second.
    drive(inst, f"""
wait ▌ {s}
{OPEN}send sh /workspace/take\\r
wait ready
send \\e[<0;45;10M\\e[<0;45;10m
wait [<0;2;6M
{LEAVE}""")


def test_scroll_back(inst):
    """By key and by wheel; what arrives meanwhile doesn't move the view."""
    inst.start()
    s = inst.sandbox()["id"]
    drive(inst, f"""
wait ▌ {s}
{OPEN}send seq -f 'line %g' 300\\r
wait line 300
send \\e[5;2~
wait scrollback
gone line 300
send \\e[<64;60;10M
wait scrollback -13
send echo ba''ck\\r
wait back
gone scrollback
{LEAVE}""")


def test_leave_key_twice_sends_it(inst):
    inst.start()
    s = inst.sandbox()["id"]
    drive(inst, f"""
wait ▌ {s}
{OPEN}send echo rea''dy; stty -echo -icanon; head -c 1 | od -An -tx1\\r
wait ready
send ^]^]
wait 1d
send stty sane\\r
{LEAVE}""")


def test_another_leave_key(inst):
    """Who needs ^] inside leaves by another key, which is what is shown."""
    inst.start()
    s = inst.sandbox()["id"]
    drive(inst, f"""
wait ▌ {s}
send t
wait ^T leaves
wait $
send echo rea''dy; stty -echo -icanon; head -c 1 | od -An -tx1\\r
wait ready
send ^]
wait 1d
send stty sane\\r
send ^T
wait left
send q
exit 0
{RESTORED}""", STACYVM_UI_LEAVE_KEY="^T")


def test_another_viewer(inst):
    """Two look at one session: both see it, and it goes on for either."""
    inst.start()
    s = inst.sandbox()["id"]
    with Screen(inst, "tui") as a:
        a.step(f"wait ▌ {s}\n{OPEN}send echo fi''rst\\r\n", "wait first")
        with Screen(inst, "tui", size="24x80") as b:
            b.step(f"wait ▌ {s}\nsend t\nwait TERMINAL\nwait leaves\n", "wait first")
            b.step("send echo sec''ond\\r\n", "wait second")
            a.step("wait second")
            b.end("send ^]\nwait left\nsend q\nexit 0\n")
        a.step("send echo th''ird\\r\n", "wait third")
        a.end(LEAVE)


def test_clipboard_and_title_stay_inside(inst):
    """What a sandbox sets is not set here: no OSC leaves the dashboard."""
    inst.start()
    s = inst.sandbox()["id"]
    inst.exec(s, r"printf '\033]52;c;ZXZpbA==\007\033]0;title\007"
                 r"\033]8;;http://evil/\007x\033]8;;\007\033P+q\033\\' "
                 ">/workspace/evil")
    out = os.path.join(inst.env["HOME"], "typescript")
    e = {**inst.env, "TERM": "xterm-256color", "LC_ALL": "C.UTF-8"}
    p = subprocess.run(
        [DRIVER, "-s", "32x120", "-t", "60", "-", "--", "script", "-qfc",
         f"{svm.STACYVM} tui", out], text=True, capture_output=True, env=e,
        input=f"wait ▌ {s}\n{OPEN}send cat /workspace/evil; echo do''ne\\r\n"
        "wait done\nsend ^]\nwait left\nsend q\nexit 0\n", timeout=90,
        check=False)
    assert p.returncode == 0, p.stderr
    with open(out, "rb") as f:
        sent = f.read()
    assert b"done" in sent
    for evil in (b"\x1b]52", b"\x1b]0;", b"\x1b]8", b"\x1bP", b"ZXZpbA"):
        assert evil not in sent


def test_copy_mode(inst):
    """Look back, search, select, copy: into a file of one's own."""
    inst.start()
    s = inst.sandbox()["id"]
    drive(inst, f"""
wait ▌ {s}
{OPEN}send seq -f 'line %g' 100\\r
wait line 100
send ^]
wait left
send [
wait COPY line
send ?line 42\\r
wait line 42
gone line 100
send Vj
wait selected 2 lines, 16 B
send y
wait copied 16 bytes
wait line 100
send q
wait no longer looking back; q again quits
send q
exit 0
{RESTORED}""")
    with open(os.path.join(inst.runtime, "clipboard"), encoding="ascii") as f:
        assert f.read() == "line 42\nline 43\n"


@needs("tmux")
def test_a_copy_for_a_tmux_that_hangs(inst, tmp_path):
    inst.start()
    s = inst.sandbox()["id"]
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "s"))
        server.listen()
        with Screen(inst, "tui", env={"TMUX": f"{tmp_path}/s,1,0"}) as t:
            t.end(f"wait ▌ {s}", "send y", "wait tmux doesn't answer", "send q",
                  "exit 0", RESTORED)


@needs("tmux")
def test_a_copy_is_in_tmux(inst, tmp_path):
    """In tmux it is in tmux's buffer too, and of no other server."""
    inst.start()
    s = inst.sandbox()["id"]
    sock = tmp_path / "sock"
    with Screen(inst, "tmux", "-S", sock, "-f", "/dev/null", "new-session",
                f"{inst.binary} tui; echo e''nded; read x", shell=True,
                env={"SHELL": "/bin/sh"}) as t:
        t.step(f"wait ▌ {s}\n{OPEN}send seq -f 'line %g' 100\\r\n"
               "wait line 100\nsend ^]\nwait left\nsend [\n"
               "wait COPY line\nsend ?line 42\\r\ngone line 100\n"
               "send Vj\nwait selected 2 lines, 16 B\nsend y\n"
               "wait copied 16 bytes\n")
        shown = subprocess.run(["tmux", "-S", sock, "show-buffer"],
                               capture_output=True, text=True, check=True)
        assert shown.stdout == "line 42\nline 43\n"
        t.end("send q", "wait q again quits", "send q", "wait ended",
              "send \\r", "exit 0")


def test_a_copy_too_large_for_the_terminal(inst):
    """It is said where it is instead."""
    inst.start()
    s = inst.sandbox()["id"]
    drive(inst, f"""
wait ▌ {s}
{OPEN}send seq -f '%060.0f' 2000\\r
wait 0002000
send ^]
wait left
send [
wait COPY line
send ggVG
wait selected 200
send y
wait bytes, too many for the terminal: they are in {inst.runtime}/clipboard
send q
wait q again quits
send q
exit 0
{RESTORED}""", size="32x200")
    with open(os.path.join(inst.runtime, "clipboard"), encoding="ascii") as f:
        assert f.read().count("\n0") >= 1999


def test_read_only_watches(inst):
    """It sees what others do there, types nothing, begins nothing, and leaves
    the size alone; the daemon sees to it."""
    inst.start()
    s = inst.sandbox()["id"]
    with Screen(inst, "tui", size="24x90") as writer, \
            Screen(inst, "tui", "--read-only", size="30x120") as reader:
        writer.step(f"wait ▌ {s}", *OPEN.splitlines(),
                    "send echo be''fore\\r", "wait before")
        [e] = inst.api("GET", f"/sandboxes/{s}/sessions").json()
        reader.step(f"wait ▌ {s}", "wait READ-ONLY", "send t",
                    "wait [read only]", "wait before", "wait leaves",
                    "send echo hel''lo\\r", "wait nothing is typed here",
                    "send z", "wait nothing is typed here")
        writer.step("send echo af''ter; stty size\\r", "wait after")
        reader.step("wait after", "gone hello", "send ^]", "wait left",
                    "send T", "wait new-terminal changes something",
                    "send X", "wait close-session changes something")
        [same] = inst.api("GET", f"/sandboxes/{s}/sessions").json()
        assert (same["id"], same["rows"], same["cols"]) == \
            (e["id"], e["rows"], e["cols"])
        # Changes allowed, the same keys arrive.
        reader.step("send :read-only\\r", "wait ALLOW CHANGES?",
                    "send write\\r", "wait changes are allowed",
                    "send 3", "gone [read only]", "send echo al''so\\r",
                    "wait also")
        writer.step("wait also")
        reader.end("send ^]", "wait left", "send q", "exit 0", RESTORED)
        writer.end("send ^]", "wait left", "send q", "exit 0", RESTORED)


def test_reconnecting_counts(inst):
    """For as long as the daemon is away."""
    inst.start()
    s = inst.sandbox()["id"]
    with Screen(inst, "tui", seconds=60) as t:
        t.step(f"wait ▌ {s}", *OPEN.splitlines())
        inst.kill_daemon()
        for _ in range(2):
            t.step("wait [reconnecting ")
            [line] = [x for x in t.step("snap") if "[reconnecting" in x]
            now = line.split("[reconnecting ")[1].split("]")[0]
            t.step(f"gone [reconnecting {now}]")
        inst.start()
        t.end("wait live", "gone [reconnecting", "send echo af''ter\\r",
              "wait after", "send ^]", "wait left", "send q", "exit 0")


@pytest.mark.parametrize("size", ["50x200", "24x80", "16x60", "12x40"])
def test_line_of_the_zoomed_terminal(inst, size):
    """The keys as they are bound, and the one that leaves at any width."""
    inst.start()
    s = inst.sandbox()["id"]
    configure(inst, "keys:\n  left:\n    restart: F5\n"
                    "  terminal:\n    leave: ^G\n")
    drive(inst, f"""
wait {s[:9]}
send 2t
wait ^G leaves
wait $
send ^G
wait left
send z
wait Enter back
send \\r
wait ^G leaves
send exit 3\\r
wait [exited 3
{"" if size == "12x40" else "wait F5 restart"}
wait ^G leaves
send ^G
wait Enter back
send q
exit 0
{RESTORED}""", size=size)


def test_left_goes_with_the_next_key(inst):
    inst.start()
    s = inst.sandbox()["id"]
    drive(inst, f"""
wait ▌ {s}
{OPEN}send ^]
wait left; ^] sends the key itself
send {{
gone sends the key itself
wait left: Enter goes back
send q
exit 0
{RESTORED}""")
