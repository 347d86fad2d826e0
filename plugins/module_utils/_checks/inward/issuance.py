# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The links behind a certificate: its Secret, the Certificate that writes it, and what that waits for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.inward.cluster import (
    GATEWAY_API,
    Broken,
    Cluster,
    describe,
    name_of,
    owned_by,
)
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation import certificates
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.certificates import Certificate
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.finding import shown
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.objects import Object
from ansible_collections.fediverse.mastodon.plugins.module_utils._paths import at, maps_at
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile import troubles
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.ready import compute
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.status import conditions

Item = Mapping[str, Any]
_ACME = "acme.cert-manager.io"
_ISSUER = "cert-manager.io"


def secrets(cluster: Cluster, listener: Item) -> Sequence[tuple[str, str]]:
    """Return namespace and name of each Secret of a listener."""
    references = maps_at(listener, "tls.certificateRefs")
    return [(one.get("namespace") or cluster.namespace, str(one.get("name"))) for one in references]


def missing(cluster: Cluster, listener: Item) -> Iterator[Broken]:
    """Yield which Secrets of a listener are not there, and why."""
    for namespace, name in secrets(cluster, listener):
        if cluster.chain(namespace, name) is None:
            said = f"Secret {namespace}/{name} does not exist"
            yield _written(cluster, namespace, name, ()).behind(said)


def holds(cluster: Cluster, listeners: Sequence[Item], served: Certificate) -> bool:
    """Whether a certificate that was seen is in a Secret of these listeners: of them one may have several, by type of key."""
    return any(
        one[0].serial == served.serial for listener in listeners for _its, one in _held(cluster, listener) if one
    )


def _held(cluster: Cluster, listener: Item) -> Sequence[tuple[tuple[str, str], Sequence[Certificate]]]:
    places = secrets(cluster, listener)
    return [(place, certificates.read_pem(cluster.chain(*place) or "")) for place in places]


def broken(
    cluster: Cluster, listener: Item, host: str, served: Certificate | None, *, is_own: bool = True
) -> Broken | None:
    """Return why a listener shows a certificate that is not good for a host: `served`, if it was seen, and at the Gateway's own address or not."""
    held = _held(cluster, listener)
    if shown_ := next((one for one in held if served and one[1] and one[1][0].serial == served.serial), None):
        (namespace, name), chain = shown_
        return _written(cluster, namespace, name, chain, host).behind(f"Secret {namespace}/{name} has that certificate")
    if gone := next(missing(cluster, listener), None):
        return gone
    for (namespace, name), chain in held:
        if not chain:
            said = f"Secret {namespace}/{name} has no certificate that can be read"
            return _written(cluster, namespace, name, ()).behind(said)
    bad = None if any(_is_good(chain, host) for _place, chain in held) else next(iter(held), None)
    if served and held:
        (namespace, name), chain = bad or held[0]
        has = " and ".join(
            f"Secret {'/'.join(place)} of listener {listener.get('name')} has {one[0].serial}" for place, one in held
        )
        said = f"it shows serial {served.serial}, and {has}"
        behind = _written(cluster, namespace, name, chain, host) if bad else _not_loaded(is_own)
        return behind.behind(said)
    if bad:
        (namespace, name), chain = bad
        return _written(cluster, namespace, name, chain, host).behind(f"Secret {namespace}/{name} has that certificate")
    return None


def _not_loaded(is_own: bool) -> Broken:
    said = "the controller of the Gateway has not loaded it"
    said += "" if is_own else ", or something else answers in front of it"
    then = "Restart the pods of the Gateway's controller, and look whether the serial changes."
    return Broken((said,), then, certain=is_own)


def _is_good(held: Sequence[Certificate], host: str) -> bool:
    now = certificates.now()
    return held[0].is_for(host) and not held[0].is_late(now) and not any(one.has_expired(now) for one in held)


def _written(cluster: Cluster, namespace: str, secret: str, held: Sequence[Certificate], host: str = "") -> Broken:
    """Return what keeps a Secret from having a good certificate."""
    of_secret = [
        one for one in cluster.all(_ISSUER, "Certificate", namespace) if at(one, "spec.secretName", "") == secret
    ]
    if not of_secret:
        said = "no Certificate writes that Secret"
        return Broken((said,), f"kubectl get certificate -n {namespace}, and let the listener name the Secret of one.")
    if len(of_secret) > 1:
        said = f"{' and '.join(name_of(one) for one in of_secret)} both write that Secret"
        return Broken((said,), f"kubectl get certificate -n {namespace}, and give each a secretName of its own.")
    [certificate] = of_secret
    names = [str(name) for name in at(certificate, "spec.dnsNames", [])]
    if host and not _covers(names, host):
        return Broken(
            (f"{name_of(certificate)} is not for {host}, only for {', '.join(names)}",), describe(certificate)
        )
    return _issued(cluster, certificate, held)


def _covers(names: Sequence[str], host: str) -> bool:
    return host in names or f"*.{host.partition('.')[2]}" in names


def _issued(cluster: Cluster, certificate: Object, held: Sequence[Certificate]) -> Broken:
    status = compute(certificate)
    stuck = next(_stuck(cluster, certificate), None)
    if status.verdict == "Current" and not stuck:
        has = f", and the Secret has one of {shown(held[0].issuer, 80)}" if held else ""
        return Broken((f"{name_of(certificate)} takes it for up to date{has}",), describe(certificate))
    said = f"{name_of(certificate)} is not ready: {shown(str(status))}"
    return stuck.behind(said) if stuck else Broken((said,), describe(certificate))


def _stuck(cluster: Cluster, certificate: Object) -> Iterator[Broken]:
    """Yield what the newest request of a Certificate waits for: a challenge before its order, and that before the request."""
    namespace = certificate["metadata"]["namespace"]
    requests = [one for one in cluster.all(_ISSUER, "CertificateRequest", namespace) if owned_by(one, certificate)]
    newest = sorted(requests, key=lambda one: str(one["metadata"].get("creationTimestamp")))[-1:]
    orders = [one for one in cluster.all(_ACME, "Order", namespace) if any(owned_by(one, it) for it in newest)]
    challenges = [one for one in cluster.all(_ACME, "Challenge", namespace) if any(owned_by(one, it) for it in orders)]
    for item in (*challenges, *orders):
        said = [shown(str(trouble), 300) for trouble in troubles.of_issuing(item)]
        if untaken := next(_untaken(cluster, item), None):
            yield untaken.behind(*said)
        for one in said:
            yield Broken((one,), describe(item))
    for item in newest:
        status = compute(item)
        if status.verdict != "Current":
            yield Broken((f"{name_of(item)}: {shown(str(status), 300)}",), describe(item))


def _untaken(cluster: Cluster, challenge: Object) -> Iterator[Broken]:
    """Yield that no listener takes the route by which a challenge is answered over HTTP: https://github.com/cert-manager/website/issues/2193."""
    for its in cluster.all(GATEWAY_API, "HTTPRoute"):
        for entry in maps_at(its, "status.parents") if owned_by(its, challenge) else ():
            found = conditions(entry, at(its, "metadata.generation", 0)).get("Accepted")
            if found and found.status != "True":
                gateway = at(entry, "parentRef.name", "")
                said = f"{name_of(its)}, which answers it, is not taken by Gateway {gateway}: {shown(found.reason)}"
                yield Broken((said,), describe(its))
