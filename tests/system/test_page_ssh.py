# SPDX-License-Identifier: GPL-2.0-or-later
"""The page from another host: a real sshd, `ssh -L`, and a browser at its end."""

import contextlib
import getpass
import http.client
import pathlib
import re
import signal
import socket
import subprocess
import types

import pytest

import pages
from chromium_page import chromium  # noqa: F401 (fixture)

pytestmark = pytest.mark.needs("root", "program:sshd", "program:ssh")


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as sock:
        return sock.getsockname()[1]


@contextlib.contextmanager
def running(words, *, reached=None):
    """A process until the end of the block; when it is entered, @reached lets in."""
    with subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        try:
            for _ in range(600):
                with contextlib.suppress(OSError), socket.create_connection(reached, timeout=1):
                    break
                with contextlib.suppress(subprocess.TimeoutExpired):
                    raise AssertionError(f"it ended with {process.wait(0.1)}: {process.stderr.read()}")
            yield process
        finally:
            process.terminate()


@pytest.fixture
def forwarded(tmp_path):
    """forwarded(from, to): `ssh -L from:to` to this host, until the end of the block."""
    for name in "host", "user":
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / name)], check=True)
    pathlib.Path("/run/sshd").mkdir(exist_ok=True)
    port = free_port()
    (tmp_path / "conf").write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {tmp_path}/host\nUsePAM no\nPidFile none\nStrictModes no\n"
        f"AuthorizedKeysFile {tmp_path}/user.pub\nPermitRootLogin yes\n", encoding="ascii")
    wishes = "BatchMode=yes", "StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "LogLevel=error", "ExitOnForwardFailure=yes"

    def forward(here, there):
        address, _, number = here.rpartition(":")
        return running(["ssh", "-F", "none", "-N", "-i", str(tmp_path / "user"), "-p", str(port), *[f"-o{wish}" for wish in wishes],
                        "-L", f"{here}:{there}", f"{getpass.getuser()}@127.0.0.1"], reached=(address, int(number)))

    with running(["/usr/sbin/sshd", "-D", "-e", "-f", str(tmp_path / "conf")], reached=("127.0.0.1", port)):
        yield forward


def test_a_browser_looks_and_closes_through_a_socket_that_ssh_forwards(doorward, scene, chromium, forwarded, tmp_path):  # noqa: F811
    made, here = scene("tcp-listener"), free_port()
    path = tmp_path / "door"
    with subprocess.Popen([*doorward.prefix, doorward.path, "serve", "--socket", path], stdout=subprocess.PIPE, text=True) as serve:
        try:
            token = re.search("#token=([0-9a-f]{64})", serve.stdout.readline())[1]
            for host in ("127.0.0.1", "localhost"):
                with forwarded(f"127.0.0.1:{here}", path):
                    chromium.look(1280, 800)
                    chromium.open(types.SimpleNamespace(address=f"http://{host}:{here}/#token={token}"), f"story=tcp/{made.port}")
                    chromium.wait("return document.querySelector('.live.is-live') && document.querySelector('.story .holder')")
                chromium.wait("return document.querySelector('.live.is-lost') !== null")  # ssh has ended
            with forwarded(f"127.0.0.1:{here}", path):
                chromium.wait("return document.querySelector('.live.is-live') !== null")
                chromium.press("c")
                chromium.wait("return document.querySelector('#confirm:not([disabled])') !== null")
                chromium.css("#confirm").click()
                assert "is free" in chromium.wait("return document.querySelector('dialog [role=status]')?.innerText")
        finally:
            serve.send_signal(signal.SIGINT)
        assert serve.wait(pages.LIMIT) == 0


def test_a_port_is_forwarded_to_the_same_number_and_no_other(doorward, forwarded):
    page = pages.Page(doorward)
    try:
        for number, status in (page.port, 200), (free_port(), 403):
            with forwarded(f"127.0.0.2:{number}", f"127.0.0.1:{page.port}"):
                with contextlib.closing(http.client.HTTPConnection("127.0.0.2", number, timeout=pages.LIMIT)) as connection:
                    connection.request("GET", "/api/fields", headers={**page.headers(), "Host": f"127.0.0.1:{number}"})
                    answer = connection.getresponse()
                    assert answer.status == status
                    assert status == 200 or "at the same port" in answer.read().decode()
    finally:
        assert page.end() == (0, "")
