//! Transfers in the simulated world.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod stories;

use oss_sim::conformance::Simulated;

#[test]
fn f34_f35_an_object_that_changes_between_parts() {
    stories::f34_f35(Simulated::new);
}

#[test]
fn f36_f37_a_part_that_breaks_off_at_every_byte() {
    stories::f36_f37(Simulated::new);
}

#[test]
fn f41_a_flipped_byte_and_another_range() {
    stories::f41(Simulated::new);
}

#[test]
fn f56_answers_to_parts_that_are_lost() {
    stories::f56(Simulated::new);
}

#[test]
fn f57_a_beginning_whose_answer_is_lost() {
    stories::f57(Simulated::new);
}

#[test]
fn f58_a_completion_whose_answer_is_lost() {
    stories::f58(Simulated::new);
}

#[test]
fn f61_an_append_whose_answer_is_lost() {
    stories::f61(Simulated::new);
}

#[test]
fn f65_a_part_that_fails_for_good() {
    stories::f65(Simulated::new);
}

#[test]
fn f66_parts_in_any_order() {
    stories::f66(Simulated::new);
}

#[test]
fn a_copy_in_parts_is_the_same_object() {
    stories::copies(Simulated::new);
}
