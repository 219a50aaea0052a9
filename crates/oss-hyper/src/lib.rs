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
mod body;
mod bucket;
mod client;
mod clock;
mod connect;
mod drive;
mod file;
mod object;
mod outgoing;
mod overrides;
mod pages;
mod pool;
mod provider;
mod retryer;
mod stream;
mod tls;
mod transport;

pub use account::Account;
pub use body::Body;
pub use bucket::Bucket;
pub use client::Client;
pub use drive::{drive, open};
pub use object::Object;
pub use overrides::Overrides;
pub use pages::Pages;
pub use provider::CredentialsProvider;
pub use retryer::Retryer;
pub use transport::{ResponseBody, Transport, TransportBuilder};

pub use oss_proto;
#[doc(no_inline)]
pub use oss_proto::*;

#[doc(no_inline)]
pub use oss_proto::Source::Environment;

/// An error of any kind, as hyper and its users pass it on.
pub type BoxError = Box<dyn core::error::Error + Send + Sync>;
