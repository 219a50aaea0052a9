//! Answers in which OSS says no.

use http::{HeaderMap, HeaderName, HeaderValue};
use oss_proto::{ErrorCode, ServiceError};
use serde_json::Value;

use super::{Pass, Record, same_text};

pub(super) fn error_doc(record: &Record<'_>) -> Result<Pass, String> {
    let status = u16::try_from(record.integer("status")?).map_err(|error| error.to_string())?;
    let mut headers = HeaderMap::new();
    for (name, value) in record.pairs("headers")? {
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|error| error.to_string())?;
        let value = HeaderValue::from_bytes(value.as_bytes()).map_err(|error| error.to_string())?;
        headers.append(name, value);
    }
    let error = ServiceError::read(status, &headers, &record.bytes("body_b64")?);
    // Where the SDKs find no code, ours has a name of its own.
    if error.code != ErrorCode::BAD_ERROR_RESPONSE || record.out()["code"] != "" {
        record.expect("code", error.code.as_str())?;
        record.expect("message", &error.message)?;
    }
    record.expect("ec", error.ec.as_deref().unwrap_or_default())?;
    record.expect("request_id", error.request_id.as_deref().unwrap_or_default())?;
    let Value::Object(fields) = &record.out()["fields"] else { return Ok(Pass::Same) };
    for (name, expected) in fields {
        // An element without text.
        let expected = if expected.is_null() { Some("") } else { expected.as_str() };
        let expected = expected.ok_or_else(|| format!("field {name} is not a text"))?;
        same_text(&format!("field {name}"), expected, error.field(name).unwrap_or_default())?;
    }
    Ok(Pass::Same)
}
