//! PutSymlink and GetSymlink.

use alloc::borrow::ToOwned;
use alloc::string::String;

use http::header::{ETAG, HeaderName, LAST_MODIFIED};

use crate::address::{check_key, decoded};
use crate::blob::Summed;
use crate::fault::Fault;
use crate::ops::Context;
use crate::ops::object::{META_PREFIX, check_overwrite, settings, shown_version, store};
use crate::reply::Answer;
use crate::store::{Kind, Object, etag};
use crate::time::http_date;

/// The target need not exist (OSS document "PutSymlink").
pub(crate) fn put(context: &mut Context<'_>) -> Result<Answer, Fault> {
    let Some(target) = context.request.header(X_OSS_SYMLINK_TARGET.as_str()).filter(|text| !text.is_empty())
    else {
        let why = "The request needs an x-oss-symlink-target header.";
        return Err(Fault::new(400, "MissingArgument", "", why).with("ArgumentName", "x-oss-symlink-target"));
    };
    check_key(&target_key(target)?)?;
    check_overwrite(context)?;
    let content = Summed::default();
    let sums = Summed::of(bytes::Bytes::copy_from_slice(target.as_bytes()).into());
    let object = Object {
        etag: etag(&sums.md5),
        kind: Kind::Symlink { target: target.to_owned() },
        ..Object::normal(content, settings(context)?, context.now)
    };
    let answer = Answer::ok().header(ETAG, &object.etag);
    let version = store(context, object)?;
    Ok(answer.version(version.as_deref()))
}

pub(crate) fn get(context: &Context<'_>) -> Result<Answer, Fault> {
    let object = context.bucket()?.object(context.key(), context.version())?.object;
    let Kind::Symlink { target } = &object.kind else {
        return Err(Fault::new(400, "NotSymlink", "", "The object is not a symlink."));
    };
    let mut answer = Answer::ok()
        .header(ETAG, &object.etag)
        .header(LAST_MODIFIED, &http_date(object.modified))
        .header(X_OSS_SYMLINK_TARGET, target)
        .version(shown_version(context)?.as_deref());
    for (name, value) in &object.settings.headers {
        if name.as_str().starts_with(META_PREFIX) {
            answer.headers.append(name.clone(), value.clone());
        }
    }
    Ok(answer)
}

/// The key that a target header names: URL-encoded, as the vendor's document has it.
pub(crate) fn target_key(target: &str) -> Result<String, Fault> {
    decoded(target)
}

const X_OSS_SYMLINK_TARGET: HeaderName = HeaderName::from_static("x-oss-symlink-target");
