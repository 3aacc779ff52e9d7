"""Buckets: private, encrypted, TLS only, versioned, and with an end for every object."""

from __future__ import annotations

from collections.abc import Mapping

import aws_cdk as cdk
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3

from contracts.names import bucket_name
from stacks.constructs.base import EnvironmentStack

#: How long what was overwritten or deleted can still be brought back.
_NONCURRENT_DAYS = 7


def bucket(
    scope: EnvironmentStack,
    name: str,
    short_name: str,
    *,
    days: Mapping[str, int],
    key: kms.IKey | None = None,
    access_logs: s3.IBucket | None = None,
    lock_days: int | None = None,
    bucket_key: bool = True,
) -> s3.Bucket:
    """A bucket named ``<prefix>-<short_name>-<account>-<region>``.

    Args:
        scope: its stack; where the environment does not retain data, the bucket is emptied and deleted with it.
        name: the construct's id.
        short_name: what it holds.
        days: days after which objects below a prefix expire.
        key: encrypts the objects; without one S3's own key does (a bucket that takes access logs allows no other).
        access_logs: takes the access logs.
        bucket_key: S3's own key between the bucket's and the objects': fewer calls to KMS. CloudTrail would need to
            decrypt with the key to use such a bucket.
        lock_days: no version can be deleted or overwritten for so long, by nobody; such a bucket is always retained.
    """
    retained = lock_days is not None or scope.environment_settings.protection.retain_data
    return s3.Bucket(
        scope,
        name,
        bucket_name=bucket_name(scope.prefix, short_name, scope.account, scope.region),
        encryption=s3.BucketEncryption.S3_MANAGED if key is None else s3.BucketEncryption.KMS,
        encryption_key=key,
        bucket_key_enabled=None if key is None else bucket_key,
        block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
        object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
        enforce_ssl=True,
        minimum_tls_version=1.2,
        versioned=True,
        server_access_logs_bucket=access_logs,
        server_access_logs_prefix=None if access_logs is None else f"{short_name}/",
        object_lock_enabled=True if lock_days else None,
        object_lock_default_retention=(
            s3.ObjectLockRetention.compliance(cdk.Duration.days(lock_days)) if lock_days else None
        ),
        lifecycle_rules=[
            s3.LifecycleRule(
                id=f"expire-{prefix.strip('/') or 'all'}",
                prefix=prefix or None,
                expiration=cdk.Duration.days(most),
                noncurrent_version_expiration=cdk.Duration.days(max(_NONCURRENT_DAYS, lock_days or 0)),
                abort_incomplete_multipart_upload_after=cdk.Duration.days(1),
            )
            for prefix, most in days.items()
        ],
        removal_policy=cdk.RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE if retained else cdk.RemovalPolicy.DESTROY,
        auto_delete_objects=not retained,
    )
