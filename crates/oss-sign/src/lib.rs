//! Request signing for Alibaba Cloud OSS over borrowed strings: no IO, no clock, `no_std`.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod time;

use core::fmt;

pub use time::{TimeText, UnixTime};

/// An access key pair, borrowed for one call: the id, the secret, and the security token when it is temporary.
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
