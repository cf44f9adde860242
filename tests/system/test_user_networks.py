# SPDX-License-Identifier: GPL-2.0-or-later
"""Networks of ordinary users: slirp4netns, pasta and rootlesskit hold a port for a process in another namespace."""

import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import types

import pytest

from hosts import listener, skip_unless, until

pytestmark = pytest.mark.needs("root")
NOBODY = ["setpriv", "--pdeathsig", "KILL", "--reuid=65534", "--regid=65534", "--clear-groups"]

# In mounts of its own: a TUN device and subordinate ids for the user who is to have them.
PREPARE = """
mount --make-rprivate / && mknod -m 666 tun c 10 200 && mount --bind tun /dev/net/tun &&
echo nobody:200000:65536 >ids && echo nogroup:200000:65536 >>ids && touch /etc/subuid /etc/subgid &&
mount --bind ids /etc/subuid && mount --bind ids /etc/subgid && exec "$@"
"""


@pytest.fixture
def folder():
    path = pathlib.Path(tempfile.mkdtemp(prefix="doorward-user-"))
    path.chmod(0o777)
    shutil.copy(listener(), path / "listen")
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def start(folder):
    """start(words): the program in mounts of its own, up when something listens on the port."""
    running = []

    def run(port, *words):
        environment = {**os.environ, "HOME": str(folder), "XDG_RUNTIME_DIR": str(folder)}
        log = open(folder / "log", "w+b")
        running.append(subprocess.Popen(["unshare", "--mount", "sh", "-c", PREPARE, "sh", *map(str, words)],
                                        cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=log,
                                        stderr=log, start_new_session=True))
        until(lambda: running[-1].poll() is not None or listens(port) and listens_inside(folder), words[0], 20)
        if running[-1].poll() is not None:
            pytest.skip(f"not here: {(folder / 'log').read_text(errors='replace')[-300:]}")
        return running[-1].pid

    yield run
    for process in running:
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        process.wait()


def listens(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def listeners_in(folder):
    """The processes that run the folder's listener, by /proc."""
    found = []
    for link in pathlib.Path("/proc").glob("[0-9]*/exe"):
        try:
            if os.readlink(link) == str(folder / "listen"):
                found.append(int(link.parts[2]))
        except OSError:
            continue
    return found


def listens_inside(folder):
    """It has opened its ports: a listener on port 80 in the table of its namespace."""
    return any(":0050 " in pathlib.Path(f"/proc/{pid}/net/tcp6").read_text() for pid in listeners_in(folder))


def answers(doorward, source, port):
    """Who holds the port on this host, and who is said to answer."""
    netns = os.stat("/proc/self/ns/net").st_ino
    found, = [s for s in doorward.list(*source, f"port = {port}").sockets if s["netns"] == netns]
    assert found["answered_by"], found["holders"]
    return types.SimpleNamespace(names={h["name"] for h in found["holders"]},
                                 pid=found["answered_by"]["process"]["pid"])


def test_rootlesskit_serves_its_child(doorward, source, start, folder):
    skip_unless("rootlesskit", "slirp4netns", "newuidmap")
    port = free_port()
    start(port, *NOBODY, "rootlesskit", f"--state-dir={folder}/state", "--net=slirp4netns",
          "--disable-host-loopback", "--port-driver=builtin", "-p", f"127.0.0.1:{port}:80/tcp", folder / "listen", 80,
          81)
    seen = answers(doorward, source, port)
    assert seen.names == {"rootlesskit"}
    assert [seen.pid] == listeners_in(folder)


def test_pasta_serves_what_it_started(doorward, source, start, folder):
    skip_unless("pasta")
    port = free_port()
    start(port, *NOBODY, "pasta", "--config-net", "-f", "-t", f"{port}:80", "-u", "none", "-T", "none", "-U", "none",
          "--", folder / "listen", 80, 81)
    seen = answers(doorward, source, port)
    assert any(name.startswith("pas") for name in seen.names)
    assert [seen.pid] == listeners_in(folder)


def test_slirp4netns_serves_the_process_that_it_was_given(doorward, source, start, folder):
    skip_unless("slirp4netns")
    port = free_port()
    inner = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", "unshare", "--net", folder / "listen", "80"])
    try:
        until(lambda: listens_inside(folder), "the listener")
        outer = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", "slirp4netns", "-c", "-a", folder / "socket",
                                  str(inner.pid), "tap0"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            until(lambda: (folder / "socket").exists() or outer.poll() is not None, "slirp4netns")
            if outer.poll() is not None:
                pytest.skip("slirp4netns does not run here")
            with socket.socket(socket.AF_UNIX) as api:
                api.connect(str(folder / "socket"))
                api.sendall(b'{"execute":"add_hostfwd","arguments":{"proto":"tcp","host_addr":"127.0.0.1",'
                            b'"host_port":%d,"guest_addr":"10.0.2.100","guest_port":80}}' % port)
                api.shutdown(socket.SHUT_WR)
                assert b"return" in api.recv(4096)
            seen = answers(doorward, source, port)
            assert seen.names == {"slirp4netns"}
            assert seen.pid == inner.pid
        finally:
            outer.kill()
            outer.wait()
    finally:
        inner.kill()
        inner.wait()
