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
mod ops;
mod range;
mod reply;
mod request;
mod store;
mod tags;
mod time;
mod xml;

pub use blob::Body;
pub use config::Config;
pub use emulator::{BodyId, Emulator, Verdict};
pub use ops::{Callback, CallbackOutcome};
pub use reply::Reply;
pub use store::Object;
