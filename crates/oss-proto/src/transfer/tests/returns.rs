//! F60 across processes: who comes back and finds his upload gone looks whether it has become the object.

use alloc::string::String;
use std::format;

use super::model::{Fault, Store, service};
use super::rows::{options, run, source, well};
use super::{Dice, put};
use crate::transfer::*;

const LEN: u64 = 350 << 10;

fn upload(forbids: bool, found: Option<Checkpoint>) -> Upload {
    let upload = Upload::new(put().forbid_overwrite(forbids), LEN, &options());
    upload.with_checkpoints(&service(), "t1", found.map(Ok))
}

/// The process is killed when the completion has taken effect: what was kept by then.
fn killed(forbids: bool) -> (Store, Checkpoint) {
    let mut store = source(usize::try_from(LEN).unwrap());
    let mut upload = upload(forbids, None);
    loop {
        let Step::Run(ticket, work) = upload.poll() else { panic!("it goes on") };
        let is_last = matches!(work, Work::Finish(_));
        let kept = upload.checkpoint();
        let result = store.run(work, None, &mut Dice(1));
        if is_last {
            assert!(result.is_ok() && store.uploads.is_empty());
            store.log.clear();
            return (store, kept.unwrap());
        }
        upload.complete(ticket, result);
    }
}

fn count(store: &Store, name: &str) -> usize {
    store.log.iter().filter(|work| *work == name).count()
}

#[test]
fn f60_an_earlier_success_of_our_own_is_found_before_a_part_is_sent_again() {
    let (mut store, kept) = killed(true);
    let mut again = upload(true, Some(kept));
    let output = well(&mut again, &mut store).unwrap();
    assert_eq!(store.log, ["ListParts", "Head", "Verify", "Verify", "Verify", "Verify"]);
    assert_eq!((output.bytes, output.parts, output.is_checked, output.fresh), (LEN, 4, true, None));
    assert_eq!(output.crc64, Some(oss_crc::checksum(&store.source)));
    assert_eq!(output.etag.map(|etag| String::from(etag.as_str())), Some(store.objects["key"].etag.clone()));
    let progress = again.progress();
    assert_eq!((progress.bytes, progress.bytes_kept, progress.parts), (LEN, LEN, 4));
    assert_eq!(again.checkpoint(), None);

    // Who may overwrite does so, as before.
    let (mut store, kept) = killed(false);
    let output = well(&mut upload(false, Some(kept)), &mut store).unwrap();
    assert_eq!((count(&store, "Head"), count(&store, "Part"), output.fresh), (0, 4, Some(Fresh::UploadGone)));
}

#[test]
fn f60_an_object_that_is_not_ours_is_left_to_the_conflict() {
    let sent = |change: &dyn Fn(&mut Store), fault: Option<Fault>| {
        let (mut store, kept) = killed(true);
        change(&mut store);
        let mut again = upload(true, Some(kept));
        let fault_of = &mut |work: &Work| fault.filter(|_| matches!(work, Work::Head(_)));
        let output = run(&mut again, &mut store, fault_of).unwrap();
        assert_eq!(output.fresh, Some(Fresh::UploadGone));
        assert_eq!(again.progress().bytes, LEN);
        assert_eq!((count(&store, "Head"), count(&store, "Begin")), (1, 1));
        (count(&store, "Verify"), count(&store, "Part"))
    };
    let object = |store: &mut Store, change: &dyn Fn(&mut super::model::Stored)| {
        change(store.objects.get_mut("key").unwrap());
    };
    // A byte of it is another one, and only the last part shows it.
    let flip = |store: &mut Store| object(store, &|it| *it.content.last_mut().unwrap() ^= 1);
    assert_eq!(sent(&flip, None), (4, 4));
    // Its length, the number of its parts or its kind is another one: nothing is to be compared.
    assert_eq!(sent(&|store| object(store, &|it| it.content.truncate(7)), None), (0, 4));
    assert_eq!(sent(&|store| object(store, &|it| it.etag = format!("\"1-{}\"", 3)), None), (0, 4));
    assert_eq!(sent(&|store| object(store, &|it| it.etag = String::from("\"1\"")), None), (0, 4));
    assert_eq!(sent(&|store| object(store, &|it| it.is_appendable = true), None), (0, 4));
    // There is none, or none that may be looked at.
    assert_eq!(sent(&|store| store.objects.clear(), None), (0, 4));
    assert_eq!(sent(&|_| {}, Some(Fault::Refused)), (0, 4));
}

#[test]
fn f60_b59_a_look_that_fails_or_is_broken_off_leaves_the_doubt_and_the_checkpoint() {
    let (mut store, kept) = killed(true);
    let mut again = upload(true, Some(kept));
    let fault = &mut |work: &Work| matches!(work, Work::Head(_)).then_some(Fault::NotSent);
    let error = run(&mut again, &mut store, fault).unwrap_err();
    assert_eq!(error.left().map(|left| left.fate), Some(UploadFate::MayBeComplete), "{error}");

    // Cancelled while it lists, looks or compares.
    let mut kept = again.checkpoint();
    for steps in 1..=3 {
        let mut again = upload(true, kept.take());
        for step in 1..=steps {
            let Step::Run(ticket, work) = again.poll() else { panic!("it goes on") };
            if step == steps {
                again.cancel();
            }
            again.complete(ticket, store.run(work, None, &mut Dice(1)));
        }
        let Step::Done(Err(error)) = again.poll() else { panic!("it is over") };
        assert!(error.is_cancelled());
        assert_eq!(error.left().map(|left| left.fate), Some(UploadFate::MayBeComplete), "{error}");
        kept = again.checkpoint();
        assert!(kept.is_some(), "after {steps} steps");
    }
    assert!(well(&mut upload(true, kept), &mut store).is_ok());
    assert_eq!(count(&store, "Part"), 0);
}
