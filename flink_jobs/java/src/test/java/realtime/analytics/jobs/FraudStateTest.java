package realtime.analytics.jobs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class FraudStateTest {
    private static final long WINDOW = 300_000;
    private static final int[] THRESHOLDS = {11, 21, 51};
    private static final int LOW = 0;
    private static final int MEDIUM = 1;
    private static final int HIGH = 2;

    private final FraudState state = new FraudState(THRESHOLDS.length);
    private final List<Integer> fired = new ArrayList<>();

    /** Adds as many purchases at that time and keeps the levels that fire. */
    private void purchases(long time, int count) {
        for (int i = 0; i < count; i++) {
            int level = state.purchase(time, THRESHOLDS, WINDOW);
            if (level >= 0) {
                fired.add(level);
            }
        }
    }

    @Test
    void sixAndSixAcrossABoundaryAreOneLow() {
        purchases(WINDOW - 1, 6);
        purchases(WINDOW, 4);
        assertEquals(List.of(), fired);
        purchases(WINDOW + 1, 1);
        assertEquals(List.of(LOW), fired);
        purchases(WINDOW + 2, 1);
        assertEquals(List.of(LOW), fired);
    }

    @Test
    void sixtyAtOneMillisecondAreOneOfEachLevel() {
        purchases(5, 60);
        assertEquals(List.of(LOW, MEDIUM, HIGH), fired);
    }

    @Test
    void theWindowHoldsItsEndAndNotItsStart() {
        purchases(0, 10);
        purchases(WINDOW, 1);
        assertEquals(List.of(), fired);
        FraudState other = new FraudState(THRESHOLDS.length);
        for (int i = 0; i < 10; i++) {
            other.purchase(1, THRESHOLDS, WINDOW);
        }
        assertEquals(LOW, other.purchase(WINDOW, THRESHOLDS, WINDOW));
    }

    @Test
    void aLevelReArmsAfterAWholeWindowBelow() {
        purchases(0, 11);
        // The burst leaves at WINDOW; a whole window below ends at 2 * WINDOW.
        purchases(2 * WINDOW - 1, 11);
        assertEquals(List.of(LOW), fired);
    }

    @Test
    void andNotBefore() {
        purchases(0, 11);
        purchases(2 * WINDOW, 11);
        assertEquals(List.of(LOW, LOW), fired);
    }

    @Test
    void touchingTheLevelAgainStartsTheWaitAnew() {
        purchases(0, 11);
        purchases(2 * WINDOW - 1, 11);
        purchases(3 * WINDOW, 11);
        assertEquals(List.of(LOW), fired, "below only since 3 * WINDOW - 1");
        purchases(5 * WINDOW, 11);
        assertEquals(List.of(LOW, LOW), fired);
    }

    @Test
    void levelsReArmOnTheirOwn() {
        purchases(0, 21);
        for (long time = 25_000; time <= 4 * WINDOW; time += 25_000) {
            purchases(time, 1);
        }
        assertEquals(List.of(LOW, MEDIUM), fired, "12 a window: LOW stays reached, MEDIUM falls");
        purchases(4 * WINDOW, 20);
        assertEquals(List.of(LOW, MEDIUM, MEDIUM), fired);
    }

    @Test
    void keepsAtMostTheHighestThresholdOfTimestamps() {
        for (int i = 0; i < 100_000; i++) {
            purchases(i, 1);
            assertTrue(state.recent.length <= 51);
        }
        assertEquals(List.of(LOW, MEDIUM, HIGH), fired);
    }

    @Test
    void expiresWhenNothingCanMatterAnyMore() {
        purchases(100, 1);
        assertEquals(100 + WINDOW, state.expires(WINDOW), "one purchase: when it leaves the window");
        purchases(100, 10);
        assertEquals(100 + 2 * WINDOW, state.expires(WINDOW), "a reached level: when it is armed again");
    }
}
