//! What a server is told to do to a request, and how that is written.

use serde_json::{Value, json};

/// One instruction of a script; each takes one request.
#[derive(Clone, Debug)]
pub(super) struct Instruction {
    pub(super) does: Does,
    /// The `Retry-After` of the answer as it is written, and as it is understood, in milliseconds.
    pub(super) retry_after: Option<(&'static str, Option<u64>)>,
}

/// What happens to a request whose fate follows from the rules alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Does {
    Serve,
    /// The work is done, and the connection closes after the answer, which does not announce it.
    ServeAndClose,
    /// Nothing is done, and this is the answer.
    Answer(u16, &'static str),
    /// The same after so many bytes of the request's body.
    Early(u64, u16, &'static str),
    /// The work is done, and the connection closes without an answer.
    Lose,
    /// The connection closes after so many bytes of the request's body; nothing is done.
    Close(u64),
    /// Nothing is done, and nothing is said.
    Silence,
    /// Nothing is done, and the status 200 says so in an error document.
    Under200(&'static str),
    /// The work is done, and the answer is 203.
    CallbackFails,
    /// The work is done, and the answer states the checksum of other bytes.
    Damage,
}

impl From<Does> for Instruction {
    fn from(does: Does) -> Self {
        Self { does, retry_after: None }
    }
}

impl Instruction {
    pub(super) fn json(&self) -> Value {
        let mut json = self.does.json();
        if let Some((text, _)) = self.retry_after {
            json["set"] = json!({"retry-after": text});
        }
        json
    }
}

impl Does {
    pub(super) fn json(self) -> Value {
        match self {
            Self::Serve => json!({"do": "serve"}),
            Self::ServeAndClose => json!({"do": "serve", "then": "close"}),
            Self::Answer(status, code) => answer(status, code),
            Self::Early(after, status, code) => {
                let mut early = answer(status, code);
                early["after_body_bytes"] = after.into();
                early
            }
            Self::Lose => json!({"do": "serve", "answer": "lost"}),
            Self::Close(after) => json!({"do": "close", "after_body_bytes": after}),
            Self::Silence => json!({"do": "silence"}),
            Self::Under200(code) => json!({"do": "answer", "status": 200, "code": code}),
            Self::CallbackFails => json!({"do": "serve", "status": 203, "code": "CallbackFailed"}),
            Self::Damage => json!({"do": "serve", "set": {"x-oss-hash-crc64ecma": "12345"}}),
        }
    }

    /// Whether nobody can know afterwards if the request had its effect.
    pub(super) fn leaves_doubt(self) -> bool {
        match self {
            Self::Lose | Self::Close(_) | Self::Silence => true,
            Self::Answer(status, code) => {
                (status >= 500 && !matches!(code, "SlowDown" | "NotImplemented")) || code == "RequestTimeout"
            }
            _ => false,
        }
    }

    /// For ids.
    pub(super) fn name(self) -> String {
        match self {
            Self::Serve => "served".into(),
            Self::ServeAndClose => "served-and-closed".into(),
            Self::Answer(status, "") => format!("{status}"),
            Self::Answer(status, code) => format!("{status}-{code}"),
            Self::Early(_, status, code) => format!("early-{status}-{code}"),
            Self::Lose => "lost".into(),
            Self::Close(after) => format!("closed-{after}"),
            Self::Silence => "silence".into(),
            Self::Under200(code) => format!("200-{code}"),
            Self::CallbackFails => "203-CallbackFailed".into(),
            Self::Damage => "damaged".into(),
        }
    }

    /// For people.
    pub(super) fn words(self) -> String {
        match self {
            Self::Serve => "is served".into(),
            Self::ServeAndClose => "is served, but the connection closes after it".into(),
            Self::Answer(status, "") => format!("gets {status} without a document"),
            Self::Answer(status, code) => format!("gets {status} {code}"),
            Self::Early(_, status, code) => format!("gets {status} {code} before its body has left"),
            Self::Lose => "is done, but its answer is lost".into(),
            Self::Close(_) => "is cut off and not done".into(),
            Self::Silence => "gets no answer and is not done".into(),
            Self::Under200(code) => format!("gets 200 with {code} in its body"),
            Self::CallbackFails => "is done, but its callback fails".into(),
            Self::Damage => "is done, but other bytes arrived".into(),
        }
    }

    /// The rows of the fault matrix.
    pub(super) fn rows(self) -> &'static [&'static str] {
        match self {
            Self::Answer(503, "SlowDown") | Self::Answer(429, _) => &["F19"],
            Self::Answer(403, "InvalidAccessKeyId" | "SecurityTokenExpired") => &["F24"],
            Self::Answer(403, "RequestTimeTooSkewed") => &["F21"],
            Self::Answer(403, _) => &["F25"],
            Self::Answer(301..=308, _) => &["F46"],
            Self::Answer(502 | 504, _) => &["F17"],
            Self::Answer(500..=599, _) => &["F18"],
            Self::Answer(..) => &["F26"],
            Self::Early(..) => &["F11"],
            Self::Close(_) => &["F07", "F08"],
            Self::Silence => &["F15", "F16"],
            Self::Under200(_) => &["F27"],
            Self::CallbackFails => &["F28"],
            Self::Damage => &["F42"],
            Self::ServeAndClose => &["F06"],
            Self::Lose | Self::Serve => &[],
        }
    }
}

/// An answer; without a code it has no document either.
fn answer(status: u16, code: &str) -> Value {
    let mut answer = json!({"do": "answer", "status": status});
    if !code.is_empty() {
        answer["code"] = code.into();
    }
    match status {
        301..=308 => answer["set"] = json!({"location": "http://elsewhere.example/a.txt"}),
        502 | 504 => answer["html"] = "<html><body>Bad Gateway</body></html>".into(),
        _ => {}
    }
    answer
}
