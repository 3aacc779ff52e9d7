package realtime.analytics.source;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Properties;
import java.util.UUID;
import org.apache.flink.api.common.functions.RuntimeContext;
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
    private transient SourceProgress progress;
    private transient volatile PartitionLog log;
    private transient SourceHistory history;
    /** Drawn at each start; see {@link SubtaskReport}. */
    private transient String instance;
    private transient volatile Lineage lineage;

    private KinesisSource(String stream, Properties properties, SourceTimes times) {
        super(stream, new IntakeSchema(times.contract), properties);
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
        progress = new SourceProgress(context.getOperatorStateStore());
        long horizon = progress.horizon();
        if (horizon == Horizon.UNKNOWN && !startsAtLatest && holdsEverything()) {
            horizon = Horizon.BEGINNING;
        }
        long newest = progress.newest(times.contract.tolerance().future());
        history = new SourceHistory(progress.partitions().keySet(), startsAtLatest, newest, horizon);
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
        PartitionLog current = log;
        if (current != null && lineage.isComplete()) {
            current.retain(lineage::lists);
        }
        progress.snapshot(
                current == null ? progress.partitions() : current.partitions(),
                current == null ? progress.watermark() : current.watermark(),
                history.knownFrom());
    }

    @Override
    protected KinesisDataFetcher<Intake> createFetcher(
            List<String> streams,
            SourceContext<Intake> output,
            RuntimeContext context,
            Properties properties,
            KinesisDeserializationSchema<Intake> schema) {
        lineage = new Lineage();
        log = new PartitionLog(output, progress.partitions(), progress.watermark());
        return new AlignedFetcher(
                streams,
                log,
                context,
                properties,
                schema,
                new PartitionClock(times.delay, progress.clocks()),
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
