//! Request signing for Alibaba Cloud OSS over borrowed strings: no IO, no clock, `no_std`.
//!
//! The signer reads the decoded parts of a request, and returns what to add to it: headers for
//! [`sign_headers`], query parameters for [`presign_query`]. It never edits a request, so it fits any HTTP
//! library, and a failure leaves nothing to undo. The algorithm is OSS's V4, `OSS4-HMAC-SHA256`.
//!
//! ```
//! use oss_sign::{AccessKey, Request, Resource, Scope, Scratch, SigningKey, UnixTime, sign_headers};
//!
//! let key = AccessKey { id: "ak", secret: "sk", token: None };
//! let time = UnixTime::from_secs(1_702_743_657);
//! let scope = Scope { region: "cn-hangzhou", product: "oss", time };
//! let request = Request {
//!     method: "GET",
//!     resource: Resource::Object { bucket: "examplebucket", key: "holiday photos/1.jpg" },
//!     query: &[("x-oss-process", "image/resize,w_100")],
//!     headers: &[],
//!     additional: &[],
//! };
//!
//! // Keep both: the key for the rest of its UTC day, the buffer for as long as you sign.
//! let signing = SigningKey::derive(&key, &scope);
//! let mut scratch = Scratch::new();
//!
//! let signed = sign_headers(&request, &key, &signing, &scope, &mut scratch);
//! let names: Vec<&str> = signed.iter().map(|(name, _)| name).collect();
//! assert_eq!(names, ["x-oss-date", "x-oss-content-sha256", "authorization"]);
//! assert!(signed.canonical_request().starts_with("GET\n/examplebucket/holiday%20photos/1.jpg\n"));
//! ```
//!
//! What is sent must be what was signed: encode the path and the query once, from the same parts; leave `.`
//! and `//` in the path alone; drop any header or parameter of a name that the signer returns.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod canonical;
mod encode;
mod error;
mod presign;
mod scratch;
mod time;
mod v4;

use core::fmt;

pub use error::PresignError;
pub use presign::{PRESIGN_PARAMETERS, presign_query};
pub use scratch::Scratch;
pub use time::{TimeText, UnixTime};
pub use v4::{Signed, SigningKey, sign_headers};

/// An access key pair, borrowed for one call: the id, the secret, and the security token when it is
/// temporary.
///
/// `Debug` shows none of the three.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct AccessKey<'a> {
    /// The access key id; it travels in the clear in each signed request.
    pub id: &'a str,
    /// The access key secret; it never leaves the process.
    pub secret: &'a str,
    /// The security token of temporary credentials; an empty one counts as none.
    pub token: Option<&'a str>,
}

impl<'a> AccessKey<'a> {
    fn token(&self) -> Option<&'a str> {
        self.token.filter(|token| !token.is_empty())
    }
}

impl fmt::Debug for AccessKey<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let token = self.token.map(|_| "***");
        f.debug_struct("AccessKey")
            .field("id", &"***")
            .field("secret", &"***")
            .field("token", &token)
            .finish()
    }
}

/// Where and when a signature holds: region, product, and the moment of signing.
///
/// OSS refuses a request whose `time` is more than 15 minutes from its own clock (`RequestTimeTooSkewed`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scope<'a> {
    /// The region id without the `oss-` prefix, such as `cn-hangzhou`; for a cloud box, the id of the box.
    pub region: &'a str,
    /// The product name: `oss` for the public service, `oss-cloudbox` for a cloud box.
    pub product: &'a str,
    /// The moment of signing; its UTC day is part of the scope.
    pub time: UnixTime,
}

/// What a request addresses, as names and not as a URL: OSS signs `/bucket/key` whatever the URL's style.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Resource<'a> {
    /// The service itself, as for listing buckets.
    Service,
    /// A bucket, by its name.
    Bucket(&'a str),
    /// An object; `key` is the plain key, not percent-encoded, and may start with `/`.
    Object {
        /// The name of the bucket.
        bucket: &'a str,
        /// The decoded key.
        key: &'a str,
    },
}

/// The decoded parts of a request that its signature covers.
///
/// `Debug` shows only the names of `query` and `headers`: a header may carry a secret, such as a customer
/// key.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Request<'a> {
    /// The method in upper case, as it is sent.
    pub method: &'a str,
    /// The bucket and key.
    pub resource: Resource<'a>,
    /// All query parameters of the URL, decoded; an empty value stands for `name` and for `name=` alike.
    pub query: &'a [(&'a str, &'a str)],
    /// The request's headers in any order and case. Signed are `content-type`, `content-md5`, every `x-oss-…`
    /// and those named in `additional`; space and tab around a value are dropped, and values of a repeated
    /// name are joined by `,`.
    pub headers: &'a [(&'a str, &'a str)],
    /// Names of further headers to sign, such as `host` or `range`, in any order and case. A name that is
    /// signed anyway or that has no non-empty value in `headers` is passed over, and so is `authorization`.
    pub additional: &'a [&'a str],
}

impl fmt::Debug for Request<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("method", &self.method)
            .field("resource", &self.resource)
            .field("query", &Names(self.query))
            .field("headers", &Names(self.headers))
            .field("additional", &self.additional)
            .finish()
    }
}

struct Names<'a>(&'a [(&'a str, &'a str)]);

impl fmt::Debug for Names<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}
