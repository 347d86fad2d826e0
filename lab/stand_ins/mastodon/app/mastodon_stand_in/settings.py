# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the chart's environment says, read as Mastodon reads it and refused where Mastodon would fail."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlsplit

from mastodon_stand_in.errors import RefusalError

Environment = Mapping[str, str]
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_HOSTNAME = re.compile(r"(?=.{1,253}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*")

# Which Rails takes for proxies of ours when nothing else is said (ActionDispatch::RemoteIp).
_PRIVATE = tuple(
    ipaddress.ip_network(network)
    for network in ("127.0.0.0/8", "::1", "fc00::/7", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")
)


@dataclass(frozen=True)
class Site:
    """Which instance this is and whom it answers."""

    local_domain: str
    web_domain: str
    alternate_domains: tuple[str, ...] = ()
    authorized_fetch: bool = False
    api_is_closed: bool = False
    streaming_base_url: str = ""
    trusted_proxies: tuple[Network, ...] = ()
    allowed_private_addresses: tuple[Network, ...] = ()
    self_destruct: str = ""

    @classmethod
    def from_environment(cls, environment: Environment) -> Site:
        """Read the domains and modes."""
        local = _domain(environment, "LOCAL_DOMAIN", _required(environment, "LOCAL_DOMAIN"))
        alternate = environment.get("ALTERNATE_DOMAINS", "").replace(" ", "").split(",")
        web = _domain(environment, "WEB_DOMAIN", environment.get("WEB_DOMAIN") or local)
        closing = ("DISALLOW_UNAUTHENTICATED_API_ACCESS", "LIMITED_FEDERATION_MODE")
        return cls(
            local_domain=local,
            web_domain=web,
            alternate_domains=tuple(filter(None, alternate)),
            authorized_fetch=is_true(environment, "AUTHORIZED_FETCH"),
            api_is_closed=any(is_true(environment, name) for name in closing),
            streaming_base_url=environment.get("STREAMING_API_BASE_URL") or f"wss://{web}",
            trusted_proxies=_networks(environment, "TRUSTED_PROXY_IP") or _PRIVATE,
            allowed_private_addresses=_networks(environment, "ALLOWED_PRIVATE_ADDRESSES"),
            self_destruct=environment.get("SELF_DESTRUCT", ""),
        )

    @property
    def hosts(self) -> frozenset[str]:
        """The hosts that requests may name."""
        return frozenset((self.local_domain, self.web_domain, *self.alternate_domains))

    def url(self, path: str) -> str:
        """Return an absolute address on the web domain."""
        return f"https://{self.web_domain}{path}"


@dataclass(frozen=True)
class DatabaseSettings:
    """How to reach PostgreSQL."""

    host: str
    port: int
    name: str
    user: str
    password: str = field(repr=False)
    sslmode: str = "prefer"
    authority: str = ""
    threads: int = 5

    @classmethod
    def from_environment(cls, environment: Environment) -> DatabaseSettings:
        """Read DB_*; the number of threads that use it comes from DB_POOL or MAX_THREADS."""
        return cls(
            host=_required(environment, "DB_HOST"),
            port=number(environment, "DB_PORT", 5432),
            name=_required(environment, "DB_NAME"),
            user=_required(environment, "DB_USER"),
            password=_required(environment, "DB_PASS"),
            sslmode=environment.get("DB_SSLMODE") or "prefer",
            threads=number(environment, "DB_POOL", number(environment, "MAX_THREADS", 5)),
        )

    @classmethod
    def for_streaming(cls, environment: Environment) -> DatabaseSettings:
        """Read DB_* as Node does, which knows no `prefer`: no TLS, TLS unverified, or TLS fully verified."""
        modes = {"": "disable", "disable": "disable", "no-verify": "require"}
        mode = modes.get(environment.get("DB_SSLMODE", ""), "verify-full")
        return replace(
            cls.from_environment(environment),
            sslmode=mode,
            authority=environment.get("NODE_EXTRA_CA_CERTS", "") if mode == "verify-full" else "",
            threads=number(environment, "DB_POOL", 10),
        )


@dataclass(frozen=True)
class RedisSettings:
    """How to reach a Redis-compatible server."""

    host: str
    port: int
    user: str | None
    password: str | None = field(repr=False)
    database: int = 0

    @classmethod
    def from_environment(cls, environment: Environment, prefix: str = "") -> RedisSettings:
        """Read REDIS_*, or those with a prefix (`SIDEKIQ_`, `CACHE_`) when these name a host at all."""
        if prefix and not environment.get(f"{prefix}REDIS_HOST"):
            prefix = ""
        return cls(
            host=environment.get(f"{prefix}REDIS_HOST") or "localhost",
            port=number(environment, f"{prefix}REDIS_PORT", 6379),
            user=environment.get(f"{prefix}REDIS_USER") or None,
            password=environment.get(f"{prefix}REDIS_PASSWORD") or None,
            database=number(environment, f"{prefix}REDIS_DB", 0),
        )

    @property
    def client(self) -> dict[str, Any]:
        """What every client of it is given."""
        return {
            "host": self.host,
            "port": self.port,
            "username": self.user,
            "password": self.password,
            "db": self.database,
            "decode_responses": True,
        }


@dataclass(frozen=True)
class BucketSettings:
    """Where media are kept, and the address under which everyone reads them."""

    bucket: str
    endpoint: str
    region: str
    access_key_id: str
    secret_access_key: str = field(repr=False)
    public_url: str
    # None sends no ACL.
    permission: str | None
    path_style: bool

    @classmethod
    def from_environment(cls, environment: Environment) -> BucketSettings:
        """Read S3_* and AWS_*."""
        if not is_true(environment, "S3_ENABLED"):
            raise RefusalError(
                "S3_ENABLED: it is not true, but the stand-in keeps media in S3 only. Enable mastodon.s3."
            )
        bucket = _required(environment, "S3_BUCKET")
        endpoint = _required(environment, "S3_ENDPOINT")
        if urlsplit(endpoint).scheme not in ("http", "https") or not urlsplit(endpoint).hostname:
            raise RefusalError(
                f"S3_ENDPOINT: {endpoint} has no scheme or host. Give a URL, such as https://s3.example.com."
            )
        permission = environment.get("S3_PERMISSION", "public-read")
        return cls(
            bucket=bucket,
            endpoint=endpoint,
            region=environment.get("S3_REGION") or "us-east-1",
            access_key_id=_required(environment, "AWS_ACCESS_KEY_ID"),
            secret_access_key=_required(environment, "AWS_SECRET_ACCESS_KEY"),
            public_url=_public_url(environment, bucket),
            permission=permission or None,
            path_style=environment.get("S3_OVERRIDE_PATH_STYLE") != "true",
        )


def _public_url(environment: Environment, bucket: str) -> str:
    protocol = environment.get("S3_PROTOCOL") or "https"
    if protocol not in ("http", "https"):
        raise RefusalError(f"S3_PROTOCOL: {protocol} is neither http nor https. Correct mastodon.s3.protocol.")
    alias = environment.get("S3_ALIAS_HOST", "")
    hostname = _required(environment, "S3_HOSTNAME")
    for name, host in (("S3_ALIAS_HOST", alias), ("S3_HOSTNAME", hostname)):
        if "://" in host:
            raise RefusalError(f"{name}: {host} has a scheme. Give the host only; mastodon.s3.endpoint takes the URL.")
    return f"{protocol}://{alias}" if alias else f"{protocol}://{hostname}/{bucket}"


def _required(environment: Environment, name: str) -> str:
    value = environment.get(name, "").strip()
    if not value:
        raise RefusalError(f"{name}: it is missing or blank. Check the chart's values, and the Secret it comes from.")
    return value


def number(environment: Environment, name: str, default: int) -> int:
    """Return a variable as a whole number."""
    value = environment.get(name) or str(default)
    if not value.isdecimal():
        raise RefusalError(f"{name}: {value!r} is not a whole number. Correct it in the chart's values.")
    return int(value)


def is_true(environment: Environment, name: str) -> bool:
    """Return whether a variable is `true`, the only spelling that upstream takes."""
    return environment.get(name) == "true"


def _domain(environment: Environment, name: str, value: str) -> str:
    host = value.lower()
    if not _HOSTNAME.fullmatch(host):
        raise RefusalError(f"{name}: {value!r} is not a domain. Give it without scheme, port and path.")
    return host


def _networks(environment: Environment, name: str) -> tuple[Network, ...]:
    found = []
    for network in filter(None, re.split(r"[,\s]+", environment.get(name, ""))):
        try:
            found.append(ipaddress.ip_network(network, strict=False))
        except ValueError as error:
            raise RefusalError(f"{name}: {network!r} is not an address or CIDR. Separate several by commas.") from error
    return tuple(found)
