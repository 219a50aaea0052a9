//! The Alibaba Cloud OSS protocol as pure functions and state machines.
//!
//! **An operation is a value**, everything up to a signed request is **a chain of pure functions**, and
//! everything that happens over time is **a machine** that a driver of your own runs: no sockets, no clock,
//! no randomness here.
//!
//! From a value to a signed request:
//!
//! ```
//! use oss_proto::{Credentials, Endpoint, Operation, PutObject, Region, Service, UnixTime, compose};
//!
//! let region = Region::parse("cn-hangzhou")?;
//! let service = Service::new(Endpoint::public(&region)).with_region(region);
//! let credentials = Credentials::new("my-key-id", "my-secret")?;
//!
//! let put = PutObject::new("examplebucket", "目录/a b.txt", "hello").content_type("text/plain");
//! let request = compose(&put.draft()?, &service, &credentials, UnixTime::from_secs(1_702_743_657))?;
//!
//! assert_eq!(
//!     request.uri().to_string(),
//!     "https://examplebucket.oss-cn-hangzhou.aliyuncs.com/%E7%9B%AE%E5%BD%95/a%20b.txt"
//! );
//! let authorization = request.headers()["authorization"].to_str()?;
//! assert!(authorization.starts_with("OSS4-HMAC-SHA256 Credential=my-key-id/"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The whole life of a call, driven by hand, is in [`Exchange`]; `docs/driving.md` explains how to write a
//! driver.
#![no_std]
#![forbid(unsafe_code)]

// `http` needs std, so this crate links it; it is written against core and alloc, so that it can follow when
// `http` does without.
extern crate alloc;
#[cfg(test)]
extern crate std;

#[macro_use]
mod table;

mod check;
mod compose;
mod error;
mod exchange;
mod fetch;
mod invalid;
mod json;
mod media;
mod operation;
mod presign;
mod raw;
mod read_error;
mod reply;
mod service;
mod service_error;
mod shared;
mod signing;
mod skew;
mod types;
mod wire;

pub mod ops;
pub mod transfer;
pub mod xml;

pub use compose::{Composer, compose};
pub use error::{
    Change, CorruptBody, DeadlinePassed, Error, ErrorKind, Misuse, ObjectChanged, Relocation, TransportError,
    Unrepeated, Wait,
};
pub use exchange::Exchange;
pub use exchange::action::{Action, Call, Event, Failure, Head, Ledger, Now, Proposal, Sent, Transmit};
pub use exchange::journal::Attempt;
pub use exchange::redirect::Unfollowed;
pub use fetch::{Fetch, FetchAction, Integrity, Verified};
pub use invalid::{InvalidRequest, InvalidValue};
pub use operation::{Operation, Paged, Tabled};
pub use presign::{Presigned, presign};
pub use raw::Raw;
pub use read_error::ReadError;
pub use reply::{Reply, ReplyHead};
pub use service::{Limits, Redirects, Service, Settings, Timeouts};
pub use service_error::{ErrorCode, ServiceError};
pub use shared::Shared;
pub use signing::SignatureVersion;
pub use skew::{Skew, Skews};
pub use types::{
    ByteRange, Callback, CallbackVars, ContentRange, CopySource, ETag, Metadata, SymlinkTarget, Tags,
};
pub use wire::checked::{Checked, IntoField};
pub use wire::draft::{Checksum, Draft, Expected, Payload, Replay, content_md5};
pub use wire::occurs::Occurs;
pub use wire::spec::{ReplyKind, Row, Scope, Spec};
pub use wire::text::Text;

#[doc(inline)]
pub use ops::*;

// The leaves' types in our signatures, so that a user needs one crate in `Cargo.toml`.
pub use oss_crc::Crc64;
pub use oss_credentials::{CredentialCache, CredentialError, Credentials, Source};
pub use oss_endpoint::{
    Addressing, BucketName, CloudBoxId, Endpoint, EndpointError, EndpointOptions, EndpointWarning,
    FinanceNetwork, ObjectKey, Region, RegionEntry, Scheme,
};
pub use oss_retry::{Effect, FailureKind, Outcome, Policy, Quota, Strategy};
pub use oss_sign::UnixTime;
