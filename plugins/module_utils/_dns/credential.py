# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a credential of a DNS provider opens a zone. Nothing is written."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import quote

from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError, innermost
from ansible_collections.fediverse.mastodon.plugins.module_utils._libraries import needs
from ansible_collections.fediverse.mastodon.plugins.module_utils._net import pasted
from ansible_collections.fediverse.mastodon.plugins.module_utils._net.bounded import within
from ansible_collections.fediverse.mastodon.plugins.module_utils._net.dial import Dial, direct

# Ansible's own checks import every file without these; `needs` says in one sentence what is missing.
with suppress(ImportError):
    import dns.exception
    import dns.message
    import dns.name
    import dns.query
    import dns.rcode
    import dns.tsig
    import requests
    from requests_aws4auth import AWS4Auth

KINDS = ("rfc2136", "cloudflare", "route53")
CLOUDFLARE = "https://api.cloudflare.com/client/v4"
# For all regions but those of China and governments: https://docs.aws.amazon.com/general/latest/gr/r53.html
ROUTE53 = "https://route53.amazonaws.com/2013-04-01"
_SECONDS = 30
_WHOLE_SECONDS = 60
_REMEDY = "Give it the rights that external-dns needs, or correct it."


class RefusedError(MastodonError):
    """The provider does not take the credential."""


@dataclass(frozen=True)
class Provider:
    """Where a zone is, and by what key its server knows whoever signs, with RFC 2136."""

    kind: str
    zone: str
    nameserver: str = ""
    port: int = 53
    key_name: str = ""
    algorithm: str = "hmac-sha256"

    def __str__(self) -> str:
        """Return how errors call it."""
        where = f"name server {self.nameserver}:{self.port}" if self.kind == "rfc2136" else self.kind
        return f"Zone {self.zone} at {where}"


def prove(provider: Provider, values: Mapping[str, str], dial: Dial | None = None) -> str:
    """Report that it opens the zone; `dial` opens the socket to a name server that only pods find.

    Raises RefusedError for a credential that is not taken, MastodonError for all else.
    """
    needs("dns", "requests", "requests_aws4auth")
    way = dial or direct(provider.nameserver, provider.port, _SECONDS)
    asks: Mapping[str, Callable[[Provider, Mapping[str, str]], None]] = {
        "rfc2136": partial(_rfc2136, way),
        "cloudflare": _cloudflare,
        "route53": _route53,
    }
    try:
        with within(_WHOLE_SECONDS):
            asks[provider.kind](provider, values)
    except (OSError, requests.RequestException, dns.exception.DNSException) as error:
        raise MastodonError(str(provider), "cannot be asked", innermost(error), "Check that it is up.") from error
    return f"{provider}: takes the credential"


def _rfc2136(dial: Dial, provider: Provider, values: Mapping[str, str]) -> None:
    """Ask for the zone's SOA, signed: a server that knows the key signs its answer by it (RFC 8945)."""
    question = dns.message.make_query(provider.zone, "SOA")
    try:
        key = dns.tsig.Key(f"{provider.key_name.rstrip('.')}.", values["tsig-secret"], f"{provider.algorithm}.")
        question.use_tsig(key)
        with dial() as link:
            # As dnspython wants one that it is given.
            link.setblocking(False)
            answer = dns.query.tcp(question, "", timeout=_SECONDS, sock=link)
    except (dns.tsig.PeerError, dns.tsig.BadSignature, dns.exception.FormError, ValueError) as error:
        # Whoever does not know the key signs no answer.
        raise RefusedError(str(provider), "does not take the key", innermost(error), _REMEDY) from error
    if answer.rcode() in (dns.rcode.NOTAUTH, dns.rcode.REFUSED):
        raise RefusedError(str(provider), "does not take the key", dns.rcode.to_text(answer.rcode()), _REMEDY)


def _cloudflare(provider: Provider, values: Mapping[str, str]) -> None:
    """Ask for the zone, as external-dns does first: https://developers.cloudflare.com/api/resources/zones/methods/list/"""
    _refuse_flawed(provider, values, "api-token")
    headers = {"Authorization": f"Bearer {values['api-token']}"}
    answer = _get(f"{CLOUDFLARE}/zones?name={quote(provider.zone)}", headers=headers)
    _refuse(provider, answer)
    if not answer.json().get("result"):
        raise RefusedError(str(provider), "is not among those that the token opens", "", _REMEDY)


def _route53(provider: Provider, values: Mapping[str, str]) -> None:
    """Ask for the zone: https://docs.aws.amazon.com/Route53/latest/APIReference/API_ListHostedZonesByName.html"""
    _refuse_flawed(provider, values, "access-key-id", "secret-access-key")
    sign = AWS4Auth(values["access-key-id"], values["secret-access-key"], "us-east-1", "route53")
    answer = _get(f"{ROUTE53}/hostedzonesbyname?dnsname={quote(provider.zone)}&maxitems=1", auth=sign)
    _refuse(provider, answer)
    if f"<Name>{provider.zone.rstrip('.')}.</Name>" not in answer.text:
        raise RefusedError(str(provider), "is not among those that the keys open", "", _REMEDY)


def _refuse_flawed(provider: Provider, values: Mapping[str, str], *keys: str) -> None:
    """Refuse what cannot be in a header, whose library would show all of it: also an old one, which nobody looked at when it was given."""
    for key in keys:
        if flaw := pasted.header_flaw(values[key]):
            raise RefusedError(str(provider), "does not take the credential", f"{key}: {flaw}", _REMEDY)


def _get(url: str, **more: Any) -> requests.Response:
    return requests.get(url, timeout=_SECONDS, allow_redirects=False, **more)


def _refuse(provider: Provider, answer: requests.Response) -> None:
    if answer.status_code in (400, 401, 403):
        raise RefusedError(str(provider), "does not take the credential", f"it answers {answer.status_code}", _REMEDY)
    if answer.status_code != 200:
        raise MastodonError(str(provider), "cannot be asked", f"it answers {answer.status_code}", "Run again.")
