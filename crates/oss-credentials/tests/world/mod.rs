//! A cache with everything that it may ask about, for the scenarios.
#![allow(dead_code, reason = "each file of tests uses its part")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests are tests too")]

use alloc::collections::BTreeMap;
use core::time::Duration;

use oss_credentials::{
    Answer, CommandAnswer, CommandLookup, CredentialCache, CredentialError, Credentials, FileAnswer,
    HttpAnswer, HttpLookup, Lookup, Need, Secret, Source, Step,
};
use oss_sign::UnixTime;

pub(crate) type Server = Box<dyn FnMut(&HttpLookup, UnixTime) -> Answer>;

/// What stands for the machine that the program runs on; both clocks start at `EPOCH`.
pub(crate) struct World {
    pub(crate) cache: CredentialCache,
    pub(crate) mono: Duration,
    pub(crate) wall: UnixTime,
    pub(crate) env: BTreeMap<&'static str, String>,
    pub(crate) files: BTreeMap<String, Answer>,
    pub(crate) server: Server,
    pub(crate) command: Box<dyn FnMut(&CommandLookup) -> Answer>,
    /// All questions, in order.
    pub(crate) asked: Vec<Lookup>,
}

impl World {
    pub(crate) fn new(source: impl Into<Source>) -> Self {
        Self {
            cache: CredentialCache::new(source.into(), 7),
            mono: Duration::ZERO,
            wall: EPOCH,
            env: BTreeMap::new(),
            files: BTreeMap::new(),
            server: Box::new(|_, _| Answer::Unreachable),
            command: Box::new(|_| Answer::Absent),
            asked: Vec::new(),
        }
    }

    pub(crate) fn env(mut self, pairs: &[(&'static str, &str)]) -> Self {
        self.env.extend(pairs.iter().map(|(name, value)| (*name, (*value).to_owned())));
        self
    }

    pub(crate) fn file(mut self, path: &str, text: impl AsRef<[u8]>) -> Self {
        self.files.insert(path.to_owned(), Answer::File(FileAnswer::new(text.as_ref())));
        self
    }

    pub(crate) fn server(mut self, server: impl FnMut(&HttpLookup, UnixTime) -> Answer + 'static) -> Self {
        self.server = Box::new(server);
        self
    }

    /// A program that ends well and prints this.
    pub(crate) fn prints(mut self, text: &str) -> Self {
        let answer = Answer::Command(CommandAnswer::new(true, text));
        self.command = Box::new(move |_| answer.clone());
        self
    }

    pub(crate) fn pass(&mut self, secs: u64) {
        self.mono += Duration::from_secs(secs);
        self.wall = self.wall.saturating_add(i64::try_from(secs).unwrap());
    }

    pub(crate) fn reply(&mut self, lookup: &Lookup) -> Answer {
        match lookup {
            Lookup::Env(names) => Answer::Env(
                names.iter().map(|name| self.env.get(name).map(|text| Secret::from(text.as_str()))).collect(),
            ),
            Lookup::File(file) => self.files.get(&file.path).cloned().unwrap_or(Answer::Absent),
            Lookup::Http(http) => (self.server)(http, self.wall),
            Lookup::Command(command) => (self.command)(command),
            _ => Answer::Unavailable,
        }
    }

    pub(crate) fn obtain(&mut self) -> Result<Credentials, CredentialError> {
        for _ in 0..100 {
            match self.cache.poll(Need::until(self.wall), self.mono, self.wall) {
                Step::Ready(credentials) => return Ok(credentials),
                Step::Failed(error) => return Err(error),
                Step::Wait { .. } => panic!("waits for itself"),
                Step::Ask(ticket, lookup) => {
                    let answer = self.reply(&lookup);
                    self.asked.push(lookup);
                    self.cache.answer(ticket, answer, self.mono, self.wall);
                }
            }
        }
        panic!("asks for ever: {:?}", self.asked);
    }

    pub(crate) fn requests(&self) -> Vec<&HttpLookup> {
        let requests = self.asked.iter().map(|lookup| match lookup {
            Lookup::Http(http) => Some(http),
            _ => None,
        });
        requests.flatten().collect()
    }

    /// Method and URL of every request so far.
    pub(crate) fn urls(&self) -> Vec<String> {
        let requests = self.requests();
        requests.iter().map(|http| format!("{} {}", http.method, http.url().expose())).collect()
    }
}

/// The parameters of a form or of a query, decoded.
pub(crate) fn parameters(form: &str) -> BTreeMap<String, String> {
    let decode = |text: &str| {
        let mut bytes = Vec::new();
        let mut rest = text.bytes();
        while let Some(byte) = rest.next() {
            bytes.push(match byte {
                b'%' => {
                    let digits = [rest.next().unwrap(), rest.next().unwrap()];
                    u8::from_str_radix(core::str::from_utf8(&digits).unwrap(), 16).unwrap()
                }
                plain => plain,
            });
        }
        String::from_utf8(bytes).unwrap()
    };
    let pairs = form.split('&').map(|pair| pair.split_once('=').unwrap());
    pairs.map(|(name, value)| (decode(name), decode(value))).collect()
}

pub(crate) fn ok(body: &str) -> Answer {
    status(200, body)
}

pub(crate) fn status(status: u16, body: &str) -> Answer {
    Answer::Http(HttpAnswer::new(status, body))
}

/// What STS answers, with the AccessKey id `id`.
pub(crate) fn granted(id: &str, expiration: UnixTime) -> String {
    format!(
        r#"{{"RequestId":"R","AssumedRoleUser":{{"Arn":"a","AssumedRoleId":"1:s"}},"Credentials":{{
        "AccessKeyId":"{id}","AccessKeySecret":"{id}-secret","SecurityToken":"{id}-token",
        "Expiration":"{}"}}}}"#,
        expiration.iso_extended()
    )
}

/// What the metadata service and credentials URIs answer.
pub(crate) fn success(id: &str, expiration: UnixTime) -> String {
    format!(
        r#"{{"Code":"Success","LastUpdated":"2023-11-14T22:13:20Z","AccessKeyId":"{id}",
        "AccessKeySecret":"{id}-secret","SecurityToken":"{id}-token","Expiration":"{}"}}"#,
        expiration.iso_extended()
    )
}

/// What `granted` and `success` become.
pub(crate) fn temporary(id: &str, expiration: UnixTime) -> Credentials {
    let plain = Credentials::new(id, format!("{id}-secret")).unwrap();
    plain.with_token(format!("{id}-token")).unwrap().with_expiration(expiration)
}

pub(crate) const EPOCH: UnixTime = UnixTime::from_secs(1_700_000_000);
pub(crate) const ROLE: &str = "acs:ram::1234567890:role/example";

pub(crate) const OSS_KEYS: [(&str, &str); 2] = [("OSS_ACCESS_KEY_ID", "ak"), ("OSS_ACCESS_KEY_SECRET", "sk")];
