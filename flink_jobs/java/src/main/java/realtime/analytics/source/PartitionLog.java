package realtime.analytics.source;

import java.util.HashMap;
import java.util.Map;
import java.util.function.Predicate;
import org.apache.flink.streaming.api.functions.source.SourceFunction.SourceContext;
import org.apache.flink.streaming.api.watermark.Watermark;
import realtime.analytics.intake.Intake;
import realtime.analytics.intake.Reason;

/**
 * Stands between a source and its output, under the checkpoint lock: remembers each partition's clock as of the
 * last record that left (what a checkpoint must hold), and rejects what is at or below a watermark that has left
 * already, in this run or before the restore, so that nothing accepted is dropped downstream.
 */
final class PartitionLog implements SourceContext<Intake> {
    /** No accepted record yet. */
    static final long NONE = ShardReport.NONE;

    /** One partition as far as it has left the source. Event times in epoch milliseconds. */
    static final class Partition {
        /** Where the partition's clock stands. */
        long clock = NONE;
        /** When the last accepted record left in this run, by {@link System#nanoTime}. */
        long acceptedAt;
        /** Whether one has left in this run. */
        boolean delivered;

        Partition() {}

        Partition(long clock) {
            this.clock = clock;
        }
    }

    private final SourceContext<Intake> output;
    private final Map<String, Partition> partitions = new HashMap<>();
    private long watermark;

    /** @param watermark the last that left before the restore, else Long.MIN_VALUE. */
    PartitionLog(SourceContext<Intake> output, Map<String, Partition> restored, long watermark) {
        this.output = output;
        this.partitions.putAll(restored);
        this.watermark = watermark;
    }

    /** The partitions; caller holds the checkpoint lock. */
    Map<String, Partition> partitions() {
        return partitions;
    }

    /** The partition's entry, made where there is none; caller holds the checkpoint lock. */
    Partition partition(String name) {
        return partitions.computeIfAbsent(name, unseen -> new Partition());
    }

    /** Forgets the partitions that are gone from the stream; caller holds the checkpoint lock. */
    void retain(Predicate<String> listed) {
        partitions.keySet().removeIf(listed.negate());
    }

    /** The largest watermark that has left; caller holds the checkpoint lock. */
    long watermark() {
        return watermark;
    }

    @Override
    public void collectWithTimestamp(Intake record, long timestamp) {
        synchronized (output.getCheckpointLock()) {
            if (record.accepted() && record.eventTime <= watermark) {
                record.reject(
                        Reason.LATE_AFTER_IDLE,
                        "event_time is " + (watermark - record.eventTime) + " ms behind the watermark, which passed"
                                + " while the shard was idle");
            }
            Partition partition = partition(record.partition);
            partition.clock = Math.max(partition.clock, record.clock);
            if (record.accepted()) {
                partition.delivered = true;
                partition.acceptedAt = System.nanoTime();
            }
            output.collectWithTimestamp(record, timestamp);
        }
    }

    @Override
    public void emitWatermark(Watermark mark) {
        synchronized (output.getCheckpointLock()) {
            watermark = Math.max(watermark, mark.getTimestamp());
            output.emitWatermark(mark);
        }
    }

    @Override
    public void collect(Intake record) {
        throw new UnsupportedOperationException("records leave with their timestamp");
    }

    /** Never passed on: a subtask without active shards follows the watermark of all, so nobody need skip it. */
    @Override
    public void markAsTemporarilyIdle() {}

    @Override
    public Object getCheckpointLock() {
        return output.getCheckpointLock();
    }

    @Override
    public void close() {
        output.close();
    }
}
