# SPDX-License-Identifier: GPL-2.0-or-later
"""The page's walk through time, over a record that `doorward record` makes."""

import datetime
import os
import re
import signal
import time

import pytest

import pages
from chromium_page import chromium, served  # noqa: F401 (fixtures)
from recorded import Recorder, listener, nanoseconds, port_of


MOMENT = "return Date.parse(new URLSearchParams(location.hash.slice(1)).get('at') || '')"


def end_of(text):
    """Its millisecond's end: there a step ends."""
    return -(-nanoseconds(text) // 10**6)


def link_of(milliseconds):
    return datetime.datetime.fromtimestamp(milliseconds / 1000, datetime.timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@pytest.mark.needs("bpf")
def test_a_step_goes_to_the_change_before_and_behind(chromium, doorward, tmp_path):  # noqa: F811
    """As on the screen: what was opened shows at its step, green and with its sign, and not at the one before."""
    record = Recorder(doorward, tmp_path / "history.db", "--netns", "self").start()
    page = pages.Page(doorward, "--db", record.db)
    try:
        with listener() as first:
            before = end_of(record.until(f"port = {port_of(first)}")["opened"])
            with listener() as second:
                opened = end_of(record.until(f"port = {port_of(second)}")["opened"])
                ports = [port_of(first), port_of(second)]
        for port in ports:
            record.closed(f"port = {port}")
        chromium.look(1280, 800)
        chromium.complaints()
        chromium.open(page, f"filter=port in ({ports[0]}, {ports[1]})&group=none&at={link_of(opened + 1)}")

        def arrived():
            """Which moment, and the ports that are shown of it."""
            chromium.wait("return document.querySelector('.foot-bar').innerText.includes('as recorded')")
            return chromium.run(MOMENT), chromium.run("return [...document.querySelectorAll('.rows .row')].map(row => Number(row.querySelector("
                                                      "'.of-shown_port').textContent)).sort((a, b) => a - b)")

        def step(key):
            was, _ = arrived()
            chromium.press(key)
            chromium.wait(f"return ({MOMENT[7:]}) !== arguments[0]", was)
            return arrived()

        assert arrived() == (opened + 1, sorted(ports))
        assert chromium.row(ports[1])["sign"] == ""
        assert step("<") == (opened, sorted(ports))
        assert chromium.row(ports[1])["sign"] == "+" and chromium.row(ports[1])["classes"].split().count("is-new") == 1
        assert chromium.row(ports[0])["sign"] == ""
        assert re.search(r"[.,]\d{3}\b", chromium.run("return document.querySelector('.past-bar b').textContent"))
        moment, shown = step("<")
        assert before <= moment < opened and shown == ports[:1]
        while moment < opened:  # others of this host may have done something between the two
            moment, shown = step(">")
        assert (moment, shown) == (opened, sorted(ports))
        chromium.run("location.hash = location.hash.replace(/at=[^&]*/, 'at=' + arguments[0])", link_of(int(time.time() * 1000) + 60000))
        chromium.wait("return document.querySelector('.foot-bar').innerText.includes('as recorded')")
        chromium.press(">")  # behind the last there is now
        chromium.wait("return document.querySelector('.live.is-live') !== null && !location.hash.includes('at=')")
        assert chromium.complaints() == []
    finally:
        assert page.end() == (0, "")
        record.close()


@pytest.mark.needs("bpf")
def test_the_page_walks_back_and_forth_in_time(chromium, doorward, tmp_path):  # noqa: F811
    record = Recorder(doorward, tmp_path / "history.db", "--netns", "self").start()
    page = pages.Page(doorward, "--db", record.db)
    try:
        with listener() as made:
            port = port_of(made)
            record.until(f"port = {port}")
            then = datetime.datetime.fromtimestamp(time.time(), datetime.timezone.utc)
        record.closed(f"port = {port}")
        chromium.look(1280, 800)
        chromium.complaints()
        chromium.open(page)
        chromium.wait("return document.querySelectorAll('.rows .row').length > 0")
        chromium.press("<")  # to the left of now, as far as there is a record
        chromium.wait("return location.hash.includes('at=') && document.querySelector('.live.is-past') !== null")
        assert "recorded" in chromium.run("return document.querySelector('.past-bar').innerText")
        # a link for that moment
        at = then.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        chromium.run("location.hash = '#at=' + arguments[0]", at)
        assert chromium.row(port)["sign"] == ""
        assert "as recorded" in chromium.run("return document.querySelector('.foot-bar').innerText")
        # it is told, and nothing can be done to it
        chromium.css(f"[id='{chromium.row(port)['id']}']").click()
        chromium.wait("return document.querySelector('.story .holder') !== null")
        button = chromium.css(".story .buttons .danger")
        assert button.get_attribute("aria-disabled") == "true" and "go back to now" in button.get_attribute("title")
        chromium.press("c")
        assert "go back to now" in chromium.wait("return document.querySelector('.foot-bar .notice').textContent")
        assert chromium.run("return document.querySelector('dialog') === null")
        # the map of then
        chromium.press("\ue00c", "3")
        chromium.wait("const pen = document.getElementById('map-tcp')?.getContext('2d'), port = arguments[0];"
                      "return pen && [...pen.getImageData(port % 256, port >> 8, 1, 1).data].slice(0, 3).join() === arguments[1].join()",
                      port, chromium.colour("map-loopback"))
        # before the record, which says so; and the way back
        chromium.run("location.hash = '#at=2001-01-01T00:00:00Z'")
        chromium.wait("return document.querySelector('.foot-bar details.warn') !== null && document.querySelectorAll('.rows .row').length === 0")
        # until what is now has come it is not called live
        os.kill(page.processes[1], signal.SIGSTOP)
        chromium.css(".past-bar .primary").click()
        chromium.wait("return !location.hash.includes('at=') && document.querySelector('.live.is-opening') !== null")
        assert "recorded" not in chromium.run("return document.querySelector('.foot-bar').innerText")
        os.kill(page.processes[1], signal.SIGCONT)
        chromium.wait("return document.querySelector('.live.is-live') !== null")
        chromium.wait("return document.querySelectorAll('.rows .row').length > 0")
        assert chromium.complaints() == []
    finally:
        assert page.end() == (0, "")
        record.close()
