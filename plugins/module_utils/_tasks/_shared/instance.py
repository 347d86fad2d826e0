# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is looked at, from options to a target: the same with Ansible and without."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.target import Target
from ansible_collections.fediverse.mastodon.plugins.module_utils._net.https import Trust, trust_in

# Of one instance.
INSTANCE: Mapping[str, Any] = {
    "account": {"type": "str", "default": ""},
    "addresses": {"type": "list", "elements": "str", "default": []},
    "domain": {"type": "str", "required": True},
    "echo": {"type": "bool", "default": False},
    "external_dns_owner_id": {"type": "str", "default": ""},
    "external_dns_txt_prefix": {"type": "str", "default": ""},
    "external_dns_txt_suffix": {"type": "str", "default": ""},
    "followed_hosts": {"type": "list", "elements": "str", "default": []},
    "hold": {"type": "bool", "default": False},
    "internal": {"type": "bool", "default": False},
    # Of a public key.
    "key_fingerprint": {"type": "str", "default": "", "no_log": False},
    "limited_federation": {"type": "bool", "default": False},
    "media_hostname": {"type": "str", "default": ""},
    "media_path": {"type": "str", "default": ""},
    "secure_mode": {"type": "bool", "default": False},
    "software": {"type": "str", "default": ""},
    "streaming_hostname": {"type": "str", "default": ""},
    "web_domain": {"type": "str", "default": ""},
}
# One of these, or many.
INSTANCES: Mapping[str, Any] = {
    **INSTANCE,
    "domain": {"type": "str"},
    "instances": {"type": "list", "elements": "dict", "default": [], "options": INSTANCE},
}
# Of the place that is looked from.
PLACE: Mapping[str, Any] = {
    "ca_certificates": {"type": "list", "elements": "str", "default": []},
    "nameserver": {"type": "str", "default": ""},
    "nameserver_port": {"type": "int", "default": 53},
    "taken_as_public": {"type": "list", "elements": "str", "default": []},
    "via": {"type": "dict", "options": {"ssh": {"type": "str", "required": True}}},
}


def targets_of(parameters: Mapping[str, Any]) -> Sequence[Target]:
    """Return what options say of one instance or of many. Raises MastodonError."""
    many = parameters["instances"]
    given = [name for name, option in INSTANCE.items() if parameters[name] not in (None, option.get("default"))]
    if many and given:
        why = "it is of one instance, and instances are given"
        raise MastodonError(f"Option {given[0]}", "is wrong", why, "Write it for each of the instances.")
    if not many and not parameters["domain"]:
        raise MastodonError("Option domain", "is missing", "", "Name a domain, or instances with a domain each.")
    place = {name: parameters[name] for name in PLACE}
    targets = [target_of({**place, **one}) for one in many or [parameters]]
    domains = [target.domain for target in targets]
    if twice := [domain for domain in domains if domains.count(domain) > 1]:
        raise MastodonError("Option instances", "is wrong", f"{twice[0]} is there twice", "Name each instance once.")
    return targets


def target_of(parameters: Mapping[str, Any]) -> Target:
    """Return what options say of an instance. Raises MastodonError."""
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
        txt_suffix=parameters["external_dns_txt_suffix"],
        software=parameters["software"].lower(),
        echo=parameters["echo"] or parameters["hold"],
        hold=parameters["hold"],
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


def trust_of(certificates: Sequence[str]) -> Trust:
    """Return trust in what this machine trusts and in these. Raises MastodonError."""
    try:
        return trust_in(*certificates)
    except (OSError, ValueError) as error:
        remedy = "Give each as PEM, from BEGIN to END CERTIFICATE."
        raise MastodonError("Option ca_certificates", "cannot be read", type(error).__name__, remedy) from error
