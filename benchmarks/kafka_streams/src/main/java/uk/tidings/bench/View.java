package uk.tidings.bench;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericDatumWriter;
import org.apache.avro.generic.IndexedRecord;
import org.apache.avro.io.BinaryEncoder;
import org.apache.avro.io.EncoderFactory;
import org.apache.avro.util.Utf8;

/** What all three views have in common: the head, derived ids, the frame. */
abstract class View {
    /** Every union of a view is of null and one type: nothing has to be looked for. */
    private static final class Nullable extends GenericData {
        @Override
        public int resolveUnion(Schema union, Object datum) {
            return datum == null ? 0 : 1;
        }

        @Override
        protected boolean isEnum(Object datum) {
            return datum instanceof Enum || super.isEnum(datum);
        }
    }

    final String feed;
    final Event event;
    final GenericData.Record made;
    final Schema schema;
    private final GenericDatumWriter<IndexedRecord> writer;
    private final ByteArrayOutputStream out = new ByteArrayOutputStream(512);
    private final Derive derive;
    private final byte[] frame;
    private final int[] head;
    private BinaryEncoder encoder;
    private long sequence;

    View(JsonNode view, JsonNode task, Event event) {
        this.event = event;
        feed = view.get("feed").asText();
        schema = new Schema.Parser().parse(view.get("schema").toString());
        writer = new GenericDatumWriter<>(schema, new Nullable());
        made = new GenericData.Record(schema);
        derive = new Derive(view.get("keys"), task.get("key_version").asInt());
        frame = ByteBuffer.allocate(5).put((byte) 0).putInt(view.get("schema_id").asInt()).array();
        String[] names = {"sequence", "event_id", "change", "record_id", "record_version", "supersedes"};
        head = new int[names.length];
        for (int number = 0; number < names.length; number++) {
            head[number] = at(names[number]);
        }
        made.put("kind", new GenericData.EnumSymbol(schema.getField("kind").schema(), "LIVE"));
        made.put("policy_version", task.get("policy_version").asLong());
    }

    static View of(JsonNode view, JsonNode task, Event event) {
        String agreement = view.get("agreement").asText();
        switch (agreement) {
            case "bereavement-benefits": return new Bereavement(view, task, event);
            case "driving-licence-closure": return new Driving(view, task, event);
            case "mortality-statistics": return new Mortality(view, task, event);
            default: throw new IllegalArgumentException(agreement);
        }
    }

    /** The subject's pseudonym in this feed, which is its key, too. */
    byte[] subject(byte[] named) {
        return derive.subject(named);
    }

    byte[] make(IndexedRecord given, byte[] subject, byte[] recorded) throws IOException {
        made.put(head[0], ++sequence);
        made.put(head[1], derive.uuid(given.get(event.eventId).toString()));
        made.put(head[2], given.get(event.change));
        made.put(head[3], new Utf8(derive.record(recorded)));
        made.put(head[4], given.get(event.recordVersion));
        Object superseded = given.get(event.supersedes);
        made.put(head[5], superseded == null ? null : derive.uuid(superseded.toString()));
        fill(given, subject);
        out.reset();
        out.write(frame, 0, frame.length);
        encoder = EncoderFactory.get().binaryEncoder(out, encoder);
        writer.write(made, encoder);
        encoder.flush();
        return out.toByteArray();
    }

    /** The agreement's own part. */
    abstract void fill(IndexedRecord given, byte[] subject);

    int at(String name) {
        return Event.at(schema, name);
    }

    GenericData.Record part(String name) {
        return new GenericData.Record(Event.below(schema, name));
    }

    static int number(IndexedRecord record, int position) {
        return (Integer) record.get(position);
    }

    static Utf8 text(String text) {
        return new Utf8(text.getBytes(StandardCharsets.UTF_8));
    }
}
