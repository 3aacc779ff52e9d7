package realtime.analytics.intake;

import org.apache.flink.api.common.state.ValueState;
import org.apache.flink.api.common.state.ValueStateDescriptor;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.runtime.state.FunctionInitializationContext;
import org.apache.flink.runtime.state.FunctionSnapshotContext;
import org.apache.flink.streaming.api.checkpoint.CheckpointedFunction;
import org.apache.flink.streaming.api.functions.KeyedProcessFunction;
import org.apache.flink.util.Collector;

/**
 * Keyed by event_id: rejects an event whose event_time is less than the window away from the one that was accepted
 * first. State: one time per id, cleared when the watermark passes the window.
 */
final class Deduplicate extends KeyedProcessFunction<String, Intake, Intake> implements CheckpointedFunction {
    private static final long serialVersionUID = 1L;

    private static final String DUPLICATES = "rejected_" + Reason.DUPLICATE.code;

    private final long windowMillis;
    private transient ValueState<Long> firstTime;
    private transient Counts counts;

    Deduplicate(long windowMillis) {
        this.windowMillis = windowMillis;
    }

    @Override
    public void initializeState(FunctionInitializationContext context) throws Exception {
        counts = new Counts(DUPLICATES);
        counts.restore(context);
    }

    @Override
    public void snapshotState(FunctionSnapshotContext context) throws Exception {
        counts.snapshot();
    }

    @Override
    public void open(Configuration parameters) {
        firstTime = getRuntimeContext().getState(new ValueStateDescriptor<>("first-time", Types.LONG));
        counts.register(getRuntimeContext().getMetricGroup());
    }

    @Override
    public void processElement(Intake record, Context context, Collector<Intake> out) throws Exception {
        Long first = firstTime.value();
        if (first != null && Math.abs(record.eventTime - first) < windowMillis) {
            record.reject(
                    Reason.DUPLICATE,
                    "event_id was accepted " + Math.abs(record.eventTime - first) + " ms away in event time; "
                            + "unique within " + windowMillis);
            counts.add(DUPLICATES);
            context.output(Verdicts.REJECTED, record);
            return;
        }
        if (first == null || record.eventTime > first) {
            firstTime.update(record.eventTime);
            context.timerService().registerEventTimeTimer(record.eventTime + windowMillis);
        }
        out.collect(record);
    }

    @Override
    public void onTimer(long timestamp, OnTimerContext context, Collector<Intake> out) throws Exception {
        Long first = firstTime.value();
        if (first != null && first + windowMillis <= timestamp) {
            firstTime.clear();
        }
    }
}
