//! Upload callbacks.

use alloc::borrow::Cow;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};

use base64ct::{Base64, Encoding};

use crate::wire::text::text_element;
use crate::{InvalidValue, Text};

/// An upload callback: after the upload OSS posts to an application server and gives its answer to the
/// uploader ([Callback](https://help.aliyun.com/zh/oss/developer-reference/callback)).
///
/// When the application fails, OSS answers 203 although the object is stored; that is
/// `ErrorKind::StoredButCallbackFailed`, and it is not repeated.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Callback {
    /// One to five URLs, separated by `;`.
    pub url: String,
    /// The body of the post, a template: `bucket=${bucket}&object=${object}&my_var=${x:my_var}`.
    pub body: String,
    /// The `Host` header of the post; that of the URL when absent.
    pub host: Option<String>,
    /// `application/x-www-form-urlencoded` when absent, or `application/json`.
    pub body_type: Option<String>,
    /// Whether OSS sends the server name (SNI) when the URL is https.
    pub sni: Option<bool>,
}

impl Callback {
    /// A callback to a URL with a body template.
    pub fn new(url: impl Into<String>, body: impl Into<String>) -> Self {
        Self { url: url.into(), body: body.into(), host: None, body_type: None, sni: None }
    }
}

impl Text for Callback {
    const EXPECTED: &'static str = "base64 of the callback's JSON";

    fn text(&self) -> Result<Cow<'_, str>, InvalidValue> {
        let mut members = alloc::vec![("callbackUrl", json_string(&self.url))];
        members.extend(self.host.as_deref().map(|host| ("callbackHost", json_string(host))));
        members.push(("callbackBody", json_string(&self.body)));
        members.extend(self.body_type.as_deref().map(|kind| ("callbackBodyType", json_string(kind))));
        members.extend(self.sni.map(|sni| ("callbackSNI", sni.to_string())));
        Ok(Cow::Owned(json_base64(members.iter().map(|(name, value)| (*name, value.as_str())))))
    }

    // OSS never sends one back.
    fn parse(_: &str) -> Option<Self> {
        None
    }
}
text_element!(Callback);

/// The application's own variables of a callback: names begin with `x:` and are in lower case.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct CallbackVars(BTreeMap<String, String>);

impl CallbackVars {
    /// Adds a variable: `with("x:user", "alice")`.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.0.insert(name.into(), value.into());
        self
    }
}

impl Text for CallbackVars {
    const EXPECTED: &'static str = "base64 of the variables' JSON";

    fn text(&self) -> Result<Cow<'_, str>, InvalidValue> {
        for name in self.0.keys() {
            if !name.starts_with("x:") || name.chars().any(|c| c.is_ascii_uppercase()) {
                return Err(InvalidValue::new(format!(
                    "the variable {name:?} must begin with `x:`, in lower case"
                )));
            }
        }
        let members: alloc::vec::Vec<_> =
            self.0.iter().map(|(name, value)| (name, json_string(value))).collect();
        Ok(Cow::Owned(json_base64(members.iter().map(|(name, value)| (name.as_str(), value.as_str())))))
    }

    fn parse(_: &str) -> Option<Self> {
        None
    }
}
text_element!(CallbackVars);

fn json_base64<'a>(members: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let mut json = String::from("{");
    for (i, (name, value)) in members.enumerate() {
        json.push_str(if i == 0 { "" } else { "," });
        json.push_str(&json_string(name));
        json.push(':');
        json.push_str(value);
    }
    json.push('}');
    Base64::encode_string(json.as_bytes())
}

fn json_string(text: &str) -> String {
    let mut json = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => json.push_str("\\\""),
            '\\' => json.push_str("\\\\"),
            c if c.is_control() => json.push_str(&format!("\\u{:04x}", c as u32)),
            c => json.push(c),
        }
    }
    json.push('"');
    json
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn b29_a_callback_is_encoded_by_us() {
        let callback = Callback::new("https://app.example.com/cb", "object=${object}&q=\"x\"\n");
        let json = Base64::decode_vec(&callback.text().unwrap()).unwrap();
        assert_eq!(
            core::str::from_utf8(&json).unwrap(),
            r#"{"callbackUrl":"https://app.example.com/cb","callbackBody":"object=${object}&q=\"x\"\u000a"}"#
        );
        assert!(CallbackVars::default().with("user", "a").text().is_err());
        assert!(CallbackVars::default().with("x:user", "a").text().is_ok());
    }
}
