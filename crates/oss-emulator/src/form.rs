//! A form upload: fields and one file, between boundaries (RFC 7578).

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use crate::blob::Blob;
use crate::fault::Fault;

/// The parts of a `multipart/form-data` body. The contents of the file are not copied.
#[derive(Debug)]
pub(crate) struct Form {
    /// Names in lower case, values as they came.
    pub(crate) fields: Vec<(String, String)>,
    pub(crate) file: Blob,
    pub(crate) file_name: String,
    pub(crate) file_type: Option<String>,
}

impl Form {
    /// Reads a body. The file is the last field that counts: OSS ignores what follows it.
    pub(crate) fn parse(content_type: &str, body: &Blob) -> Result<Self, Fault> {
        let Some(boundary) = boundary(content_type) else {
            let why = "Bucket POST must be of the enclosure-type multipart/form-data.";
            return Err(Fault::new(400, "RequestIsNotMultiPartContent", "0006-00000101", why));
        };
        let delimiter = format!("\r\n--{boundary}").into_bytes();
        // The first boundary has no line before it, so that all are alike the body is read as if it had.
        let head_len = body.len().min(FIELDS_BYTES_MAX);
        let mut head = b"\r\n".to_vec();
        for piece in body.slice(0..head_len).body() {
            head.extend_from_slice(&piece);
        }
        let mut at = find(&head, &delimiter, 0).ok_or_else(malformed)? + delimiter.len();
        let mut fields = Vec::new();
        loop {
            if head[at..].starts_with(b"--") {
                let why = "POST requires exactly one file upload per request.";
                return Err(Fault::new(400, "IncorrectNumberOfFilesInPOSTRequest", "0006-00000105", why));
            }
            let start = find(&head, b"\r\n\r\n", at).ok_or_else(too_long)? + 4;
            let part = Part::parse(&head[at..start])?;
            if part.name == "file" {
                let from = (start - 2) as u64;
                let length = end_of_file(&body.slice(from..body.len()), &delimiter).ok_or_else(malformed)?;
                let file = body.slice(from..from + length);
                let (file_name, file_type) = (part.file_name.unwrap_or_default(), part.content_type);
                return Ok(Self { fields, file, file_name, file_type });
            }
            let end = find(&head, &delimiter, start).ok_or_else(too_long)?;
            let value = core::str::from_utf8(&head[start..end]).map_err(|_| malformed())?;
            fields.push((part.name, value.to_owned()));
            at = end + delimiter.len();
        }
    }

    /// The first field of this lower-case name.
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }
}

/// The headers of a part.
struct Part {
    name: String,
    file_name: Option<String>,
    content_type: Option<String>,
}

impl Part {
    fn parse(head: &[u8]) -> Result<Self, Fault> {
        let text = core::str::from_utf8(head).map_err(|_| malformed())?;
        let (mut name, mut file_name, mut content_type) = (None, None, None);
        for line in text.split("\r\n") {
            let Some((header, value)) = line.split_once(':') else { continue };
            if header.trim().eq_ignore_ascii_case("content-disposition") {
                name = parameter(value, "name").map(|name| name.to_ascii_lowercase());
                file_name = parameter(value, "filename");
            } else if header.trim().eq_ignore_ascii_case("content-type") {
                content_type = Some(value.trim().to_owned());
            }
        }
        let name = name.ok_or_else(malformed)?;
        Ok(Self { name, file_name, content_type })
    }
}

/// A parameter of a header value, with or without quotes.
fn parameter(value: &str, name: &str) -> Option<String> {
    let mut rest = value;
    while let Some((_, after)) = rest.split_once(';') {
        let (key, text) = after.split_once('=')?;
        let text = text.trim_start();
        let (found, tail) = match text.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"')?,
            None => text.split_at(text.find(';').unwrap_or(text.len())),
        };
        if key.trim().eq_ignore_ascii_case(name) {
            return Some(found.trim().to_owned());
        }
        rest = tail;
    }
    None
}

fn boundary(content_type: &str) -> Option<String> {
    let (kind, _) = content_type.split_once(';')?;
    if !kind.trim().eq_ignore_ascii_case("multipart/form-data") {
        return None;
    }
    parameter(content_type, "boundary").filter(|boundary| !boundary.is_empty())
}

fn find(text: &[u8], wanted: &[u8], from: usize) -> Option<usize> {
    text.get(from..)?.windows(wanted.len()).position(|window| window == wanted).map(|at| from + at)
}

/// Where the delimiter begins, in a file of any size: looks at two pieces at a time.
fn end_of_file(rest: &Blob, delimiter: &[u8]) -> Option<u64> {
    let (mut window, mut passed) = (Vec::new(), 0);
    for piece in rest.body() {
        window.extend_from_slice(&piece);
        if let Some(at) = find(&window, delimiter, 0) {
            return Some(passed + at as u64);
        }
        let keep = delimiter.len().min(window.len());
        passed += (window.len() - keep) as u64;
        window.drain(..window.len() - keep);
    }
    None
}

fn malformed() -> Fault {
    let why = "The body of your POST request is not well-formed multipart/form-data.";
    Fault::new(400, "MalformedPOSTRequest", "0006-00000103", why)
}

/// Either the fields are too long, or the body is not a form; the first is what OSS says of both.
fn too_long() -> Fault {
    let why = "Your POST request fields preceding the upload file were too large.";
    Fault::new(400, "MaxPOSTPreDataLengthExceededError", "0006-00000112", why)
}

const FIELDS_BYTES_MAX: u64 = 8 << 20;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::blob::Builder;
    use alloc::vec;
    use bytes::Bytes;
    use proptest::prelude::*;

    fn blob(pieces: &[&[u8]]) -> Blob {
        let mut builder = Builder::default();
        for piece in pieces {
            builder.push(Bytes::copy_from_slice(piece));
        }
        builder.finish().blob
    }

    const TYPE: &str = "multipart/form-data; boundary=\"b 1\"";

    #[test]
    fn reads_fields_and_the_file() {
        let start = b"--b 1\r\nContent-Disposition: form-data; name=\"Key\"\r\n\r\na/b\r\n--b 1\r\n\
                      content-disposition: form-data; name=file; filename=\"x.txt\"\r\n\
                      Content-Type: text/plain\r\n\r\n";
        let zeros = vec![0; 100_000];
        let end =
            b"\r\n--b 1\r\nContent-Disposition: form-data; name=\"submit\"\r\n\r\nignored\r\n--b 1--\r\n";
        let form = Form::parse(TYPE, &blob(&[start, &zeros, b"\r\n--b 2", end])).unwrap();
        assert_eq!(form.fields, [("key".to_owned(), "a/b".to_owned())]);
        assert_eq!(form.file.len(), 100_007);
        assert_eq!(form.file_name, "x.txt");
        assert_eq!(form.file_type.as_deref(), Some("text/plain"));
    }

    #[test]
    fn refuses_what_is_no_form() {
        for (content_type, body, code) in [
            ("text/plain", &b""[..], "RequestIsNotMultiPartContent"),
            ("multipart/form-data", b"", "RequestIsNotMultiPartContent"),
            (TYPE, b"", "MalformedPOSTRequest"),
            (TYPE, b"--b 1--", "IncorrectNumberOfFilesInPOSTRequest"),
            (TYPE, b"--b 1\r\nname=x", "MaxPOSTPreDataLengthExceededError"),
            (TYPE, b"--b 1\r\nname=x\r\n\r\n", "MalformedPOSTRequest"),
            (TYPE, b"--b 1\r\nContent-Disposition: form-data; name=file\r\n\r\nx", "MalformedPOSTRequest"),
        ] {
            let fault = Form::parse(content_type, &blob(&[body])).unwrap_err();
            assert!(fault.document("", "").contains(code), "{body:?} is not {code}");
        }
    }

    proptest! {
        #[test]
        fn no_input_panics(middle in prop::collection::vec(any::<u8>(), 0..80), cut in 0_usize..200) {
            let mut body = b"--b 1\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n".to_vec();
            body.extend_from_slice(&middle);
            body.extend_from_slice(b"\r\n--b 1\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\nx");
            body.extend_from_slice(b"\r\n--b 1--");
            body.truncate(cut);
            let _ = Form::parse(TYPE, &blob(&[&body]));
        }
    }
}
