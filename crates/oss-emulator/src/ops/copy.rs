//! CopyObject and UploadPartCopy.

use alloc::borrow::ToOwned;
use alloc::string::{String, ToString};

use http::header::{ETAG, HeaderName};

use crate::address::copy_source;
use crate::blob::Summed;
use crate::conditional::{COPY_SOURCE, Outcome, judge};
use crate::fault::Fault;
use crate::ops::object::{check_overwrite, content_headers, encryption_headers, settings, with_encryption};
use crate::ops::{Context, OBJECT_BYTES_MAX, multipart};
use crate::range::parse;
use crate::reply::{Answer, X_OSS_HASH_CRC64ECMA};
use crate::store::{Object, Settings};
use crate::time::iso_extended;
use crate::xml::Document;

pub(crate) fn object(context: &mut Context<'_>) -> Result<Answer, Fault> {
    check_overwrite(context)?;
    let target = &context.request.target;
    let (bucket, key, source) = source(context)?;
    if source.blob.len() > OBJECT_BYTES_MAX {
        return Err(Fault::entity_too_large(OBJECT_BYTES_MAX));
    }
    let onto_itself = bucket == target.bucket() && key == target.key();
    let object = Object {
        modified: context.now,
        settings: copied_settings(context, &source.settings, onto_itself)?,
        ..source.clone()
    };
    let answer = result("CopyObjectResult", &object.etag, context)
        .header(ETAG, &object.etag)
        .header(X_OSS_HASH_CRC64ECMA, &object.crc.to_string());
    let answer = with_encryption(answer, &object.settings);
    context.store.bucket_mut(target.bucket())?.objects.insert(target.key().to_owned(), object);
    Ok(answer)
}

pub(crate) fn part(context: &mut Context<'_>) -> Result<Answer, Fault> {
    let number = multipart::part_number(context)?;
    multipart::check_upload(context)?;
    let (_, _, source) = source(context)?;
    let size = source.blob.len();
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
    let part = Summed::of(source.blob.slice(range));
    let (etag, crc) = multipart::store_part(context, number, part)?;
    let answer = result("CopyPartResult", &etag, context);
    Ok(answer.header(ETAG, &etag).header(X_OSS_HASH_CRC64ECMA, &crc.to_string()))
}

/// The source, with its conditions judged.
fn source<'c>(context: &'c Context<'_>) -> Result<(String, String, &'c Object), Fault> {
    let header = context.request.header("x-oss-copy-source").unwrap_or("");
    let (bucket, key, version) = copy_source(header)?;
    if version.is_some_and(|version| version != "null") {
        return Err(Fault::not_implemented("versionId"));
    }
    let object = context.store.object(&bucket, &key)?;
    match judge(&COPY_SOURCE, &context.request.headers, &object.etag, object.modified) {
        Outcome::Go => Ok((bucket, key, object)),
        Outcome::Failed(condition) => Err(Fault::precondition_failed(condition)),
        Outcome::NotModified => Err(Fault::new(304, "NotModified", "0017-00001001", "Not Modified")),
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
        headers: [headers, encryption_headers(context.request)?].concat(),
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
