"""Lake: the archive bucket, and a Firehose stream each for events, results and rejections."""

from __future__ import annotations

from dataclasses import dataclass

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kinesis as kinesis
from aws_cdk import aws_kinesisfirehose as firehose
from aws_cdk import aws_kms as kms
from constructs import Construct

from config.model import Environment
from contracts.names import DELIVERIES, delivery_name
from stacks.code import lambda_code
from stacks.constructs.auto_delete import tame_auto_delete
from stacks.constructs.base import EnvironmentStack
from stacks.constructs.buckets import bucket
from stacks.constructs.function import PythonFunction, log_group
from stacks.constructs.policies import KEY_READ, KEY_READ_WRITE, allow, document, service_role
from stacks.network import NetworkStack
from stacks.streams import StreamsStack

#: Firehose's longest wait before it writes a file: fewer, larger files cost less to store and to read.
_BUFFER_SECONDS = 300
_BUFFER_MB = 64
#: What the transform function is given at once. Its answer may have 6 MB (Lambda's limit), and a payload grows at most
#: sixfold on its way into a JSON text (every byte a control character, escaped), so 1 MB is the most that always fits.
_TRANSFORM_MB = 1
_TRANSFORM_SECONDS = 60
_ERRORS = "errors"
_HOUR = "!{timestamp:yyyy/MM/dd/HH}"


@dataclass(frozen=True)
class _Archive:
    """One Firehose stream: what it reads, and below which prefix it writes."""

    name: str
    stream: kinesis.IStream
    key: kms.IKey | None


class LakeStack(EnvironmentStack):
    """``archive`` holds gzip JSON lines by hour below ``events/``, ``results/`` and ``rejected/``; and ``errors/``."""

    def __init__(
        self, scope: Construct, environment: Environment, network: NetworkStack, streams: StreamsStack
    ) -> None:
        super().__init__(scope, "lake", environment, "Archive of events, results and rejections in S3")
        self._key = streams.data_key
        self._logs_key = network.logs_key
        access_logs = bucket(self, "AccessLogs", "logs", days={"": environment.lake.results_days})
        lake = environment.lake
        self.archive = bucket(
            self,
            "Archive",
            "archive",
            key=self._key,
            access_logs=access_logs,
            days={
                "events/": lake.raw_days,
                "results/": lake.results_days,
                "rejected/": lake.rejected_days,
                f"{_ERRORS}/": lake.raw_days,
            },
        )
        self.transform = PythonFunction(
            self,
            "Transform",
            package="archive_transform",
            handler="lambdas.archive_transform.handler.handler",
            code=lambda_code("archive_transform"),
            key=network.logs_key,
            description="Raw events with shard, sequence number and arrival, a JSON line each",
            timeout=cdk.Duration.seconds(_TRANSFORM_SECONDS),
            environment={"LOG_LEVEL": "INFO"},
            statements=[],
        )
        events, results, rejected = DELIVERIES
        self._deliver(_Archive(events, streams.input, streams.input_key), self._transform_step(), self.transform)
        self._deliver(_Archive(results, streams.results, self._key), self._delimiter_step(), None)
        self._deliver(_Archive(rejected, streams.rejected, self._key), self._delimiter_step(), None)
        tame_auto_delete(self, network.logs_key)

    def _transform_step(self) -> firehose.CfnDeliveryStream.ProcessorProperty:
        return _processor(
            "Lambda",
            LambdaArn=f"{self.transform.function.function_arn}:$LATEST",
            BufferSizeInMBs=str(_TRANSFORM_MB),
            BufferIntervalInSeconds=str(_TRANSFORM_SECONDS),
            NumberOfRetries="3",
        )

    @staticmethod
    def _delimiter_step() -> firehose.CfnDeliveryStream.ProcessorProperty:
        return _processor("AppendDelimiterToRecord", Delimiter="\\n")

    def _deliver(
        self,
        archive: _Archive,
        step: firehose.CfnDeliveryStream.ProcessorProperty,
        function: PythonFunction | None,
    ) -> None:
        name = delivery_name(self.prefix, archive.name)
        title = archive.name.capitalize()
        group = log_group(
            self,
            f"{title}Logs",
            f"/{self.prefix}/firehose/{archive.name}",
            self.environment_settings.lambda_log_days,
            self._logs_key,
        )
        log_stream = group.add_stream(f"{title}LogStream", log_stream_name="delivery")
        role = service_role(
            self,
            f"{title}Role",
            "firehose.amazonaws.com",
            [self.arn("firehose", f"deliverystream/{name}")],
            {"delivery": document(*self._statements(archive, function, group.log_group_name))},
        )
        firehose.CfnDeliveryStream(
            self,
            f"{title}Delivery",
            delivery_stream_name=name,
            delivery_stream_type="KinesisStreamAsSource",
            kinesis_stream_source_configuration=firehose.CfnDeliveryStream.KinesisStreamSourceConfigurationProperty(
                kinesis_stream_arn=archive.stream.stream_arn, role_arn=role.role_arn
            ),
            extended_s3_destination_configuration=firehose.CfnDeliveryStream.ExtendedS3DestinationConfigurationProperty(
                bucket_arn=self.archive.bucket_arn,
                role_arn=role.role_arn,
                prefix=f"{archive.name}/{_HOUR}/",
                error_output_prefix=f"{_ERRORS}/{archive.name}/!{{firehose:error-output-type}}/{_HOUR}/",
                buffering_hints=firehose.CfnDeliveryStream.BufferingHintsProperty(
                    interval_in_seconds=_BUFFER_SECONDS, size_in_m_bs=_BUFFER_MB
                ),
                compression_format="GZIP",
                encryption_configuration=firehose.CfnDeliveryStream.EncryptionConfigurationProperty(
                    kms_encryption_config=firehose.CfnDeliveryStream.KMSEncryptionConfigProperty(
                        awskms_key_arn=self._key.key_arn
                    )
                ),
                processing_configuration=firehose.CfnDeliveryStream.ProcessingConfigurationProperty(
                    enabled=True, processors=[step]
                ),
                cloud_watch_logging_options=firehose.CfnDeliveryStream.CloudWatchLoggingOptionsProperty(
                    enabled=True, log_group_name=group.log_group_name, log_stream_name=log_stream.log_stream_name
                ),
            ),
        )

    def _statements(
        self, archive: _Archive, function: PythonFunction | None, log_name: str
    ) -> list[iam.PolicyStatement]:
        """What Firehose calls with its role (Firehose developer guide, "Controlling access")."""
        own = [self.archive.arn_for_objects(f"{prefix}{archive.name}/*") for prefix in ("", f"{_ERRORS}/")]
        statements = [
            allow(
                "ReadTheStream",
                ["kinesis:DescribeStream", "kinesis:GetShardIterator", "kinesis:GetRecords", "kinesis:ListShards"],
                [archive.stream.stream_arn],
            ),
            allow(
                "FindTheBucket",
                ["s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketMultipartUploads"],
                [self.archive.bucket_arn],
            ),
            allow("WriteObjects", ["s3:AbortMultipartUpload", "s3:GetObject", "s3:PutObject"], own),
            allow(
                "EncryptObjects",
                KEY_READ_WRITE,
                [self._key.key_arn],
                {"StringEquals": {"kms:ViaService": f"s3.{self.region}.amazonaws.com"}},
            ),
            allow(
                "TellErrors",
                ["logs:PutLogEvents"],
                [self.arn("logs", f"log-group:{log_name}:log-stream:delivery")],
            ),
        ]
        if archive.key is not None:
            statements.append(
                allow(
                    "DecryptRecords",
                    KEY_READ,
                    [archive.key.key_arn],
                    {"StringEquals": {"kms:ViaService": f"kinesis.{self.region}.amazonaws.com"}},
                )
            )
        if function is not None:
            statements.append(
                allow(
                    "Transform",
                    ["lambda:InvokeFunction", "lambda:GetFunctionConfiguration"],
                    [f"{function.function.function_arn}:$LATEST"],
                )
            )
        return statements


def _processor(kind: str, **parameters: str) -> firehose.CfnDeliveryStream.ProcessorProperty:
    return firehose.CfnDeliveryStream.ProcessorProperty(
        type=kind,
        parameters=[
            firehose.CfnDeliveryStream.ProcessorParameterProperty(parameter_name=name, parameter_value=value)
            for name, value in parameters.items()
        ],
    )
