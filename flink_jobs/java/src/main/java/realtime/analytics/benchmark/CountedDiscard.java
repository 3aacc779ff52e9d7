package realtime.analytics.benchmark;

import org.apache.flink.api.common.accumulators.LongCounter;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.functions.sink.RichSinkFunction;

/** The end of a benchmark's stream: counts what comes as the job's accumulator of that name, and forgets it. */
public final class CountedDiscard extends RichSinkFunction<Object> {
    private static final long serialVersionUID = 1L;

    private final String name;
    private final LongCounter count = new LongCounter();

    private CountedDiscard(String name) {
        this.name = name;
    }

    @SuppressWarnings("unchecked") // a sink of everything takes anything
    public static void attach(DataStream<?> stream, String name) {
        ((DataStream<Object>) stream).addSink(new CountedDiscard(name)).name(name).uid(name + "-discard");
    }

    @Override
    public void open(Configuration parameters) {
        getRuntimeContext().addAccumulator(name, count);
    }

    @Override
    public void invoke(Object value, Context context) {
        count.add(1L);
    }
}
