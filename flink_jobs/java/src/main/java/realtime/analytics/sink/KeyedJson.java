package realtime.analytics.sink;

import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.streaming.api.datastream.DataStream;

/** A JSON document and the partition key that keeps the documents of one subject in order. A Flink POJO. */
public class KeyedJson {
    public String key;
    public String json;

    public KeyedJson() {}

    KeyedJson(String key, String json) {
        this.key = key;
        this.json = json;
    }

    /** The documents' texts, for sinks that take strings: files, and tests that collect. */
    public static DataStream<String> texts(DataStream<KeyedJson> documents) {
        return documents.map(document -> document.json).returns(Types.STRING).name("texts").uid("texts");
    }
}
