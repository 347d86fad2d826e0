# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""NodeInfo: which software it is, as statistics, lists and some servers ask before anything else."""

from __future__ import annotations

from collections.abc import Iterator

from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.documents import Stake, document
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.finding import (
    Cause,
    Fault,
    Finding,
    Verdict,
    fine,
    shown,
)
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.scene import Check, FoundError, Scene
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.urls import host_of, is_ours
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.visitor import (
    NoAnswerError,
    NotReachedError,
)
from ansible_collections.fediverse.mastodon.plugins.module_utils._net.shapes import WrongShapeError, checked, objects

STAKE = Stake("NodeInfo", Verdict.SOME, "Lists, statistics and servers that ask for the software do not know this one.")
_SCHEMAS = "http://nodeinfo.diaspora.software/ns/schema/"
_VERSIONS = ("2.1", "2.0", "1.1", "1.0")
NO_LINK = Fault(
    "no-link",
    Verdict.SOME,
    "names no NodeInfo of a known version",
    STAKE.loses,
    Cause("something else than the instance writes this document", "curl -s '{subject}'"),
)
ELSEWHERE = Fault(
    "elsewhere",
    Verdict.SOME,
    "lies at an address that is not declared",
    STAKE.loses,
    Cause(
        "the application has another idea of its host than was declared", "Compare WEB_DOMAIN with the declared host."
    ),
)
NO_SOFTWARE = Fault(
    "no-software",
    Verdict.SOME,
    "does not name the software",
    STAKE.loses,
    Cause("something else than the instance writes this document", "curl -s '{subject}'"),
)


def software(scene: Scene) -> str:
    """Return what the instance was declared to be, or calls its software, in lower case. Raises SpentError.

    On the bare domain another server may speak for itself, such as a blog, so that the instance's own host is asked first.
    """
    if scene.target.software:
        return scene.target.software
    for host in dict.fromkeys((scene.target.host, scene.target.domain)):
        try:
            return _found(scene, host)[1]
        except (FoundError, NoAnswerError, NotReachedError):
            # Whatever it is, the check of NodeInfo reports it.
            continue
    return ""


def look(scene: Scene) -> Iterator[Finding]:
    """Find what a server learns of the software."""
    url, name, version = _found(scene, scene.target.domain)
    yield fine(_first(scene.target.domain), f"leads to {shown(url)}")
    yield fine(url, f"says {shown(f'{name} {version}', 80)}")


def _first(host: str) -> str:
    return f"https://{host}/.well-known/nodeinfo"


def _found(scene: Scene, host: str) -> tuple[str, str, str]:
    first = _first(host)
    _trail, links = document(scene, STAKE, first, accept="application/json")
    try:
        known = {str(one.get("rel")): one.get("href") for one in objects(links, "links")}
    except WrongShapeError:
        known = {}
    url = next((href for version in _VERSIONS if isinstance(href := known.get(f"{_SCHEMAS}{version}"), str)), "")
    if not url:
        raise FoundError(NO_LINK.at(first))
    if not (is_ours(url) and scene.target.may_be_followed(leads := host_of(url))):
        raise FoundError(ELSEWHERE.at(first, shown(url)))
    if leads not in scene.visitor.doors:
        raise NotReachedError(leads)
    _trail, content = document(scene, STAKE, url, accept="application/json")
    try:
        name, version = (checked(content, "software", key, kind=str) for key in ("name", "version"))
    except WrongShapeError as error:
        raise FoundError(NO_SOFTWARE.at(url, str(error))) from error
    return url, name.lower(), version


CHECK = Check("nodeinfo", __doc__, (NO_LINK, ELSEWHERE, NO_SOFTWARE, *STAKE.faults), look)
