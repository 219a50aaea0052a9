//! A store in memory that does work as OSS would, or fails at it.

use alloc::borrow::ToOwned;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::ops::Range;
use std::format;

use http::HeaderMap;

use super::Dice;
use crate::transfer::{Completion, Received, Work};
use crate::{
    ContentRange, CorruptBody, DeleteMultipleObjects, DeleteMultipleObjectsOutput, DeletedObject, ETag,
    Endpoint, Error, ErrorKind, FailedDeletion, FailureKind, GetObject, GetObjectOutput, HeadObjectOutput,
    ListPartsOutput, Metadata, ObjectIdentifier, ObjectType, Outcome, PartProperties, Region, Reply,
    ReplyHead, Service, ServiceError, Tag, TransportError,
};

/// What goes wrong with a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// It is done, and the answer is lost.
    Lost,
    /// Nothing left.
    NotSent,
    /// It is refused for good.
    Refused,
    /// The body breaks off.
    Broken,
    /// A byte is another, or what is listed is not so.
    Flipped,
    /// The object is replaced before.
    Replaced,
    /// The object, or the upload, is deleted before.
    Deleted,
    /// The answer lacks what it should have.
    Bare,
}

impl Fault {
    pub(super) fn any(dice: &mut Dice) -> Self {
        let all = [
            Self::Lost,
            Self::NotSent,
            Self::Refused,
            Self::Broken,
            Self::Broken,
            Self::Flipped,
            Self::Replaced,
            Self::Deleted,
            Self::Bare,
        ];
        all[dice.below(all.len())]
    }
}

#[derive(Clone, Debug, Default)]
pub(super) struct Stored {
    pub(super) content: Vec<u8>,
    pub(super) etag: String,
    pub(super) content_type: Option<String>,
    pub(super) metadata: Metadata,
    pub(super) tags: Vec<(String, String)>,
    pub(super) is_appendable: bool,
}

#[derive(Default)]
pub(super) struct Upload {
    pub(super) parts: BTreeMap<u32, (Vec<u8>, String)>,
    begin: Option<crate::InitiateMultipartUpload>,
}

/// Objects and uploads of one bucket, and the files on this side.
#[derive(Default)]
pub(super) struct Store {
    pub(super) objects: BTreeMap<String, Stored>,
    history: Vec<(String, Stored)>,
    pub(super) uploads: BTreeMap<String, Upload>,
    pub(super) source: Vec<u8>,
    pub(super) sink: Vec<u8>,
    names: u64,
    /// Somebody else replaced an object, appended to it or deleted it.
    pub(super) was_changed: bool,
    /// Other bytes arrived than were sent, or lie there.
    pub(super) was_flipped: bool,
    /// An answer lacked what it should have.
    pub(super) was_bare: bool,
    pub(super) log: Vec<String>,
    /// OSS gives no strong entity tag.
    pub(super) has_weak_tags: bool,
    /// Copies of parts have no CRC-64.
    pub(super) has_no_part_crc: bool,
}

pub(super) fn service() -> Service {
    let region = Region::parse("cn-hangzhou").unwrap();
    Service::new(Endpoint::public(&region)).with_region(region)
}

fn reply<T>(output: T) -> Reply<T> {
    Reply::new(output, ReplyHead::default(), Arc::default())
}

pub(super) fn refusal(status: u16, code: &str) -> Error {
    let body = format!("<Error><Code>{code}</Code></Error>");
    let error = ServiceError::read(status, &HeaderMap::new(), body.as_bytes());
    Error::new(ErrorKind::Service(error), "Call", Outcome::Rejected)
}

pub(super) fn broken(outcome: Outcome) -> Error {
    let error = TransportError::new(FailureKind::Reset, "reset");
    Error::new(ErrorKind::Transport(error), "Call", outcome)
}

impl Store {
    pub(super) fn new() -> Self {
        Self::default()
    }

    fn name(&mut self) -> u64 {
        self.names += 1;
        self.names
    }

    pub(super) fn store(&mut self, key: &str, content: Vec<u8>) {
        let etag = format!("\"{}\"", self.name());
        self.put(key, Stored { content, etag, ..Stored::default() });
    }

    /// One that shows in all that it has which version it is.
    pub(super) fn store_version(&mut self, key: &str, content: Vec<u8>) {
        let version = format!("\"{}\"", self.name());
        let mut stored = Stored { content, etag: version.clone(), ..Stored::default() };
        stored.content_type = Some(format!("text/{version}"));
        stored.metadata.insert("version", &version);
        stored.tags.push(("version".to_owned(), version));
        self.put(key, stored);
    }

    fn put(&mut self, key: &str, mut stored: Stored) {
        if self.has_weak_tags {
            stored.etag = format!("W/{}", stored.etag);
        }
        self.history.push((key.to_owned(), stored.clone()));
        self.objects.insert(key.to_owned(), stored);
    }

    pub(super) fn content(&self, key: &str) -> Option<&[u8]> {
        self.objects.get(key).map(|stored| &stored.content[..])
    }

    pub(super) fn all_contents<'a>(&'a self, key: &'a str) -> impl Iterator<Item = &'a Vec<u8>> {
        self.versions(key).map(|stored| &stored.content)
    }

    /// All that an object ever was.
    pub(super) fn versions<'a>(&'a self, key: &'a str) -> impl Iterator<Item = &'a Stored> {
        self.history.iter().filter(move |(name, _)| name == key).map(|(_, stored)| stored)
    }

    /// The bytes that were downloaded.
    pub(super) fn sink(&self, range: &Range<u64>) -> &[u8] {
        let (start, end) = (index(range.start), index(range.end));
        self.sink.get(start..end).unwrap_or(&[])
    }

    pub(super) fn lose_some(&mut self, dice: &mut Dice) {
        match dice.below(4) {
            0 => self.sink.truncate(dice.below(self.sink.len() + 1)),
            1 => self.sink.iter_mut().skip(dice.below(40)).for_each(|byte| *byte = 0),
            2 if !self.sink.is_empty() => {
                let at = dice.below(self.sink.len());
                self.sink[at] ^= 4;
            }
            _ => {}
        }
    }

    pub(super) fn run(
        &mut self,
        work: Work,
        fault: Option<Fault>,
        dice: &mut Dice,
    ) -> Result<Completion, Error> {
        self.log.push(format!("{work:?}").split(['(', ' ']).next().unwrap_or_default().to_owned());
        if matches!(work, Work::Verify(_)) {
            return self.verify(work, fault);
        }
        self.was_bare |= fault == Some(Fault::Bare);
        match (matches!(work, Work::Get(..)), fault) {
            (false, Some(Fault::Replaced | Fault::Deleted)) if self.change_source(&work, fault, dice) => {}
            (true, Some(Fault::Replaced)) => {
                let len = self.content("key").map_or(3, <[u8]>::len);
                let bytes = dice.bytes(len);
                self.store("key", bytes);
                self.was_changed = true;
            }
            (true, Some(Fault::Deleted)) => {
                self.objects.remove("key");
                self.was_changed = true;
            }
            (false, Some(Fault::Deleted)) => self.uploads.clear(),
            (_, Some(Fault::NotSent)) => return Err(broken(Outcome::NotSent)),
            (_, Some(Fault::Refused)) => return Err(refusal(403, "AccessDenied")),
            _ => {}
        }
        if let Work::Get(range, get) = work {
            return self.get(&range, &get, fault, dice);
        }
        let done = self.apply(work, fault, dice);
        if fault == Some(Fault::Lost) { done.and(Err(broken(Outcome::Unknown))) } else { done }
    }

    /// What is copied is replaced or deleted, what is appended to is appended to by somebody else or
    /// deleted.
    fn change_source(&mut self, work: &Work, fault: Option<Fault>, dice: &mut Dice) -> bool {
        let is_append = matches!(work, Work::Append(..));
        let is_copy = matches!(work, Work::Head(_) | Work::Tags(_) | Work::PartCopy(_) | Work::Copy(_));
        let is_about_upload = !is_append && fault == Some(Fault::Deleted) && dice.one_in(2);
        if !(is_append || is_copy) || is_about_upload {
            return false;
        }
        self.was_changed = true;
        match (fault, self.objects.get_mut("key")) {
            (Some(Fault::Deleted), _) => drop(self.objects.remove("key")),
            (_, Some(stored)) if stored.is_appendable => stored.content.extend_from_slice(b"not ours"),
            (_, Some(stored)) => {
                let len = stored.content.len();
                let len = if dice.one_in(3) { dice.below(len + 9) } else { len };
                let bytes = dice.bytes(len);
                self.store_version("key", bytes);
            }
            (_, None) => {}
        }
        true
    }

    fn apply(&mut self, work: Work, fault: Option<Fault>, dice: &mut Dice) -> Result<Completion, Error> {
        let (is_bare, is_flipped) = (fault == Some(Fault::Bare), fault == Some(Fault::Flipped));
        match work {
            Work::Put(range, put) => {
                let content = self.source[index(range.start)..index(range.end)].to_vec();
                let crc64 = Some(oss_crc::checksum(&content));
                let key = key(&put.key);
                self.store(&key, content);
                Ok(reply(crate::PutObjectOutput { crc64, ..Default::default() }).into())
            }
            Work::Begin(begin) => {
                let upload_id = format!("upload-{}", self.name());
                self.uploads.insert(upload_id.clone(), Upload { begin: Some(begin), ..Upload::default() });
                let upload_id = if is_bare { String::new() } else { upload_id };
                let output = crate::InitiateMultipartUploadOutput { upload_id, ..Default::default() };
                if is_flipped {
                    // Begun twice by its call.
                    let orphan = format!("upload-{}", self.name());
                    self.uploads.insert(orphan, Upload::default());
                }
                Ok(Reply { may_have_orphan: is_flipped, ..reply(output) }.into())
            }
            Work::Part(range, part) => {
                let content = self.source[index(range.start)..index(range.end)].to_vec();
                let crc64 = Some(oss_crc::checksum(&content));
                let etag = self.keep_part(&part.upload_id, part.part_number, content)?;
                let etag = Some(etag).filter(|_| !is_bare);
                Ok(reply(crate::UploadPartOutput { etag, crc64, ..Default::default() }).into())
            }
            Work::PartCopy(part) => self.copy_part(&part, is_bare, is_flipped),
            Work::ListParts(list) => self.list(&list, fault),
            Work::Finish(finish) => self.finish(&finish, is_bare),
            Work::Abort(abort) => {
                let gone = self.uploads.remove(&abort.upload_id);
                gone.map(|_| reply(()).into()).ok_or_else(|| refusal(404, "NoSuchUpload"))
            }
            Work::Head(head) => {
                let key = key(&head.key);
                let stored = self.objects.get(&key).ok_or_else(|| refusal(404, "NoSuchKey"))?;
                Ok(reply(head_of(stored, is_bare)).into())
            }
            Work::Tags(tags) => {
                let stored = self.objects.get(&key(&tags.key)).ok_or_else(|| refusal(404, "NoSuchKey"))?;
                let tag_set = stored.tags.iter().map(|(key, value)| Tag::new(key, value)).collect();
                Ok(reply(crate::GetObjectTaggingOutput { tag_set, version_id: None }).into())
            }
            Work::Copy(copy) => {
                let mut source = self.source_of(&copy.source, copy.if_match.as_ref())?;
                self.flip(&mut source.content, is_flipped);
                let crc64 = Some(oss_crc::checksum(&source.content)).filter(|_| !is_bare);
                let etag = format!("\"{}\"", self.name());
                self.put(&key(&copy.key), Stored { etag, ..source });
                Ok(reply(crate::CopyObjectOutput { crc64, ..Default::default() }).into())
            }
            Work::Append(range, append) => self.append(&range, &append, fault),
            Work::Delete(delete) => Ok(reply(self.delete(&delete, fault, dice)).into()),
            Work::Get(..) | Work::Verify(_) => unreachable!("done before"),
        }
    }

    fn verify(&self, work: Work, fault: Option<Fault>) -> Result<Completion, Error> {
        let Work::Verify(range) = work else { unreachable!("only these") };
        let file = if self.source.is_empty() { &self.sink } else { &self.source };
        match (file.get(index(range.start)..index(range.end)), fault) {
            (_, Some(Fault::Refused)) => Err(broken(Outcome::NotSent)),
            (None, _) | (_, Some(Fault::Deleted)) => Ok(Completion::unreadable()),
            (Some(bytes), _) => Ok(Completion::verified(oss_crc::checksum(bytes))),
        }
    }

    fn get(
        &mut self,
        range: &Range<u64>,
        get: &GetObject,
        fault: Option<Fault>,
        dice: &mut Dice,
    ) -> Result<Completion, Error> {
        let stored = self.objects.get("key").ok_or_else(|| refusal(404, "NoSuchKey"))?;
        let size = stored.content.len() as u64;
        if get.if_match.as_ref().is_some_and(|etag| etag.as_str() != stored.etag) {
            return Err(refusal(412, "PreconditionFailed"));
        }
        assert_eq!(get.range, Some(crate::ByteRange::from(range.clone())));
        let asked = crate::ByteRange::from(range.clone()).select(size);
        let got = asked.filter(|got| got == range).ok_or_else(|| refusal(416, "InvalidRange"))?;
        let mut bytes = stored.content[index(got.start)..index(got.end)].to_vec();
        if fault == Some(Fault::Flipped) && got == (0..size) {
            let at = dice.below(bytes.len());
            bytes[at] ^= 1;
        }
        let head = GetObjectOutput {
            etag: Some(ETag::from(&*stored.etag)),
            content_range: Some(ContentRange { first: got.start, last: got.end - 1, size }),
            crc64: Some(oss_crc::checksum(&stored.content)),
            ..GetObjectOutput::default()
        };
        if matches!(fault, Some(Fault::Broken | Fault::Lost)) {
            bytes.truncate(dice.below(bytes.len() + 1));
        }
        let (start, end) = (index(got.start), index(got.start) + bytes.len());
        self.sink.resize(self.sink.len().max(end), 0xA5);
        self.sink[start..end].copy_from_slice(&bytes);
        let received = Received::new(&head, bytes.len() as u64, oss_crc::checksum(&bytes));
        Ok(match fault {
            Some(Fault::Broken) => received.broken(broken(Outcome::Rejected)).into(),
            // Fewer bytes than there should be, and nobody says so.
            _ => received.into(),
        })
    }

    fn keep_part(&mut self, id: &str, number: u32, content: Vec<u8>) -> Result<ETag, Error> {
        let etag = format!("\"{}\"", self.name());
        let upload = self.uploads.get_mut(id).ok_or_else(|| refusal(404, "NoSuchUpload"))?;
        upload.parts.insert(number, (content, etag.clone()));
        Ok(ETag::from(&*etag))
    }

    fn source_of(&self, source: &crate::CopySource, if_match: Option<&ETag>) -> Result<Stored, Error> {
        let stored = self.objects.get(&key(&source.key)).ok_or_else(|| refusal(404, "NoSuchKey"))?;
        if if_match.is_some_and(|etag| etag.as_str() != stored.etag) {
            return Err(refusal(412, "PreconditionFailed"));
        }
        Ok(stored.clone())
    }

    fn copy_part(
        &mut self,
        part: &crate::UploadPartCopy,
        is_bare: bool,
        is_flipped: bool,
    ) -> Result<Completion, Error> {
        if !self.uploads.contains_key(&part.upload_id) {
            return Err(refusal(404, "NoSuchUpload"));
        }
        let source = self.source_of(&part.source, part.if_match.as_ref())?;
        let range = part.range.unwrap().select(source.content.len() as u64);
        let range = range.ok_or_else(|| refusal(416, "InvalidRange"))?;
        let mut content = source.content[index(range.start)..index(range.end)].to_vec();
        self.flip(&mut content, is_flipped);
        let crc64 = Some(oss_crc::checksum(&content)).filter(|_| !self.has_no_part_crc);
        let etag = Some(self.keep_part(&part.upload_id, part.part_number, content)?).filter(|_| !is_bare);
        Ok(reply(crate::UploadPartCopyOutput { etag, crc64, ..Default::default() }).into())
    }

    fn list(&self, list: &crate::ListParts, fault: Option<Fault>) -> Result<Completion, Error> {
        let upload = self.uploads.get(&list.upload_id).ok_or_else(|| refusal(404, "NoSuchUpload"))?;
        let from = list.part_number_marker.unwrap_or(0);
        let parts: Vec<_> = upload.parts.iter().filter(|(number, _)| **number > from).collect();
        let lie = u64::from(fault == Some(Fault::Flipped));
        let shown = parts.iter().take(2).map(|(number, (content, etag))| PartProperties {
            part_number: **number,
            etag: Some(ETag::from(&**etag)),
            size: Some(content.len() as u64),
            crc64: Some(oss_crc::checksum(content) ^ lie),
            ..PartProperties::default()
        });
        let shown: Vec<_> = shown.collect();
        let next_part_number_marker = shown.last().map(|part| part.part_number);
        let is_truncated = Some(parts.len() > shown.len());
        let output =
            ListPartsOutput { next_part_number_marker, is_truncated, parts: shown, ..Default::default() };
        Ok(reply(output).into())
    }

    fn finish(
        &mut self,
        finish: &crate::CompleteMultipartUpload,
        is_bare: bool,
    ) -> Result<Completion, Error> {
        let upload = self.uploads.get(&finish.upload_id).ok_or_else(|| refusal(404, "NoSuchUpload"))?;
        let mut content = Vec::new();
        let listed = &finish.parts.as_ref().unwrap().parts;
        assert!(listed.is_sorted_by(|a, b| a.part_number < b.part_number), "the list is not in order");
        for part in listed {
            match upload.parts.get(&part.part_number) {
                Some((bytes, etag)) if part.etag.as_str() == etag => content.extend_from_slice(bytes),
                _ => return Err(refusal(400, "InvalidPart")),
            }
        }
        let begin = upload.begin.clone();
        let crc64 = Some(oss_crc::checksum(&content)).filter(|_| !is_bare);
        let etag = format!("\"{}-{}\"", self.name(), listed.len());
        self.uploads.remove(&finish.upload_id);
        let content_type = begin.as_ref().and_then(|begin| begin.content_type.clone());
        let metadata = begin.as_ref().and_then(|begin| begin.metadata.clone()).unwrap_or_default();
        let tags = begin.and_then(|begin| begin.tagging).unwrap_or_default();
        let tags = tags.iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
        let stored =
            Stored { content, etag: etag.clone(), content_type, metadata, tags, is_appendable: false };
        self.put(&key(&finish.key), stored);
        let etag = Some(ETag::from(&*etag));
        Ok(reply(crate::CompleteMultipartUploadOutput { etag, crc64, ..Default::default() }).into())
    }

    /// As the call has it: the CRC-64 of the whole is compared where that before it is known.
    fn append(
        &mut self,
        range: &Range<u64>,
        append: &crate::AppendObject,
        fault: Option<Fault>,
    ) -> Result<Completion, Error> {
        let piece = self.source[index(range.start)..index(range.end)].to_vec();
        let key = key(&append.key);
        let mut stored = self.objects.get(&key).cloned().unwrap_or_default();
        if append.position != stored.content.len() as u64 {
            return Err(refusal(409, "PositionNotEqualToLength"));
        }
        self.flip(&mut stored.content, fault == Some(Fault::Flipped));
        (stored.etag, stored.is_appendable) = (format!("\"{}\"", self.name()), true);
        stored.content.extend_from_slice(&piece);
        let theirs = oss_crc::checksum(&stored.content);
        let next_append_position = Some(stored.content.len() as u64);
        self.objects.insert(key, stored);
        let is_bare = fault == Some(Fault::Bare);
        let due = append.initial_crc64;
        let due = due.map(|crc64| oss_crc::combine(crc64, oss_crc::checksum(&piece), piece.len() as u64));
        if let Some(ours) = due.filter(|ours| *ours != theirs && !is_bare) {
            let kind = ErrorKind::Corrupt(CorruptBody::Crc64 { ours, theirs });
            return Err(Error::new(kind, "AppendObject", Outcome::Unknown));
        }
        let (crc64, next_append_position) =
            if is_bare { (None, None) } else { (Some(theirs), next_append_position) };
        Ok(reply(crate::AppendObjectOutput { crc64, next_append_position, ..Default::default() }).into())
    }

    /// What is not deleted is named with its reason, or left out of an answer that should name it.
    fn delete(
        &mut self,
        delete: &DeleteMultipleObjects,
        fault: Option<Fault>,
        dice: &mut Dice,
    ) -> DeleteMultipleObjectsOutput {
        let mut output = DeleteMultipleObjectsOutput::default();
        let is_quiet = delete.delete.quiet == Some(true);
        for ObjectIdentifier { key, version_id, .. } in &delete.delete.objects {
            let (key, version_id) = (key.clone(), version_id.clone());
            let code = match fault.filter(|_| dice.one_in(2)) {
                Some(Fault::Broken) => "InternalError",
                Some(Fault::Flipped) => "AccessDenied",
                Some(Fault::Bare) if !is_quiet => continue,
                _ => {
                    self.objects.remove(&version(&key, version_id.as_deref()));
                    if !is_quiet {
                        output.deleted.push(DeletedObject { key, version_id, ..Default::default() });
                    }
                    continue;
                }
            };
            let code = Some(code.to_owned());
            output.failed.push(FailedDeletion { key, version_id, code, ..Default::default() });
        }
        output
    }

    fn flip(&mut self, content: &mut [u8], is_flipped: bool) {
        if let Some(byte) = content.first_mut().filter(|_| is_flipped) {
            *byte ^= 1;
            self.was_flipped = true;
        }
    }
}

/// What the store calls a version of an object that is to be deleted.
pub(super) fn version(key: &str, version_id: Option<&str>) -> String {
    version_id.map_or_else(|| key.to_owned(), |id| format!("{key} {id}"))
}

fn head_of(stored: &Stored, is_bare: bool) -> HeadObjectOutput {
    HeadObjectOutput {
        content_length: Some(stored.content.len() as u64).filter(|_| !is_bare),
        etag: Some(ETag::from(&*stored.etag)),
        crc64: Some(oss_crc::checksum(&stored.content)),
        content_type: stored.content_type.clone(),
        metadata: stored.metadata.clone(),
        object_type: Some(match stored.is_appendable {
            true => ObjectType::Appendable,
            false if stored.etag.contains('-') => ObjectType::Multipart,
            false => ObjectType::Normal,
        }),
        ..HeadObjectOutput::default()
    }
}

fn key(key: &crate::Checked<crate::ObjectKey>) -> String {
    key.name().unwrap().unwrap().as_str().to_owned()
}

fn index(at: u64) -> usize {
    usize::try_from(at).unwrap()
}
