//! PostObject: an upload from a browser's form (OSS document "PostObject").

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::{String, ToString};

use http::header::{CONTENT_TYPE, ETAG, LOCATION};
use http::{HeaderName, HeaderValue, Method, StatusCode};
use percent_encoding::utf8_percent_encode;

use crate::address::{Target, check_key};
use crate::auth::Identity;
use crate::blob::Summed;
use crate::fault::Fault;
use crate::form::Form;
use crate::ops::callback::Wish;
use crate::ops::{Context, OBJECT_BYTES_MAX, Operation, object, post_policy};
use crate::reply::Answer;
use crate::request::Request;
use crate::xml::{Document, UNRESERVED};

pub(crate) fn post(context: &mut Context<'_>, body: Summed) -> Result<Answer, Fault> {
    let form = Form::parse(context.request.header(CONTENT_TYPE.as_str()).unwrap_or(""), &body.blob)?;
    let identity = post_policy::authenticate(&form, context)?;
    if form.file.len() > OBJECT_BYTES_MAX {
        return Err(Fault::entity_too_large(OBJECT_BYTES_MAX));
    }
    let Some(key) = form.field("key") else {
        let why = "Bucket POST must contain a field named key.";
        return Err(Fault::new(400, "InvalidArgument", "0006-00000107", why).with("ArgumentName", "key"));
    };
    let key = key.replace("${filename}", base_name(&form.file_name));
    check_key(&key)?;
    let request = as_put(context.request, &form, key)?;
    let mut context = Context {
        config: context.config,
        store: &mut *context.store,
        ids: &mut *context.ids,
        request: &request,
        request_id: context.request_id,
        identity,
        now: context.now,
    };
    if identity == Identity::Anonymous {
        Operation::PutObject.check_permission(&context)?;
    }
    object::check_overwrite(&context)?;
    let wish = wish(&form)?;
    let answer = object::put_with(&mut context, Summed::of(form.file.clone()), wish.as_ref(), "PostObject")?;
    // The callback's answer is the answer, whatever the form asks for.
    if wish.is_some() { Ok(answer) } else { finished(answer, &form, &request) }
}

/// The form as the PutObject that does the same.
fn as_put(request: &Request, form: &Form, key: String) -> Result<Request, Fault> {
    let mut put = request.clone();
    put.method = Method::PUT;
    put.target = Target::Object { bucket: request.target.bucket().to_owned(), key };
    for name in ["content-type", "content-length", "content-md5", "authorization"] {
        put.headers.remove(name);
    }
    for (name, value) in &form.fields {
        if !HEADER_FIELDS.contains(&name.as_str()) && !name.starts_with("x-oss-") {
            continue;
        }
        let pair = HeaderName::try_from(name.as_str()).ok().zip(HeaderValue::try_from(value.as_str()).ok());
        let Some((name, value)) = pair else {
            let why = "The field cannot be kept as a header.";
            return Err(Fault::new(400, "InvalidArgument", "", why).with("ArgumentName", name));
        };
        put.headers.insert(name, value);
    }
    // First the field x-oss-content-type, then what the file's part says, then the field Content-Type.
    let kind = form.field("x-oss-content-type").or(form.file_type.as_deref());
    if let Some(kind) = kind.and_then(|kind| HeaderValue::from_str(kind).ok()) {
        put.headers.insert(CONTENT_TYPE, kind);
    }
    Ok(put)
}

fn wish(form: &Form) -> Result<Option<Wish>, Fault> {
    let own = form.fields.iter().filter(|(name, _)| name.starts_with("x:")).cloned().collect();
    form.field("callback").map(|text| Wish::new(text, own)).transpose()
}

/// What the form wants as an answer: a redirect, a document (201), 200, or nothing (204).
fn finished(mut answer: Answer, form: &Form, request: &Request) -> Result<Answer, Fault> {
    let (bucket, key) = (request.target.bucket(), request.target.key());
    let etag = answer.headers.get(ETAG).and_then(|etag| etag.to_str().ok()).unwrap_or("").to_owned();
    if let Some(url) = form.field("success_action_redirect").filter(|url| !url.is_empty()) {
        let encoded = |text: &str| utf8_percent_encode(text, UNRESERVED).to_string();
        let separator = if url.contains('?') { '&' } else { '?' };
        let query = format!("bucket={}&key={}&etag={}", encoded(bucket), encoded(key), encoded(&etag));
        answer.status = StatusCode::SEE_OTHER;
        return Ok(answer.header(LOCATION, &format!("{url}{separator}{query}")));
    }
    answer.status = match form.field("success_action_status") {
        Some("200") => StatusCode::OK,
        Some("201") => {
            let mut document = Document::new("PostResponse");
            document.text("Bucket", bucket);
            document.text("Location", &format!("http://{}/{key}", request.host));
            document.text("Key", key);
            document.text("ETag", &etag);
            answer.body = bytes::Bytes::from(document.finish()).into();
            answer = answer.header(CONTENT_TYPE, "application/xml");
            StatusCode::CREATED
        }
        _ => StatusCode::NO_CONTENT,
    };
    Ok(answer)
}

/// Browsers may send a whole path.
fn base_name(path: &str) -> &str {
    path.rsplit(['/', '\\']).next().unwrap_or(path)
}

/// Fields that are headers of a PutObject, beside those that begin with `x-oss-`.
const HEADER_FIELDS: [&str; 6] = [
    "cache-control",
    "content-disposition",
    "content-encoding",
    "content-language",
    "content-type",
    "expires",
];
