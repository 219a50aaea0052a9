//! The memory that a signed request takes to compose.

#[path = "../../benches/compose/cases.rs"]
mod cases;

use cases::{NOW, credentials, drafts, service};
use oss_proto::Composer;

#[global_allocator]
static ALLOCATOR: oss_alloc::Counting = oss_alloc::Counting;

#[test]
fn a_request_takes_few_allocations_with_a_kept_composer() {
    let (service, credentials, mut composer) = (service(), credentials(), Composer::new());
    for (name, draft) in drafts() {
        composer.compose(&draft, &service, &credentials, NOW).unwrap();
        let (request, usage) = oss_alloc::measure(|| composer.compose(&draft, &service, &credentials, NOW));
        assert!(request.unwrap().headers().contains_key("authorization"));
        println!("figure: {name}/compose, allocations = {} allocations", usage.allocations);
        assert!(usage.allocations <= ALLOCATIONS_MAX, "{name}: {usage:?}");
    }
}

/// Host and path, the list of headers and that of the query, the buffer of all texts and its count of
/// holders, the two halves of the header map, the length of the body, and a name for each entry of metadata.
const ALLOCATIONS_MAX: usize = 12;
