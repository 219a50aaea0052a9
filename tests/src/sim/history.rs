//! Every version that every key ever had, and which call made it. Nothing is forgotten, so that the oracle
//! can say of any bytes whether they were ever an object.

use bytes::Bytes;

use crate::sim::chance::{bytes, mix};
use crate::sim::schedule::{KEYS, Kind, Plan};

/// What the keys have held.
#[derive(Clone, Debug)]
pub struct History {
    keys: Vec<Vec<Version>>,
    /// The parts that were uploaded: by which call, with which number.
    pub parts: Vec<(u16, u8, Bytes)>,
    /// The uploads that were begun, by which call, with their ids.
    pub begun: Vec<(u16, String)>,
    /// The part that waits for each key, until it is completed.
    waiting: Vec<Option<Bytes>>,
    versions: u64,
}

/// What a key held for a time.
#[derive(Clone, Debug)]
pub struct Version {
    /// The object; `None` when it was deleted.
    pub bytes: Option<Bytes>,
    /// Its CRC-64.
    pub crc: u64,
    /// What its entity tag is made of besides.
    pub number: u64,
    /// Who made it.
    pub writer: u16,
    /// From when, in nanoseconds.
    pub from: u64,
    /// Until when.
    pub until: u64,
    /// Whether it can be appended to.
    pub is_appendable: bool,
    /// Whether it is made of a part.
    pub is_multipart: bool,
    /// The key that it stands for.
    pub target: Option<usize>,
    /// What its writer marked it with.
    pub nonce: Option<String>,
}

/// Who writes what no call of the schedule wrote.
pub const OTHERS: u16 = u16::MAX;

impl Version {
    /// The entity tag.
    pub fn tag(&self) -> String {
        let parts = if self.is_multipart { "-1" } else { "" };
        format!("\"{:016X}{:016X}{parts}\"", self.crc, self.number)
    }
}

impl History {
    /// What there is at first.
    pub fn new() -> Self {
        let mut history = Self {
            keys: KEYS.iter().map(|_| Vec::with_capacity(4)).collect(),
            parts: Vec::new(),
            begun: Vec::new(),
            waiting: KEYS.iter().enumerate().map(|(key, row)| row.part.map(|len| first(key, len))).collect(),
            versions: 0,
        };
        for (key, row) in KEYS.iter().enumerate() {
            if let Some(len) = row.len {
                history.put(key, first(key, len), OTHERS, 0);
                history.keys[key].iter_mut().for_each(|version| version.is_appendable = row.is_appendable);
            }
        }
        history
    }

    /// What the key holds now.
    pub fn current(&self, key: usize) -> Option<&Version> {
        self.keys[key].last().filter(|version| version.bytes.is_some())
    }

    /// What the key held at any time between these two.
    pub fn during(&self, key: usize, from: u64, until: u64) -> impl Iterator<Item = &Version> {
        self.keys[key].iter().filter(move |version| version.from <= until && version.until >= from)
    }

    /// How often anybody else deleted what the key held.
    pub fn removals_by_others(&self, key: usize, call: u16) -> usize {
        self.keys[key].iter().filter(|version| version.bytes.is_none() && version.writer != call).count()
    }

    /// The part that waits for the key.
    pub fn waiting(&self, key: usize) -> Option<&Bytes> {
        self.waiting[key].as_ref()
    }

    /// The key holds this from now on.
    pub fn put(&mut self, key: usize, bytes: Bytes, writer: u16, now: u64) {
        let crc = oss_crc::checksum(&bytes);
        self.push(key, Some(bytes), crc, writer, now);
    }

    /// The key holds nothing from now on.
    pub fn remove(&mut self, key: usize, writer: u16, now: u64) {
        if self.current(key).is_some() {
            self.push(key, None, 0, writer, now);
        }
    }

    /// The key holds this besides from now on, at its end.
    pub fn append(&mut self, key: usize, bytes: &Bytes, writer: u16, now: u64) {
        let current = self.current(key);
        let before = current.and_then(|version| version.bytes.clone()).unwrap_or_default();
        // The metadata stays that of the first append.
        let nonce = current.and_then(|version| version.nonce.clone());
        self.put(key, [&before[..], bytes].concat().into(), writer, now);
        self.last(key).for_each(|version| (version.is_appendable, version.nonce) = (true, nonce.clone()));
    }

    /// What the key holds now is marked with this.
    pub fn mark(&mut self, key: usize, nonce: &str) {
        self.last(key).for_each(|version| version.nonce = Some(nonce.to_owned()));
    }

    fn last(&mut self, key: usize) -> impl Iterator<Item = &mut Version> {
        self.keys[key].iter_mut().rev().take(1)
    }

    /// Whether what the call made of the key is a beginning of what it holds now.
    pub fn goes_on_from(&self, key: usize, call: u16) -> bool {
        let now = self.current(key).and_then(|version| version.bytes.as_ref());
        let made = self.keys[key].iter().filter(|version| version.writer == call);
        let mut made = made.filter_map(|version| version.bytes.as_ref());
        now.is_some_and(|now| made.any(|made| now.starts_with(made)))
    }

    fn push(&mut self, key: usize, bytes: Option<Bytes>, crc: u64, writer: u16, now: u64) {
        self.versions += 1;
        let versions = &mut self.keys[key];
        versions.iter_mut().rev().take(1).for_each(|version| version.until = now);
        let number = self.versions;
        let version = Version {
            bytes,
            crc,
            number,
            writer,
            from: now,
            until: u64::MAX,
            is_appendable: false,
            is_multipart: false,
            target: None,
            nonce: None,
        };
        versions.push(version);
    }

    /// What the service did for a call with this body.
    pub fn apply(&mut self, plan: &Plan, body: &Bytes, upload_id: Option<String>, now: u64) {
        let (key, writer) = (plan.key, plan.id);
        match plan.kind {
            Kind::Get | Kind::Head | Kind::List | Kind::Named(_) => {}
            Kind::Put | Kind::PutNew | Kind::PutCalled(_) => self.put(key, body.clone(), writer, now),
            Kind::Append => self.append(key, body, writer, now),
            Kind::Delete => self.remove(key, writer, now),
            Kind::DeleteMany => {
                self.remove(key, writer, now);
                self.remove((key + 1) % KEYS.len(), writer, now);
            }
            Kind::Copy(from) | Kind::CopyNew(from) => {
                let source = self.current(from).and_then(|version| version.bytes.clone());
                source.into_iter().for_each(|bytes| self.put(key, bytes, writer, now));
            }
            Kind::Link(target) => {
                self.put(key, Bytes::new(), writer, now);
                self.last(key).for_each(|version| version.target = Some(target));
            }
            Kind::Begin => self.begun.push((writer, upload_id.unwrap_or_default())),
            Kind::Part(number) => self.parts.push((writer, number, body.clone())),
            Kind::Complete => {
                let Some(bytes) = self.waiting[key].take() else { return };
                self.put(key, bytes, writer, now);
                self.last(key).for_each(|version| version.is_multipart = true);
            }
        }
    }
}

impl Default for History {
    fn default() -> Self {
        Self::new()
    }
}

/// What a key or its upload holds at first.
pub fn first(key: usize, len: u16) -> Bytes {
    bytes(mix(&[0, key as u64]), usize::from(len))
}
