//! The parameters of a call, from the query and from the body.

use alloc::borrow::ToOwned;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use http::header::CONTENT_TYPE;
use percent_encoding::percent_decode_str;

use crate::json::{self, Value};
use crate::sts::speech::{Format, Refusal};
use crate::sts::{Call, FORM};

/// Decoded pairs in the order in which they came, and where action, version and token were said.
pub(crate) struct Parameters {
    pairs: Vec<(String, String)>,
    pub(crate) is_acs3: bool,
    action: Option<String>,
    version: Option<String>,
}

impl Parameters {
    pub(crate) fn of(call: &Call) -> Result<Self, Refusal> {
        let is_acs3 = call.is_acs3();
        let mut pairs = decoded(&call.query);
        pairs.extend(of_body(call, is_acs3)?);
        let mut parameters = Self { pairs, is_acs3, action: None, version: None };
        // RPC says these in parameters, ACS3 in headers.
        let said = |header: &str, name: &str| match is_acs3 {
            true => call.header(header),
            false => parameters.value(name).map(ToOwned::to_owned),
        };
        let (action, version) = (said("x-acs-action", "Action"), said("x-acs-version", "Version"));
        (parameters.action, parameters.version) = (action, version);
        Ok(parameters)
    }

    /// All pairs, decoded, as they came.
    pub(crate) fn pairs(&self) -> &[(String, String)] {
        &self.pairs
    }

    pub(crate) fn value(&self, name: &str) -> Option<&str> {
        let value = self.pairs.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str());
        value.filter(|value| !value.is_empty())
    }

    /// A parameter that must be there: `Missing<name>` otherwise.
    pub(crate) fn required(&self, name: &'static str) -> Result<&str, Refusal> {
        self.value(name).ok_or_else(|| Refusal::missing(name))
    }

    pub(crate) fn action(&self) -> Result<&str, Refusal> {
        self.action.as_deref().ok_or_else(|| Refusal::missing("Action"))
    }

    pub(crate) fn version(&self) -> Result<&str, Refusal> {
        self.version.as_deref().ok_or_else(|| Refusal::missing("Version"))
    }

    /// RPC answers in XML unless it is asked for JSON (page "Common parameters"); ACS3 answers in JSON.
    pub(crate) fn format(&self) -> Format {
        match self.value("Format") {
            Some(format) if format.eq_ignore_ascii_case("json") => Format::Json,
            Some(format) if format.eq_ignore_ascii_case("xml") => Format::Xml,
            None if self.is_acs3 => Format::Json,
            _ => Format::Xml,
        }
    }
}

fn of_body(call: &Call, is_acs3: bool) -> Result<Vec<(String, String)>, Refusal> {
    if call.is_too_long {
        return Err(Refusal::new(413, "RequestEntityTooLarge", "The request body is too long."));
    }
    if call.body.is_empty() {
        return Ok(Vec::new());
    }
    let refused = || {
        let why = "The content type must be application/x-www-form-urlencoded or application/json.";
        Refusal::new(400, "InvalidParameter.ContentType", why)
    };
    let text = core::str::from_utf8(&call.body).map_err(|_| refused())?;
    let kind = call.header(CONTENT_TYPE.as_str()).unwrap_or_default().to_ascii_lowercase();
    if kind.starts_with(FORM) {
        return Ok(decoded(text));
    }
    // A JSON body is not part of what RPC signs, so only ACS3 may bring one.
    if !kind.starts_with("application/json") || !is_acs3 {
        return Err(refused());
    }
    let value = json::parse(text).map_err(|_| refused())?;
    let members = value.as_object().ok_or_else(refused)?;
    let plain = |value: &Value| match value {
        Value::String(text) | Value::Number(text) => Some(text.clone()),
        Value::Bool(is_true) => Some(is_true.to_string()),
        _ => None,
    };
    Ok(members.iter().filter_map(|(name, value)| Some((name.clone(), plain(value)?))).collect())
}

/// The pairs of a query or a form; `+` is a space.
pub(crate) fn decoded(text: &str) -> Vec<(String, String)> {
    let decoded = |text: &str| {
        let text = text.replace('+', " ");
        percent_decode_str(&text).decode_utf8_lossy().into_owned()
    };
    let pairs = text.split('&').filter(|pair| !pair.is_empty());
    let pairs = pairs.map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    pairs.map(|(name, value)| (decoded(name), decoded(value))).collect()
}
