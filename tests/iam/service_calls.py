"""The written list: calls that AWS services, Flink's Java and CDK's own functions make with our roles.

No test of ours can record these calls, so each line says who makes it and where that is documented. The proof holds the
list against the templates both ways: what is listed must be allowed, what is allowed must be listed or recorded.
docs/iam.md is made from it.

Resources are written with the templates' names: ``{part/Name}`` is the ARN of a resource (nothing where an environment
does not have it; a log group without its ending for streams), ``{log-groups}`` the groups that the role's functions
write to, ``{events}`` and ``{events-key}`` the stream of events and its key, ours or the team's own; ``{cluster}``,
``{topic}`` and ``{group}`` are MSK's, ``{files}``, ``{files-folder}`` and ``{files-key}`` those of the team's bucket;
``{event-bus-arn}`` is the bus that alerts are put on; ``{event-bus}``, ``{as-parquet}``, ``{as-lines}``, ``{archived}``
and ``{warehouse}`` are nothing, and there is no line where there is no such bus, where Firehose converts nothing, where
it does, where no events are archived, and where there is no warehouse.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from config.functions import FUNCTIONS, AlertFunction
from config.model import Environment


@dataclass(frozen=True)
class Source:
    """Where a line comes from: a page with its address, or a class of the application's jar (no address)."""

    title: str
    url: str | None = None


@dataclass(frozen=True)
class Line:
    """``caller`` makes the calls ``actions`` on each of ``resources`` with ``role``."""

    role: str
    caller: str
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    source: Source
    #: Condition keys of the calls and their values.
    context: tuple[tuple[str, str], ...] = ()


_DOCS = "https://docs.aws.amazon.com"
LAMBDA_VPC = Source(
    "AWS managed policy AWSLambdaVPCAccessExecutionRole",
    f"{_DOCS}/aws-managed-policy/latest/reference/AWSLambdaVPCAccessExecutionRole.html",
)
LAMBDA_LOGS = Source(
    "Lambda developer guide, execution role", f"{_DOCS}/lambda/latest/dg/lambda-intro-execution-role.html"
)
LAMBDA_KINESIS = Source(
    "AWS managed policy AWSLambdaKinesisExecutionRole",
    f"{_DOCS}/aws-managed-policy/latest/reference/AWSLambdaKinesisExecutionRole.html",
)
LAMBDA_SQS = Source(
    "AWS managed policy AWSLambdaSQSQueueExecutionRole",
    f"{_DOCS}/aws-managed-policy/latest/reference/AWSLambdaSQSQueueExecutionRole.html",
)
PIPES_SQS = Source(
    "EventBridge user guide, pipes: SQS execution role permissions",
    f"{_DOCS}/eventbridge/latest/userguide/eb-pipes-permissions.html#pipes-perms-sqs",
)
PIPES_TARGET = Source(
    "EventBridge user guide, pipes: enrichment and target permissions",
    f"{_DOCS}/eventbridge/latest/userguide/eb-pipes-permissions.html#pipes-perms-enhance-target",
)
LAMBDA_FAILURES = Source(
    "Lambda developer guide, on-failure destinations", f"{_DOCS}/lambda/latest/dg/kinesis-on-failure-destination.html"
)
KINESIS_KMS = Source(
    "Kinesis developer guide, permissions to use KMS keys", f"{_DOCS}/streams/latest/dev/permissions-user-key-KMS.html"
)
SQS_KMS = Source(
    "SQS developer guide, key management",
    f"{_DOCS}/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-key-management.html",
)
SNS_KMS = Source("SNS developer guide, key management", f"{_DOCS}/sns/latest/dg/sns-key-management.html")
FLINK_CODE = Source(
    "Managed Service for Apache Flink guide, example of an execution role",
    f"{_DOCS}/managed-flink/latest/java/get-started-exercise.html",
)
FLINK_LOGS = Source(
    "Managed Service for Apache Flink guide, logging", f"{_DOCS}/managed-flink/latest/java/cloudwatch-logs.html"
)
FLINK_VPC = Source(
    "Managed Service for Apache Flink guide, VPC permissions",
    f"{_DOCS}/managed-flink/latest/java/vpc-permissions.html",
)
FLINK_KEY = Source(
    "Managed Service for Apache Flink guide, lifecycle operator permissions",
    f"{_DOCS}/managed-flink/latest/java/manage-cmk-api.html#create-cmk-kms-api-caller-permissions",
)
KINESIS_PROXY = Source("`org.apache.flink.streaming.connectors.kinesis.proxy.KinesisProxy`, connector 4.3.0-1.19")
KINESIS_SOURCE = Source("`realtime.analytics.source.KinesisSource.holdsEverything`")
MSK_ACTIONS = Source(
    "MSK developer guide, IAM authorization policy actions and resources",
    f"{_DOCS}/msk/latest/developerguide/kafka-actions.html",
)
TOPIC_SOURCE = Source("`org.apache.flink.connector.kafka.source.KafkaSource`: metadata, offsets and fetches")
FILES_SOURCE = Source("`realtime.analytics.source.S3Objects`, over the AWS SDK")
KINESIS_SINK = Source("`org.apache.flink.connector.kinesis.sink.KinesisStreamsSinkWriter`, connector 4.3.0-1.19")
S3A = Source(
    "Hadoop S3A 3.3.4 in flink-s3-fs-hadoop, recorded under these policies",
    "https://hadoop.apache.org/docs/r3.3.4/hadoop-aws/tools/hadoop-aws/index.html",
)
S3_KMS = Source(
    "S3 user guide, permissions for server-side encryption with KMS",
    f"{_DOCS}/AmazonS3/latest/userguide/UsingKMSEncryption.html",
)
S3_UPLOADS = Source(
    "S3 user guide, multipart uploads and permissions",
    f"{_DOCS}/AmazonS3/latest/userguide/mpuoverview.html#mpuAndPermissions",
)
FIREHOSE = Source(
    "Firehose developer guide, controlling access", f"{_DOCS}/firehose/latest/dev/controlling-access.html"
)
REDSHIFT_STREAMS = Source(
    "Redshift developer guide, streaming ingestion from Kinesis",
    f"{_DOCS}/redshift/latest/dg/materialized-view-streaming-ingestion-getting-started.html",
)
REDSHIFT_DATA = Source(
    "Redshift management guide, authorizing the Data API", f"{_DOCS}/redshift/latest/mgmt/data-api-access.html"
)
SCHEDULER = Source(
    "EventBridge Scheduler user guide, universal targets",
    f"{_DOCS}/scheduler/latest/UserGuide/managing-targets-universal.html",
)
SCHEDULER_FAILURES = Source(
    "EventBridge Scheduler user guide, dead-letter queue",
    f"{_DOCS}/scheduler/latest/UserGuide/configuring-schedule-dlq.html",
)
FLOW_LOGS = Source("VPC user guide, IAM role for flow logs", f"{_DOCS}/vpc/latest/userguide/flow-logs-iam-role.html")
_CDK = "https://github.com/aws/aws-cdk/blob/v2.275.0/packages"
PROVIDER_FRAMEWORK = Source(
    "CDK provider framework, `runtime/outbound.ts`",
    f"{_CDK}/aws-cdk-lib/custom-resources/lib/provider-framework/runtime/outbound.ts",
)
WAITER = Source(
    "CDK provider framework, `waiter-state-machine.ts`",
    f"{_CDK}/aws-cdk-lib/custom-resources/lib/provider-framework/waiter-state-machine.ts",
)
CDK_CLI = Source("CDK guide, bootstrapped roles", f"{_DOCS}/cdk/v2/guide/bootstrapping-env.html")

_EVERY_FUNCTION = (
    "analytics/SnapshotBeforeIsCompleteRole",
    "analytics/SnapshotBeforeOnEventRole",
    "analytics/SnapshotBeforeProviderCompleteRole",
    "analytics/SnapshotBeforeProviderOnEventRole",
    "analytics/StartAfterIsCompleteRole",
    "analytics/StartAfterOnEventRole",
    "analytics/StartAfterProviderCompleteRole",
    "analytics/StartAfterProviderOnEventRole",
    "lake/CustomS3AutoDeleteObjectsCustomResourceProviderRole",
    "lake/TransformRole",
    "search/ForgetRole",
    "search/IndexerRole",
    "search/SetupIsCompleteRole",
    "search/SetupOnEventRole",
    "search/SetupProviderCompleteRole",
    "search/SetupProviderOnEventRole",
    "sinks/AlertsFunctionRole",
    "topic/MskBrokersIsCompleteRole",
    "topic/MskBrokersOnEventRole",
    "topic/MskBrokersProviderCompleteRole",
    "topic/MskBrokersProviderOnEventRole",
    "topic/TopicSetupIsCompleteRole",
    "topic/TopicSetupOnEventRole",
    "topic/TopicSetupProviderCompleteRole",
    "topic/TopicSetupProviderOnEventRole",
    "warehouse/WarehouseIsCompleteRole",
    "warehouse/WarehouseOnEventRole",
    "warehouse/WarehouseProviderCompleteRole",
    "warehouse/WarehouseProviderOnEventRole",
)
_IN_VPC = (
    "search/ForgetRole",
    "search/IndexerRole",
    "search/SetupIsCompleteRole",
    "search/SetupOnEventRole",
    "topic/TopicSetupIsCompleteRole",
)
#: Role, streams it reads, consumers that it may have registered for them, and queue of what it gives up.
_STREAM_READERS = (
    (
        "sinks/AlertsFunctionRole",
        ("{streams/Rejected}", "{streams/Results}"),
        ("{sinks/AlertsRejected}", "{sinks/AlertsResults}"),
        "{sinks/AlertsFailures}",
    ),
    ("search/IndexerRole", ("{streams/Results}",), ("{search/IndexerResults}",), "{search/SearchFailures}"),
)
_DELIVERIES = (
    ("Events", "{events}", "{events-key}"),
    ("Results", "{streams/Results}", "{streams/DataKey}"),
    ("Rejected", "{streams/Rejected}", "{streams/DataKey}"),
)
_PROVIDERS = (
    ("analytics", "SnapshotBefore", "snapshotbeforeprovider"),
    ("analytics", "StartAfter", "startafterprovider"),
    ("search", "Setup", "setupprovider"),
    ("topic", "MskBrokers", "mskbrokersprovider"),
    ("topic", "TopicSetup", "topicsetupprovider"),
    ("warehouse", "Warehouse", "warehouseprovider"),
)
_INTERFACE = "arn:aws:ec2:{region}:{account}:network-interface/eni-1"
_INTERFACE_PARTS = (
    _INTERFACE,
    "arn:aws:ec2:{region}:{account}:security-group/sg-1",
    "arn:aws:ec2:{region}:{account}:subnet/subnet-1",
)


def lines() -> tuple[Line, ...]:
    """The list."""
    return (
        *_functions(),
        *_stream_readers(),
        *_channels(),
        *_applications(),
        *_source(),
        *_backfill(),
        *_operators(),
        *_deliveries(),
        *_flow_logs(),
        *_warehouse(),
        *_provider_framework(),
        *_pipeline(),
    )


def _functions() -> Iterator[Line]:
    for role in (*_EVERY_FUNCTION, *(f"sinks/{function.construct}Role" for function in FUNCTIONS)):
        yield Line(
            role,
            "Lambda, for the function's log",
            ("logs:CreateLogStream", "logs:PutLogEvents"),
            ("{log-groups}:log-stream:2026/11/24/[1]",),
            LAMBDA_LOGS,
        )
    for role in _IN_VPC:
        caller = "Lambda, for the function's network interfaces"
        describes = ("ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets")
        changes = ("ec2:AssignPrivateIpAddresses", "ec2:DeleteNetworkInterface", "ec2:UnassignPrivateIpAddresses")
        yield Line(role, caller, describes, ("*",), LAMBDA_VPC)
        yield Line(role, caller, ("ec2:CreateNetworkInterface",), _INTERFACE_PARTS, LAMBDA_VPC)
        yield Line(role, caller, changes, (_INTERFACE,), LAMBDA_VPC)


def _stream_readers() -> Iterator[Line]:
    poller = "Lambda's event source mapping"
    polling = (
        "kinesis:DescribeStream",
        "kinesis:DescribeStreamSummary",
        "kinesis:GetRecords",
        "kinesis:GetShardIterator",
        "kinesis:ListShards",
    )
    for role, streams, consumers, queue in _STREAM_READERS:
        yield Line(role, poller, polling, streams, LAMBDA_KINESIS)
        yield Line(role, f"{poller}, with enhanced fan-out", ("kinesis:SubscribeToShard",), consumers, LAMBDA_KINESIS)
        yield Line(role, "Kinesis, for who reads", ("kms:Decrypt",), ("{streams/DataKey}",), KINESIS_KMS)
        yield Line(role, f"{poller}, for records it gives up", ("sqs:SendMessage",), (queue,), LAMBDA_FAILURES)
        yield Line(role, "SQS, for who sends", ("kms:Decrypt", "kms:GenerateDataKey"), ("{streams/DataKey}",), SQS_KMS)
    yield Line(
        "sinks/AlertsFunctionRole",
        "SNS, for who publishes",
        ("kms:Decrypt", "kms:GenerateDataKey"),
        ("{streams/DataKey}",),
        SNS_KMS,
    )


def _channels() -> Iterator[Line]:
    """Who empties the queues of the alerts' channels: Lambda for a function, EventBridge Pipes for the bus."""
    polling = ("sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage")
    data_key = ("{streams/DataKey}",)
    for function in FUNCTIONS:
        role = f"sinks/{function.construct}Role"
        queue = f"{{sinks/{function.construct}Queue}}"
        yield Line(role, "Lambda's event source mapping", polling, (queue,), LAMBDA_SQS)
        yield Line(role, "SQS, for who receives and sends", ("kms:Decrypt", "kms:GenerateDataKey"), data_key, SQS_KMS)
    pipe = "sinks/AlertEventBusRole"
    yield Line(pipe, "EventBridge Pipes", polling, ("{sinks/AlertEventBusQueue}",), PIPES_SQS)
    yield Line(pipe, "SQS, for who receives", ("kms:Decrypt",), ("{event-bus}{streams/DataKey}",), SQS_KMS)
    yield Line(pipe, "EventBridge Pipes", ("events:PutEvents",), ("{event-bus-arn}",), PIPES_TARGET)


def of_function(function: AlertFunction, environment: Environment, account: str) -> Iterator[Line]:
    """Calls on behalf of a function, as its entry says."""
    place = {"region": environment.region, "account": account, "prefix": environment.prefix}
    for right in function.rights(environment):
        if right.caller is not None:
            resources = tuple(resource.format_map(place) for resource in right.resources)
            context = tuple(right.conditions.items())
            role = f"sinks/{function.construct}Role"
            yield Line(role, right.caller, right.actions, resources, Source(*right.source), context)


#: Calls of the Java client and the class that makes them; tests/iam/test_java_calls.py holds them against the jar.
_KINESIS_READS = (
    (KINESIS_PROXY, "kinesis:DescribeStream"),
    (KINESIS_PROXY, "kinesis:GetRecords"),
    (KINESIS_PROXY, "kinesis:GetShardIterator"),
    (KINESIS_PROXY, "kinesis:ListShards"),
    (KINESIS_SOURCE, "kinesis:DescribeStreamSummary"),
)
#: The application's role, its log group, and the streams that it writes to.
_APPLICATIONS = (
    ("analytics/Role", "{analytics/Logs}", ("{streams/Rejected}", "{streams/Results}")),
    ("backfill/Role", "{backfill/Logs}", ("{streams/Results}",)),
)
#: What passes through an endpoint's policy must be allowed by it, too.
_OWN = (("aws:PrincipalAccount", "{account}"),)


def _applications() -> Iterator[Line]:
    """What the service and the sinks call for the live application and for the one that plays the archive."""
    service, code = "the managed Flink service", "arn:aws:s3:::{assets}/{code}"
    describes = tuple(f"ec2:Describe{what}" for what in ("DhcpOptions", "NetworkInterfaces", "SecurityGroups"))
    describes += ("ec2:DescribeSubnets", "ec2:DescribeVpcs")
    network = f"{service}, for its network interfaces"
    changes = ("ec2:CreateNetworkInterfacePermission", "ec2:DeleteNetworkInterface")
    for role, group, outputs in _APPLICATIONS:
        yield Line(role, "the application's sinks", ("kinesis:PutRecords",), outputs, KINESIS_SINK)
        yield Line(role, "Kinesis, for who writes", ("kms:GenerateDataKey",), ("{streams/DataKey}",), KINESIS_KMS)
        yield Line(role, f"{service}, for the code", ("s3:GetObject", "s3:GetObjectVersion"), (code,), FLINK_CODE)
        groups = "arn:aws:logs:{region}:{account}:log-group::log-stream:"
        yield Line(role, f"{service}, for the log", ("logs:DescribeLogGroups",), (groups,), FLINK_LOGS)
        streams, stream = f"{group}:log-stream:", f"{group}:log-stream:application"
        yield Line(role, f"{service}, for the log", ("logs:DescribeLogStreams",), (streams,), FLINK_LOGS)
        yield Line(role, f"{service}, for the log", ("logs:PutLogEvents",), (stream,), FLINK_LOGS)
        yield Line(role, network, describes, ("*",), FLINK_VPC)
        yield Line(role, network, ("ec2:CreateNetworkInterface",), _INTERFACE_PARTS, FLINK_VPC)
        yield Line(role, network, changes, (_INTERFACE,), FLINK_VPC)
    endpoint, outputs = "network/KinesisEndpoint", ("{streams/Rejected}", "{streams/Results}")
    yield Line(endpoint, "the applications' sinks", ("kinesis:PutRecords",), outputs, KINESIS_SINK, _OWN)
    # Whether the service fetches the code from inside the VPC, its guide does not say.
    reads = ("s3:GetObject", "s3:GetObjectVersion")
    yield Line("network/S3Endpoint", f"{service}, for the code", reads, (code,), FLINK_CODE, _OWN)


def _source() -> Iterator[Line]:
    """What the live application reads: a stream, a topic or files."""
    role, reader = "analytics/Role", "the application's source"
    for name, context in ((role, ()), ("network/KinesisEndpoint", _OWN)):
        for source, action in _KINESIS_READS:
            yield Line(name, reader, (action,), ("{events}",), source, context)
    yield Line(role, "Kinesis, for who reads", ("kms:Decrypt",), ("{events-key}",), KINESIS_KMS)
    yield Line(role, reader, ("kafka-cluster:Connect",), ("{cluster}",), MSK_ACTIONS)
    yield Line(role, reader, ("kafka-cluster:DescribeTopic", "kafka-cluster:ReadData"), ("{topic}",), TOPIC_SOURCE)
    file, listed = "{files}/{files-folder}0/part-0001.jsonl.gz", (("s3:prefix", "{files-folder}"),)
    for name, context in ((role, ()), ("network/S3Endpoint", _OWN)):
        yield Line(name, reader, ("s3:ListBucket",), ("{files}",), FILES_SOURCE, (*listed, *context))
        yield Line(name, reader, ("s3:GetObject",), (file,), FILES_SOURCE, context)
    s3 = ("kms:ViaService", "s3.{region}.amazonaws.com")
    yield Line(role, "S3, for who reads", ("kms:Decrypt",), ("{files-key}",), S3_KMS, (s3,))


#: A prefix that a backfill reads, a file below it, and where: everywhere, or by how the rejections are kept.
_ARCHIVED = (
    ("", "events", "events/2026/11/24/10/1.gz"),
    ("{as-lines}", "rejected", "rejected/hour=2026-11-24-10/1.gz"),
    ("{as-parquet}", "backfill/rejections_1", "backfill/rejections_1/1.gz"),
)
#: A file that a backfill writes.
_RESULTS_FILE = "backfill/results_1/results-0.jsonl"


def _backfill() -> Iterator[Line]:
    """The calls to S3; tests/e2e/test_backfill_rights.py records them while a backfill runs under these policies."""
    for caller, action, resource, source, prefix in _s3_calls():
        context = () if prefix is None else (("s3:prefix", prefix),)
        yield Line("backfill/Role", caller, (action,), (resource,), source, context)
        through = f"{{archived}}{resource}"
        yield Line("network/S3Endpoint", caller, (action,), (through,), source, (*context, *_OWN))
    key, via = ("{streams/DataKey}",), (("kms:ViaService", "s3.{region}.amazonaws.com"),)
    yield Line("backfill/Role", "S3, for who reads, and who uploads parts", ("kms:Decrypt",), key, S3_UPLOADS, via)
    yield Line("backfill/Role", "S3, for who writes", ("kms:GenerateDataKey",), key, S3_UPLOADS, via)


def _s3_calls() -> Iterator[tuple[str, str, str, Source, str | None]]:
    """Caller, action, resource, source, and the prefix that is listed."""
    lists, reads, writes, bucket = "s3:ListBucket", "s3:GetObject", "s3:PutObject", "{lake/Archive}"
    for where, prefix, file in _ARCHIVED:
        place = f"{where}{bucket}"
        yield "the backfill's source", lists, place, FILES_SOURCE, f"{where}{prefix}/"
        yield "the backfill's source", reads, f"{place}/{file}", FILES_SOURCE, None
    yield "S3A, for the upload of a file", writes, f"{bucket}/{_RESULTS_FILE}", S3A, None
    yield "S3A, for a file that was being completed", reads, f"{bucket}/{_RESULTS_FILE}", S3A, None


def _operators() -> Iterator[Line]:
    """The guide names these for who calls the service's API on an application with a key, not for which call."""
    via = ("kms:ViaService", "kinesisanalytics.{region}.amazonaws.com")
    context = ("kms:EncryptionContext:aws:kinesisanalytics:arn", "{application}")
    uses = ("kms:Decrypt", "kms:GenerateDataKey", "kms:GenerateDataKeyWithoutPlaintext")
    grant = (via, context, ("kms:GrantConstraintType", "EncryptionContextSubset"), ("kms:GrantOperations", "Decrypt"))
    caller, key = "the managed Flink service, in the name of who calls it", ("{analytics/StateKey}",)
    for role in ("analytics/SnapshotBeforeIsCompleteRole", "analytics/StartAfterIsCompleteRole"):
        yield Line(role, caller, ("kms:DescribeKey",), key, FLINK_KEY, (via,))
        yield Line(role, caller, uses, key, FLINK_KEY, (via, context))
        yield Line(role, caller, ("kms:CreateGrant",), key, FLINK_KEY, grant)


def _deliveries() -> Iterator[Line]:
    reads = ("kinesis:DescribeStream", "kinesis:GetRecords", "kinesis:GetShardIterator", "kinesis:ListShards")
    finds = ("s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketMultipartUploads")
    writes = ("s3:AbortMultipartUpload", "s3:GetObject", "s3:PutObject")
    for title, stream, key in _DELIVERIES:
        role, name = f"lake/{title}Role", title.lower()
        objects = tuple(f"{{lake/Archive}}/{prefix}{name}/2026-11-24-10/1" for prefix in ("", "errors/"))
        s3, kinesis = (("kms:ViaService", f"{service}.{{region}}.amazonaws.com") for service in ("s3", "kinesis"))
        yield Line(role, "Firehose", reads, (stream,), FIREHOSE)
        yield Line(role, "Firehose, from an encrypted stream", ("kms:Decrypt",), (key,), FIREHOSE, (kinesis,))
        yield Line(role, "Firehose", finds, ("{lake/Archive}",), FIREHOSE)
        yield Line(role, "Firehose", writes, objects, FIREHOSE)
        encrypts = ("kms:Decrypt", "kms:GenerateDataKey")
        yield Line(role, "Firehose, into encrypted objects", encrypts, ("{streams/DataKey}",), FIREHOSE, (s3,))
        log = f"{{lake/{title}Logs}}:log-stream:delivery"
        yield Line(role, "Firehose, for its errors", ("logs:PutLogEvents",), (log,), FIREHOSE)
    for title, table in (("Results", "every_result"), ("Rejected", "rejected")):
        yield Line(
            f"lake/{title}Role",
            "Firehose, for the schema of Parquet",
            ("glue:GetTable", "glue:GetTableVersion", "glue:GetTableVersions"),
            tuple(
                f"{{as-parquet}}arn:aws:glue:{{region}}:{{account}}:{kind}"
                for kind in ("catalog", "database/{database}", f"table/{{database}}/{table}")
            ),
            FIREHOSE,
        )
    role, caller = "lake/EventsRole", "Firehose, from a topic"
    reaches = ("kafka-cluster:Connect", "kafka:DescribeCluster", "kafka:DescribeClusterV2", "kafka:GetBootstrapBrokers")
    of_topic = ("DescribeTopic", "DescribeTopicDynamicConfiguration", "ReadData")
    yield Line(role, caller, reaches, ("{cluster}",), FIREHOSE)
    yield Line(role, caller, tuple(f"kafka-cluster:{one}" for one in of_topic), ("{topic}",), FIREHOSE)
    yield Line(role, caller, ("kafka-cluster:DescribeGroup",), ("{group}/firehose-1",), FIREHOSE)
    yield Line(
        "lake/EventsRole",
        "Firehose, to transform",
        ("lambda:GetFunctionConfiguration", "lambda:InvokeFunction"),
        ("{lake/TransformFunction}:$LATEST",),
        FIREHOSE,
    )


def _flow_logs() -> Iterator[Line]:
    role, caller, group = "network/FlowLogsRole", "VPC flow logs", "{network/FlowLogs}:log-stream:"
    yield Line(role, caller, ("logs:CreateLogStream", "logs:PutLogEvents"), (f"{group}eni-1-all",), FLOW_LOGS)
    yield Line(role, caller, ("logs:DescribeLogStreams",), (group,), FLOW_LOGS)
    groups = "arn:aws:logs:{region}:{account}:log-group::log-stream:"
    yield Line(role, caller, ("logs:DescribeLogGroups",), (groups,), FLOW_LOGS)


def _warehouse() -> Iterator[Line]:
    kinesis, secrets, sqs = (
        ("kms:ViaService", f"{service}.{{region}}.amazonaws.com") for service in ("kinesis", "secretsmanager", "sqs")
    )
    reads = (
        "kinesis:DescribeStream",
        "kinesis:DescribeStreamSummary",
        "kinesis:GetRecords",
        "kinesis:GetShardIterator",
        "kinesis:ListShards",
    )
    role, key = "warehouse/StreamRole", ("{streams/DataKey}",)
    # Its traffic is routed through the network, so the endpoint of a network of ours must let it pass, too.
    for name, there, context in ((role, "", ()), ("network/KinesisEndpoint", "{warehouse}", _OWN)):
        results, schema = (f"{there}{{streams/Results}}",), "Redshift, for the external schema"
        yield Line(name, "Redshift", reads, results, REDSHIFT_STREAMS, context)
        yield Line(name, schema, ("kinesis:ListStreams",), (f"{there}*",), REDSHIFT_STREAMS, context)
    yield Line(role, "Redshift, from an encrypted stream", ("kms:Decrypt",), key, REDSHIFT_STREAMS, (kinesis,))
    for role in ("warehouse/WarehouseIsCompleteRole", "warehouse/RefreshRole"):
        caller = "the Data API, in the name of who calls it"
        secret = ("{warehouse/Administrator}",)
        yield Line(role, caller, ("secretsmanager:GetSecretValue",), secret, REDSHIFT_DATA)
        yield Line(role, caller, ("kms:Decrypt",), key, REDSHIFT_DATA, (secrets,))
    role, caller = "warehouse/RefreshRole", "EventBridge Scheduler"
    yield Line(role, caller, ("redshift-data:ExecuteStatement",), ("{warehouse/Workgroup}",), SCHEDULER)
    failures = f"{caller}, for what it could not call"
    yield Line(role, failures, ("sqs:SendMessage",), ("{warehouse/RefreshFailures}",), SCHEDULER_FAILURES)
    yield Line(role, failures, ("kms:Decrypt", "kms:GenerateDataKey"), key, SCHEDULER_FAILURES, (sqs,))


def _provider_framework() -> Iterator[Line]:
    for part, name, machine in _PROVIDERS:
        provider = f"{part}/{name}Provider"
        invoke = ("lambda:GetFunction", "lambda:InvokeFunction")  # GetFunction: it waits where a function sleeps
        on_event, is_complete = f"{{{part}/{name}OnEventFunction}}", f"{{{part}/{name}IsCompleteFunction}}"
        caller = "CDK's framework of custom resources"
        yield Line(f"{provider}OnEventRole", caller, invoke, (on_event,), PROVIDER_FRAMEWORK)
        yield Line(
            f"{provider}OnEventRole",
            caller,
            ("states:StartExecution",),
            (f"arn:aws:states:{{region}}:{{account}}:stateMachine:{{prefix}}-{machine}",),
            PROVIDER_FRAMEWORK,
        )
        yield Line(f"{provider}CompleteRole", caller, invoke, (is_complete,), PROVIDER_FRAMEWORK)
        yield Line(
            f"{provider}waiterstatemachineRole",
            "Step Functions",
            ("lambda:InvokeFunction",),
            (f"{{{provider}frameworkisComplete}}", f"{{{provider}frameworkonTimeout}}"),
            WAITER,
        )


def _pipeline() -> Iterator[Line]:
    yield Line(
        "delivery/DeployRole",
        "CDK's command line, in the workflow that deploys",
        ("sts:AssumeRole",),
        tuple(
            f"arn:aws:iam::{{account}}:role/cdk-hnb659fds-{role}-{{account}}-{{region}}"
            for role in ("deploy-role", "file-publishing-role", "lookup-role")
        ),
        CDK_CLI,
    )
    # `make smoke` writes to the stream of events and reads the others.
    role = "delivery/DeployRole"
    yield Line(role, "Kinesis, for who writes", ("kms:GenerateDataKey",), ("{events-key}",), KINESIS_KMS)
    yield Line(role, "Kinesis, for who reads", ("kms:Decrypt",), ("{streams/DataKey}",), KINESIS_KMS)
