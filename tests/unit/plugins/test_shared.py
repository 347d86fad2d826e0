# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[3]
COLLECTION = "ansible_collections.fediverse.mastodon"
OURS = f"{COLLECTION}.plugins"
BEGIN = """
import json, sys
from importlib import import_module
from ansible.plugins.loader import action_loader, init_plugin_loader
init_plugin_loader([sys.argv[1]])
"""
LOADED = """
assert action_loader.get("fediverse.mastodon.doctor", class_only=True)
print(json.dumps({name: getattr(module, "__cached__", None) for name, module in sys.modules.items()}))
"""
SAID = f'print(json.dumps(import_module("{OURS}.module_utils._said").SAID))'


def run(collections: Path, kept: Path, program: str) -> Any:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment |= {"PYTHONPYCACHEPREFIX": str(kept)}
    command = (sys.executable, "-c", BEGIN + program, str(collections))
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT, env=environment)
    return json.loads(done.stdout)


def test_python_keeps_what_it_compiled_of_files_that_actions_share(tmp_path: Path) -> None:
    kept = run(ROOT / ".collections", tmp_path, LOADED)
    shared = [name for name in kept if name.startswith((f"{OURS}.module_utils._", f"{OURS}.plugin_utils._"))]
    files = [name for name in shared if not (ROOT / name.removeprefix(f"{COLLECTION}.").replace(".", "/")).is_dir()]
    assert len(files) > 50
    assert [name for name in files if not kept[name] or not Path(kept[name]).is_file()] == []


def test_a_file_that_changed_is_compiled_again(tmp_path: Path) -> None:
    plugins = tmp_path / "ansible_collections/fediverse/mastodon/plugins"
    (plugins / "module_utils").mkdir(parents=True)
    (plugins / "__init__.py").write_text((ROOT / "plugins/__init__.py").read_text())
    (plugins / "module_utils/_said.py").write_text("SAID = 'once'")
    assert run(tmp_path, tmp_path / "kept", SAID) == "once"
    assert len([*(tmp_path / "kept").rglob("_said*.pyc")]) == 1
    (plugins / "module_utils/_said.py").write_text("SAID = 'and again'")
    assert run(tmp_path, tmp_path / "kept", SAID) == "and again"
