//! The expectation of a case as words.

use super::calls::Call;
use super::rules::{Class, Expected, Kind, Outcome};

/// What must come of it, and why.
pub(super) fn words(call: &Call, expected: &Expected) -> String {
    let count = expected.requests.len();
    let looks = expected.requests.contains(&"look");
    let requests = match count {
        0 => "no request leaves".to_owned(),
        1 => "one request".to_owned(),
        count => format!("{count} requests"),
    };
    let looked = if looks { ", of which a look tells whether the write was made" } else { "" };
    let end = match &expected.result {
        Ok(()) => "then success",
        Err((Kind::Callback, _)) => "then an error that says that the object is stored",
        Err((_, Outcome::NotSent)) => "then an error: nothing of it was sent",
        Err((_, Outcome::Rejected)) => "then an error: it had no effect",
        Err((_, Outcome::Unknown)) => "then an error that leaves the outcome open",
    };
    let reason = match (&expected.result, call.class) {
        (Err(_), _) if expected.is_spent => ", since its body cannot be read again",
        (Err((_, Outcome::Unknown)), Class::Once) => ", since a second arrival would count again",
        (Err((_, Outcome::Unknown)), Class::Orphaning) => ", since each arrival leaves an upload",
        _ => "",
    };
    format!("{requests}{looked}, {end}{reason}")
}
