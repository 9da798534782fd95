//! Events of other versions: their bytes are made the current version's, by the table that Python made of the two schemas
//! (`tidings.projection.resolve`), and then go the way of all others.

use crate::avro::{blocks_at, long_at, put_long, skip, slice_at, validate, Body, Budget, Types, Unsupported};
use crate::program::{MoveRow, ReaderRow};

enum Source {
    Field(usize, usize),
    Put(Vec<u8>),
}

enum Move {
    Same,
    Never,
    Float(From),
    Double(From),
    Enum(Vec<i64>),
    Union(Vec<usize>),
    Into(i64, usize),
    Array(usize),
    Map(usize),
    Record(Vec<Source>),
}

#[derive(Clone, Copy)]
enum From {
    Whole,
    Float,
}

/// The event is left to Python.
pub struct Left;

/// How events under one schema id become events of the current version.
pub struct Resolver {
    pub schema_id: u32,
    types: Types,
    root: usize,
    moves: Vec<(usize, Move)>,
    first: usize,
}

impl Resolver {
    /// None for the current version, and for one whose events are all left to Python.
    pub fn new(row: ReaderRow) -> Result<Option<Resolver>, Unsupported> {
        if row.same || row.moves.is_empty() {
            return Ok(None);
        }
        let moves = row.moves.into_iter().map(|each| {
            let from = if row.types[each.row].kind == "float" { From::Float } else { From::Whole };
            Ok((each.row, read_move(each, from)?))
        });
        Ok(Some(Resolver {
            moves: moves.collect::<Result<_, _>>()?,
            schema_id: row.schema_id,
            types: Types::new(row.types)?,
            root: row.root,
            first: row.first,
        }))
    }

    /// Write into `out` the event `b` as one of the current version. `ends` is room from an event before. None where it is
    /// left to Python: its bytes are no event of its own version, or it does not surely become one of the current.
    pub fn resolve(&self, b: &[u8], ends: &mut Vec<u32>, out: &mut Vec<u8>) -> Option<()> {
        out.clear();
        let mut budget = Budget::new(b.len(), std::mem::take(ends));
        let mut at = 0;
        let sound = validate(&self.types, self.root, b, &mut at, &mut budget).is_ok() && at == b.len();
        *ends = budget.ends();
        if !sound {
            return None;
        }
        self.run(self.first, &Body::new(b, ends), &mut 0, out).ok()
    }

    fn run(&self, number: usize, b: &Body, at: &mut usize, out: &mut Vec<u8>) -> Result<(), Left> {
        let (row, how) = &self.moves[number];
        match how {
            Move::Same => {
                let start = *at;
                skip(&self.types, *row, b, at);
                out.extend_from_slice(&b[start..*at]);
            }
            Move::Never => return Err(Left),
            Move::Float(from) => out.extend_from_slice(&(number_at(*from, b, at)? as f32).to_le_bytes()),
            Move::Double(from) => out.extend_from_slice(&number_at(*from, b, at)?.to_le_bytes()),
            Move::Enum(codes) => match codes[long_at(b, at) as usize] {
                code @ 0.. => put_long(out, code),
                _ => return Err(Left),
            },
            Move::Union(branches) => return self.run(branches[long_at(b, at) as usize], b, at, out),
            Move::Into(index, inner) => {
                put_long(out, *index);
                return self.run(*inner, b, at, out);
            }
            Move::Array(inner) => return self.blocks(*inner, false, b, at, out),
            Move::Map(inner) => return self.blocks(*inner, true, b, at, out),
            Move::Record(sources) => return self.record(*row, sources, b, at, out),
        }
        Ok(())
    }

    fn blocks(&self, inner: usize, keyed: bool, b: &Body, at: &mut usize, out: &mut Vec<u8>) -> Result<(), Left> {
        blocks_at(b, at, |count, at| {
            put_long(out, count);
            for _ in 0..count {
                if keyed {
                    let start = *at;
                    slice_at(b, at);
                    out.extend_from_slice(&b[start..*at]);
                }
                self.run(inner, b, at, out)?;
            }
            Ok(())
        })?;
        out.push(0);
        Ok(())
    }

    fn record(&self, row: usize, sources: &[Source], b: &Body, at: &mut usize, out: &mut Vec<u8>) -> Result<(), Left> {
        let fields = self.types.fields(row);
        let mut starts = Vec::with_capacity(fields.len());
        for field in fields {
            starts.push(*at);
            skip(&self.types, *field, b, at);
        }
        for source in sources {
            match source {
                Source::Field(field, inner) => self.run(*inner, b, &mut starts[*field], out)?,
                Source::Put(default) => out.extend_from_slice(default),
            }
        }
        Ok(())
    }
}

/// As Python holds it before it is written: a double.
fn number_at(from: From, b: &Body, at: &mut usize) -> Result<f64, Left> {
    match from {
        From::Whole => Ok(long_at(b, at) as f64),
        From::Float => {
            let bytes = b[*at..*at + 4].try_into().map_err(|_| Left)?;
            *at += 4;
            let number = f32::from_le_bytes(bytes);
            // What becomes of a NaN's bits is the processor's affair.
            if number.is_nan() {
                Err(Left)
            } else {
                Ok(f64::from(number))
            }
        }
    }
}

fn read_move(row: MoveRow, from: From) -> Result<Move, Unsupported> {
    let unknown = || Unsupported(format!("the move {}", row.how));
    let one = || row.of.first().map(|at| *at as usize).ok_or_else(unknown);
    Ok(match row.how.as_str() {
        "same" => Move::Same,
        "never" => Move::Never,
        "to-float" => Move::Float(from),
        "to-double" => Move::Double(from),
        "enum" => Move::Enum(row.codes),
        "union" => Move::Union(row.of.iter().map(|at| *at as usize).collect()),
        "into" => Move::Into(row.codes.first().copied().ok_or_else(unknown)?, one()?),
        "array" => Move::Array(one()?),
        "map" => Move::Map(one()?),
        "record" => {
            let each = row.codes.iter().zip(row.of.iter().zip(&row.puts));
            let sources = each.map(|(field, (inner, put))| match usize::try_from(*field) {
                Ok(field) => Ok(Source::Field(field, *inner as usize)),
                Err(_) => unhex(put).map(Source::Put).ok_or_else(unknown),
            });
            Move::Record(sources.collect::<Result<_, _>>()?)
        }
        _ => return Err(unknown()),
    })
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let pairs = text.as_bytes().chunks(2);
    pairs.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}
