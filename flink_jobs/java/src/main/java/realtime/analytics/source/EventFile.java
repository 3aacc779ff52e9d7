package realtime.analytics.source;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.util.zip.GZIPInputStream;
import org.apache.flink.core.fs.FileSystem;
import org.apache.flink.core.fs.Path;

/** The lines of a file, as bytes: a payload may hold any. Gzipped when it begins as gzip does, whatever its name. */
final class EventFile implements Closeable {
    private static final int BUFFER_BYTES = 1 << 16;

    private final InputStream input;
    private final ByteArrayOutputStream line = new ByteArrayOutputStream();

    EventFile(String file) throws IOException {
        Path path = new Path(file);
        InputStream raw = FileSystem.get(path.toUri()).open(path);
        try {
            BufferedInputStream bytes = new BufferedInputStream(raw, BUFFER_BYTES);
            bytes.mark(2);
            int magic = bytes.read() | bytes.read() << 8;
            bytes.reset();
            input =
                    magic == GZIPInputStream.GZIP_MAGIC
                            ? new BufferedInputStream(new GZIPInputStream(bytes, BUFFER_BYTES), BUFFER_BYTES)
                            : bytes;
        } catch (IOException | RuntimeException broken) {
            raw.close();
            throw broken;
        }
    }

    /** The next line without its end, or null after the last one. The end of the last line may be missing. */
    byte[] next() throws IOException {
        line.reset();
        int read = input.read();
        if (read < 0) {
            return null;
        }
        while (read >= 0 && read != '\n') {
            line.write(read);
            read = input.read();
        }
        return line.toByteArray();
    }

    @Override
    public void close() throws IOException {
        input.close();
    }
}
