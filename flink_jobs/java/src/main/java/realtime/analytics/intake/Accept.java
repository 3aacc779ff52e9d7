package realtime.analytics.intake;

import org.apache.flink.configuration.Configuration;
import org.apache.flink.runtime.state.FunctionInitializationContext;
import org.apache.flink.runtime.state.FunctionSnapshotContext;
import org.apache.flink.streaming.api.checkpoint.CheckpointedFunction;
import org.apache.flink.streaming.api.functions.ProcessFunction;
import org.apache.flink.types.Row;
import org.apache.flink.util.Collector;

/** Counts the accepted records and passes them on as event rows; a heartbeat has moved the watermark and ends here. */
final class Accept extends ProcessFunction<Intake, Row> implements CheckpointedFunction {
    private static final long serialVersionUID = 1L;

    static final String HEARTBEAT = "heartbeat";

    private transient Counts counts;

    @Override
    public void initializeState(FunctionInitializationContext context) throws Exception {
        counts = new Counts("accepted", "heartbeats");
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
    public void processElement(Intake record, Context context, Collector<Row> out) {
        counts.add("accepted");
        if (record.eventType.equals(HEARTBEAT)) {
            counts.add("heartbeats");
        } else {
            out.collect(Events.of(record));
        }
    }
}
