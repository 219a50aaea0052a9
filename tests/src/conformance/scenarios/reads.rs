//! Streamed reads: what may be wrong with the bytes.

use oss_proto::{GetObject, Settings};

use crate::conformance::Scenario;
use crate::peer::{Answer, BUCKET, Deed, End, Framing};

pub(super) fn scenarios() -> Vec<Scenario> {
    let mut all = vec![whole_for_a_range(), other_ranges(), bad_ranges(), closed_early(), closed_unsaid()];
    all.extend([longer(), trickles(), flipped(), no_checksum(), bad_checksum(), unchecked()]);
    all.extend([encoded(), opened_on_the_second(), chunked(), fault_then_bytes()]);
    all
}

fn get() -> GetObject {
    GetObject::new(BUCKET, "a.txt")
}

fn digits(name: &'static str) -> Scenario {
    Scenario::new(name).holds("a.txt", "0123456789")
}

fn spoiled(change: impl Fn(&mut Answer) + Send + Sync + 'static) -> [Deed; 1] {
    [Deed::spoil(change)]
}

fn partial(range: &'static str, body: &'static str) -> Deed {
    Deed::Answer(Answer::new(206).header("content-range", range).body(body))
}

fn whole_for_a_range() -> Scenario {
    let whole = || Deed::Answer(Answer::new(200).body("0123456789"));
    digits("f30_the_whole_where_a_range_was_asked_for")
        .deeds([whole(), whole()])
        .call(get().range(2..5))
        .call(get().range(0..10))
        .expects([
            "> GET /bucket/a.txt signed, range: bytes=2-4",
            "= GetObject failed: damaged: another range; unknown, 1 attempt",
            "> GET /bucket/a.txt signed, range: bytes=0-9",
            "= GetObject 200, 1 attempt: \"0123456789\", checked by length",
            "# a.txt: 10 bytes, crc 2765cf2c7f12731e",
        ])
}

fn other_ranges() -> Scenario {
    digits("f31_another_range_than_was_asked_for")
        .deeds([
            partial("bytes 1-4/10", "1234"),
            partial("bytes 2-5/10", "2345"),
            partial("bytes 3-5/10", "345"),
            partial("bytes 2-4/4", "234"),
            partial("bytes 2-4/11", "234"),
        ])
        .call(get().range(2..5))
        .call(get().range(2..5))
        .call(get().range(2..5))
        .call(get().range(2..5))
        .call(get().range(2..5))
        .expects([
            "> GET /bucket/a.txt signed, range: bytes=2-4",
            "= GetObject failed: damaged: another range; unknown, 1 attempt",
            "> GET /bucket/a.txt signed, range: bytes=2-4",
            "= GetObject failed: damaged: another range; unknown, 1 attempt",
            "> GET /bucket/a.txt signed, range: bytes=2-4",
            "= GetObject failed: damaged: another range; unknown, 1 attempt",
            "> GET /bucket/a.txt signed, range: bytes=2-4",
            "= GetObject failed: unreadable; unknown, 1 attempt",
            "> GET /bucket/a.txt signed, range: bytes=2-4",
            "= GetObject 206, 1 attempt: \"234\", checked by length",
            "# a.txt: 10 bytes, crc 2765cf2c7f12731e",
        ])
}

fn bad_ranges() -> Scenario {
    let nothing = Deed::Answer(Answer::new(206).body("234"));
    digits("f32_b35_a_range_that_is_none")
        .deeds([
            nothing,
            partial("bytes */10", "234"),
            partial("bytes 2-18446744073709551616/10", "234"),
            partial("bytes 4-2/10", "234"),
            partial("bytes 2-12/10", "234"),
            partial("BYTES", "234"),
        ])
        .call(get().range(2..5))
        .call(get().range(2..5))
        .call(get().range(2..5))
        .call(get().range(2..5))
        .call(get().range(2..5))
        .call(get().range(2..5))
        .expects([
            "> GET /bucket/a.txt signed, range: bytes=2-4",
            "= GetObject failed: unreadable; unknown, 1 attempt",
            "> GET /bucket/a.txt signed, range: bytes=2-4",
            "= GetObject failed: unreadable; unknown, 1 attempt",
            "> GET /bucket/a.txt signed, range: bytes=2-4",
            "= GetObject failed: unreadable; unknown, 1 attempt",
            "> GET /bucket/a.txt signed, range: bytes=2-4",
            "= GetObject failed: unreadable; unknown, 1 attempt",
            "> GET /bucket/a.txt signed, range: bytes=2-4",
            "= GetObject failed: unreadable; unknown, 1 attempt",
            "> GET /bucket/a.txt signed, range: bytes=2-4",
            "= GetObject failed: unreadable; unknown, 1 attempt",
            "# a.txt: 10 bytes, crc 2765cf2c7f12731e",
        ])
}

fn closed_early() -> Scenario {
    digits("f37_a_body_that_ends_early_without_a_word")
        .deeds(spoiled(|answer| {
            answer.reframe(Framing::Close);
            answer.end = End::Cut(3);
        }))
        .deeds(spoiled(|answer| {
            answer.reframe(Framing::Chunked);
            answer.body = answer.body.slice(..3);
        }))
        .deeds(spoiled(|answer| {
            answer.reframe(Framing::Chunked);
            answer.body = answer.body.slice(..2);
        }))
        .call(get())
        .call(get())
        .call(get().range(2..5))
        .expects([
            "> GET /bucket/a.txt signed",
            "= GetObject failed: damaged: another checksum; unknown, 1 attempt; delivered \"012\"",
            "> GET /bucket/a.txt signed",
            "= GetObject failed: damaged: another checksum; unknown, 1 attempt; delivered \"012\"",
            "> GET /bucket/a.txt signed, range: bytes=2-4",
            "> GET /bucket/a.txt signed, range: bytes=4-4, \
             if-match: \"781E5E245D69B566979B86E28D23F2C7\"",
            "= GetObject 206, 2 attempts: \"234\", checked by length",
            "# a.txt: 10 bytes, crc 2765cf2c7f12731e",
        ])
}

fn closed_unsaid() -> Scenario {
    digits("f43_a_body_with_neither_length_nor_checksum")
        .deeds(spoiled(|answer| {
            answer.reframe(Framing::Close);
            answer.set("x-oss-hash-crc64ecma", None);
        }))
        .call(get())
        .expects([
            "> GET /bucket/a.txt signed",
            "= GetObject 200, 1 attempt: \"0123456789\", unverified",
            "# a.txt: 10 bytes, crc 2765cf2c7f12731e",
        ])
}

fn longer() -> Scenario {
    digits("f38_a_body_longer_than_its_range")
        .deeds([partial("bytes 2-4/10", "23456789")])
        .deeds([Deed::Answer(
            Answer::new(206)
                .header("content-range", "bytes 2-4/10")
                .body("23456789")
                .framed(Framing::Chunked),
        )])
        .call(get().range(2..5))
        .call(get().range(2..5))
        .expects([
            "> GET /bucket/a.txt signed, range: bytes=2-4",
            "= GetObject failed: damaged: longer than 3 bytes; unknown, 1 attempt",
            "> GET /bucket/a.txt signed, range: bytes=2-4",
            "= GetObject failed: damaged: longer than 3 bytes; unknown, 1 attempt",
            "# a.txt: 10 bytes, crc 2765cf2c7f12731e",
        ])
}

fn trickles() -> Scenario {
    digits("f40_a_body_of_single_bytes").deeds(spoiled(|answer| answer.piece = 1)).call(get()).expects([
        "> GET /bucket/a.txt signed",
        "= GetObject 200, 1 attempt: \"0123456789\", crc 2765cf2c7f12731e",
        "# a.txt: 10 bytes, crc 2765cf2c7f12731e",
    ])
}

fn flipped() -> Scenario {
    let flip = |answer: &mut Answer| {
        let mut body = answer.body.to_vec();
        body.iter_mut().skip(4).take(1).for_each(|byte| *byte ^= 1);
        answer.body = body.into();
    };
    digits("f41_a_byte_that_changed_on_its_way").deeds(spoiled(flip)).call(get()).expects([
        "> GET /bucket/a.txt signed",
        "= GetObject failed: damaged: another checksum; unknown, 1 attempt; delivered \"01\
             23556789\"",
        "# a.txt: 10 bytes, crc 2765cf2c7f12731e",
    ])
}

fn no_checksum() -> Scenario {
    digits("f43_no_checksum")
        .deeds(spoiled(|answer| answer.set("x-oss-hash-crc64ecma", None)))
        .call(get())
        .expects([
            "> GET /bucket/a.txt signed",
            "= GetObject 200, 1 attempt: \"0123456789\", checked by length",
            "# a.txt: 10 bytes, crc 2765cf2c7f12731e",
        ])
}

fn bad_checksum() -> Scenario {
    digits("f43_b38_a_checksum_that_is_no_number")
        .deeds(spoiled(|answer| answer.set("x-oss-hash-crc64ecma", Some("yes"))))
        .call(get())
        .expects([
            "> GET /bucket/a.txt signed",
            "= GetObject failed: unreadable; unknown, 1 attempt",
            "# a.txt: 10 bytes, crc 2765cf2c7f12731e",
        ])
}

fn unchecked() -> Scenario {
    let off = |settings: &mut Settings| settings.checks_download_crc64 = false;
    digits("f43_a_checksum_that_nobody_wants")
        .tuned(off)
        .deeds(spoiled(|answer| answer.set("x-oss-hash-crc64ecma", Some("12345"))))
        .call(get())
        .expects([
            "> GET /bucket/a.txt signed",
            "= GetObject 200, 1 attempt: \"0123456789\", checked by length",
            "# a.txt: 10 bytes, crc 2765cf2c7f12731e",
        ])
}

fn encoded() -> Scenario {
    digits("f44_an_encoding_is_left_alone")
        .deeds(spoiled(|answer| answer.set("content-encoding", Some("gzip"))))
        .call(get())
        .expects([
            "> GET /bucket/a.txt signed",
            "= GetObject 200, 1 attempt: \"0123456789\", crc 2765cf2c7f12731e",
            "# a.txt: 10 bytes, crc 2765cf2c7f12731e",
        ])
}

fn opened_on_the_second() -> Scenario {
    digits("f18_a_read_that_is_answered_at_the_third_attempt")
        .deeds([Deed::Answer(Answer::error(500, "InternalError")), Deed::Close(0)])
        .call(get())
        .expects([
            "> GET /bucket/a.txt signed",
            "> GET /bucket/a.txt signed",
            "> GET /bucket/a.txt signed",
            "= GetObject 200, 3 attempts: \"0123456789\", crc 2765cf2c7f12731e",
            "# a.txt: 10 bytes, crc 2765cf2c7f12731e",
        ])
}

fn chunked() -> Scenario {
    digits("a_body_in_chunks_is_checked_by_its_checksum")
        .deeds(spoiled(|answer| {
            answer.reframe(Framing::Chunked);
            answer.piece = 3;
        }))
        .call(get())
        .expects([
            "> GET /bucket/a.txt signed",
            "= GetObject 200, 1 attempt: \"0123456789\", crc 2765cf2c7f12731e",
            "# a.txt: 10 bytes, crc 2765cf2c7f12731e",
        ])
}

fn fault_then_bytes() -> Scenario {
    digits("f26_no_such_object")
        .call(GetObject::new(BUCKET, "other"))
        .call(GetObject::new(BUCKET, "a.txt"))
        .expects([
            "> GET /bucket/other signed",
            "= GetObject failed: 404 NoSuchKey; rejected, 1 attempt",
            "> GET /bucket/a.txt signed",
            "= GetObject 200, 1 attempt: \"0123456789\", crc 2765cf2c7f12731e",
            "# a.txt: 10 bytes, crc 2765cf2c7f12731e",
        ])
}
