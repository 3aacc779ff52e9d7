package realtime.analytics.source;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.Closeable;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import org.apache.commons.compress.compressors.gzip.GzipCompressorInputStream;

/**
 * The lines of a file, as bytes: a payload may hold any. Gzipped when it begins as gzip does, whatever its name.
 *
 * <p>A file may be broken, which must not stop a stream: {@link BrokenFileException} is what is wrong with its bytes, any
 * other IOException what the file system could not do, which may be tried again.
 *
 * <p>Not the JDK's gzip, which takes for the end whatever it cannot read behind a member: a broken member, a file system
 * that fails, and, where that does not tell what is available, a whole one.
 */
final class EventFile implements Closeable {
    /** Bytes of a line. The largest that a source of events would take is 10 MB, 14 MB as a line of the archive. */
    static final int MAX_LINE_BYTES = 32 << 20;
    /** What is kept of a longer one: more than a rejection holds. */
    static final int KEPT_BYTES = 1 << 20;

    /**
     * An object costs bounded time. A line that is longer by this ends its file; so does a gzip, which may hold a thousand
     * times its size, when it gives more than this and more than {@link #MAX_RATIO} times its size.
     */
    private static final long FREE_BYTES = 1L << 30;
    private static final long MAX_RATIO = 200;

    private static final int BUFFER_BYTES = 1 << 16;
    private static final int GZIP_MAGIC = 0x8b1f;

    private final Source source;
    private final InputStream input;
    private final int maxLineBytes;
    private final long freeBytes;
    /** Null of a file that was opened. */
    private BrokenFileException unreadableBecause;
    private final ByteArrayOutputStream line = new ByteArrayOutputStream();

    EventFile(String file) throws IOException {
        this(file, MAX_LINE_BYTES, FREE_BYTES);
    }

    EventFile(String file, int maxLineBytes, long freeBytes) throws IOException {
        this.maxLineBytes = maxLineBytes;
        this.freeBytes = freeBytes;
        source = new Source(opened(file));
        try {
            source.mark(2);
            int magic = source.read() | source.read() << 8;
            source.reset();
            input = magic == GZIP_MAGIC ? decompressed() : source;
        } catch (IOException | RuntimeException broken) {
            source.close();
            throw broken;
        }
    }

    /** What cannot be read at all is told as what is broken: with the first line. */
    private InputStream opened(String file) throws IOException {
        try {
            return FileStore.of(file).open(file);
        } catch (BrokenFileException unreadable) {
            unreadableBecause = unreadable;
            return InputStream.nullInputStream();
        }
    }

    /** Whether a line holds nothing but spaces, tabs and a carriage return. */
    static boolean isBlank(byte[] line) {
        for (byte each : line) {
            if (each != ' ' && each != '\t' && each != '\r') {
                return false;
            }
        }
        return true;
    }

    private InputStream decompressed() throws IOException {
        try {
            return new Decompressed(new GzipCompressorInputStream(source, true), freeBytes);
        } catch (IOException broken) {
            source.check();
            return new Decompressed(broken);
        }
    }

    /**
     * The next line without its end, or null after the last one. The end of the last line may be missing.
     *
     * @throws BrokenFileException when the bytes end in the middle, or a line is too long; after a line that is too long
     *     the next one may be read.
     */
    byte[] next() throws IOException {
        if (unreadableBecause != null) {
            throw unreadableBecause;
        }
        line.reset();
        int read = read();
        if (read < 0) {
            return null;
        }
        while (read >= 0 && read != '\n') {
            if (line.size() == maxLineBytes) {
                throw tooLong();
            }
            line.write(read);
            read = read();
        }
        return line.toByteArray();
    }

    private int read() throws IOException {
        try {
            return input.read();
        } catch (IOException broken) {
            source.check();
            throw new BrokenFileException("the file is broken: " + broken.getMessage(), line.toByteArray(), true);
        }
    }

    private BrokenFileException tooLong() throws IOException {
        byte[] kept = new byte[Math.min(KEPT_BYTES, line.size())];
        System.arraycopy(line.toByteArray(), 0, kept, 0, kept.length);
        String what = "the line is longer than " + maxLineBytes + " bytes";
        line.reset();
        try {
            int read = read();
            for (long skipped = 0; read >= 0 && read != '\n'; skipped++) {
                if (skipped == freeBytes) {
                    return new BrokenFileException(what + " by far: the rest of the file is not read", kept, true);
                }
                read = read();
            }
        } catch (BrokenFileException broken) {
            return new BrokenFileException(what + "; " + broken.getMessage(), kept, true);
        }
        return new BrokenFileException(what, kept, false);
    }

    @Override
    public void close() throws IOException {
        input.close();
        source.close();
    }

    /** The bytes of the file system, which remembers its failure: that is none of the bytes. */
    private static final class Source extends FilterInputStream {
        private IOException failure;

        Source(InputStream file) {
            super(new BufferedInputStream(file, BUFFER_BYTES));
        }

        void check() throws IOException {
            if (failure != null) {
                throw failure;
            }
        }

        @Override
        public int read() throws IOException {
            try {
                return in.read();
            } catch (IOException failed) {
                failure = failed;
                throw failed;
            }
        }

        @Override
        public int read(byte[] bytes, int offset, int length) throws IOException {
            try {
                return in.read(bytes, offset, length);
            } catch (IOException failed) {
                failure = failed;
                throw failed;
            }
        }
    }

    /** Buffers what was decompressed, so that what comes before the broken place is given before the failure. */
    private static final class Decompressed extends InputStream {
        private final GzipCompressorInputStream gzip;
        private final long freeBytes;
        private final byte[] buffer = new byte[BUFFER_BYTES];
        private int next;
        private int end;
        private IOException broken;

        Decompressed(GzipCompressorInputStream gzip, long freeBytes) {
            this.gzip = gzip;
            this.freeBytes = freeBytes;
        }

        /** Of what is no gzip, although it begins so. */
        Decompressed(IOException broken) {
            this.gzip = null;
            this.freeBytes = 0;
            this.broken = broken;
        }

        @Override
        public int read() throws IOException {
            if (next == end) {
                if (broken == null) {
                    fill();
                }
                if (next == end && broken != null) {
                    throw broken;
                }
            }
            return next < end ? buffer[next++] & 0xff : -1;
        }

        private void fill() {
            long before = gzip.getBytesRead();
            next = 0;
            try {
                end = Math.max(0, gzip.read(buffer, 0, buffer.length));
                long given = gzip.getBytesRead();
                if (given > freeBytes && given / MAX_RATIO > gzip.getCompressedCount()) {
                    broken = new IOException("it holds more than " + MAX_RATIO + " times its size: split it");
                }
            } catch (IOException failed) {
                broken = failed;
                end = (int) (gzip.getBytesRead() - before);
            }
        }

        @Override
        public void close() throws IOException {
            if (gzip != null) {
                gzip.close();
            }
        }
    }
}
