# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a Mastodon that answers says to other servers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import unquote

from ansible_collections.fediverse.mastodon.plugins.module_utils._net.exchange import Reply
from ansible_collections.fediverse.mastodon.plugins.module_utils._net.shapes import WrongShapeError, parsed

# Returns what was found well; raises WrongError.
Check = Callable[[Reply], str]

# https://github.com/mastodon/mastodon/blob/main/lib/action_dispatch/remote_ip_extensions.rb
_UNTRUSTED = "which Mastodon says to all that comes from a Gateway whose pods are not in mastodon_trusted_proxies, besides other errors"


class WrongError(Exception):
    """A site does not answer as it must; the text says how it does."""


@dataclass(frozen=True)
class Site:
    """Where a Mastodon is to answer: accounts are `@name@domain`, pages at `host`, and media, if any, at `media`.

    `elsewhere` is whether another web site serves the domain, `version` the image tag that must answer, empty for any.
    """

    domain: str
    host: str
    media: str = ""
    elsewhere: bool = False
    version: str = ""

    def __str__(self) -> str:
        """Return how sentences call it."""
        return f"Mastodon https://{self.host}"


@dataclass(frozen=True)
class Question:
    """One request, and what its answer must be. One for elsewhere does not go to Mastodon's own Gateway."""

    host: str
    path: str
    check: Check
    elsewhere: bool = False

    def __str__(self) -> str:
        """Return how sentences call it."""
        return f"https://{self.host}{self.path}"


def questions(site: Site) -> Iterator[Question]:
    """Yield all that is asked of a site: the web server, streaming, and what other hosts of it are for."""
    yield Question(site.host, "/health", _is_well)
    yield Question(site.host, "/api/v2/instance", lambda answer: _is_instance(answer, site))
    yield Question(site.host, "/api/v1/streaming/health", _is_well)
    if site.host != site.domain:
        yield _lookup(site)
    if site.media:
        yield Question(site.media, "/", _is_store)


def _lookup(site: Site) -> Question:
    # Whoever sends on must keep the query: without it nobody is found.
    path = f"/.well-known/webfinger?resource=acct:{site.domain}@{site.domain}"
    remedy = (
        f", have whoever serves {site.domain} send on what the README of role gateway names" if site.elsewhere else ""
    )
    target = f"https://{site.host}{path}"
    return Question(site.domain, path, lambda answer: _leads_to(answer, target, remedy), site.elsewhere)


def _is_well(answer: Reply) -> str:
    if answer.status == 500:
        raise WrongError(f"{answer}, {_UNTRUSTED}")
    if answer.status != 200:
        raise WrongError(str(answer))
    return ""


def _is_instance(answer: Reply, site: Site) -> str:
    _is_well(answer)
    try:
        said = parsed(answer.body)
    except WrongShapeError as error:
        raise WrongError("its answer is not JSON, so it is not Mastodon's") from error
    found = said.get("domain") if isinstance(said, dict) else None
    if found != site.domain:
        raise WrongError(f"it answers for {found or 'no domain'}, not for {site.domain}")
    version = str(said.get("version") or "unknown")
    # What follows a plus sign names a build, not a release.
    if site.version and version.partition("+")[0] != site.version.removeprefix("v"):
        raise WrongError(f"it is version {version} that answers, not {site.version}")
    return f"version {version}"


def _leads_to(answer: Reply, address: str, remedy: str) -> str:
    location = answer.header("location")
    if not (301 <= answer.status <= 308 and unquote(location) == address):
        leads = f"{answer} to {location}" if location else str(answer)
        raise WrongError(f"{leads}, and not a redirect to {address}{remedy}")
    return ""


def _is_store(answer: Reply) -> str:
    # Whether or not it lets anyone list, an S3 server answers in XML; a Gateway without a way to it does not.
    if answer.status >= 500 or not answer.body.lstrip().startswith(b"<?xml"):
        raise WrongError(f"{answer}, and not the answer of an S3 server")
    return ""
