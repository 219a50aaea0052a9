//! The tables against the data: nothing that the vendor's API has may be missing, and nothing may be there
//! that is not declared to go beyond it.

use alloc::collections::BTreeSet;

use oss_proto::{ReplyKind, Row, Scope, Spec, ops};

use super::Entry;
use super::tree::paths;

/// What is wrong with the tables; one line each.
pub fn problems(entries: &[Entry]) -> Vec<String> {
    let mut problems = Vec::new();
    for spec in ops::ALL {
        let mut found = Findings { spec, problems: &mut problems };
        match entries.iter().find(|entry| entry.product == "core" && entry.name == spec.name) {
            Some(entry) => found.hold(entry),
            None => found.report("is no operation of OSS".to_owned()),
        }
    }
    let mut names: Vec<_> = ops::ALL.iter().map(|spec| spec.name).collect();
    if !names.is_sorted() {
        problems.push("ops::ALL is not in order".to_owned());
    }
    names.dedup();
    if names.len() != ops::ALL.len() {
        problems.push("ops::ALL names an operation twice".to_owned());
    }
    problems
}

struct Findings<'a> {
    spec: &'static Spec,
    problems: &'a mut Vec<String>,
}

impl Findings<'_> {
    fn report(&mut self, problem: String) {
        self.problems.push(format!("{}: {problem}", self.spec.name));
    }

    fn hold(&mut self, entry: &Entry) {
        let spec = self.spec;
        if spec.method != entry.method {
            self.report(format!("the method is {}, not {}", entry.method, spec.method));
        }
        let scope = match spec.scope {
            Scope::Service => "S",
            Scope::Bucket => "B",
            Scope::Object => "BK",
        };
        if scope != entry.scope {
            self.report(format!("the scope is {}, not {scope}", entry.scope));
        }
        let ours: BTreeSet<_> = spec.fixed.iter().copied().collect();
        let theirs: BTreeSet<_> = entry.fixed.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        if ours != theirs {
            self.report(format!("the fixed query is {theirs:?}, not {ours:?}"));
        }
        self.hold_parameters("query", &entry.query, spec.fields);
        self.hold_parameters("header", &entry.headers, spec.fields);
        self.hold_parameters("header", &entry.answer_headers, spec.answer);
        self.hold_request_body(entry);
        self.hold_answer_body(entry);
    }

    /// Parameters or headers, and whether those that OSS requires are required here.
    fn hold_parameters(&mut self, place: &str, theirs: &[String], rows: &[Row]) {
        let is_request = rows.as_ptr() == self.spec.fields.as_ptr();
        let mut known = BTreeSet::new();
        for name in theirs {
            let required = name.ends_with('*');
            let name = name.trim_end_matches('*').to_lowercase();
            let name = name.strip_suffix("{k}").unwrap_or(&name).to_owned();
            let at = if name.ends_with('-') { "prefix" } else { place };
            let row = rows.iter().find(|row| row.place == at && row.wire == name || is_query(row, &name, at));
            match row {
                // The length of a body is its own.
                None if name == "content-length" && is_request => {}
                None => self.report(format!("has no {place} {name}")),
                Some(row) if is_request && required && !row.required => {
                    self.report(format!("{place} {name} is required"));
                }
                Some(_) => {}
            }
            known.insert(name);
        }
        for row in
            rows.iter().filter(|row| row.place == place || (place == "header" && row.place == "prefix"))
        {
            let is_known = known.contains(&row.wire.to_lowercase());
            if !is_known && !goes_beyond(self.spec.name, row.wire) {
                self.report(format!("{place} {} is not known to OSS", row.wire));
            }
        }
    }

    fn hold_request_body(&mut self, entry: &Entry) {
        let fields = self.spec.fields;
        let has = |place: &str, wire: &str| fields.iter().any(|row| row.place == place && row.wire == wire);
        let is_good = match entry.request.as_str() {
            "" => !fields.iter().any(|row| matches!(row.place, "xml" | "form" | "body")),
            "raw bytes" => has("body", ""),
            text if text.starts_with("text `") => {
                has("form", text.trim_start_matches("text `").split('=').next().unwrap_or_default())
            }
            root => has("xml", root),
        };
        if !is_good {
            self.report(format!("the body of the request is {:?}", entry.request));
        }
        let ours = leaves(fields);
        let theirs: Vec<String> = entry.request_trees.iter().flat_map(|tree| paths(tree)).collect();
        // An SDK that writes its own text says less than the other: a branch is as good as its leaves.
        for path in &theirs {
            if !ours.iter().any(|ours| ours == path || ours.starts_with(&format!("{path}/"))) {
                self.report(format!("the request has no {path}"));
            }
        }
    }

    fn hold_answer_body(&mut self, entry: &Entry) {
        let spec = self.spec;
        let root = entry.answer.split(" | ").next().unwrap_or_default();
        let is_good = match (root, spec.reply) {
            ("", ReplyKind::Head) => true,
            ("none", ReplyKind::Head) => spec.answer.iter().any(|row| row.place == "body"),
            ("JSON", ReplyKind::Collect) | ("raw object bytes", ReplyKind::Stream) => true,
            (theirs, ReplyKind::Xml { root }) => root == theirs,
            _ => false,
        };
        if !is_good {
            self.report(format!("the answer is {:?}, not {:?}", entry.answer, spec.reply));
        }
        if matches!(root, "" | "none" | "raw object bytes") {
            return;
        }
        let ours = leaves(spec.answer);
        let mut known = BTreeSet::new();
        for path in entry.answer_trees.iter().flat_map(|tree| paths(tree)) {
            let path = match path.strip_prefix(&format!("{root}/")) {
                Some(inside) => inside.to_owned(),
                None if path == "." => root.to_owned(),
                None => path,
            };
            if !ours.contains(&path) && !NOT_ON_THE_WIRE.contains(&path.as_str()) {
                self.report(format!("the answer has no {path}"));
            }
            known.insert(path);
        }
        for path in ours.iter().filter(|path| !known.contains(*path)) {
            if !goes_beyond(spec.name, path) {
                self.report(format!("{path} in the answer is not known to OSS"));
            }
        }
    }
}

/// Query parameters are told apart by case, headers are not.
fn is_query(row: &Row, name: &str, place: &str) -> bool {
    place == "query" && row.place == "query" && row.wire.to_lowercase() == name
}

/// The paths of the leaves in the bodies of these rows.
fn leaves(rows: &[Row]) -> Vec<String> {
    let mut leaves = Vec::new();
    for row in rows.iter().filter(|row| matches!(row.place, "xml" | "url" | "root" | "json")) {
        for name in row.wire.split('|') {
            if row.inside.is_empty() {
                leaves.push(name.to_owned());
            }
            leaves.extend(self::leaves(row.inside).iter().map(|inner| format!("{name}/{inner}")));
        }
    }
    leaves
}

fn goes_beyond(operation: &str, wire: &str) -> bool {
    BEYOND.iter().any(|(name, theirs)| (*name == operation || *name == "*") && *theirs == wire)
}

/// Names of fields in the SDKs that are no elements.
const NOT_ON_THE_WIRE: &[&str] = &["callback_result", "ObjectMix", "TransitionTime"];

/// What the tables have and the official SDKs do not model: `*` stands for any operation.
const BEYOND: &[(&str, &str)] = &[
    // Documented headers of what is stored.
    ("*", "content-language"),
    ("*", "content-type"),
    // The SDKs make it of two other fields.
    ("*", "x-oss-copy-source"),
    // Sent on every answer that has one (OSS document "CRC-64").
    ("UploadPartCopy", "x-oss-hash-crc64ecma"),
    // Quiet mode returns failures only (OSS document "DeleteMultipleObjects"); the SDKs read none.
    ("DeleteMultipleObjects", "Error/Code"),
    ("DeleteMultipleObjects", "Error/Key"),
    ("DeleteMultipleObjects", "Error/Message"),
    ("DeleteMultipleObjects", "Error/VersionId"),
    // In the documents of these lists, and not in the SDKs.
    ("ListMultipartUploads", "CommonPrefixes/Prefix"),
    // The SDKs' two kinds of entries have one list here.
    ("ListObjectVersions", "DeleteMarker/ETag"),
    ("ListObjectVersions", "DeleteMarker/RestoreInfo"),
    ("ListObjectVersions", "DeleteMarker/Size"),
    ("ListObjectVersions", "DeleteMarker/StorageClass"),
    ("ListObjectVersions", "DeleteMarker/TransitionTime"),
    ("ListObjectVersions", "DeleteMarker/Type"),
];
