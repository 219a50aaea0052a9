//! The connection and the way of the request.

use core::time::Duration;

use oss_proto::{GetObject, HeadObject, Payload, PutObject, Replay};

use super::{impatient, list, once, post};
use crate::conformance::{Content, Scenario, Step};
use crate::peer::{Answer, BUCKET, Deed, End};

pub(super) fn scenarios() -> Vec<Scenario> {
    let mut all = vec![refused(), refused_once(), stale(), reset_while_sending(), reset_conditional()];
    all.extend([reset_once(), source_breaks(), source_too_short(), source_too_long(), spent(), replayed()]);
    all.extend([early_refusal(), early_moment(), upload_stalls(), poisoned(), silence(), silence_once()]);
    all.extend([deadline_in_silence(), deadline_before_backoff(), interim(), kept()]);
    all
}

fn put() -> PutObject {
    PutObject::new(BUCKET, "a.txt", "hello")
}

/// A body larger than what sockets and buffers swallow.
fn large() -> PutObject {
    PutObject::new(BUCKET, "a.txt", vec![b'x'; 24 << 20])
}

fn refused() -> Scenario {
    Scenario::new("f02_no_connection")
        .down()
        .call(GetObject::new(BUCKET, "a.txt"))
        .expects(["= GetObject failed: no connection could be made; not sent, 3 attempts"])
}

fn refused_once() -> Scenario {
    Scenario::new("f02_no_connection_for_a_call_that_must_not_be_made_twice")
        .down()
        .call(post())
        .expects(["= InitiateBucketWorm failed: no connection could be made; not sent, 3 attempts"])
}

fn stale() -> Scenario {
    let closing = Deed::spoil(|answer| answer.end = End::ThenClose);
    Scenario::new("f06_a_kept_connection_that_was_closed_costs_nothing")
        .tuned(once)
        .watches_connections()
        .hides_attempts()
        .deeds([closing])
        .call(put())
        .then(Step::Pause(Duration::from_millis(100)))
        .call(post())
        .expects([
            "> PUT /bucket/a.txt signed, 5 bytes",
            "= PutObject 200: crc 9b1edae5dbb937b1",
            "> POST /bucket/?worm signed, 5 bytes",
            "= InitiateBucketWorm failed: 400 MalformedXML; rejected",
            "# a.txt: 5 bytes, crc 9b1edae5dbb937b1",
        ])
}

fn kept() -> Scenario {
    Scenario::new("a_connection_is_kept")
        .watches_connections()
        .call(put())
        .call(GetObject::new(BUCKET, "a.txt"))
        .call(HeadObject::new(BUCKET, "b.txt"))
        .call(GetObject::new(BUCKET, "b.txt"))
        .call(list())
        .expects([
            "> PUT /bucket/a.txt signed, 5 bytes",
            "= PutObject 200, 1 attempt: crc 9b1edae5dbb937b1",
            "> GET /bucket/a.txt signed, on a used connection",
            "= GetObject 200, 1 attempt: \"hello\", crc 9b1edae5dbb937b1",
            "> HEAD /bucket/b.txt signed, on a used connection",
            "= HeadObject failed: 404 NoSuchKey; rejected, 1 attempt",
            "> GET /bucket/b.txt signed, on a used connection",
            "= GetObject failed: 404 NoSuchKey; rejected, 1 attempt",
            "> GET /bucket/?encoding-type=url&list-type=2 signed, on a used connection",
            "= ListObjectsV2 200, 1 attempt: a.txt",
            "# a.txt: 5 bytes, crc 9b1edae5dbb937b1",
        ])
}

fn reset_while_sending() -> Scenario {
    Scenario::new("f07_a_reset_while_sending_is_repeated")
        .deeds([Deed::Close(100_000)])
        .call(large())
        .expects([
            "> PUT /bucket/a.txt signed, part of its body",
            "> PUT /bucket/a.txt signed, 25165824 bytes",
            "= PutObject 200, 2 attempts: crc 84ff55bc4bf6fb56",
            "# a.txt: 25165824 bytes, crc 84ff55bc4bf6fb56",
        ])
}

fn reset_conditional() -> Scenario {
    Scenario::new("f08_a_reset_of_a_conditional_write_is_looked_up")
        .deeds([Deed::Close(100_000)])
        .call(large().forbid_overwrite(true))
        .expects([
            "> PUT /bucket/a.txt signed, x-oss-forbid-overwrite: true, part of its body",
            "> HEAD /bucket/a.txt signed",
            "> PUT /bucket/a.txt signed, x-oss-forbid-overwrite: true, 25165824 bytes",
            "= PutObject 200, 3 attempts: crc 84ff55bc4bf6fb56",
            "# a.txt: 25165824 bytes, crc 84ff55bc4bf6fb56",
        ])
}

fn reset_once() -> Scenario {
    Scenario::new("f08_a_reset_of_a_call_that_must_not_be_made_twice")
        .deeds([Deed::Close(0)])
        .call(post())
        .expects([
            "> POST /bucket/?worm signed, part of its body",
            "= InitiateBucketWorm failed: the connection broke; unknown, 1 attempt",
        ])
}

fn source_breaks() -> Scenario {
    let body = Payload::Stream { len: Some(1 << 20), replay: Replay::FromStart };
    Scenario::new("f09_a_source_that_breaks")
        .hides_broken_requests()
        .stream(PutObject::new(BUCKET, "a.txt", body), Content::failing_after(vec![b'x'; 1 << 20], 300_000))
        .call(list())
        .expects([
            "= PutObject failed: the request body failed at its source; rejected, 1 attempt",
            "> GET /bucket/?encoding-type=url&list-type=2 signed",
            "= ListObjectsV2 200, 1 attempt",
        ])
}

fn source_too_short() -> Scenario {
    let body = Payload::Stream { len: Some(300_000), replay: Replay::FromStart };
    Scenario::new("f09_a_source_that_is_too_short")
        .hides_broken_requests()
        .stream(PutObject::new(BUCKET, "a.txt", body), Content::new(vec![b'x'; 200_000]))
        .call(list())
        .expects([
            "= PutObject failed: the request body failed at its source; rejected, 1 attempt",
            "> GET /bucket/?encoding-type=url&list-type=2 signed",
            "= ListObjectsV2 200, 1 attempt",
        ])
}

fn source_too_long() -> Scenario {
    let body = Payload::Stream { len: Some(200_000), replay: Replay::FromStart };
    Scenario::new("f09_a_source_that_is_too_long")
        .hides_broken_requests()
        .stream(PutObject::new(BUCKET, "a.txt", body), Content::new(vec![b'x'; 300_000]))
        .call(list())
        .expects([
            "= PutObject failed: the request body failed at its source; rejected, 1 attempt",
            "> GET /bucket/?encoding-type=url&list-type=2 signed",
            "= ListObjectsV2 200, 1 attempt",
        ])
}

fn spent() -> Scenario {
    let body = Payload::Stream { len: Some(24 << 20), replay: Replay::Once };
    Scenario::new("f10_a_source_that_is_spent")
        .deeds([Deed::Close(100_000)])
        .stream(PutObject::new(BUCKET, "a.txt", body), Content::new(vec![b'x'; 24 << 20]))
        .expects([
            "> PUT /bucket/a.txt signed, part of its body",
            "= PutObject failed: the connection broke; unknown, 1 attempt, its body is spent",
        ])
}

fn replayed() -> Scenario {
    let body = Payload::Stream { len: Some(200_000), replay: Replay::FromStart };
    Scenario::new("f10_a_source_that_begins_again")
        .deeds([Deed::Answer(Answer::new(500))])
        .stream(PutObject::new(BUCKET, "a.txt", body), Content::new(vec![b'x'; 200_000]))
        .expects([
            "> PUT /bucket/a.txt signed, 200000 bytes",
            "> PUT /bucket/a.txt signed, 200000 bytes",
            "= PutObject 200, 2 attempts: crc 94c7d558fcf9686e",
            "# a.txt: 200000 bytes, crc 94c7d558fcf9686e",
        ])
}

fn early_refusal() -> Scenario {
    Scenario::new("f11_a_refusal_before_the_body_has_left")
        .deeds([Deed::Early(100_000, Answer::error(403, "AccessDenied"))])
        .call(large())
        .expects([
            "> PUT /bucket/a.txt signed, part of its body",
            "= PutObject failed: 403 AccessDenied; rejected, 1 attempt",
        ])
}

fn early_moment() -> Scenario {
    Scenario::new("f11_a_bad_moment_before_the_body_has_left")
        .deeds([Deed::Early(100_000, Answer::error(503, "SlowDown"))])
        .call(large())
        .expects([
            "> PUT /bucket/a.txt signed, part of its body",
            "> PUT /bucket/a.txt signed, 25165824 bytes",
            "= PutObject 200, 2 attempts: crc 84ff55bc4bf6fb56",
            "# a.txt: 25165824 bytes, crc 84ff55bc4bf6fb56",
        ])
}

fn upload_stalls() -> Scenario {
    Scenario::new("f13_the_peer_stops_reading")
        .tuned(impatient)
        .deeds([Deed::StopReading, Deed::StopReading, Deed::StopReading])
        .call(large())
        .expects([
            "> PUT /bucket/a.txt signed, part of its body",
            "> PUT /bucket/a.txt signed, part of its body",
            "> PUT /bucket/a.txt signed, part of its body",
            "= PutObject failed: the peer was silent for too long; unknown, 3 attempts",
        ])
}

fn poisoned() -> Scenario {
    Scenario::new("f14_a_connection_that_gave_500_is_not_used_again")
        .watches_connections()
        .deeds([Deed::Serve, Deed::Answer(Answer::new(500)), Deed::Serve])
        .call(put())
        .call(put())
        .expects([
            "> PUT /bucket/a.txt signed, 5 bytes",
            "= PutObject 200, 1 attempt: crc 9b1edae5dbb937b1",
            "> PUT /bucket/a.txt signed, on a used connection, 5 bytes",
            "> PUT /bucket/a.txt signed, 5 bytes",
            "= PutObject 200, 2 attempts: crc 9b1edae5dbb937b1",
            "# a.txt: 5 bytes, crc 9b1edae5dbb937b1",
        ])
}

fn silence() -> Scenario {
    Scenario::new("f15_silence_after_a_read").tuned(impatient).deeds([Deed::Hang]).call(list()).expects([
        "> GET /bucket/?encoding-type=url&list-type=2 signed",
        "> GET /bucket/?encoding-type=url&list-type=2 signed",
        "= ListObjectsV2 200, 2 attempts",
    ])
}

fn silence_once() -> Scenario {
    Scenario::new("f16_silence_after_writes_of_each_kind")
        .tuned(impatient)
        .deeds([Deed::Hang, Deed::Serve, Deed::Hang, Deed::Serve, Deed::Serve, Deed::Hang])
        .call(put())
        .call(PutObject::new(BUCKET, "b.txt", "hello").forbid_overwrite(true))
        .call(post())
        .expects([
            "> PUT /bucket/a.txt signed, 5 bytes",
            "> PUT /bucket/a.txt signed, 5 bytes",
            "= PutObject 200, 2 attempts: crc 9b1edae5dbb937b1",
            "> PUT /bucket/b.txt signed, x-oss-forbid-overwrite: true, 5 bytes",
            "> HEAD /bucket/b.txt signed",
            "> PUT /bucket/b.txt signed, x-oss-forbid-overwrite: true, 5 bytes",
            "= PutObject 200, 3 attempts: crc 9b1edae5dbb937b1",
            "> POST /bucket/?worm signed, 5 bytes",
            "= InitiateBucketWorm failed: the peer was silent for too long; unknown, 1 attempt",
            "# a.txt: 5 bytes, crc 9b1edae5dbb937b1",
            "# b.txt: 5 bytes, crc 9b1edae5dbb937b1",
        ])
}

fn deadline_in_silence() -> Scenario {
    Scenario::new("f15_the_calls_own_time_ends_in_silence")
        .tuned(|settings| settings.timeouts.operation = Some(Duration::from_millis(300)))
        .deeds([Deed::Hang])
        .call(list())
        .expects([
            "> GET /bucket/?encoding-type=url&list-type=2 signed",
            "= ListObjectsV2 failed: out of time waiting for the answer; unknown, 1 attempt",
        ])
}

fn deadline_before_backoff() -> Scenario {
    Scenario::new("f71_no_wait_that_would_outlast_the_call")
        .tuned(|settings| {
            settings.timeouts.operation = Some(Duration::from_secs(30));
            settings.retry = settings.retry.with_fixed_delay(Duration::from_secs(60));
        })
        .deeds([Deed::Answer(Answer::error(503, "ServiceUnavailable"))])
        .call(list())
        .expects([
            "> GET /bucket/?encoding-type=url&list-type=2 signed",
            "= ListObjectsV2 failed: 503 ServiceUnavailable; unknown, 1 attempt",
        ])
}

fn interim() -> Scenario {
    let deed = Deed::spoil(|answer| answer.interim = vec![103, 100, 103]);
    Scenario::new("f29_answers_that_only_announce_one").deeds([deed]).call(put()).call(list()).expects([
        "> PUT /bucket/a.txt signed, 5 bytes",
        "= PutObject 200, 1 attempt: crc 9b1edae5dbb937b1",
        "> GET /bucket/?encoding-type=url&list-type=2 signed",
        "= ListObjectsV2 200, 1 attempt: a.txt",
        "# a.txt: 5 bytes, crc 9b1edae5dbb937b1",
    ])
}
