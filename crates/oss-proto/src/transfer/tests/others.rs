//! Lengths that nobody knows, misuse, copies and appends.

use alloc::borrow::ToOwned;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use super::model::{Fault, Store, broken, refusal};
use super::rows::{PART, holding, kind, options, source, well};
use super::{Dice, get, put};
use crate::transfer::*;
use crate::{
    AppendObject, CopyDirective, CopyObject, CopySource, CorruptBody, Delete, DeleteMultipleObjects,
    ErrorKind, GetObjectTaggingOutput, HeadObjectOutput, Outcome, Reply, ReplyHead,
};

#[test]
fn parts_of_an_unknown_length_are_offered_one_ahead() {
    for (len, parts) in [(50 << 10, 0), (100 << 10, 1), (150 << 10, 2), (300 << 10, 3)] {
        let mut store = source(len);
        let mut upload = Upload::of_unknown_length(put(), &options());
        let mut left = len as u64;
        let mut offers = 0;
        let output = loop {
            while upload.wants_part() {
                let part = left.min(upload.part_size());
                upload.offer(part).unwrap();
                left -= part;
                offers += 1;
                assert!(!upload.wants_part(), "one waits at a time");
            }
            match upload.poll() {
                Step::Run(ticket, work) => {
                    let result = store.run(work, None, &mut Dice(1));
                    upload.complete(ticket, result);
                }
                Step::Busy => {}
                Step::Done(result) => break result.unwrap(),
            }
        };
        assert_eq!((output.bytes, output.parts), (len as u64, parts));
        assert_eq!(store.content("key"), Some(&store.source[..]));
        assert_eq!(offers, len / (100 << 10) + 1);
    }
    let mut upload = Upload::of_unknown_length(put(), &options());
    assert!(upload.offer(PART + 1).is_err());
    assert!(upload.offer(PART).is_ok());
    assert_eq!(upload.offer(1).unwrap_err().what, "offered a part that is not wanted");
}

#[test]
fn what_cannot_be_is_told_before_anything_is_sent() {
    let mut store = Store::new();
    let long = Upload::new(put(), u64::MAX, &options());
    let small = Upload::new(put(), 1, &TransferOptions::new().part_size(1));
    let unknown = Upload::of_unknown_length(put(), &TransferOptions::new().part_size(1));
    let laneless = Upload::new(put(), 1, &TransferOptions::new().lanes(0));
    for mut upload in [long, small, unknown, laneless] {
        let error = well(&mut upload, &mut store).unwrap_err();
        assert!(matches!(error.kind(), TransferErrorKind::Plan(_)), "{error}");
        assert!(!upload.wants_part() && upload.offer(1).is_err());
    }
    let error = well(&mut Download::new(get().process("image/info"), &options()), &mut store).unwrap_err();
    assert!(matches!(kind(&error), ErrorKind::Invalid(_)), "{error}");
    assert!(store.log.is_empty());
}

#[test]
fn a_driver_that_breaks_the_contract_is_told() {
    let mut store = source(150 << 10);
    let begin = || Upload::new(put(), 150 << 10, &options());
    // The answer of another work.
    let mut upload = begin();
    let Step::Run(ticket, _) = upload.poll() else { panic!("it begins") };
    upload.complete(ticket, Ok(Completion::verified(1)));
    assert!(matches!(upload.poll(), Step::Done(Err(error)) if matches!(kind(&error), ErrorKind::Misuse(_))));
    // A ticket of another transfer.
    let (mut one, mut other) = (begin(), begin());
    let Step::Run(first, work) = one.poll() else { panic!("it begins") };
    one.complete(first, store.run(work, None, &mut Dice(1)));
    let Step::Run(second, _) = one.poll() else { panic!("it goes on") };
    other.complete(second, Err(broken(Outcome::Unknown)));
    assert!(matches!(other.poll(), Step::Done(Err(error)) if matches!(kind(&error), ErrorKind::Misuse(_))));
}

/// Polled twice after its end: the result comes once.
fn ends_once(mut transfer: impl Transfer, operation: &str) {
    transfer.cancel();
    assert!(matches!(transfer.poll(), Step::Done(Err(error)) if error.is_cancelled()), "{operation}");
    for _ in 0..2 {
        let Step::Done(Err(error)) = transfer.poll() else { panic!("{operation} goes on") };
        let call = error.call().unwrap();
        assert_eq!((call.operation(), call.outcome()), (operation, Outcome::Unknown));
        assert!(matches!(call.kind(), ErrorKind::Misuse(_)), "{error}");
    }
}

#[test]
fn i09_a_transfer_that_is_over_gives_its_result_once() {
    ends_once(Upload::new(put(), 1, &options()), "CompleteMultipartUpload");
    ends_once(Download::new(get(), &options()), "GetObject");
    ends_once(ServerCopy::new(copy(), &options()), "CopyObject");
    ends_once(Append::new(AppendObject::new("bucket", "key", 0_u64, "")), "AppendObject");
    let delete = DeleteMultipleObjects::new("bucket", Delete::from_iter(["key"]));
    ends_once(DeleteMany::new(delete, &options()), "DeleteMultipleObjects");
}

fn copying(len: usize) -> Store {
    let mut store = holding(len);
    let stored = store.objects.get_mut("key").unwrap();
    stored.content_type = Some("text/x-special".to_owned());
    stored.metadata.insert("author", "zoe");
    stored.tags = alloc::vec![("a&b".to_owned(), "c".to_owned())];
    store
}

fn copy() -> CopyObject {
    CopyObject::new("bucket", "copy", CopySource::new("bucket", "key"))
}

#[test]
fn a_copy_is_one_request_or_parts_of_one_source_and_the_same_object() {
    let mut store = copying(250 << 10);
    let output = well(&mut ServerCopy::new(copy(), &options()), &mut store).unwrap();
    assert_eq!(
        (output.parts, output.is_checked, &store.log[..]),
        (0, true, &["Head", "Copy"].map(String::from)[..])
    );
    for has_no_part_crc in [false, true] {
        let mut store = copying(250 << 10);
        store.has_no_part_crc = has_no_part_crc;
        let output = well(&mut ServerCopy::new(copy(), &options().single_bytes_max(0)), &mut store).unwrap();
        assert_eq!((output.parts, output.is_checked, output.bytes), (3, true, 250 << 10));
        let (source, target) = (&store.objects["key"], &store.objects["copy"]);
        assert_eq!(target.content, source.content);
        assert_eq!(target.content_type, source.content_type);
        assert_eq!(target.metadata, source.metadata);
        assert_eq!(target.tags, source.tags);
        assert_eq!(store.log[..3], ["Head", "Tags", "Begin"]);
    }
    let replacing = copy().content_type("text/plain").metadata([("x", "y")]).tagging([("k", "v")]);
    let replacing =
        replacing.metadata_directive(CopyDirective::Replace).tagging_directive(CopyDirective::Replace);
    let mut store = copying(250 << 10);
    well(&mut ServerCopy::new(replacing, &options().single_bytes_max(0)), &mut store).unwrap();
    let target = &store.objects["copy"];
    assert_eq!(target.content_type.as_deref(), Some("text/plain"));
    assert_eq!((target.metadata.get("x"), target.metadata.get("author")), (Some("y"), None));
    assert_eq!(target.tags, [("k".to_owned(), "v".to_owned())]);
}

#[test]
fn f34_a_source_that_changes_while_it_is_copied_is_no_mixture() {
    for (single, deleted) in [(0, false), (0, true), (1 << 30, false)] {
        let mut store = copying(250 << 10);
        let mut copy = ServerCopy::new(copy(), &options().single_bytes_max(single));
        let mut count = 0;
        let mut dice = Dice(1);
        let error = loop {
            match copy.poll() {
                Step::Run(ticket, work) => {
                    if matches!(work, Work::PartCopy(_) | Work::Copy(_)) {
                        count += 1;
                    }
                    if deleted && count == 2 {
                        store.objects.remove("key");
                    } else if count == 2 || (count == 1 && single > 0) {
                        store.store("key", Dice(9).bytes(250 << 10));
                    }
                    let result = store.run(work, None, &mut dice);
                    copy.complete(ticket, result);
                }
                Step::Busy => panic!("it waits for nothing"),
                Step::Done(result) => break result.unwrap_err(),
            }
        };
        assert!(error.is_object_changed(), "{error}");
        assert!(store.content("copy").is_none() && store.uploads.is_empty());
    }
}

#[test]
fn a_copy_with_another_checksum_than_its_source_is_not_made() {
    let mut store = copying(250 << 10);
    let mut copy = ServerCopy::new(copy(), &options().single_bytes_max(0));
    let error = loop {
        match copy.poll() {
            Step::Run(ticket, work) => {
                if matches!(work, Work::PartCopy(_)) {
                    // Under the same entity tag.
                    store.objects.get_mut("key").unwrap().content[0] ^= 1;
                }
                let result = store.run(work, None, &mut Dice(1));
                copy.complete(ticket, result);
            }
            Step::Busy => panic!("it waits for nothing"),
            Step::Done(result) => break result.unwrap_err(),
        }
    };
    assert!(matches!(kind(&error), ErrorKind::Corrupt(CorruptBody::Crc64 { .. })), "{error}");
    assert!(store.content("copy").is_none() && store.uploads.is_empty());
}

#[test]
fn f61_appends_carry_position_and_checksum_along() {
    let mut store = source(50);
    let append =
        || AppendObject::new("bucket", "log", 0_u64, "").metadata([("a", "b")]).forbid_overwrite(true);
    let mut appending = Append::at_end(append());
    assert!(appending.wants_part());
    let mut due = alloc::vec![20, 20, 10];
    let mut initial = Vec::new();
    let output = loop {
        if appending.wants_part() {
            match due.pop() {
                Some(len) => appending.offer(len).unwrap(),
                None => appending.end(),
            }
        }
        match appending.poll() {
            Step::Run(ticket, work) => {
                if let Work::Append(range, append) = &work {
                    initial.push((append.initial_crc64, append.position));
                    assert_eq!(append.metadata.is_some(), range.start == 0);
                    assert_eq!(append.forbid_overwrite, (range.start == 0).then_some(true));
                }
                let result = store.run(work, None, &mut Dice(1));
                appending.complete(ticket, result);
            }
            Step::Busy => {}
            Step::Done(result) => break result.unwrap(),
        }
    };
    let crc = |len: usize| Some(oss_crc::checksum(&store.source[..len]));
    assert_eq!(initial, [(Some(0), 0), (crc(10), 10), (crc(30), 30)]);
    assert_eq!((output.position, output.crc64, output.appends), (50, crc(50), 3));
    assert_eq!(store.content("log"), Some(&store.source[..]));

    // From where it is, with its checksum.
    store.source = alloc::vec![7; 60];
    let mut more = Append::at_end(AppendObject::new("bucket", "log", 0_u64, ""));
    let Step::Run(ticket, work) = more.poll() else { panic!("it looks") };
    more.complete(ticket, store.run(work, None, &mut Dice(1)));
    assert_eq!(more.position(), Some(50));
    // Somebody else was faster.
    more.offer(5).unwrap();
    let Step::Run(ticket, work) = more.poll() else { panic!("it appends") };
    let _theirs = store.run(work.clone(), None, &mut Dice(1));
    more.complete(ticket, store.run(work, None, &mut Dice(1)));
    let Step::Done(Err(error)) = more.poll() else { panic!("it fails") };
    assert!(matches!(error.kind(), TransferErrorKind::Conflict { position: 50, .. }), "{error}");
    // And what was not begun by an append cannot grow.
    let error = well(&mut Append::at_end(AppendObject::new("bucket", "key", 0_u64, "")), &mut holding(3));
    assert!(matches!(kind(&error.unwrap_err()), ErrorKind::Invalid(_)));
}

#[test]
fn i06_an_append_that_nobody_waited_for_says_where_it_may_be() {
    for is_cancelled_before in [false, true] {
        let mut appending = Append::new(AppendObject::new("bucket", "log", 30_u64, ""));
        appending.offer(20).unwrap();
        let Step::Run(ticket, _) = appending.poll() else { panic!("it appends") };
        if is_cancelled_before {
            appending.cancel();
        }
        appending.abandon(ticket);
        let Step::Done(Err(error)) = appending.poll() else { panic!("it is over") };
        assert!(error.is_cancelled());
        let TransferErrorKind::CancelledAppend { position: 30, bytes: 20 } = error.kind() else {
            panic!("{error:?}")
        };
        assert!(error.to_string().contains("nobody knows whether they are there"), "{error}");
    }
}

#[test]
fn i06_an_append_without_an_answer_says_where_it_may_be_also_when_it_was_cancelled_before() {
    let mut appending = Append::new(AppendObject::new("bucket", "log", 30_u64, ""));
    appending.offer(20).unwrap();
    let Step::Run(ticket, _) = appending.poll() else { panic!("it appends") };
    appending.cancel();
    appending.complete(ticket, Err(broken(Outcome::Unknown)));
    let Step::Done(Err(error)) = appending.poll() else { panic!("it is over") };
    let kind = error.kind();
    assert!(matches!(kind, TransferErrorKind::CancelledAppend { position: 30, bytes: 20 }), "{error:?}");
}

#[test]
fn i06_an_object_without_an_answer_may_be_there_also_when_it_was_cancelled_before() {
    for (outcome, is_in_doubt) in [(Outcome::Unknown, true), (Outcome::NotSent, false)] {
        let mut upload = Upload::new(put(), 7, &options());
        let Step::Run(ticket, Work::Put(..)) = upload.poll() else { panic!("it is sent whole") };
        upload.cancel();
        upload.complete(ticket, Err(broken(outcome)));
        let Step::Done(Err(error)) = upload.poll() else { panic!("it is over") };
        assert!(error.is_cancelled());
        let is_told = matches!(error.kind(), TransferErrorKind::CancelledWrite { bytes: 7 });
        assert_eq!(is_told, is_in_doubt, "{error:?}");
    }
}

#[test]
fn f57_an_orphan_is_told_also_beside_an_upload_that_is_gone() {
    let mut store = source(250 << 10);
    let mut upload = Upload::new(put(), 250 << 10, &options());
    let mut dice = Dice(1);
    let error = loop {
        match upload.poll() {
            Step::Run(ticket, work) => {
                // Begun twice, and given up by somebody else.
                let is_part = matches!(work, Work::Part(..));
                let fault = if is_part { Fault::Deleted } else { Fault::Flipped };
                let result = store.run(work, Some(fault), &mut dice);
                upload.complete(ticket, result);
            }
            Step::Busy => panic!("it waits for nothing"),
            Step::Done(result) => break result.unwrap_err(),
        }
    };
    let left = error.left().unwrap();
    assert_eq!((left.upload_id.as_ref(), left.may_be_orphan), (None, true), "{error}");
    assert!(error.to_string().contains("an orphan upload may exist"), "{error}");
}

#[test]
fn f61_an_end_that_was_not_found_is_no_position() {
    let mut appending = Append::at_end(AppendObject::new("bucket", "log", 0_u64, ""));
    let Step::Run(ticket, _) = appending.poll() else { panic!("it looks") };
    appending.complete(ticket, Err(refusal(403, "AccessDenied")));
    assert!(matches!(appending.poll(), Step::Done(Err(_))));
    assert_eq!(appending.position(), None);
}

/// The tags of a copy in parts are asked for; the source has this version.
fn asked_for_tags(version: &str) -> (ServerCopy, Ticket, GetObjectTagging) {
    let mut copy = ServerCopy::new(copy(), &options().single_bytes_max(0));
    let Step::Run(ticket, Work::Head(_)) = copy.poll() else { panic!("it looks") };
    let head = HeadObjectOutput {
        content_length: Some(250 << 10),
        etag: Some("\"1\"".into()),
        version_id: Some(version.to_owned()),
        ..HeadObjectOutput::default()
    };
    let reply = Reply::new(head, ReplyHead::default(), alloc::sync::Arc::default());
    copy.complete(ticket, Ok(reply.into()));
    let Step::Run(ticket, Work::Tags(tags)) = copy.poll() else { panic!("it asks for the tags") };
    (copy, ticket, tags)
}

#[test]
fn f34_the_tags_of_a_copy_are_those_of_the_version_that_is_copied() {
    let (_, _, tags) = asked_for_tags("v7");
    assert_eq!(tags.version_id.as_deref(), Some("v7"));
}

#[test]
fn a_copy_that_may_not_read_the_tags_says_which_permission_it_needs() {
    let (mut copy, ticket, _) = asked_for_tags("v7");
    copy.complete(ticket, Err(refusal(403, "AccessDenied")));
    let Step::Done(Err(error)) = copy.poll() else { panic!("it fails") };
    assert!(matches!(error.kind(), TransferErrorKind::SourceTags { .. }), "{error:?}");
    assert_eq!(error.call().and_then(Error::code), Some("AccessDenied"));
    assert!(error.to_string().contains("oss:GetObjectTagging"), "{error}");
}

#[test]
fn i09_a_copy_that_is_cancelled_while_its_tags_are_read_is_over() {
    let (mut copy, ticket, _) = asked_for_tags("v7");
    copy.cancel();
    let reply =
        Reply::new(GetObjectTaggingOutput::default(), ReplyHead::default(), alloc::sync::Arc::default());
    copy.complete(ticket, Ok(reply.into()));
    assert!(matches!(copy.poll(), Step::Done(Err(error)) if error.is_cancelled()));
}
