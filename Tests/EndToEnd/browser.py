"""A headless Chromium over its DevTools protocol: as much of it as the console's tests need."""

import base64
import hashlib
import itertools
import json
import os
import shutil
import subprocess
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path

import requests
import websocket
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

# axe-core travels in a package whose Python is not used, and not imported.
AXE = Path(find_spec("axe_playwright_python").submodule_search_locations[0]) / "axe.min.js"
KEYS = {
    "Tab": (9, ""),
    "Enter": (13, "\r"),
    " ": (32, " "),
    "Escape": (27, ""),
}


class Browser:
    """One browser with a profile of its own, and one page."""

    def __init__(self, certificates, width=1440, height=900):
        self.profile = Path(tempfile.mkdtemp(prefix="chromium-"))
        self.furnish()
        self.counter = itertools.count(1)
        self.events = []
        self.process = subprocess.Popen(
            [
                "/usr/bin/chromium",
                "--headless=new",
                "--no-sandbox",  # CI runs as root, which the sandbox refuses; only our own pages are opened.
                "--disable-gpu",
                "--disable-dev-shm-usage",
                "--no-first-run",
                "--disable-background-networking",
                "--disable-component-update",
                "--force-prefers-reduced-motion",
                "--hide-scrollbars",
                f"--ignore-certificate-errors-spki-list={','.join(public_key_pins(certificates))}",
                f"--user-data-dir={self.profile}",
                f"--window-size={width},{height}",
                "--remote-debugging-port=0",
                "about:blank",
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=open(self.profile / "log", "wb"),
            env={**os.environ, "HOME": str(self.profile)},
        )
        self.socket = None
        port = self._port()
        targets = self._targets(port)
        self.socket = websocket.create_connection(
            next(each["webSocketDebuggerUrl"] for each in targets if each["type"] == "page"),
            timeout=30,
            suppress_origin=True,
        )
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.call(f"{domain}.enable")

    def furnish(self):
        """What the home folder holds before the browser starts."""

    def _port(self):
        deadline = time.monotonic() + 30
        place = self.profile / "DevToolsActivePort"
        while time.monotonic() < deadline:
            if place.exists() and (lines := place.read_text().splitlines()):
                return int(lines[0])
            assert self.process.poll() is None, (self.profile / "log").read_text(errors="replace")[-2000:]
            time.sleep(0.05)
        raise AssertionError("Chromium did not come up")

    @staticmethod
    def _targets(port):
        session = requests.Session()
        session.trust_env = False
        return session.get(f"http://127.0.0.1:{port}/json", timeout=10).json()

    def close(self):
        if self.socket:
            self.socket.close()
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.profile, ignore_errors=True)

    # The protocol.

    def call(self, method, **parameters):
        number = next(self.counter)
        self.socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while True:
            message = json.loads(self.socket.recv())
            if message.get("id") == number:
                assert "error" not in message, f"{method}: {message['error']}"
                return message["result"]
            self.events.append(message)

    def wait(self, method, seconds=20, **match):
        """The next event of that name, among those not yet looked at."""
        deadline = time.monotonic() + seconds
        while True:
            for index, event in enumerate(self.events):
                if event["method"] == method and all(event["params"].get(k) == v for k, v in match.items()):
                    del self.events[: index + 1]
                    return event["params"]
            assert time.monotonic() < deadline, f"no {method}"
            self.events.append(json.loads(self.socket.recv()))

    # The page.

    def open(self, url):
        """Opens the address and waits until the page has loaded."""
        self.events.clear()
        result = self.call("Page.navigate", url=url)
        assert "errorText" not in result, f"{url}: {result}"
        self.wait("Page.loadEventFired")

    def act(self, script):
        """Runs a script that leads to another page, and waits for that."""
        self.events.clear()
        self.call("Runtime.evaluate", expression=script)
        self.wait("Page.loadEventFired")

    def eval(self, script):
        result = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in result, result["exceptionDetails"]
        return result["result"].get("value")

    def until(self, script, seconds=20):
        """What the script gives as soon as that is true."""
        deadline = time.monotonic() + seconds
        while not (value := self.eval(script)):
            assert time.monotonic() < deadline, f"never: {script}\n{self.html()[:2000]}"
            time.sleep(0.05)
        return value

    def text(self):
        # A page that another one follows at once may have no body yet.
        return self.until("document.body && document.body.innerText")

    def html(self):
        return self.eval("document.documentElement.outerHTML")

    def screen(self, width, height=900, dark=False, script=True):
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=width < 600,
        )
        self.call(
            "Emulation.setEmulatedMedia",
            features=[{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}],
        )
        self.call("Emulation.setScriptExecutionDisabled", value=not script)

    def screenshot(self, path):
        """The whole page, however long."""
        path.parent.mkdir(parents=True, exist_ok=True)
        size = self.call("Page.getLayoutMetrics")["cssContentSize"]
        clip = {"x": 0, "y": 0, "width": size["width"], "height": min(size["height"], 6000), "scale": 1}
        data = self.call("Page.captureScreenshot", format="png", clip=clip, captureBeyondViewport=True)["data"]
        path.write_bytes(base64.b64decode(data))

    def press(self, key, shift=False):
        code, text = KEYS[key]
        both = {"key": key, "windowsVirtualKeyCode": code, "modifiers": 8 if shift else 0}
        self.call("Input.dispatchKeyEvent", type="keyDown", text=text, **both)
        self.call("Input.dispatchKeyEvent", type="keyUp", **both)

    def type(self, text):
        self.call("Input.insertText", text=text)

    def faults(self):
        """What the browser itself complained of: errors, and breaches of the content security policy."""
        self.eval("0")
        return [
            event["params"].get("entry", event["params"])
            for event in self.events
            if event["method"] in ("Log.entryAdded", "Runtime.exceptionThrown")
        ]

    def axe(self):
        """What axe-core finds serious or critical."""
        if not self.eval("'axe' in window"):
            self.call("Runtime.evaluate", expression=AXE.read_text())
        found = self.eval(
            "axe.run(document, {resultTypes: ['violations']}).then(r => JSON.stringify(r.violations.map(v => "
            "({id: v.id, impact: v.impact, nodes: v.nodes.map(n => n.html.slice(0, 160) + ' ' + n.failureSummary)}))))"
        )
        return [each for each in json.loads(found) if each["impact"] in ("serious", "critical")]


def public_key_pins(path):
    """SHA-256 of each certificate's public key, in Base64: Chromium trusts these, and nothing besides."""
    pins = []
    for certificate in x509.load_pem_x509_certificates(Path(path).read_bytes()):
        der = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        pins.append(base64.b64encode(hashlib.sha256(der).digest()).decode())
    return pins
