package realtime.analytics.source;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.nio.file.FileSystemLoopException;
import java.nio.file.FileVisitOption;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.EnumSet;
import java.util.Map;
import java.util.TreeMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Files of this machine. One whose name begins with a dot, or whose folder's does, is still being written: it is not
 * listed until it is renamed. An address is a URI, in which any name can be written.
 */
final class LocalFiles implements FileStore {
    static final LocalFiles INSTANCE = new LocalFiles();

    private static final Logger LOG = LoggerFactory.getLogger(LocalFiles.class);

    private LocalFiles() {}

    @Override
    public Map<String, Long> list(String prefix) throws IOException {
        Map<String, Long> found = new TreeMap<>();
        Path root = path(prefix);
        Files.walkFileTree(root, EnumSet.of(FileVisitOption.FOLLOW_LINKS), Integer.MAX_VALUE, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult preVisitDirectory(Path folder, BasicFileAttributes attributes) {
                return isBeingWritten(root, folder) ? FileVisitResult.SKIP_SUBTREE : FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
                if (attributes.isRegularFile() && !isBeingWritten(root, file)) {
                    found.put(file.toUri().toString(), attributes.lastModifiedTime().toMillis());
                }
                return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult visitFileFailed(Path file, IOException failure) throws IOException {
                if (failure instanceof FileSystemLoopException) {
                    LOG.warn("{} links to a folder that holds it: its files are read once", file);
                } else if (!(failure instanceof NoSuchFileException)) {
                    throw failure;
                }
                return FileVisitResult.CONTINUE;
            }
        });
        return found;
    }

    private static boolean isBeingWritten(Path root, Path file) {
        return !file.equals(root) && file.getFileName().toString().startsWith(".");
    }

    @Override
    public InputStream open(String file) throws IOException {
        try {
            return Files.newInputStream(path(file));
        } catch (NoSuchFileException gone) {
            throw new FileNotFoundException(file);
        }
    }

    @Override
    public String below(String prefix, String file) {
        Path folder = path(prefix);
        Path whole = path(file);
        return whole.equals(folder) ? whole.getFileName().toString() : folder.relativize(whole).toString();
    }

    private static Path path(String address) {
        return address.startsWith("file:") ? Path.of(URI.create(address)) : Path.of(address);
    }
}
