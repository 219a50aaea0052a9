//! A client for Alibaba Cloud OSS on tokio and hyper, over the machines of `oss-proto`.
//!
//! ```
//! use core::time::Duration;
//! use oss_hyper::{Bucket, Credentials, Endpoint, GetObject, PutBucket, Region, Service};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn core::error::Error>> {
//! // Against OSS itself: `Bucket::connect("cn-hangzhou", "examplebucket", oss_hyper::Environment)?`.
//! # let config = oss_emulator_server::Config::new("cn-hangzhou").with_access_key("id", "secret");
//! # let server = oss_emulator_server::Server::start(config).await?;
//! # let endpoint = server.endpoint();
//! let service = Service::new(Endpoint::parse(&endpoint)?).with_region(Region::parse("cn-hangzhou")?);
//! let client = oss_hyper::Client::new(service, Credentials::new("id", "secret")?);
//! let bucket = client.bucket("examplebucket")?;
//!
//! bucket.send(PutBucket::here()).await?;
//! bucket.put("example.txt", "hello").await?;
//! let text = bucket.get("example.txt").await?.text().await?;
//! assert_eq!(text, "hello");
//!
//! let url = bucket.presign(GetObject::to("example.txt"), Duration::from_secs(900)).await?;
//! assert!(url.to_string().ends_with("/examplebucket/example.txt?***")); // prints without its signature
//! # Ok(())
//! # }
//! ```
//!
//! Everything of `oss-proto` is here as well, so this is the one crate to name. What takes part in a call,
//! from the outside in: [`Bucket`] and [`Client`] are the verbs; [`drive`] is the loop around an
//! [`Exchange`], generic over any function that sends; [`Transport`] is the one of this
//! crate; [`Account`] is what calls share.
#![forbid(unsafe_code)]

extern crate alloc;

mod account;
mod bandwidth;
mod body;
mod bucket;
mod builder;
mod client;
mod clock;
mod config;
mod connect;
mod dial;
mod drive;
mod entries;
mod file;
mod lookup;
mod no_proxy;
mod object;
mod outgoing;
mod overrides;
mod own;
mod pages;
mod pool;
mod provider;
mod proxy;
mod response;
mod retryer;
mod stream;
mod tls;
mod trace;
pub mod transfer;
mod transport;
mod tunnel;
#[cfg(feature = "rustls")]
mod unverified;

pub use account::Account;
pub use body::Body;
pub use bucket::Bucket;
pub use builder::TransportBuilder;
pub use client::Client;
pub use config::Config;
pub use drive::{drive, open};
pub use entries::ListEntries;
pub use object::Object;
pub use outgoing::RequestBody;
pub use overrides::Overrides;
pub use pages::Pages;
pub use provider::CredentialsProvider;
pub use proxy::{Proxy, ProxyError};
pub use response::ResponseBody;
pub use retryer::Retryer;
pub use tls::TlsVersion;
pub use transport::Transport;

pub use oss_proto;
#[doc(no_inline)]
pub use oss_proto::*;

pub use oss_credentials;
#[doc(no_inline)]
pub use oss_credentials::{
    CliProfile, CredentialsUri, EcsRole, IniProfile, OidcRole, Process, RamRole, Source, StsEndpoint,
    StsSignature, Trail,
};
#[doc(no_inline)]
pub use oss_proto::Source::Environment;

/// An error of any kind, as hyper and its users pass it on.
pub type BoxError = Box<dyn core::error::Error + Send + Sync>;
