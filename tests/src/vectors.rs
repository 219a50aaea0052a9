//! Runs recorded inputs and outputs of the official SDKs, one JSON object a line, against our crates.
//!
//! A record has an `id`, a `kind`, `in` and `out`. One with `usable: false` records an input on which the
//! SDKs disagree and is skipped. One with a `rule` may also pass by that rule, which is then counted apart.
//! Whatever a record's `out` holds is compared, so a trimmed file and a full one run alike. A new kind is one
//! row in the table at the end.

use alloc::collections::BTreeMap;
use core::{fmt, time::Duration};
use std::{
    fs, io,
    path::{Path, PathBuf},
};

use oss_sign::{
    AccessKey, PresignError, Request, Resource, Scope, Scratch, Signed, SigningKey, UnixTime, presign_query,
    sign_headers,
};
use serde_json::Value;

use crate::naive_sign;

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

/// The vector files of this package, sorted by name.
///
/// # Errors
///
/// Those of reading a directory.
pub fn own_files() -> io::Result<Vec<PathBuf>> {
    let entries = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors"))?;
    let mut files = entries.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
    files.retain(|file| file.extension().is_some_and(|extension| extension == "jsonl"));
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

    fn has_rule(&self, rule: &str) -> bool {
        self.value["rule"] == rule
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

/// The parts of a record that a V4 signature is computed from.
struct V4<'a> {
    input: naive_sign::Input<'a>,
    level: &'a str,
    time: UnixTime,
}

impl<'a> V4<'a> {
    fn read(record: &Record<'a>) -> Result<Self, String> {
        let names = match &record.value["in"]["additional_headers"] {
            Value::Array(names) => names.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        };
        let time = record.text("time")?;
        let input = naive_sign::Input {
            method: record.text("method")?,
            bucket: record.optional("bucket")?,
            key: record.optional("key")?,
            query: record.pairs("query")?,
            headers: record.pairs("headers")?,
            additional: names,
            region: record.text("region")?,
            product: record.text("product")?,
            date: "",
            id: record.text("access_key_id")?,
            secret: record.text("access_key_secret")?,
            token: record.optional("security_token")?.unwrap_or_default(),
        };
        let time = UnixTime::parse_iso_extended(time).ok_or_else(|| format!("in.time is no time: {time}"))?;
        Ok(Self { input, level: record.text("level")?, time })
    }

    fn resource(&self) -> Result<Resource<'a>, String> {
        match (self.level, self.input.bucket, self.input.key) {
            ("service", ..) => Ok(Resource::Service),
            ("bucket", Some(bucket), _) => Ok(Resource::Bucket(bucket)),
            ("object", Some(bucket), Some(key)) => Ok(Resource::Object { bucket, key }),
            (level, bucket, key) => Err(format!("level {level} with bucket {bucket:?} and key {key:?}")),
        }
    }

    fn access_key(&self) -> AccessKey<'a> {
        let token = Some(self.input.token);
        AccessKey { id: self.input.id, secret: self.input.secret, token }
    }

    fn scope(&self) -> Scope<'a> {
        Scope { region: self.input.region, product: self.input.product, time: self.time }
    }

    fn request(&self) -> Result<Request<'_>, String> {
        let Self { input, .. } = self;
        Ok(Request {
            method: input.method,
            resource: self.resource()?,
            query: &input.query,
            headers: &input.headers,
            additional: &input.additional,
        })
    }
}

fn v4_header(record: &Record<'_>) -> Result<Pass, String> {
    let v4 = V4::read(record)?;
    let (key, scope, request) = (v4.access_key(), v4.scope(), v4.request()?);
    let date = scope.time.iso_basic();
    let naive = naive_sign::header(&naive_sign::Input { date: &date, ..v4.input.clone() });

    let signing = SigningKey::derive(&key, &scope);
    let mut scratch = Scratch::new();
    let signed = sign_headers(&request, &key, &signing, &scope, &mut scratch);
    v4_signature(record, &signed, &naive)?;

    let added: Vec<(&str, &str)> = signed.iter().collect();
    let (_, ours) = added.last().ok_or("nothing to add")?;
    if let Some(expected) = record.value["out"]["authorization"].as_str() {
        same_text("authorization", &authorization(expected), &authorization(ours))?;
    }
    let replaced = |name: &str| added.iter().any(|(own, _)| own.eq_ignore_ascii_case(name));
    let kept = request.headers.iter().filter(|(name, _)| !replaced(name));
    record.expect_pairs("headers_after", header_line, kept.chain(&added))?;
    Ok(Pass::Same)
}

fn header_line((name, value): &(&str, &str)) -> Option<String> {
    match name.to_lowercase().as_str() {
        "authorization" => Some(format!("authorization: {}", authorization(value))),
        // Some SDKs set it as well; it is not signed, and OSS reads `x-oss-date` first.
        "date" => None,
        name => Some(format!("{name}: {value}")),
    }
}

/// The fields sorted: the first generation of the SDKs has them in another order, with a space after the
/// comma.
fn authorization(value: &str) -> String {
    let mut fields: Vec<&str> = value.split(',').map(str::trim).collect();
    fields.sort_unstable();
    fields.join("\n")
}

fn v4_presign(record: &Record<'_>) -> Result<Pass, String> {
    let v4 = V4::read(record)?;
    let (key, scope, request) = (v4.access_key(), v4.scope(), v4.request()?);
    let expires = &record.value["in"]["expires_seconds"];
    let expires = expires.as_u64().ok_or("in.expires_seconds is not a number of seconds")?;
    let date = scope.time.iso_basic();
    let naive = naive_sign::presign(&naive_sign::Input { date: &date, ..v4.input.clone() }, expires);

    let signing = SigningKey::derive(&key, &scope);
    let mut scratch = Scratch::new();
    let valid_for = Duration::from_secs(expires);
    let signed = match presign_query(&request, &key, &signing, &scope, valid_for, &mut scratch) {
        Ok(signed) => signed,
        Err(PresignError::TooLong { .. }) if record.has_rule("presign-sts-limit") => {
            // We refuse; the second signer knows no limits, so the record still says something.
            return second_signer(record, &naive).map(|()| Pass::ByRule);
        }
        Err(error) => return Err(error.to_string()),
    };
    v4_signature(record, &signed, &naive)?;

    let added: Vec<(&str, &str)> = signed.iter().collect();
    let query: Vec<(String, String)> =
        request.query.iter().chain(&added).map(|(name, value)| (encode(name), encode(value))).collect();
    let query: Vec<(&str, &str)> = query.iter().map(|(name, value)| (&**name, &**value)).collect();
    record.expect_pairs(
        "query_pairs_sorted",
        |(name, value)| Some(format!("{name}={value}")),
        query.iter(),
    )?;
    Ok(Pass::Same)
}

fn v4_signature(record: &Record<'_>, signed: &Signed<'_>, naive: &naive_sign::Output) -> Result<(), String> {
    record.expect("canonical_request", signed.canonical_request())?;
    record.expect("string_to_sign", signed.string_to_sign())?;
    second_signer(record, naive)?;
    // A trimmed record has no canonical request; the second signer's shows where ours went wrong.
    let ours = [signed.canonical_request(), signed.string_to_sign()];
    same_text("canonical request of the second signer", &naive.canonical_request, ours[0])?;
    same_text("string to sign of the second signer", &naive.string_to_sign, ours[1])?;
    if record.value["out"]["signature"].is_null() {
        return Err("out.signature is missing".to_owned());
    }
    record.expect("signature", signed.signature())
}

fn second_signer(record: &Record<'_>, naive: &naive_sign::Output) -> Result<(), String> {
    record.expect("signature", &naive.signature).map_err(|error| format!("second signer: {error}"))
}

fn encode(text: &str) -> String {
    naive_sign::encode(text, "")
}

/// The kinds of records that can be checked.
const KINDS: &[(&str, Check)] = &[("v4_header", v4_header), ("v4_presign", v4_presign)];
