# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What arrives: whether what other servers sign comes in as they sent it.

No answer to a request that is not signed tells it, so that a pod behind the same gateway has to say what arrived: `mastodon_federation_echo`
has one answer at `/federation-check/`. It is asked for nothing before it says that it is this pod, and what is sent to it is signed by nobody. With
access to the cluster the routes are read as well.
"""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from email.utils import format_datetime

from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.certificates import now
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.documents import described
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.finding import (
    Cause,
    Fault,
    Finding,
    Verdict,
    fine,
    shown,
)
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.scene import Check, Scene
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.visitor import NoAnswerError
from ansible_collections.fediverse.mastodon.plugins.module_utils._net.exchange import Reply
from ansible_collections.fediverse.mastodon.plugins.module_utils._net.shapes import (
    WrongShapeError,
    checked,
    parsed,
)

PREFIX = "/federation-check"
PATH, HELD = f"{PREFIX}/echo", f"{PREFIX}/held"
# What signatures are about: https://github.com/mastodon/mastodon/blob/main/app/lib/signed_request.rb
SIGNED = ("host", "date", "digest", "content-digest", "signature", "signature-input", "content-type")
_TARGET, _BODY = "path and query", "digest of the body"
# As who is looked up, whose signs some proxies write otherwise.
_QUERY = "resource=acct%3Aa%40example.org&again=a+b%2Fc"
_SENT = b'{"@context": "https://www.w3.org/ns/activitystreams",  "content": "\xc3\xa9"}'
# What was written anew has the time of now.
_AGE = timedelta(minutes=5)
_LOSES = (
    "Whatever others sign is refused with 401: posts, follows, and in secure mode all that they fetch. They try again for two to three days, "
    "and after seven days of failures they send nothing more."
)
CHANGED = Fault(
    "changed-on-the-way",
    Verdict.CUT,
    "arrives otherwise than it was sent",
    _LOSES,
    Cause(
        "a proxy, cache or content delivery network in front of the gateway rewrites it, or the gateway does for all routes",
        "Let all that is in front of {host} pass on Host, Date, Digest, Content-Digest, Signature, path and query as they come.",
    ),
)
BY_ROUTE = Fault(
    "changed-by-its-route",
    Verdict.CUT,
    "goes by a route that changes what others sign",
    _LOSES,
    Cause(
        "a filter of the route sets or removes one of these headers, or asks for another host or path",
        "kubectl describe httproute -A, and remove the filter.",
    ),
)
NO_ECHO = Fault(
    "no-echo",
    Verdict.CANNOT_TELL,
    "is not answered by the pod that says what arrives",
    "Not known: what others sign may be changed on the way.",
    Cause(
        "the pod does not run, or the route to it is not there",
        "kubectl get pods -A -l app.kubernetes.io/name=federation-watch",
    ),
)


def said(method: str, target: str, headers: Iterable[tuple[str, str]], body: bytes) -> dict[str, str]:
    """Return what the pod says of a request: of its headers those that signatures are about, and nothing else of anybody's."""
    found = {"method": method, _TARGET: target, _BODY: _digest(body)}
    for name, value in headers:
        key = name.lower()
        if key in SIGNED:
            found[key] = f"{found[key]}, {value}" if key in found else value
    return found


def look(scene: Scene) -> Iterator[Finding]:
    """Send what others sign, and compare it with what is said to have arrived."""
    url = f"https://{scene.target.host}{PATH}?{_QUERY}"
    if isinstance(known := _echo(scene, url), Finding):
        yield known
        return
    sent = _headers()
    arrived = _echo(scene, url, _SENT, **{name.replace("-", "_"): value for name, value in sent.items()})
    if isinstance(arrived, Finding):
        yield arrived
        return
    wanted = {_TARGET: f"{PATH}?{_QUERY}", "host": scene.target.host, **sent, _BODY: _digest(_SENT)}
    if wrong := "; ".join(_changed(wanted, arrived)):
        yield CHANGED.at(url, wrong, host=scene.target.host)
    else:
        yield fine(url, "arrives as it was sent")


def _headers() -> Mapping[str, str]:
    """Return what those who sign send. What stands for the signature is none, and names nobody's key."""
    digest = _digest(_SENT)
    return {
        "date": format_datetime(now() - _AGE, usegmt=True),
        "digest": f"SHA-256={digest}",
        "content-digest": f"sha-256=:{digest}:",
        "signature": "none",
        "signature-input": "none",
        "content-type": "application/activity+json",
    }


def _digest(body: bytes) -> str:
    return b64encode(hashlib.sha256(body).digest()).decode()


def _echo(scene: Scene, url: str, body: bytes = b"", /, **headers: str) -> Mapping[str, str] | Finding:
    try:
        reply = scene.visitor.ask(url, "POST" if body else "GET", body, **headers)
    except NoAnswerError as error:
        return NO_ECHO.at(url, shown(str(error)))
    try:
        return _read(reply)
    except WrongShapeError:
        return NO_ECHO.at(url, described(reply))


def _read(reply: Reply) -> Mapping[str, str]:
    """Return what arrived. Raises WrongShapeError where somebody else answers."""
    found = checked(parsed(reply.body), "arrived", kind=dict)
    return {name: checked(found, name, kind=str, default="") for name in (_TARGET, _BODY, *SIGNED)}


def _changed(sent: Mapping[str, str], arrived: Mapping[str, str]) -> Iterator[str]:
    for name, value in sent.items():
        found = arrived.get(name, "")
        if not found:
            yield f"{name} did not arrive"
        elif found != value:
            yield f"{name} arrived as {shown(found, 80)}, and was sent as {shown(value, 80)}"


CHECK = Check("arrival", __doc__, (CHANGED, BY_ROUTE, NO_ECHO), look, lambda target: target.echo)
