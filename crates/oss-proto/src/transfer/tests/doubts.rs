//! What is not to be gone on with, and what is not to be forgotten.

use alloc::string::ToString as _;
use alloc::vec::Vec;

use super::model::{Store, broken, service};
use super::rows::{options, source, well};
use super::{Dice, get, put};
use crate::transfer::*;
use crate::{Error, GetObject, GetObjectOutput, HeadObjectOutput, Outcome, PutObject, Reply, ReplyHead};

fn interrupted(put: PutObject, len: u64) -> (Store, Checkpoint) {
    let mut store = source(usize::try_from(len).unwrap());
    let mut upload = Upload::new(put, len, &options()).with_checkpoints(&service(), "t1", None);
    for _ in 0..2 {
        let Step::Run(ticket, work) = upload.poll() else { panic!("it goes on") };
        let result = store.run(work, None, &mut Dice(1));
        upload.complete(ticket, result);
    }
    let checkpoint = upload.checkpoint().unwrap();
    (store, checkpoint)
}

#[test]
fn b57_an_upload_with_other_headers_is_another_upload() {
    let len = 350 << 10;
    let (mut store, found) = interrupted(put().metadata([("author", "zoe")]), len);
    let other = put().metadata([("author", "eve")]);
    let mut upload = Upload::new(other, len, &options()).with_checkpoints(&service(), "t1", Some(Ok(found)));
    let output = well(&mut upload, &mut store).unwrap();
    assert_eq!(output.fresh.as_ref(), upload.fresh());
    assert_eq!(store.objects["key"].metadata.get("author"), Some("eve"));
    assert!(matches!(upload.fresh(), Some(Fresh::Differs { what: "request", .. })), "{:?}", upload.fresh());
    assert!(store.uploads.is_empty(), "the old one is given up");
}

#[test]
fn i01_what_nothing_pins_is_not_gone_on_with() {
    let mut download = Download::new(get(), &options());
    let (old, new) = ([1_u8; 40], [2_u8; 40]);
    let mut file = Vec::new();
    let mut gets = 0;
    let result = loop {
        match download.poll() {
            Step::Run(ticket, Work::Head(_)) => {
                let head = HeadObjectOutput { content_length: Some(40), ..Default::default() };
                let reply = Reply::new(head, ReplyHead::default(), alloc::sync::Arc::default());
                download.complete(ticket, Ok(reply.into()));
            }
            Step::Run(ticket, Work::Get(range, _)) => {
                gets += 1;
                let (start, end) =
                    (usize::try_from(range.start).unwrap(), usize::try_from(range.end).unwrap());
                let content_range =
                    Some(crate::ContentRange { first: range.start, last: range.end - 1, size: 40 });
                let head = GetObjectOutput { content_range, ..Default::default() };
                let (bytes, breaks) =
                    if gets == 1 { (&old[start..start + 10], true) } else { (&new[start..end], false) };
                file.truncate(start);
                file.extend_from_slice(bytes);
                let mut received = Received::new(&head, bytes.len() as u64, oss_crc::checksum(bytes));
                if breaks {
                    received = received.broken(broken(Outcome::Rejected));
                }
                download.complete(ticket, Ok(received.into()));
            }
            Step::Done(result) => break result,
            _ => panic!("it waits for nothing"),
        }
    };
    assert!(result.is_err() || file == old || file == new, "half of each: {file:?}");
}

#[test]
fn i07_an_upload_that_is_given_up_is_gone_before_the_new_one_ends() {
    let (mut store, found) = interrupted(put(), 350 << 10);
    let mut upload = Upload::new(put(), 10, &options()).with_checkpoints(&service(), "t2", Some(Ok(found)));
    let mut abort = None;
    loop {
        match upload.poll() {
            Step::Run(ticket, work @ Work::Abort(_)) => abort = Some((ticket, work)),
            Step::Run(ticket, work) => {
                let result = store.run(work, None, &mut Dice(1));
                upload.complete(ticket, result);
            }
            Step::Busy => {
                let (ticket, work) = abort.take().expect("it waits for this alone");
                let result = store.run(work, None, &mut Dice(1));
                upload.complete(ticket, result);
            }
            Step::Done(result) => break assert!(result.is_ok()),
        }
    }
    assert!(abort.is_none() && store.uploads.is_empty(), "the driver drops what is under way at the end");
}

#[test]
fn i07_an_earlier_upload_that_cannot_be_given_up_is_named_in_the_result() {
    use super::model::Fault;
    let given_up = |found: Checkpoint, store: &mut Store, abort, put_fails: bool| {
        let mut upload =
            Upload::new(put(), 10, &options()).with_checkpoints(&service(), "t2", Some(Ok(found)));
        super::rows::run(&mut upload, store, &mut |work| match work {
            Work::Abort(_) => abort,
            Work::Put(..) => put_fails.then_some(Fault::Refused),
            _ => None,
        })
    };
    // Gone by another hand, it is given up.
    for abort in [None, Some(Fault::Deleted)] {
        let (mut store, found) = interrupted(put(), 350 << 10);
        assert_eq!(given_up(found, &mut store, abort, false).unwrap().older, None);
    }
    for abort in [Fault::Refused, Fault::NotSent, Fault::Lost] {
        let (mut store, found) = interrupted(put(), 350 << 10);
        let id = found.upload_id.clone();
        assert_eq!(given_up(found.clone(), &mut store, Some(abort), false).unwrap().older, id);
        let (mut store, found) = interrupted(put(), 350 << 10);
        let error = given_up(found, &mut store, Some(abort), true).unwrap_err();
        let left = error.left().unwrap();
        assert_eq!((&left.upload_id, &left.older), (&None, &id));
        let told = error.to_string();
        assert!(told.ends_with("; the earlier multipart upload upload-1 may remain: abort it"), "{told}");
    }
    // Both of them: the new one is kept, as the one before it was.
    let (mut store, found) = interrupted(put(), 350 << 10);
    let upload = Upload::new(put(), 350 << 10, &options());
    let mut upload = upload.with_checkpoints(&service(), "t2", Some(Ok(found)));
    let result = super::rows::run(&mut upload, &mut store, &mut |work| {
        matches!(work, Work::Abort(_) | Work::Part(..)).then_some(Fault::Refused)
    });
    let error = result.unwrap_err();
    let left = error.left().unwrap();
    assert_eq!((left.older.as_deref(), left.fate), (Some("upload-1"), UploadFate::Kept));
    assert_eq!(left.upload_id, upload.checkpoint().and_then(|it| it.upload_id));
    assert!(left.upload_id.is_some() && store.uploads.len() == 2, "{error}");
}

#[test]
fn i07_a_refused_plan_does_not_forget_the_upload_that_was_kept() {
    let (_, found) = interrupted(put(), 350 << 10);
    let options = options().part_size(1);
    let mut upload =
        Upload::new(put(), 350 << 10, &options).with_checkpoints(&service(), "t1", Some(Ok(found.clone())));
    assert!(matches!(upload.poll(), Step::Done(Err(_))));
    assert_eq!(upload.checkpoint().and_then(|it| it.upload_id), found.upload_id);
}

#[test]
fn a_driver_that_broke_the_contract_is_told_so_whatever_comes_in_later() {
    let mut store = source(10);
    let mut upload = Upload::new(put(), 10, &options());
    let Step::Run(own, work) = upload.poll() else { panic!("it begins") };
    // A ticket of another transfer.
    let mut other = Upload::new(put(), 350 << 10, &options());
    let mut files = source(350 << 10);
    let Step::Run(begin, first) = other.poll() else { panic!("it begins") };
    other.complete(begin, files.run(first, None, &mut Dice(1)));
    let Step::Run(foreign, _) = other.poll() else { panic!("it goes on") };
    upload.complete(foreign, Ok(Completion::verified(1)));
    upload.complete(own, store.run(work, None, &mut Dice(1)));
    let Step::Done(Err(error)) = upload.poll() else { panic!("it is over") };
    assert!(matches!(error.call().unwrap().kind(), crate::ErrorKind::Misuse(_)), "{error}");
}

#[test]
fn b58_parts_that_oss_lists_and_does_not_take_are_not_gone_on_with_again() {
    let len = 350 << 10;
    let (mut store, found) = interrupted(put(), len);
    let mut upload = Upload::new(put(), len, &options()).with_checkpoints(&service(), "t1", Some(Ok(found)));
    let error = loop {
        match upload.poll() {
            Step::Run(ticket, Work::Finish(_)) => {
                upload.complete(ticket, Err(super::model::refusal(400, "InvalidPart")));
            }
            Step::Run(ticket, work) => {
                let result = store.run(work, None, &mut Dice(1));
                upload.complete(ticket, result);
            }
            Step::Busy => panic!("it waits for nothing"),
            Step::Done(result) => break result.unwrap_err(),
        }
    };
    assert_eq!(error.call().and_then(Error::code), Some("InvalidPart"));
    assert_eq!(error.left().map(|left| left.fate), Some(UploadFate::Aborted), "{error}");
    assert!(upload.checkpoint().is_none() && store.uploads.is_empty());
}

#[test]
fn b57_a_range_that_is_never_gone_on_with_has_no_checkpoint() {
    for (range, has_one) in [(None, true), (Some(1..39), false)] {
        let mut store = super::rows::holding(40);
        let get = GetObject { range: range.map(crate::ByteRange::from), ..get() };
        let options = options().part_size(10);
        let mut download = Download::new(get, &options).with_checkpoints(&service(), "part-1", None);
        for _ in 0..2 {
            let Step::Run(ticket, work) = download.poll() else { panic!("it goes on") };
            let result = store.run(work, None, &mut Dice(1));
            download.complete(ticket, result);
        }
        download.cancel();
        assert_eq!(download.checkpoint().is_some(), has_one);
    }
}
