"""In a namespace with so many connections that they are not dumped, nothing is left out quietly."""

import array
import socket

import pytest


@pytest.mark.needs("bpf")
def test_a_bound_socket_in_transit_is_seen_in_a_crowd(scene, doorward):
    """No process holds it and it is in no connection: only the dump of bound sockets shows it."""
    scene("load", processes=10, sockets=10000)
    ends = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    bound = socket.socket()
    bound.bind(("127.0.0.1", 0))
    port = bound.getsockname()[1]
    ends[0].sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [bound.fileno()]))])
    bound.close()
    try:
        # no port in the filter: with one the connections are dumped in any case
        seen = doorward.list("--source", "bpf", "--all", "tcp")
        found = [s for s in seen.sockets if s["local_port"] == port and s["state"] == "BOUND"]
        assert len(found) == 1
        assert (found[0]["held_by"], found[0]["holders"]) == ("unseen", [])
        assert seen["complete"] is False
    finally:
        for end in ends:
            end.close()
