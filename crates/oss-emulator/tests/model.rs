//! The emulator beside a model that is as simple as the rules allow, under random sequences of operations.
//!
//! A failure names its seed: put it into `SEEDS` and run again.
#![allow(clippy::unwrap_used)]

mod common;

extern crate alloc;

use alloc::collections::{BTreeMap, BTreeSet};
use core::ops::Range;
use core::panic::AssertUnwindSafe;
use std::panic::catch_unwind;

use common::{Answer, BUCKET, Bench};

const SEEDS: Range<u64> = 0..2_200;
const STEPS: usize = 20;
const KEYS: [&str; 6] = ["a", "a/b", "a/c", "b/", "b/a/x", "c"];

/// Keys with their versions, the oldest first.
#[derive(Default)]
struct Model {
    versioning: Option<bool>,
    keys: BTreeMap<&'static str, Vec<Version>>,
}

#[derive(Clone)]
struct Version {
    id: String,
    /// `None` is a delete marker.
    content: Option<Content>,
}

#[derive(Clone, PartialEq, Debug)]
struct Content {
    bytes: Vec<u8>,
    is_appendable: bool,
}

impl Model {
    fn current(&self, key: &str) -> Option<&Content> {
        self.keys.get(key)?.last()?.content.as_ref()
    }

    fn find(&self, key: &str, id: Option<&str>) -> Option<&Version> {
        let versions = self.keys.get(key)?;
        match id {
            Some(id) => versions.iter().find(|version| version.id == id),
            None => versions.last(),
        }
    }

    /// What reading answers.
    fn read(&self, key: &str, id: Option<&str>) -> Result<&Content, &'static str> {
        match (self.find(key, id), id) {
            (Some(Version { content: Some(content), .. }), _) => Ok(content),
            (Some(_), Some(_)) => Err("405 MethodNotAllowed"),
            (None, Some(id)) if id != "null" => Err("404 NoSuchVersion"),
            _ => Err("404 NoSuchKey"),
        }
    }

    /// A new version, whose id only the emulator knows.
    fn push(&mut self, key: &'static str, content: Option<Content>, answer: &Answer) {
        let id = answer.header("x-oss-version-id");
        match self.versioning {
            None => assert_eq!(id, None),
            Some(false) => assert_eq!(id, Some("null")),
            Some(true) => assert!(id.unwrap().len() == 64),
        }
        let id = id.unwrap_or("null").to_owned();
        let versions = self.keys.entry(key).or_default();
        match id.as_str() {
            "null" => versions.retain(|version| version.id != "null"),
            id => assert!(versions.iter().all(|version| version.id != id)),
        }
        versions.push(Version { id, content });
    }

    fn delete(&mut self, key: &'static str, id: Option<&str>, answer: &Answer) {
        assert_eq!(answer.status, 204);
        let gone = match (id, self.versioning) {
            (None, Some(_)) => return self.push(key, None, answer),
            (None, None) => self.keys.remove(key).map(|_| true),
            (Some(id), _) => self.keys.get_mut(key).and_then(|versions| {
                let at = versions.iter().position(|version| version.id == id)?;
                Some(versions.remove(at).content.is_some())
            }),
        };
        assert_eq!(answer.header("x-oss-delete-marker").is_some(), gone == Some(false));
        self.keys.retain(|_, versions| !versions.is_empty());
    }

    fn listed(&self) -> Vec<&'static str> {
        self.keys.keys().copied().filter(|key| self.current(key).is_some()).collect()
    }
}

/// SplitMix64.
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((mixed ^ mixed >> 31) % bound as u64) as usize
    }

    fn key(&mut self) -> &'static str {
        KEYS[self.below(KEYS.len())]
    }

    fn text(&mut self) -> String {
        (0..self.below(9)).map(|_| char::from(b'a' + self.below(26) as u8)).collect()
    }

    /// No version, one that exists, `null`, or one that never was.
    fn version(&mut self, model: &Model, key: &str) -> Option<String> {
        let known = model.keys.get(key).map_or(&[][..], |versions| versions);
        match self.below(4) {
            0 if !known.is_empty() => Some(known[self.below(known.len())].id.clone()),
            1 => Some("null".to_owned()),
            2 => Some("CAEQ0".to_owned()),
            _ => None,
        }
    }
}

#[test]
fn the_emulator_agrees_with_the_model() {
    for seed in SEEDS {
        let run = || {
            let (mut bench, mut model, mut chance) = (Bench::new(seed), Model::default(), Chance(seed));
            for _ in 0..STEPS {
                step(&mut bench, &mut model, &mut chance);
            }
            check_listings(&mut bench, &model, &mut chance);
        };
        assert!(catch_unwind(AssertUnwindSafe(run)).is_ok(), "the seed is {seed}");
    }
}

fn step(bench: &mut Bench, model: &mut Model, chance: &mut Chance) {
    let key = chance.key();
    match chance.below(16) {
        0..=3 => put(bench, model, chance, key),
        4..=5 => append(bench, model, chance, key),
        6 => multipart(bench, model, chance, key),
        7..=8 => copy(bench, model, chance, key),
        9..=10 => {
            let version = chance.version(model, key);
            let query = version.as_ref().map_or(String::new(), |id| format!("versionId={id}"));
            let answer = bench.delete(key, &query);
            model.delete(key, version.as_deref(), &answer);
        }
        11 if chance.below(3) == 0 => {
            let enabled = chance.below(2) == 0;
            let status = if enabled { "Enabled" } else { "Suspended" };
            let body =
                format!("<VersioningConfiguration><Status>{status}</Status></VersioningConfiguration>");
            assert_eq!(bench.put("", "versioning", &[], &body).status, 200);
            model.versioning = Some(enabled);
        }
        12 => check_listings(bench, model, chance),
        _ => read(bench, model, chance, key),
    }
}

fn put(bench: &mut Bench, model: &mut Model, chance: &mut Chance, key: &'static str) {
    let (text, forbids) = (chance.text(), chance.below(3) == 0);
    let forbid = [("x-oss-forbid-overwrite", "true")];
    let answer = bench.put(key, "", if forbids { &forbid } else { &[] }, &text);
    if forbids && model.versioning.is_none() && model.current(key).is_some() {
        return assert_eq!(answer.outcome(), "409 FileAlreadyExists");
    }
    assert_eq!(answer.status, 200);
    model.push(key, Some(Content { bytes: text.into(), is_appendable: false }), &answer);
}

fn append(bench: &mut Bench, model: &mut Model, chance: &mut Chance, key: &'static str) {
    let text = chance.text();
    let length = model.current(key).map_or(0, |content| content.bytes.len());
    let position = if chance.below(4) == 0 { chance.below(4) } else { length };
    let answer = bench.post(key, &format!("append&position={position}"), &text);
    match model.current(key) {
        Some(content) if !content.is_appendable => assert_eq!(answer.outcome(), "409 ObjectNotAppendable"),
        _ if position != length => {
            assert_eq!(answer.outcome(), "409 PositionNotEqualToLength");
            assert_eq!(answer.header("x-oss-next-append-position"), Some(length.to_string().as_str()));
        }
        None => {
            assert_eq!(answer.status, 200);
            model.push(key, Some(Content { bytes: text.into(), is_appendable: true }), &answer);
        }
        Some(_) => {
            assert_eq!(answer.status, 200);
            let version = model.keys.get_mut(key).unwrap().last_mut().unwrap();
            let shown = model.versioning.map(|_| version.id.as_str());
            assert_eq!(answer.header("x-oss-version-id"), shown);
            version.content.as_mut().unwrap().bytes.extend_from_slice(text.as_bytes());
        }
    }
}

fn multipart(bench: &mut Bench, model: &mut Model, chance: &mut Chance, key: &'static str) {
    let id = bench.post(key, "uploads", "").element("UploadId");
    let (first, last) = (vec![0; if chance.below(4) == 0 { 102_400 } else { 10 }], chance.text());
    let mut list = String::new();
    for (number, body) in [(1, first.as_slice()), (7, last.as_bytes())] {
        let query = format!("partNumber={number}&uploadId={id}");
        let etag = bench.call("PUT", key, &query, &[], body).header("etag").unwrap().to_owned();
        list += &format!("<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag></Part>");
    }
    let query = format!("uploadId={id}");
    if chance.below(5) == 0 {
        assert_eq!(bench.delete(key, &query).status, 204);
        return assert_eq!(bench.get(key, &query).outcome(), "404 NoSuchUpload");
    }
    let answer =
        bench.post(key, &query, &format!("<CompleteMultipartUpload>{list}</CompleteMultipartUpload>"));
    if first.len() < 102_400 {
        assert_eq!(answer.outcome(), "400 EntityTooSmall");
        return assert_eq!(bench.delete(key, &query).status, 204);
    }
    assert_eq!(answer.status, 200);
    let bytes = [first, last.into_bytes()].concat();
    model.push(key, Some(Content { bytes, is_appendable: false }), &answer);
}

fn copy(bench: &mut Bench, model: &mut Model, chance: &mut Chance, key: &'static str) {
    let source = chance.key();
    let version = chance.version(model, source);
    let query = version.as_ref().map_or(String::new(), |id| format!("?versionId={id}"));
    let header = format!("/{BUCKET}/{source}{query}");
    let answer = bench.put(key, "", &[("x-oss-copy-source", &header)], "");
    match model.read(source, version.as_deref()).cloned() {
        Ok(content) => {
            assert_eq!(answer.status, 200);
            model.push(key, Some(Content { is_appendable: false, ..content }), &answer);
        }
        Err("405 MethodNotAllowed") => assert_eq!(answer.outcome(), "400 InvalidArgument"),
        Err(refusal) => assert_eq!(answer.outcome(), refusal),
    }
}

fn read(bench: &mut Bench, model: &Model, chance: &mut Chance, key: &str) {
    let version = chance.version(model, key);
    let query = version.as_ref().map_or(String::new(), |id| format!("versionId={id}"));
    let answer = bench.get(key, &query);
    match model.read(key, version.as_deref()) {
        Ok(content) => {
            assert_eq!((answer.status, &answer.body[..]), (200, &content.bytes[..]));
            let found = model.find(key, version.as_deref()).unwrap();
            let shown = model.versioning.map(|_| found.id.as_str());
            assert_eq!(answer.header("x-oss-version-id"), shown);
            let is_appendable = answer.header("x-oss-object-type") == Some("Appendable");
            assert_eq!(is_appendable, content.is_appendable);
        }
        Err(refusal) => assert_eq!(answer.outcome(), refusal),
    }
}

/// All pages together: current keys, grouped or not, and versions.
fn check_listings(bench: &mut Bench, model: &Model, chance: &mut Chance) {
    let max = 1 + chance.below(4);
    let prefix = ["", "a", "b/"][chance.below(3)];
    let delimiter = ["", "%2F"][chance.below(2)];
    let (mut found, mut token) = (BTreeSet::new(), String::new());
    loop {
        let query = format!("delimiter={delimiter}&list-type=2&max-keys={max}&prefix={prefix}{token}");
        let page = bench.get("", &query);
        let names = page.elements("Key").into_iter().chain(page.elements("Prefix").into_iter().skip(1));
        let before = found.len();
        found.extend(names);
        assert!(found.len() - before <= max);
        if page.element("IsTruncated") == "false" {
            break;
        }
        token = format!("&continuation-token={}", page.element("NextContinuationToken"));
    }
    let group = |key: &str| match key[prefix.len()..].find('/') {
        Some(at) if !delimiter.is_empty() => key[..=prefix.len() + at].to_owned(),
        _ => key.to_owned(),
    };
    let keys = model.listed().into_iter().filter(|key| key.starts_with(prefix));
    assert_eq!(found, keys.map(group).collect::<BTreeSet<_>>());

    let (mut ids, mut markers) = (Vec::new(), String::new());
    loop {
        let page = bench.get("", &format!("max-keys={max}{markers}&versions"));
        ids.extend(page.elements("Key").into_iter().zip(page.elements("VersionId")));
        if page.element("IsTruncated") == "false" {
            break;
        }
        let (key, id) = (page.element("NextKeyMarker"), page.element("NextVersionIdMarker"));
        markers = format!("&key-marker={}&version-id-marker={id}", key.replace('/', "%2F"));
    }
    let newest_first = model
        .keys
        .iter()
        .flat_map(|(key, versions)| versions.iter().rev().map(move |version| (key, version)));
    let expected: Vec<_> =
        newest_first.map(|(key, version)| ((*key).to_owned(), version.id.clone())).collect();
    assert_eq!(ids, expected);
}
