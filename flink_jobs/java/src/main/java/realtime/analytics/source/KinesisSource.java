package realtime.analytics.source;

import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.UUID;
import org.apache.flink.api.common.functions.RuntimeContext;
import org.apache.flink.api.common.state.ListState;
import org.apache.flink.api.common.state.ListStateDescriptor;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.api.java.tuple.Tuple2;
import org.apache.flink.kinesis.shaded.com.amazonaws.services.kinesis.AmazonKinesis;
import org.apache.flink.kinesis.shaded.com.amazonaws.services.kinesis.model.DescribeStreamSummaryRequest;
import org.apache.flink.kinesis.shaded.com.amazonaws.services.kinesis.model.StreamDescriptionSummary;
import org.apache.flink.runtime.state.FunctionInitializationContext;
import org.apache.flink.runtime.state.FunctionSnapshotContext;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.operators.StreamingRuntimeContext;
import org.apache.flink.streaming.connectors.kinesis.FlinkKinesisConsumer;
import org.apache.flink.streaming.connectors.kinesis.config.ConsumerConfigConstants;
import org.apache.flink.streaming.connectors.kinesis.config.ConsumerConfigConstants.InitialPosition;
import org.apache.flink.streaming.connectors.kinesis.internals.KinesisDataFetcher;
import org.apache.flink.streaming.connectors.kinesis.serialization.KinesisDeserializationSchema;
import org.apache.flink.streaming.connectors.kinesis.util.AWSUtil;
import realtime.analytics.intake.Intake;
import realtime.analytics.intake.PartitionClock;
import realtime.analytics.source.PartitionLog.Partition;

/**
 * Reads a Kinesis stream once: decoded records with per-shard verdicts, one watermark, and beside the connector's
 * sequence numbers each shard's clock, the watermark that has left, and from when on the log is known.
 */
public final class KinesisSource extends FlinkKinesisConsumer<Intake> {
    private static final long serialVersionUID = 1L;

    private final String stream;
    private final boolean startsAtLatest;
    private final SourceTimes times;
    private final Properties properties;
    /** Shard and its largest accepted event time. */
    private transient ListState<Tuple2<String, Long>> partitionState;
    /** The watermark that has left, and the horizon; one entry a subtask. */
    private transient ListState<Tuple2<Long, Long>> progressState;

    private transient Map<String, Partition> restored;
    private transient long restoredWatermark;
    private transient volatile PartitionLog log;
    private transient SourceHistory history;
    /** Drawn at each start; see {@link SubtaskReport}. */
    private transient String instance;
    private transient volatile Lineage lineage;

    private KinesisSource(String stream, Properties properties, SourceTimes times) {
        super(stream, new IntakeSchema(times.futureTolerance), properties);
        this.stream = stream;
        this.times = times;
        this.properties = properties;
        this.startsAtLatest =
                InitialPosition.LATEST
                        .name()
                        .equals(properties.getProperty(ConsumerConfigConstants.STREAM_INITIAL_POSITION));
        // A non-null assigner switches the fetcher's periodic watermarks on; createFetcher makes the real one.
        setPeriodicWatermarkAssigner(new PartitionClock(times.delay));
    }

    /** The source as a stream of decoded records. */
    public static DataStream<Intake> attach(
            StreamExecutionEnvironment environment, String stream, Properties properties, SourceTimes times) {
        return environment
                .addSource(new KinesisSource(stream, properties, times), "events of " + stream)
                .uid("source");
    }

    @Override
    public void initializeState(FunctionInitializationContext context) throws Exception {
        super.initializeState(context);
        partitionState =
                context.getOperatorStateStore()
                        .getUnionListState(
                                new ListStateDescriptor<>("partitions", Types.TUPLE(Types.STRING, Types.LONG)));
        progressState =
                context.getOperatorStateStore()
                        .getUnionListState(
                                new ListStateDescriptor<>("progress", Types.TUPLE(Types.LONG, Types.LONG)));
        restored = new HashMap<>();
        for (Tuple2<String, Long> each : partitionState.get()) {
            Partition partition = restored.computeIfAbsent(each.f0, unseen -> new Partition());
            partition.newest = Math.max(partition.newest, each.f1);
        }
        restoredWatermark = Long.MAX_VALUE;
        long horizon = Horizon.UNKNOWN;
        for (Tuple2<Long, Long> each : progressState.get()) {
            // The operators have seen the smallest: they merge what the subtasks send.
            restoredWatermark = Math.min(restoredWatermark, each.f0);
            horizon = Math.max(horizon, each.f1);
        }
        restoredWatermark = restoredWatermark == Long.MAX_VALUE ? Long.MIN_VALUE : restoredWatermark;
        if (horizon == Horizon.UNKNOWN && !startsAtLatest && holdsEverything()) {
            horizon = Horizon.BEGINNING;
        }
        long newest = restored.values().stream().mapToLong(each -> each.newest).max().orElse(ShardReport.NONE);
        history = new SourceHistory(restored.keySet(), startsAtLatest, newest, horizon);
        instance = UUID.randomUUID().toString();
        // Before anything runs, so that nobody takes what an earlier run had agreed upon.
        StreamingRuntimeContext runtime = (StreamingRuntimeContext) getRuntimeContext();
        Alignment.exchange(
                runtime.getGlobalAggregateManager(),
                history.report(runtime.getIndexOfThisSubtask(), runtime.getNumberOfParallelSubtasks(), instance, null));
    }

    @Override
    public void snapshotState(FunctionSnapshotContext context) throws Exception {
        super.snapshotState(context);
        partitionState.clear();
        progressState.clear();
        PartitionLog current = log;
        if (current != null && lineage.isComplete()) {
            current.retain(lineage::lists);
        }
        Map<String, Partition> partitions = current == null ? restored : current.partitions();
        for (Map.Entry<String, Partition> each : partitions.entrySet()) {
            partitionState.add(Tuple2.of(each.getKey(), each.getValue().newest));
        }
        progressState.add(
                current == null
                        ? Tuple2.of(restoredWatermark, history.knownFrom())
                        : Tuple2.of(current.watermark(), history.knownFrom()));
    }

    @Override
    protected KinesisDataFetcher<Intake> createFetcher(
            List<String> streams,
            SourceContext<Intake> output,
            RuntimeContext context,
            Properties properties,
            KinesisDeserializationSchema<Intake> schema) {
        Map<String, Long> clocks = new HashMap<>();
        for (Map.Entry<String, Partition> each : restored.entrySet()) {
            if (each.getValue().newest != PartitionLog.NONE) {
                clocks.put(each.getKey(), each.getValue().newest);
            }
        }
        lineage = new Lineage();
        log = new PartitionLog(output, restored, restoredWatermark);
        return new AlignedFetcher(
                streams,
                log,
                context,
                properties,
                schema,
                new PartitionClock(times.delay, clocks),
                lineage,
                times,
                history,
                instance);
    }

    /** Whether the stream is younger than its retention, so that no record of it is gone. */
    private boolean holdsEverything() {
        AmazonKinesis client = AWSUtil.createKinesisClient(properties);
        try {
            StreamDescriptionSummary summary =
                    client.describeStreamSummary(new DescribeStreamSummaryRequest().withStreamName(stream))
                            .getStreamDescriptionSummary();
            Duration retention = Duration.ofHours(summary.getRetentionPeriodHours());
            return summary.getStreamCreationTimestamp().toInstant().plus(retention).isAfter(Instant.now());
        } finally {
            client.shutdown();
        }
    }
}
