# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`fediverse.mastodon.apply` in the controller. Documented in plugins/modules/apply.py."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from ansible.errors import AnsibleError
from ansible.template import trust_as_template
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks.apply import TASK
from ansible_collections.fediverse.mastodon.plugins.plugin_utils import _documents, _manifests
from ansible_collections.fediverse.mastodon.plugins.plugin_utils._action import EngineAction, plain


class ActionModule(EngineAction):
    """Turns templates and manifests into objects, and runs the engine."""

    runs = TASK
    variables: Mapping[str, str] = MappingProxyType({"force_conflicts": "force_conflicts"})

    def prepare(self, parameters: dict[str, Any], task_vars: Mapping[str, Any]) -> dict[str, Any]:
        """Return the options with everything in `objects`."""
        documents = [
            *parameters["objects"],
            *(document for manifest in parameters["manifests"] for document in self._manifest(manifest)),
            *(document for template in parameters["templates"] for document in self._template(template, task_vars)),
        ]
        return {**parameters, "objects": documents, "templates": [], "manifests": []}

    def _manifest(self, manifest: Mapping[str, Any]) -> Iterable[Any]:
        path = manifest.get("path")
        found = self._find("files", path) if path else None
        with self.environment():
            text = _manifests.content(manifest, found)
        documents = _documents.parse(text, f"Manifest {manifest.get('url') or path}")
        return _manifests.without_labels(documents, manifest.get("without_labels") or [])

    def _template(self, name: str, task_vars: Mapping[str, Any]) -> Iterable[Any]:
        path = self._find("templates", name)
        text = trust_as_template(self._loader.get_text_file_contents(path))
        folders = [
            str(Path(path).parent),
            *(f"{place}/templates" for place in task_vars.get("ansible_search_path", [])),
        ]
        templar = self._templar.copy_with_new_env(searchpath=folders, available_variables=task_vars)
        try:
            rendered = plain(templar.template(text, escape_backslashes=False))
        except AnsibleError as error:
            raise MastodonError(f"Template {name}", "cannot be rendered", str(error)) from error
        if rendered is None:
            # Nothing was left of it, as when it applies only what was asked for.
            return []
        if isinstance(rendered, str):
            return _documents.parse(rendered, f"Template {name}")
        # A template that is one expression and nothing else gives its value as it is.
        return rendered if isinstance(rendered, list) else [rendered]

    def _find(self, folder: str, name: str) -> str:
        try:
            return str(self._find_needle(folder, name))
        except AnsibleError as error:
            raise MastodonError(f"File {name}", "was not found", f"not in {folder}/", "Check its name.") from error
