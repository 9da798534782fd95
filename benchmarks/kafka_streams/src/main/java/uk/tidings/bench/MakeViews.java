package uk.tidings.bench;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericDatumReader;
import org.apache.avro.generic.IndexedRecord;
import org.apache.avro.io.BinaryDecoder;
import org.apache.avro.io.DecoderFactory;
import org.apache.avro.specific.SpecificDatumReader;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;

/** Decodes an event once and forwards one record a view. The event's record is used again for the next event. */
final class MakeViews implements Processor<byte[], byte[], byte[], byte[]> {
    private static final int FRAME_BYTES = 5;

    private final GenericDatumReader<IndexedRecord> reader;
    private final Event event;
    private final List<View> views = new ArrayList<>();
    private ProcessorContext<byte[], byte[]> context;
    private BinaryDecoder decoder;
    private IndexedRecord decoded;

    MakeViews(JsonNode task) {
        Schema schema = new Schema.Parser().parse(task.get("event_schema").toString());
        reader = Boolean.getBoolean("bench.specific")
            ? new SpecificDatumReader<>(schema)
            : new GenericDatumReader<>(schema);
        event = new Event(schema);
        task.get("views").forEach(view -> views.add(View.of(view, task, event)));
    }

    @Override
    public void init(ProcessorContext<byte[], byte[]> given) {
        context = given;
    }

    @Override
    public void process(Record<byte[], byte[]> record) {
        try {
            byte[] value = record.value();
            decoder = DecoderFactory.get().binaryDecoder(value, FRAME_BYTES, value.length - FRAME_BYTES, decoder);
            decoded = reader.read(decoded, decoder);
            String scheme = event.scheme(decoded);
            String subject = event.subject(decoded);
            byte[] named = framed(scheme, scheme.equals("nhs_number") ? subject : subject.toLowerCase(Locale.ROOT));
            byte[] recorded = framed(event.agency(decoded), event.recordId(decoded));
            for (View view : views) {
                byte[] key = view.subject(named);
                byte[] made = view.make(decoded, key, recorded);
                context.forward(new Record<>(key, made, record.timestamp()), view.feed);
            }
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        }
    }

    private static byte[] framed(String name, String value) {
        byte[] first = name.getBytes(StandardCharsets.UTF_8);
        byte[] second = value.getBytes(StandardCharsets.UTF_8);
        return ByteBuffer.allocate(4 + first.length + second.length)
            .putInt(first.length).put(first).put(second).array();
    }
}
