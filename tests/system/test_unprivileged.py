# SPDX-License-Identifier: GPL-2.0-or-later
"""What a caller without privilege gets: everything the kernel gives, and a word on what it does not."""

import os
import socket
import subprocess
import sys

import pytest

from conftest import NOBODY
from pages import serve  # noqa: F401 (a fixture)
from screen import Tmux


@pytest.mark.needs("root")
def test_a_user_sees_every_socket_of_the_namespace(scene, doorward):
    made = scene("tcp-listener", workers=2)
    row = doorward.as_user().list(f"port = {made.port}").one(inode=made.inode)
    assert (row["uid"], row["user"]) == (0, "root"), "who owns the socket is known without privilege"
    assert (row["held_by"], row["holders"]) == ("unseen", [])


@pytest.mark.needs("root")
def test_what_a_user_may_not_see_is_counted_and_named(scene, doorward):
    made = scene("reuseport-group", count=3)
    seen = doorward.as_user().list(f"port = {made.port}")
    assert seen["complete"] is False
    assert any(m["why"] == "permission" and m["count"] >= 3 and m["hint"] for m in seen["missing"])


@pytest.mark.needs("root")
def test_one_line_on_standard_error_says_so(scene, doorward):
    made = scene("tcp-listener")
    status, out, err = doorward.as_user().run("list", f"port = {made.port}")
    assert status == 0 and str(made.port) in out
    assert any(digit in err for digit in "123456789") and "sudo" in err
    assert len(err.splitlines()) <= 2


def test_a_users_own_sockets_have_their_holders(scene, doorward):
    made = scene("tcp-listener", **({"uid": NOBODY} if os.geteuid() == 0 else {}), workers=2)
    row = doorward.as_user().list(f"port = {made.port}").one(inode=made.inode)
    assert row.pids == set(made.pids)
    assert row["held_by"] == "process"


@pytest.mark.needs("root")
def test_root_is_told_of_nothing_missing_when_nothing_is(scene, doorward):
    made = scene("tcp-listener", workers=2)
    seen = doorward.list(f"port = {made.port}")
    assert (seen["complete"], seen["missing"]) == (True, [])


@pytest.mark.needs("root")
def test_a_user_gets_the_sockets_that_nobody_holds(scene, doorward):
    made = scene("tcp-connection", state="time-wait")
    client = made.socket("client")
    seen = doorward.as_user().list("--all", f"port = {client.local_port} and peer_port = {made.port}")
    assert seen.one(state="TIME_WAIT")["held_by"] == "nobody"


@pytest.mark.needs("bpf")
def test_two_capabilities_show_an_ordinary_user_every_holder(scene, doorward):
    made = scene("tcp-listener", workers=3)
    seen = doorward.as_user(capabilities=["bpf", "perfmon"]).list(f"port = {made.port}")
    assert seen.one(inode=made.inode).pids == set(made.pids)


@pytest.mark.needs("root")
def test_under_hidepid_what_is_hidden_is_unseen_never_nobody(scene, doorward):
    made = scene("tcp-listener", workers=2)
    seen = doorward.hidepid().list(f"port = {made.port}")
    row = seen.one(inode=made.inode)
    assert (row["held_by"], row["holders"], row["uid"]) == ("unseen", [], 0)
    assert seen["complete"] is False and seen["missing"]


@pytest.mark.needs("root")
def test_under_hidepid_a_users_own_sockets_are_seen(scene, doorward):
    made = scene("tcp-listener", uid=NOBODY)
    assert doorward.hidepid().list(f"port = {made.port}").one(inode=made.inode).pids == {made.pid}


@pytest.mark.needs("root")
def test_bpf_that_a_user_asks_for_and_may_not_have_is_refused_with_the_reason(doorward):
    status, out, err = doorward.as_user().run("list", "--source", "bpf")
    assert status == 3 and out == ""
    assert err.startswith("doorward:") and ("permitted" in err or "CAP_BPF" in err or "not built" in err)


# Of the user, here; but its listener is in a namespace that it has left. What may be inspected by its user again (PR_SET_DUMPABLE).
ABROAD = f"""import ctypes, fcntl, os, socket, struct
libc = ctypes.CDLL(None, use_errno=True)
home = os.open("/proc/self/ns/net", os.O_RDONLY)
assert libc.unshare(0x40000000) == 0
server = socket.create_server(("0.0.0.0", 0))
fcntl.ioctl(server, 0x8914, struct.pack("16sH22x", b"lo", 0x41))
client = socket.create_connection(("127.0.0.1", server.getsockname()[1]))
taken = server.accept()
assert libc.setns(home, 0x40000000) == 0
os.setgroups([]); os.setgid({NOBODY}); os.setuid({NOBODY})
assert libc.prctl(4, 1, 0, 0, 0) == 0
print(server.getsockname()[1], flush=True)
input()
"""


@pytest.fixture
def abroad():
    with subprocess.Popen([sys.executable, "-c", ABROAD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        process.port = process.stdout.readline().strip()
        yield process
        process.stdin.write("\n")


@pytest.mark.needs("root")
def test_a_users_own_listener_in_another_namespace_is_not_said_to_be_here(doorward, abroad):
    """Only root may ask a socket for its namespace; that it is not ours has to be known all the same."""
    port, user = abroad.port, doorward.as_user()
    row, = [s for s in user.list(f"port = {port}").sockets if s.pids == {abroad.pid}]
    assert (row["netns"], row["netns_name"]) == (None, None)
    assert "another" in user.table(f"port = {port}")[1]
    assert not user.list("--netns", "self", f"port = {port}").sockets
    assert "another network namespace" in user.run("show", port)[1]
    assert user.json("why", port)["can"]
    cause = user.json("why", f"127.0.0.1:{port}", "--connect")["causes"][0]
    assert cause["cause"] == "other-namespace" and "another network namespace" in cause["because"]
    assert user.run("close", port, "--yes")[0] == 1 and abroad.poll() is None


@pytest.mark.needs("root")
def test_nor_does_the_page_take_it_for_the_same_number_here(doorward, serve, abroad):
    with socket.create_server(("127.0.0.1", int(abroad.port))) as sock, \
            socket.create_connection(sock.getsockname()), sock.accept()[0]:
        page = serve(by=doorward.as_user())
        os.seteuid(NOBODY)  # it speaks with its own user alone
        try:
            stream = page.stream(f"?filter=port+%3D+{abroad.port}&columns=port,process")
            rows = stream.window()["rows"]
            graph = page.get(f"/api/graph?filter=port+%3D+{abroad.port}").json
            stream.close()
        finally:
            os.seteuid(0)
        assert {(row["target"], row["netns"]) for row in rows} == {(f"tcp/127.0.0.1:{abroad.port}", None), (None, 0)}
        ids = {node["id"] for node in graph["nodes"] if node["kind"] == "port"}
        assert ids == {f"tcp/{abroad.port}", f"tcp/{abroad.port}@?"}


@pytest.mark.needs("root", "program:tmux")
def test_nor_does_the_screen(doorward, abroad, tmp_path):
    user = doorward.as_user()
    screen = Tmux(tmp_path, [*user.prefix, user.path, "top", f"port = {abroad.port}"])
    try:
        screen.wait(abroad.port)
        for key in "wd":
            screen.keys(key)
            screen.wait("it is in another network namespace")
            screen.keys("Down")
    finally:
        screen.end()
