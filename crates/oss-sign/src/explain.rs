//! [`explain`]: why OSS computed another signature, from what it answers beside `SignatureDoesNotMatch`.

use alloc::{borrow::ToOwned, string::String, vec::Vec};
use core::fmt;

use crate::Signed;

/// What OSS says about its own computation in the document of a `SignatureDoesNotMatch`; empty where it says
/// nothing.
///
/// `Debug` shows none of it: a canonical request may hold a security token.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Theirs<'a> {
    /// `StringToSign`.
    pub string_to_sign: &'a str,
    /// `CanonicalRequest`, which V4 answers have.
    pub canonical_request: &'a str,
    /// `OSSAccessKeyId`.
    pub access_key_id: &'a str,
    /// `SignatureProvided`: the signature that arrived.
    pub signature_provided: &'a str,
}

impl fmt::Debug for Theirs<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Theirs").finish_non_exhaustive()
    }
}

/// Compares what OSS signed with what we signed, and names the first difference by rank: key, transport,
/// verb, date and scope, path, query, headers, payload.
///
/// `access_key_id` is the id that we signed with.
#[must_use]
pub fn explain(theirs: &Theirs<'_>, ours: &Signed<'_>, access_key_id: &str) -> Explanation {
    if !theirs.access_key_id.is_empty() && theirs.access_key_id != access_key_id {
        return Explanation::OtherKey;
    }
    if !theirs.signature_provided.is_empty() && theirs.signature_provided != ours.signature() {
        return Explanation::Changed;
    }
    let (their_text, our_text) = (lines(theirs.string_to_sign), lines(ours.string_to_sign()));
    if theirs.string_to_sign.is_empty() {
        return Explanation::Unknown;
    }
    if their_text == our_text {
        return Explanation::Secret;
    }
    if ours.canonical_request().is_empty() {
        return v1(&their_text, &our_text);
    }
    let pair = |index: usize| (line(&their_text, index), line(&our_text, index));
    let (their_canonical, our_canonical) = (lines(theirs.canonical_request), lines(ours.canonical_request()));
    let verbs = (line(&their_canonical, 0), line(&our_canonical, 0));
    if !theirs.canonical_request.is_empty() && verbs.0 != verbs.1 {
        return Explanation::Method(difference("method", verbs));
    }
    for (index, wrap) in [(1, Explanation::Date as fn(Difference) -> _), (2, Explanation::Scope)] {
        let (theirs, ours) = pair(index);
        if theirs != ours {
            return wrap(difference(if index == 1 { "date" } else { "scope" }, (theirs, ours)));
        }
    }
    if theirs.canonical_request.is_empty() {
        return Explanation::Unknown;
    }
    canonical(&their_canonical, &our_canonical)
}

/// Why the signatures differ, the parts of it that are no secret; `Display` says it in one sentence, with the
/// usual cause.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Explanation {
    /// OSS saw another access key id: the request was signed with other credentials than thought.
    OtherKey,
    /// The signature that arrived is not the one that was sent.
    Changed,
    /// Both signed the same text: the secrets differ.
    Secret,
    /// The methods differ.
    Method(Difference),
    /// The dates differ.
    Date(Difference),
    /// The scopes differ: day, region or product.
    Scope(Difference),
    /// The bucket or the key differs.
    Path(Difference),
    /// A parameter of the query differs.
    Query(Difference),
    /// A signed header differs.
    Header(Difference),
    /// The lists of additional headers differ.
    AdditionalHeaders(Difference),
    /// The digests of the payload differ.
    Payload(Difference),
    /// OSS did not say enough to tell.
    Unknown,
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OtherKey => f.write_str(
                "OSS saw another access key id than ours: another source of credentials was taken",
            ),
            Self::Changed => f.write_str(
                "the signature was changed on its way: look for a proxy, or a signature encoded twice",
            ),
            Self::Secret => f.write_str(
                "OSS signed the same text, so the secret is wrong: check it for white space, and that it \
                 belongs to this access key id",
            ),
            Self::Method(difference) => {
                write!(f, "{difference}: a CDN turned the method, or a link is used with another one")
            }
            Self::Date(difference) => {
                write!(f, "{difference}: a date was set after signing, or an old signature was sent again")
            }
            Self::Scope(difference) => {
                write!(f, "{difference}: give the region of the bucket without oss- and the right product")
            }
            Self::Path(difference) => write!(
                f,
                "{difference}: set CNAME addressing for a domain of your own, and encode the key once"
            ),
            Self::Query(difference) => {
                write!(f, "{difference}: the query was changed after signing, or encoded in another way")
            }
            Self::Header(difference) => write!(
                f,
                "{difference}: something between you and OSS, or your HTTP library, changed it after signing"
            ),
            Self::AdditionalHeaders(difference) => {
                write!(f, "{difference}: an additional header was dropped on the way; sign fewer")
            }
            Self::Payload(difference) => {
                write!(f, "{difference}: send the x-oss-content-sha256 that was signed")
            }
            Self::Unknown => f.write_str(
                "OSS did not say what it signed: check the secret, the region, the clock, and proxies",
            ),
        }
    }
}

/// What OSS has and what we have of one thing; `None` where it is missing, `***` where it is a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Difference {
    /// What it is: a header or parameter by its name, or a part of the request.
    pub name: String,
    /// What OSS computed with.
    pub theirs: Option<String>,
    /// What we computed with.
    pub ours: Option<String>,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, theirs, ours } = self;
        match (theirs, ours) {
            (Some(theirs), Some(ours)) => write!(f, "OSS saw {name} `{theirs}` where `{ours}` was signed"),
            (Some(theirs), None) => write!(f, "OSS saw {name} `{theirs}`, which was not signed"),
            (None, Some(ours)) => write!(f, "OSS did not see {name} `{ours}`, which was signed"),
            (None, None) => write!(f, "OSS saw another {name}"),
        }
    }
}

/// V1: method, MD5, type, date, headers of OSS, resource with its sub-resources.
fn v1(theirs: &[&str], ours: &[&str]) -> Explanation {
    let pair = |index: usize| (line(theirs, index), line(ours, index));
    if pair(0).0 != pair(0).1 {
        return Explanation::Method(difference("method", pair(0)));
    }
    if pair(3).0 != pair(3).1 {
        return Explanation::Date(difference("date", pair(3)));
    }
    let resources = (theirs.last().copied().unwrap_or_default(), ours.last().copied().unwrap_or_default());
    let (their_path, their_query) = resources.0.split_once('?').unwrap_or((resources.0, ""));
    let (our_path, our_query) = resources.1.split_once('?').unwrap_or((resources.1, ""));
    if their_path != our_path {
        return Explanation::Path(difference("path", (their_path, our_path)));
    }
    if let Some(difference) = query(their_query, our_query) {
        return Explanation::Query(difference);
    }
    for (index, name) in [(1, "content-md5"), (2, "content-type")] {
        let (theirs, ours) = pair(index);
        if theirs != ours {
            return Explanation::Header(named(name, non_empty(theirs), non_empty(ours)));
        }
    }
    match first_other(middle(theirs, 4, 1), middle(ours, 4, 1), ':') {
        Some(difference) => Explanation::Header(difference),
        None => Explanation::Unknown,
    }
}

/// V4: method, path, query, headers, an empty line, additional headers, payload.
fn canonical(theirs: &[&str], ours: &[&str]) -> Explanation {
    let pair = |index: usize| (line(theirs, index), line(ours, index));
    if pair(1).0 != pair(1).1 {
        return Explanation::Path(difference("path", pair(1)));
    }
    if let Some(difference) = query(pair(2).0, pair(2).1) {
        return Explanation::Query(difference);
    }
    if let Some(difference) = first_other(middle(theirs, 3, 3), middle(ours, 3, 3), ':') {
        return Explanation::Header(difference);
    }
    let from_end = |lines: &[&str], back: usize| lines.len().saturating_sub(back);
    let tail = |back| (line(theirs, from_end(theirs, back)), line(ours, from_end(ours, back)));
    if tail(2).0 != tail(2).1 {
        return Explanation::AdditionalHeaders(difference("the list of additional headers", tail(2)));
    }
    if tail(1).0 != tail(1).1 {
        return Explanation::Payload(difference("the payload", tail(1)));
    }
    Explanation::Unknown
}

fn query(theirs: &str, ours: &str) -> Option<Difference> {
    let theirs = theirs.split('&').filter(|pair| !pair.is_empty()).collect::<Vec<_>>();
    let ours = ours.split('&').filter(|pair| !pair.is_empty()).collect::<Vec<_>>();
    first_other(&theirs, &ours, '=')
}

/// The first line that one side has and the other has not or has otherwise, by its name.
fn first_other(theirs: &[&str], ours: &[&str], separator: char) -> Option<Difference> {
    let split = |line: &&str| -> (String, Option<String>) {
        match line.split_once(separator) {
            Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
            None => ((*line).to_owned(), Some(String::new())),
        }
    };
    let only = |these: &[&str], others: &[&str]| these.iter().find(|line| !others.contains(line)).map(split);
    let (their, our) = (only(theirs, ours), only(ours, theirs));
    let value_of = |lines: &[&str], name: &str| {
        lines.iter().map(split).find(|(other, _)| other == name).and_then(|(_, value)| value)
    };
    match (their, our) {
        (Some((name, value)), _) => {
            let ours = value_of(ours, &name);
            Some(named(&name, value.as_deref(), ours.as_deref()))
        }
        (None, Some((name, value))) => {
            let theirs = value_of(theirs, &name);
            Some(named(&name, theirs.as_deref(), value.as_deref()))
        }
        (None, None) => None,
    }
}

fn difference(name: &str, (theirs, ours): (&str, &str)) -> Difference {
    named(name, Some(theirs), Some(ours))
}

fn named(name: &str, theirs: Option<&str>, ours: Option<&str>) -> Difference {
    let lower = name.to_ascii_lowercase();
    let secret = SECRET_NAMES.iter().any(|word| lower.contains(word));
    let show = |value: &str| if secret { "***".to_owned() } else { shown(value) };
    Difference { name: shown(name), theirs: theirs.map(show), ours: ours.map(show) }
}

/// One line of bounded length.
fn shown(value: &str) -> String {
    let cut = value.chars().take(SHOWN_CHARS_MAX);
    let mut text = cut.map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect::<String>();
    if value.chars().nth(SHOWN_CHARS_MAX).is_some() {
        text.push('…');
    }
    text
}

fn lines(text: &str) -> Vec<&str> {
    // Readers of XML change line ends.
    text.split('\n').map(|line| line.strip_suffix('\r').unwrap_or(line)).collect()
}

fn line<'a>(lines: &[&'a str], index: usize) -> &'a str {
    lines.get(index).copied().unwrap_or_default()
}

fn middle<'a, 'b>(lines: &'b [&'a str], start: usize, after: usize) -> &'b [&'a str] {
    lines.get(start..lines.len().saturating_sub(after)).unwrap_or_default()
}

fn non_empty(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty())
}

/// Parts of names whose values are not shown.
const SECRET_NAMES: [&str; 6] = ["token", "signature", "authorization", "-key", "callback", "credential"];
const SHOWN_CHARS_MAX: usize = 200;

#[cfg(test)]
mod tests {
    use alloc::{format, string::ToString};

    use super::*;
    use crate::{AccessKey, Request, Resource, Scope, Scratch, SigningKey, UnixTime, sign_headers};

    const REQUEST: Request<'static> = Request {
        method: "PUT",
        resource: Resource::Object { bucket: "bucket", key: "a+b" },
        query: &[("acl", ""), ("uploadId", "1")],
        headers: &[("content-type", "text/plain"), ("x-oss-meta-a", "1"), ("range", "bytes=0-")],
        additional: &["range"],
    };

    /// What OSS would say if it had computed with other texts.
    fn case(turn: fn(String) -> String, turn_text: fn(String) -> String) -> Explanation {
        let key = AccessKey { id: "ak", secret: "sk", token: Some("token-mark") };
        let time = UnixTime::from_secs(1_702_743_657);
        let scope = Scope { region: "cn-beijing", product: "oss", time };
        let mut scratch = Scratch::new();
        let ours = sign_headers(&REQUEST, &key, &SigningKey::derive(&key, &scope), &scope, &mut scratch);
        let canonical = turn(ours.canonical_request().into());
        let mut text = turn_text(ours.string_to_sign().into());
        if canonical != ours.canonical_request() {
            text.pop();
            text.push('-');
        }
        let theirs = Theirs {
            string_to_sign: &text,
            canonical_request: &canonical,
            access_key_id: "ak",
            signature_provided: ours.signature(),
        };
        let explanation = explain(&theirs, &ours, "ak");
        assert!(!format!("{explanation} {explanation:?} {theirs:?}").contains("mark"));
        explanation
    }

    #[test]
    fn the_first_differing_line_is_named_with_its_usual_cause() {
        type Turn = fn(String) -> String;
        let same: Turn = |text| text;
        let table: [(Turn, Turn, &str); 14] = [
            (same, same, "OSS signed the same text, so the secret is wrong"),
            (|text| text.replace("PUT", "GET"), same, "OSS saw method `GET` where `PUT` was signed: a CDN"),
            (same, |text| text.replace("T162057Z", "T163757Z"), "OSS saw date `20231216T163757Z` where"),
            (
                same,
                |text| text.replace("cn-beijing", "cn-hangzhou"),
                "OSS saw scope `20231216/cn-hangzhou/oss/aliyun_v4_request` where `20231216/cn-beijing/oss/",
            ),
            (|text| text.replace("/a%2Bb", "/a%252Bb"), same, "OSS saw path `/bucket/a%252Bb` where"),
            (|text| text.replace("acl&", "acl=&"), same, "OSS saw acl `` where `` was signed: the query"),
            (|text| text.replace("acl&", ""), same, "OSS did not see acl ``, which was signed: the query"),
            (
                |text| text.replace("text/plain", "image/png"),
                same,
                "OSS saw content-type `image/png` where `text/plain` was signed: something",
            ),
            (
                |text| text.replace("x-oss-meta-a:1\n", "x-oss-meta-a:1\nx-oss-range:b\n"),
                same,
                "OSS saw x-oss-range `b`, which was not signed: something",
            ),
            (
                |text| text.replace("x-oss-meta-a:1\n", ""),
                same,
                "OSS did not see x-oss-meta-a `1`, which was",
            ),
            (
                |text| text.replace("token-mark", "other-mark"),
                same,
                "OSS saw x-oss-security-token `***` where `***` was signed",
            ),
            (
                |text| text.replace("\nrange\n", "\n\n"),
                same,
                "OSS saw the list of additional headers `` where",
            ),
            (|text| text.replace("\nUNSIGNED", "\nunsigned"), same, "OSS saw the payload `unsigned-PAYLOAD`"),
            (|_| String::new(), |text| text + "0", "OSS did not say what it signed"),
        ];
        for (turn, turn_text, start) in table {
            let text = case(turn, turn_text).to_string();
            assert!(text.starts_with(start), "{text}, not {start}");
            assert!(!text.ends_with('.') && !text.contains('\n'));
        }
        // A reader of XML may change line ends.
        assert_eq!(case(same, |text| text.replace('\n', "\r\n")), Explanation::Secret);
    }

    #[test]
    fn other_credentials_and_changed_signatures_come_first() {
        let key = AccessKey { id: "ak", secret: "sk", token: None };
        let scope = Scope { region: "r", product: "oss", time: UnixTime::from_secs(0) };
        let mut scratch = Scratch::new();
        let ours = sign_headers(&REQUEST, &key, &SigningKey::derive(&key, &scope), &scope, &mut scratch);
        let other = Theirs { access_key_id: "other", ..Theirs::default() };
        assert_eq!(explain(&other, &ours, "ak"), Explanation::OtherKey);
        assert_eq!(format!("{other:?}"), "Theirs { .. }");
        let changed = Theirs { signature_provided: "changed", ..Theirs::default() };
        assert_eq!(explain(&changed, &ours, "ak"), Explanation::Changed);
        assert_eq!(explain(&Theirs::default(), &ours, "ak"), Explanation::Unknown);
    }

    #[test]
    fn values_are_shown_on_one_line_and_cut() {
        let difference = difference("x", ("a\nb", &"é".repeat(SHOWN_CHARS_MAX + 1)));
        assert_eq!(difference.theirs.as_deref(), Some("a\u{fffd}b"));
        assert_eq!(difference.ours.map(|text| text.chars().count()), Some(SHOWN_CHARS_MAX + 1));
    }

    #[cfg(feature = "v1")]
    #[test]
    fn v1_is_compared_line_by_line() {
        let key = AccessKey { id: "ak", secret: "sk", token: None };
        let mut scratch = Scratch::new();
        let time = UnixTime::from_secs(1_702_743_657);
        let ours = crate::sign_headers_v1(&REQUEST, &key, time, &[], &mut scratch);
        let table = [
            ("PUT", "HEAD", "OSS saw method `HEAD`"),
            ("16:20:57", "16:20:58", "OSS saw date `Sat, 16 Dec 2023 16:20:58 GMT`"),
            ("/bucket/", "/bucket/bucket/", "OSS saw path `/bucket/bucket/a+b`"),
            ("uploadId=1", "uploadId=2", "OSS saw uploadId `2` where `1` was signed"),
            ("text/plain", "", "OSS did not see content-type `text/plain`"),
            ("x-oss-meta-a:1", "x-oss-meta-a:2", "OSS saw x-oss-meta-a `2` where `1` was signed"),
        ];
        for (from, to, start) in table {
            let text = ours.string_to_sign().replace(from, to);
            let theirs = Theirs { string_to_sign: &text, ..Theirs::default() };
            let text = explain(&theirs, &ours, "ak").to_string();
            assert!(text.starts_with(start), "{text}, not {start}");
        }
    }
}
