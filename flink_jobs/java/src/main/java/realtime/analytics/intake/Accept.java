package realtime.analytics.intake;

import org.apache.flink.types.Row;
import org.apache.flink.util.Collector;

/** Counts the accepted records and passes them on as event rows; a heartbeat has moved the watermark and ends here. */
final class Accept extends CountingFunction<Row> {
    private static final long serialVersionUID = 1L;

    static final String HEARTBEAT = "__heartbeat__";

    private final OwnFields own;

    Accept(OwnFields own) {
        super("accepted", "heartbeats");
        this.own = own;
    }

    @Override
    public void processElement(Intake record, Context context, Collector<Row> out) {
        count("accepted");
        if (record.eventType.equals(HEARTBEAT)) {
            count("heartbeats");
        } else {
            out.collect(Events.of(record, own));
        }
    }
}
