# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mail: asked for in the browser, sent by Sidekiq, read in the lab's Mailpit (https://mailpit.axllent.org/docs/api-v1/)."""

from __future__ import annotations

import json
import re
from email.utils import parseaddr
from typing import Any
from urllib.parse import urlencode

from mastodon_lab.errors import LabError
from mastodon_lab.proof.post import SECONDS, eventually
from mastodon_lab.proof.session import EMAIL, Browser, expect
from mastodon_lab.proof.site import DOMAIN, NAMESPACE, Site, json_of

_LINK = re.compile(rf"https://{re.escape(DOMAIN)}(/auth/password/edit\?reset_password_token=[\w-]+)")


def mail_arrives(site: Site) -> str:
    """Ask for a new password, and follow the link in the mail that comes."""
    if not site.mail_api:
        return "skipped: mail: this lab has no mail server that could be asked (no mail_api in lab.json)"
    before = _to_us(site)
    browser = Browser(site)
    asked = browser.submit("/auth/password/new", "/auth/password", {"user[email]": EMAIL})
    expect(asked, "Asking for a new password", 302, 303)
    new = eventually(
        lambda: _to_us(site) - before,
        f"Mail to {EMAIL}: none has come after {SECONDS:.0f} s. "
        "Read the logs of Deployment mastodon-sidekiq-all-queues, and check mastodon.smtp in the HelmRelease.",
    )
    message = json_of(f"{site.mail_api}/api/v1/message/{new.pop()}")
    _check_sender(site, message)
    link = _LINK.search(message["Text"])
    if link is None:
        raise LabError(f"Mail to {EMAIL}: it has no link to https://{DOMAIN}. Check mastodon.webDomain.")
    expect(browser.get(link[1]), "The link in the mail")
    return f"mail {message['Subject']!r} came from {message['From']['Address']}, and its link works"


def _to_us(site: Site) -> set[str]:
    query = urlencode({"query": f'to:"{EMAIL}" subject:"Reset password instructions"'})
    return {message["ID"] for message in json_of(f"{site.mail_api}/api/v1/search?{query}")["messages"]}


def _check_sender(site: Site, message: Any) -> None:
    data = json.loads(site.in_namespace("get", "configmap", "mastodon-env", "-o=json"))["data"]
    wanted = parseaddr(data["SMTP_FROM_ADDRESS"])[1]
    if message["From"]["Address"] != wanted:
        raise LabError(
            f"Mail to {EMAIL}: it is from {message['From']['Address']}, ConfigMap {NAMESPACE}/mastodon-env says {wanted}."
        )
