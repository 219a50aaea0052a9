//! Rows by their ids, each with one thing that goes wrong.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::model::{Fault, Store, broken, refusal, service};
use super::{Dice, get, put};
use crate::transfer::*;
use crate::{
    Change, CorruptBody, ETag, Error, ErrorKind, GetObjectOutput, Integrity, ObjectChanged, Outcome, Reply,
    ReplyHead, UploadPartOutput,
};

pub(super) const PART: u64 = 100 << 10;

pub(super) fn options() -> TransferOptions {
    TransferOptions::new().part_size(PART).lanes(2)
}

/// Runs to the end, one after the other; `fault` says what goes wrong with which work.
pub(super) fn run<T: Transfer>(
    transfer: &mut T,
    store: &mut Store,
    fault: &mut dyn FnMut(&Work) -> Option<Fault>,
) -> Result<T::Output, TransferError> {
    let mut dice = Dice(1);
    loop {
        match transfer.poll() {
            Step::Run(ticket, work) => {
                let fault = fault(&work);
                let result = store.run(work, fault, &mut dice);
                transfer.complete(ticket, result);
            }
            Step::Busy => panic!("it waits for nothing"),
            Step::Done(result) => return result,
        }
    }
}

pub(super) fn well<T: Transfer>(transfer: &mut T, store: &mut Store) -> Result<T::Output, TransferError> {
    run(transfer, store, &mut |_| None)
}

pub(super) fn source(len: usize) -> Store {
    let mut store = Store::new();
    store.source = Dice(7).bytes(len);
    store
}

pub(super) fn holding(len: usize) -> Store {
    let mut store = Store::new();
    store.store("key", Dice(7).bytes(len));
    store
}

pub(super) fn kind(error: &TransferError) -> &ErrorKind {
    error.call().unwrap().kind()
}

/// Answers every part of a download like this.
pub(super) fn told(
    store: &mut Store,
    options: &TransferOptions,
    answer: impl Fn(Range<u64>, GetObjectOutput) -> Received,
) -> Result<DownloadOutput, TransferError> {
    let mut download = Download::new(get(), options);
    let content = store.content("key").unwrap().to_vec();
    loop {
        match download.poll() {
            Step::Run(ticket, Work::Get(range, _)) => {
                let head = GetObjectOutput {
                    etag: Some(ETag::from("\"1\"")),
                    content_range: Some(crate::ContentRange {
                        first: range.start,
                        last: range.end - 1,
                        size: content.len() as u64,
                    }),
                    crc64: Some(oss_crc::checksum(&content)),
                    ..GetObjectOutput::default()
                };
                download.complete(ticket, Ok(answer(range, head).into()));
            }
            Step::Run(ticket, work) => {
                let result = store.run(work, None, &mut Dice(1));
                download.complete(ticket, result);
            }
            Step::Busy => panic!("it waits for nothing"),
            Step::Done(result) => return result,
        }
    }
}

pub(super) fn crc_of(content: &[u8], range: &Range<u64>) -> u64 {
    let index = |at: u64| usize::try_from(at).unwrap();
    oss_crc::checksum(&content[index(range.start)..index(range.end)])
}

#[test]
fn f34_f35_an_object_that_is_replaced_or_deleted_between_parts_is_no_mixture() {
    for (fault, change) in [(Fault::Replaced, Change::Replaced), (Fault::Deleted, Change::Deleted)] {
        for at in 0..4 {
            let mut store = holding(40);
            let mut download = Download::new(get(), &options().part_size(10));
            let mut asked = 0;
            let error = run(&mut download, &mut store, &mut |work| {
                asked += usize::from(matches!(work, Work::Get(..)));
                (matches!(work, Work::Get(..)) && asked == at + 1).then_some(fault)
            });
            let error = error.unwrap_err();
            let delivered = at as u64 * 10;
            assert!(
                matches!(kind(&error), ErrorKind::ObjectChanged(ObjectChanged { delivered: d, change: c, .. })
                    if *d == delivered && *c == change),
                "{error}"
            );
            assert!(error.is_object_changed() && download.checkpoint().is_none());
        }
    }
}

#[test]
fn f34_every_part_is_asked_for_with_the_entity_tag_of_the_head() {
    let mut store = holding(40);
    let mut download = Download::new(get().range(5..35), &options().part_size(10));
    let mut ranges = Vec::new();
    let output = run(&mut download, &mut store, &mut |work| {
        if let Work::Get(range, get) = work {
            assert_eq!(get.if_match, Some(ETag::from("\"1\"")));
            ranges.push(range.clone());
        }
        None
    });
    let output = output.unwrap();
    assert_eq!(ranges, [5..15, 15..25, 25..35]);
    assert_eq!((output.range, output.integrity), (5..35, Integrity::Length));
}

#[test]
fn f36_a_part_that_breaks_is_gone_on_with_at_the_next_byte_and_not_for_ever() {
    let content = holding(30).content("key").unwrap().to_vec();
    let starts = core::cell::RefCell::new(Vec::new());
    let output = told(&mut holding(30), &options().part_size(30), |range, head| {
        starts.borrow_mut().push(range.start);
        let end = [10, 15, 29, 30][starts.borrow().len() - 1];
        let received = Received::new(&head, end - range.start, crc_of(&content, &(range.start..end)));
        if end < 30 { received.broken(broken(Outcome::Rejected)) } else { received }
    });
    assert_eq!(output.unwrap().crc64, Some(oss_crc::checksum(&content)));
    assert_eq!(*starts.borrow(), [0, 10, 15, 29]);

    // One byte at a time: eight rests, then what broke it.
    let asked = core::cell::Cell::new(0);
    let error = told(&mut holding(30), &options().part_size(30), |range, head| {
        asked.set(asked.get() + 1);
        let crc = crc_of(&content, &(range.start..range.start + 1));
        Received::new(&head, 1, crc).broken(broken(Outcome::Rejected))
    });
    assert!(matches!(kind(&error.unwrap_err()), ErrorKind::Transport(_)));
    assert_eq!(asked.get(), 9);

    // And nothing at all ends it at once: the call had its attempts.
    let error = told(&mut holding(30), &options(), |_, head| {
        Received::new(&head, 0, 0).broken(broken(Outcome::Rejected))
    });
    assert!(matches!(kind(&error.unwrap_err()), ErrorKind::Transport(_)));
}

#[test]
fn f41_a_flipped_byte_is_found_and_nothing_of_it_is_kept() {
    let mut store = holding(30);
    let mut download = Download::new(get(), &options().part_size(30));
    download = download.with_checkpoints(&service(), "part-1", None);
    let error =
        run(&mut download, &mut store, &mut |work| matches!(work, Work::Get(..)).then_some(Fault::Flipped));
    assert!(matches!(kind(&error.unwrap_err()), ErrorKind::Corrupt(CorruptBody::Crc64 { .. })));
    assert_eq!(download.checkpoint(), None);
}

#[test]
fn without_a_strong_entity_tag_there_is_one_part_and_nothing_to_go_on_with() {
    let mut store = Store::new();
    store.has_weak_tags = true;
    store.store("key", Dice(7).bytes(40));
    let download = Download::new(get(), &options().part_size(10));
    let mut download = download.with_checkpoints(&service(), "part-1", None);
    let mut ranges = Vec::new();
    let error = run(&mut download, &mut store, &mut |work| {
        let Work::Get(range, get) = work else { return None };
        assert_eq!(get.if_match, None);
        ranges.push(range.clone());
        Some(Fault::Refused)
    });
    assert!(error.is_err());
    assert!(ranges.iter().eq([&(0..40)]), "{ranges:?}");
    assert_eq!(download.checkpoint(), None);
}

#[test]
fn an_empty_object_is_downloaded_by_its_head_and_uploaded_in_one_request() {
    let mut store = holding(0);
    let output = well(&mut Download::new(get(), &options()), &mut store).unwrap();
    assert_eq!((output.range, output.crc64, output.integrity), (0..0, Some(0), Integrity::Crc64(0)));
    let output = well(&mut Upload::new(put(), 0, &options().single_bytes_max(0)), &mut store).unwrap();
    assert_eq!((output.bytes, output.parts), (0, 0));
    let mut upload = Upload::of_unknown_length(put(), &options());
    upload.offer(0).unwrap();
    assert_eq!(well(&mut upload, &mut store).unwrap().parts, 0);
    assert_eq!(store.log, ["Head", "Put", "Put"]);
}

#[test]
fn b59_what_a_checkpoint_says_is_there_is_read_again() {
    let options = options().part_size(10);
    let begin = |found| Download::new(get(), &options).with_checkpoints(&service(), "part-1", found);
    let mut store = holding(40);
    let mut download = begin(None);
    let mut gets = 0;
    let error = run(&mut download, &mut store, &mut |work| {
        gets += usize::from(matches!(work, Work::Get(..)));
        (gets == 4).then_some(Fault::Refused)
    });
    assert!(error.is_err());
    let text = download.checkpoint().unwrap().to_text();
    let found = || Some(Checkpoint::parse(text.as_bytes()));

    // As it was left: three parts are read on this side, one is asked for.
    let counted = |download: &mut Download, store: &mut Store| {
        store.log.clear();
        let output = well(download, store).unwrap();
        assert_eq!(output.integrity, Integrity::Crc64(oss_crc::checksum(store.content("key").unwrap())));
        let count = |name: &str| store.log.iter().filter(|work| *work == name).count();
        (count("Verify"), count("Get"), download.progress().bytes_kept)
    };
    let mut whole = begin(found());
    assert_eq!(counted(&mut whole, &mut store), (3, 1, 30));
    assert_eq!(whole.fresh(), None);

    // The file is gone: everything is asked for.
    assert_eq!(counted(&mut begin(found()), &mut holding(40)), (3, 4, 0));
    // A byte of it is another one: so is its part.
    for at in [0, 15, 29] {
        let mut store = holding(40);
        well(&mut begin(None), &mut store).unwrap();
        store.sink[at] ^= 4;
        assert_eq!(counted(&mut begin(found()), &mut store), (3, 2, 20));
        assert_eq!(Some(store.sink(&(0..40))), store.content("key"));
    }
    // Another file on this side, another object there: it says why it begins afresh.
    let mut other = Download::new(get(), &options).with_checkpoints(&service(), "part-2", found());
    assert_eq!(counted(&mut other, &mut store), (0, 4, 0));
    let text_of = |fresh: Option<&Fresh>| fresh.map(ToString::to_string).unwrap_or_default();
    let why = text_of(other.fresh());
    assert_eq!(why, "started afresh: the file on this side was part-1 and is part-2");
    store.store("key", Dice(8).bytes(40));
    let mut changed = begin(found());
    assert_eq!(counted(&mut changed, &mut store), (0, 4, 0));
    assert_eq!(text_of(changed.fresh()), "started afresh: the entity tag was \"1\" and is \"2\"");
    store.store("key", Dice(8).bytes(41));
    assert_eq!(counted(&mut begin(found()), &mut store), (0, 5, 0));
    // And one that cannot be read.
    let mut damaged = begin(Some(Checkpoint::parse(&text.as_bytes()[1..])));
    assert_eq!(counted(&mut damaged, &mut store), (0, 5, 0));
    assert_eq!(damaged.fresh(), Some(&Fresh::Unreadable(CheckpointError::Version)));
}

#[test]
fn b59_what_oss_lists_counts_where_the_source_has_the_same_bytes() {
    let len = 350 << 10;
    let begin = |found| Upload::new(put(), len, &options()).with_checkpoints(&service(), "t1", found);
    let interrupted = || {
        let mut store = source(usize::try_from(len).unwrap());
        let mut upload = begin(None);
        let mut parts = 0;
        let error = run(&mut upload, &mut store, &mut |work| {
            parts += usize::from(matches!(work, Work::Part(..)));
            (parts == 4).then_some(Fault::Refused)
        });
        let error = error.unwrap_err();
        assert_eq!(error.left().map(|left| (left.fate, left.parts.len())), Some((UploadFate::Kept, 3)));
        store.log.clear();
        let text = upload.checkpoint().unwrap().to_text();
        (store, Checkpoint::parse(text.as_bytes()))
    };
    let count = |store: &Store, name: &str| store.log.iter().filter(|work| *work == name).count();

    let (mut store, found) = interrupted();
    let mut upload = begin(Some(found));
    let output = well(&mut upload, &mut store).unwrap();
    assert_eq!((output.parts, output.is_checked, upload.progress().bytes_kept), (4, true, 3 * PART));
    assert_eq!((count(&store, "ListParts"), count(&store, "Verify"), count(&store, "Part")), (2, 3, 1));
    assert_eq!(store.content("key"), Some(&store.source[..]));

    // The source has other bytes in the second part, though its length and its time are the same.
    let (mut store, found) = interrupted();
    store.source[150 << 10] ^= 1;
    let output = well(&mut begin(Some(found)), &mut store).unwrap();
    assert_eq!((count(&store, "Verify"), count(&store, "Part")), (3, 2));
    assert!(output.is_checked);
    assert_eq!(store.content("key"), Some(&store.source[..]));

    // OSS has forgotten the upload.
    let (mut store, found) = interrupted();
    store.uploads.clear();
    let mut upload = begin(Some(found));
    well(&mut upload, &mut store).unwrap();
    assert_eq!(upload.fresh(), Some(&Fresh::UploadGone));
    assert_eq!(count(&store, "Part"), 4);

    // A source that was changed: the old upload is given up, a new one begun.
    let (mut store, found) = interrupted();
    let upload = Upload::new(put(), len, &options());
    let mut upload = upload.with_checkpoints(&service(), "t2", Some(found));
    assert!(matches!(upload.fresh(), Some(Fresh::Differs { what: "file on this side", .. })));
    well(&mut upload, &mut store).unwrap();
    assert_eq!((count(&store, "Abort"), count(&store, "Part"), store.uploads.len()), (1, 4, 0));

    // B60: of another object, its id is not ours to give up.
    let (mut store, found) = interrupted();
    let other = PutObject::new("bucket", "other", "");
    let mut upload = Upload::new(other, len, &options()).with_checkpoints(&service(), "t1", Some(found));
    well(&mut upload, &mut store).unwrap();
    assert_eq!((count(&store, "Abort"), store.uploads.len()), (0, 1));
}

#[test]
fn f56_a_second_report_of_a_part_changes_nothing() {
    let mut store = source(150 << 10);
    let mut upload = Upload::new(put(), 150 << 10, &options());
    let mut first = None;
    let output = loop {
        match upload.poll() {
            Step::Run(ticket, work) => {
                let is_part = matches!(work, Work::Part(..));
                let result = store.run(work, None, &mut Dice(1));
                upload.complete(ticket, result);
                if is_part {
                    // An answer to an attempt that was given up comes late, with an entity tag of its own.
                    let late = UploadPartOutput { etag: Some(ETag::from("\"late\"")), ..Default::default() };
                    let late = Reply::new(late, ReplyHead::default(), alloc::sync::Arc::default());
                    upload.complete(*first.get_or_insert(ticket), Ok(late.into()));
                }
            }
            Step::Busy => panic!("it waits for nothing"),
            Step::Done(result) => break result,
        }
    };
    assert_eq!(output.unwrap().parts, 2);
    assert_eq!(upload.progress().bytes, 150 << 10);
}

#[test]
fn f57_an_upload_whose_beginning_has_no_answer_is_told() {
    let mut store = source(150 << 10);
    let mut upload = Upload::new(put(), 150 << 10, &options());
    let error =
        run(&mut upload, &mut store, &mut |work| matches!(work, Work::Begin(_)).then_some(Fault::Lost));
    let error = error.unwrap_err();
    assert!(error.left().is_some_and(|left| left.upload_id.is_none() && left.may_be_orphan));
    assert!(
        error
            .to_string()
            .ends_with("; an orphan upload may exist: list the multipart uploads of this key and abort it")
    );
}

#[test]
fn f58_a_completion_says_what_it_makes_and_its_outcome_is_told() {
    let finish = |fault| {
        let mut store = source(150 << 10);
        let mut upload = Upload::new(put(), 150 << 10, &options());
        let crc64 = oss_crc::checksum(&store.source);
        let result = run(&mut upload, &mut store, &mut |work| {
            let Work::Finish(finish) = work else { return None };
            // With these the call can tell, by looking at the object, whether it took effect.
            assert_eq!((finish.size, finish.crc64), (Some(150 << 10), Some(crc64)));
            fault
        });
        (result, store)
    };
    assert!(finish(None).0.is_ok());
    // It was refused, or never left: the parts are given up.
    for fault in [Fault::Refused, Fault::NotSent] {
        let (result, store) = finish(Some(fault));
        assert_eq!(result.unwrap_err().left().map(|left| left.fate), Some(UploadFate::Aborted));
        assert!(store.uploads.is_empty());
        assert_eq!(store.log.last().map(String::as_str), Some("Abort"));
    }
    // Not even the call could find out.
    let (result, store) = finish(Some(Fault::Lost));
    let error = result.unwrap_err();
    assert_eq!(error.left().map(|left| left.fate), Some(UploadFate::MayBeComplete), "{error}");
    assert_eq!(error.call().map(Error::outcome), Some(Outcome::Unknown));
    assert_eq!(store.content("key"), Some(&store.source[..]));
}

#[test]
fn f65_a_part_that_fails_for_good_ends_it_and_the_parts_are_given_up() {
    let fail = |options: TransferOptions, abort: Option<Fault>| {
        let mut store = source(450 << 10);
        let mut upload = Upload::new(put(), 450 << 10, &options);
        let mut parts = 0;
        let result = run(&mut upload, &mut store, &mut |work| match work {
            Work::Part(..) => {
                parts += 1;
                (parts == 2).then_some(Fault::Refused)
            }
            Work::Abort(_) => abort,
            _ => None,
        });
        (result.unwrap_err(), store)
    };
    let (error, store) = fail(options(), None);
    assert_eq!(store.log, ["Begin", "Part", "Part", "Abort"]);
    assert!(store.uploads.is_empty());
    assert_eq!(
        error.to_string(),
        "Call: AccessDenied (status 403); the multipart upload upload-1 was aborted"
    );
    let (error, store) = fail(options().keep_parts(true), None);
    assert_eq!((store.log.last().map(String::as_str), store.uploads.len()), (Some("Part"), 1));
    let left = error.left().unwrap();
    assert_eq!((left.upload_id.as_deref(), left.parts.len()), (Some("upload-1"), 1));
    for fault in [Fault::Refused, Fault::NotSent, Fault::Lost] {
        let (error, _) = fail(options(), Some(fault));
        assert_eq!(error.left().map(|left| left.fate), Some(UploadFate::MayRemain));
    }
}

#[test]
fn f65_those_under_way_are_waited_for_and_the_first_error_is_told() {
    let mut store = source(450 << 10);
    let mut upload = Upload::new(put(), 450 << 10, &options().lanes(3));
    let mut flying = Vec::new();
    let Step::Run(begin, work) = upload.poll() else { panic!("it begins") };
    upload.complete(begin, store.run(work, None, &mut Dice(1)));
    while let Step::Run(ticket, work) = upload.poll() {
        flying.push((ticket, work));
    }
    assert_eq!(flying.len(), 3);
    upload.complete(flying[1].0, Err(refusal(403, "First")));
    upload.complete(flying[0].0, Err(refusal(403, "Second")));
    assert!(matches!(upload.poll(), Step::Busy));
    let last = store.run(flying[2].1.clone(), None, &mut Dice(1));
    upload.complete(flying[2].0, last);
    let Step::Run(ticket, work) = upload.poll() else { panic!("it gives up") };
    assert!(matches!(work, Work::Abort(_)));
    upload.complete(ticket, store.run(work, None, &mut Dice(1)));
    let Step::Done(Err(error)) = upload.poll() else { panic!("it has failed") };
    assert_eq!(error.call().and_then(Error::code), Some("First"));
}

#[test]
fn the_checksum_of_the_object_is_compared_with_that_of_its_parts() {
    let mut store = source(150 << 10);
    let mut upload = Upload::new(put(), 150 << 10, &options());
    let error = loop {
        match upload.poll() {
            Step::Run(ticket, work) => {
                if let Work::Finish(finish) = &work {
                    // OSS puts other bytes together than were sent.
                    let upload = store.uploads.get_mut(&finish.upload_id).unwrap();
                    upload.parts.get_mut(&2).unwrap().0[0] ^= 1;
                }
                let result = store.run(work, None, &mut Dice(1));
                upload.complete(ticket, result);
            }
            Step::Busy => panic!("it waits for nothing"),
            Step::Done(result) => break result.unwrap_err(),
        }
    };
    assert!(matches!(kind(&error), ErrorKind::Corrupt(CorruptBody::Crc64 { .. })));
    assert_eq!(error.left(), None);
}
