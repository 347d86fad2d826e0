# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How links between the world and Mastodon are broken for a while, and looked at meanwhile."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.module_utils._run import Run
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks.federation_check import ARGUMENTS, run_task
from ansible_collections.fediverse.mastodon.tests.unit.certificates import Authority

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
# Whom the look trusts beside the lab's own.
AUTHORITY = Authority("An authority of the tests")
# Breaks one thing, for as long as the stack is open.
Break = Callable[[ExitStack, Lab], object]


@dataclass(frozen=True)
class Fault:
    """How something is broken, and what is found: where, how bad, with which message and cause; and what is declared otherwise than it is."""

    broken: Break
    subject: str
    verdict: str
    message: str
    cause: str
    declared: Callable[[Lab], Mapping[str, object]] = field(default=lambda lab: {})

    def is_in(self, found: Sequence[Mapping[str, str]]) -> bool:
        """Whether it is among what was found."""
        return any(
            (one["verdict"], one["message"]) == (self.verdict, self.message)
            and one["subject"].startswith(self.subject)
            and self.cause in one["cause"]
            for one in found
        )


def is_traced(lab: Lab, fault: Fault, **declared: object) -> None:
    """Compare what is found of a fault, which is wrong neither before nor afterwards. `declared` is so meanwhile, too."""
    assert looked(lab, **declared) == []
    with ExitStack() as stack:
        fault.broken(stack, lab)
        eventually(lambda: looked(lab, **declared, **fault.declared(lab)), fault.is_in, 60)
    eventually(lambda: looked(lab, **declared), lambda found: found == [], 60)


def findings(lab: Lab, **declared: object) -> list[dict[str, Any]]:
    """Return all that is found, as the playbook finds it, which the smoke tests run."""
    given: dict[str, Any] = {name: option.get("default") for name, option in ARGUMENTS.options.items()}
    given |= {"domain": DOMAIN, "account": "owner", "software": "mastodon", "internal": True}
    given |= {"kubeconfig": lab.facts["kubeconfig"], "nameserver": lab.facts["nameserver_address"]}
    given |= {"ca_certificates": [Path(lab.facts["acme_roots"]).read_text(), AUTHORITY.certificate]}
    given |= {"gateway": {"namespace": "gateway-system", "name": "shared-gateway-external"}}
    given |= {"external_dns_owner_id": OWNER, "external_dns_txt_prefix": "edns-%{record_type}."}
    given |= declared
    result = run_task(given, Run(check=True, diff=False, say=lambda line: None, environment={}))
    found: list[dict[str, Any]] = result["findings"]
    return found


def looked(lab: Lab, **declared: object) -> list[dict[str, Any]]:
    """Return what is wrong. Of notes there are some at times: who looks often has used up his share of requests, and gets 429."""
    return [one for one in findings(lab, **declared) if one["verdict"] in ("LOST", "CUT", "SOME")]


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


def add(stack: ExitStack, lab: Lab, what: tuple[str, ...], path: str, value: object) -> None:
    """Add a field that is not there, and remove it in the end."""
    for change in ({"op": "remove", "path": path}, {"op": "add", "path": path, "value": value}):
        patched = (lab.kubectl, "patch", *what, "--type=json", f"--patch={json.dumps([change])}")
        if change["op"] == "remove":
            stack.callback(*patched)
        else:
            lab.kubectl(*patched[1:])


def another_secret(stack: ExitStack, lab: Lab, chain: str, key: str) -> None:
    """Let the listener show a certificate that somebody has put there: Traefik shows any of its own that is for the host."""
    place = {"name": "by-hand", "namespace": "gateway-system"}
    secret = {"apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/tls", "metadata": place}
    lab.kubectl("apply", "-f-", given=json.dumps({**secret, "stringData": {"tls.crt": chain, "tls.key": key}}))
    stack.callback(lab.kubectl, "delete", "secret", "-n=gateway-system", "by-hand")
    for number, one in enumerate(lab.get(*GATEWAY)["spec"]["listeners"]):
        if "tls" in one:
            set_field(stack, lab, GATEWAY, f"/spec/listeners/{number}/tls/certificateRefs/0/name", "by-hand")


def blocked_challenge(stack: ExitStack, lab: Lab, *names: str) -> None:
    """Let the listener wait for a certificate whose challenge cannot be written: nobody takes it at that address. `names` are of who waits for it."""
    solver = {"dns01": {"rfc2136": {"nameserver": f"{lab.facts['machine_address']}:53"}}}
    waiting(stack, lab, solver, lab.facts["acme_directory"], *names)


def untaken_challenge(stack: ExitStack, lab: Lab) -> None:
    """Let it wait for a certificate whose challenge is answered by a route that the listener without TLS does not take."""
    nobody = {"namespaces": {"from": "Selector", "selector": {"matchLabels": {"nobody": "here"}}}}
    listeners = lab.get(*GATEWAY)["spec"]["listeners"]
    number, name = next((number, one["name"]) for number, one in enumerate(listeners) if one["protocol"] == "HTTP")
    set_field(stack, lab, GATEWAY, f"/spec/listeners/{number}/allowedRoutes", nobody)
    parent = {"name": GATEWAY[2], "namespace": "gateway-system", "kind": "Gateway", "sectionName": name}
    waiting(stack, lab, {"http01": {"gatewayHTTPRoute": {"parentRefs": [parent]}}}, lab.facts["acme_directory"])


def waiting(stack: ExitStack, lab: Lab, solver: Mapping[str, object], server: str, *names: str) -> None:
    """Let the listener wait for a certificate of an ACME server, which is proved to it in a way that does not come to its end."""
    trusted = Path(lab.facts["acme_ca_file"]).read_text() + AUTHORITY.certificate
    acme = {
        "server": server,
        "caBundle": b64encode(trusted.encode()).decode(),
        "privateKeySecretRef": {"name": "blocked-account"},
        "solvers": [solver],
    }
    spec = {"secretName": "blocked", "dnsNames": [DOMAIN], "issuerRef": {"name": "blocked"}}
    wanted = [("Certificate", name, spec) for name in names or ("blocked",)]
    for kind, name, said in ("Issuer", "blocked", {"acme": acme}), *wanted:
        place = {"name": name, "namespace": "gateway-system"}
        item = {"apiVersion": "cert-manager.io/v1", "kind": kind, "metadata": place, "spec": said}
        lab.kubectl("apply", "-f-", given=json.dumps(item))
        stack.callback(lab.kubectl, "delete", kind.lower(), "-n=gateway-system", name, "--wait=false")
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
