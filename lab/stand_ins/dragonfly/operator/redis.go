// Copyright: (c) 2026, fediverse.mastodon contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

package operator

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

const patience = 2 * time.Second

// State is what a Redis says of its replication.
type State struct {
	// Address of its master; none makes it one.
	Follows string
	// It has all that its master has.
	Synced bool
	Offset int64
}

// Replication tells and changes how the Redis at an address replicates.
type Replication interface {
	State(ctx context.Context, ip string) (State, error)
	Promote(ctx context.Context, ip string) error
	Follow(ctx context.Context, ip, master string) error
}

// Redis does it through the admin port, which wants no password.
type Redis struct{}

// State asks INFO replication. It fails while Redis is reading a snapshot.
func (Redis) State(ctx context.Context, ip string) (State, error) {
	client := dial(ip)
	defer client.Close()
	if err := client.Ping(ctx).Err(); err != nil {
		return State{}, err
	}
	told, err := client.Info(ctx, "replication").Result()
	if err != nil {
		return State{}, err
	}
	return stateOf(told), nil
}

func (Redis) Promote(ctx context.Context, ip string) error {
	return replicaOf(ctx, ip, "NO", "ONE")
}

func (Redis) Follow(ctx context.Context, ip, master string) error {
	return replicaOf(ctx, ip, master, strconv.Itoa(port))
}

func replicaOf(ctx context.Context, ip string, words ...string) error {
	client := dial(ip)
	defer client.Close()
	if err := client.Do(ctx, "REPLICAOF", words[0], words[1]).Err(); err != nil {
		return fmt.Errorf("REPLICAOF %s at %s: %w", strings.Join(words, " "), ip, err)
	}
	return nil
}

func dial(ip string) *redis.Client {
	return redis.NewClient(&redis.Options{
		Addr:        net.JoinHostPort(ip, strconv.Itoa(adminPort)),
		DialTimeout: patience, ReadTimeout: patience, WriteTimeout: patience, MaxRetries: -1,
	})
}

// stateOf reads the answer to INFO replication: https://redis.io/docs/latest/commands/info/
func stateOf(told string) State {
	fields := map[string]string{}
	for line := range strings.Lines(told) {
		if name, value, found := strings.Cut(strings.TrimSpace(line), ":"); found {
			fields[name] = value
		}
	}
	offset, _ := strconv.ParseInt(fields["master_repl_offset"], 10, 64)
	return State{Follows: fields["master_host"], Synced: fields["master_link_status"] == "up", Offset: offset}
}
