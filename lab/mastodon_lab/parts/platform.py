# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Install the platform, prove that each part of it works, and say how it is doing."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Mapping
from functools import partial
from http.client import HTTPException
from pathlib import Path
from typing import TypeVar

from mastodon_lab import ipv6
from mastodon_lab.build import images
from mastodon_lab.build.plan import Built
from mastodon_lab.build.store import key
from mastodon_lab.cluster import api
from mastodon_lab.errors import LabError
from mastodon_lab.lab import DOCKER, IPV6, SITE, WEBSITE, Lab
from mastodon_lab.parts import acme, applied, certificates, mail, nameserver, s3, website, workloads
from mastodon_lab.parts.catalogue import PARTS, REDIS_HOST, S3_HOST, Part
from mastodon_lab.parts.keys import Keys, keys
from mastodon_lab.parts.kubectl import Kubectl
from mastodon_lab.pins import PINNED
from mastodon_lab.progress import Progress
from mastodon_lab.status import PartStatus

MANIFESTS = Path(__file__).parents[2] / "manifests"
READY_SECONDS = 180.0
PATIENCE_SECONDS = 60.0
POLL_SECONDS = 0.2
# What site.yml installs from the lab's images and charts, and the part of the lab that each is of.
FOR_SITE = tuple(
    (
        pin.part,
        PartStatus(
            pin.name,
            ready=True,
            version=pin.here,
            reason="for site.yml to install",
            stand_in=pin.stand_in,
            pinned=pin.brings,
            here=pin.instead,
            because=pin.because,
        ),
    )
    for pin in PINNED
)
# What manifests call the images.
IMAGES = {
    "BUSYBOX_IMAGE": images.BUSYBOX_IMAGE,
    "COREDNS_IMAGE": images.COREDNS_IMAGE,
    "LOCAL_PATH_IMAGE": images.LOCAL_PATH_IMAGE,
    "NETWORK_POLICIES_IMAGE": images.NETWORK_POLICIES_IMAGE,
    "KNOT_IMAGE": images.KNOT_IMAGE,
    "PEBBLE_IMAGE": images.PEBBLE_IMAGE,
    "MAILPIT_IMAGE": images.MAILPIT_IMAGE,
    "OPENBAO_IMAGE": images.OPENBAO_IMAGE,
    "REDIS_IMAGE": images.REDIS_IMAGE,
    "S3_IMAGE": images.S3_IMAGE,
    "TRAEFIK_IMAGE": images.TRAEFIK_IMAGE,
}
APPLY = "install the platform"
Done = TypeVar("Done")
TROUBLE = (LabError, OSError, HTTPException, api.NotAnsweringError)


def deploy(lab: Lab, built: Built, progress: Progress) -> None:
    """Install everything, or repair it. Raises LabError; what was done until then stays and is not done again."""
    parts = _parts(lab)
    progress.expect({APPLY: 5} | {_title(part): 5 for part in parts})
    kubectl = Kubectl(built.bin("kubectl"), lab.kubeconfig)
    made = keys(lab)
    certificates.ensure(lab, servers(lab))
    with progress.step(APPLY):
        _apply(lab, kubectl, built.gateway_api if lab.has("traefik") else None, "\n---\n".join(manifests(lab, made)))
    for part in parts:
        with progress.step(_title(part)):
            workloads.wait(lab, kubectl, part.workload, READY_SECONDS)
            for act in (part.set_up, part.prove):
                _eventually(part.name, partial(act, lab, made))


def _apply(lab: Lab, kubectl: Kubectl, gateway_api: Path | None, text: str) -> None:
    """Apply the platform, unless just this was applied and all of it is as it was."""
    made_from = key(str(gateway_api), text)
    if applied.holds(lab, made_from):
        return
    objects = []
    # The API server answers before it can describe its types, which kubectl asks for.
    if gateway_api:
        objects += _eventually("Gateway API", partial(kubectl.apply_kustomization, gateway_api))
    objects += _eventually("Platform", partial(kubectl.apply, text))
    _eventually("Platform", partial(applied.note, lab, made_from, objects))


def status(lab: Lab) -> tuple[PartStatus, ...]:
    """How each part is doing, and what in the lab is not the real thing. Needs a running cluster."""
    parts = tuple(
        PartStatus(part.name, not (reason := _trouble(part, lab)), part.version, reason) for part in _parts(lab)
    )
    # What is of the internet is what production gets.
    return parts if lab.way == DOCKER else (*parts, *(row for part, row in FOR_SITE if lab.has(part)))


def _parts(lab: Lab) -> tuple[Part, ...]:
    return tuple(part for part in PARTS if lab.has(part.key))


def facts(lab: Lab) -> Mapping[str, str]:
    """What lab.json says of the platform: where Mastodon and the controllers below it find what they need."""
    return {
        "s3_endpoint": f"http://{S3_HOST}:{s3.PORT}",
        "redis_host": REDIS_HOST,
        # Where pods find what listens on this machine.
        "machine_address": lab.host_ip,
        "dns_zone": nameserver.ZONE,
        "nameserver_address": lab.nameserver_ip,
        # Of the web site at the zone's own name, where there is one.
        "website_address": lab.website_ip if lab.has(WEBSITE) else "",
        "acme_directory": acme.DIRECTORY,
        "acme_ca_file": str(certificates.authority_file(lab)),
        "acme_root": acme.root_url(lab.acme_ip),
        "acme_roots": str(acme.roots_file(lab)),
        "smtp_host": mail.HOST,
        "mail_api": mail.api_url(lab.mail_ip),
    }


def servers(lab: Lab) -> Mapping[str, tuple[str, str]]:
    """What the platform's certificates are for: name → host name and address."""
    return {"pebble": (acme.HOST, lab.acme_ip), "mailpit": (mail.HOST, lab.mail_ip)}


def manifests(lab: Lab, made: Keys) -> list[str]:
    """The parts' manifests with the lab's addresses, images and keys filled in for @NAMES@."""
    values = {**_places(lab), **IMAGES, **_keys(lab, made)}
    # A claim that is made before there is a StorageClass waits 15 s until the controller looks at it again.
    ordered = sorted(_parts(lab), key=lambda part: part.key != "local-path-provisioner")
    names = [*(part.key for part in ordered), *(("mastodon",) if lab.has(SITE) else ())]
    return [_filled((MANIFESTS / f"{name}.yaml").read_text(), values) for name in names]


def images_of(lab: Lab) -> tuple[str, ...]:
    """Every image that the manifests of the lab's parts name."""
    texts = [(MANIFESTS / f"{part.key}.yaml").read_text() for part in _parts(lab)]
    return tuple(sorted({IMAGES[name] for text in texts for name in re.findall(r"@(\w+_IMAGE)@", text)}))


def _places(lab: Lab) -> Mapping[str, str]:
    return {
        "BEYOND": "internet" if lab.way == DOCKER else "sealed",
        "DNS_IP": lab.dns_ip,
        "GATEWAY_IPS": json.dumps(ipv6.gateways(lab)),
        # Where there are two the Service says so.
        "GATEWAY_STATUS_IP": "" if lab.has(IPV6) else lab.gateway_ip,
        "NAMESERVER_IP": lab.nameserver_ip,
        "ACME_IP": lab.acme_ip,
        "ACME_DIRECTORY": acme.DIRECTORY,
        "MAIL_IP": lab.mail_ip,
        "WEBSITE_IP": lab.website_ip,
        "WEBSITE_HOST": website.HOST,
        "MASTODON_HOST": website.MASTODON,
        "OPENBAO_IP": lab.openbao_ip,
        "OPENBAO_URL": lab.openbao_url,
        "VOLUMES": str(lab.volumes),
    }


def _keys(lab: Lab, made: Keys) -> Mapping[str, str]:
    return {
        "REDIS_PASSWORD": made.redis_password,
        "S3_ACCESS_KEY": made.s3_access_key,
        "S3_SECRET_KEY": made.s3_secret_key,
        "SEAL_KEY": made.seal_key,
        "SMTP_USERNAME": made.smtp_username,
        "SMTP_PASSWORD": made.smtp_password,
        "TSIG_NAME": nameserver.KEY_NAME,
        "TSIG_SECRET": made.tsig_secret,
        "PLATFORM_AUTHORITY": certificates.authority_file(lab).read_text().replace("\n", "\n    ").rstrip(),
        "ACME_CERTIFICATE": certificates.certificate(lab, "pebble"),
        "ACME_KEY": certificates.private_key(lab, "pebble"),
        "MAIL_CERTIFICATE": certificates.certificate(lab, "mailpit"),
        "MAIL_KEY": certificates.private_key(lab, "mailpit"),
    }


def _filled(manifest: str, values: Mapping[str, str]) -> str:
    """@MANIFEST@ in a pod's annotation changes with the manifest, so that a changed configuration restarts the pod."""
    known = {**values, "MANIFEST": key(manifest)}
    return re.sub(r"@([A-Z0-9_]+)@", lambda name: known[name[1]], manifest)


def _title(part: Part) -> str:
    return f"wait for {part.name}"


def _eventually(name: str, act: Callable[[], Done]) -> Done:
    """Act, trying again for a while: a Service answers a moment after its pod is ready."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return act()
        except TROUBLE as error:
            if time.monotonic() < deadline:
                time.sleep(POLL_SECONDS)
                continue
            if isinstance(error, LabError):
                raise
            raise LabError(f"{name}: {error}. Check `lab/status`, then run lab/up again to go on.") from error


def _trouble(part: Part, lab: Lab) -> str:
    namespace, kind, name = part.workload.split("/")
    try:
        found = workloads.get(lab, part.workload)
        if found["status"].get("readyReplicas", 0) < found["spec"]["replicas"]:
            return f"{kind} {namespace}/{name} has no ready pod"
        part.prove(lab, keys(lab))
    except TROUBLE as error:
        return str(error)
    return ""
