# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Does the Mastodon in the lab really work? Asked from outside through the Gateway, then checked in what lies below it."""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, unquote

from mastodon_lab.errors import LabError
from mastodon_lab.parts import website
from mastodon_lab.proof.mail import mail_arrives
from mastodon_lab.proof.post import post_a_picture
from mastodon_lab.proof.session import sign_in
from mastodon_lab.proof.site import DOMAIN, NAMESPACE, Site, json_of, run

# Secret in the cluster: path below the Vault mount that it must have come from.
SECRETS = {
    "mastodon-app": "app",
    "mastodon-smtp": "smtp",
    "mastodon-redis": "redis",
    "mastodon-db-owner": "postgresql",
}
CLAIM = "mastodon-s3"


def prove(site: Site) -> list[str]:
    """Return one line for each proof, or raise LabError at the first that fails. What can't be asked is `skipped: why`."""
    discovery = [*_sent_on(site), *(_answers(site, *check) for check in _discovery(site.domain))]
    post, lines = post_a_picture(sign_in(site))
    below = [_bucket_was_claimed(site), _in_database(site, post), *_secrets_came_from_vault(site)]
    return [*discovery, *lines, mail_arrives(site), *below]


def what_next(name: str, gateway: str) -> list[str]:
    """Return four lines for whoever sees the lab for the first time: sign in, with what, look around, stop."""
    lab = "" if name == "default" else f" --name {name}"
    return [
        f"Sign in:     chromium --host-resolver-rules='MAP *.lab.test {gateway}' https://{DOMAIN} as owner@{DOMAIN}; only this machine gets there",
        f"Password:    lab/shell{lab} -- bao kv get -mount=secret -field=password mastodon/{DOMAIN}/admin",
        f"Look around: lab/status{lab}, lab/logs{lab} PART, and lab/shell{lab} with kubectl, helm, bao and dig",
        f"Stop:        lab/down{lab} keeps what is in it for the next lab/try; lab/down{lab} --purge-state does not",
    ]


def _has(**wanted: object) -> Callable[[Any], bool]:
    return lambda found: all(found.get(key) == value for key, value in wanted.items())


def _lookup(domain: str) -> str:
    return f"/.well-known/webfinger?resource={quote(f'acct:{domain}@{domain}')}"


def _discovery(domain: str) -> tuple[tuple[str, str, Callable[[Any], bool]], ...]:
    """What each path answers of a Mastodon whose accounts are of that domain."""
    actor = f"https://{DOMAIN}/actor"
    return (
        (
            _lookup(domain),
            "application/jrd+json",
            lambda found: any(link.get("rel") == "self" and link.get("href") == actor for link in found["links"]),
        ),
        ("/nodeinfo/2.0", "application/json", lambda found: found["software"]["name"] == "mastodon"),
        ("/api/v2/instance", "application/json", _has(domain=domain)),
    )


def _sent_on(site: Site) -> list[str]:
    """Ask whoever has the accounts' domain, if that is another web site: it must lead to Mastodon, with path and query."""
    if site.domain == DOMAIN:
        return []
    path = _lookup(site.domain)
    answer = site.fetch(f"https://{site.domain}{path}")
    led = (answer.status, unquote(answer.headers.get("location", "")))
    if led != (301, unquote(f"https://{DOMAIN}{path}")):
        raise LabError(f"GET https://{site.domain}{path}: wanted a redirect to {DOMAIN}, got {led}. {website.ADVICE}")
    return [f"https://{site.domain}, another web site, sends lookups of accounts on to https://{DOMAIN}"]


def _answers(site: Site, path: str, media_type: str, is_right: Callable[[Any], bool]) -> str:
    answer = site.request("GET", path)
    if answer.status != 200 or answer.media_type != media_type or not is_right(answer.json()):
        raise LabError(
            f"GET https://{DOMAIN}{path}: wanted 200 {media_type} for this domain, got {answer.status} "
            f"{answer.media_type}: {answer.body[:120]!r}. Read the logs of Deployment {NAMESPACE}/mastodon-web."
        )
    return f"https://{DOMAIN}{path.partition('?')[0]} answers {answer.status} {answer.media_type}"


def _bucket_was_claimed(site: Site) -> str:
    if not site.ceph:
        return "skipped: the bucket's claim, as the lab is without Ceph and media are on its S3 server"
    claim = json.loads(site.in_namespace("get", "objectbucketclaim", CLAIM, "-o=json"))
    if claim.get("status", {}).get("phase") != "Bound":
        raise LabError(f"ObjectBucketClaim {NAMESPACE}/{CLAIM}: not Bound. Read the logs of rook-ceph-operator.")
    found = json.loads(site.in_namespace("get", "configmap", CLAIM, "-o=json"))["data"]
    return f"ObjectBucketClaim {NAMESPACE}/{CLAIM} got bucket {found['BUCKET_NAME']} at {found['BUCKET_HOST']}"


def _in_database(site: Site, status: str) -> str:
    query = f"select count(*) from statuses s join media_attachments m on m.status_id = s.id where s.id = {int(status)}"  # noqa: S608 a number
    if site.database:
        return _in_server(site, status, query)
    cluster = json.loads(site.in_namespace("get", "clusters.postgresql.cnpg.io", "mastodon-db", "-o=json"))
    primary = cluster["status"]["currentPrimary"]
    found = site.in_namespace("exec", primary, "-c=postgres", "--", "psql", "-d", "mastodon", "-tAc", query).strip()
    if found != "1":
        raise LabError(
            f"Status {status}: not in the database of Cluster {NAMESPACE}/mastodon-db. Read the logs of mastodon-web."
        )
    return f"the post lies in the database of Cluster {NAMESPACE}/mastodon-db (primary {primary})"


def _in_server(site: Site, status: str, query: str) -> str:
    namespace, _slash, pod = site.database.partition("/")
    asked = ("exec", pod, "--", "psql", "--username=postgres", "--dbname=mastodon", "-tAc", query)
    if run(*site.kubectl, f"--namespace={namespace}", *asked).strip() != "1":
        raise LabError(f"Status {status}: not in the database of pod {site.database}. Read the logs of mastodon-web.")
    return f"the post lies in the database of pod {site.database}"


def _secrets_came_from_vault(site: Site) -> list[str]:
    lines = []
    for name, path in SECRETS.items():
        secret = json.loads(site.in_namespace("get", "secret", name, "-o=json"))
        found = {key: b64decode(value).decode() for key, value in secret["data"].items()}
        stored = vault_read(site, f"mastodon/{DOMAIN}/{path}")
        # The database owner's name is no secret and stands in the ExternalSecret itself.
        if {key: found.get(key) for key in stored} != stored or set(found) - set(stored) - {"username"}:
            raise LabError(
                f"Secret {NAMESPACE}/{name}: differs from secret/mastodon/{DOMAIN}/{path} in OpenBao. Run site.yml again."
            )
        lines.append(f"Secret {NAMESPACE}/{name} came from secret/mastodon/{DOMAIN}/{path}")
    return lines


def vault_read(site: Site, path: str) -> dict[str, str]:
    """Return the newest version of one KV v2 secret of the mount `secret`."""
    data: dict[str, str] = json_of(f"{site.vault_address}/v1/secret/data/{path}", X_Vault_Token=site.vault_token)[
        "data"
    ]["data"]
    return data
