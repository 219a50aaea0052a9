//! What credential sources ask, answered with std alone: variables, files, programs, and HTTP without TLS.
//!
//! Each limit is the question's own, nothing is tried twice, and no answer shows what it holds.

use std::io::{self, BufReader, ErrorKind, Read};
use std::net::{TcpStream, ToSocketAddrs as _};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Instant;

use oss_credentials::{
    Answer, CommandAnswer, CommandLookup, FileAnswer, FileLookup, HttpAnswer, HttpLookup, Lookup, Secret,
    SecretBytes,
};

use super::wire::Timed;
use crate::http1::{Body, Head};

/// Finds the answer; `custom` answers for the sources of the program's own.
pub fn answer(question: Lookup, custom: &dyn Fn(u32) -> Answer) -> Answer {
    match question {
        Lookup::Env(names) => Answer::Env(names.into_iter().map(variable).collect()),
        Lookup::File(file) => read(&file),
        Lookup::Http(request) => ask(&request),
        Lookup::Command(command) => run(&command),
        Lookup::Custom(number) => custom(number),
        // A kind of question that a later version of the cache may ask.
        _ => Answer::Unavailable,
    }
}

fn variable(name: &str) -> Option<Secret> {
    // Lossy text is refused by the cache with the variable's name.
    std::env::var_os(name).map(|value| Secret::from(value.to_string_lossy().into_owned()))
}

fn read(lookup: &FileLookup) -> Answer {
    let failed = |error: io::Error| Answer::Failed(format!("{}: {error}", lookup.path));
    // Looked at before it is opened: to open a pipe would wait for whoever writes to it.
    let about = match std::fs::metadata(&lookup.path) {
        Ok(about) if about.is_file() => about,
        Ok(_) => return Answer::Failed(format!("{}: not a file", lookup.path)),
        Err(error) if error.kind() == ErrorKind::NotFound => return Answer::Absent,
        Err(error) => return failed(error),
    };
    match std::fs::File::open(&lookup.path).and_then(|file| take(file, lookup.max_bytes)) {
        Ok(Some(bytes)) => Answer::File(FileAnswer::new(bytes).open_to_others(is_open_to_others(&about))),
        Ok(None) => Answer::TooLong,
        Err(error) => failed(error),
    }
}

/// All of it; `None` when there is more than allowed.
fn take(source: impl Read, max_bytes: usize) -> io::Result<Option<SecretBytes>> {
    // All at once, or what is left behind by a vector that grows would not be wiped.
    let mut bytes = Vec::with_capacity(max_bytes + 1);
    let len = source.take(max_bytes as u64 + 1).read_to_end(&mut bytes);
    let bytes = SecretBytes::from(bytes);
    Ok((len? <= max_bytes).then_some(bytes))
}

#[cfg(unix)]
fn is_open_to_others(about: &std::fs::Metadata) -> bool {
    std::os::unix::fs::MetadataExt::mode(about) & 0o077 != 0
}

#[cfg(not(unix))]
fn is_open_to_others(_: &std::fs::Metadata) -> bool {
    false
}

fn run(lookup: &CommandLookup) -> Answer {
    let mut command = Command::new(&lookup.program);
    command.args(lookup.arguments.iter().map(Secret::expose));
    // What it says on standard error may hold a secret, and belongs to nobody here.
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(error) => return Answer::Failed(format!("{}: {error}", lookup.program)),
    };
    let answer = wait(&mut child, lookup);
    // Whatever it still does, nobody waits for it; one that has ended is only collected.
    let _ended = child.kill();
    let _status = child.wait();
    answer
}

fn wait(child: &mut Child, lookup: &CommandLookup) -> Answer {
    let deadline = Instant::now() + lookup.timeout;
    let Some(stdout) = child.stdout.take() else { return Answer::Unavailable };
    let (sender, printed) = mpsc::channel();
    let max_bytes = lookup.max_bytes;
    // A pipe has no time limit, so it is read by a thread that may be left behind.
    thread::spawn(move || sender.send(take(stdout, max_bytes)));
    let bytes = match printed.recv_timeout(lookup.timeout) {
        Ok(Ok(Some(bytes))) => bytes,
        Ok(Ok(None)) => return Answer::TooLong,
        Ok(Err(error)) => return Answer::Failed(format!("{}: {error}", lookup.program)),
        Err(_late) => return Answer::Unavailable,
    };
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Answer::Command(CommandAnswer::new(status.success(), bytes)),
            Ok(None) if Instant::now() < deadline => thread::sleep(super::POLL_EVERY),
            _ => return Answer::Unavailable,
        }
    }
}

fn ask(lookup: &HttpLookup) -> Answer {
    if lookup.is_https {
        return Answer::Failed(format!(
            "{} wants https, and this driver speaks plain HTTP",
            lookup.authority
        ));
    }
    match connect(lookup) {
        Ok(stream) => exchange(lookup, stream).unwrap_or(Answer::Unavailable),
        Err(_nowhere) => Answer::Unreachable,
    }
}

fn connect(lookup: &HttpLookup) -> io::Result<TcpStream> {
    let port = if lookup.authority.contains(':') { "" } else { ":80" };
    let mut failed = io::Error::from(ErrorKind::NotFound);
    for address in format!("{}{port}", lookup.authority).to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, lookup.connect_timeout) {
            Ok(stream) => return Ok(stream),
            Err(error) => failed = error,
        }
    }
    Err(failed)
}

fn exchange(lookup: &HttpLookup, stream: TcpStream) -> io::Result<Answer> {
    let mut stream = Timed { stream, deadline: Instant::now() + lookup.read_timeout };
    let body = lookup.body.expose();
    let mut parts =
        vec![lookup.method, " ", lookup.target.expose(), " HTTP/1.1\r\nhost: ", &lookup.authority];
    for (name, value) in &lookup.headers {
        parts.extend(["\r\n", name, ": ", value.expose()]);
    }
    let length = format!("\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
    parts.extend([length.as_str(), body]);
    for part in parts {
        if !stream.write(part.as_bytes(), |_| {})? {
            break;
        }
    }
    let mut stream = BufReader::new(stream);
    let head = Head::read(&mut stream)?.ok_or(ErrorKind::UnexpectedEof)?;
    let status = head.status()?;
    let method = http::Method::from_bytes(lookup.method.as_bytes()).map_err(io::Error::other)?;
    let mut body = Body::of_answer(&method, status, &head.headers)?;
    let mut bytes = Vec::with_capacity(lookup.max_bytes);
    while let Some(piece) = body.read(&mut stream)? {
        if piece.len() > lookup.max_bytes - bytes.len() {
            return Ok(Answer::TooLong);
        }
        bytes.extend_from_slice(&piece);
    }
    let answer = HttpAnswer::new(status, SecretBytes::from(bytes));
    let date = head.headers.get("date").and_then(|date| date.to_str().ok());
    Ok(Answer::Http(match date {
        Some(date) => answer.with_date(date),
        None => answer,
    }))
}
