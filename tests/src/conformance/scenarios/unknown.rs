//! Writes of which nobody knows whether they took effect: what is asked, and what the caller is told.

use oss_proto::{
    CompleteMultipartUpload, CopyObject, CopySource, DeleteMultipleObjects, DeleteObject,
    InitiateMultipartUpload, Payload, PutObject, PutSymlink, Replay, RestoreObject, Settings, UploadPart,
};

use crate::conformance::{Content, Memory, Scenario};
use crate::peer::{Answer, BUCKET, Deed};

pub(super) fn scenarios() -> Vec<Scenario> {
    let mut all = vec![unmade_completion(), lost_completion(), untold_completion(), others_completion()];
    all.extend([silent_completion(), absent_completion(), refused_completion(), unexpected_completion()]);
    all.extend([lost_copy(), unmade_copy(), others_copy(), copy_of_what_is_gone(), uncertain_copy()]);
    all.extend([lost_link(), others_link(), marked(), unmarked()]);
    all.extend([
        versioned(),
        versioned_and_repeated(),
        begun_twice(),
        begun_after_all(),
        begun_for_another(),
    ]);
    all.extend([deleted_meanwhile(), partly_deleted(), restoring()]);
    all
}

/// An upload of one part, and its completion as the scenario has it.
fn upload(name: &'static str) -> Scenario {
    let part = |memory: &Memory| UploadPart::new(BUCKET, "a.txt", memory.upload_id.as_str(), 1_u32, "hello");
    Scenario::new(name)
        .deeds([Deed::Serve, Deed::Serve])
        .call(InitiateMultipartUpload::new(BUCKET, "a.txt"))
        .call_with(move |memory| part(memory).into())
}

fn complete(memory: &Memory) -> CompleteMultipartUpload {
    CompleteMultipartUpload::new(BUCKET, "a.txt", memory.upload_id.as_str()).parts(memory.parts.clone())
}

fn expecting(memory: &Memory) -> CompleteMultipartUpload {
    complete(memory).size(5_u64).crc64(HELLO)
}

const HELLO: u64 = 0x9b1e_dae5_dbb9_37b1;
const BEGUN: &str = "> POST /bucket/a.txt?encoding-type=url&uploads signed";
const BEGAN: &str = "= InitiateMultipartUpload 200, 1 attempt: UPLOAD";
const PART: &str = "> PUT /bucket/a.txt?partNumber=1&uploadId=UPLOAD signed, 5 bytes";
const PARTED: &str = "= UploadPart 200, 1 attempt: crc 9b1edae5dbb937b1";
const COMPLETES: &str = "> POST /bucket/a.txt?encoding-type=url&uploadId=UPLOAD signed, 147 bytes";
const HOLDS: &str = "# a.txt: 5 bytes, crc 9b1edae5dbb937b1";

fn unmade_completion() -> Scenario {
    upload("f58_a_completion_that_did_not_arrive_is_asked_for_again")
        .deeds([Deed::Close(5)])
        .call_with(|memory| complete(memory).into())
        .expects([
            BEGUN,
            BEGAN,
            PART,
            PARTED,
            COMPLETES,
            COMPLETES,
            "= CompleteMultipartUpload 200, 2 attempts: a.txt, crc 9b1edae5dbb937b1",
            HOLDS,
        ])
}

fn lost_completion() -> Scenario {
    upload("f58_a_lost_answer_to_a_completion_is_found_by_what_was_expected")
        .deeds([Deed::Lose])
        .call_with(|memory| expecting(memory).into())
        .expects([
            BEGUN,
            BEGAN,
            PART,
            PARTED,
            COMPLETES,
            COMPLETES,
            "> HEAD /bucket/a.txt signed",
            "= CompleteMultipartUpload 200, 3 attempts: a.txt, crc 9b1edae5dbb937b1",
            HOLDS,
        ])
}

fn untold_completion() -> Scenario {
    upload("f58_a_lost_answer_to_a_completion_is_not_guessed")
        .deeds([Deed::Lose])
        .call_with(|memory| complete(memory).into())
        .expects([
            BEGUN,
            BEGAN,
            PART,
            PARTED,
            COMPLETES,
            COMPLETES,
            "= CompleteMultipartUpload failed: 404 NoSuchUpload; unknown, 2 attempts",
            HOLDS,
        ])
}

fn others_completion() -> Scenario {
    let other = Deed::spoil(|answer| answer.set("x-oss-hash-crc64ecma", Some("1")));
    upload("f58_an_object_of_somebody_else_leaves_a_completion_unknown")
        .deeds([Deed::Lose, Deed::Serve, other])
        .call_with(|memory| expecting(memory).into())
        .expects([
            BEGUN,
            BEGAN,
            PART,
            PARTED,
            COMPLETES,
            COMPLETES,
            "> HEAD /bucket/a.txt signed",
            "= CompleteMultipartUpload failed: 404 NoSuchUpload; unknown, 3 attempts",
            HOLDS,
        ])
}

fn silent_completion() -> Scenario {
    upload("f58_a_completion_without_any_answer_is_looked_at_last_of_all")
        .deeds([Deed::Lose, Deed::Lose, Deed::Lose])
        .call_with(|memory| expecting(memory).into())
        .expects([
            BEGUN,
            BEGAN,
            PART,
            PARTED,
            COMPLETES,
            COMPLETES,
            COMPLETES,
            "> HEAD /bucket/a.txt signed",
            "= CompleteMultipartUpload 200, 4 attempts: a.txt, crc 9b1edae5dbb937b1",
            HOLDS,
        ])
}

fn absent_completion() -> Scenario {
    upload("f58_a_completion_that_a_last_look_does_not_find_stays_unknown")
        .deeds([Deed::Close(5), Deed::Close(5), Deed::Close(5)])
        .call_with(|memory| expecting(memory).into())
        .expects([
            BEGUN,
            BEGAN,
            PART,
            PARTED,
            COMPLETES,
            COMPLETES,
            COMPLETES,
            "> HEAD /bucket/a.txt signed",
            "= CompleteMultipartUpload failed: the connection broke; unknown, 4 attempts",
            "# a.txt: an upload",
        ])
}

fn refused_completion() -> Scenario {
    Scenario::new("f58_an_upload_that_never_was_is_no_doubt")
        .call(CompleteMultipartUpload::new(BUCKET, "a.txt", "none").size(5_u64).crc64(HELLO))
        .expects([
            "> POST /bucket/a.txt?encoding-type=url&uploadId=none signed",
            "= CompleteMultipartUpload failed: 404 NoSuchUpload; rejected, 1 attempt",
        ])
}

fn unexpected_completion() -> Scenario {
    upload("f58_f66_a_completion_that_makes_something_else_is_an_error")
        .call_with(|memory| expecting(memory).crc64(HELLO ^ 1).into())
        .expects([
            BEGUN,
            BEGAN,
            PART,
            PARTED,
            COMPLETES,
            "= CompleteMultipartUpload failed: damaged: another checksum; unknown, 1 attempt",
            HOLDS,
        ])
}

fn copying(name: &'static str) -> Scenario {
    Scenario::new(name).holds("a.txt", "hello")
}

fn copy() -> CopyObject {
    CopyObject::new(BUCKET, "b.txt", CopySource::new(BUCKET, "a.txt")).forbid_overwrite(true)
}

/// Written long before the call.
fn old() -> Deed {
    Deed::spoil(|answer| answer.set("last-modified", Some("Sun, 06 Nov 1994 08:49:37 GMT")))
}

const COPIES: &str =
    "> PUT /bucket/b.txt signed, x-oss-copy-source: /bucket/a.txt, x-oss-forbid-overwrite: true";
const COPIED: &str = "# b.txt: 5 bytes, crc 9b1edae5dbb937b1";

fn lost_copy() -> Scenario {
    copying("f60_a_lost_answer_to_a_copy_is_looked_up_at_both_ends").deeds([Deed::Lose]).call(copy()).expects(
        [
            COPIES,
            "> HEAD /bucket/b.txt signed",
            "> HEAD /bucket/a.txt signed",
            "= CopyObject 200, 3 attempts: an etag",
            HOLDS,
            COPIED,
        ],
    )
}

fn unmade_copy() -> Scenario {
    copying("f60_a_copy_that_was_not_made_is_made_again").deeds([Deed::Close(0)]).call(copy()).expects([
        COPIES,
        "> HEAD /bucket/b.txt signed",
        COPIES,
        "= CopyObject 200, 3 attempts: an etag",
        HOLDS,
        COPIED,
    ])
}

fn others_copy() -> Scenario {
    copying("f60_what_was_there_before_a_copy_is_a_conflict")
        .holds("b.txt", "hello")
        .deeds([Deed::Close(0), old(), Deed::Serve, old()])
        .call(copy())
        .expects([
            COPIES,
            "> HEAD /bucket/b.txt signed",
            COPIES,
            "> HEAD /bucket/b.txt signed",
            "= CopyObject failed: 409 FileAlreadyExists; rejected, 4 attempts",
            HOLDS,
            COPIED,
        ])
}

fn copy_of_what_is_gone() -> Scenario {
    copying("f60_a_copy_whose_source_is_gone_stays_unknown")
        .deeds([Deed::Lose, Deed::Serve, Deed::Answer(Answer::new(404))])
        .call(copy())
        .expects([
            COPIES,
            "> HEAD /bucket/b.txt signed",
            "> HEAD /bucket/a.txt signed",
            "= CopyObject failed: the connection broke; unknown, 3 attempts",
            HOLDS,
            COPIED,
        ])
}

fn uncertain_copy() -> Scenario {
    copying("f60_a_copy_without_a_checksum_stays_unknown")
        .deeds([Deed::Lose, Deed::spoil(|answer| answer.set("x-oss-hash-crc64ecma", None))])
        .call(copy())
        .expects([
            COPIES,
            "> HEAD /bucket/b.txt signed",
            "> HEAD /bucket/a.txt signed",
            "= CopyObject failed: the connection broke; unknown, 3 attempts",
            HOLDS,
            COPIED,
        ])
}

fn link() -> PutSymlink {
    PutSymlink::new(BUCKET, "b.txt", "a b.txt").forbid_overwrite(true)
}

const LINKS: &str = "> PUT /bucket/b.txt?symlink signed, x-oss-forbid-overwrite: true";

fn lost_link() -> Scenario {
    Scenario::new("f60_a_lost_answer_to_a_link_is_looked_up").deeds([Deed::Lose]).call(link()).expects([
        LINKS,
        "> GET /bucket/b.txt?symlink signed",
        "= PutSymlink 200, 2 attempts",
        "# b.txt: 0 bytes, crc 0000000000000000",
    ])
}

fn others_link() -> Scenario {
    Scenario::new("f60_an_object_in_place_of_a_link_is_a_conflict")
        .holds("b.txt", "hello")
        .deeds([Deed::Close(0)])
        .call(link())
        .expects([
            LINKS,
            "> GET /bucket/b.txt?symlink signed",
            LINKS,
            "> GET /bucket/b.txt?symlink signed",
            "= PutSymlink failed: 409 FileAlreadyExists; rejected, 4 attempts",
            COPIED,
        ])
}

fn stream() -> PutObject {
    let body = Payload::Stream { len: None, replay: Replay::Once };
    PutObject::new(BUCKET, "a.txt", body).forbid_overwrite(true)
}

fn unchecked(settings: &mut Settings) {
    settings.checks_upload_crc64 = false;
}

fn marked() -> Scenario {
    Scenario::new("f60_with_a_nonce_a_stream_that_nobody_summed_is_known_again")
        .tuned(|settings| {
            unchecked(settings);
            settings.write_nonce = true;
        })
        .deeds([Deed::Lose])
        .stream(stream(), Content::new("hello"))
        .expects([
            "> PUT /bucket/a.txt signed, x-oss-forbid-overwrite: true, 5 bytes in chunks",
            "> HEAD /bucket/a.txt signed",
            "= PutObject 200, 2 attempts: crc 9b1edae5dbb937b1",
            HOLDS,
        ])
}

fn unmarked() -> Scenario {
    Scenario::new("f60_without_a_nonce_a_stream_that_nobody_summed_stays_unknown")
        .tuned(unchecked)
        .deeds([Deed::Lose])
        .stream(stream(), Content::new("hello"))
        .expects([
            "> PUT /bucket/a.txt signed, x-oss-forbid-overwrite: true, 5 bytes in chunks",
            "> HEAD /bucket/a.txt signed",
            "= PutObject failed: the connection broke; unknown, 2 attempts",
            HOLDS,
        ])
}

fn versioned() -> Scenario {
    Scenario::new("f55_f62_what_would_make_a_version_more_is_not_repeated")
        .tuned(|settings| settings.buckets_versioned = true)
        .deeds([Deed::Lose, Deed::Lose, Deed::Lose])
        .call(PutObject::new(BUCKET, "a.txt", "hello"))
        .call(DeleteObject::new(BUCKET, "a.txt"))
        .call(DeleteObject::new(BUCKET, "a.txt").version_id("null"))
        .expects([
            "> PUT /bucket/a.txt signed, 5 bytes",
            "= PutObject failed: the connection broke; unknown, 1 attempt, as each arrival makes a version",
            "> DELETE /bucket/a.txt signed",
            "= DeleteObject failed: the connection broke; unknown, 1 attempt, \
             as each arrival makes a version",
            "> DELETE /bucket/a.txt?versionId=null signed",
            "> DELETE /bucket/a.txt?versionId=null signed",
            "= DeleteObject 204, 2 attempts",
        ])
}

fn versioned_and_repeated() -> Scenario {
    Scenario::new("f55_whoever_takes_a_version_more_may_have_it")
        .tuned(|settings| {
            settings.buckets_versioned = true;
            settings.repeats_versions = true;
        })
        .deeds([Deed::Lose])
        .call(PutObject::new(BUCKET, "a.txt", "hello"))
        .expects([
            "> PUT /bucket/a.txt signed, 5 bytes",
            "> PUT /bucket/a.txt signed, 5 bytes",
            "= PutObject 200, 2 attempts: crc 9b1edae5dbb937b1",
            HOLDS,
        ])
}

fn begun_twice() -> Scenario {
    let initiate = || InitiateMultipartUpload::new(BUCKET, "a.txt");
    Scenario::new("f57_an_upload_that_was_begun_twice_may_leave_an_orphan")
        .deeds([Deed::Lose, Deed::Serve, Deed::Lose, Deed::Lose])
        .deeds([Deed::Answer(Answer::error(503, "SlowDown"))])
        .call(initiate())
        .call(initiate())
        .call(initiate())
        .expects([
            BEGUN,
            BEGUN,
            "= InitiateMultipartUpload 200, 2 attempts, an orphan may be left: UPLOAD",
            BEGUN,
            BEGUN,
            "= InitiateMultipartUpload failed: the connection broke; unknown, 2 attempts, \
             an orphan may be left",
            BEGUN,
            BEGUN,
            "= InitiateMultipartUpload 200, 2 attempts: UPLOAD",
            "# a.txt: an upload",
            "# a.txt: an upload",
            "# a.txt: an upload",
            "# a.txt: an upload",
            "# a.txt: an upload",
        ])
}

/// What is refused for certain begins no upload.
fn begun_after_all() -> Scenario {
    let refused = |status, code: &str| Deed::Answer(Answer::error(status, code));
    let initiate = || InitiateMultipartUpload::new(BUCKET, "a.txt");
    Scenario::new("f21_f57_a_refusal_for_certain_is_not_the_one_repetition")
        .ahead(3600)
        .deeds([Deed::Lose, Deed::Serve, Deed::Serve])
        .deeds([Deed::Lose, refused(503, "SlowDown"), Deed::Lose])
        .call(initiate())
        .call(initiate())
        .expects([
            "> POST /bucket/a.txt?encoding-type=url&uploads signed, misdated",
            "> POST /bucket/a.txt?encoding-type=url&uploads signed, misdated",
            BEGUN,
            "= InitiateMultipartUpload 200, 3 attempts, an orphan may be left: UPLOAD",
            BEGUN,
            BEGUN,
            BEGUN,
            "= InitiateMultipartUpload failed: the connection broke; unknown, 3 attempts, \
             an orphan may be left",
            "# a.txt: an upload",
            "# a.txt: an upload",
            "# a.txt: an upload",
        ])
}

fn begun_for_another() -> Scenario {
    let other = Deed::spoil(|answer| {
        let text = String::from_utf8_lossy(&answer.body).replace("<Key>a.txt", "<Key>b.txt");
        answer.body = text.into();
    });
    Scenario::new("b54_an_answer_about_another_key_is_none")
        .deeds([other])
        .call(InitiateMultipartUpload::new(BUCKET, "a.txt"))
        .expects([
            BEGUN,
            "= InitiateMultipartUpload failed: unreadable; unknown, 1 attempt, an orphan may be left",
            "# a.txt: an upload",
        ])
}

fn deleted_meanwhile() -> Scenario {
    let gone = |code: &str| Deed::Answer(Answer::error(404, code));
    Scenario::new("f62_404_is_as_good_as_204_after_a_deletion_that_was_lost")
        .deeds([Deed::Lose, gone("NoSuchKey"), gone("NoSuchKey")])
        .call(DeleteObject::new(BUCKET, "a.txt"))
        .call(DeleteObject::new(BUCKET, "a.txt"))
        .expects([
            "> DELETE /bucket/a.txt signed",
            "> DELETE /bucket/a.txt signed",
            "= DeleteObject 404, 2 attempts",
            "> DELETE /bucket/a.txt signed",
            "= DeleteObject failed: 404 NoSuchKey; rejected, 1 attempt",
        ])
}

fn partly_deleted() -> Scenario {
    let partly = Deed::spoil(|answer| {
        let text = String::from_utf8_lossy(&answer.body).replace(
            "<Deleted><Key>b</Key></Deleted>",
            "<Error><Key>b</Key><Code>InternalError</Code></Error>",
        );
        answer.set("content-length", None);
        answer.body = text.into();
    });
    Scenario::new("f63_what_was_not_deleted_is_told_for_each_key")
        .holds("a", "hello")
        .holds("b", "hello")
        .deeds([partly])
        .call(DeleteMultipleObjects::new(BUCKET, ["a", "b"]))
        .expects([
            "> POST /bucket/?delete&encoding-type=url signed, 75 bytes",
            "= DeleteMultipleObjects 200, 1 attempt: a b (InternalError)",
        ])
}

fn restoring() -> Scenario {
    let at_work = || Deed::Answer(Answer::error(409, "RestoreAlreadyInProgress"));
    Scenario::new("f64_a_restoration_at_work_is_ours_after_doubt_and_else_a_conflict")
        .deeds([Deed::Close(0), at_work(), at_work()])
        .call(RestoreObject::new(BUCKET, "a.txt"))
        .call(RestoreObject::new(BUCKET, "a.txt"))
        .expects([
            "> POST /bucket/a.txt?restore signed",
            "> POST /bucket/a.txt?restore signed",
            "= RestoreObject 409, 2 attempts",
            "> POST /bucket/a.txt?restore signed",
            "= RestoreObject failed: 409 RestoreAlreadyInProgress; rejected, 1 attempt",
        ])
}
