//! Answers what a credential source asks: variables, files, HTTP requests, programs.
//!
//! Each limit is the question's own; nothing is tried twice, and no answer shows what it holds.

use std::io::{self, Read as _};
use std::process::Stdio;

use bytes::Bytes;
use http::header::DATE;
use http::{HeaderName, HeaderValue, Request, Response};
use hyper::body::Body as HttpBody;
use oss_credentials::{
    Answer, CommandAnswer, CommandLookup, FileAnswer, FileLookup, HttpAnswer, HttpLookup, Secret, SecretBytes,
};
use oss_proto::FailureKind;
use tokio::io::AsyncReadExt as _;
use tokio::process::Command;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use crate::connect::Fault;
use crate::transport::{Ask, Transport};

/// The value of a variable of the environment.
pub(crate) fn variable(name: &str) -> Option<Secret> {
    // Lossy text is refused by the cache with the variable's name.
    let value = std::env::var_os(name)?;
    Some(Secret::from(value.into_string().unwrap_or_else(|value| value.to_string_lossy().into_owned())))
}

/// What is in a file.
pub(crate) async fn file(lookup: FileLookup) -> Answer {
    let reading = spawn_blocking(move || read(&lookup));
    reading.await.unwrap_or(Answer::Unavailable)
}

fn read(lookup: &FileLookup) -> Answer {
    let failed = |error: io::Error| Answer::Failed(format!("{}: {error}", lookup.path));
    // Looked at before it is opened: to open a pipe would wait for whoever writes to it.
    let about = match std::fs::metadata(&lookup.path) {
        Ok(about) => about,
        // The home of a user of a service may be `/dev/null`, which has nothing below it.
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Answer::Absent;
        }
        Err(error) => return failed(error),
    };
    if !about.is_file() {
        return Answer::Failed(format!("{}: not a file", lookup.path));
    }
    let most = lookup.max_bytes as u64 + 1;
    // All at once, or what is left behind by a vector that grows would not be wiped.
    let mut bytes = Vec::with_capacity(about.len().min(most) as usize + 1);
    let read = std::fs::File::open(&lookup.path).and_then(|file| file.take(most).read_to_end(&mut bytes));
    let bytes = SecretBytes::from(bytes);
    match read {
        Err(error) => failed(error),
        Ok(len) if len > lookup.max_bytes => Answer::TooLong,
        Ok(_) => Answer::File(FileAnswer::new(bytes).open_to_others(is_open_to_others(&about))),
    }
}

#[cfg(unix)]
fn is_open_to_others(about: &std::fs::Metadata) -> bool {
    std::os::unix::fs::MetadataExt::mode(about) & 0o077 != 0
}

#[cfg(not(unix))]
fn is_open_to_others(_: &std::fs::Metadata) -> bool {
    false
}

/// What a program prints.
pub(crate) async fn command(lookup: CommandLookup) -> Answer {
    let CommandLookup { program, arguments, timeout: limit, max_bytes, .. } = lookup;
    let mut command = Command::new(&program);
    command.args(arguments.iter().map(Secret::expose));
    // What it says on standard error may hold a secret, and belongs to nobody here.
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true);
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(error) => return Answer::Failed(format!("{program}: {error}")),
    };
    let Some(stdout) = child.stdout.take() else { return Answer::Unavailable };
    let running = async {
        let mut bytes = Vec::with_capacity(max_bytes + 1);
        let read = stdout.take(max_bytes as u64 + 1).read_to_end(&mut bytes).await;
        let bytes = SecretBytes::from(bytes);
        if read? > max_bytes {
            return Ok(Answer::TooLong);
        }
        let status = child.wait().await?;
        Ok::<_, io::Error>(Answer::Command(CommandAnswer::new(status.success(), bytes)))
    };
    match timeout(limit, running).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(error)) => Answer::Failed(format!("{program}: {error}")),
        // It is killed when it is dropped.
        Err(_elapsed) => Answer::Unavailable,
    }
}

/// What a server says.
pub(crate) async fn http(lookup: HttpLookup, transport: &Transport) -> Answer {
    let Some(request) = request(&lookup) else {
        return Answer::Failed(format!("no request can be made of {lookup:?}"));
    };
    let body = Bytes::copy_from_slice(lookup.body.expose().as_bytes());
    let ask = Ask { connect_timeout: lookup.connect_timeout, is_of_machine: lookup.is_metadata };
    let asking = match transport.ask(request, body, ask).await {
        Ok(asking) => asking,
        Err(fault) => return no_connection(fault),
    };
    let answering = async {
        // The connection is closed when it goes, and is not used again.
        let (response, _connection) = match asking.response().await {
            Ok(answered) => answered,
            Err(fault) => return Some(unanswered(fault)),
        };
        collect(response, lookup.max_bytes).await
    };
    timeout(lookup.read_timeout, answering).await.ok().flatten().unwrap_or(Answer::Unavailable)
}

fn no_connection(fault: Fault) -> Answer {
    match fault.kind {
        FailureKind::Dns | FailureKind::Connect => Answer::Unreachable,
        _ => unanswered(fault),
    }
}

fn unanswered(fault: Fault) -> Answer {
    match fault.kind {
        // What a person can set right.
        FailureKind::Tls | FailureKind::Proxy { .. } => Answer::Failed(fault.cause.to_string()),
        _ => Answer::Unavailable,
    }
}

/// The request, with an absolute target; `None` when a part of it is no HTTP.
fn request(lookup: &HttpLookup) -> Option<Request<()>> {
    let mut request = Request::builder().method(lookup.method).uri(lookup.url().expose()).body(()).ok()?;
    let headers = request.headers_mut();
    headers.insert(http::header::HOST, HeaderValue::from_str(&lookup.authority).ok()?);
    for (name, value) in &lookup.headers {
        let mut value = HeaderValue::from_str(value.expose()).ok()?;
        value.set_sensitive(true);
        headers.append(HeaderName::from_static(name), value);
    }
    Some(request)
}

/// The answer with its whole body; `None` when that breaks off.
async fn collect<B>(response: Response<B>, max_bytes: usize) -> Option<Answer>
where
    B: HttpBody<Data = Bytes> + Unpin,
{
    let (head, mut body) = response.into_parts();
    let mut bytes = Vec::with_capacity(BODY_BYTES.min(max_bytes));
    while let Some(frame) = core::future::poll_fn(|cx| core::pin::Pin::new(&mut body).poll_frame(cx)).await {
        let Ok(chunk) = frame.ok()?.into_data() else { continue };
        bytes.extend_from_slice(&chunk);
        if bytes.len() > max_bytes {
            drop(SecretBytes::from(bytes));
            return Some(Answer::TooLong);
        }
    }
    let answer = HttpAnswer::new(head.status.as_u16(), SecretBytes::from(bytes));
    let date = head.headers.get(DATE).and_then(|date| date.to_str().ok());
    Some(Answer::Http(match date {
        Some(date) => answer.with_date(date),
        None => answer,
    }))
}

/// Room for the usual answer, so that a vector that grows leaves no copy of it behind.
const BODY_BYTES: usize = 16 << 10;
