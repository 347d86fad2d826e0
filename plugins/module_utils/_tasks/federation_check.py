# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The task `federation_check`: from options to a result, in the controller or on a target."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.module_utils._dns.resolver import Resolver
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.budget import Budget
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.examine import examine
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.target import Target
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.vantage import HERE
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.secret import must_have_secret
from ansible_collections.fediverse.mastodon.plugins.module_utils._libraries import needs
from ansible_collections.fediverse.mastodon.plugins.module_utils._net.https import Trust, trust_in
from ansible_collections.fediverse.mastodon.plugins.module_utils._run import Arguments, Run, Task
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.kubernetes import (
    KUBERNETES_OPTIONS,
    connect,
)

ARGUMENTS = Arguments(
    {
        **KUBERNETES_OPTIONS,
        "account": {"type": "str", "default": ""},
        "addresses": {"type": "list", "elements": "str", "default": []},
        "ca_certificates": {"type": "list", "elements": "str", "default": []},
        "ca_secret": {
            "type": "dict",
            # Where a secret is, not what it is.
            "no_log": False,
            "options": {"namespace": {"type": "str", "required": True}, "name": {"type": "str", "required": True}},
        },
        "domain": {"type": "str", "required": True},
        "external_dns_owner_id": {"type": "str", "default": ""},
        "external_dns_txt_prefix": {"type": "str", "default": ""},
        "followed_hosts": {"type": "list", "elements": "str", "default": []},
        "internal": {"type": "bool", "default": False},
        # Of a public key.
        "key_fingerprint": {"type": "str", "default": "", "no_log": False},
        "limited_federation": {"type": "bool", "default": False},
        "media_hostname": {"type": "str", "default": ""},
        "media_path": {"type": "str", "default": ""},
        "nameserver": {"type": "str", "default": ""},
        "nameserver_port": {"type": "int", "default": 53},
        "secure_mode": {"type": "bool", "default": False},
        "streaming_hostname": {"type": "str", "default": ""},
        "taken_as_public": {"type": "list", "elements": "str", "default": []},
        "web_domain": {"type": "str", "default": ""},
    }
)


def run_task(parameters: Mapping[str, Any], run: Run) -> dict[str, Any]:
    """Look at an instance once, as other servers see it, and report what is lost. It fails when posts are lost or cut off."""
    needs("cryptography", "dns")
    target = _target(parameters)
    trust = _trust([*parameters["ca_certificates"], *_own_authority(parameters, run)])
    resolver = Resolver(parameters["nameserver"], parameters["nameserver_port"])
    report = examine(target, HERE, resolver, trust, Budget())
    for line in report.lines():
        run.say(line)
    if report.passed:
        return {"changed": False, **report.plain(report.findings)}
    # Ansible prints a failed task's result whole: only what is wrong belongs there.
    wrong = [finding for finding in report.findings if finding.fault]
    return {
        "changed": False,
        **report.plain(wrong),
        "failed": True,
        "msg": f"Federation of {target.domain}: {report.summary}.",
    }


def _target(parameters: Mapping[str, Any]) -> Target:
    for option, form in _FORMS.items():
        for value in _listed(parameters[option]):
            _check(option, value, form)
    domain = parameters["domain"].lower()
    return Target(
        domain,
        parameters["web_domain"].lower() or domain,
        streaming=parameters["streaming_hostname"].lower(),
        media=parameters["media_hostname"].lower(),
        media_path=parameters["media_path"],
        account=parameters["account"],
        key=parameters["key_fingerprint"],
        secure=parameters["secure_mode"],
        limited=parameters["limited_federation"],
        internal=parameters["internal"],
        followed=[host.lower() for host in parameters["followed_hosts"]],
        addresses=parameters["addresses"],
        owner=parameters["external_dns_owner_id"],
        txt_prefix=parameters["external_dns_txt_prefix"],
        taken_as_public=parameters["taken_as_public"],
    )


def _listed(given: str | list[str]) -> list[str]:
    return given if isinstance(given, list) else [given] * bool(given)


def _host(value: str) -> None:
    if not re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)+", value):
        raise ValueError(f"{value!r} is no name of a host")


def _account(value: str) -> None:
    if not re.fullmatch(r"[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_])?", value):
        raise ValueError(f"{value!r} is no name of an account")


# What an option must be, and how it looks.
_FORMS: Mapping[str, tuple[Callable[[str], object], str]] = {
    "account": (_account, "alice, without its domain"),
    "addresses": (ipaddress.ip_address, "203.0.113.7"),
    "domain": (_host, "example.org"),
    "followed_hosts": (_host, "www.example.org"),
    "media_hostname": (_host, "media.example.org"),
    "streaming_hostname": (_host, "streaming.example.org"),
    "taken_as_public": (ipaddress.ip_network, "203.0.113.0/24"),
    "web_domain": (_host, "social.example.org"),
}


def _check(option: str, value: str, form: tuple[Callable[[str], object], str]) -> None:
    try:
        form[0](value)
    except ValueError as error:
        raise MastodonError(f"Option {option}", "is wrong", str(error), f"Write it as {form[1]}.") from error


def _own_authority(parameters: Mapping[str, Any], run: Run) -> list[str]:
    """Return the certificate of an authority in the cluster, and of its Secret nothing else."""
    place = parameters["ca_secret"]
    if not place:
        return []
    secret = must_have_secret(connect(parameters, run.environment), place["namespace"], place["name"])
    if not (certificate := secret.data.get("ca.crt") or secret.data.get("tls.crt", "")):
        remedy = "Wait until cert-manager has written it."
        raise MastodonError(
            f"Secret {secret.name}", "has no certificate", "neither ca.crt nor tls.crt is in it", remedy
        )
    return [certificate]


def _trust(certificates: list[str]) -> Trust:
    try:
        return trust_in(*certificates)
    except (OSError, ValueError) as error:
        remedy = "Give each as PEM, from BEGIN to END CERTIFICATE."
        raise MastodonError("Option ca_certificates", "cannot be read", type(error).__name__, remedy) from error


TASK = Task(ARGUMENTS, run_task)
