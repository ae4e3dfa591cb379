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
