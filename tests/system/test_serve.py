# SPDX-License-Identifier: GPL-2.0-or-later
"""What serve tells, against the kernel, the other commands, and readers that share no code with us."""

import contextlib
import os
import pathlib
import select
import socket

import psutil

from conftest import TREE
from pages import page, serve  # noqa: F401 (fixtures)
from served import listening, quoted, server, streaming  # noqa: F401 (fixtures)


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
    assert [f["name"] for f in fields["fields"]] == [f["name"] for f in doorward.json("fields")["fields"]
                                                    if f["of"] != "event"]
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


def test_rates_have_no_gap_where_nobody_looked(serve):
    """A reload, a hidden tab, another column: the first look afterwards tells what flowed since the one before."""
    page = serve()
    with socket.create_server(("127.0.0.1", 0)) as door, socket.create_connection(door.getsockname()):
        asked = f"/api/rates?of=port&target=tcp/{door.getsockname()[1]}"
        for columns in ("port", "port,rate_in", "port,cmdline,cwd"):
            with streaming(page, f"?count=1&columns={columns}") as stream:
                stream.window()
                assert page.get(asked).status == 200
                for _ in range(4):
                    stream.until(lambda line: line["type"] == "difference")
        rates = page.get(asked).json["in"]
    known = [rate is not None for rate in rates]
    assert len(known) >= 12 and sum(known) >= 9 and known == sorted(known), rates


def test_the_picture_joins_both_ends(page, server):
    port = server().port
    with socket.create_connection(("127.0.0.1", port)), streaming(page, "?count=1") as stream:
        stream.window()
        graph = page.get("/api/graph?filter=" + quoted(f"port = {port} or peer_port = {port}")).json
    kinds = {node["id"]: node["kind"] for node in graph["nodes"]}
    assert kinds[f"p{os.getpid()}"] == "process" and kinds[f"tcp/{port}"] == "port"
    assert {"from": f"p{os.getpid()}", "to": f"tcp/{port}", "n": 1} in graph["edges"]
    assert graph["left_off"] == 0


def test_in_the_picture_nobody_is_not_who_may_not_be_seen(page):
    with socket.create_server(("127.0.0.1", 0)) as door, streaming(page, "?count=1") as stream:
        port = door.getsockname()[1]
        with socket.create_connection(door.getsockname()):
            door.accept()[0].close()  # this end waits in TIME_WAIT, and no process has it
        stream.window()
        stream.until(lambda line: line["type"] == "difference")
        graph = page.get("/api/graph?filter=" + quoted(f"port = {port} or peer_port = {port}")).json
    assert {"id": "nobody", "kind": "process", "label": "(nobody)", "n": 1} in graph["nodes"]
    assert {"from": f"tcp/{port}", "to": "nobody", "n": 1} in graph["edges"]
    assert "(unseen)" not in {node["label"] for node in graph["nodes"]}


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
    """All files of the page, as a browser gets them, but what comes with the tab of rates alone (test_page_access.py has
    what Chromium asks for)."""
    total = {"first": 0, "later": 0}
    for path in ["/", *[f"/{p.parent.name}/{p.name}" for p in [*(TREE / "src/web/page").iterdir(), *(TREE / "vendor").iterdir()]
                        if p.suffix in (".js", ".mjs", ".css", ".svg")]]:
        answer = page.get(path, Accept_Encoding="gzip")
        assert answer.status == 200, path
        total["later" if "uPlot" in path else "first"] += len(answer.body)
    assert total["first"] < 70_000 and sum(total.values()) < 110_000, total
