//! Calls as data, and what a transcript says of their results.

use oss_proto::{
    AbortMultipartUpload, AppendObject, Change, CompleteMultipartUpload, CompletedPart, CopyObject,
    CorruptBody, DeleteBucket, DeleteMultipleObjects, DeleteObject, Error, ErrorKind, GetBucketInfo,
    GetObject, HeadObject, InitiateMultipartUpload, Integrity, ListBuckets, ListObjectsV2, ListParts,
    Outcome, Paged, PutBucket, PutObject, PutSymlink, Raw, Reply, RestoreObject, Unfollowed, Unrepeated,
    UploadPart, Verified,
};

use super::{Content, Stage};

/// What earlier calls of a scenario gave.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    /// The upload that was begun last.
    pub upload_id: String,
    /// The parts that were uploaded.
    pub parts: Vec<CompletedPart>,
    /// The entity tag of the object that was written or looked at last.
    pub etag: String,
    uploads: Vec<String>,
}

impl Memory {
    /// The line without the names that the peer made up.
    pub(super) fn forget(&self, mut line: String) -> String {
        for upload in &self.uploads {
            line = line.replace(upload.as_str(), "UPLOAD");
        }
        line.replace('\t', "\\t").replace('\n', "\\n")
    }
}

macro_rules! jobs {
    ($($name:ident($reply:ident, $memory:ident) => $summary:expr;)*) => {
        /// A call as data.
        #[derive(Clone, Debug)]
        pub enum Job {
            $(#[doc = concat!("[`", stringify!($name), "`].")] $name(Box<$name>),)*
            /// A streamed read.
            GetObject(Box<GetObject>),
            /// All pages of a list.
            Pages(Box<ListObjectsV2>),
        }

        $(impl From<$name> for Job {
            fn from(operation: $name) -> Self {
                Self::$name(Box::new(operation))
            }
        })*

        impl Job {
            /// Makes the call and tells its result.
            pub(super) fn run<S: Stage>(
                self,
                stage: &mut S,
                content: &Content,
                memory: &mut Memory,
            ) -> Told {
                match self {
                    $(Self::$name(operation) => match stage.call(&*operation, content) {
                        Ok($reply) => {
                            let $memory = memory;
                            let summary = $summary;
                            Told::good(stringify!($name), &$reply, &summary)
                        }
                        Err(error) => Told::bad(&error),
                    },)*
                    Self::GetObject(operation) => {
                        let mut sink = Vec::new();
                        let result = stage.fetch(&operation, &mut sink);
                        fetched(result, &sink)
                    }
                    Self::Pages(operation) => pages(*operation, stage),
                }
            }
        }
    };
}

impl From<GetObject> for Job {
    fn from(operation: GetObject) -> Self {
        Self::GetObject(Box::new(operation))
    }
}

jobs! {
    ListBuckets(reply, _memory) => {
        let names = reply.output.buckets.iter().filter_map(|bucket| bucket.name.clone());
        names.collect::<Vec<_>>().join(" ")
    };
    PutBucket(reply, _memory) => String::new();
    DeleteBucket(reply, _memory) => String::new();
    GetBucketInfo(reply, _memory) => {
        let bucket = &reply.output.bucket;
        format!("{} in {}", bucket.name.as_deref().unwrap_or("-"), bucket.location.as_deref().unwrap_or("-"))
    };
    ListObjectsV2(reply, _memory) => listed(&reply.output);
    PutObject(reply, memory) => {
        memory.etag = reply.output.etag.as_ref().map(ToString::to_string).unwrap_or_default();
        reply.output.crc64.map(|crc| format!("crc {crc:016x}")).unwrap_or_default()
    };
    AppendObject(reply, _memory) => {
        reply.output.next_append_position.map(|next| format!("next at {next}")).unwrap_or_default()
    };
    HeadObject(reply, memory) => {
        memory.etag = reply.output.etag.as_ref().map(ToString::to_string).unwrap_or_default();
        let kind = reply.output.content_type.as_deref().unwrap_or("-");
        format!("{} bytes of {kind}", reply.output.content_length.unwrap_or_default())
    };
    DeleteObject(reply, _memory) => String::new();
    DeleteMultipleObjects(reply, _memory) => {
        let keys = reply.output.deleted.iter().map(|deleted| deleted.key.clone());
        let failed = reply.output.failed.iter();
        let failed = failed.map(|it| format!("{} ({})", it.key, it.code.as_deref().unwrap_or("-")));
        keys.chain(failed).collect::<Vec<_>>().join(" ")
    };
    PutSymlink(reply, _memory) => String::new();
    RestoreObject(reply, _memory) => String::new();
    CopyObject(reply, _memory) => String::from(if reply.output.etag.is_some() { "an etag" } else { "" });
    InitiateMultipartUpload(reply, memory) => {
        memory.upload_id.clone_from(&reply.output.upload_id);
        memory.uploads.push(reply.output.upload_id.clone());
        memory.parts.clear();
        reply.output.upload_id.clone()
    };
    UploadPart(reply, memory) => {
        let number = u32::try_from(memory.parts.len()).unwrap_or(u32::MAX).saturating_add(1);
        let etag = reply.output.etag.clone();
        memory.parts.extend(etag.map(|etag| CompletedPart::new(number, etag)));
        reply.output.crc64.map(|crc| format!("crc {crc:016x}")).unwrap_or_default()
    };
    CompleteMultipartUpload(reply, _memory) => {
        let crc = reply.output.crc64.map(|crc| format!(", crc {crc:016x}")).unwrap_or_default();
        format!("{}{crc}", reply.output.key.as_deref().unwrap_or("-"))
    };
    AbortMultipartUpload(reply, _memory) => String::new();
    ListParts(reply, _memory) => {
        let parts = reply.output.parts.iter();
        let size = |part: &oss_proto::PartProperties| part.size.unwrap_or_default();
        let parts = parts.map(|part| format!("{}: {} bytes", part.part_number, size(part)));
        parts.collect::<Vec<_>>().join(", ")
    };
    Raw(reply, _memory) => format!("{} bytes", reply.output.len());
}

fn listed(page: &oss_proto::ListObjectsV2Output) -> String {
    let keys = page.contents.iter().map(|object| object.key.as_str());
    let prefixes = page.common_prefixes.iter().map(|prefix| prefix.prefix.as_str());
    keys.chain(prefixes).collect::<Vec<_>>().join(" ")
}

fn pages<S: Stage>(mut operation: ListObjectsV2, stage: &mut S) -> Told {
    let mut all = Told::default();
    loop {
        let reply = match stage.call(&operation, &Content::default()) {
            Ok(reply) => reply,
            Err(error) => return all.and(Told::bad(&error)),
        };
        all = all.and(Told::good("ListObjectsV2", &reply, &listed(&reply.output)));
        match operation.next(&reply.output) {
            Ok(Some(next)) => operation = next,
            Ok(None) => return all,
            Err(error) => {
                let what = if error.is_pagination_stuck() { "stuck" } else { "unreadable" };
                all.lines.push(format!("= ListObjectsV2: {what}"));
                return all;
            }
        }
    }
}

fn fetched(result: Result<Reply<Verified>, Error>, sink: &[u8]) -> Told {
    let integrity = match &result {
        Ok(reply) => match reply.output.integrity {
            Integrity::Crc64(crc) => format!(", crc {crc:016x}"),
            Integrity::Length => ", checked by length".into(),
            _ => ", unverified".into(),
        },
        Err(_) => String::new(),
    };
    let shown = match core::str::from_utf8(sink) {
        Ok(text) if text.len() <= 16 => format!("{text:?}"),
        _ => format!("{} bytes", sink.len()),
    };
    match result {
        Ok(reply) => Told::good("GetObject", &reply, &format!("{shown}{integrity}")),
        Err(error) => {
            let mut told = Told::bad(&error);
            if !sink.is_empty() {
                told.lines.iter_mut().for_each(|line| line.push_str(&format!("; delivered {shown}")));
            }
            told
        }
    }
}

/// What a call came to.
#[derive(Debug, Default)]
pub(super) struct Told {
    pub(super) lines: Vec<String>,
    /// So many requests must have reached the peer.
    pub(super) sent_at_least: usize,
}

impl Told {
    fn good<T>(name: &str, reply: &Reply<T>, summary: &str) -> Self {
        let colon = if summary.is_empty() { "" } else { ": " };
        let attempts = attempts(reply.attempts.len());
        let orphan = if reply.may_have_orphan { ", an orphan may be left" } else { "" };
        let line = format!("= {name} {}, {attempts}{orphan}{colon}{summary}", reply.head.status);
        Self { lines: vec![line], sent_at_least: 1 }
    }

    fn bad(error: &Error) -> Self {
        let sent_at_least = usize::from(error.outcome() != Outcome::NotSent);
        Self { lines: vec![bad(error)], sent_at_least }
    }

    fn and(mut self, next: Self) -> Self {
        self.lines.extend(next.lines);
        self.sent_at_least += next.sent_at_least;
        self
    }
}

fn bad(error: &Error) -> String {
    let service = |error: &oss_proto::ServiceError| format!("{} {}", error.status, error.code);
    let what = match error.kind() {
        ErrorKind::Service(error) => service(error),
        ErrorKind::StoredButCallbackFailed(error) => {
            format!("stored, but the callback failed: {}", service(error))
        }
        ErrorKind::Deadline(deadline) => format!("out of time waiting {}", deadline.wait),
        ErrorKind::Transport(error) => error.kind.to_string(),
        ErrorKind::Corrupt(CorruptBody::Crc64 { .. }) => "damaged: another checksum".into(),
        // How much longer depends on how it came.
        ErrorKind::Corrupt(CorruptBody::Length { expected, actual }) if actual > expected => {
            format!("damaged: longer than {expected} bytes")
        }
        ErrorKind::Corrupt(CorruptBody::Length { expected, .. }) => {
            format!("damaged: shorter than {expected} bytes")
        }
        ErrorKind::Corrupt(CorruptBody::Range { .. }) => "damaged: another range".into(),
        ErrorKind::ObjectChanged(changed) => match &changed.change {
            Change::Differs { what, .. } => format!("another {what} while it was read"),
            change => format!("{change:?} while it was read"),
        },
        ErrorKind::Reply(_) => "unreadable".into(),
        ErrorKind::Credentials(_) => "no credentials".into(),
        ErrorKind::Moved(to) if to.unfollowed == Unfollowed::Disabled => {
            format!("moved {} to {:?}", to.status, to.location)
        }
        ErrorKind::Moved(to) => format!("moved {} and not followed, {:?}", to.status, to.unfollowed),
        ErrorKind::Invalid(error) => format!("invalid {}", error.field()),
        _ => "misuse".into(),
    };
    let outcome = match error.outcome() {
        Outcome::NotSent => "not sent",
        Outcome::Rejected => "rejected",
        Outcome::Unknown => "unknown",
    };
    let why = match error.unrepeated() {
        Some(Unrepeated::BodySpent) => ", its body is spent",
        Some(_) => ", as each arrival makes a version",
        None => "",
    };
    let orphan = if error.may_have_orphan() { ", an orphan may be left" } else { "" };
    let attempts = attempts(error.attempts().len());
    format!("= {} failed: {what}; {outcome}, {attempts}{why}{orphan}", error.operation())
}

fn attempts(count: usize) -> String {
    if count == 1 { "1 attempt".into() } else { format!("{count} attempts") }
}
