//! The conformance suite on the drivers of the workspace.

extern crate alloc;

use alloc::collections::BTreeSet;
use oss_sim::conformance::{blocking, conformance, scenarios, simulated};

#[test]
fn the_simulated_driver_conforms() {
    conformance(simulated);
}

#[test]
fn the_blocking_driver_conforms() {
    conformance(blocking);
}

#[test]
fn every_scenario_has_a_name_of_its_own_and_says_what_must_come_of_it() {
    let mut names = BTreeSet::new();
    for scenario in scenarios() {
        assert!(names.insert(scenario.name), "{}", scenario.name);
        assert!(!scenario.expected.0.is_empty(), "{}", scenario.name);
    }
    assert!(names.len() >= 40, "{}", names.len());
}

/// I10: the same inputs give the same events.
#[test]
fn i10_a_simulated_run_is_repeatable() {
    for scenario in scenarios() {
        assert_eq!(simulated(&scenario), simulated(&scenario), "{}", scenario.name);
    }
}
