"""A headless Chromium, asked over its DevTools protocol."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
import time
from contextlib import ExitStack
from pathlib import Path

from websockets.sync.client import connect


WITHIN_S = 60.0
NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
OPTIONS = (
    "--headless=new",
    "--no-sandbox",  # CI runs as root, in a container
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-extensions",
    "--disable-background-networking",
    "--no-first-run",
    "--remote-debugging-port=0",
    "--window-size=1400,1000",
)


def find_chromium():
    """Tell where one is, if there is one."""
    return next(filter(None, map(shutil.which, NAMES)), None)


class Browser:
    """A browser with one page, and all that its console has said."""

    def __init__(self, folder):
        self._profile = Path(folder, "profile")
        command = [find_chromium(), *OPTIONS, f"--user-data-dir={self._profile}", "about:blank"]
        self._process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        self._sent = 0
        self.said = []
        self._open = ExitStack()
        self._open.callback(self._end)
        try:
            self._connect()
        except BaseException:
            self.close()
            raise

    def close(self):
        self._open.close()

    def open(self, path):
        """Load a page, and wait until it says that it is drawn."""
        self.said.clear()
        self.call("Page.navigate", url=Path(path).as_uri())
        self.wait_until("document.documentElement?.dataset.ready === 'yes'")

    def ask(self, script):
        """Evaluate *script* in the page."""
        answer = self.call(
            "Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def wait_until(self, script):
        deadline = time.monotonic() + WITHIN_S
        while not self.ask(script):
            assert time.monotonic() < deadline, (script, self.said)
            time.sleep(0.02)

    def settle(self):
        """Wait until what has changed is drawn."""
        frame = "new Promise((drawn) => requestAnimationFrame(() => drawn(true)))"
        self.ask(f"{frame}.then(() => {frame})")

    def press(self, key):
        """Press a key, as a keyboard does: into what has the focus."""
        text = {"Enter": "\r"}.get(key, key if len(key) == 1 else "")
        down = {"type": "keyDown", "key": key, **({"text": text} if text else {})}
        self.call("Input.dispatchKeyEvent", **down)
        self.call("Input.dispatchKeyEvent", type="keyUp", key=key)

    def click(self, x, y, to=None):
        """Press the mouse at a place and let it go there, or somewhere else."""
        ends = [("mousePressed", x, y), ("mouseReleased", *(to or (x, y)))]
        if to is not None:
            ends.insert(1, ("mouseMoved", *to))
        self.call("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)
        for kind, left, top in ends:
            self.call(
                "Input.dispatchMouseEvent", type=kind, x=left, y=top, button="left", clickCount=1
            )

    def picture(self, path, **options):
        """Take a screenshot."""
        data = self.call("Page.captureScreenshot", **options)["data"]
        Path(path).write_bytes(base64.b64decode(data))

    def call(self, method, **parameters):
        """Ask for something, and wait for the answer; what is told in between is kept."""
        self._sent += 1
        self._socket.send(json.dumps({"id": self._sent, "method": method, "params": parameters}))
        while True:
            heard = json.loads(self._socket.recv(timeout=WITHIN_S))
            if heard.get("id") == self._sent:
                assert "error" not in heard, heard
                return heard["result"]

            self._note(heard)

    def _note(self, heard):
        """Keep errors and warnings, of the page and of the browser about it."""
        told = heard["params"]
        if heard["method"] == "Runtime.exceptionThrown":
            self.said.append(told["exceptionDetails"])
        if heard["method"] == "Runtime.consoleAPICalled":
            self.said.append(told["args"])
        if heard["method"] == "Log.entryAdded":
            self.said.append(told["entry"])

    def _connect(self):
        """Find the page's own socket."""
        file = self._profile / "DevToolsActivePort"
        deadline = time.monotonic() + WITHIN_S
        while not (file.exists() and file.read_text().count("\n")):
            assert self._process.poll() is None, "the browser didn't start"
            assert time.monotonic() < deadline, "the browser didn't start in time"
            time.sleep(0.02)
        port, path = file.read_text().split("\n")[:2]
        with connect(f"ws://127.0.0.1:{port}{path}") as browser:
            browser.send(json.dumps({"id": 1, "method": "Target.getTargets"}))
            found = json.loads(browser.recv(timeout=WITHIN_S))["result"]["targetInfos"]
        page = next(target["targetId"] for target in found if target["type"] == "page")
        address = f"ws://127.0.0.1:{port}/devtools/page/{page}"
        self._socket = self._open.enter_context(connect(address, max_size=None, compression=None))
        for domain in ("Page", "Runtime", "Log"):
            self.call(f"{domain}.enable")

    def _end(self):
        self._process.kill()
        self._process.wait()
