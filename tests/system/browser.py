# SPDX-License-Identifier: GPL-2.0-or-later
"""A real headless Chromium that looks at the page of `doorward serve` (pages.py)."""

import json
import os
import pathlib
import shutil
import tempfile

import pytest

PARTS = ["chromium", "chromedriver"]
LIMIT = 60


def need_browser():
    """Skips with the reason where there is no browser to look with."""
    for part in PARTS:
        if not shutil.which(part):
            pytest.skip(f"needs {part}: tools/deps page")
    pytest.importorskip("selenium", reason="needs python3-selenium: tools/deps page")


class Browser:
    """One Chromium with a profile of its own; `view` is what it shows, in CSS pixels."""

    def __init__(self):
        from selenium import webdriver
        from selenium.webdriver.chrome.service import Service
        self._profile = tempfile.mkdtemp(prefix="doorward-chromium-")
        options = webdriver.ChromeOptions()
        options.binary_location = shutil.which("chromium")
        for word in ["--headless=new", "--disable-gpu", "--hide-scrollbars", "--disable-background-networking", "--no-first-run",
                     "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
                     f"--user-data-dir={self._profile}"] + (["--no-sandbox"] if os.geteuid() == 0 else []):
            options.add_argument(word)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        self.driver = webdriver.Chrome(service=Service(shutil.which("chromedriver")), options=options)
        self.driver.set_script_timeout(LIMIT)
        self.look(1280, 800)

    def close(self):
        self.driver.quit()
        shutil.rmtree(self._profile, ignore_errors=True)

    def look(self, width, height, dark=False):
        """How large the page is, and what the system likes."""
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride",
                                    {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600})
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [
            {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]})

    def open(self, served, view=""):
        """A fresh look at the page, as if its address had been opened; @view is the fragment beside the token."""
        self.driver.get("about:blank")
        self.driver.get(served.address + (f"&{view}" if view else ""))
        self.wait("return document.querySelector('main:not(.waiting):not(.gate)') !== null")

    def run(self, script, *args):
        return self.driver.execute_script(script, *args)

    def run_async(self, script, *args):
        """@script is the body of an async function."""
        done = self.driver.execute_async_script(
            "const done = arguments[arguments.length - 1], args = [...arguments].slice(0, -1);"
            f"(async () => {{ {script} }})().then(value => done({{ value }}), error => done({{ error: String(error) }}));", *args)
        assert "error" not in done, done["error"]
        return done.get("value")

    def wait(self, script, *args, limit=LIMIT):
        """Until @script is true; gives what it returned. It is asked at each frame that is drawn."""
        return self.run_async(
            f"const look = function () {{ {script} }}; const until = Date.now() + args[0] * 1000;"
            "for (;;) { const value = look(...args.slice(1)); if (value) return value;"
            " if (Date.now() > until) throw new Error('waited in vain for: ' + look + document.body.innerText.slice(0, 2000));"
            " await new Promise(go => setTimeout(go, 16)); }", limit - 2, *args)

    def css(self, selector):
        from selenium.webdriver.common.by import By
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def press(self, *keys):
        """Types into whatever has the focus."""
        from selenium.webdriver import ActionChains
        ActionChains(self.driver).send_keys(*keys).perform()

    def row(self, port, change=None):
        """Waits for the row of a port, with that change if one is named: its id, text, colour and the like."""
        return self.wait(ROW, str(port), change)

    def colour(self, name):
        """A colour of theme.css as it is now: [r, g, b]."""
        return self.run_async("const { colours } = await import('/page/theme.js');"
                              "return colours([args[0]])[args[0]].match(/\\d+/g).map(Number);", name)

    def requests(self):
        """What was asked since the last call: [{url, bytes}]; bytes as they came over the wire."""
        asked = {}
        for line in self.driver.get_log("performance"):
            message = json.loads(line["message"])["message"]
            about = message["params"]
            if message["method"] == "Network.requestWillBeSent":
                asked[about["requestId"]] = {"url": about["request"]["url"], "bytes": 0, "headers": about["request"]["headers"]}
            elif message["method"] == "Network.loadingFinished" and about["requestId"] in asked:
                asked[about["requestId"]]["bytes"] = about["encodedDataLength"]
        return list(asked.values())

    def complaints(self):
        """What the console said: errors of scripts, refusals by the policy. That an answer was a refusal is none, nor that
        a canvas is read back often: only tests do."""
        return [line["message"] for line in self.driver.get_log("browser")
                if line["level"] in ("SEVERE", "WARNING") and "Failed to load resource" not in line["message"]
                and "willReadFrequently" not in line["message"]]

    def shoot(self, name):
        """A picture under build/page/."""
        folder = pathlib.Path(os.environ.get("DOORWARD_PICTURES", pathlib.Path(__file__).resolve().parents[2] / "build" / "page"))
        folder.mkdir(parents=True, exist_ok=True)
        self.driver.save_screenshot(str(folder / f"{name}.png"))


ROW = """
const [port, change] = arguments;
for (const row of document.querySelectorAll('.rows .row')) {
	const cells = [...row.querySelectorAll('[role=gridcell]')].map(cell => cell.textContent);
	if (!cells.some(cell => cell === port) || (change && !row.classList.contains('is-' + change)))
		continue;
	return { id: row.id, sign: cells[0], text: cells.join(' '), colour: getComputedStyle(row).backgroundColor.match(/[\\d.]+/g).map(Number),
		chosen: row.getAttribute('aria-selected'), classes: row.className };
}
return null;
"""
