# SPDX-License-Identifier: GPL-2.0-or-later
"""What serve tells and does, against the kernel, the other commands, and readers that share no code with us."""

import contextlib
import os
import pathlib
import select
import signal
import socket
import ssl
import subprocess
import sys
import urllib.parse

import psutil
import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from conftest import TREE
from pages import LIMIT, as_another_user, page, read_all, serve, status_of  # noqa: F401 (fixtures)

ALL_STATES = {word for name, word in vars(psutil).items() if name.startswith("CONN_")}


def quoted(text):
    return urllib.parse.quote(text)


@contextlib.contextmanager
def listening(port=0):
    with socket.create_server(("127.0.0.1", port)) as sock:
        yield sock.getsockname()[1]


@contextlib.contextmanager
def streaming(page, parameters=""):
    stream = page.stream(parameters)
    try:
        yield stream
    finally:
        stream.close()


SERVER = """
import socket, sys
sock = socket.create_server(("127.0.0.1", int(sys.argv[1])))
print(sock.getsockname()[1], flush=True)
sys.stdin.read()
"""


class Server:
    """A process of its own that listens."""

    def __init__(self, port=0):
        self.process = subprocess.Popen([sys.executable, "-c", SERVER, str(port)], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE)
        self.port = int(self.process.stdout.readline())
        self.pid = self.process.pid

    def end(self):
        self.process.stdin.close()
        self.process.wait(LIMIT)
        self.process.stdout.close()


@pytest.fixture
def server():
    running = []

    def start(port=0):
        running.append(Server(port))
        return running[-1]

    yield start
    for one in running:
        if one.process.stdout.closed:
            continue
        one.end()


# ---- what it shows ----

def test_a_listener_comes_and_goes_while_one_looks(page):
    with streaming(page, f"?filter={quoted(f'pid = {os.getpid()}')}&group=none&columns=port,state,pid") as stream:
        first = stream.window()
        assert first["total"] == len(first["rows"]) == 0
        with listening() as port:
            line = stream.until(lambda line: line.get("rows"))
            assert line["type"] == "difference"
            row, = line["rows"]
            assert (row["at"], row["change"], row["n"]) == (0, "new", 1)
            assert row["cells"] == [str(port), "LISTEN", str(os.getpid())]
            assert row["target"] == f"tcp/127.0.0.1:{port}"
            assert line["order"] == [row["id"]]
            calm = stream.until(lambda line: line.get("rows"))  # no more new
            assert (calm["rows"][0]["id"], calm["rows"][0]["change"]) == (row["id"], None)
        gone = stream.until(lambda line: line.get("rows"))
        assert (gone["rows"][0]["id"], gone["rows"][0]["change"], gone["total"]) == (row["id"], "gone", 0)
        assert gone["rows"][0]["cells"] == row["cells"]
        assert stream.until(lambda line: "order" in line)["order"] == []


def test_the_window_is_what_list_shows(page, doorward, scene):
    made = scene("tcp-listener", workers=3)
    listed = doorward.list(f"port = {made.port}").sockets
    with streaming(page, f"?filter={quoted(f'port = {made.port}')}&columns=proto,port,user,reach,pid,process&group=none") as stream:
        rows = [row["cells"] for row in stream.window()["rows"]]
    assert len(rows) == len(listed) == 1
    one, row = listed[0], rows[0]
    assert row[:4] == [one["proto"], str(one["local_port"]), one["user"], one["reach"]]
    assert set(map(int, row[4].split())) == one.pids
    assert row[5] == f"scene ×{len(one.pids)}"


def test_both_tabs_show_what_list_and_connections_show(page, doorward):
    with socket.create_server(("127.0.0.1", 0)) as door, socket.create_connection(door.getsockname()):
        far, _ = door.accept()
        port = door.getsockname()[1]
        either = f"port = {port} or peer_port = {port}"
        with streaming(page, f"?filter={quoted(f'port = {port}')}&columns=state") as stream:
            assert [row["cells"] for row in stream.window()["rows"]] == [["LISTEN"]]
        with streaming(page, f"?tab=connections&filter={quoted(either)}&columns=port,peer_port,role") as stream:
            seen = sorted(row["cells"] for row in stream.window()["rows"])
        listed = [s for s in doorward.list("--connections", either).sockets]
        assert len(seen) == 2
        assert seen == sorted([str(s["local_port"]), str(s["peer_port"]), s["role"]] for s in listed)
        far.close()


def test_a_stream_turns_to_what_is_asked_of_it(page):
    mine = quoted(f"pid = {os.getpid()}")
    with contextlib.ExitStack() as doors, streaming(page, f"?count=5&group=none&columns=port&sort=port&filter={mine}") as stream:
        name = stream.line()["stream"]
        stream.window()
        for _ in range(20):
            doors.enter_context(listening())
        stream.until(lambda line: line.get("total") == 20)
        assert page.post(f"/api/stream/{name}", {"from": 0}).status == 204
        window = stream.window()
        assert (len(window["rows"]), window["from"]) == (5, 0)
        ports = [int(row["cells"][0]) for row in window["rows"]]
        assert ports == sorted(ports)
        assert page.post(f"/api/stream/{name}", {"from": 3, "count": 4}).status == 204
        moved = stream.window()
        assert moved["from"] == 3
        assert [row["id"] for row in moved["rows"][:2]] == [row["id"] for row in window["rows"][3:]]
        assert page.post(f"/api/stream/{name}", {"sort": "-port", "from": 0}).status == 204
        turned = [int(row["cells"][0]) for row in stream.window()["rows"]]
        assert turned == sorted(turned, reverse=True) and turned[0] >= ports[-1]
        wrong = page.post(f"/api/stream/{name}", {"filter": "port = eighty"})
        assert (wrong.status, wrong.json["error"]["at"]) == (400, 7)
        assert page.post(f"/api/stream/{name}", {"group": "process"}).status == 204
        assert [row["n"] for row in stream.window()["rows"]] == [20]
        assert page.post(f"/api/stream/{name}", {"columns": "nothing"}).status == 400
        assert stream.until(lambda line: line["type"] == "difference")["total"] == 1


def test_what_moves_out_of_the_window_is_not_gone(page):
    with contextlib.ExitStack() as doors:
        first, *others = sorted((doors.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(3)),
                                key=lambda sock: sock.getsockname()[1])
        port = first.getsockname()[1]
        first.close()
        mine = quoted(f"pid = {os.getpid()}")
        with streaming(page, f"?count=2&group=none&columns=port&sort=port&filter={mine}") as stream:
            window = stream.window()
            assert [row["cells"] for row in window["rows"]] == [[str(sock.getsockname()[1])] for sock in others]
            doors.enter_context(socket.create_server(("127.0.0.1", port)))
            line = stream.until(lambda line: line.get("total") == 3)
            assert [row["change"] for row in line["rows"]] == ["new"]
            assert line["order"] == [line["rows"][0]["id"], window["rows"][0]["id"]]


def test_paused_it_stays_as_it_is(page):
    with streaming(page, f"?filter={quoted(f'pid = {os.getpid()}')}&group=none&columns=port") as stream:
        name = stream.line()["stream"]
        stream.window()
        assert page.post(f"/api/stream/{name}", {"paused": True}).status == 204
        stream.window()
        with listening() as port:
            for _ in range(3):
                assert stream.until(lambda line: line["type"] == "difference")["rows"] == []
            assert page.post(f"/api/stream/{name}", {"paused": False}).status == 204
            assert stream.window()["rows"][0]["cells"] == [str(port)]


def test_ten_pages_share_one_snapshot(page):
    """Each is told of the same moments."""
    with contextlib.ExitStack() as all_of_them:
        streams = [all_of_them.enter_context(streaming(page, "?count=1")) for _ in range(10)]
        times = []
        for stream in streams:
            stream.window()
            times.append({stream.until(lambda line: line["type"] == "difference")["time"] for _ in range(4)})
    assert len(set.union(*times)) <= 8


def switches(pid):
    """How often each thread of the process went to sleep."""
    found = {}
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        text = (task / "status").read_text()
        found[task.name] = int(text.split("\nvoluntary_ctxt_switches:")[1].split()[0])
    return found


def test_without_a_page_that_looks_nothing_is_done(serve):
    """A thread that did anything would have gone to sleep once more; an interval is a tenth of a second."""
    page = serve("--interval", "100ms")
    with streaming(page, "?count=1") as stream:
        stream.window()
        before = switches(page.processes[0])
        stream.until(lambda line: line["type"] == "difference")
        assert switches(page.processes[0]) != before
    for _ in range(10):  # what was begun comes to its end, and then there is nothing
        before = [switches(pid) for pid in page.processes]
        assert not select.select([page.process.stderr], [], [], 1.5)[0]
        if [switches(pid) for pid in page.processes] == before:
            return
    raise AssertionError("it does not come to rest")


def door_of(page, line, port):
    """The byte of the door in a line of the stream, or None; where it says so in the whole map."""
    if line.get("reload"):
        return page.get("/api/map?proto=tcp").body[port]
    return next((byte for door, byte in line.get("tcp", []) if door == port), None)


def test_the_map_has_the_door(page):
    with streaming(page, "?count=1&map=1") as stream:
        stream.window()
        with listening() as port:
            seen = []
            stream.until(lambda line: seen.append(door_of(page, line, port)) or seen[-1] and seen[-1] & 7)
            legend = page.get("/api/map/legend").json
            assert legend["states"][seen[-1] & 7] == "open"
            assert legend["reach"][seen[-1] >> 3 & 7] == "loopback"
            assert bool(seen[-1] & 64) == (legend["ephemeral"][0] <= port <= legend["ephemeral"][1])
            assert seen[-1] & 128
            whole = page.get("/api/map?proto=tcp")
            assert len(whole.body) == 65536 and whole.body[port] & 0x7f == seen[-1] & 0x7f
        stream.until(lambda line: (byte := door_of(page, line, port)) is not None and not byte & 7)


def test_every_listener_of_the_kernel_is_on_the_map(page):
    with streaming(page, "?count=1") as stream:
        stream.window()
        tcp = page.get("/api/map?proto=tcp").body
    still = {c.laddr.port for c in psutil.net_connections("tcp") if c.status == psutil.CONN_LISTEN and c.pid in (os.getpid(), *page.processes)}
    assert page.port in still
    assert all(tcp[port] & 7 == 2 for port in still)


def test_the_story_is_that_of_show(page, doorward, server):
    port = server().port
    told = page.get(f"/api/story?target=tcp/{port}")
    assert told.status == 200
    shown = doorward.json("show", f"tcp/{port}")
    told = told.json
    assert f"Port {port}" in told.pop("text")
    assert set(told) == set(shown)
    socket_told, = told["sockets"]
    assert socket_told["local_port"] == port and socket_told["holders"][0]["pid"] == shown["sockets"][0]["holders"][0]["pid"]
    assert page.get("/api/story?target=nonsense%20here").status == 400
    assert page.get("/api/story?target=tcp/1").json["sockets"] == []


def test_a_filter_is_checked_and_completed_while_it_is_typed(page):
    assert page.get("/api/check?filter=" + quoted("port = 80 and state = listen")).json == {"ok": True}
    error = page.get("/api/check?filter=" + quoted("port = 80 and staet = listen")).json["error"]
    assert error["at"] == 14 and "state" in error["hint"]
    complete = lambda text: page.get(f"/api/complete?filter={quoted(text)}&at={len(text)}").json["words"]  # noqa: E731
    assert "port" in complete("po")
    assert complete("state = est") == ["established"]
    assert "and" in complete("port = 80 ") and "port" not in complete("port = 80 ")
    assert set(complete("port ")) >= {"=", "in", "~"}


def test_fields_are_those_of_the_registry(page, doorward):
    fields = page.get("/api/fields").json
    assert [f["name"] for f in fields["fields"]] == [f["name"] for f in doorward.json("fields")["fields"]]
    names = {f["name"] for f in fields["fields"]}
    assert set(fields["tabs"]["doors"]) | set(fields["tabs"]["connections"]) <= names


def test_rates_are_what_was_sent(page):
    with socket.create_server(("127.0.0.1", 0)) as door, socket.create_connection(door.getsockname()) as near:
        far, _ = door.accept()
        port = door.getsockname()[1]
        with streaming(page, "?count=1") as stream:
            stream.window()
            asked = f"/api/rates?of=port&target=tcp/{port}"
            assert page.get(asked).json["connections"] == []
            total = 0
            for _ in range(4):
                near.sendall(b"x" * 50000)
                got = 0
                while got < 50000:
                    got += len(far.recv(50000))
                total += got
                stream.until(lambda line: line["type"] == "difference")
            stream.until(lambda line: line["type"] == "difference")
            rates = page.get(asked).json
        far.close()
    assert set(map(len, rates.values())) == {len(rates["times"])} and len(rates["times"]) >= 4
    times = rates["times"]
    seen = sum(rate * (b - a) for rate, a, b in zip(rates["in"][1:], times, times[1:]))
    assert 0.4 * total < seen < 1.6 * total  # those of its first interval may be before the first sample
    assert set(rates["connections"]) == {1}


def test_the_picture_joins_both_ends(page, server):
    port = server().port
    with socket.create_connection(("127.0.0.1", port)), streaming(page, "?count=1") as stream:
        stream.window()
        graph = page.get("/api/graph?filter=" + quoted(f"port = {port} or peer_port = {port}")).json
    kinds = {node["id"]: node["kind"] for node in graph["nodes"]}
    assert kinds[f"p{os.getpid()}"] == "process" and kinds[f"tcp/{port}"] == "port"
    assert {"from": f"p{os.getpid()}", "to": f"tcp/{port}", "n": 1} in graph["edges"]
    assert graph["left_off"] == 0


# ---- what it does ----

def plan(page, **what):
    answer = page.post("/api/plan", what)
    assert answer.status == 200, answer.body
    return answer.json


def act(page, planned, **changed):
    return page.post("/api/act", {"plan": planned["plan"], "identities": planned["identities"], **changed})


def is_listening(port):
    return any(c.laddr.port == port and c.status == psutil.CONN_LISTEN for c in psutil.net_connections("tcp"))


def test_a_plan_does_nothing_and_its_act_closes(page, server):
    one = server()
    planned = plan(page, action="close", target=f"tcp/127.0.0.1:{one.port}")
    assert planned["can_act"] and not planned["acted"] and "SIGTERM" in planned["text"]
    assert len(planned["identities"]) == len(planned["steps"]) == 1
    assert is_listening(one.port) and one.process.poll() is None
    done = act(page, planned)
    assert (done.status, done.json["free"], done.json["steps"][0]["outcome"]) == (200, True, "free")
    assert not is_listening(one.port)
    assert one.process.wait(LIMIT) == -signal.SIGTERM
    assert act(page, planned).status == 409  # good once


def test_a_plan_whose_process_was_replaced_closes_nothing(page, server):
    """The same port, the same command line, another process: who confirmed has seen the other."""
    one = server()
    planned = plan(page, action="close", target=f"tcp/127.0.0.1:{one.port}")
    one.end()
    other = server(one.port)
    refused = act(page, planned)
    assert refused.status == 409, refused.body
    assert other.process.poll() is None and is_listening(one.port)


def test_an_act_must_name_what_it_confirms(page, server):
    one = server()
    for changed in ({"identities": []}, {"identities": ["0" * 16]}, {"plan": "0" * 16}):
        planned = plan(page, action="close", target=f"tcp/127.0.0.1:{one.port}")
        refused = act(page, planned, **changed)
        assert refused.status == 409
    planned = plan(page, action="close", target=f"tcp/127.0.0.1:{one.port}")
    assert act(page, planned, identities=planned["identities"] * 2).status == 409
    assert page.post("/api/act", {"plan": "x", "identities": []}).status == 400
    assert one.process.poll() is None and is_listening(one.port)


def test_plans_are_bounded_and_wait_for_nobody_else(serve, server):
    page, one = serve(), server()
    planned = [plan(page, action="close", target=f"tcp/127.0.0.1:{one.port}") for _ in range(8)]
    assert page.post("/api/plan", {"action": "close", "target": "tcp/1"}).status == 429
    assert act(page, planned[0], identities=[]).status == 409
    assert plan(page, action="close", target="tcp/1")["can_act"] is False
    assert one.process.poll() is None


def test_a_plan_tells_what_is_wrong(page):
    assert page.post("/api/plan", {"action": "close"}).status == 400
    assert page.post("/api/plan", {"action": "close", "target": "nonsense here"}).status == 400
    wrong = page.post("/api/plan", {"action": "close", "filter": "staet = listen"})
    assert (wrong.status, wrong.json["error"]["at"]) == (400, 0)
    nothing = plan(page, action="close", target="tcp/1")
    assert (nothing["can_act"], nothing["identities"]) == (False, [])


def test_serve_does_not_close_itself(page):
    planned = plan(page, action="close", target=f"tcp/127.0.0.1:{page.port}")
    assert not planned["can_act"] and planned["steps"][0]["refused"]


@pytest.mark.needs("root", "program:nft", "program:unshare")
def test_block_refuses_until_unblock(doorward):
    """In a network of its own: the page is asked from inside it."""
    ran = subprocess.run(["unshare", "--net", sys.executable, "-c", f"""
import socket, sys
sys.path[:0] = [{str(TREE / "tests/system")!r}]
import subprocess
subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
import conftest, pages
page = pages.Page(conftest.Doorward())
door = socket.create_server(("127.0.0.1", 0))
port = door.getsockname()[1]
def reached():
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
        return True
    except OSError:
        return False
def do(**what):
    planned = page.post("/api/plan", what).json
    assert planned["can_act"], planned
    assert reached() == (what["action"] == "block")
    return page.post("/api/act", {{"plan": planned["plan"], "identities": planned["identities"]}})
assert reached()
done = do(action="block", target=f"tcp/{{port}}", for_ms=600000)
assert done.status == 200 and len(done.json["blocks"]) == 1, done.body
assert not reached()
done = do(action="unblock", target=f"tcp/{{port}}")
assert done.json["unblocked"] == 1, done.body
assert reached()
assert page.end() == (0, "")
print("so it is")
"""], capture_output=True, text=True, timeout=120, check=False)
    assert (ran.returncode, ran.stdout.strip()) == (0, "so it is"), ran.stderr


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


# ---- metrics ----

def free_port():
    with socket.create_server(("127.0.0.1", 0)) as sock:
        return sock.getsockname()[1]


def scrape(port, host=None, **headers):
    request = f"GET /metrics HTTP/1.1\r\nHost: {host or f'127.0.0.1:{port}'}\r\n" + \
        "".join(f"{k}: {v}\r\n" for k, v in headers.items()) + "Connection: close\r\n\r\n"
    with socket.create_connection(("127.0.0.1", port), timeout=LIMIT) as sock:
        sock.sendall(request.encode())
        return read_all(sock)


def families(port):
    data = scrape(port)
    head, body = data.split(b"\r\n\r\n", 1)
    assert status_of(data) == 200 and b"application/openmetrics-text" in head
    if b"chunked" in head.lower():
        raise AssertionError("not whole")
    return {f.name: f for f in text_string_to_metric_families(body.decode())}


def test_metrics_are_openmetrics_and_count_what_is_there(serve, scene):
    port = free_port()
    page = serve("--metrics", f"127.0.0.1:{port}")
    with listening() as door, socket.create_connection(("127.0.0.1", door)):
        found = families(port)
        mine, = [s for s in found["doorward_listeners"].samples if s.labels["port"] == str(door) and s.labels["proto"] == "tcp"]
        assert (mine.value, mine.labels["reach"]) == (1, "loopback")
        waiting, = [s for s in found["doorward_backlog_connections"].samples if s.labels["port"] == str(door)]
        assert waiting.value == 1  # nobody accepted it
        used = found["doorward_ephemeral_ports_used"].samples
        to_it = [s.value for s in used if s.labels["destination"] == f"127.0.0.1:{door}"]
        assert to_it == [1] or len(used) == 51  # a host that has more to tell of
    assert {s.labels["state"] for s in found["doorward_connections"].samples if s.labels["proto"] == "tcp"} <= ALL_STATES
    assert found["doorward_listen_overflows"].type == "counter"
    assert page.ask("GET", "/api/fields", headers={"Authorization": "Bearer x"}).status == 401
    assert families(port)["doorward_wrong_tokens"].samples[0].value == 1


def test_metrics_have_bounded_series(serve, scene):
    port = free_port()
    serve("--metrics", f"127.0.0.1:{port}")
    with contextlib.ExitStack() as all_of_them:
        doors = [all_of_them.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(600)]
        for door in doors[:70]:
            all_of_them.enter_context(socket.create_connection(door.getsockname()))
        found = families(port)
    listeners = found["doorward_listeners"].samples
    assert len(listeners) == 501
    assert [s.value for s in listeners if s.labels["port"] == "other"][0] >= 100
    assert len(found["doorward_ephemeral_ports_used"].samples) == 51


def test_metrics_and_the_page_are_apart(serve):
    port = free_port()
    page = serve("--metrics", f"127.0.0.1:{port}")
    assert page.get("/metrics").status == 404
    assert status_of(scrape(port).replace(b"/metrics", b"")) == 200
    assert status_of(scrape(port, host="evil.example")) == 403
    assert status_of(scrape(port, Origin="http://evil.example")) == 403
    with socket.create_connection(("127.0.0.1", port), timeout=LIMIT) as sock:
        sock.sendall(f"GET /api/fields HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer {page.token}\r\n\r\n".encode())
        assert status_of(read_all(sock)) == 404


@pytest.mark.needs("root", "program:setpriv")
def test_another_user_may_measure(serve):
    port = free_port()
    serve("--metrics", f"127.0.0.1:{port}")
    code = f"""
import urllib.request
print(urllib.request.urlopen("http://127.0.0.1:{port}/metrics").status)
"""
    assert as_another_user(code).strip() == "200"


# ---- the files ----

def test_files_are_known_by_their_bytes_and_come_packed(page):
    import gzip
    import hashlib
    plain = page.get("/vendor/preact.mjs")
    on_disk = (TREE / "vendor/preact.mjs").read_bytes()
    assert plain.body == on_disk
    assert plain.headers["ETag"].strip('"') == hashlib.sha256(on_disk).hexdigest()[:32]
    packed = page.get("/vendor/preact.mjs", Accept_Encoding="gzip")
    assert gzip.decompress(packed.body) == on_disk
    assert page.get("/vendor/preact.mjs", If_None_Match=plain.headers["ETag"]).status == 304


def test_the_first_view_is_small(page):
    """All files of the page, as a browser gets them."""
    total = 0
    for path in ["/", *[f"/{p.parent.name}/{p.name}" for p in [*(TREE / "src/web/page").iterdir(), *(TREE / "vendor").iterdir()]
                        if p.suffix in (".js", ".mjs", ".css", ".svg")]]:
        answer = page.get(path, Accept_Encoding="gzip")
        assert answer.status == 200, path
        total += len(answer.body)
    assert total < 100_000
