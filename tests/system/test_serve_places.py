# SPDX-License-Identifier: GPL-2.0-or-later
"""Where serve listens, for whom, and how it ends."""

import contextlib
import os
import pathlib
import signal
import socket
import ssl
import subprocess
import time
import types

import psutil
import pytest

from conftest import NOBODY, TREE
from pages import LIMIT, Page, as_another_user, page, read_all, serve, status_of  # noqa: F401 (fixtures)


# ---- where it listens ----

@pytest.fixture
def certificate(tmp_path):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=doors.example", "-days", "2",
                    "-addext", "subjectAltName=DNS:doors.example", "-keyout", tmp_path / "key.pem", "-out", tmp_path / "cert.pem"],
                   check=True, capture_output=True, timeout=LIMIT)
    return tmp_path


def certificate_of(folder, name, begin, end):
    """One of the same key, valid from then to then."""
    (folder / "ca.cnf").write_text("[ca]\ndefault_ca = d\n[d]\ndatabase = index\nserial = serial\nnew_certs_dir = .\ndefault_md = sha256\n"
                                   "policy = p\n[p]\ncommonName = supplied\n")
    (folder / "index").write_text("")
    (folder / "serial").write_text("01\n")
    for words in (["req", "-new", "-key", "key.pem", "-subj", "/CN=doors.example", "-out", "request.pem"],
                  ["ca", "-batch", "-config", "ca.cnf", "-selfsign", "-keyfile", "key.pem", "-in", "request.pem", "-notext",
                   "-startdate", begin, "-enddate", end, "-out", name]):
        subprocess.run(["openssl", *words], check=True, capture_output=True, timeout=LIMIT, cwd=folder)


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


@pytest.mark.needs("root")
def test_a_key_that_only_its_owner_may_read_is_read_as_who_calls_may(serve, certificate):
    """Under sudo it is the user's, and the process that speaks TLS has no right left."""
    os.chown(certificate / "key.pem", NOBODY, NOBODY)
    (certificate / "key.pem").chmod(0o600)
    page = serve("--listen", "127.0.0.2", "--certificate", certificate / "cert.pem", "--key", certificate / "key.pem",
                 "--name", "doors.example")
    trusts = ssl.create_default_context(cafile=certificate / "cert.pem")
    with socket.create_connection(("127.0.0.2", page.port), timeout=LIMIT) as sock, \
            trusts.wrap_socket(sock, server_hostname="doors.example") as tls:
        assert tls.version() in ("TLSv1.2", "TLSv1.3")
    for at in (at for pid in page.processes for at in pathlib.Path(f"/proc/{pid}/fd").iterdir()):
        with contextlib.suppress(FileNotFoundError):  # closed meanwhile
            assert not os.readlink(at).endswith(".pem"), "what was read from is closed"


@pytest.mark.parametrize("words,status,said", [
    (["--listen", "127.0.0.2", "--name", ""], 2, "no name of a host"),
    (["--listen", "127.0.0.2", "--name", 'a b"<>'], 2, "no name of a host"),
    (["--listen", "127.0.0.2:5000", "--port", "5001", "--name", "h"], 2, "names another"),
    (["--listen", "127.0.0.2", "--user", "root", "--name", "h"], 2, "the token alone"),
    (["--listen", "127.0.0.2", "--name", "h", "--key", "cert.pem"], 2, "cert.pem: it is no key"),
    (["--listen", "127.0.0.2", "--name", "h", "--key", "other.pem"], 2, "not the certificate's key"),
    (["--listen", "127.0.0.2", "--name", "h", "--key", "none.pem"], 3, "none.pem: no such file"),
    (["--listen", "127.0.0.2", "--name", "h", "--certificate", "key.pem"], 2, "key.pem: it is no certificate"),
    (["--listen", "127.0.0.2", "--name", "h", "--certificate", "broken.pem"], 2, "broken.pem: it is no certificate"),
    (["--listen", "127.0.0.2", "--name", "h", "--key", "curve.pem"], 2, "not the certificate's key"),
    (["--listen", "127.0.0.2", "--name", "h", "--key", "locked.pem"], 2, "locked.pem: the key has a pass phrase"),
    (["--listen", "127.0.0.2", "--name", "h", "--certificate", "old.pem"], 2, "old.pem: the certificate is valid no longer, only until 2021-"),
    (["--listen", "127.0.0.2", "--name", "h", "--certificate", "early.pem"], 2, "early.pem: the certificate is valid not yet, but from 2090-"),
])
def test_tls_that_cannot_be_is_refused_by_name(doorward, certificate, monkeypatch, words, status, said):
    monkeypatch.chdir(certificate)
    for words_of_openssl in (["genrsa", "-out", "other.pem", "2048"],
                             ["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", "curve.pem"],
                             ["pkey", "-in", "key.pem", "-aes128", "-passout", "pass:open", "-out", "locked.pem"]):
        subprocess.run(["openssl", *words_of_openssl], check=True, capture_output=True, timeout=LIMIT)
    certificate_of(certificate, "old.pem", "20200101000000Z", "20210101000000Z")
    certificate_of(certificate, "early.pem", "20900101000000Z", "20910101000000Z")
    own = (certificate / "cert.pem").read_text()
    (certificate / "broken.pem").write_text(own + own.replace("M", "!", 40))  # what leads to who is trusted is damaged
    got, out, err = doorward.run("serve", "--certificate", "cert.pem", "--key", "key.pem", *words)
    assert (got, out) == (status, "") and said in err
    assert [line for line in err.splitlines() if line[0] != " "] == [err.splitlines()[0]]


def test_a_key_that_everybody_may_read_is_told_of(serve, certificate):
    (certificate / "key.pem").chmod(0o644)
    page = serve("--listen", "127.0.0.2", "--certificate", certificate / "cert.pem", "--key", certificate / "key.pem",
                 "--name", "doors.example")
    status, err = page.end()
    assert status == 0 and "every user of this host may read it" in err


@pytest.mark.parametrize("name", ["doors.example.net", "127.0.0.2", "[::1]"])
def test_a_certificate_of_another_name_is_told_of(serve, certificate, monkeypatch, name):
    monkeypatch.chdir(certificate)
    page = serve("--listen", "127.0.0.2", "--certificate", "cert.pem", "--key", "key.pem", "--name", name)
    status, err = page.end()
    assert status == 0 and f"--name {name}: " in err and "cert.pem is the certificate of another" in err


@pytest.mark.parametrize("words,said", [(["--open", "--socket", "page.sock"], "--open"), (["--netns", "no-such-place"], "no-such-place"),
                                        (["--metrics", "localhost:9273"], "--metrics localhost: it takes an address in numbers, as 127.0.0.1")])
def test_what_could_never_work_is_refused_at_once(doorward, tmp_path, monkeypatch, words, said):
    monkeypatch.chdir(tmp_path)
    status, out, err = doorward.run("serve", *words)
    assert (status, out) == (2, "") and said in err


def test_a_port_that_is_taken_is_named_and_leaves_no_socket_behind(doorward, certificate, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        listen = ["--listen", f"127.0.0.1:{port}", "--name", "h", "--certificate", certificate / "cert.pem",
                  "--key", certificate / "key.pem"]
        for words in (["--port", port], ["--metrics", f"127.0.0.1:{port}"], listen,
                      ["--metrics", f"127.0.0.1:{port}", "--socket", tmp_path / "page.sock"]):
            status, out, err = doorward.run("serve", *words)
            assert (status, out) == (3, "") and f"listen at 127.0.0.1:{port}: Address already in use" in err
            assert f"another one: {words[0]}\n" in err
    assert not (tmp_path / "page.sock").exists()


@pytest.mark.needs("root")
def test_at_port_80_a_browser_does_not_say_the_port(serve):
    try:
        page = serve("--port", "80")
    except RuntimeError:
        pytest.skip("something has port 80 here")
    for host, status in (("127.0.0.1", 200), ("localhost", 200), ("127.0.0.1:80", 200), ("127.0.0.1.evil.example", 403)):
        assert page.ask("GET", "/api/fields", headers=page.headers(Host=host)).status == status
    other = serve()
    assert other.ask("GET", "/api/fields", headers=other.headers(Host="127.0.0.1")).status == 403


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


@pytest.mark.needs("root", "program:setpriv")
def test_a_path_is_that_of_who_may_come(serve, doorward, tmp_path):
    """Under sudo it is ssh's of the user that opens it."""
    path = tmp_path / "page.sock"
    for place in (tmp_path, *[p for p in tmp_path.parents if str(p).startswith("/tmp/")]):
        place.chmod(0o777)
    page = serve("--socket", path, "--user", NOBODY)
    assert (path.stat().st_uid, path.stat().st_mode & 0o777) == (NOBODY, 0o600)
    code = f"""
import socket
sock = socket.socket(socket.AF_UNIX)
sock.connect({str(path)!r})
sock.sendall(b"GET /api/fields HTTP/1.1\\r\\nHost: 127.0.0.1:1\\r\\nAuthorization: Bearer {page.token}\\r\\nConnection: close\\r\\n\\r\\n")
print(sock.recv(12).decode())
"""
    assert as_another_user(code).strip() == "HTTP/1.1 200"
    assert page.end() == (0, "") and not path.exists()
    other = tmp_path / "other.sock"
    status, _, err = doorward.as_user().run("serve", "--socket", other, "--user", "0")
    assert (status, "give" in err, other.exists()) == (3, True, False)


def test_a_socket_that_was_left_behind_gives_way_and_no_file_does(serve, doorward, tmp_path):
    path = tmp_path / "page.sock"
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(str(path))
    assert through(path, token=serve("--socket", path).token) == 200
    other = tmp_path / "file"
    other.write_text("mine")
    assert doorward.run("serve", "--socket", other)[0] == 3
    assert other.read_text() == "mine"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT])
def test_it_stops_clean(serve, tmp_path, number):
    at_path = serve("--socket", tmp_path / "page.sock")
    assert at_path.end(number) == (0, "")
    assert not (tmp_path / "page.sock").exists()
    page = serve()
    everybody = page.processes
    stream = page.stream("?count=1")
    stream.window()
    assert page.end(number) == (0, "")
    stream.close()
    assert not [pid for pid in everybody if psutil.pid_exists(pid)]


def test_the_end_of_a_terminal_ends_nothing_under_nohup(doorward):
    page = Page(types.SimpleNamespace(prefix=["nohup", *doorward.prefix], path=doorward.path))
    page.process.send_signal(signal.SIGHUP)
    time.sleep(0.3)
    assert page.get("/api/fields").status == 200
    assert page.end(signal.SIGTERM)[0] == 0


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


def test_where_no_browser_can_be_started_that_is_said(serve, tmp_path):
    page = serve("--open", environment={"PATH": str(tmp_path)})
    assert page.get("/api/fields").status == 200
    status, err = page.end()
    assert status == 0 and "--open: start xdg-open: no such file" in err


@pytest.mark.needs("root")
def test_the_browser_is_that_of_who_may_come(serve, doorward, tmp_path):
    """Another's, root's too, would be turned away."""
    browser = tmp_path / "xdg-open"
    browser.write_text(f"#!/bin/sh\n{{ id -u; id -G; stat -c %u \"$1\"; cat \"$1\"; }} >{tmp_path}/new\n"
                       f"mv {tmp_path}/new {tmp_path}/seen\n")
    browser.chmod(0o755)
    for place in (tmp_path, *[p for p in tmp_path.parents if str(p).startswith("/tmp/")]):
        place.chmod(0o777)
    page = serve("--open", "--read-only", "--user", NOBODY, environment={"PATH": f"{tmp_path}:{os.environ['PATH']}"})
    for _ in range(1000):
        if (tmp_path / "seen").exists():
            break
        doorward.run("version")  # time passes
    uid, groups, owner, text = (tmp_path / "seen").read_text().splitlines()
    assert (uid, groups, owner) == (str(NOBODY),) * 3
    assert page.address in text


# ---- what it says ----

@pytest.mark.parametrize("where", ["full", "closed", "unread"])
def test_an_address_that_nobody_reads_is_not_served(doorward, tmp_path, where):
    """Nobody could ever come; and a path that was made for it goes."""
    path = tmp_path / "page.sock"
    words = [*doorward.prefix, doorward.path, "serve", "--socket", str(path)]
    if where == "closed":
        words = ["sh", "-c", 'exec "$@" >&-', "sh", *words]
    reading, writing = os.pipe()
    os.close(reading)
    with open("/dev/full", "w", encoding="ascii") as full:
        ran = subprocess.run(words, stdin=subprocess.DEVNULL, stdout=full if where == "full" else writing, stderr=subprocess.PIPE,
                             timeout=LIMIT, check=False)
    os.close(writing)
    assert (ran.returncode, ran.stderr.startswith(b"doorward: write the output: ")) == (3, True)
    assert not path.exists()
