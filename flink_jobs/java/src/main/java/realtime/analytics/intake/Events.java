package realtime.analytics.intake;

import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.types.Row;

/** The accepted event as the jobs see it: a row whose Flink timestamp is its event time. */
public final class Events {
    public static final int EVENT_TIME = 0;
    public static final int USER_ID = 1;
    public static final int EVENT_TYPE = 2;
    public static final int VALUE = 3;
    public static final int AMOUNT = 4;
    public static final int SESSION_ID = 5;
    public static final int CATEGORY = 6;
    /** The event's id or the digest of its payload: names it in ids of results. */
    public static final int EVENT_REF = 7;

    /** Column names in order; sql/events.sql declares the same. */
    public static final String[] NAMES = {
        "event_millis", "user_id", "event_type", "value", "amount", "session_id", "category", "event_ref"
    };

    public static final TypeInformation<Row> TYPE =
            Types.ROW_NAMED(
                    NAMES,
                    Types.LONG,
                    Types.LONG,
                    Types.STRING,
                    Types.DOUBLE,
                    Types.BIG_DEC,
                    Types.STRING,
                    Types.STRING,
                    Types.STRING);

    private Events() {}

    public static long userId(Row event) {
        return (Long) event.getField(USER_ID);
    }

    public static String eventType(Row event) {
        return (String) event.getField(EVENT_TYPE);
    }

    static Row of(Intake record) {
        return Row.of(
                record.eventTime,
                record.userId,
                record.eventType,
                record.value,
                record.amount,
                record.sessionId,
                record.category,
                record.eventId != null ? "id:" + record.eventId : "sha256:" + Digests.sha256(record.payload));
    }
}
