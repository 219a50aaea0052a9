//! Writes whose answer is lost or wrong.

use oss_proto::{
    AbortMultipartUpload, AppendObject, CompleteMultipartUpload, CopyObject, CopySource, DeleteObject,
    InitiateMultipartUpload, Metadata, Payload, PutBucket, PutObject, Replay, UploadPart,
};

use crate::conformance::{Content, Memory, Scenario};
use crate::peer::{Answer, BUCKET, Deed};

pub(super) fn scenarios() -> Vec<Scenario> {
    let mut all = vec![damaged_upload(), damaged_thrice(), unchecked_upload(), lost_put(), lost_part()];
    all.extend([
        lost_abort(),
        lost_conditional(),
        unmade_conditional(),
        others_conditional(),
        late_conditional(),
        plain_conflict(),
        failing_look(),
        spent_conditional(),
        lost_append(),
        lost_delete(),
        lost_copy(),
        invalid(),
    ]);
    all
}

fn put() -> PutObject {
    PutObject::new(BUCKET, "a.txt", "hello")
}

fn part(memory: &Memory) -> UploadPart {
    UploadPart::new(BUCKET, "a.txt", memory.upload_id.as_str(), 1_u32, "hello")
}

fn complete(memory: &Memory) -> CompleteMultipartUpload {
    CompleteMultipartUpload::new(BUCKET, "a.txt", memory.upload_id.as_str()).parts(memory.parts.clone())
}

fn damaged() -> Deed {
    Deed::spoil(|answer| answer.set("x-oss-hash-crc64ecma", Some("12345")))
}

fn damaged_upload() -> Scenario {
    Scenario::new("f42_an_upload_that_arrived_damaged_is_repeated").deeds([damaged()]).call(put()).expects([
        "> PUT /bucket/a.txt signed, 5 bytes",
        "> PUT /bucket/a.txt signed, 5 bytes",
        "= PutObject 200, 2 attempts: crc 9b1edae5dbb937b1",
        "# a.txt: 5 bytes, crc 9b1edae5dbb937b1",
    ])
}

fn damaged_thrice() -> Scenario {
    Scenario::new("f42_an_upload_that_arrives_damaged_each_time")
        .deeds([damaged(), damaged(), damaged(), damaged()])
        .call(put())
        .call(PutObject::new(BUCKET, "b.txt", "hello").forbid_overwrite(true))
        .expects([
            "> PUT /bucket/a.txt signed, 5 bytes",
            "> PUT /bucket/a.txt signed, 5 bytes",
            "> PUT /bucket/a.txt signed, 5 bytes",
            "= PutObject failed: damaged: another checksum; unknown, 3 attempts",
            "> PUT /bucket/b.txt signed, x-oss-forbid-overwrite: true, 5 bytes",
            "= PutObject failed: damaged: another checksum; unknown, 1 attempt",
            "# a.txt: 5 bytes, crc 9b1edae5dbb937b1",
            "# b.txt: 5 bytes, crc 9b1edae5dbb937b1",
        ])
}

fn unchecked_upload() -> Scenario {
    Scenario::new("f43_an_upload_whose_checksum_is_not_told")
        .deeds([Deed::spoil(|answer| answer.set("x-oss-hash-crc64ecma", None))])
        .call(put())
        .expects([
            "> PUT /bucket/a.txt signed, 5 bytes",
            "= PutObject 200, 1 attempt",
            "# a.txt: 5 bytes, crc 9b1edae5dbb937b1",
        ])
}

fn lost_put() -> Scenario {
    Scenario::new("f54_a_lost_answer_to_an_upload").deeds([Deed::Lose, Deed::Lose]).call(put()).expects([
        "> PUT /bucket/a.txt signed, 5 bytes",
        "> PUT /bucket/a.txt signed, 5 bytes",
        "> PUT /bucket/a.txt signed, 5 bytes",
        "= PutObject 200, 3 attempts: crc 9b1edae5dbb937b1",
        "# a.txt: 5 bytes, crc 9b1edae5dbb937b1",
    ])
}

fn lost_part() -> Scenario {
    Scenario::new("f56_a_lost_answer_to_a_part")
        .deeds([Deed::Serve, Deed::Lose])
        .call(InitiateMultipartUpload::new(BUCKET, "a.txt"))
        .call_with(|memory| part(memory).into())
        .call_with(|memory| complete(memory).into())
        .expects([
            "> POST /bucket/a.txt?encoding-type=url&uploads signed",
            "= InitiateMultipartUpload 200, 1 attempt: UPLOAD",
            "> PUT /bucket/a.txt?partNumber=1&uploadId=UPLOAD signed, 5 bytes",
            "> PUT /bucket/a.txt?partNumber=1&uploadId=UPLOAD signed, 5 bytes",
            "= UploadPart 200, 2 attempts: crc 9b1edae5dbb937b1",
            "> POST /bucket/a.txt?encoding-type=url&uploadId=UPLOAD signed, 147 bytes",
            "= CompleteMultipartUpload 200, 1 attempt: a.txt, crc 9b1edae5dbb937b1",
            "# a.txt: 5 bytes, crc 9b1edae5dbb937b1",
        ])
}

fn lost_abort() -> Scenario {
    Scenario::new("f59_a_lost_answer_to_an_abort")
        .deeds([Deed::Serve, Deed::Lose])
        .call(InitiateMultipartUpload::new(BUCKET, "a.txt"))
        .call_with(|memory| AbortMultipartUpload::new(BUCKET, "a.txt", memory.upload_id.as_str()).into())
        .expects([
            "> POST /bucket/a.txt?encoding-type=url&uploads signed",
            "= InitiateMultipartUpload 200, 1 attempt: UPLOAD",
            "> DELETE /bucket/a.txt?uploadId=UPLOAD signed",
            "> DELETE /bucket/a.txt?uploadId=UPLOAD signed",
            "= AbortMultipartUpload 404, 2 attempts",
        ])
}

fn lost_conditional() -> Scenario {
    Scenario::new("f60_a_lost_answer_to_a_conditional_write_is_looked_up")
        .deeds([Deed::Lose])
        .call(put().forbid_overwrite(true))
        .expects([
            "> PUT /bucket/a.txt signed, x-oss-forbid-overwrite: true, 5 bytes",
            "> HEAD /bucket/a.txt signed",
            "= PutObject 200, 2 attempts: crc 9b1edae5dbb937b1",
            "# a.txt: 5 bytes, crc 9b1edae5dbb937b1",
        ])
}

fn unmade_conditional() -> Scenario {
    Scenario::new("f60_a_conditional_write_that_was_not_made_is_made_again")
        .deeds([Deed::Close(5)])
        .call(put().forbid_overwrite(true))
        .expects([
            "> PUT /bucket/a.txt signed, x-oss-forbid-overwrite: true, 5 bytes",
            "> HEAD /bucket/a.txt signed",
            "> PUT /bucket/a.txt signed, x-oss-forbid-overwrite: true, 5 bytes",
            "= PutObject 200, 3 attempts: crc 9b1edae5dbb937b1",
            "# a.txt: 5 bytes, crc 9b1edae5dbb937b1",
        ])
}

fn others_conditional() -> Scenario {
    Scenario::new("f60_what_somebody_else_wrote_is_a_conflict")
        .holds("a.txt", "other")
        .deeds([Deed::Close(5)])
        .call(put().forbid_overwrite(true))
        .expects([
            "> PUT /bucket/a.txt signed, x-oss-forbid-overwrite: true, 5 bytes",
            "> HEAD /bucket/a.txt signed",
            "> PUT /bucket/a.txt signed, x-oss-forbid-overwrite: true, 5 bytes",
            "> HEAD /bucket/a.txt signed",
            "= PutObject failed: 409 FileAlreadyExists; rejected, 4 attempts",
            "# a.txt: 5 bytes, crc 36fad9241cea5c82",
        ])
}

fn late_conditional() -> Scenario {
    Scenario::new("f60_a_first_arrival_that_is_seen_late_is_no_conflict")
        .deeds([Deed::Lose, Deed::Answer(Answer::new(404)), Deed::Serve])
        .call(put().forbid_overwrite(true))
        .expects([
            "> PUT /bucket/a.txt signed, x-oss-forbid-overwrite: true, 5 bytes",
            "> HEAD /bucket/a.txt signed",
            "> PUT /bucket/a.txt signed, x-oss-forbid-overwrite: true, 5 bytes",
            "> HEAD /bucket/a.txt signed",
            "= PutObject 200, 4 attempts: crc 9b1edae5dbb937b1",
            "# a.txt: 5 bytes, crc 9b1edae5dbb937b1",
        ])
}

fn plain_conflict() -> Scenario {
    Scenario::new("f60_a_conflict_without_doubt_is_final")
        .holds("a.txt", "hello")
        .deeds([Deed::Answer(Answer::error(503, "SlowDown"))])
        .call(put().forbid_overwrite(true))
        .expects([
            "> PUT /bucket/a.txt signed, x-oss-forbid-overwrite: true, 5 bytes",
            "> PUT /bucket/a.txt signed, x-oss-forbid-overwrite: true, 5 bytes",
            "= PutObject failed: 409 FileAlreadyExists; rejected, 2 attempts",
            "# a.txt: 5 bytes, crc 9b1edae5dbb937b1",
        ])
}

fn failing_look() -> Scenario {
    Scenario::new("f60_a_look_that_fails_leaves_the_outcome_unknown")
        .hides_attempts()
        .deeds([Deed::Lose, Deed::Answer(Answer::error(403, "AccessDenied"))])
        .call(put().forbid_overwrite(true))
        .deeds([Deed::Lose, Deed::Answer(Answer::error(500, "InternalError")), Deed::Serve])
        .call(PutObject::new(BUCKET, "b.txt", "hello").forbid_overwrite(true))
        .expects([
            "> PUT /bucket/a.txt signed, x-oss-forbid-overwrite: true, 5 bytes",
            "> HEAD /bucket/a.txt signed",
            "= PutObject failed: the connection broke; unknown",
            "> PUT /bucket/b.txt signed, x-oss-forbid-overwrite: true, 5 bytes",
            "> HEAD /bucket/b.txt signed",
            "> HEAD /bucket/b.txt signed",
            "= PutObject 200: crc 9b1edae5dbb937b1",
            "# a.txt: 5 bytes, crc 9b1edae5dbb937b1",
            "# b.txt: 5 bytes, crc 9b1edae5dbb937b1",
        ])
}

fn spent_conditional() -> Scenario {
    let once = |key| {
        let body = Payload::Stream { len: Some(5), replay: Replay::Once };
        PutObject::new(BUCKET, key, body).forbid_overwrite(true)
    };
    Scenario::new("f10_f60_a_body_that_is_spent_is_looked_up_and_not_sent_again")
        .deeds([Deed::Lose, Deed::Serve, Deed::Close(5)])
        .stream(once("a.txt"), Content::new("hello"))
        .stream(once("b.txt"), Content::new("hello"))
        .expects([
            "> PUT /bucket/a.txt signed, x-oss-forbid-overwrite: true, 5 bytes",
            "> HEAD /bucket/a.txt signed",
            "= PutObject 200, 2 attempts: crc 9b1edae5dbb937b1",
            "> PUT /bucket/b.txt signed, x-oss-forbid-overwrite: true, 5 bytes",
            "> HEAD /bucket/b.txt signed",
            "= PutObject failed: the connection broke; unknown, 2 attempts",
            "# a.txt: 5 bytes, crc 9b1edae5dbb937b1",
        ])
}

fn lost_append() -> Scenario {
    let append = |position: u64, body: &'static str| AppendObject::new(BUCKET, "a.txt", position, body);
    Scenario::new("f61_a_lost_answer_to_an_append_is_looked_up")
        .deeds([Deed::Lose, Deed::Serve, Deed::Close(2), Deed::Serve, Deed::Serve, Deed::Lose])
        .call(append(0, "hello"))
        .call(append(5, ", you"))
        .call(append(10, "!"))
        .call(append(3, "lo"))
        .expects([
            "> POST /bucket/a.txt?append&position=0 signed, 5 bytes",
            "> HEAD /bucket/a.txt signed",
            "= AppendObject 200, 2 attempts: next at 5",
            "> POST /bucket/a.txt?append&position=5 signed, 5 bytes",
            "> HEAD /bucket/a.txt signed",
            "> POST /bucket/a.txt?append&position=5 signed, 5 bytes",
            "= AppendObject 200, 3 attempts: next at 10",
            "> POST /bucket/a.txt?append&position=10 signed, 1 bytes",
            "> HEAD /bucket/a.txt signed",
            "= AppendObject failed: the connection broke; unknown, 2 attempts",
            "> POST /bucket/a.txt?append&position=3 signed, 2 bytes",
            "= AppendObject failed: 409 PositionNotEqualToLength; rejected, 1 attempt",
            "# a.txt: 11 bytes, crc 77068aedaeda423f",
        ])
}

fn lost_delete() -> Scenario {
    Scenario::new("f62_a_lost_answer_to_a_deletion")
        .holds("a.txt", "hello")
        .deeds([Deed::Lose])
        .call(DeleteObject::new(BUCKET, "a.txt"))
        .expects([
            "> DELETE /bucket/a.txt signed",
            "> DELETE /bucket/a.txt signed",
            "= DeleteObject 204, 2 attempts",
        ])
}

fn lost_copy() -> Scenario {
    Scenario::new("f54_a_lost_answer_to_a_copy")
        .holds("a.txt", "hello")
        .deeds([Deed::Lose])
        .call(CopyObject::new(BUCKET, "b.txt", CopySource::new(BUCKET, "a.txt")))
        .expects([
            "> PUT /bucket/b.txt signed, x-oss-copy-source: /bucket/a.txt",
            "> PUT /bucket/b.txt signed, x-oss-copy-source: /bucket/a.txt",
            "= CopyObject 200, 2 attempts: an etag",
            "# a.txt: 5 bytes, crc 9b1edae5dbb937b1",
            "# b.txt: 5 bytes, crc 9b1edae5dbb937b1",
        ])
}

fn invalid() -> Scenario {
    let mut metadata = Metadata::new();
    metadata.insert("x", "a\r\nauthorization: mine");
    Scenario::new("b03_b12_what_cannot_be_sent_is_not_sent")
        .call(PutObject::new(BUCKET, "", "hello"))
        .call(PutObject::new("Bad_Bucket", "a.txt", "hello"))
        .call(PutObject::new(BUCKET, "/lead", "hello"))
        .call(put().metadata(metadata))
        .call(put().content_type("text/plain\r\nx: y"))
        .call(PutBucket::new("evil.example/#"))
        .expects([
            "= PutObject failed: invalid key; not sent, 0 attempts",
            "= PutObject failed: invalid bucket; not sent, 0 attempts",
            "= PutObject failed: invalid key; not sent, 0 attempts",
            "= PutObject failed: invalid metadata; not sent, 0 attempts",
            "= PutObject failed: invalid content-type; not sent, 0 attempts",
            "= PutBucket failed: invalid bucket; not sent, 0 attempts",
        ])
}
