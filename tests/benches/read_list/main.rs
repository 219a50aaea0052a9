//! How fast a page of a list is read, against a plain scan of its leaves.
//!
//! `cargo bench -p oss-sim` prints the statistics of each way and then one table in which all ways took
//! turns, so that the ratios are of the same moment.
//!
//! The floor, `plain scan`, is what nobody who wants the texts can do without: it searches `<` and `>` with
//! `memchr`, takes what stands between a tag and the end tag behind it, and adds up the bytes of each such
//! text. It checks nothing, keeps nothing, resolves nothing and does not know one name from another.
#![allow(missing_docs, reason = "criterion_group! makes a public function without one")]
#![allow(clippy::unwrap_used)]

mod page;
#[path = "../turns/mod.rs"]
mod turns;

use core::hint::black_box;

use bytes::Bytes;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use memchr::memchr;
use oss_proto::xml::Reader;
use oss_proto::{ListObjectsV2, Operation, ReplyHead};
use quick_xml::events::Event;

/// The bytes of all leaves, added up.
fn plain_scan(page: &[u8]) -> u64 {
    let mut sum = 0_u64;
    let mut rest = page;
    while let Some(open) = memchr(b'<', rest) {
        let Some(close) = memchr(b'>', &rest[open..]) else { break };
        let text = &rest[open + close + 1..];
        let Some(len) = memchr(b'<', text) else { break };
        if rest.get(open + 1) != Some(&b'/') && text.get(len + 1) == Some(&b'/') {
            sum += text[..len].iter().map(|&byte| u64::from(byte)).sum::<u64>();
        }
        rest = &text[len..];
    }
    sum
}

/// Every check, and the texts as parts of the page: what a reader of one's own over `xml::Reader` costs.
fn borrowed(page: &[u8]) -> usize {
    fn walk(reader: &mut Reader<'_>, bytes: &mut usize, levels: usize) {
        while let Some(name) = reader.child().unwrap() {
            if levels > 0 && (name == "Contents" || name == "Owner") {
                walk(reader, bytes, levels - 1);
            } else {
                *bytes += reader.text().unwrap().len();
            }
        }
    }
    let mut reader = Reader::open(page, "ListBucketResult").unwrap();
    let mut bytes = 0;
    walk(&mut reader, &mut bytes, 2);
    bytes + usize::from(reader.finish().unwrap())
}

/// What an application gets: typed fields of its own, keys decoded.
fn owned(page: &Bytes) -> usize {
    let output = ListObjectsV2::read(&ReplyHead::default(), page).unwrap();
    black_box(&output).contents.len()
}

/// The events of `quick-xml`, each leaf as a string of its own, no types.
fn quick_xml_strings(page: &str) -> usize {
    let mut reader = quick_xml::Reader::from_str(page);
    let mut leaves: Vec<(String, String)> = Vec::new();
    let (mut name, mut text) = (String::new(), String::new());
    loop {
        match reader.read_event().unwrap() {
            Event::Start(tag) => {
                name = tag.name().as_ref().to_owned();
                text = String::new();
            }
            Event::Text(piece) => text.push_str(&piece),
            Event::End(tag) if tag.name().as_ref() == name => {
                leaves.push((core::mem::take(&mut name), core::mem::take(&mut text)));
            }
            Event::Eof => return black_box(&leaves).len(),
            _ => {}
        }
    }
}

/// A tree of `roxmltree`, from which each leaf is taken as a string of its own.
fn roxmltree_strings(page: &str) -> usize {
    let document = roxmltree::Document::parse(page).unwrap();
    let is_leaf = |node: &roxmltree::Node<'_, '_>| {
        node.is_element() && !node.has_children()
            || node.children().count() == 1 && node.first_child().is_some_and(|child| child.is_text())
    };
    let leaves = document.descendants().filter(is_leaf);
    let leaves: Vec<(String, String)> = leaves
        .map(|leaf| (leaf.tag_name().name().to_owned(), leaf.text().unwrap_or_default().to_owned()))
        .collect();
    black_box(&leaves).len()
}

fn statistics(criterion: &mut Criterion) {
    let page = Bytes::from(page::page());
    let mut group = criterion.benchmark_group("list-objects-v2");
    group.throughput(Throughput::Bytes(page.len() as u64));
    for (name, way) in WAYS {
        group.bench_function(*name, |bencher| bencher.iter(|| way(black_box(&page))));
    }
    group.finish();
    table(&page);
}

fn table(page: &Bytes) {
    let run = |way: Way| move || _ = black_box(way(black_box(page)));
    let mut runs: Vec<_> = WAYS.iter().map(|(_, way)| run(*way)).collect();
    let mut runs: Vec<&mut dyn FnMut()> = runs.iter_mut().map(|run| run as _).collect();
    let best = turns::best(TURNS, &mut runs);
    println!("\n{} bytes, {} objects, best of {TURNS} turns", page.len(), page::OBJECTS);
    for ((name, _), time) in WAYS.iter().zip(&best) {
        println!("{name:<20} {:>8.1} µs", time.as_secs_f64() * 1e6);
        let ratio = time.as_secs_f64() / best[0].as_secs_f64();
        turns::figure(&format!("list page, {name}"), ratio, "x the plain scan");
    }
}

type Way = fn(&Bytes) -> usize;

const WAYS: &[(&str, Way)] = &[
    ("plain scan", |page| plain_scan(page) as usize),
    ("borrowed", |page| borrowed(page)),
    ("owned and typed", owned),
    ("quick-xml, strings", |page| quick_xml_strings(core::str::from_utf8(page).unwrap())),
    ("roxmltree, strings", |page| roxmltree_strings(core::str::from_utf8(page).unwrap())),
];
const TURNS: u32 = 300;

criterion_group!(benches, statistics);
criterion_main!(benches);
