# SPDX-License-Identifier: GPL-2.0-or-later
"""The page by the keyboard alone, narrow, wide, dark, and with names of the host that would be more than text."""

import contextlib
import re
import socket
import subprocess
import sys

import psutil
import pytest

from chromium_page import chromium, listens, page, served  # noqa: F401 (fixtures)


# ---- keyboard alone, narrow, dark, wide ----

def test_a_port_is_closed_by_the_keyboard_alone(page, scene):
    made = scene("tcp-listener")
    page.row(made.port)
    page.press("/", f"port = {made.port}", "\ue007")
    page.wait("return document.querySelectorAll('.rows .row').length === 1")
    page.press("\ue015")
    page.wait("return document.querySelector('.row.is-chosen') !== null")
    page.press("\ue007")
    page.wait("return document.querySelector('.story .holder') !== null")
    page.press("c")
    page.wait("return document.querySelector('#confirm:not([disabled])') !== null")
    page.press("\ue004", "\ue007")
    page.wait("return document.querySelector('dialog [role=status]')?.innerText.includes('is free')")
    assert not listens(made.port)


TABS = ["doors", "connections", "map", "rates", "picture", "events"]


@pytest.mark.parametrize("tab", TABS)
def test_tab_reaches_whatever_can_be_pressed_and_shows_where_it_is(page, served, tab):
    """Rows are reached by the arrows, in a table that is reached by Tab."""
    with socket.create_server(("127.0.0.1", 0)) as made, socket.create_connection(made.getsockname()):
        page.open(served, f"tab={tab}&story=tcp/{made.getsockname()[1]}" + ("&filter=port = 1" if tab in ("picture", "events") else ""))
        page.wait("return document.querySelector('.story .holder') && document.querySelector('.live.is-live')")
        wanted = page.run("return [...document.querySelectorAll('button:enabled, a[href], input, select, summary, figure[tabindex], [role=grid]')].filter(node =>"
                          " node.checkVisibility()).map(node => [node.tagName, node.role === 'grid' || node.textContent, node.ariaLabel, node.id].join())")
        page.run("document.activeElement.blur()")
        reached, unseen = set(), []
        for _ in range(len(wanted) + 8):
            page.press("\ue004")
            name, is_seen = page.run("const node = document.activeElement, style = getComputedStyle(node);"
                                     "return [[node.tagName, node.role === 'grid' || node.textContent, node.ariaLabel, node.id].join(),"
                                     " node === document.body || (style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2)]")
            reached.add(name)
            if not is_seen:
                unseen.append(name)
        assert {name for name in wanted if "now" not in name} - reached == set()
        assert unseen == []


def test_every_key_is_in_the_list_of_keys(page):
    page.press("?")
    page.wait("return document.querySelector('dialog.keys') !== null")
    table, shown = page.run_async("const { KEYS } = await import('/page/keys.js');"
                                  "return [KEYS.map(key => key.shown + key.says).sort(),"
                                  "[...document.querySelectorAll('dialog.keys dl > div')].map(line => line.querySelector('kbd').textContent"
                                  " + line.querySelector('dd').textContent).sort()]")
    assert table == shown and len(table) > 20
    page.press("\ue00c")
    page.wait("return document.querySelector('dialog') === null")


@pytest.mark.parametrize("width", [320, 375])
@pytest.mark.parametrize("tab", TABS)
def test_nothing_is_wider_than_a_telephone(page, served, tab, width):
    with socket.create_server(("127.0.0.1", 0)) as made:
        page.look(width, 740)
        page.open(served, f"tab={tab}")
        if tab == "doors":
            page.wait("return document.querySelectorAll('.rows .row').length > 0")
            page.press("/", f"port = {made.getsockname()[1]}", "\ue007")
            row = page.row(made.getsockname()[1])
            assert psutil.Process().name() in row["text"]
        else:
            page.wait("return document.querySelector('.live.is-live') !== null")
        if tab == "picture":
            page.wait("return document.querySelector('.picture .node') !== null")
            page.wait("const box = document.querySelector('.pictures'); return box.scrollWidth <= box.clientWidth")
        assert page.run("return document.scrollingElement.scrollWidth") <= width
        beyond = page.run("return [...document.querySelectorAll('header *, .tool-bar *, .foot-bar *')]"
                          ".filter(node => node.getBoundingClientRect().right > arguments[0] + 1 && !node.closest('.unseen')).map(node => node.outerHTML.slice(0, 200))", width)
        assert beyond == []
        page.shoot(f"{width}-{tab}")


def test_a_long_column_of_the_picture_moves_no_other_out_of_sight(page, served):
    with contextlib.ExitStack() as stack:
        for _ in range(100):
            made = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
            stack.enter_context(socket.create_connection(made.getsockname()))
        page.open(served, f"tab=picture&filter=pid = {psutil.Process().pid}")
        tops = page.wait("const nodes = [...document.querySelectorAll('.picture .node')], tops = {};"
                         "if (nodes.length < 30) return null;"
                         "for (const node of nodes) { const box = node.getBoundingClientRect();"
                         " tops[Math.round(box.left)] = Math.min(tops[Math.round(box.left)] ?? Infinity, box.top); }"
                         "return Object.values(tops)")
        assert len(tops) > 1 and max(tops) < 700


CONTRAST = """
const numbers = colour => colour.match(/[\\d.]+/g).map(Number);
const light = ([r, g, b]) => [r, g, b].map(v => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
	.reduce((sum, v, k) => sum + v * [0.2126, 0.7152, 0.0722][k], 0);
const ground = node => {
	for (; node; node = node.parentElement) {
		const colour = numbers(getComputedStyle(node).backgroundColor);
		if ((colour[3] ?? 1) === 1)
			return colour;
	}
	return [255, 255, 255];
};
const poor = [];
const faint = node => (node ? Number(getComputedStyle(node).opacity) * faint(node.parentElement) : 1);
const hold = (text, ground, what, share = 1) => {
	const [a, b] = [light(numbers(text).map((v, k) => v * share + ground[k] * (1 - share)).slice(0, 3)), light(ground.slice(0, 3))];
	const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
	n++;
	if (ratio < 4.5)
		poor.push(`${ratio.toFixed(2)} ${what}`);
};
const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
let n = 0;
while (walk.nextNode()) {
	const node = walk.currentNode.parentElement;
	if (!walk.currentNode.data.trim() || !node.checkVisibility() || node.closest('.is-gone, .is-new, .is-changed, title'))
		continue;
	const box = node.closest('svg .node')?.querySelector('rect');
	hold(getComputedStyle(node)[node.closest('svg') ? 'fill' : 'color'], box ? numbers(getComputedStyle(box).fill) : ground(node),
		`${node.getAttribute('class')} ${walk.currentNode.data.slice(0, 40)}`, faint(node));
}
for (const node of document.querySelectorAll('input[placeholder]'))
	hold(getComputedStyle(node, '::placeholder').color, ground(node), node.placeholder);
return { n, poor };
"""


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("tab", TABS)
def test_text_stands_out_from_its_ground(page, served, dark, tab):
    page.look(1280, 800, dark)
    with socket.create_server(("127.0.0.1", 0)) as made:
        page.open(served, f"tab={tab}&story=tcp/{made.getsockname()[1]}")
        page.wait("return document.querySelector('.story .holder') !== null")
        brightness = sum(page.run("return getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)"))
        assert brightness < 150 if dark else brightness > 600
        told = page.run(CONTRAST)
        assert told["n"] > 20 and told["poor"] == []
        page.shoot(f"1280-{tab}-{'dark' if dark else 'light'}")


COLOURS_OF_CHANGE = """
const { colours } = await import('/page/theme.js');
const found = colours(['text', 'surface', 'new', 'changed', 'gone', 'danger', 'on-danger', 'accent', 'on-accent']);
/* as faint as it is at last */
const rules = [...document.styleSheets].flatMap(sheet => [...sheet.cssRules]);
const last = Number(rules.find(rule => rule.name === 'gone-0').findRule('to').style.opacity);
const mixed = name => 'rgb(' + found[name].match(/[\\d.]+/g).slice(0, 3).map((v, k) => v * last + found.surface.match(/[\\d.]+/g)[k] * (1 - last)).join() + ')';
Object.assign(found, { 'text of what is gone': mixed('text'), 'what is gone': mixed('gone') });
const light = colour => colour.match(/[\\d.]+/g).map(Number).slice(0, 3).map(v => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
	.reduce((sum, v, k) => sum + v * [0.2126, 0.7152, 0.0722][k], 0);
return [['text', 'new'], ['text', 'changed'], ['text', 'gone'], ['text of what is gone', 'what is gone'], ['on-danger', 'danger'], ['on-accent', 'accent']].map(([a, b]) => {
	const [x, y] = [light(found[a]), light(found[b])];
	return [a, b, (Math.max(x, y) + 0.05) / (Math.min(x, y) + 0.05)];
});
"""


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_text_stands_out_from_the_colours_of_change(page, dark):
    page.look(1280, 800, dark)
    for text, ground, ratio in page.run_async(COLOURS_OF_CHANGE):
        assert ratio >= 4.5, (text, ground, ratio)


def test_the_switch_is_stronger_than_the_system(page):
    page.look(1280, 800, True)
    ground = page.run("return getComputedStyle(document.body).backgroundColor")
    page.press("t")
    page.wait("return document.documentElement.dataset.theme === 'light' && getComputedStyle(document.body).backgroundColor !== arguments[0]", ground)
    page.press("t", "t")
    page.wait("return document.documentElement.dataset.theme === undefined && getComputedStyle(document.body).backgroundColor === arguments[0]", ground)


@pytest.mark.parametrize("tab", TABS)
def test_it_is_drawn_wide(page, served, tab):
    page.look(2560, 1300)
    page.open(served, f"tab={tab}")
    page.wait("return document.querySelector('.live.is-live') !== null")
    assert page.run("return document.scrollingElement.scrollWidth") <= 2560
    page.shoot(f"2560-{tab}")


def test_what_is_pressed_has_a_name(page, served):
    for tab in TABS:
        page.press(str(TABS.index(tab) + 1))
        page.wait("return document.querySelector('nav [aria-current]').textContent.toLowerCase().startsWith(arguments[0])", tab)
        nameless = page.run("return [...document.querySelectorAll('button, a, input, select, [role=button], [role=img], [role=grid]')].filter(node =>"
                            " !(node.textContent.trim() || node.getAttribute('aria-label') || node.labels?.length)).map(node => node.outerHTML)")
        assert nameless == []


def test_a_plot_is_read_by_the_keyboard(page):
    page.press("4")
    page.wait("return document.querySelectorAll('.plot canvas').length === 2 && document.querySelector('.figures dd:not(:empty)')")
    for k, what in enumerate(["in ", "connections "]):
        page.run("document.querySelectorAll('.plot')[arguments[0]].focus()", k)
        page.press("\ue012")
        said = page.wait("return document.querySelectorAll('.plot')[arguments[0]].querySelector('[role=status]').textContent", k)
        assert re.match(r"\d\d:\d\d:\d\d: " + what, said), said
        page.press("\ue011")
        page.wait("return document.querySelectorAll('.plot')[arguments[0]].querySelector('[role=status]').textContent !== arguments[1]", k, said)
        assert page.run("return document.querySelectorAll('.plot')[arguments[0]].querySelector('.u-legend .u-value').textContent", k) != "–"


def test_how_much_there_is_to_see_is_said(page):
    """By the live region: a filter changes what is there, and who does not see it has not left the line that he types in."""
    said = "return [...document.querySelectorAll('[aria-live=polite].unseen')].map(node => node.textContent).join()"
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as other:
        ports = [each.getsockname()[1] for each in (one, other)]
        page.row(ports[1])
        page.press("/", f"port in ({ports[0]}, {ports[1]})")
        page.wait(f"return ({said[7:]}) === '2 rows'")
        page.press(f" and port = {ports[0]}")
        page.wait(f"return ({said[7:]}) === '1 row'")
        page.press(f" and port = {ports[1]}")
        page.wait(f"return ({said[7:]}) === 'no rows'")
    page.press("6")
    page.wait(f"return /^[0-9,]+ rows?$|^no rows$/.test({said[7:]})")


# ---- names of the host ----

HOSTILE = [
    ("<b>bold</b>", "<script>document.title='taken'</script>", "<img src=x onerror=document.title='taken'>"),
    ("a\u202egpj.exe", "\u2066left\u2069 \u202eright", "\x1b]0;taken\x07"),
    ("${7*7}'\"`&amp;", "javascript:alert(1)", "</aside></main><h1>taken</h1>"),
]


@pytest.mark.parametrize("name, first, second", HOSTILE, ids=["markup", "bidirectional", "quotes"])
def test_names_of_the_host_are_text_and_nothing_else(page, served, name, first, second):
    code = ("import socket, sys; s = socket.create_server(('127.0.0.1', 0)); open('/proc/self/comm', 'w').write(sys.argv[1]);"
            "print(s.getsockname()[1], flush=True); sys.stdin.read()")
    process = subprocess.Popen([sys.executable, "-c", code, name, first, second], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        port = int(process.stdout.readline())
        page.open(served, f"filter=port = {port}&story=tcp/{port}&columns=port,process,cmdline")
        page.row(port)
        told = page.wait("return document.querySelector('.story .holder')?.closest('.story').innerText")
        assert "socket.create_server" in told
        if first.isascii():
            assert first in told and second in told, told
        everything = page.run("return document.body.innerText + document.title + document.body.outerHTML")
        for mark in "\u202e\u2066\u2069\x1b\x07":
            assert mark not in everything, f"U+{ord(mark):04X} reached the page"
        assert page.run("return document.title").startswith("doors")
        assert page.run("return document.querySelectorAll('#app script, #app b:not(:not(.story *)), #app img:not(h1 img)').length - "
                        "document.querySelectorAll('.story .parents b').length") == 0
        assert page.run("return document.querySelectorAll('h1').length") == 1
    finally:
        process.stdin.close()
        process.wait(20)
