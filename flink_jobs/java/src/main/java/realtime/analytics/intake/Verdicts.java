package realtime.analytics.intake;

import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.util.Collector;
import org.apache.flink.util.OutputTag;

/** Parts the accepted from the rejected, and the accepted that carry an event_id from those that do not. */
final class Verdicts extends CountingFunction<Intake> {
    private static final long serialVersionUID = 1L;

    static final OutputTag<Intake> REJECTED = new OutputTag<>("rejected", TypeInformation.of(Intake.class));
    static final OutputTag<Intake> IDENTIFIED = new OutputTag<>("identified", TypeInformation.of(Intake.class));

    private final boolean partIdentified;

    /** @param partIdentified whether events with an event_id go to {@link #IDENTIFIED} for the check of duplicates. */
    Verdicts(boolean partIdentified) {
        super(countNames());
        this.partIdentified = partIdentified;
    }

    private static String[] countNames() {
        String[] names = new String[Reason.values().length + 1];
        names[0] = "read";
        for (Reason reason : Reason.values()) {
            names[reason.ordinal() + 1] = "rejected_" + reason.code;
        }
        return names;
    }

    @Override
    public void processElement(Intake record, Context context, Collector<Intake> out) {
        count("read");
        if (!record.accepted()) {
            count("rejected_" + record.reason.code);
            context.output(REJECTED, record);
        } else if (partIdentified && record.eventId != null) {
            context.output(IDENTIFIED, record);
        } else {
            out.collect(record);
        }
    }
}
