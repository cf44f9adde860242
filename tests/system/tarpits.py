# SPDX-License-Identifier: GPL-2.0-or-later
"""Listeners that mean no good, each a thread that counts who comes and what they say; who ends does not wait for them."""

import contextlib
import selectors
import socket
import threading


class Tarpit:
    """@behave is called with each connection and the event that ends the test."""

    def __init__(self, behave, address="127.0.0.1", port=0, is_watched=False):
        self.behave = behave
        self.is_watched = is_watched  # how many come at once is looked at, for each that comes
        self.listener = socket.create_server((address, port), backlog=64,
                                             family=socket.AF_INET6 if ":" in address else socket.AF_INET)
        self.port = self.listener.getsockname()[1]
        self.over = threading.Event()
        self.taken = []
        self.count = self.most = self.heard = 0
        self.lock = threading.Lock()
        self.threads = [threading.Thread(target=self._accept, daemon=True)]
        self.threads[0].start()

    def _accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            with self.lock:
                self.count += 1
                self.taken.append(connection)
                if self.is_watched:
                    self.most = max(self.most, self._open())
            thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
            self.threads.append(thread)
            thread.start()

    def _serve(self, connection):
        with contextlib.suppress(OSError), connection:
            self.behave(self, connection)

    def _open(self):
        """Connections that were taken and whose other end has not closed. On a busy host an end may be here after the
        connection that came after it: what is more than before is looked at again."""
        def is_open(connection):
            with contextlib.suppress(OSError):
                return connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] == 1  # TCP_ESTABLISHED
            return False
        for _ in range(5):
            n = sum(map(is_open, self.taken))
            if n <= self.most or self.over.wait(0.01):
                break
        return n

    def hear(self, connection):
        """Reads until the other end closes; how many bytes came."""
        connection.settimeout(30)
        while data := connection.recv(4096):
            with self.lock:
                self.heard += len(data)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.over.set()
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for thread in self.threads:
            thread.join()


def says_nothing(pit, connection):
    pit.hear(connection)


def drips(pit, connection):
    """One byte a second, until the other end has had enough."""
    while not pit.over.wait(1):
        connection.sendall(b"A")


def never_ends(_, connection):
    while True:
        connection.sendall(b"\x01" * 65536)


def never_ends_a_line(_, connection):
    connection.sendall(b"220 FTP ")
    while True:
        connection.sendall(b"a" * 65536)


def greets_without_end(_, connection):
    while True:
        connection.sendall(b"220-FTP\r\n" * 4096)


def closes(_, connection):
    connection.close()


def resets(_, connection):
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    connection.close()


def says(text):
    def behave(pit, connection):
        connection.sendall(text)
        pit.hear(connection)
    return behave


def answers(text):
    def behave(pit, connection):
        with pit.lock:
            pit.heard += len(connection.recv(4096))
        connection.sendall(text)
        pit.hear(connection)
    return behave


@contextlib.contextmanager
def greeters(texts):
    """A port for each of @texts, which is said to whoever comes; all served by one thread. Yields the ports."""
    over, end = socket.socketpair()
    ready = selectors.DefaultSelector()
    ready.register(end, selectors.EVENT_READ, None)
    listeners = [socket.create_server(("127.0.0.1", 0), backlog=8) for _ in texts]
    for listener, text in zip(listeners, texts):
        ready.register(listener, selectors.EVENT_READ, text)

    def serve():
        while True:
            for key, _ in ready.select():
                if key.data is None:
                    return
                with contextlib.suppress(OSError), key.fileobj.accept()[0] as connection:
                    connection.sendall(key.data)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield [listener.getsockname()[1] for listener in listeners]
    finally:
        over.close()
        thread.join()
        ready.close()
        for thing in (*listeners, end):
            thing.close()
