# SPDX-License-Identifier: GPL-2.0-or-later
"""Answers of somebody who has not seen the probe: they are believed in nothing."""

import pytest

from scans import HERE, found, make_net, wall  # pylint: disable=unused-import

pytestmark = pytest.mark.needs("root", "program:nft")

# on the wire of here: each SYN is answered with numbers that are wrong, or, at ports from 200 on, with right ones
FORGER = """
import threading
wire = keep(socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0800)))
wire.bind(('outside', 0x0800))
def answers(frame):
    ip, tcp = frame[14:34], frame[34:]
    if len(tcp) < 20 or ip[9] != 6 or tcp[13] != 2: return
    to = struct.unpack('>H', tcp[2:4])[0]
    number = struct.unpack('>I', tcp[4:8])[0]
    def back(flags, acknowledged):
        head = bytes([0x45, 0]) + struct.pack('>HHHBBH', 40, 0, 0x4000, 64, 6, 0) + ip[16:20] + ip[12:16]
        return (frame[6:12] + frame[:6] + frame[12:14] + head + tcp[2:4] + tcp[:2] +
                struct.pack('>IIBBHHH', 1, acknowledged & 0xffffffff, 0x50, flags, 1024, 0, 0))
    def error(code, number):
        quoted = ip + tcp[:4] + struct.pack('>I', number & 0xffffffff)
        head = bytes([0x45, 0]) + struct.pack('>HHHBBH', 28 + len(quoted), 0, 0, 64, 1, 0) + ip[16:20] + ip[12:16]
        return frame[6:12] + frame[:6] + frame[12:14] + head + bytes([3, code]) + b'\\0' * 6 + quoted
    if to >= 200:
        yield back(0x12, number + 1)
        return
    yield back(0x12, number)
    yield back(0x12, number + 2)
    yield back(0x14, number + 1000)
    yield back(0x04, 0)
    yield error(13, number + 1)
def serve():
    while True:
        for made in answers(wire.recv(2000)): wire.send(made)
threading.Thread(target=serve, daemon=True).start()
"""


def test_wrong_numbers_are_no_answer(net, doorward):
    wall(net, "meta l4proto tcp drop")
    net.here(FORGER)
    seen = found(net.outside.doorward(doorward), HERE[4], "-p", "100-120,200", "--method", "syn")
    assert seen.by_port[200] == ("open", "syn-ack")  # the forger is heard
    assert seen.those("filtered") == list(range(100, 121))
    assert seen.reasons("filtered") == {"time-out"}
