//! What is the last word on a request, and what is the last use of a connection.

use oss_proto::{
    Callback, CompleteMultipartUpload, CompletedPart, DeleteObject, InitiateMultipartUpload, PutObject,
    UploadPart,
};

use super::{impatient, list};
use crate::conformance::Scenario;
use crate::peer::{Answer, BUCKET, Deed};

pub(super) fn scenarios() -> Vec<Scenario> {
    vec![wrong_requests(), completion_with_callback(), damaged_part(), silent_connection()]
}

fn put() -> PutObject {
    PutObject::new(BUCKET, "a.txt", "hello")
}

fn wrong_requests() -> Scenario {
    let refused = |status, code| Deed::Answer(Answer::error(status, code));
    let delete = || DeleteObject::new(BUCKET, "a.txt");
    Scenario::new("f26_what_is_wrong_stays_wrong")
        .deeds([
            refused(400, "InvalidArgument"),
            refused(400, "BadRequest"),
            refused(405, "MethodNotAllowed"),
            refused(409, "BucketNotEmpty"),
            refused(411, "MissingContentLength"),
            refused(412, "PreconditionFailed"),
            refused(416, "InvalidRange"),
            Deed::Answer(Answer::new(400)),
        ])
        .call(put())
        .call(delete())
        .call(put())
        .call(delete())
        .call(put())
        .call(put())
        .call(list())
        .call(delete())
        .expects([
            "> PUT /bucket/a.txt signed, 5 bytes",
            "= PutObject failed: 400 InvalidArgument; rejected, 1 attempt",
            "> DELETE /bucket/a.txt signed",
            "= DeleteObject failed: 400 BadRequest; rejected, 1 attempt",
            "> PUT /bucket/a.txt signed, 5 bytes",
            "= PutObject failed: 405 MethodNotAllowed; rejected, 1 attempt",
            "> DELETE /bucket/a.txt signed",
            "= DeleteObject failed: 409 BucketNotEmpty; rejected, 1 attempt",
            "> PUT /bucket/a.txt signed, 5 bytes",
            "= PutObject failed: 411 MissingContentLength; rejected, 1 attempt",
            "> PUT /bucket/a.txt signed, 5 bytes",
            "= PutObject failed: 412 PreconditionFailed; rejected, 1 attempt",
            "> GET /bucket/?encoding-type=url&list-type=2 signed",
            "= ListObjectsV2 failed: 416 InvalidRange; rejected, 1 attempt",
            "> DELETE /bucket/a.txt signed",
            "= DeleteObject failed: 400 BadErrorResponse; rejected, 1 attempt",
        ])
}

/// Whatever code the answer names: the object is there.
fn completion_with_callback() -> Scenario {
    let failed = |code| Deed::Answer(Answer::error(203, code));
    let complete = || {
        let parts = vec![CompletedPart::new(1_u32, "\"5D41402ABC4B2A76B9719D911017C592\"")];
        CompleteMultipartUpload::new(BUCKET, "a.txt", "0004B9894A22E5B1888A1E29F823")
            .parts(parts)
            .callback(Callback::new("http://example.com/done", "key=${object}"))
    };
    Scenario::new("f28_a_completion_whose_callback_failed_is_not_made_again")
        .deeds([failed("CallbackFailed"), failed("InternalError")])
        .call(complete())
        .call(complete())
        .expects([
            "> POST /bucket/a.txt?encoding-type=url\
             &uploadId=0004B9894A22E5B1888A1E29F823 signed, 147 bytes",
            "= CompleteMultipartUpload failed: stored, but the callback failed: 203 CallbackFailed; unknown\
             , 1 attempt",
            "> POST /bucket/a.txt?encoding-type=url\
             &uploadId=0004B9894A22E5B1888A1E29F823 signed, 147 bytes",
            "= CompleteMultipartUpload failed: stored, but the callback failed: 203 InternalError; unknown\
             , 1 attempt",
        ])
}

fn damaged_part() -> Scenario {
    let damaged = Deed::spoil(|answer| answer.set("x-oss-hash-crc64ecma", Some("12345")));
    Scenario::new("f42_a_part_that_arrived_damaged_is_sent_again")
        .deeds([Deed::Serve, damaged])
        .call(InitiateMultipartUpload::new(BUCKET, "a.txt"))
        .call_with(|memory| {
            UploadPart::new(BUCKET, "a.txt", memory.upload_id.as_str(), 1_u32, "hello").into()
        })
        .expects([
            "> POST /bucket/a.txt?encoding-type=url&uploads signed",
            "= InitiateMultipartUpload 200, 1 attempt: UPLOAD",
            "> PUT /bucket/a.txt?partNumber=1&uploadId=UPLOAD signed, 5 bytes",
            "> PUT /bucket/a.txt?partNumber=1&uploadId=UPLOAD signed, 5 bytes",
            "= UploadPart 200, 2 attempts: crc 9b1edae5dbb937b1",
            "# a.txt: an upload",
        ])
}

fn silent_connection() -> Scenario {
    Scenario::new("f14_a_connection_that_fell_silent_is_not_used_again")
        .watches_connections()
        .tuned(impatient)
        .deeds([Deed::Serve, Deed::Hang, Deed::Serve])
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
