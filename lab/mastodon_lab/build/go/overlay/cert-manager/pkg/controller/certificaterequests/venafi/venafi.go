// Copyright: (c) 2026, fediverse.mastodon contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

// Package venafi keeps the name of a controller that the lab's cert-manager is built without: its SDK can't be had.
package venafi

// CRControllerName is named by cert-manager's configuration.
const CRControllerName = "certificaterequests-issuer-venafi"
