# SPDX-License-Identifier: GPL-2.0-or-later
"""A namespace whose sockets are all held is known by counting them, and its tables are not walked. What nothing holds
there is seen all the same."""

import subprocess
import sys

import pytest

pytestmark = [pytest.mark.needs("root"), pytest.mark.needs("bpf")]

SCENES = [("tcp-connection", {"state": state}) for state in
          ["syn-sent", "syn-recv", "established", "fin-wait1", "fin-wait2", "close-wait", "closing", "last-ack",
           "time-wait", "orphan"]] + [
    (name, {}) for name in ["not-accepted", "tcp-bound", "tcp-listener", "destroyed-listener", "udp-connected", "raw",
                            "mptcp", "mptcp-endpoint", "vxlan", "in-transit", "io-uring-registered", "dual-stack",
                            "reuseport-group", "own-table-thread", "leader-gone"]]


def inside(seen, inode):
    """What is in the namespace, without what is different each time."""
    return sorted((s["proto"], s["family"], str(s.local), str(s.peer), s["state"], s["held_by"], sorted(s.pids))
                  for s in seen.sockets if s["netns"] == inode)


@pytest.mark.parametrize("filters", [(), ("tcp",), ("udp",), ("state = listen",)], ids=lambda words: "".join(words) or "all")
@pytest.mark.parametrize("name, options", SCENES, ids=lambda value: value if isinstance(value, str) else
                         value.get("state", ""))
def test_both_sources_see_the_same(scene, doorward, name, options, filters):
    made = scene(name, own_netns=1, **options)
    counted, walked = (inside(doorward.list("--source", source, "--all", *filters), getattr(made, "own_netns", made.netns)) for source in ("bpf", "proc"))
    assert counted == walked
    if not filters:
        assert counted


IN_TRANSIT = """
import array, os, socket
ends = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
bound = socket.socket()
bound.bind(("0.0.0.0", 0))
port = bound.getsockname()[1]
ends[0].sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [bound.fileno()]))])
bound.close()
print(os.stat("/proc/self/ns/net").st_ino, port, flush=True)
input()
"""


@pytest.mark.alone  # who else looks into the namespace has a socket there, and it is counted
def test_a_bound_socket_in_transit(doorward):
    with subprocess.Popen(["unshare", "-n", sys.executable, "-c", IN_TRANSIT], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, text=True) as sender:
        inode, port = map(int, sender.stdout.readline().split())
        seen = doorward.list("--source", "bpf", "--all")
        found, = [s for s in seen.sockets if s["netns"] == inode and s["local_port"] == port]
        sender.stdin.close()
    assert (found["state"], found["held_by"]) == ("BOUND", "unseen")
