# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why others see what they see: from a finding inward to the first broken link of the cluster behind it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.inward import (
    backend,
    changes,
    claims,
    clocks,
    issuance,
    record,
    route,
)
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.inward.cluster import (
    Broken,
    Cluster,
    describe,
    name_of,
)
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.records import targets
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.site import way
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation import (
    addresses,
    causes,
    certificates,
    identity,
    urls,
)
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.budget import SpentError
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.finding import (
    UNKNOWN,
    Cause,
    Finding,
    shown,
    skipped,
)
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.scene import Scene
from ansible_collections.fediverse.mastodon.plugins.module_utils._paths import at, maps_at

# The innermost link comes last, and is what is to be mended.
_LONGEST = 1000
# What is seen of names, and of whose key it is, is not of the cluster's making, and without TLS there is another listener.
_OUTSIDE = ("name-servers", "records", "owners", "identity", "connections", "plain-http")
_CLOCKS = (identity.CLOCK_OF_PODS.name, identity.CLOCK_NEARLY.name)
_DEAD = (addresses.DEAD.name, addresses.DEAD_BESIDE.name)
# What comes of a record that leads elsewhere, or of none.
_BY_DNS = (
    *(addresses.NOWHERE.name, addresses.NOWHERE_OURS.name, addresses.ALL_GONE.name, addresses.PRIVATE.name),
    *(addresses.STALE.name, addresses.STALE_OURS.name, addresses.ALL_STALE.name, *_DEAD),
)
_NO_WAY = (causes.NO_ROUTE.why, causes.NO_BACKEND.why, causes.NOBODY_READY.why)
# Who says so himself is not to be looked for.
# By which the route itself may be known as well.
_CHANGED = (causes.HOST_REFUSED.why, causes.STRICT.why)
_KNOWN = tuple(cause.why for cause in causes.CAUSES if cause.why not in _NO_WAY)


def explained(open_cluster: Callable[[], Cluster], scene: Scene, findings: Sequence[Finding]) -> Sequence[Finding]:
    """Return the findings with their causes in the cluster, and what only its routes show."""
    try:
        cluster = open_cluster()
    except MastodonError as error:
        return [*findings, skipped("The cluster", _words(error))]
    known, unseen = [], []
    for finding in findings:
        try:
            known.append(_explained(cluster, scene, finding))
        except (MastodonError, SpentError) as error:
            # What may not be read, or takes too long, is not needed for all.
            known.append(finding)
            unseen.append(_words(error))
    try:
        # What was not to be read for a finding is not either for this.
        if not unseen:
            known += changes.unseen(cluster, scene.target.host, scene.target.streaming or scene.target.host)
    except (MastodonError, SpentError) as error:
        unseen.append(_words(error))
    return [*known, *(skipped("The cluster", why) for why in dict.fromkeys(unseen))]


def _words(error: MastodonError | SpentError) -> str:
    return error.brief() if isinstance(error, MastodonError) else str(error)


def _host(scene: Scene, finding: Finding) -> str:
    """Return the host that something is wrong with, empty when nothing is, or nothing that a cluster may be the cause of."""
    if not finding.fault or (finding.check in _OUTSIDE and finding.fault not in _CLOCKS):
        return ""
    first = finding.subject.partition(" ")[0]
    host = urls.host_of(first) or first
    return host if host in scene.target.hosts else ""


def _explained(cluster: Cluster, scene: Scene, finding: Finding) -> Finding:
    host = _host(scene, finding)
    if not host or _is_elsewhere(cluster, scene, host):
        return finding
    for broken, proved in _ways(cluster, scene, finding, host):
        if broken:
            why = shown("; ".join(broken.said), _LONGEST)
            return finding.because(Cause(why, broken.next, proved and broken.certain))
    return finding


def _is_elsewhere(cluster: Cluster, scene: Scene, host: str) -> bool:
    """Whether a host is not served by this Gateway, such as a bare domain that is another web site."""
    ours = any(claims.parents(cluster, one) for one in claims.naming(cluster, host))
    return not ours and bool(scene.probed[host].links) and bool(record.drift(cluster, scene, host))


def _ways(cluster: Cluster, scene: Scene, finding: Finding, host: str) -> Iterator[tuple[Broken | None, bool]]:
    """Yield links from outside to inside that may cause a finding, and whether they must."""
    if finding.check == "addresses":
        yield from _to_addresses(cluster, scene, finding, host)
    elif finding.check == "tls":
        yield from _to_certificate(cluster, scene, finding, host)
    elif finding.fault in _CLOCKS:
        path = urls.split(finding.subject).path
        # This machine's own may be wrong, where the gateway's is as well.
        yield clocks.broken(cluster, host, path), finding.fault == identity.CLOCK_OF_PODS.name
    else:
        yield from _to_pods(cluster, scene, finding, host)


def _to_addresses(cluster: Cluster, scene: Scene, finding: Finding, host: str) -> Iterator[tuple[Broken | None, bool]]:
    seen = scene.probed[host]
    if seen.unknown or finding.fault not in _BY_DNS:
        return
    # external-dns asks for records of hosts only whose routes were taken.
    if not seen.links:
        is_asked = bool(scene.target.owner and claims.naming(cluster, host))
        yield route.broken(cluster, host), is_asked
        if not record.is_annotated(cluster, scene.target.owner):
            yield route.unaddressed(cluster), is_asked
    is_dead = finding.fault in _DEAD
    address = finding.fact.partition(",")[0]
    if is_dead and address in targets(cluster.gateway):
        yield _front(cluster, address), True
        return
    # Where somebody answers, it may be a content delivery network, to which the record leads for good.
    yield record.broken(cluster, scene, host), all(link.tcp for link in seen.links)
    if is_dead:
        yield _front(cluster, address), False
    if not seen.links:
        yield route.unready(cluster), False
    yield record.likely(cluster, scene, host, finding.cause.next if finding.cause else ""), False


def _front(cluster: Cluster, address: str) -> Broken | None:
    """Return what is broken between the Gateway's address and its controller's pods."""
    for service in cluster.fronts():
        families = at(service, "spec.ipFamilies", [])
        if families and address in targets(cluster.gateway) and ("IPv6" if ":" in address else "IPv4") not in families:
            said = f"{cluster} says {address}, and {name_of(service)} has {', '.join(families)} only"
            return Broken((said,), describe(service))
        ports = [one for one in maps_at(service, "spec.ports") if one.get("port") == way.PORT]
        return backend.behind(cluster, service, ports[0])
    return None


def _to_certificate(
    cluster: Cluster, scene: Scene, finding: Finding, host: str
) -> Iterator[tuple[Broken | None, bool]]:
    link = next((one for one in scene.probed[host].links if finding.subject.endswith(f" {one.address}")), None)
    chain, fit = certificates.read(link.chain) if link else (), claims.of_host(cluster, host)
    served = chain[0] if chain else None
    is_known = served is not None and issuance.holds(cluster, fit, served)
    is_own = link is not None and record.is_own(cluster, scene, [link.address])
    if link and not is_known and record.is_foreign(cluster, scene, link.address):
        yield _somebody(cluster, link.address), False
        return
    if not fit:
        yield route.broken(cluster, host), is_own
    for listener in fit:
        yield next(route.wrong(cluster, listener), None), is_own
        yield issuance.broken(cluster, listener, host, served, is_own=is_own), is_own or is_known


def _somebody(cluster: Cluster, address: str) -> Broken:
    other = record.whose(cluster, [address])
    answers = f"{other} answers there" if other else "somebody else answers there, or what is in front of it"
    return Broken(
        (f"{address} is no address of {cluster}: {answers}",),
        f"kubectl get gateway -n {cluster.namespace} {cluster.name} -o wide, and compare its addresses.",
    )


def _in_front(cluster: Cluster, scene: Scene, finding: Finding, answering: Sequence[str]) -> Broken | None:
    """Return that somebody answers who is not the Gateway, which is one more word on what is known without the cluster."""
    foreign = next((one for one in answering if record.is_foreign(cluster, scene, one)), "")
    if not foreign or not finding.cause:
        return None
    known = () if finding.cause.why == UNKNOWN else (finding.cause.why,)
    return replace(_somebody(cluster, foreign).behind(*known), next=finding.cause.next)


def _to_pods(cluster: Cluster, scene: Scene, finding: Finding, host: str) -> Iterator[tuple[Broken | None, bool]]:
    """Yield what is broken behind a host; that the answer came of it is proved when it is the Gateway's own."""
    cause = finding.cause.why if finding.cause else ""
    path = urls.split(finding.subject).path or "/"
    if cause in _CHANGED:
        yield changes.likely(cluster, host, path, scene.target.hosts), False
    if cause in _KNOWN:
        return
    # A content delivery network says 503 as well.
    answering = [link.address for link in scene.probed[host].links if link.is_well]
    proved = cause in _NO_WAY and record.is_own(cluster, scene, answering)
    routeless = route.broken(cluster, host, path)
    left_over = record.left_over(cluster, scene, host) if routeless else None
    yield left_over.behind(*routeless.said) if routeless and left_over else routeless, proved
    yield backend.broken(cluster, host, path), proved
    yield route.unready(cluster), False
    # What media are asked by is rewritten for every bucket.
    if host != scene.target.media:
        yield changes.likely(cluster, host, path, scene.target.hosts), False
    yield _in_front(cluster, scene, finding, answering), False
