# SPDX-License-Identifier: GPL-2.0-or-later
"""The events that serve tells a page: what the test itself does, what is recorded of before, and nothing without a page."""

import os
import pathlib
import socket
import time

import pytest

from hosts import until
from pages import serve  # noqa: F401 (fixture)
from recorded import Recorder, listener, port_of
from served import listening, quoted, streaming

COLUMNS = "columns=event,proto,port,pid"


def cells(line):
    return [row["cells"] for row in line.get("rows", [])]


def event_rows(stream, port, kind):
    """The rows of the first line that tells of it."""
    line = stream.until(lambda line: any(c[:1] == [kind] and c[2] == str(port) for c in cells(line)))
    return [row for row in line["rows"] if row["cells"][0] == kind and row["cells"][2] == str(port)]


@pytest.mark.needs("bpf")
@pytest.mark.parametrize("source", ["bpf", "proc"])
def test_events_come_as_they_happen(serve, source):  # noqa: F811
    page = serve("--source", source, "--netns", "self")
    mine = quoted(f"pid = {os.getpid()} or closed")
    with streaming(page, f"?tab=events&{COLUMNS}&filter={mine}") as stream:
        window = stream.window()
        if source == "proc":
            assert not window["complete"] and any(m["why"] == "unsupported" for m in window["missing"]), window  # what it cannot see
        with listening() as port:
            *_, row = event_rows(stream, port, "opened")  # bound, then listening
            assert (row["change"], row["cells"]) == ("new", ["opened", "tcp", str(port), str(os.getpid())])
            assert row["event"] == "opened" and f"127.0.0.1:{port}" in row["text"] and abs(row["time"] - time.time()) < 60
            assert row["target"] == f"tcp/127.0.0.1:{port}"
            # a filter of events, by the one language
            name = "0" * 15 + "1"
            assert page.post(f"/api/stream/{name}", {"filter": f"event = refused and port = {port}"}).status == 204
            window = stream.window()
            assert all(row["event"] in ("started", "lost", "gap") for row in window["rows"])
            if source == "bpf":
                with socket.socket() as other, pytest.raises(OSError):
                    other.bind(("127.0.0.1", port))
                row, *_ = event_rows(stream, port, "refused")
                assert "EADDRINUSE" in row["text"]
            assert page.post(f"/api/stream/{name}", {"filter": f"port = {port}"}).status == 204
            stream.window()
        event_rows(stream, port, "closed")
        wrong = page.post(f"/api/stream/{name}", {"filter": "evnt = closed"})
        assert wrong.status == 400 and "event" in wrong.json["error"]["hint"]
    assert page.get("/api/stream?columns=event").status == 400  # of a listing it is no field


@pytest.mark.needs("bpf")
def test_it_begins_with_what_is_recorded_and_tells_nothing_twice(doorward, serve, tmp_path):  # noqa: F811
    record = Recorder(doorward, tmp_path / "history.db", "--netns", "self").start()
    try:
        with listener() as made:
            port = port_of(made)
            record.until(f"port = {port}")
            then = int(time.time() * 1000)
            page = serve("--db", record.db, "--netns", "self")
            with streaming(page, f"?tab=events&{COLUMNS}&filter={quoted(f'port = {port}')}") as stream:
                window = stream.window()
                of_it = [c for c in cells(window) if c[2] == str(port)]
                assert of_it and all(c == ["opened", "tcp", str(port), str(os.getpid())] for c in of_it)
                made.close()
                assert len(event_rows(stream, port, "closed")) == 1
        record.closed(f"port = {port}")
        # as of a moment: what happened until then
        with streaming(page, f"?tab=events&{COLUMNS}&filter={quoted(f'port = {port}')}&moment={then}") as stream:
            window = stream.window()
            assert [c[0] for c in cells(window) if c[2] == str(port)] == ["opened"] * len(of_it) and window["moment"] == then
    finally:
        record.close()


def attached(pid):
    """What of the kernel's events the process holds: BPF links and rings, by its descriptors."""
    found = 0
    for fd in pathlib.Path(f"/proc/{pid}/fd").iterdir():
        try:
            found += "bpf" in os.readlink(fd)
        except OSError:
            continue
    return found


@pytest.mark.needs("bpf")
def test_without_a_page_that_shows_them_nothing_is_followed(serve):  # noqa: F811
    page = serve()
    desk = page.processes[0]
    with streaming(page, "?count=1") as stream:
        stream.window()
        before = attached(desk)
    for _ in range(2):
        with streaming(page, "?tab=events") as one, streaming(page, "?tab=events") as other:
            one.window(), other.window()
            assert attached(desk) > before
        until(lambda: attached(desk) <= before, "nothing followed any more", 20)
