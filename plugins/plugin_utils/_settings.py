# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the values of the settings can be meant, by their types and by what their names say they hold.

Ansible checks the types of a role's settings when that role begins; by then the roles before it have written. This
plugin util is PRIVATE to the collection.
"""

from __future__ import annotations

import difflib
import ipaddress
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

Spec = Mapping[str, Any]

_TYPES = {
    "bool": "neither true nor false",
    "dict": "no mapping",
    "float": "no number",
    "int": "no whole number",
    "list": "no list",
    "str": "no text",
}
# What Mastodon 4.5 and later ask for: https://github.com/mastodon/mastodon/blob/main/lib/tasks/db.rake
OLDEST_POSTGRESQL = 14
_LABEL = r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?"
_DNS_NAME = re.compile(rf"(?=.{{1,253}}$){_LABEL}(\.{_LABEL})*")


def _matches(pattern: str) -> Callable[[str], bool]:
    compiled = re.compile(pattern)
    return lambda text: compiled.fullmatch(text) is not None


def _is_public_name(text: str) -> bool:
    return _DNS_NAME.fullmatch(text) is not None and "." in text and not _is_network(text)


def _is_host(text: str) -> bool:
    return _DNS_NAME.fullmatch(text) is not None or _is_network(text)


def _is_network(text: str) -> bool:
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        return False
    return True


def _is_new_enough_postgresql(image: str) -> bool:
    tag = re.search(r":(\d+)[^/]*$", image.partition("@")[0])
    return tag is None or int(tag[1]) >= OLDEST_POSTGRESQL


def _is_url(*schemes: str) -> Callable[[str], bool]:
    def is_url(text: str) -> bool:
        try:
            parts = urlsplit(text)
            return parts.scheme in schemes and bool(parts.hostname) and parts.port != 0
        except ValueError:
            return False

    return is_url


@dataclass(frozen=True)
class Format:
    """What a text must be like, said as what it is not, and one that is right."""

    accepts: Callable[[str], bool]
    not_a: str
    example: str


_PUBLIC_NAME = Format(_is_public_name, "no domain name, in small letters and without https://", "example.org")
_HOST = Format(_is_host, "no host name or address, without scheme and port", "db.example.org")
_LABEL_NAME = Format(_matches(_LABEL), "no name that Kubernetes takes (small letters, digits, dashes)", "mastodon")
_OBJECT_NAME = Format(_matches(_DNS_NAME.pattern), _LABEL_NAME.not_a, "mastodon")
_QUANTITY = Format(_matches(r"[0-9]+(\.[0-9]+)?(k|M|G|T|P|Ki|Mi|Gi|Ti|Pi)?"), "no Kubernetes quantity", "10Gi")
_HTTP = Format(_is_url("http", "https"), "no URL", "https://example.org")
_CHARTS = Format(_is_url("http", "https", "oci"), "no URL of a chart repository", "https://charts.example.org")
_EMAIL = Format(_matches(r"[^@\s]+@[^@\s]+\.[^@\s.]+"), "no mail address", "admin@example.org")
# https://github.com/mastodon/mastodon/blob/main/app/models/account.rb
_ACCOUNT = Format(_matches(r"[a-zA-Z0-9_]{1,30}"), "no account name (letters, digits, underscores)", "alice")
_VERSION = Format(_matches(r"v?\d+\.\d+\.\d+([-+][0-9A-Za-z.+-]+)?"), "no version of a chart", "1.2.3")
_SCHEDULE = Format(_matches(r"\S+( \S+){4}"), "no cron schedule of five fields", "17 3 * * *")
_RELEASE = Format(_matches(r"v?\d+\.\d+\.\d+([-+@].*)?"), "no release", "v4.7.4")
_DURATION = Format(_matches(r"(\d+(h|m|s|ms))+"), "no duration", "30m")
_NETWORK = Format(_is_network, "no range of addresses", "10.0.0.0/8")
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
_BUCKET = Format(_matches(r"[a-z0-9][-.a-z0-9]{1,61}[a-z0-9]"), "no bucket name", "mastodon")

# The number behind the name decides; an image that is named by a digest alone is left to the check of the running server.
_POSTGRESQL = Format(_is_new_enough_postgresql, "no PostgreSQL 14 or newer", "ghcr.io/cloudnative-pg/postgresql:17.6")
_WILDCARD = Format(lambda text: _is_public_name(text.removeprefix("*.")), _PUBLIC_NAME.not_a, "example.org")
_PORT = Format(lambda text: text.isdecimal() and 1 <= int(text) <= 65535, "no port", "587")
_COUNT = Format(lambda text: text.isdecimal() and int(text) >= 1, "less than one", "1")
_WHOLE = Format(lambda text: text.isdecimal(), "no whole number from zero on", "2")
_SECONDS = Format(lambda text: text.isdecimal() and int(text) >= 1, "no number of seconds", "600")

# By the end of a setting's name, as every role names its settings alike; the first that fits counts.
_FORMATS = {
    "_alias_host": _PUBLIC_NAME,
    "_kubernetes_host": _HTTP,
    "_host": _HOST,
    "_smtp_server": _HOST,
    "_domain": _PUBLIC_NAME,
    "_hostnames": _WILDCARD,
    "_zones": _PUBLIC_NAME,
    "_nameserver": _HOST,
    "_acme_server": _HTTP,
    "_endpoint": _HTTP,
    "vault_address": _HTTP,
    "_chart_repository": _CHARTS,
    "_chart_version": _VERSION,
    "_image_tag": _RELEASE,
    "_acme_email": _EMAIL,
    "_admin_email": _EMAIL,
    "_admin_username": _ACCOUNT,
    "_from_address": _EMAIL,
    "_bucket": _BUCKET,
    "cnpg_cluster_image": _POSTGRESQL,
    "_trusted_proxies": _NETWORK,
    "_storage_size": _QUANTITY,
    "_bucket_size": _QUANTITY,
    "_memory": _QUANTITY,
    "_namespace": _LABEL_NAME,
    "_name": _OBJECT_NAME,
    "_port": _PORT,
    "_release_timeout": _DURATION,
    "_timeout": _SECONDS,
    "_replicas": _COUNT,
    "_instances": _COUNT,
    "_processes": _WHOLE,
    "_threads": _COUNT,
    "_connections": _COUNT,
    "_days": _WHOLE,
    "_removal_schedule": _SCHEDULE,
}


def wrong(values: Mapping[str, Any], options: Mapping[str, Spec]) -> list[str]:
    """Return one sentence for each value that can't be meant; `options` are the roles' argument specs.

    Values are templated already. Those that are empty are some default's, or missing, which others tell.
    """
    problems = []
    for name in sorted(values):
        spec = options.get(name, {"type": "str"})
        value = values[name]
        if value in (None, "", [], {}):
            continue
        problem = _wrong_type(value, spec) or _wrong_choice(value, spec) or _wrong_content(name, value)
        if problem:
            problems.append(f"Variable {name}: {problem}")
    return problems


def coerced(values: Mapping[str, Any], options: Mapping[str, Spec]) -> dict[str, Any]:
    """Return right values in the types of their argument specs: the command line gives text for everything."""
    specs = {name: _bare(options[name]) for name in values}
    return dict(ArgumentSpecValidator(specs).validate(values).validated_parameters)


def _bare(spec: Spec) -> dict[str, Any]:
    return {key: item for key, item in spec.items() if key in ("type", "elements", "options", "no_log")}


def _wrong_type(value: Any, spec: Spec) -> str:
    wanted = spec.get("type", "str")
    if wanted == "str" and isinstance(value, (Mapping, list)):
        return f"a {'mapping' if isinstance(value, Mapping) else 'list'} is {_TYPES[wanted]}. Give it in quotes."
    errors = ArgumentSpecValidator({"value": _bare(spec)}).validate({"value": value}).error_messages
    if not errors:
        return ""
    if isinstance(value, {"dict": Mapping, "list": list}.get(wanted, ())):
        return f"something in it is wrong: {errors[0]}. `ansible-doc -t role` shows what it may hold."
    return f"{_shown(value, spec)} is {_TYPES.get(wanted, f'no {wanted}')}. `ansible-doc -t role` explains it."


def _wrong_choice(value: Any, spec: Spec) -> str:
    choices = [str(choice) for choice in spec.get("choices") or () if choice != ""]
    for item in value if isinstance(value, list) else [value]:
        if choices and str(item) not in choices:
            close = difflib.get_close_matches(str(item), choices, n=1)
            meant = f"Did you mean {close[0]}?" if close else "Choose one of these."
            return f"{item!r} is none of {', '.join(choices)}. {meant}"
    return ""


def _wrong_content(name: str, value: Any) -> str:
    wanted = next((found for end, found in _FORMATS.items() if name.endswith(end)), None)
    for item in value if isinstance(value, list) else [value]:
        if wanted and not wanted.accepts(str(item)):
            return f"{item!r} is {wanted.not_a}. Write it like {wanted.example}."
    return ""


def _shown(value: Any, spec: Spec) -> str:
    return "its value" if spec.get("no_log") else repr(value)
