// Copyright: (c) 2026, fediverse.mastodon contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

// Package snapshots names snapshots, finds the one to start from and says when their volume is full, as Dragonfly does.
//
// Upstream: https://github.com/dragonflydb/dragonfly/blob/v1.39.0/src/server/detail/snapshot_storage.cc
package snapshots

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

const summary = "-summary.dfs"

// SizeVariable tells a server here how large its volume is.
const SizeVariable = "STAND_IN_VOLUME_SIZE"

// ErrFull is what upstream dies of.
var ErrFull = errors.New("Failed to perform snapshot: No space left on device")

// Placeholders of --dbfilename, each with how Go writes that part of a time.
var placeholders = map[string]string{
	"{timestamp}": "2006-01-02T15:04:05",
	"{year}":      "2006",
	"{month}":     "01",
	"{day}":       "02",
}

// Check refuses a --dbfilename in upstream's words.
func Check(name string) error {
	switch {
	case strings.HasPrefix(name, `"`):
		return fmt.Errorf(`filename should not start with '"', could it be that you put quotes in the flagfile?`)
	case strings.Contains(name, "/"):
		return fmt.Errorf("filename may not contain directory separators (Got %q)", name)
	case filepath.Ext(name) != "":
		return fmt.Errorf("DF snapshot format requires no filename extension. Got %q", filepath.Ext(name))
	}
	return nil
}

// Name is the file of a snapshot that is taken at this time. Redis writes one file where upstream writes one for each thread.
func Name(template string, now time.Time) string {
	return replaced(template, now.Format) + summary
}

// Newest is the file to start from: the latest that --dbfilename could have named, whatever it was before. Empty if there is none.
func Newest(dir, template string) (string, error) {
	pattern := replaced(template, func(string) string { return "*" }) + "*"
	found, err := filepath.Glob(filepath.Join(dir, pattern))
	if err != nil {
		return "", err
	}
	newest, latest := "", time.Time{}
	for _, path := range found {
		if !strings.HasSuffix(path, summary) && !strings.HasSuffix(path, ".rdb") {
			continue
		}
		if file, err := os.Stat(path); err == nil && !file.ModTime().Before(latest) {
			newest, latest = filepath.Base(path), file.ModTime()
		}
	}
	return newest, nil
}

// Full is an error when the files in a volume of this size leave no room. The lab's volumes have no bound of their own.
func Full(dir string, size int64) error {
	if size == 0 {
		return nil
	}
	used := int64(0)
	err := filepath.WalkDir(dir, func(_ string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		file, err := entry.Info()
		if err == nil {
			used += file.Size()
		}
		return err
	})
	if err == nil && used >= size {
		return fmt.Errorf("%w (%d of %d bytes in %s)", ErrFull, used, size, dir)
	}
	return err
}

func replaced(template string, with func(layout string) string) string {
	for placeholder, layout := range placeholders {
		template = strings.ReplaceAll(template, placeholder, with(layout))
	}
	return template
}
