//! The three calls, and what a test may look at.

use alloc::borrow::ToOwned;
use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use bytes::Bytes;
use http::Method;
use http::request::Parts;

use crate::auth::{Identity, authenticate};
use crate::blob::Builder;
use crate::config::Config;
use crate::fault::Fault;
use crate::ids::Ids;
use crate::metadata;
use crate::ops::{Content, Context, Operation};
use crate::peers::{Counters, Desk, State};
use crate::reply::{Answer, Reply};
use crate::request::{Request, host};
use crate::store::{Bucket, History, Object, Store};
use crate::sts::{self, StsRefusal};

/// An OSS server without IO; see the crate's page for its three calls.
///
/// Time is an argument: `now` is the time since the Unix epoch. A clone is a snapshot, cheap where contents
/// are concerned.
#[derive(Clone, Debug)]
pub struct Emulator {
    config: Config,
    store: Store,
    ids: Ids,
    peers: State,
    open: BTreeMap<u64, Open>,
    next_body: u64,
}

/// What [`Emulator::begin`] says to the head of a request.
#[derive(Clone, Debug)]
#[allow(clippy::exhaustive_enums)] // A driver must handle both, and there is no third.
pub enum Verdict {
    /// The answer is known before the body: send it, read no body.
    Refuse(Reply),
    /// Push the body (which may be empty), then call [`Emulator::end`] or [`Emulator::abort`].
    Accept(BodyId),
}

/// Names a request whose body is on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BodyId(u64);

/// A request between `begin` and `end`, by the service that it is for.
#[derive(Clone, Debug)]
enum Open {
    Oss(Box<Exchange>),
    Sts(Box<sts::Call>),
}

/// A request to OSS between `begin` and `end`.
#[derive(Clone, Debug)]
struct Exchange {
    operation: Operation,
    identity: Identity,
    request: Request,
    request_id: String,
    received: u64,
    sink: Sink,
}

/// Where a body goes.
#[derive(Clone, Debug)]
enum Sink {
    Object(Builder),
    Document(Vec<u8>),
    /// The body is longer than the operation takes.
    Overflow {
        max: u64,
    },
}

impl Emulator {
    /// A server without buckets.
    pub fn new(config: Config) -> Self {
        let ids = Ids::new(config.seed);
        let (store, peers) = (Store::default(), State::default());
        Self { config, store, ids, peers, open: BTreeMap::new(), next_body: 1 }
    }

    /// Reads a request head: finds its operation, verifies its signature, and checks what can be checked
    /// without the body.
    pub fn begin(&mut self, head: &Parts, now: Duration) -> Verdict {
        if metadata::takes(head, &self.config) {
            return Verdict::Refuse(metadata::answer(head, &mut self.desk(now)));
        }
        if sts::takes(head, &self.config) {
            return self.accept(Open::Sts(Box::new(sts::Call::new(head))));
        }
        let request_id = self.ids.request_id();
        match self.admit(head, now, &request_id) {
            Ok(exchange) => self.accept(Open::Oss(Box::new(exchange))),
            Err(fault) => {
                let is_head = head.method == Method::HEAD;
                let answer = Answer::of_fault(&fault, &request_id, &host(head), is_head);
                Verdict::Refuse(answer.into_reply(&request_id, now, is_head))
            }
        }
    }

    /// Takes the next piece of a body. A piece for an id that is not open is dropped.
    pub fn push(&mut self, id: BodyId, bytes: Bytes) {
        let exchange = match self.open.get_mut(&id.0) {
            Some(Open::Oss(exchange)) => exchange,
            Some(Open::Sts(call)) => return call.push(&bytes),
            None => return,
        };
        // OSS cuts a body that is longer than it said (OSS document "PutObject").
        let wanted = exchange.request.content_length().unwrap_or(u64::MAX) - exchange.received;
        let bytes = if bytes.len() as u64 > wanted { bytes.slice(..wanted as usize) } else { bytes };
        exchange.received += bytes.len() as u64;
        let max = exchange.operation.body_max();
        if exchange.received > max {
            exchange.sink = Sink::Overflow { max };
        }
        match &mut exchange.sink {
            Sink::Object(builder) => builder.push(bytes),
            Sink::Document(document) => document.extend_from_slice(&bytes),
            Sink::Overflow { .. } => {}
        }
    }

    /// Does the work and answers. An id that is not open is answered with 500 `InternalError`.
    pub fn end(&mut self, id: BodyId, now: Duration) -> Reply {
        match self.open.remove(&id.0) {
            Some(Open::Oss(exchange)) => self.perform(*exchange, now),
            Some(Open::Sts(call)) => call.answer(&mut self.desk(now)),
            None => {
                let request_id = self.ids.request_id();
                let fault = Fault::new(500, "InternalError", "", "The driver ended a body that is not open.");
                Answer::of_fault(&fault, &request_id, "", false).into_reply(&request_id, now, false)
            }
        }
    }

    fn perform(&mut self, exchange: Exchange, now: Duration) -> Reply {
        let Exchange { operation, identity, request, request_id, received, sink } = exchange;
        let is_head = request.method == Method::HEAD;
        let content = match request.content_length() {
            Some(length) if received < length => {
                let why = "Your socket connection to the server was not read from within the timeout period.";
                Err(Fault::new(400, "RequestTimeout", "0017-00000704", why))
            }
            _ => sink.into_content(operation),
        };
        let answer = content.and_then(|content| {
            let mut context = Context {
                config: &self.config,
                store: &mut self.store,
                ids: &mut self.ids,
                request: &request,
                request_id: &request_id,
                identity,
                now,
            };
            operation.perform(&mut context, content)
        });
        answer
            .unwrap_or_else(|fault| Answer::of_fault(&fault, &request_id, &request.host, is_head))
            .into_reply(&request_id, now, is_head)
    }

    /// Forgets a request whose body will not come; nothing has happened.
    pub fn abort(&mut self, id: BodyId) {
        self.open.remove(&id.0);
    }

    /// The settings.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Changes the settings between requests, for example to rotate an access key. Stored data stays, and
    /// so do credentials that were handed out.
    pub fn configure(&mut self, change: impl FnOnce(Config) -> Config) {
        let issued = core::mem::take(&mut self.config.issued);
        self.config = change(self.config.clone());
        self.config.issued = issued;
    }

    /// Creates a private bucket; an existing one stays as it is. The name is not checked.
    pub fn create_bucket(&mut self, name: &str, now: Duration) {
        self.store.buckets.entry(name.to_owned()).or_insert_with(|| Bucket::new(now));
    }

    /// The names of all buckets, in order.
    pub fn bucket_names(&self) -> impl Iterator<Item = &str> {
        self.store.buckets.keys().map(String::as_str)
    }

    /// An object, if it exists.
    pub fn object(&self, bucket: &str, key: &str) -> Option<&Object> {
        self.store.buckets.get(bucket)?.current(key)
    }

    /// The versions of an object with their ids, the newest first; a delete marker has no object.
    pub fn versions(&self, bucket: &str, key: &str) -> impl Iterator<Item = (&str, Option<&Object>)> {
        let bucket = self.store.buckets.get(bucket);
        let history = bucket.and_then(|bucket| bucket.objects.get(key));
        let versions = history.into_iter().flat_map(History::newest_first);
        versions.map(|version| (version.id.as_str(), version.object()))
    }

    /// The objects of a bucket with their keys, in order; empty for a bucket that does not exist.
    pub fn objects(&self, bucket: &str) -> impl Iterator<Item = (&str, &Object)> {
        let bucket = self.store.buckets.get(bucket);
        bucket.into_iter().flat_map(Bucket::current_objects)
    }

    /// The unfinished multipart uploads of a bucket, as key and upload id.
    pub fn uploads(&self, bucket: &str) -> impl Iterator<Item = (&str, &str)> {
        let bucket = self.store.buckets.get(bucket);
        bucket
            .into_iter()
            .flat_map(|bucket| bucket.uploads.keys())
            .map(|(key, id)| (key.as_str(), id.as_str()))
    }

    /// How often STS, the metadata service and the credentials URI were called.
    pub fn counters(&self) -> Counters {
        self.peers.counters
    }

    /// Lets STS answer the next `calls` with a refusal, whoever calls and whatever for; 0 takes it back.
    pub fn refuse_sts(&mut self, refusal: StsRefusal, calls: u32) {
        self.peers.sts.refuse(refusal, calls);
    }

    /// Lets the metadata service and the credentials URI hand out new credentials at the next read, ahead of
    /// their time. The old ones stay valid until they expire.
    pub fn renew_credentials(&mut self) {
        self.peers.metadata.renew();
    }

    /// Forgets credentials that were handed out: OSS answers `InvalidAccessKeyId`. The metadata service goes
    /// on serving them, as it would. False when no such credentials were handed out.
    pub fn revoke(&mut self, access_key_id: &str) -> bool {
        self.config.issued.remove(access_key_id).is_some()
    }

    /// How many requests are between `begin` and `end`.
    pub fn open_bodies(&self) -> usize {
        self.open.len()
    }

    fn accept(&mut self, open: Open) -> Verdict {
        let id = self.next_body;
        self.next_body += 1;
        self.open.insert(id, open);
        Verdict::Accept(BodyId(id))
    }

    fn desk(&mut self, now: Duration) -> Desk<'_> {
        Desk { config: &mut self.config, ids: &mut self.ids, state: &mut self.peers, now }
    }

    fn admit(&mut self, head: &Parts, now: Duration, request_id: &str) -> Result<Exchange, Fault> {
        let request = Request::parse(head, &self.config)?;
        let identity = authenticate(&request, &self.config, now)?;
        request.target.check_names()?;
        let operation = Operation::of(&request)?;
        let context = Context {
            config: &self.config,
            store: &mut self.store,
            ids: &mut self.ids,
            request: &request,
            request_id,
            identity,
            now,
        };
        operation.check(&context)?;
        let sink = if operation.takes_object() {
            Sink::Object(Builder::default())
        } else {
            Sink::Document(Vec::new())
        };
        let request_id = request_id.to_owned();
        Ok(Exchange { operation, identity, request, request_id, received: 0, sink })
    }
}

impl Sink {
    fn into_content(self, operation: Operation) -> Result<Content, Fault> {
        match self {
            Self::Object(builder) => Ok(Content::Object(builder.finish())),
            Self::Document(document) => Ok(Content::Document(document)),
            Self::Overflow { max } if operation.takes_object() => Err(Fault::entity_too_large(max)),
            Self::Overflow { .. } => Err(Fault::malformed_xml("the document is too long")),
        }
    }
}

#[cfg(test)]
#[path = "emulator_tests.rs"]
mod tests;
