//! A request head, parsed once: target, query, headers.

use alloc::borrow::ToOwned;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;
use core::ops::RangeInclusive;

use http::header::{CONTENT_LENGTH, HOST, TRANSFER_ENCODING};
use http::request::Parts;
use http::{HeaderMap, Method};
use percent_encoding::percent_decode_str;

use crate::address::Target;
use crate::config::Config;
use crate::fault::Fault;
use crate::xml::Encoding;

/// What every operation looks at.
#[derive(Clone)]
pub(crate) struct Request {
    pub(crate) method: Method,
    pub(crate) host: String,
    /// The path as it came, still encoded.
    pub(crate) path: String,
    pub(crate) target: Target,
    pub(crate) query: Query,
    pub(crate) headers: HeaderMap,
}

impl Request {
    pub(crate) fn parse(head: &Parts, config: &Config) -> Result<Self, Fault> {
        let host = host(head);
        Ok(Self {
            method: head.method.clone(),
            path: head.uri.path().to_owned(),
            target: Target::of(&host, head.uri.path(), config)?,
            query: Query::parse(head.uri.query().unwrap_or(""))?,
            headers: head.headers.clone(),
            host,
        })
    }

    /// The value of a header, trimmed; a value that is not UTF-8 counts as absent.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let value = self.headers.get(name)?;
        core::str::from_utf8(value.as_bytes()).ok().map(str::trim)
    }

    pub(crate) fn content_length(&self) -> Option<u64> {
        self.header(CONTENT_LENGTH.as_str())?.parse().ok()
    }

    /// An upload must say how long it is, or that it is chunked (411 otherwise).
    pub(crate) fn check_length(&self, max: u64) -> Result<(), Fault> {
        match self.content_length() {
            Some(length) if length > max => Err(Fault::entity_too_large(max)),
            Some(_) => Ok(()),
            None if self.headers.contains_key(TRANSFER_ENCODING) => Ok(()),
            None => Err(Fault::new(
                411,
                "MissingContentLength",
                "0017-00000101",
                "You must provide the Content-Length HTTP header.",
            )),
        }
    }

    /// A header that may only say `true` or `false`.
    pub(crate) fn forbids_overwrite(&self) -> Result<bool, Fault> {
        match self.header("x-oss-forbid-overwrite") {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(other) => {
                let why = "x-oss-forbid-overwrite must be true or false";
                Err(Fault::invalid_argument("x-oss-forbid-overwrite", other, "0017-00000279", why))
            }
        }
    }
}

impl fmt::Debug for Request {
    /// Without headers and query, which hold signatures and tokens.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Request({} {:?})", self.method, self.target)
    }
}

/// The host the client addressed, with its port: the authority of an absolute target, else `Host`.
pub(crate) fn host(head: &Parts) -> String {
    let header = || head.headers.get(HOST).and_then(|value| value.to_str().ok());
    match head.uri.authority() {
        Some(authority) => authority.as_str().to_owned(),
        None => header().unwrap_or("localhost").to_owned(),
    }
}

/// The decoded pairs of a query, in the order in which they came.
#[derive(Clone, Default)]
pub(crate) struct Query {
    pairs: Vec<(String, String)>,
    /// Which of the pairs came with an equals sign; the same in meaning, not in some signatures.
    has_equals: Vec<bool>,
}

impl Query {
    /// Decodes names and values once; `+` is a space, as in a form.
    pub(crate) fn parse(raw: &str) -> Result<Self, Fault> {
        let decoded = |text: &str| {
            let text = text.replace('+', " ");
            percent_decode_str(&text)
                .decode_utf8()
                .map(|text| text.to_string())
                .map_err(|_| Fault::invalid_argument("query", &text, "", "The query is not UTF-8."))
        };
        let mut query = Self::default();
        for pair in raw.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            query.pairs.push((decoded(name)?, decoded(value)?));
            query.has_equals.push(pair.contains('='));
        }
        Ok(query)
    }

    pub(crate) fn pairs(&self) -> &[(String, String)] {
        &self.pairs
    }

    /// The pairs, each with whether it came with an equals sign.
    pub(crate) fn pairs_as_sent(&self) -> impl Iterator<Item = (&str, &str, bool)> {
        let pairs = self.pairs.iter().zip(&self.has_equals);
        pairs.map(|((name, value), has_equals)| (name.as_str(), value.as_str(), *has_equals))
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.pairs.iter().any(|(other, _)| other == name)
    }

    pub(crate) fn value(&self, name: &str) -> Option<&str> {
        self.pairs.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }

    /// The value, or an empty text.
    pub(crate) fn text(&self, name: &str) -> &str {
        self.value(name).unwrap_or("")
    }

    /// A number inside `bounds`; `default` when the parameter is absent or empty.
    pub(crate) fn number(
        &self,
        name: &'static str,
        bounds: RangeInclusive<usize>,
        default: usize,
    ) -> Result<usize, Fault> {
        let text = self.text(name);
        if text.is_empty() {
            return Ok(default);
        }
        text.parse().ok().filter(|number| bounds.contains(number)).ok_or_else(|| {
            Fault::invalid_argument(name, text, "", "The number is not inside the documented range.")
        })
    }

    pub(crate) fn encoding(&self) -> Result<Encoding, Fault> {
        match self.text("encoding-type") {
            "" => Ok(Encoding::Plain),
            "url" => Ok(Encoding::Url),
            other => {
                let why = "Invalid Encoding Method specified in Request: only url exists.";
                Err(Fault::invalid_argument("encoding-type", other, "", why))
            }
        }
    }
}
