//! The conformance suite on `oss-hyper`.

use oss_sim::conformance::{conformance, hyper};

#[test]
fn the_hyper_driver_conforms() {
    conformance(hyper);
}
