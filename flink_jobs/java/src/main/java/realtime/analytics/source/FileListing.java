package realtime.analytics.source;

import java.io.IOException;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * Finds the files below a prefix, each once, whatever its time: one that was uploaded in parts bears the time when that
 * began, hours before it is there. So it remembers every file that is there, and none that is gone.
 */
final class FileListing {
    private final String prefix;
    /** Address and time of modification, epoch milliseconds. */
    private Map<String, Long> seen;
    /** What was found last and not taken. */
    private final Set<String> waiting = new TreeSet<>();

    FileListing(String prefix, Map<String, Long> seen) {
        this.prefix = prefix;
        this.seen = new TreeMap<>(seen);
    }

    /** The files that are there, in order of their addresses; address and time of modification. Changes nothing. */
    Map<String, Long> look() throws IOException {
        return FileStore.of(prefix).list(prefix);
    }

    /** Those of the files that have not been taken. */
    Map<String, Long> fresh(Map<String, Long> found) {
        Map<String, Long> fresh = new TreeMap<>(found);
        fresh.keySet().removeAll(seen.keySet());
        waiting.addAll(fresh.keySet());
        return fresh;
    }

    /** Those that were fresh before, that nobody took, and that are not there any more; each is told once. */
    Set<String> gone(Map<String, Long> found) {
        Set<String> gone = new TreeSet<>(waiting);
        gone.removeAll(found.keySet());
        waiting.removeAll(gone);
        return gone;
    }

    /** Takes the files that are there. */
    void take(Map<String, Long> found) {
        seen = new TreeMap<>(found);
        waiting.clear();
    }

    /** The files that are there and have been taken. */
    Map<String, Long> seen() {
        return seen;
    }
}
