//! The operations by which a view is made: `tidings.projection.program`, read once.

use serde_json::Value;

use crate::avro::{Type, Types, Unsupported};
use crate::program::{OpRow, Program, ViewRow};

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum To {
    Year,
    Month,
    Decade,
    Area,
    District,
}

pub enum How {
    Keep,
    Redact,
    Partial { first: usize, last: usize },
    Pseudonym { scheme: Vec<u8> },
    Generalise(To),
    Encrypt,
    Record(Vec<Op>),
    EventId,
    LifeEventId,
    RecordId,
    Absent,
}

pub struct Op {
    pub name: String,
    pub how: How,
    pub at: usize,
    pub row: usize,
    pub null: bool,
    pub plain: bool,
    pub location: bool,
    pub location_below: bool,
    /// Whether the view's field is of type null, which has no bytes.
    pub bare: bool,
    /// Whether something at or below binds its path, which has then to be written.
    pub sealed: bool,
}

/// Everything that a view's bytes are made by.
pub struct Layout {
    /// Before which field the flags stand.
    pub flags_at: usize,
    pub ops: Vec<Op>,
    pub event_id_kept: bool,
    pub policy_version: i64,
    pub agency: Vec<u8>,
}

const NO_FLAGS: usize = usize::MAX;

impl Layout {
    pub fn new(row: &ViewRow, program: &Program, types: &Types) -> Result<Layout, Unsupported> {
        let ops = row.ops.iter().map(|op| read_op(op, types)).collect::<Result<Vec<_>, _>>()?;
        let first = ops.first().ok_or_else(|| Unsupported("a view without a head".into()))?;
        let event_id_kept = matches!(first.how, How::Keep);
        if ops.iter().any(|op| op.sealed) && !(event_id_kept || matches!(first.how, How::EventId)) {
            return Err(Unsupported("encrypt beside a masked event_id".into()));
        }
        Ok(Layout {
            flags_at: usize::try_from(row.flags_at).unwrap_or(NO_FLAGS),
            ops,
            event_id_kept,
            policy_version: program.policy_version,
            agency: program.agency.as_bytes().to_vec(),
        })
    }
}

fn read_op(row: &OpRow, types: &Types) -> Result<Op, Unsupported> {
    let number = |name: &str| row.settings.get(name).and_then(Value::as_u64).unwrap_or(0) as usize;
    let text = |name: &str| row.settings.get(name).and_then(Value::as_str).unwrap_or("").to_owned();
    let element = element_of(types, row.row);
    let how = match row.how.as_str() {
        "keep" => How::Keep,
        "redact" => How::Redact,
        "partial" => How::Partial { first: number("first"), last: number("last") },
        "pseudonym" => How::Pseudonym {
            scheme: if text("scheme").is_empty() { row.scheme.clone() } else { text("scheme") }.into_bytes(),
        },
        "generalise" => How::Generalise(match text("to").as_str() {
            "year" => To::Year,
            "month" => To::Month,
            "decade" => To::Decade,
            "postcode_area" => To::Area,
            "postcode_district" => To::District,
            _ => return Err(Unsupported("a way to generalise".into())),
        }),
        "encrypt" if has_float(types, element, 0) => return Err(Unsupported("encrypted floats".into())),
        "encrypt" => How::Encrypt,
        "record" => How::Record(row.children.iter().map(|child| read_op(child, types)).collect::<Result<_, _>>()?),
        "event-id" => How::EventId,
        "life-event-id" => How::LifeEventId,
        "record-id" => How::RecordId,
        "absent" => How::Absent,
        other => return Err(Unsupported(format!("the mask {other}"))),
    };
    if row.plain && types.all[row.row] != Type::Text {
        return Err(Unsupported("a record_id that is no text".into()));
    }
    if row.plain && (row.location || row.location_below) {
        return Err(Unsupported("a record_id that tells a location".into()));
    }
    let bare = matches!(&how, How::Keep | How::Absent) && types.all[row.row] == Type::Null;
    let sealed = matches!(&how, How::Encrypt)
        || matches!(&how, How::Record(children) if children.iter().any(|child| child.sealed));
    Ok(Op {
        name: row.name.clone(),
        how,
        at: row.at,
        row: row.row,
        null: row.null,
        plain: row.plain,
        location: row.location,
        location_below: row.location_below,
        bare,
        sealed,
    })
}

fn element_of(types: &Types, row: usize) -> usize {
    let present = types.present(row);
    match &types.all[present] {
        Type::Array(of) => element_of(types, *of),
        _ => present,
    }
}

fn has_float(types: &Types, row: usize, depth: u32) -> bool {
    depth > 16
        || match &types.all[row] {
            Type::Float => true,
            Type::Array(of) | Type::Map(of) => has_float(types, *of, depth + 1),
            Type::Union(of) | Type::Record(of) => of.iter().any(|of| has_float(types, *of, depth + 1)),
            _ => false,
        }
}
