//! CopyObject and UploadPartCopy.

use alloc::borrow::ToOwned;
use alloc::string::{String, ToString};

use http::StatusCode;
use http::header::{ETAG, HeaderName};

use crate::address::copy_source;
use crate::blob::Summed;
use crate::conditional::{COPY_SOURCE, Outcome, judge};
use crate::fault::Fault;
use crate::ops::object::{
    check_overwrite, content_headers, encryption_headers, settings, store, with_encryption,
};
use crate::ops::read::check_readable;
use crate::ops::{Context, OBJECT_BYTES_MAX, multipart};
use crate::range::parse;
use crate::reply::{Answer, X_OSS_HASH_CRC64ECMA};
use crate::store::{Kind, Object, Settings};
use crate::time::iso_extended;
use crate::xml::Document;

pub(crate) fn object(context: &mut Context<'_>) -> Result<Answer, Fault> {
    check_overwrite(context)?;
    let target = &context.request.target;
    let source = Source::of(context)?;
    if source.object.blob.len() > OBJECT_BYTES_MAX {
        return Err(Fault::entity_too_large(OBJECT_BYTES_MAX));
    }
    let is_kept = context.bucket()?.versioning.is_none();
    let onto_itself = is_kept && source.bucket == target.bucket() && source.key == target.key();
    let settings = copied_settings(context, &source.object.settings, onto_itself)?;
    let copy = match source.object.kind {
        // What can be appended to is a property of the original, not of the content.
        Kind::Appendable { .. } => {
            Object::normal(Summed::of(source.object.blob.clone()), settings, context.now)
        }
        _ => Object { modified: context.now, settings, restore: None, ..source.object.clone() },
    };
    let answer = result("CopyObjectResult", &copy.etag, context)
        .header(ETAG, &copy.etag)
        .header(X_OSS_HASH_CRC64ECMA, &copy.crc.to_string());
    let answer = source.named(with_encryption(answer, &copy.settings));
    let version = store(context, copy)?;
    Ok(answer.version(version.as_deref()))
}

pub(crate) fn part(context: &mut Context<'_>) -> Result<Answer, Fault> {
    let number = multipart::part_number(context)?;
    multipart::check_upload(context)?;
    let source = Source::of(context)?;
    let size = source.object.blob.len();
    let header = context.request.header("x-oss-copy-source-range");
    // A range that does not conform copies everything (OSS document "UploadPartCopy").
    let range = match header.and_then(parse) {
        Some((Some(first), last)) if first < size => {
            first..last.map_or(size, |last| last.saturating_add(1).min(size))
        }
        Some((None, Some(suffix))) => size.saturating_sub(suffix)..size,
        _ => 0..size,
    };
    if range.end - range.start > OBJECT_BYTES_MAX {
        return Err(Fault::entity_too_large(OBJECT_BYTES_MAX));
    }
    let part = Summed::of(source.object.blob.slice(range));
    let version = source.version;
    let (etag, crc) = multipart::store_part(context, number, part)?;
    let answer = named(version.as_deref(), result("CopyPartResult", &etag, context));
    Ok(answer.header(ETAG, &etag).header(X_OSS_HASH_CRC64ECMA, &crc.to_string()))
}

/// What is copied, with its conditions judged.
struct Source<'c> {
    bucket: String,
    key: String,
    object: &'c Object,
    /// As answers name it.
    version: Option<String>,
}

impl<'c> Source<'c> {
    fn of(context: &'c Context<'_>) -> Result<Self, Fault> {
        let header = context.request.header("x-oss-copy-source").unwrap_or("");
        let (bucket, key, version) = copy_source(header)?;
        let stored = context.store.bucket(&bucket)?;
        let found = stored.object(&key, version.as_deref()).map_err(|fault| {
            // A delete marker named by its id: 400, not the 405 of a read (OSS document "UploadPartCopy").
            if fault.status != StatusCode::METHOD_NOT_ALLOWED {
                return fault;
            }
            let why = "The copy source is a delete marker.";
            Fault::invalid_argument("x-oss-copy-source", header, "", why)
        })?;
        let object = found.object;
        let version = stored.shown(found.version).map(ToOwned::to_owned);
        match judge(&COPY_SOURCE, &context.request.headers, &object.etag, object.modified) {
            Outcome::Go => {}
            Outcome::Failed(condition) => return Err(Fault::precondition_failed(condition)),
            Outcome::NotModified => {
                return Err(Fault::new(304, "NotModified", "0017-00001001", "Not Modified"));
            }
        }
        check_readable(context, stored, object, &key)?;
        Ok(Self { bucket, key, object, version })
    }

    fn named(&self, answer: Answer) -> Answer {
        named(self.version.as_deref(), answer)
    }
}

fn named(version: Option<&str>, answer: Answer) -> Answer {
    match version {
        Some(version) => answer.header(HeaderName::from_static("x-oss-copy-source-version-id"), version),
        None => answer,
    }
}

/// Metadata and tags follow their directives; ACL, class and encryption are never inherited. A copy onto
/// itself takes the request's metadata whatever the directive says (OSS document "CopyObject").
fn copied_settings(context: &Context<'_>, source: &Settings, onto_itself: bool) -> Result<Settings, Fault> {
    let own = settings(context)?;
    let replaces = directive(context, "x-oss-metadata-directive")?;
    let replaces_tags = directive(context, "x-oss-tagging-directive")?;
    let headers = if replaces || onto_itself {
        content_headers(context.request)?
    } else {
        let is_kept = |name: &HeaderName| !name.as_str().starts_with("x-oss-server-side-");
        source.headers.iter().filter(|(name, _)| is_kept(name)).cloned().collect()
    };
    Ok(Settings {
        headers: [headers, encryption_headers(context.request, context.bucket()?)?].concat(),
        tags: if replaces_tags { own.tags } else { source.tags.clone() },
        acl: own.acl,
        storage_class: own.storage_class,
    })
}

/// `COPY` (or nothing) is false, `REPLACE` is true.
fn directive(context: &Context<'_>, name: &'static str) -> Result<bool, Fault> {
    match context.request.header(name) {
        None => Ok(false),
        Some(text) if text.eq_ignore_ascii_case("copy") => Ok(false),
        Some(text) if text.eq_ignore_ascii_case("replace") => Ok(true),
        Some(other) => {
            Err(Fault::invalid_argument(name, other, "", "The directive must be COPY or REPLACE."))
        }
    }
}

fn result(root: &'static str, etag: &str, context: &Context<'_>) -> Answer {
    let mut document = Document::new(root);
    document.text("ETag", etag);
    document.text("LastModified", &iso_extended(context.now));
    Answer::xml(document.finish())
}
