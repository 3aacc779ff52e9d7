package realtime.analytics.sink;

import java.nio.charset.StandardCharsets;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.streaming.api.datastream.DataStream;

/** A JSON document in UTF-8 and the partition key that keeps the documents of one subject in order. A Flink POJO. */
public class KeyedJson {
    public String key;
    /** Bytes, because Flink copies them at once; a text goes through its serializer character by character. */
    public byte[] json;

    public KeyedJson() {}

    KeyedJson(String key, String json) {
        this.key = key;
        this.json = json.getBytes(StandardCharsets.UTF_8);
    }

    String text() {
        return new String(json, StandardCharsets.UTF_8);
    }

    /** The documents' texts, for tests that collect. */
    public static DataStream<String> texts(DataStream<KeyedJson> documents) {
        return documents.map(KeyedJson::text).returns(Types.STRING).name("texts").uid("texts");
    }
}
