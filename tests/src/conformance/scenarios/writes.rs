//! Writes whose answer is lost or wrong.

use oss_proto::{
    AbortMultipartUpload, CompleteMultipartUpload, CopyObject, CopySource, DeleteObject,
    InitiateMultipartUpload, Metadata, PutBucket, PutObject, UploadPart,
};

use crate::conformance::{Memory, Scenario};
use crate::peer::{BUCKET, Deed};

pub(super) fn scenarios() -> Vec<Scenario> {
    let mut all = vec![damaged_upload(), damaged_thrice(), unchecked_upload(), lost_put(), lost_part()];
    all.extend([lost_completion(), lost_abort(), lost_conditional(), lost_delete(), lost_copy(), invalid()]);
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

fn lost_completion() -> Scenario {
    Scenario::new("f58_a_lost_answer_to_a_completion_is_not_guessed")
        .deeds([Deed::Serve, Deed::Serve, Deed::Lose])
        .call(InitiateMultipartUpload::new(BUCKET, "a.txt"))
        .call_with(|memory| part(memory).into())
        .call_with(|memory| complete(memory).into())
        .expects([
            "> POST /bucket/a.txt?encoding-type=url&uploads signed",
            "= InitiateMultipartUpload 200, 1 attempt: UPLOAD",
            "> PUT /bucket/a.txt?partNumber=1&uploadId=UPLOAD signed, 5 bytes",
            "= UploadPart 200, 1 attempt: crc 9b1edae5dbb937b1",
            "> POST /bucket/a.txt?encoding-type=url&uploadId=UPLOAD signed, 147 bytes",
            "= CompleteMultipartUpload failed: the connection broke; unknown, 1 attempt",
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
    Scenario::new("f60_a_lost_answer_to_a_conditional_write_is_not_guessed")
        .deeds([Deed::Lose])
        .call(put().forbid_overwrite(true))
        .expects([
            "> PUT /bucket/a.txt signed, x-oss-forbid-overwrite: true, 5 bytes",
            "= PutObject failed: the connection broke; unknown, 1 attempt",
            "# a.txt: 5 bytes, crc 9b1edae5dbb937b1",
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
