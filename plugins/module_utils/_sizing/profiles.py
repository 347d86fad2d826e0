# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sizes that `mastodon_size` names, and what their numbers rest on.

Upstream gives the arithmetic of connections (https://docs.joinmastodon.org/admin/scaling/) and no figures for memory or
CPU; those follow what administrators measured, named beside each profile.
"""

from __future__ import annotations

from dataclasses import dataclass

# All that Mastodon enqueues into. `fasp` is new in 4.4: left out when queues are split, its jobs pile up unseen.
QUEUES = ("default", "push", "ingress", "mailers", "pull", "scheduler", "fasp")
# The weights of the chart, and of upstream's config/sidekiq.yml.
_ALL = ("default,8", "push,6", "ingress,4", "mailers,2", "pull", "scheduler", "fasp")
_ALL_BUT_SCHEDULER = ("default,8", "push,6", "ingress,4", "mailers,2", "pull", "fasp")


@dataclass(frozen=True)
class Worker:
    """One Sidekiq Deployment. Queues are written as Sidekiq takes them, `name` or `name,weight`."""

    name: str
    replicas: int
    concurrency: int
    queues: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The queues without their weights."""
        return tuple(queue.partition(",")[0].strip() for queue in self.queues)


@dataclass(frozen=True)
class Profile:
    """What a size stands for, before settings override parts of it. Memory is in MiB.

    `web_processes` 0 is Puma without a master process. `database_memory` is a floor: more connections ask for more.
    """

    web_replicas: int
    web_max_replicas: int
    web_processes: int
    web_threads: int
    streaming_replicas: int
    streaming_connections: int
    sidekiq_workers: tuple[Worker, ...]
    database_instances: int
    database_memory: int
    database_cpu: int
    database_storage: str
    cache_memory: int
    # Of who copies media: rclone takes some 1 KiB for each object of a listing, of which it holds two (https://rclone.org/docs/#fast-list).
    copy_memory: int


PROFILES = {
    # 1 to 10 people: about 1 GB for Mastodon, with Puma not clustered and 10 Sidekiq threads, and 0.5 to 1 GB for
    # PostgreSQL (https://sharpletters.net/2023/03/01/mastodon-resource-optimization).
    "minimal": Profile(
        web_replicas=1,
        web_max_replicas=1,
        web_processes=0,
        web_threads=5,
        streaming_replicas=1,
        streaming_connections=10,
        sidekiq_workers=(Worker("all-queues", 1, 10, _ALL),),
        database_instances=1,
        database_memory=1024,
        database_cpu=100,
        database_storage="10Gi",
        cache_memory=512,
        copy_memory=256,
    ),
    # Up to about 100 active people: the chart's own numbers. 62 people fit in 2 vCPU and 2 GB (blog.freeradical.zone);
    # 101 made 2.6 GB of database in their first month (blog.strangeobject.space).
    "small": Profile(
        web_replicas=1,
        web_max_replicas=1,
        web_processes=2,
        web_threads=5,
        streaming_replicas=1,
        streaming_connections=10,
        sidekiq_workers=(Worker("all-queues", 1, 25, _ALL),),
        database_instances=1,
        database_memory=2048,
        database_cpu=250,
        database_storage="20Gi",
        cache_memory=512,
        copy_memory=512,
    ),
    # 500 to 2000 people: 5 threads for scheduler and mailers apart from the rest, 8 GB, and 1.5 GB more database a week
    # (https://hub.sunny.garden). Two of everything that people wait for, so that a node can be drained.
    "medium": Profile(
        web_replicas=2,
        web_max_replicas=4,
        web_processes=2,
        web_threads=5,
        streaming_replicas=2,
        streaming_connections=10,
        sidekiq_workers=(
            Worker("scheduler", 1, 5, ("scheduler", "mailers")),
            Worker("queues", 2, 15, _ALL_BUT_SCHEDULER),
        ),
        database_instances=2,
        database_memory=4096,
        database_cpu=1000,
        database_storage="100Gi",
        cache_memory=1024,
        copy_memory=1024,
    ),
    # Some 25000 people (https://jorijn.com): Sidekiq split by queue, as Hachyderm and chaos.social had to. One streaming
    # process would do (upstream: 1000 streams each); two outlive a node.
    "large": Profile(
        web_replicas=4,
        web_max_replicas=8,
        web_processes=4,
        web_threads=5,
        streaming_replicas=2,
        streaming_connections=10,
        sidekiq_workers=(
            Worker("scheduler", 1, 5, ("scheduler", "mailers")),
            Worker("default", 2, 25, ("default,8", "mailers,2", "fasp")),
            Worker("push", 2, 25, ("push,6", "default,2")),
            Worker("ingress", 2, 25, ("ingress,4", "default,2")),
            Worker("pull", 1, 25, ("pull",)),
        ),
        database_instances=3,
        database_memory=16384,
        database_cpu=4000,
        database_storage="500Gi",
        cache_memory=4096,
        copy_memory=4096,
    ),
}
