//! Who sends a form: the policy that it carries, its signature (V4 or V1) and its conditions (OSS documents
//! "PostObject" and "A V4 signature in a PostObject request").

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use base64ct::{Base64, Encoding as _};

use crate::auth::{self, Identity, check_token, known_key};
use crate::fault::Fault;
use crate::form::Form;
use crate::json::{self, Value};
use crate::ops::Context;
use crate::time::{iso_extended, parse_iso_basic, parse_iso_extended};

/// Verifies the policy of a form; a form without one is anonymous.
pub(crate) fn authenticate(form: &Form, context: &Context<'_>) -> Result<Identity, Fault> {
    let text = form.field("policy");
    let is_v4 = form.field("x-oss-signature-version").is_some() || form.field("x-oss-credential").is_some();
    let is_v1 = form.field("ossaccesskeyid").is_some() || form.field("signature").is_some();
    let Some(text) = text else {
        return if is_v4 || is_v1 { Err(missing("policy")) } else { Ok(Identity::Anonymous) };
    };
    match is_v4 {
        true => check_v4(form, text, context)?,
        false => check_v1(form, text, context)?,
    }
    check_policy(form, text, context, is_v4)?;
    Ok(Identity::Owner)
}

/// The Base64 text of the policy is itself the string to sign.
fn check_v4(form: &Form, policy: &str, context: &Context<'_>) -> Result<(), Fault> {
    let version = required(form, "x-oss-signature-version")?;
    if version != auth::ALGORITHM {
        let why = "Only OSS4-HMAC-SHA256 is supported.";
        return Err(Fault::invalid_argument("x-oss-signature-version", version, "0002-00000218", why));
    }
    let scope = auth::Scope::parse(required(form, "x-oss-credential")?)?;
    let date = required(form, "x-oss-date")?;
    let signature = required(form, "x-oss-signature")?;
    let key = known_key(context.config, &scope.key_id)?;
    check_token(key, &scope.key_id, form.field("x-oss-security-token"), context.now)?;
    let signed_at = parse_iso_basic(date).ok_or_else(|| auth::bad_date(date))?;
    let now = context.now.as_secs();
    let is_early = now + auth::SKEW_SECS_MAX < signed_at.as_secs();
    if is_early || now > signed_at.as_secs().saturating_add(auth::URL_SECS_MAX) {
        let why = "Invalid according to Policy: x-oss-date is too far from the time of the server.";
        return Err(Fault::access_denied("0002-00000236", why).with("ServerTime", iso_extended(context.now)));
    }
    scope.check(date, context.config)?;
    if scope.signature(&key.secret, policy.as_bytes()) == signature {
        return Ok(());
    }
    Err(mismatch(&scope.key_id, signature, policy))
}

fn check_v1(form: &Form, policy: &str, context: &Context<'_>) -> Result<(), Fault> {
    let id = required(form, "OSSAccessKeyId")?;
    let signature = required(form, "Signature")?;
    if !context.config.takes_v1 {
        return Err(auth::v1_refused("0002-00000080"));
    }
    let key = known_key(context.config, id)?;
    check_token(key, id, form.field("x-oss-security-token"), context.now)?;
    if auth::v1_signature(&key.secret, policy.as_bytes()) == signature {
        return Ok(());
    }
    Err(mismatch(id, signature, policy))
}

fn check_policy(form: &Form, text: &str, context: &Context<'_>, is_v4: bool) -> Result<(), Fault> {
    let bytes = Base64::decode_vec(text.trim()).map_err(|_| invalid("the policy is not Base64"))?;
    let text = core::str::from_utf8(&bytes).map_err(|_| invalid("the policy is not UTF-8"))?;
    let policy = json::parse(text).map_err(invalid)?;
    let members = policy.as_object().ok_or_else(|| invalid("the policy is not an object"))?;
    if members.iter().any(|(name, _)| !matches!(name.as_str(), "expiration" | "conditions")) {
        return Err(invalid("the policy has another member than expiration and conditions"));
    }
    let expiration = policy.get("expiration").and_then(Value::as_str);
    let expiration = expiration.ok_or_else(|| invalid("the policy has no expiration"))?;
    let ends = parse_iso_extended(expiration).ok_or_else(|| invalid("the expiration is not ISO 8601"))?;
    if ends <= context.now {
        let why = "Invalid according to Policy: Policy expired.";
        return Err(Fault::access_denied("0006-00000211", why)
            .with("Expires", iso_extended(ends))
            .with("ServerTime", iso_extended(context.now)));
    }
    let conditions = policy.get("conditions").and_then(Value::as_array);
    let conditions = conditions.filter(|list| !list.is_empty());
    let conditions = conditions.ok_or_else(|| invalid("the policy has no conditions"))?;
    for condition in conditions {
        check_condition(condition, form, context)?;
    }
    let named = |field: &str| conditions.iter().any(|condition| names(condition, field));
    let needed = V4_FIELDS.iter().filter(|field| form.field(field).is_some());
    match needed.copied().find(|field| is_v4 && !named(field)) {
        Some(field) => Err(invalid("the policy has no condition for a signed field").with("Field", field)),
        None => Ok(()),
    }
}

/// One of `{"field": "value"}`, `["eq", "$field", "value"]`, `["starts-with", "$field", "prefix"]`,
/// `["in" or "not-in", "$field", […]]`, `["content-length-range", min, max]`.
fn check_condition(condition: &Value, form: &Form, context: &Context<'_>) -> Result<(), Fault> {
    if let Some(members) = condition.as_object() {
        for (field, value) in members {
            let expected = value.as_str().ok_or_else(|| invalid("the value of a condition is no string"))?;
            hold(value_of(field, form, context) == expected, condition)?;
        }
        return Ok(());
    }
    let bad = || invalid("a condition has an unknown form");
    let [Value::String(mode), first, second] = condition.as_array().ok_or_else(bad)? else {
        return Err(bad());
    };
    if mode.eq_ignore_ascii_case("content-length-range") {
        let (min, max) = first.as_u64().zip(second.as_u64()).ok_or_else(bad)?;
        return check_length(form.file.len(), min, max);
    }
    let field = first.as_str().and_then(|name| name.strip_prefix('$')).ok_or_else(bad)?;
    let value = value_of(field, form, context);
    let lists = || second.as_array().map(|list| list.iter().any(|item| item.as_str() == Some(&value)));
    let holds = match mode.to_ascii_lowercase().as_str() {
        "eq" => second.as_str().map(|expected| value == expected),
        "starts-with" => second.as_str().map(|prefix| value.starts_with(prefix)),
        "in" => lists(),
        "not-in" => lists().map(|is_listed| !is_listed),
        _ => None,
    };
    hold(holds.ok_or_else(bad)?, condition)
}

fn check_length(length: u64, min: u64, max: u64) -> Result<(), Fault> {
    if length < min {
        let why = "Your proposed upload is smaller than the minimum allowed size.";
        return Err(Fault::new(400, "EntityTooSmall", "0006-00000229", why)
            .with("MinSizeAllowed", min.to_string())
            .with("ProposedSize", length.to_string()));
    }
    if length > max {
        return Err(Fault::entity_too_large(max).with("ProposedSize", length.to_string()));
    }
    Ok(())
}

fn hold(holds: bool, condition: &Value) -> Result<(), Fault> {
    if holds {
        return Ok(());
    }
    let why = "Invalid according to Policy: Policy Condition failed: ".to_owned() + &shown(condition);
    Err(Fault::new(403, "AccessDenied", "0006-00000227", why))
}

/// The bucket is not a field: it is where the form was sent.
fn value_of(field: &str, form: &Form, context: &Context<'_>) -> String {
    let field = field.to_ascii_lowercase();
    match form.field(&field) {
        None if field == "bucket" => context.request.target.bucket().to_owned(),
        found => found.unwrap_or("").to_owned(),
    }
}

/// Whether a condition speaks of this lower-case field.
fn names(condition: &Value, field: &str) -> bool {
    if let Some(members) = condition.as_object() {
        return members.iter().any(|(name, _)| name.eq_ignore_ascii_case(field));
    }
    let name = condition.as_array().and_then(|items| items.get(1)).and_then(Value::as_str);
    name.and_then(|name| name.strip_prefix('$')).is_some_and(|name| name.eq_ignore_ascii_case(field))
}

fn shown(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(is_true) => is_true.to_string(),
        Value::Number(text) => text.clone(),
        Value::String(text) => json::quoted(text),
        Value::Array(items) => {
            let items: Vec<_> = items.iter().map(shown).collect();
            format!("[{}]", items.join(","))
        }
        Value::Object(members) => {
            let pair = |(name, value): &(String, Value)| json::quoted(name) + ":" + &shown(value);
            let members: Vec<_> = members.iter().map(pair).collect();
            format!("{{{}}}", members.join(","))
        }
    }
}

fn required<'f>(form: &'f Form, name: &'static str) -> Result<&'f str, Fault> {
    let value = form.field(&name.to_ascii_lowercase()).filter(|value| !value.is_empty());
    value.ok_or_else(|| missing(name))
}

fn missing(name: &'static str) -> Fault {
    let why = "The form is signed only in part: a field is missing.";
    Fault::invalid_argument(name, "", "0006-00000201", why)
}

fn invalid(why: &'static str) -> Fault {
    let message = "Invalid Policy: ".to_owned() + why;
    Fault::new(400, "InvalidPolicyDocument", "0006-00000201", message)
}

fn mismatch(id: &str, signature: &str, policy: &str) -> Fault {
    let why = "The request signature we calculated does not match the signature you provided. Check your \
               key and signing method.";
    Fault::new(403, "SignatureDoesNotMatch", "0002-00000040", why)
        .with("OSSAccessKeyId", id)
        .with("SignatureProvided", signature)
        .with("StringToSign", policy)
}

/// Fields of a V4 form that its policy must name.
const V4_FIELDS: [&str; 4] =
    ["x-oss-signature-version", "x-oss-credential", "x-oss-date", "x-oss-security-token"];
