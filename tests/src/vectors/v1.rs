//! V1 signatures.

use oss_sign::{Request, Scratch, Signed, UnixTime, presign_query_v1, sign_headers_v1};

use super::signed::{SignedInput, same_query};
use super::{Pass, Record, same_text};
use crate::naive_sign;

pub(super) fn header(record: &Record<'_>) -> Result<Pass, String> {
    let input = SignedInput::read(record)?;
    let (key, request) = (input.access_key(), input.request()?);
    let sub_resources = record.list("sub_resource");
    let date = input.time.http_date();
    let naive =
        naive_sign::header_v1(&naive_sign::Input { date: &date, ..input.input.clone() }, &sub_resources);

    let mut scratch = Scratch::new();
    let signed = sign_headers_v1(&request, &key, input.time, &sub_resources, &mut scratch);
    same_signature(record, &signed, &naive)?;
    let added: Vec<(&str, &str)> = signed.iter().collect();
    let (_, ours) = added.last().ok_or("nothing to add")?;
    record.expect("authorization", ours)?;
    let replaced = |name: &str| added.iter().any(|(own, _)| own.eq_ignore_ascii_case(name));
    let kept = request.headers.iter().filter(|(name, _)| !replaced(name));
    record.expect_pairs("headers_after", header_line, kept.chain(&added))?;
    Ok(Pass::Same)
}

fn header_line((name, value): &(&str, &str)) -> Option<String> {
    Some(format!("{}: {value}", name.to_lowercase()))
}

pub(super) fn presign(record: &Record<'_>) -> Result<Pass, String> {
    let input = SignedInput::read(record)?;
    let (key, request): (_, Request<'_>) = (input.access_key(), input.request()?);
    let sub_resources = record.list("sub_resource");
    let expires = record.integer("expires_epoch")?.to_string();
    let naive =
        naive_sign::presign_v1(&naive_sign::Input { date: &expires, ..input.input.clone() }, &sub_resources);

    let expires = expires.parse().map_err(|_| "in.expires_epoch is no time")?;
    let mut scratch = Scratch::new();
    let signed = presign_query_v1(&request, &key, UnixTime::from_secs(expires), &sub_resources, &mut scratch);
    same_signature(record, &signed, &naive)?;
    same_query(record, &request, &signed.iter().collect::<Vec<_>>())?;
    Ok(Pass::Same)
}

fn same_signature(
    record: &Record<'_>,
    signed: &Signed<'_>,
    naive: &naive_sign::Output,
) -> Result<(), String> {
    record.expect("string_to_sign", signed.string_to_sign())?;
    let ours = signed.string_to_sign();
    same_text("string to sign of the second signer", &naive.string_to_sign, ours)?;
    if record.out()["signature"].is_null() {
        return Err("out.signature is missing".to_owned());
    }
    record.expect("signature", &naive.signature).map_err(|error| format!("second signer: {error}"))?;
    record.expect("signature", signed.signature())
}
