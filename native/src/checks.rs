//! Whether an event surely passes a check, on the noted places. A proof, never a verdict: what is not proven here is
//! judged by Python's `tidings.checks` on the decoded event, so an unknown check costs time and never a finding.

mod dates;
mod identifier;
mod order;
mod required;
mod same_subject;
mod spot;

use hashbrown::HashSet;
use regex::bytes::Regex;
use serde_json::Value;

use crate::avro::{long_at, slice_at, Type, Types, Unsupported};
use crate::program::CheckRow;
use crate::scan::Scanner;

use dates::{dated, each_date, not_future, Date, Dated};
use identifier::Identifiers;
use order::Order;
use required::Required;
use same_subject::Same;
use spot::{spot, unknown, Spot};

pub use spot::Event;

const PATTERN_MAX_CHARACTERS: usize = 1_000;

enum Rule {
    Identifiers(Identifiers),
    Exists(Vec<(Spot, Dated)>),
    NotFuture(Vec<(Spot, Dated)>),
    NotSpreadsheet(Vec<(Spot, Dated)>),
    Order(Order),
    Codes(Vec<Spot>, HashSet<Vec<u8>>),
    Symbols(Vec<Spot>, Vec<bool>),
    Pattern(Vec<Spot>, Regex),
    Same(Same),
    Required(Required),
    Unproven,
}

pub struct Check {
    rule: Rule,
    pub of_head: bool,
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
            Rule::Identifiers(identifiers) => identifiers.surely_holds(event),
            Rule::Exists(spots) => each_date(event, spots, |date| match date {
                Date::Day(partial) => partial.exact && partial.exists(),
                _ => false,
            }),
            Rule::NotFuture(spots) => each_date(event, spots, |date| not_future(date, event.now_ms)),
            Rule::NotSpreadsheet(spots) => each_date(event, spots, |date| match date {
                Date::Day(partial) => partial.exists() && (partial.day.is_none() || partial.year != 1905),
                _ => false,
            }),
            Rule::Order(order) => order.surely_holds(event),
            Rule::Codes(spots, codes) => {
                spots.iter().all(|spot| event.each(*spot, |at| codes.contains(slice_at(event.body, &mut { at }))))
            }
            Rule::Symbols(spots, good) => spots
                .iter()
                .all(|spot| event.each(*spot, |at| good.get(long_at(event.body, &mut { at }) as usize) == Some(&true))),
            Rule::Pattern(spots, pattern) => spots.iter().all(|spot| {
                event.each(*spot, |at| {
                    let text = slice_at(event.body, &mut { at });
                    text.len() <= PATTERN_MAX_CHARACTERS && pattern.is_match(text)
                })
            }),
            Rule::Same(same) => same.surely_holds(event),
            Rule::Required(required) => required.surely_holds(event),
        }
    }
}

fn rule(row: &CheckRow, types: &Types, scanner: &mut Scanner) -> Result<Rule, Unsupported> {
    let spots = |scanner: &mut Scanner| -> Result<Vec<Spot>, Unsupported> {
        row.paths.iter().map(|path| spot(scanner, types, path)).collect()
    };
    let text = |name: &str| row.params.get(name).and_then(Value::as_str).map(str::to_owned);
    match row.check.as_str() {
        "identifier_checksum" => {
            let (spots, scheme) = (spots(scanner)?, text("scheme"));
            Identifiers::new(spots, scheme.as_deref(), codes_of(row), types).map(Rule::Identifiers)
        }
        "date_exists" => dated(types, spots(scanner)?).map(Rule::Exists),
        "date_not_in_future" => dated(types, spots(scanner)?).map(Rule::NotFuture),
        "not_spreadsheet_date" => dated(types, spots(scanner)?).map(Rule::NotSpreadsheet),
        "date_order" => {
            let (first, then) = (text("first").ok_or_else(unknown)?, text("then").ok_or_else(unknown)?);
            Order::new(types, scanner, &first, &then).map(Rule::Order)
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
        "same_subject" => Same::new(&spots(scanner)?, types).map(Rule::Same),
        "required_if" => Required::new(row, types, scanner).map(Rule::Required),
        _ => Err(unknown()),
    }
}

fn codes_of(row: &CheckRow) -> HashSet<Vec<u8>> {
    row.codes.iter().map(|code| code.as_bytes().to_vec()).collect()
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
