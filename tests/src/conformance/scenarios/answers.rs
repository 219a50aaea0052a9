//! What an answer says: statuses, codes, documents.

use core::time::Duration;

use oss_proto::{
    Callback, CompleteMultipartUpload, CompletedPart, CopyObject, CopySource, Credentials,
    DeleteMultipleObjects, DeleteObject, Effect, GetBucketInfo, GetObject, HeadObject, PutObject, Redirects,
};

use super::{html, list};
use crate::conformance::{Job, Scenario, Step};
use crate::peer::{Answer, BUCKET, Deed, End, Framing, credentials, temporary};

pub(super) fn scenarios() -> Vec<Scenario> {
    let mut all = vec![gateway(), fault(), fault_once(), throttled(), throttled_once(), retry_after()];
    all.extend([skewed(), skewed_by_date(), clock_repaired(), renewed(), renewed_in_vain(), unknown_key()]);
    all.extend([
        wrong_secret(),
        error_under_ok(),
        error_under_ok_final(),
        bulk_error_under_ok(),
        callback(),
        no_content(),
    ]);
    all.extend([
        moved(),
        moved_nowhere(),
        moved_elsewhere(),
        moved_in_a_refusal(),
        endless_error(),
        stuck(),
        head_error(),
        not_a_document(),
    ]);
    all.extend([
        half_a_document(),
        hostile_document(),
        cut_list(),
        closed_list(),
        chunked_list(),
        too_long(),
    ]);
    all
}

fn put() -> PutObject {
    PutObject::new(BUCKET, "a.txt", "hello")
}

fn copy() -> CopyObject {
    CopyObject::new(BUCKET, "b.txt", CopySource::new(BUCKET, "a.txt"))
}

fn answers<const N: usize>(answers: [Answer; N]) -> [Deed; N] {
    answers.map(Deed::Answer)
}

fn gateway() -> Scenario {
    Scenario::new("f17_a_gateway_that_answers_html")
        .deeds(answers([html(502), html(504)]))
        .call(list())
        .expects([
            "> GET /bucket/?encoding-type=url&list-type=2 signed",
            "> GET /bucket/?encoding-type=url&list-type=2 signed",
            "> GET /bucket/?encoding-type=url&list-type=2 signed",
            "= ListObjectsV2 200, 3 attempts",
        ])
}

fn fault() -> Scenario {
    Scenario::new("f18_a_server_fault_is_tried_again")
        .deeds(answers([Answer::new(500), Answer::error(500, "InternalError"), Answer::new(503)]))
        .call(put())
        .expects([
            "> PUT /bucket/a.txt signed, 5 bytes",
            "> PUT /bucket/a.txt signed, 5 bytes",
            "> PUT /bucket/a.txt signed, 5 bytes",
            "= PutObject failed: 503 BadErrorResponse; unknown, 3 attempts",
        ])
}

fn fault_once() -> Scenario {
    Scenario::new("f18_a_server_fault_of_a_call_that_must_not_be_made_twice")
        .deeds(answers([Answer::error(500, "InternalError")]))
        .call(super::post())
        .expects([
            "> POST /bucket/?worm signed, 5 bytes",
            "= InitiateBucketWorm failed: 500 InternalError; unknown, 1 attempt",
        ])
}

fn throttled() -> Scenario {
    let slow = || Answer::error(503, "SlowDown");
    Scenario::new("f19_too_many_requests")
        .deeds(answers([slow(), Answer::new(429), slow()]))
        .call(put())
        .expects([
            "> PUT /bucket/a.txt signed, 5 bytes",
            "> PUT /bucket/a.txt signed, 5 bytes",
            "> PUT /bucket/a.txt signed, 5 bytes",
            "= PutObject failed: 503 SlowDown; rejected, 3 attempts",
        ])
}

fn throttled_once() -> Scenario {
    Scenario::new("f19_too_many_requests_harm_no_call_that_must_not_be_made_twice")
        .deeds(answers([Answer::error(503, "SlowDown")]))
        .call(super::described().effect(Effect::Once))
        .expects([
            "> GET /bucket/?bucketInfo signed",
            "> GET /bucket/?bucketInfo signed",
            "= Raw 200, 2 attempts: 954 bytes",
        ])
}

fn retry_after() -> Scenario {
    let after = |text: &str| Answer::error(503, "SlowDown").header("retry-after", text);
    Scenario::new("f19_f20_a_retry_after_of_any_kind")
        .tuned(|settings| settings.retry = settings.retry.with_max_attempts(6))
        .deeds(answers([
            after("1"),
            after("-1"),
            after("100000000000000000000"),
            after("soon"),
            after("Sat, 16 Dec 2006 16:20:59 GMT"),
        ]))
        .call(put())
        .expects([
            "> PUT /bucket/a.txt signed, 5 bytes",
            "> PUT /bucket/a.txt signed, 5 bytes",
            "> PUT /bucket/a.txt signed, 5 bytes",
            "> PUT /bucket/a.txt signed, 5 bytes",
            "> PUT /bucket/a.txt signed, 5 bytes",
            "> PUT /bucket/a.txt signed, 5 bytes",
            "= PutObject 200, 6 attempts: crc 9b1edae5dbb937b1",
            "# a.txt: 5 bytes, crc 9b1edae5dbb937b1",
        ])
}

fn skewed() -> Scenario {
    Scenario::new("f21_a_clock_that_is_wrong_is_corrected_and_remembered")
        .ahead(3600)
        .call(put())
        .call(GetObject::new(BUCKET, "a.txt"))
        .expects([
            "> PUT /bucket/a.txt signed, misdated, 5 bytes",
            "> PUT /bucket/a.txt signed, 5 bytes",
            "= PutObject 200, 2 attempts: crc 9b1edae5dbb937b1",
            "> GET /bucket/a.txt signed",
            "= GetObject 200, 1 attempt: \"hello\", crc 9b1edae5dbb937b1",
            "# a.txt: 5 bytes, crc 9b1edae5dbb937b1",
        ])
}

fn skewed_by_date() -> Scenario {
    let no_time = Deed::spoil(|answer| {
        let document = String::from_utf8_lossy(&answer.body).into_owned();
        let (before, rest) = document.split_once("<ServerTime>").unwrap_or((&document, ""));
        let after = rest.split_once("</ServerTime>").map_or("", |(_, after)| after);
        answer.body = format!("{before}{after}").into();
        answer.set("content-length", None);
    });
    Scenario::new("f21_a_clock_is_corrected_by_the_date_of_the_answer")
        .ahead(-7200)
        .deeds([no_time])
        .call(put())
        .expects([
            "> PUT /bucket/a.txt signed, misdated, 5 bytes",
            "> PUT /bucket/a.txt signed, 5 bytes",
            "= PutObject 200, 2 attempts: crc 9b1edae5dbb937b1",
            "# a.txt: 5 bytes, crc 9b1edae5dbb937b1",
        ])
}

fn clock_repaired() -> Scenario {
    Scenario::new("f22_a_clock_that_is_right_again")
        .ahead(3600)
        .call(put())
        .then(Step::PeerClock(0))
        .call(put())
        .call(put())
        .expects([
            "> PUT /bucket/a.txt signed, misdated, 5 bytes",
            "> PUT /bucket/a.txt signed, 5 bytes",
            "= PutObject 200, 2 attempts: crc 9b1edae5dbb937b1",
            "> PUT /bucket/a.txt signed, misdated, 5 bytes",
            "> PUT /bucket/a.txt signed, 5 bytes",
            "= PutObject 200, 2 attempts: crc 9b1edae5dbb937b1",
            "> PUT /bucket/a.txt signed, 5 bytes",
            "= PutObject 200, 1 attempt: crc 9b1edae5dbb937b1",
            "# a.txt: 5 bytes, crc 9b1edae5dbb937b1",
        ])
}

fn renewed() -> Scenario {
    let expired = Deed::Answer(Answer::error(403, "SecurityTokenExpired"));
    Scenario::new("f24_credentials_that_were_refused_are_renewed_once")
        .credentials([temporary(), credentials()])
        .deeds([Deed::Serve, expired])
        .call(put())
        // A source that answered within the last second is not asked again.
        .then(Step::Pause(Duration::from_millis(1100)))
        .call(put())
        .call(list())
        .expects([
            "> PUT /bucket/a.txt signed with a token, 5 bytes",
            "= PutObject 200, 1 attempt: crc 9b1edae5dbb937b1",
            "> PUT /bucket/a.txt signed with a token, 5 bytes",
            "> PUT /bucket/a.txt signed, 5 bytes",
            "= PutObject 200, 2 attempts: crc 9b1edae5dbb937b1",
            "> GET /bucket/?encoding-type=url&list-type=2 signed",
            "= ListObjectsV2 200, 1 attempt: a.txt",
            "# a.txt: 5 bytes, crc 9b1edae5dbb937b1",
        ])
}

fn renewed_in_vain() -> Scenario {
    let expired = || Deed::Answer(Answer::error(403, "SecurityTokenExpired"));
    Scenario::new("f24_credentials_that_are_refused_twice")
        .credentials([temporary(), credentials()])
        .deeds([Deed::Serve, expired(), expired()])
        .call(put())
        .then(Step::Pause(Duration::from_millis(1100)))
        .call(list())
        .expects([
            "> PUT /bucket/a.txt signed with a token, 5 bytes",
            "= PutObject 200, 1 attempt: crc 9b1edae5dbb937b1",
            "> GET /bucket/?encoding-type=url&list-type=2 signed with a token",
            "> GET /bucket/?encoding-type=url&list-type=2 signed",
            "= ListObjectsV2 failed: 403 SecurityTokenExpired; rejected, 2 attempts",
            "# a.txt: 5 bytes, crc 9b1edae5dbb937b1",
        ])
}

fn unknown_key() -> Scenario {
    Scenario::new("f24_credentials_that_nobody_knows")
        .credentials([Credentials::new("GONE", "secret").unwrap_or_else(|_| credentials())])
        .call(put())
        .call(put())
        .expects([
            "> PUT /bucket/a.txt signed, 5 bytes",
            "= PutObject failed: 403 InvalidAccessKeyId; rejected, 1 attempt",
            "> PUT /bucket/a.txt signed, 5 bytes",
            "= PutObject failed: 403 InvalidAccessKeyId; rejected, 1 attempt",
        ])
}

fn wrong_secret() -> Scenario {
    Scenario::new("f25_a_signature_that_does_not_match_is_final")
        .credentials([Credentials::new("AKID", "wrong").unwrap_or_else(|_| credentials())])
        .call(put())
        .call(HeadObject::new(BUCKET, "a.txt"))
        .expects([
            "> PUT /bucket/a.txt signed, 5 bytes",
            "= PutObject failed: 403 SignatureDoesNotMatch; rejected, 1 attempt",
            "> HEAD /bucket/a.txt signed",
            "= HeadObject failed: 403 SignatureDoesNotMatch; rejected, 1 attempt",
        ])
}

fn error_under_ok() -> Scenario {
    Scenario::new("f27_an_error_under_200_is_an_error")
        .holds("a.txt", "hello")
        .deeds(answers([Answer::error(200, "InternalError"), Answer::error(200, "InternalError")]))
        .call(copy())
        .expects([
            "> PUT /bucket/b.txt signed, x-oss-copy-source: /bucket/a.txt",
            "> PUT /bucket/b.txt signed, x-oss-copy-source: /bucket/a.txt",
            "> PUT /bucket/b.txt signed, x-oss-copy-source: /bucket/a.txt",
            "= CopyObject 200, 3 attempts: an etag",
            "# a.txt: 5 bytes, crc 9b1edae5dbb937b1",
            "# b.txt: 5 bytes, crc 9b1edae5dbb937b1",
        ])
}

fn error_under_ok_final() -> Scenario {
    let parts = vec![CompletedPart::new(1_u32, "\"5D41402ABC4B2A76B9719D911017C592\"")];
    Scenario::new("f27_an_error_under_200_after_a_conditional_write")
        .deeds(answers([
            Answer::error(200, "InternalError"),
            Answer::error(200, "AccessDenied"),
            Answer::error(200, "AccessDenied"),
        ]))
        .call(CompleteMultipartUpload::new(BUCKET, "a.txt", "0004B9894A22E5B1888A1E29F823").parts(parts))
        .call(copy().forbid_overwrite(true))
        .expects([
            "> POST /bucket/a.txt?encoding-type=url\
             &uploadId=0004B9894A22E5B1888A1E29F823 signed, 147 bytes",
            "> POST /bucket/a.txt?encoding-type=url\
             &uploadId=0004B9894A22E5B1888A1E29F823 signed, 147 bytes",
            "= CompleteMultipartUpload failed: 200 AccessDenied; unknown, 2 attempts",
            "> PUT /bucket/b.txt signed, x-oss-copy-source: /bucket\
             /a.txt, x-oss-forbid-overwrite: true",
            "= CopyObject failed: 200 AccessDenied; unknown, 1 attempt",
        ])
}

fn bulk_error_under_ok() -> Scenario {
    Scenario::new("f27_an_error_under_200_of_a_bulk_delete")
        .holds("a.txt", "hello")
        .deeds(answers([Answer::error(200, "SlowDown")]))
        .call(DeleteMultipleObjects::new(BUCKET, ["a.txt"]))
        .expects([
            "> POST /bucket/?delete&encoding-type=url signed, 50 bytes",
            "> POST /bucket/?delete&encoding-type=url signed, 50 bytes",
            "= DeleteMultipleObjects 200, 2 attempts: a.txt",
        ])
}

fn callback() -> Scenario {
    let callback = Callback::new("http://example.com/done", "key=${object}");
    Scenario::new("f28_a_callback_that_failed_is_not_a_failed_upload")
        .deeds(answers([Answer::error(203, "CallbackFailed")]))
        .call(put().callback(callback))
        .expects([
            "> PUT /bucket/a.txt signed, 5 bytes",
            "= PutObject failed: stored, but the callback failed: 203 CallbackFailed; unknown\
             , 1 attempt",
        ])
}

fn no_content() -> Scenario {
    let stray = Answer::new(204).body("stray").ending(End::ThenClose);
    Scenario::new("f29_an_answer_without_a_body_that_has_one")
        .hides_attempts()
        .deeds(answers([stray]))
        .call(DeleteObject::new(BUCKET, "a.txt"))
        .call(list())
        .expects([
            "> DELETE /bucket/a.txt signed",
            "= DeleteObject 204",
            "> GET /bucket/?encoding-type=url&list-type=2 signed",
            "= ListObjectsV2 200",
        ])
}

fn moved() -> Scenario {
    let away = |status, to: &str| Answer::new(status).header("location", to);
    Scenario::new("f46_f49_a_redirect_is_told_and_not_followed")
        .deeds(answers([
            away(301, "http://evil.example/?x-oss-signature=secret"),
            away(302, "//evil.example/a"),
            away(307, "http://user:pass@evil.example/"),
            away(308, "/"),
        ]))
        .call(put())
        .call(list())
        .call(GetObject::new(BUCKET, "a.txt"))
        .call(DeleteObject::new(BUCKET, "a.txt"))
        .expects([
            "> PUT /bucket/a.txt signed, 5 bytes",
            "= PutObject failed: moved 301 to \"http://evil.example/\"; rejected, 1 attempt",
            "> GET /bucket/?encoding-type=url&list-type=2 signed",
            "= ListObjectsV2 failed: moved 302 to \"//evil.example/a\"; rejected, 1 attempt",
            "> GET /bucket/a.txt signed",
            "= GetObject failed: moved 307 to \"http://evil.example/\"; rejected, 1 attempt",
            "> DELETE /bucket/a.txt signed",
            "= DeleteObject failed: moved 308 to \"/\"; rejected, 1 attempt",
        ])
}

fn moved_nowhere() -> Scenario {
    Scenario::new("f49_a_redirect_to_nowhere").deeds(answers([Answer::new(301)])).call(put()).expects([
        "> PUT /bucket/a.txt signed, 5 bytes",
        "= PutObject failed: moved 301 to \"\"; rejected, 1 attempt",
    ])
}

fn moved_elsewhere() -> Scenario {
    let away = |status, to: &str| Answer::new(status).header("location", to);
    let get = || GetObject::new(BUCKET, "a.txt");
    Scenario::new("f46_f48_f49_no_redirect_leads_out_of_the_service")
        .tuned(|settings| settings.redirects = Redirects::SameService)
        .credentials([temporary()])
        .deeds(answers([
            away(301, "http://127.0.0.1.evil.example/bucket/a.txt"),
            away(302, "//127.0.0.1/bucket/a.txt"),
            away(307, "http://user:pass@127.0.0.1/bucket/a.txt"),
            away(307, "http://127.0.0.1:1/bucket/a.txt"),
            away(308, "/bucket/a.txt"),
            away(308, "http://localhost/bucket/a.txt#here"),
            Answer::new(301),
            away(307, "http://127.0.0.1:1/bucket/a.txt"),
        ]))
        .call(get())
        .call(get())
        .call(get())
        .call(get())
        .call(get())
        .call(HeadObject::new(BUCKET, "a.txt"))
        .call(list())
        .call(put())
        .expects([
            "> GET /bucket/a.txt signed with a token",
            "= GetObject failed: moved 301 and not followed, Foreign; rejected, 1 attempt",
            "> GET /bucket/a.txt signed with a token",
            "= GetObject failed: moved 302 and not followed, NotAbsolute; rejected, 1 attempt",
            "> GET /bucket/a.txt signed with a token",
            "= GetObject failed: moved 307 and not followed, UserInfo; rejected, 1 attempt",
            "> GET /bucket/a.txt signed with a token",
            "= GetObject failed: moved 307 and not followed, Port; rejected, 1 attempt",
            "> GET /bucket/a.txt signed with a token",
            "= GetObject failed: moved 308 and not followed, NotAbsolute; rejected, 1 attempt",
            "> HEAD /bucket/a.txt signed with a token",
            "= HeadObject failed: moved 308 and not followed, Fragment; rejected, 1 attempt",
            "> GET /bucket/?encoding-type=url&list-type=2 signed with a token",
            "= ListObjectsV2 failed: moved 301 and not followed, Nowhere; rejected, 1 attempt",
            "> PUT /bucket/a.txt signed with a token, 5 bytes",
            "= PutObject failed: moved 307 and not followed, NotARead; rejected, 1 attempt",
        ])
}

fn moved_in_a_refusal() -> Scenario {
    let refusal = Answer::error(403, "AccessDenied")
        .body("<Error><Code>AccessDenied</Code><Endpoint>oss-cn-beijing.aliyuncs.com</Endpoint></Error>");
    Scenario::new("f47_the_endpoint_in_a_refusal_of_another_service_is_not_followed")
        .tuned(|settings| settings.redirects = Redirects::SameService)
        .deeds(answers([refusal]))
        .call(GetObject::new(BUCKET, "a.txt"))
        .expects(["> GET /bucket/a.txt signed", "= GetObject failed: 403 AccessDenied; rejected, 1 attempt"])
}

fn endless_error() -> Scenario {
    let endless = |framing| Answer::new(500).body(vec![b' '; 1000]).framed(framing).ending(End::Never);
    let huge = Answer::error(403, "AccessDenied").header("content-length", "1073741824").ending(End::Never);
    Scenario::new("f50_an_error_without_end")
        .tuned(|settings| settings.timeouts.idle = Duration::from_secs(2))
        .deeds(answers([endless(Framing::Chunked), huge]))
        .call(list())
        .expects([
            "> GET /bucket/?encoding-type=url&list-type=2 signed",
            "> GET /bucket/?encoding-type=url&list-type=2 signed",
            "= ListObjectsV2 failed: 403 AccessDenied; unknown, 2 attempts",
        ])
}

fn stuck() -> Scenario {
    let page = |token: &str| {
        Answer::new(200).body(format!(
            "<ListBucketResult><IsTruncated>true</IsTruncated><NextContinuationToken>{token}\
             </NextContinuationToken></ListBucketResult>"
        ))
    };
    Scenario::new("f52_a_list_that_does_not_move_on")
        .deeds(answers([page("a"), page("b"), page("b")]))
        .call(Job::Pages(Box::new(list())))
        .expects([
            "> GET /bucket/?encoding-type=url&list-type=2 signed",
            "> GET /bucket/?continuation-token=a&encoding-type=url&list-type=2 signed",
            "> GET /bucket/?continuation-token=b&encoding-type=url&list-type=2 signed",
            "= ListObjectsV2 200, 1 attempt",
            "= ListObjectsV2 200, 1 attempt",
            "= ListObjectsV2 200, 1 attempt",
            "= ListObjectsV2: stuck",
        ])
}

fn head_error() -> Scenario {
    // `<Error><Code>NoSuchKey</Code></Error>`
    let coded = Answer::new(404).header("x-oss-err", "PEVycm9yPjxDb2RlPk5vU3VjaEtleTwvQ29kZT48L0Vycm9yPg==");
    Scenario::new("b43_an_error_in_a_header")
        .deeds(answers([coded, Answer::new(404).header("x-oss-err", "!!!"), Answer::new(412)]))
        .call(HeadObject::new(BUCKET, "a.txt"))
        .call(HeadObject::new(BUCKET, "a.txt"))
        .call(HeadObject::new(BUCKET, "a.txt"))
        .expects([
            "> HEAD /bucket/a.txt signed",
            "= HeadObject failed: 404 NoSuchKey; rejected, 1 attempt",
            "> HEAD /bucket/a.txt signed",
            "= HeadObject failed: 404 BadErrorResponse; rejected, 1 attempt",
            "> HEAD /bucket/a.txt signed",
            "= HeadObject failed: 412 BadErrorResponse; rejected, 1 attempt",
        ])
}

fn not_a_document() -> Scenario {
    Scenario::new("b53_something_else_where_a_document_is_due")
        .deeds(answers([
            html(200),
            Answer::new(200).body("{\"ok\":true}"),
            Answer::new(200),
            Answer::new(200).body(&b"\x1f\x8b\x08\x00\x00\x00\x00\x00"[..]),
            Answer::new(200).body("<ListBucketResult><IsTruncated>perhaps</IsTruncated></ListBucketResult>"),
        ]))
        .call(list())
        .call(list())
        .call(list())
        .call(list())
        .call(list())
        .expects([
            "> GET /bucket/?encoding-type=url&list-type=2 signed",
            "= ListObjectsV2 failed: unreadable; unknown, 1 attempt",
            "> GET /bucket/?encoding-type=url&list-type=2 signed",
            "= ListObjectsV2 failed: unreadable; unknown, 1 attempt",
            "> GET /bucket/?encoding-type=url&list-type=2 signed",
            "= ListObjectsV2 failed: unreadable; unknown, 1 attempt",
            "> GET /bucket/?encoding-type=url&list-type=2 signed",
            "= ListObjectsV2 failed: unreadable; unknown, 1 attempt",
            "> GET /bucket/?encoding-type=url&list-type=2 signed",
            "= ListObjectsV2 failed: unreadable; unknown, 1 attempt",
        ])
}

fn half_a_document() -> Scenario {
    let half = Answer::new(200).body("<BucketInfo><Bucket><Name>examplebucket</Name>");
    Scenario::new("b49_half_a_document").deeds(answers([half])).call(GetBucketInfo::new(BUCKET)).expects([
        "> GET /bucket/?bucketInfo signed",
        "= GetBucketInfo failed: unreadable; unknown, 1 attempt",
    ])
}

fn hostile_document() -> Scenario {
    let bomb =
        "<!DOCTYPE x [<!ENTITY a \"aaaa\">]><BucketInfo><Bucket><Name>&a;</Name></Bucket></BucketInfo>";
    let deep = format!("<BucketInfo>{}", "<x>".repeat(1000));
    Scenario::new("b44_b46_a_document_with_ill_intent")
        .deeds(answers([Answer::new(200).body(bomb), Answer::new(200).body(deep)]))
        .call(GetBucketInfo::new(BUCKET))
        .call(GetBucketInfo::new(BUCKET))
        .expects([
            "> GET /bucket/?bucketInfo signed",
            "= GetBucketInfo failed: unreadable; unknown, 1 attempt",
            "> GET /bucket/?bucketInfo signed",
            "= GetBucketInfo failed: unreadable; unknown, 1 attempt",
        ])
}

fn cut_list() -> Scenario {
    let cut = Deed::spoil(|answer| answer.end = End::Cut(100));
    let cut_in_chunks = Deed::spoil(|answer| {
        answer.reframe(Framing::Chunked);
        answer.end = End::Cut(100);
    });
    Scenario::new("f36_a_document_that_breaks_off_is_asked_for_again")
        .deeds([cut, cut_in_chunks])
        .call(list())
        .expects([
            "> GET /bucket/?encoding-type=url&list-type=2 signed",
            "> GET /bucket/?encoding-type=url&list-type=2 signed",
            "> GET /bucket/?encoding-type=url&list-type=2 signed",
            "= ListObjectsV2 200, 3 attempts",
        ])
}

fn closed_list() -> Scenario {
    let closed = Deed::spoil(|answer| {
        answer.reframe(Framing::Close);
        answer.end = End::Cut(100);
    });
    Scenario::new("f37_a_document_that_ends_early_without_a_word").deeds([closed]).call(list()).expects([
        "> GET /bucket/?encoding-type=url&list-type=2 signed",
        "= ListObjectsV2 failed: unreadable; unknown, 1 attempt",
    ])
}

fn chunked_list() -> Scenario {
    let chunked = Deed::spoil(|answer| {
        answer.reframe(Framing::Chunked);
        answer.piece = 1;
    });
    let until_close = Deed::spoil(|answer| answer.reframe(Framing::Close));
    Scenario::new("a_document_in_chunks_and_one_until_the_end")
        .holds("a.txt", "hello")
        .deeds([chunked, until_close])
        .call(list())
        .call(list())
        .expects([
            "> GET /bucket/?encoding-type=url&list-type=2 signed",
            "= ListObjectsV2 200, 1 attempt: a.txt",
            "> GET /bucket/?encoding-type=url&list-type=2 signed",
            "= ListObjectsV2 200, 1 attempt: a.txt",
            "# a.txt: 5 bytes, crc 9b1edae5dbb937b1",
        ])
}

fn too_long() -> Scenario {
    Scenario::new("b48_a_document_that_is_too_long")
        .tuned(|settings| settings.limits.collect_bytes_max = 1000)
        .deeds(answers([Answer::new(200).body(vec![b' '; 2000]).framed(Framing::Chunked)]))
        .tuned(|settings| {
            settings.limits.collect_bytes_max = 1000;
            settings.retry = settings.retry.with_max_attempts(1);
        })
        .call(list())
        .expects([
            "> GET /bucket/?encoding-type=url&list-type=2 signed",
            "= ListObjectsV2 failed: unreadable; unknown, 1 attempt",
        ])
}
