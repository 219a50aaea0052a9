//! Callbacks: OSS calls a server of the user after an upload. The emulator has no network, so a hook of its
//! configuration says what that server answers (OSS document "Callback").

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use base64ct::{Base64, Base64Unpadded, Encoding as _};
use http::StatusCode;
use http::header::CONTENT_TYPE;
use percent_encoding::utf8_percent_encode;

use crate::fault::Fault;
use crate::json::{self, Value};
use crate::ops::Context;
use crate::reply::Answer;
use crate::request::Request;
use crate::store::{Kind, Object};
use crate::xml::UNRESERVED;

/// The call that OSS would make to the user's server.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Callback {
    /// `callbackUrl` as it was given: one URL, or several with `;` between them.
    pub url: String,
    /// `callbackHost`, or an empty text.
    pub host: String,
    /// `callbackBody` with its variables filled in.
    pub body: String,
    /// `callbackBodyType`: `application/x-www-form-urlencoded` unless the request says `application/json`.
    pub body_type: String,
    /// The bucket that was written to.
    pub bucket: String,
    /// The key that was written.
    pub key: String,
}

/// What comes of a callback.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums)] // The server answers, or it does not.
pub enum CallbackOutcome {
    /// The server answers 200 with this JSON, which becomes the body of the upload's answer.
    Answered(String),
    /// The call fails, for this reason: the upload is answered with 203 `CallbackFailed`.
    Failed(String),
}

/// A callback that a request asks for.
#[derive(Clone, Debug)]
pub(crate) struct Wish {
    url: String,
    host: String,
    body: String,
    body_type: String,
    variables: Vec<(String, String)>,
}

impl Wish {
    /// Reads the headers or the query; a request has the callback in one of them.
    pub(crate) fn of(request: &Request) -> Result<Option<Self>, Fault> {
        let one = |header: &'static str, parameter: &'static str| match (
            request.header(header),
            request.query.value(parameter),
        ) {
            (Some(_), Some(_)) => {
                let why = "A callback is given in the headers or in the query, not in both.";
                Err(Fault::invalid_argument(header, "", "", why))
            }
            (header, parameter) => Ok(header.or(parameter)),
        };
        let variables = match one("x-oss-callback-var", "callback-var")? {
            Some(text) => variables(text)?,
            None => Vec::new(),
        };
        match one("x-oss-callback", "callback")? {
            Some(text) => Self::new(text, variables).map(Some),
            None => Ok(None),
        }
    }

    /// Reads a callback parameter: a JSON object in Base64, at most 5 KB.
    pub(crate) fn new(text: &str, variables: Vec<(String, String)>) -> Result<Self, Fault> {
        let refused = |why: &'static str| Fault::invalid_argument("callback", text, "0007-00000001", why);
        let value = decoded(text).ok_or_else(|| refused("The callback configuration is not json format."))?;
        let field = |name| value.get(name).and_then(Value::as_str).unwrap_or("").to_owned();
        let wish = Self {
            url: field("callbackUrl"),
            host: field("callbackHost"),
            body: field("callbackBody"),
            body_type: field("callbackBodyType"),
            variables,
        };
        if wish.url.is_empty() || wish.body.is_empty() {
            return Err(refused("The callback configuration has no callbackUrl or no callbackBody."));
        }
        if !matches!(wish.body_type.as_str(), "" | FORM | JSON) {
            return Err(refused("The callbackBodyType is neither a form nor JSON."));
        }
        Ok(wish)
    }

    fn filled(&self, context: &Context<'_>, operation: &str, object: &Object) -> Callback {
        let target = &context.request.target;
        let is_json = self.body_type == JSON;
        let mut body = String::new();
        let mut rest = self.body.as_str();
        while let Some((before, after)) = rest.split_once("${") {
            body.push_str(before);
            let Some((name, after)) = after.split_once('}') else {
                body.push_str("${");
                rest = after;
                continue;
            };
            let value = self.variable(name, context, operation, object);
            body.push_str(&match (is_json, matches!(name, "size" | "crc64")) {
                (true, false) => json::quoted(&value),
                (true, true) => value,
                (false, _) => utf8_percent_encode(&value, UNRESERVED).to_string(),
            });
            rest = after;
        }
        body.push_str(rest);
        Callback {
            url: self.url.clone(),
            host: self.host.clone(),
            body,
            body_type: if is_json { JSON } else { FORM }.to_owned(),
            bucket: target.bucket().to_owned(),
            key: target.key().to_owned(),
        }
    }

    /// A system variable or one of the request's own; one that nobody knows is empty.
    fn variable(&self, name: &str, context: &Context<'_>, operation: &str, object: &Object) -> String {
        match name {
            "bucket" => context.request.target.bucket().to_owned(),
            "object" => context.request.target.key().to_owned(),
            "etag" => object.etag.trim_matches('"').to_owned(),
            "size" => object.size().to_string(),
            "crc64" => object.crc.to_string(),
            "mimeType" => object.header("content-type").unwrap_or("").to_owned(),
            "operation" => operation.to_owned(),
            "reqId" => context.request_id.to_owned(),
            "contentMd5" => match object.kind {
                Kind::Normal { md5 } => Base64::encode_string(&md5),
                _ => String::new(),
            },
            own => {
                let found = self.variables.iter().find(|(name, _)| name == own);
                found.map(|(_, value)| value.clone()).unwrap_or_default()
            }
        }
    }
}

/// Makes the call, when there is one to make: its answer becomes the body. The object is stored either way,
/// and when the call fails the answer is 203 (OSS document "HTTP status code 203").
pub(crate) fn call(
    context: &Context<'_>,
    wish: Option<&Wish>,
    operation: &str,
    object: &Object,
    mut answer: Answer,
) -> Result<Answer, Fault> {
    let Some(wish) = wish else { return Ok(answer) };
    let callback = wish.filled(context, operation, object);
    let reason = match context.config.callback_outcome(&callback) {
        CallbackOutcome::Answered(text) if json::parse(&text).is_ok() => {
            answer.body = bytes::Bytes::from(text).into();
            return Ok(answer.header(CONTENT_TYPE, JSON));
        }
        CallbackOutcome::Answered(_) => "Response body is not valid json format.".to_owned(),
        CallbackOutcome::Failed(reason) => reason,
    };
    let status = StatusCode::NON_AUTHORITATIVE_INFORMATION.as_u16();
    let mut fault = Fault::new(status, "CallbackFailed", "0007-00000203", format!("Error status : {reason}"));
    for (name, value) in &answer.headers {
        if name != CONTENT_TYPE {
            fault.headers.push((name.clone(), value.clone()));
        }
    }
    Err(fault)
}

fn variables(text: &str) -> Result<Vec<(String, String)>, Fault> {
    let value = decoded(text);
    let members = value.as_ref().and_then(Value::as_object).ok_or_else(|| {
        let why = "The callback-var is not json format.";
        Fault::invalid_argument("callback-var", text, "0007-00000101", why)
    })?;
    let pair = |(name, value): &(String, Value)| {
        let value = value.as_str().filter(|_| name.starts_with("x:"))?;
        Some((name.clone(), value.to_owned()))
    };
    members.iter().map(pair).collect::<Option<_>>().ok_or_else(|| {
        let why = "The names of a callback-var must begin with x: and the values must be strings.";
        Fault::invalid_argument("callback-var", text, "0007-00000101", why)
    })
}

/// Base64 of a JSON object.
fn decoded(text: &str) -> Option<Value> {
    if text.len() > PARAMETER_BYTES_MAX {
        return None;
    }
    let bytes = Base64Unpadded::decode_vec(text.trim().trim_end_matches('=')).ok()?;
    let value = json::parse(core::str::from_utf8(&bytes).ok()?).ok()?;
    value.as_object().is_some().then_some(value)
}

const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json";
const PARAMETER_BYTES_MAX: usize = 5 * 1024;
