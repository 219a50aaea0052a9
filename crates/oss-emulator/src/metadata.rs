//! The metadata service of an ECS instance, as far as it hands out the credentials of the instance's role
//! (documents "Access instance metadata" and "Instance RAM roles"), and the credentials URI.

use alloc::borrow::ToOwned;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};
use core::fmt;
use core::time::Duration;

use http::Method;
use http::header::AUTHORIZATION;
use http::request::Parts;
use percent_encoding::percent_decode_str;

use crate::address::{is_path_style, without_port};
use crate::config::Config;
use crate::json::quoted;
use crate::peers::{Desk, Issued, Session, header};
use crate::reply::{Reply, plain};
use crate::request::host;
use crate::time::iso_seconds;

/// How the metadata service answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum MetadataMode {
    /// Hardened (`HttpTokens=required`): a GET without a token is answered with 403.
    #[default]
    Hardened,
    /// A GET is answered with and without a token; a wrong token is still 401.
    Normal,
    /// A service from before tokens: PUT is answered with this status (404 or 405), tokens are ignored.
    V1Only {
        /// What a PUT gets.
        put_status: u16,
    },
    /// Switched off (`HttpEndpoint=disabled`): 404 for everything. The documents do not name the status.
    Off,
    /// Too many calls: 429 for everything.
    Throttled,
    /// Out of order: every request is answered with this status (100 to 999, 404 for any other number).
    Failing {
        /// What every request gets.
        status: u16,
    },
}

/// What the service keeps between calls.
#[derive(Clone, Default)]
pub(crate) struct State {
    /// Tokens, and when they expire.
    tokens: BTreeMap<String, Duration>,
    /// The newest credentials of a role.
    current: BTreeMap<String, Issued>,
}

impl State {
    /// New credentials are made at the next read; the old ones stay valid.
    pub(crate) fn renew(&mut self) {
        self.current.clear();
    }
}

impl fmt::Debug for State {
    /// Without the tokens.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "State({} tokens, {:?})", self.tokens.len(), self.current)
    }
}

/// Whether a request is one to the metadata service or to the credentials URI. A bucket may be called
/// `latest`: what is signed goes to OSS.
pub(crate) fn takes(head: &Parts, config: &Config) -> bool {
    let (host, path) = (host(head), head.uri.path());
    if is_signed(head) {
        return false;
    }
    let is_ours = is_path_style(&host, config);
    let is_metadata = without_port(&host) == ADDRESS
        || (is_ours && (path.starts_with("/latest/api/") || path.starts_with("/latest/meta-data/")));
    (config.peers.metadata.is_some() && is_metadata) || (is_ours && is_credentials_uri(head, config))
}

fn is_signed(head: &Parts) -> bool {
    let query = head.uri.query().unwrap_or("");
    let mut names = query.split('&').filter_map(|pair| pair.split('=').next());
    head.headers.contains_key(AUTHORIZATION)
        || names.any(|name| name == "Signature" || name == "x-oss-signature")
}

pub(crate) fn answer(head: &Parts, desk: &mut Desk<'_>) -> Reply {
    let now = desk.now;
    if is_credentials_uri(head, desk.config) {
        desk.state.counters.credentials_uri += 1;
        let issued = desk.current("credentials-uri", URI_LIFETIME);
        return plain(200, JSON, &[], document(&issued, None), now);
    }
    match page(head, desk) {
        Ok((kind, text)) => plain(200, kind, &[], text, now),
        Err((status, why)) => {
            desk.state.counters.metadata_refused += 1;
            let text = format!("<!DOCTYPE html>\n<html><body><h1>{status} {why}</h1></body></html>\n");
            plain(status, "text/html", &[], text, now)
        }
    }
}

fn is_credentials_uri(head: &Parts, config: &Config) -> bool {
    head.method == Method::GET && config.peers.credentials_path.as_deref() == Some(head.uri.path())
}

type Page = Result<(&'static str, String), (u16, &'static str)>;

fn page(head: &Parts, desk: &mut Desk<'_>) -> Page {
    let mode = desk.config.peers.metadata.unwrap_or(MetadataMode::Off);
    match mode {
        MetadataMode::Off => return Err(NOT_FOUND),
        MetadataMode::Throttled => return Err((429, "Too Many Requests")),
        MetadataMode::Failing { status } => return Err((status, "Failed")),
        _ => {}
    }
    if head.uri.path() == "/latest/api/token" {
        return token(head, mode, desk);
    }
    if head.method != Method::GET {
        return Err((405, "Method Not Allowed"));
    }
    check_token(head, mode, desk)?;
    let path = head.uri.path();
    let asked = path.strip_prefix(ROLES).map(|rest| rest.strip_prefix('/').unwrap_or(rest));
    let role = desk.config.peers.ecs_role.clone();
    let (Some(asked), Some(role)) = (asked, role) else {
        return Err(NOT_FOUND);
    };
    if asked.is_empty() {
        desk.state.counters.metadata_role_names += 1;
        return Ok(("text/plain", role));
    }
    if percent_decode_str(asked).decode_utf8_lossy() != role {
        return Err(NOT_FOUND);
    }
    desk.state.counters.metadata_credentials += 1;
    let lifetime = desk.config.peers.ecs_lifetime;
    let issued = desk.current(&role, lifetime);
    Ok((JSON, document(&issued, Some(issued.issued_at))))
}

/// `PUT /latest/api/token`.
fn token(head: &Parts, mode: MetadataMode, desk: &mut Desk<'_>) -> Page {
    if head.method != Method::PUT {
        return Err((405, "Method Not Allowed"));
    }
    if let MetadataMode::V1Only { put_status } = mode {
        return Err((put_status, "Not Supported"));
    }
    // A proxy that forwards for others must not get one.
    if head.headers.contains_key("x-forwarded-for") {
        return Err((403, "Forbidden"));
    }
    let lifetime = header(&head.headers, TTL_HEADER).and_then(|text| text.parse().ok());
    let Some(lifetime) = lifetime.filter(|seconds| (1..=TTL_SECS_MAX).contains(seconds)) else {
        return Err((400, "Missing or Invalid Parameters"));
    };
    let token = desk.ids.metadata_token();
    let now = desk.now;
    desk.state.metadata.tokens.retain(|_, expires_at| *expires_at > now);
    desk.state.metadata.tokens.insert(token.clone(), now.saturating_add(Duration::from_secs(lifetime)));
    desk.state.counters.metadata_tokens += 1;
    Ok(("text/plain", token))
}

fn check_token(head: &Parts, mode: MetadataMode, desk: &Desk<'_>) -> Result<(), (u16, &'static str)> {
    if matches!(mode, MetadataMode::V1Only { .. }) {
        return Ok(());
    }
    let Some(token) = header(&head.headers, TOKEN_HEADER) else {
        return if mode == MetadataMode::Normal { Ok(()) } else { Err((403, "Forbidden")) };
    };
    match desk.state.metadata.tokens.get(&token) {
        Some(expires_at) if desk.now < *expires_at => Ok(()),
        _ => Err((401, "Unauthorized")),
    }
}

impl Desk<'_> {
    /// The newest credentials of a role; new ones in the last 30 minutes of the old ones, which stay valid.
    fn current(&mut self, role: &str, lifetime: Duration) -> Issued {
        let overlap = OVERLAP.min(lifetime / 2);
        let current = self.state.metadata.current.get(role);
        if let Some(issued) = current.filter(|issued| self.now.saturating_add(overlap) < issued.expires_at) {
            return issued.clone();
        }
        let arn = format!("acs:ram::{}:role/{}", self.config.owner_id, role.to_ascii_lowercase());
        let issued = self.issue(Session { role_arn: arn, name: INSTANCE.to_owned() }, lifetime);
        self.state.metadata.current.insert(role.to_string(), issued.clone());
        issued
    }
}

fn document(issued: &Issued, updated_at: Option<Duration>) -> String {
    let updated = updated_at.map(|time| format!("  \"LastUpdated\" : {},\n", quoted(&iso_seconds(time))));
    format!(
        "{{\n  \"AccessKeyId\" : {},\n  \"AccessKeySecret\" : {},\n  \"Expiration\" : {},\n  \
         \"SecurityToken\" : {},\n{}  \"Code\" : \"Success\"\n}}",
        quoted(&issued.id),
        quoted(&issued.secret),
        quoted(&iso_seconds(issued.expires_at)),
        quoted(&issued.token),
        updated.unwrap_or_default(),
    )
}

/// Both printed samples of the documents show 6 hours.
pub(crate) const LIFETIME: Duration = Duration::from_secs(6 * 3600);
/// "A new credential appears 30 minutes before the old one expires."
const OVERLAP: Duration = Duration::from_secs(30 * 60);
const URI_LIFETIME: Duration = Duration::from_secs(3600);
const TTL_SECS_MAX: u64 = 21_600;
const ADDRESS: &str = "100.100.100.200";
const INSTANCE: &str = "i-emulator";
const ROLES: &str = "/latest/meta-data/ram/security-credentials";
const TOKEN_HEADER: &str = "x-aliyun-ecs-metadata-token";
const TTL_HEADER: &str = "x-aliyun-ecs-metadata-token-ttl-seconds";
const JSON: &str = "application/json";
const NOT_FOUND: (u16, &str) = (404, "Not Found");
