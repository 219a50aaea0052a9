//! Where a service listens, and how a bucket is named to it.

use alloc::string::String;
use core::fmt;
use core::net::IpAddr;
use core::str::FromStr;

use crate::error::{EndpointError, shown_endpoint};
use crate::host::{Host, parse_port, split_port};
use crate::kind::{ACCELERATE, ACCELERATE_OVERSEAS, Kind};
use crate::region::Region;

/// Where a service listens: scheme, host, port, and how a bucket is named to it.
///
/// Two endpoints are equal if they send the same, so `https://host` and `https://host:443` are not: the
/// port is part of the `Host` header. `Display` gives `scheme://host[:port]`.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Endpoint {
    scheme: Scheme,
    host: Host,
    port: Option<u16>,
    addressing: Addressing,
}

/// The scheme of an endpoint.
#[expect(clippy::exhaustive_enums, reason = "OSS speaks these two, and a driver should match both")]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scheme {
    /// In the clear, on port 80 unless another is given.
    Http,
    /// Over TLS, on port 443 unless another is given.
    #[default]
    Https,
}

/// How a bucket is named to the service. It changes where a request goes, never what is signed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Addressing {
    /// In front of the host: `https://bucket.host/key`.
    #[default]
    VirtualHosted,
    /// In front of the key: `https://host/bucket/key`. The public hosts of OSS refuse it for most accounts.
    Path,
    /// Not at all, because the host is a domain that is bound to the bucket: `https://host/key`.
    Cname,
}

impl Endpoint {
    /// Parses `host`, `host:port` or either with `https://` or `http://` in front; without a scheme it is
    /// https.
    ///
    /// The host is a name, an IPv4 address or an IPv6 address in brackets. A name is lower-cased, an IPv6
    /// address becomes canonical (RFC 5952); one `/` at the end is allowed and dropped. A bucket is named
    /// in the host, except that an address and `localhost` take it in the path.
    ///
    /// # Errors
    ///
    /// [`EndpointError::Scheme`], [`UserInfo`](EndpointError::UserInfo), [`Path`](EndpointError::Path) (or
    /// query, or fragment), [`Port`](EndpointError::Port), [`Host`](EndpointError::Host). Nothing is
    /// trimmed or dropped silently.
    ///
    /// ```
    /// use oss_endpoint::{Addressing, Endpoint};
    ///
    /// let emulator = Endpoint::parse("http://127.0.0.1:9000")?;
    /// assert_eq!(emulator.authority(), "127.0.0.1:9000");
    /// assert_eq!(emulator.addressing(), Addressing::Path);
    /// assert!(Endpoint::parse("https://host/sub").is_err());
    /// # Ok::<(), oss_endpoint::EndpointError>(())
    /// ```
    pub fn parse(text: &str) -> Result<Self, EndpointError> {
        Self::parse_or(text, Scheme::Https)
    }

    /// As `parse`, with the scheme to take where the text names none.
    pub(crate) fn parse_or(text: &str, default: Scheme) -> Result<Self, EndpointError> {
        let value = || shown_endpoint(text);
        let (scheme, rest) = match text.split_once("://") {
            None => (default, text),
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("https") => (Scheme::Https, rest),
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("http") => (Scheme::Http, rest),
            Some(_) => return Err(EndpointError::Scheme { value: value() }),
        };
        // Before the path: a password may hold a `/`.
        if rest.contains('@') {
            return Err(EndpointError::UserInfo { value: value() });
        }
        let (authority, after) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
        if !matches!(after, "" | "/") {
            return Err(EndpointError::Path { value: value() });
        }
        let (host, port) = split_port(authority);
        let host = Host::parse(host).map_err(|reason| EndpointError::Host { value: value(), reason })?;
        let port = match port.map(parse_port) {
            None => None,
            Some(Some(port)) => Some(port),
            Some(None) => return Err(EndpointError::Port { value: value() }),
        };
        Ok(Self { scheme, host, port, addressing: Addressing::VirtualHosted }.settled())
    }

    /// The host of a kind for a region, over https.
    ///
    /// In the finance cloud an internal host is that of the private network, and every other host that of the
    /// public one; [`EndpointOptions::finance_network`](crate::EndpointOptions::finance_network) chooses.
    ///
    /// # Errors
    ///
    /// [`EndpointError::NoHost`] where the [catalogue](crate::RegionEntry) has no such host for the region.
    ///
    /// ```
    /// use oss_endpoint::{Endpoint, EndpointError, Kind, Region};
    ///
    /// let endpoint = Endpoint::of(Kind::DualStack, &Region::parse("cn-hangzhou")?)?;
    /// assert_eq!(endpoint.to_string(), "https://cn-hangzhou.oss.aliyuncs.com");
    ///
    /// let refused = Endpoint::of(Kind::DualStack, &Region::parse("us-west-1")?);
    /// assert!(matches!(refused, Err(EndpointError::NoHost { region: "us-west-1", .. })));
    /// # Ok::<(), oss_endpoint::EndpointError>(())
    /// ```
    pub fn of(kind: Kind, region: &Region) -> Result<Self, EndpointError> {
        Ok(Self::known(kind.host(region, None, false)?))
    }

    /// The public host of a region: `https://oss-{region}.aliyuncs.com`, and that of the public network in
    /// the finance cloud. Every region of the catalogue has one.
    #[must_use]
    pub fn public(region: &Region) -> Self {
        let host = Kind::Public.host(region, None, false);
        Self::known(host.unwrap_or_else(|_| Kind::Public.formula(region)))
    }

    /// The host of a region inside Alibaba Cloud: `https://oss-{region}-internal.aliyuncs.com`, and that of
    /// the private network in the finance cloud.
    ///
    /// # Errors
    ///
    /// As [`Endpoint::of`].
    pub fn internal(region: &Region) -> Result<Self, EndpointError> {
        Self::of(Kind::Internal, region)
    }

    /// The host of a region over IPv4 and IPv6: `https://{region}.oss.aliyuncs.com`. Most
    /// regions have none.
    ///
    /// # Errors
    ///
    /// As [`Endpoint::of`].
    pub fn dual_stack(region: &Region) -> Result<Self, EndpointError> {
        Self::of(Kind::DualStack, region)
    }

    /// The host of transfer acceleration: `https://oss-accelerate.aliyuncs.com`.
    ///
    /// The bucket must have transfer acceleration enabled.
    #[must_use]
    pub fn accelerate() -> Self {
        Self::known(String::from(ACCELERATE))
    }

    /// The host of transfer acceleration outside the Chinese mainland:
    /// `https://oss-accelerate-overseas.aliyuncs.com`.
    #[must_use]
    pub fn accelerate_overseas() -> Self {
        Self::known(String::from(ACCELERATE_OVERSEAS))
    }

    pub(crate) fn known(host: String) -> Self {
        Self {
            scheme: Scheme::Https,
            host: Host::known(host),
            port: None,
            addressing: Addressing::VirtualHosted,
        }
    }

    /// The same endpoint with another way to name a bucket.
    ///
    /// An address always takes the bucket in the path, whatever is asked for, and `localhost` takes it in
    /// the path where [`Addressing::VirtualHosted`] is asked for; a name below it (`oss.localhost`) is a
    /// host like any other.
    #[must_use]
    pub fn with_addressing(mut self, addressing: Addressing) -> Self {
        self.addressing = addressing;
        self.settled()
    }

    /// The same endpoint with another scheme. An explicit port stays.
    #[must_use]
    pub fn with_scheme(mut self, scheme: Scheme) -> Self {
        self.scheme = scheme;
        self
    }

    /// Keeps a bucket's name from ever standing in front of an address: `bucket.127.0.0.1` is another host.
    fn settled(mut self) -> Self {
        let unfit = match self.addressing {
            Addressing::VirtualHosted => !self.host.takes_bucket(),
            Addressing::Cname => self.host.ip.is_some(),
            Addressing::Path => false,
        };
        if unfit {
            self.addressing = Addressing::Path;
        }
        self
    }

    /// The scheme.
    #[must_use]
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// The host as it stands in a URL: in lower case, an IPv6 address in brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host.text
    }

    /// The address that the host is, if it is one: what a guard against unwanted destinations should look at.
    ///
    /// `1.2` is `1.0.0.2`, as every resolver reads it.
    #[must_use]
    pub fn ip(&self) -> Option<IpAddr> {
        self.host.ip
    }

    /// The port to connect to: the explicit one, else that of the scheme.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port.unwrap_or_else(|| self.scheme.port())
    }

    /// The host, and the port if it was given explicitly.
    ///
    /// An explicit port stays even if it is the scheme's own, as in the official SDKs.
    #[must_use]
    pub fn authority(&self) -> String {
        let mut authority = String::new();
        self.push_authority(&mut authority);
        authority
    }

    /// With the colon and the five digits of a port.
    pub(crate) fn authority_bytes_max(&self) -> usize {
        self.host.text.len() + 6
    }

    pub(crate) fn push_authority(&self, out: &mut String) {
        out.push_str(&self.host.text);
        if let Some(port) = self.port {
            fmt::Write::write_fmt(out, format_args!(":{port}")).expect("writing to a String succeeds");
        }
    }

    /// How a bucket is named, after the rule for addresses and `localhost`.
    #[must_use]
    pub fn addressing(&self) -> Addressing {
        self.addressing
    }
}

impl Scheme {
    /// The scheme as it stands in a URL: `http` or `https`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }

    /// The port of the scheme: 80 or 443.
    #[must_use]
    pub fn port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme, self.host.text)?;
        match self.port {
            Some(port) => write!(f, ":{port}"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Endpoint({self}, {:?})", self.addressing)
    }
}

impl FromStr for Endpoint {
    type Err = EndpointError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl TryFrom<&str> for Endpoint {
    type Error = EndpointError;

    fn try_from(text: &str) -> Result<Self, Self::Error> {
        Self::parse(text)
    }
}

impl TryFrom<String> for Endpoint {
    type Error = EndpointError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

#[cfg(test)]
mod tests {
    use alloc::format;
    use alloc::string::ToString;

    use super::*;

    #[test]
    fn an_endpoint_keeps_scheme_host_and_port() {
        let cases = [
            ("oss-cn-hangzhou.aliyuncs.com", "https://oss-cn-hangzhou.aliyuncs.com", 443),
            ("oss-cn-hangzhou.aliyuncs.com/", "https://oss-cn-hangzhou.aliyuncs.com", 443),
            ("oss-cn-hangzhou.aliyuncs.com:80", "https://oss-cn-hangzhou.aliyuncs.com:80", 80),
            ("https://oss-cn-hangzhou.aliyuncs.com/", "https://oss-cn-hangzhou.aliyuncs.com", 443),
            ("HTTP://Up-Case.Example.COM", "http://up-case.example.com", 80),
            ("https://cdn.example.com:8443", "https://cdn.example.com:8443", 8443),
            ("https://cdn.example.com:443", "https://cdn.example.com:443", 443),
            ("http://[0:0::1]:8080", "http://[::1]:8080", 8080),
            ("http://[::1]", "http://[::1]", 80),
            ("http://localhost:9000", "http://localhost:9000", 9000),
            ("minio", "https://minio", 443),
        ];
        for (text, expected, port) in cases {
            let endpoint = Endpoint::parse(text).unwrap();
            assert_eq!(endpoint.to_string(), expected);
            assert_eq!(endpoint.port(), port, "{text}");
            assert_eq!(format!("{}://{}", endpoint.scheme(), endpoint.authority()), expected);
            assert_eq!(Endpoint::parse(expected).unwrap(), endpoint);
        }
    }

    #[test]
    fn b02_endpoint_matches_the_whole_text() {
        for bad in
            ["host.example\n", "host.example\0", "host.example ", "host.example\t", " host.example", "a\r\nb"]
        {
            let error = Endpoint::parse(bad).unwrap_err();
            assert!(matches!(error, EndpointError::Host { .. }), "{bad:?}: {error}");
        }
        for bad in ["https://host.example:80\n", "host.example:80 "] {
            assert!(matches!(Endpoint::parse(bad).unwrap_err(), EndpointError::Port { .. }), "{bad:?}");
        }
        assert!(Endpoint::parse("https://host.example/\n").is_err());
        assert!(Endpoint::parse(" https://host.example").is_err());
    }

    #[test]
    fn b04_an_address_and_localhost_take_the_bucket_in_the_path() {
        use Addressing::{Cname, Path, VirtualHosted};
        let cases = [
            ("http://127.0.0.1:8080", [Path, Path, Path]),
            ("192.168.1.1", [Path, Path, Path]),
            ("1.2", [Path, Path, Path]),
            ("http://[::1]:8080", [Path, Path, Path]),
            ("http://localhost:9000", [Path, Path, Cname]),
            ("http://LOCALHOST", [Path, Path, Cname]),
            ("http://oss.localhost:9000", [VirtualHosted, Path, Cname]),
            ("https://service.corp.example.com", [VirtualHosted, Path, Cname]),
        ];
        for (text, expected) in cases {
            for (asked, expected) in [VirtualHosted, Path, Cname].into_iter().zip(expected) {
                let endpoint = Endpoint::parse(text).unwrap();
                assert_eq!(endpoint.with_addressing(asked).addressing(), expected, "{text} {asked:?}");
            }
            assert_eq!(Endpoint::parse(text).unwrap().addressing(), expected[0], "{text}");
        }
    }

    #[test]
    fn b07_b10_the_address_is_known_where_the_host_is_one() {
        let cases = [
            ("http://127.0.0.1:8080", Some("127.0.0.1")),
            ("1.2", Some("1.0.0.2")),
            ("http://[0:0::1]:8080", Some("::1")),
            ("http://169.254.169.254", Some("169.254.169.254")),
            ("https://100.100.100.200", Some("100.100.100.200")),
            ("[FE80::1]", Some("fe80::1")),
            ("http://localhost", None),
            ("oss-cn-hangzhou.aliyuncs.com", None),
        ];
        for (text, ip) in cases {
            let ip = ip.map(|ip| ip.parse().unwrap());
            assert_eq!(Endpoint::parse(text).unwrap().ip(), ip, "{text}");
        }
    }

    #[test]
    fn b05_only_scheme_host_and_port_are_taken() {
        let scheme =
            ["ftp://host", "://host", "file:///etc/passwd", "https+unix://host", "h ttp://host", "ws://a/b"];
        for bad in scheme {
            assert!(matches!(Endpoint::parse(bad).unwrap_err(), EndpointError::Scheme { .. }), "{bad}");
        }
        for bad in
            ["https://user:pass@host", "user@host", "https://@host", "https://a/b@host", "https://a?b@c"]
        {
            assert!(matches!(Endpoint::parse(bad).unwrap_err(), EndpointError::UserInfo { .. }), "{bad}");
        }
        let path = [
            "host/sub",
            "https://host//",
            "https://host?x",
            "https://host#f",
            "host/?x",
            "https://https://host",
        ];
        for bad in path {
            assert!(matches!(Endpoint::parse(bad).unwrap_err(), EndpointError::Path { .. }), "{bad}");
        }
        let host =
            ["", "https://", "http:///", "https://[::1", "host\\x", "a b", "host.", "桶.example", "a%2eb"];
        for bad in host {
            let error = Endpoint::parse(bad).unwrap_err();
            assert!(matches!(error, EndpointError::Host { .. }), "{bad}: {error}");
        }
    }

    #[test]
    fn b06_a_bad_port_is_refused() {
        for bad in [
            "host:0",
            "host:65536",
            "host:",
            "host:+80",
            "host:080",
            "https:host",
            "http://[::1]:",
            "host:8o",
        ] {
            assert!(matches!(Endpoint::parse(bad).unwrap_err(), EndpointError::Port { .. }), "{bad}");
        }
        assert!(matches!(Endpoint::parse("::1").unwrap_err(), EndpointError::Host { .. }));
    }

    #[test]
    fn b08_https_unless_http_is_written() {
        assert_eq!(Endpoint::parse("host").unwrap().scheme(), Scheme::Https);
        assert_eq!(Endpoint::parse("http://host").unwrap().scheme(), Scheme::Http);
        assert_eq!(
            Endpoint::parse("http://host").unwrap().with_scheme(Scheme::Https).to_string(),
            "https://host"
        );
    }

    #[test]
    fn the_kinds_are_https_and_virtual_hosted() {
        let region = Region::parse("cn-hangzhou").unwrap();
        let cases = [
            (Endpoint::public(&region), "https://oss-cn-hangzhou.aliyuncs.com"),
            (Endpoint::internal(&region).unwrap(), "https://oss-cn-hangzhou-internal.aliyuncs.com"),
            (Endpoint::dual_stack(&region).unwrap(), "https://cn-hangzhou.oss.aliyuncs.com"),
            (Endpoint::accelerate(), "https://oss-accelerate.aliyuncs.com"),
            (Endpoint::accelerate_overseas(), "https://oss-accelerate-overseas.aliyuncs.com"),
        ];
        for (endpoint, expected) in cases {
            assert_eq!(endpoint.to_string(), expected);
            assert_eq!(endpoint, Endpoint::parse(expected).unwrap());
            assert_eq!(endpoint.addressing(), Addressing::VirtualHosted);
        }
    }

    #[test]
    fn an_error_names_the_value_and_the_fix_and_no_password() {
        let cases = [
            ("ftp://host", r#"invalid endpoint "ftp://host": start it with `https://` or `http://`"#),
            (
                "https://user:secret@host",
                r#"invalid endpoint "***@host": remove the user and the password before `@`"#,
            ),
            ("host/sub", r#"invalid endpoint "host/sub": remove what follows the host and the port"#),
            ("host:0", r#"invalid endpoint "host:0": use a port from 1 to 65535, without leading zeros"#),
            ("host.", r#"invalid endpoint "host.": remove the dot at the end of the host"#),
        ];
        for (text, expected) in cases {
            assert_eq!(Endpoint::parse(text).unwrap_err().to_string(), expected);
        }
        assert_eq!(
            format!("{:?}", Endpoint::parse("http://127.0.0.1:1").unwrap()),
            "Endpoint(http://127.0.0.1:1, Path)"
        );
    }
}
