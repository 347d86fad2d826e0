# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Does the Mastodon in the lab really work? Asked from outside through the Gateway, then checked in what lies below it."""

from __future__ import annotations

import hashlib
import http.client
import json
import socket
import ssl
import struct
import subprocess
import uuid
import zlib
from base64 import b64decode
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode, urlsplit
from urllib.request import Request, urlopen

from mastodon_lab.errors import LabError

DOMAIN = "social.lab.test"
NAMESPACE = "mastodon"
# Secret in the cluster: path below the Vault mount that it must have come from.
SECRETS = {
    "mastodon-app": "app",
    "mastodon-s3": "s3",
    "mastodon-smtp": "smtp",
    "mastodon-redis": "redis",
    "mastodon-db-owner": "postgresql",
}
_ACCOUNT = "prover"


@dataclass(frozen=True)
class Site:
    """How to reach the instance: the Gateway's address, the authority to trust, and the cluster behind it."""

    gateway: str
    kubectl: tuple[str, ...]
    vault_address: str
    vault_token: str
    authority: str

    @classmethod
    def from_facts(cls, facts: Path, kubectl: Path) -> Site:
        """Read `lab.json` as `up` wrote it, and the authority's certificate from the cluster."""
        lab = json.loads(facts.read_text(encoding="utf-8"))
        command = (str(kubectl), f"--kubeconfig={lab['kubeconfig']}")
        authority = _run(*command, "get", "secret", "-n=cert-manager", "social-lab-test-private-ca", "-o=json")
        return cls(
            gateway=lab["gateway_address"],
            kubectl=command,
            vault_address=lab["vault_address"],
            vault_token=Path(lab["vault_token_file"]).read_text(encoding="utf-8").strip(),
            authority=b64decode(json.loads(authority)["data"]["tls.crt"]).decode(),
        )

    def in_namespace(self, *arguments: str) -> str:
        """Run kubectl in Mastodon's namespace and return what it prints."""
        return _run(*self.kubectl, f"--namespace={NAMESPACE}", *arguments)

    def request(self, method: str, path: str, body: bytes | None = None, **headers: str) -> Answer:
        """Send one HTTPS request to the domain through the Gateway; the certificate must be trusted and match."""
        connection = _GatewayConnection(self.gateway, ssl.create_default_context(cadata=self.authority))
        try:
            connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
            response = connection.getresponse()
            return Answer(response.status, response.headers.get_content_type(), response.read())
        except OSError as error:
            raise LabError(f"GET https://{DOMAIN}{path}: no answer from {self.gateway}: {error}.") from error
        finally:
            connection.close()


@dataclass(frozen=True)
class Answer:
    """One HTTP answer."""

    status: int
    media_type: str
    body: bytes

    def json(self) -> Any:
        """Return the body as JSON."""
        return json.loads(self.body)


class _GatewayConnection(http.client.HTTPSConnection):
    """HTTPS to the domain at a given address, as the domain is in no public DNS."""

    def __init__(self, address: str, context: ssl.SSLContext) -> None:
        super().__init__(DOMAIN, 443, timeout=15, context=context)
        self._address = address
        self._trust = context

    def connect(self) -> None:
        self.sock = self._trust.wrap_socket(
            socket.create_connection((self._address, 443), self.timeout), server_hostname=DOMAIN
        )


def prove(site: Site) -> list[str]:
    """Return one line for each proof, or raise LabError at the first that fails."""
    post, lines = _post_a_picture(site)
    return [
        *(_answers(site, *check) for check in _DISCOVERY),
        *lines,
        _in_database(site, post),
        *_secrets_came_from_vault(site),
    ]


def _has(**wanted: object) -> Callable[[Any], bool]:
    return lambda found: all(found.get(key) == value for key, value in wanted.items())


_DISCOVERY: tuple[tuple[str, str, Callable[[Any], bool]], ...] = (
    (
        f"/.well-known/webfinger?resource={quote(f'acct:{DOMAIN}@{DOMAIN}')}",
        "application/jrd+json",
        lambda found: any(
            link.get("rel") == "self" and link.get("href") == f"https://{DOMAIN}/actor" for link in found["links"]
        ),
    ),
    ("/nodeinfo/2.0", "application/json", lambda found: found["software"]["name"] == "mastodon"),
    ("/api/v2/instance", "application/json", _has(domain=DOMAIN)),
)


def _answers(site: Site, path: str, media_type: str, is_right: Callable[[Any], bool]) -> str:
    answer = site.request("GET", path)
    if answer.status != 200 or answer.media_type != media_type or not is_right(answer.json()):
        raise LabError(
            f"GET https://{DOMAIN}{path}: wanted 200 {media_type} for this domain, got {answer.status} "
            f"{answer.media_type}: {answer.body[:120]!r}. Read the logs of Deployment {NAMESPACE}/mastodon-web."
        )
    return f"https://{DOMAIN}{path.partition('?')[0]} answers {answer.status} {answer.media_type}"


def _post_a_picture(site: Site) -> tuple[str, list[str]]:
    token = _sign_in(site)
    picture = _png()
    boundary = uuid.uuid4().hex
    form = b"".join(
        (
            f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="dot.png"\r\n'.encode(),
            b"Content-Type: image/png\r\n\r\n",
            picture,
            f"\r\n--{boundary}--\r\n".encode(),
        )
    )
    bearer = f"Bearer {token}"
    media = _expect(
        site.request(
            "POST",
            "/api/v2/media",
            form,
            Authorization=bearer,
            Content_Type=f"multipart/form-data; boundary={boundary}",
        ),
        "POST /api/v2/media",
    )
    text = f"Hello from the lab, {uuid.uuid4().hex[:8]}"
    status = _expect(
        site.request(
            "POST",
            "/api/v1/statuses",
            urlencode({"status": text, "media_ids[]": media["id"]}).encode(),
            Authorization=bearer,
            Content_Type="application/x-www-form-urlencoded",
        ),
        "POST /api/v1/statuses",
    )
    return str(status["id"]), [
        f"@{_ACCOUNT} posted status {status['id']} with a picture",
        _in_bucket(site, media, picture),
    ]


def _expect(answer: Answer, what: str) -> Any:
    if answer.status not in (200, 202):
        raise LabError(f"{what}: refused with {answer.status}: {answer.body[:120]!r}.")
    return answer.json()


def _sign_in(site: Site) -> str:
    """Make the account, or give it a new password when an earlier run made it, and return an access token."""
    tootctl = ("exec", "deploy/mastodon-web", "--", "tootctl", "accounts")
    address = f"{_ACCOUNT}@{DOMAIN}"
    try:
        printed = site.in_namespace(*tootctl, "create", _ACCOUNT, "--email", address, "--confirmed", "--approve")
    except LabError:
        printed = site.in_namespace(*tootctl, "modify", _ACCOUNT, "--reset-password")
    password = printed.rpartition("New password:")[2].split()[0]
    form = urlencode({"grant_type": "password", "username": address, "password": password}).encode()
    answer = site.request("POST", "/oauth/token", form, Content_Type="application/x-www-form-urlencoded")
    return str(_expect(answer, "POST /oauth/token")["access_token"])


def _in_bucket(site: Site, media: dict[str, Any], picture: bytes) -> str:
    """Fetch the picture with the worker's own S3 credentials, bypassing the web process."""
    key = urlsplit(media["url"]).path.lstrip("/")
    script = (
        "import hashlib, os, sys, boto3\n"
        "s3 = boto3.client('s3', endpoint_url=os.environ['S3_ENDPOINT'], region_name=os.environ.get('S3_REGION') or 'us-east-1')\n"
        "bucket, key = os.environ['S3_BUCKET'], sys.argv[1].removeprefix(os.environ['S3_BUCKET'] + '/')\n"
        "print(hashlib.sha256(s3.get_object(Bucket=bucket, Key=key)['Body'].read()).hexdigest())"
    )
    found = site.in_namespace("exec", "deploy/mastodon-sidekiq-all-queues", "--", "python3", "-c", script, key).strip()
    if found != hashlib.sha256(picture).hexdigest():
        raise LabError(
            f"Object {key}: the bucket holds something else than was uploaded. Read the logs of mastodon-web."
        )
    return f"the picture lies in the S3 bucket as {key}"


def _in_database(site: Site, status: str) -> str:
    query = f"select count(*) from statuses s join media_attachments m on m.status_id = s.id where s.id = {int(status)}"  # noqa: S608
    cluster = json.loads(site.in_namespace("get", "clusters.postgresql.cnpg.io", "mastodon-db", "-o=json"))
    primary = cluster["status"]["currentPrimary"]
    found = site.in_namespace("exec", primary, "-c=postgres", "--", "psql", "-d", "mastodon", "-tAc", query).strip()
    if found != "1":
        raise LabError(
            f"Status {status}: not in the database of Cluster {NAMESPACE}/mastodon-db. Read the logs of mastodon-web."
        )
    return f"the post lies in the database of Cluster {NAMESPACE}/mastodon-db (primary {primary})"


def _secrets_came_from_vault(site: Site) -> list[str]:
    lines = []
    for name, path in SECRETS.items():
        secret = json.loads(site.in_namespace("get", "secret", name, "-o=json"))
        found = {key: b64decode(value).decode() for key, value in secret["data"].items()}
        stored = vault_read(site.vault_address, site.vault_token, f"mastodon/{DOMAIN}/{path}")
        # The database owner's name is no secret and stands in the ExternalSecret itself.
        if {key: found.get(key) for key in stored} != stored or set(found) - set(stored) - {"username"}:
            raise LabError(
                f"Secret {NAMESPACE}/{name}: differs from secret/mastodon/{DOMAIN}/{path} in OpenBao. Run site.yml again."
            )
        lines.append(f"Secret {NAMESPACE}/{name} came from secret/mastodon/{DOMAIN}/{path}")
    return lines


def vault_read(address: str, token: str, path: str) -> dict[str, str]:
    """Return the newest version of one KV v2 secret of the mount `secret`."""
    request = Request(f"{address}/v1/secret/data/{path}", headers={"X-Vault-Token": token})  # noqa: S310
    with urlopen(request, timeout=10) as response:  # noqa: S310
        data: dict[str, str] = json.load(response)["data"]["data"]
    return data


def _png() -> bytes:
    """Return a picture of 2 by 2 pixels with a random colour, so that no two runs upload the same bytes."""
    colour = uuid.uuid4().bytes[:3]
    raw = b"".join(b"\0" + colour * 2 for _ in range(2))

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 2, 2, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(raw)) + chunk(b"IEND", b"")


def _run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    if done.returncode:
        raise LabError(f"{' '.join(command[2:6])}: failed: {done.stderr.strip().splitlines()[-1:] or 'no output'}.")
    return done.stdout
