//! Answers that are bent on harm: clocks that lie, lengths that contradict each other.

use oss_proto::{GetObject, PutObject, UnixTime};

use crate::conformance::Scenario;
use crate::peer::{Answer, BUCKET, Deed};

pub(super) fn scenarios() -> Vec<Scenario> {
    vec![false_dates(), two_lengths()]
}

fn put() -> PutObject {
    PutObject::new(BUCKET, "a.txt", "hello")
}

/// Only a refusal for skew speaks of clocks. An hour is a skew that would be believed; the others would not.
fn false_dates() -> Scenario {
    let dated = |date: &'static str| Deed::spoil(move |answer| answer.set("date", Some(date)));
    Scenario::new("f23_a_false_date_moves_no_clock")
        .deeds([
            Deed::spoil(an_hour_ahead),
            dated("Fri, 31 Dec 9999 23:59:59 GMT"),
            refused(403, "AccessDenied"),
            refused(500, "InternalError"),
            dated("Thu, 01 Jan 1970 00:00:00 GMT"),
            Deed::Serve,
        ])
        .call(put())
        .call(GetObject::new(BUCKET, "a.txt"))
        .call(put())
        .call(put())
        .call(GetObject::new(BUCKET, "a.txt"))
        .expects([
            "> PUT /bucket/a.txt signed, 5 bytes",
            "= PutObject 200, 1 attempt: crc 9b1edae5dbb937b1",
            "> GET /bucket/a.txt signed",
            "= GetObject 200, 1 attempt: \"hello\", crc 9b1edae5dbb937b1",
            "> PUT /bucket/a.txt signed, 5 bytes",
            "= PutObject failed: 403 AccessDenied; rejected, 1 attempt",
            "> PUT /bucket/a.txt signed, 5 bytes",
            "> PUT /bucket/a.txt signed, 5 bytes",
            "= PutObject 200, 2 attempts: crc 9b1edae5dbb937b1",
            "> GET /bucket/a.txt signed",
            "= GetObject 200, 1 attempt: \"hello\", crc 9b1edae5dbb937b1",
            "# a.txt: 5 bytes, crc 9b1edae5dbb937b1",
        ])
}

fn an_hour_ahead(answer: &mut Answer) {
    let date = answer.headers.iter().find(|(name, _)| name == "date").map(|(_, value)| value.clone());
    let date = date.and_then(|date| UnixTime::parse_http_date(&date));
    let date = date.map(|date| date.saturating_add(3600).http_date().to_string());
    answer.set("date", date.as_deref());
}

/// A refusal by a server whose clock is an hour ahead.
fn refused(status: u16, code: &'static str) -> Deed {
    Deed::spoil(move |answer| {
        an_hour_ahead(answer);
        answer.status = status;
        answer.set("content-length", None);
        answer.body = Answer::error(status, code).body;
    })
}

fn two_lengths() -> Scenario {
    let lengths = |lengths: &[&str]| {
        let answer = Answer::new(200).body("hello");
        Deed::Answer(lengths.iter().fold(answer, |answer, len| answer.header("content-length", *len)))
    };
    let get = || GetObject::new(BUCKET, "a.txt");
    Scenario::new("f45_b36_lengths_that_contradict_each_other")
        .deeds([lengths(&["5", "6"]), lengths(&["+5"]), lengths(&["-5"]), lengths(&["18446744073709551616"])])
        .call(get())
        .call(get())
        .call(get())
        .call(get())
        .expects([
            "> GET /bucket/a.txt signed",
            "= GetObject failed: the answer is no HTTP; unknown, 1 attempt",
            "> GET /bucket/a.txt signed",
            "= GetObject failed: the answer is no HTTP; unknown, 1 attempt",
            "> GET /bucket/a.txt signed",
            "= GetObject failed: the answer is no HTTP; unknown, 1 attempt",
            "> GET /bucket/a.txt signed",
            "= GetObject failed: the answer is no HTTP; unknown, 1 attempt",
        ])
}
