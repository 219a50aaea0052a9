//! The committed fuzz corpora, replayed on the stable toolchain; each target has a file, a body and a corpus.
#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};

use oss_sim::fuzz::TARGETS;

#[test]
fn g05_every_corpus_is_replayed() {
    for (name, body) in TARGETS {
        let files = corpus(name);
        assert!(!files.is_empty(), "fuzz/corpus/{name} is empty");
        for file in files {
            let bytes = std::fs::read(&file).unwrap();
            println!("{name}: {}", file.display());
            body(&bytes);
            // Truncations of what is interesting are interesting too.
            for end in (0..bytes.len().min(TRUNCATED_BYTES_MAX)).rev() {
                body(&bytes[..end]);
            }
        }
    }
}

#[test]
fn every_target_has_a_file_a_body_and_a_corpus() {
    let bodies: Vec<String> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert!(bodies.is_sorted_by(|a, b| a < b), "the table is in order, each name once");
    let files: Vec<String> = names("fuzz_targets").iter().map(|name| name.replace(".rs", "")).collect();
    assert_eq!(bodies, files, "bodies, and files in fuzz/fuzz_targets");
    assert_eq!(bodies, names("corpus"), "bodies, and folders in fuzz/corpus");
    for name in bodies {
        let text = std::fs::read_to_string(fuzz(&format!("fuzz_targets/{name}.rs"))).unwrap();
        assert!(text.contains(&format!("oss_sim::fuzz::{name}(")), "{name} calls another body");
        let manifest = std::fs::read_to_string(fuzz("Cargo.toml")).unwrap();
        assert!(
            manifest.contains(&format!("path = \"fuzz_targets/{name}.rs\"")),
            "{name} is not in Cargo.toml"
        );
    }
}

fn fuzz(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz").join(path)
}

fn names(folder: &str) -> Vec<String> {
    let entries = std::fs::read_dir(fuzz(folder)).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn corpus(name: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(fuzz(&format!("corpus/{name}"))).unwrap();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

const TRUNCATED_BYTES_MAX: usize = 300;
