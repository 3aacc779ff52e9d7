package realtime.analytics.source;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.function.BiConsumer;
import org.apache.flink.api.connector.source.ReaderInfo;
import org.apache.flink.api.connector.source.SourceEvent;
import org.apache.flink.api.connector.source.SourceSplit;
import org.apache.flink.api.connector.source.SplitEnumeratorContext;
import org.apache.flink.api.connector.source.SplitsAssignment;
import org.apache.flink.metrics.groups.SplitEnumeratorMetricGroup;
import org.junit.jupiter.api.Test;

/** What a discovery finds while offsets are being asked for is left to the next one; an error never is. */
class CalmContextTest {
    /** Answers when told, in the order in which it is told. */
    private static final class Slow implements SplitEnumeratorContext<SourceSplit> {
        final List<Runnable> discoveries = new ArrayList<>();
        final List<Runnable> questions = new ArrayList<>();
        Throwable failure;

        @Override
        public <T> void callAsync(Callable<T> call, BiConsumer<T, Throwable> handler) {
            questions.add(() -> handler.accept(null, failure));
        }

        @Override
        public <T> void callAsync(Callable<T> call, BiConsumer<T, Throwable> handler, long delay, long period) {
            discoveries.add(() -> handler.accept(null, failure));
        }

        @Override
        public SplitEnumeratorMetricGroup metricGroup() {
            throw new UnsupportedOperationException();
        }

        @Override
        public void sendEventToSourceReader(int subtask, SourceEvent event) {}

        @Override
        public int currentParallelism() {
            return 1;
        }

        @Override
        public Map<Integer, ReaderInfo> registeredReaders() {
            return Map.of();
        }

        @Override
        public void assignSplits(SplitsAssignment<SourceSplit> assignment) {}

        @Override
        public void signalNoMoreSplits(int subtask) {}

        @Override
        public void runInCoordinatorThread(Runnable work) {
            work.run();
        }
    }

    private final Slow slow = new Slow();
    private final CalmContext<SourceSplit> context = new CalmContext<>(slow);
    private final List<String> heard = new ArrayList<>();

    /** An enumerator: what is found is asked for. */
    private void discover() {
        context.callAsync(
                () -> null,
                (found, failure) -> {
                    heard.add(failure == null ? "found" : "failed");
                    if (failure == null) {
                        context.callAsync(() -> null, (offsets, unknown) -> heard.add("asked"));
                    }
                },
                0,
                1);
    }

    @Test
    void aDiscoveryBetweenAnotherAndItsOffsetsIsLeftOut() {
        discover();
        Runnable look = slow.discoveries.get(0);
        look.run();
        look.run();
        assertEquals(List.of("found"), heard);
        slow.questions.get(0).run();
        look.run();
        assertEquals(List.of("found", "asked", "found"), heard);
    }

    @Test
    void anErrorIsAlwaysHeard() {
        discover();
        slow.discoveries.get(0).run();
        slow.failure = new IllegalStateException("no broker");
        slow.discoveries.get(0).run();
        assertEquals(List.of("found", "failed"), heard);
    }
}
