//! Copies, streams, appends and deletions as stories: any order, any failure, any crash.

use alloc::collections::BTreeSet;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use std::format;

use proptest::prelude::*;

use super::model::{Store, Stored, version};
use super::{Dice, Ended, Perils, check_left, drive, drive_fed, put};
use crate::transfer::*;
use crate::{
    AppendObject, CopyObject, CopySource, Delete, DeleteMultipleObjects, ErrorKind, ObjectIdentifier, Outcome,
};

fn options(dice: &mut Dice) -> TransferOptions {
    let options = TransferOptions::new().part_size(PART).lanes(1 + u32::try_from(dice.below(4)).unwrap());
    options.keep_parts(dice.one_in(3))
}

/// What this transfer has left at OSS is what it tells.
fn check_uploads(store: &Store, before: &BTreeSet<String>, left: Option<&LeftUpload>, seed: u64) {
    let told = left.and_then(|left| left.upload_id.as_ref());
    let untold: Vec<_> =
        store.uploads.keys().filter(|id| !before.contains(*id) && Some(*id) != told).collect();
    let may_be_orphan = left.is_some_and(|left| left.may_be_orphan);
    assert!(untold.is_empty() || may_be_orphan, "seed {seed}: {untold:?} is left, told is {left:?}");
}

fn uploads(store: &Store) -> BTreeSet<String> {
    store.uploads.keys().cloned().collect()
}

fn copy_story(seed: u64, perils: Perils) {
    let mut dice = Dice(seed);
    let mut store = Store::new();
    (store.has_weak_tags, store.has_no_part_crc) = (dice.one_in(4), dice.one_in(4));
    if dice.one_in(2) {
        store.store("copy", b"old".to_vec());
    }
    let len = [0, 1, 90_000, 102_400, 250_000, 409_600][dice.below(6)];
    let mut perils = perils;
    for round in 0..6 {
        if store.content("key").is_none() || dice.one_in(8) {
            let bytes = dice.bytes(len);
            store.store_version("key", bytes);
        }
        (store.was_changed, store.was_flipped, store.was_bare) = (false, false, false);
        let (before, old) = (uploads(&store), store.content("copy").map(<[u8]>::to_vec));
        let options = options(&mut dice).single_bytes_max([0, 1 << 30][dice.below(2)]);
        let copy = CopyObject::new("bucket", "copy", CopySource::new("bucket", "key"));
        let mut copy = ServerCopy::new(copy, &options);
        match drive(&mut copy, &mut store, &mut dice, perils) {
            Ended::Done(Ok(output)) => {
                check_copy(&store, &output, seed);
                let left = LeftUpload { may_be_orphan: output.may_be_orphan, ..nothing() };
                check_uploads(&store, &before, Some(&left), seed);
                assert!(output.is_checked || perils.faults.is_some(), "seed {seed}");
                assert_eq!(copy.progress().bytes, output.bytes, "seed {seed}");
                return;
            }
            Ended::Done(Err(error)) => {
                assert!(perils.faults.is_some() || perils.cancel.is_some(), "seed {seed}: {error}");
                check_left(&store, &error, seed);
                check_uploads(&store, &before, error.left(), seed);
                check_no_mixture(&store, old.as_deref(), &error, seed);
            }
            Ended::Crashed(_) => {}
        }
        if round == 4 {
            perils = Perils::default();
        }
    }
    panic!("seed {seed}: without peril it does not succeed");
}

/// The copy is that version of the source which the output names, with all that it has.
fn check_copy(store: &Store, output: &CopyOutput, seed: u64) {
    let copy = &store.objects["copy"];
    let source = store
        .versions("key")
        .find(|it| Some(it.etag.as_str()) == output.source.etag.as_ref().map(crate::ETag::as_str));
    let source = source.unwrap();
    // What OSS states no checksum of, and no strong tag, nobody can tell from another.
    let is_sure = output.is_checked || !(store.has_weak_tags || store.was_flipped);
    assert!(!is_sure || copy.content == source.content, "seed {seed}: wrong bytes, {output:?}");
    assert!(is_sure || store.was_bare, "seed {seed}: {output:?}");
    assert!(output.crc64.is_none_or(|crc64| !is_sure || crc64 == oss_crc::checksum(&copy.content)));
    if !store.has_weak_tags {
        let all = |it: &Stored| (it.content_type.clone(), it.metadata.clone(), it.tags.clone());
        assert_eq!(all(copy), all(source), "seed {seed}");
    }
}

/// After an error the copy is what it was, or a version of the source; or the error says otherwise.
fn check_no_mixture(store: &Store, old: Option<&[u8]>, error: &TransferError, seed: u64) {
    let now = store.content("copy");
    let is_version = now.is_some_and(|now| store.all_contents("key").any(|version| version == now));
    let is_corrupt = matches!(error.call().map(Error::kind), Some(ErrorKind::Corrupt(_)));
    let is_in_doubt = error.left().is_some_and(|left| left.fate == UploadFate::MayBeComplete)
        || error.call().is_some_and(|call| call.outcome() == Outcome::Unknown);
    let is_damaged = store.was_flipped || store.has_weak_tags;
    let is_told = is_corrupt || (is_in_doubt && is_damaged) || (error.is_cancelled() && is_damaged);
    assert!(now == old || is_version || is_told, "seed {seed}: a mixture, and {error}");
    // That it was replaced is noticed before it is copied.
    assert!(!is_corrupt || is_damaged, "seed {seed}: {error}");
}

fn nothing() -> LeftUpload {
    let (parts, fate) = (Vec::new(), UploadFate::MayRemain);
    LeftUpload { upload_id: None, parts, fate, may_be_orphan: false, older: None }
}

fn stream_story(seed: u64, perils: Perils) {
    let mut dice = Dice(seed);
    let mut store = Store::new();
    let len = [0, 1, 90_000, 102_400, 204_800, 250_000, 409_600][dice.below(7)];
    store.source = dice.bytes(len);
    let mut perils = perils;
    for round in 0..6 {
        (store.was_bare, store.was_changed) = (false, false);
        let (before, old) = (uploads(&store), store.content("key").is_some());
        let mut upload = Upload::of_unknown_length(put(), &options(&mut dice));
        let mut left = len as u64;
        let mut feed = |upload: &mut Upload, dice: &mut Dice| {
            if upload.wants_part() && dice.one_in(2) {
                let part = left.min(upload.part_size());
                upload.offer(part).unwrap();
                left -= part;
            }
            upload.wants_part()
        };
        match drive_fed(&mut upload, &mut store, &mut dice, perils, &mut feed) {
            Ended::Done(Ok(output)) => {
                assert_eq!(store.content("key"), Some(&store.source[..]), "seed {seed}");
                assert_eq!(output.bytes, len as u64, "seed {seed}");
                let parts = if len < 102_400 { 0 } else { len.div_ceil(102_400) };
                assert_eq!(output.parts as usize, parts, "seed {seed}");
                assert_eq!(output.crc64, Some(oss_crc::checksum(&store.source)));
                assert!(output.is_checked || store.was_bare, "seed {seed}");
                assert_eq!(upload.progress().bytes, len as u64);
                let left = LeftUpload { may_be_orphan: output.may_be_orphan, ..nothing() };
                check_uploads(&store, &before, Some(&left), seed);
                return;
            }
            Ended::Done(Err(error)) => {
                assert!(perils.faults.is_some() || perils.cancel.is_some(), "seed {seed}: {error}");
                check_left(&store, &error, seed);
                check_uploads(&store, &before, error.left(), seed);
                let now = store.content("key");
                assert!(now.is_none_or(|now| now == store.source), "seed {seed}: {error}");
                let is_told = error.left().is_some_and(|left| left.fate == UploadFate::MayBeComplete);
                let is_told = is_told || error.call().is_some_and(|call| call.outcome() != NOT_SENT);
                let is_told = is_told || matches!(error.kind(), TransferErrorKind::CancelledWrite { .. });
                assert!(now.is_some() == old || is_told, "seed {seed}: {error}");
            }
            Ended::Crashed(_) => {}
        }
        if round == 4 {
            perils = Perils::default();
        }
    }
    panic!("seed {seed}: without peril it does not succeed");
}

fn append_story(seed: u64, perils: Perils) {
    let mut dice = Dice(seed);
    let mut store = Store::new();
    let len = dice.below(200);
    store.source = dice.bytes(len);
    let mut perils = perils;
    for round in 0..6 {
        (store.was_changed, store.was_flipped, store.was_bare) = (false, false, false);
        let start = store.content("key").map_or(0, <[u8]>::len);
        let known = store.content("key").filter(|_| dice.one_in(3)).map(oss_crc::checksum);
        let mut append = match known {
            Some(crc64) => {
                Append::new(AppendObject::new("bucket", "key", start as u64, "").initial_crc64(crc64))
            }
            None => Append::at_end(AppendObject::new("bucket", "key", 0_u64, "")),
        };
        let (mut end, mut offers) = (None, 0);
        let mut feed = |append: &mut Append, dice: &mut Dice| {
            if let Some(position) = append.position().filter(|_| append.wants_part() && dice.one_in(2)) {
                let from = *end.get_or_insert(position);
                let left = (len as u64).saturating_sub(from);
                let piece = left.min(1 + dice.below(60) as u64);
                if piece > 0 {
                    append.offer(piece).unwrap();
                    (end, offers) = (Some(from + piece), offers + 1);
                } else {
                    append.end();
                }
            }
            append.wants_part()
        };
        let ended = drive_fed(&mut append, &mut store, &mut dice, perils, &mut feed);
        let content = store.content("key").unwrap_or_default();
        match ended {
            Ended::Done(Ok(output)) => {
                assert_eq!(output.position, content.len() as u64, "seed {seed}");
                assert_eq!((Some(output.position), output.appends), (end, offers), "seed {seed}");
                // Without a checksum in between nobody knows what is before it.
                let is_blind = store.was_flipped && store.was_bare;
                let is_sure = !(store.was_changed || is_blind);
                assert!(!is_sure || is_ours(&store, start), "seed {seed}");
                assert!(!is_sure || content.len() >= len, "seed {seed}");
                let is_right = output.crc64.is_none_or(|crc64| crc64 == oss_crc::checksum(content));
                assert!(is_right && (output.crc64.is_some() || store.was_bare), "seed {seed}");
                return;
            }
            Ended::Done(Err(error)) => {
                assert!(perils.faults.is_some() || perils.cancel.is_some(), "seed {seed}: {error}");
                check_append(&store, start, (&append, &error), seed);
            }
            Ended::Crashed(_) => {}
        }
        if round == 4 {
            perils = Perils::default();
        }
    }
    panic!("seed {seed}: without peril it does not succeed");
}

/// From here on the object has the bytes of the source and no others.
fn is_ours(store: &Store, start: usize) -> bool {
    let content = store.content("key").unwrap_or_default();
    content.len() == start || store.source.get(start..content.len()) == content.get(start..)
}

/// The object ends where the machine says, or in doubt one piece further.
fn check_append(store: &Store, start: usize, ended: (&Append, &TransferError), seed: u64) {
    let (append, error) = ended;
    let content = store.content("key").unwrap_or_default();
    let len = content.len() as u64;
    let is_corrupt = matches!(error.call().map(Error::kind), Some(ErrorKind::Corrupt(_)));
    assert!(!is_corrupt || store.was_flipped, "seed {seed}: {error}");
    if let TransferErrorKind::Conflict { position, .. } = error.kind() {
        assert!(store.was_changed && *position != len, "seed {seed}: {error}, and it has {len}");
    }
    if store.was_changed {
        return;
    }
    assert!(store.was_flipped || is_ours(store, start), "seed {seed}: {error}");
    let Some(position) = append.position() else { return };
    let is_in_doubt = error.call().is_some_and(|call| call.outcome() == Outcome::Unknown);
    match error.kind() {
        TransferErrorKind::CancelledAppend { position, bytes } => {
            assert!(len == *position || len == position + bytes, "seed {seed}: {error}, and it has {len}");
        }
        _ => {
            assert!(len == position || is_in_doubt, "seed {seed}: {error}, and it has {len}, not {position}")
        }
    }
}

fn deletion_story(seed: u64, perils: Perils) {
    let mut dice = Dice(seed);
    let mut store = Store::new();
    let count = [1, 40, 999, 1000, 1001, 2300][dice.below(6)];
    let quiet = [None, Some(false), Some(true)][dice.below(3)];
    let objects: Vec<_> = (0..count).map(|number| object(number, &mut dice)).collect();
    for object in &objects {
        // Some are gone before.
        if !dice.one_in(9) {
            store.store(&name(object), Vec::new());
        }
    }
    let mut perils = perils;
    for round in 0..6 {
        let before: BTreeSet<String> = store.objects.keys().cloned().collect();
        let delete = Delete { quiet, ..Delete::new(objects.clone()) };
        let delete = DeleteMultipleObjects::new("bucket", delete);
        let options = TransferOptions::new().lanes(1 + u32::try_from(dice.below(4)).unwrap());
        let mut many = DeleteMany::new(delete, &options);
        let ended = drive(&mut many, &mut store, &mut dice, perils);
        let Ended::Done(result) = ended else { continue };
        let fates: Vec<_> = many.fates().collect();
        assert!(fates.iter().map(|(object, _)| *object).eq(&objects), "seed {seed}");
        for (object, fate) in &fates {
            let name = name(object);
            let (was, is) = (before.contains(&name), store.objects.contains_key(&name));
            let is_true = match fate {
                Fate::Deleted(told) => !is && told.is_some() == (quiet != Some(true)),
                Fate::NotTried | Fate::Failed(_) | Fate::Refused | Fate::Untold => is == was,
                Fate::Unknown => true,
            };
            assert!(is_true, "seed {seed}: {name} was {was} and is {is}, told is {fate:?}");
        }
        let deleted = fates.iter().filter(|(_, fate)| fate.is_deleted()).count();
        match result {
            Ok(told) => {
                let is_told = |fate: &Fate| !matches!(fate, Fate::NotTried | Fate::Unknown | Fate::Refused);
                assert!(fates.iter().all(|(_, fate)| is_told(fate)), "seed {seed}");
                assert_eq!((told, many.progress().parts), (deleted, count as u64), "seed {seed}");
                if perils.faults.is_none() {
                    assert_eq!((deleted, store.objects.len()), (count, 0), "seed {seed}");
                    return;
                }
            }
            Err(error) => {
                assert!(perils.faults.is_some() || perils.cancel.is_some(), "seed {seed}: {error}");
                assert!(many.progress().parts <= count as u64);
            }
        }
        if round == 4 {
            perils = Perils::default();
        }
    }
    // A crash at the last.
    assert!(perils.crash.is_some(), "seed {seed}: without peril it does not succeed");
}

fn object(number: usize, dice: &mut Dice) -> ObjectIdentifier {
    let object = ObjectIdentifier::new(format!("{}{number}", ["a", "a&b ", "ä\n", "<"][dice.below(4)]));
    if dice.one_in(3) { object.version_id(number.to_string()) } else { object }
}

fn name(object: &ObjectIdentifier) -> String {
    version(&object.key, object.version_id.as_deref())
}

const PART: u64 = 102_400;
const NOT_SENT: Outcome = Outcome::NotSent;

/// The perils of each kind, as of an upload.
const NONE: Perils = Perils { faults: None, crash: None, cancel: None };
const FAILURES: Perils = Perils { faults: Some(6), ..NONE };
/// Nothing goes as it should.
const STORM: Perils = Perils { faults: Some(1), ..NONE };
const CANCELS: Perils = Perils { faults: Some(20), cancel: Some(20), crash: None };
const CRASHES: Perils = Perils { faults: Some(20), crash: Some(25), cancel: Some(200) };

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn f34_i01_a_copy_is_one_version_of_its_source_or_an_error(seed in any::<u64>()) {
        for perils in [NONE, FAILURES, CANCELS, CRASHES] {
            copy_story(seed, perils);
        }
    }

    #[test]
    fn f66_i01_i07_a_stream_is_uploaded_exactly_or_an_error(seed in any::<u64>()) {
        for perils in [NONE, FAILURES, CANCELS, CRASHES] {
            stream_story(seed, perils);
        }
    }

    #[test]
    fn f61_i01_i06_appends_are_the_exact_bytes_or_an_error(seed in any::<u64>()) {
        for perils in [NONE, FAILURES, CANCELS, CRASHES] {
            append_story(seed, perils);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn f62_f63_each_deletion_has_one_fate_and_it_is_true(seed in any::<u64>()) {
        for perils in [NONE, FAILURES, STORM, CANCELS, CRASHES] {
            deletion_story(seed, perils);
        }
    }
}
