# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One look at one instance: how its hosts are reached, then all checks at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial

from ansible_collections.fediverse.mastodon.plugins.module_utils._dns.resolver import Resolver
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import unforeseen
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation import (
    actor,
    addresses,
    agents,
    arrival,
    connections,
    host_meta,
    identity,
    inbox,
    limits,
    media,
    name_servers,
    nodeinfo,
    owners,
    plain_http,
    records,
    streaming,
    tls,
    webfinger,
)
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.budget import Budget, SpentError
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.finding import (
    BAD,
    Cause,
    Fault,
    Finding,
    Verdict,
    skipped,
)
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.probing import Prober, doors
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.proof import NOT_PROVED, lacking
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.report import Report, sorted_findings
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.scene import Check, FoundError, Scene
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.target import Target
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.vantage import Vantage
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.visitor import (
    NoAnswerError,
    NotReachedError,
    Visitor,
)
from ansible_collections.fediverse.mastodon.plugins.module_utils._net.elsewhere import NotOpenedError
from ansible_collections.fediverse.mastodon.plugins.module_utils._net.https import Trust

# In the order in which they are reported and documented.
CHECKS = (
    *(name_servers.CHECK, records.CHECK, owners.CHECK),
    *(addresses.CHECK, tls.CHECK, connections.CHECK, webfinger.CHECK, host_meta.CHECK, nodeinfo.CHECK),
    *(actor.CHECK, inbox.CHECK, arrival.CHECK, agents.CHECK, limits.CHECK, plain_http.CHECK),
    *(streaming.CHECK, media.CHECK, identity.CHECK),
)
_THREADS = 8
UNANSWERED = Fault(
    "unanswered",
    Verdict.CUT,
    "was not answered by a host that answered before",
    "What is asked fails now and then, and is tried again for some days.",
    Cause(
        "the server is overloaded, or one of several behind the address is down",
        "Look once more, and read the gateway's log.",
    ),
)
NO_VERDICT = Fault(
    "no-verdict",
    Verdict.CUT,
    "ended without a verdict",
    "Not known.",
    Cause(
        "this is a bug of the check, or a server sent an answer that none should send",
        "Report this line at https://github.com/fediverse/mastodon-kubernetes/issues.",
    ),
)
# What can come of every check.
FAULTS = (UNANSWERED, NO_VERDICT, NOT_PROVED)


Explain = Callable[[Scene, Sequence[Finding]], Sequence[Finding]]


def as_seen(_scene: Scene, findings: Sequence[Finding]) -> Sequence[Finding]:
    """Return them as they are."""
    return findings


def examine(
    target: Target,
    vantage: Vantage,
    resolver: Resolver,
    trust: Trust,
    budget: Budget,
    checks: Sequence[Check] = (),
    explain: Explain = as_seen,
) -> Report:
    """Return all that is found, by all checks or by some. `explain` may know causes better than who looks from outside."""
    resolver = resolver.within(budget.until)
    prober = Prober(target, vantage, resolver.addresses, trust, budget)
    probed = prober.probe()
    beside = (vantage.beside.name, prober.again(vantage.beside, probed)) if vantage.beside else None
    scene = Scene(Visitor(target, vantage, trust, budget, doors(probed)), probed, resolver, beside)
    chosen = [check for check in checks or CHECKS if check.is_asked(target)]
    with ThreadPoolExecutor(_THREADS) as pool:
        found = [finding for each in pool.map(partial(_run, scene), chosen) for finding in each]
    known = _known(explain, scene, [*found, *_unproved(found, chosen)])
    return Report(target, vantage.name, sorted_findings(known))


def _known(explain: Explain, scene: Scene, findings: Sequence[Finding]) -> Sequence[Finding]:
    """Return findings with their causes; whatever keeps these from being known takes nothing of what was seen."""
    try:
        return explain(scene, findings)
    except Exception as error:
        return [*findings, Finding(Verdict.SKIPPED, "The causes", "were not looked for", unforeseen("", error).why)]


def _unproved(found: Sequence[Finding], checks: Sequence[Check]) -> Iterator[Finding]:
    """Yield what has no proof, where nothing else says why it has not passed."""
    looked = {check.name for check in checks}
    if not any(one.verdict in BAD for one in found):
        yield from (one for one in lacking(found) if one.check in looked)


def _run(scene: Scene, check: Check) -> list[Finding]:
    """Return what a check found; what it did not find to be fine is not fine."""
    found: list[Finding] = []
    try:
        # One by one, so that an error leaves what came before it.
        for finding in check.look(scene):
            found.append(finding)
    except FoundError as error:
        found.append(error.finding)
    except NotReachedError as error:
        found.append(replace(skipped(f"Check {check.name}", f"{error} was not reached"), unseen=True))
    except NoAnswerError as error:
        found.append(UNANSWERED.at(f"Check {check.name}", str(error)))
    except SpentError as error:
        subject = f"Check {check.name}"
        found.append(Finding(Verdict.CANNOT_TELL, subject, "was not finished", str(error), unseen=True))
    except NotOpenedError as error:
        why = f"{error.failed}: {error.why}"
        found.append(Finding(Verdict.CANNOT_TELL, f"Check {check.name}", "was not finished", why, unseen=True))
    except Exception as error:
        found.append(NO_VERDICT.at(f"Check {check.name}", unforeseen("", error).why))
    return [finding.of(check.name) for finding in found or [NO_VERDICT.at(f"Check {check.name}")]]
