//! Requests to STS, and what its answers mean.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use oss_sign::{AccessKey, Acs3Call, RpcCall, UnixTime};

use crate::lookup::Place;
use crate::search::{Context, Turn};
use crate::source::read;
use crate::{Answer, CredentialError, HttpAnswer, HttpLookup, Secret, SourceName};

/// Where STS is asked.
///
/// The vendor recommends the host of the region where the program runs, and in a VPC the one that is inside.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum StsEndpoint {
    /// `sts.aliyuncs.com`.
    #[default]
    Central,
    /// The public host of a region: `sts.cn-hangzhou.aliyuncs.com`. Regions that have none of their own are
    /// served by the central host.
    Region(String),
    /// The host of a region that is reached from inside a VPC: `sts-vpc.cn-hangzhou.aliyuncs.com`.
    Vpc(String),
    /// This host over TLS, with `:port` where that is not 443.
    Host(String),
    /// This host in the clear, where anyone on the way reads the credentials: for an emulator.
    InsecureHttp(String),
}

impl StsEndpoint {
    /// The public host of a region, such as `cn-hangzhou`.
    pub fn region(id: impl Into<String>) -> Self {
        Self::Region(id.into())
    }

    /// The host of a region that is reached from inside a VPC.
    pub fn vpc(id: impl Into<String>) -> Self {
        Self::Vpc(id.into())
    }

    /// This host over TLS.
    pub fn host(host: impl Into<String>) -> Self {
        Self::Host(host.into())
    }

    /// What a configuration says: a host wins over a region, and a region is reached from inside a VPC or
    /// not.
    pub(crate) fn configured(host: Option<&str>, region: Option<&str>, is_vpc: bool) -> Self {
        match (host, region) {
            // An `http://` stays in the name of the host, where it is refused.
            (Some(host), _) => Self::host(host.strip_prefix("https://").unwrap_or(host)),
            (None, Some(region)) if is_vpc => Self::vpc(region),
            (None, Some(region)) => Self::region(region),
            (None, None) => Self::Central,
        }
    }

    pub(crate) fn place(&self, source: SourceName) -> Result<Place, CredentialError> {
        let refuse = |problem| Err(CredentialError::Setting { source, name: "the STS endpoint", problem });
        let authority = match self {
            Self::Central => String::from(CENTRAL),
            Self::Region(id) | Self::Vpc(id) if !is_region(id) => {
                return refuse("has a region that is no id: write it as in cn-hangzhou");
            }
            Self::Region(id) if AT_THE_CENTRE.contains(&id.as_str()) => String::from(CENTRAL),
            Self::Region(id) if !INSIDE_ONLY.contains(&id.as_str()) => format!("sts.{id}.aliyuncs.com"),
            Self::Region(id) | Self::Vpc(id) => format!("sts-vpc.{id}.aliyuncs.com"),
            Self::Host(host) | Self::InsecureHttp(host) if !is_authority(host) => {
                return refuse(
                    "is no host: write it without a scheme (https is spoken) and without a path, \
                     and allow http in the program if it must be",
                );
            }
            Self::Host(host) | Self::InsecureHttp(host) => host.clone(),
        };
        Ok(Place { is_https: !matches!(self, Self::InsecureHttp(_)), authority, is_metadata: false })
    }
}

/// How a request to STS is signed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum StsSignature {
    /// RPC 1.0, HMAC-SHA1, which the vendor's own libraries use for STS.
    #[default]
    Rpc,
    /// `ACS3-HMAC-SHA256`.
    Acs3,
}

/// A call to STS that is to become a request.
pub(crate) struct StsCall<'a> {
    pub(crate) place: Place,
    pub(crate) action: &'static str,
    pub(crate) parameters: Vec<(&'static str, &'a str)>,
}

impl StsCall<'_> {
    pub(crate) fn sign(
        self,
        key: &AccessKey<'_>,
        how: StsSignature,
        context: &mut Context<'_>,
    ) -> HttpLookup {
        let nonce = format!("{:032x}", context.stamps.nonce());
        let time = sts_time(context);
        let (action, version) = (self.action, VERSION);
        match how {
            StsSignature::Rpc => {
                let parameters = &self.parameters;
                let call = RpcCall { method: "POST", action, version, parameters, nonce: &nonce, time };
                // The token and the signature are among these.
                let added: Vec<_> =
                    call.sign(key).into_iter().map(|(name, value)| (name, Secret::from(value))).collect();
                let added = added.iter().map(|(name, value)| (*name, value.expose()));
                post_form(self.place, &parameters.iter().copied().chain(added).collect::<Vec<_>>())
            }
            StsSignature::Acs3 => {
                let call = Acs3Call {
                    method: "POST",
                    host: &self.place.authority,
                    path: "/",
                    query: &self.parameters,
                    content_type: None,
                    body: b"",
                    action,
                    version,
                    nonce: &nonce,
                    time,
                };
                let signed = call.sign(key).into_iter().map(|(name, value)| (name, Secret::from(value)));
                let headers = signed.chain([("accept", Secret::from("application/json"))]).collect();
                let query = form(&self.parameters);
                let target = Secret::concat(&["/?", query.expose()]);
                HttpLookup { headers, ..HttpLookup::new("POST", self.place, target) }
            }
        }
    }

    /// A request of a caller without an AccessKey.
    pub(crate) fn unsigned(self, context: &mut Context<'_>) -> HttpLookup {
        let nonce = format!("{:032x}", context.stamps.nonce());
        let time = sts_time(context).iso_extended();
        let common = [
            ("Action", self.action),
            ("Version", VERSION),
            ("Format", "JSON"),
            ("SignatureNonce", nonce.as_str()),
            ("Timestamp", time.as_str()),
        ];
        post_form(self.place, &self.parameters.into_iter().chain(common).collect::<Vec<_>>())
    }
}

/// How often STS was asked in one lookup, and why again.
#[derive(Debug, Default)]
pub(crate) struct Attempts {
    failed: u8,
    is_clock_corrected: bool,
}

impl Attempts {
    /// Judges an answer: credentials, the same question once more, or the end.
    ///
    /// A fault of the service or of the way to it is worth three tries, a wrong clock one more; throttling
    /// and refusals none, for the cache asks again later.
    pub(crate) fn judge(&mut self, source: SourceName, answer: Answer, context: &mut Context<'_>) -> Turn {
        let answer = match answer {
            Answer::Http(answer) => answer,
            Answer::Unreachable | Answer::Unavailable if self.may_repeat() => return Turn::Ask,
            other => return read::no_answer(source, other),
        };
        let object = read::object(source, &answer.body, crate::lookup::ANSWER_BYTES_MAX);
        if answer.status == 200 {
            let found = object.and_then(|object| {
                let missing = CredentialError::Missing { source, name: "Credentials" };
                read::temporary(source, object.object("Credentials").ok_or(missing)?, read::NAMES)
            });
            return found.map_or_else(Turn::Broken, Turn::found);
        }
        let code = object.ok().and_then(|object| object.text("Code").and_then(|code| code_of(code.expose())));
        let known = code.as_deref().unwrap_or_default();
        let is_throttled = known.starts_with("Throttling");
        if is_clock_wrong(known) && self.correct_clock(&answer, context)
            || (answer.status >= 500 || known == "SignatureNonceUsed") && !is_throttled && self.may_repeat()
        {
            return Turn::Ask;
        }
        Turn::Broken(CredentialError::Refused { source, status: answer.status, code })
    }

    fn may_repeat(&mut self) -> bool {
        self.failed = self.failed.saturating_add(1);
        self.failed < TRIES_MAX
    }

    /// Sets our clock for STS by its own, once; whether that may help.
    fn correct_clock(&mut self, answer: &HttpAnswer, context: &mut Context<'_>) -> bool {
        let ahead = answer.seconds_ahead(context.wall);
        let Some(ahead) = ahead.filter(|_| !self.is_clock_corrected) else {
            return false;
        };
        self.is_clock_corrected = true;
        context.stamps.ahead = ahead;
        true
    }
}

fn sts_time(context: &Context<'_>) -> UnixTime {
    context.wall.saturating_add(context.stamps.ahead)
}

/// Sends all parameters in the body, where no log of URLs has them.
fn post_form(place: Place, parameters: &[(&str, &str)]) -> HttpLookup {
    let content_type = ("content-type", Secret::from("application/x-www-form-urlencoded"));
    HttpLookup {
        headers: Vec::from([content_type, ("accept", Secret::from("application/json"))]),
        body: form(parameters),
        ..HttpLookup::new("POST", place, Secret::from("/"))
    }
}

/// `name=value&…`, RFC 3986: everything but letters, digits and `-_.~` is encoded.
fn form(parameters: &[(&str, &str)]) -> Secret {
    let room = parameters.iter().map(|(name, value)| 3 * (name.len() + value.len()) + 2).sum();
    let mut text = String::with_capacity(room);
    for (name, value) in parameters {
        if !text.is_empty() {
            text.push('&');
        }
        push_encoded(&mut text, name);
        text.push('=');
        push_encoded(&mut text, value);
    }
    Secret::from(text)
}

fn push_encoded(text: &mut String, value: &str) {
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            text.push(char::from(byte));
        } else {
            let digit = |nibble: u8| char::from(b"0123456789ABCDEF"[usize::from(nibble & 15)]);
            text.extend(['%', digit(byte >> 4), digit(byte)]);
        }
    }
}

/// An error code, if it looks like one: what else stands there may be anything.
fn code_of(text: &str) -> Option<String> {
    let is_code = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    (text.len() <= CODE_BYTES_MAX && text.bytes().all(is_code)).then(|| String::from(text))
}

fn is_clock_wrong(code: &str) -> bool {
    let code = code.to_ascii_lowercase();
    code.starts_with("invalidtimestamp") || code.starts_with("illegaltimestamp")
}

fn is_region(id: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=63).contains(&id.len()) && id.bytes().all(is_plain) && !id.starts_with('-') && !id.ends_with('-')
}

/// A name or an IPv4 address, with a port or without.
pub(crate) fn is_authority(text: &str) -> bool {
    let (host, port) = text.split_once(':').map_or((text, "443"), |(host, port)| (host, port));
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-".contains(&byte);
    let is_port = !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
    (1..=253).contains(&host.len())
        && host.bytes().all(is_plain)
        && !host.starts_with(['.', '-'])
        && is_port
        && port.parse::<u16>().is_ok_and(|port| port > 0)
}

const CENTRAL: &str = "sts.aliyuncs.com";
const VERSION: &str = "2015-04-01";
/// Regions that the vendor's generated client sends to the central host.
const AT_THE_CENTRE: [&str; 5] =
    ["cn-hangzhou-finance", "cn-beijing-finance-1", "cn-beijing-gov-1", "cn-fujian", "cn-wuhan"];
/// Regions that it sends to the inner host in any case.
const INSIDE_ONLY: [&str; 2] = ["cn-north-2-gov-1", "cn-shenzhen-finance-1"];
const TRIES_MAX: u8 = 3;
const CODE_BYTES_MAX: usize = 96;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints_are_hosts_and_nothing_else() {
        let host = |endpoint: StsEndpoint| {
            endpoint.place(SourceName::RamRole).map(|place| (place.is_https, place.authority)).ok()
        };
        let https = |name: &str| Some((true, String::from(name)));
        let table = [
            (StsEndpoint::Central, https("sts.aliyuncs.com")),
            (StsEndpoint::region("cn-hangzhou"), https("sts.cn-hangzhou.aliyuncs.com")),
            (StsEndpoint::region("cn-fujian"), https("sts.aliyuncs.com")),
            (StsEndpoint::region("cn-north-2-gov-1"), https("sts-vpc.cn-north-2-gov-1.aliyuncs.com")),
            (StsEndpoint::vpc("cn-hangzhou"), https("sts-vpc.cn-hangzhou.aliyuncs.com")),
            (StsEndpoint::host("sts.example.com:8443"), https("sts.example.com:8443")),
            (StsEndpoint::InsecureHttp("127.0.0.1:80".into()), Some((false, String::from("127.0.0.1:80")))),
            (StsEndpoint::configured(Some("https://a.b"), Some("r"), true), https("a.b")),
            (StsEndpoint::configured(None, Some("r"), true), https("sts-vpc.r.aliyuncs.com")),
            (StsEndpoint::configured(None, Some("r"), false), https("sts.r.aliyuncs.com")),
            (StsEndpoint::configured(None, None, true), https("sts.aliyuncs.com")),
        ];
        for (endpoint, expected) in table {
            assert_eq!(host(endpoint.clone()), expected, "{endpoint:?}");
        }
    }

    #[test]
    fn b66_an_endpoint_that_is_no_plain_host_is_refused() {
        let bad = [
            StsEndpoint::configured(Some("http://sts.aliyuncs.com"), None, false),
            StsEndpoint::host("a/b"),
            StsEndpoint::host("a@b"),
            StsEndpoint::host("a?b"),
            StsEndpoint::host("a:b"),
            StsEndpoint::host("a:"),
            StsEndpoint::host("a:0"),
            StsEndpoint::host("a:65536"),
            StsEndpoint::host("a b"),
            StsEndpoint::host("a\r\nb"),
            StsEndpoint::host(""),
            StsEndpoint::host(".a"),
            StsEndpoint::region("evil.com/"),
            StsEndpoint::region(""),
            StsEndpoint::vpc("a.b"),
            StsEndpoint::InsecureHttp("http://a".into()),
        ];
        let long = |length| is_authority(&"a".repeat(length));
        assert!(long(253) && !long(254));
        assert!(is_region(&"a".repeat(63)) && !is_region(&"a".repeat(64)));
        assert!(!is_region("-a") && !is_region("a-"));
        for endpoint in bad {
            let refused = endpoint.place(SourceName::RamRole);
            assert!(matches!(refused, Err(CredentialError::Setting { .. })), "{endpoint:?}");
        }
    }

    #[test]
    fn a_form_is_encoded_by_rfc_3986() {
        let form = form(&[("Policy", "a b*~/密+"), ("E", "")]);
        assert_eq!(form.expose(), "Policy=a%20b%2A~%2F%E5%AF%86%2B&E=");
    }
}
