# SPDX-License-Identifier: GPL-2.0-or-later
"""What the page sends and asks for, the token, links, the way back; and its modules by themselves."""

import os
import signal
import socket

import pages
from chromium_page import OURS, chromium, page, served  # noqa: F401 (fixtures)


# ---- what goes over the wire ----

def test_no_request_leaves_the_host_and_the_policy_has_nothing_to_refuse(page, served):
    for key in "12345":
        page.press(key)
        page.wait("return document.querySelector('nav [aria-current] kbd').textContent === arguments[0]", key)
    page.wait("return document.querySelector('.picture, .pictures .empty') !== null")
    asked = page.requests()
    assert len(asked) > 20
    assert [a["url"] for a in asked if not a["url"].startswith((served.address.partition("#")[0], "about:", "data:"))] == []
    assert [a["url"] for a in asked if served.token in a["url"].partition("#")[0]] == [], "the token is in no address"


def test_the_first_view_is_below_100_kb(page, served):
    page.driver.execute_cdp_cmd("Network.setCacheDisabled", {"cacheDisabled": True})
    try:
        page.requests()
        page.open(served)
        page.wait("return document.querySelectorAll('.rows .row').length > 0")
        files = [a for a in page.requests() if "/api/" not in a["url"] and a["url"].startswith(served.address.partition("#")[0])]
        total = sum(a["bytes"] for a in files)
        print(f"first view: {len(files)} files, {total} bytes")
        assert len(files) > 10 and total < 100_000
    finally:
        page.driver.execute_cdp_cmd("Network.setCacheDisabled", {"cacheDisabled": False})


# ---- token and links ----

def test_the_token_leaves_the_address_at_once_and_a_reload_stays_in(page, served):
    assert served.token not in page.run("return location.href")
    assert page.run("return sessionStorage.length") == 1
    page.driver.refresh()
    page.wait("return document.querySelectorAll('.rows .row').length > 0")
    assert page.run("return [localStorage, ...[history.state]].map(x => JSON.stringify(x)).join()").find(served.token) < 0


def test_without_a_token_there_is_a_gate_and_a_pasted_address_opens_it(page, served):
    page.run("sessionStorage.clear()")
    page.driver.refresh()
    page.wait("return document.querySelector('.gate') !== null")
    page.css("#token").send_keys("no token")
    page.press("\ue007")
    page.wait("return document.querySelector('.gate [role=alert]') !== null")
    page.css("#token").clear()
    page.css("#token").send_keys(served.address + "\ue007")
    page.wait("return document.querySelectorAll('.rows .row').length > 0")


def test_a_wrong_token_leads_to_the_gate(page):
    page.run("sessionStorage.setItem('doorward-token', 'f'.repeat(64))")
    page.driver.refresh()
    assert "does not know" in page.wait("return document.querySelector('.gate')?.innerText")


def test_a_server_that_was_started_anew_asks_for_its_token(chromium, doorward):
    first = pages.Page(doorward)
    chromium.open(first)
    chromium.wait("return document.querySelectorAll('.rows .row').length > 0")
    first.end()
    chromium.wait("return document.querySelector('.live.is-lost') !== null")
    second = pages.Page(doorward, "--port", first.port)
    try:
        assert "does not know" in chromium.wait("return document.querySelector('.gate')?.innerText")
        assert chromium.run("return sessionStorage.length") == 0
    finally:
        second.end()


def test_a_link_leads_to_the_view(page, served):
    with socket.create_server(("127.0.0.1", 0)) as made:
        port = made.getsockname()[1]
        page.press("/", f"port = {port}", "\ue007")
        page.wait("return document.querySelectorAll('.rows .row').length === 1")
        page.run("document.querySelectorAll('.head [role=columnheader] button')[2].click()")
        page.wait("return location.hash.includes('sort=')")
        link = page.run("return location.href")
        page.driver.get("about:blank")
        page.driver.get(link)
        page.wait("return document.querySelectorAll('.rows .row').length === 1")
        assert page.row(port)
        assert page.run("return document.getElementById('filter').value") == f"port = {port}"
        assert page.run("return document.querySelector('[aria-sort=ascending]') !== null")


def test_the_way_back_leads_to_the_tab_before(page):
    page.press("3")
    page.wait("return document.querySelector('.maps') !== null")
    page.driver.back()
    page.wait("return document.querySelector('[role=grid]') !== null")


def test_the_stream_closes_with_the_tab_hidden_and_comes_back(page):
    closed = "return performance.getEntriesByType('resource').filter(entry => entry.name.includes('/api/stream?')).length"
    before = page.run(closed)
    page.driver.minimize_window()
    page.wait("return document.visibilityState === 'hidden' && document.querySelector('.live.is-hidden') !== null")
    page.wait(closed + " > arguments[0]", before)
    page.driver.set_window_rect(0, 0, 1280, 800)
    page.wait("return document.querySelector('.live.is-live') !== null")
    with socket.create_server(("127.0.0.1", 0)) as made:
        page.row(made.getsockname()[1])


def test_a_server_that_stands_still_is_not_called_live(chromium, doorward):  # noqa: F811
    """Its connections are open, as they are where a network has gone, and nothing comes."""
    served = pages.Page(doorward)
    front = served.processes[1]
    try:
        for tab in ("doors", "events"):
            chromium.open(served, f"tab={tab}&filter=port = 1")
            chromium.wait("return document.querySelector('.live.is-live') !== null")
            os.kill(front, signal.SIGSTOP)
            try:
                assert chromium.wait("return document.querySelector('.live.is-silent')?.innerText") == "no word from the server"
            finally:
                os.kill(front, signal.SIGCONT)
            chromium.wait("return document.querySelector('.live.is-live') !== null")
    finally:
        assert served.end() == (0, "")


def test_where_nothing_happens_it_lives(chromium, served):  # noqa: F811
    """Of events nothing comes while there are none, or while they are paused: who is silent is asked, and answers."""
    chromium.open(served, "tab=events&filter=port = 1")
    chromium.wait("return document.querySelector('.live.is-live') && document.querySelector('[aria-rowcount]').getAttribute('aria-colcount') > 1")
    chromium.press(" ")
    chromium.wait("return document.querySelector('.live.is-paused') !== null")
    chromium.requests()
    seen = chromium.run_async("const seen = new Set(), until = Date.now() + 12000; while (Date.now() < until) { seen.add(document.querySelector('.live').className);"
                              " await new Promise(go => setTimeout(go, 16)); } return [...seen];")
    assert seen == ["live is-paused"]
    assert any("/api/check" in asked["url"] for asked in chromium.requests())


def test_a_link_with_a_wrong_filter_says_so_and_can_be_mended(page, served):
    page.open(served, "filter=prot = tcp")
    assert "proto" in page.wait("return document.querySelector('.problem')?.innerText")
    page.press("/", f"{OURS}\ue007")
    page.wait("return document.querySelector('.problem') === null && document.querySelectorAll('.rows .row').length > 0")


def test_connections_tell_their_rates(page):
    with socket.create_server(("127.0.0.1", 0)) as made, socket.create_connection(made.getsockname()) as dialled:
        accepted, _ = made.accept()
        with accepted:
            port = made.getsockname()[1]
            page.press("2", "/", f"port = {port}\ue007")
            page.wait("return document.querySelectorAll('.rows .row').length === 1")
            for _ in range(60):
                dialled.sendall(b"x" * 20000)
                assert len(accepted.recv(20000, socket.MSG_WAITALL)) == 20000
                if page.run("return /KiB|MiB/.test(document.querySelector('.rows .of-rate_in')?.textContent)"):
                    break
            else:
                page.wait("return /KiB|MiB/.test(document.querySelector('.rows .of-rate_in').textContent)")


# ---- the modules by themselves ----

def test_rows_keep_what_they_are_told(page):
    told = page.run_async("""
        const { NOTHING, applyMessage } = await import('/page/rows.js');
        const row = (id, change, cell) => ({ id, change, n: 1, target: id, cells: [cell] });
        let data = applyMessage(NOTHING, { type: 'window', total: 3, from: 0, columns: ['x'], rows: [row('a', null, '1'), row('b', null, '2')] }, 0);
        data = applyMessage(data, { type: 'difference', total: 3, rows: [row('c', 'new', '3')], order: ['c', 'a', 'b'] }, 1000);
        const first = data.rows.map(r => [r.id, r.change]);
        const stamp = data.rows[0].stamp;
        data = applyMessage(data, { type: 'window', total: 3, from: 0, rows: [row('c', 'new', '3'), row('a', null, '1')] }, 1500);
        const kept = data.rows[0].stamp === stamp;
        data = applyMessage(data, { type: 'difference', total: 3, rows: [row('a', 'changed', '9')] }, 9000);
        return [first, kept, data.rows.map(r => [r.id, r.change, r.cells[0]])];""")
    assert told == [[["c", "new"], ["a", None], ["b", None]], True, [["c", None, "3"], ["a", "changed", "9"]]]


def test_a_view_and_its_link_say_the_same(page):
    assert page.run_async("""
        const { readView, viewFragment } = await import('/page/links.js');
        const view = { ...readView(''), tab: 'connections', filter: 'process ~ "a&b=#+%" and port = 1', sort: '-port,pid', columns: 'a,b', story: 'tcp/[::1]:80', zoom: '4' };
        return JSON.stringify(readView(viewFragment(view))) === JSON.stringify(view) && readView('#group=colour').group === '';""")


def test_text_is_shown_as_the_program_shows_it(page):
    text = "a\u202eb\x1b\x07\n\u00e9\u200d<b>\U000e0041\ud7ff漢"
    assert page.run_async("const { shown } = await import('/page/text.js'); return shown(args[0]);", text) == \
        "a\\u{202e}b\\e\\x07\\n\u00e9\\u{200d}<b>\\u{e0041}\ud7ff漢"


def test_a_fragment_gives_up_its_token(page):
    assert page.run_async("""
        const { splitFragment } = await import('/page/token.js');
        const t = 'ab'.repeat(32);
        return [splitFragment('#token=' + t), splitFragment('#tab=map&token=' + t), splitFragment('#' + t), splitFragment('#tab=map')]
            .map(found => [found.token === t, found.rest]);""") == [[True, ""], [True, "tab=map"], [True, ""], [False, "tab=map"]]


def test_each_byte_of_the_map_has_a_colour_and_words(page):
    assert page.run_async("""
        const { COLOURS, colourName, inWords } = await import('/page/map-data.js');
        return Array.from({ length: 256 }, (none, byte) => byte).filter(byte => !COLOURS.includes(colourName(byte)) || !inWords(80, byte)).length;""") == 0


def test_the_map_is_drawn_well_within_its_time(page):
    """The figure is kept by the bench; here it is only that there is one."""
    page.press("3")
    assert page.wait("return performance.getEntriesByName('doorward-map').length > 0")
