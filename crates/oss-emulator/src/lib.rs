//! An Alibaba Cloud OSS server as a function from request to answer: no clock, no socket, no file.
//!
//! [`Emulator`] takes one HTTP request in three steps, so that a driver can stream both ways and the emulator
//! can refuse before a body arrives: [`Emulator::begin`] reads the head, verifies the signature and either
//! refuses or hands out a [`BodyId`]; [`Emulator::push`] takes the body in pieces of any size;
//! [`Emulator::end`] does the work and answers. Nothing is visible to other requests before `end`.
//! The time is an argument, and identifiers come from a seed: the same calls give the same answers, byte for
//! byte.
//!
//! It verifies signatures (OSS V4 and V1, in the header, in the URL and in a form) with a slow and obvious
//! implementation of its own, written from the documents. It keeps versions, appendable objects, links,
//! restorations, tags and the configuration documents of buckets. What it does not model it refuses with
//! `NotImplemented` (501): it never takes a sub-resource for a plain read or write.
//!
//! Beside OSS it plays the services that hand out credentials, and its OSS side takes what they hand out,
//! with every kind of signature, until it expires by the emulator's clock:
//!
//! - **STS**: `AssumeRole`, `AssumeRoleWithOIDC` and `GetCallerIdentity`, signed with RPC 1.0 or
//!   ACS3-HMAC-SHA256, each nonce taken once, answered in JSON or XML ([`Config::with_role`],
//!   [`Config::with_oidc_token`]). A request is one to STS when its host is one of STS, or when it is
//!   for `/` and has what no request to OSS has there: an `Action`, a header `x-acs-action`, an ACS3
//!   signature, a form that is no upload.
//! - **The metadata service of an instance**: tokens, the role's name and its credentials, hardened by
//!   default ([`Config::with_ecs_role`], [`MetadataMode`]). A request is one to it when its host is
//!   `100.100.100.200`, or when its path begins with `/latest/api/` or `/latest/meta-data/` and it is not
//!   signed.
//! - **A credentials URI**: temporary credentials as JSON at one path, for a request that is not signed
//!   ([`Config::with_credentials_uri`]).
//!
//! [`Emulator::counters`] says how often they were called, [`Emulator::refuse_sts`] makes STS refuse, and
//! [`Emulator::revoke`] takes credentials back. Policies are checked for their grammar and not applied: every
//! identity that OSS knows is the owner.
//!
//! ```
//! use core::time::Duration;
//! use oss_emulator::{Config, Emulator, Verdict};
//!
//! let mut emulator = Emulator::new(Config::new("cn-hangzhou").with_access_key("id", "secret"));
//! let now = Duration::from_secs(1_700_000_000); // since the Unix epoch
//! emulator.create_bucket("examplebucket", now);
//!
//! let request = http::Request::get("http://127.0.0.1/examplebucket/hello.txt").body(()).unwrap();
//! let (head, ()) = request.into_parts();
//! let Verdict::Refuse(reply) = emulator.begin(&head, now) else { panic!("anonymous calls are refused") };
//! assert_eq!(reply.head.status(), 403);
//! let text = reply.body.into_bytes();
//! assert!(text.windows(25).any(|part| part == b"<Code>AccessDenied</Code>"));
//! ```
#![forbid(unsafe_code)]

extern crate alloc;

mod acl;
mod address;
mod auth;
mod blob;
mod conditional;
mod config;
mod crc;
mod emulator;
mod fault;
mod form;
mod ids;
mod json;
mod metadata;
mod ops;
mod peers;
mod range;
mod reply;
mod request;
mod store;
mod sts;
mod tags;
mod time;
mod xml;

pub use blob::Body;
pub use config::Config;
pub use emulator::{BodyId, Emulator, Verdict};
pub use metadata::MetadataMode;
pub use ops::{Callback, CallbackOutcome};
pub use peers::Counters;
pub use reply::Reply;
pub use store::Object;
pub use sts::{Role, StsRefusal};
