# SPDX-License-Identifier: GPL-2.0-or-later
"""serve beside more sockets than it keeps two snapshots of."""

import contextlib
import socket

import pytest

from pages import page, serve  # noqa: F401 (fixtures)
from served import quoted, streaming

pytestmark = [pytest.mark.alone, pytest.mark.needs("root")]
MANY = 110000  # serve spares memory from 100,000 on


def test_changes_rates_and_windows_are_told_beside_many_sockets(page, scene):
    scene("load", kind="half", processes=10, sockets=MANY)
    with contextlib.ExitStack() as open_ones:
        door = open_ones.enter_context(socket.create_server(("127.0.0.1", 0)))
        near = open_ones.enter_context(socket.create_connection(door.getsockname()))
        far, _ = door.accept()
        open_ones.enter_context(far)
        port = door.getsockname()[1]
        either = quoted(f"port = {port} or peer_port = {port}")
        every = open_ones.enter_context(streaming(page, "?tab=connections&count=5"))
        name = every.line()["stream"]
        assert every.window()["total"] > MANY / 3
        stream = open_ones.enter_context(
            streaming(page, f"?tab=connections&filter={either}&columns=port,rate_in&sort=port&group=none&map=1"))
        assert stream.window()["total"] == 2

        def changes(line):
            return {row["change"] for row in line.get("rows", [])}
        with socket.create_connection(("127.0.0.1", port)):
            assert stream.until(lambda line: "new" in changes(line))["total"] in (3, 4)
            came, _ = door.accept()
            stream.until(lambda line: line.get("total") == 4 and not line["rows"])
            came.close()
        assert stream.until(lambda line: changes(line) & {"gone", "changed"})["total"] <= 4
        stream.until(lambda line: dict(line.get("tcp", [])).get(port, 0) & 0x80)  # the map's mark of change

        sent = {"n": 0}

        def has_rate(line):
            near.sendall(b"x" * 20000)
            sent["n"] += len(far.recv(1 << 20))
            return any(row["cells"][0] == str(port) and row["cells"][1] not in ("", "0")
                       for row in line.get("rows", []))
        stream.until(has_rate)
        assert sent["n"]

        assert page.post(f"/api/stream/{name}", {"from": 1000, "count": 7}).status == 204
        window = every.window()
        assert (window["from"], len(window["rows"])) == (1000, 7)
        assert page.get(f"/api/graph?filter={either}").status == 200
