# SPDX-License-Identifier: MIT
"""The manual: its tables are made from the program's (man/page.h), and what is
written by hand must fit; its examples run."""
import pathlib
import re
import shutil
import subprocess

import pytest
import svm

SOURCES = svm.ROOT / "man"
MAN = svm.BUILD / "man"
PAGES = sorted(p.name[:-3] for p in SOURCES.glob("*.in"))
COMMANDS = [p for p in PAGES if re.fullmatch(r"stacyvm-.*\.1", p)]


def text(page):
    return (MAN / page).read_text()


def make(sources, target):
    target.mkdir(exist_ok=True)
    return subprocess.run([MAN / "make-pages", sources, target], check=False,
                          capture_output=True, text=True)


# -- neither side has what the other lacks

def broken(old, new):
    def change(path):
        was = path.read_text()
        assert old in was, old
        path.write_text(was.replace(old, new, 1))
    return change


@pytest.mark.parametrize("page, change, says", [
    ("stacyvm-wait.1", pathlib.Path.unlink, "the command 'wait' has no page"),
    ("stacyvm-gone.1", lambda p: p.write_text("@name\n@synopsis\n"),
     "there is no such command"),
    ("stacyvm-wait.1", broken("@about --for", "@about --from"),
     "stacyvm-wait.1.in:11: @options wait has no '--from'"),
    ("stacyvm-wait.1", broken("@options\n@about --for\n", ""), "no page has '--for'"),
    ("stacyvm-wait.1", broken("@exits 0 1 2", "@exits 0 99"), "@exits has no '99'"),
    ("stacyvm-wait.1", broken("@synopsis\n", ""), "has @name and @synopsis"),
    ("stacyvm-files.1", broken("@about mv", "@about move"),
     "@commands files has no 'move'"),
    ("stacyvm-config.1", broken("@about lint", "@about check"),
     "@commands config has no 'check'"),
    ("stacyvm.1", broken("@commands\n", ""), "no page has 'spawn' of @commands"),
    ("stacyvm.1", broken("@commands\n", "@commands\n@commands\n"),
     "'spawn' of @commands is there 2 times"),
    ("stacyvm.1", broken("@environment\n", "@surroundings\n"),
     "there is no table 'surroundings'"),
    ("stacyvm.yaml.5", broken("@config registries\n", ""),
     "no page has 'registries.pull' of @config"),
    ("stacyvm-api.7", broken("@routes quota\n", ""),
     "no page has 'GET /quotas' of @routes"),
    ("stacyvm-api.7", broken("@about GET /ready", "@about GET /steady"),
     "@routes has no 'GET /steady'"),
    ("stacyvm-api.7", broken("@about PIDS\nProcesses and threads in one.\n", ""),
     "'PIDS' wants an @about"),
    ("stacyvm-api.7", broken("@closes\n", ""), "no page has '1000' of @closes"),
    ("stacyvm-security.7", broken("@about tracing", "@about traced"),
     "@calls has no 'traced'"),
    ("stacyvm-keys.7", broken("@keys\n", ""), "of @keys"),
    ("stacyvm-providers.7", broken("@about mock", "@about mocks"),
     "@providers has no 'mocks'"),
])
def test_a_page_that_does_not_fit_is_refused(tmp_path, page, change, says):
    shutil.copytree(SOURCES, tmp_path / "man")
    change(tmp_path / "man" / f"{page}.in")
    p = make(tmp_path / "man", tmp_path / "made")
    assert p.returncode == 1 and says in p.stderr, p.stderr


def test_pages_are_what_their_sources_say(tmp_path):
    p = make(SOURCES, tmp_path / "made")
    assert p.returncode == 0, p.stderr
    for page in PAGES:
        assert (tmp_path / "made" / page).read_text() == text(page), page


def test_every_command_and_option_is_there(shared):
    """The same from outside: what help says, the page has."""
    for page in COMMANDS:
        name = page[8:-2]
        said = shared.ok("help", name).text.partition("\nOptions:\n")[2]
        assert not said or ".Sh OPTIONS\n" in text(page)
        for option in re.findall(r"^  .{4}--([a-z][a-z-]+)", said, re.M):
            assert re.search(rf"^\.It .*Fl -{option}\b", text(page), re.M), (
                page, option)


def test_statuses(shared):
    """Those that a wrong line ends with are on the command's page."""
    taken = shared.spawn("--name", "taken")
    for code, args in ((2, ("inspect",)), (2, ("kill",)), (2, ("prune", "x")),
                       (2, ("version", "x")), (2, ("doctor", "x")),
                       (3, ("console", "nobody")),
                       (6, ("spawn", "--name", "taken"))):
        assert shared.must_fail(*args).code == code, args
        page = text(f"stacyvm-{args[0]}.1").partition("\n.Sh EXIT STATUS\n")[2]
        assert f"\n.It Li {code}\n" in page.partition("\n.Sh ")[0], args
    shared.ok("kill", taken)


def test_one_alias_has_no_braces():
    assert ".Nm stacyvm\n.Cm sh\n" in text("stacyvm-shell.1")
    assert ".Nm stacyvm\n.Brq Cm rm | destroy\n" in text("stacyvm-kill.1")


@pytest.mark.native
def test_posture_is_explained(shared, box):
    """Each field there is, and no other."""
    posture = shared.ok("inspect", "--json", box).json()
    posture = (posture[0] if isinstance(posture, list) else posture)["posture"]
    block = text("stacyvm-security.7").split('.\\" posture\n')[1]
    block = block.split("\n.El\n")[0].replace("\\\n", "")
    named = {w for line in re.findall(r"^\.It Va (.*)", block, re.M)
             for w in line.replace(",", " ").split()}
    assert set(posture) <= named
    sometimes = {"disk_mb", "etc", "signals"}  # where limited; with a single id
    assert named - sometimes <= set(posture)
    assert set(posture["cgroup"]) <= set(re.findall(r"\w+", block))


# -- what is written by hand

ORDER = ["NAME", "SYNOPSIS", "DESCRIPTION", "COMMANDS", "OPTIONS", "STATES", "TYPES",
         "ENVIRONMENT", "FILES", "EXIT STATUS", "EXAMPLES", "SEE ALSO"]


@pytest.mark.parametrize("page", COMMANDS)
def test_sections(page):
    found = re.findall(r"^\.Sh (.*)", text(page), re.M)
    assert found == [s for s in ORDER if s in found]
    assert {"NAME", "SYNOPSIS", "DESCRIPTION", "EXIT STATUS", "EXAMPLES",
            "SEE ALSO"} <= set(found)


def test_references():
    """Pages, options and keys that prose names are there."""
    everything = "".join(text(p) for p in PAGES)
    keys = set(re.findall(r"^\.It Cm ([a-z.0-9_]+) Pq Ev STACYVM_", everything, re.M))
    sections = {k.rsplit(".", 1)[0] for k in keys}
    options = set(re.findall(r"^\.It .*Fl -([a-z-]+)", everything, re.M))
    for page in PAGES:
        body = text(page)
        for name, number in re.findall(r"Xr (stacyvm\S*) (\d)", body):
            assert f"{name}.{number}" in PAGES, (page, name)
        for option in re.findall(r"Fl -([a-z][a-z-]*)", body):
            assert option in options | {"origin"}, (page, option)
        for key in re.findall(r"Cm ((?:auth|server|defaults|providers|registries"
                              r"|audit|ui|daemon|logging|rate_limit|database)"
                              r"\.[a-z_.0-9]+)", body):
            assert key.rstrip(".") in keys | sections, (page, key)


def test_mandoc():
    if not shutil.which("mandoc"):
        pytest.skip("needs mandoc")
    p = subprocess.run(["mandoc", "-T", "lint", *(MAN / page for page in PAGES)],
                       capture_output=True, text=True, check=False)
    said = [line for line in p.stdout.splitlines()
            if "referenced manual not found" not in line] # not installed here
    assert not said, "\n".join(said)


def test_man_db():
    if not shutil.which("man") or not shutil.which("groff"):
        pytest.skip("needs man-db")
    for page in PAGES:
        p = subprocess.run(["man", "--warnings", "-E", "UTF-8", "-l", "-Tutf8",
                            MAN / page], env={"LC_ALL": "C.UTF-8", "MANWIDTH": "80",
                                              "PATH": "/usr/bin:/bin"},
                           capture_output=True, text=True, check=False)
        assert p.returncode == 0 and not p.stderr, (page, p.stderr)


def test_install(tmp_path):
    """`make install` puts them where man(1) looks, `make uninstall` takes them.
    Nothing is built for it: other tests run on this tree."""
    if not shutil.which("man"):
        pytest.skip("needs man-db")
    place = tmp_path / "root"
    make_ = ["make", "-C", str(svm.ROOT), "-o", "all", f"B={svm.BUILD}",
             f"DESTDIR={place}", "PREFIX=/usr"]
    p = subprocess.run([*make_, "install"], check=True, capture_output=True, text=True)
    assert "  CC " not in p.stdout
    p = subprocess.run(["man", "-M", place / "usr/share/man", "-w",
                        "stacyvm-spawn"], capture_output=True, text=True, check=False)
    assert p.stdout.strip().endswith("man1/stacyvm-spawn.1"), p
    assert len(list((place / "usr/share/man").glob("man*/*"))) == len(PAGES)
    subprocess.run([*make_, "uninstall"], check=True, capture_output=True)
    assert not [f for f in place.rglob("*") if f.is_file()]


# -- examples

def uses(script):
    """(command, long options) of each stacyvm in shell text."""
    for part in re.split(r"[|;&()\n]+", script.replace("\\\n", " ")):
        m = re.search(r"(?:^|[\s\"])stacyvm ([a-z]+)(.*)", part)
        if m:
            own = re.split(r" -- |'", m[2])[0]
            yield m[1], re.findall(r"(?:^|\s)--([a-z][a-z-]+)", own)


def check_uses(where, script):
    own = re.compile(r"^\.It .*Fl -([a-z][a-z-]*)", re.M)
    everywhere = set(own.findall(text("stacyvm.1")))
    for name, options in uses(script):
        page = f"stacyvm-{name}.1"
        assert page in PAGES, (where, name)
        known = everywhere | set(own.findall(text(page)))
        if "are those of" in text(page):
            known |= set(own.findall(text("stacyvm-spawn.1")))
        assert set(options) <= known, (where, name, set(options) - known)


def test_examples_use_what_there_is(shared):
    """Also those that are not run, and those of help."""
    for page in PAGES:
        for block in re.findall(r"^\.Bd -literal.*\n([^\0]*?)^\.Ed", text(page), re.M):
            check_uses(page, block.replace("\\e", "\\"))
    for page in COMMANDS:
        said = shared.ok("help", page[8:-2]).text
        m = re.search(r"^Examples:\n((?:  .*\n)+)", said, re.M)
        check_uses(f"help of {page}", m[1] if m else "")


def examples():
    found = []
    for page in PAGES:
        source = (SOURCES / f"{page}.in").read_text()
        blocks = re.findall(r'^\.\\" run(.*)\n\.Bd.*\n([^\0]*?)\n\.Ed$', source, re.M)
        for i, (needs, script) in enumerate(blocks, 1):
            found.append(pytest.param(script.replace("\\e", "\\"), needs.split(),
                                      id=f"{page}-{i}"))
    return found


@pytest.mark.seconds(60)
@pytest.mark.parametrize("script, needs", examples())
def test_example(inst, tmp_path, script, needs):
    """As it is printed, in a directory of its own; each line must succeed."""
    for tool in needs:
        if not shutil.which(tool):
            pytest.skip(f"needs {tool}")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/stacyvm").symlink_to(inst.binary)
    work = tmp_path / "work"
    work.mkdir()
    env = {**inst.env, "PATH": f"{tmp_path}/bin:{inst.env['PATH']}"}
    p = subprocess.run(["bash", "-euo", "pipefail", "-c", script], env=env, cwd=work,
                       stdin=subprocess.DEVNULL, capture_output=True,
                       text=True, check=False, timeout=60)
    assert p.returncode == 0, (p.stdout, p.stderr)
