package realtime.analytics.intake;

import org.apache.flink.configuration.Configuration;
import org.apache.flink.runtime.state.FunctionInitializationContext;
import org.apache.flink.runtime.state.FunctionSnapshotContext;
import org.apache.flink.streaming.api.checkpoint.CheckpointedFunction;
import org.apache.flink.streaming.api.functions.ProcessFunction;

/** A step of the intake that counts what it sees, exactly across restarts. */
abstract class CountingFunction<T> extends ProcessFunction<Intake, T> implements CheckpointedFunction {
    private static final long serialVersionUID = 1L;

    private final String[] names;
    private transient Counts counts;

    /** @param names of the counts; each is shown as the gauge {@code records_NAME}. */
    CountingFunction(String... names) {
        this.names = names;
    }

    final void count(String name) {
        counts.add(name);
    }

    @Override
    public void initializeState(FunctionInitializationContext context) throws Exception {
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
}
