package realtime.analytics.source;

import org.apache.flink.streaming.api.functions.source.SourceFunction.SourceContext;
import org.apache.flink.streaming.api.operators.Output;
import org.apache.flink.streaming.api.watermark.Watermark;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;
import realtime.analytics.intake.Intake;

/** An operator's output for {@link PartitionLog}; the operator's own thread is the only one. */
final class OperatorOutput implements SourceContext<Intake> {
    private final Output<StreamRecord<Intake>> output;
    private final Object lock = new Object();

    OperatorOutput(Output<StreamRecord<Intake>> output) {
        this.output = output;
    }

    @Override
    public void collect(Intake record) {
        output.collect(new StreamRecord<>(record));
    }

    @Override
    public void collectWithTimestamp(Intake record, long timestamp) {
        output.collect(new StreamRecord<>(record, timestamp));
    }

    @Override
    public void emitWatermark(Watermark mark) {
        output.emitWatermark(mark);
    }

    @Override
    public void markAsTemporarilyIdle() {
        throw new UnsupportedOperationException("who follows the watermark of all is never idle");
    }

    @Override
    public Object getCheckpointLock() {
        return lock;
    }

    @Override
    public void close() {}
}
