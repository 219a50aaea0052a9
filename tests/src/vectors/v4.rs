//! V4 signatures.

use core::time::Duration;

use oss_sign::{PresignError, Scratch, Signed, SigningKey, presign_query, sign_headers};

use super::signed::{SignedInput, same_query};
use super::{Pass, Record, same_text};
use crate::naive_sign;

pub(super) fn header(record: &Record<'_>) -> Result<Pass, String> {
    let v4 = SignedInput::read(record)?;
    let (key, scope, request) = (v4.access_key(), v4.scope(), v4.request()?);
    let date = scope.time.iso_basic();
    let naive = naive_sign::header(&naive_sign::Input { date: &date, ..v4.input.clone() });

    let signing = SigningKey::derive(&key, &scope);
    let mut scratch = Scratch::new();
    let signed = sign_headers(&request, &key, &signing, &scope, &mut scratch);
    same_signature(record, &signed, &naive)?;

    let added: Vec<(&str, &str)> = signed.iter().collect();
    let (_, ours) = added.last().ok_or("nothing to add")?;
    if let Some(expected) = record.value["out"]["authorization"].as_str() {
        same_text("authorization", &authorization(expected), &authorization(ours))?;
    }
    let replaced = |name: &str| added.iter().any(|(own, _)| own.eq_ignore_ascii_case(name));
    let kept = request.headers.iter().filter(|(name, _)| !replaced(name));
    record.expect_pairs("headers_after", header_line, kept.chain(&added))?;
    Ok(Pass::Same)
}

fn header_line((name, value): &(&str, &str)) -> Option<String> {
    match name.to_lowercase().as_str() {
        "authorization" => Some(format!("authorization: {}", authorization(value))),
        // Some SDKs set it as well; it is not signed, and OSS reads `x-oss-date` first.
        "date" => None,
        name => Some(format!("{name}: {value}")),
    }
}

/// The fields sorted: the first generation of the SDKs has them in another order, with a space after the
/// comma.
fn authorization(value: &str) -> String {
    let mut fields: Vec<&str> = value.split(',').map(str::trim).collect();
    fields.sort_unstable();
    fields.join("\n")
}

pub(super) fn presign(record: &Record<'_>) -> Result<Pass, String> {
    let v4 = SignedInput::read(record)?;
    let (key, scope, request) = (v4.access_key(), v4.scope(), v4.request()?);
    let expires = &record.value["in"]["expires_seconds"];
    let expires = expires.as_u64().ok_or("in.expires_seconds is not a number of seconds")?;
    let date = scope.time.iso_basic();
    let naive = naive_sign::presign(&naive_sign::Input { date: &date, ..v4.input.clone() }, expires);

    let signing = SigningKey::derive(&key, &scope);
    let mut scratch = Scratch::new();
    let valid_for = Duration::from_secs(expires);
    let signed = match presign_query(&request, &key, &signing, &scope, valid_for, &mut scratch) {
        Ok(signed) => signed,
        Err(PresignError::TooLong { .. }) if record.has_rule("presign-sts-limit") => {
            // We refuse; the second signer knows no limits, so the record still says something.
            return second_signer(record, &naive).map(|()| Pass::ByRule);
        }
        Err(error) => return Err(error.to_string()),
    };
    same_signature(record, &signed, &naive)?;

    let added: Vec<(&str, &str)> = signed.iter().collect();
    same_query(record, &request, &added)?;
    Ok(Pass::Same)
}

fn same_signature(
    record: &Record<'_>,
    signed: &Signed<'_>,
    naive: &naive_sign::Output,
) -> Result<(), String> {
    record.expect("canonical_request", signed.canonical_request())?;
    record.expect("string_to_sign", signed.string_to_sign())?;
    second_signer(record, naive)?;
    // A trimmed record has no canonical request; the second signer's shows where ours went wrong.
    let ours = [signed.canonical_request(), signed.string_to_sign()];
    same_text("canonical request of the second signer", &naive.canonical_request, ours[0])?;
    same_text("string to sign of the second signer", &naive.string_to_sign, ours[1])?;
    if record.value["out"]["signature"].is_null() {
        return Err("out.signature is missing".to_owned());
    }
    record.expect("signature", signed.signature())
}

fn second_signer(record: &Record<'_>, naive: &naive_sign::Output) -> Result<(), String> {
    record.expect("signature", &naive.signature).map_err(|error| format!("second signer: {error}"))
}
