# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A user of the instance: signs in as people do, lets an app act, and calls the API."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from mastodon_lab.errors import LabError
from mastodon_lab.proof.site import DOMAIN, Answer, Site

ACCOUNT = "prover"
EMAIL = f"{ACCOUNT}@{DOMAIN}"
_OUT_OF_BAND = "urn:ietf:wg:oauth:2.0:oob"


class Browser:
    """Keeps the cookies, and sends forms as their pages made them."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._cookie = ""

    def get(self, path: str) -> Answer:
        """Fetch a page."""
        return self._kept(self._site.request("GET", path, Cookie=self._cookie))

    def submit(self, page: str, action: str, fields: Mapping[str, str]) -> Answer:
        """Fetch a page and send its form with these fields filled in."""
        form = re.search(rf'<form[^>]*action="{action}".*?</form>', self.get(page).body.decode(), re.DOTALL)
        found = re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', form[0] if form else "")
        body = urlencode({**{name: unescape(value) for name, value in found}, **fields}).encode()
        kind = "application/x-www-form-urlencoded"
        return self._kept(self._site.request("POST", action, body, Cookie=self._cookie, Content_Type=kind))

    def _kept(self, answer: Answer) -> Answer:
        if "set-cookie" in answer.headers:
            self._cookie = answer.headers["set-cookie"].partition(";")[0]
        return answer


@dataclass(frozen=True)
class Session:
    """An app that acts for a user."""

    site: Site
    token: str

    def get(self, path: str) -> Any:
        """Read from the API."""
        answer = self.site.request("GET", path, Authorization=f"Bearer {self.token}")
        return expect(answer, f"GET {path}").json()

    def call(self, method: str, path: str, fields: Mapping[str, Any]) -> Any:
        """Call the API and return what it answers."""
        return self.send(method, path, json.dumps(fields).encode(), "application/json")

    def send(self, method: str, path: str, body: bytes, content_type: str) -> Any:
        """Call the API with a body of any kind."""
        bearer = f"Bearer {self.token}"
        answer = self.site.request(method, path, body, Authorization=bearer, Content_Type=content_type)
        return expect(answer, f"{method} {path}").json()


def expect(answer: Answer, what: str, *statuses: int) -> Answer:
    """Return the answer, or raise LabError unless it has one of these statuses: 200, 202 and 206 when none is named."""
    if answer.status not in (statuses or (200, 202, 206)):
        raise LabError(
            f"{what}: refused with {answer.status}: {answer.body[:120]!r}. Read the logs of Deployment mastodon-web."
        )
    return answer


def sign_in(site: Site) -> Session:
    """Sign in with the password that tootctl printed, and let an app act (https://docs.joinmastodon.org/client/token/)."""
    browser = Browser(site)
    form = {"user[email]": EMAIL, "user[password]": _password(site)}
    expect(browser.submit("/auth/sign_in", "/auth/sign_in", form), "Signing in", 302, 303)
    app = _registered(site)
    asked = {
        "response_type": "code",
        "client_id": app["client_id"],
        "redirect_uri": _OUT_OF_BAND,
        "scope": "read write",
    }
    leave = browser.submit(f"/oauth/authorize?{urlencode(asked)}", "/oauth/authorize", {})
    location = expect(leave, "Letting an app act", 302, 303).headers["location"]
    grant = {
        "grant_type": "authorization_code",
        "code": parse_qs(urlsplit(location).query)["code"][0],
        "redirect_uri": _OUT_OF_BAND,
        "client_id": app["client_id"],
        "client_secret": app["client_secret"],
    }
    return Session(site, str(Session(site, "").call("POST", "/oauth/token", grant)["access_token"]))


def _registered(site: Site) -> Any:
    fields = {"client_name": "lab/prove", "redirect_uris": _OUT_OF_BAND, "scopes": "read write"}
    return Session(site, "").call("POST", "/api/v1/apps", fields)


def _password(site: Site) -> str:
    """Make the account, or give it a new password when an earlier run made it."""
    tootctl = ("exec", "deploy/mastodon-web", "--", "tootctl", "accounts")
    try:
        printed = site.in_namespace(*tootctl, "create", ACCOUNT, "--email", EMAIL, "--confirmed", "--approve")
    except LabError:
        printed = site.in_namespace(*tootctl, "modify", ACCOUNT, "--reset-password")
    return printed.rpartition("New password:")[2].split()[0]
