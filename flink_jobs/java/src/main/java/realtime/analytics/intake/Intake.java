package realtime.analytics.intake;

import java.math.BigDecimal;

/**
 * A record on its way from the source to its verdict: where it stood in its log, its bytes, and either the decoded
 * event or the reason why it is rejected ({@code reason} is null while it is accepted).
 *
 * <p>A Flink POJO: public fields and no logic beyond the verdict, so that it is cheap to pass on.
 */
public class Intake {
    /** Stream, shard and sequence number: the record's place in its log. */
    public String source;

    public String partition;
    public String position;
    /** When the stream took it, epoch milliseconds. */
    public long arrival;

    public byte[] payload;

    public Reason reason;
    public String detail;

    /** Epoch milliseconds; valid while accepted, as are the fields below. */
    public long eventTime;

    public long userId;
    public String eventType;
    public Double value;
    /** {@code value} as DECIMAL(38, 6). */
    public BigDecimal amount;

    public String sessionId;
    public String category;
    public String eventId;
    /** The team's own fields as texts ({@link OwnFields}), null where one is absent; null when there are no such fields. */
    public String[] own;

    /** The partition's clock behind this record ({@link PartitionClock}); Long.MIN_VALUE before the first accepted one. */
    public long clock = Long.MIN_VALUE;

    public Intake() {}

    public Intake(String source, String partition, String position, long arrival, byte[] payload) {
        this.source = source;
        this.partition = partition;
        this.position = position;
        this.arrival = arrival;
        this.payload = payload;
    }

    public boolean accepted() {
        return reason == null;
    }

    /** How far the record, if it is accepted, moves its partition's clock: to its event time, but not beyond its arrival. */
    public long clockTime() {
        return Math.min(eventTime, arrival);
    }

    public void reject(Reason why, String what) {
        reason = why;
        detail = what;
    }
}
