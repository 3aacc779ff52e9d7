package realtime.analytics.source;

import java.io.IOException;
import java.io.InputStream;
import java.util.Map;

/**
 * Where files of events lie: S3 or a file system of this machine.
 *
 * <p>Not Flink's FileSystem: its paths are normalized, and keys of S3 are any text. It lists {@code p/../x} for ever, never
 * shows {@code p//x}, {@code p/./x} and names that begin with {@code _} or {@code .}, cannot open {@code a\b}, and fails at
 * a colon.
 */
interface FileStore {
    /**
     * Every file below the prefix, or the one that the prefix names, in order of their addresses; none when nothing is there.
     *
     * @return address and time of modification, epoch milliseconds.
     */
    Map<String, Long> list(String prefix) throws IOException;

    /**
     * The bytes of a file.
     *
     * @param file an address that {@link #list} gave.
     * @throws java.io.FileNotFoundException when it is not there any more.
     * @throws BrokenFileException when it is there and trying again would not make it readable.
     */
    InputStream open(String file) throws IOException;

    /** What an address has more than the prefix; of the file that the prefix names, its own name. */
    String below(String prefix, String file);

    /** The store of an address: {@code s3://...}, {@code file:...} or an absolute path. */
    static FileStore of(String address) {
        return address.startsWith(S3Objects.SCHEME) ? S3Objects.INSTANCE : LocalFiles.INSTANCE;
    }
}
