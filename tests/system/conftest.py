# SPDX-License-Identifier: MIT
"""Fixtures of the system tests: a real daemon, the real command line.

STACYVM_TEST_PROVIDER=x reruns everything under provider x; without it the
native provider is used where the host allows it, else mock.
"""
import os
import signal
import subprocess
import sys

import pytest

sys.path.insert(0, os.path.dirname(__file__))
sys.dont_write_bytecode = True

import svm  # noqa: E402

TEST_SECONDS = int(os.environ.get("STACYVM_TEST_SECONDS", "120"))
_provider = None


def default_provider():
    """What the tests run under, found out once."""
    global _provider
    if _provider is None:
        _provider = os.environ.get("STACYVM_TEST_PROVIDER")
    if not _provider:
        inst = svm.Instance("native")
        try:
            r = inst.run("provider", "test", "native")
            _provider = "native" if r.code == 0 else "mock"
            os.environ["STACYVM_TEST_WHY_NOT_NATIVE"] = r.errtext or r.text
        finally:
            inst.stop()
    return _provider


def pytest_configure(config):
    config.addinivalue_line("markers", "root: needs uid 0 and other ids")
    config.addinivalue_line("markers", "native: needs the native provider")
    config.addinivalue_line("markers", "seconds(n): may take this long")
    svm.become_reaper()


def pytest_runtest_setup(item):
    if item.get_closest_marker("root") and not svm.IS_WHOLE_ROOT:
        pytest.skip("needs root, with other ids to be")
    if item.get_closest_marker("native") and default_provider() != "native":
        why = os.environ.get("STACYVM_TEST_WHY_NOT_NATIVE", "")
        pytest.skip("needs the native provider" +
                    (f": {why.strip().splitlines()[0]}" if why.strip() else ""))


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_protocol(item):
    """A test that hangs is ended and named."""
    mark = item.get_closest_marker("seconds")
    seconds = (mark.args[0] if mark else TEST_SECONDS) * (
        3 if svm.SANITIZED else 1)

    def expired(*_):
        raise svm.Timeout(f"the test hung: over {seconds} s")

    old = signal.signal(signal.SIGALRM, expired)
    signal.alarm(seconds)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, old)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    report = (yield).get_result()
    if report.failed:
        for inst in set(svm._live):
            report.sections.append((f"log of {inst.base}", inst.log(8000)))


@pytest.fixture(scope="session")
def provider():
    return default_provider()


@pytest.fixture
def new_instance(provider):
    """Makes instances; each is stopped and checked at the end."""
    made = []

    def make(**kw):
        kw.setdefault("provider", provider)
        made.append(svm.Instance(**kw))
        return made[-1]

    yield make
    errors = []
    for inst in reversed(made):
        try:
            inst.stop()
        except (AssertionError, subprocess.SubprocessError, OSError) as e:
            errors.append(e)
    if errors:
        raise errors[0]


@pytest.fixture
def inst(new_instance):
    """An instance of this test's own, no daemon yet."""
    return new_instance()


@pytest.fixture(scope="module")
def shared(provider):
    """A running instance for all tests of a file that leave it as it was."""
    i = svm.Instance(provider)
    i.start()
    yield i
    i.stop()


@pytest.fixture
def box(shared):
    """The id of a sandbox in the shared instance, destroyed afterwards."""
    sid = shared.sandbox()["id"]
    yield sid
    shared.api("DELETE", f"/sandboxes/{sid}", check=200)
