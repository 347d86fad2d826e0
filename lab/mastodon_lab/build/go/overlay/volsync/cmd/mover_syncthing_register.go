// Copyright: (c) 2026, fediverse.mastodon contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

// The lab's VolSync has no Syncthing: it wants another version of a library than Traefik. Its chart names an image for it.
package main

import "flag"

func init() {
	flag.String("syncthing-container-image", "", "not used: the lab's VolSync has no Syncthing")
}
