//! What is told of an upload that ends before its end, and what is done about its parts.

use alloc::string::ToString as _;
use alloc::vec::Vec;

use super::model::{Fault, Store, broken, refusal};
use super::rows::{options, run, source};
use super::{Dice, put};
use crate::transfer::*;
use crate::{Error, Outcome, Reply, ReplyHead};

const LEN: u64 = 350 << 10;

/// Parts are on their way.
fn moving(keeps: bool) -> (Upload, Store, Vec<Ticket>) {
    let mut store = source(usize::try_from(LEN).unwrap());
    let mut upload = Upload::new(put(), LEN, &options().keep_parts(keeps));
    let Step::Run(ticket, begin) = upload.poll() else { panic!("it begins") };
    upload.complete(ticket, store.run(begin, None, &mut Dice(1)));
    let mut parts = Vec::new();
    while let Step::Run(ticket, Work::Part(..)) = upload.poll() {
        parts.push(ticket);
    }
    assert_eq!(parts.len(), 2);
    (upload, store, parts)
}

/// Answers the aborts like this, as many as there are, and gives what is left.
fn aborted(upload: &mut Upload, answers: &[Result<(), Error>]) -> (usize, Option<UploadFate>) {
    let mut aborts = 0;
    loop {
        match upload.poll() {
            Step::Run(ticket, Work::Abort(_)) => {
                let answer = answers.get(aborts).expect("no more aborts than these").clone();
                let reply = || Reply::new((), ReplyHead::default(), alloc::sync::Arc::default());
                upload.complete(ticket, answer.map(|()| reply().into()));
                aborts += 1;
            }
            Step::Done(Err(error)) => return (aborts, error.left().map(|left| left.fate)),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn i07_parts_that_nobody_waits_for_may_arrive_after_an_abort_and_take_a_second_one() {
    let gone = || Err(refusal(404, "NoSuchUpload"));
    let refused = || Err(refusal(403, "AccessDenied"));
    for (answers, fate) in [
        ([Ok(()), Ok(())].to_vec(), UploadFate::Aborted),
        ([Ok(()), gone()].to_vec(), UploadFate::Aborted),
        ([Ok(()), refused()].to_vec(), UploadFate::MayRemain),
        ([gone()].to_vec(), UploadFate::Aborted),
        ([refused()].to_vec(), UploadFate::MayRemain),
    ] {
        let (mut upload, _, parts) = moving(false);
        parts.iter().for_each(|ticket| upload.abandon(*ticket));
        assert_eq!(aborted(&mut upload, &answers), (answers.len(), Some(fate)));
    }
    // So may one whose call does not know.
    for (outcome, aborts) in [(Outcome::Unknown, 2), (Outcome::Rejected, 1), (Outcome::NotSent, 1)] {
        let (mut upload, _, parts) = moving(false);
        parts.iter().for_each(|ticket| upload.complete(*ticket, Err(broken(outcome))));
        let answers = [Ok(()), Ok(())];
        assert_eq!(aborted(&mut upload, &answers[..aborts]), (aborts, Some(UploadFate::Aborted)));
    }
    // Those that are to stay are left alone.
    let (mut upload, _, parts) = moving(true);
    parts.iter().for_each(|ticket| upload.abandon(*ticket));
    assert_eq!(aborted(&mut upload, &[]), (0, Some(UploadFate::Kept)));
}

#[test]
fn i06_a_single_request_that_nobody_waited_for_is_told_as_of_unknown_outcome() {
    for is_cancelled_before in [false, true] {
        let mut upload = Upload::new(put(), 20, &options());
        let Step::Run(ticket, Work::Put(..)) = upload.poll() else { panic!("it is sent") };
        if is_cancelled_before {
            upload.cancel();
        }
        upload.abandon(ticket);
        let Step::Done(Err(error)) = upload.poll() else { panic!("it is over") };
        assert!(error.is_cancelled() && error.left().is_none());
        assert!(matches!(error.kind(), TransferErrorKind::CancelledWrite { bytes: 20 }), "{error:?}");
        assert!(error.to_string().contains("nobody knows whether it is there"), "{error}");
    }
    // One that failed before that says why; one that was waited for is there.
    let mut upload = Upload::new(put(), 20, &options());
    let Step::Run(ticket, _) = upload.poll() else { panic!("it is sent") };
    upload.fail(TransferErrorKind::Busy);
    upload.abandon(ticket);
    assert!(
        matches!(upload.poll(), Step::Done(Err(error)) if matches!(error.kind(), TransferErrorKind::Busy))
    );
    let mut store = source(20);
    let mut upload = Upload::new(put(), 20, &options());
    let Step::Run(ticket, work) = upload.poll() else { panic!("it is sent") };
    upload.cancel();
    upload.complete(ticket, store.run(work, None, &mut Dice(1)));
    assert!(matches!(upload.poll(), Step::Done(Ok(_))));
}

#[test]
fn i06_a_single_request_that_was_refused_is_no_cancelled_one() {
    let mut upload = Upload::new(put(), 20, &options());
    let error = run(&mut upload, &mut source(20), &mut |_| Some(Fault::Refused)).unwrap_err();
    assert!(!error.is_cancelled(), "{error}");
}
