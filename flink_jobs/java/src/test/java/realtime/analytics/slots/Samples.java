package realtime.analytics.slots;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;
import org.apache.flink.types.Row;

/** Events and lanes of the tests. */
final class Samples {
    static final long MINUTE = 60_000;

    /** The fields of a lane by user_id, and their kinds and places. */
    private static final String[] FIELDS = {"event_time", "user_id", "event_type"};

    private static final String KINDS = "qqs";
    private static final int[] POSITIONS = {0, 1, 2};

    private Samples() {}

    /** A lane by user_id. */
    static Lane lane(long slotMillis, boolean shrinks, String... eventTypes) {
        return new Lane("user_id", 1, eventTypes, new int[0], slotMillis, shrinks, FIELDS, KINDS, POSITIONS);
    }

    /** A lane by user_id of events that have a session_id. */
    static Lane laneOfSessions() {
        return new Lane("user_id", 1, new String[0], new int[] {5}, MINUTE, true, FIELDS, KINDS, POSITIONS);
    }

    static StreamRecord<Row> event(long time, long user) {
        return event(time, user, "view", null);
    }

    static StreamRecord<Row> event(long time, Long user, String type, String session) {
        BigDecimal amount = BigDecimal.ONE.setScale(6, RoundingMode.UNNECESSARY);
        return new StreamRecord<>(Row.of(time, user, type, 1.0, amount, session, null, "ref-" + time), time);
    }

    /** Times of the events in a part. */
    static List<Long> times(byte[] columns) {
        ByteBuffer in = ByteBuffer.wrap(columns).order(ByteOrder.LITTLE_ENDIAN);
        in.position(Integer.BYTES + in.getInt());
        List<Long> times = new ArrayList<>();
        for (int left = in.getInt(); left > 0; left--) {
            times.add(in.getLong());
        }
        return times;
    }
}
