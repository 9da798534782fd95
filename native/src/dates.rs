//! Dates as `tidings.partial_dates` and the mask `generalise` read them, for what needs no table of time zones.

pub const DAY_MS: i64 = 86_400_000;
const FIRST_MS: i64 = -62_135_596_800_000;
const LAST_MS: i64 = 253_402_300_799_999;

/// 0001-01-01 to 9999-12-31.
pub fn in_time(ms: i64) -> bool {
    (FIRST_MS..=LAST_MS).contains(&ms)
}

/// A date as far as its source knows it. `exact` is false where a time, a zone or words stand beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Partial {
    pub year: i64,
    pub month: Option<i64>,
    pub day: Option<i64>,
    pub exact: bool,
}

impl Partial {
    /// `tidings.partial_dates.exists`, for a date without a time.
    pub fn exists(&self) -> bool {
        if !(1..=9999).contains(&self.year) {
            return false;
        }
        match (self.month, self.day) {
            (None, day) => day.is_none(),
            (Some(month), None) => (1..=12).contains(&month),
            (Some(month), Some(day)) => {
                (1..=12).contains(&month) && (1..=days_in_month(self.year, month)).contains(&day)
            }
        }
    }

    /// First and last millisecond of a date that exists, read in UTC.
    pub fn bounds(&self) -> (i64, i64) {
        let (first, last) = match (self.month, self.day) {
            (None, _) => (days(self.year, 1, 1), days(self.year, 12, 31)),
            (Some(month), None) => (days(self.year, month, 1), days(self.year, month, days_in_month(self.year, month))),
            (Some(month), Some(day)) => {
                let at = days(self.year, month, day);
                (at, at)
            }
        };
        (first * DAY_MS, (last + 1) * DAY_MS - 1)
    }
}

pub fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        _ => 31,
    }
}

/// Days since 1970-01-01 in the proleptic Gregorian calendar.
/// Source: H. Hinnant, "chrono-Compatible Low-Level Date Algorithms", days_from_civil.
pub fn days(year: i64, month: i64, day: i64) -> i64 {
    let y = if month <= 2 { year - 1 } else { year };
    let era = y.div_euclid(400);
    let yoe = y.rem_euclid(400);
    let doy = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
    era * 146_097 + doe - 719_468
}

/// Year and month of a day since 1970. Source: as `days`, civil_from_days.
pub fn year_month(day: i64) -> (i64, i64) {
    let z = day + 719_468;
    let era = z.div_euclid(146_097);
    let doe = z.rem_euclid(146_097);
    let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let month = if mp < 10 { mp + 3 } else { mp - 9 };
    (yoe + era * 400 + i64::from(month <= 2), month)
}

fn digits(text: &[u8]) -> Option<i64> {
    text.iter().try_fold(0i64, |made, b| b.is_ascii_digit().then(|| made * 10 + i64::from(b - b'0')))
}

/// `YYYY`, `YYYY-MM` or `YYYY-MM-DD`; None for everything else, a date with a time included.
pub fn from_text(text: &[u8]) -> Option<Partial> {
    if !matches!(text.len(), 4 | 7 | 10) {
        return None;
    }
    let year = digits(&text[..4])?;
    let month = if text.len() > 4 { Some((text[4] == b'-').then(|| digits(&text[5..7]))??) } else { None };
    let day = if text.len() > 7 { Some((text[7] == b'-').then(|| digits(&text[8..10]))??) } else { None };
    Some(Partial { year, month, day, exact: true })
}

/// The mask `generalise`: year and month of a whole ISO 8601 date, whatever follows after `T` or a space.
pub fn iso_year_month(text: &[u8]) -> Option<(i64, i64)> {
    if text.len() < 10 || text[4] != b'-' || text[7] != b'-' {
        return None;
    }
    let (year, month, day) = (digits(&text[..4])?, digits(&text[5..7])?, digits(&text[8..10])?);
    let ends = text.len() == 10 || matches!(text[10], b'T' | b' ');
    ((1..=12).contains(&month) && (1..=31).contains(&day) && ends).then_some((year, month))
}

/// The mask `generalise`: area and district of a whole postcode. The text is ASCII.
pub fn postcode(text: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    let whole = crate::text::strip(text).to_ascii_uppercase();
    if whole.len() < 5 {
        return None;
    }
    let (outward, inward) = whole.split_at(whole.len() - 3);
    let outward = &outward[..outward.iter().rposition(|b| *b != b' ').map_or(0, |last| last + 1)];
    let sound = inward[0].is_ascii_digit() && inward[1].is_ascii_uppercase() && inward[2].is_ascii_uppercase();
    let letters = outward.iter().take_while(|b| b.is_ascii_uppercase()).count();
    let rest = &outward[letters.min(outward.len())..];
    let district = matches!(rest, [first] if first.is_ascii_digit())
        || matches!(rest, [first, second] if first.is_ascii_digit()
            && (second.is_ascii_digit() || second.is_ascii_uppercase()));
    (sound && (1..=2).contains(&letters) && district).then(|| (outward[..letters].to_vec(), outward.to_vec()))
}
