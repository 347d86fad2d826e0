# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Links between the world and Mastodon, broken one after the other: what others lose, and which link is named."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack

import pytest
from ansible_collections.fediverse.mastodon.tests.unit.certificates import self_signed

from ...conftest import Lab
from ..support import eventually
from ..zone import DOMAIN, HAND_MADE
from .authorities import limited
from .belongings import MEDIA, picture
from .breaking import (
    INBOX,
    OWNER,
    ROUTE,
    ROUTED,
    STREAMING,
    TLS,
    TOLD,
    Fault,
    another_address,
    another_owner,
    another_secret,
    blocked_challenge,
    is_traced,
    listener,
    looked,
    nobody_let_in,
    scaled,
    set_field,
    untaken_challenge,
)

pytestmark = pytest.mark.usefixtures("settled")
REFUSED, UNTAKEN = "refuses what others send in a way that is final", "does not take what others send"
BROKEN: Mapping[str, Fault] = {
    "a listener for another host": Fault(
        lambda stack, lab: listener(stack, lab, "hostname", "other.lab.test"),
        INBOX,
        "LOST",
        REFUSED,
        f"{TOLD} does not take {ROUTED}: NoMatchingListenerHostname; of its listeners none is for {DOMAIN}, "
        f"only {DOMAIN} for other.lab.test",
    ),
    "a listener that takes no routes of the namespace": Fault(
        lambda stack, lab: listener(stack, lab, "allowedRoutes", {"namespaces": {"from": "Same"}}),
        INBOX,
        "LOST",
        REFUSED,
        f"{TOLD} does not take {ROUTED}: NotAllowedByListeners; listener {DOMAIN} of {TOLD} takes no routes from namespace mastodon",
    ),
    "a listener whose Secret is gone": Fault(
        lambda stack, lab: listener(stack, lab, "tls/certificateRefs/0/name", "gone"),
        INBOX,
        "LOST",
        REFUSED,
        "Secret gateway-system/gone does not exist; no Certificate writes that Secret",
    ),
    "a Secret that somebody else wrote": Fault(
        lambda stack, lab: another_secret(stack, lab, *[self_signed(DOMAIN).decode()] * 2),
        TLS,
        "CUT",
        "shows a certificate that nobody but itself vouches for",
        "Secret gateway-system/by-hand has that certificate; no Certificate writes that Secret",
    ),
    "a challenge that cannot be written": Fault(
        blocked_challenge,
        INBOX,
        "LOST",
        REFUSED,
        "Secret gateway-system/blocked does not exist; Certificate gateway-system/blocked is not ready: ",
    ),
    "a challenge whose route no listener takes": Fault(
        untaken_challenge,
        INBOX,
        "LOST",
        REFUSED,
        ", which answers it, is not taken by Gateway shared-gateway-external: NotAllowedByListeners",
    ),
    "an authority that has issued too many": Fault(
        limited,
        INBOX,
        "LOST",
        REFUSED,
        "errored: Failed to create Order: 429 urn:ietf:params:acme:error:rateLimited: too many certificates (5)",
    ),
    "a Secret that two Certificates write": Fault(
        lambda stack, lab: blocked_challenge(stack, lab, "one", "two"),
        INBOX,
        "LOST",
        REFUSED,
        "Secret gateway-system/blocked does not exist; Certificate gateway-system/one and Certificate gateway-system/two both write that Secret",
    ),
    "a route on another Gateway": Fault(
        lambda stack, lab: set_field(stack, lab, ROUTE, "/spec/parentRefs/0/name", "another"),
        INBOX,
        "LOST",
        REFUSED,
        f"{ROUTED}, which names {DOMAIN}, is on Gateway gateway-system/another, and not on {TOLD}",
    ),
    "a record left over from a route that is gone": Fault(
        lambda stack, lab: set_field(
            stack, lab, ("httproute", "-n=mastodon", "mastodon-media"), "/spec/hostnames", ["other.lab.test"]
        ),
        MEDIA,
        "SOME",
        "cannot be fetched by everybody",
        f"its record is left over from httproute/mastodon/mastodon-media, as external-dns {OWNER} has policy upsert-only and deletes none",
        picture,
    ),
    "a Service that is not there": Fault(
        lambda stack, lab: set_field(stack, lab, ROUTE, "/spec/rules/1/backendRefs/0/name", "renamed"),
        INBOX,
        "CUT",
        UNTAKEN,
        f"{ROUTED}: BackendNotFound; Service mastodon/renamed, which {ROUTED} sends to, does not exist",
    ),
    "a selector that no pod has": Fault(
        lambda stack, lab: set_field(
            stack,
            lab,
            ("service", "-n=mastodon", "mastodon-web"),
            "/spec/selector/app.kubernetes.io~1component",
            "wrong",
        ),
        INBOX,
        "CUT",
        UNTAKEN,
        "Service mastodon/mastodon-web selects pods by app.kubernetes.io/component=wrong,app.kubernetes.io/instance=mastodon",
    ),
    "streaming without pods": Fault(
        lambda stack, lab: scaled(stack, lab, "mastodon", "mastodon-streaming"),
        STREAMING,
        "SOME",
        "does not say that streaming is well",
        "Service mastodon/mastodon-streaming has no pods; Deployment mastodon/mastodon-streaming is scaled to 0",
    ),
    "web without pods": Fault(
        lambda stack, lab: scaled(stack, lab, "mastodon", "mastodon-web"),
        INBOX,
        "CUT",
        UNTAKEN,
        "Service mastodon/mastodon-web has no pods; Deployment mastodon/mastodon-web is scaled to 0",
    ),
    "a policy that lets nobody in": Fault(
        nobody_let_in,
        f"https://{DOMAIN}/",
        "CUT",
        "does not answer in HTTP",
        "NetworkPolicy mastodon/mastodon-web and NetworkPolicy mastodon/nothing-in let nobody of Pod traefik/traefik-",
    ),
    "a Gateway without a controller": Fault(
        lambda stack, lab: scaled(stack, lab, "traefik", "traefik"),
        DOMAIN,
        "CUT",
        "does not take connections",
        "Service traefik/traefik has no pods; Deployment traefik/traefik is scaled to 0",
    ),
    "an external-dns that does not run": Fault(
        another_address,
        DOMAIN,
        "CUT",
        "does not take connections",
        f"DNS says {HAND_MADE}; {TOLD} has ",
    ),
    "a record of another owner": Fault(
        another_owner,
        DOMAIN,
        "CUT",
        "does not take connections",
        f"the TXT says owner old-cluster, and this external-dns is {OWNER}",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_the_first_broken_link_is_named(installed: Lab, name: str) -> None:
    is_traced(installed, BROKEN[name])


def test_a_run_that_ends_with_a_look_fails_where_others_do_not_come(installed: Lab) -> None:
    with ExitStack() as stack:
        another_address(stack, installed)
        run = installed.site("--tags=mastodon", '--extra-vars={"mastodon_federation_check": true}')
    assert run.returncode == 2
    assert f"Cause: DNS says {HAND_MADE}; {TOLD} has " in run.output
    assert "Mastodon https://social.lab.test: answers for social.lab.test" in run.output
    eventually(lambda: looked(installed), lambda found: found == [], 60)
