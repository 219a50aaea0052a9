//! The scripted peer behind a real listener: real sockets, real closes, a thread for each connection.

use alloc::sync::Arc;
use core::net::SocketAddr;
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use core::time::Duration;
use std::io::{self, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Instant, SystemTime};

use http::Method;

use crate::http1::{Body, Head};
use crate::peer::{Deed, Incoming, Peer, Play, Reading, Tape, Then};

/// A listening peer; it stops when it is dropped.
pub struct TcpPeer {
    shared: Arc<Shared>,
    address: SocketAddr,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    peer: Mutex<Peer>,
    has_stopped: AtomicBool,
    /// How long it stands still at most, in milliseconds.
    patience: AtomicU64,
    draw: Mutex<Option<Draw>>,
}

/// Says what is done to the next request, by its method; it may do something to the peer before.
type Draw = Box<dyn FnMut(&Method, &mut Peer) -> Deed + Send>;

impl TcpPeer {
    /// Listens on a free port of 127.0.0.1.
    ///
    /// # Errors
    /// When there is no port to listen on.
    pub fn start(peer: Peer) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let (peer, has_stopped) = (Mutex::new(peer), AtomicBool::new(false));
        let shared = Arc::new(Shared {
            peer,
            has_stopped,
            patience: AtomicU64::new(u64::MAX),
            draw: Mutex::new(None),
        });
        let thread = std::thread::spawn({
            let shared = Arc::clone(&shared);
            move || accept(&listener, &shared)
        });
        Ok(Self { shared, address, thread: Some(thread) })
    }

    /// The same peer, which stands still for so long at most and then closes the connection.
    #[must_use]
    pub fn with_patience(self, patience: Duration) -> Self {
        let millis = u64::try_from(patience.as_millis()).unwrap_or(u64::MAX);
        self.shared.patience.store(millis, Ordering::SeqCst);
        self
    }

    /// The same peer, which is told by this function what to do to each request, and keeps no log.
    #[must_use]
    pub fn drawing(self, draw: impl FnMut(&Method, &mut Peer) -> Deed + Send + 'static) -> Self {
        *self.shared.draw.lock().unwrap_or_else(PoisonError::into_inner) = Some(Box::new(draw));
        self
    }

    /// The URL to give to a client.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The peer itself.
    pub fn peer(&self) -> MutexGuard<'_, Peer> {
        self.shared.peer()
    }

    /// Stops listening: from now on connections are refused. Those that are open go on.
    pub fn refuse(&mut self) {
        let Some(thread) = self.thread.take() else { return };
        self.shared.has_stopped.store(true, Ordering::SeqCst);
        // Wakes `accept`; when nothing listens any more there is nobody to wake.
        let _woken = TcpStream::connect(self.address);
        let _ended = thread.join();
    }
}

impl Drop for TcpPeer {
    fn drop(&mut self) {
        self.refuse();
    }
}

/// The time since the Unix epoch by the system's clock.
pub fn system_time() -> Duration {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
}

impl Shared {
    fn peer(&self) -> MutexGuard<'_, Peer> {
        self.peer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn begin(&self, head: &Head, is_used: bool) -> io::Result<(Incoming, Reading)> {
        let mut peer = self.peer();
        if let Some(draw) = &mut *self.draw.lock().unwrap_or_else(PoisonError::into_inner) {
            let method = head.line.split(' ').next().and_then(|method| method.parse().ok());
            let deed = draw(&method.unwrap_or_default(), &mut peer);
            peer.push_deed(deed);
            peer.take_log();
        }
        peer.begin(&head.line, &head.headers, is_used, system_time())
    }
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    for stream in listener.incoming() {
        if shared.has_stopped.load(Ordering::SeqCst) {
            return;
        }
        let shared = Arc::clone(shared);
        // A client that breaks off is its own affair.
        std::thread::spawn(move || stream.and_then(|stream| serve(stream, &shared)));
    }
}

fn serve(stream: TcpStream, shared: &Shared) -> io::Result<()> {
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(IDLE_MAX))?;
    stream.set_write_timeout(Some(IDLE_MAX))?;
    let mut writer = stream.try_clone()?;
    let mut reader = BufReader::new(stream);
    let mut is_used = false;
    while let Some(head) = Head::read(&mut reader)? {
        let mut body = Incoming::body(&head.headers)?;
        let (mut incoming, reading) = shared.begin(&head, is_used)?;
        let method = incoming.method().clone();
        let result = receive(&mut reader, &mut body, &mut incoming, reading);
        let is_whole = result.is_ok() && body.is_over();
        let play = shared.peer().finish(incoming, is_whole, system_time());
        result?;
        match play {
            Play::Answer(answer) => {
                let tape = answer.tape(&method);
                let is_last = tape.then != Then::KeepAlive;
                write(&mut writer, tape, shared)?;
                if is_last || !body.is_over() {
                    return drain(&mut reader, &mut body);
                }
            }
            Play::Close => return Ok(()),
            Play::Hang => return stand_still(&writer, shared),
        }
        is_used = true;
    }
    Ok(())
}

fn receive(
    reader: &mut BufReader<TcpStream>,
    body: &mut Body,
    incoming: &mut Incoming,
    reading: Reading,
) -> io::Result<()> {
    let wanted = match reading {
        Reading::All => u64::MAX,
        Reading::Some(bytes) => bytes,
    };
    while incoming.received() < wanted {
        let Some(bytes) = body.read(reader)? else { break };
        incoming.push(&bytes);
    }
    Ok(())
}

fn write(stream: &mut TcpStream, tape: Tape, shared: &Shared) -> io::Result<()> {
    for piece in &tape.pieces {
        stream.write_all(piece)?;
    }
    match tape.then {
        Then::KeepAlive | Then::Close => Ok(()),
        Then::Stall => stand_still(stream, shared),
        Then::Repeat(piece) => {
            while !shared.has_stopped.load(Ordering::SeqCst) {
                stream.write_all(&piece)?;
            }
            Ok(())
        }
    }
}

/// Reads what is left of a body that was answered early: a close would reset the connection under the answer.
fn drain(reader: &mut BufReader<TcpStream>, body: &mut Body) -> io::Result<()> {
    let mut left = DRAIN_BYTES_MAX;
    while let Some(bytes) = body.read(reader)? {
        left = left.saturating_sub(bytes.len());
        if left == 0 {
            break;
        }
    }
    Ok(())
}

/// Does nothing until the client goes away, or for as long as that may take.
fn stand_still(stream: &TcpStream, shared: &Shared) -> io::Result<()> {
    let patience = Duration::from_millis(shared.patience.load(Ordering::SeqCst));
    let began = Instant::now();
    stream.set_read_timeout(Some(TURN))?;
    while !shared.has_stopped.load(Ordering::SeqCst) && began.elapsed() < patience {
        match stream.peek(&mut [0]) {
            Ok(0) => break,
            // What is not read tells nothing of what comes behind it.
            Ok(_) => std::thread::sleep(TURN),
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

const IDLE_MAX: Duration = Duration::from_secs(20);
const TURN: Duration = Duration::from_millis(10);
const DRAIN_BYTES_MAX: usize = 64 << 20;
