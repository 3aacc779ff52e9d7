package realtime.analytics.intake;

import java.util.Collections;
import java.util.HashMap;
import java.util.Map;
import org.apache.flink.streaming.api.functions.AssignerWithPeriodicWatermarks;
import org.apache.flink.streaming.api.watermark.Watermark;

/**
 * The clock of ONE partition: judges lateness from the partition's own log and derives its watermark.
 *
 * <p>An accepted record moves the clock to its event time, but never beyond its own arrival: a device whose clock is
 * ahead makes nobody else late. A record is late when its event time is at or below the clock minus the delay. That is a
 * function of the log alone: no speed, batch size or parallelism changes it. Rejected records never move the clock.
 *
 * <p>The Kinesis source clones one per shard. Java, because a watermark per shard must be made inside the source:
 * the table source's lost 95 % of the events of uneven shards (measured, see docs/architecture.md).
 */
public class PartitionClock implements AssignerWithPeriodicWatermarks<Intake> {
    private final long delayMillis;
    private final HashMap<String, Long> restored;
    private boolean started;
    private long max = Long.MIN_VALUE;

    /**
     * @param delayMillis how far behind the clock the watermark stays.
     * @param restored clock per partition from the last checkpoint, epoch milliseconds.
     */
    public PartitionClock(long delayMillis, Map<String, Long> restored) {
        this.delayMillis = delayMillis;
        this.restored = new HashMap<>(restored);
    }

    public PartitionClock(long delayMillis) {
        this(delayMillis, Collections.emptyMap());
    }

    /** Lets the partition, whose log continues another's, go on from that one's clock. */
    public void inherit(String partition, long clock) {
        restored.merge(partition, clock, Math::max);
    }

    /** Judges the record; returns its event time, or the clock's where it has none. */
    @Override
    public long extractTimestamp(Intake record, long previous) {
        if (!started) {
            started = true;
            max = restored.getOrDefault(record.partition, Long.MIN_VALUE);
        }
        if (record.accepted()) {
            if (max != Long.MIN_VALUE && record.eventTime <= max - delayMillis) {
                record.reject(
                        Reason.LATE,
                        "event_time is " + (max - record.eventTime) + " ms behind its partition's clock;"
                                + " time.watermark_delay is " + delayMillis + " ms");
            } else {
                max = Math.max(max, record.clockTime());
            }
        }
        record.clock = max;
        return record.accepted() ? record.eventTime : max;
    }

    /** Moves on with a record whose verdict is known, without judging it; returns as {@link #extractTimestamp}. */
    public long follow(Intake record) {
        if (record.accepted()) {
            max = Math.max(max, record.clockTime());
        }
        record.clock = max;
        return record.accepted() ? record.eventTime : max;
    }

    /** Null before the first accepted record. */
    @Override
    public Watermark getCurrentWatermark() {
        return max == Long.MIN_VALUE ? null : new Watermark(max - delayMillis);
    }
}
