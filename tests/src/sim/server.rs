//! The two peers of the world: the model, which is cheap, and the emulator that verifies every signature.
//! Both play the same deeds.

use core::time::Duration;
use std::io;

use bytes::Bytes;
use http::HeaderValue;
use oss_proto::{
    AppendObject, DeleteObject, InitiateMultipartUpload, PutObject, Transmit, UnixTime, UploadPart,
};

use crate::every::Site;
use crate::peer::{self, BUCKET, Deed, Peer, Play, Reading};
use crate::sim::history::{History, OTHERS, first};
use crate::sim::machine::Upload;
use crate::sim::model::{self, Asked};
use crate::sim::named::site;
use crate::sim::rare::Place;
use crate::sim::schedule::{KEYS, Kind, Plan};
use crate::world::EPOCH;

/// Which peer answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// The model.
    Scripted,
    /// The emulator.
    Emulated,
}

/// A peer.
pub(crate) enum Server {
    /// The model.
    Model {
        /// The requests that are on their way in.
        open: usize,
    },
    /// The emulator.
    Emulator(Box<Peer>),
}

/// A request on its way in.
pub(crate) enum Incoming {
    /// To the model.
    Model(Deed),
    /// To the emulator.
    Emulator(peer::Incoming),
}

/// The clock and the key of a peer at a moment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment<'a> {
    /// The time of the world, in nanoseconds.
    pub(crate) now: u64,
    /// What the peer's clock is ahead, in seconds.
    pub(crate) ahead_secs: i64,
    /// The access key that is taken.
    pub(crate) key_id: &'a str,
}

impl Moment<'_> {
    /// The true time since the Unix epoch.
    fn epoch(self) -> Duration {
        EPOCH.saturating_add(Duration::from_nanos(self.now))
    }

    fn wall(self) -> UnixTime {
        let secs = i64::try_from(self.epoch().as_secs()).unwrap_or(i64::MAX);
        UnixTime::from_secs(secs).saturating_add(self.ahead_secs)
    }
}

impl Server {
    /// A request's head has come.
    ///
    /// # Errors
    /// When it is no HTTP.
    pub(crate) fn begin(
        &mut self,
        transmit: &Transmit,
        deed: Deed,
        is_used: bool,
        moment: Moment<'_>,
    ) -> io::Result<(Incoming, Reading)> {
        match self {
            Self::Model { open } => {
                *open += 1;
                let reading = deed.reading();
                Ok((Incoming::Model(deed), reading))
            }
            Self::Emulator(peer) => {
                let request = &transmit.request;
                let target = request.uri().path_and_query().map_or("/", |target| target.as_str());
                let line = format!("{} {target} HTTP/1.1", request.method());
                let chunked = transmit.body.len().is_none().then(|| {
                    let mut headers = request.headers().clone();
                    headers.insert("transfer-encoding", HeaderValue::from_static("chunked"));
                    headers
                });
                peer.ahead_secs = moment.ahead_secs;
                peer.push_deed(deed);
                let headers = chunked.as_ref().unwrap_or_else(|| request.headers());
                let begun = peer.begin(&line, headers, is_used, moment.epoch())?;
                Ok((Incoming::Emulator(begun.0), begun.1))
            }
        }
    }

    /// As much of the body has come as was wanted, or as there will be. Says what follows, and whether
    /// something was done.
    pub(crate) fn finish(
        &mut self,
        incoming: Incoming,
        (plan, request): (&Plan, &http::Request<()>),
        body: &Body,
        history: &mut History,
        moment: Moment<'_>,
    ) -> (Play, bool) {
        match (self, incoming) {
            (Self::Model { open }, Incoming::Model(deed)) => {
                *open -= 1;
                let is_done = matches!(deed, Deed::Serve | Deed::Spoil(_) | Deed::Lose) && body.is_whole;
                let asked = Asked {
                    plan,
                    request,
                    body: &body.bytes,
                    is_intact: body.is_intact,
                    key_id: moment.key_id,
                    wall: moment.wall(),
                    now: moment.now,
                };
                let (answer, did) = match is_done.then(|| model::perform(&asked, history)) {
                    Some((answer, did)) => (Some(answer), did),
                    None => (None, false),
                };
                (deed.play(answer), did)
            }
            (Self::Emulator(peer), Incoming::Emulator(mut incoming)) => {
                incoming.push(&body.bytes);
                peer.ahead_secs = moment.ahead_secs;
                let play = peer.finish(incoming, body.is_whole, moment.epoch());
                let is_write = !matches!(*request.method(), http::Method::GET | http::Method::HEAD);
                let did = is_write && peer.served().is_some_and(|status| (200..300).contains(&status));
                if did {
                    let id = (plan.kind == Kind::Begin).then(|| new_upload(peer, history)).flatten();
                    history.apply(plan, &body.bytes, id, moment.now);
                }
                (play, did)
            }
            // A world has one peer.
            _ => (Play::Close, false),
        }
    }

    /// Another access key is taken instead of this one.
    pub(crate) fn rotate(&mut self, from: &str, to: &str) {
        if let Self::Emulator(peer) = self {
            peer.configure(|config| config.without_access_key(from).with_access_key(to, "secret"));
        }
    }

    /// Somebody else writes the object, or deletes it.
    pub(crate) fn store(&mut self, key: usize, bytes: Option<&Bytes>, moment: Moment<'_>) {
        let Self::Emulator(peer) = self else { return };
        match bytes {
            Some(bytes) => peer.store(KEYS[key].name, bytes, moment.epoch()),
            None => drop(peer.prepare(&DeleteObject::new(BUCKET, KEYS[key].name), moment.epoch())),
        }
    }

    /// Somebody else appends to the object.
    pub(crate) fn extend(&mut self, key: usize, position: u64, bytes: &Bytes, moment: Moment<'_>) {
        let Self::Emulator(peer) = self else { return };
        let append = AppendObject::new(BUCKET, KEYS[key].name, position, bytes.clone());
        drop(peer.prepare(&append, moment.epoch()));
    }

    /// What is wrong with what the peer holds, if it is not what it should be.
    pub(crate) fn disagrees(&self, history: &History) -> Option<String> {
        let Self::Emulator(peer) = self else { return None };
        let differs = KEYS.iter().enumerate().find(|(key, row)| {
            peer.content(row.name) != history.current(*key).and_then(|version| version.bytes.clone())
        })?;
        Some(format!("{} is not what was written last", differs.1.name))
    }

    /// How many requests are on their way in.
    pub(crate) fn open(&self) -> usize {
        match self {
            Self::Model { open } => *open,
            Self::Emulator(peer) => peer.open_bodies(),
        }
    }
}

/// The body of a request, as it came.
#[derive(Clone, Debug)]
pub(crate) struct Body {
    /// Its bytes.
    pub(crate) bytes: Bytes,
    /// They are all there.
    pub(crate) is_whole: bool,
    /// They are what was sent.
    pub(crate) is_intact: bool,
}

fn new_upload(peer: &Peer, history: &History) -> Option<String> {
    let is_known = |id: &str| history.begun.iter().any(|(_, known)| known == id);
    peer.uploads().into_iter().map(|(_, id)| id).find(|id| !is_known(id))
}

/// What a peer is at first, and the uploads that wait in it.
pub(crate) struct Base {
    peer: Option<Peer>,
    /// By key.
    pub(crate) uploads: Vec<Option<Upload>>,
    /// Where operations go that are called by their names.
    pub(crate) site: Site,
    history: History,
}

impl Base {
    /// What every schedule begins with.
    ///
    /// # Panics
    /// When the emulator does not take what everybody may put.
    pub(crate) fn new(which: Which) -> Self {
        let mut history = History::new();
        if which == Which::Scripted {
            let upload =
                |key, len| Upload { id: format!("UP{key}"), etag: "\"0\"".into(), bytes: first(key, len) };
            let uploads = KEYS.iter().enumerate().map(|(key, row)| row.part.map(|len| upload(key, len)));
            return Self { peer: None, uploads: uploads.collect(), site: Site::default(), history };
        }
        let mut peer = Peer::new([], false, EPOCH);
        // Of two domains that fit, the first one counts.
        let (one, two) = (Place::One.host(), Place::Two.host());
        peer.configure(|config| {
            config.with_access_key(key_id(0), "secret").with_domain(two).with_domain(one)
        });
        let mut uploads = Vec::new();
        for (key, row) in KEYS.iter().enumerate() {
            let bytes = row.len.map(|len| first(key, len));
            match bytes {
                Some(bytes) if row.is_appendable => {
                    let append = AppendObject::new(BUCKET, row.name, 0_u64, bytes);
                    peer.prepare(&append, EPOCH).expect("an append begins an object");
                }
                Some(bytes) => {
                    let put = PutObject::new(BUCKET, row.name, bytes);
                    peer.prepare(&put, EPOCH).expect("an object can be put");
                }
                None => {}
            }
            uploads.push(row.part.map(|len| begin_upload(&mut peer, row.name, first(key, len))));
        }
        let ids = uploads.iter().flatten().map(|upload: &Upload| (OTHERS, upload.id.clone()));
        history.begun.extend(ids);
        Self { peer: Some(peer), uploads, site: Site::default(), history }
    }

    /// With all that an operation can need.
    pub(crate) fn furnished(mut self) -> Self {
        self.site = self.peer.as_mut().map(site).unwrap_or_default();
        self
    }

    /// A peer as it is at first, and what is known of it.
    pub(crate) fn server(&self) -> (Server, History) {
        let server = match &self.peer {
            Some(peer) => Server::Emulator(Box::new(peer.clone())),
            None => Server::Model { open: 0 },
        };
        (server, self.history.clone())
    }
}

fn begin_upload(peer: &mut Peer, key: &str, bytes: Bytes) -> Upload {
    let begin = InitiateMultipartUpload::new(BUCKET, key);
    let id = peer.prepare(&begin, EPOCH).expect("an upload can be begun").upload_id;
    let part = UploadPart::new(BUCKET, key, id.clone(), 1_u32, bytes.clone());
    let etag = peer.prepare(&part, EPOCH).expect("a part can be uploaded").etag;
    let etag = etag.expect("a part has an entity tag");
    Upload { id, etag: etag.to_string(), bytes }
}

/// The access keys, one after the other.
pub(crate) fn key_id(rotations: u32) -> &'static str {
    KEY_IDS[usize::try_from(rotations).unwrap_or(0) % KEY_IDS.len()]
}

const KEY_IDS: [&str; 8] = ["KEY0", "KEY1", "KEY2", "KEY3", "KEY4", "KEY5", "KEY6", "KEY7"];
