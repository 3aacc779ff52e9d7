package realtime.analytics.intake;

import java.util.LinkedHashMap;
import java.util.Map;
import org.apache.flink.api.common.state.ListState;
import org.apache.flink.api.common.state.ListStateDescriptor;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.api.java.tuple.Tuple2;
import org.apache.flink.metrics.Gauge;
import org.apache.flink.metrics.MetricGroup;
import org.apache.flink.runtime.state.FunctionInitializationContext;

/** Counts that are checkpointed with the operator and shown as gauges: exact across restarts, unlike a Counter. */
final class Counts {
    private final Map<String, Long> counts = new LinkedHashMap<>();
    private ListState<Tuple2<String, Long>> state;

    Counts(String... names) {
        for (String name : names) {
            counts.put(name, 0L);
        }
    }

    void restore(FunctionInitializationContext context) throws Exception {
        state =
                context.getOperatorStateStore()
                        .getListState(new ListStateDescriptor<>("counts", Types.TUPLE(Types.STRING, Types.LONG)));
        for (Tuple2<String, Long> count : state.get()) {
            counts.merge(count.f0, count.f1, Long::sum);
        }
    }

    void snapshot() throws Exception {
        state.clear();
        for (Map.Entry<String, Long> count : counts.entrySet()) {
            state.add(Tuple2.of(count.getKey(), count.getValue()));
        }
    }

    void register(MetricGroup group) {
        for (String name : counts.keySet()) {
            group.gauge("records_" + name, (Gauge<Long>) () -> counts.get(name));
        }
    }

    void add(String name) {
        counts.merge(name, 1L, Long::sum);
    }
}
