package realtime.analytics.source;

import java.io.IOException;
import java.util.UUID;
import org.apache.flink.runtime.taskexecutor.GlobalAggregateManager;
import org.apache.flink.util.FlinkRuntimeException;

/**
 * From which event time on (epoch milliseconds) every event is known, so that no result that needs an earlier one takes
 * the place of a complete one.
 *
 * <p>The source's subtasks agree upon it in the job manager ({@link Alignment}) before their first watermark; whoever
 * sees a watermark, or a result, may ask. It does not travel in band: PyFlink's operators merge watermarks.
 */
public final class Horizon {
    /** Every event is known: the log was read from its very beginning. */
    public static final long BEGINNING = 0;

    /** Nothing was read yet. */
    public static final long UNKNOWN = Long.MIN_VALUE;

    private Horizon() {}

    /** Tells the horizon of a source that has one subtask, no state, and a time of its own. */
    public static void tell(GlobalAggregateManager manager, long knownFrom) throws IOException {
        String instance = UUID.randomUUID().toString();
        Alignment.exchange(manager, new SubtaskReport(0, 1, instance, true, knownFrom, knownFrom, null));
    }

    /** The horizon of a job that starts in this run, {@link #UNKNOWN} while there is none. */
    public static long ask(GlobalAggregateManager manager) {
        try {
            return Alignment.exchange(manager, null).knownToNewJobs;
        } catch (IOException unreachable) {
            throw new FlinkRuntimeException("no word from the job manager on what the source knows", unreachable);
        }
    }
}
