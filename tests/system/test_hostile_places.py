# SPDX-License-Identifier: GPL-2.0-or-later
"""Names of namespaces, interfaces, folders and programs that a stranger chose: escaped in every text, whole in JSON."""

import json
import os
import shutil
import subprocess
import sys

import pytest

from test_names import OBEYED

pytestmark = pytest.mark.needs("root")

BAD = b"n\x1b]0;t\x07\xe2\x80\xae\xc2\x9b\"'\\\nq"
BAD_INTERFACE = b"e\x1b[31m\xe2\x80\xae\"\\"

# in mounts and a network of its own, so that none of these names is seen by anybody else
ROOM = """
import ctypes, os, socket, subprocess, sys
name, interface = (os.fsencode(word) for word in sys.argv[1:])
def run(*words): subprocess.run(words, check=True)
run('mount', '-t', 'tmpfs', 'none', '/run')
run('ip', 'link', 'set', 'lo', 'up')
run('ip', 'link', 'add', interface, 'type', 'veth', 'peer', 'name', 'other')
run('ip', 'address', 'add', '192.0.2.9/24', 'dev', interface)
run('ip', 'link', 'set', interface, 'up')
run('ip', 'netns', 'add', name)
run('ip', 'netns', 'exec', name, 'ip', 'link', 'set', 'lo', 'up')
bound = socket.socket()
bound.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, interface + b'\\0')
bound.bind(('192.0.2.9', 0))
bound.listen()
inner = os.fork()
if not inner:
    with open(b'/run/netns/' + name) as it:
        ctypes.CDLL(None).setns(it.fileno(), 0)
    other = socket.create_server(('127.0.0.1', bound.getsockname()[1]))
os.write(1, b'%d\\n' % bound.getsockname()[1])  # of both, so in one piece
sys.stdin.read()
"""


class Places:
    def __init__(self, folder):
        self.exe = folder + b"/p\x1b[31m\xe2\x80\xae\n"
        os.mkdir(folder)
        shutil.copy(os.path.realpath(sys.executable), self.exe)
        self.process = subprocess.Popen(
            ["unshare", "-nm", self.exe, "-c", ROOM, BAD, BAD_INTERFACE], cwd=folder, stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, env={**os.environ, "PYTHONHOME": sys.base_prefix})
        said = [self.process.stdout.readline() for _ in range(2)]
        if not all(said):
            pytest.skip("no such namespace, interface or mount can be made here")
        self.port = int(said[0])

    def ask(self, doorward, *words):
        ran = subprocess.run(["nsenter", "-t", str(self.process.pid), "-n", "-m", doorward.path, *words],
                             capture_output=True, stdin=subprocess.DEVNULL, timeout=60, check=False)
        assert ran.returncode in (0, 1, 2, 3)
        return ran.stdout + ran.stderr


@pytest.fixture(scope="module")
def places(tmp_path_factory):
    made = Places(os.fsencode(tmp_path_factory.mktemp("places")) + b"/" + BAD)
    yield made
    made.process.stdin.close()
    made.process.wait(20)


@pytest.mark.parametrize("words", [
    ["list"], ["list", "--all", "--output", "wide"], ["list", "--all", "--output", "csv"], ["list", "--all", "--output", "raw"],
    ["list", "--fields", "netns_name,interface,exe,cwd,cmdline"], ["show", "PORT"], ["deliver", "PORT"], ["netstat", "-abo"],
    ["fport", "-ap"], ["close", "PORT", "--dry-run"], ["why", "PORT"], ["why", "192.0.2.9:PORT", "--connect"],
    ["why", "PORT", "NAME", "--connect"], ["list", "--netns", "NAME"], ["list", "--netns", "NAMEx"],
], ids=" ".join)
def test_no_text_sends_what_a_terminal_obeys(places, doorward, words):
    asked = [os.fsencode(w).replace(b"PORT", b"%d" % places.port).replace(b"NAME", BAD) for w in words]
    out = places.ask(doorward, *asked)
    assert out and OBEYED.search(out.decode("utf-8")) is None


def test_json_has_them_whole(places, doorward):
    seen = json.loads(places.ask(doorward, "list", "--json", f"port = {places.port}"))["sockets"]
    assert {s["interface"] for s in seen} == {None, BAD_INTERFACE.decode()}
    assert {s["netns_name"] for s in seen} == {None, BAD.decode()}
    assert {h["exe"] for s in seen for h in s["holders"]} == {os.fsdecode(places.exe)}
    assert {h["cwd"] for s in seen for h in s["holders"]} == {os.fsdecode(os.path.dirname(places.exe))}


def test_a_mistyped_namespace_is_told_the_nearest(places, doorward):
    assert b"did you mean n\\e]0;t" in places.ask(doorward, "list", "--netns", BAD + b"x")
