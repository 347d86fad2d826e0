// Copyright: (c) 2026, fediverse.mastodon contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

package bucket

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"github.com/kube-object-storage/lib-bucket-provisioner/pkg/apis/objectbucket.io/v1alpha1"
	"github.com/kube-object-storage/lib-bucket-provisioner/pkg/provisioner/api"

	"lab/stand-ins/rook/rgw"
)

// gateway is a small Versity, which notes what it is asked.
type gateway struct {
	users   []string
	buckets map[string]string
	policy  string
	asked   []string
}

func (server *gateway) ServeHTTP(answer http.ResponseWriter, request *http.Request) {
	server.asked = append(server.asked, request.Method+" "+request.URL.RequestURI())
	body, _ := io.ReadAll(request.Body)
	switch path := request.URL.Path; {
	case path == "/list-users":
		fmt.Fprintf(answer, "<ListUserAccountsResult>%s</ListUserAccountsResult>",
			strings.ReplaceAll(strings.Join(server.users, ""), "User>", "Accounts>"))
	case path == "/create-user":
		server.users = append(server.users, string(body))
	case path == "/list-buckets":
		fmt.Fprint(answer, "<ListBucketsResult>")
		for name, owner := range server.buckets {
			fmt.Fprintf(answer, "<Buckets><Name>%s</Name><Owner>%s</Owner></Buckets>", name, owner)
		}
		fmt.Fprint(answer, "</ListBucketsResult>")
	case strings.HasSuffix(path, "/create"):
		server.buckets[strings.TrimSuffix(path, "/create")[1:]] = request.Header.Get("X-Vgw-Owner")
	case request.URL.Query().Has("policy") && server.policy == "":
		answer.WriteHeader(http.StatusNotFound)
		fmt.Fprint(answer, "<Error><Code>NoSuchBucketPolicy</Code></Error>")
	case request.URL.Query().Has("policy"):
		fmt.Fprint(answer, server.policy)
	case path == "/change-bucket-owner":
		server.buckets[request.URL.Query().Get("bucket")] = request.URL.Query().Get("owner")
	}
}

func reach(t *testing.T, server *gateway) *rgw.Gateway {
	t.Helper()
	listening := httptest.NewServer(server)
	t.Cleanup(listening.Close)
	host, port, _ := net.SplitHostPort(listening.Listener.Addr().String())
	number, _ := strconv.Atoi(port)
	return &rgw.Gateway{Host: host, Port: int32(number)}
}

func TestAClaimThatIsMadeAnewIsSomebodyElse(t *testing.T) {
	first, second := &v1alpha1.ObjectBucketClaim{}, &v1alpha1.ObjectBucketClaim{}
	first.Namespace, first.Name, first.UID = "mastodon", "mastodon-s3", "one"
	first.DeepCopyInto(second)
	second.UID = "two"
	one, _ := Provisioner{}.GenerateUserID(first, nil)
	two, _ := Provisioner{}.GenerateUserID(second, nil)
	if one != "obc-mastodon-mastodon-s3-one" || one == two {
		t.Errorf("got %s and %s", one, two)
	}
	known := &v1alpha1.ObjectBucket{Spec: v1alpha1.ObjectBucketSpec{Connection: &v1alpha1.Connection{
		AdditionalState: map[string]string{cephUser: "known"},
	}}}
	if got, _ := (Provisioner{}).GenerateUserID(first, known); got != "known" {
		t.Errorf("got %s", got)
	}
}

func TestAUserIsMadeOnceAndKeepsHisKeys(t *testing.T) {
	server := &gateway{}
	there := reach(t, server)
	first, err := there.User(context.Background(), "obc-one")
	if err != nil {
		t.Fatal(err)
	}
	again, err := there.User(context.Background(), "obc-one")
	if err != nil || again.Access != first.Access || again.Secret != first.Secret || len(server.users) != 1 {
		t.Errorf("got %+v, %v after %+v", again, err, first)
	}
	other, err := there.User(context.Background(), "obc-two")
	if err != nil || other.Access == first.Access || other.Secret == first.Secret {
		t.Errorf("got %+v, %v after %+v", other, err, first)
	}
}

func TestABucketIsMadeKeptOrGivenToItsNewUser(t *testing.T) {
	for name, given := range map[string]struct {
		before map[string]string
		asked  string
	}{
		"made":  {map[string]string{}, "PATCH /media/create"},
		"kept":  {map[string]string{"media": "ME"}, ""},
		"given": {map[string]string{"media": "SOMEBODY"}, "PATCH /change-bucket-owner?bucket=media&owner=ME"},
	} {
		server := &gateway{buckets: given.before}
		if err := own(context.Background(), reach(t, server), "media", rgw.User{Access: "ME"}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if server.buckets["media"] != "ME" || given.asked != strings.Join(server.asked[1:], " ") {
			t.Errorf("%s: got %v after %v", name, server.buckets, server.asked)
		}
	}
}

func TestABucketOfTheAdministratorsIsNotGranted(t *testing.T) {
	if _, err := (Provisioner{}).Grant(&api.BucketOptions{BucketName: "old"}); err == nil {
		t.Error("it is")
	}
}

func TestAPolicyThatUpstreamCannotReadIsAnError(t *testing.T) {
	for policy, want := range map[string]string{
		"": "",
		`{"Statement": [{"Principal": {"AWS": ["*"]}, "Action": ["s3:GetObject"], "Resource": ["arn:aws:s3:::media/a/*"]}]}`: "",
		`{"Statement": [{"Principal": "*", "Action": ["s3:GetObject"], "Resource": ["arn:aws:s3:::media/*"]}]}`:              "Principal",
		`{"Statement": [{"Principal": {"AWS": "*"}, "Action": ["s3:GetObject"]}]}`:                                           "Principal",
		`{"Statement": [{"Principal": {"AWS": ["*"]}, "Action": "s3:GetObject"}]}`:                                           "Action",
	} {
		err := readable(context.Background(), reach(t, &gateway{policy: policy}), "media")
		if (want == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", policy, err, want)
		}
	}
}
