# SPDX-License-Identifier: GPL-2.0-or-later
"""The page of `doorward serve` before real sockets: what it shows, and what a click does. The kernel is asked what is really open."""

import os
import signal
import socket
import subprocess
import sys

import psutil
import pytest

import browser as browsers
import pages
from chromium_page import chromium, is_greenish, is_reddish, listens, page, served  # noqa: F401 (fixtures)
from hosts.docker import docker  # noqa: F401 a fixture


# ---- the table ----

def test_a_new_listener_appears_without_reload_and_is_green(page):
    page.run("window.marked = true")
    with socket.create_server(("127.0.0.1", 0)) as made:
        port = made.getsockname()[1]
        row = page.row(port, "new")
        assert row["sign"] == "+"
        assert is_greenish(row["colour"]), row
    assert page.run("return window.marked") is True
    gone = page.row(port, "gone")
    assert gone["sign"] == "−" and is_reddish(gone["colour"]), gone


def test_a_click_and_the_confirmation_close_it_really(page, scene):
    made = scene("tcp-listener")
    row = page.row(made.port)
    page.css(f"[id='{row['id']}']").click()
    page.wait("return document.querySelector('.story .holder') !== null")
    page.css(".story .buttons .danger").click()
    plan = page.wait("return document.querySelector('#confirm:not([disabled])') && document.querySelector('dialog .steps').innerText")
    assert f"127.0.0.1:{made.port}" in plan and f"pid {made.pid}" in plan
    assert listens(made.port), "the plan alone closes nothing"
    page.css("#confirm").click()
    gone = page.row(made.port, "gone")
    assert gone["sign"] == "−" and is_reddish(gone["colour"]), gone
    assert not listens(made.port)
    assert "is free" in page.wait("return document.querySelector('dialog [role=status]')?.innerText")


def test_what_is_not_confirmed_is_not_done(page, scene):
    made = scene("tcp-listener")
    row = page.row(made.port)
    page.css(f"[id='{row['id']}']").click()
    page.press("c")
    page.wait("return document.querySelector('#confirm:not([disabled])') !== null")
    assert page.run("return document.activeElement.textContent") == "Cancel", "the way out has the focus"
    page.press("\ue00c")
    page.wait("return document.querySelector('dialog') === null")
    assert listens(made.port)


def lets_in(port):
    try:
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
    except OSError:
        return False
    return True


@pytest.mark.needs("root", "program:nft")
def test_a_block_is_planned_done_and_lifted(page, served, doorward, scene):
    made = scene("tcp-listener")
    page.open(served, f"story=tcp/{made.port}")
    page.wait("return document.querySelector('.story .holder') !== null")
    try:
        page.press("b")
        page.wait("return document.querySelector('#confirm:not([disabled])') !== null")
        assert "refused" in page.run("return document.querySelector('dialog').innerText") and lets_in(made.port)
        page.css("#confirm").click()
        page.wait("return document.querySelector('dialog [role=status]') !== null")
        assert not lets_in(made.port) and listens(made.port)
        page.wait("return document.querySelector('.story').innerText.includes('table blocks tcp/')")
        page.press("\ue00c", "u")
        page.wait("return document.querySelector('#confirm:not([disabled])') !== null")
        page.css("#confirm").click()
        page.wait("return document.querySelector('dialog [role=status]') !== null")
        assert lets_in(made.port)
        page.wait("return !document.querySelector('.story').innerText.includes('table blocks tcp/')")
    finally:
        doorward.run("unblock", f"tcp/{made.port}")


def test_read_only_dims_the_acts_and_says_why(chromium, doorward, scene):
    made = scene("tcp-listener")
    reading = pages.Page(doorward, "--read-only")
    try:
        chromium.open(reading, f"story=tcp/{made.port}")
        chromium.wait("return document.querySelector('.story .holder') !== null")
        button = chromium.css(".story .buttons .danger")
        assert button.get_attribute("aria-disabled") == "true" and button.get_attribute("title")
        button.click()
        chromium.press("c")
        assert chromium.wait("return document.querySelector('.foot-bar .notice').textContent").startswith("close: ")
        assert chromium.run("return document.querySelector('dialog') === null")
        assert listens(made.port)
    finally:
        assert reading.end() == (0, "")


def test_the_choice_follows_the_socket_and_not_the_line(page):
    with socket.create_server(("127.0.0.1", 0)) as made:
        port = made.getsockname()[1]
        page.css(f"[id='{page.row(port)['id']}']").click()
        page.wait("return document.querySelector('.row.is-chosen') !== null")
        for _ in range(2):
            page.run("document.querySelectorAll('.head [role=columnheader] button')[2].click()")
            page.wait("return document.querySelector('[aria-sort=ascending], [aria-sort=descending]') !== null")
        page.wait("return document.querySelector('[aria-sort=descending]') !== null")
        assert page.row(port)["chosen"] == "true"
        assert page.run("return document.querySelectorAll('.row.is-chosen').length") == 1


def test_only_the_rows_in_sight_are_in_the_document(page, scene, served):
    scene("load", processes=4, sockets=2000, kind="listeners")
    page.open(served, "filter=listen")
    page.wait("return Number(document.querySelector('[role=grid]').getAttribute('aria-rowcount')) > 2000")
    assert page.run("return document.querySelectorAll('.rows .row').length") < 200
    page.press("\ue010")
    page.wait("const rows = [...document.querySelectorAll('.rows .row')]; const n = document.querySelector('[role=grid]').getAttribute('aria-rowcount');"
              "return rows.some(row => row.getAttribute('aria-rowindex') === n && row.classList.contains('is-chosen'))")
    assert page.run("return document.querySelectorAll('.rows .row').length") < 200


def test_paused_the_rows_stay_as_they_are(page):
    page.press(" ")
    page.wait("return document.querySelector('.live.is-paused') !== null")
    with socket.create_server(("127.0.0.1", 0)) as made:
        port = made.getsockname()[1]
        seen = page.run("return document.querySelector('.foot-bar span:nth-child(2)').textContent")
        page.wait("return document.querySelector('.foot-bar span:nth-child(2)').textContent !== arguments[0]", seen)
        page.run("window.then = document.querySelector('.foot-bar span:nth-child(2)').textContent")
        page.wait("return document.querySelector('.foot-bar span:nth-child(2)').textContent !== window.then")
        assert page.run(browsers.ROW, str(port), None) is None
        page.press(" ")
        page.row(port)


def test_columns_and_groups_are_chosen_and_are_in_the_link(page):
    page.press("v")
    page.wait("return document.querySelector('dialog.columns') !== null")
    page.run("[...document.querySelectorAll('dialog.columns label')].find(label => label.textContent.startsWith('cmdline')).click()")
    page.wait("return document.querySelector('.rows .of-cmdline')?.textContent.length > 0")
    page.run("[...document.querySelectorAll('dialog.columns button')].find(button => button.getAttribute('aria-label') === 'cmdline to the left').click()")
    page.wait("return location.hash.includes('cmdline')")
    page.press("\ue00c", "g", "g")
    page.wait("return location.hash.includes('group=process')")
    page.driver.refresh()
    page.wait("return document.querySelector('.rows .of-cmdline') !== null && document.querySelector('.group select').value === 'process'")


def test_a_row_of_several_ports_is_closed_as_its_plan_shows(page, served, scene):
    """Those of its process that the filter chooses, each in the plan; the third stays as it is until it is confirmed."""
    code = ("import socket, sys; all = [socket.create_server(('127.0.0.1', 0)) for _ in range(3)];"
            "print(*[one.getsockname()[1] for one in all], flush=True); sys.stdin.read()")
    made = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    beside, pid, ports = scene("tcp-listener"), made.pid, sorted(map(int, made.stdout.readline().split()))
    page.open(served, f"group=process&filter=pid = {pid} and port < {ports[-1]} or pid = {beside.pid}")
    page.wait("return document.querySelectorAll('.rows .row').length === 2")
    page.run("[...document.querySelectorAll('.rows .row')].find(row => row.querySelector('.of-pid').textContent === arguments[0]).click()", str(pid))
    assert "several ports" in page.wait("return document.querySelector('.foot-bar .notice').textContent")
    page.press("b")
    refused = "block: one port" if os.geteuid() == 0 else "block: "  # a user may block nothing at all, and is told that
    page.wait("return document.querySelector('.foot-bar .notice').textContent.startsWith(arguments[0])", refused)
    page.press("c")
    page.wait("return document.querySelector('#confirm:not([disabled])') !== null")
    planned = page.run("return document.querySelector('dialog').innerText")
    assert all(str(port) in planned for port in ports) and str(beside.port) not in planned, planned
    assert page.run("return document.querySelectorAll('dialog .steps > li').length") == len(ports) - 1
    assert all(map(listens, ports))
    page.css("#confirm").click()
    page.wait("return document.querySelector('dialog [role=status]')?.innerText.includes('is free')")
    assert not any(map(listens, ports)) and listens(beside.port) and made.wait(pages.LIMIT) == -signal.SIGTERM
    made.communicate()


# ---- the filter ----

def test_the_filter_chooses_while_it_is_typed(page):
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as other:
        page.row(other.getsockname()[1])
        port = one.getsockname()[1]
        page.press("/", f"port = {port}")
        page.wait("return document.querySelectorAll('.rows .row').length === 1")
        assert page.row(port)
        assert page.run("return new URLSearchParams(location.hash.slice(1)).get('filter')") == f"port = {port}"


def test_a_wrong_filter_is_told_under_its_place(page):
    page.press("/", "port = 80 and stat = listen")
    page.wait("return document.querySelector('.problem')?.innerText.includes('state')")  # what was typed before has its own
    caret, place = page.run("""
        const input = document.getElementById('filter'), style = getComputedStyle(input), ruler = document.createElement('pre');
        ruler.textContent = 'port = 80 and ';
        Object.assign(ruler.style, { font: style.font, position: 'absolute' });
        document.body.append(ruler);
        const width = ruler.getBoundingClientRect().width;
        ruler.remove();
        return [document.querySelector('.problem .caret').getBoundingClientRect().left,
            input.getBoundingClientRect().left + parseFloat(style.paddingLeft) + parseFloat(style.borderLeftWidth) + width];""")
    assert abs(caret - place) < 5, "the sign stands under the wrong word"
    assert page.run("return document.getElementById('filter').getAttribute('aria-invalid')") == "true"


def test_help_while_typing_completes_a_word(page):
    page.press("/", "rea")
    page.wait("return [...document.querySelectorAll('.words li')].some(word => word.textContent.startsWith('reach '))")
    page.press("\ue015", "\ue007", "= loopback")
    page.wait("return document.getElementById('filter').value === 'reach = loopback'")
    page.wait("return location.hash.includes('filter=reach') && location.hash.includes('loopback')")


# ---- the story ----

def test_the_story_tells_who_holds_it_up_to_the_first_process(page, scene):
    made = scene("tcp-listener", name="storied")
    page.css(f"[id='{page.row(made.port)['id']}']").click()
    told = page.wait("return document.querySelector('.story .parents') && document.querySelector('.story').innerText")
    process = psutil.Process(made.pid)
    for word in [str(made.port), "storied", str(process.pid), *process.cmdline(), str(process.ppid())]:
        assert word in told, word
    page.press("\ue00c")
    page.wait("return document.querySelector('.story') === null")
    assert page.run("return document.activeElement.getAttribute('role')") == "grid"


def test_a_story_stands_beneath_no_other_name(chromium, doorward, scene):  # noqa: F811
    """The server stands still while another door is chosen: what was told of the one before is not told of it."""
    served, made = pages.Page(doorward), scene("tcp-listener")
    front = served.processes[1]
    try:
        chromium.open(served, f"story=tcp/{made.port}")
        chromium.wait("return document.querySelector('.story .holder') !== null")
        os.kill(front, signal.SIGSTOP)
        chromium.run("location.hash = '#story=tcp/1'")
        chromium.wait("return document.querySelector('.story h2').textContent === 'tcp/1'")
        assert "asking" in chromium.wait("return document.querySelector('.story .holder') === null && document.querySelector('.story').innerText")
        assert chromium.run("return [...document.querySelectorAll('.story button')].find(button => button.textContent === 'Copy as text').disabled")
        os.kill(front, signal.SIGCONT)
        chromium.wait("return document.querySelector('.story').innerText.includes('tcpmux') || document.querySelector('.story .empty') !== null")
    finally:
        os.kill(front, signal.SIGCONT)
        assert served.end() == (0, "")


SCENES = [("cgroup", {"path": "/docker/" + "0123456789ab" * 5 + "0123"}), ("two-owners", {}), ("reuseport-group", {}), ("udp", {}),
          ("tcp-bound", {}), ("deleted-exe", {}), ("dual-stack", {}), ("mptcp", {}), ("interpreter", {}), ("v6only-pair", {}),
          ("any-and-one", {}), ("pid-namespace", {}), ("not-accepted", {}), ("bad-name", {"kind": "bytes"})]


@pytest.mark.parametrize("name, options", SCENES, ids=[name for name, _ in SCENES])
def test_every_kind_of_story_is_told(page, served, scene, name, options):
    made = scene(name, **options)
    proto = made.sockets[0].proto
    page.open(served, f"story={proto}/{made.port}")
    told = page.wait("return document.querySelector('.story section.door') && document.querySelector('.story').innerText")
    assert f":{made.port}" in told and "undefined" not in told and "[object" not in told and "NaN" not in told, told


@pytest.mark.needs("root")
def test_the_story_of_a_published_port_names_its_container(page, served, docker):  # noqa: F811
    web = docker.run("web", ["127.0.0.1:18083:80"], [80])
    page.open(served, "story=tcp/18083")
    told = page.wait("return document.querySelector('.story .holder') && document.querySelector('.story').innerText")
    assert "docker web" in told and f"pid {web.pid}" in told and "docker-proxy" in told, told


def test_a_row_of_another_namespace_tells_of_that_namespace(page, served, scene):
    made = scene("same-port-two-netns")
    page.open(served, f"filter=port = {made.port}&group=none&columns=port,netns,pid")
    page.wait("return document.querySelectorAll('.rows .row').length === 2")
    pids = {int(text) for text in page.run("return [...document.querySelectorAll('.rows .of-pid')].map(cell => cell.textContent)")}
    for k in range(2):
        page.run("document.querySelectorAll('.rows .row')[arguments[0]].click()", k)
        pid = page.run("return document.querySelectorAll('.rows .of-pid')[arguments[0]].textContent", k)
        other = (pids - {int(pid)}).pop()
        page.wait("const holders = [...document.querySelectorAll('.story .holder h4')].map(node => node.innerText).join();"
                  "return holders.includes(arguments[0]) && !holders.includes(arguments[1])", f"pid {pid}", f"pid {other}")


# ---- the map ----

PIXEL = """
const pixel = document.getElementById('map-tcp')?.getContext('2d', { willReadFrequently: true }).getImageData(arguments[0] % 256, Math.floor(arguments[0] / 256), 1, 1).data;
return pixel && [pixel[0], pixel[1], pixel[2]].join() === arguments[1].join();
"""


@pytest.mark.parametrize("address, colour", [("127.0.0.1", "map-loopback"), ("0.0.0.0", "map-any")])
def test_the_pixel_of_a_port_has_the_colour_of_its_reach(page, address, colour):
    page.press("3")
    page.wait("return document.querySelector('.under b') !== null")
    with socket.create_server((address, 0)) as made:
        port = made.getsockname()[1]
        page.wait(PIXEL, port, page.colour(colour))
    page.wait(PIXEL, port, page.colour("map-ephemeral"))


def test_a_click_on_the_map_leads_to_the_port(page):
    with socket.create_server(("127.0.0.1", 0)) as made:
        port = made.getsockname()[1]
        page.press("3")
        page.wait(PIXEL, port, page.colour("map-loopback"))
        at = page.run("const box = document.getElementById('map-tcp').getBoundingClientRect(), side = box.width / 256;"
                      "return [box.left + (arguments[0] % 256 + 0.5) * side, box.top + (Math.floor(arguments[0] / 256) + 0.5) * side]", port)
        for kind in ["mouseMoved", "mousePressed", "mouseReleased"]:
            page.driver.execute_cdp_cmd("Input.dispatchMouseEvent", {
                "type": kind, "x": at[0], "y": at[1], "button": "none" if kind == "mouseMoved" else "left", "clickCount": 1})
            if kind == "mouseMoved":
                tip = page.wait("return document.querySelector('.tip')?.innerText")
                assert f"tcp/{port}" in tip and "loopback" in tip
        page.wait("return document.querySelector('.story h2')?.innerText.includes(arguments[0])", f"tcp/{port}")
        assert page.run("return new URLSearchParams(location.hash.slice(1)).get('port')") == str(port)


def test_the_map_is_walked_and_zoomed_by_keys(page):
    page.press("3")
    page.wait("return document.querySelector('.under b') !== null")
    page.press("\ue014", "\ue014", "\ue015")
    page.wait("return document.querySelector('.under b').textContent === 'tcp/258'")
    page.press("+", "+")
    page.wait("return document.querySelector('.choice output').textContent === '4×'")
    assert "zoom=4" in page.run("return location.hash")  # who gets the link sees as much
    page.run("location.hash = '#tab=map&port=258&proto=sctp'")  # there is no such map: not asked for without end
    page.wait("return document.querySelector('.under b')?.textContent === 'tcp/258'")
    with socket.create_server(("127.0.0.1", 0)) as made:
        port = made.getsockname()[1]
        page.wait(PIXEL, port, page.colour("map-loopback"))
        page.run("location.hash = '#tab=map&port=' + (arguments[0] - 1)", port)
        page.wait("return document.querySelector('.under b').textContent === 'tcp/' + (arguments[0] - 1)", port)
        page.press("n")
        page.wait("return document.querySelector('.under b').textContent === 'tcp/' + arguments[0]", port)
    page.press("p")
    page.wait("return document.querySelector('.under b').textContent.startsWith('udp/')")


# ---- events ----

def test_events_come_into_their_tab_as_they_happen(page, served):
    page.open(served, f"tab=events&filter=pid = {os.getpid()}")
    page.wait("return document.querySelector('.live.is-live') && document.querySelector('.of-an-event')")
    with socket.create_server(("127.0.0.1", 0)) as made:
        port = made.getsockname()[1]
        row = "return [...document.querySelectorAll('.rows .row')].map(row => row.innerText.replace(/\\s+/g, ' ')).find(text => text.includes(arguments[1]) && text.includes(arguments[0]))"
        told = page.wait(row, f":{port}", "opened")
        assert str(os.getpid()) in told and "tcp" in told
    page.wait(row, f":{port}", "closed")
    page.run("[...document.querySelectorAll('.rows .row')].find(row => row.innerText.includes(arguments[0])).click()", f":{port}")
    page.wait("return document.querySelector('.story h2')?.innerText.includes(arguments[0])", f"{port}")


# ---- rates, picture ----

def test_rates_are_drawn(page):
    page.press("4")
    page.wait("return document.querySelectorAll('.plot canvas').length === 2")
    page.wait("return /\\d+ B|KiB|MiB/.test(document.querySelector('.figures dd').innerText)")


def test_the_picture_joins_both_ends(page):
    with socket.create_server(("127.0.0.1", 0)) as made:
        port = made.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)) as dialled:
            accepted, _ = made.accept()
            with accepted:
                page.press("5")
                page.press("/", f"port = {port} or peer_port = {port}")
                page.wait("const nodes = [...document.querySelectorAll('.picture .node')].map(node => node.getAttribute('aria-label'));"
                          "return nodes.some(text => text.startsWith('port') && text.includes(arguments[0])) && nodes.some(text => text.startsWith('process'))",
                          str(port))
                page.wait("return document.querySelectorAll('.picture .edge').length >= 1")
                assert dialled.fileno() >= 0


def test_an_empty_picture_says_that_it_is_the_filter(page, served):
    page.open(served, "tab=picture&filter=pid = 1 and pid = 2")
    assert "The filter" in page.wait("return document.querySelector('.pictures .empty')?.innerText")


@pytest.mark.parametrize("key", ["\ue007", " "], ids=["enter", "space"])
def test_a_node_of_the_picture_leads_to_its_rows(page, key):
    with socket.create_server(("127.0.0.1", 0)) as made, socket.create_connection(made.getsockname()):
        port = made.getsockname()[1]
        page.press("5")
        page.press("/", f"port = {port} or peer_port = {port}", "\ue007")
        page.wait("return [...document.querySelectorAll('.picture .node.of-port')].find(node => node.ariaLabel.includes(arguments[0]))?.focus() === undefined"
                  " && document.activeElement.ariaLabel?.includes(arguments[0])", str(port))
        page.press(key)
        page.wait("return location.hash.includes('tab=connections') && document.querySelectorAll('.rows .row').length > 0")
