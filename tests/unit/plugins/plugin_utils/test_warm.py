# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[4]
TEMPLATES = (
    "{{ 'yes' | bool }}",
    "{{ 'a' is search('a') }}",
    "{{ lookup('ansible.builtin.env', 'HOME') }}",
    "{{ 'a' | fediverse.mastodon.helm_release(namespace='b', repository='https://c', version='1') }}",
)
# As ansible-playbook does: the doctor, which comes first, is loaded, then a fork renders the templates of the task.
FORK = """
import json, sys
from ansible.plugins.loader import init_plugin_loader
init_plugin_loader([sys.argv[1]])
from ansible.template import Templar, trust_as_template
import ansible_collections.fediverse.mastodon.plugins.action.doctor
before = set(sys.modules)
for text in sys.argv[2:]:
    assert Templar(loader=None).template(trust_as_template(text))
print(json.dumps(sorted(set(sys.modules) - before)))
"""


def test_what_templates_need_is_loaded_before_ansible_forks() -> None:
    command = (sys.executable, "-c", FORK, str(ROOT / ".collections"), *TEMPLATES)
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT)
    assert json.loads(done.stdout) == []
