//! The tables of the operations as data: names, places, and that what is sent is what the table says.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

extern crate alloc;

use alloc::collections::BTreeSet;
use oss_proto::ops::ALL;
use oss_proto::{Draft, Effect, ReplyKind, Row, Scope, Spec, Tabled};
use oss_sim::every::{Site, Visitor, every};

#[test]
fn names_are_the_vendors_and_each_stands_once() {
    let names: Vec<_> = ALL.iter().map(|spec| spec.name).collect();
    assert!(names.is_sorted(), "{names:?}");
    assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len());
    for spec in ALL {
        assert!(spec.name.chars().all(|c| c.is_ascii_alphanumeric()), "{}", spec.name);
        assert!(["GET", "HEAD", "PUT", "POST", "DELETE"].contains(&spec.method), "{}", spec.name);
    }
}

#[test]
fn a_name_on_the_wire_stands_once_in_its_place() {
    for spec in ALL {
        for rows in [spec.fields, spec.answer] {
            let mut places = BTreeSet::new();
            let mut fields = BTreeSet::new();
            for Row { field, place, wire, .. } in rows {
                assert!(places.insert((*place, *wire)), "{}: {place} {wire}", spec.name);
                assert!(fields.insert(*field), "{}: {field}", spec.name);
            }
        }
        let mut queries: Vec<_> = spec.fixed.iter().map(|(name, _)| *name).collect();
        queries.extend(spec.fields.iter().filter(|row| row.place == "query").map(|row| row.wire));
        assert_eq!(
            queries.iter().collect::<BTreeSet<_>>().len(),
            queries.len(),
            "{}: {queries:?}",
            spec.name
        );
    }
}

#[test]
fn headers_are_in_lower_case_and_none_is_the_clients_own() {
    let own = ["authorization", "host", "date", "content-length", "x-oss-date", "x-oss-content-sha256"];
    for spec in ALL {
        for row in spec.fields.iter().chain(spec.answer) {
            assert!(PLACES.contains(&row.place), "{}: {}", spec.name, row.place);
            if !matches!(row.place, "header" | "prefix") {
                continue;
            }
            let is_lower =
                row.wire.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
            assert!(is_lower && !row.wire.is_empty(), "{}: {}", spec.name, row.wire);
        }
        for row in spec.fields.iter().filter(|row| row.place == "header") {
            assert!(!own.contains(&row.wire), "{}: {}", spec.name, row.wire);
        }
    }
}

#[test]
fn what_is_always_in_the_query_is_known() {
    for spec in ALL {
        for (name, value) in spec.fixed {
            assert!(FIXED.contains(&(*name, *value)), "{}: {name}={value}", spec.name);
        }
    }
}

/// What a table may leave out follows from its method, except for these.
#[test]
fn what_a_second_arrival_does_follows_from_the_method_unless_it_is_said() {
    for spec in ALL {
        let by_method = match spec.method {
            "GET" | "HEAD" => Effect::Read,
            "PUT" | "DELETE" => Effect::Idempotent,
            _ => Effect::Once,
        };
        let due = match spec.name {
            "InitiateMultipartUpload" => Effect::Orphaning,
            "CompleteMultipartUpload" | "AppendObject" => Effect::Conditional,
            "DeleteMultipleObjects" | "RestoreObject" | "CleanRestoredObject" | "SealAppendObject" => {
                Effect::Idempotent
            }
            _ => by_method,
        };
        assert_eq!(spec.effect, due, "{}", spec.name);
    }
}

#[test]
fn what_is_sent_is_what_the_table_says() {
    let mut shown = BTreeSet::new();
    for (spec, draft) in drafts() {
        assert_eq!(draft.operation, spec.name);
        assert_eq!(draft.method.as_str(), spec.method, "{}", spec.name);
        assert_eq!(
            (draft.scope, draft.reply, draft.effect),
            (spec.scope, spec.reply, spec.effect),
            "{}",
            spec.name
        );
        assert_eq!(draft.slow, spec.slow, "{}", spec.name);
        assert_eq!(draft.bucket.is_some(), spec.scope != Scope::Service, "{}", spec.name);
        assert_eq!(draft.key.is_some(), spec.scope == Scope::Object, "{}", spec.name);
        for (name, value) in spec.fixed {
            let is_sent = draft.query.iter().any(|(other, sent)| other == name && sent == value);
            assert!(is_sent, "{}: {name}", spec.name);
        }
        for row in spec.fields.iter().filter(|row| row.required) {
            let is_sent = match row.place {
                "header" => draft.header(row.wire).is_some(),
                "query" => draft.query.iter().any(|(name, _)| name == row.wire),
                _ => !draft.body.is_empty(),
            };
            assert!(is_sent, "{}: {}", spec.name, row.field);
        }
        // Nothing that no row names.
        let known = |place, name: &str| spec.fields.iter().any(|row| row.place == place && row.wire == name);
        for (name, _) in &draft.query {
            assert!(spec.fixed.iter().any(|(fixed, _)| fixed == name) || known("query", name), "{name}");
        }
        for (name, _) in &draft.headers {
            let of_document = matches!(name.as_ref(), "content-type" | "content-md5");
            assert!(of_document || known("header", name), "{}: {name}", spec.name);
        }
        assert!(shown.insert(spec.name), "{} twice", spec.name);
    }
    assert!(ALL.iter().all(|spec| shown.contains(spec.name)), "{shown:?}");
}

#[test]
fn a_document_is_read_with_its_root_and_a_head_from_headers() {
    for spec in ALL {
        let reads = |place| spec.answer.iter().any(|row| row.place == place);
        let reads_document = reads("xml") || reads("url") || reads("root");
        match spec.reply {
            ReplyKind::Xml { root } => assert!(!root.is_empty() && reads_document, "{}", spec.name),
            ReplyKind::Head | ReplyKind::Stream => assert!(!reads_document, "{}", spec.name),
            _ => {}
        }
    }
}

/// Every operation with what it requires and nothing else.
fn drafts() -> Vec<(&'static Spec, Draft)> {
    struct Drafts(Vec<(&'static Spec, Draft)>);
    impl Visitor for Drafts {
        fn visit<O: Tabled + 'static>(&mut self, operation: O) {
            self.0.push((O::SPEC, operation.draft().unwrap()));
        }
    }
    let mut drafts = Drafts(Vec::new());
    every(&Site::default(), &mut drafts);
    drafts.0
}

const PLACES: [&str; 11] =
    ["header", "query", "prefix", "body", "xml", "url", "root", "carried", "expected", "form", "json"];
/// Sub-resources and fixed parameters of the API reference.
const FIXED: [(&str, &str); 22] = [
    ("acl", ""),
    ("append", ""),
    ("bucketInfo", ""),
    ("cleanRestoredObject", ""),
    ("cloudboxes", ""),
    ("delete", ""),
    ("encoding-type", "url"),
    ("list-type", "2"),
    ("location", ""),
    ("objectMeta", ""),
    ("regions", ""),
    ("requestPayment", ""),
    ("restore", ""),
    ("seal", ""),
    ("stat", ""),
    ("symlink", ""),
    ("tagging", ""),
    ("uploads", ""),
    ("versioning", ""),
    ("versions", ""),
    ("x-oss-async-process", ""),
    ("x-oss-process", ""),
];
