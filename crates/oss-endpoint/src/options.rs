//! From the switches of a configuration to one endpoint.

use alloc::string::String;
use core::fmt;

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
/// # Ok::<(), oss_endpoint::EndpointError>(())
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct EndpointOptions {
    /// The region. It names the host unless there is an `endpoint`.
    pub region: Option<Region>,
    /// The endpoint, see [`Endpoint::parse`]. An empty text counts as none.
    pub endpoint: Option<String>,
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
    /// without an `endpoint`; [`EndpointError::Missing`] without region and endpoint; those of
    /// [`Endpoint::parse`].
    pub fn resolve(&self) -> Result<Endpoint, EndpointError> {
        let addressing = self.addressing()?;
        let scheme = if self.disable_ssl { Scheme::Http } else { Scheme::Https };
        let endpoint = match (self.endpoint.as_deref(), &self.region) {
            (Some(text), _) if !text.is_empty() => Endpoint::parse_or(text, scheme)?,
            (_, Some(region)) => Endpoint::of(self.kind()?, region).with_scheme(scheme),
            (_, None) => return Err(EndpointError::Missing),
        };
        Ok(endpoint.with_addressing(addressing))
    }

    fn addressing(&self) -> Result<Addressing, EndpointError> {
        match (self.use_cname, self.use_path_style) {
            (true, true) => Err(EndpointError::Conflict { first: "use_cname", second: "use_path_style" }),
            (true, false) => Ok(Addressing::Cname),
            (false, true) => Ok(Addressing::Path),
            (false, false) => Ok(Addressing::VirtualHosted),
        }
    }

    fn kind(&self) -> Result<Kind, EndpointError> {
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
            .field("disable_ssl", &self.disable_ssl)
            .field("use_internal_endpoint", &self.use_internal_endpoint)
            .field("use_dualstack_endpoint", &self.use_dualstack_endpoint)
            .field("use_accelerate_endpoint", &self.use_accelerate_endpoint)
            .field("use_accelerate_overseas_endpoint", &self.use_accelerate_overseas_endpoint)
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

    fn region() -> EndpointOptions {
        EndpointOptions { region: Some(Region::parse("cn-hangzhou").unwrap()), ..EndpointOptions::default() }
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
