//! Runs recorded inputs and outputs of the official SDKs, one JSON object a line, against our crates.
//!
//! A record has an `id`, a `kind`, `in` and `out`. One with `usable: false` records an input on which the
//! SDKs disagree and is skipped. One with a `rule` may also pass by that rule, which is then counted apart.
//! Whatever a record's `out` holds is compared, so a trimmed file and a full one run alike. A new kind is one
//! row in the table at the end.

use alloc::collections::BTreeMap;
use core::fmt;
use std::{
    fs, io,
    io::Read,
    path::{Path, PathBuf},
};

use base64ct::{Base64, Encoding};
use flate2::read::GzDecoder;
use serde_json::Value;

mod crc;
mod endpoint;
mod error_doc;
mod list_xml;
mod retry;
mod signed;
mod v1;
mod v4;

/// Runs each line of `text`.
#[must_use]
pub fn run(text: &str) -> Tally {
    let mut tally = Tally::default();
    for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        match serde_json::from_str::<Value>(line) {
            Ok(value) => tally.count(&Record { value: &value }),
            Err(error) => tally.failures.push((format!("line {}", index + 1), error.to_string())),
        }
    }
    tally
}

/// The text of a file, which may be compressed by gzip.
///
/// # Errors
///
/// Those of reading the file, and of what is in it.
pub fn read(file: &Path) -> io::Result<String> {
    let bytes = fs::read(file)?;
    let mut text = String::new();
    if bytes.starts_with(GZIP_MAGIC) {
        GzDecoder::new(&*bytes).read_to_string(&mut text)?;
    } else {
        bytes.as_slice().read_to_string(&mut text)?;
    }
    Ok(text)
}

/// The vector files of this package, sorted by name.
///
/// # Errors
///
/// Those of reading a directory.
pub fn own_files() -> io::Result<Vec<PathBuf>> {
    let entries = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors"))?;
    let mut files = entries.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
    files.retain(|file| file.extension().is_some_and(|extension| extension == "jsonl" || extension == "gz"));
    files.sort();
    Ok(files)
}

/// How the records of one or more files fared; prints each failure, why records were skipped, and the totals.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Records whose output is ours.
    pub passed: usize,
    /// Records that our own rule treats otherwise, on purpose.
    pub by_rule: usize,
    /// Id of each record that failed, and the first difference.
    pub failures: Vec<(String, String)>,
    /// Reasons for skipping, and how many records each applies to.
    pub skipped: BTreeMap<String, usize>,
}

impl Tally {
    /// Adds the counts of another run.
    pub fn merge(&mut self, other: Self) {
        self.passed += other.passed;
        self.by_rule += other.by_rule;
        self.failures.extend(other.failures);
        for (reason, count) in other.skipped {
            *self.skipped.entry(reason).or_default() += count;
        }
    }

    fn count(&mut self, record: &Record<'_>) {
        let kind = record.value["kind"].as_str().unwrap_or("none");
        let check = KINDS.iter().find(|(name, _)| *name == kind);
        match check {
            _ if record.value["usable"] == false => self.skip("the official SDKs disagree (usable: false)"),
            None => self.skip(&format!("no check for kind {kind} yet")),
            Some((_, check)) => match check(record) {
                Ok(Pass::Same) => self.passed += 1,
                Ok(Pass::ByRule) => self.by_rule += 1,
                Err(difference) => {
                    let id = record.value["id"].as_str().unwrap_or("a record without id");
                    self.failures.push((id.to_owned(), difference));
                }
            },
        }
    }

    fn skip(&mut self, reason: &str) {
        *self.skipped.entry(reason.to_owned()).or_default() += 1;
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (id, difference) in &self.failures {
            writeln!(f, "FAILED {id}: {difference}")?;
        }
        for (reason, count) in &self.skipped {
            writeln!(f, "skipped {count}: {reason}")?;
        }
        let (failed, skipped) = (self.failures.len(), self.skipped.values().sum::<usize>());
        write!(
            f,
            "vectors: {} passed, {} by rule, {failed} failed, {skipped} skipped",
            self.passed, self.by_rule
        )
    }
}

enum Pass {
    Same,
    ByRule,
}

/// `Err` says what differs.
type Check = fn(&Record<'_>) -> Result<Pass, String>;

struct Record<'a> {
    value: &'a Value,
}

impl<'a> Record<'a> {
    /// A text of `in`; `None` when it is absent or null.
    fn optional(&self, name: &str) -> Result<Option<&'a str>, String> {
        match &self.value["in"][name] {
            Value::Null => Ok(None),
            Value::String(text) => Ok(Some(text)),
            other => Err(format!("in.{name} is not a text but {other}")),
        }
    }

    fn text(&self, name: &str) -> Result<&'a str, String> {
        self.optional(name)?.ok_or_else(|| format!("in.{name} is missing"))
    }

    fn pairs(&self, name: &str) -> Result<Vec<(&'a str, &'a str)>, String> {
        pairs_of(&self.value["in"][name]).ok_or_else(|| format!("in.{name} is not a list of pairs"))
    }

    /// A list of texts of `in`; empty when it is absent.
    fn list(&self, name: &str) -> Vec<&'a str> {
        let items = self.value["in"][name].as_array().into_iter().flatten();
        items.filter_map(Value::as_str).collect()
    }

    /// Bytes of `in`, in base64.
    fn bytes(&self, name: &str) -> Result<Vec<u8>, String> {
        let text = self.text(name)?;
        Base64::decode_vec(text).map_err(|error| format!("in.{name} is no base64: {error}"))
    }

    fn number(&self, name: &str) -> Result<f64, String> {
        self.value["in"][name].as_f64().ok_or_else(|| format!("in.{name} is not a number"))
    }

    /// A number of `in`, which may be written as a text.
    fn integer(&self, name: &str) -> Result<u64, String> {
        let value = &self.value["in"][name];
        let number = value.as_u64().or_else(|| value.as_str()?.parse().ok());
        number.ok_or_else(|| format!("in.{name} is not a whole number"))
    }

    /// The rule by which we may treat the record otherwise.
    fn rule(&self) -> Option<&'a str> {
        self.value["rule"].as_str()
    }

    fn has_rule(&self, rule: &str) -> bool {
        self.rule() == Some(rule)
    }

    fn out(&self) -> &'a Value {
        &self.value["out"]
    }

    /// Compares with a text of `out`, if the record has it.
    fn expect(&self, name: &str, ours: &str) -> Result<(), String> {
        match &self.value["out"][name] {
            Value::Null => Ok(()),
            Value::String(expected) => same_text(name, expected, ours),
            other => Err(format!("out.{name} is not a text but {other}")),
        }
    }

    /// Compares with a list of pairs of `out`, if the record has it, in any order; `line` writes a pair so
    /// that two that mean the same are equal, or leaves it out.
    fn expect_pairs<'b>(
        &self,
        name: &str,
        line: fn(&(&str, &str)) -> Option<String>,
        ours: impl Iterator<Item = &'b (&'b str, &'b str)>,
    ) -> Result<(), String> {
        let expected = &self.value["out"][name];
        if expected.is_null() {
            return Ok(());
        }
        let expected = pairs_of(expected).ok_or_else(|| format!("out.{name} is not a list of pairs"))?;
        let mut expected: Vec<String> = expected.iter().filter_map(line).collect();
        let mut ours: Vec<String> = ours.filter_map(line).collect();
        expected.sort();
        ours.sort();
        same_text(name, &expected.join("\n"), &ours.join("\n"))
    }
}

fn pairs_of(list: &Value) -> Option<Vec<(&str, &str)>> {
    let Value::Array(items) = list else { return list.is_null().then(Vec::new) };
    items.iter().map(pair_of).collect()
}

fn pair_of(item: &Value) -> Option<(&str, &str)> {
    let [name, value] = item.as_array()?.as_slice() else { return None };
    Some((name.as_str()?, value.as_str()?))
}

/// Names the first line in which two texts differ.
fn same_text(name: &str, expected: &str, ours: &str) -> Result<(), String> {
    if expected == ours {
        return Ok(());
    }
    let (mut expected, mut ours) = (expected.split('\n'), ours.split('\n'));
    let mut line = 1;
    loop {
        match (expected.next(), ours.next()) {
            (Some(theirs), Some(same)) if theirs == same => line += 1,
            (theirs, ours) => {
                return Err(format!("{name}, line {line}: expected {theirs:?}, got {ours:?}"));
            }
        }
    }
}

fn encode(text: &str) -> String {
    crate::naive_sign::encode(text, "")
}

const GZIP_MAGIC: &[u8] = &[0x1f, 0x8b];

/// The kinds of records that can be checked.
const KINDS: &[(&str, Check)] = &[
    ("crc64", crc::crc64),
    ("crc64_combine", crc::combined),
    ("crc64_lcg", crc::lcg),
    ("endpoint", endpoint::endpoint),
    ("error_doc", error_doc::error_doc),
    ("list_xml", list_xml::list_xml),
    ("retry_backoff", retry::backoff),
    ("retry_defaults", retry::defaults),
    ("retryable", retry::retryable),
    ("v1_header", v1::header),
    ("v1_presign", v1::presign),
    ("v4_header", v4::header),
    ("v4_presign", v4::presign),
];
