package realtime.analytics.source;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import org.apache.flink.util.FlinkRuntimeException;
import org.junit.jupiter.api.Test;
import realtime.analytics.source.ShardReport.Status;

class AlignmentTest {
    private static final long NONE = ShardReport.NONE;

    private final Alignment.Known known = new Alignment().createAccumulator();

    private static ShardReport shard(String name, Status status, long newest, String... parents) {
        return new ShardReport(name, List.of(parents), status, newest, newest);
    }

    private Agreement told(int subtask, int subtasks, String instance, ShardReport... shards) {
        return told(new SubtaskReport(subtask, subtasks, instance, true, 0, 0, List.of(shards)));
    }

    /** A report of a subtask that has to agree with the others upon the horizon. */
    private Agreement unsettled(int subtask, long knownFrom, ShardReport... shards) {
        return told(new SubtaskReport(subtask, 2, "u" + subtask, false, knownFrom, knownFrom, List.of(shards)));
    }

    /** As the job manager does it: report and agreement travel as bytes. */
    private Agreement told(SubtaskReport report) {
        Alignment function = new Alignment();
        return Alignment.read(function.getResult(function.add(Alignment.bytes(report), known)));
    }

    @Test
    void theSlowestShardOfAllSubtasksSetsThePace() {
        told(0, 2, "a", shard("1", Status.ACTIVE, 500), shard("2", Status.ACTIVE, 900));
        Agreement agreement = told(1, 2, "b", shard("3", Status.ACTIVE, 700));
        assertTrue(agreement.released);
        assertEquals(500, agreement.slowest);
        assertEquals(500, agreement.front);
    }

    @Test
    void nobodyGoesOnBeforeEverySubtaskHasReported() {
        Agreement alone = told(0, 2, "a", shard("1", Status.ACTIVE, 500));
        assertFalse(alone.released);
        assertEquals(NONE, alone.slowest);
    }

    @Test
    void aShardInItsStartGraceHoldsEverybody() {
        told(0, 2, "a", shard("1", Status.ACTIVE, 500));
        assertFalse(told(1, 2, "b", shard("2", Status.WAITING, NONE)).released);
        Agreement delivered = told(1, 2, "b", shard("2", Status.ACTIVE, 300));
        assertTrue(delivered.released);
        assertEquals(300, delivered.slowest);
    }

    @Test
    void aShardThatJoinsLaterHoldsEverybodyAgain() {
        assertEquals(500, told(0, 1, "a", shard("1", Status.ACTIVE, 500)).slowest);
        Agreement joined = told(0, 1, "a", shard("1", Status.ACTIVE, 600), shard("2", Status.WAITING, NONE, "0"));
        assertTrue(joined.released, "what was released stays so: its horizon is told already");
        assertEquals(NONE, joined.slowest);
    }

    @Test
    void anIdleShardHoldsNobody() {
        told(0, 2, "a", shard("1", Status.ACTIVE, 500));
        assertEquals(500, told(1, 2, "b", shard("2", Status.IDLE, 100)).slowest);
        assertEquals(600, told(0, 2, "a", shard("1", Status.IDLE, 600)).slowest, "all idle: up to the foremost");
    }

    @Test
    void aSubtaskWithoutShardsFollows() {
        told(0, 2, "a", shard("1", Status.ACTIVE, 500));
        assertEquals(500, told(1, 2, "b").slowest);
    }

    @Test
    void aDrainedParentStandsForItsChildrenUntilSomebodyReadsThem() {
        told(0, 2, "a", shard("parent", Status.ENDING, 500));
        Agreement before = told(1, 2, "b", shard("other", Status.ACTIVE, 900));
        assertEquals(500, before.slowest);
        assertEquals(900, before.front, "it does not hold the look-ahead: it reads no more");
        assertEquals(Map.of("parent", 500L), before.ended);
        Agreement read = told(1, 2, "b", shard("other", Status.ACTIVE, 900), shard("c", Status.ACTIVE, 550, "parent"));
        assertEquals(550, read.slowest);
    }

    @Test
    void aParentWhoseChildrenNeverComeStopsHolding() {
        Agreement agreement =
                told(0, 1, "a", shard("parent", Status.ENDED, 500), shard("other", Status.ACTIVE, 900));
        assertEquals(900, agreement.slowest);
        assertEquals(Map.of("parent", 500L), agreement.ended);
    }

    @Test
    void aParentThatGaveNothingHoldsNothing() {
        Agreement agreement =
                told(0, 1, "a", shard("parent", Status.ENDING, NONE), shard("other", Status.ACTIVE, 900));
        assertEquals(900, agreement.slowest);
    }

    @Test
    void aRestartedSubtaskMakesTheOthersReportAnew() {
        told(0, 2, "a", shard("1", Status.ACTIVE, 5_000));
        told(1, 2, "b", shard("2", Status.ACTIVE, 6_000));
        Agreement restarted = told(1, 2, "b2", shard("2", Status.ACTIVE, 100));
        assertFalse(restarted.released, "subtask 0 spoke of the time before the restart");
        assertEquals(NONE, restarted.slowest);
        assertFalse(told(0, 2, "a2", shard("1", Status.ACTIVE, 200)).released, "and the other once more");
        Agreement again = told(1, 2, "b2", shard("2", Status.ACTIVE, 150));
        assertTrue(again.released);
        assertEquals(150, again.slowest);
    }

    @Test
    void aSmallerParallelismForgetsTheSubtasksThatAreGone() {
        told(0, 2, "a", shard("1", Status.ACTIVE, 500));
        told(1, 2, "b", shard("2", Status.ACTIVE, 100));
        assertEquals(600, told(0, 1, "c", shard("1", Status.ACTIVE, 600)).slowest);
    }

    @Test
    void theHorizonIsTheLatestOfAllAndUnknownUntilSomethingWasRead() {
        unsettled(0, Horizon.UNKNOWN);
        Agreement unread = unsettled(1, Horizon.UNKNOWN, shard("1", Status.IDLE, NONE));
        assertFalse(unread.released);
        assertEquals(Horizon.UNKNOWN, unread.knownFrom);
        Agreement agreement = unsettled(1, 1_005, shard("1", Status.ACTIVE, 1_000));
        assertTrue(agreement.released);
        assertEquals(1_005, agreement.knownFrom);
        assertEquals(1_005, agreement.knownToNewJobs);
        assertEquals(1_005, unsettled(0, 2_000).knownFrom, "agreed upon once, the same for all");
    }

    @Test
    void aRestoredSourceKnowsItsHorizonsBeforeItReads() {
        Agreement agreement = told(new SubtaskReport(0, 2, "a", true, 1_005, 9_001, null));
        assertFalse(agreement.released);
        assertEquals(1_005, agreement.knownFrom);
        assertEquals(9_001, agreement.knownToNewJobs);
        assertEquals(9_001, told((SubtaskReport) null).knownToNewJobs, "whoever asks changes nothing");
    }

    @Test
    void aSourceThatStartsAnewMakesTheOldHorizonUnknown() {
        told(new SubtaskReport(0, 1, "a", true, 1_005, 9_001, null));
        Agreement again = told(new SubtaskReport(0, 1, "b", false, Horizon.UNKNOWN, Horizon.UNKNOWN, null));
        assertEquals(Horizon.UNKNOWN, again.knownFrom);
        assertEquals(Horizon.UNKNOWN, again.knownToNewJobs);
    }

    @Test
    void aMessageOfAnotherVersionIsNamed() {
        assertThrows(FlinkRuntimeException.class, () -> Alignment.read(new byte[] {1, 2, 3, 4}));
    }
}
