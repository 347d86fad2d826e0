// Copyright: (c) 2026, fediverse.mastodon contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

package scripts

import (
	"bufio"
	"net"
	"strings"
	"testing"
)

const (
	script = "return redis.call('GET', KEYS[1])"
	// printf %s "$script" | sha1sum
	called = "d3c21d0c2b9ca22f82737626a27bcaf5d288f99f"
)

func command(words ...string) [][]byte {
	var parts [][]byte
	for _, word := range words {
		parts = append(parts, []byte(word))
	}
	return parts
}

func text(command [][]byte) string {
	var words []string
	for _, part := range command {
		words = append(words, string(part))
	}
	return strings.Join(words, "|")
}

func TestScriptsAreWatchedWhicheverWayTheyAreRun(t *testing.T) {
	guard := &Guard{}
	wanted := "EVAL|" + watched(script) + "|1|key"
	for _, given := range [][][]byte{
		command("eval", script, "1", "key"),
		command("EVALSHA", called, "1", "key"),
		command("EvalSha", strings.ToUpper(called), "1", "key"),
	} {
		if got := text(guard.Rewritten(given)); got != wanted {
			t.Errorf("%s became %s", text(given), got)
		}
	}
}

func TestALoadedScriptIsKnown(t *testing.T) {
	guard := &Guard{}
	load := command("SCRIPT", "load", script)
	if got := text(guard.Rewritten(load)); got != text(load) {
		t.Errorf("it was loaded as %s", got)
	}
	if got := text(guard.Rewritten(command("EVALSHA", called, "0"))); !strings.HasPrefix(got, "EVAL|local redis") {
		t.Errorf("it runs as %s", got)
	}
}

func TestWhatIsNoScriptIsLeftAsItIs(t *testing.T) {
	guard := &Guard{}
	for _, given := range [][][]byte{command("PING"), command("SET", "a", "b"), command("EVALSHA", "unknown", "0"), nil} {
		if got := text(guard.Rewritten(given)); got != text(given) {
			t.Errorf("%s became %s", text(given), got)
		}
	}
}

func TestTheGuardAddsNoLineAndStaysBehindAShebang(t *testing.T) {
	got := watched("#!lua flags=no-writes\nreturn 1")
	if !strings.HasPrefix(got, "#!lua flags=no-writes\nlocal redis") || strings.Count(got, "\n") != 1 {
		t.Errorf("it became %s", got)
	}
}

func TestCommandsArriveInEitherForm(t *testing.T) {
	for given, wanted := range map[string]string{
		"*2\r\n$3\r\nGET\r\n$4\r\na\r\nb\r\n": "GET|a\r\nb",
		"GET a\r\n":                           "GET|a",
		"\r\n":                                "",
	} {
		got, err := read(bufio.NewReader(strings.NewReader(given)))
		if err != nil || text(got) != wanted {
			t.Errorf("%q was read as %q, %v", given, text(got), err)
		}
	}
}

func TestClientsReachRedisThroughIt(t *testing.T) {
	redis, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	front, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go (&Guard{}).Serve(front, redis.Addr().String())
	client, err := net.Dial("tcp", front.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	server, err := redis.Accept()
	if err != nil {
		t.Fatal(err)
	}
	_, _ = client.Write(written(command("EVAL", "return 1", "0")))
	got, err := read(bufio.NewReader(server))
	if err != nil || !strings.HasPrefix(text(got), "EVAL|local redis") {
		t.Fatalf("Redis got %s, %v", text(got), err)
	}
	_, _ = server.Write([]byte(":1\r\n"))
	if line, _ := bufio.NewReader(client).ReadString('\n'); line != ":1\r\n" {
		t.Errorf("the client got %q", line)
	}
}
