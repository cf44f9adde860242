# SPDX-License-Identifier: GPL-2.0-or-later
"""SCTP in user space, through a raw socket: kernels often have none."""

SERVER = r'''
import threading
def of_byte(crc):
    for _ in range(8):
        crc = crc >> 1 ^ (0x82f63b78 if crc & 1 else 0)
    return crc
table = [of_byte(byte) for byte in range(256)]
def crc32c(data):
    crc = 0xffffffff
    for byte in data:
        crc = crc >> 8 ^ table[(crc ^ byte) & 255]
    return crc ^ 0xffffffff
heard = []
def sctp(address, opens, says_closed=True, forges=()):
    """INIT ACK from the ports @opens, ABORT from others; from @forges an INIT ACK and an ABORT with wrong tags."""
    six = ":" in address
    raw = keep(socket.socket(socket.AF_INET6 if six else socket.AF_INET, socket.SOCK_RAW, 132))
    raw.bind((address, 0))
    def send(to, common, chunk):
        packet = common + b"\0\0\0\0" + chunk
        raw.sendto(common + struct.pack("<I", crc32c(packet)) + chunk, to)
    def answer(packet, to):
        source, port, tag, crc = struct.unpack(">HHII", packet[:12])
        if crc32c(packet[:8] + b"\0\0\0\0" + packet[12:]) != int.from_bytes(packet[8:12], "little"):
            heard.append("bad checksum")
            return
        if packet[12] != 1:  # not an INIT
            heard.append(packet[12])
            return
        heard.append(port)
        initiate = struct.unpack(">I", packet[16:20])[0]
        assert tag == 0 and len(packet) == 32 and initiate
        def init_ack(tag):
            send(to, struct.pack(">HHI", port, source, tag & 0xffffffff),
                 struct.pack(">BBHIIHHI", 2, 0, 28, 7, 9000, 2, 2, 1) + struct.pack(">HHI", 7, 8, 1))
        def abort(tag, flags=0):
            send(to, struct.pack(">HHI", port, source, tag & 0xffffffff), struct.pack(">BBH", 6, flags, 4))
        if port in forges:
            init_ack(initiate + 1)
            init_ack(0)
            abort(initiate - 1)
            abort(initiate, 1)
        elif port in opens:
            init_ack(initiate)
        elif says_closed:
            abort(initiate)
    def serve():
        while True:
            packet, peer = raw.recvfrom(2000)
            if not six:
                packet = packet[(packet[0] & 15) * 4:]
            if len(packet) >= 20 and packet[12] == 1:
                answer(packet, (peer[0], 0))
    threading.Thread(target=serve, daemon=True).start()
'''
