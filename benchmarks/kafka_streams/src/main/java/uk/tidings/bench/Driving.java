package uk.tidings.bench;

import com.fasterxml.jackson.databind.JsonNode;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.IndexedRecord;

/** The whole birthday, and the first three characters of the postcode. */
final class Driving extends View {
    private final GenericData.Record deceased = part("deceased");
    private final GenericData.Record residence = part("usual_residence");
    private final int names = Event.at(deceased.getSchema(), "names");
    private final int birth = Event.at(deceased.getSchema(), "date_of_birth");
    private final int postcode = Event.at(residence.getSchema(), "postcode");
    private final int recordedAt = at("recorded_at");
    private final int occurredOn = at("occurred_on");
    private final int deceasedAt = at("deceased");
    private final int residenceAt = at("usual_residence");

    Driving(JsonNode view, JsonNode task, Event event) {
        super(view, task, event);
    }

    @Override
    void fill(IndexedRecord given, byte[] subject) {
        IndexedRecord person = (IndexedRecord) given.get(event.deceased);
        IndexedRecord home = (IndexedRecord) given.get(event.residence);
        made.put(recordedAt, given.get(event.recordedAt));
        made.put(occurredOn, given.get(event.occurredOn));
        deceased.put(names, person.get(event.names));
        deceased.put(birth, person.get(event.birth));
        made.put(deceasedAt, deceased);
        Object code = home == null ? null : home.get(event.postcode);
        residence.put(postcode, code == null ? null : text(firstThree(code.toString())));
        made.put(residenceAt, home == null ? null : residence);
    }

    private static String firstThree(String code) {
        return code.length() > 5 ? code.substring(0, 3) + "*".repeat(code.length() - 3) : "*".repeat(code.length());
    }
}
