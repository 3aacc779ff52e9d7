package realtime.analytics.intake;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CoderResult;
import java.nio.charset.StandardCharsets;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.core.JsonFactory;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.core.JsonParser;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.core.JsonToken;

/**
 * Reads one JSON object from foreign bytes, in time and memory that are bounded by the number of bytes. Every place that
 * reads foreign JSON uses it.
 *
 * <p>The bytes are decoded here, so the parser never guesses a charset (it takes early zeros for UTF-16 or 32, and fails
 * on them with exceptions of its own). Field names are not canonicalized: the parser's symbol table is shared between
 * records and throws IllegalStateException on many colliding names. The limits are those of contracts/events.py.
 *
 * <p>Keeps a buffer between calls: one instance a thread.
 */
public final class BoundedJson {
    /** Objects and arrays within each other. */
    static final int MAX_DEPTH = 100;
    /** Names of fields in the whole object, nested ones included. */
    static final int MAX_FIELDS = 2_000;
    /** Characters of a number. */
    static final int MAX_NUMBER_LENGTH = 1_000;

    /** Larger buffers are not kept between records. */
    private static final int KEPT_CHARS = 1 << 20;
    private static final char BYTE_ORDER_MARK = '\ufeff';

    /** Takes the fields of the object itself, in their order; nested ones are only checked. */
    public interface Fields {
        /** @param value stands on the field's value; to be read, not moved. */
        void field(String name, JsonParser value) throws IOException;
    }

    private final JsonFactory json =
            JsonFactory.builder().disable(JsonFactory.Feature.CANONICALIZE_FIELD_NAMES).build();
    private final CharsetDecoder utf8 = StandardCharsets.UTF_8.newDecoder();
    private final int maxBytes;
    private char[] buffer = new char[1024];

    /** @param maxBytes of the whole text. */
    public BoundedJson(int maxBytes) {
        this.maxBytes = maxBytes;
    }

    /**
     * Reads the object. A byte order mark in front of it is passed over.
     *
     * @throws MalformedException when the text is anything but one JSON object in UTF-8 within the limits; some fields may
     *     have been given before.
     */
    public void read(byte[] text, Fields fields) throws MalformedException {
        if (text.length == 0) {
            throw new MalformedException("the record is empty");
        }
        if (text.length > maxBytes) {
            throw new MalformedException("the record has " + text.length + " bytes, at most " + maxBytes + " are read");
        }
        CharBuffer chars = decoded(text);
        int start = chars.limit() > 0 && chars.get(0) == BYTE_ORDER_MARK ? 1 : 0;
        try (JsonParser parser = json.createParser(chars.array(), start, chars.limit() - start)) {
            read(parser, fields);
        } catch (IOException broken) {
            throw new MalformedException("the record is not valid JSON");
        }
    }

    private CharBuffer decoded(byte[] text) throws MalformedException {
        char[] chars = buffer;
        if (chars.length < text.length) {
            // A byte gives one character at most.
            chars = new char[Math.max(text.length, Math.min(2 * chars.length, KEPT_CHARS))];
            buffer = chars.length <= KEPT_CHARS ? chars : buffer;
        }
        CharBuffer target = CharBuffer.wrap(chars);
        CoderResult result = utf8.reset().decode(ByteBuffer.wrap(text), target, true);
        if (!result.isUnderflow()) {
            throw new MalformedException("the record is not valid UTF-8");
        }
        target.flip();
        return target;
    }

    private static void read(JsonParser parser, Fields fields) throws IOException, MalformedException {
        if (parser.nextToken() != JsonToken.START_OBJECT) {
            throw new MalformedException("the record is not a JSON object");
        }
        int names = 0;
        String name;
        while ((name = parser.nextFieldName()) != null) {
            names = counted(names);
            JsonToken value = parser.nextToken();
            if (value.isStructStart()) {
                fields.field(name, parser);
                names = skip(parser, names);
            } else {
                check(parser, value);
                fields.field(name, parser);
            }
        }
        if (parser.currentToken() != JsonToken.END_OBJECT || parser.nextToken() != null) {
            throw new MalformedException("the record holds more than one JSON object");
        }
    }

    /** Goes to the end of the object or array, which is the first within the record. */
    private static int skip(JsonParser parser, int before) throws IOException, MalformedException {
        int names = before;
        int depth = 2;
        while (depth > 1) {
            JsonToken token = parser.nextToken();
            if (token.isStructStart()) {
                if (++depth > MAX_DEPTH) {
                    throw new MalformedException("the record nests more than " + MAX_DEPTH + " objects and arrays");
                }
            } else if (token.isStructEnd()) {
                depth--;
            } else if (token == JsonToken.FIELD_NAME) {
                names = counted(names);
            } else {
                check(parser, token);
            }
        }
        return names;
    }

    private static int counted(int names) throws MalformedException {
        if (names == MAX_FIELDS) {
            throw new MalformedException("the record has more than " + MAX_FIELDS + " fields");
        }
        return names + 1;
    }

    private static void check(JsonParser parser, JsonToken token) throws IOException, MalformedException {
        if (token.isNumeric() && parser.getTextLength() > MAX_NUMBER_LENGTH) {
            throw new MalformedException("the record has a number of more than " + MAX_NUMBER_LENGTH + " characters");
        }
    }
}
