# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Do the same to many things at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import CombinedError, MastodonError

# More only run into the API server's fair queueing: https://github.com/fluxcd/kustomize-controller/issues/816
_THREADS = 8

Item = TypeVar("Item")
Result = TypeVar("Result")


def for_each(function: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
    """Call `function` for every item, several at once, and return the results in order.

    All are tried; then the errors, if any, are raised together.
    """
    with ThreadPoolExecutor(max_workers=_THREADS) as pool:
        futures = [pool.submit(function, item) for item in items]
    results, errors = [], []
    for future in futures:
        try:
            results.append(future.result())
        except MastodonError as error:
            errors.append(error)
    if errors:
        raise CombinedError(errors) if len(errors) > 1 else errors[0]
    return results
