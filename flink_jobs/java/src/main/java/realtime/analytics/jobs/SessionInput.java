package realtime.analytics.jobs;

import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.types.Row;
import realtime.analytics.intake.Events;

/** Only what the Python session function needs: (user_id, (event_type, amount)); every byte to Python costs. */
public final class SessionInput {
    private static final TypeInformation<Row> TYPE =
            Types.ROW(Types.LONG, Types.ROW(Types.STRING, Types.BIG_DEC));

    private SessionInput() {}

    public static DataStream<Row> attach(DataStream<Row> events) {
        return events.map(
                        event ->
                                Row.of(
                                        event.getField(Events.USER_ID),
                                        Row.of(event.getField(Events.EVENT_TYPE), event.getField(Events.AMOUNT))))
                .returns(TYPE)
                .name("events of users")
                .uid("session-input");
    }
}
