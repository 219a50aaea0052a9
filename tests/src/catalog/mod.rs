//! The catalogue: the tables of `oss-proto` held against what the vendor's API has, and the page that says
//! what is here.
//!
//! The data, `docs/data/operations.jsonl`, has one operation a line: method, scope, parameters (`*` marks
//! those that OSS requires), headers, and the element trees that the official SDKs know, in the notation
//! `Name{child, list*, number:int}`.

mod emulated;
mod page;
mod rows;
mod tree;

use std::path::{Path, PathBuf};
use std::{fs, io};

use serde_json::Value;

pub use page::page;
pub use rows::problems;

/// One operation of the vendor's API.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Entry {
    /// `core`, `vectors`, `tables` or `dataprocess`.
    pub product: String,
    /// The group that it stands in.
    pub family: String,
    /// The vendor's name.
    pub name: String,
    /// The HTTP method.
    pub method: String,
    /// `S`, `B` or `BK`: service, bucket, bucket and key.
    pub scope: String,
    /// The path, where it is neither bucket nor key.
    pub path: String,
    /// Query parameters that are always sent.
    pub fixed: Vec<(String, String)>,
    /// Other query parameters.
    pub query: Vec<String>,
    /// Request headers.
    pub headers: Vec<String>,
    /// The root of the request's body, or words on it.
    pub request: String,
    /// What the SDKs put inside.
    pub request_trees: Vec<String>,
    /// The root of the answer's body, or words on it.
    pub answer: String,
    /// Headers of the answer.
    pub answer_headers: Vec<String>,
    /// What the SDKs read inside.
    pub answer_trees: Vec<String>,
}

/// The data, as it is in the workspace.
///
/// # Errors
/// When the file cannot be read; `InvalidData` names the line that is no entry.
pub fn entries() -> io::Result<Vec<Entry>> {
    let text = fs::read_to_string(root().join("docs/data/operations.jsonl"))?;
    let entry = |(number, line): (usize, &str)| {
        serde_json::from_str::<Value>(line).map(|value| read(&value)).map_err(|error| {
            io::Error::new(io::ErrorKind::InvalidData, format!("operations.jsonl:{}: {error}", number + 1))
        })
    };
    text.lines().enumerate().map(entry).collect()
}

/// The page about all operations, `docs/operations.md`.
pub fn page_path() -> PathBuf {
    root().join("docs/operations.md")
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or_else(|| Path::new("."))
}

fn read(value: &Value) -> Entry {
    let text = |name: &str| value[name].as_str().unwrap_or_default().to_owned();
    let texts = |name: &str| {
        let items = value[name].as_array().into_iter().flatten();
        items.filter_map(|item| Some(item.as_str()?.to_owned())).collect()
    };
    let pairs = value["fixed"].as_object().into_iter().flatten();
    Entry {
        product: text("product"),
        family: text("family"),
        name: text("name"),
        method: text("method"),
        scope: text("scope"),
        path: text("path"),
        fixed: pairs.map(|(name, value)| (name.clone(), value.as_str().unwrap_or_default().into())).collect(),
        query: texts("query"),
        headers: texts("headers"),
        request: text("request"),
        request_trees: texts("request_trees"),
        answer: text("answer"),
        answer_headers: texts("answer_headers"),
        answer_trees: texts("answer_trees"),
    }
}
