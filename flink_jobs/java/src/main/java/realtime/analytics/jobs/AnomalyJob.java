package realtime.analytics.jobs;

import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.apache.flink.api.common.state.ValueState;
import org.apache.flink.api.common.state.ValueStateDescriptor;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.api.java.tuple.Tuple3;
import org.apache.flink.api.java.tuple.Tuple4;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.functions.KeyedProcessFunction;
import org.apache.flink.types.Row;
import org.apache.flink.util.Collector;
import realtime.analytics.intake.Events;

/**
 * Anomaly: z-score of a value against the hour before it, per event_type. Time is cut into slices of 10 s; the baseline
 * of an event is the whole slices in [slice start - 1 h, slice start), so never the event itself.
 *
 * <pre>
 * anomaly_score  = |value - mean| / deviation, at most 1e6 (deviation 0: 0 for the mean itself, else 1e6)
 * is_anomaly     = anomaly_score > 3
 * expected_range = mean +- 3 deviations
 * </pre>
 *
 * Fewer than 30 values: score null, no anomaly. Emits anomalies only, or every event when configured.
 *
 * <p>Java, because SQL's ways fail: OVER RANGE 1 HOUR walks its buffer at every event (over 300 CPU seconds a million
 * events, stopped) and its deviation keeps a residue for ever; a HOP baseline with a temporal join did not finish
 * under skew (measured, see docs/architecture.md).
 */
public final class AnomalyJob
        extends KeyedProcessFunction<
                String, Tuple3<String, Long, List<Tuple4<Long, Long, Double, String>>>, Row> {
    private static final long serialVersionUID = 1L;

    private static final double MAX_SCORE = 1e6;
    /** Time, user, value, event_ref. */
    static final TypeInformation<Tuple4<Long, Long, Double, String>> EVENT =
            Types.TUPLE(Types.LONG, Types.LONG, Types.DOUBLE, Types.STRING);

    private final long sliceMillis;
    private final long baselineMillis;
    private final double threshold;
    private final int minimumCount;
    private final boolean emitAll;
    /** Per slice start. */
    private transient SlotBuffer<Tuple4<Long, Long, Double, String>> pending;

    private transient ValueState<Baseline> baselines;

    AnomalyJob(
            long sliceMillis, long baselineMillis, double threshold, int minimumCount, boolean emitAll) {
        this.sliceMillis = sliceMillis;
        this.baselineMillis = baselineMillis;
        this.threshold = threshold;
        this.minimumCount = minimumCount;
        this.emitAll = emitAll;
    }

    /**
     * Columns of the output, in order; see contracts/results.py. event_ref goes into result_id only; needs_from, the
     * baseline's start, tells whether the result is complete.
     */
    public static final String[] COLUMNS = {
        "event_time",
        "event_ref",
        "user_id",
        "event_type",
        "current_value",
        "moving_average",
        "deviation",
        "baseline_count",
        "anomaly_score",
        "is_anomaly",
        "expected_low",
        "expected_high",
        "needs_from"
    };

    static final TypeInformation<Row> OUTPUT =
            Types.ROW_NAMED(
                    COLUMNS,
                    Types.INSTANT,
                    Types.STRING,
                    Types.LONG,
                    Types.STRING,
                    Types.DOUBLE,
                    Types.DOUBLE,
                    Types.DOUBLE,
                    Types.LONG,
                    Types.DOUBLE,
                    Types.BOOLEAN,
                    Types.DOUBLE,
                    Types.DOUBLE,
                    Types.INSTANT);

    public static DataStream<Row> attach(
            DataStream<Row> events,
            long sliceMillis,
            long baselineMillis,
            double threshold,
            int minimumCount,
            boolean emitAll) {
        return Batching.attach(
                        events,
                        "anomaly",
                        new Collect(),
                        Batching.slotOf(sliceMillis),
                        Types.STRING,
                        Types.LIST(EVENT))
                .keyBy(batch -> batch.f0)
                .process(new AnomalyJob(sliceMillis, baselineMillis, threshold, minimumCount, emitAll))
                .returns(OUTPUT)
                .name("anomaly")
                .uid("anomaly-score");
    }

    /** The events of a type that have a value. */
    static final class Collect implements Batching.Rule<String, List<Tuple4<Long, Long, Double, String>>> {
        private static final long serialVersionUID = 1L;

        @Override
        public String key(Row event) {
            return event.getField(Events.VALUE) == null ? null : Events.eventType(event);
        }

        @Override
        public List<Tuple4<Long, Long, Double, String>> begin() {
            return new ArrayList<>();
        }

        @Override
        public boolean add(List<Tuple4<Long, Long, Double, String>> batch, Row event, long time) {
            batch.add(
                    Tuple4.of(
                            time,
                            Events.userId(event),
                            (Double) event.getField(Events.VALUE),
                            (String) event.getField(Events.EVENT_REF)));
            return batch.size() == Batching.MAX_BATCH;
        }
    }

    @Override
    public void open(Configuration parameters) {
        pending = new SlotBuffer<>(getRuntimeContext(), EVENT);
        baselines = getRuntimeContext().getState(new ValueStateDescriptor<>("moments", Baseline.class));
    }

    @Override
    public void processElement(
            Tuple3<String, Long, List<Tuple4<Long, Long, Double, String>>> batch, Context context, Collector<Row> out)
            throws Exception {
        long slice = Math.floorDiv(batch.f1, sliceMillis) * sliceMillis;
        if (pending.add(slice, batch.f2)) {
            context.timerService().registerEventTimeTimer(slice + sliceMillis - 1);
        }
    }

    @Override
    public void onTimer(long timer, OnTimerContext context, Collector<Row> out) throws Exception {
        long slice = timer + 1 - sliceMillis;
        Baseline baseline = baselines.value();
        baseline = baseline == null ? new Baseline() : baseline;
        baseline.forgetBefore(slice - baselineMillis);
        List<Tuple4<Long, Long, Double, String>> events = pending.drain(slice);
        if (!events.isEmpty()) {
            Moments expected = baseline.merged();
            double[] values = new double[events.size()];
            for (int i = 0; i < values.length; i++) {
                values[i] = events.get(i).f2;
                score(events.get(i), context.getCurrentKey(), expected, slice - baselineMillis, out);
            }
            baseline.append(slice, Moments.of(values));
            // Fires when this slice leaves the hour: the state of a type that fell silent goes.
            context.timerService().registerEventTimeTimer(timer + baselineMillis + sliceMillis);
        }
        if (baseline.isEmpty()) {
            baselines.clear();
        } else {
            baselines.update(baseline);
        }
    }

    private void score(
            Tuple4<Long, Long, Double, String> event,
            String type,
            Moments expected,
            long needsFrom,
            Collector<Row> out) {
        Double score = null;
        Double mean = null;
        Double deviation = null;
        Double low = null;
        Double high = null;
        if (expected.count >= minimumCount) {
            mean = expected.mean();
            deviation = expected.deviation();
            double distance = Math.abs(expected.distance(event.f2));
            score = distance == 0 ? 0 : Math.min(MAX_SCORE, distance / deviation);
            low = mean - threshold * deviation;
            high = mean + threshold * deviation;
        }
        boolean anomaly = score != null && score > threshold;
        if (anomaly || emitAll) {
            out.collect(
                    Row.of(
                            Instant.ofEpochMilli(event.f0),
                            event.f3,
                            event.f1,
                            type,
                            event.f2,
                            mean,
                            deviation,
                            expected.count,
                            score,
                            anomaly,
                            low,
                            high,
                            Instant.ofEpochMilli(needsFrom)));
        }
    }
}
