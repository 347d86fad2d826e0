// Copyright: (c) 2026, fediverse.mastodon contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

// Command kstatus reads one object a line as JSON and writes what kstatus makes of it, one word a line.
package main

import (
	"bufio"
	"fmt"
	"os"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
)

func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<20)
	told := bufio.NewWriter(os.Stdout)
	defer told.Flush()
	for lines.Scan() {
		item := &unstructured.Unstructured{}
		if err := item.UnmarshalJSON(lines.Bytes()); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		result, err := status.Compute(item)
		if err != nil {
			fmt.Fprintln(told, "Error")
			continue
		}
		fmt.Fprintln(told, result.Status)
	}
}
