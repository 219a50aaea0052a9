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

/// Path and query, the two halves of the header map, and each value of a header that is not the same text in
/// all requests.
const ALLOCATIONS_MAX: usize = 12;
