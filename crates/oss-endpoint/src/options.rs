//! From the switches of a configuration to one endpoint.

use alloc::string::String;
use core::fmt;

use crate::catalogue::FinanceNetwork;
use crate::cloud_box::CloudBoxId;
use crate::endpoint::{Addressing, Endpoint, Scheme};
use crate::error::{EndpointError, shown_endpoint};
use crate::kind::Kind;
use crate::region::Region;

/// The part of a client's configuration that decides where requests go, under the names of the OSS documents
/// ("Configure a client").
///
/// ```
/// use oss_endpoint::{EndpointOptions, Region};
///
/// let options = EndpointOptions {
///     region: Some(Region::parse("cn-hangzhou")?),
///     use_internal_endpoint: true,
///     ..EndpointOptions::default()
/// };
/// assert_eq!(options.resolve()?.to_string(), "https://oss-cn-hangzhou-internal.aliyuncs.com");
/// assert_eq!(options.warnings(), []);
/// # Ok::<(), oss_endpoint::EndpointError>(())
/// ```
///
/// A region of the finance cloud has two networks, each with hosts of its own, and a bucket is in one of
/// them. Where the choice is open, it falls on the private network and a warning names the other host:
///
/// ```
/// use oss_endpoint::{EndpointOptions, FinanceNetwork, Region};
///
/// let open = EndpointOptions {
///     region: Some(Region::parse("cn-hangzhou-finance")?),
///     use_internal_endpoint: true,
///     ..EndpointOptions::default()
/// };
/// assert_eq!(open.resolve()?.to_string(), "https://oss-cn-hzjbp-a-internal.aliyuncs.com");
/// let warning = open.warnings()[0].to_string();
/// assert!(warning.contains("oss-cn-hzfinance-internal.aliyuncs.com"), "{warning}");
///
/// let chosen = EndpointOptions { finance_network: Some(FinanceNetwork::Public), ..open };
/// assert_eq!(chosen.resolve()?.to_string(), "https://oss-cn-hzfinance-internal.aliyuncs.com");
/// assert_eq!(chosen.warnings(), []);
/// # Ok::<(), oss_endpoint::EndpointError>(())
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct EndpointOptions {
    /// The region. It names the host unless there is an `endpoint`.
    pub region: Option<Region>,
    /// The endpoint, see [`Endpoint::parse`]. An empty text counts as none.
    pub endpoint: Option<String>,
    /// The cloud box that `endpoint` is of. It has hosts of its own, so there must be an `endpoint`; see
    /// [`Endpoint::cloud_box_id`] for detecting it.
    pub cloud_box_id: Option<CloudBoxId>,
    /// Whether to use http. A scheme in `endpoint` beats it.
    pub disable_ssl: bool,
    /// Whether to use the host inside Alibaba Cloud. Without effect beside an `endpoint`, as the next three.
    pub use_internal_endpoint: bool,
    /// Whether to use the host with IPv4 and IPv6.
    pub use_dualstack_endpoint: bool,
    /// Whether to use the host of transfer acceleration.
    pub use_accelerate_endpoint: bool,
    /// Whether to use the host of transfer acceleration outside the Chinese mainland.
    pub use_accelerate_overseas_endpoint: bool,
    /// The network in which the bucket of a finance region is. Without effect beside an `endpoint`, and for
    /// other regions.
    pub finance_network: Option<FinanceNetwork>,
    /// Whether to use the formula where the catalogue has no host of the chosen kind, for a region that has
    /// got one since [`RegionEntry::AS_OF`](crate::RegionEntry::AS_OF). Without effect in the finance cloud,
    /// whose hosts follow no formula.
    pub allow_unlisted_host: bool,
    /// Whether to name the bucket in the path.
    pub use_path_style: bool,
    /// Whether `endpoint` is a domain that is bound to the bucket.
    pub use_cname: bool,
}

impl EndpointOptions {
    /// Decides on the endpoint: the explicit one, else the host of the chosen kind for the region.
    ///
    /// # Errors
    ///
    /// [`EndpointError::Conflict`] for `use_cname` with `use_path_style`, and for two kinds of hosts
    /// without an `endpoint`; [`EndpointError::CloudBoxEndpoint`] for a cloud box without an `endpoint`;
    /// [`EndpointError::Missing`] without region and endpoint;
    /// [`EndpointError::NoHost`] for a kind of host that the region does not have; those of
    /// [`Endpoint::parse`].
    pub fn resolve(&self) -> Result<Endpoint, EndpointError> {
        let addressing = self.addressing()?;
        let scheme = if self.disable_ssl { Scheme::Http } else { Scheme::Https };
        let endpoint = match (self.explicit(), &self.cloud_box_id, &self.region) {
            (Some(text), ..) => Endpoint::parse_or(text, scheme)?,
            (None, Some(id), _) => return Err(EndpointError::CloudBoxEndpoint { id: id.as_str().into() }),
            (None, None, Some(region)) => {
                let host = self.kind()?.host(region, self.finance_network, self.allow_unlisted_host)?;
                Endpoint::known(host).with_scheme(scheme)
            }
            (None, None, None) => return Err(EndpointError::Missing),
        };
        Ok(endpoint.with_addressing(addressing))
    }

    pub(crate) fn explicit(&self) -> Option<&str> {
        self.endpoint.as_deref().filter(|text| !text.is_empty())
    }

    fn addressing(&self) -> Result<Addressing, EndpointError> {
        match (self.use_cname, self.use_path_style) {
            (true, true) => Err(EndpointError::Conflict { first: "use_cname", second: "use_path_style" }),
            (true, false) => Ok(Addressing::Cname),
            (false, true) => Ok(Addressing::Path),
            (false, false) => Ok(Addressing::VirtualHosted),
        }
    }

    pub(crate) fn kind(&self) -> Result<Kind, EndpointError> {
        let mut chosen = [
            (self.use_internal_endpoint, "use_internal_endpoint", Kind::Internal),
            (self.use_dualstack_endpoint, "use_dualstack_endpoint", Kind::DualStack),
            (self.use_accelerate_endpoint, "use_accelerate_endpoint", Kind::Accelerate),
            (
                self.use_accelerate_overseas_endpoint,
                "use_accelerate_overseas_endpoint",
                Kind::AccelerateOverseas,
            ),
        ]
        .into_iter()
        .filter(|(set, ..)| *set);
        match (chosen.next(), chosen.next()) {
            (None, _) => Ok(Kind::Public),
            (Some((_, _, kind)), None) => Ok(kind),
            (Some((_, first, _)), Some((_, second, _))) => Err(EndpointError::Conflict { first, second }),
        }
    }
}

/// The endpoint is not parsed yet and may hold a password, so it is shown as in an error.
impl fmt::Debug for EndpointOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EndpointOptions")
            .field("region", &self.region)
            .field("endpoint", &self.endpoint.as_deref().map(shown_endpoint))
            .field("cloud_box_id", &self.cloud_box_id)
            .field("disable_ssl", &self.disable_ssl)
            .field("use_internal_endpoint", &self.use_internal_endpoint)
            .field("use_dualstack_endpoint", &self.use_dualstack_endpoint)
            .field("use_accelerate_endpoint", &self.use_accelerate_endpoint)
            .field("use_accelerate_overseas_endpoint", &self.use_accelerate_overseas_endpoint)
            .field("finance_network", &self.finance_network)
            .field("allow_unlisted_host", &self.allow_unlisted_host)
            .field("use_path_style", &self.use_path_style)
            .field("use_cname", &self.use_cname)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use alloc::format;
    use alloc::string::ToString;

    use super::*;

    fn region_of(id: &str) -> EndpointOptions {
        EndpointOptions { region: Some(Region::parse(id).unwrap()), ..EndpointOptions::default() }
    }

    fn region() -> EndpointOptions {
        region_of("cn-hangzhou")
    }

    fn endpoint(text: &str) -> EndpointOptions {
        EndpointOptions { endpoint: Some(text.into()), ..region() }
    }

    #[test]
    fn the_documents_configurations_resolve() {
        let cases = [
            (region(), "https://oss-cn-hangzhou.aliyuncs.com"),
            (EndpointOptions { disable_ssl: true, ..region() }, "http://oss-cn-hangzhou.aliyuncs.com"),
            (
                EndpointOptions { use_internal_endpoint: true, ..region() },
                "https://oss-cn-hangzhou-internal.aliyuncs.com",
            ),
            (
                EndpointOptions { use_dualstack_endpoint: true, ..region() },
                "https://cn-hangzhou.oss.aliyuncs.com",
            ),
            (
                EndpointOptions { use_accelerate_endpoint: true, ..region() },
                "https://oss-accelerate.aliyuncs.com",
            ),
            (
                EndpointOptions { use_accelerate_overseas_endpoint: true, ..region() },
                "https://oss-accelerate-overseas.aliyuncs.com",
            ),
            (endpoint("https://service.corp.example.com"), "https://service.corp.example.com"),
            (
                endpoint("oss-cn-hzjbp-a-internal.aliyuncs.com"),
                "https://oss-cn-hzjbp-a-internal.aliyuncs.com",
            ),
            (endpoint(""), "https://oss-cn-hangzhou.aliyuncs.com"),
            (EndpointOptions { region: None, ..endpoint("oss.example") }, "https://oss.example"),
        ];
        for (options, expected) in cases {
            assert_eq!(options.resolve().unwrap().to_string(), expected);
        }
    }

    #[test]
    fn a_kind_that_the_region_has_not_is_refused_unless_it_is_allowed() {
        let west = |allow_unlisted_host| EndpointOptions {
            region: Some(Region::parse("us-west-1").unwrap()),
            use_dualstack_endpoint: true,
            allow_unlisted_host,
            ..EndpointOptions::default()
        };
        assert_eq!(
            west(false).resolve().unwrap_err(),
            EndpointError::NoHost { region: "us-west-1", kind: Kind::DualStack, network: None }
        );
        assert_eq!(west(true).resolve().unwrap().to_string(), "https://us-west-1.oss.aliyuncs.com");
        let explicit = EndpointOptions { endpoint: Some("oss.example".into()), ..west(false) };
        assert_eq!(explicit.resolve().unwrap().to_string(), "https://oss.example");
    }

    #[test]
    fn the_finance_network_is_a_choice() {
        let finance = |finance_network, use_internal_endpoint| EndpointOptions {
            region: Some(Region::parse("cn-shenzhen-finance-1").unwrap()),
            finance_network,
            use_internal_endpoint,
            ..EndpointOptions::default()
        };
        let (private, public) = (Some(FinanceNetwork::Private), Some(FinanceNetwork::Public));
        let cases = [
            (None, false, "https://oss-cn-szfinance.aliyuncs.com"),
            (None, true, "https://oss-cn-shenzhen-finance-1-internal.aliyuncs.com"),
            (private, true, "https://oss-cn-shenzhen-finance-1-internal.aliyuncs.com"),
            (public, false, "https://oss-cn-szfinance.aliyuncs.com"),
            (public, true, "https://oss-cn-szfinance-internal.aliyuncs.com"),
        ];
        for (network, internal, expected) in cases {
            assert_eq!(finance(network, internal).resolve().unwrap().to_string(), expected);
        }
        let region = "cn-shenzhen-finance-1";
        assert_eq!(
            finance(private, false).resolve().unwrap_err(),
            EndpointError::NoHost { region, kind: Kind::Public, network: private }
        );
        let elsewhere = EndpointOptions { finance_network: private, ..region_of("cn-hangzhou") };
        assert_eq!(elsewhere.resolve(), region_of("cn-hangzhou").resolve());
    }

    #[test]
    fn b08_an_explicit_scheme_beats_disable_ssl() {
        let cases = [("oss.example", "http://oss.example"), ("https://oss.example", "https://oss.example")];
        for (text, expected) in cases {
            let options = EndpointOptions { disable_ssl: true, ..endpoint(text) };
            assert_eq!(options.resolve().unwrap().to_string(), expected);
        }
        assert_eq!(endpoint("http://oss.example").resolve().unwrap().to_string(), "http://oss.example");
    }

    #[test]
    fn b09_two_kinds_are_refused_and_both_named() {
        let switches: [fn(&mut EndpointOptions); 4] = [
            |options| options.use_internal_endpoint = true,
            |options| options.use_dualstack_endpoint = true,
            |options| options.use_accelerate_endpoint = true,
            |options| options.use_accelerate_overseas_endpoint = true,
        ];
        for (index, first) in switches.iter().enumerate() {
            for second in &switches[index + 1..] {
                let (mut conflict, mut explicit) = (region(), endpoint("oss.example"));
                for switch in [first, second] {
                    switch(&mut conflict);
                    switch(&mut explicit);
                }
                let error = conflict.resolve().unwrap_err();
                assert!(matches!(error, EndpointError::Conflict { .. }), "{error}");
                assert_eq!(explicit.resolve().unwrap().to_string(), "https://oss.example");
            }
        }
        let conflict =
            EndpointOptions { use_internal_endpoint: true, use_accelerate_endpoint: true, ..region() };
        assert_eq!(
            conflict.resolve().unwrap_err(),
            EndpointError::Conflict { first: "use_internal_endpoint", second: "use_accelerate_endpoint" }
        );
    }

    #[test]
    fn b09_cname_with_path_style_is_refused() {
        for options in [region(), endpoint("oss.example"), endpoint("127.0.0.1")] {
            let options = EndpointOptions { use_cname: true, use_path_style: true, ..options };
            assert_eq!(
                options.resolve().unwrap_err(),
                EndpointError::Conflict { first: "use_cname", second: "use_path_style" }
            );
        }
    }

    #[test]
    fn b09_a_cloud_box_without_an_endpoint_is_refused() {
        let id = Some(CloudBoxId::parse("cb-123").unwrap());
        for options in [region(), EndpointOptions::default()] {
            let options = EndpointOptions { cloud_box_id: id.clone(), ..options };
            let error = options.resolve().unwrap_err();
            assert_eq!(error, EndpointError::CloudBoxEndpoint { id: "cb-123".into() });
            assert_eq!(
                error.to_string(),
                "cloud box `cb-123` has hosts of its own: set `endpoint`, as in \
                 `cb-123.cn-hangzhou.oss-cloudbox.aliyuncs.com`"
            );
        }
        let host = "cb-123.cn-hangzhou.oss-cloudbox.aliyuncs.com";
        let options = EndpointOptions { cloud_box_id: id, ..endpoint(host) };
        assert_eq!(options.resolve().unwrap().cloud_box_id(), Some("cb-123"));
    }

    #[test]
    fn the_addressing_follows_the_switches_and_the_host() {
        let cases = [
            ("oss.example", false, false, Addressing::VirtualHosted),
            ("oss.example", true, false, Addressing::Path),
            ("oss.example", false, true, Addressing::Cname),
            ("127.0.0.1", false, true, Addressing::Path),
            ("localhost", false, false, Addressing::Path),
        ];
        for (text, use_path_style, use_cname, expected) in cases {
            let options = EndpointOptions { use_path_style, use_cname, ..endpoint(text) };
            assert_eq!(options.resolve().unwrap().addressing(), expected, "{text}");
        }
    }

    #[test]
    fn without_region_and_endpoint_nothing_resolves() {
        assert_eq!(EndpointOptions::default().resolve(), Err(EndpointError::Missing));
        let accelerate = EndpointOptions { use_accelerate_endpoint: true, ..EndpointOptions::default() };
        assert_eq!(accelerate.resolve(), Err(EndpointError::Missing));
    }

    #[test]
    fn debug_shows_no_password() {
        let shown = format!("{:?}", endpoint("https://user:secret@host"));
        assert!(shown.contains("***@host") && !shown.contains("secret"), "{shown}");
    }
}
