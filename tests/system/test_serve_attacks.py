# SPDX-License-Identifier: GPL-2.0-or-later
"""Who may not, is refused: by Host, Origin, user, token, form, size and time. Each fails when its guard is taken out."""

import contextlib
import http.client
import io
import json
import os
import select
import signal
import socket
import time

import pytest

from pages import LIMIT, answers_in, as_another_user, page, read_all, serve, status_of  # noqa: F401 (fixtures)
from served import listening, quoted, streaming

FIELDS = "/api/fields"


def head(page, target=FIELDS, host=None, method="GET", **headers):
    lines = [f"{method} {target} HTTP/1.1", f"Host: {host or f'127.0.0.1:{page.port}'}",
             f"Authorization: Bearer {page.token}", *(f"{k.replace('_', '-')}: {v}" for k, v in headers.items())]
    return "\r\n".join(lines).encode() + b"\r\n\r\n"


def still_answers(page):
    return page.get(FIELDS).status == 200


# ---- Host and Origin ----

@pytest.mark.parametrize("host", ["127.0.0.1.evil.example:{port}", "evil.example:{port}", "127.0.0.1", "localhost",
                                  "127.0.0.1:{other}", "127.0.0.1:0{port}", "127.0.0.1:{port}.evil.example", "[::1]:{port}",
                                  "0.0.0.0:{port}", "127.1:{port}", "localhost.:{port}", "user@127.0.0.1:{port}", ":{port}",
                                  "LOCALHOST:{port}"])
@pytest.mark.parametrize("target", [FIELDS, "/", "/vendor/htm.mjs"])
def test_a_name_that_was_made_to_mean_us_is_refused(page, host, target):
    assert status_of(page.raw(head(page, target, host.format(port=page.port, other=page.port ^ 1)))) == 403


@pytest.mark.parametrize("host", ["127.0.0.1:{port}", "localhost:{port}"])
def test_our_own_names_are_not(page, host):
    assert status_of(page.raw(head(page, host=host.format(port=page.port), Connection="close"))) == 200


def test_without_a_host_nothing_is_told(page):
    assert status_of(page.raw(f"GET {FIELDS} HTTP/1.1\r\nAuthorization: Bearer {page.token}\r\n\r\n".encode())) == 403
    assert status_of(page.raw(f"GET {FIELDS} HTTP/1.0\r\nAuthorization: Bearer {page.token}\r\n\r\n".encode())) == 403


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "https://127.0.0.1:{port}", "http://localhost:{port}",
                                    "http://127.0.0.1:{other}", "http://127.0.0.1:{port}.evil.example", "http://127.0.0.1", ""])
def test_a_foreign_origin_is_refused(page, origin):
    origin = origin.format(port=page.port, other=page.port ^ 1)
    assert page.get(FIELDS, Origin=origin).status == 403
    assert page.post("/api/plan", {"action": "close", "target": "1"}, Origin=origin).status == 403


def test_a_post_without_an_origin_is_refused(page):
    headers = {**page.headers(), "Content-Type": "application/json"}
    assert page.ask("POST", "/api/plan", "{}", headers).status == 403


def test_our_own_origin_is_not(page):
    assert page.get(FIELDS, Origin=f"http://127.0.0.1:{page.port}").status == 200
    assert page.post("/api/stream/0000000000000000", {}).status == 404  # past the guard


def test_a_page_of_another_site_gets_no_file(page):
    assert page.get("/vendor/htm.mjs", Sec_Fetch_Site="cross-site", Sec_Fetch_Mode="no-cors").status == 403
    assert page.get("/vendor/htm.mjs", Sec_Fetch_Site="same-origin", Sec_Fetch_Mode="cors").status == 200


# ---- the user ----

STOLEN = """
import socket
sock = socket.create_connection(("127.0.0.1", {port}), timeout=30)
data = b""
try:
    sock.sendall({request!r})
    {afterwards}
    while piece := sock.recv(65536):
        data += piece
except OSError:
    pass
print(data[:12].decode())
"""


@pytest.mark.needs("root", "program:setpriv")
@pytest.mark.parametrize("target", [FIELDS, "/vendor/htm.mjs"])
def test_another_user_gets_not_one_byte_even_with_the_token(page, target):
    request = head(page, target, Connection="close")
    assert status_of(page.raw(request)) == 200
    assert as_another_user(STOLEN.format(port=page.port, request=request, afterwards="")).strip() == ""
    assert still_answers(page)


@pytest.mark.needs("root", "program:setpriv")
def test_nor_who_hides_by_closing_at_once(serve):
    """Nobody holds his end any more when he is looked at, which the kernel may report as root's. What came of it would be
    seen: the first stream has the number 1."""
    page = serve()
    request = head(page, "/api/stream?count=1")
    os.kill(page.processes[1], signal.SIGSTOP)
    as_another_user(f"""
import socket
for _ in range(20):
    sock = socket.create_connection(("127.0.0.1", {page.port}), timeout=30)
    sock.sendall({request!r})
    sock.close()
""")
    os.kill(page.processes[1], signal.SIGCONT)
    stream = page.stream()
    assert stream.line()["stream"] == "0000000000000001"
    stream.close()


@pytest.mark.needs("root", "program:setpriv")
def test_user_lets_another_in_and_us_no_more(serve):
    page = serve("--user", "nobody")
    request = head(page, FIELDS, Connection="close")
    assert as_another_user(STOLEN.format(port=page.port, request=request, afterwards="")).strip() == "HTTP/1.1 200"
    assert page.raw(request) == b""


# ---- the token ----

@pytest.mark.parametrize("change", [lambda t: None, lambda t: "Bearer", lambda t: f"Basic {t}", lambda t: f"Bearer {t[:-1]}",
                                    lambda t: f"Bearer {t}0", lambda t: f"Bearer {t[:-1]}{'0' if t[-1] != '0' else '1'}",
                                    lambda t: f"Bearer {'0' * 64}", lambda t: f"Bearer  {t}", lambda t: t])
def test_without_the_token_nothing_is_told(serve, change):
    page = serve()
    given = change(page.token)
    answer = page.ask("GET", FIELDS, headers={"Authorization": given} if given else {})
    assert answer.status == 401
    assert b"fields" not in answer.body


def test_the_token_is_taken_from_nowhere_else(serve):
    page = serve()
    assert page.ask("GET", f"{FIELDS}?token={page.token}").status == 401
    assert page.ask("GET", FIELDS, headers={"Cookie": f"token={page.token}"}).status == 401


def test_wrong_tokens_come_ever_slower_and_the_right_one_does_not(serve):
    """Twenty at once: those for which there is no room to wait are refused, and none is told sooner than the others."""
    page = serve()
    with contextlib.ExitStack() as all_of_them:
        socks = [all_of_them.enter_context(page.connect()) for _ in range(20)]
        for sock in socks:
            sock.sendall(f"GET {FIELDS} HTTP/1.1\r\nHost: 127.0.0.1:{page.port}\r\nAuthorization: Bearer x\r\n\r\n".encode())
        first = {}
        began = time.monotonic()
        statuses = sorted(status_of(read_all(sock)) for sock in socks)
        first["took"] = time.monotonic() - began
        assert still_answers(page)
    assert statuses == [401] * 8 + [429] * 12
    assert first["took"] > 4  # the last of eight waits eight seconds


def assert_forbids(headers):
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy and "unsafe" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cross-Origin-Resource-Policy"] == headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert "Set-Cookie" not in headers and "Access-Control-Allow-Origin" not in headers


def test_no_answer_sets_a_cookie_and_each_forbids_what_it_should(page):
    for target in ("/vendor/htm.mjs", FIELDS, "/nothing"):
        assert_forbids(page.get(target).headers)


@pytest.mark.parametrize("data", [
    "NOTHING\r\n\r\n", "GET / HTTP/2.0\r\n{host}\r\n", "GET / HTTP/1.1\r\n{host}no colon\r\n\r\n", "PRI * HTTP/2.0\r\n\r\n",
    "GET / HTTP/1.1\r\n{host}X-Long: {long}\r\n\r\n", "GET /{long} HTTP/1.1\r\n{host}\r\n",
    "POST /api/plan HTTP/1.1\r\n{host}Content-Length: 99999999\r\n\r\n", "POST / HTTP/1.1\r\n{host}Content-Length: -1\r\n\r\n",
    "POST / HTTP/1.1\r\n{host}Expect: more\r\nContent-Length: 1\r\n\r\n", "GET / HTTP/1.1\r\n\r\n",
    "POST / HTTP/1.1\r\n{host}Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"])
def test_so_does_what_answers_to_no_request_at_all(page, data):
    """The library of HTTP refuses some by itself, before anything of ours is asked."""
    answer = page.raw(data.format(host=f"Host: 127.0.0.1:{page.port}\r\n", long="a" * 20000).encode())
    assert status_of(answer) in (400, 403, 413, 417) and answers_in(answer) == 1
    assert_forbids(http.client.parse_headers(io.BytesIO(answer.split(b"\r\n", 1)[1])))


# ---- form ----

SMUGGLED = "GET /vendor/htm.mjs HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n"


@pytest.mark.parametrize("headers", [
    {"Transfer-Encoding": "chunked", "Content-Length": "5"},
    {"Transfer-Encoding": "chunked"},
    {"Transfer-Encoding": "xchunked"},
    {"Content-Length": "+5"},
    {"Content-Length": "5, 5"},
    {"Content-Length ": "5"},
    {"Content-Length": "-1"},
])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_what_two_readers_could_read_differently_is_answered_once_and_closed(page, headers, method):
    lines = [f"{method} /vendor/htm.mjs HTTP/1.1", f"Host: 127.0.0.1:{page.port}", f"Origin: http://127.0.0.1:{page.port}",
             *(f"{name}: {value}" for name, value in headers.items())]
    data = page.raw(("\r\n".join(lines) + "\r\n\r\n0\r\n\r\n" + SMUGGLED.format(port=page.port)).encode())
    assert answers_in(data) <= 1
    assert status_of(data) in (400, 413, None)
    assert still_answers(page)


@pytest.mark.parametrize("double,status", [
    ("Content-Length: 0\r\nContent-Length: 5", 400), ("Authorization: x\r\nAuthorization: x", 400),
    ("Host: {host}", 403), ("host: {host}", 403), ("Host: evil.example", 403), ("Origin: http://{host}\r\nOrigin: http://{host}", 403),
    ("Origin: http://{host}\r\nOrigin: http://evil.example", 403)])
@pytest.mark.parametrize("path", ["/", "/nothing", FIELDS])
def test_what_may_be_there_once_is_not_there_twice(page, double, status, path):
    host = f"127.0.0.1:{page.port}"
    data = page.raw(f"GET {path} HTTP/1.1\r\nHost: {host}\r\n{double.format(host=host)}\r\n\r\n".encode())
    assert (status_of(data), answers_in(data)) == (status, 1)


@pytest.mark.parametrize("lines", [
    "GET {path} HTTP/1.1\r\nHost: {host}\0.evil.example", "GET {path} HTTP/1.1\r\nHost: {host}\r\nOrigin: http://{host}\0.evil",
    "GET {path}\0x HTTP/1.1\r\nHost: {host}", "GET {path} HTTP/1.1\r\nHost: {host}\r\nX-A: \0", "GET {path} HTTP/1.1\0\r\nHost: {host}",
    "GET {path} HTTP/1.1\r\nHost: {host}\r\nContent-Length\0: 5"])
def test_a_nul_ends_no_text_early(page, lines):
    data = page.raw((lines.format(path="/vendor/htm.mjs", host=f"127.0.0.1:{page.port}") + "\r\n\r\n").encode())
    assert status_of(data) in (400, None) and answers_in(data) <= 1
    assert still_answers(page)


def test_a_nul_in_a_body_is_no_json(page):
    headers = {**page.headers(), "Origin": f"http://127.0.0.1:{page.port}", "Content-Type": "application/json"}
    for body in ('{"action":"unblock","target":"1"}\0', '{"action":"unblock","target":"1\0"}'):
        assert page.ask("POST", "/api/plan", body, headers).status == 400


def test_a_get_with_a_body_is_answered_once_and_closed(page):
    inner = SMUGGLED.format(port=page.port)
    data = page.raw(f"GET /vendor/htm.mjs HTTP/1.1\r\nHost: 127.0.0.1:{page.port}\r\nContent-Length: {len(inner)}\r\n\r\n{inner}"
                    .encode())
    assert (status_of(data), answers_in(data)) == (400, 1)


def test_a_whole_address_is_not_asked_for(page):
    assert status_of(page.raw(head(page, f"http://127.0.0.1:{page.port}{FIELDS}"))) == 400
    assert status_of(page.raw(head(page, f"http://evil.example{FIELDS}"))) == 400


@pytest.mark.parametrize("data", [b"", b"\r\n\r\n", b"\0" * 100, b"GET\r\n\r\n", b"\x16\x03\x01\x02\x00\x01", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
                                  b"GET / HTTP/9.9\r\n\r\n", b"GET /\xff\xfe HTTP/1.1\r\n\r\n", b"A" * 5000 + b"\r\n\r\n"])
def test_what_is_no_request_gets_nothing(page, data):
    with page.connect() as sock:
        sock.sendall(data)
        sock.shutdown(socket.SHUT_WR)
        assert status_of(read_all(sock)) in (None, 400, 403, 501)
    assert still_answers(page)


@pytest.mark.parametrize("path", ["/../../etc/passwd", "/vendor/../page/README.md", "/vendor/%2e%2e/", "/page/", "/vendor/LICENSE.htm",
                                  "/page/README.md", "//vendor/htm.mjs", "/vendor/htm.mjs/"])
def test_there_is_nothing_but_the_files_that_there_are(page, path):
    assert page.get(path).status == 404


@pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS", "TRACE", "PATCH", "HEAD", "POST"])
def test_other_ways_to_ask_are_refused(page, method):
    data = page.raw(head(page, "/", method=method, Origin=f"http://127.0.0.1:{page.port}", Content_Length="0"))
    assert status_of(data) in (400, 405)
    assert status_of(data) == 400 or b"\r\nAllow: GET\r\n" in data
    assert answers_in(data) == 1


@pytest.mark.parametrize("method,path,allowed", [("POST", "/api/fields", "GET"), ("PUT", "/api/fields", "GET"), ("GET", "/api/plan", "POST"),
                                                 ("DELETE", "/api/plan", "POST"), ("POST", "/", "GET")])
def test_who_asks_in_another_way_is_told_how(page, method, path, allowed):
    answer = page.ask(method, path, headers=page.headers(Origin=f"http://127.0.0.1:{page.port}", Content_Length="0"))
    assert (answer.status, answer.headers["Allow"]) == (405, allowed)


# ---- size ----

def test_headers_beyond_measure_are_refused(page):
    assert status_of(page.raw(head(page, X_Long="a" * 20000))) in (400, None)
    assert status_of(page.raw(head(page, **{f"X_{n}": "a" for n in range(100)}))) == 400
    assert status_of(page.raw(head(page, "/api/check?filter=" + "a" * 20000))) in (400, None)
    assert page.get("/api/check?filter=" + "a" * 3000).status == 400
    assert still_answers(page)


def test_headers_without_end_are_cut(page):
    with page.connect() as sock:
        sock.sendall(b"GET / HTTP/1.1\r\n")
        with pytest.raises(OSError):
            for _ in range(10000):
                sock.sendall(b"X-Long: " + b"a" * 1000 + b"\r\n")
    assert still_answers(page)


def test_a_body_beyond_measure_is_refused(page):
    answer = page.raw(head(page, "/api/plan", method="POST", Origin=f"http://127.0.0.1:{page.port}", Content_Length="20000") +
                      b" " * 20000)
    assert status_of(answer) in (413, None)
    assert page.raw(head(page, "/api/plan", method="POST", Origin=f"http://127.0.0.1:{page.port}",
                         Content_Length=str(1 << 62)))[:12] in (b"", b"HTTP/1.1 413", b"HTTP/1.1 400")
    assert still_answers(page)


@pytest.mark.parametrize("body", ["[]", "null", "{", "{\"action\":\"close\",\"action\":\"block\"}", "{\"action\":\"reboot\"}",
                                  "{\"action\":[]}", "{\"unknown\":1}", "{\"target\":\"a\\u0000b\"}", "{\"grace_ms\":-1}",
                                  "{\"grace_ms\":1e9}", "[" * 5000])
def test_a_body_that_says_something_else_is_refused(page, body):
    headers = {**page.headers(), "Origin": f"http://127.0.0.1:{page.port}", "Content-Type": "application/json"}
    assert page.ask("POST", "/api/plan", body, headers).status == 400
    assert page.ask("POST", "/api/plan", body, {**headers, "Content-Type": "text/plain"}).status == 415


@pytest.mark.parametrize("query", ["tab=rooms", "from=-1", "count=501", "group=colour", "filter=%zz", "filter=%00", "from", "x=1",
                                   "count=99999999999999999999", "filter=" + "a" * 2100])
def test_a_parameter_that_there_is_not_is_refused(page, query):
    assert page.get(f"/api/stream?{query}").status == 400


# ---- time and number ----

def test_a_slow_writer_is_put_out(page):
    """A byte each second is no silence, and yet no request: after 15 seconds it is over."""
    with page.connect() as sock:
        began = time.monotonic()
        with pytest.raises(OSError):
            for byte in head(page):
                assert time.monotonic() - began < 25, "it is still let in"
                sock.sendall(bytes([byte]))
                if select.select([sock], [], [], 1)[0] and not sock.recv(1000):
                    raise ConnectionResetError
    assert still_answers(page)


def test_a_thousand_open_connections_keep_nobody_out(serve):
    """Those that never asked anything give way, the longest waiting first; a page that looks does not."""
    page = serve()
    stream = page.stream()
    with contextlib.ExitStack() as all_of_them:
        for _ in range(1000):
            with contextlib.suppress(ConnectionError):
                all_of_them.enter_context(page.connect())
        assert still_answers(page)
        assert stream.window()["type"] == "window"
        stream.until(lambda line: line["type"] == "difference")
        front = page.processes[1]
        assert len(os.listdir(f"/proc/{front}/fd")) < 300
    stream.close()


def test_those_that_never_read_what_they_asked_for_keep_nobody_out(serve):
    page = serve()
    file = f"GET /vendor/uPlot.esm.js HTTP/1.1\r\nHost: 127.0.0.1:{page.port}\r\n\r\n".encode()
    stream = page.stream()
    with contextlib.ExitStack() as all_of_them:
        for _ in range(300):
            sock = all_of_them.enter_context(socket.socket())
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
            sock.settimeout(LIMIT)
            with contextlib.suppress(OSError):
                sock.connect(("127.0.0.1", page.port))
                sock.sendall(file * 20)
        assert still_answers(page)
        stream.until(lambda line: line["type"] == "difference")
    stream.close()


def test_streams_are_bounded(serve):
    page = serve()
    streams = [page.stream() for _ in range(64)]
    assert page.get("/api/stream").status == 429
    streams.pop().close()
    for stream in streams:
        stream.close()
    assert still_answers(page)


def test_who_does_not_read_gets_a_fresh_window_and_costs_no_memory(serve, scene):
    """Each refresh changes all its rows, so that the differences soon fill what may be unread."""
    scene("processes", count=100, sockets=9)
    page = serve("--interval", "100ms")
    columns = ",".join(["port", "cmdline", "exe", "process"] * 8)
    lazy = socket.socket()
    lazy.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    lazy.settimeout(LIMIT)
    lazy.connect(("127.0.0.1", page.port))
    lazy.sendall(head(page, f"/api/stream?group=none&count=500&columns={columns}"))
    busy = page.stream("?count=1")
    stream_id = "0000000000000001"
    for n in range(30):  # each is a window of its own
        answer = page.post(f"/api/stream/{stream_id}", {"from": n % 2})
        assert answer.status == 204
        last = busy.until(lambda line: line["type"] == "difference")["time"]
    unread = rss(page.processes[1])
    lines, kinds, windows, moment = lines_of(lazy), [], [], 0
    while moment <= last or kinds[-1] != "difference":
        line = next(lines)
        kinds.append(line["type"])
        moment = line.get("time", 0)
        if line["type"] == "window":
            windows.append(moment)
    assert unread < 40 << 20
    assert kinds[:2] == ["hello", "window"]
    assert len(windows) >= 2  # what it had not read was given up for a fresh one
    assert len([moment for moment in windows if moment < last]) < 15  # of thirty that were asked for, before it read
    lazy.close()
    busy.close()


def test_who_was_dropped_begins_anew(serve):
    """He asks for nothing meanwhile: each look changes all his rows, and the first is more than may be unread."""
    page = serve("--interval", "100ms")
    columns = ",".join(["last_activity", *["cmdline", "exe", "local", "remote"] * 7])
    with contextlib.ExitStack() as all_of_them:
        made = all_of_them.enter_context(socket.create_server(("127.0.0.1", 0), backlog=300))
        for _ in range(250):
            all_of_them.enter_context(socket.create_connection(made.getsockname()))
            all_of_them.enter_context(made.accept()[0])
        lazy = all_of_them.enter_context(socket.socket())
        lazy.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        lazy.settimeout(LIMIT)
        lazy.connect(("127.0.0.1", page.port))
        lazy.sendall(head(page, f"/api/stream?tab=connections&group=none&count=500&columns={columns}&filter={quoted(f'pid = {os.getpid()}')}"))
        with streaming(page, "?tab=connections&count=1&columns=last_activity") as busy:
            for _ in range(6):
                busy.until(lambda line: line["type"] == "difference")
        lines = lines_of(lazy)
        kinds = [next(lines)["type"] for _ in range(3)]
    assert kinds == ["hello", "window", "window"]


@pytest.mark.needs("bpf")
def test_who_does_not_read_events_gets_a_fresh_window_with_the_newest(serve):
    """Each window asked for has hundreds of events; what is beyond 256 KiB is given up for one that has them all."""
    page = serve("--netns", "self")
    lazy = socket.socket()
    lazy.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    lazy.settimeout(LIMIT)
    lazy.connect(("127.0.0.1", page.port))
    mine = quoted(f"event = opened and pid = {os.getpid()} and state = listen")
    lazy.sendall(head(page, f"/api/stream?tab=events&count=500&filter={mine}&columns={','.join(['port', 'cmdline', 'exe', 'process'] * 8)}"))
    busy = page.stream(f"?tab=events&filter={mine}&columns=port&count=1")

    def open_one():
        with listening() as port:
            pass
        busy.until(lambda line: any(row["cells"] == [str(port)] for row in line.get("rows", [])))
        return port

    busy.window()
    for _ in range(100):
        with listening():
            pass
    for n in range(30):
        last = open_one()
        assert page.post("/api/stream/0000000000000001", {"from": n % 2}).status == 204
    unread = rss(page.processes[1])
    assert page.post("/api/stream/0000000000000001", {"from": 0}).status == 204
    answer, kinds = http.client.HTTPResponse(lazy), []
    answer.begin()
    while True:
        line = json.loads(answer.readline())
        kinds.append(line["type"])
        if line["type"] == "window" and line["from"] == 0 and any(row["cells"][0] == str(last) for row in line["rows"]):
            break
    assert unread < 40 << 20
    assert kinds[:2] == ["hello", "window"]
    assert 2 <= kinds.count("window") < 15, kinds  # of more than thirty that were asked for
    last = open_one()  # and it goes on
    while not any(row["cells"][0] == str(last) for row in json.loads(answer.readline()).get("rows", [])):
        pass
    lazy.close()
    busy.close()


def lines_of(sock):
    """What stands at the beginning of each line of a stream, as it is read: its type, and of most the time."""
    text = b""
    while True:
        *lines, text = text.split(b"\n")
        for line in lines:
            if line.startswith(b'{"type":'):
                yield json.loads(line[:200].split(b',"complete"')[0].rstrip(b"}") + b"}")
        piece = sock.recv(65536)
        assert piece
        text += piece


def rss(pid):
    with open(f"/proc/{pid}/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


# ---- who has which rights ----

@pytest.mark.needs("root")
def test_who_reads_what_comes_has_no_capability(page):
    front = page.processes[1]
    with open(f"/proc/{front}/status", encoding="ascii") as file:
        status = dict(line.split(":", 1) for line in file if ":" in line)
    assert int(status["CapEff"], 16) == int(status["CapPrm"], 16) == 0
    assert int(status["NoNewPrivs"]) == 1
    with open(f"/proc/{front}/maps", encoding="ascii", errors="replace") as file:
        is_sanitized = "asan" in file.read()  # which needs more system calls than there are on the list
    assert int(status["Seccomp"]) == (0 if is_sanitized else 2)


def test_read_only_has_no_acts(serve):
    page = serve("--read-only")
    assert page.get(FIELDS).json["actions"]["close"]
    assert page.post("/api/plan", {"action": "close", "target": "1"}).status == 403
    assert page.post("/api/act", {"plan": "0" * 16, "identities": []}).status == 403
    for body in ({}, {"plan": "x"}, {"no such": 1}):  # nor are its words looked at
        assert page.post("/api/plan", body).status == page.post("/api/act", body).status == 403


def test_errors_are_json(page):
    for answer in (page.get("/nothing"), page.get("/api/nothing"), page.get("/api/check?filter=staet"), page.get(FIELDS, Origin="null")):
        assert set(answer.json["error"]) == {"what", "why", "hint", "at"}
        assert json.loads(answer.body)
