package realtime.analytics.source;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.util.Map;
import java.util.TreeMap;
import software.amazon.awssdk.core.ResponseBytes;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.model.EncodingType;
import software.amazon.awssdk.services.s3.model.GetObjectRequest;
import software.amazon.awssdk.services.s3.model.GetObjectResponse;
import software.amazon.awssdk.services.s3.model.InvalidObjectStateException;
import software.amazon.awssdk.services.s3.model.ListObjectsV2Request;
import software.amazon.awssdk.services.s3.model.NoSuchKeyException;
import software.amazon.awssdk.services.s3.model.S3Exception;
import software.amazon.awssdk.services.s3.model.S3Object;

/**
 * Objects of S3, by their keys as they are. An object is there when it is whole, so all are listed, whatever their names,
 * but for the empty ones whose key ends with a slash: consoles make them to show a folder.
 *
 * <p>One client a process, with the credentials of the application's role.
 */
final class S3Objects implements FileStore {
    static final String SCHEME = "s3://";
    static final S3Objects INSTANCE = new S3Objects();

    private static final int NOT_SATISFIABLE = 416;

    private Region region;
    private S3Client client;

    private S3Objects() {}

    /** The region of the buckets; {@link #close} ends what this begins. */
    synchronized void use(String name) {
        region = Region.of(name);
    }

    /** Closes the connections; the next call opens others. */
    synchronized void close() {
        if (client != null) {
            client.close();
            client = null;
        }
    }

    private synchronized S3Client client() {
        if (client == null) {
            client = S3Client.builder().region(region).build();
        }
        return client;
    }

    @Override
    public Map<String, Long> list(String prefix) throws IOException {
        Map<String, Long> found = new TreeMap<>();
        String bucket = bucket(prefix);
        String key = key(prefix);
        // Without it a key with a character that XML cannot hold would break the whole listing.
        ListObjectsV2Request request =
                ListObjectsV2Request.builder().bucket(bucket).prefix(key).encodingType(EncodingType.URL).build();
        try {
            for (S3Object each : client().listObjectsV2Paginator(request).contents()) {
                boolean isFolder = each.key().endsWith("/") && each.size() == 0;
                if (!isFolder && isBelow(key, each.key())) {
                    found.put(SCHEME + bucket + "/" + each.key(), each.lastModified().toEpochMilli());
                }
            }
        } catch (SdkException failed) {
            throw new IOException(prefix + " cannot be listed: " + failed.getMessage(), failed);
        }
        return found;
    }

    /** Of {@code events} not {@code events-old/1}. */
    private static boolean isBelow(String prefix, String key) {
        return prefix.isEmpty() || prefix.endsWith("/") || key.equals(prefix) || key.startsWith(prefix + "/");
    }

    @Override
    public InputStream open(String file) throws IOException {
        return new Parts(file);
    }

    @Override
    public String below(String prefix, String file) {
        if (file.equals(prefix)) {
            return file.substring(file.lastIndexOf('/') + 1);
        }
        return file.substring(prefix.endsWith("/") ? prefix.length() : prefix.length() + 1);
    }

    private static String bucket(String address) {
        int end = address.indexOf('/', SCHEME.length());
        return end < 0 ? address.substring(SCHEME.length()) : address.substring(SCHEME.length(), end);
    }

    private static String key(String address) {
        int end = address.indexOf('/', SCHEME.length());
        return end < 0 ? "" : address.substring(end + 1);
    }

    /**
     * An object, a part a request: S3 ends a connection on which nothing is read for a while, and the files of many folders
     * are open at a time. All parts are of one version of the object, or reading fails.
     */
    private final class Parts extends InputStream {
        private static final int PART_BYTES = 1 << 20;

        private final String file;
        private byte[] part = {};
        private int next;
        /** Where the next part begins. */
        private long position;
        private long length = Long.MAX_VALUE;
        private String version;

        Parts(String file) throws IOException {
            this.file = file;
            fill();
        }

        @Override
        public int read() throws IOException {
            return next < part.length || fill() ? part[next++] & 0xff : -1;
        }

        @Override
        public int read(byte[] bytes, int offset, int count) throws IOException {
            if (count > 0 && next == part.length && !fill()) {
                return -1;
            }
            int taken = Math.min(count, part.length - next);
            System.arraycopy(part, next, bytes, offset, taken);
            next += taken;
            return taken;
        }

        /** Whether there is another part. */
        private boolean fill() throws IOException {
            if (position >= length) {
                return false;
            }
            GetObjectRequest request =
                    GetObjectRequest.builder()
                            .bucket(bucket(file))
                            .key(key(file))
                            .range("bytes=" + position + "-" + (position + PART_BYTES - 1))
                            .ifMatch(version)
                            .build();
            try {
                ResponseBytes<GetObjectResponse> answer = client().getObjectAsBytes(request);
                part = answer.asByteArrayUnsafe();
                version = answer.response().eTag();
                String range = answer.response().contentRange();
                position += part.length;
                length = range == null ? position : Long.parseLong(range.substring(range.indexOf('/') + 1));
            } catch (NoSuchKeyException gone) {
                throw new FileNotFoundException(file);
            } catch (InvalidObjectStateException archived) {
                throw new BrokenFileException(
                        "the object is in a storage class without access (" + archived.storageClassAsString()
                                + "): restore it and copy it to a new key",
                        new byte[0],
                        true);
            } catch (S3Exception refused) {
                if (refused.statusCode() != NOT_SATISFIABLE) {
                    throw failure(refused);
                }
                // An empty object has no part.
                part = new byte[0];
                length = position;
            } catch (SdkException failed) {
                throw failure(failed);
            }
            next = 0;
            return part.length > 0;
        }

        private IOException failure(SdkException failed) {
            return new IOException(file + " cannot be read: " + failed.getMessage(), failed);
        }
    }
}
