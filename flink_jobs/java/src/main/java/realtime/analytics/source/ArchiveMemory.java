package realtime.analytics.source;

import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.apache.flink.api.common.state.ListState;
import org.apache.flink.api.common.state.ListStateDescriptor;
import org.apache.flink.api.common.state.OperatorStateStore;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.api.java.tuple.Tuple5;

/**
 * Which part of each shard the archive's files of the last hour held. Firehose may write a batch a second time, into a file
 * that is listed later; where a file overlaps with one of before, that one is read again, to know what is there twice.
 *
 * <p>A file's part may have holes, which another file fills: transformations do not end in the order of their records. So
 * being within a part says nothing, and the positions themselves are compared.
 */
final class ArchiveMemory {
    private static final long REMEMBERED_MILLIS = 3_600_000;

    private final ListState<Tuple5<String, Long, String, String, String>> state;
    private final Map<String, Map<String, ArchivedRange>> ranges = new HashMap<>();
    /** When each file was written, epoch milliseconds. */
    private final Map<String, Long> modified = new HashMap<>();

    static ArchiveMemory of(OperatorStateStore store) throws Exception {
        TypeInformation<Tuple5<String, Long, String, String, String>> type =
                Types.TUPLE(Types.STRING, Types.LONG, Types.STRING, Types.STRING, Types.STRING);
        return new ArchiveMemory(store.getListState(new ListStateDescriptor<>("ranges", type)));
    }

    ArchiveMemory(ListState<Tuple5<String, Long, String, String, String>> state) throws Exception {
        this.state = state;
        for (Tuple5<String, Long, String, String, String> each : state.get()) {
            modified.put(each.f0, each.f1);
            ranges.computeIfAbsent(each.f0, unseen -> new HashMap<>()).put(each.f2, new ArchivedRange(each.f3, each.f4));
        }
    }

    void snapshot() throws Exception {
        state.clear();
        for (Map.Entry<String, Map<String, ArchivedRange>> file : ranges.entrySet()) {
            for (Map.Entry<String, ArchivedRange> each : file.getValue().entrySet()) {
                ArchivedRange range = each.getValue();
                state.add(
                        Tuple5.of(file.getKey(), modified.get(file.getKey()), each.getKey(), range.low, range.high));
            }
        }
    }

    /** The files of before that may hold a record of these, which are given by file and shard. */
    Set<String> overlapping(Map<String, Map<String, ArchivedRange>> fresh) {
        Set<String> found = new TreeSet<>();
        for (Map<String, ArchivedRange> file : fresh.values()) {
            file.forEach(
                    (shard, range) ->
                            ranges.forEach(
                                    (path, known) -> {
                                        if (known.containsKey(shard) && known.get(shard).overlaps(range)) {
                                            found.add(path);
                                        }
                                    }));
        }
        return found;
    }

    /**
     * Takes files in, and forgets those that were written more than an hour before the newest.
     *
     * @param times when each of the files was written, epoch milliseconds.
     */
    void take(Map<String, Map<String, ArchivedRange>> fresh, Map<String, Long> times) {
        ranges.putAll(fresh);
        fresh.keySet().forEach(path -> modified.put(path, times.get(path)));
        long newest = modified.values().stream().mapToLong(time -> time).max().orElse(0);
        modified.values().removeIf(time -> time < newest - REMEMBERED_MILLIS);
        ranges.keySet().retainAll(modified.keySet());
    }
}
