//! The memory that the page of a list takes to read.

use bytes::Bytes;
use oss_proto::{ListObjectsV2, Operation, ReplyHead};

#[path = "../../benches/read_list/page.rs"]
mod page;

#[global_allocator]
static ALLOCATOR: oss_alloc::Counting = oss_alloc::Counting;

#[test]
fn a_page_of_1000_objects_takes_no_more_than_its_texts() {
    let page = Bytes::from(page::page());
    let head = ReplyHead::default();
    let (output, usage) = oss_alloc::measure(|| ListObjectsV2::read(&head, &page));
    let output = output.unwrap();
    assert_eq!(output.contents.len(), page::OBJECTS);
    assert!(output.contents[1].key.starts_with("archive/2023/12/目录/"), "keys are decoded");
    println!("figure: list page of 1,000 objects, allocations = {} allocations", usage.allocations);
    let ratio = usage.peak_bytes as f64 / page.len() as f64;
    println!("figure: list page of 1,000 objects, most memory = {ratio:.3} x its bytes");
    assert!(usage.allocations <= ALLOCATIONS_MAX, "{usage:?}");
    assert!(usage.peak_bytes <= 3 * page.len(), "{usage:?} for {} bytes", page.len());
}

/// An answer that is refused has cost no more than one that is read.
#[test]
fn a_page_that_breaks_off_takes_no_more_than_a_whole_one() {
    let page = Bytes::from(page::page());
    let head = ReplyHead::default();
    let (output, usage) = oss_alloc::measure(|| ListObjectsV2::read(&head, &page.slice(..page.len() - 9)));
    assert!(output.is_err());
    assert!(usage.allocations <= ALLOCATIONS_MAX, "{usage:?}");
    assert!(usage.peak_bytes <= 3 * page.len(), "{usage:?}");
}

/// Each object has five texts that are kept (key, type, tag, owner's id and name); the rest is for the list
/// and what stands around it.
const ALLOCATIONS_MAX: usize = 5_100;
