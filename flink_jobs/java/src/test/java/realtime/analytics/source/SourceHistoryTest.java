package realtime.analytics.source;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Set;
import org.apache.flink.streaming.api.watermark.Watermark;
import org.junit.jupiter.api.Test;

class SourceHistoryTest {
    @Test
    void aFirstStartTakesWhatAllAgreeUpon() {
        SourceHistory history = new SourceHistory(Set.of(), true, false, ShardReport.NONE, Horizon.UNKNOWN);
        assertTrue(history.startsAtLatest());
        assertFalse(history.isKnown());
        history.agree(1_000);
        history.agree(2_000);
        assertEquals(1_000, history.knownFrom());
        assertEquals(1_000, history.knownToNewJobs());
    }

    @Test
    void afterARestoreOldJobsKeepTheirHorizonAndNewOnesStartBehindAllThatWasRead() {
        SourceHistory history = new SourceHistory(Set.of("a"), true, false, 5_000, 1_000);
        assertFalse(history.startsAtLatest(), "a restored source goes on where it was");
        history.agree(9_000);
        assertEquals(1_000, history.knownFrom());
        assertEquals(5_001, history.knownToNewJobs());
        assertTrue(history.subscribed("a"));
        assertFalse(history.subscribed("b"));
    }

    @Test
    void theSignalTellsTheHorizonAndTheLatestWinsWhereStreamsMeet() {
        Watermark early = Horizon.signal(1_000);
        Watermark late = Horizon.signal(5_000);
        assertEquals(5_000, Horizon.knownFrom(late));
        assertTrue(Horizon.isSignal(Horizon.signal(Horizon.BEGINNING)));
        assertFalse(Horizon.isSignal(new Watermark(0)));
        assertFalse(Horizon.isSignal(new Watermark(Long.MIN_VALUE)));
        Watermark met = new Watermark(Math.min(early.getTimestamp(), late.getTimestamp()));
        assertEquals(5_000, Horizon.knownFrom(met));
    }
}
