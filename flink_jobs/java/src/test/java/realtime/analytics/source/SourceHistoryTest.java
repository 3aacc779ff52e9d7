package realtime.analytics.source;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Set;
import org.junit.jupiter.api.Test;

class SourceHistoryTest {
    @Test
    void aFirstStartTakesWhatAllAgreeUpon() {
        SourceHistory history = new SourceHistory(Set.of(), true, ShardReport.NONE, Horizon.UNKNOWN);
        assertTrue(history.startsAtLatest());
        assertFalse(history.isKnown());
        history.agree(1_000);
        history.agree(2_000);
        assertEquals(1_000, history.knownFrom());
        assertEquals(1_000, history.knownToNewJobs());
    }

    @Test
    void afterARestoreOldJobsKeepTheirHorizonAndNewOnesStartBehindAllThatWasRead() {
        SourceHistory history = new SourceHistory(Set.of("a"), true, 5_000, 1_000);
        assertFalse(history.startsAtLatest(), "a restored source goes on where it was");
        history.agree(9_000);
        assertEquals(1_000, history.knownFrom());
        assertEquals(5_001, history.knownToNewJobs());
        assertTrue(history.subscribed("a"));
        assertFalse(history.subscribed("b"));
    }
}
