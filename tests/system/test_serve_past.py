# SPDX-License-Identifier: GPL-2.0-or-later
"""What was, as serve tells it to a page: against `list --at` and `show --at` of the same record."""

import contextlib
import time

import pytest

from pages import serve  # noqa: F401 (fixture)
from recorded import Recorder, listener, nanoseconds, port_of
from served import quoted, streaming


@pytest.fixture
def record(doorward, tmp_path):
    """A recorder of this network."""
    made = Recorder(doorward, tmp_path / "history.db", "--netns", "self").start()
    yield made
    made.close()


def milliseconds(moment):
    return int(moment * 1000)


@pytest.mark.needs("bpf")
def test_a_moment_is_that_of_list(record, serve):  # noqa: F811
    with listener() as made:
        port = port_of(made)
        record.until(f"port = {port}")
        then = milliseconds(time.time())
    record.closed(f"port = {port}")
    page = serve("--db", record.db)
    told = page.get("/api/past").json
    assert told["recorded"] and told["recording"] and told["oldest"] < then / 1000 <= told["newest"]
    one = f"filter={quoted(f'port = {port}')}&group=none&columns=proto,port,pid,process&moment={then}"
    with streaming(page, f"?{one}&map=1") as stream:
        name = stream.line()["stream"]
        window = stream.window()
        listed = record.at(then / 1000, f"port = {port}")
        socket, = listed.sockets
        assert window["moment"] == then and abs(window["time"] - then / 1000) < 0.01
        assert [row["cells"][:3] for row in window["rows"]] == [["tcp", str(port), str(socket.pids.pop())]]
        assert (window["complete"], window["missing"]) == (listed["complete"], listed["missing"])
        assert page.get(f"/api/map?proto=tcp&moment={then}").body[port] & 7 == 2  # open
        story = page.get(f"/api/story?target=tcp/{port}&moment={then}").json
        assert [s["local_port"] for s in story["sockets"]] == [port] and "reached by" in story["text"]
        assert page.get(f"/api/story?target=tcp/{port}").json["sockets"] == []  # it is closed now
        with streaming(page, f"?{one}") as other:  # who looks at the same gets the same
            assert other.window()["rows"] == window["rows"]
        before = milliseconds(told["oldest"] - 3600)
        assert page.post(f"/api/stream/{name}", {"moment": before}).status == 204
        window = stream.window()
        assert (window["moment"], window["total"], window["complete"]) == (before, 0, False) and window["missing"]
        assert page.post(f"/api/stream/{name}", {"moment": 0}).status == 204
        window = stream.window()
        assert "moment" not in window and window["total"] == 0
        assert stream.until(lambda line: line["type"] == "difference")["time"] > then / 1000


@pytest.mark.needs("bpf")
def test_a_step_is_to_the_next_change(record, serve):  # noqa: F811
    """Each change of what `history` tells is a step, in its millisecond, and nothing else is but where a minute is empty."""
    with listener() as made:
        port = port_of(made)
        opened = record.until(f"port = {port}")["opened"]
    closed = record.closed(f"port = {port}")["closed"]
    page = serve("--db", record.db)

    def step(way, moment):
        return page.get(f"/api/past?step={way}&moment={moment}").json

    def end_of(text):
        return -(-nanoseconds(text) // 10**6)

    told = record.intervals()
    oldest = page.get("/api/past").json["oldest"] * 1000 + 1  # what came before it was recorded is no step
    changes = {end_of(one[end]) for one in told for end in ("opened", "closed") if one[end] and end_of(one[end]) > oldest}
    assert end_of(closed) in changes
    assert end_of(opened) in changes or end_of(opened) <= oldest  # with which the record begins
    moment, seen = 0, []
    while (answer := step("earlier", moment))["moment"]:
        assert not moment or answer["moment"] < moment
        moment = answer["moment"]
        seen.append(moment)
    assert answer["why"] == "nothing earlier is recorded"
    assert changes <= set(seen)
    assert step("later", end_of(opened) - 1)["moment"] == end_of(opened)
    assert step("later", milliseconds(time.time()) + 5000) == {"moment": None, "why": "nothing later is recorded"}
    with streaming(page, f"?filter={quoted(f'port = {port}')}&group=none&columns=port&moment={end_of(opened)}") as stream:
        assert [(row["cells"], row["change"]) for row in stream.window()["rows"]] == [([str(port)], "new")]
    for wrong in ["step=sideways", "step=1", "step=earlier&moment=-1"]:
        assert page.get(f"/api/past?{wrong}").status == 400


@pytest.mark.needs("bpf")
def test_many_moments_are_looked_at_and_few_are_kept(record, serve):  # noqa: F811
    """More than are kept at once: each page that scrolls still has the moment that it looks at."""
    with listener() as made:
        port = port_of(made)
        record.until(f"port = {port}")
        then = milliseconds(time.time())
        page = serve("--db", record.db)
        with contextlib.ExitStack() as all_of_them:
            streams = []
            for k in range(7):
                stream = all_of_them.enter_context(
                    streaming(page, f"?filter={quoted(f'port = {port}')}&group=none&columns=port&moment={then + k}"))
                name = stream.line()["stream"]
                assert stream.window()["moment"] == then + k
                streams.append((name, stream))
            for k, (name, stream) in enumerate(streams):
                assert page.post(f"/api/stream/{name}", {"columns": "port,proto"}).status == 204
                window = stream.window()
                assert (window["moment"], [row["cells"] for row in window["rows"]]) == (then + k, [[str(port), "tcp"]])


def test_where_nothing_is_recorded_that_is_said(serve, tmp_path):  # noqa: F811
    page = serve("--db", tmp_path / "none.db")
    told = page.get("/api/past").json
    assert not told["recorded"] and "nothing is recorded" in told["error"]["what"] and "doorward record" in told["error"]["hint"]
    with streaming(page, "?moment=1000000000000") as stream:
        name = stream.line()["stream"]
        line = stream.line()
        assert line["type"] == "error" and "nothing is recorded" in line["error"]["what"]
        assert page.get("/api/map?moment=1000000000000").status == 503
        assert page.get("/api/story?target=tcp/1&moment=1000000000000").status == 500
        assert not page.get("/api/past?step=earlier").json["recorded"]
        assert page.post(f"/api/stream/{name}", {"moment": 0}).status == 204
        assert stream.window()["complete"] in (True, False)
    for wrong in ["-1", "x", "253402300800000"]:
        assert page.get(f"/api/stream?moment={wrong}").status == 400
