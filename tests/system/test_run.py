# SPDX-License-Identifier: MIT
"""The runner of all tests: what it says at the end is so."""
import importlib.machinery
import importlib.util
import subprocess
import sys
import types

import pytest

from svm import IS_ROOT, ROOT

FILES = {
    "test_fine": "def test_it(): pass\n",
    "test_crash": "import os\n"
                  "def test_before(): pass\n"
                  "def test_it(): os.kill(os.getpid(), 11)\n",
    "test_exit": "import os\ndef test_it(): os._exit(0)\n",
    "test_empty": "def not_a_test(): pass\n",
    "test_broken": "def test_it(: pass\n",
    "test_wrong": "def test_it(): assert 0\n",
    "test_end": "import pytest\n@pytest.fixture\n"
                "def f():\n    yield\n    assert 0\n"
                "def test_it(f): pass\n",
    "test_skip": "import pytest\npytest.skip('no such thing', "
                 "allow_module_level=True)\n",
}
FAILED = {"test_crash": "pytest: exit status -11", "test_exit": "ran no test",
          "test_empty": "ran no test", "test_broken": "test_broken",
          "test_wrong": "test_it", "test_end": "test_it"}


def run(*files):
    p = subprocess.run(
        [sys.executable, "-B", str(ROOT / "tests/run"), "--no-build", "--only",
         "system", *(["--unshare"] if IS_ROOT else []), *map(str, files)],
        capture_output=True, text=True, check=False, timeout=100)
    return p.returncode, p.stdout


@pytest.fixture
def written(tmp_path):
    for name, text in FILES.items():
        (tmp_path / f"{name}.py").write_text(text)
    return tmp_path


def test_what_fails_and_what_is_skipped(written):
    code, out = run(*sorted(written.glob("test_*.py")))
    if IS_ROOT and "unshare failed" in out:
        pytest.skip("needs user namespaces")
    assert code == 1, out
    assert out.splitlines()[-1].endswith(" passed, 6 failed, 1 skipped"), out
    failed = out.split("\nfailed:\n")[1].splitlines()
    for name, why in FAILED.items():
        [line] = [x for x in failed if f"/{name} (" in x]
        assert line.endswith(why), out
    [skipped] = [x for x in out.split("\nskipped:\n")[1].splitlines()
                 if "/test_skip (" in x]
    assert skipped.endswith(": no such thing"), out


def test_all_is_well(written):
    code, out = run(written / "test_fine.py")
    if IS_ROOT and "unshare failed" in out:
        pytest.skip("needs user namespaces")
    assert code == 0 and out.splitlines()[-1] == \
        "1 passed, 0 failed, 0 skipped", out


@pytest.fixture(scope="module")
def runner():
    path = str(ROOT / "tests/run")
    loader = importlib.machinery.SourceFileLoader("tests_run", path)
    module = importlib.util.module_from_spec(
        importlib.util.spec_from_loader("tests_run", loader))
    loader.exec_module(module)
    return module


def ran(status, text):
    return types.SimpleNamespace(status=status, text=text)


TAP = "1..2\nok 1 - a\n"


@pytest.mark.parametrize("status, text, failed", [
    (0, TAP + "ok 2 - b\n", []),
    (0, TAP + "not ok 2 - b\n", ["b"]),
    (0, TAP, ["ended after 1 of 2 tests"]),
    (-11, TAP, ["ended after 1 of 2 tests"]),
    (-11, TAP + "ok 2 - b\n", ["exit status -11"]),
    (None, TAP + "ok 2 - b\n", ["hung"]),
    (0, "", ["ran no test"]),
    (0, "1..0\n", ["ran no test"]),
])
def test_programs_are_not_believed(runner, status, text, failed):
    """What a unit test says of itself must fit how it ended."""
    assert runner.parse_tap(ran(status, text))[1] == failed


def test_a_skip_has_its_reason(runner):
    assert runner.parse_tap(ran(
        0, "1..2\nneeds a moon\nok 1 # SKIP a\nok 2 - b\n")) == (
            1, [], [("a", "needs a moon")])


# -- who reads the end of the output knows why

WORDY = """
import pytest

@pytest.fixture
def broken():
    yield
    raise AssertionError("afterwards")

def test_wordy(broken):
    print("noise " * 1000)
    raise AssertionError("w" * 999 + "\\n" + "line\\n" * 99)
"""


def test_why_it_failed_is_said_at_the_end(runner, tmp_path):
    (tmp_path / "test_it.py").write_text(WORDY)
    code, out = run(tmp_path / "test_it.py")
    if IS_ROOT and "unshare failed" in out:
        pytest.skip("needs user namespaces")
    assert code == 1, out
    name, *why = out.split("\nfailed:\n")[1].split("\n\n")[0].splitlines()
    assert name.endswith(": test_wordy") and len(why) == runner.WHY_LINES, out
    why = [line.removeprefix("    | ") for line in why]
    assert "/test_it.py:11: in test_wordy" in why[0], out
    assert why[1].startswith("E   AssertionError: www"), out
    assert why[1].endswith("...") and len(why[1]) == runner.WHY_COLUMNS, out
    assert "..." in why and why[-1] == "E   AssertionError: afterwards", out
    assert "noise" not in "".join(why), out


def test_why_a_program_failed(runner):
    _, [failed], _ = runner.parse_tap(ran(
        1, TAP + "not ok 2 - b\n# 0x1 != 0x2\n# b.c:7: error: Failure!\n"
        "# not ok - all\n"))
    assert failed.why[:2] == ["0x1 != 0x2", "b.c:7: error: Failure!"]
    _, [failed], _ = runner.parse_tap(ran(-11, TAP + "it crashed\n"))
    assert failed.why[-1] == "it crashed"
    many = [str(i) for i in range(99)]
    _, [failed], _ = runner.parse_status(ran(2, "\n".join(many)))
    assert failed.why == many[-runner.WHY_LINES:]
