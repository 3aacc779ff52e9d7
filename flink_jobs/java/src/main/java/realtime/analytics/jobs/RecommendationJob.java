package realtime.analytics.jobs;

import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.flink.api.common.state.MapState;
import org.apache.flink.api.common.state.MapStateDescriptor;
import org.apache.flink.api.common.state.ValueState;
import org.apache.flink.api.common.state.ValueStateDescriptor;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.api.java.tuple.Tuple2;
import org.apache.flink.api.java.tuple.Tuple3;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.functions.KeyedProcessFunction;
import org.apache.flink.types.Row;
import org.apache.flink.util.Collector;
import realtime.analytics.intake.Events;

/**
 * Recommendation: per user, the best categories of the last hour, at the end of each step of 5 minutes in which the user
 * was active.
 *
 * <pre>
 * behavior_score = sum of weight * exp(-(window_end - event_time) / 1 h), six decimals
 * weights: one an event type, of any sign, and one for every other type
 * rank           = by score, then category; the first 5
 * </pre>
 *
 * An event is added to ONE step, as a whole number of billionths of its weight decayed to the step's end, so that sums
 * are exact in any order; steps decay as a whole. Per user and minute one entry is read and written, per user and
 * active step one more.
 *
 * <p>Java, because a HOP window in SQL merges every step of a user into all twelve windows that it is in, whether the user
 * is active or not: over 100 CPU seconds a million events on RocksDB (docs/benchmarks), and {@code window_end}
 * inside a SUM assigns each event to every window.
 */
public final class RecommendationJob
        extends KeyedProcessFunction<Long, Tuple3<Long, Long, Map<String, Tuple2<Long, Long>>>, Row> {
    private static final long serialVersionUID = 1L;

    private static final double BILLION = 1e9;
    private static final double MILLION = 1e6;
    /** Per category: billionths at the step's end, last event. */
    static final TypeInformation<Map<String, Tuple2<Long, Long>>> SCORES =
            Types.MAP(Types.STRING, Types.TUPLE(Types.LONG, Types.LONG));

    private final long windowMillis;
    private final long stepMillis;
    private final long decayMillis;
    private final int top;
    /** Steps ahead of the watermark, by their end. */
    private transient MapState<Long, Map<String, Tuple2<Long, Long>>> ahead;
    /** Steps of the last hour that the watermark has closed, by their end. */
    private transient ValueState<Map<Long, Map<String, Tuple2<Long, Long>>>> closed;

    RecommendationJob(long windowMillis, long stepMillis, long decayMillis, int top) {
        this.windowMillis = windowMillis;
        this.stepMillis = stepMillis;
        this.decayMillis = decayMillis;
        this.top = top;
    }

    /** Columns of the output, in order; see contracts/results.py. */
    public static final String[] COLUMNS = {
        "event_time",
        "window_start",
        "window_end",
        "user_id",
        "category",
        "behavior_score",
        "last_activity",
        "rank",
        "needs_from"
    };

    static final TypeInformation<Row> OUTPUT =
            Types.ROW_NAMED(
                    COLUMNS,
                    Types.INSTANT,
                    Types.INSTANT,
                    Types.INSTANT,
                    Types.LONG,
                    Types.STRING,
                    Types.DOUBLE,
                    Types.INSTANT,
                    Types.LONG,
                    Types.INSTANT);

    /**
     * @param types event types that have a weight.
     * @param weights theirs.
     * @param other the weight of every other event type.
     */
    public static DataStream<Row> attach(
            DataStream<Row> events,
            long windowMillis,
            long stepMillis,
            long decayMillis,
            int top,
            String[] types,
            double[] weights,
            double other) {
        return Batching.attach(
                        events,
                        "recommendation",
                        new Collect(stepMillis, decayMillis, weightOf(types, weights), other),
                        Batching.slotOf(stepMillis),
                        Types.LONG,
                        SCORES)
                .keyBy(batch -> batch.f0)
                .process(new RecommendationJob(windowMillis, stepMillis, decayMillis, top))
                .returns(OUTPUT)
                .name("recommendation")
                .uid("recommendation-rank");
    }

    /** The scores of a user's events of a category at the end of their step. */
    static final class Collect implements Batching.Rule<Long, Map<String, Tuple2<Long, Long>>> {
        private static final long serialVersionUID = 1L;

        private final long stepMillis;
        private final long decayMillis;
        private final HashMap<String, Double> weights;
        private final double other;

        Collect(long stepMillis, long decayMillis, Map<String, Double> weights, double other) {
            this.stepMillis = stepMillis;
            this.decayMillis = decayMillis;
            this.weights = new HashMap<>(weights);
            this.other = other;
        }

        @Override
        public Long key(Row event) {
            return event.getField(Events.CATEGORY) == null ? null : Events.userId(event);
        }

        @Override
        public Map<String, Tuple2<Long, Long>> begin() {
            return new HashMap<>();
        }

        @Override
        public boolean add(Map<String, Tuple2<Long, Long>> scores, Row event, long time) {
            double decay = Math.exp(-(double) (end(time, stepMillis) - time) / decayMillis);
            long billionths = Math.round(weights.getOrDefault(Events.eventType(event), other) * decay * BILLION);
            String category = (String) event.getField(Events.CATEGORY);
            scores.merge(category, Tuple2.of(billionths, time), RecommendationJob::added);
            return scores.size() == Batching.MAX_BATCH;
        }
    }

    private static Map<String, Double> weightOf(String[] types, double[] weights) {
        Map<String, Double> byType = new HashMap<>();
        for (int i = 0; i < types.length; i++) {
            byType.put(types[i], weights[i]);
        }
        return byType;
    }

    private static long end(long time, long stepMillis) {
        return Math.floorDiv(time, stepMillis) * stepMillis + stepMillis;
    }

    @Override
    public void open(Configuration parameters) {
        ahead = getRuntimeContext().getMapState(new MapStateDescriptor<>("ahead", Types.LONG, SCORES));
        closed =
                getRuntimeContext()
                        .getState(new ValueStateDescriptor<>("closed", Types.MAP(Types.LONG, SCORES)));
    }

    @Override
    public void processElement(
            Tuple3<Long, Long, Map<String, Tuple2<Long, Long>>> batch, Context context, Collector<Row> out)
            throws Exception {
        long end = end(batch.f1, stepMillis);
        Map<String, Tuple2<Long, Long>> scores = ahead.get(end);
        if (scores == null) {
            context.timerService().registerEventTimeTimer(end - 1);
            ahead.put(end, batch.f2);
        } else {
            for (Map.Entry<String, Tuple2<Long, Long>> category : batch.f2.entrySet()) {
                scores.merge(category.getKey(), category.getValue(), RecommendationJob::added);
            }
            ahead.put(end, scores);
        }
    }

    private static Tuple2<Long, Long> added(Tuple2<Long, Long> one, Tuple2<Long, Long> other) {
        long sum = one.f0 + other.f0;
        boolean overflown = ((one.f0 ^ sum) & (other.f0 ^ sum)) < 0;
        // No input may stop the job: a score ends at the largest number that there is.
        long kept = overflown ? (one.f0 < 0 ? Long.MIN_VALUE : Long.MAX_VALUE) : sum;
        return Tuple2.of(kept, Math.max(one.f1, other.f1));
    }

    @Override
    public void onTimer(long timer, OnTimerContext context, Collector<Row> out) throws Exception {
        long now = timer + 1;
        Map<Long, Map<String, Tuple2<Long, Long>>> steps = closed.value();
        steps = steps == null ? new HashMap<>() : steps;
        boolean changed = steps.keySet().removeIf(end -> end <= now - windowMillis);
        Map<String, Tuple2<Long, Long>> active = ahead.get(now);
        if (active != null) {
            ahead.remove(now);
            steps.put(now, active);
            rank(context.getCurrentKey(), now, steps, out);
            // Fires when the step leaves the window: the state of a user who fell silent goes.
            context.timerService().registerEventTimeTimer(now + windowMillis - 1);
        }
        if (steps.isEmpty()) {
            closed.clear();
        } else if (changed || active != null) {
            closed.update(steps);
        }
    }

    private void rank(long user, long end, Map<Long, Map<String, Tuple2<Long, Long>>> steps, Collector<Row> out) {
        Map<String, Double> scores = new HashMap<>();
        Map<String, Long> last = new HashMap<>();
        // Oldest first, so that the sum is a function of the steps alone.
        for (Map.Entry<Long, Map<String, Tuple2<Long, Long>>> step : new TreeMap<>(steps).entrySet()) {
            double decay = Math.exp(-(double) (end - step.getKey()) / decayMillis);
            for (Map.Entry<String, Tuple2<Long, Long>> category : step.getValue().entrySet()) {
                scores.merge(category.getKey(), category.getValue().f0 / BILLION * decay, Double::sum);
                last.merge(category.getKey(), category.getValue().f1, Math::max);
            }
        }
        List<Tuple2<Double, String>> ranked = new ArrayList<>(scores.size());
        scores.forEach((category, score) -> ranked.add(Tuple2.of(Math.round(score * MILLION) / MILLION, category)));
        ranked.sort(
                Comparator.<Tuple2<Double, String>>comparingDouble(each -> -each.f0)
                        .thenComparing(each -> each.f1, Texts.BY_CODE_POINT));
        Instant windowStart = Instant.ofEpochMilli(end - windowMillis);
        Instant windowEnd = Instant.ofEpochMilli(end);
        for (int i = 0; i < Math.min(top, ranked.size()); i++) {
            String category = ranked.get(i).f1;
            out.collect(
                    Row.of(
                            windowEnd,
                            windowStart,
                            windowEnd,
                            user,
                            category,
                            ranked.get(i).f0,
                            Instant.ofEpochMilli(last.get(category)),
                            i + 1L,
                            windowStart));
        }
    }
}
