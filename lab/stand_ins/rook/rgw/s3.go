// Copyright: (c) 2026, fediverse.mastodon contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

package rgw

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"
)

// SetPolicy lets a bucket have this policy; nil is none.
func (gateway *Gateway) SetPolicy(ctx context.Context, bucket string, policy *string) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if policy == nil {
		_, err := gateway.s3().DeleteBucketPolicy(ctx, &s3.DeleteBucketPolicyInput{Bucket: &bucket})
		return err
	}
	_, err := gateway.s3().PutBucketPolicy(ctx, &s3.PutBucketPolicyInput{Bucket: &bucket, Policy: policy})
	return err
}

// Policy is the policy that a bucket has, and empty when it has none.
func (gateway *Gateway) Policy(ctx context.Context, bucket string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	answer, err := gateway.s3().GetBucketPolicy(ctx, &s3.GetBucketPolicyInput{Bucket: &bucket})
	var refused smithy.APIError
	if errors.As(err, &refused) && refused.ErrorCode() == "NoSuchBucketPolicy" {
		return "", nil
	}
	if err != nil {
		return "", ignoreNoSuchBucket(err)
	}
	return aws.ToString(answer.Policy), nil
}

// Purge deletes a bucket with all that is in it. One that is gone is no error.
func (gateway *Gateway) Purge(ctx context.Context, bucket string) error {
	server := gateway.s3()
	pages := s3.NewListObjectsV2Paginator(server, &s3.ListObjectsV2Input{Bucket: &bucket})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return ignoreNoSuchBucket(err)
		}
		for _, object := range page.Contents {
			if _, err := server.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &bucket, Key: object.Key}); err != nil {
				return err
			}
		}
	}
	_, err := server.DeleteBucket(ctx, &s3.DeleteBucketInput{Bucket: &bucket})
	return ignoreNoSuchBucket(err)
}

func (gateway *Gateway) s3() *s3.Client {
	return s3.New(s3.Options{
		BaseEndpoint: aws.String(gateway.endpoint()),
		Region:       region,
		UsePathStyle: true,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return gateway.admin, nil
		}),
	})
}

func ignoreNoSuchBucket(err error) error {
	var answer smithy.APIError
	if errors.As(err, &answer) && answer.ErrorCode() == (&types.NoSuchBucket{}).ErrorCode() {
		return nil
	}
	return err
}
