# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Records from before, beside an external-dns that deletes: what is refused, what others would see, and that nothing of others goes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager

import pytest

from ...conftest import Lab
from ..support import eventually, external_dns_standing_still
from ..zone import DOMAIN, HAND_MADE, Zone
from .breaking import OWNED, OWNER, TOLD, Fault, is_traced

OLD, MEDIA = "old-cluster", "media.lab.test"
RELEASE = "external-dns/external-dns-mastodon"
# How another Gateway is meant, which a running Mastodon does not survive otherwise.
MOVED = ("gateway_name=another", '{"mastodon_moved_from": ["gateway-system/shared-gateway-external"]}')
EXTERNAL_DNS = ("--tags=external_dns", "-e", "external_dns_policy=sync")
# Below a host that it looks after: hand made, of another owner, and of its own from a route that is gone.
HAND, THEIRS, LEFT = (f"{name}.{DOMAIN}" for name in ("hand", "theirs", "left"))


def says(owner: str, route: str = "old") -> str:
    """Return the text by which an external-dns says that a record is its own."""
    return f"heritage=external-dns,external-dns/owner={owner},external-dns/resource=httproute/mastodon/{route}"


@contextmanager
def texted(lab: Lab, host: str, owner: str) -> Iterator[None]:
    """Have an owner of a host's address, beside whoever else is one."""
    with Zone(lab).added(f"edns-a.{host}", "TXT", f'"{says(owner)}"'):
        yield


@pytest.fixture(scope="module")
def deleting(installed: Lab) -> Iterator[Lab]:
    """Let external-dns delete what nobody asks for, and in the end as it was."""
    run = installed.site(*EXTERNAL_DNS, "-e", f"external_dns_owner_id={OWNER}")
    assert run.returncode == 0, run.output[-3000:]
    yield installed
    run = installed.site("--tags=external_dns")
    assert run.returncode == 0, run.output[-3000:]


def test_what_is_left_over_goes_and_nothing_of_others(deleting: Lab) -> None:
    zone = Zone(deleting)
    with ExitStack() as stack:
        for host, owner in ((HAND, ""), (THEIRS, OLD), (LEFT, OWNER)):
            stack.enter_context(zone.added(host, "A", HAND_MADE))
            if owner:
                stack.enter_context(texted(deleting, host, owner))
        before = zone.everything()
        ours = {one for one in before if one[0] in (LEFT, f"edns-a.{LEFT}")}
        assert len(ours) == 2
        # What goes shows that it has looked at all of the zone.
        eventually(zone.everything, lambda found: not ours & found, 150)
        assert zone.everything() == before - ours


REFUSED: Mapping[str, tuple[tuple[str, ...], str, str]] = {
    "all records would go, as no route is there for its Gateway": (
        (f"external_dns_owner_id={OWNER}", *MOVED),
        "",
        f"HelmRelease {RELEASE}: with policy sync it would delete the records of all hosts, as no route in namespace mastodon is accepted by "
        "Gateway gateway-system/another. Set external_dns_policy to upsert-only until Mastodon's routes are there.",
    ),
    "a new one would delete what its owner has from before": (
        (f"external_dns_owner_id={OLD}", "external_dns_name=external-dns-new", *MOVED),
        OLD,
        f"HelmRelease external-dns/external-dns-new: with policy sync it would delete the records that owner {OLD} has, as {OWNED} says, until "
        "Mastodon's routes ask for them. Set external_dns_policy to upsert-only for the first run, or external_dns_owner_id to a name that no "
        "record has.",
    ),
    "two would have one owner": (
        (f"external_dns_owner_id={OWNER}", "external_dns_name=external-dns-new"),
        "",
        f"HelmRelease {RELEASE}: writes records as owner {OWNER} too, and each would take the other's for its own.",
    ),
    "another owner would leave all behind": (
        (f"external_dns_owner_id={OLD}",),
        OLD,
        f"HelmRelease {RELEASE}: writes records as owner {OWNER}, and as {OLD} would leave them all behind.",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_it_is_refused_before_anything_is_written(deleting: Lab, name: str) -> None:
    given, owner, sentence = REFUSED[name]
    settings = [word for one in given for word in ("-e", one)]
    with ExitStack() as stack:
        if owner:
            stack.enter_context(texted(deleting, DOMAIN, owner))
        zone, mark = Zone(deleting), deleting.audit_mark()
        before = zone.everything()
        run = deleting.site(*EXTERNAL_DNS, *settings)
        assert run.returncode != 0
        assert sentence in " ".join(run.output.split())
        assert deleting.our_writes(mark) == []
        assert zone.everything() == before


def two_owners(stack: ExitStack, lab: Lab) -> None:
    """Let another external-dns say that the domain's record is its own, too."""
    stack.enter_context(external_dns_standing_still(lab))
    stack.enter_context(texted(lab, DOMAIN, OLD))


def all_gone(stack: ExitStack, lab: Lab) -> None:
    """Let the addresses of all hosts be gone, as after a run that found no route."""
    stack.enter_context(external_dns_standing_still(lab))
    for host in (DOMAIN, MEDIA):
        stack.enter_context(Zone(lab).without(host, "A"))


FOUND: Mapping[str, Fault] = {
    "two owners": Fault(
        two_owners, DOMAIN, "CUT", "has a record of two owners", "two external-dns write the same name"
    ),
    "all records gone": Fault(
        all_gone,
        DOMAIN,
        "CUT",
        "leads to no address, and neither does any other host",
        f"DNS has no address of {DOMAIN}; {TOLD} has ",
        lambda lab: {"media_hostname": MEDIA},
    ),
}


@pytest.mark.parametrize("name", FOUND)
def test_what_others_lose_by_it_is_named_with_its_cause(deleting: Lab, name: str) -> None:
    is_traced(deleting, FOUND[name])
