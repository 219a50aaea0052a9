//! Endpoints, regions, bucket names and object keys of Alibaba Cloud OSS, parsed and addressed.
//!
//! Text from a configuration is parsed once, at the door; from there on the type is the proof. A
//! [`BucketName`] cannot name another host, a [`Region`] cannot smuggle a path into a formula, and an
//! [`ObjectKey`] is encoded exactly once and never normalised: `..`, `//` and `%2e` reach the server as
//! they are.
//!
//! ```
//! use oss_endpoint::{BucketName, Endpoint, ObjectKey, Region};
//!
//! let endpoint = Endpoint::public(&Region::parse("cn-hangzhou")?);
//! let bucket = BucketName::parse("examplebucket")?;
//! let key = ObjectKey::parse("holiday/a b.jpg")?;
//!
//! let address = endpoint.address(Some(&bucket), Some(&key));
//! assert_eq!(address.authority, "examplebucket.oss-cn-hangzhou.aliyuncs.com");
//! assert_eq!(address.path, "/holiday/a%20b.jpg");
//! # Ok::<(), oss_endpoint::EndpointError>(())
//! ```
//!
//! [`EndpointOptions`] turns the switches of a client's configuration into one [`Endpoint`].
//!
//! | wanted | where |
//! | --- | --- |
//! | a region's public, internal, … host | [`Endpoint::public`] and its neighbours, [`Kind`] |
//! | which regions there are, and which hosts each has | [`Region::entry`], [`RegionEntry::all`] |
//! | the network of a finance region | [`EndpointOptions::finance_network`] |
//! | a host of one's own, an emulator, a private cloud | [`Endpoint::parse`] |
//! | the switches `use_internal_endpoint`, `use_cname`, … | [`EndpointOptions::resolve`] |
//! | what a person should know of a configuration | [`EndpointOptions::warnings`] |
//! | the cloud box that a host is of | [`Endpoint::cloud_box_id`], [`CloudBoxId`] |
//! | the region that a host is of | [`Endpoint::region`] |
//! | what other hosts a service has | [`Endpoint::is_same_service`] |
//! | bucket in the host, in the path, or known by the host | [`Addressing`] |
//! | what goes on the wire | [`Endpoint::address`] |
//!
//! The crate does no input or output, knows no clock, and no input makes it panic.

#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod text;

mod address;
mod bucket;
mod catalogue;
mod cloud_box;
mod encode;
mod endpoint;
mod error;
mod host;
mod key;
mod kind;
mod options;
mod realm;
mod region;
mod warning;

pub use address::Address;
pub use bucket::BucketName;
pub use catalogue::{Cloud, FinanceNetwork, HostSet, RegionEntry, RegionStatus};
pub use cloud_box::CloudBoxId;
pub use encode::{encode_component, encode_key, push_component};
pub use endpoint::{Addressing, Endpoint, Scheme};
pub use error::EndpointError;
pub use key::ObjectKey;
pub use kind::Kind;
pub use options::EndpointOptions;
pub use region::Region;
pub use warning::EndpointWarning;
