# SPDX-License-Identifier: MIT
"""The dashboard: the real program on a terminal that libvterm reads."""
import os
import signal
import subprocess
import tarfile
import termios
import time

import pytest

import svm
from screen import DRIVER, RESTORED, Screen, drive

def test_without_a_terminal_says_what_to_do(shared):
    r = shared.must_fail("tui")
    assert "must be a terminal" in r.errtext
    for way in ("stacyvm tui --dump", "list --json", "list --watch"):
        assert way in r.errtext, r


def dump(inst, *args, rows=30, cols=120, **env):
    r = inst.ok("tui", "--dump", *args,
                env={"LINES": str(rows), "COLUMNS": str(cols), **env})
    return r.text


def test_dash_shows_what_there_is(inst):
    inst.start()
    s = inst.sandbox(name="web", metadata={"task": "ci"})
    for rows, cols in ((50, 200), (40, 120), (24, 80), (16, 60)):
        text = dump(inst, rows=rows, cols=cols)
        assert s["id"] in text and "run" in text, text
        assert len(text.splitlines()) <= rows
        assert max(map(len, text.splitlines())) <= cols
    for cols, said in ((44, "stacyvm: window too small (44x9), need 40x10"),
                       (38, "window too small (38x9), need 40x10"),
                       (30, "window too small, need 40x10"),
                       (12, "need 40x10")):
        assert dump(inst, rows=9, cols=cols).strip() == said
    assert all(ord(c) < 128 for c in dump(inst, "--ascii"))


def test_live_from_events(inst):
    """Nothing is asked for again: sandboxes come and go by themselves."""
    inst.start()
    with Screen(inst, "tui") as t:
        t.step("wait no sandboxes")
        s = inst.sandbox(name="comes")
        t.end(f"wait {s['id']}", "wait comes", "send q", "exit 0", RESTORED)


def test_filter_and_inspect(inst):
    inst.start()
    a = inst.sandbox(name="alpha", metadata={"task": "ci"})["id"]
    b = inst.sandbox(name="beta")["id"]
    drive(inst, f"""
wait {a}
send 2
wait FLEET
send /alph
gone {b}
send \\r
wait filter: alph
send \\e
wait {b}
send /task=ci\\r
gone {b}
send i]
wait [Stats]
send ]]
wait [Net]
wait none is reached from outside
send ]
wait [Posture]
send ]
wait "id"
send q
exit 0
{RESTORED}""")


def test_leaving_says_what_goes_on(inst):
    """Also that what was cancelled by it does not."""
    inst.start()
    inst.sandbox(name="stays")
    inst.api("POST", "/templates", {"name": "slow", "image": "host",
                                    "setup": ["sleep 1000"]}, check=201)
    drive(inst, f"""
wait stays
send s
wait = stacyvm spawn
send \\e[Aslow^S
wait now  command 1 of 1
send \\e
wait ◐ setup 1/1
send q
wait it is cancelled
send y
exit 0
{RESTORED}
wait 1 sandbox goes on running: stacyvm list
""")
    svm.wait_for(lambda: [s["name"] for s in inst.api(
        "GET", "/sandboxes").json()] == ["stays"], "the other to go")


def test_spawn_by_form(inst):
    inst.start()
    drive(inst, """
wait no sandboxes
send s
wait = stacyvm spawn
send \\tformed
wait = stacyvm spawn --name formed
send ^S
gone = stacyvm
wait runs after
wait formed
send q
exit 0
""")
    names = [s["name"] for s in inst.api("GET", "/sandboxes").json()]
    assert names == ["formed"]


def test_the_command_of_the_form_does_the_same(inst):
    """It is taken from the screen and given to a shell."""
    inst.start()
    with Screen(inst, "tui") as t:
        t.step("wait no sandboxes", "send s", "wait = stacyvm spawn",
               "send \\e[A\\e[A\\e[A", """send a='x  y' "b=it's;id\"""",
               "wait s;id'")
        shown = "".join(t.step("snap"))
        t.end("send ^S", "gone = stacyvm", "wait runs after", "send q",
              "exit 0")
    command = shown[shown.index("= stacyvm") + 2:]
    command = command[:command.index(" \u2502")]
    path = os.path.dirname(inst.binary)
    subprocess.run(["sh", "-c", command], check=True, cwd=inst.home, env={
        **inst.env, "PATH": f"{path}:{inst.env['PATH']}"})
    one, other = inst.api("GET", "/sandboxes").json()
    assert one["metadata"] == {"a": "x  y", "b": "it's;id"}
    assert one["metadata"] == other["metadata"]


def test_rename_and_label(inst):
    inst.start()
    box = inst.sandbox(name="web", metadata={"task": "ci"})["id"]
    other = inst.sandbox(name="taken")["id"]
    with Screen(inst, "tui") as t:
        t.step(f"wait {box}", "send jR",
               f"wait NAME AND LABELS OF {box}", "wait task=ci",
               r"send ^Utaken\t why='it runs'",
               f"wait = stacyvm rename {box} taken && stacyvm label {box}",
               r"send \r", "wait 'taken' is there already",
               # What was typed is still there, and the first field too.
               r"send \e[Z^Usite\r", f"wait changed {box}", "gone NAME AND",
               "wait site")
        got = inst.api("GET", "/sandboxes/site").json()
        assert got["id"] == box
        assert got["metadata"] == {"task": "ci", "why": "it runs"}
        # Somebody else changes it: the screen has it at once.
        inst.ok("rename", box, "moved")
        t.step("wait moved", "gone site")
        t.step("send Ab", "wait 2 MARKED", "send R",
               "wait LABEL 2 SANDBOXES", r"send run=7 task-\r",
               "wait labelled 2 of 2")
        t.end("send 7", f"wait UPDATE   {box} changed=name",
              "wait changed=metadata.task,metadata.run", "send q", "exit 0",
              RESTORED)
    assert [b["metadata"] for b in inst.api("GET", "/sandboxes").json()] == [
        {"run": "7"}, {"why": "it runs", "run": "7"}]
    assert inst.api("GET", f"/sandboxes/{other}").json()["name"] == "taken"


def test_the_command_of_the_label_form_does_the_same(inst):
    """It is taken from the screen and given to a shell."""
    inst.start()
    boxes = [inst.sandbox(metadata={"old": "1"})["id"] for _ in range(2)]
    with Screen(inst, "tui", size="32x200") as t:
        t.step(f"wait {boxes[0]}", "send gR", f"wait OF {boxes[1]}",
               """send \t^U'a b'='x  y' -c=$(id)""", "wait id)' old-")
        shown = "".join(t.step("snap"))
        # The event of it may be there before the form has heard of it.
        t.end(r"send \r", f"wait changed {boxes[1]}", "gone = stacyvm",
              "send q", "exit 0")
    command = shown[shown.index("= stacyvm") + 2:]
    command = command[:command.index(" \u2502")]
    want = inst.api("GET", f"/sandboxes/{boxes[1]}").json()["metadata"]
    assert want == {"a b": "x  y", "-c": "$(id)"}
    command = command.replace(boxes[1], boxes[0])
    path = os.path.dirname(inst.binary)
    subprocess.run(["sh", "-c", command], check=True, cwd=inst.home, env={
        **inst.env, "PATH": f"{path}:{inst.env['PATH']}"})
    got = inst.api("GET", f"/sandboxes/{boxes[0]}").json()
    assert got["metadata"] == want


def test_spawn_form_says_what_is_wrong(inst):
    inst.start()
    drive(inst, """
wait no sandboxes
send s
wait = stacyvm spawn
send \\t\\tnever\\r
wait not a duration
send \\e
wait LEAVE THE FORM?
send y
gone = stacyvm spawn
send q
exit 0
""")
    assert inst.api("GET", "/sandboxes").json() == []


def test_kill_asks_and_can_be_undone(inst):
    inst.start()
    s = inst.sandbox()["id"]
    drive(inst, f"""
wait ▌ {s}
send d
wait KILL {s}?
send \\r
gone KILL
wait run
send d
wait KILL {s}?
send y
wait killing
send u
wait stays
send q
exit 0
""")
    assert inst.api("GET", f"/sandboxes/{s}").status == 200


def test_kill_after_the_grace_and_when_leaving(inst):
    inst.start()
    a, b = inst.sandbox()["id"], inst.sandbox()["id"]
    drive(inst, f"""
wait ▌ {b}
send d
wait KILL {b}?
send y
wait killing
wait 1 sandbox
wait ▌ {a}
send d
wait KILL {a}?
send y
wait killing
send q
exit 0
""")
    assert inst.api("GET", "/sandboxes").json() == []


def test_kill_of_several(inst):
    inst.start()
    ids = [inst.sandbox()["id"] for _ in range(3)]
    drive(inst, f"""
wait {ids[0]}
send A
wait 3 marked
send d
wait KILL 3 SANDBOXES?
send y
wait no sandboxes
send q
exit 0
""")


def test_read_only(inst):
    inst.start()
    s = inst.sandbox()["id"]
    drive(inst, f"""
wait ▌ {s}
wait READ-ONLY
send d
wait read-only: kill changes something
send s
wait read-only: spawn changes something
send R
wait read-only: label changes something
send T
wait read-only: new-terminal changes something
send t
wait read-only: it has no terminal to watch
send q
exit 0
""", "--read-only")
    assert inst.api("GET", f"/sandboxes/{s}").status == 200


def test_help_and_palette(inst):
    inst.start()
    s = inst.sandbox()["id"]
    drive(inst, f"""
wait ▌ {s}
send ?
wait HELP
wait kill the selected
send palet
gone kill the selected
wait find a command
send \\e
gone HELP
send :
wait COMMAND
send events
send \\r
wait EVENTS  kind
send :
wait COMMAND
send logs {s[:6]}\\r
wait LOGS  {s}
send :
wait COMMAND
send nosuchthing\\r
wait no command nosuchthing
send 1
wait ACTIVE SANDBOXES
send q
exit 0
""")


def test_logs_and_events(inst):
    inst.start()
    s = inst.sandbox()["id"]
    inst.exec(s, "echo first; printf 'evil \\033]0;x\\007\\n'; echo needle; "
                 "seq -f line%g 100 199")
    drive(inst, f"""
wait ▌ {s}
send l
wait line199
wait following
send /needle\\r
wait search: needle
wait paused
send \\e
gone search: needle
send &needle\\r
wait & needle
gone line199
send \\e
gone & needle
send G
wait line199
gone paused
send 7
wait EVENTS
wait EXEC
send i
wait EVENTS OF
wait ▌{s}
send \\r
wait sandbox: {s}
wait EXEC
send y
wait copied it as JSON
send \\r
wait FILES
send q
exit 0
""")


def test_templates_providers_config(inst):
    inst.start()
    inst.api("POST", "/templates", {"name": "tpl", "image": "host"}, check=201)
    drive(inst, """
wait DASH
send 3
wait ▌ tpl
send n
wait NEW TEMPLATE
send tpl\\r
wait image host
send \\r
wait that name is taken
send \\e
gone NEW TEMPLATE
send c
wait name tpl-2
send \\x7f\\x7f\\r
wait that name is taken
send \\e
gone CLONE
send s
wait --template tpl
send \\e
gone = stacyvm
send D
wait DELETE THE TEMPLATE?
send y
gone tpl
send 4
wait namespaces, seccomp
send 6
wait server.port
send /max_ttl\\r
gone server.port
wait defaults.max_ttl
send q
exit 0
""")
    assert inst.api("GET", "/templates").json() == []


def test_terminal(inst):
    inst.start()
    s = inst.sandbox()["id"]
    drive(inst, f"""
wait ▌ {s}
send t
wait TERMINAL
wait leaves
wait $
send stty size; echo wi''dth\\r
wait width
wait 26 76
send echo q''uit; exit 3\\r
wait exited 3 in
send \\r
gone exited
send \\e
wait ACTIVE
send q
exit 0
""")


def test_terminal_outlives_the_dashboard_and_the_daemon(inst):
    inst.start()
    s = inst.sandbox()["id"]
    open_it = f"wait {s}\nsend t\nwait TERMINAL\nwait leaves\nwait $\n"
    drive(inst, open_it + "send X=sti''ll; echo s''et\\r\nwait set\n"
          "send ^]\nwait left\nsend q\nexit 0\n")
    inst.kill_daemon()
    inst.start()
    drive(inst, open_it + "wait set\nsend echo $X.he''re\\r\n"
          "wait still.here\nsend ^]\nwait left\nsend q\nexit 0\n")
    sessions = inst.api("GET", f"/sandboxes/{s}/sessions").json()
    assert len([x for x in sessions if x["state"] == "running"]) == 1


def test_daemon_killed_meanwhile(inst):
    inst.start()
    s = inst.sandbox()["id"]
    with Screen(inst, "tui", seconds=30) as t:
        t.step(f"wait {s}", "send t", "wait TERMINAL", "wait $",
               "send echo be''fore\\r", "wait before")
        inst.kill_daemon()
        t.step("wait no daemon", "wait ^] then ^R starts the daemon")
        inst.start()
        t.end("wait live", "gone reconnecting", "wait before",
              "send echo af''ter\\r", "wait after", "send ^]", "wait left",
              "send q", "exit 0", RESTORED)


def test_files(inst, tmp_path):
    inst.start()
    s = inst.sandbox()["id"]
    inst.exec(s, "mkdir /workspace/d; echo 'int main;' >/workspace/a.c; "
                 "printf '\\0\\1bin' >/workspace/b; "
                 "touch \"$(printf '/workspace/e\\033[31mx')\"")
    local = tmp_path / "up.txt"
    local.write_text("from here\n")
    drive(inst, f"""
wait ▌ {s}
send f
wait a.c
wait d/
wait e^[[31mx
send j\\r
wait int main;
send \\e
gone int main;
send j\\r
wait 00000000
send \\e
gone 00000000
send u
wait UPLOAD
send {local}\\r
wait copied /workspace/up.txt
send n
wait NEW FILE
send made\\r
wait made
send D
wait DELETE?
send n
gone DELETE?
send q
exit 0
""")
    r = inst.api("GET", f"/sandboxes/{s}/files?path=/workspace/up.txt")
    assert r.body == b"from here\n"


def test_a_directory_is_saved_as_an_archive(inst, tmp_path):
    """Alone and with others that are marked; and isn't sent as a file."""
    inst.start()
    s = inst.sandbox()["id"]
    inst.exec(s, "mkdir /workspace/d; echo in >/workspace/d/f; "
                 "echo beside >/workspace/x; mkdir /workspace/e")
    alone, many = tmp_path / "alone.tar", tmp_path / "many"
    many.mkdir()
    with Screen(inst, "tui") as t:
        t.step(f"wait ▌ {s}", "send f", "wait d/", "send s",
               "wait SAVE d AS d.tar", rf"send ^U{alone}\r",
               "wait copied /workspace/d", "send A", "send s",
               "wait SAVE 1 FILE AND 2 DIRECTORIES AS NAME.tar",
               rf"send ^U{many}\r", "wait copied 3 of 3", "send u",
               "wait UPLOAD", rf"send ^U{many}\r",
               "wait a directory: stacyvm cp -r DIR ID:PATH", "send \\e")
        t.end("gone UPLOAD", "send q", "exit 0")
    for path in alone, many / "d.tar":
        with tarfile.open(path) as tar:
            files = [m for m in tar if m.isfile()]
            assert [m.name.rsplit("/", 1)[-1] for m in files] == ["f"]
            assert tar.extractfile(files[0]).read() == b"in\n"
        assert not path.stat().st_mode & 0o111
    assert (many / "e.tar").exists()
    assert (many / "x").read_text() == "beside\n"


def test_what_can_be_run_stays_so(inst, tmp_path):
    """Both ways, as far as the umask lets it; a file that is there keeps its
    permissions."""
    inst.start()
    s = inst.sandbox()["id"]
    inst.exec(s, "echo there >/workspace/tool; chmod 775 /workspace/tool")
    up, down, old = tmp_path / "run", tmp_path / "down", tmp_path / "old"
    up.write_text("here\n")
    up.chmod(0o750)
    old.write_text("old\n")
    old.chmod(0o640)
    mask = os.umask(0o027)
    try:
        with Screen(inst, "tui") as t:
            t.step(f"wait ▌ {s}", "send f", "wait tool", "send s",
                   "wait SAVE", rf"send ^U{down}\r",
                   "wait copied /workspace/tool", "send s", "wait SAVE",
                   rf"send ^U{old}\r", "wait REPLACE A FILE?", "wait 4 B",
                   "send y", "gone SAVE")
            svm.wait_for(lambda: old.read_text() == "there\n", "the copy")
            t.end("send u", "wait UPLOAD", rf"send {up}\r",
                  "wait copied /workspace/run", "send q", "exit 0")
    finally:
        os.umask(mask)
    assert down.read_text() == "there\n"
    assert down.stat().st_mode & 0o777 == 0o750
    assert old.read_text() == "there\n"
    assert old.stat().st_mode & 0o777 == 0o640
    r = inst.api("GET", f"/sandboxes/{s}/files/stat?path=/workspace/run")
    assert r.json()["mode"] == "0750", r.json()


def test_a_signal_while_the_editor_runs(inst, tmp_path):
    """It waits until the editor is done, however long; nothing is lost unsaid."""
    inst.start()
    s = inst.sandbox()["id"]
    inst.api("PUT", f"/sandboxes/{s}/files?path=/workspace/f", b"old\n")
    editor = tmp_path / "editor"
    # Longer than a signal may wait that nobody holds.
    editor.write_text('#!/bin/bash\nkill -TERM $PPID\nread -t 4 x </dev/tty\n'
                      'echo mine >>"$1"\necho your turn\nread x </dev/tty\n')
    editor.chmod(0o755)
    with Screen(inst, "tui", env={"VISUAL": str(editor)}) as t:
        t.step(f"wait ▌ {s}\nsend f\nwait 0644\nsend e\nwait your turn\n")
        lines = t.step("send \\r", "exit 143", "snap")
        t.end(RESTORED)
    r = inst.api("GET", f"/sandboxes/{s}/files?path=/workspace/f")
    assert r.body == b"old\nmine\n" or "your copy is" in "".join(lines)


def test_it_goes_on_after_a_stop(inst):
    """kill -STOP says nothing before; the terminal was another's meanwhile."""
    inst.start()
    s = inst.sandbox()["id"]
    with Screen(inst, "tui") as t:
        t.step(f"wait ▌ {s}", "wait live")
        pid = t.pid()
        os.kill(pid, signal.SIGSTOP)
        svm.wait_for(lambda: svm.processes()[pid][1] == "T", "it to stop")
        with open(f"/proc/{pid}/fd/0", "w", encoding="ascii") as tty:
            modes = termios.tcgetattr(tty)
            modes[3] |= termios.ICANON | termios.ECHO
            termios.tcsetattr(tty, termios.TCSANOW, modes)
            tty.write("\r\n\r\nof the shell\r\n")
        t.step("wait of the shell")
        os.kill(pid, signal.SIGCONT)
        t.step("gone of the shell", f"wait ▌ {s}", "send 2", "wait FLEET")
        t.end("send q", "exit 0", RESTORED)


def test_editor_meets_another(inst, tmp_path):
    """What came into the file meanwhile isn't run over unasked."""
    inst.start()
    s = inst.sandbox()["id"]
    url = f"/sandboxes/{s}/files?path=/workspace/f"
    inst.api("PUT", url, b"old\n")
    editor = tmp_path / "editor"
    editor.write_text('#!/bin/sh\necho your turn $(wc -l <"$1")\n'
                      'read x </dev/tty\n'
                      'echo mine >>"$1"\n')
    editor.chmod(0o755)
    with Screen(inst, "tui", env={"EDITOR": str(editor)}) as t:
        t.step(f"wait ▌ {s}\nsend f\nwait 0644\nsend e\nwait your turn 1\n")
        inst.api("PUT", url, b"another's\n")
        t.step("send \\r\nwait f WAS CHANGED BY ANOTHER\nsend o\n"
               "wait saved /workspace/f\n")
        assert inst.api("GET", url).body == b"old\nmine\n"
        t.step("send e\nwait your turn 2\n")
        inst.api("PUT", url, b"another's\n")
        t.step("send \\r\nwait f WAS CHANGED BY ANOTHER\nsend s\n"
               "wait SAVE AS\nsend ^Ug\\r\nwait saved /workspace/g\n")
        t.end("send q\nexit 0\n")
    assert inst.api("GET", url).body == b"another's\n"
    r = inst.api("GET", f"/sandboxes/{s}/files?path=/workspace/g")
    assert r.body == b"old\nmine\nmine\n"


def test_editor(inst, tmp_path):
    """What $EDITOR saved is written back, with its mode."""
    inst.start()
    s = inst.sandbox()["id"]
    inst.exec(s, "echo old >/workspace/f; chmod 755 /workspace/f")
    editor = tmp_path / "editor"
    editor.write_text('#!/bin/sh\necho your turn; read x </dev/tty; echo new >"$1"\n')
    editor.chmod(0o755)
    drive(inst, f"""
wait ▌ {s}
send f
wait 0755
send e
prop alt 0
wait your turn
send \\r
prop alt 1
wait saved
send q
exit 0
""", EDITOR=str(editor), VISUAL="")
    r = inst.exec(s, "cat f; stat -c %a f")
    assert r.json()["stdout"] == "new\n755\n"
    left = [n for n in os.listdir(inst.runtime) if n.startswith("edit-")]
    assert left == []


def test_editor_left_at_once(inst):
    """Who leaves before the file is there leaves no copy of it behind."""
    inst.start()
    s = inst.sandbox()["id"]
    inst.exec(s, "echo old >/workspace/f")
    drive(inst, f"""
wait ▌ {s}
send f
wait 0644
send eq
exit 0
{RESTORED}""", EDITOR="true", VISUAL="")
    left = [n for n in os.listdir(inst.runtime) if n.startswith("edit-")]
    assert left == []


def test_no_editor(inst):
    """What can't be started is named; the dashboard stays, and its keys."""
    inst.start()
    s = inst.sandbox()["id"]
    inst.exec(s, "echo old >/workspace/f")
    drive(inst, f"""
wait ▌ {s}
send f
wait 0644
send e
wait can't start the editor: 'nosuch' is not in PATH
prop alt 1
send q
exit 0
""", EDITOR="nosuch", VISUAL="")
    left = [n for n in os.listdir(inst.runtime) if n.startswith("edit-")]
    assert left == []


@pytest.mark.parametrize("how", ["q", "TERM", "HUP", "SEGV", "INT"])
def test_every_way_out(inst, how):
    inst.start()
    if how == "q":
        drive(inst, "wait DASH\nprop alt 1\nsend q\nexit 0\n" + RESTORED)
        return
    signo = getattr(signal, "SIG" + how)
    with Screen(inst, "tui", size="24x80") as t:
        t.step("wait DASH")
        os.kill(t.pid(), signo)
        if how == "SEGV" and svm.SANITIZED:
            return  # the sanitizer's own handler ends it
        t.end(f"exit {128 + signo}", RESTORED)


def test_suspend(inst):
    """^Z gives the terminal back to the shell, fg takes it again."""
    inst.start()
    e = {**inst.env, "LC_ALL": "C.UTF-8", "TERM": "xterm-256color",
         "PS1": "shell> "}
    script = (f"wait shell>\nsend {svm.STACYVM} tui\\r\nwait DASH\nprop alt 1\n"
              "send ^Z\nprop alt 0\nwait Stopped\nsend fg\\r\nprop alt 1\n"
              "wait DASH\nsend q\nprop alt 0\nwait shell>\nsend exit 0\\r\n"
              "exit 0\n")
    p = subprocess.run([DRIVER, "-s", "24x80", "-t", "60", "-", "--",
                        "bash", "--norc", "-i"], input=script, text=True,
                       capture_output=True, env=e, timeout=90, check=False)
    assert p.returncode == 0, p.stderr


def test_mouse_off_is_off(inst):
    """The terminal's own selection works again: the modes are off."""
    drive(inst, """
wait no sandboxes
prop mouse 1
send m
wait mouse off
prop mouse 0
send m
wait mouse on
prop mouse 1
send q
exit 0
""")


def test_sizes(inst):
    inst.start()
    s = inst.sandbox()["id"]
    sizes = [(1, 1), (500, 200), (10, 40), (9, 39), (3, 200), (200, 3),
             (24, 80)]
    script = f"wait {s}\n" + "".join(f"size {r} {c}\n" for r, c in sizes)
    drive(inst, script + f"wait {s}\nsend t\nwait TERMINAL\nwait leaves\n" +
          "".join(f"size {r} {c}\n" for r, c in sizes * 5) +
          "wait TERMINAL\nsend stty size\\r\nwait 18 78\nsend ^]\n"
          "wait left\nsend q\nexit 0\n" + RESTORED, size="24x80")


def test_size_changed_and_back(inst):
    """What the terminal lost in between is drawn again, though the size the
    program sees never changed."""
    inst.start()
    s = inst.sandbox()["id"]
    with Screen(inst, "tui", size="24x80") as t:
        t.step(f"wait {s}")
        os.kill(t.pid(), signal.SIGSTOP)
        t.step("size 2 3", "size 24 80", "gone ACTIVE")
        os.kill(t.pid(), signal.SIGCONT)
        t.end(f"wait {s}", "wait ACTIVE", "send q", "exit 0")


@pytest.mark.parametrize("term", ["", "dumb", "nosuchterminal"])
def test_no_terminal_to_draw_on(inst, term):
    inst.start()
    e = {**inst.env, "TERM": term}
    p = subprocess.run([DRIVER, "-t", "60", "-", "--", str(svm.STACYVM),
                        "tui"], input="wait stacyvm:\nexit 1\n", text=True,
                       capture_output=True, env=e, timeout=60, check=False)
    assert p.returncode == 0, p.stderr
    r = inst.must_fail("tui")
    assert "terminal" in r.errtext


@pytest.mark.parametrize("env", [
    {"TERM": "vt100"}, {"NO_COLOR": "1"}, {"LC_ALL": "C"},
    {"TERM": "linux"}, {"TERM": "screen"}])
def test_other_terminals(inst, env):
    inst.start()
    s = inst.sandbox(name="there")["id"]
    e = {**inst.env, "LC_ALL": "C.UTF-8", "TERM": "xterm", **env}
    p = subprocess.run([DRIVER, "-s", "24x80", "-t", "60", "-", "--",
                        str(svm.STACYVM), "tui"], text=True,
                       input=f"wait {s}\nsend ?\nwait HELP\nsend \\e\n"
                       "gone HELP\nsend q\nexit 0\n", capture_output=True,
                       env=e, timeout=60, check=False)
    assert p.returncode == 0, p.stderr


ENTRY = """%s|for a test,
	use=xterm-256color, colors#%s, pairs#0x7fff,
	setaf=\\E[%%?%%p1%%{8}%%<%%t3%%p1%%d%%e38;5;1%%;m,
"""


def test_direct_colour(inst, tmp_path):
    """Where terminfo has no such entry, one is told; else it is used."""
    inst.start()
    inst.run("config", "set", "ui.color", "direct", check=0)
    env = {**inst.env, "LC_ALL": "C.UTF-8", "TERM": "svmtest-256color",
           "TERMINFO": str(tmp_path)}
    told = "terminfo knows no direct colour here"
    for name, colours, step in (("svmtest-256color", "256", "wait"),
                                ("svmtest-direct", "0x1000000", "gone")):
        source = tmp_path / "source"
        source.write_text(ENTRY % (name, colours))
        subprocess.run(["tic", "-x", source], env=env, check=True)
        p = subprocess.run(
            [DRIVER, "-s", "24x120", "-t", "60", "-", "--", str(svm.STACYVM),
             "tui"], text=True, capture_output=True, timeout=60, check=False,
            input=f"wait no sandboxes\n{step} {told}\nsend q\nexit 0\n",
            env=env)
        assert p.returncode == 0, p.stderr


def test_a_setting_says_when_it_counts(inst):
    inst.start()
    drive(inst, """
wait no sandboxes
send 6
wait SETTINGS
send /ui.bare\\r
wait ! from the next start on
send qy
exit 0
""")


def test_hostile_output(inst):
    """Whatever a sandbox writes, it is cells: the program goes on, and
    nothing of it reaches the terminal."""
    inst.start()
    s = inst.sandbox()["id"]
    evil = (r"\033]52;c;ZXZpbA==\007\033]0;ti\033tle\007\033[38:2:1:2:3;"
            r"48:2:1:2:3;58:2:1:2:3;4:3;1;2;3;4;5;6;7;8;9m\033P+q544e\033\\"
            r"\033_x\033\\\033^y\033\\\033[?1049h\033[?1000h\033[5i\033c"
            r"\342\200\256\342\200\213\360\237\377\300\200\033[99999;99999H"
            r"\033[1;1Hdone\n")
    inst.exec(s, f"printf '%s' '{evil}' >/workspace/evil")
    drive(inst, f"""
wait ▌ {s}
send t
wait leaves
wait $
send printf "$(cat /workspace/evil)"\\r
wait done
send head -c 1000000 /dev/urandom; reset; echo ov''er\\r
wait over
send ^]
wait left
send q
exit 0
{RESTORED}""", seconds=60)


def test_control_c_under_a_flood(inst):
    inst.start()
    s = inst.sandbox()["id"]
    drive(inst, f"""
wait ▌ {s}
send t
wait leaves
wait $
send yes abc''defgh\\r
wait abcdefgh
send ^C
wait ^C
send echo st''opped\\r
wait stopped
send ^]
wait left
send q
exit 0
""")


def test_idle_sleeps(inst):
    """Nothing moves: at most 2 wakeups in 10 s."""
    inst.start()
    with Screen(inst, "tui", size="24x80") as t:
        t.step("wait no sandboxes")
        pid = t.pid()

        def wakeups():
            with open(f"/proc/{pid}/status", encoding="ascii") as f:
                return int(f.read().split("voluntary_ctxt_switches:")[1]
                           .split()[0])

        def quiet(seconds):
            """That long without one, or how many there were."""
            before = wakeups()
            end = time.monotonic() + seconds
            while time.monotonic() < end:
                select_nothing(end - time.monotonic())
            return wakeups() - before

        # The clock of the ribbon turns once a minute.
        assert any(quiet(10) <= 2 for _ in range(2))
        t.end("send q", "exit 0")


def select_nothing(seconds):
    import select
    select.select([], [], [], max(seconds, 0))


def test_names_are_escaped(inst):
    inst.start()
    inst.sandbox(metadata={"k": "\x1b[31mred\u202e\x07"})
    drive(inst, """
wait run
send 2
wait FLEET
wait ^[[31mred
send q
exit 0
""")
