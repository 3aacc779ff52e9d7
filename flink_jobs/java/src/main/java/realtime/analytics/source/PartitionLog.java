package realtime.analytics.source;

import java.util.HashMap;
import java.util.Map;
import org.apache.flink.streaming.api.functions.source.SourceFunction.SourceContext;
import org.apache.flink.streaming.api.watermark.Watermark;
import realtime.analytics.intake.Intake;
import realtime.analytics.intake.Reason;

/**
 * Stands between a source and its output, under the checkpoint lock: remembers each partition's clock as of the
 * last record that left (what a checkpoint must hold), and rejects what is at or below a watermark that has left
 * already, so that nothing accepted is dropped downstream.
 */
final class PartitionLog implements SourceContext<Intake> {
    private final SourceContext<Intake> output;
    private final Map<String, Long> clocks;
    private final Map<String, Boolean> delivered = new HashMap<>();
    private long watermark = Long.MIN_VALUE;
    private boolean idle;

    PartitionLog(SourceContext<Intake> output, Map<String, Long> clocks) {
        this.output = output;
        this.clocks = new HashMap<>(clocks);
    }

    /** Largest accepted event time per partition, epoch milliseconds. Caller holds the checkpoint lock. */
    Map<String, Long> clocks() {
        return clocks;
    }

    /** Whether the partition has delivered an accepted record since this source started. */
    boolean hasDelivered(String partition) {
        synchronized (output.getCheckpointLock()) {
            return delivered.containsKey(partition);
        }
    }

    /** Whether the source has called itself idle and no record has left since. */
    boolean isIdle() {
        synchronized (output.getCheckpointLock()) {
            return idle;
        }
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
            if (record.partitionMax != Long.MIN_VALUE) {
                clocks.put(record.partition, record.partitionMax);
            }
            if (record.accepted()) {
                delivered.put(record.partition, Boolean.TRUE);
            }
            idle = false;
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

    @Override
    public void markAsTemporarilyIdle() {
        synchronized (output.getCheckpointLock()) {
            idle = true;
            output.markAsTemporarilyIdle();
        }
    }

    @Override
    public Object getCheckpointLock() {
        return output.getCheckpointLock();
    }

    @Override
    public void close() {
        output.close();
    }
}
