package realtime.analytics.intake;

import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.runtime.state.FunctionInitializationContext;
import org.apache.flink.runtime.state.FunctionSnapshotContext;
import org.apache.flink.streaming.api.checkpoint.CheckpointedFunction;
import org.apache.flink.streaming.api.functions.ProcessFunction;
import org.apache.flink.util.Collector;
import org.apache.flink.util.OutputTag;

/** Parts the accepted from the rejected, and the accepted that carry an event_id from those that do not. */
final class Verdicts extends ProcessFunction<Intake, Intake> implements CheckpointedFunction {
    private static final long serialVersionUID = 1L;

    static final OutputTag<Intake> REJECTED = new OutputTag<>("rejected", TypeInformation.of(Intake.class));
    static final OutputTag<Intake> IDENTIFIED = new OutputTag<>("identified", TypeInformation.of(Intake.class));

    private final boolean partIdentified;
    private transient Counts counts;

    /** @param partIdentified whether events with an event_id go to {@link #IDENTIFIED} for the check of duplicates. */
    Verdicts(boolean partIdentified) {
        this.partIdentified = partIdentified;
    }

    @Override
    public void initializeState(FunctionInitializationContext context) throws Exception {
        String[] names = new String[Reason.values().length + 1];
        names[0] = "read";
        for (Reason reason : Reason.values()) {
            names[reason.ordinal() + 1] = "rejected_" + reason.code;
        }
        counts = new Counts(names);
        counts.restore(context);
    }

    @Override
    public void snapshotState(FunctionSnapshotContext context) throws Exception {
        counts.snapshot();
    }

    @Override
    public void open(Configuration parameters) {
        counts.register(getRuntimeContext().getMetricGroup());
    }

    @Override
    public void processElement(Intake record, Context context, Collector<Intake> out) {
        counts.add("read");
        if (!record.accepted()) {
            counts.add("rejected_" + record.reason.code);
            context.output(REJECTED, record);
        } else if (partIdentified && record.eventId != null) {
            context.output(IDENTIFIED, record);
        } else {
            out.collect(record);
        }
    }
}
