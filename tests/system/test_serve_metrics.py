# SPDX-License-Identifier: GPL-2.0-or-later
"""The metrics of serve, read by a parser that is not ours."""

import contextlib
import socket

import psutil
import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from pages import LIMIT, as_another_user, page, read_all, serve, status_of  # noqa: F401 (fixtures)
from served import listening  # noqa: F401 (fixtures)

ALL_STATES = {word for name, word in vars(psutil).items() if name.startswith("CONN_")}


# ---- metrics ----

def free_port():
    with socket.create_server(("127.0.0.1", 0)) as sock:
        return sock.getsockname()[1]


def scrape(port, host=None, **headers):
    request = f"GET /metrics HTTP/1.1\r\nHost: {host or f'127.0.0.1:{port}'}\r\n" + \
        "".join(f"{k}: {v}\r\n" for k, v in headers.items()) + "Connection: close\r\n\r\n"
    with socket.create_connection(("127.0.0.1", port), timeout=LIMIT) as sock:
        sock.sendall(request.encode())
        return read_all(sock)


def families(port):
    data = scrape(port)
    head, body = data.split(b"\r\n\r\n", 1)
    assert status_of(data) == 200 and b"application/openmetrics-text" in head
    if b"chunked" in head.lower():
        raise AssertionError("not whole")
    return {f.name: f for f in text_string_to_metric_families(body.decode())}


def test_metrics_are_openmetrics_and_count_what_is_there(serve, scene):
    port = free_port()
    page = serve("--netns", "self", "--metrics", f"127.0.0.1:{port}")
    with listening() as door, socket.create_connection(("127.0.0.1", door)):
        found = families(port)
        mine, = [s for s in found["doorward_listeners"].samples if s.labels["port"] == str(door) and s.labels["proto"] == "tcp"]
        assert (mine.value, mine.labels["reach"]) == (1, "loopback")
        waiting, = [s for s in found["doorward_backlog_connections"].samples if s.labels["port"] == str(door)]
        assert waiting.value == 1  # nobody accepted it
        used = found["doorward_ephemeral_ports_used"].samples
        to_it = [s.value for s in used if s.labels["destination"] == f"127.0.0.1:{door}"]
        # what is over may be in TIME_WAIT yet; and a host may have more to tell of
        assert (to_it and to_it[0] >= 1) or len(used) == 51
    assert {s.labels["state"] for s in found["doorward_connections"].samples if s.labels["proto"] == "tcp"} <= ALL_STATES
    assert found["doorward_listen_overflows"].type == "counter"
    assert page.ask("GET", "/api/fields", headers={"Authorization": "Bearer x"}).status == 401
    assert families(port)["doorward_wrong_tokens"].samples[0].value == 1


def test_metrics_have_bounded_series(serve, scene):
    port = free_port()
    serve("--netns", "self", "--metrics", f"127.0.0.1:{port}")
    with contextlib.ExitStack() as all_of_them:
        doors = [all_of_them.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(600)]
        for door in doors[:70]:
            all_of_them.enter_context(socket.create_connection(door.getsockname()))
        found = families(port)
    listeners = found["doorward_listeners"].samples
    assert len(listeners) == 501
    assert [s.value for s in listeners if s.labels["port"] == "other"][0] >= 100
    assert len(found["doorward_ephemeral_ports_used"].samples) == 51


def test_metrics_and_the_page_are_apart(serve):
    port = free_port()
    page = serve("--metrics", f"127.0.0.1:{port}")
    assert page.get("/metrics").status == 404
    assert status_of(scrape(port).replace(b"/metrics", b"")) == 200
    assert status_of(scrape(port, host="evil.example")) == 403
    assert status_of(scrape(port, Origin="http://evil.example")) == 403
    with socket.create_connection(("127.0.0.1", port), timeout=LIMIT) as sock:
        sock.sendall(f"GET /api/fields HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer {page.token}\r\n\r\n".encode())
        assert status_of(read_all(sock)) == 404


def test_metrics_are_told_at_the_address_that_was_given(serve):
    port = free_port()
    page = serve("--metrics", f"127.0.0.2:{port}")
    assert page.process.stdout.readline() == f"  metrics: http://127.0.0.2:{port}/metrics\n".encode()
    for host, status in ((f"127.0.0.2:{port}", 200), (f"127.0.0.3:{port}", 403)):
        with socket.create_connection(("127.0.0.2", port), timeout=LIMIT) as sock:
            sock.sendall(f"GET /metrics HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
            assert status_of(read_all(sock)) == status


@pytest.mark.needs("root", "program:setpriv")
def test_another_user_may_measure(serve):
    port = free_port()
    serve("--metrics", f"127.0.0.1:{port}")
    code = f"""
import urllib.request
print(urllib.request.urlopen("http://127.0.0.1:{port}/metrics").status)
"""
    assert as_another_user(code).strip() == "200"
