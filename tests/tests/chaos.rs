//! A few seconds of chaos on real sockets; `cargo xtask chaos` goes on for longer.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use oss_sim::chaos::{Options, run};

#[test]
fn g17_i01_i03_i07_no_wrong_byte_no_late_end_and_nothing_left_behind() {
    let options = Options { seed: 7, seconds: 4, callers: 24, ..Options::default() };
    let report = run(options).unwrap();
    assert_eq!(report.violations(), [""; 0], "{report}");
    assert!(report.successes() > 100 && report.faults() > 50, "{report}");
}
