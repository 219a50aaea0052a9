//! The machines against a store in memory: any order, any failure, any crash.

mod alone;
mod doubts;
mod endings;
mod many;
mod model;
mod others;
mod returns;
mod rows;
mod stories;

use alloc::string::String;
use alloc::vec::Vec;
use std::format;

use proptest::prelude::*;

use self::model::{Fault, Store, service};
use super::*;
use crate::{ErrorKind, GetObject, PutObject};

/// Chance, from one number.
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((z ^ (z >> 31)) % (n as u64)).unwrap()
    }

    fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    pub(super) fn bytes(&mut self, len: usize) -> Vec<u8> {
        // Parts that differ in a few bytes are as different as others.
        let mut bytes = alloc::vec![0; len];
        for _ in 0..len.min(40) {
            let at = self.below(len);
            bytes[at] = u8::try_from(self.below(256)).unwrap();
        }
        bytes
    }
}

/// How a drive ended.
enum Ended<T> {
    Done(Result<T, TransferError>),
    /// The process died; this was kept.
    Crashed(Option<String>),
}

/// What may happen on the way.
#[derive(Clone, Copy, Default)]
struct Perils {
    /// One call in so many has a fault.
    faults: Option<usize>,
    crash: Option<usize>,
    cancel: Option<usize>,
}

/// Runs a transfer: work is done at some time after it was handed out, answers come in any order.
fn drive<T: Transfer>(
    transfer: &mut T,
    store: &mut Store,
    dice: &mut Dice,
    perils: Perils,
) -> Ended<T::Output> {
    drive_fed(transfer, store, dice, perils, &mut |_, _| false)
}

/// The same of one whose parts are offered: `feed` does so now and then, and gives whether one more is due.
fn drive_fed<T: Transfer>(
    transfer: &mut T,
    store: &mut Store,
    dice: &mut Dice,
    perils: Perils,
    feed: &mut dyn FnMut(&mut T, &mut Dice) -> bool,
) -> Ended<T::Output> {
    let mut waiting: Vec<(Ticket, Work)> = Vec::new();
    let mut answers: Vec<(Ticket, Result<Completion, Error>)> = Vec::new();
    let mut kept = transfer.checkpoint().map(|it| it.to_text());
    let (mut shown, mut revision) = (transfer.progress(), transfer.checkpoint_revision());
    for _ in 0..20_000 {
        let progress = transfer.progress();
        assert!(
            progress.bytes >= shown.bytes && progress.parts >= shown.parts,
            "{progress:?} after {shown:?}"
        );
        assert!(progress.bytes_total.is_none_or(|total| progress.bytes <= total), "{progress:?}");
        shown = progress;
        if revision != transfer.checkpoint_revision() && dice.one_in(2) {
            revision = transfer.checkpoint_revision();
            kept = transfer.checkpoint().map(|it| it.to_text());
        }
        if perils.crash.is_some_and(|n| dice.one_in(n)) {
            return Ended::Crashed(kept);
        }
        if perils.cancel.is_some_and(|n| dice.one_in(n)) {
            transfer.cancel();
        }
        if !waiting.is_empty() && dice.one_in(2) {
            let (ticket, work) = waiting.swap_remove(dice.below(waiting.len()));
            if perils.cancel.is_some() && dice.one_in(10) {
                transfer.abandon(ticket);
                // It may arrive all the same.
                let _ = dice.one_in(2).then(|| store.run(work, None, dice));
                continue;
            }
            let fault = perils.faults.filter(|n| dice.one_in(*n)).map(|_| Fault::any(dice));
            answers.push((ticket, store.run(work, fault, dice)));
        }
        if !answers.is_empty() && dice.one_in(2) {
            let (ticket, answer) = answers.swap_remove(dice.below(answers.len()));
            transfer.note(ticket, dice.below(300_000) as u64);
            if dice.one_in(9) {
                transfer.complete(ticket, answer.clone());
            }
            transfer.complete(ticket, answer);
        }
        let is_hungry = feed(transfer, dice);
        match transfer.poll() {
            Step::Run(ticket, work) => waiting.push((ticket, work)),
            Step::Busy => {
                let is_under_way = !waiting.is_empty() || !answers.is_empty();
                assert!(is_under_way || is_hungry, "it waits for nothing");
            }
            Step::Done(result) => {
                assert!(matches!(transfer.poll(), Step::Done(Err(error)) if error.call().is_some()));
                return Ended::Done(result);
            }
        }
    }
    panic!("it does not end");
}

fn put() -> PutObject {
    PutObject::new("bucket", "key", "")
}

fn get() -> GetObject {
    GetObject::new("bucket", "key")
}

/// Some checkpoints are damaged, some forged: with another checksum over other claims.
fn spoil(text: String, dice: &mut Dice) -> Result<Checkpoint, CheckpointError> {
    let mut bytes = text.into_bytes();
    match dice.below(6) {
        0 => {
            let at = dice.below(bytes.len());
            bytes[at] ^= 1 << dice.below(8);
        }
        1 => bytes.truncate(dice.below(bytes.len())),
        2 => {
            let mut checkpoint = Checkpoint::parse(&bytes).unwrap();
            for number in 1..=6 {
                checkpoint.parts.insert(number, dice.below(1 << 30) as u64);
            }
            return Ok(checkpoint);
        }
        3 => {
            let mut checkpoint = Checkpoint::parse(&bytes).unwrap();
            checkpoint.upload_id = checkpoint.upload_id.map(|_| format!("upload-{}", dice.below(4)));
            return Ok(checkpoint);
        }
        _ => {}
    }
    Checkpoint::parse(&bytes)
}

fn upload_story(seed: u64, perils: Perils) {
    let mut dice = Dice(seed);
    let mut store = Store::new();
    let len = [0, 1, 90_000, 102_400, 204_800, 250_000, 409_600][dice.below(7)];
    store.source = dice.bytes(len);
    let options = TransferOptions::new().part_size(102_400).lanes(1 + u32::try_from(dice.below(4)).unwrap());
    let options = options.keep_parts(dice.one_in(3)).single_bytes_max([0, 102_400][dice.below(2)]);
    let has_checkpoints = perils.crash.is_some();
    let mut found = None;
    let mut perils = perils;
    for round in 0..6 {
        let mut upload = Upload::new(put(), len as u64, &options);
        if has_checkpoints {
            upload = upload.with_checkpoints(&service(), "len 1, modified 2", found.take());
        }
        match drive(&mut upload, &mut store, &mut dice, perils) {
            Ended::Done(Ok(output)) => {
                assert_eq!(store.content("key"), Some(&store.source[..]), "seed {seed}");
                assert_eq!(output.bytes, len as u64);
                assert_eq!(output.crc64, Some(oss_crc::checksum(&store.source)));
                assert!(output.is_checked || perils.faults.is_some());
                assert_eq!(upload.checkpoint(), None);
                assert_eq!(upload.progress().bytes, len as u64);
                return;
            }
            Ended::Done(Err(error)) => {
                assert!(perils.faults.is_some() || perils.cancel.is_some(), "seed {seed}: {error}");
                if perils.crash.is_none() {
                    check_left(&store, &error, seed);
                }
                if !has_checkpoints {
                    return;
                }
                found = upload.checkpoint().map(Ok);
            }
            Ended::Crashed(text) => found = text.map(|text| spoil(text, &mut dice)),
        }
        if round == 4 {
            perils = Perils::default();
        }
    }
    panic!("seed {seed}: without peril it does not succeed");
}

/// What the error says of the upload is so.
fn check_left(store: &Store, error: &TransferError, seed: u64) {
    let Some(left) = error.left() else { return };
    let Some(id) = &left.upload_id else {
        assert!(left.may_be_orphan || left.older.is_some(), "seed {seed}");
        return;
    };
    match left.fate {
        UploadFate::Aborted => assert!(!store.uploads.contains_key(id), "seed {seed}: {error}"),
        UploadFate::Kept => assert!(store.uploads.contains_key(id), "seed {seed}: {error}"),
        UploadFate::MayRemain | UploadFate::MayBeComplete => {}
    }
}

fn download_story(seed: u64, perils: Perils) {
    let mut dice = Dice(seed);
    let mut store = Store::new();
    let len = dice.below(60);
    let bytes = dice.bytes(len);
    store.store("key", bytes.clone());
    let range = (len > 0 && dice.one_in(3)).then(|| {
        let start = dice.below(len) as u64;
        start..start + 1 + dice.below(30) as u64
    });
    let part_size = 1 + dice.below(12) as u64;
    let options =
        TransferOptions::new().part_size(part_size).lanes(1 + u32::try_from(dice.below(4)).unwrap());
    let mut found = None;
    let mut perils = perils;
    for round in 0..6 {
        let mut get = get();
        get.range = range.clone().map(crate::ByteRange::from);
        let mut download = Download::new(get, &options);
        if perils.crash.is_some() || found.is_some() {
            download = download.with_checkpoints(&service(), "part-1", found.take());
        }
        match drive(&mut download, &mut store, &mut dice, perils) {
            Ended::Done(Ok(output)) => {
                let wanted =
                    usize::try_from(output.range.start).unwrap()..usize::try_from(output.range.end).unwrap();
                // Whatever was replaced meanwhile: what is here is one version of it.
                let is_one = store.all_contents("key").any(|content| {
                    content.get(wanted.clone()) == Some(store.sink(&output.range))
                        && Some(content.len() as u64) == output.head.content_length
                });
                assert!(is_one, "seed {seed}: wrong bytes");
                assert_eq!(download.checkpoint(), None);
                assert_eq!(output.crc64, Some(oss_crc::checksum(store.sink(&output.range))));
                return;
            }
            Ended::Done(Err(error)) => {
                let is_strange = perils.faults.is_none() && perils.cancel.is_none() && !store.was_changed;
                assert!(!is_strange, "seed {seed}: {error}");
                if perils.crash.is_none() {
                    return;
                }
                let is_spoilt = matches!(
                    error.call().map(Error::kind),
                    Some(ErrorKind::Corrupt(_) | ErrorKind::ObjectChanged(_))
                );
                assert!(!is_spoilt || download.checkpoint().is_none(), "seed {seed}");
                found = download.checkpoint().map(Ok);
            }
            Ended::Crashed(text) => {
                found = text.map(|text| spoil(text, &mut dice));
                // What was not written through is gone.
                store.lose_some(&mut dice);
            }
        }
        // The range that is asked for is always there.
        if dice.one_in(8) || store.content("key").is_none_or(|content| content.len() < len) {
            let len = len + dice.below(9);
            store.store("key", dice.bytes(len));
        }
        store.was_changed = false;
        if round == 4 {
            perils = Perils::default();
        }
    }
    panic!("seed {seed}: without peril it does not succeed");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn f66_i01_an_upload_is_the_exact_bytes_in_any_order(seed in any::<u64>()) {
        upload_story(seed, Perils::default());
    }

    #[test]
    fn i01_i07_an_upload_under_any_failure_is_the_exact_bytes_or_an_error(seed in any::<u64>()) {
        upload_story(seed, Perils { faults: Some(6), ..Perils::default() });
    }

    #[test]
    fn i09_an_upload_is_cancelled_anywhere(seed in any::<u64>()) {
        upload_story(seed, Perils { faults: Some(20), cancel: Some(20), crash: None });
    }

    #[test]
    fn b59_b60_an_upload_crashes_and_is_gone_on_with(seed in any::<u64>()) {
        upload_story(seed, Perils { faults: Some(20), crash: Some(25), cancel: Some(200) });
    }

    #[test]
    fn f66_i01_a_download_is_the_exact_bytes_in_any_order(seed in any::<u64>()) {
        download_story(seed, Perils::default());
    }

    #[test]
    fn i01_a_download_under_any_failure_is_the_exact_bytes_or_an_error(seed in any::<u64>()) {
        download_story(seed, Perils { faults: Some(6), ..Perils::default() });
    }

    #[test]
    fn i09_a_download_is_cancelled_anywhere(seed in any::<u64>()) {
        download_story(seed, Perils { faults: Some(20), cancel: Some(20), crash: None });
    }

    #[test]
    fn b59_b60_a_download_crashes_and_is_gone_on_with(seed in any::<u64>()) {
        download_story(seed, Perils { faults: Some(20), crash: Some(15), cancel: Some(200) });
    }
}
