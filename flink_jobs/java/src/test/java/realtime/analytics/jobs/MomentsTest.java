package realtime.analytics.jobs;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.math.BigDecimal;
import java.math.MathContext;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

class MomentsTest {
    private static final MathContext EXACT = new MathContext(60);

    private static double exactDeviation(double[] values) {
        BigDecimal count = BigDecimal.valueOf(values.length);
        BigDecimal sum = BigDecimal.ZERO;
        for (double value : values) {
            sum = sum.add(new BigDecimal(value));
        }
        BigDecimal mean = sum.divide(count, EXACT);
        BigDecimal squares = BigDecimal.ZERO;
        for (double value : values) {
            squares = squares.add(new BigDecimal(value).subtract(mean).pow(2));
        }
        return squares.divide(count.subtract(BigDecimal.ONE), EXACT).sqrt(EXACT).doubleValue();
    }

    private static double[] around(double center, int count, long seed) {
        Random random = new Random(seed);
        double[] values = new double[count];
        for (int i = 0; i < count; i++) {
            values[i] = center + (random.nextBoolean() ? 1 : -1);
        }
        return values;
    }

    private static Baseline sliced(double[] values, int slices) {
        Baseline baseline = new Baseline();
        int size = values.length / slices;
        for (int i = 0; i < slices; i++) {
            baseline.append(i * 10_000L, Moments.of(Arrays.copyOfRange(values, i * size, (i + 1) * size)));
        }
        return baseline;
    }

    @Test
    void largeMeansDoNotCancel() {
        double[] values = around(1e9, 36_000, 1);
        Moments merged = sliced(values, 360).merged();
        double exact = exactDeviation(values);
        assertEquals(36_000, merged.count);
        assertEquals(exact, merged.deviation(), 1e-6 * exact);
        assertEquals(Arrays.stream(values).map(value -> value - 1e9).sum() / 36_000, merged.mean() - 1e9, 1e-6);
    }

    @Test
    void randomValuesAgreeWithExactArithmetic() {
        Random random = new Random(2);
        for (int round = 0; round < 50; round++) {
            double scale = Math.pow(10, random.nextInt(25) - 6);
            double[] values = random.doubles(360, -scale, scale).toArray();
            double exact = exactDeviation(values);
            assertEquals(exact, sliced(values, 36).merged().deviation(), 1e-12 * exact);
        }
    }

    @Test
    void tinyAndNeighbouringValuesKeepTheirDeviation() {
        Random random = new Random(6);
        double[] tiny = random.doubles(3_600).map(value -> Math.round(value * 100) * 1e-170).toArray();
        double[] neighbours = random.doubles(3_600).map(value -> 1e15 + value).toArray();
        double[] largest = random.doubles(3_600).map(value -> value < 0.5 ? -1e18 : 1e18).toArray();
        for (double[] values : new double[][] {tiny, neighbours, largest}) {
            double exact = exactDeviation(values);
            Moments merged = sliced(values, 360).merged();
            assertEquals(exact, merged.deviation(), 1e-9 * exact);
            // An event's score, with the value of the largest distance.
            double mean = Arrays.stream(values).mapToObj(BigDecimal::new).reduce(BigDecimal.ZERO, BigDecimal::add)
                    .divide(BigDecimal.valueOf(values.length), EXACT).subtract(new BigDecimal(values[0])).doubleValue();
            assertEquals(Math.abs(mean) / exact, Math.abs(merged.distance(values[0])) / merged.deviation(), 1e-9);
        }
    }

    @Test
    void oneHugeValueLeavesNoTrace() {
        double[] values = around(100, 3_600, 3);
        Baseline with = new Baseline();
        with.append(-10_000, Moments.of(new double[] {1e17, 100}));
        Baseline without = new Baseline();
        for (int i = 0; i < 360; i++) {
            double[] slice = Arrays.copyOfRange(values, i * 10, (i + 1) * 10);
            with.append(i * 10_000L, Moments.of(slice.clone()));
            without.append(i * 10_000L, Moments.of(slice));
        }
        assertTrue(with.merged().deviation() > 1e12);
        with.forgetBefore(0);
        assertEquals(without.merged().mean(), with.merged().mean());
        assertEquals(without.merged().deviation(), with.merged().deviation());
    }

    @Test
    void theOrderOfArrivalWithinASliceDoesNotShow() {
        Random random = new Random(4);
        double[] values = random.doubles(100, -1e12, 1e12).toArray();
        Moments expected = Moments.of(values.clone());
        for (int round = 0; round < 20; round++) {
            double[] shuffled = values.clone();
            for (int i = shuffled.length - 1; i > 0; i--) {
                int j = random.nextInt(i + 1);
                double kept = shuffled[i];
                shuffled[i] = shuffled[j];
                shuffled[j] = kept;
            }
            Moments moments = Moments.of(shuffled);
            assertEquals(expected.mean(), moments.mean());
            assertEquals(expected.squares, moments.squares);
        }
    }

    @Test
    void equalValuesHaveNoDeviation() {
        double[] values = new double[3_000];
        Arrays.fill(values, 0.1);
        Moments merged = sliced(values, 300).merged();
        assertEquals(0.1, merged.mean());
        assertEquals(0, merged.deviation());
    }

    @Test
    void forgetsWhatStartsBeforeAndKeepsTheRest() {
        Baseline baseline = new Baseline();
        for (long start = 0; start < 50_000; start += 10_000) {
            baseline.append(start, Moments.of(new double[] {start, start + 2}));
        }
        baseline.forgetBefore(20_000);
        assertArrayEquals(new long[] {20_000, 30_000, 40_000}, baseline.starts);
        assertArrayEquals(new long[] {2, 2, 2}, baseline.counts);
        assertArrayEquals(new double[] {20_002, 30_002, 40_002}, baseline.shifts);
        assertArrayEquals(new double[] {-1, -1, -1}, baseline.offsets);
        assertEquals(30_001, baseline.merged().mean());
        baseline.forgetBefore(20_000);
        assertEquals(3, baseline.starts.length);
        baseline.forgetBefore(50_000);
        assertTrue(baseline.isEmpty());
        assertEquals(0, baseline.merged().count);
    }
}
