# SPDX-License-Identifier: GPL-2.0-or-later
"""Whose listener it was: what is told of a connection as it is accepted, before its process has touched it."""

import socket

import pytest

from room import Room
from sk_lookup import pidfd_getfd
from watches import Watch

pytestmark = pytest.mark.needs("bpf")


@pytest.fixture
def room():
    made = Room()
    yield made
    made.close()


@pytest.fixture
def watch(doorward, room):
    running = []

    def start(*words):
        running.append(Watch(doorward, "--netns", room.pid, *words))
        return running[-1]

    yield start
    for made in running:
        made.close()


def serve(room, code, n=1):
    """n children that each listen, by this code which ends in a listener `server`, and end with the room."""
    room(f"exec('''end, other = os.pipe()\nchildren = []\nfor number in range({n}):\n    child = os.fork()\n"
         f"    if child == 0:\n        {code}\n        os.write(other, b\"x\")\n        signal.pause()\n"
         f"    children.append(child)\nfor _ in range({n}): os.read(end, 1)''', globals())")
    return room("children")


def end(room):
    room("[os.kill(child, 9) for child in children]; [os.waitpid(child, 0) for child in children]")


def accepted(watching, number):
    line = watching.until(event="established", role="accepted", peer_port=number)
    return line["holder"]["pid"] if line["holder"] else None, line["sure"]


def test_of_many_on_one_port_it_is_the_one_that_got_it(room, watch):
    watching = watch()
    room("port = bind('127.0.0.1', 0, reuseport=1).getsockname()[1]")
    children = serve(room, "server = bind(\"127.0.0.1\", port, reuseport=1); server.listen(64)", 4)
    port, chosen = room("port"), {}
    for _ in range(24):
        room(f"keep(socket.create_connection(('127.0.0.1', {port})))")
        number = room("kept[-1].getsockname()[1]")
        chosen[number] = accepted(watching, number)
    assert {sure for _, sure in chosen.values()} == {"probable"}
    waiting = {child: room(f"int(subprocess.run(['ss', '-tlnpH'], stdout=-1, text=True).stdout.split('pid={child},')[0]"
                           ".split(chr(10))[-1].split()[1])") for child in children}
    assert {child: sum(pid == child for pid, _ in chosen.values()) for child in children} == waiting
    end(room)


def test_one_that_was_never_bound_is_known_at_once(room, watch):
    watching = watch()
    child, = serve(room, "server = socket.socket(); server.listen(); os.dup2(server.fileno(), 99)")
    with socket.socket(fileno=pidfd_getfd(child, 99)) as server:
        port = server.getsockname()[1]
    room(f"made = socket.create_connection(('127.0.0.1', {port}))")
    assert accepted(watching, room("made.getsockname()[1]")) == (child, "probable")
    end(room)


@pytest.mark.parametrize("peer, which", [("127.0.0.1", 0), ("::1", 1)])
def test_ipv4_and_ipv6_of_one_number_are_two_servers(room, watch, peer, which):
    watching = watch()
    room("first = bind('0.0.0.0', 0); port = first.getsockname()[1]; first.close()")
    children = serve(room, "server = bind([\"0.0.0.0\", \"::\"][number], port, v6only=[None, 1][number]); server.listen()", 2)
    room(f"made = socket.create_connection(({peer!r}, port))")
    assert accepted(watching, room("made.getsockname()[1]")) == (children[which], "probable")
    end(room)
