# SPDX-License-Identifier: GPL-2.0-or-later
"""`close --by release` on real servers of Debian: their other connections lose nothing, and they stay quiet."""

import http.client
import os
import pathlib
import signal
import socket
import subprocess
import threading

import psutil
import pytest

from echo_server import (Traffic, alive, assert_can_listen, assert_idle, assert_refuses, await_that, only_step,
                          release)  # pylint: disable=unused-import

pytestmark = pytest.mark.needs("root")


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as own:
        return own.getsockname()[1]


def family_of(pid):
    """A process and its children."""
    process = psutil.Process(pid)
    return [pid] + [child.pid for child in process.children(recursive=True)]


class Running:
    """A server in a folder of its own, up once the kernel lists its port."""

    def __init__(self, folder, port, words, **how):
        self.port, self.folder = port, folder
        self.process = subprocess.Popen(words, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                        stderr=(folder / "errors").open("wb"), start_new_session=True, **how)
        self.pid = self.process.pid
        await_that(lambda: self._listens() or self.process.poll() is not None)
        assert self.process.poll() is None, (folder / "errors").read_text(encoding="utf-8", errors="replace")

    def _listens(self):
        ran = subprocess.run(["ss", "-tlnH", f"sport = :{self.port}"], capture_output=True, text=True, check=True)
        return ran.stdout.strip()

    def close(self):
        # who would start others in place of those that end goes first
        for pid in family_of(self.pid) if self.process.poll() is None else []:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.process.wait()


@pytest.fixture
def start(tmp_path):
    running = []

    def begin(words, port, **how):
        running.append(Running(tmp_path, port, words, **how))
        return running[-1]

    yield begin
    for one in running:
        one.close()


def close_port(release, port, *more):  # pylint: disable=redefined-outer-name
    step = only_step(release(f"tcp/127.0.0.1:{port}", *more))
    assert step["outcome"] == "free", step
    assert_refuses("127.0.0.1", port)
    return step


# ---- nginx ----

NGINX = """
worker_processes 2;
pid {folder}/pid;
error_log {folder}/error.log notice;
events {{ worker_connections 64; }}
http {{
    access_log off;
    keepalive_requests 1000000;
    client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder};
    uwsgi_temp_path {folder}; scgi_temp_path {folder};
    server {{ listen 127.0.0.1:{port}; location / {{ return 200 "here\\n"; }} }}
    server {{ listen 127.0.0.1:{other}; location / {{ return 200 "there\\n"; }} }}
}}
"""


class Requests(threading.Thread):
    """Requests over one connection that is kept."""

    def __init__(self, port):
        super().__init__(daemon=True)
        self.n, self.error, self._wanted = 0, None, True
        self._http = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        self._http.connect()
        self._http.auto_open = False
        self.start()
        self.more()

    def run(self):
        try:
            while self._wanted:
                self._http.request("GET", "/")
                answer = self._http.getresponse()
                assert (answer.status, answer.read()) == (200, b"here\n")
                self.n += 1
        except Exception as error:  # told to who asks
            self.error = error

    more, end = Traffic.more, Traffic.end


@pytest.mark.needs("program:nginx")
def test_nginx_and_a_reload_afterwards(start, release, tmp_path):
    port, other = free_port(), free_port()
    (tmp_path / "conf").write_text(NGINX.format(folder=tmp_path, port=port, other=other), encoding="ascii")
    made = start(["nginx", "-p", str(tmp_path), "-c", str(tmp_path / "conf"), "-g", "daemon off;"], port)
    await_that(lambda: len(family_of(made.pid)) == 3)
    requests = Requests(port)
    step = close_port(release, port)
    assert {h["pid"] for h in step["holders"]} == set(family_of(made.pid))
    requests.end()
    assert_idle(*family_of(made.pid))

    workers = family_of(made.pid)[1:]
    os.kill(made.pid, signal.SIGHUP)
    await_that(lambda: len(family_of(made.pid)) == 3 and not set(workers) & set(family_of(made.pid)))
    assert "emerg" not in (tmp_path / "error.log").read_text(encoding="utf-8")
    assert_idle(*family_of(made.pid))
    for _ in range(20):  # the other port is served by the new workers
        there = http.client.HTTPConnection("127.0.0.1", other, timeout=30)
        there.request("GET", "/")
        assert there.getresponse().read() == b"there\n"
        there.close()
    assert_refuses("127.0.0.1", port)
    assert_can_listen("127.0.0.1", port)


# ---- openssh ----

@pytest.fixture
def ssh_folder(tmp_path):
    for name in "host", "user":
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / name)], check=True)
    (tmp_path / "authorized").write_text((tmp_path / "user.pub").read_text(encoding="ascii"), encoding="ascii")
    pathlib.Path("/run/sshd").mkdir(exist_ok=True)
    return tmp_path


@pytest.mark.needs("program:sshd", "program:ssh")
def test_openssh(start, release, ssh_folder):
    """A session that copies what it is given goes on, and ends in order."""
    port = free_port()
    (ssh_folder / "conf").write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {ssh_folder}/host\nUsePAM no\nPidFile none\nStrictModes no\n"
        f"AuthorizedKeysFile {ssh_folder}/authorized\nPermitRootLogin yes\n", encoding="ascii")
    made = start(["/usr/sbin/sshd", "-D", "-e", "-f", str(ssh_folder / "conf")], port)
    wishes = "BatchMode=yes", "StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "LogLevel=error"
    session = subprocess.Popen(["ssh", "-F", "none", "-i", str(ssh_folder / "user"), "-p", str(port),
                                *[f"-o{wish}" for wish in wishes], "root@127.0.0.1", "cat"],
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)
    try:
        session.stdin.write(b"before\n")
        assert session.stdout.readline() == b"before\n"
        step = close_port(release, port)
        assert [h["pid"] for h in step["holders"]] == [made.pid]
        lines = [b"line %d\n" % n for n in range(2000)]
        for line in lines:
            session.stdin.write(line)
            assert session.stdout.readline() == line
        assert_idle(made.pid)
        session.stdin.close()
        assert session.wait(30) == 0
    finally:
        session.kill()
        session.wait()
        session.stdout.close()
    assert alive(made.pid)


# ---- redis, socat, ncat ----

@pytest.mark.needs("program:redis-server")
def test_redis(start, release, tmp_path):
    port = free_port()
    words = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(tmp_path)]
    made = start(words, port)
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        traffic = Traffic(connection, ask=lambda n: b"INCR counter\r\n", answer=lambda n: b":%d\r\n" % (n + 1))
        close_port(release, port)
        traffic.end()
        assert_idle(made.pid)
        connection.sendall(b"PING\r\n")
        assert connection.recv(100) == b"+PONG\r\n"


@pytest.mark.parametrize("words", (
    pytest.param(["socat", "TCP-LISTEN:{port},bind=127.0.0.1,fork,reuseaddr", "EXEC:cat"], id="socat",
                 marks=pytest.mark.needs("program:socat")),
    pytest.param(["ncat", "-l", "-k", "127.0.0.1", "{port}", "--exec", "/bin/cat"], id="ncat",
                 marks=pytest.mark.needs("program:ncat"))))
def test_relays(start, release, words):
    port = free_port()
    made = start([word.format(port=port) for word in words], port)
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        traffic = Traffic(connection)
        close_port(release, port)
        traffic.end()
        assert_idle(*family_of(made.pid))
        Traffic(connection).end()
    assert alive(made.pid)


@pytest.mark.parametrize("module", ("http.server", "asyncio"))
def test_python(start, release, module):
    port = free_port()
    asyncio = ("import asyncio\n"
               "async def echo(r, w):\n"
               "    while line := await r.readline():\n"
               "        w.write(line)\n"
               "async def main():\n"
               f"    await (await asyncio.start_server(echo, '127.0.0.1', {port})).serve_forever()\n"
               "asyncio.run(main())\n")
    made = start(["/usr/bin/python3", *(["-c", asyncio] if module == "asyncio" else
                                        ["-m", "http.server", "--bind", "127.0.0.1", str(port)])], port)
    if module == "asyncio":
        with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
            traffic = Traffic(connection)
            close_port(release, port)
            traffic.end()
    else:
        close_port(release, port)
    assert_idle(made.pid)
    assert alive(made.pid)
