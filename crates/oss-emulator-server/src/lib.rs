//! [`oss_emulator`] behind a loopback listener: an Alibaba Cloud OSS server for tests, in the same process.
//!
//! ```
//! use oss_emulator_server::{Config, Server};
//!
//! // On a thread of its own, for tests without a runtime; `Server::start` runs on the caller's.
//! let config = Config::new("cn-hangzhou").with_access_key("id", "secret");
//! let server = Server::start_on_thread(config)?;
//! server.create_bucket("examplebucket");
//! assert!(server.endpoint().starts_with("http://127.0.0.1:"));
//! // … point a client at `server.endpoint()` with path-style addressing …
//! assert_eq!(server.with(|emulator| emulator.objects("examplebucket").count()), 0);
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! The server stops when it is dropped. Host names that end in `.localhost` are virtual-host style
//! (`bucket.localhost`), IP addresses and `localhost` itself are path style.
//!
//! The same listener plays STS and the metadata service of an ECS instance, and serves a credentials URI; the
//! page of [`oss_emulator`] says how requests are told apart:
//!
//! ```
//! # use oss_emulator_server::{Config, Server};
//! let config = Config::new("cn-hangzhou")
//!     .with_access_key("id", "secret")
//!     .with_role("acs:ram::1234567890123456:role/writer")
//!     .with_ecs_role("writer");
//! let server = Server::start_on_thread(config)?;
//! // … give a client `server.address()` as the endpoint of STS and of the metadata service …
//! assert_eq!(server.with(|emulator| emulator.counters().assume_role), 0);
//! # Ok::<(), std::io::Error>(())
//! ```
#![forbid(unsafe_code)]

extern crate alloc;

mod body;
mod connection;
mod handle;
mod server;

pub use handle::Handle;
pub use oss_emulator::{
    Callback, CallbackOutcome, Config, Counters, Emulator, MetadataMode, Object, Role, StsRefusal, Verdict,
};
pub use server::Server;
