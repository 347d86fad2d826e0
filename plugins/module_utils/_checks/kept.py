# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Records of what was done, each in a ConfigMap without anything secret. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import MISSING, dataclass, field, fields
from typing import Any, ClassVar, Protocol, TypeVar

from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.core import CONFIG_MAP
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.objects import Selection
from ansible_collections.fediverse.mastodon.plugins.module_utils._paths import at
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.api import Api
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.model import ObjectRef

Item = Mapping[str, Any]


class _Dataclass(Protocol):
    __dataclass_fields__: ClassVar[dict[str, Any]]


_Record = TypeVar("_Record", bound=_Dataclass)


@dataclass(frozen=True)
class Place:
    """The ConfigMap of one record. Its label, which says what it is of, tells it from somebody's of that name."""

    namespace: str
    name: str
    label: str
    of: str

    @property
    def selection(self) -> Selection:
        """Return how it is read."""
        return Selection(CONFIG_MAP, self.namespace, self.name)

    def refuse_foreign(self, item: Item) -> None:
        """Raise MastodonError for an object of its name that is none of ours."""
        if (item["metadata"].get("labels") or {}).get(self.label) != self.of:
            remedy = f"It has not the label {self.label}, so it is somebody's: rename it, or delete it."
            raise MastodonError(str(ObjectRef.of(item)), "is in the way", "a record would be called so", remedy)

    def body(self, data: Mapping[str, str]) -> dict[str, Any]:
        """Return what keeps it."""
        metadata = {"name": self.name, "namespace": self.namespace, "labels": {self.label: self.of}}
        return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": dict(data)}


@dataclass(frozen=True)
class Begun:
    """What takes several steps. Times are RFC 3339 in UTC; `ended` is empty as long as it has not."""

    began: str = ""
    ended: str = ""

    @property
    def is_open(self) -> bool:
        """Return whether one was begun and has not come to its end."""
        return bool(self.began) and not self.ended


@dataclass(frozen=True)
class Ended:
    """The last of what ends either way. Times are RFC 3339 in UTC; `failure` is empty when it went well."""

    ended: str
    failure: str = field(default="", kw_only=True)

    def line(self) -> str:
        """Return what people read, without when."""
        return f"failed: {self.failure}" if self.failure else self._result()

    def _result(self) -> str:
        """Return what people read of one that went well."""
        raise NotImplementedError


def record(kind: type[_Record], data: Mapping[str, Any]) -> _Record:
    """Return the record that data are of. What an earlier release did not write is as the class has it, or empty."""
    defaults = {one.name: "" if one.default is MISSING else one.default for one in fields(kind)}
    return kind(**{name: str(data.get(name, default)) for name, default in defaults.items()})


def read_all(api: Api, label: str) -> Iterator[tuple[str, str, Mapping[str, str]]]:
    """Yield namespace, what it is of, and data of each record with a label."""
    for item in api.read(Selection(CONFIG_MAP, labels=label)).objects:
        data = {str(name): str(value) for name, value in at(item, "data", {}).items()}
        yield item["metadata"]["namespace"], str(at(item, "metadata.labels", {}).get(label, "")), data
