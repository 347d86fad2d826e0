# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes the pictures of docs/federation: the page of an instance that is broken, on a phone, on a screen and on paper.

`python -m pytest` does not run it; it needs Debian's `chromium`. From the root of a checkout: `.venv/bin/python tests/unit/extensions/pictures.py`.
"""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import websocket

ROOT = Path(__file__).parents[3]
sys.path[:0] = [str(ROOT / ".collections"), str(ROOT / "lab/stand_ins/mastodon/app")]
PICTURES = ROOT / "docs/federation/pictures"
# How wide, how high at most, and of what medium.
SIZES = {"phone": (390, 1350, "screen"), "screen": (1280, 900, "screen"), "paper": (794, 900, "print")}


def report() -> Mapping[str, Any]:
    """Return what there is to see when a network refuses posts, streaming is down, and the day before it was another thing."""
    from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.changes import changes, earlier
    from ansible_collections.fediverse.mastodon.tests.unit.plugins.module_utils._federation.mastodon import (
        HOST,
        Response,
        page,
    )
    from ansible_collections.fediverse.mastodon.tests.unit.plugins.module_utils._federation.world import World

    with tempfile.TemporaryDirectory() as folder:
        world = World(Path(folder))
        site = world.answer
        world.change("/.well-known/host-meta", Response(404), host=HOST)
        before = plain(world, "2026-11-28T03:00:00Z")
        world.answer = site
        blocked = page(
            403, "<!doctype html><title>Just a moment...</title>\x1b[31m", Server="cloudflare", Cf_Mitigated="challenge"
        )
        world.change("/inbox", blocked, method="POST")
        world.change("/api/v1/streaming", Response(502))
        found = plain(world, "2026-11-29T03:00:00Z")
        world.stop()
    known = earlier(json.dumps({"format": 1, "instances": [before]}).encode())
    return {"format": 1, "passed": False, "instances": [{**found, "changes": changes(found, known)}]}


def plain(world: Any, at: str) -> dict[str, Any]:
    """Return one look, as it would be from a user's machine."""
    found = replace(world.look(), vantage="this machine")
    return {**found.plain(found.findings), "at": at}


class Browser:
    """One page of a headless Chromium, by https://chromedevtools.github.io/devtools-protocol/."""

    def __init__(self, address: str) -> None:
        self._link = websocket.create_connection(address, suppress_origin=True, timeout=60)
        self._number = count(1)
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]

    def ask(self, method: str, **given: Any) -> dict[str, Any]:
        """Let it do something, and return what it says of that."""
        number = next(self._number)
        session = {"sessionId": self._session} if hasattr(self, "_session") else {}
        self._link.send(json.dumps({"id": number, "method": method, "params": given, **session}))
        while True:
            said = json.loads(self._link.recv())
            if said.get("id") == number:
                if "error" in said:
                    raise RuntimeError(said["error"]["message"])
                return dict(said["result"])

    def show(self, text: str) -> None:
        """Show a page, without any address of its own."""
        frame = self.ask("Page.getFrameTree")["frameTree"]["frame"]["id"]
        self.ask("Page.setDocumentContent", frameId=frame, html=text)

    def picture(self, width: int, most: int, medium: str) -> tuple[bytes, float]:
        """Return a picture of its beginning, and by how much it is wider than the window."""
        self.ask("Emulation.setEmulatedMedia", media=medium)
        self.ask(
            "Emulation.setDeviceMetricsOverride", width=width, height=most, deviceScaleFactor=1, mobile=width < 600
        )
        size = self.ask("Page.getLayoutMetrics")["cssContentSize"]
        clip = {"x": 0, "y": 0, "width": width, "height": min(most, size["height"]), "scale": 1}
        made = self.ask("Page.captureScreenshot", format="png", clip=clip, captureBeyondViewport=True)
        return base64.b64decode(made["data"]), size["width"] - width

    def paper(self) -> bytes:
        """Return it as PDF."""
        return base64.b64decode(
            self.ask("Page.printToPDF", paperWidth=8.27, paperHeight=11.69, printBackground=False)["data"]
        )


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start one that is nobody's, and end it."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        flags = [
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-lcd-text",
            "--remote-debugging-port=0",
            f"--user-data-dir={folder}",
        ]
        process = subprocess.Popen(["chromium", *flags, "about:blank"], stderr=subprocess.PIPE, text=True)
        assert process.stderr
        try:
            address = next(line.split()[-1] for line in process.stderr if line.startswith("DevTools listening"))
            yield Browser(address)
        finally:
            process.terminate()
            process.wait()


def main() -> None:
    """Write the pictures, and the page and its PDF to where the first argument says, for who wants to look closer."""
    from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.output.page import page

    text = page(report())
    PICTURES.mkdir(exist_ok=True)
    with chromium() as browser:
        browser.show(text)
        for name, size in SIZES.items():
            made, wider = browser.picture(*size)
            (PICTURES / f"{name}.png").write_bytes(made)
            print(f"{name}: {len(made) // 1024} KiB, {wider:.0f} px wider than its window")
        if len(sys.argv) > 1:
            Path(sys.argv[1], "page.html").write_text(text, encoding="utf-8")
            Path(sys.argv[1], "page.pdf").write_bytes(browser.paper())


if __name__ == "__main__":
    main()
