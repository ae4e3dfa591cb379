# SPDX-License-Identifier: MIT
"""The dashboard's lists: asked for no more than needed, marked, acted upon
many at once, kept as views."""
import subprocess

from screen import Screen, drive
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
               "wait killing 8 in 5 s; u undoes", "send u", "wait 8 stay",
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
