# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole space of sizes and settings: what is accepted adds up, and what is refused is refused in one sentence."""

from __future__ import annotations

import itertools
import re
from typing import Any

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.fediverse.mastodon.plugins.filter.sizing import FilterModule
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._sizing.profiles import PROFILES, QUEUES
from ansible_collections.fediverse.mastodon.plugins.module_utils._sizing.settings import mebibytes
from ansible_collections.fediverse.mastodon.plugins.module_utils._sizing.size import size

ALL = ["default,8", "push", "ingress", "mailers", "pull", "scheduler", "fasp"]
SPACE: dict[str, list[Any]] = {
    "mastodon_size": list(PROFILES),
    "mastodon_web_replicas": [None, 1, 3],
    "mastodon_web_max_replicas": [None, 2, 10],
    "mastodon_web_processes": [None, 0, 4],
    "mastodon_web_threads": [None, 20],
    "mastodon_streaming_replicas": [None, 11],
    "mastodon_sidekiq_workers": [None, [{"name": "all", "replicas": 1, "concurrency": 60, "queues": ALL}]],
    "cnpg_cluster_memory": ["", "1Gi", "64Gi"],
    "cnpg_cluster_parameters": [{}, {"max_connections": "120"}, {"shared_buffers": "2GB"}],
    "cnpg_pooler": [None, False, True],
}
COMBINATIONS = [dict(zip(SPACE, values, strict=True)) for values in itertools.product(*SPACE.values())]


def may_hold(found: dict[str, Any]) -> int:
    """Count again, from what is applied, how many connections Mastodon may hold at once."""
    parts = found["values"]["mastodon"]
    web, streaming = parts["web"], parts["streaming"]
    surge = [-(-pods // 10) for pods in (found["web"]["max_replicas"], streaming["replicas"])]
    return int(
        (found["web"]["max_replicas"] + surge[0]) * max(1, int(web["workers"])) * int(web["maxThreads"])
        + (streaming["replicas"] + surge[1]) * int(streaming["extraEnvVars"]["DB_POOL"])
        + sum(worker["replicas"] * worker["concurrency"] for worker in parts["sidekiq"]["workers"])
    )


def check(found: dict[str, Any]) -> None:
    parameters, pooler = found["postgresql"]["parameters"], found["pooler"]
    clients, allowed = may_hold(found), int(parameters["max_connections"])
    if pooler:
        assert clients <= int(pooler["parameters"]["max_client_conn"])
        assert pooler["instances"] * int(pooler["parameters"]["default_pool_size"]) < allowed
    else:
        assert clients < allowed
    memory = mebibytes("", found["postgresql"]["resources"]["limits"]["memory"])
    shared = mebibytes("", parameters["shared_buffers"])
    assert shared + 10 * allowed <= memory
    assert found["web"]["replicas"] <= found["web"]["max_replicas"]
    workers = found["values"]["mastodon"]["sidekiq"]["workers"]
    served = [queue.partition(",")[0] for worker in workers for queue in worker["queues"]]
    assert set(served) == set(QUEUES)
    assert sum(worker["replicas"] for worker in workers if "scheduler" in str(worker["queues"])) == 1
    assert found["arithmetic"][-2] == f"max_connections: {allowed}"
    sums = [line.partition(": ")[2] for line in found["arithmetic"] if line.startswith(("web", "streaming"))]
    for line in sums:
        product = 1
        for number in re.findall(r"\d+", line.partition(" = ")[0]):
            product *= int(number)
        assert product == int(line.rpartition(" = ")[2])


def test_whatever_is_accepted_adds_up_and_whatever_is_refused_names_a_setting() -> None:
    accepted = 0
    for settings in COMBINATIONS:
        try:
            found = size(settings)
        except MastodonError as refusal:
            reported = str(refusal)
            assert re.match(r"Variable (mastodon|cnpg)_\w+: does not add up: .+\. [A-Z].+\.$", reported), reported
            assert "\n" not in reported
        else:
            accepted += 1
            check(found)
    assert len(COMBINATIONS) // 4 < accepted < len(COMBINATIONS)


@pytest.mark.parametrize("name", PROFILES)
def test_a_size_by_itself_is_accepted_and_follows_the_one_before(name: str) -> None:
    names = list(PROFILES)
    check(size({"mastodon_size": name}))
    smaller = names[max(0, names.index(name) - 1)]
    assert may_hold(size({"mastodon_size": smaller})) <= may_hold(size({"mastodon_size": name}))


def test_without_a_size_it_is_a_small_one() -> None:
    assert size({}) == size({"mastodon_size": "small"})


def test_the_smallest_fits_upstreams_and_administrators_figures() -> None:
    found = size({"mastodon_size": "minimal"})
    assert int(found["postgresql"]["parameters"]["max_connections"]) <= 100
    parts = found["values"]["mastodon"]
    pods = [parts["web"], parts["streaming"], *parts["sidekiq"]["workers"]]
    assert sum(mebibytes("", pod["resources"]["requests"]["memory"]) for pod in pods) <= 1024


@pytest.mark.parametrize(("clients", "pooled"), [(160, False), (320, True)])
def test_a_pooler_is_wanted_from_200_connections_on(clients: int, pooled: bool) -> None:
    worker = {"name": "all", "concurrency": clients - 40, "queues": ALL}
    found = size({"mastodon_sidekiq_workers": [worker]})
    assert may_hold(found) == clients
    assert bool(found["pooler"]) is pooled


def test_a_pooler_can_be_set_but_not_too_small() -> None:
    given = {"cnpg_pooler": True, "cnpg_pooler_instances": 3, "cnpg_pooler_parameters": {"default_pool_size": "30"}}
    found = size(given)
    check(found)
    assert (found["pooler"]["instances"], found["pooler"]["parameters"]["default_pool_size"]) == (3, "30")
    with pytest.raises(MastodonError, match="max_client_conn 64 is less than the 65 connections"):
        size({"cnpg_pooler": True, "cnpg_pooler_parameters": {"max_client_conn": 64}})


def test_nothing_is_put_in_front_of_somebody_elses_server() -> None:
    assert size({"mastodon_size": "large", "cnpg_backend": "external"})["pooler"] == {}


def test_more_connections_get_more_memory_when_none_is_given() -> None:
    more = size({"cnpg_cluster_parameters": {"max_connections": 1000}})["postgresql"]
    assert mebibytes("", more["resources"]["requests"]["memory"]) > 10 * 1000


def test_a_parameter_of_postgresql_is_passed_on_as_text() -> None:
    parameters = size({"cnpg_cluster_parameters": {"max_wal_size": 4, "work_mem": "9MB"}})["postgresql"]["parameters"]
    assert (parameters["max_wal_size"], parameters["work_mem"]) == ("4", "9MB")


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"mastodon_size": "huge"}, "'huge' is not one of minimal, small, medium, large"),
        ({"mastodon_web_replicas": "two"}, "'two' is not a whole number from 1 on"),
        ({"mastodon_web_processes": -1}, "'-1' is not a whole number from 0 on"),
        ({"cnpg_cluster_memory": "much"}, "'much' is not an amount of memory"),
        ({"cnpg_cluster_parameters": {"max_connections": "many"}}, "'many' is not a whole number"),
        ({"cnpg_cluster_parameters": {"max_connections": 85}}, "85 is less than the 86 that Mastodon may hold at once"),
        ({"cnpg_cluster_parameters": {"shared_buffers": "lots"}}, "'lots' is not an amount of memory"),
        ({"cnpg_cluster_parameters": {"shared_buffers": "2GB"}, "cnpg_cluster_memory": ""}, "2048Mi of shared buffers"),
        ({"mastodon_web_replicas": 2, "mastodon_web_max_replicas": 1}, "less than the 2 web pods"),
        ({"mastodon_sidekiq_workers": [{"name": "x"}]}, "an entry is incomplete"),
        ({"mastodon_sidekiq_workers": [{"name": "x", "concurrency": 0, "queues": ALL}]}, "has no threads"),
        ({"mastodon_sidekiq_workers": [{"name": "x", "concurrency": 5, "queues": ["pusch"]}]}, "x serves pusch"),
        ({"mastodon_sidekiq_workers": 2 * [{"name": "x", "concurrency": 5, "queues": ALL}]}, "2 workers are called x"),
        ({"mastodon_values": {"mastodon": {"sidekiq": {"workers": []}}}}, "mastodon.sidekiq.workers would not be"),
        ({"mastodon_values": {"mastodon": {"extraEnvVars": {"DB_POOL": 24}}}}, "less than the 25 threads of sidekiq"),
        ({"mastodon_values": {"mastodon": {"web": {"extraEnvVars": {"DB_POOL": "4"}}}}}, "5 threads of web"),
        ({"mastodon_values": {"mastodon": {"extraEnvVars": {"DB_POOL": 25}}}}, "DB_POOL of streaming"),
    ],
)
def test_what_does_not_add_up_is_refused_by_name(settings: dict[str, Any], says: str) -> None:
    with pytest.raises(MastodonError) as refusal:
        size(settings)
    assert says in str(refusal.value)
    assert str(refusal.value).startswith(f"Variable {next(reversed(settings))}")


@pytest.mark.parametrize("queues", [["scheduler,1"], ["scheduler"]])
@pytest.mark.parametrize(("first", "second"), [(2, 0), (1, 1)])
def test_two_schedulers_are_refused_however_they_are_written(queues: list[str], first: int, second: int) -> None:
    rest = [queue for queue in ALL if queue != "scheduler"]
    workers = [
        {"name": "one", "replicas": first, "concurrency": 5, "queues": queues},
        {"name": "two", "replicas": 1, "concurrency": 5, "queues": rest + (queues if second else [])},
    ]
    with pytest.raises(MastodonError, match="two schedulers run every periodic job twice"):
        size({"mastodon_sidekiq_workers": workers})


@pytest.mark.parametrize(
    ("text", "expected"),
    [("2Gi", 2048), ("512Mi", 512), ("1.5Gi", 1536), ("512MB", 512), ("2GB", 2048), ("2048kB", 2), ("1G", 953)],
)
def test_amounts_of_memory_are_read_as_kubernetes_and_postgresql_write_them(text: str, expected: int) -> None:
    assert mebibytes("", text) == expected


def test_the_filter_fails_with_the_sentence() -> None:
    sizing = FilterModule().filters()["sizing"]
    assert sizing({}) == size({})
    with pytest.raises(AnsibleFilterError, match="Variable mastodon_size: 'huge' is not one of"):
        sizing({"mastodon_size": "huge"})
