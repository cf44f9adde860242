# SPDX-License-Identifier: GPL-2.0-or-later
"""Identification among those that mean no good, and how it behaves to those that count their guests."""

import contextlib
import resource
import ssl
import subprocess

import pytest

import tarpits
from identifying import identify, identify_one
from real_servers import running
from room import Room
from tarpits import Tarpit

QUICK = ("--port-limit", 1500)


@pytest.mark.parametrize("behave, outcomes", [
    (tarpits.says_nothing, {"silent", "timed-out"}), (tarpits.drips, {"unnamed", "silent", "timed-out"}),
    (tarpits.never_ends, {"unnamed"}), (tarpits.closes, {"closes"}), (tarpits.resets, {"closes", "refused"}),
    (tarpits.says(b"hello\r\n"), {"unnamed"}), (tarpits.answers(b"\x00" * 4000), {"unnamed"})])
def test_who_says_nothing_of_use_stays_unnamed(behave, outcomes):
    with Tarpit(behave) as pit:
        seen = identify_one("127.0.0.1", pit.port)
    assert seen.outcome in outcomes
    assert (seen.service, seen.product, seen.version, seen.findings) == (None, None, None, [])


@pytest.mark.parametrize("behave", [tarpits.never_ends_a_line, tarpits.greets_without_end])
def test_endless_greeting_ends(behave):
    with Tarpit(behave) as pit:
        seen = identify_one("127.0.0.1", pit.port)
    assert seen.service in ("ftp", None) and seen.product is None


@pytest.mark.parametrize("behave", [tarpits.says_nothing, tarpits.drips, tarpits.closes, tarpits.says(b"x\r\n"),
                                    tarpits.answers(b"HTTP/1.1 400 Bad Request\r\n\r\n")])
def test_never_more_than_two_connections_at_once(behave):
    with Tarpit(behave, is_watched=True) as pit:
        identify_one("127.0.0.1", pit.port)
        assert 1 <= pit.most <= 2
        assert pit.count <= (5 if behave is tarpits.closes else 30)


ESCAPES = b"\x1b]0;owned\x07\x1b[2J\xe2\x80\xae\xc2\x9b31m\xff\x00"


@pytest.mark.parametrize("text", [
    b"SSH-2.0-Open" + ESCAPES + b"SSH_9.9\r\n", b"220 x ESMTP Exim 4.9" + ESCAPES + b"\r\n",
    b"220 (vsFTPd 3.0" + ESCAPES + b")\r\n", b"RFB 003.00\x1b\n", b"@RSYNCD: 31" + ESCAPES + b"\n",
    b"OK MPD 0." + ESCAPES + b"\n", b'INFO {"server_id":"x","version":"2' + ESCAPES + b'"}\r\n'])
def test_escape_sequences_of_a_server_are_taken_out(text):
    with Tarpit(tarpits.says(text)) as pit:
        seen = identify_one("127.0.0.1", pit.port, options=QUICK)
    for shown in (seen.service, seen.product, seen.version, seen.protocol_version):
        assert not shown or all(c.isprintable() and c not in "\u202e\u009b" for c in shown)


@pytest.mark.parametrize("kind, version, findings", [(0, None, ["clear-text"]), (1, "3.3", ["no-password", "clear-text"]),
                                                     (2, "3.3", ["clear-text"])])
def test_the_kind_that_an_old_vnc_server_has_chosen(kind, version, findings):
    """0: who turns us away says 3.3 whatever he speaks."""
    with Tarpit(tarpits.says(b"RFB 003.003\n\0\0\0" + bytes([kind]))) as pit:
        seen = identify_one("127.0.0.1", pit.port)
    assert (seen.service, seen.protocol_version, seen.findings) == ("vnc", version, findings)


def test_escape_sequences_in_http():
    with Tarpit(tarpits.answers(b"HTTP/1.1 200 OK\r\nServer: ngi" + ESCAPES.replace(b"\x00", b"") + b"nx/1.2\r\n\r\n")) as pit:
        seen = identify_one("127.0.0.1", pit.port)
    assert seen.service == "http" and seen.product.isprintable()


def test_time_limit_is_told_for_each_port_once():
    with contextlib.ExitStack() as stack:
        pits = [stack.enter_context(Tarpit(tarpits.says_nothing)) for _ in range(20)]
        quick = stack.enter_context(Tarpit(tarpits.says(b"SSH-2.0-x_1\r\n")))
        seen = identify(*[("127.0.0.1", pit.port) for pit in pits], ("127.0.0.1", quick.port), options=("--limit", 400))
    assert {seen.by[pit.port].outcome for pit in pits} == {"timed-out"}
    assert seen.by[quick.port].outcome == "named"


def test_slow_tls_is_told_as_timed_out():
    with Tarpit(tarpits.answers(b"\x16\x03\x03\x00\x40")) as pit:
        seen = identify_one("127.0.0.1", pit.port, options=("--port-limit", 300))
    assert seen.outcome in ("timed-out", "named") and seen.service in (None, "tls")


def test_records_that_come_whole_at_once_are_read_to_their_end(tmp_path):
    """No more of it follows, so nothing but the reader's own diligence brings it on."""
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=door.test", "-keyout",
                    tmp_path / "key", "-out", tmp_path / "cert"], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "cert", tmp_path / "key")
    pages = {b"/": b"HTTP/1.0 200 OK\r\nContent-Length: 30000\r\n\r\n" + b"x" * 30000,
             b"/metrics": b"HTTP/1.0 200 OK\r\nContent-Length: 60037\r\n\r\n" + (b"# " + b"y" * 997 + b"\n") * 60 +
                          b'prometheus_build_info{version="9.9"} 1\n'}

    def behave(pit, connection):
        came, goes = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = context.wrap_bio(came, goes, server_side=True)
        connection.settimeout(10)
        asked, is_shaken = b"", False
        while not asked.endswith(b"\r\n\r\n"):
            came.write(connection.recv(4096) or b"bye")  # which is no TLS, and ends it
            with contextlib.suppress(ssl.SSLWantReadError):
                if not is_shaken:
                    tls.do_handshake()
                is_shaken = True
                asked += tls.read(4096)
            connection.sendall(goes.read())
        tls.write(pages.get(asked.split()[1], b"HTTP/1.0 404 Not Here\r\nContent-Length: 0\r\n\r\n"))
        connection.sendall(goes.read())
        pit.over.wait(30)
    with Tarpit(behave) as pit:
        seen = identify_one("127.0.0.1", pit.port, options=("--port-limit", 4000))
    assert (seen.outcome, seen.service, seen.product, seen.version) == ("named", "prometheus", "prometheus", "9.9")


@pytest.mark.parametrize("port", [515, 9100, 9104, 9107])
def test_printers_of_others_hear_no_byte(port):
    if port < 1024 and not _may_bind_low():
        pytest.skip("needs root")
    with Tarpit(tarpits.says_nothing, address="127.9.1.7", port=port) as pit:
        assert identify_one("127.9.1.7", port, "tcp", "-", "other").outcome == "withheld"
        assert (pit.count, pit.heard) == (0, 0)
        assert identify_one("127.9.1.7", port, "tcp", "-", "own", options=QUICK).outcome != "withheld"
        assert pit.heard > 0


def _may_bind_low():
    with open("/proc/sys/net/ipv4/ip_unprivileged_port_start", encoding="ascii") as f:
        if int(f.read()) <= 515:
            return True
    with open("/proc/self/status", encoding="ascii") as f:
        caps = [line for line in f if line.startswith("CapEff:")][0]
    return bool(int(caps.split()[1], 16) >> 10 & 1)


def test_port_that_closed_meanwhile_is_refused():
    with Tarpit(tarpits.closes) as pit:
        port = pit.port
    seen = identify_one("127.0.0.1", port)
    assert (seen.outcome, seen.service) == ("refused", None)


@pytest.mark.alone
def test_two_thousand_open_ports():
    if resource.getrlimit(resource.RLIMIT_NOFILE)[1] < 5000:
        pytest.skip("needs 5000 descriptors")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (5000, hard))
    try:
        with tarpits.greeters([b"OK MPD 1.%d\n" % i for i in range(2000)]) as ports:
            seen = identify(*[("127.0.0.1", port) for port in ports])
            for i, port in enumerate(ports):
                assert seen.by[port].protocol_version == f"1.{i}"
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_first_silent_then_slow_answers_are_waited_for():
    """Who answers HTTP only after half a second is met by patience."""
    def slow(pit, connection):
        if connection.recv(4096).startswith(b"GET"):
            pit.over.wait(0.5)
            connection.sendall(b"HTTP/1.0 200 OK\r\nServer: slow/1.0\r\n\r\n")
        pit.hear(connection)

    with Tarpit(slow) as pit:
        seen = identify_one("127.0.0.1", pit.port)
    assert (seen.service, seen.product, seen.version) == ("http", "slow", "1.0")


def test_answer_in_any_pieces_on_the_wire():
    text = b"HTTP/1.0 200 OK\r\nServer: nginx/1.2.3\r\n\r\n"

    def drips_quickly(pit, connection):
        connection.recv(4096)
        for i in range(len(text)):
            connection.sendall(text[i:i + 1])
            pit.over.wait(0.005)

    with Tarpit(drips_quickly) as pit:
        seen = identify_one("127.0.0.1", pit.port)
    assert (seen.service, seen.product, seen.version) == ("http", "nginx", "1.2.3")


# ---- who counts guests ----

@pytest.fixture
def room():
    made = Room()
    yield made
    made.close()


@pytest.mark.needs("root", "program:mariadbd")
def test_mariadb_does_not_count_us_among_broken_handshakes(room):
    """max_connect_errors is 1 there, and an address that is not loopback's is not exempt from it."""
    room("ip('addr add 10.77.0.1/24 dev lo')")
    inside = ("nsenter", "-t", str(room.pid), "--net", "--")
    with running("mariadb", "10.77.0.1", inside=room.pid, more=" --max-connect-errors=1 --skip-name-resolve=0") as server:
        for _ in range(5):
            seen = identify_one("10.77.0.1", server.port, prefix=inside)
            assert (seen.product, seen.outcome) == ("MariaDB", "named")
            assert seen.version


@pytest.mark.parametrize("name", ["openssh", "tigervnc", "ngircd", "exim", "dovecot-imap"])
def test_twelve_times_in_a_row_is_no_reason_to_turn_us_away(name):
    with running(name) as server:
        first = identify_one("127.0.0.1", server.port)
        assert first.outcome == "named"
        for _ in range(11):
            again = identify_one("127.0.0.1", server.port)
            assert again.service == first.service
            if name == "ngircd":  # punishes each wrong word with a second, and hears a goodbye after it; five may be here
                continue
            del again.after
            assert vars(again) == {key: value for key, value in vars(first).items() if key != "after"}


@pytest.mark.needs("program:strace")
def test_strangers_bytes_are_read_without_capabilities():
    """The process that connects is another than the one that is asked, and has given up all."""
    with Tarpit(tarpits.says_nothing) as pit:
        words = ["strace", "-f", "-qq", "-e", "trace=connect,capset", "-e", "signal=none"]
        ran = subprocess.run([*words, *_asked(pit.port)], capture_output=True, text=True, timeout=60, check=True)
    lines = [line for line in ran.stderr.splitlines() if "capset(" in line or "AF_INET" in line]
    assert "capset(" in lines[0] and "effective=0, permitted=0, inheritable=0" in lines[0]
    assert any("AF_INET" in line and line.startswith("[pid") for line in lines)


def _asked(port):
    from conftest import program
    return [program("IDENTIFY", "tests/identify/identify-targets"), "--port-limit", "500", "127.0.0.1", str(port), "tcp", "-",
            "own"]
