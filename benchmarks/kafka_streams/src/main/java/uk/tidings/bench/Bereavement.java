package uk.tidings.bench;

import com.fasterxml.jackson.databind.JsonNode;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.IndexedRecord;
import org.apache.avro.util.Utf8;

/** The year of birth only, and the postcode. */
final class Bereavement extends View {
    private final GenericData.Record deceased = part("deceased");
    private final GenericData.Record residence = part("usual_residence");
    private final int names = Event.at(deceased.getSchema(), "names");
    private final int birth = Event.at(deceased.getSchema(), "date_of_birth");
    private final int postcode = Event.at(residence.getSchema(), "postcode");
    private final int recordedAt = at("recorded_at");
    private final int occurredOn = at("occurred_on");
    private final int subjectAt = at("subject");
    private final int deceasedAt = at("deceased");
    private final int residenceAt = at("usual_residence");

    Bereavement(JsonNode view, JsonNode task, Event event) {
        super(view, task, event);
    }

    @Override
    void fill(IndexedRecord given, byte[] subject) {
        IndexedRecord person = (IndexedRecord) given.get(event.deceased);
        IndexedRecord born = (IndexedRecord) person.get(event.birth);
        IndexedRecord home = (IndexedRecord) given.get(event.residence);
        made.put(recordedAt, given.get(event.recordedAt));
        made.put(occurredOn, given.get(event.occurredOn));
        made.put(subjectAt, new Utf8(subject));
        deceased.put(names, person.get(event.names));
        deceased.put(birth, born == null ? null : born.get(event.year));
        made.put(deceasedAt, deceased);
        residence.put(postcode, home == null ? null : home.get(event.postcode));
        made.put(residenceAt, home == null ? null : residence);
    }
}
