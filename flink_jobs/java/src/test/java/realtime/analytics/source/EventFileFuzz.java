package realtime.analytics.source;

import com.code_intelligence.jazzer.api.FuzzedDataProvider;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.zip.GZIPOutputStream;
import realtime.analytics.fuzz.Foreign;

/** Any file gives lines within the limit, then its end or what is broken. */
public final class EventFileFuzz {
    private static final int MOST_BYTES = 50;
    private static final long MOST_FILE_BYTES = 100_000;
    private static final Path FILE = created();

    private EventFileFuzz() {}

    public static void fuzzerTestOneInput(FuzzedDataProvider data) throws IOException {
        byte[] content = data.consumeBytes(400);
        byte[] bytes = Foreign.damaged(data, data.consumeBoolean() ? gzipped(content) : content);
        Files.write(FILE, bytes);
        boolean ended = false;
        try (EventFile file = new EventFile(FILE.toUri().toString(), MOST_BYTES, MOST_FILE_BYTES)) {
            while (!ended) {
                try {
                    byte[] line = file.next();
                    ended = line == null;
                    if (line != null && line.length > MOST_BYTES) {
                        throw new AssertionError("a line of " + line.length + " bytes");
                    }
                } catch (BrokenFileException expected) {
                    ended = expected.isEnd;
                }
            }
        }
    }

    private static byte[] gzipped(byte[] content) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (GZIPOutputStream out = new GZIPOutputStream(bytes)) {
            out.write(content);
        }
        return bytes.toByteArray();
    }

    private static Path created() {
        try {
            Path file = Files.createTempFile("fuzz", ".gz");
            file.toFile().deleteOnExit();
            return file;
        } catch (IOException noDisk) {
            throw new ExceptionInInitializerError(noDisk);
        }
    }
}
