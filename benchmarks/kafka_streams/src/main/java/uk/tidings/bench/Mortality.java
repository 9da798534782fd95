package uk.tidings.bench;

import com.fasterxml.jackson.databind.JsonNode;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.IndexedRecord;
import org.apache.avro.util.Utf8;

/** Months and decades, the area of the postcode. */
final class Mortality extends View {
    private static final Pattern POSTCODE = Pattern.compile("([A-Z]{1,2})[0-9][0-9A-Z]? *[0-9][A-Z]{2}");

    private final GenericData.Record deceased = part("deceased");
    private final GenericData.Record residence = part("usual_residence");
    private final int sex = Event.at(deceased.getSchema(), "sex");
    private final int birth = Event.at(deceased.getSchema(), "date_of_birth");
    private final int postcode = Event.at(residence.getSchema(), "postcode");
    private final int recordedAt = at("recorded_at");
    private final int occurredOn = at("occurred_on");
    private final int subjectAt = at("subject");
    private final int deceasedAt = at("deceased");
    private final int residenceAt = at("usual_residence");
    private final int causeAt = at("cause_of_death");
    private final int districtAt = at("registration_district");

    Mortality(JsonNode view, JsonNode task, Event event) {
        super(view, task, event);
    }

    @Override
    void fill(IndexedRecord given, byte[] subject) {
        IndexedRecord person = (IndexedRecord) given.get(event.deceased);
        IndexedRecord born = (IndexedRecord) person.get(event.birth);
        IndexedRecord on = (IndexedRecord) given.get(event.occurredOn);
        IndexedRecord home = (IndexedRecord) given.get(event.residence);
        Long recorded = (Long) given.get(event.recordedAt);
        made.put(recordedAt, recorded == null ? null : month(recorded));
        made.put(occurredOn, on == null ? null : month(number(on, event.year), number(on, event.month)));
        made.put(subjectAt, new Utf8(subject));
        deceased.put(sex, person.get(event.sex));
        deceased.put(birth, born == null ? null : (Object) (number(born, event.year) / 10 * 10));
        made.put(deceasedAt, deceased);
        Object code = home == null ? null : home.get(event.postcode);
        residence.put(postcode, code == null ? null : area(code.toString()));
        made.put(residenceAt, home == null ? null : residence);
        made.put(causeAt, given.get(event.cause));
        made.put(districtAt, given.get(event.district));
    }

    private static Utf8 month(long recorded) {
        LocalDate day = LocalDate.ofInstant(Instant.ofEpochMilli(recorded), ZoneOffset.UTC);
        return month(day.getYear(), day.getMonthValue());
    }

    private static Utf8 month(int year, int month) {
        return text((10_000 + year + "").substring(1) + "-" + (100 + month + "").substring(1));
    }

    private static Utf8 area(String code) {
        Matcher found = POSTCODE.matcher(code);
        return found.matches() ? text(found.group(1)) : null;
    }
}
