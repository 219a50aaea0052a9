//! Multipart uploads.

use alloc::borrow::ToOwned;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use base64ct::{Base64, Encoding as _};
use http::StatusCode;
use http::header::{ETAG, HeaderName};
use md5::{Digest as _, Md5};

use crate::acl::Acl;
use crate::blob::{Blob, Summed};
use crate::crc::combine;
use crate::fault::Fault;
use crate::ops::bucket::check_public;
use crate::ops::object::{check_overwrite, settings, store, with_encryption};
use crate::ops::{Context, OBJECT_BYTES_MAX, callback};
use crate::reply::{Answer, X_OSS_HASH_CRC64ECMA};
use crate::store::{Kind, Object, Part, Upload, etag};
use crate::xml::{Document, Element, parse};

pub(crate) fn initiate(context: &mut Context<'_>) -> Result<Answer, Fault> {
    check_overwrite(context)?;
    let encoding = context.request.query.encoding()?;
    let target = &context.request.target;
    let settings = settings(context)?;
    let id = context.ids.upload_id();
    let mut document = Document::new("InitiateMultipartUploadResult");
    if context.request.query.has("encoding-type") {
        document.text("EncodingType", "url");
    }
    document.text("Bucket", target.bucket());
    document.text("Key", &encoding.of(target.key()));
    document.text("UploadId", &id);
    let answer = with_encryption(Answer::xml(document.finish()), &settings);
    let upload = Upload { initiated: context.now, settings, parts: BTreeMap::new() };
    context.store.bucket_mut(target.bucket())?.uploads.insert((target.key().to_owned(), id), upload);
    Ok(answer)
}

/// What UploadPart can refuse before the body.
pub(crate) fn check_part(context: &Context<'_>) -> Result<(), Fault> {
    context.request.check_length(OBJECT_BYTES_MAX)?;
    part_number(context)?;
    check_upload(context)
}

pub(crate) fn upload_part(context: &mut Context<'_>, content: Summed) -> Result<Answer, Fault> {
    let number = part_number(context)?;
    let md5 = Base64::encode_string(&content.md5);
    let (etag, crc) = store_part(context, number, content)?;
    Ok(Answer::ok()
        .header(ETAG, &etag)
        .header(HeaderName::from_static("content-md5"), &md5)
        .header(X_OSS_HASH_CRC64ECMA, &crc.to_string()))
}

pub(crate) fn abort(context: &mut Context<'_>) -> Result<Answer, Fault> {
    check_upload(context)?;
    let target = &context.request.target;
    let name = (target.key().to_owned(), upload_id(context).to_owned());
    context.store.bucket_mut(target.bucket())?.uploads.remove(&name);
    Ok(Answer::status(StatusCode::NO_CONTENT))
}

pub(crate) fn complete(context: &mut Context<'_>, body: &[u8]) -> Result<Answer, Fault> {
    let (target, id) = (&context.request.target, upload_id(context));
    let encoding = context.request.query.encoding()?;
    let wish = callback::Wish::of(context.request)?;
    let bucket = context.bucket()?;
    let upload = bucket.upload(target.key(), id)?;
    let parts = chosen_parts(context, upload, body)?;
    check_overwrite(context)?;
    let mut object = assembled(&parts, upload, context);
    if let Some(acl) = context.request.header("x-oss-object-acl") {
        object.settings.acl = Acl::of_object(acl)?;
        check_public(bucket, object.settings.acl)?;
    }
    let mut document = Document::new("CompleteMultipartUploadResult");
    if context.request.query.has("encoding-type") {
        document.text("EncodingType", "url");
    }
    document.text("Location", &format!("http://{}{}", context.request.host, context.request.path));
    document.text("Bucket", target.bucket());
    document.text("Key", &encoding.of(target.key()));
    document.text("ETag", &object.etag);
    let answer = Answer::xml(document.finish())
        .header(ETAG, &object.etag)
        .header(X_OSS_HASH_CRC64ECMA, &object.crc.to_string());
    let answer = with_encryption(answer, &object.settings);
    let version = store(context, object.clone())?;
    let name = (target.key().to_owned(), id.to_owned());
    context.bucket_mut()?.uploads.remove(&name);
    let answer = answer.version(version.as_deref());
    callback::call(context, wish.as_ref(), "CompleteMultipartUpload", &object, answer)
}

pub(crate) fn part_number(context: &Context<'_>) -> Result<u32, Fault> {
    let text = context.request.query.text("partNumber");
    text.parse().ok().filter(|number| (1..=PARTS_MAX).contains(number)).ok_or_else(|| {
        let why = "Part number must be an integer between 1 and 10000, inclusive.";
        Fault::invalid_argument("partNumber", text, "", why)
    })
}

pub(crate) fn check_upload(context: &Context<'_>) -> Result<(), Fault> {
    let target = &context.request.target;
    context.store.bucket(target.bucket())?.upload(target.key(), upload_id(context)).map(drop)
}

/// Keeps a part; one of the same number is replaced. Gives its ETag and CRC.
pub(crate) fn store_part(
    context: &mut Context<'_>,
    number: u32,
    content: Summed,
) -> Result<(String, u64), Fault> {
    let target = &context.request.target;
    let id = context.request.query.text("uploadId");
    let upload = context.store.bucket_mut(target.bucket())?.upload_mut(target.key(), id)?;
    let etag = etag(&content.md5);
    let part = Part { blob: content.blob, etag: etag.clone(), crc: content.crc, modified: context.now };
    upload.parts.insert(number, part);
    Ok((etag, content.crc))
}

fn upload_id<'c>(context: &Context<'c>) -> &'c str {
    context.request.query.text("uploadId")
}

/// The parts that the body lists, or all of them with `x-oss-complete-all: yes`.
fn chosen_parts<'u>(context: &Context<'_>, upload: &'u Upload, body: &[u8]) -> Result<Vec<&'u Part>, Fault> {
    let all = match context.request.header("x-oss-complete-all") {
        None => false,
        Some("yes") => true,
        Some(other) => {
            let why = "x-oss-complete-all must be yes";
            return Err(Fault::invalid_argument("x-oss-complete-all", other, "", why));
        }
    };
    let parts: Vec<&Part> = if all {
        if !body.is_empty() {
            let why = "With x-oss-complete-all the request must not have a body.";
            return Err(Fault::invalid_argument("x-oss-complete-all", "yes", "", why));
        }
        upload.parts.values().collect()
    } else {
        listed_parts(context, upload, body)?
    };
    if parts.is_empty() {
        return Err(Fault::malformed_xml("there is no Part"));
    }
    let (_, but_last) = parts.split_last().expect("there is a part");
    if let Some(small) = but_last.iter().find(|part| part.blob.len() < PART_BYTES_MIN) {
        let why = "Your proposed upload is smaller than the minimum allowed size.";
        return Err(Fault::new(400, "EntityTooSmall", "", why)
            .with("MinSizeAllowed", PART_BYTES_MIN.to_string())
            .with("ProposedSize", small.blob.len().to_string())
            .with("ETag", &small.etag));
    }
    Ok(parts)
}

fn listed_parts<'u>(context: &Context<'_>, upload: &'u Upload, body: &[u8]) -> Result<Vec<&'u Part>, Fault> {
    let root = parse(body, "CompleteMultipartUpload").map_err(Fault::malformed_xml)?;
    let listed = root.children.iter().filter(|child| child.name == "Part");
    let mut parts = Vec::new();
    let mut last = 0;
    for (number, etag) in listed.map(number_and_etag).collect::<Result<Vec<_>, _>>()? {
        if number <= last || number > PARTS_MAX {
            let why = "The list of parts was not in ascending order. Parts list must be specified in order \
                       by part number.";
            return Err(Fault::new(400, "InvalidPartOrder", "", why).with("PartNumber", number.to_string()));
        }
        last = number;
        match upload.parts.get(&number) {
            Some(part) if part.etag.trim_matches('"').eq_ignore_ascii_case(etag) => parts.push(part),
            _ => {
                let why = "One or more of the specified parts could not be found or the specified entity tag \
                           might not have matched the part's entity tag.";
                return Err(Fault::new(400, "InvalidPart", "", why)
                    .with("UploadId", upload_id(context))
                    .with("PartNumber", number.to_string())
                    .with("ETag", etag));
            }
        }
    }
    Ok(parts)
}

fn number_and_etag(part: &Element) -> Result<(u32, &str), Fault> {
    let number = part.child_text("PartNumber").and_then(|text| text.trim().parse().ok());
    let etag = part.child_text("ETag").map(|text| text.trim().trim_matches('"'));
    number.zip(etag).ok_or_else(|| Fault::malformed_xml("a Part needs a PartNumber and an ETag"))
}

fn assembled(parts: &[&Part], upload: &Upload, context: &Context<'_>) -> Object {
    let (mut blob, mut crc, mut tags) = (Blob::default(), 0, Md5::new());
    for part in parts {
        crc = combine(crc, part.crc, part.blob.len());
        blob.append(&part.blob);
        tags.update(part.etag.trim_matches('"'));
    }
    let digits = etag(&tags.finalize().into());
    Object {
        blob,
        modified: context.now,
        etag: format!("\"{}-{}\"", digits.trim_matches('"'), parts.len()),
        crc,
        kind: Kind::Multipart,
        settings: upload.settings.clone(),
        restore: None,
    }
}

const PARTS_MAX: u32 = 10_000;
/// 100 KiB; the last part may be smaller (OSS document "Limits").
const PART_BYTES_MIN: u64 = 100 * 1024;
