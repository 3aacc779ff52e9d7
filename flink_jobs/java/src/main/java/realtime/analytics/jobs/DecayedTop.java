package realtime.analytics.jobs;

import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.flink.table.annotation.DataTypeHint;
import org.apache.flink.table.annotation.FunctionHint;
import org.apache.flink.table.functions.AggregateFunction;
import org.apache.flink.types.Row;

/**
 * SQL aggregate DECAYED_TOP(category, weight, event_time, step, decay, top): the best categories by
 * sum of weight * exp(-(window_end - event_time) / decay), six decimals, best first, ties by category.
 *
 * <p>Over a hopping window whose hop is {@code step} an event is added to ONE slice of that length, as a whole number of
 * billionths of its weight decayed to the slice's end, so that sums are exact in any order; slices decay as a whole
 * when a window fires. Java, because EXP of window_end inside a SUM assigns every event to every window.
 *
 * <p>Scores are taken at the end of the last slice that holds an event, {@code last_step}: the window's end for a user
 * who was active in its last step, and the query keeps no other.
 */
@FunctionHint(
        output =
                @DataTypeHint(
                        "ROW<last_step TIMESTAMP_LTZ(3), categories ARRAY<ROW<category STRING, behavior_score DOUBLE,"
                                + " last_activity TIMESTAMP_LTZ(3), `rank` BIGINT>>>"))
public final class DecayedTop extends AggregateFunction<Row, DecayedTop.Scores> {
    private static final long serialVersionUID = 1L;

    private static final double BILLION = 1e9;
    private static final double MILLION = 1e6;

    /** Per category: slice end, sum in billionths and last event of each slice, three numbers a slice. */
    public static class Scores {
        @DataTypeHint("MAP<STRING NOT NULL, ARRAY<BIGINT NOT NULL> NOT NULL>")
        public Map<String, Long[]> slices = new HashMap<>();

        public long decay;
        public int top;
    }

    @Override
    public Scores createAccumulator() {
        return new Scores();
    }

    /**
     * @param weight what the event counts.
     * @param time the event's time.
     * @param step length of a slice, milliseconds: the window's hop.
     * @param decay after how many milliseconds a weight is worth 1/e.
     * @param top how many categories to keep.
     */
    public void accumulate(
            Scores scores,
            String category,
            double weight,
            @DataTypeHint("TIMESTAMP_LTZ(3)") Instant time,
            long step,
            long decay,
            int top) {
        long millis = time.toEpochMilli();
        long end = Math.floorDiv(millis, step) * step + step;
        long score = Math.round(weight * Math.exp(-(double) (end - millis) / decay) * BILLION);
        scores.decay = decay;
        scores.top = top;
        scores.slices.merge(category, new Long[] {end, score, millis}, DecayedTop::add);
    }

    public void merge(Scores scores, Iterable<Scores> others) {
        for (Scores other : others) {
            if (!other.slices.isEmpty()) {
                scores.decay = other.decay;
                scores.top = other.top;
            }
            other.slices.forEach((category, slices) -> scores.slices.merge(category, slices, DecayedTop::add));
        }
    }

    /** Adds the slices of {@code more} to those of {@code slices}, ends ascending. */
    private static Long[] add(Long[] slices, Long[] more) {
        Map<Long, long[]> byEnd = new TreeMap<>();
        for (Long[] side : new Long[][] {slices, more}) {
            for (int i = 0; i < side.length; i += 3) {
                long[] slice = byEnd.computeIfAbsent(side[i], end -> new long[] {0, Long.MIN_VALUE});
                slice[0] = saturated(slice[0], side[i + 1]);
                slice[1] = Math.max(slice[1], side[i + 2]);
            }
        }
        Long[] sum = new Long[byEnd.size() * 3];
        int at = 0;
        for (Map.Entry<Long, long[]> slice : byEnd.entrySet()) {
            sum[at++] = slice.getKey();
            sum[at++] = slice.getValue()[0];
            sum[at++] = slice.getValue()[1];
        }
        return sum;
    }

    /** Sum of two scores, at most Long.MAX_VALUE: no input may stop the job, and neither may order show. */
    private static long saturated(long one, long other) {
        long sum = one + other;
        return sum < 0 ? Long.MAX_VALUE : sum; // weights are not negative, so a negative sum is an overflow
    }

    @Override
    public Row getValue(Scores scores) {
        long lastStep = Long.MIN_VALUE;
        for (Long[] slices : scores.slices.values()) {
            lastStep = Math.max(lastStep, slices[slices.length - 3]);
        }
        List<Row> ranked = new ArrayList<>(scores.slices.size());
        for (Map.Entry<String, Long[]> category : scores.slices.entrySet()) {
            Long[] slices = category.getValue();
            double score = 0;
            for (int i = 0; i < slices.length; i += 3) {
                score += slices[i + 1] / BILLION * Math.exp(-(double) (lastStep - slices[i]) / scores.decay);
            }
            ranked.add(
                    Row.of(
                            category.getKey(),
                            Math.round(score * MILLION) / MILLION,
                            Instant.ofEpochMilli(slices[slices.length - 1]),
                            0L));
        }
        ranked.sort(
                Comparator.<Row>comparingDouble(row -> -(Double) row.getField(1))
                        .thenComparing(row -> (String) row.getField(0), Texts.BY_CODE_POINT));
        Row[] best = new Row[Math.min(scores.top, ranked.size())];
        for (int i = 0; i < best.length; i++) {
            best[i] = ranked.get(i);
            best[i].setField(3, i + 1L);
        }
        return Row.of(Instant.ofEpochMilli(lastStep), best);
    }
}
