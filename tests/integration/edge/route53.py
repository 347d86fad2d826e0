# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Route 53 on loopback, by its documented API: https://docs.aws.amazon.com/Route53/latest/APIReference/.

It takes signed requests only, signed for the one region that the service has; a batch is made whole or not at all.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping
from urllib.parse import parse_qsl, quote, urlsplit
from xml.etree import ElementTree as Xml

from ansible_collections.fediverse.mastodon.tests.integration.edge.service import Answer

REGION = "us-east-1"
_SPACE = "https://route53.amazonaws.com/doc/2013-04-01/"
_DONE = (
    "<ChangeInfo><Id>/change/C1</Id><Status>INSYNC</Status><SubmittedAt>2026-01-01T00:00:00Z</SubmittedAt></ChangeInfo>"
)
_HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'
_SIGNED = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<id>[^/]+)/(?P<scope>[^,]+), SignedHeaders=(?P<headers>[^,]+), Signature=(?P<signature>\w+)"
)


class RefusedError(Exception):
    """The service refuses a request: status, code and message."""


class Route53:
    """Zones by name, each with its records by name and type, and the one account that may change them."""

    def __init__(self, *zones: str, access_key: str, secret_key: str) -> None:
        self.records: dict[str, dict[tuple[str, str], list[str]]] = {zone: {} for zone in zones}
        self._ids = {zone: f"Z{number:06d}" for number, zone in enumerate(zones)}
        self._keys = {access_key: secret_key}

    def answer(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Answer one request."""
        try:
            status, text = 200, self._answer(method, target, headers, body)
        except RefusedError as error:
            status, code, message = error.args
            reported = f"<Type>Sender</Type><Code>{code}</Code><Message>{message}</Message>"
            text = f'<ErrorResponse xmlns="{_SPACE}"><Error>{reported}</Error><RequestId>1</RequestId></ErrorResponse>'
        return Answer(status, "text/xml", _HEAD + text)

    def _answer(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> str:
        self._authenticate(method, target, headers, body)
        path = urlsplit(target).path.rstrip("/")
        zone = {f"/2013-04-01/hostedzone/{identity}/rrset": zone for zone, identity in self._ids.items()}.get(path)
        if (method, path) == ("GET", "/2013-04-01/hostedzone"):
            return self._list_zones("ListHostedZonesResponse")
        if (method, path) == ("GET", "/2013-04-01/hostedzonesbyname"):
            return self._list_zones("ListHostedZonesByNameResponse")
        if (method, path) == ("GET", "/2013-04-01/change/C1"):
            return f'<GetChangeResponse xmlns="{_SPACE}">{_DONE}</GetChangeResponse>'
        if method == "GET" and zone:
            return self._list_records(zone)
        if method == "POST" and zone:
            return self._change(zone, Xml.fromstring(body))  # noqa: S314 - the sender is our own external-dns
        raise RefusedError(404, "NoSuchHostedZone", f"No hosted zone found at {path}")

    def _authenticate(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> None:
        found = _SIGNED.fullmatch(headers.get("Authorization", ""))
        if not found or found["id"] not in self._keys:
            raise RefusedError(403, "InvalidClientTokenId", "The security token included in the request is invalid")
        date, region, service, end = found["scope"].split("/")
        if (region, service, end) != (REGION, "route53", "aws4_request"):
            raise RefusedError(403, "SignatureDoesNotMatch", f"Credential should be scoped to a valid region: {region}")
        parts = urlsplit(target)
        query = "&".join(
            f"{quote(key, '')}={quote(value, '')}"
            for key, value in sorted(parse_qsl(parts.query, keep_blank_values=True))
        )
        signed = "".join(f"{name}:{' '.join(headers[name].split())}\n" for name in found["headers"].split(";"))
        canonical = "\n".join((method, parts.path, query, signed, found["headers"], hashlib.sha256(body).hexdigest()))
        digest = hashlib.sha256(canonical.encode()).hexdigest()
        text = "\n".join(("AWS4-HMAC-SHA256", headers["X-Amz-Date"], found["scope"], digest))
        key = f"AWS4{self._keys[found['id']]}".encode()
        for part in (date, region, service, end, text):
            key = hmac.new(key, part.encode(), hashlib.sha256).digest()
        if key.hex() != found["signature"]:
            raise RefusedError(403, "SignatureDoesNotMatch", "The request signature we calculated does not match")

    def _list_zones(self, answer: str) -> str:
        zones = "".join(
            f"<HostedZone><Id>/hostedzone/{identity}</Id><Name>{zone}.</Name><CallerReference>{zone}</CallerReference>"
            f"<Config><PrivateZone>false</PrivateZone></Config></HostedZone>"
            for zone, identity in self._ids.items()
        )
        return (
            f'<{answer} xmlns="{_SPACE}"><HostedZones>{zones}</HostedZones><Marker></Marker>'
            f"<IsTruncated>false</IsTruncated><MaxItems>100</MaxItems></{answer}>"
        )

    def _list_records(self, zone: str) -> str:
        sets = "".join(
            f"<ResourceRecordSet><Name>{name}</Name><Type>{kind}</Type><TTL>300</TTL><ResourceRecords>"
            + "".join(f"<ResourceRecord><Value>{value}</Value></ResourceRecord>" for value in values)
            + "</ResourceRecords></ResourceRecordSet>"
            for (name, kind), values in sorted(self.records[zone].items())
        )
        return (
            f'<ListResourceRecordSetsResponse xmlns="{_SPACE}"><ResourceRecordSets>{sets}</ResourceRecordSets>'
            "<IsTruncated>false</IsTruncated><MaxItems>300</MaxItems></ListResourceRecordSetsResponse>"
        )

    def _change(self, zone: str, batch: Xml.Element) -> str:
        after = dict(self.records[zone])
        for change in batch.iter(f"{{{_SPACE}}}Change"):
            _apply(change, zone, after)
        self.records[zone] = after
        return f'<ChangeResourceRecordSetsResponse xmlns="{_SPACE}">{_DONE}</ChangeResourceRecordSetsResponse>'


def _apply(change: Xml.Element, zone: str, records: dict[tuple[str, str], list[str]]) -> None:
    def text(name: str) -> str:
        return next(change.iter(f"{{{_SPACE}}}{name}")).text or ""

    name, kind, action = f"{text('Name').rstrip('.')}.", text("Type"), text("Action")
    values = [element.text or "" for element in change.iter(f"{{{_SPACE}}}Value")]
    if not f".{name}".endswith(f".{zone}."):
        raise RefusedError(400, "InvalidChangeBatch", f"RRSet with DNS name {name} is not permitted in zone {zone}.")
    if kind == "TXT" and not all(re.fullmatch(r'".{0,255}"', value) for value in values):
        raise RefusedError(400, "InvalidChangeBatch", f"Invalid Resource Record: {values}")
    is_there = (name, kind) in records
    if is_there if action == "CREATE" else not is_there and action == "DELETE":
        raise RefusedError(
            400, "InvalidChangeBatch", f"Tried to {action.lower()} {name} {kind}: it is there: {is_there}"
        )
    if action == "DELETE":
        del records[name, kind]
    else:
        records[name, kind] = values
