package realtime.analytics.slots;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Random;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

class GridTest {
    private static final long MINUTE = Samples.MINUTE;

    /** Counts that many events in the minute and lets it pass. */
    private static void minute(Grid grid, long minute, long events) {
        for (long i = 0; i < events; i++) {
            grid.count(minute * MINUTE + i * MINUTE / events);
        }
        grid.passed((minute + 1) * MINUTE);
    }

    /** The length that follows from a minute's number of events. */
    private static long lengthAfter(long events) {
        Grid grid = new Grid(MINUTE, true);
        minute(grid, 0, events);
        return grid.lengthAt(2 * MINUTE);
    }

    @Test
    void slotsAreShorterWhereTheEventsAreMany() {
        long most = Grid.MAX_EVENTS;
        assertEquals(MINUTE, lengthAfter(most));
        assertEquals(30_000, lengthAfter(2 * most));
        assertEquals(15_000, lengthAfter(4 * most));
        assertEquals(5_000, lengthAfter(12 * most));
        assertEquals(1_000, lengthAfter(60 * most));
        assertEquals(200, lengthAfter(300 * most));
        assertEquals(200, lengthAfter(400 * most), "the shortest, however many events");
    }

    @Test
    void everyLengthDividesTheNextLongerOne() {
        long longer = MINUTE;
        for (long rate = 1; rate <= 300; rate++) {
            long length = lengthAfter(rate * Grid.MAX_EVENTS);
            assertEquals(0, longer % length, longer + " and " + length);
            assertTrue(length <= longer);
            longer = length;
        }
        assertEquals(200, longer);
    }

    @Test
    void aLengthThatTheLongestIsNoMultipleOfIsLeftOut() {
        Grid grid = new Grid(1_001, true);
        for (int i = 0; i < 400 * Grid.MAX_EVENTS; i++) {
            grid.count(5);
        }
        grid.passed(2_002);
        assertEquals(1_001, grid.lengthAt(4_004));
    }

    @Test
    void theyAreLongAgainWhenTheEventsAreFew() {
        Grid grid = new Grid(MINUTE, true);
        minute(grid, 0, 60 * Grid.MAX_EVENTS);
        assertEquals(1_000, grid.lengthAt(MINUTE));
        minute(grid, 1, 1);
        minute(grid, 2, 1);
        assertEquals(MINUTE, grid.lengthAt(3 * MINUTE));
    }

    @Test
    void aRateThatShootsUpDoesNotWaitForTheEndOfItsSlot() {
        Grid grid = new Grid(MINUTE, true);
        for (int i = 0; i <= Grid.MAX_EVENTS; i++) {
            grid.count(10);
        }
        assertEquals(MINUTE, grid.lengthAt(MINUTE - 1), "the slot has begun");
        assertEquals(30_000, grid.lengthAt(MINUTE));
    }

    @Test
    void thereIsOneChangeAtATime() {
        Grid grid = new Grid(MINUTE, true);
        for (int i = 0; i < 60 * Grid.MAX_EVENTS; i++) {
            grid.count(10);
        }
        // Known for the next minute: what was proposed first stays, however many events follow.
        assertEquals(30_000, grid.lengthAt(MINUTE));
        grid.passed(MINUTE);
        grid.count(MINUTE);
        grid.passed(2 * MINUTE);
        grid.passed(3 * MINUTE);
        assertEquals(MINUTE, grid.lengthAt(3 * MINUTE));
    }

    @Test
    void aChangeBeginsBehindTheNewestEvent() {
        Grid grid = new Grid(MINUTE, true);
        grid.count(7 * MINUTE + 1);
        for (int i = 0; i <= Grid.MAX_EVENTS; i++) {
            grid.count(7 * MINUTE + 2);
        }
        assertEquals(MINUTE, grid.lengthAt(8 * MINUTE - 1));
        assertEquals(30_000, grid.lengthAt(8 * MINUTE));
    }

    @Test
    void aLaneWithItsOwnSlotsKeepsThem() {
        Grid grid = new Grid(10_000, false);
        minute(grid, 0, 60 * Grid.MAX_EVENTS);
        assertEquals(10_000, grid.lengthAt(5 * MINUTE));
        assertEquals(50_000, grid.startOf(59_999));
        assertEquals(60_000, grid.endBefore(69_999));
    }

    /** Whatever the rates: an event's slot is the same when it comes as when it has passed, and slots nest in minutes. */
    @Test
    void noSlotIsSplitThatHasBegun() {
        for (long seed = 0; seed < 20; seed++) {
            Random random = new Random(seed);
            Grid grid = new Grid(MINUTE, true);
            TreeMap<Long, Long> slots = new TreeMap<>();
            TreeSet<Long> lengths = new TreeSet<>();
            long now = 0;
            long passed = 0;
            for (int i = 0; i < 600_000; i++) {
                now += random.nextInt(100) == 0 ? random.nextInt(1 << random.nextInt(11)) : 0;
                long time = now + random.nextInt(5_000);
                grid.count(time);
                long start = grid.startOf(time);
                long end = start + grid.lengthAt(time);
                assertTrue(start >= passed, "a slot that is over gets no event");
                assertEquals(0, start % (end - start));
                assertEquals(start / MINUTE, (end - 1) / MINUTE, "within a minute");
                lengths.add(end - start);
                Long known = slots.putIfAbsent(start, end);
                assertTrue(known == null || known == end, "one start, one end");
                if (i % 50 == 0) {
                    passed = Math.max(passed, grid.endBefore(now));
                    grid.passed(passed);
                }
            }
            long before = 0;
            for (long start : slots.keySet()) {
                assertTrue(start >= before, "slots overlap");
                before = slots.get(start);
            }
            assertTrue(lengths.size() > 1, "the rate had no effect");
        }
    }
}
