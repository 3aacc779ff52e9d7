package realtime.analytics.source;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.flink.api.common.state.ListState;
import org.apache.flink.api.java.tuple.Tuple5;
import org.junit.jupiter.api.Test;

/** Which earlier files have to be read again to know what comes twice. */
class ArchiveMemoryTest {
    private static final long HOUR = 3_600_000;

    private static final class Entries implements ListState<Tuple5<String, Long, String, String, String>> {
        private final List<Tuple5<String, Long, String, String, String>> entries = new ArrayList<>();

        @Override
        public void update(List<Tuple5<String, Long, String, String, String>> values) {
            clear();
            addAll(values);
        }

        @Override
        public void addAll(List<Tuple5<String, Long, String, String, String>> values) {
            entries.addAll(values);
        }

        @Override
        public Iterable<Tuple5<String, Long, String, String, String>> get() {
            return entries;
        }

        @Override
        public void add(Tuple5<String, Long, String, String, String> value) {
            entries.add(value);
        }

        @Override
        public void clear() {
            entries.clear();
        }
    }

    private final Entries state = new Entries();

    private static Map<String, ArchivedRange> held(String shard, String low, String high) {
        return Map.of(shard, new ArchivedRange(low, high));
    }

    @Test
    void thoseThatOverlapInAShardAlsoAfterARestore() throws Exception {
        ArchiveMemory memory = new ArchiveMemory(state);
        memory.take(
                Map.of("a", held("one", "1", "9"), "b", held("one", "10", "20"), "c", held("other", "1", "9")),
                Map.of("a", 0L, "b", 1L, "c", 2L));
        memory.snapshot();
        memory.snapshot();
        for (ArchiveMemory each : List.of(memory, new ArchiveMemory(state))) {
            assertEquals(Set.of("a", "b"), each.overlapping(Map.of("new", held("one", "9", "15"))));
            assertEquals(Set.of(), each.overlapping(Map.of("new", held("one", "21", "30"))));
            assertEquals(Set.of(), each.overlapping(Map.of("new", held("third", "1", "9"))));
        }
    }

    @Test
    void whatIsAnHourOlderThanTheNewestIsForgotten() throws Exception {
        ArchiveMemory memory = new ArchiveMemory(state);
        memory.take(Map.of("old", held("one", "1", "9"), "kept", held("one", "1", "9")), Map.of("old", 0L, "kept", 1L));
        memory.take(Map.of("new", held("one", "10", "20")), Map.of("new", HOUR + 1));
        assertEquals(Set.of("kept"), memory.overlapping(Map.of("twice", held("one", "1", "9"))));
        memory.snapshot();
        assertEquals(2, state.entries.size());
    }
}
