//! The way through an event's types to the places that filters and checks look at.

use crate::avro::{blocks, branch, enter, noting_the_end, spend_empty, validate, Budget};
use crate::avro::{Malformed, Type, Types, Unsupported};

/// Where values stand, by slot: each slot is one dotted path; several places where it crosses an array.
pub type Places = Vec<Vec<u32>>;

pub enum Below {
    Nothing,
    Record(Vec<Option<Node>>),
    Inner(Box<Node>),
    Union(Vec<Option<Node>>),
}

/// A type of the event on the way to a noted place.
pub struct Node {
    pub row: usize,
    slot: Option<usize>,
    pub below: Below,
}

impl Node {
    pub fn new(row: usize) -> Node {
        Node { row, slot: None, below: Below::Nothing }
    }
}

/// Note in the tree that the values at `parts` are wanted. Returns the type of a value.
pub fn note(node: &mut Node, types: &Types, parts: &[String], slot: usize) -> Result<usize, Unsupported> {
    match &types.all[node.row] {
        Type::Union(branches) => {
            let present = types.present(node.row);
            if present == node.row {
                return Err(Unsupported("a path through a union of more than null and one type".into()));
            }
            if matches!(node.below, Below::Nothing) {
                node.below = Below::Union(branches.iter().map(|_| None).collect());
            }
            let number = branches.iter().position(|b| *b == present).unwrap_or(0);
            let Below::Union(kids) = &mut node.below else { unreachable!("a union's node") };
            note(kids[number].get_or_insert_with(|| Node::new(present)), types, parts, slot)
        }
        Type::Array(of) => {
            if matches!(node.below, Below::Nothing) {
                node.below = Below::Inner(Box::new(Node::new(*of)));
            }
            let Below::Inner(kid) = &mut node.below else { unreachable!("an array's node") };
            note(kid, types, parts, slot)
        }
        _ if parts.is_empty() => {
            if node.slot.is_some() {
                return Err(Unsupported("one place under two names".into()));
            }
            node.slot = Some(slot);
            Ok(node.row)
        }
        Type::Record(fields) => {
            let number = types
                .field(node.row, &parts[0])
                .ok_or_else(|| Unsupported("a path that the event does not have".into()))?;
            if matches!(node.below, Below::Nothing) {
                node.below = Below::Record(fields.iter().map(|_| None).collect());
            }
            let Below::Record(kids) = &mut node.below else { unreachable!("a record's node") };
            let kid = kids[number].get_or_insert_with(|| Node::new(fields[number]));
            note(kid, types, &parts[1..], slot)
        }
        _ => Err(Unsupported("a path into what has no fields".into())),
    }
}

/// Check a value, and note where the wanted ones below it begin.
pub fn visit(
    node: &Node,
    types: &Types,
    b: &[u8],
    at: &mut usize,
    budget: &mut Budget,
    places: &mut Places,
) -> Result<(), Malformed> {
    if let Some(slot) = node.slot {
        places[slot].push(*at as u32);
    }
    match (&node.below, &types.all[node.row]) {
        (Below::Record(kids), Type::Record(fields)) => {
            enter(budget)?;
            for (kid, field) in kids.iter().zip(fields) {
                match kid {
                    Some(kid) => visit(kid, types, b, at, budget, places)?,
                    None => validate(types, *field, b, at, budget)?,
                }
            }
            budget.depth += 1;
            Ok(())
        }
        (Below::Inner(kid), Type::Array(_)) => blocks(b, at, budget, |b, at, budget| {
            let before = *at;
            visit(kid, types, b, at, budget, places)?;
            if *at == before {
                spend_empty(budget)
            } else {
                Ok(())
            }
        }),
        (Below::Union(kids), Type::Union(branches)) => noting_the_end(b, at, budget, |b, at, budget| {
            let chosen = branch(branches, b, at)?;
            let number = branches.iter().position(|b| *b == chosen).unwrap_or(0);
            match &kids[number] {
                Some(kid) => visit(kid, types, b, at, budget, places),
                None => validate(types, chosen, b, at, budget),
            }
        }),
        _ => validate(types, node.row, b, at, budget),
    }
}
