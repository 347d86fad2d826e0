# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From what is seen outside to the first broken link: what changes answers on the way."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation import causes, inbox, media

from .behind import MEDIA, OLD, Behind
from .findings import IN_FRONT, INBOX, LIMITED, NO_BACKEND, STREAMING, cause

REQUEST = {
    "type": "RequestHeaderModifier",
    "requestHeaderModifier": {"set": [{"name": "X-Forwarded-Proto", "value": "http"}]},
}
LOOP = inbox.REDIRECTS.at(INBOX, "308").of("inbox")


@pytest.mark.parametrize(
    ("filter_", "said_"),
    [
        (REQUEST, "sets request header X-Forwarded-Proto"),
        (
            {
                "requestHeaderModifier": {
                    "add": [{"name": "Accept", "value": "text/html"}],
                    "remove": ["Signature", "Digest"],
                }
            },
            "adds request header Accept, removes request header Signature, removes request header Digest",
        ),
        ({"responseHeaderModifier": {"remove": ["Vary"]}}, "removes response header Vary"),
        ({"urlRewrite": {"hostname": "web.mastodon.svc"}}, "asks for host web.mastodon.svc"),
        ({"urlRewrite": {"path": {"type": "ReplaceFullPath", "replaceFullPath": "/"}}}, "asks for another path"),
        ({"requestRedirect": {"scheme": "https"}}, "redirects to https://the same host"),
    ],
)
def test_what_a_route_itself_changes_is_a_likely_cause(behind: Behind, filter_: dict[str, Any], said_: str) -> None:
    behind.change("HTTPRoute mastodon/web", lambda item: item["spec"]["rules"][1].update(filters=[filter_]))
    found = cause(behind, LOOP)
    assert (found.why, found.proved) == (f"HTTPRoute mastodon/web {said_}", False)
    assert found.next == "kubectl describe httproute -n mastodon web"
    # Streaming goes by another rule.
    assert cause(behind, STREAMING) == STREAMING.cause


def test_a_route_that_asks_for_another_host_is_named_where_mastodon_refuses_it(behind: Behind) -> None:
    change = {"backendRefs": [{"name": "web", "port": 3000, "filters": [{"urlRewrite": {"hostname": "other"}}]}]}
    behind.change("HTTPRoute mastodon/web", lambda item: item["spec"]["rules"][1].update(change))
    refused = inbox.DROPPED.at(INBOX, "403").because(causes.HOST_REFUSED).of("inbox")
    assert cause(behind, refused).why == "HTTPRoute mastodon/web asks for host other"
    challenged = inbox.DROPPED.at(INBOX, "403").because(causes.CHALLENGE).of("inbox")
    assert cause(behind, challenged) == causes.CHALLENGE


def test_a_route_that_leads_nowhere_comes_before_what_it_changes(behind: Behind) -> None:
    behind.change("HTTPRoute mastodon/web", lambda item: item["spec"]["rules"][1].update(filters=[REQUEST]))
    behind.remove("Service mastodon/web")
    assert cause(behind, NO_BACKEND).why.startswith("Service mastodon/web, which HTTPRoute mastodon/web sends to")


def test_what_rewrites_the_way_to_a_bucket_is_as_it_must_be(behind: Behind) -> None:
    change = {"filters": [{"urlRewrite": {"hostname": "store"}}]}
    behind.change("HTTPRoute mastodon/media", lambda item: item["spec"]["rules"][0].update(change))
    hidden = media.HIDDEN.at(f"https://{MEDIA}/a.png", "403").of("media")
    assert cause(behind, hidden) == hidden.cause


def test_a_redirect_to_a_host_of_ours_is_as_it_must_be(behind: Behind) -> None:
    change = {"filters": [{"requestRedirect": {"hostname": MEDIA}}]}
    behind.change("HTTPRoute mastodon/web", lambda item: item["spec"]["rules"][1].update(change))
    assert cause(behind, LOOP) == LOOP.cause


def test_somebody_in_front_of_the_gateway_is_added_to_what_is_likely(behind: Behind) -> None:
    behind.leads = (OLD,)
    found = cause(behind, LIMITED)
    assert LIMITED.cause
    assert found.why == f"{LIMITED.cause.why}; {IN_FRONT}"
    assert (found.next, found.proved) == (LIMITED.cause.next, False)
