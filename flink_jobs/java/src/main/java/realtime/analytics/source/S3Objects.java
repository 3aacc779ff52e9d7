package realtime.analytics.source;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import software.amazon.awssdk.awscore.exception.AwsErrorDetails;
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
 *
 * <p>One object that S3 refuses must not stop the others, and a right that is lost must stop all, or everything would be
 * rejected. So a refusal (a 403, or a 400 of a key of KMS) is the object's own only where S3 gives another one now: the one
 * that was read last, or, after a start, one of {@link #PROBES} that are drawn from the listing. An object under a
 * customer's key (SSE-C) shows by its error alone.
 */
final class S3Objects implements FileStore {
    static final String SCHEME = "s3://";
    static final S3Objects INSTANCE = new S3Objects();

    private static final int BAD_REQUEST = 400;
    private static final int FORBIDDEN = 403;
    private static final int NOT_SATISFIABLE = 416;
    /** S3's code for an object under SSE-C, which is asked for without its key. */
    private static final String INVALID_REQUEST = "InvalidRequest";
    /** Of KMS, which S3 passes on as a 400. */
    private static final String THROTTLED = "ThrottlingException";
    /** How many objects are asked for to learn whether any is given. Another start draws others. */
    private static final int PROBES = 100;

    private Region region;
    private S3Client client;
    private String prefix = "";
    /** An object that was given. */
    private String given;

    private S3Objects() {}

    /**
     * {@link #close} ends what this begins.
     *
     * @param name the region of the buckets.
     * @param folder below which the application reads.
     */
    synchronized void use(String name, String folder) {
        region = Region.of(name);
        prefix = folder;
        given = null;
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

    private synchronized String given() {
        return given;
    }

    private synchronized void gave(String file) {
        given = file;
    }

    /** Whether S3 gives another object than this one. */
    private boolean givesOthers(String refused) throws IOException {
        String last = given();
        if (last != null && !last.equals(refused)) {
            try {
                return gives(last);
            } catch (FileNotFoundException deleted) {
                gave(null);
            }
        }
        List<String> others = new ArrayList<>(list(prefix).keySet());
        others.remove(refused);
        Collections.shuffle(others);
        for (String each : others.subList(0, Math.min(PROBES, others.size()))) {
            try {
                if (gives(each)) {
                    gave(each);
                    return true;
                }
            } catch (FileNotFoundException deleted) {
                continue;
            }
        }
        return false;
    }

    /** Asks for a byte of it. */
    private boolean gives(String file) throws IOException {
        try {
            client().getObjectAsBytes(request(file, 0, 1, null));
            return true;
        } catch (NoSuchKeyException gone) {
            throw new FileNotFoundException(file);
        } catch (S3Exception refused) {
            if (refused.statusCode() >= 500 || isThrottled(refused)) {
                throw failure(file, refused);
            }
            return refused.statusCode() == NOT_SATISFIABLE;
        } catch (SdkException failed) {
            throw failure(file, failed);
        }
    }

    private static GetObjectRequest request(String file, long position, int bytes, String version) {
        return GetObjectRequest.builder()
                .bucket(bucket(file))
                .key(key(file))
                .range("bytes=" + position + "-" + (position + bytes - 1))
                .ifMatch(version)
                .build();
    }

    private static boolean isThrottled(S3Exception refused) {
        return refused.isThrottlingException() || code(refused).endsWith(THROTTLED);
    }

    /** Of S3 or, behind {@code KMS.}, of KMS; empty where there is none. */
    private static String code(S3Exception refused) {
        AwsErrorDetails details = refused.awsErrorDetails();
        return details == null || details.errorCode() == null ? "" : details.errorCode();
    }

    private static IOException failure(String file, SdkException failed) {
        return new IOException(file + " cannot be read: " + failed.getMessage(), failed);
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
            try {
                ResponseBytes<GetObjectResponse> answer =
                        client().getObjectAsBytes(request(file, position, PART_BYTES, version));
                part = answer.asByteArrayUnsafe();
                version = answer.response().eTag();
                String range = answer.response().contentRange();
                position += part.length;
                length = range == null ? position : Long.parseLong(range.substring(range.indexOf('/') + 1));
                gave(file);
            } catch (NoSuchKeyException gone) {
                throw new FileNotFoundException(file);
            } catch (InvalidObjectStateException archived) {
                throw BrokenFileException.refused(
                        "the object is in a storage class without access (" + archived.storageClassAsString()
                                + "): restore it and copy it to a new key");
            } catch (S3Exception refused) {
                if (refused.statusCode() != NOT_SATISFIABLE) {
                    throw refusal(refused);
                }
                // An empty object has no part.
                part = new byte[0];
                length = position;
            } catch (SdkException failed) {
                throw failure(file, failed);
            }
            next = 0;
            return part.length > 0;
        }

        /** What the refusal means: the object's own fault, or one that may be over when it is asked for again. */
        private IOException refusal(S3Exception refused) throws IOException {
            boolean isBad = refused.statusCode() == BAD_REQUEST;
            if (isThrottled(refused) || !isBad && refused.statusCode() != FORBIDDEN) {
                return failure(file, refused);
            }
            String error = refused.getMessage();
            if (isBad && code(refused).equals(INVALID_REQUEST)) {
                return BrokenFileException.refused(
                        "S3 does not give the object (" + error + "): an object under a customer's key (SSE-C) cannot be read,"
                                + " copy it to a new key without one");
            }
            if (givesOthers(file)) {
                return BrokenFileException.refused(
                        "S3 does not give the object (" + error + ") and gives others: allow the application's role to read"
                                + " it and to use its KMS key, which has to be enabled, and copy it to a new key");
            }
            return failure(file, refused);
        }
    }
}
