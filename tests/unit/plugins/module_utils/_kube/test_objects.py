# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each verb as the requests that it sends."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.client import Client
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.config import Connection
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.discovery import Resource
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.objects import Objects, Selection
from ansible_collections.fediverse.mastodon.tests.unit.plugins.module_utils._kube.test_client import Pool, Response

SECRETS = Resource("", "v1", "Secret", "secrets", namespaced=True)
CONFIG = Resource("", "v1", "ConfigMap", "configmaps", namespaced=True)


def objects(*answers: Response) -> tuple[Objects, Pool]:
    pool: Any = Pool(*answers)
    return Objects(Client(Connection("https://c", pool, dict))), pool


def page(*names: str, more: str = "") -> Response:
    items = [{"metadata": {"name": name}} for name in names]
    return Response(200, {"metadata": {"resourceVersion": "9", "continue": more}, "items": items})


def test_a_listing_is_read_page_by_page_and_its_items_made_whole() -> None:
    api, pool = objects(page("a", more="next"), page("b"))
    listing = api.read(Selection(CONFIG, "ns"))
    assert listing.resource_version == "9"
    assert listing.objects[1] == {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "b"}}
    assert pool.asked[1][1] == "https://c/api/v1/namespaces/ns/configmaps?limit=500&continue=next"


def test_a_server_that_has_no_versions_is_read() -> None:
    api, _unused = objects(
        Response(200, {"metadata": {}, "items": [{"metadata": {"name": "a"}}]}), Response(200, {"items": None})
    )
    assert api.read(Selection(CONFIG, "ns")).resource_version == ""
    assert api.read(Selection(CONFIG, "ns")).objects == ()


def test_pages_that_are_too_old_are_read_anew_at_once() -> None:
    expired = Response(
        410, {"kind": "Status", "code": 410, "reason": "Expired", "message": "the continue token is too old"}
    )
    api, pool = objects(page("a", more="next"), expired, page("a", "b"))
    assert [item["metadata"]["name"] for item in api.read(Selection(CONFIG, "ns")).objects] == ["a", "b"]
    assert pool.asked[2][1] == "https://c/api/v1/namespaces/ns/configmaps"


def test_helm_s_secrets_are_left_out_where_the_engine_lists_and_nowhere_else() -> None:
    api, pool = objects(page(), page(), page())
    api.read(Selection(SECRETS, "ns", complete=True))
    assert "fieldSelector" not in pool.asked.pop()[1]
    api.read(Selection(SECRETS, "ns", "one"))
    api.read(Selection(SECRETS, "ns"))
    assert "fieldSelector=metadata.name%3Done" in pool.asked[0][1]
    assert "fieldSelector=type%21%3Dhelm.sh%2Frelease.v1" in pool.asked[1][1]


def test_names_ask_for_metadata_only() -> None:
    api, pool = objects(page("a", "b"))
    assert api.names(Selection(CONFIG, "ns")) == {"a", "b"}
    assert "PartialObjectMetadataList" in pool.asked[0][2]["headers"]["Accept"]


def sent(api_call: Any) -> tuple[str, str, dict[str, Any]]:
    api, pool = objects(Response(200, {"kind": "ConfigMap", "metadata": {"name": "a"}}))
    api_call(api)
    return pool.asked[0]


BODY = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "namespace": "ns", "uid": "u"}}


def test_apply_is_a_server_side_apply() -> None:
    method, url, options = sent(lambda api: api.apply(CONFIG, BODY, manager="m", force=False, dry_run=True))
    assert method == "PATCH"
    assert url == (
        "https://c/api/v1/namespaces/ns/configmaps/a?fieldManager=m&force=false&fieldValidation=Strict&dryRun=All"
    )
    assert options["headers"]["Content-Type"] == "application/apply-patch+yaml"


def test_annotate_is_a_merge_of_annotations_only() -> None:
    method, url, options = sent(lambda api: api.annotate(CONFIG, "ns", "a", {"x": "y"}, "m"))
    assert (method, url) == ("PATCH", "https://c/api/v1/namespaces/ns/configmaps/a?fieldManager=m")
    assert options["headers"]["Content-Type"] == "application/merge-patch+json"
    assert b'"annotations": {"x": "y"}' in options["body"]


def test_delete_names_the_very_object() -> None:
    method, url, options = sent(lambda api: api.delete(CONFIG, BODY, dry_run=False))
    assert (method, url) == ("DELETE", "https://c/api/v1/namespaces/ns/configmaps/a")
    assert b'"preconditions": {"uid": "u"}' in options["body"]
    assert b"dryRun" not in options["body"]


def test_what_an_object_owns_goes_with_it_unless_it_is_orphaned() -> None:
    _unused, _url, options = sent(lambda api: api.delete(CONFIG, BODY, dry_run=False))
    assert b'"propagationPolicy": "Background"' in options["body"]
    _unused, _url, options = sent(lambda api: api.delete(CONFIG, BODY, dry_run=False, orphan=True))
    assert b'"propagationPolicy": "Orphan"' in options["body"]


def test_a_dry_run_of_a_delete_is_asked_for_where_the_api_server_looks_and_where_its_audit_log_shows_it() -> None:
    _unused, url, options = sent(lambda api: api.delete(CONFIG, BODY, dry_run=True))
    assert url.endswith("?dryRun=All")
    assert b'"dryRun": ["All"]' in options["body"]


def test_a_watch_goes_on_from_a_version() -> None:
    _unused, url, _unused = sent(lambda api: api.watch(Selection(CONFIG, "ns", "a"), "7", 60))
    assert "watch=1" in url
    assert "resourceVersion=7&timeoutSeconds=60" in url


def test_a_selection_is_called_like_its_objects() -> None:
    assert [str(Selection(CONFIG, *place)) for place in (("ns", "a"), ("ns",), ())] == [
        "ConfigMap ns/a",
        "ConfigMap ns",
        "ConfigMap",
    ]


def test_a_server_of_others_that_stopped_answering_is_named() -> None:
    kinds = [{"resource": "podmetrics", "responseKind": {"kind": "PodMetrics"}, "scope": "Namespaced"}]
    versions = [{"version": "v1", "freshness": "Stale", "resources": kinds}]
    groups = {
        "kind": "APIGroupDiscoveryList",
        "items": [{"metadata": {"name": "metrics.k8s.io"}, "versions": versions}],
    }
    away = [Response(503, "service unavailable")] * 5
    pool: Any = Pool(Response(200, {"kind": "APIGroupDiscoveryList"}), Response(200, groups), *away)
    api = Objects(Client(Connection("https://c", pool, dict), sleep=lambda seconds: None))
    resource = api.discover().find("metrics.k8s.io", "v1", "PodMetrics")
    assert resource is not None
    with pytest.raises(MastodonError, match=r"is served by APIService v1\.metrics\.k8s\.io, whose service does not"):
        api.read(Selection(resource, "ns"))
