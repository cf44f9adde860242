"""In a namespace with so many connections that they are not dumped, nothing is left out quietly."""

import array
import socket

import pytest

pytestmark = pytest.mark.alone


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


def ends_of(sock):
    return (sock.getsockname()[1], sock.getpeername()[1])


def in_crowd(doorward, ends):
    seen = doorward.list("--source", "bpf", "--all", "tcp")
    return [s for s in seen.sockets if (s["local_port"], s["peer_port"]) == ends], seen


@pytest.fixture
def crowd(scene):
    """More sockets than are worth a walk of their own, and processes enough for BPF; then nothing moves."""
    scene("processes", count=320, sockets=1)
    scene("load", processes=10, sockets=10000)


@pytest.fixture
def listener():
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


@pytest.mark.needs("bpf")
def test_a_connection_that_waits_is_seen_in_a_crowd(crowd, listener, doorward):
    with socket.create_connection(listener.getsockname()) as client:
        found, seen = in_crowd(doorward, ends_of(client)[::-1])
        assert [(s["state"], s["held_by"]) for s in found] == [("ESTABLISHED", "nobody")]


@pytest.mark.needs("bpf")
def test_a_connection_in_transit_is_seen_in_a_crowd(crowd, listener, doorward):
    left, right = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with left, right, socket.create_connection(listener.getsockname()) as client:
        accepted, _ = listener.accept()
        ends = ends_of(accepted)
        left.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [accepted.fileno()]))])
        accepted.close()
        found, seen = in_crowd(doorward, ends)
        assert [(s["state"], s["held_by"]) for s in found] == [("ESTABLISHED", "unseen")]
        assert seen["complete"] is False
        assert len(in_crowd(doorward, ends_of(client))[0]) == 1


@pytest.mark.needs("bpf")
def test_an_orphan_is_seen_in_a_crowd(crowd, listener, doorward):
    with socket.create_connection(listener.getsockname()) as client:
        accepted, _ = listener.accept()
        ends = ends_of(accepted)
        accepted.close()  # the other end is not: it waits for that
        found, _ = in_crowd(doorward, ends)
        assert [(s["state"], s["held_by"]) for s in found] == [("FIN_WAIT2", "nobody")]
        assert in_crowd(doorward, ends_of(client))[0][0]["state"] == "CLOSE_WAIT"
