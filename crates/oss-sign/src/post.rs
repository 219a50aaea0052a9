//! [`PostPolicy`]: what a browser may upload with a form, and the form's signed fields.

use alloc::{borrow::ToOwned, format, string::String, vec::Vec};
use core::{error::Error, fmt, fmt::Write, ops::RangeInclusive};

use base64ct::{Base64, Encoding};

use crate::{
    AccessKey, Scope, SigningKey, UnixTime,
    scratch::hex,
    v4::{ALGORITHM, TERMINATOR_TEXT},
};

/// The conditions under which OSS takes a form upload (PostObject), until a moment in time.
///
/// Field names are those of the form without `$`: `key`, `content-type`, `success_action_status`,
/// `x-oss-meta-…` and so on; their case does not matter to OSS, that of values does. Source: the OSS document
/// on PostObject.
///
/// ```
/// use oss_sign::{AccessKey, PostPolicy, Scope, SigningKey, UnixTime};
///
/// let key = AccessKey { id: "ak", secret: "sk", token: None };
/// let now = UnixTime::from_secs(1_701_605_532);
/// let scope = Scope { region: "cn-hangzhou", product: "oss", time: now };
/// let form = PostPolicy::new("examplebucket", now.saturating_add(3_600))
///     .starts_with("key", "user/eric/")
///     .content_length(1..=10_485_760)
///     .one_of("content-type", &["image/jpeg", "image/png"])
///     .sign(&key, &SigningKey::derive(&key, &scope), &scope)?;
/// assert_eq!(form.fields().map(|(name, _)| name).last(), Some("x-oss-signature"));
/// # Ok::<(), oss_sign::PolicyError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct PostPolicy {
    bucket: String,
    expiration: UnixTime,
    /// JSON of each further condition, after a comma.
    conditions: String,
    empty_range: Option<(u64, u64)>,
}

impl PostPolicy {
    /// Allows uploads of any key to `bucket` until `expiration`, which V4 bounds to 7 days.
    pub fn new(bucket: &str, expiration: UnixTime) -> Self {
        Self { bucket: bucket.to_owned(), expiration, conditions: String::new(), empty_range: None }
    }

    /// The field must have this value.
    pub fn equals(self, field: &str, value: &str) -> Self {
        self.with("eq", field, |json| push_text(json, value))
    }

    /// The value of the field must start so; an empty text allows any value.
    pub fn starts_with(self, field: &str, prefix: &str) -> Self {
        self.with("starts-with", field, |json| push_text(json, prefix))
    }

    /// The field must have one of these values.
    ///
    /// OSS knows this for `key`, `content-type`, `cache-control` and `success_action_status`.
    pub fn one_of(self, field: &str, values: &[&str]) -> Self {
        self.with("in", field, |json| push_list(json, values))
    }

    /// The field must have none of these values; for the same fields as [`one_of`](Self::one_of).
    pub fn none_of(self, field: &str, values: &[&str]) -> Self {
        self.with("not-in", field, |json| push_list(json, values))
    }

    /// The file must have so many bytes, both ends included; a form never takes more than 5 GB.
    pub fn content_length(mut self, bytes: RangeInclusive<u64>) -> Self {
        let (least, most) = (*bytes.start(), *bytes.end());
        if least > most {
            self.empty_range = Some((least, most));
        }
        write!(self.conditions, ",[\"content-length-range\",{least},{most}]").expect(WRITING);
        self
    }

    /// The signed fields of the form (V4): `policy`, `x-oss-signature-version`, `x-oss-credential`,
    /// `x-oss-date`, `x-oss-security-token` when the key has a token, and `x-oss-signature`.
    ///
    /// The caller adds `key`, the fields that the policy names, and `file` last. `signing` must be
    /// [for](SigningKey::is_for) `key` and `scope`.
    ///
    /// # Errors
    ///
    /// [`PolicyError::Expired`] when the policy ends before `scope.time`, [`PolicyError::TooLong`] when it
    /// ends more than 7 days after, [`PolicyError::EmptyRange`] when no length is allowed.
    pub fn sign(
        &self,
        key: &AccessKey<'_>,
        signing: &SigningKey,
        scope: &Scope<'_>,
    ) -> Result<PostForm, PolicyError> {
        let lifetime = self.expiration.secs_since(scope.time);
        if lifetime > VALID_SECS_MAX {
            return Err(PolicyError::TooLong { asked_secs: lifetime });
        }
        let date = scope.time.iso_basic();
        let (day, Scope { region, product, .. }) = (scope.time.day(), scope);
        let credential = format!("{}/{day}/{region}/{product}/{TERMINATOR_TEXT}", key.id);
        let mut fields = Vec::from([
            ("x-oss-signature-version", ALGORITHM.to_owned()),
            ("x-oss-credential", credential),
            ("x-oss-date", date.as_str().to_owned()),
        ]);
        fields.extend(key.token().map(|token| ("x-oss-security-token", token.to_owned())));
        let policy = self.encoded(scope.time, &fields)?;
        let digits = hex(&signing.sign(policy.as_bytes()));
        fields.insert(0, ("policy", policy));
        fields.push(("x-oss-signature", digits.map(char::from).iter().collect()));
        Ok(PostForm { fields })
    }

    /// The signed fields of the form (V1): `OSSAccessKeyId`, `policy`, `x-oss-security-token` when the key
    /// has a token, and `Signature`.
    ///
    /// # Errors
    ///
    /// [`PolicyError::Expired`] when the policy ends before `now`, [`PolicyError::EmptyRange`] when no length
    /// is allowed.
    #[cfg(feature = "v1")]
    pub fn sign_v1(&self, key: &AccessKey<'_>, now: UnixTime) -> Result<PostForm, PolicyError> {
        let policy = self.encoded(now, &[])?;
        let mut room = [0; crate::sha1_mac::SIGNATURE_BYTES];
        let signature = crate::sha1_mac::hmac_sha1(key.secret.as_bytes(), policy.as_bytes(), &mut room);
        let mut fields = Vec::from([("OSSAccessKeyId", key.id.to_owned()), ("policy", policy)]);
        fields.extend(key.token().map(|token| ("x-oss-security-token", token.to_owned())));
        fields.push(("Signature", signature.to_owned()));
        Ok(PostForm { fields })
    }

    fn with(mut self, operator: &str, field: &str, push_value: impl FnOnce(&mut String)) -> Self {
        write!(self.conditions, ",[\"{operator}\",\"$").expect(WRITING);
        push_escaped(&mut self.conditions, field);
        self.conditions.push_str("\",");
        push_value(&mut self.conditions);
        self.conditions.push(']');
        self
    }

    /// The policy in base64, with exact conditions for the fields of the signature.
    fn encoded(&self, now: UnixTime, own: &[(&str, String)]) -> Result<String, PolicyError> {
        if self.expiration <= now {
            return Err(PolicyError::Expired { by_secs: now.secs_since(self.expiration) });
        }
        if let Some((least, most)) = self.empty_range {
            return Err(PolicyError::EmptyRange { least, most });
        }
        let expiration = self.expiration.iso_extended();
        let seconds = expiration.strip_suffix('Z').unwrap_or(&expiration);
        let mut json = format!("{{\"expiration\":\"{seconds}.000Z\",\"conditions\":[{{\"bucket\":");
        push_text(&mut json, &self.bucket);
        json.push('}');
        for (name, value) in own {
            write!(json, ",{{\"{name}\":").expect(WRITING);
            push_text(&mut json, value);
            json.push('}');
        }
        json.push_str(&self.conditions);
        json.push_str("]}");
        Ok(Base64::encode_string(json.as_bytes()))
    }
}

/// The signed fields of an upload form.
///
/// Whoever has them may upload what the policy allows: `Debug` shows the names alone.
#[derive(Clone, PartialEq, Eq)]
pub struct PostForm {
    fields: Vec<(&'static str, String)>,
}

impl PostForm {
    /// The names and values of the fields, not encoded.
    pub fn fields(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.fields.iter().map(|(name, value)| (*name, value.as_str()))
    }
}

impl fmt::Debug for PostForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.fields().map(|(name, _)| name)).finish()
    }
}

/// Why a policy was not signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PolicyError {
    /// It ends no later than it starts.
    Expired {
        /// Seconds since its end.
        by_secs: i64,
    },
    /// It ends more than 7 days after the moment of signing, when OSS refuses the form (V4).
    TooLong {
        /// Seconds from the moment of signing to the end.
        asked_secs: i64,
    },
    /// No number of bytes lies between the two.
    EmptyRange {
        /// The first number asked for.
        least: u64,
        /// The last number asked for.
        most: u64,
    },
}

impl fmt::Display for PolicyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Expired { by_secs } => {
                write!(f, "the policy ended {by_secs} seconds ago: choose a later expiration")
            }
            Self::TooLong { asked_secs } => {
                write!(f, "a form cannot be valid for {asked_secs} seconds: ask for at most {VALID_SECS_MAX}")
            }
            Self::EmptyRange { least, most } => {
                write!(f, "no file has {least} to {most} bytes: give the smaller number first")
            }
        }
    }
}

impl Error for PolicyError {}

fn push_list(json: &mut String, values: &[&str]) {
    json.push('[');
    for (index, value) in values.iter().enumerate() {
        if index > 0 {
            json.push(',');
        }
        push_text(json, value);
    }
    json.push(']');
}

fn push_text(json: &mut String, text: &str) {
    json.push('"');
    push_escaped(json, text);
    json.push('"');
}

/// As the document on PostObject lists the escapes; it writes `$` with a backslash, which JSON does not know.
fn push_escaped(json: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '"' | '\\' | '$' => json.extend(['\\', c]),
            '\u{8}' => json.push_str("\\b"),
            '\u{c}' => json.push_str("\\f"),
            '\n' => json.push_str("\\n"),
            '\r' => json.push_str("\\r"),
            '\t' => json.push_str("\\t"),
            c if c.is_control() => write!(json, "\\u{:04x}", u32::from(c)).expect(WRITING),
            c => json.push(c),
        }
    }
}

const VALID_SECS_MAX: i64 = 604_800;
const WRITING: &str = "writing to a string succeeds";

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    const KEY: AccessKey<'static> = AccessKey { id: "ak", secret: "sk", token: None };

    fn scope() -> Scope<'static> {
        let time = UnixTime::parse_iso_basic("20231203T121212Z").expect("a date");
        Scope { region: "cn-hangzhou", product: "oss", time }
    }

    fn expiration() -> UnixTime {
        UnixTime::parse_iso_extended("2023-12-03T13:00:00Z").expect("a date")
    }

    fn field<'a>(form: &'a PostForm, name: &str) -> &'a str {
        form.fields().find(|(other, _)| *other == name).map_or("", |(_, value)| value)
    }

    fn json(form: &PostForm) -> String {
        let bytes = Base64::decode_vec(field(form, "policy")).expect("the policy is base64");
        String::from_utf8(bytes).expect("the policy is text")
    }

    #[test]
    fn the_known_policies_are_signed_alike() {
        let form = PostPolicy::new("examplebucket", expiration()).content_length(1..=1024);
        let form = form.sign(&KEY, &SigningKey::derive(&KEY, &scope()), &scope()).expect("within limits");
        assert_eq!(
            field(&form, "x-oss-signature"),
            "00a867c28c763ac3e14a0bd37dd675c9414ee3258e327b629c5ea9531f86c3b1"
        );
        let key = AccessKey { id: "accesskeyid", secret: "accesskeysecret", token: None };
        let form = PostPolicy::new("examplebucket", expiration())
            .content_length(1..=10)
            .equals("success_action_status", "201")
            .starts_with("key", "user/eric/")
            .one_of("content-type", &["image/jpg", "image/png"])
            .none_of("cache-control", &["no-cache"])
            .sign(&key, &SigningKey::derive(&key, &scope()), &scope())
            .expect("within limits");
        assert_eq!(
            field(&form, "x-oss-signature"),
            "d0df85e8ed63244cec0b30d657c6b34a4c0b6967db3fd03a0133efc608051ef4"
        );
    }

    #[test]
    fn a_token_is_a_condition_and_a_field_and_not_shown() {
        let key = AccessKey { token: Some("token-mark"), ..KEY };
        let form = PostPolicy::new("examplebucket", expiration());
        let form = form.sign(&key, &SigningKey::derive(&key, &scope()), &scope()).expect("within limits");
        assert!(json(&form).contains(r#"{"x-oss-security-token":"token-mark"}"#));
        assert_eq!(field(&form, "x-oss-security-token"), "token-mark");
        let shown = format!("{form:?}");
        assert!(!shown.contains("mark") && shown.contains("x-oss-signature"), "{shown}");
    }

    #[test]
    fn texts_are_escaped_as_the_document_has_it() {
        let form =
            PostPolicy::new("b", expiration()).equals("x-oss-meta-a", "$\"\\/\u{8}\u{c}\n\r\t\0\u{7f}中");
        let form = form.sign(&KEY, &SigningKey::derive(&KEY, &scope()), &scope()).expect("within limits");
        let expected = concat!(r#"["eq","$x-oss-meta-a","\$\"\\/\b\f\n\r\t\u0000\u007f"#, "中\"]]}");
        assert!(json(&form).ends_with(expected), "{}", json(&form));
    }

    #[test]
    fn what_oss_would_refuse_is_not_signed() {
        let sign = |policy: PostPolicy| policy.sign(&KEY, &SigningKey::derive(&KEY, &scope()), &scope());
        let at = |secs: i64| PostPolicy::new("b", scope().time.saturating_add(secs));
        let table = [
            (sign(at(0)), PolicyError::Expired { by_secs: 0 }, "ended 0 seconds ago: choose a later"),
            (sign(at(604_801)), PolicyError::TooLong { asked_secs: 604_801 }, "ask for at most 604800"),
            (
                sign(at(1).content_length(RangeInclusive::new(2, 1))),
                PolicyError::EmptyRange { least: 2, most: 1 },
                "no file has 2 to 1 bytes",
            ),
        ];
        for (result, error, message) in table {
            assert_eq!(result, Err(error));
            assert!(error.to_string().contains(message), "{error}");
        }
        assert!(sign(at(1)).is_ok() && sign(at(604_800).content_length(1..=1)).is_ok());
    }

    #[cfg(feature = "v1")]
    #[test]
    fn the_known_policy_is_signed_alike_in_v1() {
        let (text, mut room) = (
            "eyJleHBpcmF0aW9uIjoiMjAyMy0xMi0wM1QxMzowMDowMC4wMDBaIiwiY29uZGl0aW9ucyI6W1siZXEiLCIkYnVja2V0\
             IiwiZXhhbXBsZWJ1Y2tldCJdLFsiY29udGVudC1sZW5ndGgtcmFuZ2UiLDAsMTA0ODU3NjAwXV19",
            [0; 28],
        );
        let signature = crate::sha1_mac::hmac_sha1(b"sk", text.as_bytes(), &mut room);
        assert_eq!(signature, "W6EHeBo3epsFGgWLD8P9OiRmRFw=");
        let policy = PostPolicy::new("b", expiration()).starts_with("key", "user/");
        let form = policy.sign_v1(&KEY, scope().time).expect("it has not ended");
        let names = form.fields().map(|(name, _)| name).collect::<Vec<_>>();
        assert_eq!(names, ["OSSAccessKeyId", "policy", "Signature"]);
        assert_eq!(
            json(&form),
            concat!(
                r#"{"expiration":"2023-12-03T13:00:00.000Z","conditions":["#,
                r#"{"bucket":"b"},["starts-with","$key","user/"]]}"#
            )
        );
        assert_eq!(policy.sign_v1(&KEY, expiration()), Err(PolicyError::Expired { by_secs: 0 }));
    }
}
