package realtime.analytics.intake;

import java.util.Arrays;
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

    /** Names of the columns in order, of which a team's own follow; sql/events.sql declares the same. */
    private static final String[] NAMES = {
        "event_millis", "user_id", "event_type", "value", "amount", "session_id", "category", "event_ref"
    };

    private static final TypeInformation<?>[] TYPES = {
        Types.LONG, Types.LONG, Types.STRING, Types.DOUBLE, Types.BIG_DEC, Types.STRING, Types.STRING, Types.STRING
    };

    private Events() {}

    static TypeInformation<Row> type(OwnFields own) {
        String[] names = Arrays.copyOf(NAMES, NAMES.length + own.count());
        TypeInformation<?>[] types = Arrays.copyOf(TYPES, names.length);
        for (int i = 0; i < own.count(); i++) {
            names[NAMES.length + i] = own.name(i);
            types[NAMES.length + i] = own.type(i);
        }
        return Types.ROW_NAMED(names, types);
    }

    public static long userId(Row event) {
        return (Long) event.getField(USER_ID);
    }

    public static String eventType(Row event) {
        return (String) event.getField(EVENT_TYPE);
    }

    static Row of(Intake record, OwnFields own) {
        Row row = Row.withPositions(NAMES.length + own.count());
        row.setField(EVENT_TIME, record.eventTime);
        row.setField(USER_ID, record.userId);
        row.setField(EVENT_TYPE, record.eventType);
        row.setField(VALUE, record.value);
        row.setField(AMOUNT, record.amount);
        row.setField(SESSION_ID, record.sessionId);
        row.setField(CATEGORY, record.category);
        row.setField(
                EVENT_REF,
                record.eventId != null ? "id:" + record.eventId : "sha256:" + Digests.sha256(record.payload));
        for (int i = 0; i < own.count(); i++) {
            row.setField(NAMES.length + i, own.value(i, record.own[i]));
        }
        return row;
    }
}
