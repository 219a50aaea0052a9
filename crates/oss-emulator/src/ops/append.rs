//! AppendObject and SealAppendObject.

use alloc::string::{String, ToString};

use base64ct::{Base64, Encoding as _};
use http::header::ETAG;
use md5::{Digest as _, Md5};

use crate::blob::{Blob, Summed};
use crate::crc::combine;
use crate::fault::Fault;
use crate::ops::object::{CONTENT_MD5, check_overwrite, settings, shown_version, store, with_encryption};
use crate::ops::read::{X_OSS_NEXT_APPEND_POSITION, X_OSS_SEALED_TIME};
use crate::ops::{Context, OBJECT_BYTES_MAX, worm};
use crate::reply::{Answer, X_OSS_HASH_CRC64ECMA};
use crate::store::{Kind, Object, etag};
use crate::time::http_date;

/// What AppendObject can refuse before the body.
pub(crate) fn check(context: &Context<'_>) -> Result<(), Fault> {
    context.request.check_length(OBJECT_BYTES_MAX)?;
    let settings = settings(context)?;
    // Read for its form only: the header is not among those that AppendObject documents.
    context.request.forbids_overwrite()?;
    let position = position(context)?;
    let bucket = context.bucket()?;
    let length = match bucket.current(context.key()) {
        Some(object) => appendable_length(object)?,
        None => {
            check_new(&settings.storage_class)?;
            check_overwrite(context)?;
            0
        }
    };
    worm::check(bucket, context.key(), context.now)?;
    check_position(position, length)?;
    let more = context.request.content_length().unwrap_or(0);
    if length + more > OBJECT_BYTES_MAX {
        return Err(Fault::entity_too_large(OBJECT_BYTES_MAX));
    }
    Ok(())
}

/// Only the first append says what the object is like; later ones add to the current version, whether
/// versions are kept or not.
pub(crate) fn append(context: &mut Context<'_>, content: Summed) -> Result<Answer, Fault> {
    let md5 = Base64::encode_string(&content.md5);
    let (now, key) = (context.now, context.key());
    if context.bucket()?.current(key).is_none() {
        let object = Object {
            blob: Blob::default(),
            crc: 0,
            kind: Kind::Appendable { sealed: None },
            ..Object::normal(Summed::default(), settings(context)?, now)
        };
        store(context, object)?;
    }
    let object = context.bucket_mut()?.object_mut(key, None)?;
    let length = object.blob.len() + content.blob.len();
    if length > OBJECT_BYTES_MAX {
        return Err(Fault::entity_too_large(OBJECT_BYTES_MAX));
    }
    object.crc = combine(object.crc, content.crc, content.blob.len());
    object.blob.append(&content.blob);
    object.etag = appended_etag(object.crc, length);
    object.modified = now;
    let answer = Answer::ok()
        .header(ETAG, &object.etag)
        .header(CONTENT_MD5, &md5)
        .header(X_OSS_HASH_CRC64ECMA, &object.crc.to_string())
        .header(X_OSS_NEXT_APPEND_POSITION, &length.to_string());
    let answer = with_encryption(answer, &object.settings);
    Ok(answer.version(shown_version(context)?.as_deref()))
}

/// The time of the first seal stays (OSS document "SealAppendObject").
pub(crate) fn seal(context: &mut Context<'_>) -> Result<Answer, Fault> {
    let position = position(context)?;
    let (now, key) = (context.now, context.key());
    let object = context.bucket_mut()?.object_mut(key, None)?;
    let length = object.blob.len();
    let Kind::Appendable { sealed } = &mut object.kind else { return Err(not_appendable()) };
    check_position(position, length)?;
    let time = *sealed.get_or_insert(now);
    let answer = Answer::ok().header(X_OSS_SEALED_TIME, &http_date(time));
    Ok(answer.version(shown_version(context)?.as_deref()))
}

fn position(context: &Context<'_>) -> Result<u64, Fault> {
    let text = context.request.query.text("position");
    text.parse().map_err(|_| {
        let why = "The position must be the length of the object in bytes.";
        Fault::invalid_argument("position", text, "", why)
    })
}

fn appendable_length(object: &Object) -> Result<u64, Fault> {
    match object.kind {
        Kind::Appendable { sealed: None } => Ok(object.blob.len()),
        _ => Err(not_appendable()),
    }
}

/// Appendable objects cannot be of the colder classes (OSS document "AppendObject").
fn check_new(class: &str) -> Result<(), Fault> {
    if APPENDABLE_CLASSES.contains(&class) {
        return Ok(());
    }
    let why = "An appendable object must be of the class Standard, IA or Archive.";
    Err(Fault::invalid_argument("x-oss-storage-class", class, "", why))
}

fn check_position(position: u64, length: u64) -> Result<(), Fault> {
    if position == length {
        return Ok(());
    }
    let why = "Position is not equal to file length";
    Err(Fault::new(409, "PositionNotEqualToLength", "0026-00000016", why)
        .with_header(X_OSS_NEXT_APPEND_POSITION, &length.to_string()))
}

fn not_appendable() -> Fault {
    Fault::new(409, "ObjectNotAppendable", "0026-00000017", "The object is not appendable")
}

/// Not the MD5 of the content, which OSS does not keep for appendable objects, but a value of its own.
fn appended_etag(crc: u64, length: u64) -> String {
    etag(&Md5::digest([crc.to_be_bytes(), length.to_be_bytes()].concat()).into())
}

const APPENDABLE_CLASSES: [&str; 3] = ["Standard", "IA", "Archive"];
