# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How to reach the instance from outside, and the cluster behind it."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

from mastodon_lab.errors import LabError
from mastodon_lab.parts import acme, dns

DOMAIN = "social.lab.test"
NAMESPACE = "mastodon"
SECONDS = 15.0


@dataclass(frozen=True)
class Answer:
    """One HTTP answer; the names of `headers` are lower-case."""

    status: int
    media_type: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)

    def json(self) -> Any:
        """Return the body as JSON."""
        return json.loads(self.body)


@dataclass(frozen=True)
class Site:
    """The Gateway's address, the authority to trust, the lab's DNS, and the cluster behind it all.

    `mail_api` is where Mailpit answers, empty in a lab without mail. `ceph` says whether the bucket is of the lab's Ceph. `domain` is that
    of accounts, which another web site may have; `database` names PostgreSQL's pod, as NAMESPACE/POD, where it is not CloudNativePG's.
    """

    gateway: str
    kubectl: tuple[str, ...]
    vault_address: str
    vault_token: str
    authority: str
    dns_address: str = ""
    mail_api: str = ""
    ceph: bool = True
    domain: str = DOMAIN
    database: str = ""

    @classmethod
    def from_facts(cls, facts: Path, kubectl: Path) -> Site:
        """Read `lab.json` as `up` wrote it, and the ACME server's roots: nobody else's certificates will do."""
        lab = json.loads(facts.read_text(encoding="utf-8"))
        command = (str(kubectl), f"--kubeconfig={lab['kubeconfig']}")
        return cls(
            gateway=lab["gateway_address"],
            kubectl=command,
            vault_address=lab["vault_address"],
            vault_token=Path(lab["vault_token_file"]).read_text(encoding="utf-8").strip(),
            authority=_issued_from(lab["acme_root"], lab["acme_ca_file"]) + _noted(lab.get("acme_roots", "")),
            dns_address=lab["dns_address"],
            mail_api=lab.get("mail_api", ""),
            ceph=bool(lab.get("ceph_disk")),
        )

    def in_namespace(self, *arguments: str) -> str:
        """Run kubectl in Mastodon's namespace and return what it prints."""
        return run(*self.kubectl, f"--namespace={NAMESPACE}", *arguments)

    def request(self, method: str, path: str, body: bytes | None = None, **headers: str) -> Answer:
        """Send one HTTPS request to the domain through the Gateway; the certificate must be trusted and match."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return _ask(_ToAddress(DOMAIN, self.gateway, self._trust()), method, path, body, named)

    def fetch(self, url: str) -> Answer:
        """Get what lies at an address in the lab, without credentials, by the name that the lab's DNS knows."""
        parts = urlsplit(url)
        host = parts.hostname or ""
        try:
            address = dns.address_of(host, self.dns_address)
        except OSError as error:
            raise LabError(f"GET {url}: its host can't be found: {error}. Check that name's DNS record.") from error
        if parts.scheme == "https":
            connection: http.client.HTTPConnection = _ToAddress(host, address, self._trust())
        else:
            connection = http.client.HTTPConnection(address, parts.port or 80, timeout=SECONDS)
        return _ask(connection, "GET", parts._replace(scheme="", netloc="").geturl(), None, {"Host": parts.netloc})

    def connect(self) -> ssl.SSLSocket:
        """Open a connection to the domain through the Gateway."""
        try:
            plain = socket.create_connection((self.gateway, 443), SECONDS)
            return self._trust().wrap_socket(plain, server_hostname=DOMAIN)
        except OSError as error:
            raise LabError(f"https://{DOMAIN}: no connection by {self.gateway}: {error}.") from error

    def _trust(self) -> ssl.SSLContext:
        return ssl.create_default_context(cadata=self.authority)


def _issued_from(root_url: str, trusted: str) -> str:
    """Return the root that the lab's ACME server issues from now, in PEM."""
    try:
        return acme.root(urlsplit(root_url).hostname or "", ssl.create_default_context(cafile=trusted)) + "\n"
    except OSError as error:
        raise LabError(f"ACME server: no answer at {root_url}: {error}. {acme.ADVICE}") from error


def _noted(file: str) -> str:
    """Return the roots that it issued from before it was started anew, none of labs from before they were noted."""
    return Path(file).read_text(encoding="utf-8") if file and Path(file).exists() else ""


class _ToAddress(http.client.HTTPSConnection):
    """HTTPS to a host at a given address, as the host is in no public DNS."""

    def __init__(self, host: str, address: str, context: ssl.SSLContext) -> None:
        super().__init__(host, 443, timeout=SECONDS, context=context)
        self._address = address
        self._trust = context

    def connect(self) -> None:
        self.sock = self._trust.wrap_socket(
            socket.create_connection((self._address, 443), self.timeout), server_hostname=self.host
        )


def _ask(
    connection: http.client.HTTPConnection, method: str, path: str, body: bytes | None, headers: Mapping[str, str]
) -> Answer:
    try:
        connection.request(method, path, body, dict(headers))
        response = connection.getresponse()
        found = {name.lower(): value for name, value in response.headers.items()}
        return Answer(response.status, response.headers.get_content_type(), response.read(), found)
    except (OSError, http.client.HTTPException) as error:
        raise LabError(f"{method} {path}: no answer from {connection.host}: {error}.") from error
    finally:
        connection.close()


def json_of(url: str, **headers: str) -> Any:
    """Get JSON from one of the lab's own servers."""
    try:
        request = Request(url, headers={name.replace("_", "-"): value for name, value in headers.items()})  # noqa: S310 the lab's own
        with urlopen(request, timeout=SECONDS) as response:  # noqa: S310 the lab's own
            return json.load(response)
    except (OSError, ValueError) as error:
        raise LabError(f"GET {url}: {error}. Check `lab/status`.") from error


def run(*command: str) -> str:
    """Run a command and return what it prints."""
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise LabError(f"{' '.join(command[2:6])}: failed: {reason}.")
    return done.stdout
