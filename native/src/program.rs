//! The program of one inbox as Python's `tidings.projection.program` writes it (`InboxProgram.as_json`).

use pyo3::exceptions::PyValueError;
use pyo3::PyResult;
use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
pub struct Program {
    pub agency: String,
    pub partitions: i32,
    pub environment: String,
    pub policy_version: i64,
    pub types: Vec<TypeRow>,
    pub root: usize,
    pub readers: Vec<ReaderRow>,
    pub checks: Vec<CheckRow>,
    pub views: Vec<ViewRow>,
    pub corrections: Vec<String>,
}

/// Raises ValueError where the text is no program.
pub fn read_program(program: &str) -> PyResult<Program> {
    serde_json::from_str(program).map_err(|_| PyValueError::new_err("the program cannot be read"))
}

#[derive(Deserialize)]
pub struct TypeRow {
    pub kind: String,
    pub of: Vec<usize>,
    pub names: Vec<String>,
    pub location: Vec<bool>,
    pub size: usize,
    pub logical: String,
    /// Of a record, each field's default as JSON.
    pub defaults: Vec<Option<String>>,
}

#[derive(Deserialize)]
pub struct ReaderRow {
    pub schema_id: u32,
    pub types: Vec<TypeRow>,
    pub root: usize,
    pub same: bool,
    pub moves: Vec<MoveRow>,
    pub first: usize,
}

/// See `tidings.projection.resolve.Move`.
#[derive(Deserialize)]
pub struct MoveRow {
    pub how: String,
    #[serde(rename = "type")]
    pub row: usize,
    pub of: Vec<i64>,
    pub codes: Vec<i64>,
    pub puts: Vec<String>,
}

#[derive(Deserialize)]
pub struct CheckRow {
    pub check: String,
    pub paths: Vec<String>,
    pub params: Value,
    pub of_head: bool,
    pub codes: Vec<String>,
}

#[derive(Deserialize)]
pub struct ConditionRow {
    pub path: String,
    pub op: String,
    pub values: Vec<Value>,
    pub missing: String,
}

#[derive(Deserialize)]
pub struct ViewRow {
    pub feed: String,
    pub written_to: String,
    pub schema_id: u32,
    pub group: String,
    pub protected: String,
    pub interest: Option<Vec<String>>,
    #[serde(rename = "where")]
    pub conditions: Vec<ConditionRow>,
    pub flags_at: i64,
    pub ops: Vec<OpRow>,
}

#[derive(Deserialize)]
pub struct OpRow {
    pub name: String,
    pub how: String,
    pub at: usize,
    #[serde(rename = "type")]
    pub row: usize,
    pub null: bool,
    pub plain: bool,
    pub location: bool,
    pub location_below: bool,
    pub settings: Value,
    pub scheme: String,
    pub children: Vec<OpRow>,
}
