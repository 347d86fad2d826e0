# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Links between the world and Mastodon, broken one after the other: what others lose, and which link is named."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._run import Run
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks.federation_check import ARGUMENTS, run_task
from ansible_collections.fediverse.mastodon.tests.unit.certificates import self_signed

from ...conftest import Lab
from ..support import eventually, external_dns_standing_still
from ..zone import DOMAIN, HAND_MADE, Zone

INBOX, TLS = f"https://{DOMAIN}/inbox", f"https://{DOMAIN} at "
STREAMING = f"https://{DOMAIN}/api/v1/streaming/health"
OWNER = "lab.social.lab.test"
# Where external-dns says whose the domain's A record is.
OWNED = f"edns-a.{DOMAIN}"
GATEWAY = ("gateway", "-n=gateway-system", "shared-gateway-external")
ROUTE = ("httproute", "-n=mastodon", "mastodon")
TOLD, ROUTED = "Gateway gateway-system/shared-gateway-external", "HTTPRoute mastodon/mastodon"
# Breaks one thing, for as long as the stack is open.
Break = Callable[[ExitStack, Lab], object]


def looked(lab: Lab) -> list[dict[str, Any]]:
    """Return what is wrong, as the playbook finds it, which the smoke tests run."""
    given: dict[str, Any] = {name: option.get("default") for name, option in ARGUMENTS.options.items()}
    given |= {"domain": DOMAIN, "account": "owner", "software": "mastodon", "internal": True}
    given |= {"kubeconfig": lab.facts["kubeconfig"], "nameserver": lab.facts["nameserver_address"]}
    given |= {"ca_certificates": [Path(lab.facts["acme_roots"]).read_text()]}
    given |= {"gateway": {"namespace": "gateway-system", "name": "shared-gateway-external"}}
    given |= {"external_dns_owner_id": OWNER, "external_dns_txt_prefix": "edns-%{record_type}."}
    result = run_task(given, Run(check=True, diff=False, say=lambda line: None, environment={}))
    # Who looks often has used up his share of requests, and gets 429.
    return [one for one in result["findings"] if one["verdict"] in ("LOST", "CUT", "SOME")]


def patch(lab: Lab, what: tuple[str, ...], path: str, value: object) -> None:
    """Set one field."""
    change = json.dumps([{"op": "replace", "path": path, "value": value}])
    lab.kubectl("patch", *what, "--type=json", f"--patch={change}")


def set_field(stack: ExitStack, lab: Lab, what: tuple[str, ...], path: str, value: object) -> None:
    """Set one field, and put it back in the end."""
    before: Any = lab.get(*what)
    for part in path.strip("/").split("/"):
        before = before[int(part)] if part.isdecimal() else before[part.replace("~1", "/")]
    stack.callback(patch, lab, what, path, before)
    patch(lab, what, path, value)


def listener(stack: ExitStack, lab: Lab, path: str, value: object) -> None:
    """Change the listener of the domain."""
    names = [one["name"] for one in lab.get(*GATEWAY)["spec"]["listeners"]]
    set_field(stack, lab, GATEWAY, f"/spec/listeners/{names.index(DOMAIN)}/{path}", value)


def scaled(stack: ExitStack, lab: Lab, namespace: str, name: str) -> None:
    """Have no pods of a Deployment for a while."""
    stack.callback(lab.kubectl, "rollout", "status", f"-n={namespace}", f"deployment/{name}", "--timeout=120s")
    set_field(stack, lab, ("deployment", f"-n={namespace}", name), "/spec/replicas", 0)


def another_secret(stack: ExitStack, lab: Lab) -> None:
    """Let the listener show a certificate that somebody has put there: Traefik shows any of its own that is for the host."""
    made = b64encode(self_signed(DOMAIN)).decode()
    place = {"name": "by-hand", "namespace": "gateway-system"}
    secret = {"apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/tls", "metadata": place}
    lab.kubectl("apply", "-f-", given=json.dumps({**secret, "data": {"tls.crt": made, "tls.key": made}}))
    stack.callback(lab.kubectl, "delete", "secret", "-n=gateway-system", "by-hand")
    for number, one in enumerate(lab.get(*GATEWAY)["spec"]["listeners"]):
        if "tls" in one:
            set_field(stack, lab, GATEWAY, f"/spec/listeners/{number}/tls/certificateRefs/0/name", "by-hand")


def blocked_challenge(stack: ExitStack, lab: Lab) -> None:
    """Let the listener wait for a certificate whose challenge cannot be written: nobody takes it at that address."""
    authority = b64encode(Path(lab.facts["acme_ca_file"]).read_bytes()).decode()
    acme = {
        "server": lab.facts["acme_directory"],
        "caBundle": authority,
        "privateKeySecretRef": {"name": "blocked-account"},
    }
    acme["solvers"] = [{"dns01": {"rfc2136": {"nameserver": f"{lab.facts['machine_address']}:53"}}}]
    place = {"name": "blocked", "namespace": "gateway-system"}
    spec = {"secretName": "blocked", "dnsNames": [DOMAIN], "issuerRef": {"name": "blocked"}}
    for kind, said in ("Issuer", {"acme": acme}), ("Certificate", spec):
        item = {"apiVersion": "cert-manager.io/v1", "kind": kind, "metadata": place, "spec": said}
        lab.kubectl("apply", "-f-", given=json.dumps(item))
        stack.callback(lab.kubectl, "delete", kind.lower(), "-n=gateway-system", "blocked", "--wait=false")
    listener(stack, lab, "tls/certificateRefs/0/name", "blocked")


def nobody_let_in(stack: ExitStack, lab: Lab) -> None:
    """Let policies keep everybody out, and the Gateway without connections of before, which they leave alone."""
    set_field(stack, lab, ("networkpolicy", "-n=mastodon", "mastodon-web"), "/spec/ingress", [])
    web = ("-n=mastodon", "--selector=app.kubernetes.io/component=web")
    lab.kubectl("delete", "pod", *web, "--grace-period=1")
    lab.kubectl("wait", "pod", *web, "--for=condition=Ready", "--timeout=60s")


def another_address(stack: ExitStack, lab: Lab) -> None:
    """Let the record lead elsewhere, while nobody puts it right."""
    stack.enter_context(external_dns_standing_still(lab))
    zone = Zone(lab)
    stack.callback(zone.replace, DOMAIN, lab.facts["gateway_address"])
    zone.replace(DOMAIN, HAND_MADE)


def another_owner(stack: ExitStack, lab: Lab) -> None:
    """Let the record be of an older cluster, to which it leads."""
    another_address(stack, lab)
    zone = Zone(lab)
    [text] = zone.texts(OWNED, "TXT")
    ours = text.strip('"')
    stack.callback(zone.note, OWNED, ours)
    stack.callback(zone.forget, OWNED)
    zone.forget(OWNED)
    zone.note(OWNED, ours.replace(OWNER, "old-cluster"))


BROKEN: Mapping[str, tuple[Break, str, str, str]] = {
    "a listener for another host": (
        lambda stack, lab: listener(stack, lab, "hostname", "other.lab.test"),
        INBOX,
        "LOST",
        f"{TOLD} does not take {ROUTED}: NoMatchingListenerHostname; of its listeners none is for {DOMAIN}, "
        f"only {DOMAIN} for other.lab.test",
    ),
    "a listener that takes no routes of the namespace": (
        lambda stack, lab: listener(stack, lab, "allowedRoutes", {"namespaces": {"from": "Same"}}),
        INBOX,
        "LOST",
        f"{TOLD} does not take {ROUTED}: NotAllowedByListeners; listener {DOMAIN} of {TOLD} takes no routes from namespace mastodon",
    ),
    "a listener whose Secret is gone": (
        lambda stack, lab: listener(stack, lab, "tls/certificateRefs/0/name", "gone"),
        INBOX,
        "LOST",
        "Secret gateway-system/gone does not exist; no Certificate writes that Secret",
    ),
    "a Secret that somebody else wrote": (
        another_secret,
        TLS,
        "CUT",
        "Secret gateway-system/by-hand has that certificate; no Certificate writes that Secret",
    ),
    "a challenge that cannot be written": (
        blocked_challenge,
        INBOX,
        "LOST",
        "Secret gateway-system/blocked does not exist; Certificate gateway-system/blocked is not ready: ",
    ),
    "a route on another Gateway": (
        lambda stack, lab: set_field(stack, lab, ROUTE, "/spec/parentRefs/0/name", "another"),
        INBOX,
        "LOST",
        f"{ROUTED}, which names {DOMAIN}, is on Gateway gateway-system/another, and not on {TOLD}",
    ),
    "a Service that is not there": (
        lambda stack, lab: set_field(stack, lab, ROUTE, "/spec/rules/1/backendRefs/0/name", "renamed"),
        INBOX,
        "CUT",
        f"{ROUTED}: BackendNotFound; Service mastodon/renamed, which {ROUTED} sends to, does not exist",
    ),
    "a selector that no pod has": (
        lambda stack, lab: set_field(
            stack,
            lab,
            ("service", "-n=mastodon", "mastodon-web"),
            "/spec/selector/app.kubernetes.io~1component",
            "wrong",
        ),
        INBOX,
        "CUT",
        "Service mastodon/mastodon-web selects pods by app.kubernetes.io/component=wrong,app.kubernetes.io/instance=mastodon",
    ),
    "streaming without pods": (
        lambda stack, lab: scaled(stack, lab, "mastodon", "mastodon-streaming"),
        STREAMING,
        "SOME",
        "Service mastodon/mastodon-streaming has no pods; Deployment mastodon/mastodon-streaming is scaled to 0",
    ),
    "web without pods": (
        lambda stack, lab: scaled(stack, lab, "mastodon", "mastodon-web"),
        INBOX,
        "CUT",
        "Service mastodon/mastodon-web has no pods; Deployment mastodon/mastodon-web is scaled to 0",
    ),
    "a policy that lets nobody in": (
        nobody_let_in,
        f"https://{DOMAIN}/",
        "CUT",
        "NetworkPolicy mastodon/mastodon-web and NetworkPolicy mastodon/nothing-in let nobody of Pod traefik/traefik-",
    ),
    "a Gateway without a controller": (
        lambda stack, lab: scaled(stack, lab, "traefik", "traefik"),
        DOMAIN,
        "CUT",
        "Service traefik/traefik has no pods; Deployment traefik/traefik is scaled to 0",
    ),
    "an external-dns that does not run": (
        another_address,
        DOMAIN,
        "CUT",
        f"DNS says {HAND_MADE}; {TOLD} has ",
    ),
    "a record of another owner": (
        another_owner,
        DOMAIN,
        "CUT",
        f"the TXT says owner old-cluster, and this external-dns is {OWNER}",
    ),
}


@pytest.fixture(scope="module", autouse=True)
def settled(installed: Lab) -> Iterator[None]:
    """In the end let the Gateway's fields be ours again, as of those that were put back kubectl would stay the manager."""
    yield
    run = installed.site("--tags=gateway")
    assert run.returncode == 0, run.output[-3000:]


@pytest.mark.parametrize("name", BROKEN)
def test_the_first_broken_link_is_named(installed: Lab, name: str) -> None:
    broken, subject, verdict, why = BROKEN[name]

    def seen() -> list[tuple[str, str]]:
        return [(one["verdict"], one["cause"]) for one in looked(installed) if one["subject"].startswith(subject)]

    assert looked(installed) == []
    with ExitStack() as stack:
        broken(stack, installed)
        eventually(seen, lambda found: any(one[0] == verdict and why in one[1] for one in found), 60)
    eventually(lambda: looked(installed), lambda found: found == [], 60)


def test_a_run_that_ends_with_a_look_fails_where_others_do_not_come(installed: Lab) -> None:
    with ExitStack() as stack:
        another_address(stack, installed)
        run = installed.site("--tags=mastodon", '--extra-vars={"mastodon_federation_check": true}')
    assert run.returncode == 2
    assert f"Cause: DNS says {HAND_MADE}; {TOLD} has " in run.output
    assert "Mastodon https://social.lab.test: answers for social.lab.test" in run.output
    eventually(lambda: looked(installed), lambda found: found == [], 60)
