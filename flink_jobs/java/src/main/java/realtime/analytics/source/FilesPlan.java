package realtime.analytics.source;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.Serializable;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import realtime.analytics.intake.Intake;

/** Which files are read, and how. Times are epoch milliseconds. */
public final class FilesPlan implements Serializable {
    private static final long serialVersionUID = 1L;

    /** The hour of Firehose's folders, in UTC. */
    private static final Pattern HOUR = Pattern.compile("/(\\d{4})/(\\d\\d)/(\\d\\d)/(\\d\\d)/[^/]*$");
    private static final long HOUR_MILLIS = 3_600_000;

    final String prefix;
    final boolean isArchive;
    final boolean startsAtLatest;
    final long discoveryMillis;
    final boolean bounded;
    /** The event time from which on the files hold every event; {@link Horizon#UNKNOWN} when that shows with the first. */
    final long knownFrom;
    /** Event times beyond it are of no interest. */
    final long until;
    /** Where the live run's rejections are archived; empty: the records are judged anew. */
    final String rejections;
    /** Files of hours after it are not read. */
    final long archivedUntil;
    /** Of the buckets. */
    final String region;

    private FilesPlan(
            String prefix,
            boolean isArchive,
            boolean startsAtLatest,
            long discoveryMillis,
            boolean bounded,
            long knownFrom,
            long until,
            String rejections,
            long archivedUntil,
            String region) {
        this.prefix = prefix;
        this.isArchive = isArchive;
        this.startsAtLatest = startsAtLatest;
        this.discoveryMillis = discoveryMillis;
        this.bounded = bounded;
        this.knownFrom = knownFrom;
        this.until = until;
        this.rejections = rejections;
        this.archivedUntil = archivedUntil;
        this.region = region;
    }

    /** Files that are there and files that will come. */
    public static FilesPlan live(
            String prefix, boolean isArchive, boolean startsAtLatest, long discoveryMillis, String region) {
        return new FilesPlan(
                prefix,
                isArchive,
                startsAtLatest,
                discoveryMillis,
                false,
                startsAtLatest ? Horizon.UNKNOWN : Horizon.BEGINNING,
                Long.MAX_VALUE,
                "",
                Long.MAX_VALUE,
                region);
    }

    /** An archive's part, once. */
    public static FilesPlan backfill(
            String prefix, String rejections, long knownFrom, long until, long archivedUntil, String region) {
        return new FilesPlan(prefix, true, false, 0, true, knownFrom, until, rejections, archivedUntil, region);
    }

    /**
     * Of the files those that can hold an event from {@link #knownFrom} to {@link #until}. An event is archived in the
     * hour of its arrival, which is at most the tolerance (a day at the most) before its own time.
     */
    Map<String, Long> chosen(Map<String, Long> files) {
        Map<String, Long> chosen = new TreeMap<>(files);
        if (bounded) {
            chosen.keySet().removeIf(path -> !mayHold(path));
        }
        return chosen;
    }

    /**
     * The partitions that the files hold records of. Files of the archive are read for it; those that are gone hold
     * none: the next listing tells them.
     */
    Set<String> partitions(Map<String, Long> files) throws IOException {
        Set<String> partitions = new HashSet<>();
        for (Map.Entry<String, Long> each : files.entrySet()) {
            if (!isArchive) {
                partitions.add(FolderReader.folder(prefix, each.getKey()));
                continue;
            }
            try (ArchiveFile file = new ArchiveFile(prefix, each.getKey(), each.getValue())) {
                for (Intake record = file.next(); record != null; record = file.next()) {
                    partitions.add(record.partition);
                }
            } catch (FileNotFoundException gone) {
                continue;
            }
        }
        return partitions;
    }

    private boolean mayHold(String path) {
        Matcher match = HOUR.matcher(path);
        if (!match.find()) {
            return true;
        }
        Instant hour;
        try {
            hour = LocalDateTime.of(number(match, 1), number(match, 2), number(match, 3), number(match, 4), 0)
                    .toInstant(ZoneOffset.UTC);
        } catch (DateTimeException noHour) {
            return true;
        }
        return hour.toEpochMilli() + 24 * HOUR_MILLIS > knownFrom && hour.toEpochMilli() <= archivedUntil;
    }

    private static int number(Matcher match, int group) {
        return Integer.parseInt(match.group(group));
    }
}
