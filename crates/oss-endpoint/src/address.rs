//! From endpoint, bucket and key to what goes on the wire.

use alloc::string::{String, ToString};
use core::fmt;

use crate::bucket::BucketName;
use crate::encode::push_key;
use crate::endpoint::{Addressing, Endpoint, Scheme};
use crate::key::ObjectKey;

/// Where a request goes: scheme, authority and path, ready for the wire.
///
/// `Display` gives the URL. Do not send the path through a parser that normalises: it would turn `/a/../b`
/// into `/b`, which is another object.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Address {
    /// The scheme.
    pub scheme: Scheme,
    /// The host, with the bucket in front where it belongs there, and the port if one was given: the `Host`
    /// header.
    pub authority: String,
    /// The path, encoded once; it starts with `/`.
    pub path: String,
}

impl Endpoint {
    /// Addresses the service (no bucket), a bucket (no key) or an object.
    ///
    /// | addressing | object | bucket | service |
    /// | --- | --- | --- | --- |
    /// | virtual host | `bucket.host` `/key` | `bucket.host` `/` | `host` `/` |
    /// | path | `host` `/bucket/key` | `host` `/bucket/` | `host` `/` |
    /// | CNAME | `host` `/key` | `host` `/` | `host` `/` |
    ///
    /// A key without a bucket names nothing: it is left out, lest its first part be taken for a bucket.
    ///
    /// ```
    /// use oss_endpoint::{BucketName, Endpoint, ObjectKey};
    ///
    /// let emulator = Endpoint::parse("http://127.0.0.1:9000")?;
    /// let (bucket, key) = (BucketName::parse("examplebucket")?, ObjectKey::parse("a/../b?")?);
    /// let address = emulator.address(Some(&bucket), Some(&key));
    /// assert_eq!(address.url(), "http://127.0.0.1:9000/examplebucket/a/../b%3F");
    /// # Ok::<(), oss_endpoint::EndpointError>(())
    /// ```
    #[must_use]
    pub fn address(&self, bucket: Option<&BucketName>, key: Option<&ObjectKey>) -> Address {
        let bucket_bytes = bucket.map_or(0, |bucket| bucket.as_str().len() + 1);
        let mut authority = String::with_capacity(bucket_bytes + self.authority_bytes_max());
        // Enough for a key of which half is encoded.
        let mut path = String::with_capacity(1 + bucket_bytes + key.map_or(0, |key| 2 * key.as_str().len()));
        path.push('/');
        if let Some(bucket) = bucket {
            match self.addressing() {
                Addressing::VirtualHosted => {
                    authority.push_str(bucket.as_str());
                    authority.push('.');
                }
                Addressing::Path => {
                    path.push_str(bucket.as_str());
                    path.push('/');
                }
                Addressing::Cname => {}
            }
            if let Some(key) = key {
                push_key(&mut path, key.as_str());
            }
        }
        self.push_authority(&mut authority);
        Address { scheme: self.scheme(), authority, path }
    }
}

impl Address {
    /// The URL without a query: `https://examplebucket.oss-cn-hangzhou.aliyuncs.com/a%20b`.
    #[must_use]
    pub fn url(&self) -> String {
        self.to_string()
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}{}", self.scheme, self.authority, self.path)
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;

    fn urls(endpoint: &str, addressing: Addressing) -> Vec<String> {
        let endpoint = Endpoint::parse(endpoint).unwrap().with_addressing(addressing);
        let bucket = BucketName::parse("examplebucket").unwrap();
        let key = ObjectKey::parse("dir/a b").unwrap();
        [(Some(&bucket), Some(&key)), (Some(&bucket), None), (None, None), (None, Some(&key))]
            .map(|(bucket, key)| endpoint.address(bucket, key).url())
            .into()
    }

    #[test]
    fn each_addressing_has_its_table() {
        let service = "https://oss.example:8443/";
        let cases = [
            (
                Addressing::VirtualHosted,
                [
                    "https://examplebucket.oss.example:8443/dir/a%20b",
                    "https://examplebucket.oss.example:8443/",
                ],
            ),
            (
                Addressing::Path,
                [
                    "https://oss.example:8443/examplebucket/dir/a%20b",
                    "https://oss.example:8443/examplebucket/",
                ],
            ),
            (Addressing::Cname, ["https://oss.example:8443/dir/a%20b", service]),
        ];
        for (addressing, [object, bucket]) in cases {
            assert_eq!(urls("oss.example:8443", addressing), [object, bucket, service, service]);
        }
    }

    #[test]
    fn no_address_grows_while_it_is_written() {
        let bucket = BucketName::parse("examplebucket").unwrap();
        let key = ObjectKey::parse("a%b%c%d%").unwrap();
        // The longest port, and a key of which half is encoded, fill the room to the last byte.
        let endpoint = Endpoint::parse("oss.example:65535").unwrap();
        let hosted = endpoint.address(Some(&bucket), Some(&key)).authority;
        assert_eq!(hosted.capacity(), hosted.len());
        let path = endpoint.with_addressing(Addressing::Path).address(Some(&bucket), Some(&key)).path;
        assert_eq!(path.capacity(), path.len());
    }

    #[test]
    fn b04_a_bucket_never_stands_in_front_of_an_address() {
        for addressing in [Addressing::VirtualHosted, Addressing::Path, Addressing::Cname] {
            for host in ["127.0.0.1", "[::1]", "127.1"] {
                let url = alloc::format!("http://{host}:1/examplebucket/");
                assert_eq!(urls(&alloc::format!("http://{host}:1"), addressing)[1], url);
            }
        }
        assert_eq!(urls("http://localhost", Addressing::VirtualHosted)[1], "http://localhost/examplebucket/");
    }

    #[test]
    fn b11_b12_b13_the_path_is_the_key_and_nothing_is_normalised() {
        let endpoint = Endpoint::parse("oss.example").unwrap();
        let bucket = BucketName::parse("examplebucket").unwrap();
        let cases = [
            ("..", "/.."),
            (".", "/."),
            ("a/../b", "/a/../b"),
            ("../other-bucket/k", "/../other-bucket/k"),
            ("./x", "/./x"),
            ("%2e%2e/x", "/%252e%252e/x"),
            ("a//b", "/a//b"),
            ("a/", "/a/"),
            ("/lead", "//lead"),
            ("//a", "///a"),
            ("\\lead", "/%5Clead"),
            ("?acl", "/%3Facl"),
        ];
        for (key, path) in cases {
            let address = endpoint.address(Some(&bucket), Some(&ObjectKey::verbatim(key).unwrap()));
            assert_eq!(address.path, path);
            assert_eq!(address.authority, "examplebucket.oss.example");
            assert_eq!(address.url(), alloc::format!("https://examplebucket.oss.example{path}"));
        }
    }
}
