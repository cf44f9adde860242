# SPDX-License-Identifier: GPL-2.0-or-later
"""The page of `doorward serve` in a headless Chromium, as the tests of it find it; and what they ask of the kernel."""

import os
import pathlib

import psutil
import pytest

import browser as browsers
import pages

TREE = pathlib.Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def served(doorward):
    browsers.need_browser()
    running = pages.Page(doorward)
    yield running
    assert running.end() == (0, "")


@pytest.fixture(scope="session")
def chromium():
    browsers.need_browser()
    running = browsers.Browser()
    yield running
    running.close()


@pytest.fixture
def page(chromium, served):
    """The page as it is opened anew, light, 1280 wide; a filter chooses what is ours."""
    chromium.look(1280, 800)
    chromium.complaints(), chromium.requests()
    chromium.open(served, f"filter={OURS}")
    chromium.wait("return document.querySelector('.live.is-live') && document.querySelectorAll('.rows .row').length > 0")
    yield chromium
    assert chromium.complaints() == []


# What this test and its children hold; other tests may fill the host with sockets of theirs.
OURS = f"pid = {os.getpid()} or ppid = {os.getpid()}"


def listens(port):
    """Whether the kernel has a TCP listener on that port."""
    return any(c.laddr.port == port and c.status == psutil.CONN_LISTEN for c in psutil.net_connections("tcp"))


def is_greenish(colour):
    return colour[1] > colour[0] and colour[1] > colour[2]


def is_reddish(colour):
    return colour[0] > colour[1] and colour[0] > colour[2]
