//! The catalogue finds what is wrong, and finds nothing wrong.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use oss_sim::catalog::{self, Entry};

fn with(name: &str, change: impl FnOnce(&mut Entry)) -> Vec<String> {
    let mut entries = catalog::entries().unwrap();
    change(entries.iter_mut().find(|entry| entry.name == name && entry.product == "core").unwrap());
    catalog::problems(&entries)
}

#[test]
fn the_tables_agree_with_the_vendors_operations() {
    assert_eq!(catalog::problems(&catalog::entries().unwrap()), Vec::<String>::new());
}

#[test]
fn the_page_about_operations_is_up_to_date() {
    let page = catalog::page(&catalog::entries().unwrap());
    assert!(std::fs::read_to_string(catalog::page_path()).unwrap() == page, "run cargo xtask catalog");
}

#[test]
fn each_kind_of_difference_is_found() {
    for (problems, expected) in [
        (with("PutSymlink", |e| e.method = "POST".into()), "PutSymlink: the method is POST, not PUT"),
        (with("PutSymlink", |e| e.scope = "B".into()), "PutSymlink: the scope is B, not BK"),
        (
            with("PutSymlink", |e| e.fixed.clear()),
            r#"PutSymlink: the fixed query is {}, not {("symlink", "")}"#,
        ),
        (with("GetSymlink", |e| e.query.push("other".into())), "GetSymlink: has no query other"),
        (with("GetSymlink", |e| e.query.clear()), "GetSymlink: query versionId is not known to OSS"),
        (with("PutObject", |e| e.headers.push("X-New".into())), "PutObject: has no header x-new"),
        (
            with("GetSymlink", |e| e.headers = vec!["x-oss-request-payer*".into()]),
            "GetSymlink: header x-oss-request-payer is required",
        ),
        (with("GetSymlink", |e| e.answer_headers.push("X-New".into())), "GetSymlink: has no header x-new"),
        (
            with("RestoreObject", |e| e.request_trees = vec!["RestoreRequest{Hours:int}".into()]),
            "RestoreObject: the request has no RestoreRequest/Hours",
        ),
        (
            with("ListObjects", |e| e.answer_trees.push("Contents*{New}".into())),
            "ListObjects: the answer has no Contents/New",
        ),
        (
            with("GetBucketAcl", |e| e.answer_trees = vec!["Owner{ID, DisplayName}".into()]),
            "GetBucketAcl: AccessControlList/Grant in the answer is not known to OSS",
        ),
        (
            with("CopyObject", |e| e.answer = "CopyResult".into()),
            r#"CopyObject: the answer is "CopyResult", not Xml { root: "CopyObjectResult" }"#,
        ),
        (with("PutObject", |e| e.name = "PostObject".into()), "PutObject: is no operation of OSS"),
    ] {
        assert_eq!(problems, [expected]);
    }
}
