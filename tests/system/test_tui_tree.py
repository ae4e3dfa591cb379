# SPDX-License-Identifier: MIT
"""The dashboard's tree of files, on those of a real sandbox."""
from screen import RESTORED, Screen


def test_tree(inst):
    """Opened, followed while things change inside, closed, gone."""
    inst.start()
    s = inst.sandbox()["id"]
    inst.exec(s, "mkdir -p src/lib; echo 1 >src/main.py; "
                 "echo 2 >src/lib/deep.py; ln -s . src/loop")
    with Screen(inst, "tui") as t:
        t.step(f"wait ▌ {s}\nsend f\nwait ▸ src/\nsend l\nwait ▾ src/\n"
               "wait ▸ lib/\nwait loop -> .\n",
               "send jl\nwait ▾ lib/\nwait deep.py\n")
        # Nothing is pressed: what was run inside is looked at by itself.
        inst.exec(s, "echo more >>src/lib/deep.py; echo 3 >src/new.py")
        t.step("wait 1 new  1 changed\nwait new.py\n",
               "send h\nwait ▸ lib/\ngone deep.py\n")
        inst.exec(s, "rm -r src/lib")
        t.step("gone lib/\nwait main.py\n",
               "send gh\nwait ▸ src/\ngone main.py\n",
               "send h\nwait FILES / \nwait ▌ ▸ workspace/\n")
        t.end("send q\nexit 0\n" + RESTORED)


def test_what_is_typed_beside_it_is_followed(inst):
    """In the terminal; nothing is pressed to see it."""
    inst.start()
    s = inst.sandbox()["id"]
    with Screen(inst, "tui") as t:
        t.step(f"wait ▌ {s}\nsend t\nwait FILES /workspace\n"
               "wait leaves\nsend touch here; cat\r\n",
               "wait 0 B 0644    A", "send ^D")
        t.end("send ^]", "wait left", "send q", "exit 0", RESTORED)


def test_deleted_while_it_is_in_view(inst):
    """It goes on being shown, as what it is; the list stays near."""
    inst.start()
    s = inst.sandbox()["id"]
    inst.exec(s, "echo text of b >b; echo a >a; echo c >c")
    with Screen(inst, "tui") as t:
        t.step(f"wait ▌ {s}\nsend f\nwait ▌   a\nsend j\\r\nwait text of b\n"
               "wait READ")
        inst.exec(s, "rm b")
        t.step("wait b was deleted in the sandbox", "wait gone  text",
               "wait text of b", "wait ▌   c")
        inst.exec(s, "echo again >b")
        t.step("gone gone  text", "send 1", "wait ▌   c")
        t.end("send q\nexit 0\n" + RESTORED)


def test_what_cannot_be_read_says_why(inst):
    inst.start()
    s = inst.sandbox()["id"]
    inst.exec(s, "mkfifo pipe")
    with Screen(inst, "tui") as t:
        t.step(f"wait ▌ {s}\nsend f\nwait ▌   pipe\nsend \\r\n"
               "wait cannot read it: ")
        t.end("send q\nexit 0\n" + RESTORED)


def test_copy_the_path_of_a_strange_name(inst):
    """What is copied names the file, and nothing in it acts on a terminal."""
    inst.start()
    s = inst.sandbox()["id"]
    inst.exec(s, "printf inside >\"$(printf 'e\\033[31mv\\nil')\"")
    with Screen(inst, "tui") as t:
        t.step(f"wait ▌ {s}\nsend f\nwait e^[[31mv^Jil\nsend c\n"
               "wait as a shell reads it")
        t.end("send q\nexit 0\n" + RESTORED)
    word = (inst.runtime / "clipboard").read_bytes()
    assert word == rb"$'/workspace/e\033[31mv\012il'"
    r = inst.run("exec", s, "--", "bash", "-c",
                 "cat " + word.decode())
    assert r.text == "inside", r
