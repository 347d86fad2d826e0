// Copyright: (c) 2026, fediverse.mastodon contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

// Package ext stands for the empty extension point that Traefik keeps in a module of its own, which can't be had.
package ext

// HTTP has no extension.
type HTTP struct{}

// Router has no extension.
type Router struct{}
