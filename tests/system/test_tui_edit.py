# SPDX-License-Identifier: MIT
"""The dashboard's editor, on real files of a sandbox."""
import glob
import os
import signal

import pytest

import svm
from screen import RESTORED, Screen, drive

# Bytes that are no text, lines that end in CR LF, none at the end.
TEXT = b"first\r\n\xff\xfe\x1b[31mred\x00\r\nlast"

OPEN = "send f\nwait FILES /workspace\nwait main.py\n"


def write(inst, s, data, path="/workspace/main.py", mode="0755"):
    inst.api("PUT", f"/sandboxes/{s}/files?path={path}&mode={mode}", data)


def read(inst, s, path="/workspace/main.py"):
    return inst.api("GET", f"/sandboxes/{s}/files?path={path}").body


def test_bytes_stay(inst):
    """One line is added; every other byte is as it was, and so is the mode."""
    inst.start()
    s = inst.sandbox()["id"]
    write(inst, s, TEXT)
    drive(inst, f"""
wait ▌ {s}
{OPEN}send i
wait ● WRITE
wait \\xff\\xfe^[[31mred^@
send otyped
wait INSERT
wait 2:6  CRLF  no newline at end  modified
send \\e:wq\\r
wait saved main.py
gone ● WRITE
send q
exit 0
{RESTORED}""")
    assert read(inst, s) == TEXT.replace(b"first\r\n", b"first\r\ntyped\r\n")
    r = inst.exec(s, "stat -c %a /workspace/main.py")
    assert r.json()["stdout"] == "755\n"


def test_conflict(inst):
    inst.start()
    s = inst.sandbox()["id"]
    write(inst, s, b"one\n")
    with Screen(inst, "tui") as t:
        t.step(f"wait ▌ {s}\n{OPEN}send i\nwait ● WRITE\nsend x\nwait modified\n")
        write(inst, s, b"another's\n")
        t.step("send ^S\nwait WAS CHANGED BY ANOTHER\nsend v\n"
               "wait -another's\nsend \\e\ngone -another's\nsend \\r\n"
               "gone CHANGED BY\n")
        assert read(inst, s) == b"another's\n"
        t.step("send ^S\nwait WAS CHANGED BY ANOTHER\nsend o\n"
               "wait saved main.py\n")
        assert read(inst, s) == b"ne\n"
        t.end("send ^O\ngone ● WRITE\nsend q\nexit 0\n" + RESTORED)


def drafts(inst):
    return glob.glob(os.path.join(inst.env["STACYVM_STATE_DIR"],
                                  "drafts", "*"))


def test_unsaved_survives_the_terminal(inst):
    """Ended by force, nobody can be asked: the text is in a draft."""
    inst.start()
    s = inst.sandbox()["id"]
    write(inst, s, b"one\n")
    with Screen(inst, "tui") as t:
        t.step(f"wait ▌ {s}\n{OPEN}send i\nwait ● WRITE\nsend onever saved\n",
               "wait modified")
        os.kill(t.pid(), signal.SIGHUP)
        t.end("wait your text is in\n"
              f"exit {128 + signal.SIGHUP}\n{RESTORED}")
    [draft] = drafts(inst)
    with open(draft, "rb") as f:
        assert f.read() == b"one\nnever saved\n"
    assert os.stat(draft).st_mode & 0o777 == 0o600
    assert read(inst, s) == b"one\n"


@pytest.mark.parametrize("signo", [signal.SIGKILL, signal.SIGSEGV])
def test_killed_while_editing(inst, signo):
    """Nobody can say or do anything: what was typed is offered again, to the
    byte, and gone for good once it is saved."""
    inst.start()
    s = inst.sandbox()["id"]
    write(inst, s, TEXT)
    want = TEXT.replace(b"first\r\n", b"first\r\nnever saved\r\n")
    opened = f"wait ▌ {s}\n{OPEN}send i\nwait ● WRITE\n"

    def is_kept():
        names = drafts(inst)
        return names and open(names[0], "rb").read() == want
    with Screen(inst, "tui") as t:
        t.step(opened, "send onever saved\nwait modified")
        svm.wait_for(is_kept, "a draft")
        os.kill(t.pid(), signo)
        t.end(f"exit {128 + signo}\n")
    [draft] = drafts(inst)
    assert os.stat(draft).st_mode & 0o777 == 0o600
    assert read(inst, s) == TEXT
    with Screen(inst, "tui") as t:
        t.step(opened, "wait A DRAFT FROM\nsend v\nwait +never saved\n"
               "send \\e\ngone +never saved\nsend r\nwait modified")
        [draft] = drafts(inst)  # until it is saved
        t.end("send ^S\nwait saved main.py\nsend ^O\ngone ● WRITE\nsend q\n"
              f"exit 0\n{RESTORED}")
    assert read(inst, s) == want
    assert not drafts(inst)


def test_daemon_gone(inst):
    """A save that fails loses nothing, and works once there is a daemon."""
    inst.start()
    s = inst.sandbox()["id"]
    write(inst, s, b"one\n")
    with Screen(inst, "tui", env={"STACYVM_NO_AUTOSTART": "1"}) as t:
        t.step(f"wait ▌ {s}\n{OPEN}send i\nwait ● WRITE\nsend x\nwait modified\n")
        inst.kill_daemon()
        t.step("wait no daemon\nsend ^S\nwait not saved\n")
        [draft] = drafts(inst)
        inst.start()
        t.step("wait live\nsend ^S\nwait saved main.py\n")
        assert read(inst, s) == b"ne\n"
        assert not os.path.exists(draft)
        t.end("send ^O\ngone ● WRITE\nsend q\nexit 0\n" + RESTORED)


def test_paste_and_mouse(inst):
    inst.start()
    s = inst.sandbox()["id"]
    write(inst, s, b"one\ntwo\n")
    # Column 42 is the border of the files; seven are the number's.
    drive(inst, f"""
wait ▌ {s}
{OPEN}send i
wait ● WRITE
send \\e[<0;52;6M\\e[<0;52;6m
wait 2:2
send \\e[200~dd\\r:q!\\r\\e[201~
wait modified
send ^S
wait saved main.py
send \\e\\e
gone ● WRITE
send q
exit 0
""")
    assert read(inst, s) == b"one\ntdd\n:q!\nwo\n"


def test_read_only(inst):
    inst.start()
    s = inst.sandbox()["id"]
    write(inst, s, b"one\n")
    drive(inst, f"""
wait ▌ {s}
{OPEN}send i
wait read-only
send \\r
wait 1 one
send i
wait read-only
gone ● WRITE
send q
exit 0
""", "--read-only")


def test_paging(inst):
    """A file of any size: its end, its middle and what is searched for are
    there at once, and the whole of it never is."""
    inst.start()
    s = inst.sandbox()["id"]
    inst.exec(s, "seq -f 'line %.0f' 3000000 >/workspace/main.py; "
                 "truncate -s 3G /workspace/hole")
    with Screen(inst, "tui", seconds=60) as t:
        t.step(f"wait ▌ {s}\n{OPEN}send j\\r\nwait 1 line 1\n"
               "send G\nwait line 3000000\n"
               "send %50%\\r\nwait line 15\nwait 50%\n"
               "send g/line 2000000\\r\nwait line 2000000\n"
               "send /3000000\\r\nwait line 3000000\n"
               "send /line 77\\r\nwait line 77\n"
               "send /not there\\r\nwait not there is not in it\n"
               "send i\nwait over 2 MiB\n"
               "send \\e\nwait nothing opened\nsend k\\r\nwait 00000000\n"
               "send %0xbffffff0\\r\nwait bffffff0\n")
        with open(f"/proc/{t.pid()}/status", encoding="ascii") as f:
            kb = int(f.read().split("VmRSS:")[1].split()[0])
        assert kb < 64 << 10 or svm.SANITIZED
        t.end("send q\nexit 0\n" + RESTORED)
