//! The machines of every kind of call behind one face, so that the driver is one `match`.

use bytes::Bytes;
use oss_proto::ops::CompletedPart;
use oss_proto::{
    Action, AppendObject, Call, Callback, CompleteMultipartUpload, CopyObject, CopySource,
    DeleteMultipleObjects, DeleteObject, ETag, Event, Exchange, Fetch, FetchAction, GetObject, HeadObject,
    InitiateMultipartUpload, Ledger, ListObjectsV2, Now, Operation, Payload, PutObject, PutSymlink, Replay,
    Service, UploadPart, Verified, ops,
};

use crate::every::Site;
use crate::peer::BUCKET;
use crate::sim::named::named;
use crate::sim::schedule::{KEYS, Kind, Plan, Source};

/// What a call gives, as far as the oracle asks.
#[derive(Debug)]
pub(crate) enum Yield {
    /// A read to the end.
    Read(Verified),
    /// What is said of an object: its length and its CRC-64.
    Told(Option<u64>, Option<u64>),
    /// The keys of a list.
    Listed(Vec<String>),
    /// The id of a new upload.
    Begun(String),
    /// It is done.
    Done,
}

/// What to do next.
#[expect(clippy::large_enum_variant, reason = "moved once, into the driver's match")]
pub(crate) enum Next {
    /// What every machine asks for.
    Act(Action<Yield>),
    /// The head of a streamed answer is good.
    Opened,
    /// Bytes of a streamed answer.
    Deliver(Bytes),
}

/// A call, whatever its kind.
pub(crate) trait Machine {
    /// What to do next.
    fn poll(&mut self, now: Now) -> Next;
    /// What came of it.
    fn handle(&mut self, event: Event, now: Now);
    /// What was learned.
    fn ledger(&mut self) -> Ledger;
}

struct Whole<O: Operation>(Exchange<O>, fn(O::Output) -> Yield);

impl<O: Operation> Machine for Whole<O> {
    fn poll(&mut self, now: Now) -> Next {
        Next::Act(with_output(self.0.poll(now), self.1))
    }

    fn handle(&mut self, event: Event, now: Now) {
        self.0.handle(event, now);
    }

    fn ledger(&mut self) -> Ledger {
        self.0.ledger()
    }
}

impl Machine for Fetch {
    fn poll(&mut self, now: Now) -> Next {
        match Self::poll(self, now) {
            FetchAction::Call(action) => Next::Act(with_output(action, Yield::Read)),
            FetchAction::Opened(_) => Next::Opened,
            FetchAction::Deliver(bytes) => Next::Deliver(bytes),
        }
    }

    fn handle(&mut self, event: Event, now: Now) {
        Self::handle(self, event, now);
    }

    fn ledger(&mut self) -> Ledger {
        Self::ledger(self)
    }
}

fn with_output<T>(action: Action<T>, read: impl FnOnce(T) -> Yield) -> Action<Yield> {
    match action {
        Action::Authenticate { need, deadline } => Action::Authenticate { need, deadline },
        Action::Retry(proposal) => Action::Retry(proposal),
        Action::Send(transmit) => Action::Send(transmit),
        Action::Read { deadline } => Action::Read { deadline },
        Action::Wait { until } => Action::Wait { until },
        Action::Done(result) => Action::Done(result.map(|reply| reply.map(read))),
    }
}

/// An upload that a peer has had from the start.
#[derive(Clone, Debug)]
pub(crate) struct Upload {
    /// Its id.
    pub(crate) id: String,
    /// The entity tag of its part.
    pub(crate) etag: String,
    /// Its part.
    pub(crate) bytes: Bytes,
}

/// The machine of a call. `content` is its content, `at_first` what its key held when the world began, and
/// `site` is where operations go that are called by their names.
pub(crate) fn machine(
    plan: &Plan,
    service: &Service,
    call: Call,
    content: &Bytes,
    (uploads, at_first, site): (&[Option<Upload>], &Bytes, &Site),
) -> Box<dyn Machine> {
    let key = KEYS[plan.key].name;
    let none = || Upload { id: "none".into(), etag: "\"\"".into(), bytes: Bytes::new() };
    let upload = || uploads[plan.key].clone().unwrap_or_else(none);
    match plan.kind {
        Kind::Get => {
            let mut get = GetObject::new(BUCKET, key);
            get.range = plan.span.map(crate::sim::schedule::Span::range);
            Box::new(Fetch::new(&get, service, call))
        }
        Kind::Head => whole(&HeadObject::new(BUCKET, key), service, call, |head| {
            Yield::Told(head.content_length, head.crc64)
        }),
        Kind::List => whole(&ListObjectsV2::new(BUCKET), service, call, |page| {
            Yield::Listed(page.contents.into_iter().map(|object| object.key).collect())
        }),
        Kind::Put | Kind::PutNew | Kind::PutCalled(_) => {
            let put = PutObject::new(BUCKET, key, payload(plan, content));
            let called = |url| Callback::new(url, "key=${object}");
            let put = match plan.kind {
                Kind::PutNew => put.forbid_overwrite(true),
                Kind::PutCalled(true) => put.callback(called("http://app.example/answers")),
                Kind::PutCalled(false) => put.callback(called("http://app.example/fails")),
                _ => put,
            };
            whole(&put, service, call, done)
        }
        Kind::Append => {
            let append = AppendObject::new(BUCKET, key, at_first.len() as u64, payload(plan, content));
            whole(&append.initial_crc64(oss_crc::checksum(at_first)), service, call, done)
        }
        Kind::Delete => whole(&DeleteObject::new(BUCKET, key), service, call, done),
        Kind::Copy(from) | Kind::CopyNew(from) => {
            let copy = CopyObject::new(BUCKET, key, CopySource::new(BUCKET, KEYS[from].name));
            let is_new = matches!(plan.kind, Kind::CopyNew(_));
            whole(&if is_new { copy.forbid_overwrite(true) } else { copy }, service, call, done)
        }
        Kind::Link(target) => {
            let link = PutSymlink::new(BUCKET, key, KEYS[target].name).forbid_overwrite(true);
            whole(&link, service, call, done)
        }
        Kind::Begin => whole(&InitiateMultipartUpload::new(BUCKET, key), service, call, |begun| {
            Yield::Begun(begun.upload_id)
        }),
        Kind::Part(number) => {
            let body = payload(plan, content);
            whole(&UploadPart::new(BUCKET, key, upload().id, u32::from(number), body), service, call, done)
        }
        Kind::Complete => {
            let Upload { id, etag, bytes } = upload();
            let parts = vec![CompletedPart::new(1_u32, ETag::from(etag.as_str()))];
            let mut complete = CompleteMultipartUpload::new(BUCKET, key, id).parts(parts);
            if plan.knows_object() {
                complete = complete.size(bytes.len() as u64).crc64(oss_crc::checksum(&bytes));
            }
            whole(&complete, service, call, done)
        }
        Kind::DeleteMany => {
            let keys = [key, KEYS[(plan.key + 1) % KEYS.len()].name];
            whole(&DeleteMultipleObjects::new(BUCKET, keys), service, call, done)
        }
        Kind::Named(place) => named(ops::ALL[place], site, service, call),
    }
}

/// Of an answer, that it came.
pub(super) fn done<T>(_: T) -> Yield {
    Yield::Done
}

/// The machine of an operation whose answer is read as a whole.
pub(super) fn whole<O: Operation + 'static>(
    operation: &O,
    service: &Service,
    call: Call,
    read: fn(O::Output) -> Yield,
) -> Box<dyn Machine> {
    Box::new(Whole(Exchange::new(operation, service, call), read))
}

fn payload(plan: &Plan, content: &Bytes) -> Payload {
    match plan.body {
        Source::Memory => Payload::Bytes(content.clone()),
        Source::Stream { is_sized, is_replayable, surplus, .. } => {
            let said = (content.len() as u64).saturating_add_signed(-i64::from(surplus));
            let replay = if is_replayable { Replay::FromStart } else { Replay::Once };
            Payload::Stream { len: is_sized.then_some(said), replay }
        }
    }
}
