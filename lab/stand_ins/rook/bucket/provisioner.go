// Copyright: (c) 2026, fediverse.mastodon contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

// Package bucket serves ObjectBucketClaims from the gateways of CephObjectStores, with the library that upstream uses.
//
// Upstream: https://rook.io/docs/rook/v1.20/Storage-Configuration/Object-Storage-RGW/ceph-object-bucket-claim/
package bucket

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/kube-object-storage/lib-bucket-provisioner/pkg/apis/objectbucket.io/v1alpha1"
	"github.com/kube-object-storage/lib-bucket-provisioner/pkg/provisioner/api"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"lab/stand-ins/rook/rgw"
)

// What upstream notes of a bucket in its ObjectBucket.
const (
	cephUser       = "cephUser"
	storeName      = "objectStoreName"
	storeNamespace = "objectStoreNamespace"
)

// Provisioner makes buckets and users; the library does all the rest.
type Provisioner struct {
	Cluster client.Reader
	// Allowed tells what additionalConfig may have.
	Allowed func(context.Context) (string, error)
}

var _ api.Provisioner = Provisioner{}

// GenerateUserID names a claim's user as upstream does: a claim that is made anew is somebody else.
func (p Provisioner) GenerateUserID(claim *v1alpha1.ObjectBucketClaim, bucket *v1alpha1.ObjectBucket) (string, error) {
	if bucket != nil {
		return bucket.Spec.AdditionalState[cephUser], nil
	}
	return "obc-" + claim.Namespace + "-" + claim.Name + "-" + string(claim.UID), nil
}

// Provision makes a bucket that belongs to the claim's user. It may be called again and again.
func (p Provisioner) Provision(options *api.BucketOptions) (*v1alpha1.ObjectBucket, error) {
	ctx := context.Background()
	allowed, err := p.Allowed(ctx)
	if err != nil {
		return nil, err
	}
	asked, err := readConfig(options.ObjectBucketClaim.Spec.AdditionalConfig, allowed)
	if err != nil {
		return nil, fmt.Errorf("failed to process additionalConfig: %w", err)
	}
	store := types.NamespacedName{Namespace: options.Parameters[storeNamespace], Name: options.Parameters[storeName]}
	gateway, err := rgw.Find(ctx, p.Cluster, store)
	if err != nil {
		return nil, err
	}
	user, err := gateway.User(ctx, options.UserID)
	if err != nil {
		return nil, fmt.Errorf("unable to get user %q creds: %w", options.UserID, err)
	}
	if err := own(ctx, gateway, options.BucketName, user); err != nil {
		return nil, fmt.Errorf("error creating bucket %q: %w", options.BucketName, err)
	}
	// As upstream does it, which takes away a policy that was set through the S3 API, too.
	if err := gateway.SetPolicy(ctx, options.BucketName, asked.policy); err != nil {
		return nil, fmt.Errorf("failed to set bucket policy: %w", err)
	}
	return describe(gateway, store, options, user), nil
}

// own makes a bucket, or gives one that is there already to the user.
func own(ctx context.Context, gateway *rgw.Gateway, name string, user rgw.User) error {
	buckets, err := gateway.Buckets(ctx)
	if err != nil {
		return err
	}
	for _, bucket := range buckets {
		if bucket.Name != name {
			continue
		}
		if bucket.Owner == user.Access {
			return nil
		}
		return gateway.Link(ctx, name, user)
	}
	return gateway.CreateBucket(ctx, name, user)
}

func describe(gateway *rgw.Gateway, store types.NamespacedName, options *api.BucketOptions, user rgw.User) *v1alpha1.ObjectBucket {
	return &v1alpha1.ObjectBucket{Spec: v1alpha1.ObjectBucketSpec{Connection: &v1alpha1.Connection{
		Endpoint: &v1alpha1.Endpoint{
			BucketHost:           gateway.Host,
			BucketPort:           int(gateway.Port),
			BucketName:           options.BucketName,
			AdditionalConfigData: options.ObjectBucketClaim.Spec.AdditionalConfig,
		},
		Authentication: &v1alpha1.Authentication{
			AccessKeys: &v1alpha1.AccessKeys{AccessKeyID: user.Access, SecretAccessKey: user.Secret},
		},
		AdditionalState: map[string]string{
			cephUser: options.UserID, storeName: store.Name, storeNamespace: store.Namespace,
		},
	}}}
}

// Grant is asked for by a StorageClass that names a bucket.
func (p Provisioner) Grant(options *api.BucketOptions) (*v1alpha1.ObjectBucket, error) {
	return nil, fmt.Errorf("StorageClass parameter bucketName=%s: this stand-in for Rook doesn't have it", options.BucketName)
}

// Delete takes away a bucket with all that is in it, and its user.
func (p Provisioner) Delete(bucket *v1alpha1.ObjectBucket) error {
	ctx := context.Background()
	gateway, err := rgw.Find(ctx, p.Cluster, storeOf(bucket))
	if err != nil {
		return err
	}
	if err := gateway.Purge(ctx, bucket.Spec.Endpoint.BucketName); err != nil {
		return fmt.Errorf("failed to delete bucket %q: %w", bucket.Spec.Endpoint.BucketName, err)
	}
	return gateway.DeleteUser(ctx, bucket.Spec.AdditionalState[cephUser])
}

// Revoke takes away the user and leaves the bucket. Upstream lets a policy deny him everything, which is the same to him.
func (p Provisioner) Revoke(bucket *v1alpha1.ObjectBucket) error {
	ctx := context.Background()
	gateway, err := rgw.Find(ctx, p.Cluster, storeOf(bucket))
	if err != nil {
		return err
	}
	if err := readable(ctx, gateway, bucket.Spec.Endpoint.BucketName); err != nil {
		return err
	}
	return gateway.DeleteUser(ctx, bucket.Spec.AdditionalState[cephUser])
}

// readable is an error when the bucket has a policy that upstream can't read and add its own statement to. It then never lets
// go of the claim: https://github.com/rook/rook/blob/v1.20.6/pkg/operator/ceph/object/policy.go
func readable(ctx context.Context, gateway *rgw.Gateway, bucket string) error {
	policy, err := gateway.Policy(ctx, bucket)
	if err != nil || policy == "" {
		return err
	}
	var read struct {
		Statement []struct {
			Principal        map[string][]string
			Action, Resource []string
		}
	}
	if err := json.Unmarshal([]byte(policy), &read); err != nil {
		return fmt.Errorf("error getting policy for bucket %q. %w", bucket, err)
	}
	return nil
}

func storeOf(bucket *v1alpha1.ObjectBucket) types.NamespacedName {
	state := bucket.Spec.AdditionalState
	return types.NamespacedName{Namespace: state[storeNamespace], Name: state[storeName]}
}
