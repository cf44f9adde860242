# SPDX-License-Identifier: GPL-2.0-or-later
"""Rooms joined by networks: what `block` is tried on. One of them publishes a port of another by NAT."""

import json
import subprocess

import pytest

from room import Room

INSIDE = r"""
def family_of(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET
def dial(address, port, source=None):
    # 0 and kept, or what the kernel says
    made = socket.socket(family_of(address))
    made.settimeout(10)
    if source: made.bind((source, 0))
    try:
        made.connect((address, port))
    except OSError as error:
        return error.errno or str(error)
    keep(made)
    return 0
def dialled(address, port):
    assert dial(address, port) == 0
    return len(kept) - 1
def accept(listener):
    for made in kept:
        if made.fileno() >= 0 and made.getsockname()[1] == listener:
            made.settimeout(10)
            keep(made.accept()[0]).settimeout(10)
            return len(kept) - 1
def say(index, text):
    kept[index].sendall(text.encode())
def hear(index):
    try:
        return kept[index].recv(100).decode()
    except OSError as error:
        return error.errno
def send_datagram(address, port):
    # 0, or what the kernel says within the time that an answer to it takes
    made = socket.socket(family_of(address), socket.SOCK_DGRAM)
    made.connect((address, port))
    made.settimeout(10)
    try:
        made.send(b"x")
        made.recv(10)
    except OSError as error:
        return error.errno or str(error)
    finally:
        made.close()
    return 0
def echo_datagrams(address, port):
    import threading
    made = keep(bind(address, port, socket.SOCK_DGRAM))
    def serve():
        while True:
            data, peer = made.recvfrom(100)
            made.sendto(data, peer)
    threading.Thread(target=serve, daemon=True).start()
    return made.getsockname()[1]
"""

PUBLISHED = """
table ip nat {
    chain prerouting {
        type nat hook prerouting priority dstnat
        meta l4proto { tcp, udp } th dport 8088 dnat to 10.8.0.2:80
    }
    chain output {
        type nat hook output priority -100
        fib daddr type local tcp dport 8088 dnat to 10.8.0.2:80
    }
    chain postrouting {
        type nat hook postrouting priority srcnat
        oifname "container" masquerade
    }
}
table inet wall {
    chain input {
        type filter hook input priority filter
        tcp dport 8088 drop
    }
}
"""


class Networks:
    """Rooms joined by veth pairs: here (10.9.0.1, fd09::1), its neighbour outside (.2), a container behind it."""

    def __init__(self):
        self._rooms = {}

    def room(self, name):
        if name not in self._rooms:
            self._rooms[name] = Room()
            self._rooms[name](INSIDE)
        return self._rooms[name]

    @property
    def here(self):
        return self.room("here")

    @property
    def outside(self):
        if "outside" not in self._rooms:
            self.join("outside", "10.9.0", "fd09:")
        return self.room("outside")

    @property
    def container(self):
        """Port 8088 of here is published: DNAT to port 80 of it, and the firewall's input hook drops it in vain."""
        if "container" not in self._rooms:
            self.join("container", "10.8.0", "fd08:")
            self.nft(PUBLISHED)
            self.here("open('/proc/sys/net/ipv4/ip_forward', 'w').write('1') and None")
        return self.room("container")

    def join(self, name, net4, net6):
        here, other = self.here, self.room(name)
        subprocess.run(["nsenter", "-t", str(here.pid), "--net", "--", "ip", "link", "add", name, "type", "veth",
                        "peer", "name", "eth0", "netns", str(other.pid)], check=True)
        for room, link, last in ((here, name, 1), (other, "eth0", 2)):
            room(f"ip('link set {link} up')")
            room(f"ip('addr add {net4}.{last}/24 dev {link}')")
            room(f"ip('addr add {net6}:{last}/64 dev {link} nodad')")
        other(f"ip('route add default via {net4}.1')")

    def nft(self, text, *words):
        """What nft(8) says to a script or, with words, to these."""
        ran = subprocess.run(["nsenter", "-t", str(self.here.pid), "--net", "--", "nft", *(words or ["-f", "-"])],
                             input=text, capture_output=True, text=True, check=False)
        assert ran.returncode == 0, ran.stderr
        return ran.stdout

    def listed(self):
        return json.loads(self.nft("", "-j", "list", "ruleset"))["nftables"]

    def close(self):
        for room in self._rooms.values():
            room.close()


@pytest.fixture
def net():
    made = Networks()
    yield made
    made.close()


@pytest.fixture
def run(net, doorward):
    """The program in the namespace of here: run("block", ...) -> (status, out, err)."""
    return lambda *words: net.here.doorward(doorward).run(*words)


@pytest.fixture
def blocks(net, doorward):
    def ask():
        said = net.here.doorward(doorward).json("blocks")
        return said["blocks"]
    return ask


def done(ran):
    assert ran[0] == 0, ran
    return ran[1]


def elements(net):
    """What our sets hold, as nft lists them."""
    return [e for o in net.listed() if "set" in o and o["set"]["table"] == "doorward" for e in o["set"].get("elem", [])]
