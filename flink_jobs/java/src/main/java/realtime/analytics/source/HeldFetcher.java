package realtime.analytics.source;

import java.util.List;
import java.util.Properties;
import org.apache.flink.api.common.functions.RuntimeContext;
import org.apache.flink.streaming.connectors.kinesis.KinesisShardAssigner;
import org.apache.flink.streaming.connectors.kinesis.internals.KinesisDataFetcher;
import org.apache.flink.streaming.connectors.kinesis.model.KinesisStreamShardState;
import org.apache.flink.streaming.connectors.kinesis.model.SentinelSequenceNumber;
import org.apache.flink.streaming.connectors.kinesis.serialization.KinesisDeserializationSchema;
import org.apache.flink.streaming.connectors.kinesis.util.WatermarkTracker;
import realtime.analytics.intake.Intake;
import realtime.analytics.intake.PartitionClock;

/**
 * Holds the watermark back until every subscribed shard has delivered an accepted record or the start grace is over.
 * The connector's own fetcher skips shards that have no record yet, so that the first shard to answer would
 * make the others' backlog late.
 */
final class HeldFetcher extends KinesisDataFetcher<Intake> {
    private final PartitionLog log;
    private final long graceEnds;
    private boolean released;

    HeldFetcher(
            List<String> streams,
            PartitionLog log,
            RuntimeContext context,
            Properties properties,
            KinesisDeserializationSchema<Intake> schema,
            KinesisShardAssigner assigner,
            PartitionClock clock,
            WatermarkTracker tracker,
            long startGraceMillis) {
        super(streams, log, context, properties, schema, assigner, clock, tracker);
        this.log = log;
        this.graceEnds = System.currentTimeMillis() + startGraceMillis;
    }

    @Override
    protected void emitWatermark() {
        if (!released) {
            released = everyShardDelivered() || getCurrentTimeMillis() >= graceEnds;
        }
        // While idle there is nothing to find, and the connector would log so at every call, five times a second.
        if (released && !log.isIdle()) {
            super.emitWatermark();
        }
    }

    private boolean everyShardDelivered() {
        synchronized (log.getCheckpointLock()) {
            for (KinesisStreamShardState shard : getSubscribedShardsState()) {
                boolean ended =
                        shard.getLastProcessedSequenceNum()
                                .equals(SentinelSequenceNumber.SENTINEL_SHARD_ENDING_SEQUENCE_NUM.get());
                if (!ended && !log.hasDelivered(shard.getStreamShardHandle().getShard().getShardId())) {
                    return false;
                }
            }
            return true;
        }
    }
}
