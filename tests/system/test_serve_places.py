# SPDX-License-Identifier: GPL-2.0-or-later
"""Where serve listens, for whom, and how it ends."""

import os
import pathlib
import signal
import socket
import ssl
import subprocess

import psutil
import pytest

from conftest import TREE
from pages import LIMIT, as_another_user, page, read_all, serve, status_of  # noqa: F401 (fixtures)


# ---- where it listens ----

@pytest.fixture
def certificate(tmp_path):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=doors.example", "-days", "2",
                    "-addext", "subjectAltName=DNS:doors.example", "-keyout", tmp_path / "key.pem", "-out", tmp_path / "cert.pem"],
                   check=True, capture_output=True, timeout=LIMIT)
    return tmp_path


def test_another_address_only_by_tls_of_your_own(doorward, serve, certificate):
    status, _, err = doorward.run("serve", "--listen", "127.0.0.2")
    assert (status, "--certificate" in err) == (2, True)
    page = serve("--listen", "127.0.0.2", "--certificate", certificate / "cert.pem", "--key", certificate / "key.pem",
                 "--name", "doors.example")
    assert page.address.startswith(f"https://doors.example:{page.port}/#")
    trusts = ssl.create_default_context(cafile=certificate / "cert.pem")

    def ask(host):
        with socket.create_connection(("127.0.0.2", page.port), timeout=LIMIT) as sock, \
                trusts.wrap_socket(sock, server_hostname="doors.example") as tls:
            tls.sendall(f"GET /api/fields HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {page.token}\r\nConnection: close\r\n\r\n"
                        .encode())
            return status_of(read_all(tls))

    assert ask(f"doors.example:{page.port}") == 200
    assert ask(f"127.0.0.2:{page.port}") == 403
    with socket.create_connection(("127.0.0.2", page.port), timeout=LIMIT) as sock:
        sock.sendall(f"GET /api/fields HTTP/1.1\r\nHost: doors.example:{page.port}\r\nAuthorization: Bearer {page.token}\r\n\r\n".encode())
        assert status_of(read_all(sock)) is None


def through(path, host="127.0.0.1:8080", token=""):
    with socket.socket(socket.AF_UNIX) as sock:
        sock.settimeout(LIMIT)
        sock.connect(str(path))
        sock.sendall(f"GET /api/fields HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n\r\n".encode())
        return status_of(read_all(sock))


def test_a_path_is_ours_alone_and_gone_afterwards(serve, tmp_path):
    path = tmp_path / "page.sock"
    page = serve("--socket", path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert through(path, token=page.token) == 200
    assert through(path, "localhost:1234", page.token) == 200
    assert through(path, "evil.example:8080", page.token) == 403
    assert through(path, "127.0.0.1", page.token) == 403
    assert page.end() == (0, "")
    assert not path.exists()


@pytest.mark.needs("root", "program:setpriv")
def test_another_user_at_a_path_gets_nothing_even_where_he_may_open_it(serve, tmp_path):
    path = tmp_path / "page.sock"
    page = serve("--socket", path)
    for place in (path, *[p for p in path.parents if str(p).startswith("/tmp/")]):
        place.chmod(0o777)
    code = f"""
import socket
sock = socket.socket(socket.AF_UNIX)
sock.connect({str(path)!r})
try:
    sock.sendall(b"GET /api/fields HTTP/1.1\\r\\nHost: 127.0.0.1:1\\r\\nAuthorization: Bearer {page.token}\\r\\n\\r\\n")
    print(sock.recv(100))
except OSError:
    print(b"")
"""
    assert as_another_user(code).strip() == "b''"
    assert through(path, token=page.token) == 200


def test_a_socket_that_was_left_behind_gives_way_and_no_file_does(serve, doorward, tmp_path):
    path = tmp_path / "page.sock"
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(str(path))
    assert through(path, token=serve("--socket", path).token) == 200
    other = tmp_path / "file"
    other.write_text("mine")
    assert doorward.run("serve", "--socket", other)[0] == 3
    assert other.read_text() == "mine"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_it_stops_clean(serve, number):
    page = serve()
    everybody = page.processes
    stream = page.stream("?count=1")
    stream.window()
    assert page.end(number) == (0, "")
    stream.close()
    assert not [pid for pid in everybody if psutil.pid_exists(pid)]


@pytest.mark.parametrize("which", [0, 1, 2])
def test_none_of_its_processes_outlives_the_others(serve, which):
    page = serve()
    stream = page.stream("?count=1")
    stream.window()
    everybody = [psutil.Process(pid) for pid in page.processes]
    everybody[which].send_signal(signal.SIGKILL)
    if which == 2:  # without who makes jobs it goes on to show
        stream.until(lambda line: line["type"] == "difference")
        assert page.get("/api/story?target=80").status == 503
        page.end()
    gone, alive = psutil.wait_procs([p for p in everybody[1:]], LIMIT)
    assert not alive
    page.process.wait(LIMIT)
    stream.close()


def test_an_unprivileged_server_says_so(serve, doorward):
    page = serve(by=doorward.as_user())
    if os.geteuid() == 0:
        code = f"""
import json, sys
sys.path[:0] = [{str(TREE / "tests/system")!r}]
import http.client
c = http.client.HTTPConnection("127.0.0.1", {page.port})
c.request("GET", "/api/fields", headers={{"Authorization": "Bearer {page.token}"}})
print(json.loads(c.getresponse().read())["privileged"])
"""
        assert as_another_user(code).strip() == "False"
    else:
        assert page.get("/api/fields").json["privileged"] is False


def test_open_shows_the_token_to_the_browser_alone(serve, tmp_path):
    """Not in its command line, which every user may read."""
    browser = tmp_path / "xdg-open"
    browser.write_text(f"#!/bin/sh\nstat -c %a \"$1\" >{tmp_path}/mode\ncat \"$1\" >{tmp_path}/page\n"
                       f"echo \"$0 $*\" >{tmp_path}/words.new && mv {tmp_path}/words.new {tmp_path}/words\n")
    browser.chmod(0o755)
    page = serve("--open", environment={"PATH": f"{tmp_path}:{os.environ['PATH']}", "XDG_RUNTIME_DIR": str(tmp_path)})
    for _ in range(1000):
        if (tmp_path / "words").exists():
            break
        assert page.get("/api/fields").status == 200  # time passes
    assert page.token not in (tmp_path / "words").read_text()
    assert (tmp_path / "mode").read_text().strip() == "600"
    assert page.address in (tmp_path / "page").read_text()
    opened = pathlib.Path((tmp_path / "words").read_text().split()[1])
    assert page.end() == (0, "") and not opened.exists()
