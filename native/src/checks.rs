//! Whether an event surely passes a check, on the noted places. A proof, never a verdict: what is not proven here is
//! judged by Python's `tidings.checks` on the decoded event, so an unknown check costs time and never a finding.

mod same_subject;

use hashbrown::HashSet;
use regex::bytes::Regex;
use serde_json::Value;

use crate::avro::{fields_at, Body, items_at, long_at, skip, slice_at, Type, Types, Unsupported};
use crate::dates::{from_text, Partial, DAY_MS};
use crate::filters::{number_at, wanted, Wanted};
use crate::program::CheckRow;
use crate::scan::{Places, Scanner};
use crate::text::is_space;

const PATTERN_MAX_CHARACTERS: usize = 1_000;
/// The scheme whose checksum is proven here.
const NHS_NUMBER: &[u8] = b"nhs_number";

/// A noted place: its slot and the type of a value there.
#[derive(Clone, Copy)]
struct Spot {
    slot: usize,
    row: usize,
}

/// A record with a scheme and a value, and which of its fields they are.
struct Named {
    spot: Spot,
    scheme: usize,
    value: usize,
}

/// How a date is written at a place.
#[derive(Clone, Copy)]
enum Dated {
    Record([usize; 5]),
    Text,
    Instant,
}

enum Rule {
    /// The set has the schemes that have a checksum.
    Identifier(Vec<Named>, HashSet<Vec<u8>>),
    IdentifierText(Vec<Spot>),
    Exists(Vec<(Spot, Dated)>),
    NotFuture(Vec<(Spot, Dated)>),
    NotSpreadsheet(Vec<(Spot, Dated)>),
    Order { around: Option<Spot>, first: Place, then: Place },
    Codes(Vec<Spot>, HashSet<Vec<u8>>),
    Symbols(Vec<Spot>, Vec<bool>),
    Pattern(Vec<Spot>, Regex),
    Same(same_subject::Same),
    Required { spots: Vec<Spot>, unless: Vec<usize>, when: Option<(Spot, Option<Wanted>)> },
    Unproven,
}

/// One end of `date_order`: noted by itself, or a way inside each element of `around`.
struct Place {
    spot: Spot,
    inside: Vec<String>,
    dated: Dated,
}

pub struct Check {
    rule: Rule,
    pub of_head: bool,
}

/// What every proof reads.
pub struct Event<'a> {
    pub types: &'a Types,
    pub body: &'a Body<'a>,
    pub places: &'a Places,
    pub change: usize,
    pub now_ms: i64,
}

impl Check {
    pub fn new(row: &CheckRow, types: &Types, scanner: &mut Scanner) -> Check {
        // What cannot be proven natively is not refused: it is judged elsewhere.
        let rule = rule(row, types, scanner).unwrap_or(Rule::Unproven);
        Check { rule, of_head: row.of_head }
    }

    pub fn unproven(&self) -> bool {
        matches!(self.rule, Rule::Unproven)
    }

    pub fn surely_passes(&self, event: &Event) -> bool {
        match &self.rule {
            Rule::Unproven => false,
            Rule::Identifier(places, checked) => {
                places.iter().all(|place| event.each(place.spot, |at| identifier(event, place, checked, at)))
            }
            Rule::IdentifierText(spots) => spots
                .iter()
                .all(|spot| event.each(*spot, |at| is_nhs_number(slice_at(event.body, &mut { at })))),
            Rule::Exists(spots) => each_date(event, spots, |date| match date {
                Date::Day(partial) => partial.exact && partial.exists(),
                _ => false,
            }),
            Rule::NotFuture(spots) => each_date(event, spots, |date| not_future(date, event.now_ms)),
            Rule::NotSpreadsheet(spots) => each_date(event, spots, |date| match date {
                Date::Day(partial) => partial.exists() && (partial.day.is_none() || partial.year != 1905),
                _ => false,
            }),
            Rule::Order { around, first, then } => in_order(event, *around, first, then),
            Rule::Codes(spots, codes) => spots
                .iter()
                .all(|spot| event.each(*spot, |at| codes.contains(slice_at(event.body, &mut { at })))),
            Rule::Symbols(spots, good) => spots.iter().all(|spot| {
                event.each(*spot, |at| good.get(long_at(event.body, &mut { at }) as usize) == Some(&true))
            }),
            Rule::Pattern(spots, pattern) => spots.iter().all(|spot| {
                event.each(*spot, |at| {
                    let text = slice_at(event.body, &mut { at });
                    text.len() <= PATTERN_MAX_CHARACTERS && pattern.is_match(text)
                })
            }),
            Rule::Same(same) => same.surely_holds(event),
            Rule::Required { spots, unless, when } => {
                unless.contains(&event.change)
                    || when.as_ref().is_some_and(|when| !applies(event, when))
                    || spots.iter().all(|spot| {
                        event.places[spot.slot].iter().any(|at| said(event, spot.row, *at as usize))
                    })
            }
        }
    }
}

impl Event<'_> {
    fn each(&self, spot: Spot, holds: impl Fn(usize) -> bool) -> bool {
        self.places[spot.slot].iter().all(|at| holds(*at as usize))
    }
}

fn rule(row: &CheckRow, types: &Types, scanner: &mut Scanner) -> Result<Rule, Unsupported> {
    let spots = |scanner: &mut Scanner| -> Result<Vec<Spot>, Unsupported> {
        row.paths.iter().map(|path| spot(scanner, types, path)).collect()
    };
    let text = |name: &str| row.params.get(name).and_then(Value::as_str).map(str::to_owned);
    match row.check.as_str() {
        "identifier_checksum" => {
            let spots = spots(scanner)?;
            if spots.iter().all(|spot| types.all[spot.row] == Type::Text) {
                return match text("scheme").as_deref() {
                    Some("nhs_number") => Ok(Rule::IdentifierText(spots)),
                    _ => Err(unknown()),
                };
            }
            let named = |spot: Spot| {
                let at = |name: &str| types.field(spot.row, name).filter(|at| is_text(types, types.fields(spot.row)[*at]));
                let (scheme, value) = (at("scheme").ok_or_else(unknown)?, at("value").ok_or_else(unknown)?);
                Ok(Named { spot, scheme, value })
            };
            let places = spots.into_iter().map(named).collect::<Result<_, _>>()?;
            Ok(Rule::Identifier(places, codes_of(row)))
        }
        "date_exists" => dated(types, spots(scanner)?).map(Rule::Exists),
        "date_not_in_future" => dated(types, spots(scanner)?).map(Rule::NotFuture),
        "not_spreadsheet_date" => dated(types, spots(scanner)?).map(Rule::NotSpreadsheet),
        "date_order" => {
            let (first, then) = (text("first").ok_or_else(unknown)?, text("then").ok_or_else(unknown)?);
            order(types, scanner, &first, &then)
        }
        "code_in_list" => {
            let spots = spots(scanner)?;
            let Some(kind) = spots.first().map(|spot| &types.all[spot.row]) else { return Err(unknown()) };
            match kind {
                Type::Text if spots.iter().all(|s| types.all[s.row] == Type::Text) => {
                    Ok(Rule::Codes(spots, codes_of(row)))
                }
                Type::Enum(_) if spots.len() == 1 => {
                    let good = types.rows[spots[0].row].names.iter().map(|name| row.codes.contains(name)).collect();
                    Ok(Rule::Symbols(spots, good))
                }
                _ => Err(unknown()),
            }
        }
        "pattern" => {
            let spots = spots(scanner)?;
            let pattern = regular(&text("pattern").ok_or_else(unknown)?)?;
            if spots.iter().any(|spot| types.all[spot.row] != Type::Text) {
                return Err(unknown());
            }
            Ok(Rule::Pattern(spots, pattern))
        }
        "same_subject" => same_subject::Same::new(&spots(scanner)?, types).map(Rule::Same),
        "required_if" => required(row, types, scanner),
        _ => Err(unknown()),
    }
}

fn codes_of(row: &CheckRow) -> HashSet<Vec<u8>> {
    row.codes.iter().map(|code| code.as_bytes().to_vec()).collect()
}

fn unknown() -> Unsupported {
    Unsupported("a check that is not proven natively".into())
}

fn spot(scanner: &mut Scanner, types: &Types, path: &str) -> Result<Spot, Unsupported> {
    let (slot, row) = scanner.slot(types, path)?;
    Ok(Spot { slot, row })
}

fn is_text(types: &Types, row: usize) -> bool {
    types.all[types.present(row)] == Type::Text
}

fn dated(types: &Types, spots: Vec<Spot>) -> Result<Vec<(Spot, Dated)>, Unsupported> {
    spots.into_iter().map(|spot| Ok((spot, how_dated(types, spot.row)?))).collect()
}

fn how_dated(types: &Types, row: usize) -> Result<Dated, Unsupported> {
    match &types.all[row] {
        Type::Text => Ok(Dated::Text),
        Type::Long => Ok(Dated::Instant),
        Type::Record(fields) => {
            let mut numbers = [0; 5];
            for (number, name) in numbers.iter_mut().zip(["year", "month", "day", "time", "zone"]) {
                *number = types.field(row, name).ok_or_else(unknown)?;
            }
            let whole = |at: usize| types.all[types.present(fields[at])] == Type::Int;
            if numbers[..3].iter().all(|at| whole(*at)) { Ok(Dated::Record(numbers)) } else { Err(unknown()) }
        }
        _ => Err(unknown()),
    }
}

enum Date {
    Day(Partial),
    Instant(i64),
    Unread,
}

fn each_date(event: &Event, spots: &[(Spot, Dated)], holds: impl Fn(Date) -> bool) -> bool {
    spots.iter().all(|(spot, dated)| event.each(*spot, |at| holds(read_date(event, spot.row, *dated, at))))
}

fn read_date(event: &Event, row: usize, dated: Dated, mut at: usize) -> Date {
    match dated {
        Dated::Instant => Date::Instant(long_at(event.body, &mut at)),
        Dated::Text => from_text(slice_at(event.body, &mut at)).map_or(Date::Unread, Date::Day),
        Dated::Record(numbers) => {
            let found = fields_at(event.types, row, event.body, at, numbers);
            let number = |field: usize| found[field].map(|at| long_at(event.body, &mut { at }));
            let exact = found[3].is_none() && found[4].is_none();
            number(0).map_or(Date::Unread, |year| {
                Date::Day(Partial { year, month: number(1), day: number(2), exact })
            })
        }
    }
}

/// The latest that the earliest instant of a date can be, and the earliest that its latest can be; `zoned` of an
/// instant. A time of day and a zone move a date by less than two days forward and one back.
fn bounds(date: &Date) -> Option<(i64, i64, Option<bool>)> {
    match date {
        Date::Instant(ms) => Some((*ms, *ms, Some(true))),
        Date::Day(partial) if partial.exists() => {
            let (first, last) = partial.bounds();
            if partial.exact {
                Some((first, last, Some(false)))
            } else {
                Some((first + 2 * DAY_MS, first - DAY_MS, None))
            }
        }
        _ => None,
    }
}

fn not_future(date: Date, now_ms: i64) -> bool {
    bounds(&date).is_some_and(|(earliest, _, _)| earliest - DAY_MS <= now_ms)
}

fn not_after(first: &Date, then: &Date) -> bool {
    let (Some((earliest, _, one)), Some((_, latest, other))) = (bounds(first), bounds(then)) else { return false };
    let slack = if one.is_some() && other.is_some() && one != other { DAY_MS } else { 0 };
    earliest - slack <= latest
}

fn order(types: &Types, scanner: &mut Scanner, first: &str, then: &str) -> Result<Rule, Unsupported> {
    let (one, other): (Vec<&str>, Vec<&str>) = (first.split('.').collect(), then.split('.').collect());
    let most = one.len().min(other.len()) - 1;
    let same = one.iter().zip(&other).take(most).take_while(|(a, b)| a == b).count();
    let place = |spot: Spot, inside: &[&str]| -> Result<Place, Unsupported> {
        let row = inside_row(types, spot.row, inside)?;
        Ok(Place { spot, inside: inside.iter().map(|s| (*s).to_owned()).collect(), dated: how_dated(types, row)? })
    };
    if same == 0 {
        let (a, b) = (spot(scanner, types, first)?, spot(scanner, types, then)?);
        return Ok(Rule::Order { around: None, first: place(a, &[])?, then: place(b, &[])? });
    }
    let around = spot(scanner, types, &one[..same].join("."))?;
    Ok(Rule::Order { around: Some(around), first: place(around, &one[same..])?, then: place(around, &other[same..])? })
}

fn inside_row(types: &Types, row: usize, inside: &[&str]) -> Result<usize, Unsupported> {
    let mut row = element(types, row);
    for name in inside {
        let at = types.field(row, name).ok_or_else(unknown)?;
        row = element(types, types.fields(row)[at]);
    }
    Ok(row)
}

fn element(types: &Types, row: usize) -> usize {
    match &types.all[row] {
        Type::Array(of) => element(types, *of),
        Type::Union(_) if types.present(row) != row => element(types, types.present(row)),
        _ => row,
    }
}

fn in_order(event: &Event, around: Option<Spot>, first: &Place, then: &Place) -> bool {
    let Some(around) = around else {
        return pairs(
            event,
            first,
            then,
            &event.places[first.spot.slot].iter().map(|at| (first.spot.row, *at as usize)).collect::<Vec<_>>(),
            &event.places[then.spot.slot].iter().map(|at| (then.spot.row, *at as usize)).collect::<Vec<_>>(),
        );
    };
    event.each(around, |at| {
        let (mut firsts, mut thens) = (Vec::new(), Vec::new());
        collect(event, around.row, at, &then.inside, &mut thens);
        if thens.is_empty() {
            return true;
        }
        collect(event, around.row, at, &first.inside, &mut firsts);
        pairs(event, first, then, &firsts, &thens)
    })
}

fn pairs(event: &Event, first: &Place, then: &Place, firsts: &[(usize, usize)], thens: &[(usize, usize)]) -> bool {
    firsts.iter().all(|(row, at)| {
        let one = read_date(event, *row, first.dated, *at);
        thens.iter().all(|(row, at)| not_after(&one, &read_date(event, *row, then.dated, *at)))
    })
}

/// Every value at `inside` of the value at `at`, with its type; arrays fan out, nulls are dropped.
fn collect(event: &Event, row: usize, at: usize, inside: &[String], found: &mut Vec<(usize, usize)>) {
    let (types, b) = (event.types, event.body);
    let mut at = at;
    match &types.all[row] {
        Type::Null => {}
        Type::Union(branches) => {
            let chosen = branches[long_at(b, &mut at) as usize];
            collect(event, chosen, at, inside, found);
        }
        Type::Array(of) => items_at(b, &mut at, |at| {
            collect(event, *of, *at, inside, found);
            skip(types, *of, b, at);
        }),
        Type::Record(fields) if !inside.is_empty() => {
            let Some(wanted) = types.field(row, &inside[0]) else { return };
            for field in &fields[..wanted] {
                skip(types, *field, b, &mut at);
            }
            collect(event, fields[wanted], at, &inside[1..], found);
        }
        _ => {
            if inside.is_empty() {
                found.push((row, at));
            }
        }
    }
}

fn identifier(event: &Event, place: &Named, checked: &HashSet<Vec<u8>>, at: usize) -> bool {
    let found = fields_at(event.types, place.spot.row, event.body, at, [place.scheme, place.value]);
    let [Some(scheme), Some(number)] = found.map(|at| at.map(|at| slice_at(event.body, &mut { at }))) else {
        return true;
    };
    if scheme == NHS_NUMBER { is_nhs_number(number) } else { !checked.contains(scheme) }
}

/// Ten digits of which the last is the modulus 11 check digit. Source: NHS Data Dictionary, NHS NUMBER.
fn is_nhs_number(text: &[u8]) -> bool {
    if text.len() != 10 || !text.iter().all(u8::is_ascii_digit) {
        return false;
    }
    let sum: u32 = text[..9].iter().zip((2..=10).rev()).map(|(b, weight)| u32::from(b - b'0') * weight).sum();
    let check = (11 - sum % 11) % 11;
    check < 10 && check == u32::from(text[9] - b'0')
}

/// A pattern that means the same to both engines: classes, groups, alternatives and counts of ASCII characters.
fn regular(pattern: &str) -> Result<Regex, Unsupported> {
    let known = |c: char| c.is_ascii_alphanumeric() || " []{}()|?*+,-".contains(c);
    // What the two engines read differently: nested classes, possessive counts, a range of one dash.
    let differs = ["--", "(?", "[]", "*+", "++", "?+", "}+"].iter().any(|part| pattern.contains(part));
    let nested = pattern.split(']').any(|part| part.matches('[').count() > 1);
    if !pattern.chars().all(known) || differs || nested {
        return Err(unknown());
    }
    Regex::new(&format!("(?-u)^(?:{pattern})$")).map_err(|_| unknown())
}

fn required(row: &CheckRow, types: &Types, scanner: &mut Scanner) -> Result<Rule, Unsupported> {
    let spots = row.paths.iter().map(|path| spot(scanner, types, path)).collect::<Result<Vec<_>, _>>()?;
    let changes = scanner.changes.clone();
    let unless = row
        .params
        .get("unless_change")
        .and_then(Value::as_array)
        .map(|listed| {
            listed.iter().filter_map(Value::as_str).filter_map(|text| changes.iter().position(|c| c == text)).collect()
        })
        .unwrap_or_default();
    let when = match row.params.get("when") {
        None | Some(Value::Null) => None,
        Some(when) => {
            let path = when.get("path").and_then(Value::as_str).ok_or_else(unknown)?;
            let place = spot(scanner, types, path)?;
            let values = when.get("values").and_then(Value::as_array).cloned().unwrap_or_default();
            let known = if values.is_empty() { None } else { Some(wanted(&values, types, place.row)?) };
            Some((place, known))
        }
    };
    Ok(Rule::Required { spots, unless, when })
}

fn applies(event: &Event, when: &(Spot, Option<Wanted>)) -> bool {
    let (spot, known) = when;
    event.places[spot.slot].iter().any(|at| match known {
        None => true,
        Some(Wanted::Texts(texts)) => {
            let value = slice_at(event.body, &mut { *at as usize });
            texts.iter().any(|text| text == value)
        }
        Some(Wanted::Numbers(numbers)) => {
            numbers.contains(&number_at(event.types, spot.row, event.body, *at as usize))
        }
    })
}

/// Whether a value surely says something: anything but a text, or a text with an ASCII character that is no space.
fn said(event: &Event, row: usize, mut at: usize) -> bool {
    event.types.all[row] != Type::Text
        || slice_at(event.body, &mut at).iter().any(|b| b.is_ascii() && !is_space(*b))
}
