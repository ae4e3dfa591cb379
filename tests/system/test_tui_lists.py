# SPDX-License-Identifier: MIT
"""The dashboard's lists: asked for no more than needed, marked, acted upon
many at once, kept as views."""
import json
import os
import signal
import subprocess

from screen import RESTORED, Screen, drive
from test_metrics import operation
from test_tui_data import configure


def test_the_list_is_asked_for_once(inst):
    """What is on record is no news: the list has all of it."""
    inst.start()
    boxes = [inst.sandbox(name=f"box{i}")["id"] for i in range(6)]
    drive(inst, f"wait live\nwait {boxes[0]}\nsend 7\n"
                f"wait SPAWN    {boxes[5]}\nsend q\nexit 0\n")
    assert operation(inst, "sandbox.list", "")["count"] == 1


def test_what_happens_later_is_news(inst):
    inst.start()
    first = inst.sandbox()["id"]
    with Screen(inst, "tui") as t:
        t.step("send 2", "wait FLEET", f"wait {first}")
        second = inst.sandbox()["id"]
        t.step(f"wait {second}")
        inst.api("DELETE", f"/sandboxes/{first}", check=200)
        t.step(f"gone {first}")
        t.end("send q", "exit 0")


def test_many_are_killed_and_exported(inst, tmp_path):
    """With the real daemon: two of them are gone behind its back."""
    inst.start()
    boxes = [inst.sandbox(name=f"box{i}")["id"] for i in range(8)]
    inst.exec(boxes[3], "echo precious >/workspace/it")
    with Screen(inst, "tui") as t:
        t.step("send 2", f"wait {boxes[0]}", "send AX", "wait EXPORT")
        t.step(f"send ^U{tmp_path}\\r", "wait exported 8 of 8")
        t.step("send b", "wait 8 MARKED", "send d",
               "wait KILL 8 SANDBOXES?", "send y",
               "wait killing 8 in", "send u", "wait 8 stay",
               "send A", "wait 8 marked", "send dy",
               "wait killed 8 of 8", "wait no sandboxes")
        t.end("send q", "exit 0")
    tar = subprocess.run(["tar", "-xOf", tmp_path / f"{boxes[3]}.tar",
                          "--wildcards", "*it"], capture_output=True,
                         check=True)
    assert tar.stdout == b"precious\n"
    assert len(list(tmp_path.iterdir())) == 8


def test_leaving_finishes_what_was_confirmed(inst):
    inst.start()
    for _ in range(10):
        inst.sandbox()
    drive(inst, "send 2\nwait 1/10\nsend Ady\nwait killing 10\nsend q\n"
                "exit 0\n")
    assert inst.api("GET", "/sandboxes", check=200).json() == []


def test_files_by_a_pattern(inst, tmp_path):
    inst.start()
    s = inst.sandbox()["id"]
    inst.exec(s, "mkdir -p a/b; echo 1 >a/one.py; echo two >a/b/two.py; "
                 "echo three >'a/$(id).py'; touch a/other")
    drive(inst, f"""
wait ▌ {s}
send f
wait FILES /workspace
send *
wait FIND FILES
send ^U**/*.py\\r
wait FOUND /workspace/**/*.py
wait 1/3
gone other
send G
wait 3/3
send \\r
wait READ
send \\tAs
wait SAVE 3 FILES
send ^U{tmp_path}\\r
wait copied 3 of 3
send A
send D
wait DELETE 3 FILES?
send y
wait deleted 3 of 3
wait nothing matches
send \\e
wait FILES /workspace
send q
exit 0
""")
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "$(id).py", "one.py", "two.py"]
    left = inst.exec(s, "find a -type f").json()["stdout"]
    assert left.split() == ["a/other"]


def test_logs_since(inst):
    inst.start()
    s = inst.sandbox()["id"]
    inst.exec(s, "echo needle")
    drive(inst, f"""
wait ▌ {s}
send l
wait needle
send S
wait LOGS SINCE
send 1h\\r
wait since 1h
wait needle
send S
wait LOGS SINCE
send ^U0s\\r
wait since 0s
gone needle
send \\e
gone since
wait needle
send q
exit 0
""")


def test_views_with_names(inst):
    inst.start()
    a = inst.sandbox(name="alpha")["id"]
    b = inst.sandbox(name="beta")["id"]
    drive(inst, f"""
send 2
wait FLEET
wait {b}
send /alph\\r
gone {b}
send Vn
wait SAVE THIS VIEW
send mine\\r
wait are kept
send q
exit 0
""")
    drive(inst, f"""
send 2
wait FLEET
wait {b}
send V
wait mine
send 1
gone {b}
wait {a}
send VD
wait DELETE A VIEW
send \\r
wait are kept
send V
wait VIEWS
gone mine
send \\e
gone VIEWS
send q
exit 0
""")


def test_own_commands_on_all_that_are_marked(inst, tmp_path):
    """A name is a word, whatever it would be to a shell."""
    out = tmp_path / "out"
    configure(inst, f"""
commands:
  note:
    scope: sandboxes
    key: F5
    run: [sh, -c, 'printf "%s|%s\\n" "$1" "$2" >>{out}', sh, "{{id}}", "{{name}}"]
    output: none
  path:
    scope: files
    key: F6
    run: [sh, -c, 'printf "%s\\n" "$1" >>{out}', sh, "{{path}}"]
    output: none
""")
    inst.start()
    boxes = {inst.sandbox(name=f"box{i}")["id"]: f"box{i}" for i in range(5)}
    inst.exec(next(iter(boxes)), "touch -- one two '-x; $(id)`id`'")
    drive(inst, """
send 2
wait 1/5
send A
wait 5 marked
send <F5>
wait RUN note FOR 5 MARKED?
send y
wait ran for 5 of 5
send Ugf
send q
exit 0
""".replace("<F5>", "\\e[15~"))
    lines = out.read_text().splitlines()
    assert sorted(lines) == sorted(f"{i}|{n}" for i, n in boxes.items())
    out.unlink()
    drive(inst, f"""
send 2
wait 1/5
send /{next(iter(boxes))}\\r
wait 1/1
send f
wait FILES /workspace
wait -x; $(id)`id`
send \\e[17~
wait exit status 0
send A\\e[17~
wait RUN path FOR 3 MARKED?
send y
wait ran for 3 of 3
send q
exit 0
""")
    odd = "/workspace/-x; $(id)`id`"
    assert sorted(out.read_text().splitlines()) == sorted(
        [odd, odd, "/workspace/one", "/workspace/two"])


def test_names_beside_ids(inst):
    """At a hundred columns, too; the one who has none has an id."""
    inst.start()
    a = inst.sandbox(name="frontend")["id"]
    b = inst.sandbox()["id"]
    with Screen(inst, "tui", size="30x100") as t:
        t.step(f"wait {a} frontend", "send 2", "wait FLEET", f"wait {b}",
               "wait NAME/ID", "wait frontend ")
        t.step("size 30 120", f"wait {a} frontend")
        t.step("size 24 80", "wait frontend ", f"wait {b}")
        t.end("send q", "exit 0")


def test_sandboxes_by_template_and_owner(inst):
    inst.start()
    inst.api("POST", "/templates", {"name": "sci", "image": "host"},
             check=201)
    sci = [inst.sandbox(template="sci")["id"] for _ in range(3)]
    other = inst.sandbox()["id"]
    with Screen(inst, "tui") as t:
        t.step("send 2", f"wait {other}", "send B", "wait GROUP BY",
               "send j\\r", "wait by: template", "wait ▾ sci  3 running",
               "wait ▾ no template  1 running", f"wait {sci[0]}")
        # The header stands for its group, and for nothing else.
        t.step("send g\\e[D", "wait ▸ sci  3 running", f"gone {sci[0]} ●",
               "send d", "wait KILL 3 SANDBOXES?", "send n",
               "gone KILL 3 SANDBOXES?", "send \\x20", "wait 3 marked",
               "send g\\e[C", "wait ▾ sci  3 running, 3 marked",
               f"wait {sci[0]} ●", "send U", "gone marked")
        # Which one is selected stays, whoever comes and goes.
        t.step("send gjj", "wait 3/6")
        new = inst.sandbox(template="sci")["id"]
        t.step(f"wait {new}", "wait 4/7", "send SB", "wait GROUP BY",
               "send j\\r", "wait by: owner", "gone no template",
               "send q", "exit 0")
    with Screen(inst, "tui") as t:
        t.step("send 2", "wait by: template", "wait ▾ sci  4 running",
               "send gd", "wait KILL 4 SANDBOXES?", "send y",
               "wait killed 4 of 4", "gone ▾ sci", f"wait {other}")
        t.end("send q", "exit 0")
    assert [s["id"] for s in inst.api("GET", "/sandboxes").json()] == [other]


def width_of(printed, title):
    """Of the pane with this title."""
    line = next(x for x in printed if title in x)
    return line.index("┐") - line.index(title)


def test_panes_are_as_large_as_they_were_made(inst):
    """At once: without a key that saves, and though the program is killed."""
    inst.start()
    s = inst.sandbox()["id"]
    with Screen(inst, "tui") as t:
        t.step("send 2", "wait FLEET", "gone PROVIDER IMAGE", f"wait {s}")
        before = width_of(t.step("snap"), "FLEET")
        t.step("send ++", "wait m █")  # the bar of the ttl
        bigger = width_of(t.step("snap"), "FLEET")
    assert bigger - before == 24
    with Screen(inst, "tui") as t:
        t.step("send 2", "wait FLEET", f"wait {s}")
        assert width_of(t.step("snap"), "FLEET") == bigger
        t.step("send f", "wait FILES", "send ++", "send q", "exit 0")
    kept = json.loads((inst.state / "tui-views.json").read_text())
    assert kept["sandboxes"]["sizes"] == {"fleet": 70}
    assert kept["workspace"]["sizes"] == {"files": 45, "viewer": 50}


def test_providers_are_cards(inst):
    """What isolates is always there, however low and narrow it is."""
    inst.start()
    inst.sandbox()
    with Screen(inst, "tui") as t:
        t.step("wait live", "send 4", "wait ▌ ", "wait NATIVE",
               "wait isolation: namespaces, seccomp", "wait MOCK",
               "wait isolation: NONE: for tests", "wait healthy ",
               "wait sandboxes 1  isolation", "send r", "wait native works")
        t.step("size 10 100", "gone answers in", "wait namespaces, seccomp",
               "wait NONE: for tests")
        t.step("size 32 60", "wait isolation: namespaces, seccomp")
        t.end("send q", "exit 0")


def test_a_long_log_from_its_end_to_its_beginning_and_back(inst):
    """More than the dashboard keeps at once, and as much as there is."""
    inst.start()
    s = inst.sandbox()["id"]
    inst.exec(s, "i=0; while [ $i -lt 12000 ]; do i=$((i+1)); "
                 "printf 'row-%05d\\n' $i; done")
    with Screen(inst, "tui", seconds=60) as t:
        t.step(f"wait ▌ {s}", "send l", "wait row-12000")
        t.step("send g", "wait beginning of the log", "wait row-00001")
        inst.exec(s, "echo last-of-all")
        t.step("wait +1 new", "gone last-of-all", "send G",
               "wait last-of-all", "wait following")
        t.end("send q", "exit 0")


def test_a_signal_ends_own_commands_on_many(inst, tmp_path):
    """The one that has the terminal comes to its end; no other begins."""
    hold, out = tmp_path / "hold", tmp_path / "out"
    os.mkfifo(hold)
    configure(inst, f"""
commands:
  note:
    scope: sandboxes
    key: F5
    run: [sh, -c, 'echo ran >>{out}; echo it ho""lds; read x <{hold}']
""")
    inst.start()
    for i in range(3):
        inst.sandbox(name=f"box{i}")
    with Screen(inst, "tui") as t:
        t.step("wait live", "send 2", "wait 1/3", "send A", "wait 3 marked",
               "send \\e[15~", "wait RUN note FOR 3 MARKED?", "send y",
               "prop alt 0", "wait it holds")
        os.kill(t.pid(), signal.SIGTERM)
        with open(hold, "w", encoding="ascii") as f:
            f.write("go\n")
        t.end("exit 143", RESTORED)
    assert out.read_text() == "ran\n"
