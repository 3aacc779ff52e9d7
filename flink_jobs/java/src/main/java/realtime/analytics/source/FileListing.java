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
 * Finds the files below a prefix, each once, whatever its time: one that was uploaded in parts bears the time when that
 * began, hours before it is there. So it remembers every file that is there, and none that is gone.
 */
final class FileListing {
    private final String prefix;
    /** Path and time of modification, epoch milliseconds. */
    private Map<String, Long> seen;

    FileListing(String prefix, Map<String, Long> seen) {
        this.prefix = prefix;
        this.seen = new TreeMap<>(seen);
    }

    /** The files that are there, in order of their paths; path and time of modification. Changes nothing. */
    Map<String, Long> look() throws IOException {
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
                } else {
                    found.put(each.getPath().toString(), each.getModificationTime());
                }
            }
        }
        return found;
    }

    /** Those of the files that have not been taken. */
    Map<String, Long> fresh(Map<String, Long> found) {
        Map<String, Long> fresh = new TreeMap<>(found);
        fresh.keySet().removeAll(seen.keySet());
        return fresh;
    }

    /** Takes the files that are there. */
    void take(Map<String, Long> found) {
        seen = new TreeMap<>(found);
    }

    /** The files that are there and have been taken. */
    Map<String, Long> seen() {
        return seen;
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
