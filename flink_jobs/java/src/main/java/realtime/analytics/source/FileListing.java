package realtime.analytics.source;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.flink.core.fs.FileStatus;
import org.apache.flink.core.fs.FileSystem;
import org.apache.flink.core.fs.Path;

/**
 * Finds the files below a prefix, each once. It remembers those of the last hour before the newest: an older one does not
 * appear any more, because a file bears the time when it was written.
 */
final class FileListing {
    private static final long REMEMBERED_MILLIS = 3_600_000;

    private final String prefix;
    /** Path and time of modification, epoch milliseconds. */
    private final Map<String, Long> seen;

    FileListing(String prefix, Map<String, Long> seen) {
        this.prefix = prefix;
        this.seen = new TreeMap<>(seen);
    }

    /** Files that were not there before, in order of their paths; path and time of modification. */
    Map<String, Long> next() throws IOException {
        long floor = newest() - REMEMBERED_MILLIS;
        Map<String, Long> found = new TreeMap<>();
        List<Path> folders = new ArrayList<>(List.of(new Path(prefix)));
        FileSystem files = FileSystem.get(new Path(prefix).toUri());
        while (!folders.isEmpty()) {
            for (FileStatus each : list(files, folders.remove(folders.size() - 1))) {
                String name = each.getPath().getName();
                if (name.startsWith(".") || name.startsWith("_")) {
                    continue;
                }
                if (each.isDir()) {
                    folders.add(each.getPath());
                } else if (each.getModificationTime() >= floor && !seen.containsKey(each.getPath().toString())) {
                    found.put(each.getPath().toString(), each.getModificationTime());
                }
            }
        }
        seen.putAll(found);
        long newFloor = newest() - REMEMBERED_MILLIS;
        seen.values().removeIf(modified -> modified < newFloor);
        return found;
    }

    Map<String, Long> seen() {
        return seen;
    }

    private long newest() {
        return seen.values().stream().mapToLong(modified -> modified).max().orElse(0);
    }

    /** A prefix of S3 without objects is not there; a file may be given instead of a prefix. */
    private static FileStatus[] list(FileSystem files, Path folder) throws IOException {
        try {
            FileStatus[] listed = files.listStatus(folder);
            return listed == null ? new FileStatus[0] : listed;
        } catch (FileNotFoundException nothing) {
            return new FileStatus[0];
        }
    }
}
