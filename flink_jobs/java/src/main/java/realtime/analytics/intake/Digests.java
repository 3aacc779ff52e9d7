package realtime.analytics.intake;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;

/** Ids that are pure functions of what they name; contracts/identity.py computes the same. */
public final class Digests {
    private static final char[] HEX = "0123456789abcdef".toCharArray();
    private static final int BYTES = 16;
    private static final char SEPARATOR = '\u001f';
    private static final char ESCAPE = '\u001e';

    /** One a thread: to look one up costs as much as to digest a payload. */
    private static final ThreadLocal<MessageDigest> SHA_256 = ThreadLocal.withInitial(Digests::newSha256);

    private Digests() {}

    private static MessageDigest newSha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException impossible) {
            throw new IllegalStateException("every Java platform has SHA-256", impossible);
        }
    }

    /** The first 128 bits of SHA-256, in hex. */
    static String sha256(byte[] bytes) {
        byte[] digest = SHA_256.get().digest(bytes);
        char[] text = new char[2 * BYTES];
        for (int i = 0; i < BYTES; i++) {
            text[2 * i] = HEX[(digest[i] >> 4) & 15];
            text[2 * i + 1] = HEX[digest[i] & 15];
        }
        return new String(text);
    }

    /**
     * Id of a result: its type, and the digest of type, window (epoch milliseconds) and key. A text ahead of another part
     * is escaped, so that it holds no separator and two keys never give the same bytes.
     */
    public static String resultId(String type, long start, long end, Object... key) {
        StringBuilder text = new StringBuilder(type).append(SEPARATOR).append(start).append(SEPARATOR).append(end);
        for (int i = 0; i < key.length; i++) {
            text.append(SEPARATOR).append(i < key.length - 1 ? escaped(key[i].toString()) : key[i]);
        }
        return type + "-" + sha256(text.toString().getBytes(StandardCharsets.UTF_8));
    }

    private static String escaped(String part) {
        if (part.indexOf(SEPARATOR) < 0 && part.indexOf(ESCAPE) < 0) {
            return part;
        }
        return part.replace(String.valueOf(ESCAPE), ESCAPE + "0").replace(String.valueOf(SEPARATOR), ESCAPE + "1");
    }
}
