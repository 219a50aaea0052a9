//! PutObjectTagging, GetObjectTagging and DeleteObjectTagging. None of them changes Last-Modified.

use http::StatusCode;

use crate::fault::Fault;
use crate::ops::Context;
use crate::ops::object::shown_version;
use crate::reply::Answer;
use crate::tags::{self, TAGS_MAX};
use crate::xml::{Document, parse};

pub(crate) fn put(context: &mut Context<'_>, body: &[u8]) -> Result<Answer, Fault> {
    let root = parse(body, "Tagging").map_err(Fault::malformed_xml)?;
    let tags = tags::of_document(&root, TAGS_MAX)?;
    let (key, version) = (context.key(), context.version());
    context.bucket_mut()?.object_mut(key, version)?.settings.tags = tags;
    Ok(Answer::ok().version(shown_version(context)?.as_deref()))
}

pub(crate) fn get(context: &Context<'_>) -> Result<Answer, Fault> {
    let object = context.bucket()?.object(context.key(), context.version())?.object;
    let answer = Answer::xml(Document::of_element(&tags::element(&object.settings.tags)));
    Ok(answer.version(shown_version(context)?.as_deref()))
}

pub(crate) fn delete(context: &mut Context<'_>) -> Result<Answer, Fault> {
    let (key, version) = (context.key(), context.version());
    context.bucket_mut()?.object_mut(key, version)?.settings.tags.clear();
    Ok(Answer::status(StatusCode::NO_CONTENT).version(shown_version(context)?.as_deref()))
}
