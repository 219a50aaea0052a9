//! A streamed read: the exchange up to its head, then every byte of the body, checked as it passes.
//!
//! ```text
//!  Calling ──▶ Opened ──▶ Streaming ⇄ Delivering ──▶ Finished
//!                           ▲   │ the body broke        ▲
//!                           │   ▼                       │
//!                          Resuming ────────────────────┘
//! ```
//!
//! `Resuming` is an exchange again: the same call, with its attempts, its deadline and its budget, that asks
//! for what is missing.

mod resume;

use alloc::boxed::Box;
use alloc::format;
use alloc::string::ToString;
use alloc::sync::Arc;
use core::fmt;
use core::time::Duration;

use bytes::Bytes;
use oss_crc::Crc64;

use self::resume::Resume;
use crate::{
    Action, ByteRange, Call, ContentRange, CorruptBody, DeadlinePassed, Draft, Error, ErrorKind, Event,
    Exchange, GetObject, GetObjectOutput, InvalidRequest, InvalidValue, Ledger, Misuse, Now, Operation as _,
    ReadError, Reply, Service, Text as _, TransportError, Wait,
};

/// One streamed `GetObject`, from its value to its last verified byte, without IO.
///
/// The contract is that of [`Exchange`]; the two extra actions take no answer. The idle clock runs only from
/// `Read` to its answer, so a driver that polls late, because its consumer is slow, is never accused.
///
/// Success means: the range is the one asked for, the length is the one announced, and for a whole object the
/// CRC-64 is the one that OSS states. Bytes are delivered before the last check is made: do not take them for
/// the object until `Done` says so.
///
/// A body that breaks, stalls or ends early is gone on with, as a retry like any other: after
/// [`Event::Failed`] or [`Event::End`] the next actions are `Retry`, `Wait`, `Authenticate` and `Send` again.
/// The new request asks for exactly the bytes that are missing, and for those of the same object: by
/// `if-match` with its strong entity tag, or by its version. What is delivered is at any time a beginning of
/// one object. When the object was replaced or deleted meanwhile, the read ends with
/// [`ErrorKind::ObjectChanged`]. Without such a name, and for bodies that OSS makes on demand (processed
/// images, encodings), a read is begun anew if nothing was delivered, and else ends with what broke it.
/// A byte that came makes the policy count its attempts anew; there are at most 64 resumptions in all and at
/// most 3 in a row that bring nothing. A policy without retries allows none.
pub struct Fetch {
    exchange: Exchange<GetObject>,
    service: Service,
    asked: Asked,
    idle: Duration,
    operation_timeout: Option<Duration>,
    began: Option<Now>,
    state: State,
}

/// What of the object was asked for, as the request says it.
#[derive(Default)]
struct Asked {
    range: Option<ByteRange>,
    /// The body is made from the object: the checksum is not about it.
    is_processed: bool,
    /// An encoding was asked for that is not the object's own.
    may_be_encoded: bool,
}

enum State {
    Calling,
    Opened(Box<Reply<GetObjectOutput>>),
    Streaming(Streaming),
    Delivering(Streaming, Bytes),
    Resuming(Streaming, Resume),
    Finished(Option<Result<Reply<Verified>, Error>>),
}

struct Streaming {
    head: Reply<()>,
    awaiting: bool,
    expected: Option<u64>,
    theirs: Option<u64>,
    crc: Option<Crc64>,
    received: u64,
    /// Where in the object the first byte is, and how long the object is.
    first: u64,
    size: Option<u64>,
    /// The bytes are the object's own, not made from it.
    is_plain: bool,
    /// How much had been received when the last head came.
    received_before: u64,
    resumes: u32,
    /// The resumptions since the last byte came.
    barren: u32,
}

impl Asked {
    fn of(draft: &Draft) -> Result<Self, InvalidRequest> {
        let range = match draft.header("range") {
            None => None,
            Some(text) => Some(ByteRange::parse(text).ok_or_else(|| {
                let problem = format!("{text:?} is not one range of bytes, such as `bytes=0-99`");
                draft.invalid("range", InvalidValue::new(problem))
            })?),
        };
        Ok(Self {
            range,
            is_processed: draft.query.iter().any(|(name, _)| name == "x-oss-process"),
            may_be_encoded: draft.header("accept-encoding").is_some_and(|asked| asked != "identity"),
        })
    }
}

/// What to do next in a [`Fetch`].
#[derive(Debug)]
#[expect(clippy::exhaustive_enums, reason = "a driver is one complete match")]
#[expect(clippy::large_enum_variant, reason = "moved once, into the driver's match")]
pub enum FetchAction {
    /// As in an [`Exchange`].
    Call(Action<Verified>),
    /// The object is there; its bytes follow. No answer.
    Opened(Box<Reply<GetObjectOutput>>),
    /// The next bytes of the object. No answer.
    Deliver(Bytes),
}

/// What is known about the bytes of a finished [`Fetch`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Verified {
    /// How many bytes were delivered.
    pub bytes: u64,
    /// How they were checked.
    pub integrity: Integrity,
    /// How often the body broke and was gone on with.
    pub resumes: u32,
}

/// How a body was checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Integrity {
    /// Its CRC-64 is the one that OSS states.
    Crc64(u64),
    /// Its length is the one announced; the checksum is not about these bytes (a range, a processed image),
    /// is absent, or was not wanted.
    Length,
    /// Neither length nor checksum was given: it ended in an orderly way.
    Unverified,
}

impl Fetch {
    /// A read that has not begun.
    pub fn new(operation: &GetObject, service: &Service, call: Call) -> Self {
        Self::of(operation.draft(), service, call)
    }

    /// A read of a draft that was edited: an extra header, a parameter that the operation does not model.
    pub fn with_draft(draft: Draft, service: &Service, call: Call) -> Self {
        Self::of(Ok(draft), service, call)
    }

    fn of(draft: Result<Draft, InvalidRequest>, service: &Service, call: Call) -> Self {
        // What is checked is what was asked for on the wire, whoever wrote it there.
        let asked = draft.and_then(|draft| Ok((Asked::of(&draft)?, draft)));
        let (asked, draft) = match asked {
            Ok((asked, draft)) => (asked, Ok(draft)),
            Err(error) => (Asked::default(), Err(error)),
        };
        Self {
            asked,
            idle: call.idle_timeout.unwrap_or(service.timeouts.idle),
            operation_timeout: call.operation_timeout.or(service.timeouts.operation),
            exchange: Exchange::of(draft, service, call),
            service: service.clone(),
            began: None,
            state: State::Calling,
        }
    }

    /// What to do next.
    pub fn poll(&mut self, now: Now) -> FetchAction {
        self.began.get_or_insert(now);
        match core::mem::replace(&mut self.state, State::Finished(None)) {
            State::Calling => self.poll_exchange(now),
            State::Resuming(streaming, way) => self.poll_resuming(streaming, way, now),
            State::Opened(reply) => match self.open(&reply) {
                Ok(streaming) => {
                    self.state = State::Streaming(streaming);
                    FetchAction::Opened(reply)
                }
                Err(kind) => FetchAction::Call(Action::Done(Err(self.exchange.error(*kind)))),
            },
            State::Streaming(streaming) if streaming.awaiting => {
                let what = Misuse { what: "polled before it answered the last action", state: "Streaming" };
                FetchAction::Call(Action::Done(Err(self.exchange.error(ErrorKind::Misuse(what)))))
            }
            State::Streaming(mut streaming) => {
                if let Some(late) = self.late(now) {
                    return FetchAction::Call(Action::Done(Err(self.exchange.error(late))));
                }
                streaming.awaiting = true;
                self.state = State::Streaming(streaming);
                let deadline = now.mono.saturating_add(self.idle);
                let deadline = self.deadline().map_or(deadline, |end| deadline.min(end));
                FetchAction::Call(Action::Read { deadline })
            }
            State::Delivering(streaming, bytes) => {
                self.state = State::Streaming(streaming);
                FetchAction::Deliver(bytes)
            }
            State::Finished(Some(result)) => FetchAction::Call(Action::Done(result)),
            State::Finished(None) => {
                let what = Misuse { what: "polled again", state: "Finished" };
                FetchAction::Call(Action::Done(Err(self.exchange.error(ErrorKind::Misuse(what)))))
            }
        }
    }

    /// What came of it.
    pub fn handle(&mut self, event: Event, now: Now) {
        let state = core::mem::replace(&mut self.state, State::Finished(None));
        let (mut streaming, event) = match (state, event) {
            (State::Calling, event) => {
                self.state = State::Calling;
                return self.exchange.handle(event, now);
            }
            (State::Resuming(streaming, way), event) => {
                self.state = State::Resuming(streaming, way);
                return self.exchange.handle(event, now);
            }
            (State::Streaming(streaming), event) if streaming.awaiting => (streaming, event),
            (State::Finished(result), _) => {
                self.state = State::Finished(result);
                return;
            }
            _ => return self.misuse("reported an event that was not asked for"),
        };
        streaming.awaiting = false;
        match event {
            Event::Body(bytes) => self.receive(streaming, bytes),
            Event::End => match streaming.expected {
                Some(expected) if streaming.received < expected => {
                    let short = CorruptBody::Length { expected, actual: streaming.received };
                    self.break_off(streaming, ErrorKind::Corrupt(short), now);
                }
                _ => self.end(streaming),
            },
            // All that is due is here: a connection that breaks now takes nothing with it.
            Event::Failed(_) if streaming.expected == Some(streaming.received) => self.end(streaming),
            Event::Failed(failure) => {
                let is_timeout = matches!(failure.kind, oss_retry::FailureKind::Timeout);
                let transport = TransportError { kind: failure.kind, cause: failure.cause };
                match if is_timeout { self.late(now) } else { None } {
                    Some(late) => self.fail(late),
                    None => self.break_off(streaming, ErrorKind::Transport(transport), now),
                }
            }
            _ => self.misuse("answered an action with the event of another"),
        }
    }

    /// After the head arrived or the call failed: what was learned, for
    /// [`Shared::settle`](crate::Shared::settle).
    pub fn ledger(&mut self) -> Ledger {
        self.exchange.ledger()
    }

    /// An error that whoever takes the bytes found, with the evidence of this read: host, attempts, request
    /// id.
    pub fn error(&self, kind: ErrorKind) -> Error {
        self.exchange.error(kind)
    }

    fn poll_exchange(&mut self, now: Now) -> FetchAction {
        match pass_on(self.exchange.poll(now)) {
            Ok(action) => {
                self.state = State::Calling;
                FetchAction::Call(action)
            }
            Err(Ok(reply)) => {
                self.state = State::Opened(Box::new(reply));
                self.poll(now)
            }
            Err(Err(error)) => FetchAction::Call(Action::Done(Err(error))),
        }
    }

    /// Resuming → Streaming, once the rest has been opened.
    fn poll_resuming(&mut self, streaming: Streaming, way: Resume, now: Now) -> FetchAction {
        let ended = match pass_on(self.exchange.poll(now)) {
            Ok(action) => {
                self.state = State::Resuming(streaming, way);
                return FetchAction::Call(action);
            }
            Err(ended) => ended,
        };
        let error = match ended {
            Err(error) => match streaming.change_of(&error) {
                Some(changed) => self.exchange.error(changed),
                None => error,
            },
            Ok(reply) => match self.rejoin(&streaming, way, &reply) {
                Ok(()) => {
                    let head = Reply::new((), streaming.head.head.clone(), Arc::clone(&reply.attempts));
                    let received_before = streaming.received;
                    self.state = State::Streaming(Streaming { head, received_before, ..streaming });
                    return self.poll(now);
                }
                Err(kind) => self.exchange.error(*kind),
            },
        };
        FetchAction::Call(Action::Done(Err(error)))
    }

    /// Checks the head of a rest against the head of the beginning.
    fn rejoin(
        &self,
        streaming: &Streaming,
        way: Resume,
        reply: &Reply<GetObjectOutput>,
    ) -> Result<(), Box<ErrorKind>> {
        match way {
            Resume::Rest => streaming.check_rest(&reply.head),
            Resume::Anew => {
                let again = self.open(reply)?;
                streaming.check_same(&reply.head)?;
                if (again.expected, again.first, again.size)
                    == (streaming.expected, streaming.first, streaming.size)
                {
                    return Ok(());
                }
                let text = |length: Option<u64>| length.map_or_else(|| "none".into(), |n| n.to_string());
                Err(streaming.differs("length", text(streaming.expected), text(again.expected)))
            }
        }
    }

    /// Streaming → Resuming, when the rest can be asked for: the exchange decides whether it may be.
    fn break_off(&mut self, mut streaming: Streaming, kind: ErrorKind, now: Now) {
        let has_progressed = streaming.received > streaming.received_before;
        streaming.barren = if has_progressed { 0 } else { streaming.barren };
        let Some(way) = streaming.way_on() else { return self.fail(kind) };
        streaming.resumes = streaming.resumes.saturating_add(1);
        streaming.barren = streaming.barren.saturating_add(1);
        let head = &streaming.head.head;
        self.exchange.resume(kind, head, has_progressed, now, |draft| match way {
            Resume::Rest => streaming.ask_for_rest(draft),
            Resume::Anew => {}
        });
        self.state = State::Resuming(streaming, way);
    }

    /// Checks the head against what was asked, and says what to check the body against.
    fn open(&self, reply: &Reply<GetObjectOutput>) -> Result<Streaming, Box<ErrorKind>> {
        let head = &reply.head;
        let reply_error = |error| Box::new(ErrorKind::Reply(error));
        let length = head.content_length().map_err(reply_error)?;
        let range: Option<ContentRange> = head.field("content-range").map_err(reply_error)?;
        let (first, size) = match range.filter(|_| head.status == 206) {
            Some(range) => (range.first, Some(range.size)),
            None => (0, length),
        };
        let expected = match (self.asked.range, head.status, range) {
            (_, status, _) if status != 200 && status != 206 => {
                let got = head.status.to_string();
                return Err(reply_error(ReadError::value("the status 200 or 206", &got)));
            }
            (_, 206, None) => return Err(reply_error(ReadError::missing("content-range"))),
            (None, 206, _) => return Err(unexpected_range(self.asked.range, range)),
            (Some(asked), 206, Some(got)) => {
                if asked.select(got.size) != Some(got.first..got.last.saturating_add(1)) {
                    return Err(unexpected_range(self.asked.range, range));
                }
                Some((got.last - got.first).saturating_add(1))
            }
            // The whole object is no answer to a range, unless it is the range.
            (Some(asked), _, _) if length.is_none_or(|len| asked.select(len) != Some(0..len)) => {
                return Err(unexpected_range(self.asked.range, range));
            }
            _ => length,
        };
        if let (Some(expected), Some(actual)) = (expected, length)
            && expected != actual
        {
            return Err(Box::new(ErrorKind::Corrupt(CorruptBody::Length { expected, actual })));
        }
        let theirs = head.crc64().map_err(reply_error)?;
        let encoding = reply.output.content_encoding.as_deref().unwrap_or("identity");
        let is_encoded = self.asked.may_be_encoded && encoding != "identity";
        let is_plain = !self.asked.is_processed && !is_encoded;
        let is_whole = head.status != 206 && is_plain;
        let theirs = theirs.filter(|_| is_whole && self.service.checks_download_crc64);
        let attempts = Arc::clone(&reply.attempts);
        Ok(Streaming {
            head: Reply::new((), head.clone(), attempts),
            awaiting: false,
            expected,
            crc: theirs.map(|_| Crc64::new()),
            theirs,
            received: 0,
            first,
            size,
            is_plain: is_plain && !self.asked.may_be_encoded,
            received_before: 0,
            resumes: 0,
            barren: 0,
        })
    }

    /// Streaming → Delivering.
    fn receive(&mut self, mut streaming: Streaming, bytes: Bytes) {
        streaming.received = streaming.received.saturating_add(bytes.len() as u64);
        if let Some(expected) = streaming.expected.filter(|expected| streaming.received > *expected) {
            let actual = streaming.received;
            return self.fail(ErrorKind::Corrupt(CorruptBody::Length { expected, actual }));
        }
        if let Some(crc) = &mut streaming.crc {
            crc.update(&bytes);
        }
        self.state =
            if bytes.is_empty() { State::Streaming(streaming) } else { State::Delivering(streaming, bytes) };
    }

    /// Streaming → Finished: length and checksum are two checks, each made whatever the other says.
    fn end(&mut self, streaming: Streaming) {
        let Streaming { head, expected, theirs, crc, received, resumes, .. } = streaming;
        if let Some(expected) = expected.filter(|expected| received != *expected) {
            return self.fail(ErrorKind::Corrupt(CorruptBody::Length { expected, actual: received }));
        }
        let integrity = match (crc.map(|crc| crc.value()), theirs) {
            (Some(ours), Some(theirs)) if ours != theirs => {
                return self.fail(ErrorKind::Corrupt(CorruptBody::Crc64 { ours, theirs }));
            }
            (Some(ours), _) => Integrity::Crc64(ours),
            (None, _) if expected.is_some() => Integrity::Length,
            (None, _) => Integrity::Unverified,
        };
        let verified = Verified { bytes: received, integrity, resumes };
        self.state = State::Finished(Some(Ok(head.map(|()| verified))));
    }

    fn fail(&mut self, kind: ErrorKind) {
        self.state = State::Finished(Some(Err(self.exchange.error(kind))));
    }

    fn misuse(&mut self, what: &'static str) {
        self.fail(ErrorKind::Misuse(Misuse { what, state: "Streaming" }));
    }

    fn late(&self, now: Now) -> Option<ErrorKind> {
        let began = self.began?.mono;
        let after = now.mono.saturating_sub(began);
        let is_late = self.deadline().is_some_and(|deadline| now.mono >= deadline);
        is_late.then_some(ErrorKind::Deadline(DeadlinePassed { wait: Wait::Body, after }))
    }

    fn deadline(&self) -> Option<Duration> {
        Some(self.began?.mono.saturating_add(self.operation_timeout?))
    }
}

impl fmt::Debug for Fetch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match &self.state {
            State::Calling => return write!(f, "Fetch({:?})", self.exchange),
            State::Opened(_) => "Fetch(Opened)",
            State::Streaming(_) => "Fetch(Streaming)",
            State::Delivering(..) => "Fetch(Delivering)",
            State::Resuming(..) => return write!(f, "Fetch(Resuming {:?})", self.exchange),
            State::Finished(_) => "Fetch(Finished)",
        })
    }
}

/// The same action to the driver of the whole read, or how the exchange ended.
fn pass_on<T, U>(action: Action<T>) -> Result<Action<U>, Result<Reply<T>, Error>> {
    Ok(match action {
        Action::Authenticate { need, deadline } => Action::Authenticate { need, deadline },
        Action::Retry(proposal) => Action::Retry(proposal),
        Action::Send(transmit) => Action::Send(transmit),
        Action::Read { deadline } => Action::Read { deadline },
        Action::Wait { until } => Action::Wait { until },
        Action::Done(result) => return Err(result),
    })
}

fn unexpected_range(asked: Option<ByteRange>, got: Option<ContentRange>) -> Box<ErrorKind> {
    use crate::Text;
    let asked = asked.and_then(|range| range.text().ok().map(alloc::borrow::Cow::into_owned));
    Box::new(match got {
        None => ErrorKind::Corrupt(CorruptBody::Range {
            asked: asked.unwrap_or_default(),
            got: "the whole object".into(),
        }),
        Some(got) => ErrorKind::Corrupt(CorruptBody::Range {
            asked: asked.unwrap_or_else(|| "the whole object".into()),
            got: format!("bytes {}-{}/{}", got.first, got.last, got.size),
        }),
    })
}
