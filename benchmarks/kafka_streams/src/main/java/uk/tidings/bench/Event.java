package uk.tidings.bench;

import org.apache.avro.Schema;
import org.apache.avro.generic.IndexedRecord;

/** Where the fields of an event stand, looked up once. */
final class Event {
    final int eventId;
    final int change;
    final int recordVersion;
    final int supersedes;
    final int recordedAt;
    final int occurredOn;
    final int deceased;
    final int residence;
    final int cause;
    final int district;
    final int names;
    final int sex;
    final int birth;
    final int postcode;
    final int year;
    final int month;
    private final int recordId;
    private final int source;
    private final int agency;
    private final int subject;
    private final int scheme;
    private final int value;

    Event(Schema schema) {
        eventId = at(schema, "event_id");
        change = at(schema, "change");
        recordId = at(schema, "record_id");
        recordVersion = at(schema, "record_version");
        supersedes = at(schema, "supersedes");
        recordedAt = at(schema, "recorded_at");
        occurredOn = at(schema, "occurred_on");
        source = at(schema, "source");
        agency = at(below(schema, "source"), "agency");
        subject = at(schema, "subject");
        scheme = at(below(schema, "subject"), "scheme");
        value = at(below(schema, "subject"), "value");
        deceased = at(schema, "deceased");
        names = at(below(schema, "deceased"), "names");
        sex = at(below(schema, "deceased"), "sex");
        birth = at(below(schema, "deceased"), "date_of_birth");
        residence = at(schema, "usual_residence");
        postcode = at(below(schema, "usual_residence"), "postcode");
        cause = at(schema, "cause_of_death");
        district = at(schema, "registration_district");
        year = at(below(schema, "occurred_on"), "year");
        month = at(below(schema, "occurred_on"), "month");
    }

    String scheme(IndexedRecord event) {
        return ((IndexedRecord) event.get(subject)).get(scheme).toString();
    }

    String subject(IndexedRecord event) {
        return ((IndexedRecord) event.get(subject)).get(value).toString();
    }

    String agency(IndexedRecord event) {
        return ((IndexedRecord) event.get(source)).get(agency).toString();
    }

    String recordId(IndexedRecord event) {
        return event.get(recordId).toString();
    }

    static int at(Schema schema, String name) {
        return schema.getField(name).pos();
    }

    /** The record in a field that may be null. */
    static Schema below(Schema schema, String name) {
        Schema found = schema.getField(name).schema();
        return found.getType() == Schema.Type.UNION ? found.getTypes().get(1) : found;
    }
}
