package realtime.analytics.fuzz;

import com.code_intelligence.jazzer.api.FuzzedDataProvider;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** Makes foreign bytes that are nearly right: JSON of the names and kinds of values that the readers look for, then damaged. */
public final class Foreign {
    private static final String[] LITERALS = {"true", "false", "null", "NaN", "Infinity", "-", "tru", "nul", "", "01", "+1"};
    private static final String[] TIMES = {
        "2026-11-23T10:20:30Z",
        "2026-11-23 10:20:30.123456789+09:00",
        "2026-11-23T10:20 UTC",
        "1969-12-31T23:59:59Z",
        "9999-12-31T23:59:59.999-18:00",
        "2026-02-30T00:00:00Z"
    };
    private static final String[] ESCAPES = {"\\u0000", "\\ud83d\\ude00", "\\ud800", "\\udc00\\ud800", "\\n", "\\x", "\\u12", "\\\"", "\\\\"};
    private static final byte[] MARK = {(byte) 0xef, (byte) 0xbb, (byte) 0xbf};
    /** Nothing is made larger than this; the limits of size have tests of their own. */
    private static final int MOST_CHARS = 20_000;

    private final FuzzedDataProvider data;
    private final String[] names;
    private final StringBuilder text = new StringBuilder();

    private Foreign(FuzzedDataProvider data, String[] names) {
        this.data = data;
        this.names = names;
    }

    /** One object whose fields have these names, mostly, or what is left of it. */
    public static byte[] object(FuzzedDataProvider data, String... names) {
        Foreign made = new Foreign(data, names);
        made.object(0);
        return damaged(data, made.text.toString().getBytes(StandardCharsets.UTF_8));
    }

    /** The bytes, or some of them changed, left out, repeated, or with a mark in front. */
    public static byte[] damaged(FuzzedDataProvider data, byte[] whole) {
        byte[] bytes = whole;
        for (int damages = data.consumeInt(-6, 3); damages > 0 && bytes.length > 0; damages--) {
            int at = data.consumeInt(0, bytes.length - 1);
            switch (data.consumeInt(0, 4)) {
                case 0:
                    bytes[at] = data.consumeByte();
                    break;
                case 1:
                    bytes = Arrays.copyOf(bytes, at);
                    break;
                case 2:
                    bytes = join(Arrays.copyOf(bytes, at), data.consumeBytes(8), Arrays.copyOfRange(bytes, at, bytes.length));
                    break;
                case 3:
                    bytes = join(bytes, Arrays.copyOfRange(bytes, at, bytes.length));
                    break;
                default:
                    bytes = join(MARK, bytes);
                    break;
            }
        }
        return bytes;
    }

    public static byte[] join(byte[]... parts) {
        int length = Arrays.stream(parts).mapToInt(part -> part.length).sum();
        byte[] whole = new byte[length];
        int at = 0;
        for (byte[] part : parts) {
            System.arraycopy(part, 0, whole, at, part.length);
            at += part.length;
        }
        return whole;
    }

    private void object(int depth) {
        text.append('{');
        int fields = data.consumeInt(0, depth == 0 ? names.length + 3 : 3);
        for (int i = 0; i < fields && text.length() < MOST_CHARS; i++) {
            text.append(i == 0 ? "" : ",").append('"');
            boolean known = depth == 0 && data.consumeInt(0, 7) > 0;
            text.append(known ? names[(i + data.consumeInt(0, 1)) % names.length] : data.consumeString(12)).append("\":");
            value(depth + 1);
        }
        text.append('}');
    }

    private void value(int depth) {
        switch (data.consumeInt(0, 9)) {
            case 0:
                text.append(data.consumeLong());
                break;
            case 1:
                text.append(data.consumeDouble());
                break;
            case 2:
                text.append(data.consumeLong(1_795_420_000_000L, 1_795_430_000_000L));
                break;
            case 3:
                number();
                break;
            case 4:
                text.append(data.pickValue(LITERALS));
                break;
            case 5:
                nested(depth);
                break;
            case 6:
                text.append('"').append(data.pickValue(TIMES)).append('"');
                break;
            case 7:
                text.append('"').append(data.pickValue(ESCAPES)).append(data.consumeString(4)).append('"');
                break;
            case 8:
                text.append('"').append("x".repeat(data.consumeInt(0, 300))).append('"');
                break;
            default:
                text.append('"').append(data.consumeAsciiString(8)).append('"');
                break;
        }
    }

    private void number() {
        String digits = Integer.toString(data.consumeInt(0, 9)).repeat(data.consumeInt(1, 1100));
        text.append(data.consumeBoolean() ? "-" : "").append(digits);
        text.append(data.consumeBoolean() ? "." + data.consumeInt(0, Integer.MAX_VALUE) : "");
        text.append(data.consumeBoolean() ? "e" + data.consumeInt() : "");
    }

    private void nested(int depth) {
        if (data.consumeInt(0, 3) == 0) {
            int deep = data.consumeInt(1, 130);
            text.append("[".repeat(deep)).append("]".repeat(data.consumeBoolean() ? deep : deep - 1));
        } else if (depth < 6 && text.length() < MOST_CHARS) {
            object(depth);
        } else {
            text.append("[1,{}]");
        }
    }
}
