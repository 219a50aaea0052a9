//! What can be wrong with a name or an endpoint.

use alloc::string::String;
use core::convert::Infallible;
use core::fmt;

use crate::catalogue::{FinanceNetwork, RegionEntry};
use crate::kind::Kind;

/// A region, bucket, key, endpoint or configuration that cannot be used.
///
/// Nothing has been sent when it appears. Each message names the value and the fix. A value is cut after 80
/// characters, and what could be a secret in an endpoint (the part before `@`, the query) is left out of
/// it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EndpointError {
    /// The text is no region id.
    Region {
        /// The text.
        value: String,
        /// What to do about it.
        reason: &'static str,
    },
    /// The text is no name of a bucket.
    Bucket {
        /// The text.
        value: String,
        /// What to do about it.
        reason: &'static str,
    },
    /// The text is no id of a cloud box.
    CloudBox {
        /// The text.
        value: String,
        /// What to do about it.
        reason: &'static str,
    },
    /// The configuration has a cloud box and no endpoint. The hosts of a cloud box follow from no region.
    CloudBoxEndpoint {
        /// The id of the cloud box.
        id: String,
    },
    /// The text is no object key.
    Key {
        /// The text.
        value: String,
        /// What to do about it.
        reason: &'static str,
    },
    /// The endpoint has a scheme other than `http` and `https`.
    Scheme {
        /// The endpoint.
        value: String,
    },
    /// The endpoint carries a user or a password.
    UserInfo {
        /// The endpoint, without them.
        value: String,
    },
    /// The endpoint carries a path, a query or a fragment.
    Path {
        /// The endpoint.
        value: String,
    },
    /// The port of the endpoint is not a number from 1 to 65535.
    Port {
        /// The endpoint.
        value: String,
    },
    /// The host of the endpoint is neither a name nor an address.
    Host {
        /// The endpoint.
        value: String,
        /// What to do about it.
        reason: &'static str,
    },
    /// The configuration has neither a region nor an endpoint.
    Missing,
    /// The configuration has two switches that exclude each other.
    Conflict {
        /// The name of one switch.
        first: &'static str,
        /// The name of the other.
        second: &'static str,
    },
    /// The [catalogue](crate::RegionEntry) has no host of this kind for the region. If the region has got one
    /// since, [`EndpointOptions::allow_unlisted_host`](crate::EndpointOptions::allow_unlisted_host) takes it.
    NoHost {
        /// The id of the region.
        region: &'static str,
        /// The kind of host that was asked for.
        kind: Kind,
        /// The network of the finance cloud that was asked for.
        network: Option<FinanceNetwork>,
    },
}

impl fmt::Display for EndpointError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Region { value, reason } => write!(f, "invalid region {value:?}: {reason}"),
            Self::Bucket { value, reason } => write!(f, "invalid bucket name {value:?}: {reason}"),
            Self::CloudBox { value, reason } => write!(f, "invalid cloud box id {value:?}: {reason}"),
            Self::CloudBoxEndpoint { id } => write!(
                f,
                "cloud box `{id}` has hosts of its own: set `endpoint`, as in \
                 `{id}.cn-hangzhou.oss-cloudbox.aliyuncs.com`"
            ),
            Self::Key { value, reason } => write!(f, "invalid object key {value:?}: {reason}"),
            Self::Scheme { value } => {
                write!(f, "invalid endpoint {value:?}: start it with `https://` or `http://`")
            }
            Self::UserInfo { value } => {
                write!(f, "invalid endpoint {value:?}: remove the user and the password before `@`")
            }
            Self::Path { value } => {
                write!(f, "invalid endpoint {value:?}: remove what follows the host and the port")
            }
            Self::Port { value } => {
                write!(f, "invalid endpoint {value:?}: use a port from 1 to 65535, without leading zeros")
            }
            Self::Host { value, reason } => write!(f, "invalid endpoint {value:?}: {reason}"),
            Self::Missing => f.write_str("no endpoint: set `region`, as in `cn-hangzhou`, or set `endpoint`"),
            Self::Conflict { first, second } => {
                write!(f, "`{first}` and `{second}` exclude each other: unset one of them")
            }
            Self::NoHost { region, kind, network } => no_host(f, region, *kind, *network),
        }
    }
}

fn no_host(
    f: &mut fmt::Formatter<'_>,
    region: &str,
    kind: Kind,
    network: Option<FinanceNetwork>,
) -> fmt::Result {
    let network = match network {
        None => "",
        Some(FinanceNetwork::Private) => " in the private finance network",
        Some(FinanceNetwork::Public) => " in the public finance network",
    };
    let as_of = RegionEntry::AS_OF;
    write!(f, "region `{region}` has no {kind} host{network}, as of {as_of}: ")?;
    f.write_str("choose a kind of host that it has, or set `endpoint`")
}

impl core::error::Error for EndpointError {}

/// Lets a parameter of type `impl TryInto<BucketName>` take a `BucketName`, which cannot fail.
impl From<Infallible> for EndpointError {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

/// The part of a value that a message shows.
pub(crate) fn shown(value: &str) -> String {
    match value.char_indices().nth(SHOWN_CHARS_MAX) {
        None => String::from(value),
        Some((end, _)) => {
            let mut shown = String::from(&value[..end]);
            shown.push('…');
            shown
        }
    }
}

/// The part of an endpoint that a message shows: no user, no password, no query.
pub(crate) fn shown_endpoint(value: &str) -> String {
    // The last `@` and not the first: a password may hold one.
    let (hidden, rest) = match value.rsplit_once('@') {
        Some((_, rest)) => ("***@", rest),
        None => ("", value),
    };
    let mut text = String::from(hidden);
    match rest.find(['?', '#']) {
        Some(end) => {
            text.push_str(&rest[..=end]);
            text.push('…');
        }
        None => text.push_str(rest),
    }
    shown(&text)
}

const SHOWN_CHARS_MAX: usize = 80;

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    #[test]
    fn a_long_value_is_cut_between_characters() {
        assert_eq!(shown(&"钥".repeat(80)), "钥".repeat(80));
        assert_eq!(shown(&"钥".repeat(81)), "钥".repeat(80) + "…");
    }

    #[test]
    fn an_endpoint_is_shown_without_what_could_be_secret() {
        let cases = [
            ("https://example.com/sub", "https://example.com/sub"),
            ("https://user:pass@example.com", "***@example.com"),
            ("https://user:p@ss?x@example.com", "***@example.com"),
            ("https://example.com/?Signature=abc", "https://example.com/?…"),
            ("https://example.com#abc", "https://example.com#…"),
        ];
        for (value, expected) in cases {
            assert_eq!(shown_endpoint(value), expected);
        }
    }

    #[test]
    fn configuration_errors_name_the_switches() {
        assert_eq!(
            EndpointError::Missing.to_string(),
            "no endpoint: set `region`, as in `cn-hangzhou`, or set `endpoint`"
        );
        assert_eq!(
            EndpointError::Conflict { first: "use_cname", second: "use_path_style" }.to_string(),
            "`use_cname` and `use_path_style` exclude each other: unset one of them"
        );
    }

    #[test]
    fn a_missing_host_is_named_with_region_kind_and_date() {
        let error = |kind, network| EndpointError::NoHost { region: "cn-x", kind, network };
        let fix = "choose a kind of host that it has, or set `endpoint`";
        assert_eq!(
            error(Kind::DualStack, None).to_string(),
            alloc::format!("region `cn-x` has no dual-stack host, as of 2026-11-21: {fix}")
        );
        let private = "region `cn-x` has no public host in the private finance network, as of 2026-11-21";
        assert_eq!(
            error(Kind::Public, Some(FinanceNetwork::Private)).to_string(),
            alloc::format!("{private}: {fix}")
        );
    }
}
