//! Each check of a transfer by itself: whatever the others look at is as it should be.

use alloc::string::ToString as _;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::model::{Fault, Store};
use super::rows::{PART, crc_of, holding, kind, options, run, source, told};
use super::{Dice, get, put};
use crate::transfer::*;
use crate::{
    AppendObject, AppendObjectOutput, CopyObject, CopySource, CorruptBody, ETag, ErrorKind, GetObjectOutput,
    Integrity, Reply, ReplyHead, UploadPartOutput,
};

/// A download of 40 bytes in four parts, each answered as it should be but for this change.
fn changed(change: impl Fn(&Range<u64>, &mut GetObjectOutput)) -> Result<DownloadOutput, TransferError> {
    let content = holding(40).content("key").unwrap().to_vec();
    told(&mut holding(40), &options().part_size(10), |range, mut head| {
        change(&range, &mut head);
        Received::new(&head, range.end - range.start, crc_of(&content, &range))
    })
}

#[test]
fn f34_another_entity_tag_is_found_by_itself() {
    assert!(changed(|_, _| {}).is_ok());
    // Over the very same bytes.
    for tag in [Some("\"2\""), None] {
        let error = changed(|range, head| {
            if range.start == 20 {
                head.etag = tag.map(ETag::from);
            }
        });
        let error = error.unwrap_err();
        assert!(error.is_object_changed(), "{error}");
        assert!(error.to_string().contains("its entity tag was \"1\" and is"), "{error}");
    }
}

#[test]
fn f34_another_size_of_the_whole_is_found_by_itself() {
    let error = changed(|_, head| head.content_range.as_mut().unwrap().size = 41).unwrap_err();
    assert!(error.is_object_changed() && error.to_string().contains("size"), "{error}");
}

#[test]
fn f34_another_checksum_of_the_whole_is_found_by_itself() {
    let error = changed(|_, head| head.crc64 = Some(1)).unwrap_err();
    assert!(error.is_object_changed() && error.to_string().contains("CRC-64"), "{error}");
}

#[test]
fn f37_f38_fewer_or_more_bytes_than_a_part_has_are_found_by_themselves() {
    let content = holding(40).content("key").unwrap().to_vec();
    for bytes in [9, 11] {
        // With the checksum of the whole part.
        let error = told(&mut holding(40), &options().part_size(10), |range, head| {
            Received::new(&head, bytes, crc_of(&content, &range))
        });
        let error = error.unwrap_err();
        let length = CorruptBody::Length { expected: 10, actual: bytes };
        assert!(matches!(kind(&error), ErrorKind::Corrupt(corrupt) if *corrupt == length), "{error}");
    }
}

#[test]
fn f41_another_checksum_of_a_part_is_found_by_itself() {
    let told = |crc64: fn(u64) -> Option<u64>| {
        let answer = |range: Range<u64>, head| Received::new(&head, 10, crc64(range.start));
        told(&mut holding(40), &options().part_size(10), answer)
    };
    let error = told(Some).unwrap_err();
    assert!(matches!(kind(&error), ErrorKind::Corrupt(CorruptBody::Crc64 { .. })), "{error}");
    // Without a word of the driver on checksums, lengths are what is known.
    let output = told(|_| None).unwrap();
    assert_eq!((output.integrity, output.crc64), (Integrity::Length, None));
}

#[test]
fn f66_parts_that_come_in_any_order_have_the_checksum_of_the_whole() {
    let mut store = holding(45);
    let mut download = Download::new(get(), &options().part_size(10).lanes(6));
    begin(&mut download, &mut store);
    let flying = handed_out(&mut download);
    assert_eq!(flying.len(), 5);
    for (ticket, work) in flying.into_iter().rev() {
        download.complete(ticket, store.run(work, None, &mut Dice(1)));
    }
    let Step::Done(Ok(output)) = download.poll() else { panic!("it ends") };
    assert_eq!(output.crc64, Some(oss_crc::checksum(store.content("key").unwrap())));
}

#[test]
fn f66_a_completion_waits_for_every_part_and_lists_them_in_order() {
    let mut store = source(250 << 10);
    let mut upload = Upload::new(put(), 250 << 10, &options().lanes(4));
    begin(&mut upload, &mut store);
    let flying = handed_out(&mut upload);
    assert_eq!(flying.len(), 3);
    for (ticket, work) in flying.into_iter().rev() {
        assert!(matches!(upload.poll(), Step::Busy), "a part is under way");
        upload.complete(ticket, store.run(work, None, &mut Dice(1)));
    }
    let Step::Run(_, Work::Finish(finish)) = upload.poll() else { panic!("all are there") };
    let numbers: Vec<_> = finish.parts.unwrap().parts.iter().map(|part| part.part_number).collect();
    assert_eq!(numbers, [1, 2, 3]);
    assert_eq!((finish.size, finish.crc64), (Some(250 << 10), Some(oss_crc::checksum(&store.source))));
}

#[test]
fn f76_no_more_parts_are_under_way_than_there_are_lanes() {
    for lanes in 1..=4 {
        let options = options().lanes(lanes);
        let (mut from, mut to) = (holding(100), source(950 << 10));
        let mut upload = Upload::new(put(), 950 << 10, &options);
        begin(&mut upload, &mut to);
        let mut download = Download::new(get(), &options.part_size(10));
        begin(&mut download, &mut from);
        let counts = [handed_out(&mut upload).len(), handed_out(&mut download).len()];
        assert_eq!(counts, [lanes as usize; 2]);
    }
}

/// Does the first piece of work.
fn begin<T: Transfer>(transfer: &mut T, store: &mut Store) {
    let Step::Run(ticket, work) = transfer.poll() else { panic!("it begins") };
    transfer.complete(ticket, store.run(work, None, &mut Dice(1)));
}

/// What is handed out before anything is completed.
fn handed_out<T: Transfer>(transfer: &mut T) -> Vec<(Ticket, Work)> {
    core::iter::from_fn(|| match transfer.poll() {
        Step::Run(ticket, work) => Some((ticket, work)),
        _ => None,
    })
    .take(50)
    .collect()
}

#[test]
fn f76_a_length_that_nobody_knows_ends_at_ten_thousand_parts() {
    let mut store = Store::new();
    let mut upload = Upload::of_unknown_length(put(), &options());
    let mut parts = 0;
    let error = loop {
        while upload.wants_part() {
            upload.offer(PART).unwrap();
        }
        match upload.poll() {
            Step::Run(ticket, Work::Part(..)) => {
                parts += 1;
                let part = UploadPartOutput { etag: Some(ETag::from("\"e\"")), ..Default::default() };
                upload.complete(ticket, Ok(reply(part).into()));
            }
            Step::Run(ticket, work) => upload.complete(ticket, store.run(work, None, &mut Dice(1))),
            Step::Busy => {}
            Step::Done(result) => break result.unwrap_err(),
        }
    };
    assert!(matches!(error.kind(), TransferErrorKind::Plan(PlanError::TooManyParts { .. })), "{error}");
    assert_eq!((parts, store.uploads.len()), (10_000, 0));
}

fn reply<T>(output: T) -> Reply<T> {
    Reply::new(output, ReplyHead::default(), Arc::default())
}

#[test]
fn f58_an_upload_that_is_gone_is_no_success() {
    let mut store = source(150 << 10);
    let mut upload = Upload::new(put(), 150 << 10, &options());
    let error =
        run(&mut upload, &mut store, &mut |work| matches!(work, Work::Finish(_)).then_some(Fault::Deleted));
    let error = error.unwrap_err();
    assert_eq!(error.call().and_then(|error| error.code()), Some("NoSuchUpload"), "{error}");
    assert!(store.content("key").is_none() && error.left().is_none());
}

#[test]
fn f60_forbid_overwrite_is_said_wherever_an_object_is_made() {
    let said = |work: &Work| match work {
        Work::Put(_, put) => Some(("Put", put.forbid_overwrite)),
        Work::Copy(copy) => Some(("Copy", copy.forbid_overwrite)),
        Work::Begin(begin) => Some(("Begin", begin.forbid_overwrite)),
        Work::Finish(finish) => Some(("Finish", finish.forbid_overwrite)),
        _ => None,
    };
    for (single, in_parts) in [(1 << 30, false), (0, true)] {
        let options = options().single_bytes_max(single);
        let mut log = Vec::new();
        let mut note = |work: &Work| {
            log.extend(said(work));
            None
        };
        let mut upload = Upload::new(put().forbid_overwrite(true), 250 << 10, &options);
        run(&mut upload, &mut source(250 << 10), &mut note).unwrap();
        let copy = CopyObject::new("bucket", "copy", CopySource::new("bucket", "key"));
        let mut copy = ServerCopy::new(copy.forbid_overwrite(true), &options);
        run(&mut copy, &mut holding(250 << 10), &mut note).unwrap();
        let yes = Some(true);
        if in_parts {
            assert_eq!(log, [("Begin", yes), ("Finish", yes), ("Begin", yes), ("Finish", yes)]);
        } else {
            assert_eq!(log, [("Put", yes), ("Copy", yes)]);
        }
    }
}

#[test]
fn f61_an_append_that_ended_elsewhere_is_told() {
    let mut append = Append::new(AppendObject::new("bucket", "log", 0_u64, ""));
    append.offer(5).unwrap();
    let Step::Run(ticket, Work::Append(..)) = append.poll() else { panic!("it appends") };
    let output = AppendObjectOutput { next_append_position: Some(6), ..Default::default() };
    append.complete(ticket, Ok(reply(output).into()));
    let Step::Done(Err(error)) = append.poll() else { panic!("it fails") };
    let length = CorruptBody::Length { expected: 5, actual: 6 };
    assert!(matches!(kind(&error), ErrorKind::Corrupt(corrupt) if *corrupt == length), "{error}");
}
