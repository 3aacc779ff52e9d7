package realtime.analytics.source;

import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import org.apache.flink.api.common.functions.RuntimeContext;
import org.apache.flink.api.common.state.ListState;
import org.apache.flink.api.common.state.ListStateDescriptor;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.api.java.tuple.Tuple2;
import org.apache.flink.runtime.state.FunctionInitializationContext;
import org.apache.flink.runtime.state.FunctionSnapshotContext;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.connectors.kinesis.FlinkKinesisConsumer;
import org.apache.flink.streaming.connectors.kinesis.internals.KinesisDataFetcher;
import org.apache.flink.streaming.connectors.kinesis.serialization.KinesisDeserializationSchema;
import realtime.analytics.intake.Intake;
import realtime.analytics.intake.PartitionClock;

/**
 * Reads a Kinesis stream once: decoded records with per-shard verdicts and watermarks, the shards' clocks
 * checkpointed beside the connector's sequence numbers.
 */
public final class KinesisSource extends FlinkKinesisConsumer<Intake> {
    private static final long serialVersionUID = 1L;

    private final long delayMillis;
    private final long startGraceMillis;
    private transient ListState<Tuple2<String, Long>> clockState;
    private transient Map<String, Long> restoredClocks;
    private transient volatile PartitionLog log;

    private KinesisSource(
            String stream, Properties properties, long delayMillis, long startGraceMillis, long futureToleranceMillis) {
        super(stream, new IntakeSchema(futureToleranceMillis), properties);
        this.delayMillis = delayMillis;
        this.startGraceMillis = startGraceMillis;
        // A non-null assigner switches the fetcher's periodic watermarks on; createFetcher makes the real one.
        setPeriodicWatermarkAssigner(new PartitionClock(delayMillis));
    }

    /** The source as a stream of decoded records. All times in milliseconds. */
    public static DataStream<Intake> attach(
            StreamExecutionEnvironment environment,
            String stream,
            Properties properties,
            long delayMillis,
            long startGraceMillis,
            long futureToleranceMillis) {
        return environment
                .addSource(
                        new KinesisSource(stream, properties, delayMillis, startGraceMillis, futureToleranceMillis),
                        "events of " + stream)
                .uid("source");
    }

    @Override
    public void initializeState(FunctionInitializationContext context) throws Exception {
        super.initializeState(context);
        clockState =
                context.getOperatorStateStore()
                        .getUnionListState(
                                new ListStateDescriptor<>("partition-clocks", Types.TUPLE(Types.STRING, Types.LONG)));
        restoredClocks = new HashMap<>();
        for (Tuple2<String, Long> clock : clockState.get()) {
            restoredClocks.merge(clock.f0, clock.f1, Math::max);
        }
    }

    @Override
    public void snapshotState(FunctionSnapshotContext context) throws Exception {
        super.snapshotState(context);
        Map<String, Long> clocks = log == null ? restoredClocks : log.clocks();
        clockState.clear();
        for (Map.Entry<String, Long> clock : clocks.entrySet()) {
            clockState.add(Tuple2.of(clock.getKey(), clock.getValue()));
        }
    }

    @Override
    protected KinesisDataFetcher<Intake> createFetcher(
            List<String> streams,
            SourceContext<Intake> output,
            RuntimeContext context,
            Properties properties,
            KinesisDeserializationSchema<Intake> schema) {
        Map<String, Long> clocks = restoredClocks == null ? Collections.emptyMap() : restoredClocks;
        log = new PartitionLog(output, clocks);
        return new HeldFetcher(
                streams,
                log,
                context,
                properties,
                schema,
                getShardAssigner(),
                new PartitionClock(delayMillis, clocks),
                getWatermarkTracker(),
                startGraceMillis);
    }
}
