//! A mistyped row of a table is answered by a message that lists what may stand there.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::env;
use std::path::Path;
use std::process::Command;

/// What rustc says about a file that has the real macros and this table.
fn compile(table: &str) -> String {
    let macros = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/oss-proto/src/table/mod.rs");
    let source = format!("extern crate alloc;\n#[macro_use]\n#[path = {macros:?}]\nmod table;\n{table}\n");
    let folder = env::temp_dir().join(format!("oss-table-message-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("lib.rs");
    std::fs::write(&file, source).unwrap();
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let mut command = Command::new(rustc);
    command.args(["--edition", "2024", "--crate-type", "lib", "--emit", "metadata"]);
    let output = command.arg("--out-dir").arg(&folder).arg(&file).output().unwrap();
    std::fs::remove_dir_all(&folder).unwrap();
    assert!(!output.status.success());
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_mistyped_row_is_answered_with_what_may_stand_there() {
    for (table, message) in [
        (
            r#"operation! { Get = GET Bucket [] () { acl: String = heder "x-oss-acl" } -> none }"#,
            "error: `heder` in `acl` is no place of a request; they are header, query, prefix, xml, form, \
             expected (with a name), body and carried",
        ),
        (
            r#"operation! { Get = GET Bucket [] () {} -> head Got { acl: Option<u8> = query "x-oss-acl" } }"#,
            "error: `query` in `acl` is no place of an answer; they are header, prefix, xml, url, root, json \
             (with a wire name) and body",
        ),
        (
            "operation! { Get = GET Bucket [] () {} -> nothing }",
            "error: `nothing` is no kind of answer; the kinds are none, head, xml, collect and stream",
        ),
        (
            "operation! { Get = GET Bucket fast [] () {} -> none }",
            "error: `fast` is no flag of an operation; they are slow, typed, checked, versioned",
        ),
    ] {
        let said = compile(table);
        assert!(said.contains(message), "{table}\n{said}");
    }
}
