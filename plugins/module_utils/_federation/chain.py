# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The way from a name to a post, link by link, and where it breaks first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ansible_collections.fediverse.mastodon.plugins.module_utils._federation import documents, inbox
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.finding import BAD, Finding, Verdict

# Each with its checks, in the order in which a server that delivers a post comes by them.
LINKS: Mapping[str, tuple[str, ...]] = {
    "DNS": ("name-servers", "records", "owners", "addresses"),
    "TLS": ("tls", "connections"),
    "HTTP": ("plain-http", "agents", "limits", "streaming", "media"),
    "ActivityPub": ("webfinger", "host-meta", "nodeinfo", "actor", "inbox", "arrival", "identity"),
}
_BY_CHECK = {check: link for link, checks in LINKS.items() for check in checks}
# A name leads somewhere, and nobody takes the connection.
_CONNECTION = ("dead", "dead-beside-others")
# Of a document or an inbox: no content came that could be judged.
_REFUSALS = (inbox.DROPPED, inbox.SWALLOWED, inbox.RETRIED, inbox.REDIRECTS, inbox.BY_TYPE, inbox.BY_SIZE)
_NO_CONTENT = {fault.name for fault in (*documents.FAULTS, *_REFUSALS)} - {documents.NOT_JSON.name}

FINE, PARTLY, BROKEN, BEHIND, UNSEEN = "fine", "partly", "broken", "behind", "not seen"


def links(findings: Sequence[Finding]) -> Sequence[Mapping[str, str]]:
    """Return each link with how it is. What is no better than the first broken one lies behind it."""
    found: list[dict[str, str]] = []
    broken = False
    for name in LINKS:
        state = _state([one for one in findings if _link_of(one) == name])
        if broken and state in (BROKEN, UNSEEN):
            state = BEHIND
        broken = broken or state == BROKEN
        found.append({"name": name, "state": state})
    return found


def _link_of(finding: Finding) -> str:
    link = _BY_CHECK.get(finding.check, "")
    if finding.check == "addresses" and finding.fault in _CONNECTION:
        return "TLS"
    return "HTTP" if link == "ActivityPub" and finding.fault in _NO_CONTENT else link


def _state(findings: Sequence[Finding]) -> str:
    verdicts = {one.verdict for one in findings}
    if verdicts & set(BAD):
        return BROKEN
    if Verdict.SOME in verdicts or (Verdict.CANNOT_TELL in verdicts and Verdict.FINE in verdicts):
        return PARTLY
    return FINE if Verdict.FINE in verdicts else UNSEEN
