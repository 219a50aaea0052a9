//! Streamed reads whose body breaks: gone on with where they broke, and never with another object's bytes.

use core::time::Duration;

use oss_proto::GetObject;

use super::{impatient, once};
use crate::conformance::{Scenario, Step};
use crate::peer::{Answer, BUCKET, Deed, End, Framing, credentials, temporary};

pub(super) fn scenarios() -> Vec<Scenario> {
    let mut all =
        vec![cut(), cut_in_a_range(), stalls(), again_and_again(), without_progress(), no_retries()];
    all.extend([without_etag(), anew(), anew_from_another(), processed(), own_conditions()]);
    all.extend([replaced(), deleted(), whole_for_the_rest(), others_for_the_rest(), another_object()]);
    all.extend([refused_then_served(), denied(), damaged(), endless(), endless_anew(), renewed()]);
    all
}

fn get() -> GetObject {
    GetObject::new(BUCKET, "a.txt")
}

fn digits(name: &'static str) -> Scenario {
    Scenario::new(name).holds("a.txt", "0123456789")
}

fn breaks(at: u64) -> Deed {
    Deed::spoil(move |answer| answer.end = End::Cut(at))
}

fn rest(range: &'static str, body: &'static str) -> Deed {
    Deed::Answer(Answer::new(206).header("etag", ETAG).header("content-range", range).body(body))
}

/// The request of what is missing after four bytes.
const REST: &str = "> GET /bucket/a.txt signed, range: bytes=4-9, \
                    if-match: \"781E5E245D69B566979B86E28D23F2C7\"";
const ETAG: &str = "\"781E5E245D69B566979B86E28D23F2C7\"";

fn cut() -> Scenario {
    digits("f36_a_body_that_breaks_off")
        .deeds([breaks(0), Deed::Serve, breaks(9)])
        .call(get())
        .call(get())
        .expects([
            "> GET /bucket/a.txt signed",
            "> GET /bucket/a.txt signed, range: bytes=0-9, \
             if-match: \"781E5E245D69B566979B86E28D23F2C7\"",
            "= GetObject 200, 2 attempts: \"0123456789\", crc 2765cf2c7f12731e",
            "> GET /bucket/a.txt signed",
            "> GET /bucket/a.txt signed, range: bytes=9-9, \
             if-match: \"781E5E245D69B566979B86E28D23F2C7\"",
            "= GetObject 200, 2 attempts: \"0123456789\", crc 2765cf2c7f12731e",
            "# a.txt: 10 bytes, crc 2765cf2c7f12731e",
        ])
}

fn cut_in_a_range() -> Scenario {
    digits("f36_a_range_that_breaks_off").deeds([breaks(2)]).call(get().range(3..8)).expects([
        "> GET /bucket/a.txt signed, range: bytes=3-7",
        "> GET /bucket/a.txt signed, range: bytes=5-7, \
             if-match: \"781E5E245D69B566979B86E28D23F2C7\"",
        "= GetObject 206, 2 attempts: \"34567\", checked by length",
        "# a.txt: 10 bytes, crc 2765cf2c7f12731e",
    ])
}

fn stalls() -> Scenario {
    digits("f39_a_body_that_stalls")
        .tuned(impatient)
        .deeds([Deed::spoil(|answer| answer.end = End::Stall(3))])
        .call(get())
        .expects([
            "> GET /bucket/a.txt signed",
            "> GET /bucket/a.txt signed, range: bytes=3-9, \
             if-match: \"781E5E245D69B566979B86E28D23F2C7\"",
            "= GetObject 200, 2 attempts: \"0123456789\", crc 2765cf2c7f12731e",
            "# a.txt: 10 bytes, crc 2765cf2c7f12731e",
        ])
}

fn again_and_again() -> Scenario {
    digits("f36_every_byte_makes_it_a_new_start").deeds((0..9).map(|_| breaks(1))).call(get()).expects([
        "> GET /bucket/a.txt signed",
        "> GET /bucket/a.txt signed, range: bytes=1-9, \
             if-match: \"781E5E245D69B566979B86E28D23F2C7\"",
        "> GET /bucket/a.txt signed, range: bytes=2-9, \
             if-match: \"781E5E245D69B566979B86E28D23F2C7\"",
        "> GET /bucket/a.txt signed, range: bytes=3-9, \
             if-match: \"781E5E245D69B566979B86E28D23F2C7\"",
        REST,
        "> GET /bucket/a.txt signed, range: bytes=5-9, \
             if-match: \"781E5E245D69B566979B86E28D23F2C7\"",
        "> GET /bucket/a.txt signed, range: bytes=6-9, \
             if-match: \"781E5E245D69B566979B86E28D23F2C7\"",
        "> GET /bucket/a.txt signed, range: bytes=7-9, \
             if-match: \"781E5E245D69B566979B86E28D23F2C7\"",
        "> GET /bucket/a.txt signed, range: bytes=8-9, \
             if-match: \"781E5E245D69B566979B86E28D23F2C7\"",
        "> GET /bucket/a.txt signed, range: bytes=9-9, \
             if-match: \"781E5E245D69B566979B86E28D23F2C7\"",
        "= GetObject 200, 10 attempts: \"0123456789\", crc 2765cf2c7f12731e",
        "# a.txt: 10 bytes, crc 2765cf2c7f12731e",
    ])
}

fn without_progress() -> Scenario {
    digits("f36_i02_what_brings_nothing_is_given_up")
        .deeds([breaks(3), breaks(0), breaks(0)])
        .call(get())
        .expects([
            "> GET /bucket/a.txt signed",
            "> GET /bucket/a.txt signed, range: bytes=3-9, \
             if-match: \"781E5E245D69B566979B86E28D23F2C7\"",
            "> GET /bucket/a.txt signed, range: bytes=3-9, \
             if-match: \"781E5E245D69B566979B86E28D23F2C7\"",
            "= GetObject failed: the connection broke; unknown, 3 attempts; delivered \"012\"",
            "# a.txt: 10 bytes, crc 2765cf2c7f12731e",
        ])
}

fn no_retries() -> Scenario {
    digits("f36_without_retries_nothing_is_gone_on_with").tuned(once).deeds([breaks(3)]).call(get()).expects(
        [
            "> GET /bucket/a.txt signed",
            "= GetObject failed: the connection broke; unknown, 1 attempt; delivered \"012\"",
            "# a.txt: 10 bytes, crc 2765cf2c7f12731e",
        ],
    )
}

fn without_etag() -> Scenario {
    let tagged = |etag: Option<&'static str>| {
        Deed::spoil(move |answer| {
            answer.set("etag", etag);
            answer.end = End::Cut(3);
        })
    };
    digits("f33_without_a_strong_etag_nothing_is_gone_on_with")
        .deeds([tagged(None), tagged(Some("W/\"5B3C\"")), tagged(Some("5B3C"))])
        .call(get())
        .call(get())
        .call(get())
        .expects([
            "> GET /bucket/a.txt signed",
            "= GetObject failed: the connection broke; unknown, 1 attempt; delivered \"012\"",
            "> GET /bucket/a.txt signed",
            "= GetObject failed: the connection broke; unknown, 1 attempt; delivered \"012\"",
            "> GET /bucket/a.txt signed",
            "= GetObject failed: the connection broke; unknown, 1 attempt; delivered \"012\"",
            "# a.txt: 10 bytes, crc 2765cf2c7f12731e",
        ])
}

fn anew() -> Scenario {
    digits("f33_a_read_of_which_nothing_came_begins_anew")
        .deeds([0, 0].map(|at| {
            Deed::spoil(move |answer| {
                answer.set("etag", Some("W/\"5B3C\""));
                answer.end = End::Cut(at);
            })
        }))
        .deeds([Deed::spoil(|answer| answer.set("etag", Some("W/\"5B3C\"")))])
        .call(get())
        .expects([
            "> GET /bucket/a.txt signed",
            "> GET /bucket/a.txt signed",
            "> GET /bucket/a.txt signed",
            "= GetObject 200, 3 attempts: \"0123456789\", crc 2765cf2c7f12731e",
            "# a.txt: 10 bytes, crc 2765cf2c7f12731e",
        ])
}

fn anew_from_another() -> Scenario {
    let answer = |body: &'static str| Answer::new(200).body(body);
    digits("f33_f34_a_read_that_begins_anew_is_of_the_object_that_was_opened")
        .deeds([Deed::Answer(answer("0123456789").ending(End::Cut(0))), Deed::Answer(answer("01234"))])
        .call(get())
        .expects([
            "> GET /bucket/a.txt signed",
            "> GET /bucket/a.txt signed",
            "= GetObject failed: another length while it was read; unknown, 2 attempts",
            "# a.txt: 10 bytes, crc 2765cf2c7f12731e",
        ])
}

fn processed() -> Scenario {
    digits("f36_what_is_made_from_an_object_is_not_gone_on_with")
        .deeds(
            [End::Cut(3), End::Cut(0), End::Whole]
                .map(|end| Deed::Answer(Answer::new(200).header("etag", ETAG).body("an image").ending(end))),
        )
        .call(get().process("image/resize,w_1"))
        .call(get().process("image/resize,w_1"))
        .expects([
            "> GET /bucket/a.txt?x-oss-process=image%2Fresize%2Cw_1 signed",
            "= GetObject failed: the connection broke; unknown, 1 attempt; delivered \"an \"",
            "> GET /bucket/a.txt?x-oss-process=image%2Fresize%2Cw_1 signed",
            "> GET /bucket/a.txt?x-oss-process=image%2Fresize%2Cw_1 signed",
            "= GetObject 200, 2 attempts: \"an image\", checked by length",
            "# a.txt: 10 bytes, crc 2765cf2c7f12731e",
        ])
}

fn own_conditions() -> Scenario {
    digits("f36_the_rest_is_asked_for_whatever_was_demanded_of_the_object")
        .deeds([breaks(4)])
        .call(get().if_none_match("\"another\""))
        .expects([
            "> GET /bucket/a.txt signed, if-none-match: \"another\"",
            REST,
            "= GetObject 200, 2 attempts: \"0123456789\", crc 2765cf2c7f12731e",
            "# a.txt: 10 bytes, crc 2765cf2c7f12731e",
        ])
}

fn replaced() -> Scenario {
    digits("f34_an_object_that_was_replaced_while_it_was_read")
        .deeds([breaks(4), Deed::Answer(Answer::error(412, "PreconditionFailed"))])
        .call(get())
        .expects([
            "> GET /bucket/a.txt signed",
            REST,
            "= GetObject failed: Replaced while it was read; unknown, 2 attempts; delivered \"0123\"",
            "# a.txt: 10 bytes, crc 2765cf2c7f12731e",
        ])
}

fn deleted() -> Scenario {
    digits("f35_an_object_that_was_deleted_while_it_was_read")
        .deeds([breaks(4), Deed::Answer(Answer::error(404, "NoSuchKey"))])
        .call(get())
        .expects([
            "> GET /bucket/a.txt signed",
            REST,
            "= GetObject failed: Deleted while it was read; unknown, 2 attempts; delivered \"0123\"",
            "# a.txt: 10 bytes, crc 2765cf2c7f12731e",
        ])
}

fn whole_for_the_rest() -> Scenario {
    digits("f30_the_whole_where_the_rest_was_asked_for")
        .deeds([breaks(4), Deed::Answer(Answer::new(200).header("etag", ETAG).body("0123456789"))])
        .call(get())
        .expects([
            "> GET /bucket/a.txt signed",
            REST,
            "= GetObject failed: damaged: another range; unknown, 2 attempts; delivered \"0123\"",
            "# a.txt: 10 bytes, crc 2765cf2c7f12731e",
        ])
}

fn others_for_the_rest() -> Scenario {
    let cases = [
        rest("bytes 3-9/10", "3456789"),
        rest("bytes 5-9/10", "56789"),
        rest("bytes 4-8/10", "45678"),
        rest("bytes 4-10/11", "456789a"),
        rest("bytes 4-9/11", "456789"),
    ];
    let mut scenario = digits("f31_another_range_where_the_rest_was_asked_for");
    for case in cases {
        scenario = scenario.deeds([breaks(4), case]).call(get());
    }
    scenario.expects([
        "> GET /bucket/a.txt signed",
        REST,
        "= GetObject failed: damaged: another range; unknown, 2 attempts; delivered \"0123\"",
        "> GET /bucket/a.txt signed",
        REST,
        "= GetObject failed: damaged: another range; unknown, 2 attempts; delivered \"0123\"",
        "> GET /bucket/a.txt signed",
        REST,
        "= GetObject failed: damaged: another range; unknown, 2 attempts; delivered \"0123\"",
        "> GET /bucket/a.txt signed",
        REST,
        "= GetObject failed: another size while it was read; unknown, 2 attempts; delivered \"0123\"",
        "> GET /bucket/a.txt signed",
        REST,
        "= GetObject failed: another size while it was read; unknown, 2 attempts; delivered \"0123\"",
        "# a.txt: 10 bytes, crc 2765cf2c7f12731e",
    ])
}

fn another_object() -> Scenario {
    let other = |answer: fn(Answer) -> Answer| {
        Deed::Answer(answer(Answer::new(206).header("content-range", "bytes 4-9/10").body("fghijk")))
    };
    digits("f34_the_rest_of_another_object_is_refused")
        .deeds([breaks(4), other(|answer| answer.header("etag", "\"5B3C\""))])
        .call(get())
        .deeds([breaks(4), other(|answer| answer)])
        .call(get())
        .deeds([breaks(4), other(|answer| answer.header("etag", ETAG).header("x-oss-hash-crc64ecma", "1"))])
        .call(get())
        .expects([
            "> GET /bucket/a.txt signed",
            REST,
            "= GetObject failed: another entity tag while it was read; unknown, 2 attempts; \
             delivered \"0123\"",
            "> GET /bucket/a.txt signed",
            REST,
            "= GetObject failed: another entity tag while it was read; unknown, 2 attempts; \
             delivered \"0123\"",
            "> GET /bucket/a.txt signed",
            REST,
            "= GetObject failed: another CRC-64 while it was read; unknown, 2 attempts; delivered \"0123\"",
            "# a.txt: 10 bytes, crc 2765cf2c7f12731e",
        ])
}

fn refused_then_served() -> Scenario {
    digits("f18_f36_the_request_of_a_rest_is_repeated_as_any_other")
        .deeds([breaks(4), Deed::Answer(Answer::error(503, "ServiceUnavailable")), Deed::Serve])
        .call(get())
        .deeds([breaks(4), Deed::Answer(Answer::error(500, "InternalError")), Deed::Close(0)])
        .call(get())
        .expects([
            "> GET /bucket/a.txt signed",
            REST,
            REST,
            "= GetObject 200, 3 attempts: \"0123456789\", crc 2765cf2c7f12731e",
            "> GET /bucket/a.txt signed",
            REST,
            REST,
            "= GetObject failed: the connection broke; unknown, 3 attempts; delivered \"0123\"",
            "# a.txt: 10 bytes, crc 2765cf2c7f12731e",
        ])
}

fn denied() -> Scenario {
    digits("f25_f36_a_refusal_of_the_rest_is_the_last_word")
        .deeds([breaks(4), Deed::Answer(Answer::error(403, "AccessDenied"))])
        .call(get())
        .expects([
            "> GET /bucket/a.txt signed",
            REST,
            "= GetObject failed: 403 AccessDenied; unknown, 2 attempts; delivered \"0123\"",
            "# a.txt: 10 bytes, crc 2765cf2c7f12731e",
        ])
}

fn damaged() -> Scenario {
    let flip = |answer: &mut Answer| {
        let mut body = answer.body.to_vec();
        body.iter_mut().take(1).for_each(|byte| *byte ^= 1);
        answer.body = body.into();
    };
    digits("f36_f41_the_checksum_is_that_of_both_parts")
        .deeds([breaks(4), Deed::spoil(flip)])
        .call(get())
        .expects([
            "> GET /bucket/a.txt signed",
            REST,
            "= GetObject failed: damaged: another checksum; unknown, 2 attempts; delivered \"0123556789\"",
            "# a.txt: 10 bytes, crc 2765cf2c7f12731e",
        ])
}

fn breaks_without_length(at: u64) -> Deed {
    Deed::spoil(move |answer| {
        answer.reframe(Framing::Chunked);
        answer.end = End::Cut(at);
    })
}

fn endless() -> Scenario {
    digits("f33_f36_without_a_length_nobody_knows_what_is_missing")
        .deeds([breaks_without_length(4)])
        .call(get())
        .expects([
            "> GET /bucket/a.txt signed",
            "= GetObject failed: the connection broke; unknown, 1 attempt; delivered \"0123\"",
            "# a.txt: 10 bytes, crc 2765cf2c7f12731e",
        ])
}

fn endless_anew() -> Scenario {
    digits("f33_f36_without_a_length_and_a_byte_it_begins_anew")
        .deeds([breaks_without_length(0), Deed::spoil(|answer| answer.reframe(Framing::Chunked))])
        .call(get())
        .expects([
            "> GET /bucket/a.txt signed",
            "> GET /bucket/a.txt signed",
            "= GetObject 200, 2 attempts: \"0123456789\", crc 2765cf2c7f12731e",
            "# a.txt: 10 bytes, crc 2765cf2c7f12731e",
        ])
}

fn renewed() -> Scenario {
    let expired = Deed::Answer(Answer::error(403, "SecurityTokenExpired"));
    digits("f24_f36_credentials_that_end_between_two_resumptions_are_renewed")
        .credentials([temporary(), credentials()])
        .deeds([Deed::Serve, breaks(4), breaks(2), expired, breaks(1)])
        .call(get())
        // A source that answered within the last second is not asked again.
        .then(Step::Pause(Duration::from_millis(1100)))
        .call(get())
        .expects([
            "> GET /bucket/a.txt signed with a token",
            "= GetObject 200, 1 attempt: \"0123456789\", crc 2765cf2c7f12731e",
            "> GET /bucket/a.txt signed with a token",
            "> GET /bucket/a.txt signed with a token, range: bytes=4-9, \
             if-match: \"781E5E245D69B566979B86E28D23F2C7\"",
            "> GET /bucket/a.txt signed with a token, range: bytes=6-9, \
             if-match: \"781E5E245D69B566979B86E28D23F2C7\"",
            "> GET /bucket/a.txt signed, range: bytes=6-9, \
             if-match: \"781E5E245D69B566979B86E28D23F2C7\"",
            "> GET /bucket/a.txt signed, range: bytes=7-9, \
             if-match: \"781E5E245D69B566979B86E28D23F2C7\"",
            "= GetObject 200, 5 attempts: \"0123456789\", crc 2765cf2c7f12731e",
            "# a.txt: 10 bytes, crc 2765cf2c7f12731e",
        ])
}
