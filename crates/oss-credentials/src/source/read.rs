//! What several sources read alike: credentials in JSON, moments, answers that bring none.

use alloc::string::String;

use oss_sign::UnixTime;

use crate::json::{self, Object, Value};
use crate::search::Turn;
use crate::{Answer, CredentialError, Credentials, Secret, SecretBytes, SourceName};

/// What an answer means that is not of the kind that was asked for.
pub(crate) fn no_answer(source: SourceName, answer: Answer) -> Turn {
    match answer {
        Answer::Absent => Turn::Absent("it is not there"),
        Answer::Failed(reason) => Turn::Broken(CredentialError::Failed { source, reason }),
        Answer::TooLong => Turn::Broken(CredentialError::TooLong { source }),
        Answer::Unreachable | Answer::Unavailable => Turn::Broken(CredentialError::Unavailable { source }),
        _ => Turn::Broken(CredentialError::Mismatch { source }),
    }
}

/// As many values as were asked for, an empty one counting as not set.
pub(crate) fn variables<const N: usize>(
    source: SourceName,
    answer: Answer,
) -> Result<[Option<Secret>; N], Turn> {
    let Answer::Env(values) = answer else {
        return Err(no_answer(source, answer));
    };
    let values = <[Option<Secret>; N]>::try_from(values)
        .map_err(|_| Turn::Broken(CredentialError::Mismatch { source }))?;
    Ok(values.map(|value| value.filter(|value| !value.is_empty())))
}

/// The object that these bytes are, if they are not too many.
pub(crate) fn object(
    source: SourceName,
    bytes: &SecretBytes,
    bytes_max: usize,
) -> Result<Object, CredentialError> {
    let bytes = bytes.expose();
    if bytes.len() > bytes_max {
        return Err(CredentialError::TooLong { source });
    }
    json::parse(bytes).map_err(|problem| CredentialError::Malformed {
        source,
        problem: problem.what,
        at: problem.at,
    })
}

/// Credentials under these names: id, secret, token, expiration.
pub(crate) fn credentials(
    source: SourceName,
    object: &Object,
    names: [&'static str; 4],
) -> Result<Credentials, CredentialError> {
    let [id, secret, token, expiration] = names;
    let required = |name| object.text(name).ok_or(CredentialError::Missing { source, name });
    let credentials = Credentials::named(
        &[id, secret, token],
        String::from(required(id)?.expose()),
        required(secret)?.clone(),
        object.text(token).cloned(),
    )?;
    Ok(match moment(source, object, expiration)? {
        Some(at) => credentials.with_expiration(at),
        None => credentials,
    })
}

/// Credentials that must have a token, since the service gives no others.
pub(crate) fn temporary(
    source: SourceName,
    object: &Object,
    names: [&'static str; 4],
) -> Result<Credentials, CredentialError> {
    let credentials = credentials(source, object, names)?;
    match credentials.security_token() {
        Some(_) => Ok(credentials),
        None => Err(CredentialError::Missing { source, name: names[2] }),
    }
}

/// The moment under this name, if there is one; another kind of value is an error, and so is another form.
pub(crate) fn moment(
    source: SourceName,
    object: &Object,
    name: &'static str,
) -> Result<Option<UnixTime>, CredentialError> {
    match object.member(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Text(text)) if text.is_empty() => Ok(None),
        Some(Value::Text(text)) => match parse_moment(text.expose()) {
            Some(at) => Ok(Some(at)),
            None => {
                Err(CredentialError::Malformed { source, problem: "an expiration that is no date", at: 0 })
            }
        },
        Some(_) => {
            Err(CredentialError::Malformed { source, problem: "an expiration that is no text", at: 0 })
        }
    }
}

/// RFC 3339: `2024-01-01T00:00:00Z`, or with an offset such as `+08:00` in place of the `Z`.
fn parse_moment(text: &str) -> Option<UnixTime> {
    if let Some(moment) = UnixTime::parse_iso_extended(text) {
        return Some(moment);
    }
    let (local, offset) = text.split_at_checked(text.len().checked_sub("+08:00".len())?)?;
    let (hours, minutes) = offset.get(1..)?.split_once(':')?;
    let two_digits = |text: &str, max: i64| {
        let is_number = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse::<i64>().ok().filter(|number| is_number && *number <= max)
    };
    let secs = two_digits(hours, 23)? * 3_600 + two_digits(minutes, 59)? * 60;
    let mut utc = String::from(local);
    utc.push('Z');
    let moment = UnixTime::parse_iso_extended(&utc)?;
    match offset.as_bytes().first()? {
        b'+' => Some(moment.saturating_sub(secs)),
        b'-' => Some(moment.saturating_add(secs)),
        _ => None,
    }
}

/// The names that STS, the metadata service and most others use.
pub(crate) const NAMES: [&str; 4] = ["AccessKeyId", "AccessKeySecret", "SecurityToken", "Expiration"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn f85_moments_in_other_zones_are_moments() {
        let table = [
            ("2024-01-01T00:00:00Z", Some(1_704_067_200)),
            ("2024-01-01T08:00:00+08:00", Some(1_704_067_200)),
            ("2023-12-31T23:30:00.123-00:30", Some(1_704_067_200)),
            ("2024-01-01T23:59:00+23:59", Some(1_704_067_200)),
            ("2024-01-01T08:00:00+0800", None),
            ("2024-01-01T08:00:00 08:00", None),
            ("2024-01-01T08:00:00+24:00", None),
            ("2024-01-01T08:00:00+08:60", None),
            ("2024-01-01T08:00:00+-8:00", None),
            ("2024-01-01T08:00:00", None),
            ("2024-02-30T08:00:00Z", None),
            ("+08:00", None),
            ("密密", None),
            ("", None),
        ];
        for (text, secs) in table {
            assert_eq!(parse_moment(text), secs.map(UnixTime::from_secs), "{text}");
        }
    }

    #[test]
    fn b55_credentials_in_json_are_read_or_refused() {
        let source = SourceName::EcsRole;
        let missing = |name| Err(CredentialError::Missing { source, name });
        let plain = Credentials::new("i", "s").unwrap();
        let malformed = |problem, at| Err(CredentialError::Malformed { source, problem, at });
        let table = [
            (r#"{"AccessKeyId":"i","AccessKeySecret":"s"}"#, Ok(plain)),
            (r#"{"AccessKeyId":"","AccessKeySecret":"s"}"#, missing("AccessKeyId")),
            (r#"{"AccessKeyId":"i"}"#, missing("AccessKeySecret")),
            (r#"{"AccessKeyId":7,"AccessKeySecret":"s"}"#, missing("AccessKeyId")),
            (
                r#"{"AccessKeyId":"i","AccessKeySecret":"s\r\nx"}"#,
                Err(CredentialError::NotHeaderSafe { name: "AccessKeySecret", at: 1 }),
            ),
            (
                r#"{"AccessKeyId":"i","AccessKeySecret":"s","Expiration":1700000000}"#,
                malformed("an expiration that is no text", 0),
            ),
            (
                r#"{"AccessKeyId":"i","AccessKeySecret":"s","Expiration":"tomorrow"}"#,
                malformed("an expiration that is no date", 0),
            ),
            (r#"{"AccessKeyId":"i","AccessKeyId":"j"}"#, malformed("a name that occurs twice", 32)),
        ];
        for (document, expected) in table {
            let read = object(source, &document.into(), 64 * 1_024)
                .and_then(|object| credentials(source, &object, NAMES));
            assert_eq!(read, expected, "{document}");
        }
        let long = alloc::format!("{{}}{}", " ".repeat(64 * 1_024));
        assert_eq!(
            object(source, &long.as_str().into(), 64 * 1_024).err(),
            Some(CredentialError::TooLong { source })
        );
    }
}
