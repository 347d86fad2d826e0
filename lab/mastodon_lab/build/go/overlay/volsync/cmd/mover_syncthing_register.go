// Copyright: (c) 2026, fediverse.mastodon contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

// Nothing is registered here: the lab's VolSync has no Syncthing, as with upstream's build tag disable_syncthing.
package main
