"""Lake: the archive bucket, a Firehose stream each for events, results and rejections, and tables over them.

Raw events stay JSON lines: a broken one must come back as it was, and the format conversion would divert it. Results
and rejections are ours and well-formed, so they become Parquet.
"""

from __future__ import annotations

from dataclasses import dataclass

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kinesis as kinesis
from aws_cdk import aws_kinesisfirehose as firehose
from constructs import Construct

from config.model import Environment
from contracts.lake import BACKFILL, EVERY_RESULT, HOUR, type_prefix
from contracts.names import ARCHIVE_BUCKET, DELIVERIES, delivery_name
from contracts.rejections import REJECTED
from stacks.code import lambda_code
from stacks.constructs.auto_delete import tame_auto_delete
from stacks.constructs.base import EnvironmentStack
from stacks.constructs.buckets import bucket
from stacks.constructs.catalog import ANSWERS, Catalog
from stacks.constructs.delivery_source import StreamSource, TopicSource
from stacks.constructs.function import PythonFunction, log_group
from stacks.constructs.policies import KEY_READ_WRITE, allow, document, service_role
from stacks.network import NetworkStack
from stacks.streams import StreamsStack
from stacks.topic import TopicStack

#: Firehose's longest wait before it writes a file: fewer, larger files cost less to store and to read.
_BUFFER_SECONDS = 300
_BUFFER_MB = 64
#: What the transform function is given at once. Its answer may have 6 MB (Lambda's limit), and a payload grows at most
#: sixfold on its way into a JSON text (every byte a control character, escaped), so 1 MB is the most that always fits.
_TRANSFORM_MB = 1
_TRANSFORM_SECONDS = 60
_ERRORS = "errors"
_ANSWER_DAYS = 7
_HOUR = "!{timestamp:yyyy/MM/dd/HH}"
_NAMED_HOUR = f"{HOUR}=!{{timestamp:yyyy-MM-dd-HH}}"
#: What Firehose takes out of a result, to choose its prefix.
_TYPE_QUERY = "{type:.result_type}"
_TYPE = "!{partitionKeyFromQuery:type}"
_RETRY_SECONDS = 300


@dataclass(frozen=True)
class _Archive:
    """One Firehose stream: what it reads, and below which prefix it writes."""

    name: str
    source: StreamSource | TopicSource
    prefix: str
    steps: tuple[firehose.CfnDeliveryStream.ProcessorProperty, ...] = ()
    function: PythonFunction | None = None
    #: Table whose schema the records are converted to Parquet with; without one they stay JSON lines.
    table: str | None = None
    by_type: bool = False


class LakeStack(EnvironmentStack):
    """``archive`` holds events as gzip JSON lines, results and rejections as Parquet, by the hour; and ``errors/``."""

    def __init__(
        self,
        scope: Construct,
        environment: Environment,
        network: NetworkStack,
        streams: StreamsStack,
        topic: TopicStack | None,
    ) -> None:
        super().__init__(scope, "lake", environment, "Archive of events, results and rejections in S3")
        self._key = streams.data_key
        self._logs_key = network.logs_key
        access_logs = bucket(self, "AccessLogs", "logs", days={"": environment.lake.results_days})
        lake = environment.lake
        self.archive = bucket(
            self,
            "Archive",
            ARCHIVE_BUCKET,
            key=self._key,
            access_logs=access_logs,
            days={
                "events/": lake.raw_days,
                "results/": lake.results_days,
                "rejected/": lake.rejected_days,
                # Results once more, which are below results/, too.
                f"{BACKFILL}/": lake.results_days,
                f"{_ERRORS}/": lake.raw_days,
                f"{ANSWERS}/": _ANSWER_DAYS,
            },
        )
        self.catalog = Catalog(self, environment, self.archive, self._key)
        events, results, rejected = DELIVERIES
        for archive in (
            *(self._as_they_came(source, events) for source in self._events(environment, streams, topic)),
            *(
                self._as_parquet(streams, results, rejected)
                if lake.parquet
                else (
                    self._as_lines(streams.results, results),
                    self._as_lines(streams.rejected, rejected),
                )
            ),
        ):
            self._deliver(archive)
        tame_auto_delete(self, network.logs_key)

    def _events(
        self, environment: Environment, streams: StreamsStack, topic: TopicStack | None
    ) -> tuple[StreamSource | TopicSource, ...]:
        """What raw events are read from; nothing where they are not archived."""
        if not environment.archives_events:
            return ()
        if streams.input is not None:
            return (StreamSource(streams.input.stream, streams.input.key),)
        return () if topic is None else (TopicSource(topic),)

    def _as_they_came(self, source: StreamSource | TopicSource, name: str) -> _Archive:
        """Raw events, with a function that writes each one's place beside it."""
        transform = PythonFunction(
            self,
            "Transform",
            package="archive_transform",
            handler="lambdas.archive_transform.handler.handler",
            code=lambda_code("archive_transform"),
            key=self._logs_key,
            description="Raw events with shard, sequence number and arrival, a JSON line each",
            timeout=cdk.Duration.seconds(_TRANSFORM_SECONDS),
            environment={
                "LOG_LEVEL": "INFO",
                # Firehose names a record's stream, and of a topic the cluster only.
                **({"TOPIC": source.topic.settings.topic} if isinstance(source, TopicSource) else {}),
            },
            statements=[],
        )
        step = _processor(
            "Lambda",
            LambdaArn=f"{transform.function.function_arn}:$LATEST",
            BufferSizeInMBs=str(_TRANSFORM_MB),
            BufferIntervalInSeconds=str(_TRANSFORM_SECONDS),
            NumberOfRetries="3",
        )
        return _Archive(name, source, f"{name}/{_HOUR}/", steps=(step,), function=transform)

    def _as_parquet(self, streams: StreamsStack, results: str, rejected: str) -> tuple[_Archive, ...]:
        by_type = _processor("MetadataExtraction", MetadataExtractionQuery=_TYPE_QUERY, JsonParsingEngine="JQ-1.6")
        return (
            _Archive(
                results,
                StreamSource(streams.results, self._key),
                f"{type_prefix(_TYPE)}{_NAMED_HOUR}/",
                steps=(by_type,),
                table=EVERY_RESULT,
                by_type=True,
            ),
            _Archive(
                rejected,
                StreamSource(streams.rejected, self._key),
                f"{rejected}/{_NAMED_HOUR}/",
                table=REJECTED,
            ),
        )

    def _as_lines(self, stream: kinesis.IStream, name: str) -> _Archive:
        delimiter = _processor("AppendDelimiterToRecord", Delimiter="\\n")
        return _Archive(name, StreamSource(stream, self._key), f"{name}/{_NAMED_HOUR}/", steps=(delimiter,))

    def _deliver(self, archive: _Archive) -> None:
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
            {"delivery": document(*self._statements(archive, group.log_group_name))},
        )
        delivery = firehose.CfnDeliveryStream(
            self,
            f"{title}Delivery",
            delivery_stream_name=name,
            **archive.source.properties(role),
            extended_s3_destination_configuration=firehose.CfnDeliveryStream.ExtendedS3DestinationConfigurationProperty(
                bucket_arn=self.archive.bucket_arn,
                role_arn=role.role_arn,
                prefix=archive.prefix,
                error_output_prefix=f"{_ERRORS}/{archive.name}/!{{firehose:error-output-type}}/{_HOUR}/",
                buffering_hints=firehose.CfnDeliveryStream.BufferingHintsProperty(
                    interval_in_seconds=_BUFFER_SECONDS, size_in_m_bs=_BUFFER_MB
                ),
                # Parquet is compressed inside.
                compression_format="GZIP" if archive.table is None else "UNCOMPRESSED",
                data_format_conversion_configuration=self._conversion(archive, role),
                dynamic_partitioning_configuration=(
                    firehose.CfnDeliveryStream.DynamicPartitioningConfigurationProperty(
                        enabled=True,
                        retry_options=firehose.CfnDeliveryStream.RetryOptionsProperty(
                            duration_in_seconds=_RETRY_SECONDS
                        ),
                    )
                    if archive.by_type
                    else None
                ),
                encryption_configuration=firehose.CfnDeliveryStream.EncryptionConfigurationProperty(
                    kms_encryption_config=firehose.CfnDeliveryStream.KMSEncryptionConfigProperty(
                        awskms_key_arn=self._key.key_arn
                    )
                ),
                processing_configuration=firehose.CfnDeliveryStream.ProcessingConfigurationProperty(
                    enabled=bool(archive.steps), processors=list(archive.steps)
                ),
                cloud_watch_logging_options=firehose.CfnDeliveryStream.CloudWatchLoggingOptionsProperty(
                    enabled=True, log_group_name=group.log_group_name, log_stream_name=log_stream.log_stream_name
                ),
            ),
        )
        if archive.table is not None:
            delivery.add_resource_dependency(
                self.catalog.every_result if archive.by_type else self.catalog.tables[archive.table]
            )

    def _conversion(
        self, archive: _Archive, role: iam.IRole
    ) -> firehose.CfnDeliveryStream.DataFormatConversionConfigurationProperty | None:
        if archive.table is None:
            return None
        delivery = firehose.CfnDeliveryStream
        return delivery.DataFormatConversionConfigurationProperty(
            enabled=True,
            input_format_configuration=delivery.InputFormatConfigurationProperty(
                deserializer=delivery.DeserializerProperty(open_x_json_ser_de=delivery.OpenXJsonSerDeProperty())
            ),
            output_format_configuration=delivery.OutputFormatConfigurationProperty(
                serializer=delivery.SerializerProperty(
                    parquet_ser_de=delivery.ParquetSerDeProperty(compression="SNAPPY")
                )
            ),
            schema_configuration=delivery.SchemaConfigurationProperty(
                catalog_id=self.account,
                database_name=self.catalog.name,
                region=self.region,
                role_arn=role.role_arn,
                table_name=archive.table,
                version_id="LATEST",
            ),
        )

    def _statements(self, archive: _Archive, log_name: str) -> list[iam.PolicyStatement]:
        """What Firehose calls with its role (Firehose developer guide, "Controlling access")."""
        own = [self.archive.arn_for_objects(f"{prefix}{archive.name}/*") for prefix in ("", f"{_ERRORS}/")]
        statements = [
            *archive.source.statements(self),
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
        if archive.function is not None:
            statements.append(
                allow(
                    "Transform",
                    ["lambda:InvokeFunction", "lambda:GetFunctionConfiguration"],
                    [f"{archive.function.function.function_arn}:$LATEST"],
                )
            )
        if archive.table is not None:
            name = self.catalog.name
            statements.append(
                allow(
                    "ReadTheSchema",
                    ["glue:GetTable", "glue:GetTableVersion", "glue:GetTableVersions"],
                    [
                        self.arn("glue", "catalog"),
                        self.arn("glue", f"database/{name}"),
                        self.arn("glue", f"table/{name}/{archive.table}"),
                    ],
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
