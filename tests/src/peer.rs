//! A scripted OSS: the emulator, and what goes wrong around it. No IO: a TCP server and the simulated world
//! both drive it, so that a fault means the same to both.

use alloc::collections::VecDeque;
use alloc::sync::Arc;
use core::fmt;
use core::time::Duration;
use std::io;

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, Method};
use oss_emulator::{BodyId, CallbackOutcome, Config, Emulator, Verdict};
use oss_proto::{
    Credentials, Endpoint, Operation, Payload, PutObject, Region, ReplyHead, Service, UnixTime, compose,
};

use crate::http1::Body;

/// What the peer does to the next request.
#[derive(Clone, Debug)]
pub enum Deed {
    /// The emulator answers.
    Serve,
    /// The emulator answers, and the answer is changed on its way.
    Spoil(Change),
    /// The emulator does the work, and the connection closes without an answer.
    Lose,
    /// Everything is read, nothing is done, and this is the answer.
    Answer(Answer),
    /// This is the answer as soon as so many bytes of the body are read; the rest is read and dropped.
    Early(u64, Answer),
    /// The connection closes once so many bytes of the body are read.
    Close(u64),
    /// Everything is read, nothing is done, and there is no answer.
    Hang,
    /// Nothing of the body is read.
    StopReading,
}

/// A change to an answer.
#[derive(Clone)]
pub struct Change(Arc<dyn Fn(&mut Answer) + Send + Sync>);

impl Deed {
    /// The emulator's answer, changed like this.
    pub fn spoil(change: impl Fn(&mut Answer) + Send + Sync + 'static) -> Self {
        Self::Spoil(Change(Arc::new(change)))
    }

    /// How much of the request's body is read first.
    pub fn reading(&self) -> Reading {
        match self {
            Self::Early(bytes, _) | Self::Close(bytes) => Reading::Some(*bytes),
            Self::StopReading => Reading::Some(0),
            _ => Reading::All,
        }
    }

    /// What follows on the request; `answer` is that of whoever did the work, if it was done.
    pub fn play(self, answer: Option<Answer>) -> Play {
        match (self, answer) {
            (Self::Serve, Some(answer)) => Play::Answer(Box::new(answer)),
            (Self::Spoil(change), Some(mut answer)) => {
                (change.0)(&mut answer);
                Play::Answer(Box::new(answer))
            }
            (Self::Answer(answer) | Self::Early(_, answer), _) => Play::Answer(Box::new(answer)),
            (Self::Hang | Self::StopReading, _) => Play::Hang,
            (Self::Serve | Self::Spoil(_) | Self::Lose | Self::Close(_), _) => Play::Close,
        }
    }
}

impl fmt::Debug for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Change")
    }
}

/// An answer, and how it travels.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The headers; a `content-length` here is sent instead of the true one.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Bytes,
    /// How its end is told.
    pub framing: Framing,
    /// How many bytes go at a time.
    pub piece: usize,
    /// What happens at the end.
    pub end: End,
    /// Answers of 1xx that come before it.
    pub interim: Vec<u16>,
}

/// How the end of a body is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// By `content-length`.
    Length,
    /// By chunks.
    Chunked,
    /// By closing the connection.
    Close,
}

/// How an answer ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// As it should; the connection may be used again.
    Whole,
    /// As it should, and then the connection closes.
    ThenClose,
    /// The connection closes after so many bytes of the body.
    Cut(u64),
    /// Nothing comes after so many bytes of the body.
    Stall(u64),
    /// The body is repeated for as long as the client reads.
    Never,
}

impl Answer {
    /// An answer without a body.
    pub fn new(status: u16) -> Self {
        Self {
            status,
            headers: vec![("x-oss-request-id".into(), "5F3A00000000000000000001".into())],
            body: Bytes::new(),
            framing: Framing::Length,
            piece: usize::MAX,
            end: End::Whole,
            interim: Vec::new(),
        }
    }

    /// An error document of OSS.
    pub fn error(status: u16, code: &str) -> Self {
        let document =
            format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?><Error><Code>{code}</Code></Error>");
        Self::new(status).header("content-type", "application/xml").body(document)
    }

    /// With this header besides.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// With this body.
    #[must_use]
    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self
    }

    /// Framed like this.
    #[must_use]
    pub fn framed(mut self, framing: Framing) -> Self {
        self.framing = framing;
        self
    }

    /// Ending like this.
    #[must_use]
    pub fn ending(mut self, end: End) -> Self {
        self.end = end;
        self
    }

    /// Replaces a header; `None` removes it.
    pub fn set(&mut self, name: &str, value: Option<&str>) {
        self.headers.retain(|(other, _)| other != name);
        self.headers.extend(value.map(|value| (name.to_owned(), value.to_owned())));
    }

    /// Frames the body otherwise than the answer came.
    pub fn reframe(&mut self, framing: Framing) {
        self.framing = framing;
        self.set("content-length", None);
    }

    /// What travels, in the pieces that it travels in.
    pub fn tape(&self, method: &Method) -> Tape {
        let is_bodyless = method == Method::HEAD || self.status == 204 || self.status == 304;
        let stated = self.headers.iter().find(|(name, _)| name == "content-length").map(|(_, value)| value);
        let mut head = String::new();
        for status in &self.interim {
            head.push_str(&format!("HTTP/1.1 {status} Soon\r\n\r\n"));
        }
        head.push_str(&format!("HTTP/1.1 {} Status\r\n", self.status));
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        match self.framing {
            _ if stated.is_some() || is_bodyless => {}
            Framing::Length => head.push_str(&format!("content-length: {}\r\n", self.body.len())),
            Framing::Chunked => head.push_str("transfer-encoding: chunked\r\n"),
            Framing::Close => head.push_str("connection: close\r\n"),
        }
        head.push_str("\r\n");
        let mut pieces = VecDeque::from([Bytes::from(head)]);
        let len = match self.end {
            End::Cut(at) | End::Stall(at) => self.body.len().min(usize::try_from(at).unwrap_or(usize::MAX)),
            End::Whole | End::ThenClose | End::Never => self.body.len(),
        };
        let is_chunked = self.framing == Framing::Chunked && !is_bodyless;
        // Unlike a stray body, that of an answer to HEAD would be the mistake of this peer.
        let len = if method == Method::HEAD { 0 } else { len };
        for piece in self.body.slice(..len).chunks(self.piece.max(1)) {
            pieces.push_back(if is_chunked { chunk(piece) } else { Bytes::copy_from_slice(piece) });
        }
        let is_true = is_bodyless || stated.is_none_or(|stated| *stated == self.body.len().to_string());
        let then = match self.end {
            End::Whole if self.framing != Framing::Close && is_true => Then::KeepAlive,
            End::Whole | End::ThenClose | End::Cut(_) => Then::Close,
            End::Stall(_) => Then::Stall,
            End::Never => Then::Repeat(pieces.back().cloned().unwrap_or_default()),
        };
        if is_chunked && matches!(self.end, End::Whole | End::ThenClose) {
            pieces.push_back(Bytes::from_static(b"0\r\n\r\n"));
        }
        Tape { pieces, then }
    }
}

fn chunk(piece: &[u8]) -> Bytes {
    let mut chunk = format!("{:x}\r\n", piece.len()).into_bytes();
    chunk.extend_from_slice(piece);
    chunk.extend_from_slice(b"\r\n");
    chunk.into()
}

/// An answer as the bytes that travel.
#[derive(Clone, Debug)]
pub struct Tape {
    /// The pieces in order; each travels in one go.
    pub pieces: VecDeque<Bytes>,
    /// What comes after them.
    pub then: Then,
}

/// What comes after an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Then {
    /// The next request.
    KeepAlive,
    /// The end of the connection.
    Close,
    /// Nothing.
    Stall,
    /// This piece, again and again.
    Repeat(Bytes),
}

/// What is done with a request whose head has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// Read the whole body, then ask what next.
    All,
    /// Read so many bytes of the body, or all of a shorter one, then ask what next.
    Some(u64),
}

/// What follows on the request.
#[derive(Clone, Debug)]
pub enum Play {
    /// This answer; then the rest of the request is read.
    Answer(Box<Answer>),
    /// The end of the connection.
    Close,
    /// Nothing.
    Hang,
}

/// The scripted OSS; a clone is a snapshot.
#[derive(Clone)]
pub struct Peer {
    emulator: Emulator,
    script: VecDeque<Deed>,
    log: Vec<String>,
    signatures: Vec<String>,
    watches_connections: bool,
    seen: usize,
    reading: usize,
    served: Option<u16>,
    /// What the peer's clock is ahead, in seconds.
    pub ahead_secs: i64,
}

/// A request on its way in.
#[derive(Debug)]
pub struct Incoming {
    deed: Deed,
    method: Method,
    line: String,
    is_chunked: bool,
    received: BytesMut,
    emulated: Option<Emulated>,
}

#[derive(Debug)]
enum Emulated {
    Open(BodyId),
    Refused(Box<oss_emulator::Reply>),
}

impl Peer {
    /// A peer with the bucket [`BUCKET`] and the access keys of [`credentials`] and [`temporary`].
    pub fn new(script: impl IntoIterator<Item = Deed>, watches_connections: bool, now: Duration) -> Self {
        let temporary_end = now.saturating_add(Duration::from_secs(3600));
        let config = Config::new(REGION)
            .with_access_key("AKID", SECRET)
            .with_temporary_key("STS.ID", STS_SECRET, TOKEN, temporary_end)
            .with_endpoint("http://oss-emulator.test")
            .with_callback(|callback| match callback.url.ends_with("/answers") {
                true => CallbackOutcome::Answered("{}".to_owned()),
                false => CallbackOutcome::Failed("the application cannot be reached".to_owned()),
            });
        let mut emulator = Emulator::new(config);
        emulator.create_bucket(BUCKET, now);
        let script = script.into_iter().collect();
        let (log, signatures, served) = (Vec::new(), Vec::new(), None);
        let (seen, reading, ahead_secs) = (0, 0, 0);
        Self { emulator, script, log, signatures, watches_connections, seen, reading, served, ahead_secs }
    }

    /// Puts an object into [`BUCKET`], past the script.
    pub fn store(&mut self, key: &str, content: &Bytes, now: Duration) {
        self.prepare(&PutObject::new(BUCKET, key, content.clone()).content_type("text/plain"), now);
    }

    /// Does this past the script; `None` when the emulator refuses it.
    ///
    /// # Panics
    /// When the operation cannot be expressed.
    pub fn prepare<O: Operation>(&mut self, operation: &O, now: Duration) -> Option<O::Output> {
        let region = Region::parse(REGION).expect("the region is a constant");
        let endpoint = Endpoint::parse("http://127.0.0.1").expect("the endpoint is a constant");
        let service = Service::new(endpoint).with_region(region);
        let wall = UnixTime::from_secs(i64::try_from(now.as_secs()).unwrap_or(i64::MAX));
        let draft = operation.draft().expect("what a scenario prepares is valid");
        let composed = compose(&draft, &service, &credentials(), wall);
        let (head, ()) = composed.expect("what a scenario prepares is valid").into_parts();
        let Verdict::Accept(id) = self.emulator.begin(&head, now) else { return None };
        if let Payload::Bytes(body) = draft.body {
            self.emulator.push(id, body);
        }
        let reply = self.emulator.end(id, now);
        let status = reply.head.status().as_u16();
        let head = ReplyHead::new(status, reply.head.headers().clone());
        (200..300).contains(&status).then(|| O::read(&head, &reply.body.into_bytes()).ok()).flatten()
    }

    /// What the peer does to the request after those that the script is about.
    pub fn push_deed(&mut self, deed: Deed) {
        self.script.push_back(deed);
    }

    /// Changes the settings of the emulator.
    pub fn configure(&mut self, change: impl FnOnce(Config) -> Config) {
        self.emulator.configure(change);
    }

    /// A request's head has come; `now` is the true time since the Unix epoch.
    ///
    /// # Errors
    /// When it is no HTTP.
    pub fn begin(
        &mut self,
        line: &str,
        headers: &HeaderMap,
        is_used_connection: bool,
        now: Duration,
    ) -> io::Result<(Incoming, Reading)> {
        let now = self.clock(now);
        let head = parts(line, headers)?;
        let mut line = format!("> {} {}", head.method, head.uri);
        self.signatures.extend(signature(headers));
        line.push_str(&identity(headers));
        if headers.contains_key("authorization") && !is_dated(headers, now) {
            line.push_str(", misdated");
        }
        if is_used_connection && self.watches_connections {
            line.push_str(", on a used connection");
        }
        let deed = self.script.pop_front().unwrap_or(Deed::Serve);
        let emulated = match deed {
            Deed::Serve | Deed::Spoil(_) | Deed::Lose => Some(match self.emulator.begin(&head, now) {
                Verdict::Accept(id) => Emulated::Open(id),
                Verdict::Refuse(reply) => Emulated::Refused(Box::new(reply)),
            }),
            _ => None,
        };
        let reading = deed.reading();
        let is_chunked = headers.contains_key("transfer-encoding");
        let method = head.method;
        self.seen += 1;
        self.reading += 1;
        Ok((Incoming { deed, method, line, is_chunked, received: BytesMut::new(), emulated }, reading))
    }

    /// As much of the body has been read as was wanted, or as came.
    pub fn finish(&mut self, incoming: Incoming, is_whole: bool, now: Duration) -> Play {
        let now = self.clock(now);
        let Incoming { deed, method: _, mut line, is_chunked, received, emulated } = incoming;
        match (is_whole, received.len()) {
            (true, 0) => {}
            (true, len) if is_chunked => line.push_str(&format!(", {len} bytes in chunks")),
            (true, len) => line.push_str(&format!(", {len} bytes")),
            (false, _) => line.push_str(BROKEN_OFF),
        }
        self.log.push(line);
        self.reading -= 1;
        let emulated = emulated.and_then(|emulated| match emulated {
            Emulated::Refused(reply) => Some(*reply),
            Emulated::Open(id) if is_whole => {
                self.emulator.push(id, received.freeze());
                Some(self.emulator.end(id, now))
            }
            Emulated::Open(id) => {
                self.emulator.abort(id);
                None
            }
        });
        self.served = emulated.as_ref().map(|reply| reply.head.status().as_u16());
        deed.play(emulated.map(answer_of))
    }

    /// The status that the emulator gave to the last request, whatever became of its answer.
    pub fn served(&self) -> Option<u16> {
        self.served
    }

    /// How many requests the emulator has begun and not ended.
    pub fn open_bodies(&self) -> usize {
        self.emulator.open_bodies()
    }

    /// What came, a line for each request, oldest first; each is told once.
    pub fn take_log(&mut self) -> Vec<String> {
        core::mem::take(&mut self.log)
    }

    /// The signatures of the requests that came; each is told once.
    pub fn take_signatures(&mut self) -> Vec<String> {
        core::mem::take(&mut self.signatures)
    }

    /// How many requests have come.
    pub fn seen(&self) -> usize {
        self.seen
    }

    /// Whether the body of a request is on its way.
    pub fn is_reading(&self) -> bool {
        self.reading > 0
    }

    /// The content of an object, if it exists.
    pub fn content(&self, key: &str) -> Option<Bytes> {
        self.emulator.object(BUCKET, key).map(|object| object.body().into_bytes())
    }

    /// The objects of [`BUCKET`] with their content, in the order of their keys.
    pub fn objects(&self) -> Vec<(String, Bytes)> {
        let objects = self.emulator.objects(BUCKET);
        objects.map(|(key, object)| (key.to_owned(), object.body().into_bytes())).collect()
    }

    /// The key and the id of each upload of [`BUCKET`] that was begun.
    pub fn uploads(&self) -> Vec<(String, String)> {
        self.emulator.uploads(BUCKET).map(|(key, id)| (key.to_owned(), id.to_owned())).collect()
    }

    /// What the bucket holds, a line for each object.
    pub fn holds(&self) -> Vec<String> {
        let objects = self.emulator.objects(BUCKET);
        let line = |(key, object): (&str, &oss_emulator::Object)| {
            format!("# {key}: {} bytes, crc {:016x}", object.size(), object.crc64())
        };
        let uploads = self.emulator.uploads(BUCKET).map(|(key, _)| format!("# {key}: an upload"));
        objects.map(line).chain(uploads).collect()
    }

    fn clock(&self, now: Duration) -> Duration {
        let by = Duration::from_secs(self.ahead_secs.unsigned_abs());
        if self.ahead_secs < 0 { now.saturating_sub(by) } else { now.saturating_add(by) }
    }
}

impl Incoming {
    /// The next bytes of the body.
    pub fn push(&mut self, bytes: &[u8]) {
        self.received.extend_from_slice(bytes);
    }

    /// How many bytes of the body have come.
    pub fn received(&self) -> u64 {
        self.received.len() as u64
    }

    /// The request's method.
    pub fn method(&self) -> &Method {
        &self.method
    }

    /// The body that follows the head.
    ///
    /// # Errors
    /// When its length cannot be told.
    pub fn body(headers: &HeaderMap) -> io::Result<Body> {
        Body::of_request(headers)
    }
}

/// The permanent access key of the peer.
pub fn credentials() -> Credentials {
    Credentials::new("AKID", SECRET).expect("the key is a constant")
}

/// The temporary access key of the peer.
pub fn temporary() -> Credentials {
    let plain = Credentials::new("STS.ID", STS_SECRET);
    plain.and_then(|plain| plain.with_token(TOKEN)).expect("the key is a constant")
}

fn parts(line: &str, headers: &HeaderMap) -> io::Result<http::request::Parts> {
    let invalid = || io::Error::new(io::ErrorKind::InvalidData, "no request line");
    let mut words = line.split(' ');
    let (Some(method), Some(target)) = (words.next(), words.next()) else { return Err(invalid()) };
    let request = http::Request::builder().method(method).uri(target).body(()).map_err(|_| invalid())?;
    let (mut head, ()) = request.into_parts();
    head.headers = headers.clone();
    Ok(head)
}

fn identity(headers: &HeaderMap) -> String {
    let access = match (headers.get("authorization"), headers.contains_key("x-oss-security-token")) {
        (Some(value), false) if value.as_bytes().starts_with(b"OSS4-HMAC-SHA256 ") => " signed",
        (Some(value), true) if value.as_bytes().starts_with(b"OSS4-HMAC-SHA256 ") => " signed with a token",
        (Some(_), _) => " signed otherwise",
        (None, _) => " anonymous",
    };
    let mut text = String::from(access);
    for name in SHOWN_HEADERS {
        for value in headers.get_all(*name) {
            text.push_str(&format!(", {name}: {}", String::from_utf8_lossy(value.as_bytes())));
        }
    }
    text
}

/// The signature of the header, V4 or V1.
fn signature(headers: &HeaderMap) -> Option<String> {
    let value = headers.get("authorization")?.to_str().ok()?;
    let (_, signature) = value.rsplit_once("Signature=").or_else(|| value.rsplit_once(':'))?;
    Some(signature.to_owned())
}

/// Whether the signature's date is that of the peer's clock, give or take a minute.
fn is_dated(headers: &HeaderMap, now: Duration) -> bool {
    let date = headers.get("x-oss-date").and_then(|date| date.to_str().ok());
    let date = date.and_then(UnixTime::parse_iso_basic);
    date.is_some_and(|date| date.as_secs().abs_diff(i64::try_from(now.as_secs()).unwrap_or(i64::MAX)) <= 60)
}

fn answer_of(reply: oss_emulator::Reply) -> Answer {
    let text = |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let headers = reply.head.headers().iter().map(|(name, value)| (name.as_str().to_owned(), text(value)));
    Answer {
        headers: headers.collect(),
        body: reply.body.into_bytes(),
        ..Answer::new(reply.head.status().as_u16())
    }
}

/// The bucket that every peer has.
pub const BUCKET: &str = "bucket";
/// How the line of a request ends whose body did not come in full.
pub const BROKEN_OFF: &str = ", part of its body";
/// The secrets of the access keys: like none of the words that are shown, so that they can be looked for.
pub const SECRET: &str = "Kq7vT2mZx9Rb4WcY8nLpD3sHj6FgUe";
/// That of the temporary key.
pub const STS_SECRET: &str = "h5Zr8JkXw2PtVq9GmNb6Ys3DfLc7Ta";
/// The token of the temporary key, with what must be encoded in a URL.
pub const TOKEN: &str = "CAIS/u3Q+kW9zLrY7vEb2/Xs8MfTn4Gp+Jd6Hc==";
/// The region that signatures are for.
pub const REGION: &str = "cn-hangzhou";
/// Headers that a transcript shows, because a scenario may be about them.
const SHOWN_HEADERS: &[&str] =
    &["range", "x-oss-copy-source", "x-oss-forbid-overwrite", "if-match", "if-none-match"];
