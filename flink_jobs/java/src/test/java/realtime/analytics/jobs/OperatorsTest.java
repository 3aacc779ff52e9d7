package realtime.analytics.jobs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.streaming.api.operators.StreamFlatMap;
import org.apache.flink.types.Row;
import org.junit.jupiter.api.Test;

/** The stateful operators in Flink's harness: a stop and a restore anywhere change nothing, and state goes. */
class OperatorsTest {
    private static final long MINUTE = 60_000;
    private static final long WINDOW = 5 * MINUTE;
    private static final long GAP = 30 * MINUTE;
    private static final long DELAY = 5_000;
    /** So far behind every time of the inputs that all state must be gone. */
    private static final long END = 1_000 * MINUTE * 60;

    private static final Replay<Long, Long> FRAUD =
            new Replay<>(
                    () -> new StreamFlatMap<>(new FraudJob.Counted(Set.of("purchase"))),
                    Types.LONG,
                    () -> new FraudJob(WINDOW, new int[] {3, 5, 9}, new String[] {"LOW", "MEDIUM", "HIGH"}, "many"),
                    user -> user,
                    Types.LONG,
                    FraudJob.OUTPUT);
    private static final Replay<?, ?> BEHAVIOR =
            Replay.batched(
                    new BehaviorJob.Collect(),
                    BehaviorJob.slotMillis(GAP),
                    BehaviorJob.KEY,
                    Types.LIST(BehaviorJob.EVENT),
                    () -> new BehaviorJob(GAP, 4, " -> ", "...", new String[] {"view", "click", "purchase"}),
                    BehaviorJob.OUTPUT);
    private static final Replay<?, ?> ANOMALY =
            Replay.batched(
                    new AnomalyJob.Collect(),
                    10_000,
                    Types.STRING,
                    Types.LIST(AnomalyJob.EVENT),
                    () -> new AnomalyJob(10_000, 60 * MINUTE, 3, 10, true),
                    AnomalyJob.OUTPUT);
    private static final Replay<?, ?> RECOMMENDATION =
            Replay.batched(
                    new RecommendationJob.Collect(WINDOW, 60 * MINUTE, Map.of("view", 1.0, "click", 2.0, "purchase", 5.0), 0),
                    Batching.slotOf(WINDOW),
                    Types.LONG,
                    RecommendationJob.SCORES,
                    () -> new RecommendationJob(60 * MINUTE, WINDOW, 60 * MINUTE, 3),
                    RecommendationJob.OUTPUT);

    /** Events out of order within the delay, a watermark now and then, some at the edges of windows and gaps. */
    private static List<Replay.Input> inputs(long seed, String... types) {
        Random random = new Random(seed);
        long[] steps = {0, 0, 1, 100, 1_000, 20_000, WINDOW - 1, WINDOW, GAP - 1, GAP};
        List<Replay.Input> inputs = new ArrayList<>();
        long clock = 10 * 60 * MINUTE;
        for (int i = 0; i < 400; i++) {
            clock += steps[random.nextInt(random.nextInt(4) == 0 ? steps.length : 6)];
            long time = clock - random.nextInt((int) DELAY);
            inputs.add(
                    Replay.Input.event(
                            time,
                            random.nextInt(3),
                            types[random.nextInt(types.length)],
                            random.nextInt(5) == 0 ? 1e9 : random.nextGaussian(),
                            "s" + random.nextInt(2)));
            if (random.nextInt(3) == 0) {
                inputs.add(Replay.Input.watermark(clock - DELAY));
            }
        }
        inputs.add(Replay.Input.watermark(END));
        return inputs;
    }

    private static void aStopAnywhereChangesNothing(Replay<?, ?> job, List<Replay.Input> inputs) throws Exception {
        List<Row> undisturbed = job.run(inputs);
        assertTrue(undisturbed.size() > 20, () -> "only " + undisturbed.size() + " results");
        assertEquals(0, job.entries, "state is left behind");
        assertEquals(0, job.timers, "timers are left behind");
        for (int stop = 1; stop < inputs.size(); stop += 37) {
            assertEquals(texts(undisturbed), texts(job.run(inputs, stop)), "stopped before input " + stop);
        }
        Integer[] many = new Integer[inputs.size() / 20];
        for (int i = 0; i < many.length; i++) {
            many[i] = i * 20 + 7;
        }
        assertEquals(texts(undisturbed), texts(job.run(inputs, many)), "stopped again and again");
    }

    /** Keys fire in the order of a hash at one time: the set counts. */
    private static List<String> texts(List<Row> rows) {
        return rows.stream().map(Row::toString).sorted().collect(Collectors.toList());
    }

    @Test
    void fraud() throws Exception {
        aStopAnywhereChangesNothing(FRAUD, inputs(1, "purchase"));
    }

    @Test
    void behavior() throws Exception {
        aStopAnywhereChangesNothing(BEHAVIOR, inputs(2, "view", "click", "purchase", "add"));
    }

    @Test
    void anomaly() throws Exception {
        aStopAnywhereChangesNothing(ANOMALY, inputs(3, "view", "click"));
    }

    @Test
    void recommendation() throws Exception {
        aStopAnywhereChangesNothing(RECOMMENDATION, inputs(4, "view", "click", "purchase", "add"));
    }

    @Test
    void thePaceOfTheWatermarkDoesNotShow() throws Exception {
        for (long seed = 10; seed < 20; seed++) {
            List<Replay.Input> steady = inputs(seed, "view", "click", "purchase");
            List<Replay.Input> atTheEnd =
                    steady.stream().filter(input -> input.event != null).collect(Collectors.toList());
            atTheEnd.add(Replay.Input.watermark(END));
            assertEquals(texts(FRAUD.run(steady)), texts(FRAUD.run(atTheEnd)));
            assertEquals(texts(BEHAVIOR.run(steady)), texts(BEHAVIOR.run(atTheEnd)));
            assertEquals(texts(ANOMALY.run(steady)), texts(ANOMALY.run(atTheEnd)));
            assertEquals(texts(RECOMMENDATION.run(steady)), texts(RECOMMENDATION.run(atTheEnd)));
        }
    }

    /** A timer an event would be state that grows with the rate. */
    @Test
    void aHotUserHoldsOneTimer() throws Exception {
        List<Replay.Input> inputs = new ArrayList<>();
        for (long time = 0; time < 20_000; time++) {
            inputs.add(Replay.Input.event(time, 1, "purchase", 1.0, "s"));
            inputs.add(Replay.Input.watermark(time));
        }
        inputs.add(Replay.Input.watermark(60_000));
        assertEquals(3, FRAUD.run(inputs).size());
        assertEquals(1, FRAUD.timers);
        assertEquals(1, FRAUD.entries);
        BEHAVIOR.run(inputs);
        assertEquals(1, BEHAVIOR.timers);
        assertEquals(1, BEHAVIOR.entries);
    }

    /** An event a second for eleven days without a pause, the watermark a minute and a half behind. */
    @Test
    void aMillionEventsOfOneUserLeaveLessThanTenKilobytes() throws Exception {
        for (Replay<?, ?> job : List.of(FRAUD, BEHAVIOR, RECOMMENDATION)) {
            job.run(
                    () ->
                            IntStream.rangeClosed(1, 1_000_000)
                                    .mapToObj(
                                            second ->
                                                    second % 100 == 0
                                                            ? Replay.Input.watermark(second * 1_000L - 90_000)
                                                            : Replay.Input.event(
                                                                    second * 1_000L, 1, "purchase", 1.0, "s"))
                                    .iterator());
            assertTrue(job.bytes < 10_000, () -> job.bytes + " bytes");
        }
    }
}
