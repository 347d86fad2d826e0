// Copyright: (c) 2026, fediverse.mastodon contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

// Package rgw talks to the gateway of a CephObjectStore, which is Versity's here, as its administrator.
//
// API: https://github.com/versity/versitygw/wiki/Admin-APIs
package rgw

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

const (
	// AccessKey and SecretKey are the administrator's in the Secret that Keyring names, as Versity's variables.
	AccessKey = "ROOT_ACCESS_KEY"
	SecretKey = "ROOT_SECRET_KEY"

	region   = "us-east-1"
	patience = 10 * time.Second
	keySize  = 20
)

// Name is that of a store's Service, with upstream's prefix.
func Name(store string) string { return "rook-ceph-rgw-" + store }

// Keyring is the Secret with the administrator's keys.
func Keyring(store string) string { return Name(store) + "-a-keyring" }

// Host is where pods find a store.
func Host(store types.NamespacedName) string {
	return Name(store.Name) + "." + store.Namespace + ".svc"
}

// Gateway is a store's S3 server.
type Gateway struct {
	Host  string
	Port  int32
	admin aws.Credentials
}

// User is somebody who may use buckets; Versity knows him by his access key.
type User struct {
	Access string
	Secret string
	Role   string
}

// Bucket belongs to the user with this access key.
type Bucket struct {
	Name  string
	Owner string
}

// Find returns the gateway of a store.
func Find(ctx context.Context, cluster client.Reader, store types.NamespacedName) (*Gateway, error) {
	service, keyring := &corev1.Service{}, &corev1.Secret{}
	if err := cluster.Get(ctx, types.NamespacedName{Namespace: store.Namespace, Name: Name(store.Name)}, service); err != nil {
		return nil, fmt.Errorf("failed to get cephObjectStore %q: its gateway is not there: %w", store, err)
	}
	if err := cluster.Get(ctx, types.NamespacedName{Namespace: store.Namespace, Name: Keyring(store.Name)}, keyring); err != nil {
		return nil, fmt.Errorf("failed to get the keys of cephObjectStore %q: %w", store, err)
	}
	admin := aws.Credentials{AccessKeyID: string(keyring.Data[AccessKey]), SecretAccessKey: string(keyring.Data[SecretKey])}
	return &Gateway{Host: Host(store), Port: service.Spec.Ports[0].Port, admin: admin}, nil
}

// User returns a user of this name, made unless he is there, with the keys that the gateway holds.
func (gateway *Gateway) User(ctx context.Context, name string) (User, error) {
	access := accessOf(name)
	var found struct {
		Accounts []User
	}
	if err := gateway.administer(ctx, "/list-users", nil, nil, &found); err != nil {
		return User{}, err
	}
	for _, user := range found.Accounts {
		if user.Access == access {
			return user, nil
		}
	}
	user := User{Access: access, Secret: Random(40), Role: "user"}
	body, err := xml.Marshal(user)
	if err != nil {
		return User{}, err
	}
	return user, gateway.administer(ctx, "/create-user", body, nil, nil)
}

// DeleteUser takes a user away; his buckets stay.
func (gateway *Gateway) DeleteUser(ctx context.Context, name string) error {
	return gateway.administer(ctx, "/delete-user?access="+accessOf(name), nil, nil, nil)
}

// Buckets are all that the store has.
func (gateway *Gateway) Buckets(ctx context.Context) ([]Bucket, error) {
	var found struct {
		Buckets []Bucket
	}
	err := gateway.administer(ctx, "/list-buckets", nil, nil, &found)
	return found.Buckets, err
}

// CreateBucket makes a bucket that belongs to a user.
func (gateway *Gateway) CreateBucket(ctx context.Context, name string, owner User) error {
	return gateway.administer(ctx, "/"+url.PathEscape(name)+"/create", nil, http.Header{"X-Vgw-Owner": {owner.Access}}, nil)
}

// Link gives a bucket to another user.
func (gateway *Gateway) Link(ctx context.Context, name string, owner User) error {
	query := url.Values{"bucket": {name}, "owner": {owner.Access}}
	return gateway.administer(ctx, "/change-bucket-owner?"+query.Encode(), nil, nil, nil)
}

func (gateway *Gateway) endpoint() string {
	return fmt.Sprintf("http://%s:%d", gateway.Host, gateway.Port)
}

// administer sends a signed request, and reads the answer into `into` unless that is nil.
func (gateway *Gateway) administer(ctx context.Context, path string, body []byte, header http.Header, into any) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPatch, gateway.endpoint()+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	if header != nil {
		request.Header = header
	}
	digest := sha256.Sum256(body)
	payload := hex.EncodeToString(digest[:])
	request.Header.Set("X-Amz-Content-Sha256", payload)
	if err := v4.NewSigner().SignHTTP(ctx, gateway.admin, request, payload, "s3", region, time.Now()); err != nil {
		return err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	content, err := io.ReadAll(answer.Body)
	if err != nil {
		return err
	}
	if answer.StatusCode >= http.StatusBadRequest {
		return fmt.Errorf("%s answers %d: %s", gateway.Host, answer.StatusCode, content)
	}
	if into == nil {
		return nil
	}
	return xml.Unmarshal(content, into)
}

// accessOf is the same for the same user, so that he is found again.
func accessOf(user string) string {
	digest := sha256.Sum256([]byte(user))
	return base32.StdEncoding.EncodeToString(digest[:])[:keySize]
}

// Random is text of this length that nobody guesses.
func Random(length int) string {
	bytes := make([]byte, length)
	_, _ = rand.Read(bytes) // never fails
	return base32.StdEncoding.EncodeToString(bytes)[:length]
}
