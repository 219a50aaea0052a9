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

#[cfg(feature = "sts")]
mod acs3;
mod canonical;
mod encode;
mod error;
mod explain;
mod post;
mod presign;
#[cfg(feature = "sts")]
mod rpc;
mod scratch;
#[cfg(any(feature = "v1", feature = "sts"))]
mod sha1_mac;
mod time;
#[cfg(feature = "v1")]
mod v1;
mod v4;

use core::fmt;

#[cfg(feature = "sts")]
pub use acs3::Acs3Call;
pub use error::PresignError;
pub use explain::{Difference, Explanation, Theirs, explain};
pub use post::{PolicyError, PostForm, PostPolicy};
pub use presign::{PRESIGN_PARAMETERS, presign_query};
#[cfg(feature = "sts")]
pub use rpc::{RpcCall, rpc_signature};
pub use scratch::Scratch;
pub use time::{TimeText, UnixTime};
#[cfg(feature = "v1")]
pub use v1::{V1_SUB_RESOURCES, presign_query_v1, sign_headers_v1};
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
    /// The vectors product, signed as `acs:ossvector:{region}:{account}:{bucket}/{key}` under the product
    /// name `oss`. Listing its buckets has an empty `account`, `bucket` and `key`.
    Vectors {
        /// The region id.
        region: &'a str,
        /// The id of the account that owns the bucket.
        account: &'a str,
        /// The name of the bucket.
        bucket: &'a str,
        /// The decoded key; empty for a call to the bucket.
        key: &'a str,
    },
    /// The tables product, signed under the product name `osstables`.
    Tables {
        /// The ARN of the bucket, `acs:osstables:{region}:{account}:bucket/{name}`, decoded.
        arn: &'a str,
        /// The path of the call after the host, decoded, without its leading `/`.
        path: &'a str,
    },
    /// The tables product, for a call that names no bucket, such as creating one.
    TablesService {
        /// The region id.
        region: &'a str,
        /// The path of the call after the host, decoded, without its leading `/`.
        path: &'a str,
    },
}

impl<'a> Resource<'a> {
    /// The canonical path, not encoded, in pieces.
    pub(crate) fn pieces(self) -> [&'a str; 8] {
        match self {
            Self::Service => ["/", "", "", "", "", "", "", ""],
            Self::Bucket(bucket) => ["/", bucket, "/", "", "", "", "", ""],
            Self::Object { bucket, key } => ["/", bucket, "/", key, "", "", "", ""],
            Self::Vectors { region, account, bucket, key } => {
                ["/acs:ossvector:", region, ":", account, ":", bucket, "/", key]
            }
            Self::Tables { arn, path } => ["/", arn, "/", path, "", "", "", ""],
            Self::TablesService { region, path } => {
                ["/acs:osstables:", region, "::bucket//", path, "", "", "", ""]
            }
        }
    }
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
