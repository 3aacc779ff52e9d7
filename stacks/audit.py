"""Audit: who did what in the account, and who touched the buckets' objects, in a bucket that nobody can empty."""

from __future__ import annotations

from aws_cdk import aws_cloudtrail as cloudtrail
from aws_cdk import aws_iam as iam
from constructs import Construct

from config.model import Environment
from stacks.constructs.base import RETAINED, EnvironmentStack
from stacks.constructs.buckets import bucket
from stacks.constructs.policies import key, service_may_use
from stacks.lake import LakeStack

_SERVICE = "cloudtrail.amazonaws.com"
_Trail = cloudtrail.CfnTrail


class AuditStack(EnvironmentStack):
    """One trail: management events (streams, keys, application among them), and data events of the archive."""

    def __init__(self, scope: Construct, environment: Environment, lake: LakeStack | None) -> None:
        super().__init__(scope, "audit", environment, "CloudTrail of the real-time analytics pipeline")
        name = f"{self.prefix}-trail"
        trails = f"arn:{self.partition}:cloudtrail:*"
        source = {"StringEquals": {"aws:SourceArn": self.arn("cloudtrail", f"trail/{name}")}}
        trail_key = key(self, "AuditKey", "CloudTrail")
        trail_key.apply_removal_policy(RETAINED)  # the bucket outlives its stack, and would be unreadable without it
        service_may_use(trail_key, "TrailDescribes", _SERVICE, ["kms:DescribeKey"], source)
        service_may_use(
            trail_key,
            "TrailEncrypts",
            _SERVICE,
            ["kms:GenerateDataKey"],
            {
                **source,
                # A trail of all regions writes from each of them.
                "StringLike": {"kms:EncryptionContext:aws:cloudtrail:arn": f"{trails}:{self.account}:trail/{name}"},
            },
        )
        days = environment.audit.days
        self.bucket = bucket(
            self, "Trail", "audit", key=trail_key, days={"": days + 1}, lock_days=days, bucket_key=False
        )
        folder = f"AWSLogs/{self.account}/*"
        for sid, action, resource, condition in (
            ("TrailChecks", "s3:GetBucketAcl", self.bucket.bucket_arn, source),
            ("TrailWrites", "s3:PutObject", self.bucket.arn_for_objects(folder), source),
        ):
            self.bucket.add_to_resource_policy(
                iam.PolicyStatement(
                    sid=sid,
                    principals=[iam.ServicePrincipal(_SERVICE)],
                    actions=[action],
                    resources=[resource],
                    conditions=condition,
                )
            )
        trail = _Trail(
            self,
            "CloudTrail",
            trail_name=name,
            s3_bucket_name=self.bucket.bucket_name,
            is_logging=True,
            is_multi_region_trail=True,
            include_global_service_events=True,
            enable_log_file_validation=True,
            kms_key_id=trail_key.key_arn,
            advanced_event_selectors=self._selectors(lake),
        )
        if self.bucket.policy is not None:
            trail.node.add_dependency(self.bucket.policy)

    def _selectors(self, lake: LakeStack | None) -> list[_Trail.AdvancedEventSelectorProperty]:
        def equals(field: str, value: str) -> _Trail.AdvancedFieldSelectorProperty:
            return _Trail.AdvancedFieldSelectorProperty(field=field, equal_to=[value])

        management = _Trail.AdvancedEventSelectorProperty(
            name="management events", field_selectors=[equals("eventCategory", "Management")]
        )
        if lake is None:
            return [management]
        objects = _Trail.AdvancedEventSelectorProperty(
            name="objects of the archive",
            field_selectors=[
                equals("eventCategory", "Data"),
                equals("resources.type", "AWS::S3::Object"),
                _Trail.AdvancedFieldSelectorProperty(
                    field="resources.ARN", starts_with=[lake.archive.arn_for_objects("")]
                ),
            ],
        )
        return [management, objects]
