# SPDX-License-Identifier: GPL-2.0-or-later
"""What every system test is given: scenes that make the real thing, the program that looks at it.

    def test_every_worker_holds_the_shared_socket(scene, doorward):
        made = scene("tcp-listener", workers=5)
        seen = doorward.list(f"port = {made.port}")
        assert seen.one(inode=made.inode).pids == set(made.pids)

A scene is up when its line of JSON comes, so nothing sleeps. It ends with its test. What this host or this user
cannot have is skipped, with the reason that the system gave.
"""

import atexit
import functools
import json
import os
import pathlib
import select
import shutil
import signal
import subprocess
import tempfile
import types

import pytest

import lanes

TREE = pathlib.Path(__file__).resolve().parents[2]
NOBODY = 65534


def pytest_configure(config):
    config.addinivalue_line("markers", "needs(*what): root, bpf, program:NAME, memory:GIB, big")
    config.addinivalue_line("markers", "alone: with no other test beside it (lanes.py)")
    if hasattr(config, "workerinput"):
        lanes.enter(int(config.workerinput["workerid"].removeprefix("gw")))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    return lanes.scheduler(config, log)


def pytest_collection_modifyitems(items):
    """The longest groups first: the others fill up what they leave."""
    items.sort(key=lambda item: lanes.group_of(item.nodeid) not in lanes.TOGETHER)


def _lacks(need):
    """Why this host or user does not have @need; None when it has."""
    kind, _, name = need.partition(":")
    if kind == "root":
        return None if os.geteuid() == 0 else "needs root"
    if kind == "bpf":
        return _lacks("root") or _bpf_refusal()
    if kind == "program":
        return None if shutil.which(name) else f"needs the program {name}"
    if kind == "memory":
        free = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        return None if free >= int(name) << 30 else f"needs {name} GiB of free memory"
    if kind == "big":
        return None if os.environ.get("DOORWARD_TEST_BIG") else "takes long: set DOORWARD_TEST_BIG=1"
    raise ValueError(need)


@functools.cache
def _bpf_refusal():
    ran = subprocess.run([program("DOORWARD", "src/doorward"), "list", "--source", "bpf", "--json", "port = 1"],
                         capture_output=True, text=True, timeout=60)
    return None if ran.returncode in (0, 1) else f"no BPF here: {ran.stderr.strip()}"


def pytest_runtest_setup(item):
    for mark in item.iter_markers("needs"):
        for need in mark.args:
            reason = _lacks(need)
            if reason:
                pytest.skip(reason)


@functools.cache
def program(variable, path):
    """The program built in the build directory, or the one that the environment names."""
    named = os.environ.get(variable)
    if named:
        return named
    build = pathlib.Path(os.environ.get("MESON_BUILD_ROOT", TREE / "build"))
    found = build / path
    if not found.exists():
        pytest.exit(f"{found} is missing: ninja -C {build}, or set {variable}", 2)
    return str(found)


@functools.cache
def _for_everyone(path):
    """@path, or a copy of it, modules beside it, where an ordinary user may not come to it: the tree is in root's home."""
    words = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "test", "-x", path]
    if os.geteuid() != 0 or not shutil.which("setpriv") or subprocess.run(words, check=False).returncode == 0:
        return path
    place = tempfile.mkdtemp(prefix="doorward-")
    atexit.register(shutil.rmtree, place)
    os.chmod(place, 0o755)
    for module in pathlib.Path(path).parent.glob("*.so"):
        shutil.copy(module, place)
    return shutil.copy(path, place)


# ---- an end for each ----

LIMIT = 300  # seconds; the longest take a fifth of it beside three others


def _bounded(what):
    """What waits in vain fails by its name, and the others are run."""
    def give_up(*_):
        raise TimeoutError(f"{what} has not ended in {LIMIT} seconds")

    was = signal.signal(signal.SIGALRM, give_up)
    signal.alarm(LIMIT)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, was)


@pytest.hookimpl(hookwrapper=True)
def pytest_fixture_setup(fixturedef):
    yield from _bounded(fixturedef.argname)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_call(item):
    yield from _bounded(item.nodeid)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_teardown(item):
    yield from _bounded(item.nodeid)


# ---- scenes ----

class Scene:
    """A running scene; what its line of JSON says are attributes: made.port, made.sockets[0].inode."""

    def __init__(self, name, options, rest=()):
        words = [program("SCENE", "tests/scenes/scene"), name]
        for option, value in options.items():
            words += ["--" + option.replace("_", "-"), str(int(value) if isinstance(value, bool) else value)]
        self._process = subprocess.Popen(words + (["--", *rest] if rest else []), stdin=subprocess.PIPE,
                                         stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        line = self._first_line(60)
        if not line:
            self._say_why(name)
        self.__dict__.update(vars(json.loads(line, object_hook=lambda o: types.SimpleNamespace(**o))))

    def _first_line(self, limit):
        if not select.select([self._process.stdout], [], [], limit)[0]:
            self._process.kill()
            self._process.wait()
            raise TimeoutError("the scene is not up")
        return self._process.stdout.readline()

    def _say_why(self, name):
        _, why = self._process.communicate()
        why = why.decode(errors="replace").strip()
        if self._process.returncode == 77:
            pytest.skip(f"scene {name}: {why}")
        raise RuntimeError(f"scene {name} ended with {self._process.returncode}: {why}")

    def socket(self, role):
        """The one socket of that role."""
        found, = [s for s in self.sockets if s.role == role]
        return found

    def close(self):
        if self._process.returncode is None:
            self._process.stdin.close()
            try:
                self._process.wait(60)
            finally:
                self._process.kill()
                self._process.wait()
        self._process.stdout.close()
        self._process.stderr.close()


@pytest.fixture
def scene():
    """scene(name, **options): it is up when this returns, and gone after the test."""
    running = []

    def start(name, /, rest=(), **options):
        running.append(Scene(name, options, rest))
        return running[-1]

    yield start
    for made in reversed(running):
        made.close()


@pytest.fixture(scope="module")
def shared_scene():
    """The same, for all tests of a module."""
    running = []

    def start(name, /, **options):
        running.append(Scene(name, options))
        return running[-1]

    yield start
    for made in reversed(running):
        made.close()


# ---- the program ----

class Socket(dict):
    """A socket of the program's JSON."""

    @property
    def pids(self):
        return {h["pid"] for h in self["holders"]}

    @property
    def local(self):
        return self["local_address"], self["local_port"]

    @property
    def peer(self):
        return self["peer_address"], self["peer_port"]


class Seen(dict):
    """What the program saw: its JSON."""

    @property
    def sockets(self):
        return [Socket(s) for s in self["sockets"]]

    def all(self, **facts):
        return [s for s in self.sockets if all(s[k] == v for k, v in facts.items())]

    def one(self, **facts):
        found = self.all(**facts)
        assert len(found) == 1, f"{len(found)} sockets with {facts} among {len(self['sockets'])}: {found[:4]}"
        return found[0]

    def missing(self, what=None):
        return [m for m in self["missing"] if what in (None, m["what"])]


class Doorward:
    """The program under test, run as we are or behind a prefix of words (setpriv, nsenter)."""

    def __init__(self, prefix=()):
        self.path = _for_everyone(program("DOORWARD", "src/doorward"))
        self.prefix = list(prefix)

    def run(self, *args, environment=None, text=True, timeout=120):
        """(status, standard output, standard error)."""
        env = {**os.environ, "NO_COLOR": "1", "DOORWARD_PAGER": "", "PAGER": "cat",
               "XDG_CONFIG_HOME": "/nonexistent", **(environment or {})}
        ran = subprocess.run([*self.prefix, self.path, *map(str, args)], capture_output=True, env=env,
                             stdin=subprocess.DEVNULL, timeout=timeout)
        if not text:
            return ran.returncode, ran.stdout, ran.stderr
        return ran.returncode, ran.stdout.decode(errors="surrogateescape"), ran.stderr.decode(errors="replace")

    def json(self, command, *args, statuses=(0, 1)):
        """What `command --json` says; 1: nothing matched, which is an answer too."""
        status, out, err = self.run(command, "--json", *args, text=False)
        assert status in statuses, f"{command} {args}: status {status}: {err.decode(errors='replace')}"
        return Seen(json.loads(out))

    def list(self, *args, **how):
        return self.json("list", *args, **how)

    def table(self, *args):
        """The lines of the table, as a person's pipe gets them."""
        status, out, err = self.run("list", *args)
        assert status in (0, 1), err
        return out.splitlines()

    def inside(self, pid, *namespaces):
        """The program as run from within the namespaces of @pid ("net", "pid", "mount")."""
        return Doorward([*self.prefix, "nsenter", "-t", str(pid), *[f"--{n}" for n in namespaces], "--"])

    def hidepid(self):
        """The program as an ordinary user runs it where /proc hides the processes of others."""
        return Doorward([program("SCENE", "tests/scenes/scene"), "run-hidepid", "--"])

    def as_user(self, uid=NOBODY, capabilities=()):
        """The program as an ordinary user runs it; when we are one, as we are."""
        if os.geteuid() != 0:
            if capabilities:
                pytest.skip("needs root")
            return self
        words = ["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups"]
        if capabilities:
            named = ",".join(f"+{c}" for c in capabilities)
            words += [f"--inh-caps=-all,{named}", f"--ambient-caps=-all,{named}"]
        else:
            words += ["--inh-caps=-all", "--bounding-set=-all"]
        return Doorward([*words, "--"])


@pytest.fixture(scope="session")
def doorward():
    return Doorward()


@pytest.fixture(params=["auto", pytest.param("bpf", marks=pytest.mark.needs("bpf")), "proc"])
def source(request):
    """Each way of finding out, as the words for the command line."""
    return "--source", request.param

