//! Answers in which OSS says no.

mod code;

pub use code::ErrorCode;

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use base64ct::{Base64Unpadded, Encoding};
use http::HeaderMap;
use oss_sign::UnixTime;

use crate::ReadError;
use crate::invalid::excerpt;
use crate::xml::Reader;

/// What OSS says when it refuses a request: the `<Error>` document, or as much of it as there is.
///
/// Programs branch on [`code`](Self::code), never on the EC or the message (OSS document "Error responses").
/// Neither `Display` nor `Debug` shows what OSS echoes of the signed request; [`field`](Self::field) and
/// [`signature_detail`](Self::signature_detail) do.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServiceError {
    /// The HTTP status.
    pub status: u16,
    /// The error code; [`ErrorCode::BAD_ERROR_RESPONSE`] when no error document came.
    pub code: ErrorCode,
    /// The text for people, control characters escaped, at most 4,096 characters. It may mislead; may be
    /// empty.
    pub message: String,
    /// The request's name at OSS: printable ASCII, at most 128 bytes.
    pub request_id: Option<String>,
    /// The host that the request was sent to, as OSS saw it.
    pub host_id: Option<String>,
    /// The fine cause, such as `0026-00000001`. OSS may change it between releases.
    pub ec: Option<String>,
    /// A page about the cause.
    pub recommend_doc: Option<String>,
    /// The host that this bucket should be addressed at, when the request went to another.
    pub endpoint: Option<String>,
    /// The time of OSS's clock.
    pub server_time: Option<UnixTime>,
    /// Every element of the document in order, raw; those inside another are named `Outer/Inner`.
    fields: Vec<(String, String)>,
}

impl ServiceError {
    /// Reads what a refusal says, from the body, else from the header `x-oss-err` (OSS's answers to HEAD).
    ///
    /// Never fails: what cannot be read becomes [`ErrorCode::BAD_ERROR_RESPONSE`] with a message that shows
    /// what came. Of a document that breaks off, the elements before the break count. At most 64 KiB of the
    /// body and 8 KiB of the header are read.
    pub fn read(status: u16, headers: &HeaderMap, body: &[u8]) -> Self {
        let body = body.get(..BODY_BYTES_MAX).unwrap_or(body);
        let from_header = if body.trim_ascii().is_empty() { document_in_header(headers) } else { None };
        let document = from_header.as_deref().unwrap_or(body);
        let mut error = Self::nothing(status);
        // One bad byte in an echoed key is no reason to lose the code.
        let broken = error.read_document(String::from_utf8_lossy(document).as_bytes()).err();
        error.interpret();
        error.request_id = error.request_id.or_else(|| short_header(headers, "x-oss-request-id"));
        error.ec = error.ec.or_else(|| short_header(headers, "x-oss-ec"));
        if let (Some(problem), true) = (broken, error.code == ErrorCode::BAD_ERROR_RESPONSE) {
            error.message = problem.to_string();
        }
        error
    }

    /// Reads an answer of success whose body is an `<Error>` document after all; `None` when it is none.
    ///
    /// OSS starts the answer to a long copy or completion before it knows how that will end.
    pub(crate) fn read_under_ok(status: u16, headers: &HeaderMap, body: &[u8]) -> Option<Self> {
        is_error_document(body).then(|| Self::read(status, headers, body))
    }

    /// The text of an element of the error document, such as `BucketName`, `Key` or
    /// `AccessDeniedDetail/PolicyType`.
    ///
    /// It is as OSS sent it: control characters are in it, and for elements such as `SecurityToken`,
    /// `StringToSign` or `ArgumentValue` parts of credentials. Of an element that occurs more than once, the
    /// last counts.
    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().rev().find(|(known, _)| known == name).map(|(_, text)| text.as_str())
    }

    /// The names of the elements in the error document, in order.
    pub fn field_names(&self) -> impl Iterator<Item = &str> {
        self.fields.iter().map(|(name, _)| name.as_str())
    }

    /// What OSS signed when it found another signature than ours: its string to sign and its canonical
    /// request (empty for V1, which has none). They may hold a security token.
    pub fn signature_detail(&self) -> Option<(&str, &str)> {
        let canonical_request = self.field("CanonicalRequest").unwrap_or_default();
        self.field("StringToSign").map(|string_to_sign| (string_to_sign, canonical_request))
    }

    /// The vendor's page about the fine cause, when there is one: the one that OSS recommends if it is the
    /// vendor's, else that of the EC.
    pub fn page(&self) -> Option<Cow<'_, str>> {
        if let Some(page) = self.recommend_doc.as_deref().filter(|page| is_of_vendor(page)) {
            return Some(Cow::Borrowed(page));
        }
        // As in `0026-00000001`.
        let is_listed =
            |ec: &&str| ec.len() == EC_BYTES && ec.bytes().all(|b| b.is_ascii_digit() || b == b'-');
        let ec = self.ec.as_deref().filter(is_listed)?;
        Some(Cow::Owned(format!("https://api.aliyun.com/troubleshoot?q={ec}")))
    }

    fn nothing(status: u16) -> Self {
        Self {
            status,
            code: ErrorCode::BAD_ERROR_RESPONSE,
            message: String::new(),
            request_id: None,
            host_id: None,
            ec: None,
            recommend_doc: None,
            endpoint: None,
            server_time: None,
            fields: Vec::new(),
        }
    }

    /// Collects the elements, up to the end or the break.
    fn read_document(&mut self, document: &[u8]) -> Result<(), ReadError> {
        let mut reader = Reader::open(document, ROOT)?;
        while let Some(name) = reader.child()? {
            if let Some(text) = reader.text_or_enter()? {
                self.keep(name.to_string(), text.into_owned());
            } else {
                self.keep(name.to_string(), String::new());
                self.read_inside(&mut reader, name)?;
            }
        }
        reader.finish().map(drop)
    }

    /// Collects the leaves of an element whose first child is entered.
    fn read_inside(&mut self, reader: &mut Reader<'_>, outer: &str) -> Result<(), ReadError> {
        let mut next = Some(reader.entered());
        while let Some(name) = next {
            if let Some(text) = reader.text_or_enter()? {
                self.keep(format!("{outer}/{name}"), text.into_owned());
            } else {
                // Nothing of OSS nests deeper: out of the child, and out of the element around it.
                reader.skip()?;
                reader.skip()?;
            }
            next = reader.child()?;
        }
        Ok(())
    }

    fn keep(&mut self, name: String, text: String) {
        if self.fields.len() < FIELDS_MAX {
            self.fields.push((name, text));
        }
    }

    /// Fills the fields that have a name from the elements.
    fn interpret(&mut self) {
        let short = |name| self.field(name).map(str::trim).filter(|text| !text.is_empty());
        let line = |name| short(name).map(|text| excerpt(text, LINE_CHARS_MAX));
        let (host_id, recommend_doc, endpoint) = (line("HostId"), line("RecommendDoc"), line("Endpoint"));
        let request_id = short("RequestId").map(printable);
        let ec = short("EC").map(printable);
        let server_time = short("ServerTime").and_then(UnixTime::parse_iso_extended);
        let code = self.field("Code").map(|code| ErrorCode::from(excerpt(code.trim(), LINE_CHARS_MAX)));
        let message = self.field("Message").map(|message| one_line(message, MESSAGE_CHARS_MAX));
        (self.host_id, self.recommend_doc, self.endpoint) = (host_id, recommend_doc, endpoint);
        (self.request_id, self.ec, self.server_time) = (request_id, ec, server_time);
        self.code = code.unwrap_or(ErrorCode::BAD_ERROR_RESPONSE);
        self.message = message.unwrap_or_default();
    }
}

/// Whether the root of a document is `<Error>`. What follows the start tag is not looked at.
pub(crate) fn is_error_document(body: &[u8]) -> bool {
    let head = body.get(..BODY_BYTES_MAX).unwrap_or(body);
    Reader::open(String::from_utf8_lossy(head).as_bytes(), ROOT).is_ok()
}

impl fmt::Display for ServiceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let code = if self.code.as_str().is_empty() { "error without a code" } else { self.code.as_str() };
        f.write_str(code)?;
        let message = self.message.trim();
        if !message.is_empty() {
            write!(f, ": {}", excerpt(message, SHOWN_CHARS_MAX))?;
        }
        write!(f, " (status {}", self.status)?;
        if let Some(ec) = &self.ec {
            write!(f, ", EC {ec}")?;
        }
        if let Some(request_id) = &self.request_id {
            write!(f, ", request {request_id}")?;
        }
        f.write_str(")")
    }
}

impl fmt::Debug for ServiceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServiceError")
            .field("status", &self.status)
            .field("code", &self.code.as_str())
            .field("message", &excerpt(&self.message, SHOWN_CHARS_MAX))
            .field("request_id", &self.request_id)
            .field("host_id", &self.host_id)
            .field("ec", &self.ec)
            .field("recommend_doc", &self.recommend_doc)
            .field("endpoint", &self.endpoint)
            .field("server_time", &self.server_time)
            .field("fields", &Fields(&self.fields))
            .finish()
    }
}

impl core::error::Error for ServiceError {}

/// The elements without those that echo the signed request.
struct Fields<'a>(&'a [(String, String)]);

impl fmt::Debug for Fields<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = self.0.iter().filter(|(name, _)| !echoes_secrets(name));
        f.debug_map()
            .entries(shown.map(|(name, text)| (excerpt(name, LINE_CHARS_MAX), excerpt(text, LINE_CHARS_MAX))))
            .finish()
    }
}

/// Whether an element may hold a key, a token, a signature or the text that was signed.
fn echoes_secrets(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    SECRET_WORDS.iter().any(|word| name.contains(word))
}

/// The document in `x-oss-err`; `None` when there is none, or it is no base64, or longer than anything OSS
/// sends.
fn document_in_header(headers: &HeaderMap) -> Option<Vec<u8>> {
    let encoded = headers.get("x-oss-err")?.to_str().ok()?.trim().trim_end_matches('=');
    if encoded.len() > HEADER_DOCUMENT_BYTES_MAX.div_ceil(3) * 4 {
        return None;
    }
    Base64Unpadded::decode_vec(encoded).ok().filter(|document| document.len() <= HEADER_DOCUMENT_BYTES_MAX)
}

/// Whether a link leads to the vendor: whoever answers in its place may recommend anything.
fn is_of_vendor(page: &str) -> bool {
    let Some((host, _)) = page.strip_prefix("https://").and_then(|rest| rest.split_once('/')) else {
        return false;
    };
    let is_vendor = [".aliyun.com", ".alibabacloud.com"].iter().any(|domain| host.ends_with(domain));
    // No user, no port.
    is_vendor
        && host.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-'))
        && page.bytes().all(|b| b.is_ascii_graphic())
}

fn short_header(headers: &HeaderMap, name: &str) -> Option<String> {
    let text = String::from_utf8_lossy(headers.get(name)?.as_bytes());
    Some(printable(text.trim())).filter(|text| !text.is_empty())
}

/// The printable ASCII of an identifier, cut to what any identifier of OSS fits in.
fn printable(text: &str) -> String {
    text.chars().filter(char::is_ascii_graphic).take(ID_BYTES_MAX).collect()
}

/// A message with its control characters escaped; unlike an excerpt it keeps the joiners that scripts need.
fn one_line(text: &str, chars_max: usize) -> String {
    let (mut line, mut room) = (String::new(), chars_max);
    for c in text.chars() {
        let escaped = c.is_control().then(|| c.escape_unicode());
        // What is counted is what is shown: an escape is ten times as long as what it stands for.
        let Some(rest) = room.checked_sub(escaped.as_ref().map_or(1, ExactSizeIterator::len)) else { break };
        room = rest;
        match escaped {
            Some(escaped) => line.extend(escaped),
            None => line.push(c),
        }
    }
    line
}

const ROOT: &str = "Error";
const BODY_BYTES_MAX: usize = 64 << 10;
const HEADER_DOCUMENT_BYTES_MAX: usize = 8 << 10;
const EC_BYTES: usize = 13;
const FIELDS_MAX: usize = 64;
const ID_BYTES_MAX: usize = 128;
const LINE_CHARS_MAX: usize = 256;
const MESSAGE_CHARS_MAX: usize = 4096;
const SHOWN_CHARS_MAX: usize = 512;
/// In lower case, because gateways differ in their spelling. `argumentvalue` and `authorization` repeat
/// whatever header was found wrong; names that end in `bytes` repeat the signed text in hexadecimal.
const SECRET_WORDS: [&str; 11] = [
    "accesskey",
    "argumentvalue",
    "authorization",
    "bytes",
    "canonicalrequest",
    "credential",
    "password",
    "secret",
    "signature",
    "stringtosign",
    "token",
];

#[cfg(test)]
mod tests {
    use super::*;
    use base64ct::Base64;
    use http::HeaderValue;

    const DOCUMENT: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error>\n  <Code>NoSuchKey</Code>\n\
        <Message>The specified key does not exist.</Message><RequestId>5F3ABC</RequestId>\
        <HostId>b.oss-cn-hangzhou.aliyuncs.com</HostId><Key>a&amp;b</Key><EC>0026-00000001</EC>\
        <RecommendDoc>https://api.aliyun.com/troubleshoot?q=0026-00000001</RecommendDoc>\n</Error>\n";

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (http::HeaderName::from_static(name), value.parse().unwrap()))
            .collect()
    }

    fn read(body: &str) -> ServiceError {
        ServiceError::read(400, &HeaderMap::new(), body.as_bytes())
    }

    fn inside(elements: &str) -> ServiceError {
        read(&format!("<Error>{elements}</Error>"))
    }

    #[test]
    fn a_document_is_read_and_shown_on_one_line() {
        let error = ServiceError::read(404, &headers(&[("x-oss-request-id", "other")]), DOCUMENT.as_bytes());
        assert_eq!(error.code, ErrorCode::NO_SUCH_KEY);
        assert_eq!(error.host_id.as_deref(), Some("b.oss-cn-hangzhou.aliyuncs.com"));
        assert!(error.recommend_doc.as_deref().is_some_and(|page| page.ends_with("q=0026-00000001")));
        assert_eq!(error.field("Key"), Some("a&b"));
        assert_eq!(
            error.to_string(),
            "NoSuchKey: The specified key does not exist. (status 404, EC 0026-00000001, request 5F3ABC)"
        );
    }

    #[test]
    fn the_page_is_one_of_the_vendor() {
        let page = |ec: &str, doc: &str| {
            let error = inside(&format!("<EC>{ec}</EC><RecommendDoc>{doc}</RecommendDoc>"));
            error.page().map(Cow::into_owned)
        };
        let of_ec = Some(String::from("https://api.aliyun.com/troubleshoot?q=0026-00000001"));
        let theirs = "https://api.alibabacloud.com/troubleshoot?q=0026-00000001";
        assert_eq!(page("0026-00000001", ""), of_ec);
        assert_eq!(page("0026-00000001", theirs).as_deref(), Some(theirs));
        assert_eq!(page("", theirs).as_deref(), Some(theirs));
        for bad in [
            "http://api.aliyun.com/a",
            "https://api.aliyun.com.evil.example/a",
            "https://evil.example/api.aliyun.com/a",
            "https://evil.example\\.aliyun.com/a",
            "https://user@api.aliyun.com/a",
            "https://evilaliyun.com/a",
            "https://api.aliyun.com/a b",
        ] {
            assert_eq!(page("0026-00000001", bad), of_ec, "{bad}");
            assert_eq!(page("unlisted", bad), None, "{bad}");
        }
    }

    #[test]
    fn elements_are_trimmed_and_the_last_of_a_name_counts() {
        let error = inside(
            "<Code> InternalError\n</Code><RequestId/><Code>\nSlowDown </Code>\
             <ServerTime> 2024-01-01T00:00:00.000Z</ServerTime>\
             <Endpoint>oss-cn-beijing.aliyuncs.com</Endpoint>",
        );
        assert_eq!(error.code, ErrorCode::SLOW_DOWN);
        assert_eq!(error.server_time, Some(UnixTime::from_secs(1_704_067_200)));
        assert_eq!(error.endpoint.as_deref(), Some("oss-cn-beijing.aliyuncs.com"));
        assert_eq!((error.request_id, error.ec, error.host_id), (None, None, None));
        let error = inside("<Code></Code><Message/>");
        assert_eq!(error.to_string(), "error without a code (status 400)");
    }

    #[test]
    fn elements_inside_elements_have_a_path() {
        let error = inside(
            "<Code>AccessDenied</Code><AccessDeniedDetail><PolicyType>AccountLevel</PolicyType>\
             <Code>Inner</Code><Deep><A><B>x</B></A><C/></Deep><AuthAction>oss:PutObject</AuthAction>\
             </AccessDeniedDetail><BucketName>b</BucketName>",
        );
        assert_eq!(error.code, "AccessDenied");
        let names: Vec<&str> = error.field_names().collect();
        assert_eq!(
            names,
            [
                "Code",
                "AccessDeniedDetail",
                "AccessDeniedDetail/PolicyType",
                "AccessDeniedDetail/Code",
                "AccessDeniedDetail/AuthAction",
                "BucketName",
            ]
        );
        assert_eq!(error.field("AccessDeniedDetail/AuthAction"), Some("oss:PutObject"));
    }

    #[test]
    fn b41_a_request_id_is_short_and_printable() {
        let error = inside(&format!("<RequestId>\u{1b}[31mA\nB目{}</RequestId>", "C".repeat(1 << 15)));
        assert_eq!(error.request_id, Some(format!("[31mAB{}", "C".repeat(122))));
        let mut headers = HeaderMap::new();
        headers.insert("x-oss-request-id", HeaderValue::from_bytes(b"\tA \xffB").unwrap());
        headers.insert("x-oss-ec", HeaderValue::from_bytes(b" ").unwrap());
        let error = ServiceError::read(404, &headers, b"");
        assert_eq!((error.request_id.as_deref(), error.ec), (Some("AB"), None));
    }

    #[test]
    fn b42_control_characters_are_escaped() {
        let error =
            inside("<Code>A\u{1b}[1m</Code><Message>a\u{1b}]0;x\u{7}\r\nb\u{202e}\u{200d}c</Message>");
        assert_eq!(error.code, "A\\u{1b}[1m");
        assert_eq!(error.message, "a\\u{1b}]0;x\\u{7}\\u{d}\\u{a}b\u{202e}\u{200d}c");
        let shown = format!("{error} {error:?}");
        assert!(!shown.contains(|c: char| c.is_control() || c == '\u{202e}'), "{shown}");
        let long = inside(&format!("<Message>{}</Message>", "目".repeat(10_000)));
        assert_eq!(long.message.chars().count(), 4096);
        assert!(long.to_string().chars().count() < 600);
    }

    #[test]
    fn b42_a_message_has_4096_characters_however_they_are_shown() {
        for (part, count) in [("a", 4096), ("\u{1}", 4096 / "\\u{1}".len()), ("目", 4096)] {
            let error = inside(&format!("<Message>{}</Message>", part.repeat(5_000)));
            let shown = part.replace('\u{1}', "\\u{1}");
            assert_eq!(error.message, shown.repeat(count), "{part:?}");
        }
    }

    #[test]
    fn b42_what_was_signed_is_never_shown() {
        let secret = "MARK\u{1b}";
        let names = [
            "OSSAccessKeyId",
            "AWSAccessKeyId",
            "SignatureProvided",
            "StringToSign",
            "StringToSignBytes",
            "CanonicalRequest",
            "CanonicalRequestBytes",
            "SecurityToken",
            "Authorization",
            "ArgumentValue",
            "token",
        ];
        let elements: String = names.iter().map(|name| format!("<{name}>{secret}</{name}>")).collect();
        let error = inside(&format!("{elements}<Detail><SecurityToken>{secret}</SecurityToken></Detail>"));
        let shown = format!("{error} {error:?} {error:#?}");
        assert!(!shown.contains("MARK"), "{shown}");
        for name in names {
            assert_eq!(error.field(name), Some(secret), "{name}");
        }
        assert_eq!(error.signature_detail(), Some((secret, secret)));
        let v1 = inside("<StringToSign>GET\n\n\nx</StringToSign>");
        assert_eq!(v1.signature_detail(), Some(("GET\n\n\nx", "")));
        assert_eq!(inside("").signature_detail(), None);
    }

    #[test]
    fn b43_an_empty_body_is_looked_for_in_the_header() {
        let encoded = Base64::encode_string(DOCUMENT.as_bytes());
        let error = ServiceError::read(404, &headers(&[("x-oss-err", &encoded), ("x-oss-ec", "0001")]), b"");
        assert_eq!((error.code, error.ec.as_deref()), (ErrorCode::NO_SUCH_KEY, Some("0026-00000001")));
        let unpadded = encoded.trim_end_matches('=');
        let error = ServiceError::read(404, &headers(&[("x-oss-err", unpadded)]), b" \n");
        assert_eq!(error.code, ErrorCode::NO_SUCH_KEY);

        let of_length = |len: usize| {
            let document = format!("<Error><Code>X</Code>{}</Error>", " ".repeat(len - 29));
            assert_eq!(document.len(), len);
            Base64::encode_string(document.as_bytes())
        };
        let (longest, too_long) = (of_length(8 << 10), of_length((8 << 10) + 1));
        assert_eq!(ServiceError::read(404, &headers(&[("x-oss-err", &longest)]), b"").code, "X");
        for bad in ["!!!notb64", "A", "PEVycm9", &too_long, &"A".repeat(1 << 20), ""] {
            let headers = headers(&[("x-oss-err", bad), ("x-oss-ec", "0099-1"), ("x-oss-request-id", "R")]);
            let error = ServiceError::read(405, &headers, b"");
            assert_eq!(error.code, ErrorCode::BAD_ERROR_RESPONSE);
            assert_eq!((error.ec.as_deref(), error.request_id.as_deref()), (Some("0099-1"), Some("R")));
        }
    }

    #[test]
    fn b53_f17_other_bodies_are_shown_as_what_they_are() {
        let error =
            ServiceError::read(502, &HeaderMap::new(), b"<html><body>502 Bad\x1b Gateway</body></html>");
        assert_eq!(
            error.to_string(),
            "BadErrorResponse: the answer is not XML where a `Error` document is due; it begins \
             `<html><body>502 Bad\\u{1b} Gateway</body></html>` (status 502)"
        );
        for (body, message) in [
            ("", "empty"),
            ("upstream connect error", "begins `upstream connect error`"),
            ("<Oops><Code>X</Code></Oops>", "a `Oops` where a `Error` is due"),
            ("<!DOCTYPE Error><Error><Code>X</Code></Error>", "DOCTYPE"),
            ("<html><Error><Code>NoSuchKey</Code></Error></html>", "begins `<html>"),
        ] {
            let error = read(body);
            assert_eq!(error.code, ErrorCode::BAD_ERROR_RESPONSE);
            assert!(error.message.contains(message), "{}", error.message);
        }
    }

    #[test]
    fn of_a_broken_document_the_whole_elements_count() {
        for rest in ["<Message>a & b</Message>", "<HostId><![CDATA[b.oss", "<X>", "<X>&nbsp;</X></Error>", ""]
        {
            let error = read(&format!("<Error><Code>NoSuchKey</Code><RequestId>R</RequestId>{rest}"));
            assert_eq!(
                (error.code, error.request_id.as_deref()),
                (ErrorCode::NO_SUCH_KEY, Some("R")),
                "{rest}"
            );
        }
        assert_eq!(read("<Error><Code>NoSuch").code, ErrorCode::BAD_ERROR_RESPONSE);
        let error =
            ServiceError::read(400, &HeaderMap::new(), b"<Error><X>\xff</X><Code>NoSuchKey</Code></Error>");
        assert_eq!(error.code, ErrorCode::NO_SUCH_KEY);
    }

    #[test]
    fn f50_no_more_than_64_kib_are_read() {
        let mut body = String::from("<Error><Code>A</Code>");
        body.push_str(&"<X>x</X>".repeat(1 << 14));
        body.push_str("<Code>B</Code></Error>");
        let error = read(&body);
        assert_eq!(error.code, "A");
        assert_eq!(error.field_names().count(), FIELDS_MAX);
    }

    #[test]
    fn f27_an_error_under_200_is_told_by_its_root() {
        let read = |body: &str| ServiceError::read_under_ok(200, &HeaderMap::new(), body.as_bytes());
        let error =
            read("\n<?xml version=\"1.0\"?><!-- --><x:Error><Code>InternalError</Code></x:Error>").unwrap();
        assert_eq!((error.status, error.code), (200, ErrorCode::INTERNAL_ERROR));
        assert!(read("<Error><Code>InternalErr").is_some(), "broken off, and still no success");
        assert!(read(&format!("<Error>{}", "目".repeat(1 << 15))).is_some());
        for good in [
            "",
            "<CopyObjectResult><ETag>&lt;Error></ETag></CopyObjectResult>",
            "<DeleteResult><Error><Code>AccessDenied</Code></Error></DeleteResult>",
            "<R><![CDATA[<Error>]]></R>",
            "<!-- <Error> --><R/>",
            "<Errors/>",
            "{\"Error\":\"<Error>\"}",
        ] {
            assert!(read(good).is_none(), "{good}");
        }
    }
}
