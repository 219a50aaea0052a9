//! Many calls in trouble, in virtual time: what a client adds to an outage, and how soon it is over.

use oss_sim::sim::storm::{self, Figure};

fn met(figure: &Figure) {
    println!("{figure}");
    assert!(figure.is_met(), "{figure}");
}

#[test]
fn f67_a_total_outage_brings_hardly_more_requests_than_calls() {
    met(&storm::total_outage());
}

#[test]
fn f67_after_an_outage_the_full_rate_is_back_within_a_minute() {
    met(&storm::recovery(10));
    met(&storm::recovery(100));
}

#[test]
fn f68_half_of_the_answers_failing_at_most_doubles_the_requests() {
    met(&storm::half_fails());
}

#[test]
fn f68_calls_that_fail_together_come_back_apart() {
    met(&storm::no_waves());
}

#[test]
fn f19_throttling_is_not_answered_with_more_requests() {
    met(&storm::pure_throttling());
    met(&storm::partial_throttling());
}
