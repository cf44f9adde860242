# SPDX-License-Identifier: GPL-2.0-or-later
"""The page's walk through time, over a record that `doorward record` makes."""

import datetime
import time

import pytest

import pages
from chromium_page import chromium, served  # noqa: F401 (fixtures)
from recorded import Recorder, listener, port_of


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
        chromium.css(".past-bar .primary").click()
        chromium.wait("return document.querySelector('.live.is-live') !== null && !location.hash.includes('at=')")
        chromium.wait("return document.querySelectorAll('.rows .row').length > 0")
        assert chromium.complaints() == []
    finally:
        assert page.end() == (0, "")
        record.close()
